// The list of requests.

import { el, fill, button, addressText, idText, numberText, say } from "./dom.js";
import { call, who, CLAIMED, REQUESTS } from "./api.js";
import { ACTIONS, actionsFor, actOnOne, actOnMany, acceptAll, details,
	newRequest } from "./actions.js";
import { dialogOpen } from "./dialog.js";
import { Finder } from "./finder.js";
import { Table } from "./table.js";
import { Pager } from "./pager.js";
import { Refresher } from "./refresh.js";
import { chip, marks, REQUEST } from "./status.js";
import { ageText, renewAges } from "./time.js";

const PENDING = "PENDING_ACCEPTANCE";
const COUNT_AGAIN = 60000;	// ms until those are counted again

// What newcomers have to know.
function steps() {
	return el("ol", { class: "steps" },
		who().admin && el("li", null, el("strong", null, "Register"),
			" the id of a device, or upload a file with many."),
		el("li", null, el("strong", null, "The device asks"),
			" for its credentials, with the login that all devices share."),
		el("li", null, el("strong", null, "Accept"),
			" it here: the next time it asks it gets a login of its own."));
}

export function requestsView() {
	const selected = new Map();	// id => status
	const finder = new Finder({
		label: "Id starts with", states: REQUEST,
		go: () => {
			pager.page = 1;
			reload();
		},
		again: () => reload(),
	});
	const all = el("input", {
		type: "checkbox", "aria-label": "Select all on this page",
		onchange: () => selectAll(all.checked),
	});
	const pager = new Pager(() => reload());
	const empty = el("div", { class: "empty", hidden: true });
	const pending = el("p", { class: "waits", hidden: true });
	const loading = el("p", { class: "empty", role: "status" }, "Loading \u2026");
	const count = el("strong");
	const manyButtons = Object.entries(ACTIONS).map(([name, { verb }]) =>
		button(verb, () => actOnMany(name, fitting(name), () => {
			selectAll(false);
			changed();
		}), { class: name === "delete" ? "danger" : "", "data-action": name }));
	const many = el("div", {
		class: "many", role: "group", "aria-label": "Selected requests",
		hidden: true,
	}, count, manyButtons, button("Clear selection", () => {
		selectAll(false);
		all.focus();
	}, { class: "plain" }));
	const table = new Table({
		label: "Device requests",
		columns: [
			{ name: "Select", class: "select", head: all },
			{ name: "Id", class: "wide" },
			{ name: "Status" },
			{ name: "Type", class: "type less" },
			...(who().management ? [{ name: "Tenant", class: "type tenant" }] : []),
			{ name: "Registered", class: who().management ? "age less" : "age" },
			{ name: "Last seen", class: "seen" },
			{ name: "Owner", class: "owner less" },
			{ name: "Actions", class: "row-actions", unseen: true },
		],
		key: (request) => request.id,
		cells,
	});
	const refresher = new Refresher({
		load,
		busy: () => dialogOpen() || selected.size > 0 || finder.busy,
		state: ({ error, next }) => {
			loading.hidden ||= error !== null;
			finder.tell(error, next);
		},
	});

	function cells(request) {
		const { id, status } = request;
		return [
			el("input", {
				type: "checkbox", checked: selected.has(id),
				"aria-label": `Select ${id}`, "data-name": "select",
				onchange: (event) => select(id, status, event.target.checked),
			}),
			button(idText(id), () => details(request, act),
				{ class: "link", "data-name": "id" }),
			[chip(status, REQUEST), marks(request)],
			request.type ? idText(request.type) : "\u2013",
			...(who().management ? [idText(request.tenantId)] : []),
			ageText(request.creationTime),
			[ageText(request.lastSeen), request.source
				&& [" ", addressText(request.source,
					{ title: "Where it first asked from" })]],
			idText(request.owner),
			actionsFor(status).map((name) => button(ACTIONS[name].verb,
				() => act(name, request), {
					class: name === "accept" ? "small primary"
						: name === "delete" ? "small danger" : "small",
					"aria-label": `${ACTIONS[name].verb} ${id}`,
					"data-name": name,
				})),
		];
	}

	// Those of the selected ones with which it can be done.
	function fitting(name) {
		return [...selected].filter(([, status]) => ACTIONS[name].fits(status))
			.map(([id]) => id);
	}

	function act(name, request) {
		actOnOne(name, request, changed);
	}

	function select(id, status, on) {
		if (on) {
			selected.set(id, status);
		} else {
			selected.delete(id);
		}
		showSelected();
	}

	function selectAll(on) {
		selected.clear();
		for (const [id, { node, data }] of table.rows) {
			node.querySelector("input").checked = on;
			if (on) {
				selected.set(id, data.status);
			}
		}
		showSelected();
	}

	function showSelected() {
		many.hidden = selected.size === 0;
		fill(count, `${selected.size} selected`);
		all.checked = selected.size > 0 && selected.size === table.rows.size;
		all.indeterminate = selected.size > 0 && !all.checked;
		for (const one of manyButtons) {
			const name = one.dataset.action;
			const number = fitting(name).length;
			one.hidden = number === 0;
			fill(one, number < selected.size
				? `${ACTIONS[name].verb} ${number}` : ACTIONS[name].verb);
		}
	}

	async function reload() {
		node.setAttribute("aria-busy", "true");
		await refresher.now();
		node.removeAttribute("aria-busy");
	}

	async function load(current) {
		const answer = await call("GET", finder.query(CLAIMED, {
			currentPage: pager.page,
			pageSize: pager.size,
			withTotalElements: true,
		}));
		if (current()) {
			const list = answer.newDeviceRequests;
			const total = answer.statistics.totalElements ?? list.length;
			show(list, total);
			await tellPending(list, total, current);
		}
	}

	// What wants a decision is told of, wherever in the list it is. It is
	// counted here if all is shown, else now and then: counting may mean a
	// look at every request.
	async function tellPending(list, total, current) {
		if (finder.narrow) {
			pending.hidden = true;
			return;
		}
		let number = list.filter(({ status }) => status === PENDING).length;
		if (total > list.length) {
			if (Date.now() < countAgain) {
				pending.hidden = counted === 0;
				return;
			}
			const { statistics } = await call("GET", `${REQUESTS}?status=${
				PENDING}&pageSize=1&withTotalElements=true`);
			number = statistics.totalElements;
		}
		if (!current()) {
			return;
		}
		counted = number;
		countAgain = Date.now() + COUNT_AGAIN;
		pending.hidden = number === 0;
		fill(pending, `${numberText(number)} ${number === 1 ? "device waits"
			: "devices wait"} to be accepted. `,
		button("Show", () => finder.only(PENDING), {
			class: "link", "aria-label": "Show what is pending",
		}));
	}
	let counted = 0;
	let countAgain = 0;

	// Something was done, and the list is another one.
	function changed() {
		countAgain = 0;
		return reload();
	}

	function show(list, total) {
		const last = pager.show(total);
		if (pager.page > last) {
			pager.page = last;
			reload();
			return;
		}
		loading.hidden = true;
		table.show(list);
		renewAges(table.node);
		for (const id of selected.keys()) {
			const row = table.rows.get(id);
			if (row) {
				selected.set(id, row.data.status);
			} else {
				selected.delete(id);
			}
		}
		showSelected();
		frame.hidden = list.length === 0;
		empty.hidden = list.length > 0;
		const searched = finder.narrow;
		if (list.length === 0) {
			fill(empty, el("p", null, searched
				? "No request is like that."
				: "There are no device requests."),
			searched ? button("Show all", () => finder.clear()) : steps());
		}
		if (told !== `${searched} ${total}`) {
			told = `${searched} ${total}`;
			say(`${total} ${total === 1 ? "request" : "requests"}`);
		}
	}
	let told = "";

	const frame = el("div", { class: "frame", hidden: true }, table.node);
	const node = el("section", { "aria-labelledby": "requests-title" },
		el("div", { class: "head" },
			el("h1", { id: "requests-title" }, "Device requests"),
			el("div", { class: "tools" },
				button("Accept all", () => acceptAll(changed), {
					hidden: !who().admin,
				}),
				button("Register a device", () => newRequest(changed), {
					hidden: !who().admin, class: "primary",
				}))),
		finder.node, finder.banner, pending, many, loading, empty, frame, pager.node);
	pager.node.hidden = true;
	return {
		node,
		start: () => refresher.start(),
		stop: () => {
			finder.stop();
			refresher.stop();
		},
	};
}
