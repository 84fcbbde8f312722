// SPDX-License-Identifier: GPL-2.0

//! How fast patterns are found: imgrement's matcher beside memchr and aho-corasick.
//!
//! Criterion measures; a summary of what it left for each row goes to the file that the variable
//! `MATCH_REPORT` names. `QUICK` leaves out most rows, and takes less time for each.

#[path = "../../core/tests/common/mod.rs"]
mod common;

use aho_corasick::{
    packed,
    AhoCorasick,
    AhoCorasickKind, //
};
use common::tiers;
use criterion::{
    BenchmarkId,
    Criterion,
    Throughput, //
};
use imgrement_core::matcher::{
    Matcher,
    State, //
};
use memchr::memmem;
use serde_json::{
    json,
    Value, //
};
use std::{
    env,
    fs,
    hint::black_box,
    path::Path,
    time::Duration, //
};

const KI: usize = 1 << 10;
const MI: usize = 1 << 20;

/// A page, as which payloads come.
const PAGE: usize = 4 * KI;

/// Bytes and what is looked for in them.
struct Input {
    name: &'static str,
    pattern: Vec<u8>,
    bytes: Vec<u8>,
    /// How many of them are searched at a time.
    sizes: &'static [usize],
}

/// How a contender counts a pattern: prepared, it takes bytes.
type Count = Box<dyn Fn(&[u8]) -> usize>;

/// All sizes, and those of one page and of what no page cache but the processor's holds.
const ALL: &[usize] = &[512, 4 * KI, 64 * KI, 64 * MI];
const SOME: &[usize] = &[4 * KI, 64 * KI];

fn main() {
    let quick = env::var_os("QUICK").is_some_and(|quick| !quick.is_empty());
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(if quick { 100 } else { 500 }))
        .measurement_time(Duration::from_millis(if quick { 300 } else { 1500 }))
        .sample_size(if quick { 10 } else { 20 })
        .nresamples(1000)
        .configure_from_args();

    let mut rows = Vec::new();
    for input in inputs() {
        let mut group = criterion.benchmark_group(input.name);
        for &size in input.sizes {
            if quick && size != 4 * KI && size != 64 * KI {
                continue;
            }
            let bytes = &input.bytes[..size];
            group.throughput(Throughput::Bytes(size as u64));
            for (name, count) in contenders(&input.pattern) {
                if name.ends_with("pages") && size <= PAGE {
                    continue;
                }
                group.bench_function(BenchmarkId::new(name, size), |bencher| {
                    bencher.iter(|| count(black_box(bytes)));
                });
                rows.push((name, input.name, size));
            }
        }
        group.finish();
    }
    criterion.final_summary();

    let measured: Vec<_> = rows
        .into_iter()
        .filter_map(|(contender, input, bytes)| {
            let gb_per_s = speed(&format!("{input}/{contender}/{bytes}"), bytes)?;
            Some(json!({
                "contender": contender,
                "input": input,
                "bytes": bytes,
                "gb_per_s": gb_per_s,
            }))
        })
        .collect();
    for row in &measured {
        println!("{}", line(row));
    }

    let report = json!({
        "machine": env::var("MATCH_MACHINE").unwrap_or_default(),
        "date": env::var("MATCH_DATE").unwrap_or_default(),
        "rows": measured,
    });
    if let Some(path) = env::var_os("MATCH_REPORT") {
        fs::write(&path, format!("{report:#}\n")).expect("the report can be written");
    }
}

/// What is searched, and for what. No pattern occurs but where it is said to.
fn inputs() -> Vec<Input> {
    let text: Vec<u8> = [
        &include_bytes!("../../README.md")[..],
        include_bytes!("../../docs/dm.md"),
        include_bytes!("../../docs/guarantees.md"),
        include_bytes!("../../core/src/params.rs"),
        include_bytes!("../../dm/target.rs"),
    ]
    .concat();
    let text: Vec<u8> = repeat(&text).take(64 * MI).collect();

    let secret = b"Kennwort: geheim".to_vec();
    vec![
        Input {
            name: "text",
            pattern: secret.clone(),
            bytes: text.clone(),
            sizes: ALL,
        },
        Input {
            name: "zeroes",
            pattern: secret.clone(),
            bytes: vec![0; 64 * MI],
            sizes: SOME,
        },
        Input {
            name: "random",
            pattern: secret,
            bytes: random().take(64 * MI).collect(),
            sizes: ALL,
        },
        // It is there every few dozen bytes.
        Input {
            name: "common-word",
            pattern: b" the ".to_vec(),
            bytes: text,
            sizes: SOME,
        },
        // It is there at every place.
        Input {
            name: "adversarial-everywhere",
            pattern: vec![b'a'; 64],
            bytes: vec![b'a'; 64 * KI],
            sizes: SOME,
        },
        // All but its last byte is there every few bytes, too often to be compared each time.
        Input {
            name: "adversarial-almost",
            pattern: b"\xc1aa\xf5aaz".to_vec(),
            bytes: repeat(b"\xc1aa\xf5aay.....").take(64 * KI).collect(),
            sizes: SOME,
        },
        // The same of a long pattern, as often as it is compared each time.
        Input {
            name: "adversarial-compared",
            pattern: [&PERIOD[..31], b"y", &PERIOD[..31], b"z"].concat(),
            bytes: repeat(PERIOD).take(64 * KI).collect(),
            sizes: SOME,
        },
    ]
}

/// Two bytes of it are rare.
const PERIOD: &[u8; 32] = b"\xc1aaaaaaaaaaaaa\xf5aaaaaaaaaaaaaaaay";

fn repeat(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.iter().copied().cycle()
}

/// Random bytes, the same ones each time (xorshift64).
fn random() -> impl Iterator<Item = u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
}

/// Everybody's way to count, for a pattern.
fn contenders(pattern: &[u8]) -> Vec<(&'static str, Count)> {
    let mut contenders: Vec<(_, Count)> = Vec::new();
    let matcher = Matcher::new(pattern).expect("a pattern");
    let names = [
        ("imgrement-scalar", "imgrement-scalar-pages"),
        ("imgrement-avx2", "imgrement-avx2-pages"),
    ];

    for ((name, name_of_pages), tier) in names.into_iter().zip(tiers()) {
        let one = matcher.clone();
        contenders.push((
            name,
            Box::new(move |bytes| one.count(bytes.into(), tier) as usize),
        ));
        // As a request of many pages has it.
        let pages = matcher.clone();
        contenders.push((
            name_of_pages,
            Box::new(move |bytes| {
                let mut state = State::new(bytes.len() as u64);
                let hits = bytes.chunks(PAGE).map(|page| {
                    let hits = pages.feed(&mut state, page.into(), tier);
                    hits.inside + hits.straddling
                });
                hits.sum::<u32>() as usize
            }),
        ));
    }

    let finder = memmem::Finder::new(pattern).into_owned();
    contenders.push((
        "memmem",
        Box::new(move |bytes| finder.find_iter(bytes).count()),
    ));
    if let Some(teddy) = packed::Searcher::new([pattern]) {
        contenders.push((
            "aho-corasick-packed",
            Box::new(move |bytes| teddy.find_iter(bytes).count()),
        ));
    }
    let dfa = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .prefilter(false)
        .build([pattern])
        .expect("a DFA");
    contenders.push((
        "aho-corasick-dfa",
        Box::new(move |bytes| dfa.find_iter(bytes).count()),
    ));
    contenders
}

/// A row of the report as a line.
fn line(row: &Value) -> String {
    let word = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let speed = &row["gb_per_s"]["median"];
    format!(
        "{:24}{:>9} {:24}{speed:>9} GB/s",
        word("input"),
        row["bytes"],
        word("contender")
    )
}

/// What criterion measured of a row, in GB/s; `None` where the row was not asked for.
fn speed(row: &str, bytes: usize) -> Option<Value> {
    let home = env::var_os("CRITERION_HOME")?;
    let sample = fs::read(Path::new(&home).join(row).join("new/sample.json")).ok()?;
    let sample: Value = serde_json::from_slice(&sample).ok()?;
    let numbers = |key: &str| -> Option<Vec<f64>> {
        sample[key].as_array()?.iter().map(Value::as_f64).collect()
    };
    let (times, rounds) = (numbers("times")?, numbers("iters")?);

    // Bytes in a nanosecond are gigabytes in a second.
    let of_one = |(time, rounds): (&f64, &f64)| bytes as f64 * rounds / time;
    let mut speeds: Vec<f64> = times.iter().zip(&rounds).map(of_one).collect();
    speeds.sort_unstable_by(f64::total_cmp);

    let (min, max) = (speeds.first()?, speeds.last()?);
    let round = |speed: &f64| (speed * 1000.0).round() / 1000.0;
    Some(json!({
        "median": round(&speeds[speeds.len() / 2]),
        "min": round(min),
        "max": round(max),
    }))
}
