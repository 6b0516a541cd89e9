#!/usr/bin/env bash
#
# versions.sh [MAJOR ...] - the tests on each major version of PostgreSQL that a
# Debian suite has; all of them when none is named.  Ends with one line
# "N passed, N failed" over all versions.
#
# A version that is installed here with its headers is tested here.  Any other
# one is tested in a chroot of the suite that has it, which debootstrap makes and which
# is kept (test/chroot.sh, about 2 GB each).
#
# ONLY, ROOM and TEST restrict the tests as for make check.  Needs root.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" versions
# shellcheck source=test/chroot.sh
. "$here/chroot.sh"

declare -A suite=([15]=bookworm [17]=trixie [18]=sid)
majors=("$@")
[ ${#majors[@]} -gt 0 ] || majors=(15 17 18)
for major in "${majors[@]}"; do
	[ -n "${suite[$major]:-}" ] || crm_die "no Debian suite has PostgreSQL \"$major\", one of 15 17 18"
done

logs=$CRM_BUILD/versions
mkdir -p "$logs"
chroot_lock

passed=0
failed=0
skipped=0
for major in "${majors[@]}"; do
	log=$logs/$major.log
	status=0
	echo "== PostgreSQL $major"
	if [ -f "/usr/lib/postgresql/$major/lib/pgxs/src/makefiles/pgxs.mk" ]; then
		# shellcheck disable=SC2086
		PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config "$here/check.sh" ${ONLY:-} 2>&1 | tee "$log" || status=$?
	else
		chroot_make "${suite[$major]}"
		chroot_copy "${suite[$major]}"
		# shellcheck disable=SC2016
		chroot_run "${suite[$major]}" bash -c 'exec /crm_analytics/test/check.sh ${ONLY:-}' 2>&1 | tee "$log" || status=$?
	fi
	read -r ok bad skip < <(tail -n 1 "$log" | sed -nE 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/p') || true
	if [ -z "${ok:-}" ] || { [ "$status" != 0 ] && [ "$bad" = 0 ]; }; then
		echo "FAILED: the run on PostgreSQL $major broke off"
		ok=0 bad=1
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	skipped=$((skipped + ${skip:-0}))
	ok='' bad='' skip=''
done
echo
line="$passed passed, $failed failed"
[ "$skipped" = 0 ] || line="$line, $skipped skipped"
echo "$line"
[ "$failed" = 0 ]
