-- Sources that know their own past (history columns), and what is known now of then.
SET client_min_messages = warning;
SET timezone = 'Europe/Berlin';
CREATE SCHEMA tag_past;
SET search_path = tag_past, crm, public;

-- Rows of several times for each customer, half open; NULL is open; some with gaps, and some customers end.
CREATE TABLE person (id int, city text, age int, active_from timestamptz, active_to timestamptz);
INSERT INTO person
SELECT i, (ARRAY['Rome', 'Oslo', 'Kiel'])[(i + k) % 3 + 1], 20 + (i * 7 + k * 11) % 60,
	CASE WHEN k > 0 THEN timestamptz '2024-01-01 00:00+00' + k * interval '100 days' + i * interval '1 hour' END,
	CASE WHEN k < 5 THEN timestamptz '2024-01-01 00:00+00' + (k + 1) * interval '100 days' + i * interval '1 hour' - CASE WHEN i % 7 = 0 THEN interval '10 days' ELSE interval '0' END
		WHEN i % 10 = 0 THEN timestamptz '2025-08-01 00:00+00' END
FROM generate_series(1, 300) i, generate_series(0, 5) k;
SELECT create_population('person', 'person', 'id', valid_from => 'active_from', valid_to => 'active_to');
SELECT create_tag('old', 'age >= 60'), create_tag('city', 'city'), create_tag('age', 'age'), create_tag('whole', 'customer.city = ''Rome'' AND age < 40');
CREATE FUNCTION plain(moment timestamptz) RETURNS TABLE (tag text, value text, id int) LANGUAGE sql AS $$
	WITH p AS (SELECT * FROM person WHERE coalesce(active_from, '-infinity') <= moment AND moment < coalesce(active_to, 'infinity'))
	SELECT 'old', NULL, id FROM p WHERE age >= 60 UNION ALL SELECT 'city', city, id FROM p
	UNION ALL SELECT 'age', NULL, id FROM p UNION ALL SELECT 'whole', NULL, id FROM p WHERE city = 'Rome' AND age < 40
	UNION ALL SELECT 'everybody', NULL, id FROM p
$$;
CREATE FUNCTION stored() RETURNS TABLE (tag text, value text, id int) LANGUAGE sql AS $$
	SELECT s.tag, s.value, members(tag(s.tag, s.value, 'person'))::int FROM segment_size s WHERE s.population = 'person'
	UNION ALL SELECT 'everybody', NULL, members(segment('old | !old', 'person'))::int
$$;
CREATE TABLE moment (at timestamptz);
INSERT INTO moment VALUES ('2023-01-01 00:00+00'), ('2024-04-10 00:00+00'), ('2024-04-10 07:00+00'), ('2024-04-10 06:59:59.999999+00'), ('2024-07-19 03:00+00'), ('2025-05-01 00:00+00'), ('2025-08-01 00:00+00');
DO $$
DECLARE
	m timestamptz;
	differ bigint;
	numbers boolean;
BEGIN
	FOR m IN SELECT at FROM moment UNION ALL SELECT now() LOOP
		PERFORM refresh_tags(as_of => m);
		SELECT count(*) INTO differ FROM ((SELECT * FROM plain(m) EXCEPT ALL SELECT * FROM stored()) UNION ALL (SELECT * FROM stored() EXCEPT ALL SELECT * FROM plain(m))) d;
		SELECT bsi_sum(tag_number('age')) = sum(age) INTO numbers FROM person WHERE coalesce(active_from, '-infinity') <= m AND m < coalesce(active_to, 'infinity');
		IF differ > 0 OR NOT numbers THEN
			RAISE WARNING '% differences as of %', differ, m;
		END IF;
	END LOOP;
END $$;
SELECT count(*) AS customers, count(DISTINCT city) AS cities FROM plain(now()), person WHERE plain.id = person.id AND plain.tag = 'old';
-- The same without storing anything; the rows of today, whatever as_of is.
SELECT bool_and(evaluate_tag('old', at) = (SELECT audience_agg(id) FROM plain(at) WHERE tag = 'old')) AS old,
	bool_and(evaluate_tag('city', at, 'Oslo') = (SELECT audience_agg(id) FROM plain(at) WHERE tag = 'city' AND value = 'Oslo')) AS city,
	bool_and(evaluate_tag('city', at) = (SELECT audience_agg(id) FROM plain(at) WHERE tag = 'city')) AS any_city,
	bool_and(evaluate_tag('age', at) = (SELECT audience_agg(id) FROM plain(at) WHERE tag = 'age')) AS numbers,
	bool_and(evaluate_tag('old', at, columns => 'today') = evaluate_tag('old')) AS today
FROM moment;
SELECT count(*) FROM refresh_tags(as_of => '2024-06-01', columns => 'today');
SELECT count(*) AS differences FROM ((SELECT * FROM plain(now()) EXCEPT ALL SELECT * FROM stored()) UNION ALL (SELECT * FROM stored() EXCEPT ALL SELECT * FROM plain(now()))) d;
-- One customer: his row of now.  Who ended is not there.
SELECT tag, value FROM tags_of(3);
SELECT * FROM tags_of(10);
SELECT profile(3) -> 'customer' ->> 'age' AS now, (SELECT age FROM person WHERE id = 3 AND active_to IS NULL) AS row_of_now, profile(10) AS gone;
SELECT members FROM preview_tag('age >= 60');
SELECT members = (SELECT count(*) FROM plain(now()) WHERE tag = 'old') AS as_now FROM preview_tag('age >= 60');
SELECT tag, result FROM (SELECT 'old' AS tag, (SELECT count(*) > 0 FROM explain_tag(3, 'old')) AS result) e;
-- Two rows at one time are one too many; the other columns' types.
INSERT INTO person VALUES (5, 'Rome', 1, '2024-02-01', '2024-02-02');
SELECT count(*) FROM refresh_tags();
SELECT count(*) FROM refresh_tags(as_of => '2024-02-01 12:00+01');
DELETE FROM person WHERE age = 1;
SELECT create_population('x', 'person', 'id', valid_from => 'age');
SELECT create_population('x', 'person', 'id', valid_to => 'activ_to');
SELECT drop_population('person');
CREATE TABLE days (id bigint, "Level" int, "From day" date, until timestamp);
INSERT INTO days VALUES (1, 1, NULL, '2025-01-01'), (1, 2, '2025-01-01', 'infinity'), (2, 5, '2025-06-01', NULL), (-3, 7, '-infinity', '2025-02-01 12:00');
SELECT create_population('days', 'days', 'id', valid_from => 'From day', valid_to => 'until');
SELECT create_tag('level', '"Level"');
CREATE FUNCTION levels(moment timestamptz) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM refresh_tags(as_of => moment);
	RETURN (SELECT string_agg(key || ':' || value, ' ' ORDER BY key::int) FROM member_rows(tag('level')) m, bsi_values(tag_number('level')) v WHERE v.id = m.id);
END $$;
SELECT count(*) FROM refresh_tags();
SELECT at, levels(at) FROM (VALUES (timestamptz '2024-12-31 23:59:59'), ('2025-01-01 00:00'), ('2025-02-01 11:59'), ('2025-02-01 12:00'), ('2025-06-01')) t (at);
SELECT drop_population('days');
-- One column alone.
SELECT create_population('started', 'days', 'id', valid_from => 'From day');
SELECT create_tag('level', '"Level" > 1');
DELETE FROM days WHERE until IS NOT NULL AND "Level" = 1;
SELECT at, (SELECT members FROM refresh_tags(as_of => at)) FROM (VALUES (timestamptz '2024-12-31 23:59:59'), ('2025-01-01 00:00'), ('2025-06-01')) t (at);
SELECT track_population('started');
SELECT drop_population('started');

-- Without history columns: events know the past, columns do not.
CREATE TABLE client (id int PRIMARY KEY, branch text, balance int);
CREATE TABLE purchase (client int, at timestamptz, what text);
INSERT INTO client SELECT i, CASE WHEN i % 2 = 0 THEN 'even' ELSE 'odd' END, i FROM generate_series(1, 100) i;
INSERT INTO purchase SELECT i % 100 + 1, timestamptz '2026-01-01 00:00+00' + i * interval '3 hours', (ARRAY['order', 'visit'])[i % 2 + 1] FROM generate_series(1, 1500) i;
SELECT create_population('client', 'client', 'id', scope => 'branch', events => 'purchase', event_key => 'client', event_time => 'at', event_name => 'what');
SELECT create_tag('buyer', $$event_count(timeline, 'order', as_of - interval '30 days') >= 3$$), create_tag('rich', 'balance > 50'), create_tag('last', $$last_event(timeline)::date::text$$);
SELECT evaluate_tag('buyer', '2026-03-01');
SELECT count(*) FROM refresh_timelines('client');
SELECT count(*) > 0 AS refreshed FROM refresh_tags();
SELECT bool_and(evaluate_tag('buyer', at) = (SELECT audience_agg(client) FROM (
	SELECT client FROM purchase WHERE what = 'order' AND at >= t.at - interval '30 days' AND at <= t.at GROUP BY client HAVING count(*) >= 3) b)) AS same, count(DISTINCT evaluate_tag('buyer', at)::text) AS answers
FROM (SELECT timestamptz '2026-01-15 00:00+00' + n * interval '17 days' AS at FROM generate_series(0, 10) n) t;
-- What was stored stays what it is: known then, and known now of then.
SELECT evaluate_tag('rich', now()) = tag('rich') AS now, evaluate_tag('rich') = tag('rich') AS by_default;
SELECT evaluate_tag('rich', '2026-03-01');
SELECT evaluate_tag('rich', '2026-03-01', columns => 'today') = tag('rich') AS today;
SELECT evaluate_tag('rich', '2026-03-01', columns => 'then');
SELECT evaluate_tag(NULL), evaluate_tag('rich', value => 'x');
SELECT evaluate_tag('rihc');
SELECT evaluate_tag('rich', 'infinity');
SELECT cardinality(evaluate_tag('last', '2026-03-01', '2026-02-28')) AS on_the_day, cardinality(evaluate_tag('last', '2026-03-01', 'never')) AS never;
SELECT cardinality(tag('buyer', as_of => clock_timestamp())) = cardinality(tag('buyer')) AS known_then;
SELECT count(*) FROM refresh_tags(tags => '{buyer}', as_of => '2026-03-01');
SELECT tag('buyer') = evaluate_tag('buyer', '2026-03-01') AS same;
-- In the scopes granted, as the tag's owner.
CREATE ROLE regress_crm_past;
GRANT USAGE ON SCHEMA crm TO regress_crm_past;
SELECT grant_population('client', 'regress_crm_past', 'read', '{even}');
SET ROLE regress_crm_past;
SELECT evaluate_tag('rich') = tag('rich') AS same, cardinality(evaluate_tag('rich')) AS even;
SELECT evaluate_tag('old', population => 'person');
RESET ROLE;
SELECT drop_population('client');
SET client_min_messages = error;
DROP SCHEMA tag_past CASCADE;
DROP OWNED BY regress_crm_past;
DROP ROLE regress_crm_past;
