#!/bin/bash
# Makes a clean root: a minimal Debian 12 with the servers that devcred works
# with, and nothing of devcred.  It is kept, and never changed.
#
#     base.sh DIR
#
# The packages come from where this machine has its own.
set -euo pipefail

release=bookworm
dir=$1
list=$(dirname "$0")/../../deploy/lib/packages

# Sources of this machine that are Debian's own, as "URI SUITE".
sources() {
	# shellcheck disable=SC2016	# apt's, not ours
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
	    'Identifier: Packages' 'Origin: Debian' |
	    awk -v release="$release" '$3 == "main" && ($2 == release ||
		index($2, release "-") == 1) { print $1, $2 }' | sort -u
}

mkdir -p "$(dirname "$dir")"
exec 9>"$dir.lock"
flock 9
if [ -e "$dir/.complete" ]; then
	exit
fi
uri=$(sources | awk -v release="$release" '$2 == release { print $1; exit }')
if [ -z "$uri" ]; then
	echo "apt on this machine has no source for Debian $release" >&2
	exit 1
fi
rm -rf --one-file-system "$dir"
debootstrap --variant=minbase --include=ca-certificates "$release" "$dir" "$uri"
rm -f "$dir"/etc/apt/sources.list "$dir"/etc/apt/sources.list.d/*
sources | sed 's/^/deb /; s/$/ main/' >"$dir/etc/apt/sources.list"
# proxies and the like, and authorities that this network needs
apt-config dump | grep '^Acquire::' >"$dir/etc/apt/apt.conf.d/90this" || true
cp /usr/local/share/ca-certificates/*.crt \
    "$dir/usr/local/share/ca-certificates/" 2>/dev/null || true

# Installing starts no server and makes no cluster, here and later.
printf '#!/bin/sh\nexit 101\n' >"$dir/usr/sbin/policy-rc.d"
chmod 755 "$dir/usr/sbin/policy-rc.d"
mkdir -p "$dir/etc/postgresql-common/createcluster.d"
echo 'create_main_cluster = off' \
    >"$dir/etc/postgresql-common/createcluster.d/test.conf"
mapfile -t packages < <(sed -n 's/^package-root: *//p' "$list" | tr ' ' '\n')
cp /etc/resolv.conf "$dir/etc/resolv.conf"
# shellcheck disable=SC2016	# expanded by the other shell
DIR=$dir unshare --mount --pid --fork --propagation private bash -euc '
	mount -t proc proc "$DIR/proc"
	mount --rbind /dev "$DIR/dev"
	exec chroot "$DIR" /usr/bin/env -i DEBIAN_FRONTEND=noninteractive \
	    LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -euc "
		update-ca-certificates
		apt-get -q update
		apt-get -q -y --no-install-recommends install \$*" sh "$@"
' bash "${packages[@]}"
touch "$dir/.complete"
