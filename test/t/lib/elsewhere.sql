-- Populations whose rows other servers hold, with keys that the dictionary numbers (of negative integers alone, in
-- population signed) and rules that call
-- for more than their row; shards.pl and citus.pl compare them with the same in one piece.  Over
-- bank.customer_360, bank.client and bank.visit.
SELECT create_list_tag('invited', keys => (SELECT array_agg(n::text) FROM generate_series(3, 2000, 7) AS n), population => 'bank');
SELECT import_list('invited', keys => '{1,2,4,5}', mode => 'append', population => 'bank', expires => '2026-11-15');
SELECT create_tag('top tenth', 'percentile(total_assets) >= 0.9', population => 'bank');
SELECT create_tag('invite again', $$(has_tag('top tenth') OR in_segment('invited & gender = F')) AND NOT listed_until('invited') < as_of + interval '30 days'$$, population => 'bank');
SELECT create_tag('likeness', $$round(lookalike('"top tenth"', products, branch, gender)::numeric, 3)$$, 'predictive', population => 'bank');
SELECT create_tag('late', $$extract(hour FROM last_active_at) > 21$$, population => 'bank');

SELECT create_population('clients', 'bank.client', 'code', events => 'bank.visit', event_key => 'code', event_time => 'at', event_name => 'event', event_value => 'amount', scope => 'branch');
SELECT create_population('devices', 'bank.client', 'device', events => 'bank.visit', event_key => 'device', event_time => 'at', event_name => 'event', event_value => 'amount');
SELECT create_population('signed', 'bank.client', 'signed', events => 'bank.visit', event_key => 'signed', event_time => 'at', event_name => 'event', event_value => 'amount', scope => 'branch');
SELECT create_population('padded', 'bank.client', 'padded', events => 'bank.visit', event_key => 'padded', event_time => 'at', event_name => 'event', event_value => 'amount');
SELECT name, events, customers FROM unnest(ARRAY['clients', 'devices', 'signed', 'padded']) AS p (name), LATERAL refresh_timelines(p.name);
SELECT create_tag('rich', 'total_assets > 100000', population => p), create_tag('gender', 'gender', population => p), create_tag('assets', 'total_assets', population => p),
	create_tag('many', $$products >= 3 OR (gender = 'F' AND products = 2)$$, population => p), create_tag('top', 'percentile(total_assets) >= 0.8', population => p),
	create_tag('rich or many', $$has_tag('rich') OR has_tag('many')$$, population => p), create_tag('first letter', 'upper(left(branch, 1))', population => p),
	create_tag('visitor', $$event_count(timeline, 'login') > 3$$, population => p)
	FROM unnest(ARRAY['clients', 'devices', 'signed', 'padded']) AS p;
SELECT create_list_tag('chosen', query => format('SELECT %s FROM bank.client WHERE products = 4', key), population => p) FROM (VALUES ('clients', 'code'), ('devices', 'device'), ('signed', 'signed'), ('padded', 'padded')) AS v (p, key);
SELECT import_list('chosen', query => format('SELECT %s, timestamptz ''2026-10-15'' + products * interval ''7 days'' FROM bank.client WHERE gender = ''M'' AND products < 4', key), mode => 'append', population => p)
	FROM (VALUES ('clients', 'code'), ('devices', 'device'), ('signed', 'signed'), ('padded', 'padded')) AS v (p, key);
SELECT create_tag('chosen or rich', $$listed_until('chosen') < as_of + interval '10 days' OR has_tag('rich')$$, population => p) FROM unnest(ARRAY['clients', 'devices', 'signed', 'padded']) AS p;
