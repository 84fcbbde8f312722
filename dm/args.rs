// SPDX-License-Identifier: GPL-2.0

//! The words of a table line or of a message, and errors about them.

use super::bytes::word::{
    Escaped,
    Typed, //
};
use core::ops::RangeInclusive;
use kernel::{
    alloc::AllocError,
    ffi::c_char,
    fmt,
    prelude::*, //
};

/// How much of a wrong word is printed, in bytes.
const WORD_MAX: usize = 128;

/// Why a constructor refuses its table line.
///
/// Device-mapper prints `sentence` after the constructor has returned. So it is static, and cannot name the
/// wrong word. [`Args::refuse`] first prints a line of its own that does.
#[derive(Debug)]
pub struct CtrError {
    errno: Error,
    sentence: &'static CStr,
}

impl CtrError {
    /// An error that is not about a word: memory, for example.
    pub const fn new(errno: Error, sentence: &'static CStr) -> Self {
        Self { errno, sentence }
    }

    /// The error code that the ioctl returns.
    pub fn errno(&self) -> Error {
        self.errno
    }

    /// The sentence for `dm_target.error`.
    pub(super) fn sentence(&self) -> &'static CStr {
        self.sentence
    }
}

impl From<Error> for CtrError {
    fn from(errno: Error) -> Self {
        Self::new(errno, c"Cannot set up the target")
    }
}

impl From<AllocError> for CtrError {
    fn from(_: AllocError) -> Self {
        Self::new(ENOMEM, c"Cannot allocate memory")
    }
}

/// The remaining words of a table line or of a message.
///
/// It must be empty when a constructor returns: device-mapper targets refuse words that they do not know.
///
/// The words live in a buffer that is freed when the callback returns (`dm_table_add_target`). `'a` keeps
/// them from outliving it.
#[derive(Clone)]
pub struct Args<'a> {
    device: &'a CStr,
    words: &'a [*mut c_char],
}

impl<'a> Args<'a> {
    /// # Safety
    ///
    /// - `device` and each of the `argc` strings of `argv` are NUL-terminated and stay valid and
    ///   unchanged for `'a`, as does `argv`.
    /// - `argv` may be null only if `argc` is zero.
    pub(super) unsafe fn from_raw(
        device: *const c_char,
        argc: core::ffi::c_uint,
        argv: *mut *mut c_char,
    ) -> Self {
        let words = if argc == 0 {
            &[]
        } else {
            // SAFETY: The caller promises `argc` pointers at `argv` for `'a`; a `u32` fits `usize`
            // on all architectures that have Rust.
            unsafe { core::slice::from_raw_parts(argv.cast_const(), argc as usize) }
        };
        Self {
            // SAFETY: The caller promises a string that lives for `'a`.
            device: unsafe { CStr::from_char_ptr(device) },
            words,
        }
    }

    /// The device-mapper device of this table or message, as `major:minor`.
    pub fn device(&self) -> &'a CStr {
        self.device
    }

    /// How many words are left.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether no word is left.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The next word. `name` describes it in the error if it is missing.
    ///
    /// # Errors
    ///
    /// `EINVAL` when no word is left.
    pub fn next_word(&mut self, name: &str) -> Result<&'a CStr, CtrError> {
        self.next().ok_or_else(|| {
            self.refuse(
                None,
                EINVAL,
                c"Too few arguments",
                format_args!("{name} is missing"),
            )
        })
    }

    /// The next word as a decimal number within `range`.
    ///
    /// # Errors
    ///
    /// `EINVAL` when no word is left, when it is not a plain decimal number, and when it is out of
    /// `range`.
    pub fn next_u64(
        &mut self,
        name: &str,
        range: RangeInclusive<u64>,
        sentence: &'static CStr,
    ) -> Result<u64, CtrError> {
        let word = self.next_word(name)?;

        parse_u64(word.to_bytes())
            .filter(|number| range.contains(number))
            .ok_or_else(|| {
                let (low, high) = (range.start(), range.end());
                self.refuse(
                    Some(word),
                    EINVAL,
                    sentence,
                    format_args!("{name} is a whole number from {low} to {high}"),
                )
            })
    }

    /// A count, and then exactly that many words up to the end of the line: device-mapper's form of optional
    /// arguments. A missing count is a count of zero.
    ///
    /// # Errors
    ///
    /// `EINVAL` when the count is not a number, or differs from the number of words after it.
    pub fn rest_as_group(&mut self) -> Result<Args<'a>, CtrError> {
        if let Some(count) = self.next() {
            let left = self.len();

            if parse_u64(count.to_bytes()) != Some(left as u64) {
                return Err(self.refuse(
                    Some(count),
                    EINVAL,
                    c"Argument count does not match",
                    format_args!("#ARGS is the number of words that follow it, here {left}"),
                ));
            }
        }

        let group = Args {
            device: self.device,
            words: self.words,
        };
        self.words = &[];
        Ok(group)
    }

    /// Prints a line that names the device, about words that are nevertheless accepted.
    pub fn warn(&self, text: fmt::Arguments<'_>) {
        let device = Escaped(self.device.to_bytes());

        pr_warn!("{}\n", format_args!("{device}: {text}"));
    }

    /// Refuses `word` (or with `None`, the lack of one). Prints a line that names the device, the word as it was
    /// typed, and what is allowed instead. Returns the error for the caller to return.
    pub fn refuse(
        &self,
        word: Option<&CStr>,
        errno: Error,
        sentence: &'static CStr,
        allowed: fmt::Arguments<'_>,
    ) -> CtrError {
        let device = Escaped(self.device.to_bytes());
        match word {
            Some(word) => {
                let word = word.to_bytes();
                // What is allowed must still fit into the line, which printk limits.
                let (word, dots) = match word.get(..WORD_MAX) {
                    Some(start) if start.len() < word.len() => (Typed(start), "..."),
                    _ => (Typed(word), ""),
                };
                pr_err!("{}\n", format_args!("{device}: '{word}{dots}': {allowed}"));
            }
            None => pr_err!("{}\n", format_args!("{device}: {allowed}")),
        }
        CtrError::new(errno, sentence)
    }
}

impl<'a> Iterator for Args<'a> {
    type Item = &'a CStr;

    fn next(&mut self) -> Option<&'a CStr> {
        let (&first, rest) = self.words.split_first()?;
        self.words = rest;
        // SAFETY: Each word is a string that lives for `'a`, by the contract of `from_raw`.
        Some(unsafe { CStr::from_char_ptr(first) })
    }
}

/// A plain decimal number: digits only, no sign.
fn parse_u64(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    word.iter().try_fold(0u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
