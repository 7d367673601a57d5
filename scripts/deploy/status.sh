# shellcheck shell=bash
# status: one line per part, `ok`, `warn` or `FAIL` first, then the machine's own side: certificate, disk, clock, rotation,
# versions. Exit code 0: nothing fails; 1: something does, and its line says what; 2: it cannot be told.
: "${env_file:?}"

failures=0

run() {
  docker info >/dev/null 2>&1 || {
    line FAIL engine 'the Docker engine does not answer'
    exit 2
  }
  parts
  doors
  certificate
  disk
  clock
  rotation
  versions
  if [ "$failures" -gt 0 ]; then
    say "$failures of the above fail"
    exit 1
  fi
  say 'everything is well'
}

line() { # line ok|warn|FAIL WHAT TEXT
  printf '%-5s %-16s %s\n' "$1" "$2" "$3"
  [ "$1" != FAIL ] || failures=$((failures + 1))
}

CORE='postgres redis mongo byok-vault forwarder sync-engine operator-engine zeqond-daemon gateway nginx certbot'

# Every container of the mesh; of the core there has to be one of each, of the neighbours those that were started.
parts() {
  local service container state restarts all expected
  all=$(docker ps -aq --filter "label=com.docker.compose.project=$(project)" --filter label=com.docker.compose.oneoff=False |
    xargs -r docker inspect -f '{{index .Config.Labels "com.docker.compose.service"}} {{.ID}} {{if and .State.Health .State.Running (not .State.Restarting)}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}} {{.RestartCount}}')
  for expected in $CORE; do
    grep -q "^$expected " <<<"$all" || line FAIL "$expected" 'there is no container'
  done
  while read -r service container state restarts; do
    [ -z "$service" ] || part "$service" "$container" "$state" "$restarts"
  done < <(sort <<<"$all")
}

part() { # part SERVICE CONTAINER STATE RESTARTS
  local again=''
  [ "$4" = 0 ] || again=", restarted $4 times"
  case $3 in
  healthy | running) line ok "$1" "$3$again" ;;
  starting) line warn "$1" "starting$again" ;;
  unhealthy) line FAIL "$1" "cannot serve: $(last_check "$2")$again" ;;
  *) line FAIL "$1" "$3$again" ;;
  esac
}

last_check() {
  docker inspect -f '{{if .State.Health}}{{range .State.Health.Log}}{{.Output}}{{"\n"}}{{end}}{{end}}' "$1" |
    sed '/^ *$/d' | tail -n 1 | cut -c 1-200
}

# The health endpoints, as an operator would ask them.
doors() {
  local body
  door nginx "http://127.0.0.1:$(setting ZEQ_HTTP_PORT 80)/nginx-health"
  door gateway "http://127.0.0.1:$(setting GATEWAY_PORT 4000)/health"
  door sync-engine "http://127.0.0.1:$(setting SYNC_PORT 4001)/health"
  door byok-vault "http://127.0.0.1:$(setting VAULT_PORT 4002)/health"
  door forwarder "http://127.0.0.1:$(setting FORWARDER_PORT 4003)/health"
  door operator-engine "http://127.0.0.1:$(setting OPERATOR_PORT 8080)/health"
  door zeqond-daemon "http://127.0.0.1:$(setting ZEQOND_PORT 2871)/health"
  [ -z "$(containers mi)" ] || door mi "http://127.0.0.1:$(setting ZEQ_MI_PORT 3080)/api/health"
  [ -z "$(containers git)" ] || door git "http://127.0.0.1:$(setting ZEQ_GIT_PORT 3000)/api/v1/version"
  body=$(get "http://127.0.0.1:$(setting SYNC_PORT 4001)/health") || return 0
  case $body in
  *'"tesc_enabled":true'*) line ok tesc 'enabled' ;;
  *) line warn tesc 'off: ZEQ_SYNC_SECRET is not set' ;;
  esac
}

door() {
  if get -o /dev/null "$2"; then line ok "$1" "answers at $2"; else line FAIL "$1" "does not answer at $2"; fi
}

certificate() {
  local text end days issuer subject
  text=$(openssl s_client -connect "127.0.0.1:$(setting ZEQ_HTTPS_PORT 443)" -servername "$(domain_host)" </dev/null 2>/dev/null |
    openssl x509 -noout -enddate -issuer -subject 2>/dev/null) || {
    line FAIL certificate 'no TLS on the https port'
    return
  }
  end=$(sed -n 's/^notAfter=//p' <<<"$text")
  issuer=$(sed -n 's/^issuer=//p' <<<"$text")
  subject=$(sed -n 's/^subject=//p' <<<"$text")
  days=$((($(date -d "$end" +%s) - $(date +%s)) / 86400))
  if [ "$issuer" = "$subject" ]; then
    line warn certificate "self-signed, $days days left; scripts/deploy-prod.sh init-tls gets a real one"
  elif [ "$days" -lt 7 ]; then
    line FAIL certificate "$days days left"
  elif [ "$days" -lt 21 ]; then
    line warn certificate "$days days left; it should have been renewed"
  else
    line ok certificate "$days days left, $issuer"
  fi
}

disk() {
  local folder used
  folder=$(docker info -f '{{.DockerRootDir}}')
  [ -d "$folder" ] || folder=/
  used=$(df -P "$folder" | awk 'NR == 2 { sub("%", "", $5); print $5 }')
  if [ "$used" -ge 95 ]; then
    line FAIL disk "$used % of $folder is used"
  elif [ "$used" -ge 85 ]; then
    line warn disk "$used % of $folder is used"
  else
    line ok disk "$used % of $folder is used"
  fi
}

# The machine's offset where a time service knows it, and in any case what the daemon has measured against the mesh.
clock() {
  local offset synchronised
  if offset=$(chronyc -c tracking 2>/dev/null | cut -d , -f 5) && [ -n "$offset" ]; then
    line "$(awk -v s="$offset" 'BEGIN { s = s < 0 ? -s : s; print (s < 0.1 ? "ok" : s < 0.777 ? "warn" : "FAIL") }')" clock "$offset s from its time servers"
  elif synchronised=$(timedatectl show -p NTPSynchronized --value 2>/dev/null); then
    case $synchronised in
    yes) line ok clock 'kept by a time service' ;;
    *) line warn clock 'no time service keeps it; ticks drift with it' ;;
    esac
  else
    line warn clock 'no time service was found (chronyc, timedatectl)'
  fi
  offset=$(get "http://127.0.0.1:$(setting ZEQOND_PORT 2871)/health" | field offset_ms) || return 0
  [ -z "$offset" ] || line ok zeqond "the daemon's clock is $offset ms from the mesh's"
}

rotation() {
  local body state left failed
  if ! body=$(admin GET /api/zeq/admin/rotate-field-key 2>/dev/null); then
    line warn field-key 'the state of the rotation cannot be asked'
    return
  fi
  state=$(field state <<<"$body") left=$(field rows_left <<<"$body") failed=$(field rows_failed <<<"$body")
  [ "${failed:-0}" = 0 ] || line warn field-key "$failed credentials need a new header"
  if [ "$state" = running ]; then
    line warn field-key "rotation is running, $left rows left"
  elif [ -n "$(env_value "$env_file" ZEQ_FIELD_KEY_PREV)" ]; then
    line warn field-key 'ZEQ_FIELD_KEY_PREV is still set; scripts/deploy-prod.sh rotate-field-key finishes the rotation'
  else
    line ok field-key "no rotation is open, $left rows under another key"
  fi
}

versions() {
  local version
  version=$(get "http://127.0.0.1:$(setting GATEWAY_PORT 4000)/health" | field version) || version=unknown
  line ok versions "mesh $version, image $(image), engine $(docker version -f '{{.Server.Version}}')"
}
