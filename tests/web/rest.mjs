// An administrator's day, second part: files, credentials, and what may happen.

import { comes, goes, is, ok, until } from "./browser.mjs";
import { by, dialog, expecting, filterBy, inDialog, page, pending, reload, row,
	seen, service, signIn, told, view } from "./site.mjs";

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

export const rest = {
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

	async "a slow network"() {
		let arrive;
		const network = new Promise((resolve) => { arrive = resolve; });
		await page.route("**/bulkNewDeviceRequests", async (route) => {
			await network;
			await route.continue();
		});
		const file = { name: "slow.csv", mimeType: "text/csv",
			buffer: Buffer.from("ID\nslow-1\n") };
		await page.locator("#bulk-file").setInputFiles(file);
		await by("button", "Stop").click();
		await comes(page.getByText("Stopped."), "sending can be stopped");
		await page.locator("#bulk-file").setInputFiles(file);
		await comes(by("button", "Stop"), "and begun again");
		await view("sending");
		await by("button", "Requests").click();
		await by("button", "Upload").click();
		await comes(page.getByRole("progressbar"),
			"it goes on while something else is shown");
		arrive();
		await comes(by("heading", "Result: slow.csv"), "and comes to its end");
		await page.unroute("**/bulkNewDeviceRequests");
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
		await by("button", "Sign out").click();
		await signIn(told.expiring);
		await comes(row("bulk-65"), "somebody is signed in");
		service(told.disable);
		await expecting(/status of 401/, async () => {
			await comes(page.getByText("does not take this login any more"),
				"who is disabled has to sign in again");
		});
		await page.reload();
		await comes(by("heading", "Sign in"), "a new page knows nobody");
		await signIn(told.management);
		await comes(page.getByRole("columnheader", { name: "Tenant" }),
			"management sees whose a request is");
		await view("management");
	},
};
