# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# QEMU from the kit's Debian, whatever the host has, and how it runs the guest's code. With a QEMU that is some years
# older, the tests take half again as long. Source this after common.sh.

QEMU_PACKAGES=qemu-system-x86,qemu-utils

# qemu_make SUITE DIR: only unpack the packages. Needs rootfs.sh, too.
qemu_make() {
	as_root rm -rf "$2.part"
	mkdir -p "${2%/*}"
	rootfs_debootstrap "$1" "$2.part" --variant=extract --include="$QEMU_PACKAGES"
	mv "$2.part" "$2"
}

# qemu_find SUITE: set `emulator` and `qemu_img`, the start of QEMU's command lines. QEMU finds its libraries and its
# own files in its tree, and all other files where the host has them.
qemu_find() {
	local tree=$KITDIR/qemu/$1
	local libraries=$tree/usr/lib/x86_64-linux-gnu
	local loader=("$tree/usr/lib64/ld-linux-x86-64.so.2" --library-path "$libraries")
	export QEMU_MODULE_DIR=$libraries/qemu
	emulator=("${loader[@]}" "$tree/usr/bin/qemu-system-x86_64" -L "$tree/usr/share/qemu" -L "$tree/usr/share/seabios")
	# shellcheck disable=SC2034 # for vm
	qemu_img=("${loader[@]}" "$tree/usr/bin/qemu-img")
}

# accel: QEMU's option. An existing /dev/kvm may still not work, so it is tried, once for each boot of the host.
accel() {
	local boot known=$BUILD/vm/accel
	boot=$(cat /proc/sys/kernel/random/boot_id)
	if [ "$(sed -n 1p "$known" 2> /dev/null)" != "$boot" ]; then
		{ echo "$boot"; accel_try; } > "$known.$$"
		mv "$known.$$" "$known"
	fi
	sed -n 2p "$known"
}

accel_try() {
	local bios=$BUILD/vm/kvm.$$ status=0
	if [ -w /dev/kvm ]; then
		# A firmware of four instructions, at the address where a CPU starts:
		# mov al,16; out 0xf4,al; hlt; jmp to the hlt. QEMU's exit device turns it into status 33.
		{
			head -c 65520 /dev/zero
			printf '\xb0\x10\xe6\xf4\xf4\xeb\xfd'
			head -c 9 /dev/zero
		} > "$bios"
		timeout 10 "${emulator[@]}" -accel kvm -M pc -cpu max -m 16 -nodefaults -display none \
			-device isa-debug-exit,iobase=0xf4,iosize=1 -bios "$bios" > "$LOGS/kvm.log" 2>&1 ||
			status=$?
		rm "$bios"
		if [ $status = 33 ]; then
			echo kvm
			return
		fi
		say "KVM does not work here (status $status, see $(short "$LOGS/kvm.log")): the guest is emulated"
	fi
	# With a thread for each CPU, one boot in twenty died of an int3: a CPU ran code that another one had just
	# finished patching. Two machines keep two host CPUs busy anyway.
	echo tcg,thread=single
}
