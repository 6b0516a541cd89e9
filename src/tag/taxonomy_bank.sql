-- The taxonomy of a retail bank (银行): inputs, then tags of the five kinds.
--
-- Amounts are in the bank's own currency; their defaults can be mapped, too.

INSERT INTO @extschema@.taxonomy_input (business, place, input, class, title, title_zh, default_value, built_in)
SELECT 'bank', row_number() OVER (), input, class, title, title_zh, default_value, true
FROM (VALUES
	('birth_date', 'date', 'date of birth', '出生日期', NULL),
	('gender', 'text', 'gender', '性别', NULL),
	('city', 'text', 'city', '城市', NULL),
	('occupation', 'text', 'occupation', '职业', NULL),
	('branch', 'text', 'branch that keeps the account', '开户支行', NULL),
	('opened_on', 'date', 'customer since', '开户日期', NULL),
	('contactable', 'boolean', 'has agreed to be contacted', '同意营销', NULL),
	('vip', 'boolean', 'is on the private banking list', '私行名单', NULL),
	('risk_level', 'text', 'class of the investor risk interview', '风险等级', NULL),
	('income', 'number', 'monthly income or salary paid in', '月收入', NULL),
	('payday', 'number', 'day of the month on which the salary arrives', '发薪日', NULL),
	('assets', 'number', 'everything that he keeps with the bank', '资产总额', NULL),
	('assets_before', 'number', 'the same, a quarter ago', '三个月前资产', NULL),
	('deposit', 'number', 'time deposits; NULL without', '定期存款', NULL),
	('deposit_matures_on', 'date', 'when the deposit ends', '存款到期日', NULL),
	('fund', 'number', 'funds and other investments; NULL without', '基金理财', NULL),
	('insurance', 'number', 'premiums or value of insurance; NULL without', '保险', NULL),
	('mortgage', 'number', 'mortgage still owed; NULL without', '房贷余额', NULL),
	('card_debt', 'number', 'credit card: amount used', '信用卡已用额度', NULL),
	('credit_limit', 'number', 'credit card: limit; NULL without a card', '信用卡额度', NULL),
	('products', 'number', 'number of products held', '持有产品数', NULL),
	('login', 'event', 'logs in to app or web', '登录', NULL),
	('balance_check', 'event', 'looks at his balance', '查询余额', NULL),
	('transfer', 'event', 'transfers money', '转账', NULL),
	('bill_payment', 'event', 'pays a bill', '缴费', NULL),
	('purchase', 'event', 'pays by card or buys a product; the value is the amount', '消费', NULL),
	('fund_view', 'event', 'looks at funds', '浏览理财', NULL),
	('loan_view', 'event', 'looks at loans', '浏览贷款', NULL),
	('loan_application', 'event', 'applies for a loan', '申请贷款', NULL),
	('loan_signed', 'event', 'signs a loan', '签约贷款', NULL),
	('complaint', 'event', 'complains', '投诉', NULL),
	('branch_visit', 'event', 'is at a branch, such as *[channel=branch]', '到店', NULL),
	('online_visit', 'event', 'is in app or web, such as *[channel=app]', '线上访问', NULL),
	('channel', 'attribute', 'attribute of events with the channel', '渠道', NULL),
	('product', 'attribute', 'attribute of purchases with what was bought', '品类', NULL),
	('affluent_from', 'amount', 'assets from which a customer counts as affluent', '富裕客户起点', '100000'),
	('private_from', 'amount', 'assets from which a customer counts as a private client', '私行客户起点', '1000000'),
	('large_purchase', 'amount', 'what counts as a large purchase', '大额消费', '5000'),
	('zone', 'zone', 'time zone of the customers; the session''s unless mapped', '时区', NULL)
) AS i (input, class, title, title_zh, default_value);

-- Within DO, so that a database of another encoding is told so before it meets the titles.
DO $taxonomy$
BEGIN
INSERT INTO @extschema@.taxonomy_tag (business, place, kind, tag, title, title_zh, rule, value_titles_zh, built_in)
SELECT 'bank', row_number() OVER (), kind, tag, title, title_zh, btrim(rule), values_zh::jsonb, true
FROM (VALUES
	-- base (基础): what he is and has
	('base', 'age_band', 'Age band', '年龄段',
	 $$CASE WHEN {birth_date} > (as_of - interval '25 years')::date THEN 'under 25' WHEN {birth_date} > (as_of - interval '35 years')::date THEN '25 to 34'
 WHEN {birth_date} > (as_of - interval '45 years')::date THEN '35 to 44' WHEN {birth_date} > (as_of - interval '60 years')::date THEN '45 to 59'
 WHEN {birth_date} IS NOT NULL THEN '60 and over' END$$,
	 '{"under 25": "25岁以下", "25 to 34": "25至34岁", "35 to 44": "35至44岁", "45 to 59": "45至59岁", "60 and over": "60岁及以上"}'),
	('base', 'minor', 'Under age', '未成年', $$ {birth_date} > (as_of - interval '18 years')::date $$, NULL),
	('base', 'pensioner', 'Of pension age', '退休年龄', $$ {birth_date} <= (as_of - interval '60 years')::date $$, NULL),
	('base', 'gender', 'Gender', '性别', $$ {gender} $$, '{"F": "女", "M": "男", "f": "女", "m": "男", "female": "女", "male": "男"}'),
	('base', 'city', 'City', '城市', $$ {city} $$, NULL),
	('base', 'occupation', 'Occupation', '职业', $$ {occupation} $$, NULL),
	('base', 'branch', 'Branch', '开户支行', $$ {branch} $$, NULL),
	('base', 'customer_years', 'Customer for', '客户年限',
	 $$CASE WHEN {opened_on} > (as_of - interval '1 year')::date THEN 'under 1 year' WHEN {opened_on} > (as_of - interval '3 years')::date THEN '1 to 3 years'
 WHEN {opened_on} > (as_of - interval '10 years')::date THEN '3 to 10 years' WHEN {opened_on} IS NOT NULL THEN '10 years and more' END$$,
	 '{"under 1 year": "不满1年", "1 to 3 years": "1至3年", "3 to 10 years": "3至10年", "10 years and more": "10年以上"}'),
	('base', 'contactable', 'May be contacted', '同意营销', $$ {contactable} $$, NULL),
	('base', 'private_banking', 'On the private banking list', '私行名单', $$ {vip} $$, NULL),
	('base', 'risk_level', 'Risk class', '风险等级', $$ {risk_level} $$, NULL),
	('base', 'wealth_band', 'Wealth', '资产等级',
	 $$CASE WHEN {assets} >= {private_from} THEN 'private' WHEN {assets} >= {affluent_from} THEN 'affluent' WHEN {assets} >= {affluent_from} / 10 THEN 'mass affluent'
 WHEN {assets} IS NOT NULL THEN 'mass' END$$, '{"private": "私行", "affluent": "富裕", "mass affluent": "大众富裕", "mass": "大众"}'),
	('base', 'assets_kept', 'Assets', '资产总额', $$ round({assets}::numeric, 2) $$, NULL),
	('base', 'income_band', 'Income', '收入水平',
	 $$CASE WHEN {income} >= {affluent_from} / 4 THEN 'high' WHEN {income} >= {affluent_from} / 12 THEN 'middle' WHEN {income} > 0 THEN 'low' END$$,
	 '{"high": "高收入", "middle": "中等收入", "low": "低收入"}'),
	('base', 'has_deposit', 'Has a deposit', '持有存款', $$ {deposit} > 0 $$, NULL),
	('base', 'has_fund', 'Has funds', '持有基金理财', $$ {fund} > 0 $$, NULL),
	('base', 'has_insurance', 'Has insurance', '持有保险', $$ {insurance} > 0 $$, NULL),
	('base', 'has_mortgage', 'Has a mortgage', '有房贷', $$ {mortgage} > 0 $$, NULL),
	('base', 'has_credit_card', 'Has a credit card', '持有信用卡', $$ {credit_limit} > 0 $$, NULL),
	('base', 'holdings', 'Products held', '持有产品数',
	 $$CASE WHEN {products} >= 4 THEN '4 and more' WHEN {products} >= 2 THEN '2 to 3' WHEN {products} >= 1 THEN '1' END$$,
	 '{"4 and more": "4个以上", "2 to 3": "2至3个", "1": "1个"}'),

	-- timeliness (时效): true for a time
	('timeliness', 'new_customer', 'New customer', '新客户', $$ {opened_on} >= (as_of - interval '90 days')::date $$, NULL),
	('timeliness', 'anniversary_month', 'Anniversary this month', '开户周年月',
	 $$ extract(month FROM {opened_on}) = extract(month FROM as_of) AND {opened_on} < (as_of - interval '1 month')::date $$, NULL),
	('timeliness', 'birthday_month', 'Birthday this month', '本月生日', $$ extract(month FROM {birth_date}) = extract(month FROM as_of) $$, NULL),
	('timeliness', 'birthday_week', 'Birthday within a week', '一周内生日',
	 $$ extract(year FROM age(as_of::date + 7, {birth_date}::date)) > extract(year FROM age(as_of::date - 1, {birth_date}::date)) $$, NULL),
	('timeliness', 'deposit_matures', 'Deposit ends within 30 days', '存款即将到期',
	 $$ {deposit_matures_on} >= as_of::date AND {deposit_matures_on} <= as_of::date + 30 $$, NULL),
	('timeliness', 'deposit_matured', 'Deposit ended a week ago or less', '存款刚到期',
	 $$ {deposit_matures_on} < as_of::date AND {deposit_matures_on} >= as_of::date - 7 $$, NULL),
	('timeliness', 'active', 'Active in the last 30 days', '活跃', $$ @extschema@.event_count(timeline, NULL, as_of - interval '30 days') > 0 $$, NULL),
	('timeliness', 'silent', 'Silent for 90 days', '沉默',
	 $$ @extschema@.last_event(timeline) < as_of - interval '90 days' AND @extschema@.last_event(timeline) >= as_of - interval '180 days' $$, NULL),
	('timeliness', 'dormant', 'Silent for 180 days', '沉睡', $$ @extschema@.last_event(timeline) < as_of - interval '180 days' $$, NULL),
	('timeliness', 'returned', 'Back after 90 days of silence', '回归',
	 $$ @extschema@.event_count(timeline, NULL, as_of - interval '30 days') > 0 AND @extschema@.event_count(timeline, NULL, as_of - interval '120 days', as_of - interval '30 days') = 0
 AND @extschema@.first_event(timeline) < as_of - interval '120 days' $$, NULL),
	('timeliness', 'logged_in_lately', 'Logged in within a week', '近7日登录', $$ @extschema@.event_count(timeline, {login}, as_of - interval '7 days') > 0 $$, NULL),
	('timeliness', 'bought_lately', 'Bought within 30 days', '近30日消费', $$ @extschema@.event_count(timeline, {purchase}, as_of - interval '30 days') > 0 $$, NULL),
	('timeliness', 'first_purchase', 'First purchase within 30 days', '首次消费', $$ @extschema@.first_event(timeline, {purchase}) >= as_of - interval '30 days' $$, NULL),
	('timeliness', 'spending_surge', 'Spends twice his usual month', '消费激增',
	 $$ @extschema@.event_sum(timeline, {purchase}, as_of - interval '30 days') > 0 AND @extschema@.event_sum(timeline, {purchase}, as_of - interval '30 days')
 >= 2 * @extschema@.event_sum(timeline, {purchase}, as_of - interval '180 days') / 6 $$, NULL),
	('timeliness', 'transferred_lately', 'Several transfers within 30 days', '近期频繁转账', $$ @extschema@.event_count(timeline, {transfer}, as_of - interval '30 days') >= 2 $$, NULL),
	('timeliness', 'complained_lately', 'Complained within 30 days', '近期投诉', $$ @extschema@.event_count(timeline, {complaint}, as_of - interval '30 days') > 0 $$, NULL),
	('timeliness', 'viewed_funds', 'Looked at funds within a week', '近7日浏览理财', $$ @extschema@.event_count(timeline, {fund_view}, as_of - interval '7 days') > 0 $$, NULL),
	('timeliness', 'viewed_loans', 'Looked at loans within a week', '近7日浏览贷款', $$ @extschema@.event_count(timeline, {loan_view}, as_of - interval '7 days') > 0 $$, NULL),
	('timeliness', 'loan_unsigned', 'Applied for a loan, did not sign', '贷款未签约',
	 $$ @extschema@.last_event(timeline, {loan_application}) > coalesce(@extschema@.last_event(timeline, {loan_signed}), '-infinity') $$, NULL),
	('timeliness', 'visited_branch', 'At a branch within 30 days', '近期到店', $$ @extschema@.event_count(timeline, {branch_visit}, as_of - interval '30 days') > 0 $$, NULL),

	-- correlation (相关): what goes together
	('correlation', 'outflow', 'Half of the assets gone', '资产流出', $$ {assets} <= 0.5 * {assets_before} AND {assets_before} > 0 $$, NULL),
	('correlation', 'inflow', 'Assets grown by half', '资产流入', $$ {assets} >= 1.5 * {assets_before} AND {assets} > 0 $$, NULL),
	('correlation', 'deposit_without_fund', 'Large deposit, no funds', '存款不理财', $$ {deposit} >= {affluent_from} / 2 AND coalesce({fund}, 0) = 0 $$, NULL),
	('correlation', 'concentrated', 'Four fifths in one deposit', '存款集中', $$ {deposit} >= 0.8 * {assets} AND {assets} > 0 $$, NULL),
	('correlation', 'salary_without_card', 'Salary paid in, no credit card', '代发无卡', $$ {income} > 0 AND coalesce({credit_limit}, 0) = 0 $$, NULL),
	('correlation', 'mortgage_without_insurance', 'Mortgage, no insurance', '房贷无保险', $$ {mortgage} > 0 AND coalesce({insurance}, 0) = 0 $$, NULL),
	('correlation', 'near_limit', 'Card nearly used up', '额度紧张', $$ {card_debt} >= 0.8 * {credit_limit} AND {credit_limit} > 0 $$, NULL),
	('correlation', 'card_unused', 'Card not used', '信用卡未用', $$ {credit_limit} > 0 AND coalesce({card_debt}, 0) = 0 $$, NULL),
	('correlation', 'debt_over_income', 'Card debt beyond three incomes', '负债偏高', $$ {card_debt} > 3 * {income} $$, NULL),
	('correlation', 'single_product', 'One product only', '单一产品', $$ {products} = 1 $$, NULL),
	('correlation', 'all_round', 'Four products or more', '多产品客户', $$ {products} >= 4 $$, NULL),
	('correlation', 'young_affluent', 'Affluent before 35', '年轻富裕', $$ {birth_date} > (as_of - interval '35 years')::date AND {assets} >= {affluent_from} $$, NULL),
	('correlation', 'wealthy_silent', 'Affluent and silent', '富裕沉默',
	 $$ {assets} >= {affluent_from} AND coalesce(@extschema@.last_event(timeline), '-infinity') < as_of - interval '90 days' $$, NULL),
	('correlation', 'outflow_after_complaint', 'Complained, and money goes', '投诉后流出',
	 $$ {assets} <= 0.5 * {assets_before} AND @extschema@.event_count(timeline, {complaint}, as_of - interval '90 days') > 0 $$, NULL),
	('correlation', 'looks_without_fund', 'Looks at funds, has none', '看而未买理财',
	 $$ @extschema@.event_count(timeline, {fund_view}, as_of - interval '90 days') >= 2 AND coalesce({fund}, 0) = 0 $$, NULL),
	('correlation', 'online_only', 'Online only', '纯线上客户',
	 $$ @extschema@.event_count(timeline, {online_visit}, as_of - interval '365 days') > 0 AND @extschema@.event_count(timeline, {branch_visit}, as_of - interval '365 days') = 0 $$, NULL),
	('correlation', 'branch_only', 'Branch only', '纯线下客户',
	 $$ @extschema@.event_count(timeline, {branch_visit}, as_of - interval '365 days') > 0 AND @extschema@.event_count(timeline, {online_visit}, as_of - interval '365 days') = 0 $$, NULL),
	('correlation', 'bill_payer', 'Pays his bills here', '缴费客户', $$ @extschema@.event_count(timeline, {bill_payment}, as_of - interval '365 days') >= 3 $$, NULL),

	-- predictive (预测): what he will probably do; rules over what he did, no models
	('predictive', 'churn_risk', 'Risk of leaving', '流失风险',
	 $$CASE WHEN (coalesce(@extschema@.last_event(timeline), '-infinity') < as_of - interval '60 days')::int * 2
 + coalesce(({assets} <= 0.5 * {assets_before})::int, 0) * 3 + (@extschema@.event_count(timeline, {complaint}, as_of - interval '90 days') > 0)::int
 + coalesce(({products} = 1)::int, 0) >= 4 THEN 'high'
 WHEN (coalesce(@extschema@.last_event(timeline), '-infinity') < as_of - interval '60 days') OR @extschema@.event_count(timeline, {complaint}, as_of - interval '90 days') > 0
 THEN 'medium' ELSE 'low' END$$, '{"high": "高", "medium": "中", "low": "低"}'),
	('predictive', 'purchase_overdue', 'Purchase overdue by his own rhythm', '逾期未消费', $$ @extschema@.overdue(timeline, {purchase}, as_of, '12 hours') $$, NULL),
	('predictive', 'login_overdue', 'Log-in overdue by his own rhythm', '逾期未登录', $$ @extschema@.overdue(timeline, {login}, as_of, '12 hours') $$, NULL),
	('predictive', 'purchase_expected', 'Purchase expected within two weeks', '两周内预计消费',
	 $$ (@extschema@.rhythm(timeline, {purchase}, as_of, '12 hours')).expected_at >= as_of
 AND (@extschema@.rhythm(timeline, {purchase}, as_of, '12 hours')).expected_at < as_of + interval '14 days' $$, NULL),
	('predictive', 'spending_trend', 'Trend of spending', '消费趋势',
	 $$CASE WHEN (@extschema@.trend(timeline, {purchase}, 'month', 12, NULL, as_of, {zone})).relative_slope > 0.05 THEN 'rising'
 WHEN (@extschema@.trend(timeline, {purchase}, 'month', 12, NULL, as_of, {zone})).relative_slope < -0.05 THEN 'falling'
 WHEN (@extschema@.trend(timeline, {purchase}, 'month', 12, NULL, as_of, {zone})).relative_slope IS NOT NULL THEN 'steady' END$$,
	 '{"rising": "上升", "falling": "下降", "steady": "平稳"}'),
	('predictive', 'valued_slipping', 'Frequent buyer, now missing', '高频客户流失预警',
	 $$ @extschema@.event_count(timeline, {purchase}, as_of - interval '365 days', as_of - interval '60 days') >= 6
 AND @extschema@.event_count(timeline, {purchase}, as_of - interval '60 days') = 0 $$, NULL),
	('predictive', 'likely_investor', 'Likely to invest', '理财意向',
	 $$ @extschema@.decayed_count(timeline, '30 days', {fund_view}, as_of) >= 1 AND coalesce({fund}, 0) = 0 AND {assets} >= {affluent_from} / 5 $$, NULL),
	('predictive', 'likely_borrower', 'Likely to borrow', '贷款意向', $$ @extschema@.decayed_count(timeline, '30 days', {loan_view}, as_of) >= 1 $$, NULL),
	('predictive', 'deposit_renewal', 'Deposit will stay', '存款续存',
	 $$CASE WHEN NOT ({deposit_matures_on} >= as_of::date AND {deposit_matures_on} <= as_of::date + 30) OR {deposit_matures_on} IS NULL THEN NULL
 WHEN @extschema@.event_count(timeline, NULL, as_of - interval '30 days') > 0 AND NOT coalesce({assets} <= 0.5 * {assets_before}, false) THEN 'likely' ELSE 'doubtful' END$$,
	 '{"likely": "可能续存", "doubtful": "存疑"}'),
	('predictive', 'repeat_complaint', 'Likely to complain again', '可能再次投诉', $$ @extschema@.event_count(timeline, {complaint}, as_of - interval '180 days') >= 2 $$, NULL),
	('predictive', 'nearly_private', 'Nearly a private client', '私行潜客',
	 $$ {assets} >= 0.7 * {private_from} AND {assets} < {private_from} AND coalesce({assets} >= {assets_before}, true) $$, NULL),
	('predictive', 'engagement', 'Engagement (events, each halved every 30 days)', '活跃度',
	 $$ round(@extschema@.decayed_count(timeline, '30 days', NULL, as_of)::numeric, 2) $$, NULL),

	-- personality (个性): how he likes it
	('personality', 'payday', 'Payday', '发薪日', $$ CASE WHEN {payday} BETWEEN 1 AND 10 THEN 'early in the month' WHEN {payday} <= 20 AND {payday} > 10 THEN 'mid-month' WHEN {payday} > 20 THEN 'late in the month' END $$,
	 '{"early in the month": "月初", "mid-month": "月中", "late in the month": "月末"}'),
	('personality', 'active_hours', 'Hours of the day', '活跃时段',
	 $$CASE WHEN @extschema@.habit_hour(timeline, NULL, as_of - interval '365 days', NULL, {zone}) BETWEEN 5 AND 11 THEN 'morning'
 WHEN @extschema@.habit_hour(timeline, NULL, as_of - interval '365 days', NULL, {zone}) BETWEEN 12 AND 17 THEN 'afternoon'
 WHEN @extschema@.habit_hour(timeline, NULL, as_of - interval '365 days', NULL, {zone}) BETWEEN 18 AND 21 THEN 'evening'
 WHEN @extschema@.habit_hour(timeline, NULL, as_of - interval '365 days', NULL, {zone}) IS NOT NULL THEN 'night' END$$,
	 '{"morning": "上午", "afternoon": "下午", "evening": "傍晚", "night": "深夜"}'),
	('personality', 'weekend_customer', 'Weekends', '周末客户', $$ @extschema@.habit_weekday(timeline, NULL, as_of - interval '365 days', NULL, {zone}) >= 6 $$, NULL),
	('personality', 'favourite_channel', 'Favourite channel', '渠道偏好', $$ @extschema@.preferred(timeline, {channel}, NULL, NULL, NULL, 5, as_of) $$,
	 '{"app": "手机银行", "web": "网上银行", "branch": "网点", "phone": "电话"}'),
	('personality', 'favourite_product', 'Favourite purchases', '消费偏好', $$ @extschema@.preferred(timeline, {product}, {purchase}, NULL, NULL, 5, as_of) $$,
	 '{"groceries": "日用", "travel": "旅行", "fund": "基金", "insurance": "保险", "electronics": "数码", "dining": "餐饮", "education": "教育"}'),
	('personality', 'ticket', 'Size of purchases', '单笔消费水平',
	 $$CASE WHEN @extschema@.event_count(timeline, {purchase}) = 0 THEN NULL
 WHEN @extschema@.event_sum(timeline, {purchase}) >= {large_purchase} * @extschema@.event_count(timeline, {purchase}) THEN 'large'
 WHEN @extschema@.event_sum(timeline, {purchase}) >= {large_purchase} / 10 * @extschema@.event_count(timeline, {purchase}) THEN 'middling' ELSE 'small' END$$,
	 '{"large": "大额", "middling": "中等", "small": "小额"}'),
	('personality', 'money_style', 'Style with money', '理财风格',
	 $$CASE WHEN {fund} > coalesce({deposit}, 0) THEN 'investor' WHEN {deposit} > 0 AND coalesce({fund}, 0) = 0 THEN 'saver' WHEN {deposit} > 0 THEN 'balanced' END$$,
	 '{"investor": "投资型", "saver": "储蓄型", "balanced": "均衡型"}'),
	('personality', 'balance_watcher', 'Often looks at the balance', '常查余额', $$ @extschema@.event_count(timeline, {balance_check}, as_of - interval '365 days') >= 6 $$, NULL),
	('personality', 'regular', 'Buys at regular intervals', '消费规律',
	 $$ (@extschema@.rhythm(timeline, {purchase}, as_of, '12 hours')).spread <= (@extschema@.rhythm(timeline, {purchase}, as_of, '12 hours')).median_gap / 2 $$, NULL),
	('personality', 'complainer', 'Complains', '爱投诉', $$ @extschema@.event_count(timeline, {complaint}, as_of - interval '365 days') >= 2 $$, NULL),
	('personality', 'big_spender', 'Has made a large purchase', '大额消费者', $$ @extschema@.event_count(timeline, {purchase}, as_of - interval '365 days') > 0
 AND @extschema@.value_velocity(timeline, '0 seconds', {purchase}, as_of - interval '365 days') >= {large_purchase} $$, NULL)
) AS t (kind, tag, title, title_zh, rule, values_zh);
END
$taxonomy$;
