# A training shows other sessions how far it is, and stops when cancelled, long before it is done.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# No time is asserted, as other work of the machine stretches it: cancel.pl measures what a cancel still costs.  What
# hangs ends by this.
my $patience = $PostgreSQL::Test::Utils::timeout_default;

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
		'-c', 'SELECT count(*) FROM progress' ], '>', \$out, '2>', \$err, IPC::Run::timeout(4 * $patience));

ok($node->poll_query_until('postgres', q{
	SELECT EXISTS (SELECT FROM progress
		WHERE database = 'postgres' AND command = 'boosted_trees_fit' AND phase = 'growing trees' AND unit = 'trees' AND total = 10000 AND done >= 2
			AND share < 1 AND started_at <= now())}),
	'the training is shown, with the trees done');
my $before = $node->safe_psql('postgres', 'SELECT done FROM progress');
ok($node->poll_query_until('postgres', "SELECT done > $before FROM progress"), 'it goes on');
is($node->safe_psql('postgres', 'SELECT count(*), count(pid), count(command) FROM progress', extra_params => [ '-U', 'stranger' ]), '1|1|0',
	'a stranger sees that there is one, and nothing of it');

is($node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM progress'), 't', 'cancelled');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM progress'), 'it is not shown after that');
$session->finish;
like($err, qr/canceling statement due to user request/, 'the training ended by it');
is($out, "0\n", 'and its session shows nothing any more');

# Every trainer shows itself, and stops, at whatever moment it is cancelled: while it reads rows, fits or measures.
$node->safe_psql('postgres', q{
	CREATE TABLE customers AS SELECT n, n * 7919 % 101 > 40 AS yes, (n * 7919 % 1009)::float8 AS number, n % 7 AS bought, (n % 7 > 0)::int * (n * 31 % 40) AS since, 50 + n % 97 AS age,
		(SELECT array_agg(((n * (2 * k + 1)) % (53 + k))::float8 + sin(n * k)) FROM generate_series(1, 30) AS k) AS x FROM generate_series(1, 40000) AS n;
	CREATE VIEW columns AS SELECT n, yes, x[1] AS a, x[2] AS b, x[3] AS c, 'k' || n % 50 AS k FROM customers;
});
my %trainers = (
	logistic => 'logistic_fit(yes, x)',
	linear => 'linear_fit(number, x)',
	naive_bayes => 'naive_bayes_fit(yes, x)',
	scorecard => 'scorecard_fit(yes, x)',
	boosted_trees => 'boosted_trees_fit(yes, x)',
	bg_nbd => 'bg_nbd_fit(bought, since, age + n % 1000 / 1000.0)',
	mbg_nbd => 'mbg_nbd_fit(bought, since, age + n % 1000 / 1000.0)',
	pareto_nbd => 'pareto_nbd_fit(bought, since, age + n % 1000 / 1000.0)',
	gamma_gamma => 'gamma_gamma_fit(bought, number + 1)',
	cox => 'cox_fit(number, yes, x)',
	train => q{train('model', 'logistic', 'SELECT * FROM columns', 'yes', '{"key": "n"}')});
my %phases = (linear => 'solving', naive_bayes => 'binning', scorecard => 'binning', boosted_trees => 'growing trees');
my @waits;
srand(20261);
foreach my $trainer (sort keys %trainers)
{
	# one after the other, so that there is something to cancel; a repeat is no duplicate to the planner
	my $query = $trainer eq 'train' ? "SELECT count($trainers{$trainer}) FROM generate_series(1, 1000)" :
		"SELECT count((SELECT $trainers{$trainer} FROM customers WHERE n > g)) FROM generate_series(1, 1000) AS g";
	my $shown = 0;
	for my $round (1 .. 3)
	{
		my ($out, $err) = ('', '');
		my $name = "cancel $trainer $round";
		my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') . " application_name='$name'", '-c', 'SET client_min_messages = error', '-c', $query ], '>', \$out, '2>', \$err,
			IPC::Run::timeout(4 * $patience));
		my $started = time;
		my $until = $started + 0.2 + rand(1);
		while (time < $until || ($round == 1 && !$shown && time < $until + 60))
		{
			my $name_shown = $trainer eq 'train' ? 'train' : $trainer . '_fit';
			my $phase = $phases{$trainer} // 'iterating';

			$shown ||= $node->safe_psql('postgres', "SELECT count(*) FROM progress WHERE command = '$name_shown' AND phase = '$phase' AND done >= 0") > 0;
		}
		my $cancelled = time;
		$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = '$name'");
		$session->finish;
		push @waits, time - $cancelled;
		like($err, qr/canceling statement due to user request/, "$trainer, cancelled after " . sprintf('%.2f', $cancelled - $started) . ' s');
	}
	ok($shown, "$trainer shows that it trains");
}
@waits = sort { $a <=> $b } @waits;
note(sprintf('%d cancels: median %.3f s, 90 of 100 within %.3f s, largest %.3f s, starting a psql for it included', scalar @waits, $waits[@waits / 2],
		$waits[0.9 * @waits], $waits[-1]));
is($node->safe_psql('postgres', 'SELECT count(*) FROM progress'), '0', 'nothing is shown any more');
is($node->safe_psql('postgres', 'SELECT count(*) FROM model_definition'), '0', 'and nothing was kept of the trainings');

$node->stop;
done_testing();
