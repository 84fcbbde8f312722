// SPDX-License-Identifier: GPL-2.0

//! The clocks of the kernel.

use rustix::time::{
    clock_gettime,
    ClockId,
    Timespec, //
};
use std::time::Duration;

/// The monotonic clock, which trace events have, in nanoseconds.
pub(crate) fn monotonic() -> u64 {
    u64::try_from(in_nanoseconds(clock_gettime(ClockId::Monotonic))).unwrap_or(0)
}

/// Nanoseconds since 1970 (UTC).
pub(crate) fn since_1970() -> i64 {
    in_nanoseconds(clock_gettime(ClockId::Realtime))
}

/// A length of time in nanoseconds.
pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn in_nanoseconds(time: Timespec) -> i64 {
    time.tv_sec
        .saturating_mul(1_000_000_000)
        .saturating_add(time.tv_nsec)
}
