# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# How QEMU runs the guest's code. To be sourced after common.sh.

# accel: QEMU's option. A /dev/kvm that exists may still not work, so it is tried, once
# for each boot of the host.
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
		# mov al,16; out 0xf4,al; hlt; jmp to the hlt. QEMU's exit device makes it status 33.
		{
			head -c 65520 /dev/zero
			printf '\xb0\x10\xe6\xf4\xf4\xeb\xfd'
			head -c 9 /dev/zero
		} > "$bios"
		timeout 10 qemu-system-x86_64 -accel kvm -M pc -cpu max -m 16 -nodefaults -display none \
			-device isa-debug-exit,iobase=0xf4,iosize=1 -bios "$bios" > "$LOGS/kvm.log" 2>&1 ||
			status=$?
		rm "$bios"
		if [ $status = 33 ]; then
			echo kvm
			return
		fi
		say "KVM does not work here (status $status, see $(short "$LOGS/kvm.log")): the guest is emulated"
	fi
	# With a thread for each CPU, one boot in twenty died of an int3: a CPU ran code that another
	# had just finished patching. Two machines keep two host CPUs busy all the same.
	echo tcg,thread=single
}
