#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Checks model/settle.pml with Spin: the protocol as it is must hold, and each DEFECT_... in it must be noticed.
# Usage: model/check.sh [workers, 2 when left out: seconds; 3 takes long and some GB]
# Exit status: 0 all as expected, 1 not so, 2 spin or a C compiler is missing.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
model=$PWD/settle.pml
workers=${1:-2}
for tool in spin cc; do
  command -v $tool >/dev/null || {
    echo "check.sh: $tool is missing: install it (Debian: spin, gcc)." >&2
    exit 2
  }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# search <spin's options> -- <the compiler's> -- <the search's>: all states; what it says goes to $work/said.
# Status 0: no error. A search that did not end is no answer.
search() {
  local for_spin=() for_cc=()
  while [ "$1" != -- ]; do for_spin+=("$1"); shift; done
  shift
  while [ "$1" != -- ]; do for_cc+=("$1"); shift; done
  shift
  rm -f "$work"/*
  (cd "$work" && spin -a -DWORKERS="$workers" "${for_spin[@]}" "$model" && cc -O0 -w -DCOLLAPSE -DVECTORSZ=1024 "${for_cc[@]}" -o pan pan.c && ./pan -m1000000 "$@") \
    >"$work/said" 2>&1
  if ! grep -q '^State-vector' "$work/said" || grep -q 'max search depth too small\|out of memory' "$work/said"; then
    echo "check.sh: the search did not end:"
    tail -n 15 "$work/said"
    exit 1
  fi
  grep -q 'errors: 0' "$work/said"
}
states() { sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$work/said"; }
report() { printf '%-62s %s\n' "$@"; }

if search -- -DSAFETY --; then report "safety, a producer and $workers others" "holds, $(states) states"; else
  report "safety" "FAILS: $(grep -m1 '^pan:' "$work/said")"
  failed=1
fi
if search -DLIVENESS -- -DNFAIR=4 -- -a -f; then report "settled leads to released, under weak fairness" "holds, $(states) states"; else
  report "settled leads to released" "FAILS: $(grep -m1 '^pan:' "$work/said")"
  failed=1
fi
for defect in $(grep -o 'DEFECT_[A-Z_]*[A-Z]' "$model" | sort -u); do
  [ "$defect" != DEFECT ] || continue
  if search -D"$defect" -- -DSAFETY --; then
    report "$defect" "NOT NOTICED"
    failed=1
  else
    report "$defect" "noticed: $(sed -n 's/^pan:[0-9]*: \(.*\) (at depth.*/\1/p' "$work/said" | head -n 1)"
  fi
done
exit $failed
