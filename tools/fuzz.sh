#!/usr/bin/env bash
# Builds every fuzz target and runs each one.
#   tools/fuzz.sh [NAME ...]     names without _fuzz; default all
# Environment: FUZZ_RUNS executions each (default 1000000), FUZZ_SECONDS at most for each (default
# none). What libFuzzer keeps goes to build-fuzz/corpus/, an input that crashes to build-fuzz/crashes/.
source "$(dirname "$0")/common.sh"
RUNS=${FUZZ_RUNS:-1000000}
SECONDS_EACH=${FUZZ_SECONDS:-0}
PRESET=fuzz STEPS=5 tools/build.sh fuzz_targets

step "5/5" "fuzz: $RUNS executions each"
# libtorch is not instrumented: vectors that cross into it would look overrun.
export ASAN_OPTIONS=detect_container_overflow=0:${ASAN_OPTIONS:-}
export UBSAN_OPTIONS=print_stacktrace=1:${UBSAN_OPTIONS:-}
names=("$@")
if [[ ${#names[@]} == 0 ]]; then
  mapfile -t names < <(find fuzz -maxdepth 1 -name '*_fuzz.cc' -printf '%f\n' | sed 's/_fuzz\.cc$//' | sort)
fi
failed=()
for name in "${names[@]}"; do
  corpus=build-fuzz/corpus/$name seeds=fuzz/seeds/$name
  mkdir -p "$corpus" build-fuzz/crashes
  log=build-fuzz/$name.log
  if "build-fuzz/${name}_fuzz" -runs="$RUNS" -max_total_time="$SECONDS_EACH" -timeout=20 -rss_limit_mb=3072 \
    -max_len=65536 -artifact_prefix="build-fuzz/crashes/$name-" "$corpus" $([[ -d $seeds ]] && echo "$seeds") >"$log" 2>&1 </dev/null; then
    say "$name: $(grep -oE 'Done [0-9]+ runs in [0-9]+ second' "$log" | tail -1)s, no finding"
  else
    say "$name: FOUND, see $log"
    grep -E 'ERROR|SUMMARY|Test unit written' "$log" | head -5
    failed+=("$name")
  fi
done
[[ ${#failed[@]} == 0 ]] || stop "fuzzing found something in: ${failed[*]}"
