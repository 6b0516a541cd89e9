-- Valid values of every type of the extension, damaged byte by byte, and used by
-- whatever takes such a value.  All is found in the catalogue: a type or an aggregate
-- that is new is tried without a line here.
--
-- mutation.try() makes one mutant, hands it in, uses it and says what should not be,
-- NULL when all was well; mutation.run() does so many times.  A folder that the server
-- may write to is in the setting mutation.folder; the seconds that one mutant may take, in
-- mutation.seconds, where they are not 60.
CREATE SCHEMA mutation;
SET search_path = mutation, crm, public;

CREATE TYPE door AS ENUM ('binary', 'text', 'roaring');
-- Valid values: as bytes of the door; of a state, the aggregate that made it and the one that puts such states together.
CREATE TABLE sample (id int GENERATED ALWAYS AS IDENTITY, type regtype, door door, value bytea, aggregate regprocedure, parts text);

-- Arguments by type, and by name where the name asks for more.
CREATE TABLE argument (type text, name text, expression text);
INSERT INTO argument (type, name, expression)
	SELECT a.type, a.name, e.expression FROM (VALUES
		('bigint', NULL, '{0,1,-1,5,4294967296,9223372036854775807,-9223372036854775808}'::text[]),
		('integer', NULL, '{0,1,-1,3,1000,2147483647}'),
		('smallint', NULL, '{0,1,7,-32768}'),
		('double precision', NULL, '{0,0.5,1,-1,30,1e300,''NaN'',''Infinity'',''-Infinity''}'),
		('numeric', NULL, '{0,0.5,10,-3,1e30,''NaN''}'),
		('boolean', NULL, '{true,false}'),
		('text', NULL, '{NULL,''e1'',"''e2[channel=c1]''",'''',''x''}'),
		('text', 'period', '{''day'',''week'',''month'',''hour''}'),
		('text', 'zone', '{''UTC'',''Asia/Shanghai''}'),
		('text', 'pattern', '{''(?1).*(?2)'',''(?1)(?t<=86400)(?2)'',''(?1).*(?2).*(?1)''}'),
		('text', 'population', '{NULL,''bank''}'),
		('text', 'mode', '{''strict_order'',''strict_increase'',''''}'),
		('text', 'attribute', '{''channel'',''x''}'),
		('text', 'direction', '{''any'',''up''}'),
		('text[]', NULL, '{"ARRAY[''e1'', ''e2'']","ARRAY[''e0'']","ARRAY[''item 1'', ''item 2'']"}'),
		('timestamp with time zone', NULL, '{NULL,"''2025-01-02''","''-infinity''","''infinity''","''4713-01-01 BC''","''294276-12-31''"}'),
		('interval', NULL, '{"''1 hour''","''1 day''","''10 years''","''1 microsecond''"}'),
		('interval', 'idle_gap', '{NULL,"''1 hour''"}'),
		('jsonb', NULL, '{NULL,"''{}''"}'),
		('double precision[]', NULL, '{"ARRAY[0.5, 1, 2]","ARRAY[0.5]","ARRAY[''NaN'', ''Infinity'', NULL]::float8[]","ARRAY[]::float8[]","ARRAY[1,2,3,4,5]"}'),
		('rfm_summary', NULL, '{"rfm_summary(''2025-01-03'', 4, 10.5)","rfm_summary(''infinity'', 9223372036854775807, ''NaN''::float8)"}'),
		('oid', NULL, '{0}')) AS a(type, name, expressions), unnest(a.expressions) AS e(expression);

-- Arguments of aggregates for the n-th row.
CREATE TABLE row_argument (type text, name text, expression text);
INSERT INTO row_argument VALUES
	('double precision', NULL, '(n * 7 % 11)::float8'), ('numeric', NULL, '(n * 7 % 11)::numeric / 4'), ('boolean', NULL, 'n * 5 % 3 = 0'),
	('integer', NULL, '3'), ('integer', 'rating', '(1 + n % 5)::int'), ('integer', 'week_start', '1'), ('integer', 'scale', '5'),
	('bigint', NULL, 'n / 3'), ('bigint', 'item', 'n % 5'), ('bigint', 'id', 'n'),
	('text', NULL, '''e'' || n % 3'), ('text', 'item', '''item '' || n % 5'), ('text', 'basket', '''b'' || n / 3'), ('text', 'customer', '''c'' || n / 3'),
	('text', 'period', '''week'''), ('text', 'zone', '''UTC'''), ('text', 'mode', ''''''), ('text', 'direction', '''forward'''),
	('text', 'base', '''head'''), ('text', 'method', '''markov:2'''), ('text', 'pattern', '''(?1).*(?2)'''), ('text', 'key', 'n::text'),
	('timestamp with time zone', NULL, 'timestamptz ''2025-01-01'' + n * interval ''7 hours'''), ('interval', NULL, '''3 days'''),
	('timestamp with time zone', 'as_of', 'timestamptz ''2025-03-01'''), ('timestamp with time zone', 'until', 'timestamptz ''2025-03-01'''),
	('jsonb', NULL, '''{}'''), ('jsonb', 'attributes', 'jsonb_build_object(''channel'', ''c'' || n % 4)'), ('jsonb', 'wanted', '''{"e1": "channel"}'''),
	('jsonb', 'bought', '''{"e2": "channel"}'''), ('double precision[]', NULL, 'ARRAY[sin(n), n % 4, (n * n % 7)::float8]'),
	('boolean[]', NULL, 'ARRAY[n % 3 = 0, n % 3 = 1, n % 3 = 2]'), ('text[]', NULL, 'ARRAY[''c'' || n % 3, ''c'' || n % 4]'),
	('double precision', 'min_support', '0.05'), ('double precision', 'min_confidence', '0.1'), ('double precision', 'confidence', '0.95'),
	('double precision', 'min_share', '0.05'), ('double precision', 'recency', '(n % 7 + 1)::float8'), ('double precision', 'age', '(n % 7 + 10)::float8'),
	('double precision', 'frequency', '(n % 5 + 1)::float8'), ('double precision', 'mean_value', '(n % 9 + 1)::float8'), ('double precision', 'rho', '0'),
	('double precision', 'probability', '0.25'), ('double precision', 'score', '(n * 3 % 17) / 17.0'), ('double precision', 'weight', '1'),
	('double precision', 'value', '(n * 7 % 11)::float8'),
	('rfm_summary', NULL, 'rfm_summary(timestamptz ''2025-01-01'' + n * interval ''1 day'', n % 5 + 1, n % 7 + 0.5)'),
	('audience', NULL, 'audience(ARRAY[n, n * 3, n * 70000])'), ('any', NULL, 'n % 4, ''k'' || n % 3'),
	('timeline', NULL, 'some_timeline(n)'), ('activity', NULL, '(SELECT activity_agg(''day'', timestamptz ''2025-01-01'' + m * n * interval ''1 day'') FROM generate_series(1, 5) m)'),
	('funnel', NULL, '(SELECT funnel_agg(''1 day'', timestamptz ''2025-01-01'' + m * interval ''1 hour'', m % 2 = 0, m % 3 = n % 3) FROM generate_series(1, 5) m)'),
	('model', NULL, '(SELECT kmeans_fit(2, ARRAY[m % 3, m, m % 5]::float8[]) FROM generate_series(1, 20) m)'),
	('agg_state', NULL, NULL), ('bsi', NULL, 'bsi(n)'), ('bytea', NULL, NULL), ('tag_scan_row', NULL, NULL);

CREATE FUNCTION some_timeline(n bigint) RETURNS timeline LANGUAGE sql AS $$
	SELECT timeline_agg(timestamptz '2025-01-01' + m * n * interval '5 hours', 'e' || m % 3, m % 6, jsonb_build_object('channel', 'c' || m % 4))
	FROM generate_series(1, 5 + n % 20) m
$$;
CREATE FUNCTION bsi(n bigint) RETURNS bsi LANGUAGE sql AS $$
	SELECT bsi_agg(n * m * 1000, m * 1.25 - 7) FROM generate_series(1, 20) m
$$;

-- Bytes through a door of a type: pg_temp.accepted holds the value then.
CREATE FUNCTION hand_in(type regtype, door door, bytes bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	file text := current_setting('mutation.folder') || '/mutant';
BEGIN
	DROP TABLE IF EXISTS pg_temp.accepted;
	EXECUTE format('CREATE TEMP TABLE accepted (value %s)', type);
	CASE door
		WHEN 'binary' THEN
			-- the binary form of bytea is the bytes: written as bytea, read as the type
			EXECUTE format('COPY (SELECT %L::bytea) TO %L (FORMAT binary)', bytes, file);
			EXECUTE format('COPY pg_temp.accepted FROM %L (FORMAT binary)', file);
		WHEN 'text' THEN
			EXECUTE format('INSERT INTO pg_temp.accepted SELECT convert_from(%L::bytea, ''UTF8'')::%s', bytes, type);
		WHEN 'roaring' THEN
			EXECUTE format('INSERT INTO pg_temp.accepted SELECT from_roaring(%L::bytea)', bytes);
	END CASE;
END $$;

-- When what began at a time has taken too long.
CREATE FUNCTION too_late(started timestamptz) RETURNS boolean LANGUAGE sql AS $$
	SELECT clock_timestamp() > started + coalesce(nullif(current_setting('mutation.seconds', true), ''), '60')::int * interval '1 s'
$$;
CREATE FUNCTION below(n int) RETURNS int LANGUAGE sql AS $$ SELECT floor(random() * n)::int $$;

-- Some bytes changed, left out, doubled, or taken from another value.
CREATE FUNCTION mutant(bytes bytea, other bytea, door door) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
	at int;
	size int;
	edges int[] := '{0,1,2,127,128,254,255}';
	words text[] := '{"0","-1","1e308","NaN","-0","99999999999999999999","1e-320","{","}","\"","[","]",",","\\","null","Infinity",":","'' ''"}';
BEGIN
	FOR i IN 0 .. CASE WHEN random() < 0.6 THEN 0 ELSE below(4) END LOOP
		at := below(length(bytes) + 1);
		size := 1 + below(CASE WHEN random() < 0.8 THEN 8 ELSE 200 END);
		IF door = 'text' THEN
			bytes := CASE below(10)
				WHEN 0 THEN substr(bytes, 1, at) || convert_to(words[1 + below(array_length(words, 1))], 'UTF8') || substr(bytes, at + 1 + below(3))
				WHEN 1 THEN substr(bytes, 1, at) || substr(bytes, at + size + 1)
				WHEN 2 THEN substr(bytes, 1, at + size) || substr(bytes, at + 1)
				WHEN 3 THEN substr(bytes, 1, at) || substr(other, 1 + below(length(other) + 1), size) || substr(bytes, at + size + 1)
				WHEN 4 THEN substr(bytes, 1, at) || convert_to(chr(32 + below(95)), 'UTF8') || substr(bytes, at + 2)
				-- most often a digit: what stays well formed goes furthest
				ELSE substr(bytes, 1, at) || convert_to(regexp_replace(encode(substr(bytes, at + 1), 'escape'), '[0-9]', below(10)::text), 'UTF8') END;
			CONTINUE;
		END IF;
		bytes := CASE below(10)
			WHEN 0 THEN substr(bytes, 1, at) || substr(bytes, at + size + 1)
			WHEN 1 THEN substr(bytes, 1, at + size) || substr(bytes, at + 1)
			WHEN 2 THEN substr(bytes, 1, at) || substr(other, 1 + below(length(other) + 1), size) || substr(bytes, at + size + 1)
			WHEN 3 THEN substr(bytes, 1, at)
			WHEN 4 THEN substr(bytes, 1, at) || (CASE below(5) WHEN 0 THEN '\xffffffff'::bytea WHEN 1 THEN '\xffffff7f' WHEN 2 THEN '\x00000000' WHEN 3 THEN '\x00000080'
					ELSE '\x000000000000f07f' END) || substr(bytes, at + 5)
			WHEN 5 THEN bytes || substr(other, 1 + below(length(other) + 1), size)
			ELSE CASE WHEN at < length(bytes) THEN
				CASE below(3) WHEN 0 THEN set_byte(bytes, at, edges[1 + below(7)]) WHEN 1 THEN set_byte(bytes, at, get_byte(bytes, at) # (1 << below(8)))
				ELSE set_byte(bytes, at, (get_byte(bytes, at) + CASE WHEN random() < 0.5 THEN 1 ELSE 255 END) % 256) END
				ELSE bytes END
			END;
	END LOOP;
	RETURN bytes;
END $$;

-- What takes a value of a type, with a call of it for each: names of functions and aggregates, and the types of their arguments.
CREATE TABLE user_of AS
	SELECT t.type, p.oid::regprocedure AS function, p.proname, p.proargtypes::oid[]::regtype[] AS types, p.proargnames AS names, p.provariadic
	FROM unnest('{audience,bsi,rfm_cuts,bins,funnel,timeline,activity,model}'::regtype[]) t(type),
		pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
	WHERE n.nspname = 'crm' AND t.type = ANY (p.proargtypes::oid[])
		AND NOT p.proargtypes::oid[] && '{internal,agg_state,regclass,"\"any\""}'::regtype[]::oid[]
		AND p.proname !~ '_transfn$|_finalfn$|_combinefn$|_out$|_send$|^store_model$'
		AND p.provolatile <> 'v';

CREATE FUNCTION call_of(u user_of) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT count(q.v::text) FROM (SELECT crm.%I(%s) AS v FROM pg_temp.accepted, pg_temp.valid, generate_series(1::bigint, 3) n) q', u.proname,
		string_agg(CASE WHEN u.provariadic <> 0 AND t.place = array_length(u.types, 1) THEN 'VARIADIC ' ELSE '' END || CASE WHEN t.type = u.type THEN CASE WHEN t.type = ANY (u.types[:t.place - 1]) AND random() < 0.7 THEN 'valid.value' ELSE 'accepted.value' END
			ELSE coalesce((SELECT CASE WHEN e.expression LIKE '(SELECT%' THEN e.expression ELSE '(' || e.expression || ')' END || '::' || t.type
				FROM (SELECT a.expression FROM mutation.argument a WHERE a.type = t.type::text
					AND a.name IS NOT DISTINCT FROM (SELECT max(b.name) FROM mutation.argument b WHERE b.type = t.type::text AND b.name = u.names[t.place])
					UNION ALL SELECT r.expression FROM mutation.row_argument r WHERE r.type = t.type::text AND r.name IS NULL
						AND NOT EXISTS (SELECT FROM mutation.argument a WHERE a.type = t.type::text)) e
				ORDER BY random() LIMIT 1), 'NULL::' || t.type) END, ', ' ORDER BY t.place))
	FROM unnest(u.types) WITH ORDINALITY t(type, place)
$$;

-- One mutant: NULL, or what went wrong.  What takes a minute hangs, on whatever machine.
CREATE FUNCTION try(seed float8, calls int, OUT type regtype, OUT door door, OUT accepted boolean, OUT trouble text) LANGUAGE plpgsql AS $$
DECLARE
	s sample;
	other bytea;
	bytes bytea;
	call text;
	started timestamptz := clock_timestamp();
BEGIN
	PERFORM setseed(seed);
	-- The kind of value first, so that none is rare because there are many of another; states are many kinds.
	SELECT k.type, k.door INTO type, door FROM (SELECT DISTINCT m.type, m.door FROM sample m ORDER BY 1, 2) k
		ORDER BY random() * CASE WHEN k.type = 'crm.agg_state'::regtype THEN 0.5 ELSE 1 END LIMIT 1;
	SELECT m.* INTO s FROM sample m WHERE (m.type, m.door) = (try.type, try.door) ORDER BY random() LIMIT 1;
	SELECT m.value INTO other FROM sample m WHERE m.type = s.type ORDER BY random() LIMIT 1;
	PERFORM hand_in(s.type, s.door, s.value);
	DROP TABLE IF EXISTS pg_temp.valid;
	ALTER TABLE pg_temp.accepted RENAME TO valid;
	bytes := mutant(s.value, other, s.door);
	accepted := false;
	BEGIN
		call := 'input';
		PERFORM hand_in(s.type, s.door, bytes);
		accepted := true;
	EXCEPTION WHEN OTHERS THEN
		IF SQLSTATE ~ '^(XX|53|57|58)' AND SQLSTATE <> 'XX001' THEN
			trouble := format('%s %s', SQLSTATE, SQLERRM);
		END IF;
	END;
	IF accepted THEN
		FOR call IN
			-- to text and back is the same
			SELECT format('SELECT 1 / (%1$s(value) = %1$s(value::text::%2$s))::int FROM pg_temp.accepted', t.typsend::oid::regproc, s.type)
				FROM pg_catalog.pg_type t WHERE t.oid = s.type
			UNION ALL
			SELECT format('SELECT count(v::text) FROM (SELECT mutation.%s(value) AS v FROM (SELECT value FROM pg_temp.%s UNION ALL SELECT value FROM pg_temp.%s%s) q) r', s.parts, o.first, o.second,
				CASE WHEN o.second = 'accepted' THEN ' LIMIT 1' ELSE '' END)
				FROM (VALUES ('accepted', 'accepted'), ('accepted', 'valid'), ('valid', 'accepted')) o(first, second) WHERE s.parts IS NOT NULL
			UNION ALL
			(SELECT call_of(u) FROM user_of u WHERE u.type = s.type ORDER BY random() LIMIT calls)
		LOOP
			BEGIN
				EXECUTE call;
			EXCEPTION WHEN OTHERS THEN
				IF SQLSTATE ~ '^(XX|53|57|58|22012|42601|42883|42725)' AND SQLSTATE <> 'XX001' THEN
					trouble := concat_ws(E'\n', trouble, format('%s %s: %s', SQLSTATE, SQLERRM, call));
				END IF;
			END;
			IF mutation.too_late(started) THEN
				trouble := concat_ws(E'\n', trouble, 'hangs: ' || call);
			END IF;
			EXIT WHEN trouble IS NOT NULL;
		END LOOP;
	ELSIF mutation.too_late(started) THEN
		trouble := 'hangs: input';
	END IF;
	IF trouble IS NOT NULL THEN
		trouble := format('%s by %s: %s, from sample %s %s, mutant %s', s.type, s.door, trouble, s.id, s.aggregate, left(bytes::text, 2000));
	END IF;
END $$;

-- The states of every aggregate, and beside it two of our own: one that gives its state, one that puts states together and finishes.
DO $$
DECLARE
	a record;
	arguments text;
BEGIN
	FOR a IN SELECT g.*, p.oid, p.proname, p.proargtypes, p.proargnames, p.provariadic, row_number() OVER (ORDER BY p.oid::regprocedure::text) AS n
		FROM pg_catalog.pg_aggregate g JOIN pg_catalog.pg_proc p ON p.oid = g.aggfnoid
		WHERE p.pronamespace = 'crm'::regnamespace AND g.aggtranstype = 'agg_state'::regtype
	LOOP
		SELECT string_agg(CASE WHEN t.type = a.proargtypes[array_upper(a.proargtypes, 1)] AND t.place = array_length(a.proargtypes, 1) AND a.provariadic <> 0 AND t.type <> '"any"'::regtype
				THEN 'VARIADIC ' ELSE '' END
			|| (SELECT r.expression FROM row_argument r WHERE r.type = replace(t.type::text, '"', '') AND (r.name IS NULL OR r.name = a.proargnames[t.place])
				ORDER BY r.name NULLS LAST LIMIT 1), ', ' ORDER BY t.place)
			INTO arguments
			FROM unnest(a.proargtypes::oid[]::regtype[]) WITH ORDINALITY AS t(type, place);
		CONTINUE WHEN a.proname ~ '^tag_(scan|due)';
		EXECUTE format('CREATE AGGREGATE mutation.state_%s(%s) (sfunc = %s, stype = crm.agg_state)', a.n,
			pg_catalog.pg_get_function_arguments(a.oid), a.aggtransfn::oid::regproc);
		EXECUTE format('CREATE AGGREGATE mutation.use_%s(crm.agg_state) (sfunc = %s, stype = crm.agg_state, finalfunc = %s)', a.n,
			a.aggcombinefn::oid::regproc, a.aggfinalfn::oid::regproc);
		EXECUTE format('INSERT INTO sample (type, door, value, aggregate, parts)
			SELECT ''agg_state'', ''binary'', agg_state_send(mutation.state_%s(%s)), %L, ''use_%1$s'' FROM generate_series(1, 60) i(i), LATERAL (SELECT i::bigint) AS r(n)',
			a.n, arguments, a.oid::regprocedure);
	END LOOP;
END $$;
CREATE AGGREGATE mutation.due_state(bigint, timestamptz) (sfunc = crm.tag_due_transfn, stype = crm.agg_state);
CREATE AGGREGATE mutation.due_use(crm.agg_state) (sfunc = crm.tag_due_combinefn, stype = crm.agg_state, finalfunc = crm.tag_due_finalfn);
INSERT INTO sample (type, door, value, aggregate, parts)
	SELECT 'agg_state', 'binary', agg_state_send(mutation.due_state(n, timestamptz '2025-01-01' + n % 7 * interval '1 hour')), 'tag_due_agg(bigint, timestamptz)', 'due_use'
	FROM generate_series(1::bigint, 50) n;


-- Values of every other type: what each aggregate answers, and a few made by hand.
CREATE TABLE customer AS SELECT n AS id, n % 50 AS amount, 'city ' || n % 5 AS city FROM generate_series(1::bigint, 300) n;
ALTER TABLE customer ADD PRIMARY KEY (id);
DO $$ BEGIN
	PERFORM create_population('bank', 'mutation.customer', 'id');
	PERFORM create_tag('rich', 'amount > 30', population => 'bank'), create_tag('first', 'city = ''city 1''', population => 'bank');
	PERFORM refresh_tags('bank');
END $$;
CREATE FUNCTION as_state(bytes bytea) RETURNS crm.agg_state LANGUAGE sql AS $$
	SELECT translate(encode(bytes, 'base64'), E'\n', '')::crm.agg_state
$$;
DO $$
DECLARE
	s record;
BEGIN
	FOR s IN SELECT m.*, t.oid::regtype AS result, t.typsend FROM sample m JOIN pg_catalog.pg_proc p ON p.oid = m.aggregate JOIN pg_catalog.pg_type t ON t.oid = p.prorettype
		WHERE t.typnamespace = 'crm'::regnamespace AND t.typtype = 'b' AND t.typcategory <> 'A'
	LOOP
		EXECUTE format('INSERT INTO sample (type, door, value) SELECT %L, ''binary'', %s(v) FROM (SELECT %s(mutation.as_state(%L)) AS v) q WHERE v IS NOT NULL',
			s.result, s.typsend::oid::regproc, s.parts, s.value);
	END LOOP;
END $$;
INSERT INTO sample (type, door, value)
	SELECT 'audience', 'binary', audience_send(a) FROM (VALUES ('{}'::audience), ('{1,2,3,70000,4294967296}'), ((SELECT audience_agg(n) FROM generate_series(1::bigint, 20000) n)),
		((SELECT audience_agg(n * n) FROM generate_series(1::bigint, 700) n)), ((SELECT audience_agg(n * 2) FROM generate_series(1::bigint, 5000) n))) v(a);
INSERT INTO sample (type, door, value)
	SELECT 'audience', 'roaring', to_roaring(a) FROM (VALUES ('{1,2,3,70000,4294967296}'::audience), ((SELECT audience_agg(n * 2) FROM generate_series(1::bigint, 5000) n)),
		((SELECT audience_agg(n) FROM generate_series(7::bigint, 300) n))) v(a);
INSERT INTO sample (type, door, value) SELECT 'bsi', 'binary', bsi_send(b) FROM (VALUES (bsi(1)), (bsi(70000)), ((SELECT bsi_agg(n, n * 3) FROM generate_series(1::bigint, 100) n))) v(b);
INSERT INTO sample (type, door, value)
	SELECT 'model', 'binary', model_send(m) FROM (SELECT recommend_fit(n / 3, 'item ' || n % 5, 1, o.options) AS m
		FROM generate_series(1::bigint, 60) n, (VALUES ('{"method": "als", "factors": 2}'::jsonb), ('{"method": "popularity"}')) o(options) GROUP BY o.options) q;
INSERT INTO sample (type, door, value)
	SELECT 'model', 'binary', model_send(m) FROM (SELECT kprototypes_fit(2, ARRAY[sin(n), n % 3, n % 4], '{"categorical": [3]}') AS m FROM generate_series(1, 60) n) q;
-- In text as in bytes.
DO $$
DECLARE
	t record;
BEGIN
	FOR t IN SELECT * FROM sample WHERE door = 'binary' ORDER BY id LOOP
		PERFORM mutation.hand_in(t.type, 'binary', t.value);
		EXECUTE format('INSERT INTO sample (type, door, value, aggregate, parts)
			SELECT %L, ''text'', convert_to(value::text, ''UTF8''), %L, %L FROM pg_temp.accepted', t.type, t.aggregate::text, t.parts);
		-- What is valid passes.
		IF NOT FOUND THEN RAISE EXCEPTION 'sample % of type % is refused', t.id, t.type; END IF;
	END LOOP;
END $$;

-- What the catalogue keeps of models beside their values is JSON that names columns, values and features: damaged in a restored dump, say.
CREATE TABLE buyer AS
	SELECT n AS id, n * 7 % 60 AS tenure, CASE WHEN n % 10 <> 0 THEN (n * 53 % 80)::numeric END AS bill, (ARRAY['a', 'b', 'c'])[1 + n % 3] AS contract, n % 3 = 0 AS paperless,
		date '2024-01-01' + n % 300 AS since, n * 31 % 7 + n % 3 > 4 AS bought
	FROM generate_series(1, 200) n;
DO $$
DECLARE
	algorithm text;
BEGIN
	FOREACH algorithm IN ARRAY '{logistic,boosted_trees,naive_bayes,scorecard}'::text[] LOOP
		PERFORM train(algorithm, algorithm, 'SELECT id, tenure, bill, contract, paperless, since, bought FROM mutation.buyer', 'bought',
			CASE algorithm WHEN 'boosted_trees' THEN '{"trees": 3, "key": "id"}' ELSE '{"key": "id"}' END::jsonb);
	END LOOP;
	PERFORM train('linear', 'linear', 'SELECT tenure, contract, since, bill FROM mutation.buyer WHERE bill IS NOT NULL', 'bill');
	PERFORM train('k_prototypes', 'k_prototypes', 'SELECT tenure, contract, bill FROM mutation.buyer', NULL, '{"k": 3}');
END $$;
CREATE TABLE kept AS TABLE crm.model_version;
CREATE TABLE use_of_name (call text);
INSERT INTO use_of_name VALUES ('SELECT count(predict(%1$L, b)) FROM mutation.buyer b WHERE id <= 5'), ('SELECT count(predict(%1$L, to_jsonb(b))) FROM mutation.buyer b WHERE id <= 5'),
	('SELECT count(e::text) FROM mutation.buyer b, explain(%1$L, b) e WHERE id <= 5'), ('SELECT count(predict_reasons(%1$L, b)::text) FROM mutation.buyer b WHERE id <= 5'),
	('SELECT count(e::text) FROM evaluate(%1$L, ''SELECT * FROM mutation.buyer'', ''bought'') e'), ('SELECT count(d::text) FROM model_drift(%1$L, ''SELECT * FROM mutation.buyer'') d'),
	('SELECT count(cluster(%1$L, b)) FROM mutation.buyer b WHERE id <= 5'), ('SELECT count(p::text) FROM personas(%1$L, ''SELECT * FROM mutation.buyer'', ''id'') p'),
	('SELECT retrain(%1$L)'), ('SELECT count(c::text) FROM model_catalog c');

-- One mutant of a stored model's JSON, used by every function that takes a model's name.
CREATE FUNCTION try_stored(seed float8, OUT place text, OUT accepted boolean, OUT trouble text) LANGUAGE plpgsql AS $$
DECLARE
	v mutation.kept;
	before text;
	other text;
	after jsonb;
	call text;
	started timestamptz := clock_timestamp();
BEGIN
	PERFORM setseed(seed);
	SELECT * INTO v FROM mutation.kept ORDER BY random() LIMIT 1;
	place := (ARRAY['encoding', 'encoding', 'encoding', 'split', 'metrics', 'profile', 'profile', 'options'])[1 + mutation.below(8)];
	before := to_jsonb(v) ->> place;
	accepted := false;
	IF before IS NULL THEN
		RETURN;
	END IF;
	SELECT coalesce(to_jsonb(k) ->> place, '[]') INTO other FROM mutation.kept k ORDER BY random() LIMIT 1;
	-- most bytes make no JSON: several are tried, and at last one that is JSON of other things
	FOR i IN 1 .. 20 LOOP
		BEGIN
			after := convert_from(mutation.mutant(convert_to(before, 'UTF8'), convert_to(other, 'UTF8'), 'text'), 'UTF8')::jsonb;
			EXIT WHEN after <> before::jsonb;
		EXCEPTION WHEN OTHERS THEN
			after := CASE mutation.below(3) WHEN 0 THEN other::jsonb WHEN 1 THEN jsonb_build_array(before::jsonb) ELSE 'null' END;
		END;
	END LOOP;
	EXECUTE format('UPDATE crm.model_version SET %I = $1 WHERE (name, version) = ($2, $3)', place) USING after, v.name, v.version;
	FOR call IN SELECT format(u.call, v.name) FROM mutation.use_of_name u LOOP
		BEGIN
			EXECUTE call;
			accepted := accepted OR call ~ CASE place WHEN 'encoding' THEN 'predict|explain|cluster|evaluate' WHEN 'profile' THEN 'drift|personas' WHEN 'metrics' THEN 'catalog' ELSE 'retrain' END;
		EXCEPTION WHEN OTHERS THEN
			IF SQLSTATE ~ '^(XX|53|57|58)' AND SQLSTATE <> 'XX001' THEN
				trouble := concat_ws(E'\n', trouble, format('%s %s: %s', SQLSTATE, SQLERRM, call));
			END IF;
		END;
		IF mutation.too_late(started) THEN
			trouble := concat_ws(E'\n', trouble, 'slow: ' || call);
		END IF;
		EXIT WHEN trouble IS NOT NULL;
	END LOOP;
	IF trouble IS NOT NULL THEN
		trouble := format('%s of model %s: %s, mutant %s', place, v.name, trouble, left(after::text, 2000));
	END IF;
END $$;

-- Many of them.  Each is written down before it is tried: after a crash the last one is known.
CREATE TABLE tried (n bigint PRIMARY KEY, type regtype, door door, accepted boolean, trouble text);
CREATE PROCEDURE run(seed bigint, n int, calls int) LANGUAGE plpgsql AS $$
DECLARE
	t record;
BEGIN
	FOR i IN 1 .. n LOOP
		INSERT INTO mutation.tried (n) VALUES (seed + i);
		COMMIT;
		t := mutation.try((hashint8extended(seed + i, 0) % 1000000000) / 1e9, calls);
		UPDATE mutation.tried r SET type = t.type, door = t.door, accepted = t.accepted, trouble = t.trouble WHERE r.n = seed + i;
		COMMIT;
	END LOOP;
END $$;
-- What is kept is put back each time, whatever retraining has made of it.
CREATE TABLE tried_stored (n bigint PRIMARY KEY, place text, accepted boolean, trouble text);
CREATE PROCEDURE run_stored(seed bigint, n int) LANGUAGE plpgsql AS $$
DECLARE
	t record;
BEGIN
	FOR i IN 1 .. n LOOP
		INSERT INTO mutation.tried_stored (n) VALUES (seed + i);
		COMMIT;
		t := mutation.try_stored((hashint8extended(seed + i, 0) % 1000000000) / 1e9);
		ROLLBACK;
		UPDATE mutation.tried_stored r SET place = t.place, accepted = t.accepted, trouble = t.trouble WHERE r.n = seed + i;
		COMMIT;
	END LOOP;
END $$;
