// Dialogs: native ones, so that focus stays inside, Escape closes them, and
// focus returns to where it was.

import { el, fill, button, newId } from "./dom.js";

export function dialogOpen() {
	return document.querySelector("dialog[open]") !== null;
}

// Open a dialog of a title and content. The answer has node, close(), and
// closed, a promise. wide is for those with lists.
export function open(title, content, { wide, onclose } = {}) {
	const id = newId("title");
	const node = el("dialog", { "aria-labelledby": id, class: wide && "wide" });
	const close = () => node.close();
	fill(node,
		el("div", { class: "dialog-head" },
			el("h2", { id }, title),
			button("\u00d7", close, { class: "close", "aria-label": "Close" })),
		content);
	document.body.append(node);
	node.showModal();
	const closed = new Promise((resolve) => {
		node.addEventListener("close", () => {
			onclose?.();
			node.remove();
			// the browser has put focus back, unless that is gone
			if (document.activeElement === document.body) {
				document.getElementById("main").focus();
			}
			resolve();
		});
	});
	return { node, close, closed };
}

// Ask before what cannot be undone; true if it is to be done.
export async function confirmed(title, content, verb, kind = "danger") {
	let yes = false;
	const cancel = button("Cancel", () => asked.close());
	const asked = open(title, [
		el("div", { class: "dialog-body" }, content),
		el("div", { class: "actions" }, cancel,
			button(verb, () => {
				yes = true;
				asked.close();
			}, { class: kind })),
	]);
	cancel.focus();
	await asked.closed;
	return yes;
}

// A form in a dialog. submit() does the work and throws what went wrong, which
// is shown; the dialog closes when it is done.
export function formDialog(title, content, verb, submit, options) {
	const problem = el("p", { class: "problem", role: "alert", hidden: true });
	const go = el("button", { type: "submit", class: "primary" }, verb);
	const form = el("form", {
		// nothing of it may become part of an address
		method: "post",
		noValidate: true,
		async onsubmit(event) {
			event.preventDefault();
			if (go.getAttribute("aria-disabled") === "true") {
				return;
			}
			problem.hidden = true;
			// not "disabled", which would lose the focus
			go.setAttribute("aria-disabled", "true");
			try {
				await submit();
				asked.close();
			} catch (error) {
				fill(problem, error.message);
				problem.hidden = false;
			}
			go.removeAttribute("aria-disabled");
		},
	},
	el("div", { class: "dialog-body" }, content, problem),
	el("div", { class: "actions" },
		button("Cancel", () => asked.close()), go));
	const asked = open(title, form, options);
	form.querySelector("input, select, textarea")?.focus();
	return asked;
}
