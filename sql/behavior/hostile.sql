-- Values and states that no aggregate wrote: refused, whoever makes an aggregate of our functions and hands them in.
SET search_path = crm, public;

-- Counts of activities: a head that is none, and columns outside of the table.
CREATE AGGREGATE pg_temp.life_cycle_parts(agg_state) (sfunc = life_cycle_combinefn, stype = agg_state, finalfunc = life_cycle_finalfn);
CREATE AGGREGATE pg_temp.active_users_parts(agg_state) (sfunc = active_users_combinefn, stype = agg_state, finalfunc = active_users_finalfn);
CREATE FUNCTION pg_temp.counts(tab int, period int, col int, option int) RETURNS agg_state IMMUTABLE LANGUAGE sql AS $$
	SELECT translate(encode('\xa7c50b01'::bytea || set_byte('\x00', 0, tab) || '\x060700' || set_byte('\x00000000', 0, option) || '\x00000000' || '\x00000000' || '\x03000000'
		|| '\x01000000' || '\x0000000000000000' || '\x01' || set_byte('\x00', 0, period) || '\x010355544300'
		|| substr(int8send(col::bigint & 4294967295), 8, 1) || substr(int8send(col::bigint & 4294967295), 7, 1)
		|| substr(int8send(col::bigint & 4294967295), 6, 1) || substr(int8send(col::bigint & 4294967295), 5, 1) || '\x00000000' || '\x4141000000000000'
		|| decode(repeat('00', 63 * 16), 'hex'), 'base64'), E'\n', '')::agg_state
$$;
SELECT pg_temp.life_cycle_parts(pg_temp.counts(2, 1, 2, 0)) IS NOT NULL AS taken;
SELECT pg_temp.life_cycle_parts(s) FROM (VALUES (pg_temp.counts(2, 1, 2, 0)), (pg_temp.counts(2, 200, 2, 0))) v(s);
SELECT pg_temp.life_cycle_parts(pg_temp.counts(2, 1, -100000000, 0));
SELECT pg_temp.active_users_parts(pg_temp.counts(4, 1, -100000000, 1));

-- Events in a view, read by who may: a view's query names the view itself, so it must be looked through once.
CREATE ROLE regress_hostile_reader;
CREATE TABLE hostile_customer (id bigint PRIMARY KEY);
CREATE TABLE hostile_base (id bigint, ts timestamptz, name text);
CREATE VIEW hostile_event AS SELECT * FROM hostile_base;
INSERT INTO hostile_customer VALUES (1);
INSERT INTO hostile_base VALUES (1, '2026-01-01', 'buy');
SELECT create_population('hostile', 'hostile_customer', 'id', events => 'hostile_event', event_key => 'id', event_time => 'ts', event_name => 'name') IS NOT NULL AS created;
SELECT events, customers FROM refresh_timelines('hostile');
GRANT USAGE ON SCHEMA crm TO regress_hostile_reader;
GRANT SELECT ON hostile_customer, hostile_event TO regress_hostile_reader;
SET ROLE regress_hostile_reader;
SELECT customer_id, event_count(timeline) FROM customer_timelines WHERE population = 'hostile';
RESET ROLE;
ALTER TABLE hostile_base ENABLE ROW LEVEL SECURITY;
SET ROLE regress_hostile_reader;
SELECT customer_id, event_count(timeline) FROM customer_timelines WHERE population = 'hostile';
RESET ROLE;
SELECT drop_population('hostile');
DROP VIEW hostile_event;
DROP TABLE hostile_base, hostile_customer;
DROP OWNED BY regress_hostile_reader;
DROP ROLE regress_hostile_reader;
