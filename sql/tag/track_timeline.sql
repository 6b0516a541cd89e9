-- Tracked events: rules over the timeline see rows as they are, stored timelines or not.
CREATE SCHEMA tag_track_timeline;
SET search_path = tag_track_timeline, crm, public;
SET client_min_messages = warning;

CREATE TABLE customers (code text PRIMARY KEY, joined date);
CREATE TABLE events (customer text, at timestamptz, event text, amount numeric, channel text, trusted boolean);
INSERT INTO customers SELECT 'k' || n, '2020-01-01' FROM generate_series(1, 500) n;
INSERT INTO events SELECT 'k' || n % 520, now() - n * interval '7 hours', (ARRAY['order', 'view', 'return'])[1 + n % 3], n % 50, (ARRAY['app', 'web'])[1 + n % 2], n % 4 = 0
FROM generate_series(1, 3000) n;
SELECT crm.create_population('clients', 'customers', 'code', events => 'events', event_key => 'customer', event_time => 'at',
	event_name => 'event', event_value => 'amount', event_attributes => '{channel,trusted}');
SELECT crm.create_tag('regular', 'crm.event_count(timeline, ''order'') >= 2', population => 'clients');
SELECT crm.create_tag('spent', 'crm.event_sum(timeline, ''order'')::numeric', population => 'clients');
SELECT crm.create_tag('quiet', 'crm.event_count(timeline, NULL, as_of - interval ''30 days'') = 0', population => 'clients');
SELECT crm.create_tag('app', 'crm.event_count(timeline, ''order[channel=app]'') > 0', population => 'clients');

-- The same in plain SQL; no row: no difference
CREATE FUNCTION differences() RETURNS TABLE (what text, tags bigint, rows bigint) LANGUAGE sql STABLE AS $$
	WITH per AS (
		SELECT c.code, count(*) FILTER (WHERE e.event = 'order') AS orders, coalesce(sum(e.amount) FILTER (WHERE e.event = 'order'), 0) AS spent,
			count(*) FILTER (WHERE e.at >= now() - interval '30 days') AS recent, count(*) FILTER (WHERE e.event = 'order' AND channel = 'app') AS app
		FROM customers c LEFT JOIN events e ON e.customer = c.code AND e.at <= now() GROUP BY c.code
	)
	SELECT * FROM (
		SELECT 'regular' AS what, crm.cardinality(crm.tag('regular')) AS tags, (SELECT count(*) FROM per WHERE orders >= 2) AS rows
		UNION ALL SELECT 'regular, key by key', (SELECT count(*) FROM crm.member_keys(crm.tag('regular')) k JOIN per ON per.code = k WHERE orders >= 2), (SELECT count(*) FROM per WHERE orders >= 2)
		UNION ALL SELECT 'spent', crm.bsi_sum(crm.tag_number('spent'))::bigint, (SELECT sum(spent) FROM per)::bigint
		UNION ALL SELECT 'quiet', crm.cardinality(crm.tag('quiet')), (SELECT count(*) FROM per WHERE recent = 0)
		UNION ALL SELECT 'app', crm.cardinality(crm.tag('app')), (SELECT count(*) FROM per WHERE app > 0)
	) d WHERE coalesce(tags, 0) <> coalesce(rows, 0)
$$;
SELECT count(*) FROM crm.refresh_timelines('clients');
SELECT crm.track_population('clients');
SELECT count(*) FROM crm.refresh_tags('clients');
SELECT * FROM differences();

-- New events, late ones, changed, deleted and moved ones; events of the future do not count yet
INSERT INTO events VALUES ('k1', now(), 'order', 7, 'app', true), ('k1', now() - interval '2 years', 'order', 9, 'web', NULL), ('k2', now() + interval '1 day', 'order', 1000, 'app', NULL);
SELECT * FROM differences();
SELECT value FROM crm.tags_of('k1') WHERE tag = 'spent';
UPDATE events SET event = 'order', amount = 100 WHERE customer = 'k3';
UPDATE events SET customer = 'k5' WHERE customer = 'k4';
DELETE FROM events WHERE customer IN ('k6', 'k7') AND event = 'order';
DELETE FROM events WHERE customer = 'k8';
SELECT * FROM differences();
-- A new customer, whose events came before him, and one without any
INSERT INTO events VALUES ('late', now() - interval '1 hour', 'order', 3, 'app', NULL), ('late', now() - interval '2 hours', 'order', 4, 'web', NULL);
INSERT INTO customers VALUES ('late', '2026-01-01'), ('silent', '2026-01-01');
SELECT * FROM differences();
BEGIN;
DELETE FROM events WHERE event = 'order';
SELECT * FROM differences();
ROLLBACK;
SELECT * FROM differences();

-- Folding brings the stored timelines up to date as well
SELECT tag, members, entered, exited FROM crm.fold_tags('clients');
SELECT * FROM differences();
SELECT crm.event_count(crm.timeline_of('k1'), 'order'), crm.event_count(crm.timeline_of('late')), crm.timeline_of('k8') IS NULL AS gone;
CREATE TABLE kept AS SELECT customer_id, timeline::text FROM crm.customer_timelines WHERE population = 'clients';
SELECT count(*) FROM crm.refresh_tags('clients') WHERE entered > 0 OR exited > 0;
SELECT chunks_written FROM crm.refresh_history ORDER BY refresh_id DESC LIMIT 1;
SELECT changed FROM crm.refresh_timelines('clients', rebuild => true);
SELECT count(*) FROM (SELECT customer_id, timeline::text FROM crm.customer_timelines WHERE population = 'clients' EXCEPT TABLE kept) d;

-- A refresh does so, too
UPDATE events SET amount = amount + 1 WHERE customer IN ('k10', 'k11');
INSERT INTO events VALUES ('k12', now() - interval '1 minute', 'order', 5, 'app', NULL);
SELECT count(*) FROM crm.refresh_tags('clients');
SELECT * FROM differences();
SELECT changed FROM crm.refresh_timelines('clients', rebuild => true);
-- Everybody
BEGIN;
TRUNCATE events;
SELECT * FROM differences();
SELECT count(*) FROM crm.fold_tags('clients');
SELECT * FROM differences();
SELECT count(*) FROM crm.customer_timelines WHERE population = 'clients';
ROLLBACK;
-- Events that were dropped from the stored timelines stay out
SELECT crm.drop_timelines('clients', date_trunc('year', now()) - interval '1 year') IS NOT NULL;
SELECT bool_or(everybody) FROM crm.change_log;
INSERT INTO events VALUES ('k20', now() - interval '5 years', 'order', 5, 'app', NULL);
SELECT count(*) FROM crm.fold_tags('clients') WHERE false;
INSERT INTO events VALUES ('k20', now() - interval '5 years', 'order', 5, 'app', NULL);
SELECT crm.tag('regular') IS NOT NULL;
SELECT count(*) FROM crm.fold_tags('clients');
SELECT crm.event_count(crm.timeline_of('k20'), 'order', NULL, now() - interval '4 years');

-- Whoever may not read all events cannot have them in this way
CREATE ROLE regress_crm_curious;
GRANT USAGE ON SCHEMA crm, tag_track_timeline TO regress_crm_curious;
GRANT SELECT ON customers TO regress_crm_curious;
SET ROLE regress_crm_curious;
SELECT count(*) FROM crm.timelines_now((SELECT population_id FROM crm.population_definition WHERE name = 'clients'), now(), NULL);
RESET ROLE;
SELECT count(*) > 400 FROM crm.timelines_now((SELECT population_id FROM crm.population_definition WHERE name = 'clients'), now(), NULL);
SELECT count(*) FROM crm.timelines_now((SELECT population_id FROM crm.population_definition WHERE name = 'clients'), now(), ARRAY[NULL]::bigint[]);
SELECT crm.drop_population('clients');
REVOKE USAGE ON SCHEMA crm FROM regress_crm_curious;
DROP SCHEMA tag_track_timeline CASCADE;
DROP ROLE regress_crm_curious;
