
-- the activity of a timeline

CREATE FUNCTION @extschema@.activity(t @extschema@.timeline, period text, zone text DEFAULT 'UTC', start text DEFAULT NULL, back text DEFAULT NULL)
	RETURNS @extschema@.activity
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'crm_activity';
COMMENT ON FUNCTION @extschema@.activity(@extschema@.timeline, text, text, text, text) IS
	'the periods of a zone''s calendar, or the 24 hours since the first start, in which a customer started and came back, by selectors of events (活跃)';
