// ssh2, for node.
const { Client } = require('ssh2');

const client = new Client();
client.on('ready', () => client.exec('probe who', (error, channel) => {
  if (error) throw error;
  channel.on('close', () => client.end()).pipe(process.stdout);
}));
client.connect({ host: '127.0.0.1', port: Number(process.argv[2]), username: 'guest' });
