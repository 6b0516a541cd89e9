-- The due list: whose tags may change by the clock, by the hour.

CREATE TABLE @extschema@.tag_due (
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	bucket			timestamptz NOT NULL,
	members			bytea NOT NULL
);
CREATE INDEX tag_due_by_bucket ON @extschema@.tag_due (population_id, bucket);
COMMENT ON TABLE @extschema@.tag_due IS 'whose tags may change by the clock: sets of ids by the hour in which that may happen (doc/formats.md); written by refresh_tags and fold_tags';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_due', '');

-- When rules may change, asked in the scan that evaluates them.

CREATE FUNCTION @extschema@.tag_due_at(source regclass, rules text[], columns smallint[], as_of timestamptz,
	timeline @extschema@.timeline, next_event timestamptz, VARIADIC "any") RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'crm_tag_due_at' LANGUAGE C STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.tag_due_at(regclass, text[], smallint[], timestamptz, @extschema@.timeline, timestamptz, "any") IS
	'an instant before which none of these rules (标签规则) changes for a customer as long as nothing is written; the columns named by number, then their values. NULL: never. Called by refresh_tags';

CREATE FUNCTION @extschema@.tag_due_transfn(@extschema@.agg_state, id bigint, next timestamptz) RETURNS @extschema@.agg_state
	AS 'MODULE_PATHNAME', 'crm_tag_due_transfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.tag_due_transfn(@extschema@.agg_state, bigint, timestamptz) IS 'transition function of tag_due_agg';
CREATE FUNCTION @extschema@.tag_due_combinefn(@extschema@.agg_state, @extschema@.agg_state) RETURNS @extschema@.agg_state
	AS 'MODULE_PATHNAME', 'crm_tag_due_combinefn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.tag_due_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combine function of tag_due_agg';
CREATE FUNCTION @extschema@.tag_due_finalfn(@extschema@.agg_state) RETURNS @extschema@.agg_state
	AS 'MODULE_PATHNAME', 'crm_tag_due_finalfn' LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.tag_due_finalfn(@extschema@.agg_state) IS 'final function of tag_due_agg';
CREATE AGGREGATE @extschema@.tag_due_agg(id bigint, next timestamptz) (
	SFUNC = @extschema@.tag_due_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1048576,
	COMBINEFUNC = @extschema@.tag_due_combinefn,
	FINALFUNC = @extschema@.tag_due_finalfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.tag_due_agg(bigint, timestamptz) IS
	'the due list of a population: who is due in which hour; refresh_tags calls it beside tag_scan_agg';

-- Until when a tag stays as it is.

CREATE FUNCTION @extschema@.next_change(key text, tag text, population text DEFAULT NULL) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'crm_next_change_text' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000;
COMMENT ON FUNCTION @extschema@.next_change(text, text, text) IS
	'until when a customer''s tag (标签) stays as it is now, as far as the clock goes: it may change then, not before; infinity: not by the clock. NULL when that cannot be told from the rule, and when the caller may not see the customer''s row. Errors: 42704 unknown tag, 42501 no right to tags';
CREATE FUNCTION @extschema@.next_change(key bigint, tag text, population text DEFAULT NULL) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'crm_next_change_bigint' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000;
COMMENT ON FUNCTION @extschema@.next_change(bigint, text, text) IS
	'until when a customer''s tag (标签) stays as it is now, as far as the clock goes: it may change then, not before; infinity: not by the clock. NULL when that cannot be told from the rule, and when the caller may not see the customer''s row. Errors: 42704 unknown tag, 42501 no right to tags';
CREATE FUNCTION @extschema@.next_change(key uuid, tag text, population text DEFAULT NULL) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'crm_next_change_uuid' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000;
COMMENT ON FUNCTION @extschema@.next_change(uuid, text, text) IS
	'until when a customer''s tag (标签) stays as it is now, as far as the clock goes: it may change then, not before; infinity: not by the clock. NULL when that cannot be told from the rule, and when the caller may not see the customer''s row. Errors: 42704 unknown tag, 42501 no right to tags';
