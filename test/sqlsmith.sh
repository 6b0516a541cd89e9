#!/usr/bin/env bash
#
# sqlsmith.sh - random queries over the schema crm, made by sqlsmith, for SMITH_SECONDS
# (default an hour) or SMITH_QUERIES (default a million), whichever is over first.
# SMITH_SEED repeats a run; it is printed.
#
# On the server with assertions, where test/assert.sh has built it.  A crash, a failed
# assertion and every internal error (XX000) but those listed below is a failure.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" nightly
# shellcheck source=test/server.sh
. "$here/server.sh"
crm_locate
checked=${CRM_ASSERT:-/var/tmp/crm_analytics-assert}/$CRM_MAJOR
if [ -x "$checked/built" ] && [ "$CRM_BINDIR" != "$checked/postgresql/bin" ]; then
	mkdir -p "$CRM_BUILD/assert"
	CRM_BUILD=$CRM_BUILD/assert PG_CONFIG=$checked/postgresql/bin/pg_config exec "$0"
fi

seed=${SMITH_SEED:-$RANDOM}
queries=${SMITH_QUERIES:-1000000}
seconds=${SMITH_SECONDS:-3600}
echo "SMITH_SEED=$seed, $("$PG_CONFIG" --version)$([ ! -x "$checked/built" ] || echo ", with assertions")"

# Internal errors that the server itself has for such queries, whatever functions are in them.
known=(
	'could not find memoization table entry'
	'could not determine which collation to use'
	'plan should not reference subplan'
	'failed to build any [0-9]+-way joins'
	'could not find commutator'
	'MIN/MAX aggregate'
	'cannot compare dissimilar column types'
	'variable not found in subplan target list'
	'failed to find conversion function from unknown to '
)

# Errors are what most of these queries end with: only those that matter are kept.
CRM_CONFIG="$(printf '%s\n' "${CRM_CONFIG:-}" "log_line_prefix = '%m [%p] %e '" "restart_after_crash = off" "jit = off" "temp_file_limit = '1GB'")"
export CRM_CONFIG
crm_server_start
psql -X -q -c 'CREATE ROLE firm_analyst LOGIN; CREATE ROLE firm_reader LOGIN'
psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -f "$here/t/lib/scenario.sql"
psql -X -q -f "$here/sqlsmith.sql"
psql -X -q -c 'ALTER DATABASE crm SET search_path = smith, pg_catalog, crm, public'

status=0
timeout "$seconds" sqlsmith --exclude-catalog --target="host=$PGHOST port=$PGPORT user=$PGUSER dbname=crm" --seed="$seed" --max-queries="$queries" \
	>"$CRM_BUILD/sqlsmith.out" 2>"$CRM_BUILD/sqlsmith.log" || status=$?
cp "$CRM_RUN/log" "$CRM_BUILD/sqlsmith-server.log"

ran=$(psql -X -At -c "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'crm'" 2>/dev/null || echo "no server after them")
echo "$ran transactions, $(grep -c ' ERROR: ' "$CRM_RUN/log" || true) errors, $(grep -cE ' XX[0-9A-Z]{3} ' "$CRM_RUN/log" || true) of them internal"
failed=0
# 124: the time is over
[ "$status" = 0 ] || [ "$status" = 124 ] || { echo "sqlsmith ended with $status"; tail -n 5 "$CRM_BUILD/sqlsmith.log"; failed=1; }
pg_isready -q || { echo "the server is gone"; failed=1; }
if grep -aE 'PANIC|TRAP|terminated by signal|runtime error| XX[0-9A-Z]{3} (ERROR|FATAL)' "$CRM_RUN/log" |
	grep -avE "$(IFS='|' && echo "${known[*]}")" | sed -E 's/^.*(XX[0-9A-Z]{3})/\1/' | sort | uniq -c | sort -rn >"$CRM_BUILD/sqlsmith-found" && [ -s "$CRM_BUILD/sqlsmith-found" ]; then
	cat "$CRM_BUILD/sqlsmith-found"
	failed=1
fi
exit "$failed"
