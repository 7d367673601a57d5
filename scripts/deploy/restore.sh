# shellcheck shell=bash
# restore FILE (--passphrase-file FILE | --identity KEY.pem) --yes: puts the databases back as they were in FILE. What is in them now is
# lost, so --yes has to be said. The services stop for it and start again after it. .env must hold the ZEQ_FIELD_KEY of that time
# (or hold it as ZEQ_FIELD_KEY_PREV).
: "${root:?}" "${env_file:?}"

run() {
  # shellcheck source=scripts/deploy/archive.sh
  . "$root/scripts/deploy/archive.sh"
  # shellcheck source=scripts/deploy/up.sh
  . "$root/scripts/deploy/up.sh"
  require_engine
  archive_options "$@"
  [ -r "$archive_file" ] || fail "$archive_file cannot be read"
  [ "$archive_yes" = yes ] || fail 'the present data would be lost; say --yes'
  require_secrets
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/sealed" "$work/content"
  tar -C "$work/sealed" -xf "$archive_file"
  decrypt "$work/sealed" "$work/content.tar"
  tar -C "$work/content" -xf "$work/content.tar"
  require_its_key
  put_all_back
  say 'restored'
}

# A restore under the wrong key would only be noticed when the vault refuses to start.
require_its_key() {
  local name
  for name in ZEQ_FIELD_KEY ZEQ_FIELD_KEY_PREV; do
    [ "$(printf 'backup %s' "$(env_value "$env_file" $name)" | openssl dgst -sha256 -r | cut -c 1-16)" = "$(env_value "$work/content/manifest" field_key)" ] && return
  done
  fail 'this backup was made under another ZEQ_FIELD_KEY than .env has; put that key there first. Nothing was changed.'
}

put_all_back() {
  compose stop gateway forwarder operator-engine sync-engine zeqond-daemon byok-vault mongo >/dev/null 2>&1 || true
  prepare_volumes
  compose up -d --no-build postgres >/dev/null 2>&1
  wait_healthy 120 "$(containers postgres)" || fail 'postgres did not start'
  docker exec -i "$(containers postgres)" sh -c '
    psql -q -v ON_ERROR_STOP=1 -h /var/run/postgresql -U zeq -d postgres -c "DROP DATABASE IF EXISTS zeq WITH (FORCE)" -c "CREATE DATABASE zeq" &&
    pg_restore -h /var/run/postgresql -U zeq -d zeq --no-owner --exit-on-error' <"$work/content/postgres.dump"
  fill_volume "$(project)_zeqond_data" "$work/content/zeqond.tar"
  [ ! -f "$work/content/mongo.tar" ] || fill_volume "$(project)_mongo_data" "$work/content/mongo.tar"
  compose up -d --no-build mongo >/dev/null 2>&1
  wait_healthy 120 "$(containers mongo)" || fail 'mongo did not start'
  [ ! -f "$work/content/mongo.archive" ] || docker exec -i "$(containers mongo)" \
    sh -c 'mongorestore --quiet --drop --archive -u zeq -p "$(cat /run/secrets/MONGO_PASSWORD)" --authenticationDatabase admin' <"$work/content/mongo.archive"
  compose up -d --no-build >/dev/null 2>&1
  wait_for_all
}

fill_volume() {
  docker run --rm -i --network none --user 0 --entrypoint sh -v "$1:/volume" "$(image)" -c \
    'find /volume -mindepth 1 -delete && tar -C /volume -xpf -' <"$2"
}
