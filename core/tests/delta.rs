// SPDX-License-Identifier: GPL-2.0

//! Deltas, compared with an oracle that goes byte by byte.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::record::{
    span,
    Cursor,
    Delta, //
};
use proptest::prelude::*;

fn deltas(start: u64, segments: &[(u32, u32)]) -> Vec<Delta> {
    let mut cursor = Cursor::new(start);
    segments
        .iter()
        .map(|&(offset, length)| cursor.delta(offset, length))
        .collect()
}

fn delta(index: u32, length: u32, offset: u32, first: u64, last: u64) -> Delta {
    Delta {
        index,
        length,
        offset,
        first,
        last,
        ..Delta::default()
    }
}

#[test]
fn the_walkthrough() {
    assert_eq!(deltas(1026, &[(0, 1024)]), [delta(0, 1024, 0, 1026, 1027)]);
    assert_eq!(
        deltas(6154, &[(0, 4096), (0, 4096), (0, 4096)]),
        [
            delta(0, 4096, 0, 6154, 6161),
            delta(1, 4096, 0, 6162, 6169),
            delta(2, 4096, 0, 6170, 6177),
        ]
    );
}

#[test]
fn a_request_that_ended_elsewhere() {
    let there = deltas(5000, &[(0, 4096), (8, 504)]);
    let moved: Vec<_> = deltas(4096, &[(0, 4096), (8, 504)])
        .into_iter()
        .map(|delta| delta.moved(4096, 5000))
        .collect();
    assert_eq!(moved, there);
    assert_eq!(there[0].moved(5000, 4096), delta(0, 4096, 0, 4096, 4103));
}

#[test]
fn uneven_segments_share_a_sector() {
    assert_eq!(
        deltas(10, &[(4095, 1), (0, 510), (8, 2), (16, 511)]),
        [
            delta(0, 1, 4095, 10, 10),
            delta(1, 510, 0, 10, 10),
            delta(2, 2, 8, 10, 11),
            delta(3, 511, 16, 11, 11),
        ]
    );
}

#[test]
fn an_empty_segment_covers_its_sector() {
    assert_eq!(
        deltas(7, &[(0, 0), (0, 512), (0, 0)]),
        [
            delta(0, 0, 0, 7, 7),
            delta(1, 512, 0, 7, 7),
            delta(2, 0, 0, 8, 8)
        ]
    );
}

#[test]
fn impossible_requests_saturate() {
    assert_eq!(span(u64::MAX, 0, 4096), (u64::MAX, u64::MAX));
    assert_eq!(
        span(0, u64::MAX, u64::MAX),
        (u64::MAX / 512, u64::MAX / 512)
    );
    assert_eq!(
        deltas(u64::MAX - 1, &[(0, u32::MAX), (0, u32::MAX)])[1].last,
        u64::MAX
    );
}

proptest! {
    #[test]
    fn same_as_byte_by_byte(
        start in 0..1_u64 << 48,
        segments in prop::collection::vec((0..4096_u32, 1..2000_u32), 0..12),
    ) {
        let mut cursor = Cursor::new(start);
        let mut at: u64 = 0;
        for (index, &(offset, length)) in segments.iter().enumerate() {
            let sectors: Vec<u64> = (0..u64::from(length))
                .map(|byte| start + (at + byte) / 512)
                .collect();
            at += u64::from(length);
            prop_assert_eq!(
                cursor.delta(offset, length),
                delta(index as u32, length, offset, sectors[0], *sectors.last().unwrap())
            );
            prop_assert_eq!(cursor.bytes(), at);
            prop_assert_eq!(cursor.count() as usize, index + 1);
        }
    }

    #[test]
    fn nothing_panics(
        start: u64,
        segments in prop::collection::vec(any::<(u32, u32)>(), 0..8),
        done: u64,
        length: u64,
    ) {
        for delta in deltas(start, &segments) {
            prop_assert!(delta.first >= start && delta.last >= delta.first);
        }
        let (first, last) = span(start, done, length);
        prop_assert!(last >= first);
    }
}
