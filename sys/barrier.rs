// SPDX-License-Identifier: GPL-2.0

//! The order of memory accesses.

use core::sync::atomic::{
    compiler_fence,
    fence,
    Ordering, //
};

/// Orders an atomic operation that has read and written a value, such as a swap, before everything that follows. On x86
/// these operations do so by themselves, and this is no instruction. In any context.
///
/// C: `smp_mb__after_atomic` (`Documentation/atomic_t.txt`).
#[inline]
pub(crate) fn after_atomic() {
    if cfg!(target_arch = "x86_64") {
        compiler_fence(Ordering::SeqCst);
    } else {
        fence(Ordering::SeqCst);
    }
}
