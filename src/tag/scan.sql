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

-- The same with declared types, for engines that send partial aggregates to other servers.
CREATE TYPE @extschema@.tag_scan_row;
CREATE FUNCTION @extschema@.tag_scan_row_in(cstring) RETURNS @extschema@.tag_scan_row
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'crm_tag_scan_row_in';
COMMENT ON FUNCTION @extschema@.tag_scan_row_in(cstring) IS 'refuses: a tag_scan_row has no text form';
CREATE FUNCTION @extschema@.tag_scan_row_out(@extschema@.tag_scan_row) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'crm_tag_scan_row_out';
COMMENT ON FUNCTION @extschema@.tag_scan_row_out(@extschema@.tag_scan_row) IS 'refuses: a tag_scan_row has no text form';
CREATE TYPE @extschema@.tag_scan_row (
	INPUT = @extschema@.tag_scan_row_in,
	OUTPUT = @extschema@.tag_scan_row_out,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = plain
);
COMMENT ON TYPE @extschema@.tag_scan_row IS 'what the rules need of one customer, between a scan and its aggregate; not for storing';
CREATE FUNCTION @extschema@.tag_scan_values(VARIADIC "any") RETURNS @extschema@.tag_scan_row
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'crm_tag_scan_values';
COMMENT ON FUNCTION @extschema@.tag_scan_values(VARIADIC "any") IS 'columns and expressions of a scan as one value for tag_scan_rows_agg';
CREATE FUNCTION @extschema@.tag_scan_rows_transfn(@extschema@.agg_state, plan bytea, chunk_bits int, id bigint, scope text, customer @extschema@.tag_scan_row)
	RETURNS @extschema@.agg_state
	LANGUAGE C STABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'crm_tag_scan_rows_transfn';
COMMENT ON FUNCTION @extschema@.tag_scan_rows_transfn(@extschema@.agg_state, bytea, int, bigint, text, @extschema@.tag_scan_row) IS
	'transition function of tag_scan_rows_agg';
CREATE AGGREGATE @extschema@.tag_scan_rows_agg(plan bytea, chunk_bits int, id bigint, scope text, customer @extschema@.tag_scan_row) (
	SFUNC = @extschema@.tag_scan_rows_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1048576,
	COMBINEFUNC = @extschema@.tag_scan_combinefn,
	FINALFUNC = @extschema@.tag_scan_finalfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.tag_scan_rows_agg(bytea, int, bigint, text, @extschema@.tag_scan_row) IS
	'tag_scan_agg with arguments of declared types; refresh_tags calls it where Citus is installed';
