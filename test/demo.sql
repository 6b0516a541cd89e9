-- The checks of demo.sh, over the bank and the tags that demo/demo.sql left.
\ir real/lib/tally.sql
SET timezone = 'Asia/Shanghai';

SELECT pg_temp.same(found, expected, 'planted: ' || truth) FROM bank.truth_found ORDER BY no;
SELECT pg_temp.same(count(*), (SELECT count(*) FROM bank.truth), 'every truth is asked') FROM bank.truth_found;

-- The rules as plain SQL, with as_of as a column.
CREATE TEMP TABLE plain (tag text, value text, customer_id bigint);
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT d.name, d.value_type, v.rule FROM crm.tag_definition AS d JOIN crm.tag_version AS v USING (tag_id, version) LOOP
		EXECUTE format(CASE t.value_type
			WHEN 'boolean' THEN 'INSERT INTO plain SELECT %L, NULL, customer_id FROM (SELECT *, closing AS as_of FROM bank.customer_360, bank.calendar) AS c WHERE %s'
			ELSE 'INSERT INTO plain SELECT %L, value, customer_id FROM (SELECT customer_id, (%s)::text AS value FROM (SELECT *, closing AS as_of FROM bank.customer_360, bank.calendar) AS c) AS v WHERE value IS NOT NULL'
			END, t.name, t.rule);
	END LOOP;
END
$$;
ANALYZE plain;
SELECT pg_temp.note(count(DISTINCT tag) >= 25 AND count(DISTINCT kind) = 5, 'tags of five kinds') FROM plain JOIN crm.tag_definition ON name = tag;
SELECT pg_temp.same_rows(format('SELECT value, members FROM crm.segment_size WHERE tag = %L AND members > 0', tag),
						 format('SELECT value, count(*) FROM plain WHERE tag = %L GROUP BY value', tag), 'members of tag ' || tag)
FROM (SELECT DISTINCT tag FROM plain) AS t ORDER BY tag;
SELECT pg_temp.same_rows(format('SELECT crm.members(crm.tag(%L, %L, ''bank''))', tag, value),
						 format('SELECT customer_id FROM plain WHERE tag = %L AND value IS NOT DISTINCT FROM %L', tag, value),
						 format('customers of tag %s%s', tag, ': ' || value))
FROM (SELECT DISTINCT tag, value FROM plain) AS t
WHERE tag IN ('leaving', 'churn_risk', 'payday', '夜猫子', 'age_band', 'birthday_month', 'near_limit');

-- RFM against borders and scores in plain SQL.
CREATE TEMP TABLE plain_score AS
WITH measured AS (
	SELECT customer_id, floor(extract(epoch FROM closing - max(ordered_at)) / 86400)::int AS r, count(*) AS f, sum(amount::float8) AS m
	FROM bank.orders, bank.calendar GROUP BY customer_id, closing
), border AS (
	SELECT percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY r) AS r,
		   percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY f) AS f,
		   percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY m) AS m
	FROM measured
)
SELECT customer_id,
	   5 - (SELECT count(*) FROM unnest(border.r) AS b WHERE b < measured.r)::int AS r,
	   1 + (SELECT count(*) FROM unnest(border.f) AS b WHERE b < measured.f)::int AS f,
	   1 + (SELECT count(*) FROM unnest(border.m) AS b WHERE b < measured.m)::int AS m
FROM measured, border;
SELECT pg_temp.same_rows('SELECT customer_id, (score).recency, (score).frequency, (score).monetary FROM bank.rfm',
						 'SELECT customer_id, r, f, m FROM plain_score', 'RFM scores');

-- The same bank every time: what does not go through the C library's mathematics.
SELECT pg_temp.same(md5(string_agg(concat_ws('|', customer_id, name, name_en, gender, branch_no), ',' ORDER BY customer_id)),
					'bc19122bd62f1a5a8d726aa03c4da122', 'the same customers every time')
FROM bank.customer WHERE (SELECT count(*) FROM bank.customer) = 10000
HAVING count(*) > 0;
SELECT pg_temp.same(count(*), 20 * (SELECT count(*) FROM bank.customer), 'twenty events a customer') FROM bank.event;
SELECT pg_temp.same(count(*), 0::bigint, 'nothing happened before an account was opened')
FROM bank.event JOIN bank.customer USING (customer_id) WHERE occurred_at < opened_on;

\ir real/lib/report.sql
