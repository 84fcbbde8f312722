# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Swap on the target when memory is short. Everything written or read is searched, and writes are copied and printed.
# The pages come back unchanged, all of it is counted, and the swap can be turned off while in use.
# kernel: stock
# disk: 256M
# memory: 224
# timeout: 120 600

device=/dev/mapper/imgrement
make_target imgrement /dev/sda log_rate 100 ops read,write
mkswap $device > /tmp/mkswap 2>&1
swapon --discard $device
drain
dmsetup message imgrement 0 reset
count_from imgrement sda

# The kernel's swap code has tables of its own. It allocates them when no memory is left, and logs a trace when that
# fails. A larger reserve lets it succeed.
echo 8192 > /proc/sys/vm/min_free_kbytes
swapped() { awk '/^pswp(in|out) / { print $2 }' /proc/vmstat | xargs; }
read -r from_in from_out <<< "$(swapped)"
python3 lib/use-memory.py 60 "$(times 2 30)" &
longer=$!
python3 lib/use-memory.py 60 "$(times 1 20)" &
wait $!
# Now there is room for the pages that are still swapped out. They come back while they are in use.
swapoff $device
wait $longer

read -r in out <<< "$(swapped)"
echo "pages in $((in - from_in)), out $((out - from_out)); $(counts)"
[ $((out - from_out)) -gt 5000 ] || fail 'that was not much'
expect_counted imgrement sda
expect 'sectors read and written' "$(((in - from_in) * 8)) $(((out - from_out) * 8))" \
	"$(sectors_counted imgrement | cut -d ' ' -f 1,2)"
expect 'errors' 0 "$(counter errors)"
