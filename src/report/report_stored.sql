-- The part of a report that shows what refresh_reports has stored.

CREATE FUNCTION @extschema@.report_stored(population text, lang text, drawn boolean, zone text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	r record;
	option jsonb;
	title text;
	html text := '';
	no int := 0;
	left_out bigint := 0;
	most constant int := 24;
BEGIN
	-- The last result of each, of all customers together where the reader may see them so, else of each of his scopes.
	FOR r IN
		SELECT d.name, d.kind, x.whole, x.scope, x.as_of, greatest(count(*) OVER () - most, 0) AS beyond
		FROM @extschema@.report_definition d
		JOIN @extschema@.population_definition p ON p.population_id = d.population_id
		CROSS JOIN LATERAL (
			SELECT q.scope_no IS NULL AS whole, s.scope, max(q.as_of) AS as_of, bool_or(q.scope_no IS NULL) OVER () AS has_whole
			FROM @extschema@.report_result q LEFT JOIN @extschema@.population_scope s ON s.population_id = d.population_id AND s.scope_no = q.scope_no
			WHERE q.report_id = d.report_id GROUP BY q.scope_no, s.scope) x
		WHERE p.name = report_stored.population AND (x.whole OR NOT x.has_whole) AND d.kind IN ('sizes', 'rfm', 'funnel', 'retention', 'life_cycle', 'channels', 'app')
		ORDER BY array_position(ARRAY['sizes', 'funnel', 'retention', 'life_cycle', 'app', 'channels', 'rfm'], d.kind), d.name COLLATE "C", x.scope COLLATE "C"
		LIMIT most
	LOOP
		title := format(w ->> 'report as of', concat_ws(' / ', CASE r.kind WHEN 'sizes' THEN w ->> 'sizes' ELSE r.name END, r.scope), @extschema@.report_time(r.as_of, zone));
		CASE r.kind
			WHEN 'sizes' THEN
				SELECT @extschema@.chart_lines(array_agg((b.as_of AT TIME ZONE report_stored.zone)::date ORDER BY b.as_of, b.name COLLATE "C"), array_agg(b.name ORDER BY b.as_of, b.name COLLATE "C"),
					array_agg(b.customers::float8 ORDER BY b.as_of, b.name COLLATE "C"), title, lang, w ->> 'customers unit')
				INTO option FROM @extschema@.bi_customers b
				WHERE b.population = report_stored.population AND b.report = r.name AND b.whole = r.whole AND b.scope IS NOT DISTINCT FROM r.scope AND b.kind = 'segment' AND NOT b.suppressed
				HAVING count(*) > 0;
			WHEN 'funnel' THEN
				SELECT @extschema@.chart_funnel(array_agg(b.name ORDER BY b.step), array_agg(b.customers ORDER BY b.step), title, lang, w ->> 'customers unit')
				INTO option FROM @extschema@.bi_funnel b
				WHERE b.population = report_stored.population AND b.report = r.name AND b.whole = r.whole AND b.scope IS NOT DISTINCT FROM r.scope AND b.as_of = r.as_of;
			WHEN 'retention' THEN
				SELECT @extschema@.chart_cohort(array_agg((b.cohort, b.size, b.period, b.customers, b.share)::@extschema@.retention_row ORDER BY b.cohort, b.period), title, lang, 12)
				INTO option FROM @extschema@.bi_retention b
				WHERE b.population = report_stored.population AND b.report = r.name AND b.whole = r.whole AND b.scope IS NOT DISTINCT FROM r.scope AND b.as_of = r.as_of AND NOT b.suppressed;
			WHEN 'life_cycle' THEN
				SELECT @extschema@.chart_lines(array_agg(b.period ORDER BY v.no, b.period), array_agg(w ->> v.name ORDER BY v.no, b.period), array_agg(v.n::float8 ORDER BY v.no, b.period),
					title, lang, w ->> 'customers unit', stacked => true)
				INTO option FROM @extschema@.bi_life_cycle b
				CROSS JOIN LATERAL (VALUES ('returning', 1, b.retained), ('new', 2, b.new), ('resurrected', 3, b.resurrected)) v (name, no, n)
				WHERE b.population = report_stored.population AND b.report = r.name AND b.whole = r.whole AND b.scope IS NOT DISTINCT FROM r.scope AND b.as_of = r.as_of AND v.n IS NOT NULL;
			WHEN 'app' THEN
				SELECT @extschema@.chart_lines(array_agg(b.day ORDER BY v.no, b.day), array_agg(w ->> v.name ORDER BY v.no, b.day), array_agg(v.n::float8 ORDER BY v.no, b.day),
					title, lang, w ->> 'customers unit')
				INTO option FROM @extschema@.bi_app_daily b
				CROSS JOIN LATERAL (VALUES ('daily', 1, b.active), ('weekly', 2, b.weekly), ('monthly', 3, b.monthly)) v (name, no, n)
				WHERE b.population = report_stored.population AND b.report = r.name AND b.whole = r.whole AND b.scope IS NOT DISTINCT FROM r.scope AND b.as_of = r.as_of AND v.n IS NOT NULL
					AND b.day > (SELECT max(l.day) FROM @extschema@.bi_app_daily l WHERE l.population = report_stored.population AND l.report = r.name) - 120;
			WHEN 'channels' THEN
				SELECT @extschema@.chart_bar(array_agg(b.channel ORDER BY b.conversions DESC, b.channel COLLATE "C"), array_agg(b.conversions ORDER BY b.conversions DESC, b.channel COLLATE "C"),
					title, lang, w ->> 'conversions')
				INTO option FROM @extschema@.bi_channel_credit b
				WHERE b.population = report_stored.population AND b.report = r.name AND b.whole = r.whole AND b.scope IS NOT DISTINCT FROM r.scope AND b.as_of = r.as_of AND NOT b.suppressed;
			ELSE
				SELECT @extschema@.chart_rfm(array_agg(b.recency::int), array_agg(b.frequency::int), array_agg(b.customers), title, lang)
				INTO option FROM @extschema@.bi_rfm_grid b
				WHERE b.population = report_stored.population AND b.report = r.name AND b.whole = r.whole AND b.scope IS NOT DISTINCT FROM r.scope AND b.as_of = r.as_of AND NOT b.suppressed;
		END CASE;
		no := no + 1;
		left_out := r.beyond;
		html := html || @extschema@.page_chart(option, 'stored-' || no, drawn, lang);
	END LOOP;
	IF html = '' THEN
		RETURN '<p class="note">' || @extschema@.html_escaped(w ->> 'no reports') || '</p>';
	END IF;
	RETURN '<div class="charts">' || html || E'</div>\n'
		|| CASE WHEN left_out > 0 THEN '<p class="note">' || @extschema@.html_escaped(format(w ->> 'more reports', left_out)) || E'</p>\n' ELSE '' END;
END
$$;
COMMENT ON FUNCTION @extschema@.report_stored(text, text, boolean, text) IS
	'part of a report: what the stored reports (报表) of the population counted last, in the scopes that the caller may read';
