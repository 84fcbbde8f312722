// SPDX-License-Identifier: GPL-2.0

//! The checksums of a log: XXH64, which is fast without special instructions.

/// XXH64 (Y. Collet, xxHash). The kernel has one, and so has user space.
pub trait Checksum {
    /// Begins with this seed.
    fn new(seed: u64) -> Self;

    /// Adds bytes.
    fn update(&mut self, bytes: &[u8]);

    /// The checksum of all bytes so far.
    fn digest(&self) -> u64;
}

/// The checksum of these bytes.
pub fn of<C: Checksum>(seed: u64, bytes: &[u8]) -> u64 {
    let mut checksum = C::new(seed);
    checksum.update(bytes);
    checksum.digest()
}
