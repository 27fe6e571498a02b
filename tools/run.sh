#!/usr/bin/env bash
# The built-in study; a second run goes on where the first one stopped.
source "$(dirname "$0")/common.sh"
step "5/5" "study"
exec "$BUILD/reveille" study "$@"
