
-- sessionize: numbers of sessions

CREATE FUNCTION @extschema@.sessionize(gap interval, ts timestamptz) RETURNS bigint
	LANGUAGE C IMMUTABLE WINDOW PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_sessionize';
COMMENT ON FUNCTION @extschema@.sessionize(interval, timestamptz) IS
	'number of the session, from 1, that the row belongs to: a new one begins after more than the gap (会话切分)';
