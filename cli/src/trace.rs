// SPDX-License-Identifier: GPL-2.0

//! A tracing instance of our own: the kernel's buffers with imgrement's events of some devices. `core::ring` reads what
//! is in them, and `merge` brings it into the order of the times.

mod merge;

pub(crate) use self::merge::{
    Event,
    Merge,
    Seen,
    Span, //
};

use crate::{
    clock::{
        monotonic,
        nanoseconds, //
    },
    disk::Number,
    failure::Failure, //
};
use imgrement_core::ring::layout::{
    event_number,
    Field,
    Layout, //
};
use rustix::{
    event::{
        poll,
        PollFd,
        PollFlags,
        Timespec, //
    },
    io::Errno, //
};
use std::{
    fs,
    io::{
        self,
        Read, //
    },
    os::unix::fs::OpenOptionsExt,
    path::{
        Path,
        PathBuf, //
    },
    process,
    time::Duration, //
};

/// Where tracefs is mounted.
const TRACING: &str = "/sys/kernel/tracing";

/// What the name of each instance begins with. The process's number follows.
const PREFIX: &str = "imgrement-";

/// The size of the buffer of each CPU, unless it is said.
pub(crate) const BUFFER_KIB: u64 = 4096;

/// How full a buffer is when its reader is woken up, in percent. The rest is for what happens until it is read.
const WAKE_PERCENT: &str = "25";

/// An event may appear in its buffer this long after its time.
const LATE: Duration = Duration::from_millis(20);

impl Span {
    /// What has happened up to now. Of the last 20 ms, there may be more events than are in the buffers.
    fn up_to_now() -> Self {
        let now = monotonic();
        Self {
            pass: now.saturating_sub(nanoseconds(LATE)),
            read: now,
        }
    }
}

/// A kind of event: its name, and the text of its `format`.
pub(crate) struct Kind {
    name: String,
    format: String,
}

impl Kind {
    /// From its name and its `format`.
    #[cfg(any(test, feature = "fuzz"))]
    pub(crate) fn new(name: &str, format: String) -> Self {
        Self {
            name: name.to_owned(),
            format,
        }
    }

    /// The field of this name.
    pub(crate) fn field(&self, name: &str) -> Result<Field, Failure> {
        Field::find(&self.format, name)
            .ok_or_else(|| Failure::new(format_args!("the kernel's trace events have no field {name}"))
                .next("Install the command and the module from the same source, and load the module again."))
    }
}

/// The buffer of a CPU.
struct Buffer {
    cpu: u32,
    file: fs::File,
}

/// How many events the kernel has lost in the buffer of a CPU, by its own counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// The CPU.
    pub(crate) cpu: u32,
    /// How many.
    pub(crate) events: u64,
}

/// The events of some kinds and devices, from now on. The instance is removed when dropped.
pub(crate) struct Instance {
    folder: PathBuf,
    kinds: Vec<Kind>,
    buffers: Vec<Buffer>,
    /// What was read, and not yet passed on.
    merge: Merge,
    /// How many events were lost; at least 1 where the kernel does not say.
    pub(crate) lost: u64,
}

impl Instance {
    /// Starts to listen to `kinds` of events of `devices`; of all devices if there is none.
    pub(crate) fn new(devices: &[Number], kinds: &[&str]) -> Result<Self, Failure> {
        Self::with_buffers(devices, kinds, BUFFER_KIB)
    }

    /// The same, with a buffer of this size for each CPU, in KiB.
    pub(crate) fn with_buffers(
        devices: &[Number],
        kinds: &[&str],
        kib: u64,
    ) -> Result<Self, Failure> {
        let failed = |what: &str, error: io::Error| {
            if error.kind() == io::ErrorKind::PermissionDenied || is_locked_down() {
                return not_permitted();
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
            kinds: Vec::new(),
            buffers: Vec::new(),
            merge: Merge::default(),
            lost: 0,
        };
        if !instance.folder.join("events/imgrement").exists() {
            return Err(Failure::new("the kernel has no trace events of imgrement")
                .next("Load the module as root: modprobe dm-imgrement"));
        }
        instance
            .start(devices, kinds, kib)
            .map_err(|error| match error.raw_os_error() {
                Some(libc::ENOMEM) => Failure::new(format_args!(
                    "there is no memory for trace buffers of {kib} KiB for each CPU"
                ))
                .next("Ask for smaller ones, with --buffer."),
                Some(_) | None => failed("listen to the trace events", error),
            })?;
        Ok(instance)
    }

    fn start(&mut self, devices: &[Number], kinds: &[&str], kib: u64) -> io::Result<()> {
        let events = self.folder.join("events");
        let text = |name: &str| read_text(&events.join(name));
        let unknown = || io::Error::other("the layout of this kernel's trace buffers is not known");

        let layout =
            Layout::read(&text("header_page")?, &text("header_event")?).ok_or_else(unknown)?;
        fs::write(self.folder.join("trace_clock"), "mono")?;
        fs::write(self.folder.join("buffer_size_kb"), kib.to_string())?;
        fs::write(self.folder.join("buffer_percent"), WAKE_PERCENT)?;
        let mut numbers = Vec::new();
        for name in kinds {
            let format = text(&format!("imgrement/{name}/format"))?;
            let number = event_number(&format).and_then(|number| u16::try_from(number).ok());
            numbers.push(number.ok_or_else(unknown)?);
            self.kinds.push(Kind {
                name: (*name).to_owned(),
                format,
            });
        }
        for entry in fs::read_dir(self.folder.join("per_cpu"))? {
            let path = entry?.path();
            let cpu = path.file_name().and_then(|name| name.to_str());
            let cpu = cpu.and_then(|name| name.strip_prefix("cpu")?.parse().ok());
            let file = fs::File::options()
                .read(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(path.join("trace_pipe_raw"))?;
            self.buffers.push(Buffer {
                cpu: cpu.ok_or_else(unknown)?,
                file,
            });
        }
        self.buffers.sort_by_key(|buffer| buffer.cpu);
        self.merge = Merge::new(
            layout,
            numbers,
            self.buffers.iter().map(|buffer| buffer.cpu),
        );
        let filter: Vec<_> = devices
            .iter()
            .map(|device| format!("dev == {}", device.to_event()))
            .collect();
        // `complete` before `request`: if a beginning is seen, so is its end.
        let mut kinds = kinds.to_vec();
        kinds.sort_unstable();
        for name in kinds {
            if !filter.is_empty() {
                fs::write(self.event(name).join("filter"), filter.join(" || "))?;
            }
            fs::write(self.event(name).join("enable"), "1")?;
        }
        Ok(())
    }

    /// The folder of a kind of event.
    fn event(&self, name: &str) -> PathBuf {
        self.folder.join("events/imgrement").join(name)
    }

    /// Stops listening to these kinds of events.
    pub(crate) fn stop(&self, kinds: &[&str]) {
        for kind in &self.kinds {
            if kinds.contains(&kind.name.as_str()) {
                // If the module was unloaded, it is gone.
                let _ = fs::write(self.event(&kind.name).join("enable"), "0");
            }
        }
    }

    /// A kind, by its index.
    pub(crate) fn kind(&self, index: usize) -> Option<&Kind> {
        self.kinds.get(index)
    }

    /// Waits until a buffer is a quarter full, or for this long, or for a signal.
    pub(crate) fn wait(&self, at_most: Duration) -> Result<(), Failure> {
        let mut files: Vec<_> = self
            .buffers
            .iter()
            .map(|buffer| PollFd::new(&buffer.file, PollFlags::IN))
            .collect();
        let timeout = Timespec::try_from(at_most).ok();
        match poll(&mut files, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(Failure::new(format_args!(
                "cannot wait for trace events: {error}"
            ))),
        }
    }

    /// Gives each event since the last call to `take`, about in order of time. They are not kept. It ends even if events
    /// come faster than they are taken.
    pub(crate) fn each(&mut self, mut take: impl FnMut(Event<'_>)) -> Result<(), Failure> {
        let now = Span {
            pass: u64::MAX,
            read: monotonic(),
        };
        self.rounds(now, |seen| {
            if let Seen::Event(event) = seen {
                take(event);
            }
            Ok(())
        })?;
        Ok(())
    }

    /// Passes on what happened since the last call, in order of time. The last 20 ms are left for the next call. The last
    /// call (`all`) ends the listening, and leaves nothing. Returns the time up to which everything was passed on.
    pub(crate) fn in_order(
        &mut self,
        all: bool,
        to: impl FnMut(Seen<'_>) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        if all {
            let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.name.as_str()).collect();
            self.stop(&kinds);
        }
        let now = Span::up_to_now();
        match all {
            true => self.rounds(Span::ALL, to).map(|_| now.pass),
            false => self.rounds(now, to),
        }
    }

    /// Passes on what happened in this span, in rounds. Returns the time up to which everything was passed on.
    fn rounds(
        &mut self,
        span: Span,
        mut to: impl FnMut(Seen<'_>) -> Result<(), Failure>,
    ) -> Result<u64, Failure> {
        let Self {
            merge,
            buffers,
            lost,
            ..
        } = self;
        loop {
            let round = merge.round(
                span,
                |index, page| match buffers.get_mut(index) {
                    Some(buffer) => read_page(&mut buffer.file, page),
                    None => Ok(None),
                },
                |seen| {
                    if let Seen::Lost { events, .. } = seen {
                        *lost = lost.saturating_add(events.unwrap_or(1));
                    }
                    to(seen)
                },
            )?;
            if !round.more {
                return Ok(round.until);
            }
        }
    }

    /// What the kernel's own counters say about lost events.
    pub(crate) fn lost(&self) -> Vec<Lost> {
        let lost = |buffer: &Buffer| {
            let path = format!("per_cpu/cpu{}/stats", buffer.cpu);
            let text = fs::read_to_string(self.folder.join(path)).ok()?;
            let words = ["overrun", "commit overrun", "dropped events"];
            let counts = text.lines().filter_map(|line| {
                let (word, count) = line.split_once(':')?;
                match words.contains(&word) {
                    true => count.trim().parse::<u64>().ok(),
                    false => None,
                }
            });
            Some(Lost {
                cpu: buffer.cpu,
                events: counts.sum(),
            })
        };
        self.buffers.iter().filter_map(lost).collect()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // An instance cannot be removed while one of its buffers is open.
        self.buffers.clear();
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Reads a page of a buffer. `None` if it is empty.
fn read_page(file: &mut fs::File, page: &mut [u8]) -> Result<Option<usize>, Failure> {
    loop {
        match file.read(page) {
            Ok(0) => return Ok(None),
            Ok(length) => return Ok(Some(length)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Failure::new(format_args!(
                    "cannot read the trace buffers: {error}"
                )))
            }
        }
    }
}

/// Whether the kernel allows nobody to trace.
fn is_locked_down() -> bool {
    let lockdown = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    lockdown.contains("[confidentiality]")
}

/// Tracing is not allowed.
fn not_permitted() -> Failure {
    let failure = Failure::new("no permission to use the kernel's tracing");
    if !rustix::process::geteuid().is_root() {
        return failure.next("Run it as root: sudo imgrement ...");
    }
    match is_locked_down() {
        true => failure
            .next("The kernel is locked down (/sys/kernel/security/lockdown: confidentiality).")
            .next("It must be started without lockdown=confidentiality."),
        false => failure.next("In a container, this is not allowed: run it on the host, as root."),
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
