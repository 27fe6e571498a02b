#!/usr/bin/env bash
# Formats the C++ sources; with --check only says which ones are not formatted.
# clang-format's output changes from version to version: only 14, Debian 12's, is used.
source "$(dirname "$0")/common.sh"
VERSION=14
tool=$(command -v clang-format-$VERSION || command -v clang-format) || tool=
if [[ -z $tool ]] || ! "$tool" --version | grep -q "version $VERSION\."; then
  [[ ${1:-} == --check ]] && { say "format: not checked (no clang-format $VERSION here)"; exit 0; }
  stop "no clang-format $VERSION on this machine" "Debian 12: apt-get install clang-format. Ubuntu 24.04: apt-get install clang-format-14"
fi
mapfile -d '' sources < <(find src fuzz bench -name '*.h' -print0 -o -name '*.cc' -print0 2>/dev/null)
if [[ ${1:-} == --check ]]; then
  "$tool" --dry-run --Werror "${sources[@]}" || stop "not formatted as .clang-format says" "Run: make format"
  say "format: ${#sources[@]} files as they should be"
else
  "$tool" -i "${sources[@]}"
fi
