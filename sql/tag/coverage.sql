-- How tags cover the customers: tag_counts, tag_coverage, segment_size, tag_catalog, against plain SQL.
SET client_min_messages = warning;
CREATE SCHEMA coverage_test;
SET search_path = coverage_test, crm, public;

-- 24 boolean tags that get rarer, a text tag with unequal values, one that nobody has a value of, and an empty one.
CREATE TABLE customers (id bigint PRIMARY KEY, n int, city text, nothing text);
INSERT INTO customers
SELECT i, (i * 7919 % 997)::int, CASE WHEN i % 10 < 6 THEN 'Berlin' WHEN i % 10 < 8 THEN 'Paris' WHEN i % 10 = 8 THEN '上海' END
FROM generate_series(1, 30000) i;
SELECT create_population('cover', 'customers', 'id');
SELECT count(create_tag('t' || k, format('n >= %s', k * 40))) FROM generate_series(1, 24) k;
SELECT create_tag('city', 'city');
SELECT create_tag('nothing', 'nothing');
SELECT create_tag('nobody', 'n < 0');

-- Nothing is stored yet.
SELECT count(*) FROM tag_counts('cover');
SELECT count(*) FROM tag_coverage WHERE population = 'cover';
SELECT count(*), count(members), bool_and(stale) FROM tag_catalog WHERE population = 'cover';
SELECT count(*) FROM refresh_tags('cover');

CREATE VIEW expected AS
SELECT least(n / 40, 24) + (city IS NOT NULL)::int AS tags FROM customers;
SELECT count(*) AS numbers, count(*) FILTER (WHERE c.customers IS DISTINCT FROM e.customers) AS wrong
FROM (SELECT tags::bigint, count(*) AS customers FROM expected GROUP BY tags) e FULL JOIN tag_counts('cover') c USING (tags);

SELECT bucket, customers, round(value::numeric, 4) AS value FROM tag_coverage
WHERE population = 'cover' AND measure = 'tags per customer' ORDER BY customers, bucket;
SELECT CASE WHEN tags = 0 THEN '0' WHEN tags < 5 THEN '1-4' WHEN tags < 20 THEN '5-19' ELSE '20+' END AS bucket, count(*)
FROM expected GROUP BY 1 ORDER BY 2;

SELECT measure, tag, customers, round(value::numeric, 4) AS value FROM tag_coverage
WHERE population = 'cover' AND tag IN ('city', 'nothing', 'nobody', 't12') ORDER BY tag COLLATE "C", measure COLLATE "C";
-- Effective values: 2 to the entropy in bits.
SELECT round(power(2, -sum(p * log(2, p))), 4) AS effective_values
FROM (SELECT count(*) / sum(count(*)) OVER () AS p FROM customers WHERE city IS NOT NULL GROUP BY city) s;
SELECT count(*) AS tags, count(*) FILTER (WHERE t.customers <> (SELECT count(*) FROM customers WHERE n >= substr(t.tag, 2)::int * 40)) AS wrong
FROM tag_coverage t WHERE population = 'cover' AND measure = 'coverage' AND tag ~ '^t\d+$';

SELECT tag, value, kind, members, round(share::numeric, 4) AS share FROM segment_size
WHERE population = 'cover' AND tag !~ '^t\d+$' ORDER BY tag COLLATE "C", value COLLATE "C";
SELECT tag, value_type, version, rule, value_count, members, round(share::numeric, 4) AS share, valid_until, stale FROM tag_catalog
WHERE population = 'cover' AND tag IN ('city', 'nothing', 'nobody', 't12') ORDER BY tag COLLATE "C";
SELECT population, customers FROM population_size WHERE population = 'cover';

-- What BI tools see are built-in types.
SELECT c.relname, a.attname, a.atttypid::regtype FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'crm'::regnamespace AND c.relkind = 'v' AND a.attnum > 0
	AND c.relname IN ('tag_catalog', 'tag_coverage', 'customer_tag_long', 'segment_size', 'population_size')
	AND a.atttypid::regtype::text NOT IN ('bigint', 'integer', 'numeric', 'double precision', 'text', 'date', 'timestamp with time zone', 'boolean', 'jsonb');

-- Sparse ids lie in wide chunks, several scopes hold one chunk.
CREATE TABLE sparse (id bigint PRIMARY KEY, branch text, n int);
INSERT INTO sparse SELECT (i::bigint << 33) + i * 977, 'b' || i % 3, i FROM generate_series(1, 20000) i;
SELECT create_population('sparse', 'sparse', 'id', scope => 'branch');
SELECT count(create_tag('s' || k, format('n %% %s = 0', k), population => 'sparse')) FROM generate_series(2, 9) k;
SELECT count(*) FROM refresh_tags('sparse');
SELECT count(*) AS numbers, count(*) FILTER (WHERE c.customers IS DISTINCT FROM e.customers) AS wrong
FROM (
	SELECT tags, count(*) AS customers
	FROM (SELECT (SELECT count(*) FROM generate_series(2, 9) k WHERE n % k = 0) AS tags FROM sparse) s GROUP BY tags
) e FULL JOIN tag_counts('sparse') c USING (tags);

-- An empty population.
CREATE TABLE nobody_here (id int PRIMARY KEY, a boolean, b text);
SELECT create_population('empty', 'nobody_here', 'id');
SELECT create_tag('a', 'a', population => 'empty');
SELECT create_tag('b', 'b', population => 'empty');
SELECT count(*) FROM refresh_tags('empty');
SELECT measure, tag, bucket, customers, value FROM tag_coverage WHERE population = 'empty' ORDER BY measure COLLATE "C", tag, bucket;
SELECT segment('!a', 'empty')::bigint[];

SELECT drop_population(p) FROM unnest('{cover,sparse,empty}'::text[]) p;
DROP SCHEMA coverage_test CASCADE;
