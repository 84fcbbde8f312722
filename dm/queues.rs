// SPDX-License-Identifier: GPL-2.0

//! The queues of mapped devices. The targets of a device share one.
//!
//! Such a queue costs a thread ([`WorkQueue::of_reads`]), and a table may have thousands of targets.
//! Device-mapper itself has a queue of this kind for each mapped device, so that its threads are doubled at most.

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
    /// `ti` is live, and the result is not used when its destructor has returned.
    pub(super) unsafe fn of(ti: NonNull<bindings::dm_target>) -> Self {
        // INVARIANT: A mapped device outlives its tables, and a table its targets.
        // SAFETY: A target has a table, and that a mapped device.
        Self(unsafe { NonNull::new_unchecked(bindings::dm_table_get_md((*ti.as_ptr()).table)) })
    }

    /// What tells it from all others that live.
    fn key(self) -> usize {
        self.0.as_ptr().addr()
    }

    /// Its number as `major:minor`: a C string that is valid for as long as the device.
    pub(super) fn number(self) -> *const c_char {
        // SAFETY: By the invariant it is live.
        unsafe { bindings::dm_device_name(self.0.as_ptr()) }
    }
}

/// The queues that the targets of one type have.
#[pin_data]
pub(super) struct Queues {
    /// The name of the type. Each queue is called by it and by its device.
    name: &'static CStr,
    /// Those in use, by the key of the device. Each has a target with a share in it, and the device outlives that
    /// target. So no other device has the same key meanwhile.
    ///
    /// Nothing is allocated, made or destroyed with the lock held: a target that waits for memory must not hold
    /// up those of other devices.
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
    /// None yet. Each will be called by `name` and by its device.
    pub(super) fn new(name: &'static CStr) -> impl PinInit<Self> {
        pin_init!(Self {
            name,
            used <- new_mutex!(RBTree::new()),
        })
    }

    /// A share in the queue of `device`; `None` where it has none. May sleep.
    pub(super) fn find(self: &Arc<Self>, device: MappedDevice) -> Option<Share> {
        let mut all = self.used.lock();
        let used = all.get_mut(&device.key())?;

        Some(self.share(used, device))
    }

    /// The same, but makes the queue where there is none. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, where there is no memory, or no further thread.
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
        // Where another target was faster, ours goes again. What was made before the lock was taken is dropped
        // after it has been released.
        if all.get(&device.key()).is_none() {
            all.insert(node);
        }
        let used = all.get_mut(&device.key()).ok_or(ENOMEM)?;
        Ok(self.share(used, device))
    }

    /// One more share.
    fn share(self: &Arc<Self>, used: &mut Used, device: MappedDevice) -> Share {
        // There are no more than there is memory for.
        used.shares = used.shares.saturating_add(1);
        Share {
            queues: self.clone(),
            queue: used.queue.clone(),
            key: device.key(),
        }
    }
}

/// A target's share in the queue of its mapped device. The queue goes with the last share, whose drop waits for
/// what is still on it. So a drop may sleep.
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

        // That does not destroy the queue, which `self` still has. It goes when the lock has been released.
        match all.get_mut(&self.key) {
            Some(used) if used.shares > 1 => used.shares = used.shares.saturating_sub(1),
            _ => {
                all.remove(&self.key);
            }
        }
    }
}
