#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Drives the demo server with real clients and shows that it gives everything back.

    tools/demo.py --server build/release/examples/http2/demo_server

Starts the server on a free loopback port; curl asks for every route, h2load brings 100 connections, and a client of our own
opens requests to /slow and drops the connection in the middle of them, by FIN and by RST. At the end: the balance.
Exit status 0 when it is balanced and everything was answered as expected, 1 when not, 2 when a tool is missing.
Needs the standard library, curl and h2load (Debian: curl, nghttp2-client).
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

HEADERS, DATA, RST_STREAM, SETTINGS, PING, GOAWAY = 1, 0, 3, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(text):
    """An HPACK string of at most 126 bytes, not Huffman coded (RFC 7541 5.2)."""
    return bytes([len(text)]) + text


def get(path):
    """The header block of a GET: indexed :method and :scheme, literal :path and :authority (RFC 7541 6.1, 6.2.2)."""
    return b"\x82\x86\x04" + literal(path.encode()) + b"\x01" + literal(b"127.0.0.1")


class Client:
    """Just enough HTTP/2 to ask, to wait and to leave badly."""

    def __init__(self, port, timeout=10.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.next_stream = 1
        self.buffer = b""
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0))

    def open(self, *paths):
        """Opens one stream for each path, in one packet; waits until the server has seen them all."""
        out = b""
        for path in paths:
            out += frame(HEADERS, END_STREAM | END_HEADERS, self.next_stream, get(path))
            self.next_stream += 2
        self.socket.sendall(out + frame(PING, 0, 0, b"all here"))
        while True:
            kind, flags, _, _ = self.read()
            if kind == PING and flags & ACK:
                return

    def get(self, path):
        """The body of a response."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.socket.sendall(frame(HEADERS, END_STREAM | END_HEADERS, stream, get(path)))
        body = b""
        while True:
            kind, flags, number, payload = self.read()
            if kind == GOAWAY or (kind == RST_STREAM and number == stream):
                raise ConnectionError(f"{path} was not answered")
            if number != stream:
                continue
            if kind == DATA:
                body += payload
            if flags & END_STREAM and kind in (DATA, HEADERS):
                return body

    def read(self):
        head = self.take(9)
        size = int.from_bytes(head[:3], "big")
        kind, flags, stream = head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF
        payload = self.take(size)
        if kind == SETTINGS and not flags & ACK:
            self.socket.sendall(frame(SETTINGS, ACK, 0))
        return kind, flags, stream, payload

    def take(self, size):
        while len(self.buffer) < size:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the server closed the connection")
            self.buffer += more
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def drop(self, by_reset):
        if by_reset:  # lingering for zero seconds: close sends RST and throws away what is queued
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


class Server:
    def __init__(self, path, *flags):
        self.process = subprocess.Popen([path, *flags], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        match = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        if not match:
            self.process.kill()
            raise RuntimeError(f"the server did not start: it said {line!r}")
        self.port = int(match[1])
        self.observer, self.observed = Client(self.port), time.monotonic()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def census(self):
        """What the server says of itself, without the request that asks."""
        if time.monotonic() - self.observed > 20:  # a connection that says nothing for long is closed, and rightly
            self.observer.drop(by_reset=False)
            self.observer = Client(self.port)
        c = json.loads(self.observer.get("/census"))
        self.observed = time.monotonic()
        for name in ("handles_live", "arenas_out", "acquires", "requests_total"):
            c[name] -= 1
        return c

    def peak_memory(self):
        """The largest resident size so far, in bytes (Linux)."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024

    def settle(self, seconds):
        """Waits until nothing is in hand; the census then, and how long it took."""
        start = time.monotonic()
        while True:
            c = self.census()
            took = time.monotonic() - start
            if (c["handles_live"] == 0 and c["arenas_out"] == 0) or took > seconds:
                return c, took
            time.sleep(0.005)

    def stop(self):
        """SIGTERM: its last line, its exit status, how long it took."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            out, _ = self.process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return "it did not end", -1, time.monotonic() - start
        return out.strip(), self.process.returncode, time.monotonic() - start


def balanced(c):
    return (
        c["arenas_out"] == 0
        and c["handles_live"] == 0
        and c["acquires"] == c["releases"]
        and c["requests_total"] == c["completed"] + c["failed"] + c["cancelled"]
    )


class Report:
    """Progress while it runs, a table at the end."""

    def __init__(self):
        self.rows = []
        self.tty = sys.stdout.isatty()
        self.shown = 0.0

    def progress(self, text, always=False):
        now = time.monotonic()
        if not always and now - self.shown < (0.1 if self.tty else 1.0):
            return
        self.shown = now
        print(f"\r\033[K  {text}" if self.tty else f"  {text}", end="" if self.tty else "\n", flush=True)

    def row(self, step, result, good, seconds):
        self.rows.append((step, result, good, seconds))
        clear = "\r\033[K" if self.tty else ""
        print(f"{clear}{'ok    ' if good else 'FAILED'}  {step}: {result}", flush=True)

    def table(self):
        wide = max(len(r[0]) for r in self.rows)
        long = max(len(r[1]) for r in self.rows)
        print(f"\n  {'step':<{wide}}  {'result':<{long}}  {'time':>7}")
        print(f"  {'-' * wide}  {'-' * long}  {'-' * 7}")
        for step, result, good, seconds in self.rows:
            print(f"  {step:<{wide}}  {result:<{long}}  {seconds:6.2f}s{'' if good else '  FAILED'}")

    def good(self):
        return all(r[2] for r in self.rows)


def curl(server, path, *more):
    """Status and body."""
    command = ["curl", "--silent", "--show-error", "--http2-prior-knowledge", "--max-time", "10"]
    done = subprocess.run([*command, "--write-out", "%{http_code}", *more, server.url(path)], capture_output=True, check=False)
    return int(done.stdout[-3:] or 0), done.stdout[:-3]


def ask_routes(server, report):
    start = time.monotonic()
    with tempfile.NamedTemporaryFile() as big:
        big.write(b"x" * 20000)
        big.flush()
        pattern = bytes(i % 251 for i in range(100000))
        asked = [
            ("/hello", (), 200, b"hello world\n"),
            ("/bytes/100000", (), 200, pattern),
            ("/slow?ms=20", (), 200, b"awake\n"),
            ("/echo", ("--data", "there and back"), 200, b"there and back"),
            ("/echo", ("--data-binary", "@" + big.name), 413, None),
            ("/hello", ("--header", "x-long: " + "x" * 5000), 431, None),
            ("/fail", (), 500, None),
            ("/nowhere", (), 404, None),
        ]
        wrong = []
        for path, more, status, body in asked:
            got = curl(server, path, *more)
            report.progress(f"curl {path}: {got[0]}", always=report.tty)
            if got[0] != status or (body is not None and got[1] != body):
                wrong.append(f"{path} answered {got[0]}")
    result = f"{len(asked)} routes as they should be" if not wrong else ", ".join(wrong)
    report.row("curl, every route", result, not wrong, time.monotonic() - start)


def fetch_large(server, report, size):
    start = time.monotonic()
    command = ["curl", "--silent", "--http2-prior-knowledge", "--max-time", "20", server.url(f"/bytes/{size}")]
    fetch = subprocess.Popen(command, stdout=subprocess.PIPE)
    period = bytes(i % 251 for i in range(251))
    whole = period * (1 << 12)
    expected, got, n = hashlib.sha256(), hashlib.sha256(), 0
    while block := fetch.stdout.read(1 << 20):
        got.update(block)
        n += len(block)
        report.progress(f"curl /bytes: {n >> 20} MiB, server at most {server.peak_memory() >> 20} MiB resident")
    fetch.wait()
    for at in range(0, size, len(whole)):
        expected.update(whole[: min(len(whole), size - at)])
    peak = server.peak_memory()
    good = fetch.returncode == 0 and got.digest() == expected.digest() and peak < 40_000_000
    report.row("curl, 64 MiB streamed", f"{'intact' if got.digest() == expected.digest() else 'NOT intact'}, "
               f"server's peak {peak / 1e6:.1f} MB", good, time.monotonic() - start)


def load(server, report, requests):
    start = time.monotonic()
    command = ["h2load", f"-n{requests}", "-c100", "-m100", server.url("/hello")]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while run.poll() is None:
        c = server.census()
        report.progress(f"h2load, 100 connections: {c['completed']} requests answered, {c['arenas_out']} arenas out, "
                        f"{c['arenas_peak']} at most")
        time.sleep(0.05)
    text = run.stdout.read()
    match = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", text)
    rate = re.search(r"([\d.]+) req/s", text)
    good = bool(match) and int(match[1]) == requests and match[2] == match[3] == "0"
    result = f"{match[1]} succeeded, {match[2]} failed, {float(rate[1]):,.0f} a second" if match and rate else "h2load did not report"
    report.row(f"h2load, {requests} on 100 connections", result, good, time.monotonic() - start)


def drop_connections(server, report, drops, streams):
    start = time.monotonic()
    before = server.census()
    for i in range(drops):
        client = Client(server.port)
        client.open(*["/slow?ms=60000"] * streams)
        client.drop(by_reset=i % 2 == 1)
        if i % 25 == 24:
            c = server.census()
            report.progress(f"{i + 1} connections dropped, {c['cancelled'] - before['cancelled']} requests cancelled, "
                            f"{c['arenas_out']} arenas out")
    after, took = server.settle(seconds=1.0)
    cancelled = after["cancelled"] - before["cancelled"]
    good = cancelled == drops * streams and after["arenas_out"] == 0
    report.row(f"{drops} dropped connections", f"{cancelled} requests cancelled in mid-sleep, all back {took * 1000:.0f} ms after the last",
               good, time.monotonic() - start)


def end(server, report):
    c, _ = server.settle(seconds=5.0)
    good = balanced(c)
    last, status, took = server.stop()
    report.row("SIGTERM", last, status == 0 and took < 2.0, took)
    report.table()
    print(f"\n  arenas out {c['arenas_out']}, operations live {c['handles_live']}, acquires {c['acquires']} "
          f"{'==' if c['acquires'] == c['releases'] else '!='} releases {c['releases']}")
    ended = c["completed"] + c["failed"] + c["cancelled"]
    print(f"  requests {c['requests_total']} {'==' if ended == c['requests_total'] else '!='} completed {c['completed']} "
          f"+ failed {c['failed']} + cancelled {c['cancelled']}")
    return good


def main():
    parser = argparse.ArgumentParser(description="Drives the demo server with real clients and shows the balance.")
    parser.add_argument("--server", required=True, help="the demo_server executable")
    parser.add_argument("--requests", type=int, default=200000, help="how many h2load asks for")
    parser.add_argument("--drops", type=int, default=1000, help="how many connections are dropped")
    options = parser.parse_args()
    for tool in ("curl", "h2load"):
        if not shutil.which(tool):
            print(f"demo: {tool} is missing (Debian: apt install curl nghttp2-client)", file=sys.stderr)
            return 2
    if not os.access(options.server, os.X_OK):
        print(f"demo: {options.server} is no program; build the target demo_server first", file=sys.stderr)
        return 2

    report = Report()
    try:
        server = Server(options.server)
    except (OSError, RuntimeError) as e:
        print(f"demo: {e}", file=sys.stderr)
        return 1
    print(f"demo_server listens on 127.0.0.1:{server.port}", flush=True)
    try:
        ask_routes(server, report)
        fetch_large(server, report, 64 << 20)
        load(server, report, options.requests)
        drop_connections(server, report, options.drops, streams=5)
        good = end(server, report)
    except (OSError, ValueError) as e:
        print(f"demo: the server failed in the middle: {e}", file=sys.stderr)
        return 1
    finally:
        if server.process.poll() is None:
            server.process.kill()
    print("\n  balanced: everything was given back" if good else "\n  NOT balanced", flush=True)
    return 0 if good and report.good() else 1


if __name__ == "__main__":
    sys.exit(main())
