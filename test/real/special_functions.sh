#!/usr/bin/env bash
#
# special_functions.sh - the special functions of the kernels against values of 20
# digits, each within the tolerance that stands beside it.
#
# Prints "ok" and "not ok" lines; 77 where the values are not there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
values=$CRM_SHARED/data/scoring/special_functions.csv
if [ ! -r "$values" ]; then
	echo "no data/scoring/special_functions.csv"
	exit 77
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
gcc -std=gnu11 -O2 -ffp-contract=off -I"$here/../../src" -o "$folder/compare" "$here/special_functions.c" "$here/../../src/kernel/special.c" -lm
"$folder/compare" <"$values"
