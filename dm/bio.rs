// SPDX-License-Identifier: GPL-2.0

//! A bio on its way down through a target, and on its way back.
//!
//! A bio that `Target::map` is given is in one of these states:
//!
//! - *held*: a [`MapBio`]; device-mapper waits for the word of the target.
//! - *remapped*: device-mapper submits it to the device that it was pointed at. It may complete
//!   before `map` has even returned.
//! - *completed*: the target has done by itself what was asked.
//! - *killed* or *requeued*: device-mapper frees it, and `Target::end_io` never hears of it.
//!
//! Only [`MapBio`]'s methods that consume it lead from the first to the others, and each returns
//! the [`Mapped`] that `map` must return. So no bio is forgotten, or touched once it has gone, and
//! none of the values is returned on which device-mapper does a `BUG()` (`__map_bio` takes four).

use super::{
    bindings,
    Device,
    Segments, //
};
use core::{
    marker::PhantomData,
    mem::{
        align_of,
        size_of, //
    },
    ptr::NonNull, //
};
use kernel::{
    bindings::{
        bio,
        blk_status_t,
        blk_status_to_errno,
        bvec_iter, //
    },
    error::to_result,
    ffi::c_int,
    prelude::*, //
};

/// What a bio asks for. C: `enum req_op`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Op {
    /// Read sectors.
    Read,
    /// Write sectors.
    Write,
    /// Write back the device's volatile cache.
    Flush,
    /// The sectors are of no use any more.
    Discard,
    /// Erase sectors for good.
    SecureErase,
    /// Write data where the zone's write pointer is.
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
    /// One that this abstraction does not know.
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

/// The space that comes with each bio: a target's own, of type `P`, and what is kept of the payload. Where
/// `P` has no size, there is none.
///
/// It is raw memory in front of the clone: not initialised, freed without drop, aligned only as
/// `struct dm_io` is. The callbacks of `target.rs` initialise it before `map` and drop `P` exactly once.
pub(super) struct PerBio<P> {
    /// Where the payload began in the vectors when `map` kept it, and how long it was.
    payload: Option<bvec_iter>,
    own: P,
}

impl<P> PerBio<P> {
    /// How many bytes to ask device-mapper for. The space ends where a `struct dm_io` begins, so
    /// that it is aligned as that is only if its size is a multiple of the alignment.
    pub(super) const SIZE: usize = {
        assert!(
            align_of::<Self>() <= align_of::<bio>(),
            "device-mapper aligns per-bio data as its own struct dm_io, which holds a bio"
        );
        if size_of::<P>() == 0 {
            0
        } else {
            size_of::<Self>().next_multiple_of(align_of::<bio>())
        }
    };

    /// Where it is; `None` where there is none.
    ///
    /// # Safety
    ///
    /// `bio` is a clone that device-mapper made for a target of which `per_io_data_size` is
    /// [`Self::SIZE`].
    #[inline]
    unsafe fn of(bio: NonNull<bio>) -> Option<NonNull<Self>> {
        if Self::SIZE == 0 {
            return None;
        }
        // SAFETY: The caller's promise is what `dm_per_bio_data` wants.
        NonNull::new(unsafe { bindings::dm_per_bio_data(bio.as_ptr(), Self::SIZE) }.cast())
    }

    /// Initialises it.
    ///
    /// # Safety
    ///
    /// As for [`Self::of`], and nobody else accesses it.
    #[inline]
    pub(super) unsafe fn init(bio: NonNull<bio>, own: P) {
        // SAFETY: The caller's promise.
        match unsafe { Self::of(bio) } {
            // SAFETY: The memory is there, aligned (asserted in `SIZE`) and nobody else's.
            Some(place) => unsafe { place.write(Self { payload: None, own }) },
            // It has no bytes, but is there until its drop, which comes when the bio has completed.
            None => core::mem::forget(own),
        }
    }

    /// Where the target's own is.
    ///
    /// # Safety
    ///
    /// As for [`Self::of`].
    #[inline]
    pub(super) unsafe fn own(bio: NonNull<bio>) -> NonNull<P> {
        // SAFETY: The caller's promise.
        match unsafe { Self::of(bio) } {
            // SAFETY: The memory is there; no reference is made.
            Some(place) => unsafe { NonNull::new_unchecked(&raw mut (*place.as_ptr()).own) },
            None => NonNull::dangling(),
        }
    }

    /// Where it is kept what the payload was.
    ///
    /// # Safety
    ///
    /// As for [`Self::of`].
    #[inline]
    unsafe fn payload(bio: NonNull<bio>) -> Option<NonNull<Option<bvec_iter>>> {
        // SAFETY: The caller's promise.
        let place = unsafe { Self::of(bio) }?;
        // SAFETY: The memory is there; no reference is made.
        Some(unsafe { NonNull::new_unchecked(&raw mut (*place.as_ptr()).payload) })
    }
}

/// A bio that `Target::map` decides about.
///
/// # Invariants
///
/// - `bio` is a live clone whose target is `ti`; nobody has submitted or freed it.
/// - Its per-bio data is an initialised `P`, of which nobody else holds a reference.
/// - `'b` ends with the call of `map`. It is invariant, so that the [`Mapped`] of one bio is not
///   that of another.
pub struct MapBio<'b, P> {
    bio: NonNull<bio>,
    ti: NonNull<bindings::dm_target>,
    _brand: PhantomData<fn(&'b P) -> &'b P>,
}

/// What became of a bio; only the methods of [`MapBio`] make one.
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

impl<'b, P> MapBio<'b, P> {
    /// # Safety
    ///
    /// The invariants of the type hold, for a `'b` that ends before `map` returns to device-mapper.
    #[inline]
    pub(super) unsafe fn from_raw(bio: NonNull<bio>, ti: NonNull<bindings::dm_target>) -> Self {
        // INVARIANT: The promise of the caller.
        Self {
            bio,
            ti,
            _brand: PhantomData,
        }
    }

    /// `bi_opf`: the operation and its flags.
    #[inline]
    fn opf(&self) -> u32 {
        // SAFETY: By the invariant the bio is live and ours.
        unsafe { (*self.bio.as_ptr()).bi_opf }
    }

    /// What it asks for.
    ///
    /// A flush reaches a target as an empty write with `REQ_PREFLUSH` (`__send_empty_flush`), and a
    /// write that asks for a flush reaches it as that flush and then, from another thread, as the
    /// write without it. Such an empty write is [`Op::Flush`] here.
    #[inline]
    pub fn op(&self) -> Op {
        match Op::from_opf(self.opf()) {
            Op::Write if self.is_preflush() && self.bytes() == 0 => Op::Flush,
            op => op,
        }
    }

    /// Whether its data must be on stable media when it completes.
    #[inline]
    pub fn is_fua(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_FUA)
    }

    /// Whether the device's cache must be flushed before it.
    #[inline]
    pub fn is_preflush(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_PREFLUSH)
    }

    /// Whether a file system says that it is about metadata.
    #[inline]
    pub fn is_meta(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_META)
    }

    /// Whether somebody waits for it.
    #[inline]
    pub fn is_sync(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_SYNC)
    }

    /// Whether it must rather fail than wait.
    #[inline]
    pub fn is_nowait(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_NOWAIT)
    }

    /// Whether it must be written as a whole or not at all.
    #[inline]
    pub fn is_atomic(&self) -> bool {
        self.has_flag(kernel::bindings::req_flag_bits___REQ_ATOMIC)
    }

    #[inline]
    fn has_flag(&self, bit: u32) -> bool {
        self.opf() & (1u32 << (bit & 31)) != 0
    }

    /// The first sector (512 bytes), counted from the start of the target.
    ///
    /// Of no meaning for a bio without sectors, a flush above all, of which it may wrap round.
    #[inline]
    pub fn sector(&self) -> u64 {
        // SAFETY: By the invariants both are live; the iterator is packed, hence the copy.
        let (sector, begin) = unsafe {
            let iter = (*self.bio.as_ptr()).bi_iter;
            (iter.bi_sector, (*self.ti.as_ptr()).begin)
        };
        sector.wrapping_sub(begin)
    }

    /// How many bytes it covers, with or without a payload; zero for a flush.
    #[inline]
    pub fn bytes(&self) -> u32 {
        // SAFETY: By the invariant the bio is live; the iterator is packed, hence the copy.
        unsafe {
            let iter = (*self.bio.as_ptr()).bi_iter;
            iter.bi_size
        }
    }

    /// Its payload. At this time that of a read is not there yet.
    #[inline]
    pub fn segments(&self) -> Segments<'_> {
        // SAFETY: The bio stays ours while `self` is borrowed, since each way to submit it consumes
        // `self`.
        unsafe { Segments::new(self.bio) }
    }

    /// The target's own data of this bio.
    #[inline]
    pub fn per_bio(&mut self) -> &mut P {
        // SAFETY: By the invariant it is initialised and nobody else has a reference.
        unsafe { PerBio::<P>::own(self.bio).as_mut() }
    }

    /// Has `Target::end_io` called by a task rather than an interrupt, with the payload at hand:
    /// [`EndBio::segments`]. Only a target that has something to keep with each bio can ask for that.
    ///
    /// The task is a worker of the block layer, which goes on under memory pressure and ends bios of other
    /// devices, too (`bio_complete_work_fn`): what it is used for must not take long.
    #[inline]
    pub fn keep_payload(&mut self) {
        const { assert!(PerBio::<P>::SIZE != 0, "there is no place to keep it") };

        // SAFETY: By the invariant the bio is live, ours, and a clone with the space that comes with it.
        unsafe {
            let iter = (*self.bio.as_ptr()).bi_iter;
            if let Some(payload) = PerBio::<P>::payload(self.bio) {
                payload.write(Some(iter));
            }
            bindings::rust_dm_complete_in_task(self.bio.as_ptr());
        }
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

    /// Ends it as done: the target itself did what it asks for. `Target::end_io` is called before this
    /// returns, in the same task.
    ///
    /// A read fails instead: nothing here can fill its pages, and whoever waits for them would be
    /// given what lay in that memory before. So does a zone append: nothing here says where its data went.
    ///
    /// The statistics of the device have it, as any other request. Those of the underlying device do not:
    /// nothing was submitted.
    #[inline]
    pub fn complete(self) -> Mapped<'b> {
        if matches!(self.op(), Op::Read | Op::ZoneAppend) {
            return self.kill();
        }
        // SAFETY: The bio is live and not submitted; its end_io callback, device-mapper's, takes it.
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

/// What `Target::end_io` makes of a completed bio.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Completion {
    /// It is done; its status goes up.
    Done,
    /// It is to be mapped again, as with [`MapBio::requeue`]. Not for a write to a zoned device, whose order
    /// would be lost: device-mapper warns, and fails it.
    Requeue,
}

/// A bio that has completed.
///
/// Its sector and length are gone: the iterator is used up, and the device may be another. What is needed
/// of them is saved in per-bio data by `map`, and the payload by [`MapBio::keep_payload`].
///
/// # Invariants
///
/// - `bio` is a live clone in its end_io callback, and its per-bio data an initialised `P`.
/// - `status` is valid for reads and writes.
pub struct EndBio<'a, P> {
    bio: NonNull<bio>,
    status: NonNull<blk_status_t>,
    _data: PhantomData<&'a mut P>,
}

impl<P> EndBio<'_, P> {
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

    /// How it went.
    ///
    /// # Errors
    ///
    /// The errno of its status.
    #[inline]
    pub fn result(&self) -> Result {
        // SAFETY: By the invariant.
        let status = unsafe { self.status.read() };
        if status == 0 {
            return Ok(());
        }
        // SAFETY: The function takes any status.
        to_result(unsafe { blk_status_to_errno(status) })
    }

    /// Whether it is a zone append.
    #[inline]
    pub fn is_zone_append(&self) -> bool {
        // SAFETY: By the invariant the bio is live.
        let opf = unsafe { (*self.bio.as_ptr()).bi_opf };

        Op::from_opf(opf) == Op::ZoneAppend
    }

    /// Where the data of a zone append was written: a sector (512 bytes) of the underlying device.
    /// `None` for all other bios, and for one that failed.
    ///
    /// It is the one bio whose sector means something by now (`blk_zone_append_update_request_bio`).
    #[inline]
    pub fn zone_append_sector(&self) -> Option<u64> {
        // SAFETY: By the invariant the bio is live; the iterator is packed, hence the copy.
        let iter = unsafe { (*self.bio.as_ptr()).bi_iter };

        if !self.is_zone_append() || self.result().is_err() {
            return None;
        }
        Some(iter.bi_sector)
    }

    /// The target's own data of this bio, as `map` left it.
    #[inline]
    pub fn per_bio(&mut self) -> &mut P {
        // SAFETY: By the invariant it is initialised, and `self` is the only way to it.
        unsafe { PerBio::<P>::own(self.bio).as_mut() }
    }

    /// Its payload, if `map` asked for it to be kept; no segments otherwise. Of a read that has failed, the
    /// bytes may be any.
    #[inline]
    pub fn segments(&self) -> Segments<'_> {
        // SAFETY: By the invariant the bio is live, and what comes with it initialised.
        let payload = unsafe { PerBio::<P>::payload(self.bio).and_then(|kept| kept.read()) };
        // SAFETY: The vectors are those of whoever waits for the bio, which has not gone up yet. The iterator
        // is that of the bio before it was submitted; nobody has put other vectors into it since.
        unsafe { Segments::over(self.bio, payload.unwrap_or_default()) }
    }
}
