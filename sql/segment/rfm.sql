-- RFM: summaries, borders, scores, segments.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';

-- Own borders: text form, defaults, measures left out.
SELECT rfm_cuts('{115,181,297.4,482}', '{4,5,6,8}', '{255.8,382,506.4,666}');
SELECT rfm_cuts('{30}', NULL, '{}', '2006-12-31', true);
SELECT '{}'::rfm_cuts;
SELECT ' {"monetary":[ -1e300 , 0.1 ,2.5E+3],"inclusive":true , "as_of":"2024-02-29 12:00:00.123456+08"}'::rfm_cuts;
SELECT * FROM rfm_borders(rfm_cuts('{30,90}', NULL, '{0.1}'));
-- The text form does not depend on the session and gives back the same value.
SET timezone = 'Asia/Shanghai';
SET datestyle = 'German';
SET extra_float_digits = 0;
SELECT rfm_cuts('{0.1,0.30000000000000004}', '{1}', '{1e-320,1.7976931348623157e308}', '2024-02-29 12:00+08');
SELECT c::text::rfm_cuts::text = c::text AS same, rfm_cuts_send(c::text::rfm_cuts) = rfm_cuts_send(c) AS same_binary
FROM (SELECT rfm_cuts('{0.1,0.30000000000000004}', '{1}', '{1e-320,1.7976931348623157e308}', '2024-02-29 12:00+08') c) x;
RESET timezone;
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
RESET extra_float_digits;

-- What is refused.
SELECT rfm_cuts('{3,2}', '{}', '{}');
SELECT rfm_cuts('{1}', '{NaN}', '{}');
SELECT rfm_cuts('{1}', '{1}', '{Infinity}');
SELECT rfm_cuts('{1,NULL}', '{1}', '{1}');
SELECT rfm_cuts('{{1}}', '{1}', '{1}');
SELECT rfm_cuts('{1}', '{1}', '{1}', 'infinity');
SELECT rfm_cuts(array_agg(i), NULL, NULL) FROM generate_series(1, 1000) i;
DO $$
DECLARE
	bad text;
BEGIN
	FOREACH bad IN ARRAY ARRAY['', '{', '[]', '{"x": 1}', '{"recency": [1,]}', '{"recency": [2, 1]}', '{"recency": [nan]}',
		'{"recency": [0x10]}', '{"recency": [1e999]}', '{"recency": 1}', '{"recency": [1] "monetary": [1]}', '{} x',
		'{"recency": [1], "recency": [1]}', '{"inclusive": 1}', '{"as_of": 1}', '{"as_of": "infinity"}',
		'{"as_of": "never"}', '{"as_of', '{"recency": [1}', '{"recency": [1 2]}', '{"recency": [-]}', '{"recency": [e5]}']
	LOOP
		BEGIN
			PERFORM bad::rfm_cuts;
			RAISE WARNING '% was accepted', bad;
		EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range OR invalid_datetime_format THEN
			NULL;
		END;
	END LOOP;
END
$$;
SELECT '{"recency": [1,, 2]}'::rfm_cuts;

-- One customer's events.
SELECT rfm_agg(ts, amount) FROM (VALUES
	(timestamptz '2024-01-05', 10.5::float8), ('2024-03-01', 4.5), (NULL, 1000), ('2024-02-01', NULL)) AS e (ts, amount);
SELECT rfm_agg(ts, 1.0) AS none FROM (SELECT now() AS ts WHERE false) e;
SELECT rfm_agg(NULL::timestamptz, 5::float8) AS no_time, rfm_agg('2024-01-01', NULL::numeric) AS no_amount;
SELECT rfm_agg('infinity', 1);
SELECT rfm_agg('2024-01-01', 'NaN'::float8);
SELECT rfm_agg('2024-01-01', 'Infinity'::numeric);
SELECT rfm_agg('2024-01-01', 1e308::float8) FROM generate_series(1, 2);
SELECT rfm_agg_transfn(NULL, now(), 1.0);

-- The same from columns.
SELECT rfm_summary('2024-01-01', 3, 4.5) AS of_numeric, rfm_summary('2024-01-01', 3, 4.5::float8), rfm_summary(NULL, NULL, NULL::float8);
SELECT rfm_summary('2024-01-01', 3, 'NaN'::numeric);
-- Sums are exact: the order of rows does not matter.
SELECT count(DISTINCT s), min((s).monetary) FROM (
	SELECT rfm_agg('2024-01-01', x ORDER BY md5(x::text || seed)) AS s
	FROM generate_series(1, 50) seed, unnest(ARRAY[1e100, 1, -1e100, 1e-100, 3, 0.1, 1e16, -1e16]) x
	GROUP BY seed) q;
-- Numeric amounts are the same float8s as the cast makes, whatever their size.
SELECT count(*) AS numbers, count(*) FILTER (WHERE (s).monetary IS DISTINCT FROM n::float8) AS differences
FROM (
	SELECT (random_digits || 'e' || (i % 60 - 30))::numeric * (1 - 2 * (i % 2)) AS n
	FROM generate_series(1, 20000) i,
		LATERAL (SELECT left(translate(md5(i::text), 'abcdef', '012345'), 1 + i % 22) AS random_digits) r) x,
	LATERAL (SELECT rfm_agg('2024-01-01', v.n) AS s FROM (VALUES (x.n)) AS v (n)) a;
SELECT n, rfm_agg('2024-01-01', n) FROM unnest(ARRAY[0, 10000, 99999999, 0.0001, 1e15, 9007199254740993, -12.5, 1e-20, 1e130]::numeric[]) n GROUP BY n ORDER BY n;

-- A thousand customers against plain SQL that shares nothing with the extension.
CREATE TABLE purchases AS
SELECT 1 + i * i % 997 AS customer,
	timestamptz '2023-01-01' + (i::bigint * 7919 % 31536000) * interval '1 second' AS ts,
	round((exp(3 + 2 * sin(i)))::numeric, 2) AS amount
FROM generate_series(1, 20000) i;
CREATE TABLE summaries AS
SELECT customer, rfm_agg(ts, amount) AS s FROM purchases GROUP BY customer;
SELECT count(*) AS customers,
	count(*) FILTER (WHERE (s).last_at = last_at AND (s).frequency = frequency AND abs((s).monetary - monetary) < 1e-9) AS same
FROM summaries
JOIN (SELECT customer, max(ts) AS last_at, count(*) AS frequency, sum(amount)::float8 AS monetary FROM purchases GROUP BY 1) p USING (customer);

-- Borders agree with percentile_cont, scores with the definition over whole-numbered places.
CREATE VIEW plain AS
SELECT customer, floor(extract(epoch FROM timestamptz '2024-01-15 12:00' - (s).last_at) / 86400)::float8 AS recency,
	(s).frequency::float8 AS frequency, (s).monetary
FROM summaries;
CREATE FUNCTION plain_borders(vals float8[], bins int) RETURNS float8[] LANGUAGE SQL AS $$
	SELECT array_agg(CASE WHEN (n - 1) * k % bins = 0 THEN o[(n - 1) * k / bins + 1]
		ELSE o[(n - 1) * k / bins + 1] + ((n - 1) * k % bins)::float8 / bins * (o[(n - 1) * k / bins + 2] - o[(n - 1) * k / bins + 1]) END ORDER BY k)
	FROM (SELECT array_agg(v ORDER BY v) AS o, count(*)::int AS n FROM unnest(vals) v) x, generate_series(1, bins - 1) k
$$;
SELECT bins, count(*) AS borders, count(*) FILTER (WHERE abs(value - expected) > 1e-9 * abs(expected)) AS different
FROM unnest(ARRAY[2, 3, 5, 7, 10, 100]) bins,
	LATERAL (SELECT rfm_cuts_agg(bins, '2024-01-15 12:00', s) AS cuts FROM summaries) c,
	LATERAL rfm_borders(cuts) b,
	LATERAL (SELECT percentile_cont(border::float8 / bins) WITHIN GROUP (ORDER BY
		CASE measure WHEN 'recency' THEN p.recency WHEN 'frequency' THEN p.frequency ELSE p.monetary END) AS expected FROM plain p) e
GROUP BY bins ORDER BY bins;
WITH expected AS (
	SELECT bins, customer,
		bins + 1 - coalesce((SELECT min(k) FROM unnest(br) WITH ORDINALITY u (b, k) WHERE b >= p.recency), bins) AS r,
		coalesce((SELECT min(k) FROM unnest(bf) WITH ORDINALITY u (b, k) WHERE b >= p.frequency), bins) AS f,
		coalesce((SELECT min(k) FROM unnest(bm) WITH ORDINALITY u (b, k) WHERE b >= p.monetary), bins) AS m
	FROM unnest(ARRAY[1, 2, 5, 10]) bins,
		LATERAL (SELECT plain_borders(array_agg(recency), bins) br, plain_borders(array_agg(frequency), bins) bf,
			plain_borders(array_agg(monetary), bins) bm FROM plain) b, plain p)
SELECT bins, count(*) AS customers, count(*) FILTER (WHERE (rfm_score(s, cuts)) IS DISTINCT FROM row(r, f, m)::rfm_score) AS different,
	count(*) FILTER (WHERE rfm_score((s).last_at, (s).frequency, (s).monetary, cuts) IS DISTINCT FROM rfm_score(s, cuts)) AS from_columns
FROM expected JOIN summaries USING (customer)
JOIN LATERAL (SELECT rfm_cuts_agg(e.bins, '2024-01-15 12:00', s) AS cuts FROM summaries, (VALUES (expected.bins)) e (bins) GROUP BY e.bins) c ON true
GROUP BY bins ORDER BY bins;

-- The window form gives the same, in each partition, whatever the frame.
SELECT customer % 3 AS part, count(*), count(*) FILTER (WHERE w <> a) AS different, count(*) FILTER (WHERE w <> o) AS by_frame
FROM (
	SELECT customer, rfm_score(s, '2024-01-15', 5) OVER (PARTITION BY customer % 3) AS w,
		rfm_score(s, '2024-01-15', 5) OVER (PARTITION BY customer % 3 ORDER BY customer ROWS 1 PRECEDING) AS o,
		rfm_score(s, (SELECT rfm_cuts_agg(5, '2024-01-15', i.s) FROM summaries i WHERE i.customer % 3 = x.customer % 3)) AS a
	FROM summaries x) q
GROUP BY 1 ORDER BY 1;
SELECT rfm_score(s, '2024-01-15', 0) OVER () FROM summaries LIMIT 1;
SELECT rfm_score(s, NULL, 5) OVER () FROM summaries LIMIT 1;
SELECT rfm_score(s, '2024-01-15', customer::int) OVER () FROM summaries LIMIT 2;
SELECT i, rfm_score(s, '2024-01-15', 5) OVER () FROM (VALUES
	(1, NULL::rfm_summary), (2, row('2024-01-01', 1, 1)::rfm_summary), (3, row(NULL, 2, NULL)::rfm_summary)) AS v (i, s);

-- Serial and parallel agree; the plan is parallel.
CREATE TABLE many AS
SELECT i % 4 AS region, timestamptz '2024-01-01' - i * 7919 % 400 * interval '1 day' AS last_at, (i * 31 % 17)::bigint AS frequency,
	(i * 7907::bigint % 100003)::float8 / 7 AS monetary
FROM generate_series(1, 30000) i;
ALTER TABLE many SET (parallel_workers = 2);
ANALYZE many;
CREATE TEMP TABLE serial AS
SELECT region, rfm_cuts_agg(5, '2024-01-01', last_at, frequency, monetary) AS cuts, rfm_agg(last_at, monetary) AS s FROM many GROUP BY region;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
EXPLAIN (COSTS OFF) SELECT rfm_cuts_agg(5, '2024-01-01', row(last_at, frequency, monetary)::rfm_summary) FROM many;
EXPLAIN (COSTS OFF)
SELECT region, rfm_cuts_agg(5, '2024-01-01', last_at, frequency, monetary) AS cuts, rfm_agg(last_at, monetary) AS s FROM many GROUP BY region;
SELECT count(*) AS groups, count(*) FILTER (WHERE p.cuts::text = r.cuts::text AND p.s = r.s) AS same
FROM serial r JOIN (
	SELECT region, rfm_cuts_agg(5, '2024-01-01', last_at, frequency, monetary) AS cuts, rfm_agg(last_at, monetary) AS s FROM many GROUP BY region) p USING (region);
-- A worker that sees nothing.
SELECT rfm_cuts_agg(5, '2024-01-01', last_at, frequency, monetary) FILTER (WHERE monetary < 0) AS none,
	rfm_cuts_agg(2, '2024-01-01', last_at, frequency, monetary) FILTER (WHERE ctid = '(0,1)') AS one FROM many;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET max_parallel_workers_per_gather;
-- States as text: what travels between servers combines to the same.
SELECT rfm_cuts_agg_finalfn(NULL);
CREATE AGGREGATE cuts_state(int, timestamptz, rfm_summary) (SFUNC = rfm_cuts_agg_transfn, STYPE = agg_state);
CREATE AGGREGATE cuts_merge(agg_state) (SFUNC = rfm_cuts_agg_combinefn, STYPE = agg_state, FINALFUNC = rfm_cuts_agg_finalfn);
CREATE AGGREGATE sum_state(timestamptz, float8) (SFUNC = rfm_agg_transfn, STYPE = agg_state);
CREATE AGGREGATE sum_merge(agg_state) (SFUNC = rfm_agg_combinefn, STYPE = agg_state, FINALFUNC = rfm_agg_finalfn);
SELECT cuts_merge(state::text::agg_state)::text = (SELECT rfm_cuts_agg(5, '2024-01-15', s)::text FROM summaries) AS same
FROM (SELECT cuts_state(5, '2024-01-15', s) AS state FROM summaries GROUP BY customer % 7) x;
SELECT sum_merge(state::text::agg_state) = (SELECT rfm_agg(ts, amount) FROM purchases) AS same
FROM (SELECT sum_state(ts, amount::float8) AS state FROM purchases GROUP BY customer) x;
SELECT 'not a state'::agg_state;
SELECT 'xacB'::agg_state;
SELECT cuts_merge(state) FROM (SELECT sum_state(ts, 1) AS state FROM purchases) x;
SELECT cuts_merge(state) FROM (SELECT cuts_state(b, '2024-01-15', s) AS state FROM summaries, (VALUES (3), (4)) v (b) GROUP BY b) x;
-- Changed at random, a state is refused or used, and nothing else happens.
DO $$
DECLARE
	good bytea;
	changed bytea;
	refused int := 0;
BEGIN
	SELECT decode(cuts_state(5, '2024-01-15', s)::text, 'base64') INTO good FROM (SELECT s FROM summaries ORDER BY customer LIMIT 5) x;
	PERFORM setseed(0.5);
	FOR i IN 1 .. 2000 LOOP
		changed := set_byte(good, (random() * (length(good) - 1))::int, (random() * 255)::int);
		IF i % 3 = 0 THEN
			changed := substr(changed, 1, (random() * length(changed))::int);
		END IF;
		BEGIN
			PERFORM cuts_merge(replace(encode(changed, 'base64'), E'\n', '')::agg_state);
		EXCEPTION WHEN data_corrupted OR invalid_text_representation OR program_limit_exceeded THEN
			refused := refused + 1;
		END;
	END LOOP;
	RAISE NOTICE 'some were refused: %', refused > 500;
END
$$;

-- No customers, one, equal ones; fewer than bins; measures that are NULL.
SELECT rfm_cuts_agg(5, '2024-01-01', s) FROM summaries WHERE false;
SELECT rfm_cuts_agg(5, '2024-01-01', NULL::rfm_summary), rfm_cuts_agg(5, '2024-01-01', NULL::timestamptz, NULL, NULL::float8);
SELECT rfm_cuts_agg(3, '2024-01-01', '2023-12-01', 4, 9.5::float8);
SELECT rfm_score(row('2023-12-01', 4, 9.5)::rfm_summary, rfm_cuts_agg(5, '2024-01-01', '2023-12-01', 4, 9.5)) AS one;
SELECT DISTINCT rfm_score(row('2023-12-01', 4, 9.5)::rfm_summary, '2024-01-01', 5) OVER () AS equal FROM generate_series(1, 10);
SELECT i, rfm_score(row('2023-12-31'::timestamptz - i * interval '1 day', i, i)::rfm_summary, '2024-01-01', 5) OVER () FROM generate_series(1, 3) i;
SELECT rfm_cuts_agg(2, '2024-01-01', NULL, f, NULL::float8) FROM generate_series(1, 3) f;
SELECT rfm_score(row(NULL, 2, 3)::rfm_summary, c) AS no_recency, rfm_score(NULL::rfm_summary, c) AS no_summary,
	rfm_score(row('2024-01-01', 2, 3)::rfm_summary, NULL::rfm_cuts) AS no_cuts, rfm_score('2024-01-01', 2, NULL::float8, c) AS no_monetary
FROM (SELECT rfm_cuts('{10}', '{2}', '{2}', '2024-01-03') AS c) x;
-- Days are whole, rounded down; an event after as_of counts negative days.
SELECT rfm_cuts_agg(1 + 1, '2024-01-02 12:00', t::timestamptz, 1, 1::float8)
FROM (VALUES ('2024-01-01 12:00:00.000001'), ('2024-01-01 12:00'), ('2024-01-02 12:00:00.000001')) AS v (t);
-- Own borders need an as_of from somewhere; a value on a border lies above it, or below it if inclusive.
SELECT rfm_score(row('2024-01-01', 2, 3)::rfm_summary, rfm_cuts('{10}', '{2}', '{2}'));
SELECT rfm_score(row('2024-01-01', 2, 3)::rfm_summary, rfm_cuts('{10}', '{2}', '{2}'), '2024-01-11') AS above,
	rfm_score(row('2024-01-01', 2, 3)::rfm_summary, rfm_cuts('{10}', '{2}', '{2}', inclusive => true), '2024-01-11') AS below,
	rfm_score(row('2024-01-01', 2, 3)::rfm_summary, rfm_cuts(NULL, '{2}', '{2}')) AS no_recency;
-- Scores depend on the order of values alone.
SELECT count(*) FILTER (WHERE a <> b) AS different FROM (
	SELECT rfm_score(s, '2024-01-15', 5) OVER () AS a,
		rfm_score(row((s).last_at, (s).frequency * 1000, (s).monetary * 1.17e-9)::rfm_summary, '2024-01-15', 5) OVER () AS b FROM summaries) x;
SELECT rfm_cuts_agg(0, '2024-01-01', s) FROM summaries;
SELECT rfm_cuts_agg(1001, '2024-01-01', s) FROM summaries;
SELECT rfm_cuts_agg(5, 'infinity', s) FROM summaries;
SELECT rfm_cuts_agg(NULL, '2024-01-01', s) FROM summaries;
SELECT rfm_cuts_agg(customer::int, '2024-01-01', s) FROM summaries WHERE customer < 20;
SELECT rfm_cuts_agg(5, '2024-01-01', '-infinity', 1, 1::float8);
SELECT rfm_cuts_agg(5, '2024-01-01', '2024-01-01', 1, 'NaN'::numeric);
SELECT rfm_score(row('2024-01-01', 2, 'Infinity')::rfm_summary, rfm_cuts('{10}', '{2}', '{2}', '2024-01-01'));
-- As an aggregate in a window, with a moving frame.
SELECT g, (rfm_agg('2024-01-01', g::float8) OVER (ORDER BY g ROWS 1 PRECEDING)).monetary FROM generate_series(1, 4) g;
SELECT g, rfm_cuts_agg(2, '2024-01-01', '2024-01-01', g, g::float8) OVER (ORDER BY g) FROM generate_series(1, 3) g;

-- Named segments: every combination has exactly one name.
SELECT count(*) AS combinations, count(rfm_segment(r, f, m)) AS named, count(DISTINCT rfm_segment(r, f, m)) AS names,
	count(*) FILTER (WHERE rfm_segment(row(r, f, m)::rfm_score) <> rfm_segment(r, f, m)) AS different
FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, 5) m;
SELECT rfm_segment(r, f, m) AS segment, count(*) AS combinations, min(r) || '-' || max(r) AS r, min(f) || '-' || max(f) AS f, min(m) || '-' || max(m) AS m
FROM generate_series(1, 5) r, generate_series(1, 5) f, generate_series(1, 5) m GROUP BY 1 ORDER BY 1;
SELECT rfm_segment(NULL, 1, 1), rfm_segment(row(1, NULL, 1)::rfm_score), rfm_segment(NULL::rfm_score);
SELECT rfm_segment(6, 1, 1);
SELECT rfm_segment(row(1, 0, 1)::rfm_score);
SELECT rfm_segment(1, 1, 1, 'nobody''s');
-- Own maps: the first rule that fits, open ends, gaps.
INSERT INTO rfm_segment_rule (map, priority, segment, recency, frequency, monetary) VALUES
	('three', 10, '重要客户', '[3,3]', '[2,3]', '(,)'), ('three', 20, 'rest of the recent', '[2,)', '(,)', '(,)'),
	('three', 5, 'big', '(,)', '(,)', '[3,]');
SELECT rfm_segment(3, 3, 1, 'three'), rfm_segment(3, 1, 1, 'three'), rfm_segment(1, 1, 3, 'three'), rfm_segment(1, 1, 1, 'three'), rfm_segment(900, 1, 1, 'three');
SELECT * FROM rfm_segment_gaps('three', 3);
SELECT count(*) AS gaps FROM rfm_segment_gaps('default');
SELECT DISTINCT name, rfm_segment(row(3, 3, 1)::rfm_score, name) FROM (VALUES ('three'), ('default'), ('three')) v (name) ORDER BY 1;
INSERT INTO rfm_segment_rule VALUES ('bad', 1, 'x', 'empty', '(,)', '(,)');
-- Rows of the map "default" replace the shipped one, in the next statement, also within one transaction and function.
BEGIN;
INSERT INTO rfm_segment_rule VALUES ('default', 1, 'ours', '[1,5]', '[1,5]', '[1,5]');
SELECT rfm_segment(5, 5, 5), rfm_segment(6, 5, 5) IS NULL AS no_name;
DO $$
DECLARE
	name text;
BEGIN
	FOR i IN 1 .. 3 LOOP
		name := rfm_segment(5, 5, 5);
		RAISE NOTICE '%', name;
		UPDATE rfm_segment_rule SET segment = 'changed ' || i WHERE map = 'default';
	END LOOP;
END
$$;
ROLLBACK;
SELECT rfm_segment(5, 5, 5);
DELETE FROM rfm_segment_rule;
-- Anybody may read maps, nobody else may write them.
CREATE ROLE regress_crm_rfm;
GRANT USAGE ON SCHEMA crm TO regress_crm_rfm;
SET ROLE regress_crm_rfm;
SELECT rfm_segment(5, 5, 5);
DELETE FROM rfm_segment_rule;
RESET ROLE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_rfm;
DROP ROLE regress_crm_rfm;

DROP AGGREGATE cuts_state(int, timestamptz, rfm_summary), cuts_merge(agg_state), sum_state(timestamptz, float8), sum_merge(agg_state);
DROP FUNCTION plain_borders;
DROP VIEW plain;
DROP TABLE purchases, summaries, many;

-- A summary in each form that it may have: made on the spot, stored with the short header, in a variable, with NULLs or without, all three or none.
CREATE TEMP TABLE kept_summary (n int, odd text, s rfm_summary);
INSERT INTO kept_summary
SELECT n, repeat('x', n), ROW(CASE WHEN n & 1 = 0 THEN timestamptz '2026-01-01 00:00:00+00' - n * interval '1 day' END,
	CASE WHEN n & 2 = 0 THEN n END, CASE WHEN n & 4 = 0 THEN n * 1.5 END)::rfm_summary FROM generate_series(0, 15) n;
CREATE FUNCTION pg_temp.score_in_variable(which int, cuts rfm_cuts) RETURNS rfm_score LANGUAGE plpgsql AS $$
DECLARE
	s rfm_summary;
BEGIN
	SELECT (k.s).* INTO s FROM kept_summary k WHERE n = which;
	RETURN rfm_score(s, cuts);
END $$;
WITH c AS (SELECT rfm_cuts_agg(3, '2026-02-01 00:00:00+00', s) AS cuts FROM kept_summary),
m AS (SELECT rfm_cuts_agg(3, '2026-02-01 00:00:00+00', ROW((s).last_at, (s).frequency, (s).monetary)::rfm_summary) AS cuts FROM kept_summary)
SELECT count(*), count(*) FILTER (WHERE rfm_score(s, c.cuts)::text = rfm_score(ROW((s).last_at, (s).frequency, (s).monetary)::rfm_summary, m.cuts)::text) AS made,
	count(*) FILTER (WHERE rfm_score(s, c.cuts)::text = pg_temp.score_in_variable(n, c.cuts)::text) AS variable,
	string_agg(rfm_score(s, c.cuts)::text, ' ' ORDER BY n) AS scores
FROM kept_summary, c, m;
