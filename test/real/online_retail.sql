-- A year of invoices of a gift wholesaler (UCI Online Retail; Chen, Sain, Guo):
-- RFM scores and segments, audiences of buyers, portraits of five customers,
-- against published totals and plain SQL.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/behavior/online_retail.csv.gz
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - online retail # skip no data/behavior/online_retail.csv.gz'
	\quit
\endif

CREATE SCHEMA retail;
CREATE TABLE retail.line (
	invoice_no text, stock_code text, description text, quantity int, invoice_ts timestamp, unit_price numeric, customer_id bigint, country text
);
\copy retail.line FROM PROGRAM 'zcat "$CRM_FILE"' (FORMAT csv, HEADER)
ANALYZE retail.line;
CREATE VIEW retail.clean AS
SELECT * FROM retail.line WHERE customer_id IS NOT NULL AND invoice_no NOT LIKE 'C%' AND quantity > 0 AND unit_price > 0;
CREATE TABLE retail.invoice AS
SELECT invoice_no, customer_id, min(invoice_ts) AT TIME ZONE 'UTC' AS ts, sum(quantity * unit_price) AS amount
FROM retail.clean GROUP BY invoice_no, customer_id;
CREATE TABLE retail.customer AS
SELECT customer_id, count(*) AS invoices, sum(amount) AS revenue, min(ts) AS first_at, max(ts) AS last_at, country
FROM retail.invoice JOIN (SELECT customer_id, max(country) AS country FROM retail.line GROUP BY customer_id) AS lives USING (customer_id)
GROUP BY customer_id, country;
ALTER TABLE retail.customer ADD PRIMARY KEY (customer_id);

SELECT pg_temp.same(count(*), 541909::bigint, 'published: rows') FROM retail.line;
SELECT pg_temp.same(count(*), 397884::bigint, 'published: clean rows') FROM retail.clean;
SELECT pg_temp.same(count(*), 18532::bigint, 'published: clean invoices') FROM retail.invoice;

-- The totals, through the extension's values.
SELECT pg_temp.same(crm.cardinality(crm.audience_agg(customer_id)), 4338::bigint, 'published: 4,338 customers, as an audience of invoice lines')
FROM retail.clean;
SELECT pg_temp.same(crm.cardinality(crm.audience_agg(customer_id)), 4372::bigint, 'published: 4,372 customers, cancellations included') FROM retail.line;

CREATE TABLE retail.summary AS
SELECT customer_id, crm.rfm_agg(ts, amount::float8) AS s FROM retail.invoice GROUP BY customer_id;
SELECT pg_temp.same(count(*), 4338::bigint, 'rfm_agg: a summary per customer') FROM retail.summary;
SELECT pg_temp.same(sum((s).frequency)::bigint, 18532::bigint, 'rfm_agg: 18,532 invoices') FROM retail.summary;
SELECT pg_temp.same(round(sum((s).monetary)::numeric, 3), 8911407.904, 'rfm_agg: revenue 8,911,407.904') FROM retail.summary;
SELECT pg_temp.same_rows(
	'SELECT customer_id, (s).last_at, (s).frequency, round((s).monetary::numeric, 3) FROM retail.summary',
	'SELECT customer_id, last_at, invoices, round(revenue, 3) FROM retail.customer', 'rfm_agg: every customer');

-- Scores: borders are type-7 quantiles, percentile_cont; a value scores the number of borders below it, plus one.
CREATE TABLE retail.score AS
WITH cuts AS (SELECT crm.rfm_cuts_agg(5, '2011-12-10 00:00:00+00', s) AS cuts FROM retail.summary)
SELECT customer_id, s, crm.rfm_score(s, cuts) AS score FROM retail.summary, cuts;

CREATE TABLE retail.plain_score AS
WITH measured AS (
	SELECT customer_id, revenue::float8 AS m, invoices AS f,
		   floor(extract(epoch FROM timestamptz '2011-12-10 00:00:00+00' - last_at) / 86400)::int AS r
	FROM retail.customer
), border AS (
	SELECT percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY r) AS r,
		   percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY f) AS f,
		   percentile_cont(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY m) AS m
	FROM measured
)
SELECT customer_id,
	   5 - (SELECT count(*) FROM unnest(border.r) AS b WHERE b < measured.r)::int AS r,
	   1 + (SELECT count(*) FROM unnest(border.f) AS b WHERE b < measured.f)::int AS f,
	   1 + (SELECT count(*) FROM unnest(border.m) AS b WHERE b < measured.m)::int AS m
FROM measured, border;

SELECT pg_temp.same_rows('SELECT customer_id, (score).recency, (score).frequency, (score).monetary FROM retail.score',
						 'SELECT customer_id, r, f, m FROM retail.plain_score', 'RFM scores of 4,338 customers');
SELECT pg_temp.same_rows(
	$$SELECT customer_id, crm.rfm_score(s, '2011-12-10 00:00:00+00', 5) OVER () FROM retail.summary$$,
	'SELECT customer_id, score FROM retail.score', 'RFM scores, the window form');
SELECT pg_temp.same((SELECT count(*) FROM retail.score WHERE crm.rfm_segment(score) IS NOT NULL), 4338::bigint, 'everybody is in one segment');
SELECT pg_temp.same_rows(
	'SELECT crm.rfm_segment(score), count(*) FROM retail.score GROUP BY 1',
	'SELECT crm.rfm_segment(r, f, m), count(*) FROM retail.plain_score GROUP BY 1', 'sizes of the segments');

-- The same analysis in pieces: per month, merged, in another order.
SELECT pg_temp.same_rows(
	'SELECT customer_id, (s).last_at, (s).frequency, round((s).monetary::numeric, 3) FROM retail.summary',
	$$SELECT customer_id, (s).last_at, (s).frequency, round((s).monetary::numeric, 3)
	  FROM (SELECT customer_id, crm.rfm_agg(ts, amount::float8 ORDER BY amount DESC) AS s FROM retail.invoice GROUP BY customer_id) AS x$$,
	'rfm_agg does not depend on the order of rows');

-- Audiences of buyers: a set per article and per month, combined.
CREATE TABLE retail.buyers AS
SELECT stock_code, crm.audience_agg(customer_id) AS audience FROM retail.clean GROUP BY stock_code;
SELECT pg_temp.same_rows('SELECT stock_code, crm.cardinality(audience) FROM retail.buyers',
						 'SELECT stock_code, count(DISTINCT customer_id) FROM retail.clean GROUP BY stock_code', 'buyers of each article');
SELECT pg_temp.same_rows(
	$$SELECT a.stock_code, b.stock_code, crm.and_cardinality(a.audience, b.audience)
	  FROM (SELECT * FROM retail.buyers ORDER BY crm.cardinality(audience) DESC, stock_code LIMIT 30) AS a,
		   (SELECT * FROM retail.buyers ORDER BY crm.cardinality(audience) DESC, stock_code LIMIT 30) AS b WHERE a.stock_code < b.stock_code$$,
	$$WITH bought AS (SELECT DISTINCT stock_code, customer_id FROM retail.clean),
		   top AS (SELECT stock_code FROM bought GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 30)
	  SELECT a.stock_code, b.stock_code, count(*) FROM bought AS a JOIN bought AS b USING (customer_id)
	  WHERE a.stock_code < b.stock_code AND a.stock_code IN (TABLE top) AND b.stock_code IN (TABLE top) GROUP BY 1, 2$$,
	'customers who bought both, for 435 pairs of articles');
CREATE TABLE retail.month AS
SELECT date_trunc('month', invoice_ts)::date AS month, crm.audience_agg(customer_id) AS audience
FROM retail.line GROUP BY 1;
SELECT pg_temp.same(crm.cardinality(crm.union_agg(audience)), 4372::bigint, 'union of the months') FROM retail.month;
SELECT pg_temp.same_rows(
	'SELECT customer_id FROM crm.members((SELECT crm.intersect_agg(audience) FROM retail.month)) AS customer_id',
	$$SELECT customer_id FROM retail.line WHERE customer_id IS NOT NULL GROUP BY 1
	  HAVING count(DISTINCT date_trunc('month', invoice_ts)) = 13$$, 'customers of all thirteen months');
-- Published (the table of many cohort tutorials): who came back, of those whose first month was December 2010.
SELECT pg_temp.same(array_agg(crm.and_cardinality(audience, (SELECT audience FROM retail.month WHERE month = '2010-12-01')) ORDER BY month),
					'{948,362,317,367,341,376,360,336,336,374,354,474,260}'::bigint[], 'published: retention of the first cohort')
FROM retail.month WHERE month >= '2010-12-01';

-- A population over the customers, with the RFM segment as a tag.
CREATE VIEW retail.customer_360 AS
SELECT c.*, (score).recency, (score).frequency, (score).monetary, crm.rfm_segment(score) AS segment
FROM retail.customer AS c JOIN retail.score USING (customer_id);
SELECT crm.create_population('retail', 'retail.customer_360', 'customer_id') \g /dev/null
SELECT crm.create_tag(name, rule, kind, 'retail')
FROM (VALUES ('rfm', 'segment', 'personality'), ('country', 'country', 'base'), ('abroad', $$country <> 'United Kingdom'$$, 'base'),
			 ('once', 'invoices = 1', 'base'), ('big_spender', 'revenue >= 10000', 'base'),
			 ('silent', $$last_at < as_of - interval '90 days'$$, 'timeliness'), ('new', $$first_at >= as_of - interval '60 days'$$, 'timeliness'),
			 ('likely_back', 'recency >= 4 AND frequency >= 4', 'predictive'), ('large_orders', 'revenue / invoices > 1000', 'correlation'))
	 AS tag (name, rule, kind) \g /dev/null
CREATE TEMP TABLE refreshed AS
SELECT * FROM crm.refresh_tags('retail', as_of => '2011-12-10 00:00:00+00', columns => 'today');

-- Every tag of every customer, in plain SQL.
CREATE TEMP TABLE plain AS
SELECT customer_id, t.tag, t.value
FROM retail.customer AS c JOIN retail.plain_score AS p USING (customer_id), LATERAL (VALUES
	('rfm', crm.rfm_segment(p.r, p.f, p.m), true),
	('country', c.country, true),
	('abroad', NULL, NOT c.country = 'United Kingdom'),
	('once', NULL, c.first_at = c.last_at AND c.invoices < 2),
	('big_spender', NULL, NOT c.revenue < 10000),
	('silent', NULL, c.last_at < '2011-09-11 00:00:00+00'),
	('new', NULL, c.first_at >= '2011-10-11 00:00:00+00'),
	('likely_back', NULL, least(p.r, p.f) > 3),
	('large_orders', NULL, c.revenue > 1000 * c.invoices)
) AS t (tag, value, has) WHERE t.has;
SELECT pg_temp.same_rows('SELECT tag, value, members FROM refreshed WHERE members > 0',
						 'SELECT tag, value, count(*) FROM plain GROUP BY 1, 2', 'members of every tag');
SELECT pg_temp.same_rows(
	$$SELECT customer_id FROM retail.customer WHERE customer_id <@ crm.segment('rfm = "Champions" & abroad - large_orders', 'retail')$$,
	$$SELECT customer_id FROM plain WHERE tag = 'rfm' AND value = 'Champions'
	  INTERSECT SELECT customer_id FROM plain WHERE tag = 'abroad' EXCEPT SELECT customer_id FROM plain WHERE tag = 'large_orders'$$,
	'a segment that joins RFM and tags');
-- An audience of articles beside the stored tags.
SELECT pg_temp.same(
	crm.cardinality((SELECT audience FROM retail.buyers WHERE stock_code = '85123A') & crm.segment('silent', 'retail')),
	(SELECT count(DISTINCT customer_id) FROM retail.clean JOIN plain USING (customer_id) WHERE stock_code = '85123A' AND tag = 'silent'),
	'silent buyers of one article');

-- Portraits of five customers: the two largest, one of a single invoice, one from abroad, one who came lately.
CREATE TEMP TABLE sitter AS
(SELECT customer_id FROM retail.customer ORDER BY revenue DESC LIMIT 2)
UNION (SELECT customer_id FROM retail.customer WHERE invoices = 1 ORDER BY customer_id LIMIT 1)
UNION (SELECT customer_id FROM retail.customer WHERE country = 'Germany' ORDER BY customer_id LIMIT 1)
UNION (SELECT customer_id FROM retail.customer ORDER BY first_at DESC, customer_id LIMIT 1);
SELECT pg_temp.same(count(*), 5::bigint, 'five customers to portray') FROM sitter;
SELECT pg_temp.same_rows(
	format($$SELECT tag, value FROM crm.tags_of(%s::bigint, 'retail')$$, customer_id),
	format('SELECT tag, value FROM plain WHERE customer_id = %s', customer_id), format('tags of customer %s', customer_id))
FROM sitter;

-- Bins and outliers of real amounts: quantiles as percentile_cont, the robust scale as plain SQL, and the two orders of 74,215 and 80,995 pieces, cancelled
-- within minutes, which every account of the data warns of, before all others.
SELECT pg_temp.same((SELECT array_agg(round(c::numeric, 6)) FROM unnest(crm.bin_cuts(crm.quantile_bins_agg(10, revenue::float8))) c),
	(SELECT array_agg(round(c::numeric, 6)) FROM unnest(percentile_cont(ARRAY[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) WITHIN GROUP (ORDER BY revenue::float8)) c), 'quantile_bins_agg: deciles of revenue as percentile_cont') FROM retail.customer;
SELECT pg_temp.note(max(n) - min(n) <= 1 AND count(*) = 10, 'bin: as many customers in each decile') FROM (SELECT count(*) AS n FROM retail.customer, (SELECT crm.quantile_bins_agg(10, revenue::float8) AS b FROM retail.customer) q GROUP BY crm.bin(revenue, b)) d;
SELECT pg_temp.note(round((s).median::numeric, 6) = round(m::numeric, 6) AND round((s).mad::numeric, 6) = (SELECT round((percentile_cont(0.5) WITHIN GROUP (ORDER BY abs(revenue::float8 - m)))::numeric, 6) FROM retail.customer), format('robust_scale_agg: median %s and MAD %s of revenue as in plain SQL', round((s).median::numeric, 2), round((s).mad::numeric, 2)))
FROM (SELECT crm.robust_scale_agg(revenue::float8) AS s, percentile_cont(0.5) WITHIN GROUP (ORDER BY revenue::float8) AS m FROM retail.customer) x;
SELECT pg_temp.same(array_agg(quantity ORDER BY score DESC), '{80995,74215}'::int[], 'outlier_score: the two orders that were mistakes come first')
FROM (SELECT quantity, crm.outlier_score(quantity, s) AS score FROM retail.clean, (SELECT crm.robust_scale_agg(quantity) AS s FROM retail.clean) x ORDER BY 2 DESC LIMIT 2) t;
SELECT pg_temp.note(max(place) <= 100, format('isolation_forest_fit: the same two are among the 100 of 397,884 lines that stand apart most, by quantity, price and sum (places %s)', array_agg(place)))
FROM (SELECT quantity, rank() OVER (ORDER BY crm.predict(m, ARRAY[ln(quantity), ln(unit_price), ln(quantity * unit_price)]::float8[]) DESC) AS place FROM retail.clean,
	(SELECT crm.isolation_forest_fit(ARRAY[ln(quantity), ln(unit_price), ln(quantity * unit_price)]::float8[], '{"sample": 4096}') AS m FROM retail.clean) x) t WHERE quantity > 70000;

\ir lib/report.sql
