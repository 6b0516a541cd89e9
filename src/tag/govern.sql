-- Tags under rule: their state, what they are made from, their own tests.

CREATE TABLE @extschema@.tag_input (
	tag_id			int NOT NULL REFERENCES @extschema@.tag_definition ON DELETE CASCADE,
	kind			text NOT NULL,
	name			text NOT NULL,
	definition		text,
	mark			text,
	PRIMARY KEY (tag_id, kind, name),
	CHECK ((definition IS NULL) = (mark IS NULL))
);
COMMENT ON TABLE @extschema@.tag_input IS 'what the rule of each tag is made from (标签血缘), and how that looked when it was evaluated last';
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_input', '');
ALTER TABLE @extschema@.tag_input ENABLE ROW LEVEL SECURITY;
CREATE POLICY tag_input_visible ON @extschema@.tag_input FOR SELECT
	USING (EXISTS (SELECT FROM @extschema@.tag_definition d WHERE d.tag_id = tag_input.tag_id));
GRANT SELECT ON @extschema@.tag_input TO PUBLIC;

CREATE FUNCTION @extschema@.tag_stale_cause(tag_id int) RETURNS text
	AS 'MODULE_PATHNAME', 'crm_tag_stale_cause' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION @extschema@.tag_stale_cause(int) IS
	'what has changed of the columns, views, events and functions that a tag''s rule is made from since it was evaluated last (标签失效原因), in words; NULL when nothing has, and where the caller may not know of the tag';

CREATE FUNCTION @extschema@.alter_tag(name text, population text DEFAULT NULL, state text DEFAULT NULL, confidence float8 DEFAULT NULL,
	description text DEFAULT NULL, owner name DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_alter_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.alter_tag(text, text, text, float8, text, name) IS
	'changes what is given and leaves the rest (标签治理): state draft (草稿: evaluated, not shown with customers), approved (已批准) or retired (已停用: neither evaluated nor read, its set and history stay); confidence (置信度) from 0 to 1; description; owner, with whose rights the rule runs. Owner of the tag or the population; approving where that is required: the population''s owner or a role with the grant approve, and not the author of the version. Errors: 42501 no right, 22023 unknown state or confidence';

CREATE FUNCTION @extschema@.alter_population(name text, approval boolean DEFAULT NULL, description text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_alter_population' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.alter_population(text, boolean, text) IS
	'changes what is given of a population: with approval, new tags and new versions of rules begin as drafts and need the approval (双人复核) of somebody else than their author. Owner only';
