#!/usr/bin/env bash
# Configures when that was not done yet, and builds the given ninja targets.
#   tools/build.sh reveille|all
# Environment: JOBS (compilers at once), PRESET (CMakePresets.json; default release).
source "$(dirname "$0")/common.sh"
STEPS=${STEPS:-4}
PRESET=${PRESET:-release}
[[ $PRESET == release ]] || BUILD=build-$PRESET

# A file that includes torch takes up to 1.5 GiB to compile.
default_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/MemAvailable/ {print int($2 / 1048576 / 1.5)}' /proc/meminfo)
  [[ $memory -lt 1 ]] && memory=1
  echo $((memory < cores ? memory : cores))
}

# The libtorch that was chosen by the environment; another choice configures anew.
torch_choice() { printf '%s\n' "${REVEILLE_TORCH:-}|${Torch_DIR:-}|$VENV"; }

step "3/$STEPS" "configure"
# A build folder that was configured in another checkout (a copied tree) is of no use here.
if [[ ! -f $BUILD/build.ninja || $(cat "$BUILD/.torch-choice" 2>/dev/null) != "$(torch_choice)" ]] || ! grep -qx "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$BUILD/CMakeCache.txt"; then
  cmake --preset "$PRESET" --fresh | grep -vE '^-- (Detecting|Performing|Check for working)' ||
    stop "cmake could not configure $BUILD" "Its own message stands above."
  torch_choice >"$BUILD/.torch-choice"
else
  say "done before: $BUILD"
fi

step "4/$STEPS" "build"
NINJA_STATUS='[%f/%t %e] ' ninja -C "$BUILD" -j "${JOBS:-$(default_jobs)}" "$@" 2>&1 | python3 tools/eta.py ||
  stop "the build failed" "The compiler's own message stands above."
