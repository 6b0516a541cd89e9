-- cox_fit: what makes customers leave sooner

CREATE FUNCTION @extschema@.cox_fit_transfn(state @extschema@.agg_state, duration float8, event boolean, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_cox_fit_transfn';
COMMENT ON FUNCTION @extschema@.cox_fit_transfn(@extschema@.agg_state, float8, boolean, float8[]) IS
	'transition of cox_fit';

CREATE FUNCTION @extschema@.cox_fit_transfn(state @extschema@.agg_state, duration float8, event boolean, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_cox_fit_transfn';
COMMENT ON FUNCTION @extschema@.cox_fit_transfn(@extschema@.agg_state, float8, boolean, float8[], jsonb) IS
	'transition of cox_fit, with options';

CREATE FUNCTION @extschema@.cox_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_cox_fit_combinefn';
COMMENT ON FUNCTION @extschema@.cox_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of cox_fit';

CREATE FUNCTION @extschema@.cox_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_cox_fit_finalfn';
COMMENT ON FUNCTION @extschema@.cox_fit_finalfn(@extschema@.agg_state) IS
	'result of cox_fit';

CREATE AGGREGATE @extschema@.cox_fit(duration float8, event boolean, features float8[]) (
	SFUNC = @extschema@.cox_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.cox_fit_finalfn,
	COMBINEFUNC = @extschema@.cox_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.cox_fit(float8, boolean, float8[]) IS
	'model of what makes customers leave sooner (生存回归): proportional hazards (Cox 1972), of the time from a customer''s beginning to his leaving (event) or to when he was last seen, and his features. Standard errors as of the likelihood and robust ones (Lin and Wei 1989). Rows with a NULL duration, event or array are ignored; no rows: NULL; nobody left: 22023. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.cox_fit(duration float8, event boolean, features float8[], options jsonb) (
	SFUNC = @extschema@.cox_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.cox_fit_finalfn,
	COMBINEFUNC = @extschema@.cox_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.cox_fit(float8, boolean, float8[], jsonb) IS
	'model of what makes customers leave sooner (生存回归): proportional hazards (Cox 1972), of the time from a customer''s beginning to his leaving (event) or to when he was last seen, and his features; options ties (efron, breslow), missing (error, skip). Standard errors as of the likelihood and robust ones (Lin and Wei 1989). Rows with a NULL duration, event or array are ignored; no rows: NULL; nobody left: 22023. Keeps all rows, up to crm_analytics.training_memory';

CREATE FUNCTION @extschema@.survival_probability(m @extschema@.model, features float8[], "time" float8) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_survival_probability';
COMMENT ON FUNCTION @extschema@.survival_probability(@extschema@.model, float8[], float8) IS
	'probability that a customer with these features stays longer than a time (留存概率), by a model of cox_fit; 1 before the first event, the last value behind the last. NULL for a NULL';
