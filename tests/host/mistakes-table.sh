# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# docs/mistakes.md contains every text about a mistake that is in the source; the case `mistakes` provokes each row. The
# texts about kernels without Rust are provoked here.
. "$(dirname "$0")/../../scripts/lib/common.sh"

table=$TOP/docs/mistakes.md
work=$BUILD/test/mistakes-table/work
mkdir -p "$work"

# in_table TEXT
in_table() { grep -qF -- "${1//|/\\|}" "$table" || die "docs/mistakes.md does not have: $1"; }

# All strings in these files that contain a space. They are about mistakes, or only for formatting. Placeholders are
# in braces.
while read -r file least; do
	parts=0
	while read -r part; do
		[[ $part != *[a-z][a-z]* ]] || in_table "$part"
		parts=$((parts + 1))
	done < <(sed 's,//.*,,' "$TOP/$file" | grep -oE '"[^"]*"' | tr -d '"' | grep ' ' | sed 's/{[a-z_]*}/\n/g')
	[ $parts -ge "$least" ] || die "$file: only $parts texts were found"
	say "$file: $parts texts"
done << 'FILES'
core/src/config/arguments.rs 1
core/src/config/budget.rs 3
core/src/config/declare.rs 1
core/src/config/fault.rs 9
core/src/config/keyword.rs 9
core/src/config/mistake.rs 9
core/src/config/values.rs 6
dm/args.rs 9
dm/builder.rs 6
dm/callbacks.rs 2
FILES

# said WANTED COMMAND...: the command must fail and print this.
said() {
	local said
	! said=$("${@:2}" 2>&1) || die "this should have failed: ${*:2}"
	[[ $said = *"$1"* ]] || die "wanted '$1', got '$said'"
}
mkdir -p "$work/headers/include/config"
echo 1.2.3 > "$work/headers/include/config/kernel.release"
wanted='has no Rust metadata (rust/libkernel.rmeta); without KDIR= the kit is used'
in_table "$wanted"
said "$wanted" env KDIR="$work/headers" "$TOP/scripts/module"

# A stub of the package index, which has such a kernel, without Rust.
without_rust() (
	. "$TOP/scripts/lib/index.sh"
	. "$TOP/scripts/lib/choose.sh"
	index() { :; }
	index_version() { echo 1; }
	choose_config() { echo '# CONFIG_RUST is not set'; }
	choose_releases() { :; }
	KITDIR=$work choose_suite 1.2.3-amd64
)
wanted='was built without Rust (CONFIG_RUST). Install a newer kernel and boot it:'
in_table "$wanted"
said "1.2.3-amd64 $wanted" without_rust
