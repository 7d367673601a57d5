# shellcheck shell=bash
# backup FILE (--passphrase-file FILE | --recipient CERTIFICATE.pem): PostgreSQL (machines, credentials as ciphertext, usage, audit,
# chain), MongoDB (operators, computations) and the daemon's witness, in one encrypted file. Services go on meanwhile; only where
# the MongoDB image has no mongodump is that database stopped for the copy.
#
# Encrypted with AES-256-GCM by openssl cms: for the certificate's owner, or under a key that the passphrase protects (PKCS #8,
# PBKDF2, 600 000 rounds). The keys of .env are not in it: keep .env elsewhere, a backup cannot be read without its ZEQ_FIELD_KEY.
: "${root:?}" "${env_file:?}"

run() {
  # shellcheck source=scripts/deploy/archive.sh
  . "$root/scripts/deploy/archive.sh"
  require_engine
  archive_options "$@"
  [ ! -e "$archive_file" ] || fail "$archive_file is there already"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir "$work/content"
  # the witness first: a chain that is older than what its witness has seen would look cut off after a restore
  copy_volume "$(project)_zeqond_data" "$work/content/zeqond.tar"
  copy_postgres
  copy_mongo
  describe
  tar -C "$work/content" -cf "$work/content.tar" .
  encrypt "$work/content.tar" "$work/sealed"
  (umask 077 && tar -C "$work/sealed" -cf "$archive_file.new" .) && mv "$archive_file.new" "$archive_file"
  say "$archive_file: $(du -h "$archive_file" | cut -f 1)"
}

copy_postgres() {
  docker exec "$(containers postgres)" pg_dump -h /var/run/postgresql -U zeq -d zeq --format=custom --no-owner >"$work/content/postgres.dump"
}

copy_mongo() {
  local container
  container=$(containers mongo)
  if docker exec "$container" sh -c 'command -v mongodump' >/dev/null 2>&1; then
    docker exec "$container" sh -c 'mongodump --quiet --archive -u zeq -p "$(cat /run/secrets/MONGO_PASSWORD)" --authenticationDatabase admin' >"$work/content/mongo.archive"
  else
    docker stop -t 30 "$container" >/dev/null
    copy_volume "$(project)_mongo_data" "$work/content/mongo.tar" || { docker start "$container" >/dev/null && fail 'MongoDB could not be copied'; }
    docker start "$container" >/dev/null
  fi
}

copy_volume() {
  docker run --rm --network none --user 0 --entrypoint tar -v "$1:/volume:ro" "$(image)" -C /volume -cf - . >"$2"
}

describe() {
  {
    echo "made_at=$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "version=$(setting ZEQ_VERSION latest)"
    echo "field_key=$(printf 'backup %s' "$(env_value "$env_file" ZEQ_FIELD_KEY)" | openssl dgst -sha256 -r | cut -c 1-16)"
  } >"$work/content/manifest"
}
