-- Segments compared: overlap, profile against a base, control groups; and the tests behind them.

CREATE FUNCTION @extschema@.segment_overlap(expressions text[], population text DEFAULT NULL)
	RETURNS TABLE (a text, b text, a_members bigint, b_members bigint, "both" bigint,
		share_of_a float8, share_of_b float8, jaccard float8)
	AS 'MODULE_PATHNAME', 'crm_segment_overlap' LANGUAGE C STABLE PARALLEL SAFE COST 10000 ROWS 100;
COMMENT ON FUNCTION @extschema@.segment_overlap(text[], text) IS
	'how segments overlap (客群重叠): one row for each pair of the segment expressions given, each with itself and in both directions, in their order. share_of_a is the part of a that is in b as well; NULL of an empty segment. Counted on stored sets in the scopes the caller may read. At most 1,000 segments (54000)';

CREATE FUNCTION @extschema@.segment_profile(a @extschema@.audience, base @extschema@.audience DEFAULT NULL,
	population text DEFAULT NULL, fdr float8 DEFAULT 0.05)
	RETURNS TABLE (tag text, value text, segment_members bigint, segment_share float8, base_members bigint, base_share float8,
		index float8, p_value float8, q_value float8, significant boolean)
	AS 'MODULE_PATHNAME', 'crm_segment_profile_audience' LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 100;
COMMENT ON FUNCTION @extschema@.segment_profile(@extschema@.audience, @extschema@.audience, text, float8) IS
	'what sets an audience apart from its base (客群画像), the population unless given: for each boolean tag and each value of a text tag that somebody in the base has, by name, both shares, index (TGI: share in the segment / share in the base x 100), p_value of Fisher''s exact test of the segment against the rest of the base, q_value after Benjamini and Hochberg over all rows, and significant where q_value is not above fdr. Members outside the base do not count';

CREATE FUNCTION @extschema@.segment_profile(expression text, base text DEFAULT NULL,
	population text DEFAULT NULL, fdr float8 DEFAULT 0.05)
	RETURNS TABLE (tag text, value text, segment_members bigint, segment_share float8, base_members bigint, base_share float8,
		index float8, p_value float8, q_value float8, significant boolean)
	AS 'MODULE_PATHNAME', 'crm_segment_profile_expression' LANGUAGE C STABLE PARALLEL SAFE COST 100000 ROWS 100;
COMMENT ON FUNCTION @extschema@.segment_profile(text, text, text, float8) IS
	'what sets a segment apart from its base (客群画像), both given as segment expressions: for each boolean tag and each value of a text tag that somebody in the base has, by name, both shares, index (TGI: share in the segment / share in the base x 100), p_value of Fisher''s exact test of the segment against the rest of the base, q_value after Benjamini and Hochberg over all rows, and significant where q_value is not above fdr. Members outside the base do not count';

CREATE FUNCTION @extschema@.fisher_exact(a bigint, b bigint, c bigint, d bigint) RETURNS float8
	AS 'MODULE_PATHNAME', 'crm_fisher_exact_test' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
COMMENT ON FUNCTION @extschema@.fisher_exact(bigint, bigint, bigint, bigint) IS
	'Fisher''s exact test (费希尔精确检验), two-sided, of the counts a with and b without here, c with and d without there: the probability of a table at most as likely as this one. 1 where a row or column is empty, 0 below 1e-300. Exact at every size. Errors: 22023 a negative count, 22003 counts above 2^52 together';

CREATE FUNCTION @extschema@.benjamini_hochberg(p float8[]) RETURNS float8[]
	AS 'MODULE_PATHNAME', 'crm_false_discovery_rates' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.benjamini_hochberg(float8[]) IS
	'q values of p values (错误发现率): the smallest share of false discoveries (Benjamini and Hochberg 1995) at which each is among those discovered. NULLs stay NULL and do not count. 22003 outside 0 to 1';

CREATE FUNCTION @extschema@.holdout(a @extschema@.audience, share float8, salt text) RETURNS @extschema@.audience
	AS 'MODULE_PATHNAME', 'crm_holdout' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
COMMENT ON FUNCTION @extschema@.holdout(@extschema@.audience, float8, text) IS
	'the control group (对照组) of an audience: the members whose hash of id and salt lies below share; the treatment is a - holdout(a, ...). A customer''s side depends on his id and the salt alone: it stays when the audience changes, and a larger share keeps all of a smaller one. Another salt draws independently. Errors: 22023 a share outside 0 to 1, 22003 NaN';
