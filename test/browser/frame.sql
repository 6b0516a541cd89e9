-- Pages whatever is drawn on them: texts that would like to be more, an empty chart, and what is shown without the library.
\set hostile '</script><script>alert(1)</script><img src=x onerror=alert(1)>"''&<!--'
CREATE TEMP TABLE hostile_chart AS
SELECT jsonb_build_object('tooltip', '{}'::jsonb, 'yAxis', '{}'::jsonb, 'series', jsonb '[{"type": "bar", "data": [3, 4, 5]}]',
	'xAxis', jsonb_build_object('type', 'category', 'data', jsonb_build_array('上海', :'hostile', U&'line\2028separator')),
	'crm', jsonb_build_object('title', :'hostile', 'table', jsonb_build_object('columns', jsonb_build_array('城市', :'hostile'),
		'rows', jsonb_build_array(jsonb_build_array('上海', 31234), jsonb_build_array(:'hostile', 0.0000432), jsonb_build_array(NULL, 4.5))))) AS option;
\o :pages/frame-en.html
SELECT crm.chart_page(ARRAY[option, '{"crm": {"title": "Nobody bought anything", "empty": true}}'], :'hostile') FROM hostile_chart;
\o :pages/frame-zh.html
SELECT crm.chart_page(ARRAY[option], '图表', 'zh') FROM hostile_chart;
BEGIN;
DELETE FROM crm.report_library;
\o :pages/frame-tables.html
SELECT crm.chart_page(ARRAY[option], 'Tables alone') FROM hostile_chart;
ROLLBACK;
\o
