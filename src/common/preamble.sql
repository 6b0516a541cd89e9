\echo Use "CREATE EXTENSION crm_analytics" to load this file. \quit

-- Names, tag values and comments are Unicode; words and their order come from Unicode's rules.
DO $encoding$
BEGIN
	IF pg_catalog.getdatabaseencoding() OPERATOR(pg_catalog.<>) 'UTF8' THEN
		RAISE EXCEPTION USING ERRCODE = 'feature_not_supported',
			MESSAGE = 'crm_analytics needs a database with encoding UTF8',
			DETAIL = pg_catalog.format('This database has encoding %s.', pg_catalog.getdatabaseencoding()),
			HINT = 'Create one with CREATE DATABASE ... TEMPLATE template0 ENCODING ''UTF8''.';
	END IF;
END
$encoding$;


-- Whoever owns the target schema may have put operators and functions into it that fit our expressions better than the
-- system's, and the script runs as a superuser: nothing is looked up there.  All that is ours is qualified.
SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
