// SPDX-License-Identifier: GPL-2.0

//! A target whose messages are mistakes, one of each kind that a debug kernel must report.
//!
//! `START LENGTH test_faults DEVICE`, then `dmsetup message NAME 0 MISTAKE`. Only for the debug kernel's virtual
//! machine: elsewhere most of these just do damage.
//!
//! A leaf with `unsafe`, because it makes on purpose the mistakes that safe code cannot make.

use core::{
    hint::black_box,
    sync::atomic::{
        AtomicU8,
        Ordering, //
    },
};
use kernel::{
    new_mutex, new_spinlock,
    prelude::*,
    sync::{
        Mutex,
        SpinLock, //
    },
    time::{
        delay::fsleep,
        Delta, //
    },
};

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
    MapBio,
    Mapped,
    Registration,
    Target, //
};

module! {
    type: FaultsModule,
    name: "dm_test_faults",
    authors: ["The imgrement authors"],
    description: "Device-mapper target that makes mistakes when it is told to",
    license: "GPL",
}

struct FaultsModule {
    _target: Registration<Faults>,
}

impl kernel::Module for FaultsModule {
    fn init(_module: &'static ThisModule) -> Result<Self> {
        Registration::new().map(|_target| Self { _target })
    }
}

extern "C" {
    fn dm_test_shift(by: u32) -> i32;
    fn dm_test_rcu_dereference();
}

struct Faults;

/// The callback that sleeps, although the target claims that none does.
static SLEEPER: AtomicU8 = AtomicU8::new(NOBODY);

const NOBODY: u8 = 0;
const PER_BIO: u8 = 1;
const MAP: u8 = 2;
const END_IO: u8 = 3;

/// Sleeps if this is the chosen callback.
fn sleep_in(place: u8) {
    if SLEEPER.load(Ordering::Relaxed) == place {
        fsleep(Delta::from_millis(1));
    }
}

/// Per-bio data.
struct Sleepy;

impl Default for Sleepy {
    fn default() -> Self {
        sleep_in(PER_BIO);
        Self
    }
}

impl dm::PerBio for Sleepy {}

#[pin_data]
struct State<'t> {
    device: Device<'t>,
    #[pin]
    first: Mutex<()>,
    #[pin]
    second: Mutex<()>,
    #[pin]
    spin: SpinLock<()>,
}

#[vtable]
impl Target for Faults {
    const NAME: &'static CStr = c"test_faults";
    const VERSION: [u32; 3] = [1, 0, 0];
    const FEATURES: Features = Features::NOWAIT;
    type State<'t> = State<'t>;
    type PerBio = Sleepy;
    type Answer = ();

    fn ctr<'t>(
        builder: &mut Builder<'t>,
        args: &mut Args<'_>,
    ) -> Result<impl PinInit<State<'t>, Error>, CtrError> {
        let device = builder.next_device(args)?;

        Ok(try_pin_init!(State {
            device,
            first <- new_mutex!((), "dm_test_first"),
            second <- new_mutex!((), "dm_test_second"),
            spin <- new_spinlock!((), "dm_test_spin"),
        }? Error))
    }

    fn map<'b>(state: &State<'_>, bio: MapBio<'b, Sleepy>) -> Mapped<'b> {
        sleep_in(MAP);
        let sector = bio.sector();
        bio.remap(state.device, sector)
    }

    fn end_io(_state: &State<'_>, _bio: &mut EndBio<'_, Sleepy>) -> Completion {
        sleep_in(END_IO);
        Completion::Done
    }

    fn iterate_devices(state: &State<'_>, visitor: &mut DeviceVisitor<'_>) {
        visitor.visit(state.device, 0, 8);
    }

    fn message(state: &State<'_>, args: &mut Args<'_>) -> Result<Option<()>, CtrError> {
        let word = args.next_word("MISTAKE")?;

        match word.to_bytes() {
            b"use-after-free" => {
                let memory = KBox::new(1u32, GFP_KERNEL)?;
                let gone = &raw const *memory;
                drop(memory);
                // SAFETY: Not sound: the memory has just been freed.
                black_box(unsafe { gone.read_volatile() });
            }
            b"out-of-bounds" => {
                let memory = KBox::new([0u8; 100], GFP_KERNEL)?;
                // SAFETY: Not sound: this is the byte after the last one.
                black_box(unsafe { memory.as_ptr().add(100).read_volatile() });
            }
            b"leak" => {
                // Many, because the allocator's per-CPU lists still point to the last few.
                for _ in 0..100 {
                    black_box(KBox::leak(KBox::new([0u8; 1000], GFP_KERNEL)?));
                }
            }
            b"lock-order" => {
                {
                    let _first = state.first.lock();
                    let _second = state.second.lock();
                }
                let _second = state.second.lock();
                let _first = state.first.lock();
            }
            b"sleep-in-atomic" => {
                let _spin = state.spin.lock();
                drop(KBox::new(1u32, GFP_KERNEL));
            }
            b"sleep-in-per-bio" => SLEEPER.store(PER_BIO, Ordering::Relaxed),
            b"sleep-in-map" => SLEEPER.store(MAP, Ordering::Relaxed),
            b"sleep-in-end-io" => SLEEPER.store(END_IO, Ordering::Relaxed),
            // SAFETY: It may be called from anywhere; the kernel only reports it.
            b"rcu" => unsafe { dm_test_rcu_dereference() },
            // SAFETY: The C compiler's check reports it, and nothing uses the result.
            b"shift" => drop(black_box(unsafe { dm_test_shift(black_box(32)) })),
            b"overflow" => drop(black_box(black_box(u32::MAX) + 1)),
            b"debug-assertion" => debug_assert!(black_box(false), "deliberately"),
            _ => {
                return Err(args.refuse(
                    Some(word),
                    EINVAL,
                    c"Invalid message",
                    format_args!("no such mistake"),
                ));
            }
        }
        Ok(None)
    }
}
