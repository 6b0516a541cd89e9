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

CREATE TABLE @extschema@.tag_test (
	tag_id			int NOT NULL REFERENCES @extschema@.tag_definition ON DELETE CASCADE,
	test_no			int NOT NULL,
	kind			text NOT NULL CHECK (kind IN ('customer', 'coverage')),
	customer		text,
	value			text,
	has				boolean,
	low				float8,
	high			float8,
	created_by		text NOT NULL,
	created_at		timestamptz NOT NULL DEFAULT pg_catalog.now(),
	PRIMARY KEY (tag_id, test_no),
	CHECK (CASE kind WHEN 'customer' THEN customer IS NOT NULL AND has IS NOT NULL ELSE low <= high END)
);
COMMENT ON TABLE @extschema@.tag_test IS 'the tests that tags carry (标签测试): customers who have to have a tag or not, bounds of its coverage';
SELECT pg_catalog.pg_extension_config_dump('@extschema@.tag_test', '');
ALTER TABLE @extschema@.tag_test ENABLE ROW LEVEL SECURITY;
CREATE POLICY tag_test_visible ON @extschema@.tag_test FOR SELECT
	-- they tell of customers: only whoever may read all sets
	USING (EXISTS (SELECT FROM @extschema@.tag_definition d
			WHERE d.tag_id = tag_test.tag_id AND @extschema@.can_read_sets(d.population_id, -1)));
GRANT SELECT ON @extschema@.tag_test TO PUBLIC;

CREATE FUNCTION @extschema@.expect_tag(tag text, customer text, value text DEFAULT NULL, has boolean DEFAULT true, population text DEFAULT NULL) RETURNS int
	AS 'MODULE_PATHNAME', 'crm_expect_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.expect_tag(text, text, text, boolean, text) IS
	'gives a tag a test (标签测试) for check_tags: this customer has it, with this value where one is given, or has not; returns the test''s number. Owner of the tag or the population';
CREATE FUNCTION @extschema@.expect_tag(tag text, customer bigint, value text DEFAULT NULL, has boolean DEFAULT true, population text DEFAULT NULL) RETURNS int
	AS 'MODULE_PATHNAME', 'crm_expect_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.expect_tag(text, bigint, text, boolean, text) IS
	'gives a tag a test (标签测试) for check_tags: this customer has it, with this value where one is given, or has not; returns the test''s number. Owner of the tag or the population';
CREATE FUNCTION @extschema@.expect_tag(tag text, customer uuid, value text DEFAULT NULL, has boolean DEFAULT true, population text DEFAULT NULL) RETURNS int
	AS 'MODULE_PATHNAME', 'crm_expect_tag' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.expect_tag(text, uuid, text, boolean, text) IS
	'gives a tag a test (标签测试) for check_tags: this customer has it, with this value where one is given, or has not; returns the test''s number. Owner of the tag or the population';

CREATE FUNCTION @extschema@.expect_coverage(tag text, low float8, high float8, value text DEFAULT NULL, population text DEFAULT NULL) RETURNS int
	AS 'MODULE_PATHNAME', 'crm_expect_coverage' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.expect_coverage(text, float8, float8, text, text) IS
	'gives a tag a test for check_tags: the share of customers who have it, or the value given, lies between the bounds (覆盖率), 0 to 1, both included; returns the test''s number. Owner of the tag or the population';

CREATE FUNCTION @extschema@.drop_tag_test(tag text, test int, population text DEFAULT NULL) RETURNS void
	AS 'MODULE_PATHNAME', 'crm_drop_tag_test' LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000;
COMMENT ON FUNCTION @extschema@.drop_tag_test(text, int, text) IS
	'takes a test of a tag away, by its number. Owner of the tag or the population';

CREATE FUNCTION @extschema@.rule_problems(population text DEFAULT NULL) RETURNS TABLE (tag_id int, test text, ok boolean, detail text)
	AS 'MODULE_PATHNAME', 'crm_rule_problems' LANGUAGE C STABLE PARALLEL UNSAFE COST 100000 ROWS 100;
COMMENT ON FUNCTION @extschema@.rule_problems(text) IS
	'of each tag in use: can its rule still be read (rule), may its owner read what it reads (rights), has what it is made from changed (inputs); with the cause. For check_tags';

CREATE FUNCTION @extschema@.tag_cost_report(population text DEFAULT NULL, sample int DEFAULT 2000)
	RETURNS TABLE (tag text, microseconds float8, share float8, batched boolean, set_bytes bigint, history_bytes bigint)
	AS 'MODULE_PATHNAME', 'crm_tag_cost_report' LANGUAGE C STABLE PARALLEL UNSAFE COST 1000000 ROWS 100;
COMMENT ON FUNCTION @extschema@.tag_cost_report(text, int) IS
	'what each tag costs (标签成本): microseconds of a scan for each customer, measured over so many of them, and its share of all tags'' time; whether it runs over batches; bytes of its stored sets and of their history. Right to define tags. Errors: 55000 never refreshed';
