-- preferred: which value of an attribute a customer prefers

CREATE FUNCTION @extschema@.preferred(t @extschema@.timeline, attribute text, event text DEFAULT NULL, half_life interval DEFAULT NULL,
	prior jsonb DEFAULT NULL, strength float8 DEFAULT 5, as_of timestamptz DEFAULT now())
	RETURNS text
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_preferred';
COMMENT ON FUNCTION @extschema@.preferred(@extschema@.timeline, text, text, interval, jsonb, float8, timestamptz) IS
	'the value of an attribute with the largest share of the events before as_of, older ones fading, shrunk towards usual shares; without any NULL (偏好)';

CREATE FUNCTION @extschema@.preferences(t @extschema@.timeline, attribute text, event text DEFAULT NULL, n int DEFAULT 10, half_life interval DEFAULT NULL,
	prior jsonb DEFAULT NULL, strength float8 DEFAULT 5, as_of timestamptz DEFAULT now())
	RETURNS TABLE (value text, share float8, weight float8, events bigint)
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_preferences';
COMMENT ON FUNCTION @extschema@.preferences(@extschema@.timeline, text, text, int, interval, jsonb, float8, timestamptz) IS
	'the n values of an attribute with the largest shares, as preferred weighs them (偏好排名)';
