# Out of memory, out of disk: an error of the statement, after which the session
# works on and everything stored is as it was.  The limits are set on the backend
# itself, at many heights, so that they are met in many places: of its address
# space, of the size of its files (a write that the disk takes a part of only, as
# when it is full), and temp_file_limit.  CRM_LIMITS=full tries more of them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

plan skip_all => 'needs /proc and prlimit' if !-r '/proc/self/status' || system('prlimit --version >/dev/null 2>&1') != 0;

my $full = ($ENV{CRM_LIMITS} || '') eq 'full';
my $node = PostgreSQL::Test::Cluster->new('exhausted');
# Segments of the WAL are files, too, and must be smaller than what a file may have.
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8', '--wal-segsize=1' ]);
$node->append_conf('postgresql.conf', q{
shared_buffers = 32MB
fsync = off
max_wal_size = 1GB
jit = off
autovacuum = off
max_parallel_workers_per_gather = 0
restart_after_crash = off
client_min_messages = error
search_path = 'crm, public'
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE SCHEMA crm;
	CREATE EXTENSION crm_analytics SCHEMA crm;
	CREATE TABLE customer AS SELECT n AS id, abs(hashint8(n)::bigint) % 1000003 AS amount, 'city ' || n % 50 AS city, sin(n) > 0.3 AS bought
		FROM generate_series(1::bigint, 100000) AS n;
	ALTER TABLE customer ADD PRIMARY KEY (id);
	CREATE TABLE event AS SELECT 1 + abs(hashint8(n)::bigint) % 20000 AS customer_id, timestamptz '2025-01-01' + n * interval '7 seconds' AS ts, 'e' || n % 20 AS name, n % 1000 AS value
		FROM generate_series(1::bigint, 400000) AS n;
	ANALYZE;
	SELECT create_population('bank', 'customer', 'id');
	SELECT create_tag('t' || n, 'amount % ' || n || ' = 0', population => 'bank') FROM generate_series(2, 40) AS n;
	SELECT create_tag('city', 'city', population => 'bank');
	SELECT create_tag('money', 'amount', population => 'bank');
	SELECT refresh_tags('bank');
	SELECT track_population('bank');
	SELECT fold_tags('bank');
	SELECT create_population('shop', 'customer', 'id', events => 'event', event_key => 'customer_id', event_time => 'ts', event_name => 'name', event_value => 'value');
	SELECT refresh_timelines('shop');
	SELECT train('m', 'logistic', 'SELECT amount, city, bought FROM customer', 'bought');
	-- All that is stored, and what waits to be folded.
	CREATE FUNCTION stored() RETURNS text LANGUAGE sql SET search_path = crm, public AS $$
		SELECT concat_ws(' ', (SELECT md5(string_agg(concat_ws('|', population_id, scope_no, chunk, tag_id, value_no, md5(members)), ';' ORDER BY population_id, scope_no, chunk, tag_id, value_no))
				FROM crm.tag_set),
			(SELECT count(*) || ':' || md5(string_agg(tag_id || '=' || members, ';' ORDER BY tag_id, value_no, scope_no)) FROM crm.tag_size),
			(SELECT md5(string_agg(customer_id || md5(events::text), ';' ORDER BY customer_id)) FROM crm.customer_timeline),
			(SELECT count(*) FROM crm.change_log), (SELECT count(*) FROM crm.refresh_history), (SELECT count(*) || ':' || max(version) FROM crm.model_version)) $$;
	-- What has changed since: there is something to be written.
	UPDATE customer SET amount = amount + 1;
	INSERT INTO event SELECT 1 + n % 20000, timestamptz '2025-02-03' + n * interval '1 second', 'new', n FROM generate_series(1::bigint, 200000) AS n;
});
my $before = $node->safe_psql('postgres', 'SELECT stored()');

my %jobs = (
	'refresh_tags' => "SELECT count(*) FROM refresh_tags('bank')",
	'fold_tags' => "SELECT count(*) FROM fold_tags('bank')",
	'refresh_timelines' => "SELECT count(*) FROM refresh_timelines('shop', true)",
	'new timelines' => "SELECT count(*) FROM refresh_timelines('shop')",
	# of a query that is no mere scan the rows are kept
	'train' => "SELECT train('m', 'boosted_trees', 'SELECT amount, city, bought FROM customer LIMIT 10000000', 'bought', '{\"trees\": 20}') IS NULL",
	'timelines' => "SELECT count(*) FROM timelines('SELECT customer_id, ts, name, value FROM event')",
	'audience_agg' => "SELECT cardinality(audience_agg(hashint8extended(n, 1) & 4294967295)) FROM (SELECT generate_series(1::bigint, 2000000) AS n) AS s",
	'bsi_agg' => "SELECT bsi_count(bsi_agg(n, hashint8(n))) FROM (SELECT generate_series(1::bigint, 500000) AS n) AS s",
	'timeline_agg' => "SELECT event_count(timeline_agg(ts, name, value)) FROM event",
	'timeline in and out' => "SELECT event_count(timeline_agg(ts, name, value)::text::timeline) FROM event",
	'activity_agg' => "SELECT count(*) FROM (SELECT activity_agg('day', ts) AS a FROM event GROUP BY customer_id OFFSET 0) AS s WHERE a IS NOT NULL",
	'logistic_fit' => "SELECT logistic_fit(bought, ARRAY[amount, sin(id), cos(id)]) IS NULL FROM customer",
	'boosted_trees_fit' => "SELECT boosted_trees_fit(bought, ARRAY[amount, sin(id), cos(id)], '{\"trees\": 20}') IS NULL FROM customer",
	'kmeans_fit' => "SELECT kmeans_fit(5, ARRAY[amount, sin(id), cos(id)]) IS NULL FROM customer",
	'kaplan_meier' => "SELECT kaplan_meier(amount, bought) IS NULL FROM customer",
	'scorecard_fit' => "SELECT scorecard_fit(bought, ARRAY[amount, sin(id)]) IS NULL FROM customer",
	'association_rules' => "SELECT association_rules(0.001, 0.1, customer_id, name) IS NULL FROM event",
	'attribution' => "SELECT attribution('markov', ARRAY(SELECT 'c' || hashint8(n * 7 + k) % 300 FROM generate_series(1, 8) AS k), 1, 1, 1) IS NULL FROM generate_series(1::bigint, 20000) AS n",
	'percentile_agg' => "SELECT percentile_agg(amount) IS NULL FROM customer",
	'report' => "SELECT length(report('bank')) > 0",
);

# Runs a statement, rolled back, in a session whose backend has a limit.
sub limited
{
	my ($limit, @statements) = @_;
	my ($out, $err) = ('', '');
	my $session = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres') ], '<', \(my $in = ''), '>', \$out, '2>', \$err);
	my $input = sub { $in .= $_[0]; $session->pump until $out =~ $_[1] || !$session->pumpable; };

	# Catalogues and the library are loaded before: a backend that cannot start is none of ours.
	$input->("SELECT count(*) FROM tag_catalog; SELECT stored() IS NULL; SELECT 'pid ' || pg_backend_pid();\n", qr/pid \d+\n/);
	my ($pid) = $out =~ /pid (\d+)\n/;
	my $status = slurp_file("/proc/$pid/status");
	my ($size) = $status =~ /VmSize:\s+(\d+)/;
	my @options = $limit->($size);
	system('prlimit', '--pid', $pid, @options) == 0 or die 'prlimit failed';
	$input->("BEGIN;\n$_;\nROLLBACK;\n", qr/./s) foreach @statements;
	$input->("SELECT 'alive ' || sum(n) FROM generate_series(1, 10) AS n;\n\\q\n", qr/alive/);
	$session->finish;
	return ($out, $err);
}

my %seen;
sub try
{
	my ($name, $what, $limit, @statements) = @_;
	my ($out, $err) = limited($limit, @statements);
	my ($state) = $err =~ /ERROR:\s+(\w{5}):/;

	$seen{$what}{ $state || 'done' }++;
	ok($out =~ /alive 55/ && $err !~ /(server closed|FATAL|PANIC)/, "$name, $what: the session goes on") or diag($err);
	ok(!defined $state || $state =~ /^(53200|53100|53400)$/ || $err =~ /File too large|regular expression failed: out of memory/, "$name, $what: the error says so") or diag($err);
}

foreach my $name (sort keys %jobs)
{
	foreach my $mb ($full ? (1, 2, 3, 5, 8, 12, 20, 30, 50) : (2, 9))
	{
		try($name, 'memory', sub { '--as=' . ($_[0] + 1024 * $mb) * 1024 }, $jobs{$name});
	}
}
foreach my $name ('refresh_tags', 'fold_tags', 'refresh_timelines', 'new timelines', 'train', 'timelines', 'activity_agg', 'report')
{
	foreach my $kb ($full ? (1100, 1300, 1500, 2000, 2500, 4000) : (1100, 2500))
	{
		# not a multiple of a page: the last one is written in part
		try($name, 'disk', sub { '--fsize=' . ($kb * 1024 + 100) }, $jobs{$name});
	}
	try($name, 'temporary files', sub { '--fsize=unlimited' }, "SET LOCAL work_mem = '64kB'; SET LOCAL temp_file_limit = '100kB'; $jobs{$name}");
}
foreach my $what (sort keys %seen)
{
	diag("$what: " . join(', ', map { "$_ $seen{$what}{$_}" } sort keys %{ $seen{$what} }));
	cmp_ok(scalar(grep { $_ ne 'done' } keys %{ $seen{$what} }), '>', 0, "$what: the limit was met");
}
is($node->safe_psql('postgres', 'SELECT stored()'), $before, 'all that is stored is as it was');
is($node->safe_psql('postgres', 'SELECT count(*) FROM progress'), '0', 'nothing is shown as being at work');
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_ls_tmpdir()'), '0', 'no temporary file is left');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'no crash');

# Where there is room again, the same work is done, and gives what a server without limits gives.
$node->safe_psql('postgres', "SELECT count(*) FROM fold_tags('bank'); SELECT count(*) FROM refresh_timelines('shop', true)");
is($node->safe_psql('postgres', "SELECT sum(members) FROM tag_size s JOIN tag_definition d USING (tag_id) WHERE d.name LIKE 't%'"),
	$node->safe_psql('postgres', "SELECT count(*) FROM customer, generate_series(2, 40) AS n WHERE amount % n = 0"), 'a fold afterwards is right');
is($node->safe_psql('postgres', "SELECT sum(event_count(events)) FROM customer_timeline"), $node->safe_psql('postgres', 'SELECT count(*) FROM event'),
	'and so are timelines');

$node->stop;
done_testing();
