#!/usr/bin/env bash
# Brings the real compose file up on real containers, from a copy of this tree, and tests it from outside.
#
#   e2e-prod/run.sh [jest argument…]     e.g. e2e-prod/run.sh status --json --outputFile=out.json
#   e2e-prod/run.sh --only-up            brings it up, says where it is, and leaves it running
#
# Needs root for the engine, ports 80, 443 and those of the services free, and about 3 GB of memory. Images that are not here and
# cannot be pulled are replaced by stand-ins from Debian's packages. KEEP=1 leaves the mesh running. Exit code 3: no Docker engine can
# be brought up on this machine.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
export COMPOSE_PROJECT_NAME=zeq
IMAGES=(node:24-bookworm-slim postgres:17 redis:7 nginx:1.28 certbot/certbot:v4.2.0 mongo:7)
UPSTREAM_KEY=sk-canary-prod-0123456789
ours=no # whether the engine was started here

main() {
  docker info >/dev/null 2>&1 || ours=yes
  "$root/e2e-prod/stand-in-images.sh" --engine || exit 3
  mesh=$(mktemp -d /tmp/zeq-prod.XXXXXX)
  trap tear_down EXIT
  ensure_images
  copy_tree
  "$mesh/scripts/generate-secrets.sh"
  settings >>"$mesh/.env"
  "$mesh/scripts/deploy-prod.sh" up --build
  start_upstream
  "$root/e2e-prod/pebble.sh" "$mesh/pebble" mesh.zeq.test
  export ZEQ_MESH_DIR=$mesh
  if [ "${1:-}" = --only-up ]; then
    KEEP=1
    echo "ZEQ_MESH_DIR=$mesh"
    return
  fi
  COMPOSE_V2=$("$root/e2e-prod/compose-v2.sh")
  export COMPOSE_V2
  cd "$root"
  npm run jest -- --config jest.prod.config.mjs "$@"
}

ensure_images() {
  local image
  for image in "${IMAGES[@]}"; do
    docker image inspect "$image" >/dev/null 2>&1 || timeout 300 docker pull -q "$image" >/dev/null 2>&1 ||
      "$root/e2e-prod/stand-in-images.sh" "$image"
  done
}

# What git knows, with what is not committed yet: no secret and no build of this folder gets into the copy.
copy_tree() {
  (cd "$root" && git ls-files -co --exclude-standard -z | while IFS= read -r -d '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done |
    tar --null -cf - -T -) | tar -C "$mesh" -xf -
}

# A server without authentication stands in for MongoDB where there is no registry.
settings() {
  echo 'DOMAIN=https://mesh.zeq.test'
  echo 'SSL_EMAIL=operator@zeq.test'
  echo 'RATE_LIMIT_RPM=1000000'
  echo 'ZEQ_EGRESS_ALLOW=upstream.test:9000'
  echo 'ZEQ_CERTIFICATES_VOLUME=zeqtest_letsencrypt'
  echo 'ZEQ_WEBROOT_VOLUME=zeqtest_webroot'
  echo "ZEQ_CERTBOT_OPTIONS=-e REQUESTS_CA_BUNDLE=/ca.pem -v $mesh/pebble/ca.pem:/ca.pem:ro"
  if docker run --rm --entrypoint sh mongo:7 -c 'command -v ferretdb' >/dev/null 2>&1; then echo 'MONGO_URL=mongodb://mongo:27017/zeq'; fi
}

start_upstream() {
  docker rm -f zeqtest_upstream >/dev/null 2>&1 || true
  docker run -d --name zeqtest_upstream --no-healthcheck --network zeq_outside --network-alias upstream.test --restart unless-stopped \
    -e "UPSTREAM_KEY=$UPSTREAM_KEY" -v "$root/e2e-prod/upstream.mjs:/upstream.mjs:ro" zeq-mesh:latest /upstream.mjs >/dev/null
}

tear_down() {
  [ -z "${KEEP:-}" ] || return 0
  docker rm -f zeqtest_upstream zeqtest_pebble >/dev/null 2>&1 || true
  "$mesh/scripts/deploy-prod.sh" down >/dev/null 2>&1 || true
  docker volume ls -q | grep -E '^(zeq|zeqtest)_' | xargs -r docker volume rm >/dev/null 2>&1 || true
  rm -rf "$mesh"
  [ "$ours" = no ] || kill "$(cat /var/run/docker.pid)"
}

main "$@"
