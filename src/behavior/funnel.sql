
-- crm.funnel: one customer's way through a funnel

CREATE TYPE @extschema@.funnel;

CREATE FUNCTION @extschema@.funnel_in(cstring) RETURNS @extschema@.funnel
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_in';
COMMENT ON FUNCTION @extschema@.funnel_in(cstring) IS 'text input of funnel';

CREATE FUNCTION @extschema@.funnel_out(@extschema@.funnel) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_out';
COMMENT ON FUNCTION @extschema@.funnel_out(@extschema@.funnel) IS 'text output of funnel: JSON, times in UTC';

CREATE FUNCTION @extschema@.funnel_recv(internal) RETURNS @extschema@.funnel
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_recv';
COMMENT ON FUNCTION @extschema@.funnel_recv(internal) IS 'binary input of funnel';

CREATE FUNCTION @extschema@.funnel_send(@extschema@.funnel) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_send';
COMMENT ON FUNCTION @extschema@.funnel_send(@extschema@.funnel) IS 'binary output of funnel';

CREATE TYPE @extschema@.funnel (
	INPUT = @extschema@.funnel_in,
	OUTPUT = @extschema@.funnel_out,
	RECEIVE = @extschema@.funnel_recv,
	SEND = @extschema@.funnel_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.funnel IS 'the way of one customer through a funnel: when each step was taken (漏斗路径)';

CREATE FUNCTION @extschema@.funnel_agg_transfn(state @extschema@.agg_state, within interval, ts timestamptz, VARIADIC steps boolean[])
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_agg_transfn';
COMMENT ON FUNCTION @extschema@.funnel_agg_transfn(@extschema@.agg_state, interval, timestamptz, boolean[]) IS
	'transition of funnel_agg';

CREATE FUNCTION @extschema@.funnel_agg_transfn(state @extschema@.agg_state, within interval, options jsonb, ts timestamptz, VARIADIC steps boolean[])
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_agg_transfn';
COMMENT ON FUNCTION @extschema@.funnel_agg_transfn(@extschema@.agg_state, interval, jsonb, timestamptz, boolean[]) IS
	'transition of funnel_agg with options';

CREATE FUNCTION @extschema@.funnel_agg_transfn(state @extschema@.agg_state, within interval, options jsonb, ts timestamptz, attribute text, VARIADIC steps boolean[])
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_agg_transfn';
COMMENT ON FUNCTION @extschema@.funnel_agg_transfn(@extschema@.agg_state, interval, jsonb, timestamptz, text, boolean[]) IS
	'transition of funnel_agg with options and an attribute';

CREATE FUNCTION @extschema@.funnel_agg_combinefn(a @extschema@.agg_state, b @extschema@.agg_state)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_agg_combinefn';
COMMENT ON FUNCTION @extschema@.funnel_agg_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of funnel_agg';

CREATE FUNCTION @extschema@.funnel_agg_finalfn(state @extschema@.agg_state) RETURNS @extschema@.funnel
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_funnel_agg_finalfn';
COMMENT ON FUNCTION @extschema@.funnel_agg_finalfn(@extschema@.agg_state) IS 'result of funnel_agg';

CREATE AGGREGATE @extschema@.funnel_agg(within interval, ts timestamptz, VARIADIC steps boolean[]) (
	SFUNC = @extschema@.funnel_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 512,
	FINALFUNC = @extschema@.funnel_agg_finalfn,
	COMBINEFUNC = @extschema@.funnel_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.funnel_agg(interval, timestamptz, boolean[]) IS
	'how far and when one customer took the steps in their order, the last no later than "within" after the first (漏斗分析)';

CREATE AGGREGATE @extschema@.funnel_agg(within interval, options jsonb, ts timestamptz, VARIADIC steps boolean[]) (
	SFUNC = @extschema@.funnel_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 512,
	FINALFUNC = @extschema@.funnel_agg_finalfn,
	COMBINEFUNC = @extschema@.funnel_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.funnel_agg(interval, jsonb, timestamptz, boolean[]) IS
	'the same with options: min_gap, max_gap, exclude, per, zone, week_start (漏斗分析)';

CREATE AGGREGATE @extschema@.funnel_agg(within interval, options jsonb, ts timestamptz, attribute text, VARIADIC steps boolean[]) (
	SFUNC = @extschema@.funnel_agg_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 512,
	FINALFUNC = @extschema@.funnel_agg_finalfn,
	COMBINEFUNC = @extschema@.funnel_agg_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.funnel_agg(interval, jsonb, timestamptz, text, boolean[]) IS
	'the same with an attribute, for options hold and breakdown (漏斗分析)';

CREATE FUNCTION @extschema@.max_step(f @extschema@.funnel) RETURNS int
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_max_step';
COMMENT ON FUNCTION @extschema@.max_step(@extschema@.funnel) IS
	'deepest step that the customer took, 0 for none (漏斗层级)';

CREATE FUNCTION @extschema@.step_times(f @extschema@.funnel) RETURNS timestamptz[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_step_times';
COMMENT ON FUNCTION @extschema@.step_times(@extschema@.funnel) IS
	'when each step was taken on the deepest way, of several the earliest (各步时间)';

CREATE FUNCTION @extschema@.step_durations(f @extschema@.funnel) RETURNS interval[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_step_durations';
COMMENT ON FUNCTION @extschema@.step_durations(@extschema@.funnel) IS
	'time from each step to the next on the deepest way (各步耗时)';

CREATE FUNCTION @extschema@.funnel_paths(f @extschema@.funnel,
	OUT period timestamptz, OUT attribute text, OUT max_step int, OUT step_times timestamptz[], OUT step_durations interval[])
	RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_funnel_paths';
COMMENT ON FUNCTION @extschema@.funnel_paths(@extschema@.funnel) IS
	'the ways of one customer as rows, one for each calendar period in which he began (漏斗路径明细)';

CREATE TYPE @extschema@.funnel_row AS (
	period timestamptz,
	attribute text,
	step int,
	customers bigint,
	from_first float8,
	from_previous float8,
	median_time interval,
	mean_time interval,
	median_from_first interval,
	mean_from_first interval
);
COMMENT ON TYPE @extschema@.funnel_row IS 'one step of a funnel over all customers: how many took it, and how long it took them (漏斗表)';

CREATE FUNCTION @extschema@.funnel_table_transfn(state @extschema@.agg_state, f @extschema@.funnel)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_table_transfn';
COMMENT ON FUNCTION @extschema@.funnel_table_transfn(@extschema@.agg_state, @extschema@.funnel) IS 'transition of funnel_table';

CREATE FUNCTION @extschema@.funnel_table_combinefn(a @extschema@.agg_state, b @extschema@.agg_state)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_funnel_table_combinefn';
COMMENT ON FUNCTION @extschema@.funnel_table_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of funnel_table';

CREATE FUNCTION @extschema@.funnel_table_finalfn(state @extschema@.agg_state) RETURNS @extschema@.funnel_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 250
	AS 'MODULE_PATHNAME', 'crm_funnel_table_finalfn';
COMMENT ON FUNCTION @extschema@.funnel_table_finalfn(@extschema@.agg_state) IS 'result of funnel_table';

CREATE AGGREGATE @extschema@.funnel_table(f @extschema@.funnel) (
	SFUNC = @extschema@.funnel_table_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.funnel_table_finalfn,
	COMBINEFUNC = @extschema@.funnel_table_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.funnel_table(@extschema@.funnel) IS
	'the funnel of all customers, a row for each step, period and attribute (漏斗表)';
