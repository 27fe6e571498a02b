# System packages: what requirements/packages.txt names and this machine lacks.

# Names of the table's rows that this set-up wants: those for build, and those for WHAT.
#   wanted WHAT needed|optional
wanted() {
  local name when notes
  while read -r name when notes; do
    [[ -z $name || $name == \#* ]] && continue
    [[ $when != build && $when != "$1" ]] && continue
    [[ " $notes " == *" debian "* && $OS_ID != debian ]] && continue
    [[ " $notes " == *" optional "* ]] && [[ $2 == needed ]] && continue
    [[ " $notes " != *" optional "* ]] && [[ $2 == optional ]] && continue
    printf '%s\n' "$name"
  done <requirements/packages.txt
}

# Of the given packages, those that are not installed.
not_installed() {
  local installed
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' "$@" 2>/dev/null | awk '$2 == "ii" {print $1}') || true
  local name
  for name in "$@"; do
    [[ $'\n'$installed$'\n' == *$'\n'$name$'\n'* ]] || printf '%s\n' "$name"
  done
}

# An interpreter that can make environments makes Debian's own unnecessary.
drop_python() {
  if find_python >/dev/null; then grep -vxE 'python3|python3-venv' || true; else cat; fi
}

# Sets SUDO to what runs a command as root ("" as root); fails when nobody may.
find_sudo() {
  SUDO=()
  [[ $(id -u) == 0 ]] && return 0
  command -v sudo >/dev/null || return 1
  if sudo -n true 2>/dev/null; then
    SUDO=(sudo -n)
  elif [[ -t 0 && -t 1 ]] && id -nG | grep -qwE 'sudo|admin|wheel'; then
    SUDO=(sudo)  # asks for the password, once
  else
    return 1
  fi
}

apt() { "${SUDO[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@"; }

check_os() {
  OS_ID=unknown OS_VERSION=0 OS_NAME="this system"
  local release=${REVEILLE_OS_RELEASE:-/etc/os-release}
  if [[ -r $release ]]; then
    OS_ID=$(. "$release" && echo "${ID:-unknown}")
    OS_VERSION=$(. "$release" && echo "${VERSION_ID:-0}")
    OS_NAME=$(. "$release" && echo "${PRETTY_NAME:-$ID}")
  fi
  case $OS_ID in
    debian) [[ ${OS_VERSION%%.*} -ge 12 ]] && return ;;
    ubuntu) [[ ${OS_VERSION%%.*} -ge 24 ]] && return ;;
  esac
  stop "set-up knows Debian 12 and Ubuntu 24.04 (and later ones); this is $OS_NAME" \
    "Install by your own package manager what requirements/packages.txt lists (Debian's names)," \
    "then run the same command with REVEILLE_SKIP_PACKAGES=1."
}

ensure_packages() {
  if [[ ${REVEILLE_SKIP_PACKAGES:-} == 1 ]]; then
    say "left to you (REVEILLE_SKIP_PACKAGES=1)"
    return
  fi
  check_os
  local needed optional
  mapfile -t needed < <(not_installed $(wanted "$1" needed) | drop_python)
  mapfile -t optional < <(not_installed $(wanted "$1" optional))
  if [[ ${#needed[@]} == 0 && ${#optional[@]} == 0 ]]; then
    say "all there"
    return
  fi
  if ! find_sudo; then
    missing_without_root "${needed[*]}" "${optional[*]}"
    return
  fi
  install_packages "${needed[*]}" "${optional[*]}"
}

missing_without_root() {
  if [[ -n $1 ]]; then
    stop "missing packages, and neither root nor sudo to install them with: $1" \
      "Ask an administrator for: apt-get install $1"
  fi
  say "not installed, going on without: $2"
}

install_packages() {
  say "installing with apt-get${SUDO[0]:+ (sudo)}: ${1:+$1 }$2"
  apt update || say "apt-get update did not succeed; trying with the lists that are here"
  if [[ -n $1 ]]; then
    apt install -y --no-install-recommends $1 ||
      stop "apt-get could not install: $1" "Its own message stands above; the network and the package sources are the usual causes."
  fi
  # One at a time, so that one that this system lacks does not keep the others out.
  local name
  for name in $2; do
    apt install -y --no-install-recommends "$name" || say "not installed, going on without: $name"
  done
}
