#!/usr/bin/env perl
#
# meta.pl FILE - says what of PGXN's META specification 1.0.0 a META.json breaks, one line
# each; nothing when it holds.  meta.pl --try FILE breaks it in several ways and says which
# of them were not noticed.
use strict;
use warnings;

use File::Basename qw(dirname);
use JSON::PP;

my $version = qr/^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;
my %licenses = map { $_ => 1 } qw(agpl_3 apache_1_1 apache_2_0 artistic_1 artistic_2 bsd freebsd gfdl_1_2 gfdl_1_3 gpl_1 gpl_2 gpl_3 lgpl_2_1 lgpl_3_0
	mit mozilla_1_0 mozilla_1_1 openssl perl_5 postgresql qpl_1_0 ssleay sun zlib open_source restricted unrestricted unknown);
my @found;

sub wrong { push @found, join('', @_) }

sub term { return defined $_[0] && !ref $_[0] && length $_[0] >= 2 && $_[0] !~ m{[\s/\\\p{Cntrl}]} }

sub text { return defined $_[0] && !ref $_[0] && $_[0] =~ /\S/ }

sub version_range
{
	my ($range) = @_;
	return 1 if defined $range && !ref $range && $range eq '0';
	return text($range) && !grep { !/^\s*(<=|<|>=|>|==|!=)?\s*(\S+)\s*$/ || $2 !~ $version } split /,/, $range;
}

sub check
{
	my ($meta, $folder) = @_;
	@found = ();
	my %known = map { $_ => 1 } qw(name version abstract maintainer license meta-spec provides description generated_by tags no_index prereqs release_status resources);

	ref $meta eq 'HASH' or return wrong('it is no object');
	foreach my $key (qw(name version abstract maintainer license meta-spec provides))
	{
		wrong("\"$key\" is missing") unless defined $meta->{$key};
	}
	foreach my $key (keys %$meta)
	{
		wrong("\"$key\" is none of the specification's, and does not begin with x_") unless $known{$key} || $key =~ /^x_/i;
	}
	wrong('"name" is no term') unless term($meta->{name});
	wrong('"version" is no semantic version') unless text($meta->{version}) && $meta->{version} =~ $version;
	foreach my $key (qw(abstract description generated_by))
	{
		wrong("\"$key\" is no text") if exists $meta->{$key} && !text($meta->{$key});
	}
	my @maintainers = ref $meta->{maintainer} eq 'ARRAY' ? @{ $meta->{maintainer} } : $meta->{maintainer};
	wrong('"maintainer" is no text, and no list of texts') if !@maintainers || grep { !text($_) } @maintainers;
	if (ref $meta->{license} eq 'HASH')
	{
		wrong("license \"$_\" has no URL") foreach grep { !text($meta->{license}{$_}) || $meta->{license}{$_} !~ m{^\w+://\S+$} } keys %{ $meta->{license} };
	}
	else
	{
		wrong('"license" is none of the known ones') if grep { !defined || ref || !$licenses{$_} } ref $meta->{license} eq 'ARRAY' ? @{ $meta->{license} } : $meta->{license};
	}
	if (ref $meta->{'meta-spec'} eq 'HASH')
	{
		wrong('"meta-spec" is not 1.0.0') unless ($meta->{'meta-spec'}{version} // '') =~ /^1\.0\.\d+$/;
		wrong('"meta-spec" names another place') unless ($meta->{'meta-spec'}{url} // '') =~ m{^https?://pgxn\.org/meta/spec\.txt$};
	}
	else { wrong('"meta-spec" is no object') }
	if (ref $meta->{provides} eq 'HASH' && %{ $meta->{provides} })
	{
		while (my ($name, $what) = each %{ $meta->{provides} })
		{
			wrong("what it provides, \"$name\", is no term") unless term($name);
			ref $what eq 'HASH' or wrong("\"$name\" is no object") && next;
			wrong("\"$name\" has no semantic version") unless text($what->{version}) && $what->{version} =~ $version;
			wrong("\"$name\" names no file") unless text($what->{file});
			foreach my $key (qw(file docfile))
			{
				wrong("$key of \"$name\" is not there") if defined $what->{$key} && !-f "$folder/$what->{$key}";
			}
			wrong("\"$_\" of \"$name\" is none of the specification's") foreach grep { !/^(abstract|file|docfile|version|x_.*)$/i } keys %$what;
		}
	}
	else { wrong('"provides" is no object, or empty') }
	if (exists $meta->{tags})
	{
		wrong('"tags" is no list of tags') if ref $meta->{tags} ne 'ARRAY' || grep { !text($_) || length > 256 || m{[/\\\p{Cntrl}]} } @{ $meta->{tags} };
	}
	wrong('"release_status" is none of stable, testing, unstable') if exists $meta->{release_status} && ($meta->{release_status} // '') !~ /^(stable|testing|unstable)$/;
	if (exists $meta->{prereqs})
	{
		ref $meta->{prereqs} eq 'HASH' or wrong('"prereqs" is no object');
		foreach my $phase (ref $meta->{prereqs} eq 'HASH' ? keys %{ $meta->{prereqs} } : ())
		{
			wrong("\"$phase\" is no phase") unless $phase =~ /^(configure|build|test|runtime|develop|x_.*)$/i;
			my $relations = $meta->{prereqs}{$phase};
			ref $relations eq 'HASH' or wrong("\"$phase\" is no object") && next;
			foreach my $relation (keys %$relations)
			{
				wrong("\"$relation\" is no relation") unless $relation =~ /^(requires|recommends|suggests|conflicts|x_.*)$/i;
				ref $relations->{$relation} eq 'HASH' or wrong("\"$relation\" is no object") && next;
				wrong("\"$_\" has no range of versions") foreach grep { !version_range($relations->{$relation}{$_}) } keys %{ $relations->{$relation} };
			}
		}
	}
	if (exists $meta->{resources})
	{
		ref $meta->{resources} eq 'HASH' or wrong('"resources" is no object');
		wrong("\"$_\" is no resource") foreach ref $meta->{resources} eq 'HASH' ? grep { !/^(homepage|bugtracker|repository|x_.*)$/i } keys %{ $meta->{resources} } : ();
	}
}

my $try = @ARGV && $ARGV[0] eq '--try' && shift @ARGV;
my $path = shift @ARGV or die "meta.pl [--try] FILE\n";
my $text = do { local $/; open(my $file, '<', $path) or die "$path: $!\n"; <$file> };
my $folder = dirname($path);

if (!$try)
{
	my $meta = eval { decode_json($text) };
	$@ ? print "it is no JSON: $@" : check($meta, $folder);
	print "$_\n" foreach @found;
	exit(@found || $@ ? 1 : 0);
}

my %broken = (
	'no abstract' => sub { delete $_[0]{abstract} },
	'no provides' => sub { $_[0]{provides} = {} },
	'a version of two parts' => sub { $_[0]{version} = '1.0' },
	'a version with a leading zero' => sub { $_[0]{provides}{crm_analytics}{version} = '1.00.0' },
	'a license of nobody' => sub { $_[0]{license} = 'ours' },
	'a name with a space' => sub { $_[0]{name} = 'crm analytics' },
	'a file that is not there' => sub { $_[0]{provides}{crm_analytics}{file} = 'nothing.sql' },
	'a status of its own' => sub { $_[0]{release_status} = 'alpha' },
	'a tag with a slash' => sub { push @{ $_[0]{tags} }, 'a/b' },
	'no range of versions' => sub { $_[0]{prereqs}{runtime}{requires}{PostgreSQL} = 'fifteen' },
	'a phase of its own' => sub { $_[0]{prereqs}{later} = {} },
	'a key of its own' => sub { $_[0]{colour} = 'blue' },
	'another specification' => sub { $_[0]{'meta-spec'}{version} = '2.0.0' },
	'an empty maintainer' => sub { $_[0]{maintainer} = ' ' });
foreach my $what (sort keys %broken)
{
	my $meta = decode_json($text);
	$broken{$what}->($meta);
	check($meta, $folder);
	print "not noticed: $what\n" unless @found;
}
