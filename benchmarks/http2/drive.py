#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Drives HTTP/2 servers with h2load and says what they took, as the programs of the other groups do: ours, the bound, and of the
peers below those that are installed. The server has one processor, h2load another one; all of it on the loopback address.

  drive.py <folder of the programs> [--benchmark_repetitions=N] [--benchmark_filter=REGEX]    time, as Google Benchmark writes it
  drive.py <folder of the programs> --count                                                   allocations and memory

H2/cpu/...: the server's processor time for each request (large: for each KiB of 1 MiB bodies). H2/elapsed/...: the same by the
clock, which for a fast server is h2load's time. Every round asks each server each way, in random order. A request that fails is an error.
"""
import argparse
import contextlib
import datetime
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent.parent / "tools"))
import demo  # noqa: E402

TINY, LARGE = b"hello, world\n", bytes(1 << 20)
# By name: connections, streams at once on each, how many requests, the path, items in each request.
CASES = {"c100m100": (100, 100, 200000, "/tiny", 1), "c100m10": (100, 10, 200000, "/tiny", 1), "c1m100": (1, 100, 200000, "/tiny", 1),
         "large": (10, 10, 300, "/large", len(LARGE) >> 10)}
COUNTED = 20000  # requests, and three times as many: what the two differ in is what each request costs once warm
IDLE = 400  # connections at once

NGINX = """daemon off; master_process off; error_log /dev/null; pid {folder}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; default_type text/plain; root {folder};
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port} http2; location = /tiny {{ return 200 "hello, world\\n"; }} }}
}}
"""
H2O = """num-threads: 1
listen: {{host: 127.0.0.1, port: {port}}}
user: {user}
hosts: {{default: {{paths: {{/: {{file.dir: {folder}}}}}}}}}
"""
NODE = """const tiny = 'hello, world\\n', large = Buffer.alloc(1 << 20);
const server = require('http2').createServer();
server.on('stream', (stream, head) => {{
  const body = head[':path'] === '/large' ? large : tiny;
  stream.respond({{':status': 200, 'content-type': 'text/plain', 'content-length': body.length}});
  stream.end(body);
}});
server.listen({port}, '127.0.0.1');
"""
# By name: the command, the file it is told by (its {config}), and what part of the requests it gets, being slow.
PEERS = {
    "nghttpd": (["nghttpd", "--no-tls", "--workers=1", "--htdocs={folder}", "--address=127.0.0.1", "{port}"], "", 1),
    "h2o": (["h2o", "-c", "{config}"], H2O, 1),
    "nginx": (["nginx", "-e", "/dev/null", "-p", "{folder}", "-c", "{config}"], NGINX, 20),
    "node": (["node", "{config}"], NODE, 20),
}


def fail(why: str) -> None:
    print(f"http2: {why}", file=sys.stderr)
    sys.exit(1)


def program(name: str) -> str | None:
    """Servers are where only root looks."""
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin:/usr/local/sbin")


def pinned(processor: int):
    return lambda: os.sched_setaffinity(0, {processor})


class Server:
    """Runs on the first processor until the block ends."""

    def __init__(self, who: str, command: list[str], config: str = "", part: int = 1, preload: str = ""):
        self.who, self.command, self.config, self.part, self.preload = who, command, config, part, preload

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory()
        folder = pathlib.Path(self.temporary.name)
        folder.chmod(0o755)
        (folder / "tiny").write_bytes(TINY)
        (folder / "large").write_bytes(LARGE)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        words = {"folder": folder, "port": self.port, "config": folder / "config", "user": "root" if os.getuid() == 0 else os.environ.get("USER", "")}
        (folder / "config").write_text(self.config.format(**words))
        self.said = open(folder / "said", "w+")
        self.process = subprocess.Popen([word.format(**words) for word in self.command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=self.said, preexec_fn=pinned(PROCESSORS[0]), env=os.environ | {"LD_PRELOAD": self.preload})
        self.wait_until_it_listens()
        return self

    def wait_until_it_listens(self) -> None:
        end = time.monotonic() + 10
        while self.process.poll() is None and time.monotonic() < end:
            try:
                return socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.01)
        self.__exit__()
        fail(f"{self.who} does not listen: {self.words}")

    def __exit__(self, *_) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.said.seek(0)
        self.words = self.said.read()
        self.said.close()
        self.temporary.cleanup()

    def seconds(self) -> float:
        """What the process has taken of processors so far: the clock that clock_getcpuclockid() names."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def resident(self) -> int:
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * resource.getpagesize()

    def ask(self, connections: int, streams: int, requests: int, path: str) -> float:
        """Seconds by the clock, as h2load says."""
        command = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-n{requests}", f"http://127.0.0.1:{self.port}{path}"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=pinned(PROCESSORS[1]))
        rate = re.search(r"finished in [^,]+, ([\d.]+) req/s", done.stdout)
        if not rate or f"{requests} succeeded, 0 failed" not in done.stdout or f"status codes: {requests} 2xx" not in done.stdout:
            fail(f"{self.who}: {' '.join(command)} said:\n{done.stdout}")
        return requests / float(rate[1])


def own(build: pathlib.Path, who: str, preload: str = "") -> Server:
    return Server(who, [str(build / f"bench_http2_{who}"), "{port}"], preload=preload)


def servers(build: pathlib.Path) -> list[Server]:
    found = {who: (program(command[0]), command[1:], config, part) for who, (command, config, part) in PEERS.items()}
    return [own(build, "ours"), own(build, "bound")] + [Server(who, [path, *rest], config, part) for who, (path, rest, config, part) in found.items() if path]


def take(server: Server, case: str) -> tuple[float, float]:
    """Nanoseconds for each item: of the server's processor, and by the clock."""
    connections, streams, requests, path, items = CASES[case]
    requests = max(requests // server.part, connections)
    before = server.seconds()
    elapsed = server.ask(connections, streams, requests, path)
    return tuple(seconds * 1e9 / (requests * items) for seconds in (server.seconds() - before, elapsed))


def timed(build: pathlib.Path, rounds: int, only: str) -> list[dict]:
    runs = []
    wanted = [(server, case) for server in servers(build) for case in CASES
              if any(re.search(only, f"H2/{what}/{case}/{server.who}") for what in ("cpu", "elapsed"))]
    with contextlib.ExitStack() as running:
        for server in dict.fromkeys(server for server, _ in wanted):
            running.enter_context(server)
        for i in range(-1, rounds):  # the first one only warms up
            for server, case in random.sample(wanted, len(wanted)):
                for what, ns in zip(("cpu", "elapsed"), take(server, case)):
                    name = f"H2/{what}/{case}/{server.who}"
                    if i >= 0 and re.search(only, name):
                        runs.append({"run_type": "iteration", "run_name": name, "repetition_index": i, "cpu_time": ns, "real_time": ns})
    return runs


def allocations(build: pathlib.Path) -> dict[str, float]:
    """For each request, nghttp2's included: it makes as many for ours as for the bound."""
    def made(who: str, case: str, times: int) -> int:
        connections, streams, requests, path, _ = CASES[case]
        with own(build, who, str(build / "bench_http2_counting.so")) as server:
            server.ask(connections, streams, times * min(requests, COUNTED), path)
        return int(re.search(r"allocations (\d+)", server.words)[1])

    return {f"H2/cpu/{case}/{who}": (made(who, case, 3) - made(who, case, 1)) / (2 * min(CASES[case][2], COUNTED))
            for who in ("ours", "bound") for case in CASES}


def idle(server: Server) -> tuple[int, int]:
    """Resident bytes for a connection that does nothing: a new one, and one that has had a hundred requests at once."""
    clients = []

    def a_hundred(client) -> None:
        client.open(*["/tiny"] * 99)
        client.get("/tiny")

    with server:
        a_hundred(demo.Client(server.port))
        before = server.resident()
        for _ in range(IDLE):
            clients.append(demo.Client(server.port))
            clients[-1].open()
        fresh = server.resident()
        for client in clients:
            a_hundred(client)
        after = server.resident()
        for client in clients:
            client.drop(by_reset=False)
    return (fresh - before) // IDLE, (after - before) // IDLE


def sizes(build: pathlib.Path) -> list[dict]:
    said = []
    for server in servers(build):
        limits = (15500, 20000) if server.who == "ours" else (0, 0)
        for what, bytes_, limit in zip(("connection, idle", "connection, idle after 100 requests"), idle(server), limits):
            name = what if server.who == "ours" else f"{what}: {server.who}"
            said.append({"name": name, "bytes": bytes_, "at_most": limit})
    return sorted(said, key=lambda size: "after" in size["name"])


def context(build: pathlib.Path) -> dict:
    compiler = subprocess.run([build / "bench_http2_ours"], stdout=subprocess.PIPE, text=True).stdout.strip()
    speed = re.search(r"cpu MHz\s*: (\d+)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"num_cpus": os.cpu_count(), "mhz_per_cpu": int(speed[1]) if speed else 0, "load_avg": os.getloadavg(), "compiler": compiler,
            "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--benchmark_repetitions", type=int, default=5)
    parser.add_argument("--benchmark_filter", default="")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers end, too
    args, _ = parser.parse_known_args()  # what else Google Benchmark is told is not for us
    if len(PROCESSORS) < 2 or not shutil.which("h2load"):
        fail("this wants Linux, two processors, and h2load (Debian: nghttp2-client)")
    if args.count:
        for who in PEERS.keys() - {server.who for server in servers(args.build)}:
            print(f"http2: {who} is not installed and left out", file=sys.stderr)
        said = {"allocations": allocations(args.build), "sizes": sizes(args.build)}
    else:
        said = {"context": context(args.build), "benchmarks": timed(args.build, args.benchmark_repetitions, args.benchmark_filter)}
    print(json.dumps(said, indent=1))
    return 0


PROCESSORS = sorted(os.sched_getaffinity(0))[:2] if hasattr(os, "sched_getaffinity") else []

if __name__ == "__main__":
    sys.exit(main())
