-- Churn of a telephone company (IBM's Telco data) and response to a bank's calls (UCI Bank Marketing; Moro, Cortez,
-- Rita): maximum likelihood against R and statsmodels.
\ir lib/tally.sql
\setenv CRM_FOLDER :shared/data/scoring
\set absent `cd "$CRM_FOLDER" 2>/dev/null && test -r telco_churn.csv -a -r bank_marketing.csv.gz && echo false || echo true`
\if :absent
	\echo 'ok - churn and response # skip no data/scoring/telco_churn.csv or bank_marketing.csv.gz'
	\quit
\endif

CREATE TABLE telco (id int, customer_id text, gender text, senior_citizen int, partner text, dependents text, tenure_months int, phone_service text,
	multiple_lines text, internet_service text, online_security text, online_backup text, device_protection text, tech_support text,
	streaming_tv text, streaming_movies text, contract text, paperless_billing text, payment_method text, monthly_charges float8,
	total_charges float8, churn int);
\copy telco FROM PROGRAM 'cat "$CRM_FOLDER/telco_churn.csv"' (FORMAT csv, HEADER)
CREATE TABLE bank (id int, age int, job text, marital text, education text, in_default text, balance float8, housing text, loan text, contact text,
	contact_day int, contact_month text, duration_s int, campaign int, pdays int, previous int, poutcome text, subscribed int);
\copy bank FROM PROGRAM 'zcat "$CRM_FOLDER/bank_marketing.csv.gz"' (FORMAT csv, HEADER)
SELECT pg_temp.same(count(*)::text || ' ' || sum(churn), '7043 1869', 'Telco: customers, churned') FROM telco;
SELECT pg_temp.same(count(*)::text || ' ' || sum(subscribed), '45211 5289', 'bank: calls, subscribed') FROM bank;

-- Is each number of a model within 1e-6 of the published one?
CREATE FUNCTION pg_temp.near(params jsonb, coefficients float8[], errors float8[], log_likelihood float8, null_log_likelihood float8, name text) RETURNS void
LANGUAGE sql AS $$
	SELECT pg_temp.note(bool_and(abs(found / expected - 1) < 1e-6), name || ', ' || count(expected) || ' numbers, largest relative error ' || max(abs(found / expected - 1)))
	FROM (SELECT (params ->> 'intercept')::float8 AS found, coefficients[1] AS expected
		UNION ALL SELECT (params ->> 'intercept_standard_error')::float8, errors[1]
		UNION ALL SELECT (params -> 'coefficients' ->> (i - 2))::float8, coefficients[i] FROM generate_series(2, cardinality(coefficients)) AS i
		UNION ALL SELECT (params -> 'standard_errors' ->> (i - 2))::float8, errors[i] FROM generate_series(2, cardinality(errors)) AS i
		UNION ALL SELECT (params ->> 'log_likelihood')::float8, log_likelihood
		UNION ALL SELECT (params ->> 'null_log_likelihood')::float8, null_log_likelihood) s
$$;

CREATE TABLE exact AS
SELECT 'telco' AS data, crm.logistic_fit(churn = 1, ARRAY[tenure_months, monthly_charges, (contract = 'One year')::int, (contract = 'Two year')::int,
	(internet_service = 'Fiber optic')::int, senior_citizen]) AS m FROM telco
UNION ALL SELECT 'bank', crm.logistic_fit(subscribed = 1, ARRAY[age, duration_s / 60.0, campaign, previous, (housing = 'yes')::int, (loan = 'yes')::int,
	(poutcome = 'success')::int]) FROM bank;
SELECT pg_temp.near(crm.model_params(m), ARRAY[-1.265043466, -0.03517122993, 0.01621819736, -0.9159046933, -1.801811877, 0.7068312839, 0.4159659845],
	ARRAY[0.10349434, 0.0020800092, 0.0022799314, 0.10216383, 0.16776687, 0.1179045, 0.081023164], -3037.99869411, -4075.07294955, 'R: churn by six features')
FROM exact WHERE data = 'telco';
SELECT pg_temp.near(crm.model_params(m), ARRAY[-2.585139388, -0.003465958179, 0.2343662398, -0.1212284351, 0.07351847526, -1.034826038, -0.6391178831, 2.612717843],
	ARRAY[0.075718941, 0.001536617, 0.0036102647, 0.009756617, 0.0075465251, 0.036615828, 0.056838207, 0.064139526], -11831.31936087, -16315.47726835,
	'R: response by seven features')
FROM exact WHERE data = 'bank';

-- All columns, one column for each text value but the first: the training rows' likelihood.
CREATE TABLE telco_wide AS
SELECT id, churn = 1 AS label, ARRAY[senior_citizen, tenure_months, monthly_charges, coalesce(total_charges, 0)] ||
	(SELECT array_agg((value = level)::int::float8 ORDER BY column_name, level) FROM (
		SELECT column_name, level, to_jsonb(t) ->> column_name AS value, row_number() OVER (PARTITION BY column_name ORDER BY level COLLATE "C") AS n
		FROM (SELECT DISTINCT key AS column_name, value AS level FROM telco, jsonb_each_text(to_jsonb(telco) - '{id,customer_id,churn,senior_citizen,tenure_months,monthly_charges,total_charges}'::text[])) l) x
	WHERE n > 1) AS features
FROM telco AS t;
SELECT pg_temp.same(max(cardinality(features)), 30, 'Telco: 30 features') FROM telco_wide;
CREATE TABLE full_model AS SELECT crm.logistic_fit(label, features) AS m FROM telco_wide WHERE id % 5 <> 0;
SELECT pg_temp.note(abs((crm.model_params(m) ->> 'log_likelihood')::float8 + 2310.501) < 0.001, 'sklearn: log-likelihood with all columns, '
	|| (crm.model_params(m) ->> 'log_likelihood') || ', collinear ' || coalesce(crm.model_params(m) ->> 'collinear_features', 'none')) FROM full_model;

-- Held-out rows (id % 5 = 0): what sklearn reaches without penalty.
CREATE TABLE telco_scored AS SELECT label, crm.predict(m, features) AS score FROM telco_wide, full_model WHERE id % 5 = 0;
SELECT pg_temp.same(round(crm.auc_agg(label, score)::numeric, 4)::text || ' ' || round(crm.ks_agg(label, score)::numeric, 4) || ' ' || round(crm.log_loss_agg(label, score)::numeric, 4)
	|| ' ' || round(crm.brier_agg(label, score)::numeric, 4), '0.8379 0.5291 0.4304 0.1379', 'sklearn: AUC, KS, log loss, Brier of churn, held out') FROM telco_scored;
SELECT pg_temp.note(abs(lift - 2.900) < 0.0005, 'sklearn: lift of the highest tenth ' || round(lift::numeric, 4))
FROM (SELECT avg(label::int) FILTER (WHERE n <= 140) / avg(label::int) AS lift FROM (SELECT label, row_number() OVER (ORDER BY score DESC) AS n FROM telco_scored) x) y;
SELECT pg_temp.note(abs(t.lift - 2.900) < 0.03 AND t.rows BETWEEN 140 AND 142, 'the gain table says the same') FROM (SELECT crm.gain_table(10, label, score) AS g FROM telco_scored) s, unnest(g) AS t WHERE t.bin = 1;
SELECT pg_temp.note(bool_and(abs(auc - expected) < 0.0001), 'sklearn: AUC of churn in five folds ' || string_agg(round(auc::numeric, 4)::text, ' ' ORDER BY fold))
FROM (SELECT fold, (SELECT crm.auc_agg(label, crm.predict(m, features)) FROM telco_wide WHERE id % 5 = fold) AS auc
	FROM (SELECT fold, crm.logistic_fit(label, features) AS m FROM telco_wide, generate_series(0, 4) AS fold WHERE id % 5 <> fold GROUP BY fold) f) a
	JOIN unnest('{0.8379,0.8357,0.8637,0.8353,0.8546}'::float8[]) WITH ORDINALITY AS e (expected, n) ON fold = n - 1;

-- Single columns as scores, all rows.
SELECT pg_temp.note(abs(crm.auc_agg(label, score) - auc) < 1e-9 AND abs(crm.ks_agg(label, score) - ks) < 1e-9, 'scipy: AUC and KS of ' || name)
FROM (SELECT '-tenure_months' AS name, churn = 1 AS label, -tenure_months::float8 AS score FROM telco UNION ALL SELECT 'monthly_charges', churn = 1, monthly_charges FROM telco
	UNION ALL SELECT '-total_charges', churn = 1, -coalesce(total_charges, 0) FROM telco
	UNION ALL SELECT 'duration_s', subscribed = 1, duration_s FROM bank UNION ALL SELECT 'balance', subscribed = 1, balance FROM bank UNION ALL SELECT 'age', subscribed = 1, age FROM bank) s
	JOIN (VALUES ('-tenure_months', 0.7398671755, 0.3573601224), ('monthly_charges', 0.6207856896, 0.2485989440), ('-total_charges', 0.6503462284, 0.2226159401),
		('duration_s', 0.8075955951, 0.4445324746), ('balance', 0.5900614892, 0.1291051252), ('age', 0.4921447338, 0.0837851621)) AS e (name, auc, ks) USING (name)
GROUP BY name, auc, ks ORDER BY name;
SELECT pg_temp.note(abs(crm.auc_agg(churn = 1, crm.predict(m, ARRAY[tenure_months, monthly_charges, (contract = 'One year')::int, (contract = 'Two year')::int, (internet_service = 'Fiber optic')::int, senior_citizen])) - 0.83196413) < 1e-8
	AND abs(crm.ks_agg(churn = 1, crm.predict(m, ARRAY[tenure_months, monthly_charges, (contract = 'One year')::int, (contract = 'Two year')::int, (internet_service = 'Fiber optic')::int, senior_citizen])) - 0.52090669) < 1e-8,
	'R: AUC and KS of the model of six features') FROM telco, exact WHERE data = 'telco';

-- Naive Bayes and a scorecard on the same columns: no worse than Gaussian naive Bayes, and near the regression; no probability of 0 or 1.
SELECT pg_temp.note(bayes > 0.8052 AND card > 0.83 AND least > 1e-4 AND most < 1 - 1e-4 AND loss < 0.5, format('held out: AUC of naive Bayes %s, scorecard %s; log loss of naive Bayes %s, its scores %s to %s',
	round(bayes::numeric, 4), round(card::numeric, 4), round(loss::numeric, 4), round(least::numeric, 4), round(most::numeric, 4)))
FROM (SELECT crm.auc_agg(label, b) AS bayes, crm.auc_agg(label, c) AS card, crm.log_loss_agg(label, b) AS loss, min(b) AS least, max(b) AS most
	FROM (SELECT label, crm.predict(bayes, features) AS b, crm.predict(card, features) AS c FROM telco_wide,
		(SELECT crm.naive_bayes_fit(label, features) AS bayes, crm.scorecard_fit(label, features) AS card FROM telco_wide WHERE id % 5 <> 0) m WHERE id % 5 = 0) x) y;

-- The bank's calls with all columns: one column for each text value but the first.
CREATE TABLE bank_wide AS
SELECT b.id, subscribed = 1 AS label, ARRAY[age, balance, contact_day, campaign, pdays, previous, duration_s]::float8[] || v.levels AS features
FROM bank b, LATERAL (SELECT array_agg((value = level)::int::float8 ORDER BY column_name, level) AS levels FROM (
		SELECT column_name, level, to_jsonb(b) ->> column_name AS value, row_number() OVER (PARTITION BY column_name ORDER BY level COLLATE "C") AS n
		FROM (VALUES ('job', ARRAY['admin.', 'blue-collar', 'entrepreneur', 'housemaid', 'management', 'retired', 'self-employed', 'services', 'student', 'technician', 'unemployed', 'unknown']),
			('marital', '{divorced,married,single}'), ('education', '{primary,secondary,tertiary,unknown}'), ('in_default', '{no,yes}'), ('housing', '{no,yes}'), ('loan', '{no,yes}'),
			('contact', '{cellular,telephone,unknown}'), ('contact_month', '{apr,aug,dec,feb,jan,jul,jun,mar,may,nov,oct,sep}'), ('poutcome', '{failure,other,success,unknown}')) AS c (column_name, levels), unnest(levels) AS level) x
	WHERE n > 1) AS v;
SELECT pg_temp.note(abs((crm.model_params(m) ->> 'log_likelihood')::float8 + 8583.3834) < 0.001 AND abs(auc - 0.9079) < 0.0001 AND abs(ks - 0.6810) < 0.0002,
	format('sklearn: response with all columns, log-likelihood %s, AUC %s, KS %s', round((crm.model_params(m) ->> 'log_likelihood')::numeric, 4), round(auc::numeric, 4), round(ks::numeric, 4)))
FROM (SELECT crm.logistic_fit(label, features) AS m FROM bank_wide WHERE id % 5 <> 0) f,
	LATERAL (SELECT crm.auc_agg(label, score) AS auc, crm.ks_agg(label, score) AS ks FROM (SELECT label, crm.predict(f.m, features) AS score FROM bank_wide WHERE id % 5 = 0) x) e;
\ir lib/report.sql
