-- What a customer is likely to want next: recommend_fit, recommend, recommendation_quality_agg.
CREATE TABLE has AS SELECT u AS customer, 'i' || lpad(i::text, 2, '0') AS item, 3 + hashint4(u * 31 + i) % 3 AS weight
FROM generate_series(1, 200) AS u, generate_series(1, 16) AS i WHERE (hashint4(u * 100 + i) & 1023) < CASE WHEN i % 2 = u % 2 THEN 450 ELSE 60 END;
CREATE TABLE model_of (name text PRIMARY KEY, m model);
INSERT INTO model_of
SELECT 'default', recommend_fit(customer, item) FROM has UNION ALL
SELECT 'weighted', recommend_fit(customer, item, weight) FROM has UNION ALL
SELECT 'jaccard', recommend_fit(customer, item, 1, '{"similarity": "jaccard", "shrinkage": 0, "neighbours": 1000}') FROM has UNION ALL
SELECT 'als', recommend_fit(customer, item, 1, '{"method": "als", "factors": 4, "regularization": 0.1, "alpha": 10, "iterations": 12, "seed": 3}') FROM has UNION ALL
SELECT 'popularity', recommend_fit(customer, item, 1, '{"method": "popularity"}') FROM has;
SELECT name, model_kind(m), model_params(m) - ARRAY['loss', 'penalty'] AS params FROM model_of ORDER BY name;

-- Customers of one half get things of that half, and are told which of theirs argued for it.
SELECT name, string_agg(r.item, ' ' ORDER BY no) AS items, bool_and(score <= before OR before IS NULL) AS descending, bool_and(because <@ ARRAY['i01', 'i03', 'i05'] AND cardinality(because) > 0) AS because
FROM model_of, LATERAL (SELECT *, lag(score) OVER (ORDER BY no) AS before FROM recommend(m, ARRAY['i01', 'i03', 'i05'], 4) WITH ORDINALITY AS r (item, score, because, no)) AS r
WHERE name <> 'popularity' GROUP BY name ORDER BY name;
SELECT item, score = (SELECT count(*) FROM has h WHERE h.item = r.item)::float8 / (SELECT count(DISTINCT customer) FROM has) AS share, because FROM model_of, recommend(m, '{}', 3) AS r WHERE name = 'popularity';

-- Scores by their definition, over all pairs.
CREATE TABLE pair AS
SELECT a.item AS a, b.item AS b, count(*)::float8 AS common, sum(a.weight * b.weight)::float8 AS product FROM has a JOIN has b USING (customer) WHERE a.item <> b.item GROUP BY 1, 2;
CREATE TABLE single AS SELECT item, count(*)::float8 AS customers, sqrt(sum(weight * weight)::float8) AS norm FROM has GROUP BY item;
SELECT name, count(*) AS items, bool_and(abs(r.score - expected) < 1e-12) AS as_defined
FROM model_of, recommend(m, ARRAY['i02', 'i07', 'i12'], 100) AS r,
	LATERAL (SELECT sum(CASE name WHEN 'default' THEN common / sqrt(x.customers * y.customers) * common / (common + 10) WHEN 'weighted' THEN product / (x.norm * y.norm) * common / (common + 10)
			WHEN 'jaccard' THEN common / (x.customers + y.customers - common) END) AS expected
		FROM pair JOIN single x ON x.item = a JOIN single y ON y.item = b WHERE a = ANY ('{i02,i07,i12}') AND b = r.item) AS e
WHERE name IN ('default', 'weighted', 'jaccard') GROUP BY name ORDER BY name;
-- the reasons are those of the greatest parts
SELECT bool_and(because = (SELECT array_agg(a ORDER BY common / (x.customers + y.customers - common) DESC, a) FROM pair JOIN single x ON x.item = a JOIN single y ON y.item = b
	WHERE a = ANY ('{i02,i07,i12}') AND b = r.item)) AS reasons FROM model_of, recommend(m, ARRAY['i02', 'i07', 'i12'], 100) AS r WHERE name = 'jaccard';

-- Never what is owned or suppressed; all others, once; what is unknown changes nothing.
SELECT name, bool_and(NOT has_owned AND NOT has_suppressed) AS only_new, min(n) AS least, max(n) AS most
FROM model_of, LATERAL (SELECT customer, array_agg(item) AS items FROM has GROUP BY customer) AS c,
	LATERAL (SELECT count(DISTINCT r.item) + cardinality(items) AS n, bool_or(r.item = ANY (items)) AS has_owned, bool_or(r.item = 'i16') AS has_suppressed
		FROM recommend(m, items, 100, ARRAY['i16', 'nothing', NULL]) AS r) AS l
WHERE NOT 'i16' = ANY (items) GROUP BY name ORDER BY name;
SELECT name, (SELECT array_agg(r::text) FROM recommend(m, ARRAY['i01', 'i03'], 5) AS r) = (SELECT array_agg(r::text) FROM recommend(m, ARRAY['i03', 'new', NULL, 'i01', 'i03'], 5) AS r) AS same
FROM model_of ORDER BY name;
SELECT name, string_agg(r.item, ' ' ORDER BY no) AS nothing_known, bool_and(because = '{}') AS no_reason FROM model_of, recommend(m, ARRAY['new'], 3) WITH ORDINALITY AS r (item, score, because, no)
GROUP BY name ORDER BY name;
SELECT count(*) FROM model_of, recommend(m, '{}', 0);
SELECT count(*) FROM model_of, recommend(m, NULL, 3);
SELECT count(*) FROM model_of, recommend(m, '{}', 3, NULL);

-- Order, repetition, parts, workers, text.
CREATE TABLE again AS
SELECT 'default' AS name, recommend_fit(customer, item ORDER BY hashint4(customer * 17), item) AS m FROM (SELECT * FROM has UNION ALL SELECT * FROM has) AS twice UNION ALL
SELECT 'weighted', recommend_fit(customer, item, weight / 2.0 ORDER BY hashint4(customer * 17), item) FROM (SELECT * FROM has UNION ALL SELECT * FROM has) AS twice UNION ALL
SELECT 'als', recommend_fit('c' || lpad(customer::text, 3, '0'), item, 1, '{"method": "als", "factors": 4, "regularization": 0.1, "alpha": 10, "iterations": 12, "seed": 3}' ORDER BY hashint4(customer)) FROM has;
SELECT name, a.m::text = b.m::text AS same FROM model_of a JOIN again b USING (name) ORDER BY name;
ALTER TABLE has SET (parallel_workers = 2);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT recommend_fit(customer, item) FROM has;
SELECT (SELECT recommend_fit(customer, item) FROM has)::text = m::text AS parallel FROM model_of WHERE name = 'default';
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
CREATE AGGREGATE pg_temp.state(bigint, text) (SFUNC = recommend_fit_transfn, STYPE = agg_state, COMBINEFUNC = recommend_fit_combinefn);
CREATE AGGREGATE pg_temp.merge(agg_state) (SFUNC = recommend_fit_combinefn, STYPE = agg_state, FINALFUNC = recommend_fit_finalfn);
SELECT (SELECT pg_temp.merge(state::text::agg_state) FROM (SELECT pg_temp.state(customer, item) AS state FROM has GROUP BY item UNION ALL SELECT NULL) AS s)::text = m::text AS merged
FROM model_of WHERE name = 'default';
SELECT name, m::text::model::text = m::text AS text_form, pg_column_size(m) > 0 AS stored FROM model_of ORDER BY name;
SELECT name, (SELECT array_agg(r::text) FROM recommend(m, ARRAY['i04'], 5) AS r) = (SELECT array_agg(r::text) FROM recommend(m::text::model, ARRAY['i04'], 5) AS r) AS through_text FROM model_of ORDER BY name;
-- other customers' seeds: another model, the same quality
SELECT recommend_fit(customer, item, 1, '{"method": "als", "factors": 4, "seed": 4}')::text <> recommend_fit(customer, item, 1, '{"method": "als", "factors": 4, "seed": 5}')::text AS seeds_differ FROM has;
-- more iterations, less loss
SELECT bool_and(loss <= before) AS falls FROM (SELECT loss, lag(loss) OVER (ORDER BY n) AS before FROM (VALUES (1), (2), (5), (20)) AS v (n),
	LATERAL (SELECT (model_params(recommend_fit(customer, item, 1, jsonb_build_object('method', 'als', 'factors', 3, 'iterations', n))) ->> 'loss')::float8 AS loss FROM has) AS l) AS s WHERE before IS NOT NULL;

-- How good they are: what is hidden from the model is found again, more often than by popularity.
CREATE TABLE held AS SELECT DISTINCT ON (customer) customer, item FROM has ORDER BY customer, hashtext(item || customer);
CREATE TABLE kept AS SELECT h.* FROM has h LEFT JOIN held USING (customer, item) WHERE held.item IS NULL;
CREATE FUNCTION pg_temp.quality(options jsonb) RETURNS recommendation_quality LANGUAGE sql AS $$
	SELECT recommendation_quality_agg(3, list, ARRAY[held.item])
	FROM (SELECT recommend_fit(customer, item, 1, options) AS m FROM kept) AS f, held LEFT JOIN (SELECT customer, array_agg(item) AS items FROM kept GROUP BY customer) AS k USING (customer),
		LATERAL (SELECT array_agg(r.item ORDER BY no) AS list FROM recommend(m, coalesce(items, '{}'), 3) WITH ORDINALITY AS r (item, score, because, no)) AS l $$;
SELECT i.customers, i.hit_rate > p.hit_rate AND a.hit_rate > p.hit_rate AS hits, i.ndcg > p.ndcg AND a.ndcg > p.ndcg AS ndcg, i.mrr > p.mrr AND a.mrr > p.mrr AS mrr, i.hit_rate = i.recall AS one_each
FROM pg_temp.quality('{}') AS i, pg_temp.quality('{"method": "als", "factors": 4, "regularization": 0.1, "alpha": 10}') AS a, pg_temp.quality('{"method": "popularity"}') AS p;
SELECT customers, items, hit_rate, abs(recall - 2.5 / 6) < 1e-15 AS recall, abs(ndcg - (1 / log(2, 3) + 1 / log(2, 4) / (1 + 1 / log(2, 3)) + 1) / 6) < 1e-15 AS ndcg, abs(mrr - (1 / 2.0 + 1 / 3.0 + 1) / 6) < 1e-15 AS mrr, abs("precision" - 3 / 18.0) < 1e-15 AS "precision"
FROM (SELECT (recommendation_quality_agg(3, list, taken)).* FROM (VALUES ('{a,b,c,d}'::text[], '{b}'::text[]), ('{a,b,c}', '{c,x}'), ('{a,a,b}', '{a}'), ('{q}', '{z}'), (NULL, '{a}'), ('{a}', NULL), ('{a}', '{}'), ('{d,e,f,a}', '{a,a}')) AS v (list, taken)) AS s;
SELECT recommendation_quality_agg(3, '{a}', '{a}') FROM has WHERE false;
SELECT recommendation_quality_agg(3, '{a}', NULL) FROM has;
CREATE AGGREGATE pg_temp.quality_state(int, text[], text[]) (SFUNC = recommendation_quality_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.quality_merge(agg_state) (SFUNC = recommendation_quality_combinefn, STYPE = agg_state, FINALFUNC = recommendation_quality_finalfn);
SELECT (SELECT pg_temp.quality_merge(state::text::agg_state) FROM (SELECT pg_temp.quality_state(5, ARRAY[item, 'i01', 'i02'], ARRAY['i02', 'i03']) AS state FROM has GROUP BY customer % 7 UNION ALL SELECT NULL) AS s)
	= (SELECT recommendation_quality_agg(5, ARRAY[item, 'i01', 'i02'], ARRAY['i02', 'i03']) FROM has) AS merged;

-- Nothing.
SELECT recommend_fit(customer, item) FROM has WHERE false;
SELECT recommend_fit(NULL::bigint, item), recommend_fit(customer, NULL), recommend_fit(customer, item, NULL), recommend_fit(customer, item, 0) FROM has;
SELECT model_params(recommend_fit(1, 'a')), model_params(recommend_fit(1, 'a', 1, '{"method": "als"}')) - ARRAY['loss', 'penalty'];
SELECT r.* FROM (SELECT recommend_fit(1, 'a') AS m) AS f, recommend(m, '{a}', 5) AS r;
SELECT r.* FROM (SELECT recommend_fit(1, '商品', 1, '{"method": "als"}') AS m) AS f, recommend(m, '{}', 5) AS r;

-- Refusals.
SELECT recommend_fit(customer, item, -1) FROM has;
SELECT recommend_fit(customer, item, 'NaN') FROM has;
SELECT recommend_fit(1, 'a', 1e308) FROM generate_series(1, 3);
SELECT recommend_fit(customer, item, 1, '{"method": "magic"}') FROM has;
SELECT recommend_fit(customer, item, 1, '{"method": "als", "shrinkage": 3}') FROM has;
SELECT recommend_fit(customer, item, 1, '{"factors": 3}') FROM has;
SELECT recommend_fit(customer, item, 1, '{"neighbors": 3}') FROM has;
SELECT recommend_fit(customer, item, 1, '{"method": "als", "regularization": 0}') FROM has;
SELECT recommend_fit(customer, item, 1, CASE WHEN customer > 3 THEN '{"method": "als"}' ELSE '{}' END::jsonb) FROM has;
SELECT recommend(m, '{}', -1) FROM model_of;
SELECT recommend(m, '{{a,b},{c,d}}', 1) FROM model_of;
SELECT predict(m, '{}') FROM model_of WHERE name = 'als';
SELECT recommend(linear_fit(1, ARRAY[1]), '{}', 1);
SELECT recommendation_quality_agg(0, '{a}', '{a}');
SELECT recommendation_quality_agg(NULL, '{a}', '{a}');
SELECT recommendation_quality_agg(i, '{a}', '{a}') FROM generate_series(1, 2) AS i;
SET crm_analytics.training_memory = '1MB';
SELECT recommend_fit(i, 'i' || i, 1, '{"method": "als", "factors": 200}') FROM generate_series(1, 500) AS i;
RESET crm_analytics.training_memory;
SELECT '{"kind": "popularity", "features": 0, "items": ["b", "a"], "item_customers": [1, 1], "customers": 1, "rows": 2}'::model;
SELECT '{"kind": "popularity", "features": 0, "items": ["a", "b"], "item_customers": [1, 2], "customers": 1, "rows": 2}'::model;
SELECT '{"kind": "als", "features": 0, "items": ["a"], "item_customers": [1], "customers": 1, "rows": 1, "factors": 2, "regularization": 1, "penalty": 1, "alpha": 1, "iterations": 1, "seed": 1, "loss": 1, "vectors": [1]}'::model;
-- vectors too large to be worked with
SELECT recommend('{"kind": "als", "features": 0, "items": ["a", "b"], "item_customers": [1, 1], "customers": 1, "rows": 1, "factors": 1, "regularization": 1, "penalty": 1, "alpha": 1, "iterations": 1, "seed": 1, "loss": 1, "vectors": [1e300, 1e300]}', '{a}', 1);
DROP TABLE has, model_of, pair, single, again, held, kept;
