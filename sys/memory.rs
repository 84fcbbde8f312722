// SPDX-License-Identifier: GPL-2.0

//! Memory whose size a person chooses. If it is too much, the table or message fails, and nothing else does.
//!
//! A leaf with `unsafe`: the kernel crate does not have `__GFP_RETRY_MAYFAIL`, so its allocators may make the OOM
//! killer end other programs instead of failing.

#![allow(unsafe_code)]

use super::bindings;
use crate::memory::Memory;
use core::{
    alloc::Layout,
    ptr::NonNull, //
};
use kernel::{
    alloc::{
        allocator::Kmalloc,
        flags::__GFP_ZERO,
        AllocError,
        Allocator,
        Flags,
        NumaNode,
        Vec, //
    },
    page::PAGE_SIZE,
    prelude::*, //
};

/// An array of a size that a person chooses.
pub(crate) type Array<T> = Vec<T, MayFail>;

/// The kernel's memory.
pub(crate) struct Kernel;

impl Memory for Kernel {
    type Array<T: Copy> = Array<T>;
    type Error = AllocError;

    fn array<T: Copy>(value: &T, len: usize) -> Result<Array<T>, AllocError> {
        // `Vec` can be filled in other ways, but these use the stack, or have checks that may panic.
        let (memory, _, capacity) = Array::<T>::with_capacity(len, GFP_KERNEL)?.into_raw_parts();

        for at in 0..len {
            // SAFETY: There is space for `len` values, and `value` is not among them.
            unsafe { memory.add(at).copy_from_nonoverlapping(value, 1) };
        }
        // SAFETY: The parts are those of a vector of this capacity, which is at least `len`, and the first `len`
        // values are written.
        Ok(unsafe { Array::from_raw_parts(memory, len, capacity) })
    }
}

/// An array of `count` values. May sleep.
///
/// # Errors
///
/// There is no memory for it.
pub(crate) fn with_each<T>(
    count: u32,
    mut make: impl FnMut() -> T,
) -> Result<Array<T>, AllocError> {
    let mut values = Array::with_capacity(count as usize, GFP_KERNEL)?;

    for _ in 0..count {
        values.push(make(), GFP_KERNEL)?;
    }
    Ok(values)
}

/// How many bytes programs could allocate now without swapping.
pub(crate) fn available() -> u64 {
    // SAFETY: It may be called in any context.
    unsafe { bindings::imgrement_available() }
}

/// An allocator that tries hard, and then fails. It sleeps, whatever its flags say; of these, only `__GFP_ZERO`
/// counts.
pub(crate) struct MayFail;

// SAFETY:
// - What `imgrement_alloc` returns stays valid until `imgrement_free`, to which only `realloc` passes it.
// - `realloc` keeps the guarantees of the trait; see the comments in it.
unsafe impl Allocator for MayFail {
    const MIN_ALIGN: usize = Kmalloc::MIN_ALIGN;

    unsafe fn realloc(
        ptr: Option<NonNull<u8>>,
        layout: Layout,
        old_layout: Layout,
        flags: Flags,
        _nid: NumaNode,
    ) -> Result<NonNull<[u8]>, AllocError> {
        // If the size is a multiple of it, memory up to a page has this alignment, and larger memory that of a page.
        let layout = Kmalloc::aligned_layout(layout);
        let size = layout.size();
        if layout.align() > PAGE_SIZE {
            return Err(AllocError);
        }

        let new = if size == 0 {
            NonNull::new(core::ptr::without_provenance_mut(layout.align()))
        } else {
            // SAFETY: The size is not 0.
            NonNull::new(unsafe { bindings::imgrement_alloc(size, flags.contains(__GFP_ZERO)) })
                .map(NonNull::cast)
        };
        let new: NonNull<u8> = new.ok_or(AllocError)?;

        if let Some(old) = ptr.filter(|_| old_layout.size() != 0) {
            // SAFETY: By the contract of `realloc` the old memory has the size of the old layout. The new memory has
            // `size` bytes, and does not overlap.
            unsafe { old.copy_to_nonoverlapping(new, size.min(old_layout.size())) };
            // SAFETY: By the contract of `realloc` it came from here, and is not used any more.
            unsafe { bindings::imgrement_free(old.as_ptr().cast()) };
        }
        Ok(NonNull::slice_from_raw_parts(new, size))
    }
}
