// SPDX-License-Identifier: GPL-2.0

//! `struct target_type`, as device-mapper knows it.
//!
//! C header: `include/linux/device-mapper.h`.

use super::{
    bindings,
    callbacks::Callbacks,
    queues::Queues,
    work::WorkQueue,
    Target, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    error::to_result,
    module::this_module,
    prelude::*,
    sync::Arc, //
};

/// A target type, and what its instances share.
#[repr(C)]
pub(super) struct Type {
    /// Device-mapper's part. It comes first, so a pointer to it is a pointer to the whole.
    c: bindings::target_type,
    /// The queue on which the workers of all instances run.
    pub(super) queue: WorkQueue,
    /// The queues of reads that end late.
    pub(super) late: Arc<Queues>,
}

/// A target type that device-mapper knows, for as long as this lives.
///
/// Once it exists, tables can be loaded. So initialise it last in a module's state, and drop it first. There, it
/// is never dropped while instances exist, because each table holds a reference to `T::OwnerModule`.
///
/// # Invariants
///
/// The pointer is a `Type` from a `KBox`. It is registered and does not move: device-mapper links it into a list,
/// and instances point to it.
pub struct Registration<T: Target> {
    inner: NonNull<Type>,
    _target: PhantomData<T>,
}

// SAFETY: A target type may be unregistered from any thread.
unsafe impl<T: Target> Send for Registration<T> {}
// SAFETY: A shared reference to it has no methods.
unsafe impl<T: Target> Sync for Registration<T> {}

impl<T: Target> Registration<T> {
    /// Registers the type. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and `EBUSY` if a target of that name exists already.
    pub fn new() -> Result<Self> {
        // All of it is written first, with null for each callback that `T` does not have.
        let inner = KBox::new(
            Type {
                c: Callbacks::<T>::target_type(),
                queue: WorkQueue::without_rescuer(T::NAME)?,
                late: Arc::pin_init(Queues::new(T::NAME), GFP_KERNEL)?,
            },
            GFP_KERNEL,
        )?;
        let inner = NonNull::from(KBox::leak(inner));

        // SAFETY: It is initialised, and will be unregistered before its memory goes.
        let registered = to_result(unsafe { bindings::dm_register_target(inner.as_ptr().cast()) });
        if let Err(error) = registered {
            // SAFETY: It came from a box, and nothing else has a pointer to it.
            drop(unsafe { KBox::from_raw(inner.as_ptr()) });
            return Err(error);
        }
        // INVARIANT: It is registered now, and is not touched again until `drop`.
        Ok(Self {
            inner,
            _target: PhantomData,
        })
    }
}

impl<T: Target> Drop for Registration<T> {
    fn drop(&mut self) {
        let inner = self.inner.as_ptr();

        // SAFETY: By the invariant it is registered. For an unknown name this would be a `BUG()`.
        unsafe { bindings::dm_unregister_target(inner.cast()) };
        // No new instance can find it now. Existing instances point to it, and hold the module until device-mapper is
        // done with them (`dm_put_target_type`).
        let owner = this_module::<T::OwnerModule>().as_ptr();
        // SAFETY: This code is part of that module.
        if unsafe { bindings::rust_dm_module_is_used(owner) } {
            // It was dropped early. What is in use stays.
            return;
        }
        // SAFETY: By the invariant it came from a box, and nothing points to it any more.
        drop(unsafe { KBox::from_raw(inner) });
    }
}
