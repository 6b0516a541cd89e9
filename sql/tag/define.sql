-- Creating, replacing and dropping populations and tags: names, sources, versions, and every error.
CREATE SCHEMA tag_define;
SET search_path = tag_define, crm, public;
SET client_min_messages = warning;
CREATE TABLE "Kunden 客户" ("Nr." int, "客户姓名" text, "Saldo" numeric, branch text, at timestamptz, arr int[]);
INSERT INTO "Kunden 客户" SELECT n, 'k' || n, n * 10, 'b' || n % 3, '2026-01-01', NULL FROM generate_series(1, 100) n;
CREATE TABLE events (customer int, at timestamptz, what text, amount float8, day date, channel text);
CREATE SEQUENCE numbers;
CREATE INDEX an_index ON events (at);

-- Populations: arguments
SELECT create_population(NULL, 'events', 'customer');
SELECT create_population('p', NULL, 'customer');
SELECT create_population('p', 'events', NULL);
SELECT create_population('', 'events', 'customer');
SELECT create_population(repeat('x', 201), 'events', 'customer') \g /dev/null
SELECT create_population('p', 'nowhere', 'customer');
SELECT create_population('p', 'numbers', 'last_value');
SELECT create_population('p', 'an_index', 'at');
SELECT create_population('p', 'events', 'custommer');
SELECT create_population('p', 'events', 'nothing like it');
SELECT create_population('p', 'events', 'at');
SELECT create_population('p', 'Kunden 客户'::regclass, 'Nr.') \g /dev/null
SELECT create_population('p', '"Kunden 客户"', 'arr');
SELECT create_population('p', '"Kunden 客户"', 'Nr.', 'brunch');
SELECT create_population('p', '"Kunden 客户"', 'Nr.', event_key => 'customer');
SELECT create_population('p', '"Kunden 客户"', 'Nr.', events => 'events');
SELECT create_population('p', '"Kunden 客户"', 'Nr.', events => 'events', event_key => 'customer', event_time => 'what', event_name => 'what');
SELECT create_population('p', '"Kunden 客户"', 'Nr.', events => 'events', event_key => 'amount', event_time => 'at', event_name => 'what');
SELECT create_population('p', '"Kunden 客户"', 'Nr.', events => 'events', event_key => 'customer', event_time => 'at', event_name => 'wat');
SELECT create_population('p', '"Kunden 客户"', 'Nr.', events => 'events', event_key => 'customer', event_time => 'at', event_name => 'what', event_attributes => '{channel,NULL}');
SELECT create_population('p', '"Kunden 客户"', 'Nr.', events => 'events', event_key => 'customer', event_time => 'at', event_name => 'what', event_attributes => '{chanel}');
SELECT create_population('p', '"Kunden 客户"', 'Nr.', events => 'events', event_key => 'customer', event_time => 'day', event_name => 'what',
	event_value => 'amount', event_attributes => '{channel}', description => 'with events');
SELECT create_population('p', '"Kunden 客户"', 'Nr.');
SELECT name, source_name, key_column, key_form, scope_column, description, events, event_key, event_time, event_name, event_value, event_attributes
FROM crm.population_definition WHERE name = 'p';

-- Tags: arguments
SELECT create_tag(NULL, 'true', population => 'p');
SELECT create_tag('t', NULL, population => 'p');
SELECT create_tag('t', 'true', NULL, population => 'p');
SELECT create_tag('', 'true', population => 'p');
SELECT create_tag('t', 'true', 'basic', population => 'p');
SELECT create_tag('t', 'true', population => 'pp');
SELECT create_tag('t', 'true', population => 'quite another');
SELECT create_tag('t', 'true', population => 'p', valid_for => '0');
SELECT create_tag('t', 'true', population => 'p', valid_for => '-1 day');
SELECT create_tag('t', 'Saldo > 2', population => 'p');
SELECT create_tag('VIP 客户', '"Saldo" >= 500 AND "客户姓名" <> ''k77''', 'personality', 'p', '30 days', 'the best');
SELECT create_tag('VIP 客户', 'true', population => 'p');
SELECT create_tag('vip 客户', '"Saldo" < 500', 'timeliness', 'p');
SELECT create_tag('it''s "so"', $$CASE WHEN "Nr." = 1 THEN '一 "quoted"' WHEN "Nr." < 4 THEN 'it''s' WHEN "Nr." < 6 THEN '' WHEN "Nr." < 9 THEN ' ' END$$, population => 'p');
SELECT d.name, kind, value_type, version, valid_for, d.description, rule, rule_qualified FROM crm.tag_definition d JOIN crm.tag_version v USING (tag_id, version)
JOIN crm.population_definition p USING (population_id) WHERE p.name = 'p' ORDER BY d.name COLLATE "C" \gx
SELECT * FROM refresh_tags('p');

-- Versions: old ones stay readable, the set stays the old one's until the refresh
SELECT replace_tag('VIP', 'true', population => 'p');
SELECT replace_tag('VIP 客户', '''text''', population => 'p');
SELECT replace_tag('VIP 客户', '"Saldo" >', population => 'p');
SELECT replace_tag('VIP 客户', '"Saldo" >= 900', 'correlation', 'p');
SELECT cardinality(tag('VIP 客户', population => 'p'));
SELECT kind, version, refreshed_version, valid_for, description FROM crm.tag_definition WHERE name = 'VIP 客户';
SELECT v.version, rule FROM crm.tag_version v JOIN crm.tag_definition d USING (tag_id) WHERE name = 'VIP 客户' ORDER BY 1;
SELECT * FROM refresh_tags('p', ARRAY['VIP 客户']);
SELECT cardinality(tag('VIP 客户', population => 'p')), (SELECT refreshed_version FROM crm.tag_definition WHERE name = 'VIP 客户');

-- Dropping: nothing of it is left, and the name is free
CREATE TEMP TABLE gone AS SELECT tag_id FROM crm.tag_definition WHERE name IN ('VIP 客户', 'it''s "so"');
SELECT drop_tag(NULL);
SELECT drop_tag('VIP', 'p');
SELECT drop_tag('VIP 客户', 'p'), drop_tag('it''s "so"', 'p');
SELECT (SELECT count(*) FROM crm.tag_set WHERE tag_id IN (SELECT * FROM gone)) AS sets, (SELECT count(*) FROM crm.tag_size WHERE tag_id IN (SELECT * FROM gone)) AS sizes,
	(SELECT count(*) FROM crm.tag_version WHERE tag_id IN (SELECT * FROM gone)) AS versions, (SELECT count(*) FROM crm.tag_value WHERE tag_id IN (SELECT * FROM gone)) AS values,
	(SELECT count(*) FROM gone) AS tags;
SELECT tag('VIP 客户', population => 'p');
SELECT create_tag('VIP 客户', '"Saldo" < 100', population => 'p');
SELECT tag('VIP 客户', population => 'p');
SELECT * FROM refresh_tags('p', '{VIP 客户}');

-- What a rule names may go: the error says whose rule it is, and the rest can go on
ALTER TABLE "Kunden 客户" RENAME "Saldo" TO "Guthaben";
SELECT * FROM refresh_tags('p');
ALTER TABLE "Kunden 客户" RENAME "Guthaben" TO "Saldo";
ALTER TABLE "Kunden 客户" RENAME "Nr." TO nr;
SELECT * FROM refresh_tags('p');
SELECT customer_key(1, 'p');
ALTER TABLE "Kunden 客户" RENAME nr TO "Nr.";
ALTER TABLE "Kunden 客户" RENAME TO moved;
SELECT tag, members FROM refresh_tags('p') ORDER BY tag COLLATE "C";
ALTER TABLE moved SET SCHEMA public;
SELECT tag, members FROM refresh_tags('p') ORDER BY tag COLLATE "C";
SELECT create_tag('later', '"Saldo" < 200', population => 'p');

SELECT drop_population('q');
SELECT drop_population(NULL);
CREATE TEMP TABLE population AS SELECT population_id FROM crm.population_definition WHERE name = 'p';
SELECT drop_population('p');
SELECT (SELECT count(*) FROM crm.tag_set JOIN population USING (population_id)) + (SELECT count(*) FROM crm.tag_size JOIN population USING (population_id))
	+ (SELECT count(*) FROM crm.tag_definition JOIN population USING (population_id)) + (SELECT count(*) FROM crm.refresh_history JOIN population USING (population_id)) AS left_over;
DROP TABLE public.moved;
DROP SCHEMA tag_define CASCADE;
