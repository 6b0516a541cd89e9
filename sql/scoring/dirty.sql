-- Dirty data: a fifth of the values missing, one in a hundred grossly wrong, constant columns, rows twice: a clear error or a
-- bounded loss, never NaN.
CREATE TABLE clean AS
SELECT i, x, (i * 2654435761 % 4294967296) / 4294967296.0 < 1 / (1 + exp(-(0.4 + 1.1 * x[1] - 0.8 * x[2] + 0.6 * x[3]))) AS label, 2 + 1.5 * x[1] - 0.5 * x[2] + (i * 7919 % 1009) / 1009.0 AS y
FROM (SELECT i, ARRAY[sin(i * 1.7) * 1.5, cos(i * 2.3) * 1.5, ((i * 7919 % 101) / 50.0 - 1), (i % 7)::float8] AS x FROM generate_series(1, 6000) AS i) s;
CREATE TABLE dirty AS
SELECT i, label, y, ARRAY(SELECT CASE WHEN hash % 100 < 20 THEN NULL WHEN hash % 100 = 99 THEN v * 1000 + 500 ELSE v END
	FROM unnest(x) WITH ORDINALITY AS u (v, n), LATERAL (SELECT (i * 31 + n * 17) * 2654435761 % 1000003 AS hash) h ORDER BY n) || ARRAY[3.0, NULL]::float8[] AS x
FROM clean UNION ALL SELECT i, label, y, x || ARRAY[3.0, NULL]::float8[] FROM clean WHERE i % 20 = 0;
SELECT round(avg((v IS NULL)::int), 2) AS missing, round(avg((abs(v) > 100)::int), 3) AS wrong FROM dirty, unnest(x[1:4]) AS v WHERE i % 20 <> 0;

-- Trained on dirty rows, judged on clean ones: the loss of AUC is bounded.
CREATE TABLE trained AS
SELECT name, m FROM (SELECT logistic_fit(label, x, '{"missing": "mean", "l2": 0.01}') AS logistic, naive_bayes_fit(label, x) AS naive_bayes, scorecard_fit(label, x) AS scorecard,
	boosted_trees_fit(label, x, '{"trees": 30, "depth": 3}') AS boosted_trees FROM dirty) f, LATERAL (VALUES ('logistic', logistic), ('naive_bayes', naive_bayes), ('scorecard', scorecard), ('boosted_trees', boosted_trees)) v (name, m);
SELECT name, auc > best - CASE name WHEN 'logistic' THEN 0.05 ELSE 0.02 END AS bounded, least >= 0 AND most <= 1 AS probabilities
FROM (SELECT name, auc_agg(label, score) AS auc, min(score) AS least, max(score) AS most FROM (SELECT name, label, predict(m, x || ARRAY[3.0, NULL]::float8[]) AS score FROM trained, clean) s GROUP BY name) a,
	(SELECT auc_agg(label, predict(m, x)) AS best FROM clean, (SELECT logistic_fit(label, x) AS m FROM clean) f) b ORDER BY name;
-- Every row of the dirty table has a score.
SELECT name, count(predict(m, x)) AS scores FROM trained, dirty GROUP BY name ORDER BY name;
-- What the constant columns were is said.
SELECT model_params(m) -> 'constant_features' AS constant FROM trained WHERE name = 'logistic';
-- Without an option missing values are an error that says what to do; least squares goes on with the rows that are whole.
SELECT logistic_fit(label, x) FROM dirty;
SELECT linear_fit(y, x[1:4]) FROM dirty;
SELECT (model_params(m) ->> 'rows')::int + (model_params(m) ->> 'rows_skipped')::int = (SELECT count(*) FROM dirty) AS counted, predict(m, ARRAY[0, 0, 0, 0]) BETWEEN 1.5 AND 3.5 AS bounded
FROM (SELECT linear_fit(y, x[1:4], '{"missing": "skip"}') AS m FROM dirty) s;
-- Rows twice are rows of weight 2.
SELECT max(abs(predict(twice, x) - predict(once, x))) < 1e-9 AS twice FROM clean, (SELECT logistic_fit(label, x) AS once FROM clean) o, (SELECT logistic_fit(label, x) AS twice FROM clean, generate_series(1, 2)) t;
DROP TABLE clean, dirty, trained;
