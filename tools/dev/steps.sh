# SPDX-License-Identifier: BSL-1.0
# Steps with progress, counting and one sentence when they fail. Sourced by ./dev.
passed=0
failed=0
first_failure=""
logs=build/logs
started=$SECONDS
jobs=${SETTLE_JOBS:-$(nproc 2>/dev/null || echo 2)}

# run_logged <title> <command>...: output goes to a log; every few seconds its last line is shown. Keeps the command's status.
run_logged() {
  local title=$1 began=$SECONDS log pid status beat=0
  shift
  mkdir -p "$logs"
  log="$logs/$(tr -cs 'A-Za-z0-9' '-' <<<"$title" | sed 's/^-*//;s/-*$//').log"
  printf '== %s\n' "$title"
  "$@" >"$log" 2>&1 &
  pid=$!
  trap 'kill "$pid" 2>/dev/null; exit 2' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    beat=$((beat + 1))
    [ $((beat % 50)) -ne 0 ] || printf '   %4d s  %s\n' $((SECONDS - began)) "$(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | cut -c 1-120)"
  done
  wait "$pid"
  status=$?
  trap - INT TERM
  if [ $status -eq 0 ]; then
    printf '   ok, %d s\n' $((SECONDS - began))
  else
    tail -n 60 "$log"
    printf '   FAILED, %d s; all of it: %s\n' $((SECONDS - began)) "$log"
  fi
  return $status
}

# A step that must succeed before anything else makes sense.
step() {
  run_logged "$@" && return
  echo "dev: the step '$1' failed: mend what its last lines above say and run ./dev ${command:-} again." >&2
  exit 1
}

environment_step() {
  run_logged "$@" && return
  echo "dev: the step '$1' failed: check the network and the package sources, then run ./dev ${command:-} again." >&2
  exit 2
}

# A check that counts as one and does not stop the others.
count() {
  if run_logged "$@"; then
    passed=$((passed + 1))
  else
    fail 1 "$1"
  fi
}

fail() {
  failed=$((failed + $1))
  [ -n "$first_failure" ] || first_failure=$2
}

# Builds go through ccache where there is one.
configure() {
  local launcher=""
  ! command -v ccache >/dev/null || launcher=ccache
  cmake --preset "$1" -D CMAKE_CXX_COMPILER_LAUNCHER=$launcher
}

# build_and_test <preset>: configures, builds, runs; every test counts. What does not build counts as one failure.
build_and_test() {
  local preset=$1 report="$PWD/build/$1/results.xml"
  rm -f "$report"
  if ! run_logged "configure ($preset)" configure "$preset" ||
    ! run_logged "build ($preset)" cmake --build --preset "$preset" --parallel "$jobs"; then
    fail 1 "build ($preset)"
    return
  fi
  run_tests "test ($preset)" "$report" --preset "$preset"
}

# run_tests <title> <report> <what ctest is told>...: every test counts.
run_tests() {
  local title=$1 report=$2 good bad
  shift 2
  run_logged "$title" ctest "$@" --parallel "$jobs" --output-junit "$report" || fail 0 "$title"
  read -r good bad < <(python3 tools/dev/count_tests.py "$report")
  passed=$((passed + good))
  [ "$bad" -eq 0 ] || fail "$bad" "$title"
  printf '   %d passed, %d failed\n' "$good" "$bad"
}

# The reference of the public names, from the comments in the headers: any warning is a failure.
reference() {
  mkdir -p build/docs
  doxygen docs/Doxyfile
}

# counts_all [--record]: instructions and template instantiations, against what is recorded.
counts_all() {
  step "configure (bench)" configure bench
  step "build bench_instructions" cmake --build --preset bench --parallel "$jobs" --target bench_instructions
  count "instructions" python3 tools/instructions.py build/bench/benchmarks/bench_instructions --jobs "$jobs" "$@"
  count "template instantiations" python3 tools/instantiations.py --jobs "$jobs" "$@"
}

# lint_all: every lint counts as one.
lint_all() {
  local lint
  for lint in tools/lint/lint_*.py; do
    count "lint: $(basename "$lint" .py | sed 's/^lint_//;s/_/ /g')" python3 "$lint"
  done
  count "lint: each lint can fail" python3 tools/lint/selftest.py
}

# Prints the totals; for .ci/run they also go to the file named by SETTLE_TOTALS. Ends the script.
summary() {
  [ -z "${SETTLE_TOTALS:-}" ] || echo "$passed $failed" >>"$SETTLE_TOTALS"
  printf '\n%d passed, %d failed, %d s\n' "$passed" "$failed" $((SECONDS - started))
  if [ "$failed" -ne 0 ]; then
    echo "dev: '$first_failure' failed first: its last lines are above, all of it is in $logs/." >&2
    exit 1
  elif [ "$passed" -eq 0 ]; then
    echo "dev: nothing ran: that is a failure too; see $logs/." >&2
    exit 1
  fi
  exit 0
}
