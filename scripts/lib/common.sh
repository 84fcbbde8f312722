# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Paths and messages that every script shares. Source this.

set -euo pipefail

NAME=${0##*/}

say() { printf '%s: %s\n' "$NAME" "$*" >&2; }
die() { say "$@"; exit 1; }

# folder VARIABLE WHAT: make the path in VARIABLE absolute and free of links, and end if it cannot work. Some characters
# have a meaning of their own in make, in the shell commands of the kernel's build, or in QEMU's options. These then
# report a file that does not exist. Bytes beyond ASCII are fine.
folder() {
	local path LC_ALL=C unfit=$'[][:cntrl:][ "#$%&\'()*,:;<=>?\\`|]'
	# The dot keeps a newline at the end of the path.
	path=$(realpath -m -- "${!1}" && echo .)
	path=${path%$'\n'.}
	! [[ $path =~ $unfit ]] ||
		die "$2 has ${BASH_REMATCH[0]@Q} in its path, ${path@Q}: use letters, digits and - _ . + @ ~ only"
	printf -v "$1" %s "$path"
}

TOP=${BASH_SOURCE[0]%/*}/../..
folder TOP "this project"
BUILD=$TOP/build
# What is expensive to make or to download. Several clones may share both.
KITDIR=${KITDIR:-$BUILD/kit}
CACHEDIR=${CACHEDIR:-$BUILD/cache}
LOGS=$BUILD/log
folder KITDIR KITDIR
folder CACHEDIR CACHEDIR
[ -z "${KDIR:-}" ] || folder KDIR KDIR
mkdir -p "$LOGS" "$KITDIR" "$CACHEDIR"

# A path as a person in the project's folder would type it.
short() { printf '%s' "${1#"$TOP"/}"; }

# as_root COMMAND...: run it with the rights over a Debian tree. A user who is not root has these rights, over trees of
# their own, in a user namespace.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		unshare --map-root-user --map-auto --mount --pid --fork --mount-proc "$@"
	fi
}

# step NAME WHAT COMMAND...: run something long. Its output goes to the log NAME. One line says what is being done, and
# another how long it took.
step() {
	local log=$LOGS/$1.log what=$2 from=$SECONDS
	shift 2
	say "$what ..."
	# A subshell: `set -e` is off in everything that `||` or `if` tests. For the same reason, a step must not be
	# used before `||`.
	set +e
	(set -e; "$@") > "$log" 2>&1 < /dev/null
	local status=$?
	set -e
	if [ $status != 0 ]; then
		tail -n 15 "$log" | sed 's/^/    /' >&2
		die "failed: $what; the whole log is $(short "$log")"
	fi
	say "$what: done ($((SECONDS - from)) s)"
}

# locked FILE COMMAND...: one at a time, so that two makes do not build the same kit at once.
locked() {
	local file=$1
	shift
	(
		flock -n 9 || { say "waiting for another run to finish"; flock 9; }
		"$@"
	) 9> "$file"
}
