// SPDX-License-Identifier: GPL-2.0

//! No search reads before or after its bytes. These are at the edges of a page between two unreadable ones, so a search
//! that did would be killed by a signal.
//!
//! It has `unsafe`, because mapping memory and taking a slice of it is.

#![allow(
    clippy::arithmetic_side_effects,
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
use imgrement_core::search::set::{
    Pattern,
    Set, //
};
use std::{
    ptr,
    slice, //
};

/// A page between two unreadable ones.
struct Guarded {
    mapping: *mut libc::c_void,
    page: usize,
}

impl Guarded {
    fn new() -> Self {
        // SAFETY: It only reads a setting.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap();
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        // SAFETY: It is a mapping of its own.
        let mapping =
            unsafe { libc::mmap(ptr::null_mut(), 3 * page, libc::PROT_NONE, flags, -1, 0) };
        assert_ne!(mapping, libc::MAP_FAILED);
        // SAFETY: It is the page in the middle.
        let status = unsafe {
            libc::mprotect(
                mapping.wrapping_byte_add(page),
                page,
                libc::PROT_READ | libc::PROT_WRITE,
            )
        };
        assert_eq!(status, 0);
        Self { mapping, page }
    }

    fn bytes(&mut self) -> &mut [u8] {
        let start = self.mapping.wrapping_byte_add(self.page);
        // SAFETY: The page is there until `self` is dropped, and may be written to.
        unsafe { slice::from_raw_parts_mut(start.cast(), self.page) }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // SAFETY: Nothing uses it any more.
        unsafe { libc::munmap(self.mapping, 3 * self.page) };
    }
}

#[test]
fn nothing_is_read_beyond_the_edges() {
    let mut guarded = Guarded::new();
    let page = guarded.page;

    // In the first of these bytes nothing is found, in the second everything is.
    for fill in [b'.', b'x'] {
        guarded.bytes().fill(fill);
        for pattern_len in [1, 2, 3, 7, 8, 9, 16, 17, 31, 33, 63, 64] {
            let matcher = matcher_of(&vec![b'x'; pattern_len]).unwrap();
            for len in (0..300).chain([511, 512, page]) {
                let places = if fill == b'x' {
                    (len + 1).saturating_sub(pattern_len)
                } else {
                    0
                };
                for at in [0..len, page - len..page] {
                    for tier in tiers() {
                        let found = matcher.count(guarded.bytes()[at.clone()].into(), tier);
                        assert_eq!(usize::try_from(found), Ok(places), "{pattern_len} in {len}");
                    }
                }
            }
        }
    }
}

#[test]
fn sets_read_nothing_beyond_the_edges() {
    let mut guarded = Guarded::new();
    let page = guarded.page;
    let x = [b'x'; 255];
    let lengths = [1, 2, 3, 4, 5, 16, 255];
    let patterns = lengths.map(|len| Pattern {
        bytes: &x[..len],
        nocase: len % 2 == 0,
    });

    for fill in [b'.', b'x'] {
        guarded.bytes().fill(fill);
        // All of them, so that filtering does not pay; and only the longest one.
        for patterns in [&patterns[..], &patterns[3..], &patterns[6..]] {
            let set: Set<Std> = Set::new(patterns).unwrap();
            for len in (0..300).chain([511, 512, page]) {
                let places = patterns
                    .iter()
                    .map(|pattern| (len + 1).saturating_sub(pattern.bytes.len()));
                let places: usize = if fill == b'x' { places.sum() } else { 0 };
                for at in [0..len, page - len..page] {
                    for tier in tiers() {
                        let mut found = 0;
                        set.each(guarded.bytes()[at.clone()].into(), &tier, &mut |_, _| {
                            found += 1
                        });
                        assert_eq!(found, places, "{} in {len}", patterns.len());
                    }
                }
            }
        }
    }
}
