# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The virtual machine's Debian. Source this after rootfs.sh.

GUEST_PACKAGES=bash,coreutils,util-linux,mount,fdisk,kmod,dmsetup,e2fsprogs,xfsprogs,procps,grep,sed,gawk
GUEST_PACKAGES+=,findutils,diffutils,python3-minimal,libpython3-stdlib,fio,sg3-utils,less,ncurses-base,strace
# What stands above and below the target in its tests.
GUEST_PACKAGES+=,cryptsetup-bin,lvm2,thin-provisioning-tools,btrfs-progs,nbd-client,nbd-server,mdadm,keyutils,hdparm
# What reads trace events; bpftrace runs a command by way of sh.
GUEST_PACKAGES+=,trace-cmd,linux-perf,bpftrace,dash,blktrace

# guest_make SUITE DIR: no more than unpacked packages, since nothing in it is ever
# installed or started by the distribution's own means.
guest_make() {
	as_root rm -rf "$2.part"
	mkdir -p "${2%/*}"
	rootfs_debootstrap "$1" "$2.part" --variant=extract --include="$GUEST_PACKAGES"
	# shellcheck disable=SC2016 # expanded in there
	as_root bash -euc '
		cd "$1"
		rm -rf boot var/cache var/lib/apt usr/share/{doc,man,locale,info}
		mkdir -p mnt tmp proc sys dev run root etc
		echo "root:x:0:0:root:/root:/bin/bash" > etc/passwd
		echo "root:x:0:" > etc/group
		ln -sf /proc/self/mounts etc/mtab
		# The choice of the alternatives system.
		ln -sf gawk usr/bin/awk
	' bash "$2.part"
	mv "$2.part" "$2"
}

# guest_disk RELEASE: an ext4 image of that tree and the kernel's modules.
guest_disk() {
	# shellcheck disable=SC2016 # expanded in there
	KERNEL=$1 "$TOP/scripts/enter" bash -euc '
		cd "/kit/$1"
		rm -rf guest.part guest.ext4.part
		# Hard links cost no space.
		cp -al "/kit/guest/$(cat suite)" guest.part
		mkdir -p guest.part/usr/lib/modules
		cp -a "$(realpath modules)" guest.part/usr/lib/modules/
		mke2fs -q -t ext4 -O ^has_journal -m 0 -d guest.part guest.ext4.part 2G
		rm -rf guest.part
		mv guest.ext4.part guest.ext4
	' bash "$1"
}

# guest_initramfs RELEASE: busybox, and the modules that are needed to mount that disk. The file `modules` has
# the order in which they are loaded. The initramfs gets its /init at each run.
guest_initramfs() {
	# shellcheck disable=SC2016 # expanded in there
	KERNEL=$1 "$TOP/scripts/enter" bash -euc '
		release=$1
		cd "/kit/$release"
		rm -rf initramfs && mkdir -p initramfs/{bin,dev,proc,sys,root}
		cp "$(command -v busybox)" initramfs/bin/
		for module in virtio_pci virtio_blk ext4; do
			modprobe -d "/kit/$release/image" -S "$release" --show-depends "$module"
		done | awk "\$1 == \"insmod\" && !seen[\$2]++ { print \$2 }" | while read -r file; do
			name=${file##*/}
			name=${name%%.ko*}.ko
			case $file in
			*.xz) xz -dc "$file" ;;
			*.zst) zstd -dc "$file" ;;
			*) cat "$file" ;;
			esac > "initramfs/$name"
			echo "$name"
		done > initramfs/modules
		(cd initramfs && find . | cpio --quiet -o -H newc) > initramfs.cpio.part
		mv initramfs.cpio.part initramfs.cpio
		rm -r initramfs
	' bash "$1"
}
