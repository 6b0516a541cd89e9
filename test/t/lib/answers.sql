SELECT tag, kind, value_type, owner, version, state, confidence, members, stale, exactness FROM crm.tag_catalog ORDER BY population, tag
SELECT d.name, md5(crm.tag(d.name, population => p.name)::text) FROM crm.tag_definition d JOIN crm.population_definition p USING (population_id) WHERE d.value_type = 'boolean' AND d.state = 'approved' AND d.refreshed_at IS NOT NULL ORDER BY p.name, d.name
SELECT population, tag, value, members FROM crm.segment_size ORDER BY 1, 2, 3
SELECT md5(string_agg(c.id || t::text, ',' ORDER BY c.id, t::text)) FROM public.customer c, crm.tags_of(c.id, population => 'firm') t WHERE c.id % 10 = 5
SELECT md5(string_agg(t::text, ',' ORDER BY c.id, t::text)) FROM public.member c, crm.tags_of(c.id, population => 'members') t
SELECT segment, frozen, members FROM crm.segment_catalog ORDER BY segment
SELECT crm.tag('young', as_of => at, population => 'firm')::text = young FROM public.moment
SELECT md5(crm.tag_number('spent', population => 'firm')::text)
SELECT md5(string_agg(c::text, ',' ORDER BY c::text)), count(*) FROM crm.segment_changes('youth', population => 'firm') c
SELECT segment, consumer, owner, consumed_up_to, changes_behind FROM crm.segment_consumers
SELECT md5(string_agg(customer_id || timeline::text, ',' ORDER BY customer_id)), count(*) FROM crm.customer_timelines
SELECT tag, test, ok, detail FROM crm.check_tags('firm') ORDER BY 1, 2
SELECT tag, kind, input FROM crm.tag_dependents('level') ORDER BY 1, 2, 3
SELECT population, tag, language, value, title, description FROM crm.tag_titles ORDER BY 1, 2, 3, 4
SELECT name, versions, champion FROM crm.model_definition ORDER BY 1
SELECT round(sum(crm.predict('spender', c))::numeric, 9), md5(crm.model('spender')::text) FROM (SELECT age, level, city FROM public.customer) c
SELECT crm.model_params(crm.model('line'))::text
SELECT crm.rfm_segment(4, 1, 1, 'ours'), crm.rfm_segment(1, 1, 1, 'ours')
SELECT tag, rule FROM crm.taxonomy('gym')
SELECT tag, value, absent, priority, action FROM crm.next_action_rule ORDER BY 1, 2
SELECT md5(string_agg(k::text, ',' ORDER BY customer)), count(*) FROM public.kept AS k
SELECT report, whole, scope, step, customers, suppressed, as_of, refreshed_at FROM crm.bi_funnel ORDER BY 1, 2, 3, 4
SELECT report, whole, scope, kind, name, value, customers, suppressed, refreshed_at FROM crm.bi_customers ORDER BY 1, 2, 3, 4, 5, 6
SELECT report, kind, owner, options, refreshed_at, seconds, problem FROM crm.bi_reports ORDER BY 1
