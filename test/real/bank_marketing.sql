-- 45,211 customers of a bank (UCI Bank Marketing; Moro, Cortez, Rita) as a
-- population with tags of all five kinds.  Each tag's customers are compared,
-- one by one, with plain SQL over the raw table that says the same in other words.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/scoring/bank_marketing.csv.gz
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - bank marketing # skip no data/scoring/bank_marketing.csv.gz'
	\quit
\endif

CREATE SCHEMA marketing;
CREATE TABLE marketing.raw (
	id int PRIMARY KEY, age int, job text, marital text, education text, in_default text, balance int, housing text, loan text,
	contact text, contact_day int, contact_month text, duration_s int, campaign int, pdays int, previous int, poutcome text, subscribed int
);
\copy marketing.raw FROM PROGRAM 'zcat "$CRM_FILE"' (FORMAT csv, HEADER)
ANALYZE marketing.raw;

SELECT pg_temp.same(count(*), 45211::bigint, 'rows of the file') FROM marketing.raw;
SELECT pg_temp.same(sum(subscribed), 5289::bigint, 'published: positive answers') FROM marketing.raw;
SELECT pg_temp.same(round(avg(balance), 2), 1362.27, 'published: mean balance') FROM marketing.raw;

-- The file is in time order from May 2008 on, without a year: one begins where the month falls back.
CREATE TABLE marketing.customer AS
SELECT id::bigint AS customer_id, age, job, marital, education, in_default = 'yes' AS in_default, balance::numeric(12,2) AS balance,
	   housing = 'yes' AS housing, loan = 'yes' AS loan, nullif(contact, 'unknown') AS contact,
	   make_date(2008 + sum((month_no < before)::int) OVER (ORDER BY id)::int, month_no, contact_day) AS contacted_on,
	   duration_s * interval '1 second' AS duration, campaign::smallint AS campaign,
	   nullif(pdays, -1) AS days_before, previous, nullif(poutcome, 'unknown') AS outcome_before, subscribed = 1 AS subscribed
FROM (SELECT *, coalesce(lag(month_no) OVER (ORDER BY id), 1) AS before
	  FROM (SELECT *, array_position(ARRAY['jan','feb','mar','apr','may','jun','jul','aug','sep','oct','nov','dec'], contact_month) AS month_no
			FROM marketing.raw) AS numbered) AS lagged;
ALTER TABLE marketing.customer ADD PRIMARY KEY (customer_id);
ANALYZE marketing.customer;
SELECT pg_temp.same(max(contacted_on) >= '2010-11-01' AND max(contacted_on) < '2010-12-01', true, 'published: the last call is of November 2010')
FROM marketing.customer;

SELECT crm.create_population('marketing', 'marketing.customer', 'customer_id') \g /dev/null

-- rule: what the extension is told, over marketing.customer.  plain: the same thing over the raw file.
CREATE TEMP TABLE expectation (name text PRIMARY KEY, kind text, rule text, plain text, is_text boolean);
INSERT INTO expectation VALUES
	('young', 'base', 'age < 30', 'age BETWEEN 0 AND 29', false),
	('middle_aged', 'base', 'age BETWEEN 40 AND 59', 'age / 10 IN (4, 5)', false),
	('senior', 'base', 'age >= 60', 'NOT age < 60', false),
	('age_band', 'base', $$CASE WHEN age < 30 THEN 'to 29' WHEN age < 45 THEN '30-44' WHEN age < 60 THEN '45-59' ELSE '60+' END$$,
	 $$(ARRAY['to 29', '30-44', '45-59', '60+'])[1 + (age > 29)::int + (age > 44)::int + (age > 59)::int]$$, true),
	('job', 'base', 'job', 'job', true),
	('known_job', 'base', $$nullif(job, 'unknown')$$, $$CASE WHEN job <> 'unknown' THEN job END$$, true),
	('marital', 'base', 'marital', 'marital', true),
	('education', 'base', $$CASE education WHEN 'primary' THEN 'school' WHEN 'secondary' THEN 'school' WHEN 'tertiary' THEN 'university' END$$,
	 $$(SELECT v FROM (VALUES ('primary', 'school'), ('secondary', 'school'), ('tertiary', 'university')) AS m (k, v) WHERE k = education)$$, true),
	('works_for_himself', 'base', $$job IN ('self-employed', 'entrepreneur')$$, $$job LIKE '%self%' OR job LIKE 'entre%'$$, false),
	('white_collar', 'base', $$job = ANY ('{management,admin.,technician}')$$, $$job = 'management' OR job = 'admin.' OR job = 'technician'$$, false),
	('no_income', 'base', $$job IN ('student', 'unemployed', 'retired')$$, $$strpos('student unemployed retired', job) > 0$$, false),
	('in_default', 'base', 'in_default', $$in_default = 'yes'$$, false),
	('overdrawn', 'base', 'balance < 0', 'sign(balance) = -1', false),
	('balance_zero', 'base', 'balance = 0', 'NOT (balance <> 0)', false),
	('rich', 'base', 'balance >= 10000', 'balance > 9999', false),
	('wealth', 'base', $$CASE WHEN balance < 0 THEN 'debt' WHEN balance < 1000 THEN 'low' WHEN balance < 10000 THEN 'some' ELSE 'high' END$$,
	 $$(ARRAY['debt', 'low', 'some', 'high'])[1 + width_bucket(balance, ARRAY[0, 1000, 10000])]$$, true),
	('余额充足', 'base', 'balance > 5000', 'balance >= 5001', false),

	('called_within_180_days', 'timeliness', $$contacted_on >= (as_of - interval '180 days')::date$$,
	 $$id > 43838 AND NOT (contact_month = 'jun' AND contact_day < 3)$$, false),
	('called_in_2008', 'timeliness', $$contacted_on < DATE '2009-01-01'$$, 'id < 27730', false),
	('called_in_summer', 'timeliness', $$extract(month FROM contacted_on) BETWEEN 6 AND 8$$, $$contact_month IN ('jun', 'jul', 'aug')$$, false),
	('quarter', 'timeliness', $$'Q' || extract(quarter FROM contacted_on)$$,
	 $$CASE WHEN contact_month IN ('jan', 'feb', 'mar') THEN 'Q1' WHEN contact_month IN ('apr', 'may', 'jun') THEN 'Q2'
			WHEN contact_month IN ('jul', 'aug', 'sep') THEN 'Q3' ELSE 'Q4' END$$, true),
	('month_end', 'timeliness', 'extract(day FROM contacted_on) > 25', 'contact_day >= 26', false),
	('met_before', 'timeliness', 'days_before IS NOT NULL', 'pdays >= 0', false),
	('never_met', 'timeliness', 'days_before IS NULL', 'pdays = -1', false),
	('met_within_90_days', 'timeliness', 'days_before <= 90', 'pdays <= 90 AND pdays > -1', false),
	('met_long_ago', 'timeliness', 'days_before NOT BETWEEN 0 AND 365', 'pdays > 365', false),
	('last_success_fresh', 'timeliness', $$outcome_before = 'success' AND days_before < 100$$,
	 $$(poutcome, pdays >= 100) = ('success', false)$$, false),

	('house_and_loan', 'correlation', 'housing AND loan', $$housing || loan = 'yesyes'$$, false),
	('free_of_debt', 'correlation', 'NOT housing AND NOT loan AND balance > 0', $$concat(housing, loan) = 'nono' AND balance >= 1$$, false),
	('debt', 'correlation', $$CASE WHEN housing AND loan THEN 'both' WHEN housing THEN 'house' WHEN loan THEN 'loan' END$$,
	 $$CASE concat(left(housing, 1), left(loan, 1)) WHEN 'yy' THEN 'both' WHEN 'yn' THEN 'house' WHEN 'ny' THEN 'loan' END$$, true),
	('student_or_single', 'correlation', $$job = 'student' OR marital = 'single'$$, $$NOT (job <> 'student' AND marital <> 'single')$$, false),
	('married_owner', 'correlation', $$marital = 'married' AND housing IS TRUE$$, $$marital LIKE 'marr%' AND housing LIKE 'y%'$$, false),
	('poor_with_loan', 'correlation', '(loan AND balance < 100) OR in_default',
	 $$in_default = 'yes' OR CASE WHEN loan = 'yes' THEN balance <= 99 ELSE false END$$, false),
	('academic_without_debt', 'correlation', $$education = 'tertiary' AND NOT (housing OR loan OR in_default)$$,
	 $$education = 'tertiary' AND 'yes' NOT IN (housing, loan, in_default)$$, false),

	('responds_again', 'predictive', $$outcome_before = 'success'$$, $$poutcome = 'success'$$, false),
	('refused_before', 'predictive', $$outcome_before <> 'success'$$, $$poutcome IN ('failure', 'other')$$, false),
	('risk', 'predictive', $$CASE WHEN in_default THEN 'high' WHEN balance < 0 AND loan THEN 'high' WHEN balance < 0 OR loan THEN 'middle' ELSE 'low' END$$,
	 $$CASE WHEN in_default = 'yes' THEN 'high'
			ELSE (ARRAY['low', 'middle', 'high'])[1 + (balance < 0)::int + (loan = 'yes')::int] END$$, true),
	('likely', 'predictive', $$(CASE WHEN age < 25 OR age > 60 THEN 1 ELSE 0 END + CASE WHEN NOT housing THEN 1 ELSE 0 END
							   + CASE WHEN outcome_before = 'success' THEN 3 ELSE 0 END) >= 2$$,
	 $$(age NOT BETWEEN 25 AND 60)::int + (housing = 'no')::int + 3 * (poutcome = 'success')::int > 1$$, false),
	('deposit_candidate', 'predictive', 'balance > 2 * (age * 50) AND NOT loan AND (days_before IS NULL OR previous < 3)',
	 $$balance - 100 * age > 0 AND loan = 'no' AND (pdays < 0 OR previous IN (0, 1, 2))$$, false),
	('subscribed', 'predictive', 'subscribed', 'subscribed <> 0', false),

	('prefers_mobile', 'personality', $$contact = 'cellular'$$, $$contact LIKE 'cell%'$$, false),
	('渠道', 'personality', 'contact', $$nullif(contact, 'unknown')$$, true),
	('patient', 'personality', $$duration > interval '10 minutes'$$, 'duration_s > 600', false),
	('short_spoken', 'personality', $$duration < interval '1 minute'$$, 'duration_s BETWEEN 0 AND 59', false),
	('often_called', 'personality', 'campaign >= 5', 'campaign NOT IN (1, 2, 3, 4)', false),
	('call_count', 'personality', $$CASE WHEN campaign = 1 THEN 'once' WHEN campaign <= 3 THEN 'a few times' ELSE 'often' END$$,
	 $$CASE WHEN campaign > 3 THEN 'often' WHEN campaign > 1 THEN 'a few times' ELSE 'once' END$$, true),
	('Talks "A Lot"', 'personality', $$duration >= interval '20 minutes' OR previous > 10$$, '1200 <= duration_s OR 11 <= previous', false),
	('nobody', 'personality', 'age > 200', 'false', false);

SELECT pg_temp.note(count(*) >= 40 AND count(DISTINCT kind) = 5, format('%s tags of %s kinds', count(*), count(DISTINCT kind))) FROM expectation;
SELECT crm.create_tag(name, rule, kind, 'marketing') FROM expectation ORDER BY name \g /dev/null

CREATE TEMP TABLE refreshed AS
SELECT * FROM crm.refresh_tags('marketing', as_of => '2010-11-30 00:00:00+00', columns => 'today');

-- Plain SQL's answer: one row per tag, value and customer; a boolean tag's value is NULL.
CREATE TEMP TABLE plain (name text, value text, id bigint);
DO $$
DECLARE
	e record;
BEGIN
	FOR e IN SELECT * FROM expectation LOOP
		IF e.is_text THEN
			EXECUTE format('INSERT INTO plain SELECT %L, v, id FROM (SELECT id, (%s) AS v FROM marketing.raw) AS r WHERE v IS NOT NULL', e.name, e.plain);
		ELSE
			EXECUTE format('INSERT INTO plain SELECT %L, NULL, id FROM marketing.raw WHERE %s', e.name, e.plain);
		END IF;
	END LOOP;
END
$$;
ANALYZE plain;

-- Every set, member by member, both ways.
CREATE TEMP TABLE found AS
SELECT e.name, v.value, crm.members(crm.tag(e.name, v.value, 'marketing')) AS id
FROM expectation AS e, 
	 LATERAL (SELECT value FROM plain WHERE plain.name = e.name UNION SELECT NULL WHERE NOT is_text) AS v;
ANALYZE found;
SELECT pg_temp.same_rows(format('SELECT value, id FROM found WHERE name = %L', name), format('SELECT value, id FROM plain WHERE name = %L', name),
						 'customers of tag ' || name)
FROM expectation ORDER BY name;

-- What refresh_tags reported; a tag that nobody has is reported too.
SELECT pg_temp.same_rows(
	'SELECT tag, value, members FROM refreshed WHERE members > 0',
	'SELECT name, value, count(*) FROM plain GROUP BY name, value', 'members that refresh_tags reports');
SELECT pg_temp.note(bool_and(entered = members AND exited = 0), 'at the first refresh everybody entered, nobody exited') FROM refreshed;
SELECT pg_temp.same(sum(members)::bigint, 0::bigint, 'a tag that nobody has') FROM refreshed WHERE tag = 'nobody';

-- Segments.
CREATE TEMP TABLE segment_expectation (expression text, plain text);
INSERT INTO segment_expectation VALUES
	('rich & senior', 'balance >= 10000 AND age >= 60'),
	('rich | senior', 'balance >= 10000 OR age >= 60'),
	('rich - senior', 'balance >= 10000 AND age < 60'),
	('!married_owner', $$NOT (marital = 'married' AND housing = 'yes')$$),
	('job = "management" & debt = "both"', $$job = 'management' AND housing = 'yes' AND loan = 'yes'$$),
	('(young | senior) & prefers_mobile - often_called', $$(age < 30 OR age >= 60) AND contact = 'cellular' AND campaign < 5$$),
	('!(young | senior) & 余额充足', 'age BETWEEN 30 AND 59 AND balance > 5000'),
	('"Talks ""A Lot""" & !subscribed', '(duration_s >= 1200 OR previous > 10) AND subscribed = 0'),
	('渠道 = "telephone" & wealth = "debt"', $$contact = 'telephone' AND balance < 0$$),
	('risk = "high" & risk = "low"', 'false'),
	('risk = "high" | risk = "middle" | risk = "low"', 'true'),
	('young & senior', 'false'),
	('never_met & met_before', 'false'),
	('nobody | rich & nobody', 'false');
SELECT pg_temp.same_rows(
	format('SELECT members::int FROM crm.members(crm.segment(%L, ''marketing'')) AS members', expression),
	format('SELECT id FROM marketing.raw WHERE %s', plain), 'segment ' || expression)
FROM segment_expectation;

-- Audiences as values.
SELECT pg_temp.same_rows(
	$$SELECT crm.members((crm.tag('rich', NULL, 'marketing') & crm.tag('senior', NULL, 'marketing')) # crm.audience_agg(customer_id))
	  FROM marketing.customer WHERE age < 21$$,
	'SELECT id::bigint FROM marketing.raw WHERE (balance >= 10000 AND age >= 60) <> (age < 21)', 'symmetric difference with an audience built from rows');
SELECT pg_temp.same(crm.and_cardinality(crm.tag('young', NULL, 'marketing'), crm.tag('subscribed', NULL, 'marketing')), count(*),
					'and_cardinality') FROM marketing.raw WHERE age < 30 AND subscribed = 1;
SELECT pg_temp.same(
	(SELECT sum(balance) FROM marketing.customer WHERE customer_id <@ crm.segment('young & subscribed', 'marketing')),
	(SELECT sum(balance)::numeric FROM marketing.raw WHERE age < 30 AND subscribed = 1), 'rows filtered by a segment');

-- One customer's tags, against everything plain SQL knows of him.
SELECT pg_temp.same_rows(
	$$SELECT c.id, t.tag, t.value FROM marketing.raw AS c, crm.tags_of(c.id::bigint, 'marketing') AS t WHERE c.id % 900 = 1$$,
	'SELECT id::int, name, value FROM plain WHERE id % 900 = 1', 'tags_of fifty customers');
SELECT pg_temp.same_rows(
	$$SELECT customer::bigint, tag, value FROM crm.customer_tag_long WHERE population = 'marketing'$$,
	'SELECT id, name, value FROM plain', 'the view customer_tag_long');

-- Keys are their own ids here.
SELECT pg_temp.same(crm.customer_id(4711::bigint, 'marketing'), 4711::bigint, 'customer_id');
SELECT pg_temp.same_rows(
	$$SELECT k::bigint FROM crm.member_keys(crm.segment('rich & senior', 'marketing'), 'marketing') AS k$$,
	'SELECT id::bigint FROM marketing.raw WHERE balance >= 10000 AND age >= 60', 'member_keys');

-- preview_tag says beforehand what a refresh will find.
SELECT pg_temp.same_rows(
	$$SELECT value, members FROM crm.preview_tag('CASE WHEN in_default THEN ''high'' WHEN balance < 0 AND loan THEN ''high'' WHEN balance < 0 OR loan THEN ''middle'' ELSE ''low'' END', 'marketing')$$,
	$$SELECT value, count(*) FROM plain WHERE name = 'risk' GROUP BY value$$, 'preview_tag');

-- A second refresh after changes: who entered and who left.
UPDATE marketing.customer SET balance = -balance, age = age + 1;
UPDATE marketing.raw SET balance = -balance, age = age + 1;
DELETE FROM marketing.customer WHERE customer_id % 11 = 0;
DELETE FROM marketing.raw WHERE id % 11 = 0;
INSERT INTO marketing.customer (customer_id, age, job, marital, balance) VALUES (99999999, 25, 'pilot', 'single', 20000);
INSERT INTO marketing.raw (id, age, job, marital, balance) VALUES (99999999, 25, 'pilot', 'single', 20000);
CREATE TEMP TABLE refreshed_again AS SELECT * FROM crm.refresh_tags('marketing', as_of => '2010-11-30 00:00:00+00', columns => 'today');
CREATE TEMP TABLE plain_again (name text, value text, id bigint);
DO $$
DECLARE
	e record;
BEGIN
	FOR e IN SELECT * FROM expectation WHERE name IN ('rich', 'senior', 'overdrawn', 'job', 'wealth', 'marital', 'young') LOOP
		IF e.is_text THEN
			EXECUTE format('INSERT INTO plain_again SELECT %L, v, id FROM (SELECT id, (%s) AS v FROM marketing.raw) AS r WHERE v IS NOT NULL', e.name, e.plain);
		ELSE
			EXECUTE format('INSERT INTO plain_again SELECT %L, NULL, id FROM marketing.raw WHERE %s', e.name, e.plain);
		END IF;
	END LOOP;
END
$$;
SELECT pg_temp.same_rows(
	$$SELECT tag, value, members, entered, exited FROM refreshed_again
	  WHERE tag IN ('rich', 'senior', 'overdrawn', 'job', 'wealth', 'marital', 'young')$$,
	$$SELECT coalesce(a.name, b.name) AS tag, coalesce(a.value, b.value) AS val,
			 count(a.id), count(a.id) FILTER (WHERE b.id IS NULL), count(b.id) FILTER (WHERE a.id IS NULL)
	  FROM plain_again AS a
	  FULL JOIN (SELECT * FROM plain WHERE name IN (SELECT name FROM plain_again)) AS b
		   ON a.name = b.name AND a.id = b.id AND coalesce(a.value, '') = coalesce(b.value, '')
	  GROUP BY tag, val$$, 'members, entered and exited after changes');

\ir lib/report.sql
