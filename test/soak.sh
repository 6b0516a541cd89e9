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
every=$((seconds / 120 > 0 ? seconds / 120 : 1))

crm_server_start
out=$CRM_BUILD/soak
rm -rf "$out"
mkdir -p "$out"
psql -X -q -o /dev/null -v customers="$customers" -f "$here/soak.sql"

# name, sessions, most transactions a second; the script comes by standard input
worker()
{
	cat >"$out/$1.sql"
	PGAPPNAME=soak_$1 pgbench -n -f "$out/$1.sql" -D customers="$customers" -c "$2" -j 1 -T "$seconds" -R "$3" >"$out/$1.out" 2>&1 &
	workers+=("$!:$1")
}
workers=()

worker writer 2 40 <<'SQL'
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
worker reader 2 20 <<'SQL'
\set id random(1, :customers)
SELECT cardinality(segment('best', 'shop')), cardinality(segment('rich & !surfer | amount >= 90', 'shop'));
SELECT profile(:id, 'shop'), (SELECT count(*) FROM tags_of(:id, 'shop'));
SELECT window_funnel(t, '30 days', ARRAY['view', 'order']), event_count(t) FROM timeline_of(:id, 'shop') t;
SELECT sum(predict('buyer', c)) FROM public.customer c WHERE id BETWEEN :id AND :id + 100;
SQL
worker refresher 1 1 <<'SQL'
SELECT count(*) FROM fold_tags('shop');
SELECT count(*) FROM refresh_timelines('shop');
SELECT count(*) FROM refresh_tags('shop');
SELECT count(*) FROM consume_segment_changes('best', 'soak', 1000, 'shop');
SQL
worker reporter 1 0.5 <<'SQL'
\set id random(1, :customers)
SELECT length(report('shop'));
SELECT count(*) FROM refresh_reports('shop');
SELECT length(customer_page(:id, 'shop'));
SELECT count(*) FROM segment_profile('best', NULL, 'shop');
SQL
worker trainer 1 0.5 <<'SQL'
SELECT retrain('buyer') IS NOT NULL;
SELECT kmeans_fit(4, ARRAY[amount, length(city), joined - date '2020-01-01']::float8[]) IS NOT NULL FROM public.customer WHERE id <= 3000;
SELECT boosted_trees_fit(amount > 50, ARRAY[id % 7, joined - date '2020-01-01']::float8[], '{"trees": 10}') IS NOT NULL FROM public.customer WHERE id <= 3000;
SELECT recommend_fit(customer, what || coalesce(channel, '')) IS NOT NULL FROM public.event WHERE customer <= 2000;
SQL

# What a session has for itself (not the buffers that all share), kB.
while [ -n "$(jobs -rp)" ]; do
	sleep "$every"
	while IFS='|' read -r pid name; do
		kb=$(sed -n 's/^RssAnon:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$pid/status" 2>/dev/null) || continue
		[ -z "$kb" ] || printf '%s\t%s\t%s\t%s\n' "$SECONDS" "$pid" "$name" "$kb" >>"$out/memory"
	done < <(psql -X -At -c "SELECT pid, application_name FROM pg_stat_activity WHERE application_name LIKE 'soak\_%'")
done

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

# Memory: the median of the last quarter beside that of the second, when caches are filled.  A leak of one row in each statement
# is megabytes in an hour; what an allocator keeps back is not.
awk -F '\t' '
	{ n[$2]++; kb[$2, n[$2]] = $4; name[$2] = $3 }
	function median(pid, from, to,    i, j, k, v, x) {
		k = 0
		for (i = from; i <= to; i++) v[++k] = kb[pid, i]
		for (i = 2; i <= k; i++) { x = v[i]; for (j = i - 1; j > 0 && v[j] > x; j--) v[j + 1] = v[j]; v[j + 1] = x }
		return v[int((k + 1) / 2)]
	}
	END {
		for (pid in n) {
			if (n[pid] < 8) continue
			q = int(n[pid] / 4)
			early = median(pid, q + 1, 2 * q); late = median(pid, n[pid] - q + 1, n[pid])
			bad = late > early * 1.2 + 8192
			printf "%-15s %8d kB, then %8d kB%s\n", name[pid], early, late, bad ? "  GROWS" : ""
		}
	}' "$out/memory" | sort | tee "$out/memory.summary"
[ -s "$out/memory.summary" ] || problem "no memory was measured"
! grep -q GROWS "$out/memory.summary" || problem "memory grows"
echo "soak of $seconds s: $failed problems"
[ "$failed" = 0 ]
