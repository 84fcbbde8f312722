// SPDX-License-Identifier: GPL-2.0

//! The worker of an instance: work that is done later, in a task.
//!
//! C header: `include/linux/workqueue.h`.

use super::{
    bindings,
    work::WorkQueue, //
};
use core::{
    marker::PhantomPinned,
    ptr::NonNull,
    sync::atomic::{
        AtomicPtr,
        Ordering, //
    },
};
use kernel::{
    bindings::{
        delayed_work,
        work_struct, //
    },
    container_of,
    ffi::{
        c_int,
        c_void, //
    },
    prelude::*,
    time::Delta,
    types::Opaque, //
};

/// A function that the kernel calls in a worker.
pub(super) type Function = unsafe extern "C" fn(*mut work_struct);

/// Runs [`Target::work`], in a task.
///
/// All instances of a target type share one queue. It runs one instance after another, and has no thread of its own. So
/// a target costs no thread. But no I/O may wait for the work: the kernel may lack the memory for a thread, and other
/// instances may take their time.
///
/// This is a handle, like [`Device`]. When the instance is dropped, the work is stopped first: from then on it does
/// not run, and starting it does nothing.
///
/// [`Device`]: super::Device
/// [`Target::work`]: super::Target::work
#[derive(Clone, Copy)]
pub struct Worker<'t>(&'t Item);

impl Worker<'_> {
    /// Makes the work run soon. If it is running now, it runs once more. In any context.
    pub fn start(self) {
        self.0.start();
    }

    /// Makes the work run after `delay`, or sooner if it was started before. In any context.
    pub fn start_after(self, delay: Delta) {
        self.0.start_after(delay);
    }
}

/// Holds the worker that the constructor of an instance may ask for.
///
/// # Invariants
///
/// `queue` outlives this.
pub(super) struct Slot {
    queue: NonNull<WorkQueue>,
    function: Function,
    item: Option<Pin<KBox<Item>>>,
}

impl Slot {
    /// No worker yet.
    ///
    /// # Safety
    ///
    /// - `queue` outlives the result.
    /// - `function` may be called with the work of a live [`Item`].
    pub(super) unsafe fn new(queue: NonNull<WorkQueue>, function: Function) -> Self {
        // INVARIANT: The caller's promise.
        Self {
            queue,
            function,
            item: None,
        }
    }

    /// The worker, which is made if there is none. May sleep.
    ///
    /// # Safety
    ///
    /// `'t` ends before `self` is dropped.
    pub(super) unsafe fn worker<'t>(&mut self) -> Result<Worker<'t>> {
        if self.item.is_none() {
            // SAFETY: By the invariant the queue outlives the item, which is ours, and the function accepts it.
            let item = unsafe { Item::new(self.queue, self.function) };
            self.item = Some(KBox::pin_init(item, GFP_KERNEL)?);
        }
        let item = self.item.as_deref().ok_or(ENOMEM)?;

        // SAFETY: It is in a box until `self` is dropped, which is after `'t`.
        Ok(Worker(unsafe { NonNull::from(item).as_ref() }))
    }

    /// Gives the work its state. Until then it does nothing.
    pub(super) fn set_state(&self, state: NonNull<c_void>) {
        if let Some(item) = &self.item {
            item.set_state(state);
        }
    }

    /// Stops the work for good, and waits for it if it is running. May sleep.
    pub(super) fn stop(&self) {
        if let Some(item) = &self.item {
            item.stop();
        }
    }
}

/// The work itself.
///
/// # Invariants
///
/// - `work` is initialised, and never moves. It is no longer queued when this is dropped.
/// - `queue` outlives this.
#[pin_data(PinnedDrop)]
pub(super) struct Item {
    #[pin]
    work: Opaque<delayed_work>,
    queue: NonNull<WorkQueue>,
    /// The state for the work; null until there is one.
    state: AtomicPtr<c_void>,
    #[pin]
    _pin: PhantomPinned,
}

// SAFETY: A work item may be queued and stopped from any task.
unsafe impl Send for Item {}
// SAFETY: As above. Queueing is thread-safe, and everything else is atomic or never changes.
unsafe impl Sync for Item {}

impl Item {
    /// Not queued.
    ///
    /// # Safety
    ///
    /// - `queue` outlives the result.
    /// - `function` may be called with the work of a live [`Item`].
    pub(super) unsafe fn new(queue: NonNull<WorkQueue>, function: Function) -> impl PinInit<Self> {
        // INVARIANT: The work is initialised here; the caller promises the rest.
        pin_init!(Self {
            // SAFETY: The memory is valid, and does not move.
            work <- Opaque::ffi_init(|work| unsafe {
                bindings::rust_dm_init_work(work, Some(function))
            }),
            queue,
            state: AtomicPtr::new(core::ptr::null_mut()),
            _pin: PhantomPinned,
        })
    }

    /// The state of the item whose work this is; null until there is one.
    ///
    /// # Safety
    ///
    /// `work` is that of a live item.
    pub(super) unsafe fn state_of(work: *mut work_struct) -> *mut c_void {
        // SAFETY: By the caller's promise it is the first part of the item's delayed work, which is where the opaque
        // field is.
        let item = unsafe {
            let work = Opaque::cast_from(container_of!(work, delayed_work, work));
            container_of!(work.cast_mut(), Self, work)
        };
        // SAFETY: The item is live.
        unsafe { &*item }.state.load(Ordering::Acquire)
    }

    /// Gives the work its state. Until then it does nothing.
    pub(super) fn set_state(&self, state: NonNull<c_void>) {
        self.state.store(state.as_ptr(), Ordering::Release);
    }

    /// Makes the work run soon. If it is running now, it runs once more. In any context.
    pub(super) fn start(&self) {
        // SAFETY: By the invariants both are initialised and live.
        unsafe {
            kernel::bindings::mod_delayed_work_on(
                UNBOUND,
                self.queue.as_ref().as_ptr(),
                self.work.get(),
                0,
            )
        };
    }

    /// Makes the work run after `delay`, or sooner if it was started before. In any context.
    pub(super) fn start_after(&self, delay: Delta) {
        let ns = u64::try_from(delay.as_nanos()).unwrap_or(0);
        // SAFETY: It accepts any number.
        let jiffies = unsafe { kernel::bindings::nsecs_to_jiffies(ns) };

        // SAFETY: By the invariants both are initialised and live.
        unsafe {
            kernel::bindings::queue_delayed_work_on(
                UNBOUND,
                self.queue.as_ref().as_ptr(),
                self.work.get(),
                // The conversion rounds down, and it must not run too early.
                jiffies.saturating_add(1),
            )
        };
    }

    /// Stops the work for good, and waits for it if it is running. May sleep.
    pub(super) fn stop(&self) {
        // SAFETY: By the invariant it is initialised.
        unsafe { kernel::bindings::disable_delayed_work_sync(self.work.get()) };
    }
}

/// For work that may run on any CPU.
const UNBOUND: c_int = kernel::bindings::wq_misc_consts_WORK_CPU_UNBOUND as c_int;

#[pinned_drop]
impl PinnedDrop for Item {
    fn drop(self: Pin<&mut Self>) {
        // INVARIANT: It is not queued from here on.
        self.stop();
    }
}
