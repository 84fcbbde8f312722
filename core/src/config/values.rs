// SPDX-License-Identifier: GPL-2.0

//! The kinds of values that arguments take: how a word is read, and what is allowed.
//!
//! A new kind is a type that implements [`Parse`], a variant of [`Kind`], and a variant of [`Value`] if it prints in a
//! new way.

use super::{
    fault::Fault,
    ops::Ops,
    text::Text, //
};
use crate::bytes::word::Escaped;
use core::{
    fmt,
    ops::RangeInclusive, //
};

/// Reads the values of an argument. It is named in the argument's row.
pub(super) trait Parse {
    /// The type of the argument's field in `Params`.
    type Value;

    /// What may be typed.
    fn kind(&self) -> Kind;

    /// Reads a word.
    ///
    /// # Errors
    ///
    /// The word is not of this kind.
    fn parse(&self, word: &[u8]) -> Result<Self::Value, Fault>;

    /// The value as it prints; `None` if the argument does not print.
    fn view<'v>(&self, value: &'v Self::Value) -> Option<Value<'v>>;
}

/// `on` or `off`.
pub(super) struct Switch;

impl Parse for Switch {
    type Value = bool;

    fn kind(&self) -> Kind {
        Kind::Switch
    }

    fn parse(&self, word: &[u8]) -> Result<bool, Fault> {
        match word {
            b"on" => Ok(true),
            b"off" => Ok(false),
            _ => Err(Fault::NotSwitch),
        }
    }

    fn view<'v>(&self, value: &'v bool) -> Option<Value<'v>> {
        Some(Value::Switch(*value))
    }
}

/// The operations to search: `read`, `write` or both.
pub(super) struct SearchedOps;

impl Parse for SearchedOps {
    type Value = Ops;

    fn kind(&self) -> Kind {
        Kind::Ops
    }

    fn parse(&self, word: &[u8]) -> Result<Ops, Fault> {
        Ops::from_name(word).ok_or(Fault::NotOps)
    }

    fn view<'v>(&self, value: &'v Ops) -> Option<Value<'v>> {
        Some(Value::Ops(*value))
    }
}

/// A whole number in this range, in decimal digits without a sign; and the meaning of 0, if it is special.
pub(super) struct Number(
    pub(super) RangeInclusive<u32>,
    pub(super) Option<&'static str>,
);

impl Parse for Number {
    type Value = u32;

    fn kind(&self) -> Kind {
        let Self(range, zero) = self;
        Kind::Number {
            from: *range.start(),
            to: *range.end(),
            zero: *zero,
        }
    }

    fn parse(&self, word: &[u8]) -> Result<u32, Fault> {
        let Self(range, _) = self;
        if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
            return Err(Fault::NotNumber);
        }
        word.iter()
            .try_fold(0_u32, |number, digit| {
                number.checked_mul(10)?.checked_add(u32::from(digit & 0xf))
            })
            .filter(|number| range.contains(number))
            .ok_or(Fault::OutOfRange)
    }

    fn view<'v>(&self, value: &'v u32) -> Option<Value<'v>> {
        Some(Value::Number(*value))
    }
}

/// A text of 1 to `N` bytes, escaped. Without it, the argument does not print.
pub(super) struct ShortText<const N: usize>;

impl<const N: usize> Parse for ShortText<N> {
    type Value = Option<Text<N>>;

    fn kind(&self) -> Kind {
        Kind::Text { longest: N }
    }

    fn parse(&self, word: &[u8]) -> Result<Option<Text<N>>, Fault> {
        let mut text = Text::EMPTY;
        text.set(word, N)?;
        Ok(Some(text))
    }

    fn view<'v>(&self, value: &'v Option<Text<N>>) -> Option<Value<'v>> {
        value.as_ref().map(|text| Value::Text(text.as_bytes()))
    }
}

/// The path or number of a block device, of 1 to `N` bytes, escaped. Without it, the argument does not print.
pub(super) struct DevicePath<const N: usize>;

impl<const N: usize> Parse for DevicePath<N> {
    type Value = Option<Text<N>>;

    fn kind(&self) -> Kind {
        Kind::Device { longest: N }
    }

    fn parse(&self, word: &[u8]) -> Result<Option<Text<N>>, Fault> {
        let mut text = Text::EMPTY;
        text.set_path(word, N)?;
        Ok(Some(text))
    }

    fn view<'v>(&self, value: &'v Option<Text<N>>) -> Option<Value<'v>> {
        ShortText::<N>.view(value)
    }
}

/// A value that has a word of its own.
pub(super) trait Choice: Copy + 'static {
    /// The words.
    const KIND: Kind;

    /// Its word.
    fn name(self) -> &'static str;
}

/// One of these values, by its word.
pub(super) struct OneOf<T: 'static>(pub(super) &'static [T]);

impl<T: Choice> Parse for OneOf<T> {
    type Value = T;

    fn kind(&self) -> Kind {
        T::KIND
    }

    fn parse(&self, word: &[u8]) -> Result<T, Fault> {
        let Self(all) = self;
        let found = all.iter().find(|value| value.name().as_bytes() == word);
        found.copied().ok_or(Fault::NotWord)
    }

    fn view<'v>(&self, value: &'v T) -> Option<Value<'v>> {
        Some(Value::Word(value.name()))
    }
}

/// What may be typed as a value. It prints as what is allowed, for a line about a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `on` or `off`.
    Switch,
    /// `read`, `write` or both.
    Ops,
    /// A whole number.
    Number {
        /// The lowest one.
        from: u32,
        /// The highest one.
        to: u32,
        /// The meaning of 0, if it is special.
        zero: Option<&'static str>,
    },
    /// An escaped text of at least one byte.
    Text {
        /// The greatest number of bytes, without the escapes.
        longest: usize,
    },
    /// The escaped path of a block device, or its number as `major:minor`.
    Device {
        /// The greatest number of bytes, without the escapes.
        longest: usize,
    },
    /// One of a few words.
    Words {
        /// The words, with `|` between them.
        usage: &'static str,
        /// The words in a sentence.
        allowed: &'static str,
    },
}

impl Kind {
    /// The placeholder for the value in a list of arguments.
    pub fn usage(self) -> &'static str {
        match self {
            Self::Switch => "on|off",
            Self::Ops => "OPS",
            Self::Number { .. } => "N",
            Self::Text { .. } => "TEXT",
            Self::Device { .. } => "DEVICE",
            Self::Words { usage, .. } => usage,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("on or off"),
            Self::Ops => f.write_str("read, write or read,write"),
            Self::Number { from, to, zero } => {
                write!(f, "a whole number from {from} to {to}")?;
                match zero {
                    Some(meaning) => write!(f, ", 0 for {meaning}"),
                    None => Ok(()),
                }
            }
            Self::Text { longest } => {
                write!(f, "1 to {longest} bytes, %HH for what is not plain")
            }
            Self::Device { longest } => {
                write!(f, "the path or major:minor of a block device, 1 to {longest} bytes, %HH for what is not plain")
            }
            Self::Words { allowed, .. } => f.write_str(allowed),
        }
    }
}

/// A value. It prints as the word that is read to the same value again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'v> {
    /// `on` or `off`.
    Switch(bool),
    /// Which operations.
    Ops(Ops),
    /// A number.
    Number(u32),
    /// The bytes of a text, without the escapes.
    Text(&'v [u8]),
    /// One of a few words.
    Word(&'static str),
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch(true) => f.write_str("on"),
            Self::Switch(false) => f.write_str("off"),
            Self::Ops(ops) => f.write_str(ops.name()),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{}", Escaped(text)),
            Self::Word(word) => f.write_str(word),
        }
    }
}
