#!/bin/sh
# What generate-secrets.sh promises. Needs a POSIX shell and openssl; `docker` is a stand-in that each case sets up.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

# A case: its sentence, then a function that runs in a folder of its own; a command that fails there fails the case.
# It is not called in a condition, where the shell would overlook failing commands.
it() {
  mkdir "$work/case" "$work/case/bin"
  printf '#!/bin/sh\nexit 0\n' >"$work/case/bin/docker" # an engine without volumes
  chmod +x "$work/case/bin/docker"
  set +e
  (
    set -eu
    cd "$work/case"
    "$2"
  ) >"$work/output" 2>&1
  status=$?
  set -e
  if [ "$status" -eq 0 ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED: %s\n' "$1"
    cat "$work/output"
  fi
  rm -rf "$work/case"
}

fails() { if "$@"; then return 1; fi; }
generate() {
  PATH=$PWD/bin:$PATH ENV_FILE=$PWD/.env SECRETS_DIR=$PWD/.secrets "$root/scripts/generate-secrets.sh" "$@"
}
value() { sed -n "s/^$1=//p" .env; }
engine_says() { printf '#!/bin/sh\n%s\n' "$1" >bin/docker; }
mode() { stat -c %a "$1"; }

exact_values() {
  generate >/dev/null
  value JWT_SECRET | grep -Eqx '[A-Za-z0-9+/]{64}'
  for name in ZEQ_MI_JWT_SECRET ZEQ_API_KEYS ZEQ_FIELD_KEY ZEQ_ADMIN_KEYS ZEQ_INTERNAL_SECRET ZEQ_HITE_SECRET ZEQ_SYNC_SECRET; do
    value $name | grep -Eqx '[0-9a-f]{64}'
  done
  for name in ZEQ_MI_CREDS_KEY DISCOURSE_DB_PASSWORD RAG_DB_PASSWORD; do value $name | grep -Eqx '[0-9a-f]{32}'; done
  value ZEQ_MI_CREDS_IV | grep -Eqx '[0-9a-f]{16}'
  for name in POSTGRES_PASSWORD REDIS_PASSWORD MONGO_PASSWORD; do value $name | grep -Eqx '[0-9a-f]{48}'; done
}
it 'makes the values of the guide with its lengths and alphabets, and the others' exact_values

private_files() {
  umask 022
  generate >/dev/null
  [ "$(mode .env)" = 600 ]
  [ "$(mode .secrets)" = 700 ]
  printf 'A=1\n' >.env && chmod 644 .env
  generate >/dev/null
  [ "$(mode .env)" = 600 ]
}
it 'leaves .env readable for its owner alone, whatever the umask was' private_files

second_run() {
  generate >/dev/null
  cp .env before
  generate >/dev/null
  cmp .env before
}
it 'changes nothing when it runs again' second_run

keeps() {
  printf '# mine\nDOMAIN=https://mesh.example.com\nZEQ_API_KEYS=one,two\nJWT_SECRET=\n' >.env
  generate >/dev/null
  [ "$(sed -n 1p .env)" = '# mine' ]
  [ "$(value DOMAIN)" = https://mesh.example.com ]
  [ "$(value ZEQ_API_KEYS)" = one,two ]
  [ "$(grep -c '^JWT_SECRET=' .env)" = 1 ]
  value JWT_SECRET | grep -Eqx '[A-Za-z0-9+/]{64}'
}
it 'keeps comments and values, and fills in what is empty' keeps

forced() {
  generate >/dev/null
  cp .env before
  generate --force >/dev/null
  cmp before .env.backup-*
  [ "$(mode .env.backup-*)" = 600 ]
  for name in JWT_SECRET ZEQ_MI_JWT_SECRET ZEQ_MI_CREDS_KEY ZEQ_MI_CREDS_IV ZEQ_API_KEYS DISCOURSE_DB_PASSWORD RAG_DB_PASSWORD ZEQ_FIELD_KEY; do
    fails grep -qxF "$name=$(value $name)" before
  done
}
it 'makes all of them anew with --force, after a backup, where there is no data' forced

refused() {
  generate >/dev/null
  cp .env before
  engine_says "$1"
  fails generate --force >out 2>&1
  grep -q -- --rotate-field-key out
  cmp .env before
  fails ls .env.backup-*
}
with_volume() { refused 'echo zeq_postgres_data'; }
it 'refuses --force while the database volume exists, and changes nothing' with_volume
silent_engine() { refused 'exit 1'; }
it 'refuses --force when the engine cannot say whether there is data' silent_engine

embedded_data() {
  mkdir -p data/vault
  printf 'ZEQ_DATA_DIR=%s\n' "$PWD/data" >.env
  refused 'exit 0'
}
it 'refuses --force while there is an embedded database' embedded_data

database_elsewhere() {
  printf 'DATABASE_URL=postgres://db.example.com/zeq\n' >.env
  refused 'exit 0'
}
it 'refuses --force when the database is elsewhere' database_elsewhere

rotated() {
  generate >/dev/null
  old=$(value ZEQ_FIELD_KEY) other=$(value JWT_SECRET)
  engine_says 'echo zeq_postgres_data'
  generate --rotate-field-key >/dev/null
  [ "$(value ZEQ_FIELD_KEY_PREV)" = "$old" ]
  [ "$(value ZEQ_FIELD_KEY)" != "$old" ]
  [ "$(value JWT_SECRET)" = "$other" ]
  [ "$(cat .secrets/ZEQ_FIELD_KEY_PREV)" = "$old" ]
  cp .env before
  fails generate --rotate-field-key >/dev/null 2>&1
  cmp .env before
}
it 'moves the field key to ZEQ_FIELD_KEY_PREV, and not twice' rotated

forced_with_rotation() {
  generate >/dev/null
  old=$(value ZEQ_FIELD_KEY) jwt=$(value JWT_SECRET) mongo=$(value MONGO_PASSWORD)
  engine_says 'echo zeq_postgres_data'
  generate --force --rotate-field-key >/dev/null
  [ "$(value ZEQ_FIELD_KEY_PREV)" = "$old" ]
  [ "$(value JWT_SECRET)" != "$jwt" ]
  [ "$(value MONGO_PASSWORD)" = "$mongo" ]
}
it 'renews everything and keeps the data readable with --force --rotate-field-key' forced_with_rotation

no_secret_shown() {
  generate >out 2>&1
  generate --force >>out 2>&1
  sed -n 's/^[A-Z_]*=\(.\{16,\}\)$/\1/p' .env .env.backup-* >values
  [ -s values ]
  fails grep -qFf values out
}
it 'prints no secret' no_secret_shown

container_files() {
  generate >/dev/null
  [ "$(cat .secrets/ZEQ_FIELD_KEY)" = "$(value ZEQ_FIELD_KEY)" ]
  [ "$(cat .secrets/DATABASE_URL)" = "postgres://zeq:$(value POSTGRES_PASSWORD)@postgres:5432/zeq" ]
  [ -z "$(cat .secrets/ZEQ_FIELD_KEY_PREV)" ]
  grep -Eqx 'CREDS_KEY=[0-9a-f]{64}' .secrets/mi.env
  grep -Eqx 'CREDS_IV=[0-9a-f]{32}' .secrets/mi.env
  printf 'MONGO_URL=mongodb://elsewhere/zeq\n' >>.env
  generate --files
  [ "$(cat .secrets/MONGO_URL)" = mongodb://elsewhere/zeq ]
}
it 'writes what each container reads as a file' container_files

unknown_argument() {
  fails generate --frce >out 2>&1
  grep -q -- --force out
  [ ! -e .env ]
}
it 'explains itself and changes nothing when it does not know an argument' unknown_argument

printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
