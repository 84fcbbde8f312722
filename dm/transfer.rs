// SPDX-License-Identifier: GPL-2.0

//! One read or write by a target itself, and the memory that it uses.

use super::{
    io::Client,
    IoMemory, //
};
use core::{
    ptr::NonNull,
    sync::atomic::{
        AtomicI32,
        AtomicPtr,
        Ordering, //
    },
};
use kernel::{
    bindings::completion,
    error::to_result,
    ffi::{
        c_int,
        c_ulong,
        c_void, //
    },
    prelude::*,
    sync::Arc,
    types::Opaque, //
};

/// Memory, and what one read or write at a time of it needs: nothing more is allocated when one starts.
///
/// [`Io`] starts it, and has it until it has ended.
///
/// [`Io`]: super::Io
pub struct Transfer<M> {
    memory: M,
    ticket: Pin<KBox<Ticket>>,
}

/// For reads, into memory of its own.
pub type ReadBuffer = Transfer<IoMemory>;

/// For writes, from memory that is shared.
pub type Writer = Transfer<Arc<IoMemory>>;

impl ReadBuffer {
    /// Allocates a buffer of `len` bytes. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new(len: usize) -> Result<Self> {
        Self::with(IoMemory::new(len)?)
    }

    /// The bytes that were read. After a read that failed they are arbitrary.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: The memory is valid, initialised and ours alone. Only a read writes to it, and that has the buffer
        // until it has ended.
        unsafe { core::slice::from_raw_parts(self.memory.as_ptr(), self.memory.len()) }
    }
}

impl ReadBuffer {
    /// The bytes, to be changed, for [`Io::write_back`].
    ///
    /// [`Io::write_back`]: super::Io::write_back
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: As in `bytes`, and `self` is borrowed mutably.
        unsafe { core::slice::from_raw_parts_mut(self.memory.as_ptr(), self.memory.len()) }
    }
}

impl Writer {
    /// For writes from `memory`. May sleep.
    ///
    /// # Errors
    ///
    /// `ENOMEM`.
    pub fn new(memory: Arc<IoMemory>) -> Result<Self> {
        Self::with(memory)
    }

    /// The memory that it writes from.
    pub fn memory(&self) -> &Arc<IoMemory> {
        &self.memory
    }
}

impl<M> Transfer<M> {
    fn with(memory: M) -> Result<Self> {
        let ticket = KBox::pin_init(Ticket::new(), GFP_KERNEL)?;

        Ok(Self { memory, ticket })
    }

    /// The memory.
    pub(super) fn raw_memory(&self) -> &M {
        &self.memory
    }

    /// Refuses it: it ends at once.
    pub(super) fn refuse(self, error: Error) -> Pending<M> {
        self.ticket
            .result
            .store(error.to_errno(), Ordering::Relaxed);
        Pending {
            // INVARIANT: There is nothing to wait for.
            under_way: UnderWay(None),
            transfer: self,
        }
    }

    /// Lets `start` start it. `start` gets the context for [`ended`].
    ///
    /// # Safety
    ///
    /// - `start` makes [`ended`] be called once, in any context, with its context. The memory is no longer used then.
    /// - `client` lives until [`ended`] tells it.
    pub(super) unsafe fn start(
        self,
        client: &Client,
        start: impl FnOnce(*mut c_void),
    ) -> Pending<M> {
        let ticket = NonNull::from(&*self.ticket);
        let client = core::ptr::from_ref(client).cast_mut();

        self.ticket.result.store(BUSY, Ordering::Relaxed);
        self.ticket.client.store(client, Ordering::Relaxed);
        start(ticket.as_ptr().cast());
        Pending {
            // INVARIANT: The ticket is in its box, which the `Pending` drops later. By the caller's promise it will be
            // completed.
            under_way: UnderWay(Some(ticket)),
            transfer: self,
        }
    }
}

/// A read or write that is under way or has ended. It has the memory until [`Self::wait`] gives that back.
///
/// Dropping it waits for its end. If it is leaked, so is the memory, and the instance waits for its end before it
/// closes its devices.
#[must_use = "dropping it waits"]
pub struct Pending<M> {
    // Dropped first: it waits, while the memory is still there.
    under_way: UnderWay,
    transfer: Transfer<M>,
}

impl<M> Pending<M> {
    /// Whether it has ended. In any context.
    pub fn is_done(&self) -> bool {
        self.transfer.ticket.result.load(Ordering::Acquire) != BUSY
    }

    /// Waits for its end. May sleep, even if it has ended. Gives the memory back, and its result: `EIO` if the device
    /// failed any part of it, `EOPNOTSUPP` if the device cannot do it, `EINVAL` if it was refused.
    pub fn wait(self) -> (Transfer<M>, Result) {
        let Self {
            under_way,
            transfer,
        } = self;

        drop(under_way);
        let result = to_result(transfer.ticket.result.load(Ordering::Acquire));
        (transfer, result)
    }
}

/// Waits, when it is dropped, until a ticket has been completed.
///
/// # Invariants
///
/// The ticket, if any, outlives this. It has been started, and only this waits for it.
struct UnderWay(Option<NonNull<Ticket>>);

// SAFETY: Any task may wait.
unsafe impl Send for UnderWay {}
// SAFETY: A shared reference has no methods.
unsafe impl Sync for UnderWay {}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(ticket) = self.0 {
            // SAFETY: By the invariant the ticket lives, and will be completed once.
            unsafe {
                let done = Opaque::cast_into(&raw const (*ticket.as_ptr()).done);
                kernel::bindings::wait_for_completion_io(done);
            }
        }
    }
}

/// The result of a transfer that is under way. It is no errno.
const BUSY: c_int = 1;

/// Where a transfer's end is noted.
#[pin_data]
struct Ticket {
    /// [`BUSY`], 0 or an errno.
    result: AtomicI32,
    /// Whom to tell of the end.
    client: AtomicPtr<Client>,
    /// Completed once for each transfer, after its result has been set.
    #[pin]
    done: Opaque<completion>,
}

// SAFETY: A completion may be completed and waited for in any task.
unsafe impl Send for Ticket {}
// SAFETY: As above, also at once. Everything else is atomic.
unsafe impl Sync for Ticket {}

impl Ticket {
    fn new() -> impl PinInit<Self> {
        pin_init!(Self {
            result: AtomicI32::new(0),
            client: AtomicPtr::new(core::ptr::null_mut()),
            // SAFETY: The memory is valid, and does not move.
            done <- Opaque::ffi_init(|done| unsafe { kernel::bindings::init_completion(done) }),
        })
    }
}

/// Ends a transfer: the callback for `dm_io`, in any context. The arguments are bits, one for each region.
///
/// # Safety
///
/// `context` is that of a transfer that has been started ([`Transfer::start`]), and is not used again.
pub(super) unsafe extern "C" fn ended(error: c_ulong, unsupported: c_ulong, context: *mut c_void) {
    let ticket = context.cast::<Ticket>();
    let result = match (error, unsupported) {
        (0, 0) => 0,
        (0, _) => EOPNOTSUPP.to_errno(),
        _ => EIO.to_errno(),
    };

    // SAFETY: The ticket lives until it has been completed. That is its last use: a waiter takes the lock of the
    // completion, and so leaves only after `complete` has released it.
    let client = unsafe {
        let client = (*ticket).client.load(Ordering::Relaxed);

        (*ticket).result.store(result, Ordering::Release);
        kernel::bindings::complete(Opaque::cast_into(&raw const (*ticket).done));
        client
    };
    // SAFETY: By the caller's promise the client lives until now.
    unsafe { Client::transfer_ended(client) };
}
