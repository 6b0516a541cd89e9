-- What tags have learned of the population: everybody may know that and as of
-- when; the values, which are those of columns, are for the tags' owners.

ALTER TABLE @extschema@.tag_statistic ENABLE ROW LEVEL SECURITY;
CREATE POLICY tag_statistic_visible ON @extschema@.tag_statistic FOR SELECT
	USING (EXISTS (SELECT FROM @extschema@.tag_definition d WHERE d.tag_id = tag_statistic.tag_id));
GRANT SELECT (tag_id, statistic_no, kind, call, as_of, learned_at) ON @extschema@.tag_statistic TO PUBLIC;

CREATE FUNCTION @extschema@.tag_statistic_value(tag_id int, statistic_no int) RETURNS text
	AS 'MODULE_PATHNAME', 'crm_tag_statistic_value' LANGUAGE C STRICT STABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION @extschema@.tag_statistic_value(int, int) IS
	'what a tag has learned of the whole population (总体统计), as text: borders of percentiles, a model of similarity; NULL for others than the tag''s owner';

CREATE FUNCTION @extschema@.lookalike_models(population text DEFAULT NULL)
	RETURNS TABLE (tag text, call text, as_of timestamptz, auc float8, seed bigint, others bigint, held_out_seed bigint, held_out_others bigint)
	LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 10
BEGIN ATOMIC
	SELECT d.name, s.call, s.as_of, (m.model ->> 'auc')::float8, (m.model ->> 'seed')::bigint, (m.model ->> 'others')::bigint,
		(m.model ->> 'held_out_seed')::bigint, (m.model ->> 'held_out_others')::bigint
	FROM @extschema@.tag_statistic s
	JOIN @extschema@.tag_definition d ON d.tag_id = s.tag_id
	JOIN @extschema@.population_definition p ON p.population_id = d.population_id
	CROSS JOIN LATERAL (SELECT @extschema@.tag_statistic_value(s.tag_id, s.statistic_no)::jsonb AS model OFFSET 0) m
	WHERE s.kind = 'lookalike' AND pg_catalog.pg_has_role(d.owner, 'USAGE') AND (p.name = lookalike_models.population OR lookalike_models.population IS NULL);
END;
COMMENT ON FUNCTION @extschema@.lookalike_models(text) IS
	'the models of similarity (相似人群模型) of the caller''s own tags, as of their last refresh: auc is the share of pairs of a held out member of the seed and a held out other whom the model puts in the right order, 0.5 by chance';

CREATE FUNCTION @extschema@.lookalike_weights(tag text, population text DEFAULT NULL)
	RETURNS TABLE (feature int, kind text, bin text, weight float8)
	LANGUAGE sql STABLE PARALLEL SAFE COST 1000 ROWS 100
BEGIN ATOMIC
	SELECT f.n::int, f.f ->> 'kind', b.bin, b.weight
	FROM @extschema@.tag_statistic s
	JOIN @extschema@.tag_definition d ON d.tag_id = s.tag_id
	JOIN @extschema@.population_definition p ON p.population_id = d.population_id
	CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(@extschema@.tag_statistic_value(s.tag_id, s.statistic_no)::jsonb -> 'features') WITH ORDINALITY AS f (f, n)
	CROSS JOIN LATERAL (
		SELECT CASE WHEN f.f ->> 'kind' = 'text' THEN f.f #>> ARRAY['texts', (w.n - 1)::text]
			WHEN f.f -> 'borders' = '[]' THEN 'any'
			WHEN w.n = 1 THEN '< ' || (f.f #>> '{borders,0}')
			WHEN w.n > pg_catalog.jsonb_array_length(f.f -> 'borders') THEN '>= ' || (f.f #>> '{borders,-1}')
			ELSE (f.f #>> ARRAY['borders', (w.n - 2)::text]) || ' to ' || (f.f #>> ARRAY['borders', (w.n - 1)::text]) END AS bin,
			w.w::float8 AS weight
		FROM pg_catalog.jsonb_array_elements_text(f.f -> 'weights') WITH ORDINALITY AS w (w, n)
		UNION ALL SELECT NULL, (f.f ->> 'missing')::float8) b
	WHERE s.kind = 'lookalike' AND pg_catalog.pg_has_role(d.owner, 'USAGE') AND d.name = lookalike_weights.tag AND (p.name = lookalike_weights.population OR lookalike_weights.population IS NULL);
END;
COMMENT ON FUNCTION @extschema@.lookalike_weights(text, text) IS
	'what weighs how much in a tag''s model of similarity: for each feature by its place and each bin (NULL: the value is missing) the logarithm of how much more often it is met in the seed than among others. Owner only';
