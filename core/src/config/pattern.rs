// SPDX-License-Identifier: GPL-2.0

//! Patterns as a person asks for them, each with a name. Their lists are replaced, never changed.

use core::fmt;

use super::{
    fault::Fault,
    text::Text, //
};
use crate::{
    memory::Memory,
    search::set::{
        self,
        PATTERNS_MAX,
        PATTERN_MAX, //
    },
};

/// The longest name that can be given to a pattern, in bytes.
pub const NAME_MAX: usize = 64;

/// The longest name of a key that holds a pattern, in bytes.
pub const KEY_NAME_MAX: usize = 64;

/// How many patterns of a target can be counted separately. While one pattern replaces others, there is one more than
/// can be searched for.
pub const SLOTS: usize = PATTERNS_MAX + 1;

/// What to search for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Pattern {
    /// Its bytes. For a key, they are empty until the key has been read.
    text: Text<PATTERN_MAX>,
    /// The name of the logon key, in the kernel's key service, that holds the bytes. Only this name is shown, never
    /// the bytes.
    key: Option<Text<KEY_NAME_MAX>>,
    name: Option<Text<NAME_MAX>>,
    nocase: bool,
    /// Where it is counted: below [`SLOTS`].
    slot: usize,
}

/// A pattern is large, so it is built in place. Each part is read from an escaped word.
impl Pattern {
    /// No bytes.
    pub const EMPTY: Self = Self {
        text: Text::EMPTY,
        key: None,
        name: None,
        nocase: false,
        slot: 0,
    };

    /// Sets its bytes. The log, the status and the table show them; with a name, only the table does.
    ///
    /// # Errors
    ///
    /// An empty text, a bad escape, or a text that is too long.
    pub fn set_text(&mut self, word: &[u8]) -> Result<(), Fault> {
        self.set_text_of(word, PATTERN_MAX)
    }

    /// The same, of at most `max` bytes.
    pub(super) fn set_text_of(&mut self, word: &[u8], max: usize) -> Result<(), Fault> {
        self.text.set(word, max)
    }

    /// The same for a path, which has no NUL.
    pub(super) fn set_path_of(&mut self, word: &[u8], max: usize) -> Result<(), Fault> {
        self.text.set_path(word, max)
    }

    /// Sets the name of the key that holds its bytes.
    ///
    /// # Errors
    ///
    /// As [`Self::set_text`].
    pub fn set_key(&mut self, word: &[u8]) -> Result<(), Fault> {
        self.key = None;
        self.key.insert(Text::EMPTY).set(word, KEY_NAME_MAX)
    }

    /// Sets its name.
    ///
    /// # Errors
    ///
    /// As [`Self::set_text`].
    pub fn set_name(&mut self, word: &[u8]) -> Result<(), Fault> {
        self.name = None;
        self.name.insert(Text::EMPTY).set(word, NAME_MAX)
    }

    /// Ignores the case of ASCII letters.
    pub fn ignore_case(&mut self) {
        self.nocase = true;
    }

    /// How the log and the status show it: its name, or that of its key, or its bytes.
    pub fn shown(&self) -> &[u8] {
        match (&self.name, &self.key) {
            (Some(name), _) | (None, Some(name)) => name.as_bytes(),
            (None, None) => self.text.as_bytes(),
        }
    }

    /// The bytes to search for.
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Whether the case of ASCII letters is ignored.
    pub fn nocase(&self) -> bool {
        self.nocase
    }

    /// Whether it has a name of its own.
    pub fn is_named(&self) -> bool {
        self.name.is_some()
    }

    /// The name of the key that holds it.
    pub fn key_name(&self) -> Option<&Text<KEY_NAME_MAX>> {
        self.key.as_ref()
    }

    /// The name of a key whose bytes have not been read yet, and where they go.
    pub fn unread_key(&mut self) -> Option<(&Text<KEY_NAME_MAX>, &mut Text<PATTERN_MAX>)> {
        let key = self.key.as_ref()?;
        let unread = self.text.as_bytes().is_empty();

        if !unread {
            return None;
        }
        Some((key, &mut self.text))
    }

    /// Where it is counted: below [`SLOTS`].
    pub fn slot(&self) -> usize {
        self.slot
    }

    /// How many words it prints as.
    pub(super) fn words(&self) -> usize {
        let name = if self.name.is_some() { 2 } else { 0 };
        let nocase = if self.nocase { 1 } else { 0 };

        // There is nothing to wrap.
        usize::wrapping_add(2, name).wrapping_add(nocase)
    }
}

/// Prints as the words of a table that create it.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "pattern_key {key}")?,
            // The text `none`, not the word for no pattern.
            None if self.text.as_bytes() == b"none" => f.write_str("pattern %6Eone")?,
            None => write!(f, "pattern {}", self.text)?,
        }
        if let Some(name) = &self.name {
            write!(f, " name {name}")?;
        }
        if self.nocase {
            f.write_str(" nocase")?;
        }
        Ok(())
    }
}

/// Prints the same way: the bytes of a key are not shown here either.
impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pattern({self})")
    }
}

/// Patterns in the order in which they were given.
///
/// No two have the same slot. [`Self::check`] says whether they can be searched for together.
pub struct Patterns<M: Memory> {
    /// The elements after the existing patterns have no meaning.
    list: M::Array<Pattern>,
    len: usize,
}

impl<M: Memory> Patterns<M> {
    /// An empty list, with space for `room` patterns.
    ///
    /// # Errors
    ///
    /// If there is no memory.
    pub(super) fn with_room(room: usize) -> Result<Self, M::Error> {
        Ok(Self {
            list: M::array(&Pattern::EMPTY, room)?,
            len: 0,
        })
    }

    /// A list of only `pattern`, or an empty one, to replace this one.
    ///
    /// # Errors
    ///
    /// If there is no memory.
    pub fn replaced(&self, pattern: Option<&Pattern>) -> Result<Self, M::Error> {
        let mut patterns = Self::with_room(usize::from(pattern.is_some()))?;

        if let Some(pattern) = pattern {
            patterns.push(pattern, self.free_slot());
        }
        Ok(patterns)
    }

    /// These and one more.
    ///
    /// # Errors
    ///
    /// If there is no memory.
    pub fn with(&self, pattern: &Pattern) -> Result<Self, M::Error> {
        let mut patterns = Self::with_room(self.len.saturating_add(1))?;

        self.iter().for_each(|old| patterns.push(old, old.slot));
        patterns.push(pattern, self.free_slot());
        Ok(patterns)
    }

    /// A copy of the list.
    ///
    /// # Errors
    ///
    /// If there is no memory.
    pub fn copied(&self) -> Result<Self, M::Error> {
        let mut patterns = Self::with_room(self.len)?;

        self.iter().for_each(|old| patterns.push(old, old.slot));
        Ok(patterns)
    }

    /// These without the one that is shown as `name`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If there is no memory.
    pub fn without(&self, name: &[u8]) -> Result<Option<Self>, M::Error> {
        if !self.iter().any(|pattern| pattern.shown() == name) {
            return Ok(None);
        }
        let mut patterns = Self::with_room(self.len.saturating_sub(1))?;
        let others = self.iter().filter(|pattern| pattern.shown() != name);

        others.for_each(|other| patterns.push(other, other.slot));
        Ok(Some(patterns))
    }

    /// Adds a copy of a pattern, counted in `slot`, if there is space.
    fn push(&mut self, pattern: &Pattern, slot: usize) {
        if let Some(to) = self.list.get_mut(self.len) {
            *to = *pattern;
            to.slot = slot;
            // Within the list.
            self.len = self.len.wrapping_add(1);
        }
    }

    /// Adds an empty pattern whose slot is its index, for a new list. `None` if there is no space.
    pub(super) fn push_first(&mut self) -> Option<&mut Pattern> {
        let to = self.list.get_mut(self.len)?;

        *to = Pattern::EMPTY;
        to.slot = self.len;
        // Within the list.
        self.len = self.len.wrapping_add(1);
        Some(to)
    }

    /// The last one.
    pub(super) fn last_mut(&mut self) -> Option<&mut Pattern> {
        self.list.get_mut(..self.len)?.last_mut()
    }

    /// The first slot that none of them has.
    fn free_slot(&self) -> usize {
        (0..SLOTS)
            .find(|slot| self.iter().all(|pattern| pattern.slot != *slot))
            .unwrap_or(0)
    }

    /// How many words they print as.
    pub(super) fn words(&self) -> usize {
        match self.as_slice() {
            // `pattern none`.
            [] => 2,
            patterns => patterns
                .iter()
                .map(Pattern::words)
                .fold(0, usize::saturating_add),
        }
    }

    /// All of them.
    pub fn iter(&self) -> core::slice::Iter<'_, Pattern> {
        self.as_slice().iter()
    }

    /// The same, for changes.
    pub fn iter_mut(&mut self) -> core::slice::IterMut<'_, Pattern> {
        self.list.get_mut(..self.len).unwrap_or_default().iter_mut()
    }

    /// All of them.
    pub fn as_slice(&self) -> &[Pattern] {
        self.list.get(..self.len).unwrap_or_default()
    }

    /// What the search needs of them. Keys that have not been read yet have no bytes.
    pub fn to_search(&self) -> impl ExactSizeIterator<Item = set::Pattern<'_>> {
        self.iter().map(|pattern| set::Pattern {
            bytes: pattern.bytes(),
            nocase: pattern.nocase,
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Checks that there are not too many, and that no two are shown by the same name.
    ///
    /// # Errors
    ///
    /// The index of the first one at fault.
    pub fn check(&self) -> Result<(), (usize, Fault)> {
        for (index, pattern) in (0..self.len).zip(self.iter()) {
            if index >= PATTERNS_MAX {
                return Err((index, Fault::TooMany));
            }
            let mut before = self.iter().take(index);
            if before.any(|other| other.shown() == pattern.shown()) {
                return Err((index, Fault::NameTaken));
            }
        }
        Ok(())
    }
}

/// Prints as the words of a table that create them.
impl<M: Memory> fmt::Display for Patterns<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("pattern none");
        }
        let mut space = "";
        self.iter()
            .try_for_each(|pattern| write!(f, "{}{pattern}", core::mem::replace(&mut space, " ")))
    }
}
