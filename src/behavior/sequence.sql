
-- sequence_match, sequence_count, sequence_match_events: patterns over one customer's events

CREATE FUNCTION @extschema@.sequence_transfn(state @extschema@.agg_state, pattern text, ts timestamptz, VARIADIC conditions boolean[])
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_sequence_transfn';
COMMENT ON FUNCTION @extschema@.sequence_transfn(@extschema@.agg_state, text, timestamptz, boolean[]) IS
	'transition of the sequence aggregates';

CREATE FUNCTION @extschema@.sequence_combinefn(a @extschema@.agg_state, b @extschema@.agg_state)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_sequence_combinefn';
COMMENT ON FUNCTION @extschema@.sequence_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of the sequence aggregates';

CREATE FUNCTION @extschema@.sequence_match_finalfn(state @extschema@.agg_state) RETURNS boolean
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_sequence_match_finalfn';
COMMENT ON FUNCTION @extschema@.sequence_match_finalfn(@extschema@.agg_state) IS 'result of sequence_match';

CREATE AGGREGATE @extschema@.sequence_match(pattern text, ts timestamptz, VARIADIC conditions boolean[]) (
	SFUNC = @extschema@.sequence_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.sequence_match_finalfn,
	COMBINEFUNC = @extschema@.sequence_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.sequence_match(text, timestamptz, boolean[]) IS
	'whether one customer''s events match a pattern such as (?1).*(?t<=3600)(?2) (序列匹配)';

CREATE FUNCTION @extschema@.sequence_count_finalfn(state @extschema@.agg_state) RETURNS bigint
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_sequence_count_finalfn';
COMMENT ON FUNCTION @extschema@.sequence_count_finalfn(@extschema@.agg_state) IS 'result of sequence_count';

CREATE AGGREGATE @extschema@.sequence_count(pattern text, ts timestamptz, VARIADIC conditions boolean[]) (
	SFUNC = @extschema@.sequence_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.sequence_count_finalfn,
	COMBINEFUNC = @extschema@.sequence_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.sequence_count(text, timestamptz, boolean[]) IS
	'how often one customer''s events match a pattern, without overlaps (序列匹配次数)';

CREATE FUNCTION @extschema@.sequence_match_events_finalfn(state @extschema@.agg_state) RETURNS timestamptz[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_sequence_match_events_finalfn';
COMMENT ON FUNCTION @extschema@.sequence_match_events_finalfn(@extschema@.agg_state) IS 'result of sequence_match_events';

CREATE AGGREGATE @extschema@.sequence_match_events(pattern text, ts timestamptz, VARIADIC conditions boolean[]) (
	SFUNC = @extschema@.sequence_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.sequence_match_events_finalfn,
	COMBINEFUNC = @extschema@.sequence_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.sequence_match_events(text, timestamptz, boolean[]) IS
	'times of the events of the first match, or of the longest beginning of one (序列匹配时间)';
