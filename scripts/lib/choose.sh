# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Chooses the kernel for a kit. Source this after index.sh.

# choose_releases SUITE [FLAVOUR]: the kernels in this suite that have headers, newest first.
choose_releases() {
	index_apt "$1" apt-cache pkgnames linux-headers- |
		sed -n "s/^linux-headers-\([0-9].*-${2:-.*}\)\$/\1/p" |
		grep -E -- '-amd64$' | grep -v -- '-common' | sort -Vr
}

choose_source() { sed -E 's/^([0-9]+\.[0-9]+).*/linux-source-\1/' <<< "$1"; }

# choose_config SUITE RELEASE: the configuration in the kernel's headers package.
choose_config() {
	local version
	version=$(index_version "$1" "linux-headers-$2")
	index_get "$1" "$version" "linux-headers-$2" >&2 &&
		dpkg-deb --fsys-tarfile "$(deb "linux-headers-$2" "$version")" |
			tar -xO "./usr/src/linux-headers-$2/.config"
}

# choose_has_rust SUITE RELEASE
choose_has_rust() {
	choose_config "$1" "$2" > "$KITDIR/.config.part" ||
		die "the headers package of $2 cannot be downloaded"
	grep -q '^CONFIG_RUST=y' "$KITDIR/.config.part"
}

# choose_newest SUITE FLAVOUR: the newest kernel with Rust whose source is also in this suite.
choose_newest() {
	local release version
	for release in $(choose_releases "$1" "$2"); do
		version=$(index_version "$1" "linux-headers-$release")
		index_has "$1" "$(choose_source "$release")" "$version" || continue
		choose_has_rust "$1" "$release" || continue
		echo "$release"
		return
	done
	return 1
}

# choose_suite RELEASE: the suite that has this kernel, after a check that the kernel is usable.
choose_suite() {
	local suite version='' source flavour newest
	for suite in "${SUITES[@]}"; do
		# If one suite cannot be read, the others are still tried. This is a job of its own because `set -e` has no
		# effect before `||`.
		index "$suite" &
		wait $! || continue
		version=$(index_version "$suite" "linux-headers-$1")
		[ -n "$version" ] && break
	done
	[ -n "$version" ] || choose_unknown "$1"

	if ! choose_has_rust "$suite" "$1"; then
		case $1 in *-cloud-*) flavour=cloud-amd64 ;; *) flavour=amd64 ;; esac
		newest=$(choose_newest "$suite" "$flavour") || newest="none in $suite"
		[ "$suite" != trixie ] || suite=trixie-backports
		die "$1 was built without Rust (CONFIG_RUST). Install a newer kernel and boot it:" \
			"apt install -t $suite linux-image-$flavour linux-headers-$flavour (now $newest)"
	fi
	source=$(choose_source "$1")
	index_has "$suite" "$source" "$version" ||
		die "$1 is version $version, but $suite has $source only as:" \
			"$(index_apt "$suite" apt-cache madison "$source" | awk '{ print $3 }' | xargs)." \
			"The Rust metadata can only be rebuilt from the exact source: use a kernel of one of these versions."
	echo "$suite"
}

choose_unknown() {
	local suite
	say "no suite has a kernel $1 with its headers. There are:"
	for suite in "${SUITES[@]}"; do
		[ -d "$(index_dir "$suite")" ] || { say "    $suite: could not be read, see above"; continue; }
		choose_releases "$suite" | sed "s/^/    $suite: /" >&2
	done
	exit 1
}
