-- The tables the benchmark runs on: customers with eleven columns, and their
-- events, skewed (few customers have most of them) and in time order.
--
-- psql variables: customers, events, active (how many customers have events).
-- One stream of seeded random numbers, drawn row by row and column by column in
-- a serial plan: the same rows every time.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET synchronize_seqscans = off;

DROP TABLE IF EXISTS bench_customer, bench_event CASCADE;

SELECT setseed(0.42) \g /dev/null

CREATE TABLE bench_customer AS
SELECT n::bigint AS id,
	   18 + trunc(60 * random())::int AS age,
	   CASE WHEN random() < 0.52 THEN 'F' ELSE 'M' END AS gender,
	   'city_' || trunc(300 * random() ^ 2)::int AS city,
	   trunc(30 * random() ^ 1.5)::int AS country,
	   DATE '2019-01-01' + trunc(2100 * sqrt(random()))::int AS signup,
	   trunc(-6 * ln(1 - random()))::int AS orders,
	   -- log-normal, by Box and Muller's transform
	   round(exp(3 + 1.4 * sqrt(-2 * ln(1 - random())) * cos(6.283185 * random()))::numeric, 2) AS spent,
	   DATE '2024-10-01' - trunc(-120 * ln(1 - random()))::int AS last_order,
	   random() < 0.4 AS opt_in,
	   random() AS score
FROM generate_series(1, :customers) AS n;

CREATE TABLE bench_event AS
SELECT 1 + trunc(:active * random() ^ 1.7)::bigint AS customer_id,
	   TIMESTAMPTZ '2024-01-01 00:00:00+00'
		   + (n * (7776000.0 / :events) + 600 * random()) * INTERVAL '1 second' AS ts,
	   CASE trunc(20 * random())::int
		   WHEN 19 THEN 'share'
		   WHEN 18 THEN 'purchase'
		   WHEN 17 THEN 'checkout'
		   WHEN 16 THEN 'checkout'
		   WHEN 15 THEN 'add_to_cart'
		   WHEN 14 THEN 'add_to_cart'
		   WHEN 13 THEN 'add_to_cart'
		   WHEN 12 THEN 'search'
		   WHEN 11 THEN 'search'
		   WHEN 10 THEN 'search'
		   WHEN 9 THEN 'search'
		   ELSE 'view'
	   END AS event,
	   round((200 * random())::numeric, 2)::float8 AS value
FROM generate_series(1, :events) AS n;

ALTER TABLE bench_customer ADD PRIMARY KEY (id);
VACUUM (ANALYZE, FREEZE) bench_customer;
VACUUM (ANALYZE, FREEZE) bench_event;
