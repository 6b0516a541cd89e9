-- The type crm.timeline: the events of one customer, in order.

CREATE TYPE @extschema@.timeline;

CREATE FUNCTION @extschema@.timeline_in(cstring) RETURNS @extschema@.timeline
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_timeline_in';
COMMENT ON FUNCTION @extschema@.timeline_in(cstring) IS
	'text form of a timeline, a JSON array of events: [["2026-06-01T10:00:00Z","order",19.9,{"channel":"app"}]]';

CREATE FUNCTION @extschema@.timeline_out(@extschema@.timeline) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_timeline_out';
COMMENT ON FUNCTION @extschema@.timeline_out(@extschema@.timeline) IS
	'text form of a timeline';

CREATE FUNCTION @extschema@.timeline_recv(internal) RETURNS @extschema@.timeline
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_timeline_recv';
COMMENT ON FUNCTION @extschema@.timeline_recv(internal) IS
	'binary form of a timeline, checked entirely';

CREATE FUNCTION @extschema@.timeline_send(@extschema@.timeline) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_timeline_send';
COMMENT ON FUNCTION @extschema@.timeline_send(@extschema@.timeline) IS
	'binary form of a timeline: its bytes as they are stored';

CREATE TYPE @extschema@.timeline (
	INPUT = @extschema@.timeline_in,
	OUTPUT = @extschema@.timeline_out,
	RECEIVE = @extschema@.timeline_recv,
	SEND = @extschema@.timeline_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = external
);
COMMENT ON TYPE @extschema@.timeline IS
	'the events of one customer in order: time, name, value, attributes, in a few bytes each (客户事件时间线)';

-- comparison: equal histories are equal bytes

CREATE FUNCTION @extschema@.timeline_eq(a @extschema@.timeline, b @extschema@.timeline) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_eq';
COMMENT ON FUNCTION @extschema@.timeline_eq(@extschema@.timeline, @extschema@.timeline) IS
	'do two timelines hold the same events?';

CREATE FUNCTION @extschema@.timeline_ne(a @extschema@.timeline, b @extschema@.timeline) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_ne';
COMMENT ON FUNCTION @extschema@.timeline_ne(@extschema@.timeline, @extschema@.timeline) IS
	'do two timelines differ in some event?';

CREATE FUNCTION @extschema@.timeline_lt(a @extschema@.timeline, b @extschema@.timeline) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_lt';
COMMENT ON FUNCTION @extschema@.timeline_lt(@extschema@.timeline, @extschema@.timeline) IS
	'does one timeline stand before another in the order of their bytes?';

CREATE FUNCTION @extschema@.timeline_le(a @extschema@.timeline, b @extschema@.timeline) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_le';
COMMENT ON FUNCTION @extschema@.timeline_le(@extschema@.timeline, @extschema@.timeline) IS
	'does one timeline stand before another in the order of their bytes, or are they equal?';

CREATE FUNCTION @extschema@.timeline_ge(a @extschema@.timeline, b @extschema@.timeline) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_ge';
COMMENT ON FUNCTION @extschema@.timeline_ge(@extschema@.timeline, @extschema@.timeline) IS
	'does one timeline stand behind another in the order of their bytes, or are they equal?';

CREATE FUNCTION @extschema@.timeline_gt(a @extschema@.timeline, b @extschema@.timeline) RETURNS boolean
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_gt';
COMMENT ON FUNCTION @extschema@.timeline_gt(@extschema@.timeline, @extschema@.timeline) IS
	'does one timeline stand behind another in the order of their bytes?';

CREATE FUNCTION @extschema@.timeline_cmp(a @extschema@.timeline, b @extschema@.timeline) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_cmp';
COMMENT ON FUNCTION @extschema@.timeline_cmp(@extschema@.timeline, @extschema@.timeline) IS
	'comparison of timelines for btree indexes: -1, 0 or 1';

CREATE FUNCTION @extschema@.timeline_hash(@extschema@.timeline) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_hash';
COMMENT ON FUNCTION @extschema@.timeline_hash(@extschema@.timeline) IS
	'hash of a timeline';

CREATE FUNCTION @extschema@.timeline_hash_extended(@extschema@.timeline, bigint) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_timeline_hash_extended';
COMMENT ON FUNCTION @extschema@.timeline_hash_extended(@extschema@.timeline, bigint) IS
	'hash of a timeline with a seed';

CREATE OPERATOR @extschema@.= (
	FUNCTION = @extschema@.timeline_eq, LEFTARG = @extschema@.timeline, RIGHTARG = @extschema@.timeline,
	COMMUTATOR = OPERATOR(@extschema@.=),
	NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR @extschema@.= (@extschema@.timeline, @extschema@.timeline) IS 'the timelines hold the same events';

CREATE OPERATOR @extschema@.<> (
	FUNCTION = @extschema@.timeline_ne, LEFTARG = @extschema@.timeline, RIGHTARG = @extschema@.timeline,
	COMMUTATOR = OPERATOR(@extschema@.<>),
	NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.timeline, @extschema@.timeline) IS 'the timelines differ in some event';

CREATE OPERATOR @extschema@.< (
	FUNCTION = @extschema@.timeline_lt, LEFTARG = @extschema@.timeline, RIGHTARG = @extschema@.timeline,
	COMMUTATOR = OPERATOR(@extschema@.>),
	NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR @extschema@.< (@extschema@.timeline, @extschema@.timeline) IS 'the left timeline stands before the right one in the order of their bytes';

CREATE OPERATOR @extschema@.<= (
	FUNCTION = @extschema@.timeline_le, LEFTARG = @extschema@.timeline, RIGHTARG = @extschema@.timeline,
	COMMUTATOR = OPERATOR(@extschema@.>=),
	NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.timeline, @extschema@.timeline) IS 'the left timeline stands before the right one in the order of their bytes, or equals it';

CREATE OPERATOR @extschema@.>= (
	FUNCTION = @extschema@.timeline_ge, LEFTARG = @extschema@.timeline, RIGHTARG = @extschema@.timeline,
	COMMUTATOR = OPERATOR(@extschema@.<=),
	NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.timeline, @extschema@.timeline) IS 'the left timeline stands behind the right one in the order of their bytes, or equals it';

CREATE OPERATOR @extschema@.> (
	FUNCTION = @extschema@.timeline_gt, LEFTARG = @extschema@.timeline, RIGHTARG = @extschema@.timeline,
	COMMUTATOR = OPERATOR(@extschema@.<),
	NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR @extschema@.> (@extschema@.timeline, @extschema@.timeline) IS 'the left timeline stands behind the right one in the order of their bytes';

CREATE OPERATOR CLASS @extschema@.timeline_ops DEFAULT FOR TYPE @extschema@.timeline USING btree AS
	OPERATOR 1 @extschema@.<,
	OPERATOR 2 @extschema@.<=,
	OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=,
	OPERATOR 5 @extschema@.>,
	FUNCTION 1 @extschema@.timeline_cmp(@extschema@.timeline, @extschema@.timeline);
COMMENT ON OPERATOR CLASS @extschema@.timeline_ops USING btree IS 'timelines by their bytes';
COMMENT ON OPERATOR FAMILY @extschema@.timeline_ops USING btree IS 'timelines by their bytes';

CREATE OPERATOR CLASS @extschema@.timeline_ops DEFAULT FOR TYPE @extschema@.timeline USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 @extschema@.timeline_hash(@extschema@.timeline),
	FUNCTION 2 @extschema@.timeline_hash_extended(@extschema@.timeline, bigint);
COMMENT ON OPERATOR CLASS @extschema@.timeline_ops USING hash IS 'timelines by their events';
COMMENT ON OPERATOR FAMILY @extschema@.timeline_ops USING hash IS 'timelines by their events';

-- a timeline as rows

CREATE FUNCTION @extschema@.events(t @extschema@.timeline)
	RETURNS TABLE (ts timestamptz, event text, value float8, attributes jsonb)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50 ROWS 50
	AS 'MODULE_PATHNAME', 'crm_events';
COMMENT ON FUNCTION @extschema@.events(@extschema@.timeline) IS
	'the events of a timeline as rows, in order (事件明细)';
