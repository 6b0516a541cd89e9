-- logistic_fit: logistic regression

CREATE FUNCTION @extschema@.logistic_fit_transfn(state @extschema@.agg_state, label boolean, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_logistic_fit_transfn';
COMMENT ON FUNCTION @extschema@.logistic_fit_transfn(@extschema@.agg_state, boolean, float8[]) IS
	'transition of logistic_fit';

CREATE FUNCTION @extschema@.logistic_fit_transfn(state @extschema@.agg_state, label boolean, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_logistic_fit_transfn';
COMMENT ON FUNCTION @extschema@.logistic_fit_transfn(@extschema@.agg_state, boolean, float8[], jsonb) IS
	'transition of logistic_fit, with options';

CREATE FUNCTION @extschema@.logistic_fit_transfn(state @extschema@.agg_state, label boolean, features float8[], weight float8, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_logistic_fit_transfn';
COMMENT ON FUNCTION @extschema@.logistic_fit_transfn(@extschema@.agg_state, boolean, float8[], float8, jsonb) IS
	'transition of logistic_fit, with weights';

CREATE FUNCTION @extschema@.logistic_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_logistic_fit_combinefn';
COMMENT ON FUNCTION @extschema@.logistic_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of logistic_fit';

CREATE FUNCTION @extschema@.logistic_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_logistic_fit_finalfn';
COMMENT ON FUNCTION @extschema@.logistic_fit_finalfn(@extschema@.agg_state) IS
	'result of logistic_fit';

CREATE AGGREGATE @extschema@.logistic_fit(label boolean, features float8[]) (
	SFUNC = @extschema@.logistic_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.logistic_fit_finalfn,
	COMBINEFUNC = @extschema@.logistic_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.logistic_fit(boolean, float8[]) IS
	'model of a yes or no by maximum likelihood (逻辑回归)';

CREATE AGGREGATE @extschema@.logistic_fit(label boolean, features float8[], options jsonb) (
	SFUNC = @extschema@.logistic_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.logistic_fit_finalfn,
	COMBINEFUNC = @extschema@.logistic_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.logistic_fit(boolean, float8[], jsonb) IS
	'model of a yes or no by maximum likelihood, with options (逻辑回归)';

CREATE AGGREGATE @extschema@.logistic_fit(label boolean, features float8[], weight float8, options jsonb) (
	SFUNC = @extschema@.logistic_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 8000,
	FINALFUNC = @extschema@.logistic_fit_finalfn,
	COMBINEFUNC = @extschema@.logistic_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.logistic_fit(boolean, float8[], float8, jsonb) IS
	'model of a yes or no by maximum likelihood, with weights (逻辑回归)';
