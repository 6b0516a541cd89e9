-- Groups of Fisher's irises, of 200 customers of a mall, and of IBM's Telco customers.  The inertias are the best of 300 starts
-- of scikit-learn, with its silhouettes; a thousandth more is borne.
\ir lib/tally.sql
\setenv CRM_FOLDER :shared/data/scoring
\set absent `cd "$CRM_FOLDER" 2>/dev/null && test -r iris.csv -a -r mall_customers.csv -a -r telco_churn.csv && echo false || echo true`
\if :absent
	\echo 'ok - groups # skip no data/scoring/iris.csv, mall_customers.csv or telco_churn.csv'
	\quit
\endif

CREATE TABLE iris (id int, a float8, b float8, c float8, d float8, species text);
\copy iris FROM PROGRAM 'cat "$CRM_FOLDER/iris.csv"' (FORMAT csv, HEADER)
CREATE TABLE mall (id int, gender text, age int, income int, score int);
\copy mall FROM PROGRAM 'cat "$CRM_FOLDER/mall_customers.csv"' (FORMAT csv, HEADER)

CREATE TABLE best (data text, k int, standardize boolean, inertia float8);
INSERT INTO best VALUES ('iris', 2, false, 152.34795176), ('iris', 3, false, 78.85144143), ('iris', 4, false, 57.22847321), ('iris', 5, false, 46.44618205),
	('iris', 2, true, 222.36170497), ('iris', 3, true, 139.82049636),
	('mall', 2, false, 181363.59595960), ('mall', 3, false, 106348.37306211), ('mall', 4, false, 73679.78903949), ('mall', 5, false, 44448.45544793),
	('mall', 6, false, 37233.81451071), ('mall', 5, true, 65.56840816),
	('mall with age', 5, false, 75350.77917249), ('mall with age', 6, false, 58300.44332159),
	('mall with age', 4, true, 205.22514748), ('mall with age', 5, true, 168.24758018), ('mall with age', 6, true, 133.86833363);
CREATE TABLE points AS SELECT 'iris' AS data, ARRAY[a, b, c, d] AS f FROM iris
UNION ALL SELECT 'mall', ARRAY[income, score] FROM mall UNION ALL SELECT 'mall with age', ARRAY[age, income, score] FROM mall;
CREATE TABLE fitted AS SELECT b.*, (SELECT crm.kmeans_fit(b.k, f, jsonb_build_object('standardize', b.standardize)) FROM points r WHERE r.data = b.data) AS m FROM best b;
SELECT pg_temp.note(found <= inertia * 1.001 AND found >= inertia * (1 - 1e-9),
	format('%s, %s groups%s: inertia %s, best known %s', data, k, CASE WHEN standardize THEN ' of standardized columns' ELSE '' END, round(found::numeric, 6), inertia))
FROM (SELECT *, (crm.model_params(m) ->> 'inertia')::float8 AS found FROM fitted) AS f;
-- whatever the seed
SELECT pg_temp.note(max(found / b.inertia) <= 1.001, format('%s, %s groups, 10 seeds: at most %s of the best', b.data, b.k, round(max(found / b.inertia)::numeric, 6)))
FROM best b, generate_series(1, 10) AS seed,
	LATERAL (SELECT (crm.model_params(crm.kmeans_fit(b.k, f, jsonb_build_object('standardize', b.standardize, 'seed', seed))) ->> 'inertia')::float8 AS found FROM points r WHERE r.data = b.data) s
GROUP BY b.data, b.k, b.standardize;
SELECT pg_temp.same((SELECT jsonb_agg(s ORDER BY s) FROM jsonb_array_elements(crm.model_params(m) -> 'sizes') s)::text, sizes, data || ', sizes of ' || k || ' groups')
FROM fitted JOIN (VALUES ('iris', 3, '[38, 50, 62]'), ('mall', 5, '[22, 23, 35, 39, 81]')) AS v (data, k, sizes) USING (data, k) WHERE NOT standardize;
SELECT pg_temp.note(abs((crm.model_params(m) ->> 'calinski_harabasz')::float8 - 561.6278) < 1e-4, 'sklearn: Calinski-Harabasz of irises') FROM fitted WHERE data = 'iris' AND k = 3 AND NOT standardize;
SELECT pg_temp.same(string_agg(format('(%s, %s)', round(center[1]::numeric, 3), round(center[2]::numeric, 3)), ' ' ORDER BY center[1], center[2]),
	'(25.727, 79.364) (26.304, 20.913) (55.296, 49.519) (86.538, 82.128) (88.200, 17.114)', 'mall, centers of 5 groups')
FROM fitted, crm.clusters(m) WHERE data = 'mall' AND k = 5 AND NOT standardize;
-- against the species: adjusted Rand index, from counts of pairs
WITH pairs AS (SELECT species, crm.cluster(m, ARRAY[a, b, c, d]) AS g, count(*) AS n FROM iris, fitted WHERE data = 'iris' AND k = 3 AND NOT standardize GROUP BY 1, 2),
sums AS (SELECT (SELECT sum(n * (n - 1) / 2) FROM pairs) AS in_both, (SELECT sum(s * (s - 1) / 2) FROM (SELECT sum(n) AS s FROM pairs GROUP BY species) x) AS one,
	(SELECT sum(s * (s - 1) / 2) FROM (SELECT sum(n) AS s FROM pairs GROUP BY g) x) AS other, 150 * 149 / 2 AS all_pairs)
SELECT pg_temp.note(abs((in_both - one * other / all_pairs) / ((one + other) / 2 - one * other / all_pairs) - 0.730238) < 1e-6, 'sklearn: adjusted Rand index of irises against their species') FROM sums;

-- how many groups
CREATE TABLE choices AS SELECT data, c.* FROM (SELECT data, crm.kmeans_choice(8, f) AS a FROM points GROUP BY data) AS s, unnest(a) AS c;
SELECT pg_temp.note(abs(c.silhouette - v.silhouette) < 1e-6, format('sklearn: silhouette of %s, %s groups', data, k))
FROM choices c JOIN (VALUES ('iris', 3, 0.552819), ('mall', 5, 0.553932), ('mall with age', 6, 0.452344)) AS v (data, k, silhouette) USING (data, k);
SELECT pg_temp.same((SELECT k FROM choices WHERE data = 'mall' AND best_silhouette), 5, 'published: the best silhouette of the mall is at 5 groups');
SELECT pg_temp.same((SELECT k FROM choices WHERE data = 'mall' AND elbow), 5, 'published: the elbow of the mall is at 5 groups');
SELECT pg_temp.same((SELECT k FROM choices WHERE data = 'mall with age' AND best_silhouette), 6, 'the best silhouette of the mall with age is at 6 groups');

-- mixed columns, with gaps: Telco
CREATE TABLE telco (id int, customer_id text, gender text, senior_citizen int, partner text, dependents text, tenure_months int, phone_service text,
	multiple_lines text, internet_service text, online_security text, online_backup text, device_protection text, tech_support text,
	streaming_tv text, streaming_movies text, contract text, paperless_billing text, payment_method text, monthly_charges float8,
	total_charges float8, churn int);
\copy telco FROM PROGRAM 'cat "$CRM_FOLDER/telco_churn.csv"' (FORMAT csv, HEADER)
CREATE VIEW telco_rows AS SELECT customer_id, tenure_months, internet_service, contract, monthly_charges, total_charges, tech_support, payment_method, senior_citizen = 1 AS senior FROM telco;
SELECT pg_temp.note((r ->> 'rows')::int = 7043 AND (r #>> '{metrics,converged}')::boolean, 'Telco: k-prototypes of ' || (r ->> 'columns') || ' columns, sizes ' || (r #>> '{metrics,sizes}'))
FROM crm.train('telco', 'k_prototypes', 'SELECT * FROM telco_rows', NULL, '{"k": 4, "key": "customer_id"}') AS r;
SELECT pg_temp.same((SELECT jsonb_agg(n ORDER BY c) FROM (SELECT crm.cluster('telco', t) AS c, count(*) AS n FROM telco_rows t GROUP BY 1) s)::text,
	(crm.model_params(crm.model('telco')) -> 'sizes')::text, 'Telco: rows are in the groups that the model counted');
-- the sum of what rows are from their groups, by single features
SELECT pg_temp.note(abs(sum(crm.cluster_distance(crm.model('telco'), crm.model_features(v.encoding, t)) ^ 2) / (crm.model_params(crm.model('telco')) ->> 'inertia')::float8 - 1) < 1e-9,
	'Telco: inertia is the sum of squared distances') FROM telco_rows t, crm.model_version v WHERE v.name = 'telco';
SELECT pg_temp.note(count(*) = 4 AND count(DISTINCT persona) = 4 AND sum(size) = 7043 AND bool_and(typical_key IS NOT NULL) AND bool_and(jsonb_array_length(traits) > 3),
	'Telco: ' || string_agg(format('%s: %s', cluster, persona), '; ' ORDER BY cluster)) FROM crm.personas('telco');
-- again, with the rows in another order: the same bits; the groups of a sample of them are much the same
SELECT pg_temp.same(crm.model_params(m) ->> 'centers', crm.model_params(n) ->> 'centers', 'Telco: the order of rows does not matter')
FROM (SELECT crm.kmeans_fit(5, ARRAY[tenure_months, monthly_charges, total_charges], '{"standardize": true, "missing": "ignore"}') AS m,
	crm.kmeans_fit(5, ARRAY[tenure_months, monthly_charges, total_charges], '{"standardize": true, "missing": "ignore"}' ORDER BY monthly_charges, id DESC) AS n FROM telco) AS s;
SELECT pg_temp.note((crm.model_params(n) ->> 'explained')::float8 > (crm.model_params(m) ->> 'explained')::float8 - 0.02,
	format('Telco: a sample of %s rows explains %s, all rows %s', crm.model_params(n) ->> 'rows', round((crm.model_params(n) ->> 'explained')::numeric, 4), round((crm.model_params(m) ->> 'explained')::numeric, 4)))
FROM (SELECT crm.kmeans_fit(5, ARRAY[tenure_months, monthly_charges, total_charges], '{"standardize": true, "missing": "ignore"}') AS m,
	crm.kmeans_fit(5, ARRAY[tenure_months, monthly_charges, total_charges], '{"standardize": true, "missing": "ignore", "mini_batch": 1500}') AS n FROM telco) AS s;
-- trained anew on half of the rows: groups keep their numbers
CREATE TABLE before AS SELECT customer_id, crm.cluster('telco', t) AS c FROM telco_rows t;
DELETE FROM telco WHERE id % 2 = 0;
SELECT pg_temp.note((r ->> 'promoted')::boolean, 'Telco: trained anew, ' || (r ->> 'matched')) FROM crm.retrain('telco') AS r;
SELECT pg_temp.note(avg((c = crm.cluster('telco', t))::int) > 0.9, format('Telco: %s %% of the rows are in a group of the same number', round(100 * avg((c = crm.cluster('telco', t))::int), 1)))
FROM telco_rows t JOIN before USING (customer_id);
\ir lib/report.sql
