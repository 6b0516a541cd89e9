-- The taxonomy of a shop (零售), with stores or online: inputs, then tags of the five kinds.

INSERT INTO @extschema@.taxonomy_input (business, place, input, class, title, title_zh, default_value, built_in)
SELECT 'retail', row_number() OVER (), input, class, title, title_zh, default_value, true
FROM (VALUES
	('birth_date', 'date', 'date of birth', '出生日期', NULL),
	('gender', 'text', 'gender', '性别', NULL),
	('city', 'text', 'city', '城市', NULL),
	('member_since', 'date', 'member since', '入会日期', NULL),
	('member_level', 'text', 'level of membership', '会员等级', NULL),
	('store', 'text', 'store that he belongs to', '所属门店', NULL),
	('contactable', 'boolean', 'has agreed to be contacted', '同意营销', NULL),
	('email', 'text', 'e-mail address', '邮箱', NULL),
	('phone', 'text', 'telephone number', '手机号', NULL),
	('points', 'number', 'points of loyalty', '积分', NULL),
	('points_expire_on', 'date', 'when points expire', '积分到期日', NULL),
	('order', 'event', 'orders; the value is the amount', '下单', NULL),
	('view', 'event', 'looks at an article', '浏览商品', NULL),
	('cart', 'event', 'puts into the cart', '加购', NULL),
	('wish', 'event', 'puts on the list of wishes', '收藏', NULL),
	('search', 'event', 'searches', '搜索', NULL),
	('return', 'event', 'returns an article', '退货', NULL),
	('review', 'event', 'writes a review', '评价', NULL),
	('complaint', 'event', 'complains', '投诉', NULL),
	('coupon_order', 'event', 'orders with a coupon, such as order[coupon]', '用券下单', NULL),
	('online_order', 'event', 'orders online, such as order[channel=online]', '线上下单', NULL),
	('store_order', 'event', 'buys in a store, such as order[channel=store]', '门店购买', NULL),
	('category', 'attribute', 'attribute of events with the category of goods', '品类', NULL),
	('channel', 'attribute', 'attribute of events with the channel', '渠道', NULL),
	('payment', 'attribute', 'attribute of orders with the means of payment', '支付方式', NULL),
	('large_order', 'amount', 'what counts as a large order', '大额订单', '500'),
	('high_spend', 'amount', 'what a very good customer spends in a year', '高消费年度金额', '5000'),
	('zone', 'zone', 'time zone of the customers; the session''s unless mapped', '时区', NULL)
) AS i (input, class, title, title_zh, default_value);

-- Within DO, so that a database of another encoding is told so before it meets the titles.
DO $taxonomy$
BEGIN
INSERT INTO @extschema@.taxonomy_tag (business, place, kind, tag, title, title_zh, rule, value_titles_zh, built_in)
SELECT 'retail', row_number() OVER (), kind, tag, title, title_zh, btrim(rule), values_zh::jsonb, true
FROM (VALUES
	-- base (基础): who he is, and how much of a customer
	('base', 'age_band', 'Age band', '年龄段',
	 $$CASE WHEN {birth_date} > (as_of - interval '18 years')::date THEN 'under 18' WHEN {birth_date} > (as_of - interval '25 years')::date THEN '18 to 24'
 WHEN {birth_date} > (as_of - interval '35 years')::date THEN '25 to 34' WHEN {birth_date} > (as_of - interval '45 years')::date THEN '35 to 44'
 WHEN {birth_date} > (as_of - interval '60 years')::date THEN '45 to 59' WHEN {birth_date} IS NOT NULL THEN '60 and over' END$$,
	 '{"under 18": "18岁以下", "18 to 24": "18至24岁", "25 to 34": "25至34岁", "35 to 44": "35至44岁", "45 to 59": "45至59岁", "60 and over": "60岁及以上"}'),
	('base', 'generation', 'Born in the', '代际',
	 $$CASE WHEN {birth_date} >= '2000-01-01' THEN '2000s' WHEN {birth_date} >= '1990-01-01' THEN '1990s' WHEN {birth_date} >= '1980-01-01' THEN '1980s'
 WHEN {birth_date} >= '1970-01-01' THEN '1970s' WHEN {birth_date} IS NOT NULL THEN 'earlier' END$$,
	 '{"2000s": "00后", "1990s": "90后", "1980s": "80后", "1970s": "70后", "earlier": "70前"}'),
	('base', 'gender', 'Gender', '性别', $$ {gender} $$, '{"F": "女", "M": "男", "f": "女", "m": "男", "female": "女", "male": "男"}'),
	('base', 'city', 'City', '城市', $$ {city} $$, NULL),
	('base', 'member_level', 'Level', '会员等级', $$ {member_level} $$, NULL),
	('base', 'store', 'Store', '所属门店', $$ {store} $$, NULL),
	('base', 'member_years', 'Member for', '会员年限',
	 $$CASE WHEN {member_since} > (as_of - interval '1 year')::date THEN 'under 1 year' WHEN {member_since} > (as_of - interval '3 years')::date THEN '1 to 3 years'
 WHEN {member_since} IS NOT NULL THEN '3 years and more' END$$, '{"under 1 year": "不满1年", "1 to 3 years": "1至3年", "3 years and more": "3年以上"}'),
	('base', 'contactable', 'May be contacted', '同意营销', $$ {contactable} $$, NULL),
	('base', 'has_email', 'E-mail is known', '有邮箱', $$ {email} <> '' $$, NULL),
	('base', 'has_phone', 'Telephone is known', '有手机号', $$ {phone} <> '' $$, NULL),
	('base', 'points_band', 'Points', '积分等级',
	 $$CASE WHEN {points} >= 10000 THEN 'many' WHEN {points} >= 1000 THEN 'some' WHEN {points} > 0 THEN 'few' END$$, '{"many": "高", "some": "中", "few": "低"}'),
	('base', 'customer_stage', 'Stage', '客户阶段',
	 $$CASE WHEN @extschema@.event_count(timeline, {order}) = 0 THEN 'prospect' WHEN @extschema@.event_count(timeline, {order}) = 1 THEN 'first-time buyer'
 WHEN @extschema@.event_count(timeline, {order}) < 5 THEN 'repeat buyer' ELSE 'regular' END$$,
	 '{"prospect": "潜客", "first-time buyer": "首购客", "repeat buyer": "复购客", "regular": "老客"}'),
	('base', 'orders', 'Orders so far', '累计订单数', $$ @extschema@.event_count(timeline, {order}) $$, NULL),
	('base', 'spent', 'Spent so far', '累计消费金额', $$ round(@extschema@.event_sum(timeline, {order})::numeric, 2) $$, NULL),

	-- timeliness (时效): true for a time
	('timeliness', 'new_member', 'New member', '新会员', $$ {member_since} >= (as_of - interval '30 days')::date $$, NULL),
	('timeliness', 'anniversary_month', 'Anniversary this month', '入会周年月',
	 $$ extract(month FROM {member_since}) = extract(month FROM as_of) AND {member_since} < (as_of - interval '1 month')::date $$, NULL),
	('timeliness', 'birthday_month', 'Birthday this month', '本月生日', $$ extract(month FROM {birth_date}) = extract(month FROM as_of) $$, NULL),
	('timeliness', 'birthday_week', 'Birthday within a week', '一周内生日',
	 $$ extract(year FROM age(as_of::date + 7, {birth_date}::date)) > extract(year FROM age(as_of::date - 1, {birth_date}::date)) $$, NULL),
	('timeliness', 'points_expire', 'Points expire within 30 days', '积分即将到期',
	 $$ {points} > 0 AND {points_expire_on} >= as_of::date AND {points_expire_on} <= as_of::date + 30 $$, NULL),
	('timeliness', 'active', 'Active in the last 30 days', '活跃', $$ @extschema@.event_count(timeline, NULL, as_of - interval '30 days') > 0 $$, NULL),
	('timeliness', 'here_today', 'Seen in the last 24 hours', '近24小时活跃', $$ @extschema@.event_count(timeline, NULL, as_of - interval '24 hours') > 0 $$, NULL),
	('timeliness', 'ordered_week', 'Ordered within a week', '近7日下单', $$ @extschema@.event_count(timeline, {order}, as_of - interval '7 days') > 0 $$, NULL),
	('timeliness', 'ordered_month', 'Ordered within 30 days', '近30日下单', $$ @extschema@.event_count(timeline, {order}, as_of - interval '30 days') > 0 $$, NULL),
	('timeliness', 'ordered_quarter', 'Ordered within 90 days', '近90日下单', $$ @extschema@.event_count(timeline, {order}, as_of - interval '90 days') > 0 $$, NULL),
	('timeliness', 'lapsing', 'Last order 90 to 180 days ago', '即将流失',
	 $$ @extschema@.last_event(timeline, {order}) < as_of - interval '90 days' AND @extschema@.last_event(timeline, {order}) >= as_of - interval '180 days' $$, NULL),
	('timeliness', 'lapsed', 'No order for 180 days', '已流失', $$ @extschema@.last_event(timeline, {order}) < as_of - interval '180 days' $$, NULL),
	('timeliness', 'won_back', 'Ordered again after 180 days', '召回客户',
	 $$ @extschema@.event_count(timeline, {order}, as_of - interval '30 days') > 0 AND @extschema@.event_count(timeline, {order}, as_of - interval '210 days', as_of - interval '30 days') = 0
 AND @extschema@.first_event(timeline, {order}) < as_of - interval '210 days' $$, NULL),
	('timeliness', 'first_order', 'First order within 30 days', '新首购', $$ @extschema@.first_event(timeline, {order}) >= as_of - interval '30 days' $$, NULL),
	('timeliness', 'cart_abandoned', 'Left a cart within 7 days', '弃购',
	 $$ @extschema@.last_event(timeline, {cart}, as_of - interval '7 days') > coalesce(@extschema@.last_event(timeline, {order}), '-infinity') $$, NULL),
	('timeliness', 'viewed_not_bought', 'Looked within 7 days, did not order', '浏览未购',
	 $$ @extschema@.last_event(timeline, {view}, as_of - interval '7 days') > coalesce(@extschema@.last_event(timeline, {order}), '-infinity') $$, NULL),
	('timeliness', 'wished', 'Wished for something within 30 days', '近期收藏', $$ @extschema@.event_count(timeline, {wish}, as_of - interval '30 days') > 0 $$, NULL),
	('timeliness', 'returned_goods', 'Returned goods within 30 days', '近期退货', $$ @extschema@.event_count(timeline, {return}, as_of - interval '30 days') > 0 $$, NULL),
	('timeliness', 'complained_lately', 'Complained within 30 days', '近期投诉', $$ @extschema@.event_count(timeline, {complaint}, as_of - interval '30 days') > 0 $$, NULL),
	('timeliness', 'reviewed_lately', 'Wrote a review within 30 days', '近期评价', $$ @extschema@.event_count(timeline, {review}, as_of - interval '30 days') > 0 $$, NULL),
	('timeliness', 'spending_surge', 'Spends twice his usual month', '消费激增',
	 $$ @extschema@.event_sum(timeline, {order}, as_of - interval '30 days') > 0 AND @extschema@.event_sum(timeline, {order}, as_of - interval '30 days')
 >= 2 * @extschema@.event_sum(timeline, {order}, as_of - interval '180 days') / 6 $$, NULL),

	-- correlation (相关): what goes together
	('correlation', 'looks_without_order', 'Looks much, orders nothing', '多看不买',
	 $$ @extschema@.event_count(timeline, {view}, as_of - interval '90 days') >= 5 AND @extschema@.event_count(timeline, {order}, as_of - interval '90 days') = 0 $$, NULL),
	('correlation', 'carts_without_order', 'Fills carts, orders nothing', '多加购不买',
	 $$ @extschema@.event_count(timeline, {cart}, as_of - interval '90 days') >= 2 AND @extschema@.event_count(timeline, {order}, as_of - interval '90 days') = 0 $$, NULL),
	('correlation', 'wishes_without_order', 'Wishes, orders nothing', '收藏未购',
	 $$ @extschema@.event_count(timeline, {wish}, as_of - interval '90 days') > 0 AND @extschema@.event_count(timeline, {order}, as_of - interval '90 days') = 0 $$, NULL),
	('correlation', 'searches_without_order', 'Searches, finds nothing', '搜索未购',
	 $$ @extschema@.event_count(timeline, {search}, as_of - interval '30 days') >= 3 AND @extschema@.event_count(timeline, {order}, as_of - interval '30 days') = 0 $$, NULL),
	('correlation', 'returns_much', 'Returns a third or more', '高退货率',
	 $$ @extschema@.event_count(timeline, {return}, as_of - interval '365 days') * 3 >= @extschema@.event_count(timeline, {order}, as_of - interval '365 days')
 AND @extschema@.event_count(timeline, {return}, as_of - interval '365 days') >= 2 $$, NULL),
	('correlation', 'high_value', 'Spends much in a year', '高价值', $$ @extschema@.event_sum(timeline, {order}, as_of - interval '365 days') >= {high_spend} $$, NULL),
	('correlation', 'high_value_lapsing', 'Spent much, is missing', '高价值流失中',
	 $$ @extschema@.event_sum(timeline, {order}, as_of - interval '365 days') >= {high_spend} AND @extschema@.event_count(timeline, {order}, as_of - interval '90 days') = 0 $$, NULL),
	('correlation', 'loyal_but_complains', 'Orders often and complains', '忠诚但不满',
	 $$ @extschema@.event_count(timeline, {order}, as_of - interval '365 days') >= 5 AND @extschema@.event_count(timeline, {complaint}, as_of - interval '90 days') > 0 $$, NULL),
	('correlation', 'online_only', 'Online only', '纯线上',
	 $$ @extschema@.event_count(timeline, {online_order}, as_of - interval '365 days') > 0 AND @extschema@.event_count(timeline, {store_order}, as_of - interval '365 days') = 0 $$, NULL),
	('correlation', 'store_only', 'Stores only', '纯门店',
	 $$ @extschema@.event_count(timeline, {store_order}, as_of - interval '365 days') > 0 AND @extschema@.event_count(timeline, {online_order}, as_of - interval '365 days') = 0 $$, NULL),
	('correlation', 'both_channels', 'Online and stores', '全渠道',
	 $$ @extschema@.event_count(timeline, {store_order}, as_of - interval '365 days') > 0 AND @extschema@.event_count(timeline, {online_order}, as_of - interval '365 days') > 0 $$, NULL),
	('correlation', 'full_price', 'Orders without coupons', '原价客',
	 $$ @extschema@.event_count(timeline, {order}, as_of - interval '365 days') >= 2 AND @extschema@.event_count(timeline, {coupon_order}, as_of - interval '365 days') = 0 $$, NULL),
	('correlation', 'member_without_order', 'Member for 90 days, no order', '注册未购',
	 $$ {member_since} < (as_of - interval '90 days')::date AND @extschema@.event_count(timeline, {order}) = 0 $$, NULL),
	('correlation', 'points_unused', 'Many points, no order', '积分沉睡', $$ {points} >= 1000 AND @extschema@.event_count(timeline, {order}, as_of - interval '180 days') = 0 $$, NULL),
	('correlation', 'birthday_and_active', 'Birthday this month, and active', '生日活跃客户',
	 $$ extract(month FROM {birth_date}) = extract(month FROM as_of) AND @extschema@.event_count(timeline, NULL, as_of - interval '30 days') > 0 $$, NULL),

	-- predictive (预测): what he will probably do; rules over what he did, no models
	('predictive', 'order_overdue', 'Order overdue by his own rhythm', '逾期未购', $$ @extschema@.overdue(timeline, {order}, as_of, '12 hours') $$, NULL),
	('predictive', 'order_expected', 'Order expected within two weeks', '两周内预计下单',
	 $$ (@extschema@.rhythm(timeline, {order}, as_of, '12 hours')).expected_at >= as_of
 AND (@extschema@.rhythm(timeline, {order}, as_of, '12 hours')).expected_at < as_of + interval '14 days' $$, NULL),
	('predictive', 'days_between_orders', 'Days between orders, usually', '购买周期（天）',
	 $$ round((extract(epoch FROM (@extschema@.rhythm(timeline, {order}, as_of, '12 hours')).median_gap) / 86400)::numeric, 1) $$, NULL),
	('predictive', 'spending_trend', 'Trend of spending', '消费趋势',
	 $$CASE WHEN (@extschema@.trend(timeline, {order}, 'month', 12, NULL, as_of, {zone})).relative_slope > 0.05 THEN 'rising'
 WHEN (@extschema@.trend(timeline, {order}, 'month', 12, NULL, as_of, {zone})).relative_slope < -0.05 THEN 'falling'
 WHEN (@extschema@.trend(timeline, {order}, 'month', 12, NULL, as_of, {zone})).relative_slope IS NOT NULL THEN 'steady' END$$,
	 '{"rising": "上升", "falling": "下降", "steady": "平稳"}'),
	('predictive', 'churn_risk', 'Risk of leaving', '流失风险',
	 $$CASE WHEN @extschema@.event_count(timeline, {order}) = 0 THEN NULL
 WHEN (@extschema@.last_event(timeline, {order}) < as_of - interval '90 days')::int * 2 + coalesce(@extschema@.overdue(timeline, {order}, as_of, '12 hours')::int, 0) * 2
 + (@extschema@.event_count(timeline, NULL, as_of - interval '30 days') = 0)::int >= 3 THEN 'high'
 WHEN @extschema@.last_event(timeline, {order}) < as_of - interval '90 days' OR coalesce(@extschema@.overdue(timeline, {order}, as_of, '12 hours'), false) THEN 'medium' ELSE 'low' END$$,
	 '{"high": "高", "medium": "中", "low": "低"}'),
	('predictive', 'purchase_intent', 'Intent to buy', '购买意向',
	 $$CASE WHEN @extschema@.decayed_count(timeline, '3 days', {cart}, as_of) >= 0.5 THEN 'high' WHEN @extschema@.decayed_count(timeline, '3 days', {view}, as_of) >= 1 THEN 'medium'
 WHEN @extschema@.decayed_count(timeline, '3 days', {view}, as_of) > 0.1 THEN 'low' END$$, '{"high": "高", "medium": "中", "low": "低"}'),
	('predictive', 'likely_second_order', 'Likely to order a second time', '二次购买可能',
	 $$ @extschema@.event_count(timeline, {order}) = 1 AND @extschema@.event_count(timeline, {view}, @extschema@.last_event(timeline, {order})) >= 2 $$, NULL),
	('predictive', 'likely_coupon', 'Answers to coupons', '优惠敏感',
	 $$ @extschema@.event_count(timeline, {coupon_order}, as_of - interval '365 days') * 2 >= @extschema@.event_count(timeline, {order}, as_of - interval '365 days')
 AND @extschema@.event_count(timeline, {coupon_order}, as_of - interval '365 days') >= 2 $$, NULL),
	('predictive', 'likely_return', 'Likely to return what he ordered', '可能退货',
	 $$ @extschema@.event_count(timeline, {order}, as_of - interval '14 days') > 0 AND @extschema@.event_count(timeline, {return}, as_of - interval '365 days') * 3
 >= @extschema@.event_count(timeline, {order}, as_of - interval '365 days') $$, NULL),
	('predictive', 'nearly_high_value', 'Nearly a very good customer', '高价值潜客',
	 $$ @extschema@.event_sum(timeline, {order}, as_of - interval '365 days') >= 0.7 * {high_spend} AND @extschema@.event_sum(timeline, {order}, as_of - interval '365 days') < {high_spend} $$, NULL),
	('predictive', 'interest', 'Interested in, at present', '当前兴趣品类', $$ @extschema@.preferred(timeline, {category}, {view}, '14 days', NULL, 5, as_of) $$, NULL),
	('predictive', 'engagement', 'Engagement (events, each halved every 30 days)', '活跃度',
	 $$ round(@extschema@.decayed_count(timeline, '30 days', NULL, as_of)::numeric, 2) $$, NULL),

	-- personality (个性): how he likes it
	('personality', 'active_hours', 'Hours of the day', '活跃时段',
	 $$CASE WHEN @extschema@.habit_hour(timeline, NULL, as_of - interval '365 days', NULL, {zone}) BETWEEN 5 AND 11 THEN 'morning'
 WHEN @extschema@.habit_hour(timeline, NULL, as_of - interval '365 days', NULL, {zone}) BETWEEN 12 AND 17 THEN 'afternoon'
 WHEN @extschema@.habit_hour(timeline, NULL, as_of - interval '365 days', NULL, {zone}) BETWEEN 18 AND 21 THEN 'evening'
 WHEN @extschema@.habit_hour(timeline, NULL, as_of - interval '365 days', NULL, {zone}) IS NOT NULL THEN 'night' END$$,
	 '{"morning": "上午", "afternoon": "下午", "evening": "傍晚", "night": "深夜"}'),
	('personality', 'weekend_shopper', 'Shops at weekends', '周末购物', $$ @extschema@.habit_weekday(timeline, {order}, as_of - interval '365 days', NULL, {zone}) >= 6 $$, NULL),
	('personality', 'favourite_category', 'Favourite goods', '品类偏好', $$ @extschema@.preferred(timeline, {category}, {order}, NULL, NULL, 5, as_of) $$, NULL),
	('personality', 'favourite_channel', 'Favourite channel', '渠道偏好', $$ @extschema@.preferred(timeline, {channel}, NULL, NULL, NULL, 5, as_of) $$,
	 '{"app": "手机应用", "web": "网站", "online": "线上", "store": "门店", "phone": "电话"}'),
	('personality', 'favourite_payment', 'Favourite means of payment', '支付偏好', $$ @extschema@.preferred(timeline, {payment}, {order}, NULL, NULL, 5, as_of) $$, NULL),
	('personality', 'ticket', 'Size of orders', '客单价水平',
	 $$CASE WHEN @extschema@.event_count(timeline, {order}) = 0 THEN NULL
 WHEN @extschema@.event_sum(timeline, {order}) >= {large_order} * @extschema@.event_count(timeline, {order}) THEN 'large'
 WHEN @extschema@.event_sum(timeline, {order}) >= {large_order} / 5 * @extschema@.event_count(timeline, {order}) THEN 'middling' ELSE 'small' END$$,
	 '{"large": "高客单", "middling": "中客单", "small": "低客单"}'),
	('personality', 'browser', 'Looks long before he orders', '多看型',
	 $$ @extschema@.event_count(timeline, {order}) > 0 AND @extschema@.event_count(timeline, {view}) >= 10 * @extschema@.event_count(timeline, {order}) $$, NULL),
	('personality', 'decided', 'Orders without much looking', '果断型',
	 $$ @extschema@.event_count(timeline, {order}) >= 2 AND @extschema@.event_count(timeline, {view}) <= 2 * @extschema@.event_count(timeline, {order}) $$, NULL),
	('personality', 'reviewer', 'Writes reviews', '爱评价', $$ @extschema@.event_count(timeline, {review}, as_of - interval '365 days') >= 2 $$, NULL),
	('personality', 'regular', 'Orders at regular intervals', '购买规律',
	 $$ (@extschema@.rhythm(timeline, {order}, as_of, '12 hours')).spread <= (@extschema@.rhythm(timeline, {order}, as_of, '12 hours')).median_gap / 2 $$, NULL),
	('personality', 'complainer', 'Complains', '爱投诉', $$ @extschema@.event_count(timeline, {complaint}, as_of - interval '365 days') >= 2 $$, NULL)
) AS t (kind, tag, title, title_zh, rule, values_zh);
END
$taxonomy$;
