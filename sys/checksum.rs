// SPDX-License-Identifier: GPL-2.0

//! XXH64, the checksum of a history's log.
//!
//! A leaf with `unsafe`: the kernel crate has no xxHash.
//!
//! C header: `include/linux/xxhash.h`.

#![allow(unsafe_code)]

use super::bindings;
use crate::history_format::checksum::Checksum;

/// The kernel's XXH64.
pub(crate) struct Xxh64(bindings::imgrement_xxh64);

impl Checksum for Xxh64 {
    fn new(seed: u64) -> Self {
        let mut state = bindings::imgrement_xxh64::default();

        // SAFETY: The state is valid, and ours.
        unsafe { bindings::imgrement_xxh64_begin(&mut state, seed) };
        Self(state)
    }

    fn update(&mut self, bytes: &[u8]) {
        // SAFETY: The state was begun, and the bytes are as many as this says.
        unsafe {
            bindings::imgrement_xxh64_update(&mut self.0, bytes.as_ptr().cast(), bytes.len())
        };
    }

    fn digest(&self) -> u64 {
        // SAFETY: The state was begun.
        unsafe { bindings::imgrement_xxh64_digest(&self.0) }
    }
}
