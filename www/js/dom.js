// Making elements. Text gets into the page as text nodes alone, so that
// nothing a device or a person has written is ever read as markup.

// An element: its properties (on* are listeners, data-* and aria-* and the
// like are attributes, false and null are left out), and what is in it.
export function el(name, properties, ...children) {
	const node = document.createElement(name);
	for (const [key, value] of Object.entries(properties ?? {})) {
		if (value === undefined || value === null || value === false) {
			continue;
		}
		if (key.startsWith("on")) {
			node.addEventListener(key.slice(2), value);
		} else if (key in node && !key.includes("-")) {
			node[key] = value;
		} else {
			node.setAttribute(key, value === true ? "" : value);
		}
	}
	fill(node, ...children);
	return node;
}

// Put these into a node, in place of all that is there.
export function fill(node, ...children) {
	node.replaceChildren(...children.flat(Infinity)
		.filter((child) => child !== null && child !== undefined
			&& child !== false)
		.map((child) => child instanceof Node ? child
			: document.createTextNode(String(child))));
	return node;
}

export function button(text, onclick, properties) {
	return el("button", { type: "button", onclick, ...properties }, text);
}

let count = 0;

export function newId(stem) {
	count += 1;
	return `${stem}-${count}`;
}

// A label and its control, with a hint below.
export function field(text, control, hint) {
	control.id ||= newId("field");
	const below = hint && el("p", { class: "hint", id: newId("hint") }, hint);
	if (below) {
		control.setAttribute("aria-describedby", below.id);
	}
	return el("div", { class: "field" },
		el("label", { htmlFor: control.id }, text), control, below);
}

// Ids may be long, and of any script: they break anywhere, and do not turn
// the text around them.
export function idText(id, properties) {
	return el("bdi", { class: "id", ...properties }, id);
}

// A number for people.
export function numberText(number) {
	return number.toLocaleString("en");
}

// An address; a long one breaks between its parts.
export function addressText(address, properties) {
	const parts = address.split(/(?<=:)(?!:)/);
	return el("bdi", { class: "address", ...properties },
		parts.map((part, i) => [i > 0 && el("wbr"), part]));
}

// An id by itself; a long one is scrolled, by keyboard too.
export function idBox(id) {
	return el("div", { class: "id-box", tabIndex: 0, role: "group",
		"aria-label": "Id" }, idText(id));
}

// The start of an id, for sentences.
export function shortId(id) {
	const characters = [...id];
	return characters.length <= 48 ? id
		: `${characters.slice(0, 47).join("")}\u2026`;
}

// Have screen readers say something.
export function say(text) {
	const said = document.getElementById("said");
	fill(said, text);
}

// Show and say what has been done; it goes away by itself.
export function toast(text, kind = "done") {
	const box = document.getElementById("toasts");
	const note = el("div", { class: `toast ${kind}` }, text,
		kind === "failed" && button("Dismiss", () => note.remove(),
			{ class: "small" }));
	while (box.children.length > 1) {
		box.firstChild.remove();
	}
	box.append(note);
	say(text);
	setTimeout(() => note.remove(), kind === "done" ? 5000 : 30000);
}
