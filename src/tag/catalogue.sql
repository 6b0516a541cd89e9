-- The catalogue: populations, tags, their versions, and the stored sets.
--
-- Readers see definitions through row-level security (only of populations they
-- may use); the stored sets and the key dictionary carry no grants at all: the
-- functions of this room read them after checking rights and scopes.

CREATE SEQUENCE @extschema@.population_definition_population_id_seq AS int;
CREATE TABLE @extschema@.population_definition (
	population_id	int PRIMARY KEY DEFAULT pg_catalog.nextval('@extschema@.population_definition_population_id_seq'::pg_catalog.regclass),
	name			text NOT NULL UNIQUE CHECK (name <> ''),
	source			regclass NOT NULL,
	source_name		text NOT NULL,
	key_column		name NOT NULL,
	key_form		text NOT NULL CHECK (key_form IN ('integer', 'uuid', 'text')),
	scope_column	name,
	-- history columns: the source has rows of other times, too, valid from (included) to (not)
	valid_from		name,
	valid_to		name,
	description		text,
	owner			regrole NOT NULL,
	events			regclass,
	event_key		name,
	event_time		name,
	event_name		name,
	event_value		name,
	event_attributes name[],
	chunk_bits		int NOT NULL DEFAULT 0 CHECK (chunk_bits = 0 OR chunk_bits BETWEEN 13 AND 62),
	-- in whose days rules are evaluated between refreshes: that of the last one of all tags
	zone			text,
	-- how long changes of stored sets are kept, NULL: not at all; number and instant of the last one
	keep_history	interval DEFAULT '90 days',
	change_no		bigint NOT NULL DEFAULT 0,
	changed_at		timestamptz,
	-- rules need the approval of somebody else than their author
	approval		boolean NOT NULL DEFAULT false,
	created_at		timestamptz NOT NULL DEFAULT pg_catalog.now()
);
ALTER SEQUENCE @extschema@.population_definition_population_id_seq OWNED BY @extschema@.population_definition.population_id;
COMMENT ON TABLE @extschema@.population_definition IS 'populations (客户群体): the relation with one row per customer, its key, scope and events';

CREATE TABLE @extschema@.population_scope (
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	scope_no		int NOT NULL,
	scope			text,
	PRIMARY KEY (population_id, scope_no),
	UNIQUE NULLS NOT DISTINCT (population_id, scope)
);
COMMENT ON TABLE @extschema@.population_scope IS 'the scopes (branches, tenants) met in a population; number 0 is a population without scope';

CREATE TABLE @extschema@.population_grant (
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	grantee			regrole NOT NULL,
	privilege		text NOT NULL CHECK (privilege IN ('read', 'define', 'approve')),
	scope			text,
	all_scopes		boolean NOT NULL,
	CHECK (NOT all_scopes OR scope IS NULL),
	UNIQUE NULLS NOT DISTINCT (population_id, grantee, privilege, all_scopes, scope)
);
COMMENT ON TABLE @extschema@.population_grant IS 'who may read whole sets of a population, in which scopes, and who may define its tags';

CREATE TABLE @extschema@.population_key (
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	id				bigint NOT NULL,
	key				text NOT NULL,
	PRIMARY KEY (population_id, id),
	UNIQUE (population_id, key)
);
-- of tracked populations: writers who bring customers do not wait for one another
CREATE SEQUENCE @extschema@.population_key_number_seq;
ALTER SEQUENCE @extschema@.population_key_number_seq OWNED BY @extschema@.population_key.id;
COMMENT ON TABLE @extschema@.population_key IS 'dictionary of keys that are not their own ids (uuid, text, negative integers): numbers are never reused';

CREATE SEQUENCE @extschema@.tag_definition_tag_id_seq AS int;
CREATE TABLE @extschema@.tag_definition (
	tag_id			int PRIMARY KEY DEFAULT pg_catalog.nextval('@extschema@.tag_definition_tag_id_seq'::pg_catalog.regclass),
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	name			text NOT NULL CHECK (name <> ''),
	kind			text NOT NULL CHECK (kind IN ('base', 'timeliness', 'correlation', 'predictive', 'personality')),
	value_type		text NOT NULL CHECK (value_type IN ('boolean', 'text', 'numeric')),
	owner			regrole NOT NULL,
	version			int NOT NULL DEFAULT 1,
	valid_for		interval,
	description		text,
	created_at		timestamptz NOT NULL DEFAULT pg_catalog.now(),
	state			text NOT NULL DEFAULT 'approved' CHECK (state IN ('draft', 'approved', 'retired')),
	confidence		float8 CHECK (confidence BETWEEN 0 AND 1),
	-- by whom and when, where it was approved expressly; a name, as roles come and go
	approved_by		text,
	approved_at		timestamptz,
	-- of the stored set
	refreshed_version int,
	refreshed_at	timestamptz,
	as_of			timestamptz,
	-- of a numeric tag's: digits behind the point, slices in use (doc/formats.md)
	number_scale	int CHECK (number_scale BETWEEN 0 AND 38),
	number_slices	int CHECK (number_slices BETWEEN 0 AND 129),
	UNIQUE (population_id, name)
);
ALTER SEQUENCE @extschema@.tag_definition_tag_id_seq OWNED BY @extschema@.tag_definition.tag_id;
COMMENT ON TABLE @extschema@.tag_definition IS 'tags (标签): name, kind, owner, current version, and the state of the stored sets';

CREATE TABLE @extschema@.tag_version (
	tag_id			int NOT NULL REFERENCES @extschema@.tag_definition ON DELETE CASCADE,
	version			int NOT NULL,
	rule			text NOT NULL,
	rule_qualified	text NOT NULL,
	-- until when, as its author wrote it, and what the clock does to the rule
	expires			text,
	clock			text NOT NULL DEFAULT 'unknown' CHECK (clock IN ('never', 'known', 'unknown')),
	created_at		timestamptz NOT NULL DEFAULT pg_catalog.now(),
	created_by		regrole NOT NULL,
	PRIMARY KEY (tag_id, version)
);
COMMENT ON TABLE @extschema@.tag_version IS 'every version of every tag''s rule, as written and as it runs';

CREATE TABLE @extschema@.tag_value (
	tag_id			int NOT NULL REFERENCES @extschema@.tag_definition ON DELETE CASCADE,
	value_no		int NOT NULL CHECK (value_no > 0),
	value			text NOT NULL,
	PRIMARY KEY (tag_id, value_no),
	UNIQUE (tag_id, value)
);
COMMENT ON TABLE @extschema@.tag_value IS 'the values met for text tags, numbered; a number is never reused within its tag';

CREATE TABLE @extschema@.tag_size (
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	tag_id			int NOT NULL,
	value_no		int NOT NULL,
	scope_no		int NOT NULL,
	members			bigint NOT NULL,
	PRIMARY KEY (tag_id, value_no, scope_no)
);
COMMENT ON TABLE @extschema@.tag_size IS 'members of each stored set; tag_id below zero is the population itself';

-- The chunk stands before the tag: one customer's tags lie side by side.
CREATE TABLE @extschema@.tag_set (
	population_id	int NOT NULL,
	scope_no		int NOT NULL,
	chunk			bigint NOT NULL,
	tag_id			int NOT NULL,
	value_no		int NOT NULL,
	members			bytea NOT NULL,
	PRIMARY KEY (population_id, scope_no, chunk, tag_id, value_no)
);
CREATE INDEX tag_set_by_tag ON @extschema@.tag_set (tag_id, value_no, scope_no, chunk);
COMMENT ON TABLE @extschema@.tag_set IS 'the stored sets in chunks of ids (doc/formats.md); written only by refresh_tags and fold_tags';

CREATE SEQUENCE @extschema@.refresh_history_refresh_id_seq;
CREATE TABLE @extschema@.refresh_history (
	refresh_id		bigint PRIMARY KEY DEFAULT pg_catalog.nextval('@extschema@.refresh_history_refresh_id_seq'::pg_catalog.regclass),
	population_id	int NOT NULL REFERENCES @extschema@.population_definition ON DELETE CASCADE,
	as_of			timestamptz NOT NULL,
	refreshed_at	timestamptz NOT NULL DEFAULT pg_catalog.now(),
	seconds			float8 NOT NULL,
	customers		bigint NOT NULL,
	tags			int NOT NULL,
	chunks_written	bigint NOT NULL
);
ALTER SEQUENCE @extschema@.refresh_history_refresh_id_seq OWNED BY @extschema@.refresh_history.refresh_id;
COMMENT ON TABLE @extschema@.refresh_history IS 'when each population was refreshed, how long it took, and what it wrote, for those who may read the sets of all its scopes';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.population_definition_population_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.population_definition', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.population_scope', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.population_grant', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.population_key_number_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.population_key', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_definition_tag_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_definition', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_version', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_value', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_size', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_set', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.refresh_history_refresh_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.refresh_history', '');
