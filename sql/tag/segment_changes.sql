-- Who entered and who left a segment: in order, and once for each consumer.
SET client_min_messages = warning;
SET timezone = 'UTC';
CREATE SCHEMA segment_changes_test;
SET search_path = segment_changes_test, crm, public;

CREATE TABLE clients (id int PRIMARY KEY, branch text, spent int, active boolean);
INSERT INTO clients SELECT i, CASE WHEN i <= 50 THEN 'north' ELSE 'south' END, i * 10, true FROM generate_series(1, 100) i;
SELECT create_population('clients', 'clients', 'id', scope => 'branch');
SELECT create_tag('rich', 'spent >= 900');
SELECT create_tag('active', 'active');
-- Defined before anything is refreshed: followed from the first refresh on.
SELECT define_segment('early', 'rich & active');
SELECT * FROM segment_changes('early');
SELECT count(*) FROM refresh_tags();
SELECT define_segment('target', 'rich & active', description => 'to be called');
SELECT define_segment('rest', '!target');
SELECT count(*) FROM segment_changes('early') a, segment_changes('target') b;
SELECT clock_timestamp() AS start \gset

-- A change: 1 and 2 come, 100 goes; 95 moves to another branch and stays in it.
UPDATE clients SET spent = 2000 WHERE id <= 2;
UPDATE clients SET active = false WHERE id = 100;
UPDATE clients SET branch = 'north' WHERE id = 95;
SELECT count(*) FROM refresh_tags();
SELECT dense_rank() OVER (ORDER BY change) AS change, action, customer_id, customer FROM segment_changes('target');
SELECT string_agg(action || ' ' || customer, ', ') FROM segment_changes('rest', :'start');
SELECT entered::bigint[], exited::bigint[] FROM segment_change_sets('target');
SELECT changed_at > :'start' AS later FROM segment_change_sets('early');
SELECT clock_timestamp() AS middle \gset
-- Another one: 1 goes again; nothing of it for who asks since later.
UPDATE clients SET spent = 0 WHERE id = 1;
DELETE FROM clients WHERE id = 99;
SELECT count(*) FROM refresh_tags();
SELECT count(*) FROM refresh_tags();
SELECT dense_rank() OVER (ORDER BY change) AS change, action, customer FROM segment_changes('target');
SELECT action, customer FROM segment_changes('target', since => :'middle');
SELECT count(*) FROM segment_changes('target', since => clock_timestamp());
SELECT * FROM segment_changes(NULL);
SELECT * FROM segment_changes('tarket');
SELECT * FROM segment_changes('rich');

-- Consumers: so many at a time, each once; a rollback gives them back.
SELECT action, customer FROM consume_segment_changes('target', 'mailer', 2);
BEGIN;
SELECT action, customer FROM consume_segment_changes('target', 'mailer');
SELECT action, customer FROM consume_segment_changes('target', 'mailer');
ROLLBACK;
BEGIN;
SAVEPOINT inside;
SELECT action, customer FROM consume_segment_changes('target', 'mailer', 1);
ROLLBACK TO inside;
SELECT action, customer FROM consume_segment_changes('target', 'mailer', 1);
COMMIT;
SELECT action, customer FROM consume_segment_changes('target', 'mailer', 1);
SELECT segment, consumer, changes_behind, lost FROM segment_consumers;
SELECT action, customer FROM consume_segment_changes('target', 'mailer', 1);
SELECT action, customer FROM consume_segment_changes('target', 'mailer', 1);
SELECT segment, consumer, changes_behind, lost FROM segment_consumers;
SELECT count(*) FROM consume_segment_changes('target', 'dialler');
SELECT * FROM consume_segment_changes('target', 'mailer', 0);
SELECT * FROM consume_segment_changes('target', '');
SELECT * FROM consume_segment_changes('target', NULL);
SELECT * FROM consume_segment_changes(NULL, 'mailer');
SELECT drop_segment_consumer('target', 'dialler');
SELECT drop_segment_consumer('target', 'dialler');
START TRANSACTION READ ONLY;
SELECT * FROM consume_segment_changes('target', 'mailer');
ROLLBACK;

-- Rights: a reader of one branch has the changes of its sets, and cannot consume as somebody else.
CREATE ROLE regress_crm_follower;
CREATE ROLE regress_crm_outsider;
GRANT USAGE ON SCHEMA crm TO regress_crm_follower, regress_crm_outsider;
SELECT grant_population('clients', 'regress_crm_follower', 'read', '{north}');
SET ROLE regress_crm_follower;
SELECT dense_rank() OVER (ORDER BY change) AS change, action, customer_id FROM segment_changes('target');
SELECT action, customer_id FROM consume_segment_changes('target', 'northern', 1);
SELECT action, customer_id FROM consume_segment_changes('target', 'northern');
SELECT * FROM consume_segment_changes('target', 'mailer');
SELECT drop_segment_consumer('target', 'mailer');
SELECT follow_segment('target', false);
SELECT segment, consumer FROM segment_consumers ORDER BY 2;
SELECT * FROM segment_change;
SELECT * FROM segment_followed;
SET ROLE regress_crm_outsider;
SELECT * FROM segment_changes('target', population => 'clients');
SELECT * FROM consume_segment_changes('target', 'mailer', population => 'clients');
SELECT count(*) FROM segment_consumers;
RESET ROLE;

-- A new expression changes the segment, and those that rest on it, at once; so does a new look at a frozen one.
SELECT define_segment('fixed', 'rich', frozen => true);
SELECT clock_timestamp() AS redefined \gset
SELECT define_segment('target', 'rich', replace => true);
SELECT action, customer FROM segment_changes('target', :'redefined');
SELECT action, customer FROM segment_changes('rest', :'redefined');
UPDATE clients SET spent = 5000 WHERE id = 60;
SELECT count(*) FROM refresh_tags();
SELECT count(*) FROM segment_changes('fixed');
SELECT * FROM refresh_segment('fixed');
SELECT action, customer FROM segment_changes('fixed');

-- One that cannot be evaluated is left out, with a warning, and goes on when it can.
SELECT create_tag('passing', 'id = 3');
SELECT define_segment('shaky', 'passing | rich');
SELECT count(*) FROM refresh_tags();
SELECT drop_tag('passing');
UPDATE clients SET spent = 7000 WHERE id = 61;
SELECT count(*) FROM refresh_tags();
SELECT count(*) FROM segment_changes('shaky');
SELECT define_segment('shaky', 'rich', replace => true);
SELECT action, customer FROM segment_changes('shaky');

-- Not followed; followed again: what was missed is not made up.
SELECT follow_segment('shaky', false);
SELECT * FROM segment_changes('shaky');
UPDATE clients SET spent = 7000 WHERE id = 62;
SELECT count(*) FROM refresh_tags();
SELECT follow_segment('shaky');
SELECT count(*) FROM segment_changes('shaky');
UPDATE clients SET spent = 7000 WHERE id = 63;
SELECT count(*) FROM refresh_tags();
SELECT action, customer FROM segment_changes('shaky');
\set VERBOSITY sqlstate
SELECT action, customer FROM segment_changes('shaky', :'redefined');
\set VERBOSITY default

-- What is older than the population keeps is gone, and who was not there in time is told so.
SELECT action, customer FROM consume_segment_changes('target', 'slow', 1);
SELECT keep_history('clients', '0');
\set VERBOSITY terse
SELECT count(*) FROM segment_changes('target');
SELECT action, customer FROM consume_segment_changes('target', 'new');
\set VERBOSITY sqlstate
SELECT * FROM segment_changes('target', :'start');
SELECT * FROM consume_segment_changes('target', 'slow');
\set VERBOSITY default
SELECT segment, consumer, lost FROM segment_consumers ORDER BY 1, 2;
SELECT drop_segment_consumer('target', 'slow');
SELECT count(*) FROM consume_segment_changes('target', 'slow');
SELECT keep_history('clients', NULL);
SELECT * FROM segment_changes('target');
SELECT count(*) FROM segment_change;
UPDATE clients SET spent = 7000 WHERE id = 64;
SELECT count(*) FROM refresh_tags();
SELECT keep_history('clients', '1 day');
UPDATE clients SET spent = 7000 WHERE id = 65;
SELECT count(*) FROM refresh_tags();
SELECT action, customer FROM segment_changes('target');
\set VERBOSITY sqlstate
SELECT * FROM consume_segment_changes('target', 'new');
\set VERBOSITY default

-- Random changes: what each consumer has had, put together in order, makes the segment that there is.
SELECT drop_segment_consumer('target', consumer) FROM segment_consumers WHERE segment = 'target' AND consumer <> 'mailer';
SELECT define_segment('target', '(rich | active) - (rich & active)', replace => true);
CREATE TABLE had (consumer text, n bigserial, action text, id bigint);
CREATE TABLE held AS SELECT s, members(tag('target')) AS id FROM unnest('{all,few}'::text[]) s;
SELECT count(*) >= 0 AS begun FROM consume_segment_changes('target', 'all') a, consume_segment_changes('target', 'few') f;
SELECT change_no AS begun FROM population_definition WHERE name = 'clients' \gset
CREATE PROCEDURE step(i int) LANGUAGE plpgsql AS $$
BEGIN
	UPDATE clients SET spent = random() * 1800, active = random() < 0.5 WHERE random() < 0.3;
	UPDATE clients SET branch = (ARRAY['north', 'south', 'east'])[(random() * 2)::int + 1] WHERE random() < 0.2;
	DELETE FROM clients WHERE random() < 0.05;
	INSERT INTO clients SELECT n, 'south', random() * 1800, random() < 0.5 FROM generate_series(1, 150) n WHERE random() < 0.1 ON CONFLICT DO NOTHING;
	PERFORM refresh_tags();
	INSERT INTO had (consumer, action, id) SELECT 'few', action, customer_id FROM consume_segment_changes('target', 'few', (random() * 30)::int + 1);
	IF i % 4 = 0 THEN
		INSERT INTO had (consumer, action, id) SELECT 'all', action, customer_id FROM consume_segment_changes('target', 'all');
	END IF;
END $$;
SELECT setseed(0.7);
DO $$ BEGIN FOR i IN 1 .. 12 LOOP CALL step(i); END LOOP; END $$;
INSERT INTO had (consumer, action, id) SELECT 'few', action, customer_id FROM consume_segment_changes('target', 'few', 100000);
SELECT count(*) FROM consume_segment_changes('target', 'few');
SELECT consumer, count(*) > 100 AS many, count(*) FILTER (WHERE action = before) AS twice FROM (
	SELECT *, lag(action) OVER (PARTITION BY consumer, id ORDER BY n) AS before FROM had) h GROUP BY consumer ORDER BY 1;
SELECT consumer, count(*) > 10 AS many, audience_agg(id) = tag('target') AS same FROM (
	SELECT DISTINCT ON (consumer, id) consumer, id, action FROM (
		SELECT consumer, n, id, action FROM had UNION ALL SELECT s, 0, id, 'entered' FROM held) e
	ORDER BY consumer, id, n DESC) last WHERE action = 'entered' GROUP BY consumer ORDER BY 1;
-- The sets say the same as the rows, and are what changed between the instants.
SELECT bool_and(entered::text = (tag('target', as_of => changed_at) - tag('target', as_of => changed_at - interval '1 microsecond'))::text
	AND exited::text = (tag('target', as_of => changed_at - interval '1 microsecond') - tag('target', as_of => changed_at))::text) AS same, count(*) >= 10 AS changes
FROM segment_change_sets('target') WHERE change > :begun;

SELECT drop_segment('rest'), drop_segment('target');
SELECT drop_population('clients');
SELECT (SELECT count(*) FROM segment_change) + (SELECT count(*) FROM segment_followed) + (SELECT count(*) FROM segment_consumer) + (SELECT count(*) FROM segment_follow) AS left_behind;
SET client_min_messages = error;
DROP SCHEMA segment_changes_test CASCADE;
DROP OWNED BY regress_crm_follower, regress_crm_outsider;
DROP ROLE regress_crm_follower, regress_crm_outsider;
