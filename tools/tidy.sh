#!/usr/bin/env bash
# clang-tidy over the sources (tests not included), with the checks of .clang-tidy.
#   tools/tidy.sh [FILE ...]   TIDY_SECONDS bounds the whole (default 1500)
# What was found clean is remembered in build-tidy/ by the hash of what the compiler reads, so
# that a second run looks only at what changed.
source "$(dirname "$0")/common.sh"
command -v clang-tidy >/dev/null || { say "tidy: not run (no clang-tidy here)"; exit 0; }
[[ -f build-tidy/build.ninja ]] || cmake --preset tidy >/dev/null || stop "cmake could not configure build-tidy"
ninja -C build-tidy reveille_revision >/dev/null || stop "the generated headers could not be made"
exec "$VENV/bin/python" tools/tidy.py "$@"
