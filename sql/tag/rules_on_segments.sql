-- Rules that ask a segment, and rules of similarity to a seed.
SET client_min_messages = warning;
CREATE SCHEMA seed_test;
SET search_path = seed_test, crm, public;
CREATE TABLE customers (id bigint PRIMARY KEY, age int, city text, spent numeric);
INSERT INTO customers SELECT i, 18 + i * 7919 % 60, (ARRAY['Berlin', 'Paris', '上海'])[i % 3 + 1], CASE WHEN i % 10 > 0 THEN i * 31 % 2000 END FROM generate_series(1, 8000) i;
ANALYZE customers;
SELECT create_population('seeds', 'customers', 'id');
SELECT create_tag('old', 'age >= 60');
SELECT create_tag('city', 'city');
SELECT create_tag('spend', 'spent');
SELECT create_tag('good one', 'spent > 1500');
SELECT define_segment('rich and old', '"good one" & old');
SELECT create_tag('in segment', $$in_segment('"rich and old" | (city = Paris & spend < 100) - old')$$);
SELECT create_tag('not so', $$in_segment('!(city != Berlin) | spend = 31')$$);
SELECT tag, members FROM refresh_tags('seeds') WHERE tag IN ('in segment', 'not so');
SELECT tag('in segment') = segment('"rich and old" | (city = Paris & spend < 100) - old') AS same, tag('not so') = segment('!(city != Berlin) | spend = 31') AS same_too;
SELECT kind, name FROM tag_lineage('in segment');
SELECT part, detail, value FROM explain_tag(60, 'in segment') WHERE part IN ('rests on', 'decided by', 'change');
-- a segment that is redefined changes the tag at its next refresh
SELECT define_segment('rich and old', 'old', population => 'seeds', frozen => true, replace => true);
SELECT * FROM refresh_tags('seeds', '{in segment}');
SELECT define_segment('rich and old', 'old', replace => true);
SELECT tag, entered FROM refresh_tags('seeds', '{in segment}');

-- similarity: the seed as a tag, an expression, a segment; the score, bands of it, the top of it
SELECT create_tag('like', $$round(lookalike(has_tag('good one') AND age > 40, age, city)::numeric, 6)$$, 'predictive');
SELECT create_tag('like the old', $$round(lookalike('"rich and old" - (city = Paris)', age, city)::numeric, 6)$$, 'predictive');
SELECT create_tag('like band', $$band(percentile(lookalike(has_tag('good one') AND age > 40, age, city)), '{0.5,0.9}', '{no,perhaps,yes}')$$, 'predictive');
SELECT create_tag('nobody', $$lookalike(age < 0, age) IS NULL$$);
SELECT tag, value, members > 0 AS any FROM refresh_tags('seeds') WHERE tag IN ('like', 'like the old', 'like band', 'nobody');
-- the same as the aggregate and its function say
WITH model AS (SELECT lookalike_fit(spent > 1500 AND age > 40, id::text, age, city) AS a, lookalike_fit(age >= 60 AND city <> 'Paris', id::text, age, city) AS b FROM customers),
score AS (SELECT id, round(lookalike_score(a, age, city)::numeric, 6) AS a, round(lookalike_score(b, age, city)::numeric, 6) AS b FROM customers, model)
SELECT count(*) FILTER (WHERE a <> bsi_value(tag_number('like'), id)) AS a, count(*) FILTER (WHERE b <> bsi_value(tag_number('like the old'), id)) AS b, count(*) AS customers FROM score;
SELECT tag, call, round(auc::numeric, 1) AS auc, seed, held_out_seed > 100 AS held_out FROM lookalike_models('seeds') ORDER BY tag COLLATE "C";
SELECT feature, kind, bin, round(weight::numeric, 1) AS weight FROM lookalike_weights('like the old', 'seeds') WHERE abs(weight) > 0.5 OR kind = 'text' ORDER BY feature, bin;
SELECT value, members FROM preview_tag($$band(lookalike('old', age), '{0.5}')$$, 'seeds', 0) ORDER BY value;
SELECT part, detail, value FROM explain_tag(17, 'like band') WHERE part IN ('rests on', 'column', 'condition');

-- refused
SELECT create_tag('x', $$in_segment('nosuch')$$);
SELECT create_tag('x', $$in_segment('old &')$$);
SELECT create_tag('x', $$in_segment('city > 5')$$);
SELECT create_tag('x', $$in_segment('old = 5')$$);
SELECT create_tag('x', $$in_segment('"rich and old" = 5')$$);
SELECT create_tag('x', $$in_segment('spend = many')$$);
SELECT create_tag('x', $$in_segment(city)$$);
SELECT create_tag('x', $$in_segment('x')$$);
SELECT create_tag('x', $$lookalike(city, age) > 0.5$$);
SELECT create_tag('x', $$lookalike('nosuch', age) > 0.5$$);
SELECT create_tag('x', $$lookalike(has_tag('old')) > 0.5$$);
SELECT create_tag('x', $$lookalike(has_tag('old'), ARRAY[age]) > 0.5$$);
\set SHOW_CONTEXT never
SELECT * FROM refresh_tags('seeds', '{x}');
SELECT in_segment('old');
SELECT lookalike('old', 5);
SELECT drop_population('seeds');
DROP SCHEMA seed_test CASCADE;
