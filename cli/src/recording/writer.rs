// SPDX-License-Identifier: GPL-2.0

//! Writes a recording.

use super::{
    columns::{
        fields,
        signed,
        Builders,
        Words, //
    },
    frame::Packer,
    head::{
        Head,
        KEY, //
    },
    row::{
        Delta,
        Event,
        Kind,
        Match,
        Row, //
    },
};
use arrow_array::RecordBatch;
use arrow_ipc::writer::{
    write_message,
    DictionaryTracker,
    IpcDataGenerator,
    IpcWriteContext,
    IpcWriteOptions, //
};
use arrow_schema::{
    ArrowError,
    Schema,
    SchemaRef, //
};
use std::{
    collections::HashMap,
    io::{
        self,
        Write, //
    },
    sync::Arc,
};

/// How many rows a frame has at most.
const ROWS: usize = 1 << 14;

/// How many segments and occurrences a frame has at most, if its last request has none.
const PARTS: usize = 1 << 18;

/// The schema of a recording.
pub(crate) fn schema(head: &Head) -> Result<Schema, ArrowError> {
    let json =
        serde_json::to_string(head).map_err(|error| ArrowError::JsonError(error.to_string()))?;
    Ok(Schema::new_with_metadata(
        fields(),
        HashMap::from([(KEY.to_owned(), json)]),
    ))
}

/// Writes a recording. After an error, the file has all whole frames before it, and maybe a part of one.
pub struct Writer<W> {
    file: W,
    schema: SchemaRef,
    words: Words,
    builders: Builders,
    rows: usize,
    packer: Packer,
    written: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a recording.
    pub fn new(file: W, head: &Head) -> io::Result<Self> {
        let schema = schema(head).map_err(io::Error::other)?;
        let mut writer = Self {
            file,
            schema: Arc::new(schema),
            words: Words::new(head.devices.iter().map(|device| device.name.as_str())),
            builders: Builders::new(),
            rows: 0,
            packer: Packer::new()?,
            written: 0,
        };
        let mut message = Vec::new();
        let mut tracker = DictionaryTracker::new(false);
        let options = IpcWriteOptions::default();
        let encoded = IpcDataGenerator::default().schema_to_bytes_with_dictionary_tracker(
            &writer.schema,
            &mut tracker,
            &options,
        );
        write_message(&mut message, encoded, &options).map_err(io::Error::other)?;
        writer.frame(&message)?;
        Ok(writer)
    }

    /// Adds a row, and for a request its segments and the occurrences of patterns in it, if they were asked for.
    pub fn add(
        &mut self,
        row: &Row<'_>,
        deltas: Option<&[Delta]>,
        matches: Option<&[Match<'_>]>,
    ) -> io::Result<()> {
        let to = &mut self.builders;
        to.time.append_value(row.time);
        to.device.append_option(row.device);
        to.deltas.append(deltas);
        to.matches.append(matches);
        let kind = match row.event {
            Event::Request(_) => Kind::Request,
            Event::Mark(_) => Kind::Mark,
            Event::Table { .. } => Kind::Table,
            Event::Lost { .. } => Kind::Lost,
        };
        to.kind.append_value(kind as u8);

        let request = match &row.event {
            Event::Request(request) => Some(request),
            Event::Mark(_) | Event::Table { .. } | Event::Lost { .. } => None,
        };
        let begin = request.and_then(|request| request.begin);
        let bits = |number: u32| i32::from_ne_bytes(number.to_ne_bytes());
        to.id
            .append_option(request.map(|request| signed(request.id)));
        to.op
            .append_option(request.map(|request| request.op.code()));
        to.flags
            .append_option(request.map(|request| bits(request.flags)));
        to.sector
            .append_option(request.map(|request| signed(request.sector)));
        to.bytes
            .append_option(request.map(|request| i64::from(request.bytes)));
        to.errno
            .append_option(request.and_then(|request| request.errno).map(bits));
        to.latency
            .append_option(request.and_then(|request| request.latency).map(signed));
        to.command
            .append_option(request.map(|request| request.command));
        to.pid.append_option(begin.map(|begin| bits(begin.pid)));
        to.cgroup
            .append_option(begin.map(|begin| signed(begin.cgroup)));
        to.segments
            .append_option(begin.map(|begin| i64::from(begin.segments)));
        to.hits
            .append_option(begin.map(|begin| i64::from(begin.hits)));
        to.page
            .append_option(begin.map(|begin| i64::from(begin.page)));
        to.copy
            .append_option(begin.map(|begin| i64::from(begin.copy)));
        to.across
            .append_option(begin.map(|begin| i64::from(begin.across)));

        let (cpu, lost, reason, text) = match row.event {
            Event::Request(_) => (begin.map(|begin| begin.cpu), None, None, None),
            Event::Mark(text) => (None, None, None, Some(text)),
            Event::Table { reason, line } => (None, None, Some(reason), Some(line)),
            Event::Lost { cpu, events } => (cpu, events, None, None),
        };
        to.cpu.append_option(cpu.map(bits));
        to.lost.append_option(lost.map(signed));
        to.reason.append_option(reason);
        to.text.append_option(text);

        self.rows += 1;
        let parts = to.deltas.len().max(to.matches.len());
        match self.rows >= ROWS || parts >= PARTS {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Writes the rows that are not yet in the file.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        let message = self.batch().map_err(io::Error::other)?;
        self.frame(&message)
    }

    /// The messages for the rows. All dictionaries are among them, so that a reader needs no frame before this one.
    fn batch(&mut self) -> Result<Vec<u8>, ArrowError> {
        let columns = self.builders.finish(&self.words)?;
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        let (generator, options) = (IpcDataGenerator::default(), IpcWriteOptions::default());
        let mut tracker = DictionaryTracker::new(false);
        // This gives the dictionaries their numbers.
        generator.schema_to_bytes_with_dictionary_tracker(&self.schema, &mut tracker, &options);
        let mut context = IpcWriteContext::default();
        let (dictionaries, rows) =
            generator.encode(&batch, &mut tracker, &options, &mut context)?;
        let mut message = Vec::new();
        for encoded in dictionaries.into_iter().chain([rows]) {
            write_message(&mut message, encoded, &options)?;
        }
        Ok(message)
    }

    /// Writes a frame.
    fn frame(&mut self, content: &[u8]) -> io::Result<()> {
        let frame = self.packer.pack(content)?;
        self.file.write_all(&frame)?;
        let length = u64::try_from(frame.len()).unwrap_or(u64::MAX);
        self.written = self.written.saturating_add(length);
        Ok(())
    }

    /// How many bytes the file has. All of them are whole frames.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// What it writes to.
    pub fn file(&self) -> &W {
        &self.file
    }

    /// The same. Nothing may be written to it.
    pub(crate) fn file_mut(&mut self) -> &mut W {
        &mut self.file
    }

    /// Ends the recording. Nothing may be added afterwards.
    pub fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        // The mark of the end of an Arrow stream.
        self.frame(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0])?;
        self.file.flush()
    }

    /// Ends the recording, and returns its file.
    pub fn finish(mut self) -> io::Result<W> {
        self.end()?;
        Ok(self.file)
    }
}
