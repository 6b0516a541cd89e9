-- Stored reports: counted as their owner, read through the views of BI tools; small groups left out.
CREATE SCHEMA report_stored;
SET search_path = report_stored, crm, public;
SET client_min_messages = warning;
SET TimeZone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_report_owner;
CREATE ROLE regress_report_definer;		-- may define, reads no sets
CREATE ROLE regress_report_bi;			-- reads all scopes
CREATE ROLE regress_report_north;		-- reads one scope
CREATE ROLE regress_report_stranger;
GRANT USAGE ON SCHEMA report_stored, crm TO PUBLIC;
GRANT CREATE ON SCHEMA report_stored TO regress_report_owner;

SET ROLE regress_report_owner;
CREATE TABLE customers (id int PRIMARY KEY, branch text, city text, recency_score int, frequency_score int, spent float8);
INSERT INTO customers SELECT n, CASE WHEN n % 3 = 0 THEN 'south' ELSE 'north' END, CASE WHEN n <= 3 THEN 'Rare' WHEN n % 2 = 0 THEN '上海' ELSE 'Berlin' END,
	1 + n % 5, 1 + n % 2, n FROM generate_series(1, 60) n;
CREATE TABLE events (customer_id int, ts timestamptz, event text, amount float8, channel text);
INSERT INTO events
SELECT n, timestamptz '2026-01-05 10:00+00' + m * interval '1 month' + n * interval '1 hour', e, CASE e WHEN 'order' THEN n END, CASE n % 4 WHEN 0 THEN 'ad' ELSE 'mail' END
FROM generate_series(1, 60) n, generate_series(0, 2) m, unnest('{view,cart,order}'::text[]) WITH ORDINALITY AS e (e, k)
WHERE n % (m + 1) = 0 AND n % 4 >= k - 1;
INSERT INTO events SELECT 60, '2026-01-07 23:00+00', 'crash' WHERE true;
INSERT INTO events VALUES (7, '2026-05-01', 'view', NULL, 'ad');	-- later than is looked at
SELECT create_population('stored', 'customers', 'id', 'branch', events => 'events', event_key => 'customer_id', event_time => 'ts', event_name => 'event',
	event_value => 'amount', event_attributes => '{channel}');
SELECT create_tag('city', 'city', population => 'stored');
SELECT create_tag('big', 'spent > 30', population => 'stored');
SELECT define_report('early', 'funnel', '{"steps": ["view", "order"]}', 'stored');
SELECT count(*) FROM refresh_tags('stored', as_of => '2026-04-01', columns => 'today');
SELECT customers FROM refresh_timelines('stored');
SELECT define_segment('big in Berlin', 'big & city = "Berlin"', 'stored');
CREATE TABLE past AS SELECT spent, id % 7 < 3 AS label FROM customers, generate_series(1, 5);
SELECT crm.train('report_model', 'logistic', 'SELECT spent, label FROM report_stored.past', 'label') ->> 'version' AS version;

SELECT define_report('f', 'funnel', '{"steps": ["view", "cart", "order"], "within": "2 days", "names": ["looked", "chose", "bought"]}', 'stored', 'how far they come');
SELECT define_report('r', 'retention', '{"periods": 3}', 'stored');
SELECT define_report('l', 'life_cycle', '{}', 'stored');
SELECT define_report('c', 'channels', '{"channels": ["view[channel=ad]", "view[channel=mail]"], "conversion": "order", "method": "linear"}', 'stored');
SELECT define_report('app', 'app', '{"zone": "Asia/Shanghai"}', 'stored');
SELECT define_report('p', 'portrait', '{"segment": "big"}', 'stored');
SELECT define_report('m', 'model', '{"model": "report_model"}', 'stored');
SELECT define_report('rfm events', 'rfm', '{"event": "order", "bins": 2}', 'stored');
SELECT define_standard_reports('stored');
SELECT define_standard_reports('stored');
SELECT report, kind, results, problem FROM refresh_reports('stored', as_of => '2026-04-01');
SELECT report, kind, owner, description, as_of, refreshed_at IS NOT NULL AS refreshed, problem FROM bi_reports WHERE population = 'stored' ORDER BY report COLLATE "C";

-- What they say, against plain SQL over the rows
SELECT whole, scope, step, name, customers, round(from_first::numeric, 3) AS from_first, round(from_previous::numeric, 3) AS from_previous, suppressed FROM bi_funnel ORDER BY 1 DESC, 2, 3;
CREATE TEMP VIEW reached AS
SELECT c.branch, c.id, max(k) AS level
FROM customers c JOIN events a ON a.customer_id = c.id AND a.event = 'view' AND a.ts < '2026-04-01'
CROSS JOIN LATERAL (SELECT 1 AS k UNION ALL SELECT CASE b.event WHEN 'cart' THEN 2 ELSE 3 END FROM events b WHERE b.customer_id = c.id AND b.ts BETWEEN a.ts AND a.ts + interval '2 days'
	AND (b.event = 'cart' OR b.event = 'order' AND EXISTS (SELECT FROM events m WHERE m.customer_id = c.id AND m.event = 'cart' AND m.ts BETWEEN a.ts AND b.ts))) l
GROUP BY c.branch, c.id;
SELECT f.whole, f.scope, f.step, f.customers, count(*) FILTER (WHERE r.level >= f.step) AS counted
FROM bi_funnel f JOIN reached r ON f.whole OR r.branch = f.scope
GROUP BY f.whole, f.scope, f.step, f.customers HAVING f.customers IS DISTINCT FROM count(*) FILTER (WHERE r.level >= f.step);
SELECT cohort, period, size, customers, round(share::numeric, 3) AS share, suppressed FROM bi_retention WHERE whole AND report = 'r' ORDER BY 1, 2;
SELECT x.* FROM (
	SELECT s.cohort, (extract(month FROM e.ts) - extract(month FROM s.cohort))::int AS period, count(DISTINCT e.customer_id) AS customers
	FROM (SELECT customer_id, date_trunc('month', min(ts))::date AS cohort FROM events WHERE ts < '2026-04-01' GROUP BY 1) s JOIN events e USING (customer_id) WHERE e.ts < '2026-04-01' GROUP BY 1, 2) x
FULL JOIN (SELECT * FROM bi_retention WHERE whole AND report = 'r') b ON b.cohort = x.cohort AND b.period = x.period
WHERE b.customers IS DISTINCT FROM x.customers AND NOT b.suppressed AND coalesce(b.customers, 0) + coalesce(x.customers, 0) > 0;
SELECT scope, period, active, new, retained, resurrected, lost, dormant, suppressed FROM bi_life_cycle WHERE report = 'l' AND (whole OR scope = 'south') ORDER BY 1 NULLS FIRST, 2;
SELECT channel, customers, round(conversions::numeric, 2) AS conversions, value, suppressed FROM bi_channel_credit WHERE whole ORDER BY channel;
SELECT sum(conversions) AS conversions, sum(value) AS value, (SELECT count(*) FROM events WHERE event = 'order' AND ts < '2026-04-01') AS orders,
	(SELECT sum(amount) FROM events WHERE event = 'order' AND ts < '2026-04-01') AS amount FROM bi_channel_credit WHERE whole;
SELECT day, active, new, sessions, crash_customers, suppressed FROM bi_app_daily WHERE day < '2026-01-09' ORDER BY day;
SELECT tag, value, customers, share, base_customers, index, suppressed FROM bi_segment_portrait ORDER BY tag, value COLLATE "C";
SELECT measure, bin IS NOT NULL AS binned, count(*), bool_and(value BETWEEN 0 AND 5) AS sane, max(rows) > 0 AS rows FROM bi_model_quality WHERE model = 'report_model' GROUP BY 1, 2 ORDER BY 1;
SELECT recency, frequency, customers, suppressed FROM bi_rfm_grid WHERE report = 'rfm' AND whole ORDER BY 1, 2;
SELECT b.recency, b.frequency FROM bi_rfm_grid b JOIN customers c ON c.recency_score = b.recency AND c.frequency_score = b.frequency AND (b.whole OR c.branch = b.scope)
WHERE report = 'rfm' GROUP BY b.whole, b.scope, b.recency, b.frequency, b.customers HAVING b.customers <> count(*);
SELECT sum(customers), sum(monetary) FROM bi_rfm_grid WHERE report = 'rfm events' AND whole;
SELECT scope, kind, name, value, customers, population_customers, round(share::numeric, 3) AS share, tag_as_of, suppressed FROM bi_customers ORDER BY whole DESC, scope, kind DESC, name, value COLLATE "C";
SELECT measure, tag, bucket, customers, round(value::numeric, 3) AS value, suppressed FROM bi_tag_coverage ORDER BY measure, tag, bucket COLLATE "C";

-- Over time: sizes keep a set for each day, the others the last one; days of the past come from history
SELECT report, results FROM refresh_reports('stored', as_of => '2026-04-02');
SELECT report, count(DISTINCT as_of) FROM (SELECT report, as_of FROM bi_customers UNION ALL SELECT report, as_of FROM bi_funnel UNION ALL SELECT report, as_of FROM bi_retention) x GROUP BY 1 ORDER BY 1;
SELECT clock_timestamp() AS before \gset
UPDATE customers SET spent = 1000;
SELECT count(*) FROM refresh_tags('stored');
SELECT report, results FROM refresh_reports('stored', 'sizes', :'before');
SELECT report, results FROM refresh_reports('stored', 'sizes', clock_timestamp() + interval '2 days');
SELECT row_number() OVER (ORDER BY as_of) AS moment, customers, population_customers FROM bi_customers WHERE name = 'big' AND whole;

-- Who reads what
RESET ROLE;
SELECT grant_population('stored', 'regress_report_bi');
SELECT grant_population('stored', 'regress_report_north', scopes => '{north}');
SELECT grant_population('stored', 'regress_report_definer', 'define');
-- The history of refreshes counts the customers of all scopes: who reads them all sees it.
SET ROLE regress_report_bi;
SELECT count(*) > 0 AS told FROM refresh_history WHERE population_id = (SELECT population_id FROM population_definition WHERE name = 'stored');
SET ROLE regress_report_north;
SELECT count(*) > 0 AS told FROM refresh_history WHERE population_id = (SELECT population_id FROM population_definition WHERE name = 'stored');
SELECT count(*) > 0 AS known FROM population_definition WHERE name = 'stored';
RESET ROLE;
CREATE FUNCTION seen() RETURNS TABLE (reports bigint, funnel bigint, whole bigint, scopes text[]) LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM crm.bi_reports WHERE population = 'stored'), count(*), count(*) FILTER (WHERE whole), array_agg(DISTINCT scope) FROM crm.bi_funnel WHERE population = 'stored' $$;
SET ROLE regress_report_bi; SELECT * FROM seen();
SET ROLE regress_report_north; SELECT * FROM seen();
SET ROLE regress_report_definer; SELECT * FROM seen();
SET ROLE regress_report_stranger; SELECT * FROM seen();
SELECT count(*) FROM crm.report_result;
SELECT refresh_reports('stored');
SET ROLE regress_report_bi;
SELECT refresh_reports('stored');
SELECT define_report('mine', 'sizes', population => 'stored');
SELECT drop_report('f', 'stored');
-- who may define must be able to read what the report is made from
SET ROLE regress_report_definer;
SELECT define_report('mine', 'sizes', population => 'stored');
SELECT drop_report('f', 'stored');
SELECT report, problem FROM refresh_reports('stored', 'f');
RESET ROLE;
-- a setting of the superuser's
SET ROLE regress_report_owner;
SET crm_analytics.minimum_group_size = 1;
RESET ROLE;
SET crm_analytics.minimum_group_size = 1;
SELECT minimum_group_size(), report FROM refresh_reports('stored', 'f');
SELECT step, customers FROM bi_funnel WHERE scope = 'south' ORDER BY step;
SET crm_analytics.minimum_group_size = 40;
SELECT report FROM refresh_reports('stored', 'f');
SELECT whole, scope, step, customers, from_first, suppressed, minimum_group FROM bi_funnel ORDER BY 1 DESC, 2, 3;
SELECT results FROM report_result r JOIN report_definition d USING (report_id) WHERE d.name = 'f' AND scope_no IS NULL;
RESET crm_analytics.minimum_group_size;

-- What is run is the owner's, whoever refreshes: a view that tells who reads it
SET ROLE regress_report_owner;
CREATE VIEW watched AS SELECT *, CASE current_user WHEN 'regress_report_owner' THEN 1 ELSE 5 END AS r FROM customers;
SELECT create_population('watched', 'watched', 'id');
SELECT count(*) FROM refresh_tags('watched');
SELECT define_report('who', 'rfm', '{"recency": "r", "frequency": "r", "monetary": "spent"}', 'watched');
RESET ROLE;
SELECT report, results, problem FROM refresh_reports('watched');
SELECT recency, frequency, customers, monetary FROM bi_rfm_grid WHERE population = 'watched';

-- Keys that are not their own ids, and rows of other times
SET ROLE regress_report_owner;
CREATE TABLE named (name text, branch text, since timestamptz, until timestamptz);
INSERT INTO named SELECT 'c' || id, branch, timestamptz '2020-01-01', timestamptz '2026-02-01' FROM customers UNION ALL SELECT 'c' || id, 'moved', '2026-02-01', NULL FROM customers WHERE id <= 20;
CREATE VIEW named_events AS SELECT 'c' || customer_id AS name, ts, event FROM events;
SELECT create_population('named', 'named', 'name', 'branch', events => 'named_events', event_key => 'name', event_time => 'ts', event_name => 'event', valid_from => 'since', valid_to => 'until');
SELECT create_tag('any', 'true', population => 'named');
SELECT members FROM refresh_tags('named', as_of => '2026-03-01');
SELECT members FROM refresh_tags('named', as_of => '2026-01-31');
SELECT customers FROM refresh_timelines('named');
SELECT define_report('f', 'funnel', '{"steps": ["view", "order"], "within": "1 hour"}', 'named');
SELECT results FROM refresh_reports('named', as_of => '2026-01-31');
SELECT whole, scope, step, customers FROM bi_funnel WHERE population = 'named' ORDER BY 1 DESC, 2, 3;
SELECT results FROM refresh_reports('named', as_of => '2026-02-28');
SELECT whole, scope, step, customers FROM bi_funnel WHERE population = 'named' ORDER BY 1 DESC, 2, 3;
SELECT drop_population('named');
CREATE TABLE signed AS SELECT CASE WHEN id <= 30 THEN -id ELSE id END AS id, branch FROM customers;
CREATE VIEW signed_events AS SELECT CASE WHEN customer_id <= 30 THEN -customer_id ELSE customer_id END AS id, ts, event FROM events;
SELECT create_population('signed', 'signed', 'id', 'branch', events => 'signed_events', event_key => 'id', event_time => 'ts', event_name => 'event');
SELECT create_tag('any', 'true', population => 'signed');
SELECT members FROM refresh_tags('signed');
SELECT customers FROM refresh_timelines('signed');
SELECT define_report('f', 'funnel', '{"steps": ["view", "order"], "within": "1 hour"}', 'signed');
SELECT results FROM refresh_reports('signed', as_of => '2026-01-31');
SELECT whole, scope, step, customers FROM bi_funnel WHERE population = 'signed' ORDER BY 1 DESC, 2, 3;
SELECT drop_population('signed');
RESET ROLE;

-- One that fails keeps what it had and says why; one that is named is an error
SET ROLE regress_report_owner;
ALTER VIEW watched RENAME COLUMN r TO q;
SELECT report, results, problem FROM refresh_reports('watched');
SELECT problem, refreshed_at IS NOT NULL AS refreshed FROM bi_reports WHERE population = 'watched';
SELECT count(*) FROM bi_rfm_grid WHERE population = 'watched';
SELECT refresh_reports('watched', 'who');
-- a text about a value may quote a row: members of the owner are told, others that there was an error
SELECT define_report('odd', 'rfm', '{"recency": "branch", "frequency": "q"}', 'watched');
SELECT report, problem ~ '"(north|south)"' AS quotes FROM refresh_reports('watched') WHERE report = 'odd';
SELECT problem FROM bi_reports WHERE report = 'odd';
-- ... nor does an error tell another definer, who names the report
SELECT grant_population('watched', 'regress_report_definer', 'define');
SET ROLE regress_report_definer;
SELECT refresh_reports('watched', 'odd');
SELECT refresh_reports('watched', 'who');
SET ROLE regress_report_owner;
SELECT drop_report('odd', 'watched');

-- Errors
SELECT define_report('f', 'funnel', '{"steps": ["view"]}', 'stored');
SELECT define_report(NULL, 'sizes', population => 'stored');
SELECT define_report('', 'sizes', population => 'stored');
SELECT define_report('x', 'pie', population => 'stored');
SELECT define_report('x', 'funnel', '[]', 'stored');
SELECT define_report('x', 'funnel', '{}', 'stored');
SELECT define_report('x', 'funnel', '{"steps": "view"}', 'stored');
SELECT define_report('x', 'funnel', '{"steps": ["view"], "step": 1}', 'stored');
SELECT define_report('x', 'coverage', '{"step": 1}', 'stored');
SELECT define_report('x', 'funnel', '{"steps": ["view"], "within": "a while"}', 'stored');
SELECT define_report('x', 'funnel', '{"steps": ["view"], "names": ["a", "b"]}', 'stored');
SELECT define_report('x', 'retention', '{"period": "fortnight"}', 'stored');
SELECT define_report('x', 'life_cycle', '{"zone": "Mars"}', 'stored');
SELECT define_report('x', 'channels', '{"channels": ["a"], "conversion": "order", "method": "luck"}', 'stored');
SELECT define_report('x', 'rfm', '{"event": "order", "recency": "r"}', 'stored');
SELECT define_report('x', 'rfm', '{"recency": "no such column"}', 'stored');
SELECT define_report('x', 'retention', population => 'watched');
SELECT define_report('x', 'sizes', '{"keep": "for ever"}', 'stored');
SELECT define_report('x', 'sizes', '{"keep": "-1 day"}', 'stored');
SELECT drop_report('ff', 'stored');
SELECT refresh_reports('stored', 'ff');
SELECT refresh_reports('stored', as_of => NULL);
SELECT refresh_reports('stored', as_of => 'infinity');
-- replaced: other options, sizes keep their past
SELECT define_report('f', 'funnel', '{"steps": ["view"]}', 'stored', replace => true);
SELECT count(*) FROM bi_funnel WHERE report = 'f';
SELECT define_report('sizes', 'sizes', population => 'stored', replace => true);
SELECT count(DISTINCT as_of) FROM bi_customers;
SELECT drop_report('f', 'stored');
SELECT drop_population('watched');
SELECT drop_population('stored');
RESET ROLE;
SELECT count(*) FROM report_definition;
SELECT count(*) FROM report_result;
SET ROLE regress_report_owner;
SELECT drop_model('report_model');
RESET ROLE;
DROP SCHEMA report_stored CASCADE;
REVOKE USAGE ON SCHEMA crm FROM PUBLIC;
DROP ROLE regress_report_owner, regress_report_definer, regress_report_bi, regress_report_north, regress_report_stranger;
