// SPDX-License-Identifier: GPL-2.0

//! The words of a message: read as the README has it, or refused at the first wrong word.

#![no_main]

use imgrement_core::params::{
    Change,
    Key,
    Pattern,
    What, //
};
use imgrement_fuzz::{
    check_mistake,
    key,
    value,
    words,
    Value, //
};
use libfuzzer_sys::fuzz_target;

/// A name and its value.
type Said = (Key, Option<Value>);

/// Reads a message, or the first wrong word.
fn read<'a>(words: &[&'a [u8]]) -> Result<Said, (&'a [u8], What)> {
    let [name, values @ ..] = words else {
        return Err((b"", What::NoMessage));
    };
    let known = match key(name) {
        None => return Err((name, What::UnknownMessage)),
        Some(known @ (Key::Records | Key::Label)) => return Err((name, What::TableOnly(known))),
        Some(known) => known,
    };
    match (known, values) {
        (Key::Reset, []) => Ok((known, None)),
        (Key::Reset, [extra, ..]) | (_, [_, extra, ..]) => Err((extra, What::Extra(known))),
        (_, []) => Err((name, What::Missing(known))),
        (_, [word]) => match value(known, word) {
            Ok(value) => Ok((known, Some(value))),
            Err(fault) => Err((word, What::Value(known, fault))),
        },
    }
}

/// The same of what was parsed.
fn said(change: &Change) -> Said {
    let (key, value) = match change {
        Change::Pattern(None) => (Key::Pattern, Value::Nothing),
        Change::Pattern(Some(Pattern::Text(text))) => {
            (Key::Pattern, Value::Text(text.as_bytes().to_vec()))
        }
        Change::Pattern(Some(Pattern::Key(name))) => {
            (Key::PatternKey, Value::Text(name.as_bytes().to_vec()))
        }
        Change::Data(switch) => (Key::Data, Value::Switch(*switch)),
        Change::Log(switch) => (Key::Log, Value::Switch(*switch)),
        Change::LogRate(number) => (Key::LogRate, Value::Number(*number)),
        Change::Mark(text) => (Key::Mark, Value::Text(text.as_bytes().to_vec())),
        Change::Reset => return (Key::Reset, None),
    };
    (key, Some(value))
}

fuzz_target!(|input: &[u8]| {
    let words = words(input);

    match (Change::parse(words.iter().copied()), read(&words)) {
        (Ok(change), Ok(wanted)) => {
            assert_eq!(said(&change), wanted);

            // A text as it prints is the same text.
            let (name, printed) = match change {
                Change::Pattern(Some(Pattern::Text(text))) if text.as_bytes() != b"none" => {
                    ("pattern", text.to_string())
                }
                Change::Pattern(Some(Pattern::Key(name))) => ("pattern_key", name.to_string()),
                Change::Mark(text) => ("mark", text.to_string()),
                _ => return,
            };
            assert!(printed
                .bytes()
                .all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\'));
            assert_eq!(
                Change::parse([name.as_bytes(), printed.as_bytes()]),
                Ok(change)
            );
        }
        (Err(mistake), Err((word, what))) => check_mistake(&mistake, word, what),
        (parsed, wanted) => panic!("parsed: {parsed:?}, wanted: {wanted:?}"),
    }
});
