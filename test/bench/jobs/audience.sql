--@ job audience_agg: a set of {customers} ids in order
--@ ours
SELECT crm.cardinality(crm.audience_agg(id)) FROM bench_customer;
--@ peer sum(int4) over the same rows, target 1.3
SELECT sum(age) FROM bench_customer;
--@ peer rb_build_agg, needs roaringbitmap
SELECT roaring.rb_cardinality(roaring.rb_build_agg(id::int)) FROM bench_customer;

--@ job audience_agg_random: a set of the customers of {events} events
--@ ours
SELECT crm.cardinality(crm.audience_agg(customer_id)) FROM bench_event;
--@ peer count(DISTINCT)
SET work_mem = '2GB';
SELECT count(DISTINCT customer_id) FROM bench_event;
--@ peer rb_build_agg, needs roaringbitmap
SELECT roaring.rb_cardinality(roaring.rb_build_agg(customer_id::int)) FROM bench_event;

--@ job audience_agg_groups: a set for each of 300 cities
--@ ours
SELECT sum(crm.cardinality(a)) FROM (SELECT crm.audience_agg(id) AS a FROM bench_customer GROUP BY city) AS s;
--@ peer count(*) for each city
SELECT sum(n) FROM (SELECT count(*) AS n FROM bench_customer GROUP BY city) AS s;

--@ job audience_agg_workers: the same with two workers
--@ ours
SET max_parallel_workers_per_gather = 2;
SELECT crm.cardinality(crm.audience_agg(id)) FROM bench_customer;
--@ peer one process, wall, target 0.65
SET max_parallel_workers_per_gather = 0;
SELECT crm.cardinality(crm.audience_agg(id)) FROM bench_customer;

--@ job and_cardinality: counting the intersections of 99 pairs of stored sets
--@ setup
DROP TABLE IF EXISTS bench_set;
SELECT format('CREATE TABLE bench_set AS WITH built AS MATERIALIZED (SELECT ARRAY[%s] AS sets FROM bench_customer) SELECT no, sets[no] AS a FROM built, generate_series(1, 100) AS no',
	string_agg(format('crm.audience_agg(id) FILTER (WHERE %s)', condition), ', ' ORDER BY no))
FROM bench_rule WHERE no <= 100 \gexec
VACUUM ANALYZE bench_set;
--@ setup needs roaringbitmap
DROP TABLE IF EXISTS bench_roaring;
SELECT format('CREATE TABLE bench_roaring AS WITH built AS MATERIALIZED (SELECT ARRAY[%s] AS sets FROM bench_customer) SELECT no, sets[no] AS a FROM built, generate_series(1, 100) AS no',
	string_agg(format('roaring.rb_build_agg(id::int) FILTER (WHERE %s)', condition), ', ' ORDER BY no))
FROM bench_rule WHERE no <= 100 \gexec
VACUUM ANALYZE bench_roaring;
--@ ours
SELECT sum(crm.and_cardinality(x.a, y.a)) FROM bench_set AS x JOIN bench_set AS y ON x.no = 1 AND y.no <> 1;
--@ peer rb_and_cardinality, target 0.5, needs roaringbitmap
SELECT sum(roaring.rb_and_cardinality(x.a, y.a)) FROM bench_roaring AS x JOIN bench_roaring AS y ON x.no = 1 AND y.no <> 1;

--@ job union_agg: the union of 100 stored sets
--@ ours
SELECT crm.cardinality(crm.union_agg(a)) FROM bench_set;
--@ peer rb_or_agg, needs roaringbitmap
SELECT roaring.rb_cardinality(roaring.rb_or_agg(a)) FROM bench_roaring;

--@ job combine: ((a & b) | c) - d of stored sets
--@ ours
SELECT count(crm.cardinality(((a.a & b.a) | c.a) - d.a))
FROM bench_set AS a, bench_set AS b, bench_set AS c, bench_set AS d, generate_series(1, 20)
WHERE a.no = 1 AND b.no = 2 AND c.no = 13 AND d.no = 34;
--@ peer pg_roaringbitmap, needs roaringbitmap
SELECT count(roaring.rb_cardinality(roaring.rb_andnot(roaring.rb_or(roaring.rb_and(a.a, b.a), c.a), d.a)))
FROM bench_roaring AS a, bench_roaring AS b, bench_roaring AS c, bench_roaring AS d, generate_series(1, 20)
WHERE a.no = 1 AND b.no = 2 AND c.no = 13 AND d.no = 34;

--@ job contained: WHERE id <@ (a stored set), {customers} rows
--@ ours
SELECT count(*) FROM bench_customer WHERE id <@ (SELECT a FROM bench_set WHERE no = 1);
--@ peer count(*), target 2.5
SELECT count(*) FROM bench_customer;

--@ job members: a stored set joined back to its rows
--@ ours
SELECT count(*), avg(score) FROM bench_customer JOIN crm.members((SELECT a FROM bench_set WHERE no = 13)) AS id USING (id);
--@ peer the condition itself
SELECT count(*), avg(score) FROM bench_customer WHERE city = 'city_12';

--@ job bsi_agg: a number for each of {customers} customers
--@ ours
SELECT crm.bsi_count(crm.bsi_agg(id, spent)) FROM bench_customer;
--@ peer sum(numeric) over the same rows
SELECT sum(spent) FROM bench_customer;

--@ job bsi_agg_random: sums of the customers of {events} events
--@ ours
SELECT crm.bsi_count(crm.bsi_agg(customer_id, value::numeric)) FROM bench_event;
--@ peer count of the groups
SET work_mem = '2GB';
SELECT count(*) FROM (SELECT customer_id, sum(value::numeric) FROM bench_event GROUP BY customer_id) AS s;

--@ job bsi_sum: the sum over a stored audience
--@ setup
DROP TABLE IF EXISTS bench_metric;
CREATE TABLE bench_metric AS
SELECT crm.bsi_agg(id, spent) AS b, crm.audience_agg(id) FILTER (WHERE opt_in) AS a FROM bench_customer;
VACUUM ANALYZE bench_metric;
--@ ours
SELECT crm.bsi_sum(b, a) FROM bench_metric;
--@ peer sum(numeric) with the condition
SELECT sum(spent) FROM bench_customer WHERE opt_in;

--@ job bsi_range: the customers within a range of the stored numbers
--@ ours
SELECT crm.cardinality(crm.bsi_range(b, 100, 500)) FROM bench_metric;
--@ peer count(*) with the condition
SELECT count(*) FROM bench_customer WHERE spent BETWEEN 100 AND 500;

--@ job bsi_quantile: the median over a stored audience
--@ ours
SELECT crm.bsi_quantile(b, 0.5, a) FROM bench_metric;
--@ peer percentile_cont
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY spent) FROM bench_customer WHERE opt_in;

--@ job bsi_top: the 1,000 greatest
--@ ours
SELECT crm.cardinality(crm.bsi_top(b, 1000)) FROM bench_metric;
--@ peer ORDER BY and LIMIT
SELECT count(*) FROM (SELECT id FROM bench_customer ORDER BY spent DESC LIMIT 1000) AS s;
