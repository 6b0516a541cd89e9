#!/usr/bin/env bash
# demo.sh - runs the demonstration over a smaller bank and compares what was
# found with what was planted.  On the database that psql connects to.
set -euo pipefail

demo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../demo" && pwd)
export PGCLIENTENCODING=UTF8

for part in data demo; do
	psql -X -q -v ON_ERROR_STOP=1 -v customers="${CUSTOMERS:-20000}" -f "$demo/$part.sql"
done
psql -X -A -t -v ON_ERROR_STOP=1 <<'SQL'
SELECT CASE WHEN found = expected THEN 'ok ' ELSE 'not ok ' END || truth || ': ' || coalesce(found::text, 'none') || ' of ' || expected
FROM bank.truth_found ORDER BY no;
SELECT CASE WHEN count(*) >= 10 THEN 'ok ' ELSE 'not ok ' END || 'truths were planted' FROM bank.truth_found;
SQL
