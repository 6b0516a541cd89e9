-- What the tests of this folder share: note(holds, name) keeps a result; report.sql prints all.
\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
\pset format unaligned
\pset pager off
SET timezone = 'UTC';
SET client_min_messages = warning;

CREATE TEMP TABLE tally (no serial, holds boolean NOT NULL, name text NOT NULL);

CREATE FUNCTION pg_temp.note(holds boolean, name text) RETURNS void
LANGUAGE sql AS 'INSERT INTO tally (holds, name) VALUES (coalesce(holds, false), name)';

-- Equal, and if not, by how much.
CREATE FUNCTION pg_temp.same(found anyelement, expected anyelement, name text) RETURNS void
LANGUAGE sql AS $$
	SELECT pg_temp.note(found IS NOT DISTINCT FROM expected,
						CASE WHEN found IS NOT DISTINCT FROM expected THEN name
							 ELSE format('%s: %s, should be %s', name, coalesce(found::text, 'NULL'), coalesce(expected::text, 'NULL')) END)
$$;

-- Do two queries give the same rows, each as often?
CREATE FUNCTION pg_temp.same_rows(one text, other text, name text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	missing bigint;
	surplus bigint;
	example text;
BEGIN
	EXECUTE format('SELECT count(*), min(r::text) FROM (%s EXCEPT ALL %s) AS r', '(' || other || ')', '(' || one || ')') INTO missing, example;
	EXECUTE format('SELECT count(*), coalesce(min(r::text), $1) FROM (%s EXCEPT ALL %s) AS r', '(' || one || ')', '(' || other || ')')
		INTO surplus, example USING example;
	PERFORM pg_temp.note(missing = 0 AND surplus = 0,
						 CASE WHEN missing = 0 AND surplus = 0 THEN name
							  ELSE format('%s: %s rows missing, %s too many, such as %s', name, missing, surplus, example) END);
END
$$;
