-- The bank's population, and tags of the five kinds over it.  A rule is an SQL
-- expression over the population's columns and the customer's timeline; as_of is the moment asked about.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

SELECT crm.create_population('bank', 'bank.customer_360', key => 'customer_id',
							 events => 'bank.journey', event_key => 'customer_id', event_time => 'occurred_at', event_name => 'event',
							 event_value => 'amount', event_attributes => '{channel,product}',
							 description => 'customers of the demonstration bank') \g /dev/null

-- base (基础): what he is
SELECT crm.create_tag(name, rule, 'base', 'bank', description => description)
FROM (VALUES
	('vip', 'on_private_list', 'on the private banking list (私行名单)'),
	('wealth', $$CASE WHEN total_assets >= 1000000 THEN 'private' WHEN total_assets >= 100000 THEN 'affluent' ELSE 'mass' END$$,
	 'by what he owns: 私行, 富裕, 大众'),
	('age_band', $$CASE WHEN birth_date > (as_of - interval '30 years')::date THEN 'under 30'
						WHEN birth_date > (as_of - interval '45 years')::date THEN '30 to 44'
						WHEN birth_date > (as_of - interval '60 years')::date THEN '45 to 59' ELSE '60 and over' END$$, '年龄段'),
	('gender', 'gender', '性别'),
	('branch', 'branch', 'keeps his account there (开户支行)'),
	('occupation', 'occupation', '职业'),
	('homeowner', 'mortgage IS NOT NULL', 'pays a mortgage (房贷)'),
	('contactable', 'may_contact', 'has agreed to be contacted (同意营销)')
) AS tag (name, rule, description) \g /dev/null

-- timeliness (时效): true for a time
SELECT crm.create_tag(name, rule, 'timeliness', 'bank', valid_for => valid_for, description => description)
FROM (VALUES
	('active', $$last_active_at >= as_of - interval '30 days'$$, interval '1 day', 'seen in the last 30 days (活跃)'),
	('dormant', $$last_active_at < as_of - interval '180 days'$$, interval '1 day', 'not seen for 180 days (沉睡)'),
	('new_customer', $$opened_on >= (as_of - interval '90 days')::date$$, interval '1 day', '新客户'),
	('birthday_month', $$extract(month FROM birth_date) = extract(month FROM as_of)$$, interval '1 month', '本月生日'),
	('deposit_matures', $$deposit_matures_on BETWEEN as_of::date AND (as_of + interval '30 days')::date$$, interval '1 day',
	 'a deposit ends within 30 days (存款到期)'),
	('app_transfers', $$crm.event_count(timeline, 'transfer[channel=app]', as_of - interval '30 days') >= 2$$, interval '1 day',
	 'at least two transfers in the app within 30 days (App转账)'),
	('loan_unsigned', $$crm.window_funnel(timeline, '14 days', ARRAY['loan calculator', 'loan application', 'loan signed']) = 2$$, interval '1 day',
	 'applied for a loan and did not sign (贷款未签约)'),
	('bought_lately', $$last_order_at >= as_of - interval '30 days'$$, interval '1 day', '近期购买')
) AS tag (name, rule, valid_for, description) \g /dev/null

-- correlation (相关): what goes together
SELECT crm.create_tag(name, rule, 'correlation', 'bank', description => description)
FROM (VALUES
	('leaving', $$total_assets <= 0.2 * assets_90_days_ago AND last_active_at < as_of - interval '90 days'$$,
	 'has moved his money away and is not seen any more (流失中)'),
	('存款不理财', 'deposit >= 50000 AND fund IS NULL', 'keeps a large deposit and has no fund'),
	('salary_without_card', 'salary IS NOT NULL AND credit_limit IS NULL', 'paid by us, card elsewhere (代发无卡)'),
	('near_limit', 'card_debt >= 0.8 * credit_limit', 'card nearly used up (额度紧张)'),
	('all_round', 'products >= 4', 'four products or more (多产品)')
) AS tag (name, rule, description) \g /dev/null

-- predictive (预测): what he will probably do
SELECT crm.create_tag(name, rule, 'predictive', 'bank', description => description)
FROM (VALUES
	('churn_risk', $$CASE WHEN CASE WHEN last_active_at < as_of - interval '60 days' THEN 2 ELSE 0 END
							 + CASE WHEN total_assets < 0.5 * assets_90_days_ago THEN 3 ELSE 0 END
							 + CASE WHEN complaints_90d > 0 THEN 1 ELSE 0 END
							 + CASE WHEN products = 1 THEN 1 ELSE 0 END >= 4 THEN 'high'
						 WHEN last_active_at < as_of - interval '60 days' OR complaints_90d > 0 THEN 'medium' ELSE 'low' END$$,
	 'points for silence, outflow, complaints, few products (流失风险)'),
	('likely_investor', 'fund IS NULL AND fund_views_90d >= 2 AND total_assets >= 20000', 'looks at funds and can afford them (理财意向)'),
	('likely_borrower', 'loan_views_90d >= 2 AND mortgage IS NULL', 'looks at loans (贷款意向)')
) AS tag (name, rule, description) \g /dev/null

-- personality (个性): how he likes it
SELECT crm.create_tag(name, rule, 'personality', 'bank', description => description)
FROM (VALUES
	('payday', $$CASE payday WHEN 10 THEN '10th' WHEN 25 THEN '25th' END$$, 'day his salary arrives (发薪日)'),
	('夜猫子', 'night_events * 2 >= events_year', 'does his banking after ten at night'),
	('channel', $$CASE WHEN branch_visits > online_events THEN 'branch' ELSE 'online' END$$, 'prefers the counter or the app (渠道偏好)'),
	('favourite', 'favourite', 'what he buys most often (消费偏好)'),
	('complainer', 'complaints_90d > 0', 'complained lately (投诉)')
) AS tag (name, rule, description) \g /dev/null

RESET client_min_messages;
