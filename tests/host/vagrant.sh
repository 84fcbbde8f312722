# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Vagrant finds our Vagrantfile valid with each provider, and would say if it were not.

. "$(dirname "$0")/../../scripts/lib/common.sh"
. "$TOP/scripts/lib/need.sh"
need vagrant vagrant-libvirt:/usr/share/doc/vagrant-libvirt

dir=$BUILD/test/vagrant/work
rm -rf "$dir"
mkdir -p "$dir/bin" "$dir/project"
# Nothing of this is to be found in anyone's home or in the project.
export VAGRANT_HOME=$dir/home VAGRANT_DOTFILE_PATH=$dir/dot VAGRANT_CHECKPOINT_DISABLE=1

# Validating for a provider, its own settings too, takes a provider that could be used. For
# VirtualBox, which Debian does not have, Vagrant asks no more than that:
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

# broken PROVIDER SED: changed like this, it is not valid.
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

# What is to be run in the machine is there.
scripts=$(grep -o '/vagrant/scripts/[a-z-]*' "$TOP/Vagrantfile" | sort -u)
[ -n "$scripts" ] || die "the Vagrantfile runs no script of ours"
for script in $scripts; do
	[ -x "$TOP/${script#/vagrant/}" ] || die "the Vagrantfile names $script, which is not there"
done
