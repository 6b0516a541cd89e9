-- Segments with a name: dynamic ones stand for their expression, frozen ones keep the members of one moment.

CREATE SEQUENCE @extschema@.segment_definition_segment_id_seq AS int;
CREATE TABLE @extschema@.segment_definition (
	segment_id		int PRIMARY KEY DEFAULT pg_catalog.nextval('@extschema@.segment_definition_segment_id_seq'::pg_catalog.regclass),
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	name			text NOT NULL CHECK (name <> ''),
	expression		text NOT NULL,
	frozen			boolean NOT NULL,
	followed		boolean NOT NULL DEFAULT true,
	owner			regrole NOT NULL,
	description		text,
	created_at		timestamptz NOT NULL DEFAULT pg_catalog.now(),
	refreshed_at	timestamptz,
	UNIQUE (population_id, name)
);
ALTER SEQUENCE @extschema@.segment_definition_segment_id_seq OWNED BY @extschema@.segment_definition.segment_id;
COMMENT ON TABLE @extschema@.segment_definition IS 'segments (客户分类) with a name: expression, owner, and whether the members are kept';

CREATE TABLE @extschema@.segment_members (
	segment_id		int PRIMARY KEY REFERENCES @extschema@.segment_definition ON DELETE CASCADE,
	members			bytea NOT NULL
);
COMMENT ON TABLE @extschema@.segment_members IS 'members of frozen segments, of all scopes, in the portable 64-bit Roaring form; without grants';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.segment_definition_segment_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.segment_definition', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.segment_members', '');

ALTER TABLE @extschema@.segment_definition ENABLE ROW LEVEL SECURITY;
CREATE POLICY segment_definition_visible ON @extschema@.segment_definition FOR SELECT
	USING (@extschema@.can_see_population(population_id));
GRANT SELECT ON @extschema@.segment_definition TO PUBLIC;

CREATE FUNCTION @extschema@.define_segment(name text, expression text, population text DEFAULT NULL,
	frozen boolean DEFAULT false, description text DEFAULT NULL, replace boolean DEFAULT false) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_define_segment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.define_segment(text, text, text, boolean, text, boolean) IS
	'gives a segment expression a name (客户分类), to be used in segment() and tag() like a tag''s. Dynamic: evaluated whenever it is asked for; frozen: keeps its members as of now, until refresh_segment. Needs the right to define tags; replace is for its owner. Errors: 42710 the name is taken, 42601 syntax, 42704 unknown name, 42804 comparison that a tag does not allow, 42P19 a segment that rests on itself';

CREATE FUNCTION @extschema@.refresh_segment(name text, population text DEFAULT NULL,
	OUT members bigint, OUT entered bigint, OUT exited bigint)
	AS 'MODULE_PATHNAME', 'crm_refresh_segment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.refresh_segment(text, text) IS
	'evaluates a frozen segment anew: its members from now on, and how many entered and exited. Owner only; 55000 for a dynamic one';

CREATE FUNCTION @extschema@.drop_segment(name text, population text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_drop_segment' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.drop_segment(text, text) IS
	'drops a segment that has a name, with the members it kept. Owner only';

-- One segment that cannot be evaluated must not keep the catalogue from showing the others.  Unsafe in parallel, as a
-- handled error is a subtransaction.
CREATE FUNCTION @extschema@.segment_state(name text, population text, OUT members bigint, OUT problem text)
	LANGUAGE plpgsql STABLE STRICT PARALLEL UNSAFE COST 5000 SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	members := @extschema@.cardinality(@extschema@.tag(segment_state.name, population => segment_state.population));
EXCEPTION
	WHEN undefined_object OR datatype_mismatch OR object_not_in_prerequisite_state OR invalid_recursion OR feature_not_supported
		OR syntax_error THEN
		problem := sqlerrm;
END
$$;
COMMENT ON FUNCTION @extschema@.segment_state(text, text) IS
	'size of a segment that has a name, as the caller may read it, or why it cannot be evaluated';

CREATE VIEW @extschema@.segment_catalog WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS segment, d.frozen, pg_catalog.pg_get_userbyid(d.owner)::text AS owner,
		d.expression, d.description, s.members, s.members / nullif(b.customers, 0)::float8 AS share,
		d.refreshed_at, s.problem, d.created_at
	FROM @extschema@.segment_definition d
	JOIN @extschema@.population_definition p ON p.population_id = d.population_id
	LEFT JOIN @extschema@.population_size b ON b.population_id = d.population_id
	-- only where the reader may read sets: strict, it does not run for a NULL
	CROSS JOIN LATERAL @extschema@.segment_state(d.name, CASE WHEN b.population_id IS NOT NULL THEN p.name END) s;
COMMENT ON VIEW @extschema@.segment_catalog IS 'the segments (客户分类) with a name that the reader may know of: expression, owner and size';
COMMENT ON COLUMN @extschema@.segment_catalog.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.segment_catalog.segment IS 'name of the segment';
COMMENT ON COLUMN @extschema@.segment_catalog.frozen IS 'its members are kept as of refreshed_at; otherwise it is evaluated whenever it is asked for';
COMMENT ON COLUMN @extschema@.segment_catalog.owner IS 'role that may replace, refresh and drop it';
COMMENT ON COLUMN @extschema@.segment_catalog.expression IS 'the segment expression as its author wrote it';
COMMENT ON COLUMN @extschema@.segment_catalog.description IS 'what the segment means, in its author''s words';
COMMENT ON COLUMN @extschema@.segment_catalog.members IS 'customers in it, in the scopes that the reader may read; NULL when it cannot be evaluated or is not readable';
COMMENT ON COLUMN @extschema@.segment_catalog.share IS 'their share of the population, 0 to 1';
COMMENT ON COLUMN @extschema@.segment_catalog.refreshed_at IS 'of a frozen segment: when its members were taken';
COMMENT ON COLUMN @extschema@.segment_catalog.problem IS 'why it cannot be evaluated: a tag that is gone or was never refreshed';
COMMENT ON COLUMN @extschema@.segment_catalog.created_at IS 'when it was defined';
GRANT SELECT ON @extschema@.segment_catalog TO PUBLIC;
