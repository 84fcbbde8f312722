// SPDX-License-Identifier: GPL-2.0

//! The limit on the log.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::log::limit::{
    Limit,
    Reason, //
};
use proptest::prelude::*;
use std::num::NonZeroU32;

const SECOND: u64 = 1_000_000_000;

/// The reasons of these limits.
fn rate(limit: u32) -> Reason {
    Reason::Rate(NonZeroU32::new(limit).expect("a limit"))
}
fn lines(limit: u32) -> Reason {
    Reason::Lines(NonZeroU32::new(limit).expect("a limit"))
}

/// Whether a request of one line is admitted.
fn admit(limit: &mut Limit, now: u64) -> bool {
    limit.admit(now, || 1).is_ok()
}

#[test]
fn a_window_admits_the_rate() {
    let mut limit = Limit::new(2, 0);
    assert_eq!(
        [5, 6, 7, SECOND + 4, SECOND + 5, SECOND + 6, SECOND + 7].map(|now| admit(&mut limit, now)),
        [true, true, false, false, true, true, false]
    );
    assert_eq!(limit.admit(SECOND + 8, || 1), Err(rate(2)));
}

#[test]
fn a_window_admits_the_lines() {
    let mut limit = Limit::new(0, 10);
    assert_eq!(
        [(0, 4), (1, 6), (2, 1), (SECOND, 10)].map(|(now, lines)| limit.admit(now, || lines)),
        [Ok(()), Ok(()), Err(lines(10)), Ok(())]
    );
    // Once one did not fit, the window is closed, even for those that would.
    let mut limit = Limit::new(0, 10);
    assert_eq!(
        [(0, 4), (1, 7), (2, 1), (SECOND, 1)].map(|(now, lines)| limit.admit(now, || lines)),
        [Ok(()), Err(lines(10)), Err(lines(10)), Ok(())]
    );
    // A request that fits into no window does not close it.
    let mut limit = Limit::new(2, 10);
    assert_eq!(
        [(0, 4), (1, 11), (2, u32::MAX), (3, 6), (4, 0)]
            .map(|(now, lines)| limit.admit(now, || lines)),
        [Ok(()), Err(lines(10)), Err(lines(10)), Ok(()), Err(rate(2))]
    );
}

#[test]
fn the_remaining_time_of_a_closed_window() {
    let mut limit = Limit::new(1, 0);
    assert_eq!(limit.closed(3), None);
    assert!(admit(&mut limit, 5));
    assert_eq!(limit.closed(6), None);
    assert!(!admit(&mut limit, 7));
    assert_eq!(limit.closed(8), Some((rate(1), SECOND - 3)));
    assert_eq!(limit.closed(SECOND + 4), Some((rate(1), 1)));
    assert_eq!(limit.closed(SECOND + 5), None);
    // A query does not begin a window.
    assert!(admit(&mut limit, 2 * SECOND));
    assert!(!admit(&mut limit, 3 * SECOND - 1));
}

#[test]
fn zero_is_no_limit() {
    let mut limit = Limit::new(0, 0);
    for _ in 0..100_000 {
        assert_eq!(limit.admit(7, || panic!("no limit on lines")), Ok(()));
    }
    assert_eq!(limit.closed(7), None);
}

#[test]
fn the_limits_can_change_within_a_window() {
    let mut limit = Limit::new(1, 0);
    assert!(limit.is(1, 0) && !limit.is(1, 1) && !limit.is(0, 0));
    assert!(admit(&mut limit, 0) && !admit(&mut limit, 0));
    limit.set(2, 0);
    assert!(admit(&mut limit, 0) && !admit(&mut limit, 0));
    limit.set(1, 0);
    assert!(!admit(&mut limit, 1));
    limit.set(0, 0);
    assert!(admit(&mut limit, 1) && admit(&mut limit, 1));
    limit.set(1, 0);
    assert!(!admit(&mut limit, 2) && admit(&mut limit, SECOND));
    limit.set(0, 2);
    assert!(limit.is(0, 2));
    assert!(admit(&mut limit, SECOND) && admit(&mut limit, SECOND));
    assert!(!admit(&mut limit, SECOND));
    limit.set(0, 3);
    assert!(admit(&mut limit, SECOND) && !admit(&mut limit, SECOND));
}

#[test]
fn time_may_go_backwards() {
    let mut limit = Limit::new(1, 0);
    assert!(admit(&mut limit, 100 * SECOND));
    assert!(!admit(&mut limit, 5));
    // The limit continues from there, and does not wait until the clock has caught up.
    assert!(!admit(&mut limit, SECOND));
    assert!(admit(&mut limit, SECOND + 5));
    assert!(admit(&mut limit, u64::MAX));
    assert!(!admit(&mut limit, 0));
    assert!(admit(&mut limit, SECOND));
}

proptest! {
    #[test]
    fn never_more_than_allowed(
        rate in 0..20_u32,
        lines in 0..100_u32,
        start in prop_oneof![Just(0), any::<u64>()],
        // Steps of both signs. Only forward progress of the clock counts.
        steps in prop::collection::vec(
            (
                prop_oneof![
                    8 => 0..250_000_000_i64,
                    1 => 0..3_000_000_000_i64,
                    1 => -2_000_000_000..0_i64,
                ],
                0..30_u32,
            ),
            0..400,
        ),
    ) {
        let mut limit = Limit::new(rate, lines);
        let mut now = start;
        let mut forwards: u128 = 0;
        let (mut requests, mut printed) = (0_u128, 0_u128);
        for &(step, wanted) in &steps {
            let next = now.saturating_add_signed(step);
            forwards += u128::from(next.saturating_sub(now));
            now = next;
            match limit.admit(now, || wanted) {
                Ok(()) => {
                    requests += 1;
                    printed += u128::from(wanted);
                    prop_assert_eq!(limit.closed(now), None);
                }
                Err(Reason::Lines(limit)) if wanted > limit.get() => {}
                Err(reason) => {
                    let (why, rest) = limit.closed(now).expect("closed");
                    prop_assert_eq!(why, reason);
                    prop_assert!((1..=SECOND).contains(&rest));
                }
            }
            let windows = 1 + forwards / u128::from(SECOND);
            prop_assert!(rate == 0 || requests <= u128::from(rate) * windows);
            prop_assert!(lines == 0 || printed <= u128::from(lines) * windows);
        }
    }

    /// With a clock that only goes forward: at most twice the rate in any second.
    #[test]
    fn any_second(rate in 1..20_u32, steps in prop::collection::vec(0..SECOND / 4, 0..400)) {
        let mut limit = Limit::new(rate, 0);
        let mut now = 0;
        let mut passed = Vec::new();
        for step in steps {
            now += step;
            if admit(&mut limit, now) {
                passed.push(now);
            }
            let recent = passed.iter().filter(|&&then| now - then < SECOND).count();
            prop_assert!(recent <= 2 * rate as usize);
        }
    }

    #[test]
    fn what_keeps_to_the_limits_is_admitted(rate in 1..2000_u64, count in 0..5000_u64) {
        let mut limit = Limit::new(rate as u32, 3 * rate as u32);
        for index in 0..count {
            prop_assert_eq!(limit.admit(index * SECOND.div_ceil(rate), || 3), Ok(()));
        }
    }
}
