-- History: the stored sets as they were at every earlier instant.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA tag_history_test;
SET search_path = tag_history_test, crm, public;

-- Four populations over the same random rows: dense ids with branches, ids far apart, keys of text, negative keys.
CREATE TABLE base (n int PRIMARY KEY, branch text, score int, amount numeric, city text, vip boolean);
CREATE VIEW dense AS SELECT n AS id, branch, score, amount, city, vip FROM base;
CREATE VIEW sparse AS SELECT n::bigint * 1000003 AS id, branch, score, amount, city, vip FROM base;
CREATE VIEW named AS SELECT 'c' || n AS id, branch, score, amount, city, vip FROM base;
CREATE VIEW below AS SELECT -n AS id, branch, score, amount, city, vip FROM base;
SELECT create_population('dense', 'dense', 'id', scope => 'branch');
SELECT create_population('sparse', 'sparse', 'id');
SELECT create_population('named', 'named', 'id', scope => 'branch');
SELECT create_population('below', 'below', 'id');

CREATE PROCEDURE shuffle(part float8) LANGUAGE sql AS $$
	INSERT INTO base (n) SELECT (random() * 30000)::int + 1 FROM generate_series(1, (1500 * part)::int) ON CONFLICT DO NOTHING;
	DELETE FROM base WHERE random() < part / 10;
	UPDATE base SET branch = (ARRAY['north', 'south', 'east', NULL])[(random() * 3)::int + 1] WHERE branch IS NULL OR random() < part / 3;
	UPDATE base SET score = (random() * 100)::int WHERE score IS NULL OR random() < part;
	UPDATE base SET amount = CASE WHEN random() < 0.1 THEN NULL ELSE round((random() * 2000 - 700)::numeric, 0) END WHERE amount IS NULL OR random() < part;
	UPDATE base SET city = (ARRAY['Rome', 'Oslo', '北京', NULL, 'town ' || (random() * 20)::int])[(random() * 4)::int + 1] WHERE city IS NULL OR random() < part / 2;
	UPDATE base SET vip = random() < 0.3 WHERE vip IS NULL OR random() < part / 4;
$$;
CREATE FUNCTION populations() RETURNS text[] IMMUTABLE LANGUAGE sql RETURN '{dense,sparse,named,below}'::text[];

-- The copy kept beside: what each reader says, right after each refresh.
CREATE TABLE kept (population text, at timestamptz, what text, answer text);
CREATE FUNCTION answers(population text, as_of timestamptz DEFAULT NULL) RETURNS TABLE (what text, answer text) LANGUAGE sql AS $$
	SELECT t.tag || coalesce('=' || v.value, ''), tag(t.tag, v.value, answers.population, answers.as_of)::text
	FROM tag_catalog t CROSS JOIN LATERAL (SELECT NULL UNION ALL SELECT unnest('{Rome,北京,town 7}'::text[]) WHERE t.tag = 'city') v (value)
	WHERE t.population = answers.population
	UNION ALL SELECT 'numbers', tag_number('amount', answers.population, answers.as_of)::text
	UNION ALL SELECT expression, segment(expression, answers.population, answers.as_of)::text
	FROM unnest('{!vip,"vip & score >= 40 - city=Rome","amount < 0 | city != Oslo"}'::text[]) expression
$$;
CREATE FUNCTION one(population text, as_of timestamptz DEFAULT NULL) RETURNS TABLE (what text, answer text) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT ''customer '' || id, (SELECT string_agg(concat_ws(''|'', tag, value, kind, until), '', '' ORDER BY tag) FROM tags_of(id, %L, %L)) FROM %I WHERE abs(hashtext(id::text)) %% 150 = 0',
		population, as_of, population);
END $$;
CREATE PROCEDURE keep() LANGUAGE plpgsql AS $$
DECLARE p text;
BEGIN
	FOREACH p IN ARRAY populations() LOOP
		INSERT INTO kept SELECT p, d.changed_at, a.* FROM population_definition d, answers(p) a WHERE name = p;
		INSERT INTO kept SELECT p, d.changed_at, a.* FROM population_definition d, one(p) a WHERE name = p;
	END LOOP;
END $$;

SELECT setseed(0.42);
CALL shuffle(1);
SELECT count(create_tag(t.name, t.rule, t.kind, p, valid_for => t.valid_for))
FROM unnest(populations()) p, (VALUES ('vip', 'vip', 'base', NULL), ('score', 'score::numeric', 'correlation', NULL), ('amount', 'amount', 'base', NULL),
	('city', 'city', 'personality', NULL), ('high', 'score >= 80', 'timeliness', interval '1 day')) t (name, rule, kind, valid_for);
SELECT count(*) > 0 AS refreshed FROM unnest(populations()) p, refresh_tags(p);
CALL keep();
-- Rounds of changes: small and large ones, none at all, single tags, numbers with more digits, a new rule.
CREATE PROCEDURE round(round int, part float8, tags text[] DEFAULT NULL) LANGUAGE plpgsql AS $$
DECLARE
	p text;
BEGIN
	IF part > 0 THEN
		CALL shuffle(part);
	END IF;
	IF round = 4 THEN
		UPDATE base SET amount = amount + 0.25 WHERE n % 50 = 0;
	ELSIF round = 5 THEN
		UPDATE base SET amount = amount + 1 WHERE n % 40 = 0;
	ELSIF round = 6 THEN
		PERFORM replace_tag('high', 'score >= 30 AND NOT vip', 'timeliness', q, '1 day') FROM unnest(populations()) q;
	ELSIF round = 7 THEN
		UPDATE base SET amount = 1e20 WHERE n % 700 = 0;
	ELSIF round = 8 THEN
		DELETE FROM base WHERE city = '北京';
	END IF;
	FOREACH p IN ARRAY populations() LOOP
		PERFORM refresh_tags(p, tags);
	END LOOP;
	CALL keep();
END $$;
CALL round(1, 0.02);
CALL round(2, 0.3);
CALL round(3, 0);
CALL round(4, 0.9);
CALL round(5, 0, '{amount,city}');
CALL round(6, 0.2);
CALL round(7, 0.05);
CALL round(8, 1);
CALL round(9, 0.1);
CREATE VIEW moments AS SELECT population, at, lead(at) OVER (PARTITION BY population ORDER BY at) AS next FROM (SELECT DISTINCT population, at FROM kept) k;
-- Since: the first of the instants from which on he has it without a break, and with the same number.
WITH held AS (
	SELECT k.population, k.what, k.at, split_part(e, '|', 1) AS tag, CASE WHEN e LIKE '%|%|%|%' OR split_part(e, '|', 1) IN ('city', 'amount', 'score') THEN split_part(e, '|', 2) END AS value
	FROM kept k CROSS JOIN LATERAL unnest(string_to_array(k.answer, ', ')) e WHERE k.what LIKE 'customer %'
), numbered AS (
	SELECT h.*, m.place, max(m.place) OVER (PARTITION BY h.population) AS last,
		m.place - row_number() OVER (PARTITION BY h.population, h.what, h.tag, h.value ORDER BY m.place) AS run
	FROM held h JOIN (SELECT population, at, row_number() OVER (PARTITION BY population ORDER BY at) AS place FROM moments) m USING (population, at)
), expected AS (
	SELECT population, what, tag, value, min(at) AS since FROM numbered GROUP BY population, what, tag, value, run HAVING max(place) = max(last)
), actual AS (
	SELECT e.population, e.what, t.tag, t.value, t.since
	FROM (SELECT DISTINCT population, what FROM expected) e CROSS JOIN LATERAL tags_of(substr(what, 10), e.population) t
)
SELECT a.population, count(*) > 30 AS many, count(DISTINCT a.since) > 4 AS instants, count(*) FILTER (WHERE a.since IS DISTINCT FROM e.since) AS wrong
FROM actual a LEFT JOIN expected e ON (a.population, a.what, a.tag) = (e.population, e.what, e.tag) AND a.value IS NOT DISTINCT FROM e.value GROUP BY 1 ORDER BY 1;

-- Single tags refreshed while customers move from branch to branch.
CALL round(10, 0.3, '{amount,city}');
SELECT population, count(DISTINCT at) AS instants, count(*) > 150 AS many, count(DISTINCT answer) > 150 AS different FROM kept GROUP BY 1 ORDER BY 1;
-- Every past instant's sets, numbers and segments equal the copy; also a moment later, just before the next change.
SELECT m.population, count(*) AS answers, count(*) FILTER (WHERE k.answer IS DISTINCT FROM a.answer) AS wrong
FROM moments m CROSS JOIN LATERAL answers(m.population, m.at) a LEFT JOIN kept k ON (k.population, k.at, k.what) = (m.population, m.at, a.what) GROUP BY 1 ORDER BY 1;
SELECT count(*) FILTER (WHERE k.answer IS DISTINCT FROM a.answer) AS wrong_before_the_next
FROM moments m CROSS JOIN LATERAL answers(m.population, m.next - interval '1 microsecond') a
LEFT JOIN kept k ON (k.population, k.at, k.what) = (m.population, m.at, a.what) WHERE m.next IS NOT NULL;
-- One customer's tags.  Those who are gone by now are shown to nobody.
SELECT m.population, count(*) FILTER (WHERE k.answer IS DISTINCT FROM a.answer AND (k.answer IS NOT NULL OR a.answer IS NOT NULL)) AS wrong, count(k.answer) > 50 AS many
FROM moments m CROSS JOIN LATERAL one(m.population, m.at) a LEFT JOIN kept k ON (k.population, k.at, k.what) = (m.population, m.at, a.what) GROUP BY 1 ORDER BY 1;
-- A reader of some branches sees what was in them.
CREATE ROLE regress_crm_history;
GRANT USAGE ON SCHEMA crm TO regress_crm_history;
SELECT grant_population('dense', 'regress_crm_history', 'read', '{north}');
GRANT USAGE ON SCHEMA tag_history_test TO regress_crm_history;
GRANT SELECT ON moments TO regress_crm_history;
SELECT sum(cardinality(tag('vip', population => 'dense', as_of => at))) AS all_branches FROM moments WHERE population = 'dense' \gset
SET ROLE regress_crm_history;
SELECT sum(cardinality(tag('vip', population => 'dense', as_of => at))) BETWEEN 1 AND :all_branches / 2 AS some,
	bool_and(segment('!vip', 'dense', at) & tag('vip', population => 'dense', as_of => at) = '{}') AS apart FROM moments WHERE population = 'dense';
SELECT tag('vip', population => 'sparse', as_of => now());
RESET ROLE;

-- How far back, and what is said before.
SELECT population, tag, since = (SELECT min(at) FROM moments m WHERE m.population = h.population) AS from_the_first, keep, last_change = (SELECT max(at) FROM moments m WHERE m.population = h.population) AS last
FROM tag_history h WHERE population = 'dense' ORDER BY tag;
SELECT create_tag('late', 'score = 7', population => 'dense');
SELECT tag('late', population => 'dense', as_of => now() - interval '1 microsecond');
SELECT count(*) FROM refresh_tags('dense', '{late}');
\set VERBOSITY sqlstate
SELECT tag('vip', population => 'dense', as_of => '2001-01-01');
SELECT tag('late', population => 'dense', as_of => (SELECT max(at) FROM moments WHERE population = 'dense'));
SELECT tag('vip', population => 'dense', as_of => 'infinity');
SELECT tag('vip', population => 'dense', as_of => '-infinity');
\set VERBOSITY default
SELECT tag('late', population => 'dense', as_of => changed_at) = tag('late', population => 'dense') AS here FROM population_definition WHERE name = 'dense';
SELECT count(*) FILTER (WHERE tag = 'late') AS late, count(*) > 0 AS others FROM base, tags_of(n, 'dense', (SELECT max(at) FROM moments WHERE population = 'dense')) WHERE n % 100 < 10;
-- A dropped tag's past goes with it; a new one of that name begins anew.
SELECT drop_tag('late', 'dense');
SELECT count(*) FROM tag_state WHERE tag_id NOT IN (SELECT tag_id FROM tag_definition) AND tag_id > 0;
SELECT count(*) FROM tag_change WHERE tag_id NOT IN (SELECT tag_id FROM tag_definition) AND tag_id > 0;

-- A shorter time forgets what is older, and nothing else.
SELECT keep_history('sparse', '-1 day');
SELECT keep_history('sparse', clock_timestamp() - (SELECT at FROM moments WHERE population = 'sparse' ORDER BY at OFFSET 5 LIMIT 1));
SELECT count(*) AS answers, count(*) FILTER (WHERE k.answer IS DISTINCT FROM a.answer) AS wrong
FROM (SELECT * FROM moments WHERE population = 'sparse' ORDER BY at OFFSET 5) m CROSS JOIN LATERAL answers(m.population, m.at) a
LEFT JOIN kept k ON (k.population, k.at, k.what) = (m.population, m.at, a.what);
\set VERBOSITY sqlstate
SELECT tag('vip', population => 'sparse', as_of => (SELECT at FROM moments WHERE population = 'sparse' ORDER BY at OFFSET 4 LIMIT 1));
\set VERBOSITY default
SELECT count(*) = 0 AS forgotten FROM tag_change c JOIN population_definition p USING (population_id)
WHERE p.name = 'sparse' AND c.change_no <= (SELECT min(change_no) FROM population_change WHERE population_id = p.population_id);
-- None at all, and from now on again.
SELECT keep_history('sparse', NULL);
SELECT tag('vip', population => 'sparse', as_of => now() - interval '1 second');
SELECT tag('vip', population => 'sparse', as_of => now()) = tag('vip', population => 'sparse') AS now;
SELECT count(*) FROM tag_change JOIN population_definition p USING (population_id) WHERE p.name = 'sparse';
CALL shuffle(0.2);
SELECT count(*) > 0 AS refreshed FROM refresh_tags('sparse');
SELECT count(*) FROM tag_change JOIN population_definition p USING (population_id) WHERE p.name = 'sparse';
SELECT keep_history('sparse', '1 day');
SELECT changed_at AS here, tag('vip', population => 'sparse')::text AS vip FROM population_definition WHERE name = 'sparse' \gset
SELECT count(since) AS known, count(*) > 0 AS some FROM sparse, tags_of(id, 'sparse') WHERE id % 50 = 0;
CALL shuffle(0.2);
SELECT count(*) > 0 AS refreshed FROM refresh_tags('sparse');
SELECT tag('vip', population => 'sparse', as_of => :'here') = :'vip' AS same, tag('vip', population => 'sparse') <> :'vip' AS changed;
SET ROLE regress_crm_history;
SELECT keep_history('dense', '1 day');
SELECT * FROM tag_change;
RESET ROLE;

-- Two refreshes in one transaction; one that is rolled back leaves nothing.
BEGIN;
SELECT count(*) > 0 AS refreshed FROM refresh_tags('below');
SELECT changed_at AS first, tag('vip', population => 'below')::text AS vip FROM population_definition WHERE name = 'below' \gset
CALL shuffle(0.5);
SELECT count(*) > 0 AS refreshed FROM refresh_tags('below');
SELECT tag('vip', population => 'below', as_of => :'first') = :'vip' AS same, tag('vip', population => 'below') <> :'vip' AS changed,
	tag('vip', population => 'below', as_of => clock_timestamp()) = tag('vip', population => 'below') AS now;
ROLLBACK;
SELECT count(*) FROM population_change WHERE changed_at >= :'first' AND population_id = (SELECT population_id FROM population_definition WHERE name = 'below');

-- The portrait of then, with the shares of then.
SELECT (profile(n, 'dense', at) -> 'tag_count')::int = (SELECT count(*) FROM tags_of(n, 'dense', at)) AS tags,
	coalesce((profile(n, 'dense', at) #>> '{tags,base,0,share}')::float8 BETWEEN 0 AND 1, true) AS share
FROM base, (SELECT at FROM moments WHERE population = 'dense' ORDER BY at OFFSET 3 LIMIT 1) m WHERE n % 2000 < 3 GROUP BY 1, 2;

-- A population leaves nothing.
SELECT drop_population(p) FROM unnest(populations()) p;
SELECT (SELECT count(*) FROM tag_change) AS changes, (SELECT count(*) FROM tag_state) AS states;
SET client_min_messages = error;
DROP SCHEMA tag_history_test CASCADE;
DROP OWNED BY regress_crm_history;
DROP ROLE regress_crm_history;
