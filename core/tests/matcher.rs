// SPDX-License-Identifier: GPL-2.0

//! The matcher, in every way that it can search, compared with a slow and obvious search.

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
    matcher_of,
    tiers,
    Std, //
};
use imgrement_core::{
    bytes::racy::{
        RacyBytes,
        RacyPair, //
    },
    search::{
        matcher::{
            Hits,
            State, //
        },
        set::{
            Pattern,
            Set, //
        },
    },
};
use proptest::prelude::*;
use std::{
    ops::Range,
    sync::atomic::{
        AtomicBool,
        AtomicU8,
        Ordering, //
    },
};

/// For each segment, counts what ends in it: wholly within it, and begun before it.
fn naive(pattern: &[u8], segments: &[&[u8]]) -> Vec<Hits> {
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

/// In every way; all have the same result.
fn fast(pattern: &[u8], segments: &[&[u8]]) -> Vec<Hits> {
    let matcher = matcher_of(pattern).unwrap();
    let bytes = segments.iter().map(|segment| segment.len() as u64).sum();

    let mut found: Vec<Vec<_>> = Vec::new();
    for tier in tiers() {
        let mut state = State::new(bytes);
        let feed = |segment: &&[u8]| matcher.feed(&mut state, (*segment).into(), tier);
        found.push(segments.iter().map(feed).collect());
    }
    found.dedup();
    assert_eq!(found.len(), 1, "the ways differ: {found:?}");
    found.remove(0)
}

fn hits(inside: u32, straddling: u32) -> Hits {
    Hits { inside, straddling }
}

#[test]
fn only_1_to_64_bytes_are_a_pattern() {
    assert!(matcher_of(b"").is_none());
    assert!(matcher_of(&[0; 1]).is_some());
    assert!(matcher_of(&[0; 64]).is_some());
    assert!(matcher_of(&[0; 65]).is_none());
    assert!(matcher_of(&[0; 1000]).is_none());
}

#[test]
fn known_counts() {
    type Case = (&'static [u8], &'static [&'static [u8]], Vec<Hits>);
    let cases: [Case; 10] = [
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
            b"AA",
            &[b"A", b"A", b""],
            vec![hits(0, 0), hits(0, 1), hits(0, 0)],
        ),
        (
            b"\0\xff",
            &[b"\0\xff\0", b"\xff"],
            vec![hits(1, 0), hits(0, 1)],
        ),
    ];
    for (pattern, segments, expected) in cases {
        assert_eq!(naive(pattern, segments), expected);
        assert_eq!(fast(pattern, segments), expected);
    }
}

#[test]
fn the_longest_pattern() {
    let xs = [b'x'; 64];
    assert_eq!(
        fast(&xs, &[&xs[..63], &xs, &xs[..1]]),
        [hits(0, 0), hits(1, 63), hits(0, 1)]
    );
}

#[test]
fn a_new_state_forgets() {
    let matcher = matcher_of(b"DAMN").unwrap();
    let (mut one, mut other) = (State::new(4), State::new(4));
    matcher.feed(&mut one, b"DA"[..].into(), None);
    let mn = RacyBytes::from(&b"MN"[..]);
    assert_eq!(matcher.feed(&mut other, mn, None), hits(0, 0));
    assert_eq!(matcher.feed(&mut one, mn, None), hits(0, 1));
}

/// One occurrence, and almost one, at every place of a text of every length around the sizes of words and vectors,
/// at any alignment.
#[test]
fn every_place_of_every_length() {
    const PATTERN: &[u8] = b"imgrement";
    let matcher = matcher_of(PATTERN).unwrap();
    let almost = *b"imgremend";
    let lengths = (0..40).chain(60..80).chain(124..140).chain([200, 300]);

    for (len, skew) in lengths.flat_map(|len| (0..64).step_by(3).map(move |skew| (len, skew))) {
        let mut text = vec![b'e'; 64 + skew + len];
        let begin = text.as_ptr().align_offset(64) + skew;
        for at in 0..len {
            let end = (at + PATTERN.len()).min(len);
            let place = begin + at..begin + end;
            for (found, bytes) in [(end - at == PATTERN.len(), PATTERN), (false, &almost)] {
                text[place.clone()].copy_from_slice(&bytes[..end - at]);
                for tier in tiers() {
                    let hits = matcher.count(text[begin..begin + len].into(), tier);
                    assert_eq!(hits, u32::from(found), "{len} bytes at {skew}: {at}");
                }
            }
            text[place].fill(b'e');
        }
    }
}

/// What another thread writes meanwhile may be found or not. Nothing else is found, and what does not change is
/// found.
#[test]
fn bytes_that_change_meanwhile() {
    let bytes: Vec<_> = (0..4096).map(|_| AtomicU8::new(b'a')).collect();
    let (changing, staying) = bytes.split_at(2048);
    for at in [0, 700, 2047] {
        staying[at].store(b'c', Ordering::Relaxed);
    }
    for (byte, letter) in staying[100..].iter().zip(b"cbbbbc") {
        byte.store(*letter, Ordering::Relaxed);
    }
    // SAFETY: They outlive the view.
    let view = || unsafe { RacyBytes::new(bytes.as_ptr().cast(), bytes.len()) };
    let counts = |pattern: &[u8], tier| {
        let matcher = matcher_of(pattern).unwrap();
        let list = [Pattern {
            bytes: pattern,
            nocase: false,
        }];
        let mut each = 0;
        let set = Set::<Std>::new(&list).unwrap();
        set.each(view(), &tier, &mut |_, _| each += 1);
        [matcher.count(view(), tier), each]
    };
    let stop = AtomicBool::new(false);

    std::thread::scope(|scope| {
        scope.spawn(|| {
            for (round, byte) in changing.iter().cycle().enumerate() {
                byte.store(b'a' + u8::from(round % 7 > 1), Ordering::Relaxed);
                if stop.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for tier in tiers().into_iter().cycle().take(2000) {
            for count in counts(b"bbbb", tier) {
                assert!((1..=1 + 2048 - 3).contains(&count));
            }
            assert_eq!(counts(b"ca", tier), [3, 3]);
            assert_eq!(counts(b"cbbbbc", tier), [1, 1]);
            assert_eq!(counts(b"bbbd", tier), [0, 0]);
        }
        stop.store(true, Ordering::Relaxed);
    });
}

/// Bytes of a small alphabet, so that much is found, or of the whole range.
fn bytes(len: Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let alphabet = prop_oneof![Just(1_u8), Just(2), Just(4), Just(255)];
    (alphabet, prop::collection::vec(any::<u8>(), len)).prop_map(|(letters, mut bytes)| {
        bytes.iter_mut().for_each(|byte| *byte %= letters);
        bytes
    })
}

/// A pattern, and a text that contains it often: whole, its start, its end, or not at all.
fn pattern_and_text() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let piece = (0_u8..4, any::<prop::sample::Index>(), bytes(0..80));

    (bytes(1..65), prop::collection::vec(piece, 0..20)).prop_map(|(pattern, pieces)| {
        let text = pieces
            .into_iter()
            .flat_map(|(kind, index, other)| match kind {
                0 => pattern.clone(),
                1 => pattern[..index.index(pattern.len())].to_vec(),
                2 => pattern[index.index(pattern.len())..].to_vec(),
                _ => other,
            });
        let text = text.collect();
        (pattern, text)
    })
}

/// A text of few letters, and one composed from its pattern, split into segments anywhere, at any alignment.
#[derive(Clone, Debug)]
struct Case {
    pattern: Vec<u8>,
    memory: Vec<u8>,
    segments: Vec<Range<usize>>,
}

fn case() -> impl Strategy<Value = Case> {
    let either = prop_oneof![pattern_and_text(), (bytes(1..6), bytes(0..1500))];
    let cuts = prop::collection::vec(any::<prop::sample::Index>(), 0..6);

    (either, cuts, 0_usize..64).prop_map(|((pattern, text), cuts, skew)| {
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();

        let mut memory = vec![0; skew];
        memory.extend(text);
        let segments = cuts.windows(2).map(|cut| skew + cut[0]..skew + cut[1]);
        Case {
            pattern,
            segments: segments.collect(),
            memory,
        }
    })
}

proptest! {
    #[test]
    fn same_as_the_naive_search(case in case()) {
        let segments: Vec<_> = case.segments.iter().map(|at| &case.memory[at.clone()]).collect();
        prop_assert_eq!(fast(&case.pattern, &segments), naive(&case.pattern, &segments));
    }

    /// A long pattern hardly ever occurs by chance: put it into the text, and split that anywhere.
    #[test]
    fn a_pattern_put_into_the_text_is_found(
        pattern in prop::collection::vec(any::<u8>(), 1..=64),
        gaps in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..8),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let bytes = gaps.join(&pattern[..]);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let segments: Vec<_> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();

        let found = fast(&pattern, &segments);
        prop_assert_eq!(&found, &naive(&pattern, &segments));

        // Wherever it is split, the total is that of the whole.
        let total: u32 = found.iter().map(|hits| hits.inside + hits.straddling).sum();
        let whole = bytes.windows(pattern.len()).filter(|window| *window == pattern).count();
        prop_assert_eq!(total as usize, whole);
        prop_assert!(whole + 1 >= gaps.len());
    }

    /// Loads are those of a slice, and none goes beyond the end.
    #[test]
    fn racy_bytes_are_those_of_a_slice(bytes in bytes(0..80), at in 0_usize..90, len in 0_usize..90) {
        let racy = RacyBytes::from(&bytes[..]);
        let word = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));

        prop_assert_eq!((racy.len(), racy.is_empty()), (bytes.len(), bytes.is_empty()));
        prop_assert!(racy.iter().eq(bytes.iter().copied()));
        prop_assert_eq!(racy.byte(at), bytes.get(at).copied());
        prop_assert_eq!(racy.word(at), word(at));
        // Next to the same bytes shifted by one, of which there is one fewer.
        let one = racy.get(1..bytes.len()).unwrap_or_else(|| (&[][..]).into());
        let pair = RacyPair::new(racy, one);
        prop_assert_eq!(pair.len(), bytes.len().saturating_sub(1));
        prop_assert_eq!(
            pair.bytes(at),
            bytes.get(at).zip(bytes.get(at + 1)).map(|(a, b)| [*a, *b])
        );
        let words = [at, at + 8, at + 16].map(|at| word(at).zip(word(at + 1)).map(<[u64; 2]>::from));
        prop_assert_eq!(
            pair.words(at).map(|words: [_; 3]| words.map(Some)),
            words[2].map(|_| words)
        );

        let part = bytes.get(at..at + len);
        let seen = racy.get(at..at + len);
        prop_assert_eq!(seen.map(|seen| seen.iter().collect()), part.map(<[u8]>::to_vec));
        let mut copy = vec![0xa5; len];
        prop_assert_eq!(racy.copy_to(at, &mut copy).is_some(), part.is_some());
        prop_assert_eq!(copy, part.map_or_else(|| vec![0xa5; len], <[u8]>::to_vec));

        // By one byte.
        let len = bytes.len();
        prop_assert!(racy.get(0..len).is_some() && racy.get(0..len + 1).is_none());
        prop_assert!(racy.byte(len).is_none() && pair.bytes(pair.len()).is_none());
        prop_assert!(racy.word((len + 1).saturating_sub(8)).is_none());
        prop_assert!(pair.words::<2>((pair.len() + 1).saturating_sub(16)).is_none());

        // Near the end of the address space.
        for beyond in [usize::MAX, usize::MAX - 7, usize::MAX - 31] {
            prop_assert!(racy.byte(beyond).is_none() && racy.word(beyond).is_none());
            prop_assert!(pair.bytes(beyond).is_none() && pair.words::<4>(beyond).is_none());
            prop_assert!(racy.get(at..beyond).is_none() && racy.get(beyond..at).is_none());
        }
    }
}
