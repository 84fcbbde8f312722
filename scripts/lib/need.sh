# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Packages that the host needs. Source this after common.sh.

# need PACKAGE[:COMMAND | :/FILE]...: make sure that each is installed. On a Debian-like host, root installs missing
# packages. Other users get one line that names them all.
need() {
	local want probe missing=()
	for want; do
		probe=${want#*:}
		case $probe in
		/*) [ -e "$probe" ] || missing+=("${want%%:*}") ;;
		*) command -v "$probe" > /dev/null || missing+=("${want%%:*}") ;;
		esac
	done
	[ ${#missing[@]} = 0 ] && return
	if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
		die "please install (as root): ${missing[*]}"
	fi
	locked "$BUILD/.need.lock" step need "installing ${missing[*]}" need_install "${missing[@]}"
	# A package may have replaced another one, whose version conflicts with it.
	[ -n "${need_again:-}" ] || need_again=yes need "$@"
}

need_install() {
	local install=(apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 "$@")
	export DEBIAN_FRONTEND=noninteractive
	# A fresh machine has no package lists, or old ones.
	"${install[@]}" || { apt-get update && "${install[@]}"; }
}
