#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""A client and a server of Python's ssl that write down what they read and wrote, in the files
that tls-peer.h describes. Python's module calls SSL_read_ex and SSL_write_ex.

usage: tls-peer.py [-w] TRUTH CERT KEY     -w: wait for the end of stdin first
"""
import os
import random
import socket
import ssl
import sys

SIZES = (1, 4095, 4096, 8191, 8192, 8193, 16384, 16385, 65536, 1 << 20, 17)
ASKED = (1, 512, 4096, 8192, 16384, 70000)


class Truth:
    """What one side moved in one direction."""

    def __init__(self, folder, sock, direction):
        ports = sock.getsockname()[1], sock.getpeername()[1]
        self.name = f'{folder}/{os.getpid()}-{ports[0]}-{ports[1]}-{direction}'
        self.data, self.calls = [], []

    def moved(self, data):
        self.data.append(data)
        self.calls.append(f'{len(data)}\n')

    def write(self):
        with open(self.name + '.data', 'xb') as file:
            file.write(b''.join(self.data))
        with open(self.name + '.calls', 'x', encoding='ascii') as file:
            file.write(''.join(self.calls))


def send(folder, sock, seed):
    truth, rng = Truth(folder, sock, 'write'), random.Random(seed)
    for size in SIZES:
        data = rng.randbytes(size)
        while data:
            n = sock.send(data)
            truth.moved(data[:n])
            data = data[n:]
    truth.write()


def receive(folder, sock, seed):
    truth, rng = Truth(folder, sock, 'read'), random.Random(seed)
    expected = b''.join(rng.randbytes(size) for size in SIZES)
    left, turn = len(expected), 0
    while left:
        data = sock.recv(min(left, ASKED[turn % len(ASKED)]))
        assert data, 'the connection ended early'
        truth.moved(data)
        left -= len(data)
        turn += 1
    truth.write()
    assert b''.join(truth.data) == expected, 'the other side did not send this'


def serve(folder, listener, cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with context.wrap_socket(listener.accept()[0], server_side=True) as sock:
        receive(folder, sock, 1)
        send(folder, sock, 2)
        sock.unwrap()


def ask(folder, addr):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection(addr)
    with context.wrap_socket(plain, server_hostname='python.example') as sock:
        send(folder, sock, 1)
        receive(folder, sock, 2)
        sock.unwrap()


def main():
    wait = sys.argv[1] == '-w'
    folder, cert, key = sys.argv[1 + wait:]
    listener = socket.create_server(('127.0.0.1', 0))
    print('client', os.getpid(), flush=True)
    if wait:
        sys.stdin.read()
    pid = os.fork()
    if not pid:
        serve(folder, listener, cert, key)
        os._exit(0)
    ask(folder, listener.getsockname())
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
