#!/bin/sh
# What the certbot container runs: a renewal every twelve hours, where there is a certificate. nginx takes a new one by itself.
set -u
trap 'exit 0' TERM INT
while :; do
  if [ -d /etc/letsencrypt/renewal ] && [ -w /etc/letsencrypt ]; then
    certbot renew --quiet --work-dir /tmp/work --logs-dir /tmp/logs || echo 'certbot: the renewal failed; trying again in twelve hours'
  fi
  sleep 43200 &
  wait $!
done
