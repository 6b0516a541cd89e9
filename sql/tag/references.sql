-- Foreign keys of the catalogue: checked where the extension writes, not where it is restored.
SET search_path = crm, public;
SET client_min_messages = warning;
\set VERBOSITY terse
\set SHOW_CONTEXT never

-- Every one of them has the check that stands in for its own.
SELECT k.conrelid::regclass AS relation, k.conname AS unchecked, t.tgname
FROM pg_constraint k JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = k.conrelid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'crm_analytics'
LEFT JOIN pg_trigger t ON t.tgrelid = k.conrelid AND t.tgconstrrelid = k.confrelid AND t.tgfoid = 'reference_check'::regproc AND t.tgenabled = 'O'
	AND t.tgargs = convert_to(k.conname, 'UTF8') || '\000'::bytea AND t.tgattr::text = array_to_string(k.conkey, ' ') AND t.tgtype = 21
WHERE k.contype = 'f' AND (t.oid IS NULL
	OR EXISTS (SELECT FROM pg_trigger c WHERE c.tgconstraint = k.oid AND c.tgfoid::regproc::text ~ 'check_(ins|upd)' AND c.tgenabled <> 'D')
	OR EXISTS (SELECT FROM pg_trigger c WHERE c.tgconstraint = k.oid AND c.tgfoid::regproc::text !~ 'check_(ins|upd)' AND c.tgenabled <> 'O'))
ORDER BY 1, 2;
SELECT count(*) > 25 AS many FROM pg_trigger WHERE tgfoid = 'reference_check'::regproc;

-- As a restore: a grant before its model.
BEGIN;
INSERT INTO model_grant VALUES ('not yet', 0, 'use');
INSERT INTO model_definition VALUES ('not yet', 'pg_monitor');
-- What it refers to goes, and it with it.
DELETE FROM model_definition WHERE name = 'not yet';
SELECT count(*) AS gone FROM model_grant WHERE model = 'not yet';
ROLLBACK;

-- As functions of the extension write, restricted: a row that refers to nothing, or is made to, is refused.
CREATE FUNCTION orphan() RETURNS int LANGUAGE sql AS $$ INSERT INTO crm.model_grant VALUES ('never', 0, 'use') RETURNING 1 $$;
CREATE MATERIALIZED VIEW restricted AS SELECT orphan();
CREATE OR REPLACE FUNCTION orphan() RETURNS int LANGUAGE sql AS $$
	INSERT INTO crm.model_definition VALUES ('well', 'pg_monitor');
	INSERT INTO crm.model_grant VALUES ('well', 0, 'use');
	UPDATE crm.model_grant SET privilege = 'approve' WHERE model = 'well';
	UPDATE crm.model_grant SET model = 'never' WHERE model = 'well' RETURNING 1 $$;
CREATE MATERIALIZED VIEW restricted AS SELECT orphan();
CREATE OR REPLACE FUNCTION orphan() RETURNS int LANGUAGE sql AS $$
	INSERT INTO crm.model_definition VALUES ('well', 'pg_monitor');
	INSERT INTO crm.model_grant VALUES ('well', 0, 'use');
	UPDATE crm.model_grant SET privilege = 'approve' WHERE model = 'well' RETURNING 1 $$;
CREATE MATERIALIZED VIEW restricted AS SELECT orphan() AS fine;
SELECT fine, (SELECT count(*) FROM model_grant WHERE model = 'well') AS kept FROM restricted;
DROP MATERIALIZED VIEW restricted;
DELETE FROM model_definition WHERE name = 'well';
DROP FUNCTION orphan();

-- Elsewhere it does nothing but what it says.
CREATE TABLE public.one (a int PRIMARY KEY, CHECK (a > 0));
CREATE TRIGGER t AFTER INSERT ON public.one FOR EACH ROW EXECUTE FUNCTION reference_check('one_a_check');
INSERT INTO public.one VALUES (1);
CREATE FUNCTION add_one() RETURNS int LANGUAGE sql AS $$ INSERT INTO public.one VALUES (2) RETURNING a $$;
CREATE MATERIALIZED VIEW restricted AS SELECT add_one();
CREATE TRIGGER u AFTER INSERT ON public.one FOR EACH ROW EXECUTE FUNCTION reference_check();
INSERT INTO public.one VALUES (3);
DROP TRIGGER u ON one;
CREATE OR REPLACE TRIGGER t BEFORE INSERT ON public.one FOR EACH ROW EXECUTE FUNCTION reference_check('none');
CREATE MATERIALIZED VIEW restricted AS SELECT add_one();
SELECT reference_check();
DROP FUNCTION add_one();
DROP TABLE public.one;
