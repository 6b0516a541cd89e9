-- crm.tag and crm.segment: every answer against plain SQL over the same table, and every error with its place.
SET client_min_messages = warning;
CREATE SCHEMA segment_test;
SET search_path = segment_test, crm, public;

CREATE TABLE customers (
	id bigint PRIMARY KEY, city text, "Spend €" numeric, vip boolean, opted_out boolean, risk text, 年龄 int);
INSERT INTO customers
SELECT i, (ARRAY['Berlin', '上海', 'New York', NULL])[i % 4 + 1], i * 37 % 1000, i % 10 = 0,
	CASE WHEN i % 3 > 0 THEN i % 7 = 0 END, (ARRAY['high', 'medium', 'low', 'O''Brien "x"'])[i % 11 % 4 + 1], 18 + i % 60
FROM generate_series(1, 20000) i;
SELECT create_population('seg', 'customers', 'id');
SELECT create_tag('vip', 'vip');
SELECT create_tag('opted_out', 'opted_out');
SELECT create_tag('city', 'city');
SELECT create_tag('risk', 'risk');
SELECT create_tag('Big Spender', '"Spend €" >= 900');
SELECT create_tag('年轻', '年龄 < 30');
SELECT create_tag('not', '年龄 % 2 = 0');
SELECT create_tag('30d', 'id % 30 = 0');
SELECT create_tag('nobody', 'id < 0');
SELECT create_tag('no "city"', 'city IS NULL');

-- Never refreshed.
SELECT tag('vip');
SELECT segment('vip');
SELECT count(*) FROM refresh_tags('seg');
SELECT create_tag('later', 'vip');
SELECT tag('later');
SELECT segment('vip & later');
SELECT drop_tag('later');

-- One tag.
SELECT cardinality(tag('vip')) = (SELECT count(*) FROM customers WHERE vip) AS vip,
	cardinality(tag('opted_out')) = (SELECT count(*) FROM customers WHERE opted_out) AS null_is_no,
	cardinality(tag('city')) = (SELECT count(*) FROM customers WHERE city IS NOT NULL) AS any_value,
	cardinality(tag('city', 'New York')) = (SELECT count(*) FROM customers WHERE city = 'New York') AS one_value,
	tag('city', '上海', 'seg') = (SELECT audience_agg(id) FROM customers WHERE city = '上海') AS members,
	tag('city', 'Paris')::bigint[] AS never_met, is_empty(tag('nobody')) AS nobody, tag(NULL) IS NULL AS null_name;
SELECT tag('年轻') = (SELECT audience_agg(id) FROM customers WHERE 年龄 < 30) AS chinese,
	tag('no "city"') = (SELECT audience_agg(id) FROM customers WHERE city IS NULL) AS quoted;
SELECT tag('VIP');
SELECT tag('Big_Spender');
SELECT tag('completely different');
SELECT tag('vip', 'true');
\set VERBOSITY terse
SELECT tag('vip', as_of => '2026-01-01');
SELECT segment('vip', as_of => '2026-01-01');
\set VERBOSITY default
SELECT tag('vip', population => 'sag');

-- Expressions against WHERE clauses.  NULL of a rule is no: hence "IS TRUE".
CREATE TABLE expression (expression text PRIMARY KEY, condition text);
INSERT INTO expression VALUES
	('vip', 'vip'),
	('!vip', 'NOT vip'),
	('!opted_out', 'opted_out IS NOT TRUE'),
	('!!vip', 'vip'),
	('vip & opted_out', 'vip AND opted_out'),
	('vip | opted_out', 'vip OR opted_out IS TRUE'),
	('vip - opted_out', 'vip AND opted_out IS NOT TRUE'),
	('vip | 年轻 - opted_out', 'vip OR (年龄 < 30 AND opted_out IS NOT TRUE)'),
	('(vip | 年轻) - opted_out', '(vip OR 年龄 < 30) AND opted_out IS NOT TRUE'),
	('vip & (年轻 | "Big Spender") - opted_out', 'vip AND (年龄 < 30 OR "Spend €" >= 900) AND opted_out IS NOT TRUE'),
	('vip - 年轻 - opted_out', 'vip AND NOT 年龄 < 30 AND opted_out IS NOT TRUE'),
	('vip - (年轻 - opted_out)', 'vip AND NOT (年龄 < 30 AND opted_out IS NOT TRUE)'),
	('risk = "high" & !vip', 'risk = ''high'' AND NOT vip'),
	('risk=high|risk=low', 'risk IN (''high'', ''low'')'),
	('risk = ''O''''Brien "x"''', 'risk = ''O''''Brien "x"'''),
	('risk = "O''Brien ""x"""', 'risk = ''O''''Brien "x"'''),
	('risk != high', 'risk <> ''high'''),
	('city <> 上海', 'city <> ''上海'''),
	('!(city = 上海)', 'city IS DISTINCT FROM ''上海'''),
	('!city = 上海', 'city IS DISTINCT FROM ''上海'''),
	('city', 'city IS NOT NULL'),
	('!city', 'city IS NULL'),
	('city = nowhere', 'false'),
	('city != nowhere', 'city IS NOT NULL'),
	('"no ""city""" | nobody', 'city IS NULL'),
	('30d & vip', 'id % 30 = 0'),
	('vip and not (年轻 or opted_out)', 'vip AND NOT (年龄 < 30 OR opted_out IS TRUE)'),
	('not & vip', '年龄 % 2 = 0 AND vip'),
	('not not', '年龄 % 2 <> 0'),
	('!nobody', 'true'),
	('vip & nobody', 'false'),
	(E'\n vip\t&\r\n 年轻 ', 'vip AND 年龄 < 30');
DO $$
DECLARE
	e record;
	expected audience;
BEGIN
	FOR e IN SELECT * FROM expression LOOP
		EXECUTE format('SELECT audience_agg(id) FROM customers WHERE %s', e.condition) INTO expected;
		IF segment(e.expression) <> expected THEN
			RAISE WARNING '% is not %: % instead of %', e.expression, e.condition, cardinality(segment(e.expression)), cardinality(expected);
		END IF;
	END LOOP;
END
$$;
SELECT count(*) AS compared FROM expression;

-- Random expressions, built together with their conditions.
CREATE FUNCTION random_expression(seed int, depth int, OUT expression text, OUT condition text) LANGUAGE plpgsql AS $$
DECLARE
	h bigint := abs(hashint8extended(seed, depth));
	a record;
	b record;
BEGIN
	IF depth = 0 THEN
		SELECT t.e, t.c INTO expression, condition FROM (VALUES (0, 'vip', 'vip'), (1, 'opted_out', 'opted_out IS TRUE'),
			(2, '年轻', '年龄 < 30'), (3, 'risk = high', 'risk = ''high'''), (4, 'risk != "low"', 'risk <> ''low'''),
			(5, '"Big Spender"', '"Spend €" >= 900'), (6, 'city', 'city IS NOT NULL'), (7, 'city = ''New York''', 'city IS NOT DISTINCT FROM ''New York'''))
			AS t (n, e, c) WHERE t.n = h % 8;
		RETURN;
	END IF;
	a := random_expression(seed * 2 + 1, depth - 1);
	b := random_expression(seed * 2 + 2, depth - 1);
	CASE h % 4
		WHEN 0 THEN expression := format('(%s & %s)', a.expression, b.expression); condition := format('(%s AND %s)', a.condition, b.condition);
		WHEN 1 THEN expression := format('(%s | %s)', a.expression, b.expression); condition := format('(%s OR %s)', a.condition, b.condition);
		WHEN 2 THEN expression := format('(%s - %s)', a.expression, b.expression); condition := format('(%s AND NOT %s)', a.condition, b.condition);
		ELSE expression := format('!%s', a.expression); condition := format('(NOT (%s))', a.condition);
	END CASE;
END
$$;
DO $$
DECLARE
	r record;
	good boolean;
	compared int := 0;
BEGIN
	FOR seed IN 1..150 LOOP
		r := random_expression(seed, seed % 5);
		EXECUTE format('SELECT segment(%L) = (SELECT audience_agg(id) FROM customers WHERE %s)', r.expression, r.condition) INTO good;
		IF NOT good THEN
			RAISE WARNING '% is not %', r.expression, r.condition;
		END IF;
		compared := compared + 1;
	END LOOP;
	RAISE WARNING '% compared', compared;
END
$$;

-- The stamp: sets of a population combine, and tell where they are from.
SELECT cardinality(tag('vip') & segment('年轻 | 30d')) = (SELECT count(*) FROM customers WHERE vip AND (年龄 < 30 OR id % 30 = 0)) AS combined;
SELECT min(k) AS member_keys FROM member_keys(segment('vip & 30d')) k;

-- In WHERE the set is read once, not for every row: reading it 20,000 times would take minutes.
SET statement_timeout = '20s';
SELECT count(*) FROM customers WHERE id <@ tag('vip') AND id <@ segment('年轻 - opted_out');
RESET statement_timeout;

-- The answer is kept for the query only: a PL/pgSQL expression sees every refresh, and no rolled back one.
CREATE FUNCTION sizes() RETURNS TABLE (place text, vips bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..4 LOOP
		place := (ARRAY['before', 'after', 'rolled back', 'again'])[i];
		IF i = 2 OR i = 4 THEN
			UPDATE customers SET vip = NOT vip WHERE id <= 100;
			PERFORM refresh_tags('seg');
		ELSIF i = 3 THEN
			BEGIN
				UPDATE customers SET vip = true;
				PERFORM refresh_tags('seg');
				RAISE EXCEPTION 'undone';
			EXCEPTION WHEN raise_exception THEN
			END;
		END IF;
		vips := cardinality(tag('vip'));
		RETURN NEXT;
	END LOOP;
END
$$;
SELECT * FROM sizes();
-- The same expression inside and after a subtransaction that is rolled back.
CREATE FUNCTION in_subtransaction() RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
	seen bigint[] := '{}';
BEGIN
	FOR i IN 1..3 LOOP
		BEGIN
			IF i = 2 THEN
				UPDATE customers SET vip = false;
				PERFORM refresh_tags('seg');
			END IF;
			seen := seen || cardinality(tag('vip'));
			IF i = 2 THEN
				RAISE EXCEPTION 'undone';
			END IF;
		EXCEPTION WHEN raise_exception THEN
		END;
	END LOOP;
	RETURN seen;
END
$$;
SELECT in_subtransaction();
-- Arguments that change from row to row.
SELECT t, cardinality(tag(t)) FROM unnest('{vip,年轻,vip,nobody}'::text[]) t;
PREPARE sized(text) AS SELECT cardinality(segment($1));
EXECUTE sized('vip');
EXECUTE sized('!vip');

-- Parallel workers read the sets themselves.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT count(*) FROM customers WHERE id <@ segment('vip | 年轻');
SELECT count(*) FROM customers WHERE id <@ segment('vip | 年轻');
SELECT count(*) FROM customers WHERE vip OR 年龄 < 30;
RESET ALL;
SET search_path = segment_test, crm, public;
SET client_min_messages = warning;

-- Faults, each with its place.
SELECT segment('');
SELECT segment('  ');
SELECT segment('vip &');
SELECT segment('vip & & city');
SELECT segment('vip city');
SELECT segment('年轻 & vip city');
SELECT segment('vip & (年轻 | city');
SELECT segment('vip) & city');
SELECT segment('vip & "年轻');
SELECT segment('vip & ''年轻''');
SELECT segment('vip & ""');
SELECT segment('vip = ');
SELECT segment('risk = ');
SELECT segment('vip ＆ 年轻');
SELECT segment('risk = “high”');
SELECT segment('（vip）');
SELECT segment('vip && 年轻');
SELECT segment('risk == high');
SELECT segment('risk > high');
SELECT segment('vip; DROP TABLE customers');
SELECT segment('-vip');
SELECT segment('年轻 & vpi');
SELECT segment('vip & "big spender"');
SELECT segment('vip = true');
SELECT segment('年轻 & vip >= 5');
SELECT segment('年轻 & risk >= 5');
SELECT segment('nothing like any of them');
SELECT segment(NULL);
SELECT segment('vip', 'sag');
SELECT segment(repeat('(', 501) || 'vip' || repeat(')', 501));
SELECT segment('vip' || repeat('|vip', 10000));
SELECT segment(repeat(' ', 1024 * 1024) || 'vip');
SELECT cardinality(segment(repeat('(', 500) || 'vip' || repeat(')', 500))) = cardinality(tag('vip')) AS deep_enough;

-- A statement in a function shows where the expression is wrong, too.
DO $$ BEGIN PERFORM crm.segment('vip & oops'); END $$;

-- An old version's set stays until the next refresh.
SELECT replace_tag('vip', 'id <= 3');
SELECT cardinality(tag('vip')) > 3 AS still_the_old_one, stale FROM tag_catalog WHERE tag = 'vip';
SELECT count(*) FROM refresh_tags('seg', '{vip}');
SELECT tag('vip')::bigint[] AS vip, stale FROM tag_catalog WHERE tag = 'vip';

-- Ids of any size, and a dictionary.
CREATE TABLE wide (id bigint PRIMARY KEY, odd boolean);
INSERT INTO wide SELECT (i::bigint << 40) + i, i % 2 = 1 FROM generate_series(1, 3000) i;
CREATE TABLE people (mail text PRIMARY KEY, kind text);
INSERT INTO people SELECT 'p' || i || '@mail.example', 'k' || i % 3 FROM generate_series(1, 500) i;
SELECT create_population('wide', 'wide', 'id');
SELECT create_population('people', 'people', 'mail');
SELECT create_tag('odd', 'odd', population => 'wide');
SELECT create_tag('kind', 'kind', population => 'people');
SELECT count(*) FROM refresh_tags('wide');
SELECT count(*) FROM refresh_tags('people');
SELECT segment('!odd', 'wide') = (SELECT audience_agg(id) FROM wide WHERE NOT odd) AS wide,
	(SELECT array_agg(k ORDER BY k) FROM member_keys(segment('kind = k1', 'people')) k)
		= (SELECT array_agg(mail ORDER BY mail) FROM people WHERE kind = 'k1') AS people;
\set VERBOSITY terse
SELECT tag('odd', population => 'wide') & tag('kind', population => 'people');
\set VERBOSITY default
SELECT tag('vip');

SELECT drop_population(p) FROM unnest('{seg,wide,people}'::text[]) p;
DROP SCHEMA segment_test CASCADE;
