#!/usr/bin/env bash
# Runs ctest with the given selection; its own summary comes last.
source "$(dirname "$0")/common.sh"
export HF_HUB_OFFLINE=1  # no test may reach for the network
step "5/5" "tests"
# Half of the cores: many tests run the engine, which uses two threads itself.
JOBS=${JOBS:-$(((($(nproc) + 1)) / 2))}
exec ctest --test-dir "$BUILD" --output-on-failure --no-tests=error -j "$JOBS" \
  --output-junit "$ROOT/$BUILD/tests.xml" "$@" </dev/null
