# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Vagrant accepts our Vagrantfile with each provider, and rejects a broken one.

. "$(dirname "$0")/../../scripts/lib/common.sh"
. "$TOP/scripts/lib/need.sh"
need vagrant vagrant-libvirt:/usr/share/doc/vagrant-libvirt

dir=$BUILD/test/vagrant/work
rm -rf "$dir"
mkdir -p "$dir/bin" "$dir/project"
# Nothing of this ends up in a home folder or in the project.
export VAGRANT_HOME=$dir/home VAGRANT_DOTFILE_PATH=$dir/dot VAGRANT_CHECKPOINT_DISABLE=1

# Vagrant only validates settings for a provider that it could use. Debian has no VirtualBox, but this is all that
# Vagrant asks of it:
# shellcheck disable=SC2016 # expanded in there
printf '#!/bin/sh\n[ "$1" = --version ] && echo 7.0.0r1\n' > "$dir/bin/VBoxManage"
chmod +x "$dir/bin/VBoxManage"
export PATH=$dir/bin:$PATH

# validate PROVIDER FOLDER
validate() { (cd "$2" && VAGRANT_DEFAULT_PROVIDER=$1 timeout 120 vagrant validate) > "$dir/said" 2>&1; }

for provider in libvirt virtualbox; do
	validate "$provider" "$TOP" || die "with $provider:"$'\n'"$(cat "$dir/said")"
	say "valid with $provider"
done

# broken PROVIDER SED: after this change, it must not be valid.
broken() {
	sed "$2" "$TOP/Vagrantfile" > "$dir/project/Vagrantfile"
	! cmp -s "$TOP/Vagrantfile" "$dir/project/Vagrantfile" || die "'$2' changes nothing in the Vagrantfile"
	! validate "$1" "$dir/project" || die "not noticed with $1: $2"
	say "not valid with $1: $2"
}

broken libvirt 's/libvirt\.disk_bus/libvirt.disk_buss/'
broken libvirt 's/config\.vm\.hostname/config.vm.hostnam/'
broken virtualbox 's/virtualbox\.memory/virtualbox.memori/'
broken virtualbox '/^end$/d'

# Each script that is run in the machine exists.
scripts=$(grep -o '/vagrant/scripts/[a-z-]*' "$TOP/Vagrantfile" | sort -u)
[ -n "$scripts" ] || die "the Vagrantfile runs no script of ours"
for script in $scripts; do
	[ -x "$TOP/${script#/vagrant/}" ] || die "the Vagrantfile names $script, which is not there"
done
