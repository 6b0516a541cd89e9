-- Imported lists: who is on them, and until when.

CREATE SEQUENCE @extschema@.tag_list_list_id_seq AS int;
CREATE TABLE @extschema@.tag_list (
	list_id			int PRIMARY KEY DEFAULT pg_catalog.nextval('@extschema@.tag_list_list_id_seq'::pg_catalog.regclass),
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	name			text NOT NULL CHECK (name <> ''),
	owner			regrole NOT NULL,
	UNIQUE (population_id, name)
);
ALTER SEQUENCE @extschema@.tag_list_list_id_seq OWNED BY @extschema@.tag_list.list_id;
COMMENT ON TABLE @extschema@.tag_list IS 'imported lists (导入名单), each the matter of the tag of its name';

CREATE TABLE @extschema@.tag_list_member (
	list_id			int NOT NULL REFERENCES @extschema@.tag_list ON DELETE CASCADE,
	expires			timestamptz NOT NULL,
	members			@extschema@.audience NOT NULL,
	PRIMARY KEY (list_id, expires)
);
COMMENT ON TABLE @extschema@.tag_list_member IS 'who is on an imported list, by the instant until which; infinity is without end';

CREATE TABLE @extschema@.tag_list_import (
	list_id			int NOT NULL REFERENCES @extschema@.tag_list ON DELETE CASCADE,
	import_no		int NOT NULL,
	mode			text NOT NULL CHECK (mode IN ('replace', 'append', 'remove')),
	imported_by		regrole NOT NULL,
	imported_at		timestamptz NOT NULL DEFAULT pg_catalog.now(),
	origin			text NOT NULL,
	given			bigint NOT NULL,
	added			bigint NOT NULL,
	removed			bigint NOT NULL,
	unknown			bigint NOT NULL,
	PRIMARY KEY (list_id, import_no)
);
COMMENT ON TABLE @extschema@.tag_list_import IS 'who imported what into a list, when, and from where (导入记录)';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_list_list_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_list', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_list_member', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_list_import', '');

CREATE FUNCTION @extschema@.list_expiry(forever @extschema@.audience, until @extschema@.bsi, id bigint) RETURNS timestamptz
	LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 10
	-- of a time without zone, as adding to one with a zone is not immutable; and of a zone that is no text, as a text would need a collation
	RETURN CASE WHEN @extschema@.audience_contains(forever, id) THEN 'infinity'::timestamptz
		ELSE pg_catalog.timezone('0'::interval, '1970-01-01 00:00:00'::timestamp + @extschema@.bsi_value(until, id)::float8 * '00:00:00.000001'::interval) END;
COMMENT ON FUNCTION @extschema@.list_expiry(@extschema@.audience, @extschema@.bsi, bigint) IS
	'until when a customer is on a list (名单有效期): forever are those without end, until the microseconds since 1970 of the others; NULL for who is not on it';

CREATE FUNCTION @extschema@.passing_list_expiry(passing bigint[], until bigint[], id bigint) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'crm_passing_list_expiry' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION @extschema@.passing_list_expiry(bigint[], bigint[], bigint) IS
	'list_expiry where another server evaluates it, which does not know the dictionary of keys (名单有效期): passing are ids that stand for the members'' there, ascending, until the microseconds since 1970 of each';

CREATE FUNCTION @extschema@.listed_until(list text) RETURNS timestamptz
	AS 'MODULE_PATHNAME', 'crm_rule_listed_until' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.listed_until(text) IS
	'in a rule: until when the customer is on an imported list (导入名单), infinity for without end, NULL for who is not on it';

CREATE FUNCTION @extschema@.create_list_tag(name text, keys text[] DEFAULT NULL, query text DEFAULT NULL, population text DEFAULT NULL,
	expires timestamptz DEFAULT NULL, kind text DEFAULT 'base', description text DEFAULT NULL)
	RETURNS TABLE (given bigint, members bigint, added bigint, removed bigint, unknown bigint, unknown_keys text[])
	AS 'MODULE_PATHNAME', 'crm_create_list_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1;
COMMENT ON FUNCTION @extschema@.create_list_tag(text, text[], text, text, timestamptz, text, text) IS
	'creates a tag of the customers on a list (导入名单), given by their keys or by a query of key and, if it has a second column, until when; then as import_list';

CREATE FUNCTION @extschema@.import_list(name text, keys text[] DEFAULT NULL, query text DEFAULT NULL, mode text DEFAULT 'replace',
	population text DEFAULT NULL, expires timestamptz DEFAULT NULL)
	RETURNS TABLE (given bigint, members bigint, added bigint, removed bigint, unknown bigint, unknown_keys text[])
	AS 'MODULE_PATHNAME', 'crm_import_list' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 1;
COMMENT ON FUNCTION @extschema@.import_list(text, text[], text, text, text, timestamptz) IS
	'puts keys, or those that a query gives, on the list of a tag (导入名单), as mode says: replace, append, remove; expires is until when those stay who are given no instant of their own. Keys of nobody are told and not kept. The tag is refreshed at once, which is one scan of the source. Owner only';
