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

CREATE TABLE model (name text PRIMARY KEY, m crm.model);
INSERT INTO model
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
CREATE TABLE place AS
SELECT name, user_id, hidden.item, others, list, array_position(list, hidden.item) AS place
FROM model, hidden, LATERAL (SELECT array_agg(r.item ORDER BY no) AS list FROM crm.recommend(m, others, 10) WITH ORDINALITY AS r (item, score, because, no)) AS r;
CREATE TABLE found AS
SELECT name, avg(hr1) AS hr1, avg(hr5) AS hr5, avg(hr10) AS hr10, avg(ndcg) AS ndcg
FROM (SELECT name, user_id, avg((at <= 1)::int) AS hr1, avg((at <= 5)::int) AS hr5, avg((at <= 10)::int) AS hr10, avg(CASE WHEN at <= 10 THEN ln(2) / ln(at + 1) ELSE 0 END) AS ndcg
	FROM (SELECT name, user_id, coalesce(place, 1000)::float8 AS at FROM place) AS p GROUP BY name, user_id) AS u GROUP BY name;
