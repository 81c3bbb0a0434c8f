// What stands above a list: the words to look for, the state, a button to ask
// again, and what went wrong when the list could not be had.

import { el, fill, button, field } from "./dom.js";

const TYPING = 300;	// ms without a key until it is asked
const PAUSE = 5000;	// ms without a key until typing has ended

// label names the words, name is their parameter; states: status => [text];
// go() asks from the start, again() for the same.
export class Finder {
	constructor({ label, name = "q", states, go, again }) {
		Object.assign(this, { name, go, again });
		this.typed = 0;
		this.search = el("input", {
			type: "search", autocomplete: "off", spellcheck: false,
			oninput: () => {
				clearTimeout(this.timer);
				this.timer = setTimeout(() => this.start(), TYPING);
				this.typed = Date.now();
			},
		});
		this.filter = states && el("select", { onchange: () => this.start() },
			el("option", { value: "" }, "All"),
			Object.entries(states).map(([value, [text]]) =>
				el("option", { value }, text)));
		this.banner = el("div", {
			class: "banner", role: "alert", hidden: true,
		});
		this.node = el("form", {
			class: "filters", role: "search", method: "post",
			onsubmit: (event) => {
				event.preventDefault();
				this.start();
			},
		}, field(label, this.search),
		states && field("Status", this.filter),
		button("Refresh", again));
	}

	start() {
		this.stop();
		this.go();
	}

	stop() {
		clearTimeout(this.timer);
	}

	get words() {
		return this.search.value.trim();
	}

	// Whether it is not all that is wanted.
	get narrow() {
		return this.words !== "" || Boolean(this.filter?.value);
	}

	// Whether somebody is at the keyboard.
	get busy() {
		return Date.now() - this.typed < PAUSE;
	}

	only(status) {
		this.filter.value = status;
		this.start();
		this.filter.focus();
	}

	look(words) {
		this.search.value = words;
		this.start();
	}

	clear() {
		if (this.filter) {
			this.filter.value = "";
		}
		this.look("");
		this.search.focus();
	}

	// path with these parameters and what is looked for.
	query(path, parameters) {
		const wanted = new URLSearchParams(parameters);
		if (this.words) {
			wanted.set(this.name, this.words);
		}
		if (this.filter?.value) {
			wanted.set("status", this.filter.value);
		}
		// the service does not read + as a space
		return `${path}?${wanted.toString().replaceAll("+", "%20")}`;
	}

	// Say what went wrong, if anything, and when it is tried again (ms).
	tell(error, next) {
		this.banner.hidden = !error;
		if (error) {
			fill(this.banner, el("p", null, `${error.message} What is shown may `
				+ `be old. Trying again in ${Math.round(next / 1000)} seconds.`),
			button("Try now", this.again));
		}
	}
}
