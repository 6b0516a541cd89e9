-- What BI tools read: flat views in long form over what refresh_reports stored.
--
-- Names and types of columns are a contract (sql/report/bi_contract.sql): columns are added behind the others, none is changed.

CREATE VIEW @extschema@.bi_reports WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, d.kind, pg_catalog.pg_get_userbyid(d.owner)::text AS owner, d.description, d.options,
		r.as_of, d.refreshed_at, d.seconds, d.problem
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	LEFT JOIN LATERAL (SELECT max(x.as_of) AS as_of FROM @extschema@.report_result AS x WHERE x.report_id = d.report_id) AS r ON true;
COMMENT ON VIEW @extschema@.bi_reports IS 'the stored reports (报表目录) that the reader may know of, and how fresh they are';
COMMENT ON COLUMN @extschema@.bi_reports.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_reports.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_reports.kind IS 'what it counts: sizes, coverage, rfm, funnel, retention, life_cycle, channels, app, portrait or model';
COMMENT ON COLUMN @extschema@.bi_reports.owner IS 'role as which it is counted';
COMMENT ON COLUMN @extschema@.bi_reports.description IS 'what it is for, in its owner''s words';
COMMENT ON COLUMN @extschema@.bi_reports.options IS 'its options';
COMMENT ON COLUMN @extschema@.bi_reports.as_of IS 'the moment that was looked at last (数据截止时间); NULL where nothing may be read';
COMMENT ON COLUMN @extschema@.bi_reports.refreshed_at IS 'when it was counted last (刷新时间)';
COMMENT ON COLUMN @extschema@.bi_reports.seconds IS 'how long that took';
COMMENT ON COLUMN @extschema@.bi_reports.problem IS 'why the last try failed; NULL if it did not';

CREATE VIEW @extschema@.bi_customers WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.kind, x.name, x."value", x.customers, x.population_customers, x.share, x.tag_as_of,
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (kind text, name text, "value" text, customers bigint, population_customers bigint, share float8, tag_as_of timestamptz, suppressed boolean)
	WHERE d.kind = 'sizes';
COMMENT ON VIEW @extschema@.bi_customers IS 'sizes of tags and segments over time (标签与客群规模), one row for each day kept, and each tag, value or segment';
COMMENT ON COLUMN @extschema@.bi_customers.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_customers.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_customers.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_customers.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_customers.kind IS 'tag or segment';
COMMENT ON COLUMN @extschema@.bi_customers.name IS 'name of the tag or segment';
COMMENT ON COLUMN @extschema@.bi_customers.value IS 'value of a text tag; NULL for others';
COMMENT ON COLUMN @extschema@.bi_customers.customers IS 'customers who have it (客户数)';
COMMENT ON COLUMN @extschema@.bi_customers.population_customers IS 'all customers of the population or scope; NULL where it is not known of then';
COMMENT ON COLUMN @extschema@.bi_customers.share IS 'their share, 0 to 1 (占比)';
COMMENT ON COLUMN @extschema@.bi_customers.tag_as_of IS 'the moment for which the tag was evaluated; NULL for segments and days of the past';
COMMENT ON COLUMN @extschema@.bi_customers.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_customers.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_customers.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_customers.refreshed_at IS 'when it was counted (刷新时间)';

CREATE VIEW @extschema@.bi_tag_coverage WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.measure, x.tag, x.bucket, x.customers, x."value",
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (measure text, tag text, bucket text, customers bigint, "value" float8, suppressed boolean)
	WHERE d.kind = 'coverage';
COMMENT ON VIEW @extschema@.bi_tag_coverage IS 'how well tags cover the customers (标签覆盖率), as tag_coverage has it';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.measure IS 'tags per customer, coverage, values or effective values';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.tag IS 'name of the tag; NULL for tags per customer';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.bucket IS 'of tags per customer: 0, 1-4, 5-19 or 20+';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.customers IS 'customers in the bucket, or with the tag (客户数)';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.value IS 'the measure: a share from 0 to 1, or a number of values';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_tag_coverage.refreshed_at IS 'when it was counted (刷新时间)';

CREATE VIEW @extschema@.bi_rfm_grid WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.recency, x.frequency, x.customers, x.monetary,
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (recency bigint, frequency bigint, customers bigint, monetary float8, suppressed boolean)
	WHERE d.kind = 'rfm';
COMMENT ON VIEW @extschema@.bi_rfm_grid IS 'customers by scores of recency and frequency (RFM 矩阵)';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.recency IS 'score of recency (最近消费), the highest the most recent';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.frequency IS 'score of frequency (消费频率), the highest the most often';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.customers IS 'customers with these scores (客户数)';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.monetary IS 'what they spent together (消费金额); NULL where the report has no amounts';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_rfm_grid.refreshed_at IS 'when it was counted (刷新时间)';

CREATE VIEW @extschema@.bi_funnel WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.step, x.name, x.customers, x.from_first, x.from_previous,
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (step bigint, name text, customers bigint, from_first float8, from_previous float8, suppressed boolean)
	WHERE d.kind = 'funnel';
COMMENT ON VIEW @extschema@.bi_funnel IS 'steps of funnels (漏斗步骤)';
COMMENT ON COLUMN @extschema@.bi_funnel.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_funnel.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_funnel.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_funnel.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_funnel.step IS 'number of the step';
COMMENT ON COLUMN @extschema@.bi_funnel.name IS 'name of the step';
COMMENT ON COLUMN @extschema@.bi_funnel.customers IS 'customers who took it after those before it (客户数)';
COMMENT ON COLUMN @extschema@.bi_funnel.from_first IS 'their share of those who took step 1 (总转化率)';
COMMENT ON COLUMN @extschema@.bi_funnel.from_previous IS 'their share of those who took the step before (步骤转化率)';
COMMENT ON COLUMN @extschema@.bi_funnel.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_funnel.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_funnel.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_funnel.refreshed_at IS 'when it was counted (刷新时间)';

CREATE VIEW @extschema@.bi_retention WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.cohort, x.period, x.size, x.customers, x.share,
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (cohort date, period bigint, size bigint, customers bigint, share float8, suppressed boolean)
	WHERE d.kind = 'retention';
COMMENT ON VIEW @extschema@.bi_retention IS 'cells of cohort retention (同期群留存)';
COMMENT ON COLUMN @extschema@.bi_retention.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_retention.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_retention.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_retention.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_retention.cohort IS 'beginning of the period in which they started';
COMMENT ON COLUMN @extschema@.bi_retention.period IS 'periods since';
COMMENT ON COLUMN @extschema@.bi_retention.size IS 'customers who started (同期群人数)';
COMMENT ON COLUMN @extschema@.bi_retention.customers IS 'of them, customers who came back in that period (留存客户数)';
COMMENT ON COLUMN @extschema@.bi_retention.share IS 'their share, 0 to 1 (留存率)';
COMMENT ON COLUMN @extschema@.bi_retention.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_retention.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_retention.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_retention.refreshed_at IS 'when it was counted (刷新时间)';

CREATE VIEW @extschema@.bi_life_cycle WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.period, x.active, x."new", x.retained, x.resurrected, x.lost, x.dormant,
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (period date, active bigint, "new" bigint, retained bigint, resurrected bigint, lost bigint, dormant bigint, suppressed boolean)
	WHERE d.kind = 'life_cycle';
COMMENT ON VIEW @extschema@.bi_life_cycle IS 'customers by period of their life cycle (生命周期)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_life_cycle.period IS 'beginning of the period';
COMMENT ON COLUMN @extschema@.bi_life_cycle.active IS 'active customers (活跃)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.new IS 'active for the first time (新增)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.retained IS 'active in the period before, too (留存)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.resurrected IS 'active again after a break (回流)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.lost IS 'active in the period before, not in this one (流失)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.dormant IS 'not active in this period and the one before (沉睡)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_life_cycle.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_life_cycle.refreshed_at IS 'when it was counted (刷新时间)';

CREATE VIEW @extschema@.bi_channel_credit WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.channel, x.customers, x.conversions, x."value",
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (channel text, customers bigint, conversions float8, "value" float8, suppressed boolean)
	WHERE d.kind = 'channels';
COMMENT ON VIEW @extschema@.bi_channel_credit IS 'conversions and value by channel (渠道归因)';
COMMENT ON COLUMN @extschema@.bi_channel_credit.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_channel_credit.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_channel_credit.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_channel_credit.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_channel_credit.channel IS 'the channel; NULL: without a touch';
COMMENT ON COLUMN @extschema@.bi_channel_credit.customers IS 'customers touched by it (客户数)';
COMMENT ON COLUMN @extschema@.bi_channel_credit.conversions IS 'conversions credited to it (转化数)';
COMMENT ON COLUMN @extschema@.bi_channel_credit.value IS 'value credited to it (转化价值)';
COMMENT ON COLUMN @extschema@.bi_channel_credit.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_channel_credit.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_channel_credit.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_channel_credit.refreshed_at IS 'when it was counted (刷新时间)';

CREATE VIEW @extschema@.bi_app_daily WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.day, x.active, x.weekly, x.monthly, x."new", x.retained_1, x.retained_7, x.retained_30, x.sessions, x.session_seconds, x.crash_sessions, x.crash_customers, x.crash_session_share, x.crash_customer_share,
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (day date, active bigint, weekly bigint, monthly bigint, "new" bigint, retained_1 bigint, retained_7 bigint, retained_30 bigint, sessions bigint, session_seconds float8, crash_sessions bigint, crash_customers bigint, crash_session_share float8, crash_customer_share float8, suppressed boolean)
	WHERE d.kind = 'app';
COMMENT ON VIEW @extschema@.bi_app_daily IS 'operation of an app by day (移动运营日报)';
COMMENT ON COLUMN @extschema@.bi_app_daily.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_app_daily.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_app_daily.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_app_daily.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_app_daily.day IS 'the day in the reports zone';
COMMENT ON COLUMN @extschema@.bi_app_daily.active IS 'active customers (日活)';
COMMENT ON COLUMN @extschema@.bi_app_daily.weekly IS 'of the last 7 days (周活)';
COMMENT ON COLUMN @extschema@.bi_app_daily.monthly IS 'of the last 30 days (月活)';
COMMENT ON COLUMN @extschema@.bi_app_daily.new IS 'active for the first time (新增)';
COMMENT ON COLUMN @extschema@.bi_app_daily.retained_1 IS 'of the new ones, those active a day later (次日留存)';
COMMENT ON COLUMN @extschema@.bi_app_daily.retained_7 IS 'and seven days later (7日留存)';
COMMENT ON COLUMN @extschema@.bi_app_daily.retained_30 IS 'and thirty days later (30日留存)';
COMMENT ON COLUMN @extschema@.bi_app_daily.sessions IS 'sessions begun (会话数)';
COMMENT ON COLUMN @extschema@.bi_app_daily.session_seconds IS 'their mean length in seconds (会话时长)';
COMMENT ON COLUMN @extschema@.bi_app_daily.crash_sessions IS 'sessions with a crash (崩溃会话)';
COMMENT ON COLUMN @extschema@.bi_app_daily.crash_customers IS 'customers with a crash (崩溃客户)';
COMMENT ON COLUMN @extschema@.bi_app_daily.crash_session_share IS 'share of sessions with a crash (崩溃率)';
COMMENT ON COLUMN @extschema@.bi_app_daily.crash_customer_share IS 'share of customers with a crash';
COMMENT ON COLUMN @extschema@.bi_app_daily.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_app_daily.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_app_daily.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_app_daily.refreshed_at IS 'when it was counted (刷新时间)';

CREATE VIEW @extschema@.bi_segment_portrait WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.segment, x.base, x.tag, x."value", x.customers, x.share, x.base_customers, x.base_share, x."index", x.q_value, x.significant,
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (segment text, base text, tag text, "value" text, customers bigint, share float8, base_customers bigint, base_share float8, "index" float8, q_value float8, significant boolean, suppressed boolean)
	WHERE d.kind = 'portrait';
COMMENT ON VIEW @extschema@.bi_segment_portrait IS 'what sets segments apart from their base (客群画像)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.segment IS 'the segment expression';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.base IS 'the base expression; NULL: the population';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.tag IS 'name of the tag';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.value IS 'value of a text tag; NULL for others';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.customers IS 'customers of the segment who have it (客户数)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.share IS 'their share of the segment (客群占比)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.base_customers IS 'customers of the base who have it';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.base_share IS 'their share of the base (基准占比)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.index IS 'share / base_share x 100 (TGI)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.q_value IS 'q value of the difference, after Benjamini and Hochberg';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.significant IS 'the difference is not by chance';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_segment_portrait.refreshed_at IS 'when it was counted (刷新时间)';

CREATE VIEW @extschema@.bi_model_quality WITH (security_invoker = true) AS
	SELECT p.name AS population, d.name AS report, r.scope_no IS NULL AS whole, c.scope, x.model, x.version, x.algorithm, x.trained_at, x.measure, x.bin, x."rows", x."value", x.lower, x.upper,
		x.suppressed, r.minimum_group::bigint AS minimum_group, r.as_of, r.refreshed_at
	FROM @extschema@.report_definition AS d
	JOIN @extschema@.population_definition AS p ON p.population_id = d.population_id
	JOIN @extschema@.report_result AS r ON r.report_id = d.report_id
	LEFT JOIN @extschema@.population_scope AS c ON c.population_id = d.population_id AND c.scope_no = r.scope_no
	CROSS JOIN LATERAL jsonb_to_recordset(r.results) AS x (model text, version bigint, algorithm text, trained_at timestamptz, measure text, bin bigint, "rows" bigint, "value" float8, lower float8, upper float8, suppressed boolean)
	WHERE d.kind = 'model';
COMMENT ON VIEW @extschema@.bi_model_quality IS 'measures of models on rows held back (模型质量)';
COMMENT ON COLUMN @extschema@.bi_model_quality.population IS 'name of the population (客户群体)';
COMMENT ON COLUMN @extschema@.bi_model_quality.report IS 'name of the stored report (报表)';
COMMENT ON COLUMN @extschema@.bi_model_quality.whole IS 'true: of all customers; false: of those of one scope (is not to be added to it)';
COMMENT ON COLUMN @extschema@.bi_model_quality.scope IS 'the scope (机构): a branch or tenant; NULL where whole, and of customers without one';
COMMENT ON COLUMN @extschema@.bi_model_quality.model IS 'name of the model (模型)';
COMMENT ON COLUMN @extschema@.bi_model_quality.version IS 'the version in use';
COMMENT ON COLUMN @extschema@.bi_model_quality.algorithm IS 'how it was trained; NULL where it was stored as it is';
COMMENT ON COLUMN @extschema@.bi_model_quality.trained_at IS 'when';
COMMENT ON COLUMN @extschema@.bi_model_quality.measure IS 'auc, ks, log_loss, brier, rmse, mae, r2; and of gain and calibration by bin';
COMMENT ON COLUMN @extschema@.bi_model_quality.bin IS 'number of the bin; NULL for measures of the whole';
COMMENT ON COLUMN @extschema@.bi_model_quality.rows IS 'rows that it was measured on (样本数)';
COMMENT ON COLUMN @extschema@.bi_model_quality.value IS 'the measure';
COMMENT ON COLUMN @extschema@.bi_model_quality.lower IS 'lower limit of 95 percent, where there is one';
COMMENT ON COLUMN @extschema@.bi_model_quality.upper IS 'upper limit';
COMMENT ON COLUMN @extschema@.bi_model_quality.suppressed IS 'the group is smaller than minimum_group: its numbers are left out (小群体隐藏)';
COMMENT ON COLUMN @extschema@.bi_model_quality.minimum_group IS 'customers of the smallest group that is shown';
COMMENT ON COLUMN @extschema@.bi_model_quality.as_of IS 'the moment that was looked at (数据截止时间)';
COMMENT ON COLUMN @extschema@.bi_model_quality.refreshed_at IS 'when it was counted (刷新时间)';

GRANT SELECT ON @extschema@.bi_reports, @extschema@.bi_customers, @extschema@.bi_tag_coverage, @extschema@.bi_rfm_grid, @extschema@.bi_funnel, @extschema@.bi_retention, @extschema@.bi_life_cycle, @extschema@.bi_channel_credit, @extschema@.bi_app_daily, @extschema@.bi_segment_portrait, @extschema@.bi_model_quality TO PUBLIC;
