-- The type crm.model: text and binary forms, both refused alike; scores and reasons.
SELECT '{"kind": "linear", "features": 2, "intercept": 1, "coefficients": [2, 0.5], "means": [0, -0.0]}'::crm.model;
SELECT ' {"means":[0,0],"coefficients":[2e0,1e-300],"intercept":0.1,"features":2,"kind":"linear","feature_names":["age","年"],"rows":3,"missing_as_mean":true,"constant_features":[],"standard_errors":[null,1e300]}'::crm.model;
SELECT '{"kind": "linear", "features": 0, "intercept": 1, "coefficients": [], "means": []}'::crm.model;

CREATE FUNCTION pg_temp.refused(text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	PERFORM $1::crm.model;
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN sqlstate || ': ' || right(regexp_replace(coalesce(nullif(detail, ''), sqlerrm), 'there are .*', 'there are ...'), 120);
END $$;
SELECT text, pg_temp.refused(text) FROM (VALUES
	(''), ('[]'), ('{}'), ('{"kind": 1}'), ('{"kind": "oracle", "features": 1}'), ('{"kind": "linear"}'),
	('{"kind": "linear", "features": -1}'), ('{"kind": "linear", "features": 1.5}'), ('{"kind": "linear", "features": 70000}'),
	('{"kind": "linear", "features": 1, "intercept": "1"}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [1]}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": 1, "means": [0]}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [1, 2], "means": [0]}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [null], "means": [0]}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [[1]], "means": [0]}'),
	('{"kind": "linear", "features": 1, "intercept": 1e999, "coefficients": [1], "means": [0]}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [1e300], "means": [1e300]}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [1], "means": [0], "rows": -1}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [1], "means": [0], "rows": 1.5}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [1], "means": [0], "positives": 1}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [1], "means": [0], "missing_as_mean": 1}'),
	('{"kind": "linear", "features": 1, "intercept": 1, "coefficients": [1], "means": [0], "feature_names": ["a", "b"]}'),
	('{"kind": "linear", "features": 2, "intercept": 1, "coefficients": [1, 1], "means": [0, 0], "feature_names": ["a", "a"]}'),
	('{"kind": "linear", "features": 2, "intercept": 1, "coefficients": [1, 1], "means": [0, 0], "constant_features": [3]}'),
	('{"kind": "logistic", "features": 1, "intercept": 1, "coefficients": [1], "means": [0], "separation": "some"}')
) AS t (text);
SELECT 'nothing'::crm.model;

-- Kinds and parameters.
CREATE TABLE models (name text PRIMARY KEY, m crm.model);
INSERT INTO models VALUES
	('linear', '{"kind": "linear", "features": 2, "intercept": 1, "coefficients": [2, 0.5], "means": [3, 10]}'),
	('logistic', '{"kind": "logistic", "features": 2, "intercept": 1, "coefficients": [2, 0.5], "means": [3, 10]}'),
	('mean', '{"kind": "linear", "features": 2, "intercept": 1, "coefficients": [2, 0.5], "means": [3, 10], "missing_as_mean": true}');
SELECT name, crm.model_kind(m), crm.model_params(m) - 'odds_ratios' AS model_params FROM models ORDER BY name;

-- Scores; one call with several models by turns.
SELECT name, x, crm.predict(m, x) FROM models, (VALUES (ARRAY[0, 0]::float8[]), ('{1,-12}'), (NULL)) AS v (x)
WHERE name <> 'mean' ORDER BY x, name;
SELECT crm.predict(m, ARRAY[NULL, 1.0]) FROM models WHERE name = 'mean';
SELECT e.* FROM models, crm.explain(m, ARRAY[4, 6]) AS e WHERE name = 'logistic';
SELECT e.* FROM models, crm.explain(m, ARRAY[NULL, 6]::float8[]) AS e WHERE name = 'mean';

-- Parts add up to the margin, to the last bit.
SELECT bool_and(parts = crm.predict(m, x)) AS exact
FROM (SELECT '{"kind": "linear", "features": 5, "intercept": 0.1, "coefficients": [1e-3, 7.7, -3.3333, 1e6, 0.1], "means": [1e3, 0.7, 3, -1e-6, 12]}'::crm.model AS m,
		ARRAY[sin(i) * 1e3, cos(i), sin(2 * i) * 10, cos(3 * i) * 1e-5, i] AS x FROM generate_series(1, 1000) AS i) AS r,
	LATERAL (SELECT sum(contribution ORDER BY feature) AS parts FROM crm.explain(m, x)) AS e;

-- Wrong rows.
SELECT crm.predict(m, ARRAY[1.0]) FROM models WHERE name = 'linear';
SELECT crm.predict(m, '{}') FROM models WHERE name = 'linear';
SELECT crm.predict(m, ARRAY[[1, 2]]) FROM models WHERE name = 'linear';
SELECT crm.predict(m, ARRAY[1, NULL]::float8[]) FROM models WHERE name = 'linear';
SELECT crm.predict(m, ARRAY[1, 'NaN']::float8[]) FROM models WHERE name = 'linear';
SELECT crm.predict(m, ARRAY[NULL, 'Infinity']::float8[]) FROM models WHERE name = 'mean';
SELECT crm.predict(m, ARRAY[1e308, 1e308]) FROM models WHERE name = 'linear';
SELECT crm.predict(m, ARRAY[1e308, 1e308]) FROM models WHERE name = 'logistic';

-- A model in a plain variable changes under one call of predict.
DO $$
DECLARE
	m crm.model;
	score float8;
BEGIN
	FOR i IN 1 .. 3 LOOP
		m := format('{"kind": "linear", "features": 0, "intercept": %s, "coefficients": [], "means": []}', i);
		score := crm.predict(m, '{}');
		IF score <> i THEN
			RAISE EXCEPTION 'model % gave %', i, score;
		END IF;
	END LOOP;
END $$;

-- A large model, stored out of line.
CREATE TABLE large AS SELECT format('{"kind": "linear", "features": 20000, "intercept": 1, "coefficients": %s, "means": %1$s}',
	(SELECT jsonb_agg(sin(i)) FROM generate_series(1, 20000) AS i))::crm.model AS m;
SELECT pg_column_size(m) > 100000 AS is_large FROM large;
SELECT count(DISTINCT crm.predict(m, x)) FROM large, (SELECT array_fill(1.0::float8, ARRAY[20000]) AS x FROM generate_series(1, 300)) AS r;

-- Binary form: what one sends another receives, and any changed byte is noticed.
CREATE TEMP TABLE received (m crm.model);
CREATE FUNCTION pg_temp.received(bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	path text := current_setting('data_directory') || '/crm_model_' || pg_backend_pid();
	oid oid := lo_from_bytea(0, '\x5047434f50590aff0d0a00' || '\x0000000000000000'::bytea || '\x0001'::bytea || int4send(length($1)) || $1 || '\xffff'::bytea);
BEGIN
	PERFORM lo_export(oid, path), lo_unlink(oid);
	TRUNCATE received;
	EXECUTE format('COPY received FROM %L (FORMAT binary)', path);
	RETURN (SELECT m FROM received);
EXCEPTION WHEN invalid_binary_representation THEN
	RETURN NULL;
END $$;
SELECT name, pg_temp.received(crm.model_send(m)) = m::text AS same FROM models ORDER BY name;
SELECT count(pg_temp.received(set_byte(bytes, at, get_byte(bytes, at) # 1))) AS taken, count(*) > 50 AS many
FROM (SELECT crm.model_send(m) AS bytes FROM models WHERE name = 'mean') AS s, generate_series(0, length(bytes) - 1) AS at;
DROP TABLE models, large;
