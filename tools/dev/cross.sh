# SPDX-License-Identifier: BSL-1.0
# `./dev cross`: the core's tests for machines that are not this one, built by zig's compiler: clang, with a C library and a C++
# library for each of them. Sourced by ./dev.
cross_zig=0.17.1
cross=$PWD/build/cross

cross_all() {
  local wine
  wine=$(command -v wine64 || echo /usr/lib/wine/wine64)
  step "get zig $cross_zig" cross_get_zig
  # What a death test forks does not live in qemu-user.
  cross_tests aarch64-linux-musl "core;explore" "$(command -v qemu-aarch64)" && cross_run aarch64-linux-musl --exclude-regex 'DeathTest|death_test'
  if [ -x "$wine" ]; then
    cross_tests x86_64-windows-gnu core "$wine" && WINEDEBUG=-all WINEPREFIX=$cross/wine cross_run_in_wine x86_64-windows-gnu
  else
    cross_tests x86_64-windows-gnu core "" && echo "   built only: this machine has no wine64"
  fi
  cross_tests aarch64-macos core "" && echo "   built only: nothing here runs it"
}

# A Python environment of its own has it, and one program for each of its tools, as build systems want them.
cross_get_zig() {
  local tool zig
  python3 -m venv "$cross/python" && "$cross/python/bin/pip" install --quiet "ziglang==$cross_zig" || return 1
  zig=$("$cross/python/bin/python" -c 'import os, ziglang; print(os.path.join(os.path.dirname(ziglang.__file__), "zig"))') || return 1
  mkdir -p "$cross/bin"
  for tool in cc c++ ar ranlib; do
    printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$zig" "$tool" >"$cross/bin/$tool"
    chmod +x "$cross/bin/$tool"
  done
}

# cross_tests <triple> <folders> <program that runs it>: builds GoogleTest and the tests. What does not build counts as one failure.
cross_tests() {
  local target=$1 there=$cross/$1 common
  common=(-G Ninja -D CMAKE_TOOLCHAIN_FILE="$PWD/tools/dev/zig.cmake" -D SETTLE_CROSS_TARGET="$target" -D SETTLE_CROSS_BIN="$cross/bin"
    -D CMAKE_BUILD_TYPE=Debug -D CMAKE_PREFIX_PATH="$there/installed" -D CMAKE_CROSSCOMPILING_EMULATOR="$3")
  run_logged "GoogleTest for $target" cross_googletest "$there" "${common[@]}" &&
    run_logged "configure ($target)" cmake -S . -B "$there/build" "${common[@]}" -D SETTLE_TEST_ONLY="$2" -D SETTLE_TEST_TOGETHER=7 \
      -D SETTLE_WITH_LOCKFREE=OFF -D SETTLE_WITH_ASIO=OFF -D SETTLE_WITH_UV=OFF -D SETTLE_WITH_HTTP2=OFF -D SETTLE_BUILD_EXAMPLES=OFF \
      -D CMAKE_DISABLE_PRECOMPILE_HEADERS=ON -D CMAKE_CXX_FLAGS=-DSETTLE_TEST_A_TENTH &&
    run_logged "build ($target)" cmake --build "$there/build" --parallel "$jobs" && passed=$((passed + 1)) && return
  fail 1 "build ($target)"
  return 1
}

cross_googletest() {
  local there=$1
  shift
  [ ! -e "$there/installed/lib/libgtest.a" ] || return 0
  cmake -S /usr/src/googletest -B "$there/googletest" "$@" -D BUILD_GMOCK=OFF -D CMAKE_INSTALL_PREFIX="$there/installed" -D CMAKE_INSTALL_LIBDIR=lib &&
    cmake --build "$there/googletest" --parallel "$jobs" && cmake --install "$there/googletest"
}

# Wine's server ends with its last program, and refuses one that begins just then: it stays while the tests run. What it starts besides
# keeps its output open, and starts before them.
cross_run_in_wine() {
  local server
  server=$(command -v wineserver || echo /usr/lib/wine/wineserver64)
  mkdir -p "$WINEPREFIX"
  "$server" -p && "$wine" cmd /c exit >/dev/null 2>&1
  cross_run "$@"
  "$server" -k
}

# cross_run <triple> <what else ctest is told>...
cross_run() {
  local target=$1 report=$cross/$1/results.xml
  shift
  rm -f "$report"
  run_tests "test ($target)" "$report" --test-dir "$cross/$target/build" --output-on-failure "$@"
}
