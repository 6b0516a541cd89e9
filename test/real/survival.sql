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
\ir lib/report.sql
