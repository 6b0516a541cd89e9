
-- periods of a zone's calendar: what the functions over activity and timelines cut time into

CREATE FUNCTION @extschema@.period_number(period text, ts timestamptz, zone text DEFAULT 'UTC', week_start int DEFAULT 1) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_period_number';
COMMENT ON FUNCTION @extschema@.period_number(text, timestamptz, text, int) IS
	'number of the hour, day, week, month, quarter or year that holds a time, by a zone''s clock: the next period''s is one more (周期序号)';

CREATE FUNCTION @extschema@.period_start(period text, ts timestamptz, zone text DEFAULT 'UTC', week_start int DEFAULT 1) RETURNS timestamptz
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_period_start';
COMMENT ON FUNCTION @extschema@.period_start(text, timestamptz, text, int) IS
	'instant at which the hour, day, week, month, quarter or year begins that holds a time, by a zone''s clock (周期起点)';
