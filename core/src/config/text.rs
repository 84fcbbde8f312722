// SPDX-License-Identifier: GPL-2.0

//! Short texts of any bytes.

use super::fault::Fault;
use crate::bytes::word::{
    unescape,
    Escaped,
    UnescapeError, //
};
use core::fmt;

/// A text of at most `N` bytes of any value, owned. It prints as [`Escaped`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Text<const N: usize> {
    /// How many of `bytes` belong to the text; at most `N`. The others are zero, so that texts can be compared as a
    /// whole.
    length: usize,
    bytes: [u8; N],
}

impl<const N: usize> Text<N> {
    /// No bytes.
    pub(super) const EMPTY: Self = Self {
        length: 0,
        bytes: [0; N],
    };

    /// Makes a text of these bytes; `None` if there are more than `N`.
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
        // `length` is at most `N`, so the fallback is never used.
        self.bytes.get(..self.length).unwrap_or(&[])
    }

    /// Reads an escaped word of 1 to `max` bytes, and no more than `N`. It is read in place, because some texts are too
    /// large for the stack. After a fault, the text is empty.
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

    /// Reads an escaped word as a path, which has no NUL: otherwise as [`Self::set`].
    pub(super) fn set_path(&mut self, word: &[u8], max: usize) -> Result<(), Fault> {
        self.set(word, max)?;
        if self.as_bytes().contains(&0) {
            *self = Self::EMPTY;
            return Err(Fault::BadEscape);
        }
        Ok(())
    }

    /// Lets `fill` write the text. It returns how many bytes it has written.
    ///
    /// # Errors
    ///
    /// That of `fill`. The text is then empty.
    pub fn fill<E>(&mut self, fill: impl FnOnce(&mut [u8]) -> Result<usize, E>) -> Result<(), E> {
        *self = Self::EMPTY;
        let filled = fill(&mut self.bytes);
        self.length = filled.as_ref().map_or(0, |length| N.min(*length));
        // After the text come zeroes.
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
