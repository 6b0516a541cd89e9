-- Reading tags: sets, one customer, previews.
--
-- tag and segment stand in WHERE clauses and keep their set for the query: the
-- support function tells the planner what the first row costs and what the rest.

CREATE FUNCTION @extschema@.kept_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'crm_kept_support' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.kept_support(internal) IS
	'planner support: the cost of functions that are evaluated once a query and looked up for each row';

CREATE FUNCTION @extschema@.tag(name text, value text DEFAULT NULL, population text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_tag_customers' LANGUAGE C STABLE PARALLEL SAFE COST 50
	SUPPORT @extschema@.kept_support;
COMMENT ON FUNCTION @extschema@.tag(text, text, text, timestamptz) IS
	'the customers who have a tag (标签), as an audience (人群): of a text or numeric tag those with the value given, without value those with any. As stored by the last refresh_tags, of a tracked population exactly as of now, or as it was stored at as_of, in the scopes the caller may read. A value that nobody ever had: {}. NULL for NULL. Errors: 42704 unknown tag, 42804 value for a boolean tag, 55000 never refreshed or as_of before the history kept, 42501 no right to whole sets';

CREATE FUNCTION @extschema@.tag_number(name text, population text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_tag_number_values' LANGUAGE C STABLE PARALLEL SAFE COST 50
	SUPPORT @extschema@.kept_support;
COMMENT ON FUNCTION @extschema@.tag_number(text, text, timestamptz) IS
	'the numbers of a numeric tag (数值标签), one for each customer who has it: for bsi_sum, bsi_avg, bsi_quantile, bsi_top, bsi_range, over any audience. As stored by the last refresh_tags, of a tracked population exactly as of now, or as stored at as_of, in the scopes the caller may read. NULL for NULL. Errors: 42704 unknown tag, 42804 no numeric tag, 55000 never refreshed or as_of before the history kept, 42501 no right to whole sets';

CREATE FUNCTION @extschema@.segment(expression text, population text DEFAULT NULL,
	as_of timestamptz DEFAULT NULL) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_segment' LANGUAGE C STABLE PARALLEL SAFE COST 50
	SUPPORT @extschema@.kept_support;
COMMENT ON FUNCTION @extschema@.segment(text, text, timestamptz) IS
	'the customers of a segment (客户分类), as an audience: tags by name, = and != with a value, < <= > >= with a number, & (and), | (or), - (and not), ! (the population without), brackets; ! binds closest, then & and - from left to right, then |. Errors show their place: 42601 syntax, 42704 unknown tag, 42804 comparison that the tag does not allow, 54000 too long or too deep. as_of: over the sets that were stored then; 55000 before the history kept';

CREATE FUNCTION @extschema@.tags_of(key text, population text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (tag text, value text, kind text, since timestamptz, until timestamptz)
	AS 'MODULE_PATHNAME', 'crm_tags_of_text' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 30;
COMMENT ON FUNCTION @extschema@.tags_of(text, text, timestamptz) IS
	'the tags of one customer, by name; value of text and numeric tags; until where the tag has valid_for, after which it is no longer shown; since when he has it, NULL where the history kept does not reach back so far. as_of: those that were stored then. No rows when the caller may not see the customer''s row';
CREATE FUNCTION @extschema@.tags_of(key bigint, population text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (tag text, value text, kind text, since timestamptz, until timestamptz)
	AS 'MODULE_PATHNAME', 'crm_tags_of_bigint' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 30;
COMMENT ON FUNCTION @extschema@.tags_of(bigint, text, timestamptz) IS
	'the tags of one customer, by name; value of text and numeric tags; until where the tag has valid_for, after which it is no longer shown; since when he has it, NULL where the history kept does not reach back so far. as_of: those that were stored then. No rows when the caller may not see the customer''s row';
CREATE FUNCTION @extschema@.tags_of(key uuid, population text DEFAULT NULL, as_of timestamptz DEFAULT NULL)
	RETURNS TABLE (tag text, value text, kind text, since timestamptz, until timestamptz)
	AS 'MODULE_PATHNAME', 'crm_tags_of_uuid' LANGUAGE C STABLE PARALLEL RESTRICTED COST 5000 ROWS 30;
COMMENT ON FUNCTION @extschema@.tags_of(uuid, text, timestamptz) IS
	'the tags of one customer, by name; value of text and numeric tags; until where the tag has valid_for, after which it is no longer shown; since when he has it, NULL where the history kept does not reach back so far. as_of: those that were stored then. No rows when the caller may not see the customer''s row';

CREATE FUNCTION @extschema@.profile(key text, population text DEFAULT NULL, as_of timestamptz DEFAULT NULL,
	language text DEFAULT 'en') RETURNS jsonb
	AS 'MODULE_PATHNAME', 'crm_profile_text' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION @extschema@.profile(text, text, timestamptz, text) IS
	'the portrait (画像) of one customer: his columns as far as the caller may read them, his tags by kind, the rarest first with the share of customers who have them, how fresh they are, and one sentence for the call in language ''en'' or ''zh''. as_of: with the tags that were stored then. NULL when the caller may not see the customer''s row';
CREATE FUNCTION @extschema@.profile(key bigint, population text DEFAULT NULL, as_of timestamptz DEFAULT NULL,
	language text DEFAULT 'en') RETURNS jsonb
	AS 'MODULE_PATHNAME', 'crm_profile_bigint' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION @extschema@.profile(bigint, text, timestamptz, text) IS
	'the portrait (画像) of one customer: his columns as far as the caller may read them, his tags by kind, the rarest first with the share of customers who have them, how fresh they are, and one sentence for the call in language ''en'' or ''zh''. as_of: with the tags that were stored then. NULL when the caller may not see the customer''s row';
CREATE FUNCTION @extschema@.profile(key uuid, population text DEFAULT NULL, as_of timestamptz DEFAULT NULL,
	language text DEFAULT 'en') RETURNS jsonb
	AS 'MODULE_PATHNAME', 'crm_profile_uuid' LANGUAGE C STABLE PARALLEL RESTRICTED COST 10000;
COMMENT ON FUNCTION @extschema@.profile(uuid, text, timestamptz, text) IS
	'the portrait (画像) of one customer: his columns as far as the caller may read them, his tags by kind, the rarest first with the share of customers who have them, how fresh they are, and one sentence for the call in language ''en'' or ''zh''. as_of: with the tags that were stored then. NULL when the caller may not see the customer''s row';

CREATE FUNCTION @extschema@.preview_tag(rule text, population text DEFAULT NULL, sample int DEFAULT 10)
	RETURNS TABLE (value text, members bigint, share float8, sample_keys text[])
	AS 'MODULE_PATHNAME', 'crm_preview_tag' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 10;
COMMENT ON FUNCTION @extschema@.preview_tag(text, text, int) IS
	'what a rule would give as a tag: how many customers, which share, and the keys of some, the same ones whenever asked; for a text rule one row for each value, largest first, for a boolean rule one row with NULL as value, for a numeric rule one row for all who have a number and one each for minimum, median and maximum. One scan of the source as the caller, as_of is now(); nothing is stored';

CREATE FUNCTION @extschema@.tag_counts(population text DEFAULT NULL)
	RETURNS TABLE (tags bigint, customers bigint)
	AS 'MODULE_PATHNAME', 'crm_tag_counts' LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 30;
COMMENT ON FUNCTION @extschema@.tag_counts(text) IS
	'how many customers have how many tags (标签覆盖范围), from the stored sets in the scopes the caller may read; numbers of tags that no customer has are left out';

CREATE FUNCTION @extschema@.member_rows(a @extschema@.audience, population text DEFAULT NULL)
	RETURNS TABLE (id bigint, key text)
	AS 'MODULE_PATHNAME', 'crm_member_rows' LANGUAGE C STABLE PARALLEL SAFE COST 5000 ROWS 1000
	SUPPORT @extschema@.members_support;
COMMENT ON FUNCTION @extschema@.member_rows(@extschema@.audience, text) IS
	'the members of an audience, id and key, by ascending id; an audience of a tag knows its population. Needs the right to read whole sets';

CREATE FUNCTION @extschema@.can_read_sets(population_id int, scope_no int DEFAULT NULL) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_can_read_sets' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.can_read_sets(int, int) IS
	'may the current user read whole sets of this population, in this scope (NULL: in any)';
