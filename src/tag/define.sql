-- Tags and their refresh.

CREATE FUNCTION @extschema@.create_tag(name text, rule text, kind text DEFAULT 'base', population text DEFAULT NULL,
	valid_for interval DEFAULT NULL, description text DEFAULT NULL, expires text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_create_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.create_tag(text, text, text, text, interval, text, text) IS
	'creates a tag (标签): a rule of type boolean (has it or not), text (one of several values) or a number (one for each customer) over the columns of the population''s source, of kind base (基础), timeliness (时效), correlation (相关), predictive (预测) or personality (个性). doc/tag.md says what a rule may contain. expires ends it at an instant: a time, or an expression over the same columns; NULL for a customer: without end. Its set is empty of meaning until refresh_tags';

CREATE FUNCTION @extschema@.replace_tag(name text, rule text, kind text DEFAULT 'base', population text DEFAULT NULL,
	valid_for interval DEFAULT NULL, description text DEFAULT NULL, expires text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_replace_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.replace_tag(text, text, text, text, interval, text, text) IS
	'gives a tag a new version of its rule; earlier versions stay readable in tag_version, the stored set stays that of the earlier version until refresh_tags. Owner only';

CREATE FUNCTION @extschema@.drop_tag(name text, population text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_drop_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.drop_tag(text, text) IS
	'drops a tag, its versions and its stored sets. Owner only';

CREATE FUNCTION @extschema@.refresh_tags(population text DEFAULT NULL, tags text[] DEFAULT NULL, as_of timestamptz DEFAULT now(),
	columns text DEFAULT NULL)
	RETURNS TABLE (tag text, value text, members bigint, entered bigint, exited bigint)
	AS 'MODULE_PATHNAME', 'crm_refresh_tags' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000 ROWS 100;
COMMENT ON FUNCTION @extschema@.refresh_tags(text, text[], timestamptz, text) IS
	'evaluates the tags of a population (all, or those named) in one scan per owner and replaces their stored sets in this transaction; members, entered and exited of each tag and value. Rules run as their owner, as_of is what they see as as_of; before now() it is an error (55000) for rules over columns, whose past is not kept, unless columns => ''today'' takes them as they are. A rule that fails names tag and customer, and nothing is kept. Cost: the scan; only chunks that changed are written';

CREATE FUNCTION @extschema@.tag_trace(rule int, key text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_tag_trace' LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION @extschema@.tag_trace(int, text) IS
	'notes which rule is evaluated for which customer, for the error of refresh_tags; always true';
