// SPDX-License-Identifier: GPL-2.0

//! A correct target that is only compiled. `tests/host/misuse.sh` makes one mistake at a time in it.

#![deny(unsafe_code)]

use kernel::{
    prelude::*,
    sync::atomic::{
        Atomic,
        Relaxed, //
    },
};

#[allow(unsafe_code, dead_code)]
#[path = "../../dm/mod.rs"]
pub mod dm;

use dm::{
    Args,
    Builder,
    Completion,
    CtrError,
    Device,
    DeviceVisitor,
    EndBio,
    Features,
    Io,
    IoTask,
    LateQueue,
    MapBio,
    Mapped,
    OwnedBio,
    PerBio,
    ReadBuffer,
    Registration,
    StatusWriter,
    Target, //
};

module! {
    type: MisuseModule,
    name: "dm_misuse",
    authors: ["The imgrement authors"],
    description: "Device-mapper target that is only compiled",
    license: "GPL",
}

struct MisuseModule {
    _target: Registration<Misuse>,
}

impl kernel::Module for MisuseModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Registration::new().map(|_target| Self { _target })
    }
}

/// Takes only what lives forever.
fn keep<T: 'static>(_: T) {}

struct Misuse;

struct Range<'t> {
    device: Device<'t>,
    late: LateQueue<'t>,
    io: Io<'t>,
    bytes: Atomic<u64>,
}

/// Exactly as large as is allowed. So a test fails if the abstraction adds anything to it.
#[derive(Default)]
struct Kept {
    sector: u64,
    _room: ([[u64; 31]; 16], [u64; 15]),
}

impl PerBio for Kept {}

/// What a target may do with a bio that it has kept.
fn go_on(range: &Range<'_>, bio: OwnedBio<Kept>) {
    let sector = bio.sector();

    bio.submit(range.device, sector);
}

#[vtable]
impl Target for Misuse {
    const NAME: &'static CStr = c"fifteen_letters";
    const VERSION: [u32; 3] = [1, 0, 0];
    const FEATURES: Features = Features::ZONED_HM;
    type State<'t> = Range<'t>;
    type PerBio = Kept;
    type Answer = (u64, Option<&'static CStr>);

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<Range<'t>, Error>, CtrError> {
        let device = builder.next_device(args)?;
        let word = args.next_word("WORD")?;

        keep(word.to_bytes().len());
        builder.wants_discards(true);
        let late = builder.late_queue()?;
        let io = builder.io()?;
        Ok(init!(Range { device, late, io, bytes: Atomic::new(0) }? Error))
    }

    fn map<'b>(range: &Range<'_>, mut bio: MapBio<'b, Kept>) -> Mapped<'b> {
        let sector = bio.sector();

        for segment in bio.segments() {
            let first = segment.with_bytes(|bytes| bytes.iter().next());
            keep(first);
        }
        bio.per_bio().sector = sector;
        if sector == 8 {
            let (kept, bio) = bio.defer();
            go_on(range, bio);
            return kept;
        }
        bio.remap(range.device, sector)
    }

    fn io_work(range: &Range<'_>, task: &IoTask<'_>) {
        if let Ok(buffer) = ReadBuffer::new(512) {
            let reading = range.io.read(task, range.device, 0, buffer, 512);
            keep(reading);
        }
    }

    fn end_io(range: &Range<'_>, bio: &mut EndBio<'_, Kept>) -> Completion {
        range.bytes.store(bio.per_bio().sector, Relaxed);
        Completion::Done
    }

    fn message(range: &Range<'_>, args: &mut Args<'_>) -> Result<Option<Self::Answer>, CtrError> {
        let word = args.next_word("WORD")?;

        keep(word.to_bytes().len());
        Ok(Some((range.bytes.load(Relaxed), None)))
    }

    fn answer(_range: &Range<'_>, answer: Self::Answer, _out: &mut StatusWriter<'_>) -> bool {
        keep(answer);
        true
    }

    fn iterate_devices(range: &Range<'_>, visitor: &mut DeviceVisitor<'_>) {
        visitor.visit(range.device, 0, 8);
    }

    fn report_zones<'r>(
        range: &Range<'_>,
        report: dm::ZoneReport<'r>,
    ) -> Result<dm::ZonesReported<'r>> {
        report.fill(range.device, 0)
    }
}
