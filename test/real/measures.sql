-- Satisfaction, stability and distance of distributions against worked cases (definitions, scipy).
\ir lib/tally.sql
\setenv CRM_FILE :shared/data/scoring/stat_tests.csv
\set absent `test -r "$CRM_FILE" && echo false || echo true`
\if :absent
	\echo 'ok - measures # skip no data/scoring/stat_tests.csv'
	\quit
\endif

CREATE TABLE cases (case_id text, test text, inputs jsonb, output text, value float8, rel_tol float8, source text);
\copy cases FROM PROGRAM 'cat "$CRM_FILE"' (FORMAT csv, HEADER)
CREATE FUNCTION pg_temp.is(case_name text, output_name text, found float8) RETURNS void LANGUAGE sql AS $$
	SELECT pg_temp.note(count(*) = 1 AND bool_and(abs(found - value) <= rel_tol * greatest(abs(value), 1e-300)), format('%s: %s %s', case_name, output_name, found))
	FROM cases WHERE case_id = case_name AND output = output_name
$$;

CREATE TABLE answers AS
SELECT case_id, rating FROM (SELECT DISTINCT case_id, inputs FROM cases WHERE test = 'nps') c,
	LATERAL (SELECT 10 AS rating FROM generate_series(1, (inputs ->> 'promoters')::int) UNION ALL SELECT 7 FROM generate_series(1, (inputs ->> 'passives')::int)
		UNION ALL SELECT 6 FROM generate_series(1, (inputs ->> 'detractors')::int)) r
UNION ALL SELECT case_id, r::int FROM (SELECT DISTINCT case_id, inputs FROM cases WHERE test = 'nps_from_ratings') c, jsonb_array_elements_text(inputs -> 'ratings') AS r;
SELECT pg_temp.is(case_id, 'nps', nps), pg_temp.is(case_id, 'standard_error_points', (e).standard_error), pg_temp.is(case_id, 'ci_low', (e).lower), pg_temp.is(case_id, 'ci_high', (e).upper)
FROM (SELECT case_id, crm.nps_agg(rating) AS nps, crm.nps_interval_agg(rating) AS e FROM answers GROUP BY case_id) s ORDER BY case_id;
SELECT pg_temp.is(case_id, 'csat_percent', (SELECT crm.csat_agg(r::int) FROM jsonb_array_elements_text(inputs -> 'ratings_1_to_5') AS r)) FROM cases WHERE test = 'csat_top2' AND output = 'csat_percent';
SELECT pg_temp.is(case_id, 'psi', crm.psi((SELECT array_agg(r::float8) FROM jsonb_array_elements_text(inputs -> 'expected') AS r), (SELECT array_agg(r::float8) FROM jsonb_array_elements_text(inputs -> 'actual') AS r)))
FROM cases WHERE test = 'psi';
SELECT pg_temp.is(case_id, 'd', (SELECT crm.ks_agg(label, score) FROM (SELECT true AS label, r::float8 AS score FROM jsonb_array_elements_text(inputs -> 'x') AS r
	UNION ALL SELECT false, r::float8 FROM jsonb_array_elements_text(inputs -> 'y') AS r) s)) FROM cases WHERE test = 'ks_two_sample' AND output = 'd';
\ir lib/report.sql
