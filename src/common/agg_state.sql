
-- crm.agg_state: the state of aggregates for which no public type fits

CREATE TYPE @extschema@.agg_state;

CREATE FUNCTION @extschema@.agg_state_in(cstring) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_agg_state_in';
COMMENT ON FUNCTION @extschema@.agg_state_in(cstring) IS 'text input of agg_state';

CREATE FUNCTION @extschema@.agg_state_out(@extschema@.agg_state) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_agg_state_out';
COMMENT ON FUNCTION @extschema@.agg_state_out(@extschema@.agg_state) IS 'text output of agg_state';

CREATE FUNCTION @extschema@.agg_state_recv(internal) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_agg_state_recv';
COMMENT ON FUNCTION @extschema@.agg_state_recv(internal) IS 'binary input of agg_state';

CREATE FUNCTION @extschema@.agg_state_send(@extschema@.agg_state) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_agg_state_send';
COMMENT ON FUNCTION @extschema@.agg_state_send(@extschema@.agg_state) IS 'binary output of agg_state';

CREATE TYPE @extschema@.agg_state (
	INPUT = @extschema@.agg_state_in,
	OUTPUT = @extschema@.agg_state_out,
	RECEIVE = @extschema@.agg_state_recv,
	SEND = @extschema@.agg_state_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = external
);
COMMENT ON TYPE @extschema@.agg_state IS 'state of an aggregate in progress, passed between workers and servers; not for storing';
