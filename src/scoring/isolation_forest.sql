-- isolation_forest_fit: rows that stand apart from the others

CREATE FUNCTION @extschema@.isolation_forest_fit_transfn(state @extschema@.agg_state, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_isolation_forest_fit_transfn';
COMMENT ON FUNCTION @extschema@.isolation_forest_fit_transfn(@extschema@.agg_state, float8[]) IS
	'transition of isolation_forest_fit';

CREATE FUNCTION @extschema@.isolation_forest_fit_transfn(state @extschema@.agg_state, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_isolation_forest_fit_transfn';
COMMENT ON FUNCTION @extschema@.isolation_forest_fit_transfn(@extschema@.agg_state, float8[], jsonb) IS
	'transition of isolation_forest_fit, with options';

CREATE FUNCTION @extschema@.isolation_forest_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_isolation_forest_fit_combinefn';
COMMENT ON FUNCTION @extschema@.isolation_forest_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of isolation_forest_fit';

CREATE FUNCTION @extschema@.isolation_forest_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_isolation_forest_fit_finalfn';
COMMENT ON FUNCTION @extschema@.isolation_forest_fit_finalfn(@extschema@.agg_state) IS
	'result of isolation_forest_fit';

CREATE AGGREGATE @extschema@.isolation_forest_fit(features float8[]) (
	SFUNC = @extschema@.isolation_forest_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.isolation_forest_fit_finalfn,
	COMBINEFUNC = @extschema@.isolation_forest_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.isolation_forest_fit(float8[]) IS
	'a model of how soon a row is alone when random cuts are made (孤立森林): predict gives a score from 0 to 1, near 1 for rows that stand apart, explain which features set them apart; NULL of fewer than two rows';

CREATE AGGREGATE @extschema@.isolation_forest_fit(features float8[], options jsonb) (
	SFUNC = @extschema@.isolation_forest_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.isolation_forest_fit_finalfn,
	COMBINEFUNC = @extschema@.isolation_forest_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.isolation_forest_fit(float8[], jsonb) IS
	'a model of how soon a row is alone when random cuts are made (孤立森林), with options trees, sample, seed: predict gives a score from 0 to 1, near 1 for rows that stand apart, explain which features set them apart; NULL of fewer than two rows';

