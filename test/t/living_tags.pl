# Tracked populations: random workloads compared with refreshes, many sessions at
# once, workers, a standby, a crash, a dump.  Whatever happens, what readers get
# is what a refresh would have made.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('living');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ], allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
max_connections = 100
max_worker_processes = 8
fsync = off
client_min_messages = warning
search_path = 'crm, public'
deadlock_timeout = 200ms
});
$node->start;
my $server = $node->safe_psql('postgres', "SELECT current_setting('server_version_num')");
my $force = $server >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode';

$node->safe_psql('postgres', q{
	CREATE SCHEMA crm;
	CREATE EXTENSION crm_analytics SCHEMA crm;
	CREATE TABLE customers (code text, branch text, age int, balance numeric, PRIMARY KEY (code, branch)) PARTITION BY LIST (branch);
	CREATE TABLE b1 PARTITION OF customers FOR VALUES IN ('b1');
	CREATE TABLE b2 PARTITION OF customers FOR VALUES IN ('b2', 'b3');
	CREATE TABLE b_rest PARTITION OF customers DEFAULT;
	CREATE TABLE orders (customer text, at timestamptz, kind text, amount numeric);
	CREATE INDEX ON orders (customer);
	INSERT INTO customers SELECT 'k' || n, 'b' || n % 5, n % 90, n FROM generate_series(1, 2000) n;
	INSERT INTO orders SELECT 'k' || n % 2100, now() - n * interval '5 hours', (ARRAY['order', 'view'])[1 + n % 2], n % 100 FROM generate_series(1, 8000) n;
	SELECT crm.create_population('living', 'customers', 'code', 'branch', events => 'orders', event_key => 'customer',
		event_time => 'at', event_name => 'kind', event_value => 'amount');
	SELECT crm.create_tag('old', 'age > 50', population => 'living');
	SELECT crm.create_tag('band', 'CASE WHEN balance > 1500 THEN ''high'' WHEN balance > 500 THEN ''mid'' END', population => 'living');
	SELECT crm.create_tag('balance', 'balance', population => 'living');
	SELECT crm.create_tag('twice', 'crm.event_count(timeline, ''order'') >= 2', population => 'living');
	SELECT crm.create_tag('quiet', 'crm.event_count(timeline, ''order'', as_of - interval ''90 days'') = 0', population => 'living');
	SELECT crm.create_tag('spent', 'crm.event_sum(timeline, ''order'')::numeric', population => 'living');
	SELECT count(*) FROM crm.refresh_timelines('living');
	SELECT crm.track_population('living');
	SELECT count(*) FROM crm.refresh_tags('living');

	-- All that readers are told.
	CREATE FUNCTION told() RETURNS text LANGUAGE sql STABLE AS $$
		SELECT concat_ws(' ', md5(crm.tag('old')::text), md5(crm.tag('band', 'high')::text), md5(crm.tag('band', 'new')::text), md5(crm.tag('band')::text),
			md5(crm.tag_number('balance')::text), md5(crm.tag('twice')::text), md5(crm.tag('quiet')::text), md5(crm.tag_number('spent')::text),
			md5(crm.segment('!(old | quiet) & balance >= 700 - band = mid')::text))
	$$;
	-- Changes of each kind, by chance; none gives a code to two customers.
	CREATE SEQUENCE direct;
	CREATE FUNCTION change(kind int) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		n int := 1 + floor(random() * 40);
		chosen text[] := (SELECT array_agg('k' || floor(random() * 2200)::int) FROM generate_series(1, n));
	BEGIN
		CASE kind
			WHEN 0 THEN INSERT INTO orders SELECT k, now() - random() * interval '200 days', 'order', floor(random() * 50) FROM unnest(chosen) k;
			WHEN 1 THEN UPDATE orders SET amount = amount + 1, kind = 'order' WHERE customer = ANY (chosen[1:5]);
			WHEN 2 THEN DELETE FROM orders WHERE customer = ANY (chosen[1:5]) AND random() < 0.5;
			WHEN 3 THEN UPDATE customers SET age = age + 1, branch = 'b' || floor(random() * 8)::int WHERE code = ANY (chosen)
				AND NOT EXISTS (SELECT FROM customers o WHERE o.code = customers.code AND o.branch <> customers.branch);
			WHEN 4 THEN DELETE FROM customers WHERE code = ANY (chosen[1:7]);
			WHEN 5 THEN INSERT INTO customers SELECT DISTINCT ON (k) k, 'b1', 60, random()::numeric(6, 3) FROM unnest(chosen) k WHERE NOT EXISTS (SELECT FROM customers WHERE code = k);
			WHEN 6 THEN UPDATE b_rest SET balance = -balance WHERE code = ANY (chosen);
			WHEN 7 THEN UPDATE orders SET customer = chosen[1] WHERE customer = chosen[2];
			WHEN 8 THEN UPDATE customers SET code = code || 'x' WHERE code = ANY (chosen[1:3])
				AND NOT EXISTS (SELECT FROM customers o WHERE o.code = customers.code || 'x');
			ELSE INSERT INTO b2 SELECT 'direct' || nextval('direct'), 'b2', 55, 5000 FROM generate_series(1, n);
		END CASE;
	END
	$$;
});

# One change of each kind, the same ones each time that the test runs.
sub changes { return "SELECT setseed($_[0]); SELECT change(k) FROM generate_series(0, 9) k" }

# What readers are told before a refresh and after it, in one transaction that is rolled back.
my $compare = q{
	BEGIN;
	CREATE TEMP TABLE before ON COMMIT DROP AS SELECT told();
	DO $$ BEGIN PERFORM * FROM crm.refresh_tags('living'); END $$;
	SELECT CASE WHEN told = told() THEN 'same' ELSE 'differs' END FROM before;
	ROLLBACK;
};

# ---- random workloads ------------------------------------------------------------------

my ($rounds, $differ, $left) = (60, 0, 0);
my $script = "SELECT setseed(0.42);\n";
srand(42);
for my $round (1 .. $rounds)
{
	$script .= 'SELECT change(' . int(rand(10)) . ");\n" for 1 .. 1 + int(rand(4));
	$script .= $compare;
	next if rand() < 0.5;
	$script .= q{
		DO $$ BEGIN PERFORM * FROM crm.fold_tags('living'); END $$;
		SELECT 'log ' || count(*) FROM crm.change_log;
	} . $compare;
}
my @answers = split /\n/, $node->safe_psql('postgres', $script);
is(scalar(grep { $_ eq 'differs' } @answers), 0, 'readers are told what a refresh would make');
cmp_ok(scalar(grep { $_ eq 'same' } @answers), '>=', $rounds, "compared in $rounds rounds");
is(scalar(grep { /^log [1-9]/ } @answers), 0, 'folding empties the log');

# ---- evaluated within a parallel worker -----------------------------------------------------

$node->safe_psql('postgres', changes(0.1));
my $serial = $node->safe_psql('postgres', 'SELECT count(*) FROM customers WHERE crm.customer_id(code) <@ crm.tag(\'old\')');
for my $way ("SET $force = on", 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off')
{
	is($node->safe_psql('postgres', "$way; SELECT told()"), $node->safe_psql('postgres', 'SELECT told()'), "workers are told the same: $way");
	is($node->safe_psql('postgres', "$way; SELECT count(*) FROM customers WHERE crm.customer_id(code) <@ crm.tag('old')"), $serial,
		"... in a condition: $way");
}

# ---- a standby ----------------------------------------------------------------------------

$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->safe_psql('postgres', changes(0.2));
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT told()'), $node->safe_psql('postgres', 'SELECT told()'), 'a standby is told what the primary is');
$node->safe_psql('postgres', "DO \$\$ BEGIN PERFORM * FROM crm.fold_tags('living'); END \$\$");
$node->wait_for_catchup($standby);
is($standby->safe_psql('postgres', 'SELECT told()'), $node->safe_psql('postgres', 'SELECT told()'), '... and after a fold');
$standby->stop('immediate');

# ---- many sessions ----------------------------------------------------------------------------

my %scripts = (
	'order@8' => q{
		\set k random(1, 2300)
		INSERT INTO orders VALUES ('k' || :k, now(), 'order', 1);
	},
	'twice@4' => q{
		\set k random(1, 50)
		BEGIN;
		INSERT INTO orders VALUES ('k' || :k, now(), 'order', 1);
		UPDATE customers SET age = age + 1 WHERE code = 'k' || :k;
		COMMIT;
	},
	'undone@1' => q{
		\set k random(1, 2300)
		BEGIN;
		DELETE FROM orders WHERE customer = 'k' || :k;
		ROLLBACK;
	},
	'customer@2' => q{
		\set k random(1, 1000000000)
		INSERT INTO customers VALUES ('new' || :k, 'b' || :k % 9, 60, 1) ON CONFLICT DO NOTHING;
	},
	'leave@1' => q{
		\set k random(1, 2300)
		DELETE FROM b2 WHERE code = 'k' || :k;
	},
	'read@3' => q{
		\set k random(1, 2300)
		SELECT crm.cardinality(crm.tag('twice')), crm.cardinality(crm.segment('old & !quiet'));
		SELECT count(*) FROM crm.tags_of('k' || :k);
	},
	'fold@1' => q{
		SELECT count(*) FROM crm.fold_tags('living');
	},
	'refresh@1' => q{
		\set often random(1, 20)
		\if :often = 1
		SELECT count(*) FROM crm.refresh_tags('living');
		\endif
	});
my @files;
for my $name (sort keys %scripts)
{
	my ($file, $weight) = split /@/, $name;
	my $path = $node->basedir . "/$file.sql";
	append_to_file($path, $scripts{$name} =~ s/^\s+//gmr);
	push @files, '-f', "$path\@$weight";
}
$node->append_conf('postgresql.conf', 'crm_analytics.fold_after = 300');
$node->reload;
my $orders = $node->safe_psql('postgres', 'SELECT count(*) FROM orders');
my ($out, $err) = ('', '');
my $result = IPC::Run::run([ 'pgbench', '-n', '-c', '64', '-j', '2', '-T', '10', '-r', @files, '-h', $node->host, '-p', $node->port, 'postgres' ],
	'>', \$out, '2>', \$err);
ok($result, '64 clients: writers, readers, folds and refreshes, without an error or deadlock') or diag($err);
my ($transactions) = $out =~ /number of transactions actually processed: (\d+)/;
cmp_ok($transactions // 0, '>', 100, 'they did something: ' . ($transactions // 'nothing'));
unlike(slurp_file($node->logfile), qr/deadlock detected/, 'no deadlock in the log');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM orders'), '>', $orders, 'orders came');
is($node->safe_psql('postgres', $compare), 'same', 'nothing was lost');
$node->safe_psql('postgres', "DO \$\$ BEGIN PERFORM * FROM crm.fold_tags('living'); END \$\$");
is($node->safe_psql('postgres', 'SELECT count(*) FROM crm.change_log'), '0', 'the last fold empties the log');
is($node->safe_psql('postgres', $compare), 'same', '... and leaves what a refresh makes');

# ---- a crash, a dump --------------------------------------------------------------------------------

$node->safe_psql('postgres', changes(0.3));
$node->stop('immediate');
$node->start;
is($node->safe_psql('postgres', $compare), 'same', 'log and sets have survived a crash');
my $told = $node->safe_psql('postgres', 'SELECT told()');
$node->safe_psql('postgres', 'CREATE DATABASE again');
my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-f', $dump, 'postgres' ], 'dumped');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-d', 'again', '-f', $dump ], 'restored');
is($node->safe_psql('again', $compare), 'same', 'the restored database tells what a refresh makes');
$node->safe_psql('again', changes(0.4));
is($node->safe_psql('again', $compare), 'same', '... and its triggers note what changes');

$node->stop;
done_testing();
