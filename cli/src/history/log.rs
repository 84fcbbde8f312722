// SPDX-License-Identifier: GPL-2.0

//! A log: one log device, or several of which each goes on where the one before ended.
//!
//! To open it, only the headers of batches are read, and the batches at which sessions begin and end. [`Log::read`] reads
//! the entries, and checks each batch as a whole.
//!
//! A log ends where no batch follows. After a crash, and while a target writes, its last batches may be torn; that is no
//! damage. It is damage if a batch is broken that the superblock says is whole, or that so many follow that they cannot
//! all have been on their way at the same time.

use super::{
    ahead::Ahead,
    checksum::Xxh64,
    source::{
        Source,
        Window,
        STEP, //
    }, //
};
use crate::{
    failure::Failure,
    progress::Progress, //
};
use imgrement_core::history::{
    batch::{
        Header,
        HEADER,
        LENGTH_MAX, //
    },
    entry::{
        Begin,
        End,
        Entries,
        Entry,
        Kind, //
    },
    scan::{
        Body,
        Tail, //
    },
    staging::BUFFERS_MAX,
    superblock::{
        LogId,
        NoSuperblock,
        State,
        Superblock,
        SIZE, //
    },
};
use std::{
    collections::VecDeque,
    fmt, io,
    path::{
        Path,
        PathBuf, //
    },
    thread,
};

/// How much is read at a time where only headers are wanted.
const HEADER_STEP: usize = 16 << 10;

/// The id of no log.
const NO_LOG: LogId = [0; 16];

/// A log device, or a copy of one.
#[derive(Debug)]
pub(crate) struct Device {
    source: Source,
    /// Its superblock.
    pub(crate) superblock: Superblock,
    /// The position after its last batch.
    pub(crate) end: u64,
}

/// One activation of the target.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The position of its first entry, [`Kind::Begin`].
    pub(crate) start: u64,
    /// The position after its last batch.
    pub(crate) end: u64,
    /// What its first entry says.
    pub(crate) begin: Begin,
    /// The monotonic time of its first entry.
    pub(crate) began: u64,
    /// The monotonic time of its last batch.
    pub(crate) last: u64,
    /// Why it ended; `None` if it has no end: it goes on, or there was a crash.
    pub(crate) ended: Option<End>,
    /// How many batches it has.
    pub(crate) batches: u64,
}

impl Session {
    /// Nanoseconds since 1970, for a time of the monotonic clock in this session.
    pub(crate) fn real_time(&self, monotonic: u64) -> i64 {
        let began = i64::try_from(self.begin.real_time).unwrap_or(i64::MAX);
        let passed = i128::from(monotonic) - i128::from(self.began);
        began.saturating_add(i64::try_from(passed).unwrap_or(0))
    }
}

/// A place in a log that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    path: PathBuf,
    /// Its position.
    pub(crate) position: u64,
    /// Its offset on the device.
    offset: u64,
    what: &'static str,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} at byte {}, position {}",
            self.path.display(),
            self.what,
            self.offset,
            self.position
        )
    }
}

impl Flaw {
    /// The failure with which a command ends that has used the rest of the log.
    pub(crate) fn failure(&self) -> Failure {
        Failure::new("the log is damaged; only what comes before the damage was used").next(self)
    }
}

/// A log.
#[derive(Debug)]
pub(crate) struct Log {
    devices: Vec<Device>,
    sessions: Vec<Session>,
    flaw: Option<Flaw>,
}

/// A batch on a device.
#[derive(Clone, Copy)]
struct Place {
    header: Header,
    offset: u64,
}

impl Log {
    /// Opens log devices, or copies of them, in the order in which they were used.
    pub(crate) fn open(paths: &[PathBuf]) -> Result<Self, Failure> {
        let mut log = Self {
            devices: Vec::new(),
            sessions: Vec::new(),
            flaw: None,
        };
        let mut next = None;
        for path in paths {
            let source = Source::open(path)?;
            let mut window = Window::default();
            let superblock = superblock(&source, &mut window)?;
            log.follows(&superblock, path)?;
            let number = match next {
                Some(number) => number,
                None => first_number(&source, &mut window, &superblock)?,
            };
            let last = paths.last() == Some(path);
            let mut walk = Walk {
                source: &source,
                superblock: &superblock,
                window,
                tail: Tail::first_of(&superblock, number),
                sessions: Vec::new(),
                latest: VecDeque::new(),
                flaw: None,
            };
            walk.go(log.sessions.last())?;
            let flaw = walk.flaw.take();
            let tail = walk.tail.next();
            log.sessions.append(&mut walk.sessions);
            log.devices.push(Device {
                source,
                superblock,
                end: tail.position,
            });
            next = Some(tail.number);
            if flaw.is_some() {
                log.flaw = flaw;
                // What comes on the next device is not connected to what was read.
                if !last {
                    return Err(log.flaw.as_ref().map_or_else(
                        || Failure::new("the log is damaged"),
                        |flaw| {
                            Failure::new(
                                "the log is damaged, so the next one cannot go on where it ends",
                            )
                            .next(flaw)
                            .next("Give only the logs up to the damaged one, or from the next one on.")
                        },
                    ));
                }
            }
        }
        Ok(log)
    }

    /// Fails unless a device goes on where the last one ended.
    fn follows(&self, superblock: &Superblock, path: &Path) -> Result<(), Failure> {
        let Some(before) = self.devices.last() else {
            return Ok(());
        };
        if superblock.previous == before.superblock.id && superblock.first_position == before.end {
            return Ok(());
        }
        Err(Failure::new(format_args!(
            "{} is not the log that follows {}",
            path.display(),
            before.source.path().display()
        ))
        .next("Give the logs in the order in which they were used. What each follows: imgrement history info LOG"))
    }

    /// Whether this is another log as it was earlier, with what has come since.
    pub(crate) fn goes_on(&self, earlier: &Self) -> bool {
        let ids = |log: &Self| -> Vec<LogId> {
            log.devices
                .iter()
                .map(|device| device.superblock.id)
                .collect()
        };
        ids(self).starts_with(&ids(earlier)) && self.end() >= earlier.end()
    }

    /// The log devices.
    pub(crate) fn devices(&self) -> &[Device] {
        &self.devices
    }

    /// The sessions, in the order of their positions.
    pub(crate) fn sessions(&self) -> &[Session] {
        &self.sessions
    }

    /// What is damaged: the log is read up to there.
    pub(crate) fn flaw(&self) -> Option<&Flaw> {
        self.flaw.as_ref()
    }

    /// Whether the last session has ended, and all that it wrote is in the log.
    pub(crate) fn is_closed(&self) -> bool {
        self.superblock()
            .is_some_and(|superblock| superblock.state == State::Closed)
    }

    /// The superblock of the last device.
    pub(crate) fn superblock(&self) -> Option<&Superblock> {
        self.devices.last().map(|device| &device.superblock)
    }

    /// The length of the target, in sectors.
    pub(crate) fn sectors(&self) -> u64 {
        self.superblock().map_or(0, |superblock| superblock.sectors)
    }

    /// The position of the first batch.
    pub(crate) fn begin(&self) -> u64 {
        self.devices.first().map_or(0, Device::first)
    }

    /// The position after the last batch.
    pub(crate) fn end(&self) -> u64 {
        self.devices.last().map_or(0, |device| device.end)
    }

    /// The device on which a position is.
    pub(crate) fn device_of(&self, position: u64) -> Option<(usize, &Device)> {
        let index = self
            .devices
            .partition_point(|device| device.superblock.first_position <= position)
            .checked_sub(1)?;
        Some((index, self.devices.get(index)?))
    }

    /// The session in which a position is: the last that begins there or before.
    pub(crate) fn session_of(&self, position: u64) -> Option<(usize, &Session)> {
        let index = self
            .sessions
            .partition_point(|session| session.start <= position)
            .checked_sub(1)?;
        Some((index, self.sessions.get(index)?))
    }

    /// Passes each entry of the batches from position `from` on to `each`, with its session, until it returns false. A
    /// batch that is broken is the end of the log from now on.
    pub(crate) fn read(
        &mut self,
        from: u64,
        mut each: impl FnMut(&Session, Entry<'_>) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut progress = Progress::of_size(self.end().saturating_sub(from.max(self.begin())));
        let mut session = self.session_of(from).map_or(0, |(index, _)| index);

        let broken = thread::scope(|scope| {
            let ahead = Ahead::start(scope, &self.devices, from)?;
            for device in &self.devices {
                let mut position = device.first().max(from);
                while position < device.end {
                    let mut batches = ahead.next()?;
                    while position < batches.end {
                        let flaw = |what| Ok(Some(device.flaw(position, what)));
                        let (header, body) = match device.batch(&mut batches.window, position)? {
                            Ok(batch) => batch,
                            Err(what) => return flaw(what),
                        };
                        for entry in Entries::new(body, position.saturating_add(HEADER as u64)) {
                            let Some(entry) = entry.ok().filter(is_sound) else {
                                return flaw("a batch has an entry that is not understood");
                            };
                            while self
                                .sessions
                                .get(session.saturating_add(1))
                                .is_some_and(|next| next.start <= entry.header.position)
                            {
                                session = session.saturating_add(1);
                            }
                            let Some(session) = self.sessions.get(session) else {
                                return Ok(None);
                            };
                            if !each(session, entry)? {
                                return Ok(None);
                            }
                        }
                        let room = header.room(device.superblock.block_size);
                        position = position.saturating_add(room);
                        progress.at(position.saturating_sub(from));
                    }
                    ahead.done(batches);
                }
            }
            Ok::<_, Failure>(None)
        })?;
        if let Some(flaw) = broken {
            self.cut(flaw);
        }
        Ok(())
    }

    /// Ends the log at a damaged place.
    fn cut(&mut self, flaw: Flaw) {
        let end = flaw.position;
        self.devices
            .retain(|device| device.superblock.first_position < end);
        if let Some(device) = self.devices.last_mut() {
            device.end = end;
        }
        self.sessions.retain(|session| session.start < end);
        if let Some(session) = self.sessions.last_mut().filter(|session| session.end > end) {
            session.end = end;
            session.ended = None;
        }
        self.flaw = Some(flaw);
    }
}

impl Device {
    /// Its bytes.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// The position of its first batch.
    pub(super) fn first(&self) -> u64 {
        let block = u64::from(self.superblock.block_size);
        self.superblock.first_position.saturating_add(block)
    }

    /// The offset of a position on it.
    pub(crate) fn offset_of(&self, position: u64) -> u64 {
        self.superblock.offset_of(position).unwrap_or(0)
    }

    /// The header and the body of the batch at a position, or what is wrong with it. What is not in the window is read.
    fn batch<'w>(
        &self,
        window: &'w mut Window,
        position: u64,
    ) -> Result<Result<(Header, &'w [u8]), &'static str>, Failure> {
        let failed = |error: io::Error| self.source.failed(&error);
        let offset = self.offset_of(position);
        let header = header_at(&self.source, window, offset, STEP).map_err(failed)?;
        let Some(header) = header.filter(|header| header.position == position) else {
            return Ok(Err("the header of a batch is broken"));
        };
        let body = body_of(&self.source, window, Place { header, offset }).map_err(failed)?;
        Ok(match body {
            Some(body) => Ok((header, body)),
            None => Err("a batch is broken"),
        })
    }

    fn flaw(&self, position: u64, what: &'static str) -> Flaw {
        Flaw {
            path: self.source.path().to_owned(),
            position,
            offset: self.offset_of(position),
            what,
        }
    }
}

/// Whether what an entry says about its session is possible, if it is the first.
fn is_sound(entry: &Entry<'_>) -> bool {
    entry.header.kind != Kind::Begin || begin_of(entry).is_some()
}

/// What an entry says about its session, if it is the first.
fn begin_of(entry: &Entry<'_>) -> Option<Begin> {
    match entry.header.kind {
        Kind::Begin => Begin::decode(entry.payload.try_into().ok()?),
        Kind::End
        | Kind::Write
        | Kind::Base
        | Kind::Discard
        | Kind::WriteZeroes
        | Kind::SecureErase
        | Kind::Flush
        | Kind::Mark
        | Kind::Completions
        | Kind::Gap => None,
    }
}

/// Reads the superblock.
fn superblock(source: &Source, window: &mut Window) -> Result<Superblock, Failure> {
    let path = source.path().display();
    let bytes = window
        .get(source, 0, SIZE, HEADER_STEP)
        .map_err(|error| source.failed(&error))?;
    let Ok(block) = bytes.try_into() else {
        return Err(no_log(source, "it is too small"));
    };
    Superblock::decode::<Xxh64>(block).map_err(|why| match why {
        NoSuperblock::Empty => no_log(source, "its first block is zero"),
        NoSuperblock::Foreign => no_log(source, "its first block is something else"),
        NoSuperblock::Version(version) => Failure::new(format_args!(
            "cannot read {path}: its format is version {version}, which this command does not know"
        ))
        .next("Use a later version of the command."),
        NoSuperblock::Damaged => {
            Failure::new(format_args!("{path}: the superblock of the log is damaged"))
                .next("Nothing of it can be used safely. If there is a copy of the log, use that.")
        }
    })
}

fn no_log(source: &Source, why: &str) -> Failure {
    Failure::new(format_args!(
        "{} is not the log of a history: {why}",
        source.path().display()
    ))
    .next("Give the device that was given to `attach --history`, a copy of it, or the name of an attached device.")
}

/// The number of the first batch of a device that is the first that was given.
fn first_number(
    source: &Source,
    window: &mut Window,
    superblock: &Superblock,
) -> Result<u64, Failure> {
    if superblock.previous == NO_LOG {
        return Ok(0);
    }
    let header = header_at(
        source,
        window,
        u64::from(superblock.block_size),
        HEADER_STEP,
    )
    .map_err(|error| source.failed(&error))?;
    Ok(header.map_or(0, |header| header.number))
}

/// The header of a batch at an offset, if there is one.
fn header_at(
    source: &Source,
    window: &mut Window,
    offset: u64,
    step: usize,
) -> io::Result<Option<Header>> {
    let bytes = window.get(source, offset, HEADER, step)?;
    Ok(bytes.try_into().ok().and_then(Header::decode::<Xxh64>))
}

/// The bytes after the header of a batch, if they are whole.
fn body_of<'w>(
    source: &Source,
    window: &'w mut Window,
    place: Place,
) -> io::Result<Option<&'w [u8]>> {
    let header = &place.header;
    let bytes = window.get(source, place.offset, header.length as usize, STEP)?;
    let body = bytes.get(HEADER..).unwrap_or_default();
    let mut check = Body::<Xxh64>::of(header);
    check.update(body);
    Ok(Some(body).filter(|_| check.is_whole()))
}

/// Goes from header to header through a device.
struct Walk<'a> {
    source: &'a Source,
    superblock: &'a Superblock,
    window: Window,
    tail: Tail,
    sessions: Vec<Session>,
    /// The latest batches: so many can have been on their way at the same time, and one more.
    latest: VecDeque<Place>,
    flaw: Option<Flaw>,
}

impl Walk<'_> {
    /// Goes to the end. `before` is the last session of the device before.
    fn go(&mut self, before: Option<&Session>) -> Result<(), Failure> {
        let failed = |error: io::Error| self.source.failed(&error);
        let scan = self.superblock.scan.position;
        let closed = self.superblock.state == State::Closed;

        loop {
            let position = self.tail.next().position;
            if closed && position >= scan {
                break;
            }
            let place = self.next().map_err(failed)?;
            let Some(place) = place.filter(|place| {
                before.is_none_or(|before| place.header.session > before.begin.session)
            }) else {
                self.stop(position).map_err(failed)?;
                break;
            };
            if place.header.first && !self.begin(place).map_err(failed)? {
                self.stop(position).map_err(failed)?;
                break;
            }
            if !self.tail.pass(&place.header) {
                break;
            }
            let end = self.tail.next().position;
            if let Some(session) = self.sessions.last_mut() {
                session.end = end;
                session.last = place.header.time;
                session.batches = session.batches.saturating_add(1);
            }
            self.latest.push_back(place);
            if self.latest.len() > BUFFERS_MAX + 1 {
                self.latest.pop_front();
            }
        }
        self.torn().map_err(failed)?;
        self.end_session().map_err(failed)
    }

    /// The batch that follows, if there is one. Its body has not been read.
    fn next(&mut self) -> io::Result<Option<Place>> {
        let position = self.tail.next().position;
        let Some(offset) = self.superblock.offset_of(position) else {
            return Ok(None);
        };
        let header = header_at(self.source, &mut self.window, offset, HEADER_STEP)?;
        Ok(header
            .filter(|header| {
                let end = offset.saturating_add(u64::from(header.length));
                self.tail.is_followed_by(header) && end <= self.source.size()
            })
            .map(|header| Place { header, offset }))
    }

    /// A session begins with this batch. Returns whether it does.
    fn begin(&mut self, place: Place) -> io::Result<bool> {
        self.end_session()?;
        let Some(body) = body_of(self.source, &mut self.window, place)? else {
            return Ok(false);
        };
        let start = place.header.position.saturating_add(HEADER as u64);
        let first = Entries::new(body, start).next().and_then(Result::ok);
        let begin = first.and_then(|entry| Some((begin_of(&entry)?, entry.header)));
        let Some((begin, header)) =
            begin.filter(|(begin, _)| begin.session == place.header.session)
        else {
            return Ok(false);
        };
        self.sessions.push(Session {
            start: header.position,
            end: header.position,
            begin,
            began: header.time,
            last: header.time,
            ended: None,
            batches: 0,
        });
        Ok(true)
    }

    /// The last session ends with the latest batch.
    fn end_session(&mut self) -> io::Result<()> {
        let (Some(session), Some(place)) = (self.sessions.last_mut(), self.latest.back()) else {
            return Ok(());
        };
        let Some(body) = body_of(self.source, &mut self.window, *place)? else {
            return Ok(());
        };
        let start = place.header.position.saturating_add(HEADER as u64);
        let last = Entries::new(body, start).filter_map(Result::ok).last();
        session.ended = last
            .filter(|entry| entry.header.kind == Kind::End)
            .and_then(|entry| End::from_code(entry.header.detail));
        Ok(())
    }

    /// No batch follows at this position. Finds out whether that is damage.
    fn stop(&mut self, position: u64) -> io::Result<()> {
        if position < self.superblock.scan.position {
            self.flaw = Some(self.flaw(position, "the header of a batch is broken"));
            return Ok(());
        }
        let Some(offset) = self.superblock.offset_of(position) else {
            return Ok(());
        };
        // The missing one was hardly much longer than those before.
        let longest = self.latest.iter().map(|place| place.header.length).max();
        let far = longest.map_or(LENGTH_MAX, |longest| longest.saturating_mul(4).max(1 << 20));
        let block = u64::from(self.superblock.block_size);
        let mut window = Window::default();
        let mut at = offset.saturating_add(block);
        let mut beyond = 0;
        let mut wanted = self.tail.next().number.saturating_add(1);
        let far = offset.saturating_add(u64::from(far));
        while at < self.source.size() && (at <= far || beyond > 0) {
            let next = self.tail.next();
            let header = header_at(self.source, &mut window, at, STEP)?.filter(|header| {
                self.superblock.offset_of(header.position) == Some(at)
                    && header.id == self.superblock.id
                    && header.session >= next.session
                    && header.number >= wanted
            });
            match header {
                Some(header) => {
                    beyond = header.number.saturating_sub(next.number);
                    if beyond >= BUFFERS_MAX as u64 {
                        self.flaw = Some(self.flaw(position, "the header of a batch is broken"));
                        break;
                    }
                    wanted = header.number.saturating_add(1);
                    at = at.saturating_add(header.room(self.superblock.block_size));
                }
                None if beyond > 0 => break,
                None => at = at.saturating_add(block),
            }
        }
        Ok(())
    }

    /// The latest batches may be torn: goes back to before the first that is.
    fn torn(&mut self) -> io::Result<()> {
        let mut places = std::mem::take(&mut self.latest).into_iter();
        while let Some(place) = places.next() {
            if body_of(self.source, &mut self.window, place)?.is_some() {
                self.latest.push_back(place);
                continue;
            }
            let position = place.header.position;
            // With those that follow, so many cannot have been on their way.
            let number = self.tail.next().number.saturating_sub(place.header.number);
            if position < self.superblock.scan.position || number > BUFFERS_MAX as u64 {
                self.flaw = Some(self.flaw(position, "a batch is broken"));
            }
            self.tail = Tail::of(&Superblock {
                scan: imgrement_core::history::superblock::ScanFrom {
                    position,
                    number: place.header.number,
                    session: self
                        .latest
                        .back()
                        .map_or(place.header.session, |last| last.header.session),
                },
                ..self.superblock.clone()
            });
            self.sessions.retain(|session| session.start < position);
            if let Some(session) = self.sessions.last_mut() {
                let own = |other: &Place| other.header.session == session.begin.session;
                let gone = std::iter::once(place).chain(places).filter(own).count();
                session.end = position;
                session.batches = session.batches.saturating_sub(gone as u64);
                if let Some(last) = self.latest.back() {
                    session.last = last.header.time;
                }
            }
            break;
        }
        Ok(())
    }

    fn flaw(&self, position: u64, what: &'static str) -> Flaw {
        Flaw {
            path: self.source.path().to_owned(),
            position,
            offset: self.superblock.offset_of(position).unwrap_or(0),
            what,
        }
    }
}
