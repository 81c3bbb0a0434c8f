// What an OpenAPI document says, in the form in which exchanges can be held
// against it.  A "place" is a JSON pointer into the document ("#/paths/...").

import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

export const ANY = Symbol('whatever a schema allows');
const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
// for what belongs to no operation
const OTHERWISE = 'otherwise';

const escaped = (name) => name.replaceAll('~', '~0').replaceAll('/', '~1');
const unescaped = (name) => name.replaceAll('~1', '/').replaceAll('~0', '~');
const isObject = (value) => typeof value === 'object' && value !== null
	&& !Array.isArray(value);

export class Document {
	#found = new Map();
	#validators = new Map();

	constructor(tree) {
		this.tree = tree;
		// the linter looks at the schemas; most are compiled for little use
		this.ajv = new Ajv({ strict: false, validateSchema: false,
			code: { optimize: false } });
		formats.default(this.ajv);
		this.ajv.addSchema(tree, 'document');
		this.operations = [];
		for (const [path, item] of Object.entries(tree.paths))
			for (const method of METHODS.filter((name) => item[name]))
				this.operations.push(this.#operation(path, method));
		this.otherwise = { id: OTHERWISE, method: '', path: '',
			parameters: [], responses: '#/x-otherwise' };
	}

	#operation(path, method) {
		const place = `#/paths/${escaped(path)}/${method}`;
		const here = this.at(place);
		const above = this.tree.paths[path].parameters ?? [];
		return {
			id: here.operationId, method: method.toUpperCase(), path, place,
			parameters: [
				...above.map((_, i) =>
					`#/paths/${escaped(path)}/parameters/${i}`),
				...(here.parameters ?? []).map((_, i) =>
					`${place}/parameters/${i}`),
			],
			takes: here.requestBody && `${place}/requestBody/content`,
			responses: `${place}/responses`,
			roles: here['x-roles'],
		};
	}

	// What stands at a place; it may not become something else.
	at(place) {
		if (!this.#found.has(place))
			this.#found.set(place, place.split('/').slice(1).map(unescaped)
				.reduce((tree, name) => tree?.[name], this.tree));
		return this.#found.get(place);
	}

	// Where a reference in the end leads to.
	follow(place) {
		const there = this.at(place)?.$ref;
		return there ? this.follow(there) : place;
	}

	// The place of a response; undefined if the status is not documented.
	response(operation, status) {
		const place = `${operation.responses}/${status}`;
		return this.at(place) && this.follow(place);
	}

	// Places by name of what stands below a place: headers, media types.
	// There may be no such place.
	below(place) {
		const names = Object.keys((place && this.at(place)) ?? {});
		return new Map(names.map((name) =>
			[name, this.follow(`${place}/${escaped(name)}`)]));
	}

	// What is wrong with a value; '' if nothing is.
	fault(place, value) {
		if (!this.#validators.has(place)) {
			const $ref = `document${place.replaceAll('%', '%25')
				.replaceAll('{', '%7B').replaceAll('}', '%7D')}`;
			this.#validators.set(place, this.ajv.compile({ $ref }));
		}
		const validate = this.#validators.get(place);
		return validate(value) ? '' : validate.errors.map((error) =>
			`${error.instancePath} ${error.message} ${
				JSON.stringify(error.params)}`.trim()).join(', ');
	}

	// Call add with a name for each field, value of an enumeration and
	// alternative that a value has, or of all that there can be (ANY).  Values
	// are named by their place, as it is enough to see each once.
	parts(place, value, add, path = '') {
		const schema = this.at(place);
		if (schema.$ref)
			this.parts(schema.$ref, value, add, path);
		for (const one of schema.enum ?? [])
			if (value === ANY || value === one)
				add(`${place} = ${one}`, true);
		for (const [i, one] of (schema.oneOf ?? []).entries()) {
			const there = `${place}/oneOf/${i}`;
			if (value !== ANY && this.fault(there, value))
				continue;
			add(`${path} as "${one.title}"`);
			this.parts(there, value, add, path);
		}
		for (const name of Object.keys(schema.properties ?? {})) {
			if (value !== ANY && !(isObject(value) && name in value))
				continue;
			add(`${path}.${name}`);
			this.parts(`${place}/properties/${escaped(name)}`,
				value === ANY ? ANY : value[name], add,
				`${path}.${name}`);
		}
		if (schema.items) {
			const items = value === ANY ? [ANY]
				: Array.isArray(value) ? value : [];
			for (const item of items)
				this.parts(`${place}/items`, item, add, `${path}[]`);
		}
	}

	// Which operation a request is for.
	find(method, path) {
		return this.matching(path).find((operation) =>
			operation.method === method) ?? this.otherwise;
	}

	// Operations at a path, those whose path is spelled out first.
	matching(path) {
		const wanted = path.replace(/(.)\/$/, '$1').split('/');
		const rank = (operation) => operation.path.includes('{') ? 1 : 0;
		return this.operations.filter((operation) => {
			const named = operation.path.split('/');
			return named.length === wanted.length && named.every(
				(name, i) => name === wanted[i]
					|| (/^{.*}$/.test(name) && wanted[i] !== ''));
		}).sort((a, b) => rank(a) - rank(b));
	}

	// Names of all that is to be seen, as judge() gives them to what it sees.
	promises() {
		const all = new Set();
		for (const operation of [...this.operations, this.otherwise]) {
			const add = namer(operation.id, (name) => all.add(name));
			for (const place of operation.parameters)
				this.parameter(place, ANY, add);
			for (const [media, place] of this.below(operation.takes))
				this.taken(media, place, ANY, add);
			for (const status of Object.keys(this.at(operation.responses)))
				this.#answers(operation, status, add);
		}
		return all;
	}

	#answers(operation, status, add) {
		const place = this.response(operation, status);
		add(status);
		if (this.at(place)['x-empty-without-accept'])
			add(`${status} without a body`);
		for (const [name, there] of this.below(`${place}/headers`))
			this.header(status, name, there, ANY, add);
		for (const [media, there] of this.below(`${place}/content`))
			this.content(`${status} ${media}`, there, ANY, add);
	}

	parameter(place, value, add) {
		add(`parameter ${this.at(place).name}`);
		this.parts(`${place}/schema`, value, add);
	}

	header(status, name, place, value, add) {
		add(`${status} header ${name}`);
		this.parts(`${place}/schema`, value, add);
	}

	// A field is a field, whichever of the types a body is sent as.
	taken(media, place, value, add) {
		add(`takes ${media}`);
		this.fields('takes', place, value, add);
	}

	content(what, place, value, add) {
		add(what);
		this.fields(what, place, value, add);
	}

	fields(what, place, value, add) {
		this.parts(`${place}/schema`, value,
			(name, global) => add(global ? name : `${what} ${name}`, global));
	}
}

// A function that gives names to what belongs to an operation; places in the
// document have names already.
export function namer(id, add) {
	return (name, global) => add(global ? name : `${id} ${name}`);
}
