// Documents that each differ from a good one in one thing.

import { Document } from './document.mjs';

// Yields [what was changed, the changed document] for each status, header,
// field and value of an answer, each parameter and type of a request that could
// be missing, and for a status and a field that nobody answers.
export function* spoiled(tree) {
	const document = new Document(tree);
	for (const [what, change] of changes(document)) {
		const copy = structuredClone(tree);
		change(new Document(copy));
		yield [what, copy];
	}
}

function* changes(document) {
	const places = new Set();
	const done = new Set();
	for (const { id, parameters, takes, responses } of
		[...document.operations, document.otherwise]) {
		for (const place of parameters.filter((one) =>
			document.at(one).in === 'query'))
			yield [`${place} by another name`,
				(copy) => { copy.at(place).name = 'another'; }];
		for (const media of document.below(takes).keys())
			yield [`${id} takes no ${media}`,
				(copy) => delete copy.at(takes)[media]];
		for (const status of Object.keys(document.at(responses)))
			yield [`${id} without ${status}`,
				(copy) => delete copy.at(responses)[status]];
		yield [`${id} with 418`,
			(copy) => { copy.at(responses)[418] = { description: 'x' }; }];
		for (const status of Object.keys(document.at(responses)))
			places.add(document.response({ responses }, status));
	}
	for (const place of places) {
		for (const name of document.below(`${place}/headers`).keys())
			yield [`${place} without ${name}`,
				(copy) => delete copy.at(`${place}/headers`)[name]];
		for (const there of document.below(`${place}/content`).values())
			yield* schemas(document, `${there}/schema`, done);
	}
}

function* schemas(document, place, done) {
	const schema = document.at(place);
	if (done.has(place))
		return;
	done.add(place);
	if (schema.$ref)
		yield* schemas(document, schema.$ref, done);
	if (schema.properties && schema.additionalProperties === false)
		yield* fields(place, Object.keys(schema.properties));
	for (const [i, one] of (schema.enum ?? []).entries())
		yield [`${place} without ${one}`,
			(copy) => copy.at(place).enum.splice(i, 1, 'another')];
	for (const name of Object.keys(schema.properties ?? {}))
		yield* schemas(document, `${place}/properties/${name}`, done);
	for (const i of (schema.oneOf ?? []).keys())
		yield* schemas(document, `${place}/oneOf/${i}`, done);
	if (schema.items)
		yield* schemas(document, `${place}/items`, done);
}

function* fields(place, names) {
	for (const name of names)
		yield [`${place} without ${name}`,
			(copy) => delete copy.at(place).properties[name]];
	yield [`${place} with another field`,
		(copy) => { copy.at(place).properties.another = {}; }];
}
