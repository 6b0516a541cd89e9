-- attribution: methods, totals, NULLs, refusals, merging, parallel plans.
CREATE TEMP TABLE journey (path text[], conversions float8, nulls float8, value float8);
INSERT INTO journey VALUES
	('{direct}', 2, 1, 20), ('{search,email}', 3, 2, 33), ('{search,social,email}', 5, 4, 40),
	('{搜索,search,搜索,email}', 1, 0, 7), ('{banner}', 0, 5, NULL), ('{search}', NULL, 1, 0);

SELECT method, channel, round(c.conversions::numeric, 9) AS conversions, round(c.value::numeric, 9) AS value
FROM (SELECT method, attribution(method, path, conversions, nulls, value) AS credits
	FROM journey, unnest('{first,last,linear,position,decay,decay:1,markov,markov:2,shapley}'::text[]) AS method GROUP BY method) x, unnest(credits) c
ORDER BY method, channel COLLATE "C";
SELECT method, sum(c.conversions) AS conversions, sum(c.value) AS value
FROM (SELECT method, attribution(method, path, conversions, nulls, value) AS credits
	FROM journey, unnest('{first,linear,position,decay,decay:0.7,markov,markov:2,shapley}'::text[]) AS method GROUP BY method) x, unnest(credits) c
GROUP BY method HAVING sum(c.conversions) <> 11 OR sum(c.value) <> 100;
SELECT channel, round(c.conversions::numeric, 9) AS conversions, round(c.value::numeric, 9) AS value
FROM (SELECT attribution_effects('markov', path, conversions, nulls, value) AS effects FROM journey) x, unnest(effects) c;
SELECT channel_from, channel_to, journeys, round(probability::numeric, 9) AS probability
FROM (SELECT attribution_transitions('markov', path, conversions, nulls, value) AS t FROM journey) x, unnest(t) c;
SELECT channel_from, channel_to, journeys, round(probability::numeric, 9) AS probability
FROM (SELECT attribution_transitions('markov:2', path, conversions, nulls, value) AS t FROM journey WHERE 'email' = ANY (path)) x, unnest(t) c;

-- Journeys that nobody touched keep their conversions; the channels share the rest as if there were none.
SELECT channel, round(c.conversions::numeric, 9) AS conversions, round(c.value::numeric, 9) AS value
FROM (SELECT attribution('markov', path, conversions, nulls, value) AS credits
	FROM (TABLE journey UNION ALL VALUES ('{}'::text[], 4, 9, 12)) j (path, conversions, nulls, value)) x, unnest(credits) c;
SELECT c.* FROM (SELECT attribution_effects('markov', path, 1, 1, 1) AS effects FROM (VALUES ('{a}'::text[]), ('{}')) j (path)) x, unnest(effects) c;

-- Nothing converts; nothing is there; one path; NULL paths.
SELECT method, attribution(method, '{a,b}', 0, 3, 0) FROM unnest('{first,shapley,markov}'::text[]) AS method GROUP BY method ORDER BY method;
SELECT attribution('markov', path, conversions, nulls, value), attribution_effects('markov', path, conversions, nulls, value),
	attribution_transitions('markov', path, conversions, nulls, value) FROM journey WHERE false;
SELECT attribution('markov', '{}', 1, 0, 5), attribution_transitions('markov', '{}', 1, 0, 5);
SELECT attribution('linear', NULL, 1, 0, 5), attribution('position', '{a,b}', 1, NULL, NULL);
-- Spelling counts, and an empty name is a name.
SELECT attribution('linear', '{a,A,"",a }', 4, 0, 8);

-- What is refused.
SELECT attribution('best', path, 1, 0, 0) FROM journey;
SELECT attribution('', path, 1, 0, 0) FROM journey;
SELECT attribution(NULL, path, 1, 0, 0) FROM journey;
SELECT attribution('markov:0', path, 1, 0, 0) FROM journey;
SELECT attribution('markov:11', path, 1, 0, 0) FROM journey;
SELECT attribution('decay:2', path, 1, 0, 0) FROM journey;
SELECT attribution(repeat('长', 40), path, 1, 0, 0) FROM journey;
SELECT attribution(CASE WHEN conversions = 2 THEN 'first' ELSE 'last' END, path, 1, 0, 0) FROM journey;
SELECT attribution('first', ARRAY['a', NULL], 1, 0, 0);
SELECT attribution('first', '{{a,b},{c,d}}', 1, 0, 0);
SELECT attribution('first', '{a}', -1, 0, 0);
SELECT attribution('first', '{a}', 'NaN', 0, 0);
SELECT attribution('first', '{a}', 1, 'Infinity', 0);
SELECT attribution('first', '{a}', 1, 0, -0.01);
SELECT attribution('first', '{a}', 0, 1, 5);
SELECT attribution('first', '{a}', 1e308, 0, 0) FROM generate_series(1, 2);
SELECT attribution_effects('first', path, 1, 0, 0) FROM journey;
SELECT attribution_transitions('shapley', path, 1, 0, 0) FROM journey;

-- Many journeys of fractions: the same floats serially, in parallel, in another order.
CREATE TABLE attribution_rows AS
SELECT path, (n % 3 = 0)::int * (n % 7) * 0.1::float8 AS conversions, (n % 5) * 0.3::float8 AS nulls, (n % 3 = 0)::int * (n % 7) * (n % 11) / 3.0::float8 AS value
FROM generate_series(1, 20000) n, LATERAL (SELECT array_agg(chr(97 + ('x' || substr(md5(n || ' ' || i), 1, 7))::bit(28)::int % (3 + i)) ORDER BY i) AS path
	FROM generate_series(1, 1 + n % 6) i) p;
ANALYZE attribution_rows;
CREATE FUNCTION pg_temp.all_credits(OUT method text, OUT credits channel_credit[]) RETURNS SETOF record LANGUAGE SQL AS $$
	SELECT 'first', attribution('first', path, conversions, nulls, value) FROM attribution_rows UNION ALL
	SELECT 'position', attribution('position', path, conversions, nulls, value) FROM attribution_rows UNION ALL
	SELECT 'decay', attribution('decay', path, conversions, nulls, value) FROM attribution_rows UNION ALL
	SELECT 'shapley', attribution('shapley', path, conversions, nulls, value) FROM attribution_rows UNION ALL
	SELECT 'markov', attribution('markov', path, conversions, nulls, value) FROM attribution_rows UNION ALL
	SELECT 'markov:3', attribution('markov:3', path, conversions, nulls, value) FROM attribution_rows $$;
SET max_parallel_workers_per_gather = 0;
CREATE TEMP TABLE serial AS SELECT * FROM pg_temp.all_credits();
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
ALTER TABLE attribution_rows SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT attribution('markov:3', path, conversions, nulls, value) FROM attribution_rows;
SELECT count(*) AS methods, bool_and(s.credits = p.credits) AS same FROM serial s JOIN pg_temp.all_credits() p USING (method);
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT bool_and(s.credits = x.credits) AS same FROM serial s JOIN
	(SELECT method, attribution(method, path, conversions, nulls, value ORDER BY md5(value || path::text)) AS credits
	FROM attribution_rows, (SELECT method FROM serial) m GROUP BY method) x USING (method);
-- Chains too long for elimination are iterated; credits add up exactly.
SELECT count(*) AS channels, sum(c.conversions) = (SELECT sum(c.conversions ORDER BY channel) FROM serial, unnest(credits) c WHERE method = 'first') AS adds_up
FROM (SELECT attribution('markov:6', path, conversions, nulls, value) AS credits FROM attribution_rows) x, unnest(credits) c;
-- A window: the state goes on after each answer.
SELECT conversions, attribution('last', path, conversions, nulls, value) OVER (ORDER BY conversions, value)
FROM journey WHERE conversions > 2;
-- One state for three questions.
SELECT cardinality(attribution('markov', path, 1, 1, 1)), cardinality(attribution_effects('markov', path, 1, 1, 1)),
	cardinality(attribution_transitions('markov', path, 1, 1, 1)) FROM journey;

-- Merging, with empty sides and damaged ones.
CREATE AGGREGATE pg_temp.attribution_state(text, text[], float8, float8, float8) (SFUNC = attribution_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.attribution_merge(agg_state) (SFUNC = attribution_combinefn, STYPE = agg_state, FINALFUNC = attribution_finalfn);
SELECT bool_and(s.credits = x.credits) AS same FROM serial s JOIN
	(SELECT method, pg_temp.attribution_merge(state::text::agg_state) AS credits
	FROM (SELECT method, pg_temp.attribution_state(method, path, conversions, nulls, value) AS state
		FROM attribution_rows, (SELECT method FROM serial) m GROUP BY method, cardinality(path)
		UNION ALL SELECT method, NULL FROM serial) p GROUP BY method) x USING (method);
SELECT pg_temp.attribution_merge(NULL) FROM journey;
SELECT pg_temp.attribution_merge(state ORDER BY method) FROM (SELECT method, pg_temp.attribution_state(method, path, conversions, nulls, value) AS state
	FROM journey, unnest('{first,last}'::text[]) AS method GROUP BY method) x;
-- Every bit turned: refused, or an answer that adds up; never anything else.
DO $$
DECLARE
	state bytea;
	name text;
	outcome text[] = '{}';
BEGIN
	FOREACH name IN ARRAY '{linear,decay,shapley,markov:2}'::text[] LOOP
		SELECT decode(pg_temp.attribution_state(name, path, conversions, nulls, value)::text, 'base64') INTO state FROM journey;
		FOR bit IN 0 .. length(state) * 8 - 1 LOOP
			BEGIN
				PERFORM pg_temp.attribution_merge(replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '')::agg_state);
				outcome := outcome || 'answered'::text;
			EXCEPTION WHEN data_corrupted OR invalid_text_representation OR numeric_value_out_of_range OR program_limit_exceeded THEN
				outcome := outcome || SQLSTATE::text;
			END;
		END LOOP;
		IF NOT outcome @> '{answered,XX001}' THEN
			RAISE 'outcomes of %: %', name, (SELECT array_agg(DISTINCT o) FROM unnest(outcome) o);
		END IF;
	END LOOP;
END
$$;
DROP TABLE attribution_rows;

-- Cleaning up paths; test/real has the published cases.
SELECT path, path_keep_last(path, 2), path_exposure(path), path_first(path), path_frequency(path),
	path_drop_unless_all(path, '直接') AS dropped, path_drop_trailing_unless_all(path, '直接') AS trailing
FROM (VALUES ('{a,a,直接,a,直接,直接}'::text[]), ('{直接,直接}'), ('{}'), ('{a}'), (NULL)) p (path);
SELECT path_keep_last('{a,b}', 0), path_keep_last('{a,b}', 2147483647), path_keep_last('[5:6]={a,b}', 1), path_drop_unless_all('{a}', NULL);
SELECT path_keep_last('{a,b}', -1);
SELECT path_first('{a,NULL}');
SELECT path_exposure('{{a,b},{c,d}}');
