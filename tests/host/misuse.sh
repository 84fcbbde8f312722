# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Misuse of the device-mapper abstraction does not compile. tests/misuse/target.rs is correct. With each of the
# mistakes below, the compiler refuses it, with the given error.
. "$(dirname "$0")/../../scripts/lib/common.sh"

work=$BUILD/test/misuse/work
rm -rf "$work"
mkdir -p "$work"
source=$(< "$TOP/tests/misuse/target.rs")
source=${source/..\/..\/dm\/mod.rs/"$TOP"/dm/mod.rs}
printf '%s\n' "$source" > "$work/correct.rs"

# mistake NAME ERROR OLD NEW: the target with OLD replaced by NEW, and the compiler's error.
mistakes=0
mistake() {
	[[ $source = *"$3"* ]] || die "$1: the target does not have: $3"
	printf '%s\n' "${source/"$3"/"$4"}" > "$work/$1.rs"
	printf '%s\n' "$2" > "$work/$1.wanted"
	mistakes=$((mistakes + 1))
}

# shellcheck disable=SC2016 # the compiler's own quotes
{
# The target type.
shows='    fn iterate_devices(range: &Range<'\''_>, visitor: &mut DeviceVisitor<'\''_>) {
        visitor.visit(range.device, 0, 8);
    }
'
reports=${source#*"$shows"}
reports=${reports%\}}
mistake no-iterate-devices 'missing: `iterate_devices`' "$shows" ''
mistake no-report-zones 'assertion failed: T::HAS_REPORT_ZONES' "$reports" ''
mistake name-too-long 'assertion failed: is_type_name(T::NAME' fifteen_letters sixteen__letters
mistake name-with-space 'assertion failed: is_type_name(T::NAME' fifteen_letters 'two words'
mistake state-of-one-thread '`Cell<u64>` cannot be shared between threads safely' \
	'    bytes: Atomic<u64>,' '    bytes: Atomic<u64>, cell: core::cell::Cell<u64>,'

# The constructor.
mistake device-kept 'borrowed data escapes outside of associated function' 'keep(word.to_bytes().len())' 'keep(device)'
mistake builder-kept 'borrowed data escapes outside of associated function' 'keep(word.to_bytes().len())' 'keep(builder)'
mistake word-kept 'borrowed data escapes outside of associated function' 'keep(word.to_bytes().len())' 'keep(word)'
mistake worker-kept 'borrowed data escapes outside of associated function' 'keep(word.to_bytes().len())' \
	'keep(builder.worker())'
for kind in discards secure_erases write_zeroes; do
	mistake two-$kind 'mismatched types' 'wants_discards(true)' "wants_$kind(2)"
done

# Bios on their way down.
remap='bio.remap(range.device, sector)'
mistake bio-after-remap 'borrow of moved value: `bio`' "$remap" \
	"let mapped = $remap; bio.op(); mapped"
mistake bio-twice 'use of moved value: `bio`' "$remap" "let _killed = bio.kill(); $remap"
mistake bio-forgotten 'mismatched types' "$remap" 'drop(bio)'
mistake bio-kept 'borrowed data escapes outside of associated function' "$remap" 'keep(bio); loop {}'
mistake verdict-made-up 'private field' "$remap" 'Mapped { code: 3 }'
mistake verdict-kept 'borrowed data escapes outside of associated function' "$remap" "keep($remap); loop {}"
mistake bio-after-defer 'borrow of moved value: `bio`' 'go_on(range, bio);
            return kept;' 'bio.op();
            bio.end(Ok(())); bio.op(); return kept;'
mistake deferred-forgotten 'in a function whose return type is not' 'return kept;' 'return;'
mistake deferred-and-remapped 'use of moved value: `bio`' 'go_on(range, bio);
            return kept;' 'drop((kept, bio));'
mistake submitted-twice 'use of moved value: `bio`' 'bio.submit(range.device, sector);' \
	'bio.submit(range.device, sector); bio.requeue();'
mistake kept-bio-swapped 'cannot borrow data in dereference of' 'go_on(range, bio);' \
	'let (mut a, mut b) = (bio, None::<OwnedBio<Kept>>); if let Some(b) = &mut b { core::mem::swap(&mut **b, &mut *a); }'
mistake payload-kept 'lifetime may not live long enough' 'bytes.iter().next()' 'bytes'
mistake payload-as-bytes 'mismatched types' 'bytes.iter().next()' '{ let bytes: &[u8] = bytes; bytes.len() }'

# Per-bio data.
mistake per-bio-too-large 'SIZE <= 4096' '    sector: u64,' '    sector: u64, _more: u8,'
mistake per-bio-alignment 'device-mapper aligns per-bio data as its own struct dm_io' \
	'#[derive(Default)]' '#[derive(Default)] #[repr(align(64))]'
mistake per-bio-of-one-thread 'cannot be sent between threads safely' '    sector: u64,' \
	'    sector: u64, _more: Option<core::ptr::NonNull<u8>>,'

# Bios on their way back.
mistake late-without-room 'its bios do not end late' "$remap" "bio.end_late(range.late); $remap"
mistake late-without-end 'T::HAS_END_LATE == T::PerBio::LATE' 'impl PerBio for Kept {}' \
	'impl PerBio for Kept { const LATE: bool = true; }'
mistake late-queue-kept 'borrowed data escapes outside of associated function' 'keep(word.to_bytes().len())' \
	'keep(builder.late_queue())'
mistake sector-at-the-end 'no method named `sector` found' 'bio.per_bio().sector, Relaxed' 'bio.sector(), Relaxed'
mistake end-made-up 'no variant or associated item named `Incomplete`' 'Completion::Done' 'Completion::Incomplete'

# I/O by the target itself.
mistake io-in-map 'this method takes 2 arguments but 1 argument was supplied' 'let sector = bio.sector();

        for' 'let sector = bio.sector(); let _ = range.io.flush(range.device);

        for'
mistake io-task-made-up 'associated function `new` is private' 'let sector = bio.sector();

        for' 'let sector = bio.sector(); let _ = range.io.flush(&IoTask::new(), range.device);

        for'
mistake io-task-kept 'borrowed data escapes outside of associated function' 'keep(reading);' 'keep(task);'
mistake io-kept 'borrowed data escapes outside of associated function' 'keep(word.to_bytes().len())' 'keep(builder.io())'
mistake io-worker-kept 'borrowed data escapes outside of associated function' 'keep(word.to_bytes().len())' \
	'keep(builder.io_worker())'
mistake buffer-while-reading 'borrow of moved value: `buffer`' 'keep(reading);' 'keep(reading); buffer.bytes();'
mistake memory-as-bytes 'no method named `bytes` found' 'keep(reading);' \
	'drop(reading); keep(dm::IoMemory::new(512).map(|memory| memory.bytes().len()));'

# Messages and reports.
mistake answer-borrows 'lifetime may not live long enough' 'Relaxed), None' 'Relaxed), Some(word)'
mistake report-made-up 'mismatched types' 'report.fill(range.device, 0)' 'Ok(8)'
}

"$TOP/scripts/module-for-vm"
release=${KERNEL:-$(readlink "$KITDIR/default")}
# Compiled as Kbuild has compiled the sample, but no object is linked.
# shellcheck disable=SC2016 # expanded in there
"$TOP/scripts/enter" bash -euc '
	cd "$1"
	export RUSTC_BOOTSTRAP=1 DM_BINDINGS=$1/dm/bindings_generated.rs
	rustc=$(sed -n "s/^savedcmd[^=]*= //; s/ --emit=.*//p" samples/.dm_rust_linear.o.cmd)
	compile() { eval "$1 --emit=obj=$2.o $2.rs" > "$2.said" 2>&1 || touch "$2.refused"; }
	export -f compile
	printf "%s\n" "$2"/*.rs | sed "s/\.rs$//" | xargs -P 2 -I {} bash -c "compile \"\$1\" {}" bash "$rustc"
' bash "$BUILD/module/$release" "$work"

[ -e "$work/correct.o" ] || die "the correct target is refused: $(cat "$work/correct.said")"
for wanted in "$work"/*.wanted; do
	name=$(basename "$wanted" .wanted)
	[ -e "$work/$name.refused" ] || die "$name compiles"
	grep -qF -- "$(< "$wanted")" "$work/$name.said" ||
		die "$name is refused, but not because of '$(< "$wanted")': $(cat "$work/$name.said")"
done
say "$mistakes mistakes"
