-- retention: NULLs, refusals, merging.
CREATE TEMP TABLE activity (customer int, day date);
INSERT INTO activity VALUES (1, '2026-06-01'), (1, '2026-06-02'), (1, '2026-06-08'), (2, '2026-06-01'), (2, '2026-06-08'),
	(3, '2026-06-02'), (3, '2026-06-08'), (4, '2026-06-01'), (4, NULL);

SELECT customer, retention(day = '2026-06-01', day = '2026-06-02', day = '2026-06-08') AS retained
FROM activity GROUP BY customer ORDER BY customer;
SELECT sum(r[1]::int) AS day_0, sum(r[2]::int) AS day_1, sum(r[3]::int) AS day_7
FROM (SELECT retention(day = '2026-06-01', day = '2026-06-02', day = '2026-06-08') AS r FROM activity GROUP BY customer) x;

-- One row may meet several conditions; NULL is false; no rows: NULL.
SELECT retention(true, true, false, NULL) FROM activity;
SELECT retention(NULL::boolean) FROM activity;
SELECT retention(true) FROM activity WHERE false;
SELECT retention(VARIADIC array_fill(true, ARRAY[64])) = array_fill(true, ARRAY[64]) AS sixty_four FROM activity;
SELECT customer, retention(day = '2026-06-01', day = '2026-06-08') OVER (PARTITION BY customer ORDER BY day ROWS 1 PRECEDING) FROM activity ORDER BY customer, day;

-- What is refused.
SELECT retention(VARIADIC '{}'::boolean[]) FROM activity;
SELECT retention(VARIADIC NULL::boolean[]) FROM activity;
SELECT retention(VARIADIC array_fill(true, ARRAY[65])) FROM activity;
SELECT retention(VARIADIC array_fill(true, ARRAY[customer])) FROM activity;

-- Merging, with empty sides and damaged ones.
CREATE AGGREGATE pg_temp.retention_state(VARIADIC boolean[]) (SFUNC = retention_transfn, STYPE = agg_state);
CREATE AGGREGATE pg_temp.retention_merge(agg_state) (SFUNC = retention_combinefn, STYPE = agg_state, FINALFUNC = retention_finalfn);
SELECT bool_and(whole = merged) AS same
FROM (SELECT customer, retention(day = '2026-06-01', day = '2026-06-02', day = '2026-06-08') AS whole FROM activity GROUP BY customer) w
JOIN (SELECT customer, pg_temp.retention_merge(state) AS merged
	FROM (SELECT customer, pg_temp.retention_state(day = '2026-06-01', day = '2026-06-02', day = '2026-06-08') AS state
		FROM activity GROUP BY customer, day UNION ALL SELECT customer, NULL FROM activity) x GROUP BY customer) m USING (customer);
SELECT pg_temp.retention_merge(NULL) FROM activity;
DO $$
DECLARE
	state bytea;
	refused int := 0;
BEGIN
	SELECT decode(pg_temp.retention_state(true, false, true)::text, 'base64') INTO state;
	FOR bit IN 0 .. length(state) * 8 - 1 LOOP
		BEGIN
			PERFORM pg_temp.retention_merge(encode(set_bit(state, bit, 1 - get_bit(state, bit)), 'base64')::agg_state) FROM activity;
		EXCEPTION WHEN data_corrupted OR invalid_text_representation THEN
			refused := refused + 1;
		END;
	END LOOP;
	-- All but the three that change what was met, and four that make the number of conditions larger.
	IF refused <> length(state) * 8 - 7 THEN
		RAISE 'only % of % refused', refused, length(state) * 8;
	END IF;
END
$$;
