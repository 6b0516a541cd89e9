#!/usr/bin/env bash
#
# bi/run.sh - the views of BI tools, read by a real driver, over the database of PGDATABASE.
#
# Ends with status 77 where node or its driver, the npm package pg, cannot be had.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/server.sh
. "$here/../server.sh"
crm_build_folder

command -v node >/dev/null && command -v npm >/dev/null || { echo "node and npm are not installed"; exit 77; }
driver=$CRM_BUILD/pg
if [ ! -d "$driver/node_modules/pg" ]; then
	mkdir -p "$driver"
	[ -f "$driver/package.json" ] || echo '{"private": true}' >"$driver/package.json"
	(cd "$driver" && timeout 120 npm install --no-audit --no-fund pg@8 >npm.log 2>&1) || { echo "the npm package pg cannot be had"; exit 77; }
fi
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -f "$here/data.sql"
timeout 120 node "$here/read.mjs" "$driver"
