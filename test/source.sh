#!/usr/bin/env bash
# source.sh - rules about the source itself, read from it and from the built library.
set -euo pipefail

# shellcheck source=test/server.sh
. "$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/server.sh"
cd "$CRM_SOURCE"
failed=0

# rule NAME OFFENDERS: holds when there are no offenders.
rule()
{
	if [ -z "$2" ]; then
		echo "ok $1"
	else
		printf '%s\n' "$2"
		echo "not ok $1"
		failed=1
	fi
}

rule "kernels know nothing of PostgreSQL" \
	"$(grep -nE '#include "(postgres|fmgr|utils/|common/|access/|catalog/|executor/|nodes/|lib/|libpq/|miscadmin)|\b(palloc|ereport|elog|Datum)\b *\(' src/kernel/*.[ch] || true)"

# Room -> common -> kernel; sideways only through src/<room>/<room>.h.
offenders=
for file in src/*/*.[ch]; do
	room=$(basename "$(dirname "$file")")
	while IFS= read -r include; do
		target=${include%%/*}
		[ -d "src/$target" ] && [ "$include" != "$target" ] || continue
		case $room:$target in
			"$target:$room" | kernel:kernel) ;;
			kernel:*) offenders+="$file includes $include"$'\n' ;;
			*:kernel) ;;
			common:common) ;;
			common:*) offenders+="$file includes $include"$'\n' ;;
			*:common) ;;
			*) [ "$include" = "$target/$target.h" ] || offenders+="$file includes $include"$'\n' ;;
		esac
	done < <(sed -nE 's/^#include "([^"]+)".*/\1/p' "$file")
done
rule "includes go room, common, kernel" "${offenders%$'\n'}"

rule "no file is longer than 800 lines" \
	"$(wc -l src/*/*.[ch] src/*/*.sql | awk '$1 > 800 && $2 != "total" { print $2 ": " $1 " lines" }')"

rule "no // comments in C" "$(grep -rnE '(^|[;{}[:space:]])//' src test --include='*.[ch]' | grep -vE '"[^"]*//[^"]*"|https?://' || true)"

version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" crm_analytics.control)
rule "META.json and CHANGELOG.md speak of version $version" \
	"$(perl -MJSON::PP -0777 -ne '$m = decode_json($_); print "META.json says $_\n" for grep { $_ ne "'"$version"'" } $m->{version}, $m->{provides}{crm_analytics}{version}' META.json 2>&1)$(grep -q "^## $version\b" CHANGELOG.md || echo "CHANGELOG.md has no section $version")"

rule "META.json holds to PGXN's specification" "$(perl test/meta.pl META.json 2>&1; perl test/meta.pl --try META.json 2>&1)"
rule "noise of measurements is told from change" "$(perl test/bench/results.pl selftest 2>&1 | grep -v "as they should be$" || true)"
rule "the page of measurements says what the results say" "$(diff <(perl test/bench/results.pl table test/bench/results) test/bench/results/README.md 2>&1 || true)"
if [ -f debian/changelog ]; then
	rule "debian/changelog speaks of version $version" "$(sed -nE "1{/^crm-analytics \($version-[^)]+\) /!p}" debian/changelog)"
fi
# The versions' own scripts have one "--" in their names, the steps between them two.
rule "frozen versions are as they were released" \
	"$(cd src/upgrade && { [ ! -f SHA256SUMS ] || sha256sum --quiet --strict -c SHA256SUMS 2>&1 || true; } &&
		find . -name 'crm_analytics--*.sql' ! -name '*--*--*' -printf '%P\n' | while IFS= read -r file; do
			grep -qsF "  $file" SHA256SUMS || echo "$file has no sum"
		done)"
# What is committed is what is released, and the same each time.
if git rev-parse --is-inside-work-tree >/dev/null 2>&1 && [ "$(git rev-parse --show-toplevel)" = "$CRM_SOURCE" ]; then
	dist=$(mktemp -d)
	test/dist.sh "$dist/1" >/dev/null 2>&1 && test/dist.sh "$dist/2" >/dev/null 2>&1 || true
	rule "make dist holds what is committed, the same bytes each time" \
		"$(diff <(git ls-tree -r --name-only -z HEAD | tr '\0' '\n' | sort) <(tar -tzf "$dist/1/crm_analytics-$version.tar.gz" --quoting-style=literal | sed -n "s/^crm_analytics-$version\///p" | grep -v '/$' | grep . | sort) 2>&1; diff -rq "$dist/1" "$dist/2" 2>&1)"
	rm -rf "$dist"
fi

crm_build
rule "only crm_* and PostgreSQL's entry points are exported" \
	"$(nm -D --defined-only "$CRM_STAGE$CRM_PKGLIBDIR/crm_analytics.so" | awk '{ print $3 }' | grep -vE '^(crm_|pg_finfo_crm_|_PG_init$|Pg_magic_func$)' || true)"
rule "the library needs libc and libm only" \
	"$(objdump -p "$CRM_STAGE$CRM_PKGLIBDIR/crm_analytics.so" | awk '$1 == "NEEDED" { print $2 }' | grep -vE '^(libc|libm|ld-linux.*)\.so' || true)"

if command -v shellcheck >/dev/null; then
	rule "shellcheck has nothing to say" "$(find test .ci demo \( -name '*.sh' -o -path '.ci/run' \) -exec shellcheck -x -S warning {} + 2>/dev/null || true)"
fi
exit "$failed"
