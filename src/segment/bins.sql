-- bins as values: cuts made once, then a scalar

CREATE TYPE @extschema@.bins;

CREATE FUNCTION @extschema@.bins_in(cstring) RETURNS @extschema@.bins
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_bins_in';
COMMENT ON FUNCTION @extschema@.bins_in(cstring) IS 'text input of bins';

CREATE FUNCTION @extschema@.bins_out(@extschema@.bins) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_bins_out';
COMMENT ON FUNCTION @extschema@.bins_out(@extschema@.bins) IS 'text output of bins: JSON, exact numbers';

CREATE FUNCTION @extschema@.bins_recv(internal) RETURNS @extschema@.bins
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_bins_recv';
COMMENT ON FUNCTION @extschema@.bins_recv(internal) IS 'binary input of bins';

CREATE FUNCTION @extschema@.bins_send(@extschema@.bins) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_bins_send';
COMMENT ON FUNCTION @extschema@.bins_send(@extschema@.bins) IS 'binary output of bins';

CREATE TYPE @extschema@.bins (
	INPUT = @extschema@.bins_in,
	OUTPUT = @extschema@.bins_out,
	RECEIVE = @extschema@.bins_recv,
	SEND = @extschema@.bins_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.bins IS 'bins of numbers (分箱): ascending cuts, and which side a cut itself belongs to';

CREATE FUNCTION @extschema@.make_bins(cuts float8[], inclusive boolean DEFAULT false) RETURNS @extschema@.bins
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_make_bins';
COMMENT ON FUNCTION @extschema@.make_bins(float8[], boolean) IS
	'bins with cuts of ones own, ascending; a value that equals a cut lies in the bin above it or, if inclusive, in the one below';

CREATE FUNCTION @extschema@.bin(value float8, bins @extschema@.bins) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_bin';
COMMENT ON FUNCTION @extschema@.bin(float8, @extschema@.bins) IS
	'the bin of a value (分箱), 1 the lowest; NULL for NULL';

CREATE FUNCTION @extschema@.bin_label(value float8, bins @extschema@.bins) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_bin_label';
COMMENT ON FUNCTION @extschema@.bin_label(float8, @extschema@.bins) IS
	'the bin of a value as PostgreSQL writes ranges (分箱标签), [18,30): a bin for woe_table and information_value, which count NULL as one of its own';

CREATE FUNCTION @extschema@.bin_count(bins @extschema@.bins) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_bin_count';
COMMENT ON FUNCTION @extschema@.bin_count(@extschema@.bins) IS
	'number of bins (箱数), one more than cuts';

CREATE FUNCTION @extschema@.bin_cuts(bins @extschema@.bins) RETURNS float8[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_bin_cuts';
COMMENT ON FUNCTION @extschema@.bin_cuts(@extschema@.bins) IS
	'the cuts between bins (切点), ascending';

CREATE FUNCTION @extschema@.bin_ranges(bins @extschema@.bins)
	RETURNS TABLE (bin int, label text, lower float8, upper float8)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_bin_ranges';
COMMENT ON FUNCTION @extschema@.bin_ranges(@extschema@.bins) IS
	'all bins as rows (分箱区间), the lowest first; the first has no lower end, the last no upper one';

-- cuts from the rows themselves

CREATE FUNCTION @extschema@.quantile_bins_agg_transfn(state @extschema@.agg_state, n int, value float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_quantile_bins_agg_transfn';
COMMENT ON FUNCTION @extschema@.quantile_bins_agg_transfn(@extschema@.agg_state, int, float8) IS 'transition of quantile_bins_agg';

CREATE FUNCTION @extschema@.quantile_bins_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_quantile_bins_agg_combinefn';
COMMENT ON FUNCTION @extschema@.quantile_bins_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of quantile_bins_agg';

CREATE FUNCTION @extschema@.quantile_bins_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.bins
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_quantile_bins_agg_finalfn';
COMMENT ON FUNCTION @extschema@.quantile_bins_agg_finalfn(@extschema@.agg_state) IS 'result of quantile_bins_agg';

CREATE AGGREGATE @extschema@.quantile_bins_agg(n int, value float8) (
	SFUNC = @extschema@.quantile_bins_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.quantile_bins_agg_finalfn,
	COMBINEFUNC = @extschema@.quantile_bins_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.quantile_bins_agg(int, float8) IS
	'bins of nearly as many values each (等频分箱): inclusive, cut at the type-7 quantiles k/n; equal quantiles are one cut, and there is none above the greatest value; NULL without values';

CREATE FUNCTION @extschema@.equal_width_bins_agg_transfn(state @extschema@.agg_state, n int, value float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_equal_width_bins_agg_transfn';
COMMENT ON FUNCTION @extschema@.equal_width_bins_agg_transfn(@extschema@.agg_state, int, float8) IS 'transition of equal_width_bins_agg';

CREATE FUNCTION @extschema@.equal_width_bins_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_equal_width_bins_agg_combinefn';
COMMENT ON FUNCTION @extschema@.equal_width_bins_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of equal_width_bins_agg';

CREATE FUNCTION @extschema@.equal_width_bins_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.bins
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_equal_width_bins_agg_finalfn';
COMMENT ON FUNCTION @extschema@.equal_width_bins_agg_finalfn(@extschema@.agg_state) IS 'result of equal_width_bins_agg';

CREATE AGGREGATE @extschema@.equal_width_bins_agg(n int, value float8) (
	SFUNC = @extschema@.equal_width_bins_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 64,
	FINALFUNC = @extschema@.equal_width_bins_agg_finalfn,
	COMBINEFUNC = @extschema@.equal_width_bins_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.equal_width_bins_agg(int, float8) IS
	'bins of equal width from the least to the greatest value (等距分箱); values that are all equal make one bin; NULL without values';

CREATE FUNCTION @extschema@.tree_bins_agg_transfn(state @extschema@.agg_state, n int, value float8, label boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_tree_bins_agg_transfn';
COMMENT ON FUNCTION @extschema@.tree_bins_agg_transfn(@extschema@.agg_state, int, float8, boolean) IS 'transition of tree_bins_agg';

CREATE FUNCTION @extschema@.tree_bins_agg_transfn(state @extschema@.agg_state, n int, min_share float8, value float8, label boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_tree_bins_agg_transfn';
COMMENT ON FUNCTION @extschema@.tree_bins_agg_transfn(@extschema@.agg_state, int, float8, float8, boolean) IS 'transition of tree_bins_agg';

CREATE FUNCTION @extschema@.tree_bins_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_tree_bins_agg_combinefn';
COMMENT ON FUNCTION @extschema@.tree_bins_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of tree_bins_agg';

CREATE FUNCTION @extschema@.tree_bins_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.bins
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_tree_bins_agg_finalfn';
COMMENT ON FUNCTION @extschema@.tree_bins_agg_finalfn(@extschema@.agg_state) IS 'result of tree_bins_agg';

CREATE AGGREGATE @extschema@.tree_bins_agg(n int, value float8, label boolean) (
	SFUNC = @extschema@.tree_bins_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.tree_bins_agg_finalfn,
	COMBINEFUNC = @extschema@.tree_bins_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.tree_bins_agg(int, float8, boolean) IS
	'bins that tell a label apart (监督分箱, 决策树): at most n, cut one after the other where the likelihood of the labels rises most, as long as that is worth one more rate (Schwarz), each with min_share of the rows, 0.05; NULL without rows';

CREATE AGGREGATE @extschema@.tree_bins_agg(n int, min_share float8, value float8, label boolean) (
	SFUNC = @extschema@.tree_bins_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.tree_bins_agg_finalfn,
	COMBINEFUNC = @extschema@.tree_bins_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.tree_bins_agg(int, float8, float8, boolean) IS
	'bins that tell a label apart (监督分箱, 决策树): at most n, cut one after the other where the likelihood of the labels rises most, as long as that is worth one more rate (Schwarz), each with min_share of the rows; NULL without rows';

CREATE FUNCTION @extschema@.monotone_bins_agg_transfn(state @extschema@.agg_state, n int, value float8, label boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_monotone_bins_agg_transfn';
COMMENT ON FUNCTION @extschema@.monotone_bins_agg_transfn(@extschema@.agg_state, int, float8, boolean) IS 'transition of monotone_bins_agg';

CREATE FUNCTION @extschema@.monotone_bins_agg_transfn(state @extschema@.agg_state, n int, min_share float8, value float8, label boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_monotone_bins_agg_transfn';
COMMENT ON FUNCTION @extschema@.monotone_bins_agg_transfn(@extschema@.agg_state, int, float8, float8, boolean) IS 'transition of monotone_bins_agg';

CREATE FUNCTION @extschema@.monotone_bins_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_monotone_bins_agg_combinefn';
COMMENT ON FUNCTION @extschema@.monotone_bins_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of monotone_bins_agg';

CREATE FUNCTION @extschema@.monotone_bins_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.bins
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_monotone_bins_agg_finalfn';
COMMENT ON FUNCTION @extschema@.monotone_bins_agg_finalfn(@extschema@.agg_state) IS 'result of monotone_bins_agg';

CREATE AGGREGATE @extschema@.monotone_bins_agg(n int, value float8, label boolean) (
	SFUNC = @extschema@.monotone_bins_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.monotone_bins_agg_finalfn,
	COMBINEFUNC = @extschema@.monotone_bins_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.monotone_bins_agg(int, float8, boolean) IS
	'bins whose share of true labels only rises or only falls (单调分箱): at most n, each with both labels and min_share of the rows, 0.05; NULL without rows';

CREATE AGGREGATE @extschema@.monotone_bins_agg(n int, min_share float8, value float8, label boolean) (
	SFUNC = @extschema@.monotone_bins_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.monotone_bins_agg_finalfn,
	COMBINEFUNC = @extschema@.monotone_bins_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.monotone_bins_agg(int, float8, float8, boolean) IS
	'bins whose share of true labels only rises or only falls (单调分箱): at most n, each with both labels and min_share of the rows; NULL without rows';

