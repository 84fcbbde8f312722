// SPDX-License-Identifier: GPL-2.0

//! Files that commands write. A file that exists is replaced only if that was asked for. Pipes and devices can always be
//! written to.

use crate::failure::Failure;
use rustix::fs::{
    flock,
    FlockOperation, //
};
use std::{
    fs::{
        remove_file,
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

/// A file that is open for writing, empty, and locked. (A reader of a recording that is locked does not expect an end.)
pub(crate) struct NewFile {
    file: File,
    path: PathBuf,
    /// It is a plain file, not a pipe or a device.
    plain: bool,
}

impl NewFile {
    /// Opens it. Fails if there is such a file, unless `overwrite`; or if another command reads it or writes to it.
    pub(crate) fn open(path: &Path, overwrite: bool) -> Result<Self, Failure> {
        let failed = |error: io::Error| cannot_write(path, &error);
        let file = match File::options().write(true).create_new(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                may_write(path, overwrite)?;
                File::options().write(true).open(path).map_err(failed)?
            }
            Err(error) => return Err(failed(error)),
        };
        let plain = file.metadata().map_err(failed)?.is_file();
        if plain {
            if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
                return Err(Failure::new(format_args!(
                    "{} is in use: it is being read, or another recording goes there",
                    path.display()
                ))
                .next("Choose another name."));
            }
            file.set_len(0).map_err(failed)?;
        }
        Ok(Self {
            file,
            path: path.to_owned(),
            plain,
        })
    }

    /// Cuts off what is after this many bytes.
    pub(crate) fn cut(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }

    /// Removes it again. A pipe or a device stays.
    pub(crate) fn remove(&self) {
        if self.plain {
            let _ = remove_file(&self.path);
        }
    }
}

/// Fails if there is such a file, unless `overwrite`.
pub(crate) fn may_write(path: &Path, overwrite: bool) -> Result<(), Failure> {
    match path.is_file() && !overwrite {
        true => Err(
            Failure::new(format_args!("{} exists already", path.display()))
                .next("Choose another name, or replace the file with --overwrite."),
        ),
        false => Ok(()),
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The failure to write to a path.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format_args!("cannot write {}: {error}", path.display()))
}
