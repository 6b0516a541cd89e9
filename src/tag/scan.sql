-- The one scan that evaluates all rules of a population.

CREATE TYPE @extschema@.agg_state;
CREATE FUNCTION @extschema@.agg_state_in(cstring) RETURNS @extschema@.agg_state
	AS 'MODULE_PATHNAME', 'crm_agg_state_in' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.agg_state_in(cstring) IS 'input of agg_state: base64';
CREATE FUNCTION @extschema@.agg_state_out(@extschema@.agg_state) RETURNS cstring
	AS 'MODULE_PATHNAME', 'crm_agg_state_out' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.agg_state_out(@extschema@.agg_state) IS 'output of agg_state: base64';
CREATE FUNCTION @extschema@.agg_state_recv(internal) RETURNS @extschema@.agg_state
	AS 'MODULE_PATHNAME', 'crm_agg_state_recv' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.agg_state_recv(internal) IS 'binary input of agg_state';
CREATE FUNCTION @extschema@.agg_state_send(@extschema@.agg_state) RETURNS bytea
	AS 'MODULE_PATHNAME', 'crm_agg_state_send' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION @extschema@.agg_state_send(@extschema@.agg_state) IS 'binary output of agg_state';
CREATE TYPE @extschema@.agg_state (
	INPUT = @extschema@.agg_state_in,
	OUTPUT = @extschema@.agg_state_out,
	RECEIVE = @extschema@.agg_state_recv,
	SEND = @extschema@.agg_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = external
);
COMMENT ON TYPE @extschema@.agg_state IS
	'partial state of an aggregate that has no public type of its own: it travels between processes and nodes of one version, and is not for storing';

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
CREATE AGGREGATE @extschema@.tag_scan_agg(plan bytea, chunk_bits int, id bigint, VARIADIC "any") (
	SFUNC = @extschema@.tag_scan_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1048576,
	COMBINEFUNC = @extschema@.tag_scan_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.tag_scan_agg(bytea, int, bigint, VARIADIC "any") IS
	'the sets of all rules of a population in one scan; refresh_tags builds the plan and the arguments (scope, then columns and expressions)';
