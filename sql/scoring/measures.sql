-- Measures of scores: against their definitions in plain SQL, ties, limits, few rows; merging.
SET extra_float_digits = 0;
CREATE TABLE scored AS
SELECT i, i % 3 AS g, (i * 2654435761 % 4294967296) / 4294967296.0 < p AS label, round(p::numeric, 2)::float8 AS score, p
FROM (SELECT i, 1 / (1 + exp(-sin(i * 1.7) * 2)) AS p FROM generate_series(1, 2000) AS i) s;
CREATE FUNCTION pg_temp.near(a float8, b float8, bound float8 DEFAULT 1e-12) RETURNS boolean LANGUAGE sql AS
	'SELECT abs(a - b) <= bound * greatest(abs(a), abs(b), 1e-300)';


-- AUC: pairs in the right order, ties half; KS: the largest distance of two distributions.
SELECT auc_agg(label, score) = (SELECT avg(CASE WHEN a.score > b.score THEN 1 WHEN a.score = b.score THEN 0.5 ELSE 0 END)::float8
	FROM scored a, scored b WHERE a.label AND NOT b.label) AS auc,
	pg_temp.near(ks_agg(label, score), (SELECT max(abs(f1 - f0)) FROM (SELECT (SELECT avg((score <= s.score)::int) FROM scored WHERE label) AS f1,
		(SELECT avg((score <= s.score)::int) FROM scored WHERE NOT label) AS f0 FROM (SELECT DISTINCT score FROM scored) s) d)) AS ks
FROM scored;
-- DeLong's variance by its placements.
SELECT pg_temp.near((e).estimate, avg_auc) AND pg_temp.near((e).standard_error, sqrt(v1 / n1 + v0 / n0), 1e-10) AS delong,
	pg_temp.near((e).lower, (e).estimate - 1.959963984540054 * (e).standard_error) AND pg_temp.near((e).upper, (e).estimate + 1.959963984540054 * (e).standard_error) AS limits
FROM (SELECT auc_interval_agg(label, score) AS e, auc_agg(label, score) AS avg_auc FROM scored) a,
	(SELECT var_samp(place) AS v1, count(*) AS n1 FROM (SELECT (SELECT avg(CASE WHEN a.score > b.score THEN 1 WHEN a.score = b.score THEN 0.5 ELSE 0 END)::float8 FROM scored b WHERE NOT b.label) AS place FROM scored a WHERE a.label) p) p,
	(SELECT var_samp(place) AS v0, count(*) AS n0 FROM (SELECT (SELECT avg(CASE WHEN a.score > b.score THEN 1 WHEN a.score = b.score THEN 0.5 ELSE 0 END)::float8 FROM scored a WHERE a.label) AS place FROM scored b WHERE NOT b.label) n) n;
-- Losses.
SELECT pg_temp.near(log_loss_agg(label, p), avg(-ln(CASE WHEN label THEN p ELSE 1 - p END))) AS log_loss, pg_temp.near(brier_agg(label, p), avg((label::int - p) ^ 2)) AS brier,
	pg_temp.near((log_loss_interval_agg(label, p)).standard_error, stddev_samp(-ln(CASE WHEN label THEN p ELSE 1 - p END)) / sqrt(count(*)), 1e-10) AS log_loss_error,
	pg_temp.near((brier_interval_agg(label, p)).standard_error, stddev_samp((label::int - p) ^ 2) / sqrt(count(*)), 1e-10) AS brier_error
FROM scored;
SELECT log_loss_agg(l, p), brier_agg(l, p) FROM (VALUES (true, 1.0), (false, 0.0)) v (l, p);
SELECT log_loss_agg(true, 0);

-- Gain and calibration tables: equal scores stay together.
SELECT t.* FROM (SELECT gain_table(4, label, score) AS g FROM (VALUES (true, 0.9), (false, 0.9), (true, 0.9), (true, 0.7), (false, 0.4), (false, 0.4), (true, 0.2), (false, 0.1)) v (label, score)) s, unnest(g) AS t;
SELECT t.* FROM (SELECT calibration_table(4, label, score) AS g FROM (VALUES (true, 0.9), (false, 0.9), (true, 0.9), (true, 0.7), (false, 0.4), (false, 0.4), (true, 0.2), (false, 0.1)) v (label, score)) s, unnest(g) AS t;
SELECT count(*) AS bins, sum(rows) AS rows, sum(positives) = (SELECT count(*) FROM scored WHERE label) AS positives, max(cumulative_share) AS reached, bool_and(rows = 200) AS even
FROM (SELECT gain_table(10, label, i) AS g FROM scored) s, unnest(g);
-- Bins of distinct scores are those of ntile.
SELECT bool_and(t.rows = n.rows AND t.positives = n.positives AND pg_temp.near(t.rate, n.rate)) AS ntile
FROM (SELECT gain_table(8, label, i) AS g FROM scored) s, unnest(g) AS t
	JOIN (SELECT bin, count(*) AS rows, count(*) FILTER (WHERE label) AS positives, avg(label::int) AS rate FROM (SELECT label, ntile(8) OVER (ORDER BY i DESC) AS bin FROM scored) x GROUP BY bin) n USING (bin);
SELECT bool_and(mean_score BETWEEN lower AND upper) AS calibrated FROM (SELECT calibration_table(5, label, p) AS c FROM scored) s, unnest(c);

-- Weight of evidence: definition; a count of 0; rows without value; information value.
SELECT t.* FROM (SELECT woe_table(label, bin) AS w FROM (VALUES (true, 'a'), (true, 'a'), (false, 'a'), (true, 'b'), (false, 'b'), (false, 'b'), (false, NULL), (true, '乙'), (false, '乙')) v (label, bin)) s, unnest(w) AS t;
SELECT pg_temp.near(information_value(label, g::text), (SELECT sum(iv) FROM (SELECT woe_table(label, g::text) AS w FROM scored) s, unnest(w))) AS sum,
	pg_temp.near(information_value(label, g::text), (SELECT sum((b - h) * ln(b / h)) FROM (SELECT sum(label::int)::float8 / (SELECT count(*) FROM scored WHERE label) AS b,
		sum((NOT label)::int)::float8 / (SELECT count(*) FROM scored WHERE NOT label) AS h FROM scored GROUP BY g) x)) AS definition FROM scored;
SELECT count(*) AS bins, pg_temp.near(sum(iv), (SELECT information_value(label, i::text) FROM scored)) AS each_its_own FROM (SELECT woe_table(label, i::text) AS w FROM scored) s, unnest(w);

-- Population stability.
SELECT round(psi('{100,200,300,250,150}', '{80,180,310,270,160}')::numeric, 12) AS psi, psi('{1,2,3}', '{0.1,0.2,0.3}') < 1e-15 AS same, round(psi('{1,0}', '{1,1}')::numeric, 6) AS empty_bin,
	psi('{0,0}', '{1,1}') AS nothing, psi(NULL, '{1}') AS unknown;
SELECT psi('{1,2}', '{1}');
SELECT psi('{1,-2}', '{1,1}');
SELECT psi('{1,NULL}', '{1,1}');

-- No rows, one label, null arguments.
SELECT auc_agg(label, score), ks_agg(label, score), auc_interval_agg(label, score), log_loss_agg(label, score), brier_interval_agg(label, score), gain_table(3, label, score), woe_table(label, 'a'), information_value(label, 'a')
FROM scored WHERE false;
SELECT auc_agg(true, score), ks_agg(true, score), woe_table(true, 'a'), information_value(true, 'a') FROM scored;
SELECT auc_agg(label, NULL), auc_agg(NULL, score), brier_agg(NULL, score) FROM scored;
SELECT t.* FROM (SELECT gain_table(2, false, score) AS g FROM scored) s, unnest(g) AS t;
SELECT auc_interval_agg(label, score) FROM (VALUES (true, 1), (false, 0)) v (label, score);
SELECT auc_agg(label, score) FROM (VALUES (true, 0.0), (false, -0.0)) v (label, score);
SELECT auc_agg(label, score) FROM (VALUES (true, -1e308), (true, 5e-324), (false, -1.7e308), (false, 0), (false, 1e308)) v (label, score);

-- Refusals.
SELECT auc_agg(label, 'NaN') FROM scored;
SELECT log_loss_agg(label, 1.5) FROM scored;
SELECT brier_agg(label, 'NaN') FROM scored;
SELECT gain_table(0, label, score) FROM scored;
SELECT gain_table(NULL, label, score) FROM scored;
SELECT gain_table(g + 1, label, score) FROM scored;

-- Merging: parallel, any order, groups, filtered, in a window; siblings share a state.
CREATE TABLE serial AS SELECT auc_agg(label, score) AS auc, ks_agg(label, score) AS ks, auc_interval_agg(label, score) AS interval, log_loss_agg(label, p) AS log_loss, gain_table(7, label, score) AS gain, woe_table(label, g::text) AS woe FROM scored;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
ALTER TABLE scored SET (parallel_workers = 2);
EXPLAIN (COSTS off) SELECT auc_agg(label, score), ks_agg(label, score), log_loss_agg(label, p), gain_table(7, label, score), woe_table(label, g::text) FROM scored;
SELECT (s.auc, s.ks, s.interval, s.gain, s.woe) = (auc_agg(label, score), ks_agg(label, score), auc_interval_agg(label, score), gain_table(7, label, score), woe_table(label, g::text)) AS parallel,
	pg_temp.near(s.log_loss, log_loss_agg(label, p)) AS log_loss FROM scored, serial s GROUP BY s.*, s.auc, s.ks, s.interval, s.gain, s.woe, s.log_loss;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT (SELECT (auc, ks, gain) FROM serial) = (auc_agg(label, score ORDER BY md5(i::text)), ks_agg(label, score ORDER BY sin(i)), gain_table(7, label, score ORDER BY cos(i))) AS reordered FROM scored;
SELECT auc_agg(label, score) FILTER (WHERE g = 1) = (SELECT auc_agg(label, score) FROM scored WHERE g = 1) AS filtered FROM scored;
SELECT bool_and(w = (SELECT auc_agg(label, score) FROM scored b WHERE b.i BETWEEN s.i - 20 AND s.i + 5)) AS moving FROM (SELECT i, auc_agg(label, score) OVER (ORDER BY i ROWS BETWEEN 20 PRECEDING AND 5 FOLLOWING) AS w FROM scored WHERE i <= 200) s WHERE i <= 190;
SET work_mem = '64kB';
SELECT count(*) AS groups, count(a) AS known FROM (SELECT i % 500, auc_agg(label, score) AS a, information_value(label, g::text) AS v FROM scored GROUP BY i % 500) s;
RESET work_mem;

-- States from elsewhere: every bit turned is refused or answered.
CREATE AGGREGATE pg_temp.scores_state(boolean, float8) (SFUNC = scores_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.scores_merge(agg_state) (SFUNC = scores_combinefn, STYPE = agg_state, FINALFUNC = auc_interval_finalfn);
CREATE AGGREGATE pg_temp.losses_state(boolean, float8) (SFUNC = brier_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.losses_merge(agg_state) (SFUNC = losses_combinefn, STYPE = agg_state, FINALFUNC = losses_interval_finalfn);
CREATE AGGREGATE pg_temp.woe_state(boolean, text) (SFUNC = woe_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.woe_merge(agg_state) (SFUNC = woe_combinefn, STYPE = agg_state, FINALFUNC = woe_table_finalfn);
DO $$
DECLARE
	states text[] := (SELECT ARRAY[pg_temp.scores_state(label, score)::text, pg_temp.losses_state(label, p)::text, pg_temp.woe_state(label, nullif(g, 2)::text)::text] FROM scored WHERE i <= 20);
	merges text[] := '{scores,losses,woe}';
	state bytea;
	outcome text[];
BEGIN
	FOR n IN 1 .. 3 LOOP
		state := decode(states[n], 'base64');
		outcome := '{}';
		FOR bit IN 0 .. length(state) * 8 - 1 LOOP
			BEGIN
				EXECUTE format('SELECT pg_temp.%s_merge($1::crm.agg_state)', merges[n]) USING replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '');
				outcome := outcome || 'answered'::text;
			EXCEPTION WHEN data_corrupted OR invalid_text_representation OR numeric_value_out_of_range THEN
				outcome := outcome || SQLSTATE::text;
			END;
		END LOOP;
		IF NOT outcome @> '{answered,XX001}' THEN
			RAISE 'outcomes of %: %', merges[n], (SELECT array_agg(DISTINCT o) FROM unnest(outcome) o);
		END IF;
	END LOOP;
END
$$;
DROP TABLE scored, serial;
