-- k-means and k-prototypes as aggregates: checked against their definition in plain SQL, in any order, in parallel, in parts.
SET search_path = crm, public;
SET TimeZone = 'UTC';

-- three blobs, of whole numbers, no two rows alike in distance
CREATE TABLE points AS
SELECT i AS id, (i % 3) * 40 + i * 37 % 19 AS x, (i % 3 = 1)::int * 50 + i * 53 % 23 AS y, 1 + i % 4 AS w FROM generate_series(1, 300) AS i;

SELECT c.cluster, c.size, round(c.share::numeric, 3) AS share, c.center[1]::numeric(8, 3) AS x, c.center[2]::numeric(8, 3) AS y
FROM (SELECT kmeans_fit(3, ARRAY[x, y]) AS m FROM points) AS s, clusters(m) AS c;
SELECT key, value FROM (SELECT model_params(kmeans_fit(3, ARRAY[x, y])) AS p FROM points) s, jsonb_each(p)
WHERE key IN ('kind', 'features', 'k', 'rows', 'sizes', 'converged', 'starts', 'seed', 'standardized', 'scales', 'weights', 'takes_missing', 'sampled') ORDER BY key;

-- sizes, sums of squares and centers are what plain SQL says they are
CREATE TABLE fitted AS
SELECT 'plain' AS how, kmeans_fit(4, ARRAY[x, y]) AS m FROM points
UNION ALL SELECT 'standardized', kmeans_fit(4, ARRAY[x, y], '{"standardize": true}') FROM points
UNION ALL SELECT 'weighted', kmeans_fit(4, ARRAY[x, y], w, '{}') FROM points;
WITH grouped AS (
	SELECT how, id, x, y, CASE how WHEN 'weighted' THEN w ELSE 1 END AS w, cluster(m, ARRAY[x, y]) AS c FROM fitted, points),
centers AS (
	SELECT how, c, count(*) AS size, sum(x * w) / sum(w)::float8 AS x, sum(y * w) / sum(w)::float8 AS y FROM grouped GROUP BY how, c),
deviations AS (SELECT stddev_pop(x) AS sx, stddev_pop(y) AS sy FROM points),
squares AS (
	SELECT g.how, g.c, sum(g.w * CASE g.how WHEN 'standardized' THEN ((g.x - n.x) / sx) ^ 2 + ((g.y - n.y) / sy) ^ 2 ELSE (g.x - n.x) ^ 2 + (g.y - n.y) ^ 2 END) AS within
	FROM grouped g JOIN centers n USING (how, c), deviations GROUP BY g.how, g.c)
SELECT n.how, bool_and(n.size = k.size) AS sizes, bool_and(abs(n.x - k.center[1]) + abs(n.y - k.center[2]) < 1e-9) AS centers,
	bool_and(abs(q.within - k.within) < 1e-6) AS within, bool_and(abs((model_params(m) ->> 'inertia')::float8 - total) < 1e-6) AS inertia
FROM centers n JOIN squares q USING (how, c) JOIN fitted f USING (how), LATERAL (SELECT * FROM clusters(m) WHERE cluster = n.c) k,
	LATERAL (SELECT sum(within) AS total FROM squares WHERE how = n.how) t
GROUP BY n.how ORDER BY n.how;
-- the nearest center, by hand; distances are in the order of groups
SELECT count(*) AS rows, bool_and(cluster(m, ARRAY[x, y]) = nearest) AS nearest, bool_and(abs(cluster_distance(m, ARRAY[x, y]) - least) < 1e-9) AS distance,
	bool_and((cluster_distances(m, ARRAY[x, y]))[nearest] = cluster_distance(m, ARRAY[x, y])) AS distances, bool_and(predict(m, ARRAY[x, y]) = nearest) AS predict
FROM fitted, points, LATERAL (SELECT cluster AS nearest, sqrt((x - center[1]) ^ 2 + (y - center[2]) ^ 2) AS least FROM clusters(m) ORDER BY 2 LIMIT 1) AS c
WHERE how = 'plain';
-- the parts of a score add up to the lead over the next group, squared
SELECT bool_and(abs(parts - (d[2] ^ 2 - d[1] ^ 2)) < 1e-6) AS lead, bool_and(base = 0) AS base
FROM fitted, points, LATERAL (SELECT array_agg(v ORDER BY v) AS d FROM unnest(cluster_distances(m, ARRAY[x, y])) AS v) AS s,
	LATERAL (SELECT sum(contribution) AS parts, sum(contribution) FILTER (WHERE feature = 0) AS base FROM explain(m, ARRAY[x, y])) AS e;

-- the order of rows and copies of them change nothing, to the last bit
SELECT count(DISTINCT m::text) AS one
FROM (SELECT kmeans_fit(5, ARRAY[x, y, z] ORDER BY id) FROM (SELECT *, ln(id) AS z FROM points) p UNION ALL
	SELECT kmeans_fit(5, ARRAY[x, y, z] ORDER BY z DESC) FROM (SELECT *, ln(id) AS z FROM points) p UNION ALL
	SELECT kmeans_fit(5, ARRAY[x, y, z] ORDER BY id * 7919 % 1009) FROM (SELECT *, ln(id) AS z FROM points) p) AS s (m);
SELECT model_params(a.m) ->> 'centers' = model_params(b.m) ->> 'centers' AS centers, model_params(b.m) -> 'sizes' AS sizes
FROM (SELECT kmeans_fit(3, ARRAY[x, y]) FROM points) AS a (m), (SELECT kmeans_fit(3, ARRAY[x, y]) FROM points, generate_series(1, 4)) AS b (m);
-- another seed may find another valley, the same one the same
SELECT kmeans_fit(7, ARRAY[x, y], '{"n_init": 1, "seed": 3}')::text = kmeans_fit(7, ARRAY[x, y], '{"n_init": 1, "seed": 3}' ORDER BY id DESC)::text AS same FROM points;

-- parallel: workers, and one of them without rows
CREATE TABLE many AS SELECT i AS id, ARRAY[sin(i) * 10 + i % 7, cos(i) * 5 + i % 3, i % 11] AS f, 1 + i % 3 AS w FROM generate_series(1, 30000) AS i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
CREATE TABLE serial AS SELECT kmeans_fit(6, f) AS a, kmeans_fit(6, f, w, '{"mini_batch": 2000}') AS b, kprototypes_fit(6, f, '{"categorical": [3]}') AS c FROM many;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT kmeans_fit(6, f) FROM many;
SELECT s.a::text = p.a::text AS all_rows, s.b::text = p.b::text AS sample, s.c::text = p.c::text AS categories
FROM serial s, (SELECT kmeans_fit(6, f) AS a, kmeans_fit(6, f, w, '{"mini_batch": 2000}') AS b, kprototypes_fit(6, f, '{"categorical": [3]}') AS c FROM many) AS p;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
-- partition by partition
CREATE TABLE parts (id int, f float8[]) PARTITION BY RANGE (id);
CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM (100) TO (20000);
CREATE TABLE parts_c PARTITION OF parts FOR VALUES FROM (20000) TO (100000);
INSERT INTO parts SELECT id, f FROM many WHERE id < 20000;
SET enable_partitionwise_aggregate = on;
SELECT kmeans_fit(3, f)::text = (SELECT kmeans_fit(3, f)::text FROM many WHERE id < 20000) AS same FROM parts;
RESET enable_partitionwise_aggregate;

-- a sample by hash: about the groups of all rows, in any order the same
SELECT abs((model_params(a) ->> 'explained')::float8 - (model_params(b) ->> 'explained')::float8) < 0.02 AS close,
	model_params(b) -> 'sampled' AS sampled, (model_params(b) ->> 'rows')::int BETWEEN 1000 AND 2000 AS kept FROM serial;
SELECT kmeans_fit(6, f, w, '{"mini_batch": 2000}' ORDER BY id * 7919 % 30011)::text = (SELECT b::text FROM serial) AS same FROM many;
-- rows that repeat are one with a count: the sample has them all
SELECT model_params(kmeans_fit(3, ARRAY[i % 10, i % 7], '{"mini_batch": 100}')) -> 'rows' AS rows FROM generate_series(1, 5000) AS i;

-- categories and gaps
CREATE TABLE mixed AS
SELECT i AS id, CASE WHEN i % 6 <> 0 THEN i % 2 * 10 + i * 7 % 5 END AS x, CASE WHEN i % 10 < 8 THEN i % 2 ELSE i % 3 END AS kind FROM generate_series(1, 200) AS i;
SELECT c.cluster, c.size, c.center[1]::numeric(8, 3) AS x, c.center[2] AS kind
FROM (SELECT kprototypes_fit(2, ARRAY[x, kind], '{"categorical": [2], "missing": "ignore", "standardize": true}') AS m FROM mixed) s, clusters(m) c;
SELECT cluster(m, ARRAY[NULL, 0]) AS by_kind, cluster(m, ARRAY[12, NULL]) AS by_x, cluster(m, ARRAY[2, 99]) AS kind_unseen, cluster_distance(m, '{NULL,NULL}') AS nothing
FROM (SELECT kprototypes_fit(2, ARRAY[x, kind], '{"categorical": [2], "missing": "ignore", "gamma": 3}') AS m FROM mixed) s;
SELECT p -> 'kind' AS kind, p -> 'categorical' AS categorical, p -> 'gamma' AS gamma, p -> 'takes_missing' AS takes_missing
FROM (SELECT model_params(kprototypes_fit(2, ARRAY[x, kind], '{"categorical": [2], "missing": "ignore", "gamma": 3}')) AS p FROM mixed) s;
SELECT model_params(kmeans_fit(2, ARRAY[x, kind], '{"missing": "skip"}')) -> 'rows_skipped' AS skipped FROM mixed;

-- how many groups: inertia is that of the fit, the silhouette that of its definition
CREATE TABLE few AS SELECT id, x::float8, y::float8 FROM points WHERE id <= 90;
CREATE TABLE choices AS SELECT c.* FROM (SELECT kmeans_choice(6, ARRAY[x, y], '{"references": 5}') AS a FROM few) AS s, unnest(a) AS c;
SELECT k, explained::numeric(6, 4) AS explained, silhouette::numeric(6, 4) AS silhouette, gap IS NOT NULL AS gap, gap_error > 0 AS error, elbow, best_silhouette, gap_choice
FROM choices ORDER BY k;
WITH fits AS (SELECT k, (SELECT kmeans_fit(k, ARRAY[x, y]) FROM few) AS m FROM generate_series(2, 6) AS k),
grouped AS (SELECT k, id, x, y, cluster(m, ARRAY[x, y]) AS c FROM fits, few),
means AS (
	SELECT a.k, a.id, a.c, b.c AS other, sum(sqrt((a.x - b.x) ^ 2 + (a.y - b.y) ^ 2)) / nullif(count(*) - (a.c = b.c)::int, 0) AS mean
	FROM grouped a JOIN grouped b USING (k) GROUP BY a.k, a.id, a.c, b.c),
rows AS (SELECT k, id, max(mean) FILTER (WHERE c = other) AS a, min(mean) FILTER (WHERE c <> other) AS b FROM means GROUP BY k, id)
SELECT count(*) AS numbers, bool_and(abs(c.silhouette - s.silhouette) < 1e-9) AS silhouettes, bool_and(abs(c.inertia - (model_params(m) ->> 'inertia')::float8) < 1e-6) AS inertias
FROM choices c JOIN (SELECT k, avg(coalesce((b - a) / greatest(a, b), 0)) AS silhouette FROM rows GROUP BY k) s USING (k) JOIN fits USING (k);
SELECT kmeans_choice(4, ARRAY[x, y]) = kmeans_choice(4, ARRAY[x, y] ORDER BY id DESC) AS same, cardinality(kmeans_choice(4, ARRAY[x], '{"references": 0}')) AS numbers,
	cardinality(kmeans_choice(5, ARRAY[1])) AS one_row FROM few;
SELECT kmeans_choice(3, ARRAY[x, y]) IS NULL AS nothing FROM few WHERE false;
SELECT kmeans_choice(3, ARRAY[x, y], '{"sample": 5}') FROM few;

-- a step over all rows: of a model at rest it changes nothing; from a sample it goes where plain SQL says, and downhill
SELECT max(abs(a.center[1] - b.center[1]) + abs(a.center[2] - b.center[2])) < 1e-9 AS centers, bool_and(a.size = b.size) AS sizes, max(abs(a.within - b.within)) < 1e-6 AS within,
	bool_and((model_params(r.m) ->> 'converged')::boolean) AS at_rest, max(abs((model_params(r.m) ->> 'total')::float8 / (model_params(f.m) ->> 'total')::float8 - 1)) < 1e-12 AS total
FROM fitted f, LATERAL (SELECT CASE f.how WHEN 'weighted' THEN kmeans_refine(f.m, ARRAY[x, y], w) ELSE kmeans_refine(f.m, ARRAY[x, y]) END AS m FROM points) AS r,
	LATERAL clusters(f.m) a JOIN LATERAL clusters(r.m) b USING (cluster);
CREATE TABLE steps AS
WITH RECURSIVE s AS (
	SELECT 0 AS step, kmeans_fit(6, f, '{"mini_batch": 300, "n_init": 1, "max_iter": 1}') AS m FROM many
	UNION ALL SELECT step + 1, (SELECT kmeans_refine(s.m, f) FROM many) FROM s WHERE step < 8)
SELECT * FROM s;
SELECT step, (model_params(m) ->> 'rows')::int AS rows, model_params(m) ? 'sampled' AS sampled, (model_params(m) ->> 'inertia')::float8 < lag((model_params(m) ->> 'inertia')::float8) OVER (ORDER BY step) AS less
FROM steps ORDER BY step LIMIT 4;
SELECT max(abs(c.center[1] - n.a) + abs(c.center[2] - n.b) + abs(c.center[3] - n.c)) < 1e-9 AS centers, bool_and(c.size = n.size) AS sizes
FROM steps s JOIN steps t ON t.step = s.step + 1, LATERAL clusters(t.m) c,
	LATERAL (SELECT count(*) AS size, avg(f[1]) AS a, avg(f[2]) AS b, avg(f[3]) AS c FROM many WHERE cluster(s.m, f) = c.cluster) AS n WHERE s.step IN (0, 3);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT bool_and(abs((a ->> 'inertia')::float8 - (b ->> 'inertia')::float8) < 1e-6) AS inertia, bool_and(a -> 'sizes' = b -> 'sizes') AS sizes
FROM (SELECT model_params(kmeans_refine((SELECT m FROM steps WHERE step = 2), f)) AS a FROM many) AS s, (SELECT model_params(m) AS b FROM steps WHERE step = 3) AS t;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
SELECT kmeans_refine(m, f) IS NULL AS nothing FROM many, steps WHERE step = 0 AND id < 0;
SELECT kmeans_refine(m, NULL) IS NULL AS no_features FROM steps WHERE step = 0;
SELECT kmeans_refine(NULL, f) FROM many;
SELECT kmeans_refine(m, ARRAY[1]) FROM steps WHERE step = 0;
SELECT kmeans_refine(m, '{1,2,3}') FROM steps;
SELECT kmeans_refine(kprototypes, f) FROM many, (SELECT kprototypes_fit(2, f, '{}') AS kprototypes FROM many) AS k;
-- a state may come from anywhere: an aggregate of anybody's may begin with one, and its parts must lie within it
CREATE AGGREGATE pg_temp.refine_state(model, float8[]) (SFUNC = kmeans_refine_transfn, STYPE = agg_state);
CREATE FUNCTION pg_temp.begin_with(changed int[][]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state bytea := decode((SELECT pg_temp.refine_state(m, f)::text FROM many, steps WHERE step = 0 AND id < 9), 'base64');
	change int[];
	made model;
	detail text;
BEGIN
	FOREACH change SLICE 1 IN ARRAY changed LOOP
		state := set_byte(state, change[1], change[2]);
	END LOOP;
	EXECUTE format('CREATE AGGREGATE pg_temp.forged(model, float8[]) (SFUNC = kmeans_refine_transfn, STYPE = agg_state, FINALFUNC = kmeans_refine_finalfn, INITCOND = %L)',
		translate(encode(state, 'base64'), E'\n', ''));
	EXECUTE 'SELECT pg_temp.forged(m, f) FROM many, steps WHERE step = 0' INTO made;
	DROP AGGREGATE pg_temp.forged(model, float8[]);
	RETURN 'goes on';
EXCEPTION WHEN data_corrupted THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN detail;
END
$$;
-- as it is; sizes of the model, numbers of groups and of features, the aggregate
SELECT n, pg_temp.begin_with(changed) FROM (VALUES (1, '{{3,1}}'::int[]), (2, '{{12,240},{13,255},{14,255},{15,63}}'), (3, '{{12,0},{13,0}}'), (4, '{{15,255}}'), (5, '{{4,200}}'), (6, '{{4,0}}'), (7, '{{8,77}}'),
	(8, '{{6,127},{10,127}}'), (9, '{{2,50}}')) AS v (n, changed) ORDER BY n;

-- nothing, NULLs, one row, too few different ones, groups of groups
SELECT kmeans_fit(3, ARRAY[x, y]) FROM points WHERE false;
SELECT kmeans_fit(3, NULL::float8[]) FROM points;
SELECT kmeans_fit(3, ARRAY[x, y], NULL::float8, '{}') FROM points;
SELECT kmeans_fit(3, ARRAY[x, y], 0, '{}') FROM points;
SELECT model_params(kmeans_fit(1, ARRAY[x, y])) -> 'centers' AS centers FROM points WHERE id = 1;
SELECT model_params(kmeans_fit(3, ARRAY[1.5])) -> 'sizes' AS sizes FROM points;
SELECT kmeans_fit(2, ARRAY[x], NULL::jsonb) IS NOT NULL AS no_options FROM points;
SELECT count(*), count(DISTINCT m::text) FROM (SELECT kmeans_fit(2, ARRAY[x]) OVER (ORDER BY id) AS m FROM points WHERE id <= 12) s;
SELECT id % 2 AS half, model_params(kmeans_fit(2, ARRAY[x, y])) -> 'rows' AS rows FROM points GROUP BY 1 ORDER BY 1;

-- values: text, bytes, hostile ones
SELECT bool_and(m::text::model::text = m::text) AS text, bool_and(predict(m::text::model, ARRAY[1, 2]) = predict(m, ARRAY[1, 2])) AS predicts FROM fitted;
SELECT '{"kind": "k_means", "features": 1, "centers": [1, 5], "sizes": [2, 3], "within": [0, 0], "scales": [1], "means": [2], "inertia": 0, "total": 3, "rows": 5, "numbers": [2, 7]}'::model AS m \gset
SELECT cluster(:'m'::model, ARRAY[4.0]) AS named, predict(:'m'::model, ARRAY[-1]) AS predicted, model_kind(:'m'::model) AS kind;
SELECT '{"kind": "k_means", "features": 1, "centers": [1, 5, 6], "sizes": [2, 3], "within": [0, 0], "scales": [1], "means": [2], "inertia": 0, "total": 3, "rows": 5}'::model;
SELECT '{"kind": "k_means", "features": 1, "centers": [1, 5], "sizes": [2, 3], "within": [0, 0], "scales": [0], "means": [2], "inertia": 0, "total": 3, "rows": 5}'::model;
SELECT '{"kind": "k_means", "features": 1, "centers": [1, 5], "sizes": [2, -3], "within": [0, 0], "scales": [1], "means": [2], "inertia": 0, "total": 3, "rows": 5}'::model;
SELECT '{"kind": "k_means", "features": 1, "centers": [1, 5], "sizes": [2, 3], "within": [0, 0], "scales": [1], "means": [2], "inertia": 0, "total": 3, "rows": 5, "numbers": [7, 2]}'::model;
SELECT '{"kind": "k_means", "features": 1, "centers": [], "sizes": [], "within": [], "scales": [1], "means": [2], "inertia": 0, "total": 3, "rows": 5}'::model;

-- errors
SELECT kmeans_fit(0, ARRAY[x]) FROM points;
SELECT kmeans_fit(10001, ARRAY[x]) FROM points;
SELECT kmeans_fit(NULL, ARRAY[x]) FROM points;
SELECT kmeans_fit(2, '{}'::float8[]) FROM points;
SELECT kmeans_fit(2, CASE WHEN id < 5 THEN ARRAY[x] ELSE ARRAY[x, y] END ORDER BY id) FROM points;
SELECT kmeans_fit(1 + id % 2, ARRAY[x]) FROM points;
SELECT kmeans_fit(2, ARRAY[x, NULL]) FROM points;
SELECT kmeans_fit(2, ARRAY['NaN'::float8]) FROM points;
SELECT kmeans_fit(2, ARRAY[x * 1e300]) FROM points;
SELECT kmeans_fit(2, ARRAY[x], -1, '{}') FROM points;
SELECT kmeans_fit(2, ARRAY[x], '{"iterations": 5}') FROM points;
SELECT kmeans_fit(2, ARRAY[x], '{"max_iter": 0}') FROM points;
SELECT kprototypes_fit(2, ARRAY[x], '{"categorical": [2]}') FROM points;
SELECT kprototypes_fit(2, array_fill(id, ARRAY[1025]), '{}') FROM points WHERE id < 3;
SELECT cluster(m, ARRAY[1, 2, 3]) FROM fitted WHERE how = 'plain';
SELECT cluster(m, ARRAY[1, NULL]) FROM fitted WHERE how = 'plain';
SELECT cluster(linear_fit(y, ARRAY[x]), ARRAY[1]) FROM points;
SET crm_analytics.training_memory = '1MB';
SELECT kmeans_fit(2, f) FROM many;
SELECT model_params(kmeans_fit(2, f, '{"mini_batch": 1000}')) -> 'sampled' AS sampled FROM many;
RESET crm_analytics.training_memory;
DROP TABLE steps, choices, few, points, fitted, many, serial, parts, mixed;
