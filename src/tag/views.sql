-- What readers and BI tools see of the catalogue.
--
-- Everybody may look at definitions, and row-level security shows him those of
-- populations that he may know of; values, sizes and scopes only of the scopes
-- whose sets he may read.  The stored sets and the key dictionary have no grants.

ALTER TABLE @extschema@.population_definition ENABLE ROW LEVEL SECURITY;
CREATE POLICY population_definition_visible ON @extschema@.population_definition FOR SELECT
	USING (@extschema@.can_see_population(population_id));
ALTER TABLE @extschema@.population_scope ENABLE ROW LEVEL SECURITY;
CREATE POLICY population_scope_visible ON @extschema@.population_scope FOR SELECT
	USING (@extschema@.can_read_sets(population_id, scope_no));
ALTER TABLE @extschema@.population_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY population_grant_visible ON @extschema@.population_grant FOR SELECT
	USING (@extschema@.can_see_population(population_id));
ALTER TABLE @extschema@.tag_definition ENABLE ROW LEVEL SECURITY;
CREATE POLICY tag_definition_visible ON @extschema@.tag_definition FOR SELECT
	USING (@extschema@.can_see_population(population_id));
ALTER TABLE @extschema@.tag_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY tag_version_visible ON @extschema@.tag_version FOR SELECT
	USING (EXISTS (SELECT FROM @extschema@.tag_definition d WHERE d.tag_id = tag_version.tag_id));
ALTER TABLE @extschema@.tag_value ENABLE ROW LEVEL SECURITY;
CREATE POLICY tag_value_visible ON @extschema@.tag_value FOR SELECT
	-- The values met tell of the customers: only those of readable sets.  No scope has number -1: all of them are asked for.
	USING (EXISTS (SELECT FROM @extschema@.tag_definition d
			WHERE d.tag_id = tag_value.tag_id AND @extschema@.can_read_sets(d.population_id, -1))
		OR EXISTS (SELECT FROM @extschema@.tag_size z WHERE z.tag_id = tag_value.tag_id AND z.value_no = tag_value.value_no));
ALTER TABLE @extschema@.tag_size ENABLE ROW LEVEL SECURITY;
CREATE POLICY tag_size_visible ON @extschema@.tag_size FOR SELECT
	USING (@extschema@.can_read_sets(population_id, scope_no));
ALTER TABLE @extschema@.refresh_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY refresh_history_visible ON @extschema@.refresh_history FOR SELECT
	-- it counts the customers of all scopes: whoever reads some of them learns from tag_catalog when they were refreshed
	USING (@extschema@.can_read_sets(population_id, -1));

GRANT SELECT ON
	@extschema@.population_definition, @extschema@.population_scope, @extschema@.population_grant,
	@extschema@.tag_definition, @extschema@.tag_version, @extschema@.tag_value, @extschema@.tag_size,
	@extschema@.refresh_history
	TO PUBLIC;

-- The customers of each population, in the scopes that the reader may read: the base of every share.
CREATE VIEW @extschema@.population_size WITH (security_invoker = true) AS
	SELECT p.population_id, p.name AS population, coalesce(sum(z.members), 0)::bigint AS customers
	FROM @extschema@.population_definition p
	LEFT JOIN @extschema@.tag_size z ON z.population_id = p.population_id AND z.tag_id = -p.population_id
	WHERE p.chunk_bits > 0 AND @extschema@.can_read_sets(p.population_id)
	GROUP BY p.population_id, p.name;
COMMENT ON VIEW @extschema@.population_size IS 'customers of each population (客户群体) at its last refresh, in the scopes that the reader may read';
COMMENT ON COLUMN @extschema@.population_size.population_id IS 'number of the population, the stamp of its audiences';
COMMENT ON COLUMN @extschema@.population_size.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.population_size.customers IS 'customers at the last refresh';

CREATE VIEW @extschema@.segment_size WITH (security_invoker = true) AS
	SELECT b.population, d.name AS tag, v.value, d.kind, coalesce(z.members, 0)::bigint AS members,
		coalesce(z.members, 0) / nullif(b.customers, 0)::float8 AS share, d.refreshed_at
	FROM @extschema@.population_size b
	JOIN @extschema@.tag_definition d ON d.population_id = b.population_id
	LEFT JOIN @extschema@.tag_value v ON v.tag_id = d.tag_id AND d.value_type = 'text'
	LEFT JOIN (
		SELECT tag_id, value_no, sum(members) AS members FROM @extschema@.tag_size GROUP BY tag_id, value_no
	) z ON z.tag_id = d.tag_id AND z.value_no = coalesce(v.value_no, 0)
	WHERE d.refreshed_version IS NOT NULL AND d.state <> 'retired' AND (d.value_type <> 'text' OR v.value_no IS NOT NULL);
COMMENT ON VIEW @extschema@.segment_size IS 'size of every stored set: one row for each boolean or numeric tag and for each value of a text tag, in the scopes that the reader may read';
COMMENT ON COLUMN @extschema@.segment_size.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.segment_size.tag IS 'name of the tag';
COMMENT ON COLUMN @extschema@.segment_size.value IS 'value of a text tag; NULL for a boolean tag, and for all who have a number of a numeric tag';
COMMENT ON COLUMN @extschema@.segment_size.kind IS 'base, timeliness, correlation, predictive or personality';
COMMENT ON COLUMN @extschema@.segment_size.members IS 'customers who have it';
COMMENT ON COLUMN @extschema@.segment_size.share IS 'their share of the population, 0 to 1; NULL for an empty population';
COMMENT ON COLUMN @extschema@.segment_size.refreshed_at IS 'when the set was stored';

CREATE VIEW @extschema@.tag_catalog WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS tag, d.kind, d.value_type,
		pg_catalog.pg_get_userbyid(d.owner)::text AS owner, d.version::bigint AS version, r.rule, d.description,
		CASE WHEN d.value_type = 'text' THEN
			(SELECT count(*) FROM @extschema@.tag_value v WHERE v.tag_id = d.tag_id) END AS value_count,
		z.members, z.members / nullif(b.customers, 0)::float8 AS share,
		d.refreshed_at, d.as_of, d.refreshed_at + d.valid_for AS valid_until,
		d.refreshed_version IS DISTINCT FROM d.version
			OR coalesce(d.refreshed_at + d.valid_for <= pg_catalog.now() AND NOT (t.tracked AND r.clock <> 'unknown'), false)
			OR c.cause IS NOT NULL AS stale,
		d.created_at, d.state, d.confidence, d.approved_by, d.approved_at, c.cause AS stale_cause,
		(SELECT min(s.as_of) FROM @extschema@.tag_statistic s WHERE s.tag_id = d.tag_id) AS population_as_of, r.expires,
		CASE WHEN t.tracked AND r.clock <> 'unknown' AND c.cause IS NULL THEN 'exact' ELSE 'as of last refresh' END AS exactness
	FROM @extschema@.tag_definition d
	JOIN @extschema@.population_definition p ON p.population_id = d.population_id
	JOIN @extschema@.tag_version r ON r.tag_id = d.tag_id AND r.version = d.version
	CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM @extschema@.tracked_relation l WHERE l.population_id = d.population_id) AS tracked) t
	LEFT JOIN @extschema@.population_size b ON b.population_id = d.population_id AND d.refreshed_version IS NOT NULL
	LEFT JOIN LATERAL (
		SELECT coalesce(sum(s.members), 0)::bigint AS members
		FROM @extschema@.tag_size s WHERE s.tag_id = d.tag_id AND b.population_id IS NOT NULL
	) z ON b.population_id IS NOT NULL
	CROSS JOIN LATERAL (SELECT @extschema@.tag_stale_cause(d.tag_id) AS cause OFFSET 0) c;
COMMENT ON VIEW @extschema@.tag_catalog IS 'the tags (标签目录) that the reader may know of: rule, owner, size and freshness';
COMMENT ON COLUMN @extschema@.tag_catalog.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.tag_catalog.tag IS 'name of the tag';
COMMENT ON COLUMN @extschema@.tag_catalog.kind IS 'base, timeliness, correlation, predictive or personality';
COMMENT ON COLUMN @extschema@.tag_catalog.value_type IS 'boolean: has it or not; text: one of several values; numeric: a number for each customer';
COMMENT ON COLUMN @extschema@.tag_catalog.owner IS 'role with whose rights the rule runs';
COMMENT ON COLUMN @extschema@.tag_catalog.version IS 'current version of the rule';
COMMENT ON COLUMN @extschema@.tag_catalog.rule IS 'the rule as its author wrote it';
COMMENT ON COLUMN @extschema@.tag_catalog.description IS 'what the tag means, in its author''s words';
COMMENT ON COLUMN @extschema@.tag_catalog.value_count IS 'values met so far, of a text tag';
COMMENT ON COLUMN @extschema@.tag_catalog.members IS 'customers who have it, in the scopes that the reader may read; NULL when never refreshed or not readable';
COMMENT ON COLUMN @extschema@.tag_catalog.share IS 'their share of the population, 0 to 1';
COMMENT ON COLUMN @extschema@.tag_catalog.refreshed_at IS 'when the stored set was made';
COMMENT ON COLUMN @extschema@.tag_catalog.as_of IS 'the moment for which the rule was evaluated';
COMMENT ON COLUMN @extschema@.tag_catalog.valid_until IS 'how long that stays true, where the tag says so (valid_for)';
COMMENT ON COLUMN @extschema@.tag_catalog.stale IS 'the stored set is of an earlier version of the rule or of what that is made from, past its validity, or missing: refresh_tags';
COMMENT ON COLUMN @extschema@.tag_catalog.created_at IS 'when the tag was created';
COMMENT ON COLUMN @extschema@.tag_catalog.state IS 'draft, approved or retired (alter_tag)';
COMMENT ON COLUMN @extschema@.tag_catalog.confidence IS 'how far its owner trusts it, 0 to 1';
COMMENT ON COLUMN @extschema@.tag_catalog.approved_by IS 'who approved it expressly';
COMMENT ON COLUMN @extschema@.tag_catalog.approved_at IS 'when that was';
COMMENT ON COLUMN @extschema@.tag_catalog.stale_cause IS 'what has changed of the columns, views, events and functions that the rule is made from since it was evaluated';
COMMENT ON COLUMN @extschema@.tag_catalog.population_as_of IS 'the moment for which a place among all customers, or the like, was found: between refreshes it is exact as of then; NULL for tags that do not look at the whole population';
COMMENT ON COLUMN @extschema@.tag_catalog.expires IS 'until when the tag is given, where it was created so';
COMMENT ON COLUMN @extschema@.tag_catalog.exactness IS 'exact: of a tracked population, and its changes by the clock are known beforehand, so that readers get it as it is now; else as of last refresh';

CREATE VIEW @extschema@.tag_coverage WITH (security_invoker = true) AS
	WITH tag_totals AS (
		SELECT b.population, b.customers, d.name AS tag, d.refreshed_at, coalesce(sum(z.members), 0)::bigint AS members,
			CASE WHEN d.value_type = 'text' THEN count(*) FILTER (WHERE z.members > 0) ELSE 1 END::float8 AS values_used,
			-- exp of the entropy: ln(n) - sum(m ln m) / n
			exp(ln(nullif(sum(z.members), 0)::float8)
				- sum(z.members::float8 * ln(greatest(z.members, 1)::float8) ORDER BY z.members) / nullif(sum(z.members), 0)::float8) AS effective
		FROM @extschema@.population_size b
		JOIN @extschema@.tag_definition d ON d.population_id = b.population_id AND d.refreshed_version IS NOT NULL AND d.state <> 'retired'
		LEFT JOIN (
			SELECT tag_id, value_no, sum(members) AS members FROM @extschema@.tag_size GROUP BY tag_id, value_no
		) z ON z.tag_id = d.tag_id
		GROUP BY b.population, b.customers, d.tag_id, d.name, d.value_type, d.refreshed_at
	)
	SELECT b.population, 'tags per customer'::text AS measure, NULL::text AS tag, g.bucket,
		g.customers, g.customers / nullif(b.customers, 0)::float8 AS value,
		-- readers of some scopes see no history
		coalesce((SELECT max(h.refreshed_at) FROM @extschema@.refresh_history h WHERE h.population_id = b.population_id),
			(SELECT max(d.refreshed_at) FROM @extschema@.tag_definition d WHERE d.population_id = b.population_id)) AS refreshed_at
	FROM @extschema@.population_size b
	CROSS JOIN LATERAL (
		SELECT coalesce(sum(customers) FILTER (WHERE tags = 0), 0)::bigint AS none,
			coalesce(sum(customers) FILTER (WHERE tags BETWEEN 1 AND 4), 0)::bigint AS few,
			coalesce(sum(customers) FILTER (WHERE tags BETWEEN 5 AND 19), 0)::bigint AS many,
			coalesce(sum(customers) FILTER (WHERE tags >= 20), 0)::bigint AS most
		FROM @extschema@.tag_counts(b.population)
	) c
	CROSS JOIN LATERAL (VALUES ('0', c.none), ('1-4', c.few), ('5-19', c.many), ('20+', c.most)) AS g (bucket, customers)
	UNION ALL
	SELECT t.population, 'coverage', t.tag, NULL, t.members, t.members / nullif(t.customers, 0)::float8, t.refreshed_at
	FROM tag_totals t
	UNION ALL
	SELECT t.population, 'values', t.tag, NULL, t.members, t.values_used, t.refreshed_at
	FROM tag_totals t
	UNION ALL
	SELECT t.population, 'effective values', t.tag, NULL, t.members, t.effective, t.refreshed_at
	FROM tag_totals t;
COMMENT ON VIEW @extschema@.tag_coverage IS 'how well tags cover the customers and how fine they are (标签覆盖范围和细化程度), in long form: one row for each measure, with the scopes that the reader may read';
COMMENT ON COLUMN @extschema@.tag_coverage.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.tag_coverage.measure IS 'tags per customer: by bucket; for each tag: coverage (share of customers with any value), values (number of different values in use), effective values (as many equally large values would be as fine)';
COMMENT ON COLUMN @extschema@.tag_coverage.tag IS 'name of the tag; NULL for tags per customer';
COMMENT ON COLUMN @extschema@.tag_coverage.bucket IS 'of tags per customer: 0, 1-4, 5-19 or 20+';
COMMENT ON COLUMN @extschema@.tag_coverage.customers IS 'customers in the bucket, or with the tag';
COMMENT ON COLUMN @extschema@.tag_coverage.value IS 'the measure: a share from 0 to 1, or a number of values; NULL where nobody is';
COMMENT ON COLUMN @extschema@.tag_coverage.refreshed_at IS 'when the sets behind it were stored';

CREATE VIEW @extschema@.customer_tag_long WITH (security_invoker = true) AS
	SELECT p.name AS population, m.key AS customer, m.id, d.name AS tag,
		CASE WHEN d.value_type = 'numeric' THEN
			trim_scale(@extschema@.bsi_value(@extschema@.tag_number(d.name, p.name), m.id))::text
			ELSE v.value END AS value, d.kind,
		d.refreshed_at, d.refreshed_at + d.valid_for AS valid_until
	FROM @extschema@.population_definition p
	JOIN @extschema@.tag_definition d ON d.population_id = p.population_id
	LEFT JOIN @extschema@.tag_value v ON v.tag_id = d.tag_id AND d.value_type = 'text'
	CROSS JOIN LATERAL @extschema@.member_rows(@extschema@.tag(d.name, v.value, p.name), p.name) m
	WHERE p.chunk_bits > 0 AND @extschema@.can_read_sets(p.population_id)
		AND d.refreshed_version IS NOT NULL AND d.state = 'approved' AND (d.value_type <> 'text' OR v.value_no IS NOT NULL)
		AND (d.valid_for IS NULL OR d.refreshed_at + d.valid_for > pg_catalog.now() OR EXISTS (
			-- evaluated as of now for every reader
			SELECT FROM @extschema@.tracked_relation l JOIN @extschema@.tag_version w ON w.tag_id = d.tag_id AND w.version = d.refreshed_version
			WHERE l.population_id = d.population_id AND w.clock <> 'unknown'));
COMMENT ON VIEW @extschema@.customer_tag_long IS 'one row for each customer and tag, in the scopes that the reader may read; meant to be filtered by tag: for one customer tags_of answers at once';
COMMENT ON COLUMN @extschema@.customer_tag_long.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.customer_tag_long.customer IS 'key of the customer, as text';
COMMENT ON COLUMN @extschema@.customer_tag_long.id IS 'id of the customer in audiences';
COMMENT ON COLUMN @extschema@.customer_tag_long.tag IS 'name of the tag';
COMMENT ON COLUMN @extschema@.customer_tag_long.value IS 'value of a text tag, number of a numeric tag, NULL for a boolean tag';
COMMENT ON COLUMN @extschema@.customer_tag_long.kind IS 'base, timeliness, correlation, predictive or personality';
COMMENT ON COLUMN @extschema@.customer_tag_long.refreshed_at IS 'when the set was stored';
COMMENT ON COLUMN @extschema@.customer_tag_long.valid_until IS 'how long that stays true, where the tag says so (valid_for)';

GRANT SELECT ON
	@extschema@.population_size, @extschema@.segment_size, @extschema@.tag_catalog, @extschema@.tag_coverage,
	@extschema@.customer_tag_long
	TO PUBLIC;
