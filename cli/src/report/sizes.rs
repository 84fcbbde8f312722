// SPDX-License-Identifier: GPL-2.0

//! The sizes of requests, and the latencies for each class of sizes.

use super::{
    frequent::Frequent,
    spread::{
        Spread,
        Summary, //
    },
};
use crate::recording::row::{
    op_name,
    Request, //
};
use imgrement_core::record::Op;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many different sizes are counted exactly.
const DIFFERENT: usize = 1024;

/// Counts sizes.
pub(crate) struct Sizes {
    exact: Frequent<(u8, u32), ()>,
    /// By op, and the power of two that the size has.
    classes: BTreeMap<(u8, u32), Class>,
}

#[derive(Default)]
struct Class {
    requests: u64,
    latency: Spread,
}

/// A size that is common.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct SizeSummary {
    /// The op.
    pub(crate) op: &'static str,
    /// The size.
    pub(crate) bytes: u32,
    /// How many requests have it.
    pub(crate) requests: u64,
}

/// A class of sizes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ClassSummary {
    /// The op.
    pub(crate) op: &'static str,
    /// The smallest size of the class, a power of two. It ends below the next one.
    pub(crate) from_bytes: u32,
    /// How many requests it has.
    pub(crate) requests: u64,
    /// Their latency.
    pub(crate) latency_ns: Summary,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            exact: Frequent::new(DIFFERENT),
            classes: BTreeMap::new(),
        }
    }
}

impl Sizes {
    /// A request. One without bytes has no size.
    pub(crate) fn add(&mut self, request: &Request<'_>) {
        let Some(power) = request.bytes.checked_ilog2() else {
            return;
        };
        let op = request.op.code();
        self.exact.add(&(op, request.bytes), 1, |()| {});
        let class = self.classes.entry((op, power)).or_default();
        class.requests += 1;
        if let Some(latency) = request.latency {
            class.latency.add(latency);
        }
    }

    /// The most common sizes; and how many requests may be missing from each of these numbers.
    pub(crate) fn common(&self, number: usize) -> (Vec<SizeSummary>, u64) {
        let top = self.exact.top(number).into_iter();
        let sizes = top.map(|((op, bytes), requests, ())| SizeSummary {
            op: name(op),
            bytes,
            requests,
        });
        (sizes.collect(), self.exact.missing())
    }

    /// All classes, by op and size.
    pub(crate) fn classes(&self) -> Vec<ClassSummary> {
        self.classes
            .iter()
            .map(|((op, power), class)| ClassSummary {
                op: name(*op),
                from_bytes: 1_u32.checked_shl(*power).unwrap_or(0),
                requests: class.requests,
                latency_ns: class.latency.summary(),
            })
            .collect()
    }
}

fn name(op: u8) -> &'static str {
    op_name(Op::from_code(op).unwrap_or(Op::Other))
}

#[cfg(test)]
mod tests {
    use super::super::tests::request;
    use super::*;

    #[test]
    fn sizes_are_counted() {
        let mut sizes = Sizes::default();
        for bytes in [512, 4096, 4096, 6144, 8191, 8192] {
            let mut request = request(Op::Read, 0, bytes);
            request.latency = Some(u64::from(bytes));
            sizes.add(&request);
        }
        sizes.add(&request(Op::Write, 0, 4096));
        sizes.add(&request(Op::Flush, 0, 0));
        let classes: Vec<_> = sizes
            .classes()
            .into_iter()
            .map(|class| {
                (
                    class.op,
                    class.from_bytes,
                    class.requests,
                    class.latency_ns.max,
                )
            })
            .collect();
        assert_eq!(
            classes,
            [
                ("read", 512, 1, 512),
                ("read", 4096, 4, 8191),
                ("read", 8192, 1, 8192),
                ("write", 4096, 1, 0)
            ]
        );
        let (common, missing) = sizes.common(2);
        let common: Vec<_> = common
            .iter()
            .map(|size| (size.op, size.bytes, size.requests))
            .collect();
        assert_eq!(
            (common, missing),
            (vec![("read", 4096, 2), ("read", 512, 1)], 0)
        );
    }
}
