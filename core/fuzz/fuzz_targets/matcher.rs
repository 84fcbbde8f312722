// SPDX-License-Identifier: GPL-2.0

//! The matcher: in every way to search, and however the bytes are split into segments, it counts the same as a slow and
//! obvious search.

#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

use common::{
    matcher_of,
    tiers, //
};
use imgrement_core::search::matcher::{
    Hits,
    State, //
};
use libfuzzer_sys::fuzz_target;

/// What ends in `bytes[begin..end]`.
fn wanted(pattern: &[u8], bytes: &[u8], begin: usize, end: usize) -> Hits {
    let mut hits = Hits::default();
    for (at, window) in bytes.windows(pattern.len()).enumerate() {
        let after = at + pattern.len();
        if window == pattern && begin < after && after <= end {
            if at >= begin {
                hits.inside += 1;
            } else {
                hits.straddling += 1;
            }
        }
    }
    hits
}

// The first byte is the length of the pattern. The next three say where the bytes after it are split.
fuzz_target!(|input: &[u8]| {
    let Some(([len, cuts @ ..], rest)) = input.split_first_chunk::<4>() else {
        return;
    };
    let Some((pattern, bytes)) = rest.split_at_checked(usize::from(*len)) else {
        return;
    };
    let Some(matcher) = matcher_of(pattern) else {
        assert!(pattern.is_empty() || pattern.len() > 64);
        return;
    };

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
            let hits = matcher.feed(&mut state, bytes[begin..end].into(), tier);
            assert_eq!(hits, wanted(pattern, bytes, begin, end), "{begin}..{end}");
        }
    }
});
