// SPDX-License-Identifier: GPL-2.0

//! The first reader of records: the kernel's log.
//!
//! It runs in a worker or in who drains, never in `map`, and is given records, never bios. So no
//! request waits for a console.

use super::{
    counters::{
        Counter,
        Counters, //
    },
    record::Record, //
};
use crate::{
    limit::Limit,
    lines::{
        self,
        Line, //
    },
    params::{
        Text,
        LABEL_MAX, //
    },
};
use kernel::{
    prelude::*,
    time::{
        Instant,
        Monotonic, //
    },
};

/// What the log remembers between requests.
pub(crate) struct Log {
    label: Option<Text<LABEL_MAX>>,
    /// What the limit counts time from.
    began: Instant<Monotonic>,
    limit: Limit,
    /// How many requests came too late for a suspend, since it last said so.
    late: u64,
    /// The losses that it has told of.
    told: Losses,
}

/// How many requests were degraded so far.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Losses {
    records: u64,
    data: u64,
}

impl Losses {
    fn of(counters: &Counters) -> Self {
        Self {
            records: counters.total(Counter::RecordLost),
            data: counters.total(Counter::DataLost),
        }
    }
}

impl Log {
    /// Nothing printed yet. `label` begins each line.
    pub(crate) fn new(label: Option<Text<LABEL_MAX>>) -> Self {
        Self {
            label,
            began: Instant::now(),
            limit: Limit::new(0),
            late: 0,
            told: Losses {
                records: 0,
                data: 0,
            },
        }
    }

    /// Prints a request as a whole, or leaves it out as a whole when `log_rate` of them have been
    /// printed within a second.
    pub(crate) fn request(&mut self, record: &Record<'_>, log_rate: u32, counters: &Counters) {
        let now = self.began.elapsed().as_nanos();

        if log_rate != self.limit.rate() {
            // What was left out was so by the rate before.
            self.missing(counters);
            self.limit.set_rate(log_rate);
        }
        if !self.limit.admit(u64::try_from(now).unwrap_or(0)) {
            counters.this().add(Counter::LeftOut, 1);
            return;
        }
        self.missing(counters);
        lines::request(record.header(), record.deltas(), record.pattern(), |line| {
            self.print(line)
        });
    }

    /// Leaves a request out for which there is no time.
    pub(crate) fn leave_out(&mut self, counters: &Counters) {
        self.late = self.late.wrapping_add(1);
        counters.this().add(Counter::LeftOut, 1);
    }

    /// Says how many requests are missing in the log since it last said so.
    pub(crate) fn missing(&mut self, counters: &Counters) {
        let requests = self.limit.take_left_out();
        if requests != 0 {
            let log_rate = self.limit.rate();
            self.print(Line::LeftOut { requests, log_rate });
        }

        let late = core::mem::take(&mut self.late);
        if late != 0 {
            self.print(Line::TooLate(late));
        }

        let losses = Losses::of(counters);
        let records = losses.records.wrapping_sub(self.told.records);
        let data = losses.data.wrapping_sub(self.told.data);
        if records != 0 || data != 0 {
            self.print(Line::Lost { records, data });
        }
        self.told = losses;
    }

    /// Prints a line. Not from `map`: a console may be slow.
    pub(crate) fn print(&self, line: Line<'_>) {
        let label = self.label.as_ref().map(|label| label.as_bytes());

        pr_info!("{}\n", format_args!("{}", line.labelled(label)));
    }
}
