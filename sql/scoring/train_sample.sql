-- Memory said beforehand, and training on a part of the rows.
SET search_path = public, crm;
CREATE SCHEMA train_sample;
SET search_path = train_sample, crm, public;
CREATE TABLE past AS SELECT i AS id, sin(i) AS a, cos(i * 3) AS b, i * 37 % 100 AS c, 'k' || i % 7 AS k, sin(i) + 0.02 * (i * 37 % 100) + 0.3 * sin(i * 77) > 1 AS yes, timestamp '2025-01-01' + i * interval '1 minute' AS at
FROM generate_series(1, 60000) i;
ANALYZE past;
-- what is read shows
CREATE SEQUENCE looked;
CREATE VIEW watched AS SELECT past.*, nextval('looked') > 0 AS seen FROM past;
SET crm_analytics.training_memory = '1MB';
SELECT train('m', 'boosted_trees', 'SELECT * FROM watched', 'yes', '{"key": "id"}');
SELECT train('m', 'naive_bayes', 'SELECT *, a * 2 AS a2, b * 2 AS b2, a + b AS ab, a - b AS ba FROM watched', 'yes', '{"key": "id"}');
SELECT is_called FROM looked;
-- What the planner cannot know is told once the rows are counted, before they are kept.
CREATE FUNCTION many() RETURNS SETOF past LANGUAGE plpgsql STABLE ROWS 10 AS 'BEGIN RETURN QUERY SELECT * FROM past; END';
SELECT train('m', 'logistic', 'SELECT * FROM many()', 'yes', '{"key": "id"}');
-- a sum needs no memory, and small numbers little
SELECT train('m', 'linear', 'SELECT a, b, c FROM past', 'a', '{}') -> 'held_rows' IS NOT NULL AS trained;
SELECT (train('m', 'logistic', 'SELECT id, c, yes FROM past', 'yes', '{"key": "id"}') -> 'rows')::int > 40000 AS trained;
-- A sample: the same rows held back, fewer trained on, whatever the order of rows.
SELECT train('whole', 'logistic', 'SELECT id, a, c, yes FROM past WHERE id <= 20000', 'yes', '{"key": "id"}') AS whole \gset
SELECT train('part', 'logistic', 'SELECT id, a, c, yes FROM past WHERE id <= 20000', 'yes', '{"key": "id", "sample": 0.1}') AS part \gset
SELECT train('turned', 'logistic', 'SELECT id, a, c, yes FROM past WHERE id <= 20000 ORDER BY b DESC', 'yes', '{"key": "id", "sample": 0.1}') AS turned \gset
SELECT :'whole'::jsonb -> 'held_rows' = :'part'::jsonb -> 'held_rows' AS same_held, (:'part'::jsonb -> 'rows')::float8 / (:'whole'::jsonb -> 'rows')::float8 BETWEEN 0.09 AND 0.11 AS a_tenth,
	(:'part'::jsonb -> 'rows')::int + (:'part'::jsonb -> 'rows_left_out')::int = (:'whole'::jsonb -> 'rows')::int AS all_there, :'whole'::jsonb -> 'rows_left_out' AS none,
	:'part'::jsonb -> 'rows' = :'turned'::jsonb -> 'rows' AS same_rows;
SELECT max(abs(predict('part', p) - predict('turned', p))) < 1e-9 AS same_model, max(abs(predict('part', p) - predict('whole', p))) BETWEEN 1e-6 AND 0.3 AS another_model FROM past AS p WHERE id <= 1000;
SELECT (:'whole'::jsonb #>> '{metrics,auc}')::float8 - (:'part'::jsonb #>> '{metrics,auc}')::float8 < 0.02 AS nearly_as_good;
-- Which rows: of none in both samples of two seeds, but a share of each; none that is held back.
SELECT count(*) FILTER (WHERE row_is_taken(split, p) AND row_is_held(split, p)) AS both, count(*) FILTER (WHERE row_is_taken(split, p)) = (:'part'::jsonb -> 'rows')::int AS taken
FROM past AS p, model_version AS v WHERE v.name = 'part' AND p.id <= 20000;
-- without rows held back, by time, by folds
SELECT (r -> 'rows')::int BETWEEN 4700 AND 5300 AS rows, r -> 'held_rows' AS held FROM train('part', 'naive_bayes', 'SELECT id, a, c, yes FROM past WHERE id <= 10000', 'yes', '{"key": "id", "sample": 0.5, "holdout": 0}') AS r;
SELECT (r -> 'rows')::int BETWEEN 3760 AND 4240 AS rows, r -> 'held_rows' AS held FROM train('part', 'naive_bayes', 'SELECT at, a, c, yes FROM past WHERE id <= 10000', 'yes', '{"time": "at", "sample": 0.5}') AS r;
SELECT algorithm, rows FROM compare_models('{logistic}', 'SELECT id, a, c, yes FROM past WHERE id <= 2000', 'yes', '{"key": "id", "folds": 4, "sample": 0.5}') ORDER BY 1;
SELECT r -> 'promoted' AS promoted FROM retrain('part') AS r;
SELECT train('m', 'logistic', 'SELECT a, yes FROM past', 'yes', '{"sample": 0}');
SELECT train('m', 'logistic', 'SELECT a, yes FROM past', 'yes', '{"sample": 1.5}');

SELECT count(drop_model(name)) FROM (VALUES ('m'), ('whole'), ('part'), ('turned')) AS v (name);
SET client_min_messages = warning;
DROP SCHEMA train_sample CASCADE;
