#!/usr/bin/env bash
# Runs a mesh on this machine. Every verb can be run twice, explains itself with --help, and prints no secret.
#
#   scripts/deploy-prod.sh up                 build, start, wait until everything can serve
#   scripts/deploy-prod.sh down               stop; the data stays
#   scripts/deploy-prod.sh status             how every part is; the exit code tells
#   scripts/deploy-prod.sh logs [SERVICE…]    the latest lines, then what follows
#   scripts/deploy-prod.sh init-tls           the first certificate
#   scripts/deploy-prod.sh renew-certs        renew what is due (for cron)
#   scripts/deploy-prod.sh backup FILE        databases into one encrypted file
#   scripts/deploy-prod.sh restore FILE       the databases as they were in such a file
#   scripts/deploy-prod.sh rotate-field-key   a new master key, every row under it
#   scripts/deploy-prod.sh rotate-api-key     a new X-API-Key beside the old ones
#   scripts/deploy-prod.sh upgrade [VERSION]  replace every service without losing a request
#
# Settings come from .env beside docker-compose.yml. docs/operations.md tells more.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/deploy/common.sh
. "$root/scripts/deploy/common.sh"

usage() { sed -n '2,/^set -euo/p' "${BASH_SOURCE[0]}" | sed -n 's/^# \{0,1\}//p'; }

verb=${1:-}
[ $# -gt 0 ] && shift
case $verb in
up | down | status | logs | init-tls | renew-certs | backup | restore | rotate-field-key | rotate-api-key | upgrade)
  script=$root/scripts/deploy/$verb.sh
  case ${1:-} in
  -h | --help) explain "$script" ;;
  *)
    # shellcheck source=/dev/null
    . "$script"
    run "$@"
    ;;
  esac
  ;;
-h | --help | help) usage ;;
*)
  usage >&2
  exit 2
  ;;
esac
