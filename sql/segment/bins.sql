-- crm.bins: cuts as a value, and the aggregates that find them.
SET extra_float_digits = 0;
SELECT '{"cuts": [18, 30.5, 65]}'::crm.bins, ' { "inclusive" : true, "cuts" : [ -1e3,2 ]} '::crm.bins, '{"cuts":[]}'::crm.bins AS one;
SELECT crm.make_bins('{18,30,65}'), crm.make_bins('{18}', true), crm.make_bins('{}'), crm.make_bins(NULL), crm.make_bins('[3:4]={-0,5e-324}') AS smallest;
-- the text form is exact whatever the session shows
SET extra_float_digits = -15;
SELECT crm.make_bins(ARRAY[0.1, 1/3::float8])::text;
SET extra_float_digits = 0;
-- each bad text
DO $$
DECLARE t text; m text; d text;
BEGIN
	FOREACH t IN ARRAY ARRAY['', 'x', '{}', '{"cuts"}', '{"cuts": 1}', '{"cuts": [1 2]}', '{"cuts": [1,]}', '{"cuts": [2, 1]}', '{"cuts": [1, 1]}', '{"cuts": [-0, 0]}',
		'{"cuts": [NaN]}', '{"cuts": [Infinity]}', '{"cuts": [1e999]}', '{"cuts": [null]}', '{"cuts": [1]', '{"cuts": [1]} {}', '{"cuts": [1], "cuts": [2]}', '{"inclusive": true}',
		'{"cuts": [1], "inclusive": 1}', '{"cuts": [1], "other": 1}', '{"cuts": [' || repeat('1,', 999) || '1]}']
	LOOP
		BEGIN
			PERFORM t::crm.bins;
			RAISE NOTICE 'taken: %', t;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, m = RETURNED_SQLSTATE;
			RAISE NOTICE '% %: %', m, left(t, 30), d;
		END;
	END LOOP;
END $$;
SELECT '{"cuts": [2, 1]}'::crm.bins;
SELECT crm.make_bins('{1,NULL}');
SELECT crm.make_bins('{{1},{2}}');
SELECT crm.make_bins('{2,1}');
SELECT crm.make_bins('{1,Infinity}');
SELECT crm.make_bins(array_agg(i)) FROM generate_series(1, 1000) i;
SELECT crm.bin_count(crm.make_bins(array_agg(i))) FROM generate_series(1, 999) i;
-- binary: there and back; whatever else comes is refused, or good
SELECT encode(crm.bins_send(crm.make_bins('{1}', true)), 'hex');
CREATE TEMP TABLE carried (b crm.bins);
INSERT INTO carried VALUES (crm.make_bins('{1,2.5,1e300}')), (crm.make_bins('{}', true)), (NULL), ((SELECT crm.make_bins(array_agg(i / 7.0::float8)) FROM generate_series(1, 999) i));
DO $$
DECLARE file text := current_setting('data_directory') || '/bins_test_' || pg_backend_pid();
BEGIN
	EXECUTE format('COPY carried TO %L (FORMAT binary)', file);
	CREATE TEMP TABLE came (b crm.bins);
	EXECUTE format('COPY came FROM %L (FORMAT binary)', file);
	EXECUTE format('COPY (SELECT 1 WHERE false) TO %L', file);
END $$;
SELECT count(*), count(c.b) FROM carried c JOIN came d ON c.b::text IS NOT DISTINCT FROM d.b::text;

-- looking up: a cut belongs to the bin above it, or to the one below
SELECT v, crm.bin(v, b) AS bin, crm.bin_label(v, b) AS label, crm.bin(v, i) AS inclusive, crm.bin_label(v, i) AS inclusive_label, crm.bin(v, crm.make_bins('{}')) AS one
FROM (VALUES (-1::float8), (17.999), (18), (18.001), (64), (65), (66), ('Infinity'), ('-Infinity'), (NULL)) AS t (v), crm.make_bins('{18,30,65}') b, crm.make_bins('{18,30,65}', true) i;
SELECT crm.bin(5, crm.make_bins('{5}')), crm.bin(5.5::numeric, crm.make_bins('{5}')), crm.bin(5::bigint, NULL), crm.bin_label(5::real, crm.make_bins('{-0.1}'));
SELECT crm.bin('NaN', crm.make_bins('{5}'));
SELECT bool_and(v::numeric <@ crm.bin_label(v, b)::numrange) AS labels_are_ranges FROM generate_series(-10, 80) v, (VALUES (crm.make_bins('{18,30,65}')), (crm.make_bins('{18,30,65}', true)), (crm.make_bins('{}'))) t (b);
SELECT crm.bin_count(b), crm.bin_cuts(b), r.* FROM (VALUES (crm.make_bins('{18,30.5}')), (crm.make_bins('{0}', true)), (crm.make_bins('{}'))) AS t (b), crm.bin_ranges(b) r;

-- cuts from the rows
CREATE TABLE bins_test AS
SELECT i AS id, i % 17 AS few, (i::bigint * 7919 * 104729 % 1000003) / 97.0::float8 AS many, CASE WHEN i % 3 > 0 THEN 0 ELSE (i::bigint * 7919 % 100003) END::float8 AS zeros,
	CASE WHEN i % 5 > 0 THEN exp(i % 1000 / 100.0) END::float8 AS gaps, (i * 37 % 400 + i % 7) AS age,
	(i::bigint * 48271 % 65537) % 100 < CASE WHEN (i * 37 % 400) BETWEEN 100 AND 249 THEN 40 WHEN (i * 37 % 400) < 30 THEN 25 ELSE 10 END AS label
FROM generate_series(1, 20000) i;
ANALYZE bins_test;
-- quantiles: those of percentile_cont, each once, none at the top
CREATE FUNCTION pg_temp.quantiles(c text, n int) RETURNS TABLE (of text, bins int, same boolean, inclusive boolean) LANGUAGE plpgsql AS $$
BEGIN
	RETURN QUERY EXECUTE format('SELECT %1$L, crm.bin_count(b), NOT EXISTS (SELECT FROM (SELECT cut, row_number() OVER (ORDER BY cut) FROM (SELECT DISTINCT cut FROM unnest(q) cut WHERE cut < m) d) x
			FULL JOIN (SELECT cut, row_number() OVER (ORDER BY cut) FROM unnest(crm.bin_cuts(b)) cut) y USING (row_number) WHERE abs(x.cut - y.cut) <= 1e-12 * abs(x.cut) IS NOT TRUE), b::text LIKE ''%%true}''
		FROM (SELECT crm.quantile_bins_agg(%2$s, %1$I) b, percentile_cont((SELECT array_agg(k / %2$s.0::float8 ORDER BY k) FROM generate_series(1, %2$s - 1) k)) WITHIN GROUP (ORDER BY %1$I::float8) q, max(%1$I)::float8 m FROM bins_test) t', c, n);
END $$;
SELECT * FROM pg_temp.quantiles('few', 5) UNION ALL SELECT * FROM pg_temp.quantiles('many', 10) UNION ALL SELECT * FROM pg_temp.quantiles('many', 1000)
UNION ALL SELECT * FROM pg_temp.quantiles('zeros', 4) UNION ALL SELECT * FROM pg_temp.quantiles('gaps', 7) UNION ALL SELECT * FROM pg_temp.quantiles('age', 3);
-- the bins of rfm_score's borders are the same
SELECT crm.rfm_cuts_agg(5, '2026-01-01', NULL, NULL, many)::text LIKE '%' || (crm.quantile_bins_agg(5, many)::text::jsonb ->> 'cuts') || '%' AS as_rfm FROM bins_test;
-- nearly equally full; equal values in one bin
SELECT crm.bin(many, b) AS bin, count(*) FROM bins_test, (SELECT crm.quantile_bins_agg(5, many) b FROM bins_test) q GROUP BY 1 ORDER BY 1;
SELECT crm.bin_label(zeros, b) AS bin, count(*) FROM bins_test, (SELECT crm.quantile_bins_agg(4, zeros) b FROM bins_test) q GROUP BY 1 ORDER BY 1;
-- equal widths: width_bucket, but for the greatest value
SELECT count(*) FILTER (WHERE crm.bin(many, b) <> least(width_bucket(many, lo, hi, 7), 7)) AS different, crm.bin_count(any_b) FROM bins_test,
	(SELECT crm.equal_width_bins_agg(7, many) b, min(many) lo, max(many) hi FROM bins_test) w, LATERAL (SELECT b AS any_b) x GROUP BY 2;
SELECT crm.equal_width_bins_agg(5, v) FROM (VALUES (0), (100)) AS t (v);
-- constants, one value, none
SELECT crm.quantile_bins_agg(5, 7::float8), crm.equal_width_bins_agg(5, 7), crm.tree_bins_agg(5, 7, i > 3), crm.monotone_bins_agg(5, 7, i > 3) FROM generate_series(1, 9) i;
SELECT crm.quantile_bins_agg(5, v), crm.equal_width_bins_agg(5, v), crm.tree_bins_agg(5, v, l), crm.monotone_bins_agg(5, v, l) FROM (VALUES (NULL::float8, true), (1, NULL)) AS t (v, l);
SELECT crm.quantile_bins_agg(5, v), crm.equal_width_bins_agg(5, v), crm.tree_bins_agg(5, v, true), crm.monotone_bins_agg(5, v, true) FROM (VALUES (NULL::float8), (NULL)) AS t (v);
-- one label tells nothing
SELECT crm.tree_bins_agg(5, age, true), crm.monotone_bins_agg(5, age, false) FROM bins_test;
SELECT crm.quantile_bins_agg(1, many), crm.equal_width_bins_agg(1, many), crm.tree_bins_agg(1, many, label), crm.monotone_bins_agg(1, many, label) FROM bins_test;
SELECT crm.equal_width_bins_agg(2, v), crm.quantile_bins_agg(2, v) FROM (VALUES (-1.7e308::float8), (1.7e308)) AS t (v);

-- a tree: the first cut, by trying all of them
SELECT crm.tree_bins_agg(2, age, label) AS tree,
	(SELECT cut FROM (SELECT cut, sum(h) AS h FROM (
		SELECT c.cut, age < c.cut AS side, count(*) FILTER (WHERE label) * ln(count(*) FILTER (WHERE label) / count(*)::float8) + count(*) FILTER (WHERE NOT label) * ln(count(*) FILTER (WHERE NOT label) / count(*)::float8) AS h, count(*) AS n
		FROM bins_test, (SELECT DISTINCT age AS cut FROM bins_test) c GROUP BY 1, 2 HAVING count(*) >= 1000) s GROUP BY cut HAVING count(*) = 2) x ORDER BY h DESC, cut LIMIT 1) AS by_trying
FROM bins_test;
SELECT crm.tree_bins_agg(8, age, label), crm.tree_bins_agg(3, age, label) AS three, crm.tree_bins_agg(8, 0.3, age, label) AS large, crm.tree_bins_agg(8, many, label) AS noise FROM bins_test;
SELECT crm.bin_label(age, b) AS bin, count(*), round(avg(label::int), 3) AS rate FROM bins_test, (SELECT crm.tree_bins_agg(8, age, label) b FROM bins_test) t GROUP BY 1, crm.bin(age, b) ORDER BY crm.bin(age, b);
-- monotone: the rate only falls, and no other cuts of as many bins were forced
SELECT crm.bin_label(v, b) AS bin, count(*), round(avg(l::int), 3) AS rate FROM (SELECT age AS v, (id::bigint * 48271 % 65537) % 400 > age AS l FROM bins_test) r,
	(SELECT crm.monotone_bins_agg(5, age, (id::bigint * 48271 % 65537) % 400 > age) b FROM bins_test) t GROUP BY 1, crm.bin(v, b) ORDER BY crm.bin(v, b);
SELECT crm.monotone_bins_agg(20, 0, few, label) AS up_or_down, crm.monotone_bins_agg(20, 0.2, age, label) AS shares FROM bins_test;
-- weight of evidence of bins; NULL is a bin of its own
SELECT (w).bin, (w).rows, (w).positives, round((w).woe::numeric, 4) AS woe, round((w).iv::numeric, 4) AS iv
FROM (SELECT unnest(crm.woe_table(label, crm.bin_label(CASE WHEN id % 50 > 0 THEN age END, b))) AS w FROM bins_test, (SELECT crm.tree_bins_agg(4, age, label) b FROM bins_test) t GROUP BY b::text) x;
SELECT round(crm.information_value(label, crm.bin_label(age, t))::numeric, 3) > round(crm.information_value(label, crm.bin_label(age, q))::numeric, 3) AS a_tree_tells_more
FROM bins_test, (SELECT crm.tree_bins_agg(4, age, label) t, crm.quantile_bins_agg(4, age) q FROM bins_test) t;

-- in parallel, in any order, by parts
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT crm.quantile_bins_agg(5, many), crm.equal_width_bins_agg(5, many), crm.tree_bins_agg(5, age, label), crm.monotone_bins_agg(5, 0.1, age, label) FROM bins_test;
CREATE TEMP TABLE parallel AS SELECT crm.quantile_bins_agg(5, many)::text a, crm.equal_width_bins_agg(5, many)::text b, crm.tree_bins_agg(5, age, label)::text c, crm.monotone_bins_agg(5, 0.1, age, label)::text d FROM bins_test;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
SELECT a = q AND b = e AND c = t AND d = m AS same FROM parallel,
	(SELECT crm.quantile_bins_agg(5, many ORDER BY many DESC)::text q, crm.equal_width_bins_agg(5, many ORDER BY many DESC)::text e, crm.tree_bins_agg(5, age, label ORDER BY id DESC)::text t, crm.monotone_bins_agg(5, 0.1, age, label ORDER BY id DESC)::text m FROM bins_test) s;
-- of groups, with FILTER, in a window
SELECT few, crm.quantile_bins_agg(2, age) FILTER (WHERE id < 200) AS q, crm.equal_width_bins_agg(2, age) FILTER (WHERE id < 200) AS e FROM bins_test WHERE few < 3 GROUP BY few ORDER BY few;
SELECT id, crm.quantile_bins_agg(2, few) OVER (ORDER BY id ROWS 2 PRECEDING), crm.equal_width_bins_agg(2, few) OVER (ORDER BY id ROWS 2 PRECEDING) FROM bins_test WHERE id < 5 ORDER BY id;

-- refused
SELECT crm.quantile_bins_agg(0, 1::float8);
SELECT crm.quantile_bins_agg(1001, 1::float8);
SELECT crm.quantile_bins_agg(NULL, 1::float8);
SELECT crm.quantile_bins_agg(v, 1::float8) FROM generate_series(1, 2) v;
SELECT crm.quantile_bins_agg(5, 'NaN'::float8);
SELECT crm.equal_width_bins_agg(0, NULL::float8);
SELECT crm.equal_width_bins_agg(5, '-Infinity'::float8);
SELECT crm.equal_width_bins_agg(v, 1::float8) FROM generate_series(1, 2) v;
SELECT crm.tree_bins_agg(5, -0.1, 1::float8, true);
SELECT crm.tree_bins_agg(5, 'NaN', 1::float8, true);
SELECT crm.tree_bins_agg(5, NULL, 1::float8, true);
SELECT crm.monotone_bins_agg(5, 0.6, 1::float8, true);
SELECT crm.monotone_bins_agg(5, v * 0.1, 1::float8, true) FROM generate_series(1, 2) v;
SELECT crm.monotone_bins_agg(5, 'Infinity'::float8, true);
SELECT crm.quantile_bins_agg_combinefn(NULL, NULL);
-- bytes of anybody as bins: refused with 22P03, or bins that go out and in
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE file text := current_setting('data_directory') || '/bins_test_' || pg_backend_pid(); result text;
BEGIN
	PERFORM lo_from_bytea(910001, '\x5047434f50590aff0d0a00'::bytea || '\x0000000000000000'::bytea || '\x0001'::bytea || int4send(length(bytes)) || bytes || '\xffff'::bytea);
	PERFORM lo_export(910001, file);
	PERFORM lo_unlink(910001);
	TRUNCATE came;
	EXECUTE format('COPY came FROM %L (FORMAT binary)', file);
	SELECT CASE WHEN b::text::crm.bins::text = b::text AND crm.bin(1, b) BETWEEN 1 AND crm.bin_count(b) THEN 'good' ELSE 'bad' END INTO result FROM came;
	RETURN result;
EXCEPTION WHEN OTHERS THEN
	PERFORM lo_unlink(910001) FROM pg_largeobject_metadata WHERE oid = 910001;
	RETURN SQLSTATE;
END $$;
SELECT pg_temp.receive('\x010100013ff0000000000000'), pg_temp.receive('\x020100013ff0000000000000') AS version, pg_temp.receive('\x010200013ff0000000000000') AS flag, pg_temp.receive('\x010003e8') AS many,
	pg_temp.receive('\x010000017ff8000000000000') AS nan, pg_temp.receive('\x010000023ff00000000000003ff0000000000000') AS equal, pg_temp.receive('\x0100000100') AS short, pg_temp.receive('\x0100000000') AS long, pg_temp.receive('') AS none;
SELECT result, count(*) > 5 AS often FROM (SELECT pg_temp.receive(set_byte(b, i % length(b), i * 73 % 256)) AS result FROM (SELECT crm.bins_send(crm.make_bins('{-2,1,3}')) AS b) t, generate_series(0, 299) i) r WHERE result <> '22P03' GROUP BY 1 ORDER BY 1;
-- states of anybody
CREATE AGGREGATE pg_temp.quantile_parts(agg_state) (sfunc = crm.quantile_bins_agg_combinefn, stype = agg_state, finalfunc = crm.quantile_bins_agg_finalfn);
CREATE AGGREGATE pg_temp.width_parts(agg_state) (sfunc = crm.equal_width_bins_agg_combinefn, stype = agg_state, finalfunc = crm.equal_width_bins_agg_finalfn);
CREATE AGGREGATE pg_temp.tree_parts(agg_state) (sfunc = crm.tree_bins_agg_combinefn, stype = agg_state, finalfunc = crm.tree_bins_agg_finalfn);
CREATE AGGREGATE pg_temp.quantile_state(int, float8) (sfunc = crm.quantile_bins_agg_transfn, stype = agg_state);
CREATE AGGREGATE pg_temp.width_state(int, float8) (sfunc = crm.equal_width_bins_agg_transfn, stype = agg_state);
CREATE AGGREGATE pg_temp.tree_state(int, float8, boolean) (sfunc = crm.tree_bins_agg_transfn, stype = agg_state);
CREATE TEMP TABLE states AS SELECT pg_temp.quantile_state(3, v)::text q, pg_temp.width_state(3, v)::text w, pg_temp.tree_state(3, v, v > 4)::text t FROM generate_series(1, 9) v;
CREATE FUNCTION pg_temp.finish(kind text, state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE result text;
BEGIN
	EXECUTE format('SELECT pg_temp.%I($1::agg_state)::text', kind) INTO result USING state;
	RETURN 'bins';
EXCEPTION WHEN data_corrupted OR invalid_text_representation THEN
	RETURN 'refused';
END $$;
SELECT pg_temp.quantile_parts(s.s::agg_state) AS twice FROM states, LATERAL (VALUES (q), (q)) s (s);
SELECT pg_temp.finish('quantile_parts', w) AS width_as_quantile, pg_temp.finish('width_parts', q) AS quantile_as_width, pg_temp.finish('tree_parts', q) AS quantile_as_tree, pg_temp.finish('tree_parts', t) AS tree FROM states;
SELECT kind, count(*) FILTER (WHERE r = 'refused') > 20 AS refused, count(*) FILTER (WHERE r = 'bins') > 0 AS taken, count(*) AS all
FROM (SELECT kind, pg_temp.finish(kind, translate(encode(set_byte(b, i % length(b), (get_byte(b, i % length(b)) + 1 + i * 37 % 255) % 256), 'base64'), E'\n', '')) r
	FROM states, LATERAL (VALUES ('quantile_parts', decode(q, 'base64')), ('width_parts', decode(w, 'base64')), ('tree_parts', decode(t, 'base64'))) s (kind, b), generate_series(0, 399) i) x GROUP BY kind ORDER BY kind;
SELECT count(*) FILTER (WHERE r <> 'refused') AS cut_short_and_taken FROM (SELECT pg_temp.finish('quantile_parts', translate(encode(substr(decode(q, 'base64'), 1, i), 'base64'), E'\n', '')) r FROM states, generate_series(1, length(decode(q, 'base64')) - 1) i) x;
DROP TABLE bins_test;
