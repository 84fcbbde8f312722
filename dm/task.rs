// SPDX-License-Identifier: GPL-2.0

//! Where a target may wait for I/O.

use core::marker::PhantomData;
use kernel::types::NotThreadSafe;

/// Proof that this code runs in a task that may wait for I/O to a device: in the constructor, `Target::io_work`,
/// `Target::preresume` or `Target::postsuspend`. `map` and `end_io` have none: I/O that waits for other I/O may wait
/// forever, and they may run where nothing may sleep.
///
/// It cannot be kept: it may not go to another thread, and `'a` ends with the callback.
pub struct IoTask<'a>(PhantomData<&'a mut ()>, NotThreadSafe);

impl IoTask<'_> {
    /// For a callback that may wait for I/O, while it runs.
    pub(super) fn new() -> Self {
        Self(PhantomData, NotThreadSafe)
    }
}
