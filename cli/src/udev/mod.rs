// SPDX-License-Identifier: GPL-2.0

//! The nodes in /dev/mapper. If udev runs, it makes and removes them. device-mapper's events carry a cookie, the key of
//! a semaphore that udev's rules for device-mapper lower when they have finished (`dmsetup udevcomplete`). Without
//! udev, we make and remove the nodes ourselves. libdevmapper does the same.

mod semaphore;

use self::semaphore::Semaphore;
use crate::{
    disk::Number,
    dm::FOLDER,
    failure::Failure, //
};
use rustix::fs::{
    mknodat,
    FileType,
    Mode,
    CWD, //
};
use std::{
    fs, io,
    path::Path,
    process, thread,
    time::{
        Duration,
        Instant, //
    },
};

/// The upper half of the key of each semaphore.
const MAGIC: u32 = 0x0d4d;

/// The flag by which udev's rules know that an event comes from the maker of the device. It is in the upper half of
/// the cookie.
const PRIMARY: u32 = 0x0040;

/// How long to wait for udev.
const PATIENCE: Duration = Duration::from_secs(30);

/// Without udev's rules, only root may use a node.
const NODE_MODE: u32 = 0o600;

/// The cookie of an event. udev gets it with the event, and we wait for udev by it.
pub(crate) struct Cookie {
    /// The lower half of the key, and the semaphore. `None` without udev.
    semaphore: Option<(u32, Semaphore)>,
}

impl Cookie {
    /// For the next event.
    pub(crate) fn new() -> Self {
        let semaphore = running().then(|| {
            // Any free number.
            let first = process::id();
            (0..0xffff).find_map(|turn| {
                let half = (first.wrapping_add(turn) & 0xffff).max(1);
                Some((half, Semaphore::new(MAGIC << 16 | half).ok()?))
            })
        });
        Self {
            semaphore: semaphore.flatten(),
        }
    }

    /// The number to give to device-mapper.
    pub(crate) fn value(&self) -> u32 {
        match &self.semaphore {
            Some((half, _)) => PRIMARY << 16 | half,
            None => 0,
        }
    }

    /// Waits until udev has finished with the event.
    pub(crate) fn wait(self) {
        let from = Instant::now();

        if let Some((_, semaphore)) = &self.semaphore {
            while semaphore.value().is_some_and(|value| value > 0) && from.elapsed() < PATIENCE {
                thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// Whether udev runs here, and should be waited for. DM_DISABLE_UDEV says that it should not, as for dmsetup.
fn running() -> bool {
    std::env::var_os("DM_DISABLE_UDEV").is_none() && Path::new("/run/udev/control").exists()
}

/// Makes the node of a device, unless udev has.
pub(crate) fn node_appears(name: &str, number: Number) -> Result<(), Failure> {
    let path = Path::new(FOLDER).join(name);

    if Number::of(&path).is_ok_and(|found| found == number) {
        return Ok(());
    }
    // The node of a device that is gone.
    let removed = fs::remove_file(&path);
    let made = match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => mknodat(
            CWD,
            &path,
            FileType::BlockDevice,
            Mode::from_raw_mode(NODE_MODE),
            number.to_system(),
        )
        .map_err(io::Error::from),
    };
    made.map_err(|error| {
        Failure::new(format_args!("cannot make {}: {error}", path.display())).next(format_args!(
            "The device runs, as {number}. Make the node with: dmsetup mknodes"
        ))
    })
}

/// Removes the node of a device, unless udev has.
pub(crate) fn node_goes(name: &str) {
    // There may be none.
    let _ = fs::remove_file(Path::new(FOLDER).join(name));
}
