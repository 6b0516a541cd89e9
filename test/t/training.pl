# A training shows other sessions how far it is, and stops soon when cancelled.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

my $node = PostgreSQL::Test::Cluster->new('training');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "search_path = 'crm, public'\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE SCHEMA crm;
	CREATE EXTENSION crm_analytics SCHEMA crm;
	GRANT USAGE ON SCHEMA crm TO PUBLIC;
	CREATE ROLE stranger LOGIN;
	CREATE TABLE learn AS SELECT sin(n) > 0.3 AS yes, ARRAY[sin(n), cos(n * 2), n % 17, sin(n / 3.0)] AS x FROM generate_series(1, 200000) AS n;
});

is($node->safe_psql('postgres', 'SELECT count(*) FROM progress'), '0', 'nothing is shown before');

my ($out, $err) = ('', '');
my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'),
		'-c', "SELECT boosted_trees_fit(yes, x, '{\"trees\": 10000, \"depth\": 12}') IS NULL FROM learn",
		'-c', 'SELECT count(*) FROM progress' ], '>', \$out, '2>', \$err);

ok($node->poll_query_until('postgres', q{
	SELECT EXISTS (SELECT FROM progress
		WHERE database = 'postgres' AND command = 'boosted_trees_fit' AND phase = 'growing trees' AND unit = 'trees' AND total = 10000 AND done >= 2
			AND share < 1 AND started_at <= now())}),
	'the training is shown, with the trees done');
my $before = $node->safe_psql('postgres', 'SELECT done FROM progress');
ok($node->poll_query_until('postgres', "SELECT done > $before FROM progress"), 'it goes on');
is($node->safe_psql('postgres', 'SELECT count(*), count(pid), count(command) FROM progress', extra_params => [ '-U', 'stranger' ]), '1|1|0',
	'a stranger sees that there is one, and nothing of it');

my $started = time;
is($node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM progress'), 't', 'cancelled');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM progress'), 'it is not shown after that');
cmp_ok(time - $started, '<', 10, 'and that took no while');
$session->finish;
like($err, qr/canceling statement due to user request/, 'the training ended by it');
is($out, "0\n", 'and its session shows nothing any more');

$node->stop;
done_testing();
