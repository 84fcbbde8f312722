// SPDX-License-Identifier: GPL-2.0

//! What a target type claims to support.

use super::bindings;

/// What a target type claims to support. C: `DM_TARGET_*`.
///
/// Each is a promise that device-mapper relies on: claim only what holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features(u64);

impl Features {
    /// Nothing beyond plain bios.
    pub const NONE: Self = Self(0);
    /// `map`, `end_io`, and the default and the drop of `PerBio` never sleep, and never wait for memory. This holds
    /// for all bios, not only for NOWAIT ones. A kernel with `CONFIG_DEBUG_ATOMIC_SLEEP` reports a target that
    /// does sleep.
    pub const NOWAIT: Self = Self(bindings::DM_TARGET_NOWAIT as u64);
    /// Bios keep their integrity payload. A table is refused unless all its devices have the same integrity profile:
    /// a driver that expects more tags than there are would read past them.
    pub const PASSES_INTEGRITY: Self = Self(bindings::DM_TARGET_PASSES_INTEGRITY as u64);
    /// Host-managed zones stay zones: bios go to the same place in a zone, and stay in order. Needs
    /// `Target::report_zones`.
    pub const ZONED_HM: Self = Self(bindings::DM_TARGET_ZONED_HM as u64);
    /// An atomic write is passed on whole.
    pub const ATOMIC_WRITES: Self = Self(bindings::DM_TARGET_ATOMIC_WRITES as u64);
}

impl Features {
    /// The union of both.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are claimed.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The value for `target_type.features`.
    pub(super) const fn bits(self) -> u64 {
        self.0
    }
}
