// SPDX-License-Identifier: GPL-2.0

use super::{
    csv,
    Export,
    Format,
    Part, //
};
use crate::{
    recording::{
        reader::Reader,
        row::{
            op_name,
            Begin,
            Delta,
            Event,
            Match,
            Request,
            Row, //
        },
        writer::{
            schema,
            Writer, //
        },
    },
    shapes::{
        Shape,
        BEGAN, //
    },
};
use imgrement_core::record::Op;
use proptest::prelude::*;
use serde_json::{
    json,
    Value, //
};
use std::{
    fs,
    path::{
        Path,
        PathBuf, //
    },
};

/// A folder of a test. It is removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("imgrement-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn export(file: &Path, format: Format, to: &Path) {
    let _ = fs::remove_file(to);
    Export {
        file: file.to_owned(),
        format,
        to: Some(to.to_owned()),
        overwrite: false,
        device: None,
        partition: Vec::<Part>::new(),
        fio_version: 3,
    }
    .run()
    .unwrap();
}

#[test]
fn csv_has_all_columns() {
    let schema = schema(&Shape::Everything.head()).unwrap();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name()).collect();
    assert_eq!(names, csv::COLUMNS);
}

/// A folder takes the files of many recordings, but no recording twice. An export that fails leaves no file behind.
#[test]
fn recordings_share_a_folder() {
    const DAY: i64 = 86_400_000_000_000;
    let folder = Folder::new("shared");
    let (file, to) = (folder.path("a.rec"), folder.path("to"));
    let export = |batches: &[&[i64]]| {
        let mut writer = Writer::new(Vec::new(), &Shape::Everything.head()).unwrap();
        for times in batches {
            for time in *times {
                let event = Event::Mark("now");
                let row = Row {
                    time: BEGAN + time,
                    device: Some(0),
                    event,
                };
                writer.add(&row, None, None).unwrap();
            }
            writer.flush().unwrap();
        }
        fs::write(&file, writer.finish().unwrap()).unwrap();
        let exported = Export {
            file: file.clone(),
            format: Format::Parquet,
            to: Some(to.clone()),
            overwrite: false,
            device: None,
            partition: vec![Part::Day],
            fio_version: 3,
        }
        .run();
        let days = fs::read_dir(&to).unwrap();
        let files = days.flat_map(|day| fs::read_dir(day.unwrap().path()).unwrap());
        let mut names: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        names.sort();
        (exported.map_err(|failure| failure.to_string()), names)
    };
    // More days than files are open at a time, and then a day that has this file.
    let days: Vec<_> = (2..42).map(|day| day * DAY).collect();
    let first = export(&[&[0, DAY]]);
    let second = export(&[&[5, 6]]);
    let again = export(&[&[0, DAY]]);
    let half = export(&[&days, &[5]]);

    assert_eq!((first.0, first.1.len()), (Ok(()), 2));
    assert_eq!((second.0, second.1.len()), (Ok(()), 3));
    assert!(again.0.unwrap_err().contains("exists already"));
    assert_eq!(again.1, second.1);
    assert!(half.0.unwrap_err().contains("exists already"));
    assert_eq!(half.1, second.1);
}

/// The rows of a recording as JSON, from what `Reader` says.
fn wanted(file: &Path) -> Vec<Value> {
    let mut reader = Reader::open(file).unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        for index in 0..batch.len() {
            let row = batch.row(index).unwrap();
            let device = row
                .device
                .map(|device| reader.head().devices[usize::from(device)].name.clone());
            let (kind, mut value) = match row.event {
                Event::Request(request) => {
                    let begin = request.begin;
                    let mut value = json!({
                        "id": request.id, "op": op_name(request.op), "flags": request.flags,
                        "sector": request.sector, "bytes": request.bytes, "errno": request.errno,
                        "latency": request.latency, "command": request.command,
                        "cpu": begin.map(|of| of.cpu), "pid": begin.map(|of| of.pid),
                        "cgroup": begin.map(|of| of.cgroup), "segments": begin.map(|of| of.segments),
                        "hits": begin.map(|of| of.hits), "page": begin.map(|of| of.page),
                        "copy": begin.map(|of| of.copy), "across": begin.map(|of| of.across),
                    });
                    if let Some(deltas) = batch.deltas(index) {
                        value["deltas"] = deltas
                            .map(|of| {
                                json!({"length": of.length, "offset": of.offset, "sector": of.sector,
                                    "hits": of.hits})
                            })
                            .collect();
                    }
                    if let Some(matches) = batch.matches(index) {
                        value["matches"] = matches
                            .map(|of| {
                                json!({"pattern": of.pattern, "place": of.place, "sector": of.sector,
                                    "byte": of.byte})
                            })
                            .collect();
                    }
                    ("request", value)
                }
                Event::Mark(text) => ("mark", json!({ "text": text })),
                Event::Table { reason, line } => ("table", json!({"reason": reason, "text": line})),
                Event::Lost { cpu, events } => ("lost", json!({"cpu": cpu, "lost": events})),
            };
            value["kind"] = json!(kind);
            value["time"] = json!(row.time);
            value["device"] = json!(device);
            rows.push(value);
        }
    }
    rows
}

fn request() -> impl Strategy<Value = Request<'static>> {
    let small = || prop_oneof![Just(0), any::<u32>()];
    let large = || 0..=i64::MAX.unsigned_abs();
    // The columns are signed numbers of 32 bits.
    let signed = || 0..=i32::MAX.unsigned_abs();
    let begin = (
        (0_u32..8, signed(), large(), small()),
        (small(), small(), small(), small()),
    )
        .prop_map(
            |((cpu, pid, cgroup, segments), (hits, page, copy, across))| Begin {
                cpu,
                pid,
                cgroup,
                segments,
                hits,
                page,
                copy,
                across,
            },
        );
    (
        (large(), 0..Op::ALL.len(), 0_u32..128, large(), small()),
        proptest::option::of(0_u32..200),
        proptest::option::of(large()),
        prop_oneof![Just("fio"), Just(""), Just("a,\"b\"%20"), Just("\u{e9}\n")],
        proptest::option::of(begin),
    )
        .prop_map(
            |((id, op, flags, sector, bytes), errno, latency, command, begin)| Request {
                id,
                op: Op::ALL[op],
                flags,
                sector,
                bytes,
                errno,
                latency,
                command,
                begin,
            },
        )
}

fn event() -> impl Strategy<Value = Event<'static>> {
    prop_oneof![
        8 => request().prop_map(Event::Request),
        1 => Just(Event::Mark("\"now\"\\")),
        1 => Just(Event::Table { reason: "resumed", line: "0 8 imgrement 8:16 0" }),
        1 => (proptest::option::of(0_u32..9), proptest::option::of(0_u64..1 << 40))
            .prop_map(|(cpu, events)| Event::Lost { cpu, events }),
    ]
}

/// Each entry of a folder of blktrace: the number of its CPU's file, and what is in it.
fn entries(folder: &Path) -> Vec<(u32, Vec<u8>)> {
    let mut entries = Vec::new();
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let cpu = path.extension().unwrap().to_str().unwrap().parse().unwrap();
        let bytes = fs::read(&path).unwrap();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let length = usize::from(u16::from_ne_bytes(rest[46..48].try_into().unwrap()));
            let (entry, next) = rest.split_at(48 + length);
            entries.push((cpu, entry.to_vec()));
            rest = next;
        }
    }
    entries
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn exports_say_what_the_recording_says(
        rows in proptest::collection::vec(
            (any::<u32>(), proptest::option::of(0_u8..2), event(), any::<bool>(), 0_usize..3), 1..50)
    ) {
        let folder = Folder::new("property");
        let file = folder.path("a.rec");
        let mut writer = Writer::new(Vec::new(), &Shape::Everything.head()).unwrap();
        let mut newest = BEGAN;
        for (time, device, event, deltas, parts) in rows {
            // Only requests come late.
            let request = matches!(event, Event::Request(_));
            let time = if request { BEGAN + i64::from(time) } else { newest };
            newest = newest.max(time);
            let row = Row { time, device, event };
            let delta = Delta { length: 512, offset: 8, sector: 1 << 40, hits: 2 };
            let found = Match { pattern: "a%22b", place: "page", sector: 7, byte: 511 };
            let (all_deltas, all_matches) = (vec![delta; parts], vec![found; parts]);
            let deltas_of = if request && deltas { Some(all_deltas.as_slice()) } else { None };
            let matches_of = if request && !deltas { Some(all_matches.as_slice()) } else { None };
            writer.add(&row, deltas_of, matches_of).unwrap();
        }
        fs::write(&file, writer.finish().unwrap()).unwrap();

        let to = folder.path("a.json");
        export(&file, Format::Json, &to);
        let text = fs::read_to_string(&to).unwrap();
        let have: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        prop_assert_eq!(&have, &wanted(&file));

        // The files of blktrace are in the order of time, although the rows are not.
        let to = folder.path("trace");
        export(&file, Format::Blktrace, &to);
        let mut last = std::collections::HashMap::new();
        let (mut queued, mut completed) = (0, 0);
        if to.exists() {
            for (cpu, entry) in entries(&to) {
                let time = u64::from_ne_bytes(entry[8..16].try_into().unwrap());
                let action = u32::from_ne_bytes(entry[28..32].try_into().unwrap());
                let disk = u32::from_ne_bytes(entry[36..40].try_into().unwrap());
                let before = last.insert((disk, cpu), time).unwrap_or(0);
                prop_assert!(before <= time, "{} after {}", time, before);
                let is_note = action & (1 << 26) != 0;
                queued += u32::from(!is_note && action & 0xffff == 1);
                completed += u32::from(!is_note && action & 0xffff == 8);
            }
        }
        let in_trace = |row: &&Value| {
            let op = row["op"].as_str().unwrap_or("");
            let ops = ["read", "write", "flush", "discard", "secure-erase", "zone-append"];
            ops.contains(&op)
        };
        let began = |row: &&Value| !row["cpu"].is_null() || !row["latency"].is_null();
        let ended = |row: &&Value| {
            !began(row) || (!row["errno"].is_null() && !row["latency"].is_null())
        };
        let requests = || have.iter().filter(in_trace);
        prop_assert_eq!(queued as usize, requests().filter(began).count());
        prop_assert_eq!(completed as usize, requests().filter(ended).count());
    }
}
