// SPDX-License-Identifier: GPL-2.0

//! `imgrement history list`.

use super::asked::Logs;
use crate::{
    failure::Failure,
    filter::sector_range,
    history::{
        list::{
            list,
            Filter, //
        },
        point::{
            self,
            Spec, //
        },
        words::kind_of,
    },
};
use clap::Args;
use imgrement_core::history::entry::Kind;
use std::{
    io::{
        self,
        BufWriter, //
    },
    ops::Range,
};

/// List the entries of a log
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement history list /dev/sdc
  imgrement history list /dev/sdc --op mark
  imgrement history list /dev/sdc --range 1M-2M --from 14:05:00 --to end-30s
  imgrement history list log.img --pid 4711 --json | jq .sector

An entry must meet all conditions.")]
pub(super) struct List {
    #[command(flatten)]
    logs: Logs,

    /// Only these ops: write, base, discard, mark and so on, with commas between them
    #[arg(long = "op", value_name = "OP", value_delimiter = ',', value_parser = kind_of)]
    kinds: Vec<Kind>,

    /// Only what concerns sectors of this part of the target: FROM-TO, in sectors or with a unit: 1M-2M
    #[arg(long, value_name = "FROM-TO", value_parser = sector_range)]
    range: Option<Range<u64>>,

    /// Only what happened at this point or later: a mark, a time, and so on, as for `restore --at`
    #[arg(long, value_name = "POINT", value_parser = point::parse)]
    from: Option<Spec>,

    /// Only what happened before this point
    #[arg(long, value_name = "POINT", value_parser = point::parse)]
    to: Option<Spec>,

    /// Only requests that this process has sent. It may be repeated
    #[arg(long = "pid", value_name = "PID")]
    pids: Vec<u32>,

    /// Print JSON, for programs: an object in each line
    #[arg(long)]
    json: bool,
}

impl List {
    pub(super) fn run(self) -> Result<(), Failure> {
        let filter = Filter {
            from: self.from,
            to: self.to,
            kinds: self.kinds,
            sectors: self.range,
            pids: self.pids,
        };
        let mut out = BufWriter::new(io::stdout().lock());
        list(self.logs.open()?, &filter, self.json, &mut out)
    }
}
