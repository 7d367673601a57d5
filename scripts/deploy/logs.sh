# shellcheck shell=bash
# logs [SERVICE…] [--no-follow]: the latest 200 lines of each, then what follows.

run() {
  local follow=(--follow) services=() argument
  for argument in "$@"; do
    if [ "$argument" = --no-follow ]; then follow=(); else services+=("$argument"); fi
  done
  require_engine
  compose logs --tail 200 "${follow[@]}" "${services[@]}"
}
