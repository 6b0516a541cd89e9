-- History: what the stored sets were at an earlier instant, kept as changes.

CREATE TABLE @extschema@.population_change (
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	change_no		bigint NOT NULL,
	changed_at		timestamptz NOT NULL,
	-- of the refresh: its transaction's time, the moment it looked from, the tags (NULL: all)
	refreshed_at	timestamptz NOT NULL,
	as_of			timestamptz,
	tags			int[],
	PRIMARY KEY (population_id, change_no)
);
COMMENT ON TABLE @extschema@.population_change IS 'the changes of a population''s stored sets, by number; their instants ascend. History reaches back to the first one kept';

-- tag_id below zero is the population itself
CREATE TABLE @extschema@.tag_state (
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	tag_id			int NOT NULL,
	change_no		bigint NOT NULL,
	first			boolean NOT NULL,
	version			int,
	refreshed_at	timestamptz,
	as_of			timestamptz,
	number_scale	int,
	number_slices	int,
	PRIMARY KEY (tag_id, change_no)
);
CREATE INDEX tag_state_by_population ON @extschema@.tag_state (population_id);
COMMENT ON TABLE @extschema@.tag_state IS 'from which change on a tag had its stored sets in which version and form; first: no sets before';

-- As in tag_set, the chunk stands before the tag: one customer's past lies side by side.
CREATE TABLE @extschema@.tag_change (
	population_id	int NOT NULL,
	scope_no		int NOT NULL,
	chunk			bigint NOT NULL,
	tag_id			int NOT NULL,
	value_no		int NOT NULL,
	change_no		bigint NOT NULL,
	entered			bytea,
	exited			bytea,
	PRIMARY KEY (population_id, scope_no, chunk, tag_id, value_no, change_no)
);
CREATE INDEX tag_change_by_tag ON @extschema@.tag_change (tag_id, value_no, change_no, chunk);
COMMENT ON TABLE @extschema@.tag_change IS 'who entered and who left each stored set at each change, in chunks of ids (doc/formats.md)';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.population_change', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_state', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_change', '');

ALTER TABLE @extschema@.population_change ENABLE ROW LEVEL SECURITY;
CREATE POLICY population_change_visible ON @extschema@.population_change FOR SELECT
	USING (@extschema@.can_see_population(population_id));
ALTER TABLE @extschema@.tag_state ENABLE ROW LEVEL SECURITY;
CREATE POLICY tag_state_visible ON @extschema@.tag_state FOR SELECT
	USING (@extschema@.can_see_population(population_id));
GRANT SELECT ON @extschema@.population_change, @extschema@.tag_state TO PUBLIC;

CREATE FUNCTION @extschema@.keep_history(population text, keep interval) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_keep_history' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.keep_history(text, interval) IS
	'how long the history (历史) of a population''s sets is kept, for as_of of tag, segment, tags_of and profile and for segment_changes: 90 days unless said otherwise, NULL for none. A shorter time takes effect at once. Owner only';

CREATE VIEW @extschema@.tag_history WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS tag,
		greatest(f.changed_at, (SELECT min(c.changed_at) FROM @extschema@.population_change c WHERE c.population_id = d.population_id)) AS since,
		p.changed_at AS last_change, p.keep_history AS keep
	FROM @extschema@.tag_definition d
	JOIN @extschema@.population_definition p ON p.population_id = d.population_id
	JOIN LATERAL (SELECT min(s.change_no) AS change_no FROM @extschema@.tag_state s WHERE s.tag_id = d.tag_id) b ON b.change_no IS NOT NULL
	LEFT JOIN @extschema@.population_change f ON f.population_id = d.population_id AND f.change_no = b.change_no;
COMMENT ON VIEW @extschema@.tag_history IS 'how far back the history (历史) of each tag''s sets reaches';
COMMENT ON COLUMN @extschema@.tag_history.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.tag_history.tag IS 'name of the tag';
COMMENT ON COLUMN @extschema@.tag_history.since IS 'the earliest as_of that is answered';
COMMENT ON COLUMN @extschema@.tag_history.last_change IS 'instant of the population''s last change';
COMMENT ON COLUMN @extschema@.tag_history.keep IS 'how long changes are kept';
GRANT SELECT ON @extschema@.tag_history TO PUBLIC;

CREATE FUNCTION @extschema@.evaluate_tag(name text, as_of timestamptz DEFAULT now(), value text DEFAULT NULL, population text DEFAULT NULL,
	columns text DEFAULT NULL) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_evaluate_tag' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000;
COMMENT ON FUNCTION @extschema@.evaluate_tag(text, timestamptz, text, text, text) IS
	'who has, or had at as_of, a tag (标签) as far as is known now: its present rule evaluated over all rows and the stored timelines, nothing stored. In the scopes that the caller may read, as the tag''s owner. as_of and columns as in refresh_tags: 55000 for a rule over columns as of the past. NULL for NULL';
