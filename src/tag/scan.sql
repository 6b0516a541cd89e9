-- The one scan that evaluates all rules of a population.

CREATE FUNCTION @extschema@.tag_scan_transfn(@extschema@.agg_state, plan bytea, chunk_bits int, id bigint, VARIADIC "any")
	RETURNS @extschema@.agg_state
	AS 'MODULE_PATHNAME', 'crm_tag_scan_transfn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.tag_scan_transfn(@extschema@.agg_state, bytea, int, bigint, VARIADIC "any") IS
	'transition function of tag_scan_agg';
CREATE FUNCTION @extschema@.tag_scan_combinefn(@extschema@.agg_state, @extschema@.agg_state)
	RETURNS @extschema@.agg_state
	AS 'MODULE_PATHNAME', 'crm_tag_scan_combinefn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.tag_scan_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combine function of tag_scan_agg';
CREATE FUNCTION @extschema@.tag_scan_finalfn(@extschema@.agg_state)
	RETURNS @extschema@.agg_state
	AS 'MODULE_PATHNAME', 'crm_tag_scan_finalfn' LANGUAGE C STABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.tag_scan_finalfn(@extschema@.agg_state) IS
	'final function of tag_scan_agg';
CREATE AGGREGATE @extschema@.tag_scan_agg(plan bytea, chunk_bits int, id bigint, VARIADIC "any") (
	SFUNC = @extschema@.tag_scan_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1048576,
	COMBINEFUNC = @extschema@.tag_scan_combinefn,
	FINALFUNC = @extschema@.tag_scan_finalfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.tag_scan_agg(bytea, int, bigint, VARIADIC "any") IS
	'the sets of all rules of a population in one scan; refresh_tags builds the plan and the arguments (scope, then columns and expressions)';

CREATE AGGREGATE @extschema@.tag_scan_merge_agg(state @extschema@.agg_state) (
	SFUNC = @extschema@.tag_scan_combinefn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1048576,
	COMBINEFUNC = @extschema@.tag_scan_combinefn,
	FINALFUNC = @extschema@.tag_scan_finalfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.tag_scan_merge_agg(@extschema@.agg_state) IS
	'the sets of scans of the parts of a population, as those of one scan; refresh_tags calls it where the parts lie on other servers';
