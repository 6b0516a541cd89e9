-- Whether tags are in order, and what depends on what.

CREATE FUNCTION @extschema@.check_tags(population text DEFAULT NULL)
	RETURNS TABLE (tag text, test text, ok boolean, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE COST 100000 ROWS 100
BEGIN ATOMIC
	WITH problem AS MATERIALIZED (
		SELECT * FROM @extschema@.rule_problems(check_tags.population)
	), checked AS (
		SELECT d.tag_id, d.population_id, d.name, p.name AS population, c.refreshed_at, c.valid_until, c.version, d.refreshed_version, c.members, c.share, b.customers
		FROM @extschema@.tag_definition d
		JOIN @extschema@.population_definition p ON p.population_id = d.population_id
		JOIN @extschema@.tag_catalog c ON c.population = p.name AND c.tag = d.name
		LEFT JOIN @extschema@.population_size b ON b.population_id = d.population_id
		WHERE d.tag_id IN (SELECT problem.tag_id FROM problem)
	), found AS (
		SELECT c.name, CASE x.test WHEN 'rule' THEN 1 WHEN 'rights' THEN 2 ELSE 3 END AS place, 0 AS test_no, x.test, x.ok, x.detail
		FROM problem x JOIN checked c ON c.tag_id = x.tag_id
		UNION ALL
		SELECT c.name, 3, 1, 'bases', bool_and(d.state <> 'retired'),
			'retired: ' || string_agg(d.name, ', ' ORDER BY d.name COLLATE "C") FILTER (WHERE d.state = 'retired')
		FROM checked c
		JOIN @extschema@.tag_input i ON i.tag_id = c.tag_id AND i.kind = 'tag'
		JOIN @extschema@.tag_definition d ON d.population_id = c.population_id AND d.name = i.name
		GROUP BY c.name
		UNION ALL
		SELECT c.name, 4, 0, 'refreshed', coalesce(c.refreshed_version = c.version, false) AND coalesce(c.valid_until > now(), true),
			CASE WHEN c.refreshed_version IS NULL THEN 'never refreshed'
				WHEN c.refreshed_version <> c.version THEN format('the stored set is of version %s, the rule is version %s', c.refreshed_version, c.version)
				WHEN c.valid_until <= now() THEN format('valid until %s', c.valid_until) END
		FROM checked c
		UNION ALL
		SELECT c.name, 5, 0, 'members', c.members > 0, CASE WHEN c.members = 0 THEN 'no customer has it' END
		FROM checked c WHERE c.refreshed_version IS NOT NULL AND c.members IS NOT NULL
		UNION ALL
		SELECT c.name, 6, t.test_no, format('test %s', t.test_no), r.ok,
			CASE WHEN r.ok THEN NULL WHEN c.refreshed_version IS NULL THEN 'never refreshed'
				WHEN t.kind = 'customer' THEN format('customer %s is expected %s %s', t.customer, CASE WHEN t.has THEN 'to have' ELSE 'not to have' END, coalesce(quote_literal(t.value), 'it'))
				ELSE format('coverage %s is not between %s and %s', r.share, t.low, t.high) END
		FROM checked c
		JOIN @extschema@.tag_test t ON t.tag_id = c.tag_id
		CROSS JOIN LATERAL (
			SELECT CASE WHEN c.refreshed_version IS NOT NULL THEN @extschema@.tag(c.name, t.value, c.population) END AS members OFFSET 0
		) s
		CROSS JOIN LATERAL (
			SELECT @extschema@.cardinality(s.members) / nullif(c.customers, 0)::float8 AS share OFFSET 0
		) h
		CROSS JOIN LATERAL (
			SELECT h.share, coalesce(CASE WHEN t.kind = 'coverage' THEN h.share BETWEEN t.low AND t.high
				ELSE coalesce(@extschema@.audience_contains(s.members, @extschema@.customer_id(t.customer, c.population)), s.members IS NULL AND NULL) = t.has END, false) AS ok
		) r
	)
	SELECT f.name, f.test, f.ok, f.detail FROM found f ORDER BY f.name COLLATE "C", f.place, f.test_no;
END;
COMMENT ON FUNCTION @extschema@.check_tags(text) IS
	'are the tags of a population in order (标签检查)? For each tag that is not retired: rule (it can still be read), rights (its owner may read what it reads), inputs (nothing that it is made from has changed), bases (no tag that it is built on is retired), refreshed (the stored set is of today''s rule and valid), members (somebody has it), and its own tests (expect_tag, expect_coverage), over the stored sets in the scopes that the caller may read; what is not in order with its cause. WHERE NOT ok lists the trouble';

CREATE FUNCTION @extschema@.tag_dependents(name text, kind text DEFAULT NULL, population text DEFAULT NULL)
	RETURNS TABLE (population text, tag text, kind text, input text, depth int)
	LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 20
BEGIN ATOMIC
	WITH RECURSIVE input AS (
		SELECT i.tag_id, d.population_id, p.name AS population, d.name AS tag, i.kind, i.name
		FROM @extschema@.tag_input i
		JOIN @extschema@.tag_definition d ON d.tag_id = i.tag_id
		JOIN @extschema@.population_definition p ON p.population_id = d.population_id
		WHERE tag_dependents.population IS NULL OR p.name = tag_dependents.population
	), dependent AS (
		SELECT i.tag_id, i.population_id, i.population, i.tag, i.kind, i.name, 1 AS depth
		FROM input i
		WHERE (i.name = tag_dependents.name OR i.kind IN ('table column', 'view', 'function') AND
				right('.' || split_part(i.name, '(', 1), length(tag_dependents.name) + 1) = '.' || tag_dependents.name)
			AND (tag_dependents.kind IS NULL OR i.kind = tag_dependents.kind)
		UNION
		SELECT i.tag_id, i.population_id, i.population, i.tag, i.kind, i.name, d.depth + 1
		FROM dependent d
		JOIN input i ON i.kind = 'tag' AND i.name = d.tag AND i.population_id = d.population_id
		WHERE d.depth < 100
	)
	SELECT x.population, x.tag, x.kind, x.name, min(x.depth) FROM dependent x GROUP BY x.population, x.tag, x.kind, x.name
	ORDER BY min(x.depth), x.population COLLATE "C", x.tag COLLATE "C", x.kind COLLATE "C", x.name COLLATE "C";
END;
COMMENT ON FUNCTION @extschema@.tag_dependents(text, text, text) IS
	'which tags depend on something (影响分析), directly (depth 1) or by way of other tags: a column, a column of a table below the source''s views, a view, a function, an event, a list, a model or a tag, by its name; of those that the caller may know of. Look before you drop or alter it';
