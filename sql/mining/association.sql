-- What is bought together: association_rules, association_rule_table, frequent_itemsets.
CREATE TABLE small (basket bigint, item text);
INSERT INTO small VALUES (1, 'bread'), (1, 'milk'), (2, 'bread'), (2, 'nappies'), (2, 'beer'), (2, 'eggs'), (3, 'milk'), (3, 'nappies'), (3, 'beer'), (3, 'cola'),
	(4, 'bread'), (4, 'milk'), (4, 'nappies'), (4, 'beer'), (5, 'bread'), (5, 'milk'), (5, 'nappies'), (5, 'cola');
SELECT r.antecedent, r.consequent, r.support, round(r.confidence::numeric, 4) AS confidence, round(r.lift::numeric, 4) AS lift, round(r.conviction::numeric, 4) AS conviction, r.baskets
FROM unnest((SELECT association_rules(0.4, 0.7, basket, item) FROM small)) AS r;
SELECT * FROM unnest((SELECT frequent_itemsets(0.6, basket, item) FROM small));
SELECT antecedent, consequent, redundant, round(leverage::numeric, 4) AS leverage, round(zhang::numeric, 4) AS zhang, round(jaccard::numeric, 4) AS jaccard, round(cosine::numeric, 4) AS cosine,
	round(kulczynski::numeric, 4) AS kulczynski, odds_ratio, round(chi_squared::numeric, 4) AS chi_squared, round(fisher_p::numeric, 4) AS fisher_p
FROM unnest((SELECT association_rule_table(0.6, 0.75, basket, item) FROM small));

-- Rows repeated, NULLs, another order: the same rules; all kinds of baskets and items agree.
CREATE TABLE random_rows AS
SELECT b AS basket, i AS item, 'i' || i AS name FROM generate_series(1, 500) AS b, generate_series(1, 12) AS i
WHERE (hashint4(b * 100 + i) & 1023) < CASE WHEN (b + i) % 3 = 0 THEN 500 ELSE 120 END;
CREATE TABLE rules AS SELECT association_rules(0.02, 0.3, basket, name) AS r FROM random_rows;
SELECT cardinality(r) AS rules, max(cardinality((x).antecedent)) AS longest FROM rules, unnest(r) AS x GROUP BY r;
SELECT (SELECT association_rules(0.02, 0.3, basket, name) FROM (SELECT basket, name FROM random_rows UNION ALL SELECT basket, name FROM random_rows WHERE item < 4
	UNION ALL VALUES (NULL::int, 'i1'), (7, NULL)) AS s) = r AS repeated_and_null FROM rules;
SELECT (SELECT association_rules(0.02, 0.3, basket, name ORDER BY hashint4(basket * 7 + item)) FROM random_rows) = r AS any_order FROM rules;
SELECT (SELECT association_rules(0.02, 0.3, 'b' || basket, name) FROM random_rows) = r AS named_baskets,
	(SELECT association_rules(0.02, 0.3, (basket::bigint - 250) * 36893488147419103, name) FROM random_rows) = r AS far_apart FROM rules;
SELECT (SELECT association_rules(0.02, 0.3, basket, item) FROM random_rows) = (SELECT association_rules(0.02, 0.3, basket, item::text) FROM random_rows) AS numbers,
	(SELECT association_rules(0.02, 0.3, basket::text, item) FROM random_rows) = (SELECT association_rules(0.02, 0.3, basket, item::text) FROM random_rows) AS named_numbers;

-- By plain counting: all pairs, and all with two items before.
CREATE TABLE plain AS
WITH n AS (SELECT count(DISTINCT basket)::float8 AS n FROM random_rows), one AS (SELECT name, count(*) AS c FROM random_rows GROUP BY name),
two AS (SELECT a.name AS a, b.name AS b, count(*) AS c FROM random_rows a JOIN random_rows b USING (basket) WHERE a.name < b.name GROUP BY 1, 2),
three AS (SELECT a.name AS a, b.name AS b, x.name AS x, count(*) AS c FROM random_rows a JOIN random_rows b USING (basket) JOIN random_rows x USING (basket)
	WHERE a.name < b.name AND x.name NOT IN (a.name, b.name) GROUP BY 1, 2, 3)
SELECT ARRAY[p.a] AS antecedent, p.b AS consequent, p.c AS baskets, a.c AS of_antecedent, b.c AS of_consequent, n
FROM (SELECT a, b, c FROM two UNION ALL SELECT b, a, c FROM two) AS p JOIN one a ON a.name = p.a JOIN one b ON b.name = p.b, n
UNION ALL
SELECT ARRAY[t.a, t.b], t.x, t.c, two.c, x.c, n FROM three t JOIN two ON two.a = t.a AND two.b = t.b JOIN one x ON x.name = t.x, n;
SELECT count(*) AS rules, count(*) FILTER (WHERE x.baskets = p.baskets AND abs(x.support - p.baskets / n) < 1e-12 AND abs(x.confidence - p.baskets::float8 / of_antecedent) < 1e-12
		AND abs(x.lift - p.baskets * n / of_antecedent / of_consequent) < 1e-9
		AND abs(x.conviction - (1 - of_consequent / n) / (1 - p.baskets::float8 / of_antecedent)) < 1e-9) AS same
FROM (SELECT * FROM plain WHERE baskets / n >= 0.02 AND baskets::float8 / of_antecedent >= 0.3) AS p
	FULL JOIN (SELECT x.* FROM rules, unnest(r) AS x WHERE cardinality(x.antecedent) <= 2) AS x USING (antecedent, consequent);
-- redundant: a rule with a part of the antecedent, or none, is as confident
SELECT count(*) AS rules, count(*) FILTER (WHERE redundant) AS redundant, bool_and(redundant = (consequent_support >= confidence OR EXISTS (
		SELECT FROM rules, unnest(r) AS g WHERE g.consequent = x.consequent AND x.antecedent @> g.antecedent AND g.antecedent <> x.antecedent AND g.confidence >= x.confidence))) AS as_defined
FROM unnest((SELECT association_rule_table(0.02, 0.3, basket, name) FROM random_rows)) AS x;
SELECT (SELECT array_agg((x.antecedent || x.consequent)::text ORDER BY x.antecedent, x.consequent) FROM unnest((SELECT association_rules(0.02, 0.3, basket, name, '{"redundant": false}') FROM random_rows)) AS x)
	= (SELECT array_agg((x.antecedent || x.consequent)::text ORDER BY x.antecedent, x.consequent) FROM unnest((SELECT association_rule_table(0.02, 0.3, basket, name) FROM random_rows)) AS x WHERE NOT redundant) AS left_out;

-- Options.
SELECT bool_and(cardinality(x.antecedent) = 2) AS of_three FROM unnest((SELECT association_rules(0.02, 0.3, basket, name, '{"min_items": 3, "max_items": 3}') FROM random_rows)) AS x;
SELECT (SELECT association_rules(0.02, 0.3, basket, name, '{"min_lift": 1.2, "min_baskets": 20}') FROM random_rows)
	= (SELECT array_agg(x ORDER BY no) FROM rules, unnest(r) WITH ORDINALITY AS u (a, c, support, confidence, lift, conviction, baskets, no),
		LATERAL (SELECT (u.a, u.c, u.support, u.confidence, u.lift, u.conviction, u.baskets)::association_rule AS x) AS y WHERE lift >= 1.2 AND baskets >= 20) AS limited;
SELECT items FROM unnest((SELECT frequent_itemsets(0.4, basket, item, '{"max_items": 1}') FROM small));
SELECT items FROM unnest((SELECT frequent_itemsets(0, basket, item, '{"min_items": 3, "min_baskets": 2}') FROM small));

-- Every measure of a rule of record is that of the table.
SELECT count(*) AS rules, bool_and(to_jsonb(m) = to_jsonb(t) - ARRAY['antecedent', 'consequent', 'support', 'confidence', 'lift', 'conviction', 'baskets', 'redundant']) AS same
FROM rules, unnest(r) AS x, rule_measures(x) AS m, unnest((SELECT association_rule_table(0.02, 0.3, basket, name) FROM random_rows)) AS t
WHERE t.antecedent = x.antecedent AND t.consequent = x.consequent;
SELECT coverage, consequent_support, leverage = 0 AS independent, zhang, odds_ratio, fisher_p FROM rule_measures((ARRAY['a'], 'b', 0.25, 0.5, 1, 1, 2)::association_rule);
SELECT coverage, odds_ratio, sebag, zhang, phi, fisher_p FROM rule_measures((ARRAY['a'], 'b', 1, 1, 1, 'Infinity', 2)::association_rule);
SELECT * FROM rule_measures(NULL);
SELECT * FROM rule_measures((ARRAY['a'], 'b', 0.5, 0.5, 0.1, 1, 2)::association_rule);
SELECT * FROM rule_measures((ARRAY['a'], 'b', NULL, 0.5, 0.1, 1, 2)::association_rule);

-- Parts, workers, windows.
ALTER TABLE random_rows SET (parallel_workers = 2);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT association_rules(0.02, 0.3, basket, name) FROM random_rows;
SELECT (SELECT association_rules(0.02, 0.3, basket, name) FROM random_rows) = r AS parallel,
	(SELECT association_rules(0.02, 0.3, basket::text, name) FROM random_rows) = r AS parallel_named FROM rules;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
CREATE AGGREGATE pg_temp.state(float8, float8, bigint, text) (SFUNC = association_rules_transfn, STYPE = agg_state, COMBINEFUNC = association_rules_combinefn);
CREATE AGGREGATE pg_temp.state(float8, float8, text, text) (SFUNC = association_rules_transfn, STYPE = agg_state, COMBINEFUNC = association_rules_combinefn);
CREATE AGGREGATE pg_temp.merge(agg_state) (SFUNC = association_rules_combinefn, STYPE = agg_state, FINALFUNC = association_rules_finalfn);
SELECT (SELECT pg_temp.merge(state::text::agg_state) FROM (SELECT pg_temp.state(0.02, 0.3, basket, name) AS state FROM random_rows GROUP BY item UNION ALL SELECT NULL) AS s) = r AS merged,
	(SELECT pg_temp.merge(state::text::agg_state) FROM (SELECT pg_temp.state(0.02, 0.3, basket::text, name) AS state FROM random_rows GROUP BY item % 5) AS s) = r AS merged_named FROM rules;
SELECT basket, item, cardinality(frequent_itemsets(0.5, basket, item) OVER (ORDER BY basket, item ROWS BETWEEN 5 PRECEDING AND CURRENT ROW)) AS frequent FROM small WHERE basket < 4;
SELECT basket % 2 AS half, cardinality(association_rules(0.02, 0.3, basket, name)) > 0 AS has FROM random_rows GROUP BY 1 ORDER BY 1;

-- Nothing, and what comes to nothing.
SELECT association_rules(0.1, 0.5, basket, item), frequent_itemsets(0.1, basket, item) FROM small WHERE false;
SELECT association_rules(0.1, 0.5, NULL::bigint, item), association_rules(0.1, 0.5, basket, NULL::text) FROM small;
SELECT association_rules(1, 1, basket, item) FROM small;
SELECT association_rules(0, 0, basket, item) FROM small WHERE item = 'eggs';
SELECT frequent_itemsets(0, basket, item) FROM (VALUES (1, ''), (1, '全脂牛奶')) AS v (basket, item);

-- Refusals.
SELECT association_rules(1.5, 0.5, basket, item) FROM small;
SELECT association_rules('NaN', 0.5, basket, item) FROM small;
SELECT association_rules(0.5, -1, basket, item) FROM small;
SELECT association_rules(NULL, 0.5, basket, item) FROM small;
SELECT association_rules(basket / 100.0, 0.5, basket, item) FROM small;
SELECT association_rules(0.5, 0.5, basket, item, '{"longest": 3}') FROM small;
SELECT association_rules(0.5, 0.5, basket, item, '{"max_items": 99}') FROM small;
SELECT frequent_itemsets(0.5, basket, item, '{"min_lift": 2}') FROM small;
SET crm_analytics.training_memory = '1MB';
SELECT association_rules(0.5, 0.5, i, i::text) FROM generate_series(1, 100000) AS i;
SELECT frequent_itemsets(0, 1, i, '{"max_items": 20}') FROM generate_series(1, 30) AS i;
RESET crm_analytics.training_memory;
-- forged and damaged states: refused, never a crash
CREATE AGGREGATE pg_temp.other_state(float8, bigint, text) (SFUNC = frequent_itemsets_transfn, STYPE = agg_state);
SELECT pg_temp.merge(state) FROM (SELECT pg_temp.other_state(0.5, basket, item) AS state FROM small) AS s;
SELECT pg_temp.merge(state) FROM (SELECT pg_temp.state(0.5, 0.5, basket, item) AS state FROM small UNION ALL SELECT pg_temp.state(0.5, 0.5, basket::text, item) FROM small) AS s;
SELECT pg_temp.merge(state) FROM (SELECT pg_temp.state(0.5, 0.5, basket, item) AS state FROM small UNION ALL SELECT pg_temp.state(0.5, 0.6, basket, item) FROM small) AS s;
CREATE FUNCTION pg_temp.damage(state text, place int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	bytes bytea := decode(state, 'base64');
BEGIN
	bytes := set_byte(bytes, place, get_byte(bytes, place) # 85);
	RETURN cardinality(pg_temp.merge(translate(encode(bytes, 'base64'), E'\n', '')::agg_state))::text;
EXCEPTION WHEN data_corrupted OR invalid_text_representation OR invalid_parameter_value OR program_limit_exceeded THEN
	RETURN SQLSTATE;
END
$$;
SELECT count(*) > 100 AS many, bool_or(r = 'XX001') AS some_refused FROM (SELECT pg_temp.state(0.1, 0.5, basket, item)::text AS state FROM small) AS s,
	generate_series(0, octet_length(decode(state, 'base64')) - 1) AS place, LATERAL (SELECT pg_temp.damage(state, place) AS r) AS d;
DROP TABLE small, random_rows, rules, plain;
