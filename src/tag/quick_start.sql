-- From an empty database to the first segment: registers a population over the
-- user's tables, and creates tags that fit what it finds there.

CREATE FUNCTION @extschema@.quick_start_view(customers regclass, key name, orders regclass, events regclass) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE COST 50000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	columns text := '';
	joins text := '';
	customer name;
	at name;
	amount text;
	a name;
BEGIN
	IF orders IS NOT NULL THEN
		customer := @extschema@.find_customer_column(orders, customers, key);
		at := @extschema@.find_time_column(orders);
		amount := (@extschema@.find_amount(orders)).expression;
		columns := columns || (', coalesce((s.summary).frequency, 0) AS order_count'
			', coalesce((s.summary).monetary, 0) AS order_total'
			', (s.summary).last_at AS last_order_at'
			', (@extschema@.rfm_score(s.summary, k.cuts)).recency AS recency_score'
			', (@extschema@.rfm_score(s.summary, k.cuts)).frequency AS frequency_score'
			', (@extschema@.rfm_score(s.summary, k.cuts)).monetary AS monetary_score'
			', @extschema@.rfm_segment(@extschema@.rfm_score(s.summary, k.cuts)) AS rfm_segment');
		-- Grouped by the customer: where none of its columns is asked for, the planner leaves the join out.
		joins := joins || format(' LEFT JOIN (SELECT o.%4$I AS customer, @extschema@.rfm_agg(o.%2$I::timestamptz, %3$s) AS summary '
			'FROM %1$s o GROUP BY o.%4$I) s ON s.customer = c.%5$I', orders, at, amount, customer, key);
		-- The borders are one row, computed once for all that is read.
		joins := joins || format(' LEFT JOIN (SELECT @extschema@.rfm_cuts_agg(5, (SELECT max(o.%2$I)::timestamptz FROM %1$s o), t.summary) AS cuts '
			'FROM (SELECT @extschema@.rfm_agg(o.%2$I::timestamptz, %3$s) AS summary FROM %1$s o WHERE o.%4$I IS NOT NULL GROUP BY o.%4$I) t) k ON true',
			orders, at, amount, customer);
	END IF;
	IF events IS NOT NULL THEN
		customer := @extschema@.find_customer_column(events, customers, key);
		at := @extschema@.find_time_column(events);
		columns := columns || ', coalesce(e.event_count, 0) AS event_count, e.last_event_at AS last_event_at';
		joins := joins || format(' LEFT JOIN (SELECT v.%3$I AS customer, count(*) AS event_count, max(v.%2$I)::timestamptz AS last_event_at '
			'FROM %1$s v GROUP BY v.%3$I) e ON e.customer = c.%4$I', events, at, customer, key);
	END IF;
	-- The customers may have columns of these names already.
	FOR a IN
		SELECT c.name FROM @extschema@.column_classes(customers) c
		WHERE c.name IN ('order_count', 'order_total', 'last_order_at', 'recency_score', 'frequency_score', 'monetary_score',
			'rfm_segment', 'event_count', 'last_event_at')
	LOOP
		columns := regexp_replace(columns, format(' AS %s(?=,|$)', a), ' AS crm_' || a);
	END LOOP;
	RETURN format('SELECT c.*%s FROM %s c%s', columns, customers, joins);
END
$$;
COMMENT ON FUNCTION @extschema@.quick_start_view(regclass, name, regclass, regclass) IS
	'the query behind the view that quick_start makes: customers with the number, sum and last of their orders, RFM scores and segment, and the number and last of their events';

CREATE FUNCTION @extschema@.quick_start(customers regclass, orders regclass DEFAULT NULL, events regclass DEFAULT NULL)
	RETURNS TABLE (step text, did text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 50 SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
<<vars>>
DECLARE
	made_by constant text := 'Made by @extschema@.quick_start: ';
	key name;
	source regclass := customers;
	home name;
	base_name name;
	view_name name;
	population text;
	suggestion record;
	has_rows boolean;
	made int := 0;
	kept int := 0;
	tags_refreshed bigint;
	customers_seen bigint;
	expression text;
	example text;
	event_name_column name;
BEGIN
	IF customers IS NULL THEN
		RAISE EXCEPTION 'customers must not be NULL'
			USING ERRCODE = 'null_value_not_allowed', HINT = 'Pass the table with one row per customer: @extschema@.quick_start(''customers'').';
	END IF;
	SELECT c.relname, n.nspname INTO base_name, home
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = customers;

	-- The customers.
	key := @extschema@.find_key(customers);
	EXECUTE format('SELECT EXISTS (SELECT FROM %s)', customers) INTO has_rows;
	step := 'customers';
	IF NOT has_rows THEN
		did := format('%s has no rows yet: load customers, then run this again. Nothing was done.', customers);
		RETURN NEXT;
		RETURN;
	END IF;
	did := format('Looked at %s: one row per customer, told apart by column %I.', customers, key);
	RETURN NEXT;

	-- With orders or events, a view that joins what they say of each customer.
	IF orders IS NOT NULL OR events IS NOT NULL THEN
		view_name := left(base_name::text, 59) || '_crm';
		step := 'view';
		source := to_regclass(format('%I.%I', home, view_name));
		IF source IS NULL THEN
			EXECUTE format('CREATE VIEW %I.%I WITH (security_invoker = true) AS %s', home, view_name,
				@extschema@.quick_start_view(customers, key, orders, events));
			source := format('%I.%I', home, view_name)::regclass;
			EXECUTE format('COMMENT ON VIEW %s IS %L', source, made_by || concat_ws(', ', customers, orders, events));
			did := format('Made the view %s over %s. It is yours to change.', source, customers);
			IF orders IS NOT NULL THEN
				RETURN NEXT;
				step := 'orders';
				did := format('From %s, by columns %I, %I and %s: number, sum and last order of each customer, RFM scores and segment.', orders,
					@extschema@.find_customer_column(orders, customers, key), @extschema@.find_time_column(orders),
					(@extschema@.find_amount(orders)).described);
			END IF;
			IF events IS NOT NULL THEN
				RETURN NEXT;
				step := 'events';
				did := format('From %s, by columns %I and %I: number and last event of each customer.', events,
					@extschema@.find_customer_column(events, customers, key), @extschema@.find_time_column(events));
			END IF;
		ELSIF obj_description(source, 'pg_class') LIKE made_by || '%' THEN
			did := format('The view %s exists already and stays as it is; drop it to have it made anew.', source);
		ELSE
			RAISE EXCEPTION 'relation % exists already, and quick_start did not make it', source
				USING ERRCODE = 'duplicate_table',
					HINT = 'Rename it, or register a relation of your own with @extschema@.create_population(name, source, key).';
		END IF;
		RETURN NEXT;
	END IF;

	-- The population.
	step := 'population';
	SELECT p.name INTO population FROM @extschema@.population_definition p
	WHERE p.source = vars.source ORDER BY p.population_id LIMIT 1;
	IF population IS NOT NULL THEN
		did := format('Population "%s" exists already over %s.', population, source);
	ELSE
		population := base_name;
		IF EXISTS (SELECT FROM @extschema@.population_definition p WHERE p.name = base_name::text) THEN
			population := source::text;
		END IF;
		event_name_column := CASE WHEN events IS NOT NULL THEN
			@extschema@.find_column(events, ARRAY['event', 'event_name', 'event_type', 'action', 'name', 'type', '事件', '事件名称', '行为'],
				'{text}') END;
		IF event_name_column IS NOT NULL THEN
			PERFORM @extschema@.create_population(population, source, key, events => events,
				event_key => @extschema@.find_customer_column(events, customers, key),
				event_time => @extschema@.find_time_column(events), event_name => event_name_column);
		ELSE
			PERFORM @extschema@.create_population(population, source, key);
		END IF;
		did := format('Registered population "%s" over %s with key %I.', population, source, key);
	END IF;
	RETURN NEXT;

	-- Tags.
	step := 'tag';
	FOR suggestion IN
		SELECT s.tag, s.rule, s.kind, s.description FROM @extschema@.suggest_tags(customers, key) s
		UNION ALL
		SELECT o.tag, replace(o.rule, '#', quote_ident(c.name)), o.kind, o.description
		FROM (VALUES
			('rfm_segment', 'rfm_segment', '#', 'correlation', 'named segment of recency, frequency and monetary scores'),
			('top_spender', 'monetary_score', '# = 5', 'correlation', 'among the fifth that spent most'),
			('repeat_buyer', 'order_count', '# >= 2', 'correlation', 'ordered at least twice'),
			('never_ordered', 'order_count', '# = 0', 'correlation', 'no order so far'),
			('ordered_30_days', 'last_order_at', '# >= as_of - interval ''30 days''', 'timeliness', 'ordered within the last 30 days'),
			('ordered_90_days', 'last_order_at', '# >= as_of - interval ''90 days''', 'timeliness', 'ordered within the last 90 days'),
			('lapsed', 'last_order_at', '# < as_of - interval ''365 days''', 'timeliness', 'no order for a year, after earlier ones'),
			('active_30_days', 'last_event_at', '# >= as_of - interval ''30 days''', 'timeliness', 'an event within the last 30 days'),
			('never_active', 'event_count', '# = 0', 'timeliness', 'no event so far')
		) AS o (tag, of_column, rule, kind, description)
		CROSS JOIN LATERAL (
			-- of the view, not the customers' own
			SELECT v.name FROM @extschema@.column_classes(vars.source) v
			WHERE v.name::text IN (o.of_column, 'crm_' || o.of_column)
				AND NOT EXISTS (SELECT FROM @extschema@.column_classes(customers) own WHERE own.name = v.name)
		) c
	LOOP
		IF EXISTS (SELECT FROM @extschema@.tag_definition d JOIN @extschema@.population_definition p ON p.population_id = d.population_id
				WHERE p.name = vars.population AND d.name = suggestion.tag) THEN
			kept := kept + 1;
			CONTINUE;
		END IF;
		PERFORM @extschema@.create_tag(suggestion.tag, suggestion.rule, suggestion.kind, population, NULL, suggestion.description);
		made := made + 1;
		did := format('%s: %s', suggestion.tag, suggestion.description);
		RETURN NEXT;
	END LOOP;
	IF made = 0 THEN
		did := CASE WHEN kept > 0 THEN format('All %s tags for these columns exist already.', kept)
			ELSE format('Found no column in %s that makes a tag by itself; create_tag makes one of any expression.', source) END;
		RETURN NEXT;
		IF kept = 0 THEN
			RETURN;
		END IF;
	END IF;

	-- Evaluate them.
	step := 'refresh';
	SELECT count(DISTINCT r.tag) INTO tags_refreshed FROM @extschema@.refresh_tags(population) r;
	SELECT b.customers INTO customers_seen FROM @extschema@.population_size b WHERE b.population = vars.population;
	did := format('Evaluated %s for %s customers.', CASE tags_refreshed WHEN 1 THEN '1 tag' ELSE tags_refreshed || ' tags' END, customers_seen);
	RETURN NEXT;

	-- What to try, with tags that split the customers.
	step := 'try';
	SELECT string_agg(t.term, ' & ' ORDER BY t.place) INTO expression
	FROM (
		SELECT CASE WHEN z.tag ~ '^\w+$' THEN z.tag ELSE '"' || replace(z.tag, '"', '""') || '"' END || coalesce(' = "' || replace(z.value, '"', '""') || '"', '') AS term,
			row_number() OVER (ORDER BY z.tag NOT IN ('rfm_segment', 'repeat_buyer', 'ordered_90_days'), abs(z.share - 0.4), z.tag) AS place
		FROM (
			SELECT DISTINCT ON (s.tag) s.tag, s.value, s.share FROM @extschema@.segment_size s
			WHERE s.population = vars.population AND s.share BETWEEN 0.05 AND 0.95
			ORDER BY s.tag, abs(s.share - 0.4), s.value
		) z
	) t
	WHERE t.place <= 2;
	did := 'SELECT * FROM @extschema@.tag_catalog;';
	RETURN NEXT;
	did := format('SELECT * FROM @extschema@.tag_coverage WHERE population = %L;', population);
	RETURN NEXT;
	IF expression IS NOT NULL THEN
		did := format('SELECT @extschema@.cardinality(@extschema@.segment(%L, %L));', expression, population);
		RETURN NEXT;
		did := format('SELECT * FROM @extschema@.member_keys(@extschema@.segment(%L, %L)) LIMIT 10;', expression, population);
		RETURN NEXT;
	END IF;
	EXECUTE format('SELECT min(%I::text) FROM %s', key, customers) INTO example;
	did := format('SELECT jsonb_pretty(@extschema@.profile(%L, %L));', example, population);
	RETURN NEXT;
	did := format('SELECT * FROM @extschema@.refresh_tags(%L);', population);
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION @extschema@.quick_start(regclass, regclass, regclass) IS
	'from the user''s tables to first tags in one statement: finds keys and columns, makes the view <customers>_crm when orders or events are given, registers a population, creates suggested tags and RFM, refreshes, and says in words what it did and what to try next. Run again, it leaves alone what is there';
