#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Each header compiles alone: CMake's all_verify_interface_header_sets."""
import subprocess

import common


def problems(root):
    build = root / "build" / "debug"
    commands = [["cmake", "--build", build, "--target", "all_verify_interface_header_sets"]]
    if not (build / "build.ninja").exists():  # a tree of the self-test
        commands.insert(0, ["cmake", "-G", "Ninja", "-S", root, "-B", build])
    for command in commands:
        quiet = subprocess.DEVNULL if root != common.ROOT else None  # the self-test's failures are not news
        if subprocess.run(command, stdout=quiet, stderr=quiet).returncode != 0:
            return ["a header does not compile alone; the compiler says above which and why."]
    return []


PROJECT = """cmake_minimum_required(VERSION 3.25)
project(x LANGUAGES CXX)
add_library(x INTERFACE)
target_sources(x INTERFACE FILE_SET HEADERS FILES a.hpp)
set_target_properties(x PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
"""
CLEAN = {"CMakeLists.txt": PROJECT, "a.hpp": "#include <string>\ninline std::string f() { return {}; }\n"}
FAULTS = [{"CMakeLists.txt": PROJECT, "a.hpp": "inline std::string f() { return {}; }\n"}]

if __name__ == "__main__":
    common.run(problems)
