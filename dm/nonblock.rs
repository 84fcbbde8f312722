// SPDX-License-Identifier: GPL-2.0

//! A scope in which nothing may sleep, for kernels that check this.

use super::bindings;
use kernel::types::NotThreadSafe;

/// While one lives, a call that might sleep is reported, although preemption stays on.
///
/// # Invariants
///
/// The scope was opened on this task. It also ends there, because a guard cannot be sent to another task.
pub(super) struct NonBlock(NotThreadSafe);

impl NonBlock {
    /// Opens the scope in a task. In an interrupt none is needed: the kernel reports sleeping there anyway.
    pub(super) fn enter_in_task() -> Option<Self> {
        // SAFETY: It may be called in any context.
        unsafe { bindings::rust_dm_in_task() }.then(Self::enter)
    }

    /// Opens the scope.
    pub(super) fn enter() -> Self {
        // SAFETY: It only changes a counter of the current task.
        unsafe { bindings::rust_dm_non_block_start() };
        // INVARIANT: It has just been opened.
        Self(NotThreadSafe)
    }
}

impl Drop for NonBlock {
    fn drop(&mut self) {
        // SAFETY: By the invariant there is a scope of this task to end.
        unsafe { bindings::rust_dm_non_block_end() };
    }
}
