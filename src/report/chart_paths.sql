-- Charts of ways and of segments: funnel, paths, radar.

CREATE FUNCTION @extschema@.chart_funnel(steps text[], customers bigint[], title text DEFAULT NULL, lang text DEFAULT 'en', unit text DEFAULT NULL) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH x AS (
			-- a step without a number, as where it is too small to be shown, stands in the table alone
			SELECT u.place, coalesce(u.step, format(w ->> 'step_n', u.place)) AS step, c.n,
				@extschema@.chart_percent(c.n::float8 / nullif(first_value(c.n) OVER o, 0)) AS from_first,
				@extschema@.chart_percent(c.n::float8 / nullif(lag(c.n) OVER o, 0)) AS from_previous
			FROM @extschema@.chart_words(lang) AS w, unnest(steps, customers) WITH ORDINALITY AS u (step, n, place)
			CROSS JOIN LATERAL (SELECT CASE WHEN u.n >= 0 THEN u.n END AS n) AS c
			WHERE steps IS NULL OR @extschema@.chart_arrays(cardinality(steps), cardinality(customers))
			WINDOW o AS (ORDER BY u.place)
		), y AS (
			SELECT jsonb_agg(jsonb_build_object('value', x.n, 'name', x.step, 'label', jsonb_build_object('formatter',
					concat(@extschema@.chart_label(x.step, 20, 2), E'\n', @extschema@.chart_figure(to_jsonb(x.n)), ' (' || CASE WHEN x.n > 0 AND x.from_first = '0' THEN '< 0.1' ELSE x.from_first #>> '{}' END || ' %)'))) ORDER BY x.place) FILTER (WHERE x.n IS NOT NULL) AS data,
				jsonb_agg(jsonb_build_array(x.step, x.n, x.from_first, x.from_previous) ORDER BY x.place) AS rows, count(*)::int AS steps, max(x.n) AS most
			FROM x HAVING max(x.n) > 0
		)
		SELECT coalesce((
			SELECT @extschema@.chart_option('funnel', title, coalesce(unit, w ->> 'customers'), lang, NULL,
				ARRAY[w ->> 'step', coalesce(unit, w ->> 'customers'), w ->> 'from_first', w ->> 'from_previous'], y.rows, 90 + 54 * y.steps,
				jsonb_build_object('series', jsonb_build_array(jsonb_build_object('type', 'funnel', 'name', coalesce(unit, w ->> 'customers'), 'sort', 'none',
					'funnelAlign', 'left', 'left', 4, 'right', '46%', 'bottom', 8, 'gap', 3, 'min', 0, 'max', y.most, 'minSize', '1%',
					'top', @extschema@.chart_top(@extschema@.chart_title('funnel', title, lang), coalesce(unit, w ->> 'customers'), NULL) + 8,
					'label', '{"show": true, "position": "right", "lineHeight": 15}'::jsonb, 'labelLine', '{"length": 36}'::jsonb, 'data', y.data)),
					-- the label stands behind the slope of its step, which a wide chart makes longer
					'media', '[{"query": {"minWidth": 560}, "option": {"series": [{"labelLine": {"length": 84}}]}}, {"option": {"series": [{"labelLine": {"length": 36}}]}}]'::jsonb))
			FROM y),
			@extschema@.chart_option('funnel', title, NULL, lang, NULL, ARRAY[w ->> 'step', coalesce(unit, w ->> 'customers'), w ->> 'from_first', w ->> 'from_previous'],
				NULL, 160, '{}'))
		FROM @extschema@.chart_words(lang) AS w);
COMMENT ON FUNCTION @extschema@.chart_funnel(text[], bigint[], text, text, text) IS
	'chart of how many took each step, in their order (漏斗图), with their share of those who took the first; steps: their names, NULL numbers them. Errors: 2202E arrays of different lengths, 22023 language';

CREATE FUNCTION @extschema@.chart_funnel(funnel @extschema@.funnel_row[], title text DEFAULT NULL, lang text DEFAULT 'en', steps text[] DEFAULT NULL,
	unit text DEFAULT NULL) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		SELECT @extschema@.chart_funnel(CASE WHEN steps IS NOT NULL THEN array_agg(steps[x.step] ORDER BY x.step) END, array_agg(x.customers ORDER BY x.step),
			title, lang, unit)
		FROM (SELECT f.step, sum(f.customers)::bigint AS customers FROM unnest(funnel) AS f WHERE f.step > 0 GROUP BY f.step) AS x);
COMMENT ON FUNCTION @extschema@.chart_funnel(@extschema@.funnel_row[], text, text, text[], text) IS
	'chart of a funnel (漏斗图), from funnel_table; its periods and attributes are added up. steps: names of the steps. Errors: 22023 language';

CREATE FUNCTION @extschema@.chart_paths(step int[], source text[], target text[], customers bigint[], title text DEFAULT NULL, lang text DEFAULT 'en',
	top int DEFAULT 6, steps int DEFAULT 5, reverse boolean DEFAULT false) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH given AS (
			-- in reverse the steps are counted from the end
			SELECT CASE WHEN reverse THEN least(steps, max(u.step) OVER ()) - u.step ELSE u.step - 1 END AS depth, u.source, u.target, u.n, max(u.step) OVER () AS met
			FROM unnest(chart_paths.step, chart_paths.source, chart_paths.target, chart_paths.customers) AS u (step, source, target, n)
			WHERE @extschema@.chart_arrays(cardinality(chart_paths.step), cardinality(chart_paths.source), cardinality(chart_paths.target), cardinality(chart_paths.customers))
				AND u.step >= 1 AND u.n > 0 AND u.source IS NOT NULL AND u.target IS NOT NULL
		), edge AS (
			SELECT g.* FROM given AS g WHERE g.depth BETWEEN 0 AND steps - 1
		), node AS (
			-- of what flows in and what flows out, the more
			SELECT x.depth, x.name, max(x.n) AS n, row_number() OVER (PARTITION BY x.depth ORDER BY max(x.n) DESC, x.name COLLATE "C") AS rank,
				count(*) OVER (PARTITION BY x.depth) AS nodes
			FROM (SELECT e.depth, e.source AS name, sum(e.n) AS n FROM edge AS e GROUP BY e.depth, e.source
				UNION ALL SELECT e.depth + 1, e.target, sum(e.n) FROM edge AS e GROUP BY e.depth, e.target) AS x
			GROUP BY x.depth, x.name
		), named AS (
			SELECT n.depth, n.name, CASE WHEN n.nodes <= greatest(top, 1) OR n.rank < greatest(top, 1) THEN n.name
				ELSE format('%s (%s)', w ->> 'other', n.nodes - greatest(top, 1) + 1) END AS shown,
				(n.nodes <= greatest(top, 1) OR n.rank < greatest(top, 1)) AND n.name !~ '^\(.*\)$' AS own
			FROM node AS n, @extschema@.chart_words(lang) AS w
		), x AS (
			SELECT e.depth, s.shown AS source, t.shown AS target, sum(e.n)::bigint AS n
			FROM edge AS e JOIN named AS s ON s.depth = e.depth AND s.name = e.source JOIN named AS t ON t.depth = e.depth + 1 AND t.name = e.target
			GROUP BY e.depth, s.shown, t.shown
		), y AS (
			SELECT jsonb_agg(jsonb_build_object('source', x.depth || ' ' || x.source, 'target', x.depth + 1 || ' ' || x.target, 'value', x.n)
					ORDER BY x.depth, x.n DESC, x.source COLLATE "C", x.target COLLATE "C") AS links,
				jsonb_agg(jsonb_build_array(x.depth + 1, x.source, x.target, x.n) ORDER BY x.depth, x.n DESC, x.source COLLATE "C", x.target COLLATE "C") AS rows,
				-- one colour for a name wherever it stands; grey for what is none
				(SELECT jsonb_agg(jsonb_build_object('name', n.depth || ' ' || n.shown, 'depth', n.depth, 'label', jsonb_build_object('formatter', @extschema@.chart_label(n.shown, 200, 1)),
						'itemStyle', jsonb_build_object('color', CASE WHEN n.own THEN ('{#0072b2,#e69f00,#009e73,#cc79a7,#56b4e9,#d55e00,#8c6d31}'::text[])[1 + (n.hue - 1) % 7]
							ELSE '#999999' END)) ORDER BY n.depth, n.shown COLLATE "C")
					FROM (SELECT DISTINCT n.depth, n.shown, n.own, CASE WHEN n.own THEN dense_rank() OVER (ORDER BY n.own DESC, h.n DESC, n.name COLLATE "C") END AS hue
						FROM named AS n JOIN (SELECT n.name, max(n.n) AS n FROM node AS n GROUP BY n.name) AS h ON h.name = n.name) AS n) AS nodes,
				max(x.depth) + 1 AS depths, (SELECT max(g.met) FROM given AS g) AS met
			FROM x
		), z AS (
			SELECT y.*, w, CASE WHEN y.met > y.depths AND NOT reverse THEN format(w ->> 'first_steps', y.depths, y.met) END AS note
			FROM y, @extschema@.chart_words(lang) AS w
		)
		SELECT @extschema@.chart_option('paths', title, z.note, lang, NULL, ARRAY[z.w ->> 'step', z.w ->> 'source', z.w ->> 'target', z.w ->> 'customers'], z.rows, 400,
			jsonb_build_object('series', jsonb_build_array(jsonb_build_object('type', 'sankey', 'name', z.w ->> 'customers', 'left', 8, 'right', 72, 'bottom', 12,
				'top', @extschema@.chart_top(@extschema@.chart_title('paths', title, lang), z.note, NULL) + 10, 'nodeAlign', 'left', 'nodeGap', 10, 'nodeWidth', 12,
				'draggable', false, 'emphasis', '{"focus": "adjacency"}'::jsonb, 'lineStyle', '{"color": "source", "opacity": 0.35}'::jsonb,
				'label', '{"width": 64, "overflow": "truncate", "fontSize": 11}'::jsonb, 'data', z.nodes, 'links', z.links)),
				'media', '[{"query": {"maxWidth": 560}, "option": {"series": [{"right": 48, "label": {"width": 44, "fontSize": 9}}]}},
					{"option": {"series": [{"right": 72, "label": {"width": 64, "fontSize": 11}}]}}]'::jsonb))
		FROM z);
COMMENT ON FUNCTION @extschema@.chart_paths(int[], text[], text[], bigint[], text, text, int, int, boolean) IS
	'Sankey diagram of paths (路径桑基图), from the rows that path_edges gives, counted by step, source and target; the first steps steps, or the last ones in reverse; beyond top nodes of a step the smaller ones are added up as "other". Errors: 2202E arrays of different lengths, 22023 language';

CREATE FUNCTION @extschema@.chart_radar(labels text[], segment_shares float8[], base_shares float8[], title text DEFAULT NULL, lang text DEFAULT 'en',
	names text[] DEFAULT NULL, top int DEFAULT 10) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH x AS (
			SELECT u.place, coalesce(u.label, w ->> 'none') AS label, @extschema@.chart_percent(u.a) AS a, @extschema@.chart_percent(u.b) AS b
			FROM @extschema@.chart_words(lang) AS w, unnest(labels, segment_shares, base_shares) WITH ORDINALITY AS u (label, a, b, place)
			WHERE @extschema@.chart_arrays(cardinality(labels), cardinality(segment_shares), cardinality(base_shares)) AND u.place <= greatest(top, 1)
		), y AS (
			SELECT jsonb_agg(x.a ORDER BY x.place) AS a, jsonb_agg(x.b ORDER BY x.place) AS b, jsonb_agg(x.label ORDER BY x.place) AS labels, count(*) AS axes,
				greatest(10, ceil(greatest(max(x.a::float8), max(x.b::float8)) / 10) * 10) AS most,
				jsonb_agg(jsonb_build_array(x.label, x.a, x.b) ORDER BY x.place) AS rows
			FROM x
		), z AS (
			SELECT y.*, w, ARRAY[coalesce(names[1], w ->> 'segment'), coalesce(names[2], w ->> 'base')] AS legend,
				@extschema@.chart_title('radar', title, lang) AS head, w ->> 'share_of' AS note
			FROM y, @extschema@.chart_words(lang) AS w
		)
		SELECT @extschema@.chart_option('radar', title, z.note, lang, z.legend, ARRAY[z.w ->> 'tag'] || z.legend, z.rows, 400,
			-- two axes make no area
			CASE WHEN z.axes < 3 THEN jsonb_build_object(
				'grid', jsonb_build_object('top', @extschema@.chart_top(z.head, z.note, z.legend) + 8, 'left', 8, 'right', 24, 'bottom', 8, 'containLabel', true),
				'xAxis', @extschema@.chart_axis(NULL, true, false),
				'yAxis', jsonb_build_object('type', 'category', 'inverse', true, 'data', z.labels, 'axisLabel', '{"width": 110, "overflow": "truncate"}'::jsonb),
				'series', jsonb_build_array(
					jsonb_build_object('type', 'bar', 'name', z.legend[1], 'data', z.a, 'label', '{"show": true, "position": "right", "formatter": "{c} %"}'::jsonb),
					jsonb_build_object('type', 'bar', 'name', z.legend[2], 'data', z.b, 'color', '#999999',
						'label', '{"show": true, "position": "right", "formatter": "{c} %"}'::jsonb)))
			ELSE jsonb_build_object(
				'radar', jsonb_build_object('center', jsonb_build_array('50%', '58%'), 'radius', '50%', 'splitNumber', 4, 'splitArea', '{"show": false}'::jsonb,
					'axisName', '{"fontSize": 11, "color": "#808080"}'::jsonb, 'indicator', (SELECT jsonb_agg(jsonb_build_object('name', @extschema@.chart_label(l, 12, 3), 'max', z.most) ORDER BY n)
						FROM jsonb_array_elements_text(z.labels) WITH ORDINALITY AS e (l, n))),
				'series', jsonb_build_array(jsonb_build_object('type', 'radar', 'symbolSize', 5, 'data', jsonb_build_array(
					jsonb_build_object('name', z.legend[1], 'value', z.a, 'areaStyle', '{"opacity": 0.2}'::jsonb),
					jsonb_build_object('name', z.legend[2], 'value', z.b, 'lineStyle', '{"type": "dashed", "color": "#999999"}'::jsonb,
						'itemStyle', '{"color": "#999999"}'::jsonb)))),
				'media', '[{"query": {"maxWidth": 480}, "option": {"radar": {"radius": "42%", "axisName": {"fontSize": 10}}}},
					{"option": {"radar": {"radius": "50%", "axisName": {"fontSize": 11}}}}]'::jsonb) END)
		FROM z);
COMMENT ON FUNCTION @extschema@.chart_radar(text[], float8[], float8[], text, text, text[], int) IS
	'radar of the shares that a segment and its base have of some tags (客群雷达图), the first top of them; names: of segment and base. Fewer than three are bars. Errors: 2202E arrays of different lengths, 22023 language';

CREATE FUNCTION @extschema@.chart_segment(expression text, base text DEFAULT NULL, population text DEFAULT NULL, title text DEFAULT NULL, lang text DEFAULT 'en',
	top int DEFAULT 8) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 100000
	RETURN (
		SELECT @extschema@.chart_radar(array_agg(x.label ORDER BY x.tag COLLATE "C", x.value COLLATE "C"), array_agg(x.segment_share ORDER BY x.tag COLLATE "C", x.value COLLATE "C"),
			array_agg(x.base_share ORDER BY x.tag COLLATE "C", x.value COLLATE "C"), coalesce(title, expression), lang, ARRAY[NULL, base], top)
		FROM (
			SELECT p.tag, p.value, concat_ws(': ', p.tag, p.value) AS label, p.segment_share, p.base_share
			FROM @extschema@.segment_profile(expression, base, population) AS p
			-- what the segment is made of says nothing
			WHERE NOT (p.segment_share = 1 AND p.base_members = p.segment_members)
				-- nor do groups that are too small
				AND p.base_members >= @extschema@.minimum_group_size()
				AND (p.segment_members = 0 OR p.segment_members >= @extschema@.minimum_group_size())
			ORDER BY p.significant DESC, abs(p.segment_share - p.base_share) DESC, p.tag COLLATE "C", p.value COLLATE "C" LIMIT greatest(top, 1)) AS x);
COMMENT ON FUNCTION @extschema@.chart_segment(text, text, text, text, text, int) IS
	'radar of what sets a segment apart from its base (客群雷达图), both given as segment expressions: the tags whose shares differ most and not by chance, without groups below crm_analytics.minimum_group_size. Errors: those of segment_profile, 22023 language';
