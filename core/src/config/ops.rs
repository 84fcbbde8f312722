// SPDX-License-Identifier: GPL-2.0

//! Which requests are searched.

use crate::record::Op;

/// Which requests to search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ops {
    /// Reads.
    pub read: bool,
    /// Writes.
    pub write: bool,
}

impl Ops {
    /// Only writes.
    pub(super) const WRITE: Self = Self::new(false, true);

    /// The words for them.
    const NAMES: [(Self, &str); 3] = [
        (Self::new(true, false), "read"),
        (Self::WRITE, "write"),
        (Self::new(true, true), "read,write"),
    ];

    const fn new(read: bool, write: bool) -> Self {
        Self { read, write }
    }

    /// The inverse of [`Self::name`]; `None` for other words.
    pub(super) fn from_name(word: &[u8]) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(_, name)| name.as_bytes() == word)
            .map(|(ops, _)| *ops)
    }

    /// The word for them.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(ops, _)| *ops == self)
            .map_or("none", |(_, name)| name)
    }

    /// Whether requests of this kind are searched.
    pub fn contain(self, op: Op) -> bool {
        if op == Op::Read {
            self.read
        } else {
            self.write && op.writes()
        }
    }
}
