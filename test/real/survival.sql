-- Survival on the sets of R's package survival and on a telephone company's customers: figures as R prints them.
\ir lib/tally.sql
\setenv CRM_FOLDER :shared/data/scoring
\set absent `test -r "$CRM_FOLDER/survival_lung.csv" -a -r "$CRM_FOLDER/survival_leukemia.csv" -a -r "$CRM_FOLDER/survival_rossi.csv" -a -r "$CRM_FOLDER/telco_churn.csv" && echo false || echo true`
\if :absent
	\echo 'ok - survival # skip no data/scoring'
	\quit
\endif

CREATE SCHEMA survival;
CREATE TABLE survival.lung (id int, inst int, time_days float8, event int, age float8, sex text, ph_ecog float8, ph_karno float8, pat_karno float8, meal_cal float8, wt_loss float8);
\copy survival.lung FROM PROGRAM 'cat "$CRM_FOLDER/survival_lung.csv"' (FORMAT csv, HEADER)
CREATE TABLE survival.leukemia (id int, pair int, time_weeks float8, event int, treatment text);
\copy survival.leukemia FROM PROGRAM 'cat "$CRM_FOLDER/survival_leukemia.csv"' (FORMAT csv, HEADER)
CREATE TABLE survival.rossi (id int, time_weeks float8, event int, fin float8, age float8, race float8, wexp float8, mar float8, paro float8, prio float8);
\copy survival.rossi FROM PROGRAM 'cat "$CRM_FOLDER/survival_rossi.csv"' (FORMAT csv, HEADER)
CREATE TABLE survival.telco (line text);
\copy survival.telco FROM PROGRAM 'cat "$CRM_FOLDER/telco_churn.csv"' (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')

CREATE FUNCTION pg_temp.near(found float8, expected float8, name text, tolerance float8 DEFAULT 1e-6) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.note(abs(found - expected) <= tolerance * greatest(abs(expected), 1), format('%s: %s, published %s', name, found, expected)) $$;

-- curves
SELECT pg_temp.near(crm.survival_at(k, t), v, '6-MP, week ' || t) FROM (SELECT crm.kaplan_meier(time_weeks, event = 1) AS k FROM survival.leukemia WHERE treatment = '6-MP') c,
	(VALUES (6, 0.857143), (7, 0.806723), (10, 0.752941), (13, 0.690196), (16, 0.627451), (22, 0.537815), (23, 0.448179)) p (t, v);
SELECT pg_temp.near(crm.survival_at(k, t), v, 'control, week ' || t) FROM (SELECT crm.kaplan_meier(time_weeks, event = 1) AS k FROM survival.leukemia WHERE treatment = 'control') c,
	(VALUES (1, 0.904762), (2, 0.809524), (5, 0.571429), (8, 0.380952), (12, 0.190476), (23, 0)) p (t, v);
SELECT pg_temp.same(array_agg((crm.survival_quantile(k))::text ORDER BY treatment), ARRAY['(23,16,)', '(8,4,12)'], 'medians of remission')
FROM (SELECT treatment, crm.kaplan_meier(time_weeks, event = 1) AS k FROM survival.leukemia GROUP BY 1) c;
SELECT pg_temp.near(crm.survival_at(k, t), v, 'lung, day ' || t) FROM (SELECT crm.kaplan_meier(time_days, event = 1) AS k FROM survival.lung) c,
	(VALUES (100, 0.8639690), (200, 0.6802729), (365, 0.4092416), (500, 0.2932692), (1000, 0.0503456)) p (t, v);
SELECT pg_temp.near(p.lower, 0.3447216, 'lung, lower limit at a year'), pg_temp.near(p.upper, 0.4858380, 'lung, upper limit at a year')
FROM (SELECT crm.kaplan_meier(time_days, event = 1) AS k FROM survival.lung) c, LATERAL (SELECT * FROM unnest(k) u WHERE u.time <= 365 ORDER BY u.time DESC LIMIT 1) p;
SELECT pg_temp.near(crm.restricted_mean_survival(k, 365), 263.221866, 'lung, mean of the first year') FROM (SELECT crm.kaplan_meier(time_days, event = 1) AS k FROM survival.lung) c;
SELECT pg_temp.same(array_agg((crm.survival_quantile(k))::text ORDER BY sex), ARRAY['(426,348,550)', '(270,212,310)', '(310,285,363)'], 'medians of lung, female, male, all')
FROM (SELECT sex, crm.kaplan_meier(time_days, event = 1) AS k FROM survival.lung GROUP BY ROLLUP (sex)) c;
SELECT pg_temp.near(crm.survival_at(crm.kaplan_meier(time_weeks, event = 1), 52), 0.736111, 'rossi, week 52') FROM survival.rossi;

-- tests
SELECT pg_temp.near((t).chi_square, 16.79294099, 'log-rank, remission'), pg_temp.near((t).expected[1], 19.2505, 'expected, 6-MP', 1e-5), pg_temp.same((t).observed::text, '{9,21}', 'observed')
FROM (SELECT crm.log_rank(treatment, time_weeks, event = 1) AS t FROM survival.leukemia) s;
SELECT pg_temp.near((crm.log_rank(sex, time_days, event = 1)).chi_square, 10.32674195, 'log-rank, lung'), pg_temp.near((crm.log_rank(sex, time_days, event = 1)).p_value, 0.001311, 'its p value', 1e-3),
	pg_temp.near((crm.log_rank(1, sex, time_days, event = 1)).chi_square, 12.7141514, 'Peto and Peto, lung') FROM survival.lung;
SELECT pg_temp.near((crm.log_rank(fin::text, time_weeks, event = 1)).chi_square, 3.837569577, 'log-rank, rossi') FROM survival.rossi;

-- customers of a telephone company: months until they leave
CREATE TABLE survival.customer AS
SELECT f[array_position(head, 'tenure_months')]::float8 AS months, f[array_position(head, 'churn')] = '1' AS churn, f[array_position(head, 'contract')] AS contract,
	f[array_position(head, 'monthly_charges')]::float8 AS charges, f[array_position(head, 'senior_citizen')]::float8 AS senior
FROM (SELECT string_to_array(line, ',') AS f, first_value(string_to_array(line, ',')) OVER () AS head, row_number() OVER () AS n FROM survival.telco) l WHERE n > 1;
SELECT pg_temp.near(crm.survival_at(k, t), v, 'telco, month ' || t) FROM (SELECT crm.kaplan_meier(months, churn) AS k FROM survival.customer) c,
	(VALUES (1, 0.945961), (6, 0.884826), (12, 0.843200), (24, 0.788736), (36, 0.748545), (48, 0.708840), (60, 0.664404), (72, 0.592790)) p (t, v);
SELECT pg_temp.same((crm.survival_quantile(crm.kaplan_meier(months, churn)))::text, '(35,32,38)', 'median, month-to-month') FROM survival.customer WHERE contract = 'Month-to-month';
SELECT pg_temp.near((t).chi_square, 2352.872538, 'log-rank by contract'), pg_temp.same((t).degrees, 2, 'its degrees'),
	pg_temp.near((t).expected[1], 708.446, 'expected, month-to-month'), pg_temp.near((t).expected[2], 470.728, 'expected, one year'), pg_temp.near((t).expected[3], 689.827, 'expected, two year')
FROM (SELECT crm.log_rank(contract, months, churn) AS t FROM survival.customer) s;

-- proportional hazards: coefficients, both standard errors (R's coxph with robust = TRUE), likelihoods, concordance
CREATE FUNCTION pg_temp.number(m crm.model, key text, place int DEFAULT NULL) RETURNS float8 LANGUAGE sql AS $$
	SELECT (CASE WHEN place IS NULL THEN crm.model_params(m) ->> key ELSE crm.model_params(m) -> key ->> place END)::float8 $$;
CREATE TABLE survival.fit AS
SELECT 'rossi' AS name, crm.cox_fit(time_weeks, event = 1, ARRAY[fin, age, race, wexp, mar, paro, prio]) AS m FROM survival.rossi
UNION ALL SELECT 'rossi, breslow', crm.cox_fit(time_weeks, event = 1, ARRAY[fin, age, race, wexp, mar, paro, prio], '{"ties": "breslow"}') FROM survival.rossi
UNION ALL SELECT 'lung', crm.cox_fit(time_days, event = 1, ARRAY[age, (sex = 'female')::int, ph_ecog], '{"missing": "skip"}') FROM survival.lung
UNION ALL SELECT 'remission, breslow', crm.cox_fit(time_weeks, event = 1, ARRAY[(treatment = '6-MP')::int], '{"ties": "breslow"}') FROM survival.leukemia
UNION ALL SELECT 'remission', crm.cox_fit(time_weeks, event = 1, ARRAY[(treatment = '6-MP')::int]) FROM survival.leukemia
UNION ALL SELECT 'telco', crm.cox_fit(months, churn, ARRAY[(contract = 'One year')::int, (contract = 'Two year')::int, charges, senior]) FROM survival.customer;
SELECT pg_temp.near(pg_temp.number(m, key, place), v, format('cox %s: %s %s', name, key, place)) FROM survival.fit JOIN (VALUES
	('rossi', 'coefficients', 0, -0.37942216649), ('rossi', 'coefficients', 1, -0.05743774268), ('rossi', 'coefficients', 2, 0.31389978784), ('rossi', 'coefficients', 3, -0.14979569767),
	('rossi', 'coefficients', 4, -0.43370387794), ('rossi', 'coefficients', 5, -0.0848710825), ('rossi', 'coefficients', 6, 0.09149708099),
	('rossi', 'standard_errors', 0, 0.19137948), ('rossi', 'standard_errors', 1, 0.02199947), ('rossi', 'standard_errors', 4, 0.38186806), ('rossi', 'standard_errors', 6, 0.02864855),
	('rossi', 'robust_standard_errors', 0, 0.1955417789820), ('rossi', 'robust_standard_errors', 1, 0.0253361462640), ('rossi', 'robust_standard_errors', 6, 0.0289745946316),
	('rossi', 'log_likelihood', NULL, -658.7476594), ('rossi', 'null_log_likelihood', NULL, -675.3806323), ('rossi', 'concordance', NULL, 0.6403292471),
	('rossi, breslow', 'coefficients', 0, -0.37902188743), ('rossi, breslow', 'robust_standard_errors', 0, 0.194687740191),
	('lung', 'rows', NULL, 227), ('lung', 'rows_skipped', NULL, 1), ('lung', 'coefficients', 0, 0.01106676456), ('lung', 'coefficients', 1, -0.5526123957), ('lung', 'coefficients', 2, 0.4637284754),
	('lung', 'standard_errors', 0, 0.009267411), ('lung', 'standard_errors', 1, 0.167739054), ('lung', 'standard_errors', 2, 0.113577266),
	('lung', 'robust_standard_errors', 0, 0.00988139278009), ('lung', 'robust_standard_errors', 1, 0.16474842795208), ('lung', 'robust_standard_errors', 2, 0.12415884861318),
	('lung', 'log_likelihood', NULL, -729.2301214), ('lung', 'concordance', NULL, 0.637135493),
	('remission', 'coefficients', 0, -1.572125149), ('remission', 'standard_errors', 0, 0.4123967177), ('remission, breslow', 'coefficients', 0, -1.509191413),
	('remission, breslow', 'log_likelihood', NULL, -86.37962207),
	('telco', 'coefficients', 0, -2.187104783), ('telco', 'coefficients', 1, -4.217438216), ('telco', 'coefficients', 2, 0.0001342956), ('telco', 'coefficients', 3, 0.0227685688),
	('telco', 'standard_errors', 0, 0.08386627), ('telco', 'standard_errors', 1, 0.15725705), ('telco', 'log_likelihood', NULL, -14343.45612), ('telco', 'null_log_likelihood', NULL, -15653.03964),
	('telco', 'concordance', NULL, 0.7632405028)) p (name, key, place, v) USING (name);
-- how sure concordance is, and by how much one model is better, as R's concordance (infinitesimal jackknife)
SELECT pg_temp.near((c[3] - c[2]) / 2 / 1.959963984540054, 0.0250679738531, 'lung: standard error of concordance') FROM (SELECT crm.concordance_interval_agg(time_days, event = 1, crm.predict(m, ARRAY[age, (sex = 'female')::int, ph_ecog])) AS c
	FROM survival.lung, survival.fit WHERE name = 'lung' AND ph_ecog IS NOT NULL) s;
WITH less AS (SELECT crm.cox_fit(time_weeks, event = 1, ARRAY[fin, age]) AS l FROM survival.rossi)
SELECT pg_temp.near((c[3] - c[2]) / 2 / 1.959963984540054, 0.0266581227726, 'rossi: standard error of concordance'), pg_temp.near(g[1], 0.640329247100 - 0.611936968672, 'rossi: what five more features win'),
	pg_temp.near(g[2], 0.0176997769487, 'rossi: standard error of that')
FROM (SELECT crm.concordance_interval_agg(time_weeks, event = 1, full_risk) AS c, crm.concordance_gain_agg(time_weeks, event = 1, risk, full_risk) AS g
	FROM (SELECT time_weeks, event, crm.predict(m, ARRAY[fin, age, race, wexp, mar, paro, prio]) AS full_risk, crm.predict(l, ARRAY[fin, age]) AS risk FROM survival.rossi, survival.fit, less WHERE name = 'rossi') r) s;
-- its baseline, as R's basehaz with centered = TRUE, which leaves features of 0 and 1 at 0
SELECT pg_temp.near(-ln(crm.survival_probability(m, ARRAY[62.45814977974, 0, 0.95154185022], t)), v, 'cox lung: hazard until ' || t) FROM survival.fit,
	(VALUES (5, 0.0049337749669), (11, 0.0198546081528), (12, 0.0248900831535), (1022, 3.71018260479)) p (t, v) WHERE name = 'lung';
\ir lib/report.sql
