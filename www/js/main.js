// The page: who is signed in, and which part of it is shown.

import { el, fill, button, field } from "./dom.js";
import { signIn, signOut, who, onExpired } from "./api.js";
import { requestsView } from "./requests.js";
import { bulkView } from "./bulk.js";
import { credentialsView } from "./credentials.js";
import { activityView } from "./activity.js";

const top = document.getElementById("top");
const main = document.getElementById("main");
let shown = null;
let kept = {};		// views that go on while another one is shown

const VIEWS = {
	requests: ["Requests", requestsView],
	bulk: ["Upload", bulkView, true],
	credentials: ["Credentials", credentialsView],
	activity: ["Activity", activityView],
};

function brand() {
	return el("span", { class: "brand" },
		el("img", { src: "icon.svg", alt: "", width: 28, height: 28 }),
		"devcred");
}

function show(name) {
	shown?.stop();
	const [text, make, keep] = VIEWS[name];
	shown = kept[name] ?? make();
	if (keep) {
		kept[name] = shown;
	}
	for (const tab of top.querySelectorAll("nav button")) {
		if (tab.dataset.view === name) {
			tab.setAttribute("aria-current", "page");
		} else {
			tab.removeAttribute("aria-current");
		}
	}
	document.title = `${text} \u2013 devcred`;
	fill(main, shown.node);
	shown.start();
}

function enter() {
	const tab = (name, properties) => button(VIEWS[name][0],
		() => show(name), { "data-view": name, ...properties });
	fill(top, brand(),
		el("nav", { "aria-label": "Sections" }, tab("requests"),
			tab("bulk", { hidden: !who().admin }), tab("credentials"),
			tab("activity")),
		el("div", { class: "session" },
			el("bdi", { class: "id" }, who().name),
			button("Sign out", () => leave("You have signed out."),
				{ class: "plain" })));
	show("requests");
	main.focus();
}

function leave(message) {
	shown?.stop();
	shown = null;
	for (const view of Object.values(kept)) {
		view.end();
	}
	kept = {};
	signOut();
	for (const dialog of document.querySelectorAll("dialog")) {
		dialog.close();
	}
	signInForm(message);
}

function signInForm(message) {
	const user = el("input", {
		autocomplete: "username", spellcheck: false, autocapitalize: "none",
	});
	const password = el("input", {
		type: "password", autocomplete: "current-password",
	});
	const problem = el("p", {
		class: "problem", role: "alert", hidden: true,
	});
	const go = el("button", { type: "submit", class: "primary" }, "Sign in");
	const tell = (text, control) => {
		fill(problem, text);
		problem.hidden = false;
		control.focus();
	};
	fill(top);
	document.title = "Sign in \u2013 devcred";
	fill(main, el("section", { class: "sign-in",
		"aria-labelledby": "sign-in-title" },
	brand(),
	el("h1", { id: "sign-in-title" }, "Sign in"),
	message && el("p", { class: "quiet", role: "status" }, message),
	el("form", {
		method: "post",		// never into the address
		noValidate: true,
		async onsubmit(event) {
			event.preventDefault();
			problem.hidden = true;
			if (user.value === "" || password.value === "") {
				tell("User and password are needed.",
					user.value === "" ? user : password);
				return;
			}
			go.disabled = true;
			try {
				await signIn(user.value.trim(), password.value);
				password.value = "";
				enter();
			} catch (error) {
				go.disabled = false;
				password.value = "";
				tell(error.message, password);
			}
		},
	},
	field("User", user, "tenant/user, as in t1/admin"),
	field("Password", password),
	problem, go),
	el("p", { class: "quiet small-print" }, "Nothing is stored: signing in "
		+ "lasts until this page is closed or loaded again.")));
	user.focus();
}

onExpired(() => leave("The service does not take this login any more. "
	+ "Please sign in again."));
// a file that misses its place is not to replace the page
for (const name of ["dragover", "drop"]) {
	document.addEventListener(name, (event) => event.preventDefault());
}
signInForm();
