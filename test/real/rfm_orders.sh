#!/usr/bin/env bash
#
# rfm_orders.sh - the worked example of the R package rfm: 4,906 orders of 995
# customers, scored as of 2006-12-31 with five bins.  The package's borders are
# the quantiles plus one, compared with <; of its segment rules the first that
# fits wins.  Then the extension's own borders against plain SQL.
#
# Reads PG* and CRM_SHARED; prints "ok" and "not ok" lines; 77 without the data.
set -euo pipefail

folder=${CRM_SHARED:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/../shared}/data/behavior
if [ ! -f "$folder/rfm_orders.csv" ] || [ ! -f "$folder/rfm_orders_expected.csv" ]; then
	echo "no rfm_orders.csv in $folder"
	exit 77
fi

psql -X -q -A -t -v ON_ERROR_STOP=1 <<EOF | awk '{ print } /^not ok/ { bad = 1 } END { exit bad }'
SET search_path = crm, public;
SET timezone = 'UTC';
CREATE TEMP TABLE orders (customer text, ordered date, revenue numeric);
CREATE TEMP TABLE published (customer text, recency_days int, transactions bigint, amount float8,
	recency int, frequency int, monetary int, score int, segment text);
\copy orders FROM '$folder/rfm_orders.csv' CSV HEADER
\copy published FROM '$folder/rfm_orders_expected.csv' CSV HEADER
CREATE FUNCTION pg_temp.tap(good boolean, name text) RETURNS text LANGUAGE SQL AS
	\$\$ SELECT CASE WHEN good THEN 'ok - ' ELSE 'not ok - ' END || name \$\$;

CREATE TEMP TABLE summaries AS SELECT customer, rfm_agg(ordered, revenue) AS s FROM orders GROUP BY customer;
SELECT pg_temp.tap(count(*) = 995 AND count(p.customer) = 995
		AND bool_and(date '2006-12-31' - (s).last_at::date = recency_days AND (s).frequency = transactions AND (s).monetary = amount),
	'days, orders and amount of all customers')
FROM summaries FULL JOIN published p USING (customer);

CREATE TEMP TABLE scores AS
SELECT customer, rfm_score(s, rfm_cuts('{115,181,297.4,482}', '{4,5,6,8}', '{255.8,382,506.4,666}', '2006-12-31')) AS r FROM summaries;
SELECT pg_temp.tap(count(*) = 995 AND bool_and(r = row(recency, frequency, monetary)::rfm_score
		AND (r).recency * 100 + (r).frequency * 10 + (r).monetary = score),
	'published borders give all 995 published scores')
FROM scores JOIN published USING (customer);

INSERT INTO rfm_segment_rule (map, priority, segment, recency, frequency, monetary) VALUES
	('published', 1, 'Champions', '[4,5]', '[4,5]', '[4,5]'),
	('published', 2, 'Loyal Customers', '[2,5]', '[3,5]', '[3,5]'),
	('published', 3, 'Potential Loyalist', '[3,5]', '[1,3]', '[1,3]'),
	('published', 4, 'New Customers', '[4,5]', '[1,1]', '[1,1]'),
	('published', 5, 'Promising', '[3,4]', '[1,1]', '[1,1]'),
	('published', 6, 'Need Attention', '[2,3]', '[2,3]', '[2,3]'),
	('published', 7, 'About To Sleep', '[2,3]', '[1,2]', '[1,2]'),
	('published', 8, 'At Risk', '[1,2]', '[2,5]', '[2,5]'),
	('published', 9, 'Can''t Lose Them', '[1,1]', '[4,5]', '[4,5]'),
	('published', 10, 'Lost', '[1,2]', '[1,2]', '[1,2]'),
	('published', 11, 'Others', '(,)', '(,)', '(,)');
SELECT pg_temp.tap(count(*) = 995 AND bool_and(rfm_segment(r, 'published') = segment), 'the published map gives all 995 published segments')
FROM scores JOIN published USING (customer);
SELECT pg_temp.tap(string_agg(segment || ' ' || customers, ', ' ORDER BY customers DESC) =
		'Loyal Customers 278, Potential Loyalist 229, Champions 158, Lost 111, At Risk 86, About To Sleep 50, Others 48, Need Attention 35',
	'customers of each published segment')
FROM (SELECT rfm_segment(r, 'published') AS segment, count(*) AS customers FROM scores GROUP BY 1) x;
SELECT pg_temp.tap(count(*) = 158 AND sum((s).frequency) = 1234 AND sum((s).monetary) = 120178, 'orders and revenue of the champions')
FROM scores JOIN summaries USING (customer) WHERE rfm_segment(r, 'published') = 'Champions';

-- Own borders: percentile_cont, which shares no code, and the scores that follow from them.
CREATE TEMP TABLE plain AS
SELECT customer, (date '2006-12-31' - max(ordered))::float8 AS recency, count(*)::float8 AS frequency, sum(revenue)::float8 AS monetary
FROM orders GROUP BY customer;
CREATE TEMP TABLE expected AS
SELECT percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY recency) AS r,
	percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY frequency) AS f,
	percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY monetary) AS m
FROM plain;
CREATE TEMP TABLE own AS SELECT rfm_cuts_agg(5, '2006-12-31', s) AS cuts FROM summaries;
SELECT pg_temp.tap(count(*) = 12 AND bool_and(abs(b.value - (CASE measure WHEN 'recency' THEN r WHEN 'frequency' THEN f ELSE m END)[border]) < 1e-9),
	'own borders are the quantiles')
FROM own, rfm_borders(cuts) b, expected;
SELECT pg_temp.tap(count(*) = 995 AND bool_and(rfm_score(s, cuts) = row(
		6 - (1 + (p.recency > r[1])::int + (p.recency > r[2])::int + (p.recency > r[3])::int + (p.recency > r[4])::int),
		1 + (p.frequency > f[1])::int + (p.frequency > f[2])::int + (p.frequency > f[3])::int + (p.frequency > f[4])::int,
		1 + (p.monetary > m[1])::int + (p.monetary > m[2])::int + (p.monetary > m[3])::int + (p.monetary > m[4])::int)::rfm_score),
	'own scores of all customers')
FROM summaries JOIN plain p USING (customer), own, expected;
SELECT pg_temp.tap(count(*) = 995 AND bool_and(w = o), 'the window form gives the same')
FROM (SELECT rfm_score(s, '2006-12-31', 5) OVER () AS w, rfm_score(s, cuts) AS o FROM summaries, own) x;
EOF
