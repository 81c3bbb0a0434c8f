// Holds recorded exchanges against the document, in both directions.

import { namer } from './document.mjs';

// Headers that web servers put into every answer.
const OF_SERVERS = ['connection', 'content-length', 'content-type', 'date',
	'keep-alive', 'server', 'transfer-encoding'];
// What stands behind a type, as web servers may spell it.
const OF_JSON = /^;\s*charset=utf-8;\s*ver=0\.9$/i;
const OF_TEXT = /^;\s*(?:version=0\.0\.4;\s*)?charset=utf-8$/i;

// Head and body of a request or an answer, of which every byte is a character.
function parse(text) {
	const end = text.indexOf('\r\n\r\n');
	const [first, ...lines] = text.slice(0, end).split('\r\n');
	return {
		first,
		headers: lines.map((line) => {
			const colon = line.indexOf(':');
			return [line.slice(0, colon).toLowerCase(),
				line.slice(colon + 1).trim()];
		}),
		header(name) {
			return this.headers.find(([key]) => key === name)?.[1];
		},
		body: Buffer.from(text.slice(end + 4), 'latin1').toString('utf8'),
	};
}

// Exchanges from a log: a line of JSON for each.
export function read(log) {
	return log.trim().split('\n').map((line) => {
		const { status, request, answer } = JSON.parse(line);
		return { status, request: parse(request), answer: parse(answer) };
	});
}

// A value in text, as its schema has it.
function typed(document, place, text) {
	const { type } = document.at(document.follow(`${place}/schema`));
	if (type === 'integer')
		return Number(text);
	return type === 'boolean' ? JSON.parse(text) : text;
}

// A body as the value that its schema is about.
function valueOf(media, message) {
	if (media.endsWith('json'))
		return JSON.parse(message.body);
	if (media === 'multipart/form-data')
		return Object.fromEntries([...message.body.matchAll(
			/^Content-Disposition: form-data; name="?(\w+)"?[^]*?\r\n\r\n([^]*?)\r\n--/gm)]
			.map(([, name, value]) => [name, value]));
	return message.body;
}

// The type of a Content-Type as it is documented, and where; undefined if it
// is not.
function mediaOf(document, place, header) {
	const type = header.replace(/\s*;.*/, '').toLowerCase();
	const all = [...document.below(place)];
	return all.find(([media]) => media.toLowerCase() === type)
		?? all.find(([media]) => media === '*/*') ?? [type, undefined];
}

// Yields what is wrong with an answer; calls add with what it shows.
function* judgeAnswer(document, operation, exchange, add) {
	const { status, answer } = exchange;
	const place = document.response(operation, status);
	if (!place) {
		yield `status ${status} is not documented`;
		return;
	}
	add(`${status}`);
	const documented = document.below(`${place}/headers`);
	for (const [name, there] of documented) {
		const value = answer.header(name.toLowerCase());
		if (value === undefined) {
			if (document.at(there).required)
				yield `${status} has no header ${name}`;
			continue;
		}
		const fault = document.fault(`${there}/schema`,
			typed(document, there, value));
		if (fault)
			yield `${status} has ${name}: ${value}, but ${fault}`;
		document.header(status, name, there, value, add);
	}
	const known = [...documented.keys()].map((name) => name.toLowerCase());
	for (const [name] of answer.headers)
		if (!known.includes(name) && !OF_SERVERS.includes(name))
			yield `${status} has a header ${name}, which is not documented`;
	yield* judgeBody(document, place, exchange, add);
}

function* judgeBody(document, place, { status, request, answer }, add) {
	const content = document.below(`${place}/content`);
	const type = answer.header('content-type');
	if (type === undefined) {
		if (answer.body !== '')
			yield `${status} has a body without a type`;
		const may = document.at(place)['x-empty-without-accept']
			&& request.header('accept') === undefined;
		if (content.size > 0 && !may)
			yield `${status} has no body`;
		if (may)
			add(`${status} without a body`);
		return;
	}
	const [media, there] = mediaOf(document, `${place}/content`, type);
	if (!there) {
		yield `${status} has a body of ${media}, which is not documented`;
		return;
	}
	if (!(media.endsWith('json') ? OF_JSON : OF_TEXT)
		.test(type.slice(media.length)))
		yield `${status} has Content-Type: ${type}`;
	if (request.first.startsWith('HEAD ')) {
		if (answer.body !== '')
			yield 'HEAD has a body';
		return;
	}
	let value;
	try {
		value = valueOf(media, answer);
	} catch (error) {
		yield `${status} has a body that is not JSON: ${error.message}`;
		return;
	}
	const fault = document.fault(`${there}/schema`, value);
	if (fault)
		yield `${status} has a body that is not as documented: ${fault}\n${
			answer.body.slice(0, 500)}\n`;
	document.content(`${status} ${media}`, there, value, add);
}

// The same for a request that was granted: it, too, must be as documented.
function* judgeRequest(document, operation, request, query, add) {
	const parameters = new Map(operation.parameters.map((place) =>
		[document.at(place).name, place]));
	for (const [name, text] of query) {
		const place = parameters.get(name);
		if (!place) {
			yield `parameter ${name} is not documented`;
			continue;
		}
		const value = typed(document, place, text);
		const fault = document.fault(`${place}/schema`, value);
		if (fault)
			yield `parameter ${name} is granted as ${text}, but ${fault}`;
		document.parameter(place, value, add);
	}
	const type = request.header('content-type');
	if (!operation.takes || type === undefined)
		return;
	const [media, there] = mediaOf(document, operation.takes, type);
	if (!there) {
		yield `a body of ${media} is granted, which is not documented`;
		return;
	}
	const value = valueOf(media, request);
	// SmartREST says in its answer that it does not like a text
	const fault = typeof value === 'string' ? ''
		: document.fault(`${there}/schema`, value);
	if (fault)
		yield `a body is granted that is not as documented: ${fault}\n${
			request.body.slice(0, 500)}\n`;
	document.taken(media, there, value, add);
}

// A path allows exactly the methods that are documented for it.
function* judgeAllow(document, path, answer) {
	const methods = new Set(document.matching(path).map(({ method }) => method));
	if (methods.has('GET'))
		methods.add('HEAD');
	const allow = answer.header('allow') ?? '';
	if (allow.split(', ').sort().join() !== [...methods].sort().join())
		yield `405 allows ${allow}, but documented are ${[...methods]}`;
}

function* judgeExchange(document, exchange, see) {
	const { request } = exchange;
	const [sent, target] = request.first.split(' ');
	const [path, query] = target.split('?');
	const instead = request.header('x-http-method') ?? '';
	const method = sent === 'HEAD' ? 'GET' : sent === 'POST'
		&& /^(?:PUT|DELETE)$/i.test(instead) ? instead.toUpperCase() : sent;
	const operation = exchange.status === 405 ? document.otherwise
		: document.find(method, path);
	const add = namer(operation.id, see);
	const parameters = [...new URLSearchParams(query)];
	const place = operation.parameters.find((one) =>
		document.at(one).in === 'path');
	if (place)
		parameters.push([document.at(place).name,
			decodeURIComponent(path.split('/').pop())]);
	for (const fault of judgeAnswer(document, operation, exchange, add))
		yield `${operation.id}: ${fault} (${request.first.slice(0, 200)})`;
	if (exchange.status < 300)
		for (const fault of judgeRequest(document, operation, request,
			parameters, add))
			yield `${operation.id}: ${fault} (${request.first.slice(0, 200)})`;
	if (exchange.status === 405)
		yield* judgeAllow(document, path, exchange.answer);
}

// Yields every difference between the document and what happened: first what
// is answered and not documented, then what is documented and not answered.
export function* differences(document, exchanges) {
	const seen = new Set();
	for (const exchange of exchanges)
		for (const fault of judgeExchange(document, exchange,
			(name) => seen.add(name)))
			yield { undocumented: fault };
	for (const promise of document.promises())
		if (!seen.has(promise))
			yield { unseen: promise };
}
