// SPDX-License-Identifier: GPL-2.0

//! The limit on the log: so many whole requests a second.
//!
//! Time is cut into windows. A window begins with the first request that finds the one before at
//! least a second old, and admits `rate` requests. So no second sees more than twice the rate,
//! and `T` seconds see at most `(T + 1) * rate`. A window rather than a token bucket, because
//! what it admits is a run of requests as they came, and then a gap, which reads better in a log
//! than every tenth request.

/// The length of a window, in nanoseconds.
const WINDOW_NS: u64 = 1_000_000_000;

/// A limit on whole requests a second, and how many it left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    rate: u32,
    /// When the window began, in nanoseconds; `None` before the first request.
    start: Option<u64>,
    /// How many requests the window has admitted; at most `rate`, where that is not 0 and has not
    /// been changed since.
    admitted: u32,
    left_out: u64,
}

impl Limit {
    /// A limit of `rate` requests a second; 0 is no limit.
    pub fn new(rate: u32) -> Self {
        Self {
            rate,
            start: None,
            admitted: 0,
            left_out: 0,
        }
    }

    /// The limit, in requests a second; 0 is no limit.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Changes the limit, from the next request on. What the present window has admitted still
    /// counts.
    pub fn set_rate(&mut self, rate: u32) {
        self.rate = rate;
    }

    /// Whether a request may be logged now; where not, it is counted as left out.
    ///
    /// `now` is in nanoseconds of any clock. Should it go backwards, the window is taken to have
    /// begun then, and admits no more for it: what counts is how far the clock went forwards.
    pub fn admit(&mut self, now: u64) -> bool {
        match self.start {
            Some(start) if now < start => self.start = Some(now),
            // Never saturates: `now` is not before `start`.
            Some(start) if now.saturating_sub(start) < WINDOW_NS => {}
            _ => {
                self.start = Some(now);
                self.admitted = 0;
            }
        }

        if self.rate != 0 && self.admitted >= self.rate {
            // 2^64 requests do not pass in the life of a machine.
            self.left_out = self.left_out.saturating_add(1);
            return false;
        }
        // Without a limit this may saturate, and nothing comes of it.
        self.admitted = self.admitted.saturating_add(1);
        true
    }

    /// How many requests were left out since this was last asked.
    pub fn take_left_out(&mut self) -> u64 {
        core::mem::take(&mut self.left_out)
    }
}
