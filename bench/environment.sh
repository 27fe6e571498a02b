# Sourced by run.sh: the peers' private environment, in the cache folder; .venv is not touched.
. "$(dirname "${BASH_SOURCE[0]}")/../tools/common.sh"
. "$ROOT/tools/python.sh"
VENV=$REVEILLE_CACHE/bench
export LLAMA_OPTIONS=${LLAMA_OPTIONS:--DGGML_NATIVE=ON -DGGML_OPENMP=ON -DCMAKE_BUILD_TYPE=Release}

install_peers() { pip_install -c requirements/pins.txt -r bench/requirements.txt; }

# A peer that does not build is reported as missing; the other rows are still measured.
install_llama() {
  say "building llama.cpp with $LLAMA_OPTIONS (some minutes)"
  CMAKE_ARGS=$LLAMA_OPTIONS CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) "$VENV/bin/python" -m pip install \
    --disable-pip-version-check --no-input --no-binary llama-cpp-python -c requirements/pins.txt -r bench/llama.txt
}

make_bench_environment() {
  mkdir -p "$REVEILLE_CACHE"
  make_venv
  install_set peers "requirements/pins.txt requirements/test.txt requirements/torch.txt bench/requirements.txt" install_peers
  install_set llama "bench/llama.txt" install_llama ||
    say "llama-cpp-python could not be built: its row is left out. pip's message stands above."
}
