// What can be done with requests: one, or many that were selected.

import { el, button, field, idBox, idText, shortId, toast } from "./dom.js";
import { call, pathOf, who, REQUESTS } from "./api.js";
import { open, confirmed, formDialog } from "./dialog.js";
import { showClaims } from "./claims.js";
import { chip, REQUEST } from "./status.js";
import { exactText } from "./time.js";

function update(id, status, more) {
	return call("PUT", pathOf(REQUESTS, id), { status, ...more });
}

// From BLOCKED back to what it was: who has not asked yet cannot be pending.
async function lift(id) {
	try {
		return await update(id, "PENDING_ACCEPTANCE");
	} catch (error) {
		if (error.status !== 422) {
			throw error;
		}
		return update(id, "WAITING_FOR_CONNECTION");
	}
}

// name => verb, what has been done, in which states it can be, and how.
export const ACTIONS = {
	accept: {
		verb: "Accept", done: "accepted",
		fits: (status) => status === "PENDING_ACCEPTANCE",
		act: (id) => update(id, "ACCEPTED"),
	},
	block: {
		verb: "Block", done: "blocked",
		fits: (status) => status !== "BLOCKED",
		act: (id) => update(id, "BLOCKED"),
	},
	lift: {
		verb: "Lift block", done: "no longer blocked",
		fits: (status) => status === "BLOCKED",
		act: lift,
	},
	delete: {
		verb: "Delete", done: "deleted", danger: true,
		fits: () => who()?.admin,
		act: (id) => call("DELETE", pathOf(REQUESTS, id)),
	},
};

export function actionsFor(status) {
	return Object.keys(ACTIONS).filter((name) => ACTIONS[name].fits(status));
}

// Do it with one request; done() is called when there is something new.
export async function actOnOne(name, request, done) {
	const { id } = request;
	const { act, done: word } = ACTIONS[name];
	if (name === "accept") {
		acceptDialog(request, done);
		return;
	}
	if (name === "delete" && !await confirmed("Delete this request?", [
		idBox(id),
		el("p", { class: "quiet" }, "The device can no longer be accepted. "
			+ "Credentials that were issued stay as they are."),
	], "Delete")) {
		return;
	}
	try {
		await act(id);
		toast(`${shortId(id)}: ${word}`);
	} catch (error) {
		toast(`${shortId(id)}: ${error.message}`, "failed");
	}
	done();
}

function acceptDialog({ id }, done) {
	const claims = el("div", { class: "claimants" });
	const token = el("input", {
		autocomplete: "off", spellcheck: false, maxLength: 1000,
	});
	formDialog("Accept this device?", [
		idBox(id),
		claims,
		field("Security token", token, "If the device sent one, it is "
			+ "accepted with the same one only. Wrong ones are counted."),
	], "Accept", async () => {
		await update(id, "ACCEPTED",
			token.value === "" ? {} : { securityToken: token.value });
		toast(`${shortId(id)}: accepted`);
	}, { onclose: done });
	showClaims(claims, id);
}

// Everything about one request.
export function details(request, act) {
	const { id, status } = request;
	const claims = el("div", { class: "claimants" });
	const custom = Object.entries(request.customProperties ?? {});
	const shown = open("Device request", [
		el("div", { class: "dialog-body" },
			el("dl", null,
				entry("Id", idText(id)),
				entry("Status", [chip(status, REQUEST), " ",
					el("span", { class: "quiet" }, REQUEST[status]?.[2])]),
				entry("Registered", [exactText(request.creationTime), " by ",
					idText(request.owner)]),
				entry("Tenant", idText(request.tenantId)),
				request.type && entry("Type", idText(request.type)),
				request.groupId && entry("Group", idText(request.groupId)),
				custom.map(([name, value]) => entry(name, idText(
					typeof value === "string" ? value
						: JSON.stringify(value))))),
			claims),
		el("div", { class: "actions" }, actionsFor(status).map((name) =>
			button(ACTIONS[name].verb, () => {
				shown.close();
				act(name, request);
			}, { class: name === "accept" ? "primary"
				: name === "delete" ? "danger" : "" }))),
	], { wide: true });
	showClaims(claims, id);
}

function entry(name, content) {
	return [el("dt", null, name), el("dd", null, content)];
}

export function newRequest(done) {
	const id = el("input", {
		required: true, autocomplete: "off", spellcheck: false,
	});
	const type = el("input", { autocomplete: "off", spellcheck: false });
	const tenant = who().management && el("input", {
		autocomplete: "off", spellcheck: false,
	});
	formDialog("Register a device", [
		field("Device id", id, "As the device will send it: up to 1,000 "
			+ "characters without white space and / \\ + $ :"),
		field("Type", type, "Optional."),
		tenant && field("Tenant", tenant, "Empty: management."),
	], "Register", async () => {
		if (id.value === "") {
			id.focus();
			throw new Error("A device needs an id.");
		}
		const body = { id: id.value };
		if (type.value) {
			body.type = type.value;
		}
		if (tenant?.value) {
			body.tenantId = tenant.value;
		}
		await call("POST", REQUESTS, body);
		toast(`${shortId(id.value)}: registered`);
	}, { onclose: done });
}

// Many ------------------------------------------------------------------------

// Show what became of each: [{ id, error }].
export function results(title, list, note) {
	const failed = list.filter((one) => one.error);
	open(title, [
		el("div", { class: "dialog-body" },
			el("p", { role: "status" }, `${list.length - failed.length} done, ${
				failed.length} failed.`),
			note && el("p", { class: "quiet" }, note),
			el("ul", { class: "results", tabIndex: 0, "aria-label": "Results" },
				[...failed, ...list.filter((one) => !one.error)]
					.slice(0, 2000).map(({ id, error }) => el("li", {
						class: error ? "failed" : "done",
					}, el("span", { class: "mark", "aria-hidden": "true" },
						error ? "\u2715" : "\u2713"),
					el("span", { class: "unseen" }, error ? "Failed: " : "Done: "),
					idText(id), error && el("span", { class: "why" }, error))))),
	], { wide: true });
}

// Do the same with many, a few at a time; what cannot go on stops.
export async function actOnMany(name, ids, done) {
	const { verb, act, danger } = ACTIONS[name];
	if ((danger || name === "accept") && !await confirmed(
		`${verb} ${ids.length} requests?`,
		el("p", { class: "quiet" }, danger ? "This cannot be undone. "
			+ "Credentials that were issued stay as they are."
			: "Devices that sent a security token are not accepted this way, "
			+ "and claimants are not looked at."),
		verb, danger ? "danger" : "primary")) {
		return;
	}
	const list = [];
	const waiting = [...ids];
	const bar = el("progress", {
		max: ids.length, value: 0, "aria-label": "Progress",
	});
	let stopped = null;
	const box = open(`${verb}: ${ids.length} requests`,
		el("div", { class: "dialog-body" }, bar),
		{ onclose: () => { stopped ??= "Stopped."; } });
	const work = async () => {
		for (let id; (id = waiting.shift()) !== undefined;) {
			const one = { id, error: stopped };
			try {
				if (!stopped) {
					await act(id);
				}
			} catch (error) {
				one.error = error.message;
				if (error.status === 0 || error.status === 401) {
					stopped ??= error.message;
				}
			}
			list.push(one);
			bar.value = list.length;
		}
	};
	await Promise.all([work(), work(), work(), work()]);
	box.close();
	await box.closed;
	if (who()) {
		done();
		results(`${verb}: ${ids.length} requests`, list);
	}
}

export async function acceptAll(done) {
	if (!await confirmed("Accept all pending requests?", el("p", {
		class: "quiet",
	}, "The 2,000 oldest of your tenant. Devices that sent a security token "
		+ "are left out, and claimants are not looked at."),
	"Accept all", "primary")) {
		return;
	}
	try {
		const answer = await call("POST", `${REQUESTS}/acceptAll`);
		results("Accept all", answer.map(({ id, successful, error }) => ({
			id,
			error: successful ? null : error?.message ?? "refused",
		})), answer.length === 0 && "There was no pending request.");
	} catch (error) {
		toast(error.message, "failed");
	}
	done();
}
