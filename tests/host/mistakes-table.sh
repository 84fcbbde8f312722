# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Whatever the source can say about a mistake is in docs/mistakes.md, of which the case `mistakes` makes
# each row. What is said about kernels without Rust is made here.
. "$(dirname "$0")/../../scripts/lib/common.sh"

table=$TOP/docs/mistakes.md
work=$BUILD/test/mistakes-table/work
mkdir -p "$work"

# in_table TEXT
in_table() { grep -qF -- "${1//|/\\|}" "$table" || die "docs/mistakes.md does not have: $1"; }

# All texts of these files with a space in them, which are about mistakes or of formatting only. What is
# filled in stands in braces.
for file in core/src/params.rs core/src/budget.rs dm/args.rs dm/target.rs; do
	parts=0 least=9
	[ "$file" != core/src/budget.rs ] || least=3
	while read -r part; do
		[[ $part != *[a-z][a-z]* ]] || in_table "$part"
		parts=$((parts + 1))
	done < <(sed 's,//.*,,' "$TOP/$file" | grep -oE '"[^"]*"' | tr -d '"' | grep ' ' | sed 's/{[a-z_]*}/\n/g')
	[ $parts -ge $least ] || die "$file: only $parts texts were found"
	say "$file: $parts texts"
done

# said WANTED COMMAND...: that fails and says so.
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

# The package index is not asked: it says that there is such a kernel, without Rust.
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
