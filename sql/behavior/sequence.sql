-- sequence_match, sequence_count, sequence_match_events.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
CREATE TEMP TABLE step (customer int, ts timestamptz, page text);
INSERT INTO step
SELECT customer, timestamptz '2026-06-01' + second * interval '1 second', page
FROM (VALUES
	(1, 0, 'a'), (1, 10, 'b'), (1, 20, 'a'), (1, 30, 'x'), (1, 40, 'b'),
	(2, 0, 'b'), (2, 10, 'a'),
	(3, 0, 'a'), (3, 5, 'c'), (3, 6, 'b'), (3, 3605, 'b'),
	(4, 0, 'b'), (4, 0, 'a'),
	(5, 0, 'x')) v (customer, second, page);

SELECT pattern, string_agg(answer, '  ' ORDER BY customer) AS answers
FROM (
	SELECT pattern, customer, concat_ws(' ', sequence_match(pattern, ts, page = 'a', page = 'b', page = 'c')::text,
			sequence_count(pattern, ts, page = 'a', page = 'b', page = 'c'),
			(SELECT coalesce(string_agg(extract(epoch FROM t - '2026-06-01')::int::text, ','), '-')
				FROM unnest(sequence_match_events(pattern, ts, page = 'a', page = 'b', page = 'c')) t)) AS answer
	FROM step, unnest(ARRAY['(?1)(?2)', '(?1).*(?2)', '(?1).(?2)', '(?1)(?t<=10)(?2)', '(?1)(?t<10)(?2)', '(?1)(?t>3600)(?2)', '(?1).*(?t==6)(?2)',
		'(?1)(?t==6).*(?2)', '(?1)(?t>=5)(?t<=20)(?2)', '(?2)(?1)(?2)', '(?1)(?1)(?3)', '', '.', '.*', '..', '(?1)(?t>+0)(?2)']) pattern
	GROUP BY pattern, customer) x
GROUP BY pattern ORDER BY pattern COLLATE "C";

-- Exact to the microsecond.
SELECT sequence_match('(?1)(?t<=1)(?2)', ts, n = 1, n = 2) AS one, sequence_match('(?1)(?t>1)(?2)', ts, n = 1, n = 2) AS more
FROM (VALUES (timestamptz '2026-06-01', 1), ('2026-06-01 00:00:01.000001', 2)) v (ts, n);

-- NULLs and nothing.
SELECT sequence_match('.*', ts, true), sequence_count('.', ts, true), sequence_match_events('(?1)', ts, true) FROM step WHERE false;
SELECT sequence_match('(?2)', ts, page = 'a', NULL), sequence_count('(?1)', ts, page = 'a', NULL) FROM step;
SELECT sequence_match('.', NULL, true) FROM step;
SELECT customer, sequence_count('(?1)(?2)', ts, page = 'a', page = 'b') FILTER (WHERE page <> 'c') AS filtered,
	sequence_count('(?1)(?2)', ts, VARIADIC ARRAY[page = 'a', page = 'b']) AS listed
FROM step GROUP BY customer ORDER BY customer;

-- What is refused.
CREATE FUNCTION pg_temp.try(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
BEGIN
	EXECUTE query;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''));
END
$$;
SELECT pg_temp.try(format('SELECT sequence_match(%L, ts, true, false) FROM step', pattern))
FROM unnest(ARRAY['(?0)', '(?3)', '(?)', '(?1', '(?1)(?2', '顾客', '(?1)客', '(?1)*', '(?1)(?t2)(?2)', '(?1)(?t>-1)(?2)', '(?1)(?t>1.5)(?2)',
	'(?t>1)(?1)', '(?1)(?t>1)', repeat('.', 257), NULL]) WITH ORDINALITY p (pattern, n) ORDER BY n;
SELECT pg_temp.try($$SELECT sequence_match('(?1)', 'infinity', true)$$);
SELECT pg_temp.try($$SELECT sequence_match(repeat('.', customer), ts, true) FROM step$$);
SELECT pg_temp.try($$SELECT sequence_match('.', ts, VARIADIC array_fill(true, ARRAY[customer])) FROM step$$);

-- Whole = merge of parts, in any order of rows; against plain SQL for a pattern that SQL can say.
CREATE TABLE sequence_event AS
SELECT i % 300 AS customer, timestamptz '2026-01-01' + (hashint4(i) & 4095) * interval '1 second' AS ts,
	substr('abcd', 1 + (hashint4(i * 7) & 2147483647) % 4, 1) AS page
FROM generate_series(1, 20000) i;
ALTER TABLE sequence_event SET (parallel_workers = 2);
ANALYZE sequence_event;
CREATE AGGREGATE pg_temp.sequence_state(text, timestamptz, VARIADIC boolean[]) (SFUNC = sequence_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.sequence_merge(agg_state) (SFUNC = sequence_combinefn, STYPE = agg_state, FINALFUNC = sequence_count_finalfn);
CREATE TEMP TABLE whole AS
SELECT pattern, customer, sequence_count(pattern, ts, page = 'a', page = 'b', page = 'c') AS matches
FROM sequence_event, unnest(ARRAY['(?1)(?2)', '(?1)(?t<=60)(?2)(?t>30)(?3)', '(?1)(?t>=20)(?t<90)(?2)', '(?2).(?2)']) pattern
GROUP BY pattern, customer;
SELECT pattern, sum(matches) FROM whole GROUP BY pattern ORDER BY pattern COLLATE "C";
SELECT count(*) AS different
FROM whole JOIN (
	SELECT pattern, customer, pg_temp.sequence_merge(state ORDER BY part DESC) AS matches
	FROM (SELECT pattern, customer, hashtext(page || ts::text) % 5 AS part,
			pg_temp.sequence_state(pattern, ts, page = 'a', page = 'b', page = 'c' ORDER BY ts DESC) AS state
		FROM sequence_event, (SELECT DISTINCT pattern FROM whole) p GROUP BY 1, 2, 3
		UNION ALL SELECT pattern, customer, 100, NULL FROM whole) parts
	GROUP BY 1, 2) merged USING (pattern, customer)
WHERE whole.matches IS DISTINCT FROM merged.matches;
SELECT count(*) AS different
FROM (SELECT customer, count(*) FILTER (WHERE page = 'a' AND next = 'b') AS matches
	FROM (SELECT customer, page, lead(page) OVER (PARTITION BY customer ORDER BY ts, page) AS next
		FROM sequence_event WHERE page IN ('a', 'b', 'c')) x GROUP BY customer) plain
JOIN whole USING (customer) WHERE pattern = '(?1)(?2)' AND whole.matches <> plain.matches;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF)
SELECT customer, sequence_match('(?1)(?2)', ts, page = 'a', page = 'b'), sequence_count('(?1)(?2)', ts, page = 'a', page = 'b')
FROM sequence_event GROUP BY customer;
SELECT count(*) AS different
FROM (SELECT customer, sequence_count('(?1)(?t<=60)(?2)(?t>30)(?3)', ts, page = 'a', page = 'b', page = 'c') AS matches
	FROM sequence_event GROUP BY customer) parallel
JOIN whole USING (customer) WHERE pattern = '(?1)(?t<=60)(?2)(?t>30)(?3)' AND whole.matches <> parallel.matches;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- As a window function.
SELECT ts, page, sequence_match_events('(?1)(?2)', ts, page = 'a', page = 'b') OVER (ORDER BY ts ROWS 1 PRECEDING) AS last_two,
	sequence_count('(?1).*(?2)', ts, page = 'a', page = 'b') OVER (ORDER BY ts) AS so_far
FROM step WHERE customer = 1 ORDER BY ts;

-- Patterns and data that a matcher which goes back would never finish; and one can be cancelled.
SELECT sequence_match('(?1)(?t<=90000)(?1)(?t<=90000)(?1)(?t<=90000)(?1)(?t<=90000)(?1)(?2)', timestamptz '2026-01-01' + i * interval '1 s', true, false) AS none,
	sequence_count('(?1).*(?1).*(?1)(?t>=5)(?t<=70000).', timestamptz '2026-01-01' + i * interval '1 s', true, false) > 0 AS some
FROM generate_series(1, 100000) i;
CREATE TEMP TABLE long_one AS
SELECT pg_temp.sequence_state(repeat('.*(?1)(?t>=1)(?t<=900000)', 250) || '(?2)', '2026-01-01'::timestamptz + i * interval '1 s', true, false) AS state
FROM generate_series(1, 300000) i;
SET statement_timeout = '100ms';
SELECT pg_temp.sequence_merge(state) FROM long_one;
RESET statement_timeout;

-- Damaged states are found or harmless.
DO $$
DECLARE
	state bytea;
	bad bytea;
	refused int := 0;
	matches bigint;
BEGIN
	SELECT decode(pg_temp.sequence_state('(?1).*(?2)', ts, page = 'a', page = 'b')::text, 'base64') INTO state
	FROM sequence_event WHERE customer = 1;
	FOR bit IN 0 .. 799 LOOP
		bad := set_bit(state, bit, 1 - get_bit(state, bit));
		BEGIN
			SELECT pg_temp.sequence_merge(s) INTO matches
			FROM (VALUES (NULL::agg_state), (replace(encode(bad, 'base64'), E'\n', '')::agg_state), (replace(encode(bad, 'base64'), E'\n', '')::agg_state)) v (s);
		EXCEPTION WHEN data_corrupted OR invalid_text_representation OR invalid_parameter_value THEN
			refused := refused + 1;
		END;
	END LOOP;
	IF refused < 200 THEN
		RAISE 'only % of 800 refused', refused;
	END IF;
END
$$;
DROP TABLE sequence_event;
