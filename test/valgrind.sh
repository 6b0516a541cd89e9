#!/usr/bin/env bash
#
# valgrind.sh [ROOM ...] [mutants] - regression tests of rooms, and damaged values as in
# test/t/mutation.pl, all of it when nothing is named, on a server whose processes run
# under memcheck.  An error whose stack passes through the library is a failure, and so is
# an answer that differs; errors of the server alone are listed.
#
# The server is built for it by test/source_server.sh, with USE_VALGRIND: memcheck knows
# each allocation within a memory context then, its bounds and which of its bytes were
# written.  VALGRIND_OPTS adds options ("--track-origins=yes" says where bytes come
# from); VALGRIND_SERVER=debian takes Debian's server, where a context is one block to
# memcheck: quick to set up, and half blind.  VALGRIND_SECONDS=30 cuts statements that
# take longer (those over many rows take some minutes each here, and seldom other ways
# than over few): answers are not compared then.  CRM_MUTANTS says how many, CRM_SEED
# which.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" nightly
"$here/bootstrap.sh" assert
# shellcheck source=test/source_server.sh
. "$here/source_server.sh"

if [ "${VALGRIND_SERVER:-}" != debian ]; then
	source_server -valgrind CPPFLAGS=-DUSE_VALGRIND
	PG_CONFIG=$source_prefix/bin/pg_config
	CRM_BINDIR=$source_prefix/bin
fi

export CRM_BUILD=$CRM_BUILD/valgrind${VALGRIND_SERVER:+-$VALGRIND_SERVER}
mkdir -p "$CRM_BUILD"
# The server's user writes what was found here, wherever the tree lies.
watch=$(mktemp -d "${TMPDIR:-/tmp}/crm-valgrind.XXXXXX")
trap 'rm -rf "$watch"' EXIT
cp "$here/valgrind.supp" "$watch/suppressions"
cat >"$watch/postgres" <<-SCRIPT
	#!/bin/sh
	exec valgrind --tool=memcheck --quiet --show-leak-kinds=none --error-limit=no --num-callers=100 --trace-children=yes --read-inline-info=yes \\
		--suppressions=$watch/suppressions --xml=yes --xml-file=$watch/%p.xml $CRM_BINDIR/postgres "\$@"
SCRIPT
chmod 755 "$watch/postgres"
[ "$(id -u)" != 0 ] || chown -R postgres "$watch"

# A statement takes thirty times as long here.
mutants()
{
	local seed=${CRM_SEED:-$RANDOM}

	echo "damaged values: CRM_SEED=$seed"
	"$here/server.sh" run psql -X -q -At -v ON_ERROR_STOP=1 -o /dev/null -v mutants="${CRM_MUTANTS:-500}" -v seed="$seed" \
		-c "SET mutation.folder = '$watch'" -c "SET mutation.seconds = 600" -c "SET client_min_messages = error" -f "$here/t/lib/mutation.sql" -f - <<-'SQL'
			CALL mutation.run(:seed, :mutants, 6);
			CALL mutation.run_stored(:seed, :mutants / 10);
			\o
			SELECT n || ': ' || trouble FROM mutation.tried WHERE trouble IS NOT NULL UNION ALL SELECT n || ': ' || trouble FROM mutation.tried_stored WHERE trouble IS NOT NULL;
			\echo tried: :mutants
		SQL
}

rooms=()
wants_mutants=
for room in "$@"; do
	if [ "$room" = mutants ]; then wants_mutants=yes; else rooms+=("$room"); fi
done
export CRM_POSTGRES=$watch/postgres PG_CONFIG
status=0
if [ $# = 0 ] || [ ${#rooms[@]} -gt 0 ]; then
	if [ -n "${VALGRIND_SECONDS:-}" ]; then
		CRM_CONFIG="statement_timeout = '${VALGRIND_SECONDS}s'" ROOM=${rooms[*]-} REGRESS_TIMEOUT=${REGRESS_TIMEOUT:-14400} \
			"$here/check.sh" regress >"$CRM_BUILD/regress.log" 2>&1 || echo "answers differ, as they may: $CRM_BUILD/regress.log"
		# A run that broke off has shown nothing, and a server that went down is no cut statement.
		grep -qE '^[ #]*(All [0-9]+ tests passed|[0-9]+ of [0-9]+ tests (passed|failed))' "$CRM_BUILD/check/regress/output" || { echo "the run broke off"; status=1; }
		! grep -asE 'server closed the connection|in recovery mode|terminating connection because of crash|TRAP: ' \
			"$CRM_BUILD/check/regress/regression.diffs" || status=1
	else
		ROOM=${rooms[*]-} REGRESS_TIMEOUT=${REGRESS_TIMEOUT:-14400} "$here/check.sh" regress || status=$?
	fi
fi
if [ $# = 0 ] || [ -n "$wants_mutants" ]; then
	mutants >"$CRM_BUILD/mutants.log" 2>&1 || status=$?
	cat "$CRM_BUILD/mutants.log"
	! grep -qE '^[0-9]+: ' "$CRM_BUILD/mutants.log" || status=1
fi

rm -rf "$CRM_BUILD/processes"
mkdir -p "$CRM_BUILD/processes"
find "$watch" -name '*.xml' -exec cp {} "$CRM_BUILD/processes" \;
ls "$CRM_BUILD"/processes/*.xml >/dev/null 2>&1 || crm_die "no process ran under valgrind"
perl "$here/valgrind.pl" "$CRM_BUILD"/processes/*.xml || status=1
exit "$status"
