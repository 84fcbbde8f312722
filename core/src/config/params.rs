// SPDX-License-Identifier: GPL-2.0

//! What a person may set: by the table ([`Table`]) and at run time by a message ([`Change`]).
//!
//! Both are lists of words, and both say of a wrong word what is wrong with it and what is
//! allowed ([`Mistake`]). Words are told apart by case. Texts are escaped with `%HH`
//! (see `bytes/word.rs`).

use core::{
    ffi::CStr,
    fmt,
    ops::RangeInclusive, //
};

use super::pattern::{
    Pattern,
    Patterns, //
};
use crate::{
    bytes::word::{
        unescape,
        Escaped,
        Typed,
        UnescapeError, //
    },
    memory::Memory,
    record::Op,
    search::{
        edges::EDGES,
        set::PATTERNS_MAX, //
    },
};

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
    /// No bytes.
    pub(super) const EMPTY: Self = Self {
        length: 0,
        bytes: [0; N],
    };

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
        let mut text = Self::EMPTY;
        text.set(word, N)?;
        Ok(text)
    }

    /// The same in place, for texts that are too large for the stack: an escaped word of 1 to `max` bytes,
    /// and no more than `N`. After a fault it is empty.
    pub(super) fn set(&mut self, word: &[u8], max: usize) -> Result<(), Fault> {
        *self = Self::EMPTY;
        let room = self.bytes.get_mut(..max.min(N)).unwrap_or_default();
        let length = match unescape(word, room) {
            Ok([]) => return Err(Fault::Empty),
            Ok(text) => text.len(),
            Err(error) => {
                *self = Self::EMPTY;
                return Err(match error {
                    UnescapeError::BadEscape => Fault::BadEscape,
                    UnescapeError::TooLong => Fault::TooLong,
                });
            }
        };
        self.length = length;
        Ok(())
    }

    /// Has `fill` write the text, which says how many bytes it has written.
    ///
    /// # Errors
    ///
    /// That of `fill`, and then the text is empty.
    pub fn fill<E>(&mut self, fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<(), E> {
        *self = Self::EMPTY;
        let filled = fill(&mut self.bytes);
        self.length = filled.as_ref().map_or(0, |length| N.min(*length));
        // Behind the text there are zeroes.
        self.bytes
            .get_mut(self.length..)
            .unwrap_or_default()
            .fill(0);
        filled.map(|_| ())
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

/// In which requests to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ops {
    /// In what is read.
    pub read: bool,
    /// In what is written.
    pub write: bool,
}

impl Ops {
    /// The words for them.
    const NAMES: [(Self, &str); 3] = [
        (Self::new(true, false), "read"),
        (Self::new(false, true), "write"),
        (Self::new(true, true), "read,write"),
    ];

    const fn new(read: bool, write: bool) -> Self {
        Self { read, write }
    }

    fn parse(word: &[u8]) -> Result<Self, Fault> {
        Self::NAMES
            .iter()
            .find(|(_, name)| name.as_bytes() == word)
            .map(|(ops, _)| *ops)
            .ok_or(Fault::NotOps)
    }

    /// Whether requests of this kind are searched.
    pub fn contain(self, op: Op) -> bool {
        match op {
            Op::Read => self.read,
            _ => self.write && op.writes(),
        }
    }

    /// The inverse of [`Self::parse`].
    fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(ops, _)| *ops == self)
            .map_or("none", |(_, name)| name)
    }
}

/// What the optional arguments of a table set, but for the patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// In which requests to search.
    pub ops: Ops,
    /// Whether records keep a copy of the bytes.
    pub data: bool,
    /// Whether requests are logged.
    pub log: bool,
    /// How many whole requests a second are logged; 0 is no limit.
    pub log_rate: u32,
    /// How many lines of whole requests a second are logged; 0 is no limit.
    pub log_lines: u32,
    /// Whether each place where a pattern was found is logged.
    pub places: bool,
    /// Of how many writes the edges are remembered; one of [`EDGES`].
    pub edges: u32,
    /// How many records the pool has; one of [`RECORDS`].
    pub records: u32,
    /// What each line of the log begins with; 1 to [`LABEL_MAX`] bytes.
    pub label: Option<Text<LABEL_MAX>>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            ops: Ops::new(false, true),
            data: true,
            log: true,
            log_rate: 1000,
            log_lines: 10_000,
            places: false,
            edges: 0,
            records: 2048,
            label: None,
        }
    }
}

impl Params {
    /// Sets one argument. The keys that are no such arguments have been sorted out before.
    fn set(&mut self, key: Key, value: &[u8]) -> Result<(), Fault> {
        match key {
            Key::Ops => self.ops = Ops::parse(value)?,
            Key::Data => self.data = switch(value)?,
            Key::Log => self.log = switch(value)?,
            Key::LogRate => self.log_rate = number(value)?,
            Key::LogLines => self.log_lines = number(value)?,
            Key::Places => self.places = switch(value)?,
            Key::Edges => self.edges = number_in(EDGES, value)?,
            Key::Records => self.records = number_in(RECORDS, value)?,
            Key::Label => self.label = Some(Text::parse(value)?),
            _ => {}
        }
        Ok(())
    }
}

/// All that the optional arguments of a table set.
pub struct Table<M: Memory> {
    /// What to search for in what is written. None of their keys has been read.
    pub patterns: Patterns<M>,
    /// The rest.
    pub params: Params,
}

/// Why a table's arguments are not taken.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal<'a, E> {
    /// A word is wrong.
    Mistake(Mistake<'a>),
    /// There is no memory for the patterns.
    Memory(E),
}

impl<'a, E> From<Mistake<'a>> for Refusal<'a, E> {
    fn from(mistake: Mistake<'a>) -> Self {
        Self::Mistake(mistake)
    }
}

impl<M: Memory> Table<M> {
    /// Reads the arguments of a table, without the count before them: a name and its value each, in any
    /// order, each name at most once. Of patterns there may be many, and each may be followed by words
    /// about it: `name NAME`, `nocase`. What is not named keeps its default: the pattern is `DAMN`.
    ///
    /// # Errors
    ///
    /// The first mistake in the order of the words. See also [`Patterns::check`].
    pub fn parse<'a>(
        words: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
    ) -> Result<Self, Refusal<'a, M::Error>> {
        let mut words = words.into_iter();
        // At least as many as there are patterns.
        let room = words.clone().filter(|word| is_pattern(word)).count();
        let mut table = Self {
            patterns: Patterns::with_room(room.clamp(1, PATTERNS_MAX)).map_err(Refusal::Memory)?,
            params: Params::default(),
        };
        // What has been seen: bits of keys.
        let mut seen: u32 = 0;

        while let Some(name) = words.next() {
            let key = Key::from_name(name)
                .filter(|key| key.in_table())
                .ok_or_else(|| Mistake::new(name, What::UnknownArgument))?;

            if key == Key::NoCase {
                let before = table.patterns.last_mut();
                let before = before.filter(|pattern| !pattern.nocase());
                before
                    .ok_or_else(|| Mistake::new(name, What::NoPattern(key)))?
                    .ignore_case();
                continue;
            }
            if seen & key.bit() != 0 {
                return Err(Mistake::new(name, What::Repeated(key)).into());
            }
            seen |= key.bit();
            let value = words
                .next()
                .ok_or_else(|| Mistake::new(name, What::Missing(key)))?;
            let wrong = |fault| Mistake::new(value, What::Value(key, fault));

            match key {
                Key::Name => {
                    let before = table.patterns.last_mut();
                    let before = before.filter(|pattern| !pattern.is_named());
                    before
                        .ok_or_else(|| Mistake::new(name, What::NoPattern(key)))?
                        .set_name(value)
                        .map_err(wrong)?;
                }
                Key::Pattern | Key::PatternKey => {
                    if table.patterns.len() >= PATTERNS_MAX {
                        return Err(wrong(Fault::TooMany).into());
                    }
                    // No pattern stands alone.
                    let (this, others) = if key.is_none(value) {
                        (NONE_SEEN, NONE_SEEN | PATTERN_SEEN)
                    } else {
                        let pattern = table.patterns.push_first();
                        let pattern = pattern.ok_or_else(|| wrong(Fault::TooMany))?;
                        key.set_pattern(pattern, value).map_err(wrong)?;
                        (PATTERN_SEEN, NONE_SEEN)
                    };
                    if seen & others != 0 {
                        return Err(Mistake::new(name, What::Repeated(key)).into());
                    }
                    seen |= this;
                }
                _ => table.params.set(key, value).map_err(wrong)?,
            }
        }
        if seen & (PATTERN_SEEN | NONE_SEEN) == 0 {
            if let Some(pattern) = table.patterns.push_first() {
                // A plain word.
                let _ = pattern.set_text(b"DAMN");
            }
        }
        Ok(table)
    }

    /// The whole `#ARGS ARG...` of a table, defaults included: it prints so, and what it prints is parsed
    /// to the same again, less the count.
    pub fn line<'a>(patterns: &'a Patterns<M>, params: &'a Params) -> Line<'a, M> {
        Line { patterns, params }
    }
}

/// Arguments of a table; see [`Table::line`].
pub struct Line<'a, M: Memory> {
    patterns: &'a Patterns<M>,
    params: &'a Params,
}

impl<M: Memory> fmt::Display for Line<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { patterns, params } = self;
        // The count is of the words after it.
        let of_patterns = match patterns.is_empty() {
            true => 2,
            false => patterns
                .iter()
                .map(Pattern::words)
                .fold(0, usize::saturating_add),
        };
        let of_label = if params.label.is_some() { 2 } else { 0 };
        let count = of_patterns.saturating_add(16).saturating_add(of_label);

        write!(
            f,
            "{count} {patterns} ops {} data {} log {} log_rate {} log_lines {} places {} edges {} records {}",
            params.ops.name(),
            on_off(params.data),
            on_off(params.log),
            params.log_rate,
            params.log_lines,
            on_off(params.places),
            params.edges,
            params.records,
        )?;
        if let Some(label) = &params.label {
            write!(f, " label {label}")?;
        }
        Ok(())
    }
}

/// What a message asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change<'r> {
    /// `pattern TEXT|none` or `pattern_key NAME`: search for this alone from now on.
    Pattern(Option<&'r Pattern>),
    /// `pattern add NAME TEXT` or `pattern_key add NAME`: and for this.
    Add(&'r Pattern),
    /// `pattern del NAME`: not for this any more.
    Del(&'r [u8]),
    /// `pattern list`: say what is searched for.
    List,
    /// `ops OPS`: in which requests to search.
    Ops(Ops),
    /// `data on|off`: whether records keep a copy of the bytes.
    Data(bool),
    /// `log on|off`: whether requests are logged.
    Log(bool),
    /// `log_rate N`: how many whole requests a second are logged; 0 is no limit.
    LogRate(u32),
    /// `log_lines N`: how many lines of whole requests a second are logged; 0 is no limit.
    LogLines(u32),
    /// `places on|off`: whether each place where a pattern was found is logged.
    Places(bool),
    /// `reset`: the counters start from zero again.
    Reset,
    /// `mark TEXT`: a line in the log, after all requests before it.
    Mark(&'r [u8]),
}

impl<'r> Change<'r> {
    /// Reads the words of a message. Its texts are unescaped into `room`, which is too large for the stack.
    ///
    /// # Errors
    ///
    /// No word, an unknown one, a missing, wrong or superfluous one, or an argument that can be
    /// set by the table only.
    pub fn parse<'a>(
        words: impl IntoIterator<Item = &'a [u8]>,
        room: &'r mut Pattern,
    ) -> Result<Self, Mistake<'a>> {
        let mut words = Words {
            words: words.into_iter(),
        };
        let name = words
            .words
            .next()
            .ok_or_else(|| Mistake::new(b"", What::NoMessage))?;
        let key = match Key::from_name(name) {
            None | Some(Key::Name | Key::NoCase) => {
                return Err(Mistake::new(name, What::UnknownMessage));
            }
            Some(key @ (Key::Edges | Key::Records | Key::Label)) => {
                return Err(Mistake::new(name, What::TableOnly(key)));
            }
            Some(key) => key,
        };

        *room = Pattern::EMPTY;
        let change = match key {
            Key::Pattern | Key::PatternKey => words.pattern(key, name, room)?,
            Key::Ops => Self::Ops(words.value(key, name, Ops::parse)?),
            Key::Data => Self::Data(words.value(key, name, switch)?),
            Key::Log => Self::Log(words.value(key, name, switch)?),
            Key::LogRate => Self::LogRate(words.value(key, name, number)?),
            Key::LogLines => Self::LogLines(words.value(key, name, number)?),
            Key::Places => Self::Places(words.value(key, name, switch)?),
            Key::Mark => {
                words.value(key, name, |text| room.set_text_of(text, MARK_MAX))?;
                Self::Mark(room.bytes())
            }
            _ => Self::Reset,
        };
        words.end(key)?;
        Ok(change)
    }
}

/// The words of a message behind the first.
struct Words<I> {
    words: I,
}

impl<'a, I: Iterator<Item = &'a [u8]>> Words<I> {
    /// The next word, read by `read`; it is a value of `key`, and comes behind `before`.
    fn value<T>(
        &mut self,
        key: Key,
        before: &'a [u8],
        read: impl FnOnce(&'a [u8]) -> Result<T, Fault>,
    ) -> Result<T, Mistake<'a>> {
        let value = self
            .words
            .next()
            .ok_or_else(|| Mistake::new(before, What::Missing(key)))?;

        read(value).map_err(|fault| Mistake::new(value, What::Value(key, fault)))
    }

    /// Nothing may be left.
    fn end(&mut self, key: Key) -> Result<(), Mistake<'a>> {
        match self.words.next() {
            Some(word) => Err(Mistake::new(word, What::Extra(key))),
            None => Ok(()),
        }
    }

    /// What `pattern` or `pattern_key` asks for.
    fn pattern<'r>(
        &mut self,
        key: Key,
        name: &'a [u8],
        pattern: &'r mut Pattern,
    ) -> Result<Change<'r>, Mistake<'a>> {
        let word = self.value(key, name, Ok)?;

        match (key, word) {
            (Key::Pattern, b"list") => Ok(Change::List),
            (Key::Pattern, b"del") => {
                self.value(Key::Del, word, |name| pattern.set_text(name))?;
                self.end(Key::Del)?;
                Ok(Change::Del(pattern.bytes()))
            }
            (Key::Pattern, b"add") => {
                self.value(Key::Add, word, |name| pattern.set_name(name))?;
                self.value(Key::Add, word, |text| pattern.set_text(text))?;
                self.nocase(Key::Add, pattern).map(Change::Add)
            }
            (Key::PatternKey, b"add") => {
                self.value(key, word, |name| pattern.set_key(name))?;
                self.nocase(Key::Add, pattern).map(Change::Add)
            }
            _ if key.is_none(word) => Ok(Change::Pattern(None)),
            _ => {
                key.set_pattern(pattern, word)
                    .map_err(|fault| Mistake::new(word, What::Value(key, fault)))?;
                self.nocase(key, pattern).map(Some).map(Change::Pattern)
            }
        }
    }

    /// `nocase` may follow.
    fn nocase<'r>(
        &mut self,
        key: Key,
        pattern: &'r mut Pattern,
    ) -> Result<&'r Pattern, Mistake<'a>> {
        match self.words.next() {
            None => {}
            Some(b"nocase") => pattern.ignore_case(),
            Some(word) => return Err(Mistake::new(word, What::Extra(key))),
        }
        Ok(pattern)
    }
}

/// A mistake in a table's arguments or in a message.
///
/// It prints what was typed, what is wrong with it and what is allowed, on one line, for the log:
/// `log_rate 12x: not a whole number; allowed: a whole number from 0 to 4294967295, 0 for no
/// limit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mistake<'a> {
    /// The wrong word: a name or a value. Empty where a message has no word.
    pub word: Word<'a>,
    /// What is wrong with it.
    pub what: What,
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
    fn new(word: &'a [u8], what: What) -> Self {
        Self {
            word: Word::Typed(word),
            what,
        }
    }

    fn of_text(text: &'a [u8], what: What) -> Self {
        Self {
            word: Word::Text(text),
            what,
        }
    }

    /// What is wrong with a pattern that only shows where it meets others, or the kernel's keys.
    pub fn of_pattern(pattern: &'a Pattern, fault: Fault) -> Self {
        let (word, key) = match (pattern.key_name(), fault) {
            (Some(name), Fault::NoKey | Fault::KeyTooLong) => (name.as_bytes(), Key::PatternKey),
            (Some(_), _) => (pattern.shown(), Key::PatternKey),
            (None, _) => (pattern.shown(), Key::Pattern),
        };
        Self::of_text(word, What::Value(key, fault))
    }

    /// That there is no pattern to delete of this name.
    pub fn no_pattern(name: &'a [u8]) -> Self {
        Self::of_text(name, What::Value(Key::Del, Fault::NoPattern))
    }
}

impl fmt::Display for Mistake<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A value is printed after its name.
        match self.what {
            What::Value(key, _) | What::Extra(key) => write!(f, "{} ", key.name())?,
            _ => {}
        }
        let (Word::Typed(bytes) | Word::Text(bytes)) = self.word;
        let (start, end) = match bytes.get(..MISTAKE_MAX) {
            Some(start) if start.len() < bytes.len() => (start, "...: "),
            _ if bytes.is_empty() => (bytes, ""),
            _ => (bytes, ": "),
        };
        match self.word {
            Word::Typed(_) => write!(f, "{}{end}", Typed(start))?,
            Word::Text(_) => write!(f, "{}{end}", Escaped(start))?,
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
    /// It is said about a pattern, and none comes before it that this has not been said of.
    NoPattern(Key),
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
            Self::NoPattern(_) => c"No pattern before it",
            Self::Missing(_) => c"Missing value",
            Self::Value(Key::Pattern | Key::Add | Key::Del, _) => c"Invalid pattern",
            Self::Value(Key::PatternKey, _) => c"Invalid pattern_key",
            Self::Value(Key::Ops, _) => c"Invalid ops",
            Self::Value(Key::Data, _) => c"Invalid data",
            Self::Value(Key::Log, _) => c"Invalid log",
            Self::Value(Key::LogRate, _) => c"Invalid log_rate",
            Self::Value(Key::LogLines, _) => c"Invalid log_lines",
            Self::Value(Key::Name, _) => c"Invalid name",
            Self::Value(Key::Places, _) => c"Invalid places",
            Self::Value(Key::Edges, _) => c"Invalid edges",
            Self::Value(Key::Records, _) => c"Invalid records",
            Self::Value(Key::Label, _) => c"Invalid label",
            Self::Value(Key::Mark, _) => c"Invalid mark",
            Self::NoMessage => c"Empty message",
            // These take no value that could be wrong.
            Self::UnknownMessage | Self::Value(Key::Reset | Key::NoCase, _) => c"Unknown message",
            Self::Extra(_) => c"Too many words",
            Self::TableOnly(_) => c"Set by the table only",
        }
    }

    /// What is wrong, for a line of ours, after the word.
    pub fn what(self) -> &'static str {
        match self {
            Self::UnknownArgument => "unknown argument",
            Self::Repeated(_) => "given twice",
            Self::NoPattern(_) => "no pattern before it that has none",
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
                "pattern TEXT|none, pattern_key NAME, name NAME, nocase, ops OPS, data on|off, log on|off, log_rate N, log_lines N, places on|off, edges N, records N, label TEXT"
            }
            Self::Repeated(Key::Pattern | Key::PatternKey) => "pattern none alone, or patterns",
            Self::Repeated(_) => "each argument once",
            Self::NoPattern(_) => "after pattern TEXT or pattern_key NAME, name NAME and nocase once each",
            Self::Value(_, Fault::NameTaken) => "each name once; of a pattern without one, its text",
            Self::Value(_, Fault::Same) => "each text once",
            Self::Value(_, Fault::TooMany) => "256 patterns at most",
            Self::Missing(key) | Self::Value(key, _) => key.allowed(),
            Self::NoMessage | Self::UnknownMessage | Self::TableOnly(_) => {
                "pattern TEXT|none, pattern add NAME TEXT, pattern del NAME, pattern list, pattern_key NAME, pattern_key add NAME, ops OPS, data on|off, log on|off, log_rate N, log_lines N, places on|off, reset, mark TEXT"
            }
            Self::Extra(Key::Reset) => "reset alone",
            Self::Extra(Key::Pattern | Key::PatternKey | Key::Add) => {
                "one text, %20 for a space, and nocase"
            }
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
    /// No requests to search in.
    NotOps,
    /// Not all decimal digits.
    NotNumber,
    /// A number that is too small or too large.
    OutOfRange,
    /// The name of no key, or of one that has expired or been revoked.
    NoKey,
    /// The name of a key that holds too many bytes.
    KeyTooLong,
    /// More patterns than there may be.
    TooMany,
    /// Another pattern is shown by the same name.
    NameTaken,
    /// Another pattern has the same bytes.
    Same,
    /// The name of no pattern.
    NoPattern,
}

impl Fault {
    fn what(self) -> &'static str {
        match self {
            Self::BadEscape => "bad escape",
            Self::Empty => "empty",
            Self::TooLong => "too long",
            Self::NotSwitch => "neither on nor off",
            Self::NotOps => "no such ops",
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

/// The words that are no values: names of arguments and messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// `pattern`, of a table or a message.
    Pattern,
    /// `pattern_key`, of a table or a message.
    PatternKey,
    /// `name`, behind a pattern of a table.
    Name,
    /// `nocase`, behind a pattern.
    NoCase,
    /// `add`, behind `pattern` or `pattern_key` of a message.
    Add,
    /// `del`, behind `pattern` of a message.
    Del,
    /// `ops`, of a table or a message.
    Ops,
    /// `data`, of a table or a message.
    Data,
    /// `log`, of a table or a message.
    Log,
    /// `log_rate`, of a table or a message.
    LogRate,
    /// `log_lines`, of a table or a message.
    LogLines,
    /// `places`, of a table or a message.
    Places,
    /// `edges`, of a table.
    Edges,
    /// `records`, of a table.
    Records,
    /// `label`, of a table.
    Label,
    /// `reset`, a message.
    Reset,
    /// `mark`, a message.
    Mark,
}

/// Bits beside those of [`Key::bit`]: that a pattern was given, or `pattern none`.
const PATTERN_SEEN: u32 = 1 << 30;
const NONE_SEEN: u32 = 1 << 31;

impl Key {
    /// The key that a table or a message may name.
    fn from_name(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"pattern" => Self::Pattern,
            b"pattern_key" => Self::PatternKey,
            b"name" => Self::Name,
            b"nocase" => Self::NoCase,
            b"ops" => Self::Ops,
            b"data" => Self::Data,
            b"log" => Self::Log,
            b"log_rate" => Self::LogRate,
            b"log_lines" => Self::LogLines,
            b"places" => Self::Places,
            b"edges" => Self::Edges,
            b"records" => Self::Records,
            b"label" => Self::Label,
            b"reset" => Self::Reset,
            b"mark" => Self::Mark,
            _ => return None,
        })
    }

    fn in_table(self) -> bool {
        !matches!(self, Self::Reset | Self::Mark | Self::Add | Self::Del)
    }

    /// The word itself, where it stands before a value.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::PatternKey => "pattern_key",
            Self::Name => "name",
            Self::NoCase => "nocase",
            Self::Add => "add",
            Self::Del => "del",
            Self::Ops => "ops",
            Self::Data => "data",
            Self::Log => "log",
            Self::LogRate => "log_rate",
            Self::LogLines => "log_lines",
            Self::Places => "places",
            Self::Edges => "edges",
            Self::Records => "records",
            Self::Label => "label",
            Self::Reset => "reset",
            Self::Mark => "mark",
        }
    }

    /// What its value may be.
    fn allowed(self) -> &'static str {
        match self {
            Self::Pattern => "1 to 255 bytes, %HH for what is not plain; or none",
            Self::PatternKey => {
                "the name, 1 to 64 bytes, of a logon key that you can search and that holds 1 to 255 bytes"
            }
            Self::Name => "1 to 64 bytes, %HH for what is not plain",
            Self::NoCase => "nocase",
            Self::Add => "a name of 1 to 64 bytes and a text of 1 to 255, %HH for what is not plain",
            Self::Del => "a name as pattern list prints it",
            Self::Ops => "read, write or read,write",
            Self::Data | Self::Log | Self::Places => "on or off",
            Self::LogRate | Self::LogLines => "a whole number from 0 to 4294967295, 0 for no limit",
            Self::Edges => "a whole number from 0 to 65536, 0 for none",
            Self::Records => "a whole number from 1 to 65536",
            Self::Label => "1 to 32 bytes, %HH for what is not plain",
            Self::Reset => "reset alone",
            Self::Mark => "1 to 128 bytes, %HH for what is not plain",
        }
    }

    /// A bit to remember it by; none for those that there may be many of.
    fn bit(self) -> u32 {
        match self {
            Self::Pattern | Self::PatternKey | Self::Name | Self::NoCase => 0,
            Self::Data => 1 << 1,
            Self::Log => 1 << 2,
            Self::LogRate => 1 << 3,
            Self::Records => 1 << 4,
            Self::Label => 1 << 5,
            Self::Places => 1 << 6,
            Self::Edges => 1 << 7,
            Self::Ops => 1 << 8,
            Self::LogLines => 1 << 9,
            // Of no table.
            Self::Reset | Self::Mark | Self::Add | Self::Del => 0,
        }
    }

    /// Whether it is `pattern none`. The text of these four letters can be had as `%6Eone`.
    fn is_none(self, word: &[u8]) -> bool {
        self != Self::PatternKey && word == b"none"
    }

    /// Sets what the value of `pattern` or `pattern_key` says.
    fn set_pattern(self, pattern: &mut Pattern, word: &[u8]) -> Result<(), Fault> {
        match self {
            Self::PatternKey => pattern.set_key(word),
            _ => pattern.set_text(word),
        }
    }
}

/// Whether a pattern may stand behind this word of a table.
fn is_pattern(word: &[u8]) -> bool {
    matches!(Key::from_name(word), Some(Key::Pattern | Key::PatternKey))
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

/// Reads a whole number of a range.
fn number_in(range: RangeInclusive<u32>, word: &[u8]) -> Result<u32, Fault> {
    Some(number(word)?)
        .filter(|number| range.contains(number))
        .ok_or(Fault::OutOfRange)
}
