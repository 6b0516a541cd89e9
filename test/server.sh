#!/usr/bin/env bash
#
# server.sh - builds the extension and runs throwaway servers over the staged
# build.  Nothing of the system is touched: no installation into the server's
# folders, no port, no cluster of the user's.
#
#   test/server.sh run COMMAND ...     a server for the time of one command, which finds
#                                      PGHOST, PGPORT, PGUSER and PGDATABASE set
#   test/server.sh start NAME          a server that stays until "stop NAME"
#   test/server.sh psql NAME ...       psql on it
#   test/server.sh stop NAME
#
# The database "crm" has the extension in schema crm and crm on its search_path.
#
# To be sourced, too: crm_build, crm_server_start, crm_database, crm_server_stop,
# crm_server_keep NAME, crm_server_attach NAME.
#
# CRM_BUILD says where to build (default: build/ in the tree, else in the cache
# directory), CRM_CC the compiler, CRM_FLAVOUR "ubsan" a sanitized library,
# PG_CONFIG the server to build for, CRM_POSTGRES what is started in place of its postgres.
set -euo pipefail

CRM_SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# An outer make must not leak its flags into ours.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

crm_die()
{
	echo "crm_analytics: $*" >&2
	exit 1
}

# Where everything that is built goes; does not need PostgreSQL.
crm_build_folder()
{
	if [ -z "${CRM_BUILD:-}" ]; then
		CRM_BUILD=$CRM_SOURCE/build
		if ! { mkdir -p "$CRM_BUILD" && [ -w "$CRM_BUILD" ]; } 2>/dev/null; then
			CRM_BUILD=${XDG_CACHE_HOME:-$HOME/.cache}/crm_analytics/$(cksum <<<"$CRM_SOURCE" | cut -d ' ' -f 1)
		fi
	fi
	mkdir -p "$CRM_BUILD"
	export CRM_BUILD
}

crm_locate()
{
	local dir

	if [ -z "${PG_CONFIG:-}" ]; then
		for dir in /usr/lib/postgresql/*/; do
			if [ -x "${dir}bin/postgres" ] && [ -f "${dir}lib/pgxs/src/makefiles/pgxs.mk" ]; then
				PG_CONFIG=${dir}bin/pg_config
			fi
		done
	fi
	[ -n "${PG_CONFIG:-}" ] || PG_CONFIG=$(command -v pg_config) || crm_die "PostgreSQL with its server headers is not installed"
	export PG_CONFIG
	CRM_BINDIR=$("$PG_CONFIG" --bindir)
	CRM_PKGLIBDIR=$("$PG_CONFIG" --pkglibdir)
	CRM_SHAREDIR=$("$PG_CONFIG" --sharedir)
	CRM_PGXS=$(dirname "$("$PG_CONFIG" --pgxs)")/../..
	CRM_PGXS=$(cd "$CRM_PGXS" && pwd)
	CRM_MAJOR=$("$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
	case :$PATH: in
		*:"$CRM_BINDIR":*) ;;
		*) PATH=$CRM_BINDIR:$PATH ;;
	esac

	crm_build_folder
}

# Compiles what has changed and stages it in $CRM_STAGE.
crm_build()
{
	local flavour=${CRM_FLAVOUR:-${CRM_CC:-gcc}} dir options=()

	[ -n "${CRM_BINDIR:-}" ] || crm_locate
	case $flavour in
		ubsan)
			options=(CC=clang "COPT=-fsanitize=undefined -fno-sanitize-recover=undefined -fno-sanitize=function -g")
			;;
		*)
			options=(CC="$flavour")
			;;
	esac
	dir=$CRM_BUILD/pg$CRM_MAJOR-$(basename "$flavour")
	CRM_STAGE=$dir/stage
	[ "${CRM_BUILT:-}" != "$CRM_STAGE" ] || return 0
	mkdir -p "$dir/obj"
	(
		flock 9
		rm -rf "$CRM_STAGE"
		make -s -j"$(nproc)" --no-print-directory -C "$dir/obj" -f "$CRM_SOURCE/Makefile" PG_CONFIG="$PG_CONFIG" "${options[@]}" all
		make -s --no-print-directory -C "$dir/obj" -f "$CRM_SOURCE/Makefile" PG_CONFIG="$PG_CONFIG" "${options[@]}" \
			DESTDIR="$CRM_STAGE" install >"$dir/install.log" 2>&1 || { cat "$dir/install.log" >&2; exit 1; }
	) 9>"$dir/lock"
	# Scripts that this one calls use the same build.
	export CRM_BUILT=$CRM_STAGE
}

# The server refuses to run as root: as root it runs as the user postgres.
crm_as_server()
{
	if [ "$(id -u)" = 0 ]; then
		(cd "$CRM_RUN" && HOME=$CRM_RUN exec runuser -u postgres -- "$@")
	else
		(cd "$CRM_RUN" && exec "$@")
	fi
}

# Settings by which a server finds the staged build at $1.
crm_stage_settings()
{
	echo "dynamic_library_path = '$1$CRM_PKGLIBDIR:\$libdir'"
	if [ "$CRM_MAJOR" -ge 18 ]; then
		echo "extension_control_path = '$1$CRM_SHAREDIR:\$system'"
	else
		echo "extension_destdir = '$1'"
	fi
}

# Makes the server's folder $CRM_RUN: short, since a socket's path has less than
# 108 bytes; private, since connections are trusted; with its own copy of the
# staged build, which the server's user may read wherever the tree lies.
crm_run_folder()
{
	local base=${TMPDIR:-/tmp}

	[ ${#base} -le 40 ] || base=/tmp
	CRM_RUN=$(mktemp -d "$base/crm.XXXXXX")
	(
		flock -s 9
		cp -R "$CRM_STAGE" "$CRM_RUN/stage"
	) 9>"$(dirname "$CRM_STAGE")/lock"
	crm_stage_settings "$CRM_RUN/stage" >"$CRM_RUN/stage.conf"
	if [ "$(id -u)" = 0 ]; then
		chown -R postgres "$CRM_RUN"
	fi
}

# Builds and starts; stops and leaves nothing behind when the script ends.  A
# script with an EXIT trap of its own calls crm_server_stop there.
crm_server_start()
{
	crm_build
	crm_run_folder
	[ -n "$(trap -p EXIT)" ] || trap crm_server_stop EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP

	crm_as_server initdb --no-sync --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
		-D "$CRM_RUN/data" >"$CRM_RUN/initdb.log" 2>&1 || { cat "$CRM_RUN/initdb.log" >&2; crm_die "initdb failed"; }
	export PGHOST=$CRM_RUN PGPORT=$((20000 + RANDOM % 30000)) PGUSER=postgres PGDATABASE=postgres
	unset PGSERVICE PGPASSWORD PGOPTIONS PGHOSTADDR PGSSLMODE PGREQUIRESSL PGAPPNAME
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$CRM_RUN'"
		echo "port = $PGPORT"
		echo "fsync = off"
		echo "synchronous_commit = off"
		echo "full_page_writes = off"
		echo "shared_buffers = 256MB"
		echo "max_wal_size = 4GB"
		echo "timezone = 'UTC'"
		echo "log_timezone = 'UTC'"
		echo "logging_collector = off"
		cat "$CRM_RUN/stage.conf"
		[ -z "${CRM_CONFIG:-}" ] || printf '%s\n' "$CRM_CONFIG"
	} | crm_as_server tee -a "$CRM_RUN/data/postgresql.conf" >/dev/null
	crm_server_launch
	crm_database crm || { tail -n 40 "$CRM_RUN/log" >&2; crm_die "the extension could not be installed"; }
	export PGDATABASE=crm
}

crm_server_launch()
{
	local preload=() program=()

	[ -z "${CRM_POSTGRES:-}" ] || program=(-p "$CRM_POSTGRES")
	if [ "${CRM_FLAVOUR:-}" = ubsan ]; then
		preload=(env UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
			LD_PRELOAD="$(clang -print-file-name="libclang_rt.ubsan_standalone-$(uname -m).so")")
	fi
	crm_as_server "${preload[@]}" pg_ctl -s -w -t 60 "${program[@]}" -D "$CRM_RUN/data" -l "$CRM_RUN/log" start 8>&- ||
		{ cat "$CRM_RUN/log" >&2; crm_die "the throwaway server did not start"; }
}

# A new database with the extension in schema crm, on its search_path.
crm_database()
{
	createdb -T template0 -E UTF8 "$1"
	PGDATABASE=$1 psql -X -q -v ON_ERROR_STOP=1 -v db="$1" <<-'SQL'
		CREATE SCHEMA crm;
		CREATE EXTENSION crm_analytics SCHEMA crm;
		ALTER DATABASE :"db" SET search_path = crm, public;
	SQL
}

crm_server_stop()
{
	if [ -n "${CRM_RUN:-}" ] && [ -d "$CRM_RUN" ]; then
		if [ -f "$CRM_RUN/data/postmaster.pid" ]; then
			crm_as_server pg_ctl -s -w -m immediate -D "$CRM_RUN/data" stop || true
		fi
		rm -rf "$CRM_RUN"
	fi
	CRM_RUN=
}

# From now on the server outlives the script, under a name.
crm_server_keep()
{
	mkdir -p "$CRM_BUILD/servers"
	printf 'CRM_RUN=%q\nexport PGHOST=%q PGPORT=%q PGUSER=%q PGDATABASE=%q\n' \
		"$CRM_RUN" "$PGHOST" "$PGPORT" "$PGUSER" "$PGDATABASE" >"$CRM_BUILD/servers/$1"
	trap - EXIT
}

# Finds a server that was kept: true when it answers.
crm_server_attach()
{
	[ -n "${CRM_BINDIR:-}" ] || crm_locate
	[ -f "$CRM_BUILD/servers/$1" ] || return 1
	# shellcheck disable=SC1090
	. "$CRM_BUILD/servers/$1"
	pg_isready -q || return 1
}

# Ends a server that was kept; nothing to do when there is none.
crm_server_forget()
{
	crm_server_attach "$1" || true
	crm_server_stop
	rm -f "$CRM_BUILD/servers/$1"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	case ${1:-} in
		run)
			shift
			[ $# -gt 0 ] || crm_die "run what?"
			crm_server_start
			"$@"
			;;
		start)
			crm_server_forget "${2:?name of the server}"
			crm_server_start
			crm_server_keep "$2"
			echo "PGHOST=$PGHOST PGPORT=$PGPORT PGUSER=$PGUSER PGDATABASE=$PGDATABASE"
			;;
		psql)
			crm_server_attach "${2:?name of the server}" || crm_die "no server \"$2\" is running"
			exec psql -X "${@:3}"
			;;
		stop)
			crm_server_forget "${2:?name of the server}"
			;;
		*)
			sed -n '3,24s/^# \{0,1\}//p' "$0" >&2
			exit 2
			;;
	esac
fi
