#!/usr/bin/env bash
#
# upgrade.sh - pg_upgrade from 15 to 17 to 18, with the extension in use: test/t/upgrade.pl
# in a chroot that has all three, each with its build of the extension.
#
# The builds come from where test/versions.sh makes them: here, or in the chroot of the
# suite that has that version.  Needs root.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/bootstrap.sh" versions
# shellcheck source=test/chroot.sh
. "$here/chroot.sh"
chroot_lock

declare -A suite=([15]=bookworm [17]=trixie [18]=sid)
root=$chroots/upgrade
log=$CRM_BUILD/upgrade.log

# A copy of sid with the older suites' servers, which bring their own libraries.
if [ ! -f "$root/etc/upgrade_ready" ]; then
	chroot_make sid
	rm -rf --one-file-system "$root"
	cp -a --reflink=auto "$chroots/sid" "$root"
	for name in bookworm trixie; do
		# a library built for the newest minor version may need what older ones have not got
		printf 'deb %s %s main\n' "$(mirror '')" "$name" "$(mirror -security)" "$name-security" >>"$root/etc/apt/sources.list"
	done
	chroot_run upgrade bash -euc '
		mkdir -p /etc/postgresql-common/createcluster.d
		echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/crm_analytics.conf
		export DEBIAN_FRONTEND=noninteractive
		apt-get -qq update
		apt-get -qq -y -o Dpkg::Use-Pty=0 install --no-install-recommends perl libipc-run-perl postgresql-15 postgresql-17 postgresql-18 postgresql-server-dev-18
		touch /etc/upgrade_ready' >"$log" 2>&1 || { tail -n 30 "$log" >&2; crm_die "the three servers cannot be installed side by side"; }
fi

for major in 15 17 18; do
	echo "Building for $major"
	if [ -f "/usr/lib/postgresql/$major/lib/pgxs/src/makefiles/pgxs.mk" ]; then
		(
			# another server's paths than those that were found above
			unset CRM_BUILT
			export PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
			crm_locate
			crm_build
			cp -R "$CRM_STAGE/." "$root/"
		)
	else
		name=${suite[$major]}
		chroot_make "$name"
		chroot_copy "$name"
		chroot_run "$name" bash -euc '/crm_analytics/test/bootstrap.sh check; . /crm_analytics/test/server.sh; crm_build' >"$log" 2>&1 ||
			{ tail -n 30 "$log" >&2; crm_die "the extension does not compile for $major"; }
		cp -R "$chroots/$name/crm_analytics/build/pg$major-gcc/stage/." "$root/"
	fi
done

chroot_copy upgrade
status=0
chroot_run upgrade bash -euc '
	rm -rf /tmp/upgrade
	mkdir -p /tmp/upgrade
	cp -R /crm_analytics/test/t /tmp/upgrade/t
	chown -R postgres /tmp/upgrade
	cd /tmp/upgrade
	pgxs=/usr/lib/postgresql/18/lib/pgxs
	HOME=/tmp/upgrade exec runuser -u postgres -- env PATH=/usr/lib/postgresql/18/bin:$PATH PG_REGRESS=$pgxs/src/test/regress/pg_regress PERL5LIB=$pgxs/src/test/perl \
		TESTDIR=/tmp/upgrade TESTDATADIR=/tmp/upgrade/data TESTLOGDIR=/tmp/upgrade/log LC_ALL=C.UTF-8 perl /tmp/upgrade/t/upgrade.pl
' 2>&1 | tee "$log" || status=$?
passed=$(grep -c '^ok' "$log" || true)
failed=$(grep -c '^not ok' "$log" || true)
[ "$status" = 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
