// An administrator's day, first part: requests, one and many.

import { comes, goes, is, ok, until } from "./browser.mjs";
import { by, chip, dialog, expecting, filterBy, inDialog, page, pending, poll,
	refresh, register, row, signIn, told, view } from "./site.mjs";

export const requests = {
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
		await by("button", "Block pump-1").focus();
		is((await poll("pump-1", "blue 42")).status, 404, "the device asks");
		await comes(chip("pump-1", "Pending"), "the page learns of it by itself");
		await comes(chip("pump-1", "Token"), "that it sent a token");
		await comes(row("pump-1").getByText("127.0.0.1"), "and from where");
		ok(await by("button", "Block pump-1").evaluate((node) =>
			node === document.activeElement), "and leaves the focus where it was");
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
		await filterBy("", "");
		await by("button", "Show what is pending").click();
		await until(async () => {
			const shown = await page.locator("tbody .chip:first-child")
				.allInnerTexts();
			return shown.length > 0 && shown.every((text) => /Pending/.test(text));
		}, "what is pending is told of, and shown");
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
};
