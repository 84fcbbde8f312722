// SPDX-License-Identifier: GPL-2.0

//! What a target type claims to support.

use super::bindings;

/// What a target type claims to support. C: `DM_TARGET_*`.
///
/// Each is a promise that device-mapper builds on: claim it when it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features(u64);

impl Features {
    /// Nothing beyond plain bios.
    pub const NONE: Self = Self(0);
    /// `map`, `end_io`, and the default and the drop of `PerBio` never sleep, nor allocate in a way that
    /// waits: not for a bio that must not wait, nor for any other. A kernel with
    /// `CONFIG_DEBUG_ATOMIC_SLEEP` reports one that does.
    pub const NOWAIT: Self = Self(bindings::DM_TARGET_NOWAIT as u64);
    /// Bios keep their integrity payload. A table whose devices have not all the same integrity profile is
    /// refused: a driver that expects more tags than there are would read past them.
    pub const PASSES_INTEGRITY: Self = Self(bindings::DM_TARGET_PASSES_INTEGRITY as u64);
    /// Host-managed zones stay zones: bios are sent to the same place of a zone, in their order.
    /// With `Target::report_zones`.
    pub const ZONED_HM: Self = Self(bindings::DM_TARGET_ZONED_HM as u64);
    /// A write that must be whole is sent on whole.
    pub const ATOMIC_WRITES: Self = Self(bindings::DM_TARGET_ATOMIC_WRITES as u64);
}

impl Features {
    /// These and those.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are claimed.
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// As `target_type.features` has them.
    pub(super) const fn bits(self) -> u64 {
        self.0
    }
}
