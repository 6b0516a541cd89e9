-- Damaged bytes in the history are an error, whoever wrote them.
SET client_min_messages = warning;
CREATE SCHEMA history_damage;
SET search_path = history_damage, crm, public;
CREATE TABLE client (id bigint PRIMARY KEY, v int);
INSERT INTO client SELECT i, i FROM generate_series(1, 50) i;
SELECT create_population('damaged', 'client', 'id');
SELECT create_tag('big', 'v > 25'), create_tag('v', 'v'), define_segment('target', 'big');
SELECT count(*) FROM refresh_tags();
UPDATE client SET v = 51 - v;
SELECT count(*) FROM refresh_tags();
SELECT changed_at AS first FROM population_change ORDER BY change_no LIMIT 1 \gset
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE statement;
	RETURN 'fine';
EXCEPTION WHEN OTHERS THEN
	RETURN sqlstate;
END $$;
CREATE FUNCTION attempts(first timestamptz) RETURNS TABLE (tag text, number text, one text, since text, changes text, sets text, refresh text) LANGUAGE sql AS $$
	SELECT attempt(format('SELECT tag(''big'', as_of => %L)', first)), attempt(format('SELECT tag_number(''v'', as_of => %L)', first)),
		attempt(format('SELECT * FROM tags_of(3, as_of => %L)', first)), attempt('SELECT * FROM tags_of(3)'),
		attempt('SELECT * FROM segment_changes(''target'')'), attempt('SELECT * FROM segment_change_sets(''target'')'), attempt('UPDATE client SET v = v + 1; SELECT * FROM refresh_tags()')
$$;
BEGIN; SELECT attempts(:'first'); ROLLBACK;
BEGIN; UPDATE tag_change SET entered = '\x'; SELECT attempts(:'first'); ROLLBACK;
BEGIN; UPDATE tag_change SET entered = '\x110100ffff'; SELECT attempts(:'first'); ROLLBACK;
BEGIN; UPDATE tag_change SET exited = '\x1480808080808080808080'; SELECT attempts(:'first'); ROLLBACK;
BEGIN; UPDATE tag_change SET chunk = -5; SELECT attempts(:'first'); ROLLBACK;
BEGIN; UPDATE segment_change SET entered = '\x00'; SELECT attempts(:'first'); ROLLBACK;
BEGIN; UPDATE segment_change SET scope_no = -1; SELECT attempts(:'first'); ROLLBACK;
BEGIN; UPDATE segment_followed SET members = '\x01'; SELECT attempts(:'first'); ROLLBACK;
BEGIN; ALTER TABLE segment_change ALTER exited TYPE text USING 'x'; SELECT attempts(:'first'); ROLLBACK;
BEGIN; ALTER TABLE tag_change DROP COLUMN exited; SELECT attempts(:'first'); ROLLBACK;
BEGIN; ALTER TABLE tag_change ALTER exited TYPE text USING 'x'; SELECT attempts(:'first'); ROLLBACK;
BEGIN; DELETE FROM tag_state; SELECT attempts(:'first'); ROLLBACK;
BEGIN; DELETE FROM population_change; SELECT attempts(:'first'); ROLLBACK;
BEGIN; DELETE FROM segment_follow; DELETE FROM segment_followed; SELECT attempts(:'first'); ROLLBACK;
SELECT drop_population('damaged');
SET client_min_messages = error;
DROP SCHEMA history_damage CASCADE;
