# source_server.sh - servers built from the source package of Debian's server, with
# checks that Debian's own is built without; to be sourced.
#
#   source_server KIND [CONFIGURE ARGUMENT ...]    sets source_prefix to where it is installed
#
# A server is built once (ten minutes) and kept in CRM_ASSERT, by default
# /var/tmp/crm_analytics-assert.  Sources are looked for where this machine's apt
# finds its packages, with lists of their own: apt's configuration stays as it is.
# shellcheck shell=bash

# shellcheck source=test/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"
crm_locate

source_server_fetch()
{
	local folder=$1 apt version versions

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

source_server_make()
{
	local prefix=$1 tree=$2 target
	shift 2

	(
		cd "$tree"
		./configure --prefix="$prefix" --enable-debug --enable-tap-tests --with-icu --with-lz4 --without-readline \
			CFLAGS="-O1 -g -fno-omit-frame-pointer" "$@"
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
}

source_server()
{
	local folder=${CRM_ASSERT:-/var/tmp/crm_analytics-assert}/$CRM_MAJOR$1
	shift

	# Debian's patch puts everything into /usr/lib unless the prefix already speaks of PostgreSQL.
	source_prefix=$folder/postgresql
	[ ! -x "$folder/built" ] || return 0
	[ "$(id -u)" = 0 ] || crm_die "building the server needs root"
	mkdir -p "$folder"
	# (A subshell whose status is read afterwards: within "||" a failing command would not end it.)
	set +e
	(
		set -e
		source_server_fetch "$folder"
		source_server_make "$source_prefix" "$folder/source/tree" "$@"
		chmod -R a+rX "$folder"
	) >"$folder/log" 2>&1
	local status=$?
	set -e
	[ "$status" = 0 ] || { tail -n 30 "$folder/log" >&2; crm_die "the server could not be built: $folder/log"; }
	install -m 755 /dev/null "$folder/built"
}
