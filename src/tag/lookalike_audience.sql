-- Who is like the customers of an audience, by the tags of its population.

CREATE FUNCTION @extschema@.lookalike(seed @extschema@.audience, population text DEFAULT NULL, tags text[] DEFAULT NULL) RETURNS @extschema@.bsi
	AS 'MODULE_PATHNAME', 'crm_lookalike' LANGUAGE C STABLE PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION @extschema@.lookalike(@extschema@.audience, text, text[]) IS
	'how much each customer of a population is like those of a seed (相似人群扩展), as one number for each: the sum, over its tags, of the logarithm of how much more often what he has, or lacks, is met in the seed than among others; 0 tells nothing, 1/(1+exp(-score)) is the chance to be of the seed if seed and others were equally many. tags: those to look at, all but one that is the seed itself unless given. bsi_top gives the most similar, lookalike_quality says how good the scores are. NULL where the seed is nobody or everybody';

CREATE FUNCTION @extschema@.lookalike_quality(seed @extschema@.audience, population text DEFAULT NULL, tags text[] DEFAULT NULL, folds int DEFAULT 5)
	RETURNS TABLE (fold int, seed_members bigint, others bigint, auc float8, top_tenth float8, lift float8)
	AS 'MODULE_PATHNAME', 'crm_lookalike_quality' LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 6;
COMMENT ON FUNCTION @extschema@.lookalike_quality(@extschema@.audience, text, text[], int) IS
	'how well lookalike finds members of the seed that it has not seen (相似人群验证): up to 20,000 of the seed and of the others are dealt into folds, each scored without itself. auc: share of pairs in the right order, 0.5 by chance; top_tenth: share of held out members of the seed whose score is among the highest tenth of the others; lift: that over a tenth. The last row, of fold NULL, holds the means';

CREATE FUNCTION @extschema@.lookalike_traits(seed @extschema@.audience, population text DEFAULT NULL, tags text[] DEFAULT NULL)
	RETURNS TABLE (tag text, value text, has boolean, seed_share float8, others_share float8, weight float8)
	AS 'MODULE_PATHNAME', 'crm_lookalike_traits' LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 100;
COMMENT ON FUNCTION @extschema@.lookalike_traits(@extschema@.audience, text, text[]) IS
	'what makes customers alike (相似特征): what each tag, each value and each tenth of a number, and having none of them, adds to the score of lookalike, with the shares of the seed and of the others that have it';

CREATE FUNCTION @extschema@.lookalike_customers(seed @extschema@.audience, most bigint, population text DEFAULT NULL, tags text[] DEFAULT NULL)
	RETURNS TABLE (id bigint, key text, score float8)
	LANGUAGE SQL STABLE PARALLEL SAFE COST 100000 ROWS 500
BEGIN ATOMIC
	SELECT v.id, @extschema@.customer_key(v.id, lookalike_customers.population), 1 / (1 + pg_catalog.exp(- v.value::float8))
	FROM (SELECT @extschema@.lookalike(lookalike_customers.seed, lookalike_customers.population, lookalike_customers.tags) AS scores OFFSET 0) l,
		LATERAL (SELECT @extschema@.bsi_range(l.scores, NULL, NULL) OPERATOR(@extschema@.-) lookalike_customers.seed AS others OFFSET 0) o,
		LATERAL (SELECT @extschema@.bsi_top(l.scores, lookalike_customers.most, o.others) AS best OFFSET 0) b,
		@extschema@.members(b.best) m (id),
		LATERAL (SELECT m.id, @extschema@.bsi_value(l.scores, m.id) AS value) v
	ORDER BY v.value DESC, v.id;
END;
COMMENT ON FUNCTION @extschema@.lookalike_customers(@extschema@.audience, bigint, text, text[]) IS
	'the customers who are most like those of a seed and not in it (相似客户), so many at most, the most similar first: score from 0 to 1, the chance to be of the seed if seed and others were equally many';
