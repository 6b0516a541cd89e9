-- outliers: how far a value is from the others, by median and median absolute deviation

CREATE TYPE @extschema@.robust_scale AS (count bigint, median float8, mad float8, mean_deviation float8, lower_quartile float8, upper_quartile float8);
COMMENT ON TYPE @extschema@.robust_scale IS 'where values lie and how far they spread, so that outliers hardly move it (稳健尺度)';
COMMENT ON COLUMN @extschema@.robust_scale.count IS 'number of values';
COMMENT ON COLUMN @extschema@.robust_scale.median IS 'the middle value (中位数)';
COMMENT ON COLUMN @extschema@.robust_scale.mad IS 'median of the distances from the median (绝对中位差)';
COMMENT ON COLUMN @extschema@.robust_scale.mean_deviation IS 'mean of the distances from the median';
COMMENT ON COLUMN @extschema@.robust_scale.lower_quartile IS 'the type-7 quantile 0.25';
COMMENT ON COLUMN @extschema@.robust_scale.upper_quartile IS 'the type-7 quantile 0.75';

CREATE FUNCTION @extschema@.robust_scale_agg_transfn(state @extschema@.agg_state, value float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_robust_scale_agg_transfn';
COMMENT ON FUNCTION @extschema@.robust_scale_agg_transfn(@extschema@.agg_state, float8) IS 'transition of robust_scale_agg';

CREATE FUNCTION @extschema@.robust_scale_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_robust_scale_agg_combinefn';
COMMENT ON FUNCTION @extschema@.robust_scale_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of robust_scale_agg';

CREATE FUNCTION @extschema@.robust_scale_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.robust_scale
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_robust_scale_agg_finalfn';
COMMENT ON FUNCTION @extschema@.robust_scale_agg_finalfn(@extschema@.agg_state) IS 'result of robust_scale_agg';

CREATE AGGREGATE @extschema@.robust_scale_agg(value float8) (
	SFUNC = @extschema@.robust_scale_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.robust_scale_agg_finalfn,
	COMBINEFUNC = @extschema@.robust_scale_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.robust_scale_agg(float8) IS
	'median, median absolute deviation and quartiles of values (稳健尺度), exact; NULL without values';

CREATE FUNCTION @extschema@.outlier_score(value float8, scale @extschema@.robust_scale) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_outlier_score';
COMMENT ON FUNCTION @extschema@.outlier_score(float8, @extschema@.robust_scale) IS
	'how far a value is from the others (离群分数): the modified z-score of Iglewicz and Hoaglin, 0.6745 (value - median) / MAD, negative below the median; outliers are mostly those beyond 3.5. The mean deviation stands for a MAD of 0, and where all values are equal another one scores infinity';

CREATE FUNCTION @extschema@.is_outlier(value float8, scale @extschema@.robust_scale, threshold float8 DEFAULT 3.5) RETURNS boolean
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN pg_catalog.abs(@extschema@.outlier_score(value, scale)) OPERATOR(pg_catalog.>) threshold;
COMMENT ON FUNCTION @extschema@.is_outlier(float8, @extschema@.robust_scale, float8) IS
	'does a value score beyond the threshold (是否离群), to either side?';

CREATE FUNCTION @extschema@.tukey_fences(scale @extschema@.robust_scale, width float8 DEFAULT 1.5, OUT lower float8, OUT upper float8)
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 20
BEGIN ATOMIC
	SELECT (scale).lower_quartile - width * ((scale).upper_quartile - (scale).lower_quartile), (scale).upper_quartile + width * ((scale).upper_quartile - (scale).lower_quartile);
END;
COMMENT ON FUNCTION @extschema@.tukey_fences(@extschema@.robust_scale, float8) IS
	'the fences of a box plot (箱线图须): so many times the distance between the quartiles outside of them; values beyond are outliers';
