-- One customer's page, before the call.

-- Bars, drawn without a library: a page with nothing else to draw is a few kilobytes.
CREATE FUNCTION @extschema@.page_bars(labels text[], counts float8[], name text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE COST 500
	RETURN (
		SELECT '<svg class="bars" viewBox="0 0 ' || pg_catalog.count(*) * 10 || ' 60" preserveAspectRatio="none" role="img" aria-label="' || @extschema@.html_escaped(name) || '">'
			|| pg_catalog.string_agg(pg_catalog.format('<rect x="%s" y="%s" width="8" height="%s"><title>%s</title></rect>', (b.no - 1) * 10 + 1,
				58 - h.height, h.height, @extschema@.html_escaped(b.label || ': ' || @extschema@.page_number(b.n::numeric))), '' ORDER BY b.no) || '</svg>'
		FROM (SELECT u.*, pg_catalog.max(u.n) OVER () AS most FROM ROWS FROM (pg_catalog.unnest(labels), pg_catalog.unnest(counts)) WITH ORDINALITY u (label, n, no)) b
		CROSS JOIN LATERAL (SELECT pg_catalog.round((56 * b.n / nullif(b.most, 0))::numeric, 1) AS height) h);
COMMENT ON FUNCTION @extschema@.page_bars(text[], float8[], text) IS
	'bars as SVG within a page: labels and numbers';

CREATE FUNCTION @extschema@.customer_reasons(key text, population text, tags jsonb, lang text, zone text, n int) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 50000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	truth constant jsonb := jsonb_build_object('true', w -> 'true', 'false', w -> 'false', 'unknown', w -> 'unknown');
	t record;
	html text := '';
BEGIN
	-- What passes and what is rare is asked about first; what a customer is needs the fewest words.
	FOR t IN
		SELECT e.value ->> 'tag' AS tag, concat_ws(': ', coalesce(e.value ->> 'title', e.value ->> 'tag'), coalesce(e.value ->> 'value_title', e.value ->> 'value')) AS title
		FROM jsonb_each(tags) k (kind, list) CROSS JOIN LATERAL jsonb_array_elements(k.list) e
		ORDER BY array_position(ARRAY['timeliness', 'predictive', 'correlation', 'personality', 'base'], k.kind) IN (4, 5), (e.value ->> 'share')::float8, e.value ->> 'tag' LIMIT n
	LOOP
		BEGIN
			html := html || (
				SELECT '<li><h4>' || @extschema@.html_escaped(t.title) || '</h4><table class="why"><tbody>'
					|| coalesce(string_agg('<tr><th scope="row">' || @extschema@.html_escaped(r.name) || '</th><td>' || @extschema@.html_escaped(r.said) || '</td></tr>', '' ORDER BY r.no), '')
					|| '</tbody></table></li>' || E'\n'
				FROM (
					SELECT p.no, w ->> p.word AS name, string_agg(CASE x.part
							WHEN 'event' THEN @extschema@.report_time(x.detail::timestamptz, zone) || ' ' || x.value
							WHEN 'decided by' THEN concat_ws(' = ', @extschema@.page_short(x.detail), CASE WHEN x.value <> 'true' THEN coalesce(truth ->> x.value, x.value) END)
							WHEN 'since' THEN @extschema@.report_time(x.value::timestamptz, zone)
							WHEN 'until' THEN @extschema@.report_time(x.value::timestamptz, zone)
							WHEN 'change' THEN concat_ws(': ', coalesce(truth ->> x.detail, x.detail), @extschema@.page_short(x.value))
							ELSE @extschema@.page_short(x.value) END, '; ' ORDER BY x.no) AS said
					FROM (SELECT e.*, row_number() OVER (PARTITION BY e.part ORDER BY e.ordinality) AS no
						FROM @extschema@.explain_tag(customer_reasons.key, t.tag, population, lang) WITH ORDINALITY e) x
					JOIN (VALUES ('rule', 'rule', 1, 1), ('decided by', 'decided by', 2, 4), ('event', 'counts', 3, 3), ('since', 'since', 4, 1), ('until', 'until', 5, 1), ('change', 'changes', 6, 2)) p (part, word, no, most)
						ON p.part = x.part AND x.no <= p.most
					WHERE x.value IS NOT NULL
					GROUP BY p.no, p.word) r);
		EXCEPTION WHEN insufficient_privilege OR undefined_object OR object_not_in_prerequisite_state OR data_exception THEN
			html := html || '<li><h4>' || @extschema@.html_escaped(t.title) || '</h4><p>' || @extschema@.html_escaped(format(w ->> 'not shown', SQLERRM)) || '</p></li>';
		END;
	END LOOP;
	RETURN CASE WHEN html = '' THEN '<p class="empty">' || @extschema@.html_escaped(w ->> 'no data') || '</p>' ELSE '<ul class="plain">' || html || '</ul>' END;
END
$$;
COMMENT ON FUNCTION @extschema@.customer_reasons(text, text, jsonb, text, text, int) IS
	'part of a customer''s page: why he has the n tags that tell most, as explain_tag says it';

-- A model finds its columns by their names: the customer's row, of which the caller sees what he may read.
CREATE FUNCTION @extschema@.customer_scores(population text, customer jsonb, models text[], lang text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 50000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	columns text;
	model record;
	score float8;
	reasons @extschema@.score_reason[];
	html text := '';
BEGIN
	-- Of a domain the type below it, and nothing with parts, which may be of one: nobody's checks run here.
	SELECT string_agg(format('%I %s', a.attname, format_type(b.type, b.typmod)), ', ' ORDER BY a.attnum) INTO columns
	FROM @extschema@.population_definition p JOIN pg_attribute a ON a.attrelid = p.source
	CROSS JOIN LATERAL (
		WITH RECURSIVE below (type, typmod) AS (
			SELECT a.atttypid, a.atttypmod
			UNION ALL SELECT t.typbasetype, t.typtypmod FROM below l JOIN pg_type t ON t.oid = l.type AND t.typtype = 'd')
		SELECT l.type, l.typmod FROM below l JOIN pg_type t ON t.oid = l.type AND t.typtype IN ('b', 'e') AND t.typcategory <> 'A') b
	WHERE p.name = customer_scores.population AND a.attnum > 0 AND NOT a.attisdropped AND customer ? a.attname;
	IF columns IS NOT NULL THEN
		FOR model IN
			SELECT m.name, v.metrics ? 'auc' AS probability
			FROM (SELECT u.name, u.no FROM unnest(models) WITH ORDINALITY u (name, no)
				UNION ALL SELECT d.name, row_number() OVER (ORDER BY d.name) FROM @extschema@.model_definition d WHERE models IS NULL) m
			LEFT JOIN @extschema@.model_definition d ON d.name = m.name
			LEFT JOIN @extschema@.model_version v ON v.name = d.name AND v.version = d.champion
			WHERE models IS NOT NULL OR v.encoding IS NOT NULL AND v.state = 'approved'
			ORDER BY m.no LIMIT 10
		LOOP
			-- A model of something else needs columns that are not there.
			BEGIN
				EXECUTE format('SELECT p.score, p.reasons FROM (SELECT r FROM jsonb_to_record($1) AS r (%s)) x, @extschema@.predict_reasons($2, x.r, 5) p', columns)
				INTO score, reasons USING customer, model.name;
				html := html || (
					SELECT '<tr><th scope="row">' || @extschema@.html_escaped(model.name) || '</th><td class="n">'
						|| coalesce(@extschema@.html_escaped(CASE WHEN model.probability THEN @extschema@.page_share(score) ELSE @extschema@.page_number(score::numeric) END), '') || '</td><td>'
						|| coalesce(string_agg(@extschema@.html_escaped(format('%s = %s %s (%s)', r.name, coalesce(customer ->> r.name, '-'),
							CASE WHEN r.contribution > 0 THEN w ->> 'raises' ELSE w ->> 'lowers' END, to_char(r.contribution, 'FMSG990.00'))), '<br>' ORDER BY r.no), '') || '</td></tr>'
					FROM unnest(reasons) WITH ORDINALITY r (feature, name, contribution, no) WHERE abs(r.contribution) >= 0.005);
			EXCEPTION WHEN undefined_column OR insufficient_privilege OR undefined_object OR object_not_in_prerequisite_state OR datatype_mismatch OR data_exception THEN
				IF models IS NOT NULL THEN
					html := html || '<tr><th scope="row">' || @extschema@.html_escaped(model.name) || '</th><td></td><td>' || @extschema@.html_escaped(format(w ->> 'not shown', SQLERRM)) || '</td></tr>';
				END IF;
			END;
		END LOOP;
	END IF;
	IF html = '' THEN
		RETURN '<p class="note">' || @extschema@.html_escaped(w ->> 'no models') || '</p>';
	END IF;
	RETURN '<div class="scroll" tabindex="0" role="region" aria-label="' || @extschema@.html_escaped(w ->> 'scores') || '"><table><thead><tr><th scope="col">' || @extschema@.html_escaped(w ->> 'model')
		|| '</th><th scope="col" class="n">' || @extschema@.html_escaped(w ->> 'score') || '</th><th scope="col">' || @extschema@.html_escaped(w ->> 'reason') || '</th></tr></thead><tbody>' || html || '</tbody></table></div>';
END
$$;
COMMENT ON FUNCTION @extschema@.customer_scores(text, jsonb, text[], text) IS
	'part of a customer''s page: his scores by the models that the caller may use, or those named, and the columns that moved each most';

CREATE FUNCTION @extschema@.customer_timeline_part(key text, population text, lang text, zone text, n int) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 20000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	events constant @extschema@.timeline := @extschema@.timeline_of(key, population);
	rows jsonb;
	total bigint;
	html text;
BEGIN
	SELECT jsonb_agg(jsonb_build_array(@extschema@.report_time(e.ts, zone), e.event, e.value, e.said) ORDER BY e.ts DESC, e.no DESC), max(e.total)
	INTO rows, total FROM (
		SELECT v.ts, v.event, v.value, v.ordinality AS no, count(*) OVER () AS total,
			(SELECT string_agg(a.key || ': ' || a.value, ', ' ORDER BY a.key) FROM jsonb_each_text(v.attributes) a) AS said
		FROM @extschema@.events(events) WITH ORDINALITY v ORDER BY v.ts DESC, v.ordinality DESC LIMIT n) e;
	IF rows IS NULL THEN
		RETURN '<p class="note">' || @extschema@.html_escaped(w ->> 'no timeline') || '</p>';
	END IF;
	-- The last two years that had any.
	SELECT '<h3>' || @extschema@.html_escaped(w ->> 'activity') || '</h3>' || @extschema@.page_bars(array_agg(m.month ORDER BY m.month), array_agg(m.n ORDER BY m.month), w ->> 'activity')
		|| '<p class="said">' || min(m.month) || ' &#8211; ' || max(m.month) || '</p>'
	INTO html FROM (
		SELECT to_char(s.month, 'YYYY-MM') AS month, count(e.ts)::float8 AS n
		FROM (SELECT date_trunc('month', max(e.ts) AT TIME ZONE zone) AS last, date_trunc('month', min(e.ts) AT TIME ZONE zone) AS first FROM @extschema@.events(events) e) b
		CROSS JOIN LATERAL generate_series(greatest(b.first, b.last - interval '23 months'), b.last, interval '1 month') s (month)
		LEFT JOIN @extschema@.events(events) e ON date_trunc('month', e.ts AT TIME ZONE zone) = s.month
		GROUP BY s.month) m;
	RETURN html || '<p>' || @extschema@.html_escaped(format(w ->> 'latest', jsonb_array_length(rows), @extschema@.page_number(total))) || '</p>'
		|| @extschema@.page_table(jsonb_build_array(w ->> 'when', w ->> 'what', w ->> 'value', w ->> 'details'), rows, w ->> 'timeline');
END
$$;
COMMENT ON FUNCTION @extschema@.customer_timeline_part(text, text, text, text, int) IS
	'part of a customer''s page: his events by month, and the last n of them';

-- What a customer may want next, by a model of recommend_fit: what he has is told from his events.
CREATE FUNCTION @extschema@.customer_recommendations(key text, population text, recommend jsonb, lang text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 20000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	has text[];
	html text;
BEGIN
	IF jsonb_typeof(recommend -> 'model') IS DISTINCT FROM 'string' OR EXISTS (SELECT FROM jsonb_object_keys(recommend) k WHERE k NOT IN ('model', 'event', 'attribute', 'items')) THEN
		RAISE EXCEPTION 'option "recommend" must be an object with a model, not %', recommend
			USING ERRCODE = 'invalid_parameter_value', HINT = 'For instance {"recommend": {"model": "what next", "event": "order", "attribute": "product", "items": 3}}.';
	END IF;
	SELECT array_agg(DISTINCT i.item) INTO has
	FROM @extschema@.events(@extschema@.timeline_of(customer_recommendations.key, customer_recommendations.population)) e
	CROSS JOIN LATERAL (SELECT CASE WHEN recommend ? 'attribute' THEN e.attributes ->> (recommend ->> 'attribute') ELSE e.event END AS item) i
	WHERE e.event = coalesce(recommend ->> 'event', e.event) AND i.item IS NOT NULL;
	BEGIN
		SELECT string_agg('<li><strong>' || @extschema@.html_escaped(r.item) || '</strong> <span class="said">' || @extschema@.html_escaped(w ->> 'because') || ': '
			|| @extschema@.html_escaped(CASE WHEN cardinality(r.because) > 0 THEN format(w ->> 'has', array_to_string(r.because, ', ')) ELSE w ->> 'popular' END) || '</span></li>', E'\n' ORDER BY r.ordinality)
		INTO html FROM @extschema@.recommend(@extschema@.model(recommend ->> 'model'), coalesce(has, '{}'), coalesce((recommend ->> 'items')::int, 3)) WITH ORDINALITY r;
	EXCEPTION WHEN insufficient_privilege OR undefined_object OR object_not_in_prerequisite_state OR datatype_mismatch THEN
		html := '<li class="note warn">' || @extschema@.html_escaped(format(w ->> 'not shown', SQLERRM)) || '</li>';
	END;
	RETURN coalesce('<h3>' || @extschema@.html_escaped(w ->> 'recommended') || '</h3><ul class="plain">' || html || '</ul>', '');
END
$$;
COMMENT ON FUNCTION @extschema@.customer_recommendations(text, text, jsonb, text) IS
	'part of a customer''s page: what he may want next (推荐), by the model named in recommend, from the items of his events, and which of them argue for it';

-- What the clock brings: of the tags that ask for something, those that come or go within a month.
CREATE FUNCTION @extschema@.customer_soon(key text, population text, tags jsonb, lang text, zone text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 20000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	html text;
BEGIN
	SELECT string_agg('<li>' || @extschema@.html_escaped(coalesce(t.title, x.tag) || ': ' || format(w ->> CASE WHEN x.has THEN 'ends' ELSE 'begins' END,
		@extschema@.report_time(x.at, zone))) || '</li>', E'\n' ORDER BY x.at, x.tag COLLATE "C")
	INTO html FROM (
		SELECT c.tag, c.has, @extschema@.next_change(customer_soon.key, c.tag, customer_soon.population) AS at
		FROM (
			SELECT d.name AS tag, EXISTS (SELECT FROM jsonb_array_elements(tags -> 'timeliness') h WHERE h ->> 'tag' = d.name) AS has
			FROM @extschema@.next_action_rules() r
			JOIN @extschema@.tag_definition d ON d.name = r.tag AND d.kind = 'timeliness' AND d.value_type = 'boolean' AND d.state = 'approved'
			JOIN @extschema@.population_definition p ON p.population_id = d.population_id AND p.name = customer_soon.population
			JOIN @extschema@.tag_version v ON v.tag_id = d.tag_id AND v.version = d.version AND v.clock = 'known'
			WHERE NOT r.absent GROUP BY d.name ORDER BY min(r.priority), d.name COLLATE "C" LIMIT 10) c) x
	LEFT JOIN @extschema@.tag_titles t ON t.population = customer_soon.population AND t.tag = x.tag AND t.language = lang AND t.value IS NULL
	WHERE x.at < now() + interval '30 days';
	RETURN coalesce('<h3>' || @extschema@.html_escaped(w ->> 'soon next') || '</h3><ul class="plain">' || html || '</ul>', '');
END
$$;
COMMENT ON FUNCTION @extschema@.customer_soon(text, text, jsonb, text, text) IS
	'part of a customer''s page: tags with a rule of what to do that begin or end within 30 days by the clock alone';

CREATE FUNCTION @extschema@.customer_page(key text, population text DEFAULT NULL, lang text DEFAULT 'en', options jsonb DEFAULT '{}') RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE COST 200000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	w constant jsonb := @extschema@.page_words(lang);
	known constant text[] := ARRAY['events', 'models', 'reasons', 'recommend', 'zone'];
	p record;
	portrait jsonb;
	zone text;
	who text;
	said text;
	place int;
	html text := '';
	rows jsonb;
	name text;
BEGIN
	IF jsonb_typeof(options) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'options must be an object, not %', coalesce(jsonb_typeof(options), 'NULL')
			USING ERRCODE = 'invalid_parameter_value', HINT = format('Known are %s.', array_to_string(known, ', '));
	END IF;
	SELECT k INTO name FROM jsonb_object_keys(options) k WHERE k <> ALL (known) ORDER BY k LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown option "%"', name
			USING ERRCODE = 'invalid_parameter_value', HINT = format('Known are %s.', array_to_string(known, ', '));
	END IF;
	p := @extschema@.report_population(population);
	portrait := @extschema@.profile(key, p.name, language => lang);
	-- Nobody, or nobody whom the caller may see.
	IF portrait IS NULL THEN
		RETURN NULL;
	END IF;
	zone := coalesce(options ->> 'zone', (SELECT d.zone FROM @extschema@.population_definition d WHERE d.population_id = p.population_id), current_setting('TimeZone'));
	-- The sentence begins with the name, and ends with a time that the page has in its header.
	said := portrait ->> 'sentence';
	place := greatest(strpos(said, format(' (customer %s)', portrait ->> 'key')), strpos(said, format('（客户 %s）', portrait ->> 'key')));
	who := CASE WHEN place > 1 THEN left(said, place - 1) ELSE format(w ->> 'customer', portrait ->> 'key') END;
	said := regexp_replace(regexp_replace(said, '; tags of [0-9: -]+\.$', '.'), '；标签时间 [0-9: -]+。$', '。');
	html := html || '<p class="lead">' || @extschema@.html_escaped(said) || E'</p>\n';

	html := html || '<section id="next" aria-labelledby="next-heading"><h2 id="next-heading">' || @extschema@.html_escaped(w ->> 'next') || '</h2>' || coalesce((
		SELECT '<ul class="plain">' || string_agg('<li' || CASE WHEN a.stops THEN ' class="note warn">' ELSE '>' END || '<strong>' || @extschema@.html_escaped(a.action) || '</strong> <span class="said">'
			|| @extschema@.html_escaped(w ->> 'because') || ': ' || @extschema@.html_escaped(a.title) || '</span></li>', E'\n' ORDER BY a.priority, a.tag COLLATE "C") || '</ul>'
		FROM @extschema@.next_actions(p.name, portrait -> 'tags', lang) a HAVING count(*) > 0),
		'<p class="note">' || @extschema@.html_escaped(w ->> 'nothing next') || '</p>')
		-- Nothing is offered to whom nobody may call.
		|| CASE WHEN options ? 'recommend' AND NOT EXISTS (SELECT FROM @extschema@.next_actions(p.name, portrait -> 'tags', lang) a WHERE a.stops)
			THEN @extschema@.customer_recommendations(key, p.name, options -> 'recommend', lang) ELSE '' END
		|| @extschema@.customer_soon(key, p.name, portrait -> 'tags', lang, zone) || E'</section>\n';

	html := html || '<section id="scores" aria-labelledby="scores-heading"><h2 id="scores-heading">' || @extschema@.html_escaped(w ->> 'scores') || '</h2>'
		|| @extschema@.customer_scores(p.name, portrait -> 'customer', CASE WHEN options ? 'models' THEN ARRAY(SELECT jsonb_array_elements_text(options -> 'models')) END, lang) || E'</section>\n';

	SELECT jsonb_agg(jsonb_build_array(w ->> k.kind, coalesce(e.value ->> 'title', e.value ->> 'tag'), coalesce(e.value ->> 'value_title', e.value ->> 'value'),
			CASE WHEN (e.value ->> 'share')::float8 > 0 AND (e.value ->> 'share')::float8 < 0.1 THEN format(w ->> 'one in', @extschema@.page_number(round(1 / (e.value ->> 'share')::numeric)))
				ELSE @extschema@.page_share((e.value ->> 'share')::float8) END,
			@extschema@.report_time(s.since, zone), @extschema@.report_time(s.until, zone))
		ORDER BY array_position(ARRAY['timeliness', 'predictive', 'correlation', 'personality', 'base'], k.kind), (e.value ->> 'share')::float8, e.value ->> 'tag')
	INTO rows FROM jsonb_each(portrait -> 'tags') k (kind, list) CROSS JOIN LATERAL jsonb_array_elements(k.list) e
	LEFT JOIN @extschema@.tags_of(key, p.name) s ON s.tag = e.value ->> 'tag';
	html := html || '<section id="tags" aria-labelledby="tags-heading"><h2 id="tags-heading">' || @extschema@.html_escaped(w ->> 'his tags') || '</h2>'
		|| @extschema@.page_table(jsonb_build_array(w ->> 'kind', w ->> 'tag', w ->> 'value', w ->> 'share', w ->> 'since', w ->> 'until'), coalesce(rows, '[]'), w ->> 'his tags')
		|| '<h3>' || @extschema@.html_escaped(w ->> 'reasons') || '</h3>' || @extschema@.customer_reasons(key, p.name, portrait -> 'tags', lang, zone, coalesce((options ->> 'reasons')::int, 5)) || E'</section>\n';

	html := html || '<section id="timeline" aria-labelledby="timeline-heading"><h2 id="timeline-heading">' || @extschema@.html_escaped(w ->> 'timeline') || '</h2>'
		|| @extschema@.customer_timeline_part(key, p.name, lang, zone, coalesce((options ->> 'events')::int, 20)) || E'</section>\n';

	SELECT jsonb_agg(jsonb_build_array(c.key, c.value) ORDER BY c.ordinality) INTO rows FROM jsonb_each(portrait -> 'customer') WITH ORDINALITY c WHERE c.value <> 'null';
	html := html || '<section id="known" aria-labelledby="known-heading"><h2 id="known-heading">' || @extschema@.html_escaped(w ->> 'his columns') || '</h2>'
		|| @extschema@.page_table(jsonb_build_array(w ->> 'column', w ->> 'value'), coalesce(rows, '[]'), w ->> 'his columns') || E'</section>\n';

	RETURN @extschema@.page_document(who, concat_ws(' · ', format(w ->> 'customer', portrait ->> 'key'), p.name, format('%s %s', w ->> 'as of', @extschema@.report_time((portrait ->> 'as_of')::timestamptz, zone)),
			format(w ->> 'made at', @extschema@.report_time(now(), zone), zone, current_user)),
		'<nav aria-label="' || @extschema@.html_escaped(w ->> 'contents') || '"><ul>' || (
			SELECT string_agg(format('<li><a href="#%s">%s</a></li>', s.part, @extschema@.html_escaped(w ->> s.word)), '' ORDER BY s.no)
			FROM (VALUES ('next', 'next', 1), ('scores', 'scores', 2), ('tags', 'his tags', 3), ('timeline', 'timeline', 4), ('known', 'his columns', 5)) s (part, word, no)) || '</ul></nav>',
		html, lang, false);
END
$$;
COMMENT ON FUNCTION @extschema@.customer_page(text, text, text, jsonb) IS
	'one customer''s page (客户页面) before the call: HTML that needs nothing else: the portrait in a sentence, what to do next and why, scores with what moved them, tags with reasons, the latest events, what is known. NULL when the caller may not see the customer''s row. lang ''en'' or ''zh''; options: events (20 are shown), reasons (of 5 tags), models (names; else those that the caller may see), recommend {model, event, attribute, items}, zone';

CREATE FUNCTION @extschema@.customer_page(key bigint, population text DEFAULT NULL, lang text DEFAULT 'en', options jsonb DEFAULT '{}') RETURNS text
	LANGUAGE sql STABLE PARALLEL UNSAFE COST 200000
	RETURN @extschema@.customer_page(key::text, population, lang, options);
COMMENT ON FUNCTION @extschema@.customer_page(bigint, text, text, jsonb) IS
	'one customer''s page (客户页面) before the call: HTML that needs nothing else: the portrait in a sentence, what to do next and why, scores with what moved them, tags with reasons, the latest events, what is known. NULL when the caller may not see the customer''s row. lang ''en'' or ''zh''; options: events (20 are shown), reasons (of 5 tags), models (names; else those that the caller may see), recommend {model, event, attribute, items}, zone';

CREATE FUNCTION @extschema@.customer_page(key uuid, population text DEFAULT NULL, lang text DEFAULT 'en', options jsonb DEFAULT '{}') RETURNS text
	LANGUAGE sql STABLE PARALLEL UNSAFE COST 200000
	RETURN @extschema@.customer_page(key::text, population, lang, options);
COMMENT ON FUNCTION @extschema@.customer_page(uuid, text, text, jsonb) IS
	'one customer''s page (客户页面) before the call: HTML that needs nothing else: the portrait in a sentence, what to do next and why, scores with what moved them, tags with reasons, the latest events, what is known. NULL when the caller may not see the customer''s row. lang ''en'' or ''zh''; options: events (20 are shown), reasons (of 5 tags), models (names; else those that the caller may see), recommend {model, event, attribute, items}, zone';
