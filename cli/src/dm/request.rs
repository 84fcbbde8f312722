// SPDX-License-Identifier: GPL-2.0

//! The bytes of device-mapper's calls, as in the kernel's `include/uapi/linux/dm-ioctl.h`.

use super::call::HEADER;
use crate::disk::Number;

/// The calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Command {
    /// List all devices.
    ListDevices = 2,
    /// Make a device without a table.
    Create = 3,
    /// Remove a device.
    Remove = 4,
    /// Suspend or resume it.
    Suspend = 6,
    /// Report its state.
    Status = 7,
    /// Load its next table.
    Load = 9,
    /// The status or the table of each of its targets.
    TableStatus = 12,
    /// A message to a target.
    Message = 14,
    /// The version of a kind of target. Its module is loaded.
    TargetVersion = 17,
}

/// Flags of a request and of an answer.
pub(super) mod flag {
    pub(in crate::dm) const READONLY: u32 = 1;
    pub(in crate::dm) const SUSPENDED: u32 = 1 << 1;
    pub(in crate::dm) const TABLE: u32 = 1 << 4;
    pub(in crate::dm) const BUFFER_FULL: u32 = 1 << 8;
    pub(in crate::dm) const NO_FLUSH: u32 = 1 << 11;
    pub(in crate::dm) const EVENT: u32 = 1 << 13;
    /// It may contain secrets: the kernel wipes its copies.
    pub(in crate::dm) const SECURE: u32 = 1 << 15;
}

/// The longest name of a device, in bytes.
pub(crate) const NAME_MAX: usize = 127;

/// The size of `struct dm_target_spec`.
const SPEC: usize = 40;

/// A request to device-mapper.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    pub(super) name: String,
    pub(super) flags: u32,
    /// The cookie of udev.
    pub(super) cookie: u32,
    /// How many targets are in `data`.
    pub(super) targets: u32,
    /// What follows the header.
    pub(super) data: Vec<u8>,
}

impl Request {
    /// About the device of this name.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// The bytes, with room for an answer of at least `room`.
    pub(super) fn bytes(&self, room: usize) -> Vec<u8> {
        // The interface's version 4.0.0, which all kernels since 3.x accept.
        let words = [
            4,
            0,
            0,
            0,
            HEADER as u32,
            self.targets,
            0,
            self.flags,
            self.cookie,
            0,
        ];
        let mut bytes: Vec<u8> = words
            .iter()
            .flat_map(|word: &u32| word.to_ne_bytes())
            .collect();
        bytes.extend([0; 8]);
        bytes.extend(self.name.bytes().take(NAME_MAX));
        bytes.resize(HEADER, 0);
        bytes.extend(&self.data);
        bytes.resize(HEADER + room.max(self.data.len()), 0);
        bytes
    }
}

/// Device-mapper's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) flags: u32,
    pub(super) number: Number,
    pub(super) name: String,
    pub(super) targets: u32,
    pub(super) data: Vec<u8>,
}

impl Answer {
    /// Reads the bytes of an answer; `None` if they are too short.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let start = usize::try_from(u32_at(bytes, 16)?).ok()?;
        let end = usize::try_from(u32_at(bytes, 12)?).ok()?;
        Some(Self {
            flags: u32_at(bytes, 28)?,
            number: Number::from_kernel(u64_at(bytes, 40)?),
            name: text(bytes.get(48..176)?),
            targets: u32_at(bytes, 20)?,
            // Without data, the end is before the start.
            data: bytes
                .get(start..end.min(bytes.len()))
                .unwrap_or_default()
                .to_vec(),
        })
    }

    /// The devices of a list.
    pub(super) fn devices(&self) -> Vec<(Number, String)> {
        let mut devices = Vec::new();
        let mut rest = self.data.as_slice();

        while let (Some(number), Some(next), Some(name)) =
            (u64_at(rest, 0), u32_at(rest, 8), rest.get(12..))
        {
            // An empty list has one entry without a number.
            if number != 0 {
                devices.push((Number::from_kernel(number), text(name)));
            }
            match rest.get(next as usize..) {
                Some(more) if next > 0 => rest = more,
                _ => break,
            }
        }
        devices
    }

    /// The targets of a status or table.
    pub(super) fn table(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut at = 0;

        for _ in 0..self.targets {
            let row = self.data.get(at..).and_then(|bytes| {
                let row = Row {
                    start: u64_at(bytes, 0)?,
                    length: u64_at(bytes, 8)?,
                    kind: text(bytes.get(24..SPEC)?),
                    text: text(bytes.get(SPEC..)?),
                };
                Some((row, u32_at(bytes, 20)?))
            });
            let Some((row, next)) = row else { break };
            rows.push(row);
            // It counts from the first target.
            at = next as usize;
        }
        rows
    }
}

/// A target of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its first sector of the mapped device.
    pub(crate) start: u64,
    /// Its sectors.
    pub(crate) length: u64,
    /// Its kind: `imgrement`, `linear` ...
    pub(crate) kind: String,
    /// Its status, or its arguments.
    pub(crate) text: String,
}

impl Row {
    /// The bytes that load it as the only target.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(self.start.to_ne_bytes());
        bytes.extend(self.length.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend(self.kind.bytes().take(15));
        bytes.resize(SPEC, 0);
        bytes.extend(self.text.bytes());
        bytes.push(0);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let length = bytes.len() as u32;
        if let Some(next) = bytes.get_mut(20..24) {
            next.copy_from_slice(&length.to_ne_bytes());
        }
        bytes
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u32::from_ne_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u64::from_ne_bytes)
}

/// A text up to its NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        Row {
            start: 8,
            length: 64,
            kind: "imgrement".into(),
            text: text.into(),
        }
    }

    #[test]
    fn a_request_has_the_kernels_layout() {
        let request = Request {
            cookie: 7,
            data: vec![1; 9],
            ..Request::new("name")
        };
        let bytes = request.bytes(0);
        assert_eq!(bytes.len(), HEADER + 9);
        assert_eq!(u32_at(&bytes, 16), Some(HEADER as u32));
        assert_eq!(u32_at(&bytes, 32), Some(7));
        assert_eq!(bytes.get(48..53), Some(b"name\0".as_slice()));
        assert_eq!(request.bytes(100).len(), HEADER + 100);
    }

    #[test]
    fn an_answer_may_be_without_data() {
        let mut bytes = Request::new("name").bytes(100);
        let answer =
            |bytes: &[u8]| Answer::read(bytes).map(|answer| (answer.name, answer.data.len()));
        // The kernel's `offsetof(struct dm_ioctl, data)`.
        for (size, data) in [(305_u32, 0), (312, 0), (400, 88), (u32::MAX, 100)] {
            bytes.splice(12..16, size.to_ne_bytes());
            assert_eq!(answer(&bytes), Some(("name".into(), data)));
        }
    }

    #[test]
    fn tables_are_read_as_the_kernel_writes_them() {
        let mut answer = Answer {
            flags: 0,
            number: Number::default(),
            name: String::new(),
            targets: 2,
            data: row("8:0 0").bytes(),
        };
        answer.data.extend(row("8:16 0 1 x").bytes());
        assert_eq!(answer.table(), [row("8:0 0"), row("8:16 0 1 x")]);

        // It does not panic, wherever the bytes end.
        for length in 0..answer.data.len() {
            let cut = Answer {
                data: answer.data.get(..length).unwrap_or_default().to_vec(),
                ..answer.clone()
            };
            assert!(cut.table().len() <= 2);
            cut.devices();
            Answer::read(&cut.data);
        }
    }

    #[test]
    fn an_empty_list_has_no_devices() {
        let mut answer = Answer {
            flags: 0,
            number: Number::default(),
            name: String::new(),
            targets: 0,
            data: vec![0; 16],
        };
        assert_eq!(answer.devices(), []);
        answer.data = [
            0xfd00_u64.to_ne_bytes().as_slice(),
            &24_u32.to_ne_bytes(),
            b"first\0......",
            &0xfd01_u64.to_ne_bytes(),
            &0_u32.to_ne_bytes(),
            b"second\0",
        ]
        .concat();
        let names: Vec<_> = answer.devices().into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["first", "second"]);
    }
}
