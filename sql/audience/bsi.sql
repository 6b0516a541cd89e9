-- crm.bsi: one exact number per customer, against plain SQL.
SET search_path = crm, public;

-- Text: any order, any number of digits, all shown with those of the one that has most.
SELECT '{}'::bsi, ' { 3 : 1 , 1:+10.50,2:-0.5,9223372036854775807:7 } '::bsi, '{0:0}'::bsi, '{1:0.00,2:-0}'::bsi, '{1:007.10}'::bsi;
SELECT '{1:170141183460469231731687303715884105727,2:-170141183460469231731687303715884105728}'::bsi;
SELECT '{1:0.00000000000000000000000000000000000001}'::bsi;
DO $$
DECLARE
	literal text;
	state text;
	message text;
BEGIN
	FOREACH literal IN ARRAY ARRAY['', '{', '}', '{}x', '{1}', '{1:}', '{1:2', '{1:2,}', '{,1:2}', '{1:2 3:4}', '{:2}', '{1:.5}', '{1:5.}', '{1:1.2.3}', '{1:1e3}', '{1:NaN}',
		'{1:--1}', '{1:1,1:2}', '{2:1,1:2,2:1}', '{-1:1}', '{9223372036854775808:1}', '{1:170141183460469231731687303715884105728}',
		'{1:0.000000000000000000000000000000000000001}', '{1:17014118346046923173168730371588410572,2:0.01}', '{x:1}', '{1:客户}', '7:{1:2}']
	LOOP
		BEGIN
			PERFORM literal::crm.bsi;
			RAISE NOTICE '% accepted', literal;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT;
			RAISE NOTICE '% %', state, message;
		END;
	END LOOP;
END $$;

-- The aggregates: NULL, several rows of a customer, no rows, FILTER, DISTINCT, order.
SELECT bsi_agg(id, v), bsi_agg(id, v) FILTER (WHERE id = 2), bsi_agg(DISTINCT id, v), bsi_agg(id, v ORDER BY v DESC), bsi_agg(id, v) FILTER (WHERE false)
FROM (VALUES (1::bigint, 10.50::numeric), (2, -3), (2, 1.255), (2, -3), (7, 0), (NULL, 4), (9, NULL)) t(id, v);
SELECT bsi_agg(id, v::bigint), bsi_agg(id, v::int), bsi_agg(id, v::numeric) FROM (VALUES (1, 10), (2, -3), (1, 5)) t(id, v);
SELECT bsi_agg(i, i::bigint * 9000000000000000000) FROM generate_series(-1, 1) i WHERE i >= 0;
SELECT bsi_agg(i, v), bsi_merge_agg(b) FROM (SELECT NULL::bigint, NULL::numeric, NULL::bsi) t(i, v, b);
SELECT bsi_merge_agg(b) FROM (VALUES ('{1:1.5,2:2}'::bsi), (NULL), ('{2:3.25}'), ('{}')) t(b);
SELECT bsi_agg(-1, 1);
SELECT bsi_agg(1, 'NaN'::numeric);
SELECT bsi_agg(1, '-Infinity'::numeric);
SELECT bsi_agg(1, 1e38);
SELECT bsi_agg(1, 2e38);
SELECT bsi_agg(1, 1e-39);
SELECT bsi_agg(i, v) FROM (VALUES (1, 1e38), (2, 0.1)) t(i, v);
SELECT bsi_agg(1, v) FROM (VALUES (1.7e38), (1.7e38)) t(v);
\set VERBOSITY terse
SELECT bsi_agg_transfn('{}', 1, 1);
SELECT bsi_merge_transfn('{}', '{}');
\set VERBOSITY default

-- Questions to a few numbers, ties and negative ones among them; zero is a number.
CREATE TABLE bsi_few AS SELECT '{1:-5.25,2:0,3:7.5,4:7.5,5:100,9:7.5,11:-5.25}'::bsi AS b, '{2..4,9,20}'::audience AS a, '{20}'::audience AS nobody;
SELECT bsi_count(b), bsi_sum(b), bsi_avg(b), bsi_min(b), bsi_max(b) FROM bsi_few;
SELECT bsi_count(b, a), bsi_sum(b, a), bsi_avg(b, a), bsi_min(b, a), bsi_max(b, a) FROM bsi_few;
SELECT bsi_count(b, nobody), bsi_sum(b, nobody), bsi_avg(b, nobody), bsi_min(b, nobody), bsi_max(b, nobody), bsi_quantile(b, 0.5, nobody), bsi_top(b, 3, nobody), bsi_range(b, 0, 1, nobody) FROM bsi_few;
SELECT bsi_count('{}'), bsi_sum('{}'), bsi_avg('{}'), bsi_min('{}'), bsi_max('{}'), bsi_quantile('{}', 0), bsi_top('{}', 3), bsi_range('{}', NULL, NULL), bsi_value('{}', 1), '{}'::bsi + '{}';
SELECT bsi_count(NULL), bsi_sum(NULL), bsi_sum(b, NULL), bsi_avg(b, NULL), bsi_min(b, NULL), bsi_max(b, NULL), bsi_quantile(b, NULL), bsi_quantile(b, 0.5, NULL), bsi_top(b, NULL), bsi_top(b, 1, NULL),
	bsi_range(b, 1, 2, NULL), bsi_range(NULL, 1, 2), bsi_range(NULL, 1, 2, a), bsi_value(b, NULL), b + NULL FROM bsi_few;
SELECT q, bsi_quantile(b, q), bsi_quantile(b, q, a) FROM bsi_few, unnest('{0,0.1,0.25,0.5,0.625,0.9,1}'::float8[]) q;
SELECT k, bsi_top(b, k), bsi_top(b, k, a) FROM bsi_few, generate_series(0, 8) k;
SELECT lo, hi, bsi_range(b, lo, hi), bsi_range(b, lo, hi, a)
FROM bsi_few, (VALUES (0, 7.5), (NULL, 0), (7.5, NULL), (NULL::numeric, NULL::numeric), (7.4999999999999999999, 7.5000000000000000001), (7.4999, 7.4999), (7.51, 7.5), (-5.25, -5.25),
	(0.00000001, 99.99999999), (1e60, NULL), (NULL, -1e60), (-1e60, 1e60), (1e37, 2e37)) r(lo, hi);
SELECT bsi_value(b, 1), bsi_value(b, 2), bsi_value(b, 6), bsi_value(b, -1) FROM bsi_few;
SELECT v.* FROM bsi_few, bsi_values(b) v;
SELECT population_stamp(bsi_range('{1:2,3:4}', 1, 9, '7:{1,2}')), population_stamp(bsi_top('{1:2}', 1, '7:{1}')), population_stamp(bsi_range('{1:1}', 1e99, NULL, '7:{1}'));
SELECT bsi_quantile(b, 1.5) FROM bsi_few;
SELECT bsi_quantile(b, 'NaN') FROM bsi_few;
SELECT bsi_top(b, -1) FROM bsi_few;
SELECT bsi_range(b, 'NaN', NULL) FROM bsi_few;
SELECT bsi_range(b, NULL, 'Infinity') FROM bsi_few;

-- Equality looks at numbers, not at how many digits are shown; sums per customer.
SELECT '{1:1.50,2:3}'::bsi = '{2:3.0,1:1.5}' AS same, '{1:1.50}'::bsi <> '{1:1.51}' AS other, '{1:0}'::bsi = '{}' AS zero_is_none, '{1:0}'::bsi = '{2:0}' AS other_customer,
	'{1:170141183460469231731687303715884105727}'::bsi = '{1:0.1}' AS far;
SELECT count(*) FROM (SELECT DISTINCT b FROM (VALUES ('{1:1.50,2:3}'::bsi), ('{2:3.0,1:1.5}'), ('{1:1.5}'), ('{}'), ('{1:0}'), ('{1:0.00}')) t(b)) d;
SELECT '{1:1.5,2:-2}'::bsi + '{2:2.25,3:1}', bsi_add('{1:1}', '{}'), '{1:-1}'::bsi + '{1:-1,2:-1}';
SELECT '{1:170141183460469231731687303715884105727}'::bsi + '{1:1}';
SELECT '{1:17014118346046923173168730371588410572}'::bsi + '{2:0.01}';

-- Many numbers of several kinds; brute force is plain SQL over the rows.
SELECT setseed(0.25);
CREATE TABLE bsi_rows AS
SELECT i AS no, kind, CASE kind WHEN 'dense' THEN i WHEN 'gaps' THEN i * 37 WHEN 'wide' THEN i * 9000000000001 ELSE i % 97 END AS id,
	CASE kind WHEN 'dense' THEN round((random() * 2000 - 100)::numeric, 2) WHEN 'gaps' THEN round((random() * 20)::numeric)
		WHEN 'wide' THEN round((random() - 0.5)::numeric * 1e17, 6) ELSE round((random() * 10 - 5)::numeric, (i % 4)::int) END AS v,
	random() < 0.3 AS chosen
FROM unnest('{dense,gaps,wide,many}'::text[]) kind, generate_series(1::bigint, 30000) i WHERE kind IN ('dense', 'many') OR i <= 7000;
INSERT INTO bsi_rows VALUES (0, 'dense', 5, NULL, false), (0, 'dense', NULL, 5, false);
ANALYZE bsi_rows;
CREATE VIEW bsi_plain AS SELECT kind, id, sum(v) AS v, bool_or(chosen) AS chosen FROM bsi_rows WHERE v IS NOT NULL AND id IS NOT NULL GROUP BY kind, id;
CREATE TABLE bsi_built AS SELECT kind, bsi_agg(id, v) AS b, audience_agg(id) FILTER (WHERE chosen) AS a FROM bsi_rows GROUP BY kind;
SELECT kind, bsi_count(b) = p.n AS n, bsi_sum(b) = p.s AS s, bsi_avg(b) = p.m AS m, bsi_min(b) = p.least AS least, bsi_max(b) = p.most AS most,
	bsi_count(b, a) = c.n AS cn, bsi_sum(b, a) = c.s AS cs, bsi_avg(b, a) = c.m AS cm, bsi_min(b, a) = c.least AS c_least, bsi_max(b, a) = c.most AS c_most
FROM bsi_built
JOIN (SELECT kind, count(*) AS n, sum(v) AS s, avg(v) AS m, min(v) AS least, max(v) AS most FROM bsi_plain GROUP BY kind) p USING (kind)
JOIN (SELECT kind, count(*) AS n, sum(v) AS s, avg(v) AS m, min(v) AS least, max(v) AS most FROM bsi_plain WHERE chosen GROUP BY kind) c USING (kind) ORDER BY kind;
SELECT kind, count(*), bool_and(x.value = p.v AND bsi_value(b, p.id) = p.v) AS good
FROM bsi_built CROSS JOIN LATERAL bsi_values(b) x FULL JOIN bsi_plain p USING (kind, id) GROUP BY kind ORDER BY kind;
SELECT kind, count(*), bool_and(bsi_range(b, lo, hi) = (SELECT audience_agg(id) FROM bsi_plain p WHERE p.kind = x.kind AND v BETWEEN coalesce(lo, '-inf') AND coalesce(hi, 'inf'))) AS good,
	bool_and(bsi_range(b, lo, hi, a) = (SELECT audience_agg(id) FROM bsi_plain p WHERE p.kind = x.kind AND chosen AND v BETWEEN coalesce(lo, '-inf') AND coalesce(hi, 'inf'))) AS among
FROM bsi_built x, (VALUES (0, 10), (NULL, 7.5), (500.005, NULL), (-99.995, 1200.335), (-3, -1.5), (0, 0), (-1e15, 2e16), (5, 5), (-0.001, 0.001), (-1e40, 0)) r(lo, hi) GROUP BY kind ORDER BY kind;
-- The place between two numbers, in decimals.
SELECT kind, count(*), bool_and(bsi_quantile(b, q) = low + (h - floor(h)) * (high - low)) AS good, bool_and(abs(bsi_quantile(b, q)::float8 - c) <= 1e-9 * abs(c)) AS as_percentile_cont
FROM bsi_built x, unnest('{0,0.001,0.1,0.25,0.333,0.5,0.75,0.9,0.999,1}'::float8[]) q,
	LATERAL (SELECT array_agg(v ORDER BY v) AS sorted, (count(*) - 1) * q::numeric AS h, percentile_cont(q) WITHIN GROUP (ORDER BY v::float8) AS c FROM bsi_plain p WHERE p.kind = x.kind) s,
	LATERAL (SELECT sorted[floor(h) + 1] AS low, sorted[ceil(h) + 1] AS high) o GROUP BY kind ORDER BY kind;
SELECT kind, count(*), bool_and(bsi_top(b, k) = (SELECT audience_agg(id) FROM (SELECT id FROM bsi_plain p WHERE p.kind = x.kind ORDER BY v DESC, id LIMIT k) t)) AS good,
	bool_and(bsi_top(b, k, a) = (SELECT audience_agg(id) FROM (SELECT id FROM bsi_plain p WHERE p.kind = x.kind AND chosen ORDER BY v DESC, id LIMIT k) t)) AS among
FROM bsi_built x, unnest('{0,1,2,50,97,1000,6999,29999,99999}'::bigint[]) k GROUP BY kind ORDER BY kind;

-- Order and the way through text and bytes do not matter; what is merged is the whole.
SELECT kind, b = up AND b::text = up::text AS up, b = down AS down, b = mixed AS mixed, b::text::bsi::text = b::text AS text
FROM bsi_built JOIN (SELECT kind, bsi_agg(id, v ORDER BY id, no) AS up, bsi_agg(id, v ORDER BY id DESC) AS down, bsi_agg(id, v ORDER BY hashint8(no)) AS mixed FROM bsi_rows GROUP BY kind) o USING (kind) ORDER BY kind;
SELECT kind, bool_and(whole = b) AS merged
FROM bsi_built JOIN (SELECT kind, parts, bsi_merge_agg(b) AS whole FROM (SELECT kind, parts, bsi_agg(id, v) AS b FROM bsi_rows, unnest('{1,2,7,400}'::int[]) parts GROUP BY kind, parts, no % parts) p GROUP BY kind, parts) m USING (kind)
GROUP BY kind ORDER BY kind;
SELECT kind, (SELECT bsi_agg(id, v) FROM bsi_rows r WHERE r.kind = x.kind AND no % 2 = 0) + (SELECT bsi_agg(id, v) FROM bsi_rows r WHERE r.kind = x.kind AND no % 2 = 1) = b AS added FROM bsi_built x ORDER BY kind;
-- Values over different customers, as of different kinds, merge to the sums of all.
SELECT bsi_sum(bsi_merge_agg(b)) = (SELECT sum(v) FROM bsi_plain) AS s, bsi_count(bsi_merge_agg(b)) = (SELECT count(DISTINCT id) FROM bsi_plain) AS n FROM bsi_built;

-- Every size a state passes through.
SELECT bool_and(bsi_values = list) AS good, count(*)
FROM (VALUES (1), (4), (5), (8), (9), (1023), (1024), (1025), (2048), (4097), (65536), (65537)) n(n),
	LATERAL (SELECT bsi_agg(i * 977 % n, i - 0.5) AS b, bsi_agg(i * 977, -i) AS c FROM generate_series(1::bigint, n) i) a,
	LATERAL (SELECT md5(string_agg(x.id || ':' || x.value, ',' ORDER BY x.id)) || bsi_sum(c) AS bsi_values FROM bsi_values(b) x) x,
	LATERAL (SELECT md5(string_agg(id || ':' || v, ',' ORDER BY id)) || -n::bigint * (n + 1) / 2 AS list FROM (SELECT i * 977 % n AS id, sum(i - 0.5) AS v FROM generate_series(1::bigint, n) i GROUP BY 1) g) l;

-- A dump and its restoring, as text and as bytes.
CREATE TEMP TABLE bsi_restored (LIKE bsi_built);
\copy bsi_built to '/tmp/crm_bsi_copy.txt'
\copy bsi_restored from '/tmp/crm_bsi_copy.txt'
SELECT count(*), bool_and(bsi_send(x.b) = bsi_send(y.b)) AS same FROM bsi_built x JOIN bsi_restored y USING (kind);
TRUNCATE bsi_restored;
\copy bsi_built to '/tmp/crm_bsi_copy.bin' with (format binary)
\copy bsi_restored from '/tmp/crm_bsi_copy.bin' with (format binary)
SELECT count(*), bool_and(bsi_send(x.b) = bsi_send(y.b)) AS same FROM bsi_built x JOIN bsi_restored y USING (kind);
\! rm -f /tmp/crm_bsi_copy.txt /tmp/crm_bsi_copy.bin
SELECT bsi_send('{}'), bsi_send('{1:1.5,2:-1}');

-- Bytes that were damaged: a bytea goes through COPY as the binary form would.
CREATE TEMP TABLE bsi_bytes (bytes bytea);
CREATE TEMP TABLE bsi_damaged (b bsi);
CREATE FUNCTION pg_temp.try(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	b crm.bsi;
BEGIN
	TRUNCATE bsi_bytes, bsi_damaged;
	INSERT INTO bsi_bytes VALUES (bytes);
	COPY bsi_bytes TO '/tmp/crm_bsi_damaged.bin' WITH (FORMAT binary);
	COPY bsi_damaged FROM '/tmp/crm_bsi_damaged.bin' WITH (FORMAT binary);
	SELECT d.b INTO STRICT b FROM bsi_damaged d;
	RETURN CASE WHEN b::text::crm.bsi = b AND crm.bsi_send(b::text::crm.bsi) = bytes AND crm.bsi_count(b) = crm.cardinality(crm.bsi_range(b, NULL, NULL))
		AND crm.bsi_sum(b + b) IS NOT DISTINCT FROM 2 * crm.bsi_sum(b) THEN 'good' ELSE 'wrong' END;
EXCEPTION WHEN invalid_binary_representation OR protocol_violation THEN
	RETURN 'refused';
END $$;
SELECT bytes, pg_temp.try(bytes) FROM (VALUES (bsi_send('{}')), ('\x'), ('\x01'), ('\x02010000000000'), ('\x01000000000000'), ('\x01010000000001' || substr(bsi_send('{}'), 8)),
	('\x01010100000000' || substr(bsi_send('{}'), 8)), (bsi_send('{}') || '\x00'), ('\x01ff0000000000000000'::bytea)) v(bytes);
SELECT setseed(0.5);
SELECT bool_or(outcome = 'wrong') AS wrong, bool_or(outcome = 'refused') AS refused, bool_or(outcome = 'good') AS good, count(*)
FROM (VALUES ('{1:1.5,2:-1,5:0}'::bsi), ('{1:3,70000:-77,4294967296:12345678901234567890}'), ((SELECT bsi_agg(i, i * i - 500) FROM generate_series(1::bigint, 5000) i))) v(b), generate_series(1, 250) i,
	LATERAL (SELECT bsi_send(b) AS bytes) s,
	LATERAL (SELECT floor(random() * least(octet_length(bytes), CASE WHEN i % 2 = 0 THEN 120 ELSE 1000000 END))::int AS at) p,
	LATERAL (SELECT pg_temp.try(set_byte(bytes, at, (get_byte(bytes, at) + CASE WHEN i % 3 = 0 THEN 1 ELSE i % 255 + 1 END) % 256)) AS outcome) o;
SELECT outcome, count(*) FROM generate_series(0, 60) i, LATERAL (SELECT pg_temp.try(substr(bsi_send('{1:1.5,2:-1,5:0}'), 1, i)) AS outcome) o GROUP BY outcome;
-- The file is the server's.
COPY bsi_bytes FROM PROGRAM 'rm -f /tmp/crm_bsi_damaged.bin';

-- Parallel is serial.
CREATE TABLE bsi_serial AS SELECT bsi_agg(id, v) FILTER (WHERE kind <> 'wide') AS b, bsi_agg(id, no) AS n, bsi_agg(id, no::int) FILTER (WHERE no < 10) AS few FROM bsi_rows;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS off) SELECT bsi_agg(id, v) FILTER (WHERE kind <> 'wide'), bsi_agg(id, no), bsi_agg(id, no::int) FILTER (WHERE no < 10) FROM bsi_rows;
SELECT bsi_send(b) = bsi_send((SELECT b FROM bsi_serial)) AS b, bsi_send(n) = bsi_send((SELECT n FROM bsi_serial)) AS n, bsi_send(few) = bsi_send((SELECT few FROM bsi_serial)) AS few
FROM (SELECT bsi_agg(id, v) FILTER (WHERE kind <> 'wide') AS b, bsi_agg(id, no) AS n, bsi_agg(id, no::int) FILTER (WHERE no < 10) AS few FROM bsi_rows) p;
-- Groups that stay lists, one worker's rows all NULL.
SELECT count(*), bool_and(bsi_send(b) = bsi_send(bsi_agg)) AS good
FROM (SELECT id % 500 AS part, bsi_agg(id, v) FROM bsi_rows WHERE kind = 'gaps' GROUP BY 1) p
JOIN (SELECT id % 500 AS part, ('{' || string_agg(id || ':' || v, ',') || '}')::bsi AS b FROM bsi_plain WHERE kind = 'gaps' GROUP BY 1) q USING (part);
SELECT bsi_agg(CASE WHEN no = 77 THEN id END, v) FROM bsi_rows WHERE kind = 'gaps' AND no < 1000;
CREATE TABLE bsi_parts AS SELECT no % 50 AS part, bsi_agg(id, v) AS b FROM bsi_rows WHERE kind = 'dense' GROUP BY 1;
ALTER TABLE bsi_parts SET (parallel_workers = 2);
ANALYZE bsi_parts;
EXPLAIN (COSTS off) SELECT bsi_merge_agg(b) FROM bsi_parts;
SELECT bsi_merge_agg(b) = (SELECT b FROM bsi_built WHERE kind = 'dense') AS merged FROM bsi_parts;
SET max_parallel_workers_per_gather = 0;

-- Partition-wise, with partitions of very different size.
CREATE TABLE bsi_split (k int, id bigint, v numeric) PARTITION BY LIST (k);
CREATE TABLE bsi_split_1 PARTITION OF bsi_split FOR VALUES IN (1);
CREATE TABLE bsi_split_2 PARTITION OF bsi_split FOR VALUES IN (2);
CREATE TABLE bsi_split_3 PARTITION OF bsi_split FOR VALUES IN (3);
INSERT INTO bsi_split SELECT 1, id, v FROM bsi_rows WHERE kind = 'dense';
INSERT INTO bsi_split VALUES (2, 5, 1.125), (2, 10000001, -3);
ANALYZE bsi_split;
SET enable_partitionwise_aggregate = on;
EXPLAIN (COSTS off) SELECT bsi_agg(id, v) FROM bsi_split;
SELECT bsi_agg(id, v) = (SELECT b FROM bsi_built WHERE kind = 'dense') + '{5:1.125,10000001:-3}' AS same FROM bsi_split;
RESET enable_partitionwise_aggregate;

-- Windows: the state goes on after it was asked.
SELECT x, bsi_agg(x % 3, x + 0.5) OVER (ORDER BY x) AS growing, bsi_agg(x % 3, x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS moving,
	bsi_merge_agg(('{' || x || ':1,9:1}')::bsi) OVER (ORDER BY x DESC) AS merged
FROM generate_series(1, 5) x ORDER BY x;
SELECT bool_and(bsi_count(b) = x AND bsi_sum(b) = x * (x + 1) / 2) AS good, count(*)
FROM (SELECT x, bsi_agg(x, x) OVER (ORDER BY x) AS b FROM generate_series(1::bigint, 3000) x) w;

-- 30,000 groups, hashed and sorted, in little memory.
SET work_mem = '1MB';
SELECT count(*), sum(bsi_sum(b)) = (SELECT sum(v) FROM bsi_rows WHERE kind = 'many') AS s FROM (SELECT no, bsi_agg(id, v) AS b FROM bsi_rows WHERE kind = 'many' GROUP BY no) g;
SET enable_hashagg = off;
SELECT count(*), sum(bsi_sum(b)) = (SELECT sum(v) FROM bsi_rows WHERE kind = 'many') AS s FROM (SELECT no, bsi_agg(id, v) AS b FROM bsi_rows WHERE kind = 'many' GROUP BY no) g;
RESET enable_hashagg;
RESET work_mem;

-- One stored value asked with many audiences, and one audience with many values, at the same place of a query.
CREATE TABLE bsi_audiences AS SELECT n, audience_agg(id) AS a FROM bsi_rows, generate_series(2, 9) n WHERE kind = 'dense' AND no > 0 AND no % n = 0 GROUP BY n;
SELECT bool_and(bsi_sum(b, s.a) = (SELECT sum(v) FROM bsi_rows r WHERE r.kind = 'dense' AND no > 0 AND no % n = 0)) AS good, count(*) FROM bsi_audiences s, bsi_built WHERE kind = 'dense';
SELECT n, string_agg(kind || ' ' || coalesce(bsi_sum(x.b, s.a) = (SELECT sum(v) FROM bsi_plain p WHERE p.kind = x.kind AND p.id <@ s.a), true), ' ' ORDER BY kind) FROM bsi_audiences s, bsi_built x GROUP BY n ORDER BY n;
DROP VIEW bsi_plain;
DROP TABLE bsi_few, bsi_rows, bsi_built, bsi_serial, bsi_parts, bsi_split, bsi_audiences;
