// Credentials that were issued.

import { el, fill, button, addressText, idBox, idText, shortId, toast, say }
	from "./dom.js";
import { call, pathOf, who, CREDENTIALS } from "./api.js";
import { open, confirmed, dialogOpen } from "./dialog.js";
import { Finder } from "./finder.js";
import { Table } from "./table.js";
import { Pager } from "./pager.js";
import { Refresher } from "./refresh.js";
import { chip, CREDENTIAL } from "./status.js";
import { ageText, exactText, renewAges } from "./time.js";

// Show a new password once. It is in this dialog alone, and is wiped from it
// when it closes.
function passwordDialog(credential, password) {
	const secret = el("output", { class: "secret" }, password);
	const copied = el("p", { class: "quiet", role: "status" });
	open("The new password", [
		el("div", { class: "dialog-body" },
			el("p", null, "For ", idText(credential.username), " of tenant ",
				idText(credential.tenantId), ". It is shown this once."),
			secret, copied),
		el("div", { class: "actions" },
			button("Copy", async () => {
				try {
					await navigator.clipboard.writeText(secret.textContent);
					fill(copied, "Copied. Clear the clipboard when it is done.");
				} catch {
					getSelection().selectAllChildren(secret);
					fill(copied, "Selected: copy it with the keyboard.");
				}
			}, { class: "primary" })),
	], { onclose: () => fill(secret) });
}

const ACTIONS = {
	disable: {
		verb: "Disable", done: "disabled",
		fits: ({ status }) => status === "ACTIVE",
		act: (path, of) => call("PUT", path + of, { status: "DISABLED" }),
	},
	enable: {
		verb: "Enable", done: "enabled",
		fits: ({ status }) => status === "DISABLED",
		act: (path, of) => call("PUT", path + of, { status: "ACTIVE" }),
	},
	rotate: {
		verb: "Rotate", done: "has a new password",
		fits: () => true,
		ask: "The old password works until the new one is used, and not for "
			+ "long.",
		act: (path, of) => call("POST", `${path}/rotate${of}`),
	},
	reopen: {
		verb: "Reopen delivery", done: "may ask once more",
		fits: ({ status, delivery }) => status === "ACTIVE"
			&& delivery === "CLOSED",
		ask: "The device can ask for its password once more. It gets the same, "
			+ "or a new one if that was wiped.",
		act: (path, of) => call("POST", `${path}/reopen${of}`),
	},
	revoke: {
		verb: "Revoke", done: "revoked", danger: true,
		fits: () => true,
		ask: "The device is locked out. This cannot be undone: it has to be "
			+ "registered again.",
		act: (path, of) => call("DELETE", path + of),
	},
};

export function credentialsView() {
	let told = null;

	const finder = new Finder({
		label: "Id starts with", states: CREDENTIAL,
		go: () => {
			pager.page = 1;
			reload();
		},
		again: () => reload(),
	});
	const empty = el("div", { class: "empty", role: "status" },
		"Loading \u2026");
	const pager = new Pager(() => reload());
	const table = new Table({
		label: "Credentials",
		columns: [
			{ name: "Id", class: "wide" },
			{ name: "Status" },
			...(who().management ? [{ name: "Tenant", class: "type tenant" }] : []),
			{ name: "Issued", class: "age" },
			{ name: "First used", class: "age" },
			{ name: "Expires", class: "age less" },
			{ name: "Delivery", class: "owner less" },
			{ name: "Actions", class: "row-actions", unseen: true },
		],
		key: (one) => `${one.tenantId}/${one.id}`,
		cells,
	});
	const refresher = new Refresher({
		load,
		busy: () => dialogOpen() || finder.busy,
		state: ({ error, next }) => finder.tell(error, next),
	});

	function cells(one) {
		return [
			button(idText(one.id), () => details(one),
				{ class: "link", "data-name": "id" }),
			chip(one.status, CREDENTIAL),
			...(who().management ? [idText(one.tenantId)] : []),
			ageText(one.issued),
			ageText(one.firstUsed),
			ageText(one.expires),
			one.delivery ?? "\u2013",
			who().admin && Object.entries(ACTIONS)
				.filter(([, { fits }]) => fits(one))
				.map(([name, { verb, danger }]) => button(verb,
					() => act(name, one), {
						class: danger ? "small danger" : "small",
						"aria-label": `${verb} ${one.id}`,
						"data-name": name,
					})),
		];
	}

	function details(one) {
		const entry = (name, content) => content !== undefined
			&& content !== null && [el("dt", null, name),
			el("dd", null, content)];
		open("Credentials", el("div", { class: "dialog-body" }, el("dl", null,
			entry("Id", idText(one.id)),
			entry("User", idText(`${one.tenantId}/${one.username}`)),
			entry("Status", chip(one.status, CREDENTIAL)),
			entry("Generation", one.generation),
			entry("Issued", [exactText(one.issued),
				one.issuedTo && [" to ", addressText(one.issuedTo)]]),
			entry("Accepted by", one.acceptedBy && idText(one.acceptedBy)),
			entry("First used", exactText(one.firstUsed)),
			entry("Expires", exactText(one.expires)),
			entry("Delivery", one.delivery),
			entry("Deliveries", one.deliveries),
			entry("Failed logins", one.failures))), { wide: true });
	}

	async function act(name, one) {
		const { verb, done, ask, danger, act: run } = ACTIONS[name];
		if (ask && !await confirmed(`${verb}?`, [
			idBox(one.id), el("p", { class: "quiet" }, ask),
		], verb, danger ? "danger" : "primary")) {
			return;
		}
		try {
			// an id may be in several tenants
			const answer = await run(pathOf(CREDENTIALS, one.id),
				who().management
					? `?tenant=${encodeURIComponent(one.tenantId)}` : "");
			toast(`${shortId(one.id)}: ${done}`);
			if (answer?.password) {
				passwordDialog(one, answer.password);
			}
		} catch (error) {
			toast(`${shortId(one.id)}: ${error.message}`, "failed");
		}
		reload();
	}

	async function reload() {
		node.setAttribute("aria-busy", "true");
		await refresher.now();
		node.removeAttribute("aria-busy");
	}

	async function load(current) {
		const answer = await call("GET", finder.query(CREDENTIALS, {
			currentPage: pager.page,
			pageSize: pager.size,
			withTotalElements: true,
		}));
		if (!current()) {
			return;
		}
		const list = answer.credentials;
		const total = answer.statistics.totalElements ?? list.length;
		const last = pager.show(total);
		if (pager.page > last) {
			pager.page = last;
			reload();
			return;
		}
		table.show(list);
		renewAges(table.node);
		frame.hidden = list.length === 0;
		empty.hidden = list.length > 0;
		fill(empty, finder.narrow
			? "No credentials are like that."
			: "No credentials have been issued.");
		if (told !== total) {
			told = total;
			say(`${total} credentials`);
		}
	}

	const frame = el("div", { class: "frame", hidden: true }, table.node);
	pager.node.hidden = true;
	const node = el("section", { "aria-labelledby": "credentials-title" },
		el("div", { class: "head" },
			el("h1", { id: "credentials-title" }, "Credentials")),
		finder.node, finder.banner, empty, frame, pager.node);
	return {
		node,
		start: () => refresher.start(),
		stop: () => {
			finder.stop();
			refresher.stop();
		},
	};
}
