-- unmet_demand: what customers looked for and did not buy.
SET extra_float_digits = 0;
SET timezone = 'UTC';
SET datestyle = 'ISO';
-- terms: width, case, blanks
SELECT crm.demand_term(t) FROM (VALUES ('  Red   Shoes '), (E'ＲＥＤ　ｓｈｏｅｓ\n'), ('ﬁlm'), ('跑鞋'), (''), (NULL), (E'a\tb')) AS t (t);

-- one customer: a demand is met at the same time, at the end of the time, not after it, not before
CREATE TEMP TABLE one AS
SELECT crm.timeline_agg(ts::timestamptz, event, NULL, attributes) AS t FROM (VALUES
	('2026-01-01 10:00', 'search', '{"query": "Shoes"}'::jsonb), ('2026-01-01 10:00', 'order', '{"item": "shoes"}'),
	('2026-01-02 10:00', 'search', '{"query": "hat"}'), ('2026-01-03 10:00', 'order', '{"item": "HAT"}'),
	('2026-01-05 10:00', 'search', '{"query": "hat"}'), ('2026-01-06 10:00:00.000001', 'order', '{"item": "hat"}'),
	('2026-01-08 10:00', 'abandon', '{"item": "bag"}'), ('2026-01-08 11:00', 'search', '{"query": " "}'), ('2026-01-08 12:00', 'search', NULL), ('2026-01-08 13:00', 'search', '{"query": null}'),
	('2026-01-09 10:00', 'search', '{"query": 42}'), ('2026-01-09 11:00', 'order', '{"item": "42"}'), ('2026-01-09 12:00', 'help', NULL)) AS e (ts, event, attributes);
SELECT u.segment, u.term, u.demands, u.unmet, u.customers, u.unmet_customers, round(u.usual::numeric, 3) AS usual, u.first_at, u.last_at
FROM (SELECT crm.unmet_demand('1 day', NULL, '{"search": "query", "abandon": "item", "help": null}', '{"order": "item"}', t) AS r FROM one) x, unnest(r) u ORDER BY term COLLATE "C";
-- any purchase meets a demand; demands without their whole time do not count
SELECT u.term, u.demands, u.unmet FROM (SELECT crm.unmet_demand('1 day', NULL, '{"search": "query", "abandon": "item"}', '{"order": null}', t) AS r FROM one) x, unnest(r) u ORDER BY term COLLATE "C";
SELECT u.term, u.demands, u.unmet FROM (SELECT crm.unmet_demand('1 day', '2026-01-06 10:00', '{"search": "query", "abandon": "item"}', '{"order": "item"}', t) AS r FROM one) x, unnest(r) u ORDER BY term COLLATE "C";
SELECT crm.unmet_demand('1 day', '2026-01-02 09:59:59', '{"search": "query"}', '{"order": "item"}', t, 'x') FROM one;
-- selectors with tests; an event counts by the first selector that names something
SELECT u.term, u.demands FROM (SELECT crm.unmet_demand('0', NULL, '{"search[query=hat]": "query", "*": "query"}', '{"order": "item"}', t) AS r FROM one) x, unnest(r) u ORDER BY term COLLATE "C";
-- a thing whose name holds what was looked for
SELECT u.term, u.unmet, c.unmet AS contains FROM (SELECT crm.unmet_demand('1 day', NULL, '{"s": "q"}', '{"o": "i"}', t, NULL) AS r, crm.unmet_demand('1 day', NULL, '{"s": "q"}', '{"o": "i"}', t, NULL, '{"match": "contains"}') AS c
	FROM (SELECT crm.timeline_agg(ts::timestamptz, event, NULL, attributes) AS t FROM (VALUES ('2026-01-01', 's', '{"q": "Shoe"}'::jsonb), ('2026-01-01', 's', '{"q": "red shoe 4"}'), ('2026-01-01 01:00', 'o', '{"i": "Red Shoe 42"}'), ('2026-01-01 01:00', 'o', '{"i": "red"}')) AS e (ts, event, attributes)) t) x,
	unnest(r) u JOIN LATERAL unnest(c) c USING (term) ORDER BY term;
-- no timelines, no demands
SELECT crm.unmet_demand('1 day', NULL, '{"search": "query"}', '{"order": "item"}', NULL::crm.timeline), crm.unmet_demand('1 day', NULL, '{"search": "query"}', '{"order": "item"}', '[]'::crm.timeline);

-- many customers, and a need that was planted: hardly anybody who looks for it finds it
CREATE TABLE demand_event AS
SELECT c AS customer, ts, event, term, CASE WHEN c % 3 = 0 THEN 'app' WHEN c % 3 = 1 THEN 'shop' END AS segment FROM generate_series(1, 3000) c,
	LATERAL (SELECT timestamptz '2026-01-01' + ((c * 37 + k * 101) % 200) * interval '7 hours' AS ts, 'search' AS event,
			CASE WHEN c % 3 = 0 AND (c + k) % 23 = 0 THEN 'Vegan ' || repeat(' ', k) || 'Pet Food' ELSE 'thing ' || (c * 7 + k * 13) % 17 END AS term, k FROM generate_series(1, 6) k) s
UNION ALL SELECT c, timestamptz '2026-01-01' + ((c * 37 + k * 101) % 200) * interval '7 hours' + ((c * k) % 60) * interval '1 hour', 'order', 'THING ' || (c * 7 + k * 13) % 17, CASE WHEN c % 3 = 0 THEN 'app' WHEN c % 3 = 1 THEN 'shop' END
	FROM generate_series(1, 3000) c, generate_series(1, 6) k WHERE (c * 31 + k * 17) % 10 < 6;
CREATE TABLE demand_timeline AS SELECT customer, segment, crm.timeline_agg(ts, event, NULL, jsonb_build_object(CASE event WHEN 'search' THEN 'query' ELSE 'item' END, term)) AS t FROM demand_event GROUP BY customer, segment;
ANALYZE demand_timeline;
CREATE TEMP TABLE found AS
SELECT u.* FROM (SELECT crm.unmet_demand('2 days', '2026-02-25', '{"search": "query"}', '{"order": "item"}', t, segment) AS r FROM demand_timeline) x, unnest(r) u;
SELECT DISTINCT ON (segment) segment, term, customers, unmet_customers, round(unmet_share::numeric, 3) AS share, round(lower::numeric, 3) AS lower, round(usual::numeric, 3) AS usual, round(excess::numeric, 1) AS excess
FROM found ORDER BY segment, excess DESC;
SELECT term AS first_of_all FROM found ORDER BY excess DESC LIMIT 1;
-- the same in plain SQL
SET enable_nestloop = off;
CREATE TEMP TABLE plain AS
WITH e AS MATERIALIZED (SELECT *, row_number() OVER () AS row, crm.demand_term(term) AS plain_term FROM demand_event),
d AS (SELECT s.segment, s.plain_term AS term, s.customer, s.ts, count(o.ts) > 0 AS met
	FROM e s LEFT JOIN e o ON o.event = 'order' AND o.customer = s.customer AND o.plain_term = s.plain_term AND o.ts >= s.ts AND o.ts <= s.ts + interval '48 hours'
	WHERE s.event = 'search' AND s.ts <= timestamptz '2026-02-25' - interval '48 hours' GROUP BY 1, 2, 3, 4, s.row),
c AS (SELECT segment, term, customer, count(*) AS demands, count(*) FILTER (WHERE NOT met) AS unmet, bool_or(met) AS met, min(ts) AS first_at, max(ts) AS last_at FROM d GROUP BY 1, 2, 3)
SELECT segment, term, sum(demands)::bigint AS demands, sum(unmet)::bigint AS unmet, count(*) AS customers, count(*) FILTER (WHERE NOT met) AS unmet_customers, min(first_at) AS first_at, max(last_at) AS last_at FROM c GROUP BY 1, 2;
SELECT count(*) AS rows, count(*) FILTER (WHERE (p.demands, p.unmet, p.customers, p.unmet_customers, p.first_at, p.last_at) IS DISTINCT FROM (f.demands, f.unmet, f.customers, f.unmet_customers, f.first_at, f.last_at)) AS different
FROM plain p FULL JOIN found f ON f.term = p.term AND coalesce(f.segment, '') = coalesce(p.segment, '');
RESET enable_nestloop;
SELECT bool_and(abs(f.usual - s.usual) < 1e-12 AND abs(f.unmet_share - f.unmet_customers / f.customers::float8) < 1e-12 AND f.lower <= f.unmet_share AND f.excess = (f.lower - f.usual) * f.customers) AS shares
FROM found f JOIN (SELECT segment, sum(unmet_customers) / sum(customers) AS usual FROM plain GROUP BY 1) s ON s.segment IS NOT DISTINCT FROM f.segment;
-- Wilson's limit as published: 8 of 10 gives 0.490
SELECT round(u.lower::numeric, 4) AS lower FROM (SELECT crm.unmet_demand('1 day', NULL, '{"s": null}', '{"o": null}', t) AS r
	FROM (SELECT crm.timeline_agg(timestamptz '2026-01-01', e, NULL) AS t FROM generate_series(1, 10) i, LATERAL (SELECT unnest(CASE WHEN i <= 8 THEN '{s}' ELSE '{s,o}'::text[] END) AS e) e GROUP BY i) x) y, unnest(r) u;
-- only what many customers want
SELECT count(*) AS rows, min((u).customers) >= 318 AS many FROM (SELECT unnest(crm.unmet_demand('2 days', '2026-02-25', '{"search": "query"}', '{"order": "item"}', t, segment, '{"min_customers": 318}')) AS u FROM demand_timeline) x;
-- in parallel, in any order, by parts
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT crm.unmet_demand('2 days', '2026-02-25', '{"search": "query"}', '{"order": "item"}', t, segment) FROM demand_timeline;
CREATE TEMP TABLE parallel AS SELECT crm.unmet_demand('2 days', '2026-02-25', '{"search": "query"}', '{"order": "item"}', t, segment)::text AS r FROM demand_timeline;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT r = (SELECT crm.unmet_demand('2 days', '2026-02-25', '{"search": "query"}', '{"order": "item"}', t, segment ORDER BY customer DESC)::text FROM demand_timeline) AS same FROM parallel;
SELECT segment, cardinality(crm.unmet_demand('2 days', NULL, '{"search": "query"}', '{"order": "item"}', t) FILTER (WHERE customer < 300)) AS terms FROM demand_timeline GROUP BY segment ORDER BY segment;
SELECT customer, cardinality(crm.unmet_demand('2 days', NULL, '{"search": "query"}', '{"order": "item"}', t) OVER (ORDER BY customer ROWS 1 PRECEDING)) AS terms FROM demand_timeline WHERE customer < 5 ORDER BY 1;
-- refused
SELECT crm.unmet_demand(NULL, NULL, '{"search": "query"}', '{"order": "item"}', t) FROM one;
SELECT crm.unmet_demand('1 month', NULL, '{"search": "query"}', '{"order": "item"}', t) FROM one;
SELECT crm.unmet_demand('-1 day', NULL, '{"search": "query"}', '{"order": "item"}', t) FROM one;
SELECT crm.unmet_demand('1 day', NULL, NULL, '{"order": "item"}', t) FROM one;
SELECT crm.unmet_demand('1 day', NULL, '["search"]', '{"order": "item"}', t) FROM one;
SELECT crm.unmet_demand('1 day', NULL, '{"search": "query"}', '{}', t) FROM one;
SELECT crm.unmet_demand('1 day', NULL, '{"search": ["query"]}', '{"order": "item"}', t) FROM one;
SELECT crm.unmet_demand('1 day', NULL, '{"search[": "query"}', '{"order": "item"}', t) FROM one;
SELECT crm.unmet_demand('1 day', NULL, (SELECT jsonb_object_agg('e' || i, 'a') FROM generate_series(1, 64) i), '{"order": "item"}', t) FROM one;
SELECT crm.unmet_demand('1 day', NULL, '{"search": "query"}', '{"order": "item"}', t, 'x', '{"match": "like"}') FROM one;
SELECT crm.unmet_demand('1 day', NULL, '{"search": "query"}', '{"order": "item"}', t, 'x', '{"min_customers": 0}') FROM one;
SELECT crm.unmet_demand(d, NULL, '{"search": "query"}', '{"order": "item"}', t) FROM one, (VALUES (interval '1 day'), ('2 days')) AS d (d);
-- states of anybody
CREATE AGGREGATE pg_temp.parts(agg_state) (sfunc = crm.unmet_demand_combinefn, stype = agg_state, finalfunc = crm.unmet_demand_finalfn);
CREATE AGGREGATE pg_temp.state_of(interval, timestamptz, jsonb, jsonb, crm.timeline, text) (sfunc = crm.unmet_demand_transfn, stype = agg_state);
CREATE TEMP TABLE states AS SELECT pg_temp.state_of('1 day', NULL, '{"search": "query"}', '{"order": "item"}', t, '客群')::text AS s FROM one;
SELECT cardinality(pg_temp.parts(s.s::agg_state)) AS terms, (pg_temp.parts(s.s::agg_state))[1].demands AS demands FROM states, LATERAL (VALUES (s), (s)) s (s);
CREATE FUNCTION pg_temp.finish(state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	SELECT pg_temp.parts(state::agg_state)::text INTO result;
	RETURN 'rows';
EXCEPTION WHEN data_corrupted OR invalid_text_representation THEN
	RETURN 'refused';
END $$;
SELECT count(*) FILTER (WHERE r = 'refused') > 100 AS refused, count(*) FILTER (WHERE r = 'rows') > 0 AS taken, count(*)
FROM (SELECT pg_temp.finish(translate(encode(set_byte(b, i % length(b), (get_byte(b, i % length(b)) + 1 + i * 37 % 255) % 256), 'base64'), E'\n', '')) AS r FROM (SELECT decode(s, 'base64') AS b FROM states) s, generate_series(0, 799) i) x;
SELECT count(*) FILTER (WHERE r <> 'refused') AS cut_short_and_taken FROM (SELECT pg_temp.finish(translate(encode(substr(b, 1, i), 'base64'), E'\n', '')) AS r FROM (SELECT decode(s, 'base64') AS b FROM states) s, generate_series(1, length(b) - 1) i) x;
DROP TABLE demand_event, demand_timeline;
