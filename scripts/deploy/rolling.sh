# shellcheck shell=bash
# Replacing the containers of a running service by new ones without losing a request. Sourced.

# Old workers of nginx, which end with their last request, get this long; what still streams then has the service's own drain time.
DRAIN_SECONDS=${ZEQ_DRAIN_SECONDS:-60}

# roll SERVICE: starts as many new containers as there are, with the present image and settings, and stops the old ones when all new
# ones can serve. Fails, with the old ones untouched, when a new one does not come up.
roll() {
  local service=$1 old new running wanted
  old=$(containers "$service")
  if [ "$service" = zeqond-daemon ]; then # its folder has one writer
    compose up -d --no-build --no-deps --force-recreate "$service" >/dev/null 2>&1 || return 1
    wait_healthy 120 "$(containers "$service")"
    return
  fi
  running=$(wc -w <<<"$old")
  wanted=$((running > 0 ? running : 1))
  compose up -d --no-build --no-deps --no-recreate --scale "$service=$((running + wanted))" "$service" >/dev/null 2>&1 || true
  new=$(comm -13 <(sort <<<"$old") <(containers "$service" | sort))
  if ! all_serve "$wanted" "$new"; then
    remove "$new"
    return 1
  fi
  [ "$service" != gateway ] || lead_to "${new%%[[:space:]]*}"
  stop_old "$old"
  [ "$service" != gateway ] || edge point
}

# all_serve COUNT CONTAINERS: there are that many, and each can serve
all_serve() {
  local container
  [ "$(wc -w <<<"$2")" -eq "$1" ] || return 1
  for container in $2; do wait_healthy 120 "$container" || return 1; done
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
  for container in $1; do docker stop -t 40 "$container" >/dev/null & done
  wait
  remove "$1"
}

remove() {
  local container
  for container in $1; do docker rm -f "$container" >/dev/null; done
}
