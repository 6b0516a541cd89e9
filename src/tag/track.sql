-- Tracking: writers of the source mark whose rows they changed, readers evaluate those customers.

CREATE TABLE @extschema@.tracked_relation (
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	relation_no		int NOT NULL,
	relation		regclass NOT NULL,
	key_column		name NOT NULL,
	-- its keys are customers': new ones are numbered by whoever writes them
	customers		boolean NOT NULL,
	-- where the key is another relation's: that relation, its key, its column with the customer's key
	via				regclass,
	via_key			name,
	via_customer	name,
	-- of the partitions or children when they were last given their triggers: others are noticed
	tree			bigint NOT NULL,
	PRIMARY KEY (population_id, relation_no),
	CHECK ((via IS NULL) = (via_key IS NULL) AND (via IS NULL) = (via_customer IS NULL))
);
COMMENT ON TABLE @extschema@.tracked_relation IS 'relations whose changes are logged for a population (变更跟踪): the column that names the customer, or whose key leads to him';

-- No index: a writer appends and waits for nobody.  Folding empties it.
CREATE TABLE @extschema@.change_log (
	population_id	int NOT NULL,
	relation_no		int NOT NULL,
	everybody		boolean NOT NULL,
	ids				bigint[] NOT NULL,
	keys			text[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = -1);
COMMENT ON TABLE @extschema@.change_log IS 'customers whose rows were changed since the stored sets were brought up to date (变更日志); written by the triggers of tracked relations, emptied by fold_tags and refresh_tags';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.tracked_relation', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.change_log', '');

CREATE FUNCTION @extschema@.log_change() RETURNS trigger
	AS 'MODULE_PATHNAME', 'crm_log_change' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.log_change() IS
	'trigger of tracked relations: appends the keys of the rows that a statement changed to the change log. Arguments: population, relation, key column; made by track_population, and without effect elsewhere';

CREATE FUNCTION @extschema@.track_population(population text DEFAULT NULL, relations jsonb DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_track_population' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION @extschema@.track_population(text, jsonb) IS
	'has the changes of a population''s relations logged (变更跟踪), so that its tags are exact for every reader at every moment: statement-level triggers note whose rows a write changed, and nothing else. relations: NULL for the source, where it is a table, and the events; else an array of objects {relation, key}, and where the key is no customer''s but another relation''s, via {relation, key, customer}. Every table below a view must be named. Waits for writers of the relations. Owner of the population with the right to make triggers there. Errors: 42809 a relation that triggers cannot watch, 55000 tables that are missing, 42703 unknown column';

CREATE FUNCTION @extschema@.untrack_population(population text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_untrack_population' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000;
COMMENT ON FUNCTION @extschema@.untrack_population(text) IS
	'ends the logging of a population''s changes and drops the triggers; readers get the sets of the last refresh again. Owner only';

ALTER TABLE @extschema@.tracked_relation ENABLE ROW LEVEL SECURITY;
CREATE POLICY tracked_relation_visible ON @extschema@.tracked_relation FOR SELECT
	USING (@extschema@.can_see_population(population_id));
GRANT SELECT ON @extschema@.tracked_relation TO PUBLIC;

CREATE FUNCTION @extschema@.fold_tags(population text DEFAULT NULL, as_of timestamptz DEFAULT now())
	RETURNS TABLE (tag text, value text, members bigint, entered bigint, exited bigint)
	AS 'MODULE_PATHNAME', 'crm_fold_tags' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 100;
COMMENT ON FUNCTION @extschema@.fold_tags(text, timestamptz) IS
	'evaluates the customers of a tracked population who stand in the change log or are due by the clock, for all tags by the rules of their last refresh, puts them into the stored sets and empties the log; members, entered and exited of each tag and value. Only chunks that changed are written. Where partitions came or went, or a table was truncated, it refreshes all. Waits for refreshes and other folds, not for writers. Errors: 55000 not tracked, 42501 no right to define tags, 40001 at REPEATABLE READ when another came first';
