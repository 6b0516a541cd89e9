-- Pages: one HTML text that needs nothing else.
--
-- Everything that comes from data goes through html_escaped or script_escaped, and nowhere else.  Should one ever be
-- forgotten, the page's policy runs no script but the two whose sums it names, and loads nothing from anywhere.

CREATE FUNCTION @extschema@.html_escaped(said text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
	RETURN pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
		said, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');
COMMENT ON FUNCTION @extschema@.html_escaped(text) IS
	'a text as it may stand in HTML, between tags and in quoted attributes';

-- Within jsonb's text these signs stand in strings alone, where their escapes mean the same.
CREATE FUNCTION @extschema@.script_escaped(data jsonb) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
		data::text, '<', '\u003c'), '>', '\u003e'), '&', '\u0026'), pg_catalog.chr(8232), '\u2028'), pg_catalog.chr(8233), '\u2029');
COMMENT ON FUNCTION @extschema@.script_escaped(jsonb) IS
	'JSON as it may stand in a script element of HTML: without a sign that could end it';

CREATE FUNCTION @extschema@.page_number(value numeric) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 20
	RETURN CASE
		WHEN value IN ('NaN', 'Infinity', '-Infinity') OR pg_catalog.abs(value) >= 1e24 THEN value::text
		WHEN value = pg_catalog.trunc(value) THEN pg_catalog.to_char(value, 'FM999,999,999,999,999,999,999,999,990')
		WHEN pg_catalog.abs(value) >= 0.01 THEN pg_catalog.rtrim(pg_catalog.to_char(pg_catalog.round(value, 3), 'FM999,999,999,999,999,999,999,999,990.999'), '.')
		-- three digits, wherever they begin
		ELSE pg_catalog.trim_scale(pg_catalog.round(value, least(2 - pg_catalog.floor(pg_catalog.log(pg_catalog.abs(value)))::int, 30)))::text END;
COMMENT ON FUNCTION @extschema@.page_number(numeric) IS
	'a number for readers: digits in groups of three, at most three behind the point, of small ones the first three that are not zero';

CREATE FUNCTION @extschema@.page_share(value float8) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 20
	RETURN CASE WHEN value > 0 AND value < 0.001 THEN U&'<\00A00.1\00A0%'
		ELSE @extschema@.page_number(pg_catalog.round((value * 100)::numeric, CASE WHEN value < 0.1 THEN 1 ELSE 0 END)) || U&'\00A0%' END;
COMMENT ON FUNCTION @extschema@.page_share(float8) IS
	'a share from 0 to 1 for readers, in per cent';

CREATE FUNCTION @extschema@.page_interval(width interval, lang text) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE COST 20 SET search_path = pg_catalog, pg_temp SET intervalstyle = postgres
	AS $$
BEGIN
	IF lang <> 'zh' THEN
		RETURN width::text;
	END IF;
	RETURN regexp_replace(regexp_replace(regexp_replace(width::text, ' years?\M', ' 年'), ' mons?\M', ' 个月'), ' days?\M', ' 天');
END
$$;
COMMENT ON FUNCTION @extschema@.page_interval(interval, text) IS
	'a width of time for readers';

CREATE FUNCTION @extschema@.page_short(said text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 5
	RETURN CASE WHEN pg_catalog.length(said) > 300 THEN pg_catalog.left(said, 299) || U&'\2026' ELSE said END;
COMMENT ON FUNCTION @extschema@.page_short(text) IS
	'a text, or the beginning of a long one';

CREATE FUNCTION @extschema@.page_cell(value jsonb) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE COST 50
	RETURN CASE pg_catalog.jsonb_typeof(value)
		WHEN 'number' THEN '<td class="n">' || @extschema@.page_number(value::text::numeric) || '</td>'
		WHEN 'string' THEN CASE WHEN value #>> '{}' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9:]+)?$' THEN '<td class="t">' ELSE '<td>' END || @extschema@.html_escaped(value #>> '{}') || '</td>'
		WHEN 'boolean' THEN '<td>' || CASE WHEN value = 'true' THEN '&#10003;' ELSE '&#8211;' END || '</td>'
		WHEN 'object' THEN '<td>' || @extschema@.html_escaped(value::text) || '</td>'
		WHEN 'array' THEN '<td>' || @extschema@.html_escaped(value::text) || '</td>'
		ELSE '<td></td>' END;
COMMENT ON FUNCTION @extschema@.page_cell(jsonb) IS
	'a cell of a table in HTML: numbers to the right, texts escaped, NULL empty';

-- A table that may be wider than the page: it scrolls, by keyboard, too.
CREATE FUNCTION @extschema@.page_table(columns jsonb, rows jsonb, caption text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE COST 1000
	RETURN '<div class="scroll" tabindex="0" role="region" aria-label="' || @extschema@.html_escaped(caption) || '"><table><thead><tr>'
		|| coalesce((SELECT pg_catalog.string_agg('<th scope="col"' || CASE WHEN pg_catalog.jsonb_typeof(pg_catalog.jsonb_path_query_first(rows, '$[*][$i] ? (@ != null)', pg_catalog.jsonb_build_object('i', c.ordinality - 1))) = 'number'
					THEN ' class="n">' ELSE '>' END
				|| coalesce(@extschema@.html_escaped(c.value #>> '{}'), '') || '</th>', '' ORDER BY c.ordinality)
			FROM pg_catalog.jsonb_array_elements(columns) WITH ORDINALITY c), '') || '</tr></thead><tbody>'
		|| coalesce((SELECT pg_catalog.string_agg('<tr>' || (
				SELECT coalesce(pg_catalog.string_agg(@extschema@.page_cell(v.value), '' ORDER BY v.ordinality), '')
				FROM pg_catalog.jsonb_array_elements(r.value) WITH ORDINALITY v) || '</tr>', E'\n' ORDER BY r.ordinality)
			FROM pg_catalog.jsonb_array_elements(rows) WITH ORDINALITY r), '') || '</tbody></table></div>';
COMMENT ON FUNCTION @extschema@.page_table(jsonb, jsonb, text) IS
	'a table in HTML: columns is an array of headings, rows an array of arrays; caption is what a screen reader calls it';

-- drawn: whether the page will draw.  Without, the table is all there is, and stands open.
CREATE FUNCTION @extschema@.page_chart(option jsonb, id text, drawn boolean, lang text, level int DEFAULT 3) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE COST 2000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	title constant text := coalesce(option #>> '{crm,title}', option #>> '{title,text}', option #>> '{title,0,text}', '');
	empty constant boolean := coalesce((option #>> '{crm,empty}')::boolean, false);
	place constant text := @extschema@.html_escaped(id);
	words constant jsonb := @extschema@.page_words(lang);
	html text;
BEGIN
	IF option IS NULL THEN
		RETURN '';
	END IF;
	-- What has many columns takes the whole width.
	html := format('<figure class="%4$s" aria-labelledby="%1$s-title"><h%2$s class="title" id="%1$s-title">%3$s</h%2$s>', place, level, @extschema@.html_escaped(title),
		CASE WHEN option #>> '{crm,kind}' IN ('cohort', 'paths', 'calendar') THEN 'figure wide' ELSE 'figure' END);
	html := html || coalesce('<p class="said">' || @extschema@.html_escaped(nullif(option #>> '{title,subtext}', '')) || '</p>', '');
	IF empty THEN
		RETURN html || '<p class="empty">' || @extschema@.html_escaped(words ->> 'no data') || '</p></figure>' || E'\n';
	END IF;
	IF drawn THEN
		html := html || '<div class="drawing" id="' || place || '" role="img" aria-label="'
			|| @extschema@.html_escaped(title || ' (' || (words ->> 'chart') || ')') || '"></div><script type="application/json" data-for="' || place || '">'
			|| @extschema@.script_escaped(option) || '</script>';
	END IF;
	IF option #> '{crm,table}' IS NULL THEN
		RETURN html || '</figure>' || E'\n';
	END IF;
	RETURN html || '<details' || CASE WHEN drawn THEN '' ELSE ' open' END || '><summary>' || @extschema@.html_escaped(words ->> 'table') || '</summary>'
		|| @extschema@.page_table(option #> '{crm,table,columns}', option #> '{crm,table,rows}', title) || '</details></figure>' || E'\n';
END
$$;
COMMENT ON FUNCTION @extschema@.page_chart(jsonb, text, boolean, text, int) IS
	'a chart (图表) as a part of a page: its heading, the place where it is drawn, and its table; id must differ from that of others on the page, level is that of the heading';

-- navigation and body are HTML, title and subtitle text.
CREATE FUNCTION @extschema@.page_document(title text, subtitle text, navigation text, body text, lang text, charts boolean DEFAULT true) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE COST 20000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	words constant jsonb := @extschema@.page_words(lang);
	style constant text := @extschema@.page_style();
	script constant text := @extschema@.page_script();
	library record;
BEGIN
	SELECT * INTO library FROM @extschema@.report_library_source() WHERE charts;
	RETURN '<!DOCTYPE html>' || E'\n<html lang="' || CASE lang WHEN 'zh' THEN 'zh-CN' ELSE 'en' END || E'">\n<head>\n<meta charset="utf-8">\n'
		|| '<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''sha256-' || encode(sha256(convert_to(style, 'UTF8')), 'base64') || ''''
		|| coalesce('; script-src ''sha256-' || library.digest || ''' ''sha256-' || encode(sha256(convert_to(script, 'UTF8')), 'base64') || '''', '')
		|| '; base-uri ''none''; form-action ''none''">' || E'\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
		|| E'<meta name="referrer" content="no-referrer">\n<meta name="robots" content="noindex">\n<meta name="format-detection" content="telephone=no">\n'
		|| '<title>' || @extschema@.html_escaped(title) || E'</title>\n<style>' || style || E'</style>\n</head>\n<body>\n'
		|| '<a class="skip" href="#content">' || @extschema@.html_escaped(words ->> 'skip') || E'</a>\n<header><h1>' || @extschema@.html_escaped(title) || '</h1>'
		|| coalesce('<p>' || @extschema@.html_escaped(subtitle) || '</p>', '') || coalesce(navigation, '') || E'</header>\n<main id="content" tabindex="-1">\n'
		|| CASE WHEN charts AND library.source IS NULL THEN '<p class="note">' || @extschema@.html_escaped(words ->> 'no library') || E'</p>\n' ELSE '' END
		|| body || E'\n</main>\n<footer><p>' || @extschema@.html_escaped(words ->> 'made by') || E'</p></footer>\n'
		|| coalesce('<script>' || library.source || E'</script>\n<script>' || script || E'</script>\n', '') || E'</body>\n</html>';
END
$$;
COMMENT ON FUNCTION @extschema@.page_document(text, text, text, text, text, boolean) IS
	'a whole page around body and navigation, which are HTML: style, policy, and the library that draws charts, where it is stored';

CREATE FUNCTION @extschema@.chart_page(charts jsonb[], title text DEFAULT 'Charts', lang text DEFAULT 'en') RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE COST 50000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	drawn constant boolean := EXISTS (SELECT FROM @extschema@.report_library_source());
BEGIN
	PERFORM @extschema@.page_words(lang);
	RETURN @extschema@.page_document(coalesce(title, ''), NULL, NULL, '<div class="charts">' || coalesce((
		SELECT string_agg(@extschema@.page_chart(c.option, 'chart-' || c.no, drawn, lang, 2), '' ORDER BY c.no)
		FROM unnest(charts) WITH ORDINALITY c (option, no)), '') || '</div>', lang);
END
$$;
COMMENT ON FUNCTION @extschema@.chart_page(jsonb[], text, text) IS
	'a page (HTML) with charts of your own choice, as chart_trend and its like return them; each with its table. lang ''en'' or ''zh''. Needs nothing else, asks nothing of the network';
