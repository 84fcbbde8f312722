// SPDX-License-Identifier: GPL-2.0

//! A target that keeps each write until a worker has copied it to a second device, only for tests:
//! `START LENGTH test_defer DEVICE OFFSET OTHER`.
//!
//! A write to sector N of the target is first written to sector N of OTHER. A flush is first done there, too. Before a
//! write, the worker reads both devices at once. A message changes what happens to writes and flushes:
//! - `copy`: that;
//! - `pass`: they are submitted without being copied;
//! - `hold`: nothing. They wait until a suspend begins: one without flush gives them back, any other copies them;
//! - `drop`: they are dropped;
//! - `end`: they end as done, and reach no device.
//!
//! Other messages: `other DEVICE` goes on with another second device; `event` raises an event; `read` starts a read of OTHER, which the instance keeps; `leak` starts one
//! that it forgets.
//!
//! The status of any instance has words about it, and then counts for the whole module.
//!
//! A leaf with `unsafe`, because `IoMemory` can only be written to through a pointer.

use core::mem::{
    forget,
    replace,
    take, //
};
use kernel::{
    fmt::Write,
    new_mutex, new_spinlock,
    prelude::*,
    sync::{
        atomic::{
            Atomic,
            Relaxed, //
        },
        Arc,
        Mutex,
        SpinLock, //
    },
};

#[path = "../../dm/mod.rs"]
pub mod dm;

use dm::{
    Args,
    BioQueue,
    Builder,
    Completion,
    CtrError,
    Device,
    DeviceVisitor,
    EndBio,
    Features,
    Io,
    IoMemory,
    IoTask,
    IoWorker,
    IoctlRoute,
    MapBio,
    Mapped,
    MappedDevice,
    Op,
    Opener,
    OwnedBio,
    Pending,
    PerBio,
    QueueLimits,
    ReadBuffer,
    Registration,
    StatusKind,
    StatusWriter,
    Target,
    WriteFlags,
    Writer, //
};

module! {
    type: DeferModule,
    name: "dm_test_defer",
    authors: ["The imgrement authors"],
    description: "Device-mapper target that keeps writes, for tests",
    license: "GPL",
}

struct DeferModule {
    _target: Registration<Defer>,
}

impl kernel::Module for DeferModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Registration::new().map(|_target| Self { _target })
    }
}

static MAPPED: Atomic<u32> = Atomic::new(0);
static ENDED: Atomic<u32> = Atomic::new(0);
static DROPPED: Atomic<u32> = Atomic::new(0);
static GIVEN_BACK: Atomic<u32> = Atomic::new(0);
static COPIED: Atomic<u32> = Atomic::new(0);
static FAILED: Atomic<u32> = Atomic::new(0);
/// Bios that were still kept when all should have ended.
static LEFT: Atomic<u32> = Atomic::new(0);

fn count(counter: &Atomic<u32>) {
    counter.fetch_add(1, Relaxed);
}

/// The largest bio, in sectors.
const MOST: u32 = 64;
/// The same in bytes.
const ROOM: usize = MOST as usize * 512;

struct Defer;

/// What happens to writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Copy,
    Pass,
    Hold,
    Drop,
    Done,
}

/// A read that a message asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Nothing,
    Keep,
    Leak,
}

/// What `map`, messages and hooks share.
struct Held<'t> {
    other: Device<'t>,
    bios: BioQueue<Counted>,
    mode: Mode,
    asked: Asked,
    /// A suspend without flush has begun.
    giving_back: bool,
    /// Any other suspend has begun.
    releasing: bool,
}

/// What the worker has.
struct Room {
    idle: Option<(ReadBuffer, ReadBuffer, Writer)>,
    /// A write that is under way, the buffers that it does not need, and the bio that waits for it.
    #[expect(clippy::type_complexity, reason = "It is used once.")]
    writing: Option<(
        Pending<Arc<IoMemory>>,
        (ReadBuffer, ReadBuffer),
        OwnedBio<Counted>,
    )>,
    /// A read that nobody waits for.
    kept: Option<Pending<IoMemory>>,
}

#[pin_data]
struct Range<'t> {
    device: Device<'t>,
    offset: u64,
    sectors: u64,
    opener: Opener<'t>,
    mapped: MappedDevice<'t>,
    io: Io<'t>,
    worker: IoWorker<'t>,
    /// How many transfers were refused, as they should be.
    refused: u32,
    #[pin]
    held: SpinLock<Held<'t>>,
    #[pin]
    room: Mutex<Room>,
}

/// Per-bio data.
#[derive(Default)]
struct Counted {
    sector: u64,
}

impl PerBio for Counted {}

impl Drop for Counted {
    fn drop(&mut self) {
        count(&DROPPED);
    }
}

#[vtable]
impl Target for Defer {
    const NAME: &'static CStr = c"test_defer";
    const VERSION: [u32; 3] = [1, 0, 0];
    const FEATURES: Features = Features::PASSES_INTEGRITY
        .and(Features::NOWAIT)
        .and(Features::ATOMIC_WRITES);
    type State<'t> = Range<'t>;
    type PerBio = Counted;
    type Answer = ();

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Range<'t>, Error>, CtrError> {
        let (device, offset) = builder.next_range(args)?;
        let path = args.next_word("OTHER")?;
        let other = builder.open(args, path)?;
        let sectors = builder.sectors();
        let io = builder.io()?;
        let worker = builder.io_worker()?;
        let mapped = builder.mapped_device();
        let opener = builder.opener()?;
        let memory = Arc::new(IoMemory::new(ROOM)?, GFP_KERNEL)?;
        let idle = (
            ReadBuffer::new(ROOM)?,
            ReadBuffer::new(ROOM)?,
            Writer::new(memory)?,
        );
        let (idle, refused) = refusals(io, &builder.io_task(), other, idle);

        builder.max_io_len(MOST);
        builder.limit_swap_bios();
        Ok(try_pin_init!(Range {
            device,
            offset,
            sectors,
            opener,
            mapped,
            io,
            worker,
            refused,
            held <- new_spinlock!(Held {
                other,
                bios: BioQueue::new(),
                mode: Mode::Copy,
                asked: Asked::Nothing,
                giving_back: false,
                releasing: false,
            }),
            room <- new_mutex!(Room { idle: Some(idle), writing: None, kept: None }),
        }? Error))
    }

    fn map<'b>(range: &Range<'_>, mut bio: MapBio<'b, Counted>) -> Mapped<'b> {
        count(&MAPPED);
        let sector = bio.sector();
        bio.per_bio().sector = sector;
        if bio.op() == Op::Read {
            return bio.remap(range.device, range.offset.wrapping_add(sector));
        }

        let mut held = range.held.lock();
        if held.giving_back {
            return bio.requeue();
        }
        let (mapped, bio) = bio.defer();
        held.bios.push(bio);
        drop(held);
        range.worker.start();
        mapped
    }

    fn end_io(_range: &Range<'_>, bio: &mut EndBio<'_, Counted>) -> Completion {
        count(&ENDED);
        if bio.is_requeued() {
            count(&GIVEN_BACK);
        }
        Completion::Done
    }

    fn io_work(range: &Range<'_>, task: &IoTask<'_>) {
        let mut room = range.room.lock();

        let asked = replace(&mut range.held.lock().asked, Asked::Nothing);
        range.read(task, asked, &mut room);
        loop {
            if let Some((writing, buffers, bio)) = room.writing.take() {
                if !writing.is_done() {
                    // Its end starts the worker.
                    room.writing = Some((writing, buffers, bio));
                    return;
                }
                let (writer, result) = writing.wait();
                room.idle = Some((buffers.0, buffers.1, writer));
                count(if result.is_ok() { &COPIED } else { &FAILED });
                range.submit(bio);
            }
            let next = {
                let mut held = range.held.lock();
                let mode = held.mode;
                match mode == Mode::Hold && !held.releasing {
                    true => None,
                    false => held.bios.pop().map(|bio| (mode, bio)),
                }
            };
            match next {
                None => return,
                Some((Mode::Copy | Mode::Hold, bio)) => range.copy(task, bio, &mut room),
                Some((Mode::Pass, bio)) => range.submit(bio),
                Some((Mode::Drop, bio)) => drop(bio),
                Some((Mode::Done, bio)) => bio.end(Ok(())),
            }
        }
    }

    fn presuspend(range: &Range<'_>) {
        let mut held = range.held.lock();

        if !range.mapped.is_suspending_without_flush() {
            held.releasing = true;
            drop(held);
            range.worker.start();
            return;
        }
        held.giving_back = true;
        let mut bios = take(&mut held.bios);
        drop(held);
        while let Some(bio) = bios.pop() {
            bio.requeue();
        }
    }

    fn presuspend_undo(range: &Range<'_>) {
        range.go_on();
    }

    fn postsuspend(range: &Range<'_>, _task: &IoTask<'_>) {
        let writing = range.room.lock().writing.is_some();
        let kept = range.held.lock().bios.len();

        LEFT.fetch_add(kept as u32 + u32::from(writing), Relaxed);
    }

    fn resume(range: &Range<'_>) {
        range.go_on();
    }

    fn message(range: &Range<'_>, args: &mut Args<'_>) -> Result<Option<()>, CtrError> {
        let word = args.next_word("WORD")?;
        let other = match word.to_bytes() {
            b"other" => {
                let path = args.next_word("DEVICE")?;
                range.opener.open(args, path)?
            }
            _ => range.other(),
        };
        let mut held = range.held.lock();

        match word.to_bytes() {
            b"other" => held.other = other,
            b"copy" => held.mode = Mode::Copy,
            b"pass" => held.mode = Mode::Pass,
            b"hold" => held.mode = Mode::Hold,
            b"drop" => held.mode = Mode::Drop,
            b"end" => held.mode = Mode::Done,
            b"read" => held.asked = Asked::Keep,
            b"leak" => held.asked = Asked::Leak,
            b"event" => {
                drop(held);
                range.mapped.raise_event();
                return Ok(None);
            }
            _ => return Err(EINVAL.into()),
        }
        drop(held);
        range.worker.start();
        Ok(None)
    }

    fn status(range: &Range<'_>, kind: StatusKind, out: &mut StatusWriter<'_>) {
        let (name, offset, other) = (range.device.name(), range.offset, range.other());
        let held = range.held.lock().bios.len();
        let _ = match kind {
            StatusKind::Info => write!(
                out,
                "held {held} refused {} overlaps {} stacked {} block {} zoned {} read_only {} \
                 mapped {} ended {} dropped {} given_back {} copied {} failed {} left {}",
                range.refused,
                range.device.overlaps(other),
                range.device.is_stacked_with(other),
                other.logical_block_size(),
                other.is_zoned(),
                other.is_read_only(),
                MAPPED.load(Relaxed),
                ENDED.load(Relaxed),
                DROPPED.load(Relaxed),
                GIVEN_BACK.load(Relaxed),
                COPIED.load(Relaxed),
                FAILED.load(Relaxed),
                LEFT.load(Relaxed),
            ),
            StatusKind::Table => write!(out, "{name} {offset} {}", other.name()),
            StatusKind::Ima => write!(out, ",device_name={name},start={offset};"),
        };
    }

    fn prepare_ioctl<'s>(_range: &'s Range<'_>) -> IoctlRoute<'s> {
        IoctlRoute::Refused
    }

    fn iterate_devices(range: &Range<'_>, visitor: &mut DeviceVisitor<'_>) {
        visitor.visit(range.device, range.offset, range.sectors);
    }

    fn io_hints(_range: &Range<'_>, limits: &mut QueueLimits<'_>) {
        limits.require_stable_writes();
        limits.cap_atomic_writes(MOST);
    }
}

impl<'t> Range<'t> {
    /// The second device.
    fn other(&self) -> Device<'t> {
        self.held.lock().other
    }

    /// After a suspend, or one that was given up.
    fn go_on(&self) {
        let mut held = self.held.lock();

        held.giving_back = false;
        held.releasing = false;
    }

    fn submit(&self, mut bio: OwnedBio<Counted>) {
        // What `map` has left there.
        let sector = bio.per_bio().sector;

        bio.submit(self.device, self.offset.wrapping_add(sector));
    }

    /// Copies a bio to the other device, and submits it: at once, or when the copy has been written.
    fn copy(&self, task: &IoTask<'_>, bio: OwnedBio<Counted>, room: &mut Room) {
        let other = self.other();
        if bio.op() == Op::Flush {
            if self.io.flush(task, other).is_err() {
                count(&FAILED);
            }
            return self.submit(bio);
        }
        let Some((first, second, writer)) = room.idle.take() else {
            // There is always one.
            count(&LEFT);
            return drop(bio);
        };
        let (sector, len) = (bio.sector(), bio.bytes() as usize);
        let here = self.offset.wrapping_add(sector);

        let first = self.io.read(task, self.device, here, first, len);
        let second = self.io.read(task, other, sector, second, len);
        let ((first, one), (second, two)) = (first.wait(), second.wait());
        if one.and(two).is_err() {
            count(&FAILED);
        }

        let mut at = writer.memory().as_ptr();
        for segment in bio.segments() {
            // SAFETY: `max_io_len` limits a bio to the size of the memory. Only this worker uses that, and no write is
            // under way.
            let to = unsafe { core::slice::from_raw_parts_mut(at, segment.len() as usize) };
            at = at.wrapping_add(segment.copy_to(to));
        }
        let flags = WriteFlags {
            fua: bio.is_fua(),
            ..WriteFlags::default()
        };
        let writing = self.io.write(task, other, sector, writer, 0..len, flags);
        room.writing = Some((writing, (first, second), bio));
    }

    /// Starts the read that was asked for, and does not wait for it.
    fn read(&self, task: &IoTask<'_>, asked: Asked, room: &mut Room) {
        if asked == Asked::Nothing {
            return;
        }
        let Ok(buffer) = ReadBuffer::new(4096) else {
            return;
        };
        let reading = self.io.read(task, self.other(), 0, buffer, 4096);

        match asked {
            Asked::Nothing => {}
            Asked::Keep => room.kept = Some(reading),
            Asked::Leak => forget(reading),
        }
    }
}

/// Tries transfers that must be refused, and counts how many were.
fn refusals(
    io: Io<'_>,
    task: &IoTask<'_>,
    device: Device<'_>,
    (mut reads, second, mut writes): (ReadBuffer, ReadBuffer, Writer),
) -> ((ReadBuffer, ReadBuffer, Writer), u32) {
    let mut refused = 0;
    // Nothing, half a block, more than there is room for, sectors that no device has.
    for (sector, len) in [(0, 0), (0, 256), (0, ROOM + 4096), (u64::MAX, 4096)] {
        let pending = io.read(task, device, sector, reads, len);
        let done = pending.is_done();
        let (buffer, result) = pending.wait();
        reads = buffer;
        refused += u32::from(done && result == Err(EINVAL));
    }
    // The same, from an address that is no multiple of a sector, and past the end.
    for range in [4096..4096, 0..256, 256..4352, 4096..ROOM + 4096] {
        let pending = io.write(task, device, 0, writes, range, WriteFlags::default());
        let done = pending.is_done();
        let (writer, result) = pending.wait();
        writes = writer;
        refused += u32::from(done && result == Err(EINVAL));
    }
    ((reads, second, writes), refused)
}
