-- Who may do what: every relation and every function that is not immutable, for the owner of a population and what
-- belongs to it, an analyst (may define, and reads the source), a reader (of whole sets) and a stranger.
--
-- A new table or view gets a line by itself.  A new function has to be called here: the list "calls" below needs a line for
-- it, or, where it reads nothing of anybody's, the list "without_data".  The functions of owners are traps: they
-- notice when they run as somebody else than their owner, or could become him.
CREATE SCHEMA rights_matrix;
SET search_path = rights_matrix, crm, public;
SET client_min_messages = error;
SET timezone = 'UTC';
\set SHOW_CONTEXT never
CREATE ROLE regress_matrix_owner;
CREATE ROLE regress_matrix_analyst;
CREATE ROLE regress_matrix_reader;
CREATE ROLE regress_matrix_stranger;
GRANT USAGE ON SCHEMA rights_matrix, crm TO PUBLIC;
GRANT CREATE ON SCHEMA rights_matrix TO regress_matrix_owner;
-- sequences are not rolled back: what a trap has seen stays
CREATE SEQUENCE sprung;		-- a trap ran
CREATE SEQUENCE caught;		-- a trap ran as somebody else, or got out of its owner's rights
CREATE SEQUENCE armed;		-- train is a query of the caller's own, in his own session: there SET ROLE is nothing to get out of
GRANT ALL ON SEQUENCE sprung, caught, armed TO PUBLIC;

SET ROLE regress_matrix_owner;
CREATE FUNCTION try_all() RETURNS boolean VOLATILE LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
	attack text;
BEGIN
	IF NOT (SELECT is_called FROM rights_matrix.armed) THEN
		RETURN true;
	END IF;
	PERFORM nextval('rights_matrix.sprung');
	IF current_user <> 'regress_matrix_owner' THEN
		PERFORM nextval('rights_matrix.caught');
		RETURN true;
	END IF;
	FOREACH attack IN ARRAY ARRAY['RESET ROLE', 'SET ROLE postgres', 'SET SESSION AUTHORIZATION DEFAULT', 'ALTER ROLE regress_matrix_owner SUPERUSER',
		'CREATE TEMP TABLE trap (x int)', 'LISTEN trap', 'DECLARE trap CURSOR WITH HOLD FOR SELECT 1', 'SELECT pg_catalog.set_config(''role'', ''none'', false)']
	LOOP
		BEGIN
			EXECUTE attack;
			PERFORM nextval('rights_matrix.caught');
		EXCEPTION WHEN OTHERS THEN
			NULL;
		END;
	END LOOP;
	RETURN true;
END
$$;
CREATE FUNCTION trap(numeric) RETURNS boolean STABLE LANGUAGE plpgsql COST 1000 AS $$ BEGIN RETURN $1 IS NULL OR $1 OPERATOR(pg_catalog.<>) 25::numeric OR rights_matrix.try_all(); END $$;
CREATE TABLE customers (id text PRIMARY KEY, branch text, balance numeric, age int, joined date, recency_score int, frequency_score int, spent float8);
INSERT INTO customers SELECT CASE n WHEN 40 THEN '00000000-0000-0000-0000-000000000007' ELSE n::text END, (ARRAY['north', 'south'])[1 + n % 2], n, 20 + n, date '2000-01-01' + n,
	1 + n % 5, 1 + n % 2, n FROM generate_series(1, 40) n;
CREATE TABLE events (customer text, at timestamptz, event text, amount float8, channel text);
INSERT INTO events SELECT c.id, timestamptz '2026-01-05 10:00+00' + k * interval '20 days', e, c.spent, 'app' FROM customers c, generate_series(0, 2) k, unnest('{view,order}'::text[]) e;
CREATE TABLE past AS SELECT n % 50 AS balance, n % 30 AS age, (n * 7) % 50 > 25 AS gone FROM generate_series(1, 300) n;
GRANT SELECT ON customers, events, past TO regress_matrix_analyst;
SELECT create_population('matrix', 'customers', 'id', 'branch', events => 'events', event_key => 'customer', event_time => 'at', event_name => 'event', event_value => 'amount', event_attributes => '{channel}');
SELECT create_tag('rich', 'balance > 20 AND rights_matrix.trap(balance)'), create_tag('branch', 'branch'), create_tag('amount', 'balance'), create_tag('lasting', $$joined < as_of - interval '1 year'$$, 'timeliness');
SELECT count(*) FROM refresh_timelines(period => 'month');
SELECT create_tag('buyer', $$event_count(timeline, 'order') >= 2$$), create_tag('like the rich', $$lookalike(has_tag('rich'), age) > 0.5$$), create_tag('rich and old', $$has_tag('rich') AND age > 50$$);
SELECT count(*) FROM create_list_tag('vip', '{1,2,25}');
SELECT expect_tag('rich', '25', population => 'matrix'), register_tag_title('rich', 'zh', '富裕'), alter_tag('branch', state => 'retired');
SELECT grant_population('matrix', 'regress_matrix_analyst', 'define'), grant_population('matrix', 'regress_matrix_reader');
SELECT count(*) FROM refresh_tags();
SELECT define_segment('good', 'rich & buyer'), define_segment('kept', 'rich | vip', frozen => true);
SELECT follow_segment('good');
SELECT train('churn', 'logistic', 'SELECT balance, age, gone FROM rights_matrix.past WHERE rights_matrix.trap(balance)', 'gone') ->> 'version' AS version FROM generate_series(1, 2);
SELECT train('groups', 'k_means', 'SELECT balance, age FROM rights_matrix.past WHERE rights_matrix.trap(balance)', NULL, '{"k": 2}') ->> 'version' AS version;
SELECT grant_model('churn', 'regress_matrix_analyst');
SELECT define_report('funnel', 'funnel', '{"steps": ["view", "order"]}'), define_report('model', 'model', '{"model": "churn"}'), define_report('big', 'portrait', '{"segment": "rich"}'),
	define_report('channels', 'channels', '{"channels": ["view"], "conversion": "order"}'), define_report('app', 'app');
SELECT define_standard_reports();
SELECT count(*), count(problem) AS problems FROM refresh_reports();
SELECT track_population('matrix');
UPDATE customers SET balance = 1 WHERE id IN ('29', '30');
UPDATE customers SET joined = now() - interval '100 days' WHERE id = '39';
SELECT count(*) FROM fold_tags('matrix');
SELECT count(*) FROM consume_segment_changes('good', 'mailer');
SELECT drop_timelines('matrix', '2026-01-06') = '2026-01-01' AS dropped;
-- pending: readers evaluate these themselves
UPDATE customers SET balance = 25 WHERE id IN ('24', '25', '26');
RESET ROLE;
INSERT INTO report_library VALUES ('echarts', '0', 'not the one');
INSERT INTO rfm_segment_rule (map, priority, segment) VALUES ('own', 1, 'x');
INSERT INTO next_action_rule (tag, action) VALUES ('rich', 'call');

CREATE TABLE results (what text, role int, result text, caught bigint, sprung bigint);
CREATE FUNCTION attempt(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE statement INTO result;
	-- whatever it did is undone
	RAISE SQLSTATE 'ZZ000' USING MESSAGE = CASE WHEN pg_catalog.length(result) OPERATOR(pg_catalog.>) 0 THEN result ELSE 'done' END;
EXCEPTION
	WHEN SQLSTATE 'ZZ000' THEN RETURN SQLERRM;
	WHEN OTHERS THEN RETURN SQLSTATE;
END
$$;

-- Relations: which of the rows that are there each role sees; and that nobody but the owner of the catalogue writes any.
CREATE TABLE relations (name text COLLATE "C" PRIMARY KEY, kind "char", rows bigint);
CREATE FUNCTION rows_of(relation regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	found bigint;
BEGIN
	EXECUTE format('SELECT count(*) FROM %s', relation) INTO found;
	RETURN found;
END $$;
INSERT INTO relations SELECT c.relname, c.relkind, rows_of(c.oid)
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
WHERE e.extname = 'crm_analytics' AND d.deptype = 'e' AND c.relkind IN ('r', 'v', 'm', 'p', 'S', 'f');
CREATE TABLE seen (relation text, role int, command text, result text);
GRANT SELECT ON relations TO PUBLIC;
GRANT INSERT ON seen TO PUBLIC;
DO $$
DECLARE
	who name;
	number int := 0;
BEGIN
	FOREACH who IN ARRAY '{owner,analyst,reader,stranger}'::name[] LOOP
		number := number + 1;
		EXECUTE format('SET LOCAL ROLE regress_matrix_%s', who);
		INSERT INTO rights_matrix.seen SELECT r.name, number, c.command, rights_matrix.attempt(format(c.statement, r.name, r.rows, a.attname))
		FROM rights_matrix.relations r LEFT JOIN pg_attribute a ON a.attrelid = format('crm.%I', r.name)::regclass AND a.attnum = 1
		JOIN (VALUES ('SELECT', '{r,v,m,p,f}'::"char"[], 'SELECT CASE count(*) WHEN 0 THEN ''none'' WHEN %2$s THEN ''all'' ELSE ''some'' END FROM crm.%1$I'),
			('INSERT', '{r,v,m,p,f}', 'INSERT INTO crm.%1$I DEFAULT VALUES'), ('UPDATE', '{r,v,m,p,f}', 'UPDATE crm.%1$I SET %3$I = %3$I'), ('DELETE', '{r,v,m,p,f}', 'DELETE FROM crm.%1$I'),
			('MERGE', '{r,p}', 'MERGE INTO crm.%1$I t USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE'), ('TRUNCATE', '{r,p,m,f}', 'TRUNCATE crm.%1$I CASCADE'), ('LOCK', '{r,p}', 'LOCK TABLE crm.%1$I IN ACCESS EXCLUSIVE MODE'),
			('TRIGGER', '{r,v,p,f}', 'CREATE TRIGGER x BEFORE INSERT ON crm.%1$I FOR EACH STATEMENT EXECUTE FUNCTION crm.log_change()'), ('OWNER', '{r,v,m,p,f}', 'ALTER TABLE crm.%1$I OWNER TO CURRENT_USER'),
			('SELECT', '{S}', 'SELECT count(*) FROM crm.%1$I'), ('USAGE', '{S}', 'SELECT nextval(''crm.%1$I'')'), ('UPDATE', '{S}', 'SELECT setval(''crm.%1$I'', 1)')) c (command, kinds, statement) ON r.kind = ANY (c.kinds);
		RESET ROLE;
	END LOOP;
END
$$;
SELECT r.name, CASE WHEN r.rows = 0 AND r.kind <> 'S' THEN 'no rows' ELSE '' END AS there, max(result) FILTER (WHERE role = 1) AS owner, max(result) FILTER (WHERE role = 2) AS analyst, max(result) FILTER (WHERE role = 3) AS reader,
	max(result) FILTER (WHERE role = 4) AS stranger
FROM relations r JOIN seen s ON s.relation = r.name AND s.command = 'SELECT' GROUP BY r.name ORDER BY r.name;
-- 42501, and 55000 for what is no table
SELECT r.kind, s.command, s.result, count(DISTINCT r.name) > 0 AS there FROM relations r JOIN seen s ON s.relation = r.name WHERE s.command <> 'SELECT' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- Functions that read nothing of anybody's: what they answer is made of their arguments, or of a query of the caller's.
CREATE TABLE without_data (function text);
COPY without_data FROM stdin;
app_alerts(text,text,interval,text,integer,double precision)
app_channels(text,text,text,text,interval)
app_daily(text,text,interval,text)
app_versions(text,text,text)
audience_idjoinsel(internal,oid,internal,smallint,internal)
audience_idsel(internal,oid,internal,integer)
audience_setjoinsel(internal,oid,internal,smallint,internal)
audience_setsel(internal,oid,internal,integer)
audience_typanalyze(internal)
chart_axis(text,boolean,boolean)
chart_bar(text[],double precision[],text,text,text,integer,boolean)
chart_calendar(date[],double precision[],text,text,text)
chart_calibration(calibration_row[],text,text)
chart_cohort(retention_row[],text,text,integer)
chart_figure(jsonb)
chart_funnel(funnel_row[],text,text,text[],text)
chart_funnel(text[],bigint[],text,text,text)
chart_gain(gain_row[],text,text)
chart_heat(jsonb,jsonb,text,text,jsonb,double precision,double precision,integer,boolean,text)
chart_lines(date[],text[],double precision[],text,text,text,integer,boolean)
chart_number(double precision)
chart_option(text,text,text,text,text[],text[],jsonb,integer,jsonb)
chart_paths(integer[],text[],text[],bigint[],text,text,integer,integer,boolean)
chart_percent(double precision)
chart_radar(text[],double precision[],double precision[],text,text,text[],integer)
chart_rfm(integer[],integer[],bigint[],text,text)
chart_rfm(rfm_score[],text,text)
chart_square(text,text,integer,boolean,double precision,double precision)
chart_survival(survival_point[],text,text,text)
chart_trend(date[],double precision[],text,text,text,double precision[],daterange[],text[])
has_tag(text)
has_tag(text,text)
in_segment(text)
listed_until(text)
log_change()
lookalike(boolean,"any")
lookalike(text,"any")
lookalike(text,text)
model_features(jsonb,record)
page_bars(text[],double precision[],text)
page_cell(jsonb)
page_interval(interval,text)
page_number(numeric)
page_share(double precision)
page_table(jsonb,jsonb,text)
percentile(double precision)
reference_check()
report_time(timestamp with time zone,text)
rfm_cuts_in(cstring)
rfm_in_population(rfm_summary,integer)
row_is_held(jsonb,record)
row_is_taken(jsonb,record)
tag_due_at(regclass,text[],smallint[],timestamp with time zone,timeline,timestamp with time zone,"any")
tag_numeric(text)
tag_scan_combinefn(agg_state,agg_state)
tag_scan_finalfn(agg_state)
tag_scan_rows_transfn(agg_state,bytea,integer,bigint,text,tag_scan_row)
tag_scan_transfn(agg_state,bytea,integer,bigint,"any")
tag_value(text)
timeline_in(cstring)
\.

-- One call of each of the others; %1$L is the population, %2$s its number, %3$s that of its tag 'like the rich'.
CREATE TABLE calls (function text PRIMARY KEY, arguments text NOT NULL, source text DEFAULT '');
COPY calls (function, arguments) FROM stdin (DELIMITER '|');
alter_model(text,boolean)|'churn', false
alter_model(text,integer,text)|'churn', 1, 'retired'
alter_population(text,boolean,text)|%1$L, true
alter_tag(text,text,text,double precision,text,name)|'rich', %1$L, confidence => 0.5
can_read_sets(integer,integer)|%2$s
can_see_population(integer)|%2$s
chart_page(jsonb[],text,text)|ARRAY[crm.chart_bar('{a}', '{1}', 't')]
chart_segment(text,text,text,text,text,integer)|'rich', population => %1$L
check_tags(text)|%1$L
cluster(text,jsonb)|'groups', '{"balance": 1, "age": 20}'::jsonb
column_classes(regclass)|'rights_matrix.customers'
compare_models(text[],text,text,jsonb)|'{logistic}', 'SELECT balance, age, gone FROM rights_matrix.past', 'gone'
consume_segment_changes(text,text,integer,text)|'good', 'mailer', 10, %1$L
create_list_tag(text,text[],text,text,timestamp with time zone,text,text)|'new', '{1}', population => %1$L
create_population(text,regclass,name,name,text,regclass,name,name,name,name,name[],name,name)|'new', 'rights_matrix.customers', 'id'
create_tag(text,text,text,text,interval,text,text)|'new', 'balance OPERATOR(pg_catalog.>) 1', population => %1$L
customer_column_names(regclass)|'rights_matrix.customers'
customer_id(bigint,text)|25, %1$L
customer_id(text,text)|'25', %1$L
customer_id(uuid,text)|'00000000-0000-0000-0000-000000000007'::uuid, %1$L
customer_key(bigint,text)|1, %1$L
customer_page(bigint,text,text,jsonb)|25, %1$L
customer_page(text,text,text,jsonb)|'25', %1$L
customer_page(uuid,text,text,jsonb)|'00000000-0000-0000-0000-000000000007'::uuid, %1$L
customer_recommendations(text,text,jsonb,text)|'25', %1$L, '{"model": "churn"}', 'en'
customer_reasons(text,text,jsonb,text,text,integer)|'25', %1$L, '{"base": [{"tag": "rich"}]}', 'en', 'UTC', 3
customer_scores(text,jsonb,text[],text)|%1$L, '{"balance": 1, "age": 30}', '{churn}', 'en'
customer_soon(text,text,jsonb,text,text)|'25', %1$L, '{}', 'en', 'UTC'
customer_timeline_part(text,text,text,text,integer)|'25', %1$L, 'en', 'UTC', 3
define_report(text,text,jsonb,text,text,boolean)|'new', 'coverage', population => %1$L
define_segment(text,text,text,boolean,text,boolean)|'new', 'rich', %1$L
define_standard_reports(text)|%1$L
drop_model(text)|'churn'
drop_population(text)|%1$L
drop_report(text,text)|'funnel', %1$L
drop_segment(text,text)|'kept', %1$L
drop_segment_consumer(text,text,text)|'good', 'mailer', %1$L
drop_tag(text,text)|'lasting', %1$L
drop_tag_test(text,integer,text)|'rich', 1, %1$L
drop_timelines(text,timestamp with time zone)|%1$L, '2026-02-01'
erase_events(text,bigint)|%1$L, 25
erase_events(text,text)|%1$L, '25'
erase_events(text,uuid)|%1$L, '00000000-0000-0000-0000-000000000007'::uuid
evaluate(text,text,text)|'churn', 'SELECT balance, age, gone FROM rights_matrix.past', 'gone'
evaluate_tag(text,timestamp with time zone,text,text,text)|'rich', population => %1$L, columns => 'today'
expect_coverage(text,double precision,double precision,text,text)|'rich', 0, 1, population => %1$L
expect_tag(text,bigint,text,boolean,text)|'rich', 26, population => %1$L
expect_tag(text,text,text,boolean,text)|'rich', '26', population => %1$L
expect_tag(text,uuid,text,boolean,text)|'rich', '00000000-0000-0000-0000-000000000007'::uuid, population => %1$L
explain_tag(bigint,text,text,text)|25, 'rich', %1$L
explain_tag(text,text,text,text)|'25', 'rich', %1$L
explain_tag(uuid,text,text,text)|'00000000-0000-0000-0000-000000000007'::uuid, 'rich', %1$L
find_amount(regclass)|'rights_matrix.events'
find_column(regclass,text[],text[])|'rights_matrix.events', '{amount}', '{number}'
find_customer_column(regclass,regclass,name)|'rights_matrix.events', 'rights_matrix.customers', 'id'
find_key(regclass)|'rights_matrix.customers'
find_time_column(regclass)|'rights_matrix.events'
fold_tags(text,timestamp with time zone)|%1$L
follow_segment(text,boolean,text)|'good', false, %1$L
grant_model(text,name,text)|'churn', 'regress_matrix_stranger'
grant_population(text,name,text,text[])|%1$L, 'regress_matrix_stranger'
import_list(text,text[],text,text,text,timestamp with time zone)|'vip', '{3}', population => %1$L
install_taxonomy(text,jsonb,text,boolean)|'bank', '{"opened_on": "joined"}', %1$L
keep_history(text,interval)|%1$L, '30 days'
lookalike(audience,text,text[])|'{1,2}'::crm.audience, %1$L
lookalike_customers(audience,bigint,text,text[])|'{1,2}'::crm.audience, 3, %1$L
lookalike_models(text)|%1$L
lookalike_quality(audience,text,text[],integer)|'{1,2,3,4,5,6}'::crm.audience, %1$L, folds => 2
lookalike_traits(audience,text,text[])|'{1,2}'::crm.audience, %1$L
lookalike_weights(text,text)|'like the rich', %1$L
member_keys(audience,text)|'{1,2}'::crm.audience, %1$L
member_rows(audience,text)|'{1,2}'::crm.audience, %1$L
minimum_group_size()|
model(text,integer)|'churn', 1
model(unknown)|'churn'
model_drift(text,text,jsonb)|'churn', 'SELECT balance, age FROM rights_matrix.past'
next_action_rules()|
next_actions(text,jsonb,text)|%1$L, '{"base": [{"tag": "rich"}]}', 'en'
next_change(bigint,text,text)|25, 'lasting', %1$L
next_change(text,text,text)|'25', 'lasting', %1$L
next_change(uuid,text,text)|'00000000-0000-0000-0000-000000000007'::uuid, 'lasting', %1$L
page_chart(jsonb,text,boolean,text,integer)|crm.chart_bar('{a}', '{1}', 't'), 'p', false, 'en', 300
page_document(text,text,text,text,text,boolean)|'t', 's', 'n', 'b', 'en', true
personas(text,text,text,text,jsonb,double precision,integer)|'groups'
population_keys(text)|%1$L
predict(text,jsonb)|'churn', '{"balance": 1, "age": 20}'::jsonb
preview_tag(text,text,integer)|'balance OPERATOR(pg_catalog.>) 3', %1$L
profile(bigint,text,timestamp with time zone,text)|25, %1$L
profile(text,text,timestamp with time zone,text)|'25', %1$L
profile(uuid,text,timestamp with time zone,text)|'00000000-0000-0000-0000-000000000007'::uuid, %1$L
progress_rows()|
quick_start(regclass,regclass,regclass)|'rights_matrix.customers'
quick_start_view(regclass,name,regclass,regclass)|'rights_matrix.customers', 'id', NULL, NULL
readable_timelines()|
refresh_reports(text,text,timestamp with time zone)|%1$L
refresh_segment(text,text)|'kept', %1$L
refresh_tags(text,text[],timestamp with time zone,text)|%1$L, columns => 'today'
refresh_timelines(text,boolean,text,interval,name)|%1$L
register_tag_title(text,text,text,text,jsonb,text)|'rich', 'zh', 'x', population => %1$L
replace_tag(text,text,text,text,interval,text,text)|'lasting', 'true', population => %1$L
report(text,text,jsonb)|%1$L
report_behaviour(text,text,boolean,text,jsonb)|%1$L, 'en', false, 'UTC', '{}'
report_coverage(text,text,boolean)|%1$L, 'en', false
report_freshness(text,text,text)|%1$L, 'en', 'UTC'
report_library_source()|
report_overview(text,text,boolean,text)|%1$L, 'en', false, 'UTC'
report_population(text)|%1$L
report_query(integer,text,jsonb,timestamp with time zone,integer)|%2$s, 'coverage', '{}', pg_catalog.now(), 5
report_scores(text,text,boolean,text)|%1$L, 'en', false, 'UTC'
report_segments(text,text,boolean,jsonb)|%1$L, 'en', false, '{}'
report_sets(text,text)|%1$L, 'en'
report_stored(text,text,boolean,text)|%1$L, 'en', false, 'UTC'
report_timelines(text,double precision)|%1$L, 1
retrain(text)|'churn'
revoke_model(text,name,text)|'churn', 'regress_matrix_analyst'
revoke_population(text,name,text,text[])|%1$L, 'regress_matrix_reader'
rfm_segment(integer,integer,integer)|1, 2, 3
rfm_segment(integer,integer,integer,text)|1, 2, 3, 'own'
rfm_segment(rfm_score)|NULL::crm.rfm_score
rfm_segment(rfm_score,text)|NULL::crm.rfm_score, 'own'
rfm_segment_gaps(text,integer)|'own'
rollback_model(text,integer)|'churn', 1
rule_is_batched(regclass,text)|'rights_matrix.customers', 'balance OPERATOR(pg_catalog.>) 1'
rule_problems(text)|%1$L
rule_qualify(regclass,text)|'rights_matrix.customers', 'balance OPERATOR(pg_catalog.>) 1'
segment(text,text,timestamp with time zone)|'rich & !vip', %1$L
segment_change_sets(text,timestamp with time zone,text)|'good', NULL, %1$L
segment_changes(text,timestamp with time zone,text)|'good', NULL, %1$L
segment_overlap(text[],text)|'{rich,vip}', %1$L
segment_profile(audience,audience,text,double precision)|'{1,2}'::crm.audience, NULL, %1$L
segment_profile(text,text,text,double precision)|'rich'::text, NULL, %1$L
segment_state(text,text)|'good', %1$L
show_progress(text,bigint,bigint,text,text)|'x', 1, 2
store_report_library(text)|'no library'
suggest_tags(regclass,name)|'rights_matrix.customers'
tag(text,text,text,timestamp with time zone)|'rich', population => %1$L
tag_cost_report(text,integer)|%1$L
tag_counts(text)|%1$L
tag_dependents(text,text,text)|'balance', population => %1$L
tag_lineage(text,text)|'rich', %1$L
tag_number(text,text,timestamp with time zone)|'amount', %1$L
tag_stale_cause(integer)|%3$s
tag_statistic_value(integer,integer)|%3$s, 1
tag_trace(integer,text)|1, '25'
tags_of(bigint,text,timestamp with time zone)|25, %1$L
tags_of(text,text,timestamp with time zone)|'25', %1$L
tags_of(uuid,text,timestamp with time zone)|'00000000-0000-0000-0000-000000000007'::uuid, %1$L
taxonomy(text)|'bank'
taxonomy_input_sql(regclass,text,text,jsonb)|'rights_matrix.customers', 'opened_on', 'date', '{"opened_on": "joined"}'
taxonomy_inputs(text)|'bank'
timeline_of(bigint,text)|25, %1$L
timeline_of(text,text)|'25', %1$L
timeline_of(uuid,text)|'00000000-0000-0000-0000-000000000007'::uuid, %1$L
timelines(text)|'SELECT age AS customer, pg_catalog.now() AS at, ''x'' AS event FROM rights_matrix.past'
timelines_now(integer,timestamp with time zone,bigint[])|%2$s, pg_catalog.now(), NULL
track_population(text,jsonb)|%1$L
train(text,text,text,text,jsonb)|'new', 'logistic', 'SELECT balance, age, gone FROM rights_matrix.past', 'gone'
training_rows(text,timestamp with time zone,interval,jsonb,text,text,text,double precision,text)|%1$L, '2026-01-20', '30 days', '{"rich": "balance OPERATOR(pg_catalog.>) 20"}', 'order', columns => 'today'
untrack_population(text)|%1$L
\.
-- those of a row, and of a model
COPY calls FROM stdin (DELIMITER '|');
cluster(text,record)|'groups', x|(SELECT 1 AS balance, 20 AS age) x
explain(text,record)|'churn', x|(SELECT 1 AS balance, 20 AS age) x
predict(text,record)|'churn', x|(SELECT 1 AS balance, 20 AS age) x
predict_reasons(text,record,integer,text)|'churn', x|(SELECT 1 AS balance, 20 AS age) x
whole_timeline(integer,bigint,timeline)|%2$s, 1, x.t|(SELECT crm.timeline_agg('2026-03-01 00:00+00', 'seen') AS t) x
store_model(text,model)|'churn', x.m|(SELECT crm.linear_fit(n, ARRAY[n]) AS m FROM pg_catalog.generate_series(1.0, 9) n) x
\.

CREATE TEMP VIEW member_function AS
SELECT p.oid, p.oid::regprocedure::text COLLATE "C" AS function, proname, proretset, prorettype
FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
WHERE e.extname = 'crm_analytics' AND d.deptype = 'e' AND p.prokind = 'f' AND p.provolatile <> 'i';
SELECT function AS has_no_line_in_this_test FROM member_function EXCEPT (SELECT function FROM calls UNION ALL SELECT function FROM without_data) ORDER BY 1;
SELECT function AS is_not_there FROM (SELECT function FROM calls UNION ALL SELECT function FROM without_data) l EXCEPT SELECT function FROM member_function ORDER BY 1;
SELECT function AS has_two_lines FROM calls JOIN without_data USING (function);

-- Of sets the size, of rows their number if they are few, of the rest whether there is an answer: or the error.
CREATE TABLE statements (what text COLLATE "C" PRIMARY KEY, statement text);
INSERT INTO statements
SELECT function, format(CASE
		WHEN proretset THEN 'SELECT CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.<) 10::bigint THEN pg_catalog.concat(pg_catalog.count(*), '' rows'') ELSE ''rows'' END FROM %3$s crm.%1$s(%2$s)'
		WHEN prorettype = 'crm.audience'::regtype THEN 'SELECT pg_catalog.concat(crm.cardinality(crm.%1$s(%2$s)), '' members'')'
		WHEN prorettype = 'boolean'::regtype THEN 'SELECT pg_catalog.concat(crm.%1$s(%2$s)) %4$s'
		WHEN prorettype = 'void'::regtype THEN 'SELECT crm.%1$s(%2$s)'
		ELSE 'SELECT CASE WHEN pg_catalog.num_nulls(crm.%1$s(%2$s)) OPERATOR(pg_catalog.=) 1 THEN ''NULL'' ELSE ''a value'' END %4$s' END,
	proname, format(arguments, 'matrix', (SELECT population_id FROM population_definition WHERE name = 'matrix'), (SELECT tag_id FROM tag_definition WHERE name = 'like the rich')),
	source || CASE WHEN source <> '' THEN ' CROSS JOIN LATERAL' ELSE '' END, CASE WHEN source <> '' THEN 'FROM ' ELSE '' END || source)
FROM calls JOIN member_function USING (function);
GRANT SELECT ON statements TO PUBLIC;
GRANT INSERT ON results TO PUBLIC;

-- Each role calls each function, then a superuser does; then the owner again, with other operators and functions before the system's.
CREATE PROCEDURE call_all(number int, who name, path text) LANGUAGE plpgsql AS $$
DECLARE
	s record;
	answer text;
	caught_before bigint;
	sprung_before bigint;
BEGIN
	FOR s IN SELECT * FROM rights_matrix.statements ORDER BY what LOOP
		SELECT c.last_value, t.last_value INTO caught_before, sprung_before FROM rights_matrix.caught c, rights_matrix.sprung t;
		IF who IS NOT NULL THEN
			EXECUTE pg_catalog.format('SET LOCAL ROLE %I', who);
		END IF;
		PERFORM pg_catalog.set_config('search_path', path, true);
		answer := rights_matrix.attempt(s.statement);
		SET LOCAL search_path = pg_catalog;
		RESET ROLE;
		INSERT INTO rights_matrix.results SELECT s.what, number, answer, c.last_value - caught_before, t.last_value - sprung_before FROM rights_matrix.caught c, rights_matrix.sprung t;
	END LOOP;
END
$$;
SELECT nextval('armed'), nextval('caught'), nextval('sprung') \g /dev/null
CALL call_all(1, 'regress_matrix_owner', 'pg_catalog');
CALL call_all(2, 'regress_matrix_analyst', 'pg_catalog');
CALL call_all(3, 'regress_matrix_reader', 'pg_catalog');
CALL call_all(4, 'regress_matrix_stranger', 'pg_catalog');
CALL call_all(5, NULL, 'pg_catalog');
SELECT what, max(result) FILTER (WHERE role = 1) AS owner, max(result) FILTER (WHERE role = 2) AS analyst, max(result) FILTER (WHERE role = 3) AS reader, max(result) FILTER (WHERE role = 4) AS stranger
FROM results GROUP BY what ORDER BY what;
-- Whoever calls, the owner's functions run as he, and he cannot get out.
SELECT what, role, caught FROM results WHERE caught > 0 ORDER BY what, role;
SELECT what AS ran_as_its_owner_for_a_superuser FROM results WHERE role = 5 AND sprung > 0 AND caught = 0 ORDER BY what;
-- A superuser is refused nothing that the owner is not.
SELECT o.what, o.result AS owner, s.result AS superuser FROM results o JOIN results s USING (what) WHERE o.role = 1 AND s.role = 5 AND o.result IS DISTINCT FROM s.result ORDER BY what;

-- The same functions in views: what a refresh reads is read as the owner, whatever his views call, and so is a customer's row
-- that a superuser looks up.  A rule or a query of the caller's own over the view runs as the caller, as a SELECT from it would.
SET ROLE regress_matrix_owner;
CREATE VIEW trapped_customers AS SELECT * FROM customers WHERE rights_matrix.trap(CASE WHEN id = '25' THEN 25 END);
CREATE VIEW trapped_events AS SELECT * FROM events WHERE rights_matrix.trap(CASE WHEN customer = '25' THEN 25 END);
SELECT create_population('trapped', 'trapped_customers', 'id', events => 'trapped_events', event_key => 'customer', event_time => 'at', event_name => 'event') IS NOT NULL AS created;
SELECT create_tag('old', 'age > 50', population => 'trapped'), create_tag('lasting', $$joined < as_of - interval '1 year'$$, 'timeliness', 'trapped'), create_tag('seen', $$event_count(timeline, 'view') > 0$$, population => 'trapped') \g /dev/null
SELECT count(*) FROM refresh_timelines('trapped');
SELECT count(*) FROM refresh_tags('trapped');
SELECT define_segment('good', 'old & seen', 'trapped'), define_report('portrait', 'portrait', '{"segment": "old"}', 'trapped') \g /dev/null
SELECT expect_tag('old', '39', population => 'trapped') \g /dev/null
CREATE TABLE trapped_statements AS
SELECT what, replace(replace(statement, '''rich''', '''old'''), '''matrix''', '''trapped''') AS statement FROM statements
WHERE what ~ '^(refresh_|check_tags|evaluate_tag|explain_tag\(text|tags_of\(text|profile\(text|customer_page\(text|report\(|tag\(|segment_profile|segment_state|tag_cost|rule_problems|training_rows|member_rows|preview|timeline_of\(text|next_change\(text|lookalike\(a|tag_counts|population_keys|suggest)'
	AND what !~ 'refresh_segment';
RESET ROLE;
CREATE TABLE trapped (what text COLLATE "C", result text, caught bigint);
DO $$
DECLARE
	s record;
	answer text;
	before bigint;
BEGIN
	FOR s IN SELECT * FROM trapped_statements ORDER BY what LOOP
		SELECT last_value INTO before FROM caught;
		answer := attempt(s.statement);
		INSERT INTO trapped SELECT s.what, answer, last_value - before FROM caught;
	END LOOP;
END
$$;
SELECT what, result, caught > 0 AS as_the_caller FROM trapped ORDER BY what;

-- Objects that stand before the system's and the extension's on the path of whoever calls: the system's functions and
-- operators over the types that the extension uses, operators that fit numbers of two types better than the system's do,
-- tables, views and functions named as ours.
CREATE SCHEMA hostile;
GRANT USAGE ON SCHEMA hostile TO PUBLIC;
DO $$
DECLARE
	plain constant regtype[] := '{bool,"char",name,int8,int2,int4,text,oid,float4,float8,date,timestamp,timestamptz,interval,numeric,int4[],text[],float8[],regclass,uuid,jsonb}';
	body constant text := $body$'BEGIN PERFORM pg_catalog.nextval(''rights_matrix.caught''); RAISE EXCEPTION ''hostile''; END'$body$;
	o record;
BEGIN
	FOR o IN
		SELECT p.proname, oidvectortypes(p.proargtypes) AS arguments, 'text' AS result FROM pg_proc p
		WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.pronargs BETWEEN 1 AND 3 AND p.provariadic = 0 AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) a WHERE a <> ALL (plain::oid[]))
		UNION SELECT p.proname, oidvectortypes(p.proargtypes), 'text' FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
		WHERE e.extname = 'crm_analytics' AND d.deptype = 'e' AND p.provariadic = 0 AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) a JOIN pg_type t ON t.oid = a WHERE t.typtype = 'p')
	LOOP
		EXECUTE format('CREATE FUNCTION hostile.%I(%s) RETURNS %s LANGUAGE plpgsql AS %s', o.proname, o.arguments, o.result, body);
	END LOOP;
	FOR o IN
		SELECT oprname, format_type(l, NULL) AS l, format_type(r, NULL) AS r, CASE WHEN bool_and(result = 'boolean'::regtype) THEN 'boolean' ELSE 'text' END AS result
		FROM (SELECT oprname, oprleft AS l, oprright AS r, oprresult AS result FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft = ANY (plain::oid[]) AND oprright = ANY (plain::oid[])
			UNION SELECT oprname, l::oid, r::oid, oprresult FROM pg_operator, unnest('{int2,int4,int8,float8,numeric}'::regtype[]) l, unnest('{int2,int4,int8,float8,numeric}'::regtype[]) r
			WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprleft = 'numeric'::regtype AND oprright = 'numeric'::regtype) x
		GROUP BY oprname, l, r
	LOOP
		EXECUTE format('CREATE FUNCTION hostile.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS %s', 'operator ' || o.oprname, o.l, o.r, o.result, body);
		EXECUTE format('CREATE OPERATOR hostile.%s (FUNCTION = hostile.%I, LEFTARG = %s, RIGHTARG = %s)', o.oprname, 'operator ' || o.oprname, o.l, o.r);
	END LOOP;
	FOR o IN SELECT c.relname FROM pg_depend d JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
		WHERE e.extname = 'crm_analytics' AND d.deptype = 'e' AND c.relkind IN ('r', 'v')
	LOOP
		EXECUTE format('CREATE TABLE hostile.%I ()', o.relname);
	END LOOP;
END
$$;
SELECT count(*) > 1000 AS functions, (SELECT count(*) > 500 FROM pg_operator WHERE oprnamespace = 'hostile'::regnamespace) AS operators FROM pg_proc WHERE pronamespace = 'hostile'::regnamespace;
-- they would be taken
SET search_path = hostile, pg_catalog;
SELECT 'a'::text = 'b'::text;
SELECT 1 * 1.5::float8;
SELECT lower('A'::text);
SET search_path = rights_matrix, crm, public;
CALL call_all(6, 'regress_matrix_owner', 'hostile, pg_temp, pg_catalog');
SELECT o.what, o.result, h.result AS with_hostile_path, h.caught FROM results o JOIN results h USING (what) WHERE o.role = 1 AND h.role = 6 AND (o.result IS DISTINCT FROM h.result OR h.caught > 0) ORDER BY what;
SELECT rolsuper FROM pg_roles WHERE rolname = 'regress_matrix_owner';

SET client_min_messages = error;
SELECT drop_report(report, population) FROM bi_reports WHERE population IN ('matrix', 'trapped') \g /dev/null
SELECT drop_population(p), drop_model(m) FROM (VALUES ('matrix', 'churn'), ('trapped', 'groups')) v (p, m) \g /dev/null
DELETE FROM report_library;
DELETE FROM rfm_segment_rule WHERE map = 'own';
DELETE FROM next_action_rule WHERE tag = 'rich';
DROP SCHEMA hostile, rights_matrix CASCADE;
REVOKE USAGE ON SCHEMA crm FROM PUBLIC;
DROP ROLE regress_matrix_owner, regress_matrix_analyst, regress_matrix_reader, regress_matrix_stranger;
