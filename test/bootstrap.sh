#!/usr/bin/env bash
#
# bootstrap.sh demo|check|browser|bench|nightly|versions|assert|deb - installs the Debian packages that a
# goal needs and that are missing.  This is the one list of packages.
#
# Costs milliseconds when all is there.  Runs apt-get as root or through sudo.
# Installing the server package here does not create or start a cluster.
set -euo pipefail

goal=${1:-check}

# The server's major version: what is installed with its headers, else what the distribution offers.
pg_version()
{
	local dir newest=

	if [ -n "${PG_CONFIG:-}" ]; then
		"$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/'
		return
	fi
	for dir in /usr/lib/postgresql/*/; do
		if [ -x "${dir}bin/postgres" ] && [ -f "${dir}lib/pgxs/src/makefiles/pgxs.mk" ]; then
			newest=$(basename "$dir")
		fi
	done
	if [ -z "$newest" ]; then
		newest=$(apt-cache depends postgresql 2>/dev/null | sed -nE 's/.*Depends: postgresql-([0-9]+)$/\1/p' | head -n 1)
	fi
	echo "${newest:-15}"
}

major=$(pg_version)

packages=(make gcc libc6-dev perl "postgresql-$major" "postgresql-server-dev-$major")
case $goal in
	demo) ;;
	check | nightly)
		packages+=(clang libclang-rt-dev libipc-run-perl libroaring-dev)
		[ "$goal" = check ] || packages+=(valgrind sqlsmith)
		;;
	bench) ;;
	# what the pages of reports are looked at with, and what fetches their library
	browser)
		packages+=(chromium fonts-noto-cjk)
		command -v node >/dev/null || packages+=(nodejs)
		command -v npm >/dev/null || packages+=(npm)
		;;
	versions) packages=(debootstrap util-linux) ;;
	assert) packages+=(dpkg-dev bison flex pkg-config libipc-run-perl libicu-dev liblz4-dev zlib1g-dev) ;;
	deb) packages=(make git gzip debhelper dpkg-dev fakeroot lintian postgresql-server-dev-all debootstrap util-linux) ;;
	*)
		echo "bootstrap.sh: unknown goal \"$goal\", one of demo, check, browser, bench, nightly, versions, assert, deb" >&2
		exit 2
		;;
esac

missing=()
for package in "${packages[@]}"; do
	if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
		missing+=("$package")
	fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "Installing: ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
	sudo=()
elif command -v sudo >/dev/null; then
	sudo=(sudo)
else
	echo "bootstrap.sh: neither root nor sudo here; install these packages first: ${missing[*]}" >&2
	exit 1
fi

# Debian makes and starts a cluster "main" with a server package.  Nobody asked
# for one here: while this script installs the first one, that is switched off.
quiet=/etc/postgresql-common/createcluster.d/crm_analytics.conf
if [ "$(dpkg-query -W -f='${db:Status-Status}' postgresql-common 2>/dev/null)" != installed ]; then
	"${sudo[@]}" mkdir -p "$(dirname "$quiet")"
	echo "create_main_cluster = false" | "${sudo[@]}" tee "$quiet" >/dev/null
	trap '"${sudo[@]}" rm -f "$quiet"' EXIT
fi

apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
log=$(mktemp)
if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
	cat "$log" >&2
	rm -f "$log"
	echo "bootstrap.sh: apt-get failed" >&2
	exit 1
fi
rm -f "$log"
