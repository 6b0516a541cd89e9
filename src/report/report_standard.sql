-- The reports that every population can have.

CREATE FUNCTION @extschema@.define_standard_reports(population text DEFAULT NULL) RETURNS SETOF text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 100000 ROWS 5 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	p record;
	wanted record;
BEGIN
	SELECT d.population_id, d.name, d.source INTO p FROM @extschema@.population_definition AS d
	WHERE d.name = define_standard_reports.population OR define_standard_reports.population IS NULL ORDER BY d.population_id LIMIT 1;
	FOR wanted IN
		SELECT w.name, w.kind, w.options FROM (
			VALUES (1, 'sizes', 'sizes', '{"keep": "2 years"}'::jsonb, true),
				(2, 'coverage', 'coverage', '{}', true),
				(3, 'rfm', 'rfm', '{"recency": "recency_score", "frequency": "frequency_score"}',
					(SELECT count(*) = 2 FROM pg_attribute AS a WHERE a.attrelid = p.source AND a.attname IN ('recency_score', 'frequency_score') AND NOT a.attisdropped)),
				(4, 'retention', 'retention', '{"period": "month"}', EXISTS (SELECT FROM @extschema@.timeline_store AS s WHERE s.population_id = p.population_id)),
				(5, 'life cycle', 'life_cycle', '{"period": "month"}', EXISTS (SELECT FROM @extschema@.timeline_store AS s WHERE s.population_id = p.population_id))
		) AS w (place, name, kind, options, fits)
		WHERE w.fits AND NOT EXISTS (SELECT FROM @extschema@.report_definition AS d WHERE d.population_id = p.population_id AND d.name = w.name)
		ORDER BY w.place
	LOOP
		-- the population itself is looked for, and several are complained of, here
		PERFORM @extschema@.define_report(wanted.name, wanted.kind, wanted.options, define_standard_reports.population);
		RETURN NEXT wanted.name;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.define_standard_reports(text) IS
	'defines the stored reports (报表) that fit a population and that it does not have: sizes and coverage; rfm where the source has recency_score and frequency_score; retention and life cycle by month where timelines are stored. Returns their names. Needs the right to define tags';
