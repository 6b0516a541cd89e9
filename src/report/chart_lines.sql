-- Charts over time and of names: trend, several lines, bars, calendar.

CREATE FUNCTION @extschema@.chart_days(days date[]) RETURNS SETOF date
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 1000 ROWS 100
	BEGIN ATOMIC
		WITH given AS (
			SELECT DISTINCT u.day FROM unnest(days) AS u (day) WHERE isfinite(u.day)
		), gap AS (
			SELECT g.day, g.day - lag(g.day) OVER w AS days,
				(extract(year FROM g.day) * 12 + extract(month FROM g.day) - lag(extract(year FROM g.day) * 12 + extract(month FROM g.day)) OVER w)::int AS months
			FROM given AS g WINDOW w AS (ORDER BY g.day)
		), shortest AS (
			SELECT min(g.days) AS days, min(g.months) AS months, min(g.day) AS first, max(g.day) AS last, bool_and(extract(day FROM g.day) = 1) AS firsts,
				bool_or(extract(isodow FROM g.day) > 5) AS weekends
			FROM gap AS g
		), step AS (
			SELECT l.first, l.last, CASE
				WHEN l.firsts AND l.months > 0 AND (SELECT bool_and(g.months % l.months = 0) FROM gap AS g) THEN make_interval(months => l.months)
				WHEN (l.days > 1 OR l.weekends) AND (l.last - l.first) / l.days <= 4000
					AND (SELECT bool_and(g.days % l.days = 0) FROM gap AS g) THEN make_interval(days => l.days)
				END AS step
			FROM shortest AS l
		)
		SELECT day FROM (
			SELECT g.day FROM given AS g
			UNION
			SELECT s.day::date FROM step, generate_series(step.first::timestamp, step.last::timestamp, step.step) AS s (day) WHERE step.step IS NOT NULL
		) AS x
		ORDER BY 1;
	END;
COMMENT ON FUNCTION @extschema@.chart_days(date[]) IS
	'the days of an axis: those given and, where they follow a rhythm of days, weeks or months, those left out; weekends only where some weekend is given (图表日期)';

CREATE FUNCTION @extschema@.chart_trend(days date[], observed float8[], title text DEFAULT NULL, lang text DEFAULT 'en', unit text DEFAULT NULL,
	compare float8[] DEFAULT NULL, anomalies daterange[] DEFAULT NULL, names text[] DEFAULT NULL) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH words AS (
			SELECT w, coalesce(names[1], w ->> 'value') AS now, coalesce(names[2], w ->> 'before') AS before, w ->> 'anomaly' AS odd
			FROM @extschema@.chart_words(lang) AS w
		), given AS (
			SELECT u.day, sum(u.now) AS now, sum(u.before) AS before FROM unnest(days, observed, compare) AS u (day, now, before)
			WHERE @extschema@.chart_arrays(cardinality(days), cardinality(observed), cardinality(compare))
			GROUP BY u.day
		), x AS (
			SELECT d.day, @extschema@.chart_number(g.now) AS now, @extschema@.chart_number(g.before) AS before,
				g.now IS NOT NULL AND EXISTS (SELECT FROM unnest(anomalies) AS a WHERE a @> d.day) AS odd,
				-- a point between two gaps has no line
				coalesce(lag(g.now) OVER w, lead(g.now) OVER w) IS NULL AS alone, count(*) OVER () > 60 AS long
			FROM @extschema@.chart_days(days) AS d (day) LEFT JOIN given AS g ON g.day = d.day
			WINDOW w AS (ORDER BY d.day)
		), y AS (
			SELECT jsonb_agg(to_char(x.day, f) ORDER BY x.day) AS days, bool_or(x.long) AS long,
				jsonb_agg(CASE WHEN x.long AND x.alone AND x.now IS NOT NULL THEN jsonb_build_object('value', x.now, 'symbol', 'circle') ELSE x.now END ORDER BY x.day) AS now,
				jsonb_agg(x.before ORDER BY x.day) AS before, jsonb_agg(CASE WHEN x.odd THEN x.now END ORDER BY x.day) AS odd,
				count(x.before) > 0 AS compared, bool_or(x.odd) AS odds,
				-- what lies far from zero need not be drawn from zero
				least(min(x.now::float8), min(x.before::float8)) > 0.6 * greatest(max(x.now::float8), max(x.before::float8)) AS far,
				jsonb_agg(jsonb_build_array(to_char(x.day, f), x.now) || CASE WHEN compare IS NULL THEN '[]' ELSE jsonb_build_array(x.before) END
					|| CASE WHEN anomalies IS NULL THEN '[]' ELSE jsonb_build_array(x.odd) END ORDER BY x.day) FILTER (WHERE x.now IS NOT NULL OR x.before IS NOT NULL) AS rows
			FROM x, @extschema@.chart_day_format(chart_trend.days) AS f
		), z AS (
			SELECT y.*, words.w, words.now AS now_name, words.before AS before_name, words.odd AS odd_name, @extschema@.chart_title('trend', title, lang) AS head,
				array_remove(ARRAY[words.now, CASE WHEN y.compared THEN words.before END, CASE WHEN y.odds THEN words.odd END], NULL) AS legend
			FROM y, words
		)
		SELECT @extschema@.chart_option('trend', title, NULL, lang, z.legend,
			ARRAY[z.w ->> 'day', z.now_name || coalesce(' (' || unit || ')', '')] || CASE WHEN compare IS NULL THEN '{}' ELSE ARRAY[z.before_name] END
				|| CASE WHEN anomalies IS NULL THEN '{}' ELSE ARRAY[z.odd_name] END,
			z.rows, 320, jsonb_build_object(
				'tooltip', '{"trigger": "axis", "renderMode": "richText", "confine": true}'::jsonb,
				'grid', jsonb_build_object('top', @extschema@.chart_top(z.head, NULL, z.legend) + CASE WHEN unit > '' THEN 28 ELSE 12 END, 'left', 8, 'right', 24, 'bottom', 8, 'containLabel', true),
				'xAxis', jsonb_build_object('type', 'category', 'data', z.days, 'boundaryGap', false,
					'axisLabel', '{"hideOverlap": true, "alignMinLabel": "left", "alignMaxLabel": "right"}'::jsonb),
				'yAxis', @extschema@.chart_axis(unit, unit = '%', false) || jsonb_build_object('scale', coalesce(z.far, false)),
				'series', jsonb_build_array(jsonb_build_object('type', 'line', 'name', z.now_name, 'data', z.now, 'showAllSymbol', true, 'symbolSize', 5,
					'symbol', CASE WHEN z.long THEN 'none' ELSE 'emptyCircle' END))
					|| CASE WHEN z.compared THEN jsonb_build_array(jsonb_build_object('type', 'line', 'name', z.before_name, 'data', z.before, 'showSymbol', false,
						'lineStyle', '{"type": "dashed"}'::jsonb, 'color', '#999999')) ELSE '[]' END
					|| CASE WHEN z.odds THEN jsonb_build_array(jsonb_build_object('type', 'scatter', 'name', z.odd_name, 'data', z.odd, 'symbol', 'diamond',
						'symbolSize', 12, 'color', '#d55e00')) ELSE '[]' END))
		FROM z);
COMMENT ON FUNCTION @extschema@.chart_trend(date[], float8[], text, text, text, float8[], daterange[], text[]) IS
	'chart of a number by day (趋势图), with one to compare it with and days that are out of the ordinary marked, as alerts finds them; names: of the two. Several numbers of a day are added up, a day without is a gap. Errors: 2202E arrays of different lengths, 22023 language';

CREATE FUNCTION @extschema@.chart_lines(days date[], series text[], observed float8[], title text DEFAULT NULL, lang text DEFAULT 'en',
	unit text DEFAULT NULL, top int DEFAULT 7, stacked boolean DEFAULT false) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH given AS (
			SELECT u.day, coalesce(u.name, w ->> 'none') AS name, sum(u.value) AS value, min(u.place) AS place
			FROM @extschema@.chart_words(lang) AS w, unnest(days, series, observed) WITH ORDINALITY AS u (day, name, value, place)
			WHERE @extschema@.chart_arrays(cardinality(days), cardinality(series), cardinality(observed)) AND isfinite(u.day)
			GROUP BY 1, 2
		), total AS (
			SELECT g.name, min(g.place) AS place, row_number() OVER (ORDER BY sum(abs(g.value)) FILTER (WHERE g.value < 'Infinity') DESC NULLS LAST, min(g.place)) AS rank,
				count(*) OVER () AS names
			FROM given AS g GROUP BY g.name
		), folded AS (
			SELECT t.name, t.names <= greatest(top, 1) OR t.rank < greatest(top, 1) AS own, t.place, t.names - greatest(top, 1) + 1 AS others FROM total AS t
		), x AS (
			SELECT g.day, CASE WHEN f.own THEN g.name ELSE format('%s (%s)', w ->> 'other', f.others) END AS name, f.own, sum(g.value) AS value,
				min(f.place) AS place
			FROM @extschema@.chart_words(lang) AS w, given AS g JOIN folded AS f ON f.name = g.name
			GROUP BY 1, 2, 3
		), axis AS (
			SELECT d.day, to_char(d.day, f) AS shown FROM @extschema@.chart_days(days) AS d (day), @extschema@.chart_day_format(days) AS f
		), line AS (
			SELECT n.name, n.own, n.place, jsonb_agg(@extschema@.chart_number(x.value) ORDER BY a.day) AS data
			FROM (SELECT x.name, x.own, min(x.place) AS place FROM x GROUP BY x.name, x.own) AS n CROSS JOIN axis AS a
			LEFT JOIN x ON x.name = n.name AND x.own = n.own AND x.day = a.day
			GROUP BY n.name, n.own, n.place
		), y AS (
			SELECT (SELECT jsonb_agg(a.shown ORDER BY a.day) FROM axis AS a) AS days,
				(SELECT count(*) FROM axis) AS length, array_agg(l.name ORDER BY l.own DESC, l.place) AS legend,
				jsonb_agg(jsonb_build_object('type', CASE WHEN stacked THEN 'bar' ELSE 'line' END, 'name', l.name, 'data', l.data)
					|| CASE WHEN stacked THEN '{"stack": "all"}' ELSE '{}' END::jsonb
					|| CASE WHEN l.own THEN '{}' ELSE '{"color": "#999999"}' END::jsonb ORDER BY l.own DESC, l.place) AS series,
				(SELECT jsonb_agg(jsonb_build_array(a.shown, x.name, @extschema@.chart_number(x.value)) ORDER BY x.day, x.own DESC, x.place)
					FROM x JOIN axis AS a ON a.day = x.day WHERE x.value IS NOT NULL) AS rows
			FROM line AS l
		)
		SELECT @extschema@.chart_option('lines', title, NULL, lang, y.legend,
			ARRAY[w ->> 'day', w ->> 'series', (w ->> 'value') || coalesce(' (' || unit || ')', '')], y.rows, 340, jsonb_build_object(
				'tooltip', '{"trigger": "axis", "renderMode": "richText", "confine": true}'::jsonb,
				'grid', jsonb_build_object('top', @extschema@.chart_top(@extschema@.chart_title('lines', title, lang), NULL, y.legend) + CASE WHEN unit > '' THEN 28 ELSE 12 END, 'left', 8, 'right', 24,
					'bottom', 8, 'containLabel', true),
				'xAxis', jsonb_build_object('type', 'category', 'data', y.days, 'boundaryGap', stacked, 'axisLabel', '{"hideOverlap": true}'::jsonb
					|| CASE WHEN stacked THEN '{}' ELSE '{"alignMinLabel": "left", "alignMaxLabel": "right"}' END::jsonb),
				'yAxis', @extschema@.chart_axis(unit, unit = '%', false),
				'series', CASE WHEN stacked THEN y.series ELSE (SELECT jsonb_agg(s || jsonb_build_object('symbolSize', 5, 'showSymbol', y.length <= 60) ORDER BY n)
					FROM jsonb_array_elements(y.series) WITH ORDINALITY AS e (s, n)) END))
		FROM y, @extschema@.chart_words(lang) AS w);
COMMENT ON FUNCTION @extschema@.chart_lines(date[], text[], float8[], text, text, text, int, boolean) IS
	'chart of several numbers by day (多系列趋势图), a line for each name or, stacked, bars on top of one another; beyond top lines the smaller ones are added up as "other". Errors: 2202E arrays of different lengths, 22023 language';

CREATE FUNCTION @extschema@.chart_bar(labels text[], counts float8[], title text DEFAULT NULL, lang text DEFAULT 'en', unit text DEFAULT NULL,
	top int DEFAULT 12, sorted boolean DEFAULT true) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH given AS (
			SELECT coalesce(u.label, w ->> 'none') AS label, sum(u.value) AS value, min(u.place) AS place
			FROM @extschema@.chart_words(lang) AS w, unnest(labels, counts) WITH ORDINALITY AS u (label, value, place)
			WHERE @extschema@.chart_arrays(cardinality(labels), cardinality(counts))
			GROUP BY 1
		), ranked AS (
			SELECT g.*, @extschema@.chart_number(g.value) IS NOT NULL AS finite, count(*) OVER () AS bars,
				row_number() OVER (ORDER BY CASE WHEN @extschema@.chart_number(g.value) IS NOT NULL THEN abs(g.value) END DESC NULLS LAST, g.place) AS rank
			FROM given AS g
		), folded AS (
			SELECT r.*, r.bars <= greatest(top, 1) OR r.rank < greatest(top, 1) AS own FROM ranked AS r
		), x AS (
			SELECT f.label, @extschema@.chart_number(f.value) AS value, true AS own,
				row_number() OVER (ORDER BY CASE WHEN sorted AND f.finite THEN -f.value END NULLS LAST, f.place) AS place
			FROM folded AS f WHERE f.own
			UNION ALL
			SELECT format('%s (%s)', w ->> 'other', count(*)), @extschema@.chart_number(sum(f.value) FILTER (WHERE f.finite)), false, max(f.bars)
			FROM folded AS f, @extschema@.chart_words(lang) AS w WHERE NOT f.own GROUP BY w
		), y AS (
			SELECT jsonb_agg(x.label ORDER BY x.place) AS labels,
				jsonb_agg(jsonb_build_object('value', x.value, 'label', jsonb_build_object('formatter', coalesce(@extschema@.chart_figure(x.value), '')))
					|| CASE WHEN x.own THEN '{}' ELSE '{"itemStyle": {"color": "#999999"}}' END::jsonb ORDER BY x.place) AS data,
				jsonb_agg(jsonb_build_array(x.label, x.value) ORDER BY x.place) AS rows, count(*)::int AS bars
			FROM x
		)
		SELECT @extschema@.chart_option('bar', title, NULL, lang, NULL, ARRAY[w ->> 'label', coalesce(unit, w ->> 'value')], y.rows,
			@extschema@.chart_top(@extschema@.chart_title('bar', title, lang), NULL, NULL) + 60 + 26 * y.bars, jsonb_build_object(
				'tooltip', '{"trigger": "axis", "renderMode": "richText", "confine": true, "axisPointer": {"type": "shadow"}}'::jsonb,
				'grid', jsonb_build_object('top', @extschema@.chart_top(@extschema@.chart_title('bar', title, lang), NULL, NULL) + 4, 'left', 8, 'right', 64, 'bottom', 32,
					'containLabel', true),
				'xAxis', @extschema@.chart_axis(unit, unit = '%', true),
				'yAxis', jsonb_build_object('type', 'category', 'inverse', true, 'data', y.labels,
					'axisLabel', '{"width": 110, "overflow": "truncate", "interval": 0}'::jsonb),
				'series', jsonb_build_array(jsonb_build_object('type', 'bar', 'name', coalesce(unit, w ->> 'value'), 'data', y.data, 'barMaxWidth', 22,
					'label', '{"show": true, "position": "right"}'::jsonb))))
		FROM y, @extschema@.chart_words(lang) AS w);
COMMENT ON FUNCTION @extschema@.chart_bar(text[], float8[], text, text, text, int, boolean) IS
	'chart of a number by name (条形图), the largest first unless sorted is false; beyond top bars the smaller ones are added up as "other". Equal names are added up. Errors: 2202E arrays of different lengths, 22023 language';

CREATE FUNCTION @extschema@.chart_calendar(days date[], observed float8[], title text DEFAULT NULL, lang text DEFAULT 'en', unit text DEFAULT NULL) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH given AS (
			SELECT u.day, @extschema@.chart_number(sum(u.value)) AS value FROM unnest(days, observed) AS u (day, value)
			WHERE @extschema@.chart_arrays(cardinality(days), cardinality(observed)) AND isfinite(u.day)
			GROUP BY u.day
		), x AS (
			-- the last three years
			SELECT g.day, g.value, extract(year FROM g.day)::int AS year, dense_rank() OVER (ORDER BY extract(year FROM g.day) DESC) AS back FROM given AS g
			WHERE g.value IS NOT NULL
		), year AS (
			SELECT x.year, x.back, (max(x.back) OVER () - x.back)::int AS place,
				jsonb_agg(jsonb_build_object('name', to_char(x.day, 'YYYY-MM-DD'), 'value', jsonb_build_array(to_char(x.day, 'YYYY-MM-DD'), x.value)) ORDER BY x.day) AS data
			FROM x WHERE x.back <= 3 GROUP BY x.year, x.back
		), y AS (
			SELECT (SELECT jsonb_agg(jsonb_build_array(to_char(x.day, 'YYYY-MM-DD'), x.value) ORDER BY x.day) FROM x WHERE x.back <= 3) AS rows,
				(SELECT min(x.value::float8) FROM x WHERE x.back <= 3) AS low, (SELECT max(x.value::float8) FROM x WHERE x.back <= 3) AS high,
				@extschema@.chart_top(@extschema@.chart_title('calendar', title, lang), unit, NULL) AS top, w, count(*)::int AS years,
				jsonb_agg(jsonb_build_object('range', year.year::text, 'left', 56, 'right', 8, 'cellSize', '["auto", 13]'::jsonb,
					'top', @extschema@.chart_top(@extschema@.chart_title('calendar', title, lang), unit, NULL) + 24 + 128 * year.place,
					'dayLabel', jsonb_build_object('firstDay', 1, 'nameMap', w -> 'weekdays', 'fontSize', 10),
					'monthLabel', jsonb_build_object('nameMap', w -> 'months'), 'yearLabel', '{"margin": 30, "fontSize": 13}'::jsonb,
					'itemStyle', '{"color": "transparent", "borderWidth": 0.5, "borderColor": "#80808040"}'::jsonb,
					'splitLine', '{"lineStyle": {"color": "#808080", "width": 1}}'::jsonb) ORDER BY year.place) AS calendars,
				-- a phone has room for the numbers of months
				jsonb_agg(jsonb_build_object('monthLabel', jsonb_build_object('nameMap', '["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"]'::jsonb))) AS numbered,
				jsonb_agg(jsonb_build_object('monthLabel', jsonb_build_object('nameMap', w -> 'months'))) AS named,
				jsonb_agg(jsonb_build_object('type', 'heatmap', 'coordinateSystem', 'calendar', 'calendarIndex', year.place, 'name', coalesce(unit, w ->> 'value'),
					'data', year.data) ORDER BY year.place) AS series
			FROM year, @extschema@.chart_words(lang) AS w GROUP BY w
		)
		SELECT coalesce((
			SELECT @extschema@.chart_option('calendar', title, unit, lang, NULL, ARRAY[y.w ->> 'day', coalesce(unit, y.w ->> 'value')], y.rows,
				y.top + 56 + 128 * y.years, jsonb_build_object('calendar', y.calendars, 'series', y.series,
					'media', jsonb_build_array(jsonb_build_object('query', '{"maxWidth": 520}'::jsonb, 'option', jsonb_build_object('calendar', y.numbered)),
						jsonb_build_object('option', jsonb_build_object('calendar', y.named))),
					'visualMap', jsonb_build_object('min', least(y.low, 0), 'max', CASE WHEN y.high > least(y.low, 0) THEN y.high ELSE least(y.low, 0) + 1 END,
						'orient', 'horizontal', 'left', 'center', 'bottom', 4, 'itemHeight', 100, 'itemWidth', 12, 'calculable', false,
						'text', jsonb_build_array(@extschema@.chart_figure(@extschema@.chart_number(y.high)), @extschema@.chart_figure(@extschema@.chart_number(least(y.low, 0)))),
						'inRange', '{"color": ["#deebf7", "#6baed6", "#08519c"]}'::jsonb)))
			FROM y WHERE y.rows IS NOT NULL),
			@extschema@.chart_option('calendar', title, unit, lang, NULL,
				ARRAY[@extschema@.chart_words(lang) ->> 'day', coalesce(unit, @extschema@.chart_words(lang) ->> 'value')], NULL, 160, '{}')));
COMMENT ON FUNCTION @extschema@.chart_calendar(date[], float8[], text, text, text) IS
	'chart of a number as a calendar whose days are the darker the more there is (日历图), of the last three years met. Several numbers of a day are added up. Errors: 2202E arrays of different lengths, 22023 language';
