// SPDX-License-Identifier: GPL-2.0

//! Tells the C library's allocator to keep memory that is freed. A recorder frees some MiB with each frame that it writes,
//! and needs as much right after. To get it back from the kernel would take longer than to fill it. `unsafe`, because the
//! allocator is in C.

#![allow(unsafe_code)]

/// How many bytes the allocator keeps at most, and the largest block that it takes from what it keeps: 32 MiB is as much
/// as glibc allows.
const KEPT: libc::c_int = 32 << 20;

/// Freed memory is kept from now on.
pub(super) fn keep_freed_memory() {
    #[cfg(target_env = "gnu")]
    for parameter in [libc::M_TRIM_THRESHOLD, libc::M_MMAP_THRESHOLD] {
        // SAFETY: It takes two numbers, and is safe to call from threads. If it refuses, nothing changes.
        unsafe { libc::mallopt(parameter, KEPT) };
    }
}
