#!/bin/bash
# quickstart demo: administrator and device talk to the service over HTTP, and
# every exchange is shown.

# demo_say WORDS...
demo_say() {
	printf '\n== %s\n' "$*"
}

# demo_exchange LOGIN METHOD PATH [BODY]: show request and answer; the body of
# the answer is in demo_answer, its status in demo_status.
demo_exchange() {
	local login=$1 method=$2 path=$3 body=${4-} answer
	local -a with=(-s -i -K - -X "$method")
	printf '> %s %s   (as %s)\n' "$method" "$path" "${login%%:*}"
	if [ -n "$body" ]; then
		printf '> %s\n' "$body"
		with+=(-H 'Content-Type: application/json'
		    -H 'Accept: application/json' -d "$body")
	fi
	# the login is read from standard input: arguments are public
	answer=$(curl "${with[@]}" "$DEVCRED_URL$path" \
	    <<<"user = \"$login\"" | tr -d '\r')
	printf '< %s\n' "${answer//$'\n'/$'\n'< }"
	demo_status=$(awk 'NR == 1 { print $2 }' <<<"$answer")
	demo_answer=$(sed '1,/^$/d' <<<"$answer")
}

# demo_expect STATUS
demo_expect() {
	if [ "$demo_status" != "$1" ]; then
		echo "demo: the answer should have been $1" >&2
		return 1
	fi
}

demo_field() {
	sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$demo_answer"
}

# demo ENV: the file with address and logins.
demo() {
	local requests=/devicecontrol/newDeviceRequests
	local credentials=/devicecontrol/deviceCredentials
	local demo_status demo_answer id admin device own
	# shellcheck disable=SC1090	# made by quickstart
	. "$1"
	id=demo-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
	admin=$DEVCRED_ADMIN_USER:$DEVCRED_ADMIN_PASSWORD
	device=$DEVCRED_BOOTSTRAP_USER:$DEVCRED_BOOTSTRAP_PASSWORD

	demo_say "The administrator registers $id."
	demo_exchange "$admin" POST "$requests" "{\"id\":\"$id\"}"
	demo_expect 201 || return

	demo_say "The device asks for credentials: not yet."
	demo_exchange "$device" POST "$credentials" "{\"id\":\"$id\"}"
	demo_expect 404 || return

	demo_say "The administrator sees who waits."
	demo_exchange "$admin" GET "$requests?status=PENDING_ACCEPTANCE&q=$id"
	demo_expect 200 || return

	demo_say "The administrator accepts it."
	demo_exchange "$admin" PUT "$requests/$id" '{"status":"ACCEPTED"}'
	demo_expect 200 || return

	demo_say "The device asks again, and has a login of its own."
	demo_exchange "$device" POST "$credentials" "{\"id\":\"$id\"}"
	demo_expect 201 || return
	own=$(demo_field tenantId)/$(demo_field username):$(demo_field password)

	demo_say "The request is done with: it is listed no more."
	demo_exchange "$admin" GET "$requests/$id"
	demo_expect 404 || return

	demo_say "The device logs in."
	demo_exchange "$own" GET /user/currentUser
	demo_expect 200 || return

	demo_say "A DBA asks who let it in."
	psql -X "$DEVCRED_AUDITOR_DATABASE" -c "select created_by, accepted_by,
	    accepted_at, accepted_from, issued_at from devcred.registration
	    where device_id = '$id'"
}
