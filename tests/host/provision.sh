# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# scripts/provision takes a clean Debian, without toolchain or backports, to the installed module. A tree
# that we change root into represents the machine. The reboot is left out, and the existing kernel kit and command are
# used.

. "$(dirname "$0")/../../scripts/lib/common.sh"
. "$TOP/scripts/lib/index.sh"

"$TOP/scripts/kit"
release=$(readlink "$KITDIR/default")
suite=$(cat "$KITDIR/$release/suite")
work=$BUILD/test/provision/work
machine=$work/machine
mkdir -p "$work"

# The tree as the distribution's own bootstrap leaves it. It is made once for each package index, with its lists and
# without documentation.
plain=$KITDIR/plain-$suite.tar
make_plain() {
	# shellcheck disable=SC2016 # mmdebstrap expands it
	TMPDIR=$work LISTS=$(index_dir "$suite")/var/lib/apt/lists CACHE=$CACHEDIR mmdebstrap \
		--variant=minbase --include=initramfs-tools --skip=update,download/empty,essential/unlink,cleanup/apt \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--setup-hook='mkdir -p "$1/var/cache/apt/archives" "$1/var/lib/apt/lists"' \
		--setup-hook='cp -r "$LISTS/." "$1/var/lib/apt/lists/"' \
		--setup-hook='cp -l "$CACHE"/*.deb "$1/var/cache/apt/archives/" || cp "$CACHE"/*.deb "$1/var/cache/apt/archives/"' \
		--customize-hook='cp -n "$1"/var/cache/apt/archives/*.deb "$CACHE/"; rm "$1"/var/cache/apt/archives/*.deb' \
		--customize-hook='chroot "$1" apt -y modernize-sources' \
		"$suite" "${plain%.tar}.part.tar"
	mv "${plain%.tar}.part.tar" "$plain"
}
if [ ! -e "$plain" ] || [ "$plain" -ot "$(index_dir "$suite")" ] || [ "$plain" -ot "$0" ]; then
	step plain "making a clean Debian $suite" make_plain
fi
as_root rm -rf "$machine"
mkdir "$machine"
as_root tar -x -C "$machine" -f "$plain"
as_root mkdir "$machine"/{kit,vagrant}
tar -c -C "$TOP" --exclude=./build --exclude=./.git --exclude=./.vagrant . |
	as_root tar -x -C "$machine/vagrant" --no-same-owner
# The existing command is used, too.
"$TOP/scripts/command"
tar -c -C "$TOP" build/command | as_root tar -x -C "$machine/vagrant" --no-same-owner

# in_machine COMMAND...: run it in the tree, with kit and cache. The root is a mount point, as in every machine.
# INITRD=No, because nothing boots what is installed there. The output also goes to $said.
said=$work/said
in_machine() {
	# shellcheck disable=SC2016 # expanded in there
	as_root unshare --mount --pid --fork bash -euc '
		root=$1
		mount --bind "$root" "$root"
		mount --bind "$2" "$root/kit"
		mount --bind "$3" "$root/var/cache/apt/archives"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		shift 3
		exec env -i PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C.UTF-8 INITRD=No \
			KITDIR=/kit CACHEDIR=/var/cache/apt/archives chroot "$root" "$@"
	' in_machine "$machine" "$KITDIR" "$CACHEDIR" "$@" 2>&1 | tee "$said"
	return "${PIPESTATUS[0]}"
}

# provision STATUS TEXT ARG...: it must end with this status, and print this text.
provision() {
	local wanted=$1 text=$2 status=0
	shift 2
	say "in a clean $suite: scripts/provision $*"
	in_machine /vagrant/scripts/provision "$@" || status=$?
	[ "$status" = "$wanted" ] || die "scripts/provision $* ended with $status, not $wanted"
	grep -q -e "$text" "$said" || die "scripts/provision $* should say: $text"
}

sources() { in_machine sh -c 'cat /etc/apt/sources.list.d/*.sources'; }

# Before: there is no trace of backports, of a kernel or of a compiler.
[ "$(sources | grep -c backports)" = 0 ] || die "this Debian is not plain"
! in_machine sh -c 'command -v make || command -v gcc || ls /lib/modules' || die "this Debian is not clean"
uris=$(sources | sed -n 's,^URIs: \(.*[^/]\)/*$,\1,p' | sort -u)

# The running kernel has no Rust, or is not the distribution's: a new one is needed, and a reboot.
flavour=${release#*-}
provision 3 'Please reboot, then run' --flavour "$flavour"
[ "$(sources | grep -c "^Suites: $suite-backports")" = 1 ] || die "there is no source of the backports"
sources | sed -n 's,^URIs: \(.*[^/]\)/*$,\1,p' | grep -vxF "$uris" && die "there is a source that no other came from"
new=$(in_machine ls /lib/modules)

# A second run adds nothing twice.
provision 0 'It will be used at the next boot' --flavour "$flavour" --kernel-only
[ "$(sources | grep -c "^Suites: $suite-backports")" = 1 ] || die "the source of the backports is there twice"
[ "$(in_machine ls /lib/modules)" = "$new" ] || die "another kernel was installed"

# After the reboot.
provision 0 "installed in /lib/modules/$new/updates" --kernel "$new"
module=/lib/modules/$new/updates/dm-imgrement.ko
vermagic=$(in_machine modinfo -F vermagic "$module")
[ "${vermagic%% *}" = "$new" ] || die "the module is for '$vermagic', not for $new"
[ "$(in_machine modprobe -S "$new" --show-depends dm-imgrement | grep -c "^insmod $module")" = 1 ] ||
	die "modprobe does not find the module"

in_machine /usr/local/bin/imgrement --version
in_machine test -e /usr/local/share/man/man1/imgrement-attach.1 ||
	die "there is no man page"
in_machine grep -qx 'ExecStart=/usr/local/bin/imgrement attach .*' '/usr/local/lib/systemd/system/imgrement@.service' ||
	die "there is no systemd unit"

# What it must refuse.
provision 1 "no kernel 1.2.3 is installed; there is: $new" --kernel 1.2.3
provision 1 'unknown option --wrong' --wrong
in_machine sed -i 's/^ID=.*/ID=other/; s/^PRETTY_NAME=.*/PRETTY_NAME="Another 1.0"/' /usr/lib/os-release
provision 1 'this is Another 1.0, but kernels with Rust are in Debian since 13'

as_root rm -rf "$machine"
