-- logistic_fit: optimality against plain SQL, penalties, separation, collinearity; merging, refusals.
CREATE TABLE leads AS
SELECT i, i % 4 AS g, sin(i * 1.7) * 3 AS a, (i * 7919 % 101)::float8 AS b, (i % 3)::float8 AS c, 1 + i % 2 AS weight,
	(i * 2654435761 % 4294967296) / 4294967296.0 < 1 / (1 + exp(-(0.5 + 0.8 * sin(i * 1.7) * 3 - 0.02 * (i * 7919 % 101)))) AS bought
FROM generate_series(1, 6000) AS i;
CREATE FUNCTION pg_temp.near(a float8, b float8, bound float8 DEFAULT 1e-9) RETURNS boolean LANGUAGE sql AS
	'SELECT abs(a - b) <= bound * greatest(abs(a), abs(b), 1e-300)';
CREATE FUNCTION pg_temp.number(m model, key text, place int DEFAULT NULL) RETURNS float8 LANGUAGE sql AS
	$$SELECT CASE WHEN place IS NULL THEN (model_params(m) ->> key)::float8 ELSE (model_params(m) -> key ->> place)::float8 END$$;
CREATE FUNCTION pg_temp.same(one model, other model) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(o.value = t.value OR pg_temp.near(o.value::text::float8, t.value::text::float8))
	FROM jsonb_each(model_params(one) || jsonb_build_object('first', pg_temp.number(one, 'coefficients', 0))) o
	FULL JOIN jsonb_each(model_params(other) || jsonb_build_object('first', pg_temp.number(other, 'coefficients', 0))) t USING (key)
	WHERE o.value IS NULL OR t.value IS NULL OR jsonb_typeof(o.value) = 'number'
$$;

-- At the maximum residuals are orthogonal to every feature; likelihood and errors by their definitions.
CREATE TABLE fitted AS SELECT logistic_fit(bought, ARRAY[a, b, c]) AS m FROM leads;
SELECT (SELECT jsonb_object_agg(key, value) FROM jsonb_each(model_params(m)) WHERE key ~ 'kind|rows|weight|features|converged|positives|iterations|parameters|separation') AS params FROM fitted;
SELECT round((p -> 'z_values' ->> 0)::numeric, 6) AS z, round((p -> 'p_values' ->> 0)::numeric, 9) AS p, round((p -> 'odds_ratios' ->> 1)::numeric, 9) AS odds, p -> 'p_values' -> 1 AS no_error, p ->> 'pseudo_r_squared' AS r2, p ->> 'aic' AS aic
FROM (SELECT model_params('{"kind": "logistic", "features": 2, "intercept": 0, "coefficients": [1.959963984540054, -1], "means": [0, 0], "standard_errors": [1, null], "parameters": 2, "log_likelihood": -10, "null_log_likelihood": -20}') AS p) s;
SELECT abs(sum(r)) < 1e-8 AND abs(sum(r * a)) < 1e-8 AND abs(sum(r * b)) < 1e-6 AND abs(sum(r * c)) < 1e-8 AS orthogonal,
	pg_temp.near(sum(ln(CASE WHEN bought THEN p ELSE 1 - p END)), (SELECT pg_temp.number(m, 'log_likelihood') FROM fitted)) AS log_likelihood,
	pg_temp.near(count(*) FILTER (WHERE bought) * ln(avg(bought::int::float8)) + count(*) FILTER (WHERE NOT bought) * ln(1 - avg(bought::int::float8)), (SELECT pg_temp.number(m, 'null_log_likelihood') FROM fitted)) AS null_log_likelihood
FROM (SELECT predict(m, ARRAY[a, b, c]) AS p, bought::int - predict(m, ARRAY[a, b, c]) AS r, leads.* FROM leads, fitted) s;
-- One feature: the inverse of the 2 x 2 information.
SELECT pg_temp.near(pg_temp.number(m, 'standard_errors', 0), sqrt(s0 / (s0 * s2 - s1 * s1)), 1e-7) AS error,
	pg_temp.near(pg_temp.number(m, 'intercept_standard_error'), sqrt(s2 / (s0 * s2 - s1 * s1)), 1e-7) AS intercept
FROM (SELECT logistic_fit(bought, ARRAY[b]) AS m FROM leads) f,
	LATERAL (SELECT sum(p * (1 - p)) AS s0, sum(p * (1 - p) * b) AS s1, sum(p * (1 - p) * b * b) AS s2 FROM (SELECT predict(f.m, ARRAY[b]) AS p, b FROM leads) r) s;

-- Merging: any parts, any order, in parallel, filtered, in a window.
SELECT pg_temp.same(m, (SELECT logistic_fit(bought, ARRAY[a, b, c] ORDER BY sin(i)) FROM leads)) AS reordered FROM fitted;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
ALTER TABLE leads SET (parallel_workers = 2);
EXPLAIN (COSTS off) SELECT logistic_fit(bought, ARRAY[a, b, c]) FROM leads;
SELECT pg_temp.same(m, (SELECT logistic_fit(bought, ARRAY[a, b, c]) FROM leads)) AS parallel FROM fitted;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT bool_and(pg_temp.same(logistic_fit, (SELECT logistic_fit(bought, ARRAY[a]) FROM leads l WHERE l.g = s.g))) AS groups
FROM (SELECT g, logistic_fit(bought, ARRAY[a]) FROM leads GROUP BY g) s;
SELECT pg_temp.same(logistic_fit(bought, ARRAY[a]) FILTER (WHERE g = 1), (SELECT logistic_fit(bought, ARRAY[a]) FROM leads WHERE g = 1)) AS filtered FROM leads;
SELECT i, pg_temp.number(m, 'rows') AS rows FROM (SELECT i, logistic_fit(bought, ARRAY[a], '{"l2": 0.1}') OVER (ORDER BY i ROWS BETWEEN 50 PRECEDING AND 50 FOLLOWING) AS m FROM leads WHERE i BETWEEN 1000 AND 1100) s
WHERE i IN (1020, 1060, 1099);
SET work_mem = '64kB';
SELECT count(*) AS groups, count(DISTINCT pg_temp.number(m, 'rows')) AS sizes FROM (SELECT i / 20, logistic_fit(i % 20 < 7 AND i < 6000, ARRAY[a], '{"l2": 1}') AS m FROM leads WHERE i < 6000 GROUP BY i / 20) s;
RESET work_mem;

-- A weight of n is n rows.
SELECT pg_temp.near(pg_temp.number(weighted, 'coefficients', 1), pg_temp.number(repeated, 'coefficients', 1)) AS coefficient,
	pg_temp.near(pg_temp.number(weighted, 'standard_errors', 1), pg_temp.number(repeated, 'standard_errors', 1)) AS error,
	pg_temp.near(pg_temp.number(weighted, 'log_likelihood'), pg_temp.number(repeated, 'log_likelihood')) AS log_likelihood
FROM (SELECT logistic_fit(bought, ARRAY[a, b], weight::float8, NULL) AS weighted FROM leads) w,
	(SELECT logistic_fit(bought, ARRAY[a, b]) AS repeated FROM leads, generate_series(1, weight)) r;
SELECT pg_temp.same(logistic_fit(bought, ARRAY[a], CASE WHEN g = 1 THEN 0.0 ELSE 1 END, '{}'), (SELECT logistic_fit(bought, ARRAY[a]) FROM leads WHERE g <> 1)) AS zero FROM leads;

-- Constant and collinear features.
SELECT model_params(m) -> 'constant_features' AS constant, model_params(m) -> 'collinear_features' AS collinear, model_params(m) -> 'parameters' AS parameters,
	pg_temp.near(pg_temp.number(m, 'log_likelihood'), (SELECT pg_temp.number(m, 'log_likelihood') FROM fitted)) AS same
FROM (SELECT logistic_fit(bought, ARRAY[a, 0, a - 3 * b, b, c, 2 * c + 1]) AS m FROM leads) s;

-- Separation is said; the model is usable.
SELECT model_params(m) -> 'separation' AS separation, model_params(m) -> 'converged' AS converged, jsonb_exists(model_params(m), 'standard_errors') AS errors,
	pg_temp.number(m, 'l2') = 1.0 / 6000 AS l2, predict(m, ARRAY[3000, 1]) < 0.05 AS low, predict(m, ARRAY[6000, 1]) > 0.95 AS high
FROM (SELECT logistic_fit(i > 4500, ARRAY[i, a]) AS m FROM leads) s;
SELECT model_params(logistic_fit(CASE WHEN i < 3000 THEN false ELSE bought END, ARRAY[(i < 3000)::int])) -> 'separation' AS separation FROM leads;
SELECT model_params(logistic_fit(CASE WHEN i < 3000 THEN false ELSE bought END, ARRAY[(i < 3000)::int], '{"l2": 0.01}')) -> 'separation' AS asked_for FROM leads;

-- Penalties: conditions of optimality on standardised coefficients.
SELECT pg_temp.number(m, 'coefficients', 2) AS third,
	bool_and(CASE WHEN beta <> 0 THEN abs(gradient - 0.02 * sign(beta) - 0.05 * beta) < 1e-8 ELSE abs(gradient) <= 0.02 END) AS optimal
FROM (SELECT logistic_fit(bought, ARRAY[a, b, c], '{"l1": 0.02, "l2": 0.05}') AS m FROM leads) f,
	LATERAL (SELECT pg_temp.number(m, 'coefficients', 0) * stddev_pop(a) AS beta, avg((bought::int - predict(m, ARRAY[a, b, c])) * (a - 0)) / stddev_pop(a) AS gradient FROM leads
	UNION ALL SELECT pg_temp.number(m, 'coefficients', 1) * stddev_pop(b), avg((bought::int - predict(m, ARRAY[a, b, c])) * b) / stddev_pop(b) FROM leads
	UNION ALL SELECT pg_temp.number(m, 'coefficients', 2) * stddev_pop(c), avg((bought::int - predict(m, ARRAY[a, b, c])) * c) / stddev_pop(c) FROM leads) s GROUP BY 1;
SELECT pg_temp.near(pg_temp.number(m, 'coefficients', 0) * 0.3, avg((bought::int - predict(m, ARRAY[a])) * a), 1e-7) AS unstandardised, abs(avg(bought::int - predict(m, ARRAY[a]))) < 1e-9 AS intercept_is_free
FROM (SELECT logistic_fit(bought, ARRAY[a], '{"l2": 0.3, "standardize": false}') AS m FROM leads) f, leads GROUP BY m::text, 1 + 0 * pg_temp.number(m, 'rows'), pg_temp.number(m, 'coefficients', 0);
SELECT abs(sum((bought::int - predict(m, ARRAY[a, c])) * a)) < 1e-7 AND abs(sum((bought::int - predict(m, ARRAY[a, c])) * c)) < 1e-7 AS without_intercept, min(pg_temp.number(m, 'intercept')) AS intercept
FROM (SELECT logistic_fit(bought, ARRAY[a, c], '{"intercept": false}') AS m FROM leads) f, leads;

-- Missing features: refused, skipped, or at their mean, in training and in scoring.
SELECT logistic_fit(bought, ARRAY[CASE WHEN g > 0 THEN a END, b]) FROM leads;
SELECT pg_temp.number(m, 'rows') AS rows, pg_temp.number(m, 'rows_skipped') AS skipped FROM (SELECT logistic_fit(bought, ARRAY[CASE WHEN g > 0 THEN a END, b], '{"missing": "skip"}') AS m FROM leads) s;
SELECT pg_temp.near(pg_temp.number(m, 'coefficients', 0), pg_temp.number(filled, 'coefficients', 0)) AS coefficient, pg_temp.near(predict(m, ARRAY[NULL, 50.0]), predict(filled, ARRAY[mean, 50])) AS score
FROM (SELECT logistic_fit(bought, ARRAY[CASE WHEN g > 0 THEN a END, b], '{"missing": "mean"}') AS m FROM leads) s, (SELECT avg(a) AS mean FROM leads WHERE g > 0) t,
	LATERAL (SELECT logistic_fit(bought, ARRAY[CASE WHEN g > 0 THEN a ELSE mean END, b]) AS filled FROM leads) u;

-- Dirty data: outliers move little, huge numbers are taken or refused, never NaN.
SELECT pg_temp.number(m, 'coefficients', 0) BETWEEN 0.1 AND 1 AS outliers, model_params(m) -> 'converged' AS converged FROM (SELECT logistic_fit(bought, ARRAY[CASE WHEN i % 100 = 0 THEN -20 ELSE a END, b]) AS m FROM leads) s;
SELECT predict(logistic_fit(bought, ARRAY[a * 1e150]), ARRAY[1e150]) BETWEEN 0.4 AND 0.9 AS large FROM leads;
SELECT logistic_fit(bought, ARRAY[a * 1e300]) FROM leads;
SELECT model_params(logistic_fit(bought, ARRAY[1e300])) -> 'constant_features' AS constant FROM leads;
SELECT logistic_fit(bought, ARRAY[NULL::float8], '{"missing": "mean"}') IS NOT NULL AS all_missing FROM leads;
SELECT logistic_fit(true, ARRAY[a]) FROM leads;
SELECT logistic_fit(false, ARRAY[a]) FROM leads;
SELECT logistic_fit(bought, ARRAY[a]) FROM leads WHERE false;
SELECT logistic_fit(NULL, ARRAY[a]) AS no_label, logistic_fit(bought, NULL) AS no_features FROM leads;
SELECT pg_temp.near(predict(logistic_fit(bought, '{}'), '{}'), avg(bought::int)) AS share FROM leads;

-- Refusals.
SELECT logistic_fit(bought, ARRAY[a, 'Infinity']) FROM leads;
SELECT logistic_fit(bought, CASE WHEN i = 7 THEN ARRAY[a] ELSE ARRAY[a, b] END) FROM leads;
SELECT logistic_fit(bought, ARRAY[a], '{"c": 1}') FROM leads;
SELECT logistic_fit(bought, ARRAY[a], '{"max_iterations": 1.5}') FROM leads;
SELECT logistic_fit(bought, ARRAY[a], '{"missing": "zero"}') FROM leads;
SELECT model_params(logistic_fit(bought, ARRAY[a], '{"max_iterations": 1}')) -> 'converged' AS converged FROM leads;
SET crm_analytics.training_memory = '1MB';
SELECT logistic_fit(random() < 0.5, ARRAY[random(), random()]) FROM generate_series(1, 100000);
RESET crm_analytics.training_memory;

-- States from elsewhere: every bit turned is refused or gives a model.
CREATE AGGREGATE pg_temp.logistic_state(boolean, float8[], jsonb) (SFUNC = logistic_fit_transfn, STYPE = agg_state, COMBINEFUNC = logistic_fit_combinefn);
CREATE AGGREGATE pg_temp.logistic_merge(agg_state) (SFUNC = logistic_fit_combinefn, STYPE = agg_state, FINALFUNC = logistic_fit_finalfn);
SELECT pg_temp.same(pg_temp.logistic_merge(state::text::agg_state), (SELECT logistic_fit(bought, ARRAY[a, b, c], NULL) FROM leads)) AS merged
FROM (SELECT pg_temp.logistic_state(bought, ARRAY[a, b, c], NULL) AS state FROM leads GROUP BY g UNION ALL SELECT NULL) s;
DO $$
DECLARE
	state bytea := (SELECT decode(pg_temp.logistic_state(bought, ARRAY[a, c], '{"l2": 0.1}')::text, 'base64') FROM leads WHERE i <= 12);
	outcome text[] = '{}';
BEGIN
	SET LOCAL client_min_messages = error;
	FOR bit IN 0 .. length(state) * 8 - 1 LOOP
		BEGIN
			PERFORM pg_temp.logistic_merge(replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '')::agg_state);
			outcome := outcome || 'answered'::text;
		EXCEPTION WHEN data_corrupted OR invalid_text_representation OR invalid_parameter_value OR numeric_value_out_of_range THEN
			outcome := outcome || SQLSTATE::text;
		END;
	END LOOP;
	IF NOT outcome @> '{answered,XX001}' THEN
		RAISE 'outcomes: %', (SELECT array_agg(DISTINCT o) FROM unnest(outcome) o);
	END IF;
END
$$;
DROP TABLE leads, fitted;
