// SPDX-License-Identifier: GPL-2.0

//! The binary format of blktrace, version 7: `blkparse`, `btt`, `iowatcher` and fio read it.
//!
//! Each request is queued and issued when it reaches the target, and completes later. All of it is in the file of the
//! CPU that sent the request. The disk is the one below the target, because the sectors are those of this disk.

use super::{
    left_out::LeftOut,
    make_folder,
    output::Output,
    timeline::{
        Command,
        Moment,
        Seen,
        Writer, //
    },
};
use crate::{
    failure::Failure,
    recording::{
        head::Head,
        row::Event, //
    },
};
use imgrement_core::record::{
    Flags,
    Op, //
};
use std::{
    collections::HashMap,
    io::{
        self,
        IsTerminal, //
    },
    path::{
        Path,
        PathBuf, //
    },
};

/// The magic number, and the version.
const MAGIC: u32 = 0x6561_7400 | 7;

/// What happened: `enum blktrace_act` of the kernel.
const QUEUE: u32 = 1;
const ISSUE: u32 = 7;
const COMPLETE: u32 = 8;

/// Notes: `enum blktrace_notify` of the kernel.
const PROCESS: u32 = 0;
const TIMESTAMP: u32 = 1;
const MESSAGE: u32 = 2;

/// Categories: `enum blktrace_cat` of the kernel, in the upper half of the action.
const READ: u32 = 1 << 16;
const WRITE: u32 = 1 << 17;
const FLUSH: u32 = 1 << 18;
const SYNC: u32 = 1 << 19;
const QUEUED: u32 = 1 << 20;
const ISSUED: u32 = 1 << 22;
const COMPLETED: u32 = 1 << 23;
const FS: u32 = 1 << 24;
const NOTIFY: u32 = 1 << 26;
const AHEAD: u32 = 1 << 27;
const META: u32 = 1 << 28;
const DISCARD: u32 = 1 << 29;
const FUA: u32 = 1 << 31;

/// The longest message: `BLK_TN_MAX_MSG` of the kernel.
const MESSAGE_MAX: usize = 128;

/// No machine has more CPUs. A broken recording may say that it has.
const CPUS: u32 = 1 << 13;

/// A disk.
#[derive(Clone, Debug)]
pub(super) struct Disk {
    /// Its number, as blktrace has it: the major number in the bits from 20 on.
    pub(super) number: u32,
    pub(super) name: String,
}

impl Disk {
    /// The disk below a device. If the recording does not know it, it has the name of the device, and a number that no
    /// disk has.
    fn new(head: &Head, index: u8) -> Self {
        let device = head.devices.get(usize::from(index));
        let number = device.and_then(|device| {
            let (major, minor) = device.disk_number.split_once(':')?;
            let (major, minor): (u32, u32) = (major.parse().ok()?, minor.parse().ok()?);
            Some((major << 20) | (minor & 0xf_ffff))
        });
        let name = device.map(|device| match device.disk.as_str() {
            "" => device.name.as_str(),
            disk => disk,
        });
        Self {
            number: number.unwrap_or(u32::from(index) + 1),
            name: name.unwrap_or("unknown").replace('/', "!"),
        }
    }
}

/// The disks of a recording, by the index of the device above.
#[derive(Default)]
pub(super) struct Disks(Vec<Disk>);

impl Disks {
    pub(super) fn get(&mut self, head: &Head, device: Option<u8>) -> Option<&Disk> {
        // What concerns all devices is told of the first.
        let index = device.unwrap_or(0);
        for index in 0..=index {
            if usize::from(index) >= self.0.len() {
                self.0.push(Disk::new(head, index));
            }
        }
        self.0.get(usize::from(index))
    }
}

/// What has an entry of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Queue,
    Issue,
    Complete,
    Message,
}

/// An entry of a trace.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) act: Act,
    pub(super) sector: u64,
    pub(super) bytes: u32,
    pub(super) action: u32,
    pub(super) pid: u32,
    pub(super) cpu: u32,
    pub(super) error: u16,
    /// Who sent a request.
    pub(super) command: Command,
    /// The text of a message.
    pub(super) text: &'a [u8],
}

impl Entry<'_> {
    /// Its number, after the last of its disk and CPU. A message has none.
    pub(super) fn number(&self, last: &mut u32) -> u32 {
        match self.act {
            Act::Queue | Act::Issue | Act::Complete => {
                *last = last.wrapping_add(1);
                *last
            }
            Act::Message => 0,
        }
    }
}

/// The entries for what happened, or the op that the format does not have.
pub(super) fn entries(
    moment: &Moment<'_>,
    mut each: impl FnMut(&Entry<'_>) -> Result<(), Failure>,
) -> Result<Option<Op>, Failure> {
    match moment {
        Moment::Begin(seen) => {
            let Some(categories) = categories(seen) else {
                return Ok(Some(seen.op));
            };
            let (queue, issue) = (QUEUE | QUEUED, ISSUE | ISSUED | FS);
            each(&entry(seen, Act::Queue, categories | queue))?;
            each(&entry(seen, Act::Issue, categories | issue))?;
        }
        Moment::End(seen) => {
            // It was counted when it began.
            if let Some(categories) = categories(seen) {
                let complete = COMPLETE | COMPLETED | FS;
                each(&entry(seen, Act::Complete, categories | complete))?;
            }
        }
        Moment::Note(_, event) => {
            let (cpu, text) = match event {
                Event::Request(_) => return Ok(None),
                Event::Mark(text) => (0, format!("mark: {text}")),
                Event::Table { reason, line } => (0, format!("table {reason}: {line}")),
                Event::Lost { cpu, events } => {
                    let number = events.map_or("an unknown number of".into(), |n| n.to_string());
                    (cpu.unwrap_or(0), format!("lost {number} events"))
                }
            };
            each(&Entry {
                act: Act::Message,
                sector: 0,
                bytes: 0,
                action: MESSAGE | NOTIFY,
                pid: 0,
                cpu: cpu.min(CPUS - 1),
                error: 0,
                command: Command::default(),
                text: text
                    .as_bytes()
                    .get(..MESSAGE_MAX)
                    .unwrap_or(text.as_bytes()),
            })?;
        }
    }
    Ok(None)
}

fn entry(seen: &Seen, act: Act, action: u32) -> Entry<'static> {
    let error = match act {
        // A negative number in 16 bits, as the kernel has it.
        Act::Complete => seen.errno.unwrap_or(0).wrapping_neg() & 0xffff,
        Act::Queue | Act::Issue | Act::Message => 0,
    };
    Entry {
        act,
        sector: seen.sector,
        bytes: seen.bytes,
        action,
        pid: seen.pid,
        cpu: seen.cpu.min(CPUS - 1),
        error: u16::try_from(error).unwrap_or(u16::MAX),
        command: seen.command,
        text: &[],
    }
}

/// What kind of request it is; `None` if version 7 of the format cannot express it.
fn categories(seen: &Seen) -> Option<u32> {
    let op = match seen.op {
        Op::Read => READ,
        Op::Write | Op::ZoneAppend => WRITE,
        // This is how the block layer sends it: a write without data.
        Op::Flush => WRITE | FLUSH,
        Op::Discard | Op::SecureErase => WRITE | DISCARD,
        Op::WriteZeroes
        | Op::ZoneReset
        | Op::ZoneResetAll
        | Op::ZoneOpen
        | Op::ZoneClose
        | Op::ZoneFinish
        | Op::Other => return None,
    };
    let flags = [
        (Flags::FUA, FUA),
        (Flags::PREFLUSH, FLUSH),
        (Flags::META, META),
        (Flags::SYNC, SYNC),
        (Flags::RAHEAD, AHEAD),
    ];
    let flags = flags
        .iter()
        .filter(|(flag, _)| seen.flags & flag.bits() != 0);
    Some(flags.fold(op, |all, (_, category)| all | category))
}

/// The letters for a kind of request, as blkparse prints them.
pub(super) fn letters(entry: &Entry<'_>) -> ([u8; 8], usize) {
    let has = |category| entry.action & category != 0;
    let op = match (has(DISCARD), has(WRITE), entry.bytes) {
        (true, _, _) => b'D',
        (false, true, _) => b'W',
        (false, false, 0) => b'N',
        (false, false, _) => b'R',
    };
    let all = [
        (has(FLUSH), b'F'),
        (true, op),
        (has(FUA), b'F'),
        (has(AHEAD), b'A'),
        (has(SYNC), b'S'),
        (has(META), b'M'),
    ];
    let mut letters = [0; 8];
    let mut length = 0;
    let present = all.iter().filter(|(present, _)| *present);
    for (to, (_, letter)) in letters.iter_mut().zip(present) {
        *to = *letter;
        length += 1;
    }
    (letters, length)
}

/// The names of the tasks that a file has told lately.
struct Names([(u32, Command); 256]);

impl Names {
    fn new() -> Self {
        Self([(u32::MAX, Command::default()); 256])
    }

    /// Whether a name is to be told.
    fn is_new(&mut self, pid: u32, command: Command) -> bool {
        let slot = usize::try_from(pid % 256).unwrap_or(0);
        let Some(known) = self.0.get_mut(slot) else {
            return true;
        };
        let new = *known != (pid, command);
        *known = (pid, command);
        new
    }
}

/// What is common to the entries of a file.
struct Place {
    time: u64,
    disk: u32,
}

/// Adds an entry in the binary format.
fn put(buffer: &mut Vec<u8>, place: &Place, sequence: u32, entry: &Entry<'_>) {
    buffer.extend_from_slice(&MAGIC.to_ne_bytes());
    buffer.extend_from_slice(&sequence.to_ne_bytes());
    buffer.extend_from_slice(&place.time.to_ne_bytes());
    buffer.extend_from_slice(&entry.sector.to_ne_bytes());
    buffer.extend_from_slice(&entry.bytes.to_ne_bytes());
    buffer.extend_from_slice(&entry.action.to_ne_bytes());
    buffer.extend_from_slice(&entry.pid.to_ne_bytes());
    buffer.extend_from_slice(&place.disk.to_ne_bytes());
    buffer.extend_from_slice(&entry.cpu.to_ne_bytes());
    buffer.extend_from_slice(&entry.error.to_ne_bytes());
    let length = u16::try_from(entry.text.len()).unwrap_or(0);
    buffer.extend_from_slice(&length.to_ne_bytes());
    buffer.extend_from_slice(entry.text);
}

/// Adds a note. It has no number.
fn put_note(buffer: &mut Vec<u8>, place: &Place, action: u32, pid: u32, cpu: u32, text: &[u8]) {
    let note = Entry {
        act: Act::Message,
        sector: 0,
        bytes: 0,
        action: action | NOTIFY,
        pid,
        cpu,
        error: 0,
        command: Command::default(),
        text,
    };
    put(buffer, place, 0, &note);
}

/// The time of the kernel's monotonic clock, which blktrace has.
fn monotonic(head: &Head, time: i64) -> u64 {
    u64::try_from(time.saturating_sub(head.clock_offset)).unwrap_or(0)
}

/// The time of day, as two numbers.
fn time_of_day(time: i64) -> [u8; 8] {
    let seconds = u32::try_from(time.div_euclid(1_000_000_000)).unwrap_or(0);
    let nanoseconds = u32::try_from(time.rem_euclid(1_000_000_000)).unwrap_or(0);
    let mut words = [0; 8];
    let bytes = seconds
        .to_ne_bytes()
        .into_iter()
        .chain(nanoseconds.to_ne_bytes());
    for (to, from) in words.iter_mut().zip(bytes) {
        *to = from;
    }
    words
}

/// A file of a disk and a CPU.
struct Cpu {
    output: Output,
    sequence: u32,
    names: Names,
}

/// A folder with a file for each disk and CPU.
pub(super) struct Folder {
    path: PathBuf,
    disks: Disks,
    files: HashMap<(u32, u32), Cpu>,
    /// The disks that have files, and how many CPUs each has.
    cpus: Vec<(Disk, u32)>,
    left_out: LeftOut,
}

impl Folder {
    pub(super) fn new(path: &Path) -> Result<Self, Failure> {
        make_folder(path)?;
        Ok(Self {
            path: path.to_owned(),
            disks: Disks::default(),
            files: HashMap::new(),
            cpus: Vec::new(),
            left_out: LeftOut::default(),
        })
    }
}

fn file_of(folder: &Path, disk: &Disk, cpu: u32) -> PathBuf {
    folder.join(format!("{}.blktrace.{cpu}", disk.name))
}

impl Writer for Folder {
    fn moment(&mut self, head: &Head, time: i64, moment: &Moment<'_>) -> Result<(), Failure> {
        let device = moment.device();
        let Some(disk) = self.disks.get(head, device) else {
            return Ok(());
        };
        let place = Place {
            time: monotonic(head, time),
            disk: disk.number,
        };
        let (files, path, cpus) = (&mut self.files, &self.path, &mut self.cpus);
        let left_out = entries(moment, |entry| {
            let first = files.is_empty();
            let key = (disk.number, entry.cpu);
            let file = match files.get_mut(&key) {
                Some(file) => file,
                None => {
                    match cpus.iter_mut().find(|(of, _)| of.number == disk.number) {
                        Some((_, cpus)) => *cpus = (*cpus).max(entry.cpu + 1),
                        None => cpus.push((disk.clone(), entry.cpu + 1)),
                    }
                    files.entry(key).or_insert(Cpu {
                        output: Output::in_folder(&file_of(path, disk, entry.cpu))?,
                        sequence: 0,
                        names: Names::new(),
                    })
                }
            };
            let buffer = file.output.buffer();
            if first {
                put_note(buffer, &place, TIMESTAMP, 0, entry.cpu, &time_of_day(time));
            }
            if entry.act == Act::Queue && file.names.is_new(entry.pid, entry.command) {
                let name = entry.command.padded();
                put_note(buffer, &place, PROCESS, entry.pid, entry.cpu, name);
            }
            put(buffer, &place, entry.number(&mut file.sequence), entry);
            file.output.spill()
        })?;
        if let Some(op) = left_out {
            self.left_out.count(op);
        }
        Ok(())
    }

    fn finish(self, _head: &Head) -> Result<(), Failure> {
        // blkparse stops at the first CPU that has no file.
        for (disk, cpus) in &self.cpus {
            for cpu in 0..*cpus {
                if !self.files.contains_key(&(disk.number, cpu)) {
                    Output::in_folder(&file_of(&self.path, disk, cpu))?.finish()?;
                }
            }
        }
        for file in self.files.into_values() {
            file.output.finish()?;
        }
        self.left_out.report("blktrace");
        Ok(())
    }
}

/// All CPUs in one stream, for `blkparse -i -`.
pub(super) struct Stream {
    output: Output,
    disks: Disks,
    sequences: HashMap<(u32, u32), u32>,
    names: Names,
    left_out: LeftOut,
    started: bool,
}

impl Stream {
    pub(super) fn new() -> Result<Self, Failure> {
        if io::stdout().is_terminal() {
            return Err(Failure::usage("blktrace's format is not for a terminal")
                .next("Name a folder for the files: -o FOLDER")
                .next("Or let blkparse read it: imgrement export ... | blkparse -i -"));
        }
        Ok(Self {
            output: Output::new(None, false)?,
            disks: Disks::default(),
            sequences: HashMap::new(),
            names: Names::new(),
            left_out: LeftOut::default(),
            started: false,
        })
    }
}

impl Writer for Stream {
    fn moment(&mut self, head: &Head, time: i64, moment: &Moment<'_>) -> Result<(), Failure> {
        let Some(disk) = self.disks.get(head, moment.device()) else {
            return Ok(());
        };
        let place = Place {
            time: monotonic(head, time),
            disk: disk.number,
        };
        let buffer = self.output.buffer();
        let (sequences, names, started) = (&mut self.sequences, &mut self.names, &mut self.started);
        let left_out = entries(moment, |entry| {
            if !std::mem::replace(started, true) {
                put_note(buffer, &place, TIMESTAMP, 0, entry.cpu, &time_of_day(time));
            }
            if entry.act == Act::Queue && names.is_new(entry.pid, entry.command) {
                let name = entry.command.padded();
                put_note(buffer, &place, PROCESS, entry.pid, entry.cpu, name);
            }
            let sequence = sequences.entry((disk.number, entry.cpu)).or_default();
            put(buffer, &place, entry.number(sequence), entry);
            Ok(())
        })?;
        if let Some(op) = left_out {
            self.left_out.count(op);
        }
        self.output.spill()
    }

    fn finish(self, _head: &Head) -> Result<(), Failure> {
        self.output.finish()?;
        self.left_out.report("blktrace");
        Ok(())
    }
}
