# Explanations of random rules over random events, against brute force.
#
# Each rule is written twice: over the timeline, and as plain SQL over the rows
# of events.  Every suggestion is carried out by INSERT or DELETE of rows and must
# give what it promises by the plain form; one event fewer than suggested, a
# value just beside the bound, and every single deletion must not.  Since and
# until are asked of the plain form at these moments and around them.
#
# CRM_SEED repeats a run, CRM_ROUNDS makes more of them.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{CRM_SEED} // 20261129;
my $rounds = $ENV{CRM_ROUNDS} // 3;
my @zones = ('UTC', 'America/New_York', 'Asia/Shanghai');
my $rules_of_a_round = 30;
my $customers_of_a_rule = 3;

my $node = PostgreSQL::Test::Cluster->new('explain_events_property');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;
srand($seed);
note("seed $seed");

sub run
{
	my ($zone, @statements) = @_;
	my $sql = join("\n", 'SET client_min_messages = warning; SET search_path = crm, public;', "SET TimeZone = '$zone';", @statements);
	my ($out, $errors);

	$node->psql('postgres', $sql, stdout => \$out, stderr => \$errors);
	diag($errors) if $errors ne '';
	BAIL_OUT('a statement failed') if $errors =~ /ERROR/;
	return $out;
}

sub pick { return $_[ int(rand(@_)) ]; }

# A selector, and the condition on a row of events that means the same.
sub selector
{
	return pick(
		[ "'order'", "what = 'order'" ], [ "'visit'", "what = 'visit'" ], [ 'NULL', 'true' ],
		[ "'order[channel=app]'", "what = 'order' AND channel = 'app'" ],
		[ "'order[value>=50]'", "what = 'order' AND amount >= 50" ],
		[ "'*[channel=web]'", "channel = 'web'" ]);
}

# since and until: an expression of as_of each, or none.
sub range
{
	my $since = pick('NULL', 'NULL', "as_of - interval '30 days'", "as_of - interval '3 months'", "as_of - interval '720 hours'", "date_trunc('month', as_of)", "as_of::date - 20");
	my $until = pick('NULL', 'NULL', 'NULL', "as_of - interval '2 days'");

	return ($since, $until);
}

sub measure
{
	my ($event, $condition) = @{ selector() };
	my ($since, $until) = range();
	my $where = "customer = c.id AND at <= as_of AND $condition" . ($since eq 'NULL' ? '' : " AND at >= ($since)::timestamptz") . ($until eq 'NULL' ? '' : " AND at < ($until)::timestamptz");
	my $arguments = "timeline, $event, $since, $until";

	return pick(
		sub { my $n = int(rand(6)); my $op = pick('>=', '>', '<', '<=', '=', '<>'); ("event_count($arguments) $op $n", "(SELECT count(*) FROM event WHERE $where) $op $n") },
		sub { my $n = pick(0, 50, 100, 150.5, 300); my $op = pick('>=', '>', '<', '<='); ("event_sum($arguments) $op $n", "(SELECT coalesce(sum(amount::numeric), 0)::float8 FROM event WHERE $where) $op $n") },
		sub { my $days = pick(5, 20, 60); my $op = pick('>=', '<'); my $f = pick('first', 'last');
			("${f}_event(timeline, $event) $op as_of - interval '$days days'",
				'(SELECT ' . ($f eq 'first' ? 'min' : 'max') . "(at) FROM event WHERE customer = c.id AND at <= as_of AND $condition) $op as_of - interval '$days days'") },
		sub { my $n = 1 + int(rand(4)); my $op = pick('>=', '<'); ("active_days($arguments) $op $n", "(SELECT count(DISTINCT (at AT TIME ZONE 'UTC')::date) FROM event WHERE $where) $op $n") })->();
}

# Conditions joined, those over columns among them.
sub rule
{
	my ($depth) = @_;
	my (@timeline, @plain);

	if ($depth == 0)
	{
		return (pick("city = 'Oslo'", 'grade > 2', 'city IS NULL')) x 2 if rand() < 0.15;
		return measure();
	}
	for (1 .. 2)
	{
		my ($t, $p) = rule($depth - 1);
		push @timeline, "($t)";
		push @plain, "($p)";
	}
	my $op = pick(' AND ', ' OR ', ' AND ');
	my ($t, $p) = (join($op, @timeline), join($op, @plain));
	return rand() < 0.15 ? ("NOT ($t)", "NOT ($p)") : ($t, $p);
}

run('UTC', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm;', <<'SQL');
CREATE TABLE public.people (id int PRIMARY KEY, city text, grade int NOT NULL);
INSERT INTO public.people SELECT n, (ARRAY['Oslo', 'Rome', NULL])[1 + n % 3], n % 5 FROM generate_series(1, 60) n;
CREATE TABLE public.event (event_id serial, customer int, at timestamptz, what text, amount float8, channel text);
INSERT INTO public.event (customer, at, what, amount, channel)
SELECT 1 + (n * 7919 % 60) * (n * 31 % 60) / 60, date_trunc('second', now()) - (n * 104729 % 9000) * interval '37 minutes' + (n % 13 = 0)::int * interval '300 days',
	(ARRAY['order', 'visit', 'order', 'call'])[1 + n % 4], CASE WHEN n % 4 IN (0, 2) AND n % 7 > 0 THEN (n * 37 % 400) / 4.0 END, (ARRAY['app', 'web', NULL])[1 + n % 3]
FROM generate_series(1, 420) n;
CREATE INDEX ON public.event (customer);
SELECT create_population('people', 'public.people', 'id', events => 'public.event', event_key => 'customer', event_time => 'at', event_name => 'what',
	event_value => 'amount', event_attributes => '{channel}');
SELECT count(*) FROM refresh_timelines('people');

-- What the plain form says, at a moment.
CREATE FUNCTION public.plain(rule text, customer_id int, moment timestamptz DEFAULT now()) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE answer boolean;
BEGIN
	EXECUTE format('SELECT (%s) IS TRUE FROM public.people c, (SELECT %L::timestamptz AS as_of) m WHERE id = %s', rule, moment, customer_id) INTO answer;
	RETURN answer;
END $$;
-- What it would say after something was done, which is undone.
CREATE FUNCTION public.after(rule text, customer_id int, done text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE answer boolean;
BEGIN
	BEGIN
		EXECUTE done;
		answer := public.plain(rule, customer_id);
		RAISE EXCEPTION USING ERRCODE = 'ZZZZZ';
	EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN NULL;
	END;
	RETURN answer;
END $$;
-- n events of a kind now, the last with a value.
CREATE FUNCTION public.adding(customer_id int, n int, kind text, amount float8) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN n = 0 THEN 'SELECT' ELSE format('INSERT INTO public.event (customer, at, what, amount, channel) SELECT %s, now(), %L, CASE WHEN k = %s AND %L IS NOT NULL THEN %L::float8 WHEN %L THEN 50 END, %L FROM generate_series(1, %s) k',
		customer_id, CASE WHEN kind ~ '^(order|visit)' THEN substring(kind FROM '^\w+') ELSE 'something' END, n, amount, amount, kind ~ 'value>=50',
		CASE WHEN kind ~ 'channel=app' THEN 'app' WHEN kind ~ 'channel=web' THEN 'web' END, n) END $$;

CREATE FUNCTION public.wrong(tag_name text, rule text, plain_rule text, customer_id int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	now_is boolean := public.plain(plain_rule, customer_id);
	r record; m text[]; n int; amount float8; done text; checked int := 0; moments int := 0; bound text[]; times timestamptz[]; several int := 0; sel text; e record; inside float8; outside float8;
BEGIN
	CREATE TEMP TABLE x ON COMMIT DROP AS SELECT row_number() OVER () AS place, t.* FROM crm.explain_tag(customer_id, tag_name) t;
	IF NOT EXISTS (SELECT FROM x WHERE x.part = 'now' AND value = now_is::text) THEN RETURN NEXT 'it says otherwise now'; END IF;
	FOR r IN SELECT * FROM x WHERE x.part = 'change' LOOP
		IF (r.detail = 'true') = now_is THEN RETURN NEXT 'no change: ' || r.value; END IF;
		-- events more
		m := regexp_match(r.value, '^(\d+) more events?(?: (order\S*|visit\S*|\*\S*|of another name))?(?:,? (?:one )?of (.*))?$');
		IF m IS NOT NULL THEN
			n := m[1]; checked := checked + 1; amount := NULL;
			IF m[3] IS NOT NULL THEN
				bound := regexp_match(m[3], '^(at least|at most|more than|less than)? ?(\S+)');
				amount := bound[2];
				inside := CASE bound[1] WHEN 'more than' THEN amount + abs(amount) * 1e-11 + 1e-11 WHEN 'less than' THEN amount - abs(amount) * 1e-11 - 1e-11 ELSE amount END;
				outside := CASE WHEN amount >= 0 THEN amount - abs(amount) * 1e-9 - 1e-9 ELSE amount + abs(amount) * 1e-9 + 1e-9 END;
				IF amount <> 0 AND public.after(plain_rule, customer_id, public.adding(customer_id, n, coalesce(m[2], ''), outside)) <> now_is THEN
					RETURN NEXT format('a value nearer to zero does: %s, %s', r.value, outside);
				END IF;
				amount := inside;
			END IF;
			IF public.after(plain_rule, customer_id, public.adding(customer_id, n, coalesce(m[2], ''), amount)) = now_is THEN
				RETURN NEXT format('does nothing: %s', r.value);
			END IF;
			IF public.after(plain_rule, customer_id, public.adding(customer_id, n - 1, coalesce(m[2], ''), NULL)) <> now_is THEN
				RETURN NEXT format('one fewer does: %s', r.value);
			END IF;
			CONTINUE;
		END IF;
		-- one event fewer, by its time
		m := regexp_match(r.value, '^without the event .* of (\S+ \S+)$');
		IF m IS NOT NULL AND r.value !~ '^without the \d+ ' THEN
			checked := checked + 1;
			IF NOT EXISTS (SELECT FROM public.event ev WHERE ev.customer = customer_id AND ev.at = m[1]::timestamptz AND
				public.after(plain_rule, customer_id, format('DELETE FROM public.event WHERE event_id = %s', ev.event_id)) <> now_is) THEN
				RETURN NEXT format('does nothing: %s', r.value);
			END IF;
			CONTINUE;
		END IF;
		-- several, by their place among those shown; that one fewer does nothing, too
		m := regexp_match(r.value, '^without (the|all) (\d+) (newest|oldest|largest)? ?events of (.*)$');
		IF m IS NOT NULL THEN
			n := m[2];
			SELECT array_agg(ev.detail::timestamptz ORDER BY ev.place) INTO times FROM x me, x ev WHERE me.part = 'measure' AND me.detail = m[4] AND ev.place > me.place AND ev.part = 'event' AND
				NOT EXISTS (SELECT FROM x o WHERE o.place > me.place AND o.place < ev.place AND o.part <> 'event');
			IF m[3] = 'largest' OR EXISTS (SELECT FROM x WHERE x.part = 'events before') THEN CONTINUE; END IF;
			checked := checked + 1;
			FOR k IN n - 1 .. n LOOP
				done := format('DELETE FROM public.event WHERE customer = %s AND at = ANY (%L::timestamptz[])', customer_id,
					CASE WHEN m[1] = 'all' AND k = n THEN times WHEN m[3] = 'oldest' THEN times[array_length(times, 1) - k + 1:] ELSE times[1:k] END);
				IF (public.after(plain_rule, customer_id, done) <> now_is) <> (k = n) THEN
					RETURN NEXT format('%s: without %s', r.value, k);
				END IF;
			END LOOP;
			several := several + 1;
			CONTINUE;
		END IF;
		IF r.value !~ '^(city|grade) from ' THEN RETURN NEXT 'not understood: ' || r.value; END IF;
	END LOOP;
	-- Where no single event's deletion is suggested, none does; where nothing is suggested of more events, up to four do not.
	IF NOT EXISTS (SELECT FROM x WHERE x.part = 'change' AND value LIKE 'without the event %') AND NOT EXISTS (SELECT FROM x WHERE x.part = 'change not known') THEN
		FOR e IN SELECT event_id FROM public.event ev WHERE ev.customer = customer_id AND ev.at <= now() LOOP
			checked := checked + 1;
			IF public.after(plain_rule, customer_id, format('DELETE FROM public.event WHERE event_id = %s', e.event_id)) <> now_is THEN
				RETURN NEXT format('without event %s it is otherwise', e.event_id);
			END IF;
		END LOOP;
	END IF;
	FOREACH sel IN ARRAY ARRAY['order', 'visit', 'order[channel=app]', 'order[value>=50]', '*[channel=web]'] LOOP
		IF position(sel || '''' IN rule) > 0 AND NOT EXISTS (SELECT FROM x WHERE x.part = 'change' AND position(' ' || sel IN value || ' ') > 0 AND value LIKE '%more event%') AND
			NOT EXISTS (SELECT FROM x WHERE x.part = 'change not known') THEN
			FOR k IN 1 .. 4 LOOP
				checked := checked + 1;
				IF public.after(plain_rule, customer_id, public.adding(customer_id, k, sel, NULL)) <> now_is THEN
					RETURN NEXT format('%s more %s do', k, sel);
				END IF;
			END LOOP;
		END IF;
	END LOOP;
	-- The clock: at the moments and in between.
	FOR r IN SELECT x.part, value::timestamptz AS moment FROM x WHERE x.part IN ('since', 'until') AND value IS NOT NULL LOOP
		moments := moments + 1;
		IF (public.plain(plain_rule, customer_id, r.moment - interval '1 microsecond') = now_is) = (r.part = 'since') OR
			(public.plain(plain_rule, customer_id, r.moment) = now_is) = (r.part = 'until') THEN
			RETURN NEXT format('%s %s is not so', r.part, r.moment);
		END IF;
	END LOOP;
	FOR r IN SELECT CASE WHEN u.value IS NULL THEN now() + k * k * interval '8 hours' ELSE now() + (u.value::timestamptz - now()) * (k / 60.0) END AS moment
		FROM x u, generate_series(0, 59) k WHERE u.part = 'until' AND u.detail NOT LIKE 'cannot%'
		UNION ALL
		SELECT CASE WHEN s.value IS NULL THEN now() - k * k * interval '8 hours' ELSE now() - (now() - s.value::timestamptz) * (k / 60.0) END
		FROM x s, generate_series(0, 59) k WHERE s.part = 'since' AND s.detail NOT LIKE 'cannot%'
	LOOP
		IF public.plain(plain_rule, customer_id, r.moment) <> now_is THEN
			RETURN NEXT format('at %s it is otherwise', r.moment);
		END IF;
	END LOOP;
	RETURN NEXT format('counted: %s %s %s', checked, moments, several);
END $$;
SQL

my ($checked, $moments, $several) = (0, 0, 0);
for my $round (0 .. $rounds - 1)
{
	my $zone = $zones[ $round % @zones ];
	my $sql = '';
	my @wrong;

	for my $n (1 .. $rules_of_a_round)
	{
		my ($rule, $plain) = rule($n % 3);

		next if $rule !~ /timeline/;
		$sql .= "SELECT crm.create_tag('r${round}_$n', \$rule\$$rule\$rule\$);\n";
		for (1 .. $customers_of_a_rule)
		{
			my $id = 1 + int(rand(60));
			$sql .= "SELECT 'r${round}_$n', $id, \$rule\$$rule\$rule\$, w FROM public.wrong('r${round}_$n', \$rule\$$rule\$rule\$, \$rule\$$plain\$rule\$, $id) w;\n";
		}
	}
	for my $line (split /\n/, run($zone, $sql))
	{
		if ($line =~ /\|counted: (\d+) (\d+) (\d+)$/)
		{
			$checked += $1;
			$moments += $2;
			$several += $3;
		}
		elsif ($line ne '')
		{
			push @wrong, "$line\n";
		}
	}
	is(scalar @wrong, 0, "round $round, $zone: explanations agree with brute force") or diag(@wrong[ 0 .. ($#wrong < 30 ? $#wrong : 30) ]);
}
note("$checked checks, $moments moments, $several times several events");
cmp_ok($checked, '>', $rounds * 200, 'enough was tried');
cmp_ok($moments, '>', $rounds * 5, 'enough moments were checked');
cmp_ok($several, '>', 0, 'several events were left out');

$node->stop;
done_testing();
