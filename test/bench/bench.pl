#!/usr/bin/env perl
#
# bench.pl CSV FOLDER JOBFILE ... - runs the jobs of test/bench/jobs, prints ratios and keeps them: single runs in CSV,
# a file of JSON for each job in FOLDER, which results.pl compares.
#
# A job file is SQL cut by lines that begin with "--@ ":
#
#   job NAME: TITLE                  a job; its sections follow
#   figure NAME: TITLE, target X     ours answers a number, which is compared with the target
#   setup [needs EXTENSION]          once, not measured
#   before ours|peer                 before every measured run, not measured
#   ours [, calls N]                 what is measured; N calls are divided by N
#   peer NAME [, target X] [, wall] [, growth] [, needs EXTENSION] [, in duckdb|clickhouse|python]
#   limit X ms                       target for the wall time of one call of ours
#
# A ratio is ours by the peer's, in CPU time of the backend unless the peer says
# "wall".  Every job has a session of its own; ours and the peers run in turn,
# BENCH_RUNS times after a first run that does not count; medians are compared.
# A peer "in" another engine runs over that engine's own storage with two
# threads, and the CPU time is that of its process; one "in python" is a program.  What a job's statement
# answers first as a line "check: ..." must be the same for ours and all peers
# that answer one.
#
# Growth: ours runs at 1, 10 and 100 units too, which are databases of their own with a hundredth, a tenth and all of the
# rows, in turn: a machine that slows down meanwhile does not look like growth.  A peer marked "growth" has the hash table
# that ours stands on, runs at these sizes too, and ours is judged beside it: Growth.pm says how, and why.
#
# Noise of a ratio, or of an exponent: half of what lies between the smallest and the greatest of the single runs.
# A job that fails is reported and does not stop the others.
use strict;
use warnings;

use FindBin;
use lib $FindBin::RealBin;

use Growth;
use IO::Handle;
use IPC::Open2;
use JSON::PP;
use List::Util qw(max min sum);
use POSIX qw(strftime);
use Time::HiRes qw(time);

binmode STDOUT, ':encoding(UTF-8)';
STDOUT->autoflush(1);

my ($csv_name, $folder, @files) = @ARGV;
die "usage: bench.pl CSV FOLDER JOBFILE ...\n" unless @files;

my $json = JSON::PP->new->allow_nonref;
my $runs = $ENV{BENCH_RUNS} || 5;
my $only = $ENV{ONLY} || '';
our %value = (customers => $ENV{BENCH_CUSTOMERS}, events => $ENV{BENCH_EVENTS});
my $clock_ticks = POSIX::sysconf(&POSIX::_SC_CLK_TCK);

#
# Jobs
#
sub read_jobs
{
	my ($file) = @_;
	my (@jobs, $section);

	open my $in, '<:encoding(UTF-8)', $file or die "$file: $!\n";
	while (my $line = <$in>)
	{
		if ($line =~ /^--@ (job|figure) (\w+): (.*?)(?:, target ([\d.]+))?$/)
		{
			push @jobs, { kind => $1, name => $2, title => $3, target => $4, setup => [], peers => [] };
			$section = undef;
		}
		elsif ($line =~ /^--@ limit ([\d.]+) ms$/)
		{
			$jobs[-1]{limit} = $1;
			$section = undef;
		}
		elsif ($line =~ /^--@ before (ours|peer)$/)
		{
			$section = $jobs[-1]{"before_$1"} = { sql => '' };
		}
		elsif ($line =~ /^--@ (setup|ours|peer)\b ?(.*)$/)
		{
			my ($what, $rest) = ($1, $2);
			$section = { sql => '' };
			$section->{engine} = $1 if $rest =~ s/, in (duckdb|clickhouse|python)$//;
			$section->{needs} = $1 if $rest =~ s/(?:, |^)needs (\w+)$//;
			$section->{calls} = $1 if $rest =~ s/^, calls (\d+)$//;
			$section->{wall} = 1 if $rest =~ s/, wall//;
			$section->{growth} = 1 if $rest =~ s/, growth//;
			$section->{target} = $1 if $rest =~ s/, target ([\d.]+)//;
			$section->{name} = $rest;
			if ($what eq 'ours') { $jobs[-1]{ours} = $section; }
			elsif ($what eq 'setup') { push @{ $jobs[-1]{setup} }, $section; }
			else { push @{ $jobs[-1]{peers} }, $section; }
		}
		elsif ($line =~ /^--@/)
		{
			die "$file:$.: cannot read $line";
		}
		elsif ($section)
		{
			$section->{sql} .= $line;
		}
	}
	return @jobs;
}

# "2000000" as "2 M" in titles, as a number in SQL.
sub fill
{
	my ($text) = @_;
	$text =~ s/\{(\w+)\}/$value{$1} \/\/ die "no value for {$1}\n"/ge;
	return $text;
}

sub title
{
	my ($text) = @_;
	$text =~ s/\{(\w+)\}/short($value{$1})/ge;
	return $text;
}

sub short
{
	my ($n) = @_;
	return $n >= 1e6 ? ($n / 1e6) . ' M' : $n >= 1e3 ? ($n / 1e3) . ' k' : $n;
}

#
# A session: one psql, one backend.  $s is the one that statements go to.
#
our $s;
my @sessions;

sub session
{
	my ($database) = @_;
	local $ENV{PGOPTIONS} = '-c max_parallel_workers_per_gather=0 -c client_min_messages=warning -c search_path=public,crm';
	local $ENV{PGDATABASE} = $database // $ENV{PGDATABASE};
	my %new = (marks => 0);
	$new{pid} = open2($new{from}, $new{to}, 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1');
	binmode $new{to}, ':encoding(UTF-8)';
	$new{to}->autoflush(1);
	push @sessions, \%new;
	local $s = \%new;
	($new{backend}) = execute('SELECT pg_backend_pid();') =~ /^(\d+)$/m or die "no backend\n";
	return \%new;
}

sub close_sessions
{
	foreach my $old (@sessions)
	{
		close $old->{to};
		close $old->{from};
		waitpid $old->{pid}, 0;
	}
	@sessions = ();
}

# Runs SQL to its end; dies with psql when there was an error.
sub execute
{
	my ($sql) = @_;
	my $mark = '@@ ' . ++$s->{marks};
	my $answer = '';

	local $SIG{PIPE} = 'IGNORE';
	print { $s->{to} } "$sql\n\\echo '$mark'\n";
	while (my $line = readline $s->{from})
	{
		return $answer if $line eq "$mark\n";
		$answer .= $line;
	}
	die "statement failed\n";
}

# Seconds of CPU time that a process has used: to the nanosecond where the kernel tells.
sub cpu
{
	my ($pid) = @_;
	if (open my $in, '<', "/proc/$pid/schedstat")
	{
		my ($ns) = split ' ', <$in>;
		return $ns / 1e9 if $ns;
	}
	open my $in, '<', "/proc/$pid/stat" or die "/proc/$pid/stat: $!\n";
	my ($rest) = <$in> =~ /\) (.*)/;
	my @field = split ' ', $rest;
	return ($field[11] + $field[12]) / $clock_ticks;
}

# Seconds of CPU time that the whole machine has used.
sub machine_cpu
{
	open my $in, '<', '/proc/stat' or return 0;
	my (undef, $user, $nice, $system, undef, undef, $irq, $softirq) = split ' ', scalar <$in>;
	return ($user + $nice + $system + $irq + $softirq) / $clock_ticks;
}

sub run_unmeasured
{
	my ($section) = @_;
	execute("RESET ALL;\n" . fill($section->{sql})) if $section;
}

#
# Other engines: one process each, started when first asked for
#
my %engine;

sub engine_ask
{
	my ($name, $sql) = @_;
	my $e = $engine{$name};
	my $line;

	if (!$e)
	{
		my $folder = $ENV{BENCH_ENGINES} || '';
		my $python = $ENV{BENCH_PYTHON} || '';
		return undef unless $name eq 'python' ? $python ne '' : $folder ne '' && -d "$folder/node_modules";
		my ($in, $out);
		my $here = $0 =~ s{[^/]*$}{}r;
		chdir $folder or die "$folder: $!\n" if $folder ne '';
		my $pid = open2($out, $in, $name eq 'python' ? ($python, "$here/engine.py") : ('node', "$here/engine.mjs", $name, $folder));
		binmode $in, ':encoding(UTF-8)';
		$in->autoflush(1);
		$engine{$name} = $e = { in => $in, out => $out, pid => $pid };
		$line = <$out>;
		die "engine $name does not start\n" unless defined $line;
		($e->{version}) = $line =~ /"version":"([^"]*)"/;
	}
	return $e unless defined $sql;
	print { $e->{in} } $json->encode($sql), "\n";
	$line = readline $e->{out};
	die "engine $name ended\n" unless defined $line;
	my $answer = $json->decode($line);
	die "$name: $answer->{error}\n" if defined $answer->{error};
	return $answer;
}

# One run: CPU and wall milliseconds.
sub measure
{
	my ($section, $before) = @_;
	if ($section->{engine})
	{
		my $wall = time;
		my $answer = engine_ask($section->{engine}, fill($section->{sql}));
		return { wall => 1000 * (time - $wall), cpu => 1000 * $answer->{cpu}, answer => $answer->{result} };
	}
	my $sql = fill($section->{sql});
	my $calls = $section->{calls} || 1;

	run_unmeasured($before);
	execute('RESET ALL;');
	my ($cpu, $wall) = (cpu($s->{backend}), time);
	my $answer = execute($sql);
	return { wall => 1000 * (time - $wall) / $calls, cpu => 1000 * (cpu($s->{backend}) - $cpu) / $calls, answer => $answer };
}

#
# Results
#
open my $csv, '>:encoding(UTF-8)', $csv_name or die "$csv_name: $!\n";
$csv->autoflush(1);
print $csv "job,what,run,cpu_ms,wall_ms\n";

sub keep
{
	my ($job, $what, $run, $result) = @_;
	$what =~ s/"/""/g;
	printf $csv "%s,\"%s\",%d,%.3f,%.3f\n", $job, $what, $run, $result->{cpu}, $result->{wall};
}

sub milliseconds
{
	my ($ms) = @_;
	return sprintf $ms >= 100 ? '%.0f' : $ms >= 10 ? '%.1f' : '%.2f', $ms;
}

sub row
{
	my $line = sprintf '%-22s %-50s %10s %10s %8s %7s  %s', map { $_ // '' } @_[0 .. 6];
	print $line =~ s/ +$//r, "\n";
}

sub verdict
{
	my ($found, $target) = @_;
	return '' unless defined $target;
	return $found <= $target ? 'met' : sprintf 'missed by %.0f %%', 100 * ($found / $target - 1);
}

my %installed;

sub available
{
	my ($section) = @_;
	return defined engine_ask($section->{engine}) if $section->{engine};
	return !$section->{needs} || $installed{ $section->{needs} };
}

# What stands behind "check: " in an answer, as far as it is numbers and separators.
sub check_of
{
	my ($answer) = @_;
	return defined $answer && $answer =~ /check: ([^"\n]*)/ ? $1 : undef;
}

# Median of the single runs' values and their noise.
sub summary
{
	my ($median, @single) = @_;
	return { value => $median, noise => (max(@single) - min(@single)) / 2 };
}

# Digits that a reader can believe, so that a diff shows what changed.
sub rounded
{
	my ($number, $digits) = @_;
	return 0 + sprintf "%.${digits}g", $number;
}

# The databases with a tenth and a hundredth of the rows, with a session each.
sub smaller_sizes
{
	return () if ($ENV{BENCH_GROWTH} // '') eq 'none';
	return map { { session => session("$ENV{PGDATABASE}_$_"), units => $_ } } 10, 1;
}

sub at_size
{
	my ($size, $do) = @_;
	local $s = $size->{session};
	local %value = (customers => int($value{customers} * $size->{units} / 100), events => int($value{events} * $size->{units} / 100));
	return $do->();
}

sub run_job
{
	my ($job) = @_;
	my @sections = ($job->{ours}, grep { available($_) } @{ $job->{peers} });
	# What workers do is measured by the clock, and has been measured for one process.
	my @smaller = $job->{name} =~ /workers/ ? () : smaller_sizes();
	my $kept = { ours => {}, peers => [] };
	# The peer that shares what grows; ours is section 0.
	my ($growing) = grep { $sections[$_]{growth} } 1 .. $#sections;

	foreach my $setup (grep { available($_) } @{ $job->{setup} })
	{
		run_unmeasured($setup);
		at_size($_, sub { run_unmeasured($setup) }) foreach @smaller;
	}
	my (%results, $check);
	foreach my $run (0 .. $runs)
	{
		foreach my $i (0 .. $#sections)
		{
			my $result = measure($sections[$i], $i == 0 ? $job->{before_ours} : $job->{before_peer});
			next if $run == 0;
			push @{ $results{$i}{$_} }, $result->{$_} foreach qw(cpu wall);
			keep($job->{name}, $i == 0 ? 'ours' : $sections[$i]{name}, $run, $result);
			# Fast and wrong is no comparison.
			my $found = check_of($result->{answer});
			next unless defined $found;
			$check //= $found;
			die sprintf("%s answers \"%s\" where \"%s\" was answered before\n", $i == 0 ? 'ours' : $sections[$i]{name}, $found, $check) if $found ne $check;
		}
		foreach my $size (@smaller)
		{
			foreach my $i (0, $growing // ())
			{
				my $result = at_size($size, sub { measure($sections[$i], $i == 0 ? $job->{before_ours} : $job->{before_peer}) });
				next if $run == 0;
				push @{ $size->{results}{$i}{$_} }, $result->{$_} foreach qw(cpu wall);
				keep($job->{name}, ($i == 0 ? 'ours' : $sections[$i]{name}) . " at $size->{units}", $run, $result);
			}
		}
	}

	my %ours = map { $_ => Growth::median(@{ $results{0}{$_} }) } qw(cpu wall);
	row($job->{name}, title($job->{title}), milliseconds($ours{cpu}), milliseconds($ours{wall}),
		'', defined $job->{limit} ? "$job->{limit} ms" : '', verdict($ours{wall}, $job->{limit}));
	$kept->{ours} = { cpu_ms => rounded($ours{cpu}, 3), wall_ms => rounded($ours{wall}, 3) };
	$kept->{limit_ms} = $job->{limit} + 0 if defined $job->{limit};
	foreach my $i (1 .. $#sections)
	{
		my $peer = $sections[$i];
		my %peer = map { $_ => Growth::median(@{ $results{$i}{$_} }) } qw(cpu wall);
		my $metric = $peer->{wall} ? 'wall' : 'cpu';
		my $ratio = $ours{$metric} / $peer{$metric};
		my $found = summary($ratio, map { $results{0}{$metric}[$_] / $results{$i}{$metric}[$_] } 0 .. $runs - 1);
		row('', '  ' . title($peer->{name}), milliseconds($peer{cpu}), milliseconds($peer{wall}),
			sprintf($ratio >= 0.1 ? '%.2f' : '%.4f', $ratio) . ($peer->{wall} ? ' w' : ''), $peer->{target}, verdict($ratio, $peer->{target}));
		push @{ $kept->{peers} }, {
			name => title($peer->{name}), of => $metric, ratio => rounded($ratio, 3), noise => rounded($found->{noise}, 2),
			cpu_ms => rounded($peer{cpu}, 3), wall_ms => rounded($peer{wall}, 3), (defined $peer->{target} ? (target => $peer->{target} + 0) : ()) };
	}
	if (@smaller)
	{
		my $times = sub { my ($i) = @_; return [ (map { $_->{results}{$i}{cpu} } reverse @smaller), $results{$i}{cpu} ]; };
		my $found = Growth::judge($times->(0), defined $growing ? $times->($growing) : undef);
		my @verdict = ($Growth::target, verdict($found->{own}, $Growth::target));
		$kept->{growth} = {
			exponent => 0 + sprintf('%.2f', $found->{exponent}), own => 0 + sprintf('%.2f', $found->{own}), noise => rounded($found->{noise}, 2),
			target => $Growth::target, cpu_ms => [ map { rounded($_, 3) } @{ $found->{cpu} } ] };
		row('', '  growth: exponent of CPU time', '', '', sprintf('%.2f', $found->{exponent}), defined $growing ? () : @verdict);
		if (defined $growing)
		{
			my $name = title($sections[$growing]{name});
			row('', "    that of $name", '', '', sprintf('%.2f', $found->{beside}{exponent}));
			row('', '    without what the peer\'s is above 1', '', '', sprintf('%.2f', $found->{own}), @verdict);
			$kept->{growth}{beside} = {
				name => $name, exponent => 0 + sprintf('%.2f', $found->{beside}{exponent}), cpu_ms => [ map { rounded($_, 3) } @{ $found->{beside}{cpu} } ] };
		}
		row('', "  at $_->{units} % of the rows", map { milliseconds(Growth::median(@$_)) } @{ $_->{results}{0} }{qw(cpu wall)}) foreach @smaller;
	}
	row('', "  not compared: $_->{name} (no " . ($_->{engine} || $_->{needs}) . ')') foreach grep { !available($_) } @{ $job->{peers} };
	return $kept;
}

sub run_figure
{
	my ($job) = @_;

	run_unmeasured($_) foreach grep { available($_) } @{ $job->{setup} };
	execute('RESET ALL;');
	my ($found) = execute(fill($job->{ours}{sql})) =~ /^([\d.]+)$/m or die "no number\n";
	row($job->{name}, title($job->{title}), '', '', sprintf('%.2f', $found), $job->{target}, verdict($found, $job->{target}));
	return { figure => 0 + sprintf('%.2f', $found), target => $job->{target} + 0 };
}

#
# The machine
#
sub slurp
{
	my ($name) = @_;
	open my $in, '<', $name or return '';
	local $/;
	return <$in>;
}

$s = session();
my $server = execute('SELECT version();');
$installed{$_} = 1 foreach split /\n/, execute('SELECT extname FROM pg_extension;');
my $extensions = execute("SELECT string_agg(extname || ' ' || extversion, ', ' ORDER BY extname) FROM pg_extension WHERE extname <> 'plpgsql';");
my $settings = execute("SELECT string_agg(name || ' = ' || current_setting(name), ', ' ORDER BY name) FROM pg_settings WHERE name IN ('shared_buffers', 'fsync', 'wal_level', 'jit', 'work_mem');");
chomp($server, $extensions, $settings);
my ($model) = slurp('/proc/cpuinfo') =~ /^model name\s*: (.*)$/m;
my $cores = () = slurp('/proc/cpuinfo') =~ /^processor/mg;
my ($memory) = slurp('/proc/meminfo') =~ /^MemTotal:\s+(\d+)/m;
printf "%s\n%s cores of %s, %.0f GiB; load %s\n%s\n%s\n%s\n", strftime('%Y-%m-%d %H:%M', localtime), $cores, $model // 'unknown make', ($memory || 0) / 1048576,
  join(' ', (split ' ', slurp('/proc/loadavg'))[0 .. 2]), $server, $extensions, $settings;
my ($extension) = $extensions =~ /crm_analytics ([\d.]+)/;
my %machine = (cores => $cores, processor => $model // 'unknown make', memory_gib => sprintf('%.0f', ($memory || 0) / 1048576) + 0);
printf "%s customers, %s events; median of %d; ratio: ours by the peer's, of CPU time of the backend (w: of wall time)\n\n",
  short($value{customers}), short($value{events}), $runs;
my @engines = map { $_->{version} } grep { $_ } map { engine_ask($_) } qw(duckdb clickhouse python);
printf "Beside: %s; databases with two threads each\n\n", join ', ', @engines if @engines;
row('job', 'what', 'CPU ms', 'wall ms', 'ratio', 'target', '');

# The job's file in the folder: what was measured, where and when.
sub write_result
{
	my ($job, $kept, $others) = @_;
	my %all = (
		%$kept, job => $job->{name}, title => title($job->{title}), customers => $value{customers} + 0, events => $value{events} + 0, runs => $runs + 0,
		date => strftime('%Y-%m-%d', gmtime), machine => { %machine, other_load => 0 + sprintf('%.1f', max(0, $others)) },
		versions => { server => $server =~ s/ on .*//r, crm_analytics => $extension, beside => \@engines });
	open my $out, '>', "$folder/$job->{name}.json" or die "$folder/$job->{name}.json: $!\n";
	print $out JSON::PP->new->canonical->pretty->utf8->encode(\%all);
	close $out or die "$folder/$job->{name}.json: $!\n";
}

my $failed = 0;
foreach my $file (@files)
{
	foreach my $job (read_jobs($file))
	{
		next if $only ne '' && $job->{name} !~ /^(?:$only)$/;
		eval {
			close_sessions();
			$s = session();
			my ($busy, $wall) = (machine_cpu(), time);
			my $kept = $job->{kind} eq 'figure' ? run_figure($job) : run_job($job);
			# Other work on the machine, so that a reader knows what the times are worth.
			my $others = machine_cpu() - $busy - sum(map { cpu($_->{backend}) } @sessions);
			my $share = $others / (time - $wall);
			row('', sprintf '  (other processes used %.1f cores meanwhile)', $share) if $share > 0.3 && $job->{name} !~ /workers/;
			write_result($job, $kept, $share);
			1;
		} or do
		{
			$failed++;
			chomp(my $why = $@);
			row($job->{name}, title($job->{title}), '', '', '', '', "FAILED: $why");
		};
	}
}
close_sessions();
exit($failed ? 1 : 0);
