-- Set operations, counts, membership and comparison of audiences.

CREATE FUNCTION @extschema@.audience_union(a @extschema@.audience, b @extschema@.audience) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_union'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.audience_union(@extschema@.audience, @extschema@.audience) IS
	'union of two audiences (并集)';

CREATE FUNCTION @extschema@.audience_intersect(a @extschema@.audience, b @extschema@.audience) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_intersect'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.audience_intersect(@extschema@.audience, @extschema@.audience) IS
	'intersection of two audiences (交集)';

CREATE FUNCTION @extschema@.audience_except(a @extschema@.audience, b @extschema@.audience) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_except'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.audience_except(@extschema@.audience, @extschema@.audience) IS
	'members of the left audience that are not in the right one (差集)';

CREATE FUNCTION @extschema@.audience_xor(a @extschema@.audience, b @extschema@.audience) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_xor'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250;
COMMENT ON FUNCTION @extschema@.audience_xor(@extschema@.audience, @extschema@.audience) IS
	'members of exactly one of two audiences';

CREATE OPERATOR @extschema@.| (
	FUNCTION = @extschema@.audience_union, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.|)
);
COMMENT ON OPERATOR @extschema@.| (@extschema@.audience, @extschema@.audience) IS 'union of two audiences';

CREATE OPERATOR @extschema@.& (
	FUNCTION = @extschema@.audience_intersect, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.&)
);
COMMENT ON OPERATOR @extschema@.& (@extschema@.audience, @extschema@.audience) IS 'intersection of two audiences';

CREATE OPERATOR @extschema@.- (
	FUNCTION = @extschema@.audience_except, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience
);
COMMENT ON OPERATOR @extschema@.- (@extschema@.audience, @extschema@.audience) IS 'difference of two audiences';

CREATE OPERATOR @extschema@.# (
	FUNCTION = @extschema@.audience_xor, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.#)
);
COMMENT ON OPERATOR @extschema@.# (@extschema@.audience, @extschema@.audience) IS 'symmetric difference of two audiences';

CREATE FUNCTION @extschema@.cardinality(a @extschema@.audience) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_cardinality'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.cardinality(@extschema@.audience) IS
	'number of members, read from the head of the value (人数)';

CREATE FUNCTION @extschema@.and_cardinality(a @extschema@.audience, b @extschema@.audience) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_and_cardinality'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.and_cardinality(@extschema@.audience, @extschema@.audience) IS
	'number of members of both, counted without building the set';

CREATE FUNCTION @extschema@.or_cardinality(a @extschema@.audience, b @extschema@.audience) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_or_cardinality'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.or_cardinality(@extschema@.audience, @extschema@.audience) IS
	'number of members of either, counted without building the set';

CREATE FUNCTION @extschema@.andnot_cardinality(a @extschema@.audience, b @extschema@.audience) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_andnot_cardinality'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.andnot_cardinality(@extschema@.audience, @extschema@.audience) IS
	'number of members of the left that are not in the right, counted without building the set';

CREATE FUNCTION @extschema@.xor_cardinality(a @extschema@.audience, b @extschema@.audience) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_xor_cardinality'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.xor_cardinality(@extschema@.audience, @extschema@.audience) IS
	'number of members of exactly one, counted without building the set';

CREATE FUNCTION @extschema@.jaccard(a @extschema@.audience, b @extschema@.audience) RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_jaccard'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.jaccard(@extschema@.audience, @extschema@.audience) IS
	'likeness of two audiences: shared members over all members; NULL for two empty ones';

CREATE FUNCTION @extschema@.audience_min(a @extschema@.audience) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_audience_min'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.audience_min(@extschema@.audience) IS
	'smallest member; NULL for the empty audience';

CREATE FUNCTION @extschema@.audience_max(a @extschema@.audience) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_audience_max'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION @extschema@.audience_max(@extschema@.audience) IS
	'largest member; NULL for the empty audience';

CREATE FUNCTION @extschema@.is_empty(a @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_is_empty'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.is_empty(@extschema@.audience) IS
	'has the audience no member?';

CREATE FUNCTION @extschema@.population_stamp(a @extschema@.audience) RETURNS int
	AS 'MODULE_PATHNAME', 'crm_population_stamp'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.population_stamp(@extschema@.audience) IS
	'number of the population whose ids these are; NULL when unstamped';

CREATE FUNCTION @extschema@.audience_idsel(internal, oid, internal, int) RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_audience_idsel'
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.audience_idsel(internal, oid, internal, int) IS
	'selectivity of id <@ audience';

CREATE FUNCTION @extschema@.audience_setsel(internal, oid, internal, int) RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_audience_setsel'
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.audience_setsel(internal, oid, internal, int) IS
	'selectivity of comparing two audiences';

CREATE FUNCTION @extschema@.audience_idjoinsel(internal, oid, internal, smallint, internal) RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_audience_idjoinsel'
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.audience_idjoinsel(internal, oid, internal, smallint, internal) IS
	'join selectivity of id <@ audience';

CREATE FUNCTION @extschema@.audience_setjoinsel(internal, oid, internal, smallint, internal) RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_audience_setjoinsel'
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.audience_setjoinsel(internal, oid, internal, smallint, internal) IS
	'join selectivity of comparing two audiences';

CREATE FUNCTION @extschema@.audience_id_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'crm_audience_id_support'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.audience_id_support(internal) IS
	'planner support: the members of an audience whose size is known can be looked up in an index on the id';

CREATE FUNCTION @extschema@.audience_index_keys_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'crm_audience_index_keys_support'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.audience_index_keys_support(internal) IS
	'planner support: what the look-ups by audience_index_keys cost';

-- A row, because the planner leaves functions of rows alone: it would make the array of each set that it can see, to look
-- at each element for an estimate, which takes longer than many a query.
CREATE FUNCTION @extschema@.audience_index_keys(a @extschema@.audience, cost float8, OUT keys bigint[], OUT members bigint)
	AS 'MODULE_PATHNAME', 'crm_audience_index_keys'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	SUPPORT @extschema@.audience_index_keys_support;
COMMENT ON FUNCTION @extschema@.audience_index_keys(@extschema@.audience, float8) IS
	'the members in ascending order and how many, for index conditions that the planner makes of id <@ audience; cost is its estimate for the look-ups. To have the members yourself: members(a), a::bigint[]';

CREATE FUNCTION @extschema@.audience_contains(a @extschema@.audience, id bigint) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_contains_id'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	SUPPORT @extschema@.audience_id_support;
COMMENT ON FUNCTION @extschema@.audience_contains(@extschema@.audience, bigint) IS
	'is the id a member of the audience?';

CREATE FUNCTION @extschema@.audience_contained(id bigint, a @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_contained_id'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	SUPPORT @extschema@.audience_id_support;
COMMENT ON FUNCTION @extschema@.audience_contained(bigint, @extschema@.audience) IS
	'is the id a member of the audience?';

CREATE FUNCTION @extschema@.audience_contains(a @extschema@.audience, id int) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_contains_int'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	SUPPORT @extschema@.audience_id_support;
COMMENT ON FUNCTION @extschema@.audience_contains(@extschema@.audience, int) IS
	'is the id a member of the audience?';

CREATE FUNCTION @extschema@.audience_contained(id int, a @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_contained_int'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	SUPPORT @extschema@.audience_id_support;
COMMENT ON FUNCTION @extschema@.audience_contained(int, @extschema@.audience) IS
	'is the id a member of the audience?';

CREATE FUNCTION @extschema@.audience_contains(a @extschema@.audience, id smallint) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_contains_smallint'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	SUPPORT @extschema@.audience_id_support;
COMMENT ON FUNCTION @extschema@.audience_contains(@extschema@.audience, smallint) IS
	'is the id a member of the audience?';

CREATE FUNCTION @extschema@.audience_contained(id smallint, a @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_contained_smallint'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	SUPPORT @extschema@.audience_id_support;
COMMENT ON FUNCTION @extschema@.audience_contained(smallint, @extschema@.audience) IS
	'is the id a member of the audience?';

CREATE FUNCTION @extschema@.audience_contains(a @extschema@.audience, b @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_contains'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.audience_contains(@extschema@.audience, @extschema@.audience) IS
	'has the left audience all members of the right one?';

CREATE FUNCTION @extschema@.audience_contained(a @extschema@.audience, b @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_contained'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.audience_contained(@extschema@.audience, @extschema@.audience) IS
	'are all members of the left audience in the right one?';

CREATE FUNCTION @extschema@.audience_overlaps(a @extschema@.audience, b @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_overlaps'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.audience_overlaps(@extschema@.audience, @extschema@.audience) IS
	'have two audiences a member in common?';

CREATE OPERATOR @extschema@.@> (
	FUNCTION = @extschema@.audience_contains, LEFTARG = @extschema@.audience, RIGHTARG = bigint,
	COMMUTATOR = OPERATOR(@extschema@.<@),
	RESTRICT = @extschema@.audience_idsel, JOIN = @extschema@.audience_idjoinsel
);
COMMENT ON OPERATOR @extschema@.@> (@extschema@.audience, bigint) IS 'the audience has this member';

CREATE OPERATOR @extschema@.<@ (
	FUNCTION = @extschema@.audience_contained, LEFTARG = bigint, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.@>),
	RESTRICT = @extschema@.audience_idsel, JOIN = @extschema@.audience_idjoinsel
);
COMMENT ON OPERATOR @extschema@.<@ (bigint, @extschema@.audience) IS 'the id is a member of the audience';

CREATE OPERATOR @extschema@.@> (
	FUNCTION = @extschema@.audience_contains, LEFTARG = @extschema@.audience, RIGHTARG = int,
	COMMUTATOR = OPERATOR(@extschema@.<@),
	RESTRICT = @extschema@.audience_idsel, JOIN = @extschema@.audience_idjoinsel
);
COMMENT ON OPERATOR @extschema@.@> (@extschema@.audience, int) IS 'the audience has this member';

CREATE OPERATOR @extschema@.<@ (
	FUNCTION = @extschema@.audience_contained, LEFTARG = int, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.@>),
	RESTRICT = @extschema@.audience_idsel, JOIN = @extschema@.audience_idjoinsel
);
COMMENT ON OPERATOR @extschema@.<@ (int, @extschema@.audience) IS 'the id is a member of the audience';

CREATE OPERATOR @extschema@.@> (
	FUNCTION = @extschema@.audience_contains, LEFTARG = @extschema@.audience, RIGHTARG = smallint,
	COMMUTATOR = OPERATOR(@extschema@.<@),
	RESTRICT = @extschema@.audience_idsel, JOIN = @extschema@.audience_idjoinsel
);
COMMENT ON OPERATOR @extschema@.@> (@extschema@.audience, smallint) IS 'the audience has this member';

CREATE OPERATOR @extschema@.<@ (
	FUNCTION = @extschema@.audience_contained, LEFTARG = smallint, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.@>),
	RESTRICT = @extschema@.audience_idsel, JOIN = @extschema@.audience_idjoinsel
);
COMMENT ON OPERATOR @extschema@.<@ (smallint, @extschema@.audience) IS 'the id is a member of the audience';

CREATE OPERATOR @extschema@.@> (
	FUNCTION = @extschema@.audience_contains, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.<@),
	RESTRICT = @extschema@.audience_setsel, JOIN = @extschema@.audience_setjoinsel
);
COMMENT ON OPERATOR @extschema@.@> (@extschema@.audience, @extschema@.audience) IS 'the left audience has all members of the right one';

CREATE OPERATOR @extschema@.<@ (
	FUNCTION = @extschema@.audience_contained, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.@>),
	RESTRICT = @extschema@.audience_setsel, JOIN = @extschema@.audience_setjoinsel
);
COMMENT ON OPERATOR @extschema@.<@ (@extschema@.audience, @extschema@.audience) IS 'all members of the left audience are in the right one';

CREATE OPERATOR @extschema@.&& (
	FUNCTION = @extschema@.audience_overlaps, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.&&),
	RESTRICT = @extschema@.audience_setsel, JOIN = @extschema@.audience_setjoinsel
);
COMMENT ON OPERATOR @extschema@.&& (@extschema@.audience, @extschema@.audience) IS 'the audiences have a member in common';

CREATE FUNCTION @extschema@.audience_eq(a @extschema@.audience, b @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_eq'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_eq(@extschema@.audience, @extschema@.audience) IS
	'have two audiences the same members? Stamps do not matter';

CREATE FUNCTION @extschema@.audience_ne(a @extschema@.audience, b @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_ne'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_ne(@extschema@.audience, @extschema@.audience) IS
	'do two audiences differ in their members?';

CREATE FUNCTION @extschema@.audience_lt(a @extschema@.audience, b @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_lt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_lt(@extschema@.audience, @extschema@.audience) IS
	'does the left audience sort before the right one? Fewer members first, then by bytes';

CREATE FUNCTION @extschema@.audience_le(a @extschema@.audience, b @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_le'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_le(@extschema@.audience, @extschema@.audience) IS
	'does the left audience sort before or equal to the right one? Fewer members first, then by bytes';

CREATE FUNCTION @extschema@.audience_gt(a @extschema@.audience, b @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_gt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_gt(@extschema@.audience, @extschema@.audience) IS
	'does the left audience sort behind the right one? Fewer members first, then by bytes';

CREATE FUNCTION @extschema@.audience_ge(a @extschema@.audience, b @extschema@.audience) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_ge'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_ge(@extschema@.audience, @extschema@.audience) IS
	'does the left audience sort behind or equal to the right one? Fewer members first, then by bytes';

CREATE FUNCTION @extschema@.audience_cmp(a @extschema@.audience, b @extschema@.audience) RETURNS int
	AS 'MODULE_PATHNAME', 'crm_audience_cmp'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_cmp(@extschema@.audience, @extschema@.audience) IS
	'order of two audiences: fewer members first, then by bytes';

CREATE FUNCTION @extschema@.audience_hash(a @extschema@.audience) RETURNS int
	AS 'MODULE_PATHNAME', 'crm_audience_hash'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_hash(@extschema@.audience) IS
	'hash of the members';

CREATE FUNCTION @extschema@.audience_hash_extended(a @extschema@.audience, seed bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'crm_audience_hash_extended'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_hash_extended(@extschema@.audience, bigint) IS
	'seeded hash of the members';

CREATE OPERATOR @extschema@.= (
	FUNCTION = @extschema@.audience_eq, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.=),
	NEGATOR = OPERATOR(@extschema@.<>),
	RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR @extschema@.= (@extschema@.audience, @extschema@.audience) IS 'the audiences have the same members';

CREATE OPERATOR @extschema@.<> (
	FUNCTION = @extschema@.audience_ne, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.<>),
	NEGATOR = OPERATOR(@extschema@.=),
	RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR @extschema@.<> (@extschema@.audience, @extschema@.audience) IS 'the audiences differ in their members';

CREATE OPERATOR @extschema@.< (
	FUNCTION = @extschema@.audience_lt, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.>),
	NEGATOR = OPERATOR(@extschema@.>=),
	RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR @extschema@.< (@extschema@.audience, @extschema@.audience) IS 'the left audience sorts before the right one';

CREATE OPERATOR @extschema@.<= (
	FUNCTION = @extschema@.audience_le, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.>=),
	NEGATOR = OPERATOR(@extschema@.>),
	RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR @extschema@.<= (@extschema@.audience, @extschema@.audience) IS 'the left audience sorts before the right one or equals it';

CREATE OPERATOR @extschema@.> (
	FUNCTION = @extschema@.audience_gt, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.<),
	NEGATOR = OPERATOR(@extschema@.<=),
	RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR @extschema@.> (@extschema@.audience, @extschema@.audience) IS 'the left audience sorts behind the right one';

CREATE OPERATOR @extschema@.>= (
	FUNCTION = @extschema@.audience_ge, LEFTARG = @extschema@.audience, RIGHTARG = @extschema@.audience,
	COMMUTATOR = OPERATOR(@extschema@.<=),
	NEGATOR = OPERATOR(@extschema@.<),
	RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR @extschema@.>= (@extschema@.audience, @extschema@.audience) IS 'the left audience sorts behind the right one or equals it';

CREATE OPERATOR CLASS @extschema@.audience_ops DEFAULT FOR TYPE @extschema@.audience USING btree AS
	OPERATOR 1 @extschema@.<,
	OPERATOR 2 @extschema@.<=,
	OPERATOR 3 @extschema@.=,
	OPERATOR 4 @extschema@.>=,
	OPERATOR 5 @extschema@.>,
	FUNCTION 1 @extschema@.audience_cmp(@extschema@.audience, @extschema@.audience);
COMMENT ON OPERATOR CLASS @extschema@.audience_ops USING btree IS 'audiences by number of members, then by bytes';
COMMENT ON OPERATOR FAMILY @extschema@.audience_ops USING btree IS 'audiences by number of members, then by bytes';

CREATE OPERATOR CLASS @extschema@.audience_ops DEFAULT FOR TYPE @extschema@.audience USING hash AS
	OPERATOR 1 @extschema@.=,
	FUNCTION 1 @extschema@.audience_hash(@extschema@.audience),
	FUNCTION 2 @extschema@.audience_hash_extended(@extschema@.audience, bigint);
COMMENT ON OPERATOR CLASS @extschema@.audience_ops USING hash IS 'audiences by their members';
COMMENT ON OPERATOR FAMILY @extschema@.audience_ops USING hash IS 'audiences by their members';
