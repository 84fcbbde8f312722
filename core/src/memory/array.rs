// SPDX-License-Identifier: GPL-2.0

//! Memory for what is built once and then only read: the kernel's, or the standard library's.

use core::ops::DerefMut;

/// Where arrays come from.
pub trait Memory {
    /// An array of a fixed length.
    type Array<T: Copy>: DerefMut<Target = [T]>;
    /// Why there is none.
    type Error;

    /// An array of `len` times `value`. A value may be large, so it does not pass over the stack.
    ///
    /// # Errors
    ///
    /// Where there is no memory for it.
    fn array<T: Copy>(value: &T, len: usize) -> Result<Self::Array<T>, Self::Error>;
}
