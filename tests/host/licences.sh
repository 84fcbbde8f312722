# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# scripts/licences refuses a crate whose licence is not listed, or unknown, or is not the one that was agreed to.
. "$(dirname "$0")/../../scripts/lib/common.sh"

# says NAME LICENCE WANTED: LICENCE is JSON.
says() {
	local said
	said=$(printf '{"packages": [{"name": "%s", "version": "1.0.0", "license": %s}]}\n' "$1" "$2" |
		"$TOP/scripts/licences" 2>&1) || true
	[ "$said" = "$3" ] || die "$1 with $2: '$said', and not '$3'"
}

for licence in MIT 'Apache-2.0 OR MIT' 'Apache-2.0/MIT' '(MIT OR Apache-2.0) AND Unicode-3.0' \
	'Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT' 'Proprietary OR MIT AND Zlib'; do
	says some "\"$licence\"" ''
done
for licence in Proprietary Apache-2.0 'MIT AND Apache-2.0' 'MIT AND Proprietary OR Apache-2.0' \
	'(MIT OR Zlib) AND Proprietary' 'MIT WITH exception' '(MIT' 'MIT)' 'MIT MIT' ''; do
	says some "\"$licence\"" "some 1.0.0: ${licence:-no licence}"
done
says some null 'some 1.0.0: no licence'
# What was agreed to for a crate holds for this crate, and this licence.
says parquet '"Apache-2.0"' ''
says parquet '"Proprietary"' 'parquet 1.0.0: Proprietary'
