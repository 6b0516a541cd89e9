-- A population with a report of every kind, for a reader that only knows SELECT.
SET client_min_messages = warning;
CREATE SCHEMA shop;
CREATE TABLE shop.customer (id int PRIMARY KEY, branch text, city text, recency_score int, frequency_score int);
INSERT INTO shop.customer SELECT n, (ARRAY['north', 'south'])[1 + n % 2], (ARRAY['上海', 'Berlin', 'Paris'])[1 + n % 3], 1 + n % 5, 1 + n % 4 FROM generate_series(1, 300) n;
CREATE TABLE shop.event AS
SELECT c AS customer, timestamptz '2026-01-05 10:00+00' + (c % 40 + e * 20) * interval '1 day' + e * interval '1 hour' AS at, (ARRAY['visit', 'cart', 'order', 'crash'])[1 + (c + e) % 4] AS event, c::float8 AS amount
FROM generate_series(1, 300) c, generate_series(0, 5) e;
SELECT crm.create_population('shop', 'shop.customer', 'id', 'branch', events => 'shop.event', event_key => 'customer', event_time => 'at', event_name => 'event', event_value => 'amount');
SELECT crm.create_tag('city', 'city', population => 'shop');
SELECT crm.create_tag('first', 'id <= 100', population => 'shop');
SELECT count(*) FROM crm.refresh_tags('shop', as_of => '2026-07-01', columns => 'today');
SELECT customers FROM crm.refresh_timelines('shop');
SELECT crm.define_segment('first in Berlin', 'first & city = Berlin', 'shop');
SELECT crm.train('leaves', 'logistic', 'SELECT recency_score, frequency_score, id % 3 = 0 AS label FROM shop.customer', 'label') ->> 'version';
SELECT crm.define_standard_reports('shop');
SELECT crm.define_report('funnel', 'funnel', '{"steps": ["visit", "cart", "order"], "within": "90 days"}', 'shop');
SELECT crm.define_report('channels', 'channels', '{"channels": ["visit", "cart"], "conversion": "order"}', 'shop');
SELECT crm.define_report('app', 'app', '{}', 'shop');
SELECT crm.define_report('portrait', 'portrait', '{"segment": "first"}', 'shop');
SELECT crm.define_report('model', 'model', '{"model": "leaves"}', 'shop');
SELECT report, problem FROM crm.refresh_reports('shop', as_of => '2026-07-01') WHERE problem IS NOT NULL;
-- Who reads: logs in, may use the schema and read sets of the population, and nothing else.
CREATE ROLE bi_reader LOGIN PASSWORD 'reads';
GRANT USAGE ON SCHEMA crm TO bi_reader;
SELECT crm.grant_population('shop', 'bi_reader');
CREATE ROLE bi_stranger LOGIN PASSWORD 'reads';
GRANT USAGE ON SCHEMA crm TO bi_stranger;
