<?php
// phpseclib 3, which answers `hostkeys-00`, a request that wants no reply. Twice, to see that it stays.
foreach (glob('/usr/share/php/phpseclib*/autoload.php') as $file) require_once $file;
$ssh = new phpseclib3\Net\SSH2('127.0.0.1', $argv[1]);
$ssh->login('guest') or exit(1);
$ssh->exec('probe who');
echo $ssh->exec('probe who');
