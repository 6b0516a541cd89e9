-- Functions that read timelines, against plain SQL over the raw rows, and
-- against the aggregates over them.
SET timezone = 'UTC';
SET datestyle = 'ISO, YMD';
SET intervalstyle = 'postgres';

-- Few instants and many ties; some customers with one event or none.
CREATE TEMP TABLE raw AS
SELECT (h[1] % 200)::int AS customer,
	timestamptz '2026-03-20' + (h[2] % 900) * interval '17 minutes' AS ts,
	(ARRAY['view', 'cart', 'order', 'pay', 'refund', 'view page', 'a,b'])[1 + h[3] % 7] AS event,
	CASE WHEN h[4] % 3 > 0 THEN (h[4] % 41 - 12) * 0.25 END::float8 AS value,
	CASE h[5] % 6 WHEN 0 THEN NULL
		WHEN 1 THEN jsonb_build_object('channel', 'app')
		WHEN 2 THEN jsonb_build_object('channel', 'web', 'amount', h[6] % 5 * 10)
		WHEN 3 THEN jsonb_build_object('amount', h[6] % 5 * 2.5, 'vip', h[6] % 2 = 0)
		WHEN 4 THEN jsonb_build_object('channel', NULL, 'vip', 'true')
		ELSE jsonb_build_object('amount', '10', 'channel', 'a"b') END AS attributes
FROM generate_series(1, 4000) i
CROSS JOIN LATERAL (SELECT array_agg((hashint8extended(i, k) & 1048575)::int ORDER BY k) AS h FROM generate_series(1, 6) k) random
WHERE h[1] % 200 % 5 > 0 OR h[1] % 4001 = 0;
CREATE TEMP TABLE history AS
SELECT customer, timeline_agg(ts, event, value, attributes) AS t FROM raw GROUP BY customer;
SELECT count(*) AS customers, sum(event_count(t)) AS events, (SELECT count(*) FROM raw) AS rows,
	min(event_count(t)) AS fewest, max(event_count(t)) AS most FROM history;

-- Selectors, each with what it means as SQL.
CREATE TEMP TABLE selected AS
SELECT r.*, s.selector
FROM raw r
CROSS JOIN LATERAL (VALUES
	(NULL, true), ('*', true), ('order', event = 'order'), ('view page', event = 'view page'), ('"a,b"', event = 'a,b'), ('no such', false),
	('order[channel=app]', event = 'order' AND attributes @> '{"channel": "app"}'),
	('*[channel!=app]', attributes -> 'channel' IS DISTINCT FROM '"app"'),
	('*[channel]', coalesce(attributes ? 'channel', false)),
	('*[!channel]', NOT coalesce(attributes ? 'channel', false)),
	('*[channel=null]', attributes @> '{"channel": null}'),
	('*[channel="a""b"]', attributes @> '{"channel": "a\"b"}'),
	('pay[amount>=10]', event = 'pay' AND CASE WHEN jsonb_typeof(attributes -> 'amount') = 'number' THEN (attributes ->> 'amount')::numeric >= 10 END),
	('*[amount<10, amount > 0]', CASE WHEN jsonb_typeof(attributes -> 'amount') = 'number' THEN (attributes ->> 'amount')::numeric > 0 AND (attributes ->> 'amount')::numeric < 10 END),
	('*[amount=1e1]', attributes @> '{"amount": 10}'),
	('*[amount="10"]', attributes @> '{"amount": "10"}'),
	('*[vip=true]', attributes @> '{"vip": true}' OR attributes @> '{"vip": "true"}'),
	('*[vip=false]', attributes @> '{"vip": false}'),
	('cart[value<=-1.25]', event = 'cart' AND value <= -1.25),
	('view[value!=0.5,channel=web]', event = 'view' AND value IS DISTINCT FROM 0.5 AND attributes @> '{"channel": "web"}'),
	('*[!value]', value IS NULL)) s (selector, met)
WHERE s.met;
UPDATE selected SET selector = '' WHERE selector IS NULL;
CREATE INDEX ON selected (customer, selector, ts);
ANALYZE selected;
CREATE TEMP TABLE selector AS SELECT nullif(selector, '') AS selector FROM selected GROUP BY selector UNION ALL SELECT 'no such';
CREATE TEMP TABLE range (since timestamptz, until timestamptz);
INSERT INTO range VALUES (NULL, NULL), ('2026-03-22', NULL), (NULL, '2026-03-25 00:17'), ('2026-03-24 00:12', '2026-03-26'),
	('2026-03-26', '2026-03-26'), ('2026-03-26', '2026-03-21'), ('-infinity', 'infinity'), ('infinity', NULL), ('2027-01-01', NULL);

-- Counts, sums, first, last: by selector and range.
CREATE TEMP TABLE plain AS
SELECT h.customer, g.selector, since, until, count(s.ts) AS n, coalesce(sum(s.value), 0) AS total, min(s.ts) AS first, max(s.ts) AS last,
	rfm_agg(s.ts, s.value) AS rfm
FROM history h CROSS JOIN selector g CROSS JOIN range r
LEFT JOIN selected s ON s.customer = h.customer AND s.selector = coalesce(g.selector, '')
	AND s.ts >= coalesce(since, '-infinity') AND s.ts < coalesce(until, 'infinity')
GROUP BY h.customer, g.selector, since, until;
SELECT selector, sum(n) AS events, sum(total) AS total, count(*) FILTER (WHERE
		event_count(t, selector, since, until) IS DISTINCT FROM n OR event_sum(t, selector, since, until) IS DISTINCT FROM total OR
		first_event(t, selector, since, until) IS DISTINCT FROM first OR last_event(t, selector, since, until) IS DISTINCT FROM last OR
		rfm(t, selector, since, until) IS DISTINCT FROM rfm) AS different
FROM plain JOIN history USING (customer) GROUP BY selector ORDER BY selector COLLATE "C" NULLS FIRST;
SELECT count(*) AS events, count(l.value) AS values, count(l.attributes) AS attributes,
	count(*) FILTER (WHERE l IS DISTINCT FROM row(e.ts, e.event, e.value, e.attributes)::timeline_event) AS different
FROM history h CROSS JOIN selector g CROSS JOIN range r
CROSS JOIN LATERAL last_event_of(t, selector, since, until) l
LEFT JOIN LATERAL (SELECT e.ts, e.event, e.value, e.attributes FROM crm.events(t) WITH ORDINALITY e (ts, event, value, attributes, n)
	WHERE e.ts >= coalesce(since, '-infinity') AND e.ts < coalesce(until, 'infinity')
		AND CASE g.selector WHEN '*[!value]' THEN e.value IS NULL WHEN '*[channel]' THEN e.attributes ? 'channel' WHEN 'order' THEN e.event = 'order' ELSE true END
	ORDER BY n DESC LIMIT 1) e ON true
WHERE g.selector IS NULL OR g.selector IN ('*', '*[!value]', '*[channel]', 'order');
SELECT (last_event_of(t, 'order[amount>0]')).* FROM history WHERE customer = 1;

-- Days by zones; a clock that was put back at a minute past midnight.
SELECT zone, sum(n) AS days, count(*) FILTER (WHERE active_days(t, selector, since, until, zone) IS DISTINCT FROM n) AS different
FROM (
	SELECT h.customer, h.t, g.selector, since, until, zone, count(DISTINCT (s.ts AT TIME ZONE zone)::date) AS n
	FROM history h CROSS JOIN (VALUES (NULL), ('order'), ('*[!value]')) g (selector) CROSS JOIN range r
	CROSS JOIN unnest(ARRAY['UTC', 'Asia/Shanghai', 'America/New_York', '+05:30']) zone
	LEFT JOIN selected s ON s.customer = h.customer AND s.selector = coalesce(g.selector, '')
		AND s.ts >= coalesce(since, '-infinity') AND s.ts < coalesce(until, 'infinity')
	GROUP BY 1, 2, 3, 4, 5, 6) x
GROUP BY zone ORDER BY zone COLLATE "C";
WITH e AS (SELECT m, timestamptz '1988-10-30 02:29:30+00' + i * m * interval '30 seconds' AS ts FROM generate_series(0, 150) i, generate_series(1, 150) m)
SELECT count(*) AS groups, min(days), max(days), count(*) FILTER (WHERE days <> plain) AS different
FROM (SELECT active_days(timeline_agg(ts, 'x'), zone => 'America/St_Johns') AS days, count(DISTINCT (ts AT TIME ZONE 'America/St_Johns')::date) AS plain FROM e GROUP BY m) x;

-- The densest window.
SELECT width, sum(most) AS most, sum(greatest) AS greatest,
	count(*) FILTER (WHERE velocity(t, width, selector, since, until) IS DISTINCT FROM most) AS different,
	count(*) FILTER (WHERE value_velocity(t, width, selector, since, until) IS DISTINCT FROM greatest) AS different_values
FROM (
	SELECT h.customer, h.t, g.selector, since, until, width, coalesce(max(w.n), 0) AS most, coalesce(max(w.total), 0) AS greatest
	FROM history h CROSS JOIN (VALUES (NULL), ('order'), ('*[channel]')) g (selector) CROSS JOIN range r
	CROSS JOIN unnest(ARRAY[interval '0', '16:59', '17 minutes', '1 day', '300 days']) width
	LEFT JOIN LATERAL (
		SELECT count(*) OVER w AS n, CASE WHEN value IS NOT NULL THEN sum(value) OVER w END AS total
		FROM selected s WHERE s.customer = h.customer AND s.selector = coalesce(g.selector, '')
			AND s.ts >= coalesce(since, '-infinity') AND s.ts < coalesce(until, 'infinity')
		WINDOW w AS (ORDER BY ts RANGE BETWEEN CURRENT ROW AND width FOLLOWING)) w ON true
	GROUP BY 1, 2, 3, 4, 5, 6) x
GROUP BY width ORDER BY width;
-- Values that leave the window leave nothing behind.
SELECT value_velocity('[["2026-01-01T00:00:00Z","a",1e300],["2026-01-01T00:01:00Z","a",0.125],["2026-01-01T00:02:00Z","a",-1e300],["2026-01-01T00:03:00Z","a",0.25]]', '1 minute');

-- Funnels in all modes, as the aggregate has them.
CREATE TEMP TABLE mode AS
SELECT concat_ws(',', o, d, i, n) AS mode
FROM unnest(ARRAY[NULL, 'strict_order', 'strict_order,allow_reentry']) o, unnest(ARRAY[NULL, 'strict_deduplication']) d,
	unnest(ARRAY[NULL, 'strict_increase']) i, unnest(ARRAY[NULL, 'strict_once']) n;
CREATE TEMP TABLE funnel AS
SELECT customer, mode, within, n, level
FROM mode CROSS JOIN unnest(ARRAY[interval '0', '5 hours', '400 days']) within
CROSS JOIN LATERAL (
	SELECT customer, 1 AS n, window_funnel(within, mode, ts, event = 'view', event = 'cart', event = 'order', event = 'pay') AS level FROM raw GROUP BY customer
	UNION ALL
	SELECT customer, 2, window_funnel(within, mode, ts, event = 'view', event = 'view' AND attributes @> '{"channel": "app"}', event = 'no such', event = 'pay') FROM raw GROUP BY customer
	UNION ALL
	SELECT customer, 3, window_funnel(within, mode, ts, true, event = 'cart' OR event = 'cart', event = 'cart', value > 2, event = 'a,b', event = 'view') FROM raw GROUP BY customer
	UNION ALL
	SELECT customer, 4, window_funnel(within, mode, ts, event = 'no such', true) FROM raw GROUP BY customer) a;
SELECT n, count(*) AS cases, sum(level) AS levels, max(level) AS highest, count(*) FILTER (WHERE level <> window_funnel(t, within, CASE n
	WHEN 1 THEN ARRAY['view', 'cart', 'order', 'pay'] WHEN 2 THEN ARRAY['view', 'view[channel=app]', 'no such', 'pay']
	WHEN 3 THEN ARRAY['*', 'cart', 'cart', '*[value>2]', '"a,b"', 'view'] ELSE ARRAY['no such', '*'] END, mode)) AS different
FROM funnel JOIN history USING (customer) GROUP BY n ORDER BY n;
SELECT window_funnel(t, '400 days', ARRAY['view', 'cart', 'order']) AS without_mode FROM history WHERE customer = 1;
-- 64 steps.
SELECT window_funnel(timeline_agg(timestamptz '2026-01-01' + i * interval '1 s', 'e' || i), '64 s', (SELECT array_agg('e' || i ORDER BY i) FROM generate_series(1, 64) i))
FROM generate_series(1, 64) i;

-- Sequences, as the aggregates have them.
CREATE TEMP TABLE sequence AS
SELECT pattern, a.*
FROM unnest(ARRAY['(?1)(?2)', '(?1).*(?2)', '(?1)(?t<=1020)(?2)', '(?1).*(?t>3600)(?2)(?t<86400)(?3)', '(?1).(?1)', '(?2)(?2)', '(?1)(?t==0)(?2)', '(?3)',
	'(?3)(?t==0)(?1)', '(?1).*(?4)', '.', '', '(?2).*(?1).*(?3).*(?1)']) pattern
CROSS JOIN LATERAL (SELECT customer, sequence_match(pattern, ts, event = 'view', event = 'cart' AND value > 0, event = 'a,b', event = 'no such') AS matches,
		sequence_count(pattern, ts, event = 'view', event = 'cart' AND value > 0, event = 'a,b', event = 'no such') AS times,
		sequence_match_events(pattern, ts, event = 'view', event = 'cart' AND value > 0, event = 'a,b', event = 'no such') AS found
	FROM raw GROUP BY customer) a;
SELECT pattern, count(*) FILTER (WHERE matches) AS matches, sum(times) AS times, sum(cardinality(found)) AS found,
	count(*) FILTER (WHERE sequence_match(t, pattern, steps) <> matches OR sequence_count(t, pattern, steps) <> times OR
		sequence_match_events(t, pattern, steps) <> found) AS different
FROM sequence JOIN history USING (customer) CROSS JOIN (SELECT ARRAY['view', 'cart[value>0]', '"a,b"', 'no such'] AS steps) s
GROUP BY pattern ORDER BY pattern COLLATE "C";

-- Sessions.
CREATE TEMP TABLE session AS
SELECT customer, gap, session, min(ts) AS started, max(ts) AS ended, count(*) AS events, coalesce(sum(value), 0) AS value
FROM unnest(ARRAY[interval '0', '17 minutes', '30 minutes', '3 hours', '1000 days']) gap
CROSS JOIN LATERAL (SELECT customer, ts, value, sessionize(gap, ts) OVER (PARTITION BY customer ORDER BY ts) AS session FROM raw) s
GROUP BY 1, 2, 3;
SELECT gap, (SELECT count(*) FROM session s WHERE s.gap = g.gap) AS sessions,
	(SELECT sum(session_count(t, gap)) FROM history) AS counted,
	(SELECT count(*) FROM ((SELECT customer, session, started, ended, events, value FROM session s WHERE s.gap = g.gap
		EXCEPT ALL SELECT customer, s.* FROM history, sessions(t, gap) s)
		UNION ALL (SELECT customer, s.* FROM history, sessions(t, gap) s
		EXCEPT ALL SELECT customer, session, started, ended, events, value FROM session s WHERE s.gap = g.gap)) d) AS different
FROM (SELECT DISTINCT gap FROM session) g ORDER BY gap;

-- Stays in states: events that begin none are passed over, the same state again begins no new one.
CREATE TEMP TABLE entry AS
SELECT customer, ts, state, until, row_number() OVER (PARTITION BY customer, until ORDER BY ts, event COLLATE "C", n) AS n, event
FROM (SELECT r.*, until, CASE event WHEN 'cart' THEN 'cart' WHEN 'order' THEN 'order' WHEN 'refund' THEN 'refund' END AS state, row_number() OVER () AS n
	FROM raw r, unnest(ARRAY[NULL, timestamptz '2026-03-24', '2026-06-01']) until WHERE ts < coalesce(until, 'infinity')) x
WHERE state IS NOT NULL;
CREATE INDEX ON entry (customer, ts);
CREATE TEMP TABLE stay AS
SELECT customer, until, state, ts AS entered, lead(ts) OVER w AS exited, coalesce(lead(ts) OVER w, until) - ts AS duration
FROM (SELECT *, lag(state) OVER (PARTITION BY customer, until ORDER BY n) AS before FROM entry) x
WHERE state IS DISTINCT FROM before
WINDOW w AS (PARTITION BY customer, until ORDER BY n);
SELECT until, (SELECT count(*) FROM stay s WHERE s.until IS NOT DISTINCT FROM u.until) AS stays,
	(SELECT count(*) FROM ((SELECT customer, state, entered, exited, duration FROM stay s WHERE s.until IS NOT DISTINCT FROM u.until
		EXCEPT ALL SELECT customer, s.* FROM history, time_in_state(t, ARRAY['cart', 'order', 'refund'], until) s)
		UNION ALL (SELECT customer, s.* FROM history, time_in_state(t, ARRAY['cart', 'order', 'refund'], until) s
		EXCEPT ALL SELECT customer, state, entered, exited, duration FROM stay s WHERE s.until IS NOT DISTINCT FROM u.until)) d) AS different
FROM (SELECT DISTINCT until FROM stay) u ORDER BY until;

-- Transitions from period to period.
CREATE TEMP TABLE transition AS
SELECT e.customer, e.until, period, zone, p::date AS period_start,
	(SELECT state FROM entry b WHERE b.customer = e.customer AND b.until IS NOT DISTINCT FROM e.until AND b.ts < p AT TIME ZONE zone ORDER BY ts DESC, n DESC LIMIT 1) AS from_state,
	(SELECT state FROM entry b WHERE b.customer = e.customer AND b.until IS NOT DISTINCT FROM e.until AND b.ts < (p + step) AT TIME ZONE zone ORDER BY ts DESC, n DESC LIMIT 1) AS to_state
FROM (SELECT customer, until, min(ts) AS first, max(ts) AS last FROM entry GROUP BY 1, 2) e
CROSS JOIN (VALUES ('day', interval '1 day'), ('week', interval '7 days'), ('month', interval '1 month')) s (period, step)
CROSS JOIN unnest(ARRAY['UTC', 'Asia/Shanghai', 'America/New_York']) zone
CROSS JOIN LATERAL generate_series(date_trunc(period, first AT TIME ZONE zone), coalesce(until - interval '1 us', last) AT TIME ZONE zone, step) p;
SELECT period, zone, count(*) AS transitions, count(from_state) AS with_start,
	(SELECT count(*) FROM ((SELECT customer, until, period_start, from_state, to_state FROM transition t WHERE t.period = x.period AND t.zone = x.zone
		EXCEPT ALL SELECT customer, until, s.* FROM history, unnest(ARRAY[NULL, timestamptz '2026-03-24', '2026-06-01']) until,
			state_transitions(t, ARRAY['cart', 'order', 'refund'], period, zone, until) s)
		UNION ALL (SELECT customer, until, s.* FROM history, unnest(ARRAY[NULL, timestamptz '2026-03-24', '2026-06-01']) until,
			state_transitions(t, ARRAY['cart', 'order', 'refund'], period, zone, until) s
		EXCEPT ALL SELECT customer, until, period_start, from_state, to_state FROM transition t WHERE t.period = x.period AND t.zone = x.zone)) d) AS different
FROM transition x GROUP BY period, zone ORDER BY period COLLATE "C", zone COLLATE "C";

-- Edges of paths.
CREATE TEMP VIEW node AS
SELECT customer, gap, nodes, node, path, row_number() OVER (PARTITION BY customer, gap, nodes, path ORDER BY ts, event COLLATE "C") AS n,
	count(*) OVER (PARTITION BY customer, gap, nodes, path) AS length
FROM (SELECT *, count(*) FILTER (WHERE far) OVER (PARTITION BY customer, gap, nodes ORDER BY ts, event COLLATE "C") AS path
	FROM (SELECT r.customer, r.ts, r.event, node, gap, nodes,
			r.ts - lag(r.ts) OVER (PARTITION BY customer, gap, nodes ORDER BY ts, event COLLATE "C") > gap AS far
		FROM raw r CROSS JOIN unnest(ARRAY[NULL, interval '3 hours', '1 day']) gap
		CROSS JOIN LATERAL (VALUES (1, event), (2, CASE WHEN event = 'order' THEN 'order' WHEN event LIKE 'view%' THEN 'view page' END),
			(3, CASE WHEN event = 'pay' THEN 'pay' ELSE '*' END)) v (nodes, node)
		WHERE node IS NOT NULL AND (nodes <> 2 OR event IN ('order', 'view page'))) a) b;
CREATE TEMP TABLE edge AS
SELECT customer, gap, nodes, path, CASE WHEN reverse THEN length + 2 - step ELSE step END AS step, source, target, reverse
FROM (
	SELECT customer, gap, nodes, path, length, n AS step, coalesce(lag(node) OVER w, '(start)') AS source, node AS target FROM node
	WINDOW w AS (PARTITION BY customer, gap, nodes, path ORDER BY n)
	UNION ALL
	SELECT customer, gap, nodes, path, length, length + 1, node, '(end)' FROM node WHERE n = length) x,
	unnest(ARRAY[false, true]) reverse;
SELECT x.nodes, x.gap, x.reverse, depth, (SELECT count(*) FROM edge e WHERE e.nodes = x.nodes AND e.gap IS NOT DISTINCT FROM x.gap AND e.reverse = x.reverse AND step <= depth) AS edges,
	(SELECT count(*) FROM ((SELECT customer, step, source, target FROM edge e WHERE e.nodes = x.nodes AND e.gap IS NOT DISTINCT FROM x.gap AND e.reverse = x.reverse AND step <= depth
		EXCEPT ALL SELECT customer, e.* FROM history, path_edges(t, steps, depth, x.gap, x.reverse) e)
		UNION ALL (SELECT customer, e.* FROM history, path_edges(t, steps, depth, x.gap, x.reverse) e
		EXCEPT ALL SELECT customer, step, source, target FROM edge e WHERE e.nodes = x.nodes AND e.gap IS NOT DISTINCT FROM x.gap AND e.reverse = x.reverse AND step <= depth)) d) AS different
FROM (VALUES (1, NULL::text[]), (2, ARRAY['order', 'view page']), (3, ARRAY['pay', '*'])) v (nodes, steps)
CROSS JOIN (SELECT DISTINCT gap, reverse FROM edge) x0 CROSS JOIN LATERAL (SELECT v.nodes, x0.gap, x0.reverse) x, unnest(ARRAY[2, 1000]) depth
ORDER BY x.nodes, x.gap, x.reverse, depth;

-- NULLs, nothing, one event.
SELECT event_count(NULL), event_sum(NULL), first_event(NULL), last_event(NULL), last_event_of(NULL), active_days(NULL), velocity(NULL, '1 day'),
	value_velocity(NULL, '1 day'), rfm(NULL::timeline), window_funnel(NULL::timeline, '1 day', ARRAY['a']), sequence_match(NULL::timeline, '(?1)', ARRAY['a']),
	sequence_count(NULL::timeline, '(?1)', ARRAY['a']), sequence_match_events(NULL::timeline, '(?1)', ARRAY['a']), session_count(NULL, '1 day');
SELECT event_count(t), event_sum(t), first_event(t), last_event(t), last_event_of(t), active_days(t), velocity(t, '1 day'), value_velocity(t, '1 day'), rfm(t),
	window_funnel(t, '1 day', ARRAY['a']), sequence_match(t, '(?1)', ARRAY['a']), sequence_match(t, '', ARRAY['a']) AS nothing, sequence_count(t, '(?1)', ARRAY['a']),
	sequence_match_events(t, '(?1)', ARRAY['a']), session_count(t, '1 day')
FROM (VALUES ('[]'::timeline), ('[["2026-06-01T00:00:00Z","a"]]'), ('[["2026-06-01T00:00:00Z","a",-2]]')) v (t);
SELECT (SELECT count(*) FROM sessions(t, '1 day')) AS sessions, (SELECT count(*) FROM time_in_state(t, ARRAY['a'])) AS stays,
	(SELECT count(*) FROM state_transitions(t, ARRAY['a'], 'day')) AS transitions, (SELECT count(*) FROM path_edges(t)) AS edges
FROM (VALUES (NULL), ('[]'::timeline), ('[["2026-06-01T00:00:00Z","a"]]'), ('[["2026-06-01T00:00:00Z","b"]]')) v (t);
SELECT * FROM time_in_state('[["2026-06-01T00:00:00Z","b"],["2026-06-01T00:00:00Z","a"],["2026-06-02T00:00:00Z","c"]]', ARRAY['a', 'b', '*'], 'infinity');
SELECT * FROM state_transitions('[["2026-01-31T23:00:00Z","ok"],["2026-03-05T00:00:00Z","late"],["2026-03-06T00:00:00Z","ok"]]', ARRAY['ok', 'late'], 'month', 'Asia/Shanghai', '2026-05-01');
SELECT * FROM sessions('[["2026-06-01T00:00:00Z","a",1e308],["2026-06-01T00:01:00Z","a",-1e308],["2026-06-01T00:01:00.000001Z","a",0.5],["2026-06-01T00:02:00.000001Z","a"]]', '59.999999 s');
-- The same call site with other selectors, patterns and zones on each row.
SELECT e, p, z, event_count(t, e), window_funnel(t, '1 day', ARRAY[e, 'b']), sequence_match(t, p, ARRAY['a', 'b']), active_days(t, e, zone => z)
FROM (VALUES ('[["2026-06-01T00:00:00Z","a"],["2026-06-01T20:00:00Z","b"],["2026-06-02T00:00:00Z","c",3]]'::timeline)) v (t),
	(VALUES ('a', '(?1)(?2)', 'UTC'), (NULL, '(?2)(?1)', 'Asia/Shanghai'), ('*[value>2]', '(?1).(?2)', 'UTC'), ('a', '(?1)', 'Asia/Shanghai')) w (e, p, z)
WHERE e IS NOT NULL;

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
SELECT pg_temp.try('SELECT count(*) FROM history CROSS JOIN LATERAL ' || call) FROM (VALUES
	(1, $$event_count(t, 'order[channel')$$), (2, $$event_count(t, '下单[渠道=]')$$), (3, $$event_count(t, 'a[b>x]')$$),
	(4, $$window_funnel(t, '1 day', '{}')$$), (5, $$window_funnel(t, '1 day', NULL)$$), (6, $$window_funnel(t, '1 day', '{a,NULL}')$$),
	(7, $$window_funnel(t, '1 day', '{{a}}')$$), (8, $$window_funnel(t, '1 day', array_fill('a'::text, ARRAY[65]))$$), (9, $$window_funnel(t, '1 month', '{a}')$$),
	(10, $$window_funnel(t, '1 day', '{a}', 'strict')$$), (11, $$window_funnel(t, '1 day', '{a}', NULL)$$), (12, $$window_funnel(t, NULL, '{a}')$$),
	(13, $$sequence_match(t, '(?2)', ARRAY['a'])$$), (14, $$sequence_match(t, NULL, ARRAY['a'])$$), (15, $$sessions(t, '-1 s')$$), (16, $$session_count(t, NULL)$$),
	(17, $$active_days(t, zone => 'Mars')$$), (18, $$active_days(t, zone => NULL)$$), (19, $$state_transitions(t, '{a}', 'hour')$$),
	(20, $$state_transitions(t, '{a}', 'decade')$$), (21, $$state_transitions(t, '{a}', 'week', week_start => 8)$$), (22, $$state_transitions(t, '{a}', 'week', week_start => NULL)$$),
	(23, $$path_edges(t, depth => 0)$$), (24, $$path_edges(t, '{}')$$), (25, $$velocity(t, '1 year')$$),
	(26, $$event_sum(t || '[["2026-01-01T00:00:00Z","x",1.7e308],["2026-01-01T00:00:00Z","x",1.7e308]]')$$)) v (n, call) ORDER BY n;
SELECT count(*) FROM state_transitions('[["2026-01-31T23:00:00Z","ok"]]', ARRAY['ok'], 'day', until => '9999-01-01');
-- An error that is caught leaves the call site as good as new.
DO $$
DECLARE
	e text;
	counted text := '';
BEGIN
	FOREACH e IN ARRAY ARRAY['a', 'a[', 'b', '"', '*'] LOOP
		BEGIN
			counted := counted || event_count('[["2026-06-01T00:00:00Z","a"],["2026-06-01T00:00:00Z","b"]]', e);
		EXCEPTION WHEN invalid_parameter_value THEN
			counted := counted || '-';
		END;
	END LOOP;
	RAISE NOTICE '%', counted;
END
$$;

-- Parallel = serial.
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE TABLE timeline_history AS SELECT * FROM history;
ALTER TABLE timeline_history SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT sum(window_funnel(t, '1 day', ARRAY['view', 'cart'])), sum(session_count(t, '1 hour')) FROM timeline_history;
SELECT p = s AS same FROM
	(SELECT row(sum(window_funnel(t, '1 day', ARRAY['view', 'cart'])), sum(session_count(t, '1 hour')), sum(active_days(t, 'order'))) AS p FROM timeline_history) p,
	(SELECT row(sum(window_funnel(t, '1 day', ARRAY['view', 'cart'])), sum(session_count(t, '1 hour')), sum(active_days(t, 'order'))) AS s FROM history) s;
DROP TABLE timeline_history;
