# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# In a path that the kernel's build cannot take, each command ends with one line that says so, and makes nothing.
. "$(dirname "$0")/../../scripts/lib/common.sh"

work=$BUILD/test/path/work
wanted="the kernel's build takes no path with a space or a colon: move this project, which is in"
grep -qF -- "$wanted" "$TOP/docs/mistakes.md" || die "docs/mistakes.md does not have: $wanted"

# refused FOLDER COMMAND...: in a copy there, the command ends so.
refused() {
	local folder=$1 status=0 said
	shift
	said=$(cd "$folder" && "$@" 2>&1) || status=$?
	[ $status != 0 ] || die "$* in '$folder' ends with 0: $said"
	# What make itself says about it is not counted.
	said=$(sed '/^make: \*\*\* /d; /^make: \(Entering\|Leaving\) directory /d' <<< "$said")
	[[ $said = *": $wanted '$folder'" && $said != *$'\n'* ]] || die "$* in '$folder' says: $said"
	[ ! -e "$folder/build" ] || die "$* in '$folder' has made something"
}

unset MAKEFLAGS MFLAGS MAKELEVEL
for name in 'a folder' $'a\ttab' 'a:colon'; do
	folder=$work/$name
	rm -rf "$folder"
	mkdir -p "$folder"
	cp -r "$TOP"/{Kbuild,Makefile,scripts,tests} "$folder/"
	for target in module test check demo vm shell kit bench; do
		refused "$folder" make $target
	done
	refused "$folder" scripts/module
	refused "$folder" scripts/vm true
	refused "$folder" tests/run boots
	say "'$name': refused"
done
rm -rf "$work"
