#!/usr/bin/env bash
# Builds a program of a Go module, unless FILE is there already. What it has to say goes to stderr.
#
#   e2e-prod/go-program.sh FILE MODULE VERSION PACKAGE [go build argument…]     PACKAGE as a path in the module, e.g. ./cmd
#
# It is built from the module's own folder, because a module may replace some of its dependencies.
set -euo pipefail
program=$1 module=$2 version=$3 package=$4
shift 4
if [ -x "$program" ]; then exit 0; fi

mkdir -p "$(dirname "$program")"
fetch=$(mktemp -d)
trap 'rm -rf "$fetch"' EXIT
cd "$fetch"
exec >&2
printf 'module fetch\n\ngo 1.23\n\nrequire %s %s\n' "$module" "$version" >go.mod
export GOFLAGS=-mod=mod CGO_ENABLED=0
go mod download "$module"
cp -r "$(go list -m -f '{{.Dir}}' "$module")" source && chmod -R u+w source
cd source
go build "$@" -o "$program" "$package"
