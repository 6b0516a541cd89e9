-- what customers looked for and did not buy

CREATE TYPE @extschema@.unmet_demand_row AS (segment text, term text, demands bigint, unmet bigint, customers bigint, unmet_customers bigint,
	unmet_share float8, lower float8, usual float8, excess float8, first_at timestamptz, last_at timestamptz);
COMMENT ON TYPE @extschema@.unmet_demand_row IS 'demand for one thing in one segment, and how often nothing was bought (未满足需求)';
COMMENT ON COLUMN @extschema@.unmet_demand_row.segment IS 'the segment (客群); NULL: none was given';
COMMENT ON COLUMN @extschema@.unmet_demand_row.term IS 'what was wanted (需求), in the form of demand_term';
COMMENT ON COLUMN @extschema@.unmet_demand_row.demands IS 'how often';
COMMENT ON COLUMN @extschema@.unmet_demand_row.unmet IS 'how often no purchase followed in time';
COMMENT ON COLUMN @extschema@.unmet_demand_row.customers IS 'customers who wanted it';
COMMENT ON COLUMN @extschema@.unmet_demand_row.unmet_customers IS 'those of them who bought after none of their demands';
COMMENT ON COLUMN @extschema@.unmet_demand_row.unmet_share IS 'their share (未满足率)';
COMMENT ON COLUMN @extschema@.unmet_demand_row.lower IS 'its lower limit, 95 percent, by Wilson';
COMMENT ON COLUMN @extschema@.unmet_demand_row.usual IS 'the share of the whole segment: unmet_customers of all its terms by customers';
COMMENT ON COLUMN @extschema@.unmet_demand_row.excess IS 'customers more than usual who went without, at least: (lower - usual) * customers; the greatest come first';
COMMENT ON COLUMN @extschema@.unmet_demand_row.first_at IS 'time of the first demand';
COMMENT ON COLUMN @extschema@.unmet_demand_row.last_at IS 'time of the last demand';

CREATE FUNCTION @extschema@.demand_term(term text) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_demand_term';
COMMENT ON FUNCTION @extschema@.demand_term(text) IS
	'one form for all ways to type a term (规范化): NFKC, so that full-width letters become plain ones, small letters, single blanks, none at the ends';

CREATE FUNCTION @extschema@.unmet_demand_transfn(state @extschema@.agg_state, within interval, until timestamptz, wanted jsonb, bought jsonb, t @extschema@.timeline) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_unmet_demand_transfn';
COMMENT ON FUNCTION @extschema@.unmet_demand_transfn(@extschema@.agg_state, interval, timestamptz, jsonb, jsonb, @extschema@.timeline) IS 'transition of unmet_demand';

CREATE FUNCTION @extschema@.unmet_demand_transfn(state @extschema@.agg_state, within interval, until timestamptz, wanted jsonb, bought jsonb, t @extschema@.timeline, segment text) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_unmet_demand_transfn';
COMMENT ON FUNCTION @extschema@.unmet_demand_transfn(@extschema@.agg_state, interval, timestamptz, jsonb, jsonb, @extschema@.timeline, text) IS 'transition of unmet_demand';

CREATE FUNCTION @extschema@.unmet_demand_transfn(state @extschema@.agg_state, within interval, until timestamptz, wanted jsonb, bought jsonb, t @extschema@.timeline, segment text, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_unmet_demand_transfn';
COMMENT ON FUNCTION @extschema@.unmet_demand_transfn(@extschema@.agg_state, interval, timestamptz, jsonb, jsonb, @extschema@.timeline, text, jsonb) IS 'transition of unmet_demand';

CREATE FUNCTION @extschema@.unmet_demand_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_unmet_demand_combinefn';
COMMENT ON FUNCTION @extschema@.unmet_demand_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS 'combination of two states of unmet_demand';

CREATE FUNCTION @extschema@.unmet_demand_finalfn(state @extschema@.agg_state) RETURNS @extschema@.unmet_demand_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_unmet_demand_finalfn';
COMMENT ON FUNCTION @extschema@.unmet_demand_finalfn(@extschema@.agg_state) IS 'result of unmet_demand';

CREATE AGGREGATE @extschema@.unmet_demand(within interval, until timestamptz, wanted jsonb, bought jsonb, t @extschema@.timeline) (
	SFUNC = @extschema@.unmet_demand_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.unmet_demand_finalfn,
	COMBINEFUNC = @extschema@.unmet_demand_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.unmet_demand(interval, timestamptz, jsonb, jsonb, @extschema@.timeline) IS
	'what customers looked for and did not buy (未满足需求), one timeline for each customer: wanted and bought map selectors of events to the attributes that name the thing, as in {"search": "query"}; a demand is met by a purchase of the same thing, or where bought says null of anything, at most within later; only demands that had that time until then count. Per segment the terms with most customers unmet beyond the usual first; NULL without timelines';

CREATE AGGREGATE @extschema@.unmet_demand(within interval, until timestamptz, wanted jsonb, bought jsonb, t @extschema@.timeline, segment text) (
	SFUNC = @extschema@.unmet_demand_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.unmet_demand_finalfn,
	COMBINEFUNC = @extschema@.unmet_demand_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.unmet_demand(interval, timestamptz, jsonb, jsonb, @extschema@.timeline, text) IS
	'what customers looked for and did not buy (未满足需求), one timeline for each customer: wanted and bought map selectors of events to the attributes that name the thing, as in {"search": "query"}; a demand is met by a purchase of the same thing, or where bought says null of anything, at most within later; only demands that had that time until then count. Per segment the terms with most customers unmet beyond the usual first; NULL without timelines';

CREATE AGGREGATE @extschema@.unmet_demand(within interval, until timestamptz, wanted jsonb, bought jsonb, t @extschema@.timeline, segment text, options jsonb) (
	SFUNC = @extschema@.unmet_demand_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.unmet_demand_finalfn,
	COMBINEFUNC = @extschema@.unmet_demand_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.unmet_demand(interval, timestamptz, jsonb, jsonb, @extschema@.timeline, text, jsonb) IS
	'what customers looked for and did not buy (未满足需求), one timeline for each customer: wanted and bought map selectors of events to the attributes that name the thing, as in {"search": "query"}; a demand is met by a purchase of the same thing, or where bought says null of anything, at most within later; only demands that had that time until then count; options: match (same, contains), min_customers. Per segment the terms with most customers unmet beyond the usual first; NULL without timelines';

