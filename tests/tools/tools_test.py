#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
import contextlib
import io
import json
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path += [str(ROOT / path) for path in ("tools", "tools/dev", "tests/readme", "benchmarks", "benchmarks/http2")]

import amalgamate
import baseline
import count_tests
import document
import drive
import examples
import extract
import measure
import mutants
import mutate
import planted
import prove


def run(*command, **environment):
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=os.environ | environment)


class Folder(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.addCleanup(self.temporary.cleanup)
        self.folder = pathlib.Path(self.temporary.name).resolve()

    def write(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def program(self, name, text):
        return self.write(name, "#!/bin/sh\n" + text, stat.S_IRWXU)


class Dev(Folder):
    def test_help_is_no_error(self):
        done = run("./dev", "help")
        self.assertEqual(done.returncode, 0)
        for command in ("demo", "test", "check", "lint", "single", "fresh 12", "fresh 13", "fresh sid", "--no-install"):
            self.assertIn(command, done.stdout)

    def test_bad_usage_ends_with_2_and_one_sentence(self):
        for words in (["nope"], ["test", "--nope"], ["demo", "extra"], ["fresh"], ["fresh", "7"], ["fresh", "12", "13"]):
            done = run("./dev", *words)
            self.assertEqual((done.returncode, done.stderr.count("\n")), (2, 1), words)

    def test_no_install_only_names_what_is_missing(self):
        # A machine with apt and without packages: every question is answered no, and installing would be noticed.
        self.program("dpkg-query", "exit 1\n")
        self.program("apt-get", f"touch {self.folder}/installed\n")
        done = run("./dev", "demo", "--no-install", PATH=f"{self.folder}:{os.environ['PATH']}")
        self.assertEqual(done.returncode, 2)
        self.assertIn("libnghttp2-dev", done.stdout)
        self.assertIn("missing: ", done.stderr)
        self.assertFalse((self.folder / "installed").exists())


class Counts(Folder):
    """The guards of ./dev counts: what grows is noticed, what is not recorded is said."""

    def setUp(self):
        super().setUp()
        self.recorded = self.folder / "recorded.json"

    def instructions(self, each, *more):
        # A program with one case, and a valgrind that has counted `each` for each time, and 1000 for the start.
        program = self.program("cases", 'echo "compiler g++ 12.2.0"\necho "W1/mt/born 1"\n')
        self.program("valgrind", f'shift 3\necho "Collected : $((1000 + $2 * {each}))" >&2\n')
        return run(sys.executable, "tools/instructions.py", str(program), "--recorded", str(self.recorded), *more,
                   PATH=f"{self.folder}:{os.environ['PATH']}")

    def instantiations(self, each, *more):
        clang = self.program("clang", f"""case "$1" in --version) echo "clang version 19.1.7"; exit ;; esac
while [ "$1" != -o ]; do shift; done
case "$3" in */include.cpp) n=100 ;; *) n=$((100 + {each})) ;; esac
python3 -c "import json; print(json.dumps(dict(traceEvents=[dict(name='InstantiateClass')] * $n + [dict(name='Source')])))" >"${{2%.o}}.json"
""")
        return run(sys.executable, "tools/instantiations.py", "--recorded", str(self.recorded), *more, CLANG=str(clang))

    def test_what_grows_by_more_than_the_slack_is_a_failure(self):
        for measure in (self.instructions, self.instantiations):
            first = measure(100, "--record")
            self.assertEqual(first.returncode, 0, first.stdout + first.stderr)
            self.assertEqual(measure(103).returncode, 0, "within the slack")
            grown = measure(104)
            self.assertEqual(grown.returncode, 1)
            self.assertIn("104, recorded 100: +4.0%", grown.stdout)
            fallen = measure(90)
            self.assertEqual(fallen.returncode, 0)
            self.assertIn("record it", fallen.stdout)

    def test_what_is_not_recorded_fails_on_the_reference_machine_only(self):
        here = baseline.environment("g++ 12.2.0")
        for where, status in ((f"g++ 12.2.0, {baseline.REFERENCE_SYSTEM}, x86_64", 1), ("g++ 15.1.0, Debian GNU/Linux 13, x86_64", 0)):
            with contextlib.redirect_stdout(io.StringIO()) as said:
                self.assertEqual(baseline.judge(self.recorded, where, {"W1/mt/born": 100}), status, where)
            self.assertIn(f"not recorded for {where}", said.getvalue())
        self.assertEqual(self.instructions(100).returncode, int(baseline.is_reference(here)))

    def test_a_case_that_appears_or_goes_is_a_failure(self):
        self.assertEqual(baseline.compare({"a": 1}, {"a": 1}), ([], []))
        self.assertTrue(baseline.compare({"a": 1, "b": 1}, {"a": 1})[0])
        self.assertTrue(baseline.compare({"a": 1}, {"a": 1, "b": 1})[0])

    def test_a_program_that_does_not_run_is_a_failure(self):
        program = self.program("cases", 'echo "compiler g++ 12.2.0"\necho "W1/mt/born 1"\n')
        self.program("valgrind", "exit 1\n")
        done = run(sys.executable, "tools/instructions.py", str(program), PATH=f"{self.folder}:{os.environ['PATH']}")
        self.assertEqual(done.returncode, 1)
        self.assertIn("did not run under valgrind", done.stderr)


class Bench(Folder):
    """How benchmarks are judged."""

    def gates(self, text):
        return measure.read_gates(text)

    def test_gates_are_read(self):
        g = self.gates("# nothing\nrounds 9 3\nseconds 0.5\nA/b bound 1.5 # why\nA/c asio 0.5\n")
        self.assertEqual((g.rounds, g.seconds, g.part), ((9, 3), 0.5, 10))
        self.assertEqual(g.ratios, [("A/b", "bound", 1.5), ("A/c", "asio", 0.5)])

    def test_a_ratio_is_judged_by_its_budget_and_its_noise(self):
        steady = [10.0] * 20

        def verdict(ours):
            return measure.judge(ours, steady, 1.5)["verdict"]

        self.assertEqual(verdict([14.0] * 20), "pass")
        self.assertEqual(verdict([16.0] * 20), "MISS")
        self.assertEqual(verdict([16.0] * 4 + [20.0] * 16), "noise")

    def test_rows_have_ours_the_bound_and_the_peers(self):
        series = {"W/x/ours": [2.0, 2.0], "W/x/bound": [1.0, 1.0], "W/x/std": [4.0, 4.0], "V/y/std": [1.0, 1.0]}
        rows = measure.rows_of(series, self.gates("W/x bound 3\nW/x asio 1\n"), {"W/x/ours": 1})
        self.assertEqual([(r["form"], r["ours"], r["bound"], r["peers"], r["allocations"]) for r in rows],
                         [("W/x", 2.0, 1.0, {"std": 4.0}, {"ours": 1})])
        self.assertEqual([g["verdict"] for g in rows[0]["gates"]], ["pass", "not there"])

    def test_a_group_may_be_judged_by_its_medians(self):
        series = {"W/x/ours": [1.0, 4.0, 9.0], "W/x/bound": [1.0, 2.0, 9.0]}
        (row,) = measure.rows_of(series, self.gates("part 2\nW/x bound 1.5\n"), {})
        self.assertEqual((row["ours"], row["bound"], row["gates"][0]["ratio"]), (4.0, 2.0, 2.0))

    def test_sizes_are_judged(self):
        sizes = [{"name": n, "bytes": b, "at_most": m} for n, b, m in (("a", 8, 8), ("b", 9, 8), ("c", 9, 0))]
        self.assertEqual([s["verdict"] for s in measure.judged_sizes(sizes)], ["pass", "MISS", ""])

    def test_bench_ends_with_what_the_gates_say(self):
        for slower, status in ((1, 0), (100, 1)):
            times = [{"run_type": "iteration", "run_name": f"block/recycled/{who}", "repetition_index": i, "cpu_time": t, "real_time": t}
                     for who, t in (("ours", slower), ("malloc", 2)) for i in range(3)]
            times.append(times[0] | {"run_name": "block/without a gate/ours"})
            times.append(times[0] | {"run_name": "arena/direct/ours"})  # what it is compared with is not there
            report = {"context": {"num_cpus": 1, "mhz_per_cpu": 1, "load_avg": [0], "date": "x"}, "benchmarks": times}
            self.program("bench_memory", f"cat <<'END'\n{json.dumps(report)}\nEND\n")
            self.program("bench_memory_allocations", "echo '{\"allocations\": {}, \"sizes\": []}'\n")
            done = run(sys.executable, "benchmarks/bench.py", "--build", str(self.folder), "--json", str(self.folder / "r.json"),
                       "--chart", str(self.folder / "r.svg"), "memory")
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn("block/recycled", (self.folder / "r.svg").read_text())
            self.assertIn("not there (of pmr::monotonic)", done.stdout)
        rows = {row["form"]: row for row in json.loads((self.folder / "r.json").read_text())["groups"]["memory"]["rows"]}
        self.assertEqual(rows["block/recycled"]["ours"], 100)


class Prove(Folder):
    """A run of hours may be stopped: what it has explored is kept, and only with the program that explored it."""

    EXPLORES = """for word in "$@"; do last="$word"; done  # --json <file>
echo "$@" >>"$(dirname "$0")/asked"
echo '{"scenarios": 2, "exhausted": 2, "bounded": 0, "executions": 30, "redundant": 0, "failed": 0, "bound": "a bound"}' >"$last"
"""

    def setUp(self):
        super().setUp()
        self.program("generated/test_explore_acts", self.EXPLORES)
        self.report = self.folder / "out/prove.json"

    def prove(self, *how, whole=True):
        stage = prove.Stage("some acts", ("--k", "1"), 3, 1, whole=whole)
        said = io.StringIO()
        words = ["prove.py", str(self.folder), "--json", str(self.report), "--jobs", "1", *how]
        with unittest.mock.patch.object(prove, "QUICK", (stage,)), unittest.mock.patch.object(sys, "argv", words), contextlib.redirect_stdout(said):
            return prove.main(), said.getvalue()

    def asked(self):
        asked = self.folder / "generated/asked"
        return len(asked.read_text().splitlines()) if asked.exists() else 0

    def stage(self):
        (stage,) = json.loads(self.report.read_text())["stages"]
        return stage

    def test_the_parts_add_up(self):
        status, said = self.prove()
        self.assertEqual((status, self.asked()), (0, 3))
        self.assertIn("some acts (a bound): 6 scenarios, all; 6 exhausted; 90 executions, 0 failed", said)
        self.assertEqual((self.stage()["explored"], self.stage()["executions"]), (3, 90))

    def test_what_was_explored_is_not_explored_again_when_asked_to_resume(self):
        self.prove()
        first = self.stage()
        self.assertEqual((self.prove("--resume")[0], self.asked()), (0, 3))
        self.assertEqual(self.stage(), first)
        self.assertEqual((self.prove()[0], self.asked()), (0, 6))

    def test_another_program_explores_all_of_it(self):
        self.prove()
        self.program("generated/test_explore_acts", self.EXPLORES + "# another\n")
        self.assertEqual((self.prove("--resume")[0], self.asked()), (0, 6))

    def test_a_part_that_failed_is_a_failure_and_is_explored_again(self):
        breaks = self.EXPLORES.replace('"failed": 0', '"failed": 1') + "exit 1\n"
        self.program("generated/test_explore_acts", breaks)
        self.assertEqual((self.prove()[0], self.stage()["failed"], self.asked()), (1, 3, 3))
        self.assertEqual((self.prove("--resume")[0], self.asked()), (1, 6))

    def test_one_that_dies_is_a_failure(self):
        self.program("generated/test_explore_acts", "kill -9 $$\n")
        self.assertEqual((self.prove()[0], self.stage()["failed"]), (1, 3))

    def test_a_run_that_is_stopped_has_said_what_it_did_and_the_next_goes_on(self):
        explore, stopped = prove.Parts.explore, []

        def until_stopped(parts, part):
            if self.asked() == 2 and not stopped.append(part):
                raise KeyboardInterrupt
            return explore(parts, part)

        with unittest.mock.patch.object(prove.Parts, "explore", until_stopped):
            self.assertEqual(self.prove()[0], 130)
        self.assertEqual((self.stage()["explored"], self.asked(), len(stopped)), (2, 2, 1))
        self.assertEqual((self.prove("--resume")[0], self.asked(), self.stage()["explored"]), (0, 3, 3))

    def test_no_time_for_any_part_is_a_failure(self):
        status, said = self.prove("--minutes", "0", whole=False)
        self.assertEqual((status, self.asked()), (1, 0))
        self.assertIn("there was no time for: some acts", said)


class Servers(Folder):
    """HTTP/2 servers, driven by an h2load of our own."""

    def setUp(self):
        super().setUp()
        for who in ("ours", "bound"):
            self.write(f"bench_http2_{who}", """#!/usr/bin/env python3
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit("allocations 7"))
with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        server.accept()[0].close()
""", stat.S_IRWXU)
        here = min(os.sched_getaffinity(0))
        for patch in (unittest.mock.patch.object(drive, "PROCESSORS", [here, here]),
                      unittest.mock.patch.dict(os.environ, PATH=f"{self.folder}:{os.environ['PATH']}")):
            patch.start()
            self.addCleanup(patch.stop)

    def load(self, ends):
        self.program("h2load", f"""for word in "$@"; do case "$word" in -n*) n=${{word#-n}} ;; esac; done
echo "finished in 1.23s, 500000.00 req/s"; echo "requests: $n total, $n succeeded, {ends} failed"; echo "status codes: $n 2xx, 0 3xx"
""")

    def test_each_server_is_asked_each_way_in_each_round(self):
        self.load(0)
        runs = drive.timed(self.folder, 2, "/(c1m100|large)/(ours|bound)$")
        names = sorted(run["run_name"] for run in runs if run["repetition_index"] == 1)
        self.assertEqual(names, sorted(f"H2/{what}/{case}/{who}" for what in ("cpu", "elapsed") for case in ("c1m100", "large") for who in ("ours", "bound")))
        self.assertEqual(len(runs), 2 * len(names))
        elapsed = {run["run_name"]: run["cpu_time"] for run in runs}
        self.assertAlmostEqual(elapsed["H2/elapsed/c1m100/ours"], 2000)
        self.assertAlmostEqual(elapsed["H2/elapsed/large/bound"], 2000 / 1024)

    def test_a_request_that_fails_ends_it(self):
        self.load(1)
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as said:
            drive.timed(self.folder, 1, "/c1m100/ours$")
        self.assertIn("1 failed", said.getvalue())

    def test_a_server_ends_with_its_block_and_is_heard(self):
        with drive.own(self.folder, "ours") as server:
            self.assertGreater(server.seconds(), 0)
            self.assertGreater(server.resident(), 0)
        self.assertEqual((server.process.returncode, server.words), (1, "allocations 7\n"))

    def test_when_one_does_not_start_the_others_end(self):
        self.program("bench_http2_bound", "exit 1\n")
        started = []
        enter = drive.Server.__enter__

        def noted(server):
            started.append(server)
            return enter(server)

        with unittest.mock.patch.object(drive.Server, "__enter__", noted), self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()):
            drive.timed(self.folder, 1, "/c1m100/(ours|bound)$")
        self.assertEqual([(server.who, server.process.returncode) for server in started], [("ours", 1), ("bound", 1)])

    def test_a_server_that_does_not_start_is_named(self):
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(io.StringIO()) as said:
            drive.Server("deaf", ["sh", "-c", "echo no port >&2"]).__enter__()
        self.assertEqual(said.getvalue(), "http2: deaf does not listen: no port\n\n")


class Page(Folder):
    """docs/performance.md of what was measured."""

    def results(self, machine, **ours):
        rows = {group: {"rows": [{"form": f"W/{group}", "ours": ns, "bound": 1.0, "peers": {}, "gates": []}], "sizes": []} for group, ns in ours.items()}
        return json.dumps({"machine": {"cpu": machine, "cpus": 2, "mhz": 1, "system": "s", "compiler": "x", "date": "2026-01-01T00"}, "groups": rows})

    def test_a_group_that_was_not_measured_is_left_out(self):
        self.write("benchmarks/performance.md.in", "a\n{{if core}}\n{{ours W/core}}\n{{end}}\n{{if http2}}\n{{ours W/http2}}\n{{end}}\nb\n")
        self.write("benchmarks/results.json", self.results("here", core=2.0))
        self.assertEqual(document.Page(self.folder).text(), "a\n2.0\nb\n")

    def test_a_run_of_one_group_leaves_the_others_as_they_are(self):
        self.write("benchmarks/performance.md.in", "{{machine}}: {{ours W/core}}\n{{table core}}\n{{table http2}}\n")
        self.write("benchmarks/results.json", self.results("here", core=2.0, http2=3.0))
        document.take(self.folder, self.write("run.json", self.results("there", http2=4.0)))
        self.assertRegex(document.Page(self.folder).text(), r"(?s)^here[^\n]*: 2.0\n.*W/core \| 2.0[^M]*W/http2 \| 4.0[^M]*\nMeasured in a run of its own, on there.*\n$")
        document.take(self.folder, self.write("run.json", self.results("there", core=5.0, http2=6.0)))
        self.assertRegex(document.Page(self.folder).text(), r"(?s)^there[^\n]*: 5.0\n.*W/core \| 5.0[^M]*W/http2 \| 6.0[^M]*$")


class Fresh(Folder):
    """A debootstrap of our own that fails: the last line says in one sentence what is wrong."""

    def bootstrap(self, said, status=1):
        self.program("debootstrap", f'echo "$@"; echo "{said}"; exit {status}\n')
        script = (f". tools/dev/steps.sh; logs={self.folder}/logs; . tools/dev/fresh.sh; "
                  f"fresh_bootstrap zurg {self.folder}/debian http://mirror")
        done = run("bash", "-c", script, PATH=f"{self.folder}:{os.environ['PATH']}")
        return done.returncode, done.stderr, done.stdout

    def test_what_is_wrong_is_said(self):
        for said, why in (("E: Failed getting release file", "http://mirror has no Debian zurg"), ("E: signed by unknown key", "debian-archive-keyring"),
                          ("E: No such script", "debootstrap"), ("E: something else", "network")):
            status, error, _ = self.bootstrap(said)
            self.assertEqual((status, error.count("\n")), (2, 1))
            self.assertIn(why, error)

    def test_a_release_that_debootstrap_does_not_know_is_made_as_unstable_is(self):
        status, error, output = self.bootstrap("ok", status=0)
        self.assertEqual((status, error), (0, ""))
        log = (self.folder / "logs" / "debootstrap-zurg.log").read_text()
        self.assertRegex(log, r"--keyring=\S+ zurg \S+ http://mirror sid\n")


class CiRun(Folder):
    """.ci/run adds up what ./dev reports; here ./dev is one of our own."""

    def last_line(self, dev):
        self.write(".ci/run", (ROOT / ".ci" / "run").read_text(), 0o755)
        self.program("dev", dev)
        done = subprocess.run([self.folder / ".ci" / "run"], capture_output=True, text=True)
        return done.stdout.split("\n")[-2], done.returncode

    def test_adds_up(self):
        self.assertEqual(self.last_line('echo 3 0 >>"$SETTLE_TOTALS"\n'), ("6 passed, 0 failed", 0))

    def test_a_failure_is_a_failure(self):
        self.assertEqual(self.last_line('echo 3 1 >>"$SETTLE_TOTALS"; exit 1\n'), ("6 passed, 2 failed", 1))

    def test_a_command_that_ends_early_is_a_failure(self):
        self.assertEqual(self.last_line('[ $1 = check ] && exit 2; echo 3 0 >>"$SETTLE_TOTALS"\n'), ("3 passed, 1 failed", 1))

    def test_nothing_ran_is_a_failure(self):
        self.assertEqual(self.last_line('echo 0 0 >>"$SETTLE_TOTALS"\n'), ("0 passed, 1 failed", 1))


class CountTests(Folder):
    def count(self, *statuses):
        cases = "".join(f'<testcase name="t" status="{status}"/>' for status in statuses)
        return count_tests.count(str(self.write("r.xml", f"<testsuite>{cases}</testsuite>")))

    def test_only_what_ran_and_succeeded_has_passed(self):
        self.assertEqual(self.count("run", "fail", "notrun", "disabled"), (1, 3))

    def test_nothing_is_a_failure(self):
        self.assertEqual(self.count(), (0, 1))
        self.assertEqual(count_tests.count("no such file"), (0, 1))


class Extract(Folder):
    def extract(self, *parts):
        page = self.write("page.md", "\n".join(parts))
        return [(kind, component, file.name) for kind, component, file in extract.extract(page, self.folder / "out", "page")]

    def out(self, name):
        return (self.folder / "out" / name).read_text()

    def test_programs_stand_alone_and_fragments_share_a_file(self):
        rows = self.extract("```cpp", "#include <a>", "int f();", "```", "```cpp", "int main() {}", "```", "```cpp", "#include <a>", "int f();", "```")
        self.assertEqual(rows, [("program", "core", "page_6.cpp"), ("fragments", "core", "page_core.cpp")])
        text = self.out("page_core.cpp")
        self.assertEqual(text.count("#include"), 1)
        self.assertEqual(text.count("namespace block_"), 2)
        self.assertIn("#line 9\n", text)

    def test_the_text_right_under_a_program_is_what_it_prints(self):
        rows = self.extract("```cpp", "int main() {}", "```", "It prints", "```text", "x", "```", "```text", "y", "```")
        self.assertEqual(rows, [("compared", "core", "page_2.cpp")])
        self.assertEqual(self.out("page_2.txt"), "x\n")

    def test_a_block_may_go_on(self):
        self.extract("```cpp", "int a;", "```", "```text", "```", "```cpp continued", "int main() { return a; }", "```")
        text = self.out("page_2.cpp")
        self.assertLess(text.index("int a;"), text.index("return a;"))
        with self.assertRaises(ValueError):
            self.extract("```cpp continued", "```")

    def test_what_a_block_includes_says_which_component_it_needs(self):
        rows = self.extract("```cpp", "#include <settle/asio/asio.hpp>", "```", "```cpp", "#include <settle/http2/http2.hpp>", "```")
        self.assertEqual([row[1] for row in rows], ["asio", "http2"])

    def test_output_that_differs_is_a_failure(self):
        said = self.program("says", "echo x\n")
        self.assertEqual(extract.compare(str(said), str(self.write("same.txt", "x\n"))), "")
        self.assertIn("The program prints:\nx", extract.compare(str(said), str(self.write("other.txt", "y\n"))))


class Examples(Folder):
    def test_declarations_go_before_statements(self):
        code = "f(x);\nstruct a {\n  int b;\n};\nvoid g(int n) { f(n); }\nserver web(io, {}, [](int q) {\n  return q;\n});\n"
        declarations, statements = examples.parts(code)
        self.assertEqual(declarations, "struct a {\n  int b;\n};\nvoid g(int n) { f(n); }\n")
        self.assertEqual(statements, "f(x);\nserver web(io, {}, [](int q) {\n  return q;\n});\n")

    def test_control_flow_is_no_declaration(self):
        code = "while (f(1)) {\n  g();\n}\nif (int n = f(2)) {\n}\nauto r = make<int>([](int) { return 1; });\n"
        self.assertEqual(examples.parts(code), ("", code))

    def test_each_component_has_its_own_file(self):
        self.write("include/settle/a.hpp", "/// ```cpp\n/// f();\n/// ```\n")
        self.write("include/settle/asio/b.hpp", "  /// ```cpp\n  /// g();\n  /// ```\n")
        found = examples.examples(self.folder / "include")
        self.assertEqual(found, {"core": [("a.hpp", 2, "f();\n")], "asio": [("asio/b.hpp", 2, "g();\n")]})
        self.assertIn("auto& op = world::op;", examples.translation_unit(found["core"], "extern settle::operation op;\n"))


class Amalgamate(Folder):
    def amalgam(self, **files):
        for name, text in files.items():
            self.write(f"include/{name}.hpp", text)
        before, amalgamate.INCLUDE = amalgamate.INCLUDE, self.folder / "include"
        try:
            amalgam = amalgamate.Amalgam()
            return amalgam.inlined(self.folder / "include" / "a.hpp"), amalgam.standard
        finally:
            amalgamate.INCLUDE = before

    def test_a_header_stands_where_it_is_first_included(self):
        text, standard = self.amalgam(a='#ifndef A\n#include <vector>\n#include "b.hpp"\nint a;\n#include "c.hpp"\n#endif\n',
                                      b="int b;\n", c='#include "b.hpp"\nint c;\n')
        self.assertEqual([line for line in text.split("\n") if line.startswith("int")], ["int b;", "int a;", "int c;"])
        self.assertEqual(standard, {"vector"})

    def test_what_depends_on_a_condition_stays_under_it(self):
        text, standard = self.amalgam(a="#ifndef A\n#ifdef X\n#include <thread>\n#endif\n#include <asio/post.hpp>\n#endif\n")
        self.assertIn("#ifdef X\n#include <thread>\n#endif\n#include <asio/post.hpp>", text)
        self.assertEqual(standard, set())

    def test_a_header_of_ours_under_a_condition_is_refused(self):
        with self.assertRaises(SystemExit):
            self.amalgam(a='#ifndef A\n#ifdef X\n#include "b.hpp"\n#endif\n#endif\n', b="")


class Mutants(unittest.TestCase):
    def planted(self, header, *lines):
        planter = mutants.Planter()
        planter.plant(header, "\n".join(("", *lines, "")))
        return [f"{m.line}: {m.what}" for m in planter.mutants]

    def test_statements_conditions_results_and_orders_each_have_theirs(self):
        lines = ("  a.store(1, std::memory_order_release);", "  b();", "  if (c) return true;")
        self.assertEqual(self.planted("handle.hpp", *lines), ["2: left out", "2: swapped with the next", "2: relaxed", "3: left out", "4: returns the opposite", "4: condition negated"])

    def test_what_goes_on_from_the_line_before_has_its_orders_only(self):
        self.assertEqual(self.planted("handle.hpp", "  int n =", "      a.fetch_add(1, std::memory_order_acq_rel);"), ["3: relaxed to acquire", "3: relaxed to release"])

    def test_a_header_beside_the_mechanism_has_its_orders_only(self):
        beside = mutants.of_orders_only()
        self.assertIn("combine/detail/group.hpp", beside)
        self.assertFalse(set(beside) & set(mutants.HEADERS))
        self.assertEqual(self.planted(beside[0], "  if (a.load(std::memory_order_acquire)) b();"), ["2: relaxed"])


class Mutate(Folder):
    HEADER = "void f() {\n  if (x) {\n    go();\n  }\n}\nbool g() { return go(); }\nvoid h() {\n  go();\n  go();\n}\n"

    def edited(self, **edit):
        return mutate.Edit(file="a.hpp", **edit).apply(self.HEADER)

    def test_an_edit_stays_in_the_function_it_names(self):
        self.assertEqual(self.edited(at="void f()", old="go()", new="stop()"), self.HEADER.replace("go()", "stop()", 1))
        self.assertIn("bool g() { return 1; }", self.edited(at="bool g()", old="go()", new="1"))

    def test_an_edit_that_does_not_fit_says_where(self):
        for edit in ({"old": "go()"}, {"at": "void h()", "old": "go()"}, {"at": "void i()", "old": "go()"}, {"at": "bool g()", "old": "x"}):
            with self.assertRaisesRegex(mutate.DoesNotFit, "a.hpp has|of a.hpp has"):
                self.edited(**edit, new="")

    def ending(self, body, limit=20):
        return mutate.run(self.program("tests", f"echo '[ RUN      ] G01.x'\n{body}\n"), "*", limit).how

    def test_what_a_run_ended_with(self):
        self.assertEqual(self.ending("true"), "passed")
        self.assertEqual(self.ending("echo a.cpp:1: Failure; kill -TRAP $$"), "failed")
        self.assertEqual(self.ending("kill -SEGV $$"), "signal")
        self.assertEqual(self.ending("echo '==1==ERROR: AddressSanitizer: heap-use-after-free'; exit 99"), "sanitizer")
        self.assertEqual(self.ending("while :; do :; done", limit=0.5), "hang")
        self.assertEqual(mutate.run(self.program("none", "exit 0\n"), "*", 20).how, "no test")

    def test_a_row_that_does_not_fit_or_compile_is_no_success(self):
        self.write("include/settle/a.hpp", self.HEADER)
        self.write("tests/core/g01_x.cpp", "int main() {}\n")
        self.write("tests/support/allocations.cpp", "")
        toolchain = mutate.Toolchain(("false",), (), self.folder)
        for edit, expected in ((mutate.Edit("a.hpp", "nothing", ""), "mend the row"), (mutate.Edit("a.hpp", "bool g", "int g"), "does not compile")):
            control = mutate.Control("g01_x", "row", "something", (edit,), "g01_x.cpp", "*")
            self.assertIn(expected, mutate.work(control, [control], True, self.folder / "work", self.folder / "common", toolchain, self.folder / "include"))

    def test_defects_in_one_program_keep_their_functions_apart(self):
        self.write("include/settle/a.hpp", self.HEADER + "struct s {\n  int x;\n};\nconstexpr int c() { return 1; }\n")
        rows = {"f": ("void f()", "go()", "stop()"), "g": ("bool g()", "go()", "1"), "f_too": ("void f()", "if (x)", "if (y)"),
                "whole": ("", "bool g", "int g"), "type": ("struct s", "int x", "int y"), "early": ("constexpr int c()", "1", "2")}
        controls = [mutate.Control("x", name, "", (mutate.Edit("a.hpp", old, new, at),), "x.cpp", "*") for name, (at, old, new) in rows.items()]
        together = planted.Together(controls, self.folder / "include")
        self.assertEqual(together.numbers, {"x/f": 1, "x/g": 2, "x/f_too": 3})
        text = " ".join(together.texts["a.hpp"].split())
        self.assertIn("void f() { if (settle_planted == 1) { if (x) { stop(); } } else if (settle_planted == 3) { if (y) { go(); } } else { if (x) { go(); } } }", text)
        self.assertIn("bool g() { if (settle_planted == 2) { return 1; } else { return go(); } }", text)
        self.assertIn("constexpr int c() { return 1; }", text)


if __name__ == "__main__":
    unittest.main()
