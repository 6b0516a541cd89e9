-- The query of a stored report.
--
-- Runs as the report's owner.  Gives (scope, whole, place, smallest, label, data): a row for each result in the order of place,
-- whole for all scopes together; smallest is the size of the smallest group that the row tells of, 0 for none.  Around it,
-- rows are put together by scope, and those whose smallest group is too small keep their label alone.

CREATE FUNCTION @extschema@.report_query(population_id int, kind text, options jsonb, as_of timestamptz, least_group int) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED COST 10000 SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	known record;
	p @extschema@.population_definition;
	option text;
	scoped boolean;
	id text;			-- of a customer of the source s, and his scope
	scope_of text;
	customers text;		-- what stands in FROM and WHERE for them
	timelines text;		-- customer_id, t, scope: one row for each timeline
	sets text;			-- GROUP BY of columns, for %1$s
	ends text;			-- GROUP BY of aggregates over everybody
	whole text;
	scope text;
	period text;
	zone text;
	steps text[];
	query text;
BEGIN
	SELECT * INTO known FROM @extschema@.report_kinds() AS k WHERE k.kind = report_query.kind;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'unknown kind of report: "%"', kind
			USING ERRCODE = 'invalid_parameter_value',
				HINT = format('The kinds are %s.', (SELECT string_agg(k.kind, ', ') FROM @extschema@.report_kinds() AS k));
	END IF;
	FOR option IN SELECT o FROM jsonb_object_keys(options) AS o ORDER BY o COLLATE "C" LOOP
		IF option <> ALL (known.required || known.optional) THEN
			RAISE EXCEPTION 'unknown option of a report of kind %: "%"', kind, option
				USING ERRCODE = 'invalid_parameter_value',
					HINT = CASE WHEN known.required || known.optional = '{}' THEN 'It has no options.'
						ELSE format('Its options are %s.', array_to_string(known.required || known.optional, ', ')) END;
		END IF;
	END LOOP;
	FOREACH option IN ARRAY known.required LOOP
		IF options -> option IS NULL THEN
			RAISE EXCEPTION 'a report of kind % needs option "%"', kind, option USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END LOOP;

	SELECT * INTO STRICT p FROM @extschema@.population_definition AS d WHERE d.population_id = report_query.population_id;
	scoped := p.scope_column IS NOT NULL;
	IF (known.timelines OR kind = 'rfm' AND options ? 'event') AND NOT EXISTS (SELECT FROM @extschema@.timeline_store AS s WHERE s.population_id = report_query.population_id) THEN
		RAISE EXCEPTION 'population "%" has no stored timelines', p.name
			USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Run @extschema@.refresh_timelines(%L) first.', p.name);
	END IF;
	IF (known.timelines OR kind = 'rfm' AND options ? 'event') AND report_query.population_id <> ALL (@extschema@.readable_timelines()) THEN
		RAISE EXCEPTION 'permission denied for the timelines of population "%"', p.name
			USING ERRCODE = 'insufficient_privilege', HINT = format('Its owner may run @extschema@.grant_population(%L, %L).', p.name, current_user);
	END IF;

	-- What is called of all scopes must be.
	IF NOT @extschema@.can_read_sets(p.population_id, -1) THEN
		RAISE EXCEPTION 'permission denied for the sets of population "%"', p.name
			USING ERRCODE = 'insufficient_privilege', DETAIL = 'The owner of a report must be allowed to read whole sets of all scopes.',
				HINT = format('Its owner may run @extschema@.grant_population(%L, %L).', p.name, current_user);
	END IF;

	-- Keys that are not their own ids have them from the dictionary; of integers these are the negative ones, if there are any.
	IF p.key_form <> 'integer' THEN
		id := 'k.id';
		customers := format('%s AS s JOIN @extschema@.population_keys(%L) AS k ON k.key = s.%I::text WHERE true', p.source, p.name, p.key_column);
	ELSIF EXISTS (SELECT FROM @extschema@.population_keys(p.name)) THEN
		id := format('coalesce(k.id, s.%I::bigint)', p.key_column);
		customers := format('%s AS s LEFT JOIN @extschema@.population_keys(%L) AS k ON k.key = s.%I::text WHERE true', p.source, p.name, p.key_column);
	ELSE
		id := format('s.%I::bigint', p.key_column);
		customers := format('%s AS s WHERE true', p.source);
	END IF;
	scope_of := CASE WHEN scoped THEN format('s.%I::text', p.scope_column) ELSE 'NULL::text' END;
	customers := customers || CASE WHEN p.valid_from IS NULL THEN '' ELSE format(' AND (s.%1$I <= %2$L OR s.%1$I IS NULL)', p.valid_from, as_of) END
		|| CASE WHEN p.valid_to IS NULL THEN '' ELSE format(' AND (s.%1$I > %2$L OR s.%1$I IS NULL)', p.valid_to, as_of) END;
	timelines := format('SELECT w.customer_id, CASE WHEN w.last_at < %1$L THEN w.t ELSE @extschema@.timeline_slice(w.t, NULL, %1$L) END AS t, %2$s AS scope '
		'FROM (SELECT t.customer_id, t.last_at, CASE WHEN t.archived THEN @extschema@.whole_timeline(t.population_id, t.customer_id, t.events) ELSE t.events END AS t '
		'FROM @extschema@.customer_timeline AS t WHERE t.population_id = %3$s) AS w %4$s', as_of, CASE WHEN scoped THEN 'c.scope' ELSE 'NULL::text' END, p.population_id,
		CASE WHEN scoped THEN format('JOIN (SELECT %s AS id, %s AS scope FROM %s) AS c ON c.id = w.customer_id', id, scope_of, customers) ELSE '' END);
	sets := CASE WHEN scoped THEN 'GROUPING SETS ((%1$s), (scope, %1$s))' ELSE '%1$s' END;
	whole := CASE WHEN scoped THEN 'GROUPING(scope) = 1' ELSE 'true' END;
	scope := CASE WHEN scoped THEN 'scope' ELSE 'NULL::text AS scope' END;
	ends := CASE WHEN scoped THEN 'GROUP BY GROUPING SETS ((), (scope))' ELSE '' END;
	period := coalesce(options ->> 'period', 'month');
	zone := coalesce(options ->> 'zone', 'UTC');

	CASE kind
	WHEN 'sizes' THEN
		IF NOT (options ->> 'keep')::interval > interval '0' THEN
			RAISE EXCEPTION 'option "keep" must be longer than nothing, not "%"', options ->> 'keep'
				USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave it out to keep the sizes of all days.';
		END IF;
		-- A moment before that of the stored sets, and before they were stored, is one of history; of all scopes together.
		IF as_of < least(p.changed_at, (SELECT max(d.as_of) FROM @extschema@.tag_definition AS d WHERE d.population_id = report_query.population_id)) THEN
			query := format(
				'SELECT NULL::text AS scope, true AS whole, row_number() OVER (ORDER BY x.name COLLATE "C", x.value COLLATE "C") AS place, x.members AS smallest, '
				'jsonb_build_object(''kind'', ''tag'', ''name'', x.name, ''value'', x.value) AS label, jsonb_build_object(''customers'', x.members) AS data '
				'FROM (SELECT d.name, v.value, @extschema@.cardinality(@extschema@.tag(d.name, v.value, %1$L, %2$L)) AS members '
				'FROM @extschema@.tag_history AS h JOIN @extschema@.tag_definition AS d ON d.name = h.tag AND d.population_id = %3$s AND d.state <> ''retired'' '
				'LEFT JOIN @extschema@.tag_value AS v ON v.tag_id = d.tag_id AND d.value_type = ''text'' '
				'WHERE h.population = %1$L AND h.since <= %2$L AND (d.value_type <> ''text'' OR v.value IS NOT NULL)) AS x', p.name, as_of, p.population_id);
		ELSE
			query := format(
				'WITH size AS (SELECT z.tag_id, z.value_no, c.scope, %2$s AS whole, sum(z.members)::bigint AS members '
				'FROM @extschema@.tag_size AS z LEFT JOIN @extschema@.population_scope AS c ON c.population_id = z.population_id AND c.scope_no = z.scope_no '
				'WHERE z.population_id = %1$s GROUP BY %3$s), '
				'found AS (SELECT z.scope, z.whole, ''tag'' AS kind, d.name, CASE WHEN d.value_type = ''text'' THEN v.value END AS value, z.members, b.members AS base, d.as_of '
				'FROM size AS z JOIN @extschema@.tag_definition AS d ON d.tag_id = z.tag_id AND d.refreshed_version IS NOT NULL AND d.state <> ''retired'' '
				'LEFT JOIN @extschema@.tag_value AS v ON v.tag_id = z.tag_id AND v.value_no = z.value_no '
				'LEFT JOIN size AS b ON b.tag_id = -%1$s AND b.whole = z.whole AND b.scope IS NOT DISTINCT FROM z.scope '
				'WHERE d.value_type <> ''text'' OR v.value IS NOT NULL '
				'UNION ALL SELECT NULL, true, ''segment'', d.name, NULL, s.members, (SELECT b.members FROM size AS b WHERE b.tag_id = -%1$s AND b.whole), NULL '
				'FROM @extschema@.segment_definition AS d CROSS JOIN LATERAL @extschema@.segment_state(d.name, %4$L) AS s '
				'WHERE d.population_id = %1$s AND s.members IS NOT NULL) '
				'SELECT r.scope, r.whole, row_number() OVER (PARTITION BY r.whole, r.scope ORDER BY r.kind DESC, r.name COLLATE "C", r.value COLLATE "C") AS place, '
				'r.members AS smallest, jsonb_build_object(''kind'', r.kind, ''name'', r.name, ''value'', r.value, ''tag_as_of'', r.as_of) AS label, '
				'jsonb_build_object(''customers'', r.members, ''population_customers'', r.base, ''share'', r.members / nullif(r.base, 0)::float8) AS data FROM found AS r',
				p.population_id, CASE WHEN scoped THEN 'GROUPING(c.scope) = 1' ELSE 'true' END,
				CASE WHEN scoped THEN 'GROUPING SETS ((z.tag_id, z.value_no), (z.tag_id, z.value_no, c.scope))' ELSE 'z.tag_id, z.value_no, c.scope' END, p.name);
		END IF;

	WHEN 'coverage' THEN
		query := format(
			'SELECT NULL::text AS scope, true AS whole, row_number() OVER (ORDER BY c.measure DESC, c.tag COLLATE "C", c.bucket COLLATE "C") AS place, c.customers AS smallest, '
			'jsonb_build_object(''measure'', c.measure, ''tag'', c.tag, ''bucket'', c.bucket) AS label, '
			'jsonb_build_object(''customers'', c.customers, ''value'', c.value) AS data FROM @extschema@.tag_coverage AS c WHERE c.population = %L', p.name);

	WHEN 'rfm' THEN
		IF options ? 'event' = (options ? 'recency' OR options ? 'frequency' OR options ? 'monetary') THEN
			RAISE EXCEPTION 'a report of kind rfm needs either an event or columns of scores' USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Write {"event": "order"} for scores from timelines, or {"recency": "recency_score", "frequency": "frequency_score"}.';
		END IF;
		IF options ? 'event' THEN
			PERFORM @extschema@.rfm('[]'::@extschema@.timeline, options ->> 'event');
			query := format(
				'WITH summed AS MATERIALIZED (SELECT x.scope, @extschema@.rfm(x.t, %2$L) AS s FROM (%1$s) AS x), '
				'cut AS (SELECT @extschema@.rfm_cuts_agg(%3$s, %4$L, s) AS cuts FROM summed WHERE (s).frequency > 0), '
				'scored AS (SELECT scope, (@extschema@.rfm_score(s, cuts)).*, (s).monetary AS value FROM summed, cut WHERE (s).frequency > 0)',
				timelines, options ->> 'event', coalesce((options ->> 'bins')::int, 5), as_of);
		ELSE
			FOREACH option IN ARRAY ARRAY[coalesce(options ->> 'recency', 'recency_score'), coalesce(options ->> 'frequency', 'frequency_score'), options ->> 'monetary'] LOOP
				IF NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = p.source AND a.attname = option AND NOT a.attisdropped) AND option IS NOT NULL THEN
					RAISE EXCEPTION 'column "%" does not exist in %', option, p.source USING ERRCODE = 'undefined_column';
				END IF;
			END LOOP;
			query := format('WITH scored AS (SELECT %1$s AS scope, s.%2$I::int AS recency, s.%3$I::int AS frequency, %4$s::float8 AS value FROM %5$s)', scope_of,
				coalesce(options ->> 'recency', 'recency_score'), coalesce(options ->> 'frequency', 'frequency_score'),
				CASE WHEN options ? 'monetary' THEN format('s.%I', options ->> 'monetary') ELSE 'NULL' END, customers);
		END IF;
		query := query || format(', counted AS (SELECT scope, recency, frequency, count(*) AS customers, sum(value) AS value FROM scored '
			'WHERE recency IS NOT NULL AND frequency IS NOT NULL GROUP BY scope, recency, frequency) '
			'SELECT %1$s, %2$s AS whole, 100000 - 1000 * recency - frequency AS place, sum(customers)::bigint AS smallest, '
			'jsonb_build_object(''recency'', recency, ''frequency'', frequency) AS label, jsonb_build_object(''customers'', sum(customers)::bigint, ''monetary'', sum(value)) AS data '
			'FROM counted GROUP BY ' || replace(sets, '%1$s', 'recency, frequency'), scope, whole);

	WHEN 'funnel' THEN
		steps := @extschema@.report_texts(options, 'steps');
		IF options ? 'names' AND cardinality(@extschema@.report_texts(options, 'names')) <> cardinality(steps) THEN
			RAISE EXCEPTION 'option "names" must have as many elements as "steps"' USING ERRCODE = 'invalid_parameter_value';
		END IF;
		PERFORM @extschema@.window_funnel('[]'::@extschema@.timeline, coalesce(options ->> 'within', '30 days')::interval, steps, coalesce(options ->> 'mode', ''));
		query := format(
			'WITH reached AS (SELECT x.scope, @extschema@.window_funnel(x.t, %2$L, %3$L::text[], %4$L) AS level FROM (%1$s) AS x), '
			'counted AS (SELECT scope, level, count(*) AS customers FROM reached GROUP BY scope, level), '
			'level AS (SELECT %5$s, %6$s AS whole, level, sum(customers) AS customers FROM counted GROUP BY ' || replace(sets, '%1$s', 'level') || '), '
			'step AS (SELECT l.scope, l.whole, s.step, coalesce((%7$L::text[])[s.step], s.name) AS name, coalesce(sum(l.customers) FILTER (WHERE l.level >= s.step), 0)::bigint AS customers '
			'FROM level AS l CROSS JOIN unnest(%3$L::text[]) WITH ORDINALITY AS s (name, step) GROUP BY l.scope, l.whole, s.step, s.name) '
			'SELECT s.scope, s.whole, s.step AS place, s.customers AS smallest, jsonb_build_object(''step'', s.step, ''name'', s.name) AS label, '
			'jsonb_build_object(''customers'', s.customers, ''from_first'', s.customers / nullif(first_value(s.customers) OVER w, 0)::float8, '
			'''from_previous'', s.customers / nullif(lag(s.customers) OVER w, 0)::float8) AS data FROM step AS s '
			'WINDOW w AS (PARTITION BY s.whole, s.scope ORDER BY s.step)',
			timelines, coalesce(options ->> 'within', '30 days'), steps, coalesce(options ->> 'mode', ''), scope, whole,
			CASE WHEN options ? 'names' THEN @extschema@.report_texts(options, 'names') END);

	WHEN 'retention', 'life_cycle' THEN
		PERFORM @extschema@.activity('[]'::@extschema@.timeline, period, zone, options ->> 'start', options ->> 'back');
		query := format('WITH grouped AS (SELECT %1$s, %2$s AS whole, @extschema@.%3$s%4$s@extschema@.activity(t, %5$L, %6$L, %7$L, %8$L)) AS rows FROM (%9$s) AS x %10$s) ',
			scope, whole, CASE kind WHEN 'retention' THEN 'retention_table(' ELSE 'life_cycle(' END,
			CASE kind WHEN 'retention' THEN coalesce((options ->> 'periods')::int, 12) || ', ' ELSE '' END,
			period, zone, options ->> 'start', options ->> 'back', timelines, ends);
		IF kind = 'retention' THEN
			query := query || 'SELECT g.scope, g.whole, row_number() OVER (PARTITION BY g.whole, g.scope ORDER BY r.cohort, r.period) AS place, '
				'coalesce(nullif(r.customers, 0), r.size) AS smallest, jsonb_build_object(''cohort'', r.cohort, ''period'', r.period) AS label, '
				'jsonb_build_object(''size'', r.size, ''customers'', r.customers, ''share'', r.share) AS data FROM grouped AS g, unnest(g.rows) AS r';
		ELSE
			query := query || 'SELECT g.scope, g.whole, row_number() OVER (PARTITION BY g.whole, g.scope ORDER BY r.period) AS place, '
				-- the parts add up: one that is too small must not be what is left of the others
				'coalesce(least(nullif(r.active, 0), nullif(r.new, 0), nullif(r.retained, 0), nullif(r.resurrected, 0), nullif(r.lost, 0), nullif(r.dormant, 0)), 0) AS smallest, '
				'jsonb_build_object(''period'', r.period) AS label, jsonb_build_object(''active'', r.active, ''new'', r.new, ''retained'', r.retained, '
				'''resurrected'', r.resurrected, ''lost'', r.lost, ''dormant'', r.dormant) AS data FROM grouped AS g, unnest(g.rows) AS r';
		END IF;

	WHEN 'channels' THEN
		steps := @extschema@.report_texts(options, 'channels');
		PERFORM @extschema@.touch_paths('[]'::@extschema@.timeline, steps, options ->> 'conversion', coalesce(options ->> 'lookback', '30 days')::interval);
		PERFORM @extschema@.attribution(coalesce(options ->> 'method', 'last'), '{a}'::text[], 1, 0, 0);
		query := format(
			'WITH touch AS MATERIALIZED (SELECT x.customer_id, x.scope, q.path, q.conversions, q.non_conversions, q.value FROM (%1$s) AS x, '
			'@extschema@.touch_paths(x.t, %2$L::text[], %3$L, %4$L) AS q), '
			'grouped AS (SELECT %5$s, %6$s AS whole, @extschema@.attribution(%7$L, path, conversions, non_conversions, value) AS rows FROM touch ' || ends || '), '
			'met AS (SELECT %5$s, %6$s AS whole, channel, count(DISTINCT customer_id) AS customers FROM touch, '
			'unnest(CASE WHEN path = ''{}'' THEN ARRAY[NULL::text] ELSE path END) AS channel GROUP BY ' || replace(sets, '%1$s', 'channel') || ') '
			'SELECT g.scope, g.whole, row_number() OVER (PARTITION BY g.whole, g.scope ORDER BY c.channel COLLATE "C") AS place, coalesce(m.customers, 0) AS smallest, '
			'jsonb_build_object(''channel'', c.channel) AS label, jsonb_build_object(''customers'', coalesce(m.customers, 0), ''conversions'', c.conversions, ''value'', c.value) AS data '
			'FROM grouped AS g CROSS JOIN unnest(g.rows) AS c '
			'LEFT JOIN met AS m ON m.whole = g.whole AND m.scope IS NOT DISTINCT FROM g.scope AND m.channel IS NOT DISTINCT FROM c.channel',
			timelines, steps, options ->> 'conversion', coalesce(options ->> 'lookback', '30 days'), scope, whole, coalesce(options ->> 'method', 'last'));

	WHEN 'app' THEN
		PERFORM @extschema@.activity('[]'::@extschema@.timeline, 'day', zone);
		-- Days of small parts, a crash of one customer, keep what is not small.
		query := format(
			'SELECT NULL::text AS scope, true AS whole, row_number() OVER (ORDER BY d.day) AS place, d.active AS smallest, jsonb_build_object(''day'', d.day) AS label, '
			'jsonb_build_object(''active'', d.active, ''weekly'', d.weekly, ''monthly'', d.monthly, ''new'', n.new, ''retained_1'', n.retained_1, ''retained_7'', n.retained_7, '
			'''retained_30'', n.retained_30, ''sessions'', d.sessions, ''session_seconds'', d.session_seconds, ''crash_sessions'', CASE WHEN n.crash_customers IS NOT NULL THEN d.crash_sessions END, '
			'''crash_customers'', n.crash_customers, ''crash_session_share'', CASE WHEN n.crash_customers IS NOT NULL THEN d.crash_session_share END, '
			'''crash_customer_share'', CASE WHEN n.crash_customers IS NOT NULL THEN d.crash_customer_share END) AS data '
			'FROM @extschema@.app_daily(%1$L, %2$L, %3$L, %4$L) AS d CROSS JOIN LATERAL (SELECT '
			'CASE WHEN d.new NOT BETWEEN 1 AND %5$s THEN d.new END AS new, CASE WHEN d.retained_1 NOT BETWEEN 1 AND %5$s THEN d.retained_1 END AS retained_1, '
			'CASE WHEN d.retained_7 NOT BETWEEN 1 AND %5$s THEN d.retained_7 END AS retained_7, CASE WHEN d.retained_30 NOT BETWEEN 1 AND %5$s THEN d.retained_30 END AS retained_30, '
			'CASE WHEN d.crash_customers NOT BETWEEN 1 AND %5$s THEN d.crash_customers END AS crash_customers) AS n',
			format('SELECT x.customer_id, e.ts, e.event FROM (%s) AS x, @extschema@.events(x.t) AS e', timelines), zone, coalesce(options ->> 'gap', '30 minutes')::interval,
			coalesce(options ->> 'crash', 'crash'), least_group - 1);

	WHEN 'portrait' THEN
		query := format(
			'SELECT NULL::text AS scope, true AS whole, row_number() OVER (ORDER BY q.tag COLLATE "C", q.value COLLATE "C") AS place, '
			'coalesce(nullif(q.segment_members, 0), q.base_members) AS smallest, jsonb_build_object(''segment'', %1$L, ''base'', %2$L::text, ''tag'', q.tag, ''value'', q.value) AS label, '
			'jsonb_build_object(''customers'', q.segment_members, ''share'', q.segment_share, ''base_customers'', q.base_members, ''base_share'', q.base_share, '
			'''index'', q.index, ''q_value'', q.q_value, ''significant'', q.significant) AS data FROM @extschema@.segment_profile(%1$L::text, %2$L::text, %3$L) AS q',
			options ->> 'segment', options ->> 'base', p.name);

	WHEN 'model' THEN
		-- The version in use, on the rows that its training held back.
		query := format(
			'WITH used AS (SELECT v.* FROM @extschema@.model_definition AS d JOIN @extschema@.model_version AS v ON v.name = d.name AND v.version = d.champion WHERE d.name = %1$L), '
			'found AS (SELECT m.key AS measure, NULL::int AS bin, (u.metrics ->> ''rows'')::bigint AS rows, m.value::text::float8 AS value, '
			'(u.metrics #>> ARRAY[m.key || ''_interval'', ''lower''])::float8 AS lower, (u.metrics #>> ARRAY[m.key || ''_interval'', ''upper''])::float8 AS upper '
			'FROM used AS u, jsonb_each(u.metrics) AS m WHERE jsonb_typeof(m.value) = ''number'' AND m.key NOT IN (''rows'', ''positives'') '
			'UNION ALL SELECT x.measure, (b.value ->> ''bin'')::int, (b.value ->> ''rows'')::bigint, (b.value ->> x.member)::float8, '
			'CASE WHEN x.member = ''rate'' THEN (b.value ->> ''lower'')::float8 END, CASE WHEN x.member = ''rate'' THEN (b.value ->> ''upper'')::float8 END '
			'FROM used AS u CROSS JOIN (VALUES (''gain'', ''lift'', ''gain lift''), (''gain'', ''rate'', ''gain rate''), (''gain'', ''cumulative_share'', ''gain cumulative share''), '
			'(''calibration'', ''mean_score'', ''calibration mean score''), (''calibration'', ''rate'', ''calibration rate'')) AS x (part, member, measure) '
			'CROSS JOIN jsonb_array_elements(CASE jsonb_typeof(u.metrics -> x.part) WHEN ''array'' THEN u.metrics -> x.part END) AS b) '
			'SELECT NULL::text AS scope, true AS whole, row_number() OVER (ORDER BY r.bin IS NOT NULL, r.measure COLLATE "C", r.bin) AS place, coalesce(r.rows, 0) AS smallest, '
			'jsonb_build_object(''model'', %1$L, ''version'', u.version, ''algorithm'', u.algorithm, ''trained_at'', u.created_at, ''measure'', r.measure, ''bin'', r.bin) AS label, '
			'jsonb_build_object(''rows'', r.rows, ''value'', r.value, ''lower'', r.lower, ''upper'', r.upper) AS data FROM used AS u CROSS JOIN found AS r', options ->> 'model');
	END CASE;
	RETURN format('SELECT q.whole, q.scope, jsonb_agg(q.label || CASE WHEN q.smallest BETWEEN 1 AND %s THEN ''{"suppressed": true}'' '
		'ELSE q.data || ''{"suppressed": false}'' END ORDER BY q.place) AS results FROM (%s) AS q GROUP BY q.whole, q.scope', least_group - 1, query);
END
$$;
COMMENT ON FUNCTION @extschema@.report_query(int, text, jsonb, timestamptz, int) IS
	'the query that counts a stored report (报表查询), one row for each scope; groups of fewer than least_group customers are left out. Errors: 22023 unknown kind or option, 55000 no stored timelines, 42501 they may not be read';
