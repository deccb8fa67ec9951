# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What the parts of the benchmark share: tools of ours and of others, started in turn on two load
# processes, of which one is the target; the least time of a step in each; lines of results.
package Bench;
use strict;
use warnings;
use Exporter qw(import);
use File::Basename qw(dirname);
use POSIX ();

our @EXPORT = qw($BIN $PID added await_calm bench_enter bench_main bpftrace fault finish in_tracefs
	installed keep_least nanoseconds nap ours part read_until report_faults
	rounds says_attached start start_time start_with their_syscount verdict which within);

my $SECONDS = $ENV{BENCH_SECONDS} || 60;
my $ROUNDS_MIN = 5;
my $CHUNKS = 20;         # runs of a millisecond for each time that is measured
my $PATIENCE_S = 15;     # until a tool must be attached
my $CALM = 1.03;         # how much longer than ever a call may take on a calm machine
my $CALM_TRIES = 10;     # looks, 50 ms apart, for a calm moment

our $BIN = '.output/bench';
our $PID = '%TARGET%';    # stands for the target's in command lines
my ($target, $other);    # the two load processes
my %children;            # pids of all that runs
my $calm_ns;             # the least that a call took without a tool
my @failures;

# ---- tools that are compared ---------------------------------------------------------------

sub ours
{
	my ($tool, $option, %more) = @_;

	return {name => join(' ', $tool, grep { $_ } $option), ready => qr/: attached$/m,
		cmd => ["./$tool", '-v', '-p', $PID, grep { $_ } $option], proof => qr/getppid/, %more};
}

sub bpftrace
{
	my ($name, $proof, $script) = @_;

	return {name => $name, program => which('bpftrace'), args => ['-e', $script . says_attached(50)],
		ready => qr/^attached/m, settle => 0.05, proof => $proof};
}

# It attaches this probe last.
sub says_attached
{
	return qq( interval:ms:$_[0] { printf("attached\\n"); });
}

# ---- finding peers ------------------------------------------------------------------------

# undef, not nothing: it stands in lists.
sub which
{
	my ($name, $fits) = @_;

	for my $dir (split(/:/, $ENV{PATH}), '/usr/sbin', '/sbin') {
		my $path = "$dir/$name";
		return $path if -x $path && (!$fits || $fits->($path));
	}
	return undef;
}

# Ours may be installed under the same name.
sub their_syscount
{
	return which('syscount', sub { qx("$_[0]" --help 2>/dev/null) !~ /--doctor/ });
}

# Peers look for tracefs, which need not be mounted: in a mount namespace of their own.
my $IN_TRACEFS = 'at=/sys/kernel/tracing; [ -e $at/events ] || mount -t tracefs nodev $at; exec "$@"';

sub in_tracefs
{
	return ('unshare', '-m', 'sh', '-c', $IN_TRACEFS, 'sh', @_);
}

# Those of the tools that are there, with their command lines.
sub installed
{
	my (@tools) = @_;

	for (grep { $_->{program} } @tools) {
		$_->{cmd} = [in_tracefs(@{$_->{prefix} || []}, $_->{program}, @{$_->{args}})];
	}
	my @missing = map { $_->{name} } grep { !$_->{cmd} } @tools;
	print "not installed: ", join(', ', @missing), "\n" if @missing;
	return grep { $_->{cmd} } @tools;
}

# ---- processes ----------------------------------------------------------------------------

sub nap
{
	select(undef, undef, undef, $_[0]);
}

sub start
{
	return start_with({}, map { $target ? s/$PID/$target->{pid}/gr : $_ } @_);
}

# $files->{out} and {err} replace the pipe. A group of its own: all that it starts ends with it.
sub start_with
{
	my ($files, @cmd) = @_;

	pipe(my $in, my $to) && pipe(my $from, my $out) or die "bench: no pipe: $!\n";
	defined(my $pid = fork) or die "bench: no process: $!\n";
	if (!$pid) {
		open(STDIN, '<&', $in) && open(STDOUT, '>&', $out) && open(STDERR, '>&', $out);
		open(STDOUT, '>', $files->{out}) or exit 127 if $files->{out};
		open(STDERR, '>', $files->{err}) or exit 127 if $files->{err};
		close($_) for $in, $to, $from, $out;
		setpgrp(0, 0);
		%children = (); # not this process's to end
		exec(@cmd) or die "bench: cannot run '$cmd[0]': $!\n";
	}
	setpgrp($pid, $pid); # whoever is first
	$to->autoflush(1);
	$children{$pid} = 1;
	return {pid => $pid, to => $to, from => $from, text => ''};
}

# Reads on until $enough->() or the end of the output; false after $limit_s of silence.
sub read_until
{
	my ($process, $enough, $limit_s) = @_;
	my $bits = '';

	vec($bits, fileno $process->{from}, 1) = 1;
	while (!$enough->()) {
		return 0 if select(my $ready = $bits, undef, undef, $limit_s) < 1;
		return 1 if !sysread $process->{from}, $process->{text}, 65536, length $process->{text};
	}
	return 1;
}

# Reads what is left, and waits.
sub finish
{
	my ($process, $limit_s) = @_;

	read_until($process, sub { 0 }, $limit_s || $PATIENCE_S) or kill 'KILL', $process->{pid};
	waitpid $process->{pid}, 0;
	delete $children{$process->{pid}};
}

# In place of the load processes that may run.
sub start_loads
{
	for (grep { $_ } $target, $other) {
		kill 'KILL', $_->{pid};
		finish($_);
	}
	($target, $other) = map { start("$BIN/load") } 1 .. 2;
}

sub start_tool
{
	my ($tool) = @_;
	my $process = start(@{$tool->{cmd}});
	my $ready = $tool->{ready};

	if (ref $ready) {
		read_until($process, sub { $process->{text} =~ $ready }, $PATIENCE_S);
		fault($tool, "did not start: $process->{text}") if $process->{text} !~ $ready;
		nap($tool->{settle} || 0.02);
	} else {
		nap($ready);
	}
	return $process;
}

sub fault
{
	my ($tool, $text) = @_;

	push @failures, "$tool->{name} $text" if !$tool->{failed}++;
}

# Time of a step of the load in that process, in ns.
sub measure
{
	my ($process, $load, $chunks) = @_;

	$process->{text} = '';
	printf {$process->{to}} "%s %d\n", $load, $chunks || $CHUNKS;
	read_until($process, sub { $process->{text} =~ /\n/ }, 60 * $PATIENCE_S);
	die "bench: the load '$load' failed: $process->{text}\n" if $process->{text} !~ /^[\d.]+\n/;
	return 0 + $process->{text};
}

sub keep_least
{
	my ($best, $key, $value) = @_;

	$best->{$key} = $value if !defined $best->{$key} || $value < $best->{$key};
}

# ---- measuring ----------------------------------------------------------------------------

sub await_calm
{
	for (1 .. $CALM_TRIES) {
		my $ns = measure($target, 'getppid', 3);
		$calm_ns = $ns if !$calm_ns || $ns < $calm_ns;
		return if $ns < $CALM * $calm_ns;
		nap(0.05);
	}
}

# Into $best->{who:load}, for each of @loads in both processes.
sub measure_both
{
	my ($best, @loads) = @_;

	for my $load (@loads) {
		keep_least($best, "target:$load", measure($target, $load));
		keep_least($best, "other:$load", measure($other, $load));
	}
}

sub measure_tool
{
	my ($tool, @loads) = @_;
	my $process;

	await_calm();
	$process = start_tool($tool) if $tool->{cmd};
	measure_both($tool->{ns} ||= {}, @loads) if !$tool->{failed};
	if ($process) {
		kill 'INT', $process->{pid};
		finish($process);
		fault($tool, "did not see the load: $process->{text}")
			if $tool->{proof} && $process->{text} !~ $tool->{proof};
	}
}

# All tools in turn, and none, in each round; returns the times without a tool.
sub rounds
{
	my ($loads, @tools) = @_;
	my $end = time + $SECONDS;
	my $bare = {name => 'no tool'};

	for (my $round = 1; $round <= $ROUNDS_MIN || time < $end; $round++) {
		start_loads();
		for my $tool (grep { !$_->{failed} } $bare, @tools) {
			measure_tool($tool, @$loads) if $round == 1 || !$tool->{once};
		}
	}
	return $bare->{ns};
}

# ---- printing -----------------------------------------------------------------------------

sub added
{
	my ($tool, $bare, $key) = @_;

	return if !$tool || !defined $tool->{ns}{$key};
	return $tool->{ns}{$key} - $bare->{$key};
}

# "1.19 <= 1.25 ok"; blanks if there is nothing to compare, and no verdict without a limit.
sub verdict
{
	my ($value, $reference, $limit) = @_;
	my $ratio;

	return ' ' x 21 if !defined $value || !$reference || $reference <= 0;
	$ratio = $value / $reference;
	return sprintf '%-21s', sprintf('%5.2f', $ratio) if !$limit;
	return sprintf '%-21s', sprintf('%5.2f <= %.2f %s', $ratio, $limit,
		$ratio <= $limit ? 'ok' : 'MISSED');
}

sub nanoseconds
{
	return defined $_[0] ? sprintf('%+10.1f', $_[0]) : ' ' x 9 . '?';
}

sub part
{
	print "\n$_[0]\n";
}

sub within
{
	my ($row, $value, $limit) = @_;

	return '' if $row->{peer};
	return "<= $limit " . ($value <= $limit ? 'ok' : 'MISSED');
}

sub start_time
{
	my ($row) = @_;
	my $process = start(in_tracefs("$BIN/start-time", 'attached', @{$row->{cmd}}));

	finish($process);
	return fault($row, "did not start: $process->{text}")
		if $process->{text} !~ /^([\d.]+) (\d+) (\d+)$/m;
	keep_least($row, 'ms', $1);
	keep_least($row, 'peak', 1.024 * $2);
	keep_least($row, 'rss', 1.024 * $3);
}

# ---- the run ------------------------------------------------------------------------------

sub bench_enter
{
	die "bench: not root; try: sudo make bench\n" if $>;
	chdir dirname($0) . '/../..' or die "bench: cannot enter the tree: $!\n";
	$| = 1;
}

# Returns the exit status.
sub report_faults
{
	print "\nnot measured:\n", map { s/\n(?=.)/\n    /gr =~ s/\n*$/\n/r } @failures if @failures;
	return @failures ? 1 : 0;
}

# Runs those parts of %$parts that are named, or all; returns the exit status.
sub bench_main
{
	my ($parts, @names) = @_;

	bench_enter();
	start_loads();
	$parts->{$_}->() for @names ? @names : sort keys %$parts;
	return report_faults();
}

# First asked, so that they can tidy up.
sub end_children
{
	for my $signal ('TERM', 'KILL') {
		kill $signal, map { -$_ } keys %children;
		for (1 .. 100) {
			delete @children{grep { waitpid($_, POSIX::WNOHANG()) } keys %children};
			return if !%children;
			nap(0.02);
		}
	}
}

END { local $?; end_children() if %children; }
$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);

1;
