-- naive_bayes_fit and scorecard_fit: bins, evidence, points, reasons; missing values, dirty data, refusals.
SET extra_float_digits = 0;
CREATE TABLE loans AS
SELECT i, i % 3 AS g, (i * 7919 % 61 + 18)::float8 AS age, CASE WHEN i % 10 <> 0 THEN round((exp(sin(i * 1.7)) * 1000)::numeric) END::float8 AS income, (i % 4)::float8 AS class, 7.0 AS constant,
	(i * 2654435761 % 4294967296) / 4294967296.0 < 1 / (1 + exp(-(-1.2 - 0.03 * (i * 7919 % 61) + CASE WHEN i % 10 = 0 THEN 1.5 ELSE - sin(i * 1.7) END + (i % 4 = 2)::int))) AS bad
FROM generate_series(1, 8000) AS i;
CREATE TABLE cards AS SELECT scorecard_fit(bad, ARRAY[age, income, class, constant]) AS card, naive_bayes_fit(bad, ARRAY[age, income, class, constant]) AS bayes FROM loans;
SELECT feature, name, lower, upper, missing, rows, positives, round(woe::numeric, 6) AS woe, round(points::numeric, 4) AS points FROM cards, scorecard(card);

-- Every row is in the bin of its numbers; evidence by its definition; the rate is monotone over the bins.
SELECT bool_and(c.rows = n.rows AND c.positives = n.positives AND abs(c.woe - ln(n.positives::float8 / all_positives / ((n.rows - n.positives)::float8 / (8000 - all_positives)))) < 1e-12) AS counted
FROM (SELECT s.* FROM cards, scorecard(card) s WHERE feature > 0) c, (SELECT count(*) AS all_positives FROM loans WHERE bad) a,
	LATERAL (SELECT count(*) AS rows, count(*) FILTER (WHERE bad) AS positives FROM loans, LATERAL (SELECT (ARRAY[age, income, class, constant])[c.feature] AS x) f
		WHERE CASE WHEN c.missing THEN x IS NULL ELSE x >= coalesce(c.lower, '-Infinity') AND x < coalesce(c.upper, 'Infinity') END) n;
SELECT feature, bool_and(step > 0) OR bool_and(step < 0) AS monotone FROM (SELECT feature, woe - lag(woe) OVER (PARTITION BY feature ORDER BY lower NULLS FIRST) AS step FROM cards, scorecard(card) WHERE NOT missing AND feature > 0) s
WHERE step IS NOT NULL GROUP BY feature ORDER BY feature;

-- Points are the log odds; they add up; reasons are the points lost against the best bin.
SELECT max(abs(points - (600 - 20 / ln(2.0) * (ln(p / (1 - p)) + ln(50.0))))) < 1e-9 AS log_odds, max(abs(points - parts)) < 1e-9 AS add_up
FROM (SELECT points(card, x) AS points, predict(card, x) AS p, (SELECT sum(s.points) FROM scorecard(card) s WHERE feature = 0
		OR CASE WHEN s.missing THEN x[feature] IS NULL ELSE x[feature] >= coalesce(s.lower, '-Infinity') AND x[feature] < coalesce(s.upper, 'Infinity') END) AS parts
	FROM cards, (SELECT ARRAY[age, income, class, constant] AS x FROM loans WHERE i <= 300) l) s;
SELECT r.reason, r.feature, round(r.points::numeric, 4) AS points, round(r.best::numeric, 4) AS best, round(r.lost::numeric, 4) AS lost FROM cards, reason_codes(card, ARRAY[20, NULL, 2, 7]) r;
SELECT count(*) FROM cards, reason_codes(card, ARRAY[20, NULL, 2, 7], 1);
SELECT bool_and(lost = (SELECT max(points) FROM scorecard(card) s WHERE s.feature = r.feature) - points) AS lost FROM cards, reason_codes(card, ARRAY[45, 300, 1, 7], 10) r;
-- Parts add up to the margin, to the last bit.
SELECT bool_and(p = CASE WHEN margin >= 0 THEN 1 / (1 + exp(-margin)) ELSE exp(margin) / (1 + exp(margin)) END) AS exact
FROM (SELECT predict(m, x) AS p, (SELECT sum(contribution ORDER BY feature) FROM explain(m, x)) AS margin
	FROM (SELECT card AS m FROM cards UNION ALL SELECT bayes FROM cards) c, (SELECT ARRAY[age, income, class, constant] AS x FROM loans WHERE i <= 200) l) s;

-- Quality, and no score collapses to 0 or 1: a feature ten times over counts once.
SELECT auc_agg(bad, predict(card, x)) > 0.7 AS card, auc_agg(bad, predict(bayes, x)) > 0.7 AS bayes, abs(avg(predict(card, x)) - avg(bad::int)) < 1e-9 AS mean, abs(avg(predict(bayes, x)) - avg(bad::int)) < 1e-9 AS bayes_mean
FROM cards, (SELECT bad, ARRAY[age, income, class, constant] AS x FROM loans) l;
SELECT max(abs(predict(once, ARRAY[age, income]) - predict(often, ARRAY[age, age, age, age, age, income, income, income, income, income]))) < 1e-6 AS shrunk, min(predict(often, ARRAY[age, age, age, age, age, income, income, income, income, income])) > 0.001 AS no_collapse
FROM loans, (SELECT naive_bayes_fit(bad, ARRAY[age, income]) AS once, naive_bayes_fit(bad, ARRAY[age, age, age, age, age, income, income, income, income, income]) AS often FROM loans) m;
SELECT predict(naive_bayes_fit(l, ARRAY[x]), ARRAY[1.0]) BETWEEN 0.5 AND 0.9 AS few_rows FROM (VALUES (true, 1.0), (true, 1), (false, 0), (false, 0), (false, 0)) v (l, x);

-- Merging: parallel, any order.
CREATE FUNCTION pg_temp.same(one model, other model) RETURNS boolean LANGUAGE sql AS $$
	SELECT bool_and(o.value = t.value OR abs(o.value::text::float8 - t.value::text::float8) < 1e-9 * abs(o.value::text::float8))
	FROM jsonb_each(model_params(one)) o FULL JOIN jsonb_each(model_params(other)) t USING (key) WHERE jsonb_typeof(o.value) = 'number' OR o.value IS NULL
$$;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
ALTER TABLE loans SET (parallel_workers = 2);
EXPLAIN (COSTS off) SELECT scorecard_fit(bad, ARRAY[age, income, class, constant]) FROM loans;
SELECT pg_temp.same(card, (SELECT scorecard_fit(bad, ARRAY[age, income, class, constant]) FROM loans)) AS card, pg_temp.same(bayes, (SELECT naive_bayes_fit(bad, ARRAY[age, income, class, constant]) FROM loans)) AS bayes FROM cards;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT pg_temp.same(card, (SELECT scorecard_fit(bad, ARRAY[age, income, class, constant] ORDER BY sin(i)) FROM loans)) AS reordered FROM cards;

-- Text and back; what is refused.
SELECT card::text::model::text = card::text AND points(card::text::model, ARRAY[30, 900, 1, 7]) = points(card, ARRAY[30, 900, 1, 7]) AS round_trip FROM cards;
SELECT jsonb_set(card::text::jsonb, '{cuts,0}', '1e9')::text::model FROM cards;
SELECT jsonb_set(card::text::jsonb, '{cut_counts,0}', '99999')::text::model FROM cards;
SELECT jsonb_set(card::text::jsonb, '{bin_rows,0}', '-1')::text::model FROM cards;
SELECT jsonb_set(card::text::jsonb, '{pdo}', '0')::text::model FROM cards;
SELECT points(bayes, ARRAY[30, 900, 1, 7]) FROM cards;
SELECT scorecard(bayes) FROM cards;
SELECT reason_codes(card, ARRAY[30, 900, 1, 7], 0) FROM cards;

-- Options.
SELECT count(*) FILTER (WHERE feature = 1) AS bins, min(rows) FILTER (WHERE feature = 1) >= 800 AS share, max(points) FILTER (WHERE feature = 0) < 100 AS base
FROM (SELECT scorecard_fit(bad, ARRAY[age, income], '{"max_bins": 3, "min_share": 0.1, "pdo": 10, "base_points": 100, "base_odds": 10}') AS m FROM loans) f, scorecard(m);
SELECT scorecard_fit(bad, ARRAY[age], '{"smoothing": 1}') FROM loans;
SELECT naive_bayes_fit(bad, ARRAY[age], '{"fine_bins": 1}') FROM loans;

-- Dirty data: outliers, huge numbers, all missing, few rows, one label.
SELECT predict(m, ARRAY[1e300, -1e300]) BETWEEN 0.01 AND 0.9 AS huge FROM (SELECT scorecard_fit(bad, ARRAY[CASE WHEN i % 100 = 0 THEN 1e300 ELSE age END, income]) AS m FROM loans) f;
SELECT abs(predict(scorecard_fit(bad, ARRAY[NULL::float8]), '{NULL}') - avg(bad::int)) < 1e-6 AS all_missing, abs(predict(naive_bayes_fit(bad, '{}'), '{}') - avg(bad::int)) < 1e-9 AS no_features FROM loans;
SELECT predict(scorecard_fit(l, ARRAY[x]), ARRAY[1.0]) BETWEEN 0.3 AND 0.7 AS two_rows FROM (VALUES (true, 1.0), (false, 0)) v (l, x);
SELECT scorecard_fit(true, ARRAY[age]) FROM loans;
SELECT naive_bayes_fit(bad, ARRAY[age]) AS nothing, scorecard_fit(bad, NULL) AS no_features FROM loans WHERE false;

-- States from elsewhere: every bit turned is refused or gives a model.
CREATE AGGREGATE pg_temp.card_state(boolean, float8[]) (SFUNC = scorecard_fit_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.card_merge(agg_state) (SFUNC = scorecard_fit_combinefn, STYPE = agg_state, FINALFUNC = scorecard_fit_finalfn);
DO $$
DECLARE
	state bytea := (SELECT decode(pg_temp.card_state(bad, ARRAY[age])::text, 'base64') FROM loans WHERE i <= 10);
	outcome text[] = '{}';
BEGIN
	FOR bit IN 0 .. length(state) * 8 - 1 LOOP
		BEGIN
			PERFORM pg_temp.card_merge(replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '')::agg_state);
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
DROP TABLE loans, cards;
