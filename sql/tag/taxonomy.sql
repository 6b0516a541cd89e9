-- The starter taxonomy: every tag evaluates; its customers are those that plain SQL finds, or that were planted.
SET search_path = crm, public;
SET timezone = 'UTC';
SET client_min_messages = warning;
\set SHOW_CONTEXT never

-- What there is: tags of the five kinds, with titles in both languages, over inputs that are described.
SELECT taxonomy, kind, count(*), count(*) >= 10 AS enough FROM taxonomy() GROUP BY taxonomy, kind ORDER BY taxonomy, kind;
SELECT taxonomy, count(*) >= 60 AS sixty, count(DISTINCT title) = count(*) AS titles_differ, count(title_zh) = count(*) AS in_chinese FROM taxonomy() GROUP BY taxonomy ORDER BY 1;
SELECT t.taxonomy, t.tag, i AS unknown_input FROM taxonomy() t, unnest(t.inputs) i WHERE NOT EXISTS (SELECT FROM taxonomy_inputs(t.taxonomy) k WHERE k.input = i);
SELECT b AS taxonomy, input AS of_no_tag FROM unnest('{bank,retail}'::text[]) b, taxonomy_inputs(b) WHERE tags = '{}';
SELECT tag, title, title_zh, rule, inputs FROM taxonomy('bank') WHERE tag IN ('deposit_without_fund', 'bought_lately');
SELECT * FROM taxonomy_inputs('retail') WHERE input IN ('points', 'order', 'zone', 'large_order');
SELECT taxonomy_rule('a {x} b {y} {"z"} {}', '{"x": "{y}", "y": "2"}'), taxonomy_rule_inputs('{b} {a} {b} {"z"} {1}');

-- Customers and what they did, with a few of known habits: 1 to 10.
CREATE TABLE taxon_moment AS SELECT timestamptz '2026-06-30 12:00Z' AS m;
CREATE FUNCTION taxon_draw(i int, salt int, n int) RETURNS int LANGUAGE SQL IMMUTABLE RETURN abs(hashint8(i::bigint * 1000 + salt)::bigint) % n;
CREATE TABLE taxon_customer AS
SELECT i::bigint AS id, date '2026-06-30' - (5000 + taxon_draw(i, 1, 20000)) AS born, (ARRAY['F', 'M'])[1 + taxon_draw(i, 2, 2)] AS sex,
	(ARRAY['上海', '北京', NULL])[1 + taxon_draw(i, 3, 3)] AS town, (ARRAY['gold', 'silver'])[1 + taxon_draw(i, 4, 2)] AS grade,
	date '2026-06-30' - taxon_draw(i, 5, 5000) AS joined, taxon_draw(i, 6, 3) > 0 AS ok, CASE WHEN taxon_draw(i, 7, 20) > 0 THEN false WHEN true THEN true END AS listed,
	CASE WHEN taxon_draw(i, 8, 2) = 0 THEN taxon_draw(i, 9, 30000) END AS pay, CASE WHEN taxon_draw(i, 8, 2) = 0 THEN 1 + taxon_draw(i, 10, 28) END AS payday,
	(taxon_draw(i, 11, 10) ^ 6 * 3)::numeric(14, 2) AS wealth, (taxon_draw(i, 12, 10) ^ 6 * 3)::numeric(14, 2) AS wealth_before,
	CASE WHEN taxon_draw(i, 13, 3) = 0 THEN (taxon_draw(i, 11, 10) ^ 6 * (1 + taxon_draw(i, 14, 3)))::numeric(14, 2) END AS term,
	CASE WHEN taxon_draw(i, 13, 3) = 0 THEN date '2026-06-30' + taxon_draw(i, 15, 90) - 20 END AS term_ends,
	CASE WHEN taxon_draw(i, 16, 3) = 0 THEN 1000 END AS fund, CASE WHEN taxon_draw(i, 17, 4) = 0 THEN 500 END AS cover,
	CASE WHEN taxon_draw(i, 18, 5) = 0 THEN 900000 END AS house, CASE WHEN taxon_draw(i, 19, 2) = 0 THEN 20000 END AS card_limit,
	CASE WHEN taxon_draw(i, 19, 2) = 0 THEN taxon_draw(i, 20, 5) * 5000 END AS card_used, 1 + taxon_draw(i, 21, 5) AS products,
	CASE WHEN taxon_draw(i, 22, 2) = 0 THEN i || '@example.com' ELSE '' END AS mail, CASE WHEN taxon_draw(i, 23, 2) = 0 THEN '138' END AS tel,
	taxon_draw(i, 24, 4) * 4000 AS points, date '2026-06-30' + taxon_draw(i, 25, 100) - 30 AS points_end, (ARRAY['R1', 'R2', 'R3'])[1 + taxon_draw(i, 26, 3)] AS r
FROM generate_series(1, 500) i;
CREATE TABLE taxon_event (customer bigint, ts timestamptz, event text, amount numeric, channel text, category text, payment text, coupon boolean);
INSERT INTO taxon_event
SELECT 11 + taxon_draw(i, 30, 470), m - interval '1 day' * (taxon_draw(i, 31, 400) * taxon_draw(i, 32, 400) / 400.0) - interval '1 minute' * taxon_draw(i, 33, 1440),
	(ARRAY['order', 'order', 'view', 'view', 'view', 'cart', 'wish', 'search', 'return', 'review', 'complaint', 'login', 'balance', 'transfer', 'bill', 'loan', 'signed', 'funds'])[1 + taxon_draw(i, 34, 18)],
	50 + taxon_draw(i, 35, 200) ^ 2 / 10, (ARRAY['online', 'store'])[1 + taxon_draw(i, 36, 2)], (ARRAY['shoes', 'food', 'toys'])[1 + taxon_draw(i, 37, 3)],
	(ARRAY['card', 'cash'])[1 + taxon_draw(i, 38, 2)], CASE WHEN taxon_draw(i, 39, 3) = 0 THEN true END
FROM generate_series(1, 9000) i, taxon_moment;
-- What lies ahead must count for nothing.
INSERT INTO taxon_event SELECT customer, m + interval '1 hour', 'order', 99999, 'online', 'toys', 'card', true FROM taxon_event, taxon_moment WHERE customer % 3 = 0 GROUP BY customer, m;
INSERT INTO taxon_event
-- 1 orders every ten days and has stopped; 2 goes on; 3 spends more each month, 4 less, 5 the same
SELECT 1, m - interval '80 days' - interval '10 days' * k, 'order', 100, 'online', 'shoes', 'card', NULL::boolean FROM taxon_moment, generate_series(0, 9) k
UNION ALL SELECT 2, m - interval '3 days' - interval '10 days' * k, 'order', 100, 'store', 'food', 'cash', NULL FROM taxon_moment, generate_series(0, 9) k
UNION ALL SELECT 3, m - interval '40 days' - interval '1 month' * k, 'order', 1300 - 100 * k, 'online', 'toys', 'card', NULL FROM taxon_moment, generate_series(0, 11) k
UNION ALL SELECT 4, m - interval '40 days' - interval '1 month' * k, 'order', 100 + 100 * k, 'online', 'toys', 'card', NULL FROM taxon_moment, generate_series(0, 11) k
UNION ALL SELECT 5, m - interval '40 days' - interval '1 month' * k, 'order', 500, 'online', 'toys', 'card', NULL FROM taxon_moment, generate_series(0, 11) k
-- 6 logged in every day and has stopped; 7 looks at funds and loans and fills a cart; 8 at night; 9 on Saturdays; 10 did nothing
UNION ALL SELECT 6, m - interval '40 days' - interval '1 day' * k, 'login', NULL, 'online', NULL, NULL, NULL FROM taxon_moment, generate_series(0, 20) k
UNION ALL SELECT 7, m - interval '1 hour' - interval '1 day' * k, e, NULL, 'online', 'shoes', NULL, NULL FROM taxon_moment, generate_series(0, 2) k, unnest('{funds,view,cart}'::text[]) e
UNION ALL SELECT 8, m::date - k + time '23:30', 'transfer', 5, 'online', NULL, NULL, NULL FROM taxon_moment, generate_series(1, 5) k
UNION ALL SELECT 9, timestamptz '2026-06-27 10:00Z' - interval '7 days' * k, 'order', 5, 'store', 'food', 'cash', NULL FROM taxon_moment, generate_series(0, 5) k;
INSERT INTO taxon_event
-- 481 to 485 did nothing for half a year, 486 to 490 for a quarter, 491 to 493 came back; 494 looked twelve times before he ordered, 495 only searched
SELECT c, m - interval '1 day' * (200 + c - 480), 'login', NULL::numeric, 'online', NULL, NULL, NULL::boolean FROM taxon_moment, generate_series(481, 485) c
UNION ALL SELECT c, m - interval '1 day' * (100 + 10 * (c - 486)), 'login', NULL, 'store', NULL, NULL, NULL FROM taxon_moment, generate_series(486, 490) c
UNION ALL SELECT c, m - interval '1 day' * d, 'login', NULL, 'store', NULL, NULL, NULL FROM taxon_moment, generate_series(491, 493) c, unnest('{300,3}'::int[]) d
UNION ALL SELECT 494, m - interval '1 day' * d, CASE WHEN d = 20 THEN 'order' ELSE 'view' END, 20, 'online', 'toys', 'card', NULL FROM taxon_moment, generate_series(20, 32) d
UNION ALL SELECT 495, m - interval '1 day' * d, 'search', NULL, 'online', NULL, NULL, NULL FROM taxon_moment, generate_series(2, 5) d;
CREATE INDEX taxon_event_customer ON taxon_event (customer, event);
ANALYZE taxon_customer, taxon_event;
SELECT create_population('shop', 'taxon_customer', 'id', events => 'taxon_event', event_key => 'customer', event_time => 'ts', event_name => 'event', event_value => 'amount',
	event_attributes => '{channel,category,payment,coupon}');
SELECT create_population('bank', 'taxon_customer', 'id', events => 'taxon_event', event_key => 'customer', event_time => 'ts', event_name => 'event', event_value => 'amount',
	event_attributes => '{channel,category}');

-- With everything mapped, everything is created; a second time nothing is to do.
CREATE TABLE taxon_mapping AS SELECT 'retail' AS business, 'shop' AS population, jsonb '{"birth_date": "born", "gender": "sex", "city": "town", "member_since": "joined", "member_level": "grade",
	"store": "upper(coalesce(town, ''-''))", "contactable": "ok", "email": "mail", "phone": "tel", "points": "points", "points_expire_on": "points_end", "order": "order", "view": "view", "cart": "cart",
	"wish": "wish", "search": "search", "return": "return", "review": "review", "complaint": "complaint", "coupon_order": "order[coupon]", "online_order": "order[channel=online]",
	"store_order": "order[channel=store]", "category": "category", "channel": "channel", "payment": "payment", "large_order": 1000, "high_spend": "6000", "zone": "UTC"}' AS mapping
UNION ALL SELECT 'bank', 'bank', '{"birth_date": "born", "gender": "sex", "city": "town", "occupation": "grade", "branch": "town", "opened_on": "joined", "contactable": "ok", "vip": "listed", "risk_level": "r",
	"income": "pay", "payday": "payday", "assets": "wealth", "assets_before": "wealth_before", "deposit": "term", "deposit_matures_on": "term_ends", "fund": "fund", "insurance": "cover", "mortgage": "house",
	"card_debt": "card_used", "credit_limit": "card_limit", "products": "products", "login": "login", "balance_check": "balance", "transfer": "transfer", "bill_payment": "bill", "purchase": "order",
	"fund_view": "funds", "loan_view": "search", "loan_application": "loan", "loan_signed": "signed", "complaint": "complaint", "branch_visit": "*[channel=store]", "online_visit": "*[channel=online]",
	"channel": "channel", "product": "category", "large_purchase": 1000}';
SELECT business, status, count(*), count(*) = (SELECT count(*) FROM taxonomy(m.business)) AS all_of_them FROM taxon_mapping m, install_taxonomy(m.business, m.mapping, m.population) GROUP BY business, status ORDER BY 1;
SELECT business, status, count(*) FROM taxon_mapping m, install_taxonomy(m.business, m.mapping, m.population) GROUP BY business, status ORDER BY 1;
SELECT customers FROM refresh_timelines('shop');
SELECT customers FROM refresh_timelines('bank');
SELECT population, count(DISTINCT tag) FROM taxon_mapping m, taxon_moment, refresh_tags(population, as_of => m, columns => 'today') GROUP BY population ORDER BY 1;

-- Plain SQL: how often, how much, when first and last, up to the moment.
CREATE FUNCTION taxon_n(c bigint, name text, days int DEFAULT 100000, until int DEFAULT 0, tested boolean DEFAULT true) RETURNS bigint LANGUAGE SQL STABLE RETURN
	(SELECT count(*) FROM taxon_event e, taxon_moment WHERE e.customer = c AND (name IS NULL OR e.event = name) AND ts <= m AND ts >= m - days * interval '1 day' AND (until = 0 OR ts < m - until * interval '1 day'));
CREATE FUNCTION taxon_s(c bigint, name text, days int DEFAULT 100000) RETURNS numeric LANGUAGE SQL STABLE RETURN
	(SELECT coalesce(sum(amount), 0) FROM taxon_event e, taxon_moment WHERE e.customer = c AND e.event = name AND ts <= m AND ts >= m - days * interval '1 day');
CREATE FUNCTION taxon_first(c bigint, name text) RETURNS timestamptz LANGUAGE SQL STABLE RETURN (SELECT min(ts) FROM taxon_event e, taxon_moment WHERE e.customer = c AND (name IS NULL OR e.event = name) AND ts <= m);
CREATE FUNCTION taxon_last(c bigint, name text) RETURNS timestamptz LANGUAGE SQL STABLE RETURN (SELECT max(ts) FROM taxon_event e, taxon_moment WHERE e.customer = c AND (name IS NULL OR e.event = name) AND ts <= m);
CREATE FUNCTION taxon_chan(c bigint, ch text, name text DEFAULT NULL) RETURNS bigint LANGUAGE SQL STABLE RETURN
	(SELECT count(*) FROM taxon_event e, taxon_moment WHERE e.customer = c AND (name IS NULL OR e.event = name) AND channel = ch AND ts <= m AND ts >= m - interval '365 days');
CREATE FUNCTION taxon_coupon(c bigint) RETURNS bigint LANGUAGE SQL STABLE RETURN
	(SELECT count(*) FROM taxon_event e, taxon_moment WHERE e.customer = c AND event = 'order' AND coupon IS NOT NULL AND ts <= m AND ts >= m - interval '365 days');
CREATE FUNCTION taxon_warm(c bigint, name text, half_life float8) RETURNS float8 LANGUAGE SQL STABLE RETURN
	(SELECT coalesce(sum(power(0.5, extract(epoch FROM m - ts) / 86400 / half_life)), 0) FROM taxon_event e, taxon_moment WHERE e.customer = c AND (name IS NULL OR event = name) AND ts <= m);
CREATE TABLE taxon_expected (population text, tag text, value text, condition text);
INSERT INTO taxon_expected VALUES
	('bank', 'minor', NULL, 'born > date ''2008-06-30'''), ('bank', 'pensioner', NULL, 'born <= date ''1966-06-30'''), ('bank', 'age_band', '25 to 34', 'born > date ''1991-06-30'' AND born <= date ''2001-06-30'''),
	('bank', 'gender', 'F', 'sex = ''F'''), ('bank', 'city', '北京', 'town = ''北京'''), ('bank', 'risk_level', 'R2', 'r = ''R2'''), ('bank', 'customer_years', '1 to 3 years', 'joined > date ''2023-06-30'' AND joined <= date ''2025-06-30'''),
	('bank', 'contactable', NULL, 'ok'), ('bank', 'private_banking', NULL, 'listed'), ('bank', 'wealth_band', 'private', 'wealth >= 1000000'), ('bank', 'wealth_band', 'mass', 'wealth < 10000'),
	('bank', 'assets_kept', NULL, 'true'), ('bank', 'income_band', 'high', 'pay >= 25000'), ('bank', 'income_band', 'low', 'pay > 0 AND pay < 100000 / 12.0'), ('bank', 'has_deposit', NULL, 'term > 0'), ('bank', 'has_fund', NULL, 'fund IS NOT NULL'),
	('bank', 'has_insurance', NULL, 'cover IS NOT NULL'), ('bank', 'has_mortgage', NULL, 'house IS NOT NULL'), ('bank', 'has_credit_card', NULL, 'card_limit IS NOT NULL'), ('bank', 'holdings', '2 to 3', 'products IN (2, 3)'),
	('bank', 'new_customer', NULL, 'joined >= date ''2026-04-01'''), ('bank', 'anniversary_month', NULL, 'to_char(joined, ''MM'') = ''06'' AND joined < date ''2026-05-30'''),
	('bank', 'birthday_month', NULL, 'to_char(born, ''MM'') = ''06'''),
	('bank', 'birthday_week', NULL, 'EXISTS (SELECT FROM generate_series(0, 7) d WHERE to_char(born, ''MMDD'') = to_char(date ''2026-06-30'' + d, ''MMDD''))'),
	('bank', 'deposit_matures', NULL, 'term_ends BETWEEN ''2026-06-30'' AND ''2026-07-30'''), ('bank', 'deposit_matured', NULL, 'term_ends BETWEEN ''2026-06-23'' AND ''2026-06-29'''),
	('bank', 'active', NULL, 'taxon_n(id, NULL, 30) > 0'), ('bank', 'silent', NULL, 'taxon_n(id, NULL, 90) = 0 AND taxon_n(id, NULL, 180) > 0'), ('bank', 'dormant', NULL, 'taxon_n(id, NULL, 180) = 0 AND taxon_n(id, NULL) > 0'),
	('bank', 'returned', NULL, 'taxon_n(id, NULL, 30) > 0 AND taxon_n(id, NULL, 120, 30) = 0 AND taxon_n(id, NULL, 100000, 120) > 0'), ('bank', 'logged_in_lately', NULL, 'taxon_n(id, ''login'', 7) > 0'),
	('bank', 'bought_lately', NULL, 'taxon_n(id, ''order'', 30) > 0'), ('bank', 'first_purchase', NULL, 'taxon_n(id, ''order'', 30) > 0 AND taxon_n(id, ''order'') = taxon_n(id, ''order'', 30)'),
	('bank', 'spending_surge', NULL, 'taxon_s(id, ''order'', 30) > 0 AND taxon_s(id, ''order'', 30) * 3 >= taxon_s(id, ''order'', 180)'), ('bank', 'transferred_lately', NULL, 'taxon_n(id, ''transfer'', 30) >= 2'),
	('bank', 'complained_lately', NULL, 'taxon_n(id, ''complaint'', 30) > 0'), ('bank', 'viewed_funds', NULL, 'taxon_n(id, ''funds'', 7) > 0'), ('bank', 'viewed_loans', NULL, 'taxon_n(id, ''search'', 7) > 0'),
	('bank', 'loan_unsigned', NULL, 'taxon_n(id, ''loan'') > 0 AND NOT coalesce(taxon_last(id, ''signed'') >= taxon_last(id, ''loan''), false)'),
	('bank', 'outflow', NULL, 'wealth_before > 0 AND wealth / wealth_before <= 0.5'), ('bank', 'inflow', NULL, 'wealth > 0 AND wealth - 1.5 * wealth_before >= 0'), ('bank', 'deposit_without_fund', NULL, 'term >= 50000 AND fund IS NULL'),
	('bank', 'concentrated', NULL, 'wealth > 0 AND term / wealth >= 0.8'), ('bank', 'salary_without_card', NULL, 'pay > 0 AND card_limit IS NULL'), ('bank', 'mortgage_without_insurance', NULL, 'house IS NOT NULL AND cover IS NULL'),
	('bank', 'near_limit', NULL, 'card_used >= 16000'), ('bank', 'card_unused', NULL, 'card_limit IS NOT NULL AND card_used = 0'), ('bank', 'debt_over_income', NULL, 'card_used > 3 * pay'), ('bank', 'single_product', NULL, 'products = 1'),
	('bank', 'all_round', NULL, 'products > 3'), ('bank', 'young_affluent', NULL, 'born > date ''1991-06-30'' AND wealth >= 100000'), ('bank', 'wealthy_silent', NULL, 'wealth >= 100000 AND taxon_n(id, NULL, 90) = 0'),
	('bank', 'outflow_after_complaint', NULL, 'wealth * 2 <= wealth_before AND taxon_n(id, ''complaint'', 90) > 0'), ('bank', 'looks_without_fund', NULL, 'fund IS NULL AND taxon_n(id, ''funds'', 90) >= 2'),
	('bank', 'online_only', NULL, 'taxon_chan(id, ''online'') > 0 AND taxon_chan(id, ''store'') = 0'), ('bank', 'branch_only', NULL, 'taxon_chan(id, ''store'') > 0 AND taxon_chan(id, ''online'') = 0'), ('bank', 'bill_payer', NULL, 'taxon_n(id, ''bill'', 365) >= 3'),
	('bank', 'churn_risk', 'high', 'CASE WHEN taxon_n(id, NULL, 60) = 0 THEN 2 ELSE 0 END + CASE WHEN wealth * 2 <= wealth_before THEN 3 ELSE 0 END + CASE WHEN taxon_n(id, ''complaint'', 90) > 0 THEN 1 ELSE 0 END + CASE WHEN products = 1 THEN 1 ELSE 0 END >= 4'),
	('bank', 'valued_slipping', NULL, 'taxon_n(id, ''order'', 60) = 0 AND taxon_n(id, ''order'', 365) >= 6'), ('bank', 'repeat_complaint', NULL, 'taxon_n(id, ''complaint'', 180) > 1'),
	('bank', 'nearly_private', NULL, 'wealth BETWEEN 700000 AND 999999.99 AND wealth >= wealth_before'),
	('bank', 'deposit_renewal', 'doubtful', 'term_ends BETWEEN ''2026-06-30'' AND ''2026-07-30'' AND (taxon_n(id, NULL, 30) = 0 OR wealth * 2 <= wealth_before)'),
	('bank', 'payday', 'mid-month', 'payday BETWEEN 11 AND 20'), ('bank', 'money_style', 'saver', 'term > 0 AND fund IS NULL'), ('bank', 'money_style', 'investor', 'fund > coalesce(term, 0)'),
	('bank', 'balance_watcher', NULL, 'taxon_n(id, ''balance'', 365) >= 6'), ('bank', 'complainer', NULL, 'taxon_n(id, ''complaint'', 365) > 1'),
	('bank', 'ticket', 'large', 'taxon_n(id, ''order'') > 0 AND taxon_s(id, ''order'') / nullif(taxon_n(id, ''order''), 0) >= 1000'),
	('bank', 'big_spender', NULL, 'EXISTS (SELECT FROM taxon_event e, taxon_moment WHERE e.customer = c.id AND event = ''order'' AND amount >= 1000 AND ts BETWEEN m - interval ''365 days'' AND m)'),
	('bank', 'visited_branch', NULL, 'EXISTS (SELECT FROM taxon_event e, taxon_moment WHERE e.customer = c.id AND channel = ''store'' AND ts BETWEEN m - interval ''30 days'' AND m)'),
	('bank', 'likely_investor', NULL, 'taxon_warm(id, ''funds'', 30) >= 1 AND fund IS NULL AND wealth >= 20000'), ('bank', 'likely_borrower', NULL, 'taxon_warm(id, ''search'', 30) >= 1'),
	('shop', 'purchase_intent', 'high', 'taxon_warm(id, ''cart'', 3) >= 0.5'), ('shop', 'purchase_intent', 'medium', 'taxon_warm(id, ''cart'', 3) < 0.5 AND taxon_warm(id, ''view'', 3) >= 1'),
	('shop', 'generation', '1980s', 'born BETWEEN ''1980-01-01'' AND ''1989-12-31'''), ('shop', 'store', '上海', 'town = ''上海'''), ('shop', 'store', '-', 'town IS NULL'), ('shop', 'has_email', NULL, 'mail LIKE ''%@%'''),
	('shop', 'has_phone', NULL, 'tel IS NOT NULL'), ('shop', 'points_band', 'some', 'points BETWEEN 1000 AND 9999'), ('shop', 'member_level', 'gold', 'grade = ''gold'''),
	('shop', 'customer_stage', 'prospect', 'taxon_n(id, ''order'') = 0'), ('shop', 'customer_stage', 'regular', 'taxon_n(id, ''order'') >= 5'), ('shop', 'new_member', NULL, 'joined >= date ''2026-05-31'''),
	('shop', 'points_expire', NULL, 'points > 0 AND points_end BETWEEN ''2026-06-30'' AND ''2026-07-30'''), ('shop', 'here_today', NULL, 'taxon_n(id, NULL, 1) > 0'), ('shop', 'ordered_week', NULL, 'taxon_n(id, ''order'', 7) > 0'),
	('shop', 'ordered_month', NULL, 'taxon_n(id, ''order'', 30) > 0'), ('shop', 'ordered_quarter', NULL, 'taxon_n(id, ''order'', 90) > 0'), ('shop', 'lapsing', NULL, 'taxon_n(id, ''order'', 90) = 0 AND taxon_n(id, ''order'', 180) > 0'),
	('shop', 'lapsed', NULL, 'taxon_n(id, ''order'') > 0 AND taxon_n(id, ''order'', 180) = 0'), ('shop', 'won_back', NULL, 'taxon_n(id, ''order'', 30) > 0 AND taxon_n(id, ''order'', 210, 30) = 0 AND taxon_n(id, ''order'', 100000, 210) > 0'),
	('shop', 'cart_abandoned', NULL, 'taxon_n(id, ''cart'', 7) > 0 AND taxon_last(id, ''cart'') > coalesce(taxon_last(id, ''order''), ''-infinity'')'),
	('shop', 'viewed_not_bought', NULL, 'taxon_n(id, ''view'', 7) > 0 AND taxon_last(id, ''view'') > coalesce(taxon_last(id, ''order''), ''-infinity'')'), ('shop', 'wished', NULL, 'taxon_n(id, ''wish'', 30) > 0'),
	('shop', 'returned_goods', NULL, 'taxon_n(id, ''return'', 30) > 0'), ('shop', 'reviewed_lately', NULL, 'taxon_n(id, ''review'', 30) > 0'), ('shop', 'looks_without_order', NULL, 'taxon_n(id, ''view'', 90) >= 5 AND taxon_n(id, ''order'', 90) = 0'),
	('shop', 'carts_without_order', NULL, 'taxon_n(id, ''cart'', 90) >= 2 AND taxon_n(id, ''order'', 90) = 0'), ('shop', 'wishes_without_order', NULL, 'taxon_n(id, ''wish'', 90) >= 1 AND taxon_n(id, ''order'', 90) = 0'),
	('shop', 'searches_without_order', NULL, 'taxon_n(id, ''search'', 30) >= 3 AND taxon_n(id, ''order'', 30) = 0'), ('shop', 'returns_much', NULL, 'taxon_n(id, ''return'', 365) >= 2 AND taxon_n(id, ''return'', 365) >= taxon_n(id, ''order'', 365) / 3.0'),
	('shop', 'high_value', NULL, 'taxon_s(id, ''order'', 365) >= 6000'), ('shop', 'high_value_lapsing', NULL, 'taxon_s(id, ''order'', 365) >= 6000 AND taxon_n(id, ''order'', 90) = 0'),
	('shop', 'loyal_but_complains', NULL, 'taxon_n(id, ''order'', 365) >= 5 AND taxon_n(id, ''complaint'', 90) > 0'), ('shop', 'online_only', NULL, 'taxon_chan(id, ''online'', ''order'') > 0 AND taxon_chan(id, ''store'', ''order'') = 0'),
	('shop', 'store_only', NULL, 'taxon_chan(id, ''online'', ''order'') = 0 AND taxon_chan(id, ''store'', ''order'') > 0'), ('shop', 'both_channels', NULL, 'taxon_chan(id, ''online'', ''order'') > 0 AND taxon_chan(id, ''store'', ''order'') > 0'),
	('shop', 'full_price', NULL, 'taxon_n(id, ''order'', 365) > 1 AND taxon_coupon(id) = 0'), ('shop', 'likely_coupon', NULL, 'taxon_coupon(id) >= 2 AND taxon_coupon(id) >= taxon_n(id, ''order'', 365) / 2.0'),
	('shop', 'member_without_order', NULL, 'joined < date ''2026-04-01'' AND taxon_n(id, ''order'') = 0'), ('shop', 'points_unused', NULL, 'points >= 1000 AND taxon_n(id, ''order'', 180) = 0'),
	('shop', 'birthday_and_active', NULL, 'to_char(born, ''MM'') = ''06'' AND taxon_n(id, NULL, 30) > 0'), ('shop', 'nearly_high_value', NULL, 'taxon_s(id, ''order'', 365) >= 4200 AND taxon_s(id, ''order'', 365) < 6000'),
	('shop', 'likely_second_order', NULL, 'taxon_n(id, ''order'') = 1 AND (SELECT count(*) FROM taxon_event e, taxon_moment WHERE e.customer = c.id AND event = ''view'' AND ts <= m AND ts >= taxon_last(c.id, ''order'')) >= 2'),
	('shop', 'likely_return', NULL, 'taxon_n(id, ''order'', 14) > 0 AND taxon_n(id, ''return'', 365) >= taxon_n(id, ''order'', 365) / 3.0'), ('shop', 'browser', NULL, 'taxon_n(id, ''order'') > 0 AND taxon_n(id, ''view'') >= 10 * taxon_n(id, ''order'')'),
	('shop', 'decided', NULL, 'taxon_n(id, ''order'') > 1 AND taxon_n(id, ''view'') <= 2 * taxon_n(id, ''order'')'), ('shop', 'reviewer', NULL, 'taxon_n(id, ''review'', 365) > 1'),
	('shop', 'ticket', 'large', 'taxon_n(id, ''order'') > 0 AND taxon_s(id, ''order'') >= 1000 * taxon_n(id, ''order'')'), ('shop', 'complainer', NULL, 'taxon_n(id, ''complaint'', 365) > 1');
CREATE FUNCTION taxon_compare(population text, tag text, value text, condition text, OUT members bigint, OUT wrong bigint) LANGUAGE plpgsql AS $$
DECLARE
	found audience := tag(tag, value, population);
	expected audience;
BEGIN
	EXECUTE format('SELECT audience_agg(id) FROM taxon_customer c WHERE %s', condition) INTO expected;
	members := cardinality(expected);
	wrong := xor_cardinality(found, expected);
END $$;
CREATE TABLE taxon_compared AS SELECT e.population, e.tag, e.value, r.members, r.wrong FROM taxon_expected e, taxon_compare(e.population, e.tag, e.value, e.condition) r;
SELECT * FROM taxon_compared WHERE wrong > 0 ORDER BY 1, 2, 3;
SELECT population, count(*) AS compared, count(DISTINCT tag) AS tags FROM taxon_compared GROUP BY 1 ORDER BY 1;
-- A comparison with nobody shows little.
SELECT population, tag, value FROM taxon_compared WHERE members = 0 ORDER BY 1, 2;

-- Numbers: of every customer.
SELECT count(*) AS customers, bool_and(bsi_value(tag_number('orders', 'shop'), id) = taxon_n(id, 'order')) AS orders, bool_and(bsi_value(tag_number('spent', 'shop'), id) = round(taxon_s(id, 'order'), 2)) AS spent,
	bool_and(bsi_value(tag_number('assets_kept', 'bank'), id) = wealth) AS assets FROM taxon_customer;
SELECT max(abs(bsi_value(tag_number('engagement', 'shop'), id) - taxon_warm(id, NULL, 30))) < 0.0051 AS engagement FROM taxon_customer;

-- Habits by plain counting: the hour and the day with the most events of the year, the earliest of equals.
SELECT bool_and((SELECT value FROM tags_of(id, 'shop') WHERE tag = 'active_hours') IS NOT DISTINCT FROM expected) AS active_hours
FROM taxon_customer c LEFT JOIN LATERAL (
	SELECT CASE WHEN h BETWEEN 5 AND 11 THEN 'morning' WHEN h BETWEEN 12 AND 17 THEN 'afternoon' WHEN h BETWEEN 18 AND 21 THEN 'evening' ELSE 'night' END AS expected
	FROM (SELECT extract(hour FROM ts) AS h, count(*) AS n FROM taxon_event e, taxon_moment WHERE e.customer = c.id AND ts <= m AND ts >= m - interval '365 days' GROUP BY 1 ORDER BY n DESC, h LIMIT 1) x) y ON true WHERE id <= 100;
SELECT bool_and((id <@ tag('weekend_shopper', population => 'shop')) = coalesce(expected, false)) AS weekend_shopper
FROM taxon_customer c LEFT JOIN LATERAL (
	SELECT d >= 6 AS expected
	FROM (SELECT extract(isodow FROM ts) AS d, count(*) AS n FROM taxon_event e, taxon_moment WHERE e.customer = c.id AND event = 'order' AND ts <= m AND ts >= m - interval '365 days' GROUP BY 1 ORDER BY n DESC, d LIMIT 1) x) y ON true;

-- The planted ones.
SELECT id, string_agg(tag || coalesce(' ' || value, ''), ', ' ORDER BY tag) AS shop FROM generate_series(1, 10) id, tags_of(id, 'shop')
WHERE tag IN ('order_overdue', 'order_expected', 'days_between_orders', 'spending_trend', 'purchase_intent', 'interest', 'favourite_category', 'favourite_channel', 'favourite_payment', 'weekend_shopper', 'regular', 'active_hours', 'churn_risk')
GROUP BY id ORDER BY id;
SELECT id, string_agg(tag || coalesce(' ' || value, ''), ', ' ORDER BY tag) AS bank FROM generate_series(1, 10) id, tags_of(id, 'bank')
WHERE tag IN ('purchase_overdue', 'login_overdue', 'purchase_expected', 'spending_trend', 'likely_borrower', 'likely_investor', 'favourite_channel', 'favourite_product', 'active_hours', 'weekend_customer', 'regular')
GROUP BY id ORDER BY id;

-- Titles: the portrait speaks the reader's language.
SELECT split_part(profile(1, 'shop', language => 'zh') ->> 'sentence', '；标签时间', 1) AS zh;
SELECT split_part(profile(1, 'shop') ->> 'sentence', '; tags of', 1) AS en;
SELECT t ->> 'title' AS title, t ->> 'value' AS value, t ->> 'value_title' AS value_title FROM jsonb_array_elements(profile(1, 'shop', language => 'zh') -> 'tags' -> 'predictive') t WHERE t ->> 'tag' IN ('churn_risk', 'order_overdue') ORDER BY 1;
SELECT language, value, title, description FROM tag_titles WHERE population = 'shop' AND tag = 'churn_risk' ORDER BY 1, 2;
SELECT register_tag_title('churn_risk', 'zh', '要走了吗', 'how likely he is to leave', '{"high": "很可能"}', 'shop');
SELECT language, value, title, description FROM tag_titles WHERE population = 'shop' AND tag = 'churn_risk' ORDER BY 1, 2;
SELECT register_tag_title('churn_risk', 'zh', NULL, population => 'shop');
SELECT language, value, title FROM tag_titles WHERE population = 'shop' AND tag = 'churn_risk' ORDER BY 1, 2;
SELECT register_tag_title('churn_risk', 'zh', '', population => 'shop');
SELECT register_tag_title('churn_risk', 'zh', 'x', value_titles => '[1]', population => 'shop');
SELECT register_tag_title('churn_risk', 'zh', 'x', value_titles => '{"high": 1}', population => 'shop');
SELECT register_tag_title('churn_risk', NULL, 'x', population => 'shop');
SELECT register_tag_title('no_such', 'zh', 'x', population => 'shop');

-- Without mapping: what would be needed.  Part of it, and again with more.
SELECT create_population('few', 'taxon_customer', 'id');
SELECT tag, kind, status, detail FROM install_taxonomy('bank', '{"opened_on": "joined", "assets": "wealth::float8", "birth_date": "born"}', 'few') WHERE status <> 'skipped' OR tag IN ('active', 'outflow', 'churn_risk', 'gender') ORDER BY tag;
SELECT status, count(*) FROM install_taxonomy('bank', '{"opened_on": "joined", "assets": "wealth::float8", "birth_date": "born", "assets_before": "wealth_before"}', 'few') GROUP BY status ORDER BY 1;
-- A tag of this name with another rule stays, unless it is to be replaced.
SELECT tag, status, detail FROM install_taxonomy('bank', '{"birth_date": "born + 1"}', 'few') WHERE status <> 'skipped' ORDER BY tag;
SELECT tag, status FROM install_taxonomy('bank', '{"birth_date": "born + 1"}', 'few', replace => true) WHERE status <> 'skipped' ORDER BY tag;
SELECT rule FROM tag_catalog WHERE population = 'few' AND tag = 'minor';

-- Mistakes.
\set VERBOSITY default
SELECT install_taxonomy('airline', '{}', 'few');
SELECT install_taxonomy(NULL, '{}', 'few');
SELECT install_taxonomy('bank', NULL, 'few');
SELECT install_taxonomy('bank', '[]', 'few');
SELECT install_taxonomy('bank', '{"birthdate": "born"}', 'few');
SELECT install_taxonomy('bank', '{}', 'nowhere');
SELECT install_taxonomy('bank', '{}');
SELECT install_taxonomy('bank', '{"birth_date": "bron"}', 'few');
SELECT install_taxonomy('bank', '{"birth_date": "sex"}', 'few');
SELECT install_taxonomy('bank', '{"assets": "sex"}', 'few');
SELECT install_taxonomy('bank', '{"gender": "products"}', 'few');
SELECT install_taxonomy('bank', '{"contactable": "products"}', 'few');
SELECT install_taxonomy('bank', '{"assets": "wealth) OR (true"}', 'few');
SELECT install_taxonomy('bank', '{"contactable": "ok) OR (true"}', 'few');
SELECT install_taxonomy('bank', '{"contactable": "ok -- always"}', 'few');
SELECT install_taxonomy('bank', '{"assets": "(SELECT 1)"}', 'few');
SELECT install_taxonomy('bank', '{"assets": "random()"}', 'few');
SELECT install_taxonomy('bank', '{"assets": ["wealth"]}', 'few');
SELECT install_taxonomy('bank', '{"assets": " "}', 'few');
SELECT install_taxonomy('bank', '{"private_from": "much"}', 'few');
SELECT install_taxonomy('bank', '{"private_from": "NaN"}', 'few');
SELECT install_taxonomy('bank', '{"zone": "Mars/Olympus"}', 'few');
SELECT install_taxonomy('bank', '{"login": "login"}', 'few');
SELECT install_taxonomy('bank', '{"product": "colour"}', 'bank');
SELECT install_taxonomy('bank', '{"login": "login[channel"}', 'bank');
SELECT count(*) FROM install_taxonomy('bank', '{"login": "sign in"}', 'bank');

-- Rows of one's own stand beside ours.
INSERT INTO taxonomy_input (business, input, class, title) VALUES ('gym', 'visits', 'number', 'visits a month');
INSERT INTO taxonomy_tag (business, tag, kind, title, title_zh, rule) VALUES ('gym', 'keen', 'personality', 'Keen', '热衷', '{visits} >= 3'), ('gym', 'odd', 'base', 'Odd', NULL, '{no_such} > 1');
SELECT * FROM taxonomy('gym');
SELECT * FROM install_taxonomy('gym', '{"visits": "products"}', 'few');
DELETE FROM taxonomy_tag WHERE business = 'gym';
DELETE FROM taxonomy_input WHERE business = 'gym';

-- Who may: to write rows, only the owner of the tables; to install, whoever may define tags.
CREATE ROLE regress_taxon_reader;
GRANT USAGE ON SCHEMA crm TO regress_taxon_reader;
GRANT SELECT ON taxon_customer TO regress_taxon_reader;
SET ROLE regress_taxon_reader;
SELECT count(*) > 60 AS visible FROM taxonomy('bank');
INSERT INTO taxonomy_tag (business, tag, kind, title, rule) VALUES ('bank', 'mine', 'base', 'Mine', 'true');
SELECT install_taxonomy('bank', '{"gender": "sex"}', 'few');
SELECT register_tag_title('minor', 'zh', '未成年人', population => 'few');
RESET ROLE;
SELECT grant_population('few', 'regress_taxon_reader', 'define');
SET ROLE regress_taxon_reader;
SELECT tag, status FROM install_taxonomy('bank', '{"gender": "sex"}', 'few') WHERE status <> 'skipped';
RESET ROLE;
SELECT name, owner, (SELECT created_by FROM tag_version v WHERE v.tag_id = d.tag_id) FROM tag_definition d WHERE name = 'gender' AND population_id = (SELECT population_id FROM population_definition WHERE name = 'few');

SELECT drop_population(name) FROM population_definition WHERE name IN ('bank', 'shop', 'few') ORDER BY name;
SELECT count(*) AS titles_left FROM tag_title;
REVOKE ALL ON taxon_customer FROM regress_taxon_reader;
REVOKE USAGE ON SCHEMA crm FROM regress_taxon_reader;
DROP ROLE regress_taxon_reader;
DROP FUNCTION taxon_compare, taxon_n, taxon_s, taxon_first, taxon_last, taxon_chan, taxon_coupon, taxon_warm, taxon_draw;
DROP TABLE taxon_event, taxon_expected, taxon_compared, taxon_mapping, taxon_customer, taxon_moment;
