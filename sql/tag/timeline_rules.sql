-- Rules that read the customer's timeline.
\set VERBOSITY default
SET search_path = public, crm;
SET timezone = 'UTC';
CREATE SCHEMA tag_timeline;
CREATE TABLE tag_timeline.customer (id int PRIMARY KEY, city text);
CREATE TABLE tag_timeline.event (customer int, at timestamptz, what text, amount float8, channel text);
INSERT INTO tag_timeline.customer SELECT i, (ARRAY['Paris', 'Oslo', 'Rome'])[1 + i % 3] FROM generate_series(-3, 60) i;
INSERT INTO tag_timeline.event
SELECT (i * 37 + i / 7) % 50 - 2, timestamptz '2026-01-01 00:00+00' + (i * 7919 % 180) * interval '1 day' + (i * 31 % 24) * interval '1 hour',
	   (ARRAY['visit', 'visit', 'order', 'complaint'])[1 + (i * 13 + i / 4) % 4], i * 37 % 200, (ARRAY['app', 'shop'])[1 + (i * 7 + i / 8) % 2]
FROM generate_series(1, 1200) i;

-- Without events there is no timeline.
SELECT create_population('plain', 'tag_timeline.customer', 'id');
SELECT create_tag('ordered', $$event_count(timeline, 'order') > 0$$, population => 'plain');
SELECT drop_population('plain');

SELECT create_population('people', 'tag_timeline.customer', 'id', events => 'tag_timeline.event', event_key => 'customer', event_time => 'at',
	event_name => 'what', event_value => 'amount', event_attributes => '{channel}');
SELECT create_tag('ordered', $$event_count(timeline, 'order') > 0$$);
SELECT create_tag('regular', $$event_count(timeline, 'order', as_of - interval '60 days') >= 2$$, 'timeliness');
SELECT create_tag('gone', $$event_count(timeline, NULL, as_of - interval '20 days') = 0$$, 'timeliness');
SELECT create_tag('app_buyer', $$event_count(timeline, 'order[channel=app]') > event_count(timeline, 'order[channel=shop]')$$, 'personality');
SELECT create_tag('spender', $$event_sum(timeline, 'order') >= 400 AND city <> 'Rome'$$);
SELECT create_tag('funnel', $$CASE window_funnel(timeline, '30 days', '{visit,order,complaint}') WHEN 3 THEN 'complained' WHEN 2 THEN 'bought' WHEN 1 THEN 'looked' END$$);
SELECT create_tag('first_day', $$(first_event(timeline) AT TIME ZONE 'UTC')::date::text$$);

-- Not stored yet: said, not taken for silence.
SELECT * FROM refresh_tags('people');
SELECT * FROM preview_tag($$event_count(timeline, 'order') > 0$$);
-- As written and as it runs.
SELECT rule, rule_qualified FROM tag_version JOIN tag_definition USING (tag_id, version) WHERE name = 'regular';
-- Time of evaluation comes from as_of only.
SELECT create_tag('clock', $$event_count(timeline, 'order', now() - interval '1 day') > 0$$);
SELECT create_tag('rows', $$(events(timeline)).value > 3$$);
SELECT create_tag('bare', $$timeline$$);

SELECT count(*) FROM refresh_timelines('people');
SELECT tag, value, members FROM refresh_tags('people', as_of => '2026-06-30', columns => 'today') WHERE tag <> 'first_day' ORDER BY 1, 2;
SELECT * FROM preview_tag($$event_count(timeline, 'order', as_of - interval '600 years') > 0$$, sample => 3);

-- The same in plain SQL, at three moments.
CREATE FUNCTION tag_timeline.plain(moment timestamptz) RETURNS TABLE (tag text, value text, id int) LANGUAGE sql AS $$
	WITH e AS (SELECT * FROM tag_timeline.event WHERE at <= moment)
	SELECT 'ordered', NULL, c.id FROM tag_timeline.customer c WHERE EXISTS (SELECT FROM e WHERE customer = c.id AND what = 'order')
	UNION ALL SELECT 'regular', NULL, c.id FROM tag_timeline.customer c WHERE (SELECT count(*) FROM e WHERE customer = c.id AND what = 'order' AND at >= moment - interval '60 days') >= 2
	UNION ALL SELECT 'gone', NULL, c.id FROM tag_timeline.customer c WHERE NOT EXISTS (SELECT FROM e WHERE customer = c.id AND at >= moment - interval '20 days')
	UNION ALL SELECT 'app_buyer', NULL, c.id FROM tag_timeline.customer c
		WHERE (SELECT count(*) FILTER (WHERE channel = 'app') > count(*) FILTER (WHERE channel = 'shop') FROM e WHERE customer = c.id AND what = 'order')
	UNION ALL SELECT 'spender', NULL, c.id FROM tag_timeline.customer c WHERE city <> 'Rome' AND (SELECT sum(amount) FROM e WHERE customer = c.id AND what = 'order') >= 400
	UNION ALL SELECT 'first_day', min(at AT TIME ZONE 'UTC')::date::text, customer FROM e GROUP BY customer
	UNION ALL SELECT 'funnel', (ARRAY['looked', 'bought', 'complained'])[level], customer
		FROM (SELECT customer, window_funnel('30 days', at, what = 'visit', what = 'order', what = 'complaint') AS level FROM e GROUP BY customer) f WHERE level > 0
$$;
CREATE FUNCTION tag_timeline.stored() RETURNS TABLE (tag text, value text, id int) LANGUAGE sql AS $$
	SELECT d.name, s.value, member_keys(tag(d.name, s.value, 'people'))::int
	FROM tag_definition d JOIN segment_size s ON s.tag = d.name WHERE s.population = 'people' AND s.members > 0
$$;
DO $$
DECLARE
	moment timestamptz;
	differ bigint;
BEGIN
	FOREACH moment IN ARRAY ARRAY['2026-02-10 12:00+00', '2026-04-01 00:00+00', '2026-12-31 00:00+00']::timestamptz[] LOOP
		PERFORM refresh_tags('people', as_of => moment, columns => 'today');
		SELECT count(*) INTO differ FROM (
			(SELECT * FROM tag_timeline.plain(moment) WHERE id IN (SELECT id FROM tag_timeline.customer) EXCEPT ALL SELECT * FROM tag_timeline.stored())
			UNION ALL (SELECT * FROM tag_timeline.stored() EXCEPT ALL SELECT * FROM tag_timeline.plain(moment) WHERE id IN (SELECT id FROM tag_timeline.customer))) x;
		RAISE NOTICE 'as of %: % differences', moment, differ;
	END LOOP;
END
$$;
-- An event at as_of itself counts, one behind it does not.
INSERT INTO tag_timeline.event VALUES (55, '2026-07-01 10:00+00', 'order', 5, 'app'), (56, '2026-07-01 10:00:00.000001+00', 'order', 5, 'app');
SELECT count(*) FROM refresh_timelines('people');
SELECT tag, members FROM refresh_tags('people', '{ordered}', as_of => '2026-07-01 10:00+00');
SELECT member_keys(tag('ordered', NULL, 'people') & '{55,56}');

-- A column called timeline is reached through customer.
ALTER TABLE tag_timeline.customer ADD timeline text DEFAULT 'x';
SELECT create_tag('column', $$customer.timeline = 'x' AND event_count(timeline) > 0$$);
SELECT tag, members FROM refresh_tags('people', '{column}');

-- Who may not read the events cannot read them through a rule.
CREATE ROLE regress_crm_timeline;
GRANT USAGE ON SCHEMA tag_timeline, crm TO regress_crm_timeline;
GRANT SELECT ON tag_timeline.customer TO regress_crm_timeline;
SELECT grant_population('people', 'regress_crm_timeline', 'define');
SET ROLE regress_crm_timeline;
SELECT * FROM preview_tag($$event_count(timeline, 'order') > 0$$, 'people');
SELECT create_tag('theirs', $$event_count(timeline, 'order') > 0$$, population => 'people');
RESET ROLE;
SELECT * FROM refresh_tags('people', '{theirs}');
GRANT SELECT ON tag_timeline.event TO regress_crm_timeline;
SELECT tag, members FROM refresh_tags('people', '{theirs}');
SET ROLE regress_crm_timeline;
SELECT members FROM preview_tag($$event_count(timeline, 'order') > 0$$, 'people');
RESET ROLE;

SELECT drop_population('people');
DROP SCHEMA tag_timeline CASCADE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_timeline;
DROP ROLE regress_crm_timeline;
