-- Models of purchases and of survival over the columns of a query, by name.
SET search_path = public, crm;
CREATE SCHEMA train_purchases;
SET search_path = train_purchases, crm, public;
-- Buyers of different rates, lost at different times; the last 26 weeks are held out.
CREATE TABLE buyer AS
SELECT id, rate, lost, 52 - id * 7 % 13 AS age, random FROM (SELECT id, 0.02 + 0.3 * power((id * 7919 % 1009) / 1009.0, 3) AS rate, -40 * ln(1 - (id * 104729 % 997) / 997.0) AS lost, (id * 31 % 100) / 100.0 AS random
	FROM generate_series(1, 3000) AS id) AS r;
CREATE TABLE bought AS
SELECT id, floor(least(lost, age) * rate + random)::int AS frequency, 0.0 AS recency, age, 20 + id % 7 + (id * 37 % 50) / 10.0 AS value,
	floor(greatest(least(lost, age + 26) - age, 0) * rate + random)::int AS later FROM buyer;
UPDATE bought SET recency = least(age, round((frequency / (0.02 + 0.3 * power((id * 7919 % 1009) / 1009.0, 3)))::numeric, 1)) WHERE frequency > 0;
UPDATE bought SET recency = 0.1 WHERE frequency > 0 AND recency = 0;

SELECT r ->> 'columns' AS columns, (r -> 'rows')::int + (r -> 'held_rows')::int AS rows, (SELECT string_agg(k, ' ' ORDER BY k) FROM jsonb_object_keys(r -> 'metrics') AS k) AS metrics
FROM train('buys', 'bg_nbd', 'SELECT id, frequency, recency, age, later, value FROM bought', 'later', '{"key": "id", "horizon": 26}') AS r;
-- The same as the functions over values; the score is what is expected in the horizon.
SELECT model_kind(model('buys')) AS kind, bool_and(predict('buys', b) = expected_purchases(model('buys'), 26, frequency, recency::float8, age)) AS same,
	bool_and(predict('buys', to_jsonb(b)) = predict('buys', b)) AS jsonb FROM bought AS b WHERE id <= 200;
WITH held AS (SELECT predict('buys', b) AS p, later FROM bought AS b, model_version AS v WHERE v.name = 'buys' AND row_is_held(v.split, b))
SELECT abs(avg(abs(p - later)) - (metrics ->> 'mae')::float8) < 1e-9 AS mae, abs(sqrt(avg((p - later) ^ 2)) - (metrics ->> 'rmse')::float8) < 1e-9 AS rmse,
	abs(avg(p) - (metrics ->> 'mean_expected')::float8) < 1e-9 AS expected, abs(avg(later) - (metrics ->> 'mean_observed')::float8) < 1e-9 AS observed, count(*) = (metrics ->> 'rows')::int AS rows
FROM held, model_version WHERE name = 'buys' GROUP BY metrics;
SELECT metric FROM evaluate('buys', 'SELECT * FROM bought', 'later');
-- The fit is that of the aggregate on the rows that are not held back.
SELECT model_params(model('buys')) = model_params((SELECT bg_nbd_fit(frequency, recency, age) FROM bought AS b WHERE NOT row_is_held(v.split, b))) AS same_fit FROM model_version AS v WHERE name = 'buys';
SELECT explain('buys', b) FROM bought AS b WHERE id = 1;
SELECT (r -> 'promoted')::text AS promoted FROM retrain('buys') AS r;
SELECT feature, level FROM model_drift('buys', 'SELECT frequency, recency, age FROM bought');
-- Without a time behind the training's there is nothing to measure by.
SELECT r -> 'metrics' AS metrics, r -> 'rows' AS rows, r -> 'rows_without_label' AS without FROM train('buys', 'pareto_nbd', 'SELECT frequency, recency, age FROM bought UNION ALL SELECT NULL, 1, 2') AS r;
SELECT retrain('buys');
SELECT algorithm, tied IS NOT NULL AS told FROM compare_models('{bg_nbd,mbg_nbd,linear}', 'SELECT id, frequency, recency, age, later FROM bought', 'later', '{"key": "id", "bg_nbd": {"horizon": 26}, "mbg_nbd": {"horizon": 26}}') ORDER BY 1;
-- What a purchase is worth.
SELECT (r -> 'metrics' -> 'mae') IS NOT NULL AS measured FROM train('worth', 'gamma_gamma', 'SELECT id, frequency, value AS mean_value, CASE WHEN later > 0 THEN value + id % 3 END AS later_value FROM bought', 'later_value', '{"key": "id"}') AS r;
SELECT predict('worth', b) = expected_value(model('worth'), 3, 25) AS same FROM (SELECT 3 AS frequency, 25 AS mean_value) AS b;
SELECT predict('worth', b) = expected_value(model('worth'), 0, NULL) AS same FROM (SELECT 0 AS frequency, NULL::float8 AS mean_value) AS b;

-- What is wrong.
SELECT train('x', 'bg_nbd', 'SELECT frequency, age FROM bought');
SELECT train('x', 'bg_nbd', 'SELECT frequency, recency::text, age FROM bought');
SELECT train('x', 'bg_nbd', 'SELECT frequency, recency, age FROM bought', NULL, '{"horizon": 0}');
SELECT train('x', 'bg_nbd', 'SELECT frequency, recency, age FROM bought', NULL, '{"l2": 1}');
SELECT train('x', 'gamma_gamma', 'SELECT frequency, value AS mean_value FROM bought', NULL, '{"horizon": 3}');
SELECT train('x', 'linear', 'SELECT frequency, age FROM bought');
SELECT predict('buys', b) FROM (SELECT 3 AS frequency, 60 AS recency, 30 AS age) AS b;
SELECT predict('buys', b) FROM (SELECT 3 AS frequency, NULL::float8 AS recency, 30 AS age) AS b;
SELECT predict('buys', b) FROM (SELECT 3 AS frequency, 30 AS age) AS b;

-- Who leaves when.
CREATE TABLE subscriber AS
SELECT id, least(time, 60) AS months, time <= 60 AS left_us, plan, calls, city FROM (SELECT id, plan, calls, city,
		round((-30 * exp(-0.15 * calls + CASE plan WHEN 'monthly' THEN -0.8 ELSE 0 END) * ln(1 - (id * 7919 % 1009) / 1010.0))::numeric, 2)::float8 AS time
	FROM (SELECT id, (ARRAY['monthly', 'yearly'])[1 + id % 2] AS plan, id * 31 % 8 AS calls, 'c' || id % 3 AS city FROM generate_series(1, 1500) AS id) AS s) AS t;
SELECT r ->> 'columns' AS columns, r ->> 'features' AS features, (r #>> '{metrics,concordance}')::float8 > 0.6 AS better_than_chance, jsonb_array_length(r #> '{metrics,concordance_interval}') AS limits
FROM train('leaves', 'cox', 'SELECT id, months, left_us, plan, calls, city FROM subscriber UNION ALL SELECT -1, NULL, true, NULL, 1, NULL', 'left_us', '{"key": "id", "duration": "months"}') AS r;
SELECT metric, round(value::numeric, 2) AS value FROM evaluate('leaves', 'SELECT months, left_us, plan, calls, city FROM subscriber', 'left_us');
-- Concordance, counted pair by pair.
WITH s AS (SELECT id, months, left_us, predict('leaves', s) AS p FROM subscriber AS s WHERE id <= 400)
SELECT abs(concordance_agg(months, left_us, p) - (SELECT sum(CASE WHEN a.p > b.p THEN 1 WHEN a.p = b.p THEN 0.5 ELSE 0 END) / count(*) FROM s AS a, s AS b
	WHERE a.left_us AND (a.months < b.months OR (a.months = b.months AND NOT b.left_us)))) < 1e-12 AS same FROM s;
SELECT concordance_agg(t, e, s) AS two_of_three, concordance_agg(t, e, -s) AS one_of_three, concordance_interval_agg(t, e, 1) AS chance FROM (VALUES (1.0, true, 3.0), (2, true, 1), (3, false, 2)) AS v (t, e, s);
SELECT concordance_agg(t, false, t) AS none, concordance_gain_agg(t, true, t, t) AS gain FROM (VALUES (1.0), (2)) AS v (t);
SELECT concordance_agg(1, true, NULL) AS nothing, concordance_agg(1, true, 1) AS alone;
SELECT concordance_agg(-1, true, 1);
SELECT concordance_agg(1, true, 'NaN');
-- Parallel and whole are the same.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT concordance_agg(months, left_us, calls) FROM subscriber;
SELECT concordance_agg(months, left_us, calls) AS parallel FROM subscriber \gset
SET max_parallel_workers_per_gather = 0;
SELECT concordance_agg(months, left_us, calls) = :parallel AS same FROM subscriber;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT feature, round(contribution::numeric, 1) AS contribution FROM explain('leaves', (SELECT s FROM (SELECT 'monthly' AS plan, 7 AS calls, 'c1' AS city) AS s)) ORDER BY 1;
SELECT r -> 'promoted' AS promoted, (r ->> 'loss_saved')::float8 = 0 AS the_same, (r ->> 'loss_saved_error')::float8 < 1e-9 AS surely FROM retrain('leaves') AS r;
SELECT feature, level FROM model_drift('leaves', 'SELECT plan, calls, city FROM subscriber') ORDER BY 1;
SELECT train('x', 'cox', 'SELECT * FROM subscriber', 'left_us');
SELECT train('x', 'cox', 'SELECT * FROM subscriber', 'left_us', '{"duration": "plan"}');
SELECT train('x', 'cox', 'SELECT * FROM subscriber', 'months', '{"duration": "months"}');
SELECT compare_models('{cox}', 'SELECT * FROM subscriber', 'left_us');

SELECT count(drop_model(name)) FROM model_definition WHERE name IN ('buys', 'worth', 'leaves');
SET client_min_messages = warning;
DROP SCHEMA train_purchases CASCADE;
