// The vendor's own client (@c8y/client) does what it is made for, against the
// service behind a real web server.  Speaks TAP.  Standard input has, as
// JSON, the address and the logins.

'use strict';
const fs = require('node:fs');
const assert = require('node:assert/strict');
const { BasicAuth, Client, DeviceRegistrationBulkService,
	DeviceRegistrationService, FetchClient } =
	require('@c8y/client');

const site = JSON.parse(fs.readFileSync(0, 'utf8'));
const stamp = process.pid;
let count = 0;
let failed = 0;

function service(login) {
	const auth = new BasicAuth({ tenant: login.tenant, user: login.user,
		password: login.password });
	return new DeviceRegistrationService(new FetchClient(auth, site.url));
}
const admin = service(site.admin);
const bulk = new DeviceRegistrationBulkService(admin.client);
const file = (text) => Buffer.from(text);
const bootstrap = { basicAuth: { user: site.bootstrap.login,
	pass: site.bootstrap.password } };

async function check(name, steps) {
	count++;
	try {
		await steps();
		console.log(`ok ${count} - ${name}`);
	} catch (error) {
		failed++;
		console.log(`not ok ${count} - ${name}`);
		const told = error.res
			? `status ${error.res.status} ${JSON.stringify(error.data)}`
			: error.stack;
		console.log(told.replace(/^/gm, '# '));
	}
}

// Its promise is broken, with this status and words of the message.
async function refused(promise, status, words) {
	try {
		await promise;
	} catch (error) {
		if (!error.res)
			throw error;
		assert.equal(error.res.status, status);
		assert.match(error.data.message, words);
		return;
	}
	assert.fail('it was not refused');
}

async function pending(id, token) {
	await admin.create({ id });
	const asked = token === undefined ? id : { id, securityToken: token };
	await refused(admin.bootstrap(asked, bootstrap), 404, /PENDING_ACCEPTANCE/);
}

async function main() {
	const id = `client-${stamp}`;
	await check('create', async () => {
		const { data, res } = await admin.create({ id, type: 'c8y_Test',
			customProperties: { a: 1 } });
		assert.equal(res.status, 201);
		assert.equal(data.status, 'WAITING_FOR_CONNECTION');
		assert.deepEqual(data.customProperties, { a: 1 });
	});
	await check('create of what is there already', () =>
		refused(admin.create({ id }), 422, /already exists/));
	await check('detail', async () => {
		const { data } = await admin.detail(id);
		assert.equal(data.id, id);
	});
	await check('detail of an id that has to be encoded', async () => {
		const odd = `ü%?#&-${stamp}`;
		await admin.create({ id: odd });
		assert.equal((await admin.detail(odd)).data.id, odd);
		await admin.delete(odd);
		await refused(admin.detail(odd), 404, /Could not find/);
	});
	await check('accept before the device asked', () =>
		refused(admin.accept(id), 422, /WAITING_FOR_CONNECTION/));
	await check('bootstrap before it is accepted', () =>
		refused(admin.bootstrap(id, bootstrap), 404, /PENDING_ACCEPTANCE/));
	await check('accept', async () => {
		const { data } = await admin.accept(id);
		assert.equal(data.status, 'ACCEPTED');
	});
	let issued;
	await check('bootstrap', async () => {
		const { data, res } = await admin.bootstrap(id, bootstrap);
		assert.equal(res.status, 201);
		assert.equal(data.username, `device_${id}`);
		assert.match(data.password, /^[A-Za-z0-9]{32}$/);
		issued = data;
	});
	await check('authenticate with the credentials issued', async () => {
		const client = await Client.authenticate({ tenant: issued.tenantId,
			user: issued.username, password: issued.password }, site.url);
		assert.equal(client.core.tenant, issued.tenantId);
	});
	await check('authenticate with others', async () => {
		await assert.rejects(Client.authenticate({ tenant: issued.tenantId,
			user: issued.username, password: 'wrong' }, site.url));
	});
	await check('bootstrap once more', () =>
		refused(admin.bootstrap(id, bootstrap), 404, /There is no newDeviceRequest/));

	await check('accept with a token', async () => {
		const secret = `client-token-${stamp}`;
		await pending(secret, 'sesame');
		await refused(admin.accept(secret), 422, /security key does not match/);
		await refused(admin.accept({ id: secret, securityToken: 'x' }), 422,
			/security key does not match/);
		const { data } = await admin.accept({ id: secret,
			securityToken: 'sesame' });
		assert.equal(data.status, 'ACCEPTED');
		const { res } = await admin.bootstrap({ id: secret,
			securityToken: 'sesame' }, bootstrap);
		assert.equal(res.status, 201);
	});
	await check('list, page by page', async () => {
		const wanted = [];
		for (let i = 0; i < 7; i++) {
			wanted.push(`client-list-${stamp}-${i}`);
			await admin.create({ id: wanted[i] });
		}
		const seen = [];
		let page = await admin.list({ pageSize: 3, withTotalPages: true });
		assert.ok(page.paging.totalPages >= 3);
		for (;;) {
			seen.push(...page.data.map((request) => request.id));
			if (!page.paging.nextPage)
				break;
			page = await page.paging.next();
		}
		assert.equal(new Set(seen).size, seen.length);
		for (const one of wanted)
			assert.ok(seen.includes(one), `${one} is in no page`);
		for (const one of wanted)
			assert.equal((await admin.delete(one)).res.status, 200);
	});
	await check('acceptAll', async () => {
		await pending(`client-all-${stamp}`);
		await pending(`client-all-token-${stamp}`, 'sesame');
		const { data } = await admin.acceptAll();
		const by = Object.fromEntries(data.map((one) => [one.id, one]));
		assert.equal(by[`client-all-${stamp}`].successful, true);
		assert.equal(by[`client-all-token-${stamp}`].successful, false);
	});
	await check('limit', async () => {
		const { data } = await admin.limit();
		assert.equal(data.isReached, false);
	});
	await check('bulk registration, simple', async () => {
		const { data, res } = await bulk.create(file(`ID;PATH
			${id}-bulk-1;Building 1
			${id}-bulk-2;`));
		assert.equal(res.status, 201);
		assert.deepEqual(data, { numberOfAll: 2, numberOfCreated: 2,
			numberOfFailed: 0, numberOfSuccessful: 2,
			credentialUpdatedList: [], failedCreationList: [] });
		assert.equal((await admin.detail(`${id}-bulk-2`)).data.status,
			'WAITING_FOR_CONNECTION');
	});
	await check('bulk registration with credentials', async () => {
		const { data } = await bulk.create(file(`
		ID,CREDENTIALS,TENANT,TYPE,NAME,ICCID,IDTYPE,PATH,SHELL
		${id}-full,e2epassword123!,e2edocker,c8y_e2eDevice,e2eDevice,123456789,89456,e2eDeviceGroup,1
		${id}-short,short,e2edocker,c8y_e2eDevice1,e2eDevice1,123456789,89456,e2eDeviceGroup,1`.trim()));
		assert.equal(data.numberOfCreated, 1);
		assert.equal(data.numberOfFailed, 1);
		assert.equal(data.failedCreationList[0].deviceId, `${id}-short`);
		assert.match(data.failedCreationList[0].failureReason, /CREDENTIALS/);
		await Client.authenticate({ tenant: site.admin.tenant,
			user: `device_${id}-full`, password: 'e2epassword123!' }, site.url);
	});
	await check('bulk registration of what is no such file', async () => {
		const { data, res } = await bulk.create(file('NAME\nx'));
		assert.equal(res.status, 422);
		assert.match(data.message, /no column ID/);
	});
	await check('a wrong login', () => refused(service({ ...site.admin,
		password: 'wrong' }).list(), 401, /Invalid credentials/));
	console.log(`1..${count}`);
	process.exitCode = failed > 0 ? 1 : 0;
}

main();
