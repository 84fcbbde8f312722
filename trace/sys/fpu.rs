// SPDX-License-Identifier: GPL-2.0

//! Sections in which we may use this CPU's vector registers.
//!
//! A leaf with `unsafe`: the kernel crate has no such sections, and a permission to use the registers is only valid if
//! it comes from one.
//!
//! C header: `arch/x86/include/asm/fpu/api.h`.

#![allow(unsafe_code)]

use super::bindings;
use crate::search::simd::{
    Avx2,
    Sections, //
};
use kernel::types::NotThreadSafe;

/// From this many bytes on, a section is worth its cost: saving the registers of the task, and restoring them before it
/// returns to user space.
const WORTH: usize = 2048;

/// This CPU's sections. In any context.
///
/// Code in a section must not sleep, nor take long: meanwhile, no other tasks and no softirqs run on this CPU. A page
/// is the right size.
pub(crate) struct Cpu;

impl Sections for Cpu {
    #[inline]
    fn with<R>(&self, bytes: usize, work: impl FnOnce(Option<Avx2<'_>>) -> R) -> R {
        let section = if bytes >= WORTH {
            Section::begin()
        } else {
            None
        };
        work(section.as_ref().map(Section::avx2))
    }
}

/// A section, which ends when it is dropped.
///
/// # Invariants
///
/// `imgrement_avx2_begin` has returned true on this CPU, and `imgrement_avx2_end` has not been called yet.
struct Section(NotThreadSafe);

impl Section {
    /// `None` if the CPU has no AVX2, or if the interrupted code is in a section itself.
    #[inline]
    fn begin() -> Option<Self> {
        // SAFETY: It may be called in any context.
        let began = unsafe { bindings::imgrement_avx2_begin() };

        // `then_some` would make a `Self` in either case. If the condition is false, its drop would end a section that
        // never began. `clippy.toml` forbids it.
        if !began {
            return None;
        }
        // INVARIANT: It returned true.
        Some(Self(NotThreadSafe))
    }

    #[inline]
    fn avx2(&self) -> Avx2<'_> {
        // SAFETY: By the invariant the CPU has AVX2, and the registers are ours until `self` is dropped.
        unsafe { Avx2::new() }
    }
}

impl Drop for Section {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: By the invariant there is a section of this CPU to end.
        unsafe { bindings::imgrement_avx2_end() };
    }
}
