-- The states of window_funnel, sequence_match and activity_agg keep an event in a word where it fits, and in two where there
-- are more than eight conditions or times are far: the same answers, in whatever order the two come together.
SET timezone = 'UTC';
CREATE TEMP TABLE happened AS
SELECT customer, timestamptz '2026-06-01' + (hash % 40)::int * interval '6 hours' AS ts, (hash / 64 % 7)::int AS step, (hash / 1024 % 3)::int AS part
FROM generate_series(1, 300) customer, generate_series(1, 40) i, LATERAL (SELECT hashint4extended(customer * 1000 + i, 7)::bit(60)::bigint AS hash) h
WHERE i <= customer % 40 + 1;
CREATE TEMP TABLE modes AS
SELECT concat_ws(',', a, b, c, d, e) AS mode
FROM unnest('{NULL,strict_deduplication}'::text[]) a, unnest('{NULL,strict_order}'::text[]) b, unnest('{NULL,strict_increase}'::text[]) c,
	unnest('{NULL,strict_once}'::text[]) d, unnest('{NULL,allow_reentry}'::text[]) e
WHERE b IS NOT NULL OR e IS NULL;

-- Two to eight steps are arguments of their own, and mean what an array of them does, NULLs too.
CREATE FUNCTION pg_temp.both(steps int) RETURNS TABLE (customers bigint, levels bigint, otherwise bigint) LANGUAGE plpgsql AS $$
DECLARE
	conditions text := (SELECT string_agg(format('nullif(step, 0) %s %s', CASE WHEN n % 3 = 0 THEN '>=' ELSE '=' END, n % 6 + 1), ', ' ORDER BY n) FROM generate_series(1, steps) n);
BEGIN
	RETURN QUERY EXECUTE format('SELECT count(*), count(DISTINCT one), count(*) FILTER (WHERE one IS DISTINCT FROM other)
		FROM (SELECT window_funnel(''5 days'', ts, %1$s) AS one, window_funnel(''5 days'', ts, VARIADIC ARRAY[%1$s]) AS other FROM happened GROUP BY customer) f', conditions);
END $$;
SELECT n AS steps, b.* FROM generate_series(1, 9) n, pg_temp.both(n) b ORDER BY n;
SELECT count(*) AS without_array FROM pg_proc WHERE proname = 'window_funnel' AND prokind = 'a' AND provariadic = 0;

-- One group of many rows: in order, nearly so as logs are, backwards, and in none.
SELECT count(DISTINCT level) AS levels, min(level) AS level
FROM (SELECT o.place, window_funnel('3 minutes', timestamptz '2026-01-01' + i * interval '1 s', i % 97 = 5, i % 97 = 80, i % 97 = 1, i % 97 = 76, i % 97 = 90 ORDER BY
			CASE o.place WHEN 'in order' THEN i WHEN 'nearly' THEN i + (hashint4(i) & 63) WHEN 'backwards' THEN -i ELSE hashint4(i) END)
		AS level
	FROM generate_series(1, 20000) i, unnest('{in order,nearly,backwards,none}'::text[]) o (place) GROUP BY o.place) f;

-- Four conditions beside the same with five more that no event meets, and beside the same history in other millennia.
SELECT count(*), count(DISTINCT level) AS levels, count(*) FILTER (WHERE level <> wide) AS wide, count(*) FILTER (WHERE level <> late) AS late,
	count(*) FILTER (WHERE level <> early) AS early
FROM (SELECT window_funnel('2 days', mode, ts, step = 1, step = 2, step = 3, step = 4) AS level,
		window_funnel('2 days', mode, ts, step = 1, step = 2, step = 3, step = 4, false, false, false, false, false) AS wide,
		window_funnel('2 days', mode, ts + interval '8000 years', step = 1, step = 2, step = 3, step = 4) AS late,
		window_funnel('2 days', mode, ts - interval '4000 years', step = 1, step = 2, step = 3, step = 4) AS early
	FROM happened, modes GROUP BY customer, mode) f;
SELECT count(*), count(*) FILTER (WHERE found) AS found, count(*) FILTER (WHERE found <> wide) AS wide, count(*) FILTER (WHERE times <> late) AS late
FROM (SELECT sequence_match('(?1).*(?t<=86400)(?2)(?t>3600)(?3)', ts, step = 1, step = 2, step = 3) AS found,
		sequence_match('(?1).*(?t<=86400)(?2)(?t>3600)(?3)', ts, step = 1, step = 2, step = 3, false, false, false, false, false, false) AS wide,
		sequence_count('(?1).*(?t<=86400)(?2)(?t>3600)(?3)', ts, step = 1, step = 2, step = 3) AS times,
		sequence_count('(?1).*(?t<=86400)(?2)(?t>3600)(?3)', ts + interval '8000 years', step = 1, step = 2, step = 3) AS late
	FROM happened GROUP BY customer) s;

-- The two forms in one group: an event far away makes the state a wide one, wherever it comes, and changes nothing else.
CREATE FUNCTION pg_temp.levels(place int) RETURNS SETOF int LANGUAGE sql AS $$
	SELECT window_funnel('2 days', ts, step = 1, step = 2, step = 3, step = 4 ORDER BY place * CASE WHEN far THEN 0 ELSE n - 20 END, n)
	FROM (SELECT customer, ts, step, false AS far, row_number() OVER (PARTITION BY customer ORDER BY ts, step) AS n FROM happened
		UNION ALL SELECT customer, timestamptz '9999-01-01', 1, true, 20 FROM (SELECT DISTINCT customer FROM happened WHERE step = 1) c) e
	GROUP BY customer ORDER BY customer
$$;
SELECT (SELECT array_agg(l) FROM pg_temp.levels(0) l) = whole AS first, (SELECT array_agg(l) FROM pg_temp.levels(1) l) = whole AS within,
	(SELECT array_agg(l) FROM pg_temp.levels(-1) l) = whole AS backwards
FROM (SELECT array_agg(level ORDER BY customer) AS whole
	FROM (SELECT customer, window_funnel('2 days', ts, step = 1, step = 2, step = 3, step = 4) AS level FROM happened GROUP BY customer) f) w;

-- Parts of both forms put together, through their text.
CREATE AGGREGATE pg_temp.funnel_part(interval, timestamptz, VARIADIC boolean[]) (SFUNC = window_funnel_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.funnel_whole(agg_state) (SFUNC = window_funnel_combinefn, STYPE = agg_state, FINALFUNC = window_funnel_finalfn);
CREATE TEMP TABLE parts AS
SELECT customer, part, pg_temp.funnel_part('2 days', ts, step = 1, step = 2, step = 3, step = 4)::text AS state
FROM happened GROUP BY customer, part;
INSERT INTO parts
SELECT customer, 3, pg_temp.funnel_part('2 days', timestamptz '9999-01-01', true, false, false, false)::text FROM happened WHERE step = 1 AND customer % 2 = 0 GROUP BY customer;
SELECT count(*), count(*) FILTER (WHERE up <> level) AS up, count(*) FILTER (WHERE down <> level) AS down
FROM (SELECT customer, pg_temp.funnel_whole(state::agg_state ORDER BY part) AS up, pg_temp.funnel_whole(state::agg_state ORDER BY part DESC) AS down FROM parts GROUP BY customer) p
JOIN (SELECT customer, window_funnel('2 days', ts, step = 1, step = 2, step = 3, step = 4) AS level FROM happened GROUP BY customer) f USING (customer);

-- A word for each event, a chunk of the allocator filled: 12 events in 128 bytes, 28 in 256.
CREATE TEMP TABLE sizes AS
SELECT n, octet_length(agg_state_send(pg_temp.funnel_part('1 day', timestamptz '2026-01-01' + i * interval '1 s', i % 2 = 0, true))) + 4 AS near,
	octet_length(agg_state_send(pg_temp.funnel_part('1 day', timestamptz '9026-01-01' + i * interval '1 s', i % 2 = 0, true))) + 4 AS far
FROM unnest('{1,12,13,28,29,60,61,124}'::int[]) n, generate_series(1, n) i GROUP BY n;
SELECT * FROM sizes ORDER BY n;

-- One bit wrong: an error of its own or another level, nothing else.
CREATE FUNCTION pg_temp.damage() RETURNS TABLE (answer text, states bigint) LANGUAGE plpgsql AS $$
DECLARE
	good bytea;
	form text;
BEGIN
	CREATE TEMP TABLE found (form text, answer text);
	FOR form, good IN
		SELECT c, decode(state, 'base64') FROM (SELECT 'near' AS c, pg_temp.funnel_part('1 day', timestamptz '2026-01-01' + i * interval '1 h', i % 2 = 0, true)::text AS state
			FROM generate_series(1, 20) i
			UNION ALL SELECT 'far', pg_temp.funnel_part('1 day', timestamptz '9026-01-01' + i * interval '1 h', i % 2 = 0, true)::text FROM generate_series(1, 20) i) s
	LOOP
		FOR bit IN 32 .. octet_length(good) * 8 - 1 LOOP
			BEGIN
				PERFORM pg_temp.funnel_whole(replace(encode(set_bit(good, bit, 1 - get_bit(good, bit)), 'base64'), chr(10), '')::agg_state);
				INSERT INTO found VALUES (form, 'a level');
			EXCEPTION WHEN data_corrupted THEN
				INSERT INTO found VALUES (form, 'damaged');
			END;
		END LOOP;
	END LOOP;
	RETURN QUERY SELECT f.form || ': ' || f.answer, count(*) FROM found f GROUP BY f.form, f.answer ORDER BY 1;
END $$;
SELECT * FROM pg_temp.damage();

-- Periods of the calendar are put together in the packed form as in the wide one.
SELECT count(*), count(*) FILTER (WHERE a::text <> b::text) AS otherwise
FROM (SELECT activity_agg('week', 'UTC', ts, step = 1, true) AS a, activity_agg('week', 'UTC', ts, step = 1, true ORDER BY part, ts) AS b FROM happened GROUP BY customer) x;
