// SPDX-License-Identifier: GPL-2.0

//! How what was recorded gets into the log: a worker prints it, and a mark or a suspend drains it.

use super::{
    log::{
        self,
        Log, //
    },
    record::Record,
    Trace, //
};
use crate::{
    dm::Worker,
    log::lines::Line, //
};
use core::sync::atomic::Ordering;
use kernel::{
    sync::MutexGuard,
    time::{
        delay::fsleep,
        Delta, //
    }, //
};

/// How long I/O waits for a console.
const PATIENCE: Delta = Delta::from_secs(2);

/// How many requests the worker prints before it has others come in between.
const TURN: u32 = 64;

/// How far printing has come.
#[derive(PartialEq, Eq)]
enum Printed {
    /// As far as was asked for.
    All,
    /// As far as there is something.
    AllThatIsThere,
    /// One, and there may be more.
    One,
}

impl Trace {
    /// Has the worker run. It sees what was sent and counted before.
    pub(super) fn wake(&self, worker: Worker<'_>) {
        if !self.scheduled.swap(true, Ordering::AcqRel) {
            worker.start();
        }
    }

    /// What the worker does: prints what has been recorded, and what is missing. After some requests others
    /// have their turn, whose worker it is, too. Once the log takes no more requests, nothing is recorded until
    /// the worker has come back. May sleep.
    pub(crate) fn work(&self, worker: Worker<'_>) {
        // What is sent after this starts the worker anew; what was sent before is seen below.
        self.scheduled.swap(false, Ordering::AcqRel);
        // Read after the flag was taken down: who gets this number or a higher one puts it up anew.
        let end = self.pool.sequence();
        // Before the limits are looked at that it has.
        let seen = self.settings.seen();

        let done = (0..TURN).any(|_| self.print(&mut self.log.lock(), end) != Printed::One);
        let params = self.params();
        let (closed, again) = self.log.lock().tick(&params, &self.counters);
        let opened = self.settings.close_log(seen, closed);
        let again = match again {
            // Who still saw it closed may have been counted after the look at the time.
            None if opened => Some(log::WINDOW),
            again => again,
        };
        if !done {
            worker.start();
        } else if let Some(delay) = again {
            worker.start_after(delay);
        }
    }

    /// Says, once, that tracing begins on `disk`.
    pub(crate) fn announce(&self, disk: &[u8]) {
        // Not when a suspend is given up: the worker may have the log for as long as a slow console takes.
        self.log.lock().run();
        if !self.announced.swap(true, Ordering::Relaxed) {
            self.log.lock().print(Line::Ready(disk));
        }
    }

    /// A suspend begins: I/O will soon wait for whoever waits for the console.
    pub(crate) fn suspend(&self) {
        self.suspending.start();
    }

    /// Nothing is suspended any more.
    pub(crate) fn resume(&self) {
        self.suspending.stop();
        self.finishing.stop();
    }

    /// Prints all that has been recorded up to now, and what is missing. While it is being suspended, it gives
    /// up after [`PATIENCE`]. May sleep.
    pub(super) fn drain(&self) -> MutexGuard<'_, Log> {
        let end = self.pool.sequence();

        loop {
            let mut log = self.log.lock();
            if self.suspending.is_past(PATIENCE) || !self.print_or_wait(&mut log, end) {
                log.missing(&self.counters);
                return log;
            }
        }
    }

    /// Prints all that has been recorded up to now, and what is missing. What a slow console has not taken
    /// after [`PATIENCE`] is left out, and counted: I/O waits for who calls this. So is what comes later, of a
    /// device that is removed by force, until it is resumed: then the worker must not take its time. May sleep.
    pub(crate) fn finish(&self) {
        let end = self.pool.sequence();

        self.finishing.start();
        while self.print_or_wait(&mut self.log.lock(), end) {}

        let mut log = self.log.lock();
        log.missing(&self.counters);
        log.rest();
    }

    /// Whether somebody who suspends the device has waited for a console for long enough: for the last lines, or
    /// for a mark, before which a suspend does not go on.
    fn is_late(&self) -> bool {
        self.finishing.is_past(PATIENCE)
            || self.marks.load(Ordering::Relaxed) != 0 && self.suspending.is_past(PATIENCE)
    }

    /// Prints one of what has a lower number than `end`, if it has been sent. Says whether there may be more.
    fn print_or_wait(&self, log: &mut Log, end: u64) -> bool {
        match self.print(log, end) {
            Printed::One => true,
            Printed::All => false,
            // A request has its number but has not been sent: its task was interrupted in between.
            Printed::AllThatIsThere => {
                fsleep(Delta::from_millis(1));
                true
            }
        }
    }

    /// Prints, or where that is too late leaves out, one of what has a lower number than `end`. After each,
    /// others get their turn with the log, however slow a console is.
    fn print(&self, log: &mut Log, end: u64) -> Printed {
        let mut receiver = self.pool.receiver();

        if receiver.has_received(end) {
            return Printed::All;
        }
        let Some(chain) = receiver.receive() else {
            return Printed::AllThatIsThere;
        };
        if let Some(record) = Record::new(chain) {
            if self.finishing.is_past(PATIENCE) {
                log.leave_out(&record, &self.counters);
            } else {
                let late = || self.is_late();
                log.record(&record, &self.params(), &self.counters, &late);
            }
        }
        Printed::One
    }
}
