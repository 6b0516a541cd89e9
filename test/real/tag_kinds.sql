-- Every kind of rule over a year of invoices of a gift wholesaler (UCI Online
-- Retail; Chen, Sain, Guo), each against plain SQL over the rows.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/behavior/online_retail.csv.gz
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - kinds of tags # skip no data/behavior/online_retail.csv.gz'
	\quit
\endif

CREATE SCHEMA kinds;
SET search_path = kinds, crm, public;
CREATE TABLE line (invoice_no text, stock_code text, description text, quantity int, invoice_ts timestamp, unit_price numeric, customer_id bigint, country text);
\copy line FROM PROGRAM 'zcat "$CRM_FILE"' (FORMAT csv, HEADER)
CREATE TABLE event AS
SELECT customer_id, min(invoice_ts) AT TIME ZONE 'UTC' AS ts, CASE WHEN invoice_no LIKE 'C%' THEN 'cancel' ELSE 'order' END AS event,
	abs(sum(quantity * unit_price))::float8 AS amount, CASE WHEN extract(hour FROM min(invoice_ts)) < 12 THEN 'morning' ELSE 'afternoon' END AS part, invoice_no
FROM line WHERE customer_id IS NOT NULL GROUP BY customer_id, invoice_no;
CREATE TABLE customer AS
SELECT customer_id, max(country) AS country, count(DISTINCT invoice_no) FILTER (WHERE invoice_no NOT LIKE 'C%') AS orders,
	sum(quantity * unit_price) FILTER (WHERE invoice_no NOT LIKE 'C%') AS spent, max(invoice_ts) FILTER (WHERE invoice_no NOT LIKE 'C%') AT TIME ZONE 'UTC' AS last_order
FROM line WHERE customer_id IS NOT NULL GROUP BY customer_id;
ALTER TABLE customer ADD PRIMARY KEY (customer_id);
ANALYZE customer, event;
SELECT pg_temp.same(count(*), 4372::bigint, 'published: 4,372 customers') FROM customer;

-- A model's score as any function over columns is.
CREATE FUNCTION churn_score(orders bigint, last_order timestamptz, as_of timestamptz) RETURNS float8 IMMUTABLE LANGUAGE sql
RETURN 1 / (1 + exp(0.3 * orders - extract(epoch FROM as_of - last_order) / 86400 / 60));

SELECT create_population('kinds', 'customer', 'customer_id', events => 'event', event_key => 'customer_id', event_time => 'ts', event_name => 'event',
	event_value => 'amount', event_attributes => '{part}') \g /dev/null
CREATE TABLE tag_rule (tag text PRIMARY KEY, rule text, plain text);
INSERT INTO tag_rule VALUES
('did order', $$event_count(timeline, 'order') > 0$$, $$SELECT DISTINCT customer_id, NULL FROM event WHERE event = 'order'$$),
('never cancelled', $$event_count(timeline, 'cancel') = 0$$,
 $$SELECT customer_id, NULL FROM customer EXCEPT SELECT customer_id, NULL FROM event WHERE event = 'cancel'$$),
('no order for 90 days', $$event_count(timeline, 'order', as_of - interval '90 days') = 0$$,
 $$SELECT customer_id, NULL FROM customer EXCEPT SELECT customer_id, NULL FROM event WHERE event = 'order' AND ts >= timestamptz '2011-12-10' - interval '90 days'$$),
('3 orders in 60 days', $$event_count(timeline, 'order', as_of - interval '60 days') >= 3$$,
 $$SELECT customer_id, NULL FROM event WHERE event = 'order' AND ts >= timestamptz '2011-12-10' - interval '60 days' GROUP BY customer_id HAVING count(*) >= 3$$),
('1000 in 180 days', $$event_sum(timeline, 'order', as_of - interval '180 days') >= 1000$$,
 $$SELECT customer_id, NULL FROM event WHERE event = 'order' AND ts >= timestamptz '2011-12-10' - interval '180 days' GROUP BY customer_id HAVING sum(amount) >= 1000$$),
('new since June', $$first_event(timeline, 'order') >= '2011-06-01 00:00:00+00'$$,
 $$SELECT customer_id, NULL FROM event WHERE event = 'order' GROUP BY customer_id HAVING min(ts) >= '2011-06-01 00:00:00+00'$$),
('first order in the', $$(first_event_of(timeline, 'order')).attributes ->> 'part'$$,
 $$SELECT customer_id, min(part) FROM event e WHERE event = 'order' AND ts = (SELECT min(ts) FROM event f WHERE f.customer_id = e.customer_id AND f.event = 'order') GROUP BY customer_id$$),
('large last order', $$(last_event_of(timeline, 'order')).value >= 500$$,
 $$SELECT customer_id, NULL FROM (SELECT DISTINCT ON (customer_id) customer_id, ts FROM event WHERE event = 'order' ORDER BY customer_id, ts DESC) l
   WHERE (SELECT min(amount) FROM event e WHERE e.customer_id = l.customer_id AND e.ts = l.ts AND e.event = 'order') >= 500$$),
('order then cancel', $$sequence_match(timeline, '(?1)(?t<=2592000)(?2)', '{order,cancel}')$$,
 $$SELECT DISTINCT customer_id, NULL FROM (SELECT customer_id, event, ts, lead(event) OVER w AS next, lead(ts) OVER w AS next_ts FROM event WINDOW w AS (PARTITION BY customer_id ORDER BY ts, event DESC)) x
   WHERE event = 'order' AND next = 'cancel' AND next_ts - ts <= interval '30 days'$$),
('depth', $$window_funnel(timeline, '30 days', '{order,cancel}')::text$$,
 $$SELECT c.customer_id, CASE WHEN NOT EXISTS (SELECT FROM event o WHERE o.customer_id = c.customer_id AND event = 'order') THEN '0'
	WHEN EXISTS (SELECT FROM event o JOIN event x USING (customer_id) WHERE o.customer_id = c.customer_id AND o.event = 'order' AND x.event = 'cancel'
		AND x.ts > o.ts AND x.ts <= o.ts + interval '30 days') THEN '2' ELSE '1' END FROM customer c$$),
('5 days of orders', $$active_days(timeline, 'order', as_of - interval '365 days', NULL, 'UTC') >= 5$$,
 $$SELECT customer_id, NULL FROM event WHERE event = 'order' AND ts >= timestamptz '2011-12-10' - interval '365 days' GROUP BY customer_id HAVING count(DISTINCT (ts AT TIME ZONE 'UTC')::date) >= 5$$),
('spend band', $$band(spent, '{250,1000,5000}', '{small,usual,good,great}')$$,
 $$SELECT customer_id, CASE WHEN spent < 250 THEN 'small' WHEN spent < 1000 THEN 'usual' WHEN spent < 5000 THEN 'good' ELSE 'great' END FROM customer WHERE spent IS NOT NULL$$),
('care', $$CASE WHEN event_count(timeline, 'cancel') >= 5 THEN 'complaints' WHEN spent >= 5000 THEN 'key account' WHEN event_count(timeline, 'order', as_of - interval '90 days') = 0 THEN 'win back' END$$,
 $$SELECT customer_id, CASE WHEN (SELECT count(*) FROM event e WHERE e.customer_id = c.customer_id AND event = 'cancel') >= 5 THEN 'complaints' WHEN spent >= 5000 THEN 'key account'
	WHEN NOT EXISTS (SELECT FROM event e WHERE e.customer_id = c.customer_id AND event = 'order' AND ts >= timestamptz '2011-12-10' - interval '90 days') THEN 'win back' END FROM customer c$$),
('top decile', 'percentile(spent) >= 0.9',
 $$SELECT customer_id, NULL FROM (SELECT customer_id, percent_rank() OVER (ORDER BY spent) AS p FROM customer WHERE spent IS NOT NULL) x WHERE p >= 0.9$$),
('quartile of events', $$band(percentile(event_sum(timeline, 'order')), '{0.25,0.5,0.75}')$$,
 $$SELECT customer_id, (1 + (p >= 0.25)::int + (p >= 0.5)::int + (p >= 0.75)::int)::text FROM (SELECT c.customer_id, percent_rank() OVER (ORDER BY coalesce(s, 0)) AS p
	FROM customer c LEFT JOIN (SELECT customer_id, round(sum(amount)::numeric, 6) AS s FROM event WHERE event = 'order' GROUP BY customer_id) e USING (customer_id)) x$$),
('rfm', $$rfm_segment(rfm_in_population(rfm_summary(last_order, orders, spent)))$$,
 $$WITH m AS (SELECT customer_id, floor(extract(epoch FROM timestamptz '2011-12-10' - last_order) / 86400)::int AS r, orders AS f, spent::float8 AS m FROM customer WHERE last_order IS NOT NULL),
   b AS (SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY r) AS r, (SELECT percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY orders) FROM customer) AS f,
	percentile_cont('{0.2,0.4,0.6,0.8}'::float8[]) WITHIN GROUP (ORDER BY m) AS m FROM m)
   SELECT customer_id, rfm_segment(5 - (SELECT count(*) FROM unnest(b.r) x WHERE x < m.r)::int, 1 + (SELECT count(*) FROM unnest(b.f) x WHERE x < m.f)::int, 1 + (SELECT count(*) FROM unnest(b.m) x WHERE x < m.m)::int) FROM m, b$$),
('churn risk', $$band(churn_score(orders, last_order, as_of), '{0.3,0.7}', '{low,middle,high}')$$,
 $$SELECT customer_id, CASE WHEN s < 0.3 THEN 'low' WHEN s < 0.7 THEN 'middle' ELSE 'high' END FROM (SELECT customer_id,
	1 / (1 + exp(0.3 * orders - extract(epoch FROM timestamptz '2011-12-10' - last_order)::numeric / 86400 / 60)) AS s FROM customer WHERE last_order IS NOT NULL) x$$),
('key account at risk', $$has_tag('care', 'key account') AND tag_value('churn risk') <> 'low' AND NOT has_tag('3 orders in 60 days')$$,
 $$SELECT customer_id, NULL FROM customer c WHERE (SELECT count(*) FROM event e WHERE e.customer_id = c.customer_id AND event = 'cancel') < 5 AND spent >= 5000
	AND 1 / (1 + exp(0.3 * orders - extract(epoch FROM timestamptz '2011-12-10' - last_order)::numeric / 86400 / 60)) >= 0.3
	AND (SELECT count(*) FROM event e WHERE e.customer_id = c.customer_id AND event = 'order' AND ts >= timestamptz '2011-12-10' - interval '60 days') < 3$$),
('like key accounts', $$CASE WHEN lookalike(coalesce(spent >= 5000, false), country) > 0.5 THEN 'alike' ELSE 'not' END$$,
 $$WITH n AS (SELECT country, count(*) FILTER (WHERE spent >= 5000) AS s, count(*) FILTER (WHERE spent < 5000 OR spent IS NULL) AS o FROM customer GROUP BY country),
   pooled AS (SELECT CASE WHEN s + o >= 10 THEN country END AS country, sum(s) AS s, sum(o) AS o FROM n GROUP BY 1), t AS (SELECT sum(s) AS s, sum(o) AS o FROM n)
   SELECT customer_id, CASE WHEN ln((p.s + 20.0 * (p.s + p.o) / (t.s + t.o)) / (t.s + 20)) > ln((p.o + 20.0 * (p.s + p.o) / (t.s + t.o)) / (t.o + 20)) THEN 'alike' ELSE 'not' END
   FROM customer c JOIN n USING (country) JOIN pooled p ON p.country IS NOT DISTINCT FROM CASE WHEN n.s + n.o >= 10 THEN n.country END, t$$);
-- two orders of one minute have no order: what is asked of the first and last is told of customers without such
DELETE FROM event e USING event f WHERE e.customer_id = f.customer_id AND e.ts = f.ts AND e.invoice_no > f.invoice_no;
SELECT create_tag(tag, rule, population => 'kinds') FROM (SELECT * FROM tag_rule ORDER BY tag = 'key account at risk') t \g /dev/null
SELECT refresh_timelines('kinds') \g /dev/null
CREATE TABLE told AS SELECT * FROM refresh_tags('kinds', as_of => '2011-12-10', columns => 'today');

CREATE FUNCTION pg_temp.check_rule(tag text, plain text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_temp.same_rows(
		format('SELECT c.customer_id, l.value FROM kinds.customer c JOIN (SELECT v.value, crm.tag(%1$L, v.value, ''kinds'') AS a FROM (SELECT DISTINCT value FROM kinds.told WHERE tag = %1$L) v) l ON c.customer_id <@ l.a', tag),
		format('SELECT customer_id, v::text FROM (%s) AS p (customer_id, v) %s', plain,
			CASE WHEN EXISTS (SELECT FROM kinds.told t WHERE t.tag = check_rule.tag AND value IS NOT NULL) THEN 'WHERE v IS NOT NULL' ELSE '' END), tag);
END $$;
SELECT pg_temp.check_rule(tag, plain) FROM tag_rule ORDER BY tag \g /dev/null

-- The preferred part of the day, where one is ahead of the other.
SELECT create_tag('prefers', $$preferred(timeline, 'part', 'order', as_of => as_of)$$, population => 'kinds') \g /dev/null
SELECT refresh_tags('kinds', '{prefers}', '2011-12-10', 'today') \g /dev/null
SELECT pg_temp.same(count(*) FILTER (WHERE NOT customer_id <@ tag('prefers', CASE WHEN mornings > afternoons THEN 'morning' ELSE 'afternoon' END, 'kinds')), 0::bigint,
	format('the preferred part of the day of %s customers', count(*)))
FROM (SELECT customer_id, count(*) FILTER (WHERE part = 'morning') AS mornings, count(*) FILTER (WHERE part = 'afternoon') AS afternoons
	  FROM event WHERE event = 'order' GROUP BY customer_id) x WHERE mornings <> afternoons;

-- Lists: of a query, with an end; and what rests on one.
SELECT pg_temp.same(members, 100::bigint, 'a list of the 100 who spent most') FROM create_list_tag('top 100', query => 'SELECT customer_id FROM kinds.customer ORDER BY spent DESC NULLS LAST LIMIT 100', population => 'kinds');
SELECT pg_temp.same((added, removed, unknown), (1::bigint, 0::bigint, 1::bigint), 'one more, and one who is nobody')
FROM import_list('top 100', (SELECT ARRAY[min(customer_id)::text, '99999999'] FROM customer WHERE spent < 100), mode => 'append', population => 'kinds');
SELECT create_tag('top 100 abroad', $$has_tag('top 100') AND country <> 'United Kingdom'$$, population => 'kinds') \g /dev/null
SELECT refresh_tags('kinds', '{top 100 abroad}') \g /dev/null
SELECT pg_temp.same_rows($$SELECT crm.member_keys(crm.tag('top 100 abroad', population => 'kinds'), 'kinds')$$,
	$$SELECT customer_id::text FROM (SELECT * FROM (SELECT * FROM kinds.customer ORDER BY spent DESC NULLS LAST LIMIT 100) t
		UNION SELECT * FROM (SELECT * FROM kinds.customer WHERE spent < 100 ORDER BY customer_id LIMIT 1) m) x WHERE country <> 'United Kingdom'$$, 'who of the list lives abroad');

-- How well held out key accounts are found by what they did in the first half of the year.
SELECT create_tag('likeness', $$round(lookalike(has_tag('top decile'), event_count(timeline, 'order', NULL, '2011-06-01'), event_sum(timeline, 'order', NULL, '2011-06-01'), country)::numeric, 4)$$,
	population => 'kinds') \g /dev/null
SELECT refresh_tags('kinds', '{likeness}', '2011-12-10', 'today') \g /dev/null
SELECT pg_temp.note(auc BETWEEN 0.8 AND 1 AND held_out_seed BETWEEN 60 AND 120, format('held out members of the top decile are found: AUC %s', round(auc::numeric, 2)))
FROM lookalike_models('kinds') WHERE tag = 'likeness';

\ir lib/report.sql
