# Sourced by the scripts beside it: where things are, and how they speak.
# Nothing outside the checkout is written but system packages and the cache folder.
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

VENV=$ROOT/.venv
BUILD=${BUILD:-build}
export REVEILLE_CACHE=${REVEILLE_CACHE:-${XDG_CACHE_HOME:-${HOME:-$ROOT}/.cache}/reveille}
export PIP_CACHE_DIR=${PIP_CACHE_DIR:-$REVEILLE_CACHE/pip}
export CCACHE_DIR=${CCACHE_DIR:-$REVEILLE_CACHE/ccache}
export HF_HOME=${HF_HOME:-$REVEILLE_CACHE/huggingface}
export PYTHONDONTWRITEBYTECODE=1

say() { printf '%s\n' "$*"; }
step() { printf '\n[%s] %s\n' "$1" "$2"; }
# Says what is wrong and what to do, and stops; 2 is "the machine or the command line is wrong".
stop() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '  %s\n' "$line" >&2; done
  exit 2
}
