// SPDX-License-Identifier: GPL-2.0

//! A target that writes a history now: its log, its disk, and marks.

use super::{
    log::Log,
    point::is_text,
    source::Source,
    state::{
        Image,
        State, //
    },
};
use crate::{
    clock,
    disk::Number,
    dm::Control,
    failure::Failure,
    message::send,
    target::{
        named,
        Target, //
    },
    words::word,
};
use imgrement_core::{
    history::{
        batch,
        entry::Kind, //
    },
    record::SECTOR_SIZE, //
};
use std::path::{
    Path,
    PathBuf, //
};

/// A target with a history.
pub(crate) struct Live {
    control: Control,
    /// The target.
    pub(crate) target: Target,
    /// The log devices: those that came before must have been given.
    logs: Vec<PathBuf>,
}

impl Live {
    /// The target of a device; `before` are the log devices before the one that is written to now.
    pub(crate) fn find(name: &str, before: &[PathBuf]) -> Result<Self, Failure> {
        let control = Control::open()?;
        let targets = named(&control, name)?;
        let mut targets = targets
            .into_iter()
            .filter_map(|target| Some((target.log()?, target)));
        let (log, target) = match (targets.next(), targets.next()) {
            (Some(target), None) => target,
            (None, _) => {
                return Err(Failure::new(format_args!("{name} keeps no history")).next(
                    "To keep one: imgrement attach DEVICE --history LOG-DEVICE, after detach",
                ))
            }
            (Some(_), Some(_)) => {
                return Err(
                    Failure::new(format_args!("{name} has several targets with a history")).next(
                        "Give the log device instead of the name. To list them: dmsetup table",
                    ),
                )
            }
        };
        let mut logs = before.to_vec();
        logs.push(node(log));
        Ok(Self {
            control,
            target,
            logs,
        })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.target.device.name
    }

    /// The log as it is now.
    pub(crate) fn log(&self) -> Result<Log, Failure> {
        Log::open(&self.logs)
    }

    /// The disk below.
    pub(crate) fn disk(&self) -> Result<Image, Failure> {
        Ok(Image {
            source: Source::open(&node(self.target.disk))?,
            offset: self.target.offset.saturating_mul(SECTOR_SIZE),
        })
    }

    /// Sets a mark, and returns the log with it, of which `before` is the beginning. Everything that came before the mark
    /// is in this log.
    pub(crate) fn mark(&self, text: &str, before: &Log) -> Result<Log, Failure> {
        let words = ["mark".to_owned(), word(text.as_bytes())];
        let what = format!("set a mark on {}", self.name());
        send(&self.control, &self.target, &words, &what)?;
        let mut log = self.log()?;
        let mut found = false;
        if log.goes_on(before) {
            let session = log.sessions().last().map_or(0, |session| session.start);
            let from = session.saturating_sub(batch::HEADER as u64);
            log.read(from.max(before.end()), |_, entry| {
                found |= entry.header.kind == Kind::Mark && is_text(entry.payload, text);
                Ok(true)
            })?;
        }
        match found {
            true => Ok(log),
            false => Err(Failure::new(format_args!(
                "{} does not write its history any more",
                self.name()
            ))
            .next(format_args!("Why: imgrement status {}", self.name()))
            .next("Give the log device instead of the name. What the disk holds may be later than the log.")),
        }
    }

    /// The text of a mark that no other has.
    pub(crate) fn text(what: &str) -> String {
        format!("{what} {}", crate::calendar::time(clock::since_1970()))
    }
}

/// The same state, from the log up to a new mark, with everything that has happened so far.
pub(crate) fn settle(live: &Live, state: State, mark: &str) -> Result<State, Failure> {
    let log = live.mark(mark, &state.log)?;
    state.go_on(log)
}

/// The node of a block device.
fn node(number: Number) -> PathBuf {
    // The kernel writes `!` for a slash within a name.
    Path::new("/dev").join(number.name().replace('!', "/"))
}
