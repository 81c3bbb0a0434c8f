// Ages and dates.

const UNITS = [
	["year", 365 * 86400], ["month", 30 * 86400], ["day", 86400],
	["hour", 3600], ["minute", 60],
];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const absolute = new Intl.DateTimeFormat("en-GB", {
	dateStyle: "medium", timeStyle: "medium",
});

export function age(when) {
	const seconds = (when - Date.now()) / 1000;
	for (const [unit, length] of UNITS) {
		if (Math.abs(seconds) >= length) {
			return relative.format(Math.trunc(seconds / length), unit);
		}
	}
	return seconds > 30 ? "in a moment" : "just now";
}

// An age that shows the exact time when it is looked at closely.
export function ageText(text) {
	const node = document.createElement("time");
	if (text) {
		node.dateTime = text;
		node.title = absolute.format(new Date(text));
		node.textContent = age(new Date(text));
	} else {
		node.textContent = "\u2013";
	}
	return node;
}

// The exact time, and how long ago that is.
export function exactText(text) {
	const node = ageText(text);
	return text ? [absolute.format(new Date(text)), " (", node, ")"] : node;
}

// Bring all ages below a node up to date.
export function renewAges(node) {
	for (const time of node.querySelectorAll("time[datetime]")) {
		const text = age(new Date(time.dateTime));
		if (time.textContent !== text) {
			time.textContent = text;
		}
	}
}
