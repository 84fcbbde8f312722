// SPDX-License-Identifier: GPL-2.0

//! Measures how fast patterns are found, by imgrement's matcher, memchr and aho-corasick.
//!
//! Criterion measures. A summary of its results for each row goes to the file that the variable `MATCH_REPORT` names.
//! `QUICK` leaves out most rows, and takes less time for each.

#[path = "../../core/tests/common/mod.rs"]
mod common;

use aho_corasick::{
    packed,
    AhoCorasick,
    AhoCorasickKind, //
};
use common::{
    matcher_of,
    tiers,
    Std, //
};
use criterion::{
    BenchmarkId,
    Criterion,
    Throughput, //
};
use imgrement_core::search::{
    matcher,
    set::{
        self,
        Pattern,
        Set, //
    },
    simd::Avx2, //
};
use memchr::memmem;
use serde_json::{
    json,
    Value, //
};
use std::{
    collections::BTreeSet,
    env,
    fs,
    hint::black_box,
    path::Path,
    time::Duration, //
};

const KI: usize = 1 << 10;
const MI: usize = 1 << 20;

/// A page: payload arrives in pages.
const PAGE: usize = 4 * KI;

/// Bytes, and what to search for in them: one pattern, or several.
struct Input {
    name: &'static str,
    patterns: Vec<Vec<u8>>,
    bytes: Vec<u8>,
    /// How many bytes are searched at a time.
    sizes: &'static [usize],
}

/// A contender that is prepared to count its patterns in bytes.
type Count = Box<dyn Fn(&[u8]) -> usize>;

/// One of our ways to search.
type Tier = Option<Avx2<'static>>;

/// All sizes; and only one page and 64 KiB, which the CPU's caches hold.
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
            for (name, count) in contenders(&input.patterns) {
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

/// The inputs and their patterns. A pattern only occurs where a comment says so.
fn inputs() -> Vec<Input> {
    let text: Vec<u8> = [
        &include_bytes!("../../README.md")[..],
        include_bytes!("../../docs/reference.md"),
        include_bytes!("../../docs/dm.md"),
        include_bytes!("../../docs/guarantees.md"),
        include_bytes!("../../core/src/config/mistake.rs"),
        include_bytes!("../../dm/callbacks.rs"),
    ]
    .concat();
    let text: Vec<u8> = repeat(&text).take(64 * MI).collect();

    let secret = b"Kennwort: geheim".to_vec();
    vec![
        Input {
            name: "text",
            patterns: vec![secret.clone()],
            bytes: text.clone(),
            sizes: ALL,
        },
        Input {
            name: "zeroes",
            patterns: vec![secret.clone()],
            bytes: vec![0; 64 * MI],
            sizes: SOME,
        },
        Input {
            name: "random",
            patterns: vec![secret],
            bytes: random().take(64 * MI).collect(),
            sizes: ALL,
        },
        // It occurs every few dozen bytes.
        Input {
            name: "common-word",
            patterns: vec![b" the ".to_vec()],
            bytes: text.clone(),
            sizes: SOME,
        },
        // Many patterns, some of which occur.
        Input {
            name: "text-8-patterns",
            patterns: words(8),
            bytes: text[..64 * KI].to_vec(),
            sizes: SOME,
        },
        Input {
            name: "text-32-patterns",
            patterns: words(32),
            bytes: text[..64 * KI].to_vec(),
            sizes: SOME,
        },
        Input {
            name: "text-256-patterns",
            patterns: words(256),
            bytes: text[..64 * KI].to_vec(),
            sizes: SOME,
        },
        Input {
            name: "random-32-patterns",
            patterns: words(32),
            bytes: random().take(64 * KI).collect(),
            sizes: SOME,
        },
        // It occurs at every place.
        Input {
            name: "adversarial-everywhere",
            patterns: vec![vec![b'a'; 64]],
            bytes: vec![b'a'; 64 * KI],
            sizes: SOME,
        },
        // All but its last byte occurs every few bytes, too often to be compared each time.
        Input {
            name: "adversarial-almost",
            patterns: vec![b"\xc1aa\xf5aaz".to_vec()],
            bytes: repeat(b"\xc1aa\xf5aay.....").take(64 * KI).collect(),
            sizes: SOME,
        },
        // The same for a long pattern, just seldom enough to be compared each time.
        Input {
            name: "adversarial-compared",
            patterns: vec![[&PERIOD[..31], b"y", &PERIOD[..31], b"z"].concat()],
            bytes: repeat(PERIOD).take(64 * KI).collect(),
            sizes: SOME,
        },
        // A piece of one of 256 patterns of 255 bytes is at every place.
        Input {
            name: "adversarial-set",
            patterns: pieces().0,
            bytes: pieces().1,
            sizes: SOME,
        },
        // The finer filter passes most of it, and the coarser one nothing before the end.
        Input {
            name: "adversarial-filters",
            patterns: vec![b"aaaa".to_vec(), b"bbbb".to_vec()],
            bytes: between_filters(),
            sizes: SOME,
        },
    ]
}

/// Pairs of bytes that have the same number as `aa` in `core/src/search/windows.rs`.
fn between_filters() -> Vec<u8> {
    let number = |pair: u16| u32::from(pair).wrapping_mul(0x9e37_79b1) >> 20;
    let pair = (0..=u16::MAX).find(|pair| {
        number(*pair) == number(0x6161)
            && pair.to_le_bytes().iter().all(|byte| !b"ab".contains(byte))
    });
    let [a, b] = pair.expect("numbers have 12 bits").to_le_bytes();
    let most = [[a, b].repeat(24), b"........".repeat(2)].concat();
    let mut bytes: Vec<u8> = most.into_iter().cycle().take(64 * KI).collect();
    let end = bytes.len() - 88;
    bytes[end..].fill(b'a');
    bytes
}

/// Different words, as in ordinary text.
fn words(count: usize) -> Vec<Vec<u8>> {
    let text = concat!(
        include_str!("../../docs/security.md"),
        include_str!("../../docs/mistakes.md"),
        include_str!("../../trace.rs"),
        include_str!("../../core/src/search/set.rs"),
    );
    let words = text.split(|letter: char| !letter.is_ascii_alphabetic());
    let words: BTreeSet<_> = words.filter(|word| word.len() >= 6).collect();
    assert!(words.len() >= count, "only {} words", words.len());
    let every = words.len() / count;
    let some = words.into_iter().step_by(every).take(count);
    some.map(|word| word.as_bytes().to_vec()).collect()
}

/// Pieces of long patterns of two letters. The automata are busy everywhere, but nothing is found.
fn pieces() -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut letters = random().map(|byte| b'a' + (byte & 1));
    let patterns: Vec<Vec<u8>> = (0..256)
        .map(|_| letters.by_ref().take(255).collect())
        .collect();
    let pieces = random().flat_map(|byte| patterns[usize::from(byte)][100..150].to_vec());
    let bytes = pieces.take(64 * KI).collect();
    (patterns, bytes)
}

/// Two bytes of it are rare.
const PERIOD: &[u8; 32] = b"\xc1aaaaaaaaaaaaa\xf5aaaaaaaaaaaaaaaay";

fn repeat(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    bytes.iter().copied().cycle()
}

/// Random bytes, the same each time (xorshift64).
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

/// How each contender counts these patterns.
fn contenders(patterns: &[Vec<u8>]) -> Vec<(&'static str, Count)> {
    let mut contenders: Vec<(_, Count)> = Vec::new();
    let names = [
        ("imgrement-scalar", "imgrement-scalar-pages"),
        ("imgrement-avx2", "imgrement-avx2-pages"),
    ];
    for ((whole, pages), tier) in names.into_iter().zip(tiers()) {
        let counts = match patterns {
            [pattern] => [one(pattern, tier), one_by_pages(pattern, tier)],
            _ => [many(patterns, tier), many_by_pages(patterns, tier)],
        };
        contenders.extend([whole, pages].into_iter().zip(counts));
    }

    if let [pattern] = patterns {
        let finder = memmem::Finder::new(pattern).into_owned();
        contenders.push((
            "memmem",
            Box::new(move |bytes| finder.find_iter(bytes).count()),
        ));
    }
    if let Some(teddy) = packed::Searcher::new(patterns) {
        contenders.push((
            "aho-corasick-packed",
            Box::new(move |bytes| teddy.find_iter(bytes).count()),
        ));
    }
    let dfa = AhoCorasick::builder()
        .kind(Some(AhoCorasickKind::DFA))
        .prefilter(false)
        .build(patterns)
        .expect("a DFA");
    contenders.push((
        "aho-corasick-dfa",
        Box::new(move |bytes| dfa.find_iter(bytes).count()),
    ));
    contenders
}

fn one(pattern: &[u8], tier: Tier) -> Count {
    let matcher = matcher_of(pattern).expect("a pattern");
    Box::new(move |bytes| matcher.count(bytes.into(), tier) as usize)
}

/// Searches page by page, as in a request of many pages.
fn one_by_pages(pattern: &[u8], tier: Tier) -> Count {
    let matcher = matcher_of(pattern).expect("a pattern");
    Box::new(move |bytes| {
        let mut state = matcher::State::new(bytes.len() as u64);
        let hits = bytes.chunks(PAGE).map(|page| {
            let hits = matcher.feed(&mut state, page.into(), tier);
            hits.inside + hits.straddling
        });
        hits.sum::<u32>() as usize
    })
}

fn many(patterns: &[Vec<u8>], tier: Tier) -> Count {
    let set = set_of(patterns);
    Box::new(move |bytes| {
        let mut hits = 0;
        set.each(bytes.into(), &tier, &mut |_, _| hits += 1);
        hits
    })
}

fn many_by_pages(patterns: &[Vec<u8>], tier: Tier) -> Count {
    let set = set_of(patterns);
    Box::new(move |bytes| {
        let mut hits = 0;
        let mut state = set::State::new(bytes.len() as u64);
        for page in bytes.chunks(PAGE) {
            set.feed(&mut state, page.into(), &tier, &mut |_, _| hits += 1);
        }
        hits
    })
}

fn set_of(patterns: &[Vec<u8>]) -> Set<Std> {
    let patterns: Vec<_> = patterns
        .iter()
        .map(|bytes| Pattern {
            bytes,
            nocase: false,
        })
        .collect();
    Set::new(&patterns).expect("patterns that differ")
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

/// Criterion's result for a row, in GB/s; `None` if the row was not asked for.
fn speed(row: &str, bytes: usize) -> Option<Value> {
    let home = env::var_os("CRITERION_HOME")?;
    let sample = fs::read(Path::new(&home).join(row).join("new/sample.json")).ok()?;
    let sample: Value = serde_json::from_slice(&sample).ok()?;
    let numbers = |key: &str| -> Option<Vec<f64>> {
        sample[key].as_array()?.iter().map(Value::as_f64).collect()
    };
    let (times, rounds) = (numbers("times")?, numbers("iters")?);

    // Bytes per nanosecond are gigabytes per second.
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
