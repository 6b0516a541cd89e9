-- The report of a population: what its parts say, and to whom.
SET search_path = crm, public;
\set SHOW_CONTEXT never
SET timezone = 'UTC';
CREATE FUNCTION plain(html text) RETURNS text LANGUAGE sql RETURN
	regexp_replace(replace(regexp_replace(regexp_replace(html, '<(/tr|/li|/h.|/p|/caption|/div)>', chr(10), 'g'), '(<[^>]+>| )+', ' ', 'g'), '&#39;', ''''), '\d{4}-\d\d-\d\d \d\d:\d\d', '(time)', 'g');
-- Without a population, with one that was never refreshed.
SELECT report();
CREATE TABLE report_customer (id bigint PRIMARY KEY, city text, stage text, spent int, branch text);
INSERT INTO report_customer
SELECT i, CASE WHEN i <= 3 THEN 'Rome' WHEN i % 3 = 0 THEN 'Berlin' WHEN i % 3 = 1 THEN '上海' ELSE 'Paris' END, CASE WHEN i % 10 > 0 THEN 'known' END, i, CASE WHEN i % 4 = 0 THEN 'north' ELSE 'south' END
FROM generate_series(1, 200) i;
CREATE TABLE report_event (customer bigint, at timestamptz, event text);
-- Customer i begins in week i % 3, comes back each week while i % 4 allows; visits, then carts, then orders, ever fewer.
INSERT INTO report_event
SELECT c, timestamptz '2026-03-02 12:00Z' + (c % 3 + w) * interval '7 days' + e.no * interval '1 hour', e.event
FROM generate_series(1, 120) c, generate_series(0, 3) w, (VALUES ('visit', 0, 1), ('cart', 1, 2), ('order', 2, 4)) e (event, no, every)
WHERE w <= c % 4 AND c % e.every = 0;
SELECT create_population('report', 'report_customer', 'id', scope => 'branch', description => 'two hundred', events => 'report_event', event_key => 'customer', event_time => 'at', event_name => 'event');
SELECT plain(report_overview('report', 'en', false, 'UTC'));
SELECT create_tag('city', 'city'), create_tag('stage', 'stage', 'correlation'), create_tag('spent', 'spent', 'predictive'), create_tag('top', 'spent > 150', 'predictive'), create_tag('two', 'id <= 2', 'timeliness'),
	create_tag('nobody', 'id < 0', 'timeliness'), create_tag('lately', $$event_count(timeline, 'order') > 0$$, 'timeliness'), create_tag('risk', $$CASE WHEN spent < 20 THEN 'high' ELSE 'low' END$$, 'predictive');
SELECT register_tag_title('risk', 'zh', '风险', value_titles => '{"high": "高"}');
SELECT events FROM refresh_timelines();
SELECT count(*) FROM refresh_tags(as_of => '2026-05-01', columns => 'today');
SELECT define_segment('leading', 'top & city = Berlin', description => 'whom to call'), define_segment('both of them', 'two');

-- Each part, as tables.  Groups of fewer than five are not counted out.
SELECT plain(report_overview('report', 'en', false, 'UTC'));
SELECT plain(report_segments('report', 'en', false, '{}'));
SELECT plain(report_segments('report', 'zh', false, '{"segments": ["risk = high", "two"], "tags": ["risk", "city"]}'));
CREATE TEMP TABLE behaviour AS SELECT report_behaviour('report', 'en', false, 'UTC', '{"funnel": {"steps": ["visit", "cart", "order"], "within": "1 day"}}') AS html;
SELECT plain(substring(html FROM '<dl.*?</dl>')) AS figures FROM behaviour;
SELECT m[1] AS chart, count(*) FROM behaviour, regexp_matches(html, '<figure[^>]*?labelledby="([a-z-]+)-title"(.*?)</figure>', 'g') AS m, regexp_matches(m[2], '<tr>', 'g') GROUP BY m[1] ORDER BY m[1];
SELECT plain(substring(html FROM '<figure class="[a-z ]+?" aria-labelledby="' || chart || '-title".*?</figure>')) AS chart FROM behaviour, unnest('{life-cycle,retention,funnel,events}'::text[]) AS chart;
SELECT regexp_matches(report_behaviour('report', 'zh', false, 'UTC', '{"funnel": {"steps": ["visit", "order"], "within": "2 days"}}'), '>([^<]*转化漏斗)<') AS titled;
SELECT plain(report_scores('report', 'en', false, 'UTC'));
SELECT plain(report_coverage('report', 'en', false));
SELECT plain(regexp_replace(report_freshness('report', 'en', 'UTC'), '(>8</td><td class="n">)[0-9.]+', '\1(seconds)'));

-- Against plain SQL: what is counted by customer and by event.
SELECT (SELECT array_agg(m::text ORDER BY m::text COLLATE "C") FROM behaviour,
		regexp_matches(substring(html FROM '<figure class="figure" aria-labelledby="events-title".*?</figure>'), '<td>(visit|cart|order)</td><td class="n">(\d+)</td>', 'g') AS m)
	= (SELECT array_agg(e.n ORDER BY e.n COLLATE "C") FROM (SELECT ARRAY[event, count(*)::text]::text AS n FROM report_event GROUP BY event) e) AS same_events;
SELECT (SELECT array_agg(m::text ORDER BY m::text COLLATE "C") FROM regexp_matches(report_segments('report', 'en', false, '{}'), '<td>city</td><td>([^<]*)</td><td class="n">(\d+)</td>', 'g') AS m)
	= (SELECT array_agg(e.n ORDER BY e.n COLLATE "C") FROM (SELECT ARRAY[city, count(*)::text]::text AS n FROM report_customer GROUP BY city HAVING count(*) >= 5) e) AS same_cities;
-- A sample is the same one every time, and not all of them.
SELECT count(*) AS all_of_them, count(*) FILTER (WHERE place < 0.5) BETWEEN 40 AND 80 AS about_half FROM report_timelines('report', 1);
SELECT (SELECT count(*) FROM report_timelines('report', 0.3)) = (SELECT count(*) FROM report_timelines('report', 1) WHERE place < 0.3) AS same_ones;
SELECT report_behaviour('report', 'en', false, 'UTC', '{"sample": 60}') LIKE '%of 120 customers with events%' AS says_so, report_behaviour('report', 'en', false, 'UTC', '{"sample": 0}') LIKE '%drawn by%' AS all_says_so;

-- Stored reports have a part of their own, where there are any.
SELECT plain(report_stored('report', 'en', false, 'UTC'));
SELECT define_report('how far', 'funnel', '{"steps": ["visit", "cart", "order"], "within": "1 day"}', 'report');
SELECT report, problem FROM refresh_reports('report', as_of => '2026-05-01');
SELECT plain(report_stored('report', 'zh', false, 'Asia/Shanghai'));
-- A page holds so many of them, and says how many more there are.
BEGIN;
SELECT count(define_report('size ' || n, 'sizes', '{}', 'report')) FROM generate_series(1, 24) AS n;
SELECT count(*) FROM refresh_reports('report');
SELECT (SELECT count(*) FROM regexp_matches(s, '<figure', 'g')) AS figures, substring(s FROM '<p class="note">.*') FROM (SELECT report_stored('report', 'en', false, 'UTC')) AS r (s);
ROLLBACK;

-- The whole, in parts of one's choice, the same for the same state.
SELECT regexp_matches(p, '<h[12][^>]*>([^<]*)</h[12]>', 'g') AS heading FROM report() AS p;
SELECT regexp_matches(p, '<h[12][^>]*>([^<]*)</h[12]>', 'g') AS heading FROM report('report', 'zh', '{"sections": ["freshness", "overview"], "title": "<客户>"}') AS p;
SELECT report(options => '{"section": 1}');
SELECT report(options => '{"sections": ["all"]}');
SELECT report(options => '{"funnel": {"step": ["a"]}}');
SELECT report(options => '{"funnel": ["a"]}');
SELECT report(options => '[1]');
SELECT report(options => NULL);
SELECT report(lang => 'de');
SELECT report('reports');
SELECT create_population('another', 'report_customer', 'id');
SELECT report();
SELECT drop_population('another');

-- How small is too small is a setting.
SET crm_analytics.minimum_group_size = 66;
SELECT m[1] AS city, m[2] AS members FROM regexp_matches(report_segments('report', 'en', false, '{}'), '<td>city</td><td>([^<]*)</td><td(?: class="n")?>([^<]*)</td>', 'g') AS m;
RESET crm_analytics.minimum_group_size;

-- Stale tags are told.
SELECT replace_tag('top', 'spent > 100', 'predictive');
SELECT regexp_matches(report_freshness('report', 'en', 'UTC'), 'Stale tags: [0-9]+') AS said;

-- A reader of one branch has a page about that branch; one without rights is told so; one who may know nothing finds nothing.
CREATE ROLE regress_report_north;
CREATE ROLE regress_report_nobody;
GRANT USAGE ON SCHEMA crm TO regress_report_north, regress_report_nobody;
SELECT grant_population('report', 'regress_report_north', 'read', '{north}');
SET ROLE regress_report_north;
SELECT plain(substring(p FROM '<section id="overview".*?</section>')) AS overview, p LIKE '%<td>Rome</td>%' AS rome_shown FROM report() AS p;
SELECT plain(substring(p FROM '<section id="behaviour".*?</section>')) AS behaviour FROM report() AS p;
SELECT plain(substring(p FROM '<section id="reports".*?</section>')) AS reports FROM report() AS p;
SET ROLE regress_report_nobody;
SELECT report();
SELECT report('report');
RESET ROLE;
SELECT drop_population('report');
DROP TABLE report_customer, report_event;
DROP FUNCTION plain;
REVOKE USAGE ON SCHEMA crm FROM regress_report_north, regress_report_nobody;
DROP ROLE regress_report_north, regress_report_nobody;
