// A table that is brought up to date row by row, so that focus, selection and
// scrolling stay where they are. On narrow screens its rows are shown as
// cards; the roles keep it a table for screen readers then.

import { el, fill } from "./dom.js";

// columns: [{ name, class, hidden }]; key(row) tells rows apart;
// cells(row) makes the content of a row's cells.
export class Table {
	constructor({ label, columns, key, cells }) {
		Object.assign(this, { columns, key, cells });
		this.rows = new Map();
		this.body = el("tbody", { role: "rowgroup" });
		this.node = el("table", { role: "table" },
			el("caption", { class: "unseen" }, label),
			el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
				columns.map((column) => el("th", {
					role: "columnheader", scope: "col", class: column.class,
				}, column.unseen
					? el("span", { class: "unseen" }, column.name)
					: column.head ?? column.name)))),
			this.body);
	}

	row(data) {
		return el("tr", { role: "row" },
			this.cells(data).map((content, i) => el("td", {
				role: "cell",
				class: this.columns[i].class,
				"data-label": this.columns[i].unseen ? null
					: this.columns[i].name,
			}, content)));
	}

	show(list) {
		const focused = this.body.contains(document.activeElement);
		const before = this.rows;
		this.rows = new Map();
		for (const data of list) {
			const text = JSON.stringify(data);
			const old = before.get(this.key(data));
			const node = old?.text === text ? old.node
				: this.row(data);
			if (old && old.node !== node) {
				this.replace(old.node, node);
			}
			before.delete(this.key(data));
			this.rows.set(this.key(data), { text, node, data });
		}
		for (const gone of before.values()) {
			gone.node.remove();
		}
		let place = this.body.firstChild;
		for (const { node } of this.rows.values()) {
			if (node === place) {
				place = place.nextSibling;
			} else {
				this.body.insertBefore(node, place);
			}
		}
		if (focused && !this.body.contains(document.activeElement)) {
			document.getElementById("main").focus();
		}
	}

	// Put a new row in the place of an old one, with the focus where it was.
	replace(old, node) {
		const name = old.contains(document.activeElement)
			&& document.activeElement.dataset.name;
		if (old.parentNode) {
			old.replaceWith(node);
		}
		if (name) {
			(node.querySelector(`[data-name="${name}"]`)
				?? node.querySelector("button"))?.focus();
		}
	}

	clear() {
		this.rows.clear();
		fill(this.body);
	}
}
