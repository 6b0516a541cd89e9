#!/usr/bin/env bash
#
# soak.sh - for SOAK_SECONDS (default an hour) everything at once on a throwaway
# server: writers on tracked tables, readers of sets, profiles and timelines,
# refreshes and folds, reports, trainings, each in sessions that stay.
#
# No statement may fail, the sessions' memory must not grow, and at the end the
# sets and timelines are those that plain SQL makes of the tables.  SOAK_CUSTOMERS
# says how large the shop is.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" check
# shellcheck source=test/server.sh
. "$here/server.sh"

seconds=${SOAK_SECONDS:-3600}
customers=${SOAK_CUSTOMERS:-20000}

crm_server_start
out=$CRM_BUILD/soak
rm -rf "$out"
mkdir -p "$out"
psql -X -q -o /dev/null -v customers="$customers" -f "$here/soak.sql"

# name, sessions, most transactions a second, one of how many is measured; the script comes by standard input.  Memory is taken
# between statements: what is in the session's contexts, and what the process has for itself (not the buffers that all share).
worker()
{
	{
		cat
		cat <<-SQL
			\\set measured random(1, $4)
			\\if :measured = 1
			INSERT INTO public.memory (name, pid, used, resident) SELECT '$1', pg_backend_pid(), sum(used_bytes) / 1024,
				(regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\\s*(\\d+)'))[1]::bigint FROM pg_backend_memory_contexts;
			\\endif
		SQL
	} >"$out/$1.sql"
	PGAPPNAME=soak_$1 pgbench -n -f "$out/$1.sql" -D customers="$customers" -c "$2" -j 1 -T "$seconds" -R "$3" >"$out/$1.out" 2>&1 &
	workers+=("$!:$1")
}
workers=()

worker writer 2 40 100 <<'SQL'
\set id random(1, :customers)
\set other random(1, :customers)
\set what random(1, 10)
\set amount random(0, 99)
\if :what <= 4
INSERT INTO public.event SELECT :id, now() - random() * interval '100 days', (ARRAY['view', 'cart', 'order'])[1 + floor(random() * 3)::int], :amount, 'c' || :other % 4 FROM generate_series(1, :what);
\elif :what <= 7
UPDATE public.customer SET amount = :amount, city = 'city ' || :amount % 7 WHERE id = :id;
\elif :what = 8
DELETE FROM public.event WHERE customer = :id;
\elif :what = 9
DELETE FROM public.customer WHERE id = :id;
\else
INSERT INTO public.customer VALUES (:id, :amount, 'city ' || :other % 7, '2024-01-01') ON CONFLICT (id) DO UPDATE SET amount = excluded.amount;
\endif
SQL
worker reader 2 20 20 <<'SQL'
\set id random(1, :customers)
SELECT cardinality(segment('best', 'shop')), cardinality(segment('rich & !surfer | amount >= 90', 'shop'));
SELECT profile(:id, 'shop'), (SELECT count(*) FROM tags_of(:id, 'shop'));
SELECT window_funnel(t, '30 days', ARRAY['view', 'order']), event_count(t) FROM timeline_of(:id, 'shop') t;
SELECT sum(predict('buyer', c)) FROM public.customer c WHERE id BETWEEN :id AND :id + 100;
SQL
worker refresher 1 1 1 <<'SQL'
SELECT count(*) FROM fold_tags('shop');
SELECT count(*) FROM refresh_timelines('shop');
SELECT count(*) FROM refresh_tags('shop');
SELECT count(*) FROM consume_segment_changes('best', 'soak', 1000, 'shop');
SQL
worker reporter 1 0.5 1 <<'SQL'
\set id random(1, :customers)
SELECT length(report('shop'));
SELECT count(*) FROM refresh_reports('shop');
SELECT length(customer_page(:id, 'shop'));
SELECT count(*) FROM segment_profile('best', NULL, 'shop');
SQL
worker trainer 1 0.5 1 <<'SQL'
SELECT retrain('buyer') IS NOT NULL;
SELECT kmeans_fit(4, ARRAY[amount, length(city), joined - date '2020-01-01']::float8[]) IS NOT NULL FROM public.customer WHERE id <= 3000;
SELECT boosted_trees_fit(amount > 50, ARRAY[id % 7, joined - date '2020-01-01']::float8[], '{"trees": 10}') IS NOT NULL FROM public.customer WHERE id <= 3000;
SELECT recommend_fit(customer, what || coalesce(channel, '')) IS NOT NULL FROM public.event WHERE customer <= 2000;
SQL

failed=0
problem()
{
	echo "$*"
	failed=$((failed + 1))
}
for worker in "${workers[@]}"; do
	wait "${worker%%:*}" || problem "${worker#*:} ended with an error"
done
grep -h -A 3 'ERROR' "$out"/*.out | head -n 20 || true
grep -aE ' (ERROR|FATAL|PANIC): |terminated by signal|runtime error' "$CRM_RUN/log" | sort | uniq -c | sort -rn | head -n 20 >"$out/errors" || true
[ ! -s "$out/errors" ] || { cat "$out/errors"; problem "errors in the server's log"; }
for file in "$out"/*.out; do
	printf '%-10s %s\n' "$(basename "$file" .out)" "$(sed -n 's/^number of transactions actually processed: /transactions: /p' "$file")"
done

# As the log of changes says now, then refreshed, then once more from nothing: always the same sets.
psql -X -q -At -c "SELECT * FROM public.differences()" >"$out/differences.living"
psql -X -q -At -o /dev/null -c "SELECT count(*) FROM refresh_timelines('shop')" -c "SELECT count(*) FROM refresh_tags('shop')"
psql -X -q -At -c "SELECT * FROM public.differences()" >"$out/differences.refreshed"
psql -X -q -At -c "SELECT * FROM public.timeline_differences()" >"$out/differences.timelines"
for file in "$out"/differences.*; do
	[ ! -s "$file" ] || { head -n 20 "$file"; problem "not what plain SQL says: ${file##*.}"; }
done

# Memory: the median of the last quarter of a session beside that of its second, when its caches are filled.  The contexts may
# have grown by the plans of statements that came late; what malloc keeps back between them is bounded loosely.
psql -X -q -At -F ' ' >"$out/memory.summary" <<'SQL'
WITH part AS (SELECT name, pid, used, resident, ntile(4) OVER (PARTITION BY pid ORDER BY at) AS quarter, count(*) OVER (PARTITION BY pid) AS times FROM public.memory),
median AS (
	SELECT name, pid, times, percentile_disc(0.5) WITHIN GROUP (ORDER BY used) FILTER (WHERE quarter = 2) AS used, percentile_disc(0.5) WITHIN GROUP (ORDER BY used) FILTER (WHERE quarter = 4) AS used_late,
		percentile_disc(0.5) WITHIN GROUP (ORDER BY resident) FILTER (WHERE quarter = 2) AS resident, percentile_disc(0.5) WITHIN GROUP (ORDER BY resident) FILTER (WHERE quarter = 4) AS resident_late
	FROM part GROUP BY name, pid, times)
SELECT format('%s, %s times: contexts %s kB, then %s kB; process %s kB, then %s kB%s', name, times, used, used_late, resident, resident_late,
	CASE WHEN used_late > used * 1.1 + 1024 OR resident_late > resident * 1.5 + 32768 THEN ': GROWS' END)
FROM median WHERE times >= 8 ORDER BY name, pid
SQL
cat "$out/memory.summary"
[ -s "$out/memory.summary" ] || problem "no memory was measured"
! grep -q GROWS "$out/memory.summary" || problem "memory grows"
echo "soak of $seconds s: $failed problems"
[ "$failed" = 0 ]
