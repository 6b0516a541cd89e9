-- Charts of models: gain, calibration, survival.

-- Both axes in percent, the second one from 0 to most.
CREATE FUNCTION @extschema@.chart_square(x_name text, y_name text, top int, x_percent boolean, x_most float8, y_most float8) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 100
	RETURN jsonb_build_object(
		'grid', jsonb_build_object('top', top + 28, 'left', 8, 'right', 28, 'bottom', 32, 'containLabel', true),
		'xAxis', @extschema@.chart_axis(x_name, x_percent, true) || jsonb_build_object('min', 0) || jsonb_strip_nulls(jsonb_build_object('max', x_most)),
		'yAxis', @extschema@.chart_axis(y_name, true, false) || jsonb_build_object('min', 0, 'max', y_most));
COMMENT ON FUNCTION @extschema@.chart_square(text, text, int, boolean, float8, float8) IS 'axes of a curve in percent (百分比坐标轴)';

CREATE FUNCTION @extschema@.chart_gain(gain @extschema@.gain_row[], title text DEFAULT NULL, lang text DEFAULT 'en') RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH x AS (
			SELECT g.bin, g.rows, g.positives, g.rate, g.lift, g.cumulative_share, sum(g.rows) OVER (ORDER BY g.bin) / sum(g.rows) OVER () AS taken
			FROM unnest(gain) AS g WHERE g.rows > 0
		), y AS (
			SELECT '[[0, 0]]'::jsonb || jsonb_agg(jsonb_build_object('name', (@extschema@.chart_percent(x.taken::float8) #>> '{}') || ' %',
					'value', jsonb_build_array(@extschema@.chart_percent(x.taken::float8), @extschema@.chart_percent(x.cumulative_share))) ORDER BY x.bin) AS curve,
				jsonb_agg(jsonb_build_array(x.bin, x.rows, x.positives, @extschema@.chart_percent(x.rate), to_jsonb(trim_scale(round(x.lift::numeric, 2))),
					@extschema@.chart_percent(x.cumulative_share)) ORDER BY x.bin) AS rows,
				round((array_agg(x.lift ORDER BY x.bin))[1]::numeric, 1) AS lift
			FROM x
		), z AS (
			SELECT y.*, w, ARRAY[w ->> 'model', w ->> 'random'] AS legend, format(w ->> 'best_bin', y.lift) AS note, @extschema@.chart_title('gain', title, lang) AS head
			FROM y, @extschema@.chart_words(lang) AS w
		)
		SELECT @extschema@.chart_option('gain', title, z.note, lang, z.legend,
			ARRAY[z.w ->> 'bin', z.w ->> 'rows', z.w ->> 'positives', z.w ->> 'rate', z.w ->> 'lift', z.w ->> 'reached'], z.rows, 380,
			@extschema@.chart_square(z.w ->> 'looked_at', z.w ->> 'reached', @extschema@.chart_top(z.head, z.note, z.legend), true, 100, 100)
			|| jsonb_build_object('series', jsonb_build_array(
				jsonb_build_object('type', 'line', 'name', z.legend[1], 'data', z.curve, 'symbolSize', 6, 'areaStyle', '{"opacity": 0.12}'::jsonb),
				jsonb_build_object('type', 'line', 'name', z.legend[2], 'data', '[[0, 0], [100, 100]]'::jsonb, 'showSymbol', false, 'silent', true,
					'lineStyle', '{"type": "dashed"}'::jsonb, 'color', '#999999'))))
		FROM z);
COMMENT ON FUNCTION @extschema@.chart_gain(@extschema@.gain_row[], text, text) IS
	'gain curve of a score (增益曲线), from gain_table: which share of the positives is reached by taking the best so many percent. Errors: 22023 language';

CREATE FUNCTION @extschema@.chart_calibration(calibration @extschema@.calibration_row[], title text DEFAULT NULL, lang text DEFAULT 'en') RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH x AS (
			SELECT c.bin, c.rows, c.positives, @extschema@.chart_percent(c.mean_score) AS promised, @extschema@.chart_percent(c.rate) AS came,
				@extschema@.chart_percent(c.lower) AS lower, @extschema@.chart_percent(c.upper) AS upper
			FROM unnest(calibration) AS c WHERE c.rows > 0
		), y AS (
			SELECT jsonb_agg(jsonb_build_object('name', (x.promised #>> '{}') || ' %', 'value', jsonb_build_array(x.promised, x.came)) ORDER BY x.bin) AS curve,
				jsonb_agg(jsonb_build_array(jsonb_build_object('coord', jsonb_build_array(x.promised, x.lower)),
					jsonb_build_object('coord', jsonb_build_array(x.promised, x.upper))) ORDER BY x.bin) FILTER (WHERE x.lower IS NOT NULL AND x.upper IS NOT NULL) AS limits,
				jsonb_agg(jsonb_build_array(x.bin, x.rows, x.positives, x.promised, x.came, x.lower, x.upper) ORDER BY x.bin) AS rows,
				-- scores may all be small: the axes end where they do
				least(100, greatest(10, ceil(greatest(max(x.promised::float8), max(x.upper::float8), max(x.came::float8)) / 10) * 10)) AS most
			FROM x
		), z AS (
			SELECT y.*, w, ARRAY[w ->> 'model', w ->> 'ideal'] AS legend, w ->> 'limits' AS note, @extschema@.chart_title('calibration', title, lang) AS head
			FROM y, @extschema@.chart_words(lang) AS w
		)
		SELECT @extschema@.chart_option('calibration', title, z.note, lang, z.legend,
			ARRAY[z.w ->> 'bin', z.w ->> 'rows', z.w ->> 'positives', z.w ->> 'promised', z.w ->> 'came', z.w ->> 'lower', z.w ->> 'upper'], z.rows, 380,
			@extschema@.chart_square(z.w ->> 'promised', z.w ->> 'came', @extschema@.chart_top(z.head, z.note, z.legend), true, z.most, z.most)
			|| jsonb_build_object('series', jsonb_build_array(
				jsonb_build_object('type', 'line', 'name', z.legend[1], 'data', z.curve, 'symbolSize', 7, 'markLine', jsonb_build_object('silent', true,
					'symbol', 'none', 'label', '{"show": false}'::jsonb, 'lineStyle', '{"type": "solid", "width": 1.5}'::jsonb, 'data', coalesce(z.limits, '[]'))),
				jsonb_build_object('type', 'line', 'name', z.legend[2], 'data', jsonb_build_array('[0, 0]'::jsonb, jsonb_build_array(z.most, z.most)), 'showSymbol', false,
					'silent', true, 'lineStyle', '{"type": "dashed"}'::jsonb, 'color', '#999999'))))
		FROM z);
COMMENT ON FUNCTION @extschema@.chart_calibration(@extschema@.calibration_row[], text, text) IS
	'calibration curve of a probability (校准曲线), from calibration_table: what was promised and what came, with its limits. Errors: 22023 language';

CREATE FUNCTION @extschema@.chart_survival(curve @extschema@.survival_point[], title text DEFAULT NULL, lang text DEFAULT 'en', unit text DEFAULT NULL) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000
	RETURN (
		WITH given AS (
			SELECT p."time", p.at_risk, p.events, p.survival, coalesce(p.lower, p.survival) AS lower, coalesce(p.upper, p.survival) AS upper, count(*) OVER () AS points,
				row_number() OVER (ORDER BY p."time") AS place
			FROM unnest(curve) AS p WHERE p."time" >= 0 AND p."time" < 'Infinity' AND p.survival IS NOT NULL
		), x AS (
			-- of a long curve about a thousand points, the last one too
			SELECT g.* FROM given AS g WHERE g.place % (1 + g.points / 1000) = 0 OR g.place = g.points
		), y AS (
			SELECT '[[0, 100]]'::jsonb || jsonb_agg(jsonb_build_array(@extschema@.chart_number(x."time"), @extschema@.chart_percent(x.survival)) ORDER BY x.place) AS line,
				'[[0, 100]]'::jsonb || jsonb_agg(jsonb_build_array(@extschema@.chart_number(x."time"), @extschema@.chart_percent(x.lower)) ORDER BY x.place) AS lower,
				'[[0, 0]]'::jsonb || jsonb_agg(jsonb_build_array(@extschema@.chart_number(x."time"), @extschema@.chart_percent(x.upper - x.lower)) ORDER BY x.place) AS band,
				jsonb_agg(jsonb_build_array(@extschema@.chart_number(x."time"), x.at_risk, x.events, @extschema@.chart_percent(x.survival), @extschema@.chart_percent(x.lower),
					@extschema@.chart_percent(x.upper)) ORDER BY x.place) AS rows
			FROM x
		), z AS (
			SELECT y.*, w, ARRAY[w ->> 'still', w ->> 'band'] AS legend, @extschema@.chart_title('survival', title, lang) AS head FROM y, @extschema@.chart_words(lang) AS w
		)
		SELECT @extschema@.chart_option('survival', title, NULL, lang, z.legend,
			ARRAY[concat(z.w ->> 'time', ' (' || unit || ')'), z.w ->> 'at_risk', z.w ->> 'events', z.w ->> 'still', z.w ->> 'lower', z.w ->> 'upper'], z.rows, 380,
			@extschema@.chart_square(concat(z.w ->> 'time', ' (' || unit || ')'), NULL, @extschema@.chart_top(z.head, NULL, z.legend) - 16, false, NULL, 100)
			|| jsonb_build_object('legend', jsonb_build_object('left', 0, 'top', @extschema@.chart_top(z.head, NULL, NULL), 'data', jsonb_build_array(z.legend[1],
				jsonb_build_object('name', z.legend[2], 'icon', 'roundRect', 'itemStyle', '{"opacity": 0.3}'::jsonb))),
				'tooltip', '{"trigger": "axis", "renderMode": "richText", "confine": true}'::jsonb,
				'series', jsonb_build_array(
				jsonb_build_object('type', 'line', 'name', z.legend[1], 'data', z.line, 'step', 'end', 'showSymbol', false, 'z', 3),
				-- the band is the height above its lower limit
				jsonb_build_object('type', 'line', 'name', '', 'data', z.lower, 'step', 'end', 'showSymbol', false, 'silent', true, 'stack', 'band',
					'lineStyle', '{"opacity": 0}'::jsonb, 'tooltip', '{"show": false}'::jsonb),
				jsonb_build_object('type', 'line', 'name', z.legend[2], 'data', z.band, 'step', 'end', 'showSymbol', false, 'silent', true, 'stack', 'band', 'color', '#0072b2',
					'lineStyle', '{"opacity": 0}'::jsonb, 'areaStyle', '{"opacity": 0.18}'::jsonb, 'tooltip', '{"show": false}'::jsonb))))
		FROM z);
COMMENT ON FUNCTION @extschema@.chart_survival(@extschema@.survival_point[], text, text, text) IS
	'Kaplan-Meier curve with its limits (生存曲线), from kaplan_meier; unit: of time. Errors: 22023 language';
