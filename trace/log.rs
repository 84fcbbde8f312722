// SPDX-License-Identifier: GPL-2.0

//! The one reader of records: it prints them to the kernel's log.
//!
//! It runs in a worker, a message or a suspend, never in `map`, and it gets records, never bios. So no
//! request waits for a console.

use super::{
    counters::{
        Counter,
        Counters, //
    },
    record::Record, //
};
use crate::{
    config::{
        arguments::{
            Params,
            LABEL_MAX, //
        },
        text::Text, //
    },
    dm::TargetName,
    log::{
        left_out::LeftOut,
        limit::{
            Limit,
            WINDOW_NS, //
        },
        lines::{
            self,
            Line, //
        },
        totals::Totals, //
    },
    record::Header,
    sys::memory::Kernel, //
};
use core::sync::atomic::{
    AtomicU32,
    Ordering, //
};
use kernel::{
    alloc::AllocError,
    prelude::*,
    time::{
        Delta,
        Instant,
        Monotonic, //
    },
};

/// The length of a window of the limits.
pub(crate) const WINDOW: Delta = Delta::from_nanos(WINDOW_NS as i64);

/// How many targets without a label run now. Their lines only need names if there are several.
static UNLABELLED: AtomicU32 = AtomicU32::new(0);

/// What the log remembers between requests.
pub(crate) struct Log {
    label: Option<Text<LABEL_MAX>>,
    /// The start of its lines if it has no label and does not run alone.
    name: TargetName,
    /// Whether it is one of [`UNLABELLED`].
    running: bool,
    /// Adds up what was found in a request.
    totals: Totals<Kernel>,
    /// The start of the limit's clock.
    began: Instant<Monotonic>,
    limit: Limit,
    /// The limit on errors, which have lines of their own.
    errors: Limit,
    /// Why requests were left out since the last report.
    left_out: LeftOut,
    /// The losses that have been reported.
    told: Losses,
    /// The time of the last report.
    told_at: u64,
}

/// How many requests so far are missing in the log, or incomplete.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Losses {
    left_out: u64,
    records: u64,
    data: u64,
    finds: u64,
    errors: u64,
}

impl Losses {
    fn of(counters: &Counters) -> Self {
        Self {
            left_out: counters.total(Counter::LeftOut),
            records: counters.total(Counter::RecordLost),
            data: counters.total(Counter::DataLost),
            finds: counters.total(Counter::FindsLost),
            errors: counters.total(Counter::ErrorsLeftOut),
        }
    }
}

impl Log {
    /// A log that has not printed anything. Each line begins with `label`, or with `name` if necessary. May sleep.
    ///
    /// # Errors
    ///
    /// If there is no memory.
    pub(crate) fn new(
        label: Option<Text<LABEL_MAX>>,
        name: TargetName,
    ) -> Result<Self, AllocError> {
        Ok(Self {
            label,
            name,
            running: false,
            totals: Totals::new()?,
            began: Instant::now(),
            limit: Limit::new(0, 0),
            errors: Limit::new(0, 0),
            left_out: LeftOut::default(),
            told: Losses {
                left_out: 0,
                records: 0,
                data: 0,
                finds: 0,
                errors: 0,
            },
            told_at: 0,
        })
    }

    /// Prints a record, if the limits allow it, until it is too `late`: a console may be slow.
    pub(crate) fn record(
        &mut self,
        record: &Record<'_>,
        params: &Params,
        counters: &Counters,
        late: &dyn Fn() -> bool,
    ) {
        if record.header().error == 0 {
            self.request(record, params, counters, late);
        } else {
            self.failed(record.header(), params, counters);
        }
    }

    /// Prints a request whole, or leaves it out whole if it is beyond the limits. Once it is too late, the rest of its
    /// lines are left out, and one line says so.
    fn request(
        &mut self,
        record: &Record<'_>,
        params: &Params,
        counters: &Counters,
        late: &dyn Fn() -> bool,
    ) {
        let now = self.now();

        self.adopt(params, counters);
        let (header, deltas, finds) = (record.header(), record.deltas(), record.finds());
        let Self { limit, totals, .. } = self;
        let lines = || lines::count(header, record.deltas(), record.finds(), totals);
        if let Err(reason) = limit.admit(now, lines) {
            counters.add(Counter::LeftOut, 1);
            self.left_out.refuse(reason);
            return;
        }
        self.missing(counters);
        let prefix = prefix(&self.label, &self.name, self.running);
        let totals = &mut self.totals;
        let mut printed = false;
        let mut cut: u64 = 0;
        lines::request(header, deltas, finds, totals, &mut |line| {
            if cut != 0 || late() {
                cut = cut.wrapping_add(1);
            } else {
                print(prefix, line);
                printed = true;
            }
        });
        if cut == 0 {
            return;
        }
        if printed {
            // The line below reports it.
            self.told.left_out = self.told.left_out.wrapping_add(1);
            self.print(Line::Cut(cut));
        } else {
            self.left_out.too_late();
        }
        counters.add(Counter::LeftOut, 1);
    }

    /// Takes over the current limits.
    fn adopt(&mut self, params: &Params, counters: &Counters) {
        if !self.limit.is(params.log_rate, params.log_lines) {
            // So recorded requests are never left out by more than one limit of a kind between reports.
            self.missing(counters);
            self.limit.set(params.log_rate, params.log_lines);
        }
    }

    /// Prints that a request failed, unless the limits on such lines per second are used up.
    fn failed(&mut self, header: &Header, params: &Params, counters: &Counters) {
        let now = self.now();

        if !self.errors.is(params.log_rate, params.log_lines) {
            self.errors.set(params.log_rate, params.log_lines);
        }
        if self.errors.admit(now, || 1).is_err() {
            counters.add(Counter::ErrorsLeftOut, 1);
            return;
        }
        self.print(Line::Failed(header));
    }

    /// Nanoseconds since the start. A separate function, because the kernel crate's subtraction of times may panic in
    /// theory.
    #[inline(never)]
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(0)
    }

    /// Leaves out a record, because there is no time for it.
    pub(crate) fn leave_out(&mut self, record: &Record<'_>, counters: &Counters) {
        if record.header().error == 0 {
            self.left_out.too_late();
            counters.add(Counter::LeftOut, 1);
        } else {
            counters.add(Counter::ErrorsLeftOut, 1);
        }
    }

    /// Checks the time, and reports what is missing if a closed window has ended, or a second has passed since the last
    /// report. Returns whether the window is closed, and when to call again, if ever.
    pub(crate) fn tick(&mut self, params: &Params, counters: &Counters) -> (bool, Option<Delta>) {
        self.adopt(params, counters);
        let now = self.now();
        let after = |ns: u64| Some(Delta::from_nanos(i64::try_from(ns).unwrap_or(i64::MAX)));

        if let Some((reason, rest)) = self.limit.closed(now) {
            let left_out = counters.total(Counter::LeftOut);
            self.left_out
                .close(reason, left_out.wrapping_sub(self.told.left_out));
            return (true, after(rest));
        }
        if Losses::of(counters) == self.told {
            return (false, None);
        }
        let passed = now.saturating_sub(self.told_at);
        if passed < WINDOW_NS {
            return (false, after(WINDOW_NS.saturating_sub(passed)));
        }
        self.missing(counters);
        (false, None)
    }

    /// Reports how many requests are missing in the log since the last report.
    pub(crate) fn missing(&mut self, counters: &Counters) {
        let losses = Losses::of(counters);
        if losses == self.told {
            return;
        }
        let told = core::mem::replace(&mut self.told, losses);
        self.told_at = self.now();

        let untold = self
            .left_out
            .take(losses.left_out.wrapping_sub(told.left_out));
        for (reason, requests) in untold.limits.into_iter().flatten() {
            self.print(Line::LeftOut { requests, reason });
        }
        if untold.late != 0 {
            self.print(Line::TooLate(untold.late));
        }

        let records = losses.records.wrapping_sub(told.records);
        let data = losses.data.wrapping_sub(told.data);
        let finds = losses.finds.wrapping_sub(told.finds);
        if records != 0 || data != 0 || finds != 0 {
            self.print(Line::Lost {
                records,
                data,
                finds,
            });
        }
        let errors = losses.errors.wrapping_sub(told.errors);
        if errors != 0 {
            self.print(Line::ErrorsLeftOut(errors));
        }
    }

    /// The target runs: requests may come.
    pub(crate) fn run(&mut self) {
        if self.label.is_none() && !self.running {
            self.running = true;
            UNLABELLED.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The target no longer runs.
    pub(crate) fn rest(&mut self) {
        if self.running {
            self.running = false;
            UNLABELLED.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Prints a line. Not from `map`: a console may be slow.
    pub(crate) fn print(&self, line: Line<'_>) {
        print(prefix(&self.label, &self.name, self.running), line);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.rest();
    }
}

/// The start of a line.
#[derive(Clone, Copy)]
enum Prefix<'a> {
    /// The label, if there is one.
    Label(Option<&'a [u8]>),
    /// The name of the target.
    Name(&'a TargetName),
}

/// The current start of a target's lines. All lines of a request begin alike, so this is called once for each
/// request.
fn prefix<'a>(
    label: &'a Option<Text<LABEL_MAX>>,
    name: &'a TargetName,
    running: bool,
) -> Prefix<'a> {
    let all = UNLABELLED.load(Ordering::Relaxed);

    match label {
        None if all > u32::from(running) => Prefix::Name(name),
        label => Prefix::Label(label.as_ref().map(|label| label.as_bytes())),
    }
}

fn print(prefix: Prefix<'_>, line: Line<'_>) {
    match prefix {
        Prefix::Label(label) => pr_info!("{}\n", format_args!("{}", line.labelled(label))),
        Prefix::Name(name) => pr_info!("{}\n", format_args!("{name}: {line}")),
    }
}
