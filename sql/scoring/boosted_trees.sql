-- boosted_trees_fit, boosted_trees_regression_fit: what is trained, refused and ignored; order, workers and parts do not matter.
CREATE TABLE trees_rows AS
SELECT id, ARRAY[x1, x2, CASE WHEN id % 5 = 0 THEN NULL ELSE x3 END, 7] AS x,
	(x1 > 0) <> (x2 > 3) AS yes, 3 * x1 + x2 AS number, 2 + sign(x1) + id * 7 % 11 % 3 AS visits, 1.0 + id % 3 AS weight
FROM (SELECT id, sin(id * 12.9898) AS x1, (id * 7 % 11)::float8 AS x2, cos(id * 78.233) * 1000 AS x3 FROM generate_series(1, 4000) AS id) AS r;
ANALYZE trees_rows;

-- What a model says about itself.
SELECT jsonb_pretty(crm.model_params(m) - ARRAY['base', 'training_loss', 'importance_gain', 'importance_cover', 'importance_splits'])
FROM (SELECT crm.boosted_trees_fit(yes, x, '{"trees": 20, "depth": 3}') AS m FROM trees_rows) AS r;

-- It learns what a linear model cannot; constant features are not used.
CREATE TABLE trees_models AS
SELECT 'yes' AS name, crm.boosted_trees_fit(yes, x, '{"trees": 30, "depth": 4}') AS m FROM trees_rows
UNION ALL SELECT 'number', crm.boosted_trees_regression_fit(number, x, '{"trees": 60, "depth": 4, "learning_rate": 0.3}') FROM trees_rows
UNION ALL SELECT 'median', crm.boosted_trees_regression_fit(number, x, '{"trees": 60, "depth": 4, "learning_rate": 0.3, "loss": "absolute"}') FROM trees_rows
UNION ALL SELECT 'high', crm.boosted_trees_regression_fit(number, ARRAY[0, x[2], 0, 0], '{"trees": 60, "depth": 2, "loss": "quantile", "quantile": 0.9}') FROM trees_rows
UNION ALL SELECT 'visits', crm.boosted_trees_regression_fit(visits, x, '{"trees": 60, "depth": 4, "loss": "poisson"}') FROM trees_rows
UNION ALL SELECT 'weighted', crm.boosted_trees_fit(yes, x, weight, '{"trees": 30, "depth": 4}') FROM trees_rows;
SELECT name, avg(((crm.predict(m, x) > 0.5) = yes)::int)::numeric(4, 3) AS right FROM
	(SELECT name, m, x, yes FROM trees_models, trees_rows WHERE name IN ('yes', 'weighted')) AS r,
	LATERAL (SELECT 1) AS one GROUP BY name ORDER BY name;
SELECT name, (crm.model_params(m) -> 'importance_splits' ->> 3)::int AS constant_splits, crm.model_params(m) ->> 'weight' AS weight FROM trees_models ORDER BY name;
SELECT avg(abs(crm.predict(m, x) - number)) < 0.2 AS number FROM trees_models, trees_rows WHERE name = 'number';
SELECT avg(abs(crm.predict(m, x) - number)) < 0.2 AS median FROM trees_models, trees_rows WHERE name = 'median';
SELECT avg((number <= crm.predict(m, x))::int) BETWEEN 0.88 AND 0.93 AS high FROM trees_models, trees_rows WHERE name = 'high';
SELECT abs(sum(crm.predict(m, x)) / sum(visits) - 1) < 0.01 AS visits FROM trees_models, trees_rows WHERE name = 'visits';

-- Whole weights are repeated rows.
WITH few AS MATERIALIZED (SELECT ARRAY[round(x[1] * 10), x[2], round(x[3] / 100)] AS x, yes, weight FROM trees_rows)
SELECT max(abs(crm.predict(a, x) - crm.predict(b, x))) < 1e-3 AS same, max(crm.predict(a, x)) - min(crm.predict(a, x)) > 0.5 AS differs
FROM few, (SELECT crm.boosted_trees_fit(yes, x, weight, '{"trees": 10, "depth": 3}') FROM few) AS w (a),
	(SELECT crm.boosted_trees_fit(yes, x, '{"trees": 10, "depth": 3}') FROM few, generate_series(1, weight::int)) AS r (b);

-- Order, workers and parts: the same model to the last bit.
SELECT m::text = (SELECT crm.boosted_trees_fit(yes, x, '{"trees": 30, "depth": 4}' ORDER BY x[1])::text FROM trees_rows) AS ordered,
	m::text = (SELECT crm.boosted_trees_fit(yes, x, '{"depth": 4, "trees": 30}' ORDER BY id DESC)::text FROM trees_rows) AS reversed
FROM trees_models WHERE name = 'yes';
CREATE TABLE trees_parallel AS SELECT * FROM trees_rows;
ALTER TABLE trees_parallel SET (parallel_workers = 2);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT crm.boosted_trees_fit(yes, x, '{"trees": 30, "depth": 4}') FROM trees_parallel;
SELECT m::text = (SELECT crm.boosted_trees_fit(yes, x, '{"trees": 30, "depth": 4}')::text FROM trees_parallel) AS parallel FROM trees_models WHERE name = 'yes';
SELECT m::text = (SELECT crm.boosted_trees_regression_fit(number, x, '{"trees": 60, "depth": 4, "learning_rate": 0.3}')::text FROM trees_parallel) AS parallel
FROM trees_models WHERE name = 'number';
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

-- Samples, early stopping and the seed.
SELECT (p ->> 'trees')::int < (p ->> 'trees_grown')::int AS stopped, (p ->> 'held_rows')::int BETWEEN 700 AND 900 AS held,
	(p ->> 'held_loss')::float8 > (p ->> 'training_loss')::float8 AS held_is_worse
FROM (SELECT crm.model_params(crm.boosted_trees_fit(yes, ARRAY[x[1], sin(id), cos(id * 2)],
	'{"early_stopping": 5, "trees": 500, "row_sample": 0.5, "column_sample": 0.5, "seed": 3}')) FROM trees_rows) AS r (p);
SELECT count(DISTINCT m::text) AS models FROM (SELECT crm.boosted_trees_fit(yes, x, options) AS m FROM trees_rows,
	(VALUES ('{"trees": 5, "row_sample": 0.5, "seed": 1}'::jsonb), ('{"trees": 5, "row_sample": 0.5, "seed": 2}')) AS o (options) GROUP BY options) AS r;

-- Monotone: predictions rise with the feature, whatever the rows say.
SELECT bool_and(rises) AS rises, max(p) > min(p) + 0.1 AS differs FROM (
	SELECT p, p >= lag(p) OVER (PARTITION BY second ORDER BY first) AS rises FROM (
		SELECT first, second, crm.predict(m, ARRAY[first, second]) AS p
		FROM (SELECT crm.boosted_trees_fit(yes, ARRAY[x[1], x[2]], '{"trees": 40, "monotone": [1, 0]}') AS m FROM trees_rows) AS t,
			generate_series(-1, 1, 0.02) AS first, generate_series(0, 10, 2) AS second) AS p) AS r;

-- Categories: one split parts odd ones from even ones; a category never seen is as a missing one.
SELECT m #>> '{trees}' AS trees, m ->> 'categorical' AS categorical, (SELECT sum(s::int) FROM jsonb_array_elements_text(m -> 'importance_splits') AS s) AS splits
FROM (SELECT crm.model_params(crm.boosted_trees_regression_fit(id % 50 % 2, ARRAY[id % 50], '{"trees": 1, "depth": 1, "categorical": [1]}')) FROM trees_rows) AS r (m);
SELECT crm.predict(m, ARRAY[3])::numeric(6, 4) AS odd, crm.predict(m, ARRAY[4])::numeric(6, 4) AS even, crm.predict(m, ARRAY[99]) = crm.predict(m, ARRAY[NULL::float8]) AS unseen
FROM (SELECT crm.boosted_trees_regression_fit(id % 50 % 2, ARRAY[id % 50], '{"trees": 1, "depth": 1, "learning_rate": 1, "categorical": [1]}') FROM trees_rows) AS r (m);

-- Reasons add up to the margin, which is the log odds of a class.
SELECT name, max(abs(sum - CASE name WHEN 'yes' THEN ln(p / (1 - p)) WHEN 'visits' THEN ln(p) ELSE p END)) < 1e-9 AS adds_up FROM (
	SELECT name, crm.predict(m, x) AS p, (SELECT sum(contribution) FROM crm.explain(m, x)) AS sum
	FROM trees_models, trees_rows WHERE id <= 100 AND name <> 'weighted') AS r GROUP BY name ORDER BY name;
-- A feature that no tree asks for has no part; missing ones have.
SELECT feature, contribution <> 0 AS has_part FROM trees_models, crm.explain(m, ARRAY[0.5, 4, NULL, 100]) WHERE name = 'yes' ORDER BY feature;

-- Text and binary forms.
SELECT bool_and(m::text::crm.model::text = m::text) AS same FROM trees_models;
CREATE FUNCTION pg_temp.refused(text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM $1::crm.model;
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN sqlstate || ': ' || right(coalesce(nullif(detail, ''), sqlerrm), 120);
END $$;
CREATE TEMP TABLE small AS SELECT '{"kind": "boosted_trees", "features": 2, "loss": "squared", "base": 1, "trees": 1, "categorical": [2], "cut_counts": [2, 3],
	"cuts": [0, 1.5, 10, 20, 30], "node_features": [1, 0, 2, 0, 0], "node_bins": [1, 0], "missing_right": [1, 0], "category_sets": [5, 0, 0, 0],
	"leaf_values": [0.5, -1, 2], "leaf_covers": [6, 3, 1]}'::jsonb AS m;
SELECT x, crm.predict(m::text::crm.model, x) FROM small, (VALUES ('{1,10}'::float8[]), ('{1.5,10}'), ('{1.5,20}'), ('{9,30}'), ('{9,40}'), ('{NULL,20}'), ('{NULL,NULL}')) AS v (x);
SELECT e.* FROM small, crm.explain(m::text::crm.model, ARRAY[2, 20]) AS e ORDER BY feature;
SELECT key, value, pg_temp.refused(jsonb_set(m, ARRAY[key], value::jsonb)::text) FROM small, (VALUES
	('loss', '"hinge"'), ('loss', '"quantile"'), ('quantile', '0.5'), ('base', '1e32'), ('trees', '0'), ('trees', '2'), ('trees', '-1'), ('trees', '1000000'),
	('categorical', '[3]'), ('categorical', '[2, 2]'), ('categorical', '[]'), ('cut_counts', '[2, 2]'), ('cut_counts', '[-1, 6]'), ('cut_counts', '[5]'),
	('cuts', '[0, 0, 10, 20, 30]'), ('cuts', '[0, 1.5, 10, 20, null]'), ('node_features', '[1, 0, 2, 0]'), ('node_features', '[1, 0, 2, 0, 0, 0]'),
	('node_features', '[3, 0, 2, 0, 0]'), ('node_features', '[]'), ('node_bins', '[2, 0]'), ('node_bins', '[3, 0]'), ('node_bins', '[1, 1]'), ('node_bins', '[1]'),
	('missing_right', '[2, 0]'), ('missing_right', '[1]'), ('category_sets', '[5, 0, 0]'), ('category_sets', '[8, 0, 0, 0]'), ('category_sets', '[5, 0, 0, 0, 5, 0, 0, 0]'),
	('leaf_values', '[0.5, -1]'), ('leaf_values', '[0.5, -1, 1e39]'), ('leaf_values', '[0.1, -1, 2]'), ('leaf_covers', '[6, 3, 0]'), ('leaf_covers', '[6, 3]'),
	('depth', '-1'), ('monotone', '[1]'), ('monotone', '[1, 2]'), ('importance_gain', '[1, -1]')) AS v (key, value);

-- What is not an observation; groups.
SELECT crm.boosted_trees_fit(yes, x) IS NULL AS none FROM trees_rows WHERE false;
SELECT crm.boosted_trees_fit(NULL, x) IS NULL AS no_labels FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, NULL) IS NULL AS no_features FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, 0, '{}') IS NULL AS no_weights FROM trees_rows;
SELECT yes_or_null.m::text = with_where.m::text AS same
FROM (SELECT crm.boosted_trees_fit(CASE WHEN id > 100 THEN yes END, x, '{"trees": 3}') AS m FROM trees_rows) AS yes_or_null,
	(SELECT crm.boosted_trees_fit(yes, x, '{"trees": 3}') FILTER (WHERE id > 100) AS m FROM trees_rows) AS with_where;
SELECT id % 3 AS part, crm.model_params(crm.boosted_trees_fit(yes, x, '{"trees": 2}')) ->> 'rows' AS rows FROM trees_rows GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT m::text) AS models FROM (SELECT crm.boosted_trees_fit(yes, x, '{"trees": 2}') OVER (ORDER BY id ROWS BETWEEN 40 PRECEDING AND 40 FOLLOWING) AS m
	FROM trees_rows WHERE id <= 90) AS r;

-- What is refused.
SELECT crm.boosted_trees_fit(true, x) FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, '{"tree": 5}') FROM trees_rows;
SELECT crm.boosted_trees_regression_fit(number, x, '{"loss": "hinge"}') FROM trees_rows;
SELECT crm.boosted_trees_regression_fit(number, x, '{"quantile": 0.5}') FROM trees_rows;
SELECT crm.boosted_trees_regression_fit(number, x, '{"loss": "poisson"}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, '{"depth": 13}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, '{"monotone": [1]}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, '{"monotone": [1, 0, 0, 2]}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, '{"monotone": [1, 0, 0, 0], "categorical": [1]}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, '{"categorical": [5]}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, '{"categorical": 1}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, '[]') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, jsonb_build_object('trees', 1 + id % 2)) FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x[1:2 + id % 2]) FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, '{}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, '{1,NaN}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, '{-Infinity}') FROM trees_rows;
SELECT crm.boosted_trees_regression_fit('1e31', x) FROM trees_rows;
SELECT crm.boosted_trees_regression_fit('NaN', x) FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, -1, '{}') FROM trees_rows;
SELECT crm.boosted_trees_fit(yes, x, '1e7', '{}') FROM trees_rows;
SET crm_analytics.training_memory = '1MB';
SELECT crm.boosted_trees_fit(yes, x) FROM trees_rows, generate_series(1, 5);
SELECT crm.boosted_trees_fit(yes, x) FROM trees_rows, generate_series(1, 100);
RESET crm_analytics.training_memory;
SELECT crm.boosted_trees_fit_transfn(NULL, true, '{1}');

-- Training stops when asked to.
SET statement_timeout = '300ms';
SELECT crm.boosted_trees_fit(yes, x, '{"trees": 10000, "depth": 12}') FROM trees_rows, generate_series(1, 10);
RESET statement_timeout;

-- Merging, with empty sides and damaged ones.
CREATE AGGREGATE pg_temp.trees_state(boolean, float8[], jsonb) (SFUNC = crm.boosted_trees_fit_transfn, STYPE = crm.agg_state);
CREATE AGGREGATE pg_temp.trees_merge(crm.agg_state) (SFUNC = crm.boosted_trees_fit_combinefn, STYPE = crm.agg_state, FINALFUNC = crm.boosted_trees_fit_finalfn);
CREATE AGGREGATE pg_temp.trees_number_state(float8, float8[], jsonb) (SFUNC = crm.boosted_trees_regression_fit_transfn, STYPE = crm.agg_state);
SELECT pg_temp.trees_merge(state::text::crm.agg_state)::text = (SELECT m::text FROM trees_models WHERE name = 'yes') AS same
FROM (SELECT pg_temp.trees_state(yes, x, '{"trees": 30, "depth": 4}') AS state FROM trees_rows GROUP BY id % 7
	UNION ALL SELECT NULL UNION ALL SELECT pg_temp.trees_state(NULL, x, '{"trees": 30, "depth": 4}') FROM trees_rows) AS p;
SELECT pg_temp.trees_merge(NULL) IS NULL AS none FROM trees_rows;
SELECT pg_temp.trees_merge(state) FROM (SELECT pg_temp.trees_state(yes, x, '{"trees": 30}') AS state FROM trees_rows UNION ALL
	SELECT pg_temp.trees_state(yes, x, '{"trees": 31}') FROM trees_rows) AS p;
SELECT pg_temp.trees_merge(state) FROM (SELECT pg_temp.trees_state(yes, x, '{}') AS state FROM trees_rows UNION ALL
	SELECT pg_temp.trees_number_state(number, x, '{}') FROM trees_rows) AS p;
-- Every bit turned: refused, or a model; never anything else.
DO $$
DECLARE
	state bytea;
	refused int := 0;
	answered int := 0;
	m crm.model;
BEGIN
	SELECT crm.agg_state_send(pg_temp.trees_state(yes, x[1:2], '{"trees": 1, "depth": 2}')) INTO state FROM trees_rows WHERE id <= 12;
	FOR bit IN 0 .. length(state) * 8 - 1 LOOP
		BEGIN
			SELECT pg_temp.trees_merge(replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '')::crm.agg_state) INTO m;
			IF NOT crm.predict(m, CASE WHEN (crm.model_params(m) ->> 'features')::int = 2 THEN '{0,3}'::float8[] END) BETWEEN -1e31 AND 1e31 THEN
				RAISE 'not a score, bit %', bit;
			END IF;
			answered := answered + 1;
		EXCEPTION WHEN data_corrupted OR invalid_text_representation OR invalid_parameter_value OR character_not_in_repertoire OR
				numeric_value_out_of_range OR program_limit_exceeded THEN
			refused := refused + 1;
		END;
	END LOOP;
	ASSERT refused > 50 AND answered > 50, format('%s refused, %s answered', refused, answered);
END $$;

-- Dirty rows: missing ones, outliers, constants and doubles cost little.
SELECT bool_and(p BETWEEN 0 AND 1) AS probabilities, avg(((p > 0.5) = yes)::int)::numeric(4, 2) AS right FROM (
	SELECT yes, crm.predict(m, x) AS p FROM trees_rows, (
		SELECT crm.boosted_trees_fit(yes, ARRAY[CASE WHEN id % 100 = 0 THEN 1e300 WHEN id % 5 > 0 THEN x[1] END, x[2], -1e300, 0], '{"trees": 30, "depth": 4}')
		FROM (SELECT * FROM trees_rows UNION ALL SELECT * FROM trees_rows WHERE id % 50 = 0) AS r) AS t (m)) AS r;

-- The largest of all targets and weights: answers stay numbers.
SELECT loss, count(*) FILTER (WHERE p BETWEEN -1e31 AND 1e31) AS numbers FROM (
	SELECT loss, crm.predict(m, x) AS p FROM trees_rows, (
		SELECT loss, crm.boosted_trees_regression_fit(CASE id % 7 WHEN 0 THEN 1e30 WHEN 1 THEN 0 ELSE 1e-30 END, x, CASE WHEN id % 3 = 0 THEN 1e6 ELSE 1e-30 END, jsonb_build_object('loss', loss, 'trees', 20))
		FROM trees_rows, unnest('{squared,absolute,poisson}'::text[]) AS loss GROUP BY loss) AS t (loss, m)) AS r GROUP BY loss ORDER BY loss;

DROP TABLE trees_rows, trees_parallel, trees_models;
