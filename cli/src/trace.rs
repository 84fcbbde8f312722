// SPDX-License-Identifier: GPL-2.0

//! A tracing instance of our own: the kernel's buffers with imgrement's events. `core::ring` reads what is
//! in them.

use crate::{
    disk::Number,
    failure::Failure, //
};
use imgrement_core::ring::{
    layout::{
        event_number,
        Field,
        Layout, //
    },
    page::{
        Lost,
        Page, //
    },
};
use rustix::time::{
    clock_gettime,
    ClockId, //
};
use std::{
    fs,
    io::{
        self,
        Read, //
    },
    mem,
    os::unix::fs::OpenOptionsExt,
    path::{
        Path,
        PathBuf, //
    },
    process,
};

/// Where tracefs is mounted.
const TRACING: &str = "/sys/kernel/tracing";

/// What the name of each instance begins with. The process's number follows.
const PREFIX: &str = "imgrement-";

/// The size of the buffer of each CPU.
const BUFFER_KIB: &str = "4096";

/// How many pages of the smallest size that is.
const BUFFER_PAGES: usize = 1024;

/// A kind of event: its number, and the text of its `format`.
pub(crate) struct Kind {
    number: u64,
    format: String,
}

impl Kind {
    /// The field of this name.
    pub(crate) fn field(&self, name: &str) -> Result<Field, Failure> {
        Field::find(&self.format, name)
            .ok_or_else(|| Failure::new(format_args!("the kernel's trace events have no field {name}"))
                .next("Install the command and the module from the same source, and load the module again."))
    }
}

/// An event, with the index of its kind.
pub(crate) struct Event {
    pub(crate) time: u64,
    pub(crate) kind: usize,
    pub(crate) bytes: Vec<u8>,
}

/// The same, still in the page that was read.
pub(crate) struct RawEvent<'p> {
    pub(crate) time: u64,
    pub(crate) kind: usize,
    pub(crate) bytes: &'p [u8],
}

/// The events of some kinds and devices, from now on. The instance is removed when dropped.
pub(crate) struct Instance {
    folder: PathBuf,
    layout: Layout,
    kinds: Vec<Kind>,
    buffers: Vec<fs::File>,
    /// Events that were read, but may come after others that were not.
    pending: Vec<Event>,
    /// How many events were lost; at least 1 where the kernel does not say.
    pub(crate) lost: u64,
}

impl Instance {
    /// Starts to listen to `kinds` of events of `devices`; of all devices if there is none.
    pub(crate) fn new(devices: &[Number], kinds: &[&str]) -> Result<Self, Failure> {
        let failed = |what: &str, error: io::Error| {
            if error.kind() == io::ErrorKind::PermissionDenied {
                return Failure::new("no permission to use the kernel's tracing")
                    .next("Run it as root: sudo imgrement ...");
            }
            Failure::new(format_args!("cannot {what}: {error}"))
        };
        if !Path::new(TRACING).join("instances").exists() {
            fs::read_dir(TRACING).map_err(|error| failed("look at the kernel's tracing", error))?;
            return Err(
                Failure::new(format_args!("tracefs is not mounted at {TRACING}")).next(
                    format_args!("Mount it as root: mount -t tracefs tracefs {TRACING}"),
                ),
            );
        }
        remove_dead();
        let folder = Path::new(TRACING)
            .join("instances")
            .join(format!("{PREFIX}{}", process::id()));
        fs::create_dir(&folder).map_err(|error| failed("make a tracing instance", error))?;
        let mut instance = Self {
            folder,
            layout: Layout::default(),
            kinds: Vec::new(),
            buffers: Vec::new(),
            pending: Vec::new(),
            lost: 0,
        };
        instance
            .start(devices, kinds)
            .map_err(|error| failed("listen to the trace events", error))?;
        Ok(instance)
    }

    fn start(&mut self, devices: &[Number], kinds: &[&str]) -> io::Result<()> {
        let events = self.folder.join("events");
        let text = |name: &str| read_text(&events.join(name));
        let unknown = || io::Error::other("the layout of this kernel's trace buffers is not known");

        self.layout =
            Layout::read(&text("header_page")?, &text("header_event")?).ok_or_else(unknown)?;
        fs::write(self.folder.join("trace_clock"), "mono")?;
        fs::write(self.folder.join("buffer_size_kb"), BUFFER_KIB)?;
        for name in kinds {
            let format = text(&format!("imgrement/{name}/format"))?;
            let number = event_number(&format).ok_or_else(unknown)?;
            self.kinds.push(Kind { number, format });
        }
        for entry in fs::read_dir(self.folder.join("per_cpu"))? {
            let path = entry?.path().join("trace_pipe_raw");
            let file = fs::File::options()
                .read(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(path)?;
            self.buffers.push(file);
        }
        for name in kinds {
            let folder = events.join("imgrement").join(name);
            let filter: Vec<_> = devices
                .iter()
                .map(|device| format!("dev == {}", device.to_event()))
                .collect();
            if !filter.is_empty() {
                fs::write(folder.join("filter"), filter.join(" || "))?;
            }
            fs::write(folder.join("enable"), "1")?;
        }
        Ok(())
    }

    /// A kind, by its index.
    pub(crate) fn kind(&self, index: usize) -> Option<&Kind> {
        self.kinds.get(index)
    }

    /// The events since the last call, in order of time. With `all`, for the last call, none is kept for later.
    pub(crate) fn read(&mut self, all: bool) -> Result<Vec<Event>, Failure> {
        let now = clock_gettime(ClockId::Monotonic);
        let nanoseconds = now.tv_sec.unsigned_abs().saturating_mul(1_000_000_000);
        let now = nanoseconds.saturating_add(now.tv_nsec.unsigned_abs());
        let mut pending = mem::take(&mut self.pending);
        let read = self.each(|event| {
            pending.push(Event {
                time: event.time,
                kind: event.kind,
                bytes: event.bytes.to_vec(),
            });
        });
        self.pending = pending;
        read?;
        // An event after `now` may come after another one in a buffer that has been read already.
        self.pending.sort_by_key(|event| event.time);
        let ready = match all {
            true => self.pending.len(),
            false => self.pending.partition_point(|event| event.time < now),
        };
        Ok(self.pending.drain(..ready).collect())
    }

    /// Gives each event since the last call to `take`, those of each CPU in their order. They are not kept. It ends even
    /// if events come faster than they are taken: what a full buffer has is enough for one call.
    pub(crate) fn each(&mut self, mut take: impl FnMut(RawEvent<'_>)) -> Result<(), Failure> {
        let mut page = vec![0; self.layout.page_size()];

        for buffer in &mut self.buffers {
            for _ in 0..BUFFER_PAGES {
                let length = match buffer.read(&mut page) {
                    Ok(0) => break,
                    Ok(length) => length,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => {
                        return Err(Failure::new(format_args!(
                            "cannot read the trace buffers: {error}"
                        )))
                    }
                };
                let Some(events) = page
                    .get(..length)
                    .and_then(|page| Page::new(&self.layout, page))
                else {
                    continue;
                };
                self.lost = self.lost.saturating_add(match events.lost() {
                    None => 0,
                    Some(Lost::Unknown) => 1,
                    Some(Lost::Known(number)) => number,
                });
                for event in events {
                    // The first field of each event.
                    let number = event.bytes.first_chunk().copied().map(u16::from_ne_bytes);
                    let kind = self
                        .kinds
                        .iter()
                        .position(|kind| number.map(u64::from) == Some(kind.number));
                    if let Some(kind) = kind {
                        take(RawEvent {
                            time: event.time,
                            kind,
                            bytes: event.bytes,
                        });
                    }
                }
            }
        }
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // An instance cannot be removed while one of its buffers is open.
        self.buffers.clear();
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The text of a file of tracefs. Some of these files end after the first read, whatever its size.
fn read_text(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let (mut text, mut part) = (Vec::new(), vec![0; 1 << 16]);

    loop {
        let length = file.read(&mut part)?;
        if length == 0 {
            return String::from_utf8(text).map_err(io::Error::other);
        }
        text.extend(part.iter().take(length));
    }
}

/// Removes the instances of processes that were killed.
fn remove_dead() {
    for entry in fs::read_dir(Path::new(TRACING).join("instances"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        let process = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.parse::<u32>().ok());
        if process.is_some_and(|process| !Path::new("/proc").join(process.to_string()).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}
