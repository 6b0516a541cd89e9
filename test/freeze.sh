#!/usr/bin/env bash
#
# freeze.sh - at a release: keeps the version's install script, and what test/t/update.pl
# uses it with, in src/upgrade.  From then on every later version is tested to be an
# update of it.  A version is frozen once.
set -euo pipefail

# shellcheck source=test/server.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/server.sh"
crm_build

name=crm_analytics
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$CRM_SOURCE/$name.control")
folder=$CRM_SOURCE/src/upgrade
[ ! -e "$folder/$name--$version.sql" ] || crm_die "version $version is frozen already: a release has a new default_version in $name.control"

cp "$CRM_STAGE$CRM_SHAREDIR/extension/$name--$version.sql" "$folder/"
cp "$CRM_SOURCE/test/t/lib/scenario.sql" "$folder/$version.scenario.sql"
cp "$CRM_SOURCE/test/t/lib/answers.sql" "$folder/$version.answers.sql"
cd "$folder"
sha256sum "$name--$version.sql" "$version.scenario.sql" "$version.answers.sql" >>SHA256SUMS
echo "src/upgrade keeps version $version"
