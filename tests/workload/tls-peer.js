// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// usage: node tls-peer.js TRUTH CERT KEY
//
// A client and a server in one process of node. Its calls of OpenSSL are its own affair (it reads
// in pieces of its own), and its descriptors are not OpenSSL's: what it writes down is the bytes
// of each stream, TRUTH/client-read.data, client-write.data and the same of the server.
'use strict';

const crypto = require('crypto');
const fs = require('fs');
const tls = require('tls');

const [folder, cert, key] = process.argv.slice(2);
const sizes = [1, 4095, 4096, 8191, 8192, 8193, 16384, 16385, 65536, 1 << 20, 17];

// The same bytes on each run: a stream cipher of zeros.
function payload(seed) {
	const cipher = crypto.createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));

	return sizes.map((size) => cipher.update(Buffer.alloc(size)));
}

function send(socket, name, seed) {
	for (const part of payload(seed)) {
		fs.appendFileSync(`${folder}/${name}-write.data`, part);
		socket.write(part);
	}
}

// Calls back when all that the other side sends has come.
function receive(socket, name, seed, done) {
	const expected = Buffer.concat(payload(seed));
	let got = Buffer.alloc(0);

	socket.on('data', (part) => {
		fs.appendFileSync(`${folder}/${name}-read.data`, part);
		got = Buffer.concat([got, part]);
		if (got.length < expected.length)
			return;
		if (!got.equals(expected))
			throw new Error('the other side did not send this');
		done();
	});
}

const options = {cert: fs.readFileSync(cert), key: fs.readFileSync(key)};
const server = tls.createServer(options, (socket) => {
	receive(socket, 'server', 1, () => send(socket, 'server', 2));
	socket.on('end', () => socket.end());
	server.close();
});

server.listen(0, '127.0.0.1', () => {
	const {port} = server.address();
	const client = tls.connect({port, host: '127.0.0.1', rejectUnauthorized: false}, () => {
		receive(client, 'client', 2, () => client.end());
		send(client, 'client', 1);
	});
});
