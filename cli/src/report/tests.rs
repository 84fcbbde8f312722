// SPDX-License-Identifier: GPL-2.0

use super::{
    file::{
        report,
        Question,
        Report, //
    },
    text::text,
};
use crate::{
    failure::Failure,
    period::Period,
    recording::{
        head::{
            Device,
            Head,
            VERSION, //
        },
        row::{
            Begin,
            Event,
            Match,
            Request,
            Row, //
        },
        writer::Writer,
    },
};
use imgrement_core::record::Op;
use std::{
    fs,
    path::PathBuf,
    process, //
};

/// A request that has succeeded, without anything special.
pub(super) fn request(op: Op, sector: u64, bytes: u32) -> Request<'static> {
    Request {
        id: 1,
        op,
        flags: 0,
        sector,
        bytes,
        errno: Some(0),
        latency: None,
        command: "fio",
        begin: None,
    }
}

/// A file that is removed when dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("imgrement-report-{}-{name}", process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

const BEGAN: i64 = 1_795_775_494_000_000_000;
const MS: i64 = 1_000_000;

fn head() -> Head {
    let device = |name: &str| Device {
        name: name.into(),
        disk: "sdb".into(),
        sectors: 8192,
        block_size: 512,
        ..Device::default()
    };
    Head {
        version: VERSION,
        host: "here".into(),
        began: BEGAN,
        command: vec!["fio".into(), "--name=x".into()],
        devices: vec![device("one"), device("two")],
        ..Head::default()
    }
}

fn write(name: &str, rows: &[(Row<'_>, Option<&[Match<'_>]>)]) -> Temporary {
    let mut writer = Writer::new(Vec::new(), &head()).unwrap();
    for (index, (row, matches)) in rows.iter().enumerate() {
        writer.add(row, None, *matches).unwrap();
        if index % 3 == 0 {
            writer.flush().unwrap();
        }
    }
    Temporary::new(name, &writer.finish().unwrap())
}

fn read(file: &Temporary, device: Option<&str>, period: Period) -> (Report, Option<Failure>) {
    report(&file.0, &Question { device, period }, |_| {}).unwrap()
}

fn row(ms: i64, device: u8, request: Request<'static>) -> Row<'static> {
    Row {
        time: BEGAN + ms * MS,
        device: Some(device),
        event: Event::Request(request),
    }
}

fn json(report: &Report) -> serde_json::Value {
    serde_json::to_value(report).unwrap()
}

/// Requests of two devices, some of which take longer than a second.
fn requests() -> Vec<Row<'static>> {
    let mut sector = 8;
    (0..200)
        .map(|index: u32| {
            let op = match index % 7 {
                0 | 1 => Op::Read,
                6 => Op::Flush,
                _ => Op::Write,
            };
            let mut one = request(op, sector, if op == Op::Flush { 0 } else { 4096 });
            sector += if index % 3 == 0 { 8 } else { 800 };
            one.latency = Some(match index % 10 {
                4 => 1_700_000_000,
                9 => 3_000_000_000 + u64::from(index) * 1000,
                _ => u64::from(index) * 1_000_000,
            });
            row(i64::from(index) * 50, u8::from(index % 4 == 0), one)
        })
        .collect()
}

#[test]
fn late_rows_are_put_in_their_places() {
    let in_order = requests();
    let mut late = in_order.clone();
    // As a recorder writes them: a request that takes longer than a second has its row when it completes.
    late.sort_by_key(|row| {
        let Event::Request(request) = row.event else {
            return 0;
        };
        match request.latency.unwrap() {
            latency if latency > 1_000_000_000 => row.time + i64::try_from(latency).unwrap(),
            _ => row.time,
        }
    });
    assert_ne!(in_order, late);
    let rows = |rows: &[Row<'static>]| rows.iter().map(|row| (*row, None)).collect::<Vec<_>>();
    let (one, other) = (
        write("order", &rows(&in_order)),
        write("late", &rows(&late)),
    );
    for period in [
        Period::default(),
        Period {
            from: Some(2_000_000_000),
            to: Some(7_000_000_000),
        },
    ] {
        for device in [None, Some("two")] {
            let (one, other) = (read(&one, device, period), read(&other, device, period));
            assert!(one.0.devices[0].depth.max > 5 || device.is_some());
            assert_eq!(json(&one.0), json(&other.0));
            assert!(one.1.is_none() && other.1.is_none());
        }
    }
}

#[test]
fn a_part_and_a_device_can_be_chosen() {
    let rows: Vec<_> = requests().into_iter().map(|row| (row, None)).collect();
    let file = write("part", &rows);
    let count = |device, from: Option<u64>, to: Option<u64>| {
        let period = Period {
            from: from.map(|ms| ms * 1_000_000),
            to: to.map(|ms| ms * 1_000_000),
        };
        let (report, _) = read(&file, device, period);
        let counts = report.devices.iter();
        counts
            .map(|device| (device.device.name.clone(), device.all.requests))
            .collect::<Vec<_>>()
    };
    let both = |one, two| vec![("one".to_owned(), one), ("two".to_owned(), two)];
    assert_eq!(count(None, None, None), both(150, 50));
    assert_eq!(count(Some("two"), None, None), both(0, 50)[1..]);
    // Requests begin at 1000, 1050 and 1100 ms; the one at 1000 is on `two`.
    assert_eq!(count(None, Some(1000), Some(1150)), both(2, 1));
    assert_eq!(count(None, Some(1001), Some(1100)), both(1, 0));
    let question = Question {
        device: Some("three"),
        period: Period::default(),
    };
    let failure = report(&file.0, &question, |_| {}).unwrap_err();
    assert_eq!(failure.to_string(), "the recording has no device three");
}

#[test]
fn a_cut_recording_is_reported_as_far_as_it_is_whole() {
    let rows: Vec<_> = requests().into_iter().map(|row| (row, None)).collect();
    let file = write("cut", &rows);
    let content = fs::read(&file.0).unwrap();
    let cut = Temporary::new("cut2", &content[..content.len() / 2]);
    let (report, failure) = read(&cut, None, Period::default());
    let number: u64 = report
        .devices
        .iter()
        .map(|device| device.all.requests)
        .sum();
    assert!((50..150).contains(&number), "{number}");
    assert!(!report.whole);
    assert_eq!(
        failure.unwrap().to_string(),
        "the recording is not whole; the rest of it was read"
    );
}

/// What each section looks like.
#[test]
fn the_text_is_for_people() {
    let begin = |pid, hits| {
        Some(Begin {
            pid,
            hits,
            page: hits,
            ..Begin::default()
        })
    };
    let found = [Match {
        pattern: "BEGIN%20RSA",
        place: "page",
        sector: 8,
        byte: 3,
    }];
    let mut rows = Vec::new();
    for index in 0..40_u32 {
        let mut one = match index % 4 {
            0 => request(Op::Write, u64::from(index) * 8, 32768),
            3 => request(Op::Flush, 0, 0),
            _ => request(Op::Read, 4096 + u64::from(index % 2), 512),
        };
        one.latency = Some(u64::from(index + 1) * 100_000);
        one.begin = begin(7 + index % 2, u32::from(index == 4));
        one.command = if index % 4 == 3 {
            "kworker%2F1:2"
        } else {
            "fio"
        };
        if index == 9 {
            one.errno = Some(5);
        }
        rows.push((
            row(i64::from(index) * 2, 0, one),
            Some(if index == 4 { &found[..] } else { &[] }),
        ));
    }
    for (ms, event) in [
        (80, Event::Mark("half%20done")),
        (
            81,
            Event::Table {
                reason: "resumed",
                line: "0 8192 imgrement 8:16 0 12 log off pattern_name key pattern_file key edges 0 and so on",
            },
        ),
        (
            82,
            Event::Lost {
                cpu: Some(1),
                events: Some(17),
            },
        ),
    ] {
        let row = Row {
            time: BEGAN + ms * MS,
            device: None,
            event,
        };
        rows.push((row, None));
    }
    let file = write("text", &rows);
    let (report, _) = read(&file, Some("one"), Period::default());
    let text = text(&report);
    let wide: Vec<_> = text
        .lines()
        .filter(|line| line.chars().count() > 80)
        .collect();
    assert!(wide.is_empty(), "{wide:#?}");
    let wanted = include_str!("golden.txt");
    assert!(text == wanted, "wanted:\n{wanted}\ngot:\n{text}");
}
