-- sequence_next_node: directions, bases, ties, refusals, merging.
SET timezone = 'UTC';
CREATE TEMP TABLE hop (customer int, ts timestamptz, page text, ref boolean);
INSERT INTO hop
SELECT customer, timestamptz '2026-06-01' + minute * interval '1 minute', page, ref
FROM (VALUES
	(1, 0, 'home', true), (1, 1, 'list', true), (1, 2, 'item', true), (1, 3, 'buy', true),
	(2, 0, 'list', true), (2, 1, 'home', false), (2, 2, 'home', true), (2, 3, 'list', true), (2, 4, 'exit', NULL),
	(3, 0, 'home', true),
	(4, 0, 'home', true), (4, 1, NULL, true),
	(5, NULL, 'home', true)) v (customer, minute, page, ref);

SELECT customer, sequence_next_node('forward', 'head', ts, page, ref, page = 'home') AS after_home,
	sequence_next_node('forward', 'head', ts, page, ref, page = 'home', page = 'list') AS after_two,
	sequence_next_node('forward', 'first_match', ts, page, ref, page = 'home') AS after_first,
	sequence_next_node('forward', 'last_match', ts, page, ref, page = 'home') AS after_last,
	sequence_next_node('backward', 'tail', ts, page, ref, page = 'buy') AS before_buy,
	sequence_next_node('backward', 'last_match', ts, page, ref, page = 'list') AS before_list,
	sequence_next_node('backward', 'first_match', ts, page, ref, page = 'list') AS before_first_list
FROM hop GROUP BY customer ORDER BY customer;

-- Without steps: the base itself.
SELECT customer, sequence_next_node('forward', 'head', ts, page, ref) AS first,
	sequence_next_node('backward', 'tail', ts, page, true) AS last,
	sequence_next_node('forward', 'first_match', ts, page, page <> 'home', VARIADIC '{}') AS first_other
FROM hop GROUP BY customer ORDER BY customer;

-- Ties: in the direction of the chain the lowest step comes first, then the base, then the lesser value.
SELECT sequence_next_node('forward', 'head', ts, page, true, page = 'a', page = 'b') AS forward,
	sequence_next_node('backward', 'tail', ts, page, true, page = 'a', page = 'b') AS backward,
	sequence_next_node('forward', 'head', ts, page, page = 'c') AS base
FROM unnest('{d,c,b,a,e}'::text[]) page, (VALUES (timestamptz '2026-06-01')) v (ts);

-- NULLs and nothing.
SELECT sequence_next_node('forward', 'head', ts, page, true, true) FROM hop WHERE false;
SELECT sequence_next_node('forward', 'head', ts, page, NULL, true), sequence_next_node('forward', 'head', ts, page, true, NULL),
	sequence_next_node('forward', 'head', NULL, page, true) FROM hop;

-- What is refused.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END
$$;
SELECT pg_temp.try(format('SELECT sequence_next_node(%s, ts, page, true, true) FROM hop', arguments))
FROM unnest(ARRAY[$$'up', 'head'$$, $$'forward', 'Head'$$, $$'forward', 'tail'$$, $$'backward', 'head'$$, $$NULL, 'head'$$, $$'forward', NULL$$])
	WITH ORDINALITY a (arguments, n) ORDER BY n;
SELECT pg_temp.try($$SELECT sequence_next_node('forward', 'head', 'infinity', 'a', true)$$);
SELECT pg_temp.try($$SELECT sequence_next_node('forward', page, ts, page, true) FROM (VALUES (now(), 'head'), (now(), 'last_match')) v (ts, page)$$);
SELECT pg_temp.try($$SELECT sequence_next_node('forward', 'head', ts, page, true, VARIADIC array_fill(true, ARRAY[customer])) FROM hop$$);
SELECT pg_temp.try($$SELECT sequence_next_node('forward', 'head', ts, page, true, VARIADIC array_fill(true, ARRAY[65])) FROM hop$$);
SELECT pg_temp.try($$SELECT sequence_next_node('forward', 'head', ts, page, true, VARIADIC NULL) FROM hop$$);

-- Whole = merge of parts, in any order of rows; against plain SQL.
CREATE TABLE hop_event AS
SELECT i % 300 AS customer, timestamptz '2026-01-01' + (hashint4(i) & 4095) * interval '1 second' AS ts,
	substr('abcd', 1 + (hashint4(i * 7) & 2147483647) % 4, 1) AS page
FROM generate_series(1, 20000) i;
ALTER TABLE hop_event SET (parallel_workers = 2);
ANALYZE hop_event;
CREATE AGGREGATE pg_temp.node_state(text, text, timestamptz, text, boolean, VARIADIC boolean[]) (SFUNC = sequence_next_node_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.node_merge(agg_state) (SFUNC = sequence_next_node_combinefn, STYPE = agg_state, FINALFUNC = sequence_next_node_finalfn);
CREATE TEMP TABLE whole AS
SELECT direction, base, customer, sequence_next_node(direction, base, ts, page, page <> 'd', page = 'a', page = 'b') AS next
FROM hop_event, (VALUES ('forward', 'head'), ('forward', 'first_match'), ('forward', 'last_match'), ('backward', 'tail'), ('backward', 'first_match')) v (direction, base)
GROUP BY 1, 2, 3;
SELECT direction, base, next, count(*) FROM whole GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
SELECT count(*) AS different
FROM whole JOIN (
	SELECT direction, base, customer, pg_temp.node_merge(state ORDER BY part DESC) AS next
	FROM (SELECT direction, base, customer, hashtext(page || ts::text) % 5 AS part,
			pg_temp.node_state(direction, base, ts, page, page <> 'd', page = 'a', page = 'b' ORDER BY ts DESC) AS state
		FROM hop_event, (SELECT DISTINCT direction, base FROM whole) p GROUP BY 1, 2, 3, 4
		UNION ALL SELECT direction, base, customer, 100, NULL FROM whole) parts
	GROUP BY 1, 2, 3) merged USING (direction, base, customer)
WHERE whole.next IS DISTINCT FROM merged.next;
WITH numbered AS (
	SELECT customer, page, lead(page, 1) OVER w AS second, lead(page, 2) OVER w AS third,
		row_number() OVER w AS place
	FROM hop_event WINDOW w AS (PARTITION BY customer ORDER BY ts, page)),
first_match AS (
	SELECT DISTINCT ON (customer) customer, CASE WHEN second = 'b' THEN third END AS next
	FROM numbered WHERE page = 'a' ORDER BY customer, place)
SELECT count(*) AS different
FROM whole LEFT JOIN first_match USING (customer)
WHERE direction = 'forward' AND base = 'first_match' AND whole.next IS DISTINCT FROM first_match.next;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF)
SELECT customer, sequence_next_node('forward', 'head', ts, page, true, page = 'a') FROM hop_event GROUP BY customer;
SELECT count(*) AS different
FROM (SELECT customer, sequence_next_node('forward', 'first_match', ts, page, page <> 'd', page = 'a', page = 'b') AS next
	FROM hop_event GROUP BY customer) parallel
JOIN whole USING (customer) WHERE direction = 'forward' AND base = 'first_match' AND whole.next IS DISTINCT FROM parallel.next;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- As a window function.
SELECT ts, page, sequence_next_node('forward', 'head', ts, page, true, true) OVER (ORDER BY ts ROWS 2 PRECEDING) AS middle
FROM hop WHERE customer = 1 ORDER BY ts;

-- Damaged states are found or harmless.
DO $$
DECLARE
	state bytea;
	bad bytea;
	refused int := 0;
	answer text;
BEGIN
	SELECT decode(pg_temp.node_state('forward', 'head', ts, page, true, page = 'a')::text, 'base64') INTO state
	FROM hop_event WHERE customer = 1;
	FOR bit IN 0 .. 799 LOOP
		bad := set_bit(state, bit, 1 - get_bit(state, bit));
		BEGIN
			SELECT pg_temp.node_merge(s) INTO answer
			FROM (VALUES (NULL::agg_state), (replace(encode(bad, 'base64'), E'\n', '')::agg_state), (replace(encode(bad, 'base64'), E'\n', '')::agg_state)) v (s);
		EXCEPTION WHEN data_corrupted OR invalid_text_representation OR character_not_in_repertoire THEN
			refused := refused + 1;
		END;
	END LOOP;
	IF refused < 200 THEN
		RAISE 'only % of 800 refused', refused;
	END IF;
END
$$;
DROP TABLE hop_event;
