// SPDX-License-Identifier: GPL-2.0

//! `struct target_type`, as device-mapper knows it.
//!
//! C header: `include/linux/device-mapper.h`.

use super::{
    bindings,
    callbacks::Callbacks,
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
    prelude::*, //
};

/// A target type, and what its instances share.
#[repr(C)]
pub(super) struct Type {
    /// What device-mapper knows. It comes first, so that a pointer to it is one to the whole.
    c: bindings::target_type,
    /// Where the workers of all instances run.
    pub(super) queue: WorkQueue,
}

/// A target type that device-mapper knows, for as long as this lives.
///
/// Once it is made, tables can be loaded: in a module's state it comes last of all that targets
/// need, and is dropped first. There it is never dropped while there are instances, because each
/// table holds a reference to `T::OwnerModule`.
///
/// # Invariants
///
/// The pointer is a `Type` of a `KBox` that is registered, and stays where it is:
/// device-mapper links it into a list, and instances point at it.
pub struct Registration<T: Target> {
    inner: NonNull<Type>,
    _target: PhantomData<T>,
}

// SAFETY: A target type may be unregistered from any thread.
unsafe impl<T: Target> Send for Registration<T> {}
// SAFETY: There is nothing to do with a shared reference to it.
unsafe impl<T: Target> Sync for Registration<T> {}

impl<T: Target> Registration<T> {
    /// Registers the type. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, and `EBUSY` when there is a target of that name already.
    pub fn new() -> Result<Self> {
        // It is made whole first, null in each callback that `T` does not have.
        let inner = KBox::new(
            Type {
                c: Callbacks::<T>::target_type(),
                queue: WorkQueue::without_rescuer(T::NAME)?,
            },
            GFP_KERNEL,
        )?;
        let inner = NonNull::from(KBox::leak(inner));

        // SAFETY: It is initialised, and will be unregistered before its memory goes.
        let registered = to_result(unsafe { bindings::dm_register_target(inner.as_ptr().cast()) });
        if let Err(error) = registered {
            // SAFETY: It came from a box, and nobody else knows it.
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

        // SAFETY: By the invariant it is registered; of another name this would be a `BUG()`.
        unsafe { bindings::dm_unregister_target(inner.cast()) };
        // No new instance finds it now. The ones there are point at it, and hold the module, until
        // device-mapper has done with it (`dm_put_target_type`).
        let owner = this_module::<T::OwnerModule>().as_ptr();
        // SAFETY: It is the module that this code is part of.
        if unsafe { bindings::rust_dm_module_is_used(owner) } {
            // Somebody dropped it early. What is in use stays.
            return;
        }
        // SAFETY: By the invariant it came from a box, and nobody points at it any more.
        drop(unsafe { KBox::from_raw(inner) });
    }
}
