// SPDX-License-Identifier: GPL-2.0

//! Memory that I/O reads from or writes to.

use super::bindings;
use core::ptr::NonNull;
use kernel::prelude::*;

/// Memory for I/O: page-aligned, contiguous for the CPU only, and zeroed when it is made.
///
/// It is shared, and gives no references: code that writes to it through [`Self::as_ptr`] says why that is sound. While
/// a range is being written out, the device may get any mixture of what is written to that range meanwhile.
///
/// # Invariants
///
/// `start` is valid for reads and writes of `len` bytes until this is dropped.
pub struct IoMemory {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: The memory belongs to no task, and may be freed in any task that may sleep.
unsafe impl Send for IoMemory {}
// SAFETY: A shared reference only gives an address.
unsafe impl Sync for IoMemory {}

impl IoMemory {
    /// Allocates `len` bytes, and fails without ending other programs. May sleep. So may the drop.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, also if `len` is zero.
    pub fn new(len: usize) -> Result<Self> {
        // SAFETY: The caller may sleep.
        let start = unsafe { bindings::rust_dm_alloc_io_memory(len) };

        // INVARIANT: It has just been allocated with that length.
        Ok(Self {
            start: NonNull::new(start.cast()).ok_or(ENOMEM)?,
            len,
        })
    }

    /// Its first byte, valid for as long as `self`.
    pub fn as_ptr(&self) -> *mut u8 {
        self.start.as_ptr()
    }

    /// Its length in bytes.
    #[expect(clippy::len_without_is_empty, reason = "It is never empty.")]
    pub fn len(&self) -> usize {
        self.len
    }
}

impl Drop for IoMemory {
    fn drop(&mut self) {
        // SAFETY: By the invariant it is ours, and this is its last use.
        unsafe { bindings::rust_dm_free_io_memory(self.start.as_ptr().cast()) };
    }
}
