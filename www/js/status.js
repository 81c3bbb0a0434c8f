// What states are called, and what they mean. The mark before the text is
// another one for each, so that no state is told by colour alone.

import { el } from "./dom.js";

export const REQUEST = {
	WAITING_FOR_CONNECTION: ["Waiting", "\u25cb",
		"Waits for the device to connect for the first time"],
	PENDING_ACCEPTANCE: ["Pending", "\u25d0",
		"The device has connected and waits to be accepted"],
	ACCEPTED: ["Accepted", "\u25cf",
		"The device gets its credentials when it asks the next time"],
	BLOCKED: ["Blocked", "\u2298", "The device is refused"],
};

export const CREDENTIAL = {
	ACTIVE: ["Active", "\u25cf", "The device can log in"],
	DISABLED: ["Disabled", "\u2298", "The device cannot log in"],
	EXPIRED: ["Expired", "\u25cb", "The credentials have expired"],
};

export function chip(status, words) {
	const [text, mark, title] = words[status] ?? [status, "\u25cb", ""];
	return el("span", { class: `chip ${status.toLowerCase()}`, title },
		el("span", { class: "mark", "aria-hidden": "true" }, mark), text);
}

// What is worth a look before accepting.
export function marks({ claimants, hasToken }) {
	return [
		claimants > 1 && el("span", {
			class: "chip claimed", title: "More than one has asked for this id",
		}, `${claimants} claimants`),
		hasToken && el("span", {
			class: "chip token", title: "The device sent a security token",
		}, "Token"),
	];
}
