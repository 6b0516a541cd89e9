-- percentile_agg, percentile_at, band.
SET extra_float_digits = 0;
SELECT crm.percentile_agg(v) FROM (VALUES (3::float8), (1), (2), (2), (NULL)) AS t (v);
SELECT crm.percentile_agg(v) FROM (VALUES (3::float8)) AS t (v);
SELECT crm.percentile_agg(v) FROM (VALUES (NULL::float8)) AS t (v);
SELECT crm.percentile_agg(v) FROM (VALUES (1e300::float8), (-1e300), ('-0'), (0), (5e-324)) AS t (v);
SELECT v, crm.percentile_at(v, '{4,1,1,0,2,0.3333333333333333,3,1}') FROM (VALUES (0::float8), (1), (1.5), (2), (2.5), (3), (4), ('Infinity'), ('-Infinity'), (NULL)) AS t (v);
SELECT crm.percentile_at(1, NULL);
-- the window function says the same: few values, many, ties, one
CREATE TEMP TABLE sample AS
SELECT i AS id, i % 17 / 4.0::float8 AS few, (i::bigint * 7919 * 104729 % 1000003) / 97.0::float8 AS many,
	CASE WHEN i % 3 = 0 THEN 0 ELSE (i::bigint * 7919 % 100003) END::float8 AS tied, CASE WHEN i % 5 > 0 THEN exp(i % 1000 / 100.0) END::float8 AS gaps
FROM generate_series(1, 50000) i;
ANALYZE sample;
CREATE FUNCTION pg_temp.against_window(c text, OUT different bigint, OUT positions_off bigint, OUT steps_off bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('WITH b AS (SELECT crm.percentile_agg(%1$I) AS b FROM pg_temp.sample),
		p AS (SELECT id, %1$I, percent_rank() OVER (ORDER BY %1$I) AS expected, crm.percentile_at(%1$I, (SELECT b FROM b)) AS found, (SELECT b[2] FROM b) AS exact FROM pg_temp.sample WHERE %1$I IS NOT NULL)
		SELECT count(DISTINCT %1$I), count(*) FILTER (WHERE CASE WHEN exact = 1 THEN found <> expected ELSE found > expected OR found <= expected - 0.0001 END),
			count(*) FILTER (WHERE id %% 20 = 0 AND EXISTS (SELECT FROM generate_series(0, 100) k WHERE (found >= k / 100.0::float8) <> (expected >= k / 100.0::float8))) FROM p', c)
		INTO different, positions_off, steps_off;
END $$;
SELECT 'few' AS of, * FROM pg_temp.against_window('few') UNION ALL SELECT 'many', * FROM pg_temp.against_window('many')
UNION ALL SELECT 'tied', * FROM pg_temp.against_window('tied') UNION ALL SELECT 'gaps', * FROM pg_temp.against_window('gaps');
-- in parallel, in any order, by parts
CREATE TABLE percentile_test AS SELECT * FROM sample;
ANALYZE percentile_test;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT crm.percentile_agg(many) FROM percentile_test;
SELECT (SELECT crm.percentile_agg(many) FROM percentile_test) = (SELECT crm.percentile_agg(many ORDER BY many DESC) FROM sample) AS same,
	(SELECT crm.percentile_agg(gaps) FROM percentile_test) = (SELECT crm.percentile_agg(gaps ORDER BY id DESC) FROM sample) AS same_gaps;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
DROP TABLE percentile_test;
-- of groups, with FILTER, in a window
SELECT few, crm.percentile_agg(tied) FILTER (WHERE id < 60) FROM sample WHERE id < 90 AND few < 1 GROUP BY few ORDER BY few;
SELECT id, crm.percentile_agg(few) OVER (ORDER BY id ROWS 2 PRECEDING) FROM sample WHERE id < 5;
-- refused
SELECT crm.percentile_agg('Infinity'::float8);
SELECT crm.percentile_agg('NaN'::float8);
SELECT crm.percentile_at('NaN', '{4,1,1,0}');
SELECT crm.percentile_at(1, '{}');
SELECT crm.percentile_at(1, '{1,2,3}');
SELECT crm.percentile_at(1, '{1,2,NULL,3}');
SELECT crm.percentile_at(1, '{{1,2},{3,4}}');

-- bands: a border belongs to the band above
SELECT v, crm.band(v, '{18,65}', '{minor,adult,senior}'), crm.band(v, '{18,65}') AS number, crm.band(v, '{}', '{all}') AS one, crm.band(v, '{0,0.5}', ARRAY['low', NULL, 'high']) AS gap
FROM (VALUES (-1::float8), (0), (17.999), (18), (64), (65), ('Infinity'), ('-Infinity'), ('NaN'), (NULL)) AS t (v);
SELECT crm.band(5, NULL), crm.band(5, '{1}', NULL), crm.band(5.5::numeric, '[0:1]={1,2}', '[3:5]={a,b,c}');
SELECT crm.band(5, '{2,1}');
SELECT crm.band(5, '{1,1}');
SELECT crm.band(5, '{1,NaN}');
SELECT crm.band(5, '{1,NULL}');
SELECT crm.band(5, '{1,2}', '{a,b}');
SELECT crm.band(5, '{1,2}', '{{a,b,c}}');
