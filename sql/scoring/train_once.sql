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
SELECT train('spilled', 'boosted_trees', 'SELECT id, tenure, contract, filler, long, left_us FROM wide ORDER BY id', 'left_us', '{"key": ["id", "filler"], "trees": 10}') ->> 'version' AS version;
SELECT train('spilled objects', 'boosted_trees', 'SELECT id, known, filler, long, left_us FROM wide ORDER BY id', 'left_us', '{"key": ["id", "filler"], "trees": 10}') ->> 'version' AS version;
SET work_mem = '64MB';
SELECT train('fits', 'boosted_trees', 'SELECT id, tenure, contract, filler, long, left_us FROM wide ORDER BY id', 'left_us', '{"key": ["id", "filler"], "trees": 10}') ->> 'version' AS version;
SELECT train('fits objects', 'boosted_trees', 'SELECT id, known, filler, long, left_us FROM wide ORDER BY id', 'left_us', '{"key": ["id", "filler"], "trees": 10}') ->> 'version' AS version;
SELECT a.name, a.model::text = b.model::text AS model, a.metrics = b.metrics AS metrics, a.profile = b.profile AS profile, a.fingerprint = b.fingerprint AS rows
FROM model_version AS a JOIN model_version AS b ON b.name = replace(a.name, 'spilled', 'fits') WHERE a.name LIKE 'spilled%' ORDER BY 1;
RESET work_mem;

-- A mere scan of relations is run again, where what it reads are the same rows each time at about the price of a copy: the other way to the same model.
-- Pages that were taken in advance and hold nothing count in what a scan costs.
VACUUM ANALYZE past;
ANALYZE wide;
CREATE VIEW seen AS SELECT id, tenure + 1 AS tenure, upper(contract) AS contract, left_us FROM past WHERE bill >= 0;
CREATE TABLE parted (LIKE past) PARTITION BY RANGE (id);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (1000);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (1000) TO (MAXVALUE);
INSERT INTO parted SELECT * FROM past;
CREATE TABLE ruled AS SELECT * FROM past;
ALTER TABLE ruled ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
VACUUM ANALYZE ruled;
ANALYZE parted;
CREATE FUNCTION own(x int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN x; END $$;
CREATE DOMAIN checked AS int CHECK (own(VALUE) IS NOT NULL);
CREATE OPERATOR @# (FUNCTION = own, RIGHTARG = int);
-- How often a query reads its tables, and what is reported of its model.
CREATE FUNCTION scans() RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_xact_user_tables WHERE schemaname = 'scoring_train_once' AND relname IN ('past', 'wide', 'parted_low', 'ruled') $$;
CREATE FUNCTION reads(query text, options jsonb DEFAULT '{}', OUT scans bigint, OUT r jsonb) LANGUAGE plpgsql AS $$
DECLARE
	so_far bigint := scans();
BEGIN
	r := train('read by ' || current_user, 'logistic', query, 'left_us', options);
	scans := scans() - so_far;
END $$;
BEGIN;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT what, scans > 1 AS again FROM (VALUES
	(1, 'table', 'SELECT tenure, bill, contract, since, stayed, frequency, recency, age, left_us FROM parted_low'),
	(2, 'columns', 'SELECT tenure, bill, contract, since, stayed, left_us FROM past'),
	(3, 'most rows', 'SELECT tenure, bill, contract, since, stayed, frequency, recency, left_us FROM past WHERE id > 20'),
	(4, 'view', 'SELECT tenure, contract, left_us FROM seen'),
	(5, 'partitions', 'SELECT tenure, contract, left_us FROM parted'),
	(6, 'stable', 'SELECT tenure, bill, contract, now()::date - since AS age, stayed, frequency, recency, left_us FROM past'),
	(7, 'few rows', 'SELECT tenure, left_us FROM past WHERE id % 50 < 3'),
	(8, 'few columns of many', 'SELECT tenure, left_us FROM wide'),
	(9, 'volatile', 'SELECT tenure, left_us FROM past WHERE random() < 2'),
	(10, 'own function', 'SELECT scoring_train_once.own(tenure) AS tenure, left_us FROM past'),
	(11, 'own operator', 'SELECT OPERATOR(scoring_train_once.@#) tenure AS tenure, left_us FROM past'),
	(12, 'own domain', 'SELECT tenure::scoring_train_once.checked::int AS tenure, left_us FROM past'),
	(13, 'sample', 'SELECT tenure, left_us FROM past TABLESAMPLE BERNOULLI (90)'),
	(14, 'limit', 'SELECT tenure, left_us FROM past LIMIT 1500'),
	(15, 'order', 'SELECT tenure, left_us FROM past ORDER BY id'),
	(16, 'group', 'SELECT tenure, bool_or(left_us) AS left_us FROM past GROUP BY tenure, id'),
	(17, 'sub-select', 'SELECT (SELECT tenure) AS tenure, left_us FROM past WHERE id <> (SELECT 5)'),
	(18, 'join', 'SELECT a.tenure, b.left_us FROM past AS a JOIN parted_high AS b USING (id)'),
	(19, 'kept', 'WITH p AS MATERIALIZED (SELECT tenure, bill, contract, left_us FROM past) SELECT * FROM p')) AS q (place, what, query), LATERAL reads(query) ORDER BY place;
COMMIT;
-- Policies are part of it.
CREATE ROLE regress_train_once;
GRANT USAGE ON SCHEMA scoring_train_once, crm TO regress_train_once;
ALTER TABLE ruled OWNER TO regress_train_once;
CREATE POLICY built_in ON ruled USING (id > 100);
SET ROLE regress_train_once;
BEGIN;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT scans > 1 AS again, (r ->> 'rows')::int + (r ->> 'held_rows')::int AS rows FROM reads('SELECT id, tenure, bill, contract, since, stayed, frequency, left_us FROM ruled', options => '{"key": "id"}');
ROLLBACK;
RESET ROLE;
DROP POLICY built_in ON ruled;
CREATE POLICY own ON ruled USING (own(id) > 100);
SET ROLE regress_train_once;
BEGIN;
SET LOCAL max_parallel_workers_per_gather = 0;
SELECT scans > 1 AS again, (r ->> 'rows')::int + (r ->> 'held_rows')::int AS rows FROM reads('SELECT id, tenure, bill, contract, since, stayed, frequency, left_us FROM ruled', options => '{"key": "id"}');
ROLLBACK;
RESET ROLE;
ALTER TABLE ruled OWNER TO CURRENT_USER;
REVOKE USAGE ON SCHEMA scoring_train_once, crm FROM regress_train_once;
DROP ROLE regress_train_once;
-- The same either way, in one process bit for bit.
CREATE TABLE way (place int, algorithm text, query text, label text, options jsonb);
INSERT INTO way VALUES (1, 'logistic', 'SELECT id, tenure, bill, contract, since, left_us FROM past', 'left_us', '{"key": "id", "time": "since"}'),
	(2, 'boosted_trees', 'SELECT id, tenure, bill, contract, left_us FROM past', 'left_us', '{"key": "id", "trees": 10}'),
	(3, 'linear', 'SELECT id, tenure, bill, contract FROM past', 'bill', '{"key": "id"}'),
	(4, 'k_prototypes', 'SELECT id, tenure, bill, contract FROM past', NULL, '{"key": "id", "k": 3}'),
	(5, 'bg_nbd', 'SELECT frequency, recency, age, id % 4 AS later FROM past', 'later', '{}');
SELECT place, train('scanned ' || place, algorithm, query, label, options) - 'name' = train('copied ' || place, algorithm, 'WITH p AS MATERIALIZED (' || query || ') SELECT * FROM p', label, options) - 'name' AS report FROM way ORDER BY place;
SELECT place, s.model::text = c.model::text AS model, s.metrics = c.metrics AS metrics, s.profile = c.profile AS profile, s.fingerprint = c.fingerprint AS rows
FROM way JOIN model_version AS s ON s.name = 'scanned ' || place JOIN model_version AS c ON c.name = 'copied ' || place ORDER BY place;
SELECT a.algorithm, a.value = b.value AS value, a.worse_by = b.worse_by AS worse_by
FROM compare_models('{logistic,naive_bayes}', 'SELECT id, tenure, bill, contract, left_us FROM past', 'left_us', '{"folds": 3, "key": "id"}') AS a
JOIN compare_models('{logistic,naive_bayes}', 'WITH p AS MATERIALIZED (SELECT id, tenure, bill, contract, left_us FROM past) SELECT * FROM p', 'left_us', '{"folds": 3, "key": "id"}') AS b USING (algorithm) ORDER BY 1;

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
SELECT count(drop_model(name)) FROM model_definition WHERE name IN ('plain', 'keyed', 'timed', 'objects', 'groups', 'purchases', 'survival', 'drawn', 'spilled', 'spilled objects', 'fits', 'fits objects', 'own rows', 'own objects') OR name LIKE 'read by %' OR name LIKE 'scanned %' OR name LIKE 'copied %';
