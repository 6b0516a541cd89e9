-- Attribution against published figures: 10,000 paths of ChannelAttribution's
-- data, whose rule-based credits and transition matrix are the package's own
-- and whose Markov credits were computed exactly; small cases of another
-- package's tests; rules that clean up paths.
\ir lib/tally.sql
\setenv CRM_FOLDER :shared/data/behavior
\set absent `cd "$CRM_FOLDER" 2>/dev/null && test -r attribution_paths.csv.gz -a -r attribution_paths_expected.csv -a -r attribution_paths_transitions.csv -a -r attribution_small_paths.csv -a -r attribution_small_expected.csv -a -r path_transformations.csv && echo false || echo true`
\if :absent
	\echo 'ok - attribution # skip no data/behavior/attribution_*.csv or path_transformations.csv'
	\quit
\endif

CREATE TABLE paths (path text, conversions float8, value float8, nulls float8);
\copy paths FROM PROGRAM 'zcat "$CRM_FOLDER/attribution_paths.csv.gz"' (FORMAT csv, HEADER)
CREATE TABLE expected (channel text, first_touch float8, last_touch float8, linear_touch float8, first_touch_value float8,
	last_touch_value float8, linear_touch_value float8, markov_removal_effect float8, markov_conversions float8);
\copy expected FROM PROGRAM 'cat "$CRM_FOLDER/attribution_paths_expected.csv"' (FORMAT csv, HEADER)
CREATE TABLE expected_transitions (channel_from text, channel_to text, probability float8);
\copy expected_transitions FROM PROGRAM 'cat "$CRM_FOLDER/attribution_paths_transitions.csv"' (FORMAT csv, HEADER)
SELECT pg_temp.same(count(*)::text || ' ' || sum(conversions) || ' ' || sum(nulls), '10000 19785 68602', 'published: paths, conversions, nulls') FROM paths;

CREATE TABLE credits AS
SELECT method, c.*
FROM (SELECT method, crm.attribution(method, string_to_array(path, ' > '), conversions, nulls, value) AS credits
	FROM paths, unnest(ARRAY['first', 'last', 'linear', 'position', 'decay', 'decay:0.8', 'markov', 'markov:2', 'markov:3', 'shapley']) AS method
	GROUP BY method) AS a, unnest(credits) AS c;

SELECT pg_temp.note(count(*) = 12 AND max(abs(c.conversions - e.first_touch)) < 1e-9 AND max(abs(c.value - e.first_touch_value)) < 1e-6,
	'published: first touch, conversions and value of 12 channels') FROM credits c JOIN expected e USING (channel) WHERE method = 'first';
SELECT pg_temp.note(count(*) = 12 AND max(abs(c.conversions - e.last_touch)) < 1e-9 AND max(abs(c.value - e.last_touch_value)) < 1e-6,
	'published: last touch, conversions and value of 12 channels') FROM credits c JOIN expected e USING (channel) WHERE method = 'last';
SELECT pg_temp.note(count(*) = 12 AND max(abs(c.conversions - e.linear_touch)) < 1e-8 AND max(abs(c.value - e.linear_touch_value)) < 1e-6,
	'published: linear touch, conversions and value of 12 channels') FROM credits c JOIN expected e USING (channel) WHERE method = 'linear';
SELECT pg_temp.note(count(*) = 12 AND max(abs(c.conversions - e.markov_conversions)) < 1e-8,
	'computed exactly: Markov conversions of 12 channels') FROM credits c JOIN expected e USING (channel) WHERE method = 'markov';
SELECT pg_temp.note(count(*) = 12 AND max(abs(c.conversions - e.markov_removal_effect)) < 1e-8, 'computed exactly: removal effects of 12 channels')
FROM (SELECT crm.attribution_effects('markov', string_to_array(path, ' > '), conversions, nulls, value) AS effects FROM paths) AS a,
	unnest(effects) AS c JOIN expected e USING (channel);
-- The package's own simulation of a million journeys, to its sampling error.
SELECT pg_temp.note(bool_and(abs(c.conversions - s.simulated) < 10), 'published: simulated Markov conversions, to ten')
FROM credits c JOIN (VALUES ('alpha', 5344.3), ('iota', 3890.3), ('eta', 3333.4), ('beta', 2524.4), ('theta', 1977.1), ('lambda', 1280.0)) s (channel, simulated)
	USING (channel) WHERE method = 'markov';
CREATE TABLE transitions AS
SELECT t.* FROM (SELECT crm.attribution_transitions('markov', string_to_array(path, ' > '), conversions, nulls, value) AS transitions FROM paths) AS a,
	unnest(transitions) AS t;
SELECT pg_temp.note(count(*) = 148 AND count(t.probability) = 148 AND count(e.probability) = 148 AND max(abs(t.probability - e.probability)) < 1e-14,
	'published: 148 transition probabilities') FROM transitions t FULL JOIN expected_transitions e USING (channel_from, channel_to);

-- Credits sum to the totals, as floats, in the order of the channels; nothing depends on the order of the rows.
SELECT pg_temp.note(bool_and(conversions = 19785 AND value = (SELECT value FROM (SELECT sum(value) AS value FROM credits WHERE method = 'first') x)),
	'credits of each method sum exactly to the same totals')
FROM (SELECT method, sum(conversions ORDER BY channel) AS conversions, sum(value ORDER BY channel) AS value FROM credits GROUP BY method) AS s;
SELECT pg_temp.note(abs(sum(c.value) - 74802.9716) < 5e-5, 'published: the value of all conversions') FROM credits c WHERE method = 'last';
SELECT pg_temp.same_rows('TABLE credits', $$
	SELECT method, c.*
	FROM (SELECT method, crm.attribution(method, string_to_array(path, ' > '), conversions, nulls, value ORDER BY md5(path)) AS credits
		FROM paths, (SELECT DISTINCT method FROM credits) AS m GROUP BY method) AS a, unnest(credits) AS c$$,
	'shuffled rows give the same floats');

-- Plain SQL for the methods without published figures.
CREATE TABLE touches AS
SELECT no, conversions, value, t.channel, t.place, max(t.place) OVER (PARTITION BY no) AS length
FROM (SELECT row_number() OVER () AS no, * FROM paths) AS p, unnest(string_to_array(path, ' > ')) WITH ORDINALITY AS t (channel, place);
SELECT pg_temp.note(count(*) = 12 AND max(abs(c.conversions - p.conversions)) < 1e-8 AND max(abs(c.value - p.value)) < 1e-6,
	'position: as plain SQL shares out')
FROM credits c JOIN (SELECT channel, sum(conversions * w) AS conversions, sum(value * w) AS value
	FROM touches, LATERAL (SELECT CASE WHEN length = 1 THEN 1 WHEN length = 2 THEN 0.5 WHEN place IN (1, length) THEN 0.4 ELSE 0.2 / (length - 2) END AS w) AS x
	GROUP BY channel) AS p USING (channel) WHERE method = 'position';
SELECT pg_temp.note(count(*) = 24 AND max(abs(c.conversions - p.conversions)) < 1e-8, 'decay: as plain SQL shares out')
FROM credits c JOIN (SELECT method, channel, sum(conversions * w / all_w) AS conversions
	FROM (SELECT *, factor ^ (length - place)::float8 AS w, sum(factor ^ (length - place)::float8) OVER (PARTITION BY method, no) AS all_w
		FROM touches, (VALUES ('decay', 0.5::float8), ('decay:0.8', 0.8)) AS f (method, factor)) AS x
	GROUP BY method, channel) AS p USING (method, channel);
-- Shapley's value by its definition, over all 4,096 sets of 12 channels: what a set converts is what the paths
-- within it convert, and a channel earns what it adds, averaged over the orders in which the set may have come together.
CREATE TABLE masks AS
SELECT mask, sum(conversions) AS conversions
FROM (SELECT no, conversions, bit_or(1 << (c.bit - 1)::int) AS mask
	FROM touches JOIN (SELECT channel, row_number() OVER (ORDER BY channel COLLATE "C") AS bit FROM expected) AS c USING (channel)
	GROUP BY no, conversions) AS p GROUP BY mask;
CREATE TABLE worth AS
SELECT s AS mask, length(replace((s::bit(12))::text, '0', '')) AS size, coalesce((SELECT sum(conversions) FROM masks WHERE mask & ~s = 0), 0) AS worth
FROM generate_series(0, 4095) AS s;
SELECT pg_temp.note(count(*) = 12 AND max(abs(c.conversions - p.conversions)) < 1e-7, 'shapley: the definition over all sets of channels')
FROM credits c JOIN (SELECT channel, sum((b.worth - a.worth) * factorial(a.size) * factorial(11 - a.size) / factorial(12))::float8 AS conversions
	FROM (SELECT channel, 1 << (row_number() OVER (ORDER BY channel COLLATE "C") - 1)::int AS bit FROM expected) AS e
		JOIN worth a ON a.mask & bit = 0 JOIN worth b ON b.mask = a.mask | bit
	GROUP BY channel) AS p USING (channel) WHERE method = 'shapley';

-- Small exact cases.
CREATE TABLE small (case_id text, path_no int, path text, conversions float8, nulls float8, value float8);
\copy small FROM PROGRAM 'cat "$CRM_FOLDER/attribution_small_paths.csv"' (FORMAT csv, HEADER)
CREATE TABLE small_expected (case_id text, model text, channel text, expected float8, source text);
\copy small_expected FROM PROGRAM 'cat "$CRM_FOLDER/attribution_small_expected.csv"' (FORMAT csv, HEADER)
CREATE TABLE small_found AS
SELECT case_id, model, c.channel, c.conversions AS found
FROM (SELECT case_id, model, crm.attribution(method, string_to_array(path, ' > '), conversions, nulls, value) AS credits
	FROM small, (VALUES ('first_touch', 'first'), ('last_touch', 'last'), ('linear', 'linear'), ('position_40_20_40', 'position'),
		('shapley', 'shapley'), ('markov_conversions', 'markov')) AS m (model, method)
	GROUP BY case_id, model) AS a, unnest(credits) AS c
UNION ALL
SELECT case_id, 'removal_effect', c.channel, c.conversions
FROM (SELECT case_id, crm.attribution_effects('markov', string_to_array(path, ' > '), conversions, nulls, value) AS effects FROM small GROUP BY case_id) AS a,
	unnest(effects) AS c
UNION ALL
SELECT case_id, CASE channel_to WHEN '(conversion)' THEN 'transition to conversion' ELSE format('transition %s to %s', channel_from, channel_to) END,
	CASE channel_to WHEN '(conversion)' THEN channel_from ELSE channel_to END, t.probability
FROM (SELECT case_id, crm.attribution_transitions('markov', string_to_array(path, ' > '), conversions, nulls, value) AS transitions
	FROM small GROUP BY case_id) AS a, unnest(transitions) AS t;
SELECT pg_temp.note(abs(f.found - e.expected) < 1e-11, format('%s %s %s: %s', case_id, model, channel, e.expected))
FROM (SELECT * FROM small_expected ORDER BY case_id, model, channel) e LEFT JOIN small_found f USING (case_id, model, channel);

-- Rules that clean up paths.
CREATE TABLE cleaned (raw_path text, keep_last_1 text, keep_last_2 text, frequency_path text, exposure_path text, first_path text,
	drop_direct_unless_all text, drop_trailing_direct_unless_all text);
\copy cleaned FROM PROGRAM 'cat "$CRM_FOLDER/path_transformations.csv"' (FORMAT csv, HEADER)
SELECT pg_temp.same(count(*), 5::bigint, 'published: five paths cleaned up') FROM cleaned;
SELECT pg_temp.same(array_to_string(f.found, ' > '), f.expected, 'published: ' || f.rule || ' of ' || raw_path)
FROM cleaned, LATERAL (SELECT string_to_array(raw_path, ' > ') AS p) AS a, LATERAL (VALUES
	('keep_last_1', crm.path_keep_last(p, 1), keep_last_1), ('keep_last_2', crm.path_keep_last(p, 2), keep_last_2),
	('frequency_path', crm.path_frequency(p), frequency_path), ('exposure_path', crm.path_exposure(p), exposure_path),
	('first_path', crm.path_first(p), first_path), ('drop_direct_unless_all', crm.path_drop_unless_all(p, 'Direct'), drop_direct_unless_all),
	('drop_trailing_direct_unless_all', crm.path_drop_trailing_unless_all(p, 'Direct'), drop_trailing_direct_unless_all)) AS f (rule, found, expected);
\ir lib/report.sql
