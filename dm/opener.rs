// SPDX-License-Identifier: GPL-2.0

//! Devices that a target opens after its constructor.
//!
//! Device-mapper's own list of a table's devices has no lock, and is read while the table is in use (`retrieve_deps`,
//! `dm_table_get_devices`). So only constructors may add to it, and these devices are not on it. They are claimed like
//! those, in the name of device-mapper, and `/sys/block/DISK/holders` shows them, but `dmsetup deps` does not.

use super::{
    bindings,
    builder::refuse_device,
    device::{
        Open,
        Role, //
    },
    Args,
    CtrError,
    Device, //
};
use core::ptr::NonNull;
use kernel::{
    bindings::file,
    error::from_err_ptr,
    new_mutex,
    prelude::*,
    sync::Mutex, //
};

/// Opens devices in messages ([`Target::message`]): those that are not part of the mapped device's data, as
/// [`Builder::open`] does.
///
/// A device stays open until the instance is dropped: there may be handles to it.
///
/// This is a handle, like [`Device`].
///
/// [`Builder::open`]: super::Builder::open
/// [`Target::message`]: super::Target::message
#[derive(Clone, Copy)]
pub struct Opener<'t>(&'t Later);

impl<'t> Opener<'t> {
    /// Opens the device that `path`, a word of `args`, names. It may be open already. May sleep, and may wait for the
    /// device, as any program that opens it: do not call it where bios wait.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::next_device`].
    ///
    /// [`Builder::next_device`]: super::Builder::next_device
    pub fn open(self, args: &Args<'_>, path: &CStr) -> Result<Device<'t>, CtrError> {
        self.0
            .open(path)
            .map_err(|errno| refuse_device(args, path, errno))
    }
}

/// The devices that were opened later.
///
/// # Invariants
///
/// - `ti` is live. `claimed` is one of its devices, and open, until this is dropped.
/// - Each device is open, with the claim of `claimed`, and linked to the disk of `ti`. Only `drop` closes it.
#[pin_data(PinnedDrop)]
struct Later {
    ti: NonNull<bindings::dm_target>,
    claimed: Device<'static>,
    #[pin]
    open: Mutex<KVec<(KBox<Open>, NonNull<file>)>>,
}

// SAFETY: Devices may be opened and closed in any task.
unsafe impl Send for Later {}
// SAFETY: As above. What changes is in a lock.
unsafe impl Sync for Later {}

impl Later {
    fn open<'t>(&'t self, path: &CStr) -> Result<Device<'t>> {
        // These come first, so that nothing can fail between opening the device and recording it.
        let mut made = KBox::new(Open::new(self.ti, Role::Other), GFP_KERNEL)?;
        let mut open = self.open.lock();
        open.reserve(1, GFP_KERNEL)?;

        // SAFETY: By the invariants the target is live and the claimed device open. `path` is a string, and the name
        // has space for a device number.
        let file = from_err_ptr(unsafe {
            bindings::rust_dm_open_later(
                self.ti.as_ptr(),
                self.claimed.bdev(),
                path.as_char_ptr(),
                &mut made.dev,
            )
        })?;
        let file = NonNull::new(file).ok_or(ENODEV)?;
        // SAFETY: It stays in its box, and open, until `self` is dropped, which is after `'t`.
        let device = unsafe { Device::of(NonNull::from(&*made)) };

        // INVARIANT: It has just been opened, claimed and linked.
        open.push((made, file), GFP_KERNEL)?;
        Ok(device)
    }
}

#[pinned_drop]
impl PinnedDrop for Later {
    fn drop(self: Pin<&mut Self>) {
        for (_, file) in self.open.lock().iter() {
            // SAFETY: By the invariants the target is live, and the file is that of an open, linked device. This is
            // the last use of it.
            unsafe { bindings::rust_dm_close_later(self.ti.as_ptr(), file.as_ptr()) };
        }
    }
}

/// Holds the opener that the constructor of an instance may ask for.
pub(super) struct Slot(Option<Pin<KBox<Later>>>);

impl Slot {
    /// No opener yet.
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// The opener, which is made if there is none. May sleep.
    ///
    /// # Safety
    ///
    /// - `'t` ends before `self` is dropped.
    /// - `ti` is live until `self` has been dropped, and `claimed`, one of its devices, open.
    pub(super) unsafe fn opener<'t>(
        &mut self,
        ti: NonNull<bindings::dm_target>,
        claimed: Device<'_>,
    ) -> Result<Opener<'t>> {
        if self.0.is_none() {
            // INVARIANT: The caller's promise. No device is open yet.
            let later = pin_init!(Later {
                ti,
                // SAFETY: By the caller's promise it is open until `self` is dropped.
                claimed: unsafe { claimed.extend() },
                open <- new_mutex!(KVec::new()),
            });
            self.0 = Some(KBox::pin_init(later, GFP_KERNEL)?);
        }
        let later = self.0.as_deref().ok_or(ENOMEM)?;

        // SAFETY: It is in a box until `self` is dropped, which is after `'t`.
        Ok(Opener(unsafe { NonNull::from(later).as_ref() }))
    }
}
