// SPDX-License-Identifier: GPL-2.0

//! Requests that are left out of the log, and the reasons, until the log reports them.
//!
//! One counter counts every request that is left out. For those that are recorded, the reason is known: a limit
//! refuses them, or they are too late. While a limit is used up, requests pass without a record, and only the counter
//! knows of them. They are attributed to the limit that was used up at that time.

use super::limit::Reason;

/// How many reasons there can be between two reports: the two present limits, and the one that was used up before
/// these were set.
const REASONS: usize = 3;

/// What the log has not reported yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untold {
    /// How many requests were left out for each reason; the first ones are in use.
    pub limits: [Option<(Reason, u64)>; REASONS],
    /// How many came too late for a suspend.
    pub late: u64,
}

impl Untold {
    fn add(&mut self, reason: Reason, requests: u64) {
        let last = self.limits.len().saturating_sub(1);

        for (at, part) in self.limits.iter_mut().enumerate() {
            match part {
                // The last slot takes the rest, so that nothing is lost, whatever the caller does.
                Some((known, sum)) if *known == reason || at == last => {
                    *sum = sum.saturating_add(requests);
                    return;
                }
                Some(_) => {}
                None => {
                    *part = Some((reason, requests));
                    return;
                }
            }
        }
    }

    fn sum(&self) -> u64 {
        self.limits
            .iter()
            .flatten()
            .fold(self.late, |sum, &(_, requests)| {
                sum.saturating_add(requests)
            })
    }
}

/// Tracks why requests are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    untold: Untold,
    /// The limit that was used up last. Until another one is, requests that pass without a record do so because of it.
    used_up: Option<Reason>,
}

impl LeftOut {
    /// A recorded request is left out.
    pub fn refuse(&mut self, reason: Reason) {
        self.untold.add(reason, 1);
    }

    /// A recorded request is left out because it came too late for a suspend.
    pub fn too_late(&mut self) {
        self.untold.late = self.untold.late.saturating_add(1);
    }

    /// A limit is used up: from now on, requests may pass without a record. `all` is how many requests the counter has
    /// counted that the log has not reported.
    pub fn close(&mut self, reason: Reason, all: u64) {
        if self.used_up != Some(reason) {
            self.settle(all);
            self.used_up = Some(reason);
        }
    }

    /// What must be reported now, and then counts as reported. `all` is as in [`Self::close`].
    pub fn take(&mut self, all: u64) -> Untold {
        self.settle(all);
        core::mem::take(&mut self.untold)
    }

    /// Attributes the requests that only the counter knows of.
    fn settle(&mut self, all: u64) {
        let unrecorded = all.saturating_sub(self.untold.sum());

        if let Some(reason) = self.used_up.filter(|_| unrecorded != 0) {
            self.untold.add(reason, unrecorded);
        }
    }
}
