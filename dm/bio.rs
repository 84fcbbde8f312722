// SPDX-License-Identifier: GPL-2.0

//! A bio on its way down through a target, and on its way back.
//!
//! A bio that `Target::map` gets is in one of these states:
//!
//! - *held*: a [`MapBio`]; device-mapper waits for the target's decision.
//! - *remapped*: device-mapper submits it to the device that it now points to. It may complete before `map`
//!   has even returned.
//! - *completed*: the target itself has done what was asked.
//! - *deferred*: it belongs to the target, as an [`OwnedBio`], until the target submits or ends it.
//! - *killed* or *requeued*: device-mapper frees it, and `Target::end_io` is not called.
//!
//! Only methods that consume the [`MapBio`] lead from the first state to the others. Each returns the [`Mapped`]
//! that `map` must return. So no bio is forgotten, or touched after it is gone. `map` also cannot return a value
//! on which device-mapper does a `BUG()` (`__map_bio` accepts four).

use super::{
    bindings,
    late::{
        Late,
        LateQueue,
        Wait, //
    },
    Device,
    OwnedBio,
    Segments, //
};
use core::{
    marker::PhantomData,
    mem::{
        align_of,
        size_of, //
    },
    ops::Deref,
    ptr::NonNull, //
};
use kernel::{
    bindings::{
        bio,
        blk_status_t,
        blk_status_to_errno, //
    },
    container_of,
    error::to_result,
    ffi::c_int,
    prelude::*, //
};

/// The operation of a bio. C: `enum req_op`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Read sectors.
    Read,
    /// Write sectors.
    Write,
    /// Write back the device's volatile cache.
    Flush,
    /// The sectors are no longer needed.
    Discard,
    /// Erase sectors for good.
    SecureErase,
    /// Write data at the zone's write pointer.
    ZoneAppend,
    /// Make sectors read as zeroes.
    WriteZeroes,
    /// Open a zone.
    ZoneOpen,
    /// Close a zone.
    ZoneClose,
    /// Make a zone full.
    ZoneFinish,
    /// Make a zone empty.
    ZoneReset,
    /// Make all zones empty.
    ZoneResetAll,
    /// An operation that this abstraction does not know.
    Other,
}

impl Op {
    fn from_opf(opf: u32) -> Self {
        match opf & bindings::DM_REQ_OP_MASK {
            kernel::bindings::req_op_REQ_OP_READ => Self::Read,
            kernel::bindings::req_op_REQ_OP_WRITE => Self::Write,
            kernel::bindings::req_op_REQ_OP_FLUSH => Self::Flush,
            kernel::bindings::req_op_REQ_OP_DISCARD => Self::Discard,
            kernel::bindings::req_op_REQ_OP_SECURE_ERASE => Self::SecureErase,
            kernel::bindings::req_op_REQ_OP_ZONE_APPEND => Self::ZoneAppend,
            kernel::bindings::req_op_REQ_OP_WRITE_ZEROES => Self::WriteZeroes,
            kernel::bindings::req_op_REQ_OP_ZONE_OPEN => Self::ZoneOpen,
            kernel::bindings::req_op_REQ_OP_ZONE_CLOSE => Self::ZoneClose,
            kernel::bindings::req_op_REQ_OP_ZONE_FINISH => Self::ZoneFinish,
            kernel::bindings::req_op_REQ_OP_ZONE_RESET => Self::ZoneReset,
            kernel::bindings::req_op_REQ_OP_ZONE_RESET_ALL => Self::ZoneResetAll,
            _ => Self::Other,
        }
    }
}

/// A target's data for each bio, from `map` to the end of the bio; `()` for none.
pub trait PerBio: Default + Send + 'static {
    /// Whether bios may end late: [`MapBio::end_late`], and then `Target::end_late`. This takes about 64 more bytes
    /// in each bio.
    const LATE: bool = false;
}

impl PerBio for () {}

/// The per-bio space: a target's own data, of type `P`, and, if bios may end late, what that needs. If neither
/// has a size, there is no space.
///
/// It is raw memory in front of the clone: uninitialised, freed without drop, and aligned only like
/// `struct dm_io`. The callbacks (`callbacks.rs`) initialise it before `map` and drop `P` exactly once.
#[repr(C)]
pub(super) struct Space<P> {
    own: P,
    /// Unused unless [`PerBio::LATE`].
    late: Late,
}

impl<P: PerBio> Space<P> {
    /// How many bytes to ask device-mapper for. The space ends where a `struct dm_io` begins, so it is only
    /// aligned like that if its size is a multiple of the alignment.
    pub(super) const SIZE: usize = {
        assert!(
            align_of::<Self>() <= align_of::<bio>(),
            "device-mapper aligns per-bio data as its own struct dm_io, which holds a bio"
        );
        let size = if P::LATE {
            size_of::<Self>()
        } else {
            size_of::<P>()
        };
        size.next_multiple_of(align_of::<bio>())
    };

    /// Its address; `None` if there is none.
    ///
    /// # Safety
    ///
    /// `bio` is a clone that device-mapper made for a target whose `per_io_data_size` is [`Self::SIZE`].
    #[inline]
    pub(super) unsafe fn of(bio: NonNull<bio>) -> Option<NonNull<Self>> {
        if Self::SIZE == 0 {
            return None;
        }
        // SAFETY: The caller's promise is what `dm_per_bio_data` requires.
        NonNull::new(unsafe { bindings::dm_per_bio_data(bio.as_ptr(), Self::SIZE) }.cast())
    }

    /// Initialises it.
    ///
    /// # Safety
    ///
    /// As for [`Self::of`], and nothing else accesses it.
    #[inline]
    pub(super) unsafe fn init(bio: NonNull<bio>, own: P) {
        // SAFETY: The caller's promise.
        match unsafe { Self::of(bio) } {
            // SAFETY: The memory is there, aligned (asserted in `SIZE`), and only we access it.
            Some(space) => unsafe {
                Self::own_in(space).write(own);
                if let Some(late) = Self::late_in(space) {
                    Late::init(late);
                }
            },
            // It has no bytes, but it exists until its drop, which happens when the bio has completed.
            None => core::mem::forget(own),
        }
    }

    /// The address of the target's own data.
    ///
    /// # Safety
    ///
    /// As for [`Self::of`].
    #[inline]
    pub(super) unsafe fn own(bio: NonNull<bio>) -> NonNull<P> {
        // SAFETY: The caller's promise.
        unsafe { Self::of(bio) }.map_or(NonNull::dangling(), Self::own_in)
    }

    /// The address of the target's own data within a space.
    #[inline]
    pub(super) fn own_in(space: NonNull<Self>) -> NonNull<P> {
        // It comes first (`repr(C)`).
        space.cast()
    }

    /// The address, within a space, of what ending late needs; `None` if no bio can end late.
    ///
    /// # Safety
    ///
    /// The space is that of a bio ([`Self::of`]).
    #[inline]
    pub(super) unsafe fn late_in(space: NonNull<Self>) -> Option<NonNull<Late>> {
        if !P::LATE {
            return None;
        }
        // SAFETY: The memory is there, since `SIZE` includes it. No reference is made.
        Some(unsafe { NonNull::new_unchecked(&raw mut (*space.as_ptr()).late) })
    }

    /// The space and the bio that this belongs to.
    ///
    /// # Safety
    ///
    /// It is the late part of the space of a live bio.
    pub(super) unsafe fn of_late(late: NonNull<Late>) -> (NonNull<Self>, NonNull<bio>) {
        // SAFETY: By the caller's promise it lies within a space, which belongs to a bio.
        unsafe {
            let late = late.as_ptr();
            let space = container_of!(late, Self, late);
            let bio = bindings::dm_bio_from_per_bio_data(space.cast(), Self::SIZE);
            (NonNull::new_unchecked(space), NonNull::new_unchecked(bio))
        }
    }
}

/// What a target can see of a bio that it holds: a [`MapBio`] or an [`OwnedBio`].
///
/// # Invariants
///
/// - `bio` is a live clone whose target is `ti`. While this can be reached, it is not submitted or freed.
/// - Its per-bio data is an initialised `P`, and nothing else holds a reference to it.
pub struct HeldBio<P> {
    bio: NonNull<bio>,
    ti: NonNull<bindings::dm_target>,
    _per_bio: PhantomData<P>,
}

/// A bio, for which `Target::map` must decide.
///
/// # Invariants
///
/// `'b` ends with the call of `map`. It is invariant, so the [`Mapped`] of one bio cannot be used for another.
pub struct MapBio<'b, P> {
    held: HeldBio<P>,
    _brand: PhantomData<fn(&'b ()) -> &'b ()>,
}

/// The decision about a bio. Only the methods of [`MapBio`] make one.
#[must_use = "device-mapper waits for it"]
pub struct Mapped<'b> {
    code: u32,
    _brand: PhantomData<fn(&'b ()) -> &'b ()>,
}

impl Mapped<'_> {
    pub(super) fn code(self) -> c_int {
        self.code as c_int
    }

    /// Whether `end_io` will be called for the bio, or has been.
    pub(super) fn completes(&self) -> bool {
        matches!(
            self.code,
            bindings::DM_MAPIO_REMAPPED | bindings::DM_MAPIO_SUBMITTED
        )
    }
}

impl<P: PerBio> HeldBio<P> {
    /// # Safety
    ///
    /// The invariants of the type hold.
    #[inline]
    pub(super) unsafe fn from_raw(bio: NonNull<bio>, ti: NonNull<bindings::dm_target>) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            bio,
            ti,
            _per_bio: PhantomData,
        }
    }

    /// The bio.
    #[inline]
    pub(super) fn bio(&self) -> NonNull<bio> {
        self.bio
    }

    /// The target that it was cloned for.
    #[inline]
    pub(super) fn target(&self) -> NonNull<bindings::dm_target> {
        self.ti
    }

    /// `bi_opf`: the operation and its flags.
    #[inline]
    fn opf(&self) -> u32 {
        // SAFETY: By the invariant the bio is live and ours.
        unsafe { (*self.bio.as_ptr()).bi_opf }
    }

    /// Its operation.
    ///
    /// A flush reaches a target as an empty write with `REQ_PREFLUSH` (`__send_empty_flush`), which is
    /// [`Op::Flush`] here. A write that asks for a flush reaches it as that flush and then, from another thread, as
    /// the write without it.
    #[inline]
    pub fn op(&self) -> Op {
        let op = Op::from_opf(self.opf());

        if op == Op::Write && self.is_preflush() && self.bytes() == 0 {
            Op::Flush
        } else {
            op
        }
    }

    /// Whether its data must be on stable media when it completes. Never for a bio without data: that is passed on
    /// without FUA.
    #[inline]
    pub fn is_fua(&self) -> bool {
        self.bytes() != 0 && self.has_flag(kernel::bindings::req_flag_bits___REQ_FUA)
    }

    /// Whether the device's cache must be flushed before it.
    #[inline]
    pub fn is_preflush(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_PREFLUSH)
    }

    /// Whether a file system marked it as metadata.
    #[inline]
    pub fn is_meta(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_META)
    }

    /// Whether a task waits for it.
    #[inline]
    pub fn is_sync(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_SYNC)
    }

    /// Whether it must fail instead of waiting.
    #[inline]
    pub fn is_nowait(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_NOWAIT)
    }

    /// Whether it must be written as a whole or not at all.
    #[inline]
    pub fn is_atomic(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_ATOMIC)
    }

    /// Whether nobody has asked for it yet: it is read ahead.
    #[inline]
    pub fn is_readahead(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_RAHEAD)
    }

    #[inline]
    fn has_flag(&self, bit: u32) -> bool {
        self.opf() & (1u32 << (bit & 31)) != 0
    }

    /// The first sector (512 bytes), counted from the start of the target.
    ///
    /// Meaningless for a bio without sectors, above all a flush: there it may wrap.
    #[inline]
    pub fn sector(&self) -> u64 {
        // SAFETY: By the invariant both are live. The iterator is packed, so it is copied.
        let (sector, begin) = unsafe {
            let iter = (*self.bio.as_ptr()).bi_iter;
            (iter.bi_sector, (*self.ti.as_ptr()).begin)
        };
        sector.wrapping_sub(begin)
    }

    /// How many bytes it covers, with or without a payload; zero for a flush.
    #[inline]
    pub fn bytes(&self) -> u32 {
        // SAFETY: By the invariant the bio is live. The iterator is packed, so it is copied.
        unsafe {
            let iter = (*self.bio.as_ptr()).bi_iter;
            iter.bi_size
        }
    }

    /// The id of the cgroup that its submitter was in, or for which a kernel thread writes back; 0 if it has none.
    #[inline]
    pub fn cgroup(&self) -> u64 {
        // SAFETY: By the invariant the bio is live.
        unsafe { bindings::rust_dm_bio_cgroup(self.bio.as_ptr()) }
    }

    /// Its payload. The payload of a read has not arrived yet.
    #[inline]
    pub fn segments(&self) -> Segments<'_> {
        // SAFETY: The bio stays ours while `self` is borrowed, because each way to submit it consumes `self`.
        unsafe { Segments::new(self.bio) }
    }

    /// Whether it may end as done without having been submitted ([`MapBio::complete`], [`OwnedBio::end`]).
    ///
    /// A read may not: nothing here can fill its pages, so the reader would get old memory. A zone append may not,
    /// because nothing here says where its data went.
    #[inline]
    pub(super) fn may_end_as_done(&self) -> bool {
        match self.op() {
            Op::Read | Op::ZoneAppend => false,
            Op::Write
            | Op::Flush
            | Op::Discard
            | Op::SecureErase
            | Op::WriteZeroes
            | Op::ZoneOpen
            | Op::ZoneClose
            | Op::ZoneFinish
            | Op::ZoneReset
            | Op::ZoneResetAll
            | Op::Other => true,
        }
    }

    /// The target's own data for this bio.
    #[inline]
    pub(super) fn own(&mut self) -> &mut P {
        // SAFETY: By the invariant it is initialised, and nothing else has a reference to it.
        unsafe { Space::<P>::own(self.bio).as_mut() }
    }
}

// There is no `DerefMut`: it would let two bios be swapped, and the `Mapped` of one returned for the other.
impl<P> Deref for MapBio<'_, P> {
    type Target = HeldBio<P>;

    #[inline]
    fn deref(&self) -> &HeldBio<P> {
        &self.held
    }
}

impl<'b, P: PerBio> MapBio<'b, P> {
    /// # Safety
    ///
    /// The invariants of [`HeldBio`] hold, for a `'b` that ends before `map` returns to device-mapper.
    #[inline]
    pub(super) unsafe fn from_raw(bio: NonNull<bio>, ti: NonNull<bindings::dm_target>) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            // SAFETY: The promise of the caller. The methods that submit or free the bio consume this.
            held: unsafe { HeldBio::from_raw(bio, ti) },
            _brand: PhantomData,
        }
    }

    /// The target's own data for this bio.
    #[inline]
    pub fn per_bio(&mut self) -> &mut P {
        self.held.own()
    }

    /// Makes a read end late: when its data has arrived, a task calls `Target::end_late` with its payload, and then
    /// completes it. `Target::end_io` is not called.
    ///
    /// Returns `false`, and does nothing, for any other operation than a read, and if `queue` has not been made.
    /// Only a target whose bios may end late ([`PerBio::LATE`]) can use this.
    pub fn end_late(&mut self, queue: LateQueue<'_>) -> bool {
        const { assert!(P::LATE, "its bios do not end late: PerBio::LATE") };

        let (Op::Read, Some(queue)) = (self.op(), queue.get()) else {
            return false;
        };
        // SAFETY: By the invariant the bio is live, and a clone with its per-bio space.
        let late = unsafe { Space::<P>::of(self.bio).and_then(|space| Space::late_in(space)) };
        let Some(late) = late else {
            return false;
        };
        let wait = Wait {
            queue,
            target: self.ti,
            // SAFETY: The bio has not been submitted. Its vectors belong to the code that waits for it. So they
            // and their pages stay until it completes, which is after the last use of this.
            payload: unsafe { Segments::new(self.bio) },
        };
        // SAFETY: The callbacks have initialised it, and we hold the bio. The queue belongs to this instance, because
        // no other instance's handle can get here, and it lives as long as the target.
        unsafe { Late::wait(late, wait) };
        true
    }

    /// Sends it on to `sector` of `device`.
    #[inline]
    pub fn remap(self, device: Device<'_>, sector: u64) -> Mapped<'b> {
        // SAFETY: The bio is live and not submitted; the block device is open.
        unsafe { bindings::rust_dm_remap(self.bio.as_ptr(), device.bdev(), sector) };
        Mapped {
            code: bindings::DM_MAPIO_REMAPPED,
            _brand: PhantomData,
        }
    }

    /// Takes the bio out of `map`: it belongs to the target until that submits, ends or requeues it. The submitter
    /// waits, and so does a suspend.
    ///
    /// From here on the bio may wait, so it is neither NOWAIT nor polled any more. Nobody can poll for a bio that has
    /// not been submitted. One without REQ_POLLED ends by an interrupt, and its poller (`dm_poll_bio`) sees that it
    /// has ended.
    #[inline]
    pub fn defer(self) -> (Mapped<'b>, OwnedBio<P>) {
        const WAITS: u32 = !(1 << (kernel::bindings::req_flag_bits___REQ_NOWAIT & 31)
            | 1 << (kernel::bindings::req_flag_bits___REQ_POLLED & 31));
        let mapped = Mapped {
            code: bindings::DM_MAPIO_SUBMITTED,
            _brand: PhantomData,
        };

        // SAFETY: By the invariant the bio is live and ours. A poller only looks at its device and its cookie.
        unsafe { (*self.bio.as_ptr()).bi_opf &= WAITS };
        // SAFETY: The callback returns `mapped` to device-mapper, which then leaves the bio to us: no other decision
        // can be returned, because `self` is consumed.
        (mapped, unsafe { OwnedBio::new(self.held) })
    }

    /// Ends it as done: the target itself did what it asks for. `Target::end_io` is called before this returns, in
    /// the same task.
    ///
    /// A read fails instead: nothing here can fill its pages, so the reader would get old memory. A zone append
    /// fails, too: nothing here says where its data went.
    ///
    /// The device's statistics include it, like any other request. Those of the underlying device do not, because
    /// nothing was submitted.
    #[inline]
    pub fn complete(self) -> Mapped<'b> {
        if !self.may_end_as_done() {
            return self.kill();
        }
        // SAFETY: The bio is live and not submitted. Its end_io callback, which is device-mapper's, takes it over.
        unsafe { kernel::bindings::bio_endio(self.bio.as_ptr()) };
        Mapped {
            code: bindings::DM_MAPIO_SUBMITTED,
            _brand: PhantomData,
        }
    }

    /// Fails it with an I/O error.
    #[inline]
    pub fn kill(self) -> Mapped<'b> {
        Mapped {
            code: bindings::DM_MAPIO_KILL,
            _brand: PhantomData,
        }
    }

    /// Gives it back, to be mapped again by the table that is resumed next. Outside of a suspend
    /// without flush it fails.
    ///
    /// Not for a write to a zoned device, whose order would be lost: device-mapper warns, and fails it.
    #[inline]
    pub fn requeue(self) -> Mapped<'b> {
        Mapped {
            code: bindings::DM_MAPIO_REQUEUE,
            _brand: PhantomData,
        }
    }
}

/// The result of `Target::end_io` for a completed bio.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completion {
    /// It is done, and its status is passed up.
    Done,
    /// It must be mapped again, as with [`MapBio::requeue`]. Not for a write to a zoned device, whose order would
    /// be lost: device-mapper warns, and fails it.
    Requeue,
}

/// A bio that has completed.
///
/// Its sector and length are gone: the iterator is used up, and the device may be another one. If they are
/// needed, `map` must save them in the per-bio data. The payload is gone, too: to look at that of a read, use
/// [`MapBio::end_late`], which saves it.
///
/// # Invariants
///
/// - `bio` is a live clone in its end_io callback, and its per-bio data is an initialised `P`.
/// - `status` is valid for reads and writes.
pub struct EndBio<'a, P> {
    bio: NonNull<bio>,
    status: NonNull<blk_status_t>,
    _data: PhantomData<&'a mut P>,
}

impl<P: PerBio> EndBio<'_, P> {
    /// # Safety
    ///
    /// The invariants of the type hold for its lifetime.
    #[inline]
    pub(super) unsafe fn from_raw(bio: NonNull<bio>, status: NonNull<blk_status_t>) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            bio,
            status,
            _data: PhantomData,
        }
    }

    /// Its result.
    ///
    /// # Errors
    ///
    /// The errno of its status.
    #[inline]
    pub fn result(&self) -> Result {
        // SAFETY: By the invariant.
        result_of(unsafe { self.status.read() })
    }

    /// Whether the target has given it back ([`OwnedBio::requeue`]). Then it has not reached a device, and its result
    /// is an error that its submitter does not see, unless it cannot be mapped again.
    #[inline]
    pub fn is_requeued(&self) -> bool {
        // SAFETY: By the invariant.
        unsafe { self.status.read() == bindings::DM_STS_REQUEUE }
    }

    /// Its operation. A write that asks for a flush reaches a target without that flag, so a write with
    /// `REQ_PREFLUSH` was empty ([`HeldBio::op`]).
    #[inline]
    pub fn op(&self) -> Op {
        // SAFETY: By the invariant the bio is live.
        let opf = unsafe { (*self.bio.as_ptr()).bi_opf };
        let preflush = 1u32 << (kernel::bindings::req_flag_bits___REQ_PREFLUSH & 31);

        let op = Op::from_opf(opf);

        if op == Op::Write && opf & preflush != 0 {
            Op::Flush
        } else {
            op
        }
    }

    /// Whether it is a zone append.
    #[inline]
    pub fn is_zone_append(&self) -> bool {
        // SAFETY: By the invariant the bio is live.
        let opf = unsafe { (*self.bio.as_ptr()).bi_opf };

        Op::from_opf(opf) == Op::ZoneAppend
    }

    /// Where the data of a zone append was written: a sector (512 bytes) of the underlying device. `None` for all
    /// other bios, and for one that failed.
    ///
    /// Only for a zone append is the sector still meaningful here (`blk_zone_append_update_request_bio`).
    #[inline]
    pub fn zone_append_sector(&self) -> Option<u64> {
        // SAFETY: By the invariant the bio is live. The iterator is packed, so it is copied.
        let iter = unsafe { (*self.bio.as_ptr()).bi_iter };

        if !self.is_zone_append() || self.result().is_err() {
            return None;
        }
        Some(iter.bi_sector)
    }

    /// The target's own data for this bio, as `map` left it.
    #[inline]
    pub fn per_bio(&mut self) -> &mut P {
        // SAFETY: By the invariant it is initialised, and only `self` gives access to it.
        unsafe { Space::<P>::own(self.bio).as_mut() }
    }
}

/// The errno of a status.
fn result_of(status: blk_status_t) -> Result {
    if status == 0 {
        return Ok(());
    }
    // SAFETY: The function takes any status.
    to_result(unsafe { blk_status_to_errno(status) })
}

/// A read that has completed and ends late ([`MapBio::end_late`]).
///
/// # Invariants
///
/// - `bio` is a live clone that has completed and is kept, and its per-bio data is an initialised `P`.
/// - The payload is there for `'a`.
pub struct LateBio<'a, P> {
    bio: NonNull<bio>,
    payload: Segments<'a>,
    _data: PhantomData<&'a mut P>,
}

impl<'a, P: PerBio> LateBio<'a, P> {
    /// # Safety
    ///
    /// The invariants of the type hold for `'a`.
    pub(super) unsafe fn from_raw(bio: NonNull<bio>, payload: Segments<'a>) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            bio,
            payload,
            _data: PhantomData,
        }
    }

    /// Its result.
    ///
    /// # Errors
    ///
    /// The errno of its status.
    pub fn result(&self) -> Result {
        // SAFETY: By the invariant the bio is live.
        result_of(unsafe { (*self.bio.as_ptr()).bi_status })
    }

    /// The target's own data for this bio, as `map` left it.
    pub fn per_bio(&mut self) -> &mut P {
        // SAFETY: By the invariant it is initialised, and only `self` gives access to it.
        unsafe { Space::<P>::own(self.bio).as_mut() }
    }

    /// The data that it read. If the read has failed, the bytes are arbitrary.
    pub fn segments(&self) -> Segments<'_> {
        self.payload.clone()
    }
}
