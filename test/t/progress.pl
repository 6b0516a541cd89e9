# The view progress: every kind of long command is seen from another session, in
# the phase that it is in; commands within commands, and errors that are caught,
# leave what was shown around them; strangers see that there is one, and no more.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('progress');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', q{
max_worker_processes = 8
autovacuum = off
client_min_messages = warning
search_path = 'crm, public'
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE SCHEMA crm;
	CREATE EXTENSION crm_analytics SCHEMA crm;
	GRANT USAGE ON SCHEMA crm TO PUBLIC;
	CREATE ROLE stranger LOGIN;
	CREATE ROLE watcher LOGIN IN ROLE pg_read_all_stats;
	-- Whatever lasts, lasts until the test has seen it.
	CREATE FUNCTION slow(x bigint) RETURNS bigint LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS
		'BEGIN IF x % 100 = 0 THEN PERFORM pg_sleep(0.02); END IF; RETURN x; END';
	CREATE TABLE step (n int);
	CREATE FUNCTION wait_for(step int) RETURNS void LANGUAGE plpgsql AS
		'BEGIN WHILE NOT EXISTS (SELECT FROM step AS s WHERE s.n >= wait_for.step) LOOP PERFORM pg_sleep(0.02); END LOOP; END';
	CREATE TABLE customer AS SELECT n AS id, n % 100 AS amount FROM generate_series(1::bigint, 200000) AS n;
	ALTER TABLE customer ADD PRIMARY KEY (id);
	CREATE TABLE event AS SELECT n % 1000 AS customer_id, timestamptz '2025-01-01' + n * interval '1 minute' AS ts, 'order' AS name
		FROM generate_series(1::bigint, 200000) AS n;
	CREATE VIEW slow_event AS SELECT slow(e.customer_id) AS customer_id, e.ts, e.name FROM event AS e;
	ANALYZE;
	SELECT create_population('bank', 'customer', 'id');
	SELECT create_population('online', 'customer', 'id', events => 'slow_event', event_key => 'customer_id', event_time => 'ts', event_name => 'name');
	SELECT create_tag('rich', 'amount > 90', population => 'bank');
	SELECT refresh_tags('bank');
	SELECT create_tag('slow', 'slow(id) % 2 = 0', population => 'bank');
});

my %session = ();

# Runs statements in a session of their own; after each of them it says whether something is shown still.
sub begin
{
	my ($user, @statements) = @_;
	my ($out, $err) = ('', '');

	%session = (out => \$out, err => \$err);
	$session{run} = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-U', $user,
			map { ('-c', $_) } @statements, "SELECT 'shown: ' || count(*) FROM progress WHERE pid = pg_backend_pid()" ],
		'>', \$out, '2>', \$err);
}

sub finish
{
	$session{run}->finish;
	return ${ $session{out} } . ${ $session{err} };
}

sub query
{
	my ($sql, @user) = @_;

	return $node->safe_psql('postgres', $sql, extra_params => [ map { ('-U', $_) } @user ]);
}

# Waits until exactly one command is shown, and as the condition says.
sub seen
{
	my ($condition, $name) = @_;

	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 AND bool_and($condition) FROM progress"), $name)
		or diag(query('TABLE progress'));
}

sub cancel
{
	my ($name) = @_;

	query('SELECT pg_cancel_backend(pid) FROM progress');
	like(finish(), qr/shown: 0.*canceling statement due to user request/s, "$name: cancelled, and nothing is shown any more");
}

my $user = query('SELECT current_user');

is(query('SELECT count(*) FROM progress'), '0', 'nothing is shown before');

# refresh_tags
begin($user, "SELECT refresh_tags('bank')");
seen("command = 'refresh_tags' AND target = 'bank' AND phase = 'evaluating rules' AND unit = 'customers' AND total = 200000 AND done > 1000
	AND part IS NULL AND share = done / 200000.0 AND database = 'postgres' AND role = '$user' AND started_at <= now()", 'a refresh evaluates');
my $before = query('SELECT done FROM progress');
seen("done > $before", 'and gets further');
is(query('SELECT count(pid), count(database), count(role), count(command), count(target), count(phase), count(done), count(started_at) FROM progress',
		'stranger'), '1|1|1|0|0|0|0|0', 'a stranger sees that there is something, and not what');
is(query('SELECT count(command) FROM progress', 'watcher'), '1', 'a member of pg_read_all_stats does');
cancel('refresh_tags');

query("SELECT create_tag(t, 'amount', population => 'bank') FROM unnest(ARRAY['amount', 'amount too']) AS t");
begin($user, "SET crm_analytics.refresh_memory = '1MB'", "SELECT refresh_tags('bank')");
seen("part <= 2 AND parts = 2 AND done > 1000", 'where memory is short, the parts of a refresh are counted');
cancel('refresh_tags in parts');
query("SELECT drop_tag(t, 'bank') FROM unnest(ARRAY['amount', 'amount too']) AS t");

# Of workers, when the leader does nothing itself.
begin($user, "SET parallel_setup_cost = 0", "SET parallel_tuple_cost = 0", "SET min_parallel_table_scan_size = 0", "SET parallel_leader_participation = off",
	"SELECT refresh_tags('bank')");
seen("command = 'refresh_tags' AND done > 1000 AND done < 200000", 'what workers do is counted for their leader');
cancel('refresh_tags with workers');

# Sets cannot be written while another session keeps them.
query("SELECT replace_tag('slow', 'amount < 10', population => 'bank')");
my ($out, $err) = ('', '');
my $keeper = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'BEGIN; LOCK TABLE crm.tag_set IN SHARE MODE; SELECT wait_for(1)' ],
	'>', \$out, '2>', \$err);
ok($node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'crm.tag_set'::regclass AND mode = 'ShareLock' AND granted)"),
	'the table of sets is locked');
begin($user, "SELECT count(*) FROM refresh_tags('bank')");
seen("phase = 'writing sets' AND unit = 'chunks' AND total > 10 AND done = 0", 'a refresh writes');
query('INSERT INTO step VALUES (1)');
$keeper->finish;
is(finish(), "2\nshown: 0\n", 'when it is done nothing is shown');

# fold_tags
query("SELECT replace_tag('slow', 'CASE WHEN amount > 1000 THEN slow(id * 100) % 2 = 0 END', population => 'bank')");
query("SELECT refresh_tags('bank')");
query("SELECT track_population('bank')");
query("SELECT fold_tags('bank')");
query("UPDATE customer SET amount = amount + 2000 WHERE id BETWEEN $_ * 500 + 1 AND $_ * 500 + 500") foreach 0 .. 5;
begin($user, "SELECT fold_tags('bank')");
seen("command = 'fold_tags' AND target = 'bank' AND phase = 'evaluating rules' AND total = 3000 AND done > 500", 'a fold evaluates');
cancel('fold_tags');
query("SELECT untrack_population('bank')");

# Timelines
begin($user, "SELECT refresh_timelines('online')");
seen("command = 'refresh_timelines' AND target = 'online' AND phase = 'reading events' AND unit = 'rows' AND total > 0 AND done > 1000",
	'a refresh of timelines reads');
cancel('refresh_timelines');
begin($user, "SELECT count(*) FROM timelines('SELECT slow(customer_id), ts, name FROM event')");
seen("command = 'timelines' AND target IS NULL AND phase = 'reading events' AND total >= 200000 AND done > 1000", 'timelines of a query read');
cancel('timelines');

# Training
begin($user, q{SELECT train('churn', 'boosted_trees', 'SELECT amount, slow(id) AS id, id % 7 = 0 AS label FROM customer', 'label', '{"trees": 10000}')});
seen("command = 'train' AND target = 'churn' AND phase = 'reading rows' AND unit = 'rows' AND total >= 200000 AND done > 1000", 'a training reads');
cancel('train');
begin($user, q{SELECT train('churn', 'boosted_trees', 'SELECT amount, id, id % 7 = 0 AS label FROM customer', 'label', '{"trees": 10000, "depth": 10}')});
seen("command = 'train' AND target = 'churn' AND phase = 'growing trees' AND unit = 'trees' AND total = 10000 AND done > 1",
	'and shows the phases of the aggregate that it calls as its own');
cancel('train');

# Reports: steps from SQL.  What runs within shows its phases, and an error that is caught leaves what was shown.
query("SELECT replace_tag('slow', '10 / (slow(id) - 30000) > 0', population => 'bank')");
begin($user, q{
	DO $$
	BEGIN
		PERFORM show_progress('segments', 1, 3, 'report', '人群');
		PERFORM wait_for(2);
		BEGIN
			PERFORM refresh_tags('bank');
		EXCEPTION WHEN division_by_zero THEN
			PERFORM show_progress('scores', 2, 3, 'report', '人群');
		END;
		PERFORM wait_for(3);
		PERFORM show_progress('done', 3, 3, 'report', '人群');
		PERFORM wait_for(4);
	END $$});
seen("command = 'report' AND target = '人群' AND phase = 'segments' AND done = 1 AND total = 3 AND unit = 'steps'", 'a report tells its steps');
query('CREATE DATABASE other');
$node->safe_psql('other', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm');
is($node->safe_psql('other', 'SELECT command, target, phase FROM crm.progress'), 'report||segments',
	'names that may be of another encoding are not shown in another database');
query('INSERT INTO step VALUES (2)');
seen("command = 'report' AND target = '人群' AND phase = 'evaluating rules' AND unit = 'customers'", 'a refresh within it shows its phases');
seen("command = 'report' AND target = '人群' AND phase = 'scores' AND done = 2", 'and after an error that was caught the report is shown again');
query('INSERT INTO step VALUES (3)');
ok($node->poll_query_until('postgres', 'SELECT count(*) = 0 FROM progress'), 'its last step ends it');
query('INSERT INTO step VALUES (4)');
is(finish(), "shown: 0\n", 'nothing is shown after it');

begin($user, q{
	DO $$
	BEGIN
		PERFORM show_progress('segments', 1, 3);
		BEGIN
			PERFORM show_progress('within', 1, 2);
			PERFORM refresh_tags('bank');
		EXCEPTION WHEN division_by_zero THEN
			NULL;
		END;
		PERFORM wait_for(5);
	END $$}, 'SELECT 1/0');
seen("command = 'report' AND target IS NULL AND phase = 'within' AND done = 1 AND total = 2", 'without a step after it, its last one is');
query('INSERT INTO step VALUES (5)');
like(finish(), qr/^shown: 0\n.*division by zero/s, 'a report that forgets to end, ends with its transaction');
is(query("SET crm.x = 1; SELECT show_progress('a', 1, 2); SELECT count(*) FROM progress"), "\n0", 'as do others');
is($node->psql('postgres', "SELECT show_progress('a', -1, 2)", stderr => \$err), 3, 'steps are not negative');

# The report itself, while it cannot read the sets.
($out, $err) = ('', '');
$keeper = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'BEGIN; LOCK TABLE crm.tag_set; SELECT wait_for(6)' ], '>', \$out, '2>', \$err);
ok($node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'crm.tag_set'::regclass AND mode = 'AccessExclusiveLock' AND granted)"),
	'the table of sets is locked');
begin($user, "SELECT length(report('bank')) > 1000");
seen("command = 'report' AND target = 'bank' AND phase = 'overview' AND done = 0 AND total = 6 AND unit = 'steps'", 'a report tells its sections');
query('INSERT INTO step VALUES (6)');
$keeper->finish;
is(finish(), "t\nshown: 0\n", 'and nothing when it is written');

# Within a command of the server's that shows its own progress, ours is not shown.
query("SELECT replace_tag('slow', 'slow(id) % 2 = 0', population => 'bank')");
begin($user, "COPY (SELECT refresh_tags('bank')) TO STDOUT");
ok($node->poll_query_until('postgres', 'SELECT count(*) = 1 FROM pg_stat_progress_copy'), 'COPY shows itself');
is(query('SELECT count(*) FROM progress'), '0', 'and not the refresh within');
query('SELECT pg_cancel_backend(pid) FROM pg_stat_progress_copy');
like(finish(), qr/shown: 0.*canceling statement/s, 'COPY ends as ever');

$node->stop;
done_testing();
