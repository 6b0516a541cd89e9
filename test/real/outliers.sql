-- Outliers among a mall's customers: scores of an isolation forest as scikit-learn 1.2.1 gives them (mean of five forests of 1,000 trees), the
-- robust scale of their income as numpy and RobustScaler do.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/scoring/mall_customers.csv
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - outliers # skip no data/scoring/mall_customers.csv'
	\quit
\endif

CREATE TABLE mall (customer_id int, gender text, age float8, income float8, spending float8);
\copy mall FROM PROGRAM 'cat "$CRM_FILE"' (FORMAT csv, HEADER)
SELECT pg_temp.same(count(*)::text, '200', 'customers') FROM mall;
SELECT pg_temp.same(crm.robust_scale_agg(income)::text, '(200,61.5,16.5,21,41.5,78)', 'numpy: median, MAD and quartiles of income') FROM mall;

CREATE TABLE forests AS SELECT n AS sample, crm.isolation_forest_fit(ARRAY[age, income, spending], jsonb_build_object('trees', 5000, 'sample', n)) AS forest FROM mall, (VALUES (200), (64)) s (n) GROUP BY n;
CREATE TABLE scores AS SELECT sample, customer_id, crm.predict(forest, ARRAY[age, income, spending]) AS score FROM mall, forests;
SELECT pg_temp.note(max(abs(s.score - e.score)) < 0.006 AND count(*) = 8, format('sklearn: scores of the most and the least odd customers, %s rows a tree; largest difference %s', sample, round(max(abs(s.score - e.score))::numeric, 4)))
FROM scores s JOIN (VALUES (200, 199, 0.6309), (200, 9, 0.6189), (200, 200, 0.6147), (200, 3, 0.6101), (200, 11, 0.6050), (200, 102, 0.4197), (200, 97, 0.4191), (200, 86, 0.4163),
	(64, 9, 0.6304), (64, 3, 0.6159), (64, 199, 0.6138), (64, 11, 0.6132), (64, 200, 0.6009), (64, 86, 0.4306), (64, 93, 0.4299), (64, 97, 0.4284)) AS e (sample, customer_id, score) USING (sample, customer_id) GROUP BY sample;
SELECT pg_temp.note(abs(avg(score) - CASE sample WHEN 200 THEN 0.486295 ELSE 0.497907 END) < 0.001, format('sklearn: mean score %s, %s rows a tree', round(avg(score)::numeric, 4), sample)) FROM scores GROUP BY sample;
\ir lib/report.sql
