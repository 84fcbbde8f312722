// SPDX-License-Identifier: GPL-2.0

//! A queue of bios that a target keeps.

use super::{
    OwnedBio,
    PerBio, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::bindings::bio;

/// Bios in order. It allocates nothing, and has no lock. Dropping it ends all of them with an I/O error.
///
/// # Invariants
///
/// - From `ends`, the first and the last bio, `bi_next` links `len` bios; that of the last is null. With no bios there
///   are no ends.
/// - Each comes from [`OwnedBio::into_raw`], and only this has it. Its `bi_private` is its target. That field is for
///   the code that set `bi_end_io`, which is device-mapper, and that does not use it in clones.
pub struct BioQueue<P: PerBio> {
    ends: Option<(NonNull<bio>, NonNull<bio>)>,
    len: usize,
    _bios: PhantomData<OwnedBio<P>>,
}

// SAFETY: The bios in it may be sent.
unsafe impl<P: PerBio> Send for BioQueue<P> {}

impl<P: PerBio> BioQueue<P> {
    /// No bios.
    pub const fn new() -> Self {
        // INVARIANT: There are no bios.
        Self {
            ends: None,
            len: 0,
            _bios: PhantomData,
        }
    }

    /// How many bios there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no bio.
    pub fn is_empty(&self) -> bool {
        self.ends.is_none()
    }

    /// Adds a bio at the end.
    pub fn push(&mut self, bio: OwnedBio<P>) {
        let new = Self::link(bio, None);

        if let Some((_, last)) = self.ends {
            // SAFETY: By the invariant the last bio is ours.
            unsafe { (*last.as_ptr()).bi_next = new.as_ptr() };
        }
        // INVARIANT: The new bio is linked after the others, and nothing after it.
        self.ends = Some((self.ends.map_or(new, |(first, _)| first), new));
        // Memory limits how many there are.
        self.len = self.len.wrapping_add(1);
    }

    /// Adds a bio at the front: the next [`Self::pop`] returns it.
    pub fn push_front(&mut self, bio: OwnedBio<P>) {
        let new = Self::link(bio, self.ends.map(|(first, _)| first));

        // INVARIANT: The new bio is linked before the others.
        self.ends = Some((new, self.ends.map_or(new, |(_, last)| last)));
        self.len = self.len.wrapping_add(1);
    }

    /// Removes the bio at the front.
    pub fn pop(&mut self) -> Option<OwnedBio<P>> {
        let (first, last) = self.ends?;

        // SAFETY: By the invariant the bio is ours, and its fields are as `link` and `push` left them.
        let (next, ti) = unsafe {
            let bio = first.as_ptr();
            let next = core::mem::replace(&mut (*bio).bi_next, core::ptr::null_mut());
            let ti = core::mem::replace(&mut (*bio).bi_private, core::ptr::null_mut());
            (next, NonNull::new(ti.cast())?)
        };
        // INVARIANT: What comes after it is now first; if nothing does, it was the only one.
        self.ends = NonNull::new(next).map(|next| (next, last));
        self.len = self.len.wrapping_sub(1);
        // SAFETY: By the invariant both come from `into_raw`, and only we had the bio.
        Some(unsafe { OwnedBio::from_raw(first, ti) })
    }

    /// Takes a bio apart, for a place before `next`.
    fn link(bio: OwnedBio<P>, next: Option<NonNull<bio>>) -> NonNull<bio> {
        let (bio, ti) = bio.into_raw();

        // SAFETY: The bio is ours, and nothing else uses these fields of a clone that is not submitted.
        unsafe {
            (*bio.as_ptr()).bi_next = next.map_or(core::ptr::null_mut(), NonNull::as_ptr);
            (*bio.as_ptr()).bi_private = ti.as_ptr().cast();
        }
        bio
    }
}

impl<P: PerBio> Default for BioQueue<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: PerBio> Drop for BioQueue<P> {
    fn drop(&mut self) {
        while let Some(bio) = self.pop() {
            drop(bio);
        }
    }
}
