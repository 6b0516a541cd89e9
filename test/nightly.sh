#!/usr/bin/env bash
#
# nightly.sh - what is too slow for every change: all compilers and sanitizers,
# the kernels and the library under valgrind, the regression tests with parallel plans
# forced and with little memory, damaged values, random queries, an hour of everything
# at once, and fuzzing.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" nightly || exit 1
# shellcheck source=test/server.sh
. "$here/server.sh"
set +e
crm_locate
failed=0

step()
{
	local title=$1

	shift
	echo
	echo "== $title"
	"$@" || failed=$((failed + 1))
}

under_valgrind()
{
	local file name status=0

	for file in "$here"/unit/test_*.c; do
		name=$(basename "$file" .c)
		valgrind --quiet --error-exitcode=9 --leak-check=full "$CRM_BUILD/unit-plain/$name" >"$CRM_BUILD/valgrind-$name.log" 2>&1 || {
			echo "FAILED: $name"
			tail -n 60 "$CRM_BUILD/valgrind-$name.log"
			status=1
		}
	done
	return "$status"
}

step "all tests" "$here/check.sh"
step "killed a hundred times" env CRM_KILLS=100 TAP_TIMEOUT=3600 TEST=kill "$here/check.sh" tap
step "compiled by clang" env CRM_CC=clang "$here/check.sh" unit regress isolation
step "under sanitizers" env CRM_FLAVOUR=ubsan "$here/check.sh" unit fuzz regress isolation
step "kernels under valgrind" under_valgrind
# Answers must not depend on the plan.  Printed plans do, so tests that show one set what they need themselves.
step "parallel plans forced" env CRM_CONFIG="$(printf '%s\n' "parallel_setup_cost = 0" "parallel_tuple_cost = 0" "min_parallel_table_scan_size = 0")" \
	"$here/check.sh" regress
step "a server with assertions" "$here/assert.sh" regress isolation
step "the library under valgrind" env VALGRIND_SECONDS="${VALGRIND_SECONDS-120}" "$here/valgrind.sh"
step "PostgreSQL 17 and 18" "$here/versions.sh" 17 18
step "cancels at random moments" env TEST=cancel CRM_CANCELS=20 CRM_SCALE=3 "$here/check.sh" tap
step "damaged values" env TEST=mutation CRM_MUTANTS=10000 "$here/check.sh" tap
step "large sets, many groups" env TEST=limits CRM_LIMITS=full "$here/check.sh" tap
step "pg_upgrade" "$here/upgrade.sh"
step "out of memory, out of disk" env TEST=exhausted CRM_LIMITS=full "$here/check.sh" tap
step "little memory" env CRM_CONFIG="work_mem = '64kB'" "$here/check.sh" regress
step "random queries" "$here/sqlsmith.sh"
step "soak" "$here/soak.sh"
step "fuzzing" env FUZZ_SECONDS="${FUZZ_SECONDS:-300}" "$here/fuzz.sh"

echo
echo "$failed steps failed"
[ "$failed" = 0 ]
