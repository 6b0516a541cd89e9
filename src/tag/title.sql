-- Titles of tags and of their values in the languages of those who read them.

CREATE TABLE @extschema@.tag_title (
	tag_id			int NOT NULL REFERENCES @extschema@.tag_definition ON DELETE CASCADE,
	language		text NOT NULL CHECK (language <> ''),
	value			text,
	title			text NOT NULL CHECK (title <> ''),
	description		text,
	UNIQUE NULLS NOT DISTINCT (tag_id, language, value)
);
COMMENT ON TABLE @extschema@.tag_title IS 'what a tag (标签名称), or one of its values, is called in a language; written by register_tag_title';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_title', '');

ALTER TABLE @extschema@.tag_title ENABLE ROW LEVEL SECURITY;
CREATE POLICY tag_title_visible ON @extschema@.tag_title FOR SELECT
	USING (EXISTS (SELECT FROM @extschema@.tag_definition d WHERE d.tag_id = tag_title.tag_id));
GRANT SELECT ON @extschema@.tag_title TO PUBLIC;

CREATE FUNCTION @extschema@.register_tag_title(tag text, language text, title text, description text DEFAULT NULL,
	value_titles jsonb DEFAULT NULL, population text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_register_tag_title' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.register_tag_title(text, text, text, text, jsonb, text) IS
	'gives a tag a title in a language (标签名称), such as ''zh'', with a description and an object of titles for its values, in the place of those it had there; NULL as title takes them away. profile shows them. Owner of the tag only. Errors: 42704 unknown tag, 22023 value_titles that are no object of texts';

CREATE VIEW @extschema@.tag_titles WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS tag, t.language, t.value, t.title, t.description
	FROM @extschema@.tag_title t
	JOIN @extschema@.tag_definition d ON d.tag_id = t.tag_id
	JOIN @extschema@.population_definition p ON p.population_id = d.population_id;
COMMENT ON VIEW @extschema@.tag_titles IS 'titles of tags and of their values (标签名称), by language';
COMMENT ON COLUMN @extschema@.tag_titles.population IS 'name of the population';
COMMENT ON COLUMN @extschema@.tag_titles.tag IS 'name of the tag';
COMMENT ON COLUMN @extschema@.tag_titles.language IS 'language of the title, such as en or zh';
COMMENT ON COLUMN @extschema@.tag_titles.value IS 'the value that has this title; NULL for the tag itself';
COMMENT ON COLUMN @extschema@.tag_titles.title IS 'what tag or value is called';
COMMENT ON COLUMN @extschema@.tag_titles.description IS 'what the tag means; NULL for values';
GRANT SELECT ON @extschema@.tag_titles TO PUBLIC;
