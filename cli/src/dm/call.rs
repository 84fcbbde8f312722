// SPDX-License-Identifier: GPL-2.0

//! The one system call to device-mapper. It is `unsafe`, because the kernel writes to the memory that it is given.

#![allow(unsafe_code)]

use rustix::{
    fd::BorrowedFd,
    io::Errno,
    ioctl::{
        ioctl,
        opcode,
        Ioctl,
        IoctlOutput,
        Opcode, //
    }, //
};
use std::ffi::c_void;

/// The size of `struct dm_ioctl`.
pub(super) const HEADER: usize = 312;

/// The offset of `data_size` in it.
const DATA_SIZE: usize = 12;

/// Makes the call `command`. `buffer` begins with a `struct dm_ioctl` in the machine's byte order, and the answer is
/// written over it.
///
/// # Errors
///
/// The kernel's. `EINVAL` if the buffer is shorter than the header, or longer than 4 GiB.
pub(super) fn call(control: BorrowedFd<'_>, command: u8, buffer: &mut [u8]) -> Result<(), Errno> {
    let size = u32::try_from(buffer.len()).map_err(|_| Errno::INVAL)?;

    if buffer.len() < HEADER {
        return Err(Errno::INVAL);
    }
    buffer
        .get_mut(DATA_SIZE..DATA_SIZE + 4)
        .ok_or(Errno::INVAL)?
        .copy_from_slice(&size.to_ne_bytes());
    // SAFETY: The kernel reads and writes `data_size` bytes, which is the length of the buffer, as set above.
    unsafe { ioctl(control, Call { command, buffer }) }
}

/// One call.
///
/// # Invariants
///
/// `buffer` begins with a `struct dm_ioctl`, whose `data_size` is the length of `buffer`.
struct Call<'b> {
    command: u8,
    buffer: &'b mut [u8],
}

// SAFETY: The opcode is that of device-mapper's calls, all of which read and write a `struct dm_ioctl` and what follows
// it, `data_size` bytes in total. By the invariant, that is `buffer`.
unsafe impl Ioctl for Call<'_> {
    type Output = ();

    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        opcode::read_write::<[u8; HEADER]>(0xfd, self.command)
    }

    fn as_ptr(&mut self) -> *mut c_void {
        self.buffer.as_mut_ptr().cast()
    }

    unsafe fn output_from_ptr(_output: IoctlOutput, _buffer: *mut c_void) -> Result<(), Errno> {
        Ok(())
    }
}
