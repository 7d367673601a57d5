# shellcheck shell=bash
# What the verbs of deploy-prod.sh share. Sourced; `root` is set.
: "${root:?}"

env_file=${ENV_FILE:-$root/.env}
secrets_dir=$root/.secrets
# shellcheck source=scripts/lib/env-file.sh
. "$root/scripts/lib/env-file.sh"
# shellcheck source=scripts/lib/secret-files.sh
. "$root/scripts/lib/secret-files.sh"

say() { printf '%s\n' "$*"; }
warn() { printf 'deploy-prod: %s\n' "$*" >&2; }
fail() {
  warn "$*"
  exit 1
}

# The comment at the head of a verb's script is its help.
explain() { sed -n '2,/^[^#]/p' "$1" | sed -n 's/^# \{0,1\}//p'; }

# setting NAME DEFAULT: from the environment, else from .env
setting() {
  local value=${!1:-}
  [ -n "$value" ] || value=$(env_value "$env_file" "$1")
  printf '%s' "${value:-${2:-}}"
}

# compose v2 where the engine has it, docker-compose otherwise
compose() {
  if has_compose_v2; then
    (cd "$root" && docker compose --env-file "$env_file" "$@")
  else
    (cd "$root" && docker-compose --env-file "$env_file" "$@")
  fi
}

has_compose_v2() {
  [ -n "${compose_v2:-}" ] || if docker compose version >/dev/null 2>&1; then compose_v2=yes; else compose_v2=no; fi
  [ "$compose_v2" = yes ]
}

project() { setting COMPOSE_PROJECT_NAME zeq; }
domain_host() { setting DOMAIN https://localhost | sed -e 's|^[a-z]*://||' -e 's|[/:].*$||'; }
image() { printf '%s:%s' "$(setting ZEQ_IMAGE zeq-mesh)" "$(setting ZEQ_VERSION latest)"; }

require_engine() {
  docker info >/dev/null 2>&1 || fail 'the Docker engine does not answer'
  has_compose_v2 || command -v docker-compose >/dev/null || fail 'docker compose is missing'
}

require_secrets() {
  [ -f "$env_file" ] || fail "there is no $env_file; run scripts/generate-secrets.sh first"
  ENV_FILE=$env_file SECRETS_DIR=$secrets_dir "$root/scripts/generate-secrets.sh" --files
}

# containers SERVICE [-a]: the running ones, or all; asked of the engine itself, because compose takes its time
containers() {
  docker ps "${@:2}" -q --no-trunc --filter "label=com.docker.compose.project=$(project)" \
    --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
}

# healthy, starting, unhealthy, running (without a check), restarting (the engine calls that running, too), exited, missing
state_of() {
  docker inspect -f '{{if and .State.Health .State.Running (not .State.Restarting)}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' "$1" 2>/dev/null || echo missing
}

# wait_healthy SECONDS CONTAINER: fails when it does not get there, or ends
wait_healthy() {
  local until=$((SECONDS + $1)) state
  while [ "$SECONDS" -lt "$until" ]; do
    state=$(state_of "$2")
    case $state in
    healthy) return 0 ;;
    running) return 0 ;; # it has no check of its own
    exited | dead | missing) break ;;
    restarting) [ "$(docker inspect -f '{{.RestartCount}}' "$2")" -lt 3 ] || break ;; # it ends again and again
    esac
    sleep 1
  done
  warn "$(docker inspect -f '{{.Name}}' "$2" 2>/dev/null || echo "$2") is ${state:-missing}; its latest lines:"
  docker logs --tail 15 "$2" >&2 || true
  return 1
}

# get URL [curl argument…]: the body; fails on anything but 2xx
get() { curl -sS --fail --max-time 5 "$@" 2>/dev/null; }

# admin METHOD PATH: a call to the gateway with the operator's key, which reaches curl through a pipe and not as an argument
admin() {
  local key
  key=$(env_value "$env_file" ZEQ_ADMIN_KEYS)
  printf 'header = "X-Admin-Key: %s"\n' "${key%%,*}" |
    curl -sS --fail-with-body --max-time 10 -K - -X "$1" "http://127.0.0.1:$(setting GATEWAY_PORT 4000)$2"
}

# field NAME: the value of a field of the flat JSON on stdin, numbers and words as they are
field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^\",}]*\)\"\{0,1\}[,}].*/\1/p" | head -n 1; }

# edge ARGUMENT…: start.sh inside the nginx container
edge() { docker exec "$(containers nginx)" /etc/zeq-nginx/start.sh "$@"; }

# prepare_volume NAME UID [marked]: gives a volume that root owns, as every new one is, to the ordinary user of its container.
# An empty volume takes the owner of the image's folder at each mount, so where the image has such a folder it is marked by a file.
prepare_volume() {
  docker run --rm --network none --user 0 --entrypoint sh -v "$1:/volume:nocopy" "$(image)" -c "
    [ -z '${3:-}' ] || touch /volume/.prepared
    [ \"\$(stat -c %u /volume)\" != 0 ] || chown -R $2:$2 /volume"
}

certificates_volume() { setting ZEQ_CERTIFICATES_VOLUME letsencrypt_data; }
webroot_volume() { setting ZEQ_WEBROOT_VOLUME certbot_webroot; }
