#!/usr/bin/env bash
#
# dist.sh [FOLDER] - the release as files: NAME-VERSION.zip, as PGXN wants it, and
# NAME-VERSION.tar.gz, in FOLDER (build/dist by default).
#
# What is committed, whole and nothing else; made again from the same commit they
# are the same bytes.
set -euo pipefail

source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=${1:-$source/build/dist}
name=crm_analytics
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$source/$name.control")

git -C "$source" rev-parse --verify -q HEAD >/dev/null || { echo "dist.sh: a release is made from a git checkout" >&2; exit 1; }
[ -z "$(git -C "$source" status --porcelain)" ] || echo "dist.sh: what is not committed is not in it" >&2

mkdir -p "$folder"
# A zip has local times, without a zone.
TZ=UTC git -C "$source" archive --format=zip -9 --prefix="$name-$version/" -o "$folder/$name-$version.zip" HEAD
git -C "$source" archive --format=tar --prefix="$name-$version/" HEAD | gzip -9n >"$folder/$name-$version.tar.gz"
(cd "$folder" && sha256sum "$name-$version.zip" "$name-$version.tar.gz")
