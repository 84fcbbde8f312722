// SPDX-License-Identifier: GPL-2.0

//! device-mapper, through its ioctls.

mod call;
mod request;

pub(crate) use self::request::{
    Row,
    NAME_MAX, //
};

use self::request::{
    flag,
    Answer,
    Command,
    Request, //
};
use crate::{
    disk::Number,
    failure::Failure,
    udev, //
};
use rustix::io::Errno;
use std::{
    fs::File,
    io,
    os::fd::AsFd, //
};

/// Where the devices' nodes are.
pub(crate) const FOLDER: &str = "/dev/mapper";

/// The node through which device-mapper is called.
const CONTROL: &str = "/dev/mapper/control";

/// The longest answer, in bytes. Tables are limited to about as much.
const ANSWER_MAX: usize = 64 << 20;

/// What is known about a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Device {
    /// Its name.
    pub(crate) name: String,
    /// Its number.
    pub(crate) number: Number,
    /// Whether it is suspended.
    pub(crate) suspended: bool,
    /// Whether it is read-only.
    pub(crate) readonly: bool,
}

/// The open control node.
pub(crate) struct Control {
    file: File,
}

impl Control {
    /// Opens it.
    pub(crate) fn open() -> Result<Self, Failure> {
        let opened = File::options().read(true).write(true).open(CONTROL);
        let file = opened.map_err(|error| {
            if error.kind() == io::ErrorKind::PermissionDenied {
                return no_permission();
            }
            Failure::new(format_args!("cannot open {CONTROL}: {error}"))
                .next("device-mapper may be missing. Load it as root: modprobe dm_mod")
        })?;
        Ok(Self { file })
    }

    /// Makes one call. If the answer does not fit, makes it again with more room.
    fn call(&self, command: Command, request: &Request) -> Result<Answer, Errno> {
        let mut room = 16 << 10;
        loop {
            let mut bytes = request.bytes(room);
            call::call(self.file.as_fd(), command as u8, &mut bytes)?;
            let answer = Answer::read(&bytes).ok_or(Errno::PROTO)?;
            if answer.flags & flag::BUFFER_FULL == 0 {
                return Ok(answer);
            }
            room *= 4;
            if room > ANSWER_MAX {
                return Err(Errno::NOBUFS);
            }
        }
    }

    /// Whether this kind of target is there. Its module is loaded.
    pub(crate) fn has_target(&self, kind: &str) -> Result<bool, Errno> {
        match self.call(Command::TargetVersion, &Request::new(kind)) {
            Ok(_) => Ok(true),
            Err(Errno::INVAL | Errno::NXIO | Errno::NODEV) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The names of all devices.
    pub(crate) fn names(&self) -> Result<Vec<String>, Errno> {
        let answer = self.call(Command::ListDevices, &Request::default())?;
        Ok(answer.devices().into_iter().map(|(_, name)| name).collect())
    }

    /// What is known about a device.
    pub(crate) fn device(&self, name: &str) -> Result<Device, Errno> {
        let answer = self.call(Command::Status, &Request::new(name))?;
        Ok(Device {
            name: answer.name,
            number: answer.number,
            suspended: answer.flags & flag::SUSPENDED != 0,
            readonly: answer.flags & flag::READONLY != 0,
        })
    }

    /// The live table of a device.
    pub(crate) fn table(&self, name: &str) -> Result<Vec<Row>, Errno> {
        self.rows(name, flag::TABLE | flag::SECURE)
    }

    /// The status of a device's targets.
    pub(crate) fn status(&self, name: &str) -> Result<Vec<Row>, Errno> {
        self.rows(name, flag::SECURE)
    }

    fn rows(&self, name: &str, flags: u32) -> Result<Vec<Row>, Errno> {
        // Without a flush, this does not wait for I/O.
        let request = Request {
            flags: flags | flag::NO_FLUSH,
            ..Request::new(name)
        };
        Ok(self.call(Command::TableStatus, &request)?.table())
    }

    /// Makes a device without a table.
    pub(crate) fn create(&self, name: &str, readonly: bool) -> Result<Device, Errno> {
        let request = Request {
            flags: readonly_flag(readonly),
            ..Request::new(name)
        };
        let answer = self.call(Command::Create, &request)?;
        Ok(Device {
            name: name.into(),
            number: answer.number,
            suspended: false,
            readonly,
        })
    }

    /// Loads a table of one target. It takes effect at the next resume.
    pub(crate) fn load(&self, device: &Device, row: &Row) -> Result<(), Errno> {
        let request = Request {
            flags: readonly_flag(device.readonly) | flag::SECURE,
            targets: 1,
            data: row.bytes(),
            ..Request::new(&device.name)
        };
        self.call(Command::Load, &request).map(|_| ())
    }

    /// Resumes a device. When this returns, its node is there.
    pub(crate) fn resume(&self, device: &Device) -> Result<(), Failure> {
        self.announced(Command::Suspend, device)
            .map_err(|error| Failure::new(format_args!("cannot start {}: {error}", device.name)))?;
        udev::node_appears(&device.name, device.number)
    }

    /// Removes a device. When this returns, its node is gone.
    pub(crate) fn remove(&self, device: &Device) -> Result<(), Errno> {
        self.announced(Command::Remove, device)?;
        udev::node_goes(&device.name);
        Ok(())
    }

    /// Makes a call that the kernel reports to udev, and waits for udev.
    fn announced(&self, command: Command, device: &Device) -> Result<(), Errno> {
        let cookie = udev::Cookie::new();
        let request = Request {
            cookie: cookie.value(),
            ..Request::new(&device.name)
        };
        let answer = self.call(command, &request)?;
        if answer.flags & flag::EVENT != 0 {
            cookie.wait();
        }
        Ok(())
    }

    /// Sends a message to the target at this sector.
    pub(crate) fn message(&self, name: &str, sector: u64, words: &str) -> Result<(), Errno> {
        let request = Request {
            flags: flag::SECURE,
            data: [&sector.to_ne_bytes(), words.as_bytes(), b"\0"].concat(),
            ..Request::new(name)
        };
        self.call(Command::Message, &request).map(|_| ())
    }
}

fn readonly_flag(readonly: bool) -> u32 {
    match readonly {
        true => flag::READONLY,
        false => 0,
    }
}

/// Only root may use device-mapper.
pub(crate) fn no_permission() -> Failure {
    Failure::new("no permission to use device-mapper").next("Run it as root: sudo imgrement ...")
}
