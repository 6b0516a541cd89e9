-- Why a customer has a tag, and what would change it.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA explain_test;
SET search_path = explain_test, crm, public;

CREATE TABLE customers (
	customer_id int PRIMARY KEY, name text, city text, assets numeric, spent numeric(12, 2), age int NOT NULL, opted_out boolean, risk char(6),
	score float8, joined date, seen timestamptz, doubled int GENERATED ALWAYS AS (age * 2) STORED);
INSERT INTO customers VALUES
	(1, 'Li Wei', 'Berlin', 950000, 12.50, 34, false, 'low', 0.5, '2020-01-01', '2026-01-31 10:00:00+00'),
	(2, 'Wang', NULL, NULL, NULL, 17, NULL, NULL, NULL, NULL, NULL),
	(3, 'O''Neill', 'Paris', 2000000, 100, 70, true, 'high', 1.5, '2024-02-29', '2026-03-01 10:00:00+00');
SELECT create_population('people', 'customers', 'customer_id');

-- Parts that name the moment are shown without it.
CREATE FUNCTION told(key bigint, tag text) RETURNS TABLE (part text, detail text, value text) LANGUAGE sql AS $$
	SELECT part, CASE WHEN part IN ('now', 'stored') THEN regexp_replace(detail, '\d{4}-\d\d-\d\d [0-9:.]+\+00', 'T') ELSE detail END, value
	FROM explain_tag(key, tag) $$;

-- Before and after a refresh; conditions, those that decided, the smallest change.
SELECT create_tag('wealthy', 'assets >= 1000000 AND NOT opted_out');
SELECT * FROM told(1, 'wealthy');
SELECT count(*) FROM refresh_tags();
SELECT * FROM told(3, 'wealthy');
SELECT * FROM told(2, 'wealthy');
UPDATE customers SET assets = 1500000 WHERE customer_id = 1;
SELECT * FROM told(1, 'wealthy') WHERE part IN ('now', 'stored', 'change');
SELECT replace_tag('wealthy', 'assets >= 1000000');
SELECT * FROM told(1, 'wealthy') WHERE part IN ('rule', 'now', 'stored');
UPDATE customers SET assets = 950000 WHERE customer_id = 1;

-- A word of SQL's own syntax is no constant of the rule's.
SELECT create_tag('normal', 'extract(month FROM joined) = 2 AND name IS NFC NORMALIZED AND normalize(name, NFD) = name');
SELECT * FROM told(3, 'normal');
SELECT drop_tag('normal');

-- Bounds have the grain of their type: whole numbers, days, cents; elsewhere "more than".
CREATE FUNCTION changes(rule text, key bigint DEFAULT 1) RETURNS TABLE (detail text, value text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM create_tag('trial', rule);
	RETURN QUERY SELECT CASE WHEN t.part = 'change' THEN t.detail ELSE t.part || ': ' || t.detail END, t.value FROM told(key, 'trial') t WHERE t.part LIKE '%change%' OR t.part = 'value of';
	PERFORM drop_tag('trial');
END $$;
SELECT rule, c.* FROM (VALUES
	('age > 40'), ('age >= 40.5'), ('age < 34'), ('age <> 34'), ('age = 50'), ('age BETWEEN 40 AND 50'), ('age BETWEEN 10 AND 20'), ('age > 3000000000'),
	('age NOT BETWEEN 30 AND 36'), ('age IN (1, 30, 40)'), ('age IN (31, 37)'), ('age > 40 OR age < 20'), ('age IS NULL'), ('customer_id = 2'), ('doubled > 100'),
	('spent > 20'), ('spent >= 20.005'), ('spent < 12.5'), ('spent > 99999999999'), ('assets > 1000000'), ('assets < 950000'), ('assets > 1 AND assets < 2'),
	('score > 0.75'), ('score >= 0.75'), ('score < 0.25 OR score = 0.75'), ('joined > ''2021-06-30'''), ('joined < timestamptz ''2019-06-30 12:00:00+00'''),
	('joined BETWEEN ''2021-01-01'' AND ''2021-12-31'''), ('seen > ''2026-02-01'''), ('seen <= ''2026-01-01'''),
	('opted_out'), ('opted_out IS NOT FALSE'), ('opted_out IS NULL'), ('city = ''Paris'''), ('city <> ''Berlin'''), ('city IN (''Rome'', ''Athens'')'), ('city IS NULL'),
	('city IS DISTINCT FROM ''Berlin'''), ('city NOT IN (''Berlin'', ''Bonn'')'), ('risk = ''high'''), ('risk <> ''low'''), ('COALESCE(spent, 50) > 20'),
	('CASE WHEN age < 18 THEN ''minor'' WHEN age < 60 THEN ''adult'' ELSE ''senior'' END'), ('CASE city WHEN ''Berlin'' THEN ''DE'' WHEN ''Paris'' THEN ''FR'' END'),
	('city'), ('COALESCE(city, ''none'')'), ('upper(city)'), ('name LIKE ''Li%'''), ('age % 2 = 0 AND spent > 20'), ('age % 2 = 1 AND spent > 20'), ('true'), ('age > assets'),
	('assets > 1000000 AND spent > 20'), ('assets > 1000000 OR spent > 20 OR age > 35')) r (rule), changes(rule) c;
-- The same in Chinese: other words, nothing else.
CREATE FUNCTION in_chinese(rule text, key bigint) RETURNS TABLE (part text, detail text, value text, same boolean) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM create_tag('trial', rule);
	RETURN QUERY SELECT t.part_zh, t.detail_zh, t.value_zh, (t.part, t.detail, t.value) IS NOT DISTINCT FROM (t.part_zh, t.detail_zh, t.value_zh)
	FROM ROWS FROM (explain_tag(key, 'trial', language => 'en'), explain_tag(key, 'trial', language => 'zh')) t (part, detail, value, part_zh, detail_zh, value_zh);
	PERFORM drop_tag('trial');
END $$;
SELECT rule, c.part, regexp_replace(c.detail, '\d{4}-\d\d-\d\d [0-9:.]+\+00', 'T') AS detail, regexp_replace(c.value, '至多19.*', '至多T') AS value
FROM (VALUES ('age > 40'), ('age BETWEEN 10 AND 20'), ('score > 0.75'), ('score < 0.25'), ('spent < 12.5'), ('opted_out IS NULL'), ('city = ''Paris'''), ('city NOT IN (''Berlin'', ''Bonn'')'),
	('city <> ''Berlin'''), ('assets IS NULL'), ('upper(city)'), ('CASE WHEN age < 18 THEN ''minor'' WHEN age < 60 THEN ''adult'' ELSE ''senior'' END'), ('age > assets'), ('joined > as_of - interval ''50 years''')) r (rule),
	in_chinese(rule, 1) c WHERE NOT c.same ORDER BY rule COLLATE "C", c.part COLLATE "C", c.value COLLATE "C";
SELECT part, value FROM in_chinese('opted_out', 2) WHERE part NOT IN ('now', 'stored');
SELECT count(*) FROM explain_tag(1, 'wealthy', 'people', 'fr');
-- From NULL, and to it.
SELECT rule, c.* FROM (VALUES ('assets > 1000000'), ('assets IS NOT NULL'), ('city = ''Paris'''), ('city <> ''Paris'''), ('COALESCE(spent, 50) > 20'), ('opted_out'), ('NOT opted_out'), ('seen IS NOT NULL'), ('assets < 5 OR assets IS NULL')) r (rule), changes(rule, 2) c;
SELECT rule, c.* FROM (VALUES ('assets IS NOT NULL'), ('assets = assets'), ('name IS NOT NULL')) r (rule), changes(rule, 3) c;

-- By the clock.
CREATE FUNCTION clock(rule text, key bigint DEFAULT 1) RETURNS TABLE (part text, detail text, value text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM create_tag('trial', rule);
	RETURN QUERY SELECT t.part, t.detail, t.value FROM told(key, 'trial') t WHERE t.part IN ('since', 'until');
	PERFORM drop_tag('trial');
END $$;
SELECT rule, c.* FROM (VALUES
	('seen >= as_of - interval ''200 years'''), ('seen < as_of - interval ''1 day'''), ('seen >= as_of - interval ''100 years'''), ('joined < as_of - interval ''1 month'''), ('joined + 365000 > as_of'),
	('joined = as_of::date'), ('joined >= as_of::date - 36500'), ('age > 1'), ('extract(month FROM joined) = extract(month FROM as_of)'),
	('extract(month FROM joined) = extract(month FROM as_of) OR seen < as_of'), ('as_of < ''2100-01-01'''), ('as_of::date BETWEEN ''2020-01-01'' AND ''2099-12-31''')) r (rule), clock(rule) c;

-- What is not understood: its value is shown, an error of it said.
SELECT create_tag('failing', 'assets > 1 OR 1 / (age - 34) > 0');
SELECT * FROM told(1, 'failing') WHERE part NOT IN ('now');
SELECT create_tag('always failing', '1 / (age - 34) > 0');
SELECT * FROM explain_tag(1, 'always failing');

-- Nobody, nothing, unknown.
SELECT * FROM explain_tag(99, 'wealthy');
SELECT * FROM explain_tag(NULL::bigint, 'wealthy');
SELECT * FROM explain_tag(1, NULL);
SELECT * FROM explain_tag(1, 'welthy');
SELECT * FROM explain_tag('x', 'wealthy');
SELECT * FROM explain_tag(1, 'wealthy', 'nowhere');

-- Other keys; names that need quotes.
CREATE TABLE accounts (account uuid PRIMARY KEY, "Größe $1" int, "select" text);
INSERT INTO accounts VALUES ('00000000-0000-0000-0000-00000000000a', 5, 'it''s $1');
SELECT create_population('accounts', 'accounts', 'account');
SELECT create_tag('big', '"Größe $1" > 7 AND "select" = ''it''''s $1'' AND as_of > ''2000-01-01''', population => 'accounts');
SELECT part, regexp_replace(detail, '^as of .*', 'T'), value FROM explain_tag('00000000-0000-0000-0000-00000000000a'::uuid, 'big', 'accounts');
SELECT count(*) FROM explain_tag('00000000-0000-0000-0000-00000000000A', 'big', 'accounts');
SELECT drop_population('accounts');

-- Rights: columns that the caller may not read, rows that he may not see, a view that shows him something else.
CREATE ROLE regress_crm_teller;
GRANT USAGE ON SCHEMA explain_test, crm TO regress_crm_teller;
SELECT create_tag('two', 'age > 40 AND assets > 1000000');
SELECT create_tag('whole', 'customer IS NOT NULL');
SET ROLE regress_crm_teller;
SELECT * FROM explain_tag(1, 'two', 'people');
RESET ROLE;
SELECT grant_population('people', 'regress_crm_teller');
GRANT SELECT (customer_id, name, age) ON customers TO regress_crm_teller;
SET ROLE regress_crm_teller;
SELECT part, regexp_replace(detail, '^as of .*', 'T'), value FROM explain_tag(1, 'two', 'people');
SELECT part, regexp_replace(detail, '^as of .*', 'T'), value FROM explain_tag(1, 'whole', 'people');
RESET ROLE;
GRANT SELECT ON customers TO regress_crm_teller;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY few ON customers USING (customer_id > 1);
SET ROLE regress_crm_teller;
SELECT count(*) FROM explain_tag(1, 'two', 'people');
SELECT count(*) FROM explain_tag(3, 'two', 'people');
RESET ROLE;
CREATE VIEW masked AS SELECT customer_id, age, CASE WHEN current_user <> 'regress_crm_teller' THEN assets END AS assets FROM customers;
GRANT SELECT ON masked TO regress_crm_teller;
SELECT create_population('masked', 'masked', 'customer_id');
SELECT create_tag('two', 'age > 40 AND assets > 1000000', population => 'masked');
SET ROLE regress_crm_teller;
SELECT part, regexp_replace(detail, '^as of .*', 'T'), value FROM explain_tag(3, 'two', 'masked');
RESET ROLE;

SELECT drop_population('masked');
SELECT drop_population('people');
DROP SCHEMA explain_test CASCADE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_teller;
DROP ROLE regress_crm_teller;
