// SPDX-License-Identifier: GPL-2.0

//! Shared by the tests of searches, by the benchmark and by the fuzz targets.
//!
//! It has `unsafe`, because a search with AVX2 may only be made on a CPU that has it.

// Not all of them need all of it.
#![allow(dead_code)]

use imgrement_core::{
    memory::Memory,
    search::{
        matcher::Matcher,
        simd::Avx2, //
    },
};
use std::convert::Infallible;

/// The ways to search on this machine: by words and, if the CPU has it, with AVX2.
pub(crate) fn tiers() -> Vec<Option<Avx2<'static>>> {
    let mut tiers = vec![None];

    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: The CPU has it, and in user space the registers are the thread's.
        tiers.push(Some(unsafe { Avx2::new() }));
    }
    tiers
}

/// The memory of the standard library.
#[derive(Debug)]
pub(crate) struct Std;

impl Memory for Std {
    type Array<T: Copy> = Vec<T>;
    type Error = Infallible;

    fn array<T: Copy>(value: &T, len: usize) -> Result<Vec<T>, Infallible> {
        Ok(vec![*value; len])
    }
}

/// The matcher for `pattern`, if it can be one.
pub(crate) fn matcher_of(pattern: &[u8]) -> Option<Matcher<Std>> {
    match Matcher::new(pattern) {
        Ok(matcher) => matcher,
        Err(never) => match never {},
    }
}
