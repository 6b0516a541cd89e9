--@ job pair_counts: pairs of items in the same of a tenth of {customers} baskets, five rows each
--@ setup
DROP TABLE IF EXISTS bench_basket;
CREATE TABLE bench_basket AS
SELECT DISTINCT (i * 7919 % 1000003 % ({customers} / 10))::int AS basket, floor(1000 * power((i % 999983) * (i % 999983 + 17) % 999983 / 999983.0::float8, 2))::int AS item
FROM generate_series(1, {customers}::bigint / 2) AS i;
VACUUM ANALYZE bench_basket;
--@ ours
SELECT 'check: ' || cardinality(crm.frequent_itemsets(0, basket, item, (SELECT jsonb_build_object('min_baskets', greatest({customers} / 20000, 1), 'min_items', 2, 'max_items', 2)))) FROM bench_basket;
--@ peer self-join, target 0.1
SET work_mem = '1GB';
SET jit = off;
SELECT 'check: ' || count(*) FROM (SELECT FROM bench_basket a JOIN bench_basket b USING (basket) WHERE a.item < b.item GROUP BY a.item, b.item HAVING count(*) >= greatest({customers} / 20000, 1)) AS s;
--@ peer self-join, target 0.5, in duckdb
CREATE TABLE IF NOT EXISTS basket_{customers} AS
SELECT DISTINCT (i * 7919 % 1000003 % ({customers} // 10))::int AS basket, floor(1000 * power((i % 999983) * (i % 999983 + 17) % 999983 / 999983.0::double, 2))::int AS item
FROM range(1, {customers}::bigint // 2 + 1) AS r (i);
SELECT 'check: ' || count(*) FROM (SELECT a.item, b.item FROM basket_{customers} a JOIN basket_{customers} b ON a.basket = b.basket AND a.item < b.item GROUP BY ALL HAVING count(*) >= greatest({customers} // 20000, 1)) AS s;

--@ job pair_counts_workers: the same with two workers
--@ ours
SET max_parallel_workers_per_gather = 2;
SELECT cardinality(crm.frequent_itemsets(0, basket, item, (SELECT jsonb_build_object('min_baskets', greatest({customers} / 20000, 1), 'min_items', 2, 'max_items', 2)))) FROM bench_basket;
--@ peer one process, wall
SET max_parallel_workers_per_gather = 0;
SELECT cardinality(crm.frequent_itemsets(0, basket, item, (SELECT jsonb_build_object('min_baskets', greatest({customers} / 20000, 1), 'min_items', 2, 'max_items', 2)))) FROM bench_basket;

--@ job association_rules: rules of up to ten items, of a hundredth of a percent of these baskets and of 20 at least
--@ ours
SELECT cardinality(crm.association_rules(greatest(0.0001, 200.0::float8 / {customers}), 0.01, basket, item)) FROM bench_basket;
--@ peer the rows of each basket brought together
SET work_mem = '1GB';
SET jit = off;
SELECT count(*) FROM (SELECT array_agg(item) FROM bench_basket GROUP BY basket) AS s;

--@ job recommend_fit: likeness of items from these rows
--@ ours
SELECT crm.model_kind(crm.recommend_fit(basket, item::text, 1, '{"shrinkage": 0}')) FROM bench_basket;
--@ peer cosines by self-join
SET work_mem = '1GB';
SET jit = off;
SELECT count(*) FROM (SELECT p.a, p.b, common / sqrt(x.n * y.n) AS likeness FROM (SELECT a.item AS a, b.item AS b, count(*)::float8 AS common FROM bench_basket a JOIN bench_basket b USING (basket)
	WHERE a.item <> b.item GROUP BY 1, 2) AS p JOIN (SELECT item, count(*) AS n FROM bench_basket GROUP BY item) AS x ON x.item = p.a JOIN (SELECT item, count(*) AS n FROM bench_basket GROUP BY item) AS y ON y.item = p.b) AS s;

--@ job recommend: ten items for each of a thousandth of {customers} customers
--@ setup
DROP TABLE IF EXISTS bench_recommend, bench_has, bench_neighbour;
CREATE TABLE bench_recommend AS SELECT crm.recommend_fit(basket, item::text, 1, '{"shrinkage": 0}') AS m FROM bench_basket;
CREATE TABLE bench_has AS SELECT basket AS customer, array_agg(item::text) AS items FROM bench_basket WHERE basket < {customers} / 1000 GROUP BY basket;
CREATE TABLE bench_neighbour AS SELECT i.item, r.item AS other, r.score FROM (SELECT DISTINCT item::text AS item FROM bench_basket) AS i, bench_recommend, crm.recommend(m, ARRAY[i.item], 20) AS r WHERE r.score > 0;
CREATE INDEX ON bench_neighbour (item);
VACUUM ANALYZE bench_has;
VACUUM ANALYZE bench_neighbour;
--@ ours
SELECT count(*) FROM bench_has, crm.recommend((SELECT m FROM bench_recommend), items, 10);
--@ peer the same by a join with the neighbours
SET work_mem = '1GB';
SET jit = off;
SELECT count(*) FROM (SELECT customer, other, row_number() OVER (PARTITION BY customer ORDER BY score DESC) AS place
	FROM (SELECT customer, other, sum(score) AS score FROM bench_has, unnest(items) AS has (item) JOIN bench_neighbour USING (item) WHERE other <> ALL (items) GROUP BY 1, 2) AS s) AS r WHERE place <= 10;
