// SPDX-License-Identifier: GPL-2.0

//! Bytes that others may write to while they are read.
//!
//! The pages of a request belong to the code that issued it, which may write to them at any time. A `&[u8]` over such
//! memory is undefined behaviour, whatever is done with it, so there is this view instead. It is one of the few files
//! with `unsafe`: it makes the loads once for all, with checks.
//!
//! A load is volatile, which is how the kernel's Rust code reads memory that others write (`READ_ONCE`). It happens
//! once and in place. Any bits that it returns are a valid value. Two loads of the same byte may differ.

use core::{
    array,
    marker::PhantomData,
    ops::Range, //
};

/// A view of bytes in memory that others may write to meanwhile.
///
/// # Invariants
///
/// `start` is valid for volatile reads of `len` bytes for `'m`.
#[derive(Clone, Copy, Debug)]
pub struct RacyBytes<'m> {
    start: *const u8,
    len: usize,
    _memory: PhantomData<&'m [u8]>,
}

impl<'m> From<&'m [u8]> for RacyBytes<'m> {
    #[inline]
    fn from(bytes: &'m [u8]) -> Self {
        // INVARIANT: The reference is valid for reads, and borrowed for `'m`.
        Self {
            start: bytes.as_ptr(),
            len: bytes.len(),
            _memory: PhantomData,
        }
    }
}

impl<'m> RacyBytes<'m> {
    /// The `len` bytes from `start`.
    ///
    /// # Safety
    ///
    /// For `'m`, `start` is valid for volatile reads of `len` bytes. Others may write to them.
    #[inline]
    pub unsafe fn new(start: *const u8, len: usize) -> Self {
        // INVARIANT: By the promise of the caller.
        Self {
            start,
            len,
            _memory: PhantomData,
        }
    }

    /// How many there are.
    #[inline]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Their address, for loads in assembly.
    #[inline]
    pub fn as_ptr(self) -> *const u8 {
        self.start
    }

    /// The bytes in `range`; `None` if part of it is beyond the end.
    #[inline]
    pub fn get(self, range: Range<usize>) -> Option<Self> {
        if range.end > self.len {
            return None;
        }
        // INVARIANT: Both ends of `range` are within the bytes.
        Some(Self {
            start: self.start.wrapping_add(range.start),
            len: range.end.checked_sub(range.start)?,
            _memory: PhantomData,
        })
    }

    /// Loads the byte at `at`; `None` beyond the end.
    #[inline]
    pub fn byte(self, at: usize) -> Option<u8> {
        if at >= self.len {
            return None;
        }
        // SAFETY: By the invariant, and `at` is within the bytes.
        Some(unsafe { self.start.wrapping_add(at).read_volatile() })
    }

    /// Loads the eight bytes from `at`, the first of them into the lowest bits; `None` if there are fewer.
    #[inline]
    pub fn word(self, at: usize) -> Option<u64> {
        let [word] = self.words(at)?;
        Some(word)
    }

    /// The same for `N` consecutive words.
    #[inline]
    pub fn words<const N: usize>(self, at: usize) -> Option<[u64; N]> {
        if !has_words(self.len, at, N) {
            return None;
        }
        Some(array::from_fn(|index| {
            // SAFETY: By the invariant, and there are `N` words from `at`, so nothing wraps.
            unsafe { load(self.start, at.wrapping_add(index.wrapping_mul(WORD))) }
        }))
    }

    /// Copies the bytes from `at`, as many as `to` holds; `None` if there are fewer, and then nothing is copied.
    #[inline]
    pub fn copy_to(self, at: usize, to: &mut [u8]) -> Option<()> {
        let from = self.get(at..at.checked_add(to.len())?)?;
        let mut at: usize = 0;

        while let Some((room, word)) = to
            .get_mut(at..)
            .and_then(<[u8]>::first_chunk_mut)
            .zip(from.word(at))
        {
            *room = word.to_le_bytes();
            // None of these wraps: both are as long as `to`.
            at = at.wrapping_add(8);
        }
        while let Some((room, byte)) = to.get_mut(at).zip(from.byte(at)) {
            *room = byte;
            at = at.wrapping_add(1);
        }
        Some(())
    }

    /// Whether they equal `bytes`.
    pub fn are(self, bytes: &[u8]) -> bool {
        if self.len != bytes.len() {
            return false;
        }
        let Some(last) = bytes.last_chunk().copied().map(u64::from_le_bytes) else {
            return self.iter().eq(bytes.iter().copied());
        };

        // By words; the last one may overlap with the one before it. Nothing wraps: all of it is within the bytes.
        let mut at: usize = 0;
        for word in bytes.chunks_exact(WORD) {
            if self.word(at) != word.first_chunk().copied().map(u64::from_le_bytes) {
                return false;
            }
            at = at.wrapping_add(WORD);
        }
        self.word(self.len.wrapping_sub(WORD)) == Some(last)
    }

    /// Loads each byte in turn.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = u8> + 'm {
        (0..self.len).filter_map(move |at| self.byte(at))
    }
}

/// Two views of the same length, which are read side by side with a single check.
///
/// # Invariants
///
/// `a` and `b` are valid for volatile reads of `len` bytes each for `'m`.
#[derive(Clone, Copy, Debug)]
pub struct RacyPair<'m> {
    a: *const u8,
    b: *const u8,
    len: usize,
    _memory: PhantomData<&'m [u8]>,
}

impl<'m> RacyPair<'m> {
    /// Both from their start, as far as the shorter one goes.
    #[inline]
    pub fn new(a: RacyBytes<'m>, b: RacyBytes<'m>) -> Self {
        // INVARIANT: By the invariants of the two, neither of which is shorter.
        Self {
            a: a.start,
            b: b.start,
            len: a.len.min(b.len),
            _memory: PhantomData,
        }
    }

    /// How many bytes each has.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "It is no collection.")]
    pub fn len(self) -> usize {
        self.len
    }

    /// Their addresses, for loads in assembly.
    #[inline]
    pub fn as_ptrs(self) -> [*const u8; 2] {
        [self.a, self.b]
    }

    /// Loads the byte at `at` of each; `None` beyond the end.
    #[inline]
    pub fn bytes(self, at: usize) -> Option<[u8; 2]> {
        if at >= self.len {
            return None;
        }
        // SAFETY: By the invariant, and `at` is within the bytes.
        let a = unsafe { self.a.wrapping_add(at).read_volatile() };
        // SAFETY: As above.
        let b = unsafe { self.b.wrapping_add(at).read_volatile() };
        Some([a, b])
    }

    /// Loads `N` consecutive words from `at`, each from both, as [`RacyBytes::word`] does; `None` if there are fewer.
    #[inline]
    pub fn words<const N: usize>(self, at: usize) -> Option<[[u64; 2]; N]> {
        if !has_words(self.len, at, N) {
            return None;
        }
        Some(array::from_fn(|index| {
            // Does not wrap: it is within the bytes.
            let at = at.wrapping_add(index.wrapping_mul(WORD));
            // SAFETY: By the invariant, and there are `N` words from `at`.
            let a = unsafe { load(self.a, at) };
            // SAFETY: As above.
            let b = unsafe { load(self.b, at) };
            [a, b]
        }))
    }
}

/// The bytes of a word.
const WORD: usize = 8;

/// A word at any alignment. For an array of bytes, a volatile load would be one load for each byte.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Word(u64);

/// Whether `len` bytes contain `words` words from `at`.
#[inline(always)]
fn has_words(len: usize, at: usize, words: usize) -> bool {
    // In a loop over `at`, the difference is computed once.
    len.checked_sub(WORD.saturating_mul(words))
        .is_some_and(|last| at <= last)
}

/// Loads a word.
///
/// # Safety
///
/// `start` is valid for volatile reads of the eight bytes from `at`.
#[inline(always)]
unsafe fn load(start: *const u8, at: usize) -> u64 {
    // SAFETY: By the promise of the caller. A `Word` has no alignment.
    let Word(word) = unsafe { start.wrapping_add(at).cast::<Word>().read_volatile() };
    u64::from_le(word)
}
