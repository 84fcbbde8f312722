// SPDX-License-Identifier: GPL-2.0

//! `imgrement watch`.

use crate::{
    dm::Control,
    failure::Failure,
    output::print,
    target::named,
    trace::{
        Event,
        Instance, //
    },
};
use clap::Args;
use imgrement_core::{
    bytes::word::Escaped,
    record::Op,
    ring::layout::Field, //
};
use serde::Serialize;
use signal_hook::{
    consts::{
        SIGINT,
        SIGTERM, //
    },
    flag,
};
use std::{
    collections::HashMap,
    io,
    sync::{
        atomic::{
            AtomicBool,
            Ordering, //
        },
        Arc, //
    },
    thread,
    time::Duration, //
};

/// How often the buffers are read.
const TICK: Duration = Duration::from_millis(100);

/// For how many requests in flight the number of matches is remembered.
const IN_FLIGHT: usize = 1 << 16;

/// The kinds of events, in the order of the constants below.
const KINDS: [&str; 2] = ["request", "complete"];
const REQUEST: usize = 0;

/// Print a line for each request when it completes, until Ctrl-C
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  imgrement watch imgrement-sdb
  imgrement watch imgrement-sdb --count 100
  imgrement watch imgrement-sdb --json | jq 'select(.latency > 10000000)'

For people, a line has the seconds since the start of the machine, the op, the sector, the bytes, the latency, how many
occurrences of patterns were found when it was sent on, and the command. docs/events.md explains these.")]
pub(crate) struct Watch {
    /// The name of the device, or its path
    name: String,

    /// Print JSON, one object in a line
    #[arg(long)]
    json: bool,

    /// End after N requests
    #[arg(long, value_name = "N")]
    count: Option<u64>,
}

/// A request that has completed.
#[derive(Serialize)]
struct Line {
    /// Nanoseconds of the monotonic clock.
    time: u64,
    id: u64,
    op: &'static str,
    flags: u64,
    sector: u64,
    bytes: u64,
    errno: u64,
    /// Nanoseconds; none if the request began before anything listened.
    latency: Option<u64>,
    /// None if its beginning was not seen.
    hits: Option<u64>,
    command: String,
}

/// The fields that are read.
struct Fields {
    request_id: Field,
    request_hits: Field,
    id: Field,
    op: Field,
    flags: Field,
    sector: Field,
    bytes: Field,
    errno: Field,
    latency: Field,
    command: Field,
}

impl Fields {
    fn find(instance: &Instance) -> Result<Self, Failure> {
        let field = |kind: usize, name: &str| match instance.kind(kind) {
            Some(kind) => kind.field(name),
            None => Err(Failure::new("an event is missing")),
        };
        let complete = |name| field(1, name);
        Ok(Self {
            request_id: field(REQUEST, "id")?,
            request_hits: field(REQUEST, "hits")?,
            id: complete("id")?,
            op: complete("op")?,
            flags: complete("flags")?,
            sector: complete("sector")?,
            bytes: complete("bytes")?,
            errno: complete("errno")?,
            latency: complete("latency")?,
            command: complete("command")?,
        })
    }

    /// Reads a `complete`; `None` if it is too short.
    fn line(&self, event: &Event, found: &mut HashMap<u64, u64>) -> Option<Line> {
        let number = |field: &Field| field.number(&event.bytes);
        let id = number(&self.id)?;
        let op = usize::try_from(number(&self.op)?).ok()?;
        Some(Line {
            time: event.time,
            id,
            op: Op::ALL.get(op).map_or("other", |op| match op {
                Op::Read => "read",
                Op::Write => "write",
                Op::Flush
                | Op::Discard
                | Op::SecureErase
                | Op::WriteZeroes
                | Op::ZoneAppend
                | Op::ZoneReset
                | Op::ZoneResetAll
                | Op::ZoneOpen
                | Op::ZoneClose
                | Op::ZoneFinish
                | Op::Other => op.name(),
            }),
            flags: number(&self.flags)?,
            sector: number(&self.sector)?,
            bytes: number(&self.bytes)?,
            errno: number(&self.errno)?,
            latency: number(&self.latency).filter(|latency| *latency > 0),
            hits: found.remove(&id),
            command: Escaped(self.command.text(&event.bytes)?).to_string(),
        })
    }
}

impl Watch {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let targets = named(&Control::open()?, &self.name)?;
        let Some(device) = targets.first().map(|target| &target.device) else {
            return Ok(());
        };
        let ended = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register(signal, Arc::clone(&ended))
                .map_err(|error| Failure::new(format_args!("cannot handle signals: {error}")))?;
        }
        let mut instance = Instance::new(device.number, &KINDS)?;
        let fields = Fields::find(&instance)?;
        let mut found = HashMap::new();
        let (mut left, mut lost) = (self.count.unwrap_or(u64::MAX), 0);

        note(&format!("watching {}; Ctrl-C ends it", device.name));
        loop {
            let last = ended.load(Ordering::Relaxed);
            let mut text = String::new();
            for event in instance.read(last)? {
                if event.kind == REQUEST {
                    let number = |field: &Field| field.number(&event.bytes);
                    if let (Some(id), Some(hits)) =
                        (number(&fields.request_id), number(&fields.request_hits))
                    {
                        // So many can only be left if completions were lost.
                        if found.len() >= IN_FLIGHT {
                            found.clear();
                        }
                        found.insert(id, hits);
                    }
                } else if let Some(line) = fields.line(&event, &mut found) {
                    if left > 0 {
                        text.push_str(&self.show(&line)?);
                        left -= 1;
                    }
                }
            }
            print(&text)?;
            if instance.lost > lost {
                note(&format!(
                    "at least {} events were lost",
                    instance.lost - lost
                ));
                lost = instance.lost;
            }
            if last || left == 0 {
                return Ok(());
            }
            thread::sleep(TICK);
        }
    }

    /// The text of a line, with its line end.
    fn show(&self, line: &Line) -> Result<String, Failure> {
        if self.json {
            let text = serde_json::to_string(line)
                .map_err(|error| Failure::new(format_args!("cannot make JSON: {error}")))?;
            return Ok(text + "\n");
        }
        let mut text = format!(
            "{:>6}.{:06} {:<12} {:>10} + {:<8}",
            line.time / 1_000_000_000,
            line.time / 1000 % 1_000_000,
            line.op,
            line.sector,
            line.bytes
        );
        text += &match line.latency {
            Some(latency) => format!(" {:>8} us", latency / 1000),
            None => " ".repeat(12),
        };
        text += &match line.hits {
            Some(hits) if hits > 0 => format!(" found {hits}"),
            Some(_) | None => String::new(),
        };
        if line.errno != 0 {
            text += &format!(" error {}", line.errno);
        }
        Ok(format!("{text} [{}]\n", line.command))
    }
}

/// Prints a note for the person at the terminal.
fn note(text: &str) {
    // If nobody reads it, that is no failure.
    let _ = io::Write::write_all(&mut io::stderr(), format!("imgrement: {text}\n").as_bytes());
}
