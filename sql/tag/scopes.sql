-- A customer who only changes his scope neither enters nor leaves a set.
SET search_path = crm, public;
CREATE SCHEMA scopes_test;
CREATE TABLE scopes_test.clients (id bigint PRIMARY KEY, branch text, rich boolean);
INSERT INTO scopes_test.clients SELECT i, 'b' || i % 3, i % 4 = 0 FROM generate_series(1, 30000) i;
SELECT create_population('scoped', 'scopes_test.clients', 'id', 'branch');
SELECT create_tag('rich', 'rich', population => 'scoped'), create_tag('branch', 'branch', population => 'scoped');
SELECT * FROM refresh_tags('scoped');
-- 100 move to b1, among them the 33 who are there.
UPDATE scopes_test.clients SET branch = 'b1' WHERE id <= 100;
SELECT * FROM refresh_tags('scoped');
-- 101 move and change as well, some leave altogether, some are new.
CREATE TEMP TABLE before AS SELECT * FROM scopes_test.clients;
UPDATE scopes_test.clients SET branch = 'b9', rich = NOT rich WHERE id BETWEEN 500 AND 600;
DELETE FROM scopes_test.clients WHERE id BETWEEN 20001 AND 21000;
INSERT INTO scopes_test.clients SELECT i, NULL, true FROM generate_series(40001, 40050) i;
SELECT members, entered, exited FROM refresh_tags('scoped') WHERE tag = 'rich';
SELECT (SELECT count(*) FROM scopes_test.clients WHERE rich) AS members,
	(SELECT count(*) FROM scopes_test.clients n WHERE rich AND NOT EXISTS (SELECT FROM before b WHERE b.id = n.id AND b.rich)) AS entered,
	(SELECT count(*) FROM before b WHERE rich AND NOT EXISTS (SELECT FROM scopes_test.clients n WHERE b.id = n.id AND n.rich)) AS exited;
SELECT drop_population('scoped');
-- The same where ids lie far apart.
UPDATE scopes_test.clients SET id = id * 1000000007;
ANALYZE scopes_test.clients;
SELECT create_population('scoped', 'scopes_test.clients', 'id', 'branch');
SELECT create_tag('rich', 'rich', population => 'scoped');
SELECT members, entered, exited FROM refresh_tags('scoped');
TRUNCATE before;
INSERT INTO before SELECT * FROM scopes_test.clients;
UPDATE scopes_test.clients SET branch = 'b7' WHERE id % 5 = 0;
UPDATE scopes_test.clients SET rich = NOT rich WHERE id % 7 = 0;
SELECT members, entered, exited FROM refresh_tags('scoped');
SELECT (SELECT count(*) FROM scopes_test.clients WHERE rich) AS members,
	(SELECT count(*) FROM scopes_test.clients n WHERE rich AND NOT EXISTS (SELECT FROM before b WHERE b.id = n.id AND b.rich)) AS entered,
	(SELECT count(*) FROM before b WHERE rich AND NOT EXISTS (SELECT FROM scopes_test.clients n WHERE b.id = n.id AND n.rich)) AS exited;
SELECT drop_population('scoped');
DROP SCHEMA scopes_test CASCADE;
