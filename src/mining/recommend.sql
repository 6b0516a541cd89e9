-- recommend_fit, recommend: what a customer is likely to want next

CREATE FUNCTION @extschema@.recommend_fit_transfn(state @extschema@.agg_state, customer bigint, item text) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_recommend_fit_transfn';
COMMENT ON FUNCTION @extschema@.recommend_fit_transfn(@extschema@.agg_state, bigint, text) IS
	'transition of recommend_fit: customers are numbers';

CREATE FUNCTION @extschema@.recommend_fit_transfn(state @extschema@.agg_state, customer bigint, item text, weight float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_recommend_fit_transfn';
COMMENT ON FUNCTION @extschema@.recommend_fit_transfn(@extschema@.agg_state, bigint, text, float8) IS
	'transition of recommend_fit: customers are numbers, with weights';

CREATE FUNCTION @extschema@.recommend_fit_transfn(state @extschema@.agg_state, customer bigint, item text, weight float8, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_recommend_fit_transfn';
COMMENT ON FUNCTION @extschema@.recommend_fit_transfn(@extschema@.agg_state, bigint, text, float8, jsonb) IS
	'transition of recommend_fit: customers are numbers, with weights and options';

CREATE FUNCTION @extschema@.recommend_fit_transfn(state @extschema@.agg_state, customer text, item text) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_recommend_fit_named_transfn';
COMMENT ON FUNCTION @extschema@.recommend_fit_transfn(@extschema@.agg_state, text, text) IS
	'transition of recommend_fit: customers are texts';

CREATE FUNCTION @extschema@.recommend_fit_transfn(state @extschema@.agg_state, customer text, item text, weight float8) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_recommend_fit_named_transfn';
COMMENT ON FUNCTION @extschema@.recommend_fit_transfn(@extschema@.agg_state, text, text, float8) IS
	'transition of recommend_fit: customers are texts, with weights';

CREATE FUNCTION @extschema@.recommend_fit_transfn(state @extschema@.agg_state, customer text, item text, weight float8, options jsonb) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_recommend_fit_named_transfn';
COMMENT ON FUNCTION @extschema@.recommend_fit_transfn(@extschema@.agg_state, text, text, float8, jsonb) IS
	'transition of recommend_fit: customers are texts, with weights and options';

CREATE FUNCTION @extschema@.recommend_fit_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_recommend_fit_combinefn';
COMMENT ON FUNCTION @extschema@.recommend_fit_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of recommend_fit';

CREATE FUNCTION @extschema@.recommend_fit_finalfn(state @extschema@.agg_state) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_recommend_fit_finalfn';
COMMENT ON FUNCTION @extschema@.recommend_fit_finalfn(@extschema@.agg_state) IS
	'result of recommend_fit';

CREATE AGGREGATE @extschema@.recommend_fit(customer bigint, item text) (
	SFUNC = @extschema@.recommend_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.recommend_fit_finalfn,
	COMBINEFUNC = @extschema@.recommend_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.recommend_fit(bigint, text) IS
	'model that recommends items to customers (推荐) from who has what. Rows with a NULL customer or item are ignored, repeated ones count once. No rows: NULL. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.recommend_fit(customer bigint, item text, weight float8) (
	SFUNC = @extschema@.recommend_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.recommend_fit_finalfn,
	COMBINEFUNC = @extschema@.recommend_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.recommend_fit(bigint, text, float8) IS
	'model that recommends items to customers (推荐) from who has what. Rows with a NULL customer, item or weight, or a weight of 0, are ignored; weights of repeated ones add up. No rows: NULL. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.recommend_fit(customer bigint, item text, weight float8, options jsonb) (
	SFUNC = @extschema@.recommend_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.recommend_fit_finalfn,
	COMBINEFUNC = @extschema@.recommend_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.recommend_fit(bigint, text, float8, jsonb) IS
	'model that recommends items to customers (推荐) from who has what. Options: method (item_item, als, popularity); of item_item similarity (cosine, jaccard, conditional), neighbours (20), shrinkage (10); of als factors (32), iterations (15), regularization (0.3), alpha (40), seed (0). Rows with a NULL customer, item or weight, or a weight of 0, are ignored; weights of repeated ones add up. No rows: NULL. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.recommend_fit(customer text, item text) (
	SFUNC = @extschema@.recommend_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.recommend_fit_finalfn,
	COMBINEFUNC = @extschema@.recommend_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.recommend_fit(text, text) IS
	'model that recommends items to customers (推荐) from who has what. Rows with a NULL customer or item are ignored, repeated ones count once. No rows: NULL. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.recommend_fit(customer text, item text, weight float8) (
	SFUNC = @extschema@.recommend_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.recommend_fit_finalfn,
	COMBINEFUNC = @extschema@.recommend_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.recommend_fit(text, text, float8) IS
	'model that recommends items to customers (推荐) from who has what. Rows with a NULL customer, item or weight, or a weight of 0, are ignored; weights of repeated ones add up. No rows: NULL. Keeps all rows, up to crm_analytics.training_memory';

CREATE AGGREGATE @extschema@.recommend_fit(customer text, item text, weight float8, options jsonb) (
	SFUNC = @extschema@.recommend_fit_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 65536,
	FINALFUNC = @extschema@.recommend_fit_finalfn,
	COMBINEFUNC = @extschema@.recommend_fit_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.recommend_fit(text, text, float8, jsonb) IS
	'model that recommends items to customers (推荐) from who has what. Options: method (item_item, als, popularity); of item_item similarity (cosine, jaccard, conditional), neighbours (20), shrinkage (10); of als factors (32), iterations (15), regularization (0.3), alpha (40), seed (0). Rows with a NULL customer, item or weight, or a weight of 0, are ignored; weights of repeated ones add up. No rows: NULL. Keeps all rows, up to crm_analytics.training_memory';

CREATE FUNCTION @extschema@.recommend(m @extschema@.model, items text[], n int)
	RETURNS TABLE (item text, score float8, because text[])
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_recommend_items';
COMMENT ON FUNCTION @extschema@.recommend(@extschema@.model, text[], int) IS
	'the n items that a customer who has these items is likeliest to want next (推荐), by a model of recommend_fit: never one that he has. because: at most three of his items, those that argued most for it. Items that the model does not know are ignored; where nothing speaks for an item, the score is 0 and those with more customers come first. NULL for a NULL array: coalesce(items, ''{}'')';

CREATE FUNCTION @extschema@.recommend(m @extschema@.model, items text[], n int, suppressed text[])
	RETURNS TABLE (item text, score float8, because text[])
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250 ROWS 10
	AS 'MODULE_PATHNAME', 'crm_recommend_items';
COMMENT ON FUNCTION @extschema@.recommend(@extschema@.model, text[], int, text[]) IS
	'the n items that a customer who has these items is likeliest to want next (推荐), by a model of recommend_fit; those suppressed are left out: never one that he has. because: at most three of his items, those that argued most for it. Items that the model does not know are ignored; where nothing speaks for an item, the score is 0 and those with more customers come first. NULL for a NULL array: coalesce(items, ''{}'')';

CREATE TYPE @extschema@.recommendation_quality AS (customers bigint, hit_rate float8, "precision" float8, recall float8, ndcg float8, mrr float8, items bigint);
COMMENT ON TYPE @extschema@.recommendation_quality IS 'how good recommendations were (推荐评估)';
COMMENT ON COLUMN @extschema@.recommendation_quality.customers IS 'customers who took something';
COMMENT ON COLUMN @extschema@.recommendation_quality.hit_rate IS 'share of them who took one of the first k (命中率)';
COMMENT ON COLUMN @extschema@.recommendation_quality.precision IS 'share of k that was taken, a mean over customers (准确率)';
COMMENT ON COLUMN @extschema@.recommendation_quality.recall IS 'share of what was taken that is among the first k, a mean over customers (召回率)';
COMMENT ON COLUMN @extschema@.recommendation_quality.ndcg IS 'normalized discounted cumulative gain of the first k (归一化折损累计增益)';
COMMENT ON COLUMN @extschema@.recommendation_quality.mrr IS 'mean of 1 / place of the first that was taken, 0 where none of the first k was (平均倒数排名)';
COMMENT ON COLUMN @extschema@.recommendation_quality.items IS 'different items among the first k of anybody (覆盖)';

CREATE FUNCTION @extschema@.recommendation_quality_transfn(state @extschema@.agg_state, k int, recommended text[], taken text[]) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_recommendation_quality_transfn';
COMMENT ON FUNCTION @extschema@.recommendation_quality_transfn(@extschema@.agg_state, int, text[], text[]) IS
	'transition of recommendation_quality_agg';

CREATE FUNCTION @extschema@.recommendation_quality_combinefn(a @extschema@.agg_state, b @extschema@.agg_state) RETURNS @extschema@.agg_state
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 1000
	AS 'MODULE_PATHNAME', 'crm_recommendation_quality_combinefn';
COMMENT ON FUNCTION @extschema@.recommendation_quality_combinefn(@extschema@.agg_state, @extschema@.agg_state) IS
	'combination of two states of recommendation_quality_agg';

CREATE FUNCTION @extschema@.recommendation_quality_finalfn(state @extschema@.agg_state) RETURNS @extschema@.recommendation_quality
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_recommendation_quality_finalfn';
COMMENT ON FUNCTION @extschema@.recommendation_quality_finalfn(@extschema@.agg_state) IS
	'result of recommendation_quality_agg';

CREATE AGGREGATE @extschema@.recommendation_quality_agg(k int, recommended text[], taken text[]) (
	SFUNC = @extschema@.recommendation_quality_transfn,
	STYPE = @extschema@.agg_state,
	SSPACE = 16384,
	FINALFUNC = @extschema@.recommendation_quality_finalfn,
	COMBINEFUNC = @extschema@.recommendation_quality_combinefn,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE @extschema@.recommendation_quality_agg(int, text[], text[]) IS
	'how good recommendations were (推荐评估): a row for each customer with what was recommended to him, the best first, and what he took afterwards; only the first k count. Customers who took nothing (NULL or empty) are ignored; a NULL list of recommendations is an empty one';
