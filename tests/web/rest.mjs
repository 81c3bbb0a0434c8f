// An administrator's day, second part: files, credentials, and what may happen.

import { comes, goes, is, ok, until } from "./browser.mjs";
import { by, chip, dialog, expecting, filterBy, http, inDialog, page, pending,
	poll, refresh, register, row, seen, service, signIn, told, view } from "./site.mjs";

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

	async "what is pending is not counted at every look"() {
		const counts = () => seen.urls.filter((url) =>
			/status=PENDING_ACCEPTANCE&pageSize=1&/.test(url)).length;
		await page.getByLabel("Rows on a page").selectOption("20");
		await register("pending-1");
		await by("button", "Register a device").click();
		await page.getByLabel("Device id").fill("pending-2");
		await page.keyboard.press("Enter");
		await comes(row("pending-2"), "something is done");
		await poll("pending-1");
		await refresh();
		const before = counts();
		for (let i = 0; i < 3; i += 1) {
			await refresh();
		}
		await comes(chip("pending-1", "Pending"), "a device asks");
		is(counts(), before, "it is not counted once more, as more than a page is there");
		await by("button", "Block pending-2").click();
		await comes(chip("pending-2", "Blocked"), "something else is done");
		await comes(page.getByText(/^\d+ devices? waits? to be accepted/),
			"all that is pending is told of");
		await until(() => counts() > before, "and they are counted again");
		for (const id of ["pending-1", "pending-2"]) {
			await by("button", `Delete ${id}`).click();
			await inDialog("Delete").click();
			await goes(row(id), `${id} goes`);
		}
	},

	async "claimants"() {
		await pending("claimed", "blue");
		await poll("claimed", undefined, "another agent");
		await refresh();
		await comes(chip("claimed", "2 claimants"), "the list marks it");
		await by("button", "Accept claimed").click();
		await comes(dialog.getByText("2 claimants have asked"),
			"several claimants are told of before one is accepted");
		await comes(dialog.getByText("Sent a security token"), "and the token");
		await comes(dialog.getByText("another agent"), "and who they are");
		await view("claimants");
		await inDialog("Cancel").click();
	},

	async "credentials"() {
		await by("button", "Credentials").click();
		await comes(chip("pump-1", "Active"), "credentials are listed");
		await view("credentials");
		await by("button", "pump-1").click();
		await comes(dialog.getByText("t1/device_pump-1"), "there are details");
		await view("credential details");
		await page.keyboard.press("Escape");
		await by("button", "Rotate pump-1").click();
		await inDialog("Rotate").click();
		const secret = dialog.locator(".secret");
		await comes(secret, "a new password is shown");
		const device = { user: "t1/device_pump-1",
			password: await secret.innerText() };
		const login = async () => (await http(device, "GET",
			"/user/currentUser")).status;
		is(await login(), 200, "which the device can use");
		await view("password");
		const held = await secret.elementHandle();
		await page.keyboard.press("Escape");
		await goes(secret, "until it is closed");
		await until(async () => await held.textContent() === "",
			"and then it is wiped");
		ok(!(await page.content()).includes(device.password), "and nowhere else");
		await by("button", "Disable pump-1").click();
		await comes(chip("pump-1", "Disabled"), "a device can be disabled");
		await until(async () => await login() === 401, "so that it cannot log in");
		await by("button", "Enable pump-1").click();
		await comes(chip("pump-1", "Active"), "and enabled");
		await by("button", "Reopen delivery pump-1").click();
		await inDialog("Reopen delivery").click();
		await comes(page.getByText("pump-1: may ask once more"),
			"its delivery can be opened again");
		await by("button", "Revoke pump-1").click();
		await view("revoke");
		await inDialog("Revoke").click();
		await comes(page.getByText("No credentials have been issued."),
			"and its credentials taken away");
		await until(async () => await login() === 401, "for good");
		await by("button", "Requests").click();
	},

	async "activity"() {
		await by("button", "Activity").click();
		await comes(page.getByRole("img", { name: /^Refused: [1-9]\d* in 30 days/ }),
			"what happened is drawn");
		const now = (await http(told.admin, "GET", "/devcred/statistics")).data
			.days.at(-1);
		await comes(page.getByRole("img", { name: new RegExp(
			`^Waiting: ${now.waiting} now`) }), "and what waits");
		ok(now.waiting > 60 && now.pending > 0, "which something does");
		is(await page.locator(".bars").count(), 4,
			"waiting, pending, issued and refused");
		await comes(page.getByRole("cell", { name: "revoke", exact: true }),
			"what was decided is listed");
		await page.getByText("as a table").click();
		await comes(page.getByRole("columnheader", { name: "Refused" }),
			"the drawing is there as a table");
		await view("activity");
		await page.getByRole("button", { name: "Only pump-1" }).first().click();
		await comes(page.getByRole("cell", { name: /^accept$/ }),
			"of one device all of it is told");
		await comes(page.getByText("another security token"),
			"also what was refused");
		is(await page.getByRole("button", { name: /^Only (?!pump-1$)/ }).count(),
			0, "and of no other");
		await view("activity of a device");
		await page.getByLabel("Device id").fill("nobody");
		await comes(page.getByText("Nothing is known of"), "or that there is none");
		await page.getByLabel("Device id").fill("");
		await by("button", "Older").click();
		await until(async () => await page.locator("table[role] tbody tr").count()
			> 50, "older ones can be had");
		await by("button", "Requests").click();
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
		// the longer it was away, the longer a page waits
		await comes(page.locator(".banner"), "the page recovers by itself",
			{ state: "hidden", timeout: 120000 });
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
