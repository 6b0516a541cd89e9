-- Charts as data: what stands in an option, from small tables that can be read.
CREATE SCHEMA report_charts;
SET search_path = report_charts, crm, public;
SET client_min_messages = warning;
\set SHOW_CONTEXT never
SET DateStyle = 'German';	-- options are ISO whatever the session likes

-- What every chart must hold: the contract of member crm, a title, texts without functions and markup.
CREATE TEMP TABLE chart (no serial, name text, c jsonb);
CREATE FUNCTION pg_temp.problems(c jsonb) RETURNS text[] LANGUAGE sql BEGIN ATOMIC
	SELECT array_remove(ARRAY[
		CASE WHEN jsonb_typeof(c #> '{crm,table,columns}') IS DISTINCT FROM 'array' THEN 'no columns' END,
		CASE WHEN jsonb_typeof(c #> '{crm,table,rows}') IS DISTINCT FROM 'array' THEN 'no rows' END,
		CASE WHEN (c #> '{crm,empty}')::boolean <> (jsonb_array_length(c #> '{crm,table,rows}') = 0) THEN 'empty or not' END,
		CASE WHEN EXISTS (SELECT FROM jsonb_array_elements(c #> '{crm,table,rows}') r
			WHERE jsonb_array_length(r) <> jsonb_array_length(c #> '{crm,table,columns}')) THEN 'a row of another width' END,
		CASE WHEN c #>> '{title,text}' IS NULL OR c #>> '{crm,title}' IS NULL THEN 'no title' END,
		CASE WHEN c #>> '{crm,lang}' NOT IN ('en', 'zh') THEN 'no language' END,
		CASE WHEN (c #> '{crm,empty}')::boolean AND (c ? 'series' OR NOT c ? 'graphic') THEN 'empty, and does not say so' END,
		CASE WHEN NOT (c #> '{crm,empty}')::boolean AND jsonb_array_length(c -> 'series') IS NULL THEN 'no series' END,
		CASE WHEN jsonb_path_exists(c, 'strict $.** ? (@.type() == "string" && @ like_regex "^(NaN|-?Infinity)$")') THEN 'not finite' END,
		-- what lies below the title block begins below it
		CASE WHEN jsonb_path_exists(c, '$.grid.top') AND (c #>> '{grid,top}')::int < coalesce((c #>> '{legend,top}')::int + 28, 30) THEN 'overlap' END,
		CASE WHEN (c #>> '{legend,top}')::int < 12 + 21 * cardinality(string_to_array(c #>> '{title,text}', E'\n')) THEN 'legend over the title' END
	], NULL);
END;

INSERT INTO chart (name, c) VALUES
	('trend', chart_trend('{2026-01-01,2026-01-02,2026-01-05}', '{1,NaN,3.14159265}', 'Orders', unit => 'kEUR')),
	('trend compared', chart_trend('{2026-01-01,2026-01-02}', '{1,2}', compare => '{2,NULL}', anomalies => '{"[2026-01-02,2026-01-03)"}', names => '{now,"last year"}')),
	('months', chart_trend('{2026-01-01,2026-02-01,2026-05-01}', '{1,2,3}', lang => 'zh')),
	('lines', chart_lines('{2026-01-01,2026-01-01,2026-01-08}', '{a,b,a}', '{1,2,3}')),
	('stacked', chart_lines('{2026-01-01,2026-01-01,2026-01-08}', '{a,NULL,a}', '{1,2,3}', stacked => true)),
	('bar', chart_bar('{north,south,NULL,north}', '{1,20000,3,Infinity}', 'Sales', unit => 'EUR')),
	('bands', chart_bar('{1 low,2 middle,3 high}', '{1,-2,3}', sorted => false)),
	('calendar', chart_calendar('{2025-12-31,2026-01-01,2026-01-01}', '{5,1,2}', unit => 'orders')),
	('rfm', chart_rfm('{5,5,1,NULL}'::int[], '{5,1,1,1}', '{1234,0,7,9}')),
	('rfm scores', chart_rfm(ARRAY[(5, 5, 5), (5, 5, 1), (1, 2, 3)]::rfm_score[], lang => 'zh')),
	('cohort', chart_cohort(ARRAY[('2026-06-01', 4, 0, 4, 1), ('2026-06-01', 4, 1, 1, 0.25), ('2026-06-08', 1, 0, 1, 1)]::retention_row[])),
	('funnel', chart_funnel('{view,cart,<script>alert(1)</script>}'::text[], '{1000,30,0}', lang => 'zh')),
	('funnel numbered', chart_funnel(NULL::text[], '{7,3}')),
	('funnel rows', chart_funnel(ARRAY[(NULL, 'app', 1, 3, 1, NULL, NULL, NULL, NULL, NULL), (NULL, 'web', 1, 1, 1, NULL, NULL, NULL, NULL, NULL),
		(NULL, 'app', 2, 2, 1, 1, NULL, NULL, NULL, NULL)]::funnel_row[], steps => '{view,cart}')),
	('paths', chart_paths('{1,2,2}', '{(start),view,view}', '{view,(end),order}', '{5,2,3}')),
	('paths from the end', chart_paths('{1,2,1}', '{order,view,view}', '{(end),order,(end)}', '{3,3,2}', reverse => true)),
	('radar', chart_radar('{a,b: 上海,c}', '{0.9,0.5,NaN}', '{0.5,0.5,0.1}', names => '{rich,all}')),
	('radar of two', chart_radar('{a,b}', '{0.9,0.5}', '{0.5,0.5}')),
	('gain', chart_gain(ARRAY[(1, 10, 8, 0.8, 1.6, 0.8), (2, 10, 2, 0.2, 0.4, 1)]::gain_row[])),
	('calibration', chart_calibration(ARRAY[(1, 10, 1, 0.1, 0.1, 0.02, 0.4), (2, 10, 3, 0.3, 0.3, 0.1, 0.6)]::calibration_row[])),
	('survival', chart_survival(ARRAY[(1, 10, 1, 0.9, 0.7, 1), (4, 5, 1, 0.72, 0.4, 0.9)]::survival_point[], unit => 'months'));
SELECT name, pg_temp.problems(c) AS problems FROM chart WHERE pg_temp.problems(c) <> '{}';
SELECT count(*), count(DISTINCT c #>> '{crm,kind}') AS kinds FROM chart;
-- the table beside each, and what is drawn
SELECT name, c #>> '{title,text}' AS title, c #> '{crm,table,columns}' AS columns, c #> '{crm,table,rows}' AS rows FROM chart ORDER BY no;
SELECT name, c #> '{legend,data}' AS legend, jsonb_path_query_array(c, '$.series[*].type') AS types, jsonb_path_query_array(c, '$.series[*].data') AS data FROM chart ORDER BY no;
SELECT name, c #> '{xAxis,data}' AS x, c #> '{yAxis,data}' AS y, c #>> '{xAxis,name}' AS x_name, c #>> '{yAxis,name}' AS y_name, c #>> '{title,subtext}' AS note
FROM chart WHERE c ? 'xAxis' ORDER BY no;
SELECT c #> '{series,0,links}' AS links FROM chart WHERE name LIKE 'paths%' ORDER BY no;

-- The same of what the aggregates give, as one writes it
CREATE TABLE visits (customer int, ts timestamptz, event text);
INSERT INTO visits SELECT c, timestamptz '2026-06-01 10:00+00' + e * interval '1 day' + c * interval '1 minute', (ARRAY['view', 'cart', 'order'])[e + 1]
FROM generate_series(1, 9) c, generate_series(0, 2) e WHERE c % 3 >= e;
SELECT chart_funnel(funnel_table(f), steps => '{view,cart,order}') #> '{crm,table,rows}' AS funnel
FROM (SELECT funnel_agg('7 days', ts, event = 'view', event = 'cart', event = 'order') AS f FROM visits GROUP BY customer) x;
SELECT chart_cohort(retention_table(3, a)) #> '{crm,table,rows}' AS cohort FROM (SELECT activity_agg('day', 'UTC', ts) AS a FROM visits GROUP BY customer) x;
SELECT chart_paths(array_agg(step), array_agg(source), array_agg(target), array_agg(n)) #> '{crm,table,rows}' AS paths
FROM (SELECT e.step, e.source, e.target, count(*) AS n FROM (SELECT timeline_agg(ts, event) AS t FROM visits GROUP BY customer) v, path_edges(t) e GROUP BY 1, 2, 3) x;
SELECT chart_gain(gain_table(2, n > 5, n)) #> '{series,0,data}' AS gain, chart_calibration(calibration_table(2, n > 5, n / 10.0)) #> '{series,0,data}' AS calibration,
	chart_survival(kaplan_meier(n, n % 2 = 0)) #> '{series,0,data}' AS survival FROM generate_series(1, 9) n;

-- A hundred names fold, the sum stays; ties go by place
SELECT c #> '{crm,table,rows}' AS rows, (SELECT sum((r ->> 1)::numeric) FROM jsonb_array_elements(c #> '{crm,table,rows}') r) AS sum
FROM (SELECT chart_bar(array_agg('name ' || n ORDER BY n), array_agg(n / 10), top => 4) AS c FROM generate_series(1, 100) n) x;
SELECT jsonb_array_length(c #> '{crm,table,rows}') AS bars, c #>> '{crm,table,rows,11,0}' AS last
FROM (SELECT chart_bar(array_agg('name ' || n), array_agg(n)) AS c FROM generate_series(1, 100) n) x;
SELECT jsonb_array_length(c -> 'series') AS lines, c #> '{legend,data}' AS legend
FROM (SELECT chart_lines(array_agg(date '2026-01-01' + n / 100), array_agg('name ' || n % 100), array_agg(n % 100), top => 3) AS c FROM generate_series(0, 999) n) x;
SELECT jsonb_array_length(c #> '{series,0,data}') AS nodes, (SELECT sum((l ->> 'value')::int) FROM jsonb_array_elements(c #> '{series,0,links}') l) AS flow
FROM (SELECT chart_paths(array_agg(1 + n % 3), array_agg('page ' || n), array_agg('page ' || n * 7 % 300), array_agg(n), top => 3) AS c FROM generate_series(1, 300) n) x;
SELECT jsonb_array_length(c #> '{yAxis,data}') AS cohorts, c #>> '{title,subtext}' AS note
FROM (SELECT chart_cohort(array_agg((date '2026-01-05' + 7 * n, 10, 0, 10, 1)::retention_row)) AS c FROM generate_series(1, 60) n) x;
SELECT jsonb_array_length(c #> '{crm,table,rows}') AS points, c #> '{crm,table,rows,-1,0}' AS last
FROM (SELECT chart_survival(array_agg((n, 10, 1, 1 - n / 1e5, NULL, NULL)::survival_point)) AS c FROM generate_series(1, 20000) n) x;

-- Numbers that are not given, of groups too small to be shown: in the table, not drawn, and not 0
SELECT c #> '{crm,table,rows}' AS rows, jsonb_path_query_array(c, '$.series[0].data[*].name') AS drawn FROM (SELECT chart_funnel('{a,b,c}'::text[], '{10,NULL,2}') AS c) x;
SELECT c #> '{crm,table,rows,0}' AS hidden, c #> '{crm,table,rows,1}' AS none, c #> '{series,0,data,24}' AS cell FROM (SELECT chart_rfm('{5,1}'::int[], '{5,1}', '{NULL,7}') AS c) x;

-- The rhythm of days: what was left out is a gap; weekends only where there are some
SELECT array_agg(d ORDER BY d) FROM chart_days('{2026-01-02,2026-01-05,2026-01-06}') d;
SELECT array_agg(d ORDER BY d) FROM chart_days('{2026-01-03,2026-01-05,2026-01-06,infinity,NULL}') d;
SELECT array_agg(d ORDER BY d) FROM chart_days('{2026-01-05,2026-01-19,2026-01-26}') d;
SELECT array_agg(d ORDER BY d) FROM chart_days('{2025-10-01,2026-01-01,2026-07-01}') d;
SELECT count(*) FROM chart_days('{0001-01-01,2026-01-05,2026-01-10}') d;
SELECT count(*) FROM chart_days(NULL) d;

-- Nothing: says so, in both languages, with the columns of the table
CREATE TEMP TABLE nothing AS
SELECT lang, n.* FROM unnest('{en,zh}'::text[]) lang, LATERAL (VALUES
	('trend', chart_trend('{}', '{}', lang => lang)), ('trend of NULL', chart_trend(NULL, NULL, lang => lang)), ('trend of gaps', chart_trend('{2026-01-01}', '{NaN}', lang => lang)),
	('lines', chart_lines('{}', '{}', '{}', lang => lang)), ('bar', chart_bar(NULL, NULL, lang => lang)), ('calendar', chart_calendar('{}', '{}', lang => lang)),
	('calendar of gaps', chart_calendar('{2026-01-01,infinity}', '{NULL,1}', lang => lang)),
	('rfm', chart_rfm('{}'::int[], '{}', '{}', lang => lang)), ('rfm of none', chart_rfm('{1}'::int[], '{1}', '{0}', lang => lang)), ('rfm scores', chart_rfm('{}'::rfm_score[], lang => lang)),
	('cohort', chart_cohort('{}', lang => lang)), ('funnel', chart_funnel('{}'::text[], '{}', lang => lang)), ('funnel of none', chart_funnel('{a,b}'::text[], '{0,0}', lang => lang)),
	('funnel rows', chart_funnel(NULL::funnel_row[], lang => lang)), ('paths', chart_paths('{}', '{}', '{}', '{}', lang => lang)),
	('radar', chart_radar('{}', '{}', '{}', lang => lang)), ('gain', chart_gain(NULL, lang => lang)), ('calibration', chart_calibration('{}', lang => lang)),
	('survival', chart_survival(NULL, lang => lang))) n (name, c);
SELECT lang, name, pg_temp.problems(c) AS problems, c #>> '{graphic,0,style,text}' AS said FROM nothing
WHERE pg_temp.problems(c) <> '{}' OR c #>> '{graphic,0,style,text}' IS DISTINCT FROM CASE lang WHEN 'en' THEN 'No data' ELSE '没有数据' END ORDER BY 1, 2;
SELECT count(*) FILTER (WHERE (c #> '{crm,empty}')::boolean) AS empty, count(*) FROM nothing;
SELECT array_agg(DISTINCT c #>> '{title,text}' COLLATE "C") AS titles FROM nothing;

-- Titles in lines, three of them at most
SELECT chart_wrap('Daily active customers of the mobile bank compared with the year before, with outages', 40);
SELECT chart_wrap('手机银行应用每日活跃客户数与去年同期对比，以及异常日', 40);
SELECT chart_wrap(repeat('x', 90), 40);
SELECT chart_wrap('', 40) = '' AS empty, chart_wrap(NULL, 40) IS NULL AS nothing;
SELECT chart_title('bar', repeat('many words ', 30), 'en');
SELECT chart_number(1234567.891), chart_number(0.000123456789), chart_number(1e300), chart_number(-1e-300), chart_number('NaN'), chart_number(12), chart_number(0), chart_number(NULL);
SELECT chart_percent(0.33333), chart_percent('-Infinity'), chart_percent(1), chart_figure('1234.5'), chart_figure('-1234567'), chart_figure('0.25');

-- Errors
SELECT chart_bar('{a}', '{1}', lang => 'de');
SELECT chart_bar('{a}', '{1}', lang => NULL);
SELECT chart_bar('{a,b}', '{1}');
SELECT chart_trend('{2026-01-01}', '{1}', compare => '{1,2}');
SELECT chart_funnel('{a}'::text[], '{2,1}');
SELECT chart_paths('{1}', '{a}', NULL, '{1}');

-- A segment against its base, by name
CREATE TABLE customers (id int PRIMARY KEY, city text, balance numeric);
INSERT INTO customers SELECT n, CASE WHEN n % 4 = 0 THEN '上海' ELSE 'Berlin' END, n FROM generate_series(1, 400) n;
SELECT create_population('chart', 'customers', 'id');
SELECT create_tag('rich', 'balance > 300', population => 'chart');
SELECT create_tag('city', 'city', population => 'chart');
SELECT create_tag('known', 'balance IS NOT NULL', population => 'chart');
SELECT count(*) FROM refresh_tags('chart');
SELECT chart_segment('rich', population => 'chart', top => 3) #> '{crm,table}' AS rows;
SELECT chart_segment('rich', 'city = "Berlin"', 'chart', lang => 'zh') -> 'crm' -> 'table' -> 'columns' AS columns;
SELECT chart_segment('poor', population => 'chart');
SELECT drop_population('chart');
DROP SCHEMA report_charts CASCADE;
