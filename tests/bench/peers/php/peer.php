<?php
/*
 * What people would write instead, in PHP with PDO: the same checks, the same
 * SQL functions, the same answers.
 *
 * Environment: BENCH_DATABASE (conninfo), BENCH_LOGIN (the header that is let
 * in), BENCH_KEY (hex of 32 bytes, which seals passwords).
 */
declare(strict_types=1);

const FAULT = 'application/vnd.com.nsn.cumulocity.error+json;charset=UTF-8;ver=0.9';
const CREDENTIALS = 'application/vnd.com.nsn.cumulocity.deviceCredentials+json;charset=UTF-8;ver=0.9';
const ACTOR = 'management/devicebootstrap';
const SCOPE = 'management';

function answer(int $status, string $type, array $body): never
{
	http_response_code($status);
	header("Content-Type: $type");
	echo json_encode($body, JSON_UNESCAPED_SLASHES);
	exit;
}

function refuse(int $status, string $error, string $message): never
{
	answer($status, FAULT, ['error' => $error, 'message' => $message,
		'info' => 'https://cumulocity.com/guides/reference-guide/#error_reporting']);
}

function not_yet(string $id, ?string $status): never
{
	header('Retry-After: ' . random_int(5, 10));
	refuse(404, 'devicecontrol/Not Found', $status === null
		? "There is no newDeviceRequest for device id $id."
		: "Credentials for device id $id are not available. Device is in state $status, "
		. '(not ACCEPTED).');
}

/* An array of one value, as text. */
function one(?string $value): string
{
	return $value === null ? '{NULL}' : '{"' . addcslashes($value, '"\\') . '"}';
}

function one_binary(?string $bytes): string
{
	return one($bytes === null ? null : '\\x' . bin2hex($bytes));
}

/* The first row of a function; values go along with the statement, in one trip. */
function first_row(PDO $db, string $sql, array $values): ?array
{
	$statement = $db->prepare($sql, [PDO::PGSQL_ATTR_DISABLE_PREPARES => true]);
	$statement->execute($values);
	return $statement->fetch(PDO::FETCH_ASSOC) ?: null;
}

$key = hex2bin($_SERVER['BENCH_KEY']);
if (!hash_equals(hash_hmac('sha256', $_SERVER['BENCH_LOGIN'], $key),
    hash_hmac('sha256', $_SERVER['HTTP_AUTHORIZATION'] ?? '', $key))) {
	header('WWW-Authenticate: Basic realm="devcred"');
	refuse(401, 'security/Unauthorized', 'Invalid credentials.');
}
if ($_SERVER['REQUEST_METHOD'] !== 'POST') {
	refuse(405, 'general/Method Not Allowed', 'Only POST.');
}
$body = json_decode(file_get_contents('php://input'));
$id = is_object($body) ? $body->id ?? null : null;
if (!is_string($id) || $id === '' || strlen($id) > 1000 || preg_match('/[\x00-\x1f\x7f\/]/', $id)) {
	refuse(422, 'devicecontrol/Unprocessable Entity', 'id: not a device id.');
}
$source = $_SERVER['REMOTE_ADDR'];
$agent = $_SERVER['HTTP_USER_AGENT'] ?? '';
$claimant = substr(hash('sha256', ACTOR . "\n$source\n$agent\n", true), 0, 16);
$db = new PDO('pgsql:' . $_SERVER['BENCH_DATABASE'], null, null, [
	PDO::ATTR_PERSISTENT => true, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION]);
$look = first_row($db, 'select * from devcred.credential_look(?, ?, ?, ?)',
	[one($id), one(SCOPE), one_binary(null), one_binary($claimant)]);
if ($look === null || $look['settled']) {
	not_yet($id, $look['status'] ?? null);
}
$password = $salt = $sealed = null;
if ($look['tenant'] !== null) {
	$password = bin2hex(random_bytes(16));
	$salt = random_bytes(16);
	$nonce = random_bytes(12);
	$sealed = openssl_encrypt($password, 'aes-256-gcm', $key, OPENSSL_RAW_DATA, $nonce, $tag,
		"$look[tenant]\n$id\n$look[generation]");
	$sealed = $nonce . $sealed . $tag;
}
$issued = first_row($db, 'select * from devcred.credential_issue(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
	?, ?, 900, 10, false, ?, ?)', [one($id), one(SCOPE), one(ACTOR), one($source),
	one_binary(null), one_binary($claimant), one($agent === '' ? null : $agent),
	one($look['tenant']), one($look['generation'] === null ? null : (string)$look['generation']),
	one_binary($salt), one_binary($password === null ? null : hash('sha256', $salt . $password, true)),
	one($password === null ? null : 'k1'), one_binary($sealed), '{NULL}', '{k1}',
	one(bin2hex(random_bytes(16)))]);
if (($issued['outcome'] ?? '') !== 'ok' || $password === null) {
	not_yet($id, $issued['status'] ?? null);
}
header('Cache-Control: no-store');
answer(201, CREDENTIALS, ['id' => $id, 'tenantId' => $issued['tenant'], 'username' => "device_$id",
	'password' => $password, 'self' => "http://$_SERVER[HTTP_HOST]/devicecontrol/deviceCredentials/"
	. rawurlencode($id)]);
