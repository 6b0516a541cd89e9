-- Tags and their refresh.

CREATE FUNCTION @extschema@.create_tag(name text, rule text, kind text DEFAULT 'base', population text DEFAULT NULL,
	valid_for interval DEFAULT NULL, description text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_create_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.create_tag(text, text, text, text, interval, text) IS
	'creates a tag (标签): a rule of type boolean (has it or not) or text (one of several values) over the columns of the population''s source, of kind base (基础), timeliness (时效), correlation (相关), predictive (预测) or personality (个性). doc/tag.md says what a rule may contain. Its set is empty of meaning until refresh_tags';

CREATE FUNCTION @extschema@.replace_tag(name text, rule text, kind text DEFAULT 'base', population text DEFAULT NULL,
	valid_for interval DEFAULT NULL, description text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_replace_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.replace_tag(text, text, text, text, interval, text) IS
	'gives a tag a new version of its rule; earlier versions stay readable in tag_version, the stored set stays that of the earlier version until refresh_tags. Owner only';

CREATE FUNCTION @extschema@.drop_tag(name text, population text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_drop_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.drop_tag(text, text) IS
	'drops a tag, its versions and its stored sets. Owner only';
