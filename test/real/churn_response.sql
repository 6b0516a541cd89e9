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
\ir lib/report.sql
