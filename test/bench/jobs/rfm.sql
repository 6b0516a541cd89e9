--@ job rfm_scores: RFM scores of {customers} customers, rfm_cuts_agg and the scalar
--@ setup
DROP TABLE IF EXISTS bench_rfm;
CREATE TABLE bench_rfm AS
SELECT id, ROW(last_order, orders, spent)::crm.rfm_summary AS summary FROM bench_customer;
VACUUM (ANALYZE, FREEZE) bench_rfm;
--@ ours
SELECT (score).recency, (score).frequency, (score).monetary, count(*)
FROM (SELECT crm.rfm_score(summary, cuts) AS score
	  FROM bench_rfm, (SELECT crm.rfm_cuts_agg(5, '2024-10-01 00:00:00+00', summary) AS cuts FROM bench_rfm) AS c OFFSET 0) AS s
GROUP BY 1, 2, 3;
--@ peer three ntile(5), target 0.2
SET work_mem = '2GB';
SELECT r, f, m, count(*)
FROM (SELECT ntile(5) OVER (ORDER BY last_order) AS r, ntile(5) OVER (ORDER BY orders) AS f, ntile(5) OVER (ORDER BY spent) AS m
	  FROM bench_customer) AS s
GROUP BY 1, 2, 3;

--@ job rfm_window: the same, the window form
--@ ours
SET work_mem = '2GB';
SELECT (score).recency, (score).frequency, (score).monetary, count(*)
FROM (SELECT crm.rfm_score(summary, '2024-10-01 00:00:00+00', 5) OVER () AS score FROM bench_rfm OFFSET 0) AS s
GROUP BY 1, 2, 3;
--@ peer three ntile(5), target 0.4
SET work_mem = '2GB';
SELECT r, f, m, count(*)
FROM (SELECT ntile(5) OVER (ORDER BY last_order) AS r, ntile(5) OVER (ORDER BY orders) AS f, ntile(5) OVER (ORDER BY spent) AS m
	  FROM bench_customer) AS s
GROUP BY 1, 2, 3;

--@ job rfm_workers: RFM scores with two workers
--@ ours
SET max_parallel_workers_per_gather = 2;
SELECT sum((crm.rfm_score(summary, cuts)).recency)
FROM bench_rfm, (SELECT crm.rfm_cuts_agg(5, '2024-10-01 00:00:00+00', summary) AS cuts FROM bench_rfm) AS c;
--@ peer one process, wall, target 0.65
SET max_parallel_workers_per_gather = 0;
SELECT sum((crm.rfm_score(summary, cuts)).recency)
FROM bench_rfm, (SELECT crm.rfm_cuts_agg(5, '2024-10-01 00:00:00+00', summary) AS cuts FROM bench_rfm) AS c;

--@ job rfm_agg_1: rfm_agg of {events} orders in one group
--@ ours
SELECT sum((s).frequency) FROM (SELECT crm.rfm_agg(ts, value) AS s FROM bench_event) AS g;
--@ peer sum(float8) with the same group, target 2.2
SELECT sum(s) FROM (SELECT sum(value) AS s FROM bench_event) AS g;

--@ job rfm_agg_1000: rfm_agg in 1,000 groups
--@ ours
SELECT sum((s).frequency) FROM (SELECT crm.rfm_agg(ts, value) AS s FROM bench_event GROUP BY customer_id % 1000) AS g;
--@ peer sum(float8) with the same groups, target 2.2
SELECT sum(s) FROM (SELECT sum(value) AS s FROM bench_event GROUP BY customer_id % 1000) AS g;

--@ job rfm_agg_100000: rfm_agg in 100,000 groups
--@ ours
SET work_mem = '2GB';
SELECT sum((s).frequency) FROM (SELECT crm.rfm_agg(ts, value) AS s FROM bench_event GROUP BY customer_id % 100000) AS g;
--@ peer sum(float8) with the same groups, target 2.2, growth
SET work_mem = '2GB';
SELECT sum(s) FROM (SELECT sum(value) AS s FROM bench_event GROUP BY customer_id % 100000) AS g;

--@ job rfm_agg_1000000: rfm_agg in 1,000,000 groups
--@ ours
SET work_mem = '2GB';
SET enable_sort = off;
SELECT sum((s).frequency) FROM (SELECT crm.rfm_agg(ts, value) AS s FROM bench_event GROUP BY customer_id) AS g;
--@ peer sum(float8) with the same groups, target 2.2, growth
SET work_mem = '2GB';
SET enable_sort = off;
SELECT sum(s) FROM (SELECT sum(value) AS s FROM bench_event GROUP BY customer_id) AS g;

--@ job rfm_agg_workers: rfm_agg in 1,000 groups with two workers
--@ ours
SET max_parallel_workers_per_gather = 2;
SELECT sum((s).frequency) FROM (SELECT crm.rfm_agg(ts, value) AS s FROM bench_event GROUP BY customer_id % 1000) AS g;
--@ peer one process, wall, target 0.65
SET max_parallel_workers_per_gather = 0;
SELECT sum((s).frequency) FROM (SELECT crm.rfm_agg(ts, value) AS s FROM bench_event GROUP BY customer_id % 1000) AS g;
