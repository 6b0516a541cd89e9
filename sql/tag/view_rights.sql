-- A view that shows each user his own rows is a source whose whole sets and timelines need a grant.
SET search_path = public, crm;
SET timezone = 'UTC';
SELECT pg_catalog.set_config('client_min_messages', 'warning', false) \g /dev/null
CREATE SCHEMA tag_view;
CREATE ROLE regress_crm_branch;
GRANT USAGE ON SCHEMA tag_view, crm TO regress_crm_branch;
CREATE TABLE tag_view.person (id int PRIMARY KEY, branch text);
INSERT INTO tag_view.person SELECT i, CASE WHEN i % 2 = 0 THEN 'regress_crm_branch' ELSE 'other' END FROM generate_series(1, 10) i;
CREATE TABLE tag_view.act (id int, branch text, at timestamptz, what text);
INSERT INTO tag_view.act SELECT i, branch, timestamptz '2026-01-01 00:00+00' + n * interval '1 day', 'order' FROM tag_view.person, generate_series(1, 3) n, LATERAL (SELECT id AS i) x;
CREATE VIEW tag_view.own_person WITH (security_barrier) AS
	SELECT * FROM tag_view.person WHERE branch = current_user OR pg_has_role(session_user, 'pg_read_all_data', 'MEMBER') AND current_user = session_user;
CREATE VIEW tag_view.own_act WITH (security_barrier) AS
	SELECT * FROM tag_view.act WHERE branch = current_setting('role') OR current_setting('role') = 'none';
CREATE VIEW tag_view.above AS SELECT id, branch, at, what FROM tag_view.own_act;
CREATE VIEW tag_view.plain AS SELECT id, upper(branch) AS branch FROM tag_view.person;
GRANT SELECT ON tag_view.own_person, tag_view.own_act, tag_view.above, tag_view.plain TO regress_crm_branch;

SELECT create_population('own', 'tag_view.own_person', 'id', events => 'tag_view.above', event_key => 'id', event_time => 'at', event_name => 'what');
SELECT create_population('plain', 'tag_view.plain', 'id');
SELECT create_tag('everybody', 'id > 0', population => p) FROM unnest('{own,plain}'::text[]) p;
SELECT tag, members FROM refresh_tags('own') UNION ALL SELECT tag, members FROM refresh_tags('plain');
SELECT events FROM refresh_timelines('own');

SET ROLE regress_crm_branch;
SELECT count(*) FROM tag_view.own_person;
SELECT count(*) FROM tag_view.above;
SELECT cardinality(tag('everybody', population => 'own'));
SELECT count(*) FROM customer_timelines;
SELECT event_count(timeline_of(2, 'own')) AS own, event_count(timeline_of(1, 'own')) AS of_another;
-- A view without such a condition is as its table.
SELECT cardinality(tag('everybody', population => 'plain'));
RESET ROLE;
SELECT grant_population('own', 'regress_crm_branch');
SET ROLE regress_crm_branch;
SELECT cardinality(tag('everybody', population => 'own'));
SELECT count(*) FROM customer_timelines;
RESET ROLE;

SELECT drop_population(p) FROM unnest('{own,plain}'::text[]) p \g /dev/null
DROP SCHEMA tag_view CASCADE;
REVOKE USAGE ON SCHEMA crm FROM regress_crm_branch;
DROP ROLE regress_crm_branch;
