#!/usr/bin/env bash
#
# report_assets.sh - fetches the library that draws the charts of reports, once, from npm: the version that
# src/report/library.sql states, and compares the checksum that stands there.
#
#   ECHARTS  a copy of dist/echarts.min.js that you have already: nothing is fetched
#
# Leaves echarts.min.js and report_assets.sql in $CRM_BUILD/report; the second is to be run once in each database:
#   psql -d shop -f build/report/report_assets.sql        (-v schema=... where the extension is not in schema crm)
#
# Ends with status 77 when the library cannot be had.
set -euo pipefail

# shellcheck source=test/server.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/server.sh"
crm_build_folder

out=$CRM_BUILD/report
mkdir -p "$out"
read -r name version sum < <(sed -nE "s/^\s*SELECT '(\w+)', '([0-9.]+)', '([0-9a-f]{64})';$/\1 \2 \3/p" "$CRM_SOURCE/src/report/library.sql")
[ -n "${sum:-}" ] || crm_die "src/report/library.sql states no library"

right()
{
	[ -f "$1" ] && [ "$(sha256sum "$1" | cut -d ' ' -f 1)" = "$sum" ]
}

if [ -n "${ECHARTS:-}" ]; then
	right "$ECHARTS" || crm_die "$ECHARTS is not dist/echarts.min.js of $name $version (its SHA-256 should be $sum)"
	cp "$ECHARTS" "$out/echarts.min.js.new"
	mv "$out/echarts.min.js.new" "$out/echarts.min.js"
elif ! right "$out/echarts.min.js"; then
	command -v npm >/dev/null || { echo "npm is not installed: the chart library cannot be fetched"; exit 77; }
	fetched=$(mktemp -d)
	trap 'rm -rf "$fetched"' EXIT
	if ! (cd "$fetched" && timeout 300 npm pack --loglevel=error "$name@$version" && tar -xzf "$name-$version.tgz" package/dist/echarts.min.js) >"$out/npm.log" 2>&1 </dev/null; then
		echo "the chart library cannot be had from npm: $(grep -m 1 "npm error" "$out/npm.log" || tail -n 1 "$out/npm.log")"
		exit 77
	fi
	right "$fetched/package/dist/echarts.min.js" || crm_die "what npm gave as $name $version has another checksum than $sum"
	mv "$fetched/package/dist/echarts.min.js" "$out/echarts.min.js"
fi

{
	echo "-- $name $version (Apache License 2.0), for the pages of crm_analytics."
	echo "\\if :{?schema} \\else \\set schema crm \\endif"
	# A tag that the text does not have.
	printf 'SELECT :"schema".store_report_library($library_%s$' "${sum:0:8}"
	cat "$out/echarts.min.js"
	printf '$library_%s$);\n' "${sum:0:8}"
} >"$out/report_assets.sql.new"
mv "$out/report_assets.sql.new" "$out/report_assets.sql"
echo "$name $version is in $out.  To draw charts in the reports of a database, once, as the owner of the extension:"
echo "  psql -d DATABASE -f $out/report_assets.sql"
