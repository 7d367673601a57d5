# shellcheck shell=bash
# rotate-api-key [--drop-old]: puts a new key in front of ZEQ_API_KEYS; the old ones keep working until --drop-old, which leaves
# the newest only. Keys are not printed: the newest is the first of ZEQ_API_KEYS in .env.
: "${root:?}" "${env_file:?}"

run() {
  # shellcheck source=scripts/deploy/rolling.sh
  . "$root/scripts/deploy/rolling.sh"
  require_engine
  local keys
  keys=$(env_value "$env_file" ZEQ_API_KEYS)
  case ${1:-} in
  '') keys=$(openssl rand -hex 32)${keys:+,$keys} ;;
  --drop-old) keys=${keys%%,*} ;;
  *) fail "unknown: $1" ;;
  esac
  [ -n "$keys" ] || fail 'there is no key in ZEQ_API_KEYS'
  env_set "$env_file" ZEQ_API_KEYS "$keys"
  require_secrets
  roll gateway || fail 'the gateway does not start with the new list; the old one still serves with the old list'
  say "ZEQ_API_KEYS holds $(tr ',' '\n' <<<"$keys" | wc -l) keys; the newest is the first"
}
