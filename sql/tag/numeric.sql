-- Numeric rules: a number for each customer, against plain SQL over the same rows.
SET client_min_messages = warning;
CREATE SCHEMA numeric_test;
SET search_path = numeric_test, crm, public;

-- What the rule gives for each customer, by plain SQL, with the ids that stand for their keys.
CREATE FUNCTION plain(tag text, population text, rule text, source text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	DROP TABLE IF EXISTS plain;
	EXECUTE format('CREATE TEMP TABLE plain AS SELECT m.id, (%s)::numeric AS value
		FROM %s s JOIN member_rows(segment(%L, %L), %4$L) m ON m.key = s.id::text',
		regexp_replace(rule, '\mid\M', 's.id', 'g'), source, format('%1$I | !%1$I', tag), population);
END $$;
-- Stored numbers against those: rows that differ in either direction.
CREATE FUNCTION differences(tag text, population text, rule text, source text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	PERFORM plain(tag, population, rule, source);
	EXECUTE format('SELECT abs((SELECT count(*) FROM %I) - (SELECT count(*) FROM plain))', source) INTO n;
	RETURN n + (SELECT count(*) FROM bsi_values(tag_number(tag, population)) v
		FULL JOIN (SELECT * FROM plain WHERE value IS NOT NULL) p ON p.id = v.id WHERE p.value IS DISTINCT FROM v.value);
END $$;
-- Segments by comparison against WHERE: comparisons that differ, or that say something else than tag() or bsi_range().
CREATE FUNCTION wrong_comparisons(tag text, population text, rule text, source text, numbers text[]) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
	op text;
	number text;
	expected crm.audience;
	wrong text[] := '{}';
BEGIN
	PERFORM plain(tag, population, rule, source);
	FOREACH number IN ARRAY numbers LOOP
		FOREACH op IN ARRAY '{=,!=,<>,<,<=,>,>=}'::text[] LOOP
			EXECUTE format('SELECT audience_agg(id) FROM plain WHERE value %s %s', op, number) INTO expected;
			IF segment(format('%I %s %s', tag, op, number), population) <> expected THEN
				wrong := wrong || (op || ' ' || number);
			END IF;
		END LOOP;
		IF tag(tag, number, population) <> segment(format('%I = %s', tag, number), population)
			OR tag(tag, number, population) <> bsi_range(tag_number(tag, population), number::numeric, number::numeric) THEN
			wrong := wrong || number;
		END IF;
	END LOOP;
	RETURN wrong;
END $$;

CREATE TABLE customers (id bigint PRIMARY KEY, spend numeric, visits int, ratio float8, balance numeric(20,4), small smallint) WITH (autovacuum_enabled = off);
INSERT INTO customers
SELECT i, CASE WHEN i % 5 > 0 THEN (i * 7919 % 20011 - 10000) / 100.0 END, CASE WHEN i % 7 > 0 THEN i % 40 - 3 END,
	CASE WHEN i % 3 > 0 THEN (i % 1000 - 500) / 8.0 END, i * 1234567.8901, i % 300
FROM generate_series(1, 12000) i;
SELECT create_population('num', 'customers', 'id');
SELECT create_tag('spend', 'spend'), create_tag('visits', 'visits'), create_tag('ratio', 'ratio'), create_tag('balance', '-balance'),
	create_tag('third', 'round(visits / 3.0, 25)'), create_tag('nobody', 'NULL::numeric'), create_tag('zero', '0 * visits'),
	create_tag('constant', '12.500'), create_tag('vip', 'spend > 50'), create_tag('band', 'CASE WHEN spend > 0 THEN ''plus'' ELSE ''minus'' END'),
	create_tag('minus one', 'CASE WHEN id % 2 = 0 THEN -1 END'), create_tag('small', 'small');
SELECT tag_number('spend');
SELECT tag, value, members, entered, exited FROM refresh_tags('num');
-- explain_tag tells the number that is stored
SELECT count(*) AS told, count(*) FILTER (WHERE e.value::numeric IS DISTINCT FROM t.value::numeric) AS wrong
FROM generate_series(1, 12) k, tags_of(k, 'num') t, explain_tag(k, t.tag, 'num') e WHERE e.part = 'stored' AND t.tag IN ('spend', 'visits', 'ratio', 'balance', 'minus one', 'zero');
SELECT name, differences(name, 'num', rule, 'customers')
FROM (VALUES ('spend', 'spend'), ('visits', 'visits'), ('ratio', 'ratio'), ('balance', '-balance'), ('third', 'round(visits / 3.0, 25)'),
	('nobody', 'NULL::numeric'), ('zero', '0 * visits'), ('constant', '12.5'), ('minus one', 'CASE WHEN id % 2 = 0 THEN -1 END'), ('small', 'small')) t (name, rule);
SELECT name, number_scale, number_slices FROM tag_definition WHERE value_type = 'numeric' ORDER BY name COLLATE "C";
-- The canonical value: the same bytes as bsi_agg's of numbers without zeros at the end, where the scale is the same.
SELECT bsi_send(tag_number('spend')) = (SELECT bsi_send(bsi_agg(id, spend::numeric(10,2))) FROM customers) AS spend,
	bsi_send(tag_number('visits')) = (SELECT bsi_send(bsi_agg(id, visits)) FROM customers) AS visits,
	bsi_send(tag_number('zero')) = (SELECT bsi_send(bsi_agg(id, 0)) FROM customers WHERE visits IS NOT NULL) AS zero,
	bsi_send(tag_number('minus one')) = (SELECT bsi_send(bsi_agg(id, -1)) FROM customers WHERE id % 2 = 0) AS minus_one,
	tag_number('nobody') AS nobody, tag_number(NULL) IS NULL AS null_name;
SELECT bsi_sum(tag_number('spend')) = (SELECT sum(spend) FROM customers) AS sum,
	bsi_avg(tag_number('spend'), tag('vip')) = (SELECT avg(spend) FROM customers WHERE spend > 50) AS avg,
	bsi_quantile(tag_number('visits'), 0.5) = (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY visits) FROM customers) AS median,
	bsi_top(tag_number('spend'), 10) = (SELECT audience_agg(id) FROM (SELECT id FROM customers WHERE spend IS NOT NULL ORDER BY spend DESC, id LIMIT 10) t) AS top;

-- Who has a number; comparisons; ranges.
SELECT tag('spend') = (SELECT audience_agg(id) FROM customers WHERE spend IS NOT NULL) AS has_number,
	segment('zero = 0 & !spend') = (SELECT audience_agg(id) FROM customers WHERE visits IS NOT NULL AND spend IS NULL) AS zero_is_not_absent,
	segment('spend >= -12.5 & spend < 40 - vip') = (SELECT audience_agg(id) FROM customers WHERE spend >= -12.5 AND spend < 40) AS range,
	segment('!(spend >= 10)') = (SELECT audience_agg(id) FROM customers WHERE (spend >= 10) IS NOT TRUE) AS negated,
	segment('spend > 99 | visits = 0') = (SELECT audience_agg(id) FROM customers WHERE spend > 99 OR visits = 0) AS two_tags,
	(SELECT count(*) FROM customers WHERE id <@ segment('spend >= 10 & visits < 5')) = (SELECT count(*) FROM customers WHERE spend >= 10 AND visits < 5) AS in_where;
SELECT wrong_comparisons('spend', 'num', 'spend', 'customers', '{0,-0,10,-12.34,12.345,-12.345,99.99,-100,-100.001,1e2,1.5E1,100.11,1000000,-1e30,1e60,-1e60,.5,5.}');
SELECT wrong_comparisons('balance', 'num', '-balance', 'customers', '{-1234567.8901,-1234567.89011,-37037036703,0,-2469135.7802,170141183460469231731687303715884105727,-170141183460469231731687303715884105728}');
SELECT wrong_comparisons('third', 'num', 'round(visits / 3.0, 25)', 'customers', '{0.3333333333333333333333333,0.33,-1,12,0.33333333333333333333333333333333333333333}');
SELECT wrong_comparisons('nobody', 'num', 'NULL::numeric', 'customers', '{0,1,-1}');
SELECT wrong_comparisons('minus one', 'num', 'CASE WHEN id % 2 = 0 THEN -1 END', 'customers', '{-1,0,-2,-1.5,-0.5}');
SELECT segment('spend = high');
SELECT segment('visits & spend = "NaN"');
SELECT tag('spend', 'Infinity');
SELECT tag('spend', '');
SELECT tag('spend', ' 1');
SELECT tag_number('vip');
SELECT tag_number('band');
SELECT tag_number('spent');
\set VERBOSITY terse
SELECT tag_number('spend', as_of => '2026-01-01');
\set VERBOSITY default

-- One customer, and the views.
SELECT tag, value FROM tags_of(11, 'num');
SELECT tag, value FROM tags_of(10, 'num');
SELECT bool_and(t.value = trim_scale(c.spend)::text) AS spend, count(*) AS customers
FROM generate_series(1, 12000, 137) g JOIN customers c ON c.id = g, LATERAL tags_of(g, 'num') t WHERE t.tag = 'spend';
SELECT t ->> 'tag' AS tag, t ->> 'value' AS value, t ->> 'share' AS share FROM (SELECT profile(12, 'num') AS p) s, LATERAL jsonb_path_query(p, '$.tags.*[*]') t WHERE t ->> 'tag' IN ('spend', 'visits');
SELECT tag, value, members, round(share::numeric, 4) AS share FROM segment_size WHERE population = 'num' ORDER BY tag COLLATE "C", value COLLATE "C";
SELECT tag, value_type, value_count, members, stale FROM tag_catalog WHERE population = 'num' AND value_type = 'numeric' ORDER BY tag COLLATE "C";
SELECT count(*) FROM ((SELECT id, value::numeric FROM customer_tag_long WHERE tag = 'spend') EXCEPT (SELECT id, spend FROM customers WHERE spend IS NOT NULL)) d;
SELECT count(*), min(length(value)), max(length(value)) FROM customer_tag_long WHERE tag = 'ratio';
SELECT customer, tag, value FROM customer_tag_long WHERE population = 'num' AND id IN (8, 12) ORDER BY id, tag COLLATE "C";
SELECT measure, tag, value FROM tag_coverage WHERE population = 'num' AND tag IN ('spend', 'zero', 'nobody') ORDER BY tag, measure;
SELECT (SELECT sum(tags * customers) FROM tag_counts('num')) = (SELECT sum(members) FROM tag_catalog WHERE population = 'num') AS each_tag_once;

-- A refresh writes what changed; entered and exited are those who got or lost a number.
SELECT tag, members, entered, exited FROM refresh_tags('num', '{spend}');
SELECT chunks_written FROM refresh_history ORDER BY refresh_id DESC LIMIT 1;
UPDATE customers SET spend = spend + 0.01 WHERE id = 11;
UPDATE customers SET spend = NULL WHERE id IN (12, 13);
UPDATE customers SET spend = 0 WHERE id = 15;
DELETE FROM customers WHERE id BETWEEN 10001 AND 10010;
INSERT INTO customers VALUES (70000, -3), (70001, NULL);
SELECT tag, members, entered, exited FROM refresh_tags('num', '{spend}');
SELECT chunks_written < 50 AS few FROM refresh_history ORDER BY refresh_id DESC LIMIT 1;
SELECT differences('spend', 'num', 'spend', 'customers');
-- More decimals, and more digits before the point; then away again: the scale stays.
UPDATE customers SET spend = 1.23456789 WHERE id = 1;
UPDATE customers SET spend = -12345678901234567890 WHERE id = 2;
SELECT tag, members, entered, exited FROM refresh_tags('num', '{spend}');
SELECT differences('spend', 'num', 'spend', 'customers'), number_scale, number_slices FROM tag_definition WHERE name = 'spend';
SELECT value FROM tags_of(1, 'num') WHERE tag = 'spend';
SELECT value FROM tags_of(2, 'num') WHERE tag = 'spend';
UPDATE customers SET spend = 1 WHERE id IN (1, 2);
SELECT count(*) FROM refresh_tags('num', '{spend}');
SELECT differences('spend', 'num', 'spend', 'customers'), number_scale FROM tag_definition WHERE name = 'spend';
-- The longest numbers that fit; the scale kept so far gives way where it would not.
UPDATE customers SET spend = 12345678901234567890123456789012345678 WHERE id = 1;
UPDATE customers SET spend = trunc(spend) WHERE id > 2;
SELECT count(*) FROM refresh_tags('num', '{spend}');
SELECT differences('spend', 'num', 'spend', 'customers'), number_scale FROM tag_definition WHERE name = 'spend';
SELECT wrong_comparisons('spend', 'num', 'spend', 'customers', '{12345678901234567890123456789012345678,12345678901234567890123456789012345677.5,0,-0.5}');
-- Numbers that cannot be kept: nothing of the refresh remains.
UPDATE customers SET spend = 'NaN' WHERE id = 4711;
SELECT count(*) FROM refresh_tags('num');
UPDATE customers SET spend = 'Infinity' WHERE id = 4711;
SELECT count(*) FROM refresh_tags('num', '{spend}');
UPDATE customers SET spend = 1e39 WHERE id = 4711;
SELECT count(*) FROM refresh_tags('num', '{spend}');
UPDATE customers SET spend = 1e-39 WHERE id = 4711;
SELECT count(*) FROM refresh_tags('num', '{spend}');
UPDATE customers SET spend = 1e-20 WHERE id = 4711;
SELECT count(*) FROM refresh_tags('num', '{spend}');
UPDATE customers SET spend = 1.000000000000000000000000000000000000000000000000 WHERE id = 4711;
SELECT count(*) FROM refresh_tags('num', '{spend}');
SELECT differences('spend', 'num', 'spend', 'customers');
SELECT rule_number(1.500), rule_number(-0.0), rule_number(100), rule_number(NULL);
SELECT rule_number('NaN');
SELECT rule_number(1e40);

-- Types of a tag do not change.
SELECT replace_tag('spend', 'spend > 0');
SELECT replace_tag('vip', 'spend');
SELECT replace_tag('band', 'spend');
SELECT replace_tag('spend', 'spend * 2');
SELECT members, entered, exited FROM refresh_tags('num', '{spend}');
SELECT differences('spend', 'num', 'spend * 2', 'customers');
ALTER TABLE customers ALTER small TYPE numeric USING small::numeric / 100;
SELECT count(*) FROM refresh_tags('num', '{small}');
SELECT differences('small', 'num', 'small', 'customers');

-- Before it becomes a tag.
SELECT value, members, round(share::numeric, 4) AS share, cardinality(sample_keys) AS sampled FROM preview_tag('visits', 'num', 3);
SELECT value, members FROM preview_tag('''NaN''::float8', 'num');
SELECT value, members FROM preview_tag('NULL::int', 'num');
SELECT value, members FROM preview_tag('ratio', 'num');
SELECT value, members FROM preview_tag('''NaN''::numeric', 'num');

-- Together with other tags in one scan, through parallel workers with scales of their own, merged.
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
UPDATE customers SET spend = id / 1000.0 WHERE id > 6000;
UPDATE customers SET spend = id / -10 WHERE id <= 6000 AND id % 3 > 0;
SELECT count(*) FROM refresh_tags('num');
SELECT differences('spend', 'num', 'spend * 2', 'customers'), differences('visits', 'num', 'visits', 'customers'),
	differences('third', 'num', 'round(visits / 3.0, 25)', 'customers'), tag('vip') = (SELECT audience_agg(id) FROM customers WHERE spend > 50) AS vip;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
-- An answer is kept for the query only.
BEGIN;
SELECT bsi_count(tag_number('visits'));
DELETE FROM customers WHERE visits = 5;
SELECT exited FROM refresh_tags('num', '{visits}');
SELECT bsi_count(tag_number('visits')) = (SELECT count(visits) FROM customers) AS new;
ROLLBACK;
SELECT bsi_count(tag_number('visits')) = (SELECT count(visits) FROM customers) AS old;
SELECT drop_tag('spend');
SELECT count(*) FROM tag_definition WHERE name = 'spend';

-- Keys with a dictionary, scopes, rights.
CREATE TABLE clients (id text PRIMARY KEY, branch text, amount numeric(12,2));
INSERT INTO clients SELECT 'k' || i, 'b' || i % 3, CASE WHEN i % 4 > 0 THEN (i % 7 - 3) * i / 8.0 END FROM generate_series(1, 5000) i;
SELECT create_population('text', 'clients', 'id', 'branch');
SELECT create_tag('amount', 'amount', population => 'text'), create_tag('some', 'amount > 0', population => 'text');
SELECT tag, members, entered, exited FROM refresh_tags('text');
SELECT differences('amount', 'text', 'amount', 'clients'), wrong_comparisons('amount', 'text', 'amount', 'clients', '{0,-10.5,100,0.125}');
SELECT value FROM tags_of('k7', 'text') WHERE tag = 'amount';
-- Who only moves to another branch neither enters nor leaves.
UPDATE clients SET branch = 'b1' WHERE id IN ('k1', 'k2', 'k3', 'k5', 'k6');
UPDATE clients SET amount = 7, branch = 'b2' WHERE id = 'k4';
SELECT tag, members, entered, exited FROM refresh_tags('text', '{amount}');
SELECT differences('amount', 'text', 'amount', 'clients');
CREATE ROLE numeric_clerk;
GRANT USAGE ON SCHEMA crm, numeric_test TO numeric_clerk;
SET ROLE numeric_clerk;
SELECT tag_number('amount', 'text');
RESET ROLE;
SELECT grant_population('text', 'numeric_clerk', 'read', '{b1}');
SET ROLE numeric_clerk;
CREATE TEMP TABLE seen AS SELECT bsi_count(tag_number('amount', 'text')) AS numbers, bsi_sum(tag_number('amount', 'text')) AS total,
	cardinality(segment('amount >= 10', 'text')) AS many, cardinality(tag('amount', population => 'text')) AS has, min(value::numeric), max(value::numeric)
FROM customer_tag_long WHERE tag = 'amount';
SELECT tag, members FROM segment_size WHERE population = 'text' AND tag = 'amount';
RESET ROLE;
SELECT * FROM seen EXCEPT SELECT count(amount), sum(amount), count(*) FILTER (WHERE amount >= 10), count(amount), min(amount), max(amount) FROM clients WHERE branch = 'b1';
DROP TABLE seen;
SELECT revoke_population('text', 'numeric_clerk');
SELECT drop_population('text');

-- uuid keys; integer keys far apart and negative.
CREATE TABLE devices (id uuid PRIMARY KEY, score int);
INSERT INTO devices SELECT md5(i::text)::uuid, CASE WHEN i % 9 > 0 THEN i % 1000 - 300 END FROM generate_series(1, 2000) i;
SELECT create_population('uuid', 'devices', 'id');
SELECT create_tag('score', 'score', population => 'uuid');
SELECT members FROM refresh_tags('uuid');
SELECT differences('score', 'uuid', 'score', 'devices'), wrong_comparisons('score', 'uuid', 'score', 'devices', '{0,-300,12}');
SELECT drop_population('uuid');
CREATE TABLE far (id bigint PRIMARY KEY, score numeric);
INSERT INTO far SELECT i::bigint * 1000000007 * (CASE WHEN i % 50 = 0 THEN -1 ELSE 1 END), CASE WHEN i % 9 > 0 THEN (i % 1000 - 300) / 10.0 END FROM generate_series(1, 9000) i;
ANALYZE far;
SELECT create_population('far', 'far', 'id');
SELECT create_tag('score', 'score', population => 'far');
SELECT members, entered, exited FROM refresh_tags('far');
SELECT differences('score', 'far', 'score', 'far'), wrong_comparisons('score', 'far', 'score', 'far', '{0,-30,1.25,12.3}');
UPDATE far SET score = score + 0.125 WHERE id % 11 = 0;
UPDATE far SET score = NULL WHERE id % 13 = 0;
DELETE FROM far WHERE id % 17 = 0;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
SELECT entered, members = (SELECT count(score) FROM far) AS members FROM refresh_tags('far');
SELECT differences('score', 'far', 'score', 'far'), (SELECT chunk_bits > 13 FROM population_definition WHERE name = 'far') AS wide,
	(SELECT sum(tags * customers) = (SELECT count(score) FROM far) FROM tag_counts('far')) AS counted_once;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT drop_population('far');
SELECT drop_population('num');
REVOKE USAGE ON SCHEMA crm, numeric_test FROM numeric_clerk;
DROP ROLE numeric_clerk;
DROP SCHEMA numeric_test CASCADE;
