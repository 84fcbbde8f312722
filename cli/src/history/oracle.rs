// SPDX-License-Identifier: GPL-2.0

//! The rules of `sweep.rs`, slow and obvious: for one sector, from a list of all entries. And a disk that knows what it
//! held at each position, whose log is made meanwhile.

use super::{
    copy::{
        copy,
        Part, //
    },
    index::notes,
    log::Log,
    make::Maker,
    point::Spec,
    source::Source,
    state::{
        Image,
        Question,
        State, //
    },
    sweep::{
        Origin,
        Reason, //
    },
};
use imgrement_core::history::{
    entry::{
        Bases,
        Begin,
        End,
        Gap,
        Header,
        Kind,
        Note, //
    },
    superblock, //
};
use proptest::prelude::*;
use std::{
    io::Cursor,
    path::{
        Path,
        PathBuf, //
    },
    sync::atomic::{
        AtomicU32,
        Ordering, //
    },
};

/// The sectors of the disk, and of a chunk.
const SECTORS: u64 = 40;
const CHUNK: u64 = 8;

/// A file that is removed.
pub(super) struct Temporary(pub(super) PathBuf);

impl Temporary {
    pub(super) fn new(bytes: &[u8]) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("imgrement-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }

    pub(super) fn paths(&self) -> &[PathBuf] {
        std::slice::from_ref(&self.0)
    }

    fn image(&self) -> Image {
        Image {
            source: Source::open(&self.0).unwrap(),
            offset: 0,
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// What a sector held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// Bytes of this value.
    Bytes(u8),
    Disk,
    Base,
    Unknown(Reason),
}

/// What the log says about a sector at a point, by the rules.
struct Oracle {
    entries: Vec<(Header, Vec<u8>)>,
    has_base: bool,
    has_disk: bool,
    assume_unchanged: bool,
}

impl Oracle {
    fn begin(entry: &(Header, Vec<u8>)) -> Option<Begin> {
        (entry.0.kind == Kind::Begin)
            .then(|| Begin::decode(entry.1.as_slice().try_into().unwrap()).unwrap())
    }

    /// The entries of the group of a point; whether it is the first, and the last.
    fn group(&self, point: u64) -> (&[(Header, Vec<u8>)], bool, bool) {
        let starts: Vec<usize> = (0..self.entries.len())
            .filter(|index| {
                let begin = Self::begin(&self.entries[*index]);
                *index == 0 || !self.assume_unchanged && begin.is_some_and(|begin| !begin.chained)
            })
            .collect();
        let own = starts
            .iter()
            .rposition(|start| self.entries[*start].0.position <= point)
            .unwrap_or(0);
        let end = starts.get(own + 1).copied().unwrap_or(self.entries.len());
        (
            &self.entries[starts[own]..end],
            own == 0,
            own + 1 == starts.len(),
        )
    }

    fn covers(header: &Header, sector: u64) -> bool {
        header.sector <= sector && sector < header.sector + header.bytes.div_ceil(512)
    }

    fn touches(header: &Header) -> bool {
        match header.kind {
            Kind::Write | Kind::WriteZeroes | Kind::Discard | Kind::SecureErase => true,
            Kind::Gap => header.detail & Gap::LATER != 0,
            Kind::Begin | Kind::End | Kind::Base | Kind::Flush | Kind::Mark | Kind::Completions => {
                false
            }
        }
    }

    fn has_failed(&self, position: u64) -> bool {
        self.entries
            .iter()
            .filter(|entry| entry.0.kind == Kind::Completions)
            .flat_map(|entry| notes(&entry.1))
            .any(|note| note.position == position && note.errno != 0)
    }

    fn answer(&self, point: u64, sector: u64) -> Answer {
        let (group, is_first, is_last) = self.group(point);
        let byte = |entry: &(Header, Vec<u8>)| {
            Answer::Bytes(entry.1[usize::try_from(sector - entry.0.sector).unwrap() * 512])
        };
        let here: Vec<_> = group
            .iter()
            .filter(|entry| Self::covers(&entry.0, sector))
            .collect();

        // 1. The last change before the point.
        let change = here
            .iter()
            .rev()
            .find(|entry| entry.0.position < point && Self::touches(&entry.0));
        if let Some(change) = change {
            let failed = self.has_failed(change.0.position);
            return match change.0.kind {
                Kind::Write | Kind::WriteZeroes if failed => Answer::Unknown(Reason::Failed),
                Kind::Write => byte(change),
                Kind::WriteZeroes => Answer::Bytes(0),
                Kind::Gap => Answer::Unknown(Reason::Gap),
                Kind::Discard | Kind::SecureErase => Answer::Unknown(Reason::Discarded),
                Kind::Begin
                | Kind::End
                | Kind::Base
                | Kind::Flush
                | Kind::Mark
                | Kind::Completions => panic!("{change:?} changes nothing"),
            };
        }
        // 2. The first that says what was there before, or that nothing is known of that.
        let mut gap = false;
        for entry in &here {
            if entry.0.kind == Kind::Base {
                return byte(entry);
            }
            gap |= entry.0.kind == Kind::Gap;
            if Self::touches(&entry.0) {
                // A gap that comes later may be about the time before, too.
                let before = |entry: &&&(Header, Vec<u8>)| {
                    entry.0.kind == Kind::Gap && entry.0.detail & Gap::BEFORE != 0
                };
                gap |= here.iter().any(|entry| before(&entry));
                return match is_first && self.has_base {
                    true => Answer::Base,
                    false if gap => Answer::Unknown(Reason::Gap),
                    false => Answer::Unknown(Reason::NoBase),
                };
            }
        }
        // 3. Unchanged in the group.
        let last = &self.entries.last().unwrap().0;
        let clean = last.kind == Kind::End && End::from_code(last.detail) == Some(End::Suspended);
        if is_first && self.has_base {
            Answer::Base
        } else if !is_last {
            Answer::Unknown(Reason::Hole)
        } else if !clean && !self.assume_unchanged {
            Answer::Unknown(Reason::NoEnd)
        } else if self.has_disk {
            Answer::Disk
        } else {
            Answer::Unknown(Reason::NoDisk)
        }
    }
}

/// What happens to the disk.
#[derive(Clone, Debug)]
enum Step {
    Write {
        sector: u64,
        count: u64,
        value: u8,
    },
    Zeroes {
        sector: u64,
        count: u64,
    },
    Discard {
        sector: u64,
        count: u64,
        secure: bool,
    },
    /// A write that is not in the log.
    Lost {
        sector: u64,
        count: u64,
        value: u8,
        before: bool,
    },
    /// A write whose base is not in the log.
    NoBase {
        sector: u64,
        count: u64,
        value: u8,
    },
    /// A write that fails, after it has written this many sectors.
    Fails {
        sector: u64,
        count: u64,
        value: u8,
        written: u64,
    },
    /// A base that another request has read earlier, of a chunk that is known.
    Late {
        chunk: u64,
        value: u8,
    },
    Mark,
    Seal,
    /// A reload.
    Reload {
        base: bool,
    },
    /// The disk is used without a history, after a clean end or a crash.
    Hole {
        base: bool,
        clean: bool,
        sector: u64,
        count: u64,
        value: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let range = || {
        (0..SECTORS, 1..20_u64).prop_map(|(sector, count)| (sector, count.min(SECTORS - sector)))
    };
    let value = || 1..=255_u8;
    prop_oneof![
        8 => (range(), value()).prop_map(|((sector, count), value)| Step::Write { sector, count, value }),
        2 => range().prop_map(|(sector, count)| Step::Zeroes { sector, count }),
        1 => (range(), any::<bool>())
            .prop_map(|((sector, count), secure)| Step::Discard { sector, count, secure }),
        1 => (range(), value(), any::<bool>())
            .prop_map(|((sector, count), value, before)| Step::Lost { sector, count, value, before }),
        1 => (range(), value()).prop_map(|((sector, count), value)| Step::NoBase { sector, count, value }),
        1 => (range(), value(), 0..20_u64).prop_map(|((sector, count), value, written)| {
            Step::Fails { sector, count, value, written: written.min(count) }
        }),
        2 => (0..SECTORS / CHUNK, value()).prop_map(|(chunk, value)| Step::Late { chunk, value }),
        1 => Just(Step::Mark),
        2 => Just(Step::Seal),
        1 => any::<bool>().prop_map(|base| Step::Reload { base }),
        1 => (any::<bool>(), any::<bool>(), range(), value()).prop_map(
            |(base, clean, (sector, count), value)| Step::Hole { base, clean, sector, count, value }
        ),
    ]
}

/// A disk with a history.
struct Disk {
    maker: Maker<Cursor<Vec<u8>>>,
    /// The value of each sector.
    now: Vec<u8>,
    /// The chunks that are known in this session, if it has bases.
    known: Option<Vec<bool>>,
    /// Whether a sector was touched in this group.
    touched: Vec<bool>,
    /// What the disk held at each position.
    truth: Vec<(u64, Vec<u8>)>,
    /// Whether something was written without a history.
    changed: bool,
    /// Requests whose failure is not noted yet.
    failed: Vec<u64>,
}

fn filled(value: u8, count: u64) -> Vec<u8> {
    vec![value; usize::try_from(count * 512).unwrap()]
}

impl Disk {
    fn new(base: bool) -> Self {
        let now = (0..SECTORS).map(|sector| 100 + u8::try_from(sector).unwrap());
        let mut disk = Self {
            maker: Maker::new(Cursor::new(Vec::new()), [7; 16], SECTORS, 4096),
            now: now.collect(),
            known: None,
            touched: vec![false; usize::try_from(SECTORS).unwrap()],
            truth: Vec::new(),
            changed: false,
            failed: Vec::new(),
        };
        disk.begin(base, false);
        disk
    }

    fn snap(&mut self) {
        self.truth.push((self.maker.head(), self.now.clone()));
    }

    fn begin(&mut self, base: bool, chained: bool) {
        let bases = if base { Bases::On } else { Bases::Off };
        let begin = self.maker.begin(bases, chained).unwrap();
        if !chained {
            self.touched.fill(false);
        }
        // That point is in the new session.
        self.truth.retain(|(position, _)| *position < begin);
        self.known = base.then(|| vec![false; usize::try_from(SECTORS / CHUNK).unwrap()]);
        self.snap();
    }

    /// The disk changes. The log says that it may have changed in the range.
    fn fill(&mut self, range: (u64, u64), count: u64, value: u8) {
        let start = usize::try_from(range.0).unwrap();
        let end = |count: u64| start + usize::try_from(count).unwrap();
        self.now[start..end(count)].fill(value);
        self.touched[start..end(range.1)].fill(true);
    }

    /// The bases of the chunks of a range that are not known. If they cannot be read, there is a gap.
    fn bases(&mut self, sector: u64, count: u64, lost: bool) {
        let chunks = sector / CHUNK..(sector + count).div_ceil(CHUNK);
        for chunk in chunks {
            let Some(known) = &mut self.known else { return };
            let known = &mut known[usize::try_from(chunk).unwrap()];
            if std::mem::replace(known, true) {
                continue;
            }
            if lost {
                let bytes = CHUNK * 512;
                self.maker
                    .entry(Kind::Gap, Gap::BEFORE, chunk * CHUNK, bytes, &[])
                    .unwrap();
            } else {
                let start = usize::try_from(chunk * CHUNK).unwrap();
                let held = &self.now[start..start + usize::try_from(CHUNK).unwrap()];
                let bytes: Vec<u8> = held.iter().flat_map(|value| [*value; 512]).collect();
                self.maker.base(chunk * CHUNK, &bytes).unwrap();
            }
            self.snap();
        }
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Write {
                sector,
                count,
                value,
            } => {
                self.bases(sector, count, false);
                self.maker.write(sector, &filled(value, count)).unwrap();
                self.fill((sector, count), count, value);
            }
            Step::Zeroes { sector, count } => {
                self.bases(sector, count, false);
                self.maker
                    .entry(Kind::WriteZeroes, 0, sector, count * 512, &[])
                    .unwrap();
                self.fill((sector, count), count, 0);
            }
            Step::Discard {
                sector,
                count,
                secure,
            } => {
                self.bases(sector, count, false);
                let kind = if secure {
                    Kind::SecureErase
                } else {
                    Kind::Discard
                };
                self.maker.entry(kind, 0, sector, count * 512, &[]).unwrap();
                self.fill((sector, count), count, 99);
            }
            Step::Lost {
                sector,
                count,
                value,
                before,
            } => {
                let detail = if before {
                    Gap::LATER | Gap::BEFORE
                } else {
                    Gap::LATER
                };
                if !before {
                    self.bases(sector, count, false);
                }
                // The gap is about whole chunks.
                let start = sector / CHUNK * CHUNK;
                let end = (sector + count).next_multiple_of(CHUNK);
                if before {
                    for known in self
                        .known
                        .iter_mut()
                        .flatten()
                        .skip(usize::try_from(start / CHUNK).unwrap())
                        .take(usize::try_from((end - start) / CHUNK).unwrap())
                    {
                        *known = true;
                    }
                }
                let (from, to) = if before {
                    (start, end)
                } else {
                    (sector, sector + count)
                };
                self.maker
                    .entry(Kind::Gap, detail, from, (to - from) * 512, &[])
                    .unwrap();
                let (start, end) = (usize::try_from(from).unwrap(), usize::try_from(to).unwrap());
                self.touched[start..end].fill(true);
                self.fill((sector, count), count, value);
            }
            Step::NoBase {
                sector,
                count,
                value,
            } => {
                self.bases(sector, count, true);
                self.maker.write(sector, &filled(value, count)).unwrap();
                self.fill((sector, count), count, value);
            }
            Step::Fails {
                sector,
                count,
                value,
                written,
            } => {
                self.bases(sector, count, false);
                let position = self.maker.write(sector, &filled(value, count)).unwrap();
                self.fill((sector, count), written, value);
                self.failed.push(position);
            }
            Step::Late { chunk, value } => {
                let known = self
                    .known
                    .as_ref()
                    .map(|known| known[usize::try_from(chunk).unwrap()]);
                if known == Some(true) {
                    // Where a write came in between, it may have read anything.
                    let bytes: Vec<u8> = (chunk * CHUNK..(chunk + 1) * CHUNK)
                        .map(|sector| usize::try_from(sector).unwrap())
                        .flat_map(|sector| {
                            let touched = self.touched[sector];
                            [if touched { value } else { self.now[sector] }; 512]
                        })
                        .collect();
                    self.maker.base(chunk * CHUNK, &bytes).unwrap();
                }
            }
            Step::Mark => {
                self.maker.mark("mark").unwrap();
            }
            Step::Seal => {
                self.note();
                self.maker.seal().unwrap();
            }
            Step::Reload { base } => {
                self.note();
                self.maker.end(End::Suspended).unwrap();
                self.begin(base, true);
            }
            Step::Hole {
                base,
                clean,
                sector,
                count,
                value,
            } => {
                self.note();
                if clean {
                    self.maker.end(End::Suspended).unwrap();
                }
                self.fill((sector, count), count, value);
                self.changed = true;
                self.begin(base, false);
            }
        }
        self.snap();
    }

    fn note(&mut self) {
        let notes: Vec<_> = self
            .failed
            .drain(..)
            .map(|position| Note {
                position,
                head: self.maker.head(),
                latency: 1,
                errno: 5,
            })
            .collect();
        if !notes.is_empty() {
            self.maker.notes(&notes).unwrap();
        }
    }
}

/// A log as a list of entries.
fn entries(path: &Path) -> Vec<(Header, Vec<u8>)> {
    let mut entries = Vec::new();
    let mut log = Log::open(&[path.to_owned()]).unwrap();
    let begin = log.begin();
    log.read(begin, |_, entry| {
        entries.push((entry.header, entry.payload.to_vec()));
        Ok(true)
    })
    .unwrap();
    assert_eq!(log.flaw(), None);
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What is said to be known is what the disk held. What is unknown is so by the rules.
    #[test]
    fn each_state_is_what_the_disk_held(
        first_base in any::<bool>(),
        steps in prop::collection::vec(step(), 1..40),
        clean in any::<bool>(),
        has_base in any::<bool>(),
        has_disk in any::<bool>(),
        assume_unchanged in any::<bool>(),
        points in prop::collection::vec(any::<prop::sample::Index>(), 4),
        part in prop::option::of((0..SECTORS, 1..SECTORS)),
    ) {
        let mut disk = Disk::new(first_base);
        let began = disk.now.clone();
        for step in &steps {
            disk.step(step);
        }
        disk.note();
        if clean {
            disk.maker.end(End::Suspended).unwrap();
        }
        disk.snap();
        let state = if clean { superblock::State::Closed } else { superblock::State::Open };
        let log = Temporary::new(disk.maker.finish(state).unwrap().get_ref());
        if !clean {
            // A write after the end of the log.
            disk.now[3] = 98;
            disk.changed = true;
        }
        let bytes = |values: &[u8]| -> Vec<u8> {
            values.iter().flat_map(|value| [*value; 512]).collect()
        };
        let now = Temporary::new(&bytes(&disk.now));
        let began = Temporary::new(&bytes(&began));

        let oracle = Oracle {
            entries: entries(&log.0),
            has_base,
            has_disk,
            assume_unchanged,
        };
        let sectors = part.map(|(start, count)| start..(start + count).min(SECTORS));
        for point in points {
            let (point, held) = point.get(&disk.truth);
            let log = Log::open(log.paths()).unwrap();
            let point = (*point).min(log.end());
            let question = Question {
                at: Spec::Position(point),
                sectors: sectors.clone(),
                assume_unchanged,
                base: has_base.then(|| began.image()),
                disk: has_disk.then(|| now.image()),
                live: false,
            };
            let state = State::find(log, question).unwrap();
            let range = state.sectors();
            let start = usize::try_from(range.start).unwrap();
            let end = usize::try_from(range.end).unwrap();

            let mut copied = vec![255; (end - start) * 512];
            let counts = copy(&state, |_| true, |at, part| {
                let at = usize::try_from(at).unwrap() - start * 512;
                match part {
                    Part::Bytes(bytes) => copied[at..at + bytes.len()].copy_from_slice(bytes),
                    Part::Zeroes(count) => copied[at..at + usize::try_from(count).unwrap()].fill(0),
                }
                Ok(())
            }).unwrap();
            let mut at = range.start;
            let mut unknown = 0;
            for segment in state.segments() {
                prop_assert_eq!(segment.sectors.start, at);
                prop_assert!(segment.sectors.start < segment.sectors.end);
                at = segment.sectors.end;
                for sector in segment.sectors.clone() {
                    let index = usize::try_from(sector).unwrap();
                    let value = copied[(index - start) * 512];
                    let wanted = oracle.answer(point, sector);
                    let answer = match segment.origin {
                        Origin::Log(_) => Answer::Bytes(value),
                        Origin::Zeroes => Answer::Bytes(0),
                        Origin::Disk => Answer::Disk,
                        Origin::Base => Answer::Base,
                        Origin::Unknown(reason) => Answer::Unknown(reason),
                    };
                    prop_assert_eq!(answer, wanted, "sector {} at {}", sector, point);
                    match answer {
                        Answer::Unknown(_) => {
                            unknown += 1;
                            prop_assert_eq!(value, 0);
                        }
                        // Then the user was wrong.
                        Answer::Bytes(_) | Answer::Disk | Answer::Base if assume_unchanged && disk.changed => {}
                        Answer::Bytes(_) | Answer::Disk | Answer::Base => {
                            prop_assert_eq!(value, held[index], "sector {} at {}", sector, point);
                        }
                    }
                }
            }
            prop_assert_eq!(at, range.end);
            prop_assert_eq!(counts.unknown, unknown);
            prop_assert_eq!(state.unknown().count(), unknown);
        }
    }

    /// A state that was found in the beginning of a log is the same as in the whole log, when it has gone on.
    #[test]
    fn a_state_goes_on_with_its_log(
        first_base in any::<bool>(),
        steps in prop::collection::vec(prop_oneof![3 => step(), 1 => Just(Step::Seal)], 1..40),
        has_base in any::<bool>(),
        live in any::<bool>(),
        point in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut disk = Disk::new(first_base);
        for step in &steps {
            disk.step(step);
        }
        disk.note();
        let whole = disk.maker.finish(superblock::State::Open).unwrap().into_inner();
        let blocks = whole.len() / 4096;
        let beginning = &whole[..4096 * (1 + cut.index(blocks))];
        let (beginning, whole) = (Temporary::new(beginning), Temporary::new(&whole));
        let image = Temporary::new(&vec![1; usize::try_from(SECTORS).unwrap() * 512]);
        let question = |point| Question {
            at: Spec::Position(point),
            sectors: None,
            assume_unchanged: false,
            base: has_base.then(|| image.image()),
            disk: Some(image.image()),
            live,
        };
        let log = Log::open(beginning.paths()).unwrap();
        let point = log.begin() + point.index(usize::try_from(log.end() - log.begin()).unwrap() + 1) as u64;
        let state = State::find(log, question(point)).unwrap();
        let state = state.go_on(Log::open(whole.paths()).unwrap()).unwrap();
        let wanted = State::find(Log::open(whole.paths()).unwrap(), question(point)).unwrap();
        prop_assert_eq!(state.log.end(), wanted.log.end());
        prop_assert!(state.segments().eq(wanted.segments()));
    }
}
