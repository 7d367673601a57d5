# shellcheck shell=bash
# The encryption of backups. Sourced by backup and restore, which make the folder `work`.
# shellcheck disable=SC2154,SC2034 # work; what the options set is read by who sources this

archive_file='' archive_passphrase='' archive_recipient='' archive_identity='' archive_yes=no

archive_options() {
  while [ $# -gt 0 ]; do
    case $1 in
    --passphrase-file) archive_passphrase=$(readable "$2") && shift ;;
    --recipient) archive_recipient=$(readable "$2") && shift ;;
    --identity) archive_identity=$(readable "$2") && shift ;;
    --yes) archive_yes=yes ;;
    -*) fail "unknown: $1" ;;
    *) archive_file=$1 ;;
    esac
    shift
  done
  [ -n "$archive_file" ] || fail 'which file? --help tells more'
  [ -n "$archive_passphrase$archive_recipient$archive_identity" ] || fail 'a passphrase file, a recipient or an identity is needed; --help tells more'
  [ -z "$archive_passphrase" ] || [ "$(head -n 1 "$archive_passphrase" | wc -c)" -gt 12 ] || fail 'the passphrase is shorter than 12 characters'
}

readable() {
  [ -r "${1:-}" ] || fail "${1:-the file} cannot be read"
  printf '%s' "$1"
}

# encrypt FILE FOLDER: FOLDER/data.cms, and with a passphrase also the key pair it opens
encrypt() {
  mkdir "$2"
  local certificate=$archive_recipient
  if [ -n "$archive_passphrase" ]; then
    (umask 077 && openssl req -x509 -newkey rsa:3072 -nodes -days 36500 -subj '/CN=backup' -keyout "$work/key" -out "$2/certificate.pem" 2>/dev/null &&
      openssl pkcs8 -topk8 -in "$work/key" -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -passout "file:$archive_passphrase" -out "$2/key.pem")
    rm -f "$work/key"
    certificate=$2/certificate.pem
  fi
  openssl cms -encrypt -binary -stream -aes-256-gcm -in "$1" -outform DER -out "$2/data.cms" -recip "$certificate" -keyopt rsa_padding_mode:oaep
}

# decrypt FOLDER FILE: nothing is used before the whole of it has been authenticated
decrypt() {
  if [ -n "$archive_passphrase" ]; then
    [ -f "$1/key.pem" ] || fail 'this backup was made for a recipient; use --identity'
    openssl cms -decrypt -binary -inform DER -in "$1/data.cms" -out "$2" -inkey "$1/key.pem" -passin "file:$archive_passphrase" 2>/dev/null ||
      fail 'the passphrase is wrong, or the file was changed. Nothing was changed here.'
  else
    openssl cms -decrypt -binary -inform DER -in "$1/data.cms" -out "$2" -inkey "$archive_identity" 2>/dev/null ||
      fail 'the key is wrong, or the file was changed. Nothing was changed here.'
  fi
}
