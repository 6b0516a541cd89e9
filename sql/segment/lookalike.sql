-- lookalike_fit, lookalike_score.
CREATE TABLE lookalike_test AS
SELECT i AS id, 'k' || i AS key, i % 11 < 2 OR i % 977 < 300 AS seed, (ARRAY['a', 'b', 'c'])[i % 3 + 1] AS city, i % 977 AS score, i * 7919 % 2000 / 10.0 AS amount,
	date '2020-01-01' + i % 977 AS since, i % 2 = 0 AS flag, NULLIF(i % 7, 0) AS gap
FROM generate_series(1, 20000) i;
ANALYZE lookalike_test;
CREATE TEMP TABLE model AS SELECT crm.lookalike_fit(seed, key, city, score, amount, since, flag, gap) AS m FROM lookalike_test;
SELECT m ->> 'model' AS model, m -> 'version' AS version, m -> 'seed' AS seed, m -> 'others' AS others, round((m ->> 'auc')::numeric, 2) AS auc,
	(m ->> 'held_out_seed')::int BETWEEN 1000 AND 2000 AS held_out, jsonb_array_length(m -> 'features') AS features FROM model;
-- what the weights are, for one text: how much more often it is met in the seed, drawn towards the usual by 20
SELECT abs((m #>> '{features,0,weights,0}')::float8 - (ln((s + 20.0 * u) / (seeds + 20)) - ln((o + 20.0 * u) / (others + 20)))::float8) < 1e-9 AS as_defined
FROM model, (SELECT count(*) FILTER (WHERE seed AND city = 'a') AS s, count(*) FILTER (WHERE NOT seed AND city = 'a') AS o,
	count(*) FILTER (WHERE city = 'a')::numeric / count(*) AS u, count(*) FILTER (WHERE seed) AS seeds, count(*) FILTER (WHERE NOT seed) AS others FROM lookalike_test) AS n;
-- what tells most has the greatest weights; the seed scores higher
SELECT n, round((SELECT max(abs(w::float8)) FROM jsonb_array_elements_text(f -> 'weights') w)::numeric, 1) AS heaviest, jsonb_array_length(f -> 'weights') AS bins, f -> 'kind' AS kind
FROM model, jsonb_array_elements(m -> 'features') WITH ORDINALITY AS x (f, n) ORDER BY n;
SELECT seed, round(avg(s)::numeric, 1) AS mean, min(s) > 0 AND max(s) < 1 AS within
FROM (SELECT seed, crm.lookalike_score(m, city, score, amount, since, flag, gap) AS s FROM lookalike_test, model) x GROUP BY seed ORDER BY seed;
-- in parallel, in any order; a seed that is NULL is none, a key that is NULL is nobody
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT crm.lookalike_fit(seed, key, city, score) FROM lookalike_test;
SELECT m = (SELECT crm.lookalike_fit(seed, key, city, score, amount, since, flag, gap) FROM lookalike_test) AS in_parallel,
	m = (SELECT crm.lookalike_fit(NULLIF(seed, false), key, city, score, amount, since, flag, gap)
		 FROM (SELECT * FROM lookalike_test UNION ALL SELECT id, NULL, true, 'x', 1, 1, since, true, 1 FROM lookalike_test WHERE id < 100 ORDER BY city, id DESC) AS x) AS in_another_order
FROM model;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
-- types; unknown values; missing ones
CREATE TYPE lookalike_mood AS ENUM ('good', 'bad');
CREATE DOMAIN lookalike_name AS varchar(10);
SELECT m #> '{features,0,texts}' AS enum, m #> '{features,1,texts}' AS bpchar, m #> '{features,2,texts}' AS domain, m #> '{features,3,texts}' AS boolean,
	jsonb_array_length(m #> '{features,4,borders}') AS timestamptz, jsonb_array_length(m #> '{features,5,borders}') AS numeric
FROM (SELECT crm.lookalike_fit(seed, key, CASE WHEN flag THEN 'good' ELSE 'bad' END::lookalike_mood, city::char(5), city::lookalike_name, flag, since::timestamptz, amount::numeric) AS m
	  FROM lookalike_test) AS x;
SELECT crm.lookalike_score(m, 'never met'::text, NULL::int, 1e308::float8, NULL::date, NULL::boolean, -5) BETWEEN 0 AND 1 AS fine FROM model;
SELECT crm.lookalike_score(NULL, 1);
-- nobody, only seed, no seed, one of each
SELECT crm.lookalike_fit(true, 'k', 1) FROM lookalike_test WHERE false;
SELECT crm.lookalike_fit(true, key, score) FROM lookalike_test;
SELECT crm.lookalike_fit(false, key, score) FROM lookalike_test;
SELECT m - 'features' FROM (SELECT crm.lookalike_fit(id = 1, key, score) AS m FROM lookalike_test WHERE id < 3) AS x;
SELECT count(crm.lookalike_score(m, score)) FROM (SELECT crm.lookalike_fit(id = 1, key, score) AS m FROM lookalike_test WHERE id < 3) AS x, lookalike_test;
-- refused
SELECT crm.lookalike_fit(true, 'k', 'x');
SELECT crm.lookalike_fit(true, 'k', '{1}'::int[]);
SELECT crm.lookalike_fit(true, 'k', 'NaN'::float8);
SELECT crm.lookalike_fit(true, 'k', 'infinity'::date);
SELECT crm.lookalike_fit(true, 'k', repeat('x', 1001));
SELECT crm.lookalike_fit(true, 'k', VARIADIC ARRAY[1, 2]);
SELECT crm.lookalike_fit(seed, key, key) FROM lookalike_test;
SELECT crm.lookalike_score(m, 1) FROM model;
SELECT crm.lookalike_score(m, 1, 2, 3, since, flag, gap) FROM model, lookalike_test WHERE id = 1;
SELECT crm.lookalike_score('[]', 1);
SELECT crm.lookalike_score('{}', 1);
SELECT crm.lookalike_score('{"features": [1]}', 1);
SELECT crm.lookalike_score('{"features": [{"kind": "number", "missing": 0, "borders": [1, 2], "weights": [1]}]}', 1);
SELECT crm.lookalike_score('{"features": [{"kind": "number", "missing": 0, "borders": ["x"], "weights": [1, 2]}]}', 1);
SELECT crm.lookalike_score('{"features": [{"kind": "text", "missing": 0, "other": 0, "texts": [1], "weights": [1]}]}', 'x'::text);
SELECT crm.lookalike_score('{"features": [{"kind": "number", "missing": 0, "borders": [], "weights": []}]}', 1);
DROP TABLE lookalike_test;
DROP TYPE lookalike_mood;
DROP DOMAIN lookalike_name;
