-- Operators and functions of crm.audience against their meaning over rows.
SET search_path = crm, public;

-- NULL and empty.
SELECT op, l, r, u.*
FROM (VALUES (NULL::audience, '{}'::audience), ('{}', NULL), ('{}', '{}'), ('{}', '{1,2}'), ('{1,2}', '{}'), ('{1,2}', '{2,3}')) v(l, r),
	LATERAL (VALUES ('|', (l | r)::text), ('&', (l & r)::text), ('-', (l - r)::text), ('#', (l # r)::text),
		('@>', (l @> r)::text), ('<@', (l <@ r)::text), ('&&', (l && r)::text), ('=', (l = r)::text), ('<>', (l <> r)::text),
		('and', and_cardinality(l, r)::text), ('or', or_cardinality(l, r)::text), ('andnot', andnot_cardinality(l, r)::text),
		('xor', xor_cardinality(l, r)::text), ('jaccard', jaccard(l, r)::text)) u(op, result);
SELECT a, cardinality(a), is_empty(a), audience_min(a), audience_max(a), a @> 2 AS has_2, 2 <@ a AS in_a, -1 <@ a AS negative, population_stamp(a)
FROM (VALUES (NULL::audience), ('{}'), ('{1,2}'), ('9:{2..9,9223372036854775807}')) v(a);
SELECT NULL::bigint <@ '{1}'::audience, '{1}'::audience @> NULL::bigint;

-- Each operator has a named twin.
SELECT audience_union(a, b) = (a | b), audience_intersect(a, b) = (a & b), audience_except(a, b) = (a - b), audience_xor(a, b) = (a # b),
	audience_contains(a, b) = (a @> b), audience_contained(a, b) = (a <@ b), audience_overlaps(a, b) = (a && b),
	audience_eq(a, b) = (a = b), audience_ne(a, b) = (a <> b), audience_contains(a, 2) = (a @> 2), audience_contained(2, a) = (2 <@ a)
FROM (VALUES ('{1..3}'::audience, '{2..9}'::audience)) v(a, b);

-- Random sets of different kinds: every operation against the same done with rows.
SELECT setseed(0.25);
CREATE TEMP TABLE ids (set int, id bigint);
INSERT INTO ids
SELECT s, CASE s % 6
	WHEN 0 THEN floor(random() * 1000)
	WHEN 1 THEN floor(random() * 70000)
	WHEN 2 THEN floor(random() * 140000)
	WHEN 3 THEN (i / 50) * 60 + i % 50
	WHEN 4 THEN floor(random() * 9e18)
	ELSE 65536 + i * 16 END::bigint
FROM generate_series(1, 12) s, generate_series(1, CASE s % 6 WHEN 0 THEN 300 WHEN 2 THEN 20000 WHEN 4 THEN 500 ELSE 6000 END) i;
INSERT INTO ids SELECT 13, i FROM generate_series(0, 131071) i;
INSERT INTO ids SELECT set + 20, id FROM ids WHERE set IN (1, 2, 4, 10) AND id % 3 = 0;
CREATE TEMP TABLE sets AS SELECT set, audience_agg(id) AS a FROM ids GROUP BY set;
INSERT INTO sets VALUES (0, '{}');
CREATE TEMP TABLE members_of AS SELECT DISTINCT set, id FROM ids;
CREATE INDEX ON members_of (set, id);
ANALYZE members_of;

SELECT count(*), bool_and(cardinality(a) = n AND audience_min(a) IS NOT DISTINCT FROM lowest AND audience_max(a) IS NOT DISTINCT FROM highest
	AND is_empty(a) = (n = 0) AND a::bigint[] = list) AS good
FROM sets s, LATERAL (SELECT count(*) AS n, min(id) AS lowest, max(id) AS highest, coalesce(array_agg(id ORDER BY id), '{}') AS list
	FROM members_of m WHERE m.set = s.set) r;

WITH size AS MATERIALIZED (SELECT set, count(*) AS n FROM members_of GROUP BY set),
	common AS MATERIALIZED (SELECT x.set AS l, y.set AS r, count(*) AS shared FROM members_of x JOIN members_of y USING (id) GROUP BY x.set, y.set),
	counted AS (
	SELECT x.a, y.a AS b, coalesce(shared, 0) AS shared, coalesce(l.n, 0) AS n, coalesce(r.n, 0) AS k
	FROM sets x JOIN sets y ON x.set <= y.set LEFT JOIN size l ON l.set = x.set LEFT JOIN size r ON r.set = y.set
		LEFT JOIN common c ON c.l = x.set AND c.r = y.set)
SELECT count(*),
	bool_and(and_cardinality(a, b) = shared AND and_cardinality(b, a) = shared AND cardinality(a & b) = shared) AS "and",
	bool_and(or_cardinality(a, b) = n + k - shared AND cardinality(a | b) = n + k - shared) AS "or",
	bool_and(andnot_cardinality(a, b) = n - shared AND cardinality(a - b) = n - shared AND cardinality(b - a) = k - shared) AS "andnot",
	bool_and(xor_cardinality(a, b) = n + k - 2 * shared AND cardinality(a # b) = n + k - 2 * shared) AS "xor",
	bool_and((a && b) = (shared > 0) AND (a <@ b) = (shared = n) AND (a @> b) = (shared = k)) AS tests,
	bool_and(jaccard(a, b) IS NOT DISTINCT FROM shared / nullif(n + k - shared, 0)::float8) AS jaccard,
	count(*) FILTER (WHERE shared > 0) > 20 AS some_overlap, count(*) FILTER (WHERE shared = 0) > 20 AS some_do_not
FROM counted;

-- Laws.
SELECT bool_and((x.a | y.a) = (y.a | x.a) AND (x.a & y.a) = (y.a & x.a) AND (x.a # y.a) = ((x.a - y.a) | (y.a - x.a))
	AND ((x.a & y.a) | (x.a - y.a)) = x.a AND (x.a & (y.a | z.a)) = ((x.a & y.a) | (x.a & z.a))
	AND (x.a - (y.a | z.a)) = ((x.a - y.a) & (x.a - z.a)) AND ((x.a # y.a) # y.a) = x.a
	AND to_roaring((x.a # y.a) # y.a) = to_roaring(x.a)) AS laws
FROM sets x, sets y, sets z WHERE z.set IN (1, 3, 4, 8, 13);

-- Membership, set by set and id by id.
SELECT count(*), bool_and((p.id <@ s.a) = found AND (s.a @> p.id) = found) AS good, count(*) FILTER (WHERE found) > 1000 AS some_found
FROM sets s, (SELECT id + d AS id FROM members_of, (VALUES (-1), (0), (1)) v(d) WHERE id % 197 = 0) p,
	LATERAL (SELECT EXISTS (SELECT FROM members_of m WHERE m.set = s.set AND m.id = p.id) AS found) f;
-- A constant of the plan, from ids in disorder.
SELECT count(*) FROM (SELECT (i * 7919) % 200000 AS id FROM generate_series(1::bigint, 200000) i) g WHERE id <@ '{5,10..19,65530..65540,131072..140000}';
SELECT sum(id), count(*) FROM generate_series(0, 300) id WHERE '{0,7..9,300}'::audience @> id;

-- Ids of every integer type, as columns and as literals.
SELECT count(*) FILTER (WHERE i2 <@ '{5..9}'), count(*) FILTER (WHERE i4 <@ '{5..9}'), count(*) FILTER (WHERE i8 <@ '{5..9}'),
	count(*) FILTER (WHERE a @> i2), count(*) FILTER (WHERE a @> i4), count(*) FILTER (WHERE a @> i8)
FROM (SELECT i::smallint AS i2, i AS i4, i::bigint AS i8, '{5..9}'::audience AS a FROM generate_series(-20, 20) i) s;
SELECT 5 <@ '{5}'::audience, 5::smallint <@ '{5}'::audience, 5000000000 <@ '{5}'::audience, '{5}'::audience @> 5, '{5}'::audience @> 5000000000,
	audience_contains('{5}', 5), audience_contained(5, '{5}'), '{5,6}'::audience @> '{5}';

-- Stamps: kept, carried over, not mixed; equality looks at members only.
SELECT '3:{1}'::audience | '{2}', '{1}'::audience & '3:{1}', '3:{1}'::audience - '3:{1}', slice('3:{1..9}', 0, 2), sample('3:{1..9}', 9, 1), '3:{1}'::audience::int[]::audience;
SELECT '3:{1}'::audience = '4:{1}', '3:{1}'::audience = '{1}', audience_hash('3:{1}') = audience_hash('{1}'), audience_cmp('3:{1}', '4:{1}');
SELECT '3:{1}'::audience | '4:{2}';
SELECT and_cardinality('3:{1}', '4:{2}');
SELECT '3:{1}'::audience && '4:{2}';
SELECT '3:{1}'::audience <@ '4:{2}';
\set VERBOSITY sqlstate
SELECT '3:{1}'::audience - '4:{2}';
\set VERBOSITY default

-- Order and hashing: total, by size first; grouping, joining, sorting.
SELECT array_agg(a::text ORDER BY a) FROM (VALUES ('{1,2}'::audience), ('{}'), ('{9}'), ('{3}'), ('{1..3}'), ('{1,3}')) v(a);
SELECT a, count(*) FROM (VALUES ('{1,2}'::audience), ('{2,1}'), ('{1..2}'), ('{}'), ('{3}')) v(a) GROUP BY a ORDER BY a;
SELECT bool_and(audience_cmp(x.a, y.a) = -audience_cmp(y.a, x.a) AND (x.a < y.a) = (audience_cmp(x.a, y.a) < 0) AND (x.a <= y.a) = (NOT y.a < x.a)
	AND (x.a > y.a) = (y.a < x.a) AND (x.a >= y.a) = (y.a <= x.a) AND (x.a = y.a) = (to_roaring(x.a) = to_roaring(y.a))
	AND (x.a <> y.a OR audience_hash_extended(x.a, 7) = audience_hash_extended(y.a, 7))) AS total FROM sets x, sets y;
SET enable_hashagg = off;
SELECT count(*) FROM (SELECT a FROM (SELECT a FROM sets UNION ALL SELECT a FROM sets) u GROUP BY a) g;
RESET enable_hashagg;
SET enable_sort = off;
SELECT count(*) FROM (SELECT a FROM (SELECT a FROM sets UNION ALL SELECT a FROM sets) u GROUP BY a) g;
RESET enable_sort;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM sets x JOIN sets y USING (a);
RESET enable_hashjoin;
RESET enable_nestloop;
CREATE TEMP TABLE unique_sets (a audience UNIQUE);
INSERT INTO unique_sets VALUES ('{1,2}'), ('{1,3}');
INSERT INTO unique_sets VALUES ('{2,1}');

-- Members as rows, slices and samples.
SELECT array_agg(m) FROM members('{3,5..7,9223372036854775807}') m;
SELECT count(*) FROM members('{}') e FULL JOIN members(NULL) n ON true;
SELECT bool_and(m.list = r.list) AS same, count(*) FROM sets s,
	LATERAL (SELECT coalesce(array_agg(id), '{}') AS list FROM members(s.a) id) m,
	LATERAL (SELECT coalesce(array_agg(id ORDER BY id), '{}') AS list FROM members_of o WHERE o.set = s.set) r;
SELECT set, members(slice(a, 10, 2)) FROM sets WHERE set IN (3, 9) ORDER BY 1, 2;
SELECT slice('{1..10,20..30}', 8, 5), slice('{1..3}', 0, 0), slice('{1..3}', 3, 1), slice('{1..3}', 1, 9223372036854775807), slice(NULL, 1, 1);
SELECT slice('{1..3}', -1, 1);
SELECT slice('{1..3}', 1, -1);
SELECT count(*), bool_and(slice(a, skip, take)::bigint[] = coalesce((a::bigint[])[skip + 1:skip + take], '{}')) AS good
FROM sets, (VALUES (0, 0), (0, 1), (1, 5), (100, 5000), (5000, 70000), (65535, 2), (131071, 10)) v(skip, take);
SELECT bool_and(cardinality(sample(a, n, 42)) = least(n, cardinality(a)) AND sample(a, n, 42) <@ a
	AND sample(a, n, 42) = sample(a, n, 42) AND sample(a, n, 42) <@ sample(a, n + 7, 42)) AS good FROM sets, (VALUES (0), (1), (10), (5000), (1000000)) v(n);
-- A member is chosen by its own hash: what else is in the set does not matter.
SELECT sample('{1..100000}', 1000, 7) & '{1..50000}' <@ sample('{1..50000}', 1000, 7) AS consistent,
	sample('{1..100000}', 1000, 7) = sample('{1..100000}', 1000, 8) AS same_for_other_seed;
-- Every tenth part of the ids gets its share: 1,000 of 10,000 give 100 in each, four standard deviations are 38.
SELECT bool_and(abs(and_cardinality(sample('{0..9999}', 1000, seed), part) - 100) < 38) AS even
FROM generate_series(1, 20) seed, (SELECT audience_agg(id) AS part FROM generate_series(0, 9999) id GROUP BY id / 1000) p;
SELECT sample('{1..9}', -1, 1);
SELECT sample('{1..9}', 3, -9223372036854775808) <@ '{1..9}';
