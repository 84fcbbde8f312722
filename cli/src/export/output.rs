// SPDX-License-Identifier: GPL-2.0

//! A file that is being written, or standard output.

use crate::failure::Failure;
use std::{
    fs::{
        self,
        File, //
    },
    io::{
        self,
        Write, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// How much is written at a time.
const STEP: usize = 1 << 16;

/// What is written goes to a buffer first. A new file that is not finished is removed.
pub(super) struct Output {
    file: Box<dyn Write + Send>,
    /// The path; `None` for standard output.
    path: Option<PathBuf>,
    /// It was made here, and is not finished.
    unfinished: bool,
    buffer: Vec<u8>,
}

impl Output {
    /// Opens a file, or standard output. A file that exists is not replaced, but one may write to a pipe or a device.
    pub(super) fn new(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self::of(Box::new(io::stdout()), None, false));
        };
        let new = File::options().write(true).create_new(true).open(path);
        let (file, unfinished) = match new {
            Ok(file) => (Ok(file), true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let file = fs::metadata(path).map(|metadata| metadata.file_type());
                if file.is_ok_and(|file| file.is_file() || file.is_dir()) {
                    return Err(exists(path));
                }
                (File::options().write(true).open(path), false)
            }
            Err(error) => (Err(error), false),
        };
        let file = file.map_err(|error| failed(path, error))?;
        Ok(Self::of(Box::new(file), Some(path.to_owned()), unfinished))
    }

    fn of(file: Box<dyn Write + Send>, path: Option<PathBuf>, unfinished: bool) -> Self {
        Self {
            file,
            path,
            unfinished,
            buffer: Vec::new(),
        }
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
        let written = self
            .file
            .write_all(&self.buffer)
            .and_then(|()| self.file.flush());
        self.buffer.clear();
        written.map_err(|error| match &self.path {
            // If nobody reads it any more, that is no failure.
            Some(path) if error.kind() != io::ErrorKind::BrokenPipe => failed(path, error),
            Some(_) | None => Failure::from(error),
        })
    }

    /// Writes the rest. The file stays.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.write()?;
        self.unfinished = false;
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let (true, Some(path)) = (self.unfinished, &self.path) {
            let _ = fs::remove_file(path);
        }
    }
}

fn exists(path: &Path) -> Failure {
    Failure::new(format_args!("{} exists already", path.display()))
        .next("Nothing was written. Remove it, or choose another name.")
}

fn failed(path: &Path, error: io::Error) -> Failure {
    Failure::new(format_args!("cannot write {}: {error}", path.display()))
}
