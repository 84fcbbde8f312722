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
    record::Record,
    search::Kernel, //
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
    record::Header,
    totals::Totals,
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    time::{
        Instant,
        Monotonic, //
    },
};

/// What the log remembers between requests.
pub(crate) struct Log {
    label: Option<Text<LABEL_MAX>>,
    /// Where what was found in a request is added up.
    totals: Totals<Kernel>,
    /// What the limit counts time from.
    began: Instant<Monotonic>,
    limit: Limit,
    /// The same for errors, which have lines of their own.
    errors: Limit,
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
    finds: u64,
    errors: u64,
}

impl Losses {
    fn of(counters: &Counters) -> Self {
        Self {
            records: counters.total(Counter::RecordLost),
            data: counters.total(Counter::DataLost),
            finds: counters.total(Counter::FindsLost),
            errors: counters.total(Counter::ErrorsLeftOut),
        }
    }
}

impl Log {
    /// Nothing printed yet. `label` begins each line. May sleep.
    ///
    /// # Errors
    ///
    /// Where there is no memory.
    pub(crate) fn new(label: Option<Text<LABEL_MAX>>) -> Result<Self, AllocError> {
        Ok(Self {
            label,
            totals: Totals::new()?,
            began: Instant::now(),
            limit: Limit::new(0),
            errors: Limit::new(0),
            late: 0,
            told: Losses {
                records: 0,
                data: 0,
                finds: 0,
                errors: 0,
            },
        })
    }

    /// Prints a record, if `log_rate` lets it.
    pub(crate) fn record(&mut self, record: &Record<'_>, log_rate: u32, counters: &Counters) {
        if record.header().error == 0 {
            self.request(record, log_rate, counters);
        } else {
            self.failed(record.header(), log_rate, counters);
        }
    }

    /// Prints a request as a whole, or leaves it out as a whole when `log_rate` of them have been
    /// printed within a second.
    fn request(&mut self, record: &Record<'_>, log_rate: u32, counters: &Counters) {
        let now = self.now();

        if log_rate != self.limit.rate() {
            // What was left out was so by the rate before.
            self.missing(counters);
            self.limit.set_rate(log_rate);
        }
        if !self.limit.admit(now) {
            counters.add(Counter::LeftOut, 1);
            return;
        }
        self.missing(counters);
        let (header, deltas, finds) = (record.header(), record.deltas(), record.finds());
        let Self { label, totals, .. } = self;
        lines::request(header, deltas, finds, totals, &mut |line| {
            print(label, line)
        });
    }

    /// Prints that a request failed, unless `log_rate` such lines have been printed within a second.
    fn failed(&mut self, header: &Header, log_rate: u32, counters: &Counters) {
        let now = self.now();

        self.errors.set_rate(log_rate);
        if !self.errors.admit(now) {
            counters.add(Counter::ErrorsLeftOut, 1);
            return;
        }
        self.print(Line::Failed(header));
    }

    /// Nanoseconds since it began.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(0)
    }

    /// Leaves a record out for which there is no time.
    pub(crate) fn leave_out(&mut self, record: &Record<'_>, counters: &Counters) {
        if record.header().error == 0 {
            self.late = self.late.wrapping_add(1);
            counters.add(Counter::LeftOut, 1);
        } else {
            counters.add(Counter::ErrorsLeftOut, 1);
        }
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
        let finds = losses.finds.wrapping_sub(self.told.finds);
        if records != 0 || data != 0 || finds != 0 {
            self.print(Line::Lost {
                records,
                data,
                finds,
            });
        }
        let errors = losses.errors.wrapping_sub(self.told.errors);
        if errors != 0 {
            self.print(Line::ErrorsLeftOut(errors));
        }
        self.told = losses;
    }

    /// Prints a line. Not from `map`: a console may be slow.
    pub(crate) fn print(&self, line: Line<'_>) {
        print(&self.label, line);
    }
}

fn print(label: &Option<Text<LABEL_MAX>>, line: Line<'_>) {
    let label = label.as_ref().map(|label| label.as_bytes());

    pr_info!("{}\n", format_args!("{}", line.labelled(label)));
}
