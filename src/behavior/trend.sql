-- trend: slope, season and shift of one customer's spending

CREATE FUNCTION @extschema@.trend(t @extschema@.timeline, event text DEFAULT NULL, period text DEFAULT 'month', periods int DEFAULT 24,
	category text DEFAULT NULL, as_of timestamptz DEFAULT now(), zone text DEFAULT 'UTC', week_start int DEFAULT 1,
	OUT observed int, OUT total float8, OUT mean float8, OUT slope float8, OUT relative_slope float8, OUT seasonality float8[], OUT category_shift float8)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 200
	AS 'MODULE_PATHNAME', 'crm_trend';
COMMENT ON FUNCTION @extschema@.trend(@extschema@.timeline, text, text, int, text, timestamptz, text, int) IS
	'trend of one customer''s spending over the last whole periods before as_of: robust slope per period, seasonal ratios, shift between categories (消费趋势)';
