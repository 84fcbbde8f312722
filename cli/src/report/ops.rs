// SPDX-License-Identifier: GPL-2.0

//! What each op did: how many requests, how many bytes, how long they took, and what failed.

use super::spread::{
    Spread,
    Summary, //
};
use crate::recording::row::{
    op_name,
    Request, //
};
use imgrement_core::record::{
    Flags,
    Op, //
};
use serde::Serialize;

/// The counters of an op.
#[derive(Default)]
pub(crate) struct OpCounts {
    /// How many requests there were.
    pub(crate) requests: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// How many failed.
    pub(crate) errors: u64,
    /// How many had the flag FUA.
    pub(crate) fua: u64,
    /// Nanoseconds from start to end, for requests for which both are known.
    pub(crate) latency: Spread,
}

/// The counters of all ops.
pub(crate) struct Ops(Vec<(Op, OpCounts)>);

impl Default for Ops {
    fn default() -> Self {
        Self(
            Op::ALL
                .iter()
                .map(|op| (*op, OpCounts::default()))
                .collect(),
        )
    }
}

/// The result for an op.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OpSummary {
    /// The op.
    pub(crate) op: &'static str,
    pub(crate) requests: u64,
    pub(crate) bytes: u64,
    pub(crate) requests_per_second: f64,
    pub(crate) bytes_per_second: f64,
    pub(crate) errors: u64,
    pub(crate) fua: u64,
    pub(crate) latency_ns: Summary,
}

impl Ops {
    /// Counts a request.
    pub(crate) fn add(&mut self, request: &Request<'_>) {
        let Some((_, counts)) = self.0.iter_mut().find(|(op, _)| *op == request.op) else {
            return;
        };
        counts.requests += 1;
        counts.bytes = counts.bytes.saturating_add(u64::from(request.bytes));
        counts.errors += u64::from(request.errno.is_some_and(|errno| errno != 0));
        counts.fua += u64::from(request.flags & Flags::FUA.bits() != 0);
        if let Some(latency) = request.latency {
            counts.latency.add(latency);
        }
    }

    /// The counters of the ops that came.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Op, &OpCounts)> {
        self.0
            .iter()
            .filter(|(_, counts)| counts.requests > 0)
            .map(|(op, counts)| (*op, counts))
    }

    /// The result for each op that came, and for all together, over this many seconds.
    pub(crate) fn summary(&self, seconds: f64) -> (Vec<OpSummary>, OpSummary) {
        let per_second = |number: u64| match seconds > 0.0 {
            true => number as f64 / seconds,
            false => 0.0,
        };
        let say = |op, counts: &OpCounts| OpSummary {
            op,
            requests: counts.requests,
            bytes: counts.bytes,
            requests_per_second: per_second(counts.requests),
            bytes_per_second: per_second(counts.bytes),
            errors: counts.errors,
            fua: counts.fua,
            latency_ns: counts.latency.summary(),
        };
        let mut all = OpCounts::default();
        for (_, counts) in self.iter() {
            all.requests += counts.requests;
            all.bytes = all.bytes.saturating_add(counts.bytes);
            all.errors += counts.errors;
            all.fua += counts.fua;
            all.latency.join(&counts.latency);
        }
        let each = self.iter().map(|(op, counts)| say(op_name(op), counts));
        (each.collect(), say("all", &all))
    }
}
