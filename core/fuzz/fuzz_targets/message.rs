// SPDX-License-Identifier: GPL-2.0

//! The words of a message: they are read as in `docs/reference.md`, or refused at the first wrong word.

#![no_main]

use imgrement_core::{
    bytes::word::Escaped,
    config::{
        arguments::{
            Argument,
            Given,
            Params,
            Setting, //
        },
        fault::Fault,
        keyword::Keyword,
        message::Change,
        mistake::MistakeKind,
        pattern::Pattern, //
    },
};
use imgrement_fuzz::{
    check_mistake,
    escape,
    keyword,
    parsed,
    path,
    printed,
    text,
    value,
    words, //
};
use libfuzzer_sys::fuzz_target;

/// A message in one normal form.
type Said = String;

/// A wrong word, and what is wrong with it.
type Wrong<'a> = (&'a [u8], MistakeKind);

/// A text of at most `longest` bytes, in its normal form.
fn word<'a>(
    keyword: Keyword,
    word: Option<&&'a [u8]>,
    before: &'a [u8],
    longest: usize,
) -> Result<String, Wrong<'a>> {
    let word = *word.ok_or((before, MistakeKind::Missing(keyword)))?;
    match text(word, longest) {
        Ok(bytes) => Ok(escape(&bytes)),
        Err(fault) => Err((word, MistakeKind::Value(keyword, fault))),
    }
}

/// What may follow a pattern.
fn rest<'a>(
    keyword: Keyword,
    outer: Keyword,
    rest: &[&'a [u8]],
) -> Result<&'static str, Wrong<'a>> {
    match rest {
        [] => Ok(""),
        [b"nocase"] => Ok(" nocase"),
        [b"nocase", extra, ..] => Err((extra, MistakeKind::Extra(outer))),
        [extra, ..] => Err((extra, MistakeKind::Extra(keyword))),
    }
}

/// No word may be left.
fn end<'a>(keyword: Keyword, rest: &[&'a [u8]]) -> Result<(), Wrong<'a>> {
    match rest.first() {
        Some(extra) => Err((extra, MistakeKind::Extra(keyword))),
        None => Ok(()),
    }
}

/// Reads a message, or the first wrong word.
fn read<'a>(words: &[&'a [u8]]) -> Result<Said, Wrong<'a>> {
    let [name, values @ ..] = words else {
        return Err((b"", MistakeKind::NoMessage));
    };
    let known = keyword(name).ok_or((*name, MistakeKind::UnknownMessage))?;
    let more = values.get(1..).unwrap_or_default();

    match known {
        Keyword::Name
        | Keyword::NoCase
        | Keyword::Add
        | Keyword::Del
        | Keyword::Stop
        | Keyword::Next => Err((name, MistakeKind::UnknownMessage)),
        Keyword::History | Keyword::Setting(Argument::History) => {
            let known = Keyword::History;
            match values {
                [] => Err((name, MistakeKind::Missing(known))),
                [b"stop", more @ ..] => {
                    end(Keyword::Stop, more).map(|()| "history stop".to_owned())
                }
                [next @ b"next", more @ ..] => {
                    let device = *more
                        .first()
                        .ok_or((*next, MistakeKind::Missing(Keyword::Next)))?;
                    let device = path(device, 128)
                        .map_err(|fault| (device, MistakeKind::Value(Keyword::Next, fault)))?;
                    let device = escape(&device);
                    let more = more.get(1..).unwrap_or_default();
                    end(Keyword::Next, more).map(|()| format!("history next {device}"))
                }
                [other, ..] => Err((other, MistakeKind::Value(known, Fault::NotWord))),
            }
        }
        Keyword::Reset => end(known, values).map(|()| "reset".to_owned()),
        Keyword::Mark => {
            let text = word(known, values.first(), name, 128)?;
            end(known, more).map(|()| format!("mark {text}"))
        }
        Keyword::Pattern => match values {
            [b"list", ..] => end(known, more).map(|()| "pattern list".to_owned()),
            [b"none", ..] => end(known, more).map(|()| "pattern none".to_owned()),
            [del @ b"del", values @ ..] => {
                let name = word(Keyword::Del, values.first(), del, 255)?;
                let more = values.get(1..).unwrap_or_default();
                end(Keyword::Del, more).map(|()| format!("del {name}"))
            }
            [add @ b"add", values @ ..] => {
                let name = word(Keyword::Add, values.first(), add, 64)?;
                let text = word(Keyword::Add, values.get(1), add, 255)?;
                let nocase = rest(Keyword::Add, known, &values[2..])?;
                Ok(format!("add text {text} {name}{nocase}"))
            }
            values => {
                let text = word(known, values.first(), name, 255)?;
                Ok(format!("only text {text}{}", rest(known, known, more)?))
            }
        },
        Keyword::PatternKey => match values {
            [add @ b"add", values @ ..] => {
                let name = word(known, values.first(), add, 64)?;
                let nocase = rest(Keyword::Add, known, &values[1..])?;
                Ok(format!("add key {name}{nocase}"))
            }
            values => {
                let text = word(known, values.first(), name, 64)?;
                Ok(format!("only key {text}{}", rest(known, known, more)?))
            }
        },
        Keyword::Setting(argument) => {
            if argument.given() == Given::Table {
                return Err((name, MistakeKind::TableOnly));
            }
            let word = *values.first().ok_or((*name, MistakeKind::Missing(known)))?;
            let value =
                value(argument, word).map_err(|fault| (word, MistakeKind::Value(known, fault)))?;
            end(known, more).map(|()| format!("{} {}", argument.name(), printed(&value)))
        }
    }
}

/// A pattern in the form of [`read`].
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

/// What a setting changes.
fn changed(setting: Setting) -> Said {
    let (before, mut params) = (Params::default(), Params::default());
    params.set(setting);

    let argument = setting.argument();
    for other in Argument::ALL.iter().filter(|other| **other != argument) {
        assert_eq!(params.value(*other), before.value(*other));
    }
    let value = parsed(&params, argument).expect("a value");
    format!("{} {}", argument.name(), printed(&value))
}

/// The parsed message in the same form.
fn said(change: &Change<'_>) -> Said {
    match change {
        Change::Pattern(Some(only)) => format!("only {}", pattern(only)),
        Change::Pattern(None) => "pattern none".to_owned(),
        Change::Add(more) => format!("add {}", pattern(more)),
        Change::Del(name) => format!("del {}", escape(name)),
        Change::List => "pattern list".to_owned(),
        Change::Set(setting) => changed(*setting),
        Change::Reset => "reset".to_owned(),
        Change::Mark(text) => format!("mark {}", escape(text)),
        Change::HistoryStop => "history stop".to_owned(),
        Change::HistoryNext(device) => format!("history next {}", escape(device)),
    }
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
            let of_history = ["history", "history_slow", "history_timeout"];
            let first = wanted.split(' ').next();
            assert_eq!(
                change.without_history().is_some(),
                first.is_some_and(|first| of_history.contains(&first))
            );

            // What a mark prints is the same mark.
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
        (Err(mistake), Err((word, kind))) => check_mistake(&mistake, word, kind),
        (got, wanted) => panic!("parsed: {got:?}, wanted: {wanted:?}"),
    }
});
