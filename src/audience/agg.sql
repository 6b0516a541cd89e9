-- Aggregates over ids and over audiences.

CREATE FUNCTION @extschema@.audience_agg_transfn(@extschema@.audience, bigint) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_agg_transfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.audience_agg_transfn(@extschema@.audience, bigint) IS
	'transition function of audience_agg';

CREATE FUNCTION @extschema@.audience_agg_finalfn(@extschema@.audience) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_agg_finalfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_agg_finalfn(@extschema@.audience) IS
	'final function of audience_agg and union_agg';

CREATE FUNCTION @extschema@.audience_union_transfn(@extschema@.audience, @extschema@.audience) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_union_transfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.audience_union_transfn(@extschema@.audience, @extschema@.audience) IS
	'transition function of union_agg, combine function of audience_agg and union_agg';

CREATE FUNCTION @extschema@.audience_intersect_transfn(@extschema@.audience, @extschema@.audience) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_intersect_transfn'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.audience_intersect_transfn(@extschema@.audience, @extschema@.audience) IS
	'transition and combine function of intersect_agg';

CREATE AGGREGATE @extschema@.audience_agg(id bigint) (
	SFUNC = @extschema@.audience_agg_transfn,
	STYPE = @extschema@.audience,
	SSPACE = 128,
	FINALFUNC = @extschema@.audience_agg_finalfn,
	COMBINEFUNC = @extschema@.audience_union_transfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.audience_agg(bigint) IS
	'the set of the ids; NULL is ignored, no rows give the empty audience (人群汇总)';

CREATE AGGREGATE @extschema@.union_agg(a @extschema@.audience) (
	SFUNC = @extschema@.audience_union_transfn,
	STYPE = @extschema@.audience,
	SSPACE = 8192,
	FINALFUNC = @extschema@.audience_agg_finalfn,
	COMBINEFUNC = @extschema@.audience_union_transfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.union_agg(@extschema@.audience) IS
	'union of all audiences; NULL is ignored, no rows give the empty audience (并集汇总)';

CREATE AGGREGATE @extschema@.intersect_agg(a @extschema@.audience) (
	SFUNC = @extschema@.audience_intersect_transfn,
	STYPE = @extschema@.audience,
	SSPACE = 8192,
	COMBINEFUNC = @extschema@.audience_intersect_transfn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.intersect_agg(@extschema@.audience) IS
	'intersection of all audiences; NULL is ignored, no rows give NULL (交集汇总)';
