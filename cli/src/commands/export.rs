// SPDX-License-Identifier: GPL-2.0

//! `imgrement export`.

use crate::{
    export::{
        self,
        Format,
        Part, //
    },
    failure::Failure,
};
use clap::Args;
use std::path::PathBuf;

/// Write a recording in the format of another program
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement export a.rec --format csv -o a.csv
  imgrement export a.rec --format json | jq 'select(.latency > 1000000)'
  imgrement export a.rec --format parquet --partition host,device,day -o fleet
  imgrement export a.rec --format blktrace | blkparse -i -
  imgrement export a.rec --format blktrace -o trace && blkparse -i trace/sdb -d sdb.bin
  imgrement export a.rec --format fio -o a.log && fio --name a --read_iolog a.log \\
      --replay_redirect FILE")]
pub(crate) struct Export {
    /// The recording
    file: PathBuf,

    /// The format
    #[arg(long, short, value_enum)]
    format: Format,

    /// Where to write: a file, or for blktrace and --partition a folder [default: standard output]
    #[arg(long, short, value_name = "PATH")]
    output: Option<PathBuf>,

    /// Replace a file that exists
    #[arg(long)]
    overwrite: bool,

    /// Only the requests of this device
    #[arg(long, value_name = "NAME")]
    device: Option<String>,

    /// Divide a folder of Parquet files by these, in this order
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT,...")]
    partition: Vec<Part>,

    /// The version of fio's log. Version 2 is for fio before 3.31, and has no times
    #[arg(long, value_name = "VERSION", value_parser = clap::value_parser!(u8).range(2..=3))]
    fio_version: Option<u8>,
}

impl Export {
    pub(crate) fn run(self) -> Result<(), Failure> {
        if !self.partition.is_empty() {
            if self.format != Format::Parquet {
                return Err(Failure::usage("--partition is for --format parquet only"));
            }
            if self.output.is_none() {
                return Err(Failure::usage("--partition needs a folder: -o FOLDER"));
            }
        }
        let mut parts = self.partition.iter();
        while let Some(part) = parts.next() {
            if parts.as_slice().contains(part) {
                return Err(Failure::usage("--partition has a word twice"));
            }
        }
        let folder = self.format == Format::Blktrace || !self.partition.is_empty();
        if self.overwrite && folder {
            return Err(Failure::usage("--overwrite replaces a file, not a folder")
                .next("Choose another folder, or remove the earlier export from this one."));
        }
        if self.fio_version.is_some() && self.format != Format::Fio {
            return Err(Failure::usage("--fio-version is for --format fio only"));
        }
        export::Export {
            file: self.file,
            format: self.format,
            to: self.output,
            overwrite: self.overwrite,
            device: self.device,
            partition: self.partition,
            fio_version: self.fio_version.unwrap_or(3),
        }
        .run()
    }
}
