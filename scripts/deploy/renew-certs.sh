# shellcheck shell=bash
# renew-certs [certbot argument…]: renews what is due, makes it readable for nginx, and lets nginx take it. For cron.
: "${root:?}"

run() {
  # shellcheck source=scripts/deploy/certbot.sh
  . "$root/scripts/deploy/certbot.sh"
  require_engine
  make_readable
  certbot renew --quiet "$@"
  make_readable
  staple
  edge reload
}
