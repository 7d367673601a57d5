#!/usr/bin/env bash
# Prints a command line of compose v2: the engine's plugin where it has one, else one that is built with Go (about two minutes, once).
#
#   COMPOSE_V2=$(e2e-prod/compose-v2.sh)
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
program=${COMPOSE_V2_PROGRAM:-/var/tmp/zeq-compose/docker-compose}
module=github.com/docker/compose/v2 version=v2.32.4

if docker compose version >/dev/null 2>&1; then
  echo 'docker compose'
else
  "$here/go-program.sh" "$program" $module $version ./cmd -ldflags "-s -w -X $module/internal.Version=$version"
  printf '%s\n' "$program"
fi
