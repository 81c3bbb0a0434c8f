#!/bin/sh
# Gets a device a login of its own from devcred, keeps it in a file, and logs
# in with it.  Whatever is lost on the way, it may be started again.  It needs
# curl, and nothing else that a busybox does not have.
#
#     device.sh -u URL -i ID -b FILE -o FILE [-t FILE] [-c FILE] [-s SECONDS]
#
#     -b  the bootstrap login: one line, tenant/user:password
#     -o  where the device's own login is kept, in the same form
#     -t  the security token: one line
#     -c  certificates to trust, instead of the system's
#     -s  begin after up to so many seconds, by chance (10)
#
# Exit status: 0 the device has its login, and it works; 1 something here is
# wrong; 2 wrong arguments; 3 the bootstrap login is refused; 4 the request
# is; 5 the device's own login is.
set -eu
umask 077

wait_first=2		# seconds, after a first failure
wait_max=600		# seconds, whatever is asked for

# Say it; never with a password or token.
say() {
	printf 'device: %s\n' "$*" >&2
}

usage() {
	sed -n '6,16s/^# \{0,1\}//p' "$0" >&2
	exit 2
}

# Print the first line of a file.
read_line() {
	line=
	if ! IFS= read -r line <"$1" && [ -z "$line" ]; then
		say "$1: has no line"
		return 1
	fi
	printf '%s' "$line"
}

# Print a text as it stands between quotes, in JSON and in curl's files.
quoted() {
	printf '%s' "$1" | sed 's/[\\"]/\\&/g'
}

# Print a number from 0 to below $1.
by_chance() {
	od -An -N4 -tu4 /dev/urandom | awk -v most="$1" \
	    '{ printf "%d\n", $1 / 4294967296 * most }'
}

# wait_again FAILED: as long as the service asked for; after a failure twice
# as long as the last time, if that is more; and by chance up to half of it in
# addition.
wait_again() {
	seconds=0
	if [ "$1" = yes ]; then
		seconds=$doubled
		doubled=$((doubled * 2))
		[ "$doubled" -le "$wait_max" ] || doubled=$wait_max
	else
		doubled=$wait_first
	fi
	[ "$seconds" -ge "$asked" ] || seconds=$asked
	[ "$seconds" -le "$wait_max" ] || seconds=$wait_max
	sleep $((seconds + $(by_chance $((seconds / 2 + 2)))))
}

# ask PATH LOGIN [BODY]: sets status, 0 if there was no whole answer; head and
# text of the answer; and asked, the seconds to wait.  What is secret goes to
# curl through a pipe, by builtins of the shell.
ask() {
	status=0 asked=0 head='' text=''
	if answer=$(
		{
			printf 'url = "%s"\n' "$(quoted "$url$1")"
			printf 'user = "%s"\n' "$(quoted "$2")"
			[ -z "$trusted" ] ||
			    printf 'cacert = "%s"\n' "$(quoted "$trusted")"
			[ $# -lt 3 ] ||
			    printf 'header = "%s"\ndata-raw = "%s"\n' \
			    'Content-Type: application/json' "$(quoted "$3")"
		} | curl -q -s -S -i -A devcred-sample --connect-timeout 10 \
		    --max-time 30 -w '\n%{http_code}' -K -
	); then
		status=${answer##*
}
		head=$(printf '%s' "$answer" | tr -d '\r' | sed '/^$/q')
		text=$(printf '%s' "$answer" | tr -d '\r' |
		    sed -e '1,/^$/d' -e '$d')
		asked=$(printf '%s\n' "$head" | sed -n \
		    's/^[Rr]etry-[Aa]fter: *\([0-9]\{1,6\}\)$/\1/p')
		asked=${asked:-0}
	fi
	answer=
}

# Whether asking again later can be of use.
may_pass() {
	case $status in
	0 | 404 | 408 | 429 | 5??) ;;
	*) return 1 ;;
	esac
}

# Print the login that the answer brings; nothing if it brings none.  Not a
# parser of JSON: it relies on ids, tenants and passwords without quotes and
# backslashes, and on properties coming last, as devcred sends them.
login_of() {
	fields=$(printf '%s' "$text" | tr -d '\n' |
	    sed 's/"customProperties".*//')
	tenant=$(printf '%s' "$fields" |
	    sed -n 's/.*"tenantId" *: *"\([^"\\]*\)".*/\1/p')
	password=$(printf '%s' "$fields" |
	    sed -n 's/.*"password" *: *"\([^"\\]*\)".*/\1/p')
	[ -z "$tenant" ] || [ -z "$password" ] ||
	    printf '%s/device_%s:%s' "$tenant" "$id" "$password"
}

# Ask until there is a login; sets login.
get_login() {
	body="{\"id\":\"$id\""
	[ -z "$token" ] || body="$body,\"securityToken\":\"$(quoted "$token")\""
	body="$body}"
	while :; do
		ask /devicecontrol/deviceCredentials "$bootstrap" "$body"
		failed=yes
		case $status in
		201)
			login=$(login_of)
			[ -z "$login" ] || return 0
			say '201, but no login in it'
			;;
		401 | 403)
			say "$status $text"
			exit 3
			;;
		404)	# devcred's says when to come again
			[ "$asked" -eq 0 ] || failed=no
			;;
		esac
		case $status in
		0 | 201) ;;
		*) say "$status $text" ;;
		esac
		[ "$status" = 201 ] || may_pass || exit 4
		wait_again "$failed"
	done
}

# Keep the login in a file that is there wholly or not at all, even if the
# power goes.
keep() {
	rm -f "$file.new"	# what an earlier attempt may have left
	printf '%s\n' "$login" >"$file.new" && sync &&
	    mv -f "$file.new" "$file" && sync
}

# Log in with what is kept.
log_in() {
	doubled=$wait_first
	while :; do
		ask /user/currentUser "$login"
		if [ "$status" = 200 ]; then
			say "logged in as ${login%%:*}"
			return 0
		fi
		[ "$status" = 0 ] || say "$status $text"
		may_pass || exit 5
		wait_again yes
	done
}

url='' id='' from='' file='' token='' token_file='' trusted='' spread=10
while getopts u:i:b:o:t:c:s: option; do
	case $option in
	u) url=$OPTARG ;;
	i) id=$OPTARG ;;
	b) from=$OPTARG ;;
	o) file=$OPTARG ;;
	t) token_file=$OPTARG ;;
	c) trusted=$OPTARG ;;
	s) spread=$OPTARG ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))
if [ $# -gt 0 ] || [ -z "$url" ] || [ -z "$id" ] || [ -z "$from" ] ||
    [ -z "$file" ]; then
	usage
fi
case $url in
*@*) usage ;;
https://* | http://127.0.0.1:*) ;;
*)
	say "$url: passwords go over https:// only"
	exit 2
	;;
esac
case $id in
*[\"\\]*)
	say "this sample takes no ids with quotes or backslashes"
	exit 2
	;;
esac
case $spread in
'' | *[!0-9]*) usage ;;
esac

bootstrap=$(read_line "$from") || exit 1
[ -z "$token_file" ] || token=$(read_line "$token_file") || exit 1
login=
if [ -e "$file" ]; then
	login=$(read_line "$file") || exit 1
elif ! (: >"$file.new") || ! rm -f "$file.new"; then
	exit 1
fi
sleep "$(by_chance $((spread + 1)))"
doubled=$wait_first
if [ -z "$login" ]; then
	get_login
	if ! keep; then
		say "$file: cannot be written"
		exit 1
	fi
fi
log_in
