# pg_upgrade from each major version of PostgreSQL that is installed here with the
# extension to the next one: the same rows and answers, and the catalogue of a fresh install.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use CatalogueShape;
use Firm;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my @majors = sort { $a <=> $b } map { m{^/usr/lib/postgresql/(\d+)/bin/pg_upgrade$} ? $1 : () } glob('/usr/lib/postgresql/*/bin/pg_upgrade');
@majors = grep { -f "/usr/share/postgresql/$_/extension/crm_analytics.control" && -x "/usr/lib/postgresql/$_/bin/postgres" } @majors;
# CRM_MAJORS="17 18" leaves others out.
@majors = grep { my $major = $_; grep { $_ eq $major } split ' ', $ENV{CRM_MAJORS} } @majors if $ENV{CRM_MAJORS};
plan(skip_all => 'pg_upgrade needs two major versions with the extension installed: test/upgrade.sh makes such a place') if @majors < 2;
diag("versions: @majors");

# The settings by which other tests find the staged build are none of these servers'.
delete $ENV{TEMP_CONFIG};

sub cluster
{
	my ($name, $major) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name, install_path => "/usr/lib/postgresql/$major");
	$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8', $major >= 18 ? '--no-data-checksums' : () ]);
	$node->append_conf('postgresql.conf', "timezone = 'UTC'\n");
	return $node;
}

# How a server writes the names of columns in bodies and views differs once they went through a dump of another version.
sub shape
{
	my ($node, $database) = @_;
	my $lines = CatalogueShape::lines($node, $database);
	$lines =~ s/ AS (\w+|\\?"[^"]*")(?=,|\\n|;| FROM\b)//g;
	return $lines;
}

# Options of columns that the old server gives by itself and the new one does not know: such
# minor versions cannot be upgraded from one to the other, whatever the database holds.
sub unknown_options
{
	my ($old, $new) = @_;
	my @names = split /\n/, $old->safe_psql('firm', q{
		SELECT DISTINCT split_part(o, '=', 1) FROM pg_attribute, unnest(attoptions) o WHERE o NOT LIKE 'n_distinct%'});
	return grep { ($new->psql('postgres', "CREATE TEMP TABLE probe (a int); ALTER TABLE probe ALTER a SET ($_ = 1)"))[0] != 0 } @names;
}

my $old = cluster("v$majors[0]", $majors[0]);
$old->start;
Firm::create_roles($old);
Firm::create($old, 'firm');
Firm::fill($old, 'firm');
my $rows = Firm::rows($old, 'firm');
my $answers = Firm::answers($old, 'firm');
my @failing = grep { $answers->{$_} =~ /^ERROR/ } sort keys %$answers;
is("@failing", '', 'every question has an answer');

for my $i (1 .. $#majors)
{
	my $what = "$majors[$i - 1] to $majors[$i]";
	my $new = cluster("v$majors[$i]", $majors[$i]);
	$new->start;
	my @unknown = unknown_options($old, $new);
	$new->stop;
	$old->stop;
	if (@unknown)
	{
		SKIP: { skip("$what: this minor version does not know the column option \"$unknown[0]\" of the older one", 1) }
		last;
	}
	my ($from, $to) = map { "/usr/lib/postgresql/$_/bin" } @majors[ $i - 1, $i ];

	command_ok([ "$to/pg_upgrade", '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $from, '-B', $to,
			'-s', $new->host, '-p', $old->port, '-P', $new->port, '-U', $new->can('dbuser') ? $new->dbuser : (getpwuid($<))[0] ], "$what: pg_upgrade");
	$new->start;
	# pg_upgrade takes statistics along from 18 on only
	$new->safe_psql('firm', 'ANALYZE');
	Firm::same(Firm::rows($new, 'firm'), $rows, "$what: rows");
	Firm::same(Firm::answers($new, 'firm'), $answers, "$what: answers");
	Firm::create($new, 'fresh');
	is(join("\n", CatalogueShape::differences(shape($new, 'fresh'), shape($new, 'firm'))), '', "$what: the catalogue of a fresh install");
	$new->safe_psql('postgres', 'DROP DATABASE fresh');
	$new->safe_psql('firm', q{UPDATE public.customer SET age = 4 WHERE id = 1200});
	is($new->safe_psql('firm', q{SELECT crm.audience_contains(crm.tag('young', population => 'firm'), 1200)}), 't', "$what: tracking goes on");
	cmp_ok($new->safe_psql('firm', q{SELECT count(*) FROM crm.refresh_tags('firm')}), '>', 5, "$what: it refreshes");
	# The next version starts from what there is now.
	$rows = Firm::rows($new, 'firm');
	$answers = Firm::answers($new, 'firm');
	$old = $new;
}
$old->stop('fast', fail_ok => 1);
done_testing();
