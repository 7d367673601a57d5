# shellcheck shell=bash
# renew-certs [certbot argument…]: renews what is due, makes it readable for nginx, and lets nginx take it. For cron.
: "${root:?}"

run() {
  # shellcheck source=scripts/deploy/certbot.sh
  . "$root/scripts/deploy/certbot.sh"
  require_engine
  make_readable
  # certbot waits up to eight minutes before it asks, so that not all cron jobs of the world come at once; nobody at a terminal should
  if [ -t 1 ]; then set -- --no-random-sleep-on-renew "$@"; fi
  certbot renew --quiet "$@"
  make_readable
  staple
  edge reload
}
