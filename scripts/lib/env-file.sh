# shellcheck shell=sh
# Reading and changing `.env`: one NAME=value per line, no interpolation. Sourced by the scripts of this folder's parent.

# env_value FILE NAME: prints the value of NAME, nothing when it is absent. The last line of a name counts, as in compose.
env_value() {
  [ -f "$1" ] || return 0
  awk -v name="$2" '
    index($0, name "=") == 1 { value = substr($0, length(name) + 2); sub(/\r$/, "", value) }
    END {
      if (value ~ /^".*"$/ || value ~ /^\047.*\047$/) value = substr(value, 2, length(value) - 2)
      print value
    }' "$1"
}

# env_set FILE NAME VALUE: writes NAME=VALUE in place of the line that has it, or at the end. Every other line stays as it is.
# The new file is complete before it takes the old one's place. VALUE travels in the environment, not in an argument.
env_set() {
  env_set_new=$1.new.$$
  (
    umask 077
    [ -f "$1" ] || : >"$1"
    ENV_SET_VALUE=$3 awk -v name="$2" '
      index($0, name "=") == 1 { if (!done) print name "=" ENVIRON["ENV_SET_VALUE"]; done = 1; next }
      { print }
      END { if (!done) print name "=" ENVIRON["ENV_SET_VALUE"] }' "$1" >"$env_set_new"
  ) && chmod 600 "$env_set_new" && mv -f "$env_set_new" "$1"
}
