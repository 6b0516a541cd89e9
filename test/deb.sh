#!/usr/bin/env bash
#
# deb.sh build      builds the Debian packages of what is committed, in build/deb, for the
#                   server that this Debian release has; lintian must have nothing to say
# deb.sh try        installs the built package into a fresh chroot of the release and runs
#                   debian/tests/create-extension there
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" deb
# shellcheck source=test/chroot.sh
. "$here/chroot.sh"
folder=$CRM_BUILD/deb

build()
{
	local version tree package

	version=$(dpkg-parsechangelog -l "$CRM_SOURCE/debian/changelog" -S Version)
	package=$(dpkg-parsechangelog -l "$CRM_SOURCE/debian/changelog" -S Source)
	version=${version%-*}
	rm -rf "$folder"
	mkdir -p "$folder"
	"$here/dist.sh" "$folder/dist" >/dev/null
	tar -C "$folder" -xf "$folder/dist/crm_analytics-$version.tar.gz"
	tree=$folder/crm_analytics-$version
	# Debian's "original" is the release without debian/.
	tar -C "$folder" --exclude="crm_analytics-$version/debian" --sort=name --owner=0 --group=0 --numeric-owner -czf "$folder/${package}_$version.orig.tar.gz" "crm_analytics-$version"
	# The tests are run by make check, and on the installed package by debian/tests.
	if ! (cd "$tree" && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage -us -uc) >"$folder/log" 2>&1; then
		tail -n 40 "$folder/log" | cut -c 1-200 >&2
		crm_die "the package was not built"
	fi
	# A first upload closes the bug that asked for it in Debian's own archive, which this is not meant for.
	lintian --allow-root --info --suppress-tags initial-upload-closes-no-bugs --fail-on error,warning "$folder"/*.changes
	ls "$folder"/*.deb
}

try_it()
{
	local suite root=try

	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	ls "$folder"/postgresql-*-crm-analytics_*.deb >/dev/null
	chroot_lock
	chroot_make "$suite"
	rm -rf --one-file-system "${chroots:?}/$root"
	cp -a --reflink=auto "$chroots/$suite" "$chroots/$root"
	mkdir -p "$chroots/$root/deb"
	cp "$folder"/postgresql-*-crm-analytics_*.deb "$CRM_SOURCE/debian/tests/create-extension" "$chroots/$root/deb"
	chroot_run "$root" bash -euc '
		mkdir -p /etc/postgresql-common/createcluster.d
		echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/try.conf
		export DEBIAN_FRONTEND=noninteractive
		apt-get -qq update
		apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends /deb/*.deb
	' >"$folder/try.log" 2>&1 || { tail -n 40 "$folder/try.log" >&2; crm_die "the package cannot be installed"; }
	chroot_run "$root" su postgres -s /bin/sh -c 'cd /tmp && sh /deb/create-extension'
	rm -rf --one-file-system "${chroots:?}/$root"
}

case ${1:-build} in
	build) build ;;
	try) try_it ;;
	*) crm_die "deb.sh build, or deb.sh try" ;;
esac
