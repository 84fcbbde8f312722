// SPDX-License-Identifier: GPL-2.0

//! A work queue.

use super::bindings;
use core::ptr::NonNull;
use kernel::{
    bindings::workqueue_struct,
    prelude::*,
    workqueue::{
        Queue,
        RawWorkItem, //
    },
};

/// A work queue that runs one item at a time. One that is made with [`Self::new`] goes on under memory pressure.
///
/// The system's queues must not carry work that I/O waits for: they have no rescuer thread, so that
/// an item may wait for memory that only the I/O it serves can free (`WQ_MEM_RECLAIM`).
///
/// Dropping it waits until every item on it has run. It must therefore not be dropped by one of
/// these items: keep it outside of what they own.
///
/// # Invariants
///
/// The pointer is a live work queue that nobody else destroys.
pub struct WorkQueue(NonNull<workqueue_struct>);

// SAFETY: A work queue may be used and destroyed from any task.
unsafe impl Send for WorkQueue {}
// SAFETY: Queueing work is thread-safe.
unsafe impl Sync for WorkQueue {}

impl WorkQueue {
    /// Makes a queue called `name`, which shows in the list of threads. May sleep.
    pub fn new(name: &CStr) -> Result<Self> {
        Self::make(name, true)
    }

    /// Makes one for work that nothing waits for. It has no thread. May sleep.
    pub(super) fn without_rescuer(name: &CStr) -> Result<Self> {
        Self::make(name, false)
    }

    fn make(name: &CStr, rescuer: bool) -> Result<Self> {
        // SAFETY: `name` is a string that lives through the call, which copies it.
        let queue = unsafe { bindings::rust_dm_alloc_workqueue(name.as_char_ptr(), rescuer) };

        // INVARIANT: The queue has just been made, and only `drop` destroys it.
        Ok(Self(NonNull::new(queue).ok_or(ENOMEM)?))
    }

    /// The queue, valid for as long as `self`.
    pub(super) fn as_ptr(&self) -> *mut workqueue_struct {
        self.0.as_ptr()
    }

    /// Puts an item on the queue, or returns it where it is on one already. In any context.
    ///
    /// The kernel crate's `Queue` is not shown as a whole: the timer of a delayed item would outlive
    /// this queue, for which `destroy_workqueue` does not wait.
    pub fn enqueue<W, const ID: u64>(&self, work: W) -> W::EnqueueOutput
    where
        W: RawWorkItem<ID> + Send + 'static,
    {
        // SAFETY: By the invariant it lives as long as `self`.
        unsafe { Queue::from_raw(self.0.as_ptr()) }.enqueue(work)
    }
}

impl Drop for WorkQueue {
    fn drop(&mut self) {
        // SAFETY: By the invariant it is live, and this is the only place that destroys it.
        unsafe { bindings::rust_dm_destroy_workqueue(self.0.as_ptr()) };
    }
}
