// SPDX-License-Identifier: GPL-2.0

//! The limits on the log: whole requests per second, and lines per second.
//!
//! Time is divided into windows. A window begins with the first request after the previous window is a second old,
//! and lasts one second. It admits requests until one does not fit. Then it is closed, and admits no more. So it
//! admits a run of consecutive requests, followed by a gap. In a log, this reads better than every tenth request,
//! which a token bucket would give. Where two windows meet, one second may have twice as many; `T` seconds have at
//! most `T + 1` times as many.

use core::{
    fmt,
    num::NonZeroU32, //
};

/// The length of a window, in nanoseconds.
pub const WINDOW_NS: u64 = 1_000_000_000;

/// The limit that keeps a request out of the log, as it was then. It prints as the argument that set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Requests per second.
    Rate(NonZeroU32),
    /// Lines per second.
    Lines(NonZeroU32),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(limit) => write!(f, "log_rate {limit}"),
            Self::Lines(limit) => write!(f, "log_lines {limit}"),
        }
    }
}

/// A limit on whole requests and on their lines, per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    rate: Option<NonZeroU32>,
    lines: Option<NonZeroU32>,
    /// When the window began, in nanoseconds; `None` if the next request begins one.
    start: Option<u64>,
    /// How many requests the window has admitted, and how many lines these have, as far as they were counted.
    admitted: u32,
    admitted_lines: u32,
    /// Why the window admits no more.
    closed: Option<Reason>,
}

impl Limit {
    /// A limit of `rate` requests and `lines` lines per second; 0 means no limit.
    pub fn new(rate: u32, lines: u32) -> Self {
        Self {
            rate: NonZeroU32::new(rate),
            lines: NonZeroU32::new(lines),
            start: None,
            admitted: 0,
            admitted_lines: 0,
            closed: None,
        }
    }

    /// Whether these are its limits.
    pub fn is(&self, rate: u32, lines: u32) -> bool {
        (self.rate, self.lines) == (NonZeroU32::new(rate), NonZeroU32::new(lines))
    }

    /// Changes the limits, from the next request on. What the current window has admitted still counts. Its lines
    /// count only as far as there was a limit on lines.
    pub fn set(&mut self, rate: u32, lines: u32) {
        self.rate = NonZeroU32::new(rate);
        self.lines = NonZeroU32::new(lines);
        self.closed = None;
    }

    /// Whether a request with `lines` lines may be logged now, or why not. `lines` is not called if there is no limit
    /// on lines. A request that is too long for any window is refused, and the window stays open for others.
    ///
    /// `now` is in nanoseconds of any clock. If it goes backwards, the window counts as begun at that time. It does not
    /// admit more because of that: only forward progress of the clock counts.
    ///
    /// # Errors
    ///
    /// The limit that keeps it out of the log.
    pub fn admit(&mut self, now: u64, lines: impl FnOnce() -> u32) -> Result<(), Reason> {
        self.pass(now);
        self.start.get_or_insert(now);

        if let Some(reason) = self.closed {
            return Err(reason);
        }
        if let Some(rate) = self.rate.filter(|rate| self.admitted >= rate.get()) {
            self.closed = Some(Reason::Rate(rate));
            return Err(Reason::Rate(rate));
        }
        if let Some(limit) = self.lines {
            let lines = lines();
            let sum = self.admitted_lines.saturating_add(lines);
            if sum > limit.get() {
                let reason = Reason::Lines(limit);
                if lines <= limit.get() {
                    self.closed = Some(reason);
                }
                return Err(reason);
            }
            self.admitted_lines = sum;
        }
        // Without a limit this may saturate, which has no effect.
        self.admitted = self.admitted.saturating_add(1);
        Ok(())
    }

    /// Why the window is closed, and for how long, in nanoseconds; `None` if it is open, or if there is no window.
    pub fn closed(&mut self, now: u64) -> Option<(Reason, u64)> {
        self.pass(now);
        let reason = self.closed?;
        let passed = now.saturating_sub(self.start?);

        // Never saturates: a window that is over is gone.
        Some((reason, WINDOW_NS.saturating_sub(passed)))
    }

    /// Ends the window if it is a second old.
    fn pass(&mut self, now: u64) {
        match self.start {
            Some(start) if now < start => self.start = Some(now),
            // Never saturates: `now` is not before `start`.
            Some(start) if now.saturating_sub(start) >= WINDOW_NS => {
                *self = Self {
                    rate: self.rate,
                    lines: self.lines,
                    ..Self::new(0, 0)
                };
            }
            Some(_) | None => {}
        }
    }
}
