-- lookalike over an audience: scores, how good they are, what they are made of; points_agg.
SET extra_float_digits = 0;
-- points: the sum of those of all sets that a customer is in
SELECT crm.points_agg(a, p) FROM (VALUES ('{1,2,3}'::crm.audience, 1.5), ('{2,3}', -3), ('{3,900000000000}', 0.25), (NULL, 7), ('{4}', NULL)) AS t (a, p);
SELECT crm.points_agg(a, 1) FROM (VALUES (NULL::crm.audience)) AS t (a);
CREATE TEMP TABLE sets AS
SELECT k, crm.audience_agg(i) FILTER (WHERE i % (k + 1) = 0 OR i % 37 = k) AS a, (ARRAY[1, -2.5, 3.125, -1000, 0, 5e9])[k + 1]::numeric AS p FROM generate_series(0, 5) k, generate_series(1::bigint, 300000, 1) i GROUP BY k
UNION ALL SELECT 6, crm.audience_agg(i * 1000003), 7 FROM generate_series(1::bigint, 5000) i UNION ALL SELECT 7, '{1..200000}', 3e30;
CREATE TEMP TABLE totals AS SELECT crm.points_agg(a, p) AS all, crm.points_agg(a, p) FILTER (WHERE k < 4) AS part, crm.points_agg(a, p ORDER BY k DESC) AS backwards FROM sets;
SELECT "all" = backwards AS any_order FROM totals;
SELECT count(*) AS ids, count(*) FILTER (WHERE b.value IS DISTINCT FROM s.sum) AS different
FROM (SELECT m AS id, sum(p) FROM sets, crm.members(a) m WHERE k < 4 GROUP BY 1) s FULL JOIN (SELECT v.* FROM totals, crm.bsi_values(part) v) b USING (id);
SELECT crm.bsi_sum("all") = (SELECT sum(crm.cardinality(a) * p) FROM sets) AS same_sum FROM totals;

CREATE TABLE lookalike_customer AS
SELECT i AS id, (ARRAY['Berlin', 'Paris', '上海'])[i * 7 % 10 / 4 + 1] AS city, CASE WHEN i % 11 > 0 THEN (i::bigint * 7919 % 1009)::numeric / 10 END AS spent, i % 3 = 0 AS app, i % 5 = 0 AS letter,
	(i::bigint * 48271 % 65537) % 100 AS luck FROM generate_series(1, 20000) i;
ALTER TABLE lookalike_customer ADD PRIMARY KEY (id);
SELECT crm.create_population('likes', 'lookalike_customer', 'id');
SELECT crm.create_tag('city', $$CASE WHEN city <> 'Paris' THEN city END$$), crm.create_tag('app', 'app'), crm.create_tag('letter', 'letter'), crm.create_tag('spent', 'spent'),
	crm.create_tag('fan', $$luck < CASE WHEN app AND spent > 60 THEN 60 WHEN city = '上海' THEN 15 ELSE 2 END$$), crm.create_tag('nobody', 'id < 0');
SELECT count(*) FROM crm.refresh_tags('likes');
CREATE TEMP TABLE found AS SELECT crm.lookalike(crm.tag('fan')) AS scores;
SELECT crm.bsi_count(scores) AS customers FROM found;

-- the same from the rows, with the formula of the page: tags, cities, tenths of what was spent
CREATE TEMP TABLE cuts AS SELECT array_agg(DISTINCT cut ORDER BY cut) AS cuts FROM (SELECT (array_agg(spent ORDER BY spent))[1 + (count(*) - 1) * k / 10] AS cut FROM lookalike_customer, generate_series(1, 9) k WHERE spent IS NOT NULL GROUP BY k) c;
CREATE TEMP TABLE trait AS
SELECT c.id, f.fan, t.feature, t.value FROM lookalike_customer c, cuts, LATERAL (SELECT c.id = ANY (ARRAY(SELECT crm.members(crm.tag('fan')))) AS fan) f,
	LATERAL (VALUES ('city', nullif(c.city, 'Paris')), ('app', CASE WHEN app THEN 't' END), ('letter', CASE WHEN letter THEN 't' END), ('nobody', NULL),
		('spent', CASE WHEN spent IS NOT NULL THEN (SELECT count(*) FROM unnest(cuts) x WHERE x < spent)::text END)) AS t (feature, value);
CREATE TEMP TABLE weights AS
SELECT feature, value, ln((s + 20 * (s + o) / n) / (seed + 20)) - ln((o + 20 * (s + o) / n) / (n - seed + 20)) AS weight
FROM (SELECT feature, value, count(*) FILTER (WHERE fan)::float8 AS s, count(*) FILTER (WHERE NOT fan)::float8 AS o FROM trait GROUP BY 1, 2) w,
	(SELECT count(*)::float8 AS n, count(*) FILTER (WHERE fan)::float8 AS seed FROM trait WHERE feature = 'app') t;
CREATE TEMP TABLE plain AS SELECT id, bool_or(fan) AS fan, sum(weight) AS score FROM trait t JOIN weights w ON w.feature = t.feature AND w.value IS NOT DISTINCT FROM t.value GROUP BY id;
SELECT count(*) AS customers, max(abs(p.score - v.value::float8)) < 0.004 AS same FROM plain p JOIN (SELECT v.* FROM found, crm.bsi_values(scores) v) v USING (id);
SELECT count(*) AS traits, max(abs(l.weight - w.weight)) < 1e-12 AS same_weights FROM crm.lookalike_traits(crm.tag('fan')) l JOIN weights w ON w.feature = l.tag AND (w.value IS NULL) = NOT l.has AND (l.tag <> 'city' OR l.value IS NOT DISTINCT FROM w.value)
	AND (l.tag <> 'spent' OR NOT l.has OR w.value::int = CASE WHEN l.value LIKE '(,%' THEN 0 ELSE (SELECT array_position(cuts, split_part(ltrim(l.value, '('), ',', 1)::numeric) FROM cuts) END);
SELECT tag, value, has, round(seed_share::numeric, 3) AS seed_share, round(others_share::numeric, 3) AS others_share, round(weight::numeric, 3) AS weight FROM crm.lookalike_traits(crm.tag('fan')) WHERE tag <> 'spent' OR weight > 0.5 OR NOT has ORDER BY tag, has, value COLLATE "C";

-- how good: near the share of pairs that the scores put in the right order when nothing is held out; chance for a seed of chance
CREATE TEMP TABLE quality AS SELECT * FROM crm.lookalike_quality(crm.tag('fan'));
SELECT fold, seed_members > 300 AS seed, others > 3000 AS others, auc BETWEEN 0.7 AND 0.9 AS auc, top_tenth > 0.3 AS top, abs(lift - 10 * top_tenth) < 1e-9 AS lift FROM quality ORDER BY fold;
SELECT abs(q.auc - (SELECT crm.auc_agg(fan, score) FROM plain)) < 0.01 AS as_without_folds, sum(o.seed_members) = q.seed_members AS all_asked FROM quality q, quality o WHERE q.fold IS NULL AND o.fold IS NOT NULL GROUP BY q.auc, q.seed_members;
SELECT auc BETWEEN 0.48 AND 0.52 AS by_chance FROM crm.lookalike_quality(crm.sample(crm.segment('app | !app'), 5000, 3), folds => 3) WHERE fold IS NULL;
SELECT count(*) FROM crm.lookalike_quality(crm.tag('fan'), 'likes', '{app}', 2);
-- by the tags named; a tag that is the seed itself is left out unless it is named
SELECT auc FROM crm.lookalike_quality(crm.tag('fan'), tags => '{fan}') WHERE fold IS NULL;
SELECT count(*) FILTER (WHERE tag = 'fan') AS left_out, count(*) FILTER (WHERE tag = 'app') AS app FROM crm.lookalike_traits(crm.tag('fan'));
SELECT count(DISTINCT value) FROM (SELECT (crm.bsi_values(crm.lookalike(crm.tag('fan'), 'likes', '{app,letter,app}'))).value) v;
-- the most similar who are not in it
SELECT count(*) AS customers, bool_and(NOT id <@ crm.tag('fan')) AS others, min(score) > 0.5 AS likely, bool_and(key = id::text) AS keys, bool_and(c.app AND c.spent > 60) AS as_planted FROM crm.lookalike_customers(crm.tag('fan'), 100) l JOIN lookalike_customer c USING (id);
SELECT abs(sum(s.score) - sum(1 / (1 + exp(-p.score)))) < 0.1 AS same_scores FROM crm.lookalike_customers(crm.tag('fan'), 1000) s JOIN plain p USING (id);
SELECT id, round(score::numeric, 4) AS score FROM crm.lookalike_customers('{1,2,3}', 2, 'likes', '{app}');
-- nobody, everybody, strangers
SELECT crm.lookalike('{}'::crm.audience, 'likes') IS NULL AS nobody, crm.lookalike(crm.segment('app | !app'), 'likes') IS NULL AS everybody, crm.lookalike('{999999}'::crm.audience, 'likes') IS NULL AS stranger;
SELECT count(*) FROM crm.lookalike_quality('{}', 'likes');
SELECT count(*) FROM crm.lookalike_customers('{}', 10, 'likes');
SELECT fold, seed_members, auc IS NOT NULL AS auc FROM crm.lookalike_quality('{5}', 'likes', folds => 2) ORDER BY fold;
-- refused
SELECT crm.lookalike(NULL::crm.audience, 'likes');
SELECT crm.lookalike('{1}'::crm.audience, 'like');
SELECT crm.lookalike('{1}', 'likes');
SELECT crm.lookalike('{1}'::crm.audience, 'likes', '{}');
SELECT crm.lookalike('{1}'::crm.audience, 'likes', '{app,NULL}');
SELECT crm.lookalike('{1}'::crm.audience, 'likes', '{ap}');
SELECT crm.create_tag('new', 'id > 5');
SELECT crm.lookalike('{1}'::crm.audience, 'likes', '{new}');
SELECT * FROM crm.lookalike_quality('{1}', 'likes', folds => 1);
-- in a rule the seed is a text: with a text, a number, more of them, and by has_tag
SELECT crm.create_tag('by city', $$lookalike('fan', city)$$), crm.create_tag('by spent', $$lookalike('fan', spent)$$), crm.create_tag('by both', $$lookalike('fan', city, spent)$$), crm.create_tag('by has_tag', $$lookalike(has_tag('fan'), city)$$);
SELECT count(*) FROM crm.refresh_tags('likes', '{fan,by city,by spent,by both,by has_tag}');
SELECT crm.tag_number('by city') = crm.tag_number('by has_tag') AS same, crm.bsi_count(crm.tag_number('by both')) AS customers;
-- a tracked customer counts as he is now
SELECT crm.track_population('likes');
BEGIN;
UPDATE lookalike_customer SET app = NOT app WHERE id = 4;
SELECT crm.bsi_value(crm.lookalike(crm.tag('fan'), tags => '{app}'), 4) = (SELECT crm.bsi_value(crm.lookalike(crm.tag('fan'), tags => '{app}'), 3)) AS like_three, crm.bsi_value(crm.lookalike(crm.tag('fan'), tags => '{app}'), 4) > crm.bsi_value(crm.lookalike(crm.tag('fan'), tags => '{app}'), 1) AS unlike_one;
UPDATE lookalike_customer SET spent = 1000 WHERE id = 4;
SELECT crm.bsi_count(crm.lookalike(crm.tag('fan'))) AS customers, (SELECT count(*) FROM crm.lookalike_traits(crm.tag('fan'), tags => '{spent,city}')) AS traits;
ROLLBACK;
-- without the right to whole sets
CREATE ROLE regress_crm_likes;
GRANT USAGE ON SCHEMA crm TO regress_crm_likes;
SET ROLE regress_crm_likes;
SELECT crm.lookalike('{1}'::crm.audience, 'likes');
RESET ROLE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_likes;
DROP ROLE regress_crm_likes;
SELECT crm.drop_population('likes');
DROP TABLE lookalike_customer;
