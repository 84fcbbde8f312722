// SPDX-License-Identifier: GPL-2.0

//! What can be wrong with a value.

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A `%` without two hexadecimal digits after it.
    BadEscape,
    /// An empty text.
    Empty,
    /// A text of too many bytes.
    TooLong,
    /// Neither `on` nor `off`.
    NotSwitch,
    /// None of the words for operations.
    NotOps,
    /// None of the allowed words.
    NotWord,
    /// Not all decimal digits.
    NotNumber,
    /// A number that is too small or too large.
    OutOfRange,
    /// No key has this name, or the key has expired or been revoked.
    NoKey,
    /// The key of this name holds too many bytes.
    KeyTooLong,
    /// More patterns than allowed.
    TooMany,
    /// Another pattern is shown by the same name.
    NameTaken,
    /// Another pattern has the same bytes.
    Same,
    /// No pattern has this name.
    NoPattern,
}

impl Fault {
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::BadEscape => "bad escape",
            Self::Empty => "empty",
            Self::TooLong => "too long",
            Self::NotSwitch => "neither on nor off",
            Self::NotOps => "no such ops",
            Self::NotWord => "no such word",
            Self::NotNumber => "not a whole number",
            Self::OutOfRange => "out of range",
            Self::NoKey => "no such key",
            Self::KeyTooLong => "the key is too long",
            Self::TooMany => "one pattern too many",
            Self::NameTaken => "another pattern has this name",
            Self::Same => "another pattern has the same text",
            Self::NoPattern => "no such pattern",
        }
    }
}
