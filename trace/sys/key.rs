// SPDX-License-Identifier: GPL-2.0

//! A pattern that is stored in a key, so that it is in no table, no log and no command line.
//!
//! A leaf with `unsafe`: the kernel crate has no keys.

#![allow(unsafe_code)]

use super::bindings;
use crate::{
    config::{
        pattern::KEY_NAME_MAX,
        text::Text, //
    },
    search::set::PATTERN_MAX, //
};
use kernel::prelude::*;

/// Reads the content of the logon key of this name, as the calling task finds it, into `bytes`. May sleep.
///
/// # Errors
///
/// `EMSGSIZE` if that is longer than a pattern may be, and the errors of `request_key`: `ENOKEY`, `EKEYEXPIRED`,
/// `EKEYREVOKED` and others.
pub(crate) fn read(name: &Text<KEY_NAME_MAX>, bytes: &mut Text<PATTERN_MAX>) -> Result {
    if name.as_bytes().contains(&0) {
        // No key has such a name.
        return Err(ENOKEY);
    }
    let mut description = [0; KEY_NAME_MAX + 1];
    for (to, from) in description.iter_mut().zip(name.as_bytes()) {
        *to = *from;
    }
    let description = CStr::from_bytes_until_nul(&description).map_err(|_| ENOKEY)?;

    bytes.fill(|room| {
        // SAFETY: The description is a string, and there is space for that many bytes.
        let len = unsafe {
            bindings::imgrement_read_key(
                description.as_char_ptr(),
                room.as_mut_ptr().cast(),
                room.len(),
            )
        };
        usize::try_from(len).map_err(|_| Error::from_errno(len as i32))
    })
}
