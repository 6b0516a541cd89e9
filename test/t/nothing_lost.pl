# What the catalogue holds comes back from a dump, into a fresh cluster and into a schema
# of another owner's, and is read on a streaming replica.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use CatalogueShape;
use Firm;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @locale = ('--encoding=UTF8', '--locale=C.UTF-8');
my $node = PostgreSQL::Test::Cluster->new('firm');
$node->init(allows_streaming => 1, extra => \@locale);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\n");
$node->start;
Firm::create_roles($node);
Firm::create($node, 'firm');
Firm::fill($node, 'firm');

my $rows = Firm::rows($node, 'firm');
my $answers = Firm::answers($node, 'firm');

# Otherwise a table that is not dumped would pass for one that is.
my @empty = grep { $rows->{$_} eq '' } sort keys %$rows;
is("@empty", '', 'the scenario leaves rows in every table of the catalogue');
my @failing = grep { $answers->{$_} =~ /^ERROR/ || $answers->{$_} eq '' } sort keys %$answers;
is("@failing", '', 'and every question has an answer');
# Tables without dumped rows are none of the catalogue's.
is($node->safe_psql('firm', q{
		SELECT string_agg(c.oid::regclass::text, ', ') FROM pg_depend d JOIN pg_extension e ON d.refobjid = e.oid AND d.deptype = 'e'
		JOIN pg_class c ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
		WHERE e.extname = 'crm_analytics' AND c.relkind IN ('r', 'S') AND c.oid <> ALL (e.extconfig)}), '', 'every table and sequence is dumped');

# Into a cluster of its own, in each form of a dump.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init(extra => \@locale);
$other->append_conf('postgresql.conf', "timezone = 'UTC'\n");
$other->start;
my $folder = PostgreSQL::Test::Utils::tempdir();
command_ok([ 'pg_dumpall', '-h', $node->host, '-p', $node->port, '--roles-only', '-f', "$folder/roles.sql" ], 'roles are dumped');
$other->psql('postgres', PostgreSQL::Test::Utils::slurp_file("$folder/roles.sql"));

command_ok([ 'pg_dump', '-d', $node->connstr('firm'), '-Fc', '-f', "$folder/firm.dump" ], 'dumped, custom');
$other->safe_psql('postgres', 'CREATE DATABASE custom TEMPLATE template0; CREATE DATABASE plain TEMPLATE template0');
# Jobs side by side do not keep the order of an extension's tables, which foreign keys join.
command_ok([ 'pg_restore', '-h', $other->host, '-p', $other->port, '-d', 'custom', '--exit-on-error', '-j', '4', "$folder/firm.dump" ], 'restored, four jobs');
command_ok([ 'pg_dump', '-d', $node->connstr('firm'), '-f', "$folder/firm.sql" ], 'dumped, plain');
command_ok([ 'psql', '-X', '-q', '-o', '/dev/null', '-v', 'ON_ERROR_STOP=1', '-d', $other->connstr('plain'), '-f', "$folder/firm.sql" ], 'restored, psql');

my $shape = CatalogueShape::lines($node, 'firm');
foreach my $database (qw(custom plain))
{
	is(join("\n", CatalogueShape::differences($shape, CatalogueShape::lines($other, $database))), '', "$database: the same objects, column by column");
	Firm::same(Firm::rows($other, $database), $rows, "$database rows");
	Firm::same(Firm::answers($other, $database), $answers, "$database answers");
}

# It goes on where it was: new names get new numbers, writers are logged, a refresh finds nothing else.
foreach my $database (qw(custom plain))
{
	my $twice = $other->safe_psql($database, q{
		SET search_path = crm, public;
		SELECT string_agg(tag || coalesce('=' || value, '') || members, ' ' ORDER BY tag, value) FROM segment_size;
		SELECT count(*) FROM refresh_tags('firm');
		SELECT string_agg(tag || coalesce('=' || value, '') || members, ' ' ORDER BY tag, value) FROM segment_size});
	my @lines = split /\n/, $twice;
	# the log held changes that readers count in already
	is($lines[2], (split /\n/, $node->safe_psql('firm', q{
		BEGIN; SELECT count(*) FROM crm.refresh_tags('firm');
		SELECT string_agg(tag || coalesce('=' || value, '') || members, ' ' ORDER BY tag, value) FROM crm.segment_size; ROLLBACK}))[1],
		"$database: a refresh finds there what it finds here");
	$other->safe_psql($database, q{UPDATE public.customer SET age = 4 WHERE id = 1200});
	is($other->safe_psql($database, q{SELECT crm.audience_contains(crm.tag('young', population => 'firm'), 1200)}), 't', "$database: tracking goes on");
	is($other->safe_psql($database, q{
		SELECT FROM crm.create_tag('new', 'age > 50', population => 'firm');
		SELECT tag_id = (SELECT max(tag_id) FROM crm.tag_definition) FROM crm.tag_definition WHERE name = 'new'}), 't', "$database: numbers go on");
}
$other->stop;

# A replica answers what only reads.
$node->backup('base');
my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init_from_backup($node, 'base', has_streaming => 1);
$replica->start;
$node->wait_for_catchup($replica, 'replay', $node->lsn('write'));
is($replica->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'the replica is one');
Firm::same(Firm::answers($replica, 'firm'), $answers, 'replica');
foreach my $query (
	q{SELECT count(*) FROM crm.explain_tag(5, 'orders', 'firm')},
	q{SELECT count(*) FROM crm.profile(5, 'firm')},
	q{SELECT crm.cardinality(crm.segment('young & !orders', population => 'firm'))},
	q{SELECT crm.event_count(crm.timeline_of(5, 'firm'))},
	q{SELECT crm.next_change(5, 'adult', 'firm') > now()},
	q{SELECT crm.cardinality(crm.evaluate_tag('young', population => 'firm'))},
	q{SELECT count(*) FROM crm.explain('spender', (SELECT c FROM (SELECT age, level, city FROM public.customer WHERE id = 5) c))},
	q{SELECT count(*) FROM crm.evaluate('spender', 'SELECT age, level, city, spent > 70 AS yes FROM public.customer', 'yes')},
	q{SELECT count(*) FROM crm.timelines('SELECT customer, at, what FROM public.event')},
	q{SELECT count(*) FROM crm.segment_profile('youth', population => 'firm')})
{
	is($replica->safe_psql('firm', $query), $node->safe_psql('firm', $query), "replica: $query");
}
# What is written to the primary is seen there, tracked changes included; what writes is refused as PostgreSQL does.
$node->safe_psql('firm', 'UPDATE public.customer SET age = 5 WHERE id = 1300');
$node->wait_for_catchup($replica, 'replay', $node->lsn('write'));
is($replica->safe_psql('firm', q{SELECT crm.audience_contains(crm.tag('young', population => 'firm'), 1300)}), 't', 'replica: a tracked change is seen');
foreach my $statement (q{SELECT * FROM crm.refresh_tags('firm')}, q{SELECT * FROM crm.fold_tags('firm')}, q{SELECT crm.create_tag('x', 'age > 1', population => 'firm')},
	q{SELECT * FROM crm.refresh_timelines('firm')}, q{SELECT crm.train('spender', 'logistic', 'SELECT age, spent > 70 AS yes FROM public.customer', 'yes')})
{
	my (undef, undef, $err) = $replica->psql('firm', "\\set VERBOSITY verbose\n$statement");
	like($err, qr/ERROR:  25006: /, "replica: refused: $statement");
}
# A long log is folded by readers elsewhere: here they go without.
is($replica->safe_psql('firm', q{SET crm_analytics.fold_after = 1; SELECT crm.audience_contains(crm.tag('young', population => 'firm'), 1300)}), 't',
	'replica: a long log is no error');
# Promoted, it goes on.
$replica->promote;
is($replica->safe_psql('firm', q{SELECT count(*) > 0 FROM crm.refresh_tags('firm')}), 't', 'promoted, it refreshes');

$replica->stop;
$node->stop;
done_testing();
