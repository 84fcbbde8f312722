// SPDX-License-Identifier: GPL-2.0

//! Chunks, compared with a set that is filled sector by sector.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::single_range_in_vec_init,
    reason = "a test may panic"
)]

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::atomic::{
        AtomicU64,
        Ordering::Relaxed, //
    },
};

use imgrement_core::history::chunks::{
    are_known,
    set_known,
    unknown,
    Chunks, //
};
use proptest::prelude::*;

fn words(count: u64) -> Vec<AtomicU64> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

/// The chunks of the sectors that a range of bytes touches.
fn touched(sectors: u64, each: u64, sector: u64, bytes: u64) -> BTreeSet<u64> {
    (0..bytes.div_ceil(512))
        .map(|further| sector + further)
        .filter(|sector| *sector < sectors)
        .map(|sector| sector / each)
        .collect()
}

#[test]
fn targets_of_any_size_have_their_chunks() {
    for (sectors, bytes, count, words) in [
        (0, 4096, 0, 0),
        (1, 4096, 1, 1),
        (8, 4096, 1, 1),
        (9, 4096, 2, 1),
        (512, 4096, 64, 1),
        (513, 4096, 65, 2),
        (513, 512, 513, 9),
        (7, 1 << 31, 1, 1),
        (u64::MAX, 4096, 1 << 61, 1 << 55),
        (u64::MAX, 512, u64::MAX, 1 << 58),
    ] {
        let chunks = Chunks::new(sectors, bytes);
        assert_eq!(
            (chunks.count(), chunks.words()),
            (count, words),
            "{sectors} sectors"
        );
        assert_eq!(chunks.sectors(&(0..count)), 0..sectors);
    }
}

#[test]
fn ranges_at_the_ends_are_clipped() {
    let chunks = Chunks::new(20, 4096);
    for (sector, bytes, wanted) in [
        (0, 0, 0..0),
        (0, 1, 0..1),
        (7, 512, 0..1),
        (7, 513, 0..2),
        (8, 4096, 1..2),
        (16, 2048, 2..3),
        (16, 1 << 20, 2..3),
        (0, u64::MAX, 0..3),
        (19, u64::MAX, 2..3),
        (5, 0, 0..0),
        (17, 0, 2..2),
    ] {
        assert_eq!(chunks.touched(sector, bytes), wanted, "{sector}, {bytes}");
    }
    for sector in [20, 21, u64::MAX] {
        for bytes in [0, 512, u64::MAX] {
            assert!(chunks.touched(sector, bytes).is_empty());
        }
    }
    assert_eq!(chunks.sectors(&(1..3)), 8..20);
    assert_eq!(chunks.sectors(&(2..u64::MAX)), 16..20);
    assert_eq!(chunks.sectors(&(7..9)), 20..20);

    let all = Chunks::new(u64::MAX, 4096);
    assert_eq!(all.touched(u64::MAX - 1, 512), (1 << 61) - 1..1 << 61);
}

#[test]
fn chunks_without_a_bit_are_not_known() {
    let words = words(2);
    set_known(&words, &(0..u64::MAX));
    assert!(words.iter().all(|word| word.load(Relaxed) == u64::MAX));
    assert!(are_known(&words, &(0..128)));
    assert!(!are_known(&words, &(127..129)));
    assert!(!are_known(&words, &(u64::MAX - 1..u64::MAX)));
    assert_eq!(unknown(&words, &(100..130)).collect::<Vec<_>>(), [128..130]);
    // No chunk at all is known, wherever it is not.
    assert!(are_known(&words, &(7..7)));
    assert!(are_known(&[], &(u64::MAX..u64::MAX)));
    assert!(unknown(&words, &(500..500)).next().is_none());
}

proptest! {
    #[test]
    fn touched_chunks_are_those_of_the_sectors(
        sectors in 0..300_u64,
        shift in 0..7_u32,
        sector in 0..320_u64,
        bytes in 0..100_000_u64,
    ) {
        let each = 1_u64 << shift;
        let chunks = Chunks::new(sectors, 512_u32 << shift);
        prop_assert_eq!(
            chunks.touched(sector, bytes).collect::<BTreeSet<_>>(),
            touched(sectors, each, sector, bytes)
        );
        prop_assert_eq!(chunks.count(), touched(sectors, each, 0, sectors * 512).len() as u64);
    }

    /// The sectors of the touched chunks are whole chunks, except at the end of the target, and have the range in them.
    #[test]
    fn sectors_of_chunks_cover_the_range(
        sectors in 1..300_u64,
        shift in 0..7_u32,
        sector in 0..300_u64,
        bytes in 1..100_000_u64,
    ) {
        let each = 1_u64 << shift;
        let chunks = Chunks::new(sectors, 512_u32 << shift);
        let touched = chunks.touched(sector, bytes);
        let covered: Vec<u64> = chunks.sectors(&touched).collect();
        let wanted: Vec<u64> = (0..sectors).filter(|s| touched.contains(&(s / each))).collect();
        prop_assert_eq!(&covered, &wanted);
        let end = (sector + bytes.div_ceil(512)).min(sectors);
        prop_assert!((sector..end).all(|sector| covered.contains(&sector)));
    }

    #[test]
    fn known_chunks_are_a_set(
        count in 1..5_u64,
        steps in prop::collection::vec((0..330_u64, 0..200_u64), 0..12),
        asked in prop::collection::vec((0..330_u64, 0..330_u64), 1..12),
    ) {
        let words = words(count);
        let mut known = BTreeSet::new();
        for (start, len) in steps {
            set_known(&words, &(start..start + len));
            known.extend((start..start + len).filter(|chunk| *chunk < count * 64));
        }
        for (start, len) in asked {
            let chunks = start..start + len;
            let wanted: Vec<u64> = chunks.clone().filter(|chunk| !known.contains(chunk)).collect();
            prop_assert_eq!(are_known(&words, &chunks), wanted.is_empty());

            let runs: Vec<Range<u64>> = unknown(&words, &chunks).collect();
            prop_assert!(runs.iter().all(|run| !run.is_empty()));
            prop_assert!(runs.windows(2).all(|pair| pair[0].end < pair[1].start));
            prop_assert_eq!(runs.into_iter().flatten().collect::<Vec<_>>(), wanted);
        }
    }
}
