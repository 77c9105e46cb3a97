#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Each header compiles alone: CMake's all_verify_interface_header_sets."""
import subprocess

import common


# A build type of its own: the compiler looks, and makes nothing. Its checks by CMake are compiled as ever.
LOOK_ONLY = ["-DCMAKE_BUILD_TYPE=Look", "-DCMAKE_CXX_FLAGS_LOOK=-fsyntax-only", "-DSETTLE_BUILD_TESTS=OFF", "-DSETTLE_BUILD_EXAMPLES=OFF",
             *(f"-DSETTLE_WITH_{component}=ON" for component in ("LOCKFREE", "ASIO", "UV", "HTTP2"))]


def problems(root):
    build = root / "build" / "headers"
    for command in (["cmake", "--no-warn-unused-cli", "-G", "Ninja", "-S", root, "-B", build, *LOOK_ONLY],
                    ["cmake", "--build", build, "--target", "all_verify_interface_header_sets"]):
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
