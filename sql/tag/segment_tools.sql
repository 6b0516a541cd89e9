-- Overlap, profile, tests and control groups, each against plain SQL that shares no code with them.
SET client_min_messages = warning;
CREATE SCHEMA segment_tools_test;
SET search_path = segment_tools_test, crm, public;

CREATE TABLE customers (id bigint PRIMARY KEY, city text, vip boolean, churned boolean, age int);
INSERT INTO customers
SELECT i, (ARRAY['Berlin', '上海', 'New York', NULL])[i * 7 % 11 % 4 + 1], i % 10 = 0,
	CASE WHEN i % 3 > 0 THEN i % 7 = 0 END, 18 + i % 60
FROM generate_series(1, 6000) i;
SELECT create_population('tools', 'customers', 'id');
SELECT create_tag('vip', 'vip');
SELECT create_tag('churned', 'churned');
SELECT create_tag('city', 'city');
SELECT create_tag('young', 'age < 30');
SELECT create_tag('everybody', 'id > 0');
SELECT create_tag('nobody', 'id < 0');
SELECT count(*) FROM refresh_tags('tools');
SELECT create_tag('later', 'vip');

-- ---- the tests by themselves
-- Published: the lady tasting tea (Fisher 1935), 34/70; convictions of like-sex twins (Fisher 1962), 0.0005367.
SELECT abs(fisher_exact(3, 1, 1, 3) - 34 / 70.0) < 1e-14 AS tea, round(fisher_exact(2, 10, 15, 3)::numeric, 7) AS twins;
SELECT fisher_exact(0, 0, 3, 4) AS empty_row, fisher_exact(0, 3, 0, 4) AS empty_column, fisher_exact(10, 90, 100, 900) AS even,
	fisher_exact(1000000, 0, 0, 9000000) AS too_small, fisher_exact(NULL, 1, 1, 1) AS of_null;
SELECT fisher_exact(-1, 1, 1, 1);
SELECT fisher_exact(4503599627370496, 1, 1, 1);

-- By the definition, in exact numbers: all tables with the same margins, by binomial coefficients.
CREATE FUNCTION choose(n bigint, k bigint) RETURNS numeric IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE WHEN k < 0 OR k > n THEN 0 ELSE div(factorial(n), factorial(k) * factorial(n - k)) END
$$;
CREATE FUNCTION fisher_by_definition(a bigint, b bigint, c bigint, d bigint) RETURNS numeric IMMUTABLE LANGUAGE sql AS $$
	WITH w AS (SELECT x, choose(a + c, x) * choose(b + d, a + b - x) AS weight FROM generate_series(0, a + b) x)
	SELECT sum(weight) FILTER (WHERE weight <= (SELECT o.weight FROM w o WHERE o.x = a) * 1.0000001) / sum(weight) FROM w
$$;
WITH t AS (
	SELECT i * 7 % 13 AS a, i * 5 % 17 AS b, i * 11 % 19 AS c, i * 3 % 23 AS d FROM generate_series(1, 200) i
	UNION ALL VALUES (20::bigint, 80::bigint, 30::bigint, 270::bigint), (0, 60, 40, 200), (95, 5, 40, 60), (7, 193, 3, 297)
)
SELECT count(*) AS tables, count(*) FILTER (WHERE abs(fisher_exact(a, b, c, d) / fisher_by_definition(a, b, c, d)::float8 - 1) > 1e-12) AS wrong
FROM t;

-- The example of Benjamini and Hochberg 1995, section 3.2: at 5 % four are discovered.
SELECT count(*) FILTER (WHERE q <= 0.05) AS discovered, count(*) AS tested
FROM unnest(benjamini_hochberg(ARRAY[0.4262, 0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.5719, 0.6528, 0.7590, 1.0])) q;
SELECT benjamini_hochberg(ARRAY[0.5, NULL, 0.25, 0.125]) AS q, benjamini_hochberg('{}') AS none, benjamini_hochberg(ARRAY[NULL]::float8[]) AS of_null;
SELECT benjamini_hochberg(ARRAY[0.5, 'NaN']);
SELECT benjamini_hochberg(ARRAY[1.5]);
SELECT benjamini_hochberg(ARRAY[[0.5], [0.1]]);
-- By the definition: the least, over thresholds t not below p, of t * m / how many are within t.
WITH p AS (SELECT i, (i * 7919 % 1009) / 1009.0::float8 AS p FROM generate_series(1, 300) i),
	q AS (SELECT i, q FROM unnest((SELECT benjamini_hochberg(array_agg(p ORDER BY i)) FROM p)) WITH ORDINALITY AS u (q, i)),
	expected AS (
		SELECT a.i, least(1, min(t.p * 300 / (SELECT count(*) FROM p w WHERE w.p <= t.p))) AS q
		FROM p a JOIN p t ON t.p >= a.p GROUP BY a.i)
SELECT count(*) AS compared, count(*) FILTER (WHERE abs(q.q - e.q) > 1e-14) AS wrong FROM q JOIN expected e USING (i);

-- ---- overlap
SELECT a, b, a_members, b_members, "both", round(share_of_a::numeric, 4) AS of_a, round(share_of_b::numeric, 4) AS of_b, round(jaccard::numeric, 4) AS jaccard
FROM segment_overlap(ARRAY['vip', 'young & !churned', 'nobody'], 'tools');
CREATE TABLE condition (expression text, place int PRIMARY KEY, condition text);
INSERT INTO condition VALUES ('vip', 1, 'vip'), ('city = "上海"', 2, 'city = ''上海'''), ('young | churned', 3, 'age < 30 OR churned IS TRUE'),
	('!vip', 4, 'NOT vip'), ('city', 5, 'city IS NOT NULL'), ('nobody', 6, 'false');
DO $$
DECLARE
	pairs int := 0;
	r record;
	e record;
BEGIN
	FOR r IN SELECT x.condition AS ca, y.condition AS cb, o.*
		FROM segment_overlap((SELECT array_agg(expression ORDER BY place) FROM condition), 'tools') WITH ORDINALITY AS o (a, b, am, bm, common, sa, sb, j, n)
		JOIN condition x ON x.place = (n - 1) / 6 + 1 JOIN condition y ON y.place = (n - 1) % 6 + 1
	LOOP
		EXECUTE format('SELECT count(*) FILTER (WHERE %1$s) AS am, count(*) FILTER (WHERE %2$s) AS bm, count(*) FILTER (WHERE (%1$s) AND (%2$s)) AS common,
			count(*) FILTER (WHERE (%1$s) OR (%2$s)) AS one FROM customers', r.ca, r.cb) INTO e;
		IF (r.am, r.bm, r.common, r.sa, r.sb, r.j) IS DISTINCT FROM
			(e.am, e.bm, e.common, e.common / nullif(e.am, 0)::float8, e.common / nullif(e.bm, 0)::float8, e.common / nullif(e.one, 0)::float8) THEN
			RAISE WARNING '% and %: % instead of %', r.a, r.b, r, e;
		END IF;
		pairs := pairs + 1;
	END LOOP;
	RAISE WARNING '% pairs compared', pairs;
END
$$;
SELECT count(*) AS none FROM segment_overlap('{}', 'tools');
SELECT * FROM segment_overlap(NULL, 'tools');
SELECT * FROM segment_overlap(ARRAY['vip', NULL], 'tools');
SELECT * FROM segment_overlap(ARRAY['vip', 'vip & wip'], 'tools');
SELECT * FROM segment_overlap(array_fill('vip'::text, ARRAY[1001]), 'tools');

-- ---- profile
SELECT tag, value, segment_members AS m, round(segment_share::numeric, 4) AS share, base_members AS base, round(base_share::numeric, 4) AS base_share,
	round(index::numeric, 1) AS index, round(p_value::numeric, 6) AS p, round(q_value::numeric, 6) AS q, significant
FROM segment_profile('vip', population => 'tools');
-- Against plain SQL: counts of rows, and the test by its definition; the base a part of the customers, the segment partly outside.
WITH c AS (SELECT * FROM customers WHERE age < 30 AND id <= 2500),
	s AS (SELECT id, city, vip, churned, age, churned IS TRUE AND (id % 2 = 0) AS here FROM c),
	sizes AS (SELECT count(*) FILTER (WHERE here) AS n, count(*) AS all_n FROM s),
	counted AS (
		SELECT tag, value, count(*) FILTER (WHERE here) AS m, count(*) AS b
		FROM s, LATERAL (VALUES ('vip', NULL, vip), ('churned', NULL, churned), ('city', city, city IS NOT NULL), ('young', NULL, age < 30),
			('everybody', NULL, true), ('nobody', NULL, false)) AS t (tag, value, has)
		WHERE has GROUP BY tag, value),
	tested AS (
		SELECT tag, value, m, b, n, all_n, fisher_by_definition(m, n - m, b - m, all_n - n - b + m) AS p FROM counted, sizes),
	expected AS (
		SELECT t.*, (SELECT least(1, min(u.p * (SELECT count(*) FROM tested) / (SELECT count(*) FROM tested w WHERE w.p <= u.p)))
			FROM tested u WHERE u.p >= t.p) AS q FROM tested t),
	got AS (
		SELECT * FROM segment_profile((SELECT audience_agg(id) FROM customers WHERE churned AND id % 2 = 0),
			(SELECT audience_agg(id) | '{9000000}' FROM c), 'tools', 0.2))
SELECT count(*) AS "rows", count(*) FILTER (WHERE g.segment_members = e.m AND g.base_members = e.b AND g.segment_share = e.m / n::float8
		AND g.base_share = e.b / all_n::float8 AND abs(g.index - 100.0 * e.m * all_n / n / e.b) < 1e-9
		AND abs(g.p_value - e.p::float8) < 1e-12 AND abs(g.q_value - e.q::float8) < 1e-12 AND g.significant = (e.q <= 0.2)) AS agree,
	count(*) FILTER (WHERE g.significant) AS significant
FROM got g FULL JOIN expected e ON e.tag = g.tag AND e.value IS NOT DISTINCT FROM g.value;
-- Both forms are one; the order of the rows is that of the names.
SELECT (SELECT array_agg(p::text) FROM segment_profile('vip & young', 'city', 'tools') p)
	= (SELECT array_agg(p::text) FROM segment_profile(segment('vip & young'), segment('city')) p) AS same,
	(SELECT array_agg((tag, value)) = array_agg((tag, value) ORDER BY tag COLLATE "C", value COLLATE "C") FROM segment_profile('vip')) AS by_name;
-- Nothing to tell apart: the whole base, nobody.
SELECT bool_and(p_value = 1 AND index = 100 AND NOT significant) AS whole FROM segment_profile('everybody');
SELECT bool_and(p_value = 1 AND segment_members = 0 AND segment_share IS NULL AND index IS NULL AND NOT significant) AS nobody, count(*) FROM segment_profile('nobody');
SELECT count(*) AS empty_base FROM segment_profile('vip', 'nobody');
-- Chance alone: an arbitrary half of the customers is like the other.
SELECT count(*) FILTER (WHERE significant) AS found FROM segment_profile(holdout(segment('everybody'), 0.5, 'chance'));
SELECT * FROM segment_profile(NULL::text);
SELECT * FROM segment_profile('vip', fdr => 'NaN');
SELECT * FROM segment_profile('vip', fdr => 2);
SELECT * FROM segment_profile('vip & later');
SELECT create_population('other', 'customers', 'id');
SELECT count(*) FROM refresh_tags('other');
SELECT * FROM segment_profile(segment('vip', 'tools'), population => 'other');

-- ---- holdout
-- The formula of doc/segment_tools.md, in SQL's own numbers: bit strings, and products modulo 2^64.
CREATE FUNCTION unsigned(b bit(64)) RETURNS numeric IMMUTABLE LANGUAGE sql AS $$
	SELECT CASE WHEN b::bigint < 0 THEN b::bigint + 18446744073709551616 ELSE b::bigint END
$$;
CREATE FUNCTION bits(n numeric) RETURNS bit(64) IMMUTABLE LANGUAGE sql AS $$
	SELECT (CASE WHEN m >= 9223372036854775808 THEN m - 18446744073709551616 ELSE m END)::bigint::bit(64) FROM (SELECT mod(n, 18446744073709551616) AS m) x
$$;
CREATE FUNCTION mix(b bit(64)) RETURNS bit(64) IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	b := bits(unsigned(b # (b >> 30)) * 13787848793156543929);
	b := bits(unsigned(b # (b >> 27)) * 10723151780598845931);
	RETURN b # (b >> 31);
END
$$;
CREATE FUNCTION seed(salt text) RETURNS bit(64) IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
	s bytea := convert_to(salt, 'UTF8');
	h bit(64) := bits(14695981039346656037);
BEGIN
	FOR i IN 0 .. length(s) - 1 LOOP
		h := bits(unsigned(h # get_byte(s, i)::bigint::bit(64)) * 1099511628211);
	END LOOP;
	RETURN mix(h);
END
$$;
CREATE FUNCTION place(id bigint, seed bit(64)) RETURNS numeric IMMUTABLE LANGUAGE sql AS $$
	SELECT unsigned(mix(bits(unsigned(mix(id::bit(64) # seed)) + unsigned(seed)))) / 18446744073709551616
$$;
SELECT holdout(a, 0.3, salt) = (SELECT audience_agg(id) FROM members(a) id WHERE place(id, seed(salt)) < 0.3) AS by_formula, cardinality(holdout(a, 0.3, salt)) AS held_out
FROM (VALUES ('{1..300}'::audience, 'spring'), ('{5,70000,4294967296..4294967400,9223372036854775807}', '春季'), ('{1..300}', '')) AS t (a, salt);
-- Control and treatment: apart, and together everybody; the stamp stays; nested by share; steady as the audience grows.
SELECT cardinality(holdout(a, 0.1, 's') & (a - holdout(a, 0.1, 's'))) AS common, (holdout(a, 0.1, 's') | (a - holdout(a, 0.1, 's'))) = a AS complete,
	holdout(a, 0.1, 's') <@ holdout(a, 0.2, 's') AS nested, holdout(a, 0, 's') = '{}' AS nobody, holdout(a, 1, 's') = a AS everybody,
	holdout(a, 0.1, 's') = holdout(a | '{200000..300000}', 0.1, 's') & a AS steady, holdout(a, 0.1, 's') <> holdout(a, 0.1, 't') AS other_salt
FROM (SELECT '{1..100000}'::audience AS a) x;
SELECT population_stamp(holdout(tag('vip', population => 'tools'), 0.5, 's')) = population_stamp(tag('vip', population => 'tools')) AS stamp,
	holdout(NULL, 0.5, 's') IS NULL AND holdout('{1}', NULL, 's') IS NULL AND holdout('{1}', 0.5, NULL) IS NULL AS of_null;
-- Even: ten tenths, over ids in a row, every hundredth id, and ids far apart; chi-square with 9 degrees of freedom is below 27.9 with 99.9 %.
SELECT ids, salt, round(sum((n - size / 10.0) ^ 2 / (size / 10.0)), 1) < 27.9 AS even
FROM (VALUES ('in a row', '{1..100000}'::audience),
	('every hundredth', (SELECT audience_agg(i * 100) FROM generate_series(1, 20000) i)),
	('far apart', (SELECT audience_agg(i * 4294967296) FROM generate_series(1, 5000) i))) AS t (ids, a),
	unnest(ARRAY['a', 'b', 'campaign 2026']) salt, generate_series(1, 10) k,
	LATERAL (SELECT cardinality(a) AS size, cardinality(holdout(a, k / 10.0, salt)) - cardinality(holdout(a, (k - 1) / 10.0, salt)) AS n) c
GROUP BY ids, salt ORDER BY ids, salt;
-- Independent: two salts, a two by two table; chi-square with 1 degree of freedom is below 10.8 with 99.9 %.
SELECT s, t, round((n * (x * w - y * z)::numeric ^ 2) / ((x + y)::numeric * (z + w) * (x + z) * (y + w)), 1) < 10.8 AS independent
FROM (VALUES ('a', 'b'), ('1', '2'), ('spring', 'spring '), ('', 'a')) AS v (s, t),
	LATERAL (SELECT holdout('{1..100000}', 0.5, s) AS one, holdout('{1..100000}', 0.5, t) AS two) h,
	LATERAL (SELECT 100000 AS n, and_cardinality(one, two) AS x, andnot_cardinality(one, two) AS y, andnot_cardinality(two, one) AS z,
		100000 - or_cardinality(one, two) AS w) c;
SELECT holdout('{1}', 1.5, 's');
SELECT holdout('{1}', 'NaN', 's');

-- Rights: without a right to whole sets there is nothing to compare.
CREATE ROLE regress_crm_tools;
GRANT USAGE ON SCHEMA segment_tools_test, crm TO PUBLIC;
SET ROLE regress_crm_tools;
SELECT * FROM segment_overlap(ARRAY['vip'], 'tools');
SELECT * FROM segment_profile('vip', population => 'tools');
RESET ROLE;

DROP SCHEMA segment_tools_test CASCADE;
SELECT drop_population('other'), drop_population('tools');
DROP ROLE regress_crm_tools;
