# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Each check of the debug kernel is on: it reports a mistake that a test module makes.
# kernel: debug
# params: kasan_multi_shot
# dmesg: .

python3 -c 'import gzip; print(gzip.open("/proc/config.gz", "rt").read())' > /tmp/config
for option in KASAN{,_GENERIC,_VMALLOC} UBSAN PROVE_{LOCKING,RCU} DEBUG_{ATOMIC_SLEEP,KMEMLEAK} \
	RUST_{DEBUG_ASSERTIONS,OVERFLOW_CHECKS} KUNIT FAILSLAB FAIL_{PAGE_ALLOC,MAKE_REQUEST}; do
	grep -qx "CONFIG_$option=y" /tmp/config || fail "this kernel has no $option"
done

# Its requests complete in a task, which could sleep.
null_disk nullb0 irqmode=0 blocking=1
dmsetup create faults --table '0 8 test_faults /dev/nullb0'
mistake() { dmsetup message faults 0 "$1"; }

# reported REGEX COMMAND...: COMMAND makes the kernel log this, whatever else it does.
reported() {
	dmesg -C
	"${@:2}" 2> /dev/null || true
	dmesg -t > /tmp/report
	grep -qE -- "$1" /tmp/report || fail "${*:2} is not reported as '$1', but as: $(cat /tmp/report)"
}

# This must come before lockdep finds a mistake in the order of locks, which switches it off.
reported '^WARNING: suspicious RCU usage' mistake rcu
reported '^BUG: sleeping function called from invalid context' mistake sleep-in-atomic
# For a target that claims not to sleep, the callbacks are atomic context.
read_one() { dd if=/dev/mapper/faults of=/dev/null bs=4096 count=1 iflag=direct; }
read_one
! grep -q 'non-blocking' <(dmesg) || fail 'a target that does not sleep is reported'
for callback in per-bio map end-io; do
	mistake sleep-in-$callback
	reported '^BUG: scheduling in a non-blocking section' read_one
done
reported '^WARNING: possible circular locking dependency' mistake lock-order

reported '^UBSAN: shift-out-of-bounds' mistake shift
leak() {
	mistake leak
	for _ in {1..5}; do
		look_for_leaks
		! grep -q . /sys/kernel/debug/kmemleak || break
	done
}
reported '^kmemleak: [0-9]+ new suspected memory leaks' leak
expect_match 'what leaked' '\[dm_test_faults\]' "$(cat /sys/kernel/debug/kmemleak)"
reported '^BUG: KASAN: slab-use-after-free in .*\[dm_test_faults\]' mistake use-after-free
reported '^BUG: KASAN: slab-out-of-bounds in .*\[dm_test_faults\]' mistake out-of-bounds

# Allocations and requests fail when told to.
inject failslab ignore-gfp-wait=N
expect 'failslab' ENOMEM "$(python3 -c '
import errno, os
os.write(os.open("/proc/thread-self/fail-nth", os.O_WRONLY), b"1")
try:
    os.eventfd(0)
except OSError as error:
    print(errno.errorcode[error.errno])')"

# These two end in a BUG, which does not kill the machine this time.
echo 0 > /proc/sys/kernel/panic_on_oops
reported 'attempt to add with overflow' mistake overflow
reported 'deliberately' mistake debug-assertion
