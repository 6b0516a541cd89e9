-- association_rules, association_rule_table, frequent_itemsets: what is bought together

CREATE TYPE @extschema@.association_rule AS (antecedent text[], consequent text, support float8, confidence float8, lift float8, conviction float8, baskets bigint);
COMMENT ON TYPE @extschema@.association_rule IS 'a rule: baskets with the antecedent often have the consequent (关联规则)';
COMMENT ON COLUMN @extschema@.association_rule.antecedent IS 'what is in the basket already (前项), in the order of its bytes';
COMMENT ON COLUMN @extschema@.association_rule.consequent IS 'what comes with it (后项)';
COMMENT ON COLUMN @extschema@.association_rule.support IS 'share of all baskets with both (支持度)';
COMMENT ON COLUMN @extschema@.association_rule.confidence IS 'share of the baskets with the antecedent that have the consequent (置信度)';
COMMENT ON COLUMN @extschema@.association_rule.lift IS 'confidence by the share of all baskets that have the consequent (提升度)';
COMMENT ON COLUMN @extschema@.association_rule.conviction IS '(1 - share of the consequent) / (1 - confidence) (确信度); infinite for a rule without exception';
COMMENT ON COLUMN @extschema@.association_rule.baskets IS 'baskets with both';

CREATE TYPE @extschema@.association_rule_row AS (antecedent text[], consequent text, support float8, confidence float8, lift float8, conviction float8, baskets bigint, redundant boolean,
	coverage float8, consequent_support float8, leverage float8, added_value float8, certainty float8, zhang float8, jaccard float8, cosine float8, kulczynski float8, imbalance float8, all_confidence float8, max_confidence float8, odds_ratio float8, yule_q float8, phi float8, kappa float8, gini float8, j_measure float8, laplace float8, sebag float8, chi_squared float8, fisher_p float8);
COMMENT ON TYPE @extschema@.association_rule_row IS 'a rule with all its measures (关联规则)';
COMMENT ON COLUMN @extschema@.association_rule_row.antecedent IS 'what is in the basket already (前项), in the order of its bytes';
COMMENT ON COLUMN @extschema@.association_rule_row.consequent IS 'what comes with it (后项)';
COMMENT ON COLUMN @extschema@.association_rule_row.support IS 'share of all baskets with both (支持度)';
COMMENT ON COLUMN @extschema@.association_rule_row.confidence IS 'share of the baskets with the antecedent that have the consequent (置信度)';
COMMENT ON COLUMN @extschema@.association_rule_row.lift IS 'confidence by the share of all baskets that have the consequent (提升度)';
COMMENT ON COLUMN @extschema@.association_rule_row.conviction IS '(1 - share of the consequent) / (1 - confidence) (确信度); infinite for a rule without exception';
COMMENT ON COLUMN @extschema@.association_rule_row.baskets IS 'baskets with both';
COMMENT ON COLUMN @extschema@.association_rule_row.redundant IS 'is a rule with less in its antecedent, down to none, as confident or more (冗余规则)';
COMMENT ON COLUMN @extschema@.association_rule_row.coverage IS 'share of baskets with the antecedent (前项支持度)';
COMMENT ON COLUMN @extschema@.association_rule_row.consequent_support IS 'share of baskets with the consequent (后项支持度)';
COMMENT ON COLUMN @extschema@.association_rule_row.leverage IS 'support less what it would be if antecedent and consequent had nothing to do with each other (杠杆率; Piatetsky-Shapiro)';
COMMENT ON COLUMN @extschema@.association_rule_row.added_value IS 'confidence less consequent_support';
COMMENT ON COLUMN @extschema@.association_rule_row.certainty IS 'certainty factor (确信因子), -1 to 1';
COMMENT ON COLUMN @extschema@.association_rule_row.zhang IS 'Zhangs metric, -1 to 1 (Zhang 2000)';
COMMENT ON COLUMN @extschema@.association_rule_row.jaccard IS 'baskets with both, as a share of those with either (Jaccard 系数)';
COMMENT ON COLUMN @extschema@.association_rule_row.cosine IS 'support by the geometric mean of the two shares (余弦)';
COMMENT ON COLUMN @extschema@.association_rule_row.kulczynski IS 'mean of the confidences in both directions (Kulczynski 系数)';
COMMENT ON COLUMN @extschema@.association_rule_row.imbalance IS 'imbalance ratio (不平衡比), 0 to 1: how different the two shares are';
COMMENT ON COLUMN @extschema@.association_rule_row.all_confidence IS 'the lesser of the confidences in both directions (全置信度)';
COMMENT ON COLUMN @extschema@.association_rule_row.max_confidence IS 'the greater of the confidences in both directions (最大置信度)';
COMMENT ON COLUMN @extschema@.association_rule_row.odds_ratio IS 'odds of the consequent with the antecedent by those without it (优势比); may be infinite';
COMMENT ON COLUMN @extschema@.association_rule_row.yule_q IS 'the odds ratio brought to -1 to 1 (Yule Q)';
COMMENT ON COLUMN @extschema@.association_rule_row.phi IS 'correlation of antecedent and consequent (相关系数)';
COMMENT ON COLUMN @extschema@.association_rule_row.kappa IS 'agreement beyond chance (Cohen)';
COMMENT ON COLUMN @extschema@.association_rule_row.gini IS 'Gini index: how much the antecedent sharpens what is known of the consequent';
COMMENT ON COLUMN @extschema@.association_rule_row.j_measure IS 'J measure (Smyth and Goodman), in nats';
COMMENT ON COLUMN @extschema@.association_rule_row.laplace IS 'confidence with one more basket for and one against';
COMMENT ON COLUMN @extschema@.association_rule_row.sebag IS 'baskets that confirm the rule by those that contradict it (Sebag and Schoenauer); may be infinite';
COMMENT ON COLUMN @extschema@.association_rule_row.chi_squared IS 'chi-squared statistic with one degree of freedom (卡方)';
COMMENT ON COLUMN @extschema@.association_rule_row.fisher_p IS 'p value of Fishers exact test, one-sided: how likely chance alone brings both together as often (显著性)';

CREATE TYPE @extschema@.itemset AS (items text[], support float8, baskets bigint);
COMMENT ON TYPE @extschema@.itemset IS 'items that are in many baskets together (频繁项集)';
COMMENT ON COLUMN @extschema@.itemset.items IS 'the items, in the order of their bytes';
COMMENT ON COLUMN @extschema@.itemset.support IS 'share of all baskets that have them (支持度)';
COMMENT ON COLUMN @extschema@.itemset.baskets IS 'baskets that have them';

CREATE FUNCTION @extschema@.association_rules_transfn(state @extschema@.agg_state, min_support float8, min_confidence float8, basket bigint, item text) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_association_rules_transfn';
COMMENT ON FUNCTION @extschema@.association_rules_transfn(@extschema@.agg_state, float8, float8, bigint, text) IS
	'transition of association_rules: baskets are numbers, items texts';

CREATE FUNCTION @extschema@.association_rules_transfn(state @extschema@.agg_state, min_support float8, min_confidence float8, basket bigint, item text, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_association_rules_transfn';
COMMENT ON FUNCTION @extschema@.association_rules_transfn(@extschema@.agg_state, float8, float8, bigint, text, jsonb) IS
	'transition of association_rules: baskets are numbers, items texts, with options';

CREATE FUNCTION @extschema@.association_rules_transfn(state @extschema@.agg_state, min_support float8, min_confidence float8, basket text, item text) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_association_rules_named_transfn';
COMMENT ON FUNCTION @extschema@.association_rules_transfn(@extschema@.agg_state, float8, float8, text, text) IS
	'transition of association_rules: baskets are texts, items texts';

CREATE FUNCTION @extschema@.association_rules_transfn(state @extschema@.agg_state, min_support float8, min_confidence float8, basket text, item text, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_association_rules_named_transfn';
COMMENT ON FUNCTION @extschema@.association_rules_transfn(@extschema@.agg_state, float8, float8, text, text, jsonb) IS
	'transition of association_rules: baskets are texts, items texts, with options';

CREATE FUNCTION @extschema@.association_rules_transfn(state @extschema@.agg_state, min_support float8, min_confidence float8, basket bigint, item bigint) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_association_rules_number_transfn';
COMMENT ON FUNCTION @extschema@.association_rules_transfn(@extschema@.agg_state, float8, float8, bigint, bigint) IS
	'transition of association_rules: baskets are numbers, items numbers';

CREATE FUNCTION @extschema@.association_rules_transfn(state @extschema@.agg_state, min_support float8, min_confidence float8, basket bigint, item bigint, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_association_rules_number_transfn';
COMMENT ON FUNCTION @extschema@.association_rules_transfn(@extschema@.agg_state, float8, float8, bigint, bigint, jsonb) IS
	'transition of association_rules: baskets are numbers, items numbers, with options';

CREATE FUNCTION @extschema@.association_rules_transfn(state @extschema@.agg_state, min_support float8, min_confidence float8, basket text, item bigint) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_association_rules_named_number_transfn';
COMMENT ON FUNCTION @extschema@.association_rules_transfn(@extschema@.agg_state, float8, float8, text, bigint) IS
	'transition of association_rules: baskets are texts, items numbers';

CREATE FUNCTION @extschema@.association_rules_transfn(state @extschema@.agg_state, min_support float8, min_confidence float8, basket text, item bigint, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_association_rules_named_number_transfn';
COMMENT ON FUNCTION @extschema@.association_rules_transfn(@extschema@.agg_state, float8, float8, text, bigint, jsonb) IS
	'transition of association_rules: baskets are texts, items numbers, with options';

CREATE FUNCTION @extschema@.association_rules_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_association_rules_combinefn';
COMMENT ON FUNCTION @extschema@.association_rules_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of association_rules';

CREATE FUNCTION @extschema@.association_rules_finalfn(state @extschema@.agg_state) RETURNS @extschema@.association_rule[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_association_rules_finalfn';
COMMENT ON FUNCTION @extschema@.association_rules_finalfn(@extschema@.agg_state) IS
	'result of association_rules';

CREATE FUNCTION @extschema@.association_rule_table_finalfn(state @extschema@.agg_state) RETURNS @extschema@.association_rule_row[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_association_rule_table_finalfn';
COMMENT ON FUNCTION @extschema@.association_rule_table_finalfn(@extschema@.agg_state) IS
	'result of association_rule_table';

CREATE AGGREGATE @extschema@.association_rules(min_support float8, min_confidence float8, basket bigint, item text) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rules_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rules(float8, float8, bigint, text) IS
	'rules of what is in the same baskets (关联规则), of one consequent and one or more items before it, the greatest lift first. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rules(min_support float8, min_confidence float8, basket bigint, item text, options jsonb) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rules_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rules(float8, float8, bigint, text, jsonb) IS
	'rules of what is in the same baskets (关联规则), of one consequent and one or more items before it, the greatest lift first; options max_items (10), min_items (2), min_baskets, min_lift, redundant (true; false leaves such rules out). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rules(min_support float8, min_confidence float8, basket text, item text) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rules_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rules(float8, float8, text, text) IS
	'rules of what is in the same baskets (关联规则), of one consequent and one or more items before it, the greatest lift first. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rules(min_support float8, min_confidence float8, basket text, item text, options jsonb) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rules_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rules(float8, float8, text, text, jsonb) IS
	'rules of what is in the same baskets (关联规则), of one consequent and one or more items before it, the greatest lift first; options max_items (10), min_items (2), min_baskets, min_lift, redundant (true; false leaves such rules out). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rules(min_support float8, min_confidence float8, basket bigint, item bigint) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rules_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rules(float8, float8, bigint, bigint) IS
	'rules of what is in the same baskets (关联规则), of one consequent and one or more items before it, the greatest lift first. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rules(min_support float8, min_confidence float8, basket bigint, item bigint, options jsonb) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rules_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rules(float8, float8, bigint, bigint, jsonb) IS
	'rules of what is in the same baskets (关联规则), of one consequent and one or more items before it, the greatest lift first; options max_items (10), min_items (2), min_baskets, min_lift, redundant (true; false leaves such rules out). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rules(min_support float8, min_confidence float8, basket text, item bigint) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rules_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rules(float8, float8, text, bigint) IS
	'rules of what is in the same baskets (关联规则), of one consequent and one or more items before it, the greatest lift first. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rules(min_support float8, min_confidence float8, basket text, item bigint, options jsonb) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rules_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rules(float8, float8, text, bigint, jsonb) IS
	'rules of what is in the same baskets (关联规则), of one consequent and one or more items before it, the greatest lift first; options max_items (10), min_items (2), min_baskets, min_lift, redundant (true; false leaves such rules out). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rule_table(min_support float8, min_confidence float8, basket bigint, item text) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rule_table_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rule_table(float8, float8, bigint, text) IS
	'the rules of association_rules with all their measures, redundant ones marked (关联规则表). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rule_table(min_support float8, min_confidence float8, basket bigint, item text, options jsonb) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rule_table_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rule_table(float8, float8, bigint, text, jsonb) IS
	'the rules of association_rules with all their measures, redundant ones marked (关联规则表); options max_items (10), min_items (2), min_baskets, min_lift, redundant (true; false leaves such rules out). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rule_table(min_support float8, min_confidence float8, basket text, item text) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rule_table_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rule_table(float8, float8, text, text) IS
	'the rules of association_rules with all their measures, redundant ones marked (关联规则表). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rule_table(min_support float8, min_confidence float8, basket text, item text, options jsonb) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rule_table_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rule_table(float8, float8, text, text, jsonb) IS
	'the rules of association_rules with all their measures, redundant ones marked (关联规则表); options max_items (10), min_items (2), min_baskets, min_lift, redundant (true; false leaves such rules out). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rule_table(min_support float8, min_confidence float8, basket bigint, item bigint) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rule_table_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rule_table(float8, float8, bigint, bigint) IS
	'the rules of association_rules with all their measures, redundant ones marked (关联规则表). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rule_table(min_support float8, min_confidence float8, basket bigint, item bigint, options jsonb) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rule_table_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rule_table(float8, float8, bigint, bigint, jsonb) IS
	'the rules of association_rules with all their measures, redundant ones marked (关联规则表); options max_items (10), min_items (2), min_baskets, min_lift, redundant (true; false leaves such rules out). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rule_table(min_support float8, min_confidence float8, basket text, item bigint) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rule_table_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rule_table(float8, float8, text, bigint) IS
	'the rules of association_rules with all their measures, redundant ones marked (关联规则表). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.association_rule_table(min_support float8, min_confidence float8, basket text, item bigint, options jsonb) (
	SFUNC = @extschema@.association_rules_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.association_rule_table_finalfn,
	COMBINEFUNC = @extschema@.association_rules_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.association_rule_table(float8, float8, text, bigint, jsonb) IS
	'the rules of association_rules with all their measures, redundant ones marked (关联规则表); options max_items (10), min_items (2), min_baskets, min_lift, redundant (true; false leaves such rules out). Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no rules. Keeps all rows, up to crm_analytics.training_memory';

CREATE FUNCTION @extschema@.frequent_itemsets_transfn(state @extschema@.agg_state, min_support float8, basket bigint, item text) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_transfn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_transfn(@extschema@.agg_state, float8, bigint, text) IS
	'transition of frequent_itemsets: baskets are numbers, items texts';

CREATE FUNCTION @extschema@.frequent_itemsets_transfn(state @extschema@.agg_state, min_support float8, basket bigint, item text, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_transfn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_transfn(@extschema@.agg_state, float8, bigint, text, jsonb) IS
	'transition of frequent_itemsets: baskets are numbers, items texts, with options';

CREATE FUNCTION @extschema@.frequent_itemsets_transfn(state @extschema@.agg_state, min_support float8, basket text, item text) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_named_transfn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_transfn(@extschema@.agg_state, float8, text, text) IS
	'transition of frequent_itemsets: baskets are texts, items texts';

CREATE FUNCTION @extschema@.frequent_itemsets_transfn(state @extschema@.agg_state, min_support float8, basket text, item text, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_named_transfn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_transfn(@extschema@.agg_state, float8, text, text, jsonb) IS
	'transition of frequent_itemsets: baskets are texts, items texts, with options';

CREATE FUNCTION @extschema@.frequent_itemsets_transfn(state @extschema@.agg_state, min_support float8, basket bigint, item bigint) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_number_transfn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_transfn(@extschema@.agg_state, float8, bigint, bigint) IS
	'transition of frequent_itemsets: baskets are numbers, items numbers';

CREATE FUNCTION @extschema@.frequent_itemsets_transfn(state @extschema@.agg_state, min_support float8, basket bigint, item bigint, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_number_transfn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_transfn(@extschema@.agg_state, float8, bigint, bigint, jsonb) IS
	'transition of frequent_itemsets: baskets are numbers, items numbers, with options';

CREATE FUNCTION @extschema@.frequent_itemsets_transfn(state @extschema@.agg_state, min_support float8, basket text, item bigint) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_named_number_transfn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_transfn(@extschema@.agg_state, float8, text, bigint) IS
	'transition of frequent_itemsets: baskets are texts, items numbers';

CREATE FUNCTION @extschema@.frequent_itemsets_transfn(state @extschema@.agg_state, min_support float8, basket text, item bigint, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_named_number_transfn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_transfn(@extschema@.agg_state, float8, text, bigint, jsonb) IS
	'transition of frequent_itemsets: baskets are texts, items numbers, with options';

CREATE FUNCTION @extschema@.frequent_itemsets_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_combinefn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of frequent_itemsets';

CREATE FUNCTION @extschema@.frequent_itemsets_finalfn(state @extschema@.agg_state) RETURNS @extschema@.itemset[]
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_frequent_itemsets_finalfn';
COMMENT ON FUNCTION @extschema@.frequent_itemsets_finalfn(@extschema@.agg_state) IS
	'result of frequent_itemsets';

CREATE AGGREGATE @extschema@.frequent_itemsets(min_support float8, basket bigint, item text) (
	SFUNC = @extschema@.frequent_itemsets_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.frequent_itemsets_finalfn,
	COMBINEFUNC = @extschema@.frequent_itemsets_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.frequent_itemsets(float8, bigint, text) IS
	'items that are in at least this share of all baskets together (频繁项集), the most frequent first. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no itemsets. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.frequent_itemsets(min_support float8, basket bigint, item text, options jsonb) (
	SFUNC = @extschema@.frequent_itemsets_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.frequent_itemsets_finalfn,
	COMBINEFUNC = @extschema@.frequent_itemsets_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.frequent_itemsets(float8, bigint, text, jsonb) IS
	'items that are in at least this share of all baskets together (频繁项集), the most frequent first; options max_items (10), min_items (1), min_baskets. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no itemsets. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.frequent_itemsets(min_support float8, basket text, item text) (
	SFUNC = @extschema@.frequent_itemsets_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.frequent_itemsets_finalfn,
	COMBINEFUNC = @extschema@.frequent_itemsets_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.frequent_itemsets(float8, text, text) IS
	'items that are in at least this share of all baskets together (频繁项集), the most frequent first. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no itemsets. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.frequent_itemsets(min_support float8, basket text, item text, options jsonb) (
	SFUNC = @extschema@.frequent_itemsets_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.frequent_itemsets_finalfn,
	COMBINEFUNC = @extschema@.frequent_itemsets_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.frequent_itemsets(float8, text, text, jsonb) IS
	'items that are in at least this share of all baskets together (频繁项集), the most frequent first; options max_items (10), min_items (1), min_baskets. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no itemsets. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.frequent_itemsets(min_support float8, basket bigint, item bigint) (
	SFUNC = @extschema@.frequent_itemsets_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.frequent_itemsets_finalfn,
	COMBINEFUNC = @extschema@.frequent_itemsets_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.frequent_itemsets(float8, bigint, bigint) IS
	'items that are in at least this share of all baskets together (频繁项集), the most frequent first. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no itemsets. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.frequent_itemsets(min_support float8, basket bigint, item bigint, options jsonb) (
	SFUNC = @extschema@.frequent_itemsets_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.frequent_itemsets_finalfn,
	COMBINEFUNC = @extschema@.frequent_itemsets_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.frequent_itemsets(float8, bigint, bigint, jsonb) IS
	'items that are in at least this share of all baskets together (频繁项集), the most frequent first; options max_items (10), min_items (1), min_baskets. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no itemsets. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.frequent_itemsets(min_support float8, basket text, item bigint) (
	SFUNC = @extschema@.frequent_itemsets_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.frequent_itemsets_finalfn,
	COMBINEFUNC = @extschema@.frequent_itemsets_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.frequent_itemsets(float8, text, bigint) IS
	'items that are in at least this share of all baskets together (频繁项集), the most frequent first. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no itemsets. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.frequent_itemsets(min_support float8, basket text, item bigint, options jsonb) (
	SFUNC = @extschema@.frequent_itemsets_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.frequent_itemsets_finalfn,
	COMBINEFUNC = @extschema@.frequent_itemsets_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.frequent_itemsets(float8, text, bigint, jsonb) IS
	'items that are in at least this share of all baskets together (频繁项集), the most frequent first; options max_items (10), min_items (1), min_baskets. Rows with a NULL basket or item are ignored, repeated ones count once; no rows: no itemsets. Keeps all rows, up to crm_analytics.training_memory';

CREATE FUNCTION @extschema@.rule_measures(rule @extschema@.association_rule,
	OUT coverage float8, OUT consequent_support float8, OUT leverage float8, OUT added_value float8, OUT certainty float8, OUT zhang float8, OUT jaccard float8, OUT cosine float8, OUT kulczynski float8, OUT imbalance float8, OUT all_confidence float8, OUT max_confidence float8, OUT odds_ratio float8, OUT yule_q float8, OUT phi float8, OUT kappa float8, OUT gini float8, OUT j_measure float8, OUT laplace float8, OUT sebag float8, OUT chi_squared float8, OUT fisher_p float8)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100
	AS 'MODULE_PATHNAME', 'crm_rule_measures';
COMMENT ON FUNCTION @extschema@.rule_measures(@extschema@.association_rule) IS
	'all other measures of a rule (规则度量): leverage, Zhang, Jaccard, cosine, Kulczynski, chi-squared, the p value of Fisher''s exact test and more, from the counts that its support, confidence, lift and baskets tell. NULL where a measure is not defined. Errors: 22023 when they contradict each other';
