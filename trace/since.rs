// SPDX-License-Identifier: GPL-2.0

//! How long something has been going on, for those who only watch it.

use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};
use kernel::time::{
    Delta,
    Instant,
    Monotonic, //
};

/// When something began, if it is going on.
pub(crate) struct Since {
    origin: Instant<Monotonic>,
    /// Nanoseconds since the origin; 0 where it is not.
    began: AtomicU64,
}

impl Since {
    /// It is not going on.
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            began: AtomicU64::new(0),
        }
    }

    /// It begins now.
    pub(crate) fn begin(&self) {
        self.began.store(self.now(), Ordering::Relaxed);
    }

    /// It has ended, or never began.
    pub(crate) fn end(&self) {
        self.began.store(0, Ordering::Relaxed);
    }

    /// Whether it has been going on for longer than this.
    pub(crate) fn is_past(&self, limit: Delta) -> bool {
        match self.began.load(Ordering::Relaxed) {
            0 => false,
            began => {
                let limit = u64::try_from(limit.as_nanos()).unwrap_or(0);
                self.now().saturating_sub(began) > limit
            }
        }
    }

    // Apart, since the kernel crate's subtraction of times may panic in theory.
    #[inline(never)]
    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos())
            .unwrap_or(0)
            .max(1)
    }
}
