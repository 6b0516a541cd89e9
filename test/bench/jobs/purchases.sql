--@ job bg_nbd: BG/NBD of {customers} customers
--@ setup
DROP TABLE IF EXISTS bench_buyer;
-- customers of 39 weeks, who buy and are lost as the model thinks; times in whole days
CREATE TABLE bench_buyer AS
SELECT frequency::float8, CASE WHEN frequency = 0 THEN 0 ELSE ceil(last * CASE WHEN w < 0.4 THEN w / 0.4 ELSE 1 END) END::float8 AS recency, age::float8
FROM (SELECT 190 + (hashint8extended(i, 1) & 63) AS age, ((hashint8extended(i, 2) & 1048575) + 0.5::float8) / 1048576 AS u, ((hashint8extended(i, 3) & 1048575) + 0.5::float8) / 1048576 AS v,
		((hashint8extended(i, 4) & 1048575) + 0.5::float8) / 1048576 AS w FROM generate_series(1, {customers}) AS i) AS c,
	LATERAL (SELECT least(floor(-ln(u) ^ 2 * 1.5), 40) AS frequency, age * v ^ (1 / (1 + floor(-ln(u) ^ 2 * 1.5))) AS last) AS p;
VACUUM ANALYZE bench_buyer;
--@ ours
SET max_parallel_workers_per_gather = 0;
SELECT crm.model_kind(crm.bg_nbd_fit(frequency, recency, age)) FROM bench_buyer;
--@ peer one GROUP BY of them, target 1.5
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM (SELECT FROM bench_buyer GROUP BY frequency, recency, age) AS g;

--@ job kaplan_meier: a survival curve of {customers} customers
--@ ours
SET max_parallel_workers_per_gather = 0;
SELECT cardinality(crm.kaplan_meier(recency, frequency > 2)) FROM bench_buyer;
--@ peer counting them by duration
SET max_parallel_workers_per_gather = 0;
SELECT count(*) FROM (SELECT count(*) FROM bench_buyer GROUP BY recency, frequency > 2) AS g;
