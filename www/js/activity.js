// What happened: day by day, and every decision.

import { el, fill, button, addressText, idText, say, toast } from "./dom.js";
import { call, who, AUDIT, STATISTICS } from "./api.js";
import { chart } from "./chart.js";
import { Finder } from "./finder.js";
import { Refresher } from "./refresh.js";
import { Table } from "./table.js";
import { ageText, renewAges } from "./time.js";

const DAYS_AGAIN = 300000;	// ms until the days are counted again
const PAGE = 50;

// What is drawn of each day: how many there are at its end, or how many it had.
const KINDS = {
	waiting: { title: "Waiting", level: true },
	pending: { title: "Pending", level: true },
	issued: { title: "Issued" },
	refused: { title: "Refused" },
	registered: { title: "Registered", listed: true },
	accepted: { title: "Accepted", listed: true },
};

// operation => what was done
const WORDS = {
	newdevice_create: "registered", newdevice_claim: "asked for the first time",
	newdevice_claim_other: "asked for by somebody else, too",
	newdevice_claim_issued: "asked for again, though it has credentials",
	newdevice_accept: "accept", newdevice_block: "block",
	newdevice_lift: "lift the block", newdevice_delete: "delete",
	newdevice_refuse: "asked for with another security token",
	newdevice_expire: "withdrawn, as it had waited too long",
	credential_issue: "credentials issued",
	credential_deliver: "password delivered again",
	credential_refuse: "asked for again, and refused",
	credential_reissue: "new password after reopening",
	credential_confirm: "first login", credential_create: "given a password",
	credential_rotate: "rotate", credential_disable: "disable",
	credential_enable: "enable", credential_expire: "set an end",
	credential_reopen: "reopen delivery", credential_revoke: "revoke",
	credential_decommission: "decommission",
};
const OUTCOMES = {
	wrong_state: "not in this state", token_mismatch: "another security token",
	token_blocked: "wrong token once too often", exists: "the id is taken",
	limit_reached: "no more devices", decommissioned: "was decommissioned",
};

function what({ operation, outcome }) {
	return [WORDS[operation] ?? operation.replaceAll("_", " "),
		outcome !== "ok" && outcome !== "updated" && [" ",
			el("span", { class: "chip blocked" }, OUTCOMES[outcome] ?? outcome)]];
}

export function activityView() {
	let counted = -Infinity;
	let list = [];		// all that is shown
	let next = null;	// where more is
	let asked = "";

	const finder = new Finder({
		label: "Device id", name: "id",
		go: () => reload(), again: () => reload(),
	});
	const days = el("div");
	const empty = el("div", { class: "empty", role: "status" },
		"Loading \u2026");
	const more = button("Older", older, { hidden: true });
	const table = new Table({
		label: "Decisions",
		columns: [
			{ name: "When", class: "age" },
			{ name: "Device", class: "wide" },
			...(who().management ? [{ name: "Tenant", class: "type tenant" }] : []),
			{ name: "What" },
			{ name: "Who", class: "owner" },
			{ name: "From", class: "owner less" },
		],
		key: (one) => one.seq,
		cells: (one) => [
			ageText(one.time),
			button(idText(one.id), () => finder.look(one.id), { class: "link", "data-name": "id",
				"aria-label": `Only ${one.id}` }),
			...(who().management ? [idText(one.tenantId)] : []),
			what(one),
			idText(one.actor),
			one.source ? addressText(one.source) : "\u2013",
		],
	});
	const refresher = new Refresher({
		load,
		// who has gone back is not to lose the place
		busy: () => list.length > PAGE || finder.busy,
		state: ({ error, next: delay }) => finder.tell(error, delay),
	});

	function show() {
		table.show(list);
		renewAges(table.node);
		frame.hidden = list.length === 0;
		empty.hidden = list.length > 0;
		fill(empty, asked ? "Nothing is known of a device of exactly this id."
			: "Nothing has happened yet.");
		more.hidden = !next;
	}

	async function load(current) {
		const id = finder.words;
		const answer = await call("GET", finder.query(AUDIT, {
			pageSize: PAGE,
		}));
		if (!current()) {
			return;
		}
		list = answer.events;
		next = answer.next;
		if (asked !== id) {
			asked = id;
			say(id ? `Decisions about ${id}` : "All decisions");
		}
		show();
		if (Date.now() - counted > DAYS_AGAIN) {
			counted = Date.now();
			const answered = await call("GET", STATISTICS);
			fill(days, chart(answered.days, KINDS));
		}
	}

	async function older() {
		more.disabled = true;
		try {
			const answer = await call("GET", finder.query(AUDIT, {
				pageSize: PAGE, before: list.at(-1).seq,
			}));
			list = [...list, ...answer.events];
			next = answer.next;
			show();
			say(`${answer.events.length} more`);
		} catch (error) {
			toast(error.message, "failed");
		}
		more.disabled = false;
	}

	async function reload() {
		node.setAttribute("aria-busy", "true");
		await refresher.now();
		node.removeAttribute("aria-busy");
	}

	const frame = el("div", { class: "frame", hidden: true }, table.node);
	const node = el("section", { "aria-labelledby": "activity-title" },
		el("div", { class: "head" },
			el("h1", { id: "activity-title" }, "Activity")),
		days,
		finder.node, finder.banner, empty, frame, el("div", { class: "pager" }, more));
	return {
		node,
		start: () => refresher.start(),
		stop: () => {
			finder.stop();
			refresher.stop();
		},
	};
}
