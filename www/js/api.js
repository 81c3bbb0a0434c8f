// The service. Who is signed in is known to this module alone, and for as long
// as the page is open: it is in no storage and in no address.

let session = null;

// Where the page is, the service is too: "/", or a prefix (path_prefix).
const BASE = new URL(".", location.href).pathname;
const ME = `${BASE}user/currentUser`;
export const REQUESTS = `${BASE}devicecontrol/newDeviceRequests`;
export const BULK = `${BASE}devicecontrol/bulkNewDeviceRequests`;
export const CLAIMED = `${BASE}devcred/newDeviceRequests`;
export const CREDENTIALS = `${BASE}devcred/credentials`;
export const AUDIT = `${BASE}devcred/audit`;
export const STATISTICS = `${BASE}devcred/statistics`;
const PATIENCE = 20000;		// ms until an answer is given up

// A refusal of the service, or that there was no answer (status 0).
export class Failure extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

// What is said where the service itself says nothing better.
const WORDS = {
	0: "The service cannot be reached.",
	401: "The user or the password is wrong, or the user was disabled.",
	403: "This login may not do that.",
	404: "There is no such thing, or not any more.",
	413: "That is more than the service takes.",
	414: "This id is longer than the web server lets through; its "
		+ "configuration has a limit for that.",
	502: "The web server is there, but the service behind it is not.",
	503: "The service or its database is not available right now.",
	504: "The service did not answer in time.",
};

function failure(status, data) {
	const message = status === 401 ? WORDS[401]
		: data?.message ?? WORDS[status]
		?? `The service answered with status ${status}.`;
	return new Failure(status, message);
}

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;	// a page of the web server, or nothing
	}
}

function basic(user, password) {
	const bytes = new TextEncoder().encode(`${user}:${password}`);
	return `Basic ${btoa(Array.from(bytes,
		(byte) => String.fromCharCode(byte)).join(""))}`;
}

async function ask(authorization, method, path, body) {
	let answer, text;
	try {
		answer = await fetch(path, {
			method,
			headers: {
				Authorization: authorization,
				Accept: "application/json",
				...(body && { "Content-Type": "application/json" }),
			},
			body: body && JSON.stringify(body),
			// "omit": the browser is not to ask for a password itself
			credentials: "omit",
			cache: "no-store",
			redirect: "error",
			referrerPolicy: "no-referrer",
			signal: AbortSignal.timeout(PATIENCE),
		});
		text = await answer.text();
	} catch {
		throw failure(0);
	}
	const data = parsed(text);
	if (!answer.ok) {
		throw failure(answer.status, data);
	}
	return data;
}

// Sign in; returns who it is. Whoever may not see requests is not let in.
export async function signIn(user, password) {
	const authorization = basic(user, password);
	const me = await ask(authorization, "GET", ME);
	if (!me?.userName) {
		throw new Failure(0, "This is not answered by devcred: the web server "
			+ "does not hand /user to the service.");
	}
	const roles = new Set((me.effectiveRoles ?? []).map((role) => role.id));
	const admin = roles.has("ROLE_DEVICE_CONTROL_ADMIN");
	if (!admin && !roles.has("ROLE_DEVICE_CONTROL_READ")) {
		throw new Failure(403, "The password is right, but this login may not "
			+ "see device requests. It needs the role ADMIN or READ.");
	}
	session = {
		authorization,
		name: `${me.tenantId}/${me.userName}`,
		tenant: me.tenantId,
		management: me.tenantId === "management",
		admin,
	};
	return session;
}

export function signOut() {
	session = null;
}

export function who() {
	return session;
}

let expired = () => {};

// Have this called when the service does not know the login any more.
export function onExpired(listener) {
	expired = listener;
}

function seen(error, asked) {
	if (error.status === 401 && session === asked) {
		signOut();
		expired();
	}
	return error;
}

export async function call(method, path, body) {
	const asked = session;
	if (!asked) {
		throw failure(401);
	}
	try {
		return await ask(asked.authorization, method, path, body);
	} catch (error) {
		throw seen(error, asked);
	}
}

export function pathOf(collection, id) {
	return `${collection}/${encodeURIComponent(id)}`;
}

// Send a file. fetch() does not tell how far it is, XMLHttpRequest does;
// progress(sent, total) is called as it goes, with a signal to stop it.
export async function upload(path, file, progress, signal) {
	// XMLHttpRequest would let the browser ask for a password after a 401
	await call("GET", ME);
	const asked = session;
	return new Promise((resolve, reject) => {
		const request = new XMLHttpRequest();
		const form = new FormData();
		form.append("file", file);
		request.open("POST", path);
		request.setRequestHeader("Authorization", asked.authorization);
		request.setRequestHeader("Accept", "application/json");
		request.upload.addEventListener("progress", (event) => {
			progress(event.loaded, event.lengthComputable ? event.total : 0);
		});
		request.addEventListener("load", () => {
			const data = parsed(request.responseText);
			if (request.status >= 200 && request.status < 300 && data) {
				resolve(data);
			} else {
				reject(seen(failure(request.status, data), asked));
			}
		});
		request.addEventListener("error", () => reject(failure(0)));
		request.addEventListener("abort", () => reject(new Failure(0,
			"Stopped. What was read before may have been registered.")));
		signal.addEventListener("abort", () => request.abort());
		request.send(form);
	});
}
