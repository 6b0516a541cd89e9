-- Why a customer has a tag over what he did: the events that count, since and until when, what would have to happen.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA explain_events;
SET search_path = explain_events, crm, public;

CREATE TABLE people (id bigint PRIMARY KEY, city text, joined timestamptz);
CREATE TABLE event (customer bigint, at timestamptz, what text, amount float8, channel text, items int);
INSERT INTO people VALUES (1, 'Oslo', '2025-01-01'), (2, 'Rome', '2025-06-01'), (3, NULL, NULL), (4, 'Bonn', '2026-01-01');
INSERT INTO event VALUES
	(1, '2026-01-10 10:00Z', 'order', 100, 'app', 1), (1, '2026-02-10 11:00Z', 'order', 250, 'web', 2), (1, '2026-02-20 12:00Z', 'visit', NULL, 'web', NULL),
	(1, '2026-03-01 13:00Z', 'order', 30, 'app', 5), (1, '2026-03-01 14:00Z', 'refund', -30, NULL, NULL), (2, '2026-02-01 08:00Z', 'visit', NULL, 'app', NULL);
INSERT INTO event SELECT 4, timestamptz '2026-01-01 00:00Z' + n * interval '1 hour', 'click', n FROM generate_series(1, 1500) n;
SELECT create_population('people', 'people', 'id', events => 'event', event_key => 'customer', event_time => 'at', event_name => 'what', event_value => 'amount', event_attributes => '{channel,items}');
SELECT count(*) FROM refresh_timelines('people');

SELECT create_tag('three', $$event_count(timeline, 'order') >= 3 AND city = 'Oslo'$$);
SELECT part, detail, value FROM explain_tag(1, 'three') WHERE part NOT IN ('now', 'stored');
SELECT part, detail, value FROM explain_tag(2, 'three') WHERE part NOT IN ('now', 'stored');

CREATE FUNCTION changes(rule text, key bigint DEFAULT 1) RETURNS TABLE (detail text, value text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM create_tag('trial', rule);
	RETURN QUERY SELECT CASE WHEN t.part = 'change' THEN t.detail ELSE t.part || ': ' || t.detail END, t.value FROM explain_tag(key, 'trial') t WHERE t.part LIKE '%change%';
	PERFORM drop_tag('trial');
END $$;
-- Events more: as many as are missing, of the kind that counts, with attributes and value as they are asked for.
SELECT rule, c.* FROM (VALUES
	($$event_count(timeline, 'order') >= 4$$), ($$event_count(timeline, 'order') >= 40$$), ($$event_count(timeline, 'order') >= 5000$$), ($$event_count(timeline, 'order[channel=app,items>=5]') >= 3$$),
	($$event_count(timeline, 'order[channel=app]') > event_count(timeline, 'order[channel=web]') + 2$$), ($$event_count(timeline) = 8$$), ($$event_count(timeline, 'order[value>=200]') >= 3$$),
	($$event_sum(timeline, 'order') >= 500$$), ($$event_sum(timeline, 'order') > 500$$), ($$event_sum(timeline, 'order') BETWEEN 500 AND 600$$), ($$event_sum(timeline) < 100$$),
	($$event_sum(timeline, 'order') / event_count(timeline, 'order') > 200$$), ($$event_sum(timeline, 'order') >= 500 AND event_count(timeline, 'order') >= 6$$),
	($$event_sum(timeline, 'order') = 500$$), ($$event_count(timeline, 'complaint') = 0$$), ($$event_count(timeline, 'order', '2027-01-01') > 0$$), ($$event_count(timeline, 'order', until => '2026-02-01') > 1$$),
	($$last_event(timeline, 'order') > as_of - interval '3 days'$$), ($$active_days(timeline) >= 5$$), ($$window_funnel(timeline, '30 days', '{order,complaint,call}') >= 3$$),
	($$sequence_match(timeline, '(?1)(?2)', '{order,complaint}')$$), ($$session_count(timeline, '30 minutes') > 6$$), ($$event_count(timeline, 'order') >= 4 AND city = 'Rome'$$),
	($$event_count(timeline, 'order') >= 4 OR city = 'Rome'$$), ($$(last_event_of(timeline, 'order')).value > 100$$), ($$event_count(timeline, 'call') > 0 OR event_count(timeline, 'chat') > 1$$),
	($$event_count(timeline, 'order[channel=app,channel=web]') > 0$$), ($$velocity(timeline, '1 day', 'order') >= 2$$), ($$event_count(timeline, 'order') >= 4 IS NOT TRUE$$)) r (rule), changes(rule) c;
-- Events fewer: one by its time, several by their place.
SELECT rule, c.* FROM (VALUES
	($$event_count(timeline, 'order') >= 3$$), ($$event_count(timeline, 'order') >= 2$$), ($$event_count(timeline, 'order') >= 1$$), ($$event_sum(timeline, 'order') >= 200$$), ($$event_sum(timeline, 'order') >= 100$$),
	($$first_event(timeline, 'order') < '2026-02-01'$$), ($$first_event(timeline, 'order') < '2026-02-15'$$), ($$last_event(timeline, 'order') > '2026-02-01'$$), ($$active_days(timeline) >= 3$$),
	($$event_count(timeline, 'order') > 0 AND event_count(timeline, 'visit') = 0$$), ($$event_sum(timeline, 'refund') < 0 AND event_count(timeline, 'order') > 0$$)) r (rule), changes(rule) c;
-- Values of text and numeric rules.
SELECT rule, c.* FROM (VALUES
	($$event_count(timeline, 'order')$$), ($$window_funnel(timeline, '30 days', '{visit,order,refund}')::text$$),
	($$CASE WHEN event_sum(timeline, 'order') >= 1000 THEN 'gold' WHEN event_sum(timeline, 'order') >= 400 THEN 'silver' ELSE 'none' END$$)) r (rule), changes(rule) c;
-- Who never did anything; who is unknown.
SELECT rule, c.* FROM (VALUES ($$event_count(timeline, 'order') >= 2$$), ($$event_sum(timeline, 'order') >= 99.95$$), ($$event_count(timeline) = 0$$), ($$first_event(timeline) < as_of$$)) r (rule), changes(rule, 3) c;

-- Since and until, to the microsecond, in the session's zone.
CREATE FUNCTION clock(rule text, key bigint DEFAULT 1) RETURNS TABLE (part text, detail text, value text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM create_tag('trial', rule);
	RETURN QUERY SELECT t.part, t.detail, t.value FROM explain_tag(key, 'trial') t WHERE t.part IN ('since', 'until');
	PERFORM drop_tag('trial');
END $$;
CREATE VIEW rules AS SELECT * FROM (VALUES
	($$event_count(timeline, 'order') >= 2$$), ($$event_count(timeline, 'order', as_of - interval '4000 days') >= 2$$), ($$event_count(timeline, 'order', as_of - interval '20 years') >= 3$$),
	($$event_sum(timeline, 'order', as_of - interval '100 years', as_of - interval '10 years') = 0$$), ($$last_event(timeline, 'order') < as_of - interval '10 years'$$), ($$first_event(timeline)::date > as_of::date - 4000$$),
	($$active_days(timeline, NULL, as_of::date - 4000) >= 4$$), ($$event_count(timeline_slice(timeline, as_of - interval '4000 days'), 'order') >= 1$$), ($$event_count(timeline, 'order', date_trunc('month', as_of) - interval '10 years') = 3$$),
	($$extract(month FROM last_event(timeline)) = extract(month FROM as_of)$$), ($$window_funnel(timeline, '30 days', '{order,refund}') = 2$$), ($$sequence_match(timeline, '(?1).*(?2)', '{order,visit}')$$),
	($$event_count(timeline, 'order', joined) >= 2$$), ($$event_count(timeline, 'order', joined + (as_of - joined) / 2) = 0$$)) v (rule);
SELECT rule, c.* FROM rules, clock(rule) c;
SET timezone = 'America/New_York';
SELECT rule, c.* FROM rules, clock(rule) c WHERE rule ~ 'date|20 years';
SET timezone = 'UTC';
-- What is dated ahead counts when its time has come.
INSERT INTO event VALUES (2, '2099-05-05 05:00Z', 'booking', 10, NULL, NULL);
SELECT count(*) FROM refresh_timelines('people');
SELECT * FROM clock($$event_count(timeline, 'booking', as_of - interval '1 day') = 1$$, 2);
SELECT * FROM changes($$event_count(timeline, 'booking') = 1$$, 2);

-- Many events: the newest are shown.
SELECT create_tag('clicks', $$event_count(timeline, 'click') >= 1600 AND event_sum(timeline, 'click') > 5 AND event_count(timeline, 'click', '2026-01-05') >= 0$$);
SELECT part, detail, value FROM explain_tag(4, 'clicks') WHERE part NOT IN ('now', 'stored');
SELECT * FROM changes($$event_count(timeline, 'click') < 1000$$, 4);

-- In Chinese.
CREATE FUNCTION in_chinese(rule text, key bigint) RETURNS TABLE (part text, detail text, value text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM create_tag('trial', rule);
	RETURN QUERY SELECT t.* FROM explain_tag(key, 'trial', language => 'zh') t WHERE t.part IN ('change', 'no change', 'change not known', 'since', 'until', 'events not shown');
	PERFORM drop_tag('trial');
END $$;
SELECT rule, c.* FROM (VALUES ($$event_count(timeline, 'order') >= 2$$), ($$event_count(timeline, 'order') >= 4$$), ($$event_count(timeline, 'order') = 1$$), ($$event_count(timeline, 'order') = 0$$), ($$event_count(timeline) >= 100$$),
	($$event_sum(timeline, 'order') > 1000$$), ($$event_sum(timeline, 'order') BETWEEN 10000 AND 10001$$), ($$event_count(timeline, 'order', as_of - interval '4000 days') >= 2$$), ($$event_count(timeline, 'no_such') < 0$$)) r (rule), in_chinese(rule, 1) c;

-- Who may not read the events.
CREATE ROLE regress_crm_events;
GRANT USAGE ON SCHEMA explain_events, crm TO regress_crm_events;
GRANT SELECT ON people TO regress_crm_events;
SET ROLE regress_crm_events;
SELECT part, detail, value FROM explain_tag(1, 'three', 'people') WHERE part NOT IN ('now', 'stored');
RESET ROLE;

SELECT drop_population('people');
DROP SCHEMA explain_events CASCADE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_events;
DROP ROLE regress_crm_events;
