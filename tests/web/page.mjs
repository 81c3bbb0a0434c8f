// An administrator's day with the page; page.t starts it.

import { finish, is, ok } from "./browser.mjs";
import { page, reload, seen, told } from "./site.mjs";
import { requests } from "./requests.mjs";
import { rest } from "./rest.mjs";

for (const [name, step] of Object.entries({ ...requests, ...rest })) {
	try {
		await step();
	} catch (error) {
		ok(false, name, error.stack);
		if (told.screenshots) {
			await page.screenshot({ path: `${told.screenshots}/failed-${
				name.replace(/\W+/g, "-")}.png` });
		}
		await reload().catch(() => {});
	}
	is(seen.complaints.splice(0).join("\n"), "", `${name}: no errors`);
}
await seen.browser.close();
finish();
