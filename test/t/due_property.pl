# When can a rule change by the clock?  Random rules over random rows, at times
# around changes of the clock, ends of months and leap days, in several zones:
# before the instant that tag_due_at names, the rule must say what it said at
# first.  It is evaluated in plain SQL at many moments before.
#
# CRM_SEED repeats a run, CRM_ROUNDS makes more of them.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{CRM_SEED} // 20261128;
my $rounds = $ENV{CRM_ROUNDS} // 8;
my @moments = (
	[ 'Europe/Berlin', '2026-03-28 20:17:31' ], [ 'America/New_York', '2026-10-31 13:00:00' ], [ 'UTC', '2028-02-28 10:00:00' ],
	[ 'Asia/Shanghai', '2026-01-30 23:59:59.5' ], [ 'Australia/Lord_Howe', '2026-04-04 18:00:00' ], [ 'America/Havana', '2026-11-01 00:30:00' ],
	[ 'Asia/Beirut', '2026-03-28 21:00:00' ], [ 'Asia/Kolkata', '2027-12-31 12:00:00' ], [ 'Pacific/Apia', '2026-02-27 00:00:00' ],
	[ 'America/Sao_Paulo', '2026-08-29 03:00:00' ]);

my $node = PostgreSQL::Test::Cluster->new('due_property');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;
srand($seed);
note("seed $seed");

sub one { return $_[ int(rand(@_)) ]; }
sub between { my ($low, $high) = @_; return $low + int(rand($high - $low + 1)); }

sub width
{
	return one(
		sub { between(1, 90) . ' days' }, sub { between(1, 14) . ' months' }, sub { between(1, 200) . ' hours' },
		sub { between(1, 3) . ' years' }, sub { between(1, 400) . ' days ' . one('6 hours', '90 minutes', '15 minutes', '7 minutes') },
		sub { between(1, 3) . ' months ' . between(1, 10) . ' days' }, sub { between(1, 3) . ' weeks' })->();
}

sub time_value { return one('ts', 'd', 'birth', 'local_ts', 'ts', "(ts + interval '" . width() . "')", 'COALESCE(ts, d)'); }
sub compare { return one('<', '<=', '>', '>=', '<', '>', '=', '<>'); }

sub moved
{
	return one(
		sub { 'as_of' }, sub { "as_of - interval '" . width() . "'" }, sub { "as_of + interval '" . width() . "'" },
		sub { 'as_of - span' }, sub { "as_of - make_interval(days => n)" })->();
}

sub event { return one("'order'", "'visit'", 'NULL', "'order[value>50]'"); }

sub window
{
	return one(
		sub { moved_constant() }, sub { moved_constant() . ', as_of' }, sub { "as_of - interval '60 days', as_of - interval '" . between(1, 59) . " days'" },
		sub { "date_trunc('" . one('month', 'week', 'day') . "', as_of)" }, sub { "(as_of::date - " . between(1, 60) . ")::timestamptz" })->();
}
sub moved_constant { return one("as_of - interval '" . width() . "'", "as_of - interval '" . between(1, 90) . " days'", 'as_of - span'); }

sub leaf
{
	my ($events) = @_;
	my @kinds = (
		sub { time_value() . ' ' . compare() . ' ' . moved() },
		sub { moved() . ' ' . compare() . ' ' . time_value() },
		sub { 'd ' . compare() . ' as_of::date - ' . between(-40, 400) },
		sub { 'as_of::date - d ' . compare() . ' ' . between(0, 400) },
		sub { "to_char(birth, 'MM-DD') = to_char(as_of" . one('', " + interval '7 days'") . ", 'MM-DD')" },
		sub { 'extract(month FROM birth) = extract(month FROM as_of) AND extract(day FROM birth) = extract(day FROM as_of)' },
		sub { 'extract(' . one('year', 'month', 'dow', 'hour', 'week', 'quarter', 'doy') . ' FROM as_of) ' . compare() . ' n' },
		sub { 'as_of - ts ' . compare() . " interval '" . width() . "'" },
		sub { 'extract(' . one('epoch', 'day') . ' FROM as_of - ts) ' . compare() . ' ' . between(1, 300) * one(1, 86400) },
		sub { 'extract(year FROM age(as_of, birth)) ' . compare() . ' ' . between(18, 60) },
		sub { 'age(as_of::date, birth) ' . compare() . " interval '" . between(18, 60) . " years'" },
		sub { 'age(as_of, ts) ' . compare() . " interval '" . width() . "'" },
		sub { "date_trunc('" . one('month', 'day', 'year', 'week', 'quarter', 'hour') . "', as_of) " . compare() . ' ' . time_value() },
		sub { "(as_of AT TIME ZONE '" . one('Asia/Tokyo', 'America/Lima', 'Europe/London') . "')::" . one('date', 'timestamp') . ' ' . compare() . ' ' . one('d', 'local_ts') },
		sub { 'as_of BETWEEN ts AND ts + span' },
		sub { "as_of <@ tstzrange(least(ts, ts + span), greatest(ts, ts + span))" },
		sub { "(as_of - interval '" . one('6 hours', '1 day', '1 month', '30 minutes') . "')::date " . compare() . ' d' },
		sub { 'n ' . compare() . ' ' . between(0, 12) },
		sub { 'extract(dow FROM as_of) IN (' . join(', ', map { between(0, 6) } 1 .. 2) . ')' },
		sub { 'make_date(extract(year FROM as_of)::int, 3, 1) - as_of::date < n * 30' },
		sub { 'extract(day FROM (d - interval \'1 month\'))::int - extract(day FROM as_of)::int < n' });
	my @questions = (
		sub { 'crm.event_count(timeline, ' . event() . ', ' . window() . ') ' . compare() . ' ' . between(0, 3) },
		sub { 'crm.event_sum(timeline, ' . event() . ', ' . window() . ') ' . compare() . ' ' . between(0, 200) },
		sub { 'crm.last_event(timeline, ' . event() . ') ' . compare() . ' ' . moved() },
		sub { 'as_of - crm.last_event(timeline, ' . event() . ") > interval '" . width() . "'" },
		sub { 'crm.active_days(timeline, ' . event() . ', ' . window() . ') ' . compare() . ' ' . between(0, 3) },
		sub { 'crm.event_count(crm.timeline_slice(timeline, ' . window() . '), ' . event() . ') ' . compare() . ' ' . between(0, 3) },
		sub { 'crm.overdue(timeline, ' . event() . ', as_of)' },
		sub { 'crm.decayed_count(timeline, interval \'' . between(1, 60) . ' days\', ' . event() . ', as_of) ' . compare() . ' ' . between(1, 30) / 10 },
		sub { '(crm.rhythm(timeline, ' . event() . ', as_of)).expected_at ' . compare() . ' ' . moved() },
		sub { '((crm.trend(timeline, ' . event() . ", '" . one('month', 'week', 'day') . "', 12, NULL, as_of)).total) " . compare() . ' ' . between(0, 300) },
		sub { 'crm.event_count(timeline, ' . event() . ') ' . compare() . ' ' . between(1, 8) });
	return $events && rand() < 0.6 ? one(@questions)->() : one(@kinds)->();
}

sub rule
{
	my ($events, $depth) = @_;
	return leaf($events) if $depth == 0 || rand() < 0.4;
	my @parts = map { '(' . rule($events, $depth - 1) . ')' } 1 .. 2;
	return one(
		sub { "$parts[0] AND $parts[1]" }, sub { "$parts[0] OR $parts[1]" }, sub { "NOT $parts[0]" },
		sub { "CASE WHEN $parts[0] THEN $parts[1] ELSE n > 3 END" }, sub { "COALESCE($parts[0], $parts[1])" },
		sub { "($parts[0]) IS NOT TRUE" }, sub { "($parts[0]) IS NULL" })->();
}

sub run { my ($zone, $sql) = @_; return $node->safe_psql('postgres', "SET client_min_messages = warning; SET search_path = crm, public; SET TimeZone = '$zone';\n$sql"); }

run('UTC', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm;');

my $rules = 0;
my $near = 0;
my $asked = 0;
for my $round (0 .. $rounds - 1)
{
	my ($zone, $local) = @{ $moments[ $round % @moments ] };

	# Values close to where rules change: around as_of, a month or a year away from it.
	my $rows = 150;
	my @values;
	for my $id (1 .. $rows)
	{
		my $near = sub {
			return 'NULL' if rand() < 0.06;
			return "'" . one('infinity', '-infinity') . "'" if $_[0] && rand() < 0.1;
			my $seconds = one(between(-3, 3) * 86400, between(-100, 100) * 86400, between(-3000, 100) * 3600, between(-60, 60) * 60, between(-40000000, 4000000), between(-12, 2) * 30 * 86400);
			return "as_of + interval '$seconds seconds'";
		};
		my $ts = $near->();
		my $d = $near->();
		my $span = rand() < 0.05 ? 'NULL' : "interval '" . width() . "'";
		push @values, "SELECT $id AS id, ($ts)::timestamptz AS ts, ($d)::timestamptz::date AS d, (as_of - interval '" . between(10, 70) . " years' + interval '" .
			between(-400, 400) . " days')::date AS birth, (" . $near->(1) . ")::timestamptz::timestamp AS local_ts, $span AS span, " . (rand() < 0.05 ? 'NULL' : between(0, 12)) . "::int AS n FROM m";
	}
	run($zone, "DROP TABLE IF EXISTS public.people; CREATE TABLE public.people AS WITH m AS (SELECT '$local'::timestamptz AS as_of) " . join("\nUNION ALL\n", @values) . ';' .
		"UPDATE people SET birth = make_date(1996, 2, 29) WHERE id % 17 = 0;" .
		"ALTER TABLE people ADD all_events crm.timeline; SELECT setseed(" . rand() . ");" .
		"UPDATE people p SET all_events = t FROM (SELECT id, timeline_agg('$local'::timestamptz + (random() * 120 - 110) * interval '1 day', (ARRAY['order', 'visit'])[1 + (random() > 0.5)::int], random() * 100) AS t " .
		"FROM people, generate_series(1, 1 + id % 9) WHERE id % 10 > 0 GROUP BY id) e WHERE e.id = p.id; UPDATE people SET all_events = '[]' WHERE all_events IS NULL;");

	my $sql = '';
	my %rules;
	for my $n (1 .. 60)
	{
		my $events = $n % 2;
		my $rule = rule($events, 2);
		my $stored = $rule;
		$stored =~ s/\bas_of\b/\$1/g;
		$stored =~ s/\btimeline\b/\$2/g;
		$rules{$n} = $rule;
		# What is too late would show at the last moment before; what comes and goes, at midnights, quarters and at random.
		$sql .= <<SQL;
INSERT INTO outcome WITH m AS MATERIALIZED (SELECT '$local'::timestamptz AS as_of), due AS MATERIALIZED (
	SELECT p.*, m.as_of AS first, tag_due_at('public.people', ARRAY[\$rule\$$stored\$rule\$], '{1,2,3,4,5,6,7,8}', '$local'::timestamptz, timeline_slice(all_events, NULL, m.as_of + '1 us'),
		first_event(all_events, NULL, m.as_of + '1 us'), id, ts, d, birth, local_ts, span, n, all_events) AS next FROM people p, m),
moments AS (
	SELECT due.*, at FROM due, LATERAL (SELECT least(coalesce(next, 'infinity'), first + interval '420 days') AS limit) l, LATERAL (
		SELECT first UNION SELECT l.limit - interval '1 us' UNION SELECT l.limit - interval '1 second' UNION SELECT first + interval '1 us' UNION SELECT first + (l.limit - first) * random() FROM generate_series(1, 6)
		UNION SELECT (first::date + i)::timestamptz + o * interval '1 us' FROM generate_series(1, 60) i, generate_series(-1, 0) o
		UNION SELECT date_trunc('hour', first) + i * interval '15 minutes' FROM generate_series(1, 220) i) a (at) WHERE at >= first AND at < l.limit),
said AS (SELECT customer.id, customer.at, customer.first, customer.next, ($rule) AS says FROM moments AS customer, LATERAL (SELECT customer.at AS as_of, timeline_slice(all_events, NULL, at + '1 us') AS timeline OFFSET 0) t)
SELECT $n, count(DISTINCT a.id) FILTER (WHERE b.says IS DISTINCT FROM a.says AND (a.says IS TRUE OR b.says IS TRUE)), count(DISTINCT a.id) FILTER (WHERE a.next <= a.first),
	count(DISTINCT a.id) FILTER (WHERE a.next < a.first + interval '1 hour'), count(DISTINCT a.id), min(a.id) FILTER (WHERE b.says IS DISTINCT FROM a.says AND (a.says IS TRUE OR b.says IS TRUE))
FROM said a JOIN said b USING (id) WHERE a.at = a.first;
SQL
	}
	my $result = run($zone, "CREATE TEMP TABLE outcome (n int, late int, past int, near int, customers int, example int);\n$sql SELECT n, late, past, near, customers, example FROM outcome ORDER BY n;");
	my @wrong;
	for my $line (split /\n/, $result)
	{
		my ($n, $late, $past, $soon, $customers, $example) = split /\|/, $line;
		$rules++;
		$near += $soon;
		$asked += $customers;
		push @wrong, "$late of $customers too late, $past not behind as_of, such as $example: $rules{$n}" if $late > 0 || $past > 0 || $customers != 150;
	}
	is(scalar(@wrong), 0, "round $round, $zone, $local: nothing changes before it is due") or diag(join("\n", @wrong));
}
is($rules, $rounds * 60, 'all rules were asked');
# Due all the time would be no lie, but no use either.
cmp_ok($near, '<', 0.15 * $asked, "few are due within an hour: $near of $asked");
note("$near of $asked due within an hour");

$node->stop;
done_testing();
