#!/usr/bin/env bash
# Prints a command line of compose v2: the engine's plugin where it has one, else one that is built with Go (about two minutes, once).
#
#   COMPOSE_V2=$(e2e-prod/compose-v2.sh)
set -euo pipefail
version=v2.32.4
program=${COMPOSE_V2_PROGRAM:-/var/tmp/zeq-compose/docker-compose}

# Built from its module's own folder, because it replaces some of its dependencies.
build() {
  local fetch
  fetch=$(mktemp -d)
  (
    cd "$fetch"
    printf 'module fetch\n\ngo 1.23\n\nrequire github.com/docker/compose/v2 %s\n' $version >go.mod
    export GOFLAGS=-mod=mod CGO_ENABLED=0
    go mod download github.com/docker/compose/v2
    cp -r "$(go list -m -f '{{.Dir}}' github.com/docker/compose/v2)" source && chmod -R u+w source
    cd source && go build -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=$version" -o "$program" ./cmd
  ) >&2
  rm -rf "$fetch"
}

if docker compose version >/dev/null 2>&1; then
  echo 'docker compose'
else
  mkdir -p "$(dirname "$program")"
  [ -x "$program" ] || build
  printf '%s\n' "$program"
fi
