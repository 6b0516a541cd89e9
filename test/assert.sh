#!/usr/bin/env bash
#
# assert.sh [STAGE ...] - tests on a server that checks its own assertions; stages as
# for check.sh, "regress isolation" when none is named.  test/source_server.sh builds
# that server.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" assert
# shellcheck source=test/source_server.sh
. "$here/source_server.sh"

source_server "" --enable-cassert

[ $# -gt 0 ] || set -- regress isolation
mkdir -p "$CRM_BUILD/assert"
CRM_BUILD=$CRM_BUILD/assert PG_CONFIG=$source_prefix/bin/pg_config exec "$here/check.sh" "$@"
