// SPDX-License-Identifier: GPL-2.0

//! What the disk held at a point of its log: the log, an index of it, and what applies to sectors that are not in it.

use super::{
    index::Index,
    log::{
        Log,
        Session, //
    },
    point::{
        Finder,
        Point,
        Spec, //
    },
    source::Source,
    sweep::{
        sweep,
        Origin,
        Reason,
        Rules,
        Segment, //
    },
};
use crate::failure::Failure;
use imgrement_core::{
    history::entry::{
        End, //
        Entry,
    },
    record::SECTOR_SIZE, //
};
use std::{
    collections::BTreeMap,
    ops::Range, //
};

/// How many ranges an error lists.
const SHOWN: usize = 10;

/// A disk, or an image of one.
#[derive(Debug)]
pub(crate) struct Image {
    /// Its bytes.
    pub(crate) source: Source,
    /// The byte at which the target begins on it.
    pub(crate) offset: u64,
}

/// What is asked.
#[derive(Debug)]
pub(crate) struct Question {
    /// The point.
    pub(crate) at: Spec,
    /// The sectors; all if this is `None`.
    pub(crate) sectors: Option<Range<u64>>,
    /// Nothing was written while no session ran, and since.
    pub(crate) assume_unchanged: bool,
    /// The disk as it was when the log began.
    pub(crate) base: Option<Image>,
    /// The disk as it is now.
    pub(crate) disk: Option<Image>,
    /// The disk is the one of a target that writes this log now: nothing can change without it.
    pub(crate) live: bool,
}

/// What the disk held at a point.
#[derive(Debug)]
pub(crate) struct State {
    /// The log.
    pub(crate) log: Log,
    /// The point.
    pub(crate) point: Point,
    index: Index,
    rules: Rules,
    /// What was asked.
    pub(crate) question: Question,
}

/// What is not known.
#[derive(Debug, Default)]
pub(crate) struct Unknown {
    /// How many sectors, by reason.
    pub(crate) sectors: BTreeMap<Reason, u64>,
    /// The first ranges.
    first: Vec<(Range<u64>, Reason)>,
    /// How many ranges.
    ranges: u64,
}

impl State {
    /// Reads a log, and finds out.
    pub(crate) fn find(mut log: Log, question: Question) -> Result<Self, Failure> {
        let all = 0..log.sectors();
        let sectors = question.sectors.clone().unwrap_or(all.clone());
        if sectors.end > all.end || sectors.start >= sectors.end {
            return Err(Failure::new(format_args!(
                "sectors {} to {} are not on the disk, which has {}",
                sectors.start,
                sectors.end.saturating_sub(1),
                all.end
            )));
        }
        let mut index = Index::new(sectors);
        let mut finder = Finder::new(question.at.clone(), &log);
        let begin = log.begin();
        log.read(begin, |session: &Session, entry: Entry<'_>| {
            finder.pass(session, &entry);
            index.add(&entry);
            Ok(true)
        })?;
        let point = finder.finish(&log)?;
        Ok(Self::of(log, point, index, question))
    }

    /// The same state, from its log as it is now. Only what has come since is read.
    pub(crate) fn go_on(self, mut log: Log) -> Result<Self, Failure> {
        let mut index = self.index;
        log.read(self.log.end(), |_, entry| {
            index.add(&entry);
            Ok(true)
        })?;
        Ok(Self::of(log, self.point, index, self.question))
    }

    fn of(log: Log, point: Point, mut index: Index, question: Question) -> Self {
        let group = group(&log, point.position, question.assume_unchanged);
        index.select(&group.positions);
        let rules = Rules {
            point: point.position,
            before: question
                .base
                .as_ref()
                .filter(|_| group.is_first)
                .map(|_| Origin::Base),
            unchanged: unchanged(&log, &group, &question),
        };
        Self {
            log,
            point,
            index,
            rules,
            question,
        }
    }

    /// The sectors, from first to last, and where to find what they held.
    pub(crate) fn segments(&self) -> impl Iterator<Item = Segment> + '_ {
        sweep(&self.index, &self.rules)
    }

    /// The sectors that were asked for.
    pub(crate) fn sectors(&self) -> Range<u64> {
        self.index.sectors()
    }

    /// How many sectors have a wanted origin.
    pub(crate) fn count(&self, wanted: impl Fn(Origin) -> bool) -> u64 {
        self.segments()
            .filter(|segment| wanted(segment.origin))
            .map(|segment| segment.sectors.end - segment.sectors.start)
            .sum()
    }

    /// What is not known.
    pub(crate) fn unknown(&self) -> Unknown {
        let mut unknown = Unknown::default();
        for segment in self.segments() {
            if let Origin::Unknown(reason) = segment.origin {
                let count = segment.sectors.end - segment.sectors.start;
                *unknown.sectors.entry(reason).or_default() += count;
                unknown.ranges += 1;
                if unknown.first.len() < SHOWN {
                    unknown.first.push((segment.sectors, reason));
                }
            }
        }
        unknown
    }
}

impl Unknown {
    /// How many sectors.
    pub(crate) fn count(&self) -> u64 {
        self.sectors.values().sum()
    }

    /// That `what` cannot be done; `None` if all is known.
    pub(crate) fn refusal(&self, what: &str) -> Option<Failure> {
        if self.sectors.is_empty() {
            return None;
        }
        let mut failure = Failure::new(format_args!(
            "cannot {what}: {} sectors of {SECTOR_SIZE} bytes are unknown",
            self.count()
        ));
        for (sectors, reason) in &self.first {
            failure = failure.next(format_args!(
                "sectors {} to {}: {reason}",
                sectors.start,
                sectors.end - 1
            ));
        }
        let more = self.ranges.saturating_sub(self.first.len() as u64);
        if more > 0 {
            failure = failure.next(format_args!("and {more} more ranges"));
        }
        for reason in self.sectors.keys() {
            failure = match advice(*reason) {
                Some(advice) => failure.next(advice),
                None => failure,
            };
        }
        Some(failure.next("To take zeroes for what is unknown: --unknown zero"))
    }
}

/// What helps.
fn advice(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::NoBase => {
            Some("An image of the disk from when the log began may have it: --base IMAGE")
        }
        Reason::Hole | Reason::NoEnd => {
            Some("If nothing was written to the disk while no history was kept: --assume-unchanged")
        }
        Reason::Continued => {
            Some("Give the logs that follow, too: imgrement history restore LOG LOG ...")
        }
        Reason::NoDisk => {
            Some("If nothing was written to the disk since the log ended: --disk DEVICE")
        }
        Reason::Discarded | Reason::Gap | Reason::Failed | Reason::Damaged => None,
    }
}

/// Sessions between which nobody else can have written.
#[derive(Debug)]
pub(crate) struct Group {
    /// From its start to the start of the next one.
    pub(crate) positions: Range<u64>,
    /// Whether no other is before it.
    pub(crate) is_first: bool,
    /// Whether no other comes after it.
    pub(crate) is_last: bool,
}

/// The group in which a position is.
pub(crate) fn group(log: &Log, position: u64, assume_unchanged: bool) -> Group {
    let all = Group {
        positions: 0..u64::MAX,
        is_first: true,
        is_last: true,
    };
    let sessions = log.sessions();
    if assume_unchanged || sessions.is_empty() {
        return all;
    }
    let index = log.session_of(position).map_or(0, |(index, _)| index);
    let (before, after) = sessions
        .split_at_checked(index.saturating_add(1))
        .unwrap_or((sessions, &[]));
    // The session at which the group begins, and the one at which the next begins.
    let first = before.iter().rposition(|session| !session.begin.chained);
    let next = after.iter().find(|session| !session.begin.chained);
    let is_first = first.is_none_or(|first| first == 0);
    let start = first.and_then(|first| sessions.get(first));
    Group {
        positions: match (is_first, start) {
            (false, Some(start)) => start.start,
            (true, Some(_)) | (_, None) => 0,
        }..next.map_or(u64::MAX, |next| next.start),
        is_first,
        is_last: next.is_none(),
    }
}

/// The origin of a sector that did not change in the group.
fn unchanged(log: &Log, group: &Group, question: &Question) -> Origin {
    if question.base.is_some() && group.is_first {
        return Origin::Base;
    }
    if !group.is_last {
        return Origin::Unknown(Reason::Hole);
    }
    if log.flaw().is_some() {
        return Origin::Unknown(Reason::Damaged);
    }
    let clean = match log.sessions().last().and_then(|session| session.ended) {
        Some(End::Next) => return Origin::Unknown(Reason::Continued),
        // After a crash, a later session may have no batch.
        Some(End::Suspended) => log.is_closed(),
        // The target may have gone on without the history.
        Some(End::Stopped | End::Full | End::Failed | End::Hung) | None => false,
    };
    if !clean && !question.live && !question.assume_unchanged {
        return Origin::Unknown(Reason::NoEnd);
    }
    match question.disk {
        Some(_) => Origin::Disk,
        None => Origin::Unknown(Reason::NoDisk),
    }
}
