-- the position of a value among all values, and the band that it falls into

CREATE FUNCTION @extschema@.percentile_agg_transfn(state @extschema@.agg_state, value float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_percentile_agg_transfn';
COMMENT ON FUNCTION @extschema@.percentile_agg_transfn(@extschema@.agg_state, float8) IS 'transition of percentile_agg';

CREATE FUNCTION @extschema@.percentile_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_percentile_agg_combinefn';
COMMENT ON FUNCTION @extschema@.percentile_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of percentile_agg';

CREATE FUNCTION @extschema@.percentile_agg_finalfn(state @extschema@.agg_state) RETURNS float8[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_percentile_agg_finalfn';
COMMENT ON FUNCTION @extschema@.percentile_agg_finalfn(@extschema@.agg_state) IS 'result of percentile_agg';

CREATE AGGREGATE @extschema@.percentile_agg(value float8) (
	SFUNC = @extschema@.percentile_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.percentile_agg_finalfn,
	COMBINEFUNC = @extschema@.percentile_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.percentile_agg(float8) IS
	'borders from which percentile_at tells the position of a value among all (百分位): all different values up to 10,000 of them, else those at each ten-thousandth; NULL without values';

CREATE FUNCTION @extschema@.percentile_at(value float8, borders float8[]) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_percentile_at_borders';
COMMENT ON FUNCTION @extschema@.percentile_at(float8, float8[]) IS
	'the position of a value among those that percentile_agg saw (百分位): values below it divided by all but one, as percent_rank; exact against multiples of 1/10000';

CREATE FUNCTION @extschema@.band(value float8, borders float8[], labels text[] DEFAULT NULL) RETURNS text
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_band';
COMMENT ON FUNCTION @extschema@.band(float8, float8[], text[]) IS
	'the band that a value falls into (分段): a border belongs to the band above it; the band''s label, of which there is one more than borders, or its number from 1; NULL for NULL';
