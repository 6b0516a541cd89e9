-- timeline_agg, merge_agg: timelines from rows, and from timelines

CREATE FUNCTION @extschema@.timeline_agg_transfn(state @extschema@.agg_state, ts timestamptz, event text) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_timeline_agg_transfn';
COMMENT ON FUNCTION @extschema@.timeline_agg_transfn(@extschema@.agg_state, timestamptz, text) IS
	'transition of timeline_agg';

CREATE FUNCTION @extschema@.timeline_agg_transfn(state @extschema@.agg_state, ts timestamptz, event text, value float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_timeline_agg_transfn';
COMMENT ON FUNCTION @extschema@.timeline_agg_transfn(@extschema@.agg_state, timestamptz, text, float8) IS
	'transition of timeline_agg with values';

CREATE FUNCTION @extschema@.timeline_agg_transfn(state @extschema@.agg_state, ts timestamptz, event text, value numeric) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_timeline_agg_numeric_transfn';
COMMENT ON FUNCTION @extschema@.timeline_agg_transfn(@extschema@.agg_state, timestamptz, text, numeric) IS
	'transition of timeline_agg with numeric values';

CREATE FUNCTION @extschema@.timeline_agg_transfn(state @extschema@.agg_state, ts timestamptz, event text, value float8, attributes jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_timeline_agg_transfn';
COMMENT ON FUNCTION @extschema@.timeline_agg_transfn(@extschema@.agg_state, timestamptz, text, float8, jsonb) IS
	'transition of timeline_agg with values and attributes';

CREATE FUNCTION @extschema@.timeline_agg_transfn(state @extschema@.agg_state, ts timestamptz, event text, value numeric, attributes jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_timeline_agg_numeric_transfn';
COMMENT ON FUNCTION @extschema@.timeline_agg_transfn(@extschema@.agg_state, timestamptz, text, numeric, jsonb) IS
	'transition of timeline_agg with numeric values and attributes';

CREATE FUNCTION @extschema@.timeline_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_agg_combinefn';
COMMENT ON FUNCTION @extschema@.timeline_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of timeline_agg or merge_agg';

CREATE FUNCTION @extschema@.timeline_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.timeline
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_timeline_agg_finalfn';
COMMENT ON FUNCTION @extschema@.timeline_agg_finalfn(@extschema@.agg_state) IS
	'result of timeline_agg and merge_agg';

CREATE AGGREGATE @extschema@.timeline_agg(ts timestamptz, event text) (
	SFUNC = @extschema@.timeline_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 256,
	FINALFUNC = @extschema@.timeline_agg_finalfn,
	COMBINEFUNC = @extschema@.timeline_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.timeline_agg(timestamptz, text) IS
	'a timeline of the events of one customer, in any order: time and name (时间线聚合)';

CREATE AGGREGATE @extschema@.timeline_agg(ts timestamptz, event text, value float8) (
	SFUNC = @extschema@.timeline_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 256,
	FINALFUNC = @extschema@.timeline_agg_finalfn,
	COMBINEFUNC = @extschema@.timeline_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.timeline_agg(timestamptz, text, float8) IS
	'the same with a value of each event';

CREATE AGGREGATE @extschema@.timeline_agg(ts timestamptz, event text, value numeric) (
	SFUNC = @extschema@.timeline_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 256,
	FINALFUNC = @extschema@.timeline_agg_finalfn,
	COMBINEFUNC = @extschema@.timeline_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.timeline_agg(timestamptz, text, numeric) IS
	'the same with a value of each event, kept as float8';

CREATE AGGREGATE @extschema@.timeline_agg(ts timestamptz, event text, value float8, attributes jsonb) (
	SFUNC = @extschema@.timeline_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 256,
	FINALFUNC = @extschema@.timeline_agg_finalfn,
	COMBINEFUNC = @extschema@.timeline_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.timeline_agg(timestamptz, text, float8, jsonb) IS
	'the same with a value and attributes of each event, an object of texts, numbers, booleans';

CREATE AGGREGATE @extschema@.timeline_agg(ts timestamptz, event text, value numeric, attributes jsonb) (
	SFUNC = @extschema@.timeline_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 256,
	FINALFUNC = @extschema@.timeline_agg_finalfn,
	COMBINEFUNC = @extschema@.timeline_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.timeline_agg(timestamptz, text, numeric, jsonb) IS
	'the same with a value, kept as float8, and attributes of each event, an object of texts, numbers, booleans';

-- from timelines

CREATE FUNCTION @extschema@.merge_agg_transfn(state @extschema@.agg_state, t @extschema@.timeline) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_merge_agg_transfn';
COMMENT ON FUNCTION @extschema@.merge_agg_transfn(@extschema@.agg_state, @extschema@.timeline) IS
	'transition of merge_agg and merge_distinct_agg';

CREATE FUNCTION @extschema@.merge_distinct_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.timeline
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_merge_distinct_agg_finalfn';
COMMENT ON FUNCTION @extschema@.merge_distinct_agg_finalfn(@extschema@.agg_state) IS
	'result of merge_distinct_agg';

CREATE AGGREGATE @extschema@.merge_agg(t @extschema@.timeline) (
	SFUNC = @extschema@.merge_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 512,
	FINALFUNC = @extschema@.timeline_agg_finalfn,
	COMBINEFUNC = @extschema@.timeline_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.merge_agg(@extschema@.timeline) IS
	'all events of many timelines, overlapping or not, as one; events that occur twice are kept twice (合并时间线)';

CREATE AGGREGATE @extschema@.merge_distinct_agg(t @extschema@.timeline) (
	SFUNC = @extschema@.merge_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 512,
	FINALFUNC = @extschema@.merge_distinct_agg_finalfn,
	COMBINEFUNC = @extschema@.timeline_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.merge_distinct_agg(@extschema@.timeline) IS
	'all events of many timelines as one; of events that are equal in time, name, value and attributes one is kept (合并去重)';
