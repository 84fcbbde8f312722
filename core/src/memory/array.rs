// SPDX-License-Identifier: GPL-2.0

//! Memory for what is built once and then only read: from the kernel, or from the standard library.

use core::ops::DerefMut;

/// A source of arrays.
pub trait Memory {
    /// An array of a fixed length.
    type Array<T: Copy>: DerefMut<Target = [T]>;
    /// The error if there is no memory.
    type Error;

    /// An array of `len` copies of `value`. A value may be large, so it is not passed on the stack.
    ///
    /// # Errors
    ///
    /// If there is no memory for it.
    fn array<T: Copy>(value: &T, len: usize) -> Result<Self::Array<T>, Self::Error>;
}
