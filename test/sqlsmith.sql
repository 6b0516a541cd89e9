-- What sqlsmith finds when it looks at the catalogue: the firm of test/t/lib/scenario.sql
-- with all it has in the extension's tables, values of every type, and as functions
-- those of the extension, with a few of the server's that make values of plain types.
--
-- sqlsmith reads pg_proc by its name without a schema: a schema before pg_catalog narrows
-- what it sees.  (Not so pg_type: it dies of operators whose types it has not seen.)
\set ON_ERROR_STOP 1
SET search_path = crm, public;
SET client_min_messages = error;
CREATE TABLE public.values_of_types AS
	SELECT n::bigint AS id, n::int AS number, n::float8 / 3 AS share, n * 1.5 AS amount, 'e' || n % 3 AS word, n % 2 = 0 AS yes, timestamptz '2025-06-01' + n * interval '1 day' AS at,
		n * interval '1 hour' AS span, jsonb_build_object('channel', 'c' || n % 3) AS attributes, ARRAY[n, n % 3, 0.5]::float8[] AS features,
		ARRAY['e' || n, 'e1'] AS words, ARRAY[n, n + 1]::bigint[] AS ids, md5(n::text)::uuid AS uuid, NULL::text AS nothing,
		audience(ARRAY[n, n * 3, n * 70000]::bigint[]) AS audience,
		(SELECT bsi_agg(m * n, m * 1.25 - 7) FROM generate_series(1, 20) m) AS bsi,
		(SELECT timeline_agg(timestamptz '2025-01-01' + m * n * interval '5 hours', 'e' || m % 3, m % 6, jsonb_build_object('channel', 'c' || m % 4)) FROM generate_series(1, 30) m) AS timeline,
		(SELECT activity_agg('day', timestamptz '2025-01-01' + m * n * interval '1 day') FROM generate_series(1, 5) m) AS activity,
		(SELECT funnel_agg('1 day', timestamptz '2025-01-01' + m * interval '1 hour', m % 2 = 0, m % 3 = n % 3) FROM generate_series(1, 5) m) AS funnel,
		(SELECT quantile_bins_agg(4, m % (n + 3)) FROM generate_series(1, 50) m) AS bins,
		(SELECT robust_scale_agg(m % (n + 3)) FROM generate_series(1, 50) m) AS scale,
		rfm_summary(timestamptz '2025-01-01', n, n * 1.5) AS summary,
		(SELECT rfm_cuts_agg(3, timestamptz '2025-09-01', timestamptz '2025-01-01' + m * interval '1 day', m % 5 + 1, m % 7 + n + 0.5::float8) FROM generate_series(1, 50) m) AS cuts,
		CASE n % 4 WHEN 0 THEN (SELECT kmeans_fit(2, ARRAY[m % 3, m, m % 5]::float8[]) FROM generate_series(1, 20) m)
			WHEN 1 THEN (SELECT linear_fit(m % 5, ARRAY[m % 3, m, m % 7]::float8[]) FROM generate_series(1, 40) m)
			WHEN 2 THEN (SELECT boosted_trees_fit(m % 3 = 0, ARRAY[m % 3, m, m % 5]::float8[], '{"trees": 3}') FROM generate_series(1, 60) m)
			ELSE (SELECT recommend_fit(m::bigint / 3, 'item ' || m % 5) FROM generate_series(1, 40) m) END AS model
	FROM generate_series(0, 7) n;
CREATE TABLE public.scores AS SELECT id, rfm_score(summary, cuts, timestamptz '2025-09-01') AS score, summary FROM public.values_of_types;

CREATE SCHEMA smith;
CREATE VIEW smith.pg_proc AS
	SELECT p.* FROM pg_catalog.pg_proc p
	WHERE p.pronamespace = 'crm'::regnamespace
			AND p.proname !~ '_(transfn|combinefn|finalfn|in|recv|support|idsel|setsel|idjoinsel|setjoinsel|typanalyze)$'
			AND NOT (ARRAY['internal', 'cstring']::regtype[]::oid[] && p.proargtypes::oid[])
		OR p.oid IN (SELECT f::regprocedure FROM unnest('{now(),random(),"lower(text)","abs(bigint)","abs(double precision)","length(text)","jsonb_build_object()","pg_typeof(\"any\")"}'::text[]) f);
