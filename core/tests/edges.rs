// SPDX-License-Identifier: GPL-2.0

//! Remembered writes, compared with a plain list of them.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod common;

use common::Std;
use imgrement_core::search::edges::{
    Edges,
    Ends,
    Neighbours,
    EDGE_MAX, //
};
use proptest::prelude::*;

fn ends(pieces: &[&[u8]]) -> Ends {
    let bytes = pieces.iter().map(|piece| piece.len() as u64).sum();
    let mut ends = Ends::new(bytes);
    pieces.iter().for_each(|piece| ends.add((*piece).into()));
    ends
}

/// The remembered writes, oldest first: their sectors, and their bytes.
#[derive(Default)]
struct Slow {
    writes: Vec<((u64, u64), Vec<u8>)>,
}

impl Slow {
    fn meet(&mut self, room: usize, sectors: (u64, u64), bytes: &[u8]) -> (Vec<u8>, Vec<u8>, bool) {
        let last = |wanted: &dyn Fn(&(u64, u64)) -> bool| {
            let mut writes = self.writes.iter().rev();
            let last = writes.find(|(sectors, _)| wanted(sectors));
            last.map(|(_, bytes)| bytes.clone()).unwrap_or_default()
        };
        let before = last(&|(_, end)| *end == sectors.0);
        let behind = last(&|(first, _)| *first == sectors.1);

        self.writes.push((sectors, bytes.to_vec()));
        let mut forgot = false;
        if self.writes.len() > room {
            // A write that no longer counts goes first.
            let later = |at: usize, same: &dyn Fn(&(u64, u64)) -> bool| {
                self.writes[at + 1..].iter().any(|(there, _)| same(there))
            };
            let useless = (0..self.writes.len()).find(|at| {
                let (first, end) = self.writes[*at].0;
                later(*at, &|there| there.0 == first) && later(*at, &|there| there.1 == end)
            });
            forgot = useless.is_none() && room != 0;
            self.writes.remove(useless.unwrap_or(0));
        }
        (
            before[before.len().saturating_sub(EDGE_MAX)..].to_vec(),
            behind[..behind.len().min(EDGE_MAX)].to_vec(),
            forgot,
        )
    }
}

fn meet(edges: &mut Edges<Std>, first: u64, end: u64, ends: &Ends) -> Neighbours {
    let mut neighbours = Neighbours::NONE;

    edges.meet(first, end, ends, &mut neighbours);
    neighbours
}

fn of(neighbours: &Neighbours) -> (Vec<u8>, Vec<u8>, bool) {
    (
        neighbours.before.as_bytes().to_vec(),
        neighbours.behind.as_bytes().to_vec(),
        neighbours.forgot,
    )
}

#[test]
fn ends_of_writes_in_pieces() {
    let long: Vec<u8> = (0..700_u32).map(|n| n as u8).collect();
    for cut in [0, 1, 253, 254, 255, 445, 446, 447, 700] {
        let ends = ends(&[&long[..cut], &long[cut..]]);
        assert_eq!(ends.first.as_bytes(), &long[..EDGE_MAX], "{cut}");
        assert_eq!(ends.last.as_bytes(), &long[700 - EDGE_MAX..], "{cut}");
    }
    let short = ends(&[b"ab", b"", b"c"]);
    assert_eq!(short.first.as_bytes(), b"abc");
    assert_eq!(short.last.as_bytes(), b"abc");
}

#[test]
fn either_may_come_first() {
    let mut edges = Edges::<Std>::new(2, 7).unwrap();
    assert_eq!(
        of(&meet(&mut edges, 8, 16, &ends(&[b"b1"]))),
        (vec![], vec![], false)
    );
    assert_eq!(
        of(&meet(&mut edges, 0, 8, &ends(&[b"a1"]))),
        (vec![], b"b1".to_vec(), false)
    );
    // The oldest, from 8, is forgotten after it was looked up.
    assert_eq!(
        of(&meet(&mut edges, 16, 24, &ends(&[b"c1"]))),
        (b"b1".to_vec(), vec![], true)
    );
    assert_eq!(
        of(&meet(&mut edges, 8, 16, &ends(&[b"b2"]))),
        (b"a1".to_vec(), b"c1".to_vec(), true)
    );
}

#[test]
fn without_room_nothing_is_remembered() {
    let mut edges = Edges::<Std>::new(0, 7).unwrap();
    for first in 0..3 {
        assert_eq!(
            of(&meet(&mut edges, first, first + 1, &ends(&[b"x"]))),
            (vec![], vec![], false)
        );
    }
}

/// A repeated write is remembered longer than one that came once.
#[test]
fn the_oldest_is_forgotten_first() {
    let mut edges = Edges::<Std>::new(3, 7).unwrap();
    for (first, bytes) in [
        (0, b"a1"),
        (100, b"x1"),
        (200, b"y1"),
        (0, b"a2"),
        (300, b"z1"),
    ] {
        meet(&mut edges, first, first + 8, &ends(&[bytes]));
    }
    assert_eq!(
        of(&meet(&mut edges, 8, 16, &ends(&[b"b1"]))),
        (b"a2".to_vec(), vec![], true)
    );
}

/// After a clear, nothing is matched, and all the space is free again.
#[test]
fn cleared() {
    let mut edges = Edges::<Std>::new(2, 7).unwrap();
    for first in [0, 8, 16] {
        meet(&mut edges, first, first + 8, &ends(&[b"a1"]));
    }
    edges.clear();
    for first in [24, 0] {
        assert_eq!(
            of(&meet(&mut edges, first, first + 8, &ends(&[b"b1"]))),
            (vec![], vec![], false)
        );
    }
    assert_eq!(
        of(&meet(&mut edges, 8, 16, &ends(&[b"c1"]))),
        (b"b1".to_vec(), vec![], true)
    );
}

/// Writes of all lengths from one sector, many times. If the list were searched from end to end, this would take
/// forever.
#[test]
fn many_from_the_same_sector() {
    let mut edges = Edges::<Std>::new(65_536, 0x9e37_79b9_7f4a_7c15).unwrap();
    let one = ends(&[b"a1"]);
    for end in (1..=65_536).chain(1..=65_536).chain((1..=65_536).rev()) {
        meet(&mut edges, 0, end, &one);
    }
}

proptest! {
    #[test]
    fn same_as_a_plain_list(
        room in 0_usize..9,
        seed: u64,
        writes in prop::collection::vec((0_u64..12, 1_u64..4), 0..80),
    ) {
        let mut edges = Edges::<Std>::new(room as u32, seed).unwrap();
        let mut slow = Slow::default();
        for (number, (first, sectors)) in writes.into_iter().enumerate() {
            let end = first + sectors;
            let bytes: Vec<u8> = (0..sectors * 200).map(|at| (number as u64 * 7 + at) as u8).collect();
            let there = meet(&mut edges, first, end, &ends(&[&bytes]));
            prop_assert_eq!(of(&there), slow.meet(room, (first, end), &bytes));
        }
    }
}
