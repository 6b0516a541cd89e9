-- boosted_trees_fit, boosted_trees_regression_fit: gradient boosted trees

CREATE FUNCTION @extschema@.boosted_trees_fit_transfn(state @extschema@.agg_state, label boolean, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_boosted_trees_fit_transfn';
COMMENT ON FUNCTION @extschema@.boosted_trees_fit_transfn(@extschema@.agg_state, boolean, float8[]) IS
	'transition of boosted_trees_fit';

CREATE FUNCTION @extschema@.boosted_trees_fit_transfn(state @extschema@.agg_state, label boolean, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_boosted_trees_fit_transfn';
COMMENT ON FUNCTION @extschema@.boosted_trees_fit_transfn(@extschema@.agg_state, boolean, float8[], jsonb) IS
	'transition of boosted_trees_fit, with options';

CREATE FUNCTION @extschema@.boosted_trees_fit_transfn(state @extschema@.agg_state, label boolean, features float8[], weight float8, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_boosted_trees_fit_transfn';
COMMENT ON FUNCTION @extschema@.boosted_trees_fit_transfn(@extschema@.agg_state, boolean, float8[], float8, jsonb) IS
	'transition of boosted_trees_fit, with weights';

CREATE FUNCTION @extschema@.boosted_trees_regression_fit_transfn(state @extschema@.agg_state, target float8, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_boosted_trees_regression_fit_transfn';
COMMENT ON FUNCTION @extschema@.boosted_trees_regression_fit_transfn(@extschema@.agg_state, float8, float8[]) IS
	'transition of boosted_trees_regression_fit';

CREATE FUNCTION @extschema@.boosted_trees_regression_fit_transfn(state @extschema@.agg_state, target float8, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_boosted_trees_regression_fit_transfn';
COMMENT ON FUNCTION @extschema@.boosted_trees_regression_fit_transfn(@extschema@.agg_state, float8, float8[], jsonb) IS
	'transition of boosted_trees_regression_fit, with options';

CREATE FUNCTION @extschema@.boosted_trees_regression_fit_transfn(state @extschema@.agg_state, target float8, features float8[], weight float8, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_boosted_trees_regression_fit_transfn';
COMMENT ON FUNCTION @extschema@.boosted_trees_regression_fit_transfn(@extschema@.agg_state, float8, float8[], float8, jsonb) IS
	'transition of boosted_trees_regression_fit, with weights';

CREATE FUNCTION @extschema@.boosted_trees_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_boosted_trees_fit_combinefn';
COMMENT ON FUNCTION @extschema@.boosted_trees_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of boosted_trees_fit or boosted_trees_regression_fit';

CREATE FUNCTION @extschema@.boosted_trees_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_boosted_trees_fit_finalfn';
COMMENT ON FUNCTION @extschema@.boosted_trees_fit_finalfn(@extschema@.agg_state) IS
	'result of boosted_trees_fit and boosted_trees_regression_fit';

CREATE AGGREGATE @extschema@.boosted_trees_fit(label boolean, features float8[]) (
	SFUNC = @extschema@.boosted_trees_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1000000,
	FINALFUNC = @extschema@.boosted_trees_fit_finalfn,
	COMBINEFUNC = @extschema@.boosted_trees_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.boosted_trees_fit(boolean, float8[]) IS
	'model of a yes or no by gradient boosted trees (梯度提升树)';

CREATE AGGREGATE @extschema@.boosted_trees_fit(label boolean, features float8[], options jsonb) (
	SFUNC = @extschema@.boosted_trees_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1000000,
	FINALFUNC = @extschema@.boosted_trees_fit_finalfn,
	COMBINEFUNC = @extschema@.boosted_trees_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.boosted_trees_fit(boolean, float8[], jsonb) IS
	'model of a yes or no by gradient boosted trees, with options (梯度提升树)';

CREATE AGGREGATE @extschema@.boosted_trees_fit(label boolean, features float8[], weight float8, options jsonb) (
	SFUNC = @extschema@.boosted_trees_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1000000,
	FINALFUNC = @extschema@.boosted_trees_fit_finalfn,
	COMBINEFUNC = @extschema@.boosted_trees_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.boosted_trees_fit(boolean, float8[], float8, jsonb) IS
	'model of a yes or no by gradient boosted trees, with weights (梯度提升树)';

CREATE AGGREGATE @extschema@.boosted_trees_regression_fit(target float8, features float8[]) (
	SFUNC = @extschema@.boosted_trees_regression_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1000000,
	FINALFUNC = @extschema@.boosted_trees_fit_finalfn,
	COMBINEFUNC = @extschema@.boosted_trees_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.boosted_trees_regression_fit(float8, float8[]) IS
	'model of a number or a count by gradient boosted trees (梯度提升树回归)';

CREATE AGGREGATE @extschema@.boosted_trees_regression_fit(target float8, features float8[], options jsonb) (
	SFUNC = @extschema@.boosted_trees_regression_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1000000,
	FINALFUNC = @extschema@.boosted_trees_fit_finalfn,
	COMBINEFUNC = @extschema@.boosted_trees_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.boosted_trees_regression_fit(float8, float8[], jsonb) IS
	'model of a number or a count by gradient boosted trees, with options (梯度提升树回归)';

CREATE AGGREGATE @extschema@.boosted_trees_regression_fit(target float8, features float8[], weight float8, options jsonb) (
	SFUNC = @extschema@.boosted_trees_regression_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 1000000,
	FINALFUNC = @extschema@.boosted_trees_fit_finalfn,
	COMBINEFUNC = @extschema@.boosted_trees_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.boosted_trees_regression_fit(float8, float8[], float8, jsonb) IS
	'model of a number or a count by gradient boosted trees, with weights (梯度提升树回归)';
