#!/usr/bin/env bash
# Makes this machine ready: system packages, the private Python environment, the embedded model.
#
#   tools/setup.sh build   what building and running needs
#   tools/setup.sh test    that, and what the tests need
#   tools/setup.sh fuzz    that of build, and what the fuzz targets need
#
# Quick when nothing is missing. Environment: REVEILLE_CACHE (downloads), REVEILLE_PYTHON (the
# interpreter for the environment), REVEILLE_TORCH or Torch_DIR (a libtorch of your own),
# REVEILLE_SKIP_PACKAGES=1 (leave system packages to you).
source "$(dirname "$0")/common.sh"
source "$ROOT/tools/packages.sh"
source "$ROOT/tools/python.sh"

WHAT=${1:-build}
STEPS=${STEPS:-2}
case $WHAT in
  build | test | fuzz) ;;
  *) stop "tools/setup.sh: '$WHAT' is not a set-up" "expected: build, test or fuzz" ;;
esac

step "1/$STEPS" "system packages"
ensure_packages "$WHAT"
step "2/$STEPS" "Python environment"
ensure_venv "$WHAT"
ensure_model
