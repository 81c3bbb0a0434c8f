#!/bin/sh
# embed.sh SRCDIR FILE...: write a C file with the SQL files to standard output.
#
# FILEs are relative to SRCDIR: migrations/NNNN_name.sql in the order of their
# numbers, sql/roles.sql, and the other sql/*.sql in the order they are to be
# applied.  The list stands in Makefile.am; a file that it forgets is an error.
set -eu
export LC_ALL=C

fail()
{
	echo "embed.sh: $*" >&2
	exit 1
}

# one FILE: its bytes as an array
bytes()
{
	echo "static const unsigned char text_$1[] = {"
	od -An -v -tx1 "$2" |
	    sed 's/ *\([0-9a-f][0-9a-f]\)/0x\1,/g; s/^/	/'
	echo "	0x00 };	/* $3 */"
	echo
}

# one row of a list: number, FILE
row()
{
	echo "	{ \"$2\", text_$1, sizeof(text_$1) - 1 },"
}

[ $# -gt 1 ] || fail "usage: embed.sh SRCDIR FILE..."
srcdir=$1
shift

for path in "$srcdir"/migrations/*.sql "$srcdir"/sql/*.sql; do
	file=${path#"$srcdir"/}
	case " $* " in
	*" $file "*) ;;
	*) fail "$file is not in the list of Makefile.am" ;;
	esac
done

printf '/* Made by ctl/embed.sh; do not edit. */\n#include "embed.h"\n\n'
n=0
version=0
migrations=
sql=
roles=
for file in "$@"; do
	n=$((n + 1))
	[ -s "$srcdir/$file" ] || fail "$file is missing or empty"
	bytes "$n" "$srcdir/$file" "$file"
	case $file in
	migrations/*)
		version=$((version + 1))
		case $file in
		"migrations/$(printf %04d "$version")"_*.sql) ;;
		*) fail "$file is not number $version" ;;
		esac
		migrations="$migrations$(row "$n" "$file")
"
		;;
	sql/roles.sql)
		roles=$(row "$n" "$file")
		;;
	sql/*.sql)
		sql="$sql$(row "$n" "$file")
"
		;;
	*)
		fail "$file is neither a migration nor in sql/"
		;;
	esac
done
[ -n "$roles" ] || fail "sql/roles.sql is not in the list"
[ -n "$migrations" ] || fail "there is no migration in the list"

cat <<EOF
const struct embedded embedded_migrations[] = {
$migrations	{ 0, 0, 0 }
};

const struct embedded embedded_sql[] = {
$sql	{ 0, 0, 0 }
};

const struct embedded embedded_roles =
${roles%,};
EOF
