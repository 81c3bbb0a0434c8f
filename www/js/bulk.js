// Many devices from one CSV file: dropped, or chosen.

import { el, fill, button, idText, say } from "./dom.js";
import { upload, BULK } from "./api.js";

const MOST = 64 * 1024 * 1024;

function size(bytes) {
	return bytes < 1024 ? `${bytes} bytes`
		: bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB`
		: `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

export function bulkView() {
	let running = null;

	const input = el("input", {
		type: "file", accept: ".csv,.tsv,.txt,text/csv",
		class: "unseen", id: "bulk-file",
		onchange: () => {
			const [file] = input.files;
			if (file) {
				send(file);
			}
			input.value = "";
		},
	});
	const drop = el("div", {
		class: "drop",
		ondragover: (event) => {
			event.preventDefault();
			drop.classList.add("over");
		},
		ondragleave: () => drop.classList.remove("over"),
		ondrop: (event) => {
			event.preventDefault();
			drop.classList.remove("over");
			const files = event.dataTransfer.files;
			if (files.length === 1) {
				send(files[0]);
			} else if (files.length > 1) {
				problem("One file at a time, please.");
			}
		},
	}, input, el("p", null, "Drop a CSV file here"),
	el("label", { htmlFor: "bulk-file", class: "button primary" },
		"Choose a file"));
	const result = el("div", { class: "bulk-result" });

	function warn(event) {
		event.preventDefault();
	}

	function problem(message) {
		fill(result, el("p", { class: "problem", role: "alert" }, message));
	}

	async function send(file) {
		if (running) {
			say("Another file is being sent.");
			return;
		}
		if (file.size > MOST) {
			problem(`${file.name} has ${size(file.size)}; 64 MiB is the most. `
				+ "Divide it, with the header line in each part.");
			return;
		}
		const bar = el("progress", {
			max: 1, value: 0, "aria-label": `Sending ${file.name}`,
		});
		const text = el("p", { class: "quiet" }, `Sending ${file.name}`);
		running = new AbortController();
		addEventListener("beforeunload", warn);
		fill(result, el("div", { class: "sending" }, text, bar,
			button("Stop", () => running?.abort())));
		say(`Sending ${file.name}`);
		let reading;
		const read = () => {
			// how far it is, is not known: how long it takes, is
			const start = Date.now();
			const show = () => fill(text, "Sent. The service reads it \u2026 ",
				`${Math.round((Date.now() - start) / 1000)} s`);
			bar.removeAttribute("value");
			show();
			reading = setInterval(show, 1000);
		};
		try {
			const answer = await upload(BULK, file, (sent, total) => {
				if (total > 0) {
					bar.value = sent / total;
				}
				if (sent >= total) {
					reading ?? read();
				} else {
					fill(text, `${size(sent)} of ${size(total)} sent`);
				}
			}, running.signal);
			show(file.name, answer);
		} catch (error) {
			problem(error.message);
		}
		clearInterval(reading);
		running = null;
		removeEventListener("beforeunload", warn);
	}

	function number(name, value) {
		return el("div", null, el("dt", null, name),
			el("dd", null, String(value ?? 0)));
	}

	function show(name, answer) {
		const failed = (answer.failedCreationList ?? [])
			.sort((a, b) => a.line - b.line);
		const renewed = answer.credentialUpdatedList ?? [];
		const title = el("h2", { tabIndex: -1 }, "Result: ", idText(name));
		fill(result, title,
			el("dl", { class: "numbers" },
				number("Lines", answer.numberOfAll),
				number("Created", answer.numberOfCreated),
				number("Renewed", (answer.numberOfSuccessful ?? 0)
					- (answer.numberOfCreated ?? 0)),
				number("Failed", answer.numberOfFailed)),
			failed.length > 0 && [
				el("h3", null, "Lines that failed"),
				answer.numberOfFailed > failed.length && el("p", {
					class: "quiet",
				}, `The first ${failed.length} of ${answer.numberOfFailed}.`),
				el("div", { class: "frame", tabIndex: 0, role: "region",
					"aria-label": "Lines that failed" }, failures(failed)),
			],
			renewed.length > 0 && [
				el("h3", null, "Devices with new credentials"),
				el("ul", { class: "results", tabIndex: 0,
					"aria-label": "Devices with new credentials" },
				renewed.map((one) => el("li", null, idText(one.deviceId)))),
			]);
		if (title.isConnected) {
			title.focus();
		}
		say(`${answer.numberOfSuccessful} done, ${
			answer.numberOfFailed} failed`);
	}

	function failures(list) {
		return el("table", { class: "plain-table" },
			el("thead", null, el("tr", null, ["Line", "Id", "Reason"]
				.map((name) => el("th", { scope: "col" }, name)))),
			el("tbody", null, list.map((one) => el("tr", null,
				el("td", { class: "line" }, String(one.line)),
				el("td", null, one.deviceId ? idText(one.deviceId) : "\u2013"),
				el("td", null, one.failureReason)))));
	}

	const node = el("section", { "aria-labelledby": "bulk-title" },
		el("div", { class: "head" },
			el("h1", { id: "bulk-title" }, "Register many devices")),
		drop,
		el("details", { class: "help" },
			el("summary", null, "What the file looks like"),
			el("p", null, "A header line, then a line for each device. The "
				+ "separator is a tab, a semicolon or a comma. A column ID is "
				+ "needed; TYPE and, for users of management, TENANT are "
				+ "understood, and other columns are kept as properties."),
			el("pre", { tabIndex: 0, "aria-label": "Example" },
				"ID;TYPE;SITE\npump-0001;c8y_Pump;North\n"
				+ "pump-0002;c8y_Pump;South"),
			el("p", null, "With a column CREDENTIALS (8 to 32 visible "
				+ "characters) devices can log in at once, as device_ and "
				+ "their id. Lines that fail do not keep the others back.")),
		result);
	// sending goes on while another view is shown
	return { node, start() {}, stop() {}, end: () => running?.abort() };
}
