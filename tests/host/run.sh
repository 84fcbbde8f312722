# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# tests/run counts what passed and what failed. Two runs of one case do not mix up their files, and an interrupted run
# leaves no machine behind. The machine is a shell script here.
. "$(dirname "$0")/../../scripts/lib/common.sh"

here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT
mkdir -p "$here"/scripts/lib "$here"/tests/{cases,host,lib}
cp "$TOP/scripts/lib/common.sh" "$here/scripts/lib/"
cp "$TOP/tests/run" "$here/tests/"
cp "$TOP/tests/lib/faults" "$here/tests/lib/"
touch "$here"/tests/cases/{good,bad,long}.sh
echo 'echo $$ > ../build/host.part && mv ../build/host.part ../build/host && exec sleep 60' > "$here/tests/host/slow.sh"
printf '#!/bin/sh\n' > "$here/scripts/module-for-vm"
cat > "$here/scripts/vm" << 'END'
#!/bin/bash
# vm --name test-NAME ...
cd "$(dirname "$0")/../build" && mkdir -p "vm/$2"
echo fine > "vm/$2/dmesg.log"
case $2 in
test-bad) exit 3 ;;
test-long) echo $BASHPID > machine.part && mv machine.part machine && exec sleep 60 ;;
esac
END
chmod +x "$here"/scripts/{module-for-vm,vm}

# wait_for COMMAND...: at most ten seconds.
wait_for() {
	local i
	for ((i = 0; i < 100; i++)); do
		! "$@" || return 0
		sleep 0.1
	done
	die "waited in vain: $*"
}

status=0
said=$("$here/tests/run" good bad) || status=$?
[[ $status = 1 && $said = *'ok   good ('* && $said = *'FAIL bad ('* && $said = *'1 passed, 1 failed' ]] ||
	die "status $status: $said"

"$here/tests/run" long slow > "$here/first" 2>&1 &
first=$!
wait_for [ -e "$here/build/machine" ]
wait_for [ -e "$here/build/host" ]
status=0
said=$("$here/tests/run" long) || status=$?
[[ $status = 1 && $said = 'FAIL long: another run'*'0 passed, 1 failed' ]] || die "status $status: $said"

# A background process cannot be interrupted as by Ctrl-C, but ended.
read -r machine < "$here/build/machine"
read -r host < "$here/build/host"
kill "$first"
status=0
wait "$first" || status=$?
[ $status = 130 ] || die "status $status after it was ended"
gone() { ! kill -0 "$machine" 2> /dev/null && ! kill -0 "$host" 2> /dev/null; }
wait_for gone
