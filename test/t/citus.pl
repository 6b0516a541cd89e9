# The demonstration bank whole, and distributed by customer over the two workers of
# a Citus: the same answers, byte for byte.  Runs where Citus is installed.
use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $demo = dirname(__FILE__) . '/../demo';
my $lib = dirname(__FILE__) . '/lib';
my $share = `pg_config --sharedir`;
chomp $share;
plan skip_all => 'Citus is not installed' unless -f "$share/extension/citus.control";

my %node;
for my $name ('coordinator', 'worker1', 'worker2')
{
	$node{$name} = PostgreSQL::Test::Cluster->new($name);
	$node{$name}->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
	$node{$name}->append_conf('postgresql.conf', q{
shared_preload_libraries = 'citus'
citus.node_conninfo = 'sslmode=disable'
citus.shard_count = 8
max_prepared_transactions = 100
wal_level = logical
fsync = off
client_min_messages = warning
timezone = 'Asia/Shanghai'
});
	$node{$name}->start;
	$node{$name}->safe_psql('postgres', 'CREATE EXTENSION citus; ALTER DATABASE postgres SET search_path = crm, public');
}
my $coordinator = $node{coordinator};
$coordinator->safe_psql('postgres', sprintf(q{SELECT citus_add_node('%s', %d)}, $_->host, $_->port)) for @node{'worker1', 'worker2'};
$coordinator->safe_psql('postgres', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm');

# ---- the bank: whole in another database, distributed here ---------------------------

$coordinator->safe_psql('postgres', 'CREATE DATABASE whole');
$coordinator->safe_psql('postgres', 'ALTER DATABASE whole SET search_path = crm, public');
$coordinator->safe_psql('whole', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm');
my @psql = ('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-v', 'customers=2000');
$coordinator->command_ok([ @psql, '-d', $coordinator->connstr('whole'), '-f', "$demo/data.sql" ], 'the bank is made');
$coordinator->safe_psql('postgres', 'CREATE SCHEMA bank');
$coordinator->safe_psql('whole', q{
	CREATE TABLE bank.client AS SELECT 'C-' || customer_id AS code, md5(customer_id::text)::uuid AS device, gender, branch, products, total_assets,
		3 * (customer_id - 700) AS signed, ('P' || customer_id)::char(8) AS padded FROM bank.customer_360;
	CREATE TABLE bank.visit AS SELECT 'C-' || customer_id AS code, md5(customer_id::text)::uuid AS device, occurred_at AS at, event, amount, occurred_at AS came, 3 * (customer_id - 700) AS signed, ('P' || customer_id)::char(8) AS padded FROM bank.journey});
my %distributed_by = ('customer_360' => 'customer_id', 'journey' => 'customer_id', 'client' => 'code', 'visit' => 'code');
for my $table (sort keys %distributed_by)
{
	my $columns = $coordinator->safe_psql('whole', qq{
		SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = 'bank.$table'::regclass AND attnum > 0});
	my $file = $coordinator->basedir . "/$table";
	$coordinator->safe_psql('whole', "COPY (SELECT * FROM bank.$table) TO '$file'");
	$coordinator->safe_psql('postgres', "CREATE TABLE bank.$table ($columns); SELECT create_distributed_table('bank.$table', '$distributed_by{$table}')");
	$coordinator->safe_psql('postgres', "COPY bank.$table FROM '$file'");
}

my $as_of = "'2026-11-01 00:00:00+08'";
for my $database ('whole', 'postgres')
{
	$coordinator->command_ok([ @psql, '-d', $coordinator->connstr($database), '-f', "$demo/tags.sql" ], "tags in $database");
	$coordinator->safe_psql($database, "SELECT count(*) FROM refresh_timelines('bank'); SELECT count(*) FROM refresh_tags('bank', as_of => $as_of, columns => 'today')");
}

sub same
{
	my ($query, $what) = @_;
	my $whole = $coordinator->safe_psql('whole', $query);
	isnt($whole, '', "$what: there is an answer");
	is($coordinator->safe_psql('postgres', $query), $whole, $what);
}

# What the coordinator sends to a worker for a query.
sub task
{
	my ($query) = @_;
	my $plan = $coordinator->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) $query");
	my ($sent) = $plan =~ /Query: ([^\n]*)/;
	return $sent // '';
}

same(q{SELECT tag, value, members FROM segment_size WHERE population = 'bank' ORDER BY 1, 2}, 'sizes of all tags');
same(q{SELECT d.name, v.value, md5(tag(d.name, v.value, 'bank')::text) FROM tag_definition d LEFT JOIN tag_value v USING (tag_id) WHERE d.value_type <> 'numeric' ORDER BY 1, 2},
	'sets of all tags');
same(q{SELECT customer_id, md5(timeline_of(customer_id, 'bank')::text) FROM generate_series(1, 2000) AS customer_id ORDER BY 1}, 'timelines');
same(q{SELECT regexp_replace((profile(511, 'bank') - 'refreshed_at')::text, '"(refreshed_at|until)": "[^"]*"', '', 'g')}, 'a portrait');

# What the coordinator sends to the workers while a statement runs.
sub issued
{
	my ($statements) = @_;
	my ($code, $out, $error) = $coordinator->psql('postgres', "SET client_min_messages = notice; SET citus.log_remote_commands = on; $statements");
	is($code, 0, "it ran") or diag $error;
	return [ grep { /^SELECT|^WITH|^COPY/ } $error =~ /issuing ([^\n]*)/g ];
}

my $sent = issued("SELECT count(*) FROM refresh_tags('bank', '{vip,wealth,branch}', $as_of, 'today')");
is(scalar(grep { /worker_partial_agg\('crm\.tag_scan_rows_agg/ } @$sent), 8, 'the workers evaluate the rules, shard by shard');
is(scalar(grep { /on_private_list/ && !/worker_partial_agg/ } @$sent), 0, 'and no rows come');

$sent = issued("SELECT count(*) FROM refresh_timelines('bank', rebuild => true)");
is(scalar(grep { /crm\.timeline_agg\(.*GROUP BY/ } @$sent), 8, 'the workers make the timelines, shard by shard');
is(scalar(grep { /journey/ && !/timeline_agg/ } @$sent), 0, 'and no events come') or diag join "\n", @$sent;

# ---- rules that call for more than their row, keys that are no numbers ----------------------------

for my $database ('whole', 'postgres')
{
	$coordinator->command_ok([ @psql, '-d', $coordinator->connstr($database), '-f', "$lib/elsewhere.sql" ], "further tags in $database");
}
my @populations = ('bank', 'clients', 'devices', 'signed', 'padded');
my $timelines = join '; ', map { "SELECT count(*) FROM refresh_timelines('$_')" } @populations;
my $tags = join '; ', map { "SELECT count(*) FROM refresh_tags('$_', as_of => $as_of, columns => 'today')" } @populations;
my $sets = q{SELECT population, d.name, v.value, CASE WHEN population = 'bank' THEN md5(tag(d.name, v.value, population)::text)
		ELSE (SELECT md5(string_agg(k, ',' ORDER BY k)) FROM member_keys(tag(d.name, v.value, population), population) AS k) END
	FROM unnest(ARRAY['bank', 'clients', 'devices', 'signed', 'padded']) AS population JOIN population_definition p ON p.name = population JOIN tag_definition d USING (population_id)
	LEFT JOIN tag_value v USING (tag_id) WHERE d.value_type <> 'numeric' ORDER BY 1, 2, 3};

sub refresh_all
{
	$coordinator->safe_psql('whole', "$timelines; $tags");
	return (issued($timelines), issued($tags));
}

sub same_sets
{
	my ($what) = @_;
	same($sets, "sets $what");
	same(q{SELECT md5(tag_number('likeness', 'bank')::text), md5(tag_number('assets', 'clients')::text), md5(tag_number('assets', 'devices')::text), md5(tag_number('assets', 'signed')::text), md5(tag_number('assets', 'padded')::text)}, "numbers $what");
	same(q{SELECT p.name, count(*), md5(string_agg(k.key || ' ' || timeline_of(k.key, p.name)::text, ',' ORDER BY k.key))
		FROM unnest(ARRAY['clients', 'devices', 'signed', 'padded']) AS p (name), LATERAL population_keys(p.name) AS k GROUP BY 1 ORDER BY 1}, "timelines $what");
}

my ($made, $scanned) = refresh_all();
same_sets('of a first refresh');
is(scalar(grep { /timeline_agg/ } @$made), 40, 'timelines by keys that are no ids are made on the workers') or diag join "\n", map { substr $_, 0, 200 } @$made;
my @scans = grep { /tag_scan_rows_agg/ } @$scanned;
is(scalar(grep { /[ .]list_expiry|audience_contains/ } @scans), 8, 'lists go to the workers');
is(scalar(grep { /passing_list_expiry/ } @scans), 32, 'by what stands for ids there, too');
is(scalar(grep { /lookalike_score/ } @scans), 8, 'and what was found of the population');
is(scalar(grep { /hashtextextended|uuid_hash_extended/ } @scans), 24, 'and keys that are no numbers come back as hashes');
is(scalar(grep { /signed.*9223372036854775807/ } @scans), 8, 'and negative ones without their sign');
is(scalar(grep { /extract|EXTRACT|timeline/ } @scans), 0, 'rules that depend on a setting or on stored timelines do not go') or diag join "\n", map { substr $_, -500 } @scans;
my @rows = grep { !/tag_scan_rows_agg|worker_partial_agg/ } @$scanned;
is(scalar(grep { /\b(name|name_en|occupation|deposit|fund)\b/ } @rows), 0, 'what is fetched are columns of the rules that cannot be sent') or diag join "\n", @rows;

# A rule over stored timelines needs the keys here, and what else it reads of the row.
for my $database ('whole', 'postgres')
{
	$coordinator->safe_psql($database, q{SELECT create_tag('busy', $$products >= 2 AND event_count(timeline, 'login') > 3$$, population => 'devices')});
}
is(scalar(grep { !/^SELECT device FROM/ } @{issued("SELECT count(*) FROM refresh_tags('devices', '{visitor}', $as_of, 'today')")}), 0, 'a rule over the timeline alone fetches nothing but keys');
is(scalar(grep { !/^SELECT device, products FROM/ } @{issued("SELECT count(*) FROM refresh_tags('devices', '{visitor,busy}', $as_of, 'today')")}), 0, 'and one that reads a column this one beside');

for my $database ('whole', 'postgres')
{
	$coordinator->safe_psql($database, q{
		INSERT INTO bank.client SELECT 'N-' || n, md5('new' || n)::uuid, 'F', 'north', n % 6, n * 1000, -100000 - n, 'N' || n FROM generate_series(1, 60) AS n;
		DELETE FROM bank.client WHERE code IN ('C-5', 'C-9');
		INSERT INTO bank.visit SELECT 'N-' || n, md5('new' || n)::uuid, timestamptz '2026-10-30' + n * interval '1 minute', 'login', n, '2026-10-30', -100000 - n, 'N' || n FROM generate_series(1, 50) AS n;
		INSERT INTO bank.visit SELECT 'C-' || n, md5(n::text)::uuid, timestamptz '2026-06-30' + n * interval '1 minute', 'late', n, '2100-01-01', 3 * (n - 700), 'P' || n FROM generate_series(1, 41, 4) AS n});
}
$timelines = join '; ', map { "SELECT count(*) FROM refresh_timelines('$_', arrival => 'came')" } 'clients', 'devices', 'signed', 'padded';
($made, $scanned) = refresh_all();
same_sets('with new customers and late events');
is(scalar(grep { /visit/ && !/timeline_agg/ && !/GROUP BY|came/ } @$made), 0, 'no events come');

# A view over tables of the same distribution, in which a column of every customer says what the worker's session is like.
for my $database ('whole', 'postgres')
{
	$coordinator->safe_psql($database, q{
		CREATE VIEW bank.seen AS SELECT c.customer_id, c.gender, c.total_assets, c.last_active_at, j.events FROM bank.customer_360 AS c
			LEFT JOIN (SELECT customer_id, count(*) AS events FROM bank.journey GROUP BY customer_id) AS j USING (customer_id);
		SELECT create_population('seen', 'bank.seen', 'customer_id');
		SELECT create_tag('often', 'events > 40', population => 'seen'), create_tag('gender', 'gender', population => 'seen'),
			create_tag('hour', $$extract(hour FROM last_active_at)::text$$, population => 'seen')});
	$coordinator->safe_psql($database, q{SET TimeZone = 'America/New_York'; SELECT count(*) FROM refresh_tags('seen')});
}
same(q{SELECT d.name, v.value, md5(tag(d.name, v.value, 'seen')::text) FROM tag_definition d LEFT JOIN tag_value v USING (tag_id) JOIN population_definition p USING (population_id) WHERE p.name = 'seen' ORDER BY 1, 2},
	'tags over a view, in the time zone of the session');

my ($code, $out, $error) = $coordinator->psql('postgres', q{
	SELECT create_tag('broken', '100 / (customer_id - 1200) > 1', population => 'bank'); SELECT count(*) FROM refresh_tags('bank', ARRAY['broken'])});
like($error, qr/tag "broken" fails for customer "1200": division by zero/, 'an error on a worker names the customer');
$coordinator->safe_psql('postgres', q{SELECT drop_tag('broken', population => 'bank')});

# ---- aggregates: combined from partial states, or whole by the distribution column ------

my @combined = (
	'audience_agg(customer_id) FROM bank.customer_360 WHERE products >= 3',
	'bsi_agg(customer_id, total_assets) FROM bank.customer_360',
	'timeline_agg(occurred_at, event, amount) FROM bank.journey',
	'auc_agg(products > 2, total_assets::float8) FROM bank.customer_360',
	'ks_agg(products > 2, total_assets::float8) FROM bank.customer_360',
	'nps_agg(products) FROM bank.customer_360',
	'attribution_transitions(\'markov\', ARRAY[channel], 1.0::float8, 0.0::float8, amount::float8) FROM bank.journey WHERE channel IS NOT NULL AND amount > 0',
	'information_value(products > 2, branch) FROM bank.customer_360',
	'logistic_fit(products > 2, ARRAY[ln(1 + total_assets)::float8, events_year::float8]) FROM bank.customer_360 WHERE total_assets IS NOT NULL',
	'bg_nbd_fit(orders_year::float8, 100::float8, 365::float8) FROM bank.customer_360 WHERE orders_year > 0',
	'kaplan_meier(events_year::float8, products > 1) FROM bank.customer_360 WHERE events_year IS NOT NULL');
for my $call (@combined)
{
	my ($name) = $call =~ /^(\w+)/;
	like(task("SELECT $call"), qr/worker_partial_agg\('crm\.$name\(/, "$name is combined from partial states");
	# sums of floats depend on their order in the last digits
	my ($of, $from) = $call =~ /^(.*?)( FROM .*)$/;
	my $result = $name eq 'logistic_fit'
		? "SELECT (SELECT string_agg(round(c::numeric, 9)::text, ' ') FROM jsonb_array_elements_text(params -> 'coefficients') AS c) FROM (SELECT model_params($of) AS params$from) AS m"
		: "SELECT md5(($of)::text)$from";
	same($result, $name);
}
for my $call ("window_funnel('14 days', occurred_at, event = 'loan calculator', event = 'loan application')", 'activity_agg(\'week\', occurred_at)',
	"sequence_count('(?1).*(?2)', occurred_at, event = 'login', event = 'transfer')", 'rfm_agg(occurred_at, amount)', "retention(event = 'login', event = 'order')")
{
	my ($name) = $call =~ /^(\w+)/;
	like(task("SELECT customer_id, $call FROM bank.journey GROUP BY customer_id"), qr/SELECT customer_id, crm\.$name\(.*GROUP BY customer_id/, "$name by customer is sent whole");
	same("SELECT md5(string_agg(customer_id || ' ' || x::text, ',' ORDER BY customer_id)) FROM (SELECT customer_id, $call AS x FROM bank.journey GROUP BY customer_id) s", $name);
}

# An aggregate of any arguments is not sent, and its rows can be fetched.
($code, $out, $error) = $coordinator->psql('postgres', 'SELECT lookalike_fit(customer_id < 100, customer_id::text, products) FROM bank.customer_360');
like($error, qr/could not confirm type correctness/, 'Citus refuses an aggregate of any arguments');
same('SELECT lookalike_fit(customer_id < 100, customer_id::text, products) FROM (SELECT * FROM bank.customer_360 OFFSET 0) AS c', 'which runs over rows that were fetched');

$_->stop for values %node;
done_testing();
