// SPDX-License-Identifier: GPL-2.0

//! Mistakes in tables and messages, and the lines about them.

use super::{
    fault::Fault,
    keyword::{
        write_arguments,
        write_messages,
        Keyword, //
    },
    pattern::Pattern, //
};
use crate::bytes::word::{
    Escaped,
    Typed, //
};
use core::{
    ffi::CStr,
    fmt, //
};

/// How much of a wrong word a [`Mistake`] prints, in bytes. The list of what is allowed must still fit into the line.
/// printk cuts lines after about 1000 bytes.
const WORD_MAX: usize = 128;

/// A mistake in a table's arguments or in a message.
///
/// It prints what was typed, what is wrong with it and what is allowed, on one line, for the log:
/// `log_rate 12x: not a whole number; allowed: a whole number from 0 to 4294967295, 0 for no
/// limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake<'a> {
    /// The wrong word: a name or a value. Empty if a message has no word.
    pub word: Word<'a>,
    /// What is wrong with it.
    pub kind: MistakeKind,
}

/// The word that a [`Mistake`] names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word<'a> {
    /// As it was typed.
    Typed(&'a [u8]),
    /// A text that was read from a word, without the escapes.
    Text(&'a [u8]),
}

impl<'a> Mistake<'a> {
    pub(super) fn new(word: &'a [u8], kind: MistakeKind) -> Self {
        Self {
            word: Word::Typed(word),
            kind,
        }
    }

    fn of_text(text: &'a [u8], kind: MistakeKind) -> Self {
        Self {
            word: Word::Text(text),
            kind,
        }
    }

    /// A mistake in a pattern that is only found when the pattern is compared with others, or its key is read.
    pub fn of_pattern(pattern: &'a Pattern, fault: Fault) -> Self {
        let (word, keyword) = match pattern.key_name() {
            // Such a fault is about the key, not about the name by which the pattern is shown.
            Some(name) if fault == Fault::NoKey || fault == Fault::KeyTooLong => {
                (name.as_bytes(), Keyword::PatternKey)
            }
            Some(_) => (pattern.shown(), Keyword::PatternKey),
            None => (pattern.shown(), Keyword::Pattern),
        };
        Self::of_text(word, MistakeKind::Value(keyword, fault))
    }

    /// No pattern of this name exists, so it cannot be deleted.
    pub fn no_pattern(name: &'a [u8]) -> Self {
        Self::of_text(name, MistakeKind::Value(Keyword::Del, Fault::NoPattern))
    }
}

impl fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value is printed after its name.
        match self.kind {
            MistakeKind::Value(keyword, _) | MistakeKind::Extra(keyword) => {
                write!(f, "{} ", keyword.name())?;
            }
            MistakeKind::UnknownArgument
            | MistakeKind::Repeated(_)
            | MistakeKind::NoPattern
            | MistakeKind::Missing(_)
            | MistakeKind::NoMessage
            | MistakeKind::UnknownMessage
            | MistakeKind::TableOnly
            | MistakeKind::NoHistory => {}
        }
        let (Word::Typed(bytes) | Word::Text(bytes)) = self.word;
        let (start, end) = match bytes.get(..WORD_MAX) {
            Some(start) if start.len() < bytes.len() => (start, "...: "),
            _ if bytes.is_empty() => (bytes, ""),
            _ => (bytes, ": "),
        };
        match self.word {
            Word::Typed(_) => write!(f, "{}{end}", Typed(start))?,
            Word::Text(_) => write!(f, "{}{end}", Escaped(start))?,
        }
        write!(f, "{}; allowed: ", self.kind.what())?;
        self.kind.write_allowed(f)
    }
}

/// What is wrong with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MistakeKind {
    /// No argument of a table has this name.
    UnknownArgument,
    /// The argument was given before.
    Repeated(Keyword),
    /// It belongs after a pattern that does not have it yet, but none comes before it.
    NoPattern,
    /// The value after this name is missing.
    Missing(Keyword),
    /// The value is not allowed for this name.
    Value(Keyword, Fault),
    /// The message has no words.
    NoMessage,
    /// No message has this name.
    UnknownMessage,
    /// There is a word after the end of the message.
    Extra(Keyword),
    /// No message sets this, only a table does.
    TableOnly,
    /// It is about a history, and the table has no `history`.
    NoHistory,
}

impl MistakeKind {
    /// The sentence for device-mapper's own line about a table that it refused (`ti->error`).
    pub fn sentence(self) -> &'static CStr {
        match self {
            Self::UnknownArgument => c"Unknown argument",
            Self::Repeated(_) => c"Argument given twice",
            Self::NoPattern => c"No pattern before it",
            Self::Missing(_) => c"Missing value",
            Self::Value(keyword, _) => keyword.invalid(),
            Self::NoMessage => c"Empty message",
            Self::UnknownMessage => c"Unknown message",
            Self::Extra(_) => c"Too many words",
            Self::TableOnly => c"Set by the table only",
            Self::NoHistory => c"No history",
        }
    }

    /// The text of the fault in our own line, after the word.
    pub fn what(self) -> &'static str {
        match self {
            Self::UnknownArgument => "unknown argument",
            Self::Repeated(_) => "given twice",
            Self::NoPattern => "no pattern before it that has none",
            Self::Missing(_) => "its value is missing",
            Self::Value(_, fault) => fault.what(),
            Self::NoMessage => "the message is empty",
            Self::UnknownMessage => "unknown message",
            Self::Extra(_) => "one word too many",
            Self::TableOnly => "set by the table only",
            Self::NoHistory => "there is no history",
        }
    }

    /// Writes what is allowed in place of the word.
    fn write_allowed(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keyword = match self {
            Self::UnknownArgument => return write_arguments(f),
            Self::NoMessage | Self::UnknownMessage | Self::TableOnly => {
                return write_messages(f);
            }
            Self::NoHistory => return f.write_str("with history DEVICE in the table"),
            Self::NoPattern => {
                return f.write_str(
                    "after pattern TEXT or pattern_key NAME, name NAME and nocase once each",
                );
            }
            Self::Repeated(keyword) => {
                return f.write_str(match keyword {
                    Keyword::Pattern | Keyword::PatternKey => "pattern none alone, or patterns",
                    Keyword::Add
                    | Keyword::Del
                    | Keyword::Name
                    | Keyword::NoCase
                    | Keyword::Setting(_)
                    | Keyword::Reset
                    | Keyword::Mark
                    | Keyword::History
                    | Keyword::Stop
                    | Keyword::Next => "each argument once",
                });
            }
            Self::Extra(keyword) => {
                return f.write_str(match keyword {
                    Keyword::Pattern | Keyword::PatternKey | Keyword::Add => {
                        "one text, %20 for a space, and nocase"
                    }
                    Keyword::Reset => "reset alone",
                    Keyword::Stop => "stop alone",
                    Keyword::Del
                    | Keyword::Name
                    | Keyword::NoCase
                    | Keyword::Setting(_)
                    | Keyword::Mark
                    | Keyword::History
                    | Keyword::Next => "one value, %20 for a space",
                });
            }
            Self::Missing(keyword) => keyword,
            Self::Value(keyword, fault) => match fault {
                Fault::NameTaken => {
                    return f.write_str("each name once; of a pattern without one, its text");
                }
                Fault::Same => return f.write_str("each text once"),
                Fault::TooMany => return f.write_str("256 patterns at most"),
                Fault::BadEscape
                | Fault::Empty
                | Fault::TooLong
                | Fault::NotSwitch
                | Fault::NotOps
                | Fault::NotWord
                | Fault::NotNumber
                | Fault::OutOfRange
                | Fault::NoKey
                | Fault::KeyTooLong
                | Fault::NoPattern => keyword,
            },
        };
        keyword.write_allowed(f)
    }
}
