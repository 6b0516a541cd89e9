
-- crm.activity: in which periods a customer started and came back

CREATE TYPE @extschema@.activity;

CREATE FUNCTION @extschema@.activity_in(cstring) RETURNS @extschema@.activity
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_activity_in';
COMMENT ON FUNCTION @extschema@.activity_in(cstring) IS
	'text input of activity';

CREATE FUNCTION @extschema@.activity_out(@extschema@.activity) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_activity_out';
COMMENT ON FUNCTION @extschema@.activity_out(@extschema@.activity) IS
	'text output of activity';

CREATE FUNCTION @extschema@.activity_recv(internal) RETURNS @extschema@.activity
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_activity_recv';
COMMENT ON FUNCTION @extschema@.activity_recv(internal) IS
	'binary input of activity';

CREATE FUNCTION @extschema@.activity_send(@extschema@.activity) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_activity_send';
COMMENT ON FUNCTION @extschema@.activity_send(@extschema@.activity) IS
	'binary output of activity';

CREATE TYPE @extschema@.activity (
	INPUT = @extschema@.activity_in,
	OUTPUT = @extschema@.activity_out,
	RECEIVE = @extschema@.activity_recv,
	SEND = @extschema@.activity_send,
	INTERNALLENGTH = VARIABLE,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.activity IS
	'the days, weeks, months ... of a zone''s calendar, or the 24 hours since the first start, in which one customer started and came back (活跃)';

CREATE FUNCTION @extschema@.activity_agg_transfn(state @extschema@.agg_state, period text, ts timestamptz) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_activity_agg_transfn';
COMMENT ON FUNCTION @extschema@.activity_agg_transfn(@extschema@.agg_state, text, timestamptz) IS
	'transition of activity_agg';

CREATE FUNCTION @extschema@.activity_agg_transfn(state @extschema@.agg_state, period text, zone text, ts timestamptz) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_activity_agg_transfn';
COMMENT ON FUNCTION @extschema@.activity_agg_transfn(@extschema@.agg_state, text, text, timestamptz) IS
	'transition of activity_agg';

CREATE FUNCTION @extschema@.activity_agg_transfn(state @extschema@.agg_state, period text, zone text, ts timestamptz, start boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_activity_agg_transfn';
COMMENT ON FUNCTION @extschema@.activity_agg_transfn(@extschema@.agg_state, text, text, timestamptz, boolean) IS
	'transition of activity_agg';

CREATE FUNCTION @extschema@.activity_agg_transfn(state @extschema@.agg_state, period text, zone text, ts timestamptz, start boolean, back boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_activity_agg_transfn';
COMMENT ON FUNCTION @extschema@.activity_agg_transfn(@extschema@.agg_state, text, text, timestamptz, boolean, boolean) IS
	'transition of activity_agg';

CREATE FUNCTION @extschema@.activity_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_activity_agg_combinefn';
COMMENT ON FUNCTION @extschema@.activity_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of activity_agg';

CREATE FUNCTION @extschema@.activity_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.activity
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_activity_agg_finalfn';
COMMENT ON FUNCTION @extschema@.activity_agg_finalfn(@extschema@.agg_state) IS
	'result of activity_agg';

CREATE AGGREGATE @extschema@.activity_agg(period text, ts timestamptz) (
	SFUNC = @extschema@.activity_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 160,
	FINALFUNC = @extschema@.activity_agg_finalfn,
	COMBINEFUNC = @extschema@.activity_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.activity_agg(text, timestamptz) IS
	'the periods in which a customer was active: day, week, week:7 (from Sunday), month, quarter, year by UTC, or 24 hours from the first row (活跃)';

CREATE AGGREGATE @extschema@.activity_agg(period text, zone text, ts timestamptz) (
	SFUNC = @extschema@.activity_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 160,
	FINALFUNC = @extschema@.activity_agg_finalfn,
	COMBINEFUNC = @extschema@.activity_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.activity_agg(text, text, timestamptz) IS
	'the periods of a zone''s calendar in which a customer was active (活跃)';

CREATE AGGREGATE @extschema@.activity_agg(period text, zone text, ts timestamptz, start boolean) (
	SFUNC = @extschema@.activity_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 160,
	FINALFUNC = @extschema@.activity_agg_finalfn,
	COMBINEFUNC = @extschema@.activity_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.activity_agg(text, text, timestamptz, boolean) IS
	'the periods of a zone''s calendar in which a customer was active, and in which of them he started, by a condition (活跃)';

CREATE AGGREGATE @extschema@.activity_agg(period text, zone text, ts timestamptz, start boolean, back boolean) (
	SFUNC = @extschema@.activity_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 160,
	FINALFUNC = @extschema@.activity_agg_finalfn,
	COMBINEFUNC = @extschema@.activity_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.activity_agg(text, text, timestamptz, boolean, boolean) IS
	'the periods of a zone''s calendar in which a customer started and came back, each by a condition (活跃)';

CREATE FUNCTION @extschema@.activity_merge(a @extschema@.activity, b @extschema@.activity) RETURNS @extschema@.activity
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
	AS 'MODULE_PATHNAME', 'crm_activity_merge';
COMMENT ON FUNCTION @extschema@.activity_merge(@extschema@.activity, @extschema@.activity) IS
	'the periods of two parts of one customer''s history; not by 24 hours';

CREATE OPERATOR @extschema@.|| (
	FUNCTION = @extschema@.activity_merge,
	LEFTARG = @extschema@.activity,
	RIGHTARG = @extschema@.activity,
	COMMUTATOR = OPERATOR(@extschema@.||)
);
COMMENT ON OPERATOR @extschema@.|| (@extschema@.activity, @extschema@.activity) IS 'the periods of two parts of one customer''s history';

CREATE AGGREGATE @extschema@.merge_agg(a @extschema@.activity) (
	SFUNC = @extschema@.activity_merge,
	STYPE = @extschema@.activity,
	COMBINEFUNC = @extschema@.activity_merge,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.merge_agg(@extschema@.activity) IS 'the periods of all parts of one customer''s history';

CREATE FUNCTION @extschema@.periods(a @extschema@.activity) RETURNS TABLE (number bigint, begins date, started boolean, back boolean)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 20
	AS 'MODULE_PATHNAME', 'crm_periods';
COMMENT ON FUNCTION @extschema@.periods(@extschema@.activity) IS
	'the periods of an activity as rows: number, first day, whether the customer started and came back in it';
