-- Why a customer has a tag.

CREATE FUNCTION @extschema@.explain_tag(key text, tag text, population text DEFAULT NULL, language text DEFAULT 'en')
	RETURNS TABLE (part text, detail text, value text)
	AS 'MODULE_PATHNAME', 'crm_explain_tag_text' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 30;
COMMENT ON FUNCTION @extschema@.explain_tag(text, text, text, text) IS
	'why a customer has a tag (标签) or has not, and the smallest change that gives another result (doc/explain.md): the rule, what it says now and what is stored, the columns that it names, what it asks of the timeline and the events that count, each condition with its truth, those that decided, since and until when by the clock, and changes of one column or of the events. Evaluated as the tag''s owner in the caller''s snapshot; shows only columns that the caller may read. language: ''en'' (also NULL) or ''zh'', in which words are; names of parts and truth values are the same in both. No rows for NULL, and when the caller may not see the customer''s row. Errors: 42704 unknown tag, 42501 no right to tags, 22023 unknown language';

CREATE FUNCTION @extschema@.explain_tag(key bigint, tag text, population text DEFAULT NULL, language text DEFAULT 'en')
	RETURNS TABLE (part text, detail text, value text)
	AS 'MODULE_PATHNAME', 'crm_explain_tag_bigint' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 30;
COMMENT ON FUNCTION @extschema@.explain_tag(bigint, text, text, text) IS
	'why a customer has a tag (标签) or has not, and the smallest change that gives another result (doc/explain.md): the rule, what it says now and what is stored, the columns that it names, what it asks of the timeline and the events that count, each condition with its truth, those that decided, since and until when by the clock, and changes of one column or of the events. Evaluated as the tag''s owner in the caller''s snapshot; shows only columns that the caller may read. language: ''en'' (also NULL) or ''zh'', in which words are; names of parts and truth values are the same in both. No rows for NULL, and when the caller may not see the customer''s row. Errors: 42704 unknown tag, 42501 no right to tags, 22023 unknown language';

CREATE FUNCTION @extschema@.explain_tag(key uuid, tag text, population text DEFAULT NULL, language text DEFAULT 'en')
	RETURNS TABLE (part text, detail text, value text)
	AS 'MODULE_PATHNAME', 'crm_explain_tag_uuid' LANGUAGE C STABLE PARALLEL UNSAFE COST 10000 ROWS 30;
COMMENT ON FUNCTION @extschema@.explain_tag(uuid, text, text, text) IS
	'why a customer has a tag (标签) or has not, and the smallest change that gives another result (doc/explain.md): the rule, what it says now and what is stored, the columns that it names, what it asks of the timeline and the events that count, each condition with its truth, those that decided, since and until when by the clock, and changes of one column or of the events. Evaluated as the tag''s owner in the caller''s snapshot; shows only columns that the caller may read. language: ''en'' (also NULL) or ''zh'', in which words are; names of parts and truth values are the same in both. No rows for NULL, and when the caller may not see the customer''s row. Errors: 42704 unknown tag, 42501 no right to tags, 22023 unknown language';
