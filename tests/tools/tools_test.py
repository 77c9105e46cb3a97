#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path += [str(ROOT / "tools"), str(ROOT / "tools" / "dev")]

import amalgamate
import count_tests
import mutate


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
        for command in ("demo", "test", "check", "lint", "single", "fresh 12", "--no-install"):
            self.assertIn(command, done.stdout)

    def test_bad_usage_ends_with_2_and_one_sentence(self):
        for words in (["nope"], ["test", "--nope"], ["demo", "extra"], ["fresh"], ["fresh", "7"]):
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
            self.assertIn(expected, mutate.work(control, True, self.folder / "work", toolchain, self.folder / "include"))


if __name__ == "__main__":
    unittest.main()
