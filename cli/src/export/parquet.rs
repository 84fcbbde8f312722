// SPDX-License-Identifier: GPL-2.0

//! Apache Parquet: one file, or a folder that is divided as Hive does it (`host=NAME/day=2026-11-27/part-TIME-0.parquet`),
//! which DuckDB, Spark, Polars and others read as one table. Each recording has files of its own in it.

use super::{
    device_name,
    make_folder,
    output::Output,
    Filter,
    Part, //
};
use crate::{
    failure::Failure,
    progress::Progress,
    recording::{
        head::{
            Head,
            KEY, //
        },
        reader::{
            Batch,
            Reader, //
        },
        writer::schema,
    },
};
use ::parquet::{
    arrow::ArrowWriter,
    basic::{
        Compression,
        ZstdLevel, //
    },
    file::{
        metadata::KeyValue,
        properties::WriterProperties, //
    },
};
use arrow_array::{
    RecordBatch,
    UInt32Array, //
};
use arrow_schema::Schema;
use arrow_select::take::take_record_batch;
use std::{
    collections::HashMap,
    fs::{
        remove_file,
        File, //
    },
    io::{
        self,
        IsTerminal, //
    },
    path::{
        Path,
        PathBuf, //
    },
    sync::Arc,
};

/// How many rows a row group has at most. A file's row group is in memory until it is complete.
const ROWS: usize = 1 << 18;

/// How many files are open at a time.
const OPEN: usize = 16;

/// What Hive writes for a missing value.
const NONE: &str = "__HIVE_DEFAULT_PARTITION__";

const DAY: i64 = 86_400_000_000_000;

/// Writes a recording.
pub(super) fn export(
    mut reader: Reader<File>,
    mut filter: Filter,
    to: Option<&Path>,
    overwrite: bool,
    parts: &[Part],
    mut progress: Progress,
) -> Result<(), Failure> {
    if to.is_none() && io::stdout().is_terminal() {
        return Err(
            Failure::usage("Parquet is not for a terminal").next("Name a file: -o FILE.parquet")
        );
    }
    if parts.is_empty() {
        let mut table = Table::new(Output::new(to, overwrite)?);
        while let Some(batch) = reader.next_batch()? {
            progress.at(reader.at());
            let head = reader.head();
            for (_, rows) in rows_of(&batch, &[], &mut filter, head) {
                table.write(head, parts, &select(&batch, &rows)?)?;
            }
        }
        filter.check(reader.head())?;
        table.finish(reader.head(), parts)?;
    } else {
        let mut folder = Folder::new(to.unwrap_or(Path::new(".")), parts)?;
        while let Some(batch) = reader.next_batch()? {
            progress.at(reader.at());
            let head = reader.head();
            for (key, rows) in rows_of(&batch, parts, &mut filter, head) {
                let first = rows.first().and_then(|row| batch.row(*row as usize));
                let time = first.map_or(0, |row| row.time);
                folder.write(head, key, time, &select(&batch, &rows)?)?;
            }
        }
        filter.check(reader.head())?;
        folder.finish(reader.head())?;
    }
    drop(progress);
    reader.finish()
}

/// What the rows of a file have in common. What the folder is not divided by is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    device: Option<u8>,
    day: i64,
}

/// The rows for each file.
fn rows_of(
    batch: &Batch,
    parts: &[Part],
    filter: &mut Filter,
    head: &Head,
) -> HashMap<Key, Vec<u32>> {
    let mut files: HashMap<Key, Vec<u32>> = HashMap::new();
    for (index, number) in (0..batch.len()).zip(0..) {
        let Some(row) = batch.row(index) else {
            continue;
        };
        if !filter.passes(head, row.device) {
            continue;
        }
        let mut key = Key {
            device: None,
            day: 0,
        };
        for part in parts {
            match part {
                Part::Host => {}
                Part::Device => key.device = row.device,
                Part::Day => key.day = row.time.div_euclid(DAY),
            }
        }
        files.entry(key).or_default().push(number);
    }
    files
}

/// Some rows of a batch.
fn select(batch: &Batch, rows: &[u32]) -> Result<RecordBatch, Failure> {
    if rows.len() == batch.len() {
        return Ok(batch.columns().clone());
    }
    take_record_batch(batch.columns(), &UInt32Array::from(rows.to_vec())).map_err(failed)
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::new(format_args!("cannot make Parquet: {error}"))
}

/// A file.
struct Table {
    output: Output,
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl Table {
    fn new(output: Output) -> Self {
        Self {
            output,
            writer: None,
        }
    }

    /// The writer, and the columns. The values of `parts` are in the path, and so not in the file.
    fn writer(
        &mut self,
        head: &Head,
        parts: &[Part],
    ) -> Result<&mut ArrowWriter<Vec<u8>>, Failure> {
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => {
                let schema = schema(head).map_err(failed)?;
                let fields: Vec<_> = schema
                    .fields()
                    .iter()
                    .filter(|field| !is_in_path(field.name(), parts))
                    .cloned()
                    .collect();
                let json = schema.metadata().get(KEY).cloned();
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(ROWS))
                    .set_key_value_metadata(Some(vec![KeyValue::new(KEY.to_owned(), json)]))
                    .build();
                let schema = Arc::new(Schema::new(fields));
                ArrowWriter::try_new(Vec::new(), schema, Some(properties)).map_err(failed)?
            }
        };
        Ok(self.writer.insert(writer))
    }

    fn write(&mut self, head: &Head, parts: &[Part], rows: &RecordBatch) -> Result<(), Failure> {
        let schema = rows.schema();
        let columns: Vec<usize> = schema
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| !is_in_path(field.name(), parts))
            .map(|(index, _)| index)
            .collect();
        let rows = rows.project(&columns).map_err(failed)?;
        let writer = self.writer(head, parts)?;
        writer.write(&rows).map_err(failed)?;
        let done = std::mem::take(writer.inner_mut());
        self.output.buffer().extend_from_slice(&done);
        self.output.spill()
    }

    fn finish(mut self, head: &Head, parts: &[Part]) -> Result<(), Failure> {
        self.writer(head, parts)?;
        if let Some(writer) = self.writer.take() {
            let rest = writer.into_inner().map_err(failed)?;
            self.output.buffer().extend_from_slice(&rest);
        }
        self.output.finish()
    }
}

/// Whether the values of a column are in the path.
fn is_in_path(column: &str, parts: &[Part]) -> bool {
    column == "device" && parts.contains(&Part::Device)
}

/// A divided folder. If it is not finished, the files that were made in it are removed.
struct Folder<'a> {
    path: &'a Path,
    parts: &'a [Part],
    /// The files that are open. The last was used last.
    open: Vec<(Key, Table)>,
    /// For each folder, the time of the first row, and how many files have been made in it.
    files: HashMap<Key, (i64, u32)>,
    /// The files that have been made.
    made: Vec<PathBuf>,
}

impl<'a> Folder<'a> {
    fn new(path: &'a Path, parts: &'a [Part]) -> Result<Self, Failure> {
        make_folder(path)?;
        Ok(Self {
            path,
            parts,
            open: Vec::new(),
            files: HashMap::new(),
            made: Vec::new(),
        })
    }

    /// Writes rows, the first of which has this time.
    fn write(
        &mut self,
        head: &Head,
        key: Key,
        time: i64,
        rows: &RecordBatch,
    ) -> Result<(), Failure> {
        let table = match self.open.iter().position(|(of, _)| *of == key) {
            Some(index) => self.open.remove(index).1,
            None => {
                if self.open.len() >= OPEN {
                    let (_, oldest) = self.open.remove(0);
                    oldest.finish(head, self.parts)?;
                }
                self.file(head, key, time)?
            }
        };
        self.open.push((key, table));
        match self.open.last_mut() {
            Some((_, table)) => table.write(head, self.parts, rows),
            None => Ok(()),
        }
    }

    /// A new file. The time of the first row tells recordings apart, also the files of one that was rotated.
    fn file(&mut self, head: &Head, key: Key, time: i64) -> Result<Table, Failure> {
        let folder = self.folder(head, key);
        make_folder(&folder)?;
        let (time, number) = self.files.entry(key).or_insert((time, 0));
        let path = folder.join(format!("part-{time}-{number}.parquet"));
        *number += 1;
        let output = Output::in_folder(&path)?;
        self.made.push(path);
        Ok(Table::new(output))
    }

    fn folder(&self, head: &Head, key: Key) -> PathBuf {
        let mut folder = self.path.to_owned();
        for part in self.parts {
            folder.push(match part {
                Part::Host => format!("host={}", in_path(&head.host)),
                Part::Device => {
                    let name = device_name(head, key.device).unwrap_or_default();
                    format!("device={}", in_path(name))
                }
                Part::Day => format!("day={}", date(key.day)),
            });
        }
        folder
    }

    fn finish(mut self, head: &Head) -> Result<(), Failure> {
        while let Some((_, table)) = self.open.pop() {
            table.finish(head, self.parts)?;
        }
        self.made.clear();
        Ok(())
    }
}

impl Drop for Folder<'_> {
    fn drop(&mut self) {
        for path in &self.made {
            let _ = remove_file(path);
        }
    }
}

/// A value in a path, as Hive has it: what is special is `%HH`.
fn in_path(value: &str) -> String {
    if value.is_empty() {
        return NONE.to_owned();
    }
    let mut path = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    path
}

/// The date of a day since 1970.
fn date(day: i64) -> String {
    // Years that begin in March, so that leap days are their last days. Eras have 400 years.
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = match month {
        0..=9 => (month + 3, 0),
        _ => (month - 9, 1),
    };
    format!("{:04}-{month:02}-{day:02}", era * 400 + year + next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-1), "1969-12-31");
        assert_eq!(date(11_016), "2000-02-29");
        assert_eq!(date(20_784), "2026-11-27");
        assert_eq!(date(47_540), "2100-02-28");
        assert_eq!(date(47_541), "2100-03-01");
    }

    #[test]
    fn what_is_special_in_a_path_is_escaped() {
        assert_eq!(in_path("a%20b/c=d"), "a%2520b%2Fc%3Dd");
        assert_eq!(in_path(""), NONE);
        assert_eq!(in_path("host-1.example"), "host-1.example");
    }
}
