-- questions about the events of a timeline

CREATE FUNCTION @extschema@.event_count(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS bigint
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_event_count';
COMMENT ON FUNCTION @extschema@.event_count(@extschema@.timeline, text, timestamptz, timestamptz) IS
	'how many events; a NULL event is any, since is included, until is not, NULL is open (事件次数)';

CREATE FUNCTION @extschema@.event_sum(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_event_sum';
COMMENT ON FUNCTION @extschema@.event_sum(@extschema@.timeline, text, timestamptz, timestamptz) IS
	'exact sum of the events'' values; an event without value adds nothing (事件值合计)';

CREATE FUNCTION @extschema@.first_event(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS timestamptz
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_first_event';
COMMENT ON FUNCTION @extschema@.first_event(@extschema@.timeline, text, timestamptz, timestamptz) IS
	'time of the first such event, NULL when there is none (首次时间)';

CREATE FUNCTION @extschema@.last_event(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS timestamptz
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_last_event';
COMMENT ON FUNCTION @extschema@.last_event(@extschema@.timeline, text, timestamptz, timestamptz) IS
	'time of the last such event, NULL when there is none (最近时间)';

CREATE TYPE @extschema@.timeline_event AS (ts timestamptz, event text, value float8, attributes jsonb);
COMMENT ON TYPE @extschema@.timeline_event IS 'one event of a timeline (事件)';
COMMENT ON COLUMN @extschema@.timeline_event.ts IS 'when it happened';
COMMENT ON COLUMN @extschema@.timeline_event.event IS 'its name';
COMMENT ON COLUMN @extschema@.timeline_event.value IS 'its value, if any';
COMMENT ON COLUMN @extschema@.timeline_event.attributes IS 'its attributes, if any';

CREATE FUNCTION @extschema@.last_event_of(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS @extschema@.timeline_event
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_last_event_of';
COMMENT ON FUNCTION @extschema@.last_event_of(@extschema@.timeline, text, timestamptz, timestamptz) IS
	'the last such event with its name, value and attributes; NULL when there is none (最近一次事件)';

CREATE FUNCTION @extschema@.first_event_of(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS @extschema@.timeline_event
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_first_event_of';
COMMENT ON FUNCTION @extschema@.first_event_of(@extschema@.timeline, text, timestamptz, timestamptz) IS
	'the first such event with its name, value and attributes; NULL when there is none (首次事件)';

CREATE FUNCTION @extschema@.active_days(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, zone text DEFAULT 'UTC')
	RETURNS bigint
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_active_days';
COMMENT ON FUNCTION @extschema@.active_days(@extschema@.timeline, text, timestamptz, timestamptz, text) IS
	'on how many days of a zone''s calendar there was such an event (活跃天数)';

CREATE FUNCTION @extschema@.velocity(t @extschema@.timeline, width interval, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS bigint
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_velocity';
COMMENT ON FUNCTION @extschema@.velocity(@extschema@.timeline, interval, text, timestamptz, timestamptz) IS
	'the most such events within any window of this width, both its ends included (频率峰值)';

CREATE FUNCTION @extschema@.value_velocity(t @extschema@.timeline, width interval, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_value_velocity';
COMMENT ON FUNCTION @extschema@.value_velocity(@extschema@.timeline, interval, text, timestamptz, timestamptz) IS
	'the greatest sum of values within a window of this width that begins at such an event, both its ends included (金额峰值)';

CREATE FUNCTION @extschema@.rfm(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
	RETURNS @extschema@.rfm_summary
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_rfm';
COMMENT ON FUNCTION @extschema@.rfm(@extschema@.timeline, text, timestamptz, timestamptz) IS
	'last event, number of events and exact sum of values, as rfm_agg gives them (RFM 汇总)';
