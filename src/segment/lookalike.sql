-- who looks like those of a seed

CREATE FUNCTION @extschema@.lookalike_fit_transfn(state @extschema@.agg_state, seed boolean, key text, VARIADIC features "any") RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_lookalike_fit_transfn';
COMMENT ON FUNCTION @extschema@.lookalike_fit_transfn(@extschema@.agg_state, boolean, text, "any") IS 'transition of lookalike_fit';

CREATE FUNCTION @extschema@.lookalike_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_lookalike_fit_combinefn';
COMMENT ON FUNCTION @extschema@.lookalike_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of lookalike_fit';

CREATE FUNCTION @extschema@.lookalike_fit_finalfn(state @extschema@.agg_state) RETURNS jsonb
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_lookalike_fit_finalfn';
COMMENT ON FUNCTION @extschema@.lookalike_fit_finalfn(@extschema@.agg_state) IS 'result of lookalike_fit';

CREATE AGGREGATE @extschema@.lookalike_fit(seed boolean, key text, VARIADIC features "any") (
	SFUNC = @extschema@.lookalike_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.lookalike_fit_finalfn,
	COMBINEFUNC = @extschema@.lookalike_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.lookalike_fit(boolean, text, "any") IS
	'a model of how the customers of a seed differ from others (相似人群), as weights of binned features, with how well held out members of the seed are found (auc); NULL when there are none or only such';

CREATE FUNCTION @extschema@.lookalike_score(model jsonb, VARIADIC features "any") RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_lookalike_score_of';
COMMENT ON FUNCTION @extschema@.lookalike_score(jsonb, "any") IS
	'how much a customer looks like those of the seed (相似度), from 0 to 1: the chance to be of it if seed and others were equally many';
