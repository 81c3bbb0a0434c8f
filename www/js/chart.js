// A small chart: the last days, one row of bars for each kind of thing. Every
// bar says its day and number when it is looked at, and the same is there as a
// table.

import { el, numberText } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 48;
const STEP = 10;	// a bar and the space beside it
const day = new Intl.DateTimeFormat("en-GB", {
	day: "numeric", month: "short", timeZone: "UTC",
});

function svg(name, attributes, ...children) {
	const node = document.createElementNS(SVG, name);
	for (const [key, value] of Object.entries(attributes)) {
		node.setAttribute(key, value);
	}
	node.append(...children);
	return node;
}

function bars(list, name, text) {
	const most = Math.max(1, ...list.map((one) => one[name]));
	return svg("svg", {
		viewBox: `0 0 ${list.length * STEP} ${HEIGHT}`, class: `bars ${name}`,
		role: "img", "aria-label": text, preserveAspectRatio: "none",
	}, ...list.map((one, i) => {
		const height = one[name] === 0 ? 1
			: Math.max(3, one[name] / most * HEIGHT);
		return svg("rect", {
			x: i * STEP + 1, y: HEIGHT - height, width: STEP - 2, height,
			class: one[name] === 0 ? "none" : "",
		}, svg("title", {}, `${day.format(new Date(one.day))}: ${numberText(one[name])}`));
	}));
}

// The number that says it: of what has a level the last one, else the sum.
function figure(days, name, { title, level }, span) {
	const number = level ? days.at(-1)[name]
		: days.reduce((sum, one) => sum + one[name], 0);
	const when = level ? "now" : days.length === 1 ? "today"
		: `in ${days.length} days`;
	return el("figure", null,
		el("figcaption", null, el("span", null, title),
			el("strong", null, numberText(number)), el("span", null, when)),
		bars(days, name, `${title}: ${numberText(number)} ${when}, ${span}`));
}

// days: [{ day, … }], the oldest first; kinds: name => what it is called, and
// whether it has a level from day to day, or is listed in the table only.
export function chart(days, kinds) {
	const span = `${day.format(new Date(days[0].day))} \u2013 ${
		day.format(new Date(days.at(-1).day))}`;
	return el("div", { class: "chart" },
		el("div", { class: "series" }, Object.entries(kinds)
			.filter(([, { listed }]) => !listed)
			.map(([name, kind]) => figure(days, name, kind, span))),
		el("details", null,
			el("summary", null, `${span}, as a table`),
			el("div", { class: "frame", tabIndex: 0, role: "group",
				"aria-label": "Day by day" },
			el("table", { class: "plain-table" },
				el("thead", null, el("tr", null, el("th", { scope: "col" }, "Day"),
					Object.values(kinds).map(({ title }) =>
						el("th", { scope: "col" }, title)))),
				el("tbody", null, days.toReversed().map((one) => el("tr", null,
					el("th", { scope: "row" }, day.format(new Date(one.day))),
					Object.keys(kinds).map((name) =>
						el("td", null, numberText(one[name]))))))))));
}
