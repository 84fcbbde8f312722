// SPDX-License-Identifier: GPL-2.0

//! The system calls to loop devices, as in the kernel's `include/uapi/linux/loop.h`. They are `unsafe`, because the
//! kernel reads the memory that it is given.

#![allow(unsafe_code)]

use rustix::{
    fd::{
        AsRawFd,
        BorrowedFd, //
    },
    io::Errno,
    ioctl::{
        ioctl,
        Ioctl,
        IoctlOutput,
        Opcode,
        Setter, //
    }, //
};
use std::ffi::c_void;

const LOOP_CONFIGURE: Opcode = 0x4c0a;
const LOOP_CTL_GET_FREE: Opcode = 0x4c82;

/// The flags of `struct loop_info64`: the device goes with its last user, and its I/O is direct.
const AUTOCLEAR: u32 = 4;
const DIRECT_IO: u32 = 16;

/// The size of `struct loop_config`.
const CONFIG: usize = 304;

/// The offset of `info.lo_flags` in it.
const FLAGS: usize = 8 + 52;

/// The number of a device that is free.
pub(super) fn free(control: BorrowedFd<'_>) -> Result<u32, Errno> {
    // SAFETY: The call takes no memory.
    let number = unsafe { ioctl(control, Free) }?;
    u32::try_from(number).map_err(|_| Errno::NODEV)
}

/// Makes `device` a device of `file`.
pub(super) fn configure(
    device: BorrowedFd<'_>,
    file: BorrowedFd<'_>,
    direct: bool,
) -> Result<(), Errno> {
    let fd = u32::try_from(file.as_raw_fd()).map_err(|_| Errno::BADF)?;
    let flags = AUTOCLEAR | if direct { DIRECT_IO } else { 0 };
    let mut config = [0; CONFIG];
    for (at, word) in [(0, fd), (FLAGS, flags)] {
        config
            .get_mut(at..at + 4)
            .ok_or(Errno::INVAL)?
            .copy_from_slice(&word.to_ne_bytes());
    }
    // SAFETY: The kernel reads a `struct loop_config`, whose size is that of `config`.
    unsafe { ioctl(device, Setter::<LOOP_CONFIGURE, _>::new(config)) }
}

/// Asks for a free device. The answer is what the call returns.
struct Free;

// SAFETY: The call reads and writes no memory.
unsafe impl Ioctl for Free {
    type Output = IoctlOutput;

    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        LOOP_CTL_GET_FREE
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::null_mut()
    }

    unsafe fn output_from_ptr(
        output: IoctlOutput,
        _none: *mut c_void,
    ) -> Result<IoctlOutput, Errno> {
        Ok(output)
    }
}
