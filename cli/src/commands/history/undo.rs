// SPDX-License-Identifier: GPL-2.0

//! `imgrement history undo`.

use crate::{
    calendar::time,
    confirm::confirm,
    failure::Failure,
    history::{
        live::{
            settle,
            Live, //
        },
        point::{
            self,
            Spec, //
        },
        state::{
            Question,
            State, //
        },
        undo::Device,
    },
    output::{
        bytes,
        note,
        print, //
    },
};
use clap::{
    Args,
    ValueEnum, //
};
use std::path::PathBuf;

/// What to do with sectors that are unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Unknown {
    /// Write zeroes
    Zero,
    /// Leave them as they are
    Keep,
}

/// Turn a disk back to what it held at a point
#[derive(Args, Debug)]
#[command(after_help = format!("\
Examples:
  imgrement history undo imgrement-sdb --to 'before the upgrade'
  imgrement history undo imgrement-sdb --to end-30s --yes

{}

The device must not be mounted or in use. Only what differs is written, through the device. So the history keeps it, and
the undo can be undone: it sets a mark before, and says its name.", point::HELP))]
pub(super) struct Undo {
    /// The name of the device, or its path. If its log goes on from other log devices, these come first, in their order
    #[arg(required = true, value_name = "NAME")]
    names: Vec<PathBuf>,

    /// The point: begin, end, a mark, a position, a time, or a time from the begin or the end (begin+90s, end-30s)
    #[arg(long, value_name = "POINT", value_parser = point::parse)]
    to: Spec,

    /// Assume that nothing was written to the disk while no history was kept
    #[arg(long)]
    assume_unchanged: bool,

    /// What to do with sectors that are unknown [default: refuse]
    #[arg(long, value_enum, value_name = "WHAT")]
    unknown: Option<Unknown>,

    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Undo {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (name, before) = self
            .names
            .split_last()
            .ok_or_else(|| Failure::usage("a name is missing"))?;
        let live = Live::find(&name.to_string_lossy(), before)?;
        let name = live.name().to_owned();
        let what = format!("undo {name}");
        let question = Question {
            at: self.to,
            sectors: None,
            assume_unchanged: self.assume_unchanged,
            base: None,
            disk: Some(live.disk()?),
            live: true,
        };
        let state = State::find(live.log()?, question)?;
        let refused = |state: &State| match self.unknown {
            None => state.unknown().refusal(&what).map_or(Ok(()), Err),
            Some(Unknown::Zero | Unknown::Keep) => Ok(()),
        };
        refused(&state)?;
        let to = format!(
            "{} (position {})",
            time(state.point.time),
            state.point.position
        );
        confirm(&format!("{name} will hold what it held at {to}"), self.yes)?;
        let mut device = Device::open(&live)?;
        let mark = Live::text("before undo");
        // With what was written until the device was ours.
        let state = settle(&live, state, &mark)?;
        refused(&state)?;
        device.turn_back(&state, self.unknown == Some(Unknown::Zero))?;
        print(&format!(
            "{name}: turned back to {to}; {} differed\n",
            bytes(device.written)
        ))?;
        if live.mark(&Live::text("after undo"), &state.log).is_err() {
            note("the history has ended meanwhile, so this cannot be undone as a whole");
            return Ok(());
        }
        print(&format!(
            "To undo this: imgrement history undo {name} --to '{mark}'\n"
        ))
    }
}
