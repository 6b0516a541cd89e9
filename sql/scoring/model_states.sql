-- Drafts, approval by somebody else, retired versions; and the mark of models whose rows have drifted away.
SET search_path = public, crm;
SET client_min_messages = notice;
CREATE ROLE regress_model_author;
CREATE ROLE regress_model_checker;
CREATE ROLE regress_model_user;
CREATE SCHEMA model_states;
GRANT USAGE, CREATE ON SCHEMA model_states TO PUBLIC;
GRANT USAGE ON SCHEMA crm TO regress_model_author, regress_model_checker, regress_model_user;
SET search_path = model_states, crm, public;
CREATE TABLE past AS SELECT i AS id, i * 37 % 100 AS age, CASE i % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE 'c' END AS kind, (i * 37 % 100) + (i * 7919 % 83) > 90 AS yes FROM generate_series(1, 1000) i;
GRANT SELECT ON past TO PUBLIC;
SET ROLE regress_model_author;

-- A draft: its author scores by it, those to whom the model is granted do not, before it is approved.
SELECT r -> 'version' AS version, r -> 'in_use' AS in_use FROM train('resp', 'logistic', 'SELECT id, age, kind, yes FROM past', 'yes', '{"key": "id", "state": "draft"}') AS r;
SELECT grant_model('resp', 'regress_model_user'), grant_model('resp', 'regress_model_checker', 'approve');
SELECT version, status, drafts, trained_by, approved_by FROM model_catalog WHERE name = 'resp';
SELECT predict('resp', p) > 0 AS scores FROM past AS p WHERE id = 1;
SET ROLE regress_model_user;
SELECT predict('resp', p) > 0 AS scores FROM past AS p WHERE id = 1;
SELECT count(*) FROM past AS p, explain('resp', p) WHERE id = 1;
SELECT model('resp', 1) IS NULL;
SELECT alter_model('resp', 1, 'approved');
SET ROLE regress_model_checker;
SELECT predict('resp', p) > 0 AS scores FROM past AS p WHERE id = 1;
SELECT alter_model('resp', 1, 'approved');
SET ROLE regress_model_user;
SELECT predict('resp', p) > 0 AS scores FROM past AS p WHERE id = 1;
SET ROLE regress_model_author;
SELECT status, drafts, approved_by, approved_at IS NOT NULL AS approved FROM model_catalog WHERE name = 'resp';
-- The next draft is not in use beside an approved version; then it is taken.
SELECT r -> 'version' AS version, r -> 'in_use' AS in_use FROM train('resp', 'naive_bayes', 'SELECT id, age, kind, yes FROM past', 'yes', '{"key": "id", "state": "draft"}') AS r;
SELECT version, status, drafts FROM model_catalog WHERE name = 'resp';
SELECT rollback_model('resp', 2);
SELECT alter_model('resp', 2, 'approved');
SELECT version FROM model_catalog WHERE name = 'resp';
SELECT rollback_model('resp', 2);
SELECT version, algorithm FROM model_catalog WHERE name = 'resp';
-- Retired: nothing is scored by it.
SELECT alter_model('resp', 2, 'retired');
SELECT predict('resp', p) > 0 AS scores FROM past AS p WHERE id = 1;
SELECT count(*) FROM past AS p, explain('resp', p) WHERE id = 1;
SELECT status FROM model_catalog WHERE name = 'resp';
SELECT rollback_model('resp');

-- Approval by somebody else.
SELECT alter_model('resp', true);
SELECT r -> 'version' AS version, r -> 'in_use' AS in_use FROM train('resp', 'logistic', 'SELECT id, age, kind, yes FROM past', 'yes', '{"key": "id"}') AS r;
SELECT alter_model('resp', 3, 'approved');
SELECT r -> 'version' AS version, r -> 'promoted' AS promoted, r -> 'champion' AS champion FROM retrain('resp') AS r;
SELECT store_model('resp', model('resp', 1));
SELECT version, state, approved_by FROM model_version WHERE name = 'resp' ORDER BY 1;
SET ROLE regress_model_checker;
SELECT alter_model('resp', 3, 'approved');
SELECT alter_model('resp', 9, 'approved');
SELECT alter_model('resp', false);
SET ROLE regress_model_author;
SELECT rollback_model('resp', 3), needs_approval, drafts FROM model_catalog WHERE name = 'resp';
SELECT alter_model('resp', false);
SELECT revoke_model('resp', 'regress_model_checker', 'approve'), grant_model('resp', 'regress_model_checker', 'own');
SELECT train('resp', 'logistic', 'SELECT age, yes FROM past', 'yes', '{"state": "old"}');
SELECT algorithm FROM compare_models('{logistic}', 'SELECT age, yes FROM past', 'yes', '{"state": "draft"}');

-- Stale: marked by a look that finds drift, by its owner only; the mark goes when the next look finds none, or by a new version.
SELECT version, status FROM model_catalog WHERE name = 'resp';
SELECT feature, level FROM model_drift('resp', 'SELECT age, kind FROM past') ORDER BY 1;
SELECT status, stale_since, stale_cause, drift_checked_at IS NOT NULL AS checked FROM model_catalog WHERE name = 'resp';
SET ROLE regress_model_user;
SELECT feature, level FROM model_drift('resp', 'SELECT age + 60 AS age, kind FROM past') ORDER BY 1;
SET ROLE regress_model_author;
SELECT status FROM model_catalog WHERE name = 'resp';
SELECT feature, level FROM model_drift('resp', 'SELECT age + 60 AS age, kind FROM past', '{"mark": false}') ORDER BY 1;
SELECT status FROM model_catalog WHERE name = 'resp';
BEGIN READ ONLY;
SELECT count(*) FROM model_drift('resp', 'SELECT age + 60 AS age, kind FROM past');
COMMIT;
SELECT count(*) FROM model_drift('resp', 'SELECT age + 60 AS age, kind FROM past WHERE id <= 100');
SELECT status FROM model_catalog WHERE name = 'resp';
SELECT count(*) FROM model_drift('resp', 'SELECT age + 60 AS age, kind FROM past');
SELECT status, stale_since = drift_checked_at AS since, regexp_replace(stale_cause, '[0-9.]+', 'N', 'g') AS cause FROM model_catalog WHERE name = 'resp';
SELECT jsonb_array_length(drift -> 'psi') AS parts, drift -> 'rows' AS rows FROM model_version WHERE name = 'resp' AND version = 3;
-- still scored by
SELECT predict('resp', p) > 0 AS scores FROM past AS p WHERE id = 1;
SELECT level FROM model_drift('resp', 'SELECT age + 60 AS age, kind FROM past', '{"watch": 20, "drifted": 90}') WHERE feature = 'age';
SELECT status, stale_cause FROM model_catalog WHERE name = 'resp';
SELECT count(*) FROM model_drift('resp', 'SELECT age + 60 AS age, kind FROM past');
SELECT status FROM model_catalog WHERE name = 'resp';
SELECT train('resp', 'logistic', 'SELECT id, age + 60 AS age, kind, yes FROM past', 'yes', '{"key": "id"}') -> 'version' AS version;
SELECT status, stale_since FROM model_catalog WHERE name = 'resp';
SELECT count(*) FROM model_drift('resp', 'SELECT age, kind FROM past', '{"watch": 0.3, "drifted": 0.2}');
SELECT count(*) FROM model_drift('resp', 'SELECT age, kind FROM past', '{"limit": 1}');

SELECT drop_model('resp');

-- The query of a model runs with its owner's rights, whoever trains it anew: a superuser lends his to nobody.
SELECT train('his', 'logistic', 'SELECT id, age, kind, yes FROM past WHERE current_user = ''regress_model_author''', 'yes', '{"key": "id"}') -> 'rows' AS rows;
RESET ROLE;
SELECT r -> 'version' AS version, r -> 'rows' AS rows FROM retrain('his') AS r;
SELECT current_user = session_user AS himself_again, created_by::regrole::text = current_user AS trained_by_him FROM model_version WHERE name = 'his' AND version = 2;
REVOKE SELECT ON past FROM PUBLIC;
SELECT retrain('his');
SELECT current_user = session_user AS himself_again;
SELECT drop_model('his');
SET client_min_messages = warning;
DROP SCHEMA model_states CASCADE;
DROP OWNED BY regress_model_author, regress_model_checker, regress_model_user;
DROP ROLE regress_model_author, regress_model_checker, regress_model_user;
