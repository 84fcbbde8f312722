// SPDX-License-Identifier: GPL-2.0

//! The checksums of a history's log, in user space.

use imgrement_core::history::checksum::Checksum;

/// XXH64.
pub struct Xxh64(xxhash_rust::xxh64::Xxh64);

impl Checksum for Xxh64 {
    fn new(seed: u64) -> Self {
        Self(xxhash_rust::xxh64::Xxh64::new(seed))
    }

    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn digest(&self) -> u64 {
        self.0.digest()
    }
}
