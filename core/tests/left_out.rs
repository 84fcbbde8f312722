// SPDX-License-Identifier: GPL-2.0

//! What is left out of the log, and why.

#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

use imgrement_core::log::{
    left_out::{
        LeftOut,
        Untold, //
    },
    limit::Reason,
};
use proptest::prelude::*;
use std::num::NonZeroU32;

fn rate(limit: u32) -> Reason {
    Reason::Rate(NonZeroU32::new(limit).expect("a limit"))
}

fn lines(limit: u32) -> Reason {
    Reason::Lines(NonZeroU32::new(limit).expect("a limit"))
}

fn told(untold: Untold) -> Vec<(Reason, u64)> {
    untold.limits.into_iter().flatten().collect()
}

#[test]
fn each_request_is_reported_once() {
    let mut left_out = LeftOut::default();
    assert_eq!(left_out.take(0), Untold::default());
    left_out.refuse(rate(7));
    left_out.refuse(rate(7));
    left_out.refuse(lines(100));
    left_out.too_late();
    let untold = left_out.take(4);
    assert_eq!(told(untold), [(rate(7), 2), (lines(100), 1)]);
    assert_eq!(untold.late, 1);
    assert_eq!(left_out.take(0), Untold::default());
}

#[test]
fn a_lifted_limit_stays_with_what_it_left_out() {
    let mut left_out = LeftOut::default();
    left_out.refuse(lines(10));
    left_out.close(lines(10), 1);
    assert_eq!(told(left_out.take(5)), [(lines(10), 5)]);
    // It is lifted here. Two more had seen it.
    assert_eq!(told(left_out.take(2)), [(lines(10), 2)]);
    // So had one more, before another limit refused one.
    left_out.refuse(rate(3));
    assert_eq!(told(left_out.take(2)), [(rate(3), 1), (lines(10), 1)]);
}

#[test]
fn requests_are_attributed_to_the_used_up_limit() {
    let mut left_out = LeftOut::default();
    left_out.refuse(rate(7));
    left_out.close(rate(7), 1);
    // Ten passed by then, and eight more before the report.
    left_out.close(lines(100), 11);
    left_out.refuse(rate(8));
    left_out.close(lines(100), 15);
    assert_eq!(
        told(left_out.take(20)),
        [(rate(7), 11), (rate(8), 1), (lines(100), 8)]
    );
}

#[test]
fn late_requests_are_not_attributed_to_a_limit() {
    let mut left_out = LeftOut::default();
    left_out.close(rate(7), 0);
    left_out.too_late();
    let untold = left_out.take(3);
    assert_eq!((told(untold), untold.late), (vec![(rate(7), 2)], 1));
}

proptest! {
    /// Whatever the reasons, and however many: none is lost, and none is reported twice.
    #[test]
    fn the_sum_is_right(
        steps in prop::collection::vec((0..5_u8, 1..6_u32, 0..4_u64), 0..200),
    ) {
        let mut left_out = LeftOut::default();
        left_out.close(rate(1), 0);
        let mut untold = 0;
        for (what, limit, unrecorded) in steps {
            untold += unrecorded;
            match what {
                0 | 1 => {
                    left_out.refuse(if what == 0 { rate(limit) } else { lines(limit) });
                    untold += 1;
                }
                2 => {
                    left_out.too_late();
                    untold += 1;
                }
                3 => left_out.close(lines(limit), untold),
                _ => {
                    let parts = left_out.take(untold);
                    let sum: u64 = told(parts).iter().map(|part| part.1).sum();
                    prop_assert_eq!(sum + parts.late, untold);
                    untold = 0;
                }
            }
        }
    }
}
