// SPDX-License-Identifier: GPL-2.0

//! Text that is cut says so, and never in the middle of an escape.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::bytes::{
    cut::{
        Cut,
        MARK, //
    },
    word::{
        unescape,
        Escaped, //
    },
};
use proptest::prelude::*;
use std::fmt::Write;

fn cut(room: usize, text: &[u8]) -> Vec<u8> {
    let mut room = vec![0xff; room];
    let mut out = Cut::new(&mut room);
    write!(out, "{}", Escaped(text)).unwrap();
    out.finish().to_vec()
}

#[test]
fn examples() {
    assert_eq!(cut(10, b""), b"\0");
    assert_eq!(cut(10, b"123456789"), b"123456789\0");
    assert_eq!(cut(10, b"1234567890"), b"12345%...\0");
    assert_eq!(cut(10, b"1234 67890"), b"1234%...\0");
    assert_eq!(cut(10, b"123 567890"), b"123%...\0");
    assert_eq!(cut(10, b"12 4567890"), b"12%20%...\0");
    assert_eq!(cut(5, b"12345"), b"%...\0");
    // Too small for the mark: as much of it as there is space for.
    assert_eq!(cut(1, b"12345"), b"\0");
    assert_eq!(cut(0, b"12345"), b"");
}

#[test]
fn after_the_cut_nothing_comes() {
    let mut room = [0; 10];
    let mut out = Cut::new(&mut room);
    for text in ["12345678", "90", "a", ""] {
        out.write_str(text).unwrap();
    }
    assert_eq!(out.finish(), b"12345%...\0");
}

proptest! {
    #[test]
    fn whole_or_with_the_mark(text in prop::collection::vec(any::<u8>(), 0..40), room in 5..64_usize) {
        let whole = Escaped(&text).to_string();
        let got = cut(room, &text);
        let (nul, got) = got.split_last().unwrap();
        prop_assert_eq!(*nul, 0);
        prop_assert!(got.len() < room && !got.contains(&0));
        if whole.len() < room {
            prop_assert_eq!(got, whole.as_bytes());
        } else {
            let start = got.strip_suffix(MARK).unwrap();
            let mut bytes = [0; 64];
            prop_assert!(text.starts_with(unescape(start, &mut bytes).unwrap()));
            // No more than an escape is missing.
            prop_assert!(start.len() + 3 + MARK.len() + 1 > room);
        }
    }
}
