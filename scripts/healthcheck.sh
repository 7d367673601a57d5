#!/bin/bash
# Whether the service of this container can serve: exit 0 for a 200 of /ready, 1 for anything else. Its port is the one variable of the
# known names that compose has set, or the first argument.
#
# In bash, because this runs every few seconds in every container and a Node process would cost fifty times as much.
port=${1:-${GATEWAY_PORT:-${SYNC_PORT:-${VAULT_PORT:-${FORWARDER_PORT:-${OPERATOR_PORT:-${ZEQOND_PORT:-4000}}}}}}}

if ! { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null; then
  echo 'no answer: nobody listens'
  exit 1
fi
printf 'GET /ready HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$port" >&3
read -r -t 4 _ status _ <&3
mapfile -t lines <&3 # to the end: the answer closes its connection
body=${lines[-1]:-}

state='no answer: not in time'
[[ $body =~ \"status\":\"([a-z_]+)\" ]] && state=${BASH_REMATCH[1]}
[[ $body =~ \"missing\":\[(.+)\] ]] && state="$state: ${BASH_REMATCH[1]//\"/}"
echo "$state"
[ "$status" = 200 ]
