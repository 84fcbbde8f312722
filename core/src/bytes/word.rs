// SPDX-License-Identifier: GPL-2.0

//! The `%HH` escapes, the same in tables, messages, status and the log.
//!
//! Backslashes do not work for this: device-mapper removes them, differently in tables and messages (`dm_split_args` in
//! `drivers/md/dm-table.c`). dmsetup takes what follows a `#` in a table for a comment.

use core::fmt::{
    self,
    Write, //
};

/// Bytes that print as one plain word.
///
/// Printable ASCII (0x21 to 0x7e) prints as it is, except `%`, `\` and `#`; every other byte prints
/// as `%HH`, in upper-case hexadecimal. [`unescape`] is the inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            match byte {
                b'%' | b'\\' | b'#' => write!(f, "%{byte:02X}")?,
                0x21..=0x7e => f.write_char(char::from(byte))?,
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

/// A wrong word, as it was typed.
///
/// Printable ASCII (0x21 to 0x7e) prints as it is, and so do escapes that were typed. Every other byte prints as
/// `%HH`, so no word can look like another line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Typed<'a>(pub &'a [u8]);

impl fmt::Display for Typed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            match byte {
                0x21..=0x7e => f.write_char(char::from(byte))?,
                _ => write!(f, "%{byte:02X}")?,
            }
        }
        Ok(())
    }
}

/// Why a word could not be unescaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnescapeError {
    /// A `%` is not followed by two hexadecimal digits.
    BadEscape,
    /// The bytes do not fit into the given space.
    TooLong,
}

/// Writes the bytes that `word` encodes to the start of `out`, and returns them.
///
/// Digits of either case are accepted. A byte that is not part of an escape encodes itself, even if [`Escaped`]
/// would not print it like that. On failure, `out` holds the bytes before the mistake.
///
/// # Errors
///
/// The first mistake in the word: [`UnescapeError::BadEscape`] or [`UnescapeError::TooLong`].
pub fn unescape<'b>(word: &[u8], out: &'b mut [u8]) -> Result<&'b [u8], UnescapeError> {
    let mut bytes = word.iter().copied();
    let mut length: usize = 0;

    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => escape(&mut bytes).ok_or(UnescapeError::BadEscape)?,
            _ => byte,
        };
        *out.get_mut(length).ok_or(UnescapeError::TooLong)? = byte;
        // Never saturates: `length` was a valid index a line ago.
        length = length.saturating_add(1);
    }

    out.get(..length).ok_or(UnescapeError::TooLong)
}

/// Reads the two digits after a `%`.
fn escape(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let high = digit(bytes.next()?)?;
    let low = digit(bytes.next()?)?;
    Some((high << 4) | low)
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte & 0xf),
        // Never wraps: the low four bits of a letter are 1 to 6.
        b'a'..=b'f' | b'A'..=b'F' => Some((byte & 0xf).wrapping_add(9)),
        _ => None,
    }
}
