// A browser to test with, and assertions in TAP.

import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url)
	.resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = 15000;

let count = 0;
let failed = 0;

export function ok(is, name, why) {
	count += 1;
	if (!is) {
		failed += 1;
		console.log(`# ${String(why ?? "").replaceAll("\n", "\n# ")}`);
	}
	console.log(`${is ? "ok" : "not ok"} ${count} - ${name}`);
}

export function is(got, expected, name) {
	ok(got === expected, name, `got ${JSON.stringify(got)}, expected ${
		JSON.stringify(expected)}`);
}

// Locators wait, so most assertions are that something comes.
export async function comes(locator, name, options = {}) {
	try {
		await locator.first().waitFor({ timeout: PATIENCE, ...options });
		ok(true, name);
	} catch (error) {
		ok(false, name, `${error.message}\n${
			await locator.page().locator("body").innerText()}`);
	}
}

export function goes(locator, name) {
	return comes(locator, name, { state: "hidden" });
}

export async function until(condition, name) {
	const end = Date.now() + PATIENCE;
	let got;
	while (!(got = await condition()) && Date.now() < end) {
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	ok(got, name);
}

export function finish() {
	console.log(`1..${count}`);
	process.exitCode = failed > 0 ? 1 : 0;
}

// Open a page. Whatever it complains of is kept in complaints, but for what
// is expected (a pattern that may be changed).
export async function start(url) {
	const browser = await chromium.launch({
		executablePath: process.env.DEVCRED_CHROMIUM ?? "/usr/bin/chromium",
		args: ["--disable-dev-shm-usage", "--disable-gpu",
			...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
	});
	const context = await browser.newContext({
		baseURL: url, viewport: { width: 1280, height: 800 },
		reducedMotion: "reduce",
	});
	context.setDefaultTimeout(PATIENCE);
	const page = await context.newPage();
	const seen = { browser, context, page, complaints: [], urls: [],
		expected: /^$/ };
	page.on("console", (message) => {
		const text = `${message.type()}: ${message.text()}`;
		if (["error", "warning"].includes(message.type())
			&& !seen.expected.test(text)) {
			seen.complaints.push(`${text} ${message.location().url}`);
		}
	});
	page.on("pageerror", (error) => seen.complaints.push(error.stack));
	page.on("dialog", (dialog) => {
		seen.complaints.push(`dialog: ${dialog.message()}`);
		dialog.dismiss();
	});
	page.on("request", (request) => seen.urls.push(request.url()));
	return seen;
}

const WIDTHS = [1280, 800, 360];
const SCHEMES = ["light", "dark"];

// Look at a view in all sizes and colours: nothing that axe finds, nothing
// wider than the screen or cut off; a picture of each.
export async function look(page, name, folder) {
	for (const width of WIDTHS) {
		for (const colorScheme of width === 800 ? ["light"] : SCHEMES) {
			await page.setViewportSize({ width, height: width < 500 ? 740 : 800 });
			await page.emulateMedia({ colorScheme });
			const found = await page.evaluate(`(() => { ${axe}
				return axe.run(document, { resultTypes: ["violations"] });
			})()`);
			const wrong = found.violations.map((one) => `${one.id}: ${one.help}\n${
				one.nodes.map((node) => `${node.html.slice(0, 200)} ${
					node.failureSummary}`).join("\n")}`);
			const wide = await page.evaluate(() =>
				document.documentElement.scrollWidth - innerWidth);
			if (wide > 0) {
				wrong.push(`${wide} pixels wider than the screen`);
			}
			const cut = await page.evaluate(() => [...document.querySelectorAll(
				"main > section > .frame")].filter((frame) =>
				frame.scrollWidth > frame.clientWidth).length);
			if (cut > 0) {
				wrong.push("a table is wider than its frame");
			}
			const lines = await page.evaluate(() => new Set(
				[...document.querySelectorAll("nav[aria-label=Sections] button")]
					.map((tab) => tab.getBoundingClientRect().top)).size);
			if (lines > 1) {
				wrong.push("the tabs need two lines");
			}
			ok(wrong.length === 0, `${name}: nothing is wrong at ${width} pixels, ${
				colorScheme}`, wrong.join("\n"));
			if (folder) {
				mkdirSync(folder, { recursive: true });
				await page.screenshot({
					path: `${folder}/${name.replace(/\W+/g, "-")}-${width}-${
						colorScheme}.png`,
				});
			}
		}
	}
	await page.setViewportSize({ width: 1280, height: 800 });
	await page.emulateMedia({ colorScheme: "light" });
}
