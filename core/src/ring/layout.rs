// SPDX-License-Identifier: GPL-2.0

//! The kernel's descriptions of its trace buffers: `events/header_page`, `events/header_event` and the `format` of each
//! event.

use super::{
    u32_at,
    u64_at, //
};

/// A field of a page or of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Where it begins.
    pub offset: usize,
    /// Its size, in bytes.
    pub size: usize,
    /// Whether it is not a value, but says where a text is (`__data_loc`).
    pub located: bool,
}

impl Field {
    /// The field `name` of a description; `None` if there is none.
    pub fn find(description: &str, name: &str) -> Option<Self> {
        description.lines().find_map(|line| {
            let (_, line) = line.split_once("field:")?;
            let (declaration, rest) = line.split_once(';')?;
            let declaration = declaration.trim();
            // An array has its length after its name.
            let declared = declaration.split('[').next()?;
            // `char pattern` is declared as `__data_loc char[] pattern`.
            let declared = match declaration.rsplit_once("] ") {
                Some((_, last)) => last,
                None => declared.rsplit_once(' ')?.1,
            };
            if declared != name {
                return None;
            }
            Some(Self {
                offset: number_after(rest, "offset:")?,
                size: number_after(rest, "size:")?,
                located: declaration.starts_with("__data_loc "),
            })
        })
    }

    /// Its value in an event: a number without a sign. `None` if the event is too short, or the field is no number.
    pub fn number(&self, event: &[u8]) -> Option<u64> {
        match self.size {
            1 => event.get(self.offset).copied().map(u64::from),
            2 => {
                let bytes = event.get(self.offset..)?.first_chunk()?;
                Some(u64::from(u16::from_ne_bytes(*bytes)))
            }
            4 => u32_at(event, self.offset).map(u64::from),
            8 => u64_at(event, self.offset),
            _ => None,
        }
    }

    /// Its bytes in an event, up to the first NUL. `None` if the event is too short.
    pub fn text<'e>(&self, event: &'e [u8]) -> Option<&'e [u8]> {
        let (offset, size) = if self.located {
            let place = u32_at(event, self.offset)?;
            let (size, offset) = (place >> 16, place & 0xffff);
            (usize::try_from(offset).ok()?, usize::try_from(size).ok()?)
        } else {
            (self.offset, self.size)
        };
        let bytes = event.get(offset..offset.checked_add(size)?)?;
        bytes.split(|byte| *byte == 0).next()
    }
}

/// The number of an event, from its `format`.
pub fn event_number(format: &str) -> Option<u64> {
    let line = format.lines().find_map(|line| line.strip_prefix("ID:"))?;
    line.trim().parse().ok()
}

/// The layout of a page. By default it is that of no page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Where the length of the data is, and flags.
    pub(super) commit: usize,
    /// Where the data begins.
    pub(super) data: usize,
    /// The size of a page.
    size: usize,
}

impl Layout {
    /// From `events/header_page` and `events/header_event`. `None` if the entries of this kernel do not have the form
    /// that is known here.
    pub fn read(header_page: &str, header_event: &str) -> Option<Self> {
        let data = Field::find(header_page, "data")?;
        let known = [
            ("type_len", "5 bits"),
            ("time_delta", "27 bits"),
            ("array", "32 bits"),
        ];
        let bits = |name: &str| {
            let mut lines = header_event.lines().filter_map(|line| line.split_once(':'));
            lines.find_map(|(key, value)| (key.trim() == name).then(|| value.trim()))
        };
        if known.iter().any(|(name, value)| bits(name) != Some(*value)) {
            return None;
        }
        Some(Self {
            commit: Field::find(header_page, "commit")?.offset,
            data: data.offset,
            size: data.offset.checked_add(data.size)?,
        })
    }

    /// The size of a page, in bytes.
    pub fn page_size(&self) -> usize {
        self.size
    }
}

/// The number that follows `key`.
fn number_after(text: &str, key: &str) -> Option<usize> {
    let (_, rest) = text.split_once(key)?;
    let (digits, _) = rest.split_once(';')?;
    digits.trim().parse().ok()
}
