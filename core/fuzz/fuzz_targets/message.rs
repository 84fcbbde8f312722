// SPDX-License-Identifier: GPL-2.0

//! The words of a message: read as `docs/reference.md` has it, or refused at the first wrong word.

#![no_main]

use imgrement_core::{
    bytes::word::Escaped,
    config::{
        params::{
            Change,
            Key,
            What, //
        },
        pattern::Pattern, //
    },
};
use imgrement_fuzz::{
    check_mistake,
    escape,
    key,
    text,
    value,
    words,
    Value, //
};
use libfuzzer_sys::fuzz_target;

/// A message as it would be typed, in one way only.
type Said = String;

/// A wrong word, and what is wrong with it.
type Wrong<'a> = (&'a [u8], What);

/// A text of at most so many bytes, as it would be typed.
fn word<'a>(
    key: Key,
    word: Option<&&'a [u8]>,
    before: &'a [u8],
    longest: usize,
) -> Result<String, Wrong<'a>> {
    let word = *word.ok_or((before, What::Missing(key)))?;
    match text(word, longest) {
        Ok(Value::Text(bytes)) => Ok(escape(&bytes)),
        Ok(other) => panic!("{other:?}"),
        Err(fault) => Err((word, What::Value(key, fault))),
    }
}

/// What may stand behind a pattern.
fn rest<'a>(key: Key, outer: Key, rest: &[&'a [u8]]) -> Result<&'static str, Wrong<'a>> {
    match rest {
        [] => Ok(""),
        [b"nocase"] => Ok(" nocase"),
        [b"nocase", extra, ..] => Err((extra, What::Extra(outer))),
        [extra, ..] => Err((extra, What::Extra(key))),
    }
}

/// Reads a message, or the first wrong word.
fn read<'a>(words: &[&'a [u8]]) -> Result<Said, Wrong<'a>> {
    let [name, values @ ..] = words else {
        return Err((b"", What::NoMessage));
    };
    let known = match key(name) {
        None | Some(Key::Name | Key::NoCase) => return Err((name, What::UnknownMessage)),
        Some(known @ (Key::Edges | Key::Records | Key::Label)) => {
            return Err((name, What::TableOnly(known)));
        }
        Some(known) => known,
    };
    match (known, values) {
        (Key::Reset, []) => return Ok("reset".to_owned()),
        (Key::Reset, [extra, ..]) => return Err((extra, What::Extra(known))),
        (_, []) => return Err((name, What::Missing(known))),
        (Key::Pattern, [b"list"]) => return Ok("pattern list".to_owned()),
        (Key::Pattern, [b"list", extra, ..]) => return Err((extra, What::Extra(known))),
        (Key::Pattern, [del @ b"del", values @ ..]) => {
            let name = word(Key::Del, values.first(), del, 255)?;
            return match values.get(1) {
                Some(extra) => Err((extra, What::Extra(Key::Del))),
                None => Ok(format!("del {name}")),
            };
        }
        (Key::Pattern, [add @ b"add", values @ ..]) => {
            let name = word(Key::Add, values.first(), add, 64)?;
            let text = word(Key::Add, values.get(1), add, 255)?;
            let nocase = rest(Key::Add, known, &values[2..])?;
            return Ok(format!("add text {text} {name}{nocase}"));
        }
        (Key::PatternKey, [add @ b"add", values @ ..]) => {
            let name = word(known, values.first(), add, 64)?;
            let nocase = rest(Key::Add, known, &values[1..])?;
            return Ok(format!("add key {name}{nocase}"));
        }
        _ => {}
    }

    let said = value(known, values[0]).map_err(|fault| (values[0], What::Value(known, fault)))?;
    if known == Key::PatternKey || known == Key::Pattern && said != Value::Nothing {
        let Value::Text(bytes) = said else {
            panic!("{said:?}");
        };
        let kind = if known == Key::Pattern { "text" } else { "key" };
        let nocase = rest(known, known, &values[1..])?;
        return Ok(format!("only {kind} {}{nocase}", escape(&bytes)));
    }
    match values.get(1) {
        Some(extra) => Err((extra, What::Extra(known))),
        None => Ok(format!("{known:?} {said:?}")),
    }
}

/// A pattern as [`read`] has it.
fn pattern(pattern: &Pattern) -> String {
    let name = match pattern.key_name() {
        None if pattern.is_named() => format!(" {}", escape(pattern.shown())),
        _ => String::new(),
    };
    let text = match pattern.key_name() {
        Some(key) => format!("key {}", escape(key.as_bytes())),
        None => format!("text {}", escape(pattern.bytes())),
    };
    format!(
        "{text}{name}{}",
        if pattern.nocase() { " nocase" } else { "" }
    )
}

/// The same of what was parsed.
fn said(change: &Change<'_>) -> Said {
    let (key, value) = match change {
        Change::Pattern(Some(only)) => return format!("only {}", pattern(only)),
        Change::Add(more) => return format!("add {}", pattern(more)),
        Change::Del(name) => return format!("del {}", escape(name)),
        Change::List => return "pattern list".to_owned(),
        Change::Reset => return "reset".to_owned(),
        Change::Pattern(None) => (Key::Pattern, Value::Nothing),
        Change::Ops(ops) => (Key::Ops, Value::Ops(ops.read, ops.write)),
        Change::Data(switch) => (Key::Data, Value::Switch(*switch)),
        Change::Log(switch) => (Key::Log, Value::Switch(*switch)),
        Change::Places(switch) => (Key::Places, Value::Switch(*switch)),
        Change::LogRate(number) => (Key::LogRate, Value::Number(*number)),
        Change::LogLines(number) => (Key::LogLines, Value::Number(*number)),
        Change::Mark(text) => (Key::Mark, Value::Text(text.to_vec())),
    };
    format!("{key:?} {value:?}")
}

fuzz_target!(|input: &[u8]| {
    let words = words(input);
    let [mut room, mut again] = [Pattern::EMPTY; 2];

    match (
        Change::parse(words.iter().copied(), &mut room),
        read(&words),
    ) {
        (Ok(change), Ok(wanted)) => {
            assert_eq!(said(&change), wanted);

            // As a mark prints, it is the same mark.
            if let Change::Mark(text) = change {
                let printed = Escaped(text).to_string();
                assert!(printed
                    .bytes()
                    .all(|byte| (b'!'..=b'~').contains(&byte) && byte != b'\\'));
                assert_eq!(
                    Change::parse([&b"mark"[..], printed.as_bytes()], &mut again),
                    Ok(change)
                );
            }
        }
        (Err(mistake), Err((word, what))) => check_mistake(&mistake, word, what),
        (parsed, wanted) => panic!("parsed: {parsed:?}, wanted: {wanted:?}"),
    }
});
