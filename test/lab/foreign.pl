#!/usr/bin/perl
# Mail servers made of Perl's modules, on port 25:
#
#	foreign.pl server-mail ADDR [CERT KEY]	Net::Server::Mail::ESMTP
#	foreign.pl smtp-server ADDR		Net::SMTP::Server
#
# Without a certificate the first offers STARTTLS all the same, and refuses.

use strict;
use warnings;

my ($which, $addr, $cert, $key) = @ARGV;
$SIG{CHLD} = 'IGNORE';

sub server_mail
{
	require IO::Socket::INET;
	require Net::Server::Mail::ESMTP;
	my $listener = IO::Socket::INET->new(Listen => 16, ReuseAddr => 1,
	    LocalAddr => $addr, LocalPort => 25) or die "$!";

	while (1) {
		my $peer = $listener->accept or next;
		next if fork;
		my $smtp = Net::Server::Mail::ESMTP->new(socket => $peer,
		    $cert ? (ssl_config => { SSL_cert_file => $cert,
			SSL_key_file => $key }) : ());
		$smtp->register('Net::Server::Mail::ESMTP::8BITMIME');
		$smtp->register('Net::Server::Mail::ESMTP::PIPELINING');
		$smtp->register('Net::Server::Mail::ESMTP::STARTTLS');
		$smtp->process;
		exit;
	}
}

sub smtp_server
{
	require Net::SMTP::Server;
	require Net::SMTP::Server::Client;
	my $server = Net::SMTP::Server->new($addr, 25) or die "$!";

	while (1) {
		my $peer = $server->accept or next;
		next if fork;
		Net::SMTP::Server::Client->new($peer)->process;
		exit;
	}
}

$which eq 'server-mail' ? server_mail() : smtp_server();
