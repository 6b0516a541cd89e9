-- Credit risk on Statlog German credit (UCI, Hofmann; text levels of R's package scorecard): information values and
-- weights of evidence as published by the package; a scorecard on held-out rows.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/scoring/german_credit.csv
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - credit risk # skip no data/scoring/german_credit.csv'
	\quit
\endif

\set columns `head -1 "$CRM_FILE" | tr -d '\r' | sed 's/,/ text, /g; s/$/ text/'`
CREATE TABLE credit (:columns);
\copy credit FROM PROGRAM 'cat "$CRM_FILE"' (FORMAT csv, HEADER)
SELECT pg_temp.same(count(*)::text || ' ' || sum(bad::int), '1000 300', 'applications, bad') FROM credit;

-- Each distinct value one bin.
CREATE TABLE information AS
SELECT key, crm.information_value(bad = '1', value) AS iv FROM credit, jsonb_each_text(to_jsonb(credit) - '{id,bad}'::text[]) GROUP BY key;
SELECT pg_temp.note(abs(iv - expected) < 1e-9, format('R: information value of %s, %s', key, round(iv::numeric, 4)))
FROM (VALUES ('checking_account', 0.6660115034), ('duration_in_month', 0.3345034895), ('credit_history', 0.2932335474), ('age_in_years', 0.2596514229),
	('savings_account_and_bonds', 0.1960095569), ('purpose', 0.1691950657), ('property', 0.1126382624), ('employment_since', 0.0864336310),
	('housing', 0.0832934336), ('other_installment_plans', 0.0576145420), ('personal_status_and_sex', 0.0446706776), ('foreign_worker', 0.0438774120),
	('other_debtors_or_guarantors', 0.0320193220), ('installment_rate_pct', 0.0263220901), ('existing_credits', 0.0132665242), ('job', 0.0087627657),
	('telephone', 0.0063776050), ('residence_since', 0.0035887732), ('people_liable', 0.0000433922)) AS e (key, expected) LEFT JOIN information USING (key);

-- The package's bins of the amount.
SELECT pg_temp.note(abs(w.woe - e.woe) < 1e-8 AND abs(w.iv - e.iv) < 1e-9 AND w.rows = e.rows AND w.positives = e.bad, 'R: weight of evidence of the amount, bin ' || e.bin)
FROM (SELECT crm.woe_table(bad = '1', width_bucket(credit_amount::float8, '{1400,1800,4000,9200}'::float8[])::text) AS t FROM credit) x, unnest(t) AS w
	JOIN (VALUES ('0', 267, 82, 0.03366128, 0.0003045545), ('1', 105, 18, -0.72823850, 0.0468153322), ('2', 382, 95, -0.25830746, 0.0241086966),
	('3', 196, 76, 0.39053946, 0.0319870413), ('4', 50, 29, 1.17007125, 0.0780047502)) AS e (bin, rows, bad, woe, iv) USING (bin);

-- Its bins of age and duration as values; bins that a tree and monotone merging find tell at least as much with as many cuts.
CREATE TABLE published AS SELECT * FROM (VALUES ('age_in_years', crm.make_bins('{26,35,40}'), '{0.528844,0.060465,-0.563689,-0.194156}'::numeric[], 0.1127420816),
	('duration_in_month', crm.make_bins('{8,16,34,44}'), '{-1.312186,-0.346625,0.108688,0.524524,1.134980}', 0.2826180559)) AS p (key, bins, woe, iv);
CREATE TABLE numbers AS SELECT key, value::float8, bad = '1' AS bad FROM credit, jsonb_each_text(to_jsonb(credit)) WHERE key IN ('age_in_years', 'duration_in_month');
SELECT pg_temp.note(bool_and(abs(w.woe - p.woe[r.bin]) < 1e-6) AND count(*) = crm.bin_count(p.bins) AND abs(sum(w.iv) - p.iv) < 1e-9, 'R: weights of evidence of the bins of ' || p.key)
FROM published p, LATERAL (SELECT crm.woe_table(bad, crm.bin_label(value, p.bins)) AS t FROM numbers n WHERE n.key = p.key) x, unnest(x.t) AS w JOIN LATERAL crm.bin_ranges(p.bins) r ON r.label = w.bin GROUP BY p.key, p.bins::text, crm.bin_count(p.bins), p.iv;
CREATE TABLE found AS SELECT key, crm.tree_bins_agg(5, value, bad) AS tree, crm.monotone_bins_agg(5, value, bad) AS monotone FROM numbers GROUP BY key;
SELECT pg_temp.note(crm.information_value(bad, crm.bin_label(value, tree)) > 0.9 * max(iv) * (max(crm.bin_count(tree)) - 1) / (max(crm.bin_count(bins)) - 1), format('%s: a tree cuts at %s, information value %s', key, crm.bin_cuts(tree), round(crm.information_value(bad, crm.bin_label(value, tree))::numeric, 4)))
FROM numbers JOIN found USING (key) JOIN published USING (key) GROUP BY key, tree::text, crm.bin_cuts(tree);
SELECT pg_temp.note(bool_and((rate > previous) = (key = 'duration_in_month') OR previous IS NULL), format('the rate of bad loans %s from bin to bin of %s, cut at %s', CASE key WHEN 'duration_in_month' THEN 'rises' ELSE 'falls' END, key, max(cuts)))
FROM (SELECT key, bin, rate, lag(rate) OVER (PARTITION BY key ORDER BY bin) AS previous, cuts FROM (SELECT key, crm.bin(value, monotone) AS bin, avg(bad::int) AS rate, max(crm.bin_cuts(monotone)::text) AS cuts FROM numbers JOIN found USING (key) GROUP BY 1, 2) b) r GROUP BY key;

-- Scorecard on the training rows; texts by the number of their level.
CREATE TABLE applications AS
SELECT id::int AS id, bad = '1' AS bad, array_agg(CASE WHEN value ~ '^[0-9.]+$' THEN value::float8 ELSE level END ORDER BY key) AS features
FROM credit, jsonb_each_text(to_jsonb(credit) - '{id,bad}'::text[]) AS v (key, value)
	LEFT JOIN (SELECT key, value, row_number() OVER (PARTITION BY key ORDER BY value COLLATE "C")::float8 AS level
		FROM (SELECT DISTINCT key, value FROM credit, jsonb_each_text(to_jsonb(credit) - '{id,bad}'::text[])) d) AS levels USING (key, value)
GROUP BY credit.id, bad;
CREATE TABLE cards AS SELECT crm.scorecard_fit(bad, features) AS card, crm.naive_bayes_fit(bad, features) AS bayes, crm.logistic_fit(bad, features, '{"l2": 0.01}') AS logistic FROM applications WHERE id % 5 <> 0;
SELECT pg_temp.note(auc > 0.74, format('held out: AUC of the scorecard %s', round(auc::numeric, 4))) FROM (SELECT crm.auc_agg(bad, crm.predict(card, features)) AS auc FROM applications, cards WHERE id % 5 = 0) s;
SELECT pg_temp.note(auc > 0.74, format('held out: AUC of naive Bayes %s, log loss %s', round(auc::numeric, 4), round(loss::numeric, 4)))
FROM (SELECT crm.auc_agg(bad, crm.predict(bayes, features)) AS auc, crm.log_loss_agg(bad, crm.predict(bayes, features)) AS loss FROM applications, cards WHERE id % 5 = 0) s;
SELECT pg_temp.note(max(abs(points - (600 - 20 / ln(2.0) * (ln(p / (1 - p)) + ln(50.0))))) < 1e-9, 'points are the log odds, 20 more for each halving')
FROM (SELECT crm.points(card, features) AS points, crm.predict(card, features) AS p FROM applications, cards) s;
\ir lib/report.sql
