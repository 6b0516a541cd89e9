-- keeping, dropping and erasing kinds of a timeline's events

CREATE FUNCTION @extschema@.timeline_only(t @extschema@.timeline, VARIADIC events text[]) RETURNS @extschema@.timeline
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_timeline_only';
COMMENT ON FUNCTION @extschema@.timeline_only(@extschema@.timeline, text[]) IS
	'the timeline with the named kinds of events alone: names or selectors such as order[channel=app]';

CREATE FUNCTION @extschema@.timeline_without(t @extschema@.timeline, VARIADIC events text[]) RETURNS @extschema@.timeline
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_timeline_without';
COMMENT ON FUNCTION @extschema@.timeline_without(@extschema@.timeline, text[]) IS
	'the timeline without the named kinds of events: names or selectors such as order[channel=app] (剔除事件)';

CREATE FUNCTION @extschema@.timeline_erase(t @extschema@.timeline, events text[] DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL) RETURNS @extschema@.timeline
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_timeline_erase';
COMMENT ON FUNCTION @extschema@.timeline_erase(@extschema@.timeline, text[], timestamptz, timestamptz) IS
	'the timeline with events erased: those of the kinds given, or all, within a range of time (擦除)';
