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

use imgrement_core::limit::Limit;
use proptest::prelude::*;

const SECOND: u64 = 1_000_000_000;

fn admitted(limit: &mut Limit, times: &[u64]) -> u64 {
    times.iter().map(|&now| u64::from(limit.admit(now))).sum()
}

#[test]
fn a_window_admits_the_rate() {
    let mut limit = Limit::new(2);
    assert_eq!(
        [5, 6, 7, SECOND + 4, SECOND + 5, SECOND + 6, SECOND + 7].map(|now| limit.admit(now)),
        [true, true, false, false, true, true, false]
    );
    assert_eq!(limit.take_left_out(), 3);
    assert_eq!(limit.take_left_out(), 0);
}

#[test]
fn zero_is_no_limit() {
    let mut limit = Limit::new(0);
    assert_eq!(admitted(&mut limit, &[7; 100_000]), 100_000);
    assert_eq!(limit.take_left_out(), 0);
}

#[test]
fn the_rate_can_change_within_a_window() {
    let mut limit = Limit::new(1);
    assert_eq!(limit.rate(), 1);
    assert!(limit.admit(0) && !limit.admit(0));
    limit.set_rate(2);
    assert!(limit.admit(0) && !limit.admit(0));
    limit.set_rate(1);
    assert!(!limit.admit(1));
    limit.set_rate(0);
    assert!(limit.admit(1) && limit.admit(1));
    limit.set_rate(1);
    assert!(!limit.admit(2) && limit.admit(SECOND));
    assert_eq!(limit.take_left_out(), 4);
}

#[test]
fn time_may_go_backwards() {
    let mut limit = Limit::new(1);
    assert!(limit.admit(100 * SECOND));
    assert!(!limit.admit(5));
    // The limit goes on from there, rather than wait until the clock has come back.
    assert!(!limit.admit(SECOND));
    assert!(limit.admit(SECOND + 5));
    assert!(limit.admit(u64::MAX));
    assert!(!limit.admit(0));
    assert!(limit.admit(SECOND));
}

proptest! {
    #[test]
    fn never_more_than_allowed(
        rate in 1..20_u32,
        start in prop_oneof![Just(0), any::<u64>()],
        // Steps of both signs; what counts is how far the clock went forwards.
        steps in prop::collection::vec(
            prop_oneof![
                8 => 0..250_000_000_i64,
                1 => 0..3_000_000_000_i64,
                1 => -2_000_000_000..0_i64,
            ],
            0..400,
        ),
    ) {
        let mut limit = Limit::new(rate);
        let mut now = start;
        let mut forwards: u128 = 0;
        let mut sum: u64 = 0;
        for &step in &steps {
            let next = now.saturating_add_signed(step);
            forwards += u128::from(next.saturating_sub(now));
            now = next;
            sum += u64::from(limit.admit(now));
            prop_assert!(u128::from(sum) <= u128::from(rate) * (1 + forwards / u128::from(SECOND)));
        }
        prop_assert_eq!(sum + limit.take_left_out(), steps.len() as u64);
    }

    /// With a clock that only goes forwards: at most twice the rate in any second, and nothing
    /// left out where the requests keep to the rate.
    #[test]
    fn any_second(rate in 1..20_u32, steps in prop::collection::vec(0..SECOND / 4, 0..400)) {
        let mut limit = Limit::new(rate);
        let mut now = 0;
        let mut passed = Vec::new();
        for step in steps {
            now += step;
            if limit.admit(now) {
                passed.push(now);
            }
            let recent = passed.iter().filter(|&&then| now - then < SECOND).count();
            prop_assert!(recent <= 2 * rate as usize);
        }
    }

    #[test]
    fn what_keeps_to_the_rate_is_admitted(rate in 1..2000_u64, count in 0..5000_u64) {
        let mut limit = Limit::new(rate as u32);
        for index in 0..count {
            prop_assert!(limit.admit(index * SECOND.div_ceil(rate)));
        }
    }
}
