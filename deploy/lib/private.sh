#!/bin/bash
# Private servers under one directory: PostgreSQL, the service, a web server.
# Sourced by quickstart and by the tests.
#
#     private_pg_start DIR               private_pg_stop DIR
#     private_service_start DIR          private_service_stop DIR
#     private_web_start KIND DIR PORT    private_web_stop DIR
#
# KIND: lighttpd, apache, nginx (with the service's socket DIR/fcgi.sock),
# lighttpd-cgi, apache-cgid, apache-fcgid (they start the program themselves);
# and those that check logins of devices: lighttpd-authorizer, lighttpd-dbi,
# nginx-auth, apache-authnz, apache-authenticator, apache-dbd.
# Each start returns when the server answers, and does nothing if it runs.
#
# All of it is in DIR: fcgi.sock and PostgreSQL's socket, devcred.conf (made
# by others), pg/ and pg.log, devcred.pid and devcred.log, and web/ with
# error.log.
#
# No server runs as root.  Root's PostgreSQL runs as postgres, the service and
# what web servers start as www-data, and DIR belongs to the group www-data,
# so that these may meet there and nobody else.
#
# Environment: DEVCRED_BINDIR, where devcred.fcgi is (the top of the tree);
# PRIVATE_WEB_EDIT, a sed script for the web server's snippet;
# PRIVATE_PG_OPTIONS, more options for PostgreSQL; PRIVATE_NGINX_OPTIONS, more
# lines of nginx's configuration; PRIVATE_PG_PEERS, lines "OS-USER ROLE": only
# these may connect, as these roles.  Without, everybody who gets at the socket
# may connect as anybody.

PRIVATE_TOP=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
PRIVATE_USER=www-data
PRIVATE_PG_USER=postgres
PRIVATE_DIR_MAX=75		# bytes; DIR/web/cgid.sock.PID is a socket too
PRIVATE_PATIENCE=60		# seconds

. "$PRIVATE_TOP/deploy/lib/private-web.sh"

private_fail() {
	echo "$*" >&2
	return 1
}

private_is_root() {
	[ "$(id -u)" -eq 0 ]
}

# Become a program, as a user if we are root; else as ourselves.
private_exec() {
	local user=$1
	shift
	if private_is_root; then
		# in the group that DIR belongs to, whoever it is
		set -- setpriv --reuid "$user" --regid "$(id -g "$user")" \
		    --groups "$(id -g "$PRIVATE_USER")" "$@"
	fi
	exec "$@"
}

private_as() {
	(private_exec "$@")
}

# private_wait SECONDS COMMAND...: until the command succeeds.
private_wait() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			return 1
		fi
		sleep 0.05
	done
}

# private_settled PID COMMAND...: whether waiting for what a child of ours does
# is over, for better or worse.
private_settled() {
	local pid=$1
	shift
	"$@" || ! kill -0 "$pid" 2>/dev/null
}

# Print the process of a PID file, if it is alive and its command line holds
# the text: after a reboot the number may be somebody else's.
private_alive() {
	local pid='' line=''
	if [ -r "$1" ]; then
		read -r pid <"$1" || true
	fi
	if [[ ! $pid =~ ^[1-9][0-9]*$ ]] || [ ! -r "/proc/$pid/cmdline" ]; then
		return 1
	fi
	line=$(tr "\0" " " 2>/dev/null <"/proc/$pid/cmdline") || true
	if [[ $line != *"$2"* ]]; then
		return 1
	fi
	echo "$pid"
}

private_dead() {
	! private_alive "$@" >/dev/null
}

# Print the members of the process group $1 that are called one of $2.
private_group() {
	local file line rest
	for file in /proc/[0-9]*/stat; do
		line=$(cat "$file" 2>/dev/null) || continue
		rest=${line##*) }
		# shellcheck disable=SC2086	# state, parent, group
		set -- "$1" "$2" $rest
		if [ "$5" = "$1" ] && [ "$3" != Z ] &&
		    [[ $line =~ \(($2)\) ]]; then
			echo "${line%% *}"
		fi
	done
}

# private_stop PIDFILE TEXT NAME|NAME...: stop the process, and what remains of
# its group should it have been killed itself.
private_stop() {
	local pid='' member
	if pid=$(private_alive "$1" "$2"); then
		kill -TERM "$pid" 2>/dev/null || true
		private_wait "$PRIVATE_PATIENCE" private_dead "$1" "$2" ||
		    kill -KILL "$pid" 2>/dev/null || true
	elif [ -r "$1" ]; then
		read -r pid <"$1" || true
	fi
	# a leader that nobody has buried yet has an empty command line
	if [[ $pid =~ ^[1-9][0-9]*$ ]] &&
	    [ -z "$(tr -d '\0' 2>/dev/null <"/proc/$pid/cmdline")" ]; then
		for member in $(private_group "$pid" "$3"); do
			kill -KILL "$member" 2>/dev/null || true
		done
	fi
	rm -f "$1"
}

# Whether DIR will do; every start begins here.
private_prepare() {
	local dir=$1
	if [[ ! $dir =~ ^/[A-Za-z0-9._/@+~-]*$ ]]; then
		private_fail "$dir: not an absolute path of plain characters," \
		    "which configuration files could hold"
		return
	fi
	if [ "${#dir}" -gt "$PRIVATE_DIR_MAX" ]; then
		private_fail "$dir: longer than $PRIVATE_DIR_MAX bytes, but" \
		    "paths of sockets must be short"
		return
	fi
	if ! private_is_root; then
		return
	fi
	chown "root:$PRIVATE_USER" "$dir" && chmod 1770 "$dir" || return
	if ! private_as "$PRIVATE_USER" test -x "$dir"; then
		private_fail "$dir: not reachable for the user $PRIVATE_USER:" \
		    "a directory above it is closed to others"
	fi
}

# PostgreSQL ------------------------------------------------------------------

# Print where the programs of the cluster in DIR are, or for a new cluster the
# newest ones.
private_pg_bin() {
	local version='*' dir bin=''
	if [ -e "$1/pg/PG_VERSION" ]; then
		read -r version <"$1/pg/PG_VERSION"
	fi
	while read -r dir; do
		if [ -x "$dir/postgres" ] && [ -x "$dir/initdb" ]; then
			bin=$dir
		fi
	done < <(compgen -G "/usr/lib/postgresql/$version/bin" | sort -V)
	if [ -z "$bin" ]; then
		private_fail "PostgreSQL ${version#\*} is not installed in" \
		    "/usr/lib/postgresql"
		return
	fi
	echo "$bin"
}

# Make the cluster aside, so that one whose making was cut short is never used.
private_pg_make() {
	local dir=$1 bin=$2 fresh=$1/pg.new
	rm -rf "$fresh"
	mkdir -m 700 "$fresh" || return
	if private_is_root; then
		chown "$PRIVATE_PG_USER:" "$fresh" || return
	fi
	if ! private_as "$PRIVATE_PG_USER" "$bin/initdb" -D "$fresh" \
	    -U postgres -E UTF8 --locale=C.UTF-8 -A trust \
	    >"$dir/initdb.log" 2>&1; then
		cat "$dir/initdb.log" >&2
		return 1
	fi
	rm -f "$dir/initdb.log"
	echo "include 'private.conf'" >>"$fresh/postgresql.conf"
	mv "$fresh" "$dir/pg"
}

# Write what belongs to this place: addresses, and who may connect.
private_pg_configure() {
	local dir=$1 method=trust peer
	cat >"$dir/pg/private.conf" <<-END
	listen_addresses = ''
	unix_socket_directories = '$dir'
	log_timezone = 'UTC'
	timezone = 'UTC'
	END
	if [ -n "${PRIVATE_PG_PEERS-}" ]; then
		method='peer map=private'
		while read -r peer; do
			echo "private $peer"
		done <<<"$PRIVATE_PG_PEERS" >"$dir/pg/pg_ident.conf"
	fi
	echo "local all all $method" >"$dir/pg/pg_hba.conf"
}

private_pg_pid() {
	private_alive "$1/pg/postmaster.pid" "$1/pg "
}

private_pg_start() {
	local dir=$1 bin pid=''
	private_prepare "$dir" && bin=$(private_pg_bin "$dir") || return
	if private_pg_pid "$dir" >/dev/null; then
		return
	fi
	if private_is_root && ! id "$PRIVATE_PG_USER" >/dev/null 2>&1; then
		private_fail "there is no user $PRIVATE_PG_USER to run" \
		    "PostgreSQL as"
		return
	fi
	if [ ! -e "$dir/pg/PG_VERSION" ]; then
		private_pg_make "$dir" "$bin" || return
	fi
	private_pg_configure "$dir" || return
	# PostgreSQL sees to a stale file, unless the number is in use again
	if [ -e "$dir/pg/postmaster.pid" ]; then
		read -r pid <"$dir/pg/postmaster.pid" || true
		if [ -e "/proc/$pid" ]; then
			rm -f "$dir/pg/postmaster.pid" "$dir"/.s.PGSQL.*
		fi
	fi
	if ! private_as "$PRIVATE_PG_USER" "$bin/pg_ctl" -D "$dir/pg" \
	    -l "$dir/pg.log" -o "${PRIVATE_PG_OPTIONS-}" -w \
	    -t "$PRIVATE_PATIENCE" start >/dev/null 2>&1 </dev/null; then
		tail -n 20 "$dir/pg.log" >&2 || true
		private_fail "PostgreSQL does not start; see $dir/pg.log"
	fi
}

private_pg_stop() {
	local dir=$1 bin mode
	if ! private_pg_pid "$dir" >/dev/null; then
		return 0
	fi
	bin=$(private_pg_bin "$dir") || return
	for mode in fast immediate; do
		if private_as "$PRIVATE_PG_USER" "$bin/pg_ctl" -D "$dir/pg" \
		    -m "$mode" -w -t "$PRIVATE_PATIENCE" stop >/dev/null \
		    2>&1; then
			return
		fi
	done
	private_fail "PostgreSQL does not stop; see $dir/pg.log"
}

# The service -----------------------------------------------------------------

# Print the path of devcred.fcgi, if the user it is to run as may run it.
private_program() {
	local program=${DEVCRED_BINDIR:-$PRIVATE_TOP}/devcred.fcgi
	if [[ ! $program =~ ^/[A-Za-z0-9._/@+~-]*$ ]]; then
		private_fail "$program: not an absolute path of plain" \
		    "characters, which configuration files could hold"
		return
	fi
	if ! private_as "$PRIVATE_USER" test -x "$program"; then
		private_fail "$program: there is no such program that" \
		    "$(private_as "$PRIVATE_USER" id -un) may run"
		return
	fi
	echo "$program"
}

# Settings and keys may be read by the service, and by nobody else.
private_conf() {
	local file
	if [ ! -e "$1/devcred.conf" ]; then
		private_fail "$1/devcred.conf is missing"
		return
	fi
	for file in "$1/devcred.conf" "$1/keys"; do
		[ -e "$file" ] || continue
		chmod 640 "$file" || return
		if private_is_root; then
			chown "root:$PRIVATE_USER" "$file" || return
		fi
	done
}

private_service_pid() {
	private_alive "$1/devcred.pid" "-c $1/devcred.conf"
}

private_service_start() {
	local dir=$1 program
	private_prepare "$dir" || return
	if private_service_pid "$dir" >/dev/null; then
		return
	fi
	program=$(private_program) && private_conf "$dir" || return
	private_service_stop "$dir"	# what a crash may have left
	(
		unset GATEWAY_INTERFACE LISTEN_FDS LISTEN_PID NOTIFY_SOCKET
		exec </dev/null >>"$dir/devcred.log" 2>&1
		private_exec "$PRIVATE_USER" setsid "$program" \
		    -c "$dir/devcred.conf"
	) &
	echo $! >"$dir/devcred.pid"
	private_wait "$PRIVATE_PATIENCE" private_settled $! \
	    test -S "$dir/fcgi.sock" || true
	if [ ! -S "$dir/fcgi.sock" ]; then
		tail -n 20 "$dir/devcred.log" >&2
		private_stop "$dir/devcred.pid" "-c $dir/devcred.conf" \
		    devcred.fcgi
		private_fail "the service does not start; see $dir/devcred.log"
	fi
}

private_service_stop() {
	private_stop "$1/devcred.pid" "-c $1/devcred.conf" devcred.fcgi
	rm -f "$1/fcgi.sock"
}
