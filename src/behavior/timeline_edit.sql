-- timelines made of timelines

CREATE FUNCTION @extschema@.timeline_concat(a @extschema@.timeline, b @extschema@.timeline) RETURNS @extschema@.timeline
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_timeline_concat';
COMMENT ON FUNCTION @extschema@.timeline_concat(@extschema@.timeline, @extschema@.timeline) IS
	'the events of both timelines, overlapping or not; duplicates are kept (合并)';

CREATE OPERATOR @extschema@.|| (
	FUNCTION = @extschema@.timeline_concat, LEFTARG = @extschema@.timeline, RIGHTARG = @extschema@.timeline,
	COMMUTATOR = OPERATOR(@extschema@.||)
);
COMMENT ON OPERATOR @extschema@.|| (@extschema@.timeline, @extschema@.timeline) IS 'the events of both timelines; duplicates are kept';

CREATE FUNCTION @extschema@.timeline_distinct(t @extschema@.timeline) RETURNS @extschema@.timeline
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_timeline_distinct';
COMMENT ON FUNCTION @extschema@.timeline_distinct(@extschema@.timeline) IS
	'the timeline with one of each group of events that are equal in time, name, value and attributes (去重)';

CREATE FUNCTION @extschema@.timeline_slice(t @extschema@.timeline, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS @extschema@.timeline
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_timeline_slice';
COMMENT ON FUNCTION @extschema@.timeline_slice(@extschema@.timeline, timestamptz, timestamptz) IS
	'the events of a range of time: since is included, until is not, NULL is open (按时间截取)';
