# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Nothing that a bio reaches can panic, which would be a BUG() in the kernel. In the disassembly of the modules, only
# the functions below call functions of core that do not return (panicking, slice_index_fail, unwrap_failed and the
# like). No bio reaches these. __stack_chk_fail does not count: C functions with a struct on the stack call it, as all
# trace events do, once the stack is overwritten already.
. "$(dirname "$0")/../../scripts/lib/common.sh"

# Functions that handle words, and lists of what they name. CStr's inline functions add or subtract 1 from the length of a string. That
# overflows for a string that fills all memory, and for one without its NUL.
known='dm::args::Args|::(refuse|no_pattern)>|dm::device::Device>::(name|number)|dm::builder::Builder>::next_(range|device)'
known+='|dm::device::OpenDevices>::open|dm::opener::Opener>::open'
known+='|dm::callbacks::Callbacks<.*>>::(ctr|message)>|dm::target::Target>::(ctr|status|message)>'
known+='|dm_imgrement(\[[0-9a-f]*\])?::(Traced>::(tell|name_log)|words::(no_queue|read))>'
known+='|::history::device::(c_path|claim|LogDevice>::(open|history))|::History<.*>>::(message|next_log)>'
# Functions of constructors that fill vectors. KVec's functions compute with their lengths.
known+='|trace::Trace>::new>|dm::device::OpenDevices>::open|sys::memory::MayFail>>::push>|history::(work::Work<.*>|notes::Notes)>::new>'
# The worker that prints. Instant::elapsed subtracts two readings of a clock that never goes back.
known+='|trace::log::Log>::now>|trace::stopwatch::Stopwatch>::now>'

"$TOP/scripts/module-for-vm"
release=${KERNEL:-$(readlink "$KITDIR/default")}
for module in dm-imgrement dm-rust-linear; do
	listing=$LOGS/$module.objdump
	"$TOP/scripts/enter" objdump -dr "$BUILD/module/$release/$module.ko" |
		"$TOP/scripts/enter" c++filt > "$listing"
	grep -q '<.*dm::callbacks::Callbacks<.*>>::map>:$' "$listing" || die "$module: where is its map?"
	# A function begins with its name. A call in it names the callee in a relocation. All free functions of core except
	# these two are ways to panic, and so are functions whose names say so.
	awk '/^[0-9a-f]+ <.*>:$/ { name = $0 }
		/R_[A-Z0-9_]+[[:space:]]+core\[[^]]*\]::/ && !/::(fmt::write|slice::memchr::memchr_aligned)/ ||
		/R_[A-Z0-9_]+[[:space:]].*_fail(ed)?([^a-z_]|$)/ && !/__stack_chk_fail/ { print name }' "$listing" |
		sort -u | grep -vE "$known" > "$LOGS/$module.panics" || true
	if [ -s "$LOGS/$module.panics" ]; then
		cat "$LOGS/$module.panics"
		die "$module: these can panic; see $(short "$listing")"
	fi
done
