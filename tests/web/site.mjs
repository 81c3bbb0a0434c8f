// What both parts of an administrator's day use: the site that page.t tells of
// on standard input, the page in the browser, devices over HTTP.

import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { look, start } from "./browser.mjs";

export const told = JSON.parse(readFileSync(0, "utf8"));
export const seen = await start(told.url);
export const { page } = seen;
export const view = (name) => look(page, name, told.screenshots);
export const by = (role, name) => page.getByRole(role,
	name === undefined ? {} : { name, exact: true });
export const dialog = page.locator("dialog[open]");
export const inDialog = (name) => dialog.getByRole("button", { name, exact: true });
export const row = (id) => page.locator("tbody tr").filter({
	has: page.getByRole("button", { name: id, exact: true }) });
export const chip = (id, status) => row(id).locator(".chip", { hasText: status });
export const REQUESTS = "/devicecontrol/newDeviceRequests";

// Over HTTP, as others do it.
export async function http(login, method, path, body, agent = "agent/1.2") {
	const answer = await fetch(told.url + path, {
		method,
		headers: {
			Authorization: `Basic ${Buffer.from(`${login.user}:${
				login.password}`).toString("base64")}`,
			"Content-Type": "application/json", Accept: "application/json",
			"User-Agent": agent,
		},
		body: body && JSON.stringify(body),
	});
	return { status: answer.status, data: await answer.json().catch(() => null) };
}
export const poll = (id, securityToken, agent) => http(told.bootstrap, "POST",
	"/devicecontrol/deviceCredentials", { id, securityToken }, agent);
export const register = (id) => http(told.admin, "POST", REQUESTS, { id });
export async function pending(id, token) {
	await register(id);
	await poll(id, token);
}

export function service(command) {
	execFileSync(command[0], command.slice(1), {
		env: { ...process.env, DEVCRED_BINDIR: told.bindir },
		stdio: ["ignore", "ignore", "inherit"],
	});
}

// While it runs, the browser may complain of answers like these.
export async function expecting(pattern, steps) {
	const before = seen.expected;
	seen.expected = pattern;
	await steps();
	seen.expected = before;
}

export async function signIn({ user, password }) {
	await page.getByLabel("User").fill(user);
	await page.getByLabel("Password").fill(password);
	await by("button", "Sign in").click();
}

export async function filterBy(search, status) {
	await page.getByLabel("Id starts with").fill(search);
	await page.getByLabel("Status", { exact: true }).selectOption(status);
	await by("button", "Refresh").click();
}

export async function refresh() {
	await by("button", "Refresh").click();
	await page.waitForFunction(() =>
		!document.querySelector("section[aria-busy]"));
}

export async function reload() {
	await page.goto("/");
	await signIn(told.admin);
	await by("heading", "Device requests").waitFor();
}
