-- How long customers stay: Kaplan-Meier and log-rank

CREATE TYPE @extschema@.survival_point AS (
	"time" float8, at_risk bigint, events bigint, survival float8, lower float8, upper float8);
COMMENT ON TYPE @extschema@.survival_point IS 'one step of a survival curve (生存曲线)';
COMMENT ON COLUMN @extschema@.survival_point."time" IS 'time from the beginning (时间)';
COMMENT ON COLUMN @extschema@.survival_point.at_risk IS 'customers still there just before it';
COMMENT ON COLUMN @extschema@.survival_point.events IS 'customers who left at it';
COMMENT ON COLUMN @extschema@.survival_point.survival IS 'share that stays longer (留存率)';
COMMENT ON COLUMN @extschema@.survival_point.lower IS 'lower confidence limit; NULL where survival is 0';
COMMENT ON COLUMN @extschema@.survival_point.upper IS 'upper confidence limit; NULL where survival is 0';

CREATE FUNCTION @extschema@.kaplan_meier_transfn(state @extschema@.agg_state, duration float8, event boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kaplan_meier_transfn';
COMMENT ON FUNCTION @extschema@.kaplan_meier_transfn(@extschema@.agg_state, float8, boolean) IS
	'transition of kaplan_meier';

CREATE FUNCTION @extschema@.kaplan_meier_transfn(state @extschema@.agg_state, confidence float8, duration float8, event boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_kaplan_meier_transfn';
COMMENT ON FUNCTION @extschema@.kaplan_meier_transfn(@extschema@.agg_state, float8, float8, boolean) IS
	'transition of kaplan_meier with its confidence';

CREATE FUNCTION @extschema@.kaplan_meier_finalfn(state @extschema@.agg_state) RETURNS @extschema@.survival_point[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_kaplan_meier_finalfn';
COMMENT ON FUNCTION @extschema@.kaplan_meier_finalfn(@extschema@.agg_state) IS
	'result of kaplan_meier';

CREATE AGGREGATE @extschema@.kaplan_meier(duration float8, event boolean) (
	SFUNC = @extschema@.kaplan_meier_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.kaplan_meier_finalfn,
	COMBINEFUNC = @extschema@.counts_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kaplan_meier(float8, boolean) IS
	'survival curve (生存曲线) of customers who left (event) after a time or were still there after it (Kaplan and Meier 1958): a point at each time at which someone left, with limits by Greenwood''s variance of the logarithm, of 95 % confidence. Rows with a NULL are ignored; no rows: NULL; nobody left: no points. A negative duration: 22023';

CREATE AGGREGATE @extschema@.kaplan_meier(confidence float8, duration float8, event boolean) (
	SFUNC = @extschema@.kaplan_meier_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.kaplan_meier_finalfn,
	COMBINEFUNC = @extschema@.counts_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.kaplan_meier(float8, float8, boolean) IS
	'survival curve (生存曲线) of customers who left (event) after a time or were still there after it (Kaplan and Meier 1958): a point at each time at which someone left, with limits by Greenwood''s variance of the logarithm, of the confidence given, between 0 and 1. Rows with a NULL are ignored; no rows: NULL; nobody left: no points. A negative duration: 22023';

CREATE FUNCTION @extschema@.survival_at(curve @extschema@.survival_point[], at float8) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 250
RETURN CASE WHEN curve IS NULL OR at IS NULL THEN NULL ELSE
	coalesce((SELECT p.survival FROM pg_catalog.unnest(curve) AS p WHERE p."time" <= at
		ORDER BY p."time" DESC LIMIT 1), 1) END;
COMMENT ON FUNCTION @extschema@.survival_at(@extschema@.survival_point[], float8) IS
	'share of customers that stays longer than a time, from a survival curve; 1 before its first point, its last value behind the last. NULL for a NULL';

CREATE FUNCTION @extschema@.survival_quantile(curve @extschema@.survival_point[], q float8 DEFAULT 0.5,
	OUT estimate float8, OUT lower float8, OUT upper float8)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000
BEGIN ATOMIC
	SELECT
		(SELECT CASE WHEN pg_catalog.abs(f.value - (1 - q)) < 1e-12
		THEN (f."time" + coalesce((SELECT pg_catalog.min(n."time") FROM pg_catalog.unnest(curve) AS n WHERE n.survival < f.value - 1e-12), f."time"))
			/ 2
		ELSE f."time" END
	FROM (SELECT p."time", p.survival AS value FROM pg_catalog.unnest(curve) AS p
		WHERE p.survival <= 1 - q + 1e-12 ORDER BY p."time" LIMIT 1) AS f),
		(SELECT CASE WHEN pg_catalog.abs(f.value - (1 - q)) < 1e-12
		THEN (f."time" + coalesce((SELECT pg_catalog.min(n."time") FROM pg_catalog.unnest(curve) AS n WHERE n.lower < f.value - 1e-12), f."time"))
			/ 2
		ELSE f."time" END
	FROM (SELECT p."time", p.lower AS value FROM pg_catalog.unnest(curve) AS p
		WHERE p.lower <= 1 - q + 1e-12 ORDER BY p."time" LIMIT 1) AS f),
		(SELECT CASE WHEN pg_catalog.abs(f.value - (1 - q)) < 1e-12
		THEN (f."time" + coalesce((SELECT pg_catalog.min(n."time") FROM pg_catalog.unnest(curve) AS n WHERE n.upper < f.value - 1e-12), f."time"))
			/ 2
		ELSE f."time" END
	FROM (SELECT p."time", p.upper AS value FROM pg_catalog.unnest(curve) AS p
		WHERE p.upper <= 1 - q + 1e-12 ORDER BY p."time" LIMIT 1) AS f);
END;
COMMENT ON FUNCTION @extschema@.survival_quantile(@extschema@.survival_point[], float8) IS
	'time after which a share q of the customers has left, 0.5: the median, with limits where the curve''s limits come to the same; the middle of the times where the curve lies exactly at it. NULL where it is not reached';

CREATE FUNCTION @extschema@.restricted_mean_survival(curve @extschema@.survival_point[], until float8) RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 250
RETURN CASE WHEN curve IS NULL OR until IS NULL OR until < 0 THEN NULL ELSE
	(SELECT coalesce(pg_catalog.sum(s.survival * (LEAST(s.ending, until) - s."time")), 0)
	 FROM (SELECT p."time", p.survival, pg_catalog.lead(p."time", 1, until) OVER (ORDER BY p."time") AS ending
		FROM (SELECT 0::pg_catalog.float8 AS "time", 1::pg_catalog.float8 AS survival
			UNION ALL SELECT u."time", u.survival FROM pg_catalog.unnest(curve) AS u) AS p) AS s
	 WHERE s."time" < until) END;
COMMENT ON FUNCTION @extschema@.restricted_mean_survival(@extschema@.survival_point[], float8) IS
	'mean time that customers stay within the first until units of time: the area under the curve (平均留存时间). NULL for a NULL or a negative until';

CREATE TYPE @extschema@.log_rank_result AS (
	chi_square float8, degrees int, p_value float8, groups text[], customers bigint[], observed float8[], expected float8[]);
COMMENT ON TYPE @extschema@.log_rank_result IS 'do groups leave at the same rate? (对数秩检验)';
COMMENT ON COLUMN @extschema@.log_rank_result.chi_square IS 'the test''s statistic; NULL where no two groups can be compared';
COMMENT ON COLUMN @extschema@.log_rank_result.degrees IS 'its degrees of freedom: groups that can be compared, less one';
COMMENT ON COLUMN @extschema@.log_rank_result.p_value IS 'probability of such a difference or a greater one by chance alone';
COMMENT ON COLUMN @extschema@.log_rank_result.groups IS 'the groups, in byte order of their names; the arrays beside it are in the same order';
COMMENT ON COLUMN @extschema@.log_rank_result.customers IS 'customers of each group';
COMMENT ON COLUMN @extschema@.log_rank_result.observed IS 'those who left, weighted where rho is above 0';
COMMENT ON COLUMN @extschema@.log_rank_result.expected IS 'those who would have left if all groups were alike';

CREATE FUNCTION @extschema@.log_rank_transfn(state @extschema@.agg_state, "grouping" text, duration float8, event boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_log_rank_transfn';
COMMENT ON FUNCTION @extschema@.log_rank_transfn(@extschema@.agg_state, text, float8, boolean) IS
	'transition of log_rank';

CREATE FUNCTION @extschema@.log_rank_transfn(state @extschema@.agg_state, rho float8, "grouping" text, duration float8, event boolean) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_log_rank_transfn';
COMMENT ON FUNCTION @extschema@.log_rank_transfn(@extschema@.agg_state, float8, text, float8, boolean) IS
	'transition of log_rank with its weights';

CREATE FUNCTION @extschema@.log_rank_finalfn(state @extschema@.agg_state) RETURNS @extschema@.log_rank_result
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_log_rank_finalfn';
COMMENT ON FUNCTION @extschema@.log_rank_finalfn(@extschema@.agg_state) IS
	'result of log_rank';

CREATE AGGREGATE @extschema@.log_rank("grouping" text, duration float8, event boolean) (
	SFUNC = @extschema@.log_rank_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.log_rank_finalfn,
	COMBINEFUNC = @extschema@.counts_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.log_rank(text, float8, boolean) IS
	'do groups of customers leave at the same rate (对数秩检验)? The log-rank test (Mantel 1966). Rows with a NULL are ignored; no rows: NULL; at most 1000 groups. A negative duration: 22023';

CREATE AGGREGATE @extschema@.log_rank(rho float8, "grouping" text, duration float8, event boolean) (
	SFUNC = @extschema@.log_rank_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.log_rank_finalfn,
	COMBINEFUNC = @extschema@.counts_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.log_rank(float8, text, float8, boolean) IS
	'do groups of customers leave at the same rate (对数秩检验)? Differences are weighted by survival to the power rho (Harrington and Fleming 1982): 0 is the log-rank test, 1 that of Peto and Peto. Rows with a NULL are ignored; no rows: NULL; at most 1000 groups. A negative duration: 22023';
