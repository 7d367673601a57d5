#!/bin/sh
# Makes every secret of a production mesh and keeps it in .env (mode 0600).
#
#   scripts/generate-secrets.sh                      make what is missing, keep what is there
#   scripts/generate-secrets.sh --force              make all of them anew; the old .env is kept as .env.backup-TIME
#   scripts/generate-secrets.sh --rotate-field-key   new ZEQ_FIELD_KEY, the present one becomes ZEQ_FIELD_KEY_PREV;
#                                                    deploy-prod.sh rotate-field-key does this and all the rest
#   scripts/generate-secrets.sh --files              only write the files for the containers anew, after .env was edited
#
# --force refuses to replace ZEQ_FIELD_KEY while there is data under it: that data could never be read again.
# Give both, --force --rotate-field-key, to renew everything and keep the data readable.
# ENV_FILE chooses another file than .env, SECRETS_DIR another folder than .secrets. Needs a POSIX shell and openssl.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
env_file=${ENV_FILE:-$root/.env}
secrets_dir=${SECRETS_DIR:-$root/.secrets}
# shellcheck source=scripts/lib/env-file.sh
. "$root/scripts/lib/env-file.sh"
# shellcheck source=scripts/lib/secret-files.sh
. "$root/scripts/lib/secret-files.sh"

# Name, how it is written, random bytes. The first seven have the lengths and alphabets that the security guide states.
SECRETS='
JWT_SECRET base64 48
ZEQ_MI_JWT_SECRET hex 32
ZEQ_MI_CREDS_KEY hex 16
ZEQ_MI_CREDS_IV hex 8
ZEQ_API_KEYS hex 32
DISCOURSE_DB_PASSWORD hex 16
RAG_DB_PASSWORD hex 16
ZEQ_FIELD_KEY hex 32
ZEQ_ADMIN_KEYS hex 32
ZEQ_INTERNAL_SECRET hex 32
ZEQ_HITE_SECRET hex 32
ZEQ_SYNC_SECRET hex 32
ZEQ_SYNC_SIGNING_KEY hex 32
ZEQ_PROOF_SECRET hex 32
POSTGRES_PASSWORD hex 24
REDIS_PASSWORD hex 24
MONGO_PASSWORD hex 24
ZEQ_GIT_SECRET_KEY hex 32
ZEQ_GIT_INTERNAL_TOKEN hex 32
ZEQ_FORUM_ADMIN_PASSWORD hex 12
'

main() {
  force=no rotate=no
  for argument in "$@"; do
    case $argument in
    --force) force=yes ;;
    --rotate-field-key) rotate=yes ;;
    --files) write_files_only ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
  done
  command -v openssl >/dev/null || fail 'openssl is needed'
  [ "$rotate" = no ] || require_rotation_possible
  [ "$force" = no ] || [ "$rotate" = yes ] || require_no_data
  [ "$force$rotate" = nono ] || back_up
  [ "$rotate" = no ] || rotate_field_key
  make_secrets
  write_secret_files "$env_file" "$secrets_dir"
}

usage() {
  sed -n '2,/^set -eu/p' "$0" | sed -n 's/^# \{0,1\}//p'
  exit "$1"
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'generate-secrets: %s\n' "$*" >&2
  exit 1
}

write_files_only() {
  [ -f "$env_file" ] || fail "there is no $env_file yet; run it without --files"
  write_secret_files "$env_file" "$secrets_dir"
  exit 0
}

random() {
  case $1 in
  hex) openssl rand -hex "$2" ;;
  base64) openssl rand -base64 "$2" | tr -d '\n' ;;
  esac
}

make_secrets() {
  made=0 kept=0
  while read -r name form bytes; do
    [ -n "$name" ] || continue
    if [ -n "$(env_value "$env_file" "$name")" ] && ! replaced "$name"; then
      kept=$((kept + 1))
    else
      value=$(random "$form" "$bytes")
      [ -n "$value" ] || fail "openssl could not make $name; nothing more was changed"
      env_set "$env_file" "$name" "$value"
      made=$((made + 1))
    fi
  done <<EOF
$SECRETS
EOF
  [ -n "$(env_value "$env_file" COMPOSE_PROJECT_NAME)" ] || env_set "$env_file" COMPOSE_PROJECT_NAME zeq
  chmod 600 "$env_file"
  say "$env_file: $made made, $kept kept. Set DOMAIN and SSL_EMAIL there by hand."
}

# The field key is replaced by rotation only, and the password of a MongoDB that has data cannot be set from outside.
replaced() {
  [ "$force" = yes ] || return 1
  case $1 in
  ZEQ_FIELD_KEY) [ "$rotate" = no ] ;;
  MONGO_PASSWORD) ! data_exists ;;
  *) return 0 ;;
  esac
}

back_up() {
  [ -f "$env_file" ] || return 0
  copy=$env_file.backup-$(date -u +%Y%m%dT%H%M%SZ)
  while [ -e "$copy" ]; do copy=$copy-again; done
  (umask 077 && cp "$env_file" "$copy") && chmod 600 "$copy"
  say "the present file is kept as $copy"
}

rotate_field_key() {
  env_set "$env_file" ZEQ_FIELD_KEY_PREV "$(env_value "$env_file" ZEQ_FIELD_KEY)"
  env_set "$env_file" ZEQ_FIELD_KEY "$(random hex 32)"
  say 'ZEQ_FIELD_KEY is new, the one before it is ZEQ_FIELD_KEY_PREV. Restart byok-vault and start the rotation.'
}

require_rotation_possible() {
  [ -n "$(env_value "$env_file" ZEQ_FIELD_KEY)" ] || fail 'there is no ZEQ_FIELD_KEY to rotate; run it without --rotate-field-key'
  [ -z "$(env_value "$env_file" ZEQ_FIELD_KEY_PREV)" ] ||
    fail 'ZEQ_FIELD_KEY_PREV is set: a rotation is not finished. Nothing was changed.'
}

require_no_data() {
  [ -n "$(env_value "$env_file" ZEQ_FIELD_KEY)" ] || return 0
  data_exists || return 0
  fail 'refused: there is, or may be, data encrypted under ZEQ_FIELD_KEY, and without that key nobody can read it again.
  Nothing was changed. To renew everything and keep the data readable, add --rotate-field-key: the present key is
  kept as ZEQ_FIELD_KEY_PREV until every row is under the new one.'
}

# True unless it is certain that there is none: an engine that does not answer may hold a volume.
data_exists() {
  [ -z "$(env_value "$env_file" DATABASE_URL)" ] || return 0
  data_dir=$(env_value "$env_file" ZEQ_DATA_DIR)
  [ ! -d "$(absolute "${data_dir:-.zeq}")/vault" ] || return 0
  command -v docker >/dev/null || return 1
  volumes=$(docker volume ls --quiet 2>/dev/null) || return 0
  printf '%s\n' "$volumes" | grep -qx "$(project)_postgres_data"
}

absolute() { case $1 in /*) printf '%s' "$1" ;; *) printf '%s' "$root/$1" ;; esac; }

# As compose names it.
project() {
  given=$(env_value "$env_file" COMPOSE_PROJECT_NAME)
  printf '%s' "${COMPOSE_PROJECT_NAME:-${given:-zeq}}"
}

main "$@"
