
-- paths of touches from a timeline

CREATE FUNCTION @extschema@.touch_paths(t @extschema@.timeline, channels text[], conversion text, lookback interval)
	RETURNS TABLE (path text[], conversions float8, non_conversions float8, value float8, started timestamptz, converted timestamptz)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 3
	AS 'MODULE_PATHNAME', 'crm_touch_paths';
COMMENT ON FUNCTION @extschema@.touch_paths(@extschema@.timeline, text[], text, interval) IS
	'the path of touches that led to each conversion within the lookback before it, and of those that led to none so far (触点路径): what attribution takes';
