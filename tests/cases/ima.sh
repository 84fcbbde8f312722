# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What the integrity measurement records of a table: our name, version, device and offset.
# params: ima_policy=critical_data
mount -t securityfs security /sys/kernel/security
make_target imgrement
log=/sys/kernel/security/ima/ascii_runtime_measurements
measured=$(sed -n 's/.* dm_table_load //p' $log | python3 -c 'print(bytes.fromhex(input()).decode())')
wanted='target_name=imgrement,target_version=1.1.0,device_name=8:16,start=0;'
expect measurement "$wanted" "${measured##*target_len=8192,}"
remove_target imgrement
