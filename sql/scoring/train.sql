-- Models over ordinary columns, by name.
CREATE SCHEMA scoring_train;
SET search_path = scoring_train, crm, public;
SET client_min_messages = warning;
\set VERBOSITY default
\set SHOW_CONTEXT never

-- Customers: who left hangs on tenure, bill, contract; numbers, texts, dates, booleans, gaps.
CREATE TABLE past AS
SELECT id, tenure, CASE WHEN id % 10 <> 0 THEN bill END AS bill, contract, paperless, since,
	'c' || id % 400 AS city,
	u < 1 / (1 + exp(-(-0.5 - 0.06 * tenure + 0.015 * bill + CASE contract WHEN 'monthly' THEN 1.4 WHEN 'yearly' THEN 0 ELSE -1.2 END))) AS left_us
FROM (SELECT id, (id * 37 % 60) AS tenure, (20 + id * 53 % 80)::numeric AS bill, (ARRAY['monthly', 'monthly', 'yearly', 'two years'])[1 + id * 31 % 4] AS contract,
		id % 3 = 0 AS paperless, date '2020-01-01' + id % 700 AS since, (id::bigint * 7919 % 10007) / 10007.0 AS u
	FROM generate_series(1, 4000) AS id) AS r;

-- All algorithms, on the same rows held back.
SELECT a, r ->> 'version' AS version, r ->> 'columns' AS columns, r ->> 'features' AS features, r ->> 'rows' AS rows, r ->> 'held_rows' AS held,
	r ->> 'grouped' AS grouped, (r #>> '{metrics,auc}')::float8 > 0.72 AS good
FROM unnest('{logistic,boosted_trees,naive_bayes,scorecard}'::text[]) AS a,
	train('churn_' || a, a, 'SELECT tenure, bill, contract, paperless, since, city, left_us FROM past', 'left_us', '{"max_categories": 100}') AS r;
SELECT a, r ->> 'features' AS features, (r #>> '{metrics,r2}')::float8 > 0.9 AS good
FROM unnest('{linear,boosted_trees_regression}'::text[]) AS a,
	train('spend_' || a, a, 'SELECT tenure, contract, tenure * 3 + CASE contract WHEN ''monthly'' THEN 40 ELSE 0 END + id % 5 AS spend, id FROM past', 'spend', '{"key": "id"}') AS r;

-- The features by hand: the same model as from an array.  Nothing held back, so both see all rows.
SELECT r ->> 'held_rows' AS held, r -> 'metrics' AS metrics
FROM train('churn', 'logistic', 'SELECT tenure, bill, contract, left_us FROM past -- a comment
	;', 'left_us', '{"holdout": 0}') AS r;
SELECT count(*) AS rows, max(abs(predict('churn', p) - predict(f.m, ARRAY[tenure, coalesce(bill, f.mean), (bill IS NULL)::int,
	(contract = 'two years')::int, (contract = 'yearly')::int]::float8[]))) < 1e-9 AS the_same
FROM past AS p, (SELECT logistic_fit(left_us, ARRAY[tenure, coalesce(bill, s.mean), (bill IS NULL)::int, (contract = 'two years')::int, (contract = 'yearly')::int]::float8[]) AS m,
	min(s.mean) AS mean FROM past, (SELECT avg(bill)::float8 AS mean FROM past) AS s) AS f;

-- Columns by name: any order, more of them, unseen categories, NULL, and as jsonb.
SELECT predict('churn', a) = predict('churn', b) AS any_order, predict('churn', a) = predict('churn', to_jsonb(a)) AS as_jsonb
FROM (SELECT 5 AS tenure, 70 AS bill, 'yearly' AS contract) AS a, (SELECT 'x' AS more, 'yearly'::varchar AS contract, 70.0::float8 AS bill, 5::bigint AS tenure) AS b;
SELECT predict('churn', a) BETWEEN 0 AND 1 AS unseen FROM (SELECT 5 AS tenure, NULL::int AS bill, 'for life' AS contract) AS a;
SELECT predict('churn_boosted_trees', p) BETWEEN 0 AND 1 AS unseen FROM (SELECT 5 AS tenure, NULL::int AS bill, 'for life' AS contract, NULL::bool AS paperless, date '2031-01-01' AS since, 'atlantis' AS city) AS p;
SELECT predict('churn', NULL::past) IS NULL AS no_row;
SELECT count(*) FILTER (WHERE predict('churn_boosted_trees', p) = predict('churn_boosted_trees', to_jsonb(p))) AS same_as_jsonb FROM past AS p;
SELECT feature, value, contribution IS NOT NULL AS has_part FROM (SELECT * FROM past WHERE id = 7) AS p, explain('churn', p);
SELECT count(*) FILTER (WHERE abs(sum - ln(score / (1 - score))) < 1e-9) AS adds_up
FROM (SELECT predict('churn_boosted_trees', p) AS score, (SELECT sum(contribution) FROM explain('churn_boosted_trees', p)) AS sum FROM past AS p LIMIT 100) AS s;

SELECT r.score = predict('churn', p) AS score, n.feature, n.name, n.contribution = e.contribution AS as_explained, n.contribution > 0 AS raises
FROM (SELECT * FROM past WHERE id = 7) AS p, predict_reasons('churn', p, 2) AS r, unnest(r.reasons) AS n, explain('churn', p) AS e WHERE e.feature = n.name ORDER BY abs(n.contribution) DESC;
SELECT count(*) AS none FROM (SELECT * FROM past WHERE id = 7) AS p, predict_reasons('churn', p, 0) AS r, unnest(r.reasons);
SELECT predict_reasons('churn', p, -1) FROM past AS p LIMIT 1;
SELECT predict_reasons('churn', p, 1, 'sideways') FROM past AS p LIMIT 1;

-- Equal rows in another order: the same split, the same fingerprint, for trees the same model.
CREATE TABLE shuffled AS TABLE past ORDER BY md5(id::text);
CREATE TABLE ordered_report AS SELECT train('t1', 'boosted_trees', 'SELECT tenure, bill, contract, left_us FROM past', 'left_us', '{"trees": 20}') AS r;
CREATE TABLE shuffled_report AS SELECT train('t2', 'boosted_trees', 'SELECT tenure, bill, contract, left_us FROM shuffled', 'left_us', '{"trees": 20}') AS r;
SELECT a.r ->> 'fingerprint' = b.r ->> 'fingerprint' AS fingerprint, a.r #> '{metrics,auc}' = b.r #> '{metrics,auc}' AS auc, model('t1')::text = model('t2')::text AS model
FROM ordered_report AS a, shuffled_report AS b;
SELECT train('t2', 'boosted_trees', 'SELECT tenure, bill, contract, left_us FROM past UNION ALL SELECT 1, 1, ''x'', true', 'left_us') ->> 'fingerprint' = r ->> 'fingerprint' AS one_more FROM ordered_report;
-- The share held back is about the one asked for; rows with one key are on one side.
SELECT abs((r ->> 'held_rows')::int - 1000) < 120 AS a_quarter FROM train('t1', 'logistic', 'SELECT id, tenure, left_us FROM past', 'left_us', '{"holdout": 0.25, "key": "id"}') AS r;
SELECT count(*) AS keys_on_both_sides FROM (SELECT 1 FROM (SELECT k, row_is_held(v.split, q) AS held FROM
	(SELECT id % 500 AS k, n AS noise FROM past, generate_series(1, 2) AS n) AS q, (SELECT replace(split::text, '"id"', '"k"')::jsonb AS split FROM model_version WHERE name = 't1' AND version = 2) AS v) AS h
	GROUP BY k HAVING count(DISTINCT held) > 1) AS s;
-- Rows alike but for their label are on one side, too.
SELECT count(*) AS on_both_sides FROM (SELECT 1 FROM (SELECT tenure, bill, contract, row_is_held(v.split, q) AS held FROM past AS q, model_version AS v WHERE v.name = 't1' AND v.version = 1) AS h
	GROUP BY tenure, bill, contract HAVING count(DISTINCT held) > 1) AS s;
-- By time: the latest are held back, and the time is not learned from.
SELECT r ->> 'columns' AS columns, (r ->> 'held_rows')::int BETWEEN 780 AND 830 AS a_fifth FROM train('t1', 'logistic', 'SELECT since, tenure, left_us FROM past', 'left_us', '{"time": "since"}') AS r;
SELECT min(since) FILTER (WHERE row_is_held(split, p)) > max(since) FILTER (WHERE NOT row_is_held(split, p)) AS later FROM past AS p, model_version WHERE name = 't1' AND version = (SELECT champion FROM model_definition WHERE name = 't1');

-- Measuring on other rows.
SELECT metric, value > 0 AS positive, CASE WHEN metric IN ('rows', 'positives') THEN value END AS value
FROM evaluate('churn', 'SELECT * FROM (SELECT tenure, bill, contract, left_us FROM past LIMIT 1000) AS p', 'left_us');
SELECT e.value = (SELECT auc_agg(left_us, predict('churn', p)) FROM past AS p) AS same FROM evaluate('churn', 'SELECT * FROM past', 'left_us') AS e WHERE metric = 'auc';
SELECT metric FROM evaluate('spend_linear', 'SELECT tenure, contract, 1.0 AS spend FROM past LIMIT 10', 'spend');

-- Champion and challenger.
SELECT r ->> 'version' AS version, r ->> 'champion' AS champion, r ->> 'promoted' AS promoted FROM retrain('churn_logistic') AS r;
CREATE TABLE changing AS SELECT tenure, contract, left_us FROM past;
SELECT train('moving', 'boosted_trees', 'SELECT * FROM changing', 'left_us', '{"trees": 30}') ->> 'version' AS version;
UPDATE changing SET left_us = NOT left_us;
SELECT r ->> 'version' AS version, r ->> 'champion' AS champion, r ->> 'promoted' AS promoted, (r ->> 'loss_saved')::float8 > 0 AS saves FROM retrain('moving') AS r;
SELECT rollback_model('moving');
SELECT champion, versions FROM model_definition WHERE name = 'moving';
SELECT rollback_model('moving');
SELECT rollback_model('moving', 2);
SELECT alter_model('moving', 2, 'retired');
SELECT predict('moving', p) FROM past AS p LIMIT 1;
SELECT rollback_model('moving', 2);
SELECT alter_model('moving', 2, 'old');
SELECT alter_model('moving', 9, 'draft');

-- Several algorithms on the same rows: a tie is called one, and all beat the baseline.
SELECT algorithm, rows, metric, value BETWEEN lower AND upper AS within, worse_by = 0 AS best, algorithm = 'baseline' OR auc > 0.6 AS ranks, algorithm = 'baseline' AND auc = 0.5 AS coin,
	algorithm <> 'baseline' OR NOT tied AS no_tie_with_baseline
FROM compare_models('{boosted_trees,logistic,naive_bayes}', 'SELECT tenure, bill, contract, left_us FROM past', 'left_us', '{"boosted_trees": {"trees": 30}}') ORDER BY algorithm;
-- Of labels that nothing tells, a model is no better than the baseline, and that is said.
SELECT bool_and(tied) AS all_tied FROM compare_models('{logistic}', 'SELECT tenure, md5(id::text) < ''8'' AS left_us, id FROM past', 'left_us', '{"key": "id", "folds": 5}');
-- By folds every row is held back once.
SELECT algorithm, rows, metric, worse_by >= 0 AS ordered, auc IS NULL AS no_auc FROM compare_models('{linear}', 'SELECT tenure, contract, id % 5 + tenure AS spend FROM past', 'spend', '{"folds": 3}');
-- The same figures by plain SQL.
SELECT abs(c.value - (m.metrics ->> 'log_loss')::float8) < 1e-12 AS loss, abs(c.auc - (m.metrics ->> 'auc')::float8) < 1e-12 AS auc,
	abs(c.standard_error - (m.metrics #>> '{log_loss_interval,standard_error}')::float8) < 1e-9 AS error,
	abs(b.worse_by - (SELECT avg(-ln(CASE WHEN left_us THEN r ELSE 1 - r END) + ln(CASE WHEN left_us THEN s ELSE 1 - s END)) FROM
		(SELECT left_us, predict('churn_logistic', q) AS s, avg(left_us::int) FILTER (WHERE NOT row_is_held(m.split, q)) OVER () AS r, row_is_held(m.split, q) AS held FROM (SELECT tenure, bill, contract, paperless, since, city, left_us FROM past) AS q) AS s WHERE held)) < 1e-9 AS difference
FROM model_version AS m, LATERAL (SELECT * FROM compare_models('{logistic}', m.query, m.label, m.options) OFFSET 0) AS c, compare_models('{logistic}', m.query, m.label, m.options) AS b
WHERE m.name = 'churn_logistic' AND m.version = 1 AND c.algorithm = 'logistic' AND b.algorithm = 'baseline';
SELECT * FROM compare_models('{}', 'SELECT * FROM past', 'left_us');
SELECT * FROM compare_models('{logistic,linear}', 'SELECT * FROM past', 'left_us');
SELECT * FROM compare_models('{logistic,logistic}', 'SELECT * FROM past', 'left_us');
SELECT * FROM compare_models('{logistic,NULL}', 'SELECT * FROM past', 'left_us');
SELECT * FROM compare_models('{logistic}', 'SELECT * FROM past', 'left_us', '{"trees": 3}');
SELECT * FROM compare_models('{logistic}', 'SELECT * FROM past', 'left_us', '{"logistic": 3}');
SELECT * FROM compare_models('{logistic}', 'SELECT * FROM past', 'left_us', '{"folds": 1}');
SELECT * FROM compare_models('{logistic}', 'SELECT * FROM past', 'left_us', '{"folds": 3, "time": "since"}');
SELECT * FROM compare_models('{logistic}', 'SELECT * FROM past', 'left_us', '{"holdout": 0}');

-- Drift: none on the rows of the training; a shifted column, gaps, values never seen; the bins by plain SQL.
SELECT train('drifting', 'boosted_trees', 'SELECT tenure, bill, contract, left_us, id FROM past', 'left_us', '{"key": "id", "trees": 30}') ->> 'version' AS version;
SELECT feature, psi < 0.02 AS none, level, missing_then, missing_now = missing_then AS same_gaps, unseen_now FROM model_drift('drifting', 'SELECT * FROM past');
SELECT feature, psi > 0.25 AS drifted, level, missing_then, missing_now, unseen_now
FROM model_drift('drifting', 'SELECT tenure + 30 AS tenure, CASE WHEN id % 2 = 0 THEN bill END AS bill, CASE WHEN id % 4 = 0 THEN ''for life'' ELSE contract END AS contract FROM past');
SELECT abs(d.psi - (SELECT sum((n - t) * ln(n / t)) FROM (SELECT count(*) FILTER (WHERE g = 1) / 4000.0 AS t, count(*) FILTER (WHERE g = 2) / 4000.0 AS n FROM
	(SELECT 1 AS g, contract FROM past UNION ALL SELECT 2, CASE WHEN id % 8 = 0 THEN 'monthly' ELSE contract END FROM past) AS u GROUP BY contract) AS b)) < 1e-9 AS same
FROM model_drift('drifting', 'SELECT tenure, bill, CASE WHEN id % 8 = 0 THEN ''monthly'' ELSE contract END AS contract FROM past') AS d WHERE feature = 'contract';
SELECT feature, psi, level FROM model_drift('drifting', 'SELECT * FROM past WHERE false');
SELECT * FROM model_drift('drifting', 'SELECT tenure FROM past');
SELECT * FROM model_drift('drifting', 'DELETE FROM past');

-- A name for a value, the value of a name.
SELECT store_model('kept', model('churn'));
SELECT model('kept')::text = model('churn')::text AS the_same, model('kept', 1)::text = model('kept')::text AS the_first;
SELECT predict(model('kept'), ARRAY[1, 2, 0, 0, 0]) BETWEEN 0 AND 1 AS by_array;
SELECT predict('kept', p) FROM past AS p LIMIT 1;
SELECT retrain('kept');
SELECT * FROM model_drift('kept', 'SELECT * FROM past');
SELECT model('kept', 2);
SELECT model('kept', 0);
SELECT model('cept');
SELECT model(NULL::text), model('churn'::text, NULL)::text = model('churn')::text AS same;

-- Errors.
SELECT train('e', 'forest', 'SELECT 1', 'x');
SELECT train('e', 'logistic', 'SELECT 1; SELECT 2', 'x');
SELECT train('e', 'logistic', 'DELETE FROM past', 'x');
SELECT train('e', 'logistic', 'WITH d AS (DELETE FROM past RETURNING *) SELECT * FROM d', 'left_us');
SELECT train('e', 'logistic', 'SELECT * FROM past FOR UPDATE', 'left_us');
SELECT train('e', 'logistic', 'SELECT 1) AS q, (SELECT 2', 'x');
SELECT train('e', 'logistic', 'SELECT tenure, left_us FROM past', 'left');
SELECT train('e', 'logistic', 'SELECT tenure, contract FROM past', 'contract');
SELECT train('e', 'linear', 'SELECT tenure, left_us FROM past', 'left_us');
SELECT train('e', 'logistic', 'SELECT left_us FROM past', 'left_us');
SELECT train('e', 'logistic', 'SELECT tenure, tenure, left_us FROM past', 'left_us');
SELECT train('e', 'logistic', 'SELECT ARRAY[tenure] AS a, left_us FROM past', 'left_us');
SELECT train('e', 'logistic', 'SELECT tenure, left_us FROM past WHERE false', 'left_us');
SELECT train('e', 'logistic', 'SELECT tenure, true AS left_us FROM past', 'left_us');
SELECT train('e', 'logistic', 'SELECT ''NaN''::float8 AS x, left_us FROM past', 'left_us');
SELECT train('e', 'logistic', 'SELECT date ''infinity'' AS x, left_us FROM past', 'left_us');
SELECT train('e', 'logistic', 'SELECT 1.7e308 AS x, left_us FROM past', 'left_us');
SELECT train('e', 'logistic', 'SELECT tenure, left_us FROM past', 'left_us', '{"holdout": 1}');
SELECT train('e', 'logistic', 'SELECT tenure, left_us FROM past', 'left_us', '{"key": "idd"}');
SELECT train('e', 'logistic', 'SELECT tenure, bill, left_us FROM past', 'left_us', '{"time": "tenure"}');
SELECT train('e', 'logistic', 'SELECT tenure, left_us FROM past', 'left_us', '{"trees": 3}');
SELECT train('e', 'logistic', 'SELECT tenure, left_us FROM past', 'left_us', '[]');
SELECT train('', 'logistic', 'SELECT tenure, left_us FROM past', 'left_us');
SELECT predict('churn', p) FROM (SELECT 1 AS tenure, 2 AS bil, 'x' AS contract) AS p;
SELECT predict('churn', row(1, 2, 'x'));
SELECT predict('churn', p) FROM (SELECT 1 AS tenure, 'two' AS bill, 'x' AS contract) AS p;
SELECT predict('churn', '{"tenure": 1, "bill": 2}'::jsonb);
SELECT predict('churn', '{"tenure": "one", "bill": 2, "contract": "x"}'::jsonb);
SELECT predict('churn', '[1]'::jsonb);
SELECT model_features('{}', p) FROM past AS p LIMIT 1;
SELECT model_features('{"spread": true, "columns": [{"name": "contract", "kind": "text", "missing": false, "other": false, "base": 3, "values": ["a"], "codes": [0]}]}', p) FROM past AS p LIMIT 1;
SELECT model_features('{"spread": false, "columns": [{"name": "contract", "kind": "text", "missing": false, "other": false, "base": -1, "values": ["b", "a"], "codes": [0, 1]}]}', p) FROM past AS p LIMIT 1;
SELECT row_is_held('{}', p) FROM past AS p LIMIT 1;
SELECT count(*) FROM model_definition WHERE name IN ('e', '');

-- Rights: the rows are the caller's, the model is its owner's.
CREATE ROLE regress_crm_trainer;
CREATE ROLE regress_crm_scorer;
GRANT USAGE ON SCHEMA scoring_train, crm TO PUBLIC;
GRANT SELECT ON past TO regress_crm_trainer, regress_crm_scorer;
SET ROLE regress_crm_trainer;
SELECT train('his', 'logistic', 'SELECT tenure, left_us FROM past', 'left_us') ->> 'version' AS version;
SELECT train('his', 'logistic', 'SELECT * FROM changing', 'left_us');
SELECT train('churn', 'logistic', 'SELECT tenure, left_us FROM past', 'left_us');
SELECT name FROM model_definition;
SELECT predict('churn', p) FROM past AS p LIMIT 1;
SET ROLE regress_crm_scorer;
SELECT predict('his', p) FROM past AS p LIMIT 1;
SELECT drop_model('his');
SELECT grant_model('his', 'regress_crm_scorer');
SELECT model('hiss');
SET ROLE regress_crm_trainer;
SELECT grant_model('his', 'regress_crm_scorer');
SET ROLE regress_crm_scorer;
SELECT predict('his', p) BETWEEN 0 AND 1 AS granted FROM past AS p LIMIT 1;
SELECT retrain('his');
SELECT count(*) FROM model_version;
SET ROLE regress_crm_trainer;
SELECT revoke_model('his', 'regress_crm_scorer');
SET ROLE regress_crm_scorer;
SELECT predict('his', p) FROM past AS p LIMIT 1;
RESET ROLE;

-- In the rule of a tag.
CREATE TABLE customers AS SELECT id, tenure, bill, contract FROM past WHERE id <= 500;
ALTER TABLE customers ADD PRIMARY KEY (id);
SELECT create_population('scored', 'customers', 'id');
SELECT create_tag('may leave', $$crm.predict('churn', customer) > 0.7$$, population => 'scored');
SELECT count(*) FROM refresh_tags('scored');
SELECT cardinality(tag('may leave', population => 'scored')) = (SELECT count(*) FROM customers AS c WHERE predict('churn', c) > 0.7) AS as_predicted;

-- In parallel: the same scores.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT count(*) FILTER (WHERE predict('churn', p) > 0.5) = (SELECT count(*) FROM (SELECT predict('churn', p) AS s FROM past AS p OFFSET 0) AS o WHERE s > 0.5) AS same FROM past AS p;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;

SELECT drop_model(name) FROM model_definition;
SELECT count(*) FROM model_version;
SELECT drop_population('scored');
DROP SCHEMA scoring_train CASCADE;
DROP OWNED BY regress_crm_trainer, regress_crm_scorer;
DROP ROLE regress_crm_trainer, regress_crm_scorer;
