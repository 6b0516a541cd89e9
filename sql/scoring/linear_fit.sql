-- linear_fit: against PostgreSQL's own regression, normal equations, penalties; merging, refusals.
CREATE TABLE points AS
SELECT i, i % 5 AS g, sin(i) * 10 AS a, (i * 7919 % 101)::float8 AS b, cos(i * 3) AS c,
	3 + 2 * sin(i) * 10 - 0.5 * (i * 7919 % 101) + sin(i * 17) AS y, 1 + i % 3 AS weight
FROM generate_series(1, 500) AS i;

CREATE FUNCTION pg_temp.near(a float8, b float8, bound float8 DEFAULT 1e-12) RETURNS boolean LANGUAGE sql AS
	'SELECT abs(a - b) <= bound * greatest(abs(a), abs(b), 1e-300)';
CREATE FUNCTION pg_temp.number(m model, key text, place int DEFAULT NULL) RETURNS float8 LANGUAGE sql AS
	$$SELECT CASE WHEN place IS NULL THEN (model_params(m) ->> key)::float8 ELSE (model_params(m) -> key ->> place)::float8 END$$;

-- One feature: regr_slope and its like.
SELECT pg_temp.near(pg_temp.number(m, 'coefficients', 0), slope) AS slope, pg_temp.near(pg_temp.number(m, 'intercept'), intercept) AS intercept,
	pg_temp.near(pg_temp.number(m, 'r_squared'), r2) AS r2, pg_temp.number(m, 'rows') AS rows,
	pg_temp.near(pg_temp.number(m, 'residual_standard_error') ^ 2, (syy - sxy ^ 2 / sxx) / (n - 2)) AS variance,
	pg_temp.near(pg_temp.number(m, 'standard_errors', 0), sqrt((syy - sxy ^ 2 / sxx) / (n - 2) / sxx)) AS error
FROM (SELECT linear_fit(y, ARRAY[b]) AS m, regr_slope(y, b) AS slope, regr_intercept(y, b) AS intercept, regr_r2(y, b) AS r2,
	regr_sxx(y, b) AS sxx, regr_syy(y, b) AS syy, regr_sxy(y, b) AS sxy, count(*) AS n FROM points) s;

-- Three features: the residuals are orthogonal to each and sum to 0; log-likelihood by its definition.
CREATE TABLE fitted AS SELECT linear_fit(y, ARRAY[a, b, c]) AS m FROM points;
SELECT abs(sum(r)) < 1e-10 AND abs(sum(r * a)) < 1e-9 AND abs(sum(r * b)) < 1e-8 AND abs(sum(r * c)) < 1e-10 AS orthogonal,
	pg_temp.near(sqrt(sum(r ^ 2) / (count(*) - 4)), (SELECT pg_temp.number(m, 'residual_standard_error') FROM fitted), 1e-10) AS sigma,
	pg_temp.near(-count(*) / 2.0 * (ln(2 * pi() * sum(r ^ 2) / count(*)) + 1), (SELECT pg_temp.number(m, 'log_likelihood') FROM fitted), 1e-10) AS log_likelihood
FROM (SELECT y - predict(m, ARRAY[a, b, c]) AS r, points.* FROM points, fitted) s;
SELECT bool_and(pg_temp.near(mean, expected)) AS means FROM fitted, jsonb_array_elements_text(model_params(m) -> 'means') WITH ORDINALITY AS t (text, n),
	LATERAL (SELECT text::float8 AS mean) x, (SELECT ARRAY[avg(a), avg(b), avg(c)] AS averages FROM points) s, LATERAL (SELECT averages[n] AS expected) y;

-- Merging: any parts, any order, in parallel, as a window.
CREATE FUNCTION pg_temp.same(one model, other model) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(o.value = t.value OR pg_temp.near(o.value::text::float8, t.value::text::float8))
	FROM jsonb_each(model_params(one)) o FULL JOIN jsonb_each(model_params(other)) t USING (key)
	WHERE o.value IS NULL OR t.value IS NULL OR jsonb_typeof(o.value) = 'number'
$$;
SELECT pg_temp.same(m, (SELECT linear_fit(y, ARRAY[a, b, c] ORDER BY sin(i)) FROM points)) AS reordered FROM fitted;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
ALTER TABLE points SET (parallel_workers = 2);
EXPLAIN (COSTS off) SELECT linear_fit(y, ARRAY[a, b, c]) FROM points;
SELECT pg_temp.same(m, (SELECT linear_fit(y, ARRAY[a, b, c]) FROM points)) AS parallel FROM fitted;
SELECT g, pg_temp.near(pg_temp.number(m, 'coefficients', 0), slope) AS grouped FROM (SELECT g, linear_fit(y, ARRAY[b]) AS m, regr_slope(y, b) AS slope FROM points GROUP BY g) s ORDER BY g;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT bool_and(pg_temp.near(slope, expected) OR slope IS NULL AND n < 2 OR slope = 0 AND expected IS NULL) AS moving FROM (
	SELECT pg_temp.number(linear_fit(y, ARRAY[b]) OVER w, 'coefficients', 0) AS slope, regr_slope(y, b) OVER w AS expected, count(*) OVER w AS n
	FROM points WINDOW w AS (ORDER BY i ROWS BETWEEN 5 PRECEDING AND 3 FOLLOWING)) s;
SELECT pg_temp.same(linear_fit(y, ARRAY[a]) FILTER (WHERE g = 1), (SELECT linear_fit(y, ARRAY[a]) FROM points WHERE g = 1)) AS filtered FROM points;

-- A weight of n is n rows, but for the degrees of freedom; a weight of 0 is no row.
SELECT pg_temp.near(pg_temp.number(weighted, 'coefficients', 1), pg_temp.number(repeated, 'coefficients', 1)) AS coefficient,
	pg_temp.near(pg_temp.number(weighted, 'intercept'), pg_temp.number(repeated, 'intercept')) AS intercept,
	pg_temp.number(weighted, 'rows') AS rows, pg_temp.number(weighted, 'weight') AS weight, pg_temp.number(repeated, 'rows') AS repeated
FROM (SELECT linear_fit(y, ARRAY[a, b, c], weight::float8, NULL) AS weighted FROM points) w,
	(SELECT linear_fit(y, ARRAY[a, b, c]) AS repeated FROM points, generate_series(1, weight)) r;
SELECT pg_temp.same(linear_fit(y, ARRAY[a], CASE WHEN g = 1 THEN 0.0 ELSE 1 END, '{}'), (SELECT linear_fit(y, ARRAY[a]) FROM points WHERE g <> 1)) AS zero FROM points;

-- Tests: t is the coefficient over its error; p by Student's t, F, as tables have them.
SELECT round((p -> 't_values' ->> 0)::numeric, 6) AS t, round((p -> 'p_values' ->> 0)::numeric, 9) AS p, round((p ->> 'intercept_p_value')::numeric, 6) AS intercept, p ->> 'f_statistic' AS f,
	round((p ->> 'f_p_value')::numeric, 6) AS f_p, p ->> 'adjusted_r_squared' AS adjusted, p ->> 'aic' AS aic
FROM (SELECT model_params('{"kind": "linear", "features": 1, "intercept": -0.741, "intercept_standard_error": 1, "coefficients": [2.776445105], "means": [0], "standard_errors": [1], "rows": 6,
	"parameters": 2, "residual_degrees_of_freedom": 4, "r_squared": 0.5, "log_likelihood": -10}') AS p) s;

-- Without intercept.
SELECT pg_temp.near(pg_temp.number(linear_fit(y, ARRAY[b], '{"intercept": false}'), 'coefficients', 0), sum(b * y) / sum(b * b)) AS through_0 FROM points;

-- Constant features, and those that follow from others, are left out and told.
SELECT (SELECT jsonb_object_agg(key, value) FROM jsonb_each(model_params(linear_fit(y, ARRAY[a, 7, a + 2 * b, b, c, a - c])))
		WHERE key ~ 'features|parameters|degrees|rows') AS left_out,
	pg_temp.number(linear_fit(y, ARRAY[a, 7, a + 2 * b, b, c, a - c]), 'standard_errors', 3) IS NULL AS no_error,
	pg_temp.near(pg_temp.number(linear_fit(y, ARRAY[a, 7, a + 2 * b, b, c, a - c]), 'residual_standard_error'), (SELECT pg_temp.number(m, 'residual_standard_error') FROM fitted), 1e-10) AS same_fit
FROM points;

-- Ridge has a closed form; the lasso sets coefficients to 0 and fulfils its optimality conditions.
SELECT pg_temp.near(pg_temp.number(linear_fit(y, ARRAY[b], '{"l2": 0.5, "standardize": false}'), 'coefficients', 0), regr_sxy(y, b) / count(*) / (regr_sxx(y, b) / count(*) + 0.5)) AS ridge,
	pg_temp.near(pg_temp.number(linear_fit(y, ARRAY[b], '{"l2": 0.5}'), 'coefficients', 0), regr_slope(y, b) / 1.5) AS standardized,
	pg_temp.near(pg_temp.number(linear_fit(y, ARRAY[b], '{"l1": 0.5, "standardize": false}'), 'coefficients', 0), (regr_sxy(y, b) / count(*) + 0.5) / (regr_sxx(y, b) / count(*))) AS lasso
FROM points;
CREATE TABLE lasso AS SELECT linear_fit(y, ARRAY[a, b, c], '{"l1": 0.6, "l2": 0.2}') AS m FROM points;
SELECT pg_temp.number(m, 'coefficients', 2) AS third, jsonb_exists(model_params(m), 'standard_errors') AS errors,
	bool_and(CASE WHEN beta <> 0 THEN abs(gradient - 0.6 * sign(beta) - 0.2 * beta) < 1e-9 ELSE abs(gradient) <= 0.6 END) AS optimal
FROM lasso, LATERAL (SELECT pg_temp.number(m, 'coefficients', 0) * stddev_pop(a) AS beta, avg((y - predict(m, ARRAY[a, b, c])) * a) / stddev_pop(a) AS gradient FROM points
	UNION ALL SELECT pg_temp.number(m, 'coefficients', 1) * stddev_pop(b), avg((y - predict(m, ARRAY[a, b, c])) * b) / stddev_pop(b) FROM points
	UNION ALL SELECT pg_temp.number(m, 'coefficients', 2) * stddev_pop(c), avg((y - predict(m, ARRAY[a, b, c])) * c) / stddev_pop(c) FROM points) s GROUP BY m::text, 1, 2;

-- Few rows: none, one, two, as many as parameters.
SELECT linear_fit(y, ARRAY[a]) FROM points WHERE false;
SELECT linear_fit(NULL, ARRAY[a]) AS no_target, linear_fit(y, NULL) AS no_features FROM points;
SELECT linear_fit(1, ARRAY[2.0]);
SELECT linear_fit(y, ARRAY[x]) FROM (VALUES (1.0, 1.0), (3, 2)) v (y, x);
SELECT linear_fit(5, ARRAY[i]) FROM points;
SELECT pg_temp.near(pg_temp.number(linear_fit(y, '{}'), 'intercept'), avg(y)) AS mean, pg_temp.near(pg_temp.number(linear_fit(y, '{}'), 'intercept_standard_error'), stddev(y) / sqrt(count(*))) AS error FROM points;

-- Missing features.
SELECT linear_fit(y, ARRAY[a, CASE WHEN g > 0 THEN b END]) FROM points;
SELECT pg_temp.number(m, 'rows') AS rows, pg_temp.number(m, 'rows_skipped') AS skipped,
	pg_temp.near(pg_temp.number(m, 'coefficients', 1), (SELECT pg_temp.number(linear_fit(y, ARRAY[a, b]), 'coefficients', 1) FROM points WHERE g > 0)) AS coefficient
FROM (SELECT linear_fit(y, ARRAY[a, CASE WHEN g > 0 THEN b END], '{"missing": "skip"}') AS m FROM points) s;

-- Refusals.
SELECT linear_fit(y, ARRAY[a, 'NaN']) FROM points;
SELECT linear_fit('Infinity', ARRAY[a]) FROM points;
SELECT linear_fit(y, ARRAY[a * 1e300]) FROM points;
SELECT linear_fit(y, ARRAY[a * 1e150]) IS NOT NULL AS large FROM points;
SELECT linear_fit(y, ARRAY[[a, b]]) FROM points;
SELECT linear_fit(y, CASE WHEN i = 7 THEN ARRAY[a] ELSE ARRAY[a, b] END) FROM points;
SELECT linear_fit(y, ARRAY[a], -1.0, NULL) FROM points;
SELECT linear_fit(y, array_fill(1.0::float8, ARRAY[1001])) FROM points;
SELECT linear_fit(y, ARRAY[a], '{"lambda": 1}') FROM points;
SELECT linear_fit(y, ARRAY[a], '{"l1": -1}') FROM points;
SELECT linear_fit(y, ARRAY[a], '{"l1": "1"}') FROM points;
SELECT linear_fit(y, ARRAY[a], '{"missing": "mean"}') FROM points;
SELECT linear_fit(y, ARRAY[a], '{"intercept": 0}') FROM points;
SELECT linear_fit(y, ARRAY[a], '[]') FROM points;
SELECT linear_fit(y, ARRAY[a], jsonb_build_object('l2', g)) FROM points;

-- States from elsewhere: merged as from a worker; every bit turned is refused or gives a model.
CREATE AGGREGATE pg_temp.linear_state(float8, float8[]) (SFUNC = linear_fit_transfn, STYPE = agg_state, COMBINEFUNC = linear_fit_combinefn);
CREATE AGGREGATE pg_temp.linear_merge(agg_state) (SFUNC = linear_fit_combinefn, STYPE = agg_state, FINALFUNC = linear_fit_finalfn);
SELECT pg_temp.same(m, (SELECT pg_temp.linear_merge(state::text::agg_state) FROM (SELECT pg_temp.linear_state(y, ARRAY[a, b, c]) AS state FROM points GROUP BY g
	UNION ALL SELECT NULL) s)) AS merged FROM fitted;
SELECT pg_temp.linear_merge(state) FROM (SELECT pg_temp.linear_state(y, ARRAY[a]) AS state FROM points UNION ALL SELECT pg_temp.linear_state(y, ARRAY[a, b]) FROM points) s;
DO $$
DECLARE
	state bytea := (SELECT decode(pg_temp.linear_state(y, ARRAY[a, b])::text, 'base64') FROM points);
	outcome text[] = '{}';
BEGIN
	FOR bit IN 0 .. length(state) * 8 - 1 LOOP
		BEGIN
			PERFORM pg_temp.linear_merge(replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '')::agg_state);
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
DROP TABLE points, fitted, lasso;
