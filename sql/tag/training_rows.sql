-- Rows to train a model on: what was known at an instant, what came of it, and nothing of the one in the other.
SET search_path = public, crm;
SET timezone = 'UTC';
CREATE SCHEMA tag_training;
SET search_path = tag_training, crm, public;
CREATE TABLE person (id int PRIMARY KEY, city text);
CREATE TABLE event (person int, at timestamptz, what text, amount float8);
INSERT INTO person SELECT i, (ARRAY['Paris', 'Oslo', 'Rome'])[1 + i % 3] FROM generate_series(-2, 400) i;
-- A year of events; who buys in July, and only he, is marked in July: the leak.
INSERT INTO event
SELECT (i * 7919 % 390), timestamptz '2025-01-01' + (i * 104729 % 181) * interval '1 day' + (i * 31 % 24) * interval '1 hour', (ARRAY['visit', 'order', 'visit'])[1 + i * 13 % 3], 1 + i * 37 % 50
FROM generate_series(0, 3999) i;
INSERT INTO event SELECT id, '2025-07-10', 'order', 30 FROM person WHERE hashint4(id) % 2 = 0;
INSERT INTO event SELECT id, '2025-07-02', 'marked', 1 FROM person WHERE hashint4(id) % 2 = 0;
-- on the borders of the window (2025-06-30 12:00, 2025-07-30 12:00]
INSERT INTO event VALUES (-1, '2025-06-30 12:00', 'edge', 5), (1, '2025-06-30 12:00:00.000001', 'edge', 7), (2, '2025-07-30 12:00', 'edge', 11), (3, '2025-07-30 12:00:00.000001', 'edge', 13), (2, '2025-07-15', 'edge', 2);
INSERT INTO event VALUES (5, '2025-12-31', 'visit', 0);
SELECT create_population('people', 'person', 'id', events => 'event', event_key => 'person', event_time => 'at', event_name => 'what', event_value => 'amount');
-- Timelines are to be stored first.
SELECT count(*) FROM training_rows('people', '2025-06-30 12:00', '30 days', '{"n": "event_count(timeline)"}', 'order');
SELECT count(*) > 0 FROM refresh_timelines('people');
SELECT count(*) AS tags FROM refresh_tags('people');

-- Half open: behind the cut, up to the end of the window; features up to the cut.
SELECT customer, key, label, amount, known FROM training_rows('people', '2025-06-30 12:00', '30 days', '{"edges": "event_count(timeline, ''edge'')"}', 'edge') WHERE customer <= 3 OR key = '-1' ORDER BY key::int;
SELECT key, label, amount FROM training_rows('people', '2025-06-30 12:00', '30 days', '{"edges": "event_count(timeline, ''edge'')"}', 'edge', measure => 'sum', at_least => 12) WHERE key::int BETWEEN -2 AND 3 ORDER BY key::int;

-- The same in plain SQL, with a rule of each type; customers without event by then are not there.
CREATE FUNCTION plain(cut timestamptz, width interval) RETURNS TABLE (key text, label boolean, amount float8, known jsonb) LANGUAGE sql AS $$
	SELECT person::text, coalesce(sum(amount) FILTER (WHERE what = 'order' AND at > cut AND at <= cut + width), 0) >= 20,
		coalesce(sum(amount) FILTER (WHERE what = 'order' AND at > cut AND at <= cut + width), 0),
		jsonb_build_object('orders_60d', count(*) FILTER (WHERE what = 'order' AND at >= cut - interval '60 days' AND at <= cut),
			'seen_lately', bool_or(at >= cut - interval '10 days') FILTER (WHERE at <= cut), 'kind', CASE WHEN count(*) FILTER (WHERE what = 'visit' AND at <= cut) > 5 THEN 'visitor' END)
	FROM event WHERE person IN (SELECT id FROM person) GROUP BY person HAVING min(at) <= cut
$$;
CREATE FUNCTION made(cut timestamptz, width interval) RETURNS TABLE (key text, label boolean, amount float8, known jsonb) LANGUAGE sql AS $$
	SELECT key, label, amount, known FROM training_rows('people', cut, width, '{"orders_60d": "event_count(timeline, ''order'', as_of - interval ''60 days'')",
		"seen_lately": "event_count(timeline, since => as_of - interval ''10 days'') > 0", "kind": "CASE WHEN event_count(timeline, ''visit'') > 5 THEN ''visitor'' END"}',
		'order', measure => 'sum', at_least => 20)
$$;
SELECT cut, (SELECT count(*) FROM made(cut, width)) AS rows, (SELECT count(*) FROM ((SELECT * FROM made(cut, width) EXCEPT ALL SELECT * FROM plain(cut, width)) UNION ALL (SELECT * FROM plain(cut, width) EXCEPT ALL SELECT * FROM made(cut, width))) AS d) AS differences
FROM (VALUES (timestamptz '2025-06-30', interval '30 days'), ('2025-03-01', '1 month'), ('2025-01-02', '1 day'), ('2024-12-31', '1 day')) AS v (cut, width);

-- A rule as the outcome, as of the end of the window; tags as features, as their rules say of then.
SELECT create_tag('buyer', $$event_count(timeline, 'order') >= 4$$, population => 'people');
SELECT create_tag('in_paris', $$city = 'Paris'$$, population => 'people');
SELECT count(*) AS rows, count(*) FILTER (WHERE label) AS gone, count(amount) AS amounts, count(*) FILTER (WHERE (known ->> 'buyer')::boolean) AS buyers,
	(SELECT count(*) FROM (SELECT FROM event JOIN person ON id = person WHERE what = 'order' AND at <= '2025-03-01' GROUP BY person HAVING count(*) >= 4) AS b) AS buyers_then,
	(SELECT count(*) FROM (SELECT FROM event JOIN person ON id = person WHERE at <= '2025-03-21' GROUP BY person HAVING min(at) <= '2025-03-01' AND max(at) < '2025-03-01') AS b) AS gone_then
FROM training_rows('people', '2025-03-01', '20 days', '{"buyer": "has_tag(''buyer'')"}', outcome_rule => $$event_count(timeline, since => as_of - interval '20 days') = 0$$);
SELECT sum(amount) AS days FROM training_rows('people', '2025-03-01', '60 days', '{"n": "event_count(timeline)"}', outcome_rule => $$active_days(timeline)$$);

-- To be scored: without an outcome.
SELECT count(*) AS rows, count(label) AS labels, count(amount) AS amounts, count(known) AS known FROM training_rows('people', '2025-03-01', NULL, '{"n": "event_count(timeline)"}');

-- The leak.  A model that could see behind the cut would know everything: it cannot, though its features ask for all there is.
SELECT (train('blind', 'logistic', $$SELECT customer, label, known FROM training_rows('people', '2025-06-30', '30 days',
	'{"marked": "event_count(timeline, ''marked'', as_of - interval ''1 year'', as_of + interval ''1 year'')", "orders": "event_count(timeline, ''order'')", "last": "extract(epoch FROM as_of - last_event(timeline)) / 86400"}', 'order') ORDER BY customer$$,
	'label', '{"key": "customer", "holdout": 0.4}') #>> '{metrics,auc}')::float8 BETWEEN 0.38 AND 0.62 AS knows_nothing;
SELECT train('seeing', 'logistic', $$SELECT person, count(*) FILTER (WHERE what = 'marked') AS marked, count(*) FILTER (WHERE what = 'order' AND at <= '2025-06-30') AS orders,
	bool_or(what = 'order' AND at > '2025-06-30' AND at <= '2025-07-30') AS label FROM event GROUP BY person HAVING min(at) <= '2025-06-30'$$,
	'label', '{"key": "person", "holdout": 0.4, "l2": 0.01}') #>> '{metrics,auc}' > '0.95' AS knows_all;
-- Members of the object are columns of the model; the score of a row without outcome is by its object.
SELECT feature, round(contribution::numeric, 6) IS NOT NULL AS has FROM (SELECT to_jsonb(1) AS x) x, explain('blind', (SELECT r FROM (SELECT 0 AS marked, 3 AS orders, 12.5 AS last) AS r)) ORDER BY feature;
SELECT count(predict('blind', known)) AS scored FROM training_rows('people', '2025-12-01', NULL, '{"marked": "event_count(timeline, ''marked'')", "orders": "event_count(timeline, ''order'')", "last": "extract(epoch FROM as_of - last_event(timeline)) / 86400", "more": "1"}');
SELECT metric FROM evaluate('blind', $$SELECT label, known FROM training_rows('people', '2025-06-30', '30 days', '{"marked": "NULL::int", "orders": "event_count(timeline, ''order'')", "last": "1"}', 'order')$$, 'label') ORDER BY metric;
SELECT feature, level FROM model_drift('blind', $$SELECT known FROM training_rows('people', '2025-06-30', NULL,
	'{"marked": "event_count(timeline, ''marked'', as_of - interval ''1 year'', as_of + interval ''1 year'')", "orders": "event_count(timeline, ''order'')", "last": "extract(epoch FROM as_of - last_event(timeline)) / 86400"}')$$) ORDER BY feature;

-- Columns are those of today; so is what a function may look up.
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"city": "city", "n": "event_count(timeline)"}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"whole": "customer.city = ''Rome''", "p": "has_tag(''in_paris'')"}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"p": "has_tag(''in_paris'')"}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"n": "1"}', outcome_rule => 'city = ''Rome''');
CREATE FUNCTION peek(p int) RETURNS boolean STABLE LANGUAGE sql AS $$ SELECT EXISTS (SELECT FROM event WHERE person = p AND what = 'marked') $$;
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"peek": "peek(3)"}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"score": "predict(''blind'', ''{}''::jsonb)"}', 'order');
SELECT count(*) AS rows, count(known ->> 'city') AS cities FROM training_rows('people', '2025-06-30', '30 days', '{"city": "city"}', 'order', columns => 'today');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"city": "city"}', 'order', columns => 'tomorrow');
-- now() is no past
SELECT count(*) AS rows, count(known ->> 'city') AS cities FROM training_rows('people', now(), NULL, '{"city": "city"}');

-- A window that is not over, or of which nothing is known; an event that never comes.
SELECT count(*) FROM training_rows('people', '2999-01-01', '30 days', '{"n": "event_count(timeline)"}', 'order');
SELECT count(*) FROM training_rows('people', '2025-12-15', '30 days', '{"n": "event_count(timeline)"}', 'visit');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"n": "event_count(timeline)"}', 'ordr');

-- History columns know the past: features as of the cut, the outcome as of the end; who has no row by then has one of nulls.
CREATE TABLE contract (id text, tariff text, paid numeric, since timestamptz, until timestamptz);
INSERT INTO contract VALUES ('a', 'basic', 10, '2024-01-01', '2025-03-01'), ('a', 'gold', 20, '2025-03-01', NULL), ('b', 'gold', 20, '2024-06-01', '2025-02-15'), ('c', 'basic', 10, '2025-02-10', NULL), ('d', 'basic', 10, '2024-01-01', NULL);
SELECT create_population('contracts', 'contract', 'id', valid_from => 'since', valid_to => 'until');
SELECT count(*) AS tags FROM refresh_tags('contracts');
SELECT key, label, known FROM training_rows('contracts', '2025-02-01', '60 days', '{"tariff": "tariff", "paid": "paid", "rank": "percentile(paid::float8)"}', outcome_rule => 'id IS NULL') ORDER BY key;
SELECT key, label, amount FROM training_rows('contracts', '2025-02-01', '60 days', '{"tariff": "tariff"}', outcome_rule => 'paid', at_least => 15) ORDER BY key;

-- Two rows of one customer at a time are one too many.
INSERT INTO contract VALUES ('d', 'twice', 1, '2025-01-15', '2025-02-10');
SELECT count(*) FROM training_rows('contracts', '2025-02-01', '60 days', '{"tariff": "tariff"}', outcome_rule => 'id IS NULL');
SELECT count(*) FROM training_rows('contracts', '2025-03-01', '60 days', '{"tariff": "tariff"}', outcome_rule => 'id IS NULL');
DELETE FROM contract WHERE tariff = 'twice';

-- The planner knows how many customers there are.
ANALYZE person;
EXPLAIN SELECT * FROM training_rows('people', '2025-06-30', '30 days', '{"n": "1"}', 'order') \g | grep -o 'rows=403'

-- What is wrong.
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '["n"]', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"n": 1}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"n": "event_count(timelin)"}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"n": "now() > as_of"}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '0 days', '{"n": "1"}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', NULL, '{"n": "1"}', 'order');
SELECT count(*) FROM training_rows('people', '2025-06-30', '1 day', '{"n": "1"}', 'order', 'true');
SELECT count(*) FROM training_rows('people', '2025-06-30', '1 day', '{"n": "1"}', 'order', measure => 'mean');
SELECT count(*) FROM training_rows('people', '2025-06-30', '1 day', '{"n": "1"}', outcome_rule => '''x''');
SELECT count(*) FROM training_rows('people', '2025-06-30', '1 day', '{"n": "1"}', outcome_rule => 'has_tag(''buyer'')');
SELECT count(*) FROM training_rows('people', 'infinity', '1 day', '{"n": "1"}', 'order');
SELECT count(*) FROM training_rows('contracts', '2025-02-01', '60 days', '{"tariff": "tariff"}', 'order');
\set SHOW_CONTEXT never
SELECT count(*) FROM training_rows('people', '2025-06-30', '1 day', '{"n": "1 / (id - id)"}', 'order', columns => 'today');
\set SHOW_CONTEXT errors
SELECT count(*) FROM training_rows('nobody', '2025-06-30', '1 day', '{"n": "1"}', 'order');
SELECT count(*) FROM training_rows(NULL, '2025-06-30', '1 day', '{"n": "1"}', 'order');

-- Objects as columns of other queries: kinds have to agree; nulls in all rows are nothing.
SELECT (train('objects', 'logistic', $$SELECT i * 7919 % 11 > 4 AS y, jsonb_build_object('a', i % 7, 'b', CASE WHEN i % 5 > 0 THEN 'x' || i % 3 END, 'c', i % 4 = 0, 'd', NULL) AS o, i AS id FROM generate_series(1, 400) i$$, 'y', '{"key": "id"}') -> 'columns')::int AS columns;
SELECT train('objects', 'logistic', $$SELECT i % 2 = 0 AS y, jsonb_build_object('a', CASE WHEN i > 7 THEN to_jsonb(i) ELSE to_jsonb(i::text) END) AS o FROM generate_series(1, 400) i$$, 'y');
SELECT train('objects', 'logistic', $$SELECT i % 2 = 0 AS y, jsonb_build_object('a', ARRAY[i]) AS o FROM generate_series(1, 400) i$$, 'y');
SELECT train('objects', 'logistic', $$SELECT i % 2 = 0 AS y, 1 AS a, jsonb_build_object('a', i) AS o FROM generate_series(1, 400) i$$, 'y');
\set SHOW_CONTEXT never
SELECT train('objects', 'logistic', $$SELECT i % 2 = 0 AS y, to_jsonb(i) AS o FROM generate_series(1, 400) i$$, 'y');
\set SHOW_CONTEXT errors
SELECT algorithm, tied IS NOT NULL AS told FROM compare_models('{logistic,naive_bayes}', $$SELECT i % 2 = 0 AS y, jsonb_build_object('a', i % 7, 'b', i % 3) AS o, i AS id FROM generate_series(1, 400) i$$, 'y', '{"key": "id"}') ORDER BY 1;

-- A stranger sees what he may see: nothing of relations that he may not read; rows of his own where row-level security says so.
CREATE ROLE crm_rows_reader;
GRANT USAGE ON SCHEMA tag_training, crm TO crm_rows_reader;
SET ROLE crm_rows_reader;
SELECT count(*) FROM training_rows('people', '2025-06-30', '30 days', '{"n": "event_count(timeline)"}', 'order');
RESET ROLE;
GRANT SELECT ON contract TO crm_rows_reader;
ALTER TABLE contract ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON contract USING (id IN ('a', 'd'));
SET ROLE crm_rows_reader;
SELECT key, known FROM training_rows('contracts', '2025-02-01', '60 days', '{"tariff": "tariff"}', outcome_rule => 'id IS NULL') ORDER BY key;
RESET ROLE;

SELECT count(drop_model(name)) FROM (VALUES ('blind'), ('seeing'), ('objects')) AS v (name);
SELECT drop_population('people'), drop_population('contracts');
SET client_min_messages = warning;
DROP SCHEMA tag_training CASCADE;
DROP OWNED BY crm_rows_reader;
DROP ROLE crm_rows_reader;
