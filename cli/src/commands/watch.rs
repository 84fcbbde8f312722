// SPDX-License-Identifier: GPL-2.0

//! `imgrement watch`.

use crate::{
    dm::Control,
    failure::Failure,
    filter::{
        Filter,
        Subject, //
    },
    output::{
        fit,
        note,
        print,
        width, //
    },
    recording::row::op_name,
    target::named,
    trace::{
        Event,
        Instance,
        Seen, //
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

/// For how many requests in flight it is remembered what `request` said.
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
  imgrement watch imgrement-sdb --op write,discard --range 1M-2M
  imgrement watch imgrement-sdb --match --size 64K-
  imgrement watch imgrement-sdb --latency 10ms --json | jq .command

For people, a line has the seconds since the start of the machine, the op, the sector, the bytes, the latency, how many
occurrences of patterns were found when it was sent on, and the command. docs/events.md explains these. On a terminal,
a line that is too wide is cut.")]
pub(crate) struct Watch {
    /// The name of the device, or its path
    name: String,

    /// Print JSON, one object in a line
    #[arg(long)]
    json: bool,

    /// End after N requests
    #[arg(long, value_name = "N")]
    count: Option<u64>,

    #[command(flatten)]
    filter: Filter,
}

/// What `request` says of a request in flight.
#[derive(Clone, Copy)]
struct Begin {
    hits: u64,
    pid: u32,
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
    /// The same.
    pid: Option<u32>,
    command: String,
}

/// The fields that are read.
struct Fields {
    request_id: Field,
    request_hits: Field,
    request_pid: Field,
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
            request_pid: field(REQUEST, "common_pid")?,
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

    /// Reads a `request`: its id, and what it says. `None` if it is too short.
    fn begin(&self, event: &Event<'_>) -> Option<(u64, Begin)> {
        let number = |field: &Field| field.number(event.bytes);
        let begin = Begin {
            hits: number(&self.request_hits)?,
            pid: u32::try_from(number(&self.request_pid)?).ok()?,
        };
        Some((number(&self.request_id)?, begin))
    }

    /// Reads a `complete`, if it is one that the filter takes; `None` also if it is too short.
    fn line(&self, event: &Event<'_>, begin: Option<Begin>, filter: &Filter) -> Option<Line> {
        let number = |field: &Field| field.number(event.bytes);
        let op = u8::try_from(number(&self.op)?).ok().and_then(Op::from_code);
        let subject = Subject {
            op,
            sector: number(&self.sector)?,
            bytes: number(&self.bytes)?,
            pid: begin.map(|begin| begin.pid),
            hits: begin.map(|begin| begin.hits),
            latency: number(&self.latency).filter(|latency| *latency > 0),
        };
        if !filter.takes(&subject) {
            return None;
        }
        Some(Line {
            time: event.time,
            id: number(&self.id)?,
            op: op_name(op.unwrap_or(Op::Other)),
            flags: number(&self.flags)?,
            sector: subject.sector,
            bytes: subject.bytes,
            errno: number(&self.errno)?,
            latency: subject.latency,
            hits: subject.hits,
            pid: subject.pid,
            command: Escaped(self.command.text(event.bytes)?).to_string(),
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
        let mut instance = Instance::new(&[device.number], &KINDS)?;
        let fields = Fields::find(&instance)?;
        let mut begins = HashMap::new();
        let (mut left, mut lost) = (self.count.unwrap_or(u64::MAX), 0);

        note(&format!("watching {}; Ctrl-C ends it", device.name));
        loop {
            let last = ended.load(Ordering::Relaxed);
            let mut text = String::new();
            // The person may have changed it.
            let width = width();
            instance.in_order(last, |seen| {
                let Seen::Event(event) = seen else {
                    return Ok(());
                };
                if event.kind == REQUEST {
                    if let Some((id, begin)) = fields.begin(&event) {
                        // So many can only be left if completions were lost.
                        if begins.len() >= IN_FLIGHT {
                            begins.clear();
                        }
                        begins.insert(id, begin);
                    }
                    return Ok(());
                }
                let id = fields.id.number(event.bytes);
                let begin = id.and_then(|id| begins.remove(&id));
                if left == 0 {
                    return Ok(());
                }
                if let Some(line) = fields.line(&event, begin, &self.filter) {
                    text.push_str(&self.show(&line, width)?);
                    left -= 1;
                }
                Ok(())
            })?;
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
    fn show(&self, line: &Line, width: Option<usize>) -> Result<String, Failure> {
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
        Ok(fit(&text, &line.command, width) + "\n")
    }
}
