-- The parts of a report that look at events and scores.

-- The timelines of a population, put together once each, whatever is asked of them; part: that share of the customers, by a
-- hash of their ids, the same ones every time.
CREATE FUNCTION @extschema@.report_timelines(population text, part float8)
	RETURNS TABLE (customer_id bigint, place float8, timeline @extschema@.timeline)
	LANGUAGE sql STABLE PARALLEL SAFE COST 100000 ROWS 100000
BEGIN ATOMIC
	SELECT c.customer_id, c.place, c.timeline
	FROM (SELECT t.customer_id, t.timeline, h.place
		FROM @extschema@.customer_timelines t
		CROSS JOIN LATERAL (SELECT (pg_catalog.hashint8extended(t.customer_id, 0) & 2147483647) / 2147483648::float8 AS place) h
		WHERE t.population = report_timelines.population AND h.place < report_timelines.part
		OFFSET 0) c;
END;
COMMENT ON FUNCTION @extschema@.report_timelines(text, float8) IS
	'the stored timelines of a share of a population''s customers; place, from 0 to 1, is where the hash of the id puts the customer: those below part are chosen';

CREATE FUNCTION @extschema@.report_behaviour(population text, lang text, drawn boolean, zone text, options jsonb) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	sample constant bigint := coalesce((options ->> 'sample')::bigint, 100000);
	least constant int := @extschema@.minimum_group_size();
	steps constant text[] := CASE WHEN options ? 'funnel' THEN ARRAY(SELECT jsonb_array_elements_text(options #> '{funnel,steps}')) END;
	within constant interval := coalesce(options #>> '{funnel,within}', '7 days');
	everybody bigint;
	part float8 := 1;
	customers bigint;
	cohorts @extschema@.retention_row[];
	days @extschema@.active_users_row[];
	months @extschema@.life_cycle_row[];
	levels int[];
	few @extschema@.timeline[];
	last_day date;
	html text;
BEGIN
	SELECT count(*) INTO everybody FROM @extschema@.customer_timeline t JOIN @extschema@.population_definition p ON p.population_id = t.population_id
	WHERE p.name = report_behaviour.population;
	IF everybody = 0 THEN
		RETURN '<p class="note">' || @extschema@.html_escaped(w ->> 'no events') || '</p>';
	END IF;
	IF sample > 0 AND sample < everybody THEN
		part := sample / everybody::float8;
	END IF;

	-- One scan for all that is counted by customer; a tenth of them, but 10,000 to 20,000, are looked at event by event.
	SELECT count(*), @extschema@.retention_table(11, @extschema@.activity(t.timeline, 'week', report_behaviour.zone)), @extschema@.active_users(@extschema@.activity(t.timeline, 'day', report_behaviour.zone)),
		@extschema@.life_cycle(@extschema@.activity(t.timeline, 'month', report_behaviour.zone)),
		array_agg(@extschema@.window_funnel(t.timeline, within, steps, coalesce(options #>> '{funnel,mode}', ''))) FILTER (WHERE cardinality(steps) > 0),
		array_agg(t.timeline) FILTER (WHERE t.place < least(greatest(part / 10, 10000 / everybody::float8), 20000 / everybody::float8))
	INTO customers, cohorts, days, months, levels, few
	FROM @extschema@.report_timelines(population, part) t;
	SELECT max(d.day) INTO last_day FROM unnest(days) d WHERE d.daily > 0;
	html := @extschema@.report_figures(ARRAY[w ->> 'with events', w ->> 'first event', w ->> 'last event'],
		ARRAY[@extschema@.page_number(everybody), (SELECT to_char(min(d.day), 'YYYY-MM-DD') FROM unnest(days) d WHERE d.daily > 0), to_char(last_day, 'YYYY-MM-DD')]);
	IF part < 1 THEN
		html := html || '<p class="note">' || @extschema@.html_escaped(format(w ->> 'drawn', @extschema@.page_number(customers), @extschema@.page_number(everybody))) || '</p>';
	END IF;
	html := html || '<div class="charts">';

	-- Active customers, of the last 120 days that had any.
	html := html || coalesce((
		SELECT @extschema@.page_chart(@extschema@.chart_lines(array_agg(x.day ORDER BY x.no, x.day), array_agg(w ->> x.name ORDER BY x.no, x.day),
			array_agg(x.n::float8 ORDER BY x.no, x.day), w ->> 'active', lang, w ->> 'customers unit'), 'active', drawn, lang)
		FROM (SELECT d.day, v.* FROM unnest(days) d CROSS JOIN LATERAL (VALUES ('daily', 1, d.daily), ('weekly', 2, d.weekly), ('monthly', 3, d.monthly)) v (name, no, n)
			WHERE d.day > last_day - 120 AND d.day <= last_day AND v.n >= least) x HAVING count(*) > 0), '');
	html := html || coalesce((
		SELECT @extschema@.page_chart(@extschema@.chart_lines(array_agg(x.period ORDER BY x.no, x.period), array_agg(w ->> x.name ORDER BY x.no, x.period),
			array_agg(x.n::float8 ORDER BY x.no, x.period), w ->> 'life cycle', lang, w ->> 'customers unit', stacked => true), 'life-cycle', drawn, lang)
		FROM (SELECT m.period, v.* FROM unnest(months) m
			CROSS JOIN LATERAL (VALUES ('returning', 1, m.retained), ('new', 2, m.new), ('resurrected', 3, m.resurrected)) v (name, no, n)
			WHERE m.period > last_day - interval '25 months' AND m.period <= last_day AND (v.n = 0 OR v.n >= least)) x HAVING count(*) > 0), '');
	-- Cohorts that are large enough, the last dozen.
	html := html || coalesce((
		SELECT @extschema@.page_chart(@extschema@.chart_cohort(array_agg((r.cohort, r.size, r.period, r.customers, r.share)::@extschema@.retention_row ORDER BY r.cohort, r.period),
			w ->> 'retention', lang, 12), 'retention', drawn, lang)
		FROM unnest(cohorts) r WHERE r.size >= least AND (r.customers = 0 OR r.customers >= least) HAVING count(*) > 0), '');

	-- How far customers get.
	IF cardinality(steps) > 0 THEN
		html := html || (
			SELECT @extschema@.page_chart(@extschema@.chart_funnel(steps, array_agg(CASE WHEN f.n = 0 OR f.n >= least THEN f.n END ORDER BY f.step),
				coalesce(options #>> '{funnel,title}', format(w ->> 'funnel within', @extschema@.page_interval(within, lang))), lang, w ->> 'customers unit'), 'funnel', drawn, lang)
			FROM (SELECT s.step, count(*) FILTER (WHERE l >= s.step) AS n FROM unnest(levels) l CROSS JOIN generate_series(1, cardinality(steps)) s (step) GROUP BY s.step) f);
	END IF;
	html := html || coalesce((
		SELECT @extschema@.page_chart(@extschema@.chart_bar(array_agg(e.event ORDER BY e.n DESC, e.event COLLATE "C"), array_agg(e.n::float8 ORDER BY e.n DESC, e.event COLLATE "C"), w ->> 'event mix', lang, w ->> 'events unit'),
			'events', drawn, lang)
		FROM (SELECT v.event, count(*) AS n FROM unnest(few) WITH ORDINALITY t (timeline, no) CROSS JOIN LATERAL @extschema@.events(t.timeline) v
			GROUP BY v.event HAVING count(DISTINCT t.no) >= least) e HAVING count(*) > 0), '');
	html := html || coalesce((
		SELECT @extschema@.page_chart(@extschema@.chart_paths(array_agg(e.step), array_agg(e.source), array_agg(e.target), array_agg(e.n), w ->> 'paths', lang, 6, 4), 'paths', drawn, lang)
		FROM (SELECT p.step, p.source, p.target, count(*) AS n
			FROM unnest(few) WITH ORDINALITY t (timeline, no)
			CROSS JOIN LATERAL @extschema@.path_edges(t.timeline, depth => 4, idle_gap => coalesce((options ->> 'pause')::interval, '30 days')) p
			GROUP BY p.step, p.source, p.target HAVING count(DISTINCT t.no) >= least ORDER BY p.step, p.source COLLATE "C", p.target COLLATE "C") e HAVING count(*) > 0), '');
	RETURN html || E'</div>\n';
END
$$;
COMMENT ON FUNCTION @extschema@.report_behaviour(text, text, boolean, text, jsonb) IS
	'part of a report: active customers, life cycle, retention, funnel, events and paths, from stored timelines';

CREATE FUNCTION @extschema@.report_scores(population text, lang text, drawn boolean, zone text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	charts text;
	rows jsonb;
	html text := '';
BEGIN
	SELECT string_agg(@extschema@.page_chart(@extschema@.chart_bar(c.labels, c.members, format(w ->> 'distribution', c.title), lang, w ->> 'customers unit'), 'score-' || c.no, drawn, lang), '' ORDER BY c.no)
	INTO charts FROM (
		SELECT s.title, array_agg(s.value_title ORDER BY s.members DESC, s.value COLLATE "C") AS labels, array_agg(s.members::float8 ORDER BY s.members DESC, s.value COLLATE "C") AS members,
			row_number() OVER (ORDER BY sum(s.members) DESC, s.tag COLLATE "C") AS no
		FROM @extschema@.report_sets(population, lang) s
		WHERE s.kind = 'predictive' AND s.value_type = 'text' AND s.members > 0
		GROUP BY s.tag, s.title ORDER BY no LIMIT 4) c;

	-- Models: their owners' matter, and so is the page of whoever else looks.
	charts := coalesce(charts, '') || coalesce((
		SELECT string_agg(
			@extschema@.page_chart(@extschema@.chart_gain(ARRAY(SELECT g FROM jsonb_populate_recordset(NULL::@extschema@.gain_row, v.metrics -> 'gain') g ORDER BY g.bin), format(w ->> 'gain of', v.name), lang), 'gain-' || v.no, drawn, lang)
			|| @extschema@.page_chart(@extschema@.chart_calibration(ARRAY(SELECT c FROM jsonb_populate_recordset(NULL::@extschema@.calibration_row, v.metrics -> 'calibration') c ORDER BY c.bin), format(w ->> 'calibration of', v.name), lang), 'calibration-' || v.no, drawn, lang), '' ORDER BY v.no)
		FROM (SELECT v.name, v.metrics, row_number() OVER (ORDER BY v.created_at DESC, v.name COLLATE "C") AS no
			FROM @extschema@.model_definition d JOIN @extschema@.model_version v ON v.name = d.name AND v.version = d.champion
			WHERE v.state = 'approved' AND v.metrics ? 'gain') v WHERE v.no <= 3), '');
	IF charts <> '' THEN
		html := '<div class="charts">' || charts || '</div>';
	END IF;

	SELECT jsonb_agg(jsonb_build_array(s.title, s.members, q.least, q.lower, q.middle, q.upper, q.most, q.average) ORDER BY s.title COLLATE "C")
	INTO rows FROM @extschema@.report_sets(population, lang) s
	CROSS JOIN LATERAL @extschema@.tag_number(s.tag, population) b
	CROSS JOIN LATERAL (SELECT trim_scale(@extschema@.bsi_quantile(b, 0.01)) AS least, trim_scale(@extschema@.bsi_quantile(b, 0.25)) AS lower, trim_scale(@extschema@.bsi_quantile(b, 0.5)) AS middle,
		trim_scale(@extschema@.bsi_quantile(b, 0.75)) AS upper, trim_scale(@extschema@.bsi_quantile(b, 0.99)) AS most, round(@extschema@.bsi_avg(b), 2) AS average) q
	WHERE s.value_type = 'numeric' AND s.members > 0;
	IF rows IS NOT NULL THEN
		html := html || '<h3>' || @extschema@.html_escaped(w ->> 'numbers') || '</h3>' || @extschema@.page_table(jsonb_build_array(w ->> 'tag', w ->> 'customers', '1 %', w ->> 'quarter', w ->> 'median',
			w ->> 'three quarters', '99 %', w ->> 'average'), rows, w ->> 'numbers');
	END IF;

	SELECT jsonb_agg(jsonb_build_array(v.name, v.algorithm, v.version, v.rows, CASE WHEN v.metrics ? 'auc' THEN 'AUC ' || round((v.metrics ->> 'auc')::numeric, 3)
			WHEN v.metrics ? 'r2' THEN 'R2 ' || round((v.metrics ->> 'r2')::numeric, 3) END, @extschema@.report_time(v.created_at, zone)) ORDER BY v.name COLLATE "C")
	INTO rows FROM @extschema@.model_definition d JOIN @extschema@.model_version v ON v.name = d.name AND v.version = d.champion;
	IF rows IS NOT NULL THEN
		html := html || '<h3>' || @extschema@.html_escaped(w ->> 'models') || '</h3>' || @extschema@.page_table(jsonb_build_array(w ->> 'model', w ->> 'algorithm', w ->> 'version', w ->> 'rows',
			w ->> 'quality', w ->> 'trained'), rows, w ->> 'models');
	END IF;
	RETURN coalesce(nullif(html, ''), '<p class="note">' || @extschema@.html_escaped(w ->> 'no scores') || '</p>');
END
$$;
COMMENT ON FUNCTION @extschema@.report_scores(text, text, boolean, text) IS
	'part of a report: predictive tags, numbers, and how good the models are that the caller may see';
