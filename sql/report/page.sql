-- The parts of pages: escaping, numbers, tables, and the chart library.
SET search_path = crm, public;
\set SHOW_CONTEXT never

-- What could be more than text is text.
SELECT html_escaped($$<b a="1" b='2'>&amp;</b>$$), html_escaped(NULL) IS NULL AS null_is_null;
SELECT script_escaped('{"a": "</script><!-- & \u2028 \u2029 <script>"}');
SELECT script_escaped(v) ~ '[<>&\u2028\u2029]' AS has_a_sign, script_escaped(v)::jsonb = v AS same
FROM (SELECT to_jsonb(string_agg(chr(c), '' ORDER BY c)) AS v FROM generate_series(1, 12000) AS c) t;
SELECT count(*) AS letters_changed FROM generate_series(1, 12000) AS c
WHERE html_escaped(chr(c)) <> CASE chr(c) WHEN '&' THEN '&amp;' WHEN '<' THEN '&lt;' WHEN '>' THEN '&gt;' WHEN '"' THEN '&quot;' WHEN '''' THEN '&#39;' ELSE chr(c) END;

SELECT v, page_number(v) FROM unnest('{0,-1,1234567,0.5,1234.5678,0.0123456,0.00012345,-0.000000000000000000000000000000000012,123456789012345678901,1e30,NaN,Infinity,0.9999}'::numeric[]) WITH ORDINALITY AS t (v, n) ORDER BY n;
SELECT v, page_share(v) FROM unnest('{0,1,0.5,0.333333,0.0999,0.0123,0.0004,0.001}'::float8[]) WITH ORDINALITY AS t (v, n) ORDER BY n;

SELECT page_table('["name <", "n"]', '[["<i>", 1.50], [null, -2000], [true, {"a": "<"}], [["<"], false]]', 'a "b"');
SELECT page_table(NULL, NULL, 'nothing');
SELECT page_chart('{"crm": {"title": "T<", "table": {"columns": ["a"], "rows": [[1]]}}, "series": [{"name": "</script>"}], "title": {"text": "T<", "left": 5}}', 'c1', true, 'en');
SELECT page_chart('{"title": {"text": "without a table"}}', 'c1', false, 'en', 2);
SELECT page_chart('{"crm": {"title": "nobody", "empty": true}}', 'c1', true, 'zh');
SELECT page_chart(NULL, 'c1', true, 'en') = '' AS nothing;

-- Both languages have all words.
SELECT count(*) AS in_one_language FROM (SELECT jsonb_object_keys(page_words('en'))) e (k) FULL JOIN (SELECT jsonb_object_keys(page_words('zh'))) z (k) USING (k) WHERE e.k IS NULL OR z.k IS NULL;
SELECT key FROM jsonb_each_text(page_words('zh')) WHERE value IS NULL OR value !~ '[\u4e00-\u9fff]' AND key <> 'one in';
SELECT page_words('fr');
SELECT chart_page('{}', 'x', NULL);

-- Only the very file that is pinned is kept, and only as it is.
SELECT store_report_library('alert(1)');
SELECT store_report_library(NULL);
SELECT count(*) AS stored FROM report_library_source();
INSERT INTO report_library (name, version, source) VALUES ('echarts', '6.1.0', 'alert(1)');
SELECT count(*) AS stored_unchanged FROM report_library_source();
SELECT p.html LIKE '%alert(1)%' AS inlined, p.html LIKE '%make report-assets%' AS says_how, p.html LIKE '%script-src%' AS may_run FROM chart_page('{}') AS p (html);
DELETE FROM report_library;
CREATE ROLE regress_report_reader;
GRANT USAGE ON SCHEMA crm TO regress_report_reader;
SET ROLE regress_report_reader;
SELECT count(*) FROM report_library;
INSERT INTO report_library (name, version, source) VALUES ('echarts', '6.1.0', 'alert(1)');
RESET ROLE;

-- The same page every time, and whole: the policy names the sums of what stands in it.
SELECT chart_page('{}', 'x') = chart_page('{}', 'x') AS same,
	chart_page('{}', 'x') LIKE '<!DOCTYPE html>%</html>' AS whole,
	position('style-src ''sha256-' || encode(sha256(convert_to(substring(chart_page('{}', 'x') FROM '<style>(.*)</style>'), 'UTF8')), 'base64') || '''' IN chart_page('{}', 'x')) > 0 AS sum_is_right;
REVOKE USAGE ON SCHEMA crm FROM regress_report_reader;
DROP ROLE regress_report_reader;
