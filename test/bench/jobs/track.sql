--@ job track_order: 10,000 INSERTs of one order each, tracked, 100 tags
--@ setup
SELECT crm.drop_population('tracked') WHERE EXISTS (SELECT FROM crm.population_definition WHERE name = 'tracked');
DROP TABLE IF EXISTS bench_order, bench_order_untracked;
CREATE TABLE bench_order (id bigserial PRIMARY KEY, customer_id bigint, ts timestamptz, event text, value float8);
CREATE TABLE bench_order_untracked (LIKE bench_order INCLUDING ALL);
SELECT crm.create_population('tracked', 'bench_customer', 'id', events => 'bench_order', event_key => 'customer_id', event_time => 'ts',
	event_name => 'event', event_value => 'value');
SELECT count(crm.create_tag(tag, condition, population => 'tracked')) FROM bench_rule WHERE no <= 100;
SELECT count(*) FROM crm.refresh_tags('tracked');
SELECT crm.track_population('tracked');
SELECT count(*) FROM crm.refresh_tags('tracked');
--@ before ours
TRUNCATE crm.change_log;
--@ ours
DO $$ BEGIN FOR i IN 1 .. 10000 LOOP INSERT INTO bench_order (customer_id, ts, event, value) VALUES (i * 97, now(), 'order', 10); END LOOP; END $$;
--@ peer the same untracked, target 1.5
DO $$ BEGIN FOR i IN 1 .. 10000 LOOP INSERT INTO bench_order_untracked (customer_id, ts, event, value) VALUES (i * 97, now(), 'order', 10); END LOOP; END $$;

--@ job track_read: reading one tag with 1,000 customers noted
--@ before ours
TRUNCATE crm.change_log;
UPDATE bench_customer SET id = id WHERE id IN (SELECT id FROM bench_customer WHERE id % 97 = 1 ORDER BY id LIMIT 1000);
--@ ours
SELECT crm.cardinality(crm.tag((SELECT min(tag) FROM bench_rule WHERE no <= 100), population => 'tracked'));
--@ limit 10 ms

--@ job track_fold: folding 1,000 customers, all tags
--@ before ours
TRUNCATE crm.change_log;
UPDATE bench_customer SET id = id WHERE id IN (SELECT id FROM bench_customer WHERE id % 97 = 1 ORDER BY id LIMIT 1000);
--@ ours
SELECT count(*) FROM crm.fold_tags('tracked');
--@ peer a refresh of all
SELECT count(*) FROM crm.refresh_tags('tracked');
