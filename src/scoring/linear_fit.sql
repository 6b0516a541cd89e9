-- linear_fit: least squares, with penalties or without

CREATE FUNCTION @extschema@.linear_fit_transfn(state @extschema@.agg_state, target float8, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_linear_fit_transfn';
COMMENT ON FUNCTION @extschema@.linear_fit_transfn(@extschema@.agg_state, float8, float8[]) IS
	'transition of linear_fit';

CREATE FUNCTION @extschema@.linear_fit_transfn(state @extschema@.agg_state, target float8, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_linear_fit_transfn';
COMMENT ON FUNCTION @extschema@.linear_fit_transfn(@extschema@.agg_state, float8, float8[], jsonb) IS
	'transition of linear_fit, with options';

CREATE FUNCTION @extschema@.linear_fit_transfn(state @extschema@.agg_state, target float8, features float8[], weight float8, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_linear_fit_transfn';
COMMENT ON FUNCTION @extschema@.linear_fit_transfn(@extschema@.agg_state, float8, float8[], float8, jsonb) IS
	'transition of linear_fit, with weights';

CREATE FUNCTION @extschema@.linear_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_linear_fit_combinefn';
COMMENT ON FUNCTION @extschema@.linear_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of linear_fit';

CREATE FUNCTION @extschema@.linear_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_linear_fit_finalfn';
COMMENT ON FUNCTION @extschema@.linear_fit_finalfn(@extschema@.agg_state) IS
	'result of linear_fit';

CREATE AGGREGATE @extschema@.linear_fit(target float8, features float8[]) (
	SFUNC = @extschema@.linear_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.linear_fit_finalfn,
	COMBINEFUNC = @extschema@.linear_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.linear_fit(float8, float8[]) IS
	'model of a number by least squares (线性回归)';

CREATE AGGREGATE @extschema@.linear_fit(target float8, features float8[], options jsonb) (
	SFUNC = @extschema@.linear_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.linear_fit_finalfn,
	COMBINEFUNC = @extschema@.linear_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.linear_fit(float8, float8[], jsonb) IS
	'model of a number by least squares, with options (线性回归)';

CREATE AGGREGATE @extschema@.linear_fit(target float8, features float8[], weight float8, options jsonb) (
	SFUNC = @extschema@.linear_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.linear_fit_finalfn,
	COMBINEFUNC = @extschema@.linear_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.linear_fit(float8, float8[], float8, jsonb) IS
	'model of a number by least squares, with weights (线性回归)';
