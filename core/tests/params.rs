// SPDX-License-Identifier: GPL-2.0

//! Tables and messages: what is taken, what is refused and in which words.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::params::{
    Change,
    Fault,
    Mistake,
    Params,
    Pattern,
    Text,
    What, //
};
use proptest::prelude::*;

fn words(line: &str) -> Vec<&[u8]> {
    line.split_ascii_whitespace().map(str::as_bytes).collect()
}

fn table(line: &str) -> Result<Params, Mistake<'_>> {
    Params::parse(words(line))
}

fn message(line: &str) -> Result<Change, Mistake<'_>> {
    Change::parse(words(line))
}

fn text<const N: usize>(bytes: &[u8]) -> Text<N> {
    Text::new(bytes).unwrap()
}

/// What a table prints, parsed again after its count was checked.
fn again(params: &Params) -> Params {
    let printed = params.to_string();
    let (count, rest) = printed.split_once(' ').unwrap();
    assert_eq!(count.parse(), Ok(words(rest).len()), "{printed}");
    table(rest).unwrap()
}

#[test]
fn texts_hold_at_most_their_size() {
    assert_eq!(Text::<2>::new(b"").unwrap().as_bytes(), b"");
    assert_eq!(Text::<2>::new(b"ab").unwrap().as_bytes(), b"ab");
    assert_eq!(Text::<2>::new(b"abc"), None);
    assert_eq!(text::<4>(b"a b").to_string(), "a%20b");
    assert_eq!(format!("{:?}", text::<4>(b"a b")), "Text(a%20b)");
}

#[test]
fn a_key_stands_for_its_bytes() {
    let params = table("pattern_key imgrement:none log off").unwrap();
    assert_eq!(
        params.to_string(),
        "10 pattern_key imgrement:none data on log off log_rate 1000 records 2048"
    );
    assert_eq!(again(&params), params);
    let pattern = params.pattern.unwrap();
    assert_eq!(pattern.shown(), b"imgrement:none");

    for (fault, line) in [
        (Fault::NoKey, "no such key"),
        (Fault::KeyTooLong, "the key is too long"),
    ] {
        let mistake = Mistake::of_pattern(&pattern, fault);
        assert_eq!(
            mistake.to_string(),
            format!("pattern_key imgrement:none: {line}; allowed: {PATTERN_KEY}")
        );
        assert_eq!(mistake.what.sentence(), c"Invalid pattern_key");
    }
}

#[test]
fn no_words_are_the_defaults() {
    let params = table("").unwrap();
    assert_eq!(params, Params::default());
    assert_eq!(
        params.to_string(),
        "10 pattern DAMN data on log on log_rate 1000 records 2048"
    );
}

#[test]
fn all_arguments_in_any_order() {
    let params = table("label a%20b records 1 log_rate 0 log off data off pattern x").unwrap();
    assert_eq!(
        params,
        Params {
            pattern: Some(Pattern::Text(text(b"x"))),
            data: false,
            log: false,
            log_rate: 0,
            records: 1,
            label: Some(text(b"a b")),
        }
    );
    assert_eq!(
        params.to_string(),
        "12 pattern x data off log off log_rate 0 records 1 label a%20b"
    );
    assert_eq!(again(&params), params);
}

#[test]
fn the_bounds_are_taken() {
    let params = table("log_rate 4294967295 records 65536").unwrap();
    assert_eq!((params.log_rate, params.records), (u32::MAX, 65_536));
    assert_eq!(table("log_rate 007").unwrap().log_rate, 7);

    let longest = "%41".repeat(64);
    let params = format!("pattern {longest} label {}", "l".repeat(32));
    assert_eq!(table(&params).unwrap().pattern.unwrap().shown(), [b'A'; 64]);
    let mark = format!("mark {}", "m".repeat(128));
    assert_eq!(message(&mark), Ok(Change::Mark(text(&[b'm'; 128]))));
}

#[test]
fn none_is_no_pattern_and_its_text_can_be_had() {
    assert_eq!(table("pattern none").unwrap().pattern, None);
    for word in ["%6Eone", "non%65", "%6e%6f%6e%65"] {
        let line = format!("pattern {word}");
        let params = table(&line).unwrap();
        assert_eq!(params.pattern, Some(Pattern::Text(text(b"none"))));
        assert_eq!(
            params.to_string(),
            "10 pattern %6Eone data on log on log_rate 1000 records 2048"
        );
        assert_eq!(again(&params), params);
    }
}

#[test]
fn every_message() {
    let cases = [
        (
            "pattern a%00",
            Change::Pattern(Some(Pattern::Text(text(b"a\0")))),
        ),
        ("pattern none", Change::Pattern(None)),
        (
            "pattern_key imgrement:a%20b",
            Change::Pattern(Some(Pattern::Key(text(b"imgrement:a b")))),
        ),
        (
            "pattern %6Eone",
            Change::Pattern(Some(Pattern::Text(text(b"none")))),
        ),
        ("data on", Change::Data(true)),
        ("data off", Change::Data(false)),
        ("log on", Change::Log(true)),
        ("log off", Change::Log(false)),
        ("log_rate 0", Change::LogRate(0)),
        ("reset", Change::Reset),
        ("mark here%20it%20is", Change::Mark(text(b"here it is"))),
        ("mark none", Change::Mark(text(b"none"))),
    ];
    for (line, change) in cases {
        assert_eq!(message(line), Ok(change), "{line}");
    }
}

const ARGUMENTS: &str =
    "pattern TEXT|none, pattern_key NAME, data on|off, log on|off, log_rate N, records N, label TEXT";
const MESSAGES: &str =
    "pattern TEXT|none, pattern_key NAME, data on|off, log on|off, log_rate N, reset, mark TEXT";
const PATTERN: &str = "1 to 64 bytes, %HH for what is not plain; or none";
const PATTERN_KEY: &str =
    "the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 64 bytes";
const LABEL: &str = "1 to 32 bytes, %HH for what is not plain";
const MARK: &str = "1 to 128 bytes, %HH for what is not plain";
const SWITCH: &str = "on or off";
const RATE: &str = "a whole number from 0 to 4294967295, 0 for no limit";
const RECORDS: &str = "a whole number from 1 to 65536";

/// Checks dm's sentence and our line.
fn refused<T: core::fmt::Debug>(result: Result<T, Mistake<'_>>, sentence: &str, line: &str) {
    let mistake = result.expect_err(line);
    assert_eq!(mistake.what.sentence().to_str(), Ok(sentence), "{line}");
    assert_eq!(mistake.to_string(), line);
    assert!(line.contains(mistake.what.what()) && line.ends_with(mistake.what.allowed()));
}

#[test]
fn every_mistake_in_a_table() {
    let (p65, l33) = ("p".repeat(65), "l".repeat(33));
    let cases = [
        (
            "foo 1",
            "Unknown argument",
            "foo: unknown argument",
            ARGUMENTS,
        ),
        (
            "data on%",
            "Invalid data",
            "data on%25: neither on nor off",
            SWITCH,
        ),
        (
            "Pattern x",
            "Unknown argument",
            "Pattern: unknown argument",
            ARGUMENTS,
        ),
        (
            "reset",
            "Unknown argument",
            "reset: unknown argument",
            ARGUMENTS,
        ),
        (
            "mark x",
            "Unknown argument",
            "mark: unknown argument",
            ARGUMENTS,
        ),
        (
            "a\\\u{1} 1",
            "Unknown argument",
            "a%5C%01: unknown argument",
            ARGUMENTS,
        ),
        (
            "log on log on",
            "Argument given twice",
            "log: given twice",
            "each argument once",
        ),
        (
            "label a label",
            "Argument given twice",
            "label: given twice",
            "each argument once",
        ),
        (
            "pattern x pattern_key a:b",
            "Argument given twice",
            "pattern_key: given twice",
            "one pattern or pattern_key",
        ),
        (
            "pattern_key",
            "Missing value",
            "pattern_key: its value is missing",
            PATTERN_KEY,
        ),
        (
            "pattern_key a:%4",
            "Invalid pattern_key",
            "pattern_key a:%254: bad escape",
            PATTERN_KEY,
        ),
        (
            "pattern",
            "Missing value",
            "pattern: its value is missing",
            PATTERN,
        ),
        (
            "data on log",
            "Missing value",
            "log: its value is missing",
            SWITCH,
        ),
        (
            "log_rate",
            "Missing value",
            "log_rate: its value is missing",
            RATE,
        ),
        (
            "records",
            "Missing value",
            "records: its value is missing",
            RECORDS,
        ),
        (
            "label",
            "Missing value",
            "label: its value is missing",
            LABEL,
        ),
        (
            "pattern %4",
            "Invalid pattern",
            "pattern %254: bad escape",
            PATTERN,
        ),
        (
            "pattern %zz",
            "Invalid pattern",
            "pattern %25zz: bad escape",
            PATTERN,
        ),
        ("label x%", "Invalid label", "label x%25: bad escape", LABEL),
        (
            "data ON",
            "Invalid data",
            "data ON: neither on nor off",
            SWITCH,
        ),
        ("log 1", "Invalid log", "log 1: neither on nor off", SWITCH),
        (
            "log_rate x",
            "Invalid log_rate",
            "log_rate x: not a whole number",
            RATE,
        ),
        (
            "log_rate 12x",
            "Invalid log_rate",
            "log_rate 12x: not a whole number",
            RATE,
        ),
        (
            "log_rate +1",
            "Invalid log_rate",
            "log_rate +1: not a whole number",
            RATE,
        ),
        (
            "log_rate -1",
            "Invalid log_rate",
            "log_rate -1: not a whole number",
            RATE,
        ),
        (
            "log_rate 0x10",
            "Invalid log_rate",
            "log_rate 0x10: not a whole number",
            RATE,
        ),
        (
            "log_rate 4294967296",
            "Invalid log_rate",
            "log_rate 4294967296: out of range",
            RATE,
        ),
        (
            "log_rate 99999999999999999999999999",
            "Invalid log_rate",
            "log_rate 99999999999999999999999999: out of range",
            RATE,
        ),
        (
            "records 0",
            "Invalid records",
            "records 0: out of range",
            RECORDS,
        ),
        (
            "records 65537",
            "Invalid records",
            "records 65537: out of range",
            RECORDS,
        ),
        (
            "records 1e3",
            "Invalid records",
            "records 1e3: not a whole number",
            RECORDS,
        ),
        (
            &format!("pattern {p65}"),
            "Invalid pattern",
            &format!("pattern {p65}: too long"),
            PATTERN,
        ),
        (
            &format!("label {l33}"),
            "Invalid label",
            &format!("label {l33}: too long"),
            LABEL,
        ),
    ];
    for (line, sentence, what, allowed) in cases {
        refused(
            table(line),
            sentence,
            &format!("{what}; allowed: {allowed}"),
        );
    }
}

#[test]
fn every_mistake_in_a_message() {
    let m129 = "m".repeat(129);
    let one = "one value, %20 for a space";
    let cases = [
        ("", "Empty message", "the message is empty", MESSAGES),
        ("foo", "Unknown message", "foo: unknown message", MESSAGES),
        (
            "records 5",
            "Set by the table only",
            "records: set by the table only",
            MESSAGES,
        ),
        (
            "label x",
            "Set by the table only",
            "label: set by the table only",
            MESSAGES,
        ),
        (
            "label",
            "Set by the table only",
            "label: set by the table only",
            MESSAGES,
        ),
        ("mark", "Missing value", "mark: its value is missing", MARK),
        (
            "pattern",
            "Missing value",
            "pattern: its value is missing",
            PATTERN,
        ),
        (
            "reset now",
            "Too many words",
            "reset now: one word too many",
            "reset alone",
        ),
        (
            "mark a b",
            "Too many words",
            "mark b: one word too many",
            one,
        ),
        (
            "log off on",
            "Too many words",
            "log on: one word too many",
            one,
        ),
        ("mark %", "Invalid mark", "mark %25: bad escape", MARK),
        (
            "log maybe",
            "Invalid log",
            "log maybe: neither on nor off",
            SWITCH,
        ),
        (
            "data maybe",
            "Invalid data",
            "data maybe: neither on nor off",
            SWITCH,
        ),
        (
            "log_rate -5",
            "Invalid log_rate",
            "log_rate -5: not a whole number",
            RATE,
        ),
        (
            &format!("mark {m129}"),
            "Invalid mark",
            // More than 128 bytes of a word are not printed.
            &format!("mark {}...: too long", "m".repeat(128)),
            MARK,
        ),
    ];
    for (line, sentence, what, allowed) in cases {
        refused(
            message(line),
            sentence,
            &format!("{what}; allowed: {allowed}"),
        );
    }
}

/// dm splits no empty words off a line, but a caller may have one.
#[test]
fn empty_words() {
    let table = |name: &'static str| Params::parse([name.as_bytes(), b""]);
    let message = |name: &'static str| Change::parse([name.as_bytes(), b""]);
    refused(
        table("pattern"),
        "Invalid pattern",
        &format!("pattern empty; allowed: {PATTERN}"),
    );
    refused(
        table("label"),
        "Invalid label",
        &format!("label empty; allowed: {LABEL}"),
    );
    refused(
        table("records"),
        "Invalid records",
        &format!("records not a whole number; allowed: {RECORDS}"),
    );
    refused(
        message("mark"),
        "Invalid mark",
        &format!("mark empty; allowed: {MARK}"),
    );
    assert_eq!(
        Params::parse([&b""[..]]).unwrap_err().what,
        What::UnknownArgument
    );
}

#[test]
fn a_hostile_word_leaves_room_for_what_is_allowed() {
    let word = vec![0xff; 16_000];
    let line = Params::parse([&word[..]]).unwrap_err().to_string();
    assert!(line.len() < 600, "{}", line.len());
    assert!(line.ends_with(ARGUMENTS));
}

fn params() -> impl Strategy<Value = Params> {
    let bytes = |max| prop::collection::vec(any::<u8>(), 1..=max);
    (
        prop::option::of((
            prop_oneof![9 => bytes(64), 1 => Just(b"none".to_vec())],
            any::<bool>(),
        )),
        any::<bool>(),
        any::<bool>(),
        any::<u32>(),
        1..=65_536_u32,
        prop::option::of(bytes(32)),
    )
        .prop_map(|(pattern, data, log, log_rate, records, label)| Params {
            pattern: pattern.map(|(bytes, is_key)| {
                if is_key {
                    Pattern::Key(text(&bytes))
                } else {
                    Pattern::Text(text(&bytes))
                }
            }),
            data,
            log,
            log_rate,
            records,
            label: label.map(|bytes| text(&bytes)),
        })
}

proptest! {
    #[test]
    fn what_is_printed_is_parsed_to_the_same(params in params()) {
        prop_assert_eq!(again(&params), params);
    }

    #[test]
    fn no_words_panic(
        words in prop::collection::vec(
            prop_oneof![
                prop::sample::select(&[
                    "pattern", "data", "log", "log_rate", "records", "label", "reset", "mark",
                    "on", "off", "none", "1", "%",
                ][..]).prop_map(|word| word.as_bytes().to_vec()),
                prop::collection::vec(any::<u8>(), 0..200),
            ],
            0..8,
        )
    ) {
        let table = Params::parse(words.iter().map(Vec::as_slice));
        let message = Change::parse(words.iter().map(Vec::as_slice));
        for mistake in table.err().into_iter().chain(message.err()) {
            let line = mistake.to_string();
            prop_assert!(line.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
            prop_assert!(!mistake.what.sentence().is_empty());
        }
    }
}
