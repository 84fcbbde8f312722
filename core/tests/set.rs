// SPDX-License-Identifier: GPL-2.0

//! Sets of patterns, in every way that they can be searched for, compared with a slow and obvious search.

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

use common::{
    tiers,
    Std, //
};
use imgrement_core::{
    memory::Memory,
    search::{
        set::{
            Fault,
            Pattern,
            Set,
            State,
            MEMORY_MAX, //
        },
        simd::{
            Avx2,
            Sections, //
        },
    },
};
use proptest::prelude::*;
use std::cell::Cell;

/// A pattern, and whether its case is ignored.
type Owned = (Vec<u8>, bool);

/// An occurrence: the segment that it ends in, the pattern, and where in the segment it ends.
type Found = (usize, usize, usize);

fn set(patterns: &[Owned]) -> Result<Set<Std>, Fault<std::convert::Infallible>> {
    let patterns: Vec<_> = patterns
        .iter()
        .map(|(bytes, nocase)| Pattern {
            bytes,
            nocase: *nocase,
        })
        .collect();
    Set::new(&patterns)
}

fn naive(patterns: &[Owned], segments: &[&[u8]]) -> Vec<Found> {
    let all = segments.concat();
    let mut found = Vec::new();
    let mut begin = 0;
    for (index, segment) in segments.iter().enumerate() {
        for (pattern, (bytes, nocase)) in patterns.iter().enumerate() {
            for end in begin + 1..=begin + segment.len() {
                let Some(start) = end.checked_sub(bytes.len()) else {
                    continue;
                };
                let there = &all[start..end];
                if there == &bytes[..] || *nocase && there.eq_ignore_ascii_case(bytes) {
                    found.push((index, pattern, end - begin));
                }
            }
        }
        begin += segment.len();
    }
    found.sort_unstable();
    found
}

/// In every way; all have the same result.
fn fast(patterns: &[Owned], segments: &[&[u8]]) -> Vec<Found> {
    let set = set(patterns).unwrap();
    let bytes = segments.iter().map(|segment| segment.len() as u64).sum();

    let mut ways: Vec<Vec<Found>> = Vec::new();
    for tier in tiers() {
        let mut found = Vec::new();
        let mut state = State::new(bytes);
        for (index, segment) in segments.iter().enumerate() {
            set.feed(&mut state, (*segment).into(), &tier, &mut |pattern, end| {
                found.push((index, pattern, end));
            });
        }
        // An occurrence that is reported twice is in it twice.
        found.sort_unstable();
        ways.push(found);
    }
    ways.dedup();
    assert_eq!(ways.len(), 1, "the ways differ: {ways:?}");
    ways.remove(0)
}

fn exact(patterns: &[&[u8]]) -> Vec<Owned> {
    patterns
        .iter()
        .map(|bytes| (bytes.to_vec(), false))
        .collect()
}

fn nocase(patterns: &[&[u8]]) -> Vec<Owned> {
    patterns
        .iter()
        .map(|bytes| (bytes.to_vec(), true))
        .collect()
}

#[test]
fn what_is_refused() {
    let fault = |patterns: &[Owned]| set(patterns).err();
    let many: Vec<Owned> = (0..=256_u16)
        .map(|n| (n.to_le_bytes().to_vec(), false))
        .collect();

    assert_eq!(fault(&[]), Some(Fault::Count));
    assert_eq!(fault(&many), Some(Fault::Count));
    assert_eq!(fault(&many[1..]), None);
    assert_eq!(fault(&exact(&[b"a", b""])), Some(Fault::Length(1)));
    assert_eq!(fault(&exact(&[&[b'a'; 256]])), Some(Fault::Length(0)));
    assert_eq!(fault(&exact(&[&[b'a'; 255]])), None);
    assert_eq!(fault(&exact(&[b"b", b"a", b"b"])), Some(Fault::Same(0, 2)));
    assert_eq!(
        fault(&nocase(&[b"c", b"aB", b"Ab"])),
        Some(Fault::Same(1, 2))
    );
    assert_eq!(fault(&exact(&[b"aB", b"Ab"])), None);
    assert_eq!(fault(&[exact(&[b"a"]), nocase(&[b"a"])].concat()), None);
}

#[test]
fn known_places() {
    let found = fast(&exact(&[b"he", b"she", b"his", b"hers"]), &[b"ushers his"]);
    assert_eq!(found, [(0, 0, 4), (0, 1, 4), (0, 2, 10), (0, 3, 6)]);

    let found = fast(&exact(&[b"a", b"aa", b"aaa"]), &[b"aa", b"", b"a"]);
    let wanted = [
        (0, 0, 1),
        (0, 0, 2),
        (0, 1, 2),
        (2, 0, 1),
        (2, 1, 1),
        (2, 2, 1),
    ];
    assert_eq!(found, wanted);

    let both = [exact(&[b"Key"]), nocase(&[b"kEy"])].concat();
    let found = fast(&both, &[b"key KEY Ke", b"y"]);
    assert_eq!(found, [(0, 1, 3), (0, 1, 7), (1, 0, 1), (1, 1, 1)]);

    // Bytes that differ from a letter only in the bit for case are not that letter in another case.
    let found = fast(&nocase(&[b"a[@`{"]), &[b"A[@`{ a{@`{ a[`@{"]);
    assert_eq!(found, [(0, 0, 5)]);
}

/// 256 patterns of 255 bytes with common starts or ends.
#[test]
fn the_largest_sets() {
    let mut text = Vec::new();
    for shared in [0, 120, 253] {
        let patterns: Vec<Owned> = (0..=255_u8)
            .map(|n| {
                let mut bytes = vec![b'x'; 255];
                bytes[shared] = n;
                bytes[254] = n.wrapping_mul(7);
                (bytes, n < 64)
            })
            .collect();
        text.clear();
        for (bytes, _) in &patterns {
            text.extend_from_slice(bytes);
        }
        let (a, b) = text.split_at(10_000);
        // An obvious search takes too long: the patterns that were put in must be found.
        let found = fast(&patterns, &[a, b]);
        for (index, _) in patterns.iter().enumerate() {
            let end = (index + 1) * 255;
            let wanted = match end.checked_sub(10_000) {
                Some(end) if end > 0 => (1, index, end),
                _ => (0, index, end),
            };
            assert!(found.contains(&wanted), "{wanted:?}");
        }
    }
}

/// The memory of the standard library, and how much was allocated.
#[derive(Debug)]
struct Counted;

std::thread_local! {
    static ASKED: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

impl Memory for Counted {
    type Array<T: Copy> = Vec<T>;
    type Error = usize;

    fn array<T: Copy>(value: &T, len: usize) -> Result<Vec<T>, usize> {
        let asked = ASKED.get() + len * size_of::<T>();
        if asked > MEMORY_MAX {
            return Err(asked);
        }
        ASKED.set(asked);
        Ok(vec![*value; len])
    }
}

/// 256 patterns of 255 bytes that share only their first byte, or not even that. Half of them ignore case.
#[test]
fn the_largest_set_uses_no_more_memory_than_stated() {
    for shared in [0, 1] {
        let patterns: Vec<Owned> = (0..=255_u8)
            .map(|n| {
                let mut bytes = vec![n; 255];
                bytes[..shared].fill(b'-');
                (bytes, n.is_ascii_lowercase() || n < 64)
            })
            .collect();
        let patterns: Vec<_> = patterns
            .iter()
            .map(|(bytes, nocase)| Pattern {
                bytes,
                nocase: *nocase,
            })
            .collect();

        ASKED.set(0);
        assert!(Set::<Counted>::new(&patterns).is_ok());
        assert!(ASKED.get() > 9 * MEMORY_MAX / 10, "{}", ASKED.get());
        // Without enough memory, there is an error.
        assert!(matches!(
            Set::<Counted>::new(&patterns),
            Err(Fault::Memory(_))
        ));
    }
}

/// So many occurrences and near misses that filtering does not pay.
#[test]
fn filtering_that_does_not_pay() {
    let patterns = [
        exact(&[b"aaaa", b"aaab", b"aaaaaaaaaaaaaaaaaaac", b"aabaa"]),
        nocase(&[b"AAAA", b"aaAAz"]),
    ]
    .concat();
    let mut text = vec![b'a'; 6000];
    for at in [0, 1, 700, 2047, 2048, 2049, 3000, 4095, 4096, 5990] {
        text[at] = b'b';
        text[at / 2] = b'A';
        text[at / 3] = b'z';
    }
    for segments in [
        vec![&text[..]],
        vec![&text[..2500], &text[2500..2503], &text[2503..]],
    ] {
        assert_eq!(fast(&patterns, &segments), naive(&patterns, &segments));
    }
}

/// Bytes of a small alphabet, so that much is found, or of the whole range.
fn bytes(len: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let alphabet = prop::sample::select(vec![&b"a"[..], b"ab", b"aAbB", b"@aAz{", b""]);
    (alphabet, prop::collection::vec(any::<u8>(), len)).prop_map(|(letters, mut bytes)| {
        if !letters.is_empty() {
            bytes
                .iter_mut()
                .for_each(|byte| *byte = letters[usize::from(*byte) % letters.len()]);
        }
        bytes
    })
}

/// Different patterns, some of which are parts of others.
fn patterns(count: usize) -> impl Strategy<Value = Vec<Owned>> {
    let pattern = prop_oneof![bytes(1..5), bytes(1..20), bytes(1..256)];
    let part = any::<Option<(prop::sample::Index, prop::sample::Index)>>();
    prop::collection::vec((pattern, part, any::<bool>()), 1..=count).prop_map(|all| {
        let mut patterns: Vec<Owned> = Vec::new();
        for (mut bytes, part, nocase) in all {
            if let (Some((which, end)), false) = (part, patterns.is_empty()) {
                let other = &which.get(&patterns).0;
                let end = 1 + end.index(other.len());
                bytes = other[other.len() - end..].to_vec();
            }
            let same = |(other, either): &Owned| {
                *either == nocase
                    && (*other == bytes || nocase && other.eq_ignore_ascii_case(&bytes))
            };
            if !patterns.iter().any(same) {
                patterns.push((bytes, nocase));
            }
        }
        patterns
    })
}

/// Patterns, and a text made from them, from parts of them and from other bytes.
fn patterns_and_text() -> impl Strategy<Value = (Vec<Owned>, Vec<u8>)> {
    let index = || any::<prop::sample::Index>();
    let piece = (0_u8..5, index(), index(), bytes(0..60));
    let count = prop_oneof![3 => Just(1_usize), 3 => Just(8), 2 => Just(40), 1 => Just(256)];

    (
        count.prop_flat_map(patterns),
        prop::collection::vec(piece, 0..12),
    )
        .prop_map(|(patterns, pieces)| {
            let text = pieces.into_iter().flat_map(|(kind, which, cut, other)| {
                let pattern = &which.get(&patterns).0;
                match kind {
                    0 => pattern.clone(),
                    1 => pattern.to_ascii_uppercase(),
                    2 => pattern[..cut.index(pattern.len())].to_vec(),
                    3 => pattern[cut.index(pattern.len())..].to_vec(),
                    _ => other,
                }
            });
            let text = text.collect();
            (patterns, text)
        })
}

/// Records whether a section is active.
struct Watched {
    tier: Option<Avx2<'static>>,
    within: Cell<bool>,
    sections: Cell<u32>,
}

impl Sections for Watched {
    fn with<R>(&self, _: usize, work: impl FnOnce(Option<Avx2<'_>>) -> R) -> R {
        assert!(!self.within.replace(true));
        self.sections.set(self.sections.get() + 1);
        let result = work(self.tier);
        self.within.set(false);
        result
    }
}

/// Other tasks wait for the end of a section, so the million occurrences in this page are not reported within one.
#[test]
fn sections_are_short() {
    let patterns: Vec<Owned> = (1..=255).map(|len| (vec![b'a'; len], false)).collect();
    let text = vec![b'a'; 4096];
    let set = set(&patterns).unwrap();
    for tier in tiers() {
        let sections = Watched {
            tier,
            within: Cell::new(false),
            sections: Cell::new(0),
        };
        let (mut all, mut within) = (0, 0);
        set.each((&text[..]).into(), &sections, &mut |_, _| {
            all += 1;
            within += u32::from(sections.within.get());
        });
        assert_eq!(all, (1..=255).map(|len| 4097 - len).sum::<u32>());
        assert!(within <= 1024, "{within}");
        assert!((1..=3).contains(&sections.sections.get()));
    }
}

proptest! {
    #[test]
    fn same_as_the_naive_search(
        (patterns, text) in patterns_and_text(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        skew in 0_usize..64,
    ) {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let mut memory = vec![0; skew];
        memory.extend(&text);
        let segments: Vec<_> = cuts.windows(2).map(|cut| &memory[skew + cut[0]..skew + cut[1]]).collect();

        prop_assert_eq!(fast(&patterns, &segments), naive(&patterns, &segments));
    }
}
