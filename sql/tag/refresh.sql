-- refresh_tags against plain SQL: sources of every sort, scopes, values that come and go, errors that leave nothing behind.
CREATE SCHEMA tag_refresh;
SET search_path = tag_refresh, crm, public;
SET client_min_messages = warning;
\set SHOW_CONTEXT never

-- The rules of a population, as plain SQL evaluates them, against the stored sets: members, sizes and scopes.
CREATE FUNCTION differences(name text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	p crm.population_definition;
	t record;
	n bigint;
BEGIN
	SELECT * INTO p FROM crm.population_definition d WHERE d.name = differences.name;
	FOR t IN SELECT d.tag_id, d.name, value_type, rule FROM crm.tag_definition d JOIN crm.tag_version v USING (tag_id, version)
		WHERE d.population_id = p.population_id ORDER BY d.name
	LOOP
		CREATE TEMP TABLE rule_rows (k text, v text);
		CREATE TEMP TABLE store_rows (k text, v text);
		EXECUTE format('INSERT INTO rule_rows SELECT %I::text, %s FROM %s AS customer WHERE %1$I IS NOT NULL AND (%4$s) %s', p.key_column,
			CASE t.value_type WHEN 'boolean' THEN 'NULL' ELSE '(' || t.rule || ')' END, p.source, t.rule,
			CASE t.value_type WHEN 'boolean' THEN '' ELSE 'IS NOT NULL' END);
		IF t.value_type = 'boolean' THEN
			INSERT INTO store_rows SELECT crm.member_keys(crm.tag(t.name, population => p.name));
		ELSE
			INSERT INTO store_rows SELECT k, w.value FROM crm.tag_value w, crm.member_keys(crm.tag(t.name, w.value, p.name)) k WHERE w.tag_id = t.tag_id;
		END IF;
		SELECT count(*) INTO n FROM ((TABLE rule_rows EXCEPT ALL TABLE store_rows) UNION ALL (TABLE store_rows EXCEPT ALL TABLE rule_rows)) d;
		IF n > 0 THEN RETURN NEXT format('%s: %s members differ', t.name, n); END IF;
		SELECT count(*) INTO n FROM (SELECT v, count(*)::numeric FROM rule_rows GROUP BY v) w (v, c)
			FULL JOIN (SELECT w.value, sum(members) FROM crm.tag_size s LEFT JOIN crm.tag_value w USING (tag_id, value_no)
				WHERE s.tag_id = t.tag_id GROUP BY 1) s (v, c) ON w.v IS NOT DISTINCT FROM s.v AND w.c = s.c
			WHERE w.c IS NULL OR s.c IS NULL;
		IF n > 0 THEN RETURN NEXT format('%s: %s sizes differ', t.name, n); END IF;
		DROP TABLE rule_rows, store_rows;
	END LOOP;
	-- the population itself
	EXECUTE format('SELECT count(DISTINCT %I) - (SELECT coalesce(sum(members), 0) FROM crm.tag_size WHERE tag_id = -%s) FROM %s', p.key_column, p.population_id, p.source) INTO n;
	IF n <> 0 THEN RETURN NEXT format('population: %s', n); END IF;
END
$$;

-- What is stored, to see that nothing of a failed refresh remains.
CREATE FUNCTION fingerprint(name text) RETURNS text LANGUAGE sql AS $$
	SELECT md5(concat(
		(SELECT string_agg(concat_ws(',', scope_no, chunk, s.tag_id, value_no, members), ';' ORDER BY scope_no, chunk, s.tag_id, value_no) FROM crm.tag_set s WHERE s.population_id = p.population_id),
		(SELECT string_agg(s::text, ';' ORDER BY s::text) FROM crm.tag_size s WHERE s.population_id = p.population_id),
		(SELECT string_agg(d::text, ';' ORDER BY d::text) FROM crm.tag_definition d WHERE d.population_id = p.population_id),
		(SELECT string_agg(v::text, ';' ORDER BY v::text) FROM crm.tag_value v JOIN crm.tag_definition d USING (tag_id) WHERE d.population_id = p.population_id),
		(SELECT string_agg(s::text, ';' ORDER BY s::text) FROM crm.population_scope s WHERE s.population_id = p.population_id),
		(SELECT string_agg(k::text, ';' ORDER BY k::text) FROM crm.population_key k WHERE k.population_id = p.population_id),
		(SELECT count(*) FROM crm.refresh_history h WHERE h.population_id = p.population_id)))
	FROM crm.population_definition p WHERE p.name = fingerprint.name
$$;

CREATE TABLE customers (id int, word text, balance numeric, branch text, born date, note text) WITH (autovacuum_enabled = off);
INSERT INTO customers SELECT n, 'w' || n, CASE WHEN n % 11 > 0 THEN n * 1.5 END, CASE n % 4 WHEN 0 THEN NULL ELSE '支行 ' || n % 4 END,
	date '1960-01-01' + n, CASE n % 7 WHEN 0 THEN '' WHEN 1 THEN '普通' WHEN 2 THEN 'VIP' WHEN 3 THEN 'it''s' END
FROM generate_series(1, 20000) n;
CREATE FUNCTION own_stable(x numeric) RETURNS boolean STABLE LANGUAGE plpgsql AS 'BEGIN RETURN x % 2 = 0; END';
CREATE TABLE rules (tag text, rule text);
INSERT INTO rules VALUES
	('rich', 'balance > 15000'), ('nobody', 'balance < 0'), ('everybody', 'true'), ('unknown', 'balance IS NULL'), ('null', 'NULL::boolean'),
	('range', 'balance BETWEEN 1000 AND 2000 OR NOT (id > 100)'), ('in', 'id IN (1, 8191, 8192, 8193, 16384, 20000)'),
	('function', 'tag_refresh.own_stable(balance)'), ('expression', 'length(note || word) % 3 = 1'), ('date', 'born >= ''1990-01-01'' AND born < date ''2000-01-01'''),
	('中文 Tag', 'note = ''普通'''), ('band', 'CASE WHEN balance > 20000 THEN ''high'' WHEN balance > 5000 THEN ''mid'' END'),
	('note', 'note'), ('computed', '''m'' || id % 13'), ('one value', '''x''::text');
CREATE FUNCTION create_all(population text) RETURNS bigint LANGUAGE sql AS
	'SELECT count(crm.create_tag(tag, rule, population => create_all.population)) FROM rules';

SELECT create_population('plain', 'customers', 'id');
SELECT create_population('scoped', 'customers', 'id', 'branch');
SELECT create_population('words', 'customers', 'word', 'branch');
SELECT create_all('plain'), create_all('scoped'), create_all('words');
SELECT * FROM refresh_tags('plain');
SELECT count(*), sum(members) = sum(entered) AS all_entered, sum(exited) FROM refresh_tags('scoped');
SELECT count(*), sum(members) = sum(entered) AS all_entered, sum(exited) FROM refresh_tags('words');
SELECT differences('plain'), differences('scoped'), differences('words');
-- Again, nothing has changed: nothing is written.
SELECT count(*), sum(entered), sum(exited) FROM refresh_tags('plain');
SELECT count(*), sum(entered), sum(exited) FROM refresh_tags('words');
SELECT d.name, h.chunks_written, h.customers, h.tags FROM crm.refresh_history h JOIN crm.population_definition d USING (population_id)
WHERE d.name IN ('plain', 'words') AND h.chunks_written = 0 ORDER BY 1;
-- Scopes are numbered from 0, NULL is one of them.
SELECT s.scope_no, s.scope, z.members FROM crm.population_scope s JOIN crm.population_definition p USING (population_id)
JOIN crm.tag_size z ON z.tag_id = -p.population_id AND z.scope_no = s.scope_no WHERE p.name = 'scoped' ORDER BY 1;

-- Changes: entered and exited as plain SQL counts them.
CREATE TEMP TABLE old AS SELECT * FROM customers;
DELETE FROM customers WHERE id % 97 = 0;
UPDATE customers SET balance = balance * 1.2 WHERE id % 5 = 0;
UPDATE customers SET note = 'new value' WHERE note = 'it''s';
INSERT INTO customers SELECT n, 'w' || n, n, 'a new branch', '1999-01-01', 'VIP' FROM generate_series(20001, 20100) n;
CREATE TEMP TABLE wanted AS
	SELECT 'rich' AS tag, NULL AS value, count(*) FILTER (WHERE n.balance > 15000) AS members,
		count(*) FILTER (WHERE n.balance > 15000 AND (o.balance > 15000) IS NOT TRUE) AS entered,
		count(*) FILTER (WHERE o.balance > 15000 AND (n.balance > 15000) IS NOT TRUE) AS exited
	FROM old o FULL JOIN customers n USING (id)
	UNION ALL
	SELECT 'note', v, count(*) FILTER (WHERE n.note = v), count(*) FILTER (WHERE n.note = v AND o.note IS DISTINCT FROM v), count(*) FILTER (WHERE o.note = v AND n.note IS DISTINCT FROM v)
	FROM old o FULL JOIN customers n USING (id), unnest(ARRAY['', '普通', 'VIP', 'it''s', 'new value']) v GROUP BY v;
CREATE TEMP TABLE got AS SELECT * FROM refresh_tags('plain');
SELECT * FROM got WHERE tag IN ('rich', 'note') ORDER BY tag, value COLLATE "C";
SELECT count(*) FROM ((TABLE wanted EXCEPT SELECT * FROM got WHERE tag IN ('rich', 'note')) UNION ALL (SELECT * FROM got WHERE tag IN ('rich', 'note') EXCEPT TABLE wanted)) d;
SELECT * FROM refresh_tags('scoped') WHERE tag IN ('rich', 'note') EXCEPT TABLE wanted;
SELECT * FROM refresh_tags('words') WHERE tag IN ('rich', 'note') EXCEPT TABLE wanted;
SELECT differences('plain'), differences('scoped'), differences('words');

-- Customers who move to another branch, to one that is new, and to none; each is in one scope afterwards.
UPDATE customers SET branch = CASE id % 3 WHEN 0 THEN '支行 1' WHEN 1 THEN 'moved' END WHERE id % 50 < 3;
SELECT count(*) FROM refresh_tags('scoped');
SELECT count(*) FROM refresh_tags('words');
SELECT differences('scoped'), differences('words');
SELECT coalesce(s.scope, 'NULL') AS scope, z.members = (SELECT count(*) FROM customers c WHERE c.branch IS NOT DISTINCT FROM s.scope) AS same
FROM crm.population_scope s JOIN crm.population_definition p USING (population_id)
JOIN crm.tag_size z ON z.tag_id = -p.population_id AND z.scope_no = s.scope_no WHERE p.name = 'scoped' ORDER BY s.scope COLLATE "C";

-- Little memory: several scans, the same sets; no batches, the same sets.
SELECT drop_population('scoped');
SELECT create_population('scoped', 'customers', 'id', 'branch');
SELECT create_all('scoped');
SELECT count(*) FROM refresh_tags('scoped');
CREATE TEMP TABLE fingerprints AS SELECT 'one scan' AS way, string_agg(md5(s.members), '' ORDER BY scope_no, chunk, tag_id, value_no) AS sum
	FROM crm.tag_set s JOIN crm.population_definition p USING (population_id) WHERE p.name = 'scoped';
SELECT drop_population('scoped');
SELECT create_population('scoped', 'customers', 'id', 'branch');
SELECT create_all('scoped');
BEGIN;
SET LOCAL crm_analytics.refresh_memory = '1MB';
SELECT count(*) FROM refresh_tags('scoped');
INSERT INTO fingerprints SELECT 'little memory', string_agg(md5(s.members), '' ORDER BY scope_no, chunk, tag_id, value_no)
	FROM crm.tag_set s JOIN crm.population_definition p USING (population_id) WHERE p.name = 'scoped';
COMMIT;
SELECT differences('scoped');
SELECT drop_population('scoped');
SELECT create_population('scoped', 'customers', 'id', 'branch');
SELECT create_all('scoped');
BEGIN;
SET LOCAL crm_analytics.batch_rules = off;
SELECT count(*) FROM refresh_tags('scoped');
INSERT INTO fingerprints SELECT 'no batches', string_agg(md5(s.members), '' ORDER BY scope_no, chunk, tag_id, value_no)
	FROM crm.tag_set s JOIN crm.population_definition p USING (population_id) WHERE p.name = 'scoped';
COMMIT;
SELECT differences('scoped');
SELECT count(DISTINCT sum) AS sorts, count(*) AS ways FROM fingerprints;

-- Tags by name: the others stay as they are; unknown, NULL, none, twice.
UPDATE customers SET balance = 1e6, note = 'named' WHERE id <= 10;
SELECT * FROM refresh_tags('plain', '{rich,rich,中文 Tag}');
SELECT differences('plain');
SELECT * FROM refresh_tags('plain', '{rich,wich}');
SELECT * FROM refresh_tags('plain', '{rich,NULL}');
SELECT * FROM refresh_tags('plain', '{}');
SELECT * FROM refresh_tags('plain', as_of => 'infinity');
SELECT * FROM refresh_tags('nowhere');
-- Columns are those of today: an earlier day has to be asked for.
SELECT count(*) FROM refresh_tags('plain', as_of => '2020-01-01');
SELECT count(*) FROM refresh_tags('plain', as_of => '2020-01-01', columns => 'then');
SELECT count(*) FROM refresh_tags('plain', as_of => '2020-01-01', columns => 'today');
SELECT DISTINCT d.as_of = '2020-01-01' AS noted FROM crm.tag_definition d JOIN crm.population_definition p USING (population_id) WHERE p.name = 'plain';
SELECT count(*) FROM refresh_tags('plain', as_of => NULL);
SELECT differences('plain');

-- Sources: views, materialized views, partitions, none at all
CREATE TABLE parts (id int, v int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (9000);
CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (9000) TO (9010);
CREATE TABLE parts_3 PARTITION OF parts DEFAULT;
INSERT INTO parts SELECT n, n FROM generate_series(1, 20000, 3) n;
CREATE VIEW joined AS SELECT c.id, c.balance, count(p.id) AS parts, string_agg(p.v::text, ',') AS list FROM customers c LEFT JOIN parts p ON p.id % 1000 = c.id GROUP BY c.id, c.balance;
CREATE MATERIALIZED VIEW kept AS SELECT id, balance FROM customers;
CREATE TABLE empty (id bigint, v int);
SELECT create_population('parts', 'parts', 'id');
SELECT create_population('joined', 'joined', 'id');
SELECT create_population('kept', 'kept', 'id');
SELECT create_population('empty', 'empty', 'id');
SELECT create_tag('odd', 'v % 2 = 1', population => 'parts'), create_tag('some', 'parts > 6', population => 'joined'), create_tag('list', 'left(list, 2)', population => 'joined'),
	create_tag('rich', 'balance > 15000', population => 'kept'), create_tag('odd', 'v % 2 = 1', population => 'empty'), create_tag('text', 'v::text', population => 'empty');
SELECT * FROM refresh_tags('parts');
SELECT * FROM refresh_tags('joined') WHERE value IS NULL OR value IN ('1,', '10');
SELECT * FROM refresh_tags('kept');
SELECT * FROM refresh_tags('empty');
SELECT cardinality(tag('odd', population => 'empty')), tag('text', 'x', 'empty')::bigint[];
SELECT differences('parts'), differences('joined'), differences('kept'), differences('empty');
INSERT INTO empty SELECT n, n % 3 FROM generate_series(1, 10) n;
SELECT * FROM refresh_tags('empty');
DELETE FROM empty;
SELECT * FROM refresh_tags('empty');
SELECT differences('empty');
-- A population without tags has members all the same.
SELECT create_population('no tags', 'parts', 'id');
SELECT * FROM refresh_tags('no tags');
SELECT differences('no tags');

-- Rules that fail: tag and customer are named, in every way of running, and nothing is kept.
CREATE TEMP TABLE state AS SELECT fingerprint('plain') AS f;
UPDATE customers SET note = '12x' WHERE id = 4711;
INSERT INTO customers VALUES (30000, 'w30000', 1, 'another branch', '2000-01-01', 'yet another value');
SELECT create_tag('cast', 'CASE WHEN note ~ ''^[0-9]'' THEN note::int > 3 END', population => 'plain');
UPDATE state SET f = fingerprint('plain');
SELECT * FROM refresh_tags('plain');
SELECT replace_tag('cast', '100 / (id - 17) > 3', population => 'plain');
UPDATE state SET f = fingerprint('plain');
SELECT * FROM refresh_tags('plain');
SELECT count(set_config(name, 'on', false)) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT * FROM refresh_tags('plain');
SELECT count(set_config(name, 'off', false)) FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query');
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT f = fingerprint('plain') AS untouched FROM state;
SELECT drop_tag('cast', 'plain');
-- More values than the setting allows, and a value that is too long
SET crm_analytics.max_tag_values = 5;
SELECT * FROM refresh_tags('plain');
RESET crm_analytics.max_tag_values;
SELECT create_tag('long', 'repeat(''x'', id)', population => 'plain');
SELECT * FROM refresh_tags('plain', '{long}');
SELECT drop_tag('long', 'plain');
SELECT count(*) FROM refresh_tags('plain');
SELECT differences('plain');

-- Transactions: read only; a subtransaction that rolls back; inside functions; twice in one statement.
BEGIN READ ONLY;
SELECT * FROM refresh_tags('plain');
ROLLBACK;
UPDATE state SET f = fingerprint('plain');
DELETE FROM customers WHERE id > 15000;
BEGIN;
SAVEPOINT a;
SELECT count(*), sum(exited) > 0 AS some_left FROM refresh_tags('plain');
ROLLBACK TO a;
SELECT f = fingerprint('plain') AS untouched FROM state;
SELECT count(*), sum(exited) > 0 AS some_left FROM refresh_tags('plain');
SELECT differences('plain');
DELETE FROM customers WHERE id > 14000;
SELECT count(*), sum(exited) > 0 AS some_left FROM refresh_tags('plain');
SELECT differences('plain');
ROLLBACK;
SELECT f = fingerprint('plain') AS untouched FROM state;
DO $$
DECLARE
	n bigint;
BEGIN
	BEGIN
		SELECT sum(exited) INTO n FROM crm.refresh_tags('plain');
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		NULL;
	END;
	SELECT sum(exited) INTO n FROM crm.refresh_tags('plain', '{rich}');
	RAISE WARNING '% left', n;
END
$$;
SELECT a.exited, b.exited FROM refresh_tags('plain', '{range}') a, refresh_tags('plain', '{range}') b;
SELECT count(*) FROM refresh_tags('plain');
SELECT differences('plain');

SELECT drop_population(name) FROM (SELECT name FROM crm.population_definition WHERE source_name LIKE 'tag\_refresh.%' ORDER BY name COLLATE "C") p \g /dev/null
DROP SCHEMA tag_refresh CASCADE;
