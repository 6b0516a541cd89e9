-- Satisfaction, loyalty, engagement: worked cases, limits, refusals, merging.
SET extra_float_digits = 0;
CREATE TABLE answers AS SELECT r AS rating FROM unnest('{10,9,9,8,7,6,3,10,10,0,5,9,8,2,10,9,7,7,10,6}'::int[]) AS r;
SELECT nps_agg(rating), nps_interval_agg(rating) FROM answers;
SELECT nps_agg(r), (nps_interval_agg(r)).* FROM (SELECT unnest(array_fill(9, ARRAY[70]) || array_fill(7, ARRAY[20]) || array_fill(0, ARRAY[10])) AS r) s;
SELECT csat_agg(r), (csat_interval_agg(r)).*, csat_agg(5, r) = csat_agg(r) AS scale, csat_agg(10, r) AS of_ten FROM unnest('{5,4,4,3,5,2,1,4,5,5}'::int[]) AS r;
SELECT ces_agg(r), abs((ces_interval_agg(r)).standard_error - stddev(r) / sqrt(count(*))) < 1e-12 AS error FROM unnest('{7,6,5,7,1,NULL,4}'::int[]) AS r;
SELECT nps_agg(NULL), csat_agg(NULL), ces_agg(NULL), nps_interval_agg(10), csat_interval_agg(5), ces_interval_agg(7);
SELECT nps_agg(rating) FROM answers WHERE false;
SELECT nps_agg(11);
SELECT nps_agg(-1);
SELECT csat_agg(0);
SELECT csat_agg(5, 6);
SELECT csat_agg(2, 1);
SELECT csat_agg(NULL, 1);
SELECT csat_agg(s, 3) FROM (VALUES (5), (7)) v (s);
SELECT ces_agg(8);
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;
ALTER TABLE answers SET (parallel_workers = 2);
EXPLAIN (COSTS off) SELECT nps_agg(rating), nps_interval_agg(rating) FROM answers;
SELECT nps_agg(rating), nps_interval_agg(rating) FROM answers;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size;
SELECT array_agg(nps) FROM (SELECT round(nps_agg(rating) OVER (ORDER BY rating ROWS 3 PRECEDING)) AS nps FROM answers) s;
CREATE AGGREGATE pg_temp.ratings_state(int) (SFUNC = nps_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.ratings_merge(agg_state) (SFUNC = ratings_combinefn, STYPE = agg_state, FINALFUNC = nps_interval_finalfn);
DO $$
DECLARE
	state bytea := (SELECT decode(pg_temp.ratings_state(rating)::text, 'base64') FROM answers);
	outcome text[] = '{}';
BEGIN
	FOR bit IN 0 .. length(state) * 8 - 1 LOOP
		BEGIN
			PERFORM pg_temp.ratings_merge(replace(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64'), chr(10), '')::agg_state);
			outcome := outcome || 'answered'::text;
		EXCEPTION WHEN data_corrupted OR invalid_text_representation THEN
			outcome := outcome || SQLSTATE::text;
		END;
	END LOOP;
	IF NOT outcome @> '{answered,XX001}' THEN
		RAISE 'outcomes: %', (SELECT array_agg(DISTINCT o) FROM unnest(outcome) o);
	END IF;
END
$$;


-- The parts of the loyalty index add up to it; the weight of a part that is not known goes to the others.
SELECT * FROM loyalty_parts('{0.8,0.5,0.25}', '{2,1,1}');
SELECT loyalty_index('{0.8,0.5,0.25}', '{2,1,1}'), loyalty_index('{0.8,NULL,0.25}', '{2,1,1}'), loyalty_index('{NULL}', '{1}'), loyalty_index('{1,1}', '{3,1}'), loyalty_index('{0.1}', '{0}');
SELECT bool_and(loyalty_index(parts, weights) = (SELECT sum(contribution ORDER BY part) FROM loyalty_parts(parts, weights))) AS exact FROM (SELECT ARRAY[random(), random(), random()] AS parts, ARRAY[random(), random(), random()] AS weights FROM generate_series(1, 200)) s;

-- An event each day is an engagement of 1, at any tenure above the floor; a new customer counts as one of the floor.
SELECT round(engagement(sum(power(0.5, d / 14.0)) / 1, '14 days', '365 days')::numeric, 2) AS daily FROM generate_series(0, 364) AS d;
SELECT engagement(3, '14 days', '2 days') = engagement(3, '14 days', '30 days') AS floored, engagement(3, '14 days', '2 days') < engagement(3, '14 days', '2 days', '1 day') AS without_floor, engagement(0, '14 days', '1 year') AS none;
DROP TABLE answers;
