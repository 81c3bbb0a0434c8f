// Going from page to page.

import { el, fill, button, numberText } from "./dom.js";

const SIZES = [20, 50, 100, 500];

// go(page, size) is called when another one is wanted.
export class Pager {
	constructor(go) {
		this.page = 1;
		this.size = 20;
		this.text = el("p", { class: "pages" });
		this.back = button("Previous", () => this.to(this.page - 1));
		this.on = button("Next", () => this.to(this.page + 1));
		this.choice = el("select", {
			"aria-label": "Rows on a page",
			onchange: () => {
				this.size = Number(this.choice.value);
				this.to(1);
			},
		}, SIZES.map((size) => el("option", { value: size },
			`${size} rows`)));
		this.go = go;
		this.node = el("nav", { class: "pager", "aria-label": "Pages" },
			this.text, this.choice, this.back, this.on);
	}

	to(page) {
		this.page = page;
		this.go();
	}

	// total: of all pages.
	show(total) {
		const last = Math.max(1, Math.ceil(total / this.size));
		const first = (this.page - 1) * this.size + 1;
		fill(this.text, total === 0 ? "" : `${numberText(first)}\u2013${
			numberText(Math.min(total, this.page * this.size))} of ${
			numberText(total)}`);
		this.back.disabled = this.page <= 1;
		this.on.disabled = this.page >= last;
		this.node.hidden = total === 0;
		return last;
	}
}
