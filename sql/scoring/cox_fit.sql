-- What makes customers leave sooner: cox_fit.
CREATE FUNCTION pg_temp.near(a float8, b float8, tolerance float8 DEFAULT 1e-9) RETURNS boolean
	LANGUAGE sql AS $$SELECT abs(a - b) <= tolerance * greatest(abs(b), 1e-12)$$;
CREATE FUNCTION pg_temp.number(m model, key text, place int DEFAULT NULL) RETURNS float8
	LANGUAGE sql AS $$SELECT (CASE WHEN place IS NULL THEN model_params(m) ->> key ELSE model_params(m) -> key ->> place END)::float8$$;
CREATE TABLE stay AS
SELECT i, i % 4 AS g, x, y::float8, greatest(1, round(least(12, -ln(u) * 20 * exp(-0.8 * x + 0.5 * y))::numeric, 1))::float8 AS months, -ln(u) * 20 * exp(-0.8 * x + 0.5 * y) <= 12 AS gone
FROM (SELECT i, (hashint4(i) & 1023) / 1024.0::float8 AS x, hashint4(i + 77) & 1 AS y, ((hashint4(i + 7) & 65535) + 0.5) / 65536::float8 AS u FROM generate_series(1, 1500) i) s;

CREATE TABLE fitted AS SELECT cox_fit(months, gone, ARRAY[x, y]) AS m FROM stay;
SELECT model_kind(m), (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(model_params(m)) k) AS keys, model_params(m) -> 'converged' AS converged, model_params(m) -> 'rows' AS rows,
	pg_temp.number(m, 'coefficients', 0) BETWEEN 0.5 AND 1.1 AS x, pg_temp.number(m, 'coefficients', 1) BETWEEN -0.7 AND -0.3 AS y, pg_temp.number(m, 'concordance') BETWEEN 0.55 AND 0.7 AS concordance
FROM fitted;

-- Breslow's partial likelihood from its definition: the fit's value, and greatest there.
CREATE FUNCTION pg_temp.likelihood(a float8, b float8) RETURNS float8 LANGUAGE sql AS $$
	SELECT sum(events * 0 + linear - events * ln(at_risk)) FROM (
		SELECT months, count(*) FILTER (WHERE gone) AS events, sum(a * x + b * y) FILTER (WHERE gone) AS linear, sum(sum(exp(a * x + b * y))) OVER (ORDER BY months DESC) AS at_risk
		FROM stay GROUP BY months) s WHERE events > 0 $$;
SELECT pg_temp.near(pg_temp.number(m, 'log_likelihood'), pg_temp.likelihood(a, b)) AS value, pg_temp.near(pg_temp.number(m, 'null_log_likelihood'), pg_temp.likelihood(0, 0)) AS at_zero,
	bool_and(pg_temp.likelihood(a + da, b + db) < pg_temp.likelihood(a, b)) AS greatest
FROM (SELECT cox_fit(months, gone, ARRAY[x, y], '{"ties": "breslow"}') AS m FROM stay) f, LATERAL (SELECT pg_temp.number(m, 'coefficients', 0) AS a, pg_temp.number(m, 'coefficients', 1) AS b) c,
	(VALUES (0.001, 0), (-0.001, 0), (0, 0.001), (0, -0.001)) v (da, db) GROUP BY a, b, pg_temp.number(m, 'log_likelihood'), pg_temp.number(m, 'null_log_likelihood');

-- Score, reasons, survival.
SELECT bool_and(pg_temp.near(ln(predict(m, ARRAY[x, y])), e.sum)) AS reasons, bool_and(survival_probability(m, ARRAY[x, y], 6) BETWEEN 0 AND 1) AS probability,
	bool_and(survival_probability(m, ARRAY[x, y], 6) >= survival_probability(m, ARRAY[x, y], 9)) AS falls, bool_and(survival_probability(m, ARRAY[x, y], 0) = 1) AS at_start,
	bool_and(survival_probability(m, ARRAY[x, y], 5) >= survival_probability(m, ARRAY[x + 0.1, y], 5)) AS by_risk
FROM fitted, stay, LATERAL (SELECT sum(contribution) FROM explain(m, ARRAY[x, y])) e WHERE i <= 50;
-- on the average as many leave as the curve without features says
SELECT pg_temp.near(avg(survival_probability(m, ARRAY[x, y], 6)), (SELECT survival_at(kaplan_meier(months, gone), 6) FROM stay), 0.01) AS calibrated FROM fitted, stay;

-- Collinear, constant and hopeless features are said.
SELECT model_params(m) -> 'collinear_features' AS collinear, pg_temp.near(pg_temp.number(m, 'coefficients', 0), (SELECT pg_temp.number(m, 'coefficients', 0) FROM fitted), 1e-7) AS same
FROM (SELECT cox_fit(months, gone, ARRAY[x, 3, y, 1 - 2 * x + y]) AS m FROM stay) s;
SELECT model_params(m) -> 'infinite_features' AS infinite, model_params(m) -> 'converged' AS converged, jsonb_exists(model_params(m), 'standard_errors') AS errors
FROM (SELECT cox_fit(months, gone, ARRAY[x, (NOT gone AND g = 1)::int]) AS m FROM stay) s;

-- Order, parts, workers, text.
SELECT cox_fit(months, gone, ARRAY[x, y] ORDER BY hashint4(i))::text = m::text AS any_order, m::text::model::text = m::text AS round_trip FROM stay, fitted GROUP BY m::text, m::text::model::text;
ALTER TABLE stay SET (parallel_workers = 2);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT cox_fit(months, gone, ARRAY[x, y]) FROM stay;
SELECT (SELECT cox_fit(months, gone, ARRAY[x, y]) FROM stay)::text = m::text AS parallel FROM fitted;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
CREATE AGGREGATE pg_temp.state(float8, boolean, float8[]) (SFUNC = cox_fit_transfn, STYPE = agg_state, COMBINEFUNC = cox_fit_combinefn);
CREATE AGGREGATE pg_temp.merge(agg_state) (SFUNC = cox_fit_combinefn, STYPE = agg_state, FINALFUNC = cox_fit_finalfn);
SELECT (SELECT pg_temp.merge(state::text::agg_state) FROM (SELECT pg_temp.state(months, gone, ARRAY[x, y]) AS state FROM stay GROUP BY g UNION ALL SELECT NULL) s)::text = m::text AS merged FROM fitted;
SELECT count(*), count(m) FROM (SELECT i, cox_fit(months, gone, ARRAY[x]) OVER (ORDER BY i ROWS BETWEEN 20 PRECEDING AND CURRENT ROW) AS m FROM (SELECT * FROM stay ORDER BY gone DESC, i LIMIT 40) t) w;

-- Nothing, little, missing.
SELECT cox_fit(months, gone, ARRAY[x]) FROM stay WHERE false;
SELECT cox_fit(NULL, gone, ARRAY[x]), cox_fit(months, NULL, ARRAY[x]), cox_fit(months, gone, NULL) FROM stay;
SELECT cox_fit(months, false, ARRAY[x]) FROM stay;
SELECT pg_temp.number(cox_fit(months, gone, '{}'), 'null_log_likelihood') = pg_temp.number(cox_fit(months, gone, '{}'), 'log_likelihood') AS no_features FROM stay;
SELECT cox_fit(months, gone, ARRAY[x, CASE WHEN g > 0 THEN y END]) FROM stay;
SELECT pg_temp.number(m, 'rows') AS rows, pg_temp.number(m, 'rows_skipped') AS skipped FROM (SELECT cox_fit(months, gone, ARRAY[x, CASE WHEN g > 0 THEN y END], '{"missing": "skip"}') AS m FROM stay) s;

-- Refusals.
SELECT cox_fit(-1, gone, ARRAY[x]) FROM stay;
SELECT cox_fit('Infinity', gone, ARRAY[x]) FROM stay;
SELECT cox_fit(months, gone, ARRAY[x, 'NaN']) FROM stay;
SELECT cox_fit(months, gone, ARRAY[x], '{"ties": "exact"}') FROM stay;
SELECT cox_fit(months, gone, ARRAY[x], '{"l2": 1}') FROM stay;
SELECT cox_fit(months, gone, CASE WHEN i = 7 THEN ARRAY[x] ELSE ARRAY[x, y] END) FROM stay;
SELECT cox_fit(months, gone, array_fill(1.0::float8, ARRAY[201])) FROM stay;
SELECT survival_probability(m, ARRAY[1.0], 5) FROM fitted;
SELECT survival_probability(m, ARRAY[1.0, NULL], 5) FROM fitted;
SELECT survival_probability(linear_fit(months, ARRAY[x]), ARRAY[1.0], 5) FROM stay;
SELECT '{"kind": "cox", "features": 1, "coefficients": [1], "means": [0], "times": [1], "hazards": [1, 2]}'::model;
SELECT '{"kind": "cox", "features": 1, "coefficients": [1], "means": [0], "times": [2, 1], "hazards": [1, 2]}'::model;
SELECT '{"kind": "cox", "features": 1, "coefficients": [1], "means": [0], "collinear_features": [2], "times": [1], "hazards": [1]}'::model;

DO $$
DECLARE
	state bytea := (SELECT decode(pg_temp.state(months, gone, ARRAY[x, y])::text, 'base64') FROM stay WHERE i <= 9);
	outcome text[] = '{}';
BEGIN
	SET LOCAL client_min_messages = error;
	FOR bit IN 0 .. length(state) * 8 - 1 LOOP
		BEGIN
			PERFORM pg_temp.merge(replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '')::agg_state);
			outcome := outcome || 'answered'::text;
		EXCEPTION WHEN data_corrupted OR invalid_text_representation OR invalid_parameter_value OR numeric_value_out_of_range OR program_limit_exceeded THEN
			outcome := outcome || SQLSTATE::text;
		END;
	END LOOP;
	IF NOT outcome @> '{answered,XX001}' THEN
		RAISE 'outcomes: %', (SELECT array_agg(DISTINCT o) FROM unnest(outcome) o);
	END IF;
END
$$;
DROP TABLE stay, fitted;
