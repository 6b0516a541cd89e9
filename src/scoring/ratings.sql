-- satisfaction, loyalty and engagement

CREATE FUNCTION @extschema@.nps_transfn(state @extschema@.agg_state, rating int) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_nps_transfn';
COMMENT ON FUNCTION @extschema@.nps_transfn(@extschema@.agg_state, int) IS
	'transition of nps_agg';

CREATE FUNCTION @extschema@.csat_transfn(state @extschema@.agg_state, rating int) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_csat_transfn';
COMMENT ON FUNCTION @extschema@.csat_transfn(@extschema@.agg_state, int) IS
	'transition of csat_agg';

CREATE FUNCTION @extschema@.ces_transfn(state @extschema@.agg_state, rating int) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_ces_transfn';
COMMENT ON FUNCTION @extschema@.ces_transfn(@extschema@.agg_state, int) IS
	'transition of ces_agg';

CREATE FUNCTION @extschema@.csat_transfn(state @extschema@.agg_state, scale int, rating int) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_csat_transfn';
COMMENT ON FUNCTION @extschema@.csat_transfn(@extschema@.agg_state, int, int) IS
	'transition of csat_agg with a scale';

CREATE FUNCTION @extschema@.ratings_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_ratings_combinefn';
COMMENT ON FUNCTION @extschema@.ratings_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two counts of ratings';

CREATE FUNCTION @extschema@.nps_finalfn(state @extschema@.agg_state) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_nps_finalfn';
COMMENT ON FUNCTION @extschema@.nps_finalfn(@extschema@.agg_state) IS
	'result of nps_agg';

CREATE FUNCTION @extschema@.nps_interval_finalfn(state @extschema@.agg_state) RETURNS @extschema@.estimate
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_nps_interval_finalfn';
COMMENT ON FUNCTION @extschema@.nps_interval_finalfn(@extschema@.agg_state) IS
	'result of nps_interval_agg';

CREATE AGGREGATE @extschema@.nps_agg(rating int) (
	SFUNC = @extschema@.nps_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 104,
	FINALFUNC = @extschema@.nps_finalfn,
	COMBINEFUNC = @extschema@.ratings_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.nps_agg(int) IS
	'net promoter score, -100 to 100: percent of 9 and 10 less percent of 0 to 6 (净推荐值)';

CREATE AGGREGATE @extschema@.nps_interval_agg(rating int) (
	SFUNC = @extschema@.nps_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 104,
	FINALFUNC = @extschema@.nps_interval_finalfn,
	COMBINEFUNC = @extschema@.ratings_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.nps_interval_agg(int) IS
	'net promoter score, -100 to 100: percent of 9 and 10 less percent of 0 to 6, with limits of 95 percent (净推荐值)';

CREATE FUNCTION @extschema@.csat_finalfn(state @extschema@.agg_state) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_csat_finalfn';
COMMENT ON FUNCTION @extschema@.csat_finalfn(@extschema@.agg_state) IS
	'result of csat_agg';

CREATE FUNCTION @extschema@.csat_interval_finalfn(state @extschema@.agg_state) RETURNS @extschema@.estimate
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_csat_interval_finalfn';
COMMENT ON FUNCTION @extschema@.csat_interval_finalfn(@extschema@.agg_state) IS
	'result of csat_interval_agg';

CREATE AGGREGATE @extschema@.csat_agg(rating int) (
	SFUNC = @extschema@.csat_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 104,
	FINALFUNC = @extschema@.csat_finalfn,
	COMBINEFUNC = @extschema@.ratings_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.csat_agg(int) IS
	'percent of satisfied answers, the two highest of a scale from 1, of 5 unless told (满意度)';

CREATE AGGREGATE @extschema@.csat_agg(scale int, rating int) (
	SFUNC = @extschema@.csat_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 104,
	FINALFUNC = @extschema@.csat_finalfn,
	COMBINEFUNC = @extschema@.ratings_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.csat_agg(int, int) IS
	'percent of satisfied answers, the two highest of a scale from 1, of 5 unless told (满意度)';

CREATE AGGREGATE @extschema@.csat_interval_agg(rating int) (
	SFUNC = @extschema@.csat_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 104,
	FINALFUNC = @extschema@.csat_interval_finalfn,
	COMBINEFUNC = @extschema@.ratings_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.csat_interval_agg(int) IS
	'percent of satisfied answers, the two highest of a scale from 1, of 5 unless told, with limits of 95 percent (满意度)';

CREATE AGGREGATE @extschema@.csat_interval_agg(scale int, rating int) (
	SFUNC = @extschema@.csat_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 104,
	FINALFUNC = @extschema@.csat_interval_finalfn,
	COMBINEFUNC = @extschema@.ratings_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.csat_interval_agg(int, int) IS
	'percent of satisfied answers, the two highest of a scale from 1, of 5 unless told, with limits of 95 percent (满意度)';

CREATE FUNCTION @extschema@.ces_finalfn(state @extschema@.agg_state) RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_ces_finalfn';
COMMENT ON FUNCTION @extschema@.ces_finalfn(@extschema@.agg_state) IS
	'result of ces_agg';

CREATE FUNCTION @extschema@.ces_interval_finalfn(state @extschema@.agg_state) RETURNS @extschema@.estimate
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_ces_interval_finalfn';
COMMENT ON FUNCTION @extschema@.ces_interval_finalfn(@extschema@.agg_state) IS
	'result of ces_interval_agg';

CREATE AGGREGATE @extschema@.ces_agg(rating int) (
	SFUNC = @extschema@.ces_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 104,
	FINALFUNC = @extschema@.ces_finalfn,
	COMBINEFUNC = @extschema@.ratings_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.ces_agg(int) IS
	'customer effort score: mean of ratings from 1 to 7 (费力度)';

CREATE AGGREGATE @extschema@.ces_interval_agg(rating int) (
	SFUNC = @extschema@.ces_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 104,
	FINALFUNC = @extschema@.ces_interval_finalfn,
	COMBINEFUNC = @extschema@.ratings_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.ces_interval_agg(int) IS
	'customer effort score: mean of ratings from 1 to 7, with limits of 95 percent (费力度)';

CREATE FUNCTION @extschema@.loyalty_parts(parts float8[], weights float8[])
	RETURNS TABLE (part int, value float8, weight float8, contribution float8)
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 5
BEGIN ATOMIC
	SELECT p.n::int, p.value, p.weight / s.weights, 100 * p.value * (p.weight / s.weights)
	FROM ROWS FROM (pg_catalog.unnest(parts), pg_catalog.unnest(weights)) WITH ORDINALITY AS p (value, weight, n),
		(SELECT pg_catalog.sum(q.weight) AS weights FROM ROWS FROM (pg_catalog.unnest(parts), pg_catalog.unnest(weights)) AS q (value, weight) WHERE q.value IS NOT NULL) AS s
	WHERE p.value IS NOT NULL AND p.weight IS NOT NULL AND s.weights > 0
	ORDER BY p.n;
END;
COMMENT ON FUNCTION @extschema@.loyalty_parts(float8[], float8[]) IS
	'what each part, 0 to 1, adds to the loyalty index; the weights of parts that are not known go to the others (忠诚度构成)';

CREATE FUNCTION @extschema@.loyalty_index(parts float8[], weights float8[]) RETURNS float8
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 200
	RETURN (SELECT pg_catalog.sum(p.contribution ORDER BY p.part) FROM @extschema@.loyalty_parts(parts, weights) AS p);
COMMENT ON FUNCTION @extschema@.loyalty_index(float8[], float8[]) IS
	'loyalty index, 0 to 100: the sum of what loyalty_parts gives, NULL where no part is known (忠诚度指数)';

CREATE FUNCTION @extschema@.engagement(decayed float8, half_life interval, tenure interval, tenure_floor interval DEFAULT interval '30 days')
	RETURNS float8
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN decayed * pg_catalog.ln(2.0::float8) /
		((EXTRACT(epoch FROM half_life)::float8 / 86400) * (1 - pg_catalog.power(2.0::float8,
			- GREATEST(EXTRACT(epoch FROM tenure)::float8, EXTRACT(epoch FROM tenure_floor)::float8) / EXTRACT(epoch FROM half_life)::float8)));
COMMENT ON FUNCTION @extschema@.engagement(float8, interval, interval, interval) IS
	'engagement: events a day, the latest counting most. From a sum that decays by a half-life, as decayed_sum gives, over what a customer of this tenure with one event a day would have; a short tenure counts as the floor (活跃度)';
