-- The due list: whose tags change by the clock, and when.
CREATE SCHEMA tag_due;
SET search_path = tag_due, crm;
SET TimeZone = 'Europe/Berlin';
CREATE TABLE people (id bigint PRIMARY KEY, birth date, last_order date, seen timestamptz, ends date, span interval, n int);
INSERT INTO people SELECT i, (date '1996-02-29' - (i % 40) * 365 + i % 7), current_date - (i * 7 % 500), now() - (i * 37 % 9000) * interval '1 hour' - i * interval '1 minute',
	current_date + (i * 11 % 400) - 100, (i % 60) * interval '1 day', i % 13 FROM generate_series(1, 1500) i;
UPDATE people SET last_order = NULL, seen = NULL, ends = NULL WHERE id % 29 = 0;
UPDATE people SET ends = 'infinity' WHERE id % 31 = 0;
SELECT create_population('people', 'people', 'id');

-- What the clock does to a rule is told when the tag is created.
CREATE FUNCTION open_now(bigint) RETURNS boolean LANGUAGE sql STABLE RETURN $1 % 2 = 0;
CREATE FUNCTION twice(timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE RETURN $1;
SELECT create_tag('never', 'n > 3');
SELECT create_tag('silent', 'last_order < as_of - interval ''90 days''');
SELECT create_tag('foreign', 'open_now(id)');
SELECT create_tag('opaque', 'twice(as_of) > seen');
SELECT create_tag('seconds', 'extract(second FROM as_of) > n');
SELECT create_tag('score', 'extract(epoch FROM as_of - seen)::float8');
SELECT replace_tag('opaque', 'twice(seen) < as_of');
SELECT drop_tag(tag) FROM unnest('{foreign,seconds,score}'::text[]) tag;
SELECT tag, expires, exactness FROM tag_catalog WHERE population = 'people' ORDER BY tag;

-- A tag may end: at a time, or when the customer's row or another rule says so.
SELECT create_tag('offer', 'n > 5', expires => '2099-12-31 00:00 Europe/Berlin');
SELECT create_tag('contract', 'n > 2', expires => 'ends -- the contract');
SELECT create_tag('class', 'CASE WHEN n > 6 THEN ''high'' ELSE ''low'' END', expires => 'seen + interval ''100 days''');
SELECT create_tag('points', 'n', expires => '2001-01-01');
SELECT create_tag('x', 'n > 5', expires => 'n');
SELECT create_tag('x', 'n > 5', expires => 'ends) OR (true');
SELECT create_tag('x', 'n > 5', expires => '2026-02-30');
SELECT create_tag('x', 'n > 5', expires => 'nobody');
SELECT create_tag('x', 'n > 5', expires => '');
SELECT d.name, v.expires, v.clock, v.rule, v.rule_qualified FROM crm.tag_version v JOIN crm.tag_definition d USING (tag_id)
WHERE v.expires IS NOT NULL ORDER BY d.name;

-- Rules of all kinds.
SELECT count(create_tag('r' || i, rule)) FROM (VALUES
	(1, 'seen >= as_of - interval ''36 hours'''), (2, 'to_char(birth, ''MM-DD'') = to_char(as_of, ''MM-DD'')'),
	(3, 'extract(month FROM birth) = extract(month FROM as_of)'), (4, 'ends BETWEEN as_of::date AND (as_of + interval ''1 month'')::date'),
	(5, 'as_of - seen > interval ''30 days'' AND n > 2'), (6, 'extract(year FROM age(as_of, birth)) >= 31'),
	(7, 'as_of::date - last_order > 60 OR ends < as_of'), (8, 'NOT (seen > as_of - span)'),
	(9, 'seen >= as_of - interval ''2 months'''), (10, 'tstzrange(seen, seen + interval ''40 days'') @> as_of'),
	(11, 'as_of::date - last_order BETWEEN 10 AND 20'), (12, 'seen < date_trunc(''month'', as_of)'),
	(13, 'date_trunc(''week'', as_of AT TIME ZONE ''Asia/Shanghai'') > ends'), (14, 'CASE WHEN seen > as_of - interval ''10 days'' THEN ''now'' WHEN seen > as_of - interval ''100 days'' THEN ''lately'' ELSE ''long ago'' END'),
	(15, 'extract(year FROM age(as_of::date, birth))::int'), (16, 'has_tag(''r9'') AND NOT has_tag(''silent'')'),
	(17, 'extract(dow FROM as_of) = n % 7'), (18, 'as_of < ends + span AND as_of >= seen'), (19, 'COALESCE(seen < as_of - interval ''1 month 3 days'', ends > as_of)')) v (i, rule);
SELECT given, members FROM create_list_tag('invited', query => 'SELECT id, now() + (id % 800 - 400) * interval ''1 hour'' AS expires FROM tag_due.people WHERE id % 3 = 0', population => 'people');
SELECT count(*), count(*) FILTER (WHERE clock = 'unknown') AS unknown FROM crm.tag_version v JOIN crm.tag_definition d USING (tag_id, version)
JOIN crm.population_definition p USING (population_id) WHERE p.name = 'people';

-- No list without tracking.
CREATE VIEW listed AS SELECT l.* FROM crm.tag_due l JOIN crm.population_definition p USING (population_id) WHERE p.name = 'people';
SELECT count(*) FROM refresh_tags('people');
SELECT count(*) FROM listed;
SELECT track_population('people');
SELECT tag, exactness FROM tag_catalog WHERE tag IN ('silent', 'opaque') ORDER BY tag;

-- What was found at an earlier time, with those who are due since evaluated, is what a refresh finds now.
CREATE VIEW plain AS SELECT t.tag, v.value, t.tag || coalesce('=' || v.value, '') AS what, crm.tag(t.tag, v.value, 'people') AS members
FROM crm.tag_catalog t LEFT JOIN crm.tag_value v ON v.tag_id = (SELECT tag_id FROM crm.tag_definition d WHERE d.name = t.tag) WHERE t.value_type <> 'numeric' AND t.tag <> 'opaque';
BEGIN;
SELECT count(*) > 25 AS tags FROM refresh_tags('people');
CREATE TABLE truth AS SELECT what, members FROM plain;
CREATE TABLE ages AS SELECT m, bsi_value(tag_number('r15', population => 'people'), m) AS age FROM members(tag('never', population => 'people')) m;
CREATE TABLE found (before interval, differing text[], due_share numeric);
DO $$
DECLARE
	before interval;
BEGIN
	FOREACH before IN ARRAY '{0,1 hour,5 hours,1 day,3 days,8 days,20 days,35 days,63 days,100 days,150 days,200 days,300 days,1 year}'::interval[] LOOP
		PERFORM refresh_tags('people', as_of => now() - before, columns => 'today');
		INSERT INTO found SELECT before, array_agg(what) FILTER (WHERE p.members <> t.members),
			(SELECT count(DISTINCT m) FROM listed, members(crm.from_roaring(listed.members)) m WHERE bucket <= now()) / 1500.0
			FROM plain p FULL JOIN truth t USING (what);
	END LOOP;
END $$;
SELECT before, differing, due_share > 0 OR before = '0' AS some_due FROM found ORDER BY before;
SELECT count(*) AS differing FROM ages WHERE age IS DISTINCT FROM bsi_value(tag_number('r15', population => 'people'), m);
COMMIT;

-- The list is a set of customers for each hour from the first change on; workers find the same.
SELECT refresh_tags('people') IS NOT NULL AS refreshed LIMIT 1;
SELECT bool_and(bucket = date_trunc('hour', bucket)) AS hours, min(bucket) >= date_trunc('hour', now()) AS ahead, count(*) > 20 AS many FROM listed;
BEGIN;
SET max_parallel_workers_per_gather = 0;
SELECT refresh_tags('people') IS NOT NULL AS refreshed LIMIT 1;
CREATE TABLE alone AS SELECT bucket, members FROM listed;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT refresh_tags('people') IS NOT NULL AS refreshed LIMIT 1;
SELECT count(*) AS differing FROM alone a FULL JOIN listed d USING (bucket) WHERE a.members IS DISTINCT FROM d.members;
ROLLBACK;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;

-- A refresh of some tags adds to the list; an hour keeps few rows, however often.
DO $$ BEGIN FOR i IN 1 .. 20 LOOP PERFORM refresh_tags('people', ARRAY['silent', 'r1']); END LOOP; END $$;
SELECT max(rows) <= 8 AS few FROM (SELECT count(*) AS rows FROM listed GROUP BY bucket) b;
SELECT refresh_tags('people') IS NOT NULL AS refreshed LIMIT 1;
SELECT max(rows) AS rows FROM (SELECT count(*) AS rows FROM listed GROUP BY bucket) b;

-- Evaluated beside what a refresh found, in the days in which it found it.
SELECT zone FROM crm.population_definition WHERE name = 'people';
CREATE TABLE there AS SELECT what, members FROM plain;
SET TimeZone = 'Pacific/Kiritimati';
UPDATE people SET n = n;
SELECT count(*) AS differing FROM plain p FULL JOIN there t USING (what) WHERE p.members IS DISTINCT FROM t.members;
SET TimeZone = 'Europe/Berlin';

-- One customer
SELECT next_change(7, 'silent') BETWEEN now() AND ((SELECT last_order FROM people WHERE id = 7) + 90)::timestamptz AS in_time,
	next_change(7, 'never'), next_change(7, 'offer'), next_change(29, 'silent'), next_change(-5, 'silent'), next_change(7, 'r9') > now() AS later, next_change('7', 'r2') > now() AS birthday;
SELECT next_change(7, 'nothing');
SELECT next_change(7, 'opaque');
-- what explanations find by halving the time is not before it
SELECT tag, count(*) FILTER (WHERE next_change(id, tag, 'people') > until) AS late FROM unnest('{silent,r1,r7,r11}'::text[]) tag, people,
	LATERAL (SELECT trim('''' FROM value)::timestamptz AS until FROM explain_tag(id, tag, 'people') WHERE part = 'until' AND value IS NOT NULL LIMIT 1) e WHERE id % 10 = 3 GROUP BY tag ORDER BY tag;

-- valid_for counts from now on where tags are evaluated as of now
SELECT create_tag('short', 'n >= 0', valid_for => '1 microsecond');
SELECT count(*) FROM refresh_tags('people', ARRAY['short']);
SELECT until > now() AS valid FROM tags_of(7, 'people') WHERE tag = 'short';
SELECT stale FROM tag_catalog WHERE tag = 'short';

-- A rule's conditions are each looked at once, however deep they stand
CREATE SEQUENCE looks;
CREATE FUNCTION looked(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tag_due.looks'); RETURN $1 >= 0; END $$;
SELECT create_tag('deep', (SELECT string_agg(format('CASE WHEN looked(n) AND seen < as_of - interval ''%s years'' THEN false ELSE ', 1000 - i), '' ORDER BY i)
	FROM generate_series(1, 16) i) || 'n > 5' || repeat(' END', 16));
SELECT next_change(7, 'deep', 'people') > now() AS found, (SELECT last_value < 500 FROM looks) AS few;

-- Arguments that nobody of ours gives
SELECT tag_due_at('people', '{$1 < customer.ends}', '{4}', '2020-01-01', NULL, NULL, 1);
SELECT tag_due_at('people', '{$1 < customer.ends}', '{7}', '2020-01-01', NULL, NULL, 1);
SELECT tag_due_at('people', '{$1 < customer.ends}', '{99}', '2020-01-01', NULL, NULL, 1);
SELECT tag_due_at('people', '{$1 < customer.ends, NULL}', '{5}', '2020-01-01', NULL, NULL, date '2020-01-01');
SELECT tag_due_at('people', '{$1 < customer.ends}', '{5}', 'infinity', NULL, NULL, date '2020-01-01');
SELECT tag_due_at('people', ARRAY['$1 < customer.ends', NULL], '{5,5}', '2020-01-01', NULL, NULL, date '2020-01-01');
SELECT tag_due_at('pg_class', '{$1 < ''2030-01-01''}', '{}', '2020-01-01', NULL, NULL, 1), tag_due_at('people', '{$3 > $1}', '{}', '2020-01-01', NULL, NULL, timestamptz '2020-02-02');
SELECT tag_due_agg(i, CASE WHEN i % 2 = 0 THEN now() END) IS NOT NULL AS some FROM generate_series(-3, 3) i;
SELECT tag_due_combinefn(tag_due_agg(1, now()), 'AAAA') FROM people LIMIT 1;

-- A list that was damaged, a table that was altered
\set VERBOSITY terse
BEGIN; UPDATE crm.tag_due SET members = '\x00', bucket = '2020-01-01'; SELECT tag('silent', population => 'people'); ROLLBACK;
BEGIN; ALTER TABLE crm.tag_due ALTER members DROP NOT NULL; SELECT tag('silent', population => 'people'); ROLLBACK;
\set VERBOSITY default

SELECT drop_population('people');
SELECT count(*) FROM crm.tag_due WHERE population_id NOT IN (SELECT population_id FROM crm.population_definition);
DROP SCHEMA tag_due CASCADE;
