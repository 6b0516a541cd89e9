-- Groups by name: trained from ordinary columns, asked by rows, described, and kept in number.
SET search_path = crm, public;
SET TimeZone = 'UTC';

-- three kinds of customers, of 100, 80 and 60: young with the app, older at the branch, and the rich; some values are not known
CREATE TABLE customer AS
SELECT i AS id, 'c' || lpad(i::text, 3, '0') AS key,
	CASE WHEN i % 20 <> 3 THEN CASE kind WHEN 1 THEN 22 + i % 7 WHEN 2 THEN 60 + i % 9 ELSE 44 + i % 5 END END AS age,
	CASE kind WHEN 3 THEN 90000 + i * 100 ELSE 1000 + i * 37 % 500 END::numeric AS balance,
	CASE WHEN i % 25 <> 7 THEN CASE kind WHEN 1 THEN 'app' WHEN 2 THEN 'branch' ELSE (ARRAY['app', 'branch', 'phone'])[1 + i % 3] END END AS channel,
	kind = 3 AS advised, kind
FROM (SELECT i, CASE WHEN i <= 100 THEN 1 WHEN i <= 180 THEN 2 ELSE 3 END AS kind FROM generate_series(1, 240) AS i) AS s;

SELECT key, value FROM jsonb_each(train('kinds', 'k_prototypes', 'SELECT key, age, balance, channel, advised FROM customer', NULL, '{"k": 3, "key": "key"}'))
WHERE key NOT IN ('fingerprint') ORDER BY key;
-- each kind is a group, its number is by size; rows in any order, with more columns, as jsonb
SELECT cluster('kinds', c) AS cluster, kind, count(*) FROM customer c GROUP BY 1, 2 ORDER BY 1, 2;
SELECT bool_and(cluster('kinds', c) = cluster('kinds', to_jsonb(c)) AND predict('kinds', c) = cluster('kinds', c)) AS same FROM customer c;
SELECT cluster('kinds', '{"age": null, "balance": 95000, "channel": "unheard of", "advised": null}'::jsonb) AS gaps;
SELECT count(*) FILTER (WHERE feature IS NULL) AS base, bool_and(contribution IS NOT NULL) AS parts FROM explain('kinds', (SELECT c FROM customer c WHERE id = 1)) e;
SELECT name, version, algorithm, label IS NULL AS no_label, rows, metrics -> 'sizes' AS sizes FROM model_version;

-- what they are like
SELECT cluster, persona, size, round(share::numeric, 3) AS share, typical_key, typical ->> 'channel' AS channel, (typical ->> 'age')::int AS age FROM personas('kinds');
SELECT cluster, t ->> 'trait' AS trait, t ->> 'column' AS "column", t ->> 'level' AS level, (t ->> 'share')::numeric(5, 3) AS share, (t ->> 'base')::numeric(5, 3) AS base,
	(t ->> 'index')::numeric(6, 2) AS index, (t ->> 'q')::float8 < 0.001 AS sure
FROM personas('kinds', most => 4), jsonb_array_elements(traits) AS t;
-- counts by plain SQL
SELECT bool_and((t ->> 'share')::numeric(5, 4) = s.share AND (t ->> 'base')::numeric(5, 4) = s.base) AS shares, count(*)
FROM personas('kinds', most => 100) p, jsonb_array_elements(p.traits) AS t,
	LATERAL (SELECT (count(*) FILTER (WHERE channel = t ->> 'level' AND c = p.cluster) / (count(*) FILTER (WHERE c = p.cluster))::numeric)::numeric(5, 4) AS share,
		(count(*) FILTER (WHERE channel = t ->> 'level') / count(*)::numeric)::numeric(5, 4) AS base
		FROM (SELECT *, cluster('kinds', x) AS c FROM customer x) y) s
WHERE t ->> 'column' = 'channel' AND t ->> 'level' <> 'missing';
-- the typical member is the one nearest to the center, of those that lack least
SELECT bool_and(p.typical_key = n.key AND abs(p.distance - n.distance) < 1e-9) AS nearest
FROM personas('kinds') p, LATERAL (SELECT key, cluster_distance(model('kinds'), model_features(v.encoding, c)) AS distance
	FROM customer c, model_version v WHERE v.name = 'kinds' AND cluster('kinds', c) = p.cluster ORDER BY num_nulls(age, balance, channel, advised), 2, 1 LIMIT 1) n;
-- words of the house, in Chinese, and of the rows of another query
SELECT cluster, persona FROM personas('kinds', words => '{"age": {"high": "silver"}, "channel": {"app": "app only", "branch": "comes to us"}, "advised": {"label": "advice"}}');
SELECT cluster, persona FROM personas('kinds', lang => 'zh', words => '{"balance": {"label": "余额"}, "channel": {"label": "渠道"}, "advised": {"yes": "有顾问", "no": "无顾问"}}');
SELECT cluster, persona, size, typical_key FROM personas('kinds', 'SELECT * FROM customer WHERE kind = 2', 'id');

-- numbers stay: the third kind becomes the largest, the first one rare
INSERT INTO customer SELECT id + 1000, 'd' || id, age, balance, channel, advised, kind FROM customer, generate_series(1, 3) WHERE kind = 3;
DELETE FROM customer WHERE kind = 1 AND id % 3 > 0;
SELECT r ->> 'version' AS version, r ->> 'promoted' AS promoted, r -> 'matched' AS matched FROM retrain('kinds') AS r;
SELECT cluster('kinds', c) AS cluster, kind, count(*) FROM customer c GROUP BY 1, 2 ORDER BY 1, 2;
SELECT model_params(model('kinds')) -> 'sizes' AS sizes, model_params(model('kinds')) ? 'numbers' AS numbers;
-- the first kind goes, and what the third group is split into has a number that none had
DELETE FROM customer WHERE kind = 1;
SELECT r -> 'matched' AS matched FROM retrain('kinds') AS r;
SELECT cluster('kinds', c) AS cluster, kind, count(*) FROM customer c GROUP BY 1, 2 ORDER BY 1, 2;
SELECT model_params(model('kinds')) -> 'numbers' AS numbers;
SELECT cluster, persona FROM personas('kinds');
-- the same of values, by centers
SELECT model_params(match_clusters(a, b)) -> 'centers' AS centers, model_params(b) -> 'centers' AS before
FROM (SELECT kmeans_fit(2, ARRAY[x]) FROM unnest('{1,1,1,9}'::float8[]) x) AS a (a), (SELECT kmeans_fit(2, ARRAY[x]) FROM unnest('{2,10,10,10}'::float8[]) x) AS b (b);
SELECT model_params(match_clusters(a, b)) -> 'numbers' AS numbers
FROM (SELECT kmeans_fit(2, ARRAY[x]) FROM unnest('{1,1,1,9}'::float8[]) x) AS a (a), (SELECT kmeans_fit(3, ARRAY[x]) FROM unnest('{10,10,10,50,50,2}'::float8[]) x) AS b (b);
SELECT model_params(match_clusters(a, b)) -> 'numbers' AS numbers, model_params(match_clusters(a, b)) -> 'numbers_used' AS used
FROM (SELECT kmeans_fit(3, ARRAY[x]) FROM unnest('{1,1,1,9,9,20}'::float8[]) x) AS a (a), (SELECT kmeans_fit(1, ARRAY[x]) FROM unnest('{10,10,10}'::float8[]) x) AS b (b);

-- k_means takes numbers only
SELECT r -> 'features' AS features, r -> 'metrics' -> 'k' AS k FROM train('plain', 'k_means', 'SELECT age, balance, advised FROM customer', options => '{"k": 4, "standardize": false}') AS r;

-- others need a grant to score, and bring a query of their own
CREATE ROLE regress_clusters;
GRANT USAGE ON SCHEMA public, crm TO regress_clusters;
SELECT grant_model('kinds', 'regress_clusters');
SET ROLE regress_clusters;
SELECT cluster('kinds', '{"age": 25, "balance": 1000, "channel": "app", "advised": false}'::jsonb) IS NOT NULL AS scored;
SELECT * FROM personas('kinds');
SELECT * FROM personas('kinds', 'SELECT * FROM customer');
SELECT persona, size FROM personas('kinds', 'SELECT 25 AS age, 1000 AS balance, ''app''::text AS channel, false AS advised') WHERE size > 0;
SELECT cluster('plain', '{}'::jsonb);

-- the query of a model runs with its owner's rights, one that is given with the caller's
SELECT train('hers', 'k_means', 'SELECT i % 2 AS x FROM generate_series(1, 40) AS i WHERE current_user = ''regress_clusters''', options => '{"k": 2}') -> 'rows' AS rows;
RESET ROLE;
SELECT sum(size) FROM personas('hers');
SELECT sum(size) FROM personas('hers', 'SELECT 1 AS x WHERE current_user = ''regress_clusters''');
SELECT sum(size), count(typical ->> 'x') AS groups FROM personas('hers', 'SELECT i > 20 AS x FROM generate_series(1, 40) AS i');
SELECT drop_model('hers');

-- errors
SELECT train('x', 'k_means', 'SELECT age FROM customer');
SELECT train('x', 'k_means', 'SELECT age FROM customer', 'age', '{"k": 2}');
SELECT train('x', 'k_means', 'SELECT age FROM customer', NULL, '{"k": 0}');
SELECT train('x', 'k_means', 'SELECT age FROM customer', NULL, '{"k": 2, "holdout": 0.2}');
SELECT train('x', 'k_means', 'SELECT age, key FROM customer', NULL, '{"k": 2, "key": "key", "time": "age"}');
SELECT train('x', 'k_prototypes', 'SELECT age FROM customer', NULL, '{"k": 2, "categorical": [1]}');
SELECT train('x', 'k_means', 'SELECT age, channel FROM customer', NULL, '{"k": 2}');
\set SHOW_CONTEXT never
SELECT train('x', 'k_means', 'SELECT age FROM customer', NULL, '{"k": 2, "l2": 1}');
SELECT train('x', 'linear', 'SELECT age, balance FROM customer', NULL);
SELECT train(NULL, 'k_means', 'SELECT age FROM customer') IS NULL AS nothing;
SELECT * FROM evaluate('kinds', 'SELECT * FROM customer', 'age');
SELECT * FROM compare_models('{k_means}', 'SELECT * FROM customer', 'age');
SELECT * FROM personas('kinds', lang => 'fr');
SELECT * FROM personas('kinds', words => '{"age": "young"}');
SELECT * FROM personas('kinds', words => '{"age": {"low": 1}}');
SELECT * FROM personas('kinds', fdr => 0);
SELECT * FROM personas('kinds', most => -1);
SELECT * FROM personas('kinds', key => 'nowhere');
SELECT * FROM personas('kinds', 'SELECT age FROM customer');
SELECT * FROM personas(NULL);
SELECT store_model('value', (SELECT kmeans_fit(2, ARRAY[age]) FROM customer WHERE age IS NOT NULL));
SELECT * FROM personas('value');
SELECT store_model('line', (SELECT linear_fit(balance, ARRAY[id]) FROM customer));
SELECT * FROM personas('line');
SELECT match_clusters(model('value'), model('line'));
SELECT match_clusters(model('value'), model('plain'));

-- matching takes a number for each pair of groups, within the memory of trainers: what does not fit is said before anything is read
SELECT r -> 'metrics' -> 'k' AS k FROM train('fine', 'k_means', 'SELECT g::float8 AS x FROM generate_series(1, 500) AS g', options => '{"k": 400}') AS r;
SET crm_analytics.training_memory = '1MB';
SELECT retrain('fine');
SELECT match_clusters(model('fine'), model('fine'));
SET crm_analytics.training_memory = '2MB';
SELECT r ->> 'version' AS version, jsonb_array_length(r -> 'matched') AS matched, (SELECT count(*) FROM jsonb_array_elements(r -> 'matched') AS m WHERE m -> 'stayed' = '1') AS stayed FROM retrain('fine') AS r;
SELECT model_params(match_clusters(a, a)) = model_params(a) AS same FROM model('fine') AS a;
RESET crm_analytics.training_memory;

SELECT drop_model(n) FROM unnest('{kinds,plain,value,line,fine}'::text[]) AS n;
REVOKE USAGE ON SCHEMA public, crm FROM regress_clusters;
DROP ROLE regress_clusters;
DROP TABLE customer;
