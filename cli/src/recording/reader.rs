// SPDX-License-Identifier: GPL-2.0

//! Reads a recording, a batch of rows at a time. A file may have any bytes: what is whole in it is read, and the rest is
//! reported.

use super::{
    columns::{
        fields,
        number,
        small,
        text,
        Arrays, //
    },
    frame::{
        Frame,
        Frames, //
    },
    head::{
        Device,
        Head,
        KEY,
        VERSION, //
    },
    row::{
        op_name,
        Begin,
        Delta,
        Event,
        Kind,
        Match,
        Request,
        Row, //
    },
    writer::schema,
};
use crate::failure::Failure;
use arrow_array::{
    types::UInt8Type,
    Array,
    DictionaryArray,
    RecordBatch,
    StringArray, //
};
use arrow_buffer::Buffer;
use arrow_ipc::{
    reader::StreamDecoder,
    root_as_message,
    writer::StreamWriter, //
};
use arrow_schema::DataType;
use imgrement_core::record::Op;
use rustix::fs::{
    flock,
    FlockOperation, //
};
use std::{
    fs::File,
    io::{
        self,
        Read, //
    },
    path::Path,
};

/// What begins each message of an Arrow stream.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// Why a file is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// These bytes of the file are broken.
    Broken {
        /// Where they begin.
        at: u64,
        /// Where the next frame begins.
        end: u64,
    },
    /// The file ends too early: the recorder was killed, or the file was cut.
    Cut {
        /// Where the last whole frame ends.
        at: u64,
    },
}

impl std::fmt::Display for Flaw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken { at, end } => write!(f, "bytes {at} to {} are broken", end - 1),
            Self::Cut { at } => write!(f, "it has no end: its last whole frame ends at byte {at}"),
        }
    }
}

/// Reads a recording.
pub struct Reader<R> {
    frames: Frames<R>,
    head: Head,
    decoder: StreamDecoder,
    flaws: Vec<Flaw>,
    /// Somebody writes to the file, so it need not have an end.
    growing: bool,
    /// The mark of the end was read.
    ended: bool,
    /// A batch that was read to find the head.
    first: Option<Batch>,
}

impl Reader<File> {
    /// Opens a recording.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::new(format_args!("cannot read {}: {error}", path.display()))
        };
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(Failure::new(format_args!(
                "cannot read {}: it is a folder",
                path.display()
            )));
        }
        // The recorder locks the file that it writes to.
        let growing = flock(&file, FlockOperation::NonBlockingLockShared)
            == Err(rustix::io::Errno::WOULDBLOCK);
        let mut reader = Self::new(file, growing).map_err(failed)?;
        reader.begin().map_err(failed)?;
        if reader.first.is_none() && !reader.growing && reader.head.version == 0 {
            return Err(
                Failure::new(format_args!("{} is not a recording", path.display()))
                    .next("Recordings are made by: imgrement record NAME -o FILE"),
            );
        }
        if reader.head.version > VERSION {
            return Err(Failure::new(format_args!(
                "cannot read {}: its format is version {}, and this command knows version {VERSION}",
                path.display(),
                reader.head.version
            ))
            .next("Use the command that made it, or a later one."));
        }
        Ok(reader)
    }
}

impl<R: Read> Reader<R> {
    /// Reads from any file. `growing` says that it need not have an end.
    pub fn new(file: R, growing: bool) -> io::Result<Self> {
        Ok(Self {
            frames: Frames::new(file)?,
            head: Head::default(),
            decoder: decoder()?,
            flaws: Vec::new(),
            growing,
            ended: false,
            first: None,
        })
    }

    /// Reads up to the head, or the first batch if the head is broken.
    fn begin(&mut self) -> io::Result<()> {
        self.first = self.read(true)?;
        Ok(())
    }

    /// What is known about the recording. If that part of the file is broken, only the names of devices are known, once
    /// they were read.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The next rows; `None` at the end.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, Failure> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        self.read(false)
            .map_err(|error| Failure::new(format_args!("cannot read the recording: {error}")))
    }

    /// How many bytes of the file were read.
    pub fn at(&self) -> u64 {
        self.frames.at()
    }

    /// What is broken in the file, so far.
    pub fn flaws(&self) -> &[Flaw] {
        &self.flaws
    }

    /// To be called after the last batch: fails if a part of the file could not be read.
    pub fn finish(self) -> Result<(), Failure> {
        if self.flaws.is_empty() {
            return Ok(());
        }
        let mut failure = Failure::new("the recording is not whole; the rest of it was read");
        for flaw in self.flaws.iter().take(10) {
            failure = failure.next(flaw);
        }
        if self.flaws.len() > 10 {
            failure = failure.next(format_args!("and {} more places", self.flaws.len() - 10));
        }
        Err(failure)
    }

    /// Reads up to the next batch, or to the head if that is what is looked for.
    fn read(&mut self, to_head: bool) -> io::Result<Option<Batch>> {
        loop {
            let (at, content) = match self.frames.next()? {
                Frame::Whole { at, content } => (at, content),
                Frame::Broken { at, end } => {
                    self.flaws.push(Flaw::Broken { at, end });
                    continue;
                }
                Frame::Cut { at } => {
                    if !self.growing {
                        self.flaws.push(Flaw::Cut { at });
                    }
                    // The flaw is reported once.
                    self.ended = true;
                    return Ok(None);
                }
                Frame::End => {
                    if !self.ended && !self.growing {
                        self.flaws.push(Flaw::Cut {
                            at: self.frames.at(),
                        });
                    }
                    self.ended = true;
                    return Ok(None);
                }
            };
            if content.get(..8) == Some(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]) {
                self.ended = true;
                continue;
            }
            if let Some(head) = head_of(&content) {
                self.head = head;
                if to_head {
                    return Ok(None);
                }
                continue;
            }
            match self.batch(content)? {
                Some(batch) => return Ok(Some(batch)),
                None => self.flaws.push(Flaw::Broken {
                    at,
                    end: self.frames.at(),
                }),
            }
        }
    }

    /// The rows of a frame; `None` if it is none of ours.
    fn batch(&mut self, content: Vec<u8>) -> io::Result<Option<Batch>> {
        let mut content = Buffer::from_vec(content);
        let batch = match is_sound(&content) {
            true => self.decoder.decode(&mut content),
            false => Ok(None),
        };
        let batch = match batch {
            Ok(batch) if content.is_empty() => batch,
            // The decoder may be in the middle of a message.
            Ok(_) | Err(_) => {
                self.decoder = decoder()?;
                None
            }
        };
        Ok(batch.and_then(|batch| Batch::new(&batch, &mut self.head.devices)))
    }
}

/// A decoder for our batches. It has our own schema, not that of the file.
fn decoder() -> io::Result<StreamDecoder> {
    let mut schema_message = Vec::new();
    let schema = schema(&Head::default()).map_err(io::Error::other)?;
    StreamWriter::try_new(&mut schema_message, &schema).map_err(io::Error::other)?;
    let mut decoder = StreamDecoder::new();
    decoder
        .decode(&mut Buffer::from_vec(schema_message))
        .map_err(io::Error::other)?;
    Ok(decoder)
}

/// Takes a message apart: what describes it, its body, and what follows.
fn message(content: &[u8]) -> Option<(arrow_ipc::Message<'_>, &[u8], &[u8])> {
    let rest = content.strip_prefix(&CONTINUATION)?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (description, rest) = rest.split_at_checked(length)?;
    let message = root_as_message(description).ok()?;
    let (body, rest) = rest.split_at_checked(usize::try_from(message.bodyLength()).ok()?)?;
    Some((message, body, rest))
}

/// The head, if this is the message with the schema.
fn head_of(content: &[u8]) -> Option<Head> {
    let (message, _, _) = message(content)?;
    let metadata = message.header_as_schema()?.custom_metadata()?;
    let entry = metadata.iter().find(|entry| entry.key() == Some(KEY))?;
    serde_json::from_str(entry.value()?).ok()
}

/// Whether the messages of a frame stay within it. The decoder would panic where they do not.
fn is_sound(content: &[u8]) -> bool {
    let fields = fields();
    let columns: Vec<_> = fields.iter().map(|field| field.data_type()).collect();
    let mut rest = content;
    while !rest.is_empty() {
        let Some((message, body, next)) = message(rest) else {
            return false;
        };
        let sound = match message.header_as_dictionary_batch() {
            // Ours are never continued.
            Some(dictionary) => {
                !dictionary.isDelta()
                    && dictionary
                        .data()
                        .is_some_and(|batch| is_batch_sound(&batch, body, &[&DataType::Utf8]))
            }
            None => message
                .header_as_record_batch()
                .is_some_and(|batch| is_batch_sound(&batch, body, &columns)),
        };
        if !sound {
            return false;
        }
        rest = next;
    }
    true
}

/// The buffers of some columns, as Arrow lays them out.
#[derive(Default)]
struct Buffers {
    /// The size of the elements of each.
    sizes: Vec<usize>,
    /// For each column, and each column within one, the buffer that has a bit for each element that may be missing.
    bits: Vec<usize>,
}

impl Buffers {
    fn add(&mut self, column: &DataType) {
        self.bits.push(self.sizes.len());
        self.sizes.push(1);
        if let DataType::Struct(fields) = column {
            fields.iter().for_each(|field| self.add(field.data_type()));
        } else if let DataType::List(item) = column {
            self.sizes.push(size_of::<i32>());
            self.add(item.data_type());
        } else if *column == DataType::Utf8 {
            self.sizes.extend([size_of::<i32>(), 1]);
        } else if let DataType::Dictionary(key, _) = column {
            self.sizes.push(key.primitive_width().unwrap_or(1));
        } else {
            self.sizes.push(column.primitive_width().unwrap_or(1));
        }
    }
}

/// Whether a batch with columns of these types lies within its body.
fn is_batch_sound(batch: &arrow_ipc::RecordBatch<'_>, body: &[u8], columns: &[&DataType]) -> bool {
    let (Some(nodes), Some(buffers)) = (batch.nodes(), batch.buffers()) else {
        return false;
    };
    let mut wanted = Buffers::default();
    columns.iter().for_each(|column| wanted.add(column));
    if batch.compression().is_some()
        || nodes.len() != wanted.bits.len()
        || buffers.len() != wanted.sizes.len()
    {
        return false;
    }
    let within = buffers.iter().zip(&wanted.sizes).all(|(buffer, size)| {
        let offset = usize::try_from(buffer.offset()).ok();
        let length = usize::try_from(buffer.length()).ok();
        let (Some(offset), Some(length)) = (offset, length) else {
            return false;
        };
        let end = offset.checked_add(length);
        offset % 8 == 0 && length % size == 0 && end.is_some_and(|end| end <= body.len())
    });
    // Each element has a bit that says whether it is there, unless all are.
    let bits = nodes.iter().zip(&wanted.bits).all(|(node, place)| {
        let (length, missing) = (node.length(), node.null_count());
        (0..=ELEMENTS).contains(&length)
            && (0..=length).contains(&missing)
            && (missing == 0 || buffers.get(*place).length().saturating_mul(8) >= length)
    });
    within && bits
}

/// The most elements that a column can have in a frame.
const ELEMENTS: i64 = 1 << 30;

/// Some rows of a recording.
pub struct Batch {
    columns: RecordBatch,
    rows: usize,
    arrays: Arrays,
    kinds: Vec<Option<Kind>>,
    ops: Vec<Op>,
    devices: Vec<Option<u8>>,
}

impl Batch {
    /// `devices` gets the names that it does not have.
    fn new(batch: &RecordBatch, devices: &mut Vec<Device>) -> Option<Self> {
        let arrays = Arrays::new(batch)?;
        let kind = |word: &str| Kind::ALL.iter().find(|kind| kind.name() == word).copied();
        let op = |word: &str| Op::ALL.iter().find(|op| op_name(**op) == word).copied();
        let mut device = |word: &str| {
            let known = devices.iter().position(|device| device.name == word);
            let index = known.unwrap_or(devices.len());
            let index = u8::try_from(index).ok()?;
            if known.is_none() {
                devices.push(Device {
                    name: word.to_owned(),
                    ..Device::default()
                });
            }
            Some(index)
        };
        Some(Self {
            columns: batch.clone(),
            rows: batch.num_rows(),
            kinds: words(&arrays.kind)?
                .iter()
                .map(|word| kind(word.unwrap_or_default()))
                .collect(),
            ops: words(&arrays.op)?
                .iter()
                .map(|word| op(word.unwrap_or_default()).unwrap_or(Op::Other))
                .collect(),
            devices: words(&arrays.device)?
                .iter()
                .map(|word| device(word.unwrap_or_default()))
                .collect(),
            arrays,
        })
    }

    /// How many rows it has.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// All its columns. The metadata of their schema is not that of the recording.
    pub fn columns(&self) -> &RecordBatch {
        &self.columns
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows. A row of a kind that this version does not know is left out.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> + '_ {
        (0..self.rows).filter_map(|row| self.row(row))
    }

    /// A row; `None` if there is none, or its kind is unknown to this version.
    pub fn row(&self, row: usize) -> Option<Row<'_>> {
        let arrays = &self.arrays;
        let event = match self.kinds.get(key(&arrays.kind, row)?).copied()?? {
            Kind::Request => Event::Request(self.request(row)?),
            Kind::Mark => Event::Mark(text(&arrays.text, row).unwrap_or_default()),
            Kind::Table => Event::Table {
                reason: text(&arrays.reason, row).unwrap_or_default(),
                line: text(&arrays.text, row).unwrap_or_default(),
            },
            Kind::Lost => Event::Lost {
                cpu: number(&arrays.cpu, row).map(|cpu| small(Some(cpu))),
                events: number(&arrays.lost, row),
            },
        };
        Some(Row {
            time: arrays.time.values().get(row).copied()?,
            device: key(&arrays.device, row)
                .and_then(|key| self.devices.get(key).copied())
                .flatten(),
            event,
        })
    }

    fn request(&self, row: usize) -> Option<Request<'_>> {
        let arrays = &self.arrays;
        let op = key(&arrays.op, row).and_then(|key| self.ops.get(key).copied());
        Some(Request {
            id: number(&arrays.id, row).unwrap_or_default(),
            op: op.unwrap_or(Op::Other),
            flags: small(number(&arrays.flags, row)),
            sector: number(&arrays.sector, row).unwrap_or_default(),
            bytes: small(number(&arrays.bytes, row)),
            errno: number(&arrays.errno, row).map(|errno| small(Some(errno))),
            latency: number(&arrays.latency, row),
            command: text(&arrays.command, row).unwrap_or_default(),
            begin: number(&arrays.cpu, row).map(|cpu| Begin {
                cpu: small(Some(cpu)),
                pid: small(number(&arrays.pid, row)),
                cgroup: number(&arrays.cgroup, row).unwrap_or_default(),
                segments: small(number(&arrays.segments, row)),
                hits: small(number(&arrays.hits, row)),
                page: small(number(&arrays.page, row)),
                copy: small(number(&arrays.copy, row)),
                across: small(number(&arrays.across, row)),
            }),
        })
    }

    /// The segments of the request of a row; `None` if they are not in the recording.
    pub fn deltas(&self, row: usize) -> Option<impl Iterator<Item = Delta> + '_> {
        self.arrays.deltas.row(row)
    }

    /// The occurrences of patterns in the request of a row; `None` if they are not in the recording.
    pub fn matches(&self, row: usize) -> Option<impl Iterator<Item = Match<'_>>> {
        self.arrays.matches.row(row)
    }
}

/// The words of a dictionary.
fn words(array: &DictionaryArray<UInt8Type>) -> Option<&StringArray> {
    array.values().as_any().downcast_ref()
}

/// The key of a row; `None` if it has no word.
fn key(array: &DictionaryArray<UInt8Type>, row: usize) -> Option<usize> {
    let keys = array.keys();
    if keys.is_null(row) {
        return None;
    }
    keys.values().get(row).copied().map(usize::from)
}
