-- Walks the catalogue: what every object of the extension owes its users.
-- Each query lists violations, so that it keeps passing as rooms are added.
CREATE TEMP VIEW member AS
SELECT d.classid, d.objid, pg_describe_object(d.classid, d.objid, 0) COLLATE "C" AS object
FROM pg_depend d
JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
WHERE e.extname = 'crm_analytics' AND d.deptype = 'e';

CREATE TEMP VIEW member_function AS
SELECT p.*, m.object, l.lanname AS language
FROM member m
JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid
JOIN pg_language l ON l.oid = p.prolang;

-- There is something to walk over.
SELECT count(*) > 10 AS has_members FROM member;

-- Without a comment.  Array types, row types, and what belongs to a type, table
-- or operator class as its part, are described by the whole.
SELECT m.object AS without_comment
FROM member m
LEFT JOIN pg_type t ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
LEFT JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
WHERE m.classid IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass,
		'pg_cast'::regclass, 'pg_opclass'::regclass)
	AND NOT (t.oid IS NOT NULL AND (t.typelem <> 0 OR t.typrelid <> 0 AND t.typtype = 'c'
		AND EXISTS (SELECT FROM pg_class r WHERE r.oid = t.typrelid AND r.relkind <> 'c')))
	AND NOT (c.oid IS NOT NULL AND c.relkind IN ('i', 'S', 't', 'c'))
	AND obj_description(m.objid, m.classid::regclass::name) IS NULL
	AND NOT (c.oid IS NULL AND t.typtype = 'c'
		AND obj_description(t.typrelid, 'pg_class') IS NOT NULL)
ORDER BY 1;

-- A comment of one word says nothing.
SELECT m.object AS with_empty_comment
FROM member m
WHERE length(btrim(obj_description(m.objid, m.classid::regclass::name))) < 8
ORDER BY 1;

-- Outside the extension's schema.
SELECT m.object AS outside_its_schema
FROM member m
CROSS JOIN LATERAL pg_identify_object(m.classid, m.objid, 0) i
WHERE i.schema IS DISTINCT FROM 'crm'
	AND m.classid NOT IN ('pg_cast'::regclass, 'pg_amop'::regclass, 'pg_amproc'::regclass, 'pg_policy'::regclass,
		'pg_trigger'::regclass, 'pg_rewrite'::regclass, 'pg_constraint'::regclass, 'pg_attrdef'::regclass, 'pg_transform'::regclass)
ORDER BY 1;

-- Runs with other rights than its caller's.
SELECT object AS security_definer FROM member_function WHERE prosecdef ORDER BY 1;

-- VOLATILE and PARALLEL UNSAFE are what a function gets when nobody decides.  Those
-- that are meant so write, and say it by the verb that their name begins with.
SELECT object AS undecided, provolatile, proparallel
FROM member_function
WHERE prokind IN ('f', 'w') AND prorettype <> 'trigger'::regtype
	AND (provolatile = 'v' OR proparallel = 'u')
	AND proname !~ '^(create|define|track|untrack|drop|alter|replace|grant|revoke|refresh|register|install|store|train|fold|erase|quick|import|keep|follow|unfollow|consume|expect|retrain|rollback|show)(_|$)'
	-- looks, and marks the model stale where rows have drifted
	AND proname <> 'model_drift'
	-- tells the running refresh which rule and customer it is at; ask in subtransactions, which parallel query does not have
	AND proname NOT IN ('tag_trace', 'segment_state', 'explain_tag', 'evaluate_tag', 'rule_problems', 'check_tags', 'tag_cost_report',
		'report', 'report_segments', 'customer_page', 'customer_reasons', 'customer_scores', 'customer_recommendations')
ORDER BY 1;

-- A volatile function is never a set's or an audience's pure arithmetic; store_model keeps one.
SELECT object AS volatile_over_values
FROM member_function f
WHERE provolatile = 'v' AND prokind = 'f' AND proname <> 'store_model'
	AND EXISTS (SELECT FROM unnest(f.proargtypes) a JOIN pg_type t ON t.oid = a
		WHERE t.typname IN ('audience', 'bsi', 'timeline', 'model'))
ORDER BY 1;

-- Aggregates that cannot run in parallel.
SELECT m.object AS aggregate_without_combine
FROM member_function m
JOIN pg_aggregate a ON a.aggfnoid = m.oid
WHERE a.aggcombinefn = 0
ORDER BY 1;

SELECT m.object AS aggregate_without_serial
FROM member_function m
JOIN pg_aggregate a ON a.aggfnoid = m.oid
WHERE a.aggtranstype = 'internal'::regtype
	AND (a.aggserialfn = 0 OR a.aggdeserialfn = 0)
ORDER BY 1;

SELECT m.object AS aggregate_not_parallel_safe
FROM member_function m
JOIN pg_aggregate a ON a.aggfnoid = m.oid
WHERE m.proparallel <> 's'
ORDER BY 1;

-- Support functions: serial ones are strict, a combine function of an internal
-- state is not, all are parallel safe.
SELECT m.object AS aggregate, f.function, f.role
FROM member_function m
JOIN pg_aggregate a ON a.aggfnoid = m.oid
CROSS JOIN LATERAL (VALUES
	(a.aggtransfn, 'transition'), (a.aggcombinefn, 'combine'), (a.aggserialfn, 'serial'),
	(a.aggdeserialfn, 'deserial'), (a.aggfinalfn, 'final')) f (function, role)
JOIN pg_proc p ON p.oid = f.function
WHERE p.proparallel <> 's'
	OR f.role IN ('serial', 'deserial') AND NOT p.proisstrict
	OR f.role = 'combine' AND p.proisstrict AND a.aggtranstype = 'internal'::regtype
ORDER BY 1, 2;

-- SQL functions have bodies that were parsed when they were made.
SELECT object AS sql_as_text FROM member_function
WHERE language = 'sql' AND prosqlbody IS NULL
ORDER BY 1;

-- PL/pgSQL parses when it runs: it needs a search_path of its own.
SELECT object AS without_search_path FROM member_function
WHERE language = 'plpgsql'
	AND NOT EXISTS (SELECT FROM unnest(proconfig) c WHERE c LIKE 'search_path=%')
ORDER BY 1;

-- A C function is one symbol: several signatures on one only where the C code counts its arguments.
SELECT prosrc AS symbol_of_different_functions
FROM member_function
WHERE language = 'c'
GROUP BY prosrc
HAVING count(DISTINCT proname) > 1
ORDER BY 1;

SELECT object AS symbol_without_prefix FROM member_function
WHERE language = 'c' AND prosrc NOT LIKE 'crm\_%'
ORDER BY 1;

-- Set-returning functions know that a thousand rows is a guess.
SELECT object AS without_rows FROM member_function
WHERE proretset AND prorows = 1000 AND prosupport = 0
ORDER BY 1;

-- Types that cannot travel in binary form; tag_scan_row has no form at all, so that nobody can write one.
SELECT m.object AS type_without_binary_form
FROM member m
JOIN pg_type t ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
WHERE t.typtype = 'b' AND t.typelem = 0 AND (t.typsend = 0 OR t.typreceive = 0) AND t.typname <> 'tag_scan_row'
ORDER BY 1;

-- Operators in a WHERE clause that the planner knows nothing about.
SELECT m.object AS operator_without_properties
FROM member m
JOIN pg_operator o ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
WHERE o.oprresult = 'boolean'::regtype AND (o.oprrest = 0 OR o.oprjoin = 0)
ORDER BY 1;

-- Tables and sequences whose rows a dump would lose.
SELECT m.object AS not_dumped
FROM member m
JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
WHERE c.relkind IN ('r', 'p', 'S')
	AND NOT EXISTS (SELECT FROM pg_extension e WHERE e.extname = 'crm_analytics' AND c.oid = ANY (e.extconfig))
ORDER BY 1;

-- Views that would show more than their reader may see.
SELECT m.object AS view_with_its_owners_rights
FROM member m
JOIN pg_class c ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
WHERE c.relkind = 'v'
	AND NOT coalesce(c.reloptions @> ARRAY['security_invoker=true'] OR c.reloptions @> ARRAY['security_invoker=on'], false)
ORDER BY 1;

-- C functions outside the extension's own library.
SELECT object AS without_library FROM member_function
WHERE language = 'c' AND probin <> '$libdir/crm_analytics'
ORDER BY 1;

-- Comments with their Chinese terms only make sense if the bytes arrived as written.
SELECT m.object AS damaged_comment
FROM member m
WHERE obj_description(m.objid, m.classid::regclass::name) LIKE '%' || chr(65533) || '%'
ORDER BY 1;

-- Expressions that were parsed when the extension was created (bodies, views, policies, defaults, constraints) and found an
-- operator, function or type that is neither the system's nor the extension's: whoever owns the schema could have put it there.
WITH RECURSIVE part AS (
	SELECT m.classid, m.objid, m.object FROM member m
	UNION
	SELECT d.classid, d.objid, p.object FROM part p JOIN pg_depend d ON d.refclassid = p.classid AND d.refobjid = p.objid AND d.deptype IN ('i', 'a')
)
SELECT p.object, pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) AS found_outside
FROM part p
JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.deptype IN ('n', 'a')
WHERE d.refobjid >= 16384 AND d.refclassid <> 'pg_namespace'::regclass AND NOT EXISTS (SELECT FROM part o WHERE o.classid = d.refclassid AND o.objid = d.refobjid)
ORDER BY 1, 2;
