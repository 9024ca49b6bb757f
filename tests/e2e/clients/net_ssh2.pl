# Net::SSH2, which is libssh2.
use strict;
use Net::SSH2;

my $ssh = Net::SSH2->new();
$ssh->connect('127.0.0.1', $ARGV[0]) or $ssh->die_with_error;
$ssh->auth(username => 'guest') or $ssh->die_with_error;
my $channel = $ssh->channel() or $ssh->die_with_error;
$channel->exec('probe who') or $ssh->die_with_error;
print <$channel>;
