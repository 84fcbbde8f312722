// SPDX-License-Identifier: GPL-2.0

//! The arguments of a table: they are read as in `docs/reference.md`, or refused at the first wrong word. What they
//! print makes the same arguments again.

#![no_main]

use imgrement_core::{
    config::{
        arguments::{
            Argument,
            Params, //
        },
        fault::Fault,
        keyword::Keyword,
        mistake::{
            Mistake,
            MistakeKind, //
        },
        table::{
            Refusal,
            Table, //
        }, //
    },
    memory::Memory, //
};
use imgrement_fuzz::{
    check_mistake,
    escape,
    keyword,
    parsed,
    printed,
    text,
    value,
    words,
    Value, //
};
use libfuzzer_sys::fuzz_target;
use std::convert::Infallible;

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

/// A pattern to search for.
struct Pattern {
    is_key: bool,
    text: Vec<u8>,
    name: Option<Vec<u8>>,
    nocase: bool,
}

#[derive(Default)]
struct Read {
    /// `None` if there is no word about them.
    patterns: Option<Vec<Pattern>>,
    values: Vec<(Argument, Value)>,
}

impl Read {
    fn has(&self, argument: Argument) -> bool {
        self.values.iter().any(|(given, _)| *given == argument)
    }
}

/// The arguments that only a history has.
const OF_HISTORY: [Argument; 5] = [
    Argument::Base,
    Argument::HistorySlow,
    Argument::HistoryTimeout,
    Argument::HistoryBuffer,
    Argument::HistoryNew,
];

/// Reads a table, or returns the first wrong word.
fn read<'a>(words: &[&'a [u8]]) -> Result<Read, (&'a [u8], MistakeKind)> {
    let mut read = Read::default();
    let mut words = words.iter().copied();
    // The first argument that only a history has.
    let mut of_history = None;

    while let Some(name) = words.next() {
        let known = keyword(name).ok_or((name, MistakeKind::UnknownArgument))?;
        let missing = (name, MistakeKind::Missing(known));
        let repeated = (name, MistakeKind::Repeated(known));
        let wrong = |word, fault| (word, MistakeKind::Value(known, fault));
        let patterns = read.patterns.as_mut();
        let (none, full, last) = match patterns {
            Some(all) => (all.is_empty(), all.len() == 256, all.last_mut()),
            None => (false, false, None),
        };
        let none_before = (name, MistakeKind::NoPattern);

        match known {
            Keyword::Reset
            | Keyword::Mark
            | Keyword::Add
            | Keyword::Del
            | Keyword::History
            | Keyword::Stop
            | Keyword::Next => {
                return Err((name, MistakeKind::UnknownArgument));
            }
            Keyword::NoCase => {
                let last = last.filter(|last| !last.nocase).ok_or(none_before)?;
                last.nocase = true;
            }
            Keyword::Name => {
                let word = words.next().ok_or(missing)?;
                let last = last.filter(|last| last.name.is_none()).ok_or(none_before)?;
                last.name = Some(text(word, 64).map_err(|fault| wrong(word, fault))?);
            }
            Keyword::Pattern | Keyword::PatternKey => {
                let word = words.next().ok_or(missing)?;
                if full {
                    return Err(wrong(word, Fault::TooMany));
                }
                let is_key = known == Keyword::PatternKey;
                if !is_key && word == b"none" {
                    if read.patterns.replace(Vec::new()).is_some() {
                        return Err(repeated);
                    }
                    continue;
                }
                let longest = if is_key { 64 } else { 255 };
                let text = text(word, longest).map_err(|fault| wrong(word, fault))?;
                if none {
                    return Err(repeated);
                }
                read.patterns.get_or_insert_default().push(Pattern {
                    is_key,
                    text,
                    name: None,
                    nocase: false,
                });
            }
            Keyword::Setting(argument) => {
                if read.has(argument) {
                    return Err(repeated);
                }
                let word = words.next().ok_or(missing)?;
                let value = value(argument, word).map_err(|fault| wrong(word, fault))?;
                read.values.push((argument, value));
                if OF_HISTORY.contains(&argument) {
                    of_history.get_or_insert(name);
                }
            }
        }
    }
    match of_history {
        Some(name) if !read.has(Argument::History) => Err((name, MistakeKind::NoHistory)),
        _ => Ok(read),
    }
}

/// The line that a table with these values prints, after the count.
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
    for argument in Argument::ALL {
        // A history's arguments only print with it, and a new log is only made once.
        if OF_HISTORY.contains(argument) && !read.has(Argument::History)
            || *argument == Argument::HistoryNew
        {
            continue;
        }
        let value = match read.values.iter().find(|(given, _)| given == argument) {
            Some((_, value)) => Some(value.clone()),
            None => parsed(&Params::default(), *argument),
        };
        if let Some(value) = value {
            line.push_str(&format!(" {} {}", argument.name(), printed(&value)));
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
            for (argument, value) in &read.values {
                assert_eq!(parsed(&table.params, *argument).as_ref(), Some(value));
            }
            assert!(printed
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'\\'));

            let again: Vec<_> = rest.split(' ').map(str::as_bytes).collect();
            assert_eq!(count.parse(), Ok(again.len()));
            let again = parse(&again).unwrap_or_else(|mistake| panic!("{mistake}"));
            let mut params = table.params;
            params.history_new = false;
            assert_eq!(again.params, params);
            assert_eq!(again.patterns.as_slice(), table.patterns.as_slice());

            // The name by which each is shown, and whether two of them are the same.
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
        (Err(mistake), Err((word, kind))) => check_mistake(&mistake, word, kind),
        (Ok(_), Err(wanted)) => panic!("taken, wanted: {wanted:?}"),
        (Err(mistake), Ok(_)) => panic!("refused: {mistake}"),
    }
});
