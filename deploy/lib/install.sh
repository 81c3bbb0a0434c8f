#!/bin/bash
# Installs what is missing of the packages listed in the file beside this one.
#
#     . install.sh; install_missing KIND...     from other scripts
#     install.sh KIND...                        by hand, as root
#
# Not only the packages matter, but also what installing them must not do:
# start a server, have one started at the next boot, or make a PostgreSQL
# cluster.  All three are somebody else's decision.

INSTALL_LIST=$(dirname "${BASH_SOURCE[0]}")/packages

# Servers whose packages arrange for them to be started at boot.
INSTALL_SERVERS=(lighttpd nginx pgbouncer)

install_is_here() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Print the packages of KIND that are missing, one a line.
install_lacking() {
	local kind=$1 word choice names=()
	while read -r -a names; do
		for word in "${names[@]}"; do
			for choice in ${word//|/ }; do
				install_is_here "$choice" && continue 2
			done
			printf '%s\n' "$word"
		done
	done < <(sed -n "s/^$kind: *//p" "$INSTALL_LIST")
}

# Of "a|b|c" print the first that can be installed; else the first.
install_choose() {
	local choice
	for choice in ${1//|/ }; do
		if apt-cache show "$choice" >/dev/null 2>&1; then
			printf '%s\n' "$choice"
			return
		fi
	done
	printf '%s\n' "${1%%|*}"
}

# Undo install_quiet_on; also after a run that was killed half-way.
install_quiet_off() {
	local policy=/usr/sbin/policy-rc.d
	if grep -qs 'written by devcred' "$policy"; then
		rm -f "$policy"
	fi
	if [ -e "$policy.devcred-kept" ]; then
		mv -f "$policy.devcred-kept" "$policy"
	fi
	rm -f /etc/postgresql-common/createcluster.d/devcred-install.conf
	rmdir --ignore-fail-on-non-empty -p \
	    /etc/postgresql-common/createcluster.d 2>/dev/null || true
}

# Packages installed from now on start no server and make no cluster.
install_quiet_on() {
	local policy=/usr/sbin/policy-rc.d
	install_quiet_off
	if [ -e "$policy" ]; then
		mv "$policy" "$policy.devcred-kept"
	fi
	printf '#!/bin/sh\n# written by devcred, for one installation\nexit 101\n' \
	    >"$policy"
	chmod 755 "$policy"
	mkdir -p /etc/postgresql-common/createcluster.d
	echo 'create_main_cluster = off' \
	    >/etc/postgresql-common/createcluster.d/devcred-install.conf
}

# The servers of the packages just installed are not started at boot either.
install_not_at_boot() {
	local server
	for server in "${INSTALL_SERVERS[@]}"; do
		case " $* " in *" $server "*) ;; *) continue ;; esac
		update-rc.d "$server" disable || true
		deb-systemd-helper disable "$server.service" || true
	done
}

# Install packages with apt; everything it says goes to standard output.
install_with_apt() (
	local word names=()
	trap install_quiet_off EXIT
	trap 'exit 130' INT TERM HUP
	export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C.UTF-8
	install_quiet_on
	# a foreign source that is down need not matter: let install say
	apt-get -q -o DPkg::Lock::Timeout=300 update || true
	for word in "$@"; do
		names+=("$(install_choose "$word")")
	done
	apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold \
	    --no-install-recommends install "${names[@]}" || exit 1
	install_not_at_boot "${names[@]}"
)

# Install what is missing of each KIND.  Says nothing if all is there; prints
# the command to run, and fails, if we are not root.
install_missing() {
	local kind log words=()
	if ! command -v dpkg-query >/dev/null; then
		echo "This is not a Debian system: install what $INSTALL_LIST" \
		    "lists under" "$@" >&2
		return 1
	fi
	for kind in "$@"; do
		if ! grep -q "^$kind:" "$INSTALL_LIST"; then
			echo "$INSTALL_LIST has no packages of kind $kind" >&2
			return 1
		fi
	done
	mapfile -t words < <(for kind in "$@"; do
		install_lacking "$kind"
	done | sort -u)
	if [ "${#words[@]}" -eq 0 ]; then
		return 0
	fi
	if [ "$(id -u)" -ne 0 ]; then
		{
			echo "Packages are missing.  Run as root:"
			printf '    bash %s' "$(realpath "${BASH_SOURCE[0]}")"
			printf ' %s' "$@"
			printf '\nor, if servers may be started with it:\n'
			printf '    apt-get install --no-install-recommends'
			for kind in "${words[@]}"; do
				printf ' %s' "$(install_choose "$kind")"
			done
			printf '\n'
		} >&2
		return 1
	fi
	log=$(mktemp)
	if ! install_with_apt "${words[@]}" >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		echo "The packages could not be installed: ${words[*]}" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	set -euo pipefail
	if [ $# -eq 0 ]; then
		sed -n '2,5p' "$0" >&2
		exit 2
	fi
	install_missing "$@"
fi
