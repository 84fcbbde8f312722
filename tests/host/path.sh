# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# If a path cannot work, each command prints one line about it, and creates nothing. In a path with all characters that
# can, scripts/vm builds what it needs and boots.
. "$(dirname "$0")/../../scripts/lib/common.sh"

work=$BUILD/test/path/work
"$TOP/scripts/command"
rm -rf "$work"
mkdir -p "$work"
unset KDIR MODULES MAKEFLAGS MFLAGS MAKELEVEL
grep -qF -- "has <character> in its path, <folder>: use letters, digits and - _ . + @ ~ only" "$TOP/docs/mistakes.md" ||
	die "docs/mistakes.md does not have it"

# refused WHAT CHARACTER FOLDER COMMAND...: the command, run in the project here, ends with that line about FOLDER.
refused() {
	local wanted="$1 has ${2@Q} in its path, ${3@Q}: use letters, digits and - _ . + @ ~ only" status=0 said
	shift 3
	said=$("$@" 2>&1) || status=$?
	[ $status != 0 ] || die "$* in '$PWD' ends with 0: $said"
	# What make itself says about it is not counted.
	said=$(sed '/^make: \*\*\* /d; /^make: \(Entering\|Leaving\) directory /d' <<< "$said")
	[[ $said = *": $wanted" && $said != *$'\n'* ]] || die "$* in '$PWD' says: $said"
	[ ! -e build ] || die "$* in '$PWD' has made something"
}

# What a clone has.
folder=$work/project
mkdir "$folder"
find "$TOP" -mindepth 1 -maxdepth 1 ! -name build ! -name .git -exec cp -r -t "$folder" {} +
characters=' "#$%&'\''()*,:;<=>?[\]`|'$'\t\n\e\x7f'
for ((i = 0; i < ${#characters}; i++)); do
	character=${characters:i:1}
	# In the middle, and at the end: there $(...) drops a newline.
	for name in "a${character}b" "a$character"; do
		mv "$folder" "$work/$name"
		folder=$work/$name
		cd "$folder"
		refused "this project" "$character" "$folder" scripts/module
	done
done
[ "$i" = 26 ] || die "$i characters"
for name in 'a folder' $'a\nnewline' "a quote's" 'a:colon'; do
	mv "$folder" "$work/$name"
	folder=$work/$name
	cd "$folder"
	[[ $name =~ [^a-z] ]]
	for target in module test check demo vm shell kit bench; do
		refused "this project" "${BASH_REMATCH[0]}" "$folder" make $target CMD=true
	done
	refused "this project" "${BASH_REMATCH[0]}" "$folder" scripts/vm true
	refused "this project" "${BASH_REMATCH[0]}" "$folder" tests/run boots
done
say "$i characters: refused"

# The folders that a user can choose.
mv "$folder" "$work/project"
cd "$work/project"
mkdir "$work/of a kernel"
ln -s 'of a kernel' "$work/link"
for variable in KITDIR CACHEDIR KDIR; do
	refused $variable ' ' "$work/a b" env $variable="$work/a b" scripts/module
	refused $variable $'\n' "$work/ab"$'\n' env $variable="$work/ab"$'\n' scripts/module
	refused $variable "'" "$PWD/a'b" env $variable="a'b" make
	refused $variable ' ' "$work/of a kernel" env $variable="$work/link" scripts/vm true
done
[ ! -e "$work/a b" ] || die "a folder that cannot work was made"
say "KITDIR, CACHEDIR, KDIR: refused"

fine=$work/'-_.+@~!^{}Ü'
mv "$work/project" "$fine"
cd "$fine"
# The smallest module is enough.
sed -i 's/^obj-m := .*/obj-m := dm-rust-linear.o/; s/^ifdef IMGREMENT_TESTS/ifdef NOT_HERE/' Kbuild
# So is a command that is built already.
mkdir -p build
cp -r "$TOP/build/command" build/
export KITDIR CACHEDIR
COLD=1 scripts/vm 'modprobe dm-rust-linear && [ -x /imgrement/tests/programs/vectors ]'
say "$fine: works"
rm -rf "$work"
