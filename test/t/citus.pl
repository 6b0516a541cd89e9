# The demonstration bank whole, and distributed by customer over the two workers of
# a Citus: the same answers, byte for byte.  Runs where Citus is installed.
use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $demo = dirname(__FILE__) . '/../demo';
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
for my $table ('customer_360', 'journey')
{
	my $columns = $coordinator->safe_psql('whole', qq{
		SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = 'bank.$table'::regclass AND attnum > 0});
	my $file = $coordinator->basedir . "/$table";
	$coordinator->safe_psql('whole', "COPY (SELECT * FROM bank.$table) TO '$file'");
	$coordinator->safe_psql('postgres', "CREATE TABLE bank.$table ($columns); SELECT create_distributed_table('bank.$table', 'customer_id')");
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

my ($code, $out, $error) = $coordinator->psql('postgres', qq{
	SET client_min_messages = notice; SET citus.log_remote_commands = on;
	SELECT count(*) FROM refresh_tags('bank', '{vip,wealth,branch}', $as_of, 'today')});
is(scalar(() = $error =~ /issuing SELECT[^\n]*worker_partial_agg\('crm\.tag_scan_rows_agg/g), 8, 'the workers evaluate the rules, shard by shard');
unlike($error, qr/issuing SELECT (?!.*worker_partial_agg)[^\n]*on_private_list/, 'and no rows come');

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
