-- Models over ordinary columns, by name

CREATE TABLE @extschema@.model_definition (
	name		text PRIMARY KEY CHECK (name <> ''),
	owner		regrole NOT NULL,
	-- how many versions there were, and which is in use
	versions	int NOT NULL DEFAULT 0,
	champion	int,
	-- versions begin as drafts, and need the approval of somebody else than their author
	approval	boolean NOT NULL DEFAULT false,
	created_at	timestamptz NOT NULL DEFAULT pg_catalog.now()
);
COMMENT ON TABLE @extschema@.model_definition IS 'models by name (模型): whose they are, and which version is in use';

CREATE TABLE @extschema@.model_version (
	name		text NOT NULL REFERENCES @extschema@.model_definition ON DELETE CASCADE,
	version		int NOT NULL CHECK (version > 0),
	algorithm	text,
	query		text,
	label		text,
	options		jsonb,
	encoding	jsonb,
	split		jsonb,
	metrics		jsonb,
	profile		jsonb,
	model		@extschema@.model NOT NULL,
	rows		bigint,
	fingerprint	text,
	state		text NOT NULL DEFAULT 'approved' CHECK (state IN ('draft', 'approved', 'retired')),
	created_at	timestamptz NOT NULL DEFAULT pg_catalog.now(),
	created_by	regrole NOT NULL,
	approved_at	timestamptz,
	approved_by	regrole,
	-- of the last look at drift
	drift		jsonb,
	drift_checked_at timestamptz,
	stale_since	timestamptz,
	stale_cause	text,
	PRIMARY KEY (name, version),
	CHECK ((stale_since IS NULL) = (stale_cause IS NULL))
);
COMMENT ON TABLE @extschema@.model_version IS
	'versions of models (模型版本): the value, from which query, label and options, how columns become features, measures on rows held back, how columns and scores were distributed, fingerprint of the rows; since when rows have drifted away from it, and by what (模型过期); algorithm and query are NULL for values that were stored';

CREATE TABLE @extschema@.model_grant (
	model		text NOT NULL REFERENCES @extschema@.model_definition ON DELETE CASCADE,
	grantee		regrole NOT NULL,
	privilege	text NOT NULL CHECK (privilege IN ('use', 'approve')),
	PRIMARY KEY (model, grantee, privilege)
);
COMMENT ON TABLE @extschema@.model_grant IS 'who may score by a model besides its owner, and who may approve its versions (模型授权); 0 is public';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.model_definition', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.model_version', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.model_grant', '');

-- Versions tell categories and measures of the rows: the owner's matter.
ALTER TABLE @extschema@.model_definition ENABLE ROW LEVEL SECURITY;
CREATE POLICY model_definition_visible ON @extschema@.model_definition FOR SELECT
	USING (pg_catalog.pg_has_role(owner::oid, 'USAGE'));
ALTER TABLE @extschema@.model_version ENABLE ROW LEVEL SECURITY;
CREATE POLICY model_version_visible ON @extschema@.model_version FOR SELECT
	USING (EXISTS (SELECT FROM @extschema@.model_definition d WHERE d.name OPERATOR(pg_catalog.=) model_version.name));
ALTER TABLE @extschema@.model_grant ENABLE ROW LEVEL SECURITY;
CREATE POLICY model_grant_visible ON @extschema@.model_grant FOR SELECT
	USING (EXISTS (SELECT FROM @extschema@.model_definition d WHERE d.name OPERATOR(pg_catalog.=) model_grant.model));
GRANT SELECT ON @extschema@.model_definition, @extschema@.model_version, @extschema@.model_grant TO PUBLIC;

CREATE FUNCTION @extschema@.model_features(encoding jsonb, customer record) RETURNS float8[]
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_model_features';
COMMENT ON FUNCTION @extschema@.model_features(jsonb, record) IS
	'features of a row as the encoding of a trained model says: columns by name, texts as numbers, NULL where a value is missing (特征编码)';

CREATE FUNCTION @extschema@.row_is_held(split jsonb, customer record) RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'crm_row_is_held';
COMMENT ON FUNCTION @extschema@.row_is_held(jsonb, record) IS
	'is a row one of those that a training held back to measure by: a matter of its values and the seed, or of its time (留出样本)';

CREATE FUNCTION @extschema@.row_is_taken(split jsonb, customer record) RETURNS boolean
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 20
	AS 'MODULE_PATHNAME', 'crm_row_is_taken';
COMMENT ON FUNCTION @extschema@.row_is_taken(jsonb, record) IS
	'is a row one of those that a training learns from: not held back, and in the sample where there is one (训练样本)';

CREATE FUNCTION @extschema@.train(name text, algorithm text, query text, label text DEFAULT NULL, options jsonb DEFAULT '{}') RETURNS jsonb
	LANGUAGE C VOLATILE PARALLEL UNSAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_train';
COMMENT ON FUNCTION @extschema@.train(text, text, text, text, jsonb) IS
	'trains a model from the columns of a query, which runs once unless it is a mere scan, measures it on rows held back, and keeps it by name as a new version, which is in use from then on (训练模型). Algorithms: logistic, boosted_trees, naive_bayes, scorecard for a boolean label; linear, boosted_trees_regression for a number; bg_nbd, mbg_nbd, pareto_nbd, gamma_gamma of the columns that they name, whose label is what came later, or left out; cox for who left, duration being an option; k_means, k_prototypes make groups, without a label. Options: holdout, seed, sample (the share of rows to learn from), key, time, max_categories, state (draft: not in use before it is approved), and those of the algorithm. Owner only where the name is taken';

CREATE FUNCTION @extschema@.retrain(name text) RETURNS jsonb
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 100000
	AS 'MODULE_PATHNAME', 'crm_retrain';
COMMENT ON FUNCTION @extschema@.retrain(text) IS
	'trains a model anew from the rows of today; the new version is in use only if it loses less on the rows held back, by more than the uncertainty of that; groups keep the numbers of those that they share most rows with (重新训练). Owner only';

CREATE FUNCTION @extschema@.predict(name text, customer record) RETURNS float8
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_predict_record';
COMMENT ON FUNCTION @extschema@.predict(text, record) IS
	'score of a row by a model''s name: its columns are found by their names, in any order, among others; of a yes or no the probability of yes (按名评分)';

CREATE FUNCTION @extschema@.predict(name text, customer jsonb) RETURNS float8
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 50
	AS 'MODULE_PATHNAME', 'crm_predict_jsonb';
COMMENT ON FUNCTION @extschema@.predict(text, jsonb) IS
	'score of a customer given as a jsonb object by a model''s name (按名评分)';

CREATE FUNCTION @extschema@.explain(name text, customer record) RETURNS TABLE (feature text, value text, contribution float8)
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 250 ROWS 20
	AS 'MODULE_PATHNAME', 'crm_explain_record';
COMMENT ON FUNCTION @extschema@.explain(text, record) IS
	'why a row has its score by a model''s name: each column''s part, and the base with feature NULL; they add up to the margin, for a probability its log odds (评分原因)';

CREATE FUNCTION @extschema@.predict_reasons(name text, customer record, n int DEFAULT 3, direction text DEFAULT 'any',
		OUT score float8, OUT base float8, OUT reasons @extschema@.score_reason[])
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 250
	AS 'MODULE_PATHNAME', 'crm_predict_reasons_record';
COMMENT ON FUNCTION @extschema@.predict_reasons(text, record, int, text) IS
	'score of a row by a model''s name, and the columns that moved it most, largest first: any, up or down (按名评分与主要原因)';

CREATE FUNCTION @extschema@.evaluate(name text, query text, label text) RETURNS TABLE (metric text, value float8)
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 6
	AS 'MODULE_PATHNAME', 'crm_evaluate_model';
COMMENT ON FUNCTION @extschema@.evaluate(text, text, text) IS
	'measures a model by the rows of a query with a label: AUC, KS, log loss and Brier score of probabilities, RMSE, MAE and R2 of numbers, concordance of survival (模型评估)';

CREATE FUNCTION @extschema@.model(name text, version int DEFAULT NULL) RETURNS @extschema@.model
	LANGUAGE C STABLE PARALLEL SAFE COST 250
	AS 'MODULE_PATHNAME', 'crm_model_by_name';
COMMENT ON FUNCTION @extschema@.model(text, int) IS
	'the value of a model by name: of the version in use, or of the one given (取模型)';

-- model('churn') would be a cast of a literal to type model: only a function of just this argument comes before that.
CREATE FUNCTION @extschema@.model(name unknown) RETURNS @extschema@.model
	LANGUAGE C STABLE STRICT PARALLEL SAFE COST 250
	AS 'MODULE_PATHNAME', 'crm_model_by_literal';
COMMENT ON FUNCTION @extschema@.model(unknown) IS
	'the value of a model by a name written as a literal: of the version in use (取模型)';

CREATE FUNCTION @extschema@.store_model(name text, m @extschema@.model) RETURNS int
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_store_model';
COMMENT ON FUNCTION @extschema@.store_model(text, @extschema@.model) IS
	'keeps a model under a name, as a new version, which is in use from then on; its number (存模型)';

CREATE FUNCTION @extschema@.grant_model(name text, grantee name, privilege text DEFAULT 'use') RETURNS void
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_grant_model';
COMMENT ON FUNCTION @extschema@.grant_model(text, name, text) IS
	'lets a role (or public) score by a model and read its value (''use''), or approve its versions too (''approve'') (模型授权). Owner only';

CREATE FUNCTION @extschema@.revoke_model(name text, grantee name, privilege text DEFAULT 'use') RETURNS void
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_revoke_model';
COMMENT ON FUNCTION @extschema@.revoke_model(text, name, text) IS
	'takes back what grant_model gave. Owner only (收回模型授权)';

CREATE FUNCTION @extschema@.drop_model(name text) RETURNS void
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_drop_model';
COMMENT ON FUNCTION @extschema@.drop_model(text) IS
	'drops a model with all its versions and grants. Owner only (删除模型)';

CREATE FUNCTION @extschema@.alter_model(name text, version int, state text) RETURNS void
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_alter_model';
COMMENT ON FUNCTION @extschema@.alter_model(text, int, text) IS
	'gives a version of a model a state (模型状态): draft (草稿), by which only its owner scores, and who may approve it; approved (已批准); or retired (已停用), which nothing is scored by any more. Owner, or the right to approve; where the model requires approval, not the author of the version';

CREATE FUNCTION @extschema@.alter_model(name text, approval boolean) RETURNS void
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_alter_model_approval';
COMMENT ON FUNCTION @extschema@.alter_model(text, boolean) IS
	'with approval, new versions of a model begin as drafts, and need the approval (双人复核) of somebody else than their author. Owner only';

CREATE FUNCTION @extschema@.rollback_model(name text, version int DEFAULT NULL) RETURNS int
	LANGUAGE C VOLATILE PARALLEL UNSAFE COST 5000
	AS 'MODULE_PATHNAME', 'crm_rollback_model';
COMMENT ON FUNCTION @extschema@.rollback_model(text, int) IS
	'takes another approved version of a model into use, the one before unless a number is given; its number. Owner only (模型回滚)';

CREATE FUNCTION @extschema@.compare_models(algorithms text[], query text, label text, options jsonb DEFAULT '{}')
	RETURNS TABLE (algorithm text, rows bigint, metric text, value float8, standard_error float8, lower float8, upper float8, auc float8,
		worse_by float8, worse_by_error float8, tied boolean)
	LANGUAGE C STABLE STRICT PARALLEL RESTRICTED COST 100000 ROWS 5
	AS 'MODULE_PATHNAME', 'crm_compare_models';
COMMENT ON FUNCTION @extschema@.compare_models(text[], text, text, jsonb) IS
	'trains by several algorithms on the same rows, of a query that runs once unless it is a mere scan, and measures them on the same rows held back, or by folds, beside a baseline that knows no column: mean loss with limits of 95 percent, by how much it is worse than the best, and whether that is no more than chance (模型比较)';

CREATE FUNCTION @extschema@.model_drift(name text, query text, options jsonb DEFAULT '{}')
	RETURNS TABLE (feature text, psi float8, level text, missing_then float8, missing_now float8, unseen_now float8)
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE COST 100000 ROWS 20
	AS 'MODULE_PATHNAME', 'crm_model_drift';
COMMENT ON FUNCTION @extschema@.model_drift(text, text, jsonb) IS
	'how far the rows of a query are from those that a model was trained on: PSI of each column and, with feature NULL, of the score; stable below 0.1, watch below 0.25, else drifted; shares of missing and of never seen values (模型漂移). Called by the owner, it marks the version in use stale where something has drifted, and takes the mark away where nothing has. Options: watch, drifted (the borders), min_rows (200: fewer rows mark nothing), mark (false: no mark)';
