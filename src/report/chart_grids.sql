-- Charts of two-way tables: RFM, cohorts.

-- The part that both share: cells, and a scale of colours below them.
CREATE FUNCTION @extschema@.chart_heat(x jsonb, y jsonb, x_name text, y_name text, cells jsonb, low float8, high float8, top int, labels boolean, named text)
	RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 100
	RETURN jsonb_build_object(
		'grid', jsonb_build_object('top', top, 'left', 16, 'right', 12, 'bottom', 52, 'containLabel', true),
		'xAxis', jsonb_build_object('type', 'category', 'data', x, 'name', x_name, 'nameLocation', 'middle', 'nameGap', 26,
			'axisTick', '{"show": false}'::jsonb, 'axisLine', '{"show": false}'::jsonb),
		'yAxis', jsonb_build_object('type', 'category', 'data', y, 'name', y_name, 'inverse', true, 'nameLocation', 'start', 'nameGap', 10,
			'nameTextStyle', '{"align": "left"}'::jsonb, 'axisTick', '{"show": false}'::jsonb, 'axisLine', '{"show": false}'::jsonb),
		'visualMap', jsonb_build_object('min', low, 'max', CASE WHEN high > low THEN high ELSE low + 1 END, 'orient', 'horizontal', 'left', 'center', 'bottom', 0,
			'itemHeight', 100, 'itemWidth', 12, 'calculable', false, 'dimension', 2,
			'text', jsonb_build_array(@extschema@.chart_figure(@extschema@.chart_number(high)), @extschema@.chart_figure(@extschema@.chart_number(low))),
			'inRange', '{"color": ["#deebf7", "#6baed6", "#08519c"]}'::jsonb),
		'series', jsonb_build_array(jsonb_build_object('type', 'heatmap', 'name', named, 'data', cells, 'label', jsonb_build_object('show', labels, 'fontSize', 11),
			'itemStyle', '{"borderWidth": 1, "borderColor": "#80808040"}'::jsonb)))
		-- A phone has no room for the numbers of many columns; the table has them.
		|| CASE WHEN labels AND jsonb_array_length(x) > 6 THEN '{"media": [{"query": {"maxWidth": 560}, "option": {"series": [{"label": {"show": false}}]}},
			{"option": {"series": [{"label": {"show": true}}]}}]}' ELSE '{}' END::jsonb;
COMMENT ON FUNCTION @extschema@.chart_heat(jsonb, jsonb, text, text, jsonb, float8, float8, int, boolean, text) IS
	'axes, cells and scale of colours of a heat map (热力图)';

CREATE FUNCTION @extschema@.chart_rfm(recency int[], frequency int[], customers bigint[], title text DEFAULT NULL, lang text DEFAULT 'en') RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH given AS (
			SELECT u.r, u.f, sum(u.n) AS n FROM unnest(recency, frequency, customers) AS u (r, f, n)
			WHERE @extschema@.chart_arrays(cardinality(recency), cardinality(frequency), cardinality(customers)) AND u.r BETWEEN 1 AND 100 AND u.f BETWEEN 1 AND 100
			GROUP BY u.r, u.f
		), size AS (
			SELECT greatest(max(g.r), max(g.f), 5) AS bins, max(g.n)::float8 AS most, count(*) FILTER (WHERE g.n > 0) > 0 AS any FROM given AS g
		), cell AS (
			-- a number that is not given, as where it is too small to be shown, is none; a pair that is not met is 0
			SELECT a.r, b.f, CASE WHEN g.r IS NULL THEN 0 ELSE g.n END AS n, s.bins
			FROM size AS s CROSS JOIN generate_series(1, s.bins) AS a (r) CROSS JOIN generate_series(1, s.bins) AS b (f)
			LEFT JOIN given AS g ON g.r = a.r AND g.f = b.f
			WHERE s.any
		), y AS (
			-- the most recent on top
			SELECT jsonb_agg(jsonb_build_object('value', jsonb_build_array(c.f - 1, c.bins - c.r, c.n), 'name', format('R %s, F %s', c.r, c.f),
					'label', jsonb_build_object('formatter', coalesce(@extschema@.chart_figure(to_jsonb(c.n)), ''))) ORDER BY c.r, c.f) AS cells,
				jsonb_agg(jsonb_build_array(c.r, c.f, c.n) ORDER BY c.r DESC, c.f DESC) AS rows
			FROM cell AS c
		)
		SELECT @extschema@.chart_option('rfm', title, w ->> 'customers', lang, NULL, ARRAY[w ->> 'recency', w ->> 'frequency', w ->> 'customers'], y.rows, 380,
			@extschema@.chart_heat((SELECT jsonb_agg(b::text ORDER BY b) FROM generate_series(1, s.bins) AS b),
				(SELECT jsonb_agg(b::text ORDER BY b DESC) FROM generate_series(1, s.bins) AS b), w ->> 'frequent', w ->> 'recent', y.cells, 0, s.most,
				@extschema@.chart_top(@extschema@.chart_title('rfm', title, lang), w ->> 'customers', NULL) + 26, s.bins <= 10, w ->> 'customers'))
		FROM y, size AS s, @extschema@.chart_words(lang) AS w);
COMMENT ON FUNCTION @extschema@.chart_rfm(int[], int[], bigint[], text, text) IS
	'heat map of customers by their scores of recency and frequency (RFM 热力图), from rows of recency, frequency, customers; scores from 1, NULLs and others are left out. Errors: 2202E arrays of different lengths, 22023 language';

CREATE FUNCTION @extschema@.chart_rfm(scores @extschema@.rfm_score[], title text DEFAULT NULL, lang text DEFAULT 'en') RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		SELECT @extschema@.chart_rfm(array_agg(x.recency), array_agg(x.frequency), array_agg(x.n), title, lang)
		FROM (SELECT s.recency, s.frequency, count(*) AS n FROM unnest(scores) AS s GROUP BY s.recency, s.frequency) AS x);
COMMENT ON FUNCTION @extschema@.chart_rfm(@extschema@.rfm_score[], text, text) IS
	'heat map of customers by their scores of recency and frequency (RFM 热力图), from the scores of some customers; for many, count them by score first. Errors: 22023 language';

CREATE FUNCTION @extschema@.chart_cohort(retention @extschema@.retention_row[], title text DEFAULT NULL, lang text DEFAULT 'en', top int DEFAULT 24) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH given AS (
			SELECT u.cohort, u.size, u.period, u.customers, @extschema@.chart_percent(u.customers::float8 / nullif(u.size, 0)) AS share,
				dense_rank() OVER (ORDER BY u.cohort DESC NULLS FIRST) AS back
			FROM unnest(retention) AS u WHERE u.period >= 0 AND u.customers IS NOT NULL
		), x AS (
			SELECT g.*, max(g.back) OVER () - g.back AS place, coalesce(to_char(g.cohort, f), w ->> 'all') AS name
			FROM given AS g, @extschema@.chart_words(lang) AS w,
				(SELECT @extschema@.chart_day_format(array_agg(g.cohort)) AS f FROM given AS g) AS f
			WHERE g.back <= greatest(top, 1) AND g.period <= 60
		), y AS (
			SELECT jsonb_agg(jsonb_build_object('value', jsonb_build_array(x.period, x.place, x.share), 'name', format('%s + %s', x.name, x.period)) ORDER BY x.place, x.period) AS cells,
				jsonb_agg(jsonb_build_array(x.name, x.size, x.period, x.customers, x.share) ORDER BY x.place, x.period) AS rows,
				(SELECT jsonb_agg(c.name || '  (' || @extschema@.chart_figure(to_jsonb(c.size)) || ')' ORDER BY c.place)
					FROM (SELECT DISTINCT x.name, x.size, x.place FROM x) AS c) AS cohorts,
				max(x.period) AS periods, count(DISTINCT x.place)::int AS shown, (SELECT max(g.back) FROM given AS g) AS cohorts_met,
				-- period 0 is all of them, and would make the others look alike
				coalesce(max(x.share::float8) FILTER (WHERE x.period > 0), 100) AS most
			FROM x
		), z AS (
			SELECT y.*, w, concat(w ->> 'of_cohort', CASE WHEN y.shown < y.cohorts_met THEN E' \u00b7 ' || format(w ->> 'shown', y.shown, y.cohorts_met) END) AS note
			FROM y, @extschema@.chart_words(lang) AS w
		)
		SELECT @extschema@.chart_option('cohort', title, z.note, lang, NULL,
			ARRAY[z.w ->> 'cohort_of', z.w ->> 'size', z.w ->> 'period', z.w ->> 'customers', z.w ->> 'share'], z.rows, 190 + 26 * z.shown,
			@extschema@.chart_heat((SELECT jsonb_agg(p::text ORDER BY p) FROM generate_series(0, z.periods) AS p), z.cohorts, z.w ->> 'period', z.w ->> 'cohort_of',
				z.cells, 0, z.most, @extschema@.chart_top(@extschema@.chart_title('cohort', title, lang), z.note, NULL) + 26, z.periods <= 12, z.w ->> 'share'))
		FROM z);
COMMENT ON FUNCTION @extschema@.chart_cohort(@extschema@.retention_row[], text, text, int) IS
	'heat map of the share of each cohort that came back (同期群留存热力图), from retention_table; the last top cohorts. Errors: 22023 language';
