# One bank whole and one whose customers and events lie on four other servers: the
# same answers, byte for byte, from scans that ran where the rows are.
use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $demo = dirname(__FILE__) . '/../demo';
my $node = PostgreSQL::Test::Cluster->new('shards');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', q{
fsync = off
client_min_messages = warning
timezone = 'Asia/Shanghai'
});
$node->start;
plan skip_all => 'postgres_fdw is not installed'
	unless $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'});

# Every session finds the functions of schema crm.
sub make_database
{
	my ($name) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql('postgres', "ALTER DATABASE $name SET search_path = crm, public");
	$node->safe_psql($name, 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm');
}

my $shards = 4;
my %part_of = ('customer_360' => "customer_id % $shards", 'journey' => "customer_id % $shards", 'client' => 'part', 'visit' => 'part');
my $lib = dirname(__FILE__) . '/lib';

# ---- the bank, whole --------------------------------------------------------------

make_database('whole');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', 'customers=2000', '-d', $node->connstr('whole'), '-f', "$demo/data.sql" ],
	'the bank is made');

# ---- the same in four ---------------------------------------------------------------

make_database('parts');
$node->safe_psql('parts', 'CREATE EXTENSION postgres_fdw; CREATE SCHEMA bank');
make_database("part$_") for 0 .. $shards - 1;
my ($host, $port) = ($node->host, $node->port);
# The same customers by keys that are no numbers.
$node->safe_psql('whole', qq{
	CREATE TABLE bank.client AS SELECT (customer_id % $shards)::int AS part, 'C-' || customer_id AS code, md5(customer_id::text)::uuid AS device, gender, branch, products, total_assets,
		3 * (customer_id - 700) AS signed, ('P' || customer_id)::char(8) AS padded FROM bank.customer_360;
	CREATE TABLE bank.visit AS SELECT (customer_id % $shards)::int AS part, 'C-' || customer_id AS code, md5(customer_id::text)::uuid AS device, occurred_at AS at, event, amount,
		occurred_at AS came, 3 * (customer_id - 700) AS signed, ('P' || customer_id)::char(8) AS padded FROM bank.journey});
for my $table (sort keys %part_of)
{
	my $columns = $node->safe_psql('whole', qq{
		SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = 'bank.$table'::regclass AND attnum > 0});
	$node->safe_psql('parts', "CREATE TABLE bank.$table ($columns) PARTITION BY LIST (($part_of{$table}))");
	for my $n (0 .. $shards - 1)
	{
		my $file = $node->basedir . "/$table.$n";
		$node->safe_psql('whole', "COPY (SELECT * FROM bank.$table WHERE $part_of{$table} = $n) TO '$file'");
		$node->safe_psql("part$n", qq{
			CREATE SCHEMA IF NOT EXISTS bank; CREATE TABLE bank.$table ($columns); COPY bank.$table FROM '$file'; ANALYZE bank.$table});
		$node->safe_psql('parts', qq{
			CREATE SERVER IF NOT EXISTS part$n FOREIGN DATA WRAPPER postgres_fdw
				OPTIONS (host '$host', port '$port', dbname 'part$n', extensions 'crm_analytics', async_capable 'true');
			CREATE USER MAPPING IF NOT EXISTS FOR CURRENT_USER SERVER part$n;
			CREATE FOREIGN TABLE bank.${table}_$n PARTITION OF bank.$table FOR VALUES IN ($n) SERVER part$n OPTIONS (table_name '$table');
			ANALYZE bank.${table}_$n});
	}
}

# ---- tags and timelines ------------------------------------------------------------

my $as_of = "'2026-11-01 00:00:00+08'";

# A query's own queries, with their plans.
sub logged
{
	my ($query) = @_;
	my $from = -s $node->logfile;
	$node->safe_psql('parts', qq{
		LOAD 'auto_explain';
		SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
		SET auto_explain.log_verbose = on; SET auto_explain.log_timing = off;
		$query});
	return slurp_file($node->logfile, $from);
}

# What they asked of the servers.
sub asked
{
	my ($query) = @_;
	return [ logged($query) =~ /Remote SQL: ([^\n]*)/g ];
}

for my $database ('whole', 'parts')
{
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', "$demo/tags.sql" ], "tags in $database");
}
$node->safe_psql('whole', "SELECT count(*) FROM refresh_timelines('bank'); SELECT count(*) FROM refresh_tags('bank', as_of => $as_of, columns => 'today')");

my $remote = asked(q{SELECT count(*) FROM refresh_timelines('bank')});
is(scalar(grep { /crm\.timeline_agg\(.*GROUP BY/ } @$remote), $shards, 'each server makes the timelines of its customers');
is(scalar(grep { !/timeline_agg/ } @$remote), 0, 'and no event comes as a row') or diag join "\n", @$remote;

$remote = asked("SELECT count(*) FROM refresh_tags('bank', as_of => $as_of, columns => 'today')");
my @scans = grep { /crm\.tag_scan_agg\(/ } @$remote;
is(scalar(@scans), $shards, 'each server evaluates the rules for its customers');

# Rules over stored timelines, and of functions that depend on the time zone, need the rows here: their own columns alone.
my @fetched = grep { !/tag_scan_agg|SELECT (customer_id )?FROM/ } @$remote;
is(scalar(grep { /\b(name|name_en|occupation|branch|deposit|fund)\b/ } @fetched), 0, 'what is fetched are columns of the rules that cannot be sent') or diag join "\n", @fetched;

# ---- the answers ------------------------------------------------------------------------

sub same
{
	my ($query, $what) = @_;
	my $whole = $node->safe_psql('whole', $query);
	isnt($whole, '', "$what: there is an answer");
	is($node->safe_psql('parts', $query), $whole, $what);
}

same(q{SELECT tag, value, members FROM segment_size WHERE population = 'bank' ORDER BY 1, 2}, 'sizes of all tags');
same(q{SELECT d.name, v.value, md5(tag(d.name, v.value, 'bank')::text) FROM tag_definition d LEFT JOIN tag_value v USING (tag_id) WHERE d.value_type <> 'numeric' ORDER BY 1, 2},
	'sets of all tags');
same(q{SELECT customer_id, md5(timeline_of(customer_id, 'bank')::text) FROM generate_series(1, 2000) AS customer_id ORDER BY 1}, 'timelines');
same(q{SELECT md5(segment('(vip | wealth = "affluent") - dormant', 'bank')::text)}, 'a segment');
same(q{SELECT regexp_replace((profile(511, 'bank') - 'refreshed_at')::text, '"(refreshed_at|until)": "[^"]*"', '', 'g')}, 'a portrait');

# ---- aggregates, as the page on scale says -------------------------------------------------

my $two_step = sub {
	my ($merge, $part, $table, $tail) = @_;
	return "SELECT $merge FROM (" . join(' UNION ALL ', map { "SELECT $part FROM bank.${table}_$_ $tail" } 0 .. $shards - 1) . ') AS part (part)';
};
for my $case (
	[ 'audience_agg', 'md5(union_agg(part)::text)', 'audience_agg(customer_id)', 'customer_360', 'WHERE products >= 3',
		'SELECT md5(audience_agg(customer_id)::text) FROM bank.customer_360 WHERE products >= 3' ],
	[ 'bsi_agg', 'md5(bsi_merge_agg(part)::text)', 'bsi_agg(customer_id, total_assets)', 'customer_360', '',
		'SELECT md5(bsi_agg(customer_id, total_assets)::text) FROM bank.customer_360' ],
	[ 'timeline_agg', 'md5(merge_agg(part)::text)', 'timeline_agg(occurred_at, event, amount)', 'journey', '',
		'SELECT md5(timeline_agg(occurred_at, event, amount)::text) FROM bank.journey' ])
{
	my ($name, $merge, $part, $table, $tail, $whole) = @$case;
	my $query = $two_step->($merge, $part, $table, $tail);
	is($node->safe_psql('parts', $query), $node->safe_psql('whole', $whole), "$name in two steps");
	my $plan = $node->safe_psql('parts', "EXPLAIN (VERBOSE, COSTS OFF) $query");
	is(scalar(() = $plan =~ /Remote SQL: SELECT crm\.$name\(/g), $shards, "$name runs on the servers") or diag $plan;
}

# The rows have to come here for what cannot be sent; the answer is the same.
same(q{SELECT customer_id, window_funnel('14 days', occurred_at, event = 'loan calculator', event = 'loan application', event = 'loan signed')
	FROM bank.journey GROUP BY customer_id ORDER BY customer_id}, 'a funnel over rows');
same(q{SELECT md5(audience_agg(customer_id)::text) FROM bank.customer_360 WHERE extract(hour FROM last_active_at) > 21}, 'a condition that depends on a setting');

# ---- rules that call for more than their row, keys that are no numbers ----------------------------

for my $database ('whole', 'parts')
{
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr($database), '-f', "$lib/elsewhere.sql" ], "further tags in $database");
}
my @populations = ('bank', 'clients', 'devices', 'signed', 'padded');
our $timelines = join '; ', map { "SELECT count(*) FROM refresh_timelines('$_')" } @populations;
my $tags = join '; ', map { "SELECT count(*) FROM refresh_tags('$_', as_of => $as_of, columns => 'today')" } @populations;
my $sets = q{SELECT population, d.name, v.value, md5(tag(d.name, v.value, population)::text), CASE WHEN population <> 'bank' THEN (SELECT md5(string_agg(k, ',')) FROM member_keys(tag(d.name, v.value, population), population) AS k) END
	FROM unnest(ARRAY['bank', 'clients', 'devices', 'signed', 'padded']) AS population JOIN population_definition p ON p.name = population JOIN tag_definition d USING (population_id)
	LEFT JOIN tag_value v USING (tag_id) WHERE d.value_type <> 'numeric' ORDER BY 1, 2, 3};
my $numbers = q{SELECT name, population, md5(tag_number(name, population)::text) FROM unnest(ARRAY['bank', 'clients', 'devices', 'signed', 'padded', 'bank']) WITH ORDINALITY AS p (population, n),
	LATERAL (SELECT CASE WHEN n = 1 THEN 'likeness' WHEN n = 6 THEN 'total assets' ELSE 'assets' END AS name) AS t WHERE n < 6};

sub refresh_all
{
	$node->safe_psql('whole', "$timelines; $tags");
	return (asked($timelines), asked($tags));
}

sub same_sets
{
	my ($what) = @_;
	same($sets, "sets $what");
	same($numbers, "numbers $what");
	same(q{SELECT p.name, count(*), md5(string_agg(k.key || ' ' || timeline_of(k.key, p.name)::text, ',' ORDER BY k.key))
		FROM unnest(ARRAY['clients', 'devices', 'signed', 'padded']) AS p (name), LATERAL population_keys(p.name) AS k GROUP BY 1 ORDER BY 1}, "timelines $what");
}

my ($made, $scanned) = refresh_all();
is($node->safe_psql('whole', q{SELECT string_agg(p, ' ') FROM unnest(ARRAY['clients', 'devices', 'signed', 'padded']) AS p WHERE cardinality(tag('chosen', population => p)) > 0}), 'clients devices signed padded', 'lists have members');
is(scalar(grep { /crm\.timeline_agg\(.*GROUP BY/ } @$made), 5 * $shards, 'timelines by keys that are no ids are made on the servers');
is(scalar(grep { !/timeline_agg/ && !/^SELECT (code|device|signed|padded) FROM [^ ]* WHERE [^ ]* IS NOT NULL\)* GROUP BY/ } @$made), 0, 'and no events come, nor keys more than once')
	or diag join "\n", @$made;
same_sets('of a first refresh');

my @sent = grep { /crm\.tag_scan_agg\(/ } @$scanned;
is(scalar(grep { /audience_contains/ } @sent), $shards, 'lists go to the servers');
is(scalar(grep { /passing_list_expiry/ } @sent), 4 * $shards, 'by what stands for ids there, too');
is(scalar(grep { /lookalike_score/ } @sent), $shards, 'and what was found of the population');
is(scalar(grep { /hashtextextended|uuid_hash_extended/ } @sent), 3 * $shards, 'and keys that are no numbers come back as hashes');
is(scalar(grep { /signed & 9223372036854775807/ } @sent), $shards, 'and negative ones without their sign');
is(scalar(grep { /timeline|extract/ } @sent), 0, 'rules over timelines do not go') or diag join "\n", @sent;

# A rule over stored timelines needs the keys here, and what else it reads of the row.
$remote = asked("SELECT count(*) FROM refresh_tags('devices', '{visitor}', $as_of, 'today')");
is_deeply([ grep { !/^SELECT FROM/ } @$remote ], [ ('SELECT device FROM bank.client') x $shards ], 'a rule over the timeline alone fetches nothing but keys');
for my $database ('whole', 'parts')
{
	$node->safe_psql($database, q{SELECT create_tag('busy', $$products >= 2 AND event_count(timeline, 'login') > 3$$, population => 'devices')});
}
$node->safe_psql('whole', "SELECT count(*) FROM refresh_tags('devices', '{visitor,busy}', $as_of, 'today')");
$remote = asked("SELECT count(*) FROM refresh_tags('devices', '{visitor,busy}', $as_of, 'today')");
is_deeply([ grep { !/^SELECT FROM/ } @$remote ], [ ('SELECT device, products FROM bank.client') x $shards ], 'and one that reads a column this one beside');

# Several scans of one refresh: rules are bound once, and what they need is read and learnt once.
$node->safe_psql('parts', q{UPDATE pg_class SET reltuples = 150000 WHERE relname LIKE 'client_%'});
my $log = logged("SET crm_analytics.refresh_memory = '1MB'; SELECT count(*) FROM refresh_tags('clients', as_of => $as_of, columns => 'today')");
$node->safe_psql('parts', join ';', map { "ANALYZE bank.client_$_" } 0 .. $shards - 1);
cmp_ok(scalar(() = $log =~ /Remote SQL: [^\n]*tag_scan_agg/g), '>=', 3 * $shards, 'memory for a few tags takes several scans');
is(scalar(() = $log =~ /^\s*Query Text: SELECT \(pg_catalog\.hashtextextended\(dictionary\.key/mg), 1, 'for which the dictionary is read once');
is(scalar(() = $log =~ /Query Text: SELECT \(SELECT members::/g), 1, 'the list once');
is(scalar(() = $log =~ /Query Text: SELECT coalesce\(array_agg\(m ORDER BY m\)/g), 1, 'and once more by hash');
is(scalar(() = $log =~ /Query Text: SELECT crm\.percentile_agg/g), 1, 'and all customers are looked at once');
same_sets('of several scans');

# customers who are new, who left, and who came late
for my $database ('whole', 'part1')
{
	$node->safe_psql($database, q{
		INSERT INTO bank.client SELECT 1, 'N-' || n, md5('new' || n)::uuid, 'F', 'north', n % 6, n * 1000, -100000 - n, 'N' || n FROM generate_series(1, 60) AS n;
		DELETE FROM bank.client WHERE part = 1 AND code IN ('C-5', 'C-9');
		INSERT INTO bank.visit SELECT 1, 'N-' || n, md5('new' || n)::uuid, timestamptz '2026-10-30' + n * interval '1 minute', 'login', n, '2026-10-30', -100000 - n, 'N' || n FROM generate_series(1, 50) AS n;
		INSERT INTO bank.visit SELECT 1, 'C-' || n, md5(n::text)::uuid, timestamptz '2026-06-30' + n * interval '1 minute', 'late', n, '2100-01-01', 3 * (n - 700), 'P' || n FROM generate_series(1, 41, 4) AS n});
}
$timelines = join '; ', map { "SELECT count(*) FROM refresh_timelines('$_', arrival => 'came')" } 'clients', 'devices', 'signed', 'padded';
($made, $scanned) = refresh_all();
same_sets('with new customers and late events');
is(scalar(grep { /timeline_agg.*ANY/ } @$made), 8 * $shards, 'events that came late are sought on the servers, once more after new keys got numbers');
is(scalar(grep { /crm\.tag_scan_agg\(.*(hash|signed)/ } @$scanned), 8 * $shards, 'new keys are numbered, and the servers asked once more');
like($node->safe_psql('parts', q{SELECT timeline_of('C-13'::text, 'clients')::text}), qr/late/, 'a late event is there');

# More late customers than a query may name within work_mem: the rows come.
for my $database ('whole', 'part1')
{
	$node->safe_psql($database, q{
		INSERT INTO bank.visit SELECT 1, 'L-' || n, md5('late' || n)::uuid, timestamptz '2026-06-30' + n * interval '1 minute', 'late', n, '2100-01-01', -200000 - n, 'L' || n FROM generate_series(1, 2100) AS n});
}
($made, $scanned) = do { local $timelines = "SET work_mem = '64kB'; $timelines; RESET work_mem"; refresh_all() };
same_sets('with very many late customers');
is(scalar(grep { /timeline_agg/ } @$made), 0, 'of whom none is named to a server');
is(scalar(grep { /^SELECT code, at, event, amount FROM/ } @$made) > 0, 1, 'as the rows come') or diag join "\n", @$made;

# A server whose keys compare otherwise has hashes of its own: the rows come, and the answers stay right.
if ($node->safe_psql('postgres', q{SELECT count(*) FROM pg_collation WHERE collprovider = 'i'}) > 0)
{
	$node->safe_psql('part2', q{
		CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		ALTER TABLE bank.client ALTER code TYPE text COLLATE alike});
	($made, $scanned) = refresh_all();
	same_sets('with hashes that are not ours');
	is(scalar(grep { /^SELECT code, .* FROM bank\.client$/ } @$scanned) > 0, 1, 'for which the rows came') or diag join "\n", @$scanned;
}

# An integer that is too large to pass for itself.
for my $database ('whole', 'part3')
{
	$node->safe_psql($database, q{INSERT INTO bank.client VALUES (3, 'big', md5('big')::uuid, 'F', 'south', 3, 70000, 5000000000000000000, 'big'), (3, 'small', md5('small')::uuid, 'M', 'south', 4, 80000, -9223372036854775808, 'small')});
}
($made, $scanned) = refresh_all();
same_sets('with integers of any size');
is(scalar(grep { /^SELECT .*signed.* FROM bank\.client$/ } @$scanned) > 0, 1, 'for which the rows came') or diag join "\n", @$scanned;

# ---- a table of one server alone -------------------------------------------------------------------

$node->safe_psql('parts', q{SELECT create_population('one', 'bank.customer_360_3', 'customer_id', events => 'bank.journey_3', event_key => 'customer_id', event_time => 'occurred_at', event_name => 'event');
	SELECT create_tag('wealth', $$CASE WHEN total_assets > 100000 THEN 'rich' ELSE 'other' END$$, population => 'one'), create_tag('late', $$extract(hour FROM last_active_at) > 21$$, population => 'one')});
$remote = asked(q{SELECT count(*) FROM refresh_timelines('one'); SELECT count(*) FROM refresh_tags('one')});
is(scalar(grep { /timeline_agg/ } @$remote), 1, 'a foreign table: its server makes the timelines') or diag join "\n", @$remote;
is(scalar(grep { /tag_scan_agg/ } @$remote), 1, 'and evaluates the rules that can be sent');
is($node->safe_psql('parts', q{SELECT cardinality(tag('wealth', 'rich', 'one')), cardinality(tag('late', population => 'one')), (SELECT md5(string_agg(timeline_of(n, 'one')::text, ',' ORDER BY n)) FROM generate_series(3, 1999, 4) AS n)}),
	$node->safe_psql('whole', q{SELECT count(*) FILTER (WHERE total_assets > 100000), count(*) FILTER (WHERE extract(hour FROM last_active_at) > 21),
		(SELECT md5(string_agg(t::text, ',' ORDER BY customer_id)) FROM (SELECT customer_id, timeline_agg(occurred_at, event) AS t FROM bank.journey WHERE customer_id % 4 = 3 GROUP BY 1) AS made)
		FROM bank.customer_360 WHERE customer_id % 4 = 3}), 'with the answers of one server');

# ---- keys of events that are not what the population's are --------------------------------------------

my $parcels = q{CREATE TABLE bank.parcel AS SELECT ('P' || n % 20)::char(8) AS padded, (n % 20)::text AS digits, timestamptz '2026-10-01' + n * interval '1 hour' AS at, 'parcel'::text AS event FROM generate_series(1, 200) AS n;
	CREATE TABLE bank.place AS SELECT DISTINCT padded FROM bank.parcel};
$node->safe_psql($_, $parcels) for 'whole', 'part0';
$node->safe_psql('parts', q{CREATE FOREIGN TABLE bank.parcel (padded char(8), digits text, at timestamptz, event text) SERVER part0; CREATE FOREIGN TABLE bank.place (padded char(8)) SERVER part0});
my %said;
for my $database ('whole', 'parts')
{
	$node->safe_psql($database, q{SELECT create_population('places', 'bank.place', 'padded', events => 'bank.parcel', event_key => 'padded', event_time => 'at', event_name => 'event');
		SELECT create_population('digits', 'bank.customer_360', 'customer_id', events => 'bank.parcel', event_key => 'digits', event_time => 'at', event_name => 'event');
		SELECT create_tag('known', 'padded IS NOT NULL', population => 'places')});
	$node->safe_psql($database, q{SELECT count(*) FROM refresh_timelines('places'); SELECT count(*) FROM refresh_tags('places')});
	(undef, undef, $said{$database}) = $node->psql($database, q{\set VERBOSITY terse
SELECT count(*) FROM refresh_timelines('digits')});
}
$remote = asked(q{SELECT count(*) FROM refresh_timelines('places', rebuild => true); SELECT count(*) FROM refresh_tags('places')});
is(scalar(grep { /timeline_agg|tag_scan_agg/ } @$remote), 2, 'padded keys, too, are read where they are') or diag join "\n", @$remote;
same(q{SELECT cardinality(tag('known', population => 'places')), md5(string_agg(k.key || ' ' || timeline_of(k.key, 'places')::text, ',' ORDER BY k.key)) FROM population_keys('places') AS k}, 'padded keys');
is($said{parts}, $said{whole}, 'a text that is the key of events of integers is taken as it is on one server');
same(q{SELECT count(timeline_of(n, 'digits')), md5(string_agg(timeline_of(n, 'digits')::text, ',' ORDER BY n)) FROM generate_series(0, 20) AS n}, 'with the same timelines');

# ---- rights --------------------------------------------------------------------------------------

$node->safe_psql('parts', q{
	CREATE ROLE keeper;
	GRANT USAGE ON SCHEMA crm, bank TO keeper;
	GRANT SELECT ON bank.customer_360 TO keeper;
	CREATE POLICY his ON bank.customer_360 FOR SELECT TO keeper USING (customer_id <= 10);
	ALTER TABLE bank.customer_360 ENABLE ROW LEVEL SECURITY;
});
my $me = $node->safe_psql('parts', 'SELECT current_user');
$node->safe_psql('parts', "CREATE USER MAPPING FOR keeper SERVER part$_ OPTIONS (user '$me', password_required 'false')") for 0 .. $shards - 1;
my $his = q{SET ROLE keeper; SELECT string_agg(value || ' ' || members, ', ' ORDER BY value) FROM refresh_tags('his')};
$node->safe_psql('parts', q{SET ROLE keeper; SELECT create_population('his', 'bank.customer_360', 'customer_id'); SELECT create_tag('sex', 'gender', population => 'his')});
is($node->safe_psql('parts', $his),
	$node->safe_psql('whole', q{SELECT string_agg(gender || ' ' || n, ', ' ORDER BY gender) FROM (SELECT gender, count(*) AS n FROM bank.customer_360 WHERE customer_id <= 10 GROUP BY gender) AS c}),
	'policies of the relation hold, where its parts have none');
$node->safe_psql('parts', 'ALTER TABLE bank.customer_360 DISABLE ROW LEVEL SECURITY');
is($node->safe_psql('parts', $his),
	$node->safe_psql('whole', q{SELECT string_agg(gender || ' ' || n, ', ' ORDER BY gender) FROM (SELECT gender, count(*) AS n FROM bank.customer_360 GROUP BY gender) AS c}),
	'a right to the relation is enough, without one to its parts');

# A rule that fails on a server says whose rule it is, and for whom.
my ($code, $out, $error) = $node->psql('parts', q{
	SELECT create_tag('broken', '100 / (customer_id - 1200) > 1', population => 'bank'); SELECT count(*) FROM refresh_tags('bank', ARRAY['broken'])});
like($error, qr/tag "broken" fails for customer "1200": division by zero/, 'an error on a server names the customer');

$node->stop;
done_testing();
