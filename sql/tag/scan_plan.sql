-- Plans of scans: hostile bytes, arguments that do not fit, and the caps on values.
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE TABLE plan (name text, bytes bytea);
INSERT INTO plan VALUES
	('logic', '\x43524d5001010301000000030000007461670100000000000000000000000000000016000000000000000000000003000000000000000a000000000000000d00000000000000000000000000000003000000000000000a000000000000000d00000000000000140000000000000017000000000000001e00000000000000210000000000000028000000000000002b00000000000000320000000000000035000000000000003c000000000000003f0000000000000046000000000000004900000000000000500000000000000053000000000000005a000000000000005d00000000000000640000000000000067000000000000006e00000000000000710000000000000078000000000000007b00000000000000820000000000000085000000000000008c000000000000008f0000000000000096000000000000009900000000000000a000000000000000a300000000000000aa00000000000000ad00000000000000b400000000000000b700000000000000be00000000000000c1000000000000000500000000000000010000000200000003000000040000000600000003000000000000000002000000040000000002000000140000000500000000000000000000000007000000000000000002000000080000000002000000020000000900000000040000000100000000000000010000000100000000050000000000000000000000ffffffff'),
	('texts', '\x43524d5001020b0e020000000100000061010000006201000000000000010200000000000000010000000100000000000000020000000000000000000000010000000300000000000000000100000001000000000000000000000003000000030000000000000000000000000100000001000000040000000000000000000000000000000001000000050000000000000000000000000000000001000000'),
	('executor', '\x43524d500102030d0100000003000000746167010000000000000000000000000000002a000000000000000000000003000000000000000a000000000000000d00000000000000000000000000000003000000000000000a000000000000000d00000000000000140000000000000017000000000000001e00000000000000210000000000000028000000000000002b00000000000000320000000000000035000000000000003c000000000000003f0000000000000046000000000000004900000000000000500000000000000053000000000000005a000000000000005d00000000000000640000000000000067000000000000006e00000000000000710000000000000078000000000000007b00000000000000820000000000000085000000000000008c000000000000008f0000000000000096000000000000009900000000000000a000000000000000a300000000000000aa00000000000000ad00000000000000b400000000000000b700000000000000be00000000000000c100000000000000000000000000000005000000000000000010a5d4e80000000510a5d4e800000000204aa9d101000005204aa9d10100000030ef7dba0200000530ef7dba02000000409452a303000005409452a3030000005039278c040000055039278c0400000060defb740500000560defb74050000007083d05d060000057083d05d060000008028a546070000058028a5460700000090cd792f0800000590cd792f08000000a0724e1809000005a0724e1809000000b01723010a000005b01723010a000000c0bcf7e90a000005c0bcf7e90a000000d061ccd20b000005d061ccd20b000000e006a1bb0c000005e006a1bb0c000000f0ab75a40d000005f0ab75a40d00000000514a8d0e00000500514a8d0e00000010f61e760f00000510f61e760f000000209bf35e10000005209bf35e100000003040c847110000053040c847110000050000000000000001000000020000000300000004000000070000000300000000000000000200000004000000000200000014000000050000000000000000000000000700000000000000000200000008000000000200000002000000090000000004000000010000000300000000160000001400000000000000040000000100000000050000000000000000000000ffffffff0100000000060000000000000000000000ffffffff0200000000000000000000000000000000ffffffff0200000000010000000000000000000000ffffffff');
CREATE TABLE plan_row AS
	SELECT i AS id, CASE WHEN i % 7 > 0 THEN i % 200 END AS number, CASE WHEN i % 5 > 0 THEN chr(97 + i % 4) END AS word FROM generate_series(0, 2999) i;

-- As they are, they run.
SELECT pg_column_size(tag_scan_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, NULL::text, number)) > 0 AS logic FROM plan_row;
SELECT pg_column_size(tag_scan_agg((SELECT bytes FROM plan WHERE name = 'texts'), 16, id, NULL::text, word, ARRAY[upper(word)])) > 0 AS texts FROM plan_row;
SELECT pg_column_size(tag_scan_agg((SELECT bytes FROM plan WHERE name = 'executor'), 16, id, NULL::text, number, ARRAY[(number > 5) IS TRUE, false])) > 0 AS executor FROM plan_row;

-- Arguments that are not those of the plan.
\set VERBOSITY terse
SELECT tag_scan_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, NULL::text, word) FROM plan_row;
SELECT tag_scan_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, NULL::text, number, number) FROM plan_row;
SELECT tag_scan_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, NULL::text) FROM plan_row;
SELECT tag_scan_agg((SELECT bytes FROM plan WHERE name = 'executor'), 16, id, NULL::text, number, ARRAY[true]) FROM plan_row;
SELECT pg_column_size(tag_scan_agg((SELECT bytes FROM plan WHERE name = 'executor'), 16, id, NULL::text, number, ARRAY[true, NULL])) > 0 AS null_is_no FROM plan_row;
SELECT tag_scan_agg((SELECT bytes FROM plan WHERE name = 'executor'), 16, id, NULL::text, number, ARRAY[[true], [false]]) FROM plan_row;
SELECT tag_scan_agg((SELECT bytes FROM plan WHERE name = 'executor'), 16, id, NULL::text, number, NULL::boolean[]) FROM plan_row;
SELECT tag_scan_agg('\x', 16, id, NULL::text, number) FROM plan_row;
\set VERBOSITY default
SELECT tag_scan_agg('\x00', 16, id, NULL::text, number) FROM plan_row;

-- The form with declared types: what the rules need comes as one value.
SELECT name, md5(CASE name
		WHEN 'logic' THEN (SELECT tag_scan_agg(bytes, 16, id, NULL::int, number) FROM plan_row)
		WHEN 'texts' THEN (SELECT tag_scan_agg(bytes, 16, id, NULL::int, word, ARRAY[upper(word)]) FROM plan_row)
		ELSE (SELECT tag_scan_agg(bytes, 16, id, NULL::int, number, ARRAY[number > 5, false]) FROM plan_row) END::text)
	= md5(CASE name
		WHEN 'logic' THEN (SELECT tag_scan_rows_agg(bytes, 16, id, NULL, tag_scan_values(number)) FROM plan_row)
		WHEN 'texts' THEN (SELECT tag_scan_rows_agg(bytes, 16, id, NULL, tag_scan_values(word, ARRAY[upper(word)])) FROM plan_row)
		ELSE (SELECT tag_scan_rows_agg(bytes, 16, id, NULL, tag_scan_values(number, ARRAY[number > 5, false])) FROM plan_row) END::text) AS same
FROM plan ORDER BY name;
SELECT tag_scan_rows_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, NULL, tag_scan_values(word)) FROM plan_row;
SELECT tag_scan_rows_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, NULL, tag_scan_values(number, number)) FROM plan_row;
SELECT tag_scan_rows_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, NULL, NULL) FROM plan_row;
SELECT tag_scan_rows_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, NULL, CASE WHEN id < 9 THEN tag_scan_values(number) ELSE tag_scan_values(word) END) FROM plan_row;
SELECT tag_scan_rows_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, NULL, CASE WHEN id < 9 THEN tag_scan_values(number) END) FROM plan_row;
SELECT tag_scan_values(number) FROM plan_row LIMIT 1;
SELECT 'x'::tag_scan_row;
SELECT tag_scan_values(name::name) FROM plan LIMIT 1;
SELECT tag_scan_agg((SELECT bytes FROM plan WHERE name = 'logic'), 16, id, 7, number) FROM plan_row;

-- Every byte of them replaced, and every shorter plan: an error or an answer, never more.
CREATE FUNCTION try_plan(name text, bytes bytea) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	CASE name
		WHEN 'logic' THEN PERFORM crm.tag_scan_agg(bytes, 16, id, NULL::text, number) FROM plan_row WHERE id < 70;
		WHEN 'texts' THEN PERFORM crm.tag_scan_agg(bytes, 16, id, NULL::text, word, ARRAY[upper(word)]) FROM plan_row WHERE id < 70;
		ELSE PERFORM crm.tag_scan_agg(bytes, 16, id, NULL::text, number, ARRAY[(number > 5) IS TRUE, false]) FROM plan_row WHERE id < 70;
	END CASE;
	RETURN true;
EXCEPTION WHEN invalid_binary_representation OR datatype_mismatch THEN
	RETURN false;
END
$$;
SELECT name, count(*) = 4 * length(bytes) AS all_tried, bool_or(good) AS some_run, bool_and(good) AS all_run
FROM plan, generate_series(0, length(bytes) - 1) place, (VALUES (0), (1), (127), (255)) v (value),
	LATERAL try_plan(name, set_byte(bytes, place, value)) good
GROUP BY name, bytes ORDER BY name;
SELECT name, bool_or(try_plan(name, substr(bytes, 1, length))) AS some_run
FROM plan, generate_series(0, length(bytes) - 1) length GROUP BY name ORDER BY name;
SELECT name, try_plan(name, bytes || '\x00') AS longer FROM plan ORDER BY name;
DROP FUNCTION try_plan;
DROP TABLE plan, plan_row;

-- A text tag has so many values, and so long ones; the error names it, whichever way its rule runs.
CREATE TABLE value_row AS SELECT i AS id, 'value ' || i AS word FROM generate_series(1, 3000) i;
SELECT create_population('values', 'value_row', 'id');
SELECT create_tag('by column', 'word', population => 'values');
SELECT refresh_tags('values');
SELECT drop_tag('by column', 'values');
SELECT create_tag('by executor', 'upper(word)', population => 'values');
SELECT refresh_tags('values');
SET crm_analytics.max_tag_values = 3000;
SELECT count(*), sum(members) FROM refresh_tags('values') WHERE value IS NOT NULL;
SELECT create_tag('by case', 'CASE WHEN id = 1 THEN ''a'' WHEN id = 2 THEN ''b'' WHEN id = 3 THEN ''c'' END', population => 'values');
SET crm_analytics.max_tag_values = 2;
SELECT refresh_tags('values', ARRAY['by case']);
RESET crm_analytics.max_tag_values;
SELECT tag, value, members FROM refresh_tags('values', ARRAY['by case']) WHERE value IS NOT NULL ORDER BY value;
SET crm_analytics.max_tag_values = 5000;
UPDATE value_row SET word = repeat('长', 400) WHERE id = 77;
SELECT drop_tag('by executor', 'values');
SELECT create_tag('by column', 'word', population => 'values');
SELECT refresh_tags('values', ARRAY['by column']);
SELECT drop_tag('by column', 'values');
SELECT create_tag('by executor', 'word || ''!''', population => 'values');
SELECT refresh_tags('values', ARRAY['by executor']);
-- A long value that no rule takes for its result is no matter.
SELECT create_tag('beside', 'word = ''value 5''', population => 'values');
SELECT tag, members FROM refresh_tags('values', ARRAY['beside']);
-- Stored outside the row or compressed, values are found all the same.
ALTER TABLE value_row ADD amount numeric;
UPDATE value_row SET amount = id;
ALTER TABLE value_row ALTER word SET STORAGE EXTERNAL, ALTER amount SET STORAGE EXTERNAL;
UPDATE value_row SET word = repeat('x', 9000), amount = repeat('9', 9000)::numeric WHERE id = 78;
UPDATE value_row SET amount = ('2.' || repeat('3', 9000))::numeric WHERE id = 80;
ALTER TABLE value_row ALTER word SET STORAGE EXTENDED, ALTER amount SET STORAGE EXTENDED;
UPDATE value_row SET word = repeat('y', 9000), amount = ('-1.' || repeat('3', 9000))::numeric WHERE id = 79;
SELECT create_tag('outside', format('word = %L', repeat('x', 9000)), population => 'values');
SELECT create_tag('compressed', format('word = %L', repeat('y', 9000)), population => 'values');
SELECT create_tag('large', 'amount > 3000', population => 'values');
SELECT create_tag('small', 'amount < 3', population => 'values');
SELECT name, rule_is_batched('value_row', rule) FROM (VALUES ('large', 'amount > 3000'), ('small', 'amount < 3')) v (name, rule);
SELECT tag, members FROM refresh_tags('values', ARRAY['outside', 'compressed', 'large', 'small']) ORDER BY tag;
SELECT name, tag(name)::bigint[] AS ids FROM (VALUES ('outside'), ('compressed'), ('large'), ('small')) v (name);
RESET crm_analytics.max_tag_values;
SELECT drop_population('values');
DROP TABLE value_row;
