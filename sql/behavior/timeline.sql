-- crm.timeline: text and binary form, comparison, building, editing, rows.
SET search_path = crm, public;
SET timezone = 'UTC';

-- Every way of writing.
SELECT literal, literal::timeline AS timeline
FROM (VALUES ('[]'), (' [ ] '),
	('[["2026-06-01T10:00:00Z","view"]]'),
	('[["2026-06-01T10:00:00Z","view"],["2026-06-01T10:05:00Z","order",19.9,{"channel":"app"}]]'),
	('[["2026-06-01T10:05:00Z","order"],["2026-06-01T10:00:00Z","view"]]'),
	('[["2026-06-01T10:00:00.000001Z","a"],["2026-06-01T10:00:00.5Z","a"],["2026-06-01T10:00:00.25Z","a"]]'),
	('[["2026-06-01 18:00:00+08","view"]]'),
	('[["2026-06-01 18:00 Asia/Shanghai","view"]]'),
	('[["Mon Jun 01 2026 10:00 UTC","view"]]'),
	('[["2026-06-01T10:00:00.1234567Z","rounded"]]'),
	('[["2026-06-01T24:00:00Z","midnight"]]'),
	('[["4714-11-24T00:00:00Z BC","first"],["294276-12-31T23:59:59.999999Z","last"]]'),
	('[["1999-12-31T23:59:59.999999Z","before 2000"],["0001-01-01T00:00:00Z","year 1"]]'),
	('[["2024-02-29T00:00:00Z","leap"]]'),
	('[["2026-06-01T10:00:00Z","a",null]]'),
	('[["2026-06-01T10:00:00Z","a",null,{}]]'),
	('[["2026-06-01T10:00:00Z","a",0],["2026-06-01T10:00:00Z","a",-0.0],["2026-06-01T10:00:00Z","a"]]'),
	('[["2026-06-01T10:00:00Z","a",1e300],["2026-06-01T10:00:00Z","a",-2.5E-300],["2026-06-01T10:00:00Z","a",0.1]]'),
	('[["2026-06-01T10:00:00Z","a",null,{"n":null,"f":false,"t":true,"x":1.50,"s":"1.50"}]]'),
	('[["2026-06-01T10:00:00Z","a",null,{"x":1e2}],["2026-06-01T10:00:00Z","a",null,{"x":-0.0}],["2026-06-01T10:00:00Z","a",null,{"y":123456789012345678901234567890.5}]]'),
	('[["2026-06-01T10:00:00Z","下单",88,{"渠道":"小程序"}]]'),
	('[["2026-06-01T10:00:00Z",""],["2026-06-01T10:00:00Z","\"\\\u4e0b\n"]]'),
	(E'\n[\t["2026-06-01T10:00:00Z" , "a"\r]\n]')) AS v(literal);

-- Every way of failing.
SELECT ''::timeline;
SELECT '{}'::timeline;
SELECT '1'::timeline;
SELECT 'null'::timeline;
SELECT '[1]'::timeline;
SELECT '["2026-06-01T10:00:00Z"]'::timeline;
SELECT '[[]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z"]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a"]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a"]]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a"],]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a"],["2026-06-01T10:00:00","b"]]'::timeline;
SELECT '[["2026-06-01","a"]]'::timeline;
SELECT '[["now","a"]]'::timeline;
SELECT '[["infinity","a"]]'::timeline;
SELECT '[["-infinity","a"]]'::timeline;
SELECT '[["2026-02-30T00:00:00Z","a"]]'::timeline;
SELECT '[["soon","a"]]'::timeline;
SELECT '[["","a"]]'::timeline;
SELECT '[["294277-01-01T00:00:00Z","a"]]'::timeline;
SELECT '[["4714-11-23T23:59:59Z BC","a"]]'::timeline;
SELECT '[[1,"a"]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z",1]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z",null]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a","1"]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",true]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",{"x":1}]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",NaN]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",1e999]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",1,2]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",1,null]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",1,{"x":1},5]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",1,{"x":[1]}]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",1,{"x":{"y":1}}]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",1,{"x":1,"x":1}]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",[1]]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a\u0000"]]'::timeline;
SELECT '[{"ts":"2026-06-01T10:00:00Z"}]'::timeline;
SELECT repeat('[', 100000)::timeline;
SELECT ('[["2026-06-01T10:00:00Z","' || repeat('n', 1024) || '"]]')::timeline;
SELECT ('[["2026-06-01T10:00:00Z","a",1,{"' || repeat('n', 1024) || '":1}]]')::timeline;
SELECT ('[["2026-06-01T10:00:00Z","a",1,' || jsonb_object_agg('k' || i, i)::text || ']]')::timeline FROM generate_series(1, 65) i;
SELECT length(('[["2026-06-01T10:00:00Z","' || repeat('n', 1023) || '"]]')::timeline::text);
\set VERBOSITY sqlstate
SELECT '['::timeline;
SELECT '[["soon","a"]]'::timeline;
SELECT '[["294277-01-01T00:00:00Z","a"]]'::timeline;
SELECT '[["2026-06-01T10:00:00Z","a",1e999]]'::timeline;
SELECT ('[["2026-06-01T10:00:00Z","' || repeat('n', 1024) || '"]]')::timeline;
\set VERBOSITY default

-- The text hangs on no setting of the session.
SET timezone = 'Asia/Shanghai';
SET datestyle = 'German, DMY';
SET extra_float_digits = -15;
SELECT '[["2026-06-01 18:00:00+08","view",0.1234567890123456]]'::timeline;
RESET extra_float_digits;
RESET datestyle;
SET timezone = 'UTC';

-- Histories of many kinds: sparse and dense, with and without values and attributes, bursts, duplicates.
CREATE TABLE timeline_rows (customer int, ts timestamptz, event text, value float8, attributes jsonb);
INSERT INTO timeline_rows
SELECT i % 97,
	timestamptz '2026-01-01 00:00Z' + CASE i % 97 % 5
		WHEN 0 THEN (i * 7919 % 100003) * interval '1 minute'
		WHEN 1 THEN (i * 104729 % 999983) * interval '1 microsecond'
		WHEN 2 THEN (i % 11) * interval '1 day'
		WHEN 3 THEN (i * i % 10007) * interval '1.5 seconds' - interval '30 years'
		ELSE interval '0' END,
	(ARRAY['view', 'cart', 'order', '签到', 'step ' || i % 40])[1 + i % 5],
	CASE i % 97 % 4 WHEN 0 THEN i % 100 / 4.0 WHEN 1 THEN CASE WHEN i % 3 = 0 THEN sqrt(i) END WHEN 2 THEN i * 1000 END,
	CASE WHEN i % 97 % 3 = 0 AND i % 5 <> 1 THEN
		jsonb_strip_nulls(jsonb_build_object('channel', (ARRAY['app', 'web', '门店'])[1 + i % 4], 'items', i % 3, 'paid', i % 2 = 0)) ||
		CASE WHEN i % 7 = 0 THEN '{"note": null, "price": 1.50}' ELSE '{}' END::jsonb END
FROM generate_series(1, 12000) i;
INSERT INTO timeline_rows SELECT * FROM timeline_rows WHERE customer % 10 = 3;
CREATE TABLE histories AS
	SELECT customer, timeline_agg(ts, event, value, attributes) AS t FROM timeline_rows GROUP BY customer;

-- What went in comes out, row by row, in order.
SELECT count(*) FROM ((SELECT customer, e.* FROM histories, events(t) e EXCEPT ALL SELECT * FROM timeline_rows)
	UNION ALL (SELECT * FROM timeline_rows EXCEPT ALL SELECT customer, e.* FROM histories, events(t) e)) x;
SELECT count(*) FROM (SELECT ts < lag(ts) OVER (PARTITION BY customer ORDER BY n) AS wrong
	FROM histories, events(t) WITH ORDINALITY e(ts, event, value, attributes, n)) x WHERE wrong;
SELECT bool_and(t::text::timeline = t) AS text, bool_and(t::text::jsonb IS NOT NULL) AS json,
	bool_and((SELECT timeline_agg(e.ts, e.event, e.value, e.attributes) FROM events(t) e) = t) AS rows FROM histories;

-- The arguments that are left out.
SELECT timeline_agg(ts, event) = (SELECT timeline_agg(ts, event, NULL) FROM timeline_rows) AS without_values,
	timeline_agg(ts, event, value) = (SELECT timeline_agg(ts, event, value, NULL) FROM timeline_rows) AS without_attributes,
	timeline_agg(ts, event, value::numeric) = timeline_agg(ts, event, value::numeric::float8) AS numeric,
	timeline_agg(ts, event, value::numeric, attributes) = timeline_agg(ts, event, value::numeric::float8, attributes) AS numeric_too
FROM timeline_rows;
SELECT timeline_agg(ts, 'a', 2) AS integer FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);

-- No order of rows matters, nor how they are cut into parts.
SELECT bool_and(s.t = h.t) AS shuffled
FROM histories h, LATERAL (SELECT timeline_agg(ts, event, value, attributes ORDER BY md5(r::text)) AS t FROM timeline_rows r WHERE r.customer = h.customer) s;
SELECT bool_and(m.t = h.t) AS merged, bool_and(d.t = timeline_distinct(h.t)) AS merged_distinct, bool_and(c.t = h.t) AS concatenated
FROM histories h,
	LATERAL (SELECT array_agg(t ORDER BY part) AS parts FROM (SELECT i % 3 AS part, timeline_agg(ts, event, value, attributes) AS t
		FROM (SELECT r.*, row_number() OVER () AS i FROM timeline_rows r WHERE r.customer = h.customer) r GROUP BY 1) p) p,
	LATERAL (SELECT merge_agg(t) AS t FROM unnest(parts) t) m,
	LATERAL (SELECT merge_distinct_agg(t) AS t FROM unnest(parts || parts) t) d,
	LATERAL (SELECT parts[2] || parts[3] || parts[1] AS t) c;
SELECT (SELECT merge_agg(t) FROM histories) = (SELECT timeline_agg(ts, event, value, attributes) FROM timeline_rows) AS all_in_one;
SELECT t = timeline_concat(a, b) AS twin, t FROM (VALUES ('[["2026-06-01T10:00:00Z","a"]]'::timeline, '[["2026-06-01T09:00:00Z","b",1]]'::timeline)) v(a, b), LATERAL (SELECT a || b AS t) c;

-- Duplicates are kept, unless asked otherwise.
SELECT t || t AS both, timeline_distinct(t || t) = t AS once, timeline_distinct(t)
FROM (VALUES ('[["2026-06-01T10:00:00Z","a",1],["2026-06-01T10:00:00Z","a"],["2026-06-01T10:00:00Z","a",1,{"x":1}],["2026-06-01T10:00:00Z","a",1,{"x":"1"}]]'::timeline)) v(t);
SELECT count(*) FROM (SELECT h.customer, e.* FROM histories h, events(timeline_distinct(t)) e
	EXCEPT ALL SELECT DISTINCT * FROM timeline_rows) x;
SELECT count(*) FROM (SELECT DISTINCT * FROM timeline_rows EXCEPT ALL SELECT h.customer, e.* FROM histories h, events(timeline_distinct(t)) e) x;

-- Parallel = serial.
SET parallel_setup_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
ALTER TABLE timeline_rows SET (parallel_workers = 2);
ALTER TABLE histories SET (parallel_workers = 2);
CREATE STATISTICS timeline_parts ON (customer % 7) FROM timeline_rows;
ANALYZE timeline_rows;
EXPLAIN (COSTS OFF) CREATE TABLE partial AS SELECT customer % 7 AS part, timeline_agg(ts, event, value, attributes) AS t FROM timeline_rows GROUP BY 1;
CREATE TABLE partial AS SELECT customer % 7 AS part, timeline_agg(ts, event, value, attributes) AS t FROM timeline_rows GROUP BY 1;
CREATE TABLE histories_parallel AS SELECT customer, timeline_agg(ts, event, value, attributes) AS t FROM timeline_rows GROUP BY customer;
SELECT count(*) AS parts, bool_and(p.t = (SELECT merge_agg(h.t) FROM histories h WHERE h.customer % 7 = p.part)) AS same FROM partial p;
EXPLAIN (COSTS OFF) SELECT merge_agg(t) FROM histories;
SELECT (SELECT count(*) FROM histories_parallel) AS customers, count(*) AS differ FROM (SELECT * FROM histories_parallel EXCEPT SELECT * FROM histories) x;
SELECT (SELECT merge_agg(t) FROM histories) = (SELECT timeline_agg(ts, event, value, attributes) FROM timeline_rows) AS same;
SELECT (SELECT merge_distinct_agg(t) FROM histories) = timeline_distinct((SELECT merge_agg(t) FROM histories)) AS same;
SELECT set_config(name, 'on', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SELECT count(*) AS customers, bool_and(h.t = p.t AND h.t::text::timeline = p.t) AS same FROM histories h JOIN histories_parallel p USING (customer);
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SET max_parallel_workers_per_gather = 0;

-- In little memory, sorted and hashed, and as a window.
SET work_mem = '64kB';
SELECT count(*) AS differ FROM (SELECT customer, timeline_agg(ts, event, value, attributes) AS t FROM timeline_rows GROUP BY customer EXCEPT SELECT * FROM histories) x;
SET enable_hashagg = off;
SELECT count(*) AS differ FROM (SELECT customer, timeline_agg(ts, event, value, attributes) AS t FROM timeline_rows GROUP BY customer EXCEPT SELECT * FROM histories) x;
RESET enable_hashagg;
RESET work_mem;
SELECT count(*) AS differ FROM (SELECT DISTINCT customer, timeline_agg(ts, event, value, attributes) OVER (PARTITION BY customer) AS t FROM timeline_rows EXCEPT SELECT * FROM histories) x;
SELECT n, timeline_agg(ts, 'e' || n) OVER (ORDER BY n ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES (1, timestamptz '2026-01-03Z'), (2, '2026-01-01Z'), (3, '2026-01-02Z')) v(n, ts);
SELECT timeline_agg(ts, event) FILTER (WHERE value > 1) AS some, timeline_agg(ts, event, value) AS every, timeline_agg(DISTINCT ts, event) AS distinct_rows
FROM (VALUES (timestamptz '2026-01-01Z', 'a', 1.0), ('2026-01-02Z', 'a', 2), ('2026-01-02Z', 'a', 3)) v(ts, event, value);

-- NULL and nothing.
SELECT timeline_agg(ts, event, value, attributes)
FROM (VALUES (NULL::timestamptz, 'a', 'NaN'::float8, NULL::jsonb), ('2026-06-01Z', NULL, 1, '[]'), ('2026-06-02Z', 'b', NULL, '{}'), ('2026-06-03Z', 'c', 0, NULL)) v(ts, event, value, attributes);
SELECT timeline_agg(ts, event) AS no_rows FROM timeline_rows WHERE false;
SELECT merge_agg(t), merge_distinct_agg(t) FROM histories WHERE false;
SELECT merge_agg(t), merge_distinct_agg(t) FROM (VALUES (NULL::timeline), ('[]'), ('[["2026-06-01T10:00:00Z","a"]]'), (NULL)) v(t);
SELECT merge_agg(t) FROM (VALUES (NULL::timeline), ('[]')) v(t);
SELECT NULL::timeline || '[]' AS concat, timeline_distinct(NULL) AS distinct_of, timeline_slice(NULL) AS slice, '[]'::timeline || '[]' AS empty,
	timeline_distinct('[]') AS empty_distinct, timeline_slice('[]', '2026-01-01Z') AS empty_slice;
SELECT * FROM events(NULL);
SELECT * FROM events('[]');
SELECT e.ts FROM events('[["2026-06-01T10:00:00Z","a"],["2026-06-01T11:00:00Z","a"]]') e LIMIT 1;
SELECT (events('[["2026-06-01T10:00:00Z","a"],["2026-06-01T11:00:00Z","a",1,{"x":1}]]')).*;

-- What cannot be an event.
SELECT timeline_agg(ts, 'a') FROM (VALUES (timestamptz 'infinity')) v(ts);
SELECT timeline_agg(ts, 'a', 'NaN'::float8) FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, 'a', 'NaN'::numeric) FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, 'a', '-infinity'::float8) FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, repeat('n', 1024)) FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, 'a', 1, '{"a": {"b": 1}}') FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, 'a', 1, '{"list": [1]}') FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, 'a', 1, '[1]') FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, 'a', 1, '7') FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, 'a', 1, jsonb_build_object(repeat('n', 1024), 1)) FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, 'a', 1, (SELECT jsonb_object_agg('k' || i, i) FROM generate_series(1, 65) i)) FROM (VALUES (timestamptz '2026-06-01Z')) v(ts);
SELECT timeline_agg(ts, 'a', 1, jsonb_build_object('k' || n, 1)) FROM (SELECT n, timestamptz '2026-06-01Z' AS ts FROM generate_series(1, 65) n) v;
SELECT length(timeline_agg(ts, 'a', 1, jsonb_build_object('k' || n, n))::text) FROM (SELECT n, timestamptz '2026-06-01Z' AS ts FROM generate_series(1, 64) n) v;
SELECT timeline_agg_finalfn(NULL);
SELECT timeline_agg_combinefn(NULL, NULL);
SELECT merge_agg_transfn(NULL, '[]');

-- Cutting by time: since is included, until is not.
SELECT timeline_slice(t, '2026-06-02Z', '2026-06-03Z') AS day, timeline_slice(t, '2026-06-02Z') AS since, timeline_slice(t, until => '2026-06-02Z') AS until,
	timeline_slice(t) = t AS everything, timeline_slice(t, '-infinity', 'infinity') = t AS infinite, timeline_slice(t, 'infinity') AS never,
	timeline_slice(t, '2026-06-03Z', '2026-06-02Z') AS backwards
FROM (VALUES ('[["2026-06-01T23:59:59.999999Z","a"],["2026-06-02T00:00:00Z","b",1,{"x":1}],["2026-06-03T00:00:00Z","c"]]'::timeline)) v(t);
SELECT count(*) FROM (SELECT customer, e.* FROM histories, events(timeline_slice(t, '2026-01-03Z', '2026-02-10Z')) e
	EXCEPT ALL SELECT * FROM timeline_rows WHERE ts >= '2026-01-03Z' AND ts < '2026-02-10Z') x;
SELECT bool_and(timeline_slice(t, until => cut) || timeline_slice(t, cut) = t) FROM histories, (VALUES (timestamptz '2026-01-02Z'), ('2026-01-20Z'), ('1996-01-01Z')) v(cut);

-- Keeping, dropping and erasing kinds of events.
SELECT timeline_only(t, 'order') AS only, timeline_only(t, 'view', 'cart') AS only_two, timeline_without(t, 'view') AS without,
	timeline_without(t, 'order[channel=app]', 'cart') AS without_some, timeline_without(t, '*') AS nothing, timeline_only(t, '*') = t AS everything,
	timeline_only(t, 'none') AS none, timeline_without(t, 'none') = t AS all_of_it, timeline_only(t, VARIADIC ARRAY['cart', 'view[value>2]']) AS variadic
FROM (VALUES ('[["2026-06-01T10:00:00Z","view",3],["2026-06-01T11:00:00Z","cart"],["2026-06-01T12:00:00Z","order",19.9,{"channel":"app"}],["2026-06-02T12:00:00Z","order",7.5,{"channel":"web"}]]'::timeline)) v(t) \gx
SELECT timeline_erase(t) AS all, timeline_erase(t, ARRAY['order']) AS kind, timeline_erase(t, NULL, '2026-06-01 11:00Z') AS since,
	timeline_erase(t, until => '2026-06-01 11:00Z') AS until, timeline_erase(t, ARRAY['order'], '2026-06-02Z', '2026-06-03Z') AS kind_and_range,
	timeline_erase(t, ARRAY['order'], 'infinity') = t AS nothing
FROM (VALUES ('[["2026-06-01T10:00:00Z","view",3],["2026-06-01T11:00:00Z","cart"],["2026-06-01T12:00:00Z","order",19.9,{"channel":"app"}],["2026-06-02T12:00:00Z","order",7.5,{"channel":"web"}]]'::timeline)) v(t) \gx
SELECT bool_and(timeline_only(t, 'view', 'cart', '签到') || timeline_without(t, 'view', 'cart', '签到') = t) FROM histories;
SELECT count(*) FROM (SELECT customer, e.* FROM histories, events(timeline_erase(t, ARRAY['view', 'order'], '2026-01-03Z', '2026-02-10Z')) e
	EXCEPT ALL SELECT * FROM timeline_rows WHERE NOT (event IN ('view', 'order') AND ts >= '2026-01-03Z' AND ts < '2026-02-10Z')) x;
SELECT count(*) FROM (SELECT * FROM timeline_rows WHERE NOT (event IN ('view', 'order') AND ts >= '2026-01-03Z' AND ts < '2026-02-10Z')
	EXCEPT ALL SELECT customer, e.* FROM histories, events(timeline_erase(t, ARRAY['view', 'order'], '2026-01-03Z', '2026-02-10Z')) e) x;
SELECT timeline_only(NULL, 'a') AS only, timeline_without(NULL, 'a') AS without, timeline_erase(NULL) AS erased, timeline_only('[]', 'a') AS empty,
	timeline_without('[]', 'a') AS empty_without, timeline_erase('[]') AS empty_erased, timeline_only('[]', VARIADIC NULL) AS no_kinds;
SELECT timeline_only('[]', 'order[channel=');
SELECT timeline_without('[["2026-06-01T10:00:00Z","a"]]', 'a', NULL);
SELECT timeline_only('[]', VARIADIC ARRAY[]::text[]);
SELECT timeline_erase('[]', ARRAY[]::text[]);

-- Comparison: equal histories are equal values.
SELECT a = b AS eq, a <> b AS ne, a < b AS lt, a <= b AS le, a >= b AS ge, a > b AS gt, timeline_cmp(a, b)
FROM (VALUES ('[["2026-06-01T10:00:00Z","a"]]'::timeline, '[["2026-06-01 12:00:00+02","a",null,{}]]'::timeline),
	('[]', '[["2026-06-01T10:00:00Z","a"]]'), ('[["2026-06-01T10:00:00Z","a"]]', '[["2026-06-01T10:00:00Z","b"]]')) v(a, b);
SELECT bool_and((a.t = b.t) = (a.t::text = b.t::text) AND (a.t = b.t) <= (timeline_hash(a.t) = timeline_hash(b.t))
	AND (a.t = b.t) <= (timeline_hash_extended(a.t, 7) = timeline_hash_extended(b.t, 7)) AND timeline_cmp(a.t, b.t) = -timeline_cmp(b.t, a.t))
FROM histories a, histories b WHERE a.customer < 20 AND b.customer < 20;
SELECT count(*), count(DISTINCT t) FROM histories_parallel;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM histories a JOIN histories_parallel b ON a.t = b.t;
RESET enable_nestloop;
RESET enable_hashjoin;
SELECT count(*) FROM histories a JOIN histories_parallel b ON a.t = b.t;

-- A long one: 100,000 events, about a megabyte of text and more.
CREATE TABLE long_history AS
	SELECT timeline_agg(timestamptz '2026-01-01Z' + i * interval '7 seconds', 'event ' || i % 3000, i / 7.0, jsonb_build_object('n', i % 1000)) AS t
	FROM generate_series(1, 100000) i;
SELECT length(t::text) > 1000000 AS long, t::text::timeline = t AS text, (SELECT count(*) FROM events(t)) AS events,
	timeline_slice(t, until => '2026-01-05Z') || timeline_slice(t, '2026-01-05Z') = t AS cut FROM long_history;

-- A dump and its restoring, as text and as binary.
CREATE TABLE restored (customer int, t timeline);
DO $$
DECLARE
	file text := current_setting('data_directory') || '/crm_timeline_copy.';
BEGIN
	EXECUTE format('COPY histories TO %L', file || 'txt');
	EXECUTE format('COPY restored FROM %L', file || 'txt');
	EXECUTE format('COPY histories TO %L (FORMAT binary)', file || 'bin');
	EXECUTE format('COPY restored FROM %L (FORMAT binary)', file || 'bin');
END $$;
SELECT count(*), count(DISTINCT r.customer), bool_and(r.t = h.t) FROM restored r JOIN histories h USING (customer);

-- Damaged bytes: refused, or a value whose form is the one that its events have.
CREATE TABLE received (t timeline);
CREATE FUNCTION pg_temp.try(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('data_directory') || '/crm_timeline_damaged.bin';
	o oid := lo_from_bytea(0, '\x5047434f50590aff0d0a0000000000000000000001'::bytea || int4send(octet_length(bytes)) || bytes || '\xffff'::bytea);
	good boolean;
BEGIN
	PERFORM lo_export(o, file);
	PERFORM lo_unlink(o);
	DELETE FROM received;
	EXECUTE format('COPY received FROM %L (FORMAT binary)', file);
	SELECT timeline_send(t) = bytes AND t::text::timeline = t AND (SELECT timeline_agg(e.ts, e.event, e.value, e.attributes) FROM events(t) e) = t
	INTO good FROM received;
	RETURN CASE WHEN good THEN 'good' ELSE 'wrong' END;
EXCEPTION WHEN invalid_binary_representation THEN
	RETURN 'refused';
END $$;
SELECT pg_temp.try(timeline_send(t)), pg_temp.try(timeline_send(t) || '\x00'), pg_temp.try('\x'), pg_temp.try('\x10'), pg_temp.try('\x1000'), pg_temp.try('\x2000')
FROM histories WHERE customer = 3;
SELECT setseed(0.5);
SELECT bool_or(outcome = 'wrong') AS wrong, bool_or(outcome = 'refused') AS refused, bool_or(outcome = 'good') AS good, count(*)
FROM histories, generate_series(1, 7) i,
	LATERAL (SELECT timeline_send(t) AS bytes) b,
	LATERAL (SELECT floor(random() * least(octet_length(bytes), CASE WHEN i % 2 = 0 THEN 60 ELSE 1000000 END))::int AS at) p,
	LATERAL (SELECT pg_temp.try(set_byte(bytes, at, (get_byte(bytes, at) + 1 + i * 37 % 255) % 256)) AS outcome) o;
SELECT outcome, count(*) FROM histories, generate_series(1, 3) i, LATERAL (SELECT timeline_send(t) AS bytes) b,
	LATERAL (SELECT pg_temp.try(substr(bytes, 1, floor(random() * octet_length(bytes))::int)) AS outcome) o GROUP BY outcome;
-- A name that is not text in this database.
SELECT pg_temp.try(overlay(timeline_send('[["2026-06-01T10:00:00Z","xyz"]]') PLACING '\xff' FROM position('\x78797a'::bytea IN timeline_send('[["2026-06-01T10:00:00Z","xyz"]]')) FOR 1));
-- A number that is not spelled as numbers are.
SELECT spelling, pg_temp.try(overlay(bytes PLACING spelling::bytea FROM position('7.125'::bytea IN bytes) FOR 5))
FROM (SELECT timeline_send('[["2026-06-01T10:00:00Z","xyz",null,{"n":7.125}]]') AS bytes) b,
	(VALUES ('8.125'), ('08.12'), ('8125.'), ('.8125'), ('-0.00'), ('-1.00'), ('1e100'), ('NaN  '), ('+8.12'), ('81 25')) v(spelling);

-- Damaged states of the aggregates: refused, or usable; never a crash.
CREATE AGGREGATE pg_temp.partial_rows(timestamptz, text, float8, jsonb) (SFUNC = timeline_agg_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.partial_pieces(timeline) (SFUNC = merge_agg_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.resume(agg_state) (SFUNC = timeline_agg_combinefn, STYPE = agg_state, FINALFUNC = timeline_agg_finalfn);
CREATE TABLE states AS
	SELECT customer, pg_temp.partial_rows(ts, event, value, attributes)::text AS state FROM timeline_rows WHERE customer < 12 GROUP BY customer
	UNION ALL SELECT 100 + customer % 3, pg_temp.partial_pieces(timeline_slice(t, until => '2026-01-02Z'))::text FROM histories GROUP BY customer % 3;
SELECT bool_and((SELECT pg_temp.resume(s.state::agg_state) FROM states s WHERE s.customer = h.customer) = h.t) AS resumed FROM histories h WHERE customer < 12;
CREATE FUNCTION pg_temp.try_state(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	t crm.timeline;
BEGIN
	SELECT pg_temp.resume(s) INTO t FROM (VALUES (replace(encode(bytes, 'base64'), E'\n', '')::crm.agg_state), (NULL)) v(s);
	RETURN CASE WHEN t::text::crm.timeline = t THEN 'good' ELSE 'wrong' END;
EXCEPTION WHEN data_corrupted OR invalid_text_representation OR program_limit_exceeded THEN
	RETURN 'refused';
END $$;
SELECT bool_or(outcome = 'wrong') AS wrong, bool_or(outcome = 'refused') AS refused, bool_or(outcome = 'good') AS good, count(*)
FROM states, generate_series(1, 60) i, LATERAL (SELECT decode(state, 'base64') AS bytes) b,
	LATERAL (SELECT floor(random() * least(octet_length(bytes), CASE WHEN i % 2 = 0 THEN 200 ELSE 1000000 END))::int AS at) p,
	LATERAL (SELECT pg_temp.try_state(set_byte(bytes, at, (get_byte(bytes, at) + 1 + i * 37 % 255) % 256)) AS outcome) o;

DROP TABLE timeline_rows, histories, histories_parallel, partial, long_history, restored, received, states;
RESET timezone;
