-- predict_reasons: a score with what moved it

CREATE TYPE @extschema@.score_reason AS (
	feature int,
	name text,
	contribution float8
);
COMMENT ON TYPE @extschema@.score_reason IS
	'a feature and what it adds to the margin of a score, the name where the model has one (评分原因)';

CREATE FUNCTION @extschema@.predict_reasons(m @extschema@.model, features float8[], n int DEFAULT 3, direction text DEFAULT 'any',
		OUT score float8, OUT base float8, OUT reasons @extschema@.score_reason[])
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250
	AS 'MODULE_PATHNAME', 'crm_predict_reasons';
COMMENT ON FUNCTION @extschema@.predict_reasons(@extschema@.model, float8[], int, text) IS
	'score of a row, and the features that moved it most, largest first: any, up or down; base and all contributions add up to the margin (评分与主要原因)';
