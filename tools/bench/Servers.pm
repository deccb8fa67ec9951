# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# nginx over TLS on loopback, in a scratch directory that goes away with us; wrk, which asks it;
# and what /proc says of the tools that watch.
package Servers;
use strict;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempdir);
use Socket qw(AF_INET INADDR_LOOPBACK SOCK_STREAM pack_sockaddr_in unpack_sockaddr_in);

use Bench;

our @EXPORT = qw(ask await cpu_ns ended library_of scratch separate_client server_start server_stop slurp usage_begin usage_end);

my $CONNECTIONS = 32;
my $TICKS_PER_S = 100; # of /proc/PID/stat and /proc/uptime
my $STARTS_S = 10;
my $STEP_S = 0.02;
my $scratch;

sub slurp
{
	my ($path) = @_;

	open my $file, '<', $path or return '';
	return do { local $/; <$file> } // '';
}

sub spill
{
	my ($path, $text) = @_;

	open my $file, '>', $path or die "bench: cannot write '$path': $!\n";
	print $file $text;
	close $file or die "bench: cannot write '$path': $!\n";
}

# ---- the files ----------------------------------------------------------------------------

sub scratch
{
	my (@sizes) = @_;

	return $scratch if $scratch;
	$scratch = tempdir('wirescope-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
	mkdir "$scratch/www";
	spill("$scratch/www/$_", 'x' x (1024 * $_)) for @sizes;
	my $openssl = start_with({}, which('openssl') || 'openssl', qw(req -x509 -newkey ec -pkeyopt
		ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost), '-keyout', "$scratch/key.pem",
		'-out', "$scratch/cert.pem");
	finish($openssl);
	die "bench: no certificate: $openssl->{text}" if !-s "$scratch/cert.pem";
	return $scratch;
}

# Connections last for the whole run: handshakes are not what is measured.
sub configuration
{
	my ($name, $port) = @_;

	return <<"END";
worker_processes 1;
user root;
daemon off;
pid $scratch/$name.pid;
error_log $scratch/$name.log;
events { worker_connections 256; }
http {
	access_log off;
	client_body_temp_path $scratch/$name;
	proxy_temp_path $scratch/$name;
	fastcgi_temp_path $scratch/$name;
	uwsgi_temp_path $scratch/$name;
	scgi_temp_path $scratch/$name;
	keepalive_requests 1000000000;
	open_file_cache max=16;
	server {
		listen 127.0.0.1:$port ssl;
		ssl_certificate $scratch/cert.pem;
		ssl_certificate_key $scratch/key.pem;
		root $scratch/www;
	}
}
END
}

# ---- nginx --------------------------------------------------------------------------------

sub free_port
{
	my $socket;

	socket($socket, AF_INET, SOCK_STREAM, 0) && bind($socket, pack_sockaddr_in(0, INADDR_LOOPBACK))
		or die "bench: no free port: $!\n";
	return (unpack_sockaddr_in(getsockname $socket))[0];
}

sub answers
{
	my ($port) = @_;

	socket(my $socket, AF_INET, SOCK_STREAM, 0) or return 0;
	return connect($socket, pack_sockaddr_in($port, INADDR_LOOPBACK));
}

# Before it is waited for.
sub ended
{
	my ($process) = @_;

	return slurp("/proc/$process->{pid}/stat") !~ /\) [^Z] /;
}

# Until a condition is met, or that process ended.
sub await
{
	my ($process, $condition) = @_;

	for (1 .. $STARTS_S / $STEP_S) {
		return 1 if $condition->();
		return 0 if ended($process);
		nap($STEP_S);
	}
	return 0;
}

# Runs nginx, behind the command @under, if any; false if it does not answer.
sub server_start
{
	my ($name, $files, @under) = @_;
	my $port = free_port();
	my $server = {name => $name, port => $port};

	spill("$scratch/$name.conf", configuration($name, $port));
	unlink "$scratch/$name.pid";
	$server->{process} = start_with($files, @under, which('nginx'), '-e', "$scratch/$name.log",
		'-p', $scratch, '-c', "$scratch/$name.conf");
	await($server->{process}, sub { answers($port) && slurp("$scratch/$name.pid") =~ /(\d+)/ }) or return $server;
	($server->{master}) = slurp("$scratch/$name.pid") =~ /(\d+)/;
	await($server->{process}, sub { slurp("/proc/$server->{master}/task/$server->{master}/children") =~ /(\d+)/ });
	($server->{worker}) = slurp("/proc/$server->{master}/task/$server->{master}/children") =~ /(\d+)/;
	return $server;
}

sub server_stop
{
	my ($server) = @_;

	kill 'TERM', $server->{master} || $server->{process}{pid};
	finish($server->{process});
}

sub library_of
{
	my ($pid) = @_;

	return slurp("/proc/$pid/maps") =~ m{ (/\S+/libssl\.so\S*)} ? $1 : undef;
}

# ---- the client ---------------------------------------------------------------------------

# wrk has a libssl of its own: breakpoints in the file that nginx has are not for the client to pay.
sub separate_client
{
	my ($server) = @_;
	my $library = library_of($server->{worker}) or die "bench: nginx has no shared libssl\n";

	mkdir "$scratch/lib";
	spill("$scratch/lib/" . $library =~ s{.*/}{}r, slurp($library));
}

my %MS = (us => 0.001, ms => 1, s => 1000, m => 60_000);

sub ask
{
	my ($server, $kib, $seconds) = @_;
	my $wrk = start_with({}, 'env', "LD_LIBRARY_PATH=$scratch/lib", which('wrk'), '-t1', "-c$CONNECTIONS", "-d${seconds}s", '--latency',
		"https://127.0.0.1:$server->{port}/$kib");
	my %result;

	finish($wrk, $seconds + 30);
	($result{requests}) = $wrk->{text} =~ /(\d+) requests in/;
	($result{rps}) = $wrk->{text} =~ m{Requests/sec:\s+([\d.]+)};
	for my $part (50, 99) {
		$result{"p$part"} = $1 * $MS{$2} if $wrk->{text} =~ /^\s+$part%\s+([\d.]+)(us|ms|s|m)$/m;
	}
	die "bench: wrk failed: $wrk->{text}\n"
		if !$result{requests} || $wrk->{text} =~ /Non-2xx|Socket errors/;
	return \%result;
}

# ---- what a tool uses ---------------------------------------------------------------------

sub cpu_ticks
{
	my ($pid) = @_;
	my @fields = split ' ', slurp("/proc/$pid/stat") =~ s/.*\)//sr;

	return ($fields[11] || 0) + ($fields[12] || 0);
}

sub cpu_ns
{
	my ($pid) = @_;

	return (split ' ', slurp("/proc/$pid/schedstat"))[0] || 0;
}

sub usage_begin
{
	my ($pid) = @_;

	return {pid => $pid, ticks => cpu_ticks($pid), at => (split ' ', slurp('/proc/uptime'))[0]};
}

# Percent of a CPU since then, and MB now.
sub usage_end
{
	my ($begin) = @_;
	my $elapsed = (split ' ', slurp('/proc/uptime'))[0] - $begin->{at};
	my ($rss) = slurp("/proc/$begin->{pid}/status") =~ /^VmRSS:\s+(\d+)/m;

	return (100 * (cpu_ticks($begin->{pid}) - $begin->{ticks}) / $TICKS_PER_S / $elapsed,
		($rss || 0) * 1.024 / 1000);
}

1;
