-- Every chart with as much on it as it may be given, in both languages, one page each; and with nothing.
\set hostile '</script><script>alert(1)</script><img src=x onerror=alert(1)>"''&<!--{b}{c|x}'
CREATE TEMP TABLE chart (place serial, lang text, option jsonb);
CREATE FUNCTION pg_temp.noise(n bigint) RETURNS float8 LANGUAGE sql RETURN (n * 7919 % 10007) / 10007.0;
INSERT INTO chart (lang, option)
SELECT lang, crm.chart_trend(array_agg(date '2026-01-01' + i ORDER BY i), array_agg(10000 + 2000 * sin(i * 0.8976) + 500 * pg_temp.noise(i) - CASE WHEN i IN (40, 41, 42) THEN 6000 ELSE 0 END ORDER BY i),
	CASE lang WHEN 'zh' THEN '手机银行应用每日活跃客户数与去年同期对比，以及异常日' ELSE 'Daily active customers of the mobile bank compared with the year before, and its outages' END, lang,
	CASE lang WHEN 'zh' THEN '客户' ELSE 'customers' END, array_agg(9000 + 2000 * sin(i * 0.8976) ORDER BY i), ARRAY[daterange('2026-02-10', '2026-02-13')], '{2026,2025}')
FROM unnest('{en,zh}'::text[]) lang, generate_series(0, 119) i WHERE i <> 60 GROUP BY lang
UNION ALL
SELECT lang, crm.chart_lines(array_agg((date '2026-01-01' + m * interval '1 month')::date), array_agg(CASE s WHEN 3 THEN :'hostile' ELSE 'segment ' || s END), array_agg(10.0 * s + pg_temp.noise(s * m)), NULL, lang, 'kEUR')
FROM unnest('{en,zh}'::text[]) lang, generate_series(1, 11) s, generate_series(0, 11) m GROUP BY lang
UNION ALL
SELECT lang, crm.chart_lines(array_agg(date '2026-01-05' + 7 * m), array_agg(s), array_agg(100 * pg_temp.noise(m * k)), CASE lang WHEN 'zh' THEN '生命周期' ELSE 'Life cycle' END, lang, stacked => true)
FROM unnest('{en,zh}'::text[]) lang, unnest('{新增,retained,回流,lost}'::text[]) WITH ORDINALITY AS s (s, k), generate_series(1, 20) m GROUP BY lang
UNION ALL
SELECT lang, crm.chart_bar(array_agg(CASE i WHEN 2 THEN :'hostile' WHEN 3 THEN '一个非常长的客户分类名称用来测试显示效果如何' WHEN 4 THEN NULL ELSE 'category ' || i END), array_agg(1e6 / i), NULL, lang, CASE lang WHEN 'zh' THEN '元' ELSE 'EUR' END)
FROM unnest('{en,zh}'::text[]) lang, generate_series(1, 100) i GROUP BY lang
UNION ALL
SELECT lang, crm.chart_rfm(array_agg(r), array_agg(f), array_agg((r * f * f * 77)::bigint), NULL, lang) FROM unnest('{en,zh}'::text[]) lang, generate_series(1, 5) r, generate_series(1, 5) f GROUP BY lang
UNION ALL
SELECT lang, crm.chart_cohort(array_agg(ROW((date '2024-01-01' + c * interval '1 month')::date, 1200 + c, p, CASE p WHEN 0 THEN 1200 + c ELSE 500 / (1 + p) + 3 * c END, NULL)::crm.retention_row), NULL, lang)
FROM unnest('{en,zh}'::text[]) lang, generate_series(0, 29) c, generate_series(0, 12) p WHERE c + p <= 29 GROUP BY lang
UNION ALL
SELECT lang, crm.chart_funnel(CASE lang WHEN 'zh' THEN ARRAY['浏览商品页面', '加入购物车', '提交订单', '付款成功'] ELSE ARRAY['Looked at a page of the shop', :'hostile', 'Ordered', 'Paid'] END, '{123456,60021,23000,17}', NULL, lang)
FROM unnest('{en,zh}'::text[]) lang
UNION ALL
SELECT lang, crm.chart_paths(array_agg(s), array_agg(CASE WHEN s = 1 THEN '(start)' WHEN a = 3 THEN :'hostile' ELSE 'page ' || a END), array_agg(CASE b WHEN 1 THEN '(end)' WHEN 3 THEN :'hostile' ELSE 'page ' || b END),
	array_agg((1000 / (a + b) / s)::bigint), NULL, lang)
FROM unnest('{en,zh}'::text[]) lang, generate_series(1, 8) s, generate_series(2, 12) a, generate_series(1, 12) b WHERE s > 1 OR a = 2 AND b <> 1 GROUP BY lang
UNION ALL
SELECT lang, crm.chart_radar(ARRAY['has_email', 'city: 上海', 'rfm_segment: Can''t Lose Them', 'top_spender', 'repeat_buyer', '消费偏好: 数码产品', :'hostile', 'opted_out'],
	'{0.9,0.3,0.12,0.55,0.7,0.33,0.1,0.02}', '{0.6,0.25,0.05,0.2,0.5,0.3,0.12,0.1}', CASE lang WHEN 'zh' THEN '高价值且沉睡' ELSE 'top_spender & gone_quiet - opted_out' END, lang) FROM unnest('{en,zh}'::text[]) lang
UNION ALL
SELECT lang, crm.chart_calendar(array_agg(date '2025-03-01' + i), array_agg(abs(1000 * sin(i / 40.0))), NULL, lang, 'EUR') FROM unnest('{en,zh}'::text[]) lang, generate_series(0, 500) i GROUP BY lang
UNION ALL
SELECT lang, crm.chart_gain(crm.gain_table(10, pg_temp.noise(i) > 0.6, pg_temp.noise(i) + pg_temp.noise(i * 31)), NULL, lang) FROM unnest('{en,zh}'::text[]) lang, generate_series(1, 3000) i GROUP BY lang
UNION ALL
SELECT lang, crm.chart_calibration(crm.calibration_table(10, pg_temp.noise(i) < pg_temp.noise(i * 31) ^ 2, pg_temp.noise(i * 31)), NULL, lang) FROM unnest('{en,zh}'::text[]) lang, generate_series(1, 1000) i GROUP BY lang
UNION ALL
SELECT lang, crm.chart_survival(crm.kaplan_meier(round(-ln(pg_temp.noise(i) + 0.01) * 24), i % 10 < 7), NULL, lang, CASE lang WHEN 'zh' THEN '月' ELSE 'months' END)
FROM unnest('{en,zh}'::text[]) lang, generate_series(1, 80) i GROUP BY lang
UNION ALL
SELECT lang, crm.chart_paths('{}', '{}', '{}', '{}', NULL, lang) FROM unnest('{en,zh}'::text[]) lang;
\o :pages/charts-en.html
SELECT crm.chart_page(array_agg(option ORDER BY place), 'Charts') FROM chart WHERE lang = 'en';
\o :pages/charts-zh.html
SELECT crm.chart_page(array_agg(option ORDER BY place), '图表', 'zh') FROM chart WHERE lang = 'zh';
\o
