# chroot.sh - Debian suites of their own under a folder, to be sourced:
# chroot_lock, chroot_make SUITE, chroot_copy SUITE, chroot_run SUITE COMMAND ...
#
# They are made by debootstrap and kept in CRM_CHROOTS, by default
# /var/tmp/crm_analytics-chroots.  Nothing of them is mounted after a command, however
# that ends: the mounts are in a namespace of the command's own.  Needs root.
# shellcheck shell=bash

# shellcheck source=test/server.sh
. "$(dirname "${BASH_SOURCE[0]}")/server.sh"
crm_locate

chroots=${CRM_CHROOTS:-/var/tmp/crm_analytics-chroots}

chroot_lock()
{
	[ "$(id -u)" = 0 ] || crm_die "chroots need root"
	mkdir -p "$chroots"
	exec 7>"$chroots/lock"
	flock -n 7 || crm_die "another run uses $chroots"
}

# The Debian mirror that this machine's apt uses: mirror '' for the suites, mirror -security for their corrections.
mirror()
{
	local found

	found=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		sed -nE "s/^Debian [a-z]+$1 //p" | head -n 1)
	echo "${found:-http://deb.debian.org/debian$1}"
}

# Made under another name first: a chroot that stands there is whole.
chroot_make()
{
	local name=$1 root=$chroots/$1 log=$chroots/$1.log

	[ ! -f "$root/etc/debian_version" ] || return 0
	rm -rf --one-file-system "$root" "$root.new"
	debootstrap --variant=minbase --include=ca-certificates "$name" "$root.new" "$(mirror '')" >"$log" 2>&1 ||
		{ tail -n 20 "$log" >&2; crm_die "debootstrap of $name failed"; }
	# A mirror may be a copy that is older than sid's lists are valid.
	echo 'Acquire::Check-Valid-Until "false";' >"$root.new/etc/apt/apt.conf.d/99crm_analytics"
	if [ "$name" != sid ]; then
		printf 'deb %s %s main\n' "$(mirror '')" "$name-updates" "$(mirror -security)" "$name-security" >>"$root.new/etc/apt/sources.list"
	fi
	cp -L /etc/resolv.conf /etc/hosts "$root.new/etc/"
	chroot_run "$name.new" apt-get -qq update >>"$log" 2>&1 || { tail -n 20 "$log" >&2; crm_die "apt-get update in $name failed"; }
	mv "$root.new" "$root"
}

# The tree as it stands, without what was built in it; and the authorities that this machine's administrator trusts,
# as packages of npm may come through a proxy of his.
chroot_copy()
{
	local root=$chroots/$1 own=/usr/local/share/ca-certificates

	if compgen -G "$own/*.crt" >/dev/null; then
		mkdir -p "$root$own"
		cp "$own"/*.crt "$root$own/"
		chroot_run "$1" update-ca-certificates >/dev/null 2>&1 || crm_die "update-ca-certificates in $1 failed"
	fi
	mkdir -p "$root/crm_analytics"
	find "$root/crm_analytics" -mindepth 1 -maxdepth 1 ! -name build -exec rm -rf {} +
	tar -C "$CRM_SOURCE" --exclude=./build --exclude=./.git --exclude='*.o' --exclude='*.so' -cf - . | tar -C "$root/crm_analytics" --no-same-owner -xf -
}

# In a chroot as its init would leave it; CRM_SHARED's data are there to be read.
chroot_run()
{
	local root=$chroots/$1 shared=${CRM_SHARED:-$CRM_SOURCE/../shared}
	shift

	# shellcheck disable=SC2016
	unshare --mount --propagation private -- bash -euc '
		root=$1 shared=$2
		shift 2
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
		mount -t tmpfs -o mode=1777 tmpfs "$root/run"
		mkdir -p "$root/shared"
		[ ! -d "$shared" ] || mount --bind -o ro "$shared" "$root/shared"
		exec chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			CRM_SHARED=/shared ${ROOM:+"ROOM=$ROOM"} ${ONLY:+"ONLY=$ONLY"} ${TEST:+"TEST=$TEST"} ${CRM_MAJORS:+"CRM_MAJORS=$CRM_MAJORS"} "$@"
	' chroot_run "$root" "$shared" "$@"
}
