# Damaged values come in by every door that SQL has: text, binary COPY, from_roaring.
# Valid values of each type, and the state of each aggregate, are changed byte by
# byte (test/t/lib/mutation.sql); what is taken is used by whatever takes such a
# value.  Nothing may crash, run for seconds, or end as an internal error.
#
# CRM_MUTANTS says how many (nightly: ten thousand, others each night), CRM_SEED
# which; make check tries the same ones each time.
use strict;
use warnings;

use File::Basename qw(dirname);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $mutants = $ENV{CRM_MUTANTS} || 600;
my $seed = $ENV{CRM_SEED} || ($ENV{CRM_MUTANTS} ? 1 + time % 1_000_000 * 1_000_000 : 20261101);
diag("CRM_SEED=$seed");

my $node = PostgreSQL::Test::Cluster->new('mutation');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
my $folder = PostgreSQL::Test::Utils::tempdir();
# No restart: a crash is a failure, and the end.  Errors are what is expected, and many.
$node->append_conf('postgresql.conf', qq{
restart_after_crash = off
log_min_error_statement = panic
log_min_messages = fatal
jit = off
fsync = off
client_min_messages = error
search_path = 'mutation, crm, public'
mutation.folder = '$folder'
});
$node->start;
$node->safe_psql('postgres', 'CREATE SCHEMA crm; CREATE EXTENSION crm_analytics SCHEMA crm');
PostgreSQL::Test::Utils::run_log(
	[ 'psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-f', dirname(__FILE__) . '/lib/mutation.sql' ])
	or die "no valid values to begin with\n";
# whatever has a binary form of its own is among the samples
is($node->safe_psql('postgres', q{
		SELECT string_agg(t.oid::regtype::text, ', ') FROM pg_catalog.pg_type t
		WHERE t.typnamespace = 'crm'::regnamespace AND t.typtype = 'b' AND t.typcategory <> 'A' AND t.typreceive <> 0 AND t.oid NOT IN (SELECT type FROM mutation.sample)}),
	'', 'every type is tried');
is($node->safe_psql('postgres', q{
		SELECT string_agg(a.aggfnoid::regprocedure::text, ', ') FROM pg_catalog.pg_aggregate a JOIN pg_catalog.pg_proc p ON p.oid = a.aggfnoid
		WHERE p.pronamespace = 'crm'::regnamespace AND p.proname !~ '^tag_scan' AND a.aggtranstype = 'crm.agg_state'::regtype
			AND a.aggfnoid NOT IN (SELECT aggregate FROM mutation.sample WHERE aggregate IS NOT NULL)}),
	'', 'the state of every aggregate is tried');

# In parts: a session that has had a thousand sorts of values is ended like any other.
my $done = 0;
while ($done < $mutants)
{
	my $part = $mutants - $done < 1000 ? $mutants - $done : 1000;
	my ($status, $out, $err) = $node->psql('postgres', 'CALL mutation.run(' . ($seed + $done) . ", $part, 6)", timeout => 800);
	if ($status != 0)
	{
		fail("mutants $done to " . ($done + $part) . " of seed $seed: $err");
		last;
	}
	$done += $part;
}
is($done, $mutants, "all mutants are tried");
is($node->safe_psql('postgres', "SELECT n || ': ' || trouble FROM mutation.tried WHERE trouble IS NOT NULL ORDER BY n"), '', 'each is refused, or good for every use');
# A test that is refused at the door each time tests nothing.
my $taken = $node->safe_psql('postgres', 'SELECT count(*) FROM mutation.tried WHERE accepted');
cmp_ok($taken, '>', $mutants / 10, "many are taken: $taken of $mutants");

# What the catalogue keeps of models in JSON, a tenth as many.
my $stored = int($mutants / 10);
my ($status, $out, $err) = $node->psql('postgres', "CALL mutation.run_stored($seed, $stored)", timeout => 800);
is($status, 0, "$stored mutants of stored models are tried") or diag($err);
is($node->safe_psql('postgres', "SELECT n || ': ' || trouble FROM mutation.tried_stored WHERE trouble IS NOT NULL ORDER BY n"), '', 'each is refused, or good for every use');
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM mutation.tried_stored WHERE accepted'), '>', $stored / 10, 'many are taken');

# Every kind of model there is, for its text form is read by the binding.
is($node->safe_psql('postgres', q{
		SELECT string_agg(kind, ', ') FROM unnest('{linear,logistic,naive_bayes,scorecard,boosted_trees,bg_nbd,mbg_nbd,pareto_nbd,gamma_gamma,cox,k_means,k_prototypes,isolation_forest,item_item,als,popularity}'::text[]) kind
		WHERE kind NOT IN (SELECT convert_from(value, 'UTF8')::jsonb ->> 'kind' FROM mutation.sample WHERE type = 'model'::regtype AND door = 'text')}),
	'', 'every kind of model is tried');

unlike(slurp_file($node->logfile), qr/PANIC|TRAP|terminated by signal|runtime error/, 'no crash');

$node->stop;
done_testing();
