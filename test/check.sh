#!/usr/bin/env bash
#
# check.sh [STAGE ...] - runs the tests and ends with one line
# "N passed, N failed" (", N skipped" when some were).
#
# Stages, all of them when none is named:
#   source     layers, exported symbols, sizes: what a reviewer would count
#   unit       kernels without PostgreSQL: plain, and under ASan and UBSan
#   fuzz       the fuzz corpora replayed under ASan and UBSan
#   regress    sql/<room>/*.sql with pg_regress; ROOM=... restricts to rooms
#   isolation  test/isolation/specs
#   doc        the SQL of README.md and doc/*.md
#   real       test/real over public data beside the checkout; TEST=... restricts to one
#   demo       the demonstration over a smaller bank, and what was planted in it
#   browser    pages in a headless Chromium: test/browser
#   bi         the views of BI tools through a driver: test/bi
#   tap        test/t; TEST=... restricts to one
#
# Logs are kept in $CRM_BUILD/check.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" check
# shellcheck source=test/server.sh
. "$here/server.sh"
crm_locate

all=(source unit fuzz regress isolation doc real demo browser bi tap)
stages=("$@")
[ ${#stages[@]} -gt 0 ] || stages=("${all[@]}")
for stage in "${stages[@]}"; do
	[[ " ${all[*]} " == *" $stage "* ]] || crm_die "unknown stage \"$stage\", one of ${all[*]}"
done

CRM_SHARED=${CRM_SHARED:-$CRM_SOURCE/../shared}
export CRM_SHARED CRM_SOURCE

logs=$CRM_BUILD/check
exec 8>"$CRM_BUILD/check.lock"
flock -n 8 || crm_die "another check of this tree is running"
rm -rf "$logs"
mkdir -p "$logs"
started=$SECONDS

# Results go to one file, so that stages may run side by side: "ok|not ok|skip<TAB>name<TAB>remark".
pass()
{
	printf 'ok\t%s\n' "$1" >>"$logs/tally"
}

fail()
{
	printf 'not ok\t%s\n' "$1" >>"$logs/tally"
	echo "FAILED: $1"
	if [ -n "${2:-}" ] && [ -f "$2" ]; then
		tail -n "${3:-200}" "$2" | sed 's/^/    /'
	fi
}

skip()
{
	printf 'skip\t%s\t%s\n' "$1" "$2" >>"$logs/tally"
	echo "skipped: $1: $2"
}

wants()
{
	[[ " ${stages[*]} " == *" $1 "* ]]
}

# Counts the "ok" and "not ok" lines of a log.  A program that printed none, or
# that failed although all of them are ok, counts as one.  77 says "skipped".
tally_tap()
{
	local name=$1 log=$2 status=$3 good=0 bad=0 line

	if [ "$status" = 77 ]; then
		skip "$name" "$(tail -n 1 "$log")"
		return
	fi
	while IFS= read -r line; do
		case $line in
			"ok "*"# skip"* | "ok "*"# SKIP"*) skip "$name" "${line#*# [sS][kK][iI][pP] }" ;;
			"ok "*)
				pass "$name: ${line#ok }"
				good=$((good + 1))
				;;
			"not ok "*"# TODO"*) ;;
			"not ok "*)
				fail "$name: ${line#not ok }"
				bad=$((bad + 1))
				;;
		esac
	done <"$log"
	if [ "$bad" -gt 0 ]; then
		tail -n 200 "$log" | sed 's/^/    /'
	elif [ "$status" != 0 ]; then
		fail "$name broke off with exit status $status" "$log"
	elif [ "$good" = 0 ]; then
		pass "$name"
	fi
}

#
# Stages without a server
#
stage_source()
{
	local status=0

	"$here/source.sh" >"$logs/source.log" 2>&1 || status=$?
	tally_tap source "$logs/source.log" "$status"
}

unit_folder()
{
	echo "$CRM_BUILD/unit-$1${CRM_CC:+-$(basename "$CRM_CC")}"
}

build_unit()
{
	local folder

	folder=$(unit_folder "$1")
	mkdir -p "$folder"
	make -s -k -j"$(nproc)" --no-print-directory -C "$folder" -f "$here/unit/unit.mk" \
		SOURCE="$CRM_SOURCE" FLAVOUR="$1" UNIT_CC="${CRM_CC:-}" >"$logs/unit-$1.log" 2>&1 || true
}

run_unit()
{
	local flavour=$1 name=$2 log folder
	shift 2
	folder=$(unit_folder "$flavour")
	log=$logs/$flavour-$name.log
	if [ ! -x "$folder/$name" ] || grep -q "Error.*\b$name\b\|\b$name\b.*Error" "$logs/unit-$flavour.log"; then
		fail "$name ($flavour) does not compile" "$logs/unit-$flavour.log" 40
		return
	fi
	if (cd "$folder" &&
		ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 \
			timeout "${UNIT_TIMEOUT:-600}" "./$name" "$@") >"$log" 2>&1; then
		pass "$name ($flavour)"
	else
		fail "$name ($flavour)" "$log" 60
	fi
}

stage_unit()
{
	local flavour file

	for flavour in plain sanitized; do
		build_unit "$flavour"
		for file in "$here"/unit/test_*.c "$here"/unit/oracle_*.c; do
			[ -f "$file" ] || continue
			run_unit "$flavour" "$(basename "$file" .c)"
		done
	done
}

stage_fuzz()
{
	local file name

	wants unit || build_unit sanitized
	for file in "$here"/fuzz/fuzz_*.c; do
		[ -f "$file" ] || continue
		name=$(basename "$file" .c)
		name=${name#fuzz_}
		mapfile -d '' -t inputs < <(find "$here/fuzz/corpus/$name" -type f -print0 2>/dev/null | sort -z)
		run_unit sanitized "replay_$name" "${inputs[@]}"
	done
}

stage_tap()
{
	local file name status

	ls "$here"/t/*.pl >/dev/null 2>&1 || return 0
	(
		# A folder of the server's user, since these tests make clusters of their own.
		crm_run_folder
		trap crm_server_stop EXIT
		cp -R "$here/t" "$here/../demo" "$CRM_RUN"
		cp -R "$CRM_SOURCE/src/upgrade" "$CRM_RUN/t/upgrade"
		chmod -R u+w "$CRM_RUN/t" "$CRM_RUN/demo"
		mkdir "$CRM_RUN/work"
		if [ "$(id -u)" = 0 ]; then
			chown -R postgres "$CRM_RUN"
		fi
		unset PGHOST PGPORT PGUSER PGDATABASE
		for file in "$CRM_RUN"/t/${TEST:-*}.pl; do
			name=t/$(basename "$file")
			# Both lanes come here: each test is of the one that takes it first.
			mkdir "$logs/taken-$(basename "$file")" 2>/dev/null || continue
			status=0
			crm_as_server env \
				PG_REGRESS="$CRM_PGXS/src/test/regress/pg_regress" \
				PERL5LIB="$CRM_PGXS/src/test/perl" \
				TEMP_CONFIG="$CRM_RUN/stage.conf" TESTDIR="$CRM_RUN/work" TESTDATADIR="$CRM_RUN/work/tmp_check" \
				TESTLOGDIR="$CRM_RUN/work/tmp_check/log" LC_ALL=C.UTF-8 PATH="$PATH" \
				timeout "${TAP_TIMEOUT:-900}" perl "$file" >"$logs/tap-$(basename "$file").log" 2>&1 || status=$?
			tally_tap "$name" "$logs/tap-$(basename "$file").log" "$status"
		done
		mkdir -p "$logs/tap-server-logs"
		cp -R "$CRM_RUN"/work/*/log/. "$logs/tap-server-logs" 2>/dev/null || true
	)
}

#
# Stages on the server
#

# Reads what pg_regress printed: "test name ... ok" before 16, TAP since.
tally_regress()
{
	local kind=$1 output=$2 status=$3 good=0 bad=0 word name

	while read -r word name; do
		name=$kind/$name
		if [ "$word" = ok ]; then
			pass "$name"
			good=$((good + 1))
		else
			fail "$name"
			bad=$((bad + 1))
		fi
	done < <(sed -nE \
		-e 's/^(test|    ) +([^ ]+) +\.\.\. (ok|FAILED).*/\3 \2/p' \
		-e 's/^ok [0-9]+ +[-+] ([^ ]+).*/ok \1/p' \
		-e 's/^not ok [0-9]+ +[-+] ([^ ]+).*/FAILED \1/p' "$output")
	if [ "$bad" -gt 0 ]; then
		cat "$(dirname "$output")/regression.diffs" 2>/dev/null || true
	elif [ "$status" != 0 ]; then
		fail "$kind" "$output"
	fi
}

stage_regress()
{
	local out=$logs/regress status=0 room tests=() options=()

	mkdir -p "$out"
	for room in ${ROOM:-$(cd "$CRM_SOURCE/sql" && ls -d */)}; do
		room=${room%/}
		mkdir -p "$out/results/$room"
		mapfile -t -O ${#tests[@]} tests < <(cd "$CRM_SOURCE/sql" && find "$room" -name '*.sql' | sort | sed 's/\.sql$//')
	done
	# Before 16 the expected output is looked for in the input's folder, without an option to say so.
	[ "$CRM_MAJOR" -lt 16 ] || options=(--expecteddir="$CRM_SOURCE")
	timeout "${REGRESS_TIMEOUT:-1800}" "$CRM_PGXS/src/test/regress/pg_regress" --inputdir="$CRM_SOURCE" --outputdir="$out" "${options[@]}" \
		--bindir="$CRM_BINDIR" --host="$PGHOST" --port="$PGPORT" --user="$PGUSER" --dbname=regression \
		setup "${tests[@]}" >"$out/output" 2>&1 || status=$?
	tally_regress regress "$out/output" "$status"
}

stage_isolation()
{
	local out=$logs/isolation status=0 specs options=()

	mapfile -t specs < <(cd "$here/isolation/specs" 2>/dev/null && find . -name '*.spec' | sed 's#^\./##; s/\.spec$//' | sort)
	[ ${#specs[@]} -gt 0 ] || return 0
	mkdir -p "$out/results"
	[ "$CRM_MAJOR" -lt 16 ] || options=(--expecteddir="$here/isolation")
	crm_database isolation
	timeout 900 "$CRM_PGXS/src/test/isolation/pg_isolation_regress" --inputdir="$here/isolation" --outputdir="$out" "${options[@]}" \
		--bindir="$CRM_BINDIR" --host="$PGHOST" --port="$PGPORT" --user="$PGUSER" --dbname=isolation --use-existing \
		"${specs[@]}" >"$out/output" 2>&1 || status=$?
	tally_regress isolation "$out/output" "$status"
}

stage_doc()
{
	local status=0

	perl "$here/doc.pl" "$CRM_SOURCE/README.md" "$CRM_SOURCE"/doc/*.md >"$logs/doc.log" 2>&1 || status=$?
	tally_tap doc "$logs/doc.log" "$status"
}

# One database for each; *.sh report "ok ..." and "not ok ..." lines or just their exit status, 77 for "skipped".
stage_real()
{
	local file name status log

	for file in "$here"/real/${TEST:-*}.sh "$here"/real/${TEST:-*}.sql; do
		[ -f "$file" ] || continue
		name=$(basename "$file")
		log=$logs/real-$name.log
		if [ ! -d "$CRM_SHARED/data" ]; then
			skip "real/$name" "no public data at $CRM_SHARED/data"
			continue
		fi
		status=0
		crm_database "real_${name%.*}"
		case $name in
			*.sh)
				PGDATABASE=real_${name%.*} "$file" >"$log" 2>&1 || status=$?
				;;
			*)
				PGDATABASE=real_${name%.*} psql -X -v ON_ERROR_STOP=1 -v shared="$CRM_SHARED" -f "$file" >"$log" 2>&1 || status=$?
				;;
		esac
		tally_tap "real/$name" "$log" "$status"
		dropdb "real_${name%.*}"
	done
}

stage_demo()
{
	local status=0

	crm_database demo
	PGDATABASE=demo "$here/demo.sh" >"$logs/demo.log" 2>&1 || status=$?
	tally_tap demo "$logs/demo.log" "$status"
	dropdb demo
}

# 77 where there is no Chromium, node or chart library.
stage_browser()
{
	local status=0

	crm_database browser
	PGDATABASE=browser "$here/browser/run.sh" >"$logs/browser.log" 2>&1 || status=$?
	tally_tap browser "$logs/browser.log" "$status"
	dropdb browser
}

# 77 where there is no node, or no driver for it.
stage_bi()
{
	local status=0

	crm_database bi
	PGDATABASE=bi "$here/bi/run.sh" >"$logs/bi.log" 2>&1 || status=$?
	tally_tap bi "$logs/bi.log" "$status"
	dropdb bi
	psql -X -q -d postgres -c 'DROP ROLE IF EXISTS bi_reader, bi_stranger' 2>/dev/null || true
}

run_stages()
{
	local stage

	for stage in "$@"; do
		wants "$stage" || continue
		local before=$SECONDS
		"stage_$stage"
		echo "$stage: $((SECONDS - before)) s"
	done
}

# Counts, and fails when nothing ran: silence is no success.
finish()
{
	local passed failed skipped line

	finished=yes
	passed=$(grep -c $'^ok\t' "$logs/tally" || true)
	failed=$(grep -c $'^not ok\t' "$logs/tally" || true)
	skipped=$(grep -c $'^skip\t' "$logs/tally" || true)
	if [ "$failed" -gt 0 ]; then
		echo
		echo "Failed:"
		grep $'^not ok\t' "$logs/tally" | cut -f 2 | sed 's/^/  /'
		echo "Logs are in $logs"
	fi
	echo "$((SECONDS - started)) seconds"
	line="$passed passed, $failed failed"
	[ "$skipped" = 0 ] || line="$line, $skipped skipped"
	echo "$line"
	[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
}

# However the script ends, the server is stopped and the last line counts.
finished=
lane=
trap 'crm_server_stop; [ -z "$lane" ] || kill "$lane" 2>/dev/null || true; [ -n "$finished" ] || { fail "the run broke off"; finish; }' EXIT

touch "$logs/tally"
echo "Building"
crm_build

# Two lanes: one works on the server, the other needs none.  The cluster tests, which take the longest, are shared out
# between them one by one.
needs_server=
for stage in regress isolation doc real demo browser bi; do
	wants "$stage" && needs_server=yes
done
# (A subshell each, with its exit status read afterwards: within "||" a failing command would not end it.)
(
	trap - EXIT
	run_stages source unit fuzz tap
) >"$logs/lane.log" 2>&1 &
lane=$!
if [ -n "$needs_server" ]; then
	crm_server_start
	set +e
	(
		set -e
		trap - EXIT
		run_stages regress isolation doc real demo browser bi
	)
	status=$?
	set -e
	[ "$status" = 0 ] || fail "a stage on the server broke off"
	if grep -nE 'PANIC|was terminated by signal|runtime error' "$CRM_RUN/log" >"$logs/server.txt"; then
		fail "the server's log is free of crashes" "$logs/server.txt" 20
	fi
	cp "$CRM_RUN/log" "$logs/server.log"
	crm_server_stop
fi
set +e
(
	set -e
	trap - EXIT
	run_stages tap
)
status=$?
set -e
wait "$lane" || status=$?
cat "$logs/lane.log"
lane=
[ "$status" = 0 ] || fail "a stage without the server broke off"

finish
