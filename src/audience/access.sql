-- Members of audiences as rows and arrays, parts of audiences.

CREATE FUNCTION @extschema@.members_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'crm_members_support'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.members_support(internal) IS
	'planner support: number of rows of members()';

CREATE FUNCTION @extschema@.members(a @extschema@.audience) RETURNS SETOF bigint
	AS 'MODULE_PATHNAME', 'crm_members'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1 ROWS 1000
	SUPPORT @extschema@.members_support;
COMMENT ON FUNCTION @extschema@.members(@extschema@.audience) IS
	'the members in ascending order (成员)';

CREATE FUNCTION @extschema@.slice(a @extschema@.audience, skip bigint, take bigint) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_slice'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.slice(@extschema@.audience, bigint, bigint) IS
	'the take members behind the skip smallest ones';

CREATE FUNCTION @extschema@.sample(a @extschema@.audience, n bigint, seed bigint) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_sample'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.sample(@extschema@.audience, bigint, bigint) IS
	'n members chosen by a hash of id and seed: the same ones each time, nested for growing n (抽样)';

CREATE FUNCTION @extschema@.audience(ids bigint[]) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_from_bigint_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience(bigint[]) IS
	'the set of the ids of an array, in any order';

CREATE FUNCTION @extschema@.audience_to_bigint_array(a @extschema@.audience) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'crm_audience_to_bigint_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_to_bigint_array(@extschema@.audience) IS
	'the members as an array, ascending';

CREATE CAST (bigint[] AS @extschema@.audience) WITH FUNCTION @extschema@.audience(bigint[]);
COMMENT ON CAST (bigint[] AS @extschema@.audience) IS 'the set of the ids of an array';
CREATE CAST (@extschema@.audience AS bigint[]) WITH FUNCTION @extschema@.audience_to_bigint_array(@extschema@.audience);
COMMENT ON CAST (@extschema@.audience AS bigint[]) IS 'the members as an array, ascending';

CREATE FUNCTION @extschema@.audience(ids int[]) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_from_int_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience(int[]) IS
	'the set of the ids of an array, in any order';

CREATE FUNCTION @extschema@.audience_to_int_array(a @extschema@.audience) RETURNS int[]
	AS 'MODULE_PATHNAME', 'crm_audience_to_int_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_to_int_array(@extschema@.audience) IS
	'the members as an array, ascending';

CREATE CAST (int[] AS @extschema@.audience) WITH FUNCTION @extschema@.audience(int[]);
COMMENT ON CAST (int[] AS @extschema@.audience) IS 'the set of the ids of an array';
CREATE CAST (@extschema@.audience AS int[]) WITH FUNCTION @extschema@.audience_to_int_array(@extschema@.audience);
COMMENT ON CAST (@extschema@.audience AS int[]) IS 'the members as an array, ascending';
