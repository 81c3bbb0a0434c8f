// What people would write instead, in Node with fastify and pg: the same
// checks, the same SQL functions, the same answers.
//
// Environment: BENCH_DATABASE (JSON, settings of pg), BENCH_LOGIN (the header
// that is let in), BENCH_KEY (hex of 32 bytes, which seals passwords), PORT,
// PROCESSES.
'use strict';

const cluster = require('node:cluster');
const crypto = require('node:crypto');

const PROCESSES = Number(process.env.PROCESSES);
if (cluster.isPrimary && PROCESSES > 1) {
	for (let n = 0; n < PROCESSES; n++)
		cluster.fork();
	process.on('SIGTERM', () => process.exit(0));
} else {
	serve();
}

function serve() {
	const fastify = require('fastify')();
	const { Pool } = require('pg');
	const pool = new Pool({ ...JSON.parse(process.env.BENCH_DATABASE), max: 4 });
	const key = Buffer.from(process.env.BENCH_KEY, 'hex');
	const ACTOR = 'management/devicebootstrap';
	const SCOPE = 'management';
	const FAULT = 'application/vnd.com.nsn.cumulocity.error+json;charset=UTF-8;ver=0.9';
	const CREDENTIALS =
		'application/vnd.com.nsn.cumulocity.deviceCredentials+json;charset=UTF-8;ver=0.9';
	const LOOK = 'select * from devcred.credential_look($1, $2, $3, $4)';
	const ISSUE = 'select * from devcred.credential_issue($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,'
		+ ' $11, $12, $13, $14, 900, 10, false, $15, $16)';

	const digest = (text) => crypto.createHmac('sha256', key).update(text ?? '').digest();
	const wanted = digest(process.env.BENCH_LOGIN);
	// named: prepared once a connection
	const firstRow = async (name, text, values) =>
		(await pool.query({ name, text, values })).rows[0];

	function refuse(reply, status, error, message) {
		return reply.code(status).type(FAULT).send(JSON.stringify({ error, message,
			info: 'https://cumulocity.com/guides/reference-guide/#error_reporting' }));
	}

	function notYet(reply, id, status) {
		reply.header('Retry-After', crypto.randomInt(5, 11));
		return refuse(reply, 404, 'devicecontrol/Not Found', status === undefined
			? `There is no newDeviceRequest for device id ${id}.`
			: `Credentials for device id ${id} are not available. Device is in state ${status}, `
			+ '(not ACCEPTED).');
	}

	function makePassword(id, tenant, generation) {
		const text = crypto.randomBytes(16).toString('hex');
		const salt = crypto.randomBytes(16);
		const nonce = crypto.randomBytes(12);
		const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce);
		cipher.setAAD(Buffer.from(`${tenant}\n${id}\n${generation}`));
		const sealed = Buffer.concat([nonce, cipher.update(text), cipher.final(),
			cipher.getAuthTag()]);
		return { text, salt, hash: crypto.createHash('sha256').update(salt).update(text).digest(),
			sealed };
	}

	async function poll(request, reply) {
		const id = request.body?.id;
		if (!crypto.timingSafeEqual(digest(request.headers.authorization), wanted)) {
			reply.header('WWW-Authenticate', 'Basic realm="devcred"');
			return refuse(reply, 401, 'security/Unauthorized', 'Invalid credentials.');
		}
		// eslint-disable-next-line no-control-regex
		if (typeof id !== 'string' || id === '' || id.length > 1000 || /[\x00-\x1f\x7f/]/.test(id))
			return refuse(reply, 422, 'devicecontrol/Unprocessable Entity', 'id: not a device id.');
		const source = request.ip;
		const agent = request.headers['user-agent'];
		const claimant = crypto.createHash('sha256').update(`${ACTOR}\n${source}\n${agent ?? ''}\n`)
			.digest().subarray(0, 16);
		const look = await firstRow('look', LOOK, [[id], [SCOPE], [null], [claimant]]);
		if (look === undefined || look.settled)
			return notYet(reply, id, look?.status);
		const made = look.tenant === null ? null : makePassword(id, look.tenant, look.generation);
		const issued = await firstRow('issue', ISSUE, [[id], [SCOPE], [ACTOR], [source], [null],
			[claimant], [agent ?? null], [look.tenant], [look.generation], [made?.salt ?? null],
			[made?.hash ?? null], [made ? 'k1' : null], [made?.sealed ?? null], [null], ['k1'],
			[crypto.randomBytes(16).toString('hex')]]);
		if (issued?.outcome !== 'ok' || made === null)
			return notYet(reply, id, issued?.status);
		return reply.code(201).header('Cache-Control', 'no-store').type(CREDENTIALS)
			.send(JSON.stringify({ id, tenantId: issued.tenant, username: `device_${id}`,
				password: made.text, self: `http://${request.headers.host}/devicecontrol/`
				+ `deviceCredentials/${encodeURIComponent(id)}` }));
	}

	fastify.addContentTypeParser(/^application\/vnd\./, { parseAs: 'string' },
		(request, body, done) => {
			try {
				done(null, JSON.parse(body));
			} catch (error) {
				error.statusCode = 400;
				done(error);
			}
		});
	fastify.post('/devicecontrol/deviceCredentials', poll);
	fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 1024 });
}
