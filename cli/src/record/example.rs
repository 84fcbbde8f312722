// SPDX-License-Identifier: GPL-2.0

//! What a kernel says about its trace buffers and our events, for tests without that kernel.

use super::fields::KINDS;
use crate::trace::Kind;

/// `events/header_page`.
pub(crate) const HEADER_PAGE: &str = "\
\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;
";
/// `events/header_event`.
pub(crate) const HEADER_EVENT: &str = "\
\ttype_len    :    5 bits
\ttime_delta  :   27 bits
\tarray       :   32 bits
";
/// The number of the device, as events have it.
pub(crate) const DEVICE: u64 = 253 << 20;

/// The formats of the events, with fields of these sizes one after another.
pub(crate) fn kinds() -> Vec<Kind> {
    let common = [("common_type", 2), ("common_flags", 2), ("common_pid", 4)];
    let request = [
        ("dev", 4),
        ("op", 4),
        ("id", 8),
        ("sector", 8),
        ("bytes", 4),
        ("flags", 4),
    ];
    let ends: [&[(&str, usize)]; 6] = [
        &[
            ("deltas", 4),
            ("hits", 4),
            ("page", 4),
            ("copy", 4),
            ("across", 4),
            ("command", 16),
            ("cgroup", 8),
        ],
        &[("errno", 4), ("latency", 8), ("command", 16)],
        &[("dev", 4), ("text", 16)],
        &[("dev", 4), ("why", 1), ("line", 16)],
        &[
            ("dev", 4),
            ("id", 8),
            ("length", 4),
            ("offset", 4),
            ("sector", 8),
            ("hits", 4),
        ],
        &[
            ("dev", 4),
            ("where", 1),
            ("id", 8),
            ("sector", 8),
            ("byte", 4),
            ("pattern", 16),
        ],
    ];
    let kind = |(index, name): (usize, &&str)| {
        let beginning: &[(&str, usize)] = if index < 2 { &request } else { &[] };
        let mut offset = 0;
        let mut format = format!("name: {name}\nID: {}\nformat:\n", index + 1);
        for (name, size) in common.iter().chain(beginning).chain(ends[index]) {
            format += &format!("\tfield:u64 {name};\toffset:{offset};\tsize:{size};\tsigned:0;\n");
            offset += size;
        }
        Kind::new(name, format)
    };
    KINDS.iter().enumerate().map(kind).collect()
}
