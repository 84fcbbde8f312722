// SPDX-License-Identifier: GPL-2.0

//! The report: what is in `report.json`, and how it reads.

use crate::{
    goals::{Ratio, GOALS},
    samples::{Row, Search},
    spread::Spread,
};
use comfy_table::{presets, CellAlignment, Table};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write};

/// `report.json`; docs/benchmark.md has its keys.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// The version of this layout.
    pub version: u32,
    /// When, where and how it was measured: text by name.
    pub about: BTreeMap<String, String>,
    /// The kernel part.
    pub rows: Vec<Row>,
    /// The pattern search.
    pub search: Vec<Search>,
    /// The latency of requests with a slow console.
    pub latency: Vec<Latency>,
    /// The rates with a reader of events on the same CPU and on another. Older reports have none.
    #[serde(default)]
    pub readers: Vec<Reader>,
    /// Restores beside dd. Older reports have none.
    #[serde(default)]
    pub restore: Vec<Restore>,
    /// The latency of writes with a slow log. Older reports have none.
    #[serde(default)]
    pub slow_log: Vec<SlowLog>,
    /// The goals by name; null if they cannot be measured yet, or were not measured.
    pub ratios: BTreeMap<String, Option<Ratio>>,
}

/// Latencies of requests, in nanoseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Latency {
    /// The contender and its settings.
    pub contender: String,
    /// The median.
    pub p50: Spread,
    /// The 99th percentile.
    pub p99: Spread,
    /// The maximum.
    pub worst: Spread,
}

/// The rate through imgrement while its events are recorded, relative to dm-linear with the block layer's.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reader {
    /// Where the reader of both runs.
    pub reader: String,
    /// The ratio.
    pub of_block_events: Spread,
}

/// The speed of `imgrement history restore`, and the same relative to that of dd.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Restore {
    /// What is in the log.
    pub log: String,
    /// Megabytes (10^6 bytes) of the log per second.
    pub mb_per_s: Spread,
    /// The ratio.
    pub of_dd: Spread,
}

/// Latencies of writes while the log is slower than the disk, in nanoseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SlowLog {
    /// The contender and its settings.
    pub contender: String,
    /// The median.
    pub p50: Spread,
    /// The 99th percentile.
    pub p99: Spread,
    /// The 99.9th percentile.
    pub p999: Spread,
    /// The maximum.
    pub worst: Spread,
    /// Writes per second.
    pub iops: Spread,
}

/// The version of `report.json`.
pub const VERSION: u32 = 1;

impl Report {
    /// The goals as a table: for a terminal, or in Markdown.
    pub fn goals(&self, markdown: bool) -> String {
        let mut table = table(markdown, &["goal", "what", "value", "rounds", "floor", ""]);
        for goal in &GOALS {
            let ratio = self.ratios.get(goal.name).copied().flatten();
            let (value, rounds) = ratio.map_or(Default::default(), |ratio| {
                let digits = if ratio.value < 10.0 { 3 } else { 1 };
                (
                    format!("{:.digits$}", ratio.value),
                    format!("{:.digits$} – {:.digits$}", ratio.min, ratio.max),
                )
            });
            let floor = goal.floor.map_or(String::new(), |floor| format!("{floor}"));
            let word = match ratio {
                None => "not measured",
                Some(_) if goal.floor.is_none() => "",
                Some(ratio) if ratio.is_met() => "met",
                Some(_) => "MISSED",
            };
            table.add_row([goal.name, goal.what, &value, &rounds, &floor, word]);
        }
        table.to_string()
    }

    /// The whole report as text.
    pub fn markdown(&self) -> String {
        let mut text = String::from("# What it costs\n\n");
        for (name, value) in &self.about {
            let _ = writeln!(text, "- {name}: {value}");
        }
        let _ = write!(text, "\n## Goals\n\n{}\n", self.goals(true));

        let mut before = String::new();
        for row in &self.rows {
            let what = row.what.to_string();
            if what != before {
                let _ = write!(text, "\n## {what}\n\n{}\n", self.workload(&what));
                before = what;
            }
        }
        if !self.search.is_empty() {
            let _ = write!(text, "\n## The matcher apart\n\n{}\n", self.searches());
        }
        if !self.readers.is_empty() {
            let _ = write!(
                text,
                "\n## Where the reader of events runs\n\n{}\n",
                self.readers()
            );
        }
        if !self.restore.is_empty() {
            let _ = write!(text, "\n## Restore beside dd\n\n{}\n", self.restores());
        }
        if !self.slow_log.is_empty() {
            let _ = write!(
                text,
                "\n## Latency with a slow log\n\n{}\n",
                self.slow_logs()
            );
        }
        if !self.latency.is_empty() {
            let _ = write!(
                text,
                "\n## Latency with a slow console\n\n{}\n",
                self.latencies()
            );
        }
        text
    }

    fn workload(&self, what: &str) -> String {
        let words = [
            "through",
            "requests/s",
            "÷ dm-linear",
            "rounds",
            "ns a request",
            "MB/s",
            "segments",
        ];
        let mut table = table(true, &words);
        for row in self.rows.iter().filter(|row| row.what.to_string() == what) {
            let (ratio, rounds) = row.of_linear.map_or(Default::default(), |ratio| {
                (
                    format!("{:.3}", ratio.median),
                    format!("{:.3} – {:.3}", ratio.min, ratio.max),
                )
            });
            table.add_row([
                row.what.contender.clone(),
                format!("{:.0}", row.iops.median),
                ratio,
                rounds,
                format!("{:.0}", row.ns_per_bio.median),
                format!("{:.0}", row.mb_per_s.median),
                row.segments
                    .map_or(String::new(), |segments| format!("{segments:.1}")),
            ]);
        }
        table.to_string()
    }

    fn searches(&self) -> String {
        let mut table = table(true, &["input", "bytes", "who", "GB/s", "rounds"]);
        for row in &self.search {
            table.add_row([
                row.input.clone(),
                row.bytes.to_string(),
                row.contender.clone(),
                format!("{:.2}", row.gb_per_s.median),
                format!("{:.2} – {:.2}", row.gb_per_s.min, row.gb_per_s.max),
            ]);
        }
        table.to_string()
    }

    fn readers(&self) -> String {
        let words = ["reader on", "rounds", "÷ dm-linear with block events"];
        let mut table = table(true, &words);
        for row in &self.readers {
            let ratio = row.of_block_events;
            table.add_row([
                row.reader.clone(),
                format!("{:.3} – {:.3}", ratio.min, ratio.max),
                format!("{:.3}", ratio.median),
            ]);
        }
        table.to_string()
    }

    fn restores(&self) -> String {
        let mut table = table(true, &["the log has", "rounds", "÷ dd", "MB/s"]);
        for row in &self.restore {
            let ratio = row.of_dd;
            table.add_row([
                row.log.clone(),
                format!("{:.3} – {:.3}", ratio.min, ratio.max),
                format!("{:.3}", ratio.median),
                format!("{:.0}", row.mb_per_s.median),
            ]);
        }
        table.to_string()
    }

    fn slow_logs(&self) -> String {
        let words = [
            "through",
            "p50, µs",
            "p99, µs",
            "p99.9, µs",
            "worst, µs",
            "writes/s",
        ];
        let mut table = table(true, &words);
        for row in &self.slow_log {
            table.add_row([
                row.contender.clone(),
                micros(row.p50),
                micros(row.p99),
                micros(row.p999),
                micros(row.worst),
                format!("{:.0}", row.iops.median),
            ]);
        }
        table.to_string()
    }

    fn latencies(&self) -> String {
        let mut table = table(true, &["through", "p50, µs", "p99, µs", "worst, µs"]);
        for row in &self.latency {
            table.add_row([
                row.contender.clone(),
                micros(row.p50),
                micros(row.p99),
                micros(row.worst),
            ]);
        }
        table.to_string()
    }
}

/// Nanoseconds as microseconds: the median, the minimum and the maximum.
fn micros(spread: Spread) -> String {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|ns| ns / 1e3);
    format!("{median:.0} ({min:.0} – {max:.0})")
}

/// A table with these headings. All columns but the first two hold numbers.
pub fn table(markdown: bool, words: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(if markdown {
        presets::ASCII_MARKDOWN
    } else {
        presets::UTF8_BORDERS_ONLY
    });
    table.set_header(words);
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
