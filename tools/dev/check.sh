# SPDX-License-Identifier: BSL-1.0
# What `./dev check` runs: each leg with the kind of bug that it is there for. Sourced by ./dev.

check_all() {
  build_and_test documents  # what pages, diagnostics and packages promise; what the compiler makes of it; an explorer that overlooks
  build_and_test asan-ubsan # wrong memory, leaks, undefined behaviour; clang 16: what only g++ accepts, what our oldest clang lacks
  build_and_test tsan       # data races where there is a second thread; clang 19
  build_and_test cxx23      # the next standard; the optimiser; asserts gone; what the amalgamation loses
  build_and_test noexcept   # hidden exceptions and type information in the core
  build_and_test controls   # tests that would not notice a broken guarantee

  rm -rf build/coverage # counts and notes of an earlier build would be added in
  build_and_test coverage # what no test of the core runs
  count "coverage of the core" coverage_of_the_core

  count "model" model/check.sh # a protocol that loses, doubles or hangs in some interleaving
  count "reference" reference # public names that nobody explains
  count "compile-time cost of settle.hpp" python3 tools/compile_cost.py
  counts_all                # a hot path that takes more instructions, a header that makes the compiler do more
  step "configure (debug)" configure debug
  lint_all
}

# Some branches are taken by threads in some runs only: what one run missed, further runs may take; their counts add up.
coverage_of_the_core() {
  local again
  for again in 1 2 3; do
    python3 tools/coverage.py build/coverage && return 0
    echo "run $again more, for what only timing decides"
    build/coverage/tests/core/test_core_a --gtest_brief=1 && build/coverage/tests/core/test_core_b --gtest_brief=1 || return 1
  done
  python3 tools/coverage.py build/coverage
}
