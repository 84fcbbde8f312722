// SPDX-License-Identifier: GPL-2.0

//! The matcher against a slow and obvious one.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::matcher::{
    Hits,
    Matcher,
    State, //
};
use proptest::prelude::*;

/// Counts, for each segment, what ends in it: wholly in it, and begun before it.
fn naive(pattern: &[u8], segments: &[Vec<u8>]) -> Vec<Hits> {
    let all = segments.concat();
    let mut begin = 0;
    segments
        .iter()
        .map(|segment| {
            let end = begin + segment.len();
            let mut hits = Hits::default();
            for (at, window) in all.windows(pattern.len()).enumerate() {
                let after = at + pattern.len();
                if window == pattern && begin < after && after <= end {
                    if at >= begin {
                        hits.inside += 1;
                    } else {
                        hits.straddling += 1;
                    }
                }
            }
            begin = end;
            hits
        })
        .collect()
}

fn fast(pattern: &[u8], segments: &[Vec<u8>]) -> Vec<Hits> {
    let matcher = Matcher::new(pattern).unwrap();
    let mut state = State::default();
    segments
        .iter()
        .map(|segment| matcher.feed(&mut state, segment.iter().copied()))
        .collect()
}

fn hits(inside: u32, straddling: u32) -> Hits {
    Hits { inside, straddling }
}

#[test]
fn only_1_to_64_bytes_are_a_pattern() {
    assert!(Matcher::new(b"").is_none());
    assert!(Matcher::new(&[0; 1]).is_some());
    assert!(Matcher::new(&[0; 64]).is_some());
    assert!(Matcher::new(&[0; 65]).is_none());
    assert!(Matcher::new(&[0; 1000]).is_none());
}

#[test]
fn known_counts() {
    type Case = (&'static [u8], &'static [&'static [u8]], Vec<Hits>);
    let cases: [Case; 9] = [
        (b"DAMN", &[b"DAMNDAMNDAMN\n"], vec![hits(3, 0)]),
        (b"AA", &[b"AAA"], vec![hits(2, 0)]),
        (b"DAMN", &[b"DA", b"MN"], vec![hits(0, 0), hits(0, 1)]),
        (
            b"DAMN",
            &[b"D", b"AM", b"N"],
            vec![hits(0, 0), hits(0, 0), hits(0, 1)],
        ),
        (
            b"DAMN",
            &[b"DA", b"", b"MN"],
            vec![hits(0, 0), hits(0, 0), hits(0, 1)],
        ),
        (b"DAMN", &[b"DAMN", b"DAMN"], vec![hits(1, 0), hits(1, 0)]),
        (b"AAA", &[b"AAA", b"AAA"], vec![hits(1, 0), hits(1, 2)]),
        (b"A", &[b"AA", b"A"], vec![hits(2, 0), hits(1, 0)]),
        (
            b"\0\xff",
            &[b"\0\xff\0", b"\xff"],
            vec![hits(1, 0), hits(0, 1)],
        ),
    ];
    for (pattern, segments, expected) in cases {
        let segments: Vec<_> = segments.iter().map(|segment| segment.to_vec()).collect();
        assert_eq!(naive(pattern, &segments), expected);
        assert_eq!(fast(pattern, &segments), expected);
    }
}

#[test]
fn the_longest_pattern() {
    let pattern = [b'x'; 64];
    let segments = [vec![b'x'; 63], vec![b'x'; 64], vec![b'x'; 1]];
    assert_eq!(
        fast(&pattern, &segments),
        [hits(0, 0), hits(1, 63), hits(0, 1)]
    );
}

#[test]
fn a_new_state_forgets() {
    let matcher = Matcher::new(b"DAMN").unwrap();
    let mut state = State::default();
    matcher.feed(&mut state, *b"DA");
    assert_eq!(matcher.feed(&mut State::default(), *b"MN"), hits(0, 0));
    assert_eq!(matcher.feed(&mut state, *b"MN"), hits(0, 1));
}

/// Memory that changes under the search: each byte is asked for once, and never after the end.
#[test]
fn each_byte_is_read_once() {
    let mut reads = 0;
    let mut ended = false;
    let bytes = core::iter::from_fn(|| {
        assert!(!ended, "asked again after the end");
        reads += 1;
        ended = reads == 4;
        (!ended).then_some(b'A')
    });
    let matcher = Matcher::new(b"AAAAAAAA").unwrap();
    assert_eq!(matcher.feed(&mut State::default(), bytes), hits(0, 0));
    assert_eq!(reads, 4);
}

/// Two letters, so that there is much to be found.
fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&b"AB"[..]), 0..=max)
}

proptest! {
    #[test]
    fn same_as_the_naive_one(
        pattern in prop_oneof![text(4), text(64)].prop_filter("empty", |text| !text.is_empty()),
        segments in prop::collection::vec(text(90), 0..6),
    ) {
        prop_assert_eq!(fast(&pattern, &segments), naive(&pattern, &segments));
    }

    /// A long pattern hardly ever occurs by chance: lay it into the text and cut that anywhere.
    #[test]
    fn what_was_laid_in_is_found(
        pattern in prop::collection::vec(any::<u8>(), 1..=64),
        gaps in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let bytes = gaps.join(&pattern[..]);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let segments: Vec<_> = cuts.windows(2).map(|cut| bytes[cut[0]..cut[1]].to_vec()).collect();

        let found = fast(&pattern, &segments);
        prop_assert_eq!(&found, &naive(&pattern, &segments));

        // Wherever it is cut, the total is that of the whole.
        let total: u32 = found.iter().map(|hits| hits.inside + hits.straddling).sum();
        let whole = bytes.windows(pattern.len()).filter(|window| *window == pattern).count();
        prop_assert_eq!(total as usize, whole);
        prop_assert!(whole + 1 >= gaps.len());
    }
}
