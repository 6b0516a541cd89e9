-- habit: hours and days of the week

CREATE FUNCTION @extschema@.habit(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, zone text DEFAULT 'UTC')
	RETURNS TABLE (weekday int, hour int, events bigint, share float8)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 40
	AS 'MODULE_PATHNAME', 'crm_habit';
COMMENT ON FUNCTION @extschema@.habit(@extschema@.timeline, text, timestamptz, timestamptz, text) IS
	'events by day of the week (1 Monday ... 7 Sunday) and hour of the zone''s clock, and their share; hours without events are left out (时段习惯)';

CREATE FUNCTION @extschema@.habit_hour(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, zone text DEFAULT 'UTC')
	RETURNS int
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_habit_hour';
COMMENT ON FUNCTION @extschema@.habit_hour(@extschema@.timeline, text, timestamptz, timestamptz, text) IS
	'hour of the day, 0 ... 23 of the zone''s clock, with the most events, the earliest of equals; without any NULL (活跃时段)';

CREATE FUNCTION @extschema@.habit_weekday(t @extschema@.timeline, event text DEFAULT NULL,
	since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, zone text DEFAULT 'UTC')
	RETURNS int
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_habit_weekday';
COMMENT ON FUNCTION @extschema@.habit_weekday(@extschema@.timeline, text, timestamptz, timestamptz, text) IS
	'day of the week, 1 Monday ... 7 Sunday, with the most events, the earliest of equals; without any NULL (活跃星期)';
