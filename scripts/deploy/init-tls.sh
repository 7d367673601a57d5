# shellcheck shell=bash
# init-tls [--staging] [--server URL] [certbot argument…]: gets the first certificate for DOMAIN, by a challenge over port 80.
#
# DOMAIN and SSL_EMAIL must be set in .env, DOMAIN must lead to this machine, and the mesh must be up. nginx takes the certificate
# within seconds. Renewal: the certbot container looks twice a day; a cron line does as well:
#   0 3 * * * /path/to/scripts/deploy-prod.sh renew-certs
: "${root:?}"

run() {
  # shellcheck source=scripts/deploy/certbot.sh
  . "$root/scripts/deploy/certbot.sh"
  require_engine
  local host email
  host=$(domain_host)
  email=$(setting SSL_EMAIL)
  case $host in localhost | *.localhost | '' | *[!a-z0-9.-]*) fail 'set DOMAIN in .env to the name of this machine, as https://mesh.example.com' ;; esac
  [ -n "$email" ] || fail 'set SSL_EMAIL in .env; the certificate authority writes there'
  prepare_volume "$(certificates_volume)" 101
  certbot certonly --webroot -w "$CERTBOT_WEBROOT" -d "$host" --email "$email" --agree-tos --no-eff-email \
    --non-interactive --keep-until-expiring "$@"
  make_readable
  staple
  edge reload
  say "the certificate of $host is in use"
}
