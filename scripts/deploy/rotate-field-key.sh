# shellcheck shell=bash
# rotate-field-key: makes a new ZEQ_FIELD_KEY, re-encrypts every credential under it, and forgets the old key.
#
# Calls go on meanwhile. It can be stopped at any point and run again; it goes on where it was. The old .env is kept as
# .env.backup-TIME: without the key in it a backup from before cannot be read.
: "${root:?}" "${env_file:?}" "${secrets_dir:?}"

run() {
  # shellcheck source=scripts/deploy/rolling.sh
  . "$root/scripts/deploy/rolling.sh"
  require_engine
  if [ -z "$(env_value "$env_file" ZEQ_FIELD_KEY_PREV)" ]; then
    ENV_FILE=$env_file SECRETS_DIR=$secrets_dir "$root/scripts/generate-secrets.sh" --rotate-field-key
  else
    say 'ZEQ_FIELD_KEY_PREV is set: going on with the rotation that was begun'
  fi
  require_secrets
  roll byok-vault || fail 'byok-vault does not start with the new key; the old one still serves, and both keys are in .env'
  start_rotation
  watch_rotation
  env_set "$env_file" ZEQ_FIELD_KEY_PREV ''
  require_secrets
  roll byok-vault || fail 'byok-vault does not start without the old key; it still serves with both'
  say 'every credential is under the new key'
}

# `rotation_running` is not a failure: then it is only watched.
start_rotation() {
  local answer
  for _ in $(seq 30); do
    answer=$(admin POST /api/zeq/admin/rotate-field-key) && return
    case $answer in *rotation_running* | *rotation_not_possible*) return ;; esac
    sleep 1
  done
  fail "the rotation could not be started: $(field detail <<<"$answer")"
}

watch_rotation() {
  local body left told=''
  while :; do
    if body=$(admin GET /api/zeq/admin/rotate-field-key); then
      left=$(field rows_left <<<"$body")
      [ "$left" = "$told" ] || say "$left rows left"
      told=$left
      case $body in
      *'"done":true'*) break ;;
      *'"state":"cancelled"'*) fail 'the rotation was cancelled; both keys stay in .env' ;;
      esac
    fi
    sleep 1
  done
  [ "$(field rows_failed <<<"$body")" = 0 ] || warn "$(field rows_failed <<<"$body") credentials do not open under any key and need a new header"
}
