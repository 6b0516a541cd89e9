-- decayed sums: an event counts half after a half-life

CREATE FUNCTION @extschema@.decayed_sum(t @extschema@.timeline, half_life interval, event text DEFAULT NULL, as_of timestamptz DEFAULT now())
	RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_decayed_sum';
COMMENT ON FUNCTION @extschema@.decayed_sum(@extschema@.timeline, interval, text, timestamptz) IS
	'sum of the values of the events before as_of, each halved for every half-life that it is old; without any 0 (时间衰减求和)';

CREATE FUNCTION @extschema@.decayed_count(t @extschema@.timeline, half_life interval, event text DEFAULT NULL, as_of timestamptz DEFAULT now())
	RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_decayed_count';
COMMENT ON FUNCTION @extschema@.decayed_count(@extschema@.timeline, interval, text, timestamptz) IS
	'number of the events before as_of, each halved for every half-life that it is old; without any 0 (时间衰减计数)';
