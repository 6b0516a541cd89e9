-- The report of a population: one page.

CREATE FUNCTION @extschema@.report(population text DEFAULT NULL, lang text DEFAULT 'en', options jsonb DEFAULT '{}') RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 10000000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	p constant record := @extschema@.report_population(population);
	known constant text[] := ARRAY['funnel', 'pause', 'sample', 'sections', 'segments', 'tags', 'title', 'zone'];
	all_parts constant text[] := ARRAY['overview', 'segments', 'behaviour', 'reports', 'scores', 'coverage', 'freshness'];
	drawn constant boolean := EXISTS (SELECT FROM @extschema@.report_library_source());
	zone text;
	parts text[];
	part text;
	html text := '';
	piece text;
BEGIN
	IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'options must be an object, not %', coalesce(jsonb_typeof(options), 'NULL')
			USING ERRCODE = 'invalid_parameter_value', HINT = format('Known are %s.', array_to_string(known, ', '));
	END IF;
	SELECT k INTO part FROM jsonb_object_keys(options) k WHERE k <> ALL (known) ORDER BY k LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown option "%"', part
			USING ERRCODE = 'invalid_parameter_value', HINT = format('Known are %s.', array_to_string(known, ', '));
	END IF;
	zone := coalesce(options ->> 'zone', (SELECT d.zone FROM @extschema@.population_definition d WHERE d.population_id = p.population_id), current_setting('TimeZone'));
	-- Stored reports have a part where there are any.
	parts := CASE WHEN options ? 'sections' THEN ARRAY(SELECT jsonb_array_elements_text(options -> 'sections'))
		WHEN EXISTS (SELECT FROM @extschema@.report_definition d WHERE d.population_id = p.population_id AND d.refreshed_at IS NOT NULL) THEN all_parts
		ELSE array_remove(all_parts, 'reports') END;
	SELECT s INTO part FROM unnest(parts) s WHERE s <> ALL (all_parts) LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown section "%"', part
			USING ERRCODE = 'invalid_parameter_value', HINT = format('Known are %s.', array_to_string(all_parts, ', '));
	END IF;

	IF options ? 'funnel' AND (jsonb_typeof(options #> '{funnel,steps}') IS DISTINCT FROM 'array' OR jsonb_array_length(options #> '{funnel,steps}') = 0
		OR EXISTS (SELECT FROM jsonb_object_keys(options -> 'funnel') k WHERE k NOT IN ('steps', 'within', 'mode', 'title'))) THEN
		RAISE EXCEPTION 'option "funnel" must be an object with the steps of a funnel, not %', options -> 'funnel'
			USING ERRCODE = 'invalid_parameter_value', HINT = 'For instance {"funnel": {"steps": ["visit", "order"], "within": "7 days"}}; mode and title may be added.';
	END IF;

	FOREACH part IN ARRAY parts
	LOOP
		PERFORM @extschema@.show_progress(part, array_position(parts, part) - 1, cardinality(parts), 'report', p.name);
		-- What this reader may not see, or what is not there yet, is said in its place.
		BEGIN
			piece := CASE part
				WHEN 'overview' THEN @extschema@.report_overview(p.name, lang, drawn, zone)
				WHEN 'segments' THEN @extschema@.report_segments(p.name, lang, drawn, options)
				WHEN 'behaviour' THEN @extschema@.report_behaviour(p.name, lang, drawn, zone, options)
				WHEN 'reports' THEN @extschema@.report_stored(p.name, lang, drawn, zone)
				WHEN 'scores' THEN @extschema@.report_scores(p.name, lang, drawn, zone)
				WHEN 'coverage' THEN @extschema@.report_coverage(p.name, lang, drawn)
				ELSE @extschema@.report_freshness(p.name, lang, zone) END;
		EXCEPTION WHEN insufficient_privilege OR object_not_in_prerequisite_state OR program_limit_exceeded THEN
			piece := '<p class="note warn">' || @extschema@.html_escaped(format(w ->> 'not shown', SQLERRM)) || '</p>';
		END;
		html := html || format(E'<section id="%1$s" aria-labelledby="%1$s-heading"><h2 id="%1$s-heading">%2$s</h2>\n%3$s</section>\n', part, @extschema@.html_escaped(w ->> part), piece);
	END LOOP;
	PERFORM @extschema@.show_progress('ready', 1, 1, 'report', p.name);
	RETURN @extschema@.page_document(
		coalesce(options ->> 'title', format(w ->> 'report of', p.name)),
		concat_ws(' · ', p.description, format(w ->> 'made at', @extschema@.report_time(now(), zone), zone, current_user)),
		'<nav aria-label="' || @extschema@.html_escaped(w ->> 'contents') || '"><ul>' || (
			SELECT string_agg(format('<li><a href="#%s">%s</a></li>', s, @extschema@.html_escaped(w ->> s)), '' ORDER BY no) FROM unnest(parts) WITH ORDINALITY u (s, no)) || '</ul></nav>',
		html || '<p>' || @extschema@.html_escaped(format(w ->> 'small groups', @extschema@.minimum_group_size())) || '</p>', lang);
END
$$;
COMMENT ON FUNCTION @extschema@.report(text, text, jsonb) IS
	'a report (客户报告) of a population: one HTML page, with charts where the library is stored, that needs nothing else: overview, segments, behaviour, stored reports, scores, tag coverage, freshness, from what is stored, with the caller''s rights. lang ''en'' or ''zh''. options: title, sections, segments (expressions whose portraits are drawn), tags (which are drawn), funnel {steps, within, mode, title}, pause, sample (of how many customers timelines are read, 100000; 0: all), zone. Errors: 42704 unknown population, 22023 unknown option, section or language';
