// SPDX-License-Identifier: GPL-2.0

//! How records get into the log: a worker prints them, and a mark or a suspend drains them.

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

/// How many requests the worker prints before it gives others a turn.
const TURN: u32 = 64;

/// How far printing has come.
#[derive(PartialEq, Eq)]
enum Printed {
    /// Everything that was asked for has been printed.
    All,
    /// Everything that has been sent so far has been printed.
    AllThatIsThere,
    /// One record has been printed, and there may be more.
    One,
}

impl Trace {
    /// Makes the worker run. It sees what was sent and counted before.
    pub(super) fn wake(&self, worker: Worker<'_>) {
        if !self.scheduled.swap(true, Ordering::AcqRel) {
            worker.start();
        }
    }

    /// The worker's function: prints what has been recorded, and reports what is missing. After some requests it gives
    /// a turn to other targets, which have the same worker. Once the log takes no more requests, nothing is recorded
    /// until the worker runs again. May sleep.
    pub(crate) fn work(&self, worker: Worker<'_>) {
        // What is sent after this starts the worker again. What was sent before is seen below.
        self.scheduled.swap(false, Ordering::AcqRel);
        // Read after the flag was cleared: the task that gets this number, or a higher one, sets it again.
        let end = self.pool.sequence();
        // Read before the limits in the settings are used.
        let seen = self.settings.seen();

        let done = (0..TURN).any(|_| self.print(&mut self.log.lock(), end) != Printed::One);
        let params = self.params();
        let (closed, again) = self.log.lock().tick(&params, &self.counters);
        let opened = self.settings.close_log(seen, closed);
        let again = match again {
            // A request that still saw it closed may have been counted after the time was read.
            None if opened => Some(log::WINDOW),
            again => again,
        };
        if !done {
            worker.start();
        } else if let Some(delay) = again {
            worker.start_after(delay);
        }
    }

    /// Prints, once, that tracing begins on `disk`.
    pub(crate) fn announce(&self, disk: &[u8]) {
        // Not called when a suspend is given up: the worker may hold the log as long as a slow console takes.
        self.log.lock().run();
        if !self.announced.swap(true, Ordering::Relaxed) {
            self.log.lock().print(Line::Ready(disk));
        }
    }

    /// A suspend begins: I/O will soon wait for the task that waits for the console.
    pub(crate) fn suspend(&self) {
        self.suspending.start();
    }

    /// Nothing is suspended any more.
    pub(crate) fn resume(&self) {
        self.suspending.stop();
        self.finishing.stop();
    }

    /// Prints everything that has been recorded up to now, and reports what is missing. During a suspend, it gives up
    /// after [`PATIENCE`]. May sleep.
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

    /// Prints everything that has been recorded up to now, and reports what is missing. What a slow console has not
    /// taken after [`PATIENCE`] is left out and counted, because I/O waits for the caller. If the device is removed by
    /// force, later records are left out, too, until a resume, so that the removal does not wait long for the worker.
    /// May sleep.
    pub(crate) fn finish(&self) {
        let end = self.pool.sequence();

        self.finishing.start();
        while self.print_or_wait(&mut self.log.lock(), end) {}

        let mut log = self.log.lock();
        log.missing(&self.counters);
        log.rest();
    }

    /// Whether the task that suspends the device has waited long enough for a console: for the last lines, or for a
    /// mark, before which a suspend does not continue.
    fn is_late(&self) -> bool {
        self.finishing.is_past(PATIENCE)
            || self.marks.load(Ordering::Relaxed) != 0 && self.suspending.is_past(PATIENCE)
    }

    /// Prints one record with a number below `end`, if it has been sent. Returns whether there may be more.
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

    /// Prints one record with a number below `end`, or leaves it out if it is too late. After each record, others can
    /// take the log, however slow a console is.
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
