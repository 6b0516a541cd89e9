-- how well scores tell yes from no, and by how much

CREATE TYPE @extschema@.estimate AS (estimate float8, standard_error float8, lower float8, upper float8);
COMMENT ON TYPE @extschema@.estimate IS 'an estimate with its limits of confidence (置信区间)';
COMMENT ON COLUMN @extschema@.estimate.estimate IS 'the estimate';
COMMENT ON COLUMN @extschema@.estimate.standard_error IS 'its standard error; NULL with too few rows';
COMMENT ON COLUMN @extschema@.estimate.lower IS 'lower limit of 95 percent confidence';
COMMENT ON COLUMN @extschema@.estimate.upper IS 'upper limit of 95 percent confidence';

CREATE TYPE @extschema@.gain_row AS (bin int, rows bigint, positives bigint, rate float8, lift float8, cumulative_share float8);
COMMENT ON TYPE @extschema@.gain_row IS 'rows of one bin of scores, from the highest down (提升表)';
COMMENT ON COLUMN @extschema@.gain_row.bin IS 'number of the bin; 1 has the highest scores';
COMMENT ON COLUMN @extschema@.gain_row.rows IS 'rows in it';
COMMENT ON COLUMN @extschema@.gain_row.positives IS 'of these with a true label';
COMMENT ON COLUMN @extschema@.gain_row.rate IS 'share of positives in the bin';
COMMENT ON COLUMN @extschema@.gain_row.lift IS 'this rate over that of all rows (提升度)';
COMMENT ON COLUMN @extschema@.gain_row.cumulative_share IS 'share of all positives that this bin and those before it hold';

CREATE TYPE @extschema@.calibration_row AS (bin int, rows bigint, positives bigint, mean_score float8, rate float8, lower float8, upper float8);
COMMENT ON TYPE @extschema@.calibration_row IS 'what scores promised and what came, in one bin of scores (校准表)';
COMMENT ON COLUMN @extschema@.calibration_row.bin IS 'number of the bin; 1 has the lowest scores';
COMMENT ON COLUMN @extschema@.calibration_row.rows IS 'rows in it';
COMMENT ON COLUMN @extschema@.calibration_row.positives IS 'of these with a true label';
COMMENT ON COLUMN @extschema@.calibration_row.mean_score IS 'what was promised: the mean of the scores';
COMMENT ON COLUMN @extschema@.calibration_row.rate IS 'what came: the share of positives';
COMMENT ON COLUMN @extschema@.calibration_row.lower IS 'lower limit of the rate, 95 percent, by Wilson';
COMMENT ON COLUMN @extschema@.calibration_row.upper IS 'upper limit of the rate, 95 percent, by Wilson';

CREATE TYPE @extschema@.woe_row AS (bin text, rows bigint, positives bigint, woe float8, iv float8);
COMMENT ON TYPE @extschema@.woe_row IS 'evidence of one value of a column (WOE 证据权重)';
COMMENT ON COLUMN @extschema@.woe_row.bin IS 'the value; NULL: rows without one';
COMMENT ON COLUMN @extschema@.woe_row.rows IS 'rows with it';
COMMENT ON COLUMN @extschema@.woe_row.positives IS 'of these with a true label';
COMMENT ON COLUMN @extschema@.woe_row.woe IS 'weight of evidence: logarithm of its share of positives over its share of negatives';
COMMENT ON COLUMN @extschema@.woe_row.iv IS 'its part of the information value (IV 信息值)';

CREATE FUNCTION @extschema@.scores_transfn(state @extschema@.agg_state, label boolean, score float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_scores_transfn';
COMMENT ON FUNCTION @extschema@.scores_transfn(@extschema@.agg_state, boolean, float8) IS
	'transition of aggregates that rank scores';

CREATE FUNCTION @extschema@.scores_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_scores_combinefn';
COMMENT ON FUNCTION @extschema@.scores_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of aggregates that rank scores';

CREATE FUNCTION @extschema@.auc_finalfn(state @extschema@.agg_state) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_auc_finalfn';
COMMENT ON FUNCTION @extschema@.auc_finalfn(@extschema@.agg_state) IS
	'result of auc_agg';

CREATE AGGREGATE @extschema@.auc_agg(label boolean, score float8) (
	SFUNC = @extschema@.scores_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 100000,
	FINALFUNC = @extschema@.auc_finalfn,
	COMBINEFUNC = @extschema@.scores_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.auc_agg(boolean, float8) IS
	'area under the ROC curve: the chance that a positive scores higher than a negative, ties half (AUC)';

CREATE FUNCTION @extschema@.auc_interval_finalfn(state @extschema@.agg_state) RETURNS @extschema@.estimate
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_auc_interval_finalfn';
COMMENT ON FUNCTION @extschema@.auc_interval_finalfn(@extschema@.agg_state) IS
	'result of auc_interval_agg';

CREATE AGGREGATE @extschema@.auc_interval_agg(label boolean, score float8) (
	SFUNC = @extschema@.scores_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 100000,
	FINALFUNC = @extschema@.auc_interval_finalfn,
	COMBINEFUNC = @extschema@.scores_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.auc_interval_agg(boolean, float8) IS
	'area under the ROC curve with limits of 95 percent by DeLong (AUC 置信区间)';

CREATE FUNCTION @extschema@.ks_finalfn(state @extschema@.agg_state) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_ks_finalfn';
COMMENT ON FUNCTION @extschema@.ks_finalfn(@extschema@.agg_state) IS
	'result of ks_agg';

CREATE AGGREGATE @extschema@.ks_agg(label boolean, score float8) (
	SFUNC = @extschema@.scores_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 100000,
	FINALFUNC = @extschema@.ks_finalfn,
	COMBINEFUNC = @extschema@.scores_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.ks_agg(boolean, float8) IS
	'largest difference between the distributions of the scores of positives and negatives (KS)';

CREATE FUNCTION @extschema@.score_bins_transfn(state @extschema@.agg_state, bins int, label boolean, score float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_score_bins_transfn';
COMMENT ON FUNCTION @extschema@.score_bins_transfn(@extschema@.agg_state, int, boolean, float8) IS
	'transition of gain_table and calibration_table';

CREATE FUNCTION @extschema@.score_bins_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_score_bins_combinefn';
COMMENT ON FUNCTION @extschema@.score_bins_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of gain_table and calibration_table';

CREATE FUNCTION @extschema@.gain_table_finalfn(state @extschema@.agg_state) RETURNS @extschema@.gain_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_gain_table_finalfn';
COMMENT ON FUNCTION @extschema@.gain_table_finalfn(@extschema@.agg_state) IS
	'result of gain_table';

CREATE AGGREGATE @extschema@.gain_table(bins int, label boolean, score float8) (
	SFUNC = @extschema@.score_bins_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 100000,
	FINALFUNC = @extschema@.gain_table_finalfn,
	COMBINEFUNC = @extschema@.score_bins_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.gain_table(int, boolean, float8) IS
	'bins of scores from the highest down: rate, lift and share of positives reached; equal scores stay together (提升表)';

CREATE FUNCTION @extschema@.calibration_table_finalfn(state @extschema@.agg_state) RETURNS @extschema@.calibration_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_calibration_table_finalfn';
COMMENT ON FUNCTION @extschema@.calibration_table_finalfn(@extschema@.agg_state) IS
	'result of calibration_table';

CREATE AGGREGATE @extschema@.calibration_table(bins int, label boolean, score float8) (
	SFUNC = @extschema@.score_bins_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 100000,
	FINALFUNC = @extschema@.calibration_table_finalfn,
	COMBINEFUNC = @extschema@.score_bins_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.calibration_table(int, boolean, float8) IS
	'bins of scores from the lowest up: mean score and rate of positives with limits (校准表)';

CREATE FUNCTION @extschema@.log_loss_transfn(state @extschema@.agg_state, label boolean, probability float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_log_loss_transfn';
COMMENT ON FUNCTION @extschema@.log_loss_transfn(@extschema@.agg_state, boolean, float8) IS
	'transition of log_loss_agg';

CREATE FUNCTION @extschema@.brier_transfn(state @extschema@.agg_state, label boolean, probability float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_brier_transfn';
COMMENT ON FUNCTION @extschema@.brier_transfn(@extschema@.agg_state, boolean, float8) IS
	'transition of brier_agg';

CREATE FUNCTION @extschema@.losses_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_losses_combinefn';
COMMENT ON FUNCTION @extschema@.losses_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two sums of losses';

CREATE FUNCTION @extschema@.losses_finalfn(state @extschema@.agg_state) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_losses_finalfn';
COMMENT ON FUNCTION @extschema@.losses_finalfn(@extschema@.agg_state) IS
	'mean of losses';

CREATE FUNCTION @extschema@.losses_interval_finalfn(state @extschema@.agg_state) RETURNS @extschema@.estimate
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_losses_interval_finalfn';
COMMENT ON FUNCTION @extschema@.losses_interval_finalfn(@extschema@.agg_state) IS
	'mean of losses with its limits';

CREATE AGGREGATE @extschema@.log_loss_agg(label boolean, probability float8) (
	SFUNC = @extschema@.log_loss_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 48,
	FINALFUNC = @extschema@.losses_finalfn,
	COMBINEFUNC = @extschema@.losses_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.log_loss_agg(boolean, float8) IS
	'mean of - log(probability given to what came) (对数损失)';

CREATE AGGREGATE @extschema@.log_loss_interval_agg(label boolean, probability float8) (
	SFUNC = @extschema@.log_loss_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 48,
	FINALFUNC = @extschema@.losses_interval_finalfn,
	COMBINEFUNC = @extschema@.losses_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.log_loss_interval_agg(boolean, float8) IS
	'mean of - log(probability given to what came), with limits of 95 percent (对数损失)';

CREATE AGGREGATE @extschema@.brier_agg(label boolean, probability float8) (
	SFUNC = @extschema@.brier_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 48,
	FINALFUNC = @extschema@.losses_finalfn,
	COMBINEFUNC = @extschema@.losses_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.brier_agg(boolean, float8) IS
	'mean squared error of probabilities (Brier 评分)';

CREATE AGGREGATE @extschema@.brier_interval_agg(label boolean, probability float8) (
	SFUNC = @extschema@.brier_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 48,
	FINALFUNC = @extschema@.losses_interval_finalfn,
	COMBINEFUNC = @extschema@.losses_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.brier_interval_agg(boolean, float8) IS
	'mean squared error of probabilities, with limits of 95 percent (Brier 评分)';

CREATE FUNCTION @extschema@.woe_transfn(state @extschema@.agg_state, label boolean, bin text) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_woe_transfn';
COMMENT ON FUNCTION @extschema@.woe_transfn(@extschema@.agg_state, boolean, text) IS
	'transition of woe_table and information_value';

CREATE FUNCTION @extschema@.woe_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_woe_combinefn';
COMMENT ON FUNCTION @extschema@.woe_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of woe_table and information_value';

CREATE FUNCTION @extschema@.woe_table_finalfn(state @extschema@.agg_state) RETURNS @extschema@.woe_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_woe_table_finalfn';
COMMENT ON FUNCTION @extschema@.woe_table_finalfn(@extschema@.agg_state) IS
	'result of woe_table';

CREATE AGGREGATE @extschema@.woe_table(label boolean, bin text) (
	SFUNC = @extschema@.woe_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 4000,
	FINALFUNC = @extschema@.woe_table_finalfn,
	COMBINEFUNC = @extschema@.woe_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.woe_table(boolean, text) IS
	'weight of evidence of each value of a column; a count of 0 counts as 0.99 (WOE 表)';

CREATE FUNCTION @extschema@.information_value_finalfn(state @extschema@.agg_state) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_information_value_finalfn';
COMMENT ON FUNCTION @extschema@.information_value_finalfn(@extschema@.agg_state) IS
	'result of information_value';

CREATE AGGREGATE @extschema@.information_value(label boolean, bin text) (
	SFUNC = @extschema@.woe_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 4000,
	FINALFUNC = @extschema@.information_value_finalfn,
	COMBINEFUNC = @extschema@.woe_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.information_value(boolean, text) IS
	'information value of a column: how far its values tell positives from negatives (IV 信息值)';

CREATE FUNCTION @extschema@.psi(expected float8[], actual float8[]) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_psi';
COMMENT ON FUNCTION @extschema@.psi(float8[], float8[]) IS
	'population stability index of counts or shares of bins, then and now: above 0.1 look, above 0.25 act (PSI 群体稳定性)';
