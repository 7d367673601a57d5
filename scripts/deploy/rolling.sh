# shellcheck shell=bash
# Replacing a running service by a new container without losing a request. Sourced.

# Old workers of nginx, which end with their last request, get this long; what still streams then has the service's own drain time.
DRAIN_SECONDS=${ZEQ_DRAIN_SECONDS:-60}

# roll SERVICE: starts a second container with the present image and settings, and stops the first when the second can serve.
# Fails, with the old one untouched, when the new one does not come up.
roll() {
  local service=$1 old new
  old=$(containers "$service")
  if [ "$service" = zeqond-daemon ]; then # its folder has one writer
    compose up -d --no-build --no-deps --force-recreate "$service" >/dev/null 2>&1 || return 1
    wait_healthy 120 "$(containers "$service")"
    return
  fi
  compose up -d --no-build --no-deps --no-recreate --scale "$service=$(($(wc -w <<<"$old") + 1))" "$service" >/dev/null 2>&1 || return 1
  new=$(comm -13 <(sort <<<"$old") <(containers "$service" | sort))
  [ -n "$new" ] || return 1
  if ! wait_healthy 120 "$new"; then
    docker rm -f "$new" >/dev/null
    return 1
  fi
  [ "$service" != gateway ] || lead_to "$new"
  stop_old "$old"
  [ "$service" != gateway ] || edge point
}

# Everything that comes in from now on goes to the new container; what is under way stays where it is.
lead_to() {
  local address
  address=$(docker inspect -f "{{(index .NetworkSettings.Networks \"$(project)_internal\").IPAddress}}" "$1")
  edge point gateway "$address:4000"
  sleep 1
  edge drained "$DRAIN_SECONDS" || warn 'some streams are still open; they are cut after the drain time of the service'
}

stop_old() {
  local container
  for container in $1; do
    docker stop -t 40 "$container" >/dev/null
    docker rm "$container" >/dev/null
  done
}
