
-- retention: which conditions a customer met whose first condition was met

CREATE FUNCTION @extschema@.retention_transfn(state @extschema@.agg_state, VARIADIC conditions boolean[])
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_retention_transfn';
COMMENT ON FUNCTION @extschema@.retention_transfn(@extschema@.agg_state, boolean[]) IS 'transition of retention';

CREATE FUNCTION @extschema@.retention_combinefn(a @extschema@.agg_state, b @extschema@.agg_state)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_retention_combinefn';
COMMENT ON FUNCTION @extschema@.retention_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of retention';

CREATE FUNCTION @extschema@.retention_finalfn(state @extschema@.agg_state) RETURNS boolean[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_retention_finalfn';
COMMENT ON FUNCTION @extschema@.retention_finalfn(@extschema@.agg_state) IS 'result of retention';

CREATE AGGREGATE @extschema@.retention(VARIADIC conditions boolean[]) (
	SFUNC = @extschema@.retention_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 24,
	FINALFUNC = @extschema@.retention_finalfn,
	COMBINEFUNC = @extschema@.retention_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.retention(boolean[]) IS
	'element 1: some row met the first condition; element i: some row met it and some row met condition i (留存)';
