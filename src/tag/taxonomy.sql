-- A starter taxonomy (标签体系): the tags that a kind of business usually wants,
-- as rows, over inputs that the user says where to find.
--
-- A rule of taxonomy_tag names its inputs in braces: "{assets} >= {private_from}".
-- install_taxonomy puts in what the user's mapping says of each, and creates the
-- tags all of whose inputs are there.  The rows of other files are ours
-- (built_in); rows of the user's own stand beside them and are dumped.
--
-- Who may write rules here has them created with the rights of whoever installs
-- them: nobody but the owner of the extension's tables may, unless he grants it.

CREATE TABLE @extschema@.taxonomy_input (
	business		text NOT NULL CHECK (business <> ''),
	input			text NOT NULL CHECK (input ~ '^[a-z][a-z0-9_]*$'),
	place			int NOT NULL DEFAULT 1000,
	class			text NOT NULL CHECK (class IN ('date', 'number', 'text', 'boolean', 'event', 'attribute', 'amount', 'zone')),
	title			text NOT NULL,
	title_zh		text,
	default_value	text,
	built_in		boolean NOT NULL DEFAULT false,
	PRIMARY KEY (business, input)
);
COMMENT ON TABLE @extschema@.taxonomy_input IS 'what the rules of a taxonomy (标签体系) need to be told: columns, events, attributes, amounts';

CREATE TABLE @extschema@.taxonomy_tag (
	business		text NOT NULL CHECK (business <> ''),
	tag				text NOT NULL CHECK (tag <> ''),
	place			int NOT NULL DEFAULT 1000,
	kind			text NOT NULL CHECK (kind IN ('base', 'timeliness', 'correlation', 'predictive', 'personality')),
	title			text NOT NULL,
	title_zh		text,
	rule			text NOT NULL CHECK (rule <> ''),
	value_titles_zh	jsonb,
	built_in		boolean NOT NULL DEFAULT false,
	PRIMARY KEY (business, tag)
);
COMMENT ON TABLE @extschema@.taxonomy_tag IS 'the tags of a taxonomy (标签体系): rules over inputs in braces, with titles in English and Chinese';

SELECT pg_catalog.pg_extension_config_dump('@extschema@.taxonomy_input', 'WHERE NOT built_in');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.taxonomy_tag', 'WHERE NOT built_in');
GRANT SELECT ON @extschema@.taxonomy_input, @extschema@.taxonomy_tag TO PUBLIC;

CREATE FUNCTION @extschema@.taxonomy_rule_inputs(rule text) RETURNS text[]
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 50
	RETURN (SELECT coalesce(array_agg(DISTINCT m[1] ORDER BY m[1]), '{}') FROM regexp_matches(rule, '\{([a-z][a-z0-9_]*)\}', 'g') m);
COMMENT ON FUNCTION @extschema@.taxonomy_rule_inputs(text) IS 'the inputs that the rule of a taxonomy names in braces, by name';

CREATE FUNCTION @extschema@.taxonomy(business text DEFAULT NULL)
	RETURNS TABLE (taxonomy text, tag text, kind text, title text, title_zh text, rule text, inputs text[], events boolean)
	LANGUAGE SQL STABLE PARALLEL SAFE COST 5000 ROWS 80
	BEGIN ATOMIC
		SELECT t.business, t.tag, t.kind, t.title, t.title_zh, t.rule, @extschema@.taxonomy_rule_inputs(t.rule), t.rule ~ '\mtimeline\M'
		FROM @extschema@.taxonomy_tag t
		WHERE t.business = taxonomy.business OR taxonomy.business IS NULL
		ORDER BY t.business, array_position(ARRAY['base', 'timeliness', 'correlation', 'predictive', 'personality'], t.kind), t.place, t.tag;
	END;
COMMENT ON FUNCTION @extschema@.taxonomy(text) IS
	'the tags that install_taxonomy knows (标签体系): of one kind of business, or of all; rules with their inputs in braces, and whether they ask the timeline';

CREATE FUNCTION @extschema@.taxonomy_inputs(business text)
	RETURNS TABLE (input text, class text, title text, title_zh text, default_value text, tags text[])
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 5000 ROWS 40
	BEGIN ATOMIC
		SELECT i.input, i.class, i.title, i.title_zh, i.default_value,
			ARRAY(SELECT t.tag FROM @extschema@.taxonomy_tag t
				WHERE t.business = i.business AND i.input = ANY (@extschema@.taxonomy_rule_inputs(t.rule)) ORDER BY t.place, t.tag)
		FROM @extschema@.taxonomy_input i
		WHERE i.business = taxonomy_inputs.business
		ORDER BY i.place, i.input;
	END;
COMMENT ON FUNCTION @extschema@.taxonomy_inputs(text) IS
	'what install_taxonomy can be told for a kind of business: the keys of its mapping, what each must be (date, number, text, boolean: a column or expression; event: an event''s name or selector; attribute: its name; amount: a number; zone: a time zone), and the tags that need it';

CREATE FUNCTION @extschema@.taxonomy_rule(rule text, mapping jsonb) RETURNS text
	LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE COST 100
	-- Piece by piece, so that braces in a user's own expression stay what they are.
	RETURN (SELECT string_agg(coalesce(mapping ->> m[1], m[2]), '' ORDER BY n)
		FROM regexp_matches(rule, '\{([a-z][a-z0-9_]*)\}|([^{]+|\{)', 'g') WITH ORDINALITY AS r (m, n));
COMMENT ON FUNCTION @extschema@.taxonomy_rule(text, jsonb) IS 'the rule of a taxonomy with its inputs put in: an object of SQL texts';

CREATE FUNCTION @extschema@.taxonomy_input_sql(source regclass, input text, class text, given jsonb) RETURNS text
	LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED COST 5000 SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	shown constant text := given #>> '{}';
	value text := shown;
	probe constant text := CASE class
		WHEN 'date' THEN '((%s) - interval ''1 day'') < as_of'
		WHEN 'number' THEN '((%s) + 0::numeric) IS NOT NULL'
		WHEN 'text' THEN '((%s) COLLATE "C") IS NOT NULL'
		WHEN 'boolean' THEN '(%s) IS TRUE' END;
	expected constant text := CASE class
		WHEN 'date' THEN 'a date or a time' WHEN 'number' THEN 'a number' WHEN 'text' THEN 'text' WHEN 'boolean' THEN 'true or false'
		WHEN 'event' THEN 'the name of an event or a selector' WHEN 'attribute' THEN 'the name of an attribute'
		WHEN 'amount' THEN 'a number' ELSE 'a time zone' END;
	problem text;
	hint text;
BEGIN
	IF jsonb_typeof(given) NOT IN ('string', 'number') OR btrim(shown) = '' THEN
		RAISE EXCEPTION 'the mapping of "%" must be a text, but is %', input, given
			USING ERRCODE = 'invalid_parameter_value', HINT = format('Map it to %s.', expected);
	END IF;
	CASE class
		WHEN 'amount' THEN
			BEGIN
				IF shown::numeric IN ('NaN', 'Infinity', '-Infinity') THEN
					RAISE invalid_text_representation;
				END IF;
				value := shown::numeric::text;
			EXCEPTION WHEN invalid_text_representation OR numeric_value_out_of_range THEN
				RAISE EXCEPTION 'the mapping of "%" must be a number, but is "%"', input, shown USING ERRCODE = 'invalid_parameter_value';
			END;
		WHEN 'zone' THEN
			BEGIN
				PERFORM now() AT TIME ZONE shown;
			EXCEPTION WHEN invalid_parameter_value THEN
				RAISE EXCEPTION 'the mapping of "%" must be a time zone, but is "%"', input, shown
					USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as Asia/Shanghai: SELECT name FROM pg_timezone_names.';
			END;
			value := quote_literal(shown);
		WHEN 'attribute' THEN
			value := quote_literal(shown);
		WHEN 'event' THEN
			-- An event of another name, so that the selector is parsed to its end.
			PERFORM @extschema@.event_count(t, shown) FROM (SELECT @extschema@.timeline_agg('2000-01-01Z'::timestamptz, 'x'::text) AS t) one;
			value := quote_literal(shown);
		ELSE
			BEGIN
				-- By itself it must be one expression, and within another of the right type.
				PERFORM @extschema@.rule_qualify(source, shown || ' IS NOT NULL');
				PERFORM @extschema@.rule_qualify(source, format(probe, shown));
			EXCEPTION WHEN syntax_error OR undefined_column OR undefined_table OR undefined_function OR undefined_object OR ambiguous_function
					OR datatype_mismatch OR cannot_coerce OR collation_mismatch OR invalid_text_representation OR invalid_datetime_format
					OR feature_not_supported OR grouping_error OR windowing_error THEN
				GET STACKED DIAGNOSTICS problem = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
				RAISE EXCEPTION 'the mapping of "%" is no expression over % that gives %: "%"', input, source, expected, shown
					USING ERRCODE = CASE WHEN SQLSTATE = '42703' THEN '42703' ELSE '42804' END, DETAIL = problem,
						HINT = coalesce(nullif(hint, ''), format('Map it to a column of %s, or to an SQL expression over its columns, of the right type.', source));
			END;
			-- A name alone reads better without brackets.
			value := CASE WHEN shown ~ '^[[:alpha:]_][[:alnum:]_]*$' THEN shown ELSE '(' || shown || ')' END;
	END CASE;
	RETURN value;
END
$$;
COMMENT ON FUNCTION @extschema@.taxonomy_input_sql(regclass, text, text, jsonb) IS
	'what a mapping gives for an input, as SQL for the rules. Errors: 42703 unknown column, 42804 of another type than the input''s class, 22023 no such value';

CREATE FUNCTION @extschema@.install_taxonomy(business text, mapping jsonb, population text DEFAULT NULL, replace boolean DEFAULT false)
	RETURNS TABLE (tag text, kind text, status text, detail text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE COST 1000000 ROWS 80 SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
<<vars>>
DECLARE
	home record;
	input record;
	row record;
	sql_of jsonb := '{}';
	missing text[];
	expanded text;
	old_rule text;
	seen boolean;
	zone constant text := current_setting('TimeZone');
	known text;
BEGIN
	IF business IS NULL OR mapping IS NULL THEN
		RAISE EXCEPTION 'argument % must not be NULL', CASE WHEN business IS NULL THEN 'business' ELSE 'mapping' END
			USING ERRCODE = 'null_value_not_allowed', HINT = 'SELECT * FROM @extschema@.taxonomy_inputs(''bank'') lists what can be mapped.';
	END IF;
	IF NOT EXISTS (SELECT FROM @extschema@.taxonomy_tag t WHERE t.business = install_taxonomy.business) THEN
		RAISE EXCEPTION 'there is no taxonomy for "%"', business
			USING ERRCODE = 'invalid_parameter_value',
				HINT = format('There are: %s.', (SELECT string_agg(DISTINCT t.business, ', ' ORDER BY t.business) FROM @extschema@.taxonomy_tag t));
	END IF;
	IF jsonb_typeof(mapping) <> 'object' THEN
		RAISE EXCEPTION 'mapping must be an object, but is of type %', jsonb_typeof(mapping)
			USING ERRCODE = 'invalid_parameter_value', HINT = 'Such as {"birth_date": "birthday", "city": "city"}.';
	END IF;
	SELECT k INTO known FROM jsonb_object_keys(mapping) k
	WHERE NOT EXISTS (SELECT FROM @extschema@.taxonomy_input i WHERE i.business = install_taxonomy.business AND i.input = k) ORDER BY k LIMIT 1;
	IF known IS NOT NULL THEN
		RAISE EXCEPTION 'unknown key "%" in the mapping', known
			USING ERRCODE = 'invalid_parameter_value',
				HINT = format('Known are: %s.', (SELECT string_agg(i.input, ', ' ORDER BY i.place, i.input) FROM @extschema@.taxonomy_input i
					WHERE i.business = install_taxonomy.business));
	END IF;

	-- The population, as everywhere the only one if none is named.
	IF population IS NULL AND (SELECT count(*) FROM @extschema@.population_definition) = 1 THEN
		SELECT p.name INTO population FROM @extschema@.population_definition p;
	END IF;
	IF population IS NULL THEN
		RAISE EXCEPTION 'population must be named'
			USING ERRCODE = 'invalid_parameter_value', HINT = format('There are: %s.',
				coalesce((SELECT string_agg(p.name, ', ' ORDER BY p.name) FROM @extschema@.population_definition p), 'none yet, see @extschema@.create_population'));
	END IF;
	SELECT p.population_id, p.source, p.events, p.event_name, p.event_attributes INTO home FROM @extschema@.population_definition p WHERE p.name = install_taxonomy.population;
	IF home.population_id IS NULL THEN
		RAISE EXCEPTION 'population "%" does not exist', population USING ERRCODE = 'undefined_object';
	END IF;

	-- What is given, checked; what may be left out.
	FOR input IN
		SELECT i.input, i.class, coalesce(nullif(mapping -> i.input, 'null'),
				to_jsonb(CASE WHEN i.class = 'zone' AND i.default_value IS NULL THEN vars.zone ELSE i.default_value END)) AS given,
			coalesce(mapping -> i.input, 'null') <> 'null' AS by_user
		FROM @extschema@.taxonomy_input i WHERE i.business = install_taxonomy.business ORDER BY i.place, i.input
	LOOP
		CONTINUE WHEN input.given IS NULL;
		IF input.by_user AND input.class IN ('event', 'attribute') THEN
			IF home.events IS NULL THEN
				RAISE EXCEPTION 'the mapping names event "%", but population "%" has no events', input.given #>> '{}', population
					USING ERRCODE = 'object_not_in_prerequisite_state',
						HINT = 'Name the relation of events when the population is created: @extschema@.create_population(..., events => ...).';
			END IF;
			IF input.class = 'attribute' AND (input.given #>> '{}') <> ALL (coalesce(home.event_attributes, '{}')) THEN
				RAISE EXCEPTION 'events of population "%" have no attribute "%"', population, input.given #>> '{}'
					USING ERRCODE = 'undefined_column',
						HINT = format('They have: %s.', coalesce(nullif(array_to_string(home.event_attributes, ', '), ''), 'none'));
			END IF;
		END IF;
		sql_of := sql_of || jsonb_build_object(input.input, @extschema@.taxonomy_input_sql(home.source, input.input, input.class, input.given));
		-- A misspelt event would make tags that nobody ever has.
		IF input.by_user AND input.class = 'event' AND input.given #>> '{}' !~ '[][*"!]' AND has_column_privilege(home.events, home.event_name, 'SELECT') THEN
			EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE %I::text = $1)', home.events, home.event_name) INTO seen USING input.given #>> '{}';
			IF NOT seen THEN
				RAISE WARNING 'no event "%" is in % yet', input.given #>> '{}', home.events
					USING HINT = format('The mapping of "%s" means events of this very name.', input.input);
			END IF;
		END IF;
	END LOOP;

	FOR row IN
		SELECT t.tag, t.kind, t.rule, t.title, t.title_zh, t.value_titles_zh, t.place, t.rule ~ '\mtimeline\M' AS asks_timeline
		FROM @extschema@.taxonomy_tag t WHERE t.business = install_taxonomy.business
		ORDER BY array_position(ARRAY['base', 'timeliness', 'correlation', 'predictive', 'personality'], t.kind), t.place, t.tag
	LOOP
		tag := row.tag;
		kind := row.kind;
		missing := ARRAY(SELECT format('%s (%s)', i, coalesce((SELECT d.class || ': ' || d.title FROM @extschema@.taxonomy_input d
					WHERE d.business = install_taxonomy.business AND d.input = i), 'which taxonomy_input does not know'))
				FROM unnest(@extschema@.taxonomy_rule_inputs(row.rule)) i WHERE NOT sql_of ? i ORDER BY i)
			|| CASE WHEN row.asks_timeline AND home.events IS NULL THEN '{events of the population}'::text[] ELSE '{}' END;
		IF cardinality(missing) > 0 THEN
			status := 'skipped';
			detail := 'needs ' || array_to_string(missing, ', ');
			RETURN NEXT;
			CONTINUE;
		END IF;
		expanded := @extschema@.taxonomy_rule(row.rule, sql_of);
		detail := row.title;
		SELECT v.rule INTO old_rule FROM @extschema@.tag_definition d JOIN @extschema@.tag_version v ON v.tag_id = d.tag_id AND v.version = d.version
		WHERE d.population_id = home.population_id AND d.name = row.tag;
		IF NOT FOUND THEN
			PERFORM @extschema@.create_tag(row.tag, expanded, row.kind, population, description => concat_ws(' ', row.title, '(' || row.title_zh || ')'));
			status := 'created';
		ELSIF old_rule = expanded THEN
			status := 'unchanged';
		ELSIF replace THEN
			PERFORM @extschema@.replace_tag(row.tag, expanded, row.kind, population, description => concat_ws(' ', row.title, '(' || row.title_zh || ')'));
			status := 'replaced';
		ELSE
			status := 'kept';
			detail := 'there is a tag of this name with another rule; replace => true takes this one';
		END IF;
		IF status IN ('created', 'replaced') THEN
			PERFORM @extschema@.register_tag_title(row.tag, 'en', row.title, population => population);
			IF row.title_zh IS NOT NULL THEN
				PERFORM @extschema@.register_tag_title(row.tag, 'zh', row.title_zh, value_titles => row.value_titles_zh, population => population);
			END IF;
		END IF;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.install_taxonomy(text, jsonb, text, boolean) IS
	'creates the tags of a kind of business (标签体系), ''retail'' or ''bank'', over a mapping that says where their inputs are (taxonomy_inputs lists them): a column or SQL expression, an event or selector, an attribute. Tags whose inputs are not mapped are skipped, and say what they need. Run again it leaves alone what is there; replace => true gives tags of the same name its rules. Evaluate with refresh_timelines and refresh_tags. Errors: 22023 unknown kind, key or value, 42703 unknown column, 42804 of another type';
