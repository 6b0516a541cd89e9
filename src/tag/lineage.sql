-- What a tag is made from.

CREATE FUNCTION @extschema@.tag_lineage(tag text, population text DEFAULT NULL)
	RETURNS TABLE (kind text, name text)
	AS 'MODULE_PATHNAME', 'crm_tag_lineage' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 5;
COMMENT ON FUNCTION @extschema@.tag_lineage(text, text) IS
	'what the rule of a tag is made from (标签血缘), found in the parsed rule: each column of the source that it reads, each function that is not PostgreSQL''s own, the timeline (events) and as_of (moment); by kind and name. Errors: 42704 unknown tag, and those of a rule that no longer fits its source';
