// SPDX-License-Identifier: GPL-2.0

//! Escapes.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::bytes::word::{
    unescape,
    Escaped,
    Typed,
    UnescapeError, //
};
use proptest::prelude::*;

#[test]
fn bytes_that_are_not_plain_are_escaped() {
    let cases: [(&[u8], &str); 7] = [
        (b"", ""),
        (b"DAMN", "DAMN"),
        (b"!~", "!~"),
        (b"a b", "a%20b"),
        (b"100%", "100%25"),
        (b"C:\\", "C:%5C"),
        (b"\0\n\x7f\x80\xff", "%00%0A%7F%80%FF"),
    ];
    for (bytes, text) in cases {
        assert_eq!(Escaped(bytes).to_string(), text);
    }
}

#[test]
fn a_wrong_word_is_shown_as_it_was_typed() {
    let cases: [(&[u8], &str); 6] = [
        (b"", ""),
        (b"100%", "100%"),
        (b"100%25", "100%25"),
        (b"C:\\#!~", "C:\\#!~"),
        (b"a b", "a%20b"),
        (b"\0\n\x1b\x7f\x80\xff", "%00%0A%1B%7F%80%FF"),
    ];
    for (bytes, text) in cases {
        assert_eq!(Typed(bytes).to_string(), text);
    }
}

#[test]
fn every_word_is_read_or_refused() {
    type Case = (&'static [u8], Result<&'static [u8], UnescapeError>);
    let cases: [Case; 12] = [
        (b"", Ok(b"")),
        (b"abcd", Ok(b"abcd")),
        (b"%41%42", Ok(b"AB")),
        (b"%2f%2F", Ok(b"//")),
        (b"\\\xff", Ok(b"\\\xff")),
        (b"%25HH", Ok(b"%HH")),
        (b"abcde", Err(UnescapeError::TooLong)),
        (b"abcd%20", Err(UnescapeError::TooLong)),
        (b"%", Err(UnescapeError::BadEscape)),
        (b"a%4", Err(UnescapeError::BadEscape)),
        (b"%4g", Err(UnescapeError::BadEscape)),
        (b"%+4", Err(UnescapeError::BadEscape)),
    ];
    for (word, result) in cases {
        assert_eq!(unescape(word, &mut [0; 4]), result, "{}", Escaped(word));
    }
}

proptest! {
    #[test]
    fn unescape_is_the_inverse(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
        let word = Escaped(&bytes).to_string();
        prop_assert!(word.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'\\'));
        let mut room = [0; 100];
        prop_assert_eq!(unescape(word.as_bytes(), &mut room), Ok(&bytes[..]));
    }

    #[test]
    fn no_word_and_no_room_panics(
        word in prop::collection::vec(prop_oneof![Just(b'%'), any::<u8>()], 0..100),
        room in 0_usize..100,
    ) {
        let _ = unescape(&word, &mut vec![0; room]);
    }
}
