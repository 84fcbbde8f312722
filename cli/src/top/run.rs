// SPDX-License-Identifier: GPL-2.0

//! Reads, counts, draws and listens to the keys, in turn.

use super::{
    batch,
    figures::{
        Figures,
        Watched, //
    },
    screen,
    source::Source,
    terminal::{
        is_there,
        Screen, //
    },
    view::{
        View,
        Wish, //
    },
    window::{
        Totals,
        Window, //
    },
};
use crate::{
    clock::{
        monotonic,
        since_1970, //
    },
    dm::Control,
    failure::Failure,
    output::print,
    report::text::date,
    target::{
        all,
        named, //
    },
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
use signal_hook::{
    consts::{
        SIGCONT,
        SIGHUP,
        SIGINT,
        SIGTERM,
        SIGWINCH, //
    },
    flag,
};
use std::{
    io,
    sync::{
        atomic::{
            AtomicBool,
            Ordering, //
        },
        Arc, //
    },
};

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1000 * MILLISECOND;

/// How often the buffers are read, in nanoseconds. They are full after a fraction of a second.
const READ: u64 = 50 * MILLISECOND;

/// New figures are not drawn more often than that.
pub(crate) const DRAW: u64 = 250 * MILLISECOND;

/// How many slices an interval has at most.
const SLICES: u64 = 20;

/// What is asked for.
pub(crate) struct Wanted {
    /// The devices; none for all.
    pub(crate) names: Vec<String>,
    /// In nanoseconds.
    pub(crate) interval: u64,
    /// How many intervals, if there is an end.
    pub(crate) count: Option<u64>,
    /// Text, even on a terminal.
    pub(crate) batch: bool,
}

/// Runs until a person has seen enough.
pub(crate) fn run(wanted: &Wanted) -> Result<(), Failure> {
    let control = Control::open()?;
    let mut targets = Vec::new();
    if wanted.names.is_empty() {
        targets = all(&control)?;
    }
    for name in &wanted.names {
        targets.extend(named(&control, name)?);
    }
    if targets.is_empty() {
        return Err(
            Failure::new("nothing is attached, so there is nothing to watch")
                .next("To attach a disk: imgrement attach DEVICE"),
        );
    }
    let signals = Signals::listen()?;
    let follow = wanted.names.is_empty();
    let source = Source::new(&targets, follow)?;
    let batch = wanted.batch || !is_there();
    let slices = match batch {
        true => 1,
        false => (wanted.interval / DRAW).clamp(1, SLICES),
    };
    let began = monotonic();
    let top = Top {
        control,
        source,
        window: Window::new(began, wanted.interval / slices, slices),
        signals,
        ends: wanted
            .count
            .map(|count| began.saturating_add(count.saturating_mul(wanted.interval))),
        follow,
        looked: began,
    };
    match batch {
        true => top.print(),
        false => top.show(),
    }
}

/// The signals that have come.
struct Signals {
    ended: Arc<AtomicBool>,
    resized: Arc<AtomicBool>,
    continued: Arc<AtomicBool>,
}

impl Signals {
    fn listen() -> Result<Self, Failure> {
        let signals = Self {
            ended: Arc::default(),
            resized: Arc::default(),
            continued: Arc::default(),
        };
        let register = |signal, flag: &Arc<AtomicBool>| {
            flag::register(signal, Arc::clone(flag))
                .map_err(|error| Failure::new(format_args!("cannot handle signals: {error}")))
        };
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            register(signal, &signals.ended)?;
        }
        register(SIGWINCH, &signals.resized)?;
        register(SIGCONT, &signals.continued)?;
        Ok(signals)
    }
}

/// All that goes on.
struct Top {
    control: Control,
    source: Source,
    window: Window,
    signals: Signals,
    /// When it is to end.
    ends: Option<u64>,
    /// New devices are watched, too.
    follow: bool,
    /// When the devices were looked at.
    looked: u64,
}

/// Why waiting has ended.
enum Woken {
    /// The time is over, or a signal came.
    Time,
    /// There are keys, or the other end is gone.
    Ready,
}

impl Top {
    /// Counts what has happened, and returns the time up to which.
    fn read(&mut self) -> Result<u64, Failure> {
        let time = monotonic();
        self.source.read(time, &mut self.window)?;
        if time.saturating_sub(self.looked) >= SECOND {
            self.looked = time;
            if self.follow {
                // Without them, the others are still worth watching.
                self.source.follow(&all(&self.control).unwrap_or_default());
            }
        }
        Ok(time)
    }

    /// The devices as they are now. Fails if all are gone.
    fn watched(&mut self) -> Result<Vec<Watched>, Failure> {
        self.source.look();
        let watched = self.source.watched();
        if watched.iter().any(|watched| !watched.removed) {
            return Ok(watched);
        }
        let names: Vec<_> = watched
            .iter()
            .map(|watched| watched.name.as_str())
            .collect();
        let were = match names.len() {
            1 => "was",
            _ => "were",
        };
        Err(
            Failure::new(format_args!("{} {were} removed", names.join(", ")))
                .next("To list the devices: imgrement list"),
        )
    }

    fn over(&self, time: u64) -> bool {
        self.signals.ended.load(Ordering::Relaxed) || self.ends.is_some_and(|end| time >= end)
    }

    /// Prints text, once an interval.
    fn print(mut self) -> Result<(), Failure> {
        let mut next = self.window.next(monotonic());
        loop {
            let time = self.read()?;
            if time >= next {
                next = self.window.next(time);
                let watched = self.watched()?;
                let totals = self.window.totals(time);
                let figures = Figures::new(&totals, &watched, &View::default());
                print(&batch::text(&figures, &date(since_1970())))?;
            }
            if self.over(time) {
                return Ok(());
            }
            // Nothing is expected of the output, so it is ready only if nobody reads it any more.
            let output = io::stdout();
            let mut output = [PollFd::new(&output, PollFlags::empty())];
            if let Woken::Ready = wait(&mut output, next.saturating_sub(monotonic()).min(READ))? {
                return Ok(());
            }
        }
    }

    /// Draws, and listens to the keys.
    fn show(mut self) -> Result<(), Failure> {
        let mut screen = Screen::enter()?;
        let mut view = View::default();
        let mut shown = (Totals::default(), self.watched()?);
        let mut next = self.window.next(monotonic());
        let mut changed = true;
        loop {
            let time = self.read()?;
            if time >= next {
                next = self.window.next(time).max(time.saturating_add(DRAW / 2));
                let watched = self.watched()?;
                if !view.paused {
                    shown = (self.window.totals(time), watched);
                    changed = true;
                }
            }
            if self.signals.continued.swap(false, Ordering::Relaxed) {
                screen.enter_again()?;
                changed = true;
            }
            changed |= self.signals.resized.swap(false, Ordering::Relaxed);
            if self.over(time) {
                return Ok(());
            }
            if changed {
                changed = false;
                let figures = Figures::new(&shown.0, &shown.1, &view);
                if let Some(list) = screen::list(view.page, &figures) {
                    view.above = view.above.min(list.lines.len().saturating_sub(1));
                }
                let colors = screen.colors;
                screen.draw(|buffer| screen::draw(buffer, &figures, &view, colors))?;
            }
            let input = io::stdin();
            let mut input = [PollFd::new(&input, PollFlags::IN)];
            if let Woken::Time = wait(&mut input, next.saturating_sub(monotonic()).min(READ))? {
                continue;
            }
            // The terminal is gone.
            let Some(keys) = screen.keys() else {
                return Ok(());
            };
            for key in keys {
                match view.key(key) {
                    Wish::Draw => changed = true,
                    Wish::Quit => return Ok(()),
                    Wish::Suspend => {
                        screen.suspend()?;
                        changed = true;
                    }
                }
            }
        }
    }
}

/// Waits for something to be ready, at most so many nanoseconds.
fn wait(files: &mut [PollFd<'_>], nanoseconds: u64) -> Result<Woken, Failure> {
    let timeout = Timespec {
        tv_sec: 0,
        // Less than a second: see `READ`.
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    };
    match poll(files, Some(&timeout)) {
        Ok(0) | Err(Errno::INTR) => Ok(Woken::Time),
        Ok(_) => Ok(Woken::Ready),
        Err(error) => Err(Failure::new(format_args!("cannot wait: {error}"))),
    }
}
