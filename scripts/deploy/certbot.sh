# shellcheck shell=bash
# Running certbot as an ordinary user (that of nginx) over the volumes of the certificates. Sourced.

# It lies in the certificates' own volume, so that a renewal that mounts nothing else still answers the challenge.
# shellcheck disable=SC2034 # read by init-tls
CERTBOT_WEBROOT=/etc/letsencrypt/webroot

# ZEQ_CERTBOT_OPTIONS: more arguments of `docker run`, for a certificate authority of one's own (its root certificate, its network).
certbot() {
  local more=()
  read -r -a more <<<"$(setting ZEQ_CERTBOT_OPTIONS)"
  docker run --rm --user 101:101 --network "$(project)_outside" --read-only --cap-drop ALL --security-opt no-new-privileges \
    --tmpfs /tmp:mode=1777,size=64m -v "$(certificates_volume):/etc/letsencrypt" -v "$(webroot_volume):/var/www/certbot" \
    --entrypoint sh "${more[@]}" "$(setting CERTBOT_IMAGE certbot/certbot:v4.2.0)" \
    -c 'mkdir -p /etc/letsencrypt/webroot && exec certbot "$@"' certbot "$@" --work-dir /tmp/work --logs-dir /tmp/logs
}

# A certificate that was made by another user's certbot, as by the lines of the security guide, becomes readable for nginx.
make_readable() {
  docker run --rm --user 0 --network none --entrypoint sh -v "$(certificates_volume):/etc/letsencrypt" "$(image)" -c '
    cd /etc/letsencrypt && for folder in live archive renewal accounts webroot; do
      [ ! -d $folder ] || chown -R 101:101 $folder
    done && chown 101:101 . && find live archive -type d -exec chmod 755 {} + 2>/dev/null
    find archive -name "privkey*.pem" -exec chmod 640 {} + 2>/dev/null; true'
}

# Fetches the answer that nginx staples, from a CA that still gives any; most do not any more.
staple() {
  docker run --rm --user 101:101 --network "$(project)_outside" --entrypoint sh -v "$(certificates_volume):/etc/letsencrypt" \
    "$(setting CERTBOT_IMAGE certbot/certbot:v4.2.0)" -c '
    cd "/etc/letsencrypt/live/$1" || exit 0
    url=$(openssl x509 -in cert.pem -noout -ocsp_uri)
    [ -n "$url" ] || { rm -f ocsp.der; exit 0; }
    openssl ocsp -no_nonce -issuer chain.pem -cert cert.pem -url "$url" -respout ocsp.new >/dev/null 2>&1 && mv ocsp.new ocsp.der' \
    staple "$(domain_host)" || warn 'no answer to staple could be fetched; the handshake goes without'
}
