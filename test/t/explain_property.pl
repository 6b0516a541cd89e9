# Explanations of random rules for random customers, against brute force.
#
# Every change that explain_tag suggests is made by UPDATE and must give the
# result that it promises; and of many values tried in every column none that
# lies nearer gives another result, nor does any in a column for which nothing
# is suggested.  Since and until are checked by evaluating the rule at these
# moments and around them.
#
# CRM_SEED repeats a run, CRM_ROUNDS makes more of them.
use strict;
use warnings;
use utf8;

use FindBin;
use lib "$FindBin::RealBin/lib";

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use RandomRules;
use Test::More;

my $seed = $ENV{CRM_SEED} // 20261122;
my $rounds = $ENV{CRM_ROUNDS} // 4;
my @zones = ('UTC', 'America/New_York', 'Asia/Shanghai', 'Europe/Lisbon');
my $rules_of_a_round = 40;
my $customers_of_a_rule = 3;

my $node = PostgreSQL::Test::Cluster->new('explain_property');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->start;

srand($seed);
note("seed $seed");

sub run
{
	my ($zone, @statements) = @_;
	my $sql = join("\n", 'SET client_min_messages = warning; SET search_path = crm, public;', "SET TimeZone = '$zone';", @statements);
	utf8::encode($sql);
	my ($out, $errors);

	$node->psql('postgres', $sql, stdout => \$out, stderr => \$errors);
	diag($errors) if $errors ne '';
	BAIL_OUT('a statement failed') if $errors =~ /ERROR/;
	utf8::decode($out);
	return $out;
}

run('UTC', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm;', RandomRules::table('public.people', 300),
	"SELECT crm.create_population('people', 'public.people', 'id');",
	'CREATE TABLE public.candidates (column_name text, value text);',
	map {
		my $column = $_;
		my $name = $column =~ s/"//gr;
		map { "INSERT INTO public.candidates SELECT '$name', ($_)::text;" } RandomRules::pool($column)
	} RandomRules::columns());

# What the table's own values and their neighbours add to the candidates; and the checks themselves.
run('UTC', <<'SQL');
INSERT INTO public.candidates
SELECT c.column_name, n.value FROM public.candidates c,
	LATERAL (SELECT CASE
		WHEN c.column_name IN ('i4', 'age') AND c.value::bigint BETWEEN -2147483647 AND 2147483646 THEN (c.value::bigint + s)::text
		WHEN c.column_name = 'n2' AND c.value::numeric BETWEEN -9999999998 AND 9999999998 THEN (c.value::numeric + s * 0.01)::text
		WHEN c.column_name = 'n' AND abs(c.value::numeric) < 1e30 THEN (c.value::numeric + s * 1e-25)::text
		WHEN c.column_name = 'f8' AND abs(c.value::float8) < 1e15 THEN (c.value::float8 + s * 1e-9)::text
		WHEN c.column_name = 'd' AND c.value::date BETWEEN '1900-01-01' AND '2100-01-01' THEN (c.value::date + s)::text
		WHEN c.column_name = 'ts' AND c.value::timestamp BETWEEN '1900-01-01' AND '2100-01-01' THEN (c.value::timestamp + s * interval '1 microsecond')::text
		WHEN c.column_name = 'tz' AND c.value::timestamptz BETWEEN '1900-01-01' AND '2100-01-01' THEN (c.value::timestamptz + s * interval '1 microsecond')::text
		END AS value FROM (VALUES (1), (-1)) v (s)) n
WHERE n.value IS NOT NULL;
INSERT INTO public.candidates SELECT DISTINCT column_name, 'zz' FROM public.candidates WHERE column_name IN ('t', 'v', 'c', 'Mixed 列');
INSERT INTO public.candidates SELECT DISTINCT column_name, NULL FROM public.candidates;

-- What the rule says of the row, by plain SQL.
CREATE FUNCTION public.result(rule text, customer_id bigint, is_text boolean, moment timestamptz DEFAULT now()) RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
	EXECUTE format('SELECT %s FROM public.people AS customer, (SELECT %L::timestamptz AS as_of) t WHERE id = %s',
		CASE WHEN is_text THEN format('(%s)::text', rule) ELSE format('((%s) IS TRUE)::text', rule) END, moment, customer_id) INTO answer;
	RETURN answer;
END $$;

-- What it would say with another value; NULL in "failed" where that is no value of the column.
CREATE FUNCTION public.result_with(rule text, customer_id bigint, is_text boolean, column_name text, value text, OUT answer text) LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		EXECUTE format('UPDATE public.people SET %I = %L WHERE id = %s', column_name, value, customer_id);
		answer := public.result(rule, customer_id, is_text);
		RAISE EXCEPTION USING ERRCODE = 'ZZZZZ';
	EXCEPTION WHEN SQLSTATE 'ZZZZZ' THEN NULL;
	END;
END $$;

CREATE FUNCTION public.distance(type text, a text, b text) RETURNS numeric LANGUAGE sql AS $$
	SELECT CASE type
		WHEN 'n' THEN abs(a::numeric - b::numeric)
		WHEN 'f' THEN CASE WHEN a::float8::text ~ 'N|I' OR b::float8::text ~ 'N|I' THEN CASE WHEN a = b THEN 0 ELSE 'Infinity'::numeric END ELSE abs(a::float8::numeric - b::float8::numeric) END
		WHEN 'd' THEN CASE WHEN a ~ 'inf' OR b ~ 'inf' THEN CASE WHEN a = b THEN 0 ELSE 'Infinity'::numeric END ELSE abs(a::date - b::date) END
		WHEN 'ts' THEN CASE WHEN a ~ 'inf' OR b ~ 'inf' THEN CASE WHEN a = b THEN 0 ELSE 'Infinity'::numeric END ELSE abs(extract(epoch FROM a::timestamp) - extract(epoch FROM b::timestamp)) END
		WHEN 'tz' THEN CASE WHEN a ~ 'inf' OR b ~ 'inf' THEN CASE WHEN a = b THEN 0 ELSE 'Infinity'::numeric END ELSE abs(extract(epoch FROM a::timestamptz) - extract(epoch FROM b::timestamptz)) END
		END $$;

-- A value of the column just above (1) or below (-1) another.
CREATE FUNCTION public.beside(column_name text, value text, s int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE f float8; r real;
BEGIN
	IF value = 'Infinity' AND s > 0 THEN RETURN 'NaN'; END IF;
	CASE column_name
		WHEN 'd' THEN RETURN CASE WHEN value = 'infinity' THEN '2001-02-03' ELSE (value::date + s)::text END;
		WHEN 'n2' THEN RETURN (value::numeric + s * 0.01)::text;
		WHEN 'n' THEN RETURN (value::numeric + s * 1e-60)::text;
		WHEN 'ts' THEN RETURN CASE WHEN value ~ 'infinity' THEN '2001-02-03' ELSE (value::timestamp + s * interval '1 microsecond')::text END;
		WHEN 'tz' THEN RETURN CASE WHEN value ~ 'infinity' THEN '2001-02-03' ELSE (value::timestamptz + s * interval '1 microsecond')::text END;
		WHEN 'f8' THEN
			f := value::float8;
			RETURN CASE WHEN abs(f) < 1e-290 THEN f + s * 5e-324 ELSE f + s * abs(f) * 2.3e-16 END::text;
		WHEN 'f4' THEN
			r := value::real;
			RETURN CASE WHEN abs(r) < 1e-30 THEN r + s * 1.4e-45::real ELSE (r + s * abs(r) * 1.2e-7)::real END::text;
	END CASE;
END $$;

-- A value that a suggestion allows, the nearest that can be named.
CREATE FUNCTION public.wanted(column_name text, suggestion text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE p text[];
BEGIN
	IF suggestion = 'NULL' THEN RETURN NULL; END IF;
	p := regexp_match(suggestion, '^''(.*)''$');
	IF suggestion !~ '^any value' AND p IS NOT NULL THEN RETURN replace(p[1], '''''', ''''); END IF;
	IF suggestion ~ '^any value' THEN
		RETURN CASE WHEN column_name = 'b' THEN 'true' WHEN column_name IN ('t', 'v', 'c', 'Mixed 列') THEN '~?'
			WHEN column_name IN ('d', 'ts', 'tz') THEN '2001-02-03' ELSE '7' END;
	END IF;
	p := regexp_match(suggestion, '^at (?:least|most) (.*?)(?: and (?:at least|at most|more than|less than) .*)?$');
	IF p IS NOT NULL THEN RETURN p[1]; END IF;
	p := regexp_match(suggestion, '^(more|less) than (.*?)(?: and (?:at least|at most|more than|less than) .*)?$');
	IF p IS NOT NULL THEN RETURN public.beside(column_name, p[2], CASE p[1] WHEN 'more' THEN 1 ELSE -1 END); END IF;
	RETURN suggestion;
END $$;

-- The nearest value that a suggestion names, to measure.
CREATE FUNCTION public.named(suggestion text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce((regexp_match(suggestion, '^(?:at least|at most|more than|less than) (.*?)(?: and (?:at least|at most|more than|less than) .*)?$'))[1], suggestion) $$;

-- All that is wrong with one explanation.
CREATE FUNCTION public.wrong(tag_name text, rule text, customer_id bigint, is_text boolean) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	now_is text := public.result(rule, customer_id, is_text);
	r record; c record; answer text; old text; kind text; suggested text[]; m text[];
	checked int := 0; suggestions int := 0;
BEGIN
	CREATE TEMP TABLE x ON COMMIT DROP AS SELECT * FROM crm.explain_tag(customer_id, tag_name);
	IF NOT EXISTS (SELECT FROM x WHERE part = 'now' AND value IS NOT DISTINCT FROM now_is) THEN
		RETURN NEXT 'it says otherwise now';
	END IF;
	CREATE TEMP TABLE suggestion ON COMMIT DROP AS
	SELECT ordinality AS place, detail AS gives, CASE WHEN value LIKE '"%' THEN 'Mixed 列' ELSE split_part(value, ' ', 1) END AS col,
		regexp_replace(value, '^("[^"]*"|\S+) from (''([^'']|'''')*''|.*?) to ', '') AS change
	FROM (SELECT *, row_number() OVER () AS ordinality FROM x) n WHERE part = 'change';

	FOR r IN SELECT * FROM suggestion LOOP
		suggestions := suggestions + 1;
		answer := public.result_with(rule, customer_id, is_text, r.col, public.wanted(r.col, r.change));
		IF answer IS DISTINCT FROM r.gives THEN
			RETURN NEXT format('%s to %s (%s) gives %s and not %s', r.col, r.change, public.wanted(r.col, r.change), answer, r.gives);
		END IF;
	END LOOP;

	IF NOT EXISTS (SELECT FROM x WHERE part IN ('change', 'no change', 'change not known', 'value of')) AND
		EXISTS (SELECT FROM x WHERE part = 'column') AND NOT EXISTS (SELECT FROM x WHERE part = 'condition' AND value = 'error') THEN
		RETURN NEXT 'nothing is said of changes';
	END IF;
	FOR c IN SELECT DISTINCT column_name, value FROM public.candidates
		WHERE column_name NOT IN (SELECT trim(detail, '"') FROM x WHERE part IN ('change not known', 'value of'))
	LOOP
		EXECUTE format('SELECT %I::text FROM public.people WHERE id = %s', c.column_name, customer_id) INTO old;
		answer := public.result_with(rule, customer_id, is_text, c.column_name, c.value);
		checked := checked + 1;
		IF answer IS NOT DISTINCT FROM now_is THEN CONTINUE; END IF;
		SELECT change INTO r FROM suggestion WHERE col = c.column_name AND gives IS NOT DISTINCT FROM answer;
		IF NOT FOUND THEN
			RETURN NEXT format('nothing is said of %s, which %s changes to %s', c.column_name, c.value, answer);
			CONTINUE;
		END IF;
		IF c.value IS NULL OR old IS NULL THEN CONTINUE; END IF;
		IF r.change = 'NULL' THEN
			RETURN NEXT format('%s is to be NULL, but %s does, too', c.column_name, c.value);
			CONTINUE;
		END IF;
		kind := CASE WHEN c.column_name IN ('i2', 'i4', 'i8', 'n', 'n2', 'age') THEN 'n' WHEN c.column_name IN ('f4', 'f8') THEN 'f'
			WHEN c.column_name IN ('d', 'ts', 'tz') THEN c.column_name END;
		IF public.distance(kind, old, c.value) < public.distance(kind, old, public.named(r.change)) THEN
			RETURN NEXT format('%s from %s to %s is nearer than to %s', c.column_name, old, c.value, r.change);
		END IF;
	END LOOP;

	FOR r IN SELECT part, value::timestamptz AS moment FROM x WHERE part IN ('since', 'until') AND value IS NOT NULL LOOP
		IF (public.result(rule, customer_id, is_text, r.moment - interval '1 microsecond') IS NOT DISTINCT FROM now_is) = (r.part = 'since') OR
			(public.result(rule, customer_id, is_text, r.moment) IS NOT DISTINCT FROM now_is) = (r.part = 'until') THEN
			RETURN NEXT format('%s %s is not so', r.part, r.moment);
		END IF;
	END LOOP;
	FOR r IN SELECT CASE WHEN coalesce(u.value, 'infinity') = 'infinity' THEN now() + n * n * interval '1 day' ELSE now() + (u.value::timestamptz - now()) * (n / 40.0) END AS moment
		FROM x u, generate_series(0, 39) n WHERE u.part = 'until' AND u.detail NOT LIKE 'cannot%'
		UNION ALL
		SELECT CASE WHEN s.value IS NULL THEN now() - n * n * interval '1 day' ELSE now() - (now() - s.value::timestamptz) * (n / 40.0) END
		FROM x s, generate_series(0, 39) n WHERE s.part = 'since' AND s.detail NOT LIKE 'cannot%'
	LOOP
		IF public.result(rule, customer_id, is_text, r.moment) IS DISTINCT FROM now_is THEN
			RETURN NEXT format('at %s it is otherwise', r.moment);
		END IF;
	END LOOP;
	RETURN NEXT format('counted: %s %s %s', checked, suggestions, (SELECT count(*) FROM x WHERE part IN ('since', 'until') AND value IS NOT NULL));
END $$;
SQL

my ($checked, $suggestions, $moments) = (0, 0, 0);
for my $round (0 .. $rounds - 1)
{
	my $zone = $zones[ $round % @zones ];
	my @wrong;
	my $sql = '';

	for my $n (1 .. $rules_of_a_round)
	{
		my $text = $n % 5 == 0;
		my $rule = $text ? RandomRules::text_rule() : RandomRules::condition($n % 4);
		my $name = "r${round}_$n";

		$sql .= "SELECT crm.create_tag('$name', \$rule\$$rule\$rule\$);\n";
		for (1 .. $customers_of_a_rule)
		{
			my $id = 1 + int(rand(300));
			$sql .= "SELECT '$name', $id, \$rule\$$rule\$rule\$, w FROM public.wrong('$name', \$rule\$$rule\$rule\$, $id, " . ($text ? 'true' : 'false') . ") w;\n";
		}
	}
	for my $line (split /\n/, run($zone, $sql))
	{
		if ($line =~ /\|counted: (\d+) (\d+) (\d+)$/)
		{
			$checked += $1;
			$suggestions += $2;
			$moments += $3;
		}
		elsif ($line ne '')
		{
			push @wrong, "$line\n";
		}
	}
	is(scalar @wrong, 0, "round $round, $zone: explanations agree with brute force") or diag(@wrong[ 0 .. ($#wrong < 40 ? $#wrong : 40) ]);
}
note("$checked values tried, $suggestions suggestions followed, $moments moments");
cmp_ok($checked, '>', $rounds * 20000, 'enough values were tried');
cmp_ok($suggestions, '>', $rounds * 50, 'enough suggestions were followed');
cmp_ok($moments, '>', 0, 'some moments were checked');

$node->stop;
done_testing();
