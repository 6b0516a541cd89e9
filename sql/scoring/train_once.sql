-- The query of a training runs once, whatever is made of its rows.
CREATE SCHEMA scoring_train_once;
SET search_path = scoring_train_once, crm, public;
SET client_min_messages = error;
\set VERBOSITY terse
\set SHOW_CONTEXT never

CREATE TABLE past AS
SELECT id, tenure, id % 97 AS bill, contract, date '2020-01-01' + id % 700 AS since, 1 + tenure + id % 3 AS stayed, id % 7 AS frequency, id % 7 * 3 AS recency, 40 + id % 11 AS age,
	jsonb_build_object('tenure', tenure, 'contract', contract) AS known, jsonb_build_object('bill', id % 97) AS paid,
	(id::bigint * 7919 % 10007) / 10007.0 < 1 / (1 + exp(-(1 - 0.06 * tenure))) AS left_us
FROM (SELECT id, id * 37 % 60 AS tenure, (ARRAY['monthly', 'yearly', 'two years'])[1 + id * 31 % 3] AS contract FROM generate_series(1, 2000) AS id) AS r;
CREATE SEQUENCE runs;
-- How often a query ran since it was asked last.
CREATE FUNCTION ran() RETURNS bigint LANGUAGE sql AS $$ SELECT nextval('runs') - 1 - setval('runs', 1, false) + 1 $$;
-- Each run draws a number, and each gives other rows.
CREATE FUNCTION counting(columns text, draw boolean DEFAULT false) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT %s FROM scoring_train_once.past WHERE (SELECT nextval(''scoring_train_once.runs'')) > 0%s', columns, CASE WHEN draw THEN ' AND random() < 0.7' ELSE '' END) $$;
SELECT count(*) > 0 AS counted FROM (SELECT nextval('runs') FROM generate_series(1, 3)) AS s;
SELECT ran() AS counts_three;

SELECT train('plain', 'logistic', counting('tenure, bill, contract, left_us'), 'left_us') ->> 'version' AS version;
SELECT ran() AS plain;
SELECT train('keyed', 'boosted_trees', counting('id, tenure, bill, contract, left_us'), 'left_us', '{"key": "id", "trees": 10}') ->> 'version' AS version;
SELECT ran() AS keyed;
SELECT train('timed', 'linear', counting('since, tenure, contract, bill'), 'bill', '{"time": "since"}') ->> 'version' AS version;
SELECT ran() AS "by time";
SELECT train('objects', 'logistic', counting('known, paid, since, left_us'), 'left_us', '{"time": "since"}') ->> 'features' AS features;
SELECT ran() AS "two columns of objects, by time";
SELECT train('groups', 'k_prototypes', counting('id, known'), options => '{"k": 3, "key": "id"}') ->> 'version' AS version;
SELECT ran() AS groups;
SELECT train('purchases', 'bg_nbd', counting('frequency, recency, age, id % 4 AS later'), 'later') ->> 'version' AS version;
SELECT ran() AS purchases;
SELECT train('survival', 'cox', counting('stayed, bill, contract, left_us'), 'left_us', '{"duration": "stayed"}') ->> 'version' AS version;
SELECT ran() AS survival;

SELECT name, retrain(name) ->> 'version' AS version, ran() FROM unnest('{plain,timed,objects,groups,purchases,survival}'::text[]) AS name;
SELECT count(*) AS candidates FROM compare_models('{logistic,naive_bayes,boosted_trees}', counting('known, bill, id, left_us'), 'left_us', '{"folds": 3, "key": "id", "boosted_trees": {"trees": 5}}');
SELECT ran() AS compared;
SELECT count(*) > 0 AS measured FROM evaluate('plain', counting('*'), 'left_us');
SELECT ran() AS evaluated;
SELECT count(*) AS columns FROM model_drift('objects', counting('known, paid'));
SELECT ran() AS drift;
SELECT count(*) AS personas FROM personas('groups');
SELECT ran() AS personas;

-- So what is counted, learned from, measured by and described are the same rows, where each run would give others.
CREATE TABLE report AS SELECT train('drawn', 'logistic', counting('id, tenure, left_us', true), 'left_us', '{"key": "id"}') AS r;
SELECT r -> 'rows' = model_params(model('drawn')) -> 'rows' AS learned, r -> 'held_rows' = r #> '{metrics,rows}' AS measured,
	(SELECT sum(n::text::float8) FROM model_version, jsonb_array_elements(profile #> '{distributions,0,counts}') AS n WHERE name = 'drawn' AND version = 1) = (r ->> 'rows')::int + (r ->> 'held_rows')::int AS described,
	(r ->> 'rows')::int + (r ->> 'held_rows')::int + (r ->> 'rows_without_label')::int < 1700 AS fewer
FROM report;
UPDATE report SET r = train('drawn', 'logistic', counting('id, known, paid, left_us', true), 'left_us', '{"key": "id"}');
SELECT r -> 'rows' = model_params(model('drawn')) -> 'rows' AS learned, r -> 'held_rows' = r #> '{metrics,rows}' AS measured FROM report;
SELECT count(DISTINCT rows) AS one_number, min(rows) < 1700 AS of_some FROM compare_models('{logistic,naive_bayes}', counting('id, tenure, left_us', true), 'left_us', '{"folds": 4, "key": "id"}');
SELECT setval('runs', 1, false);

-- The same model whether the rows fit into memory or not.
CREATE TABLE wide AS SELECT past.*, repeat(md5(id::text), 20) AS filler, repeat('x', 5000 + id % 2) AS long FROM past;
SET work_mem = '64kB';
SELECT train('spilled', 'boosted_trees', 'SELECT id, tenure, contract, filler, long, left_us FROM wide', 'left_us', '{"key": ["id", "filler"], "trees": 10}') ->> 'version' AS version;
SELECT train('spilled objects', 'boosted_trees', 'SELECT id, known, filler, long, left_us FROM wide', 'left_us', '{"key": ["id", "filler"], "trees": 10}') ->> 'version' AS version;
SET work_mem = '64MB';
SELECT train('fits', 'boosted_trees', 'SELECT id, tenure, contract, filler, long, left_us FROM wide', 'left_us', '{"key": ["id", "filler"], "trees": 10}') ->> 'version' AS version;
SELECT train('fits objects', 'boosted_trees', 'SELECT id, known, filler, long, left_us FROM wide', 'left_us', '{"key": ["id", "filler"], "trees": 10}') ->> 'version' AS version;
SELECT a.name, a.model::text = b.model::text AS model, a.metrics = b.metrics AS metrics, a.profile = b.profile AS profile, a.fingerprint = b.fingerprint AS rows
FROM model_version AS a JOIN model_version AS b ON b.name = replace(a.name, 'spilled', 'fits') WHERE a.name LIKE 'spilled%' ORDER BY 1;
RESET work_mem;

-- Names within do not meet those of the caller's relations.
CREATE TABLE "crm training rows" AS SELECT tenure, left_us FROM past WHERE id <= 1000;
CREATE TABLE "crm training objects" AS SELECT known, left_us FROM past WHERE id <= 1000;
SELECT train('own rows', 'logistic', 'SELECT * FROM "crm training rows"', 'left_us', '{"holdout": 0}') ->> 'rows' AS rows;
SELECT train('own objects', 'logistic', 'SELECT * FROM "crm training objects"', 'left_us', '{"holdout": 0}') ->> 'rows' AS rows;
SELECT algorithm, rows FROM compare_models('{logistic,naive_bayes}', 'SELECT * FROM "crm training objects"', 'left_us', '{"folds": 2}') ORDER BY algorithm;
SELECT algorithm, rows FROM compare_models('{logistic,naive_bayes}', 'WITH "crm training rows" AS (SELECT * FROM past LIMIT 500) SELECT bill, left_us FROM "crm training rows"', 'left_us', '{"folds": 2}') ORDER BY algorithm;
SELECT count(*) FROM "crm training rows";

-- What is wrong, or will not fit, is said before anything is read.
SELECT train('wrong', 'logistic', counting('tenure, left_us'), 'left', '{}');
SELECT train('wrong', 'logistic', counting('tenure, bill, left_us'), 'left_us', '{"time": "tenure"}');
SELECT train('wrong', 'logistic', counting('tenure, tenure, left_us'), 'left_us');
SELECT train('wrong', 'bg_nbd', counting('tenure, left_us'), 'left_us');
SELECT count(*) FROM compare_models('{boosted_trees,logistic}', counting('tenure, left_us'), 'left_us', '{"logistic": 3}');
SELECT count(*) FROM compare_models('{linear,bg_nbd}', counting('tenure, bill'), 'bill');
SELECT ran() AS none;
CREATE TABLE many AS SELECT n AS id, n * 0.37::float8 AS x, n % 2 = 0 AS yes FROM generate_series(1, 400000) AS n;
ANALYZE many;
SET crm_analytics.training_memory = '1MB';
DO $$ BEGIN
	PERFORM train('much', 'logistic', 'SELECT x, yes FROM many, LATERAL (SELECT nextval(''runs'')) AS r', 'yes');
EXCEPTION WHEN program_limit_exceeded THEN RAISE INFO '54000'; END $$;
DO $$ BEGIN
	PERFORM compare_models('{linear,boosted_trees_regression}', 'SELECT id, x FROM many, LATERAL (SELECT nextval(''runs'')) AS r', 'x');
EXCEPTION WHEN program_limit_exceeded THEN RAISE INFO '54000'; END $$;
-- What measures may need more than what learns.
SET crm_analytics.training_memory = '16MB';
DO $$ BEGIN
	PERFORM train('much', 'cox', 'SELECT x, id AS duration, yes FROM many, LATERAL (SELECT nextval(''runs'')) AS r', 'yes', '{"holdout": 0.5}');
EXCEPTION WHEN program_limit_exceeded THEN RAISE INFO '%', split_part(SQLERRM, ' by ', 1); END $$;
DO $$ BEGIN
	PERFORM evaluate('survival', 'SELECT id AS stayed, id AS bill, ''x'' AS contract, yes AS left_us FROM many, LATERAL (SELECT nextval(''runs'')) AS r', 'left_us');
EXCEPTION WHEN program_limit_exceeded THEN RAISE INFO '%', split_part(SQLERRM, ' by ', 1); END $$;
SELECT concordance_agg(x, yes, x) FROM many;
RESET crm_analytics.training_memory;
SELECT ran() AS none;
-- What goes wrong with a row ends the training, and the next one is none the worse.
SELECT train('wrong', 'logistic', counting('tenure, 1 / (id - 1999) AS bill, left_us'), 'left_us');
SELECT ran() AS once;
SELECT train('plain', 'logistic', counting('tenure, bill, contract, left_us'), 'left_us') ->> 'version' AS version;

DROP SCHEMA scoring_train_once CASCADE;
SELECT count(drop_model(name)) FROM model_definition WHERE name IN ('plain', 'keyed', 'timed', 'objects', 'groups', 'purchases', 'survival', 'drawn', 'spilled', 'spilled objects', 'fits', 'fits objects', 'own rows', 'own objects');
