-- The type crm.audience: a set of ids, stored as compressed bitmap.

CREATE TYPE @extschema@.audience;

CREATE FUNCTION @extschema@.audience_in(cstring) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_in(cstring) IS
	'text form of an audience: {1,2,5..9}, stamped 7:{1,2}';

CREATE FUNCTION @extschema@.audience_out(@extschema@.audience) RETURNS cstring
	AS 'MODULE_PATHNAME', 'crm_audience_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_out(@extschema@.audience) IS
	'text form of an audience';

CREATE FUNCTION @extschema@.audience_recv(internal) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_audience_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_recv(internal) IS
	'binary form of an audience: version, population, Roaring bytes';

CREATE FUNCTION @extschema@.audience_send(@extschema@.audience) RETURNS bytea
	AS 'MODULE_PATHNAME', 'crm_audience_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.audience_send(@extschema@.audience) IS
	'binary form of an audience';

CREATE FUNCTION @extschema@.audience_typanalyze(internal) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_audience_typanalyze'
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.audience_typanalyze(internal) IS
	'statistics of a column of audiences: besides the usual ones, how many members they have';

CREATE TYPE @extschema@.audience (
	INPUT = @extschema@.audience_in,
	OUTPUT = @extschema@.audience_out,
	RECEIVE = @extschema@.audience_recv,
	SEND = @extschema@.audience_send,
	ANALYZE = @extschema@.audience_typanalyze,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = double,
	STORAGE = external
);
COMMENT ON TYPE @extschema@.audience IS
	'set of customer ids 0 ... 2^63-1, a compressed bitmap (人群)';

CREATE FUNCTION @extschema@.to_roaring(a @extschema@.audience) RETURNS bytea
	AS 'MODULE_PATHNAME', 'crm_to_roaring'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.to_roaring(@extschema@.audience) IS
	'the set in the portable 64-bit form of RoaringFormatSpec';

CREATE FUNCTION @extschema@.from_roaring(bytes bytea) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_from_roaring'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.from_roaring(bytea) IS
	'the set that portable 64-bit Roaring bytes stand for; the bytes are checked entirely';
