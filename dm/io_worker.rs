// SPDX-License-Identifier: GPL-2.0

//! The I/O worker of an instance: work that its bios wait for.
//!
//! C header: `include/linux/workqueue.h`.

use super::{
    queues::MappedDevice,
    work::WorkQueue,
    worker::{
        Function,
        Item, //
    }, //
};
use core::ptr::NonNull;
use kernel::{
    ffi::c_void,
    prelude::*,
    time::Delta, //
};

/// Runs [`Target::io_work`], in a task that may do I/O and wait for it.
///
/// Unlike [`Worker`], it has a queue and a thread of its own, so that bios may wait for it: it makes progress under
/// memory pressure, and waits for no other instance. `ps` shows the thread as `kworker/R-NAME-io/DEVICE`.
///
/// This is a handle, like [`Device`]. When the instance is dropped, the work is stopped first: from then on it does
/// not run, and starting it does nothing.
///
/// [`Device`]: super::Device
/// [`Target::io_work`]: super::Target::io_work
/// [`Worker`]: super::Worker
#[derive(Clone, Copy)]
pub struct IoWorker<'t>(&'t Item);

impl IoWorker<'_> {
    /// The work item.
    pub(super) fn item(self) -> NonNull<Item> {
        NonNull::from(self.0)
    }

    /// Makes the work run soon. If it is running now, it runs once more. In any context.
    pub fn start(self) {
        self.0.start();
    }

    /// Makes the work run after `delay`, or sooner if it was started before. In any context.
    pub fn start_after(self, delay: Delta) {
        self.0.start_after(delay);
    }
}

/// Holds the I/O worker that the constructor of an instance may ask for.
pub(super) struct Slot {
    name: &'static CStr,
    device: MappedDevice,
    function: Function,
    made: Option<Made>,
}

/// The item and its queue.
struct Made {
    // Dropped first: it stops the work, which is on the queue.
    item: Pin<KBox<Item>>,
    _queue: KBox<WorkQueue>,
}

impl Slot {
    /// No worker yet.
    ///
    /// # Safety
    ///
    /// `function` may be called with the work of a live [`Item`].
    pub(super) unsafe fn new(
        name: &'static CStr,
        device: MappedDevice,
        function: Function,
    ) -> Self {
        Self {
            name,
            device,
            function,
            made: None,
        }
    }

    /// The worker, which is made if there is none. May sleep.
    ///
    /// # Safety
    ///
    /// `'t` ends before `self` is dropped.
    pub(super) unsafe fn worker<'t>(&mut self) -> Result<IoWorker<'t>> {
        if self.made.is_none() {
            let queue = KBox::new(WorkQueue::of_io(self.name, self.device)?, GFP_KERNEL)?;
            // SAFETY: The queue is in its box until the item has been dropped. The caller of `new` promised the rest.
            let item = unsafe { Item::new(NonNull::from(&*queue), self.function) };
            self.made = Some(Made {
                item: KBox::pin_init(item, GFP_KERNEL)?,
                _queue: queue,
            });
        }
        let made = self.made.as_ref().ok_or(ENOMEM)?;

        // SAFETY: It is in a box until `self` is dropped, which is after `'t`.
        Ok(IoWorker(unsafe { NonNull::from(&*made.item).as_ref() }))
    }

    /// Gives the work its state. Until then it does nothing.
    pub(super) fn set_state(&self, state: NonNull<c_void>) {
        if let Some(made) = &self.made {
            made.item.set_state(state);
        }
    }

    /// Stops the work for good, and waits for it if it is running. May sleep.
    pub(super) fn stop(&self) {
        if let Some(made) = &self.made {
            made.item.stop();
        }
    }
}
