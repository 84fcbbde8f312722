// SPDX-License-Identifier: GPL-2.0

//! Reads that end late: a task looks at what they have brought before they go up.
//!
//! Device-mapper lets a target keep a bio at its end (`DM_ENDIO_INCOMPLETE`). Ours then waits on a queue
//! of the instance. When its work has run, its end is told to device-mapper once more, by the
//! `bi_end_io` that it had at its first end and still has.
//!
//! That is not a second `bio_endio`, which would take it out of the statistics twice. What device-mapper
//! itself does before it asks the target (`clone_endio`) is of no effect for a read, so that it may be
//! done twice; for a zone append it is not (`dm_zone_endio`).
//!
//! C header: `include/linux/workqueue.h`.

use super::{
    bindings,
    work::WorkQueue,
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
    prelude::*,
    sync::SetOnce,
    types::Opaque, //
};

/// The queue on which an instance's reads wait that end late ([`MapBio::end_late`]).
///
/// It goes on under memory pressure, for which it has a thread of its own, and runs as many at once as
/// there are CPUs. So other devices do not wait for these reads, nor other instances; these wait for each
/// other. There is none before it is made.
///
/// It is a handle, like [`Device`]: the queue goes when the instance has been dropped, which waits for all
/// bios.
///
/// [`Device`]: super::Device
/// [`MapBio::end_late`]: super::MapBio::end_late
#[derive(Clone, Copy)]
pub struct LateQueue<'t>(&'t Queue);

impl LateQueue<'_> {
    /// Makes the queue, unless there is one. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, where there is no memory, or no further thread.
    pub fn make(self) -> Result {
        if self.get().is_none() {
            // Where another one was faster, this one goes again.
            self.0.queue.populate(WorkQueue::of_reads(self.0.name)?);
        }
        Ok(())
    }

    /// The queue. It is there for as long as the instance.
    pub(super) fn get(self) -> Option<NonNull<workqueue_struct>> {
        let queue = self.0.queue.as_ref()?;

        NonNull::new(queue.as_ptr())
    }
}

/// The queue of an instance.
struct Queue {
    name: &'static CStr,
    queue: SetOnce<WorkQueue>,
}

/// The place of the queue that the constructor of an instance may ask for.
pub(super) struct Slot {
    name: &'static CStr,
    queue: Option<KBox<Queue>>,
}

impl Slot {
    /// No queue yet; one will be called `name`.
    pub(super) fn new(name: &'static CStr) -> Self {
        Self { name, queue: None }
    }

    /// The handle. May sleep.
    ///
    /// # Safety
    ///
    /// `'t` ends before `self` is dropped.
    pub(super) unsafe fn queue<'t>(&mut self) -> Result<LateQueue<'t>> {
        if self.queue.is_none() {
            let queue = Queue {
                name: self.name,
                queue: SetOnce::new(),
            };
            self.queue = Some(KBox::new(queue, GFP_KERNEL)?);
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
    /// Late: its work is to run first.
    Late,
    /// The work has run, and what comes with the bio has been dropped.
    Ended,
}

/// What a bio that may end late needs, in the space that comes with it.
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
    /// The payload, which is there until the bio has ended.
    pub(super) payload: Segments<'static>,
}

impl Late {
    /// Begins as a bio that ends as soon as it has completed.
    ///
    /// # Safety
    ///
    /// The place is valid, and nobody else accesses it.
    #[inline]
    pub(super) unsafe fn init(late: NonNull<Self>) {
        // SAFETY: The caller's promise. The other fields may hold anything.
        unsafe { (&raw mut (*late.as_ptr()).stage).write(Stage::Now) };
    }

    /// The stage.
    ///
    /// # Safety
    ///
    /// It is initialised, and nobody writes to it.
    #[inline]
    pub(super) unsafe fn stage(late: NonNull<Self>) -> Stage {
        // SAFETY: The caller's promise.
        unsafe { (*late.as_ptr()).stage }
    }

    /// Has the bio end late.
    ///
    /// # Safety
    ///
    /// It is initialised, and nobody else accesses it; what is in `wait` is so.
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
    /// It is in stage `Late`, and nobody writes to it.
    pub(super) unsafe fn waiting<'a>(late: NonNull<Self>) -> &'a Wait {
        // SAFETY: By the caller's promise and the invariant.
        unsafe { (*late.as_ptr()).wait.assume_init_ref() }
    }

    /// Puts it on its queue, where `function` is called with its work. In any context. It is the worker's
    /// from here on.
    ///
    /// # Safety
    ///
    /// It is in stage `Late`, on no queue, and nobody else accesses it; and `function` may be called with it.
    pub(super) unsafe fn queue(late: NonNull<Self>, function: Function) {
        // SAFETY: The caller's promise; the queue lives as long as the target, which waits for the bio.
        unsafe {
            let queue = Self::waiting(late).queue;
            let work = Opaque::cast_into(&raw const (*late.as_ptr()).work);
            bindings::rust_dm_queue_new_work(queue.as_ptr(), work, Some(function));
        }
    }

    /// Where it is whose work this is.
    ///
    /// # Safety
    ///
    /// It is the work of one that is on its queue or was taken off it to run.
    pub(super) unsafe fn of_work(work: *mut work_struct) -> NonNull<Self> {
        // SAFETY: By the caller's promise the work lies within one.
        unsafe {
            let work = Opaque::cast_from(work).cast_mut();
            NonNull::new_unchecked(container_of!(work, Self, work))
        }
    }

    /// Says that the work has run.
    ///
    /// # Safety
    ///
    /// It is initialised, and nobody else accesses it.
    pub(super) unsafe fn end(late: NonNull<Self>) {
        // SAFETY: The caller's promise.
        unsafe { (&raw mut (*late.as_ptr()).stage).write(Stage::Ended) };
    }
}
