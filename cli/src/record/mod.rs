// SPDX-License-Identifier: GPL-2.0

//! Records what passes through targets: trace events in (`trace`), rows out (`join`), into files (`files`).

mod allocator;
#[cfg(any(test, feature = "fuzz"))]
#[allow(clippy::indexing_slicing)]
pub(crate) mod example;
pub(crate) mod fields;
pub(crate) mod files;
pub(crate) mod join;

use self::{
    allocator::keep_freed_memory,
    fields::{
        Fields,
        ALWAYS,
        KINDS, //
    },
    files::{
        Files,
        Rotation, //
    },
    join::Joiner,
};
use crate::{
    clock::{
        monotonic,
        nanoseconds,
        since_1970, //
    },
    disk::Number,
    dm::Control,
    failure::Failure,
    output::{
        bytes,
        note,
        span, //
    },
    recording::{
        head::{
            Device,
            Head,
            VERSION, //
        },
        row::{
            Event,
            Row, //
        },
    },
    target::{
        named,
        KIND, //
    },
    trace::Instance, //
};
use imgrement_core::bytes::word::Escaped;
use indicatif::{
    ProgressBar,
    ProgressDrawTarget, //
};
use rustix::{
    process::{
        kill_process,
        Pid,
        Signal, //
    },
    system::uname, //
};
use signal_hook::{
    consts::{
        SIGCHLD,
        SIGHUP,
        SIGINT,
        SIGTERM, //
    },
    flag,
};
use std::{
    ffi::OsString,
    fs,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{
        Child,
        Command,
        ExitStatus, //
    },
    sync::{
        atomic::{
            AtomicBool,
            Ordering, //
        },
        Arc, //
    },
    time::{
        Duration,
        Instant, //
    },
};

/// How long it waits for events at most. So a recording ends this late at most.
const TICK: Duration = Duration::from_millis(50);

/// The same at the end, when only ends are missing.
const SHORT_TICK: Duration = Duration::from_millis(10);

/// How long it waits at the end for requests that are in flight.
const GRACE: Duration = Duration::from_secs(1);

/// How many devices a recording can have.
const DEVICES: usize = 255;

/// What to record.
#[derive(Clone, Debug, Default)]
pub(crate) struct Order {
    /// The names of the devices.
    pub(crate) names: Vec<String>,
    /// The file.
    pub(crate) path: PathBuf,
    /// It may exist already.
    pub(crate) overwrite: bool,
    /// It ends after so long.
    pub(crate) time: Option<Duration>,
    /// It ends after so many bytes.
    pub(crate) size: Option<u64>,
    /// It ends after so many requests.
    pub(crate) count: Option<u64>,
    /// When the next file begins.
    pub(crate) rotation: Rotation,
    /// Record segments.
    pub(crate) deltas: bool,
    /// Record occurrences of patterns.
    pub(crate) matches: bool,
    /// The size of the trace buffer of each CPU, in KiB.
    pub(crate) buffer_kib: u64,
    /// The command to run meanwhile.
    pub(crate) command: Vec<OsString>,
}

/// Records, and returns when it has ended.
pub(crate) fn record(order: &Order) -> Result<(), Failure> {
    let devices = devices(&order.names)?;
    let numbers: Vec<_> = devices.iter().map(|(number, _)| *number).collect();
    let ended = signals(&[SIGINT, SIGTERM, SIGHUP])?;
    // It only interrupts the wait.
    let _ = signals(&[SIGCHLD])?;
    let mut kinds: Vec<_> = KINDS.iter().copied().take(ALWAYS).collect();
    for (asked, kind) in [(order.deltas, "delta"), (order.matches, "match")] {
        if asked {
            kinds.push(kind);
        }
    }
    let names = devices
        .iter()
        .map(|(number, device)| (*number, device.name.clone(), false))
        .collect();
    let head = head(
        order,
        devices.into_iter().map(|(_, device)| device).collect(),
    );
    let clock_offset = head.clock_offset;
    keep_freed_memory();
    // The file is made first: if that fails, nothing was switched on.
    let files = Files::new(&order.path, order.overwrite, order.rotation, head)?;
    let instance = Instance::with_buffers(&numbers, &kinds, order.buffer_kib)?;
    let place = |name: &str| kinds.iter().position(|kind| *kind == name);
    let fields = Fields::find(|name| place(name).and_then(|index| instance.kind(index)))?;
    let roles = kinds
        .iter()
        .map(|kind| KINDS.iter().position(|known| known == kind).unwrap_or(0))
        .collect();
    let devices = numbers.iter().map(|number| number.to_event()).collect();
    let child = spawn(&order.command)?;
    Recorder {
        order,
        instance,
        roles,
        joiner: Joiner::new(fields, devices, clock_offset),
        files,
        devices: names,
        looked: Instant::now(),
        began: Instant::now(),
        progress: Progress::new(),
    }
    .run(child, &ended)
}

/// A recording in progress.
struct Recorder<'o> {
    order: &'o Order,
    instance: Instance,
    /// For each kind of event of the instance, its place in `KINDS`.
    roles: Vec<usize>,
    joiner: Joiner,
    files: Files,
    /// The devices: number, name, and whether it was removed.
    devices: Vec<(Number, String, bool)>,
    /// When it last looked whether they are there.
    looked: Instant,
    began: Instant,
    progress: Progress,
}

impl Recorder<'_> {
    fn run(mut self, mut child: Option<Child>, ended: &AtomicBool) -> Result<(), Failure> {
        let kept = self.keep(child.as_mut(), ended);
        self.progress.clear();
        drop(self.instance);
        let Some(child) = &mut child else {
            return kept;
        };
        let status = wait_for(child, ended, kept.is_ok())?;
        kept?;
        let code = match (status.code(), status.signal()) {
            (Some(0), _) => return Ok(()),
            (Some(code), _) => code,
            (None, signal) => 128 + signal.unwrap_or(0),
        };
        let what = format_args!("the command failed: {status}").to_string();
        Err(Failure::new(what).with_status(u8::try_from(code).unwrap_or(1)))
    }

    /// Records until it is to end.
    fn keep(&mut self, child: Option<&mut Child>, ended: &AtomicBool) -> Result<(), Failure> {
        let mut child = child;
        self.files.begin()?;
        while !ended.load(Ordering::Relaxed) && !self.is_enough() && !self.are_gone() {
            if let Some(child) = &mut child {
                if child.try_wait().map_err(cannot_wait)?.is_some() {
                    break;
                }
            }
            self.instance.wait(TICK)?;
            self.read(false)?;
        }
        let took = self.began.elapsed();
        // No more beginnings, but the ends of what has begun.
        self.instance.stop(&["request"]);
        let until = Instant::now() + GRACE;
        self.read(false)?;
        while self.joiner.in_flight() && Instant::now() < until {
            self.instance.wait(SHORT_TICK)?;
            self.read(false)?;
        }
        self.read(true)?;
        self.joiner.finish(&mut self.files)?;
        let lost = self.name_losses()?;
        self.files.finish()?;
        self.progress.clear();
        self.say(took, lost);
        Ok(())
    }

    /// Whether a limit is reached.
    fn is_enough(&self) -> bool {
        let order = self.order;
        order.time.is_some_and(|time| self.began.elapsed() >= time)
            || order.size.is_some_and(|size| self.files.written() >= size)
            || order
                .count
                .is_some_and(|count| self.joiner.counts().requests >= count)
    }

    /// Whether all devices were removed. It looks once a second.
    fn are_gone(&mut self) -> bool {
        if self.looked.elapsed() < Duration::from_secs(1) {
            return false;
        }
        self.looked = Instant::now();
        for (number, name, gone) in &mut self.devices {
            if !*gone && !number.folder().exists() {
                *gone = true;
                note(&format!("{name} was removed"));
            }
        }
        self.devices.iter().all(|(_, _, gone)| *gone)
    }

    /// Reads what there is.
    fn read(&mut self, all: bool) -> Result<(), Failure> {
        let (joiner, files, roles) = (&mut self.joiner, &mut self.files, &self.roles);
        let until = self.instance.in_order(all, |seen| {
            joiner.take(seen.with_kind(|kind| roles.get(kind).copied()), files)
        })?;
        joiner.at(until, files)?;
        files.tick()?;
        let (counts, written) = (joiner.counts(), files.written());
        let began = self.began;
        self.progress.show(|| {
            let seconds = began.elapsed().as_secs_f64();
            let lost = match counts.lost {
                0 => "none lost".to_owned(),
                lost => format!("{lost} LOST"),
            };
            format!(
                "{seconds:.0} s, {} requests, {:.0} a second, {}, {lost}",
                counts.requests,
                counts.requests as f64 / seconds,
                bytes(written),
            )
        });
        Ok(())
    }

    /// Adds rows for what the kernel has lost, but has not named in its buffers. Returns how many events were lost.
    fn name_losses(&mut self) -> Result<u64, Failure> {
        let counted: u64 = self.instance.lost().iter().map(|lost| lost.events).sum();
        let named = self.joiner.counts().lost;
        if counted > named {
            let row = Row {
                time: self.joiner.time(monotonic()),
                device: None,
                event: Event::Lost {
                    cpu: None,
                    events: Some(counted - named),
                },
            };
            join::Sink::row(&mut self.files, &row, None, None)?;
        }
        Ok(counted.max(named))
    }

    /// The line at the end.
    fn say(&self, took: Duration, lost: u64) {
        let requests = self.joiner.counts().requests;
        let mut text = format!(
            "{}: {requests} requests in {}, {}",
            self.files.names(),
            span(nanoseconds(took)),
            bytes(self.files.written()),
        );
        let holes = self.joiner.holes();
        text += &match (lost, holes) {
            (0, 0) => ", none lost".to_owned(),
            (lost, holes) => format!(
                ", {lost} events lost: {holes} requests are missing\n  Larger buffers may help: --buffer {}M",
                (self.order.buffer_kib / 512).max(1)
            ),
        };
        note(&text);
    }
}

/// Becomes true when one of these signals comes.
fn signals(signals: &[i32]) -> Result<Arc<AtomicBool>, Failure> {
    let came = Arc::new(AtomicBool::new(false));
    for signal in signals {
        flag::register(*signal, Arc::clone(&came))
            .map_err(|error| Failure::new(format_args!("cannot handle signals: {error}")))?;
    }
    Ok(came)
}

/// The devices, each once.
fn devices(names: &[String]) -> Result<Vec<(Number, Device)>, Failure> {
    let control = Control::open()?;
    let mut devices: Vec<(Number, Device)> = Vec::new();
    for name in names {
        let targets = named(&control, name)?;
        let Some(first) = targets.first() else {
            continue;
        };
        let number = first.device.number;
        if devices.iter().any(|(known, _)| *known == number) {
            continue;
        }
        let rows = control.table(&first.device.name).unwrap_or_default();
        let lines: Vec<_> = rows
            .iter()
            .filter(|row| row.kind == KIND)
            .map(|row| format!("{} {} {KIND} {}", row.start, row.length, row.text))
            .collect();
        let block_size = number.attribute("queue/logical_block_size");
        devices.push((
            number,
            Device {
                name: Escaped(first.device.name.as_bytes()).to_string(),
                number: number.to_string(),
                disk: first.disk.name(),
                disk_number: first.disk.to_string(),
                offset: first.offset,
                sectors: targets.iter().map(|target| target.length).sum(),
                block_size: block_size.and_then(|size| size.parse().ok()).unwrap_or(512),
                table: lines.join("\n"),
            },
        ));
    }
    match devices.len() > DEVICES {
        true => Err(Failure::usage(format_args!(
            "a recording can have {DEVICES} devices, not {}",
            devices.len()
        ))),
        false => Ok(devices),
    }
}

/// What is known about the recording.
fn head(order: &Order, devices: Vec<Device>) -> Head {
    let about = uname();
    // Read one after the other: nothing else tells how far they are apart.
    let steady = i64::try_from(monotonic()).unwrap_or(i64::MAX);
    let real = since_1970();
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    Head {
        version: VERSION,
        made_by: concat!("imgrement ", env!("CARGO_PKG_VERSION")).to_owned(),
        host: about.nodename().to_string_lossy().into_owned(),
        kernel: about.release().to_string_lossy().into_owned(),
        cpus: cpus(&online),
        began: real,
        clock_offset: real.saturating_sub(steady),
        command: order
            .command
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        devices,
    }
}

/// How many CPUs `0-3,6` are.
fn cpus(list: &str) -> u32 {
    let cpus = |range: &str| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    list.trim().split(',').filter_map(cpus).sum()
}

/// Starts the command, if there is one.
fn spawn(words: &[OsString]) -> Result<Option<Child>, Failure> {
    let Some((program, arguments)) = words.split_first() else {
        return Ok(None);
    };
    match Command::new(program).args(arguments).spawn() {
        Ok(child) => Ok(Some(child)),
        Err(error) => {
            let program = program.to_string_lossy();
            let failure = Failure::new(format_args!("cannot run {program}: {error}"));
            // As shells and env do.
            Err(
                failure.with_status(match error.kind() == std::io::ErrorKind::NotFound {
                    true => 127,
                    false => 126,
                }),
            )
        }
    }
}

fn cannot_wait(error: std::io::Error) -> Failure {
    Failure::new(format_args!("cannot wait for the command: {error}"))
}

/// Waits for the command. If a signal ends the recording (`ended`), the command is told to end, too.
fn wait_for(child: &mut Child, ended: &AtomicBool, ok: bool) -> Result<ExitStatus, Failure> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait().map_err(cannot_wait)? {
            return Ok(status);
        }
        if ended.load(Ordering::Relaxed) {
            // If it was Ctrl-C, the command has got it, too.
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::TERM);
            }
            return child.wait().map_err(cannot_wait);
        }
        if !told {
            note(match ok {
                true => "the recording has ended; the command still runs",
                false => "the recording has failed; the command still runs",
            });
            told = true;
        }
        std::thread::sleep(TICK);
    }
}

/// A line that says how far it is, on a terminal.
struct Progress {
    bar: ProgressBar,
    shown: Instant,
}

impl Progress {
    /// How often it is renewed.
    const RENEW: Duration = Duration::from_millis(500);

    fn new() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = indicatif::ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        Self {
            bar,
            shown: Instant::now(),
        }
    }

    fn show(&mut self, text: impl FnOnce() -> String) {
        if self.bar.is_hidden() || self.shown.elapsed() < Self::RENEW {
            return;
        }
        self.shown = Instant::now();
        self.bar.set_message(text());
        self.bar.tick();
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used)]
mod tests;
