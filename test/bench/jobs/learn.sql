--@ job boosted_trees: 100 trees of depth 6 from a tenth of {customers} rows of 20 features
--@ setup
DROP TABLE IF EXISTS bench_learn, bench_learnt;
SELECT setseed(0.7);
CREATE TABLE bench_learn AS
SELECT x, random() < 1 / (1 + exp(-(-1 + 0.8 * x[1] - 1.2 * x[2] + 0.5 * x[3] * x[4] + 0.4 * x[5] + 0.3 * x[6] - 0.6 * (x[7] > 0.5)::int + 0.2 * x[8]))) AS yes
FROM (SELECT (SELECT array_agg((sqrt(-2 * ln(1 - random())) * cos(6.283185 * random()))::float8) FROM generate_series(1, 20) AS j WHERE i IS NOT NULL) AS x
	FROM generate_series(1, {customers} / 10) AS i) AS r;
VACUUM ANALYZE bench_learn;
--@ ours
SET max_parallel_workers_per_gather = 0;
SELECT crm.model_kind(crm.boosted_trees_fit(yes, x)) FROM bench_learn;
--@ peer XGBoost hist, one thread, rows at hand, target 1.0, in python
rows = table("SELECT " + ", ".join("x[%d]" % i for i in range(1, 21)) + ", yes::int FROM bench_learn")
matrix = xgboost.DMatrix(numpy.ascontiguousarray(rows[:, :20]), rows[:, 20], nthread=1)
result = xgboost.train({'objective': 'binary:logistic', 'tree_method': 'hist', 'max_depth': 6, 'eta': 0.1, 'nthread': 1}, matrix, 100).num_boosted_rounds()
--@ peer the same with fetching by COPY, in python
rows = fetch("SELECT " + ", ".join("x[%d]" % i for i in range(1, 21)) + ", yes::int FROM bench_learn")
matrix = xgboost.DMatrix(numpy.ascontiguousarray(rows[:, :20]), rows[:, 20], nthread=1)
result = xgboost.train({'objective': 'binary:logistic', 'tree_method': 'hist', 'max_depth': 6, 'eta': 0.1, 'nthread': 1}, matrix, 100).num_boosted_rounds()

--@ job boosted_trees_predict: scores of these rows by these trees
--@ setup
DROP TABLE IF EXISTS bench_learnt;
CREATE TABLE bench_learnt AS SELECT crm.boosted_trees_fit(yes, x) AS m FROM bench_learn;
--@ ours
SET max_parallel_workers_per_gather = 0;
SELECT sum(crm.predict((SELECT m FROM bench_learnt), x)) FROM bench_learn;
--@ peer XGBoost in place, one thread, rows at hand, target 0.6, in python
if 'booster' not in globals():
    rows = table("SELECT " + ", ".join("x[%d]" % i for i in range(1, 21)) + ", yes::int FROM bench_learn")
    features = numpy.ascontiguousarray(rows[:, :20])
    booster = xgboost.train({'objective': 'binary:logistic', 'tree_method': 'hist', 'max_depth': 6, 'eta': 0.1, 'nthread': 1}, xgboost.DMatrix(features, rows[:, 20], nthread=1), 100)
    booster.set_param({'nthread': 1})
result = booster.inplace_predict(features).sum()

--@ job logistic: logistic regression on these rows
--@ ours
SET max_parallel_workers_per_gather = 0;
SELECT crm.model_kind(crm.logistic_fit(yes, x)) FROM bench_learn;
--@ peer scikit-learn lbfgs with fetching by COPY, target 0.25, in python
from sklearn.linear_model import LogisticRegression
rows = fetch("SELECT " + ", ".join("x[%d]" % i for i in range(1, 21)) + ", yes::int FROM bench_learn")
result = LogisticRegression(C=1e6).fit(rows[:, :20], rows[:, 20]).n_iter_
--@ peer the same, rows at hand, in python
from sklearn.linear_model import LogisticRegression
rows = table("SELECT " + ", ".join("x[%d]" % i for i in range(1, 21)) + ", yes::int FROM bench_learn")
result = LogisticRegression(C=1e6).fit(rows[:, :20], rows[:, 20]).n_iter_

--@ job auc: AUC and KS of these rows
--@ ours
SET max_parallel_workers_per_gather = 0;
SELECT crm.auc_agg(yes, x[1]), crm.ks_agg(yes, x[1]) FROM bench_learn;
--@ peer AUC by a window function
SET max_parallel_workers_per_gather = 0;
SELECT (sum(rank) FILTER (WHERE yes) - count(*) FILTER (WHERE yes) * (count(*) FILTER (WHERE yes) + 1) / 2.0) / (count(*) FILTER (WHERE yes) * count(*) FILTER (WHERE NOT yes))
FROM (SELECT yes, rank() OVER (ORDER BY x[1]) + (count(*) OVER (PARTITION BY x[1]) - 1) / 2.0 AS rank FROM bench_learn) AS r;

--@ job kmeans: 8 groups of a tenth of {customers} rows of 8 features, 20 steps at most
--@ setup
DROP TABLE IF EXISTS bench_blobs;
SELECT setseed(0.7);
CREATE TABLE bench_blobs AS
SELECT (SELECT array_agg((c * (j % 3) * 0.9 + j * 0.3 * ((c + j) % 4) + sqrt(-2 * ln(1 - random())) * cos(6.2831853 * random()))::float8)
	FROM generate_series(1, 8) AS j WHERE i IS NOT NULL) AS x
FROM (SELECT i, i::bigint * 7919 % 8 AS c FROM generate_series(1, {customers} / 10) AS i) AS s;
VACUUM ANALYZE bench_blobs;
--@ ours
SET max_parallel_workers_per_gather = 0;
SELECT crm.model_kind(crm.kmeans_fit(8, x, '{"max_iter": 20, "tolerance": 0}')) FROM bench_blobs;
--@ peer scikit-learn Lloyd, two threads, rows at hand, target 1.0, wall, in python
from sklearn.cluster import KMeans
rows = table("SELECT " + ", ".join("x[%d]" % i for i in range(1, 9)) + " FROM bench_blobs")
result = KMeans(8, init=rows[:8].copy(), n_init=1, max_iter=20, tol=0, algorithm='lloyd').fit(rows).n_iter_
--@ peer the same with fetching by COPY, in python
from sklearn.cluster import KMeans
rows = fetch("SELECT " + ", ".join("x[%d]" % i for i in range(1, 9)) + " FROM bench_blobs")
result = KMeans(8, init=rows[:8].copy(), n_init=1, max_iter=20, tol=0, algorithm='lloyd').fit(rows).n_iter_

--@ job kmeans_choice: how many groups these rows have, of up to 8
--@ ours
SET max_parallel_workers_per_gather = 0;
SELECT cardinality(crm.kmeans_choice(8, x)) FROM bench_blobs;
--@ peer one k-means of 8 groups with scikit-learn, rows at hand, in python
from sklearn.cluster import KMeans
rows = table("SELECT " + ", ".join("x[%d]" % i for i in range(1, 9)) + " FROM bench_blobs")
result = KMeans(8, init=rows[:8].copy(), n_init=1, max_iter=20, tol=0, algorithm='lloyd').fit(rows).n_iter_
