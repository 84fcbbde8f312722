// SPDX-License-Identifier: GPL-2.0

//! A stopwatch that any number of tasks may read, start and stop.

use core::sync::atomic::{
    AtomicU64,
    Ordering, //
};
use kernel::time::{
    Delta,
    Instant,
    Monotonic, //
};

/// Runs from its start until it is stopped.
pub(crate) struct Stopwatch {
    origin: Instant<Monotonic>,
    /// When it was started, in nanoseconds after `origin`; 0 if it is stopped.
    started: AtomicU64,
}

impl Stopwatch {
    /// A stopped stopwatch.
    pub(crate) fn new() -> Self {
        Self {
            origin: Instant::now(),
            started: AtomicU64::new(0),
        }
    }

    /// Starts it at 0.
    pub(crate) fn start(&self) {
        self.started.store(self.now(), Ordering::Relaxed);
    }

    /// Stops it.
    pub(crate) fn stop(&self) {
        self.started.store(0, Ordering::Relaxed);
    }

    /// Whether it is running, and has run for longer than `limit`.
    pub(crate) fn is_past(&self, limit: Delta) -> bool {
        match self.started.load(Ordering::Relaxed) {
            0 => false,
            started => {
                let limit = u64::try_from(limit.as_nanos()).unwrap_or(0);
                self.now().saturating_sub(started) > limit
            }
        }
    }

    // A separate function, because the kernel crate's subtraction of times may panic in theory.
    #[inline(never)]
    fn now(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_nanos())
            .unwrap_or(0)
            .max(1)
    }
}
