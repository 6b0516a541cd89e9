-- The parts of a report.  Each reads what is stored, with the caller's rights: what he may not see is not on his page.

CREATE FUNCTION @extschema@.report_population(population text, OUT population_id int, OUT name text, OUT description text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE COST 1000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	names constant text[] := ARRAY(SELECT p.name FROM @extschema@.population_definition p ORDER BY p.name COLLATE "C");
BEGIN
	SELECT p.population_id, p.name, p.description INTO report_population.population_id, report_population.name, report_population.description
	FROM @extschema@.population_definition p WHERE p.name = coalesce(report_population.population, CASE WHEN cardinality(names) = 1 THEN names[1] END);
	IF FOUND THEN
		RETURN;
	ELSIF cardinality(names) = 0 THEN
		RAISE EXCEPTION 'there is no population yet, or none that you may use'
			USING ERRCODE = 'undefined_object', HINT = '@extschema@.create_population registers the relation with one row per customer; of one that exists, the owner may run @extschema@.grant_population.';
	ELSIF population IS NULL THEN
		RAISE EXCEPTION 'the population must be named'
			USING ERRCODE = 'invalid_parameter_value', DETAIL = format('There are several: %s.', (SELECT string_agg('"' || f || '"', ', ') FROM unnest(names) f)),
				HINT = format('Add population => %L.', names[1]);
	END IF;
	RAISE EXCEPTION 'population "%" does not exist', population
		USING ERRCODE = 'undefined_object', HINT = format('There are: %s.', (SELECT string_agg('"' || f || '"', ', ') FROM unnest(names) f));
END
$$;
COMMENT ON FUNCTION @extschema@.report_population(text) IS
	'the population that a page is about: the one named, or the only one that the caller may know of';

CREATE FUNCTION @extschema@.report_time(at timestamptz, zone text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 5
	RETURN pg_catalog.to_char(at AT TIME ZONE zone, 'YYYY-MM-DD HH24:MI');
COMMENT ON FUNCTION @extschema@.report_time(timestamptz, text) IS
	'an instant for readers, in their zone';

-- The stored sets with their titles; a group that is too small has no number of members.
CREATE FUNCTION @extschema@.report_sets(population text, lang text)
	RETURNS TABLE (tag text, value text, kind text, value_type text, title text, value_title text, members bigint, share float8)
	LANGUAGE sql STABLE PARALLEL SAFE COST 100000 ROWS 200
BEGIN ATOMIC
	SELECT s.tag, s.value, s.kind, d.value_type, coalesce(t.title, s.tag), coalesce(v.title, s.value),
		CASE WHEN s.members = 0 OR s.members >= @extschema@.minimum_group_size() THEN s.members END,
		CASE WHEN s.members = 0 OR s.members >= @extschema@.minimum_group_size() THEN s.share END
	FROM @extschema@.segment_size s
	JOIN @extschema@.population_definition p ON p.name = s.population
	JOIN @extschema@.tag_definition d ON d.population_id = p.population_id AND d.name = s.tag
	LEFT JOIN @extschema@.tag_titles t ON t.population = s.population AND t.tag = s.tag AND t.language = report_sets.lang AND t.value IS NULL
	LEFT JOIN @extschema@.tag_titles v ON v.population = s.population AND v.tag = s.tag AND v.language = report_sets.lang AND v.value = s.value
	WHERE s.population = report_sets.population AND d.state = 'approved';
END;
COMMENT ON FUNCTION @extschema@.report_sets(text, text) IS
	'the stored sets of a population as pages show them: with titles, without the number of members of groups that are too small';

CREATE FUNCTION @extschema@.report_figures(names text[], figures text[]) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 100
	RETURN '<dl class="figures">' || (
		SELECT pg_catalog.string_agg('<div><dt>' || @extschema@.html_escaped(f.name) || '</dt><dd' || CASE WHEN pg_catalog.length(f.figure) > 11 THEN ' class="long">' ELSE '>' END
			|| @extschema@.html_escaped(f.figure) || '</dd></div>', '' ORDER BY f.no)
		FROM ROWS FROM (pg_catalog.unnest(names), pg_catalog.unnest(figures)) WITH ORDINALITY f (name, figure, no) WHERE f.figure IS NOT NULL) || E'</dl>\n';
COMMENT ON FUNCTION @extschema@.report_figures(text[], text[]) IS
	'a few numbers at a glance, in HTML: names and figures; those that are NULL are left out';

CREATE FUNCTION @extschema@.report_overview(population text, lang text, drawn boolean, zone text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	size record;
	coverage record;
	html text;
BEGIN
	SELECT b.customers, (SELECT count(*) FROM @extschema@.tag_definition d WHERE d.population_id = b.population_id AND d.state = 'approved') AS tags,
		(SELECT count(*) FROM @extschema@.segment_definition s WHERE s.population_id = b.population_id) AS segments,
		(SELECT max(d.refreshed_at) FROM @extschema@.tag_definition d WHERE d.population_id = b.population_id) AS refreshed_at,
		(SELECT max(d.as_of) FROM @extschema@.tag_definition d WHERE d.population_id = b.population_id) AS as_of
	INTO size FROM @extschema@.population_size b WHERE b.population = report_overview.population;
	IF NOT FOUND THEN
		RETURN '<p class="note warn">' || @extschema@.html_escaped(CASE
			WHEN EXISTS (SELECT FROM @extschema@.tag_definition d JOIN @extschema@.population_definition p ON p.population_id = d.population_id
				WHERE p.name = report_overview.population AND d.refreshed_at IS NOT NULL) THEN w ->> 'not readable' ELSE w ->> 'never refreshed' END) || '</p>';
	END IF;
	SELECT sum(c.tags * c.customers) / nullif(sum(c.customers), 0) AS average, sum(c.customers) FILTER (WHERE c.tags = 0) AS none
	INTO coverage FROM @extschema@.tag_counts(population) c;
	html := @extschema@.report_figures(
		ARRAY[w ->> 'customers', w ->> 'tags', w ->> 'named segments', w ->> 'tags a customer', w ->> 'refreshed', w ->> 'as of'],
		ARRAY[@extschema@.page_number(size.customers), @extschema@.page_number(size.tags), @extschema@.page_number(nullif(size.segments, 0)),
			@extschema@.page_number(round(coverage.average, 1)), @extschema@.report_time(size.refreshed_at, zone), @extschema@.report_time(size.as_of, zone)]);
	RETURN html || '<div class="charts">' || coalesce((
		SELECT string_agg(@extschema@.page_chart(@extschema@.chart_bar(c.labels, c.members, w ->> c.title, lang, w ->> 'customers unit'), 'overview-' || c.kind, drawn, lang), '' ORDER BY c.no)
		FROM (
			SELECT k.kind, k.title, k.no, array_agg(s.title ORDER BY s.members DESC, s.title COLLATE "C") AS labels, array_agg(s.members::float8 ORDER BY s.members DESC, s.title COLLATE "C") AS members
			FROM (VALUES ('timeliness', 'now', 1), ('predictive', 'soon', 2)) k (kind, title, no)
			JOIN @extschema@.report_sets(population, lang) s ON s.kind = k.kind AND s.value_type = 'boolean' AND s.members > 0
			GROUP BY k.kind, k.title, k.no) c), '') || '</div>';
END
$$;
COMMENT ON FUNCTION @extschema@.report_overview(text, text, boolean, text) IS
	'part of a report: how many customers and tags, how fresh, what matters now';

CREATE FUNCTION @extschema@.report_segments(population text, lang text, drawn boolean, options jsonb) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 1000000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	few constant text := format(w ->> 'few', @extschema@.minimum_group_size());
	html text := '';
	rows jsonb;
	portrait text;
	no int := 0;
BEGIN
	-- Segments with a name.
	SELECT jsonb_agg(jsonb_build_array(s.segment || CASE WHEN s.frozen THEN ' (' || (w ->> 'frozen') || ')' ELSE '' END,
			CASE WHEN s.members = 0 OR s.members >= @extschema@.minimum_group_size() THEN to_jsonb(s.members) ELSE to_jsonb(few) END,
			CASE WHEN s.members = 0 OR s.members >= @extschema@.minimum_group_size() THEN to_jsonb(@extschema@.page_share(s.share)) END,
			s.expression, coalesce(s.problem, s.description)) ORDER BY s.members DESC NULLS LAST, s.segment COLLATE "C")
	INTO rows FROM @extschema@.segment_catalog s WHERE s.population = report_segments.population;
	IF rows IS NOT NULL THEN
		html := html || @extschema@.page_table(jsonb_build_array(w ->> 'segment', w ->> 'members', w ->> 'share', w ->> 'expression', w ->> 'description'), rows, w ->> 'named segments');
	END IF;

	-- What sets segments apart: those asked for, else the first ones with a name.
	html := html || '<div class="charts">';
	FOR portrait IN
		SELECT e.expression FROM jsonb_array_elements_text(coalesce(options -> 'segments', (
			SELECT jsonb_agg('"' || replace(s.name, '"', '""') || '"' ORDER BY s.segment_id)
			FROM (SELECT d.* FROM @extschema@.segment_definition d JOIN @extschema@.population_definition p ON p.population_id = d.population_id
				WHERE p.name = report_segments.population ORDER BY d.segment_id LIMIT 2) s), '[]')) e (expression)
	LOOP
		no := no + 1;
		html := html || coalesce((
			SELECT @extschema@.page_chart(@extschema@.chart_radar(array_agg(x.label ORDER BY x.label COLLATE "C", x.tag COLLATE "C"), array_agg(x.segment_share ORDER BY x.label COLLATE "C", x.tag COLLATE "C"), array_agg(x.base_share ORDER BY x.label COLLATE "C", x.tag COLLATE "C"),
				format(w ->> 'portrait of', regexp_replace(portrait, '^"([^"]+)"$', '\1')), lang), 'segment-' || no, drawn, lang)
			FROM (
				SELECT p.tag, concat_ws(': ', coalesce(t.title, p.tag), coalesce(v.title, p.value)) AS label, p.segment_share, p.base_share
				FROM @extschema@.segment_profile(portrait, NULL, population) p
				LEFT JOIN @extschema@.tag_titles t ON t.population = report_segments.population AND t.tag = p.tag AND t.language = lang AND t.value IS NULL
				LEFT JOIN @extschema@.tag_titles v ON v.population = report_segments.population AND v.tag = p.tag AND v.language = lang AND v.value = p.value
				-- Not what the segment is made of, nor groups that are too small, here or there.
				WHERE NOT (p.segment_share = 1 AND p.base_members = p.segment_members) AND p.base_members >= @extschema@.minimum_group_size()
					AND (p.segment_members = 0 OR p.segment_members >= @extschema@.minimum_group_size())
					AND @extschema@.cardinality(@extschema@.segment(portrait, report_segments.population)) >= @extschema@.minimum_group_size()
				ORDER BY p.significant DESC, abs(p.segment_share - p.base_share) DESC, p.tag COLLATE "C", p.value COLLATE "C" LIMIT 8) x
			HAVING count(*) >= 3), '');
	END LOOP;

	-- How customers are spread over the values of a tag: those asked for, else of each kind the finest ones.
	html := html || coalesce((
		SELECT string_agg(@extschema@.page_chart(@extschema@.chart_bar(c.labels, c.members, c.title, lang, w ->> 'customers unit'), 'values-' || c.no, drawn, lang), '' ORDER BY c.no)
		FROM (
			SELECT v.title, v.labels, v.members, row_number() OVER (ORDER BY v.asked, v.rank, v.kind_no, v.tag COLLATE "C") AS no
			FROM (
				SELECT s.tag, s.title, a.ordinality AS asked, array_position(ARRAY['base', 'correlation', 'personality', 'timeliness', 'predictive'], s.kind) AS kind_no,
					array_agg(s.value_title ORDER BY s.members DESC, s.value COLLATE "C") AS labels, array_agg(s.members::float8 ORDER BY s.members DESC, s.value COLLATE "C") AS members,
					row_number() OVER (PARTITION BY s.kind ORDER BY sum(s.share * ln(nullif(s.share, 0))), s.tag COLLATE "C") AS rank
				FROM @extschema@.report_sets(population, lang) s
				LEFT JOIN jsonb_array_elements_text(options -> 'tags') WITH ORDINALITY a (tag, ordinality) ON a.tag = s.tag
				WHERE s.value_type = 'text' AND s.members > 0 AND (a.tag IS NOT NULL OR options -> 'tags' IS NULL AND s.kind <> 'predictive')
				GROUP BY s.tag, s.title, s.kind, a.ordinality) v
			ORDER BY no LIMIT 6) c), '') || E'</div>\n';

	-- And all of them.
	SELECT jsonb_agg(jsonb_build_array(w ->> s.kind, s.title, s.value_title, coalesce(to_jsonb(s.members), to_jsonb(few)), to_jsonb(@extschema@.page_share(s.share)))
		ORDER BY array_position(ARRAY['base', 'timeliness', 'correlation', 'predictive', 'personality'], s.kind), s.title COLLATE "C", s.share DESC NULLS LAST, s.value COLLATE "C")
	INTO rows FROM @extschema@.report_sets(population, lang) s;
	IF rows IS NULL THEN
		RETURN html || '<p class="empty">' || @extschema@.html_escaped(w ->> 'no data') || '</p>';
	END IF;
	RETURN html || '<details><summary>' || @extschema@.html_escaped(format('%s (%s)', w ->> 'all sets', jsonb_array_length(rows))) || '</summary>'
		|| @extschema@.page_table(jsonb_build_array(w ->> 'kind', w ->> 'tag', w ->> 'value', w ->> 'members', w ->> 'share'), rows, w ->> 'all sets') || '</details>';
END
$$;
COMMENT ON FUNCTION @extschema@.report_segments(text, text, boolean, jsonb) IS
	'part of a report: segments with a name, what sets them apart, how customers are spread over the values of tags';

CREATE FUNCTION @extschema@.report_coverage(population text, lang text, drawn boolean) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 1000000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	few constant text := format(w ->> 'few', @extschema@.minimum_group_size());
	html text;
	rows jsonb;
BEGIN
	SELECT @extschema@.page_chart(@extschema@.chart_bar(array_agg(c.bucket ORDER BY c.no), array_agg(c.customers ORDER BY c.no), w ->> 'tags per customer', lang, w ->> 'customers unit', sorted => false),
		'coverage-counts', drawn, lang)
	INTO html FROM (
		SELECT b.bucket, b.no, sum(c.customers)::float8 AS customers
		FROM (VALUES ('0', 1, 0, 0), ('1-4', 2, 1, 4), ('5-9', 3, 5, 9), ('10-19', 4, 10, 19), ('20-49', 5, 20, 49), ('50+', 6, 50, NULL)) b (bucket, no, low, high)
		JOIN @extschema@.tag_counts(population) c ON c.tags BETWEEN b.low AND coalesce(b.high, c.tags)
		GROUP BY b.bucket, b.no HAVING sum(c.customers) >= @extschema@.minimum_group_size()) c;
	SELECT jsonb_agg(jsonb_build_array(coalesce(t.title, c.tag), w ->> c.kind,
			CASE WHEN c.members = 0 OR c.members >= @extschema@.minimum_group_size() THEN to_jsonb(c.members) ELSE to_jsonb(few) END,
			CASE WHEN c.members = 0 OR c.members >= @extschema@.minimum_group_size() THEN to_jsonb(@extschema@.page_share(c.share)) END,
			c.value_count, c.effective) ORDER BY c.share DESC NULLS LAST, c.tag COLLATE "C")
	INTO rows FROM (
		SELECT d.name AS tag, d.kind, coalesce(sum(z.members), 0) AS members, coalesce(sum(z.members), 0) / nullif(b.customers, 0)::float8 AS share,
			CASE WHEN d.value_type = 'text' THEN count(*) FILTER (WHERE z.members > 0) END AS value_count,
			CASE WHEN d.value_type = 'text' THEN round(exp(ln(nullif(sum(z.members), 0)::float8)
				- sum(z.members * ln(greatest(z.members, 1)::float8) ORDER BY z.members) / nullif(sum(z.members), 0)::float8)::numeric, 1) END AS effective
		FROM @extschema@.population_size b
		JOIN @extschema@.tag_definition d ON d.population_id = b.population_id AND d.refreshed_version IS NOT NULL AND d.state = 'approved'
		LEFT JOIN (SELECT s.tag_id, s.value_no, sum(s.members)::float8 AS members FROM @extschema@.tag_size s GROUP BY s.tag_id, s.value_no) z ON z.tag_id = d.tag_id
		WHERE b.population = report_coverage.population
		GROUP BY d.tag_id, d.name, d.kind, d.value_type, b.customers) c
	LEFT JOIN @extschema@.tag_titles t ON t.population = report_coverage.population AND t.tag = c.tag AND t.language = lang AND t.value IS NULL;
	RETURN '<div class="charts">' || coalesce(html, '') || '</div><details><summary>' || @extschema@.html_escaped(w ->> 'customers covered') || '</summary>'
		|| @extschema@.page_table(jsonb_build_array(w ->> 'tag', w ->> 'kind', w ->> 'members', w ->> 'share', w ->> 'values used', w ->> 'effective values'),
			coalesce(rows, '[]'), w ->> 'customers covered') || '</details>';
END
$$;
COMMENT ON FUNCTION @extschema@.report_coverage(text, text, boolean) IS
	'part of a report: how many tags customers have, which tags cover how many, how fine they are';

CREATE FUNCTION @extschema@.report_freshness(population text, lang text, zone text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 100000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	stale bigint;
	html text;
	rows jsonb;
BEGIN
	SELECT count(*) FILTER (WHERE c.stale), jsonb_agg(jsonb_build_array(coalesce(t.title, c.tag), w ->> CASE WHEN c.stale THEN 'stale' ELSE 'fresh' END,
			@extschema@.report_time(c.refreshed_at, zone), @extschema@.report_time(c.as_of, zone), @extschema@.report_time(c.valid_until, zone), c.exactness, c.stale_cause)
		ORDER BY c.stale DESC, c.refreshed_at NULLS FIRST, c.tag COLLATE "C")
	INTO stale, rows FROM @extschema@.tag_catalog c
	LEFT JOIN @extschema@.tag_titles t ON t.population = c.population AND t.tag = c.tag AND t.language = lang AND t.value IS NULL
	WHERE c.population = report_freshness.population AND c.state = 'approved';
	html := CASE WHEN stale > 0 THEN '<p class="note warn">' || @extschema@.html_escaped(format(w ->> 'some stale', stale))
		ELSE '<p class="note">' || @extschema@.html_escaped(w ->> 'all fresh') END || ' ' || @extschema@.html_escaped(w ->> CASE
			WHEN EXISTS (SELECT FROM @extschema@.tracked_relation l JOIN @extschema@.population_definition p ON p.population_id = l.population_id
				WHERE p.name = report_freshness.population) THEN 'tracked' ELSE 'not tracked' END) || '</p>';
	html := html || coalesce((
		SELECT '<p>' || @extschema@.html_escaped(format('%s: %s %s, %s %s.', w ->> 'timelines', w ->> 'stored up to', @extschema@.report_time(t.watermark, report_freshness.zone),
			w ->> 'refreshed', @extschema@.report_time(t.refreshed_at, report_freshness.zone))) || '</p>'
		FROM @extschema@.timeline_store t JOIN @extschema@.population_definition p ON p.population_id = t.population_id
		WHERE p.name = report_freshness.population), '');
	html := html || coalesce((
		SELECT '<h3>' || @extschema@.html_escaped(w ->> 'refreshes') || '</h3>' || @extschema@.page_table(
			jsonb_build_array(w ->> 'refreshed', w ->> 'as of', w ->> 'customers', w ->> 'tags', w ->> 'seconds'),
			jsonb_agg(jsonb_build_array(@extschema@.report_time(h.refreshed_at, zone), @extschema@.report_time(h.as_of, zone), h.customers, h.tags, round(h.seconds::numeric, 1)) ORDER BY h.refresh_id DESC),
			w ->> 'refreshes')
		FROM (SELECT r.* FROM @extschema@.refresh_history r JOIN @extschema@.population_definition p ON p.population_id = r.population_id
			WHERE p.name = report_freshness.population ORDER BY r.refresh_id DESC LIMIT 5) h HAVING count(*) > 0), '');
	RETURN html || '<details><summary>' || @extschema@.html_escaped(w ->> 'tags') || '</summary>' || @extschema@.page_table(
		jsonb_build_array(w ->> 'tag', w ->> 'state', w ->> 'refreshed', w ->> 'as of', w ->> 'until', '', w ->> 'cause'), coalesce(rows, '[]'), w ->> 'freshness') || '</details>';
END
$$;
COMMENT ON FUNCTION @extschema@.report_freshness(text, text, text) IS
	'part of a report: how fresh tags and timelines are, and why some are not';
