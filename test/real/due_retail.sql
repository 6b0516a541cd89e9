-- A year of a wholesaler's invoices (UCI Online Retail), lived through in steps of
-- four days and seven hours: only customers who are due are evaluated again, and
-- everybody has to stand where plain SQL over the invoices puts him, each time.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/behavior/online_retail.csv.gz
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - customers due by the clock # skip no data/behavior/online_retail.csv.gz'
	\quit
\endif

CREATE SCHEMA retail;
CREATE TABLE retail.line (
	invoice_no text, stock_code text, description text, quantity int, invoice_ts timestamp, unit_price numeric, customer_id bigint, country text
);
\copy retail.line FROM PROGRAM 'zcat "$CRM_FILE"' (FORMAT csv, HEADER)
CREATE TABLE retail.invoice AS
SELECT invoice_no, customer_id, min(invoice_ts) AT TIME ZONE 'Europe/London' AS ts
FROM retail.line WHERE customer_id IS NOT NULL AND invoice_no NOT LIKE 'C%' AND quantity > 0 AND unit_price > 0 GROUP BY invoice_no, customer_id;
CREATE INDEX ON retail.invoice (customer_id, ts);
ANALYZE retail.invoice;
-- The whole year's events: those to come are in the future for most of the time.
CREATE TABLE retail.history AS
SELECT customer_id AS id, crm.timeline_agg(ts, 'invoice') AS events FROM retail.invoice GROUP BY customer_id;

CREATE TABLE retail.held (id bigint PRIMARY KEY, holds boolean[], due timestamptz);
INSERT INTO retail.held SELECT id, NULL, '-infinity' FROM retail.history;
CREATE TABLE retail.step (at timestamptz, evaluated bigint, wrong bigint, by_clock bigint);

SET timezone = 'Europe/London';
DO $$
DECLARE
	rules CONSTANT text[] := ARRAY[
		'crm.event_count($2, NULL, $1 - interval ''30 days'') >= 2',
		'crm.event_count($2, NULL, $1 - interval ''90 days'') = 0',
		'crm.last_event($2) < $1 - interval ''2 months''',
		'crm.active_days($2, NULL, date_trunc(''month'', $1), NULL, ''Europe/London'') >= 2',
		'$1::date - crm.first_event($2)::date > 100'];
	now timestamptz;
	touched bigint;
	changed bigint;
	differing bigint;
BEGIN
	FOR now IN SELECT generate_series(timestamptz '2011-01-03 02:00', '2011-12-10', interval '4 days 7 hours') LOOP
		WITH cut AS MATERIALIZED (
			SELECT id, h.holds AS before, crm.timeline_slice(events, NULL, now + interval '1 us') AS t, crm.first_event(events, NULL, now + interval '1 us') AS next
			FROM retail.held h JOIN retail.history USING (id) WHERE h.due <= now),
		evaluated AS MATERIALIZED (
			SELECT id, before, ARRAY[crm.event_count(t, NULL, now - interval '30 days') >= 2, crm.event_count(t, NULL, now - interval '90 days') = 0,
				crm.last_event(t) < now - interval '2 months', crm.active_days(t, NULL, date_trunc('month', now), NULL, 'Europe/London') >= 2,
				now::date - crm.first_event(t)::date > 100] AS holds,
				coalesce(crm.tag_due_at('retail.history', rules, '{1}', now, t, next, id), 'infinity') AS due
			FROM cut),
		stored AS (UPDATE retail.held h SET holds = e.holds, due = e.due FROM evaluated e WHERE e.id = h.id)
		SELECT count(*), count(*) FILTER (WHERE holds IS DISTINCT FROM before) INTO touched, changed FROM evaluated;

		SELECT count(*) INTO differing FROM retail.held h LEFT JOIN (
			SELECT customer_id, count(*) FILTER (WHERE ts >= now - interval '30 days') AS month, count(*) FILTER (WHERE ts >= now - interval '90 days') AS quarter,
				max(ts) AS last, min(ts) AS first, count(DISTINCT ts::date) FILTER (WHERE ts >= date_trunc('month', now)) AS days
			FROM retail.invoice WHERE ts <= now GROUP BY customer_id) i ON i.customer_id = h.id
		WHERE h.holds IS DISTINCT FROM ARRAY[coalesce(month, 0) >= 2, coalesce(quarter, 0) = 0, last < now - interval '2 months', coalesce(days, 0) >= 2, now::date - first::date > 100];
		INSERT INTO retail.step VALUES (now, touched, differing, changed);
	END LOOP;
END $$;

SELECT pg_temp.same(sum(wrong)::bigint, 0::bigint, format('%s times 4,338 customers of five tags, as plain SQL has them', count(*))) FROM retail.step;
SELECT pg_temp.note(min(by_clock) > 0, 'some change at every time') FROM retail.step;
SELECT pg_temp.note(sum(evaluated) < 0.5 * count(*) * 4338, format('of those only %s %% had to be evaluated', round(100.0 * sum(evaluated) / count(*) / 4338))) FROM retail.step;
\ir lib/report.sql
