-- The type crm.bsi: one exact number per customer, bit-sliced.

CREATE TYPE @extschema@.bsi;

CREATE FUNCTION @extschema@.bsi_in(cstring) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_bsi_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.bsi_in(cstring) IS
	'text form of numbers of customers: {1:12.50,2:-3.00}';

CREATE FUNCTION @extschema@.bsi_out(@extschema@.bsi) RETURNS cstring
	AS 'MODULE_PATHNAME', 'crm_bsi_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.bsi_out(@extschema@.bsi) IS
	'text form of numbers of customers';

CREATE FUNCTION @extschema@.bsi_recv(internal) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_bsi_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.bsi_recv(internal) IS
	'binary form of numbers of customers: version, number of slices, scale, population, sets';

CREATE FUNCTION @extschema@.bsi_send(@extschema@.bsi) RETURNS bytea
	AS 'MODULE_PATHNAME', 'crm_bsi_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.bsi_send(@extschema@.bsi) IS
	'binary form of numbers of customers';

CREATE TYPE @extschema@.bsi (
	INPUT = @extschema@.bsi_in,
	OUTPUT = @extschema@.bsi_out,
	RECEIVE = @extschema@.bsi_recv,
	SEND = @extschema@.bsi_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = external
);
COMMENT ON TYPE @extschema@.bsi IS
	'one exact signed decimal number per customer, bit-sliced; zero is kept apart from none (位切片指标)';

-- Aggregates.

CREATE FUNCTION @extschema@.bsi_agg_transfn(@extschema@.bsi, bigint, numeric) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_bsi_agg_numeric_transfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.bsi_agg_transfn(@extschema@.bsi, bigint, numeric) IS
	'transition function of bsi_agg';

CREATE FUNCTION @extschema@.bsi_agg_transfn(@extschema@.bsi, bigint, bigint) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_bsi_agg_bigint_transfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.bsi_agg_transfn(@extschema@.bsi, bigint, bigint) IS
	'transition function of bsi_agg';

CREATE FUNCTION @extschema@.bsi_agg_transfn(@extschema@.bsi, bigint, int) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_bsi_agg_int_transfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.bsi_agg_transfn(@extschema@.bsi, bigint, int) IS
	'transition function of bsi_agg';

CREATE FUNCTION @extschema@.bsi_agg_finalfn(@extschema@.bsi) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_bsi_agg_finalfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.bsi_agg_finalfn(@extschema@.bsi) IS
	'final function of bsi_agg and bsi_merge_agg';

CREATE FUNCTION @extschema@.bsi_merge_transfn(@extschema@.bsi, @extschema@.bsi) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_bsi_merge_transfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.bsi_merge_transfn(@extschema@.bsi, @extschema@.bsi) IS
	'transition function of bsi_merge_agg, combine function of bsi_agg and bsi_merge_agg';

CREATE AGGREGATE @extschema@.bsi_agg(id bigint, value numeric) (
	SFUNC = @extschema@.bsi_agg_transfn,
	STYPE = @extschema@.bsi,
	SSPACE = 256,
	FINALFUNC = @extschema@.bsi_agg_finalfn,
	COMBINEFUNC = @extschema@.bsi_merge_transfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.bsi_agg(bigint, numeric) IS
	'the number of each customer, the sum where one has several rows; NULL is ignored, no rows give {} (指标汇总)';

CREATE AGGREGATE @extschema@.bsi_agg(id bigint, value bigint) (
	SFUNC = @extschema@.bsi_agg_transfn,
	STYPE = @extschema@.bsi,
	SSPACE = 256,
	FINALFUNC = @extschema@.bsi_agg_finalfn,
	COMBINEFUNC = @extschema@.bsi_merge_transfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.bsi_agg(bigint, bigint) IS
	'the number of each customer, the sum where one has several rows; NULL is ignored, no rows give {} (指标汇总)';

CREATE AGGREGATE @extschema@.bsi_agg(id bigint, value int) (
	SFUNC = @extschema@.bsi_agg_transfn,
	STYPE = @extschema@.bsi,
	SSPACE = 256,
	FINALFUNC = @extschema@.bsi_agg_finalfn,
	COMBINEFUNC = @extschema@.bsi_merge_transfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.bsi_agg(bigint, int) IS
	'the number of each customer, the sum where one has several rows; NULL is ignored, no rows give {} (指标汇总)';

CREATE AGGREGATE @extschema@.bsi_merge_agg(b @extschema@.bsi) (
	SFUNC = @extschema@.bsi_merge_transfn,
	STYPE = @extschema@.bsi,
	SSPACE = 65536,
	FINALFUNC = @extschema@.bsi_agg_finalfn,
	COMBINEFUNC = @extschema@.bsi_merge_transfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.bsi_merge_agg(@extschema@.bsi) IS
	'all values merged: the number of each customer, the sum where several have one; NULL is ignored, no rows give {} (合并汇总)';

CREATE FUNCTION @extschema@.points_agg_transfn(@extschema@.bsi, members @extschema@.audience, points numeric) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_points_agg_transfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.points_agg_transfn(@extschema@.bsi, @extschema@.audience, numeric) IS
	'transition function of points_agg';

CREATE AGGREGATE @extschema@.points_agg(members @extschema@.audience, points numeric) (
	SFUNC = @extschema@.points_agg_transfn,
	STYPE = @extschema@.bsi,
	SSPACE = 65536,
	FINALFUNC = @extschema@.bsi_agg_finalfn,
	COMBINEFUNC = @extschema@.bsi_merge_transfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.points_agg(@extschema@.audience, numeric) IS
	'the points of each customer (积分): the sum of those of all audiences that he is a member of; NULL is ignored, no rows give {}';

-- Questions, each over all customers or over those of an audience.

CREATE FUNCTION @extschema@.bsi_count(b @extschema@.bsi) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_bsi_count'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.bsi_count(@extschema@.bsi) IS
	'how many customers have a number (有值人数)';

CREATE FUNCTION @extschema@.bsi_sum(b @extschema@.bsi) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_sum'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.bsi_sum(@extschema@.bsi) IS
	'sum of the numbers; NULL when there are none (求和)';

CREATE FUNCTION @extschema@.bsi_avg(b @extschema@.bsi) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_avg'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.bsi_avg(@extschema@.bsi) IS
	'mean of the numbers; NULL when there are none (平均)';

CREATE FUNCTION @extschema@.bsi_min(b @extschema@.bsi) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_min'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.bsi_min(@extschema@.bsi) IS
	'least number; NULL when there are none (最小值)';

CREATE FUNCTION @extschema@.bsi_max(b @extschema@.bsi) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_max'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.bsi_max(@extschema@.bsi) IS
	'greatest number; NULL when there are none (最大值)';

CREATE FUNCTION @extschema@.bsi_count(b @extschema@.bsi, a @extschema@.audience) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_bsi_count'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.bsi_count(@extschema@.bsi, @extschema@.audience) IS
	'how many customers among those of the audience have a number (有值人数)';

CREATE FUNCTION @extschema@.bsi_sum(b @extschema@.bsi, a @extschema@.audience) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_sum'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.bsi_sum(@extschema@.bsi, @extschema@.audience) IS
	'sum of the numbers among those of the audience; NULL when there are none (求和)';

CREATE FUNCTION @extschema@.bsi_avg(b @extschema@.bsi, a @extschema@.audience) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_avg'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.bsi_avg(@extschema@.bsi, @extschema@.audience) IS
	'mean of the numbers among those of the audience; NULL when there are none (平均)';

CREATE FUNCTION @extschema@.bsi_min(b @extschema@.bsi, a @extschema@.audience) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_min'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.bsi_min(@extschema@.bsi, @extschema@.audience) IS
	'least number among those of the audience; NULL when there are none (最小值)';

CREATE FUNCTION @extschema@.bsi_max(b @extschema@.bsi, a @extschema@.audience) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_max'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.bsi_max(@extschema@.bsi, @extschema@.audience) IS
	'greatest number among those of the audience; NULL when there are none (最大值)';

CREATE FUNCTION @extschema@.bsi_quantile(b @extschema@.bsi, q float8) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_quantile'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION @extschema@.bsi_quantile(@extschema@.bsi, float8) IS
	'quantile of the numbers, between two of them on the straight line, as percentile_cont but in exact decimals (分位数)';

CREATE FUNCTION @extschema@.bsi_top(b @extschema@.bsi, k bigint) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_bsi_top'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION @extschema@.bsi_top(@extschema@.bsi, bigint) IS
	'the k customers with the greatest numbers, of equal ones the lowest ids (前 k 名)';

CREATE FUNCTION @extschema@.bsi_range(b @extschema@.bsi, lo numeric, hi numeric) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_bsi_range'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION @extschema@.bsi_range(@extschema@.bsi, numeric, numeric) IS
	'the customers whose number lies between lo and hi, both included; a bound that is NULL is open (区间)';

CREATE FUNCTION @extschema@.bsi_quantile(b @extschema@.bsi, q float8, a @extschema@.audience) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_quantile'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION @extschema@.bsi_quantile(@extschema@.bsi, float8, @extschema@.audience) IS
	'quantile of the numbers among those of the audience, between two of them on the straight line, as percentile_cont but in exact decimals (分位数)';

CREATE FUNCTION @extschema@.bsi_top(b @extschema@.bsi, k bigint, a @extschema@.audience) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_bsi_top'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION @extschema@.bsi_top(@extschema@.bsi, bigint, @extschema@.audience) IS
	'the k customers among those of the audience with the greatest numbers, of equal ones the lowest ids (前 k 名)';

CREATE FUNCTION @extschema@.bsi_range(b @extschema@.bsi, lo numeric, hi numeric, a @extschema@.audience) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_bsi_range'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 500;
COMMENT ON FUNCTION @extschema@.bsi_range(@extschema@.bsi, numeric, numeric, @extschema@.audience) IS
	'the customers among those of the audience whose number lies between lo and hi, both included; a bound that is NULL is open (区间)';

CREATE FUNCTION @extschema@.bsi_value(b @extschema@.bsi, id bigint) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_bsi_value'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.bsi_value(@extschema@.bsi, bigint) IS
	'the number of one customer; NULL when it has none (取值)';

CREATE FUNCTION @extschema@.bsi_values(b @extschema@.bsi, OUT id bigint, OUT value numeric) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'crm_bsi_values'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1 ROWS 100000;
COMMENT ON FUNCTION @extschema@.bsi_values(@extschema@.bsi) IS
	'customers and their numbers as rows, ids ascending (明细)';

-- Two values.

CREATE FUNCTION @extschema@.bsi_add(a @extschema@.bsi, b @extschema@.bsi) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_bsi_add'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 500;
COMMENT ON FUNCTION @extschema@.bsi_add(@extschema@.bsi, @extschema@.bsi) IS
	'the sum of both numbers for each customer that has one in either (相加)';

CREATE OPERATOR @extschema@.+ (
	FUNCTION = @extschema@.bsi_add, LEFTARG = @extschema@.bsi, RIGHTARG = @extschema@.bsi,
	COMMUTATOR = OPERATOR(@extschema@.+)
);
COMMENT ON OPERATOR @extschema@.+ (@extschema@.bsi, @extschema@.bsi) IS 'the sum of both numbers for each customer that has one in either';

CREATE FUNCTION @extschema@.bsi_eq(a @extschema@.bsi, b @extschema@.bsi) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_bsi_eq'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.bsi_eq(@extschema@.bsi, @extschema@.bsi) IS
	'the same numbers for the same customers?';

CREATE FUNCTION @extschema@.bsi_ne(a @extschema@.bsi, b @extschema@.bsi) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_bsi_ne'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.bsi_ne(@extschema@.bsi, @extschema@.bsi) IS
	'other numbers, or other customers?';

CREATE OPERATOR @extschema@.= (
	FUNCTION = @extschema@.bsi_eq, LEFTARG = @extschema@.bsi, RIGHTARG = @extschema@.bsi,
	COMMUTATOR = OPERATOR(@extschema@.=), NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);
COMMENT ON OPERATOR @extschema@.= (@extschema@.bsi, @extschema@.bsi) IS 'the same numbers for the same customers?';

CREATE OPERATOR @extschema@.<> (
	FUNCTION = @extschema@.bsi_ne, LEFTARG = @extschema@.bsi, RIGHTARG = @extschema@.bsi,
	COMMUTATOR = OPERATOR(@extschema@.<>), NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.bsi, @extschema@.bsi) IS 'other numbers, or other customers?';

CREATE FUNCTION @extschema@.bsi_hash(@extschema@.bsi) RETURNS int
	AS 'MODULE_PATHNAME', 'crm_bsi_hash'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.bsi_hash(@extschema@.bsi) IS
	'hash of customers and sum, the same for equal values';

CREATE FUNCTION @extschema@.bsi_hash_extended(@extschema@.bsi, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_bsi_hash_extended'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.bsi_hash_extended(@extschema@.bsi, bigint) IS
	'hash of customers and sum with a seed';

CREATE OPERATOR CLASS @extschema@.bsi_hash_ops DEFAULT FOR TYPE @extschema@.bsi USING hash AS
	OPERATOR 1 @extschema@.= (@extschema@.bsi, @extschema@.bsi),
	FUNCTION 1 @extschema@.bsi_hash(@extschema@.bsi),
	FUNCTION 2 @extschema@.bsi_hash_extended(@extschema@.bsi, bigint);
COMMENT ON OPERATOR CLASS @extschema@.bsi_hash_ops USING hash IS 'equality of numbers of customers';
COMMENT ON OPERATOR FAMILY @extschema@.bsi_hash_ops USING hash IS 'equality of numbers of customers';
