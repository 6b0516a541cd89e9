-- robust_scale_agg, outlier_score, tukey_fences; isolation_forest_fit.
SET extra_float_digits = 0;
SELECT crm.robust_scale_agg(v) FROM (VALUES (1::float8), (2), (3), (4), (100), (NULL)) AS t (v);
SELECT crm.robust_scale_agg(v) FROM (VALUES (NULL::float8)) AS t (v);
SELECT crm.robust_scale_agg(7::float8), (crm.robust_scale_agg(7::float8)).mad;
-- 0.6745 (value - median) / MAD, as Iglewicz and Hoaglin print it
SELECT v, round(crm.outlier_score(v, s)::numeric, 4) AS score, crm.is_outlier(v, s) AS out, crm.is_outlier(v, s, 100) AS far_out, crm.tukey_fences(s), v NOT BETWEEN (crm.tukey_fences(s)).lower AND (crm.tukey_fences(s)).upper AS beyond
FROM (VALUES (1::float8), (3), (8.1), (8.2), (100), (NULL)) AS t (v), (SELECT crm.robust_scale_agg(v) AS s FROM (VALUES (1::float8), (2), (3), (4), (100)) AS t (v)) x;
SELECT crm.outlier_score('Infinity', s) AS above, crm.outlier_score(-1e308, s) < -1e307 AS below, crm.outlier_score(5, NULL), crm.outlier_score(5.5::numeric, s), crm.tukey_fences(s, 3) FROM (SELECT crm.robust_scale_agg(v) AS s FROM generate_series(1, 9) v) x;
-- more than half equal: the mean deviation; all equal: another value is infinitely far
SELECT round(crm.outlier_score(9, s)::numeric, 4) AS by_mean_deviation, s FROM (SELECT crm.robust_scale_agg(v) AS s FROM (VALUES (7), (7), (7), (7), (9)) AS t (v)) x;
SELECT crm.outlier_score(7, s) AS same, crm.outlier_score(7.1, s) AS above, crm.outlier_score(-7, s) AS below, crm.is_outlier(8, s) AS out FROM (SELECT crm.robust_scale_agg(7) AS s FROM generate_series(1, 5)) x;
-- against the same in plain SQL
CREATE TABLE outliers_test AS
SELECT i AS id, i % 10 AS branch, (i::bigint * 7919 * 104729 % 1000003) / 97.0::float8 AS many, CASE WHEN i % 3 > 0 THEN 0 ELSE i * 37 % 401 END::float8 AS zeros,
	CASE WHEN i % 5 > 0 THEN exp(i % 1000 / 100.0) END::float8 AS gaps FROM generate_series(1, 20001) i;
ANALYZE outliers_test;
CREATE FUNCTION pg_temp.against_sql(c text) RETURNS TABLE (of text, median boolean, mad boolean, mean_deviation boolean, quartiles boolean) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('WITH m AS (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY %1$I) AS m, percentile_cont(0.25) WITHIN GROUP (ORDER BY %1$I) AS l, percentile_cont(0.75) WITHIN GROUP (ORDER BY %1$I) AS u, crm.robust_scale_agg(%1$I) AS s FROM outliers_test)
		SELECT %1$L, (s).median = m, abs((s).mad - (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(%1$I - m)) FROM outliers_test)) <= 1e-9 * (s).mad,
			abs((s).mean_deviation - (SELECT avg(abs(%1$I - m)) FROM outliers_test)) <= 1e-9 * (s).mean_deviation, abs((s).lower_quartile - l) <= 1e-9 * abs(l) AND abs((s).upper_quartile - u) <= 1e-9 * abs(u) FROM m', c);
END $$;
SELECT * FROM pg_temp.against_sql('many') UNION ALL SELECT * FROM pg_temp.against_sql('zeros') UNION ALL SELECT * FROM pg_temp.against_sql('gaps');
-- in parallel, in any order, of groups, in a window (Hampel's filter)
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT crm.robust_scale_agg(many), crm.isolation_forest_fit(ARRAY[many, zeros, gaps]) FROM outliers_test;
CREATE TEMP TABLE parallel AS SELECT crm.robust_scale_agg(many)::text AS s, crm.isolation_forest_fit(ARRAY[many, zeros, gaps]) AS m FROM outliers_test;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT crm.robust_scale_agg(t.many ORDER BY many DESC)::text = max(p.s) AS same, crm.model_send(crm.isolation_forest_fit(ARRAY[many, zeros, gaps] ORDER BY id DESC)) = (SELECT crm.model_send(m) FROM parallel) AS same_forest FROM outliers_test t, parallel p;
SELECT branch, (crm.robust_scale_agg(many) FILTER (WHERE id < 100)).median FROM outliers_test WHERE branch < 3 GROUP BY branch ORDER BY branch;
SELECT i, v, crm.is_outlier(v, crm.robust_scale_agg(v) OVER (ORDER BY i ROWS BETWEEN 3 PRECEDING AND 3 FOLLOWING), 3) AS spike
FROM (SELECT i, CASE WHEN i = 7 THEN 60 ELSE 10 + i % 3 END::float8 AS v FROM generate_series(1, 12) i) w ORDER BY i;
-- refused
SELECT crm.robust_scale_agg('Infinity'::float8);
SELECT crm.robust_scale_agg('NaN'::float8);
SELECT crm.robust_scale_agg(v) FROM (VALUES (1.7e308::float8), (-1.7e308), (-1.7e308)) AS t (v);
SELECT crm.outlier_score('NaN', ROW(5, 3, 1, 20, 2, 4)::crm.robust_scale);
SELECT crm.outlier_score(1, ROW(5, 3, -1, 20, 2, 4)::crm.robust_scale);
SELECT crm.outlier_score(1, ROW(5, 3, NULL, 20, 2, 4)::crm.robust_scale);

-- rows that stand apart: a cloud, and five planted far from it
CREATE TEMP TABLE cloud AS
SELECT i AS id, ARRAY[hashint4extended(i, 1) % 1000 / 100.0 + hashint4extended(i, 2) % 1000 / 100.0, hashint4extended(i, 3) % 1000 / 100.0 + hashint4extended(i, 4) % 1000 / 100.0,
	CASE WHEN i % 4 > 0 THEN hashint4extended(i, 5) % 3 END]::float8[] AS x FROM generate_series(1, 3000) i
UNION ALL VALUES (-1, '{90,90,1}'::float8[]), (-2, '{-120,0,1}'), (-3, '{70,-70,2}'), (-4, '{0,130,NULL}'), (-5, '{-80,80,0}');
CREATE TEMP TABLE forest AS SELECT crm.isolation_forest_fit(x, '{"sample": 2048}') AS m, crm.isolation_forest_fit(x, '{"seed": 2, "trees": 300, "sample": 1024}') AS other FROM cloud;
SELECT crm.model_params(m) AS params, crm.model_params(other) AS other FROM forest;
SELECT bool_and(score > most) AS planted_first, bool_and(score BETWEEN 0.55 AND 1) AS high FROM (SELECT id, crm.predict(m, x) AS score, max(crm.predict(m, x)) FILTER (WHERE id > 0) OVER () AS most FROM cloud, forest) s WHERE id < 0;
SELECT bool_and(abs(sum - log(2, crm.predict(m, x)::numeric)) < 1e-9) AS parts_add_up FROM cloud, forest, LATERAL (SELECT sum(contribution) AS sum FROM crm.explain(m, x)) e WHERE id % 100 = 0 OR id < 0;
-- what sets the second apart is its first number
SELECT feature, contribution > 0.1 AS apart FROM forest, crm.explain(m, '{-120,0,1}') WHERE feature > 0 ORDER BY contribution DESC LIMIT 1;
SELECT corr(crm.predict(m, x), crm.predict(other, x)) > 0.9 AS other_trees_agree FROM cloud, forest;
-- the text form gives the same scores; rows of nothing but NULL have one, too
SELECT bool_and(crm.predict(m, x) = crm.predict(m::text::crm.model, x)) AS same FROM forest, cloud WHERE id < 20;
SELECT crm.predict(m, '{NULL,NULL,NULL}') BETWEEN 0 AND 1 AS of_nothing FROM forest;
-- equal rows: all usual; one row, none: no model
SELECT round(crm.predict(crm.isolation_forest_fit(ARRAY[1, 2]::float8[]), '{1,2}')::numeric, 6) FROM generate_series(1, 50);
SELECT crm.isolation_forest_fit(ARRAY[1.0::float8]) AS of_one, crm.isolation_forest_fit(NULL::float8[]) AS of_none FROM generate_series(1, 1);
SELECT crm.predict(crm.isolation_forest_fit(ARRAY[i]), '{1}') AS of_two FROM generate_series(1, 2) i;
-- refused
SELECT crm.isolation_forest_fit('{}'::float8[]);
SELECT crm.isolation_forest_fit(x) FROM (VALUES ('{1}'::float8[]), ('{1,2}')) AS t (x);
SELECT crm.isolation_forest_fit('{NaN}'::float8[]);
SELECT crm.isolation_forest_fit('{1}'::float8[], '{"tree": 5}');
SELECT crm.isolation_forest_fit('{1}'::float8[], '{"trees": 0}');
SELECT crm.predict(m, '{1,2}') FROM forest;
SELECT (jsonb_set(j, '{trees}', '101'))::text::crm.model FROM (SELECT m::text::jsonb AS j FROM forest) t;
SELECT (jsonb_set(j, '{leaf_sizes,0}', '200'))::text::crm.model FROM (SELECT m::text::jsonb AS j FROM forest) t;
SELECT (jsonb_set(j, '{node_features,0}', '4'))::text::crm.model FROM (SELECT m::text::jsonb AS j FROM forest) t;
DROP TABLE outliers_test;
