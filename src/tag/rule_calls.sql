-- Functions for rules: at other tags, at the whole population, at lists.  They
-- mean something in a rule only, where something else is put in their place
-- before it runs (src/tag/rule_bind.h).

CREATE TABLE @extschema@.tag_base (
	tag_id			int NOT NULL REFERENCES @extschema@.tag_definition ON DELETE CASCADE,
	base_tag_id		int NOT NULL REFERENCES @extschema@.tag_definition ON DELETE CASCADE,
	direct			boolean NOT NULL,
	refreshed_version int,
	PRIMARY KEY (tag_id, base_tag_id)
);
CREATE INDEX tag_base_by_base ON @extschema@.tag_base (base_tag_id);
COMMENT ON TABLE @extschema@.tag_base IS 'which tags others rest on (基础标签): direct when their current rule names them, with a version when their stored sets were evaluated with it';

CREATE TABLE @extschema@.tag_statistic (
	tag_id			int NOT NULL REFERENCES @extschema@.tag_definition ON DELETE CASCADE,
	statistic_no	int NOT NULL,
	kind			text NOT NULL,
	call			text NOT NULL,
	as_of			timestamptz NOT NULL,
	learned_at		timestamptz NOT NULL DEFAULT pg_catalog.now(),
	value			text,
	PRIMARY KEY (tag_id, statistic_no)
);
COMMENT ON TABLE @extschema@.tag_statistic IS 'what tags needed to know of the whole population (总体统计) at their last refresh: borders of percentiles, models of similarity';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_base', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_statistic', '');

CREATE FUNCTION @extschema@.has_tag(tag text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_rule_has_tag' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.has_tag(text) IS
	'in a rule: has the customer another tag (有标签), of a text or numeric tag any value; never NULL';

CREATE FUNCTION @extschema@.has_tag(tag text, value text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_rule_has_value' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.has_tag(text, text) IS
	'in a rule: has the customer this value of a text tag; never NULL';

CREATE FUNCTION @extschema@.tag_value(tag text) RETURNS text
	AS 'MODULE_PATHNAME', 'crm_rule_tag_value' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.tag_value(text) IS
	'in a rule: the customer''s value of a text tag (标签值), NULL for none';

CREATE FUNCTION @extschema@.tag_numeric(tag text) RETURNS numeric
	AS 'MODULE_PATHNAME', 'crm_rule_tag_numeric' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.tag_numeric(text) IS
	'in a rule: the customer''s number of a numeric tag (数值标签), NULL for none';

CREATE FUNCTION @extschema@.percentile(value float8) RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_rule_percentile' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.percentile(float8) IS
	'in a rule: the position of the value among those of all customers (百分位), 0 for the least and 1 for the greatest, as percent_rank; NULL for NULL, and NULLs do not count';

CREATE FUNCTION @extschema@.rfm_in_population(s @extschema@.rfm_summary, bins int DEFAULT 5) RETURNS @extschema@.rfm_score
	AS 'MODULE_PATHNAME', 'crm_rule_rfm_in_population' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.rfm_in_population(@extschema@.rfm_summary, int) IS
	'in a rule: RFM scores among all customers (RFM 评分), as rfm_score with the borders of rfm_cuts_agg';

CREATE FUNCTION @extschema@.lookalike(seed boolean, VARIADIC features "any") RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_rule_lookalike' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.lookalike(boolean, "any") IS
	'in a rule: how much the customer looks like those for whom seed is true (相似人群), by features, from 0 to 1; a seed audience is named by has_tag or in_segment';

CREATE FUNCTION @extschema@.lookalike(seed text, VARIADIC features "any") RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_rule_lookalike' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.lookalike(text, "any") IS
	'in a rule: how much the customer looks like those of a seed segment, as an expression of tags and segments (相似人群), from 0 to 1';

-- The same for one text: beside lookalike(audience, population) a literal seed would not be taken for a text otherwise.
CREATE FUNCTION @extschema@.lookalike(seed text, feature text) RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_rule_lookalike' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.lookalike(text, text) IS
	'in a rule: how much the customer looks like those of a seed segment (相似人群), by one feature, from 0 to 1';

CREATE FUNCTION @extschema@.in_segment(expression text) RETURNS boolean
	AS 'MODULE_PATHNAME', 'crm_rule_in_segment' LANGUAGE C STABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION @extschema@.in_segment(text) IS
	'in a rule: is the customer in a segment, given as an expression of tags and segments (细分), by the tags'' rules as they are; never NULL';
