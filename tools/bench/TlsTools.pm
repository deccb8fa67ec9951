# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# What watches TLS, in the benchmark tools/bench/nginx: ours, the peers, and the baselines.
package TlsTools;
use strict;
use warnings;
use Exporter qw(import);

use Bench;
use Servers;

our @EXPORT = qw(all_variants await_ready lost_of present tool_command);

my $LIB = '%LIBSSL%'; # stands for the target's library in command lines

# Sizes of what was read and written: less than --summary, which has times too.
my $SIZES = "uretprobe:$LIB:SSL_read, uretprobe:$LIB:SSL_write /pid == $PID/ {
	\@bytes[probe] = hist(retval);
}";

# The beginning of each payload: bpftrace's strings have 200 bytes at the most.
my $PAYLOAD = <<"END";
uprobe:$LIB:SSL_write /pid == $PID/ { printf("WRITE %d %d %s\\n", pid, arg2, str(arg1, 200)); }
uprobe:$LIB:SSL_read /pid == $PID/ { \@to[tid] = arg1; }
uretprobe:$LIB:SSL_read /pid == $PID/ {
	if (retval > 0 && retval < 0x80000000) {
		printf("READ %d %d %s\\n", pid, retval, str(\@to[tid], 200));
	}
	delete(\@to[tid]);
}
END

# On stderr: a capture's stdout is /dev/null.
my $SAYS_READY = 'interval:ms:50 { if (!@ready) { @ready = 1; system("echo attached >&2"); } }';

# ---- the table ----------------------------------------------------------------------------

# {key, name, color, cmd, ...}. base is the key of the baseline, which has no cmd. ready is what
# stderr says once it is attached, or seconds. server is the one that is asked, if not the one
# that is watched; own: nginx is started anew, behind cmd. capture: its output goes to /dev/null;
# a line with proof is in it for each request, or in a report at all. limit: the drop at 1 KB.
sub ours_at
{
	my ($key, $name, $color, $options, %more) = @_;

	return {key => $key, name => join(' ', 'sslsniff', $name || ()), color => $color, base => 'nginx',
		ready => qr/: attached$/m, cmd => ['./sslsniff', '-v', '-p', $PID, @$options], %more};
}

sub ours_before
{
	my ($key, $name, $color, $options, %more) = @_;

	return {key => $key, name => join(' ', 'sslsniff', $name || ()), color => $color, base => 'own', own => 1,
		cmd => ['./sslsniff', '-v', '--preload', @$options, '--'], %more};
}

sub bpftrace_at
{
	my ($key, $name, $color, $script, %more) = @_;

	return {key => $key, name => "bpftrace $name", color => $color, base => 'nginx',
		program => which('bpftrace'), prefix => ['env', 'BPFTRACE_STRLEN=200'],
		args => ['--unsafe', '-p', $PID, '-e', "$script\n$SAYS_READY"], ready => qr/^attached/m, %more};
}

# bpftime's has the name of ours.
sub peers
{
	my $theirs = which('bpftime-sslsniff') || which('sslsniff', sub {
		qx("$_[0]" --help 2>&1) !~ /--preload/ });
	my %more = (base => 'nginx', capture => 1, proof => qr{^READ}, args => ['-p', $PID]);

	return ({key => 'bpftime', name => "bpftime's sslsniff", color => '#d6457a', program => $theirs,
		ready => 2, %more}, {key => 'bcc', name => "bcc's sslsniff", color => '#a34a28', ready => 4,
		program => which('sslsniff-bpfcc'), %more});
}

sub all_variants
{
	my %text = (capture => 1, proof => qr{^READ/RECV});
	my %json = (capture => 1, proof => qr/"what":"read"/);
	my %sums = (proof => qr/read_bytes/);

	return (
		{key => 'nginx', name => 'no tool', color => '#8a8f98'},
		ours_at('summary', '--summary', '#1f5fbf', ['--summary'], limit => 20, %sums),
		ours_at('text', '', '#3f8ae0', [], limit => 40, %text),
		ours_at('json', '-f json', '#84b9f2', ['-f', 'json'], %json),
		{key => 'own', name => 'no tool, nginx started anew', color => '#b4b8bf', own => 1, cmd => []},
		ours_before('preload-summary', '--preload --summary', '#1c8a4d', ['--summary'], limit => 3,
			%sums),
		ours_before('preload-text', '--preload', '#58bd80', [], limit => 8, %text),
		bpftrace_at('bpftrace-sizes', 'sizes', '#d98200', $SIZES, proof => qr/bytes/),
		bpftrace_at('bpftrace-payload', '200 bytes of payload', '#f0b040', $PAYLOAD, capture => 1,
			proof => qr/^READ/),
		peers(),
		{key => 'other', name => 'another nginx, no tool', color => '#6d6875', server => 'other'},
		ours_at('beside', 'beside another nginx', '#8d5bc9', [], base => 'other', server => 'other'),
		{key => 'probehist', name => 'probehist, calls only', color => '#30a5a5', base => 'nginx',
			ready => qr/: attached$/m, on_request => 1, proof => qr/SSL_read/, cmd => ['./probehist',
			'-v', '-p', $PID, 'uprobe:libssl:SSL_read', 'uprobe:libssl:SSL_write']},
	);
}

# ---- using them ---------------------------------------------------------------------------

# Those that can be run: baselines always.
sub present
{
	my (@variants) = @_;
	my @tools = grep { $_->{base} } @variants;

	for (grep { $_->{cmd} } @tools) {
		delete $_->{cmd} if $_->{cmd}[0] =~ m{^\./} && !-x $_->{cmd}[0];
	}
	my %there = map { $_->{key} => 1 } installed(@tools);
	return grep { !$_->{base} || $there{$_->{key}} } @variants;
}

sub tool_command
{
	my ($variant, $server) = @_;
	my $library = library_of($server->{worker}) || '';

	return map { s/$PID/$server->{worker}/gr =~ s/$LIB/$library/gr } @{$variant->{cmd}};
}

sub await_ready
{
	my ($variant, $process, $errors) = @_;

	if (!ref $variant->{ready}) {
		nap($variant->{ready});
		return 1;
	}
	await($process, sub { slurp($errors) =~ $variant->{ready} }) or return 0;
	nap(0.05);
	return 1;
}

# Nothing, if the tool does not say.
sub lost_of
{
	my ($variant, $errors) = @_;

	return $errors =~ /^.*\blost (\d+) of \d+ events/m ? $1 : 0 if $variant->{cmd}[0] =~ m{^\./};
	return undef;
}

1;
