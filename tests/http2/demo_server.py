#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Black-box tests of the demo server: its flags, its exit status, its balance under real clients.

    tests/http2/demo_server.py build/release/examples/http2/demo_server [name...]

Exit status 0: passed; 1: failed; 77: curl or h2load is missing.
"""

import hashlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tools"))
import demo  # noqa: E402

SERVER = ""


def sanitized(kind):
    with open(SERVER, "rb") as program:
        return f"__{kind}_".encode() in program.read()


def refused(*flags):
    """Exit status and what was said, of a server that must not start."""
    done = subprocess.run([SERVER, *flags], capture_output=True, text=True, timeout=10, check=False)
    return done.returncode, done.stderr, done.stdout


class Usage(unittest.TestCase):
    def check(self, *flags):
        status, err, out = refused(*flags)
        self.assertEqual(status, 2, flags)
        self.assertEqual(out, "")
        self.assertRegex(err, r"\Ademo_server: [^\n]+\n\Z", flags)

    def test_bad_flags(self):
        for flags in (["--nonsense"], ["--port"], ["--port", "x"], ["--port", "65536"], ["--port", "-1"], ["--arenas", "1e3"],
                      ["--arena-bytes", ""], ["hello"], ["--port", "1", "2"]):
            self.check(*flags)

    def test_impossible_pools(self):
        for flags in (["--arenas", "65536"], ["--arenas", "0"], ["--arena-bytes", "0"], ["--arena-bytes", "100"],
                      ["--arenas", "65535", "--arena-bytes", "18446744073709551615"]):
            self.check(*flags)

    def test_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            self.check("--port", str(taken.getsockname()[1]))


class Running(unittest.TestCase):
    flags = ()

    def setUp(self):
        self.server = demo.Server(SERVER, *self.flags)
        self.addCleanup(self.end)

    def client(self):
        c = demo.Client(self.server.port)
        self.addCleanup(c.drop, by_reset=False)
        return c

    def end(self):
        self.server.observer.drop(by_reset=False)
        if self.server.process.poll() is None:
            self.server.process.kill()
        self.server.process.stdout.close()
        self.server.process.wait()

    def settled(self, seconds=5.0):
        c, took = self.server.settle(seconds)
        self.assertTrue(demo.balanced(c), c)
        return c, took

    def stopped(self, how=signal.SIGTERM):
        start = time.monotonic()
        self.server.process.send_signal(how)
        out, _ = self.server.process.communicate(timeout=10)
        self.assertLess(time.monotonic() - start, 2.0)
        self.assertEqual(self.server.process.returncode, 0, out)
        self.assertRegex(out, r"\Abalanced: [^\n]+\n\Z")


class Routes(Running):
    def test_every_route(self):
        report = demo.Report()
        demo.ask_routes(self.server, report)
        self.assertTrue(report.good(), report.rows)
        for path, status in (("/bytes/67108865", 413), ("/bytes/x", 400), ("/slow", 400), ("/slow?ms=x", 400), ("/hello?a=b", 200), ("/", 404)):
            self.assertEqual(demo.curl(self.server, path)[0], status, path)
        self.assertEqual(demo.curl(self.server, "/hello", "--data", "x")[0], 405)
        self.assertEqual(demo.curl(self.server, "/echo")[0], 405)
        self.assertEqual(demo.curl(self.server, "/bytes/0"), (200, b""))
        self.settled()
        self.stopped(signal.SIGINT)

    def test_census_has_its_fields(self):
        names = ["handles_live", "arenas_out", "arenas_peak", "arenas_total", "acquires", "releases", "requests_total", "completed",
                 "failed", "cancelled", "refused"]
        c = self.server.census()
        self.assertEqual(list(c), names)
        self.assertEqual(c["arenas_total"], 10240)
        self.assertTrue(demo.balanced(c), c)

    def test_large_body_intact(self):
        size = 64 << 20
        fetch = subprocess.Popen(["curl", "--silent", "--http2-prior-knowledge", self.server.url(f"/bytes/{size}")], stdout=subprocess.PIPE)
        got, n = hashlib.sha256(), 0
        with fetch.stdout:
            while block := fetch.stdout.read(1 << 20):
                got.update(block)
                n += len(block)
        self.assertEqual((fetch.wait(), n), (0, size))
        period = bytes(i % 251 for i in range(251)) * 4096
        expected = hashlib.sha256()
        for at in range(0, size, len(period)):
            expected.update(period[: min(len(period), size - at)])
        self.assertEqual(got.digest(), expected.digest())
        if not sanitized("asan") and not sanitized("tsan"):
            self.assertLess(self.server.peak_memory(), 40_000_000)
        self.settled()
        self.stopped()


class Load(Running):
    def test_h2load(self):
        run = subprocess.run(["h2load", "-n200000", "-c100", "-m100", self.server.url("/hello")], capture_output=True, text=True, check=True)
        numbers = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", run.stdout)
        self.assertEqual(numbers.groups(), ("200000", "0", "0"), run.stdout)
        c, _ = self.settled()
        self.assertGreaterEqual(c["completed"], 200000)
        self.stopped()

    def test_a_thousand_drops(self):
        for i in range(1000):
            client = demo.Client(self.server.port)
            client.open("/slow?ms=60000", "/slow?ms=60000")
            client.drop(by_reset=i % 2 == 1)
        c, took = self.settled()
        self.assertEqual(c["cancelled"], 2000)
        self.assertLess(took, 1.0)
        self.stopped()

    def test_stops_with_everything_pending(self):
        clients = [self.client() for _ in range(50)]
        for client in clients:
            client.open(*["/slow?ms=60000"] * 20, "/bytes/67108864")
        self.assertEqual(self.server.census()["arenas_out"], 1050)
        self.stopped()


class FewArenas(Running):
    flags = ("--arenas", "8")

    def test_refused_and_recovered(self):
        client = self.client()
        client.open(*["/slow?ms=60000"] * 8)
        other = self.client()
        with self.assertRaises(ConnectionError):
            other.get("/hello")
        client.drop(by_reset=True)
        start = time.monotonic()
        while time.monotonic() - start < 5:
            try:
                self.assertEqual(other.get("/hello"), b"hello world\n")
                break
            except ConnectionError:
                pass
        c, _ = self.settled()
        self.assertGreaterEqual(c["refused"], 1)
        self.stopped()


class FewDescriptors(Running):
    def test_accepts_again(self):
        if sanitized("ubsan"):
            self.skipTest("the sanitizer itself needs descriptors")
        resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE, (30, 30))
        crowd = [socket.create_connection(("127.0.0.1", self.server.port)) for _ in range(100)]
        self.assertTrue(demo.balanced(self.server.census()))
        for s in crowd:
            s.close()
        self.assertEqual(self.client().get("/hello"), b"hello world\n")
        self.stopped()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: demo_server.py SERVER [name...]")
    SERVER = sys.argv.pop(1)
    if not shutil.which("curl") or not shutil.which("h2load"):
        print("curl or h2load is missing (Debian: curl, nghttp2-client)")
        sys.exit(77)
    unittest.main()
