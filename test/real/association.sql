-- Association rules against published figures: a month of a grocery outlet (Hahsler,
-- Hornik, Reutterer 2006) with the whole table of 463 rules, and the French
-- invoices of Online Retail.
\ir lib/tally.sql
\setenv CRM_FOLDER :shared/data/behavior
\set absent `cd "$CRM_FOLDER" 2>/dev/null && test -r groceries.csv -a -r groceries_rules_463.csv -a -r groceries_items.csv -a -r online_retail.csv.gz && echo false || echo true`
\if :absent
	\echo 'ok - association # skip no data/behavior/groceries*.csv or online_retail.csv.gz'
	\quit
\endif

CREATE TABLE groceries (basket bigint, item text);
\copy groceries FROM PROGRAM 'cat "$CRM_FOLDER/groceries.csv"' (FORMAT csv, HEADER)
CREATE TABLE expected (lhs text, rhs text, baskets bigint, support float8, confidence float8, lift float8);
\copy expected FROM PROGRAM 'cat "$CRM_FOLDER/groceries_rules_463.csv"' (FORMAT csv, HEADER)

SELECT pg_temp.same(count(DISTINCT basket)::text || ' ' || count(DISTINCT item) || ' ' || count(*), '9835 169 43367', 'published: baskets, items, occurrences') FROM groceries;

CREATE TABLE found AS
SELECT r.* FROM (SELECT crm.association_rules(0.006, 0.25, basket, item) AS rules FROM groceries) AS s,
	unnest(rules) WITH ORDINALITY AS r (antecedent, consequent, support, confidence, lift, conviction, baskets, no);
SELECT pg_temp.same(count(*)::text || ' ' || string_agg(DISTINCT n::text, ','), '463 150,297,16', 'published: 463 rules, of two, three and four items')
FROM (SELECT 1 FROM found) AS f, (SELECT string_agg(c::text, ',' ORDER BY size) AS n FROM (SELECT cardinality(antecedent) AS size, count(*) AS c FROM found GROUP BY 1) AS s) AS sizes;
SELECT pg_temp.note(count(*) = 463 AND bool_and(f.baskets = e.baskets AND abs(f.support - e.support) < 1e-9 AND abs(f.confidence - e.confidence) < 1e-9 AND abs(f.lift - e.lift) < 1e-9),
	'published: each of the 463 rules, counts exact, ratios to 1e-9')
FROM (SELECT *, (SELECT array_agg(i ORDER BY i COLLATE "C") FROM unnest(string_to_array(lhs, ';')) AS i) AS antecedent FROM expected) AS e
	FULL JOIN found f ON f.antecedent = e.antecedent AND f.consequent = e.rhs;
SELECT pg_temp.same((SELECT antecedent::text || consequent FROM found ORDER BY no LIMIT 1), '{herbs}root vegetables', 'published: herbs to root vegetables has the greatest lift');
SELECT pg_temp.note(bool_and(lift <= before), 'the greatest lift comes first') FROM (SELECT lift, lag(lift) OVER (ORDER BY no) AS before FROM found) AS s WHERE before IS NOT NULL;

SELECT pg_temp.same(cardinality(crm.association_rules(0.001, 0.9, basket, item, '{"max_items": 4}')), 67, 'published: 67 rules of at most four items, confidence 0.9') FROM groceries;
SELECT pg_temp.same(string_agg(c::text, ' ' ORDER BY size), '29 229 140 12', 'published: 410 rules of confidence 0.8, by size')
FROM (SELECT cardinality(antecedent) AS size, count(*) AS c FROM unnest((SELECT crm.association_rules(0.001, 0.8, basket, item) FROM groceries)) GROUP BY 1) AS s;
SELECT pg_temp.same(cardinality(crm.frequent_itemsets(0.001, basket, item)), 13492, 'published: 13,492 itemsets') FROM groceries;

-- Every measure of the 463 rules by its definition over plain counts.
CREATE TABLE wide AS SELECT r.* FROM (SELECT crm.association_rule_table(0.006, 0.25, basket, item) AS rules FROM groceries) AS s, unnest(rules) AS r;
CREATE TABLE counts AS
SELECT w.*, 9835::float8 AS n, coverage * 9835 AS a, consequent_support * 9835 AS c, baskets::float8 AS ab FROM wide w;
SELECT pg_temp.note(count(*) = 463 AND bool_and(
		abs(a - (SELECT count(*) FROM (SELECT basket FROM groceries g WHERE g.item = ANY (antecedent) GROUP BY basket HAVING count(*) = cardinality(antecedent)) AS s)) < 1e-6), 'plain SQL: baskets of each antecedent')
FROM counts;
SELECT pg_temp.note(bool_and(abs(leverage - (ab / n - a * c / n / n)) < 1e-12 AND abs(jaccard - ab / (a + c - ab)) < 1e-12 AND abs(cosine - ab / sqrt(a * c)) < 1e-12
		AND abs(kulczynski - (ab / a + ab / c) / 2) < 1e-12 AND abs(phi - (n * ab - a * c) / sqrt(a * c * (n - a) * (n - c))) < 1e-12
		AND abs(odds_ratio - ab * (n - a - c + ab) / ((a - ab) * (c - ab))) < 1e-9 AND abs(chi_squared - n * (n * ab - a * c) ^ 2 / (a * c * (n - a) * (n - c))) < 1e-6
		AND abs(conviction - (1 - c / n) / (1 - ab / a)) < 1e-9), 'measures by their definitions') FROM counts;
SELECT pg_temp.note(bool_and(fisher_p BETWEEN 0 AND 1 AND (lift < 1.1 OR fisher_p < 0.05)), 'rules of lift above 1.1 are no chance') FROM counts;
SELECT pg_temp.note(bool_and(w.redundant = (w.consequent_support >= w.confidence OR EXISTS (SELECT FROM wide g WHERE g.consequent = w.consequent AND g.antecedent <@ w.antecedent
		AND g.antecedent <> w.antecedent AND g.confidence >= w.confidence))) AND count(*) FILTER (WHERE redundant) > 0, 'redundant rules as defined') FROM wide w;
SELECT pg_temp.note(bool_and(to_jsonb(m) <@ to_jsonb(w)), 'rule_measures of a rule of record gives the same')
FROM (SELECT crm.association_rules(0.006, 0.25, basket, item) AS rules FROM groceries) AS s, unnest(rules) AS r, crm.rule_measures(r) AS m, wide AS w
WHERE w.antecedent = r.antecedent AND w.consequent = r.consequent;

-- Online Retail, France.
CREATE TABLE line (invoice_no text, stock_code text, description text, quantity int, invoice_ts timestamp, unit_price numeric, customer_id bigint, country text);
\copy line FROM PROGRAM 'zcat "$CRM_FOLDER/online_retail.csv.gz"' (FORMAT csv, HEADER)
CREATE TABLE french AS
SELECT invoice_no, description FROM line WHERE country = 'France' AND invoice_no NOT LIKE 'C%' AND description <> '' AND description <> 'POSTAGE' GROUP BY 1, 2 HAVING sum(quantity) >= 1;
-- An invoice of postage alone is a basket, too: support is of 392.
SELECT pg_temp.same(count(DISTINCT invoice_no), 392::bigint, 'published: 392 French invoices') FROM line WHERE country = 'France' AND invoice_no NOT LIKE 'C%';
CREATE TABLE rules AS
SELECT r.* FROM (SELECT crm.association_rules(0.07, 0, invoice_no, coalesce(description, ' none'), '{"min_lift": 1}') AS rules
	FROM (SELECT * FROM french UNION ALL SELECT DISTINCT invoice_no, NULL FROM line l WHERE country = 'France' AND invoice_no NOT LIKE 'C%'
		AND NOT EXISTS (SELECT FROM french f WHERE f.invoice_no = l.invoice_no)) AS s) AS s, unnest(rules) AS r;
SELECT pg_temp.same(count(*)::text || ' ' || count(*) FILTER (WHERE lift >= 6 AND confidence >= 0.8), '23 8', 'published: of 26 rules the 23 with one consequent, the 8 that are strong among them') FROM rules;
SELECT pg_temp.note(count(*) = 1, 'published: ' || e.a || ' to ' || e.c)
FROM (VALUES ('ALARM CLOCK BAKELIKE GREEN', 'ALARM CLOCK BAKELIKE RED', 0.815789, 8.642959), ('ALARM CLOCK BAKELIKE RED', 'ALARM CLOCK BAKELIKE GREEN', 0.837838, 8.642959),
		('SET/6 RED SPOTTY PAPER PLATES', 'SET/6 RED SPOTTY PAPER CUPS', 0.96, 6.968889)) AS e (a, c, confidence, lift)
	LEFT JOIN rules r ON r.antecedent = ARRAY[e.a] AND r.consequent = e.c AND abs(r.confidence - e.confidence) < 1e-6 AND abs(r.lift - e.lift) < 1e-6 GROUP BY e.a, e.c;
\ir lib/report.sql
