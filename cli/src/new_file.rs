// SPDX-License-Identifier: GPL-2.0

//! Files that commands write. A file that is not finished is removed. One that exists is replaced only if that was asked
//! for, and only when the new one is finished. Pipes and devices can always be written to.

use crate::failure::Failure;
use imgrement_core::history::superblock;
use rustix::fs::{
    flock,
    FlockOperation, //
};
use std::{
    fs::{
        remove_file,
        rename,
        File, //
    },
    io::{
        self,
        Read,
        Write, //
    },
    os::unix::fs::{
        fchown,
        MetadataExt,
        OpenOptionsExt, //
    },
    path::{
        Path,
        PathBuf, //
    },
    process,
};

/// A file that is open for writing, empty, and locked. (A reader of a recording that is locked does not expect an end.) It
/// is removed when this is dropped, unless it was kept.
#[derive(Debug)]
pub(crate) struct NewFile {
    file: File,
    /// Where it is to be.
    path: PathBuf,
    /// Where it is until it is kept; `None` from then on, and if it is a pipe or a device.
    unfinished: Option<PathBuf>,
    /// The file that it will replace, which is locked, too.
    old: Option<File>,
}

impl NewFile {
    /// Opens it. Fails if there is such a file, unless `overwrite`; or if another command reads it or writes to it.
    pub(crate) fn open(path: &Path, overwrite: bool) -> Result<Self, Failure> {
        match File::options().write(true).create_new(true).open(path) {
            Ok(file) => {
                let new = Self {
                    file,
                    path: path.to_owned(),
                    unfinished: Some(path.to_owned()),
                    old: None,
                };
                lock(&new.file, path)?;
                Ok(new)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                may_write(path, overwrite)?;
                Self::over(path)
            }
            Err(error) => Err(cannot_write(path, &error)),
        }
    }

    /// Opens a pipe or a device, or a file beside the one that it will replace.
    fn over(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| cannot_write(path, &error);
        let old = File::options().write(true).open(path).map_err(failed)?;
        let about = old.metadata().map_err(failed)?;
        if !about.is_file() {
            return Ok(Self {
                file: old,
                path: path.to_owned(),
                unfinished: None,
                old: None,
            });
        }
        lock(&old, path)?;
        if is_history(path) {
            return Err(Failure::new(format_args!(
                "{} is the log of a history, which is never replaced",
                path.display()
            ))
            .next("Choose another name."));
        }
        // A symbolic link stays, and so do the permissions and, if possible, the owner.
        let path = path.canonicalize().map_err(failed)?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", process::id()));
        let beside = path.with_file_name(name);
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&beside)
            .map_err(failed)?;
        let new = Self {
            file,
            path,
            unfinished: Some(beside),
            old: Some(old),
        };
        lock(&new.file, &new.path)?;
        // Only root may give a file to others.
        let _ = fchown(&new.file, Some(about.uid()), Some(about.gid()));
        new.file
            .set_permissions(about.permissions())
            .map_err(failed)?;
        Ok(new)
    }

    /// The file stays, and now has its name. To be called when it is finished, or when a part of it is worth keeping.
    pub(crate) fn keep(&mut self) -> Result<(), Failure> {
        if let (Some(unfinished), Some(_)) = (&self.unfinished, &self.old) {
            rename(unfinished, &self.path).map_err(|error| cannot_write(&self.path, &error))?;
        }
        (self.unfinished, self.old) = (None, None);
        Ok(())
    }

    /// The file itself.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Cuts off what is after this many bytes.
    pub(crate) fn cut(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(path) = &self.unfinished {
            let _ = remove_file(path);
        }
    }
}

/// Fails if another command uses a file.
fn lock(file: &File, path: &Path) -> Result<(), Failure> {
    flock(file, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        Failure::new(format_args!(
            "{} is in use: it is being read, or another recording goes there",
            path.display()
        ))
        .next("Choose another name.")
    })
}

/// Whether a file begins as the log of a history does.
fn is_history(path: &Path) -> bool {
    let mut start = [0; superblock::MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == superblock::MAGIC
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use std::{
        fs,
        os::unix::fs::{
            symlink,
            PermissionsExt, //
        },
    };

    #[test]
    fn a_file_is_replaced_when_the_new_one_is_kept() {
        let folder = std::env::temp_dir().join(format!("imgrement-new-{}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (old, link) = (folder.join("old"), folder.join("link"));
        let files = || fs::read_dir(&folder).unwrap().count();
        fs::write(&old, "old").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("old", &link).unwrap();

        let refused = NewFile::open(&link, false).is_err();
        let mut new = NewFile::open(&link, true).unwrap();
        new.write_all(b"half").unwrap();
        let busy = NewFile::open(&old, true);
        let during = fs::read_to_string(&old).unwrap();
        drop(new);
        let after = (fs::read_to_string(&old).unwrap(), files());

        let mut new = NewFile::open(&link, true).unwrap();
        new.write_all(b"new").unwrap();
        new.keep().unwrap();
        drop(new);
        let kept = (fs::read_to_string(&old).unwrap(), files());
        let mode = fs::metadata(&old).unwrap().mode() & 0o7777;
        let is_link = fs::symlink_metadata(&link).unwrap().is_symlink();

        // A file of a new name is there at once, for readers.
        let fresh = folder.join("fresh");
        let mut new = NewFile::open(&fresh, false).unwrap();
        let begun = fresh.exists();
        drop(NewFile::open(&folder.join("none"), false).unwrap());
        new.keep().unwrap();
        drop(new);
        let stays = (fresh.exists(), files());

        fs::write(&old, "imgr-log, and more").unwrap();
        let log = NewFile::open(&old, true);
        fs::remove_dir_all(&folder).unwrap();

        assert!(refused);
        assert!(busy.unwrap_err().to_string().contains("is in use"));
        assert_eq!(during, "old");
        assert_eq!(after, ("old".to_owned(), 2));
        assert_eq!(kept, ("new".to_owned(), 2));
        assert_eq!(mode, 0o640);
        assert!(is_link);
        assert!(begun);
        assert_eq!(stays, (true, 3));
        assert!(log.unwrap_err().to_string().contains("log of a history"));
    }
}
