// SPDX-License-Identifier: GPL-2.0

//! Clocks, as plain numbers.
//!
//! A leaf with `unsafe`: the kernel crate's times have no numbers that could be stored, and its subtraction may panic.
//!
//! C header: `include/linux/timekeeping.h`.

#![allow(unsafe_code)]

use super::bindings;

/// Nanoseconds of the monotonic clock. In any context.
#[inline]
pub(crate) fn now() -> u64 {
    // SAFETY: It may be called in any context.
    unsafe { bindings::imgrement_now() }
}

/// The real time, in nanoseconds since 1970. In any context.
pub(crate) fn real_now() -> u64 {
    // SAFETY: It may be called in any context.
    unsafe { bindings::imgrement_real_now() }
}
