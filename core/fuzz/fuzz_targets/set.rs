// SPDX-License-Identifier: GPL-2.0

//! Sets of patterns: in every way to search, and however the bytes are split into segments, each occurrence that a slow
//! and obvious search finds is reported once.

#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{
    tiers,
    Std, //
};
use imgrement_core::search::set::{
    Fault,
    Pattern,
    Set,
    State, //
};
use libfuzzer_sys::fuzz_target;

/// Takes the patterns from the input. Each has a byte with its length, followed by its bytes. If the highest bit is
/// set, the length is in the next byte, and case is ignored. A 0 ends the patterns.
fn patterns<'a>(input: &mut &'a [u8]) -> Vec<Pattern<'a>> {
    let mut patterns = Vec::new();
    while let Some((&len, mut rest)) = input.split_first() {
        let (mut len, nocase) = (usize::from(len), len > 127);
        if nocase {
            let Some((&real, after)) = rest.split_first() else {
                break;
            };
            (len, rest) = (usize::from(real), after);
        }
        *input = rest;
        let Some((bytes, rest)) = input.split_at_checked(len) else {
            break;
        };
        if len == 0 {
            break;
        }
        *input = rest;
        patterns.push(Pattern { bytes, nocase });
    }
    patterns
}

/// What ends in `bytes[begin..end]`.
fn wanted(patterns: &[Pattern<'_>], bytes: &[u8], begin: usize, end: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (index, pattern) in patterns.iter().enumerate() {
        for (at, there) in bytes.windows(pattern.bytes.len()).enumerate() {
            let after = at + pattern.bytes.len();
            let same = there == pattern.bytes
                || pattern.nocase && there.eq_ignore_ascii_case(pattern.bytes);
            if same && begin < after && after <= end {
                found.push((index, after - begin));
            }
        }
    }
    found.sort_unstable();
    found
}

/// Whether two patterns are the same.
fn same(a: &Pattern<'_>, b: &Pattern<'_>) -> bool {
    a.nocase == b.nocase
        && (a.bytes == b.bytes || a.nocase && a.bytes.eq_ignore_ascii_case(b.bytes))
}

// The first three bytes say where the bytes after the patterns are split.
fuzz_target!(|input: &[u8]| {
    let Some((cuts, mut rest)) = input.split_first_chunk::<3>() else {
        return;
    };
    let patterns = patterns(&mut rest);
    let bytes = rest;
    let set = match Set::<Std>::new(&patterns) {
        Ok(set) => set,
        Err(Fault::Count) => return assert!(patterns.is_empty() || patterns.len() > 256),
        Err(Fault::Same(a, b)) => return assert!(a < b && same(&patterns[a], &patterns[b])),
        Err(fault) => panic!("{fault:?}"),
    };
    for (index, pattern) in patterns.iter().enumerate() {
        assert!(!patterns[..index].iter().any(|other| same(pattern, other)));
    }

    let mut cuts: Vec<_> = cuts
        .iter()
        .map(|cut| usize::from(*cut).min(bytes.len()))
        .collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();

    for tier in tiers() {
        let mut state = State::new(bytes.len() as u64);
        for segment in cuts.windows(2) {
            let (begin, end) = (segment[0], segment[1]);
            let mut found = Vec::new();
            set.feed(
                &mut state,
                bytes[begin..end].into(),
                &tier,
                &mut |pattern, end| {
                    found.push((pattern, end));
                },
            );
            found.sort_unstable();
            assert_eq!(
                found,
                wanted(&patterns, bytes, begin, end),
                "{begin}..{end}"
            );
        }
    }
});
