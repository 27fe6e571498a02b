#!/usr/bin/env bash
# Ours against transformers, TRL, PEFT and llama.cpp, in turn in the same run.
#   bench/run.sh [--only ROWS] [--quick] [--rounds N]     (make bench ARGS="--quick")
. "$(dirname "${BASH_SOURCE[0]}")/environment.sh"

make_bench_environment
exec "$VENV/bin/python" bench/compare.py --program "$BUILD/reveille" "$@"
