// SPDX-License-Identifier: GPL-2.0

//! The options that several subcommands of `imgrement history` share.

use crate::{
    disk::Number,
    failure::Failure,
    history::{
        copy::{
            copy,
            Counts,
            Part, //
        },
        live::{
            settle,
            Live, //
        },
        log::Log,
        point::{
            self,
            Spec, //
        },
        restore::check_size,
        source::Source,
        state::{
            Image,
            Question,
            State, //
        },
        sweep::Origin,
    },
};
use clap::{
    Args,
    ValueEnum, //
};
use imgrement_core::record::SECTOR_SIZE;
use std::{
    ops::Range,
    path::{
        Path,
        PathBuf, //
    },
};

/// The log.
#[derive(Args, Clone, Debug)]
pub(super) struct Logs {
    /// The log: its device, a copy of it in a file, or the NAME of a device that writes it now. If it goes on on other
    /// devices, all of them, in their order
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
}

impl Logs {
    /// The device that writes the log now, if its name was given.
    fn live(&self) -> Result<Option<Live>, Failure> {
        let Some((last, before)) = self.logs.split_last() else {
            return Ok(None);
        };
        let name = last.to_string_lossy();
        match last.exists() {
            true if !is_mapped(last) => Ok(None),
            true => Ok(Live::find(&name, before).ok()),
            false if name.contains('/') => Ok(None),
            false => Live::find(&name, before)
                .map(Some)
                .map_err(|failure| failure.next(format_args!("There is no file {name}, either."))),
        }
    }

    /// Opens it.
    pub(super) fn open(&self) -> Result<Log, Failure> {
        match self.live()? {
            Some(live) => live.log(),
            None => Log::open(&self.logs),
        }
    }
}

/// What to take for sectors that are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Unknown {
    /// Zeroes
    Zero,
}

/// A point, and what is known apart from the log.
#[derive(Args, Clone, Debug)]
pub(super) struct At {
    /// The point: begin, end, a mark, a position, a time, or a time from the begin or the end (begin+90s, end-30s)
    #[arg(long, value_name = "POINT", value_parser = point::parse)]
    at: Spec,

    /// The disk below the target as it is now, for sectors that did not change. Nothing may have been written to it since
    /// the log ended
    #[arg(long, value_name = "DEVICE")]
    disk: Option<PathBuf>,

    /// An image of the target from when the log began, for sectors whose old bytes are not in the log
    #[arg(long, value_name = "IMAGE")]
    base: Option<PathBuf>,

    /// Assume that nothing was written to the disk while no history was kept
    #[arg(long)]
    assume_unchanged: bool,

    /// What to take for sectors that are unknown [default: refuse]
    #[arg(long, value_enum, value_name = "WHAT")]
    unknown: Option<Unknown>,
}

/// A state, and the device whose log it is from if that writes to it now.
pub(super) struct Asked {
    /// The state.
    pub(super) state: State,
    /// The device.
    pub(super) live: Option<Live>,
}

impl At {
    /// What the disk held. Fails if some of it is unknown, unless zeroes are taken for that.
    pub(super) fn find(
        &self,
        logs: &Logs,
        sectors: Option<Range<u64>>,
        what: &str,
    ) -> Result<Asked, Failure> {
        let live = logs.live()?;
        let log = match &live {
            Some(live) => live.log()?,
            None => Log::open(&logs.logs)?,
        };
        let offset = log.superblock().map_or(0, |superblock| superblock.offset);
        let image = |path: &Option<PathBuf>, offset: u64| {
            path.as_ref()
                .map(|path| {
                    Ok::<_, Failure>(Image {
                        source: Source::open(path)?,
                        offset: offset.saturating_mul(SECTOR_SIZE),
                    })
                })
                .transpose()
        };
        let disk = match (&self.disk, &live) {
            (None, Some(live)) => Some(live.disk()?),
            (Some(_), _) | (None, None) => image(&self.disk, offset)?,
        };
        let question = Question {
            at: self.at.clone(),
            sectors,
            assume_unchanged: self.assume_unchanged,
            base: image(&self.base, 0)?,
            disk,
            live: live.is_some(),
        };
        let state = State::find(log, question)?;
        for image in [&state.question.base, &state.question.disk]
            .into_iter()
            .flatten()
        {
            check_size(&image.source, image.offset, &state)?;
        }
        self.check(&state, what)?;
        Ok(Asked { state, live })
    }

    /// Fails if some of a state is unknown, unless zeroes are taken for that.
    pub(super) fn check(&self, state: &State, what: &str) -> Result<(), Failure> {
        match (self.unknown, state.unknown().refusal(what)) {
            (None, Some(failure)) => Err(match state.log.flaw() {
                Some(flaw) => failure.next(flaw),
                None => failure,
            }),
            (Some(Unknown::Zero), _) | (None, None) => Ok(()),
        }
    }

    /// Copies the state to `sink`. A part may come twice if a device writes to the log now; then the second one counts.
    pub(super) fn copy(
        &self,
        asked: Asked,
        what: &str,
        mut sink: impl FnMut(u64, Part<'_>) -> Result<(), Failure>,
    ) -> Result<(State, Counts), Failure> {
        let Asked { state, live } = asked;
        let Some(live) = live else {
            let counts = copy(&state, |_| true, sink)?;
            return Ok((state, counts));
        };
        // What has not changed yet may change while it is read. Then the log has what it was.
        let is_disk = |origin| origin == Origin::Disk;
        copy(&state, is_disk, &mut sink)?;
        let state = settle(&live, state, &Live::text("history read"))?;
        self.check(&state, what)?;
        let mut counts = copy(&state, |origin| !is_disk(origin), &mut sink)?;
        counts.disk = state.count(is_disk);
        Ok((state, counts))
    }
}

/// Whether a path is that of a mapped device.
fn is_mapped(path: &Path) -> bool {
    Number::of(path).is_ok_and(|number| number.attribute("dm/name").is_some())
}
