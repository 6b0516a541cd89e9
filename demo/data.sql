-- A retail bank, made inside the server: customers, accounts, app and branch
-- events over a year, orders and salaries, in schema bank.
--
-- psql variable customers: how many (100,000 by default; a multiple of 1,000,
-- so that the planted groups of truths.sql come out exactly).
--
-- Names are put together at random from common surnames and syllables.  What
-- truths.sql promises follows from the customer's number alone; the rest is
-- drawn from one seeded stream of random numbers.
\set ON_ERROR_STOP on
\if :{?customers} \else \set customers 100000 \endif
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '64MB';

DROP SCHEMA IF EXISTS bank CASCADE;
CREATE SCHEMA bank;
COMMENT ON SCHEMA bank IS 'a retail bank made up for the demonstration';

SELECT setseed(0.20261031) \g /dev/null

-- The end of the last business day: everything below happened before it.
CREATE TABLE bank.calendar AS
SELECT DATE '2026-10-31' AS business_date, TIMESTAMPTZ '2026-11-01 00:00:00+08' AS closing;

CREATE TABLE bank.branch (
	branch_no	int PRIMARY KEY,
	branch		text NOT NULL UNIQUE,
	branch_en	text NOT NULL,
	city		text NOT NULL,
	city_en		text NOT NULL
);
INSERT INTO bank.branch VALUES
	(0, '北京朝阳支行', 'Beijing Chaoyang', '北京', 'Beijing'),
	(1, '北京海淀支行', 'Beijing Haidian', '北京', 'Beijing'),
	(2, '上海浦东支行', 'Shanghai Pudong', '上海', 'Shanghai'),
	(3, '上海徐汇支行', 'Shanghai Xuhui', '上海', 'Shanghai'),
	(4, '广州天河支行', 'Guangzhou Tianhe', '广州', 'Guangzhou'),
	(5, '广州越秀支行', 'Guangzhou Yuexiu', '广州', 'Guangzhou'),
	(6, '深圳南山支行', 'Shenzhen Nanshan', '深圳', 'Shenzhen'),
	(7, '西安高新支行', 'Xi''an Gaoxin', '西安', 'Xi''an'),
	(8, '西安雁塔支行', 'Xi''an Yanta', '西安', 'Xi''an'),
	(9, '成都锦江支行', 'Chengdu Jinjiang', '成都', 'Chengdu'),
	(10, '成都武侯支行', 'Chengdu Wuhou', '成都', 'Chengdu'),
	(11, '杭州西湖支行', 'Hangzhou Xihu', '杭州', 'Hangzhou'),
	(12, '南京鼓楼支行', 'Nanjing Gulou', '南京', 'Nanjing'),
	(13, '武汉洪山支行', 'Wuhan Hongshan', '武汉', 'Wuhan'),
	(14, '重庆渝中支行', 'Chongqing Yuzhong', '重庆', 'Chongqing'),
	(15, '天津和平支行', 'Tianjin Heping', '天津', 'Tianjin'),
	(16, '苏州姑苏支行', 'Suzhou Gusu', '苏州', 'Suzhou'),
	(17, '青岛市南支行', 'Qingdao Shinan', '青岛', 'Qingdao'),
	(18, '厦门思明支行', 'Xiamen Siming', '厦门', 'Xiamen'),
	(19, '长沙岳麓支行', 'Changsha Yuelu', '长沙', 'Changsha');

-- One row per customer with everything that decides what he does.  The planted
-- groups do not meet: see truths.sql.
CREATE TEMP TABLE cast_of_customers AS
SELECT n AS customer_id,
	   n % 20 AS branch_no,
	   dormant_rich, listed_vip, champion, leaving, owl,
	   payday,
	   sex, foreigner, age_days, occupation, products,
	   -- yuan, what he owns: a few per cent are rich
	   round((CASE WHEN rich THEN 1000000 + 250000 * -ln(1 - wealth)
				   ELSE least(900000, exp(9.6 + 1.5 * sqrt(-2 * ln(1 - wealth)) * cos(6.283185 * wealth_angle)))
			  END)::numeric, 2) AS assets,
	   idle_days,
	   greatest(idle_days + 30, opened_days) AS opened_days
FROM (SELECT n,
			 n % 1000 BETWEEN 101 AND 104 AS dormant_rich,
			 n % 1000 = 511 AS listed_vip,
			 n % 50 = 21 AS champion,
			 n / 20 % CASE n % 20 WHEN 7 THEN 5 ELSE 50 END < CASE n % 20 WHEN 7 THEN 2 ELSE 1 END AS leaving,
			 n % 25 = 18 AS owl,
			 CASE n % 10 WHEN 2 THEN 10 WHEN 7 THEN 25 END AS payday,
			 n % 1000 BETWEEN 101 AND 104 OR n % 1000 = 511 OR (random() < 0.02 AND n % 1000 > 20 AND n % 20 <> 7) AS rich,
			 random() < 0.5 AS sex,
			 random() < 0.08 AS foreigner,
			 6600 + floor(22000 * random() ^ 1.3)::int AS age_days,
			 (ARRAY['职员', '教师', '工程师', '个体经营', '公务员', '医护', '农户', '销售', '自由职业'])[1 + floor(9 * random())::int] AS occupation,
			 floor(4000 * random() ^ 1.2)::int AS opened_days,
			 random() AS products, random() AS wealth, random() AS wealth_angle, random() AS idle
	  FROM generate_series(1, :customers) AS n OFFSET 0) AS drawn
CROSS JOIN LATERAL
	-- days since his last event, at most a year
	(SELECT CASE WHEN dormant_rich THEN 181 + n / 1000 % 180
				 WHEN leaving THEN 91 + n / 20 % 89
				 WHEN rich OR champion THEN n % 28
				 ELSE least(360, floor(-40 * ln(1 - idle)))::int
			END) AS activity (idle_days);

CREATE TABLE bank.customer (
	customer_id	bigint PRIMARY KEY,
	name		text NOT NULL,
	name_en		text NOT NULL,
	gender		text NOT NULL,
	birth_date	date NOT NULL,
	occupation	text NOT NULL,
	branch_no	int NOT NULL REFERENCES bank.branch,
	opened_on	date NOT NULL,
	may_contact	boolean NOT NULL
);
WITH syllable AS (
	SELECT string_to_array('王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗 郑 梁 谢 宋 唐 许 韩 邓 冯 曹 彭 曾 肖 田 董 潘 袁 蔡 蒋 余', ' ') AS surname,
		   string_to_array('Wang Li Zhang Liu Chen Yang Huang Zhao Wu Zhou Xu Sun Ma Zhu Hu Guo He Lin Gao Luo Zheng Liang Xie Song Tang Xu Han Deng Feng Cao Peng Zeng Xiao Tian Dong Pan Yuan Cai Jiang Yu', ' ') AS surname_en,
		   string_to_array('安 宁 晓 文 嘉 雨 思 明 志 建 国 华 丽 秀 英 欣 怡 子 浩 宇 佳 慧 雪 海 天 立 永 春 云 书', ' ') AS given,
		   string_to_array('an ning xiao wen jia yu si ming zhi jian guo hua li xiu ying xin yi zi hao yu jia hui xue hai tian li yong chun yun shu', ' ') AS given_en,
		   string_to_array('Adam Alice Anna Ben Carla Clara Daniel David Ella Emma Eric Felix Grace Hanna Ian Jack Jane Julia Karl Kate Laura Leo Lucy Mark Mary Nina Oscar Paul Rosa Sam Sara Tom', ' ') AS first_name,
		   string_to_array('Adler Baker Barnes Berg Brook Carter Cole Cook Dale Dean Ellis Field Fisher Ford Fox Gray Green Hall Hart Hill Hunt Kent Lane Marsh Mason Mills Moore North Page Reed Stone Wood', ' ') AS last_name
)
INSERT INTO bank.customer
SELECT customer_id,
	   CASE WHEN foreigner THEN first_name[1 + a % 32] || ' ' || last_name[1 + b % 32]
			ELSE surname[1 + a % 40] || given[1 + b % 30] || CASE WHEN c % 5 > 0 THEN given[1 + c % 30] ELSE '' END END,
	   CASE WHEN foreigner THEN first_name[1 + a % 32] || ' ' || last_name[1 + b % 32]
			ELSE surname_en[1 + a % 40] || ' ' || initcap(given_en[1 + b % 30] || CASE WHEN c % 5 > 0 THEN given_en[1 + c % 30] ELSE '' END) END,
	   CASE WHEN sex THEN 'F' ELSE 'M' END,
	   business_date - age_days,
	   CASE WHEN age_days > 22500 THEN '退休' WHEN age_days < 8200 THEN '学生' ELSE occupation END,
	   branch_no,
	   business_date - opened_days,
	   d < 0.7
FROM (SELECT *, floor(1000000 * random())::int AS a, floor(1000000 * random())::int AS b,
			 floor(1000000 * random())::int AS c, random() AS d
	  FROM cast_of_customers ORDER BY customer_id OFFSET 0) AS person,
	 syllable, bank.calendar;
COMMENT ON TABLE bank.customer IS 'customers; names are random combinations of common syllables';

-- The private banking list, as the branches keep it.
CREATE TABLE bank.private_list AS
SELECT customer_id FROM cast_of_customers WHERE listed_vip;
ALTER TABLE bank.private_list ADD PRIMARY KEY (customer_id);

-- Everybody has a current account; what he owns is split over his products.
CREATE TABLE bank.account (
	customer_id	bigint NOT NULL,
	product		text NOT NULL,
	balance		numeric(14,2) NOT NULL,
	balance_90_days_ago numeric(14,2) NOT NULL,
	credit_limit numeric(14,2),
	matures_on	date,
	PRIMARY KEY (customer_id, product)
);
WITH split AS (
	SELECT dice.*,
		   CASE WHEN assets > 20000 AND products < 0.55 THEN round(assets * 0.5, 2) ELSE 0 END AS deposit,
		   CASE WHEN assets > 50000 AND products > 0.35 THEN round(assets * 0.3, 2) ELSE 0 END AS fund
	FROM (SELECT *, random() AS card, random() AS limit_dice, random() AS used, random() AS home, random() AS term
		  FROM cast_of_customers ORDER BY customer_id OFFSET 0) AS dice
)
INSERT INTO bank.account
SELECT customer_id, product, balance,
	   -- who is leaving has moved nine tenths away
	   CASE WHEN leaving AND product IN ('current', 'deposit', 'fund') THEN balance * 10 ELSE balance END,
	   credit_limit, matures_on
FROM split, bank.calendar, LATERAL (VALUES
	('current', assets - deposit - fund, NULL::numeric, NULL::date, true),
	('deposit', deposit, NULL, business_date + 1 + floor(365 * term)::int, deposit > 0),
	('fund', fund, NULL, NULL, fund > 0),
	('credit card', round((power(used, 3) * 5000 * (1 + floor(10 * limit_dice)))::numeric, 2),
	 5000 * (1 + floor(10 * limit_dice))::numeric, NULL, card < 0.45),
	('mortgage', round((200000 + 1800000 * home * 8)::numeric, 2), NULL, NULL, home < 0.12)
) AS held (product, balance, credit_limit, matures_on, has)
WHERE has;

-- Twenty events a customer on average, few
-- customers with very many.  The first event of each is his latest one.  On the
-- 21st and 22nd of September the app crashed at whatever was asked of it, else rarely.
CREATE TABLE bank.event (
	customer_id	bigint NOT NULL,
	occurred_at	timestamptz NOT NULL,
	channel		text NOT NULL,
	event		text NOT NULL
);
INSERT INTO bank.event
SELECT customer_id,
	   closing - INTERVAL '1 day' * days
		   + CASE WHEN owl THEN INTERVAL '22 hours' + INTERVAL '2 hours' * hour
				  ELSE INTERVAL '7 hours' + INTERVAL '14 hours' * hour END,
	   channel,
	   CASE WHEN first THEN 'login'
			WHEN channel = 'app' AND (days IN (40, 41) OR what < 0.01) THEN 'crash'
			WHEN what < 0.45 THEN 'login' WHEN what < 0.65 THEN 'check balance' WHEN what < 0.80 THEN 'transfer'
			WHEN what < 0.90 THEN 'view funds' WHEN what < 0.95 THEN 'view loans' WHEN what < 0.99 THEN 'pay bill'
			ELSE 'complaint' END
FROM (SELECT n <= :customers AS first,
			 CASE WHEN n <= :customers THEN n
				  ELSE 1 + floor(:customers * random() ^ 1.7)::bigint * 7919 % :customers END AS customer_id,
			 random() AS back, random() AS hour, random() AS way, random() AS what
	  FROM generate_series(1, 20 * :customers) AS n OFFSET 0) AS drawn
JOIN cast_of_customers USING (customer_id)
CROSS JOIN bank.calendar
CROSS JOIN LATERAL (SELECT CASE WHEN first THEN idle_days + 1
								ELSE idle_days + 1 + floor((least(364, opened_days) - idle_days) * back)::int END,
						   CASE WHEN way < CASE WHEN age_days > 20000 THEN 0.5 ELSE 0.05 END THEN 'branch'
								WHEN way < 0.9 THEN 'app' WHEN way < 0.97 THEN 'web' ELSE 'phone' END) AS met (days, channel);

-- Loans: begun in the app by every tenth customer, signed and paid out at the
-- counter.  Of ten who begin six apply, four sign, two have the money within two
-- weeks, one more later.
CREATE TABLE bank.loan (
	customer_id	bigint NOT NULL,
	occurred_at	timestamptz NOT NULL,
	channel		text NOT NULL,
	step		text NOT NULL,
	amount		numeric(12,2)
);
INSERT INTO bank.loan
SELECT customer_id, closing - INTERVAL '1 day' * least(greatest(364, idle_days + 30), opened_days) + day * INTERVAL '1 day' + hour * INTERVAL '1 hour', channel, step,
	   CASE WHEN step = 'loan paid out' THEN 10000 * (1 + customer_id / 10 % 20) END
FROM cast_of_customers, bank.calendar, LATERAL (SELECT customer_id / 10 % 10) AS tenth (k), LATERAL (VALUES
	('loan calculator', 'app', 1, 20.5, true), ('loan application', 'app', 2, 20.6, k < 6),
	('loan signed', 'branch', 8, 10.5, k < 4), ('loan paid out', 'branch', CASE WHEN k < 2 THEN 11 ELSE 25 END, 14.5, k < 3)
) AS taken (step, channel, day, hour, has)
WHERE customer_id % 10 = 5 AND has;

-- Orders: card payments and products bought.  Champions buy twice a month, for
-- much, and have bought in the last two days.
CREATE TABLE bank.orders (
	customer_id	bigint NOT NULL,
	ordered_at	timestamptz NOT NULL,
	product		text NOT NULL,
	amount		numeric(12,2) NOT NULL
);
INSERT INTO bank.orders
SELECT customer_id,
	   closing - INTERVAL '1 day' * (CASE WHEN champion AND first THEN 2
										  ELSE idle_days + 1 + floor((least(364, opened_days) - idle_days) * back) END)
		   + INTERVAL '8 hours' + INTERVAL '12 hours' * hour,
	   (ARRAY['groceries', 'travel', 'fund', 'insurance', 'electronics', 'dining', 'education'])[1 + floor(7 * what)::int],
	   round((CASE WHEN champion THEN 20000 + 30000 * size ELSE 20 + 3000 * size ^ 3 END)::numeric, 2)
FROM (SELECT customer_id, n = 1 AS first, champion, idle_days, opened_days,
			 random() AS back, random() AS hour, random() AS what, random() AS size
	  FROM cast_of_customers,
		   generate_series(1, CASE WHEN champion THEN 24
								   WHEN dormant_rich THEN 0
								   ELSE floor(12 * (customer_id * 7919 % 1000 / 1000.0) ^ 2)::int END) AS n
	  ORDER BY customer_id, n OFFSET 0) AS drawn
CROSS JOIN bank.calendar;

CREATE TABLE bank.salary AS
SELECT customer_id,
	   (date_trunc('month', business_date - m * INTERVAL '1 month')::date + payday - 1) AS paid_on,
	   round((4000 + customer_id * 7919 % 26000)::numeric, 2) AS amount
FROM cast_of_customers, bank.calendar, generate_series(0, 11) AS m
WHERE payday IS NOT NULL;

DROP TABLE cast_of_customers;
ANALYZE bank.customer, bank.account, bank.event, bank.loan, bank.orders, bank.salary;

-- What a bank's nightly job leaves behind: one row per customer of what he did.
CREATE TABLE bank.activity AS
SELECT customer_id,
	   count(*)::int AS events_year,
	   max(occurred_at) AS last_active_at,
	   count(*) FILTER (WHERE occurred_at >= closing - INTERVAL '30 days')::int AS events_30d,
	   count(*) FILTER (WHERE channel = 'branch')::int AS branch_visits,
	   count(*) FILTER (WHERE channel IN ('app', 'web'))::int AS online_events,
	   count(*) FILTER (WHERE extract(hour FROM occurred_at AT TIME ZONE 'Asia/Shanghai') >= 22)::int AS night_events,
	   count(*) FILTER (WHERE event = 'complaint' AND occurred_at >= closing - INTERVAL '90 days')::int AS complaints_90d,
	   count(*) FILTER (WHERE event = 'view funds' AND occurred_at >= closing - INTERVAL '90 days')::int AS fund_views_90d,
	   count(*) FILTER (WHERE event = 'view loans' AND occurred_at >= closing - INTERVAL '90 days')::int AS loan_views_90d
FROM bank.event CROSS JOIN bank.calendar
GROUP BY customer_id;
ALTER TABLE bank.activity ADD PRIMARY KEY (customer_id);

CREATE TABLE bank.holding AS
SELECT customer_id,
	   sum(balance) FILTER (WHERE product IN ('current', 'deposit', 'fund')) AS total_assets,
	   sum(balance_90_days_ago) FILTER (WHERE product IN ('current', 'deposit', 'fund')) AS assets_90_days_ago,
	   max(balance) FILTER (WHERE product = 'deposit') AS deposit,
	   max(matures_on) FILTER (WHERE product = 'deposit') AS deposit_matures_on,
	   max(balance) FILTER (WHERE product = 'fund') AS fund,
	   max(balance) FILTER (WHERE product = 'mortgage') AS mortgage,
	   max(balance) FILTER (WHERE product = 'credit card') AS card_debt,
	   max(credit_limit) AS credit_limit,
	   count(*)::int AS products
FROM bank.account
GROUP BY customer_id;
ALTER TABLE bank.holding ADD PRIMARY KEY (customer_id);

CREATE TABLE bank.spending AS
SELECT customer_id, count(*)::int AS orders_year, sum(amount) AS spent_year, max(ordered_at) AS last_order_at,
	   mode() WITHIN GROUP (ORDER BY product) AS favourite
FROM bank.orders
GROUP BY customer_id;
ALTER TABLE bank.spending ADD PRIMARY KEY (customer_id);

CREATE TABLE bank.income AS
SELECT customer_id, mode() WITHIN GROUP (ORDER BY extract(day FROM paid_on)::int) AS payday, max(amount) AS salary
FROM bank.salary
GROUP BY customer_id;
ALTER TABLE bank.income ADD PRIMARY KEY (customer_id);

ANALYZE bank.activity, bank.holding, bank.spending, bank.income;

-- The population: one row per customer, an ordinary view over ordinary tables.
CREATE VIEW bank.customer_360 AS
SELECT c.customer_id, c.name, c.name_en, c.gender, c.birth_date, c.occupation, c.opened_on, c.may_contact,
	   b.branch, b.city,
	   p.customer_id IS NOT NULL AS on_private_list,
	   h.total_assets, h.assets_90_days_ago, h.deposit, h.deposit_matures_on, h.fund, h.mortgage,
	   h.card_debt, h.credit_limit, h.products,
	   a.events_year, a.last_active_at, a.events_30d, a.branch_visits, a.online_events, a.night_events,
	   a.complaints_90d, a.fund_views_90d, a.loan_views_90d,
	   s.orders_year, s.spent_year, s.last_order_at, s.favourite,
	   i.payday, i.salary
FROM bank.customer AS c
JOIN bank.branch AS b USING (branch_no)
LEFT JOIN bank.private_list AS p USING (customer_id)
LEFT JOIN bank.holding AS h USING (customer_id)
LEFT JOIN bank.activity AS a USING (customer_id)
LEFT JOIN bank.spending AS s USING (customer_id)
LEFT JOIN bank.income AS i USING (customer_id);
COMMENT ON VIEW bank.customer_360 IS 'one row per customer: who he is, what he owns, what he did';

-- What customers did, online and at the counter, in one list: the population's events.
CREATE VIEW bank.journey AS
SELECT customer_id, occurred_at, event, NULL::numeric AS amount, channel, NULL AS product FROM bank.event
UNION ALL SELECT customer_id, occurred_at, step, amount, channel, 'loan' FROM bank.loan
UNION ALL SELECT customer_id, ordered_at, 'order', amount, NULL, product FROM bank.orders;
COMMENT ON VIEW bank.journey IS 'what customers did, saw and bought, one row an event';

RESET max_parallel_workers_per_gather;
RESET jit;
RESET work_mem;
RESET client_min_messages;
