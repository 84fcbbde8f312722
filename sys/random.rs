// SPDX-License-Identifier: GPL-2.0

//! A number that nobody can guess.
//!
//! A leaf with `unsafe`: the kernel crate has no random numbers.
//!
//! C header: `include/linux/random.h`.

#![allow(unsafe_code)]

use super::bindings;

/// A random number. In any context.
pub(crate) fn number() -> u64 {
    // SAFETY: It may be called in any context.
    unsafe { bindings::imgrement_random() }
}
