
-- attribution: which channel earned how much of the conversions

CREATE TYPE @extschema@.channel_credit AS (channel text, conversions float8, value float8);
COMMENT ON TYPE @extschema@.channel_credit IS 'what one channel earned (归因结果)';
COMMENT ON COLUMN @extschema@.channel_credit.channel IS 'the channel (渠道); NULL: journeys that no channel touched';
COMMENT ON COLUMN @extschema@.channel_credit.conversions IS 'its part of the conversions (转化)';
COMMENT ON COLUMN @extschema@.channel_credit.value IS 'its part of their value (转化金额)';

CREATE TYPE @extschema@.channel_effect AS (channel text, conversions float8, value float8);
COMMENT ON TYPE @extschema@.channel_effect IS 'what would be lost without one channel (移除效应)';
COMMENT ON COLUMN @extschema@.channel_effect.channel IS 'the channel (渠道)';
COMMENT ON COLUMN @extschema@.channel_effect.conversions IS 'share of the conversions that would be lost, 0 to 1';
COMMENT ON COLUMN @extschema@.channel_effect.value IS 'share of their value that would be lost, 0 to 1';

CREATE TYPE @extschema@.channel_transition AS (channel_from text, channel_to text, journeys float8, probability float8);
COMMENT ON TYPE @extschema@.channel_transition IS 'one arrow of the Markov chain of journeys (转移概率)';
COMMENT ON COLUMN @extschema@.channel_transition.channel_from IS 'what was touched last: (start), a channel, or several joined by " > " in chains of higher order';
COMMENT ON COLUMN @extschema@.channel_transition.channel_to IS 'next: a channel, (conversion) or (null)';
COMMENT ON COLUMN @extschema@.channel_transition.journeys IS 'how often journeys went this way';
COMMENT ON COLUMN @extschema@.channel_transition.probability IS 'the same as a share of all that were at channel_from';

CREATE FUNCTION @extschema@.attribution_transfn(state @extschema@.agg_state, method text, path text[],
	conversions float8, non_conversions float8, value float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_attribution_transfn';
COMMENT ON FUNCTION @extschema@.attribution_transfn(@extschema@.agg_state, text, text[], float8, float8, float8) IS 'transition of attribution';

CREATE FUNCTION @extschema@.attribution_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_attribution_combinefn';
COMMENT ON FUNCTION @extschema@.attribution_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of attribution';

CREATE FUNCTION @extschema@.attribution_finalfn(state @extschema@.agg_state) RETURNS @extschema@.channel_credit[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_attribution_finalfn';
COMMENT ON FUNCTION @extschema@.attribution_finalfn(@extschema@.agg_state) IS 'result of attribution';

CREATE FUNCTION @extschema@.attribution_effects_finalfn(state @extschema@.agg_state) RETURNS @extschema@.channel_effect[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_attribution_effects_finalfn';
COMMENT ON FUNCTION @extschema@.attribution_effects_finalfn(@extschema@.agg_state) IS 'result of attribution_effects';

CREATE FUNCTION @extschema@.attribution_transitions_finalfn(state @extschema@.agg_state) RETURNS @extschema@.channel_transition[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_attribution_transitions_finalfn';
COMMENT ON FUNCTION @extschema@.attribution_transitions_finalfn(@extschema@.agg_state) IS 'result of attribution_transitions';

CREATE AGGREGATE @extschema@.attribution(method text, path text[], conversions float8, non_conversions float8, value float8) (
	SFUNC = @extschema@.attribution_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.attribution_finalfn,
	COMBINEFUNC = @extschema@.attribution_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.attribution(text, text[], float8, float8, float8) IS
	'conversions and value shared out to the channels of the paths that led to them (归因): first, last, linear, position, decay, markov, shapley';

CREATE AGGREGATE @extschema@.attribution_effects(method text, path text[], conversions float8, non_conversions float8, value float8) (
	SFUNC = @extschema@.attribution_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.attribution_effects_finalfn,
	COMBINEFUNC = @extschema@.attribution_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.attribution_effects(text, text[], float8, float8, float8) IS
	'share of conversions and value that would be lost without each channel, by a Markov chain (马尔可夫归因, 移除效应)';

CREATE AGGREGATE @extschema@.attribution_transitions(method text, path text[], conversions float8, non_conversions float8, value float8) (
	SFUNC = @extschema@.attribution_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.attribution_transitions_finalfn,
	COMBINEFUNC = @extschema@.attribution_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.attribution_transitions(text, text[], float8, float8, float8) IS
	'transition probabilities of the Markov chain of the paths (转移矩阵)';
