// SPDX-License-Identifier: GPL-2.0

//! What the tests of searches share.

use imgrement_core::simd::Avx2;

/// The ways to search on this machine: by words, and where the CPU has it, with AVX2.
pub(crate) fn tiers() -> Vec<Option<Avx2<'static>>> {
    let mut tiers = vec![None];

    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: The CPU has it, and in user space the registers are the thread's.
        tiers.push(Some(unsafe { Avx2::new() }));
    }
    tiers
}
