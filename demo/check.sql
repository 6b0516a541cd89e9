-- Finds, through the extension, what truths.sql says was planted: view
-- bank.truth_found.  Needs data.sql, tags.sql, a refresh, truths.sql, and of
-- demo.sql the tables rfm, loan_funnel, alert and live.
CREATE OR REPLACE VIEW bank.truth_found AS
SELECT no, truth, expected, found
FROM bank.truth JOIN (VALUES
	(1, crm.cardinality(crm.segment('vip | !vip', 'bank'))),
	(2, crm.cardinality(crm.segment('dormant & wealth = "private"', 'bank'))),
	(3, crm.cardinality(crm.segment('vip & wealth = "private"', 'bank'))),
	(4, crm.cardinality(crm.segment('vip & dormant', 'bank'))),
	(5, crm.cardinality(crm.segment('leaving & branch = "西安高新支行"', 'bank'))),
	(6, crm.cardinality(crm.segment('leaving - branch = "西安高新支行"', 'bank'))),
	(7, crm.cardinality(crm.tag('夜猫子', NULL, 'bank'))),
	(8, crm.cardinality(crm.tag('payday', '10th', 'bank'))),
	(9, crm.cardinality(crm.tag('payday', '25th', 'bank'))),
	(10, crm.cardinality(crm.segment('(payday = "10th" | payday = "25th") & 夜猫子', 'bank'))),
	(11, (SELECT count(*) FROM bank.rfm WHERE customer_id % 50 = 21 AND crm.rfm_segment(score) = 'Champions')),
	(12, (SELECT customers FROM bank.loan_funnel WHERE n = 1)),
	(13, (SELECT customers FROM bank.loan_funnel WHERE n = 2)),
	(14, (SELECT customers FROM bank.loan_funnel WHERE n = 3)),
	(15, (SELECT customers FROM bank.loan_funnel WHERE n = 4)),
	(16, crm.cardinality(crm.tag('loan_unsigned', NULL, 'bank'))),
	(17, (SELECT count(*) FROM bank.alert WHERE metric = 'crash_session_share')),
	(18, (SELECT sum(bad_days) FROM bank.alert WHERE metric = 'crash_session_share' AND started = '2026-09-21')),
	(19, (SELECT count(*) FILTER (WHERE recent) + count(*) FILTER (WHERE NOT lapsed) + abs(1 - count(*)) FROM bank.live WHERE step = 'before')),
	(20, (SELECT count(*) FILTER (WHERE NOT recent) + count(*) FILTER (WHERE lapsed) + abs(1 - count(*)) FROM bank.live WHERE step = 'at once')),
	(21, (SELECT count(*) FILTER (WHERE NOT recent) + count(*) FILTER (WHERE lapsed) + abs(1 - count(*)) FROM bank.live WHERE step = 'folded'))
) AS answer (no, found) USING (no);
