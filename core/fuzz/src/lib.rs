// SPDX-License-Identifier: GPL-2.0

//! Shared by the fuzz targets: words, and slow and obvious readers of them, with which the parsers of `core/` must
//! agree.
//!
//! They are written from `docs/reference.md`. They take the name and the kind of each argument from the code that they
//! check, and nothing else.

pub mod xxh64;

use imgrement_core::config::{
    arguments::{
        Argument,
        Params, //
    },
    fault::Fault,
    keyword::Keyword,
    mistake::{
        Mistake,
        MistakeKind,
        Word, //
    },
    values::{
        self,
        Kind, //
    }, //
};
use std::{
    collections::HashMap,
    sync::LazyLock, //
};

/// The words in the input: any bytes except NUL, which ends a word, as in the kernel.
pub fn words(input: &[u8]) -> Vec<&[u8]> {
    if input.is_empty() {
        return Vec::new();
    }
    input.split(|&byte| byte == 0).collect()
}

/// The result of unescaping a word.
#[derive(Debug, PartialEq, Eq)]
pub enum Unescaped {
    /// It worked.
    Whole(Vec<u8>),
    /// After these bytes, a `%` without its digits.
    BadEscape(Vec<u8>),
    /// There is at least one byte more than these.
    TooLong(Vec<u8>),
}

/// What may follow a `%`, and the byte that it encodes.
static DIGITS: LazyLock<HashMap<String, u8>> = LazyLock::new(|| {
    let spellings = |byte| {
        let spelling = format!("{byte:02X}");
        let (high, low) = spelling.split_at(1);
        [
            format!("{high}{low}"),
            format!("{high}{}", low.to_lowercase()),
            format!("{}{low}", high.to_lowercase()),
            spelling.to_lowercase(),
        ]
        .map(|spelling| (spelling, byte))
    };
    (0..=255).flat_map(spellings).collect()
});

/// The bytes that a word encodes, if they are at most `room` bytes.
pub fn unescape(word: &[u8], room: usize) -> Unescaped {
    let mut bytes = Vec::new();
    let mut rest = word;

    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = if first == b'%' {
            let digits = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
            match digits.and_then(|digits| DIGITS.get(digits)) {
                Some(&byte) => (byte, &after[2..]),
                None => return Unescaped::BadEscape(bytes),
            }
        } else {
            (first, after)
        };
        if bytes.len() == room {
            return Unescaped::TooLong(bytes);
        }
        bytes.push(byte);
        rest = after;
    }
    Unescaped::Whole(bytes)
}

/// The word that is printed for these bytes.
pub fn escape(bytes: &[u8]) -> String {
    let mut word = String::new();
    for &byte in bytes {
        if (b'!'..=b'~').contains(&byte) && !b"%\\#".contains(&byte) {
            word.push(char::from(byte));
        } else {
            word.push_str(&format!("%{byte:02X}"));
        }
    }
    word
}

/// How a wrong word is shown.
fn typed(word: &[u8]) -> String {
    word.iter()
        .map(|&byte| match byte {
            b'!'..=b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The value of a setting, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// The bytes of a text.
    Text(Vec<u8>),
    /// `on` or `off`.
    Switch(bool),
    /// Whether reads are searched, and whether writes are.
    Ops(bool, bool),
    /// A number.
    Number(u32),
    /// One of a few words.
    Word(String),
}

/// Reads the value of a setting.
pub fn value(argument: Argument, word: &[u8]) -> Result<Value, Fault> {
    match argument.kind() {
        Kind::Switch => match word {
            b"on" => Ok(Value::Switch(true)),
            b"off" => Ok(Value::Switch(false)),
            _ => Err(Fault::NotSwitch),
        },
        Kind::Ops => match word {
            b"read" => Ok(Value::Ops(true, false)),
            b"write" => Ok(Value::Ops(false, true)),
            b"read,write" => Ok(Value::Ops(true, true)),
            _ => Err(Fault::NotOps),
        },
        Kind::Number { from, to, .. } => number(word, from, to),
        Kind::Text { longest } => text(word, longest).map(Value::Text),
        Kind::Device { longest } => path(word, longest).map(Value::Text),
        Kind::Words { usage, .. } => {
            let mut words = usage.split('|');
            match words.find(|known| known.as_bytes() == word) {
                Some(word) => Ok(Value::Word(word.to_owned())),
                None => Err(Fault::NotWord),
            }
        }
    }
}

/// The value as it is printed.
pub fn printed(value: &Value) -> String {
    match value {
        Value::Switch(true) => "on".to_owned(),
        Value::Switch(false) => "off".to_owned(),
        Value::Ops(true, true) => "read,write".to_owned(),
        Value::Ops(true, false) => "read".to_owned(),
        Value::Ops(false, _) => "write".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => escape(text),
        Value::Word(word) => word.clone(),
    }
}

/// The parsed value, as a [`Value`].
pub fn parsed(params: &Params, argument: Argument) -> Option<Value> {
    params.value(argument).map(|value| match value {
        values::Value::Switch(on) => Value::Switch(on),
        values::Value::Ops(ops) => Value::Ops(ops.read, ops.write),
        values::Value::Number(number) => Value::Number(number),
        values::Value::Text(text) => Value::Text(text.to_vec()),
        values::Value::Word(word) => Value::Word(word.to_owned()),
    })
}

/// Reads a text.
pub fn text(word: &[u8], longest: usize) -> Result<Vec<u8>, Fault> {
    match unescape(word, longest) {
        Unescaped::Whole(bytes) if bytes.is_empty() => Err(Fault::Empty),
        Unescaped::Whole(bytes) => Ok(bytes),
        Unescaped::BadEscape(_) => Err(Fault::BadEscape),
        Unescaped::TooLong(_) => Err(Fault::TooLong),
    }
}

/// Reads the path of a device.
pub fn path(word: &[u8], longest: usize) -> Result<Vec<u8>, Fault> {
    match text(word, longest)? {
        path if path.contains(&0) => Err(Fault::BadEscape),
        path => Ok(path),
    }
}

fn number(word: &[u8], lowest: u32, highest: u32) -> Result<Value, Fault> {
    if word.is_empty() || word.iter().any(|byte| !b"0123456789".contains(byte)) {
        return Err(Fault::NotNumber);
    }
    let digits = std::str::from_utf8(word).expect("digits");
    match digits.trim_start_matches('0') {
        "" if lowest == 0 => Ok(Value::Number(0)),
        // Of two numbers without leading zeroes, the longer one is greater. If they are equally long, it is the one
        // that sorts later.
        digits => {
            let from = lowest.to_string();
            let to = highest.to_string();
            if (digits.len(), digits) < (from.len(), &from)
                || (digits.len(), digits) > (to.len(), &to)
            {
                return Err(Fault::OutOfRange);
            }
            Ok(Value::Number(digits.parse().expect("it is within u32")))
        }
    }
}

/// The keyword of this name.
pub fn keyword(name: &[u8]) -> Option<Keyword> {
    Keyword::firsts().find(|keyword| keyword.name().as_bytes() == name)
}

/// Checks the kind of a mistake, and the line about it.
pub fn check_mistake(mistake: &Mistake<'_>, word: &[u8], kind: MistakeKind) {
    assert_eq!((mistake.word, mistake.kind), (Word::Typed(word), kind));

    let line = mistake.to_string();
    // It is one line, cannot look like another or control a terminal, and fits into printk's record with its prefix.
    assert!(
        line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
        "{line}"
    );
    assert!(line.len() < 700, "{line}");

    // It names the word, cut if it is long, after the name of its argument.
    let cut = &word[..word.len().min(128)];
    let dots = if cut.len() < word.len() { "..." } else { "" };
    let named = match word {
        b"" => String::new(),
        _ => format!("{}{dots}: ", typed(cut)),
    };
    let name = match kind {
        MistakeKind::Value(keyword, _) | MistakeKind::Extra(keyword) => {
            format!("{} ", keyword.name())
        }
        MistakeKind::UnknownArgument
        | MistakeKind::Repeated(_)
        | MistakeKind::NoPattern
        | MistakeKind::Missing(_)
        | MistakeKind::NoMessage
        | MistakeKind::UnknownMessage
        | MistakeKind::TableOnly
        | MistakeKind::NoHistory => String::new(),
    };
    // What is allowed follows.
    let wanted = format!("{name}{named}{}; allowed: ", kind.what());
    assert!(
        line.starts_with(&wanted) && line.len() > wanted.len(),
        "{line}"
    );

    let sentence = kind.sentence().to_str().expect("ASCII");
    assert!(!sentence.is_empty() && sentence.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
}
