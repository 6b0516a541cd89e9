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

my %parts = ('customer_360' => 'customer_id', 'journey' => 'customer_id');
my $shards = 4;

# ---- the bank, whole --------------------------------------------------------------

make_database('whole');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', 'customers=2000', '-d', $node->connstr('whole'), '-f', "$demo/data.sql" ],
	'the bank is made');

# ---- the same in four ---------------------------------------------------------------

make_database('parts');
$node->safe_psql('parts', 'CREATE EXTENSION postgres_fdw; CREATE SCHEMA bank');
make_database("part$_") for 0 .. $shards - 1;
my ($host, $port) = ($node->host, $node->port);
for my $table (sort keys %parts)
{
	my $columns = $node->safe_psql('whole', qq{
		SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = 'bank.$table'::regclass AND attnum > 0});
	$node->safe_psql('parts', "CREATE TABLE bank.$table ($columns) PARTITION BY LIST ((($parts{$table} % $shards)))");
	for my $n (0 .. $shards - 1)
	{
		my $file = $node->basedir . "/$table.$n";
		$node->safe_psql('whole', "COPY (SELECT * FROM bank.$table WHERE $parts{$table} % $shards = $n) TO '$file'");
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

# What a query's own queries asked of the servers.
sub asked
{
	my ($query) = @_;
	my $from = -s $node->logfile;
	$node->safe_psql('parts', qq{
		LOAD 'auto_explain';
		SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on;
		SET auto_explain.log_verbose = on; SET auto_explain.log_timing = off;
		$query});
	my $log = slurp_file($node->logfile, $from);
	return [ $log =~ /Remote SQL: ([^\n]*)/g ];
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
