# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The package index of a Debian suite, and packages from it. Source this after common.sh. The host may run another
# release, or not Debian at all. mmdebstrap knows the suite's mirror and keys; apt then works on the folder it made.

# shellcheck disable=SC2034 # for choose.sh and kit
# The suites, in the order in which they are searched for a kernel.
SUITES=(trixie forky sid)

index_dir() { printf '%s' "$KITDIR/index/$1"; }

# A stable release gets kernels with Rust from backports. Unreleased suites have no backports.
# shellcheck disable=SC2016 # mmdebstrap expands it
INDEX_BACKPORTS='sed -i "s/^\(deb .*\) trixie main\$/&\n\1 trixie-backports main/" "$1/etc/apt/sources.list"'

# index SUITE: make the index, unless it exists. APTOPT is one more option for apt, for example
# 'Acquire::Check-Valid-Until "false"' if a mirror or the clock has stopped.
index() {
	local dir
	dir=$(index_dir "$1")
	[ -d "$dir" ] || step "index-$1" "reading the package index of $1" index_make "$1" "$dir"
}

index_make() {
	mkdir -p "${2%/*}"
	# A mirror's name stands for several machines, and one may lag behind the others for a while.
	index_try "$@" || index_try "$@" || index_try "$@"
	mv "$2.part" "$2"
}

index_try() {
	as_root rm -rf "$2.part"
	as_root mmdebstrap --mode=root --variant=custom --skip=cleanup/apt ${APTOPT:+--aptopt="$APTOPT"} \
		--setup-hook="$INDEX_BACKPORTS" "$1" "$2.part"
}

# index_apt SUITE COMMAND ARG...: run an apt command that sees only this index.
index_apt() {
	local dir command=$2
	dir=$(index_dir "$1")
	shift 2
	"$command" -o Dir="$dir" -o Dir::State="$dir/var/lib/apt" -o Dir::Cache="$dir/var/cache/apt" \
		-o Dir::State::status="$dir/var/lib/dpkg/status" -o APT::Sandbox::User=root "$@"
}

# index_version SUITE PACKAGE: the version of the package in the suite, or nothing.
index_version() {
	index_apt "$1" apt-cache show --no-all-versions "$2" 2> /dev/null | sed -n 's/^Version: //p'
}

# index_has SUITE PACKAGE VERSION
index_has() {
	index_apt "$1" apt-cache madison "$2" | awk -v v="$3" '$3 == v { found = 1 } END { exit !found }'
}

# deb PACKAGE VERSION: the package's file in the cache. apt writes an epoch's colon as %3a.
deb() { local f=("$CACHEDIR/$1_${2/:/%3a}"_*.deb); [ -e "${f[0]}" ] && printf '%s\n' "${f[0]}"; }

# index_get SUITE VERSION PACKAGE...: fetch the packages that are not in the cache.
index_get() {
	local suite=$1 version=$2 package missing=()
	shift 2
	for package; do
		deb "$package" "$version" > /dev/null || missing+=("$package=$version")
	done
	[ ${#missing[@]} = 0 ] && return
	# The index may be older than the mirror: read it again, once.
	(cd "$CACHEDIR" && index_apt "$suite" apt-get -q download "${missing[@]}") ||
		(cd "$CACHEDIR" && index_apt "$suite" apt-get -q update &&
			index_apt "$suite" apt-get -q download "${missing[@]}")
}
