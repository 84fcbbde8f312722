// SPDX-License-Identifier: GPL-2.0

//! The buffer for a status, or for the answer to a message.

use super::bindings;
use core::marker::PhantomData;
use kernel::{
    ffi::{
        c_char,
        c_uint, //
    },
    fmt, //
};

/// The kinds of `Target::status`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusKind {
    /// `dmsetup status`: the current state.
    Info,
    /// `dmsetup table`: the arguments of a table line that creates the same target again.
    Table,
    /// What the integrity measurement architecture records when a table is loaded: `,key=value` pairs that end in
    /// `;`. The name and version of the target are already written.
    Ima,
}

impl StatusKind {
    /// `None` for a kind that this abstraction does not know, for which nothing is written.
    pub(super) fn from_raw(kind: bindings::status_type_t) -> Option<Self> {
        match kind {
            bindings::status_type_t_STATUSTYPE_INFO => Some(Self::Info),
            bindings::status_type_t_STATUSTYPE_TABLE => Some(Self::Table),
            bindings::status_type_t_STATUSTYPE_IMA => Some(Self::Ima),
            _ => None,
        }
    }
}

/// Writes text into a buffer from device-mapper.
///
/// Text that does not fit is truncated. Device-mapper takes a full buffer as a sign to retry with a larger one
/// (`retrieve_status`). An error here would hide that.
///
/// # Invariants
///
/// - `buffer` is valid for writes of `size` bytes for `'a`, and `size` is not zero.
/// - `used < size`, and byte `used` of the buffer is NUL.
pub struct StatusWriter<'a> {
    buffer: *mut u8,
    size: usize,
    used: usize,
    _buffer: PhantomData<&'a mut [u8]>,
}

impl<'a> StatusWriter<'a> {
    /// `None` if there is not even space for the NUL.
    ///
    /// # Safety
    ///
    /// `buffer` is valid for writes of `size` bytes for `'a`, and nothing else accesses it.
    pub(super) unsafe fn from_raw(buffer: *mut c_char, size: c_uint) -> Option<Self> {
        if size == 0 || buffer.is_null() {
            return None;
        }
        // SAFETY: There is at least one byte.
        unsafe { buffer.write(0) };
        // INVARIANT: The caller's promise, and the NUL just written at byte 0.
        Some(Self {
            buffer: buffer.cast(),
            size: size as usize,
            used: 0,
            _buffer: PhantomData,
        })
    }

    /// Whether the buffer is full, so that device-mapper considers the text truncated.
    pub fn is_full(&self) -> bool {
        self.used.saturating_add(1) >= self.size
    }
}

impl fmt::Write for StatusWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // By the invariant at least one byte is left, for the NUL.
        let room = self.size.saturating_sub(self.used).saturating_sub(1);
        let len = text.len().min(room);

        // SAFETY:
        // - `used + len + 1 <= size`, so both writes stay within the buffer.
        // - Only we have the buffer, so it does not overlap `text`.
        unsafe {
            let end = self.buffer.add(self.used);
            end.copy_from_nonoverlapping(text.as_ptr(), len);
            end.add(len).write(0);
        }
        // INVARIANT: `used` stays below `size`, and the NUL is there.
        self.used = self.used.wrapping_add(len);
        Ok(())
    }
}
