// Who has asked for the credentials of a request: more than one is worth a
// look before it is accepted.

import { el, fill, addressText } from "./dom.js";
import { call, pathOf, CLAIMED } from "./api.js";
import { ageText } from "./time.js";

const MOST = 20;	// the service tells of no more

function summary(claims) {
	const number = claims.length;
	const some = number < MOST ? number : `At least ${number}`;
	const token = claims.some((claim) => claim.hasToken);
	return [
		el("p", { class: number > 1 ? "notice" : "quiet" },
			number === 0 ? "No device has asked for this id yet."
			: number === 1 ? "One claimant has asked for this id."
			: `${some} claimants have asked for this id. Make sure that `
			+ "you know which one is yours."),
		number > 0 && el("p", { class: "mark-line" }, el("span", {
			class: token ? "chip token" : "chip",
		}, el("span", { class: "mark", "aria-hidden": "true" },
			token ? "\u25cf" : "\u25cb"),
		token ? "Sent a security token" : "Sent no security token")),
	];
}

// Fill a node with the claims of a request; true if a token was sent, null if
// the service does not tell.
export async function showClaims(node, id) {
	fill(node, el("p", { class: "quiet" }, "Looking for claimants \u2026"));
	try {
		const { claims } = await call("GET",
			`${pathOf(CLAIMED, id)}/claims`);
		fill(node, summary(claims), claims.length > 0
			&& el("ul", { class: "claims", tabIndex: 0, "aria-label": "Claims" },
				claims.map(line)));
		return claims.some((claim) => claim.hasToken);
	} catch (error) {
		fill(node, error.status !== 404
			&& el("p", { class: "problem" }, error.message));
		return null;
	}
}

function line(claim) {
	return el("li", null,
		el("span", { class: "source" }, claim.source
			? addressText(claim.source) : "unknown address"),
		" ", ageText(claim.claimed),
		claim.hasToken && [" ", el("span", { class: "chip token" }, "token")],
		el("span", { class: "quiet agent" },
			[claim.agent, claim.actor && `as ${claim.actor}`]
				.filter(Boolean).join(", ")));
}
