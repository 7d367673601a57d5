#!/bin/sh
# Starts the edge: fills in nginx.conf, chooses the certificate, watches it, and becomes nginx. Runs as an ordinary user.
#
#   start.sh                         start
#   start.sh reload                  take changed files of this folder into use
#   start.sh point NAME ADDRESS      send what goes to the service NAME to ADDRESS only; without arguments, back to targets.conf
#   start.sh drained SECONDS         wait until no request is left that came before the last reload
#
#   DOMAIN              https://mesh.example.com; its host name is the one that is served (besides localhost)
#   ZEQ_NGINX_RUN       writable folder for everything that is made here (default /run/zeq-nginx)
#   ZEQ_NGINX_CERTS     where certbot keeps its certificates (default /etc/letsencrypt/live)
#   ZEQ_NGINX_HTTP_PORT, ZEQ_NGINX_HTTPS_PORT           80 and 443
#   ZEQ_NGINX_API_RATE, ZEQ_NGINX_API_BURST             10r/s and 20
#   ZEQ_NGINX_GENERAL_RATE, ZEQ_NGINX_GENERAL_BURST     30r/s and 60
#   ZEQ_NGINX_HSTS      the Strict-Transport-Security value
#   ZEQ_NGINX_DNS       the resolver (default: the first of /etc/resolv.conf)
#   GATEWAY_PORT, SYNC_PORT, VAULT_PORT, FORWARDER_PORT, OPERATOR_PORT, ZEQOND_PORT    the doors for the operator
#   ZEQ_NGINX_TARGETS   file with other addresses of the services than targets.conf
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
run=${ZEQ_NGINX_RUN:-/run/zeq-nginx}
certs=${ZEQ_NGINX_CERTS:-/etc/letsencrypt/live}
watch_seconds=${ZEQ_NGINX_WATCH_SECONDS:-10}
host=$(printf '%s' "${DOMAIN:-https://localhost}" | sed -e 's|^[a-z]*://||' -e 's|[/:].*$||' | tr '[:upper:]' '[:lower:]')

main() {
  cd "$here"
  case ${1:-start} in
  start) start ;;
  reload) render_all && reload ;;
  point) point "${2:-}" "${3:-}" && reload ;;
  drained) drained "$2" ;;
  *) say "unknown: $1" >&2 && exit 2 ;;
  esac
}

start() {
  mkdir -p "$run/snippets" "$run/temp"
  render_all
  point '' ''
  self_sign
  chosen=$(choose_certificate)
  write_tls "$chosen"
  say "serving $host with $chosen"
  watch_certificate &
  # shellcheck disable=SC3045 # every shell that nginx images have knows both
  ulimit -S -n "$(ulimit -H -n)"
  exec nginx -p "$run/" -c nginx.conf -g 'daemon off;'
}

reload() {
  nginx -p "$run/" -c nginx.conf -t -q && nginx -p "$run/" -c nginx.conf -s reload
}

# The old workers stop taking connections at a reload and end with their last request.
drained() {
  waited=0
  while grep -qs 'worker process is shutting down' /proc/[0-9]*/cmdline; do
    [ "$waited" -lt "$1" ] || return 1
    sleep 1
    waited=$((waited + 1))
  done
}

point() {
  sed "s|^map \"\" \\\$${1:-none} .*|map \"\" \$${1:-none} { default $2; }|" "${ZEQ_NGINX_TARGETS:-$here/targets.conf}" >"$run/targets.conf.new"
  mv -f "$run/targets.conf.new" "$run/targets.conf"
}

render_all() {
  for file in nginx.conf doors.conf snippets/*.conf; do render "$file"; done
}

say() { printf 'edge: %s\n' "$*"; }

render() {
  sed \
    -e "s|@HOST@|$host|g" \
    -e "s|@RUN@|$run|g" \
    -e "s|@HTTP_PORT@|${ZEQ_NGINX_HTTP_PORT:-80}|g" \
    -e "s|@HTTPS_PORT@|${ZEQ_NGINX_HTTPS_PORT:-443}|g" \
    -e "s|@API_RATE@|${ZEQ_NGINX_API_RATE:-10r/s}|g" \
    -e "s|@API_BURST@|${ZEQ_NGINX_API_BURST:-20}|g" \
    -e "s|@GENERAL_RATE@|${ZEQ_NGINX_GENERAL_RATE:-30r/s}|g" \
    -e "s|@GENERAL_BURST@|${ZEQ_NGINX_GENERAL_BURST:-60}|g" \
    -e "s|@HSTS@|${ZEQ_NGINX_HSTS:-max-age=63072000; includeSubDomains; preload}|g" \
    -e "s|@DNS@|${ZEQ_NGINX_DNS:-$(awk '$1 == "nameserver" { print $2; exit }' /etc/resolv.conf)}|g" \
    -e "s|@GATEWAY_DOOR@|${GATEWAY_PORT:-4000}|g" \
    -e "s|@SYNC_DOOR@|${SYNC_PORT:-4001}|g" \
    -e "s|@VAULT_DOOR@|${VAULT_PORT:-4002}|g" \
    -e "s|@FORWARDER_DOOR@|${FORWARDER_PORT:-4003}|g" \
    -e "s|@OPERATOR_DOOR@|${OPERATOR_PORT:-8080}|g" \
    -e "s|@ZEQOND_DOOR@|${ZEQOND_PORT:-2871}|g" \
    "$1" >"$run/$1"
}

# A certificate of our own, so that nginx can start before the first real one exists.
self_sign() {
  [ -s "$run/self-signed/privkey.pem" ] && return
  mkdir -p "$run/self-signed"
  (umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$host" \
    -addext "subjectAltName=DNS:$host,DNS:localhost" \
    -keyout "$run/self-signed/privkey.pem" -out "$run/self-signed/fullchain.pem" 2>/dev/null)
}

# Certbot's, when it can be read and its key fits; otherwise our own.
choose_certificate() {
  if fits "$certs/$host"; then echo "$certs/$host"; else echo "$run/self-signed"; fi
}

fits() {
  [ -r "$1/fullchain.pem" ] && [ -r "$1/privkey.pem" ] || return 1
  of_certificate=$(openssl x509 -in "$1/fullchain.pem" -noout -pubkey 2>/dev/null) || return 1
  of_key=$(openssl pkey -in "$1/privkey.pem" -pubout 2>/dev/null) || return 1
  [ "$of_certificate" = "$of_key" ]
}

# Stapling only where there is an answer to staple: renew-certs fetches it from a CA that still gives any.
write_tls() {
  {
    echo "ssl_certificate $1/fullchain.pem;"
    echo "ssl_certificate_key $1/privkey.pem;"
    if [ -s "$1/ocsp.der" ]; then
      echo 'ssl_stapling on;'
      echo "ssl_stapling_file $1/ocsp.der;"
    fi
  } >"$run/tls.conf.new"
  mv -f "$run/tls.conf.new" "$run/tls.conf"
}

# A renewal by anybody, whatever it forgets, is in use within seconds.
watch_certificate() {
  before=$(fingerprint "$chosen")
  while sleep "$watch_seconds" && kill -0 $$ 2>/dev/null; do
    chosen=$(choose_certificate)
    now=$(fingerprint "$chosen")
    [ "$now" != "$before" ] || continue
    write_tls "$chosen"
    reload && say "reloaded with $chosen"
    before=$now
  done
}

fingerprint() { (echo "$1" && cat "$1/fullchain.pem" "$1/ocsp.der" 2>/dev/null) | cksum; }

main "$@"
