
-- tables over the activities of many customers

CREATE TYPE @extschema@.retention_row AS (
	cohort date,
	size bigint,
	period int,
	customers bigint,
	share float8
);
COMMENT ON TYPE @extschema@.retention_row IS 'how many customers of a cohort came back in a period after their start';

CREATE FUNCTION @extschema@.retention_table_transfn(state @extschema@.agg_state, a @extschema@.activity) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_retention_table_transfn';
COMMENT ON FUNCTION @extschema@.retention_table_transfn(@extschema@.agg_state, @extschema@.activity) IS
	'transition of retention_table';

CREATE FUNCTION @extschema@.retention_table_transfn(state @extschema@.agg_state, periods int, a @extschema@.activity) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_retention_table_transfn';
COMMENT ON FUNCTION @extschema@.retention_table_transfn(@extschema@.agg_state, int, @extschema@.activity) IS
	'transition of retention_table';

CREATE FUNCTION @extschema@.retention_table_transfn(state @extschema@.agg_state, periods int, mode text, a @extschema@.activity) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_retention_table_transfn';
COMMENT ON FUNCTION @extschema@.retention_table_transfn(@extschema@.agg_state, int, text, @extschema@.activity) IS
	'transition of retention_table';

CREATE FUNCTION @extschema@.retention_table_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_retention_table_combinefn';
COMMENT ON FUNCTION @extschema@.retention_table_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of retention_table';

CREATE FUNCTION @extschema@.retention_table_finalfn(state @extschema@.agg_state) RETURNS @extschema@.retention_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_retention_table_finalfn';
COMMENT ON FUNCTION @extschema@.retention_table_finalfn(@extschema@.agg_state) IS
	'result of retention_table';

CREATE AGGREGATE @extschema@.retention_table(a @extschema@.activity) (
	SFUNC = @extschema@.retention_table_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 2048,
	FINALFUNC = @extschema@.retention_table_finalfn,
	COMBINEFUNC = @extschema@.retention_table_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.retention_table(@extschema@.activity) IS
	'customers who came back, by the period of their first start and the number of periods since (留存)';

CREATE AGGREGATE @extschema@.retention_table(periods int, a @extschema@.activity) (
	SFUNC = @extschema@.retention_table_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 2048,
	FINALFUNC = @extschema@.retention_table_finalfn,
	COMBINEFUNC = @extschema@.retention_table_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.retention_table(int, @extschema@.activity) IS
	'customers who came back within so many periods, by the period of their first start and the number of periods since (留存)';

CREATE AGGREGATE @extschema@.retention_table(periods int, mode text, a @extschema@.activity) (
	SFUNC = @extschema@.retention_table_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 2048,
	FINALFUNC = @extschema@.retention_table_finalfn,
	COMBINEFUNC = @extschema@.retention_table_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.retention_table(int, text, @extschema@.activity) IS
	'customers who came back, by cohort and number of periods since; mode: a comma list of recurring (each start counts) and unbounded (in that period or later) (留存)';

CREATE TYPE @extschema@.life_cycle_row AS (
	period date,
	active bigint,
	new bigint,
	retained bigint,
	resurrected bigint,
	lost bigint,
	dormant bigint
);
COMMENT ON TYPE @extschema@.life_cycle_row IS 'active = new + retained + resurrected; dormant = dormant before + lost - resurrected';

CREATE FUNCTION @extschema@.life_cycle_transfn(state @extschema@.agg_state, a @extschema@.activity) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_life_cycle_transfn';
COMMENT ON FUNCTION @extschema@.life_cycle_transfn(@extschema@.agg_state, @extschema@.activity) IS
	'transition of life_cycle';

CREATE FUNCTION @extschema@.life_cycle_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_life_cycle_combinefn';
COMMENT ON FUNCTION @extschema@.life_cycle_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of life_cycle';

CREATE FUNCTION @extschema@.life_cycle_finalfn(state @extschema@.agg_state) RETURNS @extschema@.life_cycle_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_life_cycle_finalfn';
COMMENT ON FUNCTION @extschema@.life_cycle_finalfn(@extschema@.agg_state) IS
	'result of life_cycle';

CREATE AGGREGATE @extschema@.life_cycle(a @extschema@.activity) (
	SFUNC = @extschema@.life_cycle_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 2048,
	FINALFUNC = @extschema@.life_cycle_finalfn,
	COMBINEFUNC = @extschema@.life_cycle_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.life_cycle(@extschema@.activity) IS
	'customers by period: new, retained from the period before, resurrected after a break, lost since the period before, dormant (生命周期)';

CREATE TYPE @extschema@.stickiness_row AS (
	period date,
	days int,
	customers bigint,
	active_days bigint,
	average_daily float8,
	stickiness float8,
	histogram bigint[]
);
COMMENT ON TYPE @extschema@.stickiness_row IS 'a period''s customers, their days of activity, the average day''s share of them, and customers by number of active days';

CREATE FUNCTION @extschema@.stickiness_transfn(state @extschema@.agg_state, period text, a @extschema@.activity) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_stickiness_transfn';
COMMENT ON FUNCTION @extschema@.stickiness_transfn(@extschema@.agg_state, text, @extschema@.activity) IS
	'transition of stickiness';

CREATE FUNCTION @extschema@.stickiness_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_stickiness_combinefn';
COMMENT ON FUNCTION @extschema@.stickiness_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of stickiness';

CREATE FUNCTION @extschema@.stickiness_finalfn(state @extschema@.agg_state) RETURNS @extschema@.stickiness_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_stickiness_finalfn';
COMMENT ON FUNCTION @extschema@.stickiness_finalfn(@extschema@.agg_state) IS
	'result of stickiness';

CREATE AGGREGATE @extschema@.stickiness(period text, a @extschema@.activity) (
	SFUNC = @extschema@.stickiness_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 2048,
	FINALFUNC = @extschema@.stickiness_finalfn,
	COMBINEFUNC = @extschema@.stickiness_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.stickiness(text, @extschema@.activity) IS
	'average daily customers as a share of those of the week, month ..., and customers by number of active days (粘性)';

CREATE TYPE @extschema@.active_users_row AS (
	day date,
	daily bigint,
	weekly bigint,
	monthly bigint,
	calendar_week bigint,
	calendar_month bigint,
	new bigint
);
COMMENT ON TYPE @extschema@.active_users_row IS 'customers active on a day, in the 7 and 30 days that end with it, in the calendar week and month that hold it, and those for the first time';

CREATE FUNCTION @extschema@.active_users_transfn(state @extschema@.agg_state, a @extschema@.activity) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_active_users_transfn';
COMMENT ON FUNCTION @extschema@.active_users_transfn(@extschema@.agg_state, @extschema@.activity) IS
	'transition of active_users';

CREATE FUNCTION @extschema@.active_users_transfn(state @extschema@.agg_state, week_start int, a @extschema@.activity) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_active_users_transfn';
COMMENT ON FUNCTION @extschema@.active_users_transfn(@extschema@.agg_state, int, @extschema@.activity) IS
	'transition of active_users';

CREATE FUNCTION @extschema@.active_users_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_active_users_combinefn';
COMMENT ON FUNCTION @extschema@.active_users_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of active_users';

CREATE FUNCTION @extschema@.active_users_finalfn(state @extschema@.agg_state) RETURNS @extschema@.active_users_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_active_users_finalfn';
COMMENT ON FUNCTION @extschema@.active_users_finalfn(@extschema@.agg_state) IS
	'result of active_users';

CREATE AGGREGATE @extschema@.active_users(a @extschema@.activity) (
	SFUNC = @extschema@.active_users_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 2048,
	FINALFUNC = @extschema@.active_users_finalfn,
	COMBINEFUNC = @extschema@.active_users_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.active_users(@extschema@.activity) IS
	'active customers by day: daily, of the last 7 and 30 days, of the calendar week and month, new (日活/周活/月活)';

CREATE AGGREGATE @extschema@.active_users(week_start int, a @extschema@.activity) (
	SFUNC = @extschema@.active_users_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 2048,
	FINALFUNC = @extschema@.active_users_finalfn,
	COMBINEFUNC = @extschema@.active_users_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.active_users(int, @extschema@.activity) IS
	'active customers by day, with calendar weeks that begin on a day 1 (Monday) to 7 (日活/周活/月活)';
