// SPDX-License-Identifier: GPL-2.0

//! The arguments of a table: how they are read, and how they print.
//!
//! Case matters in words. Texts are escaped with `%HH` (see `bytes/word.rs`).

use super::{
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
    pattern::Patterns, //
};
use crate::{
    memory::Memory,
    search::set::PATTERNS_MAX, //
};
use core::fmt;

/// Everything that the optional arguments of a table set.
pub struct Table<M: Memory> {
    /// What to search for. None of the keys has been read.
    pub patterns: Patterns<M>,
    /// The rest.
    pub params: Params,
}

/// Why a table's arguments are refused.
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
    /// Reads the arguments of a table, without the count before them. They are names, each with its value, in any
    /// order, each at most once. There may be many patterns, and each may be followed by words about it: `name NAME`,
    /// `nocase`. Arguments that are missing keep their default; that of the pattern is `DAMN`.
    ///
    /// # Errors
    ///
    /// The first mistake in the order of the words; then an argument about a history that is not there. See also
    /// [`Patterns::check`].
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
        // Which arguments were given, and whether `pattern none` was.
        let mut given = [false; Argument::ALL.len()];
        let mut none = false;
        // The first argument that needs a history.
        let mut of_history = None;

        while let Some(name) = words.next() {
            let keyword = Keyword::from_name(name)
                .ok_or_else(|| Mistake::new(name, MistakeKind::UnknownArgument))?;
            let repeated = || Mistake::new(name, MistakeKind::Repeated(keyword));
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| Mistake::new(name, MistakeKind::Missing(keyword)))
            };
            // What is wrong with the value.
            let wrong = |word, fault| Mistake::new(word, MistakeKind::Value(keyword, fault));

            match keyword {
                Keyword::Pattern => {
                    let value = value()?;
                    // `pattern none` must be alone.
                    if value == b"none" {
                        if table.patterns.len() >= PATTERNS_MAX {
                            return Err(wrong(value, Fault::TooMany).into());
                        }
                        if none || !table.patterns.is_empty() {
                            return Err(repeated().into());
                        }
                        none = true;
                    } else {
                        let pattern = table.patterns.push_first().ok_or(Fault::TooMany);
                        pattern
                            .and_then(|pattern| pattern.set_text(value))
                            .map_err(|fault| wrong(value, fault))?;
                        if none {
                            return Err(repeated().into());
                        }
                    }
                }
                Keyword::PatternKey => {
                    let value = value()?;
                    let pattern = table.patterns.push_first().ok_or(Fault::TooMany);
                    pattern
                        .and_then(|pattern| pattern.set_key(value))
                        .map_err(|fault| wrong(value, fault))?;
                    if none {
                        return Err(repeated().into());
                    }
                }
                Keyword::Name => {
                    let value = value()?;
                    let before = table.patterns.last_mut();
                    before
                        .filter(|pattern| !pattern.is_named())
                        .ok_or_else(|| Mistake::new(name, MistakeKind::NoPattern))?
                        .set_name(value)
                        .map_err(|fault| wrong(value, fault))?;
                }
                Keyword::NoCase => {
                    let before = table.patterns.last_mut();
                    before
                        .filter(|pattern| !pattern.nocase())
                        .ok_or_else(|| Mistake::new(name, MistakeKind::NoPattern))?
                        .ignore_case();
                }
                Keyword::Setting(argument) => {
                    let before = given.get_mut(argument as usize);
                    if before.is_none_or(|before| core::mem::replace(before, true)) {
                        return Err(repeated().into());
                    }
                    if argument.needs_history() {
                        of_history = of_history.or(Some(name));
                    }
                    let value = value()?;
                    let setting = argument.parse(value);
                    table
                        .params
                        .set(setting.map_err(|fault| wrong(value, fault))?);
                }
                Keyword::Add
                | Keyword::Del
                | Keyword::Reset
                | Keyword::Mark
                | Keyword::History
                | Keyword::Stop
                | Keyword::Next => {
                    return Err(Mistake::new(name, MistakeKind::UnknownArgument).into());
                }
            }
        }
        if let (Some(name), None) = (of_history, &table.params.history) {
            return Err(Mistake::new(name, MistakeKind::NoHistory).into());
        }
        if !none && table.patterns.is_empty() {
            if let Some(pattern) = table.patterns.push_first() {
                // A plain word.
                let _ = pattern.set_text(b"DAMN");
            }
        }
        Ok(table)
    }

    /// Prints as the whole `#ARGS ARG...` of a table, defaults included. [`Self::parse`] reads it, without the count,
    /// as the same table again, except that `history_new` is left out.
    pub fn line<'a>(patterns: &'a Patterns<M>, params: &'a Params) -> TableLine<'a, M> {
        TableLine { patterns, params }
    }
}

/// Arguments of a table; see [`Table::line`].
pub struct TableLine<'a, M: Memory> {
    patterns: &'a Patterns<M>,
    params: &'a Params,
}

impl<M: Memory> fmt::Display for TableLine<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { patterns, params } = self;
        let settings = || {
            let all = Argument::ALL.iter();
            all.filter_map(|argument| Some((argument.name(), params.shown(*argument)?)))
        };
        // The count covers the words after it.
        let count = settings().fold(patterns.words(), |count, _| count.saturating_add(2));

        write!(f, "{count} {patterns}")?;
        for (name, value) in settings() {
            write!(f, " {name} {value}")?;
        }
        Ok(())
    }
}

/// Whether a pattern may follow this word of a table.
fn is_pattern(word: &[u8]) -> bool {
    word == Keyword::Pattern.name().as_bytes() || word == Keyword::PatternKey.name().as_bytes()
}
