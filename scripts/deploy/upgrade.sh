# shellcheck shell=bash
# upgrade [VERSION]: builds the image of this folder's state as VERSION (default: the time), and replaces one service after the
# other. Each old container stays until its new one can serve, so no request is lost. When a new one does not come up, what was
# replaced is put back, and the exit code is 1.
#
# ZEQ_VERSION in .env says which version runs. --no-build uses an image that is there already; without VERSION it is the one that
# runs, so a changed .env is taken into use without a gap, and not at all where a service refuses it.
: "${root:?}" "${env_file:?}"

ORDER=(byok-vault sync-engine operator-engine zeqond-daemon forwarder gateway)

run() {
  # shellcheck source=scripts/deploy/rolling.sh
  . "$root/scripts/deploy/rolling.sh"
  local build=yes version='' argument before
  for argument in "$@"; do
    case $argument in
    --no-build) build=no ;;
    -*) fail "unknown: $argument" ;;
    *) version=$argument ;;
    esac
  done
  require_engine
  require_secrets
  before=$(setting ZEQ_VERSION latest)
  if [ -z "$version" ]; then
    if [ "$build" = yes ]; then version=$(date -u +%Y%m%d%H%M%S); else version=$before; fi
  fi
  use_version "$version"
  if [ "$build" = yes ] && ! compose build gateway; then
    use_version "$before"
    fail 'the image could not be built; nothing was changed'
  fi
  edge reload || warn 'nginx keeps its present configuration: the new one is not valid'
  replace_all "$before"
  say "version $version serves"
}

replace_all() {
  local service done_services=()
  for service in "${ORDER[@]}"; do
    say "replacing $service"
    if roll "$service"; then
      done_services+=("$service")
    else
      warn "$service did not come up; going back to $1"
      put_back "$1" "${done_services[@]}"
      exit 1
    fi
  done
}

put_back() {
  local service failed=0
  use_version "$1"
  shift
  for service in "$@"; do roll "$service" || failed=1; done
  [ "$failed" = 0 ] || warn 'not everything could be put back; scripts/deploy-prod.sh status tells more'
}

use_version() {
  env_set "$env_file" ZEQ_VERSION "$1"
  export ZEQ_VERSION=$1
}
