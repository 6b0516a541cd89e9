-- The due list: whose tags may change by the clock, by the hour.

CREATE TABLE @extschema@.tag_due (
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	bucket			timestamptz NOT NULL,
	members			bytea NOT NULL
);
CREATE INDEX tag_due_by_bucket ON @extschema@.tag_due (population_id, bucket);
COMMENT ON TABLE @extschema@.tag_due IS 'whose tags may change by the clock: sets of ids by the hour in which that may happen (doc/formats.md); written by refresh_tags and fold_tags';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_due', '');
