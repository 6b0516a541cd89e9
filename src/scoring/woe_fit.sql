-- naive Bayes and scorecards: models that add up the evidence of bins

CREATE FUNCTION @extschema@.naive_bayes_fit_transfn(state @extschema@.agg_state, label boolean, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_naive_bayes_fit_transfn';
COMMENT ON FUNCTION @extschema@.naive_bayes_fit_transfn(@extschema@.agg_state, boolean, float8[]) IS
	'transition of naive_bayes_fit';

CREATE FUNCTION @extschema@.naive_bayes_fit_transfn(state @extschema@.agg_state, label boolean, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_naive_bayes_fit_transfn';
COMMENT ON FUNCTION @extschema@.naive_bayes_fit_transfn(@extschema@.agg_state, boolean, float8[], jsonb) IS
	'transition of naive_bayes_fit, with options';

CREATE FUNCTION @extschema@.naive_bayes_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_naive_bayes_fit_combinefn';
COMMENT ON FUNCTION @extschema@.naive_bayes_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of naive_bayes_fit';

CREATE FUNCTION @extschema@.naive_bayes_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_naive_bayes_fit_finalfn';
COMMENT ON FUNCTION @extschema@.naive_bayes_fit_finalfn(@extschema@.agg_state) IS
	'result of naive_bayes_fit';

CREATE AGGREGATE @extschema@.naive_bayes_fit(label boolean, features float8[]) (
	SFUNC = @extschema@.naive_bayes_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 100000,
	FINALFUNC = @extschema@.naive_bayes_fit_finalfn,
	COMBINEFUNC = @extschema@.naive_bayes_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.naive_bayes_fit(boolean, float8[]) IS
	'model of a yes or no that adds up the evidence of the bins of each feature, shrunk (朴素贝叶斯)';

CREATE AGGREGATE @extschema@.naive_bayes_fit(label boolean, features float8[], options jsonb) (
	SFUNC = @extschema@.naive_bayes_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 100000,
	FINALFUNC = @extschema@.naive_bayes_fit_finalfn,
	COMBINEFUNC = @extschema@.naive_bayes_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.naive_bayes_fit(boolean, float8[], jsonb) IS
	'model of a yes or no that adds up the evidence of the bins of each feature, shrunk, with options (朴素贝叶斯)';

CREATE FUNCTION @extschema@.scorecard_fit_transfn(state @extschema@.agg_state, label boolean, features float8[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_scorecard_fit_transfn';
COMMENT ON FUNCTION @extschema@.scorecard_fit_transfn(@extschema@.agg_state, boolean, float8[]) IS
	'transition of scorecard_fit';

CREATE FUNCTION @extschema@.scorecard_fit_transfn(state @extschema@.agg_state, label boolean, features float8[], options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_scorecard_fit_transfn';
COMMENT ON FUNCTION @extschema@.scorecard_fit_transfn(@extschema@.agg_state, boolean, float8[], jsonb) IS
	'transition of scorecard_fit, with options';

CREATE FUNCTION @extschema@.scorecard_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_scorecard_fit_combinefn';
COMMENT ON FUNCTION @extschema@.scorecard_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of scorecard_fit';

CREATE FUNCTION @extschema@.scorecard_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_scorecard_fit_finalfn';
COMMENT ON FUNCTION @extschema@.scorecard_fit_finalfn(@extschema@.agg_state) IS
	'result of scorecard_fit';

CREATE AGGREGATE @extschema@.scorecard_fit(label boolean, features float8[]) (
	SFUNC = @extschema@.scorecard_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 100000,
	FINALFUNC = @extschema@.scorecard_fit_finalfn,
	COMBINEFUNC = @extschema@.scorecard_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.scorecard_fit(boolean, float8[]) IS
	'scorecard: bins with monotone evidence, regression upon them, points (评分卡)';

CREATE AGGREGATE @extschema@.scorecard_fit(label boolean, features float8[], options jsonb) (
	SFUNC = @extschema@.scorecard_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 100000,
	FINALFUNC = @extschema@.scorecard_fit_finalfn,
	COMBINEFUNC = @extschema@.scorecard_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.scorecard_fit(boolean, float8[], jsonb) IS
	'scorecard: bins with monotone evidence, regression upon them, points, with options (评分卡)';

CREATE FUNCTION @extschema@.scorecard(m @extschema@.model)
	RETURNS TABLE (feature int, name text, lower float8, upper float8, missing boolean, rows bigint, positives bigint, woe float8, points float8)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 50
	AS 'MODULE_PATHNAME', 'crm_scorecard';
COMMENT ON FUNCTION @extschema@.scorecard(@extschema@.model) IS
	'the bins of a scorecard and the points of each; feature 0 is what every row begins with (评分卡明细)';

CREATE FUNCTION @extschema@.points(m @extschema@.model, features float8[]) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_points';
COMMENT ON FUNCTION @extschema@.points(@extschema@.model, float8[]) IS
	'points of a row by a scorecard; more points, fewer positives (信用分)';

CREATE FUNCTION @extschema@.reason_codes(m @extschema@.model, features float8[], n int DEFAULT 4)
	RETURNS TABLE (reason int, feature int, name text, points float8, best float8, lost float8)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250 ROWS 4
	AS 'MODULE_PATHNAME', 'crm_reason_codes';
COMMENT ON FUNCTION @extschema@.reason_codes(@extschema@.model, float8[], int) IS
	'where a row lost points of a scorecard against the best bin of each feature, most first (扣分原因)';
