-- Rules over events that change by the clock: readers of a tracked population against a refresh.
CREATE SCHEMA tag_due_events;
SET search_path = tag_due_events, crm;
SET TimeZone = 'America/New_York';
BEGIN;
CREATE TABLE people (id bigint PRIMARY KEY, n int);
INSERT INTO people SELECT i, i % 7 FROM generate_series(1, 800) i;
CREATE TABLE events (customer bigint, ts timestamptz, event text, amount float8);
-- some of them still to come
INSERT INTO events SELECT i % 700, now() - (i * 53 % 9600) * interval '1 hour' + interval '10 days' + i * interval '1 second', (ARRAY['order', 'visit', 'call'])[1 + i % 3], i % 100
FROM generate_series(1, 5000) i;
SELECT create_population('people', 'people', 'id', events => 'events', event_key => 'customer', event_time => 'ts', event_name => 'event', event_value => 'amount');
SELECT count(create_tag('e' || i, rule)) FROM (VALUES
	(1, 'event_count(timeline, ''order'', as_of - interval ''30 days'') >= 2'), (2, 'event_count(timeline, NULL, as_of - interval ''60 days'') = 0'),
	(3, 'last_event(timeline, ''visit'') < as_of - interval ''3 months'''), (4, 'event_count(timeline, ''call'', date_trunc(''month'', as_of)) > 0'),
	(5, 'overdue(timeline, NULL, as_of)'), (6, 'decayed_count(timeline, ''40 days'', ''order'', as_of) > 0.3'),
	(7, 'event_sum(timeline, ''*[value>50]'', as_of - interval ''2 months'', as_of - interval ''1 week'') > 100'),
	(8, 'CASE WHEN event_count(timeline, NULL, as_of - interval ''7 days'') > 0 THEN ''active'' WHEN event_count(timeline, NULL, as_of - interval ''90 days'') > 0 THEN ''quiet'' ELSE ''gone'' END'),
	(9, 'event_count(timeline) > 5 AND n > 2'), (10, 'as_of::date - last_event(timeline)::date'),
	(11, 'active_days(timeline, NULL, as_of - make_interval(days => n * 10)) BETWEEN 1 AND 3'), (12, 'event_count(timeline_slice(timeline, as_of - interval ''21 days''), ''order'') = 0'),
	(13, '(rhythm(timeline, NULL, as_of)).expected_at < as_of'), (14, '(trend(timeline, NULL, ''week'', 12, NULL, as_of)).total > 300'),
	(15, 'window_funnel(timeline, ''10 days'', ARRAY[''visit'', ''order'']) = 2')) v (i, rule);
SELECT clock, count(*) FROM crm.tag_version JOIN crm.tag_definition USING (tag_id) JOIN crm.population_definition p USING (population_id) WHERE p.name = 'people' GROUP BY clock;
SELECT count(*) FROM refresh_timelines('people');
SELECT track_population('people');
CREATE VIEW plain AS SELECT t.tag || coalesce('=' || v.value, '') AS what, crm.tag(t.tag, v.value, 'people') AS members
FROM crm.tag_catalog t LEFT JOIN crm.tag_value v ON v.tag_id = (SELECT tag_id FROM crm.tag_definition d WHERE d.name = t.tag) WHERE t.value_type <> 'numeric';
SELECT count(*) FROM refresh_tags('people');
CREATE TABLE truth AS SELECT what, members FROM plain;
CREATE TABLE days AS SELECT m, bsi_value(tag_number('e10', population => 'people'), m) AS days FROM members(tag('e9', population => 'people')) m;
CREATE TABLE found (before interval, differing text[], due boolean);
DO $$
DECLARE
	before interval;
BEGIN
	FOREACH before IN ARRAY '{0,20 minutes,2 hours,1 day,2 days,5 days,12 days,31 days,64 days,150 days,1 year}'::interval[] LOOP
		PERFORM refresh_tags('people', as_of => now() - before, columns => 'today');
		INSERT INTO found SELECT before, array_agg(what) FILTER (WHERE p.members <> t.members),
			EXISTS (SELECT FROM crm.tag_due WHERE bucket <= now() AND population_id = (SELECT population_id FROM crm.population_definition WHERE name = 'people')) FROM plain p FULL JOIN truth t USING (what);
	END LOOP;
END $$;
SELECT before, differing, due OR before = '0' AS due FROM found ORDER BY before;
SELECT count(*) AS differing FROM days WHERE days IS DISTINCT FROM bsi_value(tag_number('e10', population => 'people'), m);

-- Folding puts them into the stored sets, and finds out when they are due again.
SELECT count(*) > 0 AS refreshed FROM refresh_tags('people', as_of => now() - interval '3 days', columns => 'today');
SELECT count(*) > 0 AS folded FROM fold_tags('people');
SELECT count(*) FILTER (WHERE bucket < date_trunc('hour', now())) AS past FROM crm.tag_due WHERE population_id = (SELECT population_id FROM crm.population_definition WHERE name = 'people');
SELECT array_agg(what) AS differing FROM plain JOIN truth t USING (what) WHERE plain.members <> t.members;
ROLLBACK;
