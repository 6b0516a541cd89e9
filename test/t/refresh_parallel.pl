# refresh_tags with parallel workers gives what one process gives; a refresh that
# is cancelled, or whose server dies, leaves the sets before; and the partial
# states that travel between processes may be of any bytes.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

my $node = PostgreSQL::Test::Cluster->new('refresh');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'auto_explain'
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_timing = off
auto_explain.log_nested_statements = on
max_worker_processes = 8
autovacuum = off
client_min_messages = warning
search_path = 'crm, public'
});
$node->start;
my $server = $node->safe_psql('postgres', "SELECT current_setting('server_version_num')");
my $force = $server >= 160000 ? 'debug_parallel_query' : 'force_parallel_mode';

$node->safe_psql('postgres', q{
	CREATE SCHEMA crm;
	CREATE EXTENSION crm_analytics SCHEMA crm;
	CREATE TABLE plain (id bigint, word text, balance numeric, branch text, born date);
	INSERT INTO plain SELECT n, 'word ' || n, n * 1.5, 'b' || n % 5, date '1950-01-01' + n % 20000 FROM generate_series(1, 30000) n;
	CREATE TABLE parts (LIKE plain) PARTITION BY RANGE (id);
	CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (MINVALUE) TO (20000);
	CREATE TABLE parts_b PARTITION OF parts FOR VALUES FROM (20000) TO (20010);
	CREATE TABLE parts_c PARTITION OF parts FOR VALUES FROM (20010) TO (20020);
	CREATE TABLE parts_d PARTITION OF parts DEFAULT;
	INSERT INTO parts TABLE plain;
	DELETE FROM parts WHERE id BETWEEN 20010 AND 20019;
	CREATE TABLE far AS SELECT id * 4000000007 AS id, word, balance, branch, born FROM plain;
	ANALYZE;
	CREATE FUNCTION make(population text, source regclass, key name, scope name DEFAULT NULL) RETURNS void LANGUAGE sql
		SET search_path = crm, public AS $$
		SELECT crm.create_population(population, source, key, scope);
		SELECT crm.create_tag('rich', 'balance > 20000', population => population);
		SELECT crm.create_tag('function', 'length(word) + id % 7 > 12', population => population);
		SELECT crm.create_tag('band', 'CASE WHEN balance > 40000 THEN ''high'' WHEN balance > 10000 THEN ''mid'' END', population => population);
		SELECT crm.create_tag('digit', '''d'' || id % 13', population => population);
		SELECT crm.create_tag('branch', 'branch', population => population);
	$$;
	-- All that is stored of a population, by names instead of numbers.
	CREATE FUNCTION stored(population text) RETURNS text LANGUAGE sql SET search_path = crm, public AS $$
		SELECT count(*) || ' ' || md5(string_agg(concat_ws('|', d.name, v.value, c.scope, s.chunk, s.members), ';'
			ORDER BY d.name COLLATE "C", v.value COLLATE "C", c.scope COLLATE "C", s.chunk))
		FROM crm.population_definition p JOIN crm.tag_set s USING (population_id) LEFT JOIN crm.tag_definition d USING (tag_id)
		LEFT JOIN crm.tag_value v USING (tag_id, value_no) LEFT JOIN crm.population_scope c ON c.population_id = s.population_id AND c.scope_no = s.scope_no
		WHERE p.name = stored.population $$;
});

my $cheap = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;'
  . ' SET enable_partitionwise_aggregate = on;';
my %ways = (
	serial => 'SET max_parallel_workers_per_gather = 0;',
	parallel => "$cheap SET max_parallel_workers_per_gather = 3;",
	forced => "SET $force = on; SET max_parallel_workers_per_gather = 0;",
	'parallel without batches' => "$cheap SET crm_analytics.batch_rules = off; SET max_parallel_workers_per_gather = 2;",
	'parallel without the leader' => "$cheap SET parallel_leader_participation = off; SET max_parallel_workers_per_gather = 2;");

my $number = 0;
foreach my $source ([ 'plain', 'id', 'NULL' ], [ 'plain', 'id', q{'branch'} ], [ 'plain', 'word', q{'branch'} ],
	[ 'parts', 'id', 'NULL' ], [ 'parts', 'id', q{'branch'} ], [ 'far', 'id', q{'branch'} ])
{
	my ($table, $key, $scope) = @$source;
	my %stored;
	my %rows;

	foreach my $way (sort keys %ways)
	{
		my $population = 'p' . ++$number;
		my $from = -s $node->logfile;

		$node->safe_psql('postgres', "SELECT make('$population', '$table', '$key', $scope)");
		$from = -s $node->logfile;
		$rows{$way} = $node->safe_psql('postgres', "$ways{$way} SELECT * FROM crm.refresh_tags('$population') ORDER BY tag COLLATE \"C\", value COLLATE \"C\"");
		$stored{$way} = $node->safe_psql('postgres', "SELECT stored('$population')");
		my $log = slurp_file($node->logfile, $from);
		my ($plan) = $log =~ /(Query Text: SELECT [^\n]*tag_scan_agg.*?)\n\d{4}-/s;
		ok(defined $plan, "$table by $key, scope $scope, $way: the plan is logged");
		if ($way =~ /^parallel/)
		{
			# (the join with a dictionary is only worth it for more customers than these)
			like($plan, qr/Partial Aggregate/, '... is partial') unless $key eq 'word';
			like($plan, qr/Workers Launched: [1-9]/, '... and workers were launched');
		}
		elsif ($way eq 'serial')
		{
			unlike($plan, qr/Gather/, '... and serial');
		}
	}
	cmp_ok((split / /, $stored{serial})[0], '>', 20, 'sets are stored');
	foreach my $way (sort keys %ways)
	{
		is($rows{$way}, $rows{serial}, "$table by $key, scope $scope, $way: the rows of one process");
		is($stored{$way}, $stored{serial}, '... and its sets, to the byte');
	}
}

# Errors of workers name tag and customer; a customer who stands twice is found across workers.
$node->safe_psql('postgres', q{SELECT make('p', 'plain', 'id', 'branch'); SELECT count(*) FROM crm.refresh_tags('p');
	SELECT crm.create_tag('fails', '1 / (id - 21234) > 0', population => 'p')});
my ($code, $out, $err) = $node->psql('postgres', "$ways{parallel} SELECT * FROM crm.refresh_tags('p')");
like($err, qr/tag "fails" fails for customer "21234": division by zero/, 'a rule that fails in a worker');
$node->safe_psql('postgres', q{SELECT crm.drop_tag('fails', 'p'); CREATE TABLE twice AS TABLE plain;
	INSERT INTO twice SELECT * FROM plain WHERE id IN (17, 42, 29999); SELECT make('twice', 'twice', 'id', 'branch'); SELECT make('twice far', 'far', 'id');
	UPDATE twice SET branch = 'elsewhere' WHERE ctid = (SELECT max(ctid) FROM twice WHERE id = 17)});
foreach my $way (sort keys %ways)
{
	($code, $out, $err) = $node->psql('postgres', "$ways{$way} SELECT * FROM crm.refresh_tags('twice')");
	like($err, qr/customer "17" stands more than once/, "a customer who stands twice, $way");
}

# Cancelled at any moment: the sets before, and the next refresh is as if nothing had been.
my $before = $node->safe_psql('postgres', "SELECT stored('p')");
$node->safe_psql('postgres', 'UPDATE plain SET balance = balance * 2 WHERE id % 3 = 0; DELETE FROM plain WHERE id % 1000 = 7');
my $cancelled = 0;
foreach my $way ('serial', 'parallel')
{
	foreach my $ms (1, 3, 6, 10, 15, 25, 40, 60)
	{
		($code, $out, $err) = $node->psql('postgres', "$ways{$way} SET statement_timeout = $ms; SELECT count(*) FROM crm.refresh_tags('p')");
		if ($code == 0)
		{
			# it was quick enough: undo it by hand
			$node->safe_psql('postgres', "SELECT crm.drop_population('p'); SELECT make('p', 'plain', 'id', 'branch'); SELECT count(*) FROM crm.refresh_tags('p')");
			$before = $node->safe_psql('postgres', "SELECT stored('p')");
			$node->safe_psql('postgres', 'UPDATE plain SET balance = balance + 10000');
			next;
		}
		$cancelled++;
		like($err, qr/canceling statement due to statement timeout/, "cancelled after $ms ms, $way");
		is($node->safe_psql('postgres', "SELECT stored('p')"), $before, '... and the sets are those before');
	}
}
cmp_ok($cancelled, '>', 4, 'refreshes were cancelled');

# A rule that sleeps for one customer holds the refresh up, to be cancelled and killed in the middle.
$node->safe_psql('postgres', q{CREATE FUNCTION slow(id bigint) RETURNS boolean STABLE PARALLEL SAFE LANGUAGE plpgsql AS
	$$ BEGIN IF id = 15000 THEN PERFORM pg_sleep(60); END IF; RETURN true; END $$;
	SELECT crm.create_tag('slow', 'slow(id)', population => 'p')});
sub start_slow
{
	my ($way) = @_;
	my ($o, $e) = ('', '');
	my $handle = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'),
			'-c', "$ways{$way} SELECT count(*) FROM crm.refresh_tags('p')" ], '>', \$o, '2>', \$e);
	$node->poll_query_until('postgres', "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep'") or die 'nobody sleeps';
	return ($handle, \$e);
}
foreach my $way ('serial', 'parallel')
{
	my ($handle, $e) = start_slow($way);
	$node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE '%refresh_tags%' AND backend_type = 'client backend' AND pid <> pg_backend_pid()");
	$handle->finish;
	like($$e, qr/canceling statement due to user request/, "pg_cancel_backend in the middle, $way");
	is($node->safe_psql('postgres', "SELECT stored('p')"), $before, '... and the sets are those before');
}

# A crash of the server in the middle.
{
	my ($handle, $e) = start_slow('parallel');
	$node->stop('immediate');
	$handle->finish;
	$node->start;
	is($node->safe_psql('postgres', "SELECT stored('p')"), $before, 'a crash leaves the sets before');
	$node->safe_psql('postgres', "SELECT crm.drop_tag('slow', 'p')");
	cmp_ok($node->safe_psql('postgres', "SELECT sum(entered + exited) FROM crm.refresh_tags('p')"), '>', 0, '... and a refresh works afterwards');
	is($node->safe_psql('postgres', q{SELECT crm.cardinality(crm.tag('rich', population => 'p')) - (SELECT count(*) FROM plain WHERE balance > 20000)}),
		'0', '... and is right');
	$node->safe_psql('postgres', "SELECT make('again', 'plain', 'id', 'branch'); SELECT count(*) FROM crm.refresh_tags('again')");
	is($node->safe_psql('postgres', "SELECT stored('p')"), $node->safe_psql('postgres', "SELECT stored('again')"), '... as if made anew');
}

# Partial states as text and binary, and of any bytes.  The plan is that of a population without tags.
$node->safe_psql('postgres', q{
	CREATE AGGREGATE partial(bytea, int, bigint, VARIADIC "any") (SFUNC = crm.tag_scan_transfn, STYPE = crm.agg_state);
	CREATE AGGREGATE merged(crm.agg_state) (SFUNC = crm.tag_scan_combinefn, STYPE = crm.agg_state);
	CREATE TABLE state AS SELECT partial(('\x43524d500100' || repeat('00', 28))::bytea, bits, id, branch) AS s, bits FROM (SELECT id, branch FROM plain LIMIT 3000) p, (VALUES (13), (30)) b (bits) GROUP BY bits;
});
is($node->safe_psql('postgres', 'SELECT count(*) FROM state WHERE s::text::crm.agg_state::text = s::text AND crm.agg_state_send(s) IS NOT NULL'), '2', 'a state is the same after a way through text');
is($node->safe_psql('postgres', q{
	CREATE TABLE copied (LIKE state);
	DO $$ BEGIN EXECUTE format('COPY state TO %L (FORMAT binary)', current_setting('data_directory') || '/state.bin');
		EXECUTE format('COPY copied FROM %L (FORMAT binary)', current_setting('data_directory') || '/state.bin'); END $$;
	SELECT count(*) FROM state JOIN copied USING (bits) WHERE state.s::text = copied.s::text}), '2', '... and through the binary form');
is($node->safe_psql('postgres', q{
	DO $$
	DECLARE
		b bytea;
		t bytea;
		taken int := 0;
		refused int := 0;
		n int;
	BEGIN
		PERFORM setseed(0.5);
		FOR b IN SELECT decode(s::text, 'base64') FROM state
		LOOP
			FOR i IN 1 .. 3000
			LOOP
				t := b;
				IF i % 3 = 0 THEN
					t := substr(t, 1, (random() * length(t))::int);
				ELSE
					FOR k IN 0 .. i % 3
					LOOP
						n := CASE WHEN i % 2 = 0 THEN 150 ELSE length(t) END;
						n := least(floor(random() * n)::int, length(t) - 1);
						t := set_byte(t, n, floor(random() * 256)::int);
					END LOOP;
				END IF;
				BEGIN
					-- read, merged with itself, and written again
					PERFORM merged(s)::text FROM (SELECT translate(encode(t, 'base64'), E'\n', '')::crm.agg_state AS s FROM generate_series(1, 2)) two;
					taken := taken + 1;
				EXCEPTION WHEN OTHERS THEN
					IF SQLSTATE = 'XX000' THEN
						RAISE;
					END IF;
					refused := refused + 1;
				END;
			END LOOP;
		END LOOP;
		IF taken + refused <> 6000 OR taken = 0 OR refused < 2500 THEN
			RAISE EXCEPTION '% taken, % refused', taken, refused;
		END IF;
	END $$;
	SELECT 'alive'}), 'alive', 'states of any bytes are refused or read');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|terminated by signal (6|7|11)|TRAP/, 'nothing crashed');
done_testing();
