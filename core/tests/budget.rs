// SPDX-License-Identifier: GPL-2.0

//! How much of the available memory a table may take.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use imgrement_core::config::{
    arguments::Params,
    budget::{
        HistoryNeed,
        Need,
        Shortage, //
    },
};

const MIB: u64 = 1 << 20;

fn shortage(records: u64, edges: u64, available: u64) -> Option<String> {
    shortage_of(records, edges, 0, 0, available)
}

fn shortage_of(
    records: u64,
    edges: u64,
    buffers: u64,
    chunks: u64,
    available: u64,
) -> Option<String> {
    let params = Params {
        records: 12,
        edges: 34,
        history_buffer: 567,
        ..Params::default()
    };
    let need = Need {
        records,
        edges,
        history: HistoryNeed { buffers, chunks },
        other: MIB,
    };
    Shortage::of(&params, need, available).map(|shortage| shortage.to_string())
}

#[test]
fn a_quarter_is_left() {
    assert_eq!(shortage(299 * MIB, 0, 400 * MIB), None);
    assert_eq!(
        shortage(299 * MIB + 1, 0, 400 * MIB).unwrap(),
        "records 12: needs 301 MiB, and 400 MiB are available; allowed: what leaves a quarter of these, and 16 MiB at least"
    );
}

#[test]
fn sixteen_mib_are_left() {
    assert_eq!(shortage(3 * MIB, 0, 20 * MIB), None);
    assert!(shortage(3 * MIB, 0, 20 * MIB - 1).is_some());
    assert!(shortage(0, 0, 0).is_some());
}

#[test]
fn the_larger_one_is_named() {
    let line = shortage(3 * MIB, 4 * MIB, 20 * MIB).unwrap();
    assert!(
        line.starts_with("edges 34: needs 8 MiB, and 20 MiB are"),
        "{line}"
    );
}

#[test]
fn a_history_needs_memory() {
    let history = |buffer, base| shortage_of(3 * MIB, 4 * MIB, buffer, base, 40 * MIB);
    assert_eq!(history(10 * MIB, 6 * MIB), None);
    let line = history(10 * MIB, 6 * MIB + 1).unwrap();
    assert!(
        line.starts_with("history_buffer 567: needs 25 MiB, and 40 MiB are"),
        "{line}"
    );
    let line = history(6 * MIB, 10 * MIB + 1).unwrap();
    assert!(line.starts_with("base on: needs 25 MiB"), "{line}");
}

#[test]
fn no_sum_wraps() {
    assert!(shortage_of(0, 0, u64::MAX, u64::MAX, u64::MAX).is_some());
    assert!(shortage(u64::MAX, u64::MAX, u64::MAX).is_some());
}
