-- Part of demo.sql: the shop of the bank's first customers, its orders moved so that the last ones are of today,
-- tracked.  What is found on the way is kept in bank.live, for check.sql.
CREATE TABLE bank.shopper AS SELECT customer_id, name, gender, birth_date, city, opened_on, may_contact FROM bank.customer_360 WHERE customer_id <= 5000;
ALTER TABLE bank.shopper ADD PRIMARY KEY (customer_id);
CREATE TABLE bank.purchase AS
SELECT customer_id, ordered_at + (date_trunc('hour', now()) - closing) AS ordered_at, 'order' AS event, amount, product
FROM bank.orders, bank.calendar WHERE customer_id <= 5000;
CREATE INDEX ON bank.purchase (customer_id);
ANALYZE bank.shopper, bank.purchase;
CREATE TABLE bank.live (step text, recent boolean, lapsed boolean, buyers bigint);

\set ECHO queries
SELECT crm.create_population('shop', 'bank.shopper', 'customer_id', events => 'bank.purchase', event_key => 'customer_id', event_time => 'ordered_at',
	event_name => 'event', event_value => 'amount', event_attributes => '{product}') \g /dev/null
SELECT status, count(*) AS tags FROM crm.install_taxonomy('retail', '{"order": "order", "category": "product", "birth_date": "birth_date", "gender": "gender",
	"city": "city", "member_since": "opened_on", "contactable": "may_contact"}', 'shop') GROUP BY status ORDER BY status;
SELECT events, customers FROM crm.refresh_timelines('shop');
SELECT count(DISTINCT tag) AS tags FROM crm.refresh_tags('shop');
\set ECHO none
\echo '-- From now on, writes note whose rows they change, and nothing else.'
\set ECHO queries
SELECT crm.track_population('shop') \g /dev/null
\set ECHO none
\echo '-- A customer who has not ordered for half a year:'
SELECT min(m) AS customer FROM crm.members(crm.tag('lapsed', population => 'shop')) AS m \gset
\set ECHO queries
SELECT string_agg(concat_ws(' = ', tag, value), ', ' ORDER BY tag) AS tags FROM crm.tags_of(:customer, 'shop') WHERE kind IN ('timeliness', 'predictive');
\set ECHO none
INSERT INTO bank.live SELECT 'before', :customer <@ crm.tag('ordered_week', population => 'shop'), :customer <@ crm.tag('lapsed', population => 'shop'),
	crm.cardinality(crm.tag('ordered_week', population => 'shop'));
\echo '-- He orders.  Within the same transaction, without any refresh:'
\set ECHO queries
BEGIN;
INSERT INTO bank.purchase VALUES (:customer, now() - interval '1 minute', 'order', 1280, 'travel');
SELECT string_agg(concat_ws(' = ', tag, value), ', ' ORDER BY tag) AS tags FROM crm.tags_of(:customer, 'shop') WHERE kind IN ('timeliness', 'predictive');
\set ECHO none
\echo '-- And why?'
\set ECHO queries
SELECT part, detail, value FROM crm.explain_tag(:customer, 'ordered_week', 'shop') WHERE part IN ('rule', 'now', 'stored', 'event', 'until', 'change');
\set ECHO none
INSERT INTO bank.live SELECT 'at once', :customer <@ crm.tag('ordered_week', population => 'shop'), :customer <@ crm.tag('lapsed', population => 'shop'),
	crm.cardinality(crm.tag('ordered_week', population => 'shop'));
\set ECHO queries
COMMIT;
\set ECHO none
\echo '-- Folding puts what has changed into the stored sets, for all tags; pg_cron or any cron does it now and then.'
\set ECHO queries
SELECT string_agg(concat_ws(' = ', tag, value), ', ' ORDER BY tag) FILTER (WHERE entered > 0) AS entered,
	string_agg(concat_ws(' = ', tag, value), ', ' ORDER BY tag) FILTER (WHERE exited > 0) AS exited FROM crm.fold_tags('shop');
\set ECHO none
INSERT INTO bank.live SELECT 'folded', :customer <@ crm.tag('ordered_week', population => 'shop'), :customer <@ crm.tag('lapsed', population => 'shop'),
	crm.cardinality(crm.tag('ordered_week', population => 'shop'));
