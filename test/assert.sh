#!/usr/bin/env bash
#
# assert.sh [STAGE ...] - tests on a server that checks its own assertions, built
# from the source package of Debian's server; stages as for check.sh, "regress
# isolation" when none is named.
#
# The server is built once (ten minutes) and kept in CRM_ASSERT, by default
# /var/tmp/crm_analytics-assert.  Sources are looked for where this machine's apt
# finds its packages, with lists of their own: apt's configuration stays as it is.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" assert
# shellcheck source=test/server.sh
. "$here/server.sh"
crm_locate

folder=${CRM_ASSERT:-/var/tmp/crm_analytics-assert}/$CRM_MAJOR
# Debian's patch puts everything into /usr/lib unless the prefix already speaks of PostgreSQL.
prefix=$folder/postgresql

fetch_source()
{
	local apt version versions

	mkdir -p "$folder/apt/parts" "$folder/apt/lists"
	apt-get indextargets --format '$(ORIGIN)|$(REPO_URI)|$(CODENAME)|$(COMPONENT)' 'Created-By: Packages' | sort -u |
		sed -nE 's#^Debian\|([^|]*)\|([^|]*)\|([^|]*)$#deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \1 \2 \3#p' >"$folder/apt/sources.list"
	apt=(-qq -o "Dir::Etc::SourceList=$folder/apt/sources.list" -o "Dir::Etc::SourceParts=$folder/apt/parts" -o "Dir::State::Lists=$folder/apt/lists"
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= -o APT::Sandbox::User=root)
	apt-get "${apt[@]}" update
	# The newest first; a mirror may list what it has not got.
	versions=$(apt-cache "${apt[@]}" showsrc "postgresql-$CRM_MAJOR" | sed -n 's/^Version: //p' | sort -rV)
	for version in $versions; do
		rm -rf "$folder/source"
		mkdir -p "$folder/source"
		if (cd "$folder/source" && apt-get "${apt[@]}" source --download-only "postgresql-$CRM_MAJOR=$version" && dpkg-source -x ./*.dsc tree); then
			return
		fi
	done
	return 1
}

build_server()
{
	local tree=$folder/source/tree target

	(
		cd "$tree"
		./configure --prefix="$prefix" --enable-cassert --enable-debug --enable-tap-tests --with-icu --with-lz4 --without-readline \
			CFLAGS="-O1 -g -fno-omit-frame-pointer"
		make -s -j"$(nproc)"
	)
	target=$(sed -n 's/^prefix := //p' "$tree/src/Makefile.global")
	[ "$target" = "$prefix" ] || crm_die "configured for \"$target\" instead of \"$prefix\""
	# Whatever the makefiles think, nothing of the system is written to.
	unshare --mount --propagation private -- bash -euc '
		mount --bind /usr /usr
		mount -o remount,bind,ro /usr
		make -s -C "$1" install
		for part in src/test/regress src/test/isolation src/test/perl src/test/modules contrib; do
			make -s -C "$1/$part" install
		done' install_server "$tree"
	chmod -R a+rX "$folder"
}

if [ ! -x "$folder/built" ]; then
	[ "$(id -u)" = 0 ] || crm_die "building the server needs root"
	mkdir -p "$folder"
	{ fetch_source && build_server; } >"$folder/log" 2>&1 || { tail -n 30 "$folder/log" >&2; crm_die "no server with assertions: $folder/log"; }
	install -m 755 /dev/null "$folder/built"
fi

[ $# -gt 0 ] || set -- regress isolation
mkdir -p "$CRM_BUILD/assert"
CRM_BUILD=$CRM_BUILD/assert PG_CONFIG=$prefix/bin/pg_config exec "$here/check.sh" "$@"
