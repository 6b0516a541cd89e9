-- Recommendations against reference figures: areas of a web site (Breese, Heckerman,
-- Kadie 1998), and what customers of Online Retail bought last.
\ir lib/tally.sql
\setenv CRM_FOLDER :shared/data
\set absent `cd "$CRM_FOLDER" 2>/dev/null && test -r scoring/msweb_visits.csv.gz -a -r behavior/online_retail.csv.gz && echo false || echo true`
\if :absent
	\echo 'ok - recommend # skip no data/scoring/msweb_visits.csv.gz or data/behavior/online_retail.csv.gz'
	\quit
\endif

CREATE TABLE visit (split text, user_id int, vroot_id int);
\copy visit FROM PROGRAM 'zcat "$CRM_FOLDER/scoring/msweb_visits.csv.gz"' (FORMAT csv, HEADER)
SELECT pg_temp.same(string_agg(format('%s %s %s', split, users, visits), ', ' ORDER BY split DESC), 'train 32711 98654, test 5000 15191', 'published: users and visits')
FROM (SELECT split, count(DISTINCT user_id) AS users, count(*) AS visits FROM visit GROUP BY split) AS s;

CREATE TABLE fitted (name text PRIMARY KEY, m crm.model);
INSERT INTO fitted
SELECT name, crm.recommend_fit(user_id, vroot_id::text, 1, options::jsonb)
FROM visit, (VALUES ('popularity', '{"method": "popularity"}'), ('cosine', '{"neighbours": 1000, "shrinkage": 0}'), ('cosine of 20', '{"neighbours": 20, "shrinkage": 0}'),
	('jaccard', '{"similarity": "jaccard", "neighbours": 1000, "shrinkage": 0}'), ('conditional', '{"similarity": "conditional", "neighbours": 1000, "shrinkage": 0}'),
	('item_item', '{}'), ('als', '{"method": "als"}')) AS v (name, options)
WHERE split = 'train' GROUP BY name;

-- Every visit of a test user with two or more is hidden once; means within a user, then over users.
CREATE TABLE hidden AS
SELECT user_id, item, array_remove(items, item) AS others
FROM (SELECT user_id, array_agg(vroot_id::text ORDER BY vroot_id) AS items FROM visit WHERE split = 'test' GROUP BY user_id HAVING count(*) > 1) AS u, unnest(items) AS item;
SELECT pg_temp.same(count(DISTINCT user_id), 3453::bigint, 'published: test users with two visits') FROM hidden;
CREATE TABLE place (name text, user_id int, item text, list text[], place int);
SELECT format('INSERT INTO place SELECT %1$L, user_id, h.item, list, array_position(list, h.item) FROM (SELECT m FROM fitted WHERE name = %1$L) AS m, hidden AS h,
	LATERAL (SELECT array_agg(r.item ORDER BY no) AS list FROM crm.recommend(m, others, 10) WITH ORDINALITY AS r (item, score, because, no)) AS r', name) FROM fitted \gexec
CREATE TABLE found AS
SELECT name, avg(hr1) AS hr1, avg(hr5) AS hr5, avg(hr10) AS hr10, avg(ndcg) AS ndcg
FROM (SELECT name, user_id, avg((at <= 1)::int) AS hr1, avg((at <= 5)::int) AS hr5, avg((at <= 10)::int) AS hr10, avg(CASE WHEN at <= 10 THEN ln(2) / ln(at + 1) ELSE 0 END) AS ndcg
	FROM (SELECT name, user_id, coalesce(place, 1000)::float8 AS at FROM place) AS p GROUP BY name, user_id) AS u GROUP BY name;
SELECT pg_temp.note(count(*) = 1, format('published: %s: HR@1 %s, HR@5 %s, HR@10 %s, NDCG@10 %s', name, e.hr1, e.hr5, e.hr10, e.ndcg))
FROM (VALUES ('popularity', 0.227318, 0.494004, 0.639251, 0.407353), ('cosine', 0.324623, 0.619853, 0.751783, 0.519882), ('cosine of 20', 0.326007, 0.619539, 0.746248, 0.518663),
		('jaccard', 0.308466, 0.591322, 0.719350, 0.495339), ('conditional', 0.339143, 0.632530, 0.747197, 0.530889)) AS e (name, hr1, hr5, hr10, ndcg)
	LEFT JOIN found f USING (name) WHERE abs(f.hr1 - e.hr1) < 1e-6 AND abs(f.hr5 - e.hr5) < 1e-6 AND abs(f.hr10 - e.hr10) < 1e-6 AND abs(f.ndcg - e.ndcg) < 1e-6
GROUP BY name, e.hr1, e.hr5, e.hr10, e.ndcg ORDER BY name;
SELECT pg_temp.same(count(*), 5::bigint, 'published: all five methods') FROM tally WHERE holds AND name LIKE 'published: % HR@1 %';
SELECT pg_temp.note(d.hr10 > c.hr10 AND d.ndcg > c.ndcg, format('shrinkage of 10 betters the cosine of 20 neighbours: HR@10 %s', round(d.hr10, 6))) FROM found d, found c WHERE d.name = 'item_item' AND c.name = 'cosine of 20';
SELECT pg_temp.note(a.hr10 > c.hr10 - 0.02 AND a.ndcg > c.ndcg - 0.02, format('als reaches the level of the cosine: HR@10 %s, NDCG@10 %s', round(a.hr10, 6), round(a.ndcg::numeric, 6)))
FROM found a, found c WHERE a.name = 'als' AND c.name = 'cosine';
-- Neighbours of area 1008, through scores.
SELECT pg_temp.note(bool_and(abs(score - e.cosine) < 1e-8) AND count(*) = 2, 'published: cosines of area 1008 with 1034 and 1009')
FROM fitted, crm.recommend(m, '{1008}', 300) AS r JOIN (VALUES ('1034', 0.52165141), ('1009', 0.35994709)) AS e (item, cosine) USING (item) WHERE name = 'cosine';
SELECT pg_temp.note(abs(score - 0.35162778) < 1e-8, 'published: Jaccard of 1008 and 1034') FROM fitted, crm.recommend(m, '{1008}', 300) AS r WHERE name = 'jaccard' AND item = '1034';
-- The aggregate's figures, a row being a hidden visit, are plain SQL's.
SELECT pg_temp.note(bool_and(abs((q).hit_rate - hits) < 1e-12 AND abs((q).ndcg - gain) < 1e-12 AND abs((q).mrr - reciprocal) < 1e-12 AND (q).customers = n AND (q).items = items), 'recommendation_quality_agg as plain SQL has it')
FROM (SELECT name, crm.recommendation_quality_agg(10, list, ARRAY[item]) AS q, count(*) AS n, avg((place IS NOT NULL)::int)::float8 AS hits, avg(coalesce(ln(2) / ln(place + 1), 0)) AS gain,
		avg(coalesce(1.0 / place, 0))::float8 AS reciprocal FROM place GROUP BY name) AS a JOIN (SELECT name, count(DISTINCT i) AS items FROM place, unnest(list) AS i GROUP BY name) AS d USING (name);

-- Online Retail: what each customer bought for the first time last, from what he had bought before.
CREATE TABLE line (invoice_no text, stock_code text, description text, quantity int, invoice_ts timestamp, unit_price numeric, customer_id bigint, country text);
\copy line FROM PROGRAM 'zcat "$CRM_FOLDER/behavior/online_retail.csv.gz"' (FORMAT csv, HEADER)
CREATE TABLE bought AS
SELECT customer_id, item, row_number() OVER (PARTITION BY customer_id ORDER BY first_at DESC, item) AS from_last, count(*) OVER (PARTITION BY customer_id) AS items
FROM (SELECT customer_id, stock_code AS item, min(invoice_ts) AS first_at FROM line
	WHERE customer_id IS NOT NULL AND invoice_no NOT LIKE 'C%' AND quantity > 0 AND unit_price > 0 GROUP BY 1, 2) AS b;
CREATE TABLE customer AS SELECT customer_id, array_agg(item) FILTER (WHERE from_last > 1) AS before, min(item) FILTER (WHERE from_last = 1) AS last FROM bought WHERE items > 1 GROUP BY 1;
CREATE FUNCTION pg_temp.quality(options jsonb) RETURNS crm.recommendation_quality LANGUAGE sql AS $$
	SELECT crm.recommendation_quality_agg(10, list, ARRAY[last])
	FROM (SELECT crm.recommend_fit(customer_id, item, 1, options) AS m FROM bought WHERE items = 1 OR from_last > 1) AS f, customer,
		LATERAL (SELECT array_agg(r.item ORDER BY no) AS list FROM crm.recommend(m, before, 10) WITH ORDINALITY AS r (item, score, because, no)) AS r $$;
CREATE TABLE retail AS SELECT name, (pg_temp.quality(options)).* FROM (VALUES ('popularity', '{"method": "popularity"}'::jsonb), ('item_item', '{}'), ('als', '{"method": "als"}')) AS v (name, options);
SELECT pg_temp.note(r.hit_rate > 3 * p.hit_rate AND r.ndcg > 3 * p.ndcg AND r.items > 5 * p.items, format('online retail, last purchases of %s customers: %s finds %s of 100, popularity %s (NDCG@10 %s and %s, %s and %s different items)',
	r.customers, r.name, round(100 * r.hit_rate::numeric, 2), round(100 * p.hit_rate::numeric, 2), round(r.ndcg::numeric, 4), round(p.ndcg::numeric, 4), r.items, p.items))
FROM retail r, retail p WHERE r.name <> 'popularity' AND p.name = 'popularity' ORDER BY r.name DESC;
\ir lib/report.sql
