-- crm.model: a trained scorer as a value

CREATE TYPE @extschema@.model;

CREATE FUNCTION @extschema@.model_in(cstring) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_model_in';
COMMENT ON FUNCTION @extschema@.model_in(cstring) IS 'text input of model';

CREATE FUNCTION @extschema@.model_out(@extschema@.model) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_model_out';
COMMENT ON FUNCTION @extschema@.model_out(@extschema@.model) IS 'text output of model: JSON';

CREATE FUNCTION @extschema@.model_recv(internal) RETURNS @extschema@.model
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_model_recv';
COMMENT ON FUNCTION @extschema@.model_recv(internal) IS 'binary input of model';

CREATE FUNCTION @extschema@.model_send(@extschema@.model) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
	AS 'MODULE_PATHNAME', 'crm_model_send';
COMMENT ON FUNCTION @extschema@.model_send(@extschema@.model) IS 'binary output of model';

CREATE TYPE @extschema@.model (
	INPUT = @extschema@.model_in,
	OUTPUT = @extschema@.model_out,
	RECEIVE = @extschema@.model_recv,
	SEND = @extschema@.model_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);
COMMENT ON TYPE @extschema@.model IS 'a trained model: a kind and its parameters (模型)';

CREATE FUNCTION @extschema@.model_kind(m @extschema@.model) RETURNS text
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'crm_model_kind_name';
COMMENT ON FUNCTION @extschema@.model_kind(@extschema@.model) IS
	'kind of a model: linear, logistic, ... (模型种类)';

CREATE FUNCTION @extschema@.model_params(m @extschema@.model) RETURNS jsonb
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_model_params';
COMMENT ON FUNCTION @extschema@.model_params(@extschema@.model) IS
	'parameters of a model and what the training said: coefficients, standard errors, log-likelihood, rows, ... (模型参数)';

CREATE FUNCTION @extschema@.predict(m @extschema@.model, features float8[]) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_predict';
COMMENT ON FUNCTION @extschema@.predict(@extschema@.model, float8[]) IS
	'score of a row by a model; of a yes or no the probability of yes (评分)';

CREATE FUNCTION @extschema@.explain(m @extschema@.model, features float8[])
	RETURNS TABLE (feature int, contribution float8)
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 250 ROWS 20
	AS 'MODULE_PATHNAME', 'crm_explain';
COMMENT ON FUNCTION @extschema@.explain(@extschema@.model, float8[]) IS
	'why a row has its score: feature 0 is the base, all contributions add up to the margin, for a probability its log odds (评分原因)';
