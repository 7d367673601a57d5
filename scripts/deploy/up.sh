# shellcheck shell=bash
# up [--build]: builds the image when it is missing (or told to), starts everything, waits until it can serve.
#
# Neighbours are started too when COMPOSE_PROFILES names them in .env (mi,git,forum,rag). Run it again after a change of .env.
: "${secrets_dir:?}"

run() {
  require_engine
  require_secrets
  [ -n "$(setting DOMAIN)" ] || warn 'DOMAIN is not set in .env: only https://localhost is served'
  if [ "${1:-}" = --build ] || ! docker image inspect "$(image)" >/dev/null 2>&1; then
    compose build gateway
  fi
  prepare_volumes
  compose up -d --no-build --remove-orphans
  take_passwords_into_use
  wait_for_all
  edge reload
  say 'the mesh is up'
}

prepare_volumes() {
  prepare_volume "$(project)_postgres_data" 999
  prepare_volume "$(project)_mongo_data" 999 marked
  prepare_volume "$(certificates_volume)" 101
  prepare_volume "$(webroot_volume)" 101
  case ,$(setting COMPOSE_PROFILES), in *,rag,*) prepare_volume "$(project)_rag_data" 999 ;; esac
  case ,$(setting COMPOSE_PROFILES), in *,mi,*) prepare_volume "$(project)_mi_mongo_data" 999 marked ;; esac
  case ,$(setting COMPOSE_PROFILES), in *,forum,*) prepare_volume "$(project)_forum_postgres_data" 999 ;; esac
}

# A database keeps the password it was made with; after generate-secrets.sh --force it learns the new one, through its own
# socket, where none is asked for.
take_passwords_into_use() {
  set_password postgres zeq "$secrets_dir/POSTGRES_PASSWORD"
  set_password rag rag "$secrets_dir/RAG_DB_PASSWORD"
  set_password forum-postgres discourse "$secrets_dir/DISCOURSE_DB_PASSWORD"
}

set_password() {
  local container
  container=$(containers "$1")
  [ -n "$container" ] || return 0
  wait_healthy 90 "$container" || fail "$1 did not start"
  printf "ALTER ROLE %s PASSWORD '%s';\n" "$2" "$(cat "$3")" |
    docker exec -i "$container" psql -q -v ON_ERROR_STOP=1 -h /var/run/postgresql -U "$2" -d "$2" >/dev/null
}

wait_for_all() {
  local container
  for container in $(docker ps -q --filter "label=com.docker.compose.project=$(project)"); do
    wait_healthy 180 "$container" || fail 'not everything came up; scripts/deploy-prod.sh status tells more'
  done
}
