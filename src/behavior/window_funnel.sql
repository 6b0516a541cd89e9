
-- window_funnel: how far a customer went through a funnel

CREATE FUNCTION @extschema@.window_funnel_transfn(state @extschema@.agg_state, within interval, ts timestamptz, VARIADIC steps boolean[])
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_transfn';
COMMENT ON FUNCTION @extschema@.window_funnel_transfn(@extschema@.agg_state, interval, timestamptz, boolean[]) IS
	'transition of window_funnel';

CREATE FUNCTION @extschema@.window_funnel_transfn(state @extschema@.agg_state, within interval, mode text, ts timestamptz, VARIADIC steps boolean[])
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_mode_transfn';
COMMENT ON FUNCTION @extschema@.window_funnel_transfn(@extschema@.agg_state, interval, text, timestamptz, boolean[]) IS
	'transition of window_funnel with a mode';

CREATE FUNCTION @extschema@.window_funnel_combinefn(a @extschema@.agg_state, b @extschema@.agg_state)
	RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_combinefn';
COMMENT ON FUNCTION @extschema@.window_funnel_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of window_funnel';

CREATE FUNCTION @extschema@.window_funnel_finalfn(state @extschema@.agg_state) RETURNS int
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_window_funnel_finalfn';
COMMENT ON FUNCTION @extschema@.window_funnel_finalfn(@extschema@.agg_state) IS 'result of window_funnel';

CREATE AGGREGATE @extschema@.window_funnel(within interval, ts timestamptz, VARIADIC steps boolean[]) (
	SFUNC = @extschema@.window_funnel_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.window_funnel_finalfn,
	COMBINEFUNC = @extschema@.window_funnel_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.window_funnel(interval, timestamptz, boolean[]) IS
	'how many of the steps one customer took in their order, the last no later than "within" after the first (漏斗分析)';

CREATE AGGREGATE @extschema@.window_funnel(within interval, mode text, ts timestamptz, VARIADIC steps boolean[]) (
	SFUNC = @extschema@.window_funnel_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.window_funnel_finalfn,
	COMBINEFUNC = @extschema@.window_funnel_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.window_funnel(interval, text, timestamptz, boolean[]) IS
	'the same with a mode: a comma list of strict_deduplication, strict_order, strict_increase, strict_once, allow_reentry (漏斗分析)';

-- The same with two to eight steps, each an argument of its own: to make an array of them for every row took more time than all
-- that is done with it.  Which form a call means is PostgreSQL's to choose, and makes no other difference.
CREATE FUNCTION @extschema@.window_funnel_transfn(state @extschema@.agg_state, within interval, ts timestamptz,
	step1 boolean, step2 boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_steps_transfn';
COMMENT ON FUNCTION @extschema@.window_funnel_transfn(@extschema@.agg_state, interval, timestamptz, boolean, boolean) IS
	'transition of window_funnel without an array';
CREATE AGGREGATE @extschema@.window_funnel(within interval, ts timestamptz,
	step1 boolean, step2 boolean) (
	SFUNC = @extschema@.window_funnel_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.window_funnel_finalfn,
	COMBINEFUNC = @extschema@.window_funnel_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.window_funnel(interval, timestamptz, boolean, boolean) IS
	'the same with few steps, of which no array is made (漏斗分析)';

CREATE FUNCTION @extschema@.window_funnel_transfn(state @extschema@.agg_state, within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_steps_transfn';
COMMENT ON FUNCTION @extschema@.window_funnel_transfn(@extschema@.agg_state, interval, timestamptz, boolean, boolean, boolean) IS
	'transition of window_funnel without an array';
CREATE AGGREGATE @extschema@.window_funnel(within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean) (
	SFUNC = @extschema@.window_funnel_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.window_funnel_finalfn,
	COMBINEFUNC = @extschema@.window_funnel_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.window_funnel(interval, timestamptz, boolean, boolean, boolean) IS
	'the same with few steps, of which no array is made (漏斗分析)';

CREATE FUNCTION @extschema@.window_funnel_transfn(state @extschema@.agg_state, within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_steps_transfn';
COMMENT ON FUNCTION @extschema@.window_funnel_transfn(@extschema@.agg_state, interval, timestamptz, boolean, boolean, boolean, boolean) IS
	'transition of window_funnel without an array';
CREATE AGGREGATE @extschema@.window_funnel(within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean) (
	SFUNC = @extschema@.window_funnel_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.window_funnel_finalfn,
	COMBINEFUNC = @extschema@.window_funnel_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.window_funnel(interval, timestamptz, boolean, boolean, boolean, boolean) IS
	'the same with few steps, of which no array is made (漏斗分析)';

CREATE FUNCTION @extschema@.window_funnel_transfn(state @extschema@.agg_state, within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean, step5 boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_steps_transfn';
COMMENT ON FUNCTION @extschema@.window_funnel_transfn(@extschema@.agg_state, interval, timestamptz, boolean, boolean, boolean, boolean, boolean) IS
	'transition of window_funnel without an array';
CREATE AGGREGATE @extschema@.window_funnel(within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean, step5 boolean) (
	SFUNC = @extschema@.window_funnel_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.window_funnel_finalfn,
	COMBINEFUNC = @extschema@.window_funnel_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.window_funnel(interval, timestamptz, boolean, boolean, boolean, boolean, boolean) IS
	'the same with few steps, of which no array is made (漏斗分析)';

CREATE FUNCTION @extschema@.window_funnel_transfn(state @extschema@.agg_state, within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean, step5 boolean, step6 boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_steps_transfn';
COMMENT ON FUNCTION @extschema@.window_funnel_transfn(@extschema@.agg_state, interval, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean) IS
	'transition of window_funnel without an array';
CREATE AGGREGATE @extschema@.window_funnel(within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean, step5 boolean, step6 boolean) (
	SFUNC = @extschema@.window_funnel_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.window_funnel_finalfn,
	COMBINEFUNC = @extschema@.window_funnel_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.window_funnel(interval, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean) IS
	'the same with few steps, of which no array is made (漏斗分析)';

CREATE FUNCTION @extschema@.window_funnel_transfn(state @extschema@.agg_state, within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean, step5 boolean, step6 boolean, step7 boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_steps_transfn';
COMMENT ON FUNCTION @extschema@.window_funnel_transfn(@extschema@.agg_state, interval, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean, boolean) IS
	'transition of window_funnel without an array';
CREATE AGGREGATE @extschema@.window_funnel(within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean, step5 boolean, step6 boolean, step7 boolean) (
	SFUNC = @extschema@.window_funnel_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.window_funnel_finalfn,
	COMBINEFUNC = @extschema@.window_funnel_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.window_funnel(interval, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean, boolean) IS
	'the same with few steps, of which no array is made (漏斗分析)';

CREATE FUNCTION @extschema@.window_funnel_transfn(state @extschema@.agg_state, within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean, step5 boolean, step6 boolean, step7 boolean, step8 boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_window_funnel_steps_transfn';
COMMENT ON FUNCTION @extschema@.window_funnel_transfn(@extschema@.agg_state, interval, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean, boolean, boolean) IS
	'transition of window_funnel without an array';
CREATE AGGREGATE @extschema@.window_funnel(within interval, ts timestamptz,
	step1 boolean, step2 boolean, step3 boolean, step4 boolean, step5 boolean, step6 boolean, step7 boolean, step8 boolean) (
	SFUNC = @extschema@.window_funnel_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 192,
	FINALFUNC = @extschema@.window_funnel_finalfn,
	COMBINEFUNC = @extschema@.window_funnel_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.window_funnel(interval, timestamptz, boolean, boolean, boolean, boolean, boolean, boolean, boolean, boolean) IS
	'the same with few steps, of which no array is made (漏斗分析)';
