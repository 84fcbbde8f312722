// SPDX-License-Identifier: GPL-2.0

//! The payload of a bio, a page-bounded piece at a time.

use super::{
    bindings,
    bytes::racy::RacyBytes, //
};
use core::{
    marker::PhantomData,
    ptr::NonNull, //
};
use kernel::{
    bindings::{
        bio,
        bio_vec,
        page, //
    },
    page::PAGE_SIZE, //
};

/// The segments of a bio that carries data, in order; none for any other bio.
///
/// It must start at `bi_iter`: a clone shares the vectors of its parent and, after a split, may begin in the middle
/// of one. A vector may span pages, so it is cut at page boundaries.
///
/// # Invariants
///
/// - `vec` points to the vector that holds the next byte, and `done` bytes of it have been passed.
/// - The vectors hold at least `left` more bytes. They and their pages stay for `'b`.
#[derive(Clone)]
pub struct Segments<'b> {
    vec: *const bio_vec,
    done: u32,
    left: u32,
    _bio: PhantomData<&'b ()>,
}

impl<'b> Segments<'b> {
    /// # Safety
    ///
    /// `bio` has not been submitted yet, and its vectors and their pages stay for `'b`.
    #[inline]
    pub(super) unsafe fn new(bio: NonNull<bio>) -> Self {
        // SAFETY: By the promise of the caller we may look at the bio. The iterator is packed, so it is copied.
        let (opf, vecs, iter) = unsafe {
            let bio = bio.as_ptr();
            ((*bio).bi_opf, (*bio).bi_io_vec, (*bio).bi_iter)
        };

        // INVARIANT: The remaining data begins `bi_offset` bytes after the start of vector `bi_idx`
        // (`bvec.h`). A bio without payload may have a size and no vectors; for it, `left` is 0.
        Self {
            vec: vecs.wrapping_add(iter.bi_idx as usize),
            done: iter.bi_offset,
            left: if has_payload(opf) { iter.bi_size } else { 0 },
            _bio: PhantomData,
        }
    }
}

/// Whether a bio with these flags has vectors, if it has a size (`bio_has_data`).
#[inline]
fn has_payload(opf: u32) -> bool {
    !matches!(
        opf & bindings::DM_REQ_OP_MASK,
        kernel::bindings::req_op_REQ_OP_DISCARD
            | kernel::bindings::req_op_REQ_OP_SECURE_ERASE
            | kernel::bindings::req_op_REQ_OP_WRITE_ZEROES
    )
}

impl<'b> Iterator for Segments<'b> {
    type Item = Segment<'b>;

    #[inline]
    fn next(&mut self) -> Option<Segment<'b>> {
        if self.left == 0 {
            return None;
        }

        // SAFETY: By the invariant, bytes are left and `vec` points to the vector of the next one.
        let vec = unsafe { self.vec.read() };
        // None of these wraps: they lie within one vector, whose length is a `u32`, and whose offset is less
        // than a page if the block layer made it. Even if they did, the page would still be one of the
        // vector's.
        let start = vec.bv_offset.wrapping_add(self.done) as usize;
        let offset = start % PAGE_SIZE;
        let in_vec = vec.bv_len.wrapping_sub(self.done);
        let len = in_vec.min(self.left).min((PAGE_SIZE - offset) as u32);

        // INVARIANT: `len` is at most what is left of the vector and of the bio. If the vector is used up and
        // bytes are left, the next vector holds them.
        self.left = self.left.wrapping_sub(len);
        self.done = self.done.wrapping_add(len);
        if self.done == vec.bv_len {
            self.vec = self.vec.wrapping_add(1);
            self.done = 0;
        }
        Some(Segment {
            // The pages of a vector are contiguous in `struct page`, too (`bvec_iter_page`).
            page: vec.bv_page.wrapping_add(start / PAGE_SIZE),
            offset: offset as u32,
            len,
            _bio: PhantomData,
        })
    }

    /// Counts by whole vectors.
    #[inline]
    fn count(mut self) -> usize {
        let mut count: usize = 0;

        while self.left != 0 {
            // SAFETY: As in `next`.
            let vec = unsafe { self.vec.read() };
            // As there, none of these wraps, and no vector is empty.
            let offset = vec.bv_offset.wrapping_add(self.done) as usize % PAGE_SIZE;
            let len = vec.bv_len.wrapping_sub(self.done).min(self.left);

            count = count.wrapping_add(offset.wrapping_add(len as usize).div_ceil(PAGE_SIZE));
            // INVARIANT: As in `next`. Bytes are left only if the whole vector was counted.
            self.left = self.left.wrapping_sub(len);
            self.vec = self.vec.wrapping_add(1);
            self.done = 0;
        }
        count
    }
}

/// A piece of a bio's payload that lies within one page.
///
/// The bytes may change at any time: user space or a file system may write to the page while the request is in
/// flight. So there is no reference to them. They are copied, or read one by one, each at its own moment. The
/// disk may get other bytes than those that were read.
///
/// # Invariants
///
/// `offset + len` is at most the size of a page, and `page` stays for `'b`.
#[derive(Clone)]
pub struct Segment<'b> {
    page: *mut page,
    offset: u32,
    len: u32,
    _bio: PhantomData<&'b ()>,
}

impl Segment<'_> {
    /// Its length in bytes.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "It is no collection.")]
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Its offset in its page, in bytes.
    #[inline]
    pub fn offset(&self) -> u32 {
        self.offset
    }

    /// Copies bytes from its start, as many as both have, and returns how many. Does not sleep.
    #[inline]
    pub fn copy_to(&self, to: &mut [u8]) -> usize {
        let len = to.len().min(self.len as usize);

        // SAFETY:
        // - `to` has space for `len` bytes, and nothing else accesses it.
        // - By the invariant, `len` bytes from `offset` lie within the page.
        // - The copy is made in C, where bytes that change meanwhile are no undefined behaviour.
        unsafe {
            bindings::rust_dm_copy_from_page(
                to.as_mut_ptr().cast(),
                self.page,
                self.offset as usize,
                len,
            )
        };
        len
    }

    /// Lets `look` see the bytes in place.
    ///
    /// One page is mapped while it runs. Nested calls unmap in reverse order by construction, as `kmap_local_page`
    /// requires.
    #[inline]
    pub fn with_bytes<R>(&self, look: impl FnOnce(RacyBytes<'_>) -> R) -> R {
        // SAFETY: By the invariant the page stays.
        let mapped = unsafe { kernel::bindings::kmap_local_page(self.page) };
        let start = mapped.cast::<u8>().wrapping_add(self.offset as usize);
        // SAFETY: By the invariant they lie within the page. It is mapped until after `look`, which cannot keep
        // a value with a lifetime of its own.
        let result = look(unsafe { RacyBytes::new(start, self.len as usize) });

        // SAFETY: It is the mapping just made, and those made in `look` are gone.
        unsafe { kernel::bindings::kunmap_local(mapped) };
        result
    }
}
