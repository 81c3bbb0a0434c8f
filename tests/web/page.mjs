// An administrator's day with the page. What to use is told on standard input
// by page.t.

import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { comes, finish, goes, is, look, ok, start, until }
	from "./browser.mjs";

const told = JSON.parse(readFileSync(0, "utf8"));
const seen = await start(told.url);
const { page } = seen;
const view = (name) => look(page, name, told.screenshots);
const by = (role, name) => page.getByRole(role,
	name === undefined ? {} : { name, exact: true });
const dialog = page.locator("dialog[open]");
const inDialog = (name) => dialog.getByRole("button", { name, exact: true });
const row = (id) => page.locator("tbody tr").filter({
	has: page.getByRole("button", { name: id, exact: true }) });
const chip = (id, status) => row(id).locator(".chip", { hasText: status });
const REQUESTS = "/devicecontrol/newDeviceRequests";

// Over HTTP, as others do it.
async function http(login, method, path, body) {
	const answer = await fetch(told.url + path, {
		method,
		headers: {
			Authorization: `Basic ${Buffer.from(`${login.user}:${
				login.password}`).toString("base64")}`,
			"Content-Type": "application/json", Accept: "application/json",
		},
		body: body && JSON.stringify(body),
	});
	return { status: answer.status, data: await answer.json().catch(() => null) };
}
const poll = (id, securityToken) => http(told.bootstrap, "POST",
	"/devicecontrol/deviceCredentials", { id, securityToken });
const register = (id) => http(told.admin, "POST", REQUESTS, { id });
async function pending(id, token) {
	await register(id);
	await poll(id, token);
}

function service(command) {
	execFileSync(command[0], command.slice(1), {
		env: { ...process.env, DEVCRED_BINDIR: told.bindir },
		stdio: ["ignore", "ignore", "inherit"],
	});
}

// While it runs, the browser may complain of answers like these.
async function expecting(pattern, steps) {
	const before = seen.expected;
	seen.expected = pattern;
	await steps();
	seen.expected = before;
}

async function signIn({ user, password }) {
	await page.getByLabel("User").fill(user);
	await page.getByLabel("Password").fill(password);
	await by("button", "Sign in").click();
}

async function filterBy(search, status) {
	await page.getByLabel("Id starts with").fill(search);
	await page.getByLabel("Status", { exact: true }).selectOption(status);
	await by("button", "Refresh").click();
}

async function refresh() {
	await by("button", "Refresh").click();
	await page.waitForFunction(() =>
		!document.querySelector("section[aria-busy]"));
}

async function reload() {
	await page.goto("/");
	await signIn(told.admin);
	await by("heading", "Device requests").waitFor();
}

const secret = "Zm9vYmFyYmF6cXV4cXV1eGNvcmdl";
const claim = (source, hasToken) => ({ source, hasToken,
	claimed: new Date().toISOString(), agent: "agent/1.2 (test)",
	actor: "management/devicebootstrap" });
const credential = (id, status, firstUsed) => ({ id, tenantId: "t1",
	username: `device_${id}`, status, generation: 1, firstUsed,
	issued: new Date(Date.now() - 3e9).toISOString(), issuedTo: "192.0.2.7",
	expires: null, delivery: firstUsed ? "CLOSED" : "OPEN", deliveries: 1,
	failures: 0, acceptedBy: "t1/admin" });
const listed = { statistics: {}, next: null, credentials: [
	credential("sensor-1", "ACTIVE", null),
	credential("sensor-2", "ACTIVE", new Date().toISOString()),
	credential("s".repeat(1000), "DISABLED", null),
	credential("sensor-4", "REVOKED", null)] };

const steps = {
	async "signing in"() {
		const answer = await page.goto("/");
		ok(/default-src 'self'.*frame-ancestors 'none'/.test(
			answer.headers()["content-security-policy"]),
			"the page is served with its policy");
		await comes(by("heading", "Sign in"), "one has to sign in");
		await view("sign in");
		await by("button", "Sign in").click();
		await comes(page.getByText("User and password are needed."),
			"without user and password nothing is asked");
		await expecting(/status of 40[13]/, async () => {
			await signIn({ ...told.admin, password: "wrong" });
			await comes(page.getByText("The user or the password is wrong"),
				"a wrong password is told of");
			is(await page.getByLabel("Password").inputValue(), "",
				"and has to be typed again");
			await view("sign in refused");
			await signIn(told.roleless);
			await comes(page.getByText("It needs the role ADMIN or READ"),
				"who may not see requests is told so");
		});
		await signIn(told.admin);
		await comes(page.getByText("There are no device requests."),
			"the right one lets in");
		await comes(by("banner").getByText("t1/admin"), "by name");
		await view("no requests");
	},

	async "one request by keyboard"() {
		await by("button", "Register a device").focus();
		await page.keyboard.press("Enter");
		await comes(by("heading", "Register a device"), "a dialog opens");
		await page.keyboard.type("pump/1");
		await expecting(/status of 422/, async () => {
			await page.keyboard.press("Enter");
			await comes(dialog.locator(".problem"), "a bad id is refused there");
		});
		await view("register");
		await page.getByLabel("Device id").fill("pump-1");
		await page.getByLabel("Type").fill("c8y_Pump");
		await page.keyboard.press("Enter");
		await comes(chip("pump-1", "Waiting"), "a good one is in the list");
		ok(await by("button", "Register a device").evaluate((node) =>
			node === document.activeElement), "focus is back where it was");
	},

	async "accepting with a token"() {
		is((await poll("pump-1", "blue 42")).status, 404, "the device asks");
		await comes(chip("pump-1", "Pending"), "the page learns of it by itself");
		await by("button", "Accept pump-1").click();
		await comes(by("heading", "Accept this device?"), "it can be accepted");
		await view("accept");
		await page.getByLabel("Security token").fill("green 42");
		await expecting(/status of 422/, async () => {
			await inDialog("Accept").click();
			await comes(dialog.getByText("does not match"),
				"with a wrong token it is not");
		});
		await page.getByLabel("Security token").fill("blue 42");
		await inDialog("Accept").click();
		await comes(chip("pump-1", "Accepted"), "with the right one it is");
		is((await poll("pump-1", "blue 42")).status, 201,
			"the device gets its credentials");
		await refresh();
		await goes(row("pump-1"), "and its request is done");
	},

	async "block, lift, delete"() {
		await pending("pump-2");
		await refresh();
		await by("button", "Block pump-2").click();
		await comes(chip("pump-2", "Blocked"), "a device can be blocked");
		ok(/BLOCKED/.test((await poll("pump-2")).data.message), "and is refused");
		await by("button", "Lift block pump-2").click();
		await comes(chip("pump-2", "Pending"), "the block can be lifted");
		await by("button", "pump-2").click();
		await comes(dialog.getByText("t1/admin"), "details say who made it");
		await view("details");
		await page.keyboard.press("Escape");
		await by("button", "Delete pump-2").click();
		ok(await inDialog("Cancel").evaluate((node) =>
			node === document.activeElement), "deleting asks, and means no at first");
		await view("delete");
		await inDialog("Cancel").click();
		await comes(row("pump-2"), "no is no");
		await by("button", "Delete pump-2").click();
		await inDialog("Delete").click();
		await goes(row("pump-2"), "yes deletes it");
		await register("pump-3");
		await refresh();
		await by("button", "Block pump-3").click();
		await comes(chip("pump-3", "Blocked"), "one that never asked is blocked");
		await expecting(/status of 422/, async () => {
			await by("button", "Lift block pump-3").click();
			await comes(chip("pump-3", "Waiting"), "and waits again");
		});
	},

	async "ids of any kind"() {
		// no blanks and no slashes in an id; these work without
		const hostile = "<b><img\u00b7onerror=alert(1)><script>alert(2)&amp;'\"";
		const wide = "\u6f22\u5b57".repeat(500);
		const long = "x".repeat(1000);
		const arabic = "\u0645\u0636\u062e\u0629-7";
		for (const id of [hostile, wide, arabic, long]) {
			is((await register(id)).status, 201, `${[...id].slice(0, 20).join("")
				} is registered`);
		}
		await poll(hostile);
		await refresh();
		await comes(page.getByText(hostile, { exact: true }),
			"an id full of markup is shown as it is");
		is(await page.locator("main img, main b").count(), 0,
			"and is no markup");
		await view("ids");
		await by("button", `Accept ${hostile}`).click();
		await inDialog("Accept").click();
		await comes(chip(hostile, "Accepted"), "and is accepted");
		await by("button", `Delete ${long}`).click();
		await view("delete a long id");
		await inDialog("Delete").click();
		await goes(row(long), "one of 1,000 characters is deleted");
		await by("button", `Delete ${wide}`).click();
		await expecting(/status of 414/, async () => {
			await inDialog("Delete").click();
			await comes(page.locator(".toast", { hasText: "longer than the web" }),
				"where the web server has a limit, it is named");
			await by("button", "Dismiss").click();
		});
	},

	async "many at once"() {
		for (let i = 1; i <= 4; i += 1) {
			await pending(`many-${i}`, i === 4 ? "token" : undefined);
		}
		await filterBy("many-", "");
		await until(async () => await page.locator("tbody tr").count() === 4,
			"the list is searched by the start of the id");
		for (let i = 1; i <= 2; i += 1) {
			await page.getByLabel(`Select many-${i}`).check();
		}
		await comes(page.getByText("2 selected"), "two are selected");
		await register("many-5");
		await refresh();
		await page.getByLabel("Select many-5").check();
		await comes(by("button", "Accept 2"), "of three, two can be accepted");
		await page.getByLabel("Select many-5").uncheck();
		await by("button", "Delete many-5").click();
		await inDialog("Delete").click();
		await goes(row("many-5"), "while two are selected another is deleted");
		await view("selected");
		await by("group", "Selected requests").getByRole("button",
			{ name: "Block", exact: true }).click();
		await comes(dialog.getByText("2 done, 0 failed."), "and blocked at once");
		await inDialog("Close").click();
		await comes(chip("many-1", "Blocked"), "as the list shows");
		await filterBy("many-", "BLOCKED");
		await until(async () => await page.locator("tbody tr").count() === 2,
			"the list is filtered by status");
		await filterBy("none-like-that", "");
		await comes(page.getByText("No request is like that."),
			"nothing found is told");
		await by("button", "Show all").click();
		await by("button", "Accept all").click();
		await inDialog("Accept all").click();
		await comes(dialog.getByText("1 done, 1 failed."),
			"all that can be is accepted");
		await comes(dialog.locator(".failed", { hasText: "many-4" }),
			"what cannot be is named");
		await view("accept all");
		await inDialog("Close").click();
		await filterBy("many-", "");
		await comes(chip("many-3", "Accepted"), "and the list shows it");
		await page.getByLabel("Select all on this page").check();
		await by("group", "Selected requests").getByRole("button",
			{ name: "Delete", exact: true }).click();
		await inDialog("Delete").click();
		await comes(dialog.getByText("4 done, 0 failed."), "all are deleted");
		await inDialog("Close").click();
		await filterBy("", "");
	},

	async "a file of many"() {
		await by("button", "Upload").click();
		await comes(by("heading", "Register many devices"), "files are sent here");
		await view("upload");
		const lines = ["ID;TYPE"];
		for (let i = 1; i <= 65; i += 1) {
			lines.push(`bulk-${String(i).padStart(2, "0")};c8y_Pump`);
		}
		lines.push("bulk-01;again", "bad/id;", ";");
		await page.locator("#bulk-file").setInputFiles({
			name: "devices.csv", mimeType: "text/csv",
			buffer: Buffer.from(`${lines.join("\n")}\n`),
		});
		await comes(by("heading", "Result: devices.csv"), "the result comes");
		const numbers = await page.locator(".numbers dd").allInnerTexts();
		is(numbers[0], "67", "with the number of lines");
		is(Number(numbers[1]) + Number(numbers[3]), 67, "done or failed");
		await comes(by("cell", "bad/id"), "a line that failed is named");
		await comes(by("cell", "68"), "by its number");
		await view("upload result");
		const dropped = await page.evaluateHandle(() => {
			const data = new DataTransfer();
			data.items.add(new File(["NAME\nnobody\n"], "bad.csv"));
			return data;
		});
		await expecting(/status of 422/, async () => {
			await page.dispatchEvent(".drop", "drop", { dataTransfer: dropped });
			await comes(page.locator(".problem"),
				"a file without ids, dropped, is refused");
		});
	},

	async "pages"() {
		await by("button", "Requests").click();
		await filterBy("bulk-", "");
		await comes(page.getByText(/^1\u201320 of 65/), "a page has twenty of them");
		await view("list");
		await by("button", "Next").click();
		await comes(page.getByText(/21\u201340 of/), "the next has the next");
		await page.getByLabel("Rows on a page").selectOption("100");
		await until(async () => await page.locator("tbody tr").count() >= 64,
			"or all fit on one");
		await filterBy("", "");
	},

	// Answers as described; played here, so that the views can be seen with
	// every kind of content.
	async "claimants and credentials"() {
		const played = [
			["**/claims", () => ({ claims: [claim("192.0.2.7", true),
				claim("2001:db8::77", false)] })],
			["**/devcred/credentials", () => listed],
			["**/devcred/credentials?*", () => listed],
			["**/devcred/credentials/*/rotate", () => ({ password: secret })],
		];
		for (const [pattern, data] of played) {
			await page.route(pattern, (route) => route.fulfill({ json: data() }));
		}
		await pending("claimed");
		await reload();
		await by("button", "Accept claimed").click();
		await comes(dialog.getByText("2 claimants have asked"),
			"several claimants are told of before one is accepted");
		await comes(dialog.getByText("Sent a security token"), "and the token");
		await view("claimants");
		await inDialog("Cancel").click();
		await by("button", "Credentials").click();
		await comes(by("button", "Rotate sensor-1"), "credentials are listed");
		is(await by("button", "Reopen delivery sensor-2").count(), 0,
			"with what can be done");
		await view("credentials");
		await by("button", "Rotate sensor-1").click();
		await inDialog("Rotate").click();
		await comes(dialog.getByText(secret), "a new password is shown");
		await view("password");
		await page.keyboard.press("Escape");
		await comes(by("button", "Rotate sensor-1"), "until it is closed");
		ok(!(await page.content()).includes(secret), "and then it is gone");
		await by("button", "sensor-2").click();
		await comes(dialog.getByText("t1/device_sensor-2"), "there are details");
		await view("credential details");
		for (const [pattern] of played) {
			await page.unroute(pattern);
		}
		await reload();
	},

	async "the service stops"() {
		await expecting(/status of 50\d/, async () => {
			service(told.stop);
			await by("button", "Refresh").click();
			await comes(page.getByRole("alert").filter({
				hasText: "Trying again in" }), "that is told");
			await comes(page.locator("tbody tr"), "what was known stays");
			await view("stopped");
			service(told.start);
		});
		await goes(page.locator(".banner"), "the page recovers by itself");
	},

	async "the password stays in memory"() {
		const kept = await page.evaluate(() => JSON.stringify([
			localStorage.length, sessionStorage.length, document.cookie,
			location.href]));
		is(kept, JSON.stringify([0, 0, "", `${told.url}/`]),
			"nothing is stored, nothing is in the address");
		is(seen.urls.filter((url) => /secret|password/i.test(url)).length, 0,
			"no request has a password in its address");
		ok(seen.urls.every((url) => url.startsWith(told.url)),
			"nobody else is asked for anything");
		await by("button", "Sign out").click();
		await comes(page.getByText("You have signed out."), "one can sign out");
		await signIn(told.reader);
		await comes(by("banner").getByText("t1/reader"), "a reader can look");
		is(await by("button", "Register a device").count(), 0,
			"but is not offered to register");
		await page.reload();
		await comes(by("heading", "Sign in"), "a new page knows nobody");
		await signIn(told.management);
		await comes(page.getByRole("columnheader", { name: "Tenant" }),
			"management sees whose a request is");
		await view("management");
	},
};

for (const [name, step] of Object.entries(steps)) {
	try {
		await step();
	} catch (error) {
		ok(false, name, error.stack);
		await page.screenshot({ path: `${told.screenshots ?? "."
			}/failed-${name.replace(/\W+/g, "-")}.png` });
		await reload().catch(() => {});
	}
	is(seen.complaints.splice(0).join("\n"), "", `${name}: no errors`);
}
await seen.browser.close();
finish();
