-- Stored audiences: what ANALYZE notes of them, and what plans make of it.
SET search_path = crm, public;
SET max_parallel_workers_per_gather = 0;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
		line := regexp_replace(line, '''[0-9]+''::double precision', 'cost');
		-- 17 names the result of a sub-SELECT otherwise
		RETURN NEXT regexp_replace(regexp_replace(line, '\$0|\(InitPlan 1\)\.col1', 'its value'), 'InitPlan 1.*', 'InitPlan 1');
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.rows(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan -> 0 -> 'Plan' ->> 'Plan Rows';
END $$;
CREATE TABLE wide (id bigint PRIMARY KEY, pad text);
INSERT INTO wide SELECT i, repeat('x', 100) FROM generate_series(0, 49999) i;
VACUUM ANALYZE wide;
CREATE TABLE campaign (name text, target audience);
INSERT INTO campaign SELECT 'c' || k, (SELECT audience_agg((i * 7919 + k) % 50000) FROM generate_series(1, 20) i) FROM generate_series(1, 50) k;
INSERT INTO campaign VALUES ('none', NULL);

-- Before ANALYZE a tenth is assumed.
SELECT pg_temp.rows($$SELECT * FROM wide WHERE id <@ (SELECT target FROM campaign WHERE name = 'c7')$$);
ANALYZE campaign;
SELECT n.numbers AS mean_and_largest FROM pg_statistic s, LATERAL (VALUES (stakind1, stanumbers1), (stakind2, stanumbers2), (stakind3, stanumbers3), (stakind4, stanumbers4), (stakind5, stanumbers5)) n (kind, numbers)
WHERE starelid = 'campaign'::regclass AND staattnum = 2 AND n.kind = 21741;
SELECT null_frac > 0 AS nulls_counted, n_distinct FROM pg_stats WHERE tablename = 'campaign' AND attname = 'target';
SELECT pg_temp.rows($$SELECT * FROM wide WHERE id <@ (SELECT target FROM campaign WHERE name = 'c7')$$);
SELECT pg_temp.rows($$SELECT * FROM campaign JOIN wide ON id <@ target$$);

-- A sub-SELECT and a join look the members up.
SELECT pg_temp.plan($$SELECT pad FROM wide WHERE id <@ (SELECT target FROM campaign WHERE name = 'c7')$$);
SELECT pg_temp.plan($$SELECT name, pad FROM campaign JOIN wide ON target @> id$$);
SELECT array_agg(id ORDER BY id) = (SELECT array_agg(m ORDER BY m) FROM campaign, members(target) m WHERE name = 'c7') AS same FROM wide WHERE id <@ (SELECT target FROM campaign WHERE name = 'c7');
SELECT count(*), count(DISTINCT name), sum(id) = (SELECT sum(m) FROM campaign, members(target) m) AS same FROM campaign JOIN wide ON target @> id;
SELECT count(*) FROM wide WHERE id <@ (SELECT target FROM campaign WHERE name = 'none');
SELECT count(*) FROM wide WHERE id <@ (SELECT target FROM campaign WHERE name = 'nowhere');
SELECT count(*) FROM wide WHERE id <@ (SELECT union_agg(target) FROM campaign);

-- One large set among them: whichever it will be, the table is read.
INSERT INTO campaign SELECT 'large', audience_agg(i) FROM generate_series(1, 40000) i;
ANALYZE campaign;
SELECT pg_temp.plan($$SELECT pad FROM wide WHERE id <@ (SELECT target FROM campaign WHERE name = 'c7')$$);
SELECT count(*) FROM wide WHERE id <@ (SELECT target FROM campaign WHERE name = 'large');

-- Nothing to note: no rows, NULL only, statistics off.
CREATE TABLE nothing (a audience, b audience);
ANALYZE nothing;
INSERT INTO nothing SELECT NULL, '{1}' FROM generate_series(1, 10);
ALTER TABLE nothing ALTER b SET STATISTICS 0;
ANALYZE nothing;
SELECT pg_temp.rows('SELECT * FROM wide WHERE id <@ (SELECT a FROM nothing LIMIT 1)'), pg_temp.rows('SELECT * FROM wide WHERE id <@ (SELECT b FROM nothing LIMIT 1)');
DROP TABLE wide, campaign, nothing;
