// SPDX-License-Identifier: GPL-2.0

//! The engine that is chosen for a list of patterns, compared with a slow and obvious search.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod common;

use common::{
    tiers,
    Std, //
};
use imgrement_core::{
    config::{
        pattern::Patterns, //
        table::Table,
    },
    search::{
        engine::{
            Engine,
            Found,
            State, //
        },
        set::Fault, //
    },
};
use proptest::prelude::*;
use std::convert::Infallible;

/// A pattern, and whether its case is ignored.
type Owned = (Vec<u8>, bool);

/// For each segment and each pattern: how often it was found across the start, and how often within the segment.
type Times = Vec<[Vec<u64>; 2]>;

/// The segment and the pattern of each occurrence, and where in the segment it ends.
type Ends = Vec<(usize, usize, usize)>;

fn patterns(owned: &[Owned]) -> Patterns<Std> {
    let line: Vec<u8> = owned
        .iter()
        .enumerate()
        .flat_map(|(index, (bytes, nocase))| {
            let text: String = bytes.iter().map(|byte| format!("%{byte:02x}")).collect();
            let nocase = if *nocase { " nocase" } else { "" };
            format!("pattern {text} name {index}{nocase} ").into_bytes()
        })
        .collect();
    let line = if owned.is_empty() {
        b"pattern none".to_vec()
    } else {
        line
    };
    let words = line
        .split(|byte| *byte == b' ')
        .filter(|word| !word.is_empty());
    Table::<Std>::parse(words).unwrap().patterns
}

fn engine(owned: &[Owned], places: bool) -> Result<Option<Engine<Std>>, Fault<Infallible>> {
    Engine::new(patterns(owned).to_search(), places)
}

fn naive(patterns: &[Owned], segments: &[&[u8]]) -> (Times, Ends) {
    let all = segments.concat();
    let mut ends = Vec::new();
    let mut times = Vec::new();
    let mut begin = 0;
    for (index, segment) in segments.iter().enumerate() {
        let mut here = [vec![0; patterns.len()], vec![0; patterns.len()]];
        for (pattern, (bytes, nocase)) in patterns.iter().enumerate() {
            for end in begin + 1..=begin + segment.len() {
                let Some(start) = end.checked_sub(bytes.len()) else {
                    continue;
                };
                let there = &all[start..end];
                if there == &bytes[..] || *nocase && there.eq_ignore_ascii_case(bytes) {
                    here[usize::from(start >= begin)][pattern] += 1;
                    ends.push((index, pattern, end - begin));
                }
            }
        }
        times.push(here);
        begin += segment.len();
    }
    ends.sort_unstable();
    (times, ends)
}

/// In every way: with places or without, and with ends or without (which engines that only count then do not report).
fn fast(owned: &[Owned], segments: &[&[u8]]) -> Vec<(Times, Option<Ends>)> {
    let mut ways = Vec::new();
    for (places, asked) in [(false, false), (false, true), (true, false)] {
        let engine = engine(owned, places).unwrap().unwrap();
        for tier in tiers() {
            let mut ends = Vec::new();
            let mut times = Vec::new();
            let bytes = segments.iter().map(|segment| segment.len() as u64).sum();
            let mut state = State::new(bytes);
            for (index, segment) in segments.iter().enumerate() {
                let mut here = [vec![0; owned.len()], vec![0; owned.len()]];
                let mut note = |inside: usize, found| match found {
                    Found::Times { pattern, times } => {
                        here[inside][pattern] += u64::from(times);
                    }
                    Found::End { pattern, end } => ends.push((index, pattern, end)),
                };
                let segment = (*segment).into();
                engine.straddling(&mut state, segment, asked, &mut |found| note(0, found));
                engine.inside(&mut state, segment, &tier, asked, &mut |found| {
                    note(1, found)
                });
                times.push(here);
            }
            ends.sort_unstable();
            let counted_alone = matches!(engine, Engine::One(_));
            assert!(!(counted_alone && places));
            let told = asked || !counted_alone;
            assert!(told || ends.is_empty());
            ways.push((times, if told { Some(ends) } else { None }));
        }
    }
    ways
}

fn check(owned: &[Owned], segments: &[&[u8]]) {
    let (times, ends) = naive(owned, segments);
    for (got, places) in fast(owned, segments) {
        assert_eq!(got, times);
        assert!(places.is_none_or(|places| places == ends));
    }
}

#[test]
fn the_choice_of_the_engine() {
    let one = |bytes: &[u8], nocase, places| {
        matches!(
            engine(&[(bytes.to_vec(), nocase)], places).unwrap(),
            Some(Engine::One(_))
        )
    };
    assert!(one(b"DAMN", false, false));
    assert!(one(&[b'a'; 64], false, false));
    // It cannot handle these.
    assert!(!one(&[b'a'; 65], false, false));
    assert!(!one(b"DAMN", true, false));
    assert!(!one(b"DAMN", false, true));

    assert!(engine(&[], true).unwrap().is_none());
    assert!(matches!(
        engine(&[(b"a".to_vec(), false), (b"a".to_vec(), false)], false).err(),
        Some(Fault::Same(0, 1))
    ));
}

#[test]
fn more_patterns_than_are_counted_at_once() {
    let owned: Vec<Owned> = (0..=255).map(|byte| (vec![byte], false)).collect();
    let text: Vec<u8> = (0..4000_u32).map(|n| (n * n / 7 % 251) as u8).collect();
    for count in [26, 64, 65, 200, 256] {
        check(&owned[..count], &[&text[..700], &text[700..]]);
    }
}

#[test]
fn straddling_occurrences() {
    let owned: Vec<Owned> = vec![(b"abc".to_vec(), false), (b"BCA".to_vec(), true)];
    check(&owned, &[b"ab", b"cab", b"", b"c", b"a"]);
    check(&owned[..1], &[b"ab", b"cab", b"", b"c", b"a"]);
    check(&owned, &[b"abcabcabc"]);
}

/// More than fits into one count of an engine of many: it reports this in parts.
#[test]
fn very_many() {
    let owned: Vec<Owned> = vec![(b"a".to_vec(), false), (b"aa".to_vec(), true)];
    let segment = vec![b'a'; 140_000];
    check(&owned, &[&segment]);
}

/// Few letters, so that much is found.
fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(&b"aAb"[..]), 1..=longest)
}

proptest! {
    #[test]
    fn same_as_the_slow_search(
        mut owned in prop::collection::vec((bytes(5), any::<bool>()), 1..8),
        segments in prop::collection::vec(prop::collection::vec(prop::sample::select(&b"aAb"[..]), 0..80), 1..6),
    ) {
        // If case is ignored, the same letters in another case are the same pattern.
        owned.sort_by_key(|(bytes, nocase)| (bytes.to_ascii_lowercase(), *nocase));
        owned.dedup_by_key(|(bytes, _)| bytes.to_ascii_lowercase());
        let segments: Vec<_> = segments.iter().map(Vec::as_slice).collect();
        check(&owned, &segments);
    }

    #[test]
    fn a_single_long_pattern(
        pattern in bytes(70),
        nocase: bool,
        times in 1..4_usize,
        cuts in prop::collection::vec(0..400_usize, 0..4),
    ) {
        let text = pattern.repeat(times);
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let segments: Vec<_> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        check(&[(pattern.clone(), nocase)], &segments);
    }
}
