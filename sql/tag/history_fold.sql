-- The history of a tracked population: folds are changes like refreshes, and what is only logged is not yet one.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA history_fold;
SET search_path = history_fold, crm, public;

CREATE TABLE client (id int PRIMARY KEY, branch text, spent numeric, city text);
INSERT INTO client SELECT i, CASE WHEN i % 3 = 0 THEN 'north' ELSE 'south' END, i % 100, (ARRAY['Rome', 'Oslo'])[i % 2 + 1] FROM generate_series(1, 500) i;
SELECT create_population('client', 'client', 'id', scope => 'branch');
SELECT create_tag('big', 'spent >= 50'), create_tag('spent', 'spent'), create_tag('city', 'city');
SELECT count(*) FROM refresh_tags();
SELECT track_population('client');
SELECT define_segment('target', 'big & city = Rome');

CREATE TABLE kept (n serial, at timestamptz, what text, answer text);
CREATE FUNCTION answers(as_of timestamptz DEFAULT NULL) RETURNS TABLE (what text, answer text) LANGUAGE sql AS $$
	SELECT 'big', tag('big', as_of => answers.as_of)::text UNION ALL SELECT 'Rome', tag('city', 'Rome', as_of => answers.as_of)::text
	UNION ALL SELECT 'spent', tag_number('spent', as_of => answers.as_of)::text UNION ALL SELECT 'target', tag('target', as_of => answers.as_of)::text
	UNION ALL SELECT 'others', segment('!target', as_of => answers.as_of)::text
	UNION ALL SELECT 'one', (SELECT string_agg(concat_ws('=', tag, value), ',' ORDER BY tag) FROM tags_of(7, as_of => answers.as_of))
$$;
CREATE PROCEDURE keep() LANGUAGE sql AS $$ INSERT INTO kept (at, what, answer) SELECT changed_at, a.* FROM population_definition, answers() a WHERE name = 'client' $$;
CREATE PROCEDURE step(i int) LANGUAGE plpgsql AS $$
BEGIN
	UPDATE client SET spent = (random() * 100)::int + CASE WHEN i % 4 = 0 THEN 0.5 ELSE 0 END WHERE random() < 0.05 OR id = 7;
	UPDATE client SET branch = (ARRAY['north', 'south', 'east'])[(random() * 2)::int + 1] WHERE random() < 0.03;
	DELETE FROM client WHERE random() < 0.02 AND id <> 7;
	INSERT INTO client SELECT n, 'east', n % 100, 'town ' || n % 5 FROM generate_series(400, 600) n WHERE random() < 0.05 ON CONFLICT DO NOTHING;
	IF i % 5 = 0 THEN
		PERFORM refresh_tags();
	ELSE
		PERFORM fold_tags();
	END IF;
END $$;
SELECT setseed(0.3);
CALL keep();
CALL step(1); CALL keep();
CALL step(2); CALL keep();
CALL step(3); CALL keep();
CALL step(4); CALL keep();
CALL step(5); CALL keep();
CALL step(6); CALL keep();
CALL step(7); CALL keep();
SELECT count(DISTINCT at) AS instants, count(DISTINCT answer) > 40 AS different FROM kept;
SELECT count(*) AS answers, count(*) FILTER (WHERE a.answer IS DISTINCT FROM k.answer) AS wrong
FROM (SELECT DISTINCT at FROM kept) m CROSS JOIN LATERAL answers(m.at) a LEFT JOIN kept k USING (at, what);
SELECT count(*) FILTER (WHERE since IS NULL) AS unknown, count(*) FROM tags_of(7);
SELECT since = (SELECT max(at) FROM kept) AS with_the_last_fold FROM tags_of(7) WHERE tag = 'spent';
-- The changes of a segment add up to what it is.
SELECT bool_and(entered::text = (tag('target', as_of => changed_at) - tag('target', as_of => changed_at - interval '1 microsecond'))::text
	AND exited::text = (tag('target', as_of => changed_at - interval '1 microsecond') - tag('target', as_of => changed_at))::text) AS same, count(*) >= 5 AS changes
FROM segment_change_sets('target');
-- What is written and not folded yet is in the sets of now, not in the history, and has no since.
UPDATE client SET spent = 99 WHERE id = 7;
SELECT tag, value, since IS NULL AS unknown FROM tags_of(7) WHERE tag IN ('spent', 'big') ORDER BY tag;
SELECT tag('spent') @> 7 AS now, (SELECT value FROM tags_of(7, as_of => at) WHERE tag = 'spent') = '99' AS then FROM (SELECT max(at) AS at FROM kept) k;
SELECT count(*) FROM segment_changes('target', (SELECT max(at) FROM kept));
SELECT count(*) > 0 AS folded FROM fold_tags();
SELECT since > (SELECT max(at) FROM kept) AS now_known FROM tags_of(7) WHERE tag = 'spent';

SELECT drop_population('client');
SELECT (SELECT count(*) FROM tag_change) + (SELECT count(*) FROM tag_state) + (SELECT count(*) FROM segment_change) AS left_behind;
SET client_min_messages = error;
DROP SCHEMA history_fold CASCADE;
