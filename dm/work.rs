// SPDX-License-Identifier: GPL-2.0

//! A work queue.

use super::{
    bindings,
    queues::MappedDevice, //
};
use core::ptr::NonNull;
use kernel::{
    bindings::workqueue_struct,
    prelude::*, //
};

/// A work queue.
///
/// The system's queues must not carry work that I/O waits for. They have no rescuer thread, so an item may wait for
/// memory that only the I/O it serves can free (`WQ_MEM_RECLAIM`).
///
/// Dropping a queue waits until every item on it has run. So no item may drop its own queue: nothing that an item owns
/// may own the queue.
///
/// # Invariants
///
/// The pointer is a live work queue that nothing else destroys.
pub(super) struct WorkQueue(NonNull<workqueue_struct>);

// SAFETY: A work queue may be used and destroyed from any task.
unsafe impl Send for WorkQueue {}
// SAFETY: Queueing work is thread-safe.
unsafe impl Sync for WorkQueue {}

impl WorkQueue {
    /// Makes a queue called `name` for work that nothing waits for: it runs one item at a time, and has no thread. May
    /// sleep.
    pub(super) fn without_rescuer(name: &CStr) -> Result<Self> {
        // SAFETY: `name` is a string that lives through the call, which copies it.
        unsafe { Self::of(bindings::rust_dm_alloc_workqueue(name.as_char_ptr())) }
    }

    /// Makes a queue for reads that wait. It runs as many items at once as there are CPUs when it is made. It has a
    /// thread, so that it makes progress under memory pressure. `ps` shows the thread as `kworker/R-NAME/DEVICE`. May
    /// sleep.
    pub(super) fn of_reads(name: &CStr, device: MappedDevice) -> Result<Self> {
        // SAFETY: Both are strings that live through the call, which copies them.
        unsafe {
            let (name, number) = (name.as_char_ptr(), device.number());
            Self::of(bindings::rust_dm_alloc_reads_queue(name, number))
        }
    }

    /// Makes a queue for work that the bios of an instance wait for: it runs one item at a time, before ordinary tasks
    /// (nice -20). It has a thread, so that it makes progress under memory pressure. `ps` shows the thread as
    /// `kworker/R-NAME-io/DEVICE`. May sleep.
    pub(super) fn of_io(name: &CStr, device: MappedDevice) -> Result<Self> {
        // SAFETY: Both are strings that live through the call, which copies them.
        unsafe {
            let (name, number) = (name.as_char_ptr(), device.number());
            Self::of(bindings::rust_dm_alloc_io_queue(name, number))
        }
    }

    /// # Safety
    ///
    /// `queue` is null, or nothing else destroys it.
    unsafe fn of(queue: *mut workqueue_struct) -> Result<Self> {
        // INVARIANT: The promise of the caller.
        Ok(Self(NonNull::new(queue).ok_or(ENOMEM)?))
    }

    /// The queue, valid for as long as `self`.
    pub(super) fn as_ptr(&self) -> *mut workqueue_struct {
        self.0.as_ptr()
    }
}

impl Drop for WorkQueue {
    fn drop(&mut self) {
        // SAFETY: By the invariant it is live, and this is the only place that destroys it.
        unsafe { bindings::rust_dm_destroy_workqueue(self.0.as_ptr()) };
    }
}
