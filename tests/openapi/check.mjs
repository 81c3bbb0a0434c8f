// Holds a log of exchanges (JSON lines: request and answer as bytes, status)
// against doc/openapi.yaml.  Speaks TAP.
//
//     node check.mjs DOCUMENT LOG OPERATIONS
//
// OPERATIONS is JSON: what the source has as operations.

import fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import YAML from 'yaml';
import { Document } from './document.mjs';
import { differences, read } from './judge.mjs';
import { spoiled } from './spoil.mjs';

const [documentPath, logPath, operationsPath] = process.argv.slice(2);
const tree = YAML.parse(fs.readFileSync(documentPath, 'utf8'));
const exchanges = read(fs.readFileSync(logPath, 'utf8'));
const inSource = JSON.parse(fs.readFileSync(operationsPath, 'utf8'));

let count = 0;
function none(faults, name) {
	count++;
	console.log(`${faults.length ? 'not ok' : 'ok'} ${count} - ${name}`);
	for (const fault of faults)
		console.log(fault.replace(/^/gm, '# '));
}

const document = new Document(tree);
const found = [...differences(document, exchanges)];
none(found.map((one) => one.undocumented).filter(Boolean),
	`nothing is answered that is not documented (${exchanges.length} exchanges)`);
none(found.map((one) => one.unseen).filter(Boolean),
	`all that is documented is seen (${document.promises().size} things)`);

const described = new Map(document.operations.map(
	({ id, method, path, roles }) => [id, { method, path, roles }]));
for (const [id, operation] of Object.entries(inSource)) {
	const told = described.get(id);
	none(isDeepStrictEqual(told, operation) ? [] : [
		`document: ${JSON.stringify(told)}`,
		`source:   ${JSON.stringify(operation)}`],
		`${id} has the method, path and roles that it is documented with`);
	described.delete(id);
}
none([...described.keys()], 'no other operation is documented');

// Could the first two fail?  Every small change to the document must be found.
const unnoticed = [];
let changes = 0;
for (const [change, changed] of spoiled(tree)) {
	changes++;
	if (differences(new Document(changed), exchanges).next().done)
		unnoticed.push(change);
}
none(unnoticed, `any of ${changes} changes to the document is noticed`);
console.log(`1..${count}`);
