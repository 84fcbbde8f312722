// SPDX-License-Identifier: GPL-2.0

//! The files of a recording. Each is locked while it grows, so that a reader does not expect an end. The first one is
//! removed, and replaces none, if the recording does not begin.

use super::join::Sink;
use crate::{
    failure::Failure,
    new_file::{
        cannot_write,
        NewFile, //
    },
    recording::{
        head::Head,
        row::{
            Delta,
            Match,
            Row, //
        },
        writer::Writer, //
    },
};
use std::{
    io,
    path::{
        Path,
        PathBuf, //
    },
    time::{
        Duration,
        Instant, //
    },
};

/// How often rows are written, so that a reader sees them.
const FLUSH: Duration = Duration::from_secs(1);

/// When the next file begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rotation {
    /// After so many bytes.
    pub(crate) size: Option<u64>,
    /// After so long.
    pub(crate) time: Option<Duration>,
}

/// The files of a recording.
pub(crate) struct Files {
    path: PathBuf,
    overwrite: bool,
    rotation: Rotation,
    head: Head,
    writer: Option<Writer<NewFile>>,
    /// The file that grows.
    current: PathBuf,
    began: Instant,
    flushed: Instant,
    /// How many bytes the files before it have.
    before: u64,
    /// How many files there are.
    number: u32,
}

impl Files {
    /// Makes the first file. It stays from [`Files::begin`] on.
    pub(crate) fn new(
        path: &Path,
        overwrite: bool,
        rotation: Rotation,
        head: Head,
    ) -> Result<Self, Failure> {
        let mut files = Self {
            path: path.to_owned(),
            overwrite,
            rotation,
            head,
            writer: None,
            current: PathBuf::new(),
            began: Instant::now(),
            flushed: Instant::now(),
            before: 0,
            number: 0,
        };
        files.open()?;
        Ok(files)
    }

    fn open(&mut self) -> Result<(), Failure> {
        self.current = match self.rotation {
            Rotation {
                size: None,
                time: None,
            } => self.path.clone(),
            Rotation { .. } => {
                let mut name = self.path.clone().into_os_string();
                name.push(format!(".{:03}", self.number));
                name.into()
            }
        };
        let new = NewFile::open(&self.current, self.overwrite)?;
        let failed = |error: io::Error| cannot_write(&self.current, &error);
        self.writer = Some(Writer::new(new, &self.head).map_err(failed)?);
        self.number += 1;
        self.began = Instant::now();
        self.flushed = self.began;
        Ok(())
    }

    /// The recording has begun: the file stays from now on, and replaces one of its name.
    pub(crate) fn begin(&mut self) -> Result<(), Failure> {
        match &mut self.writer {
            Some(writer) => writer.file_mut().keep(),
            None => Ok(()),
        }
    }

    /// After a failure, the file ends with its last whole frame.
    fn cut(&mut self, error: &io::Error) -> Failure {
        let mut failure = cannot_write(&self.current, error);
        if let Some(writer) = self.writer.take() {
            let cut = writer.file().cut(writer.written());
            failure = match cut {
                Ok(()) => failure.next(
                    "The recording ends there. What is in the file is whole, and can be read.",
                ),
                Err(error) => failure.next(format_args!("Its end could not be cut off: {error}")),
            };
        }
        failure
    }

    /// To be called often: writes the rows of the last second, and begins the next file if it is time.
    pub(crate) fn tick(&mut self) -> Result<(), Failure> {
        if self.flushed.elapsed() >= FLUSH {
            self.flushed = Instant::now();
            let result = self.writer.as_mut().map_or(Ok(()), Writer::flush);
            result.map_err(|error| self.cut(&error))?;
        }
        let written = self.writer.as_ref().map_or(0, Writer::written);
        let full = self.rotation.size.is_some_and(|size| written >= size)
            || self
                .rotation
                .time
                .is_some_and(|time| self.began.elapsed() >= time);
        if full {
            self.finish()?;
            self.open()?;
            self.begin()?;
        }
        Ok(())
    }

    /// How many bytes were written to all files.
    pub(crate) fn written(&self) -> u64 {
        let written = self.writer.as_ref().map_or(0, Writer::written);
        self.before.saturating_add(written)
    }

    /// Ends the file.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        let flushed = self.writer.as_mut().map_or(Ok(()), Writer::flush);
        flushed.map_err(|error| self.cut(&error))?;
        let Some(writer) = self.writer.as_mut() else {
            return Ok(());
        };
        let ended = writer.end();
        ended.map_err(|error| self.cut(&error))?;
        self.before = self.written();
        self.writer = None;
        Ok(())
    }

    /// What was written: the file, or the first and the last.
    pub(crate) fn names(&self) -> String {
        let last = self.current.display();
        match self.number {
            0 | 1 => last.to_string(),
            number => format!("{}.000 to {last} ({number} files)", self.path.display()),
        }
    }
}

impl Sink for Files {
    fn row(
        &mut self,
        row: &Row<'_>,
        deltas: Option<&[Delta]>,
        matches: Option<&[Match<'_>]>,
    ) -> Result<(), Failure> {
        let added = match &mut self.writer {
            Some(writer) => writer.add(row, deltas, matches),
            None => Ok(()),
        };
        added.map_err(|error| self.cut(&error))
    }
}
