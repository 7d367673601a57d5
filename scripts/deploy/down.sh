# shellcheck shell=bash
# down: stops and removes the containers. Databases, certificates and secrets stay; `up` goes on from there.

run() {
  require_engine
  compose --profile mi --profile git --profile forum --profile rag down --remove-orphans
}
