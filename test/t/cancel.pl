# Everything that takes its time can be cancelled at once, wherever it is: each
# long function and aggregate is started, cancelled at a random moment, and
# watched until its session is idle.  What is bounded is the work of the processor
# that it still does, where the system tells that, for time is stretched by
# whatever else the machine does; the distributions of both are printed.
#
# CRM_CANCELS says how often each is cancelled, CRM_SCALE how large the data are,
# CRM_SEED repeats a run.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes;

my $times = $ENV{CRM_CANCELS} || 2;
my $scale = $ENV{CRM_SCALE} || 1;
my $seed = $ENV{CRM_SEED} || time;
my $bound = 2000;    # ms of the processor
my $patience = 5;    # minutes, after which a session hangs
srand($seed);
diag("CRM_SEED=$seed");

my $node = PostgreSQL::Test::Cluster->new('cancel');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', q{
max_worker_processes = 8
jit = off
autovacuum = off
fsync = off
max_wal_size = 4GB
shared_buffers = 256MB
# What a fit warns of that was done before it was cancelled is no failure.
client_min_messages = error
search_path = 'crm, public'
});
$node->start;

# Measures in the server: waits until a session runs the statement that is marked,
# sleeps, cancels, and waits until the session is idle.  NULL: it was done before.
$node->safe_psql('postgres', q{
	CREATE SCHEMA crm;
	CREATE EXTENSION crm_analytics SCHEMA crm;
	CREATE FUNCTION at_work(session int, mark text) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM pg_stat_clear_snapshot();
		RETURN (SELECT state = 'active' AND position(mark IN query) > 0 FROM pg_stat_get_activity(session));
	END $$;
	-- Milliseconds of the processor that a session has had; NULL where the system does not tell.
	CREATE FUNCTION worked(session int) RETURNS float8 LANGUAGE sql AS $$
		SELECT split_part(pg_read_file(format('/proc/%s/schedstat', session), 0, 100, true), ' ', 1)::float8 / 1e6 $$;
	CREATE FUNCTION cancel_after(session int, mark text, delay float8, patience interval, OUT waited float8, OUT lasted float8, OUT work float8) LANGUAGE plpgsql AS $$
	DECLARE
		started timestamptz := clock_timestamp();
		cancelled timestamptz;
	BEGIN
		WHILE NOT at_work(session, mark) LOOP
			PERFORM pg_stat_clear_snapshot();
			IF clock_timestamp() > started + interval '20 s' OR (SELECT state = 'idle' AND position(mark IN query) > 0 FROM pg_stat_get_activity(session)) THEN
				RETURN;
			END IF;
			PERFORM pg_sleep(0.0005);
		END LOOP;
		started := clock_timestamp();
		WHILE clock_timestamp() < started + make_interval(secs => delay) AND at_work(session, mark) LOOP
			PERFORM pg_sleep(0.0005);
		END LOOP;
		lasted := extract(epoch FROM clock_timestamp() - started);
		cancelled := clock_timestamp();
		IF NOT at_work(session, mark) THEN
			RETURN;
		END IF;
		work := worked(session);
		PERFORM pg_cancel_backend(session);
		WHILE at_work(session, mark) LOOP
			IF clock_timestamp() > cancelled + patience THEN
				RAISE 'statement "%" goes on % after it was cancelled', mark, patience;
			END IF;
			PERFORM pg_sleep(0.0005);
		END LOOP;
		waited := 1000 * extract(epoch FROM clock_timestamp() - cancelled);
		work := worked(session) - work;
	END $$;
});

# Data: customers with orders and events, and large values of each type.
my $customers = int(100000 * $scale);
my $ids = int(1000000 * $scale);
my $events = int(300000 * $scale);
$node->safe_psql('postgres', qq{
	SELECT setseed(0.5);
	CREATE TABLE customer AS
		SELECT n AS id, n % 97 AS amount, 'city ' || n % 50 AS city, date '2020-01-01' + (n % 1500)::int AS joined, hashint8(n) % 7 = 0 AS bought,
			ARRAY[sin(n), cos(n * 2.0), (n % 17)::float8, sin(n / 3.0), (hashint8(n) % 1000)::float8] AS x, 1 + n % 9 AS frequency, (n % 300 + 10)::float8 AS age
		FROM generate_series(1::bigint, $customers) AS n;
	ALTER TABLE customer ADD PRIMARY KEY (id);
	CREATE TABLE event AS
		SELECT 1 + hashint8(n) % ($customers / 10 + 1) + CASE WHEN hashint8(n) < 0 THEN $customers / 10 ELSE 0 END AS customer_id,
			timestamptz '2025-01-01' + n * interval '37 seconds' AS ts,
			(ARRAY['view', 'cart', 'order', 'call', 'crash'])[1 + (hashint8(n + 1) & 1023) % 5] AS name, (n % 100)::float8 AS value,
			'c' || (hashint8(n + 2) & 7) AS channel, 'v' || (n * 5 / $events) AS version
		FROM generate_series(1::bigint, $events) AS n;
	CREATE INDEX ON event (customer_id);
	CREATE TABLE large (name text PRIMARY KEY, a audience, b audience, v bsi, t timeline, words text, bytes bytea);
	ALTER TABLE large ALTER words SET STORAGE EXTERNAL;
	INSERT INTO large (name, a, b) SELECT 'sparse', audience_agg(hashint8extended(n, 1) & 1099511627775), audience_agg(hashint8extended(n, 2) & 1099511627775)
		FROM generate_series(1::bigint, $ids) n;
	INSERT INTO large (name, a, b) SELECT 'dense', audience_agg(n) FILTER (WHERE hashint8(n) & 1 = 0), audience_agg(n) FILTER (WHERE hashint8(n) & 2 = 0)
		FROM generate_series(1::bigint, 2 * $ids) n;
	INSERT INTO large (name, v) SELECT 'numbers', bsi_agg(n, hashint8(n)::bigint) FROM generate_series(1::bigint, $ids) n;
	INSERT INTO large (name, t) SELECT 'events', timeline_agg(ts, name, value, jsonb_build_object('channel', channel, 'version', version)) FROM event;
	INSERT INTO large (name, words) SELECT 'audience', a::text FROM large WHERE name = 'sparse';
	UPDATE large SET words = v::text WHERE name = 'numbers';
	UPDATE large SET words = t::text WHERE name = 'events';
	INSERT INTO large (name, bytes) SELECT 'roaring', to_roaring(a) FROM large WHERE name = 'sparse';
	VACUUM ANALYZE;
	SELECT create_population('bank', 'customer', 'id');
	SELECT create_tag('t' || n, format('amount %% %s = 1 AND joined > %L', n, date '2020-01-01' + n), population => 'bank') FROM generate_series(2, 40) AS n;
	SELECT create_tag('city', 'city', population => 'bank');
	SELECT create_tag('money', 'amount * 1.25', population => 'bank');
	SELECT create_tag('old', 'joined < as_of - interval ''400 days''', population => 'bank');
	SELECT create_tag('rank', 'percentile(amount) > 0.9', population => 'bank');
	SELECT create_tag('alike', 'lookalike(''t7'', amount, city, joined) > 0.5', population => 'bank');
	SELECT refresh_tags('bank');
	SELECT create_population('living', 'customer', 'id');
	SELECT create_tag('a' || n, format('amount %% %s = 1 AND joined > %L', n, date '2020-01-01' + n), population => 'living') FROM generate_series(2, 40) AS n;
	SELECT create_tag('clock', 'joined < as_of - interval ''400 days''', population => 'living');
	SELECT refresh_tags('living');
	SELECT track_population('living');
	SELECT create_population('shop', 'customer', 'id', events => 'event', event_key => 'customer_id', event_time => 'ts', event_name => 'name',
		event_value => 'value', event_attributes => ARRAY['channel', 'version']::name[]);
	SELECT create_tag('buyer', 'event_count(timeline, ''order'', as_of - interval ''90 days'', as_of) >= 2', population => 'shop');
	SELECT refresh_timelines('shop');
	SELECT refresh_tags('shop');
	SELECT define_report('ways', 'funnel', '{"steps": ["view", "cart", "order"], "within": "2 days"}', 'shop');
});

# Whatever may take long.  A statement is repeated inside the server where one call is over at once.
my $large = 'FROM large WHERE name =';
my $many = 'generate_series(1, 1000)';
my $of_customer = 'FROM customer';
my $rows = "SELECT amount, city, joined, age, bought FROM customer";
my %jobs = (
	# audiences and numbers
	'audience_agg' => "SELECT cardinality(audience_agg(hashint8extended(n, 3) & 1099511627775)) FROM generate_series(1::bigint, 100000000) n",
	'audience_agg of groups' => "SELECT count(*) FROM (SELECT audience_agg(n) FROM generate_series(1::bigint, 100000000) n GROUP BY hashint8(n) & 65535) s",
	'union_agg' => "SELECT cardinality(union_agg(a)) FROM large, $many WHERE name = 'sparse'",
	'intersect_agg' => "SELECT cardinality(intersect_agg(a)) FROM large, $many WHERE name = 'sparse'",
	'audience in' => "SELECT cardinality(words::audience) $large 'audience'",
	'audience out' => "SELECT octet_length(a::text) $large 'sparse'",
	'audience send' => "SELECT length(audience_send(a)) FROM large, $many WHERE name = 'sparse'",
	'audience from array' => "SELECT cardinality(audience(array_agg(hashint8extended(n, 3) & 1099511627775))) FROM generate_series(1::bigint, " . $ids * 10 . ") n",
	'audience to array' => "SELECT sum(array_length(audience_to_bigint_array(a), 1)) FROM large, $many WHERE name = 'sparse'",
	'members' => "SELECT count(*) FROM $many, large, members(a) WHERE name = 'sparse'",
	'union' => "SELECT sum(cardinality(a | b)) FROM large, $many WHERE name = 'sparse'",
	'except' => "SELECT sum(cardinality(a - b)) FROM large, $many WHERE name = 'sparse'",
	'xor' => "SELECT sum(cardinality(a # b)) FROM large, $many WHERE name = 'dense'",
	'and_cardinality' => "SELECT sum(and_cardinality(a, b)) FROM large, $many WHERE name = 'dense'",
	'sample' => "SELECT sum(cardinality(sample(a, $ids / 2, n))) FROM large, $many n WHERE name = 'sparse'",
	'slice' => "SELECT sum(cardinality(slice(a, n, $ids / 2))) FROM large, $many n WHERE name = 'sparse'",
	'holdout' => "SELECT sum(cardinality(holdout(a, 0.5, n::text))) FROM large, $many n WHERE name = 'sparse'",
	'to_roaring' => "SELECT sum(length(to_roaring(a))) FROM large, $many WHERE name = 'sparse'",
	'from_roaring' => "SELECT sum(cardinality(from_roaring(bytes))) FROM large, $many WHERE name = 'roaring'",
	'audience hash' => "SELECT count(DISTINCT audience_hash(a)) FROM large, $many WHERE name = 'sparse'",
	'bsi_agg' => "SELECT bsi_sum(bsi_agg(n, hashint8(n)::bigint)) FROM generate_series(1::bigint, 100000000) n",
	'bsi_merge_agg' => "SELECT bsi_count(bsi_merge_agg(v)) FROM large, $many WHERE name = 'numbers'",
	'bsi in' => "SELECT bsi_sum(words::bsi) $large 'numbers'",
	'bsi out' => "SELECT octet_length(v::text) FROM large, $many WHERE name = 'numbers'",
	'bsi_quantile' => "SELECT sum(bsi_quantile(v, 0.5)) FROM large, $many WHERE name = 'numbers'",
	'bsi_top' => "SELECT sum(cardinality(bsi_top(v, 1000))) FROM large, $many WHERE name = 'numbers'",
	'bsi_range' => "SELECT sum(cardinality(bsi_range(v, -1000000, 1000000000))) FROM large, $many WHERE name = 'numbers'",
	'bsi_add' => "SELECT sum(bsi_count(bsi_add(v, v))) FROM large, $many WHERE name = 'numbers'",
	'bsi_values' => "SELECT count(*) FROM $many, large, bsi_values(v) WHERE name = 'numbers'",

	# tags
	'refresh_tags' => "SELECT count(*) FROM refresh_tags('bank')",
	'refresh_tags of timelines' => "SELECT count(*) FROM refresh_tags('shop')",
	'fold_tags' => "SELECT count(*) FROM fold_tags('living')",
	'preview_tag' => "SELECT count(*) FROM $many, preview_tag('percentile(amount) > 0.5', 'bank')",
	'check_tags' => "SELECT count(*) FROM $many, check_tags('bank')",
	'tag_cost_report' => "SELECT count(*) FROM $many, tag_cost_report('bank')",
	'explain_tag' => "SELECT count(*) FROM generate_series(1::bigint, 1000) AS n, explain_tag(n, 'alike', 'bank')",
	'tags_of' => "SELECT count(*) FROM generate_series(1::bigint, 100000) AS n, tags_of(n, 'bank')",
	'profile' => "SELECT count(profile(n, 'bank')) FROM generate_series(1::bigint, 100000) AS n",
	'segment' => "SELECT sum(cardinality(segment('(t2 | t3) & !t5 | city = \"city ' || n || '\" | money >= 10', 'bank'))) FROM $many n",
	'segment_overlap' => "SELECT count(*) FROM $many, segment_overlap(ARRAY['t2', 't3', 't4', 't5', 't6', 't7', 'city = \"city 3\"'], 'bank')",
	'segment_profile' => "SELECT count(*) FROM $many, segment_profile('t2', NULL, 'bank')",
	'member_keys' => "SELECT count(*) FROM $many, member_keys(tag('t2', NULL, 'bank'), 'bank')",
	'evaluate_tag' => "SELECT sum(cardinality(evaluate_tag('alike', population => 'bank'))) FROM $many",
	'suggest_tags' => "SELECT count(*) FROM $many, suggest_tags('customer', 'id')",
	'tag_counts' => "SELECT count(*) FROM $many, tag_counts('bank')",
	'rfm_cuts_agg' => "SELECT count(*) FROM (SELECT rfm_cuts_agg(5, now(), now() - make_interval(days => (n % 1000)::int), n % 10, (n % 99)::float8)
		FROM generate_series(1::bigint, 100000000) n) s",
	'rfm_score' => "SELECT count(*) FROM (SELECT rfm_score(rfm_summary(now() - make_interval(days => (n % 1000)::int), n % 10, (n % 99)::float8), now(), 5) OVER ()
		FROM generate_series(1::bigint, 3000000) n) s",
	'percentile_agg' => "SELECT count(*) FROM (SELECT percentile_agg(hashint8(n)) FROM generate_series(1::bigint, 100000000) n) s",
	'lookalike_fit' => "SELECT length(lookalike_fit(bought, id::text, amount, city, joined)::text) FROM customer, generate_series(1, 100)",
	'quantile_bins_agg' => "SELECT count(*) FROM (SELECT quantile_bins_agg(10, hashint8(n)) FROM generate_series(1::bigint, 100000000) n) s",
	'tree_bins_agg' => "SELECT count(*) FROM (SELECT tree_bins_agg(10, hashint8(n), n % 3 = 0) FROM generate_series(1::bigint, 100000000) n) s",
	'monotone_bins_agg' => "SELECT count(*) FROM (SELECT monotone_bins_agg(10, hashint8(n), n % 3 = 0) FROM generate_series(1::bigint, 100000000) n) s",

	# behaviour
	'refresh_timelines' => "SELECT count(*) FROM refresh_timelines('shop', true)",
	'timelines' => "SELECT count(*) FROM $many, timelines('SELECT customer_id, ts, name, value, jsonb_build_object(''channel'', channel) FROM event')",
	'timeline_agg' => "SELECT event_count(timeline_agg(timestamptz '2025-01-01' + n * interval '1 s', 'e' || n % 50)) FROM generate_series(1::bigint, 100000000) n",
	'timeline_agg unordered' => "SELECT event_count(timeline_agg(timestamptz '2025-01-01' + hashint8(n) * interval '1 s', 'e' || n % 50)) FROM generate_series(1::bigint, 100000000) n",
	'merge_agg' => "SELECT event_count(merge_agg(t)) FROM large, generate_series(1, 50) WHERE name = 'events'",
	'timeline in' => "SELECT sum(event_count(words::timeline)) FROM large, $many WHERE name = 'events'",
	'timeline out' => "SELECT sum(octet_length(t::text)) FROM large, $many WHERE name = 'events'",
	'events' => "SELECT count(*) FROM $many, large, events(t) WHERE name = 'events'",
	'event_count' => "SELECT sum(event_count(t, 'order[channel=c' || n % 7 || ']')) FROM large, $many n WHERE name = 'events'",
	'active_days' => "SELECT sum(active_days(t, 'order')) FROM large, $many n WHERE name = 'events'",
	'sessions' => "SELECT count(*) FROM $many, large, sessions(t, '1 hour') WHERE name = 'events'",
	'window_funnel of a timeline' => "SELECT sum(window_funnel(t, '30 days', ARRAY['view', 'cart', 'crash[channel=none]'])) FROM large, $many WHERE name = 'events'",
	'sequence_match of a timeline' => "SELECT count(sequence_match(t, '(?1).*(?2).*(?1).*(?t<=3)(?3).*(?1)', ARRAY['view', 'cart', 'none'])) FROM large, $many WHERE name = 'events'",
	'sequence_count of a timeline' => "SELECT sum(sequence_count(t, '(?1).*(?2)', ARRAY['view', 'cart'])) FROM large, $many WHERE name = 'events'",
	'path_edges' => "SELECT count(*) FROM $many, large, path_edges(t, depth => 10) WHERE name = 'events'",
	'touch_paths' => "SELECT count(*) FROM $many, large, touch_paths(t, ARRAY['view', 'cart', 'call'], 'order', '30 days') WHERE name = 'events'",
	'trend' => "SELECT count(trend(t, 'order', 'week', 10)) FROM large, $many WHERE name = 'events'",
	'rhythm' => "SELECT count(rhythm(t, 'order')) FROM large, $many WHERE name = 'events'",
	'velocity' => "SELECT sum(velocity(t, '1 hour')) FROM large, $many WHERE name = 'events'",
	'habit' => "SELECT count(*) FROM $many, large, habit(t) WHERE name = 'events'",
	'preferences' => "SELECT count(*) FROM $many, large, preferences(t, 'channel') WHERE name = 'events'",
	'decayed_sum' => "SELECT sum(decayed_sum(t, '10 days')) FROM large, $many WHERE name = 'events'",
	'timeline_distinct' => "SELECT sum(event_count(timeline_distinct(t || t))) FROM large, $many WHERE name = 'events'",
	'activity' => "SELECT count(activity(t, 'day')) FROM large, $many WHERE name = 'events'",
	'window_funnel' => "SELECT window_funnel('1 day', timestamptz '2025-01-01' + hashint8(n) * interval '1 s', n % 3 = 0, n % 3 = 1, n % 3 = 2) FROM generate_series(1::bigint, 100000000) n",
	'funnel_agg' => "SELECT max_step(funnel_agg('1 day', timestamptz '2025-01-01' + hashint8(n) * interval '1 s', n % 3 = 0, n % 3 = 1, n % 5000000 = 2)) FROM generate_series(1::bigint, 100000000) n",
	'sequence_match' => "SELECT sequence_match('(?1).*(?2).*(?1).*(?t<=3)(?3).*(?1)', timestamptz '2025-01-01' + hashint8(n) * interval '1 s', n % 2 = 0, n % 2 = 1, false)
		FROM generate_series(1::bigint, 100000000) n",
	'sequence_next_node' => "SELECT sequence_next_node('forward', 'head', timestamptz '2025-01-01' + hashint8(n) * interval '1 s', 'e' || n % 5, n % 5 = 0, n % 5 = 0, n % 5 = 9)
		FROM generate_series(1::bigint, 100000000) n",
	'retention_table' => "SELECT count(*) FROM (SELECT retention_table(a) FROM (SELECT activity_agg('day', ts) AS a FROM event GROUP BY customer_id) s, $many) s",
	'attribution, Markov' => "SELECT attribution('markov:3', ARRAY(SELECT 'c' || hashint8(n * 7 + k) % 400 FROM generate_series(1, 8) k), 1, 1, 1) FROM generate_series(1::bigint, 100000) n",
	'attribution, Shapley' => "SELECT attribution('shapley', ARRAY(SELECT 'c' || hashint8(n * 7 + k) % 11 FROM generate_series(1, 8) k), 1, 1, 1) FROM generate_series(1::bigint, 100000) n",
	'app_daily' => "SELECT count(*) FROM $many, app_daily('SELECT customer_id, ts, name, value, jsonb_build_object(''version'', version) FROM event')",
	'app_versions' => "SELECT count(*) FROM $many, app_versions('SELECT customer_id, ts, name, value, jsonb_build_object(''version'', version) FROM event', attribute => 'version')",

	# scoring
	'boosted_trees_fit' => "SELECT boosted_trees_fit(bought, x, '{\"trees\": 1000, \"depth\": 8}') IS NULL $of_customer",
	'boosted_trees_regression_fit' => "SELECT boosted_trees_regression_fit(amount, x, '{\"trees\": 1000, \"depth\": 8}') IS NULL $of_customer",
	'logistic_fit' => "SELECT logistic_fit(bought, x) IS NULL FROM customer, $many",
	'logistic_fit, lasso' => "SELECT logistic_fit(bought, x, '{\"l1\": 0.01}') IS NULL FROM customer, generate_series(1, 20)",
	'linear_fit' => "SELECT linear_fit(amount, x) IS NULL FROM customer, $many",
	'naive_bayes_fit' => "SELECT naive_bayes_fit(bought, x) IS NULL FROM customer, $many",
	'scorecard_fit' => "SELECT scorecard_fit(bought, x) IS NULL FROM customer, generate_series(1, 20)",
	'cox_fit' => "SELECT cox_fit(age + amount / 100.0, bought, x) IS NULL FROM customer, generate_series(1, 10)",
	'kaplan_meier' => "SELECT kaplan_meier(age + hashint8(id) / 1e9, bought) IS NULL FROM customer, $many",
	'log_rank' => "SELECT log_rank(city, age + hashint8(id) / 1e9, bought) IS NULL FROM customer, generate_series(1, 10)",
	'bg_nbd_fit' => "SELECT bg_nbd_fit(frequency, age * 0.5 + hashint8(id) % 100 / 1000.0, age) IS NULL FROM customer",
	'mbg_nbd_fit' => "SELECT mbg_nbd_fit(frequency, age * 0.5 + hashint8(id) % 100 / 1000.0, age) IS NULL FROM customer",
	'pareto_nbd_fit' => "SELECT pareto_nbd_fit(frequency, age * 0.5 + hashint8(id) % 100 / 1000.0, age) IS NULL FROM customer",
	'gamma_gamma_fit' => "SELECT gamma_gamma_fit(frequency, 1 + amount + hashint8(id) % 100 / 1000.0) IS NULL FROM customer, generate_series(1, 10)",
	'kmeans_fit' => "SELECT kmeans_fit(20, x, '{\"n_init\": 20}') IS NULL FROM customer",
	'kprototypes_fit' => "SELECT kprototypes_fit(20, x, '{\"categorical\": [3], \"n_init\": 20}') IS NULL FROM customer",
	'auc_agg' => "SELECT auc_agg(n % 3 = 0, hashint8(n)) FROM generate_series(1::bigint, 100000000) n",
	'auc_interval_agg' => "SELECT auc_interval_agg(n % 3 = 0, hashint8(n)) FROM generate_series(1::bigint, 100000000) n",
	'gain_table' => "SELECT gain_table(10, n % 3 = 0, hashint8(n)) IS NULL FROM generate_series(1::bigint, 100000000) n",
	'woe_table' => "SELECT woe_table(n % 3 = 0, (hashint8(n) & 1048575)::text) IS NULL FROM generate_series(1::bigint, 100000000) n",
	'train' => "SELECT train('m', 'boosted_trees', '$rows', 'bought', '{\"trees\": 1000}')",
	'train a scorecard' => "SELECT count(train('s', 'scorecard', '$rows', 'bought')) FROM generate_series(1, 20)",
	'compare_models' => "SELECT count(*) FROM compare_models(ARRAY['logistic', 'boosted_trees'], '$rows', 'bought')",
	'model_drift' => "SELECT count(*) FROM generate_series(1, 20), model_drift('named', '$rows')",
	'predict by name' => "SELECT sum(predict('named', c)) FROM customer AS c, $many",
	'explain by name' => "SELECT count(*) FROM customer AS c, explain('named', c)",
	'kmeans_choice' => "SELECT kmeans_choice(8, x) IS NULL FROM customer",
	'isolation_forest_fit' => "SELECT isolation_forest_fit(x, '{\"trees\": 1000, \"sample\": 4096}') IS NULL FROM customer, generate_series(1, 10)",
	'robust_scale_agg' => "SELECT robust_scale_agg(hashint8(n)) IS NULL FROM generate_series(1::bigint, 100000000) n",
	'training_rows' => "SELECT count(*) FROM $many, training_rows('shop', '2025-02-01', '30 days', '{\"orders\": \"event_count(timeline, ''order'')\"}', outcome => 'order')",

	# mining and reports
	'recommend_fit' => "SELECT recommend_fit(hashint8(n)::bigint & 65535, 'item ' || hashint8(n + 1) % 3000) IS NULL FROM generate_series(1::bigint, 3000000) n",
	'recommend_fit, als' => "SELECT recommend_fit(hashint8(n)::bigint & 65535, 'item ' || hashint8(n + 1) % 3000, 1, '{\"method\": \"als\", \"factors\": 32, \"iterations\": 50}') IS NULL
		FROM generate_series(1::bigint, 1000000) n",
	'concordance_agg' => "SELECT concordance_agg(hashint8(n), n % 3 = 0, hashint8(n + 1)) FROM generate_series(1::bigint, 100000000) n",
	'refresh_reports' => "SELECT count(*) FROM $many, refresh_reports('shop')",
	'unmet_demand' => "SELECT unmet_demand('1 day', NULL, '{\"view\": \"channel\"}', '{\"order\": \"channel\"}', t) IS NULL FROM large, $many WHERE name = 'events'",
	'report' => "SELECT count(length(report('shop'))) FROM $many",
	'customer_page' => "SELECT sum(length(customer_page(n, 'shop'))) FROM generate_series(1::bigint, 10000) AS n",
	'association_rules' => "SELECT association_rules(0.001, 0.1, n / 10, 'item ' || hashint8(n) % 100) IS NULL FROM generate_series(1::bigint, 3000000) n",
	'frequent_itemsets' => "SELECT frequent_itemsets(0.0001, n / 30, 'item ' || hashint8(n) % 40, '{\"max_items\": 5}') IS NULL FROM generate_series(1::bigint, 300000) n",
);
$node->safe_psql('postgres', "SELECT train('named', 'boosted_trees', '$rows', 'bought', '{\"trees\": 20}')");

# The session that works.
my ($in, $out, $err) = ('', '', '');
my $worker = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres') ], '<', \$in, '>', \$out, '2>', \$err, IPC::Run::timer(1000));
sub say_to_worker
{
	my ($text, $until) = @_;

	$in .= $text;
	$worker->pump_nb;
	$worker->pump while $until && $out !~ $until;
}
say_to_worker("SELECT 'pid ' || pg_backend_pid();\n", qr/pid \d+\n/);
my ($pid) = $out =~ /pid (\d+)\n/;

my (%waited, %worked);
my $only = $ENV{CRM_ONLY} || '.';
my $runs = 0;
foreach my $name (grep { $_ =~ /$only/ } sort keys %jobs)
{
	# Random moments; when a statement was over before, the next is earlier.
	my $longest = 1.5;

	foreach my $try (1 .. $times)
	{
		my $mark = sprintf('run %05d', ++$runs);
		my $delay = rand($longest) * rand(1);

		($out, $err) = ('', '');
		(my $sql = $jobs{$name}) =~ s/^SELECT/SELECT \/*$mark*\//;
		$sql =~ s/\s+/ /g;
		say_to_worker("$sql;\n\\echo ready\n");
		my ($waited, $lasted, $work) = split /\|/, $node->safe_psql('postgres', "SELECT * FROM cancel_after($pid, '$mark', $delay, '$patience min')");
		say_to_worker('', qr/ready\n/);
		if ($err ne '' && $err !~ /canceling statement due to user request/)
		{
			fail("$name: $err");
			last;
		}
		if (defined $waited && $waited ne '')
		{
			push @{ $waited{$name} }, $waited;
			push @{ $worked{$name} }, $work if defined $work && $work ne '';
		}
		else
		{
			$longest = $lasted if defined $lasted && $lasted ne '' && $lasted < $longest;
		}
	}
}
say_to_worker("\\q\n");
$worker->finish;

sub distribution
{
	my ($what, %of) = @_;
	my @all = sort { $a <=> $b } map { @$_ } values %of;
	my @slow = sort { $b->[1] <=> $a->[1] } map { [ $_, (sort { $b <=> $a } @{ $of{$_} })[0] ] } keys %of;
	my $quantile = sub { return $all[ int($_[0] * $#all + 0.5) ] };

	return () if !@all;
	diag(sprintf('%s of %d cancels of %d statements, ms: median %.1f, 90 %% %.1f, 99 %% %.1f, longest %.1f', $what, scalar(@all),
			scalar(keys %of), $quantile->(0.5), $quantile->(0.9), $quantile->(0.99), $all[-1]));
	diag(sprintf('  %8.1f  %s', $_->[1], $_->[0])) foreach @slow[ 0 .. ($#slow < 9 ? $#slow : 9) ];
	return map { sprintf('%s (%d ms)', @$_) } grep { $_->[1] > $bound } @slow;
}

# Whoever was always done before he could be cancelled needs no cancelling.
cmp_ok(scalar(keys %waited), '>', 0.5 * scalar(grep { $_ =~ /$only/ } keys %jobs), 'most were at work when they were cancelled');
distribution('time', %waited);
SKIP:
{
	skip 'the system does not tell the work of a process', 1 if !%worked;
	is(join(', ', distribution('work of the processor', %worked)), '', "no cancel is answered after more than $bound ms of work");
}

# Nothing is left of what was cancelled, and the server is as it was.
is($node->safe_psql('postgres', 'SELECT count(*) FROM progress'), '0', 'nothing is shown as being at work');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_ls_tmpdir()"), '0', 'no temporary file is left');
unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal/, 'no crash');

$node->stop;
done_testing();
