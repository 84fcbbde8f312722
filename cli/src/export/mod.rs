// SPDX-License-Identifier: GPL-2.0

//! Recordings in the formats of other programs. All of it streams: a batch of rows is read, and written.
//!
//! `json`, `csv` and `parquet` write rows as they are in the recording. `blktrace`, `blkparse` and `fio` need the
//! beginnings and ends of requests in the order of time, which `timeline` makes.

mod blkparse;
mod blktrace;
mod csv;
mod fio;
mod json;
mod left_out;
mod output;
mod parquet;
mod timeline;

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests;

use self::{
    output::Output,
    timeline::Timeline, //
};
use crate::{
    failure::Failure,
    progress::Progress,
    recording::{
        head::Head,
        reader::{
            Batch,
            Reader, //
        },
        row::Row, //
    },
};
use clap::ValueEnum;
use std::path::{
    Path,
    PathBuf, //
};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// An object in each line
    Json,
    /// Comma-separated values, with a header
    Csv,
    /// Apache Parquet, compressed with zstd
    Parquet,
    /// The files of blktrace, for blkparse, btt and iowatcher
    Blktrace,
    /// The text that blkparse prints
    Blkparse,
    /// A log that fio can replay
    Fio,
}

/// What a folder of Parquet files is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The name of the machine
    Host,
    /// The name of the mapped device
    Device,
    /// The day, in UTC
    Day,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Export {
    /// The recording.
    pub file: PathBuf,
    /// The format.
    pub format: Format,
    /// Where to write: a file, or a folder. `None` is standard output.
    pub to: Option<PathBuf>,
    /// Replace a file that exists.
    pub overwrite: bool,
    /// Only this device.
    pub device: Option<String>,
    /// What the folder is divided by.
    pub partition: Vec<Part>,
    /// The version of fio's log.
    pub fio_version: u8,
}

impl Export {
    /// Writes it all. If the recording is broken, this fails after the rest was written.
    pub fn run(&self) -> Result<(), Failure> {
        let reader = Reader::open(&self.file)?;
        let filter = Filter::new(reader.head(), self.device.as_deref())?;
        let to = self.to.as_deref();

        match self.format {
            Format::Json => self.rows(reader, filter, json::row),
            Format::Csv => {
                let mut json = Vec::new();
                self.rows(reader, filter, |row, buffer| {
                    csv::row(row, &mut json, buffer)
                })
            }
            Format::Parquet => {
                let progress = Progress::new(&self.file);
                parquet::export(
                    reader,
                    filter,
                    to,
                    self.overwrite,
                    &self.partition,
                    progress,
                )
            }
            Format::Blktrace => match to {
                Some(folder) => self.timeline(reader, filter, blktrace::Folder::new(folder)?),
                None => self.timeline(reader, filter, blktrace::Stream::new()?),
            },
            Format::Blkparse => {
                let writer = blkparse::Text::new(Output::new(to, self.overwrite)?);
                self.timeline(reader, filter, writer)
            }
            Format::Fio => {
                let writer = fio::Log::new(Output::new(to, self.overwrite)?, self.fio_version);
                self.timeline(reader, filter, writer)
            }
        }
    }

    /// Writes each row by `write`.
    fn rows(
        &self,
        mut reader: Reader<std::fs::File>,
        mut filter: Filter,
        mut write: impl FnMut(&RowAt<'_>, &mut Vec<u8>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut output = Output::new(self.to.as_deref(), self.overwrite)?;
        if self.format == Format::Csv {
            csv::header(output.buffer());
        }
        let mut progress = Progress::new(&self.file);
        while let Some(batch) = reader.next_batch()? {
            progress.at(reader.at());
            let head = reader.head();
            for index in 0..batch.len() {
                let Some(row) = batch.row(index) else {
                    continue;
                };
                if filter.passes(head, row.device) {
                    let row = RowAt {
                        row,
                        batch: &batch,
                        index,
                        device: device_name(head, row.device),
                    };
                    write(&row, output.buffer())?;
                    output.spill()?;
                }
            }
        }
        drop(progress);
        filter.check(reader.head())?;
        output.finish()?;
        reader.finish()
    }

    /// Writes beginnings and ends in the order of time.
    fn timeline(
        &self,
        reader: Reader<std::fs::File>,
        filter: Filter,
        writer: impl timeline::Writer,
    ) -> Result<(), Failure> {
        let mut progress = Progress::new(&self.file);
        Timeline::new(&self.file, filter, &mut progress)?.run(reader, writer, progress)
    }
}

/// A row, and where it is.
struct RowAt<'a> {
    row: Row<'a>,
    batch: &'a Batch,
    index: usize,
    /// The name of its device.
    device: Option<&'a str>,
}

/// Lets the rows of one device pass, or all.
#[derive(Debug)]
struct Filter {
    wanted: Option<String>,
    /// Its index in the head, if it is known.
    index: Option<u8>,
}

impl Filter {
    fn new(head: &Head, wanted: Option<&str>) -> Result<Self, Failure> {
        let filter = Self {
            index: wanted.and_then(|name| index_of(head, name)),
            wanted: wanted.map(str::to_owned),
        };
        // If the head is broken, the devices show up later.
        if filter.index.is_none() && !head.devices.is_empty() {
            filter.check(head)?;
        }
        Ok(filter)
    }

    /// Whether a row of this device passes. What concerns all devices passes.
    fn passes(&mut self, head: &Head, device: Option<u8>) -> bool {
        let Some(wanted) = &self.wanted else {
            return true;
        };
        if self.index.is_none() {
            self.index = index_of(head, wanted);
        }
        device.is_none() || (device == self.index)
    }

    /// To be called at the end: fails if the device is not in the recording.
    fn check(&self, head: &Head) -> Result<(), Failure> {
        match (&self.wanted, self.index) {
            (Some(wanted), None) => {
                let names: Vec<&str> = head.devices.iter().map(|of| of.name.as_str()).collect();
                let failure = Failure::new(format_args!("the recording has no device {wanted}"));
                Err(failure.next(match names.as_slice() {
                    [] => "It has no device at all.".to_owned(),
                    [name] => format!("It has only one: {name}"),
                    _ => format!("It has: {}", names.join(", ")),
                }))
            }
            (Some(_), Some(_)) | (None, _) => Ok(()),
        }
    }
}

fn index_of(head: &Head, name: &str) -> Option<u8> {
    let index = head.devices.iter().position(|device| device.name == name)?;
    u8::try_from(index).ok()
}

/// The name of a device.
fn device_name(head: &Head, device: Option<u8>) -> Option<&str> {
    let device = head.devices.get(usize::from(device?))?;
    Some(device.name.as_str())
}

/// The path is a folder, or should become one.
fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|error| {
        Failure::new(format_args!(
            "cannot make the folder {}: {error}",
            path.display()
        ))
    })
}
