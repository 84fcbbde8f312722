// SPDX-License-Identifier: GPL-2.0

//! A file that is being written, or standard output.

use crate::{
    failure::Failure,
    new_file::{
        cannot_write,
        NewFile, //
    },
};
use std::{
    io::{
        self,
        Stdout,
        Write, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// How much is written at a time.
const STEP: usize = 1 << 16;

/// What is written goes to a buffer first. A file that is not finished is removed.
pub(super) struct Output {
    to: To,
    buffer: Vec<u8>,
}

enum To {
    File(NewFile, PathBuf),
    Standard(Stdout),
}

impl Output {
    /// Opens a file, or standard output.
    pub(super) fn new(path: Option<&Path>, overwrite: bool) -> Result<Self, Failure> {
        Ok(Self {
            to: match path {
                Some(path) => To::File(NewFile::open(path, overwrite)?, path.to_owned()),
                None => To::Standard(io::stdout()),
            },
            buffer: Vec::new(),
        })
    }

    /// Makes a file in a folder, where files of an earlier export are not mixed with ours.
    pub(super) fn in_folder(path: &Path) -> Result<Self, Failure> {
        if path.exists() {
            return Err(
                Failure::new(format_args!("{} exists already", path.display()))
                    .next("Choose another folder, or remove the earlier export from this one."),
            );
        }
        Self::new(Some(path), false)
    }

    /// What is to be written next. Call [`Output::spill`] afterwards.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes what is in the buffer, if it is enough.
    pub(super) fn spill(&mut self) -> Result<(), Failure> {
        match self.buffer.len() < STEP {
            true => Ok(()),
            false => self.write(),
        }
    }

    fn write(&mut self) -> Result<(), Failure> {
        let written = match &mut self.to {
            To::File(new, path) => new.write_all(&self.buffer).map_err(|error| {
                // If nobody reads it any more, that is no failure.
                if error.kind() == io::ErrorKind::BrokenPipe {
                    return Failure::from(error);
                }
                cannot_write(path, &error)
            }),
            To::Standard(output) => output
                .write_all(&self.buffer)
                .and_then(|()| output.flush())
                .map_err(Failure::from),
        };
        self.buffer.clear();
        written
    }

    /// Writes the rest. The file stays.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.write()?;
        match &mut self.to {
            To::File(new, _) => new.keep(),
            To::Standard(_) => Ok(()),
        }
    }
}
