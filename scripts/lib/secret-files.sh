# shellcheck shell=sh
# Writes each container's secrets as files, so that `docker inspect` and a process list show none of them.
# Sourced; needs env-file.sh.

# What the mesh's own services read through NAME_FILE.
SERVICE_SECRETS='JWT_SECRET JWT_SECRET_PREV ZEQ_API_KEYS ZEQ_ADMIN_KEYS ZEQ_INTERNAL_SECRET ZEQ_INTERNAL_SECRET_PREV
ZEQ_FIELD_KEY ZEQ_FIELD_KEY_PREV ZEQ_HITE_SECRET ZEQ_SYNC_SECRET ZEQ_SYNC_SECRET_PREV ZEQ_SYNC_SIGNING_KEY ZEQ_PROOF_SECRET
ZEQ_PROOF_SECRET_PREV ZEQ_MODEL_TOKEN OPENAI_API_KEY DEEPSEEK_API_KEY FIREWORKS_API_KEY'
# What the images of the databases and the neighbours read.
OTHER_SECRETS='POSTGRES_PASSWORD MONGO_PASSWORD DISCOURSE_DB_PASSWORD RAG_DB_PASSWORD ZEQ_GIT_SECRET_KEY ZEQ_GIT_INTERNAL_TOKEN
ZEQ_FORUM_ADMIN_PASSWORD'

# write_secret_files ENV_FILE FOLDER
# The folder is for its owner only; the files in it can be read by anybody who got there, because a container sees only
# the files that are mounted into it and reads them as a user of its own.
write_secret_files() {
  mkdir -p "$2" && chmod 700 "$2" || return 1
  for name in $SERVICE_SECRETS $OTHER_SECRETS; do
    env_value "$1" "$name" | put_secret "$2/$name" || return 1
  done
  store_addresses "$1" "$2" && neighbour_files "$1" "$2"
}

# An address that `.env` gives itself (a database elsewhere) goes before the one that is made here.
store_addresses() {
  or_made "$1" DATABASE_URL "postgres://zeq:$(env_value "$1" POSTGRES_PASSWORD)@postgres:5432/zeq" | put_secret "$2/DATABASE_URL" &&
    or_made "$1" REDIS_URL "redis://:$(env_value "$1" REDIS_PASSWORD)@redis:6379/0" | put_secret "$2/REDIS_URL" &&
    or_made "$1" MONGO_URL "mongodb://zeq:$(env_value "$1" MONGO_PASSWORD)@mongo:27017/zeq?authSource=admin" | put_secret "$2/MONGO_URL" &&
    printf 'requirepass %s\n' "$(env_value "$1" REDIS_PASSWORD)" | put_secret "$2/redis.conf"
}

# The neighbours read a file of variables. LibreChat, which Zeq MI is, wants a 32 byte key and a 16 byte IV as hex; they are
# derived from the shorter values of the same names.
neighbour_files() {
  {
    echo "JWT_SECRET=$(env_value "$1" ZEQ_MI_JWT_SECRET)"
    echo "JWT_REFRESH_SECRET=$(derived "mi refresh $(env_value "$1" ZEQ_MI_JWT_SECRET)")"
    echo "CREDS_KEY=$(derived "mi creds key $(env_value "$1" ZEQ_MI_CREDS_KEY)")"
    echo "CREDS_IV=$(derived "mi creds iv $(env_value "$1" ZEQ_MI_CREDS_IV)" | cut -c 1-32)"
    echo "OPENAI_API_KEY=$(env_value "$1" ZEQ_MI_TOKEN)"
  } | put_secret "$2/mi.env"
}

or_made() {
  given=$(env_value "$1" "$2")
  printf '%s\n' "${given:-$3}"
}

derived() { printf '%s' "$1" | openssl dgst -sha256 -r | cut -d ' ' -f 1; }

put_secret() {
  (umask 077 && cat >"$1.new") && chmod 444 "$1.new" && mv -f "$1.new" "$1"
}
