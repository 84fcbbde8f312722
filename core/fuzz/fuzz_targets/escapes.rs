// SPDX-License-Identifier: GPL-2.0

//! Escapes. Any bytes print as one plain word that decodes to them. Any word is read as by a slow and obvious reader,
//! into a buffer of any size. A log line with any text in it stays one line.

#![no_main]

use imgrement_core::{
    bytes::word::{
        unescape,
        Escaped,
        UnescapeError, //
    },
    log::lines::{
        Found,
        Line, //
    },
};
use imgrement_fuzz::{
    escape,
    Unescaped, //
};
use libfuzzer_sys::fuzz_target;

/// The content of the buffer before it is written to, and afterwards where nothing was written.
const UNTOUCHED: u8 = 0xa5;

/// Bytes print as a word that decodes to them.
fn check_escape(bytes: &[u8]) {
    let word = Escaped(bytes).to_string();
    assert_eq!(word, escape(bytes));
    assert!(word
        .bytes()
        .all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\'));

    let mut room = vec![0; bytes.len()];
    assert_eq!(unescape(word.as_bytes(), &mut room), Ok(bytes));
}

/// A word is read correctly. After a mistake, the buffer has what came before it.
fn check_unescape(word: &[u8], room: usize) {
    let mut out = vec![UNTOUCHED; room];
    let result = unescape(word, &mut out).map(<[u8]>::to_vec);

    let wanted = imgrement_fuzz::unescape(word, room);
    let bytes = match (&result, &wanted) {
        (Ok(bytes), Unescaped::Whole(wanted_bytes)) => {
            assert_eq!(bytes, wanted_bytes);
            // Nothing is lost or invented: a byte is typed as itself or as three.
            assert!(bytes.len() <= word.len() && word.len() <= 3 * bytes.len());
            // What it prints is read as the same again.
            let printed = Escaped(bytes).to_string();
            assert_eq!(imgrement_fuzz::unescape(printed.as_bytes(), room), wanted);
            wanted_bytes
        }
        (Err(UnescapeError::BadEscape), Unescaped::BadEscape(bytes))
        | (Err(UnescapeError::TooLong), Unescaped::TooLong(bytes)) => bytes,
        _ => panic!("{result:?}, wanted: {wanted:?}"),
    };
    assert_eq!(&out[..bytes.len()], &bytes[..]);
    assert!(out[bytes.len()..].iter().all(|&byte| byte == UNTOUCHED));
}

/// A line with a text in it is one line, begins with its label, and holds the text as a word.
fn check_lines(text: &[u8], label: &[u8]) {
    let found = Found {
        pattern: text,
        times: 3,
    };
    let lines = [
        (Line::Ready(text), "{} trace initialization succeeded"),
        (Line::FoundInPage(found), "Found {} from page 3 times"),
        (Line::FoundInDelta(found), "Found {} from deltas 3 times"),
        (Line::FoundAcross(found), "Found {} across deltas 3 times"),
        (Line::Mark(text), "mark: {}"),
    ];
    for (line, wanted) in lines {
        let wanted = wanted.replacen("{}", &escape(text), 1);
        let printed = line.labelled(Some(label)).to_string();
        assert_eq!(line.to_string(), wanted);
        assert_eq!(printed, format!("{}: {wanted}", escape(label)));
        assert!(printed
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\'));
    }
}

// The first byte is the size of the buffer, and how much of the rest is a label.
fuzz_target!(|input: &[u8]| {
    let Some((&room, word)) = input.split_first() else {
        return;
    };
    let (label, text) = word.split_at(word.len().min(usize::from(room)));

    check_escape(word);
    check_unescape(word, usize::from(room));
    check_unescape(word, word.len());
    check_lines(text, label);
});
