// SPDX-License-Identifier: GPL-2.0

//! What a person may set: by the table ([`Params`]) and at run time by a message ([`Change`]).
//!
//! Both are lists of words, and both say of a wrong word what is wrong with it and what is
//! allowed ([`Mistake`]). Words are told apart by case. Texts are escaped with `%HH`
//! (see `word.rs`).

use core::{
    ffi::CStr,
    fmt,
    ops::RangeInclusive, //
};

use super::word::{
    unescape,
    Escaped,
    UnescapeError, //
};

/// The longest pattern, in bytes.
pub const PATTERN_MAX: usize = 64;

/// The longest name of a key that holds a pattern, in bytes.
pub const KEY_NAME_MAX: usize = 64;

/// The longest label, in bytes.
pub const LABEL_MAX: usize = 32;

/// The longest text of a `mark` message, in bytes.
pub const MARK_MAX: usize = 128;

/// How many records a pool may have.
pub const RECORDS: RangeInclusive<u32> = 1..=65_536;

/// How much of a wrong word a [`Mistake`] prints, in bytes, so that what is allowed still fits
/// the line of at most about 1000 bytes that printk keeps.
const MISTAKE_MAX: usize = 128;

/// A text of at most `N` bytes of any value, owned. It prints as [`Escaped`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize> {
    /// How many of `bytes` are the text; at most `N`. The others are zero, so that texts can be
    /// compared as a whole.
    length: usize,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// Makes a text of these bytes; `None` where there are more than `N`.
    pub fn new(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Self {
            length: text.len(),
            bytes,
        })
    }

    /// The bytes of the text, unescaped.
    pub fn as_bytes(&self) -> &[u8] {
        // `length` is at most `N`, so this is never the empty slice for want of bytes.
        self.bytes.get(..self.length).unwrap_or(&[])
    }

    /// Reads an escaped word of 1 to `N` bytes.
    fn parse(word: &[u8]) -> Result<Self, Fault> {
        let mut room = [0; N];
        let text = unescape(word, &mut room).map_err(|error| match error {
            UnescapeError::BadEscape => Fault::BadEscape,
            UnescapeError::TooLong => Fault::TooLong,
        })?;
        if text.is_empty() {
            return Err(Fault::Empty);
        }
        Self::new(text).ok_or(Fault::TooLong)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Escaped(self.as_bytes()), f)
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({self})")
    }
}

/// What to search for in written bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// These bytes, which whoever reads the log, the status or the table sees; 1 to
    /// [`PATTERN_MAX`].
    Text(Text<PATTERN_MAX>),
    /// The bytes that the key of this name holds, a logon key of the kernel's key service. Nothing
    /// shows more of them than this name.
    Key(Text<KEY_NAME_MAX>),
}

impl Pattern {
    /// What stands for it in the log: its text, or the name of its key.
    pub fn shown(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Key(name) => name.as_bytes(),
        }
    }
}

/// What the optional arguments of a table set.
///
/// It prints as the whole `#ARGS ARG...` of a table, defaults included, and what it prints is
/// parsed to the same value again, less the count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// What to search for in written bytes. `None` searches nothing.
    pub pattern: Option<Pattern>,
    /// Whether records keep a copy of the bytes.
    pub data: bool,
    /// Whether requests are logged.
    pub log: bool,
    /// How many whole requests a second are logged; 0 is no limit.
    pub log_rate: u32,
    /// How many records the pool has; one of [`RECORDS`].
    pub records: u32,
    /// What each line of the log begins with; 1 to [`LABEL_MAX`] bytes.
    pub label: Option<Text<LABEL_MAX>>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            pattern: Text::new(b"DAMN").map(Pattern::Text),
            data: true,
            log: true,
            log_rate: 1000,
            records: 2048,
            label: None,
        }
    }
}

impl Params {
    /// Reads the arguments of a table, without the count before them: pairs of a name and a
    /// value, in any order, each name at most once. What is not named keeps its default.
    ///
    /// # Errors
    ///
    /// The first mistake in the order of the words.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Mistake<'a>> {
        let mut words = words.into_iter();
        let mut params = Self::default();
        let mut seen: u32 = 0;

        while let Some(name) = words.next() {
            let key = match Key::from_name(name) {
                None | Some(Key::Reset | Key::Mark) => {
                    return Err(Mistake::new(name, What::UnknownArgument));
                }
                Some(key) => key,
            };
            if seen & key.bit() != 0 {
                return Err(Mistake::new(name, What::Repeated(key)));
            }
            seen |= key.bit();

            let value = words.next().ok_or(Mistake::new(name, What::Missing(key)))?;
            params
                .set(key, value)
                .map_err(|fault| Mistake::new(value, What::Value(key, fault)))?;
        }

        Ok(params)
    }

    /// Sets one argument. The keys that are no arguments have been sorted out before.
    fn set(&mut self, key: Key, value: &[u8]) -> Result<(), Fault> {
        match key {
            Key::Pattern => self.pattern = pattern(value)?,
            Key::PatternKey => self.pattern = Some(Pattern::Key(Text::parse(value)?)),
            Key::Data => self.data = switch(value)?,
            Key::Log => self.log = switch(value)?,
            Key::LogRate => self.log_rate = number(value)?,
            Key::Records => {
                self.records = Some(number(value)?)
                    .filter(|records| RECORDS.contains(records))
                    .ok_or(Fault::OutOfRange)?;
            }
            Key::Label => self.label = Some(Text::parse(value)?),
            Key::Reset | Key::Mark => {}
        }
        Ok(())
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The count is of the words after it: a name and a value for each argument.
        let count: u32 = if self.label.is_some() { 12 } else { 10 };
        let key = match self.pattern {
            Some(Pattern::Key(_)) => Key::PatternKey,
            _ => Key::Pattern,
        };
        write!(f, "{count} {} ", key.name())?;
        match &self.pattern {
            None => f.write_str("none")?,
            // The text `none`, and not the word for no pattern.
            Some(Pattern::Text(text)) if text.as_bytes() == b"none" => f.write_str("%6Eone")?,
            Some(Pattern::Text(text)) => write!(f, "{text}")?,
            Some(Pattern::Key(name)) => write!(f, "{name}")?,
        }
        write!(
            f,
            " data {} log {} log_rate {} records {}",
            on_off(self.data),
            on_off(self.log),
            self.log_rate,
            self.records,
        )?;
        if let Some(label) = &self.label {
            write!(f, " label {label}")?;
        }
        Ok(())
    }
}

/// What a message changes at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// `pattern TEXT|none` or `pattern_key NAME`: search for this from now on.
    Pattern(Option<Pattern>),
    /// `data on|off`: whether records keep a copy of the bytes.
    Data(bool),
    /// `log on|off`: whether requests are logged.
    Log(bool),
    /// `log_rate N`: how many whole requests a second are logged; 0 is no limit.
    LogRate(u32),
    /// `reset`: the counters start from zero again.
    Reset,
    /// `mark TEXT`: a line in the log, after all requests before it.
    Mark(Text<MARK_MAX>),
}

impl Change {
    /// Reads the words of a message.
    ///
    /// # Errors
    ///
    /// No word, an unknown one, a missing, wrong or superfluous one, or an argument that can be
    /// set by the table only.
    pub fn parse<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, Mistake<'a>> {
        let mut words = words.into_iter();
        let name = words.next().ok_or(Mistake::new(b"", What::NoMessage))?;
        let key = match Key::from_name(name) {
            None => return Err(Mistake::new(name, What::UnknownMessage)),
            Some(key @ (Key::Records | Key::Label)) => {
                return Err(Mistake::new(name, What::TableOnly(key)));
            }
            Some(key) => key,
        };

        let value = match key {
            Key::Reset => b"",
            _ => words.next().ok_or(Mistake::new(name, What::Missing(key)))?,
        };
        if let Some(word) = words.next() {
            return Err(Mistake::new(word, What::Extra(key)));
        }

        Self::from_value(key, value)
            .map_err(|fault| Mistake::new(value, What::Value(key, fault)))?
            .ok_or(Mistake::new(name, What::UnknownMessage))
    }

    /// The change of `key` to `value`; `None` for the keys that no message changes.
    fn from_value(key: Key, value: &[u8]) -> Result<Option<Self>, Fault> {
        Ok(Some(match key {
            Key::Pattern => Self::Pattern(pattern(value)?),
            Key::PatternKey => Self::Pattern(Some(Pattern::Key(Text::parse(value)?))),
            Key::Data => Self::Data(switch(value)?),
            Key::Log => Self::Log(switch(value)?),
            Key::LogRate => Self::LogRate(number(value)?),
            Key::Reset => Self::Reset,
            Key::Mark => Self::Mark(Text::parse(value)?),
            Key::Records | Key::Label => return Ok(None),
        }))
    }
}

/// A mistake in a table's arguments or in a message.
///
/// It prints what was typed, what is wrong with it and what is allowed, on one line, for the log:
/// `log_rate 12x: not a whole number; allowed: a whole number from 0 to 4294967295, 0 for no
/// limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake<'a> {
    /// The wrong word as it was typed: a name or a value. Empty where a message has no word.
    pub word: &'a [u8],
    /// What is wrong with it.
    pub what: What,
}

impl<'a> Mistake<'a> {
    fn new(word: &'a [u8], what: What) -> Self {
        Self { word, what }
    }

    /// That a pattern cannot be had: of a key, which only the kernel can look up.
    pub fn of_pattern(pattern: &'a Pattern, fault: Fault) -> Self {
        Self::new(pattern.shown(), What::Value(Key::PatternKey, fault))
    }
}

impl fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value is printed after its name, as it was typed.
        match self.what {
            What::Value(key, _) | What::Extra(key) => write!(f, "{} ", key.name())?,
            _ => {}
        }
        match self.word.get(..MISTAKE_MAX) {
            Some(start) if start.len() < self.word.len() => write!(f, "{}...: ", Escaped(start))?,
            _ if self.word.is_empty() => {}
            _ => write!(f, "{}: ", Escaped(self.word))?,
        }
        write!(f, "{}; allowed: {}", self.what.what(), self.what.allowed())
    }
}

/// What is wrong with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// No argument of a table has this name.
    UnknownArgument,
    /// The argument was given before.
    Repeated(Key),
    /// The value after this name is missing.
    Missing(Key),
    /// The value is not one that this name takes.
    Value(Key, Fault),
    /// The message has no words.
    NoMessage,
    /// No message has this name.
    UnknownMessage,
    /// The message goes on after its last word.
    Extra(Key),
    /// No message sets this; only a table does.
    TableOnly(Key),
}

impl What {
    /// The sentence for dm's own line about a table that it refused (`ti->error`).
    pub fn sentence(self) -> &'static CStr {
        match self {
            Self::UnknownArgument => c"Unknown argument",
            Self::Repeated(_) => c"Argument given twice",
            Self::Missing(_) => c"Missing value",
            Self::Value(Key::Pattern, _) => c"Invalid pattern",
            Self::Value(Key::PatternKey, _) => c"Invalid pattern_key",
            Self::Value(Key::Data, _) => c"Invalid data",
            Self::Value(Key::Log, _) => c"Invalid log",
            Self::Value(Key::LogRate, _) => c"Invalid log_rate",
            Self::Value(Key::Records, _) => c"Invalid records",
            Self::Value(Key::Label, _) => c"Invalid label",
            Self::Value(Key::Mark, _) => c"Invalid mark",
            Self::NoMessage => c"Empty message",
            // `reset` takes no value that could be wrong.
            Self::UnknownMessage | Self::Value(Key::Reset, _) => c"Unknown message",
            Self::Extra(_) => c"Too many words",
            Self::TableOnly(_) => c"Set by the table only",
        }
    }

    /// What is wrong, for a line of ours, after the word.
    pub fn what(self) -> &'static str {
        match self {
            Self::UnknownArgument => "unknown argument",
            Self::Repeated(_) => "given twice",
            Self::Missing(_) => "its value is missing",
            Self::Value(_, fault) => fault.what(),
            Self::NoMessage => "the message is empty",
            Self::UnknownMessage => "unknown message",
            Self::Extra(_) => "one word too many",
            Self::TableOnly(_) => "set by the table only",
        }
    }

    /// What is allowed in the place of the word.
    pub fn allowed(self) -> &'static str {
        match self {
            Self::UnknownArgument => {
                "pattern TEXT|none, pattern_key NAME, data on|off, log on|off, log_rate N, records N, label TEXT"
            }
            Self::Repeated(Key::Pattern | Key::PatternKey) => "one pattern or pattern_key",
            Self::Repeated(_) => "each argument once",
            Self::Missing(key) | Self::Value(key, _) => key.allowed(),
            Self::NoMessage | Self::UnknownMessage | Self::TableOnly(_) => {
                "pattern TEXT|none, pattern_key NAME, data on|off, log on|off, log_rate N, reset, mark TEXT"
            }
            Self::Extra(Key::Reset) => "reset alone",
            Self::Extra(_) => "one value, %20 for a space",
        }
    }
}

/// What is wrong with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A `%` without two hexadecimal digits after it.
    BadEscape,
    /// A text of no bytes.
    Empty,
    /// A text of too many bytes.
    TooLong,
    /// Neither `on` nor `off`.
    NotSwitch,
    /// Not all decimal digits.
    NotNumber,
    /// A number that is too small or too large.
    OutOfRange,
    /// The name of no key, or of one that has expired or been revoked.
    NoKey,
    /// The name of a key that holds too many bytes.
    KeyTooLong,
}

impl Fault {
    fn what(self) -> &'static str {
        match self {
            Self::BadEscape => "bad escape",
            Self::Empty => "empty",
            Self::TooLong => "too long",
            Self::NotSwitch => "neither on nor off",
            Self::NotNumber => "not a whole number",
            Self::OutOfRange => "out of range",
            Self::NoKey => "no such key",
            Self::KeyTooLong => "the key is too long",
        }
    }
}

/// The first words: names of arguments and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `pattern`, of a table or a message.
    Pattern,
    /// `pattern_key`, of a table or a message.
    PatternKey,
    /// `data`, of a table or a message.
    Data,
    /// `log`, of a table or a message.
    Log,
    /// `log_rate`, of a table or a message.
    LogRate,
    /// `records`, of a table.
    Records,
    /// `label`, of a table.
    Label,
    /// `reset`, a message.
    Reset,
    /// `mark`, a message.
    Mark,
}

impl Key {
    fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"pattern" => Self::Pattern,
            b"pattern_key" => Self::PatternKey,
            b"data" => Self::Data,
            b"log" => Self::Log,
            b"log_rate" => Self::LogRate,
            b"records" => Self::Records,
            b"label" => Self::Label,
            b"reset" => Self::Reset,
            b"mark" => Self::Mark,
            _ => return None,
        })
    }

    /// The word itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::PatternKey => "pattern_key",
            Self::Data => "data",
            Self::Log => "log",
            Self::LogRate => "log_rate",
            Self::Records => "records",
            Self::Label => "label",
            Self::Reset => "reset",
            Self::Mark => "mark",
        }
    }

    /// What its value may be.
    fn allowed(self) -> &'static str {
        match self {
            Self::Pattern => "1 to 64 bytes, %HH for what is not plain; or none",
            Self::PatternKey => {
                "the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 64 bytes"
            }
            Self::Data | Self::Log => "on or off",
            Self::LogRate => "a whole number from 0 to 4294967295, 0 for no limit",
            Self::Records => "a whole number from 1 to 65536",
            Self::Label => "1 to 32 bytes, %HH for what is not plain",
            Self::Reset => "reset alone",
            Self::Mark => "1 to 128 bytes, %HH for what is not plain",
        }
    }

    /// A bit to remember it by: the same for those of which there can be but one.
    fn bit(self) -> u32 {
        match self {
            Self::Pattern | Self::PatternKey => 1 << 0,
            Self::Data => 1 << 1,
            Self::Log => 1 << 2,
            Self::LogRate => 1 << 3,
            Self::Records => 1 << 4,
            Self::Label => 1 << 5,
            Self::Reset => 1 << 6,
            Self::Mark => 1 << 7,
        }
    }
}

/// Reads `TEXT|none`. The text of these four letters can be had as `%6Eone`.
fn pattern(word: &[u8]) -> Result<Option<Pattern>, Fault> {
    match word {
        b"none" => Ok(None),
        _ => Text::parse(word).map(Pattern::Text).map(Some),
    }
}

/// Reads `on|off`.
fn switch(word: &[u8]) -> Result<bool, Fault> {
    match word {
        b"on" => Ok(true),
        b"off" => Ok(false),
        _ => Err(Fault::NotSwitch),
    }
}

/// The inverse of [`switch`].
fn on_off(value: bool) -> &'static str {
    if value {
        "on"
    } else {
        "off"
    }
}

/// Reads a whole number in decimal digits, without a sign.
fn number(word: &[u8]) -> Result<u32, Fault> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return Err(Fault::NotNumber);
    }
    word.iter()
        .try_fold(0_u32, |number, digit| {
            number.checked_mul(10)?.checked_add(u32::from(digit & 0xf))
        })
        .ok_or(Fault::OutOfRange)
}
