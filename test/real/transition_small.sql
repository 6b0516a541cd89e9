-- Paths with published transition counts: the edges that path_edges gives for them.
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/behavior/transition_small.csv
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - transition_small # skip no data/behavior/transition_small.csv'
	\quit
\endif

CREATE TABLE small (row_no int, user_id text, session_id text, event text);
\copy small FROM PROGRAM 'cat "$CRM_FILE"' (FORMAT csv, HEADER)
CREATE TABLE path AS
SELECT user_id, timeline_agg(timestamptz '2026-01-01 00:00Z' + row_no * interval '1 minute', event) AS t FROM small GROUP BY user_id;

-- The counts of the data's README, section 4: rows from, columns to.
CREATE TABLE published (source text, target text, times bigint);
INSERT INTO published VALUES ('(start)', 'A', 2), ('(start)', 'B', 1), ('A', 'B', 4), ('B', 'A', 1), ('B', 'B', 4), ('B', 'C', 3), ('B', '(end)', 2),
	('C', 'A', 1), ('C', 'B', 1), ('C', 'C', 1), ('C', '(end)', 1);

SELECT pg_temp.same(count(*), 3::bigint, 'paths') FROM path;
SELECT pg_temp.same(count(*), 21::bigint, 'transitions') FROM path, path_edges(t, depth => NULL);
SELECT pg_temp.same_rows('SELECT source, target, count(*) FROM path, path_edges(t, depth => NULL) GROUP BY 1, 2', 'SELECT * FROM published',
	'transition counts as published');
SELECT pg_temp.same_rows('SELECT source, target, count(*) FROM path, path_edges(t, NULL, NULL, NULL, true) GROUP BY 1, 2', 'SELECT * FROM published',
	'the same counted from the end');
SELECT pg_temp.same_rows('SELECT source, target, count(*) FROM path, path_edges(t, ARRAY[''C'', ''B'', ''A''], 1000) GROUP BY 1, 2', 'SELECT * FROM published',
	'the same with the nodes named');
SELECT pg_temp.same_rows($$SELECT source, target, round(count(*) / sum(count(*)) OVER (PARTITION BY source), 1) FROM path, path_edges(t, depth => NULL) WHERE source = 'B' GROUP BY 1, 2$$,
	$$VALUES ('B', 'A', 0.1), ('B', 'B', 0.4), ('B', 'C', 0.3), ('B', '(end)', 0.2)$$, 'shares of B as published');
\ir lib/report.sql
