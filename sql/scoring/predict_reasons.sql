-- predict_reasons: the score of predict and the largest parts of explain, for every kind of model.
CREATE TABLE reason_models (name text PRIMARY KEY, m crm.model);
INSERT INTO reason_models VALUES
	('linear', '{"kind": "linear", "features": 4, "intercept": 1, "coefficients": [2, -0.5, 1, 0], "means": [0, 0, 0, 0]}'),
	('logistic', '{"kind": "logistic", "features": 4, "intercept": -1, "coefficients": [0.2, -0.5, 0.1, 0.3], "means": [1, 2, 3, 4], "feature_names": ["age", "余额", "visits", "calls"]}');
INSERT INTO reason_models SELECT 'trees', crm.boosted_trees_fit(sin(i) > cos(i * 2), ARRAY[sin(i), cos(i * 2), i % 7, 1]) FROM generate_series(1, 1000) AS i;

SELECT p.* FROM reason_models, crm.predict_reasons(m, ARRAY[1, 4, 2, 9]) AS p WHERE name = 'linear';
SELECT p.score::numeric(8, 6), p.base, r.feature, r.name, r.contribution::numeric(8, 6) FROM reason_models, crm.predict_reasons(m, ARRAY[1, 4, 2, 9], 10) AS p, unnest(p.reasons) AS r WHERE reason_models.name = 'logistic';
SELECT direction, n, p.reasons FROM (VALUES ('any', 1), ('up', 2), ('down', 5), ('any', 0)) AS v (direction, n), reason_models,
	crm.predict_reasons(m, ARRAY[1, 4, 2, 9], direction => direction, n => n) AS p WHERE name = 'linear';
-- Equal parts: the first feature first.
SELECT p.reasons FROM crm.predict_reasons('{"kind": "linear", "features": 3, "intercept": 0, "coefficients": [-1, 1, 1], "means": [0, 0, 0]}', ARRAY[5, 5, 5], 2) AS p;

-- The same as predict and explain say, whatever the kind.
SELECT name, bool_and(p.score = crm.predict(m, x)) AS score, bool_and(p.base = e.base) AS base, bool_and(p.reasons = e.reasons) AS reasons
FROM reason_models, (SELECT ARRAY[sin(i), cos(i * 2), i % 7, 1] AS x FROM generate_series(1, 100) AS i) AS r,
	crm.predict_reasons(m, x, 3) AS p,
	LATERAL (SELECT (SELECT contribution FROM crm.explain(m, x) WHERE feature = 0) AS base,
		ARRAY(SELECT ROW(feature, crm.model_params(m) -> 'feature_names' ->> feature - 1, contribution)::crm.score_reason FROM crm.explain(m, x)
			WHERE feature > 0 AND contribution <> 0 ORDER BY abs(contribution) DESC, feature LIMIT 3) AS reasons) AS e
GROUP BY name ORDER BY name;
-- A constant feature of trees is never a reason.
SELECT count(*) FROM reason_models, generate_series(1, 50) AS i, crm.predict_reasons(m, ARRAY[sin(i), cos(i * 2), i % 7, 1], 4) AS p, unnest(p.reasons) AS r
WHERE reason_models.name = 'trees' AND feature = 4;

SELECT crm.predict_reasons(m, NULL) FROM reason_models WHERE name = 'linear';
SELECT crm.predict_reasons(m, ARRAY[1.0]) FROM reason_models WHERE name = 'linear';
SELECT crm.predict_reasons(m, ARRAY[1, 2, NULL, 4]) FROM reason_models WHERE name = 'linear';
SELECT crm.predict_reasons(m, ARRAY[1, 2, 3, 4], -1) FROM reason_models WHERE name = 'linear';
SELECT crm.predict_reasons(m, ARRAY[1, 2, 3, 4], 1, 'left') FROM reason_models WHERE name = 'linear';
SELECT crm.predict_reasons(m, ARRAY[1e308, 2, 3, 4]) FROM reason_models WHERE name = 'linear';
DROP TABLE reason_models;
