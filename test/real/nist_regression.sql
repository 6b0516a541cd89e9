-- linear_fit against NIST's certified regressions (StRD): Norris, Longley, Filip, Wampler1.
\ir lib/tally.sql
\setenv CRM_FOLDER :shared/data/scoring
\set absent `cd "$CRM_FOLDER" 2>/dev/null && test -r nist_regression.csv -a -r nist_regression_certified.csv && echo false || echo true`
\if :absent
	\echo 'ok - NIST regressions # skip no data/scoring/nist_regression*.csv'
	\quit
\endif

CREATE SCHEMA nist;
CREATE TABLE nist.observation (dataset text, obs int, y float8, x1 float8, x2 float8, x3 float8, x4 float8, x5 float8, x6 float8);
\copy nist.observation FROM PROGRAM 'cat "$CRM_FOLDER/nist_regression.csv"' (FORMAT csv, HEADER)
CREATE TABLE nist.certified (dataset text, term text, estimate float8, std_error float8);
\copy nist.certified FROM PROGRAM 'cat "$CRM_FOLDER/nist_regression_certified.csv"' (FORMAT csv, HEADER)
CREATE TABLE nist.fit AS
SELECT dataset, crm.model_params(crm.linear_fit(y, CASE dataset
	WHEN 'norris' THEN ARRAY[x1]
	WHEN 'longley' THEN ARRAY[x1, x2, x3, x4, x5, x6]
	WHEN 'wampler1' THEN ARRAY[x1, x1 ^ 2, x1 ^ 3, x1 ^ 4, x1 ^ 5]
	ELSE ARRAY[x1, x1 ^ 2, x1 ^ 3, x1 ^ 4, x1 ^ 5, x1 ^ 6, x1 ^ 7, x1 ^ 8, x1 ^ 9, x1 ^ 10] END)) AS params
FROM nist.observation GROUP BY dataset;
CREATE TABLE nist.found AS
SELECT dataset, 'b' || i AS term, CASE i WHEN 0 THEN params -> 'intercept' ELSE params -> 'coefficients' -> (i - 1) END::text::float8 AS estimate,
	CASE i WHEN 0 THEN params -> 'intercept_standard_error' ELSE params -> 'standard_errors' -> (i - 1) END::text::float8 AS std_error
FROM nist.fit, generate_series(0, 10) AS i WHERE i <= (params ->> 'features')::int
UNION ALL SELECT dataset, 'residual_sd', (params ->> 'residual_standard_error')::float8, NULL FROM nist.fit
UNION ALL SELECT dataset, 'r_squared', (params ->> 'r_squared')::float8, NULL FROM nist.fit;

-- The bound of Filip is what rounding the powers of x to doubles does; the others are exact to the digits certified.
SELECT pg_temp.note(count(*) = expected AND max(abs(f.estimate - c.estimate) / greatest(abs(c.estimate), 1e-300)) FILTER (WHERE c.estimate <> 0) < bound
		AND coalesce(max(abs(f.estimate)) FILTER (WHERE c.estimate = 0), 0) < 1e-12,
	format('certified: %s estimates of %s, largest relative error %s', expected, dataset, max(abs(f.estimate / c.estimate - 1)) FILTER (WHERE c.estimate <> 0)))
FROM nist.certified c JOIN nist.found f USING (dataset, term) JOIN (VALUES ('norris', 4, 1e-12), ('longley', 9, 1e-13), ('filip', 13, 1e-6), ('wampler1', 8, 1e-12)) b (dataset, expected, bound) USING (dataset)
GROUP BY dataset, expected, bound;
SELECT pg_temp.note(count(*) = expected AND max(abs(f.std_error - c.std_error)) FILTER (WHERE c.std_error = 0 OR abs(f.std_error / c.std_error - 1) > bound) IS NOT DISTINCT FROM (CASE dataset WHEN 'wampler1' THEN 0 END)::float8,
	format('certified: %s standard errors of %s', expected, dataset))
FROM nist.certified c JOIN nist.found f USING (dataset, term) JOIN (VALUES ('norris', 2, 1e-12), ('longley', 7, 1e-13), ('filip', 11, 1e-6), ('wampler1', 6, 1e-12)) b (dataset, expected, bound) USING (dataset)
WHERE c.std_error IS NOT NULL GROUP BY dataset, expected, bound;

-- What R prints of lm over longley, which is in its package datasets.
SELECT pg_temp.note(count(*) = 6 AND bool_and(abs((params -> 'p_values' ->> (n - 1)::int)::float8 - p) < 5e-7), 'R: p values of Longley')
FROM nist.fit, unnest('{0.863141,0.312681,0.002535,0.000944,0.826212,0.003037}'::float8[]) WITH ORDINALITY AS e (p, n) WHERE dataset = 'longley';
SELECT pg_temp.note(abs((params ->> 'f_statistic')::float8 - 330.3) < 0.05 AND abs((params ->> 'f_p_value')::float8 / 4.984e-10 - 1) < 2e-4
	AND abs((params ->> 'adjusted_r_squared')::float8 - 0.9925) < 5e-5, 'R: F statistic, its p value and adjusted R squared of Longley') FROM nist.fit WHERE dataset = 'longley';
\ir lib/report.sql
