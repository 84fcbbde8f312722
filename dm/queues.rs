// SPDX-License-Identifier: GPL-2.0

//! The queues of mapped devices. The targets of a device share one.
//!
//! Such a queue costs a thread ([`WorkQueue::of_reads`]), and a table may have thousands of targets. Device-mapper
//! itself has a queue of this kind for each mapped device, so this at most doubles its threads.

use super::{
    bindings,
    work::WorkQueue, //
};
use core::ptr::NonNull;
use kernel::{
    ffi::c_char,
    new_mutex,
    prelude::*,
    rbtree::{
        RBTree,
        RBTreeNode, //
    },
    sync::{
        Arc,
        Mutex, //
    },
};

/// The mapped device that a target belongs to.
///
/// # Invariants
///
/// It is live.
#[derive(Clone, Copy)]
pub(super) struct MappedDevice(NonNull<bindings::mapped_device>);

// SAFETY: Only its address is used, and its number, which never changes.
unsafe impl Send for MappedDevice {}
// SAFETY: As above.
unsafe impl Sync for MappedDevice {}

impl MappedDevice {
    /// The device of `ti`.
    ///
    /// # Safety
    ///
    /// `ti` is live, and the result is not used after its destructor has returned.
    pub(super) unsafe fn of(ti: NonNull<bindings::dm_target>) -> Self {
        // INVARIANT: A mapped device outlives its tables, and a table its targets.
        // SAFETY: A target has a table, and a table has a mapped device.
        Self(unsafe { NonNull::new_unchecked(bindings::dm_table_get_md((*ti.as_ptr()).table)) })
    }

    /// A value that no other live device has.
    fn key(self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Its number as `major:minor`: a C string that is valid as long as the device.
    pub(super) fn number(self) -> *const c_char {
        // SAFETY: By the invariant it is live.
        unsafe { bindings::dm_device_name(self.0.as_ptr()) }
    }
}

/// The queues that the targets of one type have.
#[pin_data]
pub(super) struct Queues {
    /// The name of the type. Each queue is named after it and its device.
    name: &'static CStr,
    /// The queues in use, by the key of their device. Each has a target with a share in it, and the device outlives
    /// that target. So no other device has the same key meanwhile.
    ///
    /// While the lock is held, nothing is allocated, made or destroyed: a target that waits for memory must not
    /// delay those of other devices.
    #[pin]
    used: Mutex<RBTree<usize, Used>>,
}

/// A queue in use.
struct Used {
    queue: Arc<WorkQueue>,
    /// How many shares there are.
    shares: usize,
}

impl Queues {
    /// No queues yet. Each will be named after `name` and its device.
    pub(super) fn new(name: &'static CStr) -> impl PinInit<Self> {
        pin_init!(Self {
            name,
            used <- new_mutex!(RBTree::new()),
        })
    }

    /// A share in the queue of `device`; `None` if it has none. May sleep.
    pub(super) fn find(self: &Arc<Self>, device: MappedDevice) -> Option<Share> {
        let mut all = self.used.lock();
        let used = all.get_mut(&device.key())?;

        Some(self.share(used, device))
    }

    /// The same, but makes the queue if there is none. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM` if there is no memory, or no further thread.
    pub(super) fn find_or_make(self: &Arc<Self>, device: MappedDevice) -> Result<Share> {
        if let Some(share) = self.find(device) {
            return Ok(share);
        }
        let queue = WorkQueue::of_reads(self.name, device)?;
        let queue = Arc::new(queue, GFP_KERNEL)?;
        let used = Used {
            queue: queue.clone(),
            shares: 0,
        };
        let node = RBTreeNode::new(device.key(), used, GFP_KERNEL)?;

        let mut all = self.used.lock();
        // If another target was faster, our queue is dropped. It was made before the lock was taken, so it is dropped
        // after the lock is released.
        if all.get(&device.key()).is_none() {
            all.insert(node);
        }
        let used = all.get_mut(&device.key()).ok_or(ENOMEM)?;
        Ok(self.share(used, device))
    }

    /// One more share.
    fn share(self: &Arc<Self>, used: &mut Used, device: MappedDevice) -> Share {
        // Memory limits how many there are.
        used.shares = used.shares.saturating_add(1);
        Share {
            queues: self.clone(),
            queue: used.queue.clone(),
            key: device.key(),
        }
    }
}

/// A target's share in the queue of its mapped device. Dropping the last share destroys the queue. That waits for the
/// work on the queue, so a drop may sleep.
pub(super) struct Share {
    queues: Arc<Queues>,
    queue: Arc<WorkQueue>,
    key: usize,
}

impl Share {
    /// The queue, valid for as long as `self`.
    pub(super) fn queue(&self) -> &WorkQueue {
        &self.queue
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut all = self.queues.used.lock();

        // This does not destroy the queue, because `self` still has it. It is destroyed after the lock has been
        // released.
        match all.get_mut(&self.key) {
            Some(used) if used.shares > 1 => used.shares = used.shares.saturating_sub(1),
            _ => {
                all.remove(&self.key);
            }
        }
    }
}
