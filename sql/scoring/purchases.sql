-- Models of repeat purchases: what is fitted, what is asked of it, what is refused.
CREATE FUNCTION pg_temp.near(a float8, b float8, tolerance float8 DEFAULT 1e-9) RETURNS boolean
	LANGUAGE sql AS $$SELECT abs(a - b) <= tolerance * greatest(abs(b), 1e-12)$$;
CREATE FUNCTION pg_temp.number(m model, key text) RETURNS float8
	LANGUAGE sql AS $$SELECT (model_params(m) ->> key)::float8$$;

-- Customers of a made-up shop over 40 weeks, who buy as the models think: at rates and with chances to be lost of their
-- own.  Times in whole weeks, so that many are alike.
CREATE FUNCTION pg_temp.uniform(i int, k int) RETURNS float8 LANGUAGE sql AS $$SELECT ((hashint8extended(i, k) & 1048575) + 0.5) / 1048576$$;
CREATE TABLE buyers AS
WITH person AS (
	SELECT i, 27 + abs(hashint4(i + 7)) % 12 AS age, -ln(pg_temp.uniform(i, 1)) / 8 AS rate, 1 - pg_temp.uniform(i, 2) ^ 0.4 AS chance FROM generate_series(1, 4000) i
), purchase AS (
	SELECT i, k, sum(-ln(pg_temp.uniform(i, 100 + k)) / rate) OVER (PARTITION BY i ORDER BY k) AS at,
		coalesce(bool_or(pg_temp.uniform(i, 200 + k) < chance) OVER (PARTITION BY i ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), false) AS lost
	FROM person, generate_series(1, 30) k
)
SELECT i, i % 5 AS g, count(at)::float8 AS frequency, coalesce(ceil(max(at)), 0)::float8 AS recency, age::float8,
	CASE WHEN count(at) > 0 THEN ((10 + 40 * pg_temp.uniform(i, 3) ^ 2) * (1 + (pg_temp.uniform(i, 4) - 0.5) / sqrt(count(at))))::numeric(8, 1)::float8 END AS mean_value
FROM person LEFT JOIN purchase USING (i) WHERE NOT lost AND at <= age OR k = 1 GROUP BY i, age;
UPDATE buyers SET frequency = 0, recency = 0, mean_value = NULL WHERE recency > age;
SELECT count(*), sum(frequency), count(*) FILTER (WHERE frequency = 0) AS once FROM buyers;

-- (lost at purchases and not in between: no Pareto/NBD, which says so)
CREATE TABLE fitted AS
SELECT 1 AS n, bg_nbd_fit(frequency, recency, age) AS m FROM buyers
UNION ALL SELECT 2, mbg_nbd_fit(frequency, recency, age) FROM buyers
UNION ALL SELECT 3, pareto_nbd_fit(frequency, recency, age) FROM buyers;
SELECT model_kind(m), (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(model_params(m)) k) AS keys, model_params(m) ->> 'converged' AS converged,
	model_params(m) ->> 'customers' AS customers, jsonb_array_length(model_params(m) -> 'standard_errors') AS errors
FROM fitted ORDER BY n;

-- The likelihood from its definition, in SQL, at the parameters found; and it is the greatest around.
CREATE FUNCTION pg_temp.likelihood(r float8, alpha float8, a float8, b float8) RETURNS float8 LANGUAGE sql AS $$
	SELECT sum((SELECT coalesce(sum(ln(r + k)), 0) FROM generate_series(0, frequency::int - 1) k) + r * ln(alpha)
		+ (SELECT coalesce(sum(ln(b + k) - ln(a + b + k)), 0) FROM generate_series(0, frequency::int - 1) k)
		+ ln((alpha + age) ^ (-r - frequency) + CASE WHEN frequency > 0 THEN a / (b + frequency - 1) * (alpha + recency) ^ (-r - frequency) ELSE 0 END))
	FROM buyers $$;
SELECT pg_temp.near(l.here, pg_temp.number(m, 'log_likelihood'), 1e-10) AS as_defined,
	bool_and(pg_temp.likelihood(r * p[1], alpha * p[2], a * p[3], b * p[4]) < l.here) AS greatest
FROM fitted, LATERAL (SELECT pg_temp.number(m, 'r') AS r, pg_temp.number(m, 'alpha') AS alpha, pg_temp.number(m, 'a') AS a, pg_temp.number(m, 'b') AS b) v,
	LATERAL (SELECT pg_temp.likelihood(r, alpha, a, b) AS here) l,
	(SELECT ARRAY[CASE WHEN k = 1 THEN f ELSE 1 END, CASE WHEN k = 2 THEN f ELSE 1 END, CASE WHEN k = 3 THEN f ELSE 1 END, CASE WHEN k = 4 THEN f ELSE 1 END] AS p
	 FROM generate_series(1, 4) k, (VALUES (1.01::float8), (0.99)) v (f)) s
WHERE n = 1 GROUP BY l.here, pg_temp.number(m, 'log_likelihood');

-- Asked of one customer: formulas in SQL, bounds, monotony.
SELECT pg_temp.near(p_alive(m, 3, 17, 30), 1 / (1 + a / (b + 2) * ((alpha + 30) / (alpha + 17)) ^ (r + 3))) AS alive,
	p_alive(m, 0, 0, 30) = 1 AS never_came_again, expected_purchases(m, 0, 3, 17, 30) AS none
FROM fitted, LATERAL (SELECT pg_temp.number(m, 'r') AS r, pg_temp.number(m, 'alpha') AS alpha, pg_temp.number(m, 'a') AS a, pg_temp.number(m, 'b') AS b) v WHERE n = 1;
SELECT model_kind(m), bool_and(p BETWEEN 0 AND 1) AS probability, bool_and(e >= before) AS grows, bool_and(lower < e AND e < upper AND pg_temp.near(e, expected)) AS bounds,
	bool_and(pg_temp.near(v, sum)) AS discounted
FROM (SELECT m, p_alive(m, 3, 17, 30) AS p, e, coalesce(lag(e) OVER w, 0) AS before, i.*, lifetime_value(m, 20, h, 0.01, 3, 17, 30) AS v,
		sum((e - coalesce(before_e, 0)) * 20 / 1.01 ^ h) OVER w AS sum
	FROM fitted, generate_series(1, 20) h, LATERAL (SELECT expected_purchases(m, h, 3, 17, 30) AS e, expected_purchases(m, h - 1, 3, 17, 30) AS before_e) x,
		LATERAL expected_purchases_interval(m, h, 3, 17, 30) i
	WINDOW w AS (PARTITION BY n ORDER BY h)) s GROUP BY 1 ORDER BY 1;
SELECT p_alive(m, NULL, 1, 2), expected_purchases(NULL, 1, 1, 1, 2), (expected_purchases_interval(m, 10, 3, 17, 30, 0.5)).upper < (expected_purchases_interval(m, 10, 3, 17, 30, 0.99)).upper AS wider
FROM fitted WHERE n = 1;

-- What a purchase is worth.
SELECT pg_temp.near(expected_value(m, 4, 25), p * (gamma + 100) / (4 * p + q - 1)) AS drawn, pg_temp.near(expected_value(m, 0, NULL), p * gamma / (q - 1)) AS never_seen,
	expected_value(m, 3, NULL) AS unknown, pg_temp.number(m, 'customers') = (SELECT count(*) FROM buyers WHERE frequency > 0) AS buyers
FROM (SELECT gamma_gamma_fit(frequency, mean_value) AS m FROM buyers) f,
	LATERAL (SELECT pg_temp.number(m, 'p') AS p, pg_temp.number(m, 'q') AS q, pg_temp.number(m, 'gamma') AS gamma) v;

SET client_min_messages = error;
-- The same whatever the order, the groups put together, the workers; the text form round trips.
SELECT bool_and(m::text = m2::text) AS same_order FROM fitted,
	LATERAL (SELECT CASE n WHEN 1 THEN bg_nbd_fit(frequency, recency, age ORDER BY -i) WHEN 2 THEN mbg_nbd_fit(frequency, recency, age ORDER BY hashint4(i))
		ELSE pareto_nbd_fit(frequency, recency, age ORDER BY age, i) END AS m2 FROM buyers) s;
SELECT bool_and(m::text::model::text = m::text AND p_alive(m::text::model, 2, 5, 9) = p_alive(m, 2, 5, 9)) AS round_trip FROM fitted;
ALTER TABLE buyers SET (parallel_workers = 2);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT bg_nbd_fit(frequency, recency, age) FROM buyers;
SELECT (SELECT bg_nbd_fit(frequency, recency, age) FROM buyers)::text = m::text AS parallel FROM fitted WHERE n = 1;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
CREATE AGGREGATE pg_temp.state(float8, float8, float8) (SFUNC = purchases_transfn, STYPE = agg_state, COMBINEFUNC = counts_combinefn);
CREATE AGGREGATE pg_temp.merge(agg_state) (SFUNC = counts_combinefn, STYPE = agg_state, FINALFUNC = bg_nbd_finalfn);
SELECT (SELECT pg_temp.merge(state::text::agg_state) FROM (SELECT pg_temp.state(frequency, recency, age) AS state FROM buyers GROUP BY g UNION ALL SELECT NULL) s)::text = m::text AS merged
FROM fitted WHERE n = 1;

RESET client_min_messages;
-- Many different times: counted with fewer digits, which the model tells and its parameters hardly feel.
CREATE TABLE fine AS SELECT frequency, recency + CASE WHEN frequency > 0 THEN k * 1e-6 ELSE 0 END AS recency, age + k * 1e-6 AS age FROM buyers, generate_series(1, 400) k;
SELECT pg_temp.number(f, 'rounding') BETWEEN 1e-12 AND 1e-3 AS rounded, pg_temp.near(pg_temp.number(f, 'r'), pg_temp.number(m, 'r'), 1e-3) AS r,
	pg_temp.near(pg_temp.number(f, 'b'), pg_temp.number(m, 'b'), 1e-2) AS b
FROM fitted, (SELECT bg_nbd_fit(frequency, recency, age) AS f FROM fine) s WHERE n = 1;

-- Nothing, and too little.
SELECT bg_nbd_fit(frequency, recency, age) FROM buyers WHERE false;
SELECT bg_nbd_fit(NULL, recency, age) FROM buyers;
SELECT gamma_gamma_fit(0, 5.0);
SELECT bg_nbd_fit(0, 0, 10) FROM buyers;
SELECT model_params(bg_nbd_fit(4, 10, 10)) ->> 'converged' AS converged FROM buyers;

-- Refusals.
SELECT bg_nbd_fit(1.5, 2, 3);
SELECT bg_nbd_fit(2, 5, 3);
SELECT bg_nbd_fit(0, 1, 3);
SELECT pareto_nbd_fit('Infinity', 1, 3);
SELECT mbg_nbd_fit(1, 'NaN', 3);
SELECT gamma_gamma_fit(2, -1.0);
SELECT gamma_gamma_fit(2.5, 1.0);
SELECT p_alive(linear_fit(age, ARRAY[frequency]), 1, 2, 3) FROM buyers;
SELECT expected_value(m, 1, 2) FROM fitted WHERE n = 1;
SELECT predict(m, ARRAY[1.0]) FROM fitted WHERE n = 1;
SELECT expected_purchases(m, -1, 1, 2, 3) FROM fitted WHERE n = 1;
SELECT expected_purchases_interval(m, 1, 1, 2, 3, 1) FROM fitted WHERE n = 1;
SELECT lifetime_value(m, 1, 10001, 0.1, 1, 2, 3) FROM fitted WHERE n = 1;
SELECT lifetime_value(m, 1, 10, -1, 1, 2, 3) FROM fitted WHERE n = 1;
SELECT '{"kind": "pareto_nbd", "features": 0, "r": 1, "alpha": 2, "a": 3, "b": 4, "log_likelihood": -5, "customers": 6, "iterations": 7, "converged": true}'::model;
SELECT '{"kind": "bg_nbd", "features": 0, "r": 0, "alpha": 2, "a": 3, "b": 4, "log_likelihood": -5, "customers": 6, "iterations": 7, "converged": true}'::model;
SELECT '{"kind": "bg_nbd", "features": 0, "r": 1, "alpha": 2, "a": 3, "b": 4, "covariance": [1, 2], "log_likelihood": -5, "customers": 6, "iterations": 7, "converged": true}'::model;
CREATE AGGREGATE pg_temp.curve_state(float8, boolean) (SFUNC = kaplan_meier_transfn, STYPE = agg_state, COMBINEFUNC = counts_combinefn);
SELECT pg_temp.merge(state::text::agg_state) FROM (SELECT pg_temp.curve_state(1, true) AS state) s;

-- States from elsewhere: every bit turned is refused or gives a model.
SET client_min_messages = error;
DO $$
DECLARE
	state bytea := (SELECT decode(pg_temp.state(frequency, recency, age)::text, 'base64') FROM buyers WHERE i % 500 = 0);
	outcome text[] = '{}';
BEGIN
	FOR bit IN 0 .. length(state) * 8 - 1 LOOP
		BEGIN
			PERFORM pg_temp.merge(replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '')::agg_state);
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
DROP TABLE buyers, fitted, fine;
