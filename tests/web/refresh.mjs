// The refresher of the page, with a clock that is turned by hand.

import { readFileSync } from "node:fs";

let count = 0;
function is(got, expected, name) {
	count += 1;
	if (got !== expected) {
		console.log(`# got ${got}, expected ${expected}`);
		process.exitCode = 1;
	}
	console.log(`${got === expected ? "ok" : "not ok"} ${count} - ${name}`);
}

// The clock: timers by number, and what the module sees of a browser.
const real = setTimeout;
let now = 0;
const timers = new Map();
Date.now = () => now;
globalThis.setTimeout = (run, delay) => {
	timers.set(++setTimeout.last, { run, at: now + delay });
	return setTimeout.last;
};
setTimeout.last = 0;
globalThis.clearTimeout = (id) => timers.delete(id);
globalThis.document = Object.assign(new EventTarget(), { hidden: false });
const settle = () => new Promise((resolve) => real(resolve, 0));

async function run(seconds) {
	const end = now + seconds * 1000;
	for (;;) {
		const next = [...timers].filter(([, timer]) => timer.at <= end)
			.sort(([, a], [, b]) => a.at - b.at)[0];
		if (!next) {
			break;
		}
		now = next[1].at;
		timers.delete(next[0]);
		next[1].run();
		await settle();
	}
	now = end;
}

// not by its path: what is not called .mjs need not be a module to node
const { Refresher } = await import(`data:text/javascript,${
	encodeURIComponent(readFileSync(process.argv[2], "utf8"))}`);

let asked = 0;
let busy = false;
let failing = false;
let told = null;
const refresher = new Refresher({
	load: async () => {
		asked += 1;
		if (failing) {
			throw new Error("gone");
		}
	},
	busy: () => busy,
	state: (state) => { told = state; },
});
async function during(seconds) {
	asked = 0;
	await run(seconds);
	return asked;
}

await refresher.start();
is(asked, 1, "it asks at once");
is(await during(60), 6, "and every ten seconds");
busy = true;
is(await during(60), 0, "not while somebody is at work");
busy = false;
is(await during(60), 6, "then it goes on");
document.hidden = true;
is(await during(600), 0, "not while nobody sees it");
document.hidden = false;
asked = 0;
document.dispatchEvent(new Event("visibilitychange"));
await settle();
is(asked, 1, "at once when it is seen again");
document.dispatchEvent(new Event("visibilitychange"));
await settle();
is(asked, 1, "but not before it is time");
failing = true;
await refresher.now();
is(told.error?.message, "gone", "a failure is told of");
const failures = await during(3600);
is(failures > 10 && failures < 25, true,
	`while it fails it asks more and more seldom (${failures} times an hour)`);
is(told.next <= 360000, true, "but at least every six minutes");
failing = false;
await refresher.now();
is(told.error, null, "it recovers");
is(await during(60), 6, "and is as often as before");
refresher.stop();
is(await during(600), 0, "it stops");
