#!/usr/bin/env bash
# Starts Pebble, the small ACME server of Let's Encrypt, beside the mesh, with its challenge checks on.
#
#   e2e-prod/pebble.sh FOLDER DOMAIN     FOLDER gets its certificate authority (ca.pem); DOMAIN is what it may be asked for
#
# It is reached as https://pebble.test:14000/dir on the mesh's outside network. Needs a Go toolchain the first time.
set -euo pipefail
folder=$1 domain=$2
program=${PEBBLE:-/var/tmp/zeq-pebble/pebble}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

certificates() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=test CA' -addext basicConstraints=critical,CA:TRUE \
    -keyout "$folder/ca.key" -out "$folder/ca.pem" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj '/CN=pebble.test' -keyout "$folder/key.pem" -out "$folder/csr.pem" 2>/dev/null
  openssl x509 -req -in "$folder/csr.pem" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial -days 30 \
    -extfile <(echo 'subjectAltName=DNS:pebble.test') -out "$folder/cert.pem" 2>/dev/null
  chmod 644 "$folder"/*.pem
}

config() {
  cat <<'JSON'
{ "pebble": { "listenAddress": "0.0.0.0:14000", "managementListenAddress": "0.0.0.0:15000", "certificate": "/pebble/cert.pem",
  "privateKey": "/pebble/key.pem", "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", "externalAccountBindingRequired": false,
  "profiles": { "default": { "description": "as Let's Encrypt", "validityPeriod": 7776000 } } } }
JSON
}

"$here/go-program.sh" "$program" github.com/letsencrypt/pebble/v2 v2.8.0 ./cmd/pebble
mkdir -p "$folder"
certificates
config >"$folder/config.json"
docker rm -f zeqtest_pebble >/dev/null 2>&1 || true
docker run -d --name zeqtest_pebble --no-healthcheck --network zeq_outside --network-alias pebble.test --add-host "$domain:host-gateway" \
  -e PEBBLE_VA_NOSLEEP=1 -v "$program:/usr/local/bin/pebble:ro" -v "$folder:/pebble:ro" --entrypoint pebble zeq-mesh:latest \
  -config /pebble/config.json >/dev/null
