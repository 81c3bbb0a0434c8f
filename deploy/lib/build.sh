#!/bin/bash
# Builds the programs.  Sourced by quickstart and the tests.

BUILD_TOP=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")

# Configure and make in directory $1, which holds the sources; the other
# arguments are for configure.  make itself sees to it that what has changed,
# configure.ac included, is done again, and nothing else.
build_steps() {
	cd "$1" || return
	shift
	if [ ! -e configure ] || [ ! -e Makefile.in ]; then
		./autogen.sh || return
	fi
	if [ ! -e config.status ] || [ ! -e Makefile ]; then
		./configure "$@" || return
	fi
	make -j "$(nproc)"
}

# Run build_steps as the owner of the tree, so that root's build leaves no
# files behind that the owner cannot change.
build_in_place() {
	local owner
	owner=$(stat -c %u "$BUILD_TOP")
	if [ "$(id -u)" -ne 0 ] || [ "$owner" -eq 0 ]; then
		build_steps "$BUILD_TOP" "$@"
		return
	fi
	# shellcheck disable=SC2016	# expanded by the other shell
	setpriv --reuid "$owner" --regid "$(stat -c %g "$BUILD_TOP")" \
	    --clear-groups bash -c '. "$0"; build_steps "$@"' \
	    "$BUILD_TOP/deploy/lib/build.sh" "$BUILD_TOP" "$@"
}

# Build in directory $1, in a copy of the sources and of nothing that was made
# of them: automake refuses to build outside of a tree that was configured.
build_elsewhere() {
	local name made=(--exclude=.git --exclude=.deps --exclude=.dirstamp
	    --exclude-tag-all=made-by-quickstart
	    --exclude=autom4te.cache --exclude='*.o' --exclude='*.a')
	for name in configure config.status config.log config.h config.h.in \
	    stamp-h1 aclocal.m4 build-aux Makefile Makefile.in devcred.fcgi \
	    devcredctl; do
		made+=("--exclude=./$name")
	done
	made+=("--exclude=./${1#"$BUILD_TOP"/}")	# in case it is inside
	mkdir -p "$1" || return
	tar -C "$BUILD_TOP" "${made[@]}" -cf - . |
	    tar -C "$1" --keep-newer-files --warning=no-ignore-newer \
	    --no-same-owner -xf - || return
	build_steps "$@"
}

# build_tree LOG [DIR [CONFIGURE-ARGUMENT...]]
#
# Build in DIR, or without one in the tree itself.  The arguments are for the
# first time, when DIR is not configured yet.  What the tools say goes to LOG;
# the end of it is shown if they fail.
build_tree() {
	local log=$1 dir=${2:-$BUILD_TOP} how=build_in_place
	shift $(($# < 2 ? $# : 2))
	if [ "$(realpath -m "$dir")" != "$BUILD_TOP" ]; then
		how=build_elsewhere
		set -- "$(realpath -m "$dir")" "$@"
	fi
	if ! (set -o pipefail; "$how" "$@") >"$log" 2>&1 </dev/null; then
		tail -n 30 "$log" >&2
		echo "The build failed; all it said is in $log" >&2
		return 1
	fi
}
