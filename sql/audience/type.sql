-- The type crm.audience: text and binary form, casts, Roaring bytes.
SET search_path = crm, public;

-- Every way of writing.
SELECT literal, literal::audience AS audience
FROM (VALUES ('{}'), (' { } '), ('{0}'), ('{1,2}'), ('{1,2,3}'), ('{3,1,2,1}'), ('{5..9}'), ('{5..5}'), ('{5..6}'),
	('{ 1 , 2 .. 4 , 9 }'), (E'\t{1,\n2}\r'), ('{1..5,3..9}'), ('{7..9,1..3,4..6}'), ('{10,0..20,15}'),
	('{9223372036854775807}'), ('{9223372036854775805..9223372036854775807,0}'),
	('{65534..65537}'), ('{4294967294..4294967297}'), ('{007}'), ('7:{1}'), ('2147483647:{}')) AS v(literal);

-- Every way of failing.
SELECT ''::audience;
SELECT '1,2'::audience;
SELECT '{1,2'::audience;
SELECT '{1,,2}'::audience;
SELECT '{1,}'::audience;
SELECT '{,}'::audience;
SELECT '{1 2}'::audience;
SELECT '{1}}'::audience;
SELECT '{1} x'::audience;
SELECT '{a}'::audience;
SELECT '{客户}'::audience;
SELECT '{1.5}'::audience;
SELECT '{1...3}'::audience;
SELECT '{1..}'::audience;
SELECT '{..3}'::audience;
SELECT '{9..5}'::audience;
SELECT '{+1}'::audience;
SELECT '{-}'::audience;
SELECT '0:{1}'::audience;
SELECT '7{1}'::audience;
SELECT ':{1}'::audience;
SELECT '{-1}'::audience;
SELECT '{1,-9223372036854775808}'::audience;
SELECT '{9223372036854775808}'::audience;
SELECT '{99999999999999999999999999}'::audience;
SELECT '2147483648:{1}'::audience;
SELECT '{0..9223372036854775807}'::audience;
SELECT '{5,0..9223372036854775806,7}'::audience;
SELECT ('{' || repeat('1,', 1000) || 'x}')::audience;
\set VERBOSITY sqlstate
SELECT '{x}'::audience;
SELECT '{-1}'::audience;
SELECT '{0..9223372036854775807}'::audience;
\set VERBOSITY default

-- Text out is text in, for every kind of container.
CREATE TEMP TABLE sets (name text, a audience);
INSERT INTO sets VALUES ('empty', '{}'), ('one', '{0}'), ('end', '{9223372036854775807}'), ('stamped', '3:{1,2}');
INSERT INTO sets SELECT 'every ' || step, audience_agg(id)
	FROM (VALUES (2), (3), (15), (16), (17), (1000)) v(step), generate_series(0, 200000, step) id GROUP BY step;
INSERT INTO sets SELECT 'range', audience_agg(id) FROM generate_series(60000, 270000) id;
INSERT INTO sets SELECT 'far', audience_agg(id * 4611686018 + id % 7) FROM generate_series(1::bigint, 2000) id;
SELECT name, cardinality(a), a::text::audience = a AS text, a::text::audience::text = a::text AS again,
	from_roaring(to_roaring(a)) = a AS roaring, a::bigint[]::audience = a AS array,
	audience_recv_test.equal AS binary
FROM sets, LATERAL (SELECT substr(audience_send(a), 6) = to_roaring(a) AS equal) audience_recv_test
ORDER BY name COLLATE "C";

-- A dump and its restoring: COPY as text keeps the stamp.
CREATE TEMP TABLE restored (LIKE sets);
\copy sets to '/tmp/crm_audience_copy.txt'
\copy restored from '/tmp/crm_audience_copy.txt'
SELECT count(*), bool_and(s.a = r.a AND s.a::text = r.a::text AND audience_send(s.a) = audience_send(r.a)) AS same
FROM sets s JOIN restored r USING (name);
TRUNCATE restored;
\copy sets to '/tmp/crm_audience_copy.bin' with (format binary)
\copy restored from '/tmp/crm_audience_copy.bin' with (format binary)
SELECT count(*), bool_and(s.a = r.a AND s.a::text = r.a::text) AS same
FROM sets s JOIN restored r USING (name);
\! rm -f /tmp/crm_audience_copy.txt /tmp/crm_audience_copy.bin
SELECT name, population_stamp(a) FROM restored WHERE name IN ('one', 'stamped') ORDER BY name;

-- Bytes that follow from RoaringFormatSpec by hand: no bucket; one array; one run behind 2^32.
SELECT to_roaring('{}'), to_roaring('{1,3}'), to_roaring('{4294967306..4294967315}');

-- Valid bytes in another form than ours are written anew: {10,11} as a run, an empty bucket, an empty run flag.
SELECT from_roaring('\x0100000000000000000000003b300000010000010001000a000100'),
	to_roaring(from_roaring('\x0100000000000000000000003b300000010000010001000a000100')),
	from_roaring('\x0100000000000000050000003a30000000000000'),
	from_roaring('\x0100000000000000000000003b300000000000010001000300');

-- Bytes that are not valid.
\set VERBOSITY terse
SELECT from_roaring('');
SELECT from_roaring('\x00');
SELECT from_roaring('\x000000000000000000');
SELECT from_roaring('\xffffffffffffffff');
SELECT from_roaring('\x010000000000000000000000');
SELECT from_roaring('\x0100000000000000000000003a300000ffffffff');
SELECT from_roaring('\x0100000000000000000000003a30000001000000000001001000000001000100');
SELECT from_roaring('\x0100000000000000000000003a30000001000000000001001000000003000100');
SELECT from_roaring('\x0100000000000000000000003a30000001000000000001000f00000001000300');
SELECT from_roaring('\x0100000000000000000000003a3000000100000000000100100000000100030000');
SELECT from_roaring('\x0100000000000000000000803a30000001000000000001001000000001000300');
SELECT from_roaring('\x0200000000000000000000003a3000000100000000000000100000000000000000003a3000000100000000000000100000000000');
SELECT from_roaring('\x0100000000000000000000003b300000010000010001000a000200');
SELECT from_roaring('\x0100000000000000000000003b300000010000030002000a0001000c000100');
\set VERBOSITY sqlstate
SELECT from_roaring('\x00');
SELECT from_roaring('\x0100000000000000000000803a30000001000000000001001000000001000300');
\set VERBOSITY default

-- Random damage to the bytes: an error or a set that can be used; never a crash.
CREATE FUNCTION pg_temp.try(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	a crm.audience;
BEGIN
	a := crm.from_roaring(bytes);
	IF crm.to_roaring(a::text::crm.audience) <> crm.to_roaring(a) THEN
		RETURN 'wrong';
	END IF;
	RETURN CASE WHEN crm.cardinality(a | '{1..70000}') = crm.or_cardinality(a, '{1..70000}') THEN 'good' ELSE 'wrong' END;
EXCEPTION WHEN invalid_binary_representation OR numeric_value_out_of_range THEN
	RETURN 'refused';
END $$;
SELECT setseed(0.5);
SELECT bool_or(outcome = 'wrong') AS wrong, bool_or(outcome = 'refused') AS refused, bool_or(outcome = 'good') AS good, count(*)
FROM sets, generate_series(1, 400) i,
	LATERAL (SELECT to_roaring(a) AS bytes) b,
	LATERAL (SELECT floor(random() * least(octet_length(bytes), CASE WHEN i % 2 = 0 THEN 60 ELSE 1000000 END))::int AS at) p,
	LATERAL (SELECT pg_temp.try(set_byte(bytes, at, (get_byte(bytes, at) + 1 + i % 255) % 256)) AS outcome) o;
SELECT bool_or(outcome = 'wrong') AS wrong, count(*) FILTER (WHERE outcome = 'good') AS good
FROM sets, generate_series(1, 50) i, LATERAL (SELECT to_roaring(a) AS bytes) b,
	LATERAL (SELECT pg_temp.try(substr(bytes, 1, floor(random() * octet_length(bytes))::int)) AS outcome) o;

-- Arrays.
SELECT '{5,3,3,9}'::bigint[]::audience, '{5,3,3,9}'::int[]::audience, '{}'::int[]::audience, '[5:6]={8,9}'::int[]::audience;
SELECT '{1..3,9223372036854775807}'::audience::bigint[], '{1..3}'::audience::int[], '{}'::audience::int[], audience(ARRAY[2, 1]);
SELECT '{1,NULL}'::bigint[]::audience;
SELECT '{1,-2}'::int[]::audience;
SELECT '{{1,2},{3,4}}'::int[]::audience;
SELECT '{1,2147483648}'::audience::int[];
SELECT '{0..2147483647}'::audience::bigint[];
SELECT '{1,2}'::bigint[] = '{1,2}'::audience;		-- no implicit cast
SELECT '\x00'::bytea::audience;						-- none from bytes
