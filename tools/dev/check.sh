# SPDX-License-Identifier: BSL-1.0
# What `./dev check` runs: each leg with the kind of bug that it is there for. Sourced by ./dev.

check_all() {
  build_and_test asan-ubsan # wrong memory, leaks, undefined behaviour; clang 16: what only g++ accepts, what our oldest clang lacks
  build_and_test tsan       # data races; clang 19
  build_and_test cxx23      # the next standard; the optimiser; asserts gone
  build_and_test noexcept   # hidden exceptions and type information in the core
  build_and_test single     # what the amalgamation loses

  rm -rf build/coverage # counts and notes of an earlier build would be added in
  build_and_test coverage # what no test of the core runs
  count "coverage of the core" python3 tools/coverage.py build/coverage

  count "compile-time cost of settle.hpp" python3 tools/compile_cost.py
  step "configure (debug)" configure debug
  lint_all
}
