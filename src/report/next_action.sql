-- What to do next: rules that name a tag, and say what follows from it.  Nothing hidden: an action stands beside the tag that asks for it.

CREATE TABLE @extschema@.next_action_rule (
	tag			text NOT NULL CHECK (tag <> ''),
	value		text,
	-- applies to customers who have not got the tag
	absent		boolean NOT NULL DEFAULT false CHECK (NOT absent OR value IS NULL),
	priority	int NOT NULL DEFAULT 100,
	-- where it applies nobody is called, whatever else does
	stops		boolean NOT NULL DEFAULT false,
	-- NULL: the shipped rule of this tag and value is not wanted
	action		text,
	action_zh	text,
	UNIQUE NULLS NOT DISTINCT (tag, value, absent)
);
COMMENT ON TABLE @extschema@.next_action_rule IS 'own rules of what to do next (下一步建议规则); one for a tag and value takes the place of the shipped one';
COMMENT ON COLUMN @extschema@.next_action_rule.tag IS 'name of the tag that asks for the action, in any population that has it';
COMMENT ON COLUMN @extschema@.next_action_rule.value IS 'value of a text tag; NULL: any';
COMMENT ON COLUMN @extschema@.next_action_rule.absent IS 'the rule applies to those who have not got the tag';
COMMENT ON COLUMN @extschema@.next_action_rule.priority IS 'lower ones come first';
COMMENT ON COLUMN @extschema@.next_action_rule.stops IS 'nothing else is asked for where this applies';
COMMENT ON COLUMN @extschema@.next_action_rule.action IS 'what to do, in English; NULL: nothing';
COMMENT ON COLUMN @extschema@.next_action_rule.action_zh IS 'what to do, in Chinese; NULL: as in English';
SELECT pg_catalog.pg_extension_config_dump('@extschema@.next_action_rule', '');
GRANT SELECT ON @extschema@.next_action_rule TO PUBLIC;

-- The shipped rules are about tags of the starter taxonomies.
CREATE FUNCTION @extschema@.next_action_rules()
	RETURNS TABLE (tag text, value text, absent boolean, priority int, stops boolean, action text, action_zh text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE COST 200 ROWS 40 SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN QUERY
	SELECT s.tag, s.value, s.absent, s.priority, s.stops, s.action, s.action_zh
	FROM (VALUES
		('contactable', NULL::text, true, 0, true, 'Do not contact: there is no consent.', '请勿联系：未同意营销。'),
		('opted_out', NULL, false, 0, true, 'Do not contact: has opted out.', '请勿联系：已拒绝联系。'),
		('minor', NULL, false, 0, true, 'Do not sell: under age.', '请勿推销：未成年。'),
		('complained_lately', NULL, false, 10, false, 'Settle the complaint before anything is offered.', '先处理投诉，再谈其他。'),
		('outflow_after_complaint', NULL, false, 11, false, 'Call now: money leaves after a complaint.', '立即致电：投诉后资金流出。'),
		('churn_risk', 'high', false, 12, false, 'Call to keep the customer: ask what is missing.', '挽留致电：了解客户的不满。'),
		('leaving', NULL, false, 13, false, 'Call to keep the customer: ask what is missing.', '挽留致电：了解客户的不满。'),
		('high_value_lapsing', NULL, false, 13, false, 'Win back: a very good customer is missing.', '挽回：高价值客户正在流失。'),
		('valued_slipping', NULL, false, 14, false, 'Win back: a frequent buyer is missing.', '挽回：高频客户未再消费。'),
		('deposit_matures', NULL, false, 20, false, 'A deposit ends soon: agree what follows.', '存款即将到期：约定续存或转投。'),
		('deposit_matured', NULL, false, 20, false, 'A deposit has ended: offer what follows.', '存款刚到期：推荐续存或理财。'),
		('loan_unsigned', NULL, false, 21, false, 'The loan is applied for and not signed: ask what is in the way.', '贷款未签约：了解原因并跟进。'),
		('cart_abandoned', NULL, false, 21, false, 'A cart was left: remind, or ask what is in the way.', '购物车未结算：提醒或了解原因。'),
		('points_expire', NULL, false, 22, false, 'Points expire soon: say so.', '积分即将到期：提醒使用。'),
		('birthday_week', NULL, false, 25, false, 'The birthday is within a week: congratulate.', '一周内生日：送上祝福。'),
		('birthday_month', NULL, false, 26, false, 'The birthday is this month: congratulate.', '本月生日：送上祝福。'),
		('anniversary_month', NULL, false, 27, false, 'The anniversary is this month: say thank you.', '本月为周年：表示感谢。'),
		('nearly_private', NULL, false, 30, false, 'Nearly a private client: introduce private banking.', '私行潜客：介绍私人银行服务。'),
		('nearly_high_value', NULL, false, 30, false, 'Nearly a very good customer: show what the next level brings.', '高价值潜客：介绍下一等级权益。'),
		('likely_investor', NULL, false, 31, false, 'Looks at funds: offer advice on them.', '关注理财：提供理财咨询。'),
		('looks_without_fund', NULL, false, 32, false, 'Looks at funds and has none: offer advice on them.', '浏览理财未购：提供理财咨询。'),
		('deposit_without_fund', NULL, false, 33, false, 'A large deposit and no funds: offer advice on them.', '存款不理财：提供理财咨询。'),
		('likely_borrower', NULL, false, 34, false, 'Looks at loans: offer a calculation.', '贷款意向：提供测算。'),
		('mortgage_without_insurance', NULL, false, 35, false, 'A mortgage without insurance: offer cover.', '房贷无保险：推荐保险。'),
		('salary_without_card', NULL, false, 36, false, 'Salary comes in, the card is elsewhere: offer a card.', '代发无卡：推荐信用卡。'),
		('near_limit', NULL, false, 37, false, 'The card is nearly used up: offer instalments or a higher limit.', '额度紧张：推荐分期或提额。'),
		('likely_second_order', NULL, false, 38, false, 'A second order is likely: send a suggestion.', '可能二次购买：推送推荐。'),
		('viewed_not_bought', NULL, false, 39, false, 'Looked and did not order: answer questions.', '浏览未购：主动答疑。'),
		('new_customer', NULL, false, 40, false, 'New: make welcome, explain the first steps.', '新客户：欢迎并介绍常用功能。'),
		('new_member', NULL, false, 40, false, 'New: make welcome, explain the first steps.', '新会员：欢迎并介绍会员权益。'),
		('silent', NULL, false, 50, false, 'Not seen for 90 days: give a reason to come back.', '沉默客户：给出回访理由。'),
		('dormant', NULL, false, 50, false, 'Not seen for 180 days: give a reason to come back.', '沉睡客户：给出唤醒理由。'),
		('lapsing', NULL, false, 50, false, 'No order for a while: give a reason to come back.', '即将流失：给出回购理由。'),
		('lapsed', NULL, false, 51, false, 'No order for 180 days: try to win back.', '已流失：尝试召回。')
	) AS s (tag, value, absent, priority, stops, action, action_zh)
	WHERE NOT EXISTS (SELECT FROM @extschema@.next_action_rule o WHERE o.tag = s.tag AND o.value IS NOT DISTINCT FROM s.value AND o.absent = s.absent)
	UNION ALL
	SELECT o.tag, o.value, o.absent, o.priority, o.stops, o.action, o.action_zh FROM @extschema@.next_action_rule o WHERE o.action IS NOT NULL;
END
$$;
COMMENT ON FUNCTION @extschema@.next_action_rules() IS
	'the rules of what to do next (下一步建议规则): those shipped, for tags of the starter taxonomies, and own ones';

CREATE FUNCTION @extschema@.next_actions(population text, tags jsonb, lang text)
	RETURNS TABLE (priority int, action text, tag text, value text, title text, stops boolean)
	LANGUAGE sql STABLE PARALLEL SAFE COST 5000 ROWS 5
BEGIN ATOMIC
	WITH has AS (
		SELECT t.value ->> 'tag' AS tag, t.value ->> 'value' AS value, coalesce(t.value ->> 'title', t.value ->> 'tag') AS title,
			coalesce(t.value ->> 'value_title', t.value ->> 'value') AS value_title
		FROM pg_catalog.jsonb_each(tags) k CROSS JOIN LATERAL pg_catalog.jsonb_array_elements(k.value) t
	), applies AS (
		SELECT r.*, h.value AS has_value, CASE WHEN r.absent THEN coalesce(t.title, r.tag) ELSE pg_catalog.concat_ws(': ', h.title, h.value_title) END AS title
		FROM @extschema@.next_action_rules() r
		LEFT JOIN has h ON h.tag = r.tag
		LEFT JOIN @extschema@.tag_titles t ON r.absent AND t.population = next_actions.population AND t.tag = r.tag AND t.language = lang AND t.value IS NULL
		WHERE CASE WHEN r.absent THEN h.tag IS NULL AND EXISTS (
				-- who has no such tag where there is none says nothing
				SELECT FROM @extschema@.tag_definition d JOIN @extschema@.population_definition p ON p.population_id = d.population_id
				WHERE p.name = next_actions.population AND d.name = r.tag AND d.state = 'approved' AND d.refreshed_version IS NOT NULL)
			ELSE h.tag IS NOT NULL AND (r.value IS NULL OR r.value = h.value) END
	), said AS (
		-- one thing is said once, for the first reason, and stops if one of them does
		SELECT DISTINCT ON (a.action) a.* FROM applies a ORDER BY a.action, a.stops DESC, a.priority, a.tag COLLATE "C"
	)
	SELECT s.priority, CASE WHEN lang = 'zh' THEN coalesce(s.action_zh, s.action) ELSE s.action END, s.tag, s.has_value, s.title, s.stops
	FROM said s
	WHERE s.stops OR NOT EXISTS (SELECT FROM said o WHERE o.stops)
	ORDER BY s.priority, s.tag COLLATE "C";
END;
COMMENT ON FUNCTION @extschema@.next_actions(text, jsonb, text) IS
	'what to do next (下一步建议) for a customer with these tags, as profile returns them, and the tag that asks for it; where a rule stops, nothing but it';
