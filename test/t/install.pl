# Installing where the documentation says and elsewhere, beside a firm's own
# tables, without superuser rights; removing; dumping and restoring.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('install');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;

# What a database holds outside the system's schemas, one line an object.
my $inventory = q{
	SELECT i.type || ' ' || i.identity
	FROM (SELECT 'pg_class'::regclass AS classid, oid AS objid FROM pg_class
		UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_type
		UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_proc
		UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_operator
		UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass
		UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily
		UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
		UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_namespace
		UNION ALL SELECT 'pg_extension'::regclass, oid FROM pg_extension
		UNION ALL SELECT 'pg_event_trigger'::regclass, oid FROM pg_event_trigger) o,
		LATERAL pg_identify_object(o.classid, o.objid, 0) i
	WHERE o.objid >= 16384 AND i.identity !~ '^"?pg_(toast|temp)'
	ORDER BY 1};

sub fresh
{
	my ($name, @statements) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name TEMPLATE template0");
	$node->safe_psql($name, $_) foreach @statements;
}

# Members of the extension, by schema-less name, so that two schemas compare.
sub members
{
	my ($database) = @_;
	return $node->safe_psql($database, q{
		SELECT replace(pg_describe_object(classid, objid, 0), e.extnamespace::regnamespace::text || '.', '')
		FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid
		WHERE e.extname = 'crm_analytics' AND d.deptype = 'e' ORDER BY 1});
}

# The documented place.
fresh('documented', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm');
my $members = members('documented');
cmp_ok(scalar(split /\n/, $members), '>', 10, 'the extension has members');

# Another schema, with a name that needs quotes, and nothing on the search_path.
fresh('elsewhere', 'CREATE SCHEMA "Kunden Analyse"; CREATE EXTENSION crm_analytics SCHEMA "Kunden Analyse"');
is(scalar(split /\n/, members('elsewhere')), scalar(split /\n/, $members),
	'another schema gets the same number of objects');
is($node->safe_psql('elsewhere', q{
		SELECT count(*) FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND e.extname = 'crm_analytics' AND d.deptype = 'e'
		CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i WHERE i.schema <> '"Kunden Analyse"' AND i.schema <> 'Kunden Analyse'}),
	'0', 'all of them in that schema');

# A firm's own tables in schema crm: none in the way.
fresh('beside', 'CREATE SCHEMA crm; CREATE TABLE crm.customer (id int); CREATE TABLE crm.tag (id int, name text);
	CREATE VIEW crm.segment_overview AS SELECT 1 AS one; INSERT INTO crm.customer VALUES (1)');
my $before = $node->safe_psql('beside', $inventory);
$node->safe_psql('beside', 'CREATE EXTENSION crm_analytics SCHEMA crm');
is(members('beside'), $members, "installs beside a firm's own tables");

# Dropping leaves what was there, and nothing else.
$node->safe_psql('beside', 'DROP EXTENSION crm_analytics');
is($node->safe_psql('beside', $inventory), $before, 'DROP EXTENSION leaves nothing behind');
is($node->safe_psql('beside', 'SELECT id FROM crm.customer'), '1', "the firm's rows are untouched");

# Names that clash: one error lists them all, nothing is created.
fresh('clash', 'CREATE SCHEMA crm; CREATE TABLE crm.tag_definition (id int); CREATE VIEW crm.population_definition AS SELECT 1 AS one;
	CREATE TYPE crm.tag_version AS ENUM (\'a\'); CREATE TABLE crm.harmless (id int)');
$before = $node->safe_psql('clash', $inventory);
my ($status, $stdout, $stderr) =
  $node->psql('clash', '\set VERBOSITY verbose' . "\n" . 'CREATE EXTENSION crm_analytics SCHEMA crm');
like($stderr, qr/ERROR:  42710: schema crm already holds objects with names that crm_analytics creates/, 'a clash is 42710');
like($stderr, qr/DETAIL:  They are: view population_definition, table tag_definition, type tag_version\./, 'and lists all of them');
like($stderr, qr/HINT:  Install into a schema of its own/, 'with the remedy');
is($node->safe_psql('clash', $inventory), $before, 'and creates nothing');
$node->safe_psql('clash', 'CREATE SCHEMA crm_analytics; CREATE EXTENSION crm_analytics SCHEMA crm_analytics');
is(scalar(split /\n/, members('clash')), scalar(split /\n/, $members), 'the remedy works');

# Functions of the same signatures clash, each of them, and an overload does not.  (With a type of ours among the arguments none can be there.)
my @signatures = split /\n/, $node->safe_psql('documented', q{
	SELECT p.proname || '(' || (SELECT string_agg(format_type(a.type, NULL), ', ' ORDER BY a.no) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (type, no)) || ')'
	FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND e.extname = 'crm_analytics' AND d.deptype = 'e'
	JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
	WHERE p.pronargs > 0 AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) AS type WHERE format_type(type, NULL) ~ '^crm\.|^internal$|^cstring$')
	ORDER BY 1});
cmp_ok(scalar @signatures, '>', 200, 'functions without own types');
fresh('clash_function', 'CREATE SCHEMA crm; ' . join(' ', map { "CREATE FUNCTION crm.$_ RETURNS int LANGUAGE internal AS 'pg_backend_pid';" } @signatures));
(undef, undef, $stderr) = $node->psql('clash_function', 'CREATE EXTENSION crm_analytics SCHEMA crm');
my ($listed) = $stderr =~ /DETAIL:  They are: (.*)\.$/m;
is(join("\n", sort map { /^(\w+)/ } @signatures), join("\n", sort $listed =~ /function (\w+)\(/g), 'functions of the same signatures clash, forms of one name each');
fresh('overload', "CREATE SCHEMA crm; CREATE FUNCTION crm.$_(point, circle, point) RETURNS int RETURN 1; CREATE EXTENSION crm_analytics SCHEMA crm")
	for $signatures[0] =~ /^(\w+)/;
is(members('overload'), $members, 'an overload does not');

# The owner of a database needs no superuser.
$node->safe_psql('postgres', 'CREATE ROLE firm LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE owned TEMPLATE template0 OWNER firm');
is($node->psql('owned', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm',
		extra_params => [ '-U', 'firm' ], on_error_stop => 1), 0,
	"a database's owner installs it");
is(members('owned'), $members, 'and has all of it');
# He owns the catalogue: a population of his, and its refresh, come back from his own dump.
$node->safe_psql('owned', q{
	CREATE TABLE public.customer (id int PRIMARY KEY, age int); INSERT INTO public.customer SELECT i, i % 90 FROM generate_series(1, 1000) i;
	CREATE TABLE public.event (customer int, at timestamptz, what text, amount float8, channel text);
	INSERT INTO public.event SELECT i % 300, timestamptz '2025-11-01 00:00+00' + i * interval '1 hour 7 s', (ARRAY['view', 'order'])[1 + i % 2], i, 'app' FROM generate_series(1, 5000) i;
	SELECT crm.create_population('firm', 'public.customer', 'id', events => 'public.event', event_key => 'customer', event_time => 'at', event_name => 'what',
		event_value => 'amount', event_attributes => '{channel}');
	SELECT crm.create_tag('young', 'age < 30');
	SELECT crm.refresh_timelines();
	SELECT crm.create_tag('orders', $$crm.event_count(timeline, 'order[channel=app]') >= 5$$);
	CREATE TABLE public.kept AS
		SELECT customer, crm.timeline_agg(at, what, amount) AS timeline, crm.activity_agg('week', 'Asia/Shanghai', at) AS activity,
			crm.funnel_agg('7 days', at, what = 'view', what = 'order') AS funnel, crm.bsi_agg(customer, amount::numeric) AS number
		FROM public.event GROUP BY customer;
	-- a dropped column leaves a gap in the columns' numbers, which the restored table has not
	ALTER TABLE public.customer ADD COLUMN gone int, ADD COLUMN level int DEFAULT 2; ALTER TABLE public.customer DROP COLUMN gone;
	CREATE FUNCTION public.grade(level int) RETURNS text IMMUTABLE LANGUAGE sql RETURN 'grade ' || level;
	SELECT crm.create_tag('grade', 'public.grade(level)'), crm.create_tag('later', 'level > 7');
	SELECT crm.expect_tag('young', 999), crm.expect_tag('grade', 1, 'grade 3'), crm.expect_coverage('young', 0.1, 0.2);
	SELECT crm.alter_tag('grade', confidence => 0.5), crm.alter_tag('later', state => 'retired'), crm.alter_population('firm', approval => true);
	SELECT crm.refresh_tags();
	SELECT crm.define_segment('kept', 'young & orders', frozen => true), crm.define_segment('others', '!kept');
	CREATE TABLE public.moment AS SELECT clock_timestamp() AS at, crm.tag('young')::text AS young;
	SELECT crm.define_segment('youth', 'young');
	UPDATE public.customer SET age = age + 20;
	SELECT crm.refresh_tags();
	UPDATE public.customer SET age = 3 WHERE id = 999;
	SELECT crm.refresh_tags();
	SELECT count(*) FROM crm.consume_segment_changes('youth', 'mailer', 100)}, extra_params => [ '-U', 'firm' ]);
my $own_dump = PostgreSQL::Test::Utils::tempdir() . '/own.sql';
command_ok([ 'pg_dump', '-U', 'firm', '-d', $node->connstr('owned'), '-f', $own_dump ], 'he dumps it');
$node->safe_psql('postgres', 'CREATE DATABASE owned_again TEMPLATE template0 OWNER firm');
command_ok([ 'psql', '-X', '-q', '-U', 'firm', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('owned_again'), '-f', $own_dump ], 'and restores it');
is($node->safe_psql('owned_again', q{SELECT crm.cardinality(crm.tag('young'))}, extra_params => [ '-U', 'firm' ]),
	$node->safe_psql('owned', q{SELECT count(*) FROM public.customer WHERE age < 30}), 'with the same answers');
foreach my $query (q{SELECT crm.cardinality(crm.tag('orders'))},
	q{SELECT segment, frozen, members FROM crm.segment_catalog ORDER BY segment},
	q{SELECT tag, test, ok, detail FROM crm.check_tags()},
	q{SELECT tag, state, confidence, stale, stale_cause FROM crm.tag_catalog ORDER BY tag},
	q{SELECT tag, kind, input FROM crm.tag_dependents('level')},
	q{SELECT crm.tag('young', as_of => at)::text = young, young <> crm.tag('young')::text FROM public.moment},
	q{SELECT md5(string_agg(t::text, ',')), count(t.since) FROM public.customer, crm.tags_of(id) t},
	q{SELECT md5(string_agg(c::text, ',')), count(*) FROM crm.segment_changes('youth') c},
	q{SELECT md5(string_agg(c::text, ',')), count(*) FROM crm.consume_segment_changes('youth', 'mailer', 50) c},
	q{SELECT segment, consumer, owner, consumed_up_to, changes_behind FROM crm.segment_consumers},
	q{SELECT md5(string_agg(customer_id || timeline::text, ',' ORDER BY customer_id)), count(*) FROM crm.customer_timelines},
	q{SELECT count(*), bool_or(archived) FROM crm.customer_timeline},
	q{SELECT md5(string_agg(k::text, ',' ORDER BY customer)), count(*) FROM public.kept AS k})
{
	is($node->safe_psql('owned_again', $query, extra_params => [ '-U', 'firm' ]), $node->safe_psql('owned', $query, extra_params => [ '-U', 'firm' ]),
		"restored as it was: $query");
}
is($node->safe_psql('owned_again', q{SELECT changed FROM crm.refresh_timelines('firm', rebuild => true)}, extra_params => [ '-U', 'firm' ]), '0',
	'and a rebuild over the restored events changes nothing');
# Owning the catalogue gives nobody the rights of another: rules run as roles that he is a member of, and no others.
$node->safe_psql('owned_again', q{
	CREATE FUNCTION public.betray_volatile() RETURNS boolean LANGUAGE plpgsql VOLATILE AS 'BEGIN ALTER ROLE firm SUPERUSER; RETURN true; END';
	CREATE FUNCTION public.betray(int) RETURNS boolean LANGUAGE plpgsql STABLE AS 'BEGIN RETURN public.betray_volatile(); END'},
	extra_params => [ '-U', 'firm' ]);
foreach my $table (qw(tag_definition population_definition))
{
	(undef, undef, $stderr) = $node->psql('owned_again', qq{BEGIN; INSERT INTO crm.population_grant SELECT population_id, 'firm', 'define', NULL, true FROM crm.population_definition;
		UPDATE crm.$table SET owner = (SELECT oid FROM pg_roles WHERE rolsuper LIMIT 1);
		UPDATE crm.tag_version SET rule_qualified = 'public.betray(customer.id)'; SELECT crm.refresh_tags()},
		extra_params => [ '-U', 'firm' ]);
	like($stderr, qr/ERROR:  permission denied to run queries as role/, "no rule runs as a superuser by way of $table");
}
$node->safe_psql('owned_again', q{CREATE TABLE public.past AS SELECT i % 9 AS x, i % 2 = 0 AS y FROM generate_series(1, 300) i; SELECT crm.train('m', 'logistic', 'SELECT x, y FROM public.past', 'y')}, extra_params => [ '-U', 'firm' ]);
$node->safe_psql('owned_again', q{UPDATE crm.model_definition SET owner = (SELECT oid FROM pg_roles WHERE rolsuper LIMIT 1);
	UPDATE crm.model_version SET query = 'SELECT x, y FROM public.past WHERE public.betray_volatile()'}, extra_params => [ '-U', 'firm' ]);
(undef, undef, $stderr) = $node->psql('owned_again', q{SELECT crm.retrain('m')});
like($stderr, qr/ERROR:  permission denied to run queries as role/, 'nor the query of a model that a superuser trains anew');
$node->safe_psql('owned_again', q{DELETE FROM crm.model_definition; DROP TABLE public.past}, extra_params => [ '-U', 'firm' ]);
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'firm'}), 'f', 'and he has not become one');
# A trigger of his cannot wait for the end of the transaction, to run as whoever called.
(undef, undef, $stderr) = $node->psql('owned_again', q{SET ROLE firm;
	CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN ALTER ROLE firm SUPERUSER; RETURN NULL; END';
	CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON crm.tag_definition DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.late();
	RESET ROLE; SELECT crm.refresh_tags()});
like($stderr, qr/cannot fire deferred trigger within security-restricted operation/, "a deferred trigger on the catalogue does not run as a superuser");
is($node->safe_psql('postgres', q{SELECT rolsuper FROM pg_roles WHERE rolname = 'firm'}), 'f', 'nor by a trigger');
$node->safe_psql('owned_again', 'DROP TRIGGER late ON crm.tag_definition');
# An overload of a function that refreshes call is not called.
(undef, undef, $stderr) = $node->psql('owned_again', q{SET ROLE firm;
	CREATE FUNCTION crm.tag_scan_agg(bytea, int, bigint, text) RETURNS int RETURN 1; SELECT crm.refresh_tags()});
like($stderr, qr/ERROR:  schema crm holds another function named "tag_scan_agg"/, 'nor by an overload');
$node->safe_psql('owned_again', 'DROP FUNCTION crm.tag_scan_agg(bytea, int, bigint, text)');
# An altered catalogue is an error, not a crash.
(undef, undef, $stderr) = $node->psql('owned_again', q{ALTER TABLE crm.tag_set ALTER COLUMN members TYPE int USING length(members); SELECT crm.tag('young')},
	extra_params => [ '-U', 'firm' ]);
like($stderr, qr/ERROR:  table "tag_set" of extension crm_analytics was altered/, 'who alters the catalogue is told');
$node->safe_psql('owned', 'DROP TABLE public.customer, public.event, public.kept', extra_params => [ '-U', 'firm' ]);

is($node->psql('owned', 'DROP EXTENSION crm_analytics', extra_params => [ '-U', 'firm' ], on_error_stop => 1), 0,
	'and removes it');

# Operators and functions in the target schema that fit our expressions better than the system's: none is taken, though the
# script runs as a superuser for an owner of the database who may have made them.
$node->safe_psql('postgres', 'CREATE ROLE sly LOGIN');
$node->safe_psql('postgres', 'CREATE DATABASE sly TEMPLATE template0 OWNER sly');
$node->safe_psql('sly', 'CREATE SCHEMA crm; ' . q{
DO $$
DECLARE
	o record;
	name text;
	body text := '''BEGIN RAISE EXCEPTION ''''hostile''''; END''';
BEGIN
	FOR o IN SELECT DISTINCT oprname, l, r, CASE WHEN oprresult = 'boolean'::regtype THEN 'boolean' ELSE r::text END AS result, md5(oprname || l || r) AS name
		FROM pg_operator, unnest('{int2,int4,int8,float4,float8,numeric}'::regtype[]) l, unnest('{int2,int4,int8,float4,float8,numeric}'::regtype[]) r
		WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft = 'numeric'::regtype AND oprright = 'numeric'::regtype
			AND NOT EXISTS (SELECT FROM pg_operator e WHERE e.oprname = pg_operator.oprname AND e.oprleft = l AND e.oprright = r)
		UNION SELECT oprname, l, r, CASE WHEN oprresult = 'boolean'::regtype THEN 'boolean' ELSE 'text' END, md5(oprname || l || r)
		FROM pg_operator, unnest('{text,varchar,name,"char",bpchar,regclass,oid,regrole}'::regtype[]) l, unnest('{text,varchar,name,"char",bpchar,regclass,oid,regrole}'::regtype[]) r
		WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft = 'text'::regtype AND oprright = 'text'::regtype
			AND NOT EXISTS (SELECT FROM pg_operator e WHERE e.oprname = pg_operator.oprname AND e.oprleft = l AND e.oprright = r)
	LOOP
		EXECUTE format('CREATE FUNCTION crm.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS %s', o.name, o.l, o.r, o.result, body);
		EXECUTE format('CREATE OPERATOR crm.%s (FUNCTION = crm.%I, LEFTARG = %s, RIGHTARG = %s)', o.oprname, o.name, o.l, o.r);
	END LOOP;
	FOREACH name IN ARRAY '{round,greatest,format,concat,jsonb_build_object,to_char,length,substr,now,has_table_privilege,pg_has_role,nextval,quote_ident}'::text[] LOOP
		EXECUTE format('CREATE FUNCTION crm.%I(float8) RETURNS numeric LANGUAGE plpgsql AS %s', name, body);
		EXECUTE format('CREATE FUNCTION crm.%I(float8, int) RETURNS numeric LANGUAGE plpgsql AS %s', name, body);
		EXECUTE format('CREATE FUNCTION crm.%I(oid, text) RETURNS boolean LANGUAGE plpgsql AS %s', name, body);
		EXECUTE format('CREATE FUNCTION crm.%I(varchar, varchar) RETURNS text LANGUAGE plpgsql AS %s', name, body);
	END LOOP;
END
$$;}, extra_params => [ '-U', 'sly' ]);
cmp_ok($node->safe_psql('sly', q{SELECT count(*) FROM pg_operator WHERE oprnamespace = 'crm'::regnamespace}), '>', 1000, 'a schema full of operators');
is($node->psql('sly', 'CREATE EXTENSION crm_analytics SCHEMA crm', extra_params => [ '-U', 'sly' ], on_error_stop => 1), 0, 'takes the extension');
is($node->safe_psql('sly', q{
		WITH RECURSIVE part AS (
			SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid WHERE e.extname = 'crm_analytics' AND d.deptype = 'e'
			UNION
			SELECT d.classid, d.objid FROM part p JOIN pg_depend d ON d.refclassid = p.classid AND d.refobjid = p.objid AND d.deptype IN ('i', 'a'))
		SELECT pg_describe_object(p.classid, p.objid, 0), pg_describe_object(d.refclassid, d.refobjid, 0)
		FROM part p JOIN pg_depend d ON d.classid = p.classid AND d.objid = p.objid AND d.deptype IN ('n', 'a')
		WHERE d.refobjid >= 16384 AND d.refclassid <> 'pg_namespace'::regclass AND NOT EXISTS (SELECT FROM part o WHERE o.classid = d.refclassid AND o.objid = d.refobjid)}),
	'', 'and nothing of the extension uses one');
is($node->safe_psql('sly', q{SELECT current_setting('search_path'), proname FROM pg_proc WHERE proname = 'report_kinds'}), '"$user", public|report_kinds', 'the search_path of the session is as it was');

# A user who owns nothing may not.
$node->safe_psql('postgres', 'CREATE ROLE guest LOGIN');
isnt($node->psql('owned', 'CREATE EXTENSION crm_analytics SCHEMA crm', extra_params => [ '-U', 'guest' ], on_error_stop => 1), 0,
	'a guest does not');

# A dump restores the extension into the same schema.
my $dump = PostgreSQL::Test::Utils::tempdir() . '/dump.sql';
foreach my $database (qw(documented elsewhere clash))
{
	command_ok([ 'pg_dump', '-d', $node->connstr($database), '-f', $dump ], "dump of $database");
	$node->safe_psql('postgres', "CREATE DATABASE restored_$database TEMPLATE template0");
	command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr("restored_$database"), '-f', $dump ],
		"restore of $database");
	is($node->safe_psql("restored_$database", $inventory), $node->safe_psql($database, $inventory),
		"$database and its restored copy hold the same objects");
}

# A database in another encoding is told so.
foreach my $encoding (qw(LATIN1 SQL_ASCII EUC_CN))
{
	my $database = lc "in_$encoding";
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 ENCODING '$encoding' LOCALE 'C'");
	(undef, undef, $stderr) =
	  $node->psql($database, "\\set VERBOSITY verbose\nCREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm");
	like($stderr, qr/ERROR:  0A000: crm_analytics needs a database with encoding UTF8\n.*DETAIL:  This database has encoding $encoding\./s,
		"a database in $encoding is told what is needed");
}

$node->stop;
done_testing();
