# Updating from released versions: what is there stays, and the catalogue becomes that of
# a fresh install, object by object and column by column.
#
# Released versions lie in t/upgrade (src/upgrade).  A made-up next version of the present
# script tests the way itself, and that a step which forgets something is found.
use strict;
use warnings;

use FindBin;
use lib "$FindBin::RealBin/lib";

use CatalogueShape;
use Firm;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# Where the server finds the extension's scripts: the staged copy that belongs to this run.
my $settings = slurp_file($ENV{TEMP_CONFIG});
chomp(my $share = `pg_config --sharedir`);
my ($folder) = $settings =~ /^extension_destdir = '(.*)'/m ? "$1$share/extension" : $settings =~ /^extension_control_path = '([^:']*):/m ? "$1/extension" : ();
die "no folder of the extension in the settings" unless defined $folder && -d $folder;
my ($current) = slurp_file("$folder/crm_analytics.control") =~ /^default_version = '(.*)'/m;

my $node = PostgreSQL::Test::Cluster->new('update');
$node->init(extra => [ '--encoding=UTF8', '--locale=C.UTF-8' ]);
$node->append_conf('postgresql.conf', "timezone = 'UTC'\n");
$node->start;
Firm::create_roles($node);

my @written;

sub script
{
	my ($name, $text) = @_;
	push @written, "$folder/$name";
	open(my $file, '>', "$folder/$name") or die "$folder/$name: $!";
	print $file $text;
	close $file;
}

# Lines of the catalogue without the version's own.
sub shape
{
	my ($database) = @_;
	return join("\n", grep { !/^extension: extversion/ } split /\n/, CatalogueShape::lines($node, $database));
}

sub update
{
	my ($database, $version) = @_;
	$node->safe_psql($database, "ALTER EXTENSION crm_analytics UPDATE TO '$version'");
}

# ---- released versions ------------------------------------------------------------

my @released = map { m{/crm_analytics--([^/]*)\.sql$} ? $1 : () } glob("$FindBin::RealBin/upgrade/crm_analytics--*.sql");
@released = grep { !/--/ && $_ ne $current } @released;
if (@released)
{
	Firm::create($node, 'fresh_now', "VERSION '$current'");
	my $fresh = shape('fresh_now');
	foreach my $version (@released)
	{
		my $frozen = "$FindBin::RealBin/upgrade/$version";
		(my $database = "from_$version") =~ s/\W/_/g;
		script("crm_analytics--$version.sql", slurp_file("$FindBin::RealBin/upgrade/crm_analytics--$version.sql"));
		Firm::create($node, $database, "VERSION '$version'");
		Firm::fill($node, $database, "$frozen.scenario.sql");
		my $before = Firm::answers($node, $database, "$frozen.answers.sql");
		update($database, $current);
		is(join("\n", CatalogueShape::differences($fresh, shape($database))), '', "$version: updated is as fresh");
		Firm::same(Firm::answers($node, $database, "$frozen.answers.sql"), $before, "$version: answers after the update");
	}
}

# ---- the way itself, by a next version that is made up -------------------------------

# What the next version's own script says where this one says something else: each is
# found once, so that a change of the script is noticed here.
my $script = slurp_file("$folder/crm_analytics--$current.sql");
my $next = $script;

sub instead
{
	my ($old, $new) = @_;
	my $found = () = $next =~ /\Q$old\E/g;
	die "\"$old\" is $found times in the script" unless $found == 1;
	$next =~ s/\Q$old\E/$new/;
}
instead("	chunks_written	bigint NOT NULL\n", "	chunks_written	bigint NOT NULL,\n	remark			text CHECK (remark <> '')\n");
instead("name of the segment of three scores in an own map'", "name of the segment of three scores in a map of one''s own'");
instead('rfm_segment_gaps(map text, bins int DEFAULT 5)', 'rfm_segment_gaps(map text, bins int DEFAULT 6)');
$next .= q{
CREATE SEQUENCE @extschema@.next_thing_number_seq;
CREATE TABLE @extschema@.next_thing (
	number	bigint PRIMARY KEY DEFAULT pg_catalog.nextval('@extschema@.next_thing_number_seq'::pg_catalog.regclass),
	name	text NOT NULL COLLATE "C"
);
ALTER SEQUENCE @extschema@.next_thing_number_seq OWNED BY @extschema@.next_thing.number;
CREATE INDEX next_thing_by_name ON @extschema@.next_thing (name);
COMMENT ON TABLE @extschema@.next_thing IS 'things of the next version';
ALTER TABLE @extschema@.next_thing ENABLE ROW LEVEL SECURITY;
CREATE POLICY next_thing_visible ON @extschema@.next_thing FOR SELECT USING (name <> 'secret');
GRANT SELECT ON @extschema@.next_thing TO PUBLIC;
SELECT pg_catalog.pg_extension_config_dump('@extschema@.next_thing_number_seq', '');
SELECT pg_catalog.pg_extension_config_dump('@extschema@.next_thing', 'WHERE number > 10');
ALTER TABLE @extschema@.next_thing OWNER TO @extowner@;
CREATE FUNCTION @extschema@.next_count(lowest bigint DEFAULT 0) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE COST 100
	RETURN (SELECT count(*) FROM @extschema@.next_thing WHERE number >= lowest);
COMMENT ON FUNCTION @extschema@.next_count(bigint) IS 'how many things there are';
CREATE VIEW @extschema@.next_things WITH (security_invoker = true) AS SELECT number, name FROM @extschema@.next_thing;
};
script('crm_analytics--999.0.sql', $next);

# The step to it: a list of statements, each of which is forgotten once below, with what is missing then.
my @step = (
	[ q{ALTER TABLE @extschema@.refresh_history ADD COLUMN remark text CHECK (remark <> '');}, qr/^- table crm\.refresh_history column remark: /m ],
	[ q{COMMENT ON FUNCTION @extschema@.rfm_segment(int, int, int, text) IS 'name of the segment of three scores in a map of one''s own';},
		qr/^- function crm\.rfm_segment\(integer,integer,integer,(pg_catalog\.)?text\): comment = /m ],
	[ q{CREATE OR REPLACE FUNCTION @extschema@.rfm_segment_gaps(map text, bins int DEFAULT 6) RETURNS TABLE (recency int, frequency int, monetary int)
	LANGUAGE SQL STABLE STRICT PARALLEL SAFE COST 250 ROWS 10
	BEGIN ATOMIC
		SELECT r, f, m
		FROM generate_series(1, bins) AS r, generate_series(1, bins) AS f, generate_series(1, bins) AS m
		WHERE @extschema@.rfm_segment(r, f, m, map) IS NULL
		ORDER BY r, f, m;
	END;}, qr/^- function crm\.rfm_segment_gaps\((pg_catalog\.)?text,integer\): arguments = "map text, bins integer DEFAULT 6/m ],
	[ q{CREATE SEQUENCE @extschema@.next_thing_number_seq;
CREATE TABLE @extschema@.next_thing (
	number	bigint PRIMARY KEY DEFAULT pg_catalog.nextval('@extschema@.next_thing_number_seq'::pg_catalog.regclass),
	name	text NOT NULL COLLATE "C"
);}, undef ],
	[ q{ALTER SEQUENCE @extschema@.next_thing_number_seq OWNED BY @extschema@.next_thing.number;}, qr/^- sequence crm\.next_thing_number_seq: owned by = /m ],
	[ q{CREATE INDEX next_thing_by_name ON @extschema@.next_thing (name);}, qr/^- index crm\.next_thing_by_name: index = /m ],
	[ q{COMMENT ON TABLE @extschema@.next_thing IS 'things of the next version';}, qr/^- table crm\.next_thing: comment = /m ],
	[ q{ALTER TABLE @extschema@.next_thing ENABLE ROW LEVEL SECURITY;}, qr/^- table crm\.next_thing: row security = true/m ],
	[ q{CREATE POLICY next_thing_visible ON @extschema@.next_thing FOR SELECT USING (name <> 'secret');}, qr/^- policy next_thing_visible on crm\.next_thing: using = /m ],
	[ q{GRANT SELECT ON @extschema@.next_thing TO PUBLIC;}, qr/^- table crm\.next_thing: rights = /m ],
	[ q{SELECT pg_catalog.pg_extension_config_dump('@extschema@.next_thing_number_seq', '');}, qr/^- extension: dumps crm\.next_thing_number_seq = /m ],
	[ q{SELECT pg_catalog.pg_extension_config_dump('@extschema@.next_thing', 'WHERE number > 10');}, qr/^- extension: dumps crm\.next_thing = "WHERE number > 10"/m ],
	[ q{ALTER TABLE @extschema@.next_thing OWNER TO @extowner@;}, qr/^- table crm\.next_thing: owner = "owner"/m ],
	[ q{CREATE FUNCTION @extschema@.next_count(lowest bigint DEFAULT 0) RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE COST 100
	RETURN (SELECT count(*) FROM @extschema@.next_thing WHERE number >= lowest);
COMMENT ON FUNCTION @extschema@.next_count(bigint) IS 'how many things there are';}, qr/^- function crm\.next_count\(bigint\): comment = /m ],
	[ q{CREATE VIEW @extschema@.next_things WITH (security_invoker = true) AS SELECT number, name FROM @extschema@.next_thing;}, qr/^- view crm\.next_things: options = /m ]);
script("crm_analytics--$current--999.0.sql", join("\n", map { $_->[0] } @step));

# As the owner of a database, no superuser: whose tables they are shows.
$node->safe_psql('postgres', 'CREATE ROLE owner LOGIN');

sub owned
{
	my ($database, @statements) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $database TEMPLATE template0 OWNER owner");
	$node->safe_psql($database, $_, extra_params => [ '-U', 'owner' ]) foreach 'CREATE SCHEMA crm', @statements;
}

owned('fresh', "CREATE EXTENSION crm_analytics SCHEMA crm VERSION '999.0'");
my $fresh = shape('fresh');
owned('updated', "CREATE EXTENSION crm_analytics SCHEMA crm VERSION '$current'", "ALTER EXTENSION crm_analytics UPDATE TO '999.0'");
is(join("\n", CatalogueShape::differences($fresh, shape('updated'))), '', 'an update gives what a fresh install gives');
is($node->safe_psql('updated', q{SELECT extversion FROM pg_extension WHERE extname = 'crm_analytics'}), '999.0', 'and says so');
cmp_ok(scalar(split /\n/, $fresh), '>', 10000, 'the comparison looks at much');

my $forgetting = 0;
foreach my $forgotten (grep { defined $step[$_]->[1] } 0 .. $#step)
{
	$forgetting++;
	script("crm_analytics--$current--999.0.$forgetting.sql", join("\n", map { $step[$_]->[0] } grep { $_ != $forgotten } 0 .. $#step));
	owned("forgetting_$forgetting", "CREATE EXTENSION crm_analytics SCHEMA crm VERSION '$current'", "ALTER EXTENSION crm_analytics UPDATE TO '999.0.$forgetting'");
	my $differences = join("\n", CatalogueShape::differences($fresh, shape("forgetting_$forgetting")));
	like($differences, $step[$forgotten]->[1], 'noticed: forgotten ' . ($step[$forgotten]->[0] =~ /^(.{1,60})/)[0]);
	$node->safe_psql('postgres', "DROP DATABASE forgetting_$forgetting");
}

# In use: what was there before is there afterwards, answers and rows, and is dumped with what came.
Firm::create($node, 'used', "VERSION '$current'");
Firm::fill($node, 'used');
my $answers = Firm::answers($node, 'used');
my $rows = Firm::rows($node, 'used');
update('used', '999.0');
Firm::same(Firm::answers($node, 'used'), $answers, 'answers after an update');
my $after = Firm::rows($node, 'used');
delete $after->{'crm.next_thing'};
$_->{sequences} =~ s/^next_thing_number_seq\|.*\n?//m foreach $after;
# a column of the next version stands at the end of its table's rows
$after->{'crm.refresh_history'} =~ s/,\)$/)/mg;
Firm::same($after, $rows, 'rows after an update');

unlink @written;
$node->stop;
done_testing();
