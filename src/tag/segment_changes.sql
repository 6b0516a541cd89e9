-- Who entered and who left segments with a name, in order and exactly once for each consumer.

-- One row for each segment whose changes are recorded.  Changes up to lost_no are not there, or not all of them.
CREATE TABLE @extschema@.segment_follow (
	segment_id		int PRIMARY KEY REFERENCES @extschema@.segment_definition ON DELETE CASCADE,
	started			boolean NOT NULL,
	lost_no			bigint NOT NULL,
	lost_at			timestamptz
);
COMMENT ON TABLE @extschema@.segment_follow IS 'segments whose changes are recorded, and up to which change they are forgotten';

CREATE TABLE @extschema@.segment_followed (
	segment_id		int NOT NULL REFERENCES @extschema@.segment_definition ON DELETE CASCADE,
	scope_no		int NOT NULL,
	members			bytea NOT NULL,
	PRIMARY KEY (segment_id, scope_no)
);
COMMENT ON TABLE @extschema@.segment_followed IS 'members of followed segments after the last change, by scope, in the portable 64-bit Roaring form; without grants';

CREATE TABLE @extschema@.segment_change (
	segment_id		int NOT NULL REFERENCES @extschema@.segment_definition ON DELETE CASCADE,
	change_no		bigint NOT NULL,
	scope_no		int NOT NULL,
	changed_at		timestamptz NOT NULL,
	entered			bytea NOT NULL,
	exited			bytea NOT NULL,
	PRIMARY KEY (segment_id, change_no, scope_no)
);
COMMENT ON TABLE @extschema@.segment_change IS 'who entered and who left a segment with each change, by scope, in the portable 64-bit Roaring form; without grants';

-- partial_: how far the consumer has come within the first change behind change_no
CREATE TABLE @extschema@.segment_consumer (
	segment_id		int NOT NULL REFERENCES @extschema@.segment_definition ON DELETE CASCADE,
	consumer		text NOT NULL CHECK (consumer <> ''),
	owner			regrole NOT NULL,
	change_no		bigint NOT NULL,
	partial_exited	boolean,
	partial_id		bigint,
	created_at		timestamptz NOT NULL DEFAULT pg_catalog.now(),
	consumed_at		timestamptz,
	PRIMARY KEY (segment_id, consumer)
);
COMMENT ON TABLE @extschema@.segment_consumer IS 'how far each consumer of a segment''s changes has come';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.segment_follow', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.segment_followed', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.segment_change', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.segment_consumer', '');

ALTER TABLE @extschema@.segment_follow ENABLE ROW LEVEL SECURITY;
CREATE POLICY segment_follow_visible ON @extschema@.segment_follow FOR SELECT
	USING (EXISTS (SELECT FROM @extschema@.segment_definition d WHERE d.segment_id = segment_follow.segment_id));
ALTER TABLE @extschema@.segment_consumer ENABLE ROW LEVEL SECURITY;
CREATE POLICY segment_consumer_visible ON @extschema@.segment_consumer FOR SELECT
	USING (EXISTS (SELECT FROM @extschema@.segment_definition d WHERE d.segment_id = segment_consumer.segment_id));
GRANT SELECT ON @extschema@.segment_follow, @extschema@.segment_consumer TO PUBLIC;

CREATE FUNCTION @extschema@.follow_segment(name text, follow boolean DEFAULT true, population text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_follow_segment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.follow_segment(text, boolean, text) IS
	'whether the changes of a segment (客户分类) are recorded at each refresh and fold: they are unless said otherwise. Not following forgets those recorded. Owner only';

CREATE FUNCTION @extschema@.segment_changes(name text, since timestamptz DEFAULT NULL, population text DEFAULT NULL)
	RETURNS TABLE (change bigint, changed_at timestamptz, action text, customer_id bigint, customer text)
	AS 'MODULE_PATHNAME', 'crm_segment_changes' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 500;
COMMENT ON FUNCTION @extschema@.segment_changes(text, timestamptz, text) IS
	'who entered and who left a segment (客户分类变化) after an instant, NULL: as far as is kept; in order of changes, within one those who ''entered'', then those who ''exited'', by id. Of the scopes that the caller may read. Errors: 42704 unknown segment, 55000 changes since then are no longer kept, 42501 no right to whole sets';

CREATE FUNCTION @extschema@.segment_change_sets(name text, since timestamptz DEFAULT NULL, population text DEFAULT NULL)
	RETURNS TABLE (change bigint, changed_at timestamptz, entered @extschema@.audience, exited @extschema@.audience)
	AS 'MODULE_PATHNAME', 'crm_segment_change_sets' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 100;
COMMENT ON FUNCTION @extschema@.segment_change_sets(text, timestamptz, text) IS
	'the same as segment_changes with one row for each change: two audiences (人群)';

CREATE FUNCTION @extschema@.consume_segment_changes(name text, consumer text, max_changes int DEFAULT NULL, population text DEFAULT NULL)
	RETURNS TABLE (change bigint, changed_at timestamptz, action text, customer_id bigint, customer text)
	AS 'MODULE_PATHNAME', 'crm_consume_segment_changes' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000 ROWS 500;
COMMENT ON FUNCTION @extschema@.consume_segment_changes(text, text, int, text) IS
	'the changes of a segment that this consumer has not had yet, at most so many, in the order of segment_changes; each once: his position moves on in this transaction, a rollback gives them back, and another session that asks for the same consumer waits. The first call makes the consumer, beginning with the oldest change kept. Errors: as segment_changes, 42501 the consumer is another role''s';

CREATE FUNCTION @extschema@.drop_segment_consumer(name text, consumer text, population text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_drop_segment_consumer' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.drop_segment_consumer(text, text, text) IS
	'forgets how far a consumer of a segment''s changes has come. For the consumer''s owner and the segment''s';

CREATE VIEW @extschema@.segment_consumers WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS segment, c.consumer, pg_catalog.pg_get_userbyid(c.owner)::text AS owner,
		c.change_no AS consumed_up_to, p.change_no - c.change_no AS changes_behind, c.change_no < f.lost_no AS lost, c.consumed_at, c.created_at
	FROM @extschema@.segment_consumer c
	JOIN @extschema@.segment_definition d ON d.segment_id = c.segment_id
	JOIN @extschema@.population_definition p ON p.population_id = d.population_id
	LEFT JOIN @extschema@.segment_follow f ON f.segment_id = c.segment_id;
COMMENT ON VIEW @extschema@.segment_consumers IS 'consumers of segments'' changes and how far each has come';
COMMENT ON COLUMN @extschema@.segment_consumers.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.segment_consumers.segment IS 'name of the segment';
COMMENT ON COLUMN @extschema@.segment_consumers.consumer IS 'name of the consumer';
COMMENT ON COLUMN @extschema@.segment_consumers.owner IS 'role whose members may consume under this name';
COMMENT ON COLUMN @extschema@.segment_consumers.consumed_up_to IS 'number of the last change that it has had whole';
COMMENT ON COLUMN @extschema@.segment_consumers.changes_behind IS 'changes of the population since, whether or not they changed the segment';
COMMENT ON COLUMN @extschema@.segment_consumers.lost IS 'changes that it has not had are no longer kept';
COMMENT ON COLUMN @extschema@.segment_consumers.consumed_at IS 'when it consumed last';
COMMENT ON COLUMN @extschema@.segment_consumers.created_at IS 'when it consumed first';
GRANT SELECT ON @extschema@.segment_consumers TO PUBLIC;
