// SPDX-License-Identifier: GPL-2.0

//! Reads that end late: a task looks at their data before they complete.
//!
//! Device-mapper lets a target keep a bio when it ends (`DM_ENDIO_INCOMPLETE`). Here, the bio then waits on a queue of
//! the mapped device. When its work has run, device-mapper is told of its end a second time: the bio still has its
//! `bi_end_io`, and that is called again.
//!
//! This is not a second `bio_endio`, which would remove it from the statistics twice. What device-mapper itself does
//! before it asks the target (`clone_endio`) has no effect for a read, so it may be done twice. For a zone append it
//! has an effect (`dm_zone_endio`).
//!
//! C header: `include/linux/workqueue.h`.

use super::{
    bindings,
    noio::NoIo,
    queues::{
        MappedDevice,
        Queues,
        Share, //
    },
    worker::Function,
    Segments, //
};
use core::{
    mem::MaybeUninit,
    ptr::NonNull, //
};
use kernel::{
    bindings::{
        work_struct,
        workqueue_struct, //
    },
    container_of,
    new_mutex,
    prelude::*,
    sync::{
        Arc,
        Mutex,
        SetOnce, //
    },
    types::Opaque, //
};

/// The queue on which an instance's reads wait if they end late ([`MapBio::end_late`]).
///
/// It has a thread, so that it makes progress under memory pressure. It runs as many reads at once as there were CPUs
/// when it was made. All instances of the mapped device share it, including those of a table that is loaded but not yet
/// in use. So their reads wait for each other, and no other device waits for them. The queue does not exist until
/// [`Self::make`] has made it.
///
/// This is a handle, like [`Device`]: the instance keeps its share in the queue until it has been dropped, when all
/// its bios have ended.
///
/// [`Device`]: super::Device
/// [`MapBio::end_late`]: super::MapBio::end_late
#[derive(Clone, Copy)]
pub struct LateQueue<'t>(&'t Queue);

impl LateQueue<'_> {
    /// Makes the queue, unless the mapped device has one. Call it in the constructor, or in a message. May sleep.
    ///
    /// # Errors
    ///
    /// - `ENOMEM` if there is no memory, or no further thread.
    /// - `EBUSY` if it would have to be made while the device is suspended, or a suspend has begun.
    pub fn make(self) -> Result {
        let Queue {
            device,
            queues,
            share,
            may_make,
        } = self.0;

        if share.as_ref().is_some() {
            return Ok(());
        }
        let found = match queues.find(*device) {
            Some(found) => found,
            None => {
                let may_make = may_make.lock();
                if !*may_make {
                    return Err(EBUSY);
                }
                let _noio = NoIo::enter();
                queues.find_or_make(*device)?
            }
        };
        // If another message was faster, this share is dropped.
        share.populate(found);
        Ok(())
    }

    /// The queue. It exists as long as the instance.
    pub(super) fn get(self) -> Option<NonNull<workqueue_struct>> {
        let share = self.0.share.as_ref()?;

        NonNull::new(share.queue().as_ptr())
    }
}

/// The queue of an instance.
#[pin_data]
struct Queue {
    device: MappedDevice,
    queues: Arc<Queues>,
    share: SetOnce<Share>,
    /// Whether the queue may be made: in the constructor, and while the device is neither suspended nor about to be.
    /// It is locked while the queue is made.
    ///
    /// `kthreadd` makes the thread of the queue, and may have to wait for I/O until it has the memory for it. A
    /// message must not start I/O ([`NoIo`]), but this only holds for the message's own task. If the I/O goes to the
    /// device itself, and that is suspended, it waits for the resume. With a suspend that has just begun, neither
    /// would ever end, because a suspend blocks I/O and then waits for messages. So the presuspend hook, which runs
    /// while I/O still flows, waits for the lock. From then on, no queue is made before the resume hook.
    ///
    /// One kind of suspend has no hooks, `dm_internal_suspend_fast`. Device-mapper uses it briefly when it makes
    /// statistics (`@stats_create`) or merges a snapshot. If a message ever blocks because of that, only a signal
    /// helps: the task that waits for `kthreadd` can be killed, and then the message ends.
    #[pin]
    may_make: Mutex<bool>,
}

/// Holds the queue that the constructor of an instance may ask for.
pub(super) struct Slot {
    device: MappedDevice,
    queues: Arc<Queues>,
    queue: Option<Pin<KBox<Queue>>>,
}

impl Slot {
    /// No queue yet. It will be that of `device` in `queues`.
    pub(super) fn new(device: MappedDevice, queues: Arc<Queues>) -> Self {
        Self {
            device,
            queues,
            queue: None,
        }
    }

    /// Sets whether the queue may be made from now on. If not, waits for a task that is making it. May sleep.
    pub(super) fn set_may_make(&self, may_make: bool) {
        if let Some(queue) = &self.queue {
            *queue.may_make.lock() = may_make;
        }
    }

    /// The handle. May sleep.
    ///
    /// # Safety
    ///
    /// `'t` ends before `self` is dropped.
    pub(super) unsafe fn queue<'t>(&mut self) -> Result<LateQueue<'t>> {
        if self.queue.is_none() {
            let (device, queues) = (self.device, self.queues.clone());
            let queue = pin_init!(Queue {
                device,
                queues,
                share: SetOnce::new(),
                may_make <- new_mutex!(true),
            });
            self.queue = Some(KBox::pin_init(queue, GFP_KERNEL)?);
        }
        let queue = self.queue.as_deref().ok_or(ENOMEM)?;

        // SAFETY: It is in a box until `self` is dropped, which is after `'t`.
        Ok(LateQueue(unsafe { NonNull::from(queue).as_ref() }))
    }
}

/// When a bio ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// As soon as it has completed.
    Now,
    /// Late: its work must run first.
    Late,
    /// The work has run, and the per-bio data has been dropped.
    Ended,
}

/// What a bio that may end late needs, in its per-bio space.
///
/// # Invariants
///
/// From stage `Late` on, `wait` is initialised.
pub(super) struct Late {
    stage: Stage,
    wait: MaybeUninit<Wait>,
    work: Opaque<work_struct>,
}

/// What is known when the bio is mapped.
pub(super) struct Wait {
    /// The queue, which lives as long as the target.
    pub(super) queue: NonNull<workqueue_struct>,
    pub(super) target: NonNull<bindings::dm_target>,
    /// The payload, which stays until the bio has ended.
    pub(super) payload: Segments<'static>,
}

impl Late {
    /// Starts as a bio that ends as soon as it has completed.
    ///
    /// # Safety
    ///
    /// The memory is valid, and nothing else accesses it.
    #[inline]
    pub(super) unsafe fn init(late: NonNull<Self>) {
        // SAFETY: The caller's promise. The other fields may contain anything.
        unsafe { (&raw mut (*late.as_ptr()).stage).write(Stage::Now) };
    }

    /// The stage.
    ///
    /// # Safety
    ///
    /// It is initialised, and nothing writes to it.
    #[inline]
    pub(super) unsafe fn stage(late: NonNull<Self>) -> Stage {
        // SAFETY: The caller's promise.
        unsafe { (*late.as_ptr()).stage }
    }

    /// Makes the bio end late.
    ///
    /// # Safety
    ///
    /// It is initialised, and nothing else accesses it. What the fields of `wait` say holds.
    pub(super) unsafe fn wait(late: NonNull<Self>, wait: Wait) {
        // SAFETY: The caller's promise.
        let late = unsafe { &mut *late.as_ptr() };

        // INVARIANT: It is initialised now.
        late.wait.write(wait);
        late.stage = Stage::Late;
    }

    /// What was known when the bio was mapped.
    ///
    /// # Safety
    ///
    /// It is in stage `Late`, and nothing writes to it.
    pub(super) unsafe fn waiting<'a>(late: NonNull<Self>) -> &'a Wait {
        // SAFETY: By the caller's promise and the invariant.
        unsafe { (*late.as_ptr()).wait.assume_init_ref() }
    }

    /// Puts it on its queue. A worker then calls `function` with its work, and owns it from here on. In any
    /// context.
    ///
    /// # Safety
    ///
    /// It is in stage `Late`, on no queue, and nothing else accesses it; and `function` may be called with it.
    pub(super) unsafe fn queue(late: NonNull<Self>, function: Function) {
        // SAFETY: The caller's promise; the queue lives as long as the target, which waits for the bio.
        unsafe {
            let queue = Self::waiting(late).queue;
            let work = Opaque::cast_into(&raw const (*late.as_ptr()).work);
            bindings::rust_dm_queue_new_work(queue.as_ptr(), work, Some(function));
        }
    }

    /// The one whose work this is.
    ///
    /// # Safety
    ///
    /// It is the work of one that is on its queue, or was taken off it to run.
    pub(super) unsafe fn of_work(work: *mut work_struct) -> NonNull<Self> {
        // SAFETY: By the caller's promise the work lies within one.
        unsafe {
            let work = Opaque::cast_from(work).cast_mut();
            NonNull::new_unchecked(container_of!(work, Self, work))
        }
    }

    /// Marks the work as done.
    ///
    /// # Safety
    ///
    /// It is initialised, and nothing else accesses it.
    pub(super) unsafe fn end(late: NonNull<Self>) {
        // SAFETY: The caller's promise.
        unsafe { (&raw mut (*late.as_ptr()).stage).write(Stage::Ended) };
    }
}
