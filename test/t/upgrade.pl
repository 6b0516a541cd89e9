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

my $old = cluster("v$majors[0]", $majors[0]);
$old->start;
Firm::create_roles($old);
Firm::create($old, 'firm');
Firm::fill($old, 'firm');
my $rows = Firm::rows($old, 'firm');
my $answers = Firm::answers($old, 'firm');
my @failing = grep { $answers->{$_} =~ /^ERROR/ } sort keys %$answers;
is("@failing", '', 'every question has an answer');
$old->stop;

for my $i (1 .. $#majors)
{
	my $what = "$majors[$i - 1] to $majors[$i]";
	my $new = cluster("v$majors[$i]", $majors[$i]);
	my ($from, $to) = map { "/usr/lib/postgresql/$_/bin" } @majors[ $i - 1, $i ];

	command_ok([ "$to/pg_upgrade", '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir, '-b', $from, '-B', $to,
			'-s', $new->host, '-p', $old->port, '-P', $new->port, '-U', $new->can('dbuser') ? $new->dbuser : (getpwuid($<))[0] ], "$what: pg_upgrade");
	$new->start;
	# pg_upgrade takes statistics along from 18 on only
	$new->safe_psql('firm', 'ANALYZE');
	Firm::same(Firm::rows($new, 'firm'), $rows, "$what: rows");
	Firm::same(Firm::answers($new, 'firm'), $answers, "$what: answers");
	Firm::create($new, 'fresh');
	is(join("\n", CatalogueShape::differences(CatalogueShape::lines($new, 'fresh'), CatalogueShape::lines($new, 'firm'))), '', "$what: the catalogue of a fresh install");
	$new->safe_psql('postgres', 'DROP DATABASE fresh');
	$new->safe_psql('firm', q{UPDATE public.customer SET age = 4 WHERE id = 1200});
	is($new->safe_psql('firm', q{SELECT crm.audience_contains(crm.tag('young', population => 'firm'), 1200)}), 't', "$what: tracking goes on");
	cmp_ok($new->safe_psql('firm', q{SELECT count(*) FROM crm.refresh_tags('firm')}), '>', 5, "$what: it refreshes");
	# The next version starts from what there is now.
	$rows = Firm::rows($new, 'firm');
	$answers = Firm::answers($new, 'firm');
	$new->stop;
	$old = $new;
}
done_testing();
