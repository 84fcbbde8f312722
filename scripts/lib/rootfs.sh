# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian trees made by mmdebstrap. Source this after index.sh.

# For building the kernel and a module. bindgen brings libclang along.
ROOTFS_TOOLCHAIN=make,rustc,cargo,ca-certificates,rust-src,rustfmt,rust-clippy,bindgen,flex,bison,bc,libelf-dev,libssl-dev,openssl
ROOTFS_TOOLCHAIN+=,pahole,kmod,cpio,xz-utils,perl,python3,clang-format
# For making the virtual machine's disk and initramfs.
ROOTFS_TOOLCHAIN+=,busybox-static,e2fsprogs

# mmdebstrap with packages from and into our cache, and with the package lists of our index, so that nothing is fetched
# twice. Documentation is left out.
rootfs_debootstrap() {
	local suite=$1 target=$2
	shift 2
	# shellcheck disable=SC2016 # mmdebstrap expands it
	as_root mmdebstrap --mode=root --skip=update,download/empty,essential/unlink \
		--dpkgopt=force-unsafe-io \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--setup-hook="$INDEX_BACKPORTS" \
		--setup-hook='mkdir -p "$1/var/cache/apt/archives"' \
		--setup-hook="sync-in $(index_dir "$suite")/var/lib/apt/lists /var/lib/apt/lists" \
		--setup-hook="sync-in $CACHEDIR /var/cache/apt/archives" \
		--customize-hook="sync-out /var/cache/apt/archives $CACHEDIR" \
		"$@" "$suite" "$target"
}

# rootfs_make SUITE GCC DIR: the tree with the toolchain.
rootfs_make() {
	as_root rm -rf "$3.part"
	mkdir -p "${3%/*}"
	rootfs_debootstrap "$1" "$3.part" --variant=apt --include="$ROOTFS_TOOLCHAIN,$2"
	mv "$3.part" "$3"
}
