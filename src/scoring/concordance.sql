-- Do scores tell who leaves sooner?

CREATE FUNCTION @extschema@.concordance_transfn(state @extschema@.agg_state, duration float8, event boolean, score float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_concordance_transfn';
COMMENT ON FUNCTION @extschema@.concordance_transfn(@extschema@.agg_state, float8, boolean, float8) IS
	'transition of concordance_agg and concordance_interval_agg';

CREATE FUNCTION @extschema@.concordance_transfn(state @extschema@.agg_state, duration float8, event boolean, score float8, other float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_concordance_transfn';
COMMENT ON FUNCTION @extschema@.concordance_transfn(@extschema@.agg_state, float8, boolean, float8, float8) IS
	'transition of concordance_gain_agg';

CREATE FUNCTION @extschema@.concordance_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_concordance_combinefn';
COMMENT ON FUNCTION @extschema@.concordance_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of concordance_agg and its like';

CREATE FUNCTION @extschema@.concordance_finalfn(state @extschema@.agg_state) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_concordance_finalfn';
COMMENT ON FUNCTION @extschema@.concordance_finalfn(@extschema@.agg_state) IS
	'result of concordance_agg';

CREATE AGGREGATE @extschema@.concordance_agg(duration float8, event boolean, score float8) (
	SFUNC = @extschema@.concordance_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.concordance_finalfn,
	COMBINEFUNC = @extschema@.concordance_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.concordance_agg(float8, boolean, float8) IS
	'share of pairs of rows in which the one that left sooner had the higher score (一致性指数): Harrell''s C (1982), equal scores count a half; 0.5 is chance. Rows with a NULL are ignored; no rows, or no pair that can be compared: NULL. Keeps all rows, up to crm_analytics.training_memory';

CREATE FUNCTION @extschema@.concordance_interval_finalfn(state @extschema@.agg_state) RETURNS float8[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_concordance_interval_finalfn';
COMMENT ON FUNCTION @extschema@.concordance_interval_finalfn(@extschema@.agg_state) IS
	'result of concordance_interval_agg';

CREATE AGGREGATE @extschema@.concordance_interval_agg(duration float8, event boolean, score float8) (
	SFUNC = @extschema@.concordance_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.concordance_interval_finalfn,
	COMBINEFUNC = @extschema@.concordance_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.concordance_interval_agg(float8, boolean, float8) IS
	'concordance_agg with limits of 95 percent (infinitesimal jackknife): value, lower, upper (一致性指数的置信区间)';

CREATE FUNCTION @extschema@.concordance_gain_finalfn(state @extschema@.agg_state) RETURNS float8[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_concordance_gain_finalfn';
COMMENT ON FUNCTION @extschema@.concordance_gain_finalfn(@extschema@.agg_state) IS
	'result of concordance_gain_agg';

CREATE AGGREGATE @extschema@.concordance_gain_agg(duration float8, event boolean, score float8, other float8) (
	SFUNC = @extschema@.concordance_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.concordance_gain_finalfn,
	COMBINEFUNC = @extschema@.concordance_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.concordance_gain_agg(float8, boolean, float8, float8) IS
	'by how much the concordance of the other score is greater, and the standard error of that, by the same pairs (一致性之差)';
