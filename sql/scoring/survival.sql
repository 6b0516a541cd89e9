-- Survival curves and the log-rank test.
CREATE FUNCTION pg_temp.near(a float8, b float8, tolerance float8 DEFAULT 1e-9) RETURNS boolean
	LANGUAGE sql AS $$SELECT abs(a - b) <= tolerance * greatest(abs(b), 1e-12)$$;
CREATE TABLE stay AS
SELECT i, (ARRAY['app', 'branch', '网点'])[1 + i % 3] AS channel, 1 + abs(hashint4(i)) % (20 + 10 * (i % 3)) AS months, abs(hashint4(i + 1)) % 10 < 6 AS gone
FROM generate_series(1, 3000) i;

-- The curve against its definition.
CREATE TABLE curve AS SELECT kaplan_meier(months, gone) AS k FROM stay;
SELECT count(*), bool_and(p.at_risk = d.at_risk AND p.events = d.events AND pg_temp.near(p.survival, d.survival) AND p.lower < p.survival AND p.upper > p.survival AND p.upper <= 1) AS as_defined
FROM curve, unnest(k) p JOIN (
	SELECT months, at_risk, events, exp(sum(ln(1 - events / at_risk::numeric)) OVER (ORDER BY months)) AS survival
	FROM (SELECT months, count(*) FILTER (WHERE gone) AS events, sum(count(*)) OVER (ORDER BY months DESC) AS at_risk FROM stay GROUP BY months) m WHERE events > 0) d ON d.months = p.time;
SELECT pg_temp.near(ln(p.upper / p.survival), 1.959963984540054 * sqrt(v), 1e-9) AS greenwood
FROM curve, unnest(k) p, LATERAL (SELECT sum(q.events / (q.at_risk * (q.at_risk - q.events))::float8) AS v FROM unnest(k) q WHERE q.time <= p.time) s WHERE p.time = 12;
SELECT k[1] FROM (SELECT kaplan_meier(0.5, months, gone) AS k FROM stay WHERE i <= 30) s;

-- What is asked of it.
SELECT survival_at(k, 0) AS at_start, survival_at(k, 1e9) = (SELECT min(survival) FROM unnest(k)) AS at_end, survival_at(k, 12.5) = survival_at(k, 12) AS between, survival_at(k, NULL), survival_at(NULL, 3) FROM curve;
SELECT (survival_quantile(k)).*, (survival_quantile(k, 0.999999)).estimate AS never FROM curve;
SELECT pg_temp.near(restricted_mean_survival(k, 10), (SELECT sum(survival_at(k, t)) FROM generate_series(0, 9) t)) AS ten, restricted_mean_survival(k, 0) AS none, restricted_mean_survival(k, -1) AS negative FROM curve;
-- exactly a half between 2 and 5: their middle
SELECT (survival_quantile(kaplan_meier(t, gone))).estimate FROM (VALUES (1, true), (2, true), (5, true), (7, true)) v (t, gone);

-- The test against its definition, for groups of three.
SELECT (t).chi_square > 100 AS different, (t).degrees, (t).p_value < 1e-10 AS sure, (t).groups, (t).customers, (t).observed,
	(SELECT bool_and(pg_temp.near((t).expected[g], e)) FROM (
		SELECT array_position((t).groups, channel) AS g, sum(events * own / at_risk) AS e FROM (
			SELECT m.months, m.events, m.at_risk, c.channel, (SELECT count(*) FROM stay s WHERE s.channel = c.channel AND s.months >= m.months) AS own
			FROM (SELECT months, count(*) FILTER (WHERE gone) AS events, sum(count(*)) OVER (ORDER BY months DESC)::float8 AS at_risk FROM stay GROUP BY months) m,
				(SELECT DISTINCT channel FROM stay) c) x GROUP BY channel) y) AS as_defined
FROM (SELECT log_rank(channel, months, gone) AS t FROM stay) s;
SELECT pg_temp.near((log_rank(0, channel, months, gone)).chi_square, (log_rank(channel, months, gone)).chi_square) AS rho_0,
	(log_rank(1, channel, months, gone)).chi_square <> (log_rank(channel, months, gone)).chi_square AS rho_1,
	(log_rank((i % 2)::text, months, gone)).p_value > 0.001 AS by_chance FROM stay;
SELECT (log_rank('one', months, gone)).* FROM stay WHERE i <= 6;

-- Order, parts, workers.
SELECT kaplan_meier(months, gone ORDER BY -i) = (SELECT k FROM curve) AS order FROM stay;
SELECT log_rank(channel, months, gone ORDER BY hashint4(i)) = log_rank(channel, months, gone) AS order FROM stay;
ALTER TABLE stay SET (parallel_workers = 2);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT kaplan_meier(months, gone) FROM stay;
SELECT kaplan_meier(months, gone) = (SELECT k FROM curve) AS parallel, (log_rank(channel, months, gone)).chi_square > 100 AS test FROM stay;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
CREATE AGGREGATE pg_temp.state(text, float8, boolean) (SFUNC = log_rank_transfn, STYPE = agg_state, COMBINEFUNC = counts_combinefn);
CREATE AGGREGATE pg_temp.merge(agg_state) (SFUNC = counts_combinefn, STYPE = agg_state, FINALFUNC = log_rank_finalfn);
SELECT (SELECT pg_temp.merge(state::text::agg_state) FROM (SELECT pg_temp.state(channel, months, gone) AS state FROM stay GROUP BY i % 4 UNION ALL SELECT NULL) s)
	= (SELECT log_rank(channel, months, gone) FROM stay) AS merged;
-- as a window: the curve of the customers so far
SELECT count(*), bool_and(k = (SELECT kaplan_meier(months, gone) FROM stay s WHERE s.i <= w.i)) AS running
FROM (SELECT i, kaplan_meier(months, gone) OVER (ORDER BY i) AS k FROM stay WHERE i <= 20) w;

-- Nothing, and nobody gone.
SELECT kaplan_meier(months, gone), log_rank(channel, months, gone) FROM stay WHERE false;
SELECT kaplan_meier(NULL, gone), log_rank(NULL, months, gone) FROM stay;
SELECT kaplan_meier(months, false), (log_rank(channel, months, false)).chi_square FROM stay;
SELECT (kaplan_meier(5, true))[1];

-- Refusals.
SELECT kaplan_meier(-1, true);
SELECT kaplan_meier('NaN', true);
SELECT kaplan_meier(1.5, 1, true);
SELECT kaplan_meier(NULL::float8, 1, true);
SELECT kaplan_meier(0.5 + i % 2 / 10.0, months, gone) FROM stay;
SELECT log_rank(-1, channel, months, gone) FROM stay;
SELECT log_rank(i::text, months, gone) FROM stay;
SELECT log_rank(repeat('x', 1001), 1, true);
CREATE AGGREGATE pg_temp.curve_state(float8, boolean) (SFUNC = kaplan_meier_transfn, STYPE = agg_state, COMBINEFUNC = counts_combinefn);
SELECT pg_temp.merge(state::text::agg_state) FROM (SELECT pg_temp.curve_state(1, true) AS state) s;

DO $$
DECLARE
	state bytea := (SELECT decode(pg_temp.state(channel, months, gone)::text, 'base64') FROM stay WHERE i <= 12);
	outcome text[] = '{}';
BEGIN
	FOR bit IN 0 .. length(state) * 8 - 1 LOOP
		BEGIN
			PERFORM pg_temp.merge(replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '')::agg_state);
			outcome := outcome || 'answered'::text;
		EXCEPTION WHEN data_corrupted OR invalid_text_representation OR numeric_value_out_of_range THEN
			outcome := outcome || SQLSTATE::text;
		END;
	END LOOP;
	IF NOT outcome @> '{answered,XX001}' THEN
		RAISE 'outcomes: %', (SELECT array_agg(DISTINCT o) FROM unnest(outcome) o);
	END IF;
END
$$;
DROP TABLE stay, curve;
