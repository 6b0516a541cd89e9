-- What a rule says when it fails may quote a customer's row: only those who act for an owner are told.
CREATE SCHEMA tag_withheld;
SET search_path = tag_withheld, crm, public;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
CREATE ROLE regress_withheld_owner;
CREATE ROLE regress_withheld_definer;
CREATE ROLE regress_withheld_north;
GRANT USAGE ON SCHEMA tag_withheld, crm TO regress_withheld_owner, regress_withheld_definer, regress_withheld_north;
GRANT CREATE ON SCHEMA tag_withheld TO regress_withheld_owner;
SET ROLE regress_withheld_owner;
CREATE TABLE customers (id int PRIMARY KEY, branch text, note text);
INSERT INTO customers SELECT n, CASE WHEN n <= 5 THEN 'north' ELSE 'south' END, n::text FROM generate_series(1, 10) n;
GRANT SELECT (id, branch) ON customers TO regress_withheld_definer;
SELECT crm.create_population('withheld', 'customers', 'id', 'branch');
SELECT crm.create_tag('northern', 'branch = ''north''', population => 'withheld');
SELECT crm.create_tag('high', 'note::int > 3', population => 'withheld');
SELECT crm.create_tag('number', 'id', population => 'withheld');
SELECT crm.create_tag('top', 'crm.percentile(note::float8) > 0.5', population => 'withheld');
SELECT crm.grant_population('withheld', 'regress_withheld_definer', 'define');
SELECT crm.grant_population('withheld', 'regress_withheld_north', scopes => '{north}');
SELECT tag, members FROM crm.refresh_tags('withheld');
SELECT crm.track_population('withheld');
SELECT tag, members FROM crm.fold_tags('withheld');
UPDATE customers SET note = 'secret of a southerner' WHERE id = 7;

-- A reader of one scope: tags are evaluated for customers of the other, too
SET ROLE regress_withheld_north;
SELECT crm.cardinality(crm.tag('northern', population => 'withheld'));
SELECT crm.cardinality(crm.tag('high', population => 'withheld'));
SELECT crm.cardinality(crm.segment('northern and (high or top)', population => 'withheld'));
SELECT crm.cardinality(crm.evaluate_tag('high', population => 'withheld'));
SELECT crm.cardinality(crm.evaluate_tag('top', population => 'withheld'));
-- Whoever may define tags evaluates those of others
SET ROLE regress_withheld_definer;
SELECT * FROM crm.refresh_tags('withheld', '{high}');
SELECT * FROM crm.fold_tags('withheld');
-- The owner is told
SET ROLE regress_withheld_owner;
SELECT crm.cardinality(crm.tag('high', population => 'withheld'));
SELECT * FROM crm.refresh_tags('withheld', '{high}');

-- A long log is folded by readers; that one tag fails is no error of who reads another
SET crm_analytics.fold_after = 1;
UPDATE customers SET branch = 'north' WHERE id = 6;
SELECT crm.cardinality(crm.tag('northern', population => 'withheld'));
SELECT crm.cardinality(crm.tag('northern', population => 'withheld'));
RESET crm_analytics.fold_after;
UPDATE customers SET note = '7' WHERE id = 7;
SELECT tag, members, entered, exited FROM crm.fold_tags('withheld');

-- Segments that double at each step
DO $$
BEGIN
	PERFORM crm.define_segment('s0', 'northern and high', population => 'withheld');
	FOR i IN 1..30 LOOP
		PERFORM crm.define_segment('s' || i, format('s%s and s%s', i - 1, i - 1), population => 'withheld');
	END LOOP;
END
$$;
SELECT crm.create_tag('doubled', 'crm.in_segment(''s30'')', population => 'withheld');

-- The tables' owner has emptied columns of the catalogue
SELECT crm.follow_segment('s0', population => 'withheld');
SELECT tag, members FROM crm.refresh_tags('withheld');
UPDATE customers SET note = '1' WHERE id = 5;
RESET ROLE;
BEGIN;
ALTER TABLE crm.segment_followed ALTER members DROP NOT NULL;
UPDATE crm.segment_followed SET members = NULL;
SELECT crm.fold_tags('withheld');
ROLLBACK;
BEGIN;
ALTER TABLE crm.tag_definition DROP CONSTRAINT tag_definition_number_scale_check;
ALTER TABLE crm.tag_definition ALTER number_scale TYPE bigint USING -1;
SELECT * FROM crm.tags_of(5, 'withheld');
ROLLBACK;
SET ROLE regress_withheld_owner;
CREATE TABLE events (customer int, at timestamptz, what text);
SELECT crm.create_population('eventful', 'customers', 'id', events => 'events', event_key => 'customer', event_time => 'at', event_name => 'what');
RESET ROLE;
UPDATE crm.population_definition SET event_key = NULL WHERE name = 'eventful';
SELECT crm.track_population('eventful');

-- A column of another type by now, which casts to the rule's by itself
CREATE TABLE retyped (id int PRIMARY KEY, balance numeric);
INSERT INTO retyped VALUES (1, 10), (2, 20);
SELECT crm.create_population('retyped', 'retyped', 'id');
SELECT crm.create_tag('balance', 'balance', population => 'retyped');
SELECT members FROM crm.refresh_tags('retyped');
ALTER TABLE retyped ALTER balance TYPE int;
SELECT part, value FROM crm.explain_tag(2, 'balance', 'retyped') WHERE part IN ('now', 'stored');

SELECT crm.drop_population(p) FROM unnest('{withheld,eventful,retyped}'::text[]) p;
DROP SCHEMA tag_withheld CASCADE;
REVOKE USAGE ON SCHEMA crm FROM regress_withheld_owner, regress_withheld_definer, regress_withheld_north;
DROP ROLE regress_withheld_owner, regress_withheld_definer, regress_withheld_north;
