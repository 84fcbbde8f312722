// SPDX-License-Identifier: GPL-2.0

//! I/O by a target itself, to its devices.
//!
//! C header: `include/linux/dm-io.h`.

use super::{
    bindings,
    transfer,
    worker::Item,
    Device,
    IoMemory,
    IoTask,
    Pending,
    ReadBuffer,
    Transfer,
    Writer, //
};
use core::{
    ops::Range,
    ptr::NonNull,
    sync::atomic::{
        AtomicUsize,
        Ordering, //
    },
};
use kernel::{
    error::to_result,
    ffi::c_void,
    prelude::*,
    sync::{
        Arc,
        Completion, //
    },
};

/// Reads, writes and flushes the instance's devices.
///
/// Several may be under way at once. When one ends, the instance's [`IoWorker`] is started.
///
/// This is a handle, like [`Device`]. When the instance is dropped, it waits for all I/O before its devices are closed.
/// So if a device never completes a request, the mapped device cannot be removed.
///
/// [`IoWorker`]: super::IoWorker
#[derive(Clone, Copy)]
pub struct Io<'t>(&'t Client);

/// How to write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WriteFlags {
    /// First make what the device has already completed durable.
    pub preflush: bool,
    /// Complete when the data is durable.
    pub fua: bool,
}

impl Io<'_> {
    /// Starts to read `len` bytes from `sector` (512 bytes) of `device` to the start of the buffer. Reads whole logical
    /// blocks, and no more than the buffer has: others are refused (`EINVAL`). May sleep.
    pub fn read(
        self,
        _task: &IoTask<'_>,
        device: Device<'_>,
        sector: u64,
        buffer: ReadBuffer,
        len: usize,
    ) -> Pending<IoMemory> {
        let memory = buffer.raw_memory();

        if !is_whole(device, sector, len) || len > memory.len() {
            return buffer.refuse(EINVAL);
        }
        let start = memory.as_ptr();
        // SAFETY:
        // - The memory has `len` bytes, and the `Pending` has it until the read has ended.
        // - The device is one of the instance's, as no code has handles of two instances. It is open until the client
        //   has been dropped, which waits for the read.
        // - This calls `ended` once.
        unsafe {
            self.start(buffer, |context| {
                bindings::rust_dm_io_read(
                    self.0.raw.as_ptr(),
                    device.bdev(),
                    sector,
                    start.cast(),
                    len,
                    Some(transfer::ended),
                    context,
                );
            })
        }
    }

    /// Starts to write `range` (in bytes) of the writer's memory to `sector` (512 bytes) of `device`. Writes whole
    /// logical blocks from memory that begins at a multiple of 512 bytes: others are refused (`EINVAL`). May sleep.
    ///
    /// A large write reaches the device as several requests. Each has the flags.
    pub fn write(
        self,
        _task: &IoTask<'_>,
        device: Device<'_>,
        sector: u64,
        writer: Writer,
        range: Range<usize>,
        flags: WriteFlags,
    ) -> Pending<Arc<IoMemory>> {
        let memory = writer.memory();
        let len = range.end.saturating_sub(range.start);

        if !is_whole(device, sector, len) || range.end > memory.len() || range.start % 512 != 0 {
            return writer.refuse(EINVAL);
        }
        let start = memory.as_ptr().wrapping_add(range.start);
        // SAFETY: As in `read`: the range lies within the memory, in which the `Pending` has a share.
        unsafe { self.start_write(device, sector, (start, len), writer, flags) }
    }

    /// Starts to write the first `len` bytes of a buffer to `sector` (512 bytes) of `device`. Otherwise as
    /// [`Self::write`].
    pub fn write_back(
        self,
        _task: &IoTask<'_>,
        device: Device<'_>,
        sector: u64,
        buffer: ReadBuffer,
        len: usize,
        flags: WriteFlags,
    ) -> Pending<IoMemory> {
        let memory = buffer.raw_memory();

        if !is_whole(device, sector, len) || len > memory.len() {
            return buffer.refuse(EINVAL);
        }
        let start = memory.as_ptr();
        // SAFETY: As in `read`: the range lies within the memory, which the `Pending` has.
        unsafe { self.start_write(device, sector, (start, len), buffer, flags) }
    }

    /// Starts to write `len` bytes from `start`.
    ///
    /// # Safety
    ///
    /// The bytes lie within the memory of `transfer`.
    unsafe fn start_write<M>(
        self,
        device: Device<'_>,
        sector: u64,
        (start, len): (*mut u8, usize),
        transfer: Transfer<M>,
        flags: WriteFlags,
    ) -> Pending<M> {
        // SAFETY: As in `read`. The caller promises that the memory has these bytes.
        unsafe {
            self.start(transfer, |context| {
                bindings::rust_dm_io_write(
                    self.0.raw.as_ptr(),
                    device.bdev(),
                    sector,
                    start.cast(),
                    len,
                    flags.preflush,
                    flags.fua,
                    Some(transfer::ended),
                    context,
                );
            })
        }
    }

    /// Makes what `device` has completed durable, and waits for that.
    ///
    /// # Errors
    ///
    /// `EIO`.
    pub fn flush(self, _task: &IoTask<'_>, device: Device<'_>) -> Result {
        // SAFETY: Both live through the call.
        to_result(unsafe { bindings::rust_dm_io_flush(self.0.raw.as_ptr(), device.bdev()) })
    }
}

impl Io<'_> {
    /// Lets `start` start a transfer. `start` gets the context for [`transfer::ended`].
    ///
    /// # Safety
    ///
    /// `start` makes [`transfer::ended`] be called once, in any context, with its context. The memory is no longer used
    /// then.
    pub(super) unsafe fn start<M>(
        self,
        transfer: Transfer<M>,
        start: impl FnOnce(*mut c_void),
    ) -> Pending<M> {
        // INVARIANT: One more is under way. Memory limits how many there are.
        self.0.under_way.fetch_add(1, Ordering::Relaxed);
        // SAFETY: The caller's promise. While the transfer is under way, the drop of the client waits for it.
        unsafe { transfer.start(self.0, start) }
    }
}

/// Whether these are whole logical blocks, and at least one.
fn is_whole(device: Device<'_>, sector: u64, len: usize) -> bool {
    let block = u64::from(device.logical_block_size());
    let is_multiple = |bytes: Option<u64>| bytes.and_then(|n| n.checked_rem(block)) == Some(0);

    len != 0 && is_multiple(Some(len as u64)) && is_multiple(sector.checked_mul(512))
}

/// A client of `dm_io`: pools, from which I/O makes progress without memory.
///
/// # Invariants
///
/// - `raw` is a client that nothing else destroys.
/// - `under_way` is 1 more than the number of transfers under way, until this is dropped.
/// - `worker` outlives this.
#[pin_data(PinnedDrop)]
pub(super) struct Client {
    raw: NonNull<bindings::dm_io_client>,
    under_way: AtomicUsize,
    /// Completed when `under_way` gets 0.
    #[pin]
    idle: Completion,
    worker: NonNull<Item>,
}

// SAFETY: I/O may be started from any task.
unsafe impl Send for Client {}
// SAFETY: As above, on any number of CPUs at once. Everything else is atomic or never changes.
unsafe impl Sync for Client {}

impl Client {
    /// Notes that a transfer has ended. In any context.
    ///
    /// # Safety
    ///
    /// The client is live, and that transfer is under way.
    pub(super) unsafe fn transfer_ended(client: *const Self) {
        // SAFETY: By the caller's promise the client lives, and by the invariant its worker does.
        unsafe { (*client).worker.as_ref().start() };
        // SAFETY: As above: while the transfer is under way.
        unsafe { Self::release(client) };
    }

    /// Takes one off `under_way`. This is the last use of the client, unless it is in its drop.
    ///
    /// # Safety
    ///
    /// The client is live, and it is one's turn to take one off.
    unsafe fn release(client: *const Self) {
        // SAFETY: By the caller's promise. If it is not the last one, nothing is used from then on. If it is, the drop
        // waits until `complete_all` has released the lock of the completion.
        unsafe {
            if (*client).under_way.fetch_sub(1, Ordering::AcqRel) == 1 {
                (*client).idle.complete_all();
            }
        }
    }
}

#[pinned_drop]
impl PinnedDrop for Client {
    fn drop(self: Pin<&mut Self>) {
        // SAFETY: It is live, and the additional one is ours.
        unsafe { Self::release(core::ptr::from_ref(&*self)) };
        self.idle.wait_for_completion();
        // SAFETY: By the invariant it is ours, and nothing is under way.
        unsafe { bindings::rust_dm_io_client_destroy(self.raw.as_ptr()) };
    }
}

/// Holds the client that the constructor of an instance may ask for.
pub(super) struct Slot(Option<Pin<KBox<Client>>>);

impl Slot {
    /// No client yet.
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// The client, which is made if there is none. It starts `worker`. May sleep.
    ///
    /// # Safety
    ///
    /// - `'t` ends before `self` is dropped.
    /// - `worker` outlives `self`.
    pub(super) unsafe fn io<'t>(&mut self, worker: NonNull<Item>) -> Result<Io<'t>> {
        if self.0.is_none() {
            // SAFETY: The caller may sleep.
            let raw = unsafe { bindings::rust_dm_io_client_create() };
            let raw = NonNull::new(raw).ok_or(ENOMEM)?;
            // INVARIANT: The client has just been made. The caller promises the rest.
            let client = KBox::pin_init(
                pin_init!(Client {
                    raw,
                    under_way: AtomicUsize::new(1),
                    idle <- Completion::new(),
                    worker,
                }),
                GFP_KERNEL,
            );
            if client.is_err() {
                // SAFETY: It is ours, and has not been used.
                unsafe { bindings::rust_dm_io_client_destroy(raw.as_ptr()) };
            }
            self.0 = Some(client?);
        }
        let client = self.0.as_deref().ok_or(ENOMEM)?;

        // SAFETY: It is in a box until `self` is dropped, which is after `'t`.
        Ok(Io(unsafe { NonNull::from(client).as_ref() }))
    }
}
