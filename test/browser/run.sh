#!/usr/bin/env bash
#
# browser/run.sh - pages in a real Chromium, over the database of PGDATABASE.
#
# Each *.sql beside this file writes pages into the folder of psql variable "pages"; browser/pages.mjs opens every one of
# them at three widths, light and dark, and NAME.mjs, where there is one, looks closer at those of NAME.sql.
# Pictures are left in the folder, for eyes.
#
# Ends with status 77 where Chromium, node or the chart library cannot be had.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/../bootstrap.sh" browser >/dev/null 2>&1 || true
command -v node >/dev/null || { echo "node is not installed"; exit 77; }
command -v "${CRM_CHROMIUM:-chromium}" >/dev/null || { echo "chromium is not installed"; exit 77; }
said=$("$here/../report_assets.sh") || { status=$?; echo "$said"; exit "$status"; }

# shellcheck source=test/server.sh
. "$here/../server.sh"
crm_build_folder
pages=$CRM_BUILD/browser
rm -rf "$pages"
mkdir -p "$pages"

export PGCLIENTENCODING=UTF8
psql -X -q -v ON_ERROR_STOP=1 -f "$CRM_BUILD/report/report_assets.sql" >/dev/null
# What was fetched is what the database expects, and nothing else is taken.
sum=$(sha256sum "$CRM_BUILD/report/echarts.min.js" | cut -d ' ' -f 1)
if [ "$(psql -X -At -c 'SELECT sha256 FROM crm.report_library_pin()')" = "$sum" ]; then
	echo "ok the fetched library has the checksum that is pinned"
else
	echo "not ok the fetched library has the checksum that is pinned"
fi
if [ "$(psql -X -At -c "SELECT encode(sha256(convert_to(source, 'UTF8')), 'hex') FROM crm.report_library_source()")" = "$sum" ]; then
	echo "ok and so has the one that was stored"
else
	echo "not ok and so has the one that was stored"
fi
(sed '$d' "$CRM_BUILD/report/echarts.min.js"; echo ' ') >"$pages/other.js"
if ECHARTS=$pages/other.js "$here/../report_assets.sh" >"$pages/other.log" 2>&1 || ! grep -q "SHA-256 should be $sum" "$pages/other.log"; then
	echo "not ok another file is refused"
else
	echo "ok another file is refused"
fi

for file in "$here"/*.sql; do
	psql -X -q -A -t -v ON_ERROR_STOP=1 -v pages="$pages" -v source="$CRM_SOURCE" -f "$file" >"$pages/$(basename "$file").log"
done

status=0
for file in "$here"/pages.mjs $(find "$here" -name '*.mjs' ! -name pages.mjs ! -name chromium.mjs | sort); do
	timeout 900 node "$file" "$pages" || status=1
done
exit "$status"
