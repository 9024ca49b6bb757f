# net-ssh.
require 'net/ssh'

options = { port: ARGV[0], verify_host_key: :never, config: false, auth_methods: ['none'] }
Net::SSH.start('127.0.0.1', 'guest', options) { |ssh| print ssh.exec!('probe who') }
