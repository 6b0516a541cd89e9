#!/usr/bin/env bash
#
# test/bench/run.sh - measures the extension beside plain SQL, and beside other
# extensions where the server has them, on a cluster of its own that is kept for
# the next time.
#
#   BENCH_SCALE  1 is 10 million customers and 20 million events (default), 0.1 a tenth
#   BENCH_RUNS   runs of which the median counts (5)
#   BENCH_DATA   folder of the cluster (default: /var/tmp/crm_analytics-bench-SCALE)
#   BENCH_STAGE  a folder with further staged extensions to compare with
#   BENCH_ENGINES  folder of DuckDB and ClickHouse, fetched from npm where node is there and npm reachable, and of
#                their copies of the data (default: BENCH_DATA with -engines behind it); "none" leaves them out
#   BENCH_GROWTH "none" leaves out what is measured at a hundredth and a tenth of the rows
#   ONLY         a regular expression of job names
#
# Prints a table; single runs go to results.csv, the table to results.txt in
# build/bench.  What was measured of each job replaces test/bench/results, after a
# comparison with what stood there.  Fails when a job failed, was slower than
# before by more than the noise, or grows faster than its target.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=test/server.sh
. "$here/../server.sh"

scale=${BENCH_SCALE:-1}
[[ $scale =~ ^[0-9]+(\.[0-9]+)?$ ]] || crm_die "BENCH_SCALE must be a number, not \"$scale\""
# Not below 10,000 customers: many jobs take a tenth or a hundredth of them.
BENCH_CUSTOMERS=$(awk -v s="$scale" 'BEGIN { n = int(10000000 * s); print n < 10000 ? 10000 : n }')
BENCH_EVENTS=$((BENCH_CUSTOMERS * 2))
export BENCH_CUSTOMERS BENCH_EVENTS
data=${BENCH_DATA:-/var/tmp/crm_analytics-bench-$scale}

crm_build
out=$CRM_BUILD/bench
mkdir -p "$out"

# The kept cluster under a short name, over a fresh copy of the staged build.
crm_run_folder
if [ -n "${BENCH_STAGE:-}" ]; then
	cp -R "$BENCH_STAGE/." "$CRM_RUN/stage"
	[ "$(id -u)" != 0 ] || chown -R postgres "$CRM_RUN/stage"
fi
finish()
{
	crm_as_server pg_ctl -s -m fast -D "$CRM_RUN/data" stop 2>/dev/null || true
	rm -rf "$CRM_RUN"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

mkdir -p "$data"
data=$(cd "$data" && pwd)
if [ "$(id -u)" = 0 ]; then
	chown postgres "$data"
fi
chmod 700 "$data"
ln -s "$data" "$CRM_RUN/data"
if [ ! -f "$data/PG_VERSION" ]; then
	crm_as_server initdb --no-sync --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 -D "$data" >"$out/initdb.log"
	echo "include_if_exists 'bench.conf'" | crm_as_server tee -a "$data/postgresql.conf" >/dev/null
fi
[ "$(cat "$data/PG_VERSION")" = "$CRM_MAJOR" ] || crm_die "$data is a cluster of PostgreSQL $(cat "$data/PG_VERSION")"
[ ! -f "$data/postmaster.pid" ] || ! crm_as_server pg_ctl -s -D "$data" status || crm_die "a server is running in $data"

# A sixth of the memory, so that both tables lie in it; durable, as a user's server is.
buffers=$(awk '/^MemTotal/ { print int($2 / 6 / 1024) }' /proc/meminfo)
export PGHOST=$CRM_RUN PGPORT=$((20000 + RANDOM % 30000)) PGUSER=postgres PGDATABASE=postgres
unset PGSERVICE PGPASSWORD PGOPTIONS PGHOSTADDR PGSSLMODE PGREQUIRESSL PGAPPNAME
{
	echo "listen_addresses = ''"
	echo "unix_socket_directories = '$CRM_RUN'"
	echo "port = $PGPORT"
	echo "shared_buffers = ${buffers}MB"
	echo "max_wal_size = 8GB"
	echo "checkpoint_timeout = 30min"
	echo "autovacuum = off"
	echo "timezone = 'UTC'"
	cat "$CRM_RUN/stage.conf"
} | crm_as_server tee "$data/bench.conf" >/dev/null
crm_server_launch

# A database of so many customers, with a fresh extension.
bench_database()
{
	local customers=$2
	local -x PGDATABASE=postgres

	[ -n "$(psql -X -At -c "SELECT 1 FROM pg_database WHERE datname = '$1'")" ] || psql -X -q -c "CREATE DATABASE $1"
	PGDATABASE=$1
	if [ "$(psql -X -At -c "SELECT count(*) FROM pg_tables WHERE tablename = 'bench_ready_$customers'")" = 0 ]; then
		echo "Making $customers customers and $((customers * 2)) events in $data"
		psql -X -q -v customers="$customers" -v events="$((customers * 2))" -v active=$((customers / 10)) -f "$here/data.sql"
		psql -X -q -c "CREATE TABLE bench_ready_$customers ()"
	fi
	psql -X -q -v ON_ERROR_STOP=1 <<'SQL'
	SET client_min_messages = warning;
	DROP EXTENSION IF EXISTS crm_analytics CASCADE;
	DROP TABLE IF EXISTS bench_set, bench_rfm, bench_timeline;
	CREATE SCHEMA IF NOT EXISTS crm;
	CREATE EXTENSION crm_analytics SCHEMA crm;
SQL
	# Not every server lists staged extensions as available: try.
	psql -X -q -c "CREATE SCHEMA IF NOT EXISTS roaring" -c "CREATE EXTENSION IF NOT EXISTS roaringbitmap SCHEMA roaring" >/dev/null 2>&1 || true
	psql -X -q -v ON_ERROR_STOP=1 -f "$here/rules.sql"
}

# Growth is measured at a hundredth and a tenth of the rows, in databases of their own.
bench_database bench "$BENCH_CUSTOMERS"
export PGDATABASE=bench
[ "$BENCH_CUSTOMERS" -ge 100000 ] || BENCH_GROWTH=none
export BENCH_GROWTH=${BENCH_GROWTH:-}
if [ "$BENCH_GROWTH" != none ]; then
	bench_database bench_10 $((BENCH_CUSTOMERS / 10))
	bench_database bench_1 $((BENCH_CUSTOMERS / 100))
fi
psql -X -q -c CHECKPOINT

# The other engines: packages and their own copy of the events.
engines=${BENCH_ENGINES:-$data-engines}
export BENCH_ENGINES=
if [ "$engines" != none ] && command -v node >/dev/null && command -v npm >/dev/null; then
	mkdir -p "$engines"
	engines=$(cd "$engines" && pwd)
	if [ ! -d "$engines/node_modules/chdb" ] || [ ! -d "$engines/node_modules/@duckdb" ]; then
		echo '{"private": true}' >"$engines/package.json"
		(cd "$engines" && npm install --no-audit --no-fund @duckdb/node-api chdb >"$out/npm.log" 2>&1) ||
			echo "DuckDB and ClickHouse cannot be had from npm: not compared"
	fi
	if [ -d "$engines/node_modules/chdb" ] && [ ! -f "$engines/ready_$BENCH_EVENTS" ]; then
		echo "Copying the events into DuckDB and ClickHouse in $engines"
		rm -rf "$engines"/bench.duckdb* "$engines/clickhouse" "$engines"/ready_*
		psql -X -q -c "\\copy (SELECT customer_id, to_char(ts AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), event, value FROM bench_event) TO '$engines/event.csv' CSV"
		# timestamp, not timestamptz: its arithmetic is far faster there.
		(cd "$engines" && node "$here/engine.mjs" duckdb "$engines" >"$out/duckdb.log") <<-JSON
			"CREATE TABLE event AS SELECT * FROM read_csv('event.csv', header = false, columns = {'customer_id': 'BIGINT', 'ts': 'TIMESTAMP', 'event': 'VARCHAR', 'value': 'DOUBLE'})"
			"CHECKPOINT"
		JSON
		(cd "$engines" && node "$here/engine.mjs" clickhouse "$engines" >"$out/clickhouse.log") <<-JSON
			"CREATE TABLE event (customer_id Int64, ts DateTime64(6, 'UTC'), event LowCardinality(String), value Float64) ENGINE = MergeTree ORDER BY (customer_id, ts)"
			"INSERT INTO event SELECT * FROM file('$engines/event.csv', 'CSV', 'customer_id Int64, ts DateTime64(6, ''UTC''), event String, value Float64')"
			"OPTIMIZE TABLE event FINAL"
		JSON
		rm -f "$engines/event.csv"
		if grep -h '"error"' "$out/duckdb.log" "$out/clickhouse.log"; then
			crm_die "the events could not be copied"
		fi
		touch "$engines/ready_$BENCH_EVENTS"
	fi
	[ ! -f "$engines/ready_$BENCH_EVENTS" ] || BENCH_ENGINES=$engines
fi

# XGBoost, where python3-xgboost and python3-pandas are there.
export BENCH_PYTHON=
if [ "$engines" != none ]; then
	for python in python3 /usr/bin/python3; do
		if [ -z "$BENCH_PYTHON" ] && "$python" -c 'import xgboost, pandas' 2>/dev/null; then
			BENCH_PYTHON=$python
		fi
	done
fi

rm -rf "$out/results"
mkdir -p "$out/results"
failed=
perl "$here/bench.pl" "$out/results.csv" "$out/results" "$here"/jobs/*.sql | tee "$out/results.txt" || failed=1

# Kept by size: a tenth of the rows says nothing of the whole.
kept=$here/results/$BENCH_CUSTOMERS
echo
perl "$here/results.pl" compare "$kept" "$out/results" | tee -a "$out/results.txt" || failed=1
if mkdir -p "$kept" 2>/dev/null && [ -w "$kept" ]; then
	find "$out/results" -name '*.json' -exec cp {} "$kept" \;
	perl "$here/results.pl" table "$here/results" >"$here/results/README.md"
fi
[ -z "$failed" ]
