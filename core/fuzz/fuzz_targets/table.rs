// SPDX-License-Identifier: GPL-2.0

//! The arguments of a table: read as `docs/reference.md` has it, or refused at the first wrong word; and what
//! is printed of them makes the same again.

#![no_main]

use imgrement_core::{
    config::params::{
        Fault,
        Key,
        Mistake,
        Refusal,
        Table,
        What, //
    },
    memory::Memory, //
};
use imgrement_fuzz::{
    check_mistake,
    escape,
    key,
    value,
    words,
    Value, //
};
use libfuzzer_sys::fuzz_target;
use std::{
    collections::HashMap,
    convert::Infallible, //
};

struct Std;

impl Memory for Std {
    type Array<T: Copy> = Vec<T>;
    type Error = Infallible;

    fn array<T: Copy>(value: &T, len: usize) -> Result<Vec<T>, Infallible> {
        Ok(vec![*value; len])
    }
}

fn parse<'a>(words: &[&'a [u8]]) -> Result<Table<Std>, Mistake<'a>> {
    Table::parse(words.iter().copied()).map_err(|refusal| match refusal {
        Refusal::Mistake(mistake) => mistake,
        Refusal::Memory(never) => match never {},
    })
}

/// What was asked to be searched for.
struct Pattern {
    is_key: bool,
    text: Vec<u8>,
    name: Option<Vec<u8>>,
    nocase: bool,
}

#[derive(Default)]
struct Read {
    /// `None` where there is no word about them.
    patterns: Option<Vec<Pattern>>,
    values: HashMap<&'static str, Value>,
}

/// Reads a table, or says which is the first wrong word.
fn read<'a>(words: &[&'a [u8]]) -> Result<Read, (&'a [u8], What)> {
    let mut read = Read::default();
    let mut words = words.iter().copied();

    while let Some(name) = words.next() {
        let known = match key(name) {
            None | Some(Key::Reset | Key::Mark) => return Err((name, What::UnknownArgument)),
            Some(known) => known,
        };
        let count = read.patterns.as_ref().map_or(0, Vec::len);
        let last = read.patterns.as_mut().and_then(|all| all.last_mut());
        if known == Key::NoCase {
            match last {
                Some(last) if !last.nocase => last.nocase = true,
                _ => return Err((name, What::NoPattern(known))),
            }
            continue;
        }
        let (named, _) = imgrement_fuzz::NAMES
            .iter()
            .find(|(_, key)| *key == known)
            .expect("a key");
        if read.values.contains_key(named) {
            return Err((name, What::Repeated(known)));
        }
        let Some(word) = words.next() else {
            return Err((name, What::Missing(known)));
        };
        if known == Key::Name && last.as_ref().is_none_or(|last| last.name.is_some()) {
            return Err((name, What::NoPattern(known)));
        }
        let is_pattern = matches!(known, Key::Pattern | Key::PatternKey);
        if is_pattern && count == 256 {
            return Err((word, What::Value(known, Fault::TooMany)));
        }
        let value = value(known, word).map_err(|fault| (word, What::Value(known, fault)))?;

        match (known, value) {
            (Key::Name, Value::Text(text)) => last.expect("a pattern").name = Some(text),
            (Key::Pattern, Value::Nothing) => {
                if read.patterns.replace(Vec::new()).is_some() {
                    return Err((name, What::Repeated(known)));
                }
            }
            (Key::Pattern | Key::PatternKey, Value::Text(text)) => {
                let none = read.patterns.as_ref().is_some_and(Vec::is_empty);
                if none {
                    return Err((name, What::Repeated(known)));
                }
                read.patterns.get_or_insert_default().push(Pattern {
                    is_key: known == Key::PatternKey,
                    text,
                    name: None,
                    nocase: false,
                });
            }
            (_, value) => {
                read.values.insert(named, value);
            }
        }
    }
    Ok(read)
}

/// The line that a table with these values prints, behind the count.
fn line(read: &Read) -> String {
    let mut line = match &read.patterns {
        None => "pattern DAMN".to_owned(),
        Some(none) if none.is_empty() => "pattern none".to_owned(),
        Some(patterns) => {
            let words = |pattern: &Pattern| {
                let text = match (pattern.is_key, &pattern.text[..]) {
                    (true, name) => format!("pattern_key {}", escape(name)),
                    (false, b"none") => "pattern %6Eone".to_owned(),
                    (false, text) => format!("pattern {}", escape(text)),
                };
                let name = pattern.name.as_ref();
                let name = name.map_or(String::new(), |name| format!(" name {}", escape(name)));
                format!(
                    "{text}{name}{}",
                    if pattern.nocase { " nocase" } else { "" }
                )
            };
            patterns.iter().map(words).collect::<Vec<_>>().join(" ")
        }
    };
    for (name, default) in [
        ("ops", "write"),
        ("data", "on"),
        ("log", "on"),
        ("log_rate", "1000"),
        ("log_lines", "10000"),
        ("places", "off"),
        ("edges", "0"),
        ("records", "2048"),
        ("label", ""),
    ] {
        let value = match read.values.get(name) {
            None => default.to_owned(),
            Some(Value::Switch(true)) => "on".to_owned(),
            Some(Value::Switch(false)) => "off".to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Ops(true, true)) => "read,write".to_owned(),
            Some(Value::Ops(true, _)) => "read".to_owned(),
            Some(Value::Ops(..)) => "write".to_owned(),
            Some(Value::Text(text)) => escape(text),
            Some(Value::Nothing) => panic!("{name} is nothing"),
        };
        if !value.is_empty() {
            line.push_str(&format!(" {name} {value}"));
        }
    }
    line
}

fuzz_target!(|input: &[u8]| {
    let words = words(input);

    match (parse(&words), read(&words)) {
        (Ok(table), Ok(read)) => {
            let printed = Table::line(&table.patterns, &table.params).to_string();
            let (count, rest) = printed.split_once(' ').expect("a count");
            assert_eq!(rest, line(&read));
            assert!(printed
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\'));

            let again: Vec<_> = rest.split(' ').map(str::as_bytes).collect();
            assert_eq!(count.parse(), Ok(again.len()));
            let again = parse(&again).unwrap_or_else(|mistake| panic!("{mistake}"));
            assert_eq!(again.params, table.params);
            assert_eq!(again.patterns.as_slice(), table.patterns.as_slice());

            // By which name each is shown, and which two of them are the same.
            let shown: Vec<Vec<u8>> = match &read.patterns {
                None => vec![b"DAMN".to_vec()],
                Some(patterns) => patterns
                    .iter()
                    .map(|pattern| pattern.name.clone().unwrap_or(pattern.text.clone()))
                    .collect(),
            };
            let there: Vec<_> = table
                .patterns
                .iter()
                .map(|pattern| pattern.shown())
                .collect();
            assert_eq!(there, shown);
            let second = (0..shown.len()).find(|&index| shown[..index].contains(&shown[index]));
            assert_eq!(
                table.patterns.check(),
                second.map_or(Ok(()), |index| Err((index, Fault::NameTaken)))
            );
        }
        (Err(mistake), Err((word, what))) => check_mistake(&mistake, word, what),
        (Ok(_), Err(wanted)) => panic!("taken, wanted: {wanted:?}"),
        (Err(mistake), Ok(_)) => panic!("refused: {mistake}"),
    }
});
