# The private Python environment in .venv: libtorch, the embedded model, the reference packages.

# Prints the interpreter to make the environment with: new enough, and able to.
find_python() {
  local candidate
  for candidate in ${REVEILLE_PYTHON:-} python3 /usr/bin/python3; do
    command -v "$candidate" >/dev/null || continue
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  return 1
}

own_torch() { [[ -n ${REVEILLE_TORCH:-}${Torch_DIR:-} ]]; }

# What a set's stamp must hold: its files, the interpreter, whether torch is somebody else's.
stamp_of() {
  {
    cat "$@"
    "$VENV/bin/python" -V
    if own_torch; then echo "own torch"; fi
  } | sha256sum | cut -d' ' -f1
}

pip_install() {
  "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --prefer-binary "$@" ||
    stop "pip could not install: $*" "Its own message stands above; the network and pip's index settings are the usual causes." \
      "What was downloaded is kept in $PIP_CACHE_DIR; run the same command again."
}

make_venv() {
  "$VENV/bin/python" -c 'import pip' 2>/dev/null && return
  local python
  python=$(find_python) || stop "no Python from 3.11 to 3.14 with the modules venv and ensurepip" \
    "Debian and Ubuntu: apt-get install python3 python3-venv. Or set REVEILLE_PYTHON to another one."
  say "making $VENV with $python"
  "$python" -m venv --clear "$VENV" || stop "could not make $VENV with $python" "Its own message stands above."
}

# Installs a set unless its stamp says that nothing changed since.
#   install_set NAME "FILES ITS STAMP HASHES" COMMAND...
install_set() {
  local stamp=$VENV/.reveille-$1 now
  now=$(stamp_of $2)
  [[ -f $stamp && $(<"$stamp") == "$now" ]] && return
  say "installing: $1"
  "${@:3}" || return  # said here too: within `install_set ... ||` errexit is off
  printf '%s\n' "$now" >"$stamp"
}

install_build() {
  pip_install --no-deps --require-hashes --only-binary :all: -r requirements/pure.txt
  pip_install --no-deps -r requirements/tools.txt
  if own_torch; then
    say "libtorch: your own, in ${REVEILLE_TORCH:-$Torch_DIR}"
  else
    pip_install -c requirements/pins.txt -r requirements/torch.txt
  fi
}

install_test() { pip_install -c requirements/pins.txt -r requirements/test.txt; }

ensure_venv() {
  make_venv
  local build="requirements/pure.txt requirements/tools.txt requirements/torch.txt requirements/pins.txt"
  install_set build "$build" install_build
  if [[ $1 == test ]]; then
    install_set test "requirements/test.txt $build" install_test
  fi
  say "ready: $VENV"
}

# A field of the header's first record, which is the embedded model's.
header_string() { sed -n "0,/^ *\\.$1 = /s/^ *\\.$1 = \"\\(.*\\)\",\$/\\1/p" src/base/built_in_models.h; }

# The embedded model must be the file that the figures in the documentation were made with.
ensure_model() {
  local hash file stamp=$VENV/.reveille-model
  hash=$(header_string sha256)
  file=$(echo "$VENV"/lib/python3*/site-packages/"$(header_string wheel)/$(header_string file)")
  [[ -f $stamp && $stamp -nt $file && $(<"$stamp") == "$hash" ]] && return
  [[ -f $file ]] || stop "the embedded model is not where its wheel puts it: $file" "Remove .venv and run the same command again."
  local found
  found=$(sha256sum "$file" | cut -d' ' -f1)
  [[ $found == "$hash" ]] || stop "the embedded model is not the expected file: $file" \
    "SHA-256 $found, expected $hash" "Remove .venv and run the same command again."
  printf '%s\n' "$hash" >"$stamp"
}
