# CatalogueShape - all that the system's catalogue says of an extension's objects,
# one line for each attribute of each object and column, so that two databases can be
# compared: an updated one with a fresh one, a restored one with its source.
#
# Rows of the catalogue are taken whole (to_jsonb), so that no attribute is forgotten;
# numbers that differ by database are given by what they stand for.  Left out are only
# what the server counts and stores for itself (relfilenode, relpages, frozenxid ...).
#
#     my $lines = CatalogueShape::lines($node, $database);
#     my @differences = CatalogueShape::differences($fresh, $updated);
package CatalogueShape;

use strict;
use warnings;

my $query = <<'SQL';
WITH ext AS (
	SELECT * FROM pg_catalog.pg_extension WHERE extname = 'crm_analytics'
), member AS (
	SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN ext e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid
	WHERE d.deptype = 'e'
), rel AS (
	-- members, and what belongs to them: their indexes and TOAST tables
	SELECT c.oid, true AS direct FROM pg_catalog.pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
	UNION SELECT i.indexrelid, false FROM pg_catalog.pg_index i JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = i.indrelid
), object AS (
	SELECT classid, objid FROM member
	UNION SELECT 'pg_class'::regclass, oid FROM rel
	UNION SELECT 'pg_constraint'::regclass, c.oid FROM pg_catalog.pg_constraint c WHERE c.conrelid IN (SELECT oid FROM rel)
		OR c.contypid IN (SELECT objid FROM member WHERE classid = 'pg_type'::regclass)
	UNION SELECT 'pg_trigger'::regclass, t.oid FROM pg_catalog.pg_trigger t WHERE t.tgrelid IN (SELECT oid FROM rel) AND NOT t.tgisinternal
	UNION SELECT 'pg_policy'::regclass, p.oid FROM pg_catalog.pg_policy p WHERE p.polrelid IN (SELECT oid FROM rel)
	UNION SELECT 'pg_rewrite'::regclass, r.oid FROM pg_catalog.pg_rewrite r WHERE r.ev_class IN (SELECT oid FROM rel)
	UNION SELECT 'pg_attrdef'::regclass, a.oid FROM pg_catalog.pg_attrdef a WHERE a.adrelid IN (SELECT oid FROM rel)
	UNION SELECT 'pg_amop'::regclass, a.oid FROM pg_catalog.pg_amop a WHERE a.amopfamily IN (SELECT objid FROM member WHERE classid = 'pg_opfamily'::regclass)
	UNION SELECT 'pg_amproc'::regclass, a.oid FROM pg_catalog.pg_amproc a WHERE a.amprocfamily IN (SELECT objid FROM member WHERE classid = 'pg_opfamily'::regclass)
), named AS (
	SELECT o.classid, o.objid, i.type || ' ' || i.identity AS object FROM object o, LATERAL pg_catalog.pg_identify_object(o.classid, o.objid, 0) i
), raw AS (
	SELECT n.object, to_jsonb(p) - '{oid,proacl,proargdefaults,prosqlbody,proargtypes,proallargtypes,protrftypes,prorettype,provariadic,pronamespace,proowner,prolang}'::text[]
		|| jsonb_build_object('result', pg_catalog.pg_get_function_result(p.oid), 'arguments', pg_catalog.pg_get_function_arguments(p.oid),
			'body', pg_catalog.pg_get_function_sqlbody(p.oid), 'schema', p.pronamespace::regnamespace, 'owner', p.proowner::regrole,
			'language', (SELECT lanname FROM pg_catalog.pg_language l WHERE l.oid = p.prolang), 'rights', p.proacl::text) AS row
	FROM named n JOIN pg_catalog.pg_proc p ON n.classid = 'pg_proc'::regclass AND n.objid = p.oid
	UNION ALL
	SELECT n.object, to_jsonb(a) - '{aggtranstype,aggmtranstype,aggsortop}'::text[]
		|| jsonb_build_object('state', a.aggtranstype::regtype, 'moving state', a.aggmtranstype::regtype, 'sort', a.aggsortop::regoperator)
	FROM named n JOIN pg_catalog.pg_aggregate a ON n.classid = 'pg_proc'::regclass AND n.objid = a.aggfnoid
	UNION ALL
	SELECT n.object, to_jsonb(t) - '{oid,typacl,typnamespace,typowner,typrelid,typelem,typarray,typbasetype,typcollation,typdefaultbin}'::text[]
		|| jsonb_build_object('schema', t.typnamespace::regnamespace, 'owner', t.typowner::regrole, 'element', t.typelem::regtype, 'array', t.typarray::regtype,
			'base', t.typbasetype::regtype, 'collation', t.typcollation::regcollation, 'rights', t.typacl::text)
	FROM named n JOIN pg_catalog.pg_type t ON n.classid = 'pg_type'::regclass AND n.objid = t.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('kind', c.relkind, 'persistence', c.relpersistence, 'schema', c.relnamespace::regnamespace, 'owner', c.relowner::regrole,
			'access method', (SELECT amname FROM pg_catalog.pg_am m WHERE m.oid = c.relam), 'options', c.reloptions, 'row security', c.relrowsecurity,
			'forced', c.relforcerowsecurity, 'replica identity', c.relreplident, 'rights', c.relacl::text, 'tablespace', c.reltablespace,
			'view', CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END, 'toast', c.reltoastrelid <> 0)
	FROM named n JOIN pg_catalog.pg_class c ON n.classid = 'pg_class'::regclass AND n.objid = c.oid
	UNION ALL
	-- a dropped column leaves a gap: a column's place is its rank
	SELECT n.object || ' column ' || a.attname,
		to_jsonb(a) - '{attrelid,attname,attnum,atttypid,attcollation,attacl,attcacheoff,atthasmissing,attmissingval,atttypmod,attisdropped,attndims,attstattarget,attoptions}'::text[]
		|| jsonb_build_object('place', rank() OVER (PARTITION BY a.attrelid ORDER BY a.attnum), 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
			'collation', a.attcollation::regcollation, 'rights', a.attacl::text, 'statistics', coalesce(a.attstattarget, -1),
			-- servers keep marks of their own beside the options that people give
			'options', (SELECT array_agg(o ORDER BY o) FROM unnest(a.attoptions) o WHERE o LIKE 'n_distinct%'))
	FROM named n JOIN pg_catalog.pg_attribute a ON n.classid = 'pg_class'::regclass AND n.objid = a.attrelid AND a.attnum > 0 AND NOT a.attisdropped
	UNION ALL
	SELECT n.object, jsonb_build_object('default', pg_catalog.pg_get_expr(a.adbin, a.adrelid))
	FROM named n JOIN pg_catalog.pg_attrdef a ON n.classid = 'pg_attrdef'::regclass AND n.objid = a.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('constraint', pg_catalog.pg_get_constraintdef(c.oid), 'type', c.contype, 'deferrable', c.condeferrable, 'deferred', c.condeferred,
			'validated', c.convalidated, 'inherited', c.coninhcount, 'index', c.conindid::regclass)
	FROM named n JOIN pg_catalog.pg_constraint c ON n.classid = 'pg_constraint'::regclass AND n.objid = c.oid
	UNION ALL
	SELECT n.object, to_jsonb(i) - '{indexrelid,indrelid,indkey,indcollation,indclass,indoption,indexprs,indpred,indcheckxmin}'::text[]
		|| jsonb_build_object('index', pg_catalog.pg_get_indexdef(i.indexrelid))
	FROM named n JOIN pg_catalog.pg_index i ON n.classid = 'pg_class'::regclass AND n.objid = i.indexrelid
	UNION ALL
	SELECT n.object, jsonb_build_object('trigger', pg_catalog.pg_get_triggerdef(t.oid), 'enabled', t.tgenabled)
	FROM named n JOIN pg_catalog.pg_trigger t ON n.classid = 'pg_trigger'::regclass AND n.objid = t.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('command', p.polcmd, 'permissive', p.polpermissive, 'roles', p.polroles::regrole[], 'using', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
			'check', pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
	FROM named n JOIN pg_catalog.pg_policy p ON n.classid = 'pg_policy'::regclass AND n.objid = p.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('rule', pg_catalog.pg_get_ruledef(r.oid), 'enabled', r.ev_enabled)
	FROM named n JOIN pg_catalog.pg_rewrite r ON n.classid = 'pg_rewrite'::regclass AND n.objid = r.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('type', s.seqtypid::regtype, 'start', s.seqstart, 'increment', s.seqincrement, 'greatest', s.seqmax, 'least', s.seqmin,
			'cache', s.seqcache, 'cycle', s.seqcycle,
			'owned by', (SELECT d.refobjid::regclass || '.' || a.attname FROM pg_catalog.pg_depend d
				JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
				WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')))
	FROM named n JOIN pg_catalog.pg_sequence s ON n.classid = 'pg_class'::regclass AND n.objid = s.seqrelid
	UNION ALL
	SELECT n.object, to_jsonb(o) - '{oid,oprnamespace,oprowner,oprleft,oprright,oprresult,oprcom,oprnegate}'::text[]
		|| jsonb_build_object('schema', o.oprnamespace::regnamespace, 'owner', o.oprowner::regrole, 'left', o.oprleft::regtype, 'right', o.oprright::regtype,
			'result', o.oprresult::regtype, 'commutator', o.oprcom::regoperator, 'negator', o.oprnegate::regoperator)
	FROM named n JOIN pg_catalog.pg_operator o ON n.classid = 'pg_operator'::regclass AND n.objid = o.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('owner', c.opcowner::regrole, 'input', c.opcintype::regtype, 'default', c.opcdefault, 'key', c.opckeytype::regtype,
			'family', (SELECT f.opfname FROM pg_catalog.pg_opfamily f WHERE f.oid = c.opcfamily))
	FROM named n JOIN pg_catalog.pg_opclass c ON n.classid = 'pg_opclass'::regclass AND n.objid = c.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('owner', f.opfowner::regrole)
	FROM named n JOIN pg_catalog.pg_opfamily f ON n.classid = 'pg_opfamily'::regclass AND n.objid = f.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('operator', a.amopopr::regoperator, 'strategy', a.amopstrategy, 'purpose', a.amoppurpose)
	FROM named n JOIN pg_catalog.pg_amop a ON n.classid = 'pg_amop'::regclass AND n.objid = a.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('function', a.amproc::regprocedure, 'number', a.amprocnum)
	FROM named n JOIN pg_catalog.pg_amproc a ON n.classid = 'pg_amproc'::regclass AND n.objid = a.oid
	UNION ALL
	SELECT n.object, jsonb_build_object('function', c.castfunc::regprocedure, 'context', c.castcontext, 'method', c.castmethod)
	FROM named n JOIN pg_catalog.pg_cast c ON n.classid = 'pg_cast'::regclass AND n.objid = c.oid
	UNION ALL
	SELECT n.object || coalesce(' column ' || a.attname, ''), jsonb_build_object('comment', d.description)
	FROM named n JOIN pg_catalog.pg_description d ON d.classoid = n.classid AND d.objoid = n.objid
	LEFT JOIN pg_catalog.pg_attribute a ON n.classid = 'pg_class'::regclass AND a.attrelid = n.objid AND a.attnum = d.objsubid AND d.objsubid > 0
	UNION ALL
	-- what pg_dump takes for granted of rights
	SELECT n.object || coalesce(' column ' || a.attname, ''), jsonb_build_object('rights as installed', p.initprivs::text)
	FROM named n JOIN pg_catalog.pg_init_privs p ON p.classoid = n.classid AND p.objoid = n.objid
	LEFT JOIN pg_catalog.pg_attribute a ON n.classid = 'pg_class'::regclass AND a.attrelid = n.objid AND a.attnum = p.objsubid AND p.objsubid > 0
	UNION ALL
	SELECT n.object, jsonb_build_object('member of the extension', EXISTS (SELECT FROM member m WHERE m.classid = n.classid AND m.objid = n.objid))
	FROM named n
	UNION ALL
	SELECT 'extension', to_jsonb(e) - '{oid,extowner,extnamespace,extconfig,extcondition}'::text[] || jsonb_build_object('owner', e.extowner::regrole, 'schema', e.extnamespace::regnamespace)
	FROM ext e
	UNION ALL
	SELECT 'extension', jsonb_build_object('dumps ' || c.relation::regclass, coalesce(nullif(c.condition, ''), 'all rows'))
	FROM ext e, LATERAL unnest(e.extconfig, e.extcondition) AS c(relation, condition)
)
SELECT object || ': ' || a.key || ' = ' || regexp_replace(a.value::text, '\s+', ' ', 'g') FROM raw, LATERAL jsonb_each(row) a
WHERE a.value <> 'null' ORDER BY 1
SQL

# What the catalogue says of the extension in a database: one string, a line for each attribute.
sub lines
{
	my ($node, $database) = @_;
	# Names are written out in full, whatever the database's search_path is.
	return $node->safe_psql($database, "SET search_path = pg_catalog;\n$query");
}

# Lines that only the first, or only the second has; with the marks "-" and "+".
sub differences
{
	my ($first, $second) = @_;
	my %first = map { $_ => 1 } split /\n/, $first;
	my %second = map { $_ => 1 } split /\n/, $second;
	my @found = sort { substr($a, 2) cmp substr($b, 2) } ((map { "- $_" } grep { !$second{$_} } keys %first), (map { "+ $_" } grep { !$first{$_} } keys %second));
	return @found;
}

1;
