#!/usr/bin/env bash
# demo.sh - the demonstration over a smaller bank: it runs as it stands, planted
# truths are found, and every tag has the customers that plain SQL finds for its rule.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
customers=${DEMO_CUSTOMERS:-10000}

export PGCLIENTENCODING=UTF8
for file in "$here/../demo/data.sql" "$here/../demo/demo.sql" "$here/demo.sql"; do
	psql -X -q -v ON_ERROR_STOP=1 -v customers="$customers" -f "$file"
done
