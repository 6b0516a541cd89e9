# kill -9 in the middle of refreshes, folds, timelines and trainings: afterwards everything
# is as before or as after, and answers are those of plain SQL.
#
# CRM_KILLS says how often (12 in make check, 100 in make nightly), CRM_SEED what chance
# begins with.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

my $kills = $ENV{CRM_KILLS} || 12;
my $seed = $ENV{CRM_SEED} || int(time) % 1000000;
srand($seed);
diag("CRM_SEED=$seed");

my $node = PostgreSQL::Test::Cluster->new('kill');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', q{
	timezone = 'UTC'
	search_path = 'crm, public'
	restart_after_crash = on
	synchronous_commit = on
	max_parallel_workers_per_gather = 2
	parallel_setup_cost = 0
	parallel_tuple_cost = 0
	min_parallel_table_scan_size = 0
});
$node->start;
my $rows = 20000;
$node->safe_psql('postgres', qq{
	CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm;
	CREATE TABLE public.customer (id int PRIMARY KEY, age int, city text, spent numeric);
	INSERT INTO public.customer SELECT i, i % 90, 'city ' || i % 50, i % 977 FROM generate_series(1, $rows) i;
	CREATE TABLE public.event (customer int, at timestamptz, what text, amount float8);
	CREATE INDEX ON public.event (customer);
	INSERT INTO public.event SELECT 1 + i * 7919 % $rows, timestamptz '2025-01-01 00:00+00' + i * interval '97 s', (ARRAY['view', 'order', 'visit'])[1 + i % 3], i % 100
		FROM generate_series(1, 100000) i;
	SELECT create_population('killed', 'public.customer', 'id', events => 'public.event', event_key => 'customer', event_time => 'at', event_name => 'what', event_value => 'amount');
	SELECT refresh_timelines('killed', period => 'month', lateness => '10 years');
	SELECT create_tag('young', 'age < 30'), create_tag('city', 'city'), create_tag('spent', 'spent'), create_tag('orders', \$\$event_count(timeline, 'order') >= 3\$\$),
		create_tag('both', \$\$has_tag('young') AND has_tag('orders')\$\$);
	SELECT count(*) FROM refresh_tags('killed');
	SELECT define_segment('watched', 'young & orders'); SELECT follow_segment('watched');
	SELECT track_population('killed', '[{"relation": "public.customer", "key": "id", "customers": true}, {"relation": "public.event", "key": "customer", "customers": false}]');
	CREATE TABLE public.at_first AS SELECT segment('watched') AS who;
});

# What may be running when it happens, and what comes first.
my %work = (
	refresh => [ undef, q{SELECT count(*) FROM refresh_tags('killed')} ],
	fold => [ q{UPDATE public.customer SET age = (age + 11) % 90, spent = spent + 1 WHERE id % 5 = %d}, q{SELECT count(*) FROM fold_tags('killed')} ],
	timelines => [ q{INSERT INTO public.event SELECT 1 + i * 31 % 20000, timestamptz '2025-04-25 00:00+00' + i * interval '3 s', 'order', %d FROM generate_series(1, 3000) i},
		q{SELECT count(*) FROM refresh_timelines('killed')} ],
	rebuild => [ undef, q{SELECT count(*) FROM refresh_timelines('killed', rebuild => true)} ],
	train => [ undef, q{SELECT train('spender', 'boosted_trees', 'SELECT age, city, spent > 300 AS yes FROM public.customer', 'yes', '{"trees": 60}') IS NOT NULL} ],
	define => [ undef, q{DO $$ BEGIN PERFORM replace_tag('young', 'age < ' || 20 + (random() * 20)::int); PERFORM refresh_tags('killed'); END $$} ],
	writers => [ undef, q{DO 'BEGIN FOR i IN 1 .. 3000 LOOP UPDATE public.customer SET age = (age + 1) % 90 WHERE id = 1 + i * 7 % 20000; COMMIT; END LOOP; END'} ]);

# The answer; again where the postmaster only now noticed that somebody was killed.
sub answer
{
	my ($query) = @_;
	foreach (1 .. 4)
	{
		my $answer = eval { $node->safe_psql('postgres', $query) };
		return $answer if defined $answer;
		usleep(500_000);
	}
	return $node->safe_psql('postgres', $query);
}

# Whatever is wrong, as lines; none when all is well.  Stored timelines are as of their last refresh or fold: they come below.
sub inconsistencies
{
	return answer(q{
		WITH e AS (SELECT customer, count(*) FILTER (WHERE what = 'order') AS orders FROM public.event GROUP BY customer),
		rule AS (SELECT (regexp_match(rule, 'age < (\d+)'))[1]::int AS age FROM tag_version v JOIN tag_definition d USING (tag_id, version) WHERE d.name = 'young'),
		truth AS (SELECT c.id, c.age < rule.age AS young, coalesce(e.orders, 0) >= 3 AS orders, c.city, c.spent FROM rule, public.customer c LEFT JOIN e ON e.customer = c.id)
		SELECT 'young' WHERE crm.tag('young') IS DISTINCT FROM (SELECT audience_agg(id) FROM truth WHERE young)
		UNION ALL SELECT 'orders' WHERE crm.tag('orders') IS DISTINCT FROM (SELECT audience_agg(id) FROM truth WHERE orders)
		UNION ALL SELECT 'both' WHERE crm.tag('both') IS DISTINCT FROM (SELECT audience_agg(id) FROM truth WHERE orders AND young)
		UNION ALL SELECT 'city of ' || city FROM truth GROUP BY city HAVING crm.tag('city', city) IS DISTINCT FROM audience_agg(id)
		UNION ALL SELECT 'spent' WHERE (SELECT bsi_sum(tag_number('spent'))) IS DISTINCT FROM (SELECT sum(spent) FROM truth)
		UNION ALL SELECT 'model' WHERE EXISTS (SELECT FROM model_definition d WHERE d.versions <> (SELECT count(*) FROM model_version v WHERE v.name = d.name)
			OR NOT EXISTS (SELECT FROM model_version v WHERE v.name = d.name AND v.version = d.champion))
		UNION ALL SELECT 'a model that does not predict' WHERE EXISTS (SELECT FROM model_definition) AND predict('spender', '{"age": 5, "city": "city 3"}'::jsonb) IS NULL
		UNION ALL SELECT 'catalogue' WHERE EXISTS (SELECT FROM tag_set s WHERE NOT EXISTS (SELECT FROM population_definition p WHERE p.population_id = s.population_id))
		LIMIT 10});
}

# The same of what is stored, once the log is folded.
sub stored_inconsistencies
{
	return answer(q{
		SELECT FROM fold_tags('killed');
		SELECT 'log' WHERE EXISTS (SELECT FROM change_log)
		UNION ALL SELECT 'stored timelines' WHERE EXISTS (SELECT FROM customer_timelines t
			FULL JOIN (SELECT customer, count(*) AS n, sum(amount) AS amount FROM public.event GROUP BY customer) e ON e.customer = t.customer_id
			WHERE event_count(t.timeline) IS DISTINCT FROM e.n OR abs(event_sum(t.timeline) - e.amount) > 0.001)
		UNION ALL SELECT 'size of ' || s.tag || coalesce(' ' || s.value, '') FROM segment_size s JOIN tag_definition d ON d.name = s.tag
			WHERE d.value_type <> 'numeric' AND s.members IS DISTINCT FROM cardinality(crm.tag(s.tag, s.value))
		UNION ALL SELECT 'changes of the segment' WHERE segment('watched') IS DISTINCT FROM (
			SELECT audience_agg(id) FILTER (WHERE there) FROM (
				SELECT coalesce(c.id, m) AS id, coalesce(c.there, true) AS there
				FROM (SELECT m FROM public.at_first, members(who) m) f FULL JOIN (
					SELECT DISTINCT ON (customer_id) customer_id AS id, action = 'entered' AS there FROM segment_changes('watched') ORDER BY customer_id, change DESC) c ON c.id = f.m) r)
		LIMIT 10});
}

sub attempt
{
	my ($name) = @_;
	my ($before, $statement) = @{ $work{$name} };
	answer(sprintf($before, int(rand(5)))) if defined $before;
	my ($out, $err) = ('', '');
	return (IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') . ' application_name=victim', '-c', $statement ], '>', \$out, '2>', \$err), \$err);
}

sub children
{
	my ($parent) = @_;
	my @found;
	foreach my $file (glob '/proc/[0-9]*/stat')
	{
		open(my $stat, '<', $file) or next;
		my $line = <$stat> // '';
		push @found, $1 if $line =~ /^(\d+) \(.*\) \S (\d+) / && $2 == $parent;
	}
	return @found;
}

sub wait_until_up
{
	foreach (1 .. 600)
	{
		# psql may be gone before it is given the statement
		return if (eval { $node->psql('postgres', 'SELECT 1') } // 1) == 0;
		usleep(100_000);
	}
	die "the server did not come back";
}

# How long each takes when nothing happens: one is killed somewhere in that time.
my %seconds;
foreach my $name (sort keys %work)
{
	my $started = time;
	my ($session, $err) = attempt($name);
	$session->finish;
	is($$err, '', "$name runs");
	$seconds{$name} = time - $started;
}
is(inconsistencies(), '', 'all is well before');
is(stored_inconsistencies(), '', 'and when it is folded');

my (%survived, %killed);
for my $round (1 .. $kills)
{
	my $name = (sort keys %work)[ ($round - 1) % keys %work ];
	my $whole = rand() < 0.3;
	my ($session, $err) = attempt($name);
	# ends are where rows are written; the first time took the longest
	my $part = rand() < 0.3 ? 0.6 + 0.4 * rand() : 0.7 * rand();
	usleep(1e6 * (0.02 + $seconds{$name} * $part));
	my $what = $whole ? 'the whole server' : 'its backend';
	if ($whole)
	{
		my ($postmaster) = split /\n/, slurp_file($node->data_dir . '/postmaster.pid');
		my @children = children($postmaster);
		$node->kill9;
		$session->finish;
		# they notice soon, and a server does not start beside them
		foreach (1 .. 600)
		{
			last unless grep { kill 0, $_ } @children;
			usleep(100_000);
		}
		$node->start;
	}
	else
	{
		# one of those that work for it: the backend or a worker
		my ($status, $pids) = eval { $node->psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE application_name = 'victim' ORDER BY random() LIMIT 1}) };
		my ($pid) = ($pids // '') =~ /^(\d+)$/;
		kill 'KILL', $pid if defined $pid;
		$session->finish;
	}
	wait_until_up();
	$$err =~ /server closed the connection|terminating connection|could not connect|connection to server/ ? $killed{$name}++ : $survived{$name}++;
	is(inconsistencies(), '', "round $round: $what, during $name: consistent");
	is(stored_inconsistencies(), '', "round $round: consistent when folded") if $round % 3 == 0 || $round == $kills;
}
diag('killed: ' . join(', ', map { "$_ $killed{$_}" } sort keys %killed) . '; done before it: ' . join(', ', map { "$_ $survived{$_}" } sort keys %survived));
cmp_ok(scalar(map { $killed{$_} } keys %killed), '>', 0, 'something was killed in the middle');

# And it goes on: each of them runs to its end.
foreach my $name (sort keys %work)
{
	my ($session, $err) = attempt($name);
	$session->finish;
	is($$err, '', "$name runs after all that");
}
is(inconsistencies(), '', 'all is well at the end');
is(stored_inconsistencies(), '', 'and when it is folded');

$node->stop;
done_testing();
