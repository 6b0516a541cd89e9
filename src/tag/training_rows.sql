-- Rows to train a model on: what was known at an instant, and what came of it.

CREATE FUNCTION @extschema@.training_rows_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'crm_training_rows_support' LANGUAGE C STRICT IMMUTABLE PARALLEL SAFE COST 1;
COMMENT ON FUNCTION @extschema@.training_rows_support(internal) IS
	'planner support of training_rows: as many rows as the population''s source has';

CREATE FUNCTION @extschema@.training_rows(population text, observation_end timestamptz, outcome_window interval, features jsonb,
	outcome text DEFAULT NULL, outcome_rule text DEFAULT NULL, measure text DEFAULT 'count', at_least float8 DEFAULT 1, columns text DEFAULT NULL)
	RETURNS TABLE (customer bigint, key text, label boolean, amount float8, known jsonb)
	AS 'MODULE_PATHNAME', 'crm_training_rows' LANGUAGE C STABLE PARALLEL RESTRICTED COST 1000000 ROWS 100000
	SUPPORT @extschema@.training_rows_support;
COMMENT ON FUNCTION @extschema@.training_rows(text, timestamptz, interval, jsonb, text, text, text, float8, text) IS
	'rows to train a model on without leakage (训练样本, 防止数据泄漏): for each customer of a population who was there at observation_end, what the rules in features say as of then, and what came of him within outcome_window after it: an event (outcome; measure count or sum, a yes from at_least on), or what outcome_rule says as of its end; neither: rows to be scored. Nothing behind observation_end is read for features; columns of a source without history columns are those of today and refused, unless columns is ''today''. Runs as the caller. Errors: 55000 only known as of today, 22023 the window is not over';
