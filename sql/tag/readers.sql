-- One customer's tags and portrait, previews of rules, members with their keys.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA readers_test;
SET search_path = readers_test, crm, public;

CREATE TABLE customers (
	id int PRIMARY KEY, name text, city text, age int, balance numeric(12,2), opted_in boolean, birth date, notes text);
INSERT INTO customers
SELECT i, (ARRAY['Li Wei', 'Anna Schmidt', '王芳', NULL])[i % 5 + 1], (ARRAY['Berlin', 'Paris', '上海', NULL])[i % 4 + 1], 18 + i % 60, i * 37 % 1000, i % 3 = 0,
	date '1960-01-01' + i * 11, repeat('x', i % 5)
FROM generate_series(1, 400) i;
SELECT create_population('customers', 'customers', 'id');

-- Before anything is stored.
SELECT * FROM tags_of(10);
SELECT profile(10) - 'customer' AS nothing_stored;

SELECT create_tag('city', 'city', description => 'where the customer lives');
SELECT create_tag('opted_in', 'opted_in');
SELECT create_tag('rich', 'balance >= 950');
SELECT create_tag('birthday_month', 'extract(month FROM birth) = extract(month FROM as_of)', 'timeliness', valid_for => '1 day');
SELECT create_tag('likes_x', 'notes LIKE ''xxx%''', 'personality');
SELECT create_tag('may_leave', 'age % 7 = 0', 'predictive');
SELECT create_tag('young and rich', 'age < 30 AND balance > 500', 'correlation');
SELECT count(*) FROM refresh_tags(as_of => '2026-03-15 12:00+00', columns => 'today');

-- tags_of against the rules themselves, for every customer.
WITH expected AS (
	SELECT c.id, t.tag, t.value, t.kind
	FROM customers c, LATERAL (VALUES
		('city', city, 'base', city IS NOT NULL),
		('opted_in', NULL, 'base', opted_in),
		('rich', NULL, 'base', balance >= 950),
		('birthday_month', NULL, 'timeliness', extract(month FROM birth) = 3),
		('likes_x', NULL, 'personality', notes LIKE 'xxx%'),
		('may_leave', NULL, 'predictive', age % 7 = 0),
		('young and rich', NULL, 'correlation', age < 30 AND balance > 500)) AS t (tag, value, kind, has)
	WHERE t.has
), actual AS (
	SELECT c.id, t.tag, t.value, t.kind FROM customers c, tags_of(c.id) t
)
SELECT (SELECT count(*) FROM expected) AS tags,
	(SELECT count(*) FROM (TABLE expected EXCEPT ALL TABLE actual) d) AS missing,
	(SELECT count(*) FROM (TABLE actual EXCEPT ALL TABLE expected) d) AS wrong;
-- The same through the view.
SELECT count(*) AS rows_of_the_view, count(*) FILTER (WHERE NOT EXISTS (
	SELECT FROM tags_of(l.customer) t WHERE t.tag = l.tag AND t.value IS NOT DISTINCT FROM l.value)) AS not_in_tags_of
FROM customer_tag_long l WHERE population = 'customers';

SELECT tag, value, kind, since >= (SELECT refreshed_at FROM tag_catalog c WHERE c.tag = t.tag) AS since_then, until - (SELECT refreshed_at FROM tag_catalog c WHERE c.tag = t.tag) AS valid_for
FROM tags_of(7) t;
SELECT count(*) AS same_by_text FROM (SELECT * FROM tags_of('63') EXCEPT SELECT * FROM tags_of(63)) d;
-- No such customer; a key of another kind.
SELECT * FROM tags_of(100000);
SELECT * FROM tags_of(-1);
SELECT * FROM tags_of(9223372036854775807);
SELECT * FROM tags_of(NULL::bigint);
SELECT * FROM tags_of('ten');
SELECT * FROM tags_of('00000000-0000-0000-0000-000000000000'::uuid);
\set VERBOSITY terse
SELECT * FROM tags_of(63, as_of => '2026-01-01');
\set VERBOSITY default
SELECT * FROM tags_of(63, 'customer');
SELECT profile(100000), profile(NULL::text);
SELECT profile(63, as_of => now()) = profile(63) AS as_of_now;
SELECT profile(63, language => 'de');

-- The portrait.  Times are of the run.
CREATE FUNCTION without_times(value jsonb) RETURNS text LANGUAGE sql AS $$
	SELECT regexp_replace(jsonb_pretty(value), '\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d[.0-9]*\+00:00)?', '<time>', 'g')
$$;
SELECT without_times(profile(63));
SELECT without_times(to_jsonb(profile(id) ->> 'sentence')) AS en, without_times(to_jsonb(profile(id, language => 'zh') ->> 'sentence')) AS zh
FROM customers WHERE id IN (1, 7, 27, 63, 115) ORDER BY id;
-- Shares are those of the whole population, and the tags stand in their order.
SELECT count(*) AS tags, bool_and(abs((d ->> 'share')::float8 - z.members / 400.0) < 1e-6) AS right_share
FROM customers c, jsonb_array_elements(profile(c.id) -> 'distinguishing') d
JOIN segment_size z ON z.population = 'customers' AND z.tag = d ->> 'tag' AND z.value IS NOT DISTINCT FROM d ->> 'value';
SELECT bool_and(ordered) AS rarest_first
FROM customers c, LATERAL (
	SELECT array_agg((d ->> 'share')::float8 ORDER BY n) = array_agg((d ->> 'share')::float8 ORDER BY (d ->> 'share')::float8) AS ordered
	FROM jsonb_array_elements(profile(c.id) -> 'distinguishing') WITH ORDINALITY AS e (d, n)) o
WHERE c.id % 10 = 0;
SELECT (profile(63) -> 'customer') = to_jsonb(c) AS whole_row FROM customers c WHERE id = 63;

-- A tag past its valid_for is no longer shown for a customer; the stored set stays readable.
UPDATE tag_definition SET valid_for = '1 microsecond' WHERE name = 'birthday_month';
SELECT tag FROM tags_of(7) WHERE tag = 'birthday_month';
SELECT count(*) FROM customer_tag_long WHERE tag = 'birthday_month';
SELECT stale, cardinality(tag('birthday_month')) > 0 AS stored FROM tag_catalog WHERE tag = 'birthday_month';

-- A new customer has no tags until the next refresh; a deleted one is not shown.
INSERT INTO customers (id, name) VALUES (2000, 'Neu "quoted"');
SELECT * FROM tags_of(2000);
SELECT profile(2000) -> 'sentence' AS sentence;
DELETE FROM customers WHERE id = 63;
SELECT * FROM tags_of(63);
SELECT profile(63);

-- Members with keys.
SELECT * FROM member_rows(segment('rich & "young and rich"')) LIMIT 3;
SELECT count(*), count(DISTINCT key), bool_and(id::text = key) FROM member_rows(tag('opted_in'));
SELECT * FROM member_rows('{}', 'customers');
SELECT * FROM member_rows(NULL);

-- preview_tag: the counts that a tag would have, and a sample that does not hang on the order of rows.
SELECT value, members, round(share::numeric, 4) AS share, cardinality(sample_keys) FROM preview_tag('age >= 50');
SELECT count(*) FROM customers WHERE age >= 50;
SELECT p.value, p.members = c.n AS right_count, cardinality(p.sample_keys),
	(SELECT bool_and(x.city = p.value) FROM unnest(p.sample_keys) k JOIN customers x ON x.id = k::int) AS sampled_rightly
FROM preview_tag('city', sample => 5) p JOIN (SELECT city, count(*) AS n FROM customers GROUP BY city) c ON c.city = p.value
ORDER BY p.value COLLATE "C";
CREATE TABLE turned AS SELECT * FROM customers ORDER BY id DESC;
SELECT create_population('turned', 'turned', 'id');
SELECT (SELECT sample_keys FROM preview_tag('opted_in', 'customers')) = (SELECT sample_keys FROM preview_tag('opted_in', 'turned')) AS same_sample;
SELECT drop_population('turned');
SELECT * FROM preview_tag('false');
SELECT * FROM preview_tag('NULL::text');
SELECT * FROM preview_tag('age > 20', sample => 0);
SELECT members = (SELECT count(*) FROM customers WHERE birth > now() - interval '60 years') AS as_of_is_now, members > 0 AS some
FROM preview_tag('birth > as_of - interval ''60 years''');
-- What create_tag refuses, it refuses too.
SELECT * FROM preview_tag('agee > 20');
SELECT * FROM preview_tag('age > 20; DELETE FROM customers');
SELECT * FROM preview_tag('count(*) > 1');
SELECT * FROM preview_tag('age > 20', sample => -1);
SELECT * FROM preview_tag('age > 20', sample => 1001);
SELECT * FROM preview_tag(NULL);
SELECT * FROM preview_tag('100 / (age - 18) > 2');
SET crm_analytics.max_tag_values = 100;
SELECT * FROM preview_tag('id::text');
RESET crm_analytics.max_tag_values;

-- A source that has vanished.
CREATE TABLE gone (id int PRIMARY KEY, a boolean);
INSERT INTO gone VALUES (1, true);
SELECT create_population('gone', 'gone', 'id');
SELECT create_tag('a', 'a', population => 'gone');
SELECT count(*) FROM refresh_tags('gone');
DROP TABLE gone;
SELECT * FROM tags_of(1, 'gone');
SELECT profile(1, 'gone');
SELECT * FROM preview_tag('a', 'gone');
SELECT tag('a', population => 'gone')::bigint[] AS still_stored;

-- Keys of text and uuid.
CREATE TABLE people (mail text PRIMARY KEY, "全名" text, vip boolean);
INSERT INTO people VALUES ('a''b@mail.example', '王芳', true), ('c@mail.example', NULL, false);
CREATE TABLE devices (device uuid PRIMARY KEY, ios boolean);
INSERT INTO devices SELECT ('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid, i % 2 = 0 FROM generate_series(1, 10) i;
SELECT create_population('people', 'people', 'mail');
SELECT create_population('devices', 'devices', 'device');
SELECT create_tag('vip', 'vip', population => 'people');
SELECT create_tag('ios', 'ios', population => 'devices');
SELECT count(*) FROM refresh_tags('people');
SELECT count(*) FROM refresh_tags('devices');
SELECT tag FROM tags_of('a''b@mail.example', 'people');
SELECT tag FROM tags_of('nobody@mail.example', 'people');
SELECT without_times(to_jsonb(profile('a''b@mail.example', 'people', language => 'zh') ->> 'sentence')) AS sentence;
SELECT tag FROM tags_of('00000000-0000-0000-0000-000000000002'::uuid, 'devices');
SELECT tag FROM tags_of('00000000-0000-0000-0000-000000000002', 'devices');
SELECT key FROM member_rows(tag('ios', population => 'devices')) ORDER BY key;

SELECT drop_population(p) FROM unnest('{customers,gone,people,devices}'::text[]) p;
DROP SCHEMA readers_test CASCADE;
