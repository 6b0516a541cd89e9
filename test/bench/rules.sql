-- A thousand conditions over ten columns of bench_customer, ten of a kind side
-- by side; the first hundred are those of the 100-tag jobs.
SET client_min_messages = warning;
DROP TABLE IF EXISTS bench_rule;
CREATE TABLE bench_rule AS
SELECT i + 1 AS no, 'tag_' || i + 1 AS tag,
	   CASE i % 10
		   WHEN 0 THEN format('age BETWEEN %s AND %s', 18 + i % 40, 28 + i % 40)
		   WHEN 1 THEN format('gender = ''F'' AND age > %s', 20 + i % 50)
		   WHEN 2 THEN format('city = ''city_%s''', i)
		   WHEN 3 THEN format('country = %s', i % 30)
		   WHEN 4 THEN format('signup >= DATE ''2019-01-01'' + %s', i * 20)
		   WHEN 5 THEN format('orders >= %s', i % 20)
		   WHEN 6 THEN format('spent > %s', 10 + i * 5)
		   WHEN 7 THEN format('last_order > DATE ''2024-10-01'' - %s', 3 * i + 5)
		   WHEN 8 THEN format('opt_in AND score > %s', round(i / 100.0, 2))
		   ELSE format('score BETWEEN %s AND %s', round(i / 200.0, 3), round(i / 200.0 + 0.3, 3))
	   END AS condition
FROM generate_series(0, 999) AS i;
ALTER TABLE bench_rule ADD PRIMARY KEY (no);
ANALYZE bench_rule;
