// SPDX-License-Identifier: GPL-2.0

//! A scope in which no allocation starts I/O.

use super::bindings;
use kernel::{
    ffi::c_uint,
    types::NotThreadSafe, //
};

/// While one lives, every allocation of this task behaves as `GFP_NOIO`.
///
/// A bio might wait forever for memory that only more I/O to the same device can free. The kernel crate has no
/// `GFP_NOIO`, and a scope also covers allocations in callees.
///
/// The callbacks of a target get its state through one of these (`Callbacks::state`), so none can forget it.
///
/// # Invariants
///
/// The value in `saved` was returned by `memalloc_noio_save` on this task. Scopes end in reverse order, because
/// a guard on the stack cannot be sent to another task.
pub(super) struct NoIo {
    saved: Option<c_uint>,
    _not_send: NotThreadSafe,
}

impl NoIo {
    /// Opens the scope.
    #[inline]
    pub(super) fn enter() -> Self {
        // INVARIANT: The value is the one just returned on this task.
        Self {
            // SAFETY: It only sets a flag of the current task.
            saved: Some(unsafe { bindings::rust_dm_noio_save() }),
            _not_send: NotThreadSafe,
        }
    }

    /// Opens the scope, unless it is `needless`: for a target that claims never to wait for memory
    /// ([`Features::NOWAIT`]). This saves two calls for each bio.
    ///
    /// [`Features::NOWAIT`]: super::Features::NOWAIT
    #[inline]
    pub(super) fn enter_unless(needless: bool) -> Self {
        if needless {
            // INVARIANT: Nothing was saved.
            return Self {
                saved: None,
                _not_send: NotThreadSafe,
            };
        }
        Self::enter()
    }

    /// Opens the scope, unless it is `needless` or this is an interrupt. In an interrupt the flag would belong to
    /// the interrupted task, and nothing waits for memory there.
    #[inline]
    pub(super) fn enter_in_task_unless(needless: bool) -> Self {
        // SAFETY: It may be called in any context.
        Self::enter_unless(needless || !unsafe { bindings::rust_dm_in_task() })
    }
}

impl Drop for NoIo {
    #[inline]
    fn drop(&mut self) {
        if let Some(saved) = self.saved {
            // SAFETY: By the invariant, `saved` comes from the matching call on this task.
            unsafe { bindings::rust_dm_noio_restore(saved) };
        }
    }
}
