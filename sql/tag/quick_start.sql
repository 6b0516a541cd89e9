-- quick_start: from tables to first tags, twice, and over tables that do not serve.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA quick_test;
SET search_path = quick_test, crm, public;

CREATE TYPE channel AS ENUM ('app', 'branch', 'web');
CREATE DOMAIN rating AS int;
CREATE TABLE customers (
	customer_id bigint PRIMARY KEY, name text, gender text, city varchar(20), channel channel, premium boolean, age int, rating rating,
	balance numeric(12,2), visits int, constant int, "E-Mail" text, mobile text, birthday date, signup timestamptz, card_until date,
	photo bytea, ext uuid, order_total int);
INSERT INTO customers
SELECT i, 'Name ' || i, (ARRAY['f', 'm', ' ', NULL])[i % 4 + 1], (ARRAY['Berlin', '上海'])[i % 2 + 1], (ARRAY['app', 'branch', 'web'])[i % 3 + 1]::channel,
	i % 5 = 0, 18 + i % 60, i % 4, (i * 37 % 1000) + 0.5, CASE WHEN i % 10 = 0 THEN i % 7 ELSE 0 END, 7,
	CASE WHEN i % 3 = 0 THEN i || '@mail.example' END, CASE WHEN i % 4 = 0 THEN '' ELSE '+49' || i END,
	date '1970-01-01' + i * 13, now() - i * interval '1 day', (now() + (i % 400 - 100) * interval '1 day')::date, NULL, NULL, i
FROM generate_series(1, 1000) i;
CREATE TABLE orders (order_id bigserial PRIMARY KEY, buyer bigint REFERENCES customers, shop_id int, ordered_at timestamptz, shipped_at timestamptz, amount numeric(10,2));
INSERT INTO orders (buyer, shop_id, ordered_at, amount)
SELECT i * i % 700 + 1, 3, now() - (i * 7 % 500) * interval '1 day' - interval '1 hour', i % 90 + 0.25 FROM generate_series(1, 4000) i;
CREATE TABLE events (customer_id int, event text, occurred_at timestamp);
INSERT INTO events SELECT i % 300 + 1, 'open', localtimestamp - (i % 90) * interval '1 day' - interval '1 hour' FROM generate_series(1, 900) i;

-- Suggestions alone: nothing is created.
SELECT tag, kind, description, rule FROM suggest_tags('customers', 'customer_id');
SELECT count(*) FROM tag_catalog;

-- Customers alone, twice.
SELECT step, did FROM quick_start('customers');
SELECT step, did FROM quick_start('customers') WHERE step <> 'try';
-- A statement that it says to try.
SELECT did AS "try" FROM quick_start('customers') WHERE did LIKE '%cardinality%' \gset
:try

-- Sizes against plain SQL.
SELECT tag, value, members FROM segment_size WHERE population = 'customers' AND tag IN ('premium', 'has_mobile', 'rating', 'channel', 'gender', 'age_band', 'birthday_this_month')
	AND tag <> 'birthday_this_month' ORDER BY tag COLLATE "C", value COLLATE "C";
SELECT count(*) FILTER (WHERE premium) AS premium, count(*) FILTER (WHERE mobile <> '') AS has_mobile, count(*) FILTER (WHERE rating = 2) AS rating_2,
	count(*) FILTER (WHERE channel = 'web') AS web, count(*) FILTER (WHERE gender = 'f') AS gender_f FROM customers;
SELECT cardinality(tag('birthday_this_month')) = (SELECT count(*) FROM customers WHERE extract(month FROM birthday) = extract(month FROM now())) AS birthdays,
	cardinality(tag('card_until_next_30_days')) = (SELECT count(*) FROM customers WHERE card_until >= now() AND card_until < now() + interval '30 days') AS cards,
	cardinality(tag('signup_age', 'last 30 days')) = (SELECT count(*) FROM customers WHERE signup >= now() - interval '30 days') AS signups;
SELECT drop_population('customers');

-- With orders and events.
SELECT step, did FROM quick_start('customers', 'orders', 'events');
SELECT step, did FROM quick_start('customers', 'orders', 'events') WHERE step <> 'try';
SELECT a.attname, a.atttypid::regtype FROM pg_attribute a WHERE a.attrelid = 'customers_crm'::regclass AND attnum > 19 ORDER BY attnum;
SELECT count(*) AS customers, count(*) FILTER (WHERE
	(v.order_count, v.crm_order_total, v.last_order_at) IS DISTINCT FROM (coalesce(o.n, 0), coalesce(o.total, 0), o.last)
	OR (v.event_count, v.last_event_at) IS DISTINCT FROM (coalesce(e.n, 0), e.last)
	OR v.order_total <> v.customer_id) AS wrong
FROM customers_crm v
LEFT JOIN (SELECT buyer, count(*) AS n, sum(amount)::float8 AS total, max(ordered_at) AS last FROM orders GROUP BY buyer) o ON o.buyer = v.customer_id
LEFT JOIN (SELECT customer_id, count(*) AS n, max(occurred_at)::timestamptz AS last FROM events GROUP BY customer_id) e ON e.customer_id = v.customer_id;
SELECT cardinality(tag('repeat_buyer')) = (SELECT count(*) FROM (SELECT FROM orders GROUP BY buyer HAVING count(*) > 1) s) AS repeat_buyer,
	cardinality(tag('never_ordered')) = (SELECT count(*) FROM customers WHERE customer_id NOT IN (SELECT buyer FROM orders)) AS never_ordered,
	cardinality(tag('rfm_segment')) = (SELECT count(DISTINCT buyer) FROM orders) AS rfm_segment,
	cardinality(tag('ordered_90_days')) = (SELECT count(DISTINCT buyer) FROM orders WHERE ordered_at >= now() - interval '90 days') AS ordered_90_days,
	cardinality(tag('active_30_days')) = (SELECT count(DISTINCT customer_id) FROM events WHERE occurred_at >= now() - interval '30 days') AS active_30_days;
SELECT s.value, s.members = v.n AS as_in_the_view FROM segment_size s
JOIN (SELECT rfm_segment, count(*) AS n FROM customers_crm GROUP BY 1) v ON v.rfm_segment = s.value
WHERE s.tag = 'rfm_segment' AND s.members <> v.n;
-- The events are registered for timelines.
SELECT event_key, event_time, event_name FROM population_definition WHERE name = 'customers';
-- Customers' rows are found without adding up anybody's orders.  (From 16 on an equality with one constant is passed into the
-- joins before they could be left out: they add up the orders of that customer then.)
ANALYZE customers;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT 1 FROM customers_crm WHERE customer_id = ANY ('{5,6}');
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT drop_population('customers');
DROP VIEW customers_crm;

-- Chinese names; quantity times price; the link by a usual name.
CREATE TABLE "客户" ("客户编号" int PRIMARY KEY, "姓名" text, "城市" text, "手机" text, "出生日期" date);
INSERT INTO "客户" SELECT i, '客户' || i, (ARRAY['北京', '上海'])[i % 2 + 1], '1380000' || i, date '1980-01-01' + i FROM generate_series(1, 50) i;
CREATE TABLE "订单" ("客户编号" int, "下单时间" timestamp, "数量" int, "单价" numeric);
INSERT INTO "订单" SELECT i % 40 + 1, localtimestamp - i * interval '1 day', i % 3 + 1, 10.5 FROM generate_series(1, 200) i;
SELECT step, did FROM quick_start('客户', '订单') WHERE step <> 'try';
SELECT bool_and(v.order_total = o.total) AS totals FROM "客户_crm" v
JOIN (SELECT "客户编号", sum("数量" * "单价")::float8 AS total FROM "订单" GROUP BY 1) o USING ("客户编号");
SELECT regexp_replace(profile(7, '客户', language => 'zh') ->> 'sentence', '\d{4}-\d\d-\d\d \d\d:\d\d', '<time>') LIKE '客户7（客户 7）的突出特征：%' AS sentence;
SELECT drop_population('客户');
DROP VIEW "客户_crm";

-- Mixed case, an enum, money; then nothing that looks like an amount.
CREATE TABLE "Kunden Liste" ("Kunden-Nr" int PRIMARY KEY, "Kanal" channel);
INSERT INTO "Kunden Liste" SELECT i, (ARRAY['app', 'web'])[i % 2 + 1]::channel FROM generate_series(1, 20) i;
CREATE TABLE "Bestellungen" ("Wer" int REFERENCES "Kunden Liste", "Wann" timestamp, "Betrag" money);
INSERT INTO "Bestellungen" SELECT i % 10 + 1, localtimestamp - i * interval '1 day', i::money FROM generate_series(1, 40) i;
SELECT step, did FROM quick_start('"Kunden Liste"', '"Bestellungen"');
SELECT bool_and(v.order_total = o.total) AS totals FROM "Kunden Liste_crm" v
JOIN (SELECT "Wer", sum("Betrag")::numeric::float8 AS total FROM "Bestellungen" GROUP BY 1) o ON o."Wer" = v."Kunden-Nr";
SELECT drop_population('Kunden Liste');
DROP VIEW "Kunden Liste_crm";
ALTER TABLE "Bestellungen" DROP COLUMN "Betrag";
SELECT step, did FROM quick_start('"Kunden Liste"', '"Bestellungen"') WHERE step = 'orders';
SELECT bool_and(order_total = order_count) AS each_counts_one FROM "Kunden Liste_crm";
SELECT drop_population('Kunden Liste');
DROP VIEW "Kunden Liste_crm";

-- Tables that do not serve, in words.
\set SHOW_CONTEXT never
CREATE TABLE no_key (a int, b text);
INSERT INTO no_key VALUES (1, 'x');
SELECT quick_start('no_key');
CREATE TABLE two_columns (a int, b int, PRIMARY KEY (a, b));
SELECT quick_start('two_columns');
CREATE TABLE doubled (id int, b text);
INSERT INTO doubled VALUES (1, 'x'), (1, 'y');
SELECT quick_start('doubled');
CREATE TABLE empty_one (id int PRIMARY KEY, vip boolean);
SELECT * FROM quick_start('empty_one');
CREATE VIEW seen AS SELECT a AS whatever, b FROM no_key;
SELECT quick_start('seen');
CREATE VIEW seen_with_key AS SELECT customer_id, premium FROM customers;
SELECT step, did FROM quick_start('seen_with_key') WHERE step <> 'try';
SELECT drop_population('seen_with_key');
CREATE TABLE only_key (id int PRIMARY KEY);
INSERT INTO only_key VALUES (1);
SELECT * FROM quick_start('only_key');
SELECT drop_population('only_key');
CREATE TABLE no_link (x text, at timestamptz);
SELECT quick_start('customers', 'no_link');
CREATE TABLE no_time (customer_id bigint, amount int);
SELECT quick_start('customers', 'no_time');
SELECT quick_start('customers', NULL, 'no_time');
SELECT quick_start(NULL);
SELECT quick_start('no_such_table');
CREATE TABLE customers_crm (id int);
SELECT quick_start('customers', 'orders');
DROP TABLE customers_crm;
SELECT count(*) AS nothing_left FROM population_definition;

-- As the tables' owner without any other right.
CREATE ROLE regress_crm_small_firm;
GRANT USAGE, CREATE ON SCHEMA quick_test TO regress_crm_small_firm;
GRANT USAGE ON SCHEMA crm TO regress_crm_small_firm;
SET ROLE regress_crm_small_firm;
CREATE TABLE clients (id int PRIMARY KEY, vip boolean);
INSERT INTO clients SELECT i, i % 2 = 0 FROM generate_series(1, 100) i;
CREATE TABLE invoices (client_id int, invoice_date date, total numeric);
INSERT INTO invoices SELECT i % 60 + 1, current_date - i, i FROM generate_series(1, 300) i;
SELECT step, did FROM quick_start('clients', 'invoices') WHERE step <> 'try';
SELECT quick_start('customers');
SELECT cardinality(segment('vip & repeat_buyer'));
SELECT drop_population('clients');
RESET ROLE;
DROP SCHEMA quick_test CASCADE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_small_firm;
DROP ROLE regress_crm_small_firm;
