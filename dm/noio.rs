// SPDX-License-Identifier: GPL-2.0

//! A scope in which no allocation starts I/O.

use super::bindings;
use kernel::{
    ffi::c_uint,
    types::NotThreadSafe, //
};

/// While one lives, every allocation of this task behaves as `GFP_NOIO`.
///
/// A bio that waited for memory that only more I/O to the same device can free would wait for ever.
/// The kernel crate has no `GFP_NOIO`, and a scope also covers what a callee allocates.
///
/// # Invariants
///
/// `saved` is what `memalloc_noio_save` returned on this task, and scopes end in reverse order,
/// since a guard on the stack cannot be sent away.
pub(super) struct NoIo {
    saved: c_uint,
    _not_send: NotThreadSafe,
}

impl NoIo {
    /// Opens the scope.
    #[inline]
    pub(super) fn enter() -> Self {
        // INVARIANT: The value is the one just returned on this task.
        Self {
            // SAFETY: It only sets a flag of the current task.
            saved: unsafe { bindings::rust_dm_noio_save() },
            _not_send: NotThreadSafe,
        }
    }
}

impl Drop for NoIo {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the invariant, `saved` comes from the matching call on this task.
        unsafe { bindings::rust_dm_noio_restore(self.saved) };
    }
}
