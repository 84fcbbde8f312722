// SPDX-License-Identifier: GPL-2.0

//! Tables and messages: what is accepted, what is refused, and with which words.

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
mod reference;

use common::Std;
use imgrement_core::{
    config::{
        arguments::{
            Argument,
            Given,
            Params,
            Setting, //
        },
        fault::Fault,
        history::{
            Base,
            Slow, //
        },
        keyword::Keyword,
        message::Change,
        mistake::{
            Mistake,
            MistakeKind, //
        },
        pattern::{
            Pattern,
            Patterns, //
        },
        table::{
            Refusal,
            Table, //
        },
        text::Text,
        values::Kind,
        Ops, //
    },
    record::Op, //
};
use proptest::prelude::*;

fn words(line: &str) -> Vec<&[u8]> {
    line.split_ascii_whitespace().map(str::as_bytes).collect()
}

fn parse<'a>(words: &[&'a [u8]]) -> Result<Table<Std>, Mistake<'a>> {
    Table::parse(words.iter().copied()).map_err(|refusal| match refusal {
        Refusal::Mistake(mistake) => mistake,
        Refusal::Memory(never) => match never {},
    })
}

fn table(line: &str) -> Result<Table<Std>, Mistake<'_>> {
    parse(&words(line))
}

fn message(line: &str) -> Result<Change<'static>, Mistake<'_>> {
    message_of(words(line))
}

fn message_of<'a>(
    words: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Change<'static>, Mistake<'a>> {
    // Earlier content does not matter.
    let mut room = table("pattern before name before nocase").unwrap().patterns;
    let room = room.iter_mut().next().copied().map(Box::new).unwrap();
    Change::parse(words, Box::leak(room))
}

/// A pattern of these words of a table.
fn pattern_of(line: &str) -> &'static Pattern {
    Box::leak(Box::new(only(&table(line).unwrap())))
}

fn text<const N: usize>(bytes: &[u8]) -> Text<N> {
    Text::new(bytes).unwrap()
}

/// What a table prints. Checks the count, and that it makes the same table again, but no new log.
fn printed(table: &Table<Std>) -> String {
    let printed = Table::line(&table.patterns, &table.params).to_string();
    let (count, rest) = printed.split_once(' ').unwrap();
    assert_eq!(count.parse(), Ok(words(rest).len()), "{printed}");

    let again = self::table(rest).unwrap();
    assert_eq!(again.patterns.as_slice(), table.patterns.as_slice());
    let history_new = false;
    assert_eq!(
        again.params,
        Params {
            history_new,
            ..table.params
        }
    );
    printed
}

/// The only pattern.
fn only(table: &Table<Std>) -> Pattern {
    let [pattern] = table.patterns.as_slice() else {
        panic!("{:?}", table.patterns.as_slice());
    };
    *pattern
}

/// What a table prints: patterns, and all settings; those in `set` do not have their defaults. Those of a history only
/// print if it is among them, and `history_new` never does.
fn table_line(patterns: &str, set: &str) -> String {
    let set: Vec<_> = set.split_ascii_whitespace().collect();
    let value = |name| {
        set.chunks(2)
            .find(|pair| pair[0] == name)
            .map(|pair| pair[1])
    };
    let mut line = patterns.to_owned();

    for row in reference::settings() {
        if row.of_history && value("history").is_none() || row.name == "history_new" {
            continue;
        }
        if let Some(value) = value(row.name).or(row.default) {
            line.push_str(&format!(" {} {value}", row.name));
        }
    }
    format!("{} {line}", words(&line).len())
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
fn a_key_gives_the_bytes() {
    let table = table("pattern_key imgrement:none log off").unwrap();
    assert_eq!(
        printed(&table),
        table_line("pattern_key imgrement:none", "log off")
    );
    let mut pattern = only(&table);
    assert_eq!(pattern.shown(), b"imgrement:none");
    let (name, bytes) = pattern.unread_key().unwrap();
    assert_eq!(name.as_bytes(), b"imgrement:none");
    assert_eq!(bytes.fill(|_| Err(-1)), Err(-1));
    bytes
        .fill(|room| {
            assert_eq!(room.len(), 255);
            room.fill(b'x');
            room[..7].copy_from_slice(b"hunter2");
            Ok::<_, ()>(7)
        })
        .unwrap();
    // The rest of the earlier content is gone.
    assert_eq!(*bytes, text(b"hunter2"));
    assert_eq!(pattern.bytes(), b"hunter2");
    assert!(pattern.unread_key().is_none());
    // Nothing shows the key's content.
    assert_eq!(pattern.to_string(), "pattern_key imgrement:none");
    assert_eq!(
        format!("{pattern:?}"),
        "Pattern(pattern_key imgrement:none)"
    );

    for (fault, line) in [
        (Fault::NoKey, "no such key"),
        (Fault::KeyTooLong, "the key is too long"),
    ] {
        let mut named = pattern;
        named.set_name(b"n").unwrap();
        for pattern in [pattern, named] {
            let mistake = Mistake::of_pattern(&pattern, fault);
            assert_eq!(
                mistake.to_string(),
                format!("pattern_key imgrement:none: {line}; allowed: {PATTERN_KEY}")
            );
            assert_eq!(mistake.kind.sentence(), c"Invalid pattern_key");
        }
    }
}

#[test]
fn no_words_are_the_defaults() {
    let table = table("").unwrap();
    assert_eq!(table.params, Params::default());
    assert_eq!(only(&table).bytes(), b"DAMN");
    assert_eq!(printed(&table), table_line("pattern DAMN", ""));
}

#[test]
#[allow(clippy::needless_update, reason = "there may be more arguments")]
fn all_arguments_in_any_order() {
    let table = table(
        "label a%20b edges 65536 records 1 places on log_rate 0 log_lines 7 log off ops read data off pattern x \
         base durable history_new on history_slow gap history_timeout 3600 history %2fdev/sdb history_buffer 256",
    )
    .unwrap();
    assert_eq!(
        table.params,
        Params {
            ops: Ops {
                read: true,
                write: false
            },
            data: false,
            log: false,
            log_rate: 0,
            log_lines: 7,
            places: true,
            edges: 65_536,
            records: 1,
            label: Some(text(b"a b")),
            history: Some(text(b"/dev/sdb")),
            base: Base::Durable,
            history_slow: Slow::Gap,
            history_timeout: 3600,
            history_buffer: 256,
            history_new: true,
            ..Params::default()
        }
    );
    assert_eq!(
        printed(&table),
        table_line(
            "pattern x",
            "ops read data off log off log_rate 0 log_lines 7 places on edges 65536 records 1 label a%20b \
             history /dev/sdb base durable history_slow gap history_timeout 3600 history_buffer 256"
        )
    );
}

/// The line that makes the same target again must not erase its log.
#[test]
fn a_new_log_is_made_once() {
    let table = table("history_new on history /dev/sdb").unwrap();
    assert!(table.params.history_new);
    let printed = printed(&table);
    assert_eq!(printed, table_line("pattern DAMN", "history /dev/sdb"));
    assert!(!printed.contains("history_new"), "{printed}");
    // But it has a value, which a help may print.
    let value = |table: &Table<Std>| {
        table
            .params
            .value(Argument::HistoryNew)
            .unwrap()
            .to_string()
    };
    assert_eq!(value(&table), "on");
}

/// Once the log device is open, its number replaces its path.
#[test]
fn the_log_device_can_be_replaced() {
    let mut table = table("history /dev/sdb").unwrap();
    table.params.set(Setting::History(Text::new(b"8:16")));
    assert_eq!(printed(&table), table_line("pattern DAMN", "history 8:16"));
}

/// Without a history, none of its arguments is taken.
#[test]
fn arguments_of_no_history() {
    let mut count = 0;
    for row in reference::settings().filter(|row| row.of_history) {
        let (name, value) = (row.name, &row.right()[0]);
        let line = format!("{name}: {NO_HISTORY}");
        refused(table(&format!("{name} {value}")), "No history", &line);
        count += 1;
    }
    assert_eq!(count, 5);

    // The first of them is named; but a wrong word comes before.
    let line = format!("history_buffer: {NO_HISTORY}");
    refused(
        table("pattern x history_buffer 256 base off"),
        "No history",
        &line,
    );
    let wrong = "base: its value is missing; allowed: on, off or durable";
    refused(table("history_buffer 256 base"), "Missing value", wrong);

    // The same goes for messages. Only the target knows whether it has a history.
    for (line, name) in [
        ("history_slow gap", Some("history_slow")),
        ("history_timeout 1", Some("history_timeout")),
        ("history stop", Some("history")),
        ("history next 8:0", Some("history")),
        ("log off", None),
        ("pattern x", None),
        ("pattern add x y", None),
        ("pattern del x", None),
        ("pattern list", None),
        ("reset", None),
        ("mark x", None),
    ] {
        let mistake = message(line).unwrap().without_history();
        let said = mistake.map(|mistake| mistake.to_string());
        let wanted = name.map(|name| format!("{name}: {NO_HISTORY}"));
        assert_eq!(said, wanted, "{line}");
        if let Some(mistake) = mistake {
            assert_eq!(mistake.kind.sentence(), c"No history");
        }
    }
}

#[test]
fn ops() {
    for (word, read, write) in [
        ("read", true, false),
        ("write", false, true),
        ("read,write", true, true),
    ] {
        let line = format!("ops {word}");
        let there = table(&line).unwrap().params.ops;
        assert_eq!(there, Ops { read, write });
        assert_eq!(message(&line), Ok(Change::Set(Setting::Ops(there))));
        assert_eq!(there.contain(Op::Read), read);
        assert_eq!(there.contain(Op::Write), write);
        assert_eq!(there.contain(Op::ZoneAppend), write);
        assert!(!there.contain(Op::Discard));
    }
}

#[test]
fn many_patterns() {
    let line = "pattern a pattern b name x data off nocase pattern_key k:1 name key nocase pattern c nocase name y";
    // A word about a pattern directly follows it.
    assert!(table("pattern a data off nocase").is_ok());
    let table = table(line).unwrap();
    let patterns: Vec<_> = table.patterns.iter().map(Pattern::to_string).collect();
    assert_eq!(
        patterns,
        [
            "pattern a",
            "pattern b name x nocase",
            "pattern_key k:1 name key nocase",
            "pattern c name y nocase"
        ]
    );
    let shown: Vec<_> = table.patterns.iter().map(Pattern::shown).collect();
    assert_eq!(shown, [&b"a"[..], b"x", b"key", b"y"]);
    assert_eq!(
        printed(&table),
        table_line(
            "pattern a pattern b name x nocase pattern_key k:1 name key nocase pattern c name y nocase",
            "data off"
        )
    );
    // A value with the name of a keyword is no pattern.
    let table = self::table("label pattern pattern pattern name pattern").unwrap();
    assert_eq!(only(&table).to_string(), "pattern pattern name pattern");

    let many = |count: u32| -> String { (0..count).map(|n| format!("pattern {n} ")).collect() };
    assert_eq!(self::table(&many(256)).unwrap().patterns.len(), 256);
    printed(&self::table(&many(256)).unwrap());
}

#[test]
fn names_differ() {
    for (line, index, fault) in [
        ("pattern a pattern a", 1, Fault::NameTaken),
        ("pattern a pattern b name a", 1, Fault::NameTaken),
        (
            "pattern a name x pattern b pattern c name x",
            2,
            Fault::NameTaken,
        ),
        ("pattern_key a:b pattern c pattern a:b", 2, Fault::NameTaken),
    ] {
        assert_eq!(
            table(line).unwrap().patterns.check(),
            Err((index, fault)),
            "{line}"
        );
    }
    for line in [
        "pattern a name b pattern b name a",
        "pattern a pattern A",
        "pattern none",
    ] {
        assert_eq!(table(line).unwrap().patterns.check(), Ok(()), "{line}");
    }

    let pattern = only(&table("pattern a%20b name x").unwrap());
    for (fault, line) in [
        (Fault::NameTaken, "another pattern has this name; allowed: each name once; of a pattern without one, its text"),
        (Fault::Same, "another pattern has the same text; allowed: each text once"),
        (Fault::TooMany, "one pattern too many; allowed: 256 patterns at most"),
    ] {
        let mistake = Mistake::of_pattern(&pattern, fault);
        assert_eq!(mistake.to_string(), format!("pattern x: {line}"));
        assert_eq!(mistake.kind.sentence(), c"Invalid pattern");
    }
    assert_eq!(
        Mistake::no_pattern(b"a b").to_string(),
        "del a%20b: no such pattern; allowed: a name as pattern list prints it"
    );
}

#[test]
fn one_pattern_replaces_others() {
    let list = table("pattern a name x pattern b pattern c")
        .unwrap()
        .patterns;
    let slots = |list: &Patterns<Std>| -> Vec<_> {
        list.iter()
            .map(|pattern| (pattern.shown().to_vec(), pattern.slot()))
            .collect()
    };
    let a = |name: &[u8], slot| (name.to_vec(), slot);
    assert_eq!(slots(&list), [a(b"x", 0), a(b"b", 1), a(b"c", 2)]);

    // Each keeps its slot, and a new one gets a slot that no earlier one has.
    let d = pattern_of("pattern d");
    let more = list.with(d).unwrap();
    assert_eq!(
        slots(&more),
        [a(b"x", 0), a(b"b", 1), a(b"c", 2), a(b"d", 3)]
    );
    let less = more.without(b"b").unwrap().unwrap();
    assert_eq!(slots(&less), [a(b"x", 0), a(b"c", 2), a(b"d", 3)]);
    assert!(less.without(b"a").unwrap().is_none());
    assert_eq!(
        slots(&less.with(pattern_of("pattern e")).unwrap())[3],
        a(b"e", 1)
    );
    assert_eq!(slots(&less.replaced(Some(d)).unwrap()), [a(b"d", 1)]);
    assert_eq!(slots(&less.copied().unwrap()), slots(&less));
    let none = less.replaced(None).unwrap();
    assert!(none.is_empty() && none.check().is_ok());
    assert_eq!(none.to_string(), "pattern none");

    // One more than can be searched for can be told apart.
    let all: String = (0..256).map(|n| format!("pattern {n} ")).collect();
    let all = table(&all).unwrap().patterns;
    assert_eq!(slots(&all.replaced(Some(d)).unwrap()), [a(b"d", 256)]);
    let one_more = all.with(d).unwrap();
    assert_eq!(one_more.len(), 257);
    assert_eq!(one_more.check(), Err((256, Fault::TooMany)));
}

#[test]
fn the_bounds_are_accepted() {
    let params = table("log_rate 4294967295 records 65536").unwrap().params;
    assert_eq!((params.log_rate, params.records), (u32::MAX, 65_536));
    assert_eq!(table("log_rate 007").unwrap().params.log_rate, 7);
    assert_eq!(table("edges 0").unwrap().params.edges, 0);

    let (longest, name) = ("%41".repeat(255), "n".repeat(64));
    let line = format!("pattern {longest} name {name} label {}", "l".repeat(32));
    let table = table(&line).unwrap();
    assert_eq!(only(&table).bytes(), [b'A'; 255]);
    printed(&table);
    let mark = format!("mark {}", "m".repeat(128));
    assert_eq!(message(&mark), Ok(Change::Mark(&[b'm'; 128])));
}

#[test]
fn none_is_no_pattern_but_its_text_can_be_one() {
    let none = table("pattern none").unwrap();
    assert!(none.patterns.is_empty());
    assert_eq!(printed(&none), table_line("pattern none", ""));
    for word in ["%6Eone", "non%65", "%6e%6f%6e%65"] {
        let line = format!("pattern {word}");
        let table = table(&line).unwrap();
        assert_eq!(only(&table).bytes(), b"none");
        assert_eq!(printed(&table), table_line("pattern %6Eone", ""));
    }
}

#[test]
fn every_message() {
    let cases = [
        (
            "pattern a%00",
            Change::Pattern(Some(pattern_of("pattern a%00"))),
        ),
        (
            "pattern a nocase",
            Change::Pattern(Some(pattern_of("pattern a nocase"))),
        ),
        ("pattern none", Change::Pattern(None)),
        (
            "pattern %6Eone",
            Change::Pattern(Some(pattern_of("pattern non%65"))),
        ),
        (
            "pattern %61dd",
            Change::Pattern(Some(pattern_of("pattern add"))),
        ),
        (
            "pattern %6cist",
            Change::Pattern(Some(pattern_of("pattern list"))),
        ),
        ("pattern list", Change::List),
        (
            "pattern add x y",
            Change::Add(pattern_of("pattern y name x")),
        ),
        (
            "pattern add none list nocase",
            Change::Add(pattern_of("pattern list nocase name none")),
        ),
        ("pattern del a%20b", Change::Del(b"a b")),
        (
            "pattern_key imgrement:a%20b",
            Change::Pattern(Some(pattern_of("pattern_key imgrement:a%20b"))),
        ),
        (
            "pattern_key a:b nocase",
            Change::Pattern(Some(pattern_of("pattern_key a:b nocase"))),
        ),
        (
            "pattern_key add a:b",
            Change::Add(pattern_of("pattern_key a:b")),
        ),
        (
            "pattern_key add a:b nocase",
            Change::Add(pattern_of("pattern_key a:b nocase")),
        ),
        ("places on", Change::Set(Setting::Places(true))),
        ("places off", Change::Set(Setting::Places(false))),
        ("data on", Change::Set(Setting::Data(true))),
        ("data off", Change::Set(Setting::Data(false))),
        ("log on", Change::Set(Setting::Log(true))),
        ("log off", Change::Set(Setting::Log(false))),
        ("log_rate 0", Change::Set(Setting::LogRate(0))),
        ("log_lines 5", Change::Set(Setting::LogLines(5))),
        ("reset", Change::Reset),
        ("mark here%20it%20is", Change::Mark(b"here it is")),
        ("mark none", Change::Mark(b"none")),
        ("history stop", Change::HistoryStop),
        ("history next %2Fdev/sdb", Change::HistoryNext(b"/dev/sdb")),
        ("history next stop", Change::HistoryNext(b"stop")),
        (
            "history_slow wait",
            Change::Set(Setting::HistorySlow(Slow::Wait)),
        ),
        ("history_timeout 1", Change::Set(Setting::HistoryTimeout(1))),
    ];
    for (line, change) in cases {
        assert_eq!(message(line), Ok(change), "{line}");
    }
}

/// The list of arguments of a table.
fn arguments() -> String {
    let mut list = "pattern TEXT|none, pattern_key NAME, name NAME, nocase".to_owned();
    for row in reference::settings() {
        list.push_str(&format!(", {} {}", row.name, row.usage()));
    }
    list
}

/// The list of messages.
fn messages() -> String {
    let mut list = "pattern TEXT|none, pattern add NAME TEXT, pattern del NAME, pattern list, \
                    pattern_key NAME, pattern_key add NAME"
        .to_owned();
    for row in reference::settings().filter(|row| row.message) {
        list.push_str(&format!(", {} {}", row.name, row.usage()));
    }
    list + ", reset, mark TEXT, history stop, history next DEVICE"
}

const PATTERN: &str = "1 to 255 bytes, %HH for what is not plain; or none";
const PATTERN_KEY: &str =
    "the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 255 bytes";
const NAME: &str = "1 to 64 bytes, %HH for what is not plain";
const ADD: &str = "a name of 1 to 64 bytes and a text of 1 to 255, %HH for what is not plain";
const DEL: &str = "a name as pattern list prints it";
const ABOUT: &str = "after pattern TEXT or pattern_key NAME, name NAME and nocase once each";
const MARK: &str = "1 to 128 bytes, %HH for what is not plain";
const DEVICE: &str =
    "the path or major:minor of a block device, 1 to 128 bytes, %HH for what is not plain";
const NO_HISTORY: &str = "there is no history; allowed: with history DEVICE in the table";

/// Checks device-mapper's sentence and our line.
fn refused<T>(result: Result<T, Mistake<'_>>, sentence: &str, line: &str) {
    let Err(mistake) = result else {
        panic!("taken: {line}");
    };
    assert_eq!(mistake.kind.sentence().to_str(), Ok(sentence), "{line}");
    assert_eq!(mistake.to_string(), line);
    assert!(line.contains(mistake.kind.what()));
}

#[test]
fn every_mistake_in_a_table() {
    let (p256, n65) = ("p".repeat(256), "n".repeat(65));
    let arguments = arguments();
    let arguments = arguments.as_str();
    let too_many: String = (0..257).map(|n| format!("pattern {n} ")).collect();
    let cases = [
        (
            "foo 1",
            "Unknown argument",
            "foo: unknown argument",
            arguments,
        ),
        (
            "Pattern x",
            "Unknown argument",
            "Pattern: unknown argument",
            arguments,
        ),
        (
            "reset",
            "Unknown argument",
            "reset: unknown argument",
            arguments,
        ),
        (
            "mark x",
            "Unknown argument",
            "mark: unknown argument",
            arguments,
        ),
        (
            "stop",
            "Unknown argument",
            "stop: unknown argument",
            arguments,
        ),
        (
            "a\\\u{1} 1",
            "Unknown argument",
            "a\\%01: unknown argument",
            arguments,
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
            "pattern x pattern none",
            "Argument given twice",
            "pattern: given twice",
            "pattern none alone, or patterns",
        ),
        (
            "pattern none pattern_key a:b",
            "Argument given twice",
            "pattern_key: given twice",
            "pattern none alone, or patterns",
        ),
        (
            "pattern none pattern none",
            "Argument given twice",
            "pattern: given twice",
            "pattern none alone, or patterns",
        ),
        (
            "nocase",
            "No pattern before it",
            "nocase: no pattern before it that has none",
            ABOUT,
        ),
        (
            "pattern none nocase",
            "No pattern before it",
            "nocase: no pattern before it that has none",
            ABOUT,
        ),
        (
            "pattern x nocase nocase",
            "No pattern before it",
            "nocase: no pattern before it that has none",
            ABOUT,
        ),
        (
            "name x pattern y",
            "No pattern before it",
            "name: no pattern before it that has none",
            ABOUT,
        ),
        (
            "pattern x name y name z",
            "No pattern before it",
            "name: no pattern before it that has none",
            ABOUT,
        ),
        (
            "pattern x name",
            "Missing value",
            "name: its value is missing",
            NAME,
        ),
        (
            "pattern x name %",
            "Invalid name",
            "name %: bad escape",
            NAME,
        ),
        (
            &format!("pattern x name {n65}"),
            "Invalid name",
            &format!("name {n65}: too long"),
            NAME,
        ),
        (
            &too_many,
            "Invalid pattern",
            "pattern 256: one pattern too many",
            "256 patterns at most",
        ),
        (
            "places on places on",
            "Argument given twice",
            "places: given twice",
            "each argument once",
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
            "pattern_key a:%4: bad escape",
            PATTERN_KEY,
        ),
        (
            "pattern",
            "Missing value",
            "pattern: its value is missing",
            PATTERN,
        ),
        (
            "pattern %4",
            "Invalid pattern",
            "pattern %4: bad escape",
            PATTERN,
        ),
        (
            "pattern %zz",
            "Invalid pattern",
            "pattern %zz: bad escape",
            PATTERN,
        ),
        (
            &format!("pattern {p256}"),
            "Invalid pattern",
            // More than 128 bytes of a word are not printed.
            &format!("pattern {}...: too long", "p".repeat(128)),
            PATTERN,
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
    let (m129, d129) = ("m".repeat(129), "d".repeat(129));
    let messages = messages();
    let messages = messages.as_str();
    let one = "one value, %20 for a space";
    let text_alone = "one text, %20 for a space, and nocase";
    let cases = [
        (
            "pattern a b",
            "Too many words",
            "pattern b: one word too many",
            text_alone,
        ),
        (
            "pattern none nocase",
            "Too many words",
            "pattern nocase: one word too many",
            text_alone,
        ),
        (
            "pattern list x",
            "Too many words",
            "pattern x: one word too many",
            text_alone,
        ),
        (
            "pattern_key a:b c",
            "Too many words",
            "pattern_key c: one word too many",
            text_alone,
        ),
        (
            "pattern add a b c",
            "Too many words",
            "add c: one word too many",
            text_alone,
        ),
        (
            "pattern add a b nocase c",
            "Too many words",
            "pattern c: one word too many",
            text_alone,
        ),
        (
            "pattern add",
            "Missing value",
            "add: its value is missing",
            ADD,
        ),
        (
            "pattern add x",
            "Missing value",
            "add: its value is missing",
            ADD,
        ),
        (
            "pattern add % x",
            "Invalid pattern",
            "add %: bad escape",
            ADD,
        ),
        (
            "pattern add x %",
            "Invalid pattern",
            "add %: bad escape",
            ADD,
        ),
        (
            "pattern del",
            "Missing value",
            "del: its value is missing",
            DEL,
        ),
        ("pattern del %", "Invalid pattern", "del %: bad escape", DEL),
        (
            "pattern del a b",
            "Too many words",
            "del b: one word too many",
            one,
        ),
        (
            "pattern_key add",
            "Missing value",
            "add: its value is missing",
            PATTERN_KEY,
        ),
        (
            "pattern_key %",
            "Invalid pattern_key",
            "pattern_key %: bad escape",
            PATTERN_KEY,
        ),
        (
            "name x",
            "Unknown message",
            "name: unknown message",
            messages,
        ),
        (
            "nocase",
            "Unknown message",
            "nocase: unknown message",
            messages,
        ),
        (
            "edges 5",
            "Set by the table only",
            "edges: set by the table only",
            messages,
        ),
        ("", "Empty message", "the message is empty", messages),
        ("foo", "Unknown message", "foo: unknown message", messages),
        (
            "records 5",
            "Set by the table only",
            "records: set by the table only",
            messages,
        ),
        (
            "label x",
            "Set by the table only",
            "label: set by the table only",
            messages,
        ),
        (
            "label",
            "Set by the table only",
            "label: set by the table only",
            messages,
        ),
        ("mark", "Missing value", "mark: its value is missing", MARK),
        (
            "history",
            "Missing value",
            "history: its value is missing",
            "stop, or next DEVICE",
        ),
        (
            "history /dev/sdb",
            "Invalid history",
            "history /dev/sdb: no such word",
            "stop, or next DEVICE",
        ),
        (
            "history stop now",
            "Too many words",
            "stop now: one word too many",
            "stop alone",
        ),
        (
            "history next",
            "Missing value",
            "next: its value is missing",
            DEVICE,
        ),
        (
            "history next %2",
            "Invalid history",
            "next %2: bad escape",
            DEVICE,
        ),
        (
            "history next a%00b",
            "Invalid history",
            "next a%00b: bad escape",
            DEVICE,
        ),
        (
            &format!("history next {d129}"),
            "Invalid history",
            &format!("next {}...: too long", "d".repeat(128)),
            DEVICE,
        ),
        (
            "history next a b",
            "Too many words",
            "next b: one word too many",
            one,
        ),
        ("stop", "Unknown message", "stop: unknown message", messages),
        (
            "base on",
            "Set by the table only",
            "base: set by the table only",
            messages,
        ),
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
        ("mark %", "Invalid mark", "mark %: bad escape", MARK),
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

/// The arguments are as the reference describes them.
#[test]
fn the_reference_is_right() {
    let names: Vec<_> = reference::settings().map(|row| row.name).collect();
    let there: Vec<_> = Argument::ALL
        .iter()
        .map(|argument| argument.name())
        .collect();
    assert_eq!(
        there, names,
        "the tables of docs/reference.md must have a line for each argument, in the order of arguments.rs"
    );

    for (row, argument) in reference::settings().zip(Argument::ALL) {
        let name = row.name;
        assert_eq!(
            argument.kind().to_string(),
            row.allowed(),
            "{name}: correct its value in docs/reference.md"
        );
        assert_eq!(
            argument.given() == Given::AnyTime,
            row.message,
            "{name}: correct the column message in docs/reference.md"
        );
        assert_eq!(
            argument.needs_history(),
            row.of_history,
            "{name}: it is in the wrong table of docs/reference.md"
        );

        for value in row.right() {
            let set = format!("{}{name} {value}", row.before());
            let table = table(&set).unwrap();
            assert_eq!(printed(&table), table_line("pattern DAMN", &set));
            // It prints in its own position, wherever it was given.
            let among = format!("{set} pattern x");
            assert_eq!(
                printed(&self::table(&among).unwrap()),
                table_line("pattern x", &set)
            );

            if row.message {
                let word = format!("{name} {value}");
                let Ok(Change::Set(setting)) = message(&word) else {
                    panic!("{word}: {:?}", message(&word));
                };
                let mut params = self::table(row.before()).unwrap().params;
                params.set(setting);
                assert_eq!(params, table.params);
            }
        }
    }
}

/// What is wrong with each argument, in a table and in a message.
#[test]
fn every_mistake_with_a_setting() {
    for row in reference::settings() {
        let (name, allowed) = (row.name, row.allowed());
        let missing = format!("{name}: its value is missing; allowed: {allowed}");
        refused(table(name), "Missing value", &missing);
        let twice = format!("{name} {0} {name} {0}", row.right()[0]);
        let again = format!("{name}: given twice; allowed: each argument once");
        refused(table(&twice), "Argument given twice", &again);
        // It is given twice before its second value is found missing.
        let twice = format!("{name} {} {name}", row.right()[0]);
        refused(table(&twice), "Argument given twice", &again);

        // The message `history` is another word.
        if name == "history" {
            continue;
        }
        let only = format!("{name}: set by the table only; allowed: {}", messages());
        if row.message {
            refused(message(name), "Missing value", &missing);
            let line = format!("{name} x: one word too many; allowed: one value, %20 for a space");
            let more = format!("{name} {} x", row.right()[0]);
            refused(message(&more), "Too many words", &line);
        } else {
            refused(message(name), "Set by the table only", &only);
        }

        for (word, what) in row.wrong() {
            let sentence = format!("Invalid {name}");
            let shown = match word.get(..128) {
                // The rest of it is not printed.
                Some(start) if word.len() > 128 => format!("{start}...: "),
                _ if word.is_empty() => String::new(),
                _ => format!("{word}: "),
            };
            let line = format!("{name} {shown}{what}; allowed: {allowed}");
            let words = [name.as_bytes(), word.as_bytes()];
            refused(parse(&words), &sentence, &line);
            if row.message {
                refused(message_of(words), &sentence, &line);
            } else {
                refused(message_of(words), "Set by the table only", &only);
            }
        }
    }
}

/// device-mapper makes no empty words from a line, but another caller may have one.
#[test]
fn empty_words() {
    let table = |name: &'static str| parse(&[name.as_bytes(), b""]);
    let message = |name: &'static str| message_of([name.as_bytes(), b""]);
    refused(
        table("pattern"),
        "Invalid pattern",
        &format!("pattern empty; allowed: {PATTERN}"),
    );
    refused(
        message("mark"),
        "Invalid mark",
        &format!("mark empty; allowed: {MARK}"),
    );
    refused(
        parse(&[b"pattern", b"x", b"name", b""]),
        "Invalid name",
        &format!("name empty; allowed: {NAME}"),
    );
    assert_eq!(
        parse(&[b""]).err().unwrap().kind,
        MistakeKind::UnknownArgument
    );
}

#[test]
fn a_hostile_word_leaves_room_for_what_is_allowed() {
    let word = vec![0xff; 16_000];
    let line = parse(&[&word[..]]).err().unwrap().to_string();
    assert!(line.len() < 700, "{}", line.len());
    assert!(line.ends_with(&arguments()));
}

/// The words of a pattern: of a text or a key, with a name or without.
fn pattern() -> impl Strategy<Value = String> {
    let word = |max| {
        prop_oneof![
            9 => prop::collection::vec(any::<u8>(), 1..=max),
            1 => Just(b"none".to_vec()),
        ]
        .prop_map(|bytes| {
            bytes
                .iter()
                .map(|byte| format!("%{byte:02x}"))
                .collect::<String>()
        })
    };
    (
        prop_oneof![
            word(255).prop_map(|text| format!("pattern {text}")),
            word(64).prop_map(|name| format!("pattern_key {name}")),
        ],
        prop::option::of(word(64)),
        any::<bool>(),
    )
        .prop_map(|(pattern, name, nocase)| {
            let name = name.map_or(String::new(), |name| format!(" name {name}"));
            format!("{pattern}{name}{}", if nocase { " nocase" } else { "" })
        })
}

/// The words of a table with all arguments.
fn any_table() -> impl Strategy<Value = String> {
    let value = |argument: Argument| match argument.kind() {
        Kind::Switch => prop::sample::select(&["on", "off"][..])
            .prop_map(str::to_owned)
            .boxed(),
        Kind::Ops => prop::sample::select(&["read", "write", "read,write"][..])
            .prop_map(str::to_owned)
            .boxed(),
        Kind::Number { from, to, .. } => (from..=to).prop_map(|n| n.to_string()).boxed(),
        Kind::Words { usage, .. } => prop::sample::select(usage.split('|').collect::<Vec<_>>())
            .prop_map(str::to_owned)
            .boxed(),
        Kind::Text { longest } => prop::collection::vec(any::<u8>(), 1..=longest)
            .prop_map(|bytes| Text::<255>::new(&bytes).unwrap().to_string())
            .boxed(),
        Kind::Device { longest } => prop::collection::vec(1..=u8::MAX, 1..=longest)
            .prop_map(|bytes| Text::<255>::new(&bytes).unwrap().to_string())
            .boxed(),
    };
    let setting = |argument: Argument| {
        prop::option::weighted(0.9, value(argument))
            .prop_map(move |value| value.map(|value| format!(" {} {value}", argument.name())))
    };
    let settings: Vec<_> = Argument::ALL.iter().copied().map(setting).collect();

    (prop::collection::vec(pattern(), 0..6), settings).prop_map(|(patterns, mut settings)| {
        let history = settings[Argument::History as usize].is_some();
        for argument in Argument::ALL.iter().filter(|_| !history) {
            if argument.needs_history() {
                settings[*argument as usize] = None;
            }
        }
        let patterns = match patterns.join(" ") {
            none if none.is_empty() => "pattern none".to_owned(),
            some => some,
        };
        settings
            .into_iter()
            .flatten()
            .fold(patterns, |line, setting| line + &setting)
    })
}

/// Words that mean something somewhere, all names among them.
fn known_words() -> Vec<&'static str> {
    let others = [
        "add",
        "del",
        "list",
        "on",
        "off",
        "none",
        "1",
        "%",
        "read,write",
    ];
    let names = Keyword::firsts().map(Keyword::name);
    names.chain(others).collect()
}

proptest! {
    #[test]
    fn what_is_printed_is_parsed_to_the_same(line in any_table()) {
        let table = table(&line).unwrap();
        let printed = printed(&table);
        // Words are printed where they were typed.
        prop_assert_eq!(printed.matches(" name ").count(), line.matches(" name ").count());
        prop_assert_eq!(printed.matches("nocase").count(), line.matches("nocase").count());
    }

    #[test]
    fn no_words_panic(
        words in prop::collection::vec(
            prop_oneof![
                prop::sample::select(known_words()).prop_map(|word| word.as_bytes().to_vec()),
                prop::collection::vec(any::<u8>(), 0..200),
            ],
            0..8,
        )
    ) {
        let words: Vec<_> = words.iter().map(Vec::as_slice).collect();
        let table = parse(&words);
        let message = message_of(words.iter().copied());
        for mistake in table.err().into_iter().chain(message.err()) {
            let line = mistake.to_string();
            prop_assert!(line.bytes().all(|byte| (0x20..=0x7e).contains(&byte)));
            prop_assert!(!mistake.kind.sentence().is_empty());
        }
    }
}
