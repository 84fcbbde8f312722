// SPDX-License-Identifier: GPL-2.0

//! What the fuzz targets share: words, and slow and obvious readings of them that the parsers of
//! `core/` have to agree with.
//!
//! They are written from `docs/reference.md`, and share no code with what they check.

use imgrement_core::config::params::{
    Fault,
    Key,
    Mistake,
    What,
    Word, //
};
use std::{
    collections::HashMap,
    sync::LazyLock, //
};

/// The words in the input: any bytes but NUL, which ends a word, as it does in the kernel.
pub fn words(input: &[u8]) -> Vec<&[u8]> {
    if input.is_empty() {
        return Vec::new();
    }
    input.split(|&byte| byte == 0).collect()
}

/// What became of a word that was unescaped.
#[derive(Debug, PartialEq, Eq)]
pub enum Unescaped {
    /// It could.
    Whole(Vec<u8>),
    /// A `%` without its digits after these.
    BadEscape(Vec<u8>),
    /// One byte more than these.
    TooLong(Vec<u8>),
}

/// What may stand after a `%`, and the byte that it makes.
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

/// The bytes that a word stands for, where there is room for so many of them.
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

/// What is shown of a wrong word.
fn typed(word: &[u8]) -> String {
    word.iter()
        .map(|&byte| match byte {
            b'!'..=b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The value after a name, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `none` as a pattern.
    Nothing,
    /// The bytes of a text.
    Text(Vec<u8>),
    /// `on` or `off`.
    Switch(bool),
    /// Whether reads are searched, and whether writes are.
    Ops(bool, bool),
    /// A number.
    Number(u32),
}

/// Reads a value.
pub fn value(key: Key, word: &[u8]) -> Result<Value, Fault> {
    match key {
        Key::Pattern if word == b"none" => Ok(Value::Nothing),
        Key::Pattern => text(word, 255),
        Key::PatternKey | Key::Name => text(word, 64),
        Key::Label => text(word, 32),
        Key::Mark => text(word, 128),
        Key::Ops => match word {
            b"read" => Ok(Value::Ops(true, false)),
            b"write" => Ok(Value::Ops(false, true)),
            b"read,write" => Ok(Value::Ops(true, true)),
            _ => Err(Fault::NotOps),
        },
        Key::Data | Key::Log | Key::Places => match word {
            b"on" => Ok(Value::Switch(true)),
            b"off" => Ok(Value::Switch(false)),
            _ => Err(Fault::NotSwitch),
        },
        Key::LogRate | Key::LogLines => number(word, 0, u32::MAX),
        Key::Records => number(word, 1, 65_536),
        Key::Edges => number(word, 0, 65_536),
        Key::Del => text(word, 255),
        Key::Reset | Key::NoCase | Key::Add => unreachable!("it has no value, or two"),
    }
}

/// Reads a text.
pub fn text(word: &[u8], longest: usize) -> Result<Value, Fault> {
    match unescape(word, longest) {
        Unescaped::Whole(bytes) if bytes.is_empty() => Err(Fault::Empty),
        Unescaped::Whole(bytes) => Ok(Value::Text(bytes)),
        Unescaped::BadEscape(_) => Err(Fault::BadEscape),
        Unescaped::TooLong(_) => Err(Fault::TooLong),
    }
}

fn number(word: &[u8], lowest: u32, highest: u32) -> Result<Value, Fault> {
    if word.is_empty() || word.iter().any(|byte| !b"0123456789".contains(byte)) {
        return Err(Fault::NotNumber);
    }
    let digits = std::str::from_utf8(word).expect("digits");
    match digits.trim_start_matches('0') {
        "" if lowest == 0 => Ok(Value::Number(0)),
        // Of numbers without leading zeroes the longer is the greater, and of those that are
        // equally long the one that is later in the alphabet.
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

/// The keys and their names.
pub const NAMES: [(&str, Key); 15] = [
    ("pattern", Key::Pattern),
    ("pattern_key", Key::PatternKey),
    ("name", Key::Name),
    ("nocase", Key::NoCase),
    ("ops", Key::Ops),
    ("places", Key::Places),
    ("edges", Key::Edges),
    ("data", Key::Data),
    ("log", Key::Log),
    ("log_rate", Key::LogRate),
    ("log_lines", Key::LogLines),
    ("records", Key::Records),
    ("label", Key::Label),
    ("reset", Key::Reset),
    ("mark", Key::Mark),
];

/// Those behind `pattern` of a message.
const SECOND_NAMES: [(&str, Key); 2] = [("add", Key::Add), ("del", Key::Del)];

/// The key of this name.
pub fn key(name: &[u8]) -> Option<Key> {
    NAMES
        .iter()
        .find(|(known, _)| known.as_bytes() == name)
        .map(|&(_, key)| key)
}

/// Checks that this is the mistake that is wanted, and the line about it.
pub fn check_mistake(mistake: &Mistake<'_>, word: &[u8], what: What) {
    assert_eq!((mistake.word, mistake.what), (Word::Typed(word), what));

    let line = mistake.to_string();
    // One line, which can neither be mistaken for another nor steer a terminal, and fits printk's
    // record with what stands before it.
    assert!(
        line.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
        "{line}"
    );
    assert!(line.len() < 700, "{line}");

    // It names the word, cut where it is long, behind the name of what it was meant for.
    let cut = &word[..word.len().min(128)];
    let dots = if cut.len() < word.len() { "..." } else { "" };
    let named = match word {
        b"" => String::new(),
        _ => format!("{}{dots}: ", typed(cut)),
    };
    let name = match what {
        What::Value(key, _) | What::Extra(key) => {
            let (name, _) = NAMES
                .iter()
                .chain(&SECOND_NAMES)
                .find(|(_, known)| *known == key)
                .expect("a key");
            format!("{name} ")
        }
        _ => String::new(),
    };
    let wanted = format!("{name}{named}{}; allowed: {}", what.what(), what.allowed());
    assert_eq!(line, wanted);

    let sentence = what.sentence().to_str().expect("ASCII");
    assert!(!sentence.is_empty() && sentence.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
}
