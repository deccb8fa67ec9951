# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# tools/bench/nginx --events: 100,000 SSL_write() calls of 1 KB a second, each an event. What is
# lost, how much of a CPU the tool needs, and how much longer a call takes.
package TlsEvents;
use strict;
use warnings;
use Exporter qw(import);
use POSIX ();

use Bench;
use Figures;
use Servers;
use TlsTools;

our @EXPORT = qw(bench_events);

my $RATE = 100_000;
my $BYTES = 1024;
my $PATIENCE_S = 120; # the peers come to a fraction of the rate
my $LOOK_S = 0.2;

sub start_load
{
	my ($variant) = @_;
	my $run = {err => scratch() . "/$variant->{key}.err"};
	my @fifos = map { scratch() . "/$variant->{key}.$_" } qw(questions answers);
	my $out = $variant->{capture} ? '/dev/null' : scratch() . "/$variant->{key}.out";
	my @load = ("$BIN/tls-load", @fifos);

	unlink @fifos;
	POSIX::mkfifo($_, 0600) or die "bench: no FIFO: $!\n" for @fifos;
	open $run->{to}, '+<', $fifos[0] or die "bench: no FIFO: $!\n";
	open $run->{from}, '+<', $fifos[1] or die "bench: no FIFO: $!\n";
	$run->{to}->autoflush(1);
	$run->{text} = '';
	if ($variant->{own} && @{$variant->{cmd}}) {
		$run->{tool} = $run->{load} = start_with({err => $run->{err}, out => $out},
			@{$variant->{cmd}}, @load);
	} else {
		$run->{load} = start_with({}, @load);
	}
	$run->{ready} = answer_of($run) eq 'ready';
	if ($variant->{cmd} && !$variant->{own}) {
		$run->{tool} = start_with({err => $run->{err}, out => $out},
			tool_command($variant, {worker => $run->{load}{pid}}));
		$run->{ready} &&= await_ready($variant, $run->{tool}, $run->{err});
	}
	return $run;
}

# Its next line; nothing if it ended, or says nothing for long.
sub answer_of
{
	my ($run) = @_;

	for (1 .. $PATIENCE_S / $LOOK_S) {
		last if read_until($run, sub { $run->{text} =~ /\n/ }, $LOOK_S) || ended($run->{load});
	}
	return $run->{text} =~ s/^(.*)\n// ? $1 : '';
}

# A tool before the load ends with it.
sub stop_load
{
	my ($variant, $run) = @_;

	if ($run->{tool} && !$variant->{own}) {
		kill 'INT', $run->{tool}{pid};
		finish($run->{tool});
	}
	if ($variant->{own} && $run->{ready}) {
		print {$run->{to}} "end\n";
	} else {
		kill 'TERM', $run->{load}{pid};
	}
	finish($run->{load});
}

sub measure
{
	my ($variant, $seconds, $payload) = @_;
	my $run = start_load($variant);

	if ($run->{ready}) {
		my $usage = $run->{tool} && usage_begin($run->{tool}{pid});
		printf {$run->{to}} "%d %d %d %s\n", $RATE * $seconds, $RATE, $BYTES, $payload;
		my %result;
		@result{'rate', 'ns'} = split ' ', answer_of($run);
		@result{'cpu', 'rss'} = usage_end($usage) if $usage;
		stop_load($variant, $run);
		$result{lost} = lost_of($variant, slurp($run->{err})) if $run->{tool};
		push @{$variant->{results}}, \%result;
	} else {
		stop_load($variant, $run);
		fault($variant, 'did not start: ' . slurp($run->{err}));
	}
}

sub values_of
{
	my ($variant, $key) = @_;

	return sort { $a <=> $b } grep { defined } map { $_->{$key} } @{$variant->{results}};
}

sub row
{
	my ($variant, $bare) = @_;
	my $ns = (values_of($variant, 'ns'))[0];
	my $lost = (reverse values_of($variant, 'lost'))[0];
	my $cpu = median(values_of($variant, 'cpu'));
	my $told = $variant->{cmd} && $variant->{cmd}[0] =~ /sslsniff/;
	my $rate = median(values_of($variant, 'rate'));
	my $ok = $told && !$lost && $cpu <= 100 && $rate > 0.99 * $RATE ? 'ok' : 'MISSED';

	return [$variant->{key}, cell('%.0f', $rate), cell('%.0f', $ns),
		$variant == $bare ? '' : cell('%+.0f', $ns - $bare->{ns}), cell('%.0f', $cpu),
		cell('%d', $lost), cell('%.1f', median(values_of($variant, 'rss'))), $told ? $ok : ''];
}

sub bench_events
{
	my ($option) = @_;
	my %wanted = map { $_ => 1 } split /,/, $option->{variants} || '';
	my @variants = present(grep { $_->{base} && $_->{base} ne 'other'
		&& ($option->{variants} ? $wanted{$_->{key}} : !$_->{on_request}) } all_variants());
	my $bare = {key => 'none', name => 'no tool'};
	my @how = ($option->{seconds}, $option->{binary} ? 'binary' : 'text');

	scratch();
	for my $round (0 .. $option->{rounds} - 1) {
		my $first = $round % @variants;
		measure($bare, @how);
		for my $variant (@variants[$first .. $#variants, 0 .. $first - 1]) {
			measure($variant, @how) if !$variant->{failed};
		}
	}
	$bare->{ns} = (values_of($bare, 'ns'))[0];
	print_table(0, ['variant', 'calls/s', 'ns a call', 'added', 'tool CPU %', 'lost', 'tool MB',
		'rate, lost 0, CPU <= 100'], map { row($_, $bare) } $bare, grep { $_->{results} } @variants);
}

1;
