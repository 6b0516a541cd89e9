#!/usr/bin/env bash
#
# fuzz.sh [NAME ...] - runs the fuzz targets with libFuzzer, FUZZ_SECONDS each
# (default 60) or FUZZ_RUNS executions, whichever is over first, from the corpus in
# the tree.
#
# New inputs are kept in $CRM_BUILD/fuzz/<name>.  One that crashes is kept there
# as crash-*: when the bug is mended, it goes into test/fuzz/corpus/<name>, where
# every make check replays it.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" check
# shellcheck source=test/server.sh
. "$here/server.sh"
crm_locate

seconds=${FUZZ_SECONDS:-60}
programs=$CRM_BUILD/unit-fuzz
mkdir -p "$programs"
make -s -j"$(nproc)" --no-print-directory -C "$programs" -f "$here/unit/unit.mk" SOURCE="$CRM_SOURCE" FLAVOUR=fuzz all

passed=0
failed=0
for file in "$here"/fuzz/fuzz_*.c; do
	name=$(basename "$file" .c)
	name=${name#fuzz_}
	[ $# = 0 ] || [[ " $* " == *" $name "* ]] || continue
	found=$CRM_BUILD/fuzz/$name
	seeds=$here/fuzz/corpus/$name
	mkdir -p "$found"
	echo "$name: $seconds s"
	if "$programs/fuzz_$name" -max_total_time="$seconds" ${FUZZ_RUNS:+-runs="$FUZZ_RUNS"} -timeout=20 -rss_limit_mb=4096 -print_final_stats=1 \
		-artifact_prefix="$found/crash-" "$found" ${seeds:+$([ -d "$seeds" ] && echo "$seeds")} >"$found.log" 2>&1; then
		grep -E 'number_of_executed_units|new_units_added' "$found.log" | sed 's/^/    /'
		passed=$((passed + 1))
	else
		tail -n 60 "$found.log" | sed 's/^/    /'
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
