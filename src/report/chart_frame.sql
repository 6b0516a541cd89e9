-- Charts as data: what all of them have in common.
--
-- A chart is an option of Apache ECharts 6 as jsonb: no function in it, no HTML,
-- and no colour of text, so that a page's theme decides.  Texts of the data stand
-- in JSON strings only, and tooltips are drawn (richText), not made of markup.
-- The member "crm", which ECharts passes over, has the same data as a table.

CREATE FUNCTION @extschema@.chart_words(lang text) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 50 SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF lang = 'en' THEN
		RETURN ('{"trend": "Trend", "lines": "Trend", "bar": "Comparison", "rfm": "Recency and frequency", "cohort": "Retention by cohort",'
			|| '"funnel": "Funnel", "paths": "Paths", "radar": "Segment and base", "calendar": "Calendar", "gain": "Gain curve",'
			|| '"calibration": "Calibration", "survival": "Survival",'
			|| '"no_data": "No data", "other": "other", "none": "(none)", "all": "all",'
			|| '"day": "day", "value": "value", "before": "compared with", "anomaly": "anomaly", "label": "name", "series": "series",'
			|| '"customers": "customers", "share": "share (%)", "recency": "recency", "frequency": "frequency",'
			|| '"recent": "recency (higher: more recent)", "frequent": "frequency (higher: more often)",'
			|| '"cohort_of": "cohort", "size": "size", "period": "period", "shown": "the last %s of %s cohorts", "of_cohort": "% of the cohort that came back",'
			|| '"step": "step", "step_n": "Step %s", "from_first": "of the first step (%)", "from_previous": "of the step before (%)", "median_time": "median time",'
			|| '"source": "from", "target": "to", "first_steps": "the first %s of %s steps",'
			|| '"tag": "tag", "segment": "segment", "base": "base", "share_of": "share of customers (%)",'
			|| '"bin": "bin", "rows": "rows", "positives": "positives", "rate": "rate (%)", "lift": "lift",'
			|| '"reached": "positives reached (%)", "looked_at": "customers taken, best score first (%)", "model": "model", "random": "without a model",'
			|| '"best_bin": "best bin: lift %s",'
			|| '"promised": "mean score (%)", "came": "rate that came (%)", "lower": "lower limit (%)", "upper": "upper limit (%)", "ideal": "ideal",'
			|| '"limits": "bars: limits of 95 %",'
			|| '"time": "time", "at_risk": "at risk", "events": "events", "still": "still there (%)", "band": "limits",'
			|| '"months": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],'
			|| '"weekdays": ["Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"]}')::jsonb;
	ELSIF lang = 'zh' THEN
		RETURN ('{"trend": "趋势", "lines": "趋势", "bar": "对比", "rfm": "最近消费与消费频率", "cohort": "同期群留存",'
			|| '"funnel": "漏斗", "paths": "路径", "radar": "客群与基准", "calendar": "日历", "gain": "增益曲线",'
			|| '"calibration": "校准曲线", "survival": "生存曲线",'
			|| '"no_data": "没有数据", "other": "其他", "none": "（无）", "all": "全部",'
			|| '"day": "日期", "value": "数值", "before": "对比", "anomaly": "异常", "label": "名称", "series": "系列",'
			|| '"customers": "客户数", "share": "占比 (%)", "recency": "最近消费", "frequency": "消费频率",'
			|| '"recent": "最近消费（越高越近）", "frequent": "消费频率（越高越频繁）",'
			|| '"cohort_of": "同期群", "size": "人数", "period": "期数", "shown": "最近 %s 个同期群（共 %s 个）", "of_cohort": "回访客户占同期群的百分比",'
			|| '"step": "步骤", "step_n": "第 %s 步", "from_first": "占第一步 (%)", "from_previous": "占上一步 (%)", "median_time": "耗时中位数",'
			|| '"source": "从", "target": "到", "first_steps": "前 %s 步（共 %s 步）",'
			|| '"tag": "标签", "segment": "客群", "base": "基准", "share_of": "客户占比 (%)",'
			|| '"bin": "分箱", "rows": "行数", "positives": "正例", "rate": "比率 (%)", "lift": "提升",'
			|| '"reached": "覆盖的正例 (%)", "looked_at": "按评分从高到低选取的客户 (%)", "model": "模型", "random": "不用模型",'
			|| '"best_bin": "最佳分箱：提升 %s",'
			|| '"promised": "平均评分 (%)", "came": "实际比率 (%)", "lower": "下限 (%)", "upper": "上限 (%)", "ideal": "理想",'
			|| '"limits": "竖线：95 % 置信区间",'
			|| '"time": "时间", "at_risk": "在观察", "events": "事件", "still": "仍在的比例 (%)", "band": "置信区间",'
			|| '"months": ["1月", "2月", "3月", "4月", "5月", "6月", "7月", "8月", "9月", "10月", "11月", "12月"],'
			|| '"weekdays": ["日", "一", "二", "三", "四", "五", "六"]}')::jsonb;
	END IF;
	RAISE EXCEPTION 'unknown language %', coalesce(quote_ident(lang), 'NULL')
		USING ERRCODE = 'invalid_parameter_value', HINT = 'The languages of charts are ''en'' and ''zh''.';
END
$$;
COMMENT ON FUNCTION @extschema@.chart_words(text) IS
	'the words that charts use, in English (en) or Chinese (zh) (图表用词). Errors: 22023 another language';

-- Asked in a WHERE clause, once for a chart.
CREATE FUNCTION @extschema@.chart_arrays(VARIADIC lengths int[]) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 50 SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF (SELECT count(DISTINCT n) > 1 FROM unnest(lengths) AS n) THEN
		RAISE EXCEPTION 'the arrays of a chart have different numbers of elements'
			USING ERRCODE = 'array_subscript_error', DETAIL = format('They have %s.', array_to_string(lengths, ', ', 'none')),
				HINT = 'Make them in one query, each by array_agg with the same ORDER BY.';
	END IF;
	RETURN true;
END
$$;
COMMENT ON FUNCTION @extschema@.chart_arrays(int[]) IS
	'whether the arrays of a chart have the same number of elements: true, or the error 2202E; NULL is an array that was left out (图表数组)';

CREATE FUNCTION @extschema@.chart_number(value float8) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 10
	RETURN CASE
		WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN NULL
		WHEN value = 0 THEN '0'::jsonb
		WHEN abs(value) NOT BETWEEN 1e-6 AND 1e15 THEN to_jsonb(value)
		ELSE to_jsonb(trim_scale(round(value::numeric, greatest(0, 5 - floor(log(abs(value)))::int))))
	END;
COMMENT ON FUNCTION @extschema@.chart_number(float8) IS
	'a number as charts show it: six significant digits, whole numbers exactly; NULL for what is not finite, a gap in the chart (图表数值)';

CREATE FUNCTION @extschema@.chart_percent(share float8) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 10
	RETURN CASE WHEN share NOT IN ('NaN', 'Infinity', '-Infinity') THEN to_jsonb(trim_scale(round((100 * share)::numeric, 1))) END;
COMMENT ON FUNCTION @extschema@.chart_percent(float8) IS
	'a share as charts show it: in percent with one digit behind the point; NULL for what is not finite (图表百分比)';

CREATE FUNCTION @extschema@.chart_figure(value jsonb) RETURNS text
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 10
	RETURN CASE WHEN abs(value::numeric) BETWEEN 1000 AND 999999999999999
		THEN to_char(value::numeric, 'FM999,999,999,999,999') ELSE value #>> '{}' END;
COMMENT ON FUNCTION @extschema@.chart_figure(jsonb) IS 'the text of a number of a chart, from a thousand on whole and with commas (图表数字文本)';

CREATE FUNCTION @extschema@.chart_day_format(days date[]) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 100
	RETURN (SELECT CASE WHEN count(DISTINCT d) > 1 AND bool_and(extract(day FROM d) = 1) THEN 'YYYY-MM' ELSE 'YYYY-MM-DD' END FROM unnest(days) AS d WHERE isfinite(d));
COMMENT ON FUNCTION @extschema@.chart_day_format(date[]) IS 'how an axis shows these days: without the day where all of them are firsts of a month (日期格式)';

-- Chinese takes three bytes a letter and twice the room: a text's width is guessed from both lengths.
CREATE FUNCTION @extschema@.chart_wrap(value text, width int) RETURNS text
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN (
		SELECT rtrim(regexp_replace(regexp_replace(
				regexp_replace(btrim(regexp_replace(value, '\s+', ' ', 'g')), '(\S{' || w.letters || '})(?=\S)', E'\\1\n', 'g'),
				'(.{1,' || w.letters || '})(\s+|$)', E'\\1\n', 'g'), E'\n([' || w.closing || ']+)', E'\\1\n', 'g'), E'\n')
		FROM (SELECT greatest(2, width * length(value) / nullif(length(value) + (octet_length(value) - length(value)) / 2, 0)) AS letters,
			-- no line begins with these
			'，。、；：！？）】》' AS closing) AS w);
COMMENT ON FUNCTION @extschema@.chart_wrap(text, int) IS 'a text in lines of about so many Latin letters each (换行)';

-- A label of the data: a few lines, and braces that are none of a template's.
CREATE FUNCTION @extschema@.chart_label(value text, width int, lines int) RETURNS text
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 100
	RETURN (
		SELECT replace(string_agg(CASE WHEN l.n = chart_label.lines AND l.all_lines > l.n THEN l.line || U&'\2026' ELSE l.line END, E'\n' ORDER BY l.n), '{', U&'{\200B')
		FROM (SELECT s.line, s.n, count(*) OVER () AS all_lines
			FROM string_to_table(@extschema@.chart_wrap(value, width), E'\n') WITH ORDINALITY AS s (line, n)) AS l
		WHERE l.n <= chart_label.lines);
COMMENT ON FUNCTION @extschema@.chart_label(text, int, int) IS 'a text of the data as a label of a chart: in so many lines at most, never a template (图表标签)';

-- A title of three lines at most, as wide as a phone in the widest letters that systems come with; a note below it; the
-- legend below both.
CREATE FUNCTION @extschema@.chart_title(kind text, title text, lang text) RETURNS text
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 100
	RETURN @extschema@.chart_label(coalesce(nullif(btrim(title), ''), @extschema@.chart_words(lang) ->> kind), 34, 3);
COMMENT ON FUNCTION @extschema@.chart_title(text, text, text) IS 'title of a chart in lines that a phone can show, that of its kind where none is given (图表标题)';

CREATE FUNCTION @extschema@.chart_top(title text, note text, legend text[]) RETURNS int
	LANGUAGE SQL IMMUTABLE PARALLEL SAFE COST 10
	RETURN 12 + 21 * cardinality(string_to_array(title, E'\n'))
		+ CASE WHEN note > '' THEN 20 * cardinality(string_to_array(@extschema@.chart_wrap(note, 52), E'\n')) ELSE 0 END
		+ CASE WHEN cardinality(legend) > 1 THEN 28 ELSE 0 END;
COMMENT ON FUNCTION @extschema@.chart_top(text, text, text[]) IS 'at which pixel a chart begins below its title, note and legend (图表位置)';

-- An axis of numbers, with its name above or beside it; percent: the numbers are such.
CREATE FUNCTION @extschema@.chart_axis(name text, percent boolean, beside boolean) RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 10
	RETURN jsonb_build_object('type', 'value', 'axisLabel', jsonb_build_object('hideOverlap', true)
			|| CASE WHEN percent THEN '{"formatter": "{value} %"}' ELSE '{}' END::jsonb)
		|| CASE WHEN name > '' AND beside THEN jsonb_build_object('name', name, 'nameLocation', 'middle', 'nameGap', 28)
			WHEN name > '' THEN jsonb_build_object('name', name, 'nameLocation', 'end', 'nameGap', 12, 'nameTextStyle', '{"align": "left"}'::jsonb)
			ELSE '{}'::jsonb END;
COMMENT ON FUNCTION @extschema@.chart_axis(text, boolean, boolean) IS 'the axis of a chart''s numbers: named above its end or, beside it, along its middle (坐标轴)';

CREATE FUNCTION @extschema@.chart_option(kind text, title text, note text, lang text, legend text[], columns text[], rows jsonb, height int, body jsonb)
	RETURNS jsonb
	LANGUAGE SQL STABLE PARALLEL SAFE COST 500
	RETURN (
		SELECT jsonb_build_object(
			'title', jsonb_strip_nulls(jsonb_build_object('text', f.shown, 'subtext', CASE WHEN NOT f.empty THEN f.note END, 'left', 0, 'top', 4, 'itemGap', 6,
				'textStyle', '{"fontSize": 15, "lineHeight": 20}'::jsonb, 'subtextStyle', '{"fontSize": 12, "lineHeight": 18}'::jsonb)),
			'aria', jsonb_build_object('enabled', true, 'label', jsonb_build_object('description',
				concat_ws(': ', replace(f.shown, E'\n', ' '), CASE WHEN f.empty THEN f.words ->> 'no_data' ELSE nullif(replace(f.note, E'\n', ' '), '') END))),
			'animation', false,
			'crm', jsonb_build_object('kind', kind, 'lang', lang, 'title', coalesce(nullif(btrim(title), ''), f.words ->> kind), 'empty', f.empty,
				'height', CASE WHEN f.empty THEN 160 ELSE height END,
				'table', jsonb_build_object('columns', to_jsonb(columns), 'rows', coalesce(rows, '[]'))))
			|| CASE WHEN f.empty THEN jsonb_build_object('graphic', jsonb_build_array(jsonb_build_object('type', 'text', 'left', 'center', 'top', 'middle',
					'silent', true, 'style', jsonb_build_object('text', f.words ->> 'no_data', 'fontSize', 16, 'fill', '#808080'))))
				-- Blue, orange, green, purple, light blue, vermilion: Okabe and Ito's colours, told apart by everybody.
				ELSE '{"color": ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6d31", "#999999"],
						"tooltip": {"trigger": "item", "renderMode": "richText", "confine": true}}'::jsonb
					|| CASE WHEN cardinality(legend) > 1 THEN jsonb_build_object('legend', jsonb_build_object('type', 'scroll', 'left', 0,
						'top', @extschema@.chart_top(f.shown, f.note, NULL), 'data', to_jsonb(legend))) ELSE '{}' END
					|| body
			END
		FROM (SELECT coalesce(jsonb_array_length(rows), 0) = 0 AS empty, @extschema@.chart_words(lang) AS words,
				@extschema@.chart_title(kind, title, lang) AS shown, @extschema@.chart_wrap(note, 52) AS note) AS f);
COMMENT ON FUNCTION @extschema@.chart_option(text, text, text, text, text[], text[], jsonb, int, jsonb) IS
	'the option of a chart from its parts: title, note, legend and colours around a body; no rows: a text that there is no data; and the rows as a table in member crm (图表选项)';
