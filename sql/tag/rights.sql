-- Who may do what; and that a rule can do no more than its owner.
CREATE SCHEMA tag_rights;
SET search_path = tag_rights, crm, public;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_crm_owner;		-- of the populations
CREATE ROLE regress_crm_member IN ROLE regress_crm_owner;
CREATE ROLE regress_crm_definer;	-- may define tags
CREATE ROLE regress_crm_north;		-- reads one scope
CREATE ROLE regress_crm_all;		-- reads all scopes
CREATE ROLE regress_crm_select;		-- SELECT on the source, nothing else
CREATE ROLE regress_crm_policy;		-- the same, under row-level security
CREATE ROLE regress_crm_stranger;
CREATE ROLE regress_crm_mallory;
GRANT USAGE ON SCHEMA tag_rights, crm TO PUBLIC;
GRANT CREATE ON SCHEMA tag_rights TO regress_crm_owner, regress_crm_mallory;

SET ROLE regress_crm_owner;
CREATE TABLE customers (id int PRIMARY KEY, branch text, balance numeric);
INSERT INTO customers SELECT n, (ARRAY['north', 'south'])[1 + n % 2], n FROM generate_series(1, 100) n;
CREATE TABLE guarded (id int PRIMARY KEY, branch text, balance numeric);
INSERT INTO guarded TABLE customers;
ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
CREATE POLICY northern ON guarded FOR SELECT TO PUBLIC USING (branch = 'north');
CREATE VIEW over_guarded AS SELECT * FROM guarded;
GRANT SELECT ON customers, guarded, over_guarded TO regress_crm_definer, regress_crm_select, regress_crm_policy, regress_crm_mallory;
SELECT crm.create_population('scoped', 'customers', 'id', 'branch');
SELECT crm.create_population('open', 'customers', 'id');
SELECT crm.create_population('guarded', 'guarded', 'id');
SELECT crm.create_population('over', 'over_guarded', 'id');
SELECT crm.create_tag('rich', 'balance > 50', population => p) FROM unnest('{scoped,open,guarded,over}'::text[]) p;
SELECT p, r.* FROM unnest('{scoped,open,guarded,over}'::text[]) p, crm.refresh_tags(p) r;

-- Grants, their errors, and giving them twice
SELECT crm.grant_population('scoped', 'regress_crm_definer', 'define');
SELECT crm.grant_population('scoped', 'regress_crm_north', scopes => '{north}');
SELECT crm.grant_population('scoped', 'regress_crm_north', scopes => '{north,nowhere}');
SELECT crm.grant_population('scoped', 'regress_crm_all');
SELECT crm.grant_population('guarded', 'regress_crm_policy');
SELECT crm.grant_population('scoped', 'nobody at all');
SELECT crm.grant_population('scoped', 'regress_crm_all', 'write');
SELECT crm.grant_population('scoped', 'regress_crm_all', 'define', '{north}');
SELECT crm.grant_population('open', 'regress_crm_all', scopes => '{north}');
SELECT crm.grant_population(NULL, 'regress_crm_all');
SELECT crm.grant_population('scoped', NULL);
SELECT crm.grant_population('scoped', 'regress_crm_all', NULL);
RESET ROLE;
SELECT p.name, g.grantee, privilege, scope, all_scopes FROM crm.population_grant g JOIN crm.population_definition p USING (population_id)
WHERE p.source_name LIKE 'tag\_rights.%' ORDER BY 1, g.grantee::text, scope;

-- The matrix: what each role gets from each function.  A number is the size of the set; a letter-digit code is the error.
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE statement INTO result;
	-- whatever it did is undone
	RAISE SQLSTATE 'ZZ000' USING MESSAGE = coalesce(nullif(result, ''), 'done');
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN RETURN SQLERRM;
	WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;
CREATE TABLE attempts (n int, what text, statement text);
INSERT INTO attempts VALUES
	(1, 'tag', 'SELECT crm.cardinality(crm.tag(''rich'', population => %L))'),
	(2, 'keys', 'SELECT count(*) FROM crm.member_keys(crm.tag(''rich'', population => %L))'),
	(3, 'dictionary', 'SELECT count(*) FROM crm.population_keys(%L)'),
	(4, 'customer_id', 'SELECT crm.customer_id(7, %L)'),
	(5, 'customer_key', 'SELECT crm.customer_key(7, %L)'),
	(6, 'create_tag', 'SELECT crm.create_tag(''new'', ''id = 1'', population => %L)'),
	(7, 'replace_tag', 'SELECT crm.replace_tag(''rich'', ''id = 1'', population => %L)'),
	(8, 'drop_tag', 'SELECT crm.drop_tag(''rich'', %L)'),
	(9, 'refresh_tags', 'SELECT sum(members) FROM crm.refresh_tags(%L)'),
	(10, 'grant', 'SELECT crm.grant_population(%L, ''regress_crm_stranger'')'),
	(11, 'revoke', 'SELECT crm.revoke_population(%L, ''regress_crm_all'')'),
	(12, 'drop', 'SELECT crm.drop_population(%L)');
GRANT SELECT ON attempts TO PUBLIC;
CREATE TABLE matrix (who text, population text, n int, result text);
GRANT INSERT ON matrix TO PUBLIC;
DO $$
DECLARE
	who text;
BEGIN
	FOREACH who IN ARRAY '{owner,member,definer,north,all,select,policy,stranger}'::text[]
	LOOP
		EXECUTE format('SET LOCAL ROLE regress_crm_%s', who);
		INSERT INTO tag_rights.matrix SELECT who, p, n, tag_rights.attempt(format(statement, p))
		FROM tag_rights.attempts, unnest('{scoped,open,guarded,over}'::text[]) p;
	END LOOP;
END
$$;
SELECT population, what, max(result) FILTER (WHERE who = 'owner') AS owner, max(result) FILTER (WHERE who = 'member') AS member,
	max(result) FILTER (WHERE who = 'definer') AS definer, max(result) FILTER (WHERE who = 'north') AS north, max(result) FILTER (WHERE who = 'all') AS all,
	max(result) FILTER (WHERE who = 'select') AS select, max(result) FILTER (WHERE who = 'policy') AS policy, max(result) FILTER (WHERE who = 'stranger') AS stranger
FROM matrix JOIN attempts USING (n) GROUP BY population, n, what ORDER BY population, n;
-- Nobody reads the store itself, the dictionary or the sizes.
SELECT c.relname, r.rolname FROM pg_class c, pg_roles r
WHERE c.relnamespace = 'crm'::regnamespace AND c.relname IN ('tag_set', 'tag_due', 'tag_change', 'tag_state', 'population_change', 'tag_size', 'tag_value', 'population_key', 'population_grant', 'population_scope', 'refresh_history')
AND r.rolname LIKE 'regress\_crm\_%' AND has_table_privilege(r.oid, c.oid, 'SELECT,INSERT,UPDATE,DELETE,TRUNCATE')
AND NOT c.relrowsecurity;
-- The messages
SET ROLE regress_crm_stranger;
SELECT crm.tag('rich', population => 'scoped');
SELECT crm.create_tag('x', 'true', population => 'scoped');
SET ROLE regress_crm_select;
SELECT crm.tag('rich', population => 'scoped');
SELECT crm.tag('rich', population => 'guarded');
SELECT crm.tag('rich', population => 'over');
SELECT crm.drop_population('open');
SELECT crm.grant_population('open', 'regress_crm_select');
SELECT crm.refresh_tags('open');
SET ROLE regress_crm_north;
SELECT * FROM crm.population_keys('scoped');
SET ROLE regress_crm_definer;
SELECT crm.drop_tag('rich', 'scoped');
SELECT crm.replace_tag('rich', 'true', population => 'scoped');
RESET ROLE;

-- Revoking: from then on, nothing
SET ROLE regress_crm_owner;
SELECT crm.revoke_population('scoped', 'regress_crm_north', scopes => '{north}');
SELECT crm.revoke_population('scoped', 'regress_crm_all');
SELECT crm.grant_population('scoped', 'public', scopes => '{south}');
SET ROLE regress_crm_north;
SELECT crm.cardinality(crm.tag('rich', population => 'scoped'));
SET ROLE regress_crm_stranger;
SELECT crm.cardinality(crm.tag('rich', population => 'scoped'));
SET ROLE regress_crm_owner;
SELECT crm.revoke_population('scoped', 'public');
SET ROLE regress_crm_stranger;
SELECT crm.cardinality(crm.tag('rich', population => 'scoped'));
RESET ROLE;

-- Tags of several owners in one population: each rule runs as its owner, whoever refreshes.
SET ROLE regress_crm_definer;
SELECT crm.create_tag('own', 'balance <= 10', population => 'scoped');
SET ROLE regress_crm_member;
SELECT crm.create_tag('of the owner', 'balance <= 20', population => 'scoped');
RESET ROLE;
SELECT d.name, d.owner, v.created_by FROM crm.tag_definition d JOIN crm.tag_version v USING (tag_id, version) JOIN crm.population_definition p USING (population_id)
WHERE p.name = 'scoped' ORDER BY d.name COLLATE "C";
SELECT * FROM crm.refresh_tags('scoped');
-- Without SELECT on what the rule reads, no tag: every refresh would fail.
CREATE ROLE regress_crm_column;
SELECT crm.grant_population('scoped', 'regress_crm_column', 'define');
SET ROLE regress_crm_column;
SELECT crm.create_tag('x', 'balance > 1', population => 'scoped');
RESET ROLE;
GRANT SELECT (id, branch) ON customers TO regress_crm_column;
SET ROLE regress_crm_column;
SELECT crm.create_tag('x', 'balance > 1', population => 'scoped');
SELECT crm.create_tag('x', 'customer IS NULL', population => 'scoped');
SELECT crm.create_tag('branch', 'branch = ''north''', population => 'scoped');
RESET ROLE;
SELECT * FROM crm.refresh_tags('scoped');
SELECT crm.revoke_population('scoped', 'regress_crm_column', 'define');
DROP OWNED BY regress_crm_column;
DROP ROLE regress_crm_column;
SELECT * FROM crm.refresh_tags('scoped');
SELECT crm.drop_tag('branch', 'scoped');

-- A rule's function may try what it likes: it runs as its owner, restricted, also when a superuser refreshes.
CREATE TABLE secret (word text);
INSERT INTO secret VALUES ('superuser only');
CREATE TABLE loot (who text, what text);
GRANT INSERT ON loot TO PUBLIC;
SELECT crm.grant_population('open', 'regress_crm_mallory', 'define');
SET ROLE regress_crm_mallory;
CREATE FUNCTION trick(how text) RETURNS boolean STABLE LANGUAGE plpgsql AS $$
BEGIN
	CASE how
		WHEN 'read' THEN PERFORM word FROM tag_rights.secret;
		WHEN 'role' THEN SET ROLE postgres;
		WHEN 'session' THEN SET SESSION AUTHORIZATION postgres;
		WHEN 'write' THEN INSERT INTO tag_rights.loot VALUES (current_user, 'written');
		WHEN 'setting' THEN PERFORM pg_catalog.set_config('role', 'none', false);
		WHEN 'who' THEN RETURN current_user = 'regress_crm_mallory';
	END CASE;
	RETURN true;
END
$$;
CREATE FUNCTION trick_volatile(how text) RETURNS boolean VOLATILE LANGUAGE plpgsql AS $$
BEGIN
	CASE how
		WHEN 'write' THEN INSERT INTO tag_rights.loot VALUES (current_user, 'written');
		WHEN 'temp' THEN CREATE TEMP TABLE trap (x int);
		WHEN 'listen' THEN LISTEN trap;
		WHEN 'cursor' THEN EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT 1';
		WHEN 'role' THEN RESET ROLE;
	END CASE;
	RETURN true;
END
$$;
CREATE FUNCTION deep(how text) RETURNS boolean STABLE LANGUAGE sql AS 'SELECT tag_rights.trick_volatile(how)';
SELECT crm.create_tag('trick', 'tag_rights.trick(''who'')', population => 'open');
RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
\set VERBOSITY terse
SET ROLE regress_crm_mallory; SELECT crm.replace_tag('trick', 'tag_rights.trick(''read'')', population => 'open'); RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
SET ROLE regress_crm_mallory; SELECT crm.replace_tag('trick', 'tag_rights.trick(''role'' || left(branch, 0))', population => 'open'); RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
SET ROLE regress_crm_mallory; SELECT crm.replace_tag('trick', 'tag_rights.trick(''session'' || left(branch, 0))', population => 'open'); RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
SET ROLE regress_crm_mallory; SELECT crm.replace_tag('trick', 'tag_rights.trick(''write'' || left(branch, 0))', population => 'open'); RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
SET ROLE regress_crm_mallory; SELECT crm.replace_tag('trick', 'tag_rights.trick(''setting'' || left(branch, 0))', population => 'open'); RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
SET ROLE regress_crm_mallory; SELECT crm.replace_tag('trick', 'tag_rights.deep(''temp'' || left(branch, 0))', population => 'open'); RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
SET ROLE regress_crm_mallory; SELECT crm.replace_tag('trick', 'tag_rights.deep(''cursor'' || left(branch, 0))', population => 'open'); RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
SET ROLE regress_crm_mallory; SELECT crm.replace_tag('trick', 'tag_rights.deep(''listen'' || left(branch, 0))', population => 'open'); RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
SET ROLE regress_crm_mallory; SELECT crm.replace_tag('trick', 'tag_rights.deep(''role'' || left(branch, 0))', population => 'open'); RESET ROLE;
SELECT * FROM crm.refresh_tags('open');
\set VERBOSITY default
SELECT current_user = session_user AS still_oneself, (SELECT count(*) FROM loot WHERE who <> 'regress_crm_mallory') AS loot;
SELECT crm.drop_tag('trick', 'open');

-- Operators and functions that stand before the system's on the caller's search_path are not taken.
CREATE SCHEMA hostile;
GRANT USAGE ON SCHEMA hostile TO PUBLIC;
CREATE FUNCTION hostile.greater(numeric, integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hostile operator''; END';
CREATE OPERATOR hostile.> (FUNCTION = hostile.greater, LEFTARG = numeric, RIGHTARG = integer);
CREATE FUNCTION hostile.same(integer, integer) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hostile operator''; END';
CREATE OPERATOR hostile.= (FUNCTION = hostile.same, LEFTARG = integer, RIGHTARG = integer);
CREATE FUNCTION hostile.same(text, text) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hostile operator''; END';
CREATE OPERATOR hostile.= (FUNCTION = hostile.same, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION hostile.now() RETURNS timestamptz LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hostile function''; END';
CREATE FUNCTION hostile.max(integer) RETURNS integer LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''hostile function''; END';
CREATE TABLE hostile.tag_definition (nothing int);
CREATE TEMP TABLE tag_set (nothing int);
CREATE TEMP TABLE population_definition (nothing int);
SET search_path = hostile, pg_temp, pg_catalog, crm;
SELECT * FROM crm.refresh_tags('scoped', as_of => '2026-01-01', columns => 'today');
SELECT crm.create_tag('hostile', 'id OPERATOR(pg_catalog.=) 5', population => 'scoped');
SELECT members FROM crm.refresh_tags('scoped', '{hostile}');
SELECT crm.cardinality(crm.tag('hostile', population => 'scoped'));
SELECT crm.customer_key(7, 'scoped');
SELECT crm.drop_tag('hostile', 'scoped');
SET search_path = tag_rights, crm, public;

SELECT drop_population(name) FROM (SELECT name FROM crm.population_definition WHERE source_name LIKE 'tag\_rights.%' ORDER BY name COLLATE "C") p \g /dev/null
DROP SCHEMA hostile CASCADE;
DROP SCHEMA tag_rights CASCADE;
REVOKE USAGE ON SCHEMA crm FROM PUBLIC;
DROP ROLE regress_crm_member, regress_crm_owner, regress_crm_definer, regress_crm_north, regress_crm_all, regress_crm_select, regress_crm_policy, regress_crm_stranger, regress_crm_mallory;
